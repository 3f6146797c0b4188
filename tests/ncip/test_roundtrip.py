"""What is written is read back as it was, and no official schema objects: any message, in any version."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from interlend import ncip
from interlend.ncip import Style, Version, grammar

from . import messages as grown
from .conftest import Judge

# Many small runs: each service has its own, and there are nearly a hundred of them in each version.
few = settings(
    max_examples=6,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
FULL = [(version, name) for version in (Version.V1_0, Version.V2_02) for name in grown.message_names(version)]
# In the versions between, what differs from their neighbours and what uses it.
DIFFERENT = {"LoanedItem", "RequestedItem", "ItemOptionalFields", "BibliographicDescription"}
BETWEEN = [
    (version, name)
    for version in (Version.V1_01, Version.V2_0, Version.V2_01)
    for name in grown.message_names(version)
    if name
    in {"LookupUserResponse", "RequestItem", "UpdateRequestItemResponse", "CreateItem", "LookupRequest", "LookupUser"}
    or name in {"LookupRequestResponse", "CancelRequestItem", "LookupItem", "AuthenticateUser", "ItemShippedResponse"}
]


@pytest.mark.parametrize(("version", "name"), FULL + BETWEEN)
def test_reads_what_it_writes(version: Version, name: str) -> None:
    @few
    @given(grown.messages(version, name))
    def check(message: ncip.Message) -> None:
        assert ncip.decode(ncip.encode(message, version)) == message

    check()


@pytest.mark.parametrize(("version", "name"), FULL + BETWEEN)
def test_writes_what_the_schema_allows(version: Version, name: str, judges: dict[Version | str, Judge]) -> None:
    judge = judges.get("discovery" if name.startswith("LookupVersion") else version)
    if judge is None:
        pytest.skip(f"there is no official schema of version {version.value}")

    @few
    @given(grown.messages(version, name))
    def check(message: ncip.Message) -> None:
        document = ncip.encode(message, version)
        assert judge(document) == [], document.decode()

    check()


@pytest.mark.parametrize(
    "style",
    [
        Style(prefix="ns1"),
        Style(prefix="x"),
        Style(qualified=False),
        Style(prefix="ns1", qualified=False),
        Style(namespaced=False),
        Style(encoding="ISO-8859-1"),
        Style(version=Version.V1_0, doctype=True),
        Style(version=Version.V2_0, version_uri="http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_0.xsd"),
    ],
    ids=repr,
)
def test_reads_what_it_writes_in_any_dress(style: Style) -> None:
    @settings(few, max_examples=30)
    @given(st.sampled_from(["AcceptItem", "LookupUserResponse", "ItemShipped"]).flatmap(_of(style)))
    def check(message: ncip.Message) -> None:
        envelope = ncip.decode_envelope(ncip.encode(message, style))
        assert envelope.message == message
        seen = envelope.style
        assert seen.version is style.version
        assert seen.prefix == style.prefix
        assert seen.doctype == style.doctype
        if style.version.major == 2:
            assert seen.namespaced == style.namespaced
            assert seen.qualified == (style.qualified and style.namespaced)

    check()


def _of(style: Style):  # type: ignore[no-untyped-def]
    return lambda name: grown.messages(style.version, name)


def test_a_message_of_the_newest_version_fits_into_every_older_one(judges: dict[Version | str, Judge]) -> None:
    """What an older version has no place for is left out, what it demands beyond the newer is supplied."""
    answer = ncip.LookupUserResponse(
        header=ncip.Header(from_agency=ncip.Code("BRK"), to_agency=ncip.Code("ALD")),
        user_id=ncip.UserId("29000000017", ncip.Code("Barcode"), ncip.Code("BRK")),
        loaned_items=(
            ncip.LoanedItem(
                item_id=ncip.ItemId("31000000420"),
                bibliographic_ids=(ncip.BibliographicId(ncip.BibliographicItemId("0-19-852663-6")),),
                date_due=ncip.Moment("2026-06-15T23:59:59Z"),
                title="Der Schimmelreiter",
            ),
        ),
        user_optional_fields=ncip.UserOptionalFields(user_ids=(ncip.UserId("1", ncip.Code("Primary Key")),)),
        ext=("<a/>",),
    )
    for version in (Version.V1_0, Version.V2_0, Version.V2_01, Version.V2_02):
        document = ncip.encode(answer, version)
        assert judges[version](document) == [], document.decode()
        read = ncip.decode(document)
        assert isinstance(read, ncip.LookupUserResponse)
        assert read.loaned_items[0].date_due == ncip.Moment("2026-06-15T23:59:59Z")
        assert read.user_id is not None
        assert read.user_id.value == "29000000017"


def test_lookup_item_set_before_its_time_goes_into_ext(judges: dict[Version | str, Judge]) -> None:
    asked = ncip.LookupItemSet(item_ids=(ncip.ItemId("1"), ncip.ItemId("2")), maximum_items_count=5)
    for version in (Version.V2_0, Version.V2_01):
        document = ncip.encode(asked, version)
        assert ncip.decode(document) == asked
        assert judges[Version.V2_02](document) == []
    with pytest.raises(ncip.ProtocolError, match=r"NCIP 1\.0 has no LookupItemSet"):
        ncip.encode(asked, Version.V1_0)


def test_problems_go_before_the_payload(judges: dict[Version | str, Judge]) -> None:
    refused = ncip.CheckOutItemResponse(
        problems=(ncip.problem("User Blocked", service="CheckOutItem", detail="Fines", element="UserId", value="17"),),
        item_id=ncip.ItemId("31000000420"),
        user_id=ncip.UserId("17"),
    )
    for version in (Version.V1_0, Version.V2_02):
        document = ncip.encode(refused, version)
        assert judges[version](document) == []
        assert b"31000000420" not in document
    assert ncip.decode(ncip.encode(refused)) == replace(refused, item_id=None, user_id=None)


def test_what_nobody_can_supply_is_our_fault() -> None:
    with pytest.raises(ncip.ProtocolError) as caught:
        ncip.encode(ncip.CheckOutItemResponse(item_id=ncip.ItemId("1"), user_id=ncip.UserId("2")))
    assert caught.value.whose == "ours"
    assert "DateDue | IndeterminateLoanPeriodFlag | NonReturnableFlag" in str(caught.value)
    with pytest.raises(ncip.ProtocolError, match="no date"):
        ncip.encode(ncip.ItemRenewed(item_id=ncip.ItemId("1"), date_due=ncip.Moment("next week")))
    with pytest.raises(ncip.ProtocolError, match="at least 1"):
        ncip.encode(ncip.LookupRequestResponse(item_id=ncip.ItemId("1"), hold_queue_position=0))
    with pytest.raises(ncip.ProtocolError, match="well-formed"):
        ncip.encode(ncip.DeleteItem(item_id=ncip.ItemId("1"), ext=("<a>",)))


def test_a_scheme_that_is_no_uri_is_left_out_of_version_2(judges: dict[Version | str, Judge]) -> None:
    for scheme in ("%zz", "::", "http://[bad", "a#b#c"):
        asked = ncip.CheckInItem(item_id=ncip.ItemId("1", ncip.Code("Barcode", scheme)))
        document = ncip.encode(asked)
        assert judges[Version.V2_02](document) == []
        assert ncip.decode(document) == ncip.CheckInItem(item_id=ncip.ItemId("1", ncip.Code("Barcode")))


def test_control_characters_are_not_sent() -> None:
    document = ncip.encode(ncip.DeleteItem(item_id=ncip.ItemId("31\x00\x1f\ud800000")))
    assert ncip.decode(document) == ncip.DeleteItem(item_id=ncip.ItemId("31000"))


def test_lookup_version_in_either_root(judges: dict[Version | str, Judge]) -> None:
    answer = ncip.LookupVersionResponse(
        from_agency=ncip.Code("BRK", "s"), to_agency=ncip.Code("ALD", "s"), versions_supported=(Version.V2_02.uri,)
    )
    own = ncip.encode(answer)
    assert judges["discovery"](own) == []
    inside = ncip.encode(answer, Style(version_root=False))
    assert b"<NCIPMessage" in inside
    assert ncip.decode(own) == ncip.decode(inside) == answer
    assert grammar.VERSION_DISCOVERY_URI.encode() in own
