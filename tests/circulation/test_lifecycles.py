"""The item's, the hold's and the loan's tables, row by row: what the desk, messages and staff may do in which state.

Workflow B1-B17, L1-L8. What the tables must have in common with the rest of the house is in tests/house/.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlend.circulation.lifecycles import HOLD, ITEM, LOAN, OPEN_HOLD
from interlend.lifecycle import Lifecycle, NoSuchMove

LIVING = [state for state in ITEM.states if state != "withdrawn"]


def becomes(table: Lifecycle, state: str, *triggers: str) -> str:
    """The state after these triggers, one after the other."""
    for trigger in triggers:
        state = table.move(state, trigger).becomes
    return state


# --- item -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", LIVING)
def test_a_scan_knows_what_to_do_in_every_state(state: str) -> None:
    """An item in the hand is the truth, whatever its record said a moment ago."""
    assert becomes(ITEM, state, "desk.trap") == "on_hold"
    assert becomes(ITEM, state, "desk.shelve") == becomes(ITEM, state, "host.shelve") == "available"
    assert becomes(ITEM, state, "desk.put_away") == becomes(ITEM, state, "host.put_away") == "unavailable"
    assert becomes(ITEM, state, "desk.route") in {"in_transit", "dispatched"}
    assert becomes(ITEM, state, "host.route") == "in_transit"


def test_the_second_scan_on_the_way_says_that_it_has_left() -> None:
    assert becomes(ITEM, "available", "desk.route") == "in_transit"
    assert becomes(ITEM, "available", "desk.route", "desk.route") == "dispatched"
    assert becomes(ITEM, "available", "desk.route", "desk.route", "desk.route") == "dispatched"


@pytest.mark.parametrize("party", ["desk", "host"])
@pytest.mark.parametrize("state", LIVING)
def test_everything_but_a_loan_can_be_checked_out(party: str, state: str) -> None:
    assert ITEM.allows(state, f"{party}.check_out") == (state != "on_loan")


@pytest.mark.parametrize("state", ITEM.states)
def test_what_is_out_or_on_its_way_is_not_deleted(state: str) -> None:
    deletable = {"available", "unavailable", "recently_received", "missing"}
    assert ITEM.allows(state, "staff.delete") == ITEM.allows(state, "host.delete") == (state in deletable)


@pytest.mark.parametrize("state", ITEM.states)
def test_what_should_be_there_can_be_marked_missing(state: str) -> None:
    there = {"available", "unavailable", "in_transit", "dispatched", "on_hold"}
    assert ITEM.allows(state, "staff.mark_missing") == (state in there)


def test_a_deleted_item_comes_back_unavailable_and_only_by_hand() -> None:
    assert ITEM.triggers("withdrawn") == ("staff.restore",)
    assert becomes(ITEM, "withdrawn", "staff.restore") == "unavailable"


def test_the_life_of_a_temporary_item() -> None:
    """B1 received, B8 on the hold shelf, B10 out, B13 returned, B14 home and away, B16 deleted."""
    steps = ["desk.route", "desk.trap", "desk.check_out", "desk.route", "desk.put_away", "staff.delete"]
    assert becomes(ITEM, "recently_received", *steps) == "withdrawn"


def test_the_life_of_an_item_that_is_lent() -> None:
    """L1 out by message, L5 back by message, L7 scanned for the next reader."""
    assert becomes(ITEM, "available", "host.check_out") == "on_loan"
    assert becomes(ITEM, "available", "host.check_out", "host.shelve", "desk.trap") == "on_hold"


# --- hold -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", OPEN_HOLD)
def test_an_open_hold(state: str) -> None:
    assert becomes(HOLD, state, "desk.trap") == "ready"
    assert becomes(HOLD, state, "desk.route") == "in_transit"
    assert becomes(HOLD, state, "desk.check_out") == becomes(HOLD, state, "host.check_out") == "fulfilled"
    for trigger in ("staff.cancel", "patron.cancel", "host.end"):
        assert becomes(HOLD, state, trigger) == "cancelled"


def test_open_holds_are_the_states_that_are_not_final() -> None:
    assert set(OPEN_HOLD) == set(HOLD.open_states())


@pytest.mark.parametrize("state", HOLD.final)
def test_an_ended_hold_stays_ended(state: str) -> None:
    """But for a check-out that never was."""
    assert HOLD.triggers(state) == (("host.undo",) if state == "fulfilled" else ())


def test_a_hold_on_its_way_does_not_expire() -> None:
    assert HOLD.allows("pending", "clock.expire")
    assert HOLD.allows("ready", "clock.expire")
    assert not HOLD.allows("in_transit", "clock.expire")


def test_only_a_scan_makes_a_hold_ready() -> None:
    """B8, B9: no message and no clock may promise a patron a book that nobody has in the hand."""
    assert {move.trigger for move in HOLD.moves if move.becomes == "ready"} == {"desk.trap"}
    assert {move.trigger for move in ITEM.moves if move.becomes == "on_hold"} == {"desk.trap"}


# --- loan -------------------------------------------------------------------------------------------------------


def test_a_loan_is_out_until_it_comes_back() -> None:
    for party in ("desk", "host"):
        assert becomes(LOAN, "out", f"{party}.check_in") == "returned"
    for trigger in ("staff.renew", "patron.renew", "host.renew", "host.recall", "staff.change_due_date"):
        assert becomes(LOAN, "out", trigger) == "out"
    assert becomes(LOAN, "out", "host.undo") == "undone"


@pytest.mark.parametrize("state", LOAN.final)
def test_what_came_back_is_not_renewed(state: str) -> None:
    assert LOAN.triggers(state) == ()
    with pytest.raises(NoSuchMove):
        LOAN.move(state, "staff.renew")


# --- item and loan together -------------------------------------------------------------------------------------

TRIGGERS = st.lists(st.sampled_from(sorted({move.trigger for move in ITEM.moves})), max_size=30)


@given(st.sampled_from(ITEM.initial), TRIGGERS)
@settings(deadline=None)
def test_an_item_is_never_on_loan_but_by_a_check_out(start: str, triggers: list[str]) -> None:
    state = start
    for trigger in triggers:
        if ITEM.allows(state, trigger):
            before, state = state, ITEM.move(state, trigger).becomes
            assert (state == "on_loan") == trigger.endswith(".check_out")
            assert state != "withdrawn" or before in {"available", "unavailable", "recently_received", "missing"}
