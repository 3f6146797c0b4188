"""Assist Patrons and the account: check out with the reasons of the due date, holds, history, the record (B7-B12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from interlend.bridge.models import HostSettings
from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Loan, Patron, PatronType
from interlend.circulation.services import Charge
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from interlend.sharing import services as sharing
from tests.make import branch, make_consortium, make_desk, make_item, make_library, make_patron, make_staff

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
TABS = ("checkout", "holds", "requests", "bills", "history", "notices", "profile")


def find(client: Client, text: str) -> HttpResponse:
    return client.post(reverse("assist_patrons"), {"barcode": text, "scan_key": uuid4().hex}, headers=HTMX)


def check_out(client: Client, patron: Patron, barcode: str, **fields: str) -> HttpResponse:
    given = {"barcode": barcode, "scan_key": uuid4().hex} | fields
    return client.post(reverse("patron_check_out", args=[patron.pk]), given, headers=HTMX)


def tab(client: Client, patron: Patron, name: str) -> HttpResponse:
    answer = client.get(reverse("patron", args=[patron.pk]), {"tab": name})
    assert answer.status_code == 200
    return answer


# --- finding the account ----------------------------------------------------------------------------------------


def test_a_scanned_card_opens_the_account(client_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder, "P1")
    answer = find(client_of(make_staff(alder, "desk")), " P1 ")
    assert answer.headers["HX-Redirect"] == reverse("patron", args=[patron.pk])


def test_without_script_too(client_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder, "P1")
    answer = client_of(make_staff(alder, "desk")).post(reverse("assist_patrons"), {"barcode": "P1"})
    assert answer.headers["Location"] == reverse("patron", args=[patron.pk])


def test_a_name_that_several_have_shows_a_list(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    make_patron(alder, "P1"), make_patron(alder, "P2", given_name="Obi")
    client = client_of(make_staff(alder, "desk"))
    answer = find(client, "okaf")
    assert answer.headers["HX-Redirect"] == reverse("assist_patrons") + "?q=okaf"
    listed = words_of(client.get(answer.headers["HX-Redirect"]), "//table")
    assert "Okafor, Mary P1" in listed
    assert "Okafor, Obi P2" in listed
    assert find(client, "okafor, ob").headers["HX-Redirect"] == reverse("patron", args=[Patron.objects.last().pk])


@pytest.mark.parametrize("text", ["", "nobody", "%", "\x00", "z" * 300])
def test_nobody_is_a_stop_with_a_way_on(client_of: Any, words_of: Any, clock: Any, text: str) -> None:
    alder = make_library()
    make_patron(alder)
    answer = find(client_of(make_staff(alder, "desk")), text)
    assert answer.status_code == 422
    assert "No patron found" in words_of(answer)


def test_an_item_scanned_as_a_card(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    item = make_item(alder, "I1", "A light in the attic")
    answer = find(client_of(make_staff(alder, "desk")), "I1")
    assert "This is the barcode of an item, “A light in the attic”. Scan the patron's card." in words_of(answer)
    assert reverse("item", args=[item.pk]) in answer.content.decode()


# --- the strip and the tabs -------------------------------------------------------------------------------------


def test_the_strip_says_how_the_account_stands(borrowed: Any, client_of: Any, words_of: Any, clock: Any) -> None:
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    client = client_of(make_staff(borrowed.alder, "desk"))
    strip = words_of(tab(client, borrowed.patron, "checkout"), "//*[@id='patron-strip']")
    assert "May borrow 1 ready at Main Library" in strip
    assert "Student" in strip
    borrowed.patron.blocked_since, borrowed.patron.block_reason = date(2027, 4, 1), "unpaid bill"
    borrowed.patron.expires_on = date(2027, 4, 2)
    borrowed.patron.save()
    strip = words_of(tab(client, borrowed.patron, "checkout"), "//*[@id='patron-strip']")
    assert "May not borrow" in strip
    assert "The account of Mary Okafor is blocked since 1 April 2027 (unpaid bill)." in strip
    assert "The account of Mary Okafor expired on 2 April 2027." in strip


@pytest.mark.parametrize("name", [*TABS, "nonsense"])
def test_every_tab_opens_empty_and_full(borrowed: Any, client_of: Any, clock: Any, telling: Any, name: str) -> None:
    client = client_of(make_staff(borrowed.alder, "viewer"))
    tab(client, make_patron(borrowed.alder), name)
    with telling():
        circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    circulation.check_out(make_desk(borrowed.alder), borrowed.patron.pk, borrowed.barcode, clock.now)
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    tab(client, borrowed.patron, name)


def test_the_holds_tab_shows_the_request_as_an_active_hold(borrowed: Any, client_of: Any, words_of: Any) -> None:
    """B7."""
    client = client_of(make_staff(borrowed.alder, "desk"))
    said = words_of(tab(client, borrowed.patron, "holds"), "//table")
    assert "Friendly fire" in said
    assert borrowed.ill.number in said
    assert "from Brook Public Library" in said
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, borrowed.hold.placed_at)
    assert "Ready for pickup at Main Library until Mon 26 Apr" in words_of(tab(client, borrowed.patron, "holds"))


def test_requests_notices_and_history(borrowed: Any, client_of: Any, words_of: Any, clock: Any, telling: Any) -> None:
    with telling():
        circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    circulation.check_out(make_desk(borrowed.alder), borrowed.patron.pk, borrowed.barcode, clock.now)
    clock.forward(days=3)
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    client = client_of(make_staff(borrowed.alder, "desk"))
    asked = words_of(tab(client, borrowed.patron, "requests"), "//table")
    assert f"{borrowed.ill.number} Friendly fire" in asked
    assert "Brook Public Library" in asked
    assert "Hold pickup Mail goes at 10:00" in words_of(tab(client, borrowed.patron, "notices"), "//table")
    happened = words_of(tab(client, borrowed.patron, "history"))
    assert "Past loans" in happened
    assert "Borrowed item checked out to the patron, due 3 May 2027" in happened
    assert "On the hold shelf at Main Library" in happened


# --- check out (B10, B11) ---------------------------------------------------------------------------------------


def test_check_out_says_why_the_item_is_due_then(borrowed: Any, client_of: Any, words_of: Any, clock: Any) -> None:
    """B11: the lender's date is the stricter."""
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    answer = check_out(client_of(make_staff(borrowed.alder, "desk")), borrowed.patron, borrowed.barcode)
    said = words_of(answer, "//article")
    assert "Loaned" in said
    assert "due Mon 3 May: the lender's date; your policy would have said Mon 17 May" in said
    assert f"request {borrowed.ill.number}" in said
    page = answer.content.decode()
    assert 'id="loans" hx-swap-oob="true"' in page
    assert 'id="patron-strip"' in page
    assert reverse("change_due_date", args=[Loan.objects.get(library=borrowed.alder).pk]) in page


def test_a_double_scan_is_answered(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder)
    make_item(alder, "I1")
    client = client_of(make_staff(alder, "desk"))
    check_out(client, patron, "I1")
    assert "Already loaned" in words_of(check_out(client, patron, "I1"))
    assert Loan.objects.count() == 1


def test_the_same_scan_tried_again_is_one_row(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder)
    make_item(alder, "I1")
    client = client_of(make_staff(alder, "desk"))
    first, again = (check_out(client, patron, "I1", scan_key="k" * 32) for _ in range(2))
    assert words_of(first) == words_of(again)
    assert "Already" not in words_of(again)


def test_refusals_say_all_reasons_and_who_mends_them(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder, blocked_since=date(2027, 4, 1), expires_on=date(2027, 4, 2))
    make_item(alder, "I1")
    answer = check_out(client_of(make_staff(alder, "desk")), patron, "I1")
    assert answer.status_code == 422
    said = words_of(answer, "//article")
    assert "Not checked out" in said
    assert "blocked since 1 April 2027" in said
    assert "expired on 2 April 2027" in said
    assert "Edit the account" in said
    assert not Loan.objects.exists()


def test_an_item_for_somebody_else(borrowed: Any, client_of: Any, words_of: Any) -> None:
    other = make_patron(borrowed.alder)
    answer = check_out(client_of(make_staff(borrowed.alder, "desk")), other, borrowed.barcode)
    assert "was borrowed from Brook Public Library for another patron" in words_of(answer)


def test_the_next_patrons_card_is_never_lent_to(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron, other = make_patron(alder), make_patron(alder, "P2", given_name="Obi")
    answer = check_out(client_of(make_staff(alder, "desk")), patron, "P2")
    assert answer.status_code == 422
    assert "This is the card of Obi Okafor, not an item." in words_of(answer)
    assert reverse("patron", args=[other.pk]) in answer.content.decode()


def test_a_new_visit_begins_with_no_rows(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder, "P1")
    make_item(alder, "I1")
    client = client_of(make_staff(alder, "desk"))
    check_out(client, patron, "I1")
    assert "Loaned" in words_of(tab(client, patron, "checkout"), "//*[@id='rows']")
    find(client, "P1")
    assert "Nothing checked out in this visit" in words_of(tab(client, patron, "checkout"), "//*[@id='rows']")


# --- after check out (B12) --------------------------------------------------------------------------------------


def lent(library: Library, clock: Any) -> Loan:
    patron = make_patron(library)
    make_item(library, "I1")
    return circulation.check_out(make_desk(library), patron.pk, "I1", clock.now).loan


def test_change_due_date_in_the_dialog(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    loan = lent(alder, clock)
    client = client_of(make_staff(alder, "desk"))
    address = reverse("change_due_date", args=[loan.pk])
    dialog = client.get(address, headers=HTMX)
    assert "<html" not in dialog.content.decode()
    assert "the loan policy Standard" in words_of(dialog)
    answer = client.post(address, {"due": "2027-05-05"}, headers=HTMX)
    assert answer.headers["HX-Redirect"] == reverse("patron", args=[loan.patron_id])
    loan.refresh_from_db()
    assert loan.due_on == date(2027, 5, 5)
    said = words_of(tab(client, loan.patron, "checkout"))
    assert "“Friendly fire” is now due Wed 5 May." in said
    assert "set by R. Ito; your policy would have said Mon 17 May" in said


@pytest.mark.parametrize(
    ("due", "sentence"),
    [
        ("2027-04-18", "18 April 2027 is not a date that can be used: it has passed."),
        ("soon", "This is not a date."),
        ("", "This field is required."),
        ("9999-01-01", "The year 9999 cannot be meant."),
    ],
)
def test_a_due_date_that_cannot_be(client_of: Any, words_of: Any, clock: Any, due: str, sentence: str) -> None:
    alder = make_library()
    loan = lent(alder, clock)
    client = client_of(make_staff(alder, "desk"))
    for headers in ({}, HTMX):
        answer = client.post(reverse("change_due_date", args=[loan.pk]), {"due": due}, headers=headers)
        assert answer.status_code == 422
        assert sentence in words_of(answer)


def test_the_lenders_date_is_not_overrun(borrowed: Any, client_of: Any, words_of: Any, clock: Any) -> None:
    loan = circulation.check_out(make_desk(borrowed.alder), borrowed.patron.pk, borrowed.barcode, clock.now).loan
    client = client_of(make_staff(borrowed.alder, "desk"))
    answer = client.post(reverse("change_due_date", args=[loan.pk]), {"due": "2027-05-04"}, headers=HTMX)
    assert "Brook Public Library wants it back by 3 May 2027" in words_of(answer)


def test_renew(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    loan = lent(alder, clock)
    clock.forward(days=10)
    client = client_of(make_staff(alder, "desk"))
    answer = client.post(reverse("renew", args=[loan.pk]), follow=True)
    assert "Renewed: “Friendly fire” is due Thu 27 May: the loan policy Standard." in words_of(answer)
    for _ in range(2):
        answer = client.post(reverse("renew", args=[loan.pk]), follow=True)
    assert "has been renewed 2 times; Standard allows 2." in words_of(answer)


def test_a_recalled_loan_says_so(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    loan = lent(alder, clock)
    circulation.recall(make_desk(alder), "I1", clock.now, wished_due=date(2027, 5, 1))
    client = client_of(make_staff(alder, "desk"))
    said = words_of(tab(client, loan.patron, "checkout"), "//*[@id='loans']")
    assert "Recalled Sat 1 May recalled by R. Ito; your policy would have said Mon 17 May" in said


def test_bills_and_the_balance_are_shown_where_there_are_any(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder)
    client = client_of(make_staff(alder, "desk"))
    assert "Bills" not in words_of(tab(client, patron, "checkout"), "//main")
    for action, amount in (("Assess", 750), ("Payment", 250)):
        charge = Charge("Interlibrary Loan Fee", action, amount, "EUR", request="ALD-10042")
        circulation.charge(make_desk(alder), patron, charge, clock.now)
    page = tab(client, patron, "bills")
    assert "Balance 5.00 EUR" in words_of(page, "//*[@id='patron-strip']")
    assert "Interlibrary Loan Fee Payment ALD-10042 -2.50 EUR" in words_of(page, "//table")


# --- holds ------------------------------------------------------------------------------------------------------


def test_the_hold_dialog_shows_the_request_id_and_saves(borrowed: Any, client_of: Any, words_of: Any) -> None:
    """B7: Edit existing hold request shows the Request ID."""
    client = client_of(make_staff(borrowed.alder, "desk"))
    address = reverse("edit_hold", args=[borrowed.hold.pk])
    dialog = words_of(client.get(address, headers=HTMX))
    assert f"Request ID {borrowed.ill.number} from Brook Public Library" in dialog
    annex = branch(borrowed.alder, "ANNEX")
    given = {
        "pickup_branch": annex.pk, "expires_on": "2027-08-01", "suspended_from": "", "suspended_to": "",
        "public_note": "", "staff_note": "ask for the CD", "to_top": "on",
    }  # fmt: skip
    answer = client.post(address, given, headers=HTMX)
    assert answer.headers["HX-Redirect"] == reverse("patron", args=[borrowed.patron.pk]) + "?tab=holds"
    hold = borrowed.hold
    assert (hold.pickup_branch, hold.expires_on, hold.staff_note) == (annex, date(2027, 8, 1), "ask for the CD")
    assert "ask for the CD" in words_of(
        client_of(make_staff(borrowed.alder, "desk"), at="ANNEX").post(
            reverse("check_in"), {"barcode": borrowed.barcode}, headers=HTMX
        )
    )


def test_a_hold_with_a_pause_that_ends_before_it_begins(borrowed: Any, client_of: Any, words_of: Any) -> None:
    given = {
        "pickup_branch": borrowed.hold.pickup_branch_id, "suspended_from": "2027-05-10", "suspended_to": "2027-05-01",
    }  # fmt: skip
    client = client_of(make_staff(borrowed.alder, "desk"))
    answer = client.post(reverse("edit_hold", args=[borrowed.hold.pk]), given, headers=HTMX)
    assert answer.status_code == 422
    assert "it is before the first day of the pause" in words_of(answer)


def test_cancelling_a_ready_hold_says_what_to_do_with_the_item(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any
) -> None:
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    client = client_of(make_staff(borrowed.alder, "desk"))
    address = reverse("cancel_hold", args=[borrowed.hold.pk])
    answer = client.post(address, follow=True)
    assert "Check the item in to see where it goes now." in words_of(answer)
    assert borrowed.hold.state == "cancelled"
    assert "Ending this hold is not possible" in words_of(client.post(address, follow=True))


def hold_form(**given: object) -> dict[str, object]:
    return {"level": "title"} | given


def test_place_hold_by_barcode_or_by_the_words_of_a_title(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    one, two = make_patron(alder, "P1"), make_patron(alder, "P2")
    make_item(alder, "I1", "A light in the attic")
    client, pickup = client_of(make_staff(alder, "desk")), branch(alder, "ANNEX").pk
    page = client.get(reverse("place_hold"), {"patron": "P1", "item": "I1"})
    assert f'<option value="{branch(alder).pk}" selected>' in page.content.decode()
    client.post(reverse("place_hold"), hold_form(patron="P1", item="I1", level="item", pickup=pickup))
    client.post(reverse("place_hold"), hold_form(patron="P2", item="light attic", pickup=pickup))
    assert Hold.objects.get(patron=one).level == "item"
    assert Hold.objects.get(patron=two).level == "title"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"patron": "nobody"}, "No patron of this library has this barcode."),
        ({"item": "nothing"}, "No item of this library has this barcode or these words."),
        ({"item": "light"}, "2 titles have these words. Add a word, or scan a copy."),
        ({"pickup": "0"}, "Select a valid choice."),
        ({"item": "I1\x00"}, "Null characters are not allowed."),
    ],
)
def test_a_hold_that_cannot_be_placed(
    client_of: Any, words_of: Any, clock: Any, given: dict[str, object], sentence: str
) -> None:
    alder = make_library()
    make_patron(alder, "P1")
    make_item(alder, "I1", "A light in the attic"), make_item(alder, "I2", "Light of August")
    form = hold_form(patron="P1", item="I1", pickup=branch(alder).pk) | given
    answer = client_of(make_staff(alder, "desk")).post(reverse("place_hold"), form)
    assert answer.status_code == 422
    assert sentence in words_of(answer)
    assert not Hold.objects.exists()


# --- the record -------------------------------------------------------------------------------------------------


def record_of(library: Library, **given: object) -> dict[str, object]:
    student = PatronType.objects.get(library=library, code="STUDENT")
    return {"barcode": "P1", "kind": "person", "surname": "Devi", "patron_type": student.pk, "pin": "2468"} | given


def test_register_edit_and_block_a_patron(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    client = client_of(make_staff(alder, "desk"))
    answer = client.post(reverse("new_patron"), record_of(alder, given_name="Asha"), follow=True)
    assert "Asha Devi is registered." in words_of(answer)
    patron = Patron.objects.get(barcode="P1")
    assert check_password("2468", patron.pin)
    change = record_of(
        alder, barcode="OTHER", pin="", blocked_since="2027-04-19", block_reason="lost books", expires_on="2028-01-31"
    )
    client.post(reverse("edit_patron", args=[patron.pk]), change)
    patron.refresh_from_db()
    assert (patron.barcode, patron.block_reason) == ("P1", "lost books")
    assert patron.expires_on == date(2028, 1, 31)
    assert check_password("2468", patron.pin)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"barcode": "TAKEN"}, "The barcode TAKEN already belongs to Mary Okafor."),
        ({"surname": ""}, "This field is required."),
        ({"email": "not an address"}, "Enter a valid email address."),
        ({"expires_on": "31.12.2027"}, "This is not a date."),
        ({"pin": "12"}, "at least 4 characters"),
        ({"surname": "D\x00"}, "Null characters are not allowed."),
        ({"surname": "D" * 121}, "at most 120 characters"),
    ],
)
def test_a_record_that_cannot_be_saved(
    client_of: Any, words_of: Any, clock: Any, given: dict[str, object], sentence: str
) -> None:
    alder = make_library()
    make_patron(alder, "TAKEN")
    answer = client_of(make_staff(alder, "desk")).post(reverse("new_patron"), record_of(alder, **given))
    assert answer.status_code == 422
    assert sentence in words_of(answer)
    assert Patron.objects.count() == 1


# --- rights, libraries, speed -----------------------------------------------------------------------------------


# --- another card -----------------------------------------------------------------------------------------------


def new_card(client: Client, patron: Patron, barcode: str, **how: Any) -> HttpResponse:
    return client.post(reverse("replace_card", args=[patron.pk]), {"barcode": barcode}, **how)


def test_a_new_card_keeps_the_account_and_its_requests(
    shipped: Any, client_of: Any, words_of: Any, clock: Any, telling: Callable[[], Any]
) -> None:
    """The request was made under the old number; the steps that follow use the new one (B1)."""
    patron, old = shipped.patron, shipped.patron.barcode
    client = client_of(make_staff(shipped.alder, "ill"))
    assert reverse("replace_card", args=[patron.pk]) in tab(client, patron, "checkout").content.decode()
    assert old in words_of(client.get(reverse("replace_card", args=[patron.pk]), headers=HTMX))
    said = words_of(new_card(client, patron, " NEW-7 ", follow=True))
    assert "has the card NEW-7 now." in said
    with telling():
        sharing.receive(make_desk(shipped.alder, "ILL"), shipped.ill.pk, clock.now)
    assert Hold.objects.get(library=shipped.alder).patron == patron
    assert shipped.ill.number in words_of(tab(client, patron, "requests"))
    assert f"New card; the number of the old one ended in {old[-4:]}" in words_of(tab(client, patron, "history"))
    assert "The patron has a new card" in words_of(client.get(reverse("ill_request", args=[shipped.ill.pk])))
    assert circulation.sign_in(shipped.alder.pk, "NEW-7", "1234") == patron
    assert circulation.sign_in(shipped.alder.pk, old, "1234") is None
    assert find(client, "NEW-7").headers["HX-Redirect"] == reverse("patron", args=[patron.pk])
    assert "No patron found" in words_of(find(client, old))


def test_where_another_system_keeps_the_patrons_its_cards_stay(shipped: Any, client_of: Any) -> None:
    old = shipped.patron.barcode
    HostSettings.objects.create(library=shipped.alder, kind="ncip", name="Koha", url="http://127.0.0.1:1/")
    new_card(client_of(make_staff(shipped.alder, "desk")), shipped.patron, "NEW-7")
    shipped.patron.refresh_from_db()
    shipped.ill.refresh_from_db()
    assert (shipped.patron.barcode, shipped.ill.patron_barcode) == ("NEW-7", old)


def test_a_card_that_cannot_be_given(client_of: Any, words_of: Any, clock: Any) -> None:
    alder, _brook = make_consortium()
    patron, other = make_patron(alder, "P1"), make_patron(alder, "P2")
    client = client_of(make_staff(alder, "desk"))
    taken = new_card(client, patron, other.barcode, headers=HTMX)
    assert taken.status_code == 422
    assert "A patron with the barcode P2 exists already." in words_of(taken)
    assert new_card(client, patron, "  ").status_code == 422
    account = Patron.objects.get(library=alder, kind="institution")
    assert reverse("replace_card", args=[account.pk]) not in tab(client, account, "checkout").content.decode()
    assert "is an institution, and Partners names its account by this barcode" in words_of(
        new_card(client, account, "X")
    )
    assert new_card(client_of(make_staff(alder, "viewer", sign_in="eve")), patron, "P3").status_code == 403
    new_card(client, patron, "P1")
    patron.refresh_from_db()
    assert patron.barcode == "P1"
    assert not Event.objects.filter(kind="circulation.card_replaced").exists()


def test_the_account_that_is_open_scanned_again(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder, "P1")
    said = words_of(check_out(client_of(make_staff(alder, "desk")), patron, "P1"))
    assert "This is the card of the account that is open. Scan the barcode of the item." in said
    assert "Add the item" not in said


def test_another_librarys_patrons_do_not_exist_here(client_of: Any, clock: Any) -> None:
    alder, brook = make_consortium()
    stranger = make_patron(brook)
    make_item(brook, "I1")
    loan = circulation.check_out(make_desk(brook), stranger.pk, "I1", clock.now).loan
    hold = circulation.place_hold(make_desk(brook), stranger, make_item(brook).title, branch(brook), clock.now)
    client = client_of(make_staff(alder, "admin"))
    for name, key in [
        ("patron", stranger.pk), ("edit_patron", stranger.pk), ("change_due_date", loan.pk), ("edit_hold", hold.pk),
    ]:  # fmt: skip
        assert client.get(reverse(name, args=[key])).status_code == 404, name
    for name, key in [
        ("patron_check_out", stranger.pk), ("renew", loan.pk), ("change_due_date", loan.pk), ("edit_hold", hold.pk),
        ("cancel_hold", hold.pk), ("edit_patron", stranger.pk),
    ]:  # fmt: skip
        assert client.post(reverse(name, args=[key]), {"barcode": "I1"}).status_code == 404, name


def test_who_may_only_look_changes_nothing(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    loan = lent(alder, clock)
    client = client_of(make_staff(alder, "viewer"))
    assert "Change due date" not in words_of(tab(client, loan.patron, "checkout"))
    for name in ("renew", "change_due_date"):
        assert client.post(reverse(name, args=[loan.pk]), {"due": "2027-06-01"}, headers=HTMX).status_code == 422
    loan.refresh_from_db()
    assert loan.due_on == date(2027, 5, 17)


def queries_of(ask: Callable[[], HttpResponse]) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert ask().status_code == 200
    return len(asked)


def test_a_check_out_costs_the_same_however_much_there_is(client_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder)
    client = client_of(make_staff(alder, "desk"))

    def more(first: int, count: int) -> None:
        for number in range(first, first + count):
            barcode = f"I{number}"
            make_item(alder, barcode, f"Title {number}")
            circulation.check_out(make_desk(alder), patron.pk, barcode, clock.now + timedelta(minutes=number))
        make_item(alder, f"next{first}")

    more(1, 2)
    few = queries_of(lambda: check_out(client, patron, "next1"))
    more(100, 60)
    many = queries_of(lambda: check_out(client, patron, "next100"))
    assert many == few
    assert many <= 30
