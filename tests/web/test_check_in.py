"""Check In: what each row says, the prompts of B13 and L9, doubles, wrong scans, and a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Item, Loan
from interlend.sharing import services as sharing
from interlend.web.models import ScanRow
from tests.make import branch, make_desk, make_item, make_library, make_patron, make_staff

pytestmark = pytest.mark.django_db


def scan(client: Client, barcode: str, **fields: str) -> HttpResponse:
    """One scan as the page's script sends it."""
    given = {"barcode": barcode, "scan_key": uuid4().hex, "slips": "none", "backdate": ""} | fields
    return client.post(reverse("check_in"), given, headers={"HX-Request": "true"})


# --- the route of a borrowed book -------------------------------------------------------------------------------


def test_at_the_pickup_place_it_goes_on_the_hold_shelf(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    answer = scan(client, borrowed.barcode)
    said = words_of(answer)
    assert answer.status_code == 200
    assert "Hold" in said
    assert "for Okafor, M. at Main Library" in said
    assert f"request {borrowed.ill.number}" in said
    assert "shelf until Mon 26 Apr" in said
    assert reverse("slip_hold", args=[borrowed.hold.pk]) in answer.content.decode()


def test_the_row_says_when_the_mail_goes(
    borrowed: Any, client_of: Any, words_of: Any, telling: Callable[[], Any]
) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    with telling():
        scan(client, borrowed.barcode)
    assert "mail goes at 10:00" in words_of(scan(client, borrowed.barcode))


def test_a_patron_without_mail_gets_a_notice_on_paper(
    borrowed: Any, client_of: Any, words_of: Any, telling: Callable[[], Any]
) -> None:
    borrowed.patron.email = ""
    borrowed.patron.save()
    client = client_of(make_staff(borrowed.alder, "desk"))
    with telling():
        scan(client, borrowed.barcode)
    said = words_of(scan(client, borrowed.barcode))
    assert "Okafor, M. has no e-mail address, so the notice goes on paper. Print the notice" in said


def test_elsewhere_it_is_sent_to_the_pickup_place(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"), at="ANNEX")
    first = scan(client, borrowed.barcode)
    assert "Send to Main Library" in words_of(first)
    assert "In transit" in words_of(first)
    assert reverse("slip_route", args=[borrowed.item.pk]) in first.content.decode()
    assert "Dispatched" in words_of(scan(client, borrowed.barcode))


def lend_to_patron(borrowed: Any, now: Any) -> None:
    circulation.check_out(make_desk(borrowed.alder), borrowed.patron.pk, borrowed.barcode, now)


def test_back_from_the_patron_the_desk_is_told_which_request_to_update(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any, telling: Callable[[], Any]
) -> None:
    """B13, B14: the prompt with the Request ID, and the way to the temporary item home branch."""
    lend_to_patron(borrowed, clock.now)
    answer = scan(client_of(make_staff(borrowed.alder, "ill")), borrowed.barcode)
    said = words_of(answer)
    assert "Send to ILL Office" in said
    assert f"Update request {borrowed.ill.number} (from Brook Public Library): it is back at the desk." in said
    assert "returned by Okafor, M., due Mon 3 May" in said
    page = answer.content.decode()
    assert reverse("ill_request", args=[borrowed.ill.pk]) in page
    assert f'hx-post="{reverse("ill_action", args=[borrowed.ill.pk, "staff.return"])}"' in page


def test_the_desk_alone_sees_the_prompt_but_not_the_button(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any
) -> None:
    lend_to_patron(borrowed, clock.now)
    answer = scan(client_of(make_staff(borrowed.alder, "desk")), borrowed.barcode)
    assert f"Update request {borrowed.ill.number}" in words_of(answer)
    assert "Mark returned" not in words_of(answer)


def test_at_its_home_branch_it_is_unavailable_and_the_prompt_stays(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any, telling: Callable[[], Any]
) -> None:
    lend_to_patron(borrowed, clock.now)
    staff = make_staff(borrowed.alder, "ill")
    with telling():
        scan(client_of(staff), borrowed.barcode)
    answer = scan(client_of(staff, at="ILL"), borrowed.barcode)
    assert "Route to ILL" in words_of(answer)
    assert "Unavailable" in words_of(answer)
    assert f"Update request {borrowed.ill.number}" in words_of(answer)
    with telling():
        sharing.return_(make_desk(borrowed.alder), borrowed.ill.pk, clock.now)
    assert "Update request" not in words_of(scan(client_of(staff, at="ILL"), borrowed.barcode))


def test_our_own_item_back_from_a_partner(borrowed: Any, client_of: Any, words_of: Any) -> None:
    """L9: the lender's desk has it before sharing was told."""
    answer = scan(client_of(make_staff(borrowed.brook, "ill")), borrowed.barcode)
    said = words_of(answer)
    assert "Reshelve" in said
    assert f"Update request {borrowed.ill.number} (lent to Alder University): our item is back at the desk." in said
    assert reverse("ill_action", args=[borrowed.lent.pk, "staff.complete"]) in answer.content.decode()


def test_a_hold_that_was_not_collected_ends_at_the_scan(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any
) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    scan(client, borrowed.barcode)
    clock.forward(days=8)
    said = words_of(scan(client_of(make_staff(borrowed.alder, "desk")), borrowed.barcode))
    assert "Send to ILL Office" in said
    assert "The hold of Okafor, M. has ended: it was not collected in time." in said


# --- our own items ----------------------------------------------------------------------------------------------


def test_reshelve_says_where(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    make_item(alder, "31492032220628", "A light in the attic", call_number="PS3569.I47224 L5")
    answer = scan(client_of(make_staff(alder, "desk")), "31492032220628")
    assert "Reshelve" in words_of(answer)
    assert "Main Library · Stacks · PS3569.I47224 L5" in words_of(answer)
    assert "data-slip" not in answer.content.decode()


def test_overdue_and_notes_are_shown(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    item, patron = make_item(alder, "I1", note="!Count the maps"), make_patron(alder)
    circulation.check_out(make_desk(alder), patron.pk, "I1", clock.now)
    clock.forward(days=40)
    said = words_of(scan(client_of(make_staff(alder, "desk")), item.barcode))
    assert "Count the maps" in said
    assert "It was due 17 May 2027." in said


def test_a_back_date_is_the_day_it_was_returned(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    make_item(alder, "I1")
    circulation.check_out(make_desk(alder), make_patron(alder).pk, "I1", clock.now)
    clock.forward(days=30)
    answer = scan(client_of(make_staff(alder, "desk")), "I1", backdate="2027-05-15")
    assert "back-dated to Sat 15 May" in words_of(answer)
    assert "It was due" not in words_of(answer)
    returned = Loan.objects.get().checked_in_at
    assert returned is not None
    assert returned.date().isoformat() == "2027-05-15"


@pytest.mark.parametrize(
    ("backdate", "sentence"),
    [
        ("tomorrow", "The back date is not a date that can be used."),
        ("0027-05-15", "The back date is not a date that can be used."),
        ("2027-04-20", "20 April 2027 is not a date that can be used: it has not come yet."),
    ],
)
def test_a_back_date_that_cannot_be(client_of: Any, words_of: Any, clock: Any, backdate: str, sentence: str) -> None:
    alder = make_library()
    make_item(alder, "I1")
    answer = scan(client_of(make_staff(alder, "desk")), "I1", backdate=backdate)
    assert answer.status_code == 422
    assert "Not checked in" in words_of(answer)
    assert sentence in words_of(answer)


def test_nothing_comes_back_before_it_was_lent(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    make_item(alder, "I1")
    circulation.check_out(make_desk(alder), make_patron(alder).pk, "I1", clock.now)
    clock.forward(days=3)
    answer = scan(client_of(make_staff(alder, "desk")), "I1", backdate="2027-04-18")
    assert answer.status_code == 422
    assert "the item was lent after that, on 19 April 2027" in words_of(answer)
    assert Item.objects.get().state == "on_loan"
    assert Loan.objects.get().checked_in_at is None
    assert "Reshelve" in words_of(scan(client_of(make_staff(alder, "desk")), "I1", backdate="2027-04-19"))


# --- wrong scans ------------------------------------------------------------------------------------------------


def test_an_unknown_barcode_is_a_stop_with_a_way_on(client_of: Any, words_of: Any, clock: Any) -> None:
    answer = scan(client_of(make_staff(make_library(), "desk")), "30007009999999")
    assert answer.status_code == 422
    assert "Not checked in" in words_of(answer)
    assert "No item of this library has the barcode 30007009999999." in words_of(answer)
    assert f"{reverse('new_item')}?barcode=30007009999999" in answer.content.decode()


def test_a_parcel_that_is_expected_can_be_received_from_here(shipped: Any, client_of: Any, words_of: Any) -> None:
    answer = scan(client_of(make_staff(shipped.alder, "ill")), shipped.barcode)
    number = shipped.ill.number
    assert f"Request {number} expects it from Brook Public Library. {number} Receive it for {number}" in words_of(
        answer
    )
    assert reverse("ill_action", args=[shipped.ill.pk, "staff.receive"]) in answer.content.decode()
    desk = scan(client_of(make_staff(shipped.alder, "desk")), shipped.barcode)
    assert "ILL staff: receive it." in words_of(desk)
    assert "/do/" not in desk.content.decode()


def test_the_slip_scanned_instead_of_the_book(borrowed: Any, client_of: Any, words_of: Any) -> None:
    answer = scan(client_of(make_staff(borrowed.alder, "desk")), borrowed.ill.number.lower())
    assert f"This is the number of request {borrowed.ill.number}. Scan the barcode of the item itself." in words_of(
        answer
    )


def test_a_patrons_card_scanned_instead_of_a_book(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder, "P77")
    answer = scan(client_of(make_staff(alder, "desk")), "P77")
    assert "This is the card of Mary Okafor. Scan the barcode of the item." in words_of(answer)
    assert reverse("patron", args=[patron.pk]) in answer.content.decode()


@pytest.mark.parametrize("barcode", ["", "   ", "\x00", "1" * 61, "x" * 4000])
def test_what_cannot_be_a_barcode_is_answered(client_of: Any, words_of: Any, clock: Any, barcode: str) -> None:
    answer = scan(client_of(make_staff(make_library(), "desk")), barcode)
    assert answer.status_code == 422
    assert "Scan" in words_of(answer, "//div[contains(@class, 'alert')]")


def test_without_a_service_location_nothing_is_guessed(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    make_item(alder, "I1")
    client = client_of(make_staff(alder, "desk"))
    session = client.session
    session["branch"] = None
    session.save()
    assert "Choose the branch you stand in" in words_of(scan(client, "I1"))


def test_another_librarys_item_does_not_exist_here(borrowed: Any, client_of: Any, words_of: Any) -> None:
    make_item(borrowed.brook, "ONLY-BROOK")
    answer = scan(client_of(make_staff(borrowed.alder, "desk")), "ONLY-BROOK")
    assert "No item of this library has the barcode" in words_of(answer)


# --- doubles, the sitting, rights -------------------------------------------------------------------------------


def test_the_same_scan_sent_twice_is_one_scan(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"), at="ANNEX")
    first = scan(client, borrowed.barcode, scan_key="k" * 32)
    again = scan(client, borrowed.barcode, scan_key="k" * 32)
    assert words_of(first, "//article") == words_of(again, "//article")
    assert Item.objects.get(library=borrowed.alder).state == "in_transit"
    assert ScanRow.objects.count() == 1


def test_a_reload_keeps_the_rows_and_totals_until_cleared(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    scan(client, borrowed.barcode)
    scan(client, "nothing")
    page = client.get(reverse("check_in"))
    assert "2 this sitting 1 hold shelf 1 stopped Print 1 slip" in words_of(page, "//*[@id='totals']")
    assert "Friendly fire" in words_of(page, "//*[@id='rows']")
    client.post(reverse("check_in_clear"))
    assert "Nothing scanned yet" in words_of(client.get(reverse("check_in")), "//*[@id='rows']")


def test_without_script_the_page_comes_again(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    answer = client.post(reverse("check_in"), {"barcode": borrowed.barcode}, follow=True)
    assert answer.redirect_chain == [(reverse("check_in"), 302)]
    assert "for Okafor, M." in words_of(answer, "//*[@id='rows']")


def test_the_choice_of_slips_is_remembered(borrowed: Any, client_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    scan(client, borrowed.barcode, slips="print")
    assert '<option value="print" selected>' in client.get(reverse("check_in")).content.decode()


def test_who_may_only_look_cannot_check_in(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    make_item(alder, "I1")
    client = client_of(make_staff(alder, "viewer"))
    assert client.get(reverse("check_in")).status_code == 200
    answer = scan(client, "I1")
    assert answer.status_code == 422
    assert "Only the circulation desk" in words_of(answer)


# --- speed ------------------------------------------------------------------------------------------------------


def queries_of(ask: Callable[[], HttpResponse]) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert ask().status_code == 200
    return len(asked)


def fill(library: Any, count: int, title_with: str) -> None:
    """Many items, patrons, holds and rows of the sitting."""
    for _ in range(count):
        item = make_item(library)
        title = Item.objects.get(library=library, barcode=title_with).title
        waiting = make_patron(library)
        Hold.objects.create(
            library=library, patron=waiting, title=title, level="title", pickup_branch=branch(library),
            placed_at=item.made_at,
        )  # fmt: skip


def test_a_scan_costs_the_same_however_much_there_is(client_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder)
    for barcode in ("I1", "I2"):
        make_item(alder, barcode, record_id="one title")
        circulation.check_out(make_desk(alder), patron.pk, barcode, clock.now)
    make_patron(alder)
    fill(alder, 2, "I1")
    client = client_of(make_staff(alder, "desk"))
    scan(client, "unknown")
    few = queries_of(lambda: scan(client, "I1"))
    fill(alder, 25, "I1")
    for _ in range(30):
        scan(client, "unknown")
    many = queries_of(lambda: scan(client, "I2"))
    assert many == few
    assert many <= 30
