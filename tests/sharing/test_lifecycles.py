"""A request's tables, row by row and both sides together: every numbered step is a row, no order of events a trap.

Workflow B1, B13-B16, L1, L5, L9, C1. The last part plays the borrower's and the lender's table against each other with
their messages on the way, through every order in which things can happen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from interlend.lifecycle import Lifecycle
from interlend.sharing.lifecycles import BORROWING, BORROWING_COPY, LENDING, LENDING_COPY, LIFECYCLES

#: step of the workflow -> (table, state, trigger, becomes, errands)
STEPS = {
    "send": (BORROWING, "new", "staff.send", "requested", ("partner.request",)),
    "B1": (BORROWING, "shipped", "staff.receive", "received", ("host.accept_item", "partner.received")),
    "B1, before the lender's message": (
        BORROWING, "requested", "staff.receive", "received", ("host.accept_item", "partner.received"),
    ),
    "B15": (BORROWING, "received", "staff.return", "returned", ("host.check_in_item", "partner.shipped_return")),
    "B15, the lender has it": (BORROWING, "received", "supplier.completed", "completed", ("host.check_in_item",)),
    "B16": (BORROWING, "returned", "supplier.completed", "completed", ()),
    "sent back unread": (BORROWING, "shipped", "staff.send_back", "returned", ("partner.shipped_return",)),
    "L1": (LENDING, "requested", "staff.ship", "shipped", ("host.check_out_item", "partner.shipped")),
    "L3, the date comes later": (BORROWING, "received", "supplier.shipped", "received", ()),
    "L5": (LENDING, "returned", "staff.complete", "completed", ("host.check_in_item", "partner.completed")),
    "L9": (LENDING, "shipped", "staff.complete", "completed", ("host.check_in_item", "partner.completed")),
    "not supplied": (LENDING, "requested", "staff.unfilled", "unfilled", ("partner.unfilled",)),
    "the next lender": (BORROWING, "unfilled", "staff.send", "requested", ("partner.request",)),
    "cancelled in time": (LENDING, "requested", "requester.cancel", "cancelled", ("partner.cancelled",)),
    "cancelled too late": (LENDING, "shipped", "requester.cancel", "shipped", ()),
    "C1": (LENDING_COPY, "requested", "staff.send_copy", "completed", ("partner.copy_sent",)),
    "C1, delivered": (BORROWING_COPY, "copy_sent", "staff.deliver_copy", "completed", ()),
}  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_workflow_is_a_row(step: str) -> None:
    table, state, trigger, becomes, errands = STEPS[step]
    move = table.move(state, trigger)
    assert (move.becomes, move.errands) == (becomes, errands)


@pytest.mark.parametrize("table", [BORROWING_COPY, LENDING_COPY], ids=lambda table: table.name)
def test_a_copy_never_touches_circulation(table: Lifecycle) -> None:
    """C1."""
    assert [errand for errand in table.errands if errand.startswith("host.")] == []


@pytest.mark.parametrize("table", LIFECYCLES.values(), ids=lambda table: table.name)
def test_every_open_request_can_be_closed_by_hand(table: Lifecycle) -> None:
    for state in table.open_states():
        if state not in table.final:
            assert table.move(state, "staff.close").becomes == "closed"
    assert not any(table.allows(state, "staff.close") for state in table.final)


def test_what_circulation_was_told_is_taken_back() -> None:
    """Every way out of *received* that a person or the lender takes checks the item in; by hand staff decide."""
    for move in BORROWING.moves:
        if move.state == "received" and move.becomes not in ("received", "closed"):
            assert "host.check_in_item" in move.errands, move
    for move in LENDING.moves:
        if move.becomes == "completed":
            assert "host.check_in_item" in move.errands, move


def test_a_patrons_wish_is_cancelled_only_while_nothing_is_on_its_way() -> None:
    assert {move.state for move in BORROWING.moves if move.trigger == "staff.cancel"} == {
        "new", "requested", "will_supply", "unfilled",
    }  # fmt: skip


# --- both sides together ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Both:
    """Where a request stands on both sides ("" before the lender has heard of it), and the messages on their way."""

    borrower: str
    lender: str = ""
    to_lender: tuple[str, ...] = ()
    to_borrower: tuple[str, ...] = ()


#: no more than so many messages on one road: repeated news would make the play endless
MOST_ON_THE_WAY = 3


def nexts(both: Both, borrowing: Lifecycle, lending: Lifecycle) -> Iterator[tuple[str, Both]]:
    """Everything that can happen now, without closing by hand: staff act, or the oldest message arrives."""
    for trigger in borrowing.triggers(both.borrower, "staff"):
        if trigger != "staff.close":
            yield f"borrower {trigger}", _moved(both, "borrower", trigger, borrowing)
    for trigger in lending.triggers(both.lender, "staff"):
        if trigger != "staff.close":
            yield f"lender {trigger}", _moved(both, "lender", trigger, lending)
    if both.to_lender:
        yield f"lender hears {both.to_lender[0]}", _lender_hears(both, lending)
    if both.to_borrower:
        verb, rest = both.to_borrower[0], both.to_borrower[1:]
        heard = Both(both.borrower, both.lender, both.to_lender, rest)
        trigger = f"supplier.{verb}"
        # what the table does not allow is kept as an event and changes nothing
        known = borrowing.allows(both.borrower, trigger)
        yield f"borrower hears {verb}", _moved(heard, "borrower", trigger, borrowing) if known else heard


def _lender_hears(both: Both, lending: Lifecycle) -> Both:
    verb, rest = both.to_lender[0], both.to_lender[1:]
    heard = Both(both.borrower, both.lender, rest, both.to_borrower)
    if not both.lender:
        return Both(both.borrower, "requested", rest, both.to_borrower) if verb == "request" else heard
    trigger = f"requester.{verb}"
    return _moved(heard, "lender", trigger, lending) if lending.allows(both.lender, trigger) else heard


def _moved(both: Both, who: str, trigger: str, table: Lifecycle) -> Both:
    move = table.move(both.borrower if who == "borrower" else both.lender, trigger)
    told = tuple(errand.removeprefix("partner.") for errand in move.errands if errand.startswith("partner."))
    if who == "borrower":
        return Both(move.becomes, both.lender, both.to_lender + told, both.to_borrower)
    return Both(both.borrower, move.becomes, both.to_lender, both.to_borrower + told)


PAIRS = {"loan": (BORROWING, LENDING), "copy": (BORROWING_COPY, LENDING_COPY)}


@cache
def played(service: str) -> dict[Both, list[tuple[str, Both]]]:
    """Every situation that can come about, and what can happen in it."""
    borrowing, lending = PAIRS[service]
    found: dict[Both, list[tuple[str, Both]]] = {}
    waiting = deque([Both("new")])
    while waiting:
        both = waiting.popleft()
        if both not in found:
            ways = [(how, then) for how, then in nexts(both, borrowing, lending) if _bounded(then)]
            found[both] = ways
            waiting.extend(then for _, then in ways)
    return found


def _bounded(both: Both) -> bool:
    return max(len(both.to_lender), len(both.to_borrower)) <= MOST_ON_THE_WAY


@cache
def can_end(service: str) -> frozenset[Both]:
    """The situations from which both sides can still come to an end without closing by hand."""
    borrowing, lending = PAIRS[service]
    before: dict[Both, set[Both]] = {}
    for both, ways in played(service).items():
        for _, then in ways:
            before.setdefault(then, set()).add(both)
    ended = [b for b in played(service) if b.borrower in borrowing.final and b.lender in ("", *lending.final)]
    found, waiting = set(ended), deque(ended)
    while waiting:
        for both in before.get(waiting.popleft(), ()):
            if both not in found:
                found.add(both)
                waiting.append(both)
    return frozenset(found)


def has_a_book_nobody_sent(both: Both) -> bool:
    """The borrower holds (or has returned) a parcel while the lender says that it never sent one."""
    return both.borrower in ("received", "returned") and both.lender in ("unfilled", "cancelled")


@pytest.mark.parametrize("service", PAIRS)
def test_whatever_happens_in_whatever_order_both_sides_can_come_to_an_end(service: str) -> None:
    """Only a contradiction in the world itself needs *close by hand*: a parcel that its sender denies."""
    assert len(played(service)) > 30
    stuck = [both for both in played(service) if both not in can_end(service)]
    assert [both for both in stuck if not has_a_book_nobody_sent(both)] == []


@pytest.mark.parametrize("service", PAIRS)
def test_each_side_comes_to_every_one_of_its_states(service: str) -> None:
    borrowing, lending = PAIRS[service]
    by_hand = {"closed"}
    assert {both.borrower for both in played(service)} == set(borrowing.states) - by_hand
    assert {both.lender for both in played(service)} - {""} == set(lending.states) - by_hand


@pytest.mark.parametrize("service", PAIRS)
def test_when_all_is_said_the_lender_never_waits_for_a_book_that_the_borrower_never_had(service: str) -> None:
    """With nothing on its way: a borrower who cancelled or was refused does not leave the lender with a loan open."""
    for both in played(service):
        if not both.to_lender and not both.to_borrower and both.borrower == "cancelled":
            assert both.lender in ("", "cancelled", "unfilled"), both


def test_a_repeated_message_changes_nothing_the_second_time() -> None:
    """Messages may come twice. Where the table has a row for the repeat, it leads to the same state."""
    for table in LIFECYCLES.values():
        for move in table.moves:
            party = move.trigger.split(".")[0]
            if party in ("supplier", "requester") and table.allows(move.becomes, move.trigger):
                assert table.move(move.becomes, move.trigger).becomes == move.becomes, (table.name, move)
