"""Looking at items, one or many; making, changing and removing temporary ones; agencies, versions, notifications."""

from __future__ import annotations

from dataclasses import fields

import pytest

from interlend import ncip
from interlend.bridge.ncip_responder.door import SERVICES
from interlend.circulation import services as circulation
from interlend.circulation.models import Item
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from interlend.sharing.models import IllRequest, Piece
from tests.bridge.ncip import V1, V2, ask, header, make_caller, post, problem
from tests.make import NOW, branch, make_account, make_desk, make_ill, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("style", [V2, V1], ids=["v2", "v1"])


@pytest.fixture
def alder() -> Library:
    library = make_library()
    library.return_address = "1 Oak Street"
    library.save()
    make_caller(library)
    make_patron(library, "P1")
    return library


def look(library: Library, barcode: str = "A1", **more: object) -> ncip.Response:
    return ask(ncip.LookupItem(header=header(library), item_id=ncip.ItemId(barcode), **more))  # type: ignore[arg-type]


def test_an_item_with_everything(alder: Library) -> None:
    make_item(alder, "A1", record_id="77", call_number="PR6039")
    answer = look(alder)
    assert isinstance(answer, ncip.LookupItemResponse)
    told = answer.item_optional_fields
    assert told is not None
    assert (str(told.circulation_status), told.hold_queue_length) == ("Available On Shelf", 0)
    assert told.item_description.call_number == "PR6039"  # type: ignore[union-attr]
    levels = [(one.level, one.value) for one in told.locations[0].location_name]
    assert levels == [(1, "Main Library"), (2, "Stacks")]
    assert problem(look(alder, "nothing")) == "Unknown Item"


def test_who_has_it_only_when_desired(alder: Library) -> None:
    make_item(alder, "A1")
    circulation.check_out(make_desk(alder), alder.patrons.get().pk, "A1", NOW)
    plain, nosy = look(alder), look(alder, current_borrower_desired=True)
    assert isinstance(plain, ncip.LookupItemResponse)
    assert isinstance(nosy, ncip.LookupItemResponse)
    assert plain.item_transaction is None
    assert nosy.item_transaction.current_borrower.value == "P1"  # type: ignore[union-attr]
    assert str(plain.item_optional_fields.date_due) == "2027-05-17T23:59:59Z"  # type: ignore[union-attr]


@BOTH
def test_borrower_and_requesters_each_when_desired(alder: Library, style: ncip.Style) -> None:
    item = make_item(alder, "A1")
    circulation.check_out(make_desk(alder), alder.patrons.get().pk, "A1", NOW)
    for barcode in ("P2", "P3"):
        circulation.place_hold(make_desk(alder), make_patron(alder, barcode), item.title, branch(alder), NOW)

    def told(**desired: bool) -> tuple[str | None, list[str]]:
        types = (ncip.Code("Circulation Status"),)
        message = ncip.LookupItem(
            header=header(alder), item_id=ncip.ItemId("A1"), item_element_types=types, **desired
        )  # fmt: skip
        answer = ask(message, style)
        assert isinstance(answer, ncip.LookupItemResponse)
        who = answer.item_transaction or ncip.ItemTransaction()
        return who.current_borrower and who.current_borrower.value, [one.value for one in who.current_requesters]

    assert told() == (None, [])
    assert told(current_borrower_desired=True) == ("P1", [])
    assert told(current_requesters_desired=True) == (None, ["P2", "P3"])
    assert told(current_borrower_desired=True, current_requesters_desired=True) == ("P1", ["P2", "P3"])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("Circulation Status", {"circulation_status"}),
        ("Hold Queue Length", {"hold_queue_length"}),
        ("Item Description", {"item_description"}),
        ("Location", {"locations"}),
        ("Date Due", {"date_due"}),
        ("Bibliographic Description", {"bibliographic_description"}),
        ("Physical Condition", set()),
    ],
)
def test_of_an_item_is_told_what_is_asked_for(alder: Library, asked: str, told: set[str]) -> None:
    make_item(alder, "A1", call_number="PR6039")
    circulation.check_out(make_desk(alder), alder.patrons.get().pk, "A1", NOW)
    answer = look(alder, item_element_types=(ncip.Code(asked),))
    assert isinstance(answer, ncip.LookupItemResponse)
    given = answer.item_optional_fields
    assert given is not None
    plain = ncip.ItemOptionalFields()
    assert {f.name for f in fields(given) if getattr(given, f.name) != getattr(plain, f.name)} == told


def test_an_item_on_the_hold_shelf_says_until_when(alder: Library) -> None:
    item = make_item(alder, "A1")
    hold = circulation.place_hold(make_desk(alder), alder.patrons.get(), item.title, branch(alder), NOW)
    circulation.check_in(make_desk(alder), "A1", NOW)
    answer, by_hold = (
        look(alder),
        ask(ncip.LookupItem(header=header(alder), request_id=ncip.RequestId(f"HOLD-{hold.pk}"))),
    )
    assert isinstance(answer, ncip.LookupItemResponse)
    assert isinstance(by_hold, ncip.LookupItemResponse)
    assert str(answer.item_optional_fields.circulation_status) == "Available For Pickup"  # type: ignore[union-attr]
    assert str(answer.hold_pickup_date) == "2027-04-26T23:59:59Z"
    assert by_hold.item_id is not None
    assert by_hold.item_id.value == "A1"


def test_an_item_by_its_title_where_it_has_one_copy(alder: Library) -> None:
    make_item(alder, "A1", record_id="77")

    def by_title(number: str) -> ncip.Response:
        return post((
            '<NCIPMessage xmlns="http://www.niso.org/2008/ncip" version="2.02"><LookupItem><InitiationHeader>'
            "<FromAgencyId><AgencyId>RELAIS</AgencyId></FromAgencyId><ToAgencyId><AgencyId>ALD</AgencyId></ToAgencyId>"
            "</InitiationHeader><BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>"
            f"{number}</BibliographicRecordIdentifier><AgencyId>ALD</AgencyId></BibliographicRecordId></BibliographicId>"
            "</LookupItem></NCIPMessage>"
        ).encode())  # fmt: skip

    answer = by_title("77")
    assert isinstance(answer, ncip.LookupItemResponse)
    assert answer.item_id is not None
    assert answer.item_id.value == "A1"
    assert problem(by_title("78")) == "Unknown Item"
    make_item(alder, "A2", record_id="77")
    assert problem(by_title("77")) == "Non-Unique Item"


def test_an_item_by_the_request_it_serves(alder: Library) -> None:
    piece = circulation.AcceptRequest("R-1", "P1", "T-1", "War and peace")
    circulation.accept_temporary_item(make_desk(alder), piece, NOW)
    answer = ask(ncip.LookupItem(header=header(alder), request_id=ncip.RequestId("R-1")))
    assert isinstance(answer, ncip.LookupItemResponse)
    assert (answer.item_id.value, answer.request_id.value) == ("T-1", "R-1")  # type: ignore[union-attr]


def test_a_set_of_items_in_pages(alder: Library) -> None:
    for barcode in ("A1", "A2", "A3"):
        make_item(alder, barcode, record_id="77")
    circulation.place_hold(
        make_desk(alder), alder.patrons.get(), Item.objects.all()[0].title, branch(alder), NOW
    )  # fmt: skip
    wanted = ncip.BibliographicId(bibliographic_record_id=ncip.BibliographicRecordId("77", code=ncip.Code("X")))
    seen: list[str] = []
    token = None
    for _ in range(2):
        answer = ask(ncip.LookupItemSet(
            header=header(alder), bibliographic_ids=(wanted,), maximum_items_count=2, next_item_token=token,
        ))  # fmt: skip
        assert isinstance(answer, ncip.LookupItemSetResponse)
        (title,) = answer.bib_information
        assert title.title_hold_queue_length == 1
        seen += [item.item_id.value for item in title.holdings_sets[0].item_information]  # type: ignore[union-attr]
        token = answer.next_item_token
    assert (seen, token) == (["A1", "A2", "A3"], None)
    unknown = ncip.BibliographicId(bibliographic_record_id=ncip.BibliographicRecordId("0", code=ncip.Code("X")))
    assert problem(ask(ncip.LookupItemSet(header=header(alder), bibliographic_ids=(unknown,)))) == "Unknown Item"
    forged = ncip.LookupItemSet(header=header(alder), bibliographic_ids=(wanted,), next_item_token="1; drop")
    assert problem(ask(forged)) == "Element Rule Violated"


def look_up_set(library: Library, **named: object) -> ncip.LookupItemSetResponse:
    answer = ask(ncip.LookupItemSet(header=header(library), **named))  # type: ignore[arg-type]
    assert isinstance(answer, ncip.LookupItemSetResponse)
    return answer


def test_in_a_set_what_is_not_here_is_told_in_its_place(alder: Library) -> None:
    make_item(alder, "A1", record_id="77")
    answer = look_up_set(alder, item_ids=(ncip.ItemId("A1"), ncip.ItemId("X9")))
    known, lost = answer.bib_information
    assert known.holdings_sets[0].item_information[0].item_id.value == "A1"  # type: ignore[union-attr]
    (row,) = lost.holdings_sets[0].item_information
    assert row.item_id is not None
    assert (row.item_id.value, str(row.problems[0].type)) == ("X9", "Unknown Item")


def test_in_a_set_titles_go_by_the_name_they_were_asked_by(alder: Library) -> None:
    make_item(alder, "A1", record_id="77", isbn="9780140447934")
    by_isbn = ncip.BibliographicId(
        bibliographic_item_id=ncip.BibliographicItemId("978-0-14-044793-4", ncip.Code("ISBN"))
    )
    unknown = ncip.BibliographicId(bibliographic_item_id=ncip.BibliographicItemId("0", ncip.Code("ISBN")))
    here, not_here = look_up_set(alder, bibliographic_ids=(by_isbn, unknown)).bib_information
    assert here.bibliographic_id == by_isbn
    assert (not_here.bibliographic_id, str(not_here.problems[0].type)) == (unknown, "Unknown Item")
    again = look_up_set(alder, holdings_set_ids=(here.holdings_sets[0].holdings_set_id,))
    assert again.bib_information[0].holdings_sets == here.holdings_sets
    make_item(alder, "B1", "No number")
    (plain,) = look_up_set(alder, item_ids=(ncip.ItemId("B1"),)).bib_information
    number = plain.holdings_sets[0].holdings_set_id
    (by_set,) = look_up_set(alder, holdings_set_ids=(number,)).bib_information
    assert by_set.bibliographic_description == plain.bibliographic_description


def test_in_a_set_who_has_it_and_who_waits_only_when_desired(alder: Library) -> None:
    one, two = make_item(alder, "A1", record_id="77"), make_item(alder, "A2", record_id="77")
    desk = make_desk(alder)
    circulation.check_out(desk, alder.patrons.get().pk, "A1", NOW)
    circulation.place_hold(desk, make_patron(alder, "P2"), one.title, branch(alder), NOW)
    circulation.place_hold(desk, make_patron(alder, "P3"), one.title, branch(alder), NOW, item=two)
    wanted = (ncip.BibliographicId(bibliographic_record_id=ncip.BibliographicRecordId("77", agency=ncip.Code("ALD"))),)
    (plain,) = look_up_set(alder, bibliographic_ids=wanted).bib_information
    assert plain.current_requesters == ()
    assert [row.item_transaction for row in plain.holdings_sets[0].item_information] == [None, None]
    (told,) = look_up_set(
        alder, bibliographic_ids=wanted, current_borrower_desired=True, current_requesters_desired=True
    ).bib_information
    assert [one.value for one in told.current_requesters] == ["P2"]
    first, second = (row.item_transaction for row in told.holdings_sets[0].item_information)
    assert first is not None
    assert second is not None
    assert first.current_borrower is not None
    assert (first.current_borrower.value, first.current_requesters) == ("P1", ())
    assert [one.value for one in second.current_requesters] == ["P3"]


def test_in_a_set_is_told_what_is_asked_for(alder: Library) -> None:
    make_item(alder, "A1", record_id="77")
    circulation.check_out(make_desk(alder), alder.patrons.get().pk, "A1", NOW)
    (title,) = look_up_set(
        alder, item_ids=(ncip.ItemId("A1"),), item_element_types=(ncip.Code("Circulation Status"),)
    ).bib_information  # fmt: skip
    (row,) = title.holdings_sets[0].item_information
    assert (title.title_hold_queue_length, title.bibliographic_description, row.date_due) == (None, None, None)
    assert str(row.item_optional_fields.circulation_status) == "On Loan"  # type: ignore[union-attr]


def test_a_set_is_named_and_bounded(alder: Library) -> None:
    assert problem(ask(ncip.LookupItemSet(header=header(alder), item_ids=(ncip.ItemId(" "),)))) == "Needed Data Missing"
    many = tuple(ncip.ItemId(f"X{n}") for n in range(1001))
    assert problem(ask(ncip.LookupItemSet(header=header(alder), item_ids=many))) == "Element Rule Violated"


@BOTH
def test_a_temporary_item_made_changed_removed(alder: Library, style: ncip.Style) -> None:
    make = ncip.CreateItem(
        header=header(alder), item_id=ncip.ItemId("T-1"), request_id=ncip.RequestId("R-1"),
        bibliographic_description=ncip.BibliographicDescription(title="War and peace"),
    )  # fmt: skip
    assert ask(make, style) == ask(make, style)
    change = ncip.UpdateItem(
        header=header(alder), item_id=ncip.ItemId("T-1"),
        add_item_fields=ncip.ItemFields(
            bibliographic_description=ncip.BibliographicDescription(title="War and Peace", author="Tolstoy"),
            item_description=ncip.ItemDescription(call_number="PG3366"),
        ),
    )  # fmt: skip
    assert not ask(change, style).problems
    item = Item.objects.get()
    assert (item.temporary, item.title.title, item.title.author, item.call_number) == (
        True, "War and Peace", "Tolstoy", "PG3366",
    )  # fmt: skip


def test_what_a_temporary_item_has_no_room_for(alder: Library) -> None:
    piece = circulation.AcceptRequest("R-1", "P1", "T-1", "War and peace")
    circulation.accept_temporary_item(make_desk(alder), piece, NOW)
    fields = ncip.ItemFields(physical_condition=ncip.PhysicalCondition(ncip.Code("Damaged")))
    for more, expected in (
        ({"add_item_fields": fields}, "Unable To Add Element"),
        ({"delete_item_fields": fields}, "Unable To Delete Element"),
    ):
        answer = ask(ncip.UpdateItem(header=header(alder), item_id=ncip.ItemId("T-1"), **more))
        assert (problem(answer), answer.problems[0].element) == (expected, "PhysicalCondition")


def remove(library: Library, barcode: str) -> ncip.Response:
    return ask(ncip.DeleteItem(header=header(library), item_id=ncip.ItemId(barcode)))


def test_removing_a_piece_that_is_still_out_takes_it_back_first(alder: Library) -> None:
    desk, patron = make_desk(alder), alder.patrons.get()
    circulation.accept_temporary_item(desk, circulation.AcceptRequest("R-1", "P1", "T-1", "War and peace"), NOW)
    circulation.check_out(desk, patron.pk, "T-1", NOW)
    assert remove(alder, "T-1") == remove(alder, "T-1")
    assert Item.objects.get().state == "withdrawn"
    assert patron.loans.get().state == "returned"


def test_what_the_library_owns_is_not_changed_by_message(alder: Library) -> None:
    make_item(alder, "A1")
    assert problem(remove(alder, "A1")) == "Item Access Denied"
    change = ncip.UpdateItem(
        header=header(alder), item_id=ncip.ItemId("A1"),
        add_item_fields=ncip.ItemFields(item_description=ncip.ItemDescription(call_number="X")),
    )  # fmt: skip
    assert problem(ask(change)) == "Item Access Denied"
    assert problem(remove(alder, "nothing")) == "Unknown Item"


# --- agencies and versions --------------------------------------------------------------------------------------


@BOTH
def test_an_agency_about_itself(alder: Library, style: ncip.Style) -> None:
    types = tuple(
        ncip.Code(word) for word in ("Organization Name Information", "Agency Address Information",
                                     "Agency User Privilege Type", "Application Profile Supported Type",
                                     "Authentication Prompt")
    )  # fmt: skip
    answer = ask(ncip.LookupAgency(header=header(alder), agency=ncip.Code("ALD"), agency_element_types=types), style)
    assert isinstance(answer, ncip.LookupAgencyResponse)
    assert answer.organization_name_information[0].organization_name == "Alder University"
    assert answer.agency_address_information
    inputs = [(str(one.prompt_input.type), one.prompt_input.sensitive_data) for one in answer.authentication_prompts
              if one.prompt_input is not None]  # fmt: skip
    assert inputs == [("Barcode Id", False), ("PIN", True)]
    assert [str(code) for code in answer.agency_user_privilege_types] == ["Institution", "Student"]
    other = ncip.LookupAgency(header=header(alder), agency=ncip.Code("BRK"), agency_element_types=types)
    assert problem(ask(other, style)) == "Unknown Agency"


def test_of_an_agency_is_told_what_is_asked_for(alder: Library) -> None:
    types = (ncip.Code("Organization Name Information"),)
    answer = ask(ncip.LookupAgency(header=header(alder), agency=ncip.Code("ALD"), agency_element_types=types))
    assert isinstance(answer, ncip.LookupAgencyResponse)
    assert answer.organization_name_information
    assert (answer.authentication_prompts, answer.agency_address_information) == ((), ())
    assert (answer.application_profile_supported_types, answer.agency_user_privilege_types) == ((), ())


def test_versions_and_services(alder: Library) -> None:
    message = ncip.LookupVersion(from_agency=ncip.Code("RELAIS"), to_agency=ncip.Code("ALD"))
    answer = ask(message, ncip.Style(version=ncip.Version.V1_0, namespaced=False))
    assert isinstance(answer, ncip.LookupVersionResponse)
    assert (str(answer.from_agency), str(answer.to_agency)) == ("ALD", "RELAIS")
    assert set(answer.services_supported) == set(SERVICES)
    assert len(answer.versions_supported) == 4


# --- notifications and what is not offered ----------------------------------------------------------------------


def test_news_is_noted_at_the_item_and_the_request(alder: Library) -> None:
    circulation.accept_temporary_item(
        make_desk(alder), circulation.AcceptRequest("R-1", "P1", "T-1", "War and peace"), NOW
    )
    shipped = ncip.ItemShipped(
        header=header(alder), item_id=ncip.ItemId("T-1"), date_shipped=ncip.Moment.at(NOW),
        shipping_information=ncip.ShippingInformation(
            shipping_note="by van",
            electronic_address=ncip.ElectronicAddress(ncip.Code("mailto"), "ill@example.org"),
        ),
    )  # fmt: skip
    answer = ask(shipped)
    assert isinstance(answer, ncip.ItemShippedResponse)
    assert not answer.problems
    event = Event.objects.get(kind="circulation.heard")
    assert (event.item_key, event.request, event.data["who"]) == (Item.objects.get().pk, "R-1", "Relais")


@pytest.mark.parametrize("ours", [True, False])
def test_the_visible_id_tells_which_piece_where_the_other_is_not_ours(alder: Library, ours: bool) -> None:
    item = make_item(alder, "V-1") if ours else None
    copy = ncip.ItemDescription(visible_item_id=ncip.ItemId("V-1", ncip.Code("Barcode", "s")))
    told = ncip.ItemReceived(
        header=header(alder), item_id=ncip.ItemId("i4711"), date_received=ncip.Moment.at(NOW),
        item_optional_fields=ncip.ItemOptionalFields(item_description=copy),
    )  # fmt: skip
    assert not ask(told, V1).problems
    event = Event.objects.get(kind="circulation.heard")
    assert (event.item_key, event.data["barcode"]) == (item.pk if item else None, "V-1")


@BOTH
def test_a_return_told_by_another_circulation_reaches_sharing(alder: Library, style: ncip.Style) -> None:
    make_account(alder, make_library("BRK", "Brook Public Library"))
    ill = make_ill(alder, alder.patrons.get(barcode="P1"))
    IllRequest.objects.filter(pk=ill.pk).update(state="received")
    Piece.objects.create(library=alder, request=ill, position=9, barcode="X-1")
    told = ncip.ItemCheckedIn(header=header(alder), item_id=ncip.ItemId("X-1"), user_id=ncip.UserId("P1"))
    assert not ask(told, style).problems
    ill.refresh_from_db()
    assert ill.at_desk_since == NOW


NOT_OFFERED = sorted(
    name for name, kind in ncip.services().items()
    if issubclass(kind, ncip.Initiation) and name not in SERVICES
)  # fmt: skip


def test_every_service_of_the_standard_is_offered_or_known_not_to_be() -> None:
    assert {"SendUserNotice", "CreateAgency"} <= set(NOT_OFFERED)
    assert len(SERVICES) + len(NOT_OFFERED) == sum(issubclass(k, ncip.Initiation) for k in ncip.services().values())


@pytest.mark.parametrize("service", NOT_OFFERED)
def test_what_is_not_offered_says_so_in_its_own_answer(alder: Library, service: str) -> None:
    body = (
        f'<NCIPMessage xmlns="http://www.niso.org/2008/ncip" version="2.02"><{service}><InitiationHeader>'
        "<FromAgencyId><AgencyId>RELAIS</AgencyId></FromAgencyId><ToAgencyId><AgencyId>ALD</AgencyId></ToAgencyId>"
        f"</InitiationHeader></{service}></NCIPMessage>"
    )
    answer = post(body.encode())
    assert (answer.service, problem(answer)) == (f"{service}Response", "Unsupported Service")


def test_what_is_no_service_at_all_is_told_at_the_top(alder: Library) -> None:
    answer = post(b'<NCIPMessage xmlns="http://www.niso.org/2008/ncip" version="2.02"><MakeTea/></NCIPMessage>')
    assert isinstance(answer, ncip.BareProblem)
    assert problem(answer) == "Unsupported Service"
    answer = ask(ncip.LookupItemResponse(item_id=ncip.ItemId("A1")))
    assert isinstance(answer, ncip.BareProblem)
    assert problem(answer) == "Protocol Error"
