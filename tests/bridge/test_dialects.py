"""Every dialect's messages: valid by the official schema, and where a real message of that peer is at hand, the same.

Strategy: our initiator is given the very request that the real message was about; both are decoded and must be equal,
but for the differences that are named beside each pair. The stand-in system receives what we send.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from interlend import ncip
from interlend.bridge.dialects import DIALECTS, Dialect
from interlend.bridge.host_over_ncip import HostOverNcip, Kept, Peer
from interlend.bridge.simulated_circulation import SimulatedCirculation
from interlend.bridge.simulated_host import HOWS, SimulatedHost
from interlend.bridge.transport import Line
from interlend.libraries.desks import Desk
from interlend.sharing.host import AcceptItem, CheckInItem, CheckOutItem, LookupUser

DESK = Desk(1, "UTC", "R. Ito", None, "by sharing")
NOW = datetime(2018, 1, 12, 11, 37, tzinfo=UTC)


@pytest.fixture(scope="module")
def host() -> Iterator[SimulatedHost]:
    with SimulatedHost(SimulatedCirculation(anybody=True)) as simulated:
        yield simulated


def bytes_sent(host: SimulatedHost, dialect: Dialect, step: Callable[[HostOverNcip], object], **peer: str) -> bytes:
    """What goes over the line when a step is done in a dialect."""
    kept: list[Kept] = []
    host.store.clear()
    given = {"from_agency": "US", "to_agency": "THEM"} | peer
    to = Peer("The host", Line(host.url), dialect, **given)
    step(HostOverNcip(to, DESK, NOW, keep=kept.append))
    return kept[0].sent


ACCEPT = AcceptItem(
    request="ALD-1", user="P1", item="B1", title="Krieg & Frieden", author="Tolstoj, Lev", publisher="Insel",
    year="2010", edition="2", call_number="PG3366", lender_symbol="BRK", lender_name="Brook",
    date_for_return=date(2018, 2, 1), pickup_location="MAIN",
)  # fmt: skip
STEPS: dict[str, Callable[[HostOverNcip], object]] = {
    "LookupUser": lambda host: host.lookup_user(LookupUser("P1")),
    "AcceptItem": lambda host: host.accept_item(ACCEPT),
    "CheckOutItem": lambda host: host.check_out_item(
        CheckOutItem("BRK-1", "A1", "INST-BRK", "BRK", "Brook", date(2018, 2, 1))
    ),
    "CheckInItem": lambda host: host.check_in_item(CheckInItem("BRK-1", "A1")),
    "LookupItem": lambda host: host.look(CheckOutItem("BRK-1", "A1", "INST-BRK")),
}


def offered(dialect: Dialect) -> list[str]:
    left_out = {"LookupUser": not dialect.can_look_up_users, "LookupItem": not dialect.can_look_up_items}
    return [service for service in STEPS if not left_out.get(service)]


@pytest.mark.parametrize("key", DIALECTS)
def test_what_we_send_is_valid(key: str, host: SimulatedHost, shared: Path) -> None:
    dialect = DIALECTS[key]
    for service in offered(dialect):
        body = bytes_sent(host, dialect, STEPS[service])
        message = ncip.decode(body)
        assert message.service == service
        assert not ncip.missing(message)
        if dialect.style.version.major == 2 and not dialect.style.qualified:
            # the peer wants bare attributes, which no schema allows: the same message in the schema's dress
            body = ncip.encode(message, replace(dialect.style, qualified=True))
        judge = _schema(shared, dialect.style.version)
        assert judge.validate(etree.fromstring(body)), f"{service}: {judge.error_log}\n{body.decode()}"


def _schema(shared: Path, version: ncip.Version) -> Any:
    if version.major == 1:
        return etree.DTD(str(shared / "xsd/ncip_v1_0.dtd"))
    return etree.XMLSchema(file=str(shared / f"xsd/ncip_v{version.value.replace('.', '_')}.xsd"))


@pytest.mark.parametrize("key", DIALECTS)
def test_what_every_dialect_must_say(key: str, host: SimulatedHost) -> None:
    dialect = DIALECTS[key]
    accepted = ncip.decode(bytes_sent(host, dialect, STEPS["AcceptItem"]))
    assert isinstance(accepted, ncip.AcceptItem)
    assert accepted.header is not None
    ids = (accepted.request_id, accepted.user_id, accepted.item_id)
    assert [one.value for one in ids if one] == ["ALD-1", "P1", "B1"]
    assert str(accepted.date_for_return) == "2018-02-01T23:59:59Z"
    places = (accepted.pickup_location, accepted.header.to_agency)
    said = {place.value for place in places if place}
    assert ("MAIN" in said) is (dialect.style.version.major == 2 or dialect.pickup_as_to_agency)
    lent = ncip.decode(bytes_sent(host, dialect, STEPS["CheckOutItem"]))
    assert isinstance(lent, ncip.CheckOutItem)
    assert (lent.desired_date_due is not None) is dialect.sends_desired_due
    assert (lent.request_id is not None) is dialect.sends_request_id_at_check_out
    assert (lent.mandated_action is not None) is dialect.mandated


# --- real messages --------------------------------------------------------------------------------------------------

TOLSTOY = AcceptItem(
    request="PALCI-1001", user="21234000123456", item="PALCI-1001", title="War and peace",
    author="Tolstoy, Leo & Maude, A.", call_number="PG3366 .V6 2010", pickup_location="MAIN",
)  # fmt: skip
HOBBIT = AcceptItem(
    request="12345", user="ZYXWV", item="ABCDE", title="The Hobbit", author="J. R. R. Tolkien", edition="1997",
    publisher="Harper Collins", year="1997", call_number="PR6039.O32 H633 1997", lender_symbol="NDOSU",
    date_for_return=date(2018, 2, 1),
)  # fmt: skip
LOOK_UP = LookupUser("21234000123456")
OUT = CheckOutItem("PALCI-1001", "31234000456789", "INST-TEMPLE")
BACK = CheckInItem("PALCI-1001", "31234000456789")

_TO_WMS = {"to_agency": "128807"}
_TO_FOLIO = {"from_agency": "ReShare", "to_agency": "DIKU", "profile": "EZBORROW"}
_TO_KOHA = {"from_agency": "ReShare", "to_agency": "KOHA"}
_TO_ALEPH = {"from_agency": "Relais", "to_agency": "LVI"}
_TO_RELAIS = {"from_agency": "Relais", "to_agency": "LEHI"}
_AS_CROSSLINK = {"from_agency": "CROSSLINK", "to_agency": "TULI"}
_WMS2_NUMBER = "ReShareRequestPALCI-1001"

#: file, dialect, how the site is set up, what is asked, fields of the real message that we have no use for
REAL: list[tuple[str, str, dict[str, str], Any, tuple[str, ...]]] = [
    ("reshare-folio/LookupUser", "folio", _TO_FOLIO, LOOK_UP, ()),
    ("reshare-folio/AcceptItem", "folio", _TO_FOLIO, TOLSTOY, ()),
    ("reshare-folio/CheckOutItem", "folio", _TO_FOLIO, OUT, ()),
    ("reshare-folio/CheckOutItem-externref-duedate", "folio", _TO_FOLIO, replace(OUT, date_due=date(2026, 3, 18)),
     ("ext",)),
    ("reshare-folio/CheckInItem", "folio", _TO_FOLIO, BACK, ()),
    ("reshare-koha/LookupUser", "koha", _TO_KOHA, LOOK_UP, ()),
    ("reshare-koha/AcceptItem", "koha", _TO_KOHA, TOLSTOY, ()),
    ("reshare-koha/CheckOutItem", "koha", _TO_KOHA, OUT, ()),
    ("reshare-koha/CheckInItem", "koha", _TO_KOHA, BACK, ()),
    ("reshare-wms2/AcceptItem", "reshare-wms2", _TO_WMS,
     replace(TOLSTOY, request=_WMS2_NUMBER, pickup_location="129479"), ()),
    ("reshare-wms2/CheckOutItem", "reshare-wms2", _TO_WMS, replace(OUT, request=_WMS2_NUMBER), ()),
    ("reshare-wms2/CheckInItem", "reshare-wms2", _TO_WMS, BACK, ()),
    ("reshare-aleph/LookupUser", "aleph", _TO_ALEPH, LOOK_UP, ()),
    ("reshare-aleph/AcceptItem", "aleph", _TO_ALEPH, TOLSTOY, ()),
    ("reshare-aleph/CheckOutItem", "aleph", _TO_ALEPH, OUT, ()),
    ("reshare-aleph/CheckInItem", "aleph", _TO_ALEPH, BACK, ()),
    ("relais-d2d/lookupUser", "relais-2", _TO_RELAIS, LookupUser("8377630"), ("user_id.agency",)),
    ("relais-d2d/acceptItem", "relais-2", _TO_RELAIS,
     AcceptItem("LEH-20191122954", "8377630", "LEH-20191122954", "Friday TEST", "Author", call_number="Call Number",
                pickup_location="FAIRCHILD"), ()),
    ("relais-d2d/checkOutItem", "relais-2", _TO_RELAIS, CheckOutItem("", "LEH-201911071039", "8377630"), ()),
    ("relais-d2d/checkInItem", "relais-2", _TO_RELAIS, CheckInItem("", "LEH-201911071039"), ()),
    ("oclc-circillv2_0/AcceptItemD2D", "wms", {"to_agency": "OCWMS"}, HOBBIT,
     ("pickup_expiry_date", "item_optional_fields.bibliographic_description.bibliographic_level")),
    ("relais-d2d/AcceptItem-OCLC-circill", "wms", {"to_agency": "OCWMS"}, HOBBIT,
     ("pickup_expiry_date", "item_optional_fields.bibliographic_description.bibliographic_level")),
    ("oclc-circillv2_0/CheckOutItemToPatronForILL", "wms", {"to_agency": "OCWMS"},
     CheckOutItem("12345", "ABCDE", "ZYXWV", date_due=date(2018, 2, 1)), ("header.from_system",)),
    ("oclc-circillv2_0/CheckOutItemToInstitutionForILL", "wms", {"to_agency": "OCWMS"},
     CheckOutItem("12345", "ABCDE", "", "NDOSU", date_due=date(2018, 2, 1)), ("header.from_system",)),
    ("crosslink-ncip/LookupUser", "crosslink", _AS_CROSSLINK, LOOK_UP, ("user_element_types",)),
    ("crosslink-ncip/AcceptItem", "crosslink", _AS_CROSSLINK,
     replace(TOLSTOY, request="8b1c4f0e-5d1c-4ac8-9d1f-0d6b8a1c2e3f", pickup_location="Main Library"),
     ("item_optional_fields.bibliographic_description.bibliographic_item_ids",)),
    ("crosslink-ncip/CheckOutItem", "crosslink", _AS_CROSSLINK,
     replace(OUT, request="8b1c4f0e-5d1c-4ac8-9d1f-0d6b8a1c2e3f", user="INST-ISIL:US-TUL"),
     ("item_element_types", "ext")),
    ("crosslink-ncip/CheckInItem", "crosslink", _AS_CROSSLINK, BACK, ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "key", "site", "ask", "apart"), REAL, ids=[row[0] for row in REAL])
def test_a_real_message_and_ours_are_the_same(
    name: str, key: str, site: dict[str, str], ask: Any, apart: tuple[str, ...], host: SimulatedHost, shared: Path
) -> None:
    real = ncip.decode_envelope(_one_library((shared / "wire" / f"{name}.xml").read_bytes()))
    ours = ncip.decode_envelope(bytes_sent(host, DIALECTS[key], _step(ask), **site))
    theirs, mine = real.message, ours.message
    for path in apart:
        theirs = without(theirs, path)
        mine = without(mine, path)
    assert _days(mine) == _days(theirs)
    dress = ("version", "version_uri", "prefix", "namespaced", "qualified")
    assert [getattr(ours.style, part) for part in dress] == [getattr(real.style, part) for part in dress]


def _step(ask: Any) -> Callable[[HostOverNcip], object]:
    verbs: dict[type, Callable[[HostOverNcip], object]] = {
        LookupUser: lambda host: host.lookup_user(ask),
        AcceptItem: lambda host: host.accept_item(ask),
        CheckOutItem: lambda host: host.check_out_item(ask),
        CheckInItem: lambda host: host.check_in_item(ask),
    }
    return verbs[type(ask)]


def _one_library(body: bytes) -> bytes:
    """Relais' samples call one library by three names; a site of ours has one."""
    return re.sub(rb"<AgencyId>(LEH|Lehigh University)</AgencyId>", b"<AgencyId>LEHI</AgencyId>", body)


def without(part: Any, path: str) -> Any:
    """A message less one field."""
    name, _, rest = path.partition(".")
    if rest:
        return replace(part, **{name: without(getattr(part, name), rest)})
    empty = () if isinstance(getattr(part, name), tuple) else None
    return replace(part, **{name: empty})


def _days(message: ncip.Message) -> str:
    """As text, dates without their time: at which second a day ends is everybody's own."""
    return re.sub(r"T\d\d:\d\d:\d\dZ", "", repr(message))


def test_a_peer_may_be_called_by_one_name_only(host: SimulatedHost) -> None:
    said = ncip.decode(bytes_sent(host, DIALECTS["generic"], STEPS["LookupUser"], from_agency=""))
    assert said.header is not None
    assert said.header.from_agency == said.header.to_agency == ncip.Code("THEM")


def test_alma_is_called_by_one_name_and_told_its_partners_code(host: SimulatedHost) -> None:
    for step in ("LookupUser", "AcceptItem", "CheckOutItem", "CheckInItem"):
        said = ncip.decode(bytes_sent(host, DIALECTS["alma"], STEPS[step], profile="INTERLEND"))
        assert said.header is not None
        assert said.header.from_agency == said.header.to_agency == ncip.Code("THEM")
        assert said.header.application_profile == ncip.Code("INTERLEND")


@pytest.mark.parametrize(("key", "title"), [("voyager", "Uber den Fluss"), ("horizon", "Über den Fluß")])
def test_letters_that_would_arrive_damaged_are_sent_without_their_accents(
    host: SimulatedHost, key: str, title: str
) -> None:
    ask = replace(ACCEPT, title="Über den Fluß" if key == "horizon" else "Über den Fluss", author="Čapek, Karel")
    said = ncip.decode(bytes_sent(host, DIALECTS[key], lambda to: to.accept_item(ask)))
    assert isinstance(said, ncip.AcceptItem)
    assert said.item_optional_fields is not None
    about = said.item_optional_fields.bibliographic_description
    assert about is not None
    assert (about.title, about.author) == (title, "Capek, Karel" if key == "voyager" else "Čapek, Karel")


def test_a_title_of_which_nothing_is_left_is_the_request(host: SimulatedHost) -> None:
    body = bytes_sent(host, DIALECTS["voyager"], lambda to: to.accept_item(replace(ACCEPT, title="Война и мир")))
    assert b"<Title>ALD-1</Title>" in body


def test_a_look_at_what_an_account_has_is_valid_too(host: SimulatedHost, shared: Path) -> None:
    for key in ("alma", "polaris", "generic-1", "koha"):
        dialect = DIALECTS[key]
        for ask in (ACCEPT, CheckOutItem("BRK-1", "A1", "INST-BRK")):
            host.store.clear()
            kept: list[Kept] = []
            peer = Peer("The host", Line(host.url), replace(dialect, can_look_up_items=False), "US", "THEM")
            HostOverNcip(peer, DESK, NOW, keep=kept.append).look(ask)
            [sent] = kept
            message = ncip.decode(sent.sent)
            assert isinstance(message, ncip.LookupUser)
            assert message.loaned_items_desired is isinstance(ask, CheckOutItem)
            assert message.requested_items_desired is isinstance(ask, AcceptItem)
            body = ncip.encode(message, replace(dialect.style, qualified=True))
            judge = _schema(shared, dialect.style.version)
            assert judge.validate(etree.fromstring(body)), f"{key}: {judge.error_log}\n{body.decode()}"


def test_a_secret_of_the_agency_goes_into_the_header(host: SimulatedHost) -> None:
    said = ncip.decode(bytes_sent(host, DIALECTS["generic"], STEPS["LookupUser"], agency_secret="s3cret"))
    assert said.header is not None
    assert said.header.from_agency_authentication == "s3cret"


@pytest.mark.parametrize("key", DIALECTS)
def test_a_dialect_is_found_under_its_own_name(key: str) -> None:
    assert DIALECTS[key].key == key
    assert DIALECTS[key].name


def test_the_page_about_hosts_names_every_dialect_and_every_misbehaviour() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/hosts.md").read_text()
    assert [word for word in (*DIALECTS, *HOWS) if f"`{word}`" not in page] == []
