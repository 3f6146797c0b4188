"""RequestItem, CancelRequestItem, UpdateRequestItem, LookupRequest: a hold under somebody else's number."""

from __future__ import annotations

from datetime import date

import pytest

from interlend import ncip
from interlend.circulation import choices
from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, LoanPolicy
from interlend.libraries.models import Library
from tests.bridge.ncip import V1, V2, ask, header, make_caller, problem
from tests.make import NOW, make_account, make_desk, make_item, make_library, make_patron

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


def test_another_librarys_request_is_unknown(alder: Library) -> None:
    ask(request(alder))
    brook = Library.objects.get(symbol="BRK")
    make_caller(brook, "At Brook", default=False)
    looked = ask(ncip.LookupRequest(header=header(brook), request_id=ncip.RequestId("BRK-7")))
    assert problem(looked) == "Unknown Request"
