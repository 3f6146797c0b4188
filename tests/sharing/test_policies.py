"""Sharing's pure rules: what may be pressed now, in which order, what it needs, and what a state is called."""

from __future__ import annotations

import pytest

from interlend.sharing.lifecycles import LIFECYCLES
from interlend.sharing.policies import BUTTONS, REASONS_UNFILLED, STATE_WORDS, Button, buttons, state_word

EVERY_STATE = [(side, service, state) for (side, service), table in LIFECYCLES.items() for state in table.states]


@pytest.mark.parametrize(
    ("side", "service", "state", "triggers"),
    [
        ("borrowing", "loan", "new", ["staff.send", "staff.cancel", "staff.close"]),
        ("borrowing", "loan", "requested", ["staff.receive", "staff.cancel", "staff.close"]),
        ("borrowing", "loan", "shipped", ["staff.receive", "staff.send_back", "staff.close"]),
        ("borrowing", "loan", "received", ["staff.return", "staff.close"]),
        ("borrowing", "loan", "returned", ["staff.close"]),
        ("borrowing", "loan", "unfilled", ["staff.send", "staff.cancel", "staff.close"]),
        ("borrowing", "loan", "completed", []),
        ("lending", "loan", "requested", ["staff.ship", "staff.will_supply", "staff.unfilled", "staff.close"]),
        ("lending", "loan", "cancel_asked", ["staff.ship", "staff.agree_cancel", "staff.refuse_cancel", "staff.close"]),
        ("lending", "loan", "shipped", ["staff.complete", "staff.close"]),
        ("lending", "loan", "returned", ["staff.complete", "staff.close"]),
        ("borrowing", "copy", "copy_sent", ["staff.deliver_copy", "staff.close"]),
        ("lending", "copy", "requested", ["staff.send_copy", "staff.will_supply", "staff.unfilled", "staff.close"]),
    ],
)
def test_what_may_be_pressed_likeliest_first(side: str, service: str, state: str, triggers: list[str]) -> None:
    assert [button.trigger for button in buttons(side, service, state)] == triggers


@pytest.mark.parametrize(("side", "service", "state"), EVERY_STATE)
def test_buttons_are_in_order_and_dangerous_ones_ask(side: str, service: str, state: str) -> None:
    found = buttons(side, service, state)
    assert sorted(found, key=lambda button: button.danger) == found
    assert all(button.needs == "reason" for button in found if button.danger)
    assert not any(button.main and button.danger for button in found)
    assert len({button.label for button in found}) == len(found)


@pytest.mark.parametrize("at_desk", [True, False])
@pytest.mark.parametrize(("side", "service", "state"), EVERY_STATE)
def test_the_same_may_be_pressed_whether_it_is_at_the_desk_or_not(
    side: str, service: str, state: str, at_desk: bool
) -> None:
    plain = buttons(side, service, state)
    now = buttons(side, service, state, at_desk=at_desk)
    assert [(b.trigger, b.label, b.needs, b.danger) for b in now] == [
        (b.trigger, b.label, b.needs, b.danger) for b in plain
    ]


def test_what_is_back_at_the_desk_is_finished_with_the_main_button() -> None:
    """B13, L9: the prompt offers the one click."""
    (complete, *_) = [b for b in buttons("lending", "loan", "received", at_desk=True) if b.trigger == "staff.complete"]
    assert complete.main
    (quiet, *_) = [b for b in buttons("lending", "loan", "received") if b.trigger == "staff.complete"]
    assert not quiet.main
    assert buttons("borrowing", "loan", "received", at_desk=True)[0] == BUTTONS["staff.return"]


def test_a_main_button_is_not_the_likeliest_while_we_wait_for_the_other_side() -> None:
    for state in ("requested", "will_supply", "cancel_asked"):
        assert not any(button.main for button in buttons("borrowing", "loan", state))


def test_what_a_button_must_ask_first() -> None:
    needs: dict[str, set[str]] = {}
    for button in BUTTONS.values():
        needs.setdefault(button.needs, set()).add(button.trigger)
    assert set(needs) == {"", "lender", "barcode", "reason"}
    assert needs["lender"] == {"staff.send"}
    assert needs["barcode"] == {"staff.receive", "staff.ship"}
    assert needs["reason"] == {"staff.unfilled", "staff.cancel", "staff.close"}
    assert all(isinstance(button, Button) and trigger == button.trigger for trigger, button in BUTTONS.items())


def test_states_in_words() -> None:
    assert state_word("will_supply") == "Will be supplied"
    assert state_word("received", at_desk=True) == "Back at the desk"
    assert len(set(STATE_WORDS.values())) == len(STATE_WORDS)


def test_reasons_for_not_supplying_are_told_once() -> None:
    assert len(set(REASONS_UNFILLED)) == len(REASONS_UNFILLED) > 3
