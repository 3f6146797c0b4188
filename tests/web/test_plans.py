"""Nothing scans a table: what desks, pages and messages ask of PostgreSQL is found by an index, however full it is.

Strategy: a library with a long past and little that is open; every SELECT is said again under EXPLAIN ANALYZE, which
tells how many rows it touched. Whoever reads more than half of the past would read ten times as much after ten years.
Lists with a tab for what is over count it, and stand outside of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from interlend import ncip
from interlend.bridge.models import Exchange
from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Item, Loan, Patron, Title
from interlend.libraries.models import Library
from interlend.notices.models import Letter
from interlend.outbox.models import Errand, Event
from interlend.sharing.models import IllRequest, Partner, Piece
from tests.bridge.ncip import ask, header, make_caller
from tests.make import NOW, branch, make_consortium, make_desk, make_ill, make_item, make_patron, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

BIG = (
    "circulation_item", "circulation_title", "circulation_titleword", "circulation_hold", "circulation_loan",
    "circulation_patron", "outbox_event", "outbox_errand", "bridge_exchange", "sharing_illrequest", "sharing_piece",
    "notices_letter",
)  # fmt: skip
MANY = 400
PAGES = (
    "/patrons", "/check-in", "/items?q=friendly", "/items?scope=temporary", "/pull-list",
    "/hold-shelf", "/in-transit", "/temporary-items", "/requests/needs-attention", "/receive", "/return", "/ship",
    "/complete", "/requests/new", "/health",
)  # fmt: skip


@pytest.fixture
def alder(db: None) -> Library:
    """A library with a past: many rows of every kind that are over and done with, few that are open."""
    alder, _ = make_consortium()
    like, patron = make_item(alder), make_patron(alder, "P1", surname="Okafor")
    Title.objects.bulk_create(Title(library=alder, title=f"Title {n}") for n in range(MANY))
    Item.objects.bulk_create(past_items(alder, like))
    Patron.objects.bulk_create(
        Patron(library=alder, barcode=f"Q{n}", surname=f"Reader {n}", patron_type=patron.patron_type)
        for n in range(MANY)
    )
    copies = list(Item.objects.filter(library=alder, barcode__startswith="I"))
    readers = list(Patron.objects.filter(library=alder, barcode__startswith="Q"))
    for copy, reader in zip(copies, readers, strict=True):
        over = {"library": alder, "patron": reader, "item": copy}
        Hold(title_id=copy.title_id, placed_at=NOW, pickup_branch=branch(alder), state="expired", **over).save()
        Loan(state="closed", checked_out_at=NOW, due_on=NOW.date(), checked_in_at=NOW, **over).save()
    past_requests(alder)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")
    return alder


def past_items(alder: Library, like: Item) -> Iterator[Item]:
    """Our own on their shelves, and as many temporary ones that were deleted long ago."""
    places = {
        "holding_location": like.holding_location, "shelving_location": like.shelving_location,
        "home_branch": like.home_branch, "state_since": NOW, "made_at": NOW,
    }  # fmt: skip
    for title in Title.objects.filter(library=alder, title__startswith="Title "):
        yield Item(library=alder, title=title, barcode=f"I{title.pk}", **places)
        yield Item(library=alder, title=title, barcode=f"T{title.pk}", temporary=True, state="withdrawn", **places)


def past_requests(alder: Library) -> None:
    """Completed requests of both sides, with all that was done, said and written about them."""
    partner = Partner.objects.get(library=alder)
    for side, state in (("borrowing", "completed"), ("lending", "unfilled")):
        IllRequest.objects.bulk_create(
            IllRequest(
                library=alder, side=side, number=f"OLD-{n}", state=state, outcome=state, state_since=NOW, made_at=NOW,
                title=f"Title {n}", partner=partner, patron_barcode=f"Q{n}",
            )
            for n in range(MANY)
        )  # fmt: skip
    Piece.objects.bulk_create(
        Piece(library=alder, request=ill, barcode=f"T{ill.pk}") for ill in IllRequest.objects.filter(library=alder)
    )
    numbers = [f"OLD-{n}" for n in range(MANY)]
    Event.objects.bulk_create(Event(library=alder, kind="checked_in", at=NOW, request=number) for number in numbers)
    Errand.objects.bulk_create(
        Errand(library=alder, verb="host.x", key=number, state="done", due_at=NOW, made_at=NOW) for number in numbers
    )
    Letter.objects.bulk_create(
        Letter(library=alder, kind="hold_pickup", key=number, patron_key=n, state="sent", due_at=NOW, made_at=NOW)
        for n, number in enumerate(numbers)
    )
    Exchange.objects.bulk_create(
        Exchange(library=alder, direction="in", peer="R", outcome="ok", at=NOW - timedelta(hours=n), request=number)
        for n, number in enumerate(numbers)
    )


@contextmanager
def told() -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT that is said meanwhile, with its values."""
    seen: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT"):
            seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def read(sql: str, params: Any) -> Iterator[str]:
    """Each big table of which this statement reads more than what is open; the statement is run once more for that."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    nodes = [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        dropped = sum(rows for fact, rows in node.items() if fact.startswith("Rows Removed by"))
        rows = (node["Actual Rows"] + dropped) * node["Actual Loops"]
        if node.get("Relation Name") in BIG and rows > MANY // 2:
            yield f"{rows:.0f} rows of {node['Relation Name']} by {node.get('Index Name')}"


def complaints(seen: list[tuple[str, Any]]) -> list[str]:
    return [
        f"{wrong}: {sql[:3000]}" for sql, params in dict.fromkeys(map(_frozen, seen)) for wrong in read(sql, params)
    ]


def _frozen(statement: tuple[str, Any]) -> tuple[str, Any]:
    return statement[0], tuple(statement[1] or ())


def test_no_message_scans_a_table(alder: Library) -> None:
    make_caller(alder)
    user, item = ncip.UserId("P1"), ncip.ItemId("X1", agency=ncip.Code("BRK"))
    said = header(alder)
    with told() as seen:
        for message in (
            ncip.LookupUser(header=said, user_id=user),
            ncip.AcceptItem(
                header=said, request_id=ncip.RequestId("R1"), user_id=user, item_id=item,
                requested_action_type=ncip.Code("Hold For Pickup"),
            ),
            ncip.CheckOutItem(header=said, user_id=user, item_id=item),
            ncip.LookupItem(header=said, item_id=item),
            ncip.LookupRequest(header=said, request_id=ncip.RequestId("R1")),
            ncip.CheckInItem(header=said, item_id=item),
        ):  # fmt: skip
            answer = ask(message)
            assert not answer.problems, answer
    assert complaints(seen) == []


def test_no_scan_at_the_desk_scans_a_table(alder: Library) -> None:
    desk, patron = make_desk(alder), make_patron(alder)
    item = make_item(alder)
    with told() as seen:
        circulation.check_out(desk, patron.pk, item.barcode, NOW)
        circulation.check_in(desk, item.barcode, NOW)
    assert complaints(seen) == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_scans_a_table(alder: Library, client_of: Callable[..., Client], page: str) -> None:
    make_ill(alder, make_patron(alder))
    client = client_of(make_staff(alder, "admin"))
    with told() as seen:
        assert client.get(page).status_code == 200
    assert complaints(seen) == []
