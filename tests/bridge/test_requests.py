"""RequestItem, CancelRequestItem, UpdateRequestItem, LookupRequest: a hold under somebody else's number."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from interlend import ncip
from interlend.circulation import choices
from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, LoanPolicy
from interlend.libraries.models import Library
from tests.bridge.ncip import V1, V2, ask, header, make_caller, problem
from tests.make import NOW, branch, make_account, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("style", [V2, V1], ids=["v2", "v1"])


@pytest.fixture
def alder() -> Library:
    library = make_library()
    make_account(library, make_library("BRK", "Brook Public Library"))
    make_caller(library)
    make_patron(library, "P1")
    make_item(library, "A1", record_id="77", isbn="9780140447934")
    return library


def record(number: str = "77") -> ncip.BibliographicId:
    code = ncip.Code("SYSNUMBER")
    return ncip.BibliographicId(bibliographic_record_id=ncip.BibliographicRecordId(number, code=code))


def request(library: Library, user: str = "INST-BRK", **more: object) -> ncip.RequestItem:
    fields: dict[str, object] = {
        "bibliographic_ids": (record(),), "request_id": ncip.RequestId("BRK-7"), "request_type": ncip.Code("Hold"),
        "request_scope_type": ncip.Code("Bibliographic Item"), "pickup_location": ncip.Code("MAIN"),
    } | more  # fmt: skip
    return ncip.RequestItem(header=header(library), user_id=ncip.UserId(user), **fields)  # type: ignore[arg-type]


def cancel(library: Library, number: str = "BRK-7", user: str = "INST-BRK") -> ncip.CancelRequestItem:
    return ncip.CancelRequestItem(
        header=header(library), user_id=ncip.UserId(user), request_id=ncip.RequestId(number),
        request_type=ncip.Code("Hold"),
    )  # fmt: skip


@BOTH
def test_a_request_for_a_title_names_the_copy_to_be_fetched(alder: Library, style: ncip.Style) -> None:
    first, second = ask(request(alder), style), ask(request(alder), style)
    assert isinstance(first, ncip.RequestItemResponse)
    assert not first.problems
    assert first == second
    assert (first.request_id.value, first.user_id.value) == ("BRK-7", "INST-BRK")  # type: ignore[union-attr]
    if style is V2:  # version 1 has room for the one or for the other
        assert first.item_id is not None
        assert first.item_id.value == "A1"
    hold = Hold.objects.get()
    assert (hold.level, hold.request, hold.partner_name) == ("item", "BRK-7", "Brook Public Library")


def test_a_second_request_of_an_institution_takes_another_copy(alder: Library) -> None:
    make_item(alder, "A2", record_id="77")
    answers = [ask(request(alder, request_id=ncip.RequestId(f"BRK-{n}"))) for n in (7, 8)]
    assert [answer.item_id.value for answer in answers] == ["A1", "A2"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"bibliographic_ids": (record("0"),)}, "Unknown Item"),
        ({"bibliographic_ids": (), "item_ids": (ncip.ItemId("nothing"),)}, "Unknown Item"),
        ({"pickup_location": ncip.Code("MOON")}, "Element Rule Violated"),
        ({"request_type": ncip.Code("Estimate")}, "Element Rule Violated"),
    ],
)
def test_what_cannot_be_requested(alder: Library, more: dict[str, object], expected: str) -> None:
    assert problem(ask(request(alder, **more))) == expected
    assert not Hold.objects.exists()


def test_a_page_needs_a_copy_on_the_shelf_a_hold_does_not(alder: Library) -> None:
    circulation.check_out(make_desk(alder), alder.patrons.get(barcode="P1").pk, "A1", NOW)
    page = request(alder, request_type=ncip.Code("Stack Retrieval"))
    assert problem(ask(page)) == "Item Not Available By Need Before Date"
    assert not ask(request(alder)).problems
    assert Hold.objects.get().level == "title"


def test_rules_of_the_house(alder: Library) -> None:
    make_patron(alder, "P2", blocked_since=date(2027, 4, 1))
    assert problem(ask(request(alder, "P2"))) == "User Blocked"
    assert problem(ask(request(alder, "nobody"))) == "Unknown User"
    assert not ask(request(alder, "P1", request_id=None)).problems
    assert problem(ask(request(alder, "P1", request_id=ncip.RequestId("X")))) == "Duplicate Request"
    LoanPolicy.objects.update(circulates="never")
    choices.forget()
    assert problem(ask(request(alder))) == "Item Does Not Circulate"


def test_by_isbn_with_hyphens(alder: Library) -> None:
    isbn = ncip.BibliographicId(bibliographic_item_id=ncip.BibliographicItemId("978-0-14-044793-4", ncip.Code("ISBN")))
    assert not ask(request(alder, bibliographic_ids=(isbn,))).problems


@BOTH
def test_cancelling_and_cancelling_again(alder: Library, style: ncip.Style) -> None:
    ask(request(alder))
    first, second = ask(cancel(alder), style), ask(cancel(alder), style)
    assert isinstance(first, ncip.CancelRequestItemResponse)
    assert not first.problems
    assert first == second
    assert first.request_id is not None
    assert first.item_id is not None or style is V1
    assert Hold.objects.get().state == "cancelled"


def test_who_names_user_and_item_is_told_about_the_item(alder: Library) -> None:
    by_item = replace(cancel(alder, user="P1"), request_id=None, item_id=ncip.ItemId("A1"))
    (said,) = ask(by_item).problems
    assert (said.type and said.type.value, said.element, said.value) == ("Unknown Request", "ItemIdentifierValue", "A1")


def test_what_cannot_be_cancelled(alder: Library) -> None:
    assert problem(ask(cancel(alder))) == "Unknown Request"
    ask(request(alder))
    assert problem(ask(cancel(alder, user="P1"))) == "Unknown Request"
    wish = circulation.LendRequest("BRK-7", "A1", "INST-BRK")
    circulation.lend(make_desk(alder), wish, NOW)
    assert problem(ask(cancel(alder))) == "Request Already Processed"


def test_a_hold_without_a_number_is_called_by_its_key(alder: Library) -> None:
    placed = ask(request(alder, "P1", request_id=None))
    assert isinstance(placed, ncip.RequestItemResponse)
    assert placed.request_id is not None
    number = placed.request_id.value
    assert number == f"HOLD-{Hold.objects.get().pk}"
    assert not ask(cancel(alder, number, "P1")).problems


def test_changing_a_request(alder: Library) -> None:
    ask(request(alder, "P1"))
    new = ncip.RequestFields(pickup_location=ncip.Code("ANNEX"), need_before_date=ncip.Moment("2027-08-01"))
    update = ncip.UpdateRequestItem(
        header=header(alder), request_id=ncip.RequestId("BRK-7"), add_request_fields=new
    )  # fmt: skip
    answer = ask(update)
    assert not answer.problems
    hold = Hold.objects.get()
    assert (hold.pickup_branch.code, hold.expires_on) == ("ANNEX", date(2027, 8, 1))
    lookup = ncip.LookupRequest(
        header=header(alder), request_id=ncip.RequestId("BRK-7"),
        item_element_types=(ncip.Code("Bibliographic Description"),),
    )  # fmt: skip
    looked = ask(lookup)
    assert isinstance(looked, ncip.LookupRequestResponse)
    assert (str(looked.request_status_type), looked.hold_queue_position) == ("In Process", 1)
    assert str(looked.pickup_location) == "ANNEX"
    assert looked.item_optional_fields.bibliographic_description.title == "Friendly fire"  # type: ignore[union-attr]


def change(library: Library, **more: object) -> ncip.Response:
    return ask(ncip.UpdateRequestItem(header=header(library), request_id=ncip.RequestId("BRK-7"), **more))  # type: ignore[arg-type]


def add(**fields: object) -> ncip.RequestFields:
    return ncip.RequestFields(**fields)  # type: ignore[arg-type]


def looked_up(library: Library, *elements: str) -> ncip.LookupRequestResponse:
    answer = ask(ncip.LookupRequest(
        header=header(library), request_id=ncip.RequestId("BRK-7"),
        request_element_types=tuple(ncip.Code(word) for word in elements),
    ))  # fmt: skip
    assert isinstance(answer, ncip.LookupRequestResponse)
    return answer


@BOTH
def test_a_request_rests_until_it_is_wanted(alder: Library, style: ncip.Style) -> None:
    ask(request(alder, "P1", earliest_date_needed=ncip.Moment("2027-05-03T00:00:00Z")), style)
    hold = Hold.objects.get()
    assert (hold.suspended_from, hold.suspended_to) == (date(2027, 4, 19), date(2027, 5, 2))
    assert str(looked_up(alder).earliest_date_needed) == "2027-05-03T00:00:00Z"
    assert not change(alder, add_request_fields=add(earliest_date_needed=ncip.Moment("2027-06-01T00:00:00Z"))).problems
    hold.refresh_from_db()
    assert (hold.suspended_from, hold.suspended_to) == (date(2027, 4, 19), date(2027, 5, 31))
    gone = add(earliest_date_needed=ncip.Moment("2027-06-01T00:00:00Z"))
    assert not change(alder, delete_request_fields=gone).problems
    hold.refresh_from_db()
    assert (hold.suspended_from, hold.suspended_to) == (None, None)


def test_the_earlier_of_two_last_days_holds(alder: Library) -> None:
    ask(request(alder, "P1"))
    days = {"need_before_date": ncip.Moment("2027-08-01"), "pickup_expiry_date": ncip.Moment("2027-07-01")}
    assert not change(alder, add_request_fields=add(**days)).problems
    assert Hold.objects.get().expires_on == date(2027, 7, 1)
    assert not change(alder, delete_request_fields=add(need_before_date=ncip.Moment("2027-07-01"))).problems
    assert Hold.objects.get().expires_on is None


def test_on_the_hold_shelf_the_pickup_expiry_is_the_shelfs(alder: Library) -> None:
    ask(request(alder, "P1"))
    circulation.check_in(make_desk(alder), "A1", NOW)
    until = Hold.objects.get().expires_on
    answer = change(alder, add_request_fields=add(pickup_expiry_date=ncip.Moment("2027-05-20T00:00:00Z")))
    assert isinstance(answer, ncip.UpdateRequestItemResponse)
    assert str(answer.hold_pickup_date) == "2027-05-20T23:59:59Z"
    assert (Hold.objects.get().shelf_until, Hold.objects.get().expires_on) == (date(2027, 5, 20), until)


def shipped_to(place: str) -> ncip.ShippingInformation:
    parts = ncip.StructuredAddress(district="-", locality=place)
    return ncip.ShippingInformation(
        physical_address=ncip.PhysicalAddress(
            structured_address=parts, physical_address_type=ncip.Code("Postal Address")
        )
    )


@BOTH
def test_the_pickup_place_may_come_as_a_shipping_address(alder: Library, style: ncip.Style) -> None:
    ask(request(alder, "P1"))
    update = ncip.UpdateRequestItem(
        header=header(alder), request_id=ncip.RequestId("BRK-7"),
        delete_request_fields=add(shipping_information=shipped_to("MAIN")),
        add_request_fields=add(shipping_information=shipped_to("annex")),
    )  # fmt: skip
    assert not ask(update, style).problems
    assert Hold.objects.get().pickup_branch.code == "ANNEX"
    home = change(alder, add_request_fields=add(shipping_information=shipped_to("1 Oak Street")))
    assert (problem(home), home.problems[0].element) == ("Unable To Add Element", "ShippingInformation")


@pytest.mark.parametrize(
    ("fields", "element"),
    [
        ({"request_type": ncip.Code("Estimate")}, "RequestType"),
        ({"request_scope_type": ncip.Code("Item")}, "RequestScopeType"),
        ({"request_status_type": ncip.Code("Expired")}, "RequestStatusType"),
        ({"item_id": ncip.ItemId("A9")}, "ItemId"),
        ({"user_id": ncip.UserId("INST-BRK")}, "UserId"),
        ({"date_available": ncip.Moment("2027-08-01T00:00:00Z")}, "DateAvailable"),
        ({"date_of_user_request": ncip.Moment("2027-04-01T00:00:00Z")}, "DateOfUserRequest"),
        ({"paid_fee_amount": ncip.Amount(100, ncip.Code("EUR"))}, "PaidFeeAmount"),
    ],
)
def test_what_of_a_request_stays_as_it_is(alder: Library, fields: dict[str, object], element: str) -> None:
    ask(request(alder, "P1"))
    before = Hold.objects.values().get()
    answer = change(alder, add_request_fields=add(**fields))
    assert (problem(answer), answer.problems[0].element) == ("Unable To Add Element", element)
    answer = change(alder, delete_request_fields=add(**fields))
    assert (problem(answer), answer.problems[0].element) == ("Unable To Delete Element", element)
    assert Hold.objects.values().get() == before


def test_the_same_again_is_no_change(alder: Library) -> None:
    ask(request(alder, "P1"))
    same = add(
        user_id=ncip.UserId("P1"), request_type=ncip.Code("hold"), request_scope_type=ncip.Code("Bibliographic Item"),
        request_status_type=ncip.Code("In Process"), acknowledged_fee_amount=ncip.Amount(100, ncip.Code("EUR")),
    )  # fmt: skip
    assert not change(alder, add_request_fields=same).problems
    assert not change(alder).problems


@pytest.mark.parametrize("name", ["need_before_date", "pickup_expiry_date"])
def test_a_day_that_is_over(alder: Library, name: str) -> None:
    ask(request(alder, "P1"))
    assert problem(change(alder, add_request_fields=add(**{name: ncip.Moment("2027-04-18")}))) == "Invalid Date"


def test_of_a_request_is_told_what_is_asked_for(alder: Library) -> None:
    ask(request(alder, "P1"))
    told = looked_up(alder, "Request Status Type", "Pickup Location")
    assert (str(told.request_status_type), str(told.pickup_location)) == ("In Process", "MAIN")
    assert (told.user_id, told.hold_queue_position, told.date_of_user_request, told.need_before_date) == (None,) * 4
    everything = looked_up(alder)
    assert everything.user_id is not None
    assert (everything.user_id.value, everything.hold_queue_position) == ("P1", 1)


def test_the_place_in_the_queue_is_that_among_rivals(alder: Library) -> None:
    other = make_item(alder, "A2", record_id="77")
    circulation.place_hold(make_desk(alder), make_patron(alder, "P2"), other.title, branch(alder), NOW, item=other)
    item = ncip.ItemId("A1")
    ask(request(alder, "P1", bibliographic_ids=(), item_ids=(item,), request_scope_type=ncip.Code("Item")))
    assert looked_up(alder).hold_queue_position == 1  # the other waits for another copy


def test_what_is_desired_comes_with_a_cancellation(alder: Library) -> None:
    ask(request(alder))
    answer = ask(ncip.CancelRequestItem(
        header=header(alder), user_id=ncip.UserId("INST-BRK"), request_id=ncip.RequestId("BRK-7"),
        request_type=ncip.Code("Hold"), item_element_types=(ncip.Code("Circulation Status"),),
        user_element_types=(ncip.Code("Name Information"),),
    ))  # fmt: skip
    assert isinstance(answer, ncip.CancelRequestItemResponse)
    assert str(answer.item_optional_fields.circulation_status) == "Available On Shelf"  # type: ignore[union-attr]
    assert answer.user_optional_fields is not None


def test_another_librarys_request_is_unknown(alder: Library) -> None:
    ask(request(alder))
    brook = Library.objects.get(symbol="BRK")
    make_caller(brook, "At Brook", default=False)
    looked = ask(ncip.LookupRequest(header=header(brook), request_id=ncip.RequestId("BRK-7")))
    assert problem(looked) == "Unknown Request"
