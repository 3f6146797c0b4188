"""The four scan pages of a parcel's way: Receive (B1), Return (B15), Ship (L1), Complete (L5, L9).

Strategy: real POSTs as the scan box sends them, on two libraries that talk to each other; what is told to circulation
and to the partner happens after the commit, as in life. Doubles, wrong scans and failed steps are told apart by row.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from interlend.circulation.models import Hold, Item, Loan
from interlend.libraries.models import Library
from interlend.sharing import services as sharing
from interlend.sharing.models import IllRequest, Piece
from interlend.web.models import ScanRow
from tests.make import NOW, make_consortium, make_ill, make_item, make_patron, make_staff

HTMX = {"HX-Request": "true"}
Scan = Callable[..., HttpResponse]


@pytest.fixture
def libraries(db: None, clock: Any) -> tuple[Library, Library]:
    return make_consortium()


@pytest.fixture
def scan(client_of: Any, telling: Any) -> Scan:
    """`scan(library, "receive", "ALD-10001")`: one scan by ILL staff of that library, as the scan box posts it."""
    clients: dict[int, Client] = {}

    def post(library: Library, page: str, barcode: str = "", **more: str) -> HttpResponse:
        if library.pk not in clients:
            clients[library.pk] = client_of(make_staff(library, "ill"))
        given = ({"barcode": barcode} if barcode else {}) | more
        with telling():
            return clients[library.pk].post(reverse(page), given, headers=HTMX)

    return post


@pytest.fixture
def asked(libraries: tuple[Library, Library], telling: Any) -> IllRequest:
    """Alder asked Brook for “Friendly fire”, and Brook has it under the barcode B1."""
    alder, brook = libraries
    make_item(brook, "B1")
    with telling():
        return make_ill(alder, make_patron(alder, "P1"))


def lent(ill: IllRequest) -> IllRequest:
    return IllRequest.objects.get(number=ill.number, side="lending")


def state(ill: IllRequest) -> str:
    return IllRequest.objects.get(pk=ill.pk).state


def test_a_patrons_card_is_called_a_card(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan, words_of: Any
) -> None:
    for page in ("receive", "return_loans", "ship", "complete"):
        said = words_of(scan(libraries[0], page, "P1"))
        assert "This is the card of Mary Okafor. Scan the slip or the book." in said, page


# --- the whole way --------------------------------------------------------------------------------------------


def test_a_parcel_goes_there_and_back_by_scanning(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan, words_of: Any
) -> None:
    alder, brook = libraries
    card = words_of(scan(brook, "ship", asked.number))
    assert asked.number in card
    assert "Alder University" in card
    row = words_of(scan(brook, "ship", "B1"))
    assert "Shipped" in row
    assert "Bookband" in row
    assert Loan.objects.get(library=brook).patron.barcode == "INST-ALD"  # L1

    row = words_of(scan(alder, "receive", "B1"))
    assert "Received" in row
    assert "for Okafor, M." in row
    assert Item.objects.get(library=alder, temporary=True).barcode == "B1"  # B1
    assert Hold.objects.get(library=alder).request == asked.number

    assert "Return slip" in words_of(scan(alder, "return_loans", asked.number))
    assert (state(asked), state(lent(asked))) == ("returned", "returned")  # B15

    assert "Completed" in words_of(scan(brook, "complete", "B1"))
    assert (state(asked), state(lent(asked))) == ("completed", "completed")  # L5
    assert Item.objects.get(library=brook, barcode="B1").state == "available"


def test_no_answer_of_the_lender_names_the_patron(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan
) -> None:
    _alder, brook = libraries
    pages = [scan(brook, "ship", asked.number), scan(brook, "ship", "B1"), scan(brook, "ship", asked.number)]
    for page in pages:
        assert "Okafor" not in page.content.decode()


# --- Receive --------------------------------------------------------------------------------------------------


def test_a_double_scan_is_answered_with_when_and_who(shipped: Any, scan: Scan, words_of: Any, clock: Any) -> None:
    scan(shipped.alder, "receive", shipped.ill.number)
    clock.forward(minutes=5)
    again = scan(shipped.alder, "receive", shipped.ill.number.lower())
    assert again.status_code == 200
    row = words_of(again)
    assert "Already received" in row
    assert "09:12 by R. Ito; nothing changed." in row
    assert Item.objects.filter(library=shipped.alder, temporary=True).count() == 1


def test_the_same_scan_sent_twice_by_the_browser_gets_the_same_row(shipped: Any, scan: Scan) -> None:
    first = scan(shipped.alder, "receive", shipped.ill.number, scan_key="a" * 32)
    second = scan(shipped.alder, "receive", shipped.ill.number, scan_key="a" * 32)
    assert ScanRow.objects.filter(library=shipped.alder, page="receive").count() == 1
    assert "Already" not in second.content.decode()
    assert first.status_code == second.status_code == 200


@pytest.mark.django_db(transaction=True)  # the row says what came of it after the commit
def test_what_circulation_could_not_do_is_said_with_who_can_mend_it(shipped: Any, scan: Scan, words_of: Any) -> None:
    make_item(shipped.alder, shipped.barcode, title="Something of our own")
    row = words_of(scan(shipped.alder, "receive", shipped.ill.number))
    assert "Received, but circulation could not make the temporary item: The barcode" in row
    assert "ILL staff: receive it under another barcode" in row
    assert state(shipped.ill) == "received"


def test_an_unknown_barcode_stops_and_changes_nothing(shipped: Any, scan: Scan, words_of: Any) -> None:
    answer = scan(shipped.alder, "receive", "999")
    assert answer.status_code == 422
    assert "Not received" in words_of(answer)
    assert "No request of this library has the number or barcode 999." in words_of(answer)
    assert state(shipped.ill) == "shipped"


def test_the_lenders_number_cannot_be_received_by_the_lender(shipped: Any, scan: Scan, words_of: Any) -> None:
    row = words_of(scan(shipped.brook, "receive", shipped.ill.number))
    assert "is one we lend" in row
    assert state(shipped.lent) == "shipped"


def test_our_own_label_is_scanned_after_the_number(shipped: Any, scan: Scan, words_of: Any) -> None:
    card = words_of(scan(shipped.alder, "receive", shipped.ill.number, labels="own"))
    assert "scan our label" in card
    assert state(shipped.ill) == "shipped"
    scan(shipped.alder, "receive", "OUR-1", labels="own")
    assert state(shipped.ill) == "received"
    assert Item.objects.get(library=shipped.alder, temporary=True).barcode == "OUR-1"


def test_two_lenders_with_the_same_barcode_leave_the_choice(shipped: Any, scan: Scan, words_of: Any) -> None:
    other = make_ill(shipped.alder, shipped.patron, title="Another book")
    Piece.objects.create(request=other, library=shipped.alder, partner_barcode=shipped.barcode)
    IllRequest.objects.filter(pk=other.pk).update(state="shipped")
    row = words_of(scan(shipped.alder, "receive", shipped.barcode))
    assert "2 requests expect this barcode" in row
    assert shipped.ill.number in row
    assert other.number in row


def test_without_script_the_page_comes_back_with_the_row(
    shipped: Any, client_of: Any, telling: Any, words_of: Any
) -> None:
    client = client_of(make_staff(shipped.alder, "ill"))
    with telling():
        answer = client.post(reverse("receive"), {"barcode": shipped.ill.number}, follow=True)
    assert "Received" in words_of(answer, "//*[@id='rows']")


def test_a_new_sitting_begins_empty(shipped: Any, scan: Scan, client_of: Any, words_of: Any) -> None:
    staff = make_staff(shipped.alder, "ill")
    client = client_of(staff)
    client.post(reverse("receive"), {"barcode": "999"}, headers=HTMX)
    assert "999" in words_of(client.get(reverse("receive")), "//*[@id='rows']")
    client.post(reverse("sharing_clear", args=["receive"]))
    assert "Nothing received yet" in words_of(client.get(reverse("receive")), "//*[@id='rows']")


@pytest.mark.parametrize("text", ["\0", "  ", "x" * 5000, "Ω≈ç√", "'; drop table--", "\x1b[A"])
def test_whatever_a_scanner_sends_gets_a_plain_answer(shipped: Any, scan: Scan, text: str) -> None:
    for page in ("receive", "return_loans", "ship", "complete"):
        assert scan(shipped.alder, page, text).status_code in (200, 422)


# --- Ship -----------------------------------------------------------------------------------------------------


def test_the_due_date_of_the_batch_goes_with_each_parcel(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan
) -> None:
    _alder, brook = libraries
    due = date(2027, 5, 20)
    scan(brook, "ship", asked.number, due=due.isoformat())
    scan(brook, "ship", "B1", due=due.isoformat())
    assert lent(asked).due == due
    assert Loan.objects.get(library=brook).due_on == due
    assert IllRequest.objects.get(pk=asked.pk).due == due


def test_a_due_date_that_is_none_stops(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan, words_of: Any
) -> None:
    row = words_of(scan(libraries[1], "ship", asked.number, due="31.31.2027"))
    assert "The due date cannot be read" in row


def test_the_book_may_be_scanned_before_the_number(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan, words_of: Any
) -> None:
    card = words_of(scan(libraries[1], "ship", "B1"))
    assert "Which request?" in card
    assert asked.number in card
    assert "Shipped" in words_of(scan(libraries[1], "ship", asked.number))


def test_several_volumes_travel_together(libraries: tuple[Library, Library], asked: IllRequest, scan: Scan) -> None:
    brook = libraries[1]
    make_item(brook, "B2")
    scan(brook, "ship", asked.number)
    scan(brook, "ship", card="several")
    scan(brook, "ship", "B1")
    scan(brook, "ship", "B2")
    assert state(lent(asked)) == "requested"
    scan(brook, "ship", asked.number)
    assert [piece.barcode for piece in lent(asked).pieces.all()] == ["B1", "B2"]
    assert Loan.objects.filter(library=brook, state="out").count() == 2


def test_volumes_of_one_request_never_slip_into_another(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan, words_of: Any, telling: Any
) -> None:
    alder, brook = libraries
    with telling():
        other = make_ill(alder, make_patron(alder), title="Another book")
    scan(brook, "ship", asked.number)
    scan(brook, "ship", card="several")
    scan(brook, "ship", "B1")
    assert "not shipped yet" in words_of(scan(brook, "ship", other.number))
    assert state(lent(other)) == "requested"


def test_a_barcode_that_is_no_book_of_ours_stops_before_the_parcel_leaves(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan, words_of: Any
) -> None:
    brook = libraries[1]
    scan(brook, "ship", asked.number)
    answer = scan(brook, "ship", "NO-SUCH")
    assert answer.status_code == 422
    assert "No item of ours has the barcode NO-SUCH" in words_of(answer)
    assert state(lent(asked)) == "requested"
    assert "Shipped" in words_of(scan(brook, "ship", "B1"))  # the request stayed open for the right book


def test_another_title_is_shipped_with_a_question(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan, words_of: Any
) -> None:
    brook = libraries[1]
    make_item(brook, "B9", title="Gardening in cold climates")
    scan(brook, "ship", asked.number)
    assert "Is it the right one?" in words_of(scan(brook, "ship", "B9"))


def test_a_card_put_aside_is_closed(
    libraries: tuple[Library, Library], asked: IllRequest, scan: Scan, words_of: Any
) -> None:
    brook = libraries[1]
    scan(brook, "ship", asked.number)
    scan(brook, "ship", card="aside")
    assert "Which request?" in words_of(scan(brook, "ship", "B1"))
    assert state(lent(asked)) == "requested"


def test_a_book_that_is_out_says_when_it_was_shipped(shipped: Any, scan: Scan, words_of: Any) -> None:
    assert "Already shipped" in words_of(scan(shipped.brook, "ship", shipped.barcode))
    assert "Already shipped" in words_of(scan(shipped.brook, "ship", shipped.ill.number))
    assert Loan.objects.filter(library=shipped.brook).count() == 1


# --- Return, Complete -----------------------------------------------------------------------------------------


def test_a_parcel_that_was_never_received_offers_what_is_possible(shipped: Any, scan: Scan, words_of: Any) -> None:
    row = words_of(scan(shipped.alder, "return_loans", shipped.ill.number))
    assert "Not returned" in row
    assert "Send back unread" in row
    assert state(shipped.ill) == "shipped"


def test_complete_twice_by_barcode_says_so(borrowed: Any, scan: Scan, words_of: Any) -> None:
    scan(borrowed.brook, "complete", borrowed.barcode)
    assert "Already completed" in words_of(scan(borrowed.brook, "complete", borrowed.barcode))
    assert state(borrowed.lent) == "completed"


def test_what_is_done_leaves_the_queue(shipped: Any, scan: Scan, words_of: Any) -> None:
    answer = scan(shipped.alder, "receive", shipped.ill.number).content.decode()
    assert 'hx-swap-oob="innerHTML:#queue"' in answer
    assert "No lender has shipped anything to us." in answer


def test_only_ill_staff_may_scan_here(shipped: Any, client_of: Any, words_of: Any) -> None:
    desk = client_of(make_staff(shipped.alder, "desk"))
    assert desk.get(reverse("receive")).status_code == 200
    answer = desk.post(reverse("receive"), {"barcode": shipped.ill.number}, headers=HTMX)
    assert answer.status_code == 422
    assert "Only ILL staff" in words_of(answer)
    assert state(shipped.ill) == "shipped"


# --- scan speed: a fixed number of statements, however much there is ------------------------------------------


def _statements(scan: Scan, library: Library, page: str, barcode: str) -> int:
    with CaptureQueriesContext(connection) as said:
        assert scan(library, page, barcode).status_code == 200
    return len(said)


def _one_way(scan: Scan, alder: Library, brook: Library, title: str, code: str, telling: Any) -> list[int]:
    """The statements of each scan of one parcel's way, what follows the commit included."""
    make_item(brook, code, title=title)
    with telling():
        ill = make_ill(alder, make_patron(alder), title=title)
    ways = [
        (brook, "ship", ill.number), (brook, "ship", code), (alder, "receive", ill.number),
        (alder, "receive", ill.number), (alder, "return_loans", ill.number), (brook, "complete", code),
    ]  # fmt: skip
    return [_statements(scan, *way) for way in ways]


def test_each_scan_needs_the_same_number_of_statements_however_much_there_is(
    libraries: tuple[Library, Library], scan: Scan, telling: Any
) -> None:
    alder, brook = libraries
    _one_way(scan, alder, brook, "The first of all", "M0", telling)  # signs in, makes the rows that are made once
    few = _one_way(scan, alder, brook, "Measured with few", "M1", telling)
    for n in range(25):
        make_item(brook, title=f"Other book {n}")
        with telling():
            make_ill(alder, make_patron(alder), title=f"Other book {n}")
    many = _one_way(scan, alder, brook, "Measured with many", "M2", telling)
    assert few == many


def test_a_return_at_the_desk_waits_in_the_queue(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "ill"))
    assert "No borrowed item lies at the desk." in words_of(client.get(reverse("return_loans")))
    sharing.desk_took_back(borrowed.alder.pk, borrowed.ill.number, "borrowing", NOW + timedelta(days=1))
    assert borrowed.ill.number in words_of(client.get(reverse("return_loans")), "//*[@id='queue']")


def test_the_page_is_only_about_ones_own_library(shipped: Any, client_of: Any, words_of: Any) -> None:
    stranger = client_of(make_staff(shipped.brook, "ill"))
    assert shipped.ill.number not in words_of(stranger.get(reverse("receive")))
