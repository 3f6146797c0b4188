"""Our own messages in the manner of each peer: what must be read from each, or why it must be refused."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest

from interlend import ncip
from interlend.ncip import Code, ItemId, Moment, RequestId, UserId, Version

from .conftest import CORPUS, Judge, read_or_refused

EXTERNAL_REFERENCE = (
    '<RequestId xmlns="http://www.niso.org/2008/ncip">'
    "<RequestIdentifierValue>externalReferenceValue</RequestIdentifierValue></RequestId>"
)

# File -> service, version, and fields by their path.
READ: dict[str, tuple[type[ncip.Message], Version, dict[str, Any]]] = {
    "relais/AcceptItem.xml": (
        ncip.AcceptItem,
        Version.V2_0,
        {
            "header.from_agency": Code("Relais"),
            "header.to_agency": Code("ALD"),
            "request_id": RequestId("ALD-10042", None, Code("Relais")),
            "item_id": ItemId("ALD-10042", None, Code("ALD")),
            "requested_action_type": Code("Hold For Pickup"),
            "item_optional_fields.bibliographic_description.title": "Der Schimmelreiter",
            "item_optional_fields.item_description.call_number": "PT 2528 .S3",
            "pickup_location": Code("MAIN"),
        },
    ),
    "relais/LookupUser-username.xml": (
        ncip.LookupUser,
        Version.V2_0,
        {
            "user_id": None,
            "authentication_inputs": (ncip.AuthenticationInput("rito", Code("text"), Code("username")),),
            "user_element_types": (Code("Name Information"), Code("User Id")),
        },
    ),
    "relais/CheckInItem.xml": (ncip.CheckInItem, Version.V2_0, {"item_id.value": "ALD-10042"}),
    "wms/CheckOutItem.xml": (
        ncip.CheckOutItem,
        Version.V2_02,
        {
            "mandated_action": Moment("2026-05-04T09:12:33.5-04:00"),
            "header.application_profile.value": "2.00",
            "header.from_system.value": "Relais D2D",
            "user_id": UserId(
                "ALD", Code("OCLC Institution Symbol", "http://oclc.org/ncip/schemes/userid/oclcids.scm")
            ),
            "request_id.type.value": "ILL Request Id",
            "desired_date_due": Moment("2026-06-15T23:59:59Z"),
        },
    ),
    "wms/CheckOutItemResponse-terms.xml": (
        ncip.CheckOutItemResponse,
        Version.V2_02,
        {
            "required_fee_amount": ncip.Amount(250, Code("EUR")),
            "required_item_use_restriction_types": (Code("In Library Use Only"),),
        },
    ),
    "reshare/CancelRequestItem-no-type.xml": (
        ncip.CancelRequestItem,
        Version.V2_0,
        {"request_type": None, "header.application_profile": None, "request_id.value": "CEDAR-77"},
    ),
    "reshare/CreateUserFiscalTransaction-no-currency.xml": (
        ncip.CreateUserFiscalTransaction,
        Version.V2_0,
        {
            "fiscal_transaction_information.amount": ncip.Amount(0),
            "fiscal_transaction_information.item_details.item_id.value": "CEDAR-77",
        },
    ),
    "reshare/v1-AcceptItem.xml": (
        ncip.AcceptItem,
        Version.V1_0,
        {
            "user_id": UserId("29000000017", None, Code("CDR", "http://www.niso.org/ncip/v1_0/schemes/agency.scm")),
            "item_optional_fields.bibliographic_description.title": "Válka s mloky & jiné příběhy",
        },
    ),
    "crosslink/RequestItem.xml": (
        ncip.RequestItem,
        Version.V2_02,
        {
            "header.from_agency_authentication": "let-me-in",
            "request_type": Code("Page"),
            "request_scope_type": Code("Title"),
            "item_optional_fields.locations": (
                ncip.Location(location_name=(ncip.LocationNameInstance(1, "Main Library"),)),
            ),
        },
    ),
    "crosslink/CheckOutItem-ext.xml": (
        ncip.CheckOutItem,
        Version.V2_02,
        {
            "ext": (
                EXTERNAL_REFERENCE,
                '<x:pieces xmlns:x="http://example.org/broker" count="2"></x:pieces>',
            )
        },
    ),
    "illiad/AcceptItem-latin1.xml": (
        ncip.AcceptItem,
        Version.V2_02,
        {
            "item_optional_fields.bibliographic_description.title": "Der grüne Heinrich",
            "pickup_location": Code("MAIN"),
            "date_for_return": Moment("2026-06-15"),
        },
    ),
    "illiad/CheckInItem-strays.xml": (ncip.CheckInItem, Version.V2_02, {"item_id": ItemId("ILL-88123")}),
    "illiad/v1-CheckInItem.urlencoded": (
        ncip.CheckInItem,
        Version.V1_0,
        {"item_id": ItemId("ILL+88 123", None, Code("ALD")), "header.to_agency": Code("NONE")},
    ),
    "innreach/ItemShipped-damaged.xml": (
        ncip.ItemShipped,
        Version.V1_0,
        {
            "header.from_agency": Code(
                "6bred", "http://inn.example.org/ncip?target=get_scheme_values&scheme=UniqueAgencyId"
            ),
            "shipping_information.shipping_note": "Van 3",
            "shipping_information.physical_address.unstructured_address.unstructured_address_data": (
                "Brook & Sons Hall\n1 River Lane"
            ),
            "item_optional_fields.item_description.visible_item_id": ItemId("31000000420", Code("Barcode", "x")),
        },
    ),
    "shareit/LookupUser-visible.xml": (
        ncip.LookupUser,
        Version.V1_0,
        {"user_id.value": "29000000017", "user_id.type.value": "Barcode", "header.to_agency": Code("ALD", "http://")},
    ),
    "dbc/LookupUserResponse-problems.xml": (
        ncip.LookupUserResponse,
        Version.V1_01,
        {
            "problems": (
                ncip.problem(
                    "Unknown User",
                    service="LookupUser",
                    element="VisibleUserId/VisibleUserIdentifier",
                    value="29000000017",
                ),
                ncip.Problem(type=Code("User Authentication Failed", "s"), element="AuthenticationInput"),
            )
        },
    ),
    "dbc/LookupRequest.xml": (
        ncip.LookupRequest,
        Version.V1_01,
        {
            "request_element_types": (Code("Request Status Type", "s"),),
            "header.from_agency_authentication": "hemmeligt",
        },
    ),
    "koha/CheckInItemResponse-twice.xml": (
        ncip.CheckInItemResponse,
        Version.V2_02,
        {"item_id": ItemId("31000000420"), "user_optional_fields": ncip.UserOptionalFields()},
    ),
    "koha/LookupVersionResponse.xml": (
        ncip.LookupVersionResponse,
        Version.V2_02,
        {"versions_supported": (Version.V2_02.uri, Version.V1_0.uri)},
    ),
    "folio/LookupUserResponse-unknown.xml": (
        ncip.LookupUserResponse,
        Version.V2_0,
        {"problems": (ncip.Problem(detail="No patron has that number", element="Id", value="29000000099"),)},
    ),
    "folio/crash.xml": (
        ncip.BareProblem,
        Version.V2_02,
        {"problems": (ncip.Problem(detail="No pickup location in the request"),)},
    ),
    "vufind/LookupUser-both.xml": (
        ncip.LookupUser,
        Version.V2_02,
        {
            "user_id": UserId("29000000017"),
            "header": None,
            "loaned_items_desired": True,
            "requested_items_desired": True,
        },
    ),
    "innreach/AcceptItemResponse-script.txt": (
        ncip.AcceptItemResponse,
        Version.V1_0,
        {
            "header.from_agency": Code("6bred", "http://inn.example.org/ncip?a=1&scheme=UniqueAgencyId"),
            "request_id": RequestId("ALD-10042", None, Code("5alde")),
            "item_id": ItemId("31000000420"),
        },
    ),
    "toolkit/Problem-trace.xml": (
        ncip.BareProblem,
        Version.V2_0,
        {
            "problems": (
                ncip.Problem(
                    type=Code(
                        "Temporary Processing Failure",
                        "http://www.niso.org/ncip/v1_0/schemes/processingerrortype/generalprocessingerror.scm",
                    ),
                    detail="The desk & the catalogue do not agree. Expected elements are"
                    " <{http://www.niso.org/2008/ncip}ItemId>.\n"
                    "\tat org.example.circulation.Desk.<init>(Desk.java:42)\n"
                    "\tat org.example.circulation.Desk.open(Desk.java:7 < 9)",
                ),
            )
        },
    ),
    "alma/Response-problem.xml": (
        ncip.BareProblem,
        Version.V1_0,
        {"problems": (ncip.Problem(type=Code("Unknown Item", "errors")),)},
    ),
    "dcb/AcceptItem-identifier.xml": (
        ncip.AcceptItem,
        Version.V2_02,
        {
            "item_optional_fields.bibliographic_description.bibliographic_item_ids": (
                ncip.BibliographicItemId("9780000000002", Code("ISBN", "http://example.org/codes.scm")),
            ),
            "pickup_location": Code("MAIN"),
        },
    ),
    "dcb/CreateUser-gathered.xml": (
        ncip.CreateUser,
        Version.V2_02,
        {
            "name_information.personal_name_information.structured_personal_user_name.surname": "Rito",
            "user_privileges": (
                ncip.UserPrivilege(agency_user_privilege_type=Code("Profile"), user_privilege_description="VISITOR"),
            ),
        },
    ),
    "koha/LookupItemResponse-user-fields.xml": (
        ncip.LookupItemResponse,
        Version.V2_02,
        {
            "item_optional_fields.circulation_status": Code("On Loan"),
            "item_optional_fields.hold_queue_length": 2,
            "item_optional_fields.bibliographic_description.title": "Effi Briest",
        },
    ),
    "koha/LookupUserResponse-decimals.xml": (
        ncip.LookupUserResponse,
        Version.V2_02,
        {"user_fiscal_accounts": (ncip.UserFiscalAccount(account_balance=ncip.Amount(-1250, Code("EUR"))),)},
    ),
    "norway/ItemRequested-place.xml": (
        ncip.ItemRequested,
        Version.V2_02,
        {"item_optional_fields.bibliographic_description.place_of_publication": "Oslo"},
    ),
    "vufind/LookupItemSetResponse-locations.http": (ncip.LookupItemSetResponse, Version.V2_02, {"header": None}),
    "vufind/LookupItemSet-no-version.xml": (
        ncip.LookupItemSet,
        Version.V2_02,
        {"maximum_items_count": 20, "next_item_token": "20"},
    ),
}

# File -> words of the sentence.
REFUSED = {
    "koha/works.xml": 'holds no message; it says "It works!"',
    "hostile/external-entity.xml": "declares entities",
    "hostile/entity-bomb.xml": "declares entities",
    "hostile/parameter-entity.xml": "declares entities",
    "hostile/nul.xml": "NUL",
    "hostile/mismatched.xml": "not well formed",
    "hostile/cut-in-value.xml": "not well formed",
    "hostile/page.xml": "web page",
    "hostile/two-messages.xml": "Extra content at the end",
    "hostile/unknown-service.xml": "no service PolishItem",
    "wms/RenewAll-ext.xml": "no service RenewAllItemResponse",
}


def _bytes(name: str) -> bytes:
    return ncip.unwrap((CORPUS / name).read_bytes())


@pytest.mark.parametrize("name", READ)
def test_is_understood(name: str) -> None:
    cls, version, fields = READ[name]
    envelope = ncip.decode_envelope(_bytes(name))
    assert type(envelope.message) is cls
    assert envelope.style.version is version
    for path, expected in fields.items():
        assert attrgetter(path)(envelope.message) == expected, path


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(name: str) -> None:
    with pytest.raises(ncip.ProtocolError) as caught:
        ncip.decode(_bytes(name))
    assert caught.value.whose == "theirs"
    assert REFUSED[name] in caught.value.sentence


def test_no_file_is_forgotten() -> None:
    found = {str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*.*") if path.suffix != ".md"}
    assert found == set(READ) | set(REFUSED)


@pytest.mark.parametrize("name", [name for name, (cls, _, _) in READ.items() if cls is not ncip.BareProblem])
def test_can_be_refused_in_kind(name: str, judges: dict[Version | str, Judge]) -> None:
    """To every request, whatever its sins, a refusal can be written that no schema forbids."""
    envelope = ncip.decode_envelope(_bytes(name))
    if isinstance(envelope.message, ncip.Response | ncip.LookupVersion):
        return
    style = ncip.answer_style(envelope)
    problem = ncip.problem("Temporary Processing Failure", element="ItemId", detail="Later")
    answer = ncip.refusal(envelope.message, problem)
    document = ncip.encode(answer, style)
    judge = judges.get(style.version if envelope.message.service != "LookupItemSet" else Version.V2_02)
    if judge is not None:
        assert judge(document) == [], document.decode()
    read = ncip.decode_envelope(document)
    assert type(read.message) is ncip.response_class(envelope.message.service)
    assert read.style.prefix == envelope.style.prefix
    if envelope.header is not None:
        assert read.header is not None
        assert read.header.from_agency == envelope.header.to_agency
        assert read.header.to_agency == envelope.header.from_agency


def test_strays_are_kept_aside() -> None:
    envelope = ncip.decode_envelope(_bytes("illiad/CheckInItem-strays.xml"))
    assert envelope.stray("UserId") == UserId("pseudopatron")
    assert envelope.stray("RequestId") == RequestId("88123")
    assert envelope.stray("PickupLocation") is None
    assert any("CheckInItem/UserId" in sentence for sentence in envelope.deviations)


def test_what_is_repeated_is_kept_aside() -> None:
    envelope = ncip.decode_envelope(_bytes("vufind/LookupItemSetResponse-locations.http"))
    assert isinstance(envelope.message, ncip.LookupItemSetResponse)
    first = envelope.message.bib_information[0].holdings_sets[0].location
    second = envelope.stray("Location")
    assert isinstance(first, ncip.Location)
    assert isinstance(second, ncip.Location)
    assert (first.location_name[0].value, second.location_name[0].value) == ("Bredevoort", "Stacks")


def test_text_around_a_document_is_told() -> None:
    deviations = ncip.decode_envelope(_bytes("innreach/AcceptItemResponse-script.txt")).deviations
    assert {"text before the document left unread", "text behind the document left unread"} <= set(deviations)


def test_a_length_that_counts_characters_cuts_the_end_and_is_forgiven() -> None:
    whole = (CORPUS / "reshare/v1-AcceptItem.xml").read_bytes().rstrip()
    cut = whole[: len(whole.decode())]
    assert cut != whole
    envelope = ncip.decode_envelope(cut)
    assert envelope.cut
    assert envelope.message == ncip.decode(whole)


def test_every_cut_is_forgiven_or_refused_and_never_changes_what_is_read() -> None:
    """Cut anywhere, a message is refused, or read with values that the whole one has, whole."""
    whole = (CORPUS / "relais/AcceptItem.xml").read_bytes().rstrip()
    told = ncip.decode(whole)
    assert isinstance(told, ncip.AcceptItem)
    forgiven = 0
    for length in range(len(whole)):
        envelope, error = read_or_refused(whole[:length])
        if envelope is None:
            assert error is not None
            assert error.whose == "theirs"
            continue
        forgiven += 1
        read = envelope.message
        assert isinstance(read, ncip.AcceptItem)
        assert envelope.cut
        for field in ("request_id", "user_id", "item_id", "pickup_location", "requested_action_type"):
            value = getattr(read, field)
            assert value in (None, getattr(told, field)) or isinstance(value, RequestId | UserId | ItemId)
            if isinstance(value, RequestId | UserId | ItemId):
                assert value.value in ("", getattr(told, field).value)
        assert read.header == told.header
    assert forgiven > 20
