"""Deviations that real peers show, one by one: namespaces, encodings, damage, dates, places."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from interlend import ncip
from interlend.ncip import Code, ItemId, Moment, Version

NS = 'xmlns="http://www.niso.org/2008/ncip"'


def check_in(value: str = "31000", version: str = 'version="2.02"') -> str:
    """A small message."""
    return (
        f"<NCIPMessage {NS} {version}><CheckInItem><ItemId><ItemIdentifierValue>{value}</ItemIdentifierValue></ItemId>"
        "</CheckInItem></NCIPMessage>"
    )


def read(text: str | bytes) -> str:
    """The item's number in a message."""
    message = ncip.decode(text if isinstance(text, bytes) else text.encode())
    assert isinstance(message, ncip.CheckInItem)
    assert message.item_id is not None
    return message.item_id.value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (("\ufeff" + check_in("é")).encode(), "é"),
        (("\n \r\n<?xml version='1.0'?>" + check_in("é")).encode(), "é"),
        (('<?xml version="1.0" encoding="ISO-8859-1"?>' + check_in("é")).encode("latin-1"), "é"),
        (('<?xml version="1.0" encoding="windows-1252"?>' + check_in("“é”")).encode("cp1252"), "“é”"),
        (('<?xml version="1.0" encoding="UTF-8"?>' + check_in("é")).encode("latin-1"), "é"),
        (check_in("é").encode("latin-1"), "é"),
        (('<?xml version="1.0" encoding="utf-16"?>' + check_in("é")).encode("utf-16"), "é"),
        (('<?xml version="1.0" encoding="utf-16"?>' + check_in("é")).encode("utf-16-be"), "é"),
        (('<?xml version="1.0" encoding="utf-16"?>' + check_in("é")).encode(), "é"),
        (('<?xml version="1.0" encoding="utf8"?>' + check_in("é")).encode(), "é"),
        (check_in("é").encode("utf-32"), "é"),
        (('<?xml version="1.0" encoding="ISO-8859-1"?>' + check_in("é")).encode(), "é"),
        (('\ufeff<?xml version="1.0" encoding="windows-1252"?>' + check_in("é")).encode(), "é"),
        (('<?xml version="1.0" encoding="windows-1251"?>' + check_in("Рё")).encode("cp1251"), "Рё"),
    ],
    ids=[
        "mark", "space first", "latin-1", "cp1252", "latin-1 as utf-8", "latin-1 undeclared", "utf-16",
        "utf-16 no mark", "utf-8 as utf-16", "utf8", "utf-32", "utf-8 as latin-1", "mark before cp1252", "cp1251",
    ],
)  # fmt: skip
def test_encodings(data: bytes, value: str) -> None:
    assert read(data) == value


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("<![CDATA[A&B]]>C", "A&BC"),
        ("A<!-- no -->B", "AB"),
        ("A<?no ?>B", "AB"),
        ("\n   31000\n ", "31000"),
        ("Doe & Co", "Doe & Co"),
        ("a=1&b=2", "a=1&b=2"),
        ("A&eacute;B&unknown;C & D", "AéB&unknown;C & D"),
        ("31\x04000", "31000"),
        ("31&#4;000", "31000"),
        ("3<b>10</b>00", "31000"),
        ("&#x31;&#48;", "10"),
    ],
)
def test_damage_inside_a_value(sent: str, value: str) -> None:
    assert read(check_in(sent)) == value


@pytest.mark.parametrize(
    "text",
    [
        check_in().replace(NS, ""),
        check_in().replace(NS, 'xmlns="http://www.niso.org/2001/ncip"'),
        check_in().replace("<CheckInItem>", f"<CheckInItem {NS}>").replace(NS, "", 1),
        check_in().replace("<ItemId>", '<ItemId xmlns="">'),
        check_in().replace("ItemIdentifierValue>", "itemIdentifierValue>"),
        check_in().replace("CheckInItem>", "CheckinItem>"),
        check_in().replace("NCIPMessage", "NCIPMessagei"),
        check_in().replace("ItemId>", "UniqueItemId>"),
        "<CheckInItem><ItemId><ItemIdentifierValue>31000</ItemIdentifierValue></ItemId></CheckInItem>",
        f"<NCIPMessage {NS}><CheckInItem><ItemId>31000</ItemId></CheckInItem></NCIPMessage>",
        f'<s:Envelope xmlns:s="urn:soap"><s:Body>{check_in()}</s:Body></s:Envelope>',
        f"<s:Envelope xmlns:s='urn:soap'><s:Body><m>{check_in().replace('<', '&lt;')}</m></s:Body></s:Envelope>",
        f"<string><![CDATA[<?xml version='1.0' encoding='utf-16'?>{check_in()}]]></string>",
        f"POST /ncip HTTP/1.1\r\nHost: a\r\n\r\n{check_in()}",
        f"<br />Warning: no <b>colour</b> & taste<?xml version='1.0'?>{check_in()}",
        f"Success:\n{check_in()}\nbye",
        check_in().replace(f"{NS} ", NS),
        f"<!DOCTYPE NCIPMessage SYSTEM 'ncip.dtd'><?xml version='1.0'?>{check_in()}",
        f'<!DOCTYPE NCIPMessage xmlns:x="urn:x" version="ncip_v2_02.xsd">{check_in()}',
        f'<?xml version="1.0"?><!doctype NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.0//EN">{check_in()}',
        check_in()[: -len("Message>")],
        re.sub("<(/?)", r"<\1n:", check_in().replace(NS, "xsi:schemaLocation='a b'")),
    ],
)
def test_odd_envelopes(text: str) -> None:
    assert read(text) == "31000"


def test_clean_messages_have_no_deviations() -> None:
    clean = ncip.encode(ncip.CheckInItem(item_id=ItemId("1")))
    assert ncip.decode_envelope(clean).deviations == ()
    odd = ncip.decode_envelope(check_in("1 & 2").encode())
    assert odd.deviations == ("bare ampersands escaped", "the version attribute is not qualified")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1 < 2", "1 < 2"),
        ("<init>", "<init>"),
        ("<{urn:x}ItemId>", "<{urn:x}ItemId>"),
        ("1</br>2 & 3", "1</br>2 & 3"),
        ("<frozen importlib>", "<frozen importlib>"),
        ("<b>1</b> & <br/>2", "1 & 2"),  # a pair of tags, and an empty one, are elements
        ("<![CDATA[<a> < b]]> & <c>", "<a> < b & <c>"),
        ("<Scheme>any</Scheme><Value>31000</Value>", "31000"),
    ],
)
def test_markup_in_a_text(value: str, expected: str) -> None:
    assert read(check_in(value)) == expected


@pytest.mark.parametrize("value", ["<String>", "1<ItemId", "<b>1</b><b>", "</ItemId>"])
def test_an_unclosed_element_is_not_taken_for_text(value: str) -> None:
    with pytest.raises(ncip.ProtocolError):
        ncip.decode(check_in(value).encode())


@pytest.mark.parametrize(
    ("attribute", "version"),
    [
        ('version="http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd"', Version.V1_0),
        ('version="http://ncip.envisionware.com/documentation/ncip_v1_01.dtd"', Version.V1_01),
        ('version="http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_0.xsd"', Version.V2_0),
        ('version="http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_01.xsd"', Version.V2_01),
        ('version="http://www.niso.org/ncip/v2_02/imp1/xsd/ncip_v2_02.xsd"', Version.V2_02),
        ('version="2.0"', Version.V2_0),
        ('version="1.0"', Version.V1_0),
        ("", Version.V2_02),
    ],
)
def test_only_the_root_tells_the_version(attribute: str, version: Version) -> None:
    text = check_in(version=attribute).replace("<ItemId>", '<ItemId><AgencyId Scheme="/ncip/v1_0/s">A</AgencyId>')
    assert ncip.decode_envelope(text.encode()).style.version is version


def test_without_version_and_namespace_the_ids_tell() -> None:
    one = check_in(version="").replace(NS, "").replace("ItemId>", "UniqueItemId>")
    assert ncip.decode_envelope(one.encode()).style.version is Version.V1_0


def test_schemes_are_kept_however_they_are_written() -> None:
    for form in (
        '<AgencyId Scheme="s">A</AgencyId>',
        '<AgencyId xmlns:n="http://www.niso.org/2008/ncip" n:Scheme="s">A</AgencyId>',
        '<AgencyId scheme="s">A</AgencyId>',
        "<UniqueAgencyId><Scheme>s</Scheme><Value>A</Value></UniqueAgencyId>",
        "<AgencyId><Value>A</Value><Scheme>s</Scheme></AgencyId>",
    ):
        text = check_in().replace("<ItemId>", f"<ItemId>{form}")
        message = ncip.decode(text.encode())
        assert isinstance(message, ncip.CheckInItem)
        assert message.item_id == ItemId("31000", None, Code("A", "s")), form


def test_a_problem_is_read_in_every_form() -> None:
    for form, expected in {
        "<ProblemType>Unknown Item</ProblemType>": ncip.Problem(type=Code("Unknown Item")),
        "<ProcessingError><ProcessingErrorType><Value>Unknown Item</Value></ProcessingErrorType></ProcessingError>": (
            ncip.Problem(type=Code("Unknown Item"))
        ),
        "<ProcessingError><ProcessingErrorType><Value>Unknown Item</Value></ProcessingErrorType></ProcessingError>"
        "<ProblemDetail>Gone</ProblemDetail>": ncip.Problem(type=Code("Unknown Item"), detail="Gone"),
        "<ProcessingErrorType>Unknown Item</ProcessingErrorType>": ncip.Problem(type=Code("Unknown Item")),
        "User Unknown": ncip.Problem(detail="User Unknown"),
    }.items():
        for document in (
            f"<CheckInItemResponse><Problem>{form}</Problem></CheckInItemResponse>",
            f"<Problem>{form}</Problem>",
        ):
            message = ncip.decode(f"<NCIPMessage {NS}>{document}</NCIPMessage>".encode())
            assert isinstance(message, ncip.Response)
            assert message.problems == (expected,)


def test_an_error_without_an_answer_is_a_problem() -> None:
    error = "<ProcessingErrorType><Value>Unknown Item</Value></ProcessingErrorType>"
    for document in (f"<ProcessingError>{error}</ProcessingError>", f"<Failure><Problem>{error}</Problem></Failure>"):
        message = ncip.decode(f"<NCIPMessage version='1.0'>{document}</NCIPMessage>".encode())
        assert message == ncip.BareProblem(problems=(ncip.Problem(type=Code("Unknown Item")),))


def test_a_problem_beside_an_answer_is_the_answers() -> None:
    problem = "<Problem><ProblemType>Unknown Item</ProblemType></Problem>"
    message = ncip.decode(f"<NCIPMessage {NS}><CheckInItemResponse/>{problem}</NCIPMessage>".encode())
    assert message == ncip.CheckInItemResponse(problems=(ncip.Problem(type=Code("Unknown Item")),))


def test_the_header_may_stand_beside_the_message() -> None:
    to = "<ToAgencyId><AgencyId>B</AgencyId></ToAgencyId>"
    header = f"<InitiationHeader><FromAgencyId>A</FromAgencyId>{to}</InitiationHeader>"
    envelope = ncip.decode_envelope(check_in().replace("<CheckInItem>", header + "<CheckInItem>").encode())
    assert envelope.header == ncip.Header(from_agency=Code("A"), to_agency=Code("B"))


# -------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("raw", "when"),
    [
        ("2026-06-15T23:59:59Z", datetime(2026, 6, 15, 23, 59, 59, tzinfo=UTC)),
        ("2026-06-15T23:59:59.329-04:00", datetime(2026, 6, 15, 23, 59, 59, 329000, timezone(timedelta(hours=-4)))),
        ("2026-06-15T23:59:59+0200", datetime(2026, 6, 15, 23, 59, 59, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-06-15T23:59:59", datetime(2026, 6, 15, 23, 59, 59)),
        ("2026-06-15 23:59", datetime(2026, 6, 15, 23, 59)),
        ("2026-06-15", datetime(2026, 6, 15)),
        ("20260615", datetime(2026, 6, 15)),
        ("2026-06-15T24:00:00", datetime(2026, 6, 16)),
        ("1961-02-12T00:00:00.0Z", datetime(1961, 2, 12, tzinfo=UTC)),
        ("2026-02-30", None),
        ("06/15/2026", None),
        ("soon", None),
        ("0000-01-01T00:00:00Z", None),
    ],
)
def test_moments(raw: str, when: datetime | None) -> None:
    moment = Moment(raw)
    assert moment.when == when
    assert str(moment) == raw
    written = moment.as_xsd()
    assert (written is None) == (when is None)
    assert written is None or Moment(written).when == when


def test_a_bare_date_is_a_whole_day() -> None:
    here = ZoneInfo("America/New_York")
    assert Moment("2026-06-15").date_only
    assert Moment("2026-06-15").aware(here, end_of_day=True) == datetime(2026, 6, 15, 23, 59, 59, tzinfo=here)
    assert Moment("2026-06-15").aware(here) == datetime(2026, 6, 15, tzinfo=here)
    assert Moment("2026-06-15T10:00:00Z").aware(here, end_of_day=True) == datetime(2026, 6, 15, 10, tzinfo=UTC)
    assert Moment("never").aware(here) is None


def test_a_moment_to_send_knows_its_zone() -> None:
    assert Moment.at(datetime(2026, 6, 15, 23, 59, 59, 5, UTC)).raw == "2026-06-15T23:59:59Z"
    assert Moment.at(datetime(2026, 6, 15, 12, tzinfo=timezone(timedelta(hours=-4)))).raw == "2026-06-15T12:00:00-04:00"
    with pytest.raises(ValueError, match="no time zone"):
        Moment.at(datetime(2026, 6, 15))


# --------------------------------------------------------------------------------------------- unwrapping


@pytest.mark.parametrize(
    "body",
    [
        b"<a>1+1</a>",
        b"%3Ca%3E1%2B1%3C%2Fa%3E",
        b"xml=%3Ca%3E1%2B1%3C%2Fa%3E",
        b"x=1&NCIPMessage=%3Ca%3E1%2B1%3C%2Fa%3E&y=2",
        b"xml=<a>1+1</a>",
        b'--B\r\nContent-Disposition: form-data; name="xml"\r\n\r\n<a>1+1</a>\r\n--B--\r\n',
    ],
)
def test_a_wrapped_body_is_unwrapped(body: bytes) -> None:
    assert ncip.unwrap(body) == b"<a>1+1</a>"


@pytest.mark.parametrize("body", [b"", b"hello", b"a=b", b"--", b"=", b"\xff\xfe<\x00", b"%"])
def test_what_is_not_wrapped_stays(body: bytes) -> None:
    assert ncip.unwrap(body) == body


# --------------------------------------------------------------------------------------------- questions


def test_missing_names_what_the_standard_requires() -> None:
    bare = ncip.decode(f"<NCIPMessage {NS}><CheckOutItem/></NCIPMessage>".encode())
    assert ncip.missing(bare) == ("UserId | AuthenticationInput", "ItemId")
    assert ncip.missing(bare, Version.V1_0) == ("InitiationHeader", "UserId | AuthenticationInput", "ItemId")
    empty = ncip.decode(f"<NCIPMessage {NS}><CheckInItem><ItemId/></CheckInItem></NCIPMessage>".encode())
    assert ncip.missing(empty) == ("ItemId/ItemIdentifierValue",)
    whole = ncip.CheckInItem(item_id=ItemId("1"))
    assert ncip.missing(whole) == ()


def test_words_are_compared_without_their_case_and_scheme() -> None:
    assert Code("Hold for Pickup", "any").says("Circulate", "Hold For Pickup")
    assert not Code("Hold").says("Hold For Pickup")
    assert Code("AVAILABLE_ON_SHELF").says("Available On Shelf")
    assert Code("hold-for-pickup").says("HoldForPickup")
    assert not Code("-").says("")


def test_problems_carry_the_scheme_of_their_list() -> None:
    base = "http://www.niso.org/ncip/v1_0/schemes/processingerrortype/"
    assert ncip.problem_code("Unknown Item", "CheckInItem") == Code(
        "Unknown Item", base + "checkinitemprocessingerror.scm"
    )
    assert ncip.problem_code("Unknown Agency", "CheckInItem") == Code(
        "Unknown Agency", base + "generalprocessingerror.scm"
    )
    assert (
        ncip.problem_code("Unknown Element").scheme
        == "http://www.niso.org/ncip/v1_0/schemes/messagingerrortype/messagingerrortype.scm"
    )
    assert ncip.problem_code("House Rule") == Code("House Rule")


def test_ids_of_ours_are_formed_like_the_peers() -> None:
    text = check_in().replace(
        "<ItemId>", "<ItemId><AgencyId>BRK</AgencyId><ItemIdentifierType>Barcode</ItemIdentifierType>"
    )
    style = ncip.answer_style(ncip.decode_envelope(text.encode()))
    assert style.item_id("9") == ItemId("9", Code("Barcode"), Code("BRK"))
    assert style.user_id("9") == ncip.UserId("9")


def test_the_answer_mends_what_no_schema_allows_unless_a_mirror_is_wanted() -> None:
    envelope = ncip.decode_envelope(check_in().encode())
    assert not envelope.style.qualified
    assert ncip.answer_style(envelope).qualified
    assert not ncip.answer_style(envelope, mirror=True).qualified
    swapped = ncip.answer_header(
        ncip.Header(from_agency=Code("A"), from_agency_authentication="x", to_agency=Code("B"))
    )
    assert swapped == ncip.Header(from_agency=Code("B"), to_agency=Code("A"))
    kept = ncip.answer_header(ncip.Header(from_agency=Code("A"), to_agency=Code("B")), swap=False)
    assert kept == ncip.Header(from_agency=Code("A"), to_agency=Code("B"))


def test_missing_knows_services_that_a_peer_borrows_from_a_later_version() -> None:
    asked = ncip.LookupRequest()
    assert "RequestId" in " ".join(ncip.missing(asked, Version.V1_0))
    assert "ItemId" in " ".join(ncip.missing(ncip.LookupItemSet(), Version.V2_0))
    assert ncip.missing(ncip.DeleteItem(), Version.V1_0) == ("ItemId",)


def test_the_end_of_a_message_without_framing() -> None:
    text = check_in("é").encode() + b"\n"
    end = len(text) - 1
    assert ncip.message_end(b"<?xml version='1.0'?>\n<!DOCTYPE NCIPMessage SYSTEM 'x'>" + text) is not None
    assert ncip.message_end(text) == end
    assert ncip.message_end(text + text) == end
    assert [ncip.message_end(text[:length]) for length in range(end)] == [None] * end
    assert ncip.message_end(b"<NCIPMessage/>\n") == 14
