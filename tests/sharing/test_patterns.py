"""What failures have in common: said only where what went well since does not speak against it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from interlend.sharing.policies import ABOUT_CONNECTION, Pattern, Step, pattern

NINE = datetime(2027, 4, 19, 9, 10, tzinfo=UTC)
LATER = NINE + timedelta(minutes=5)


def step(number: int, partner: str = "YAL", item: str = "", patron: str = "", **more: object) -> Step:
    """A step of request `number`; its item is its own unless said otherwise."""
    given = {"side": "lending", "at": NINE + timedelta(minutes=number)} | more
    return Step(f"R{number}", partner=partner, item=item or f"I{number}", patron=patron, **given)  # type: ignore[arg-type]


def test_nothing_failed() -> None:
    assert pattern("unknown_item", [], [step(1)]) is None


def test_on_all_requests_of_one_partner_since_the_first() -> None:
    failed = [step(2), step(0), step(1)]
    assert pattern("patron_blocked", failed, []) == Pattern("partner", "YAL", "lending", NINE, 3)
    assert pattern("patron_blocked", failed, [step(9, "BRK")]) == Pattern("partner", "YAL", "lending", NINE, 3)


def test_not_the_partner_if_something_went_well_with_it_since() -> None:
    failed = [step(0), step(1)]
    assert pattern("patron_blocked", failed, [step(9)]) is None
    before = step(9, at=NINE - timedelta(minutes=1))
    assert pattern("patron_blocked", failed, [before]) == Pattern("partner", "YAL", "lending", NINE, 2)


def test_on_every_request_needs_several_partners_and_items_and_no_success() -> None:
    failed = [step(0), step(1, "BRK")]
    assert pattern("refused_by_host", failed, []) == Pattern("everywhere", "", "lending", NINE, 2)
    assert pattern("refused_by_host", failed, [step(5, "CED")]) is None
    same_item = [step(0, item="X"), step(1, "BRK", item="X")]
    assert pattern("refused_by_host", same_item, []) == Pattern("item", "X", "lending", NINE, 2)


def test_both_sides_at_once_have_no_side() -> None:
    failed = [step(0), step(1, "BRK", side="borrowing", patron="P1")]
    assert pattern("refused_by_host", failed, []) == Pattern("everywhere", "", "", NINE, 2)


def test_on_one_patron_whoever_lends() -> None:
    failed = [step(n, partner, patron="P1", side="borrowing") for n, partner in enumerate(("YAL", "BRK"))]
    assert pattern("patron_blocked", failed, []) == Pattern("patron", "P1", "borrowing", NINE, 2)
    one_lender = [step(n, patron="P1", side="borrowing") for n in range(2)]
    assert pattern("patron_blocked", one_lender, []) == Pattern("patron", "P1", "borrowing", NINE, 2)
    assert pattern("patron_blocked", failed, [step(9, patron="P1", side="borrowing")]) is None


def test_on_one_lender_whoever_the_patron_is() -> None:
    failed = [step(n, patron=f"P{n}", side="borrowing") for n in range(2)]
    assert pattern("unknown_pickup", failed, []) == Pattern("partner", "YAL", "borrowing", NINE, 2)


def test_messages_to_partners_have_neither_item_nor_patron() -> None:
    bare = [Step(f"R{n}", "borrowing", partner, "", "", NINE) for n, partner in enumerate(("YAL", "BRK"))]
    assert pattern("bug", bare, []) == Pattern("everywhere", "", "borrowing", NINE, 2)
    assert pattern("not_a_member", bare[:1] * 2, []) is None, "twice the same request is one request"
    one = [Step(f"R{n}", "borrowing", "YAL", "", "", NINE) for n in range(2)]
    assert pattern("not_a_member", one, []) == Pattern("partner", "YAL", "borrowing", NINE, 2)


@pytest.mark.parametrize("code", sorted(ABOUT_CONNECTION))
def test_a_dead_line_is_nobodys_account(code: str) -> None:
    """Also where only one partner's requests have met it so far."""
    assert pattern(code, [step(0), step(1)], []) == Pattern("everywhere", "", "lending", NINE, 2)
    assert pattern(code, [step(0), step(1)], [step(7, "BRK")]) is None
    assert pattern(code, [step(0)], [step(7, "BRK")]) is None


def test_only_here_is_said_where_others_went_well_since() -> None:
    assert pattern("unknown_item", [step(0)], [step(5)]) == Pattern("here", "", "lending", NINE, 1)
    assert pattern("unknown_item", [step(0)], []) is None
    assert pattern("unknown_item", [step(0)], [step(0, at=LATER)]) is None, "its own other step proves nothing"
    assert pattern("unknown_item", [step(0)], [step(5, at=NINE - timedelta(hours=1))]) is None
