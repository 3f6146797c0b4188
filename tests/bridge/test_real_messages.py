"""What real systems send: every sample of every initiator gets an answer that decodes, validates and makes sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlend import ncip
from interlend.bridge.models import Exchange
from interlend.libraries.models import Library
from tests.bridge.ncip import SHARED, make_caller, post, problem
from tests.make import make_account, make_branch, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db

WIRE = SHARED / "wire"
FOLDERS = ("autographics", "crosslink-ncip", "dbc-denmark", "libriotech-ncipserver", "oclc-circillv2_0",
           "oclc-lookupversion", "oclc-ncipv2_02", "relais-d2d", "reshare-aleph", "reshare-folio", "reshare-koha",
           "reshare-wms2", "xc-toolkit")  # fmt: skip

#: what a library that knows these users and items must say; "" is a yes
EXPECTED = {
    "autographics/LookupUser-visibleuserid.xml": "",
    "crosslink-ncip/AcceptItem.xml": "",
    "crosslink-ncip/RequestItem.xml": "",
    "crosslink-ncip/LookupUser.xml": "",
    "crosslink-ncip/CreateUserFiscalTransaction.xml": "",
    "crosslink-ncip/DeleteItem.xml": "Unknown Item",
    "crosslink-ncip/ncip_sample.xml": "Needed Data Missing",
    "dbc-denmark/CreateUser-01.xml": "",
    "dbc-denmark/LookupUser-01.xml": "User Authentication Failed",
    "dbc-denmark/LookupRequest-01.xml": "Unknown Request",
    "libriotech-ncipserver/CreateUser.xml": "",
    "libriotech-ncipserver/LookupUser.xml": "Unknown User",
    "oclc-circillv2_0/AcceptItemReceived.xml": "Cannot Accept Item",  # the barcode is one of our own here
    "oclc-circillv2_0/CheckOutItemToInstitutionForILL.xml": "",
    "oclc-circillv2_0/CheckOutItemToPatron.xml": "",
    "oclc-lookupversion/LookupVersionSample1.xml": "",
    "oclc-ncipv2_02/ItemShipped.xml": "",
    "oclc-ncipv2_02/ItemReceived.xml": "",
    "oclc-ncipv2_02/CreateItemSample1.xml": "",
    "oclc-ncipv2_02/UpdateCirculationStatus.xml": "Unsupported Service",
    "relais-d2d/acceptItem.xml": "",
    "relais-d2d/lookupUser.xml": "",
    "relais-d2d/checkInItem.xml": "Unknown Item",
    "relais-d2d/lookupUser-without-barcode.xml": "Unknown User",
    "reshare-aleph/AcceptItem.xml": "",
    "reshare-aleph/LookupUser-barcode-pin.xml": "",
    "reshare-folio/AcceptItem-defaultfee.xml": "",
    "reshare-folio/LookupUser-barcode-pin.xml": "",
    "reshare-folio/CancelRequestItem.xml": "Unknown Request",
    "reshare-koha/AcceptItem.xml": "",
    "reshare-koha/CreateUserFiscalTransaction.xml": "",
    "reshare-koha/RequestItem.xml": "",
    "reshare-wms2/AcceptItem.xml": "Element Rule Violated",  # a branch id that the row must translate
}


def requests() -> list[Path]:
    """Every sample that asks for something; answers among the samples are another test's."""
    found = (path for folder in FOLDERS for path in sorted((WIRE / folder).glob("*.xml")))
    return [path for path in found if "Response" not in path.name]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.fixture
def library() -> Library:
    """A library that every sample may mean, and whose patrons and items the samples name."""
    alder = make_library()
    make_caller(alder, "Anybody", from_agencies=[], new_user_type="STUDENT")
    make_account(alder, make_library("NDOSU", "Ohio State"))
    for code in ("FAIRCHILD", "CIRC-DESK-1"):
        make_branch(alder, code, code.title())
    for barcode in ("21234000123456", "ZYXWV", "8377630"):
        make_patron(alder, barcode)
    for symbol in ("INST-TEMPLE", "INST-ISIL:US-TUL"):
        make_patron(alder, symbol, surname=symbol, given_name="", kind="institution", pin="")
    make_item(alder, "ABCDE", "The Hobbit")
    make_item(alder, "31234000567890", "War and peace", record_id="991234567")
    return alder


@pytest.mark.skipif(not WIRE.is_dir(), reason="needs the samples that lie beside the checkout (../shared)")
@pytest.mark.parametrize("path", requests(), ids=named)
def test_every_request_gets_a_valid_answer_of_its_own_kind(path: Path, library: Library) -> None:
    body = path.read_bytes()
    answer = post(body)
    assert Exchange.objects.get().library == library
    asked = ncip.decode(body)
    assert answer.service == f"{asked.service}Response"
    assert problem(answer) == EXPECTED.get(named(path), problem(answer))
    assert problem(answer) != "Temporary Processing Failure"
