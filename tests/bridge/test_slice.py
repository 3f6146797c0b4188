"""The four services that Relais D2D needs, in version 2 and in version 1: what they do and what they answer."""

from __future__ import annotations

from datetime import date

import pytest

from interlend import ncip
from interlend.bridge.models import Exchange
from interlend.circulation.models import Hold, Item, Loan
from tests.bridge.ncip import V1, V2, ask, header, make_caller, post, problem
from tests.make import make_account, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("style", [V2, V1], ids=["v2", "v1"])


def accept(library: object, patron_barcode: str, **more: object) -> ncip.AcceptItem:
    about = ncip.BibliographicDescription(title="War and peace", author="Tolstoy, Leo")
    fields: dict[str, object] = {
        "header": header(library), "request_id": ncip.RequestId("R-1"),
        "requested_action_type": ncip.Code("Hold For Pickup"), "user_id": ncip.UserId(patron_barcode),
        "item_id": ncip.ItemId("R-1"),
        "item_optional_fields": ncip.ItemOptionalFields(bibliographic_description=about),
    } | more  # fmt: skip
    return ncip.AcceptItem(**fields)  # type: ignore[arg-type]


@BOTH
def test_accept_check_out_check_in(style: ncip.Style) -> None:
    alder = make_library()
    make_caller(alder)
    patron = make_patron(alder, "P1")
    accepted = ask(accept(alder, "P1", date_for_return=ncip.Moment("2027-05-03T00:00:00Z")), style)
    assert isinstance(accepted, ncip.AcceptItemResponse)
    assert not accepted.problems
    assert accepted.request_id is not None
    assert accepted.item_id is not None
    assert (accepted.request_id.value, accepted.item_id.value) == ("R-1", "R-1")
    hold = Hold.objects.get()
    assert (hold.patron, hold.request, hold.pickup_branch.code) == (patron, "R-1", "MAIN")

    out = ask(ncip.CheckOutItem(header=header(alder), user_id=ncip.UserId("P1"), item_id=ncip.ItemId("R-1")), style)
    assert isinstance(out, ncip.CheckOutItemResponse)
    assert not out.problems
    assert (out.item_id.value, out.user_id.value) == ("R-1", "P1")  # type: ignore[union-attr]
    assert out.date_due is not None
    assert str(out.date_due) == "2027-05-03T23:59:59Z"

    back = ask(ncip.CheckInItem(header=header(alder), item_id=ncip.ItemId("R-1")), style)
    assert isinstance(back, ncip.CheckInItemResponse)
    assert not back.problems
    assert Item.objects.get().state == "unavailable"
    again = ask(ncip.CheckInItem(header=header(alder), item_id=ncip.ItemId("R-1")), style)
    assert problem(again) == "Item Not Checked Out"


@BOTH
def test_told_twice_is_answered_like_the_first_time(style: ncip.Style) -> None:
    alder, brook = make_library(), make_library("BRK", "Brook Public Library")
    make_account(alder, brook)
    make_caller(alder)
    make_patron(alder, "P1")
    item = make_item(alder, "31234")
    lend = ncip.CheckOutItem(
        header=header(alder), user_id=ncip.UserId("INST-BRK"), item_id=ncip.ItemId("31234"),
        request_id=ncip.RequestId("BRK-7"), desired_date_due=ncip.Moment("2027-06-01T12:00:00Z"),
    )  # fmt: skip
    first, second = ask(accept(alder, "P1"), style), ask(accept(alder, "P1"), style)
    assert first == second
    first, second = ask(lend, style), ask(lend, style)
    assert first == second
    assert isinstance(first, ncip.CheckOutItemResponse)
    assert first.date_due is not None
    assert first.date_due.raw == "2027-06-01T23:59:59Z"
    assert (Item.objects.count(), Hold.objects.count(), Loan.objects.count()) == (2, 1, 1)
    assert (Loan.objects.get().request, Loan.objects.get().item) == ("BRK-7", item)


@BOTH
def test_look_up_by_barcode(style: ncip.Style) -> None:
    alder = make_library()
    make_caller(alder)
    make_patron(alder, "P1")
    types = tuple(ncip.Code(word) for word in ("Name Information", "User Address Information", "User Privilege"))
    found = ask(ncip.LookupUser(header=header(alder), user_id=ncip.UserId("P1"), user_element_types=types), style)
    assert isinstance(found, ncip.LookupUserResponse)
    told = found.user_optional_fields
    assert told is not None
    assert told.name_information is not None
    assert told.user_privileges[1].user_privilege_status is not None
    assert str(told.user_privileges[1].user_privilege_status.user_privilege_status_type) == "ACTIVE"
    assert found.header is not None
    assert (str(found.header.from_agency), str(found.header.to_agency)) == ("ALD", "RELAIS")
    unknown = ask(ncip.LookupUser(header=header(alder), user_id=ncip.UserId("nobody"), user_element_types=types), style)
    assert problem(unknown) == "Unknown User"


def test_the_sample_of_the_resource_sharing_profile_byte_for_byte(shared: object) -> None:
    alder = make_library("OCWMS", "Alder University")
    make_library("NDOSU", "Ohio State")
    make_caller(alder, from_agencies=["OCWMS"], from_systems=["Relais D2D"])
    make_patron(alder, "ZYXWV")
    body = (shared / "wire/oclc-circillv2_0/AcceptItemD2D.xml").read_bytes()  # type: ignore[operator]
    answer = post(body)
    assert isinstance(answer, ncip.AcceptItemResponse)
    assert not answer.problems
    item, hold = Item.objects.get(), Hold.objects.get()
    assert (item.temporary, item.barcode, item.request, item.partner_symbol) == (True, "ABCDE", "12345", "NDOSU")
    assert (item.title.title, item.call_number, item.lender_due) == (
        "The Hobbit", "PR6039.O32 H633 1997", date(2018, 2, 1),
    )  # fmt: skip
    assert (hold.item, hold.state, hold.patron.barcode) == (item, "pending", "ZYXWV")
    kept = Exchange.objects.get()
    assert (kept.service, kept.outcome, kept.request, kept.item_barcode) == ("AcceptItem", "ok", "12345", "ABCDE")
