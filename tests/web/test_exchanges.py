"""Exchanges: found by filters without a scan, read side by side, downloaded, replayed only where nothing counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from interlend.bridge import exchanges as keeping
from interlend.bridge import kept, queries
from interlend.bridge.models import Exchange, HostSettings
from interlend.libraries.models import Library
from tests.make import NOW, make_consortium, make_ill, make_library, make_patron, make_staff

pytestmark = pytest.mark.django_db
ASKED = (
    b'<?xml version="1.0" encoding="ISO-8859-1"?><NCIPMessage><CheckInItem><ItemId><ItemIdentifierValue>B1'
    b"</ItemIdentifierValue></ItemId><UserId><UserIdentifierValue>&lt;P1&gt;</UserIdentifierValue></UserId>"
    b"<AuthenticationInputData>1234</AuthenticationInputData></CheckInItem></NCIPMessage>"
)
ANSWERED = b"<NCIPMessage><CheckInItemResponse/></NCIPMessage>"


def keep(library: Library | None, at: datetime = NOW, answer: bytes = ANSWERED, **fields: Any) -> Exchange:
    about: dict[str, Any] = {
        "direction": "out", "peer": "Koha", "service": "CheckInItem", "request": "ALD-10001", "item_barcode": "B1",
        "source": "https://koha.example/ncip", "http_status": None,
    }  # fmt: skip
    message, took = fields.pop("message", ASKED), fields.pop("took", 43)
    given = about | fields
    keeping.keep(keeping.Kept(library_id=library.pk if library else None, **given), message, answer, at, took)
    return Exchange.objects.latest("id")


@pytest.fixture
def alder(clock: Any) -> Library:
    return make_library()


@pytest.fixture
def staff(alder: Library, client_of: Any) -> Client:
    client: Client = client_of(make_staff(alder, "ill"))
    return client


@pytest.fixture
def admin(alder: Library, client_of: Any) -> Client:
    client: Client = client_of(make_staff(alder, "admin"))
    return client


def rows(client: Client, words_of: Any, **asked: str) -> str:
    answer = client.get(reverse("exchanges"), asked)
    assert answer.status_code == 200
    return str(words_of(answer, "//table//tbody")) if b"<tbody>" in answer.content else ""


# --- the list -----------------------------------------------------------------------------------------------------


def test_what_passed_is_listed_with_its_outcome_in_words(alder: Library, staff: Client, words_of: Any) -> None:
    keep(alder, took=2350)
    keep(alder, direction="in", peer="Relais", service="LookupUser", outcome="Unknown User", detail="Nobody has it.")
    keep(alder, outcome="not sent: koha.example cannot be reached.")
    keep(alder, outcome="no answer: koha.example hung up.")
    keep(alder, service="", outcome="unreadable", detail="mismatched tag")
    told = rows(staff, words_of)
    assert "today 09:12 CheckInItem to Koha Went well ALD-10001 B1 2.4 s" in told
    assert "LookupUser from Relais Refused Unknown User. Nobody has it. ALD-10001 B1 43 ms" in told
    assert "Not delivered koha.example cannot be reached." in told
    assert "No answer koha.example hung up." in told
    assert "message to Koha Could not be read mismatched tag" in told


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"direction": "in"}, ["in"]),
        ({"service": "AcceptItem"}, ["accept"]),
        ({"outcome": "trouble"}, ["bad"]),
        ({"outcome": "ok", "direction": "out", "peer": "KOHA"}, ["accept", "plain", "yesterday"]),
        ({"request": "ALD-9"}, ["old"]),
        ({"first": "2027-04-19"}, ["accept", "bad", "in", "plain"]),
        ({"first": "2027-04-01", "last": "2027-04-18"}, ["old", "yesterday"]),
        ({"peer": "nobody"}, []),
        ({}, ["accept", "bad", "in", "plain", "yesterday"]),
    ],
)
def test_each_filter_finds_what_it_says(
    alder: Library, staff: Client, words_of: Any, asked: dict[str, str], found: list[str]
) -> None:
    """Days are the library's own: 23:59 in New York is the next day in UTC."""
    Library.objects.filter(pk=alder.pk).update(time_zone="America/New_York")
    keep(alder, item_barcode="plain")
    keep(alder, item_barcode="accept", service="AcceptItem")
    keep(alder, item_barcode="bad", outcome="Unknown Item")
    keep(alder, item_barcode="in", direction="in", peer="Relais")
    keep(alder, NOW.replace(hour=3, minute=59), item_barcode="yesterday", request="")
    keep(alder, NOW - timedelta(days=9), item_barcode="old", request="ALD-9")
    told = rows(staff, words_of, **asked)
    every = ["accept", "bad", "in", "old", "plain", "yesterday"]
    assert [name for name in every if f" {name} " in told] == found


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"first": "2027-04-19", "last": "2027-04-01"}, "before the first"),
        ({"first": "yesterday"}, "This is not a date."),
        ({"direction": "up"}, "Select a valid choice"),
        ({"request": "a\x00b"}, "Null characters"),
        ({"peer": "x" * 300}, "at most 120"),
    ],
)
def test_a_filter_that_makes_no_sense_is_a_sentence(staff: Client, asked: dict[str, str], sentence: str) -> None:
    answer = staff.get(reverse("exchanges"), asked)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_pages_of_fifty_and_at_most_a_thousand_leafed(
    alder: Library, staff: Client, words_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlend.web.exchanges.pages.MOST_LEAFED", 60)
    for number in range(70):
        keep(alder, NOW - timedelta(seconds=number), item_barcode=f"N{number}")
    first, second = rows(staff, words_of), rows(staff, words_of, page="2", direction="out")
    assert first.count("CheckInItem") == 50
    assert second.count("CheckInItem") == 10
    assert " N0 " in first
    assert " N50 " in second
    page = staff.get(reverse("exchanges"), {"direction": "out"}).content.decode()
    assert "These are the newest thousand" in page
    assert "?direction=out&amp;page=2" in page


SEARCHES: dict[str, Callable[[int], Any]] = {
    "usual": lambda pk: queries.exchanges(pk, queries.Sought(since=NOW)),
    "everything": lambda pk: queries.exchanges(
        pk, queries.Sought(NOW, NOW, direction="in", service="LookupUser", peer="x", ok=False)
    ),
    "request": lambda pk: queries.exchanges(pk, queries.Sought(request="ALD-1")),
    "request and time, by either": lambda pk: queries.exchanges(
        pk, queries.Sought(since=NOW, request="ALD-1", ok=True)
    ),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("search", list(SEARCHES))
def test_no_search_reads_the_whole_table(alder: Library, search: str) -> None:
    """SQLite says SCAN where it reads all rows, SEARCH where an index leads to them."""
    found = SEARCHES[search](alder.pk)
    for rows in (found, found[:1000]):
        plan = rows.explain()
        index = "exchange_by_request" if search == "request" else "exchange_by_"
        assert f"SEARCH bridge_exchange USING INDEX {index}" in plan
        assert "SCAN bridge_exchange" not in plan


@pytest.mark.sqlite
def test_neither_does_the_page_of_a_request(alder: Library) -> None:
    with CaptureQueriesContext(connection) as asked:
        queries.exchanges_of_request(alder.pk, "ALD-1")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked[0]['sql']}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "USING INDEX exchange_by_request" in plan


def test_a_search_without_a_bound_is_refused(alder: Library) -> None:
    with pytest.raises(ValueError, match="needs a time or a request"):
        queries.exchanges(alder.pk, queries.Sought(peer="Koha"))


def test_the_list_takes_the_same_queries_however_long(alder: Library, staff: Client) -> None:
    taken = []
    for _n in range(2):
        keep(alder)
        keep(alder, outcome="Unknown Item")
        with CaptureQueriesContext(connection) as asked:
            staff.get(reverse("exchanges"))
        taken.append(len(asked))
        assert not any('"answer"' in query["sql"] for query in asked if "LIMIT 2" in query["sql"]), (
            "lists have no bodies"
        )
    assert taken[0] == taken[1]


def test_those_who_share_find_it_in_the_navigation(
    alder: Library, staff: Client, client_of: Any, words_of: Any
) -> None:
    page = staff.get(reverse("exchange", args=[keep(alder).pk]))
    assert words_of(page, "//nav[@id='side']//*[@aria-current='page']") == "Exchanges"
    viewer = client_of(make_staff(alder, "viewer"))
    assert "Exchanges" not in words_of(viewer.get(reverse("notices")), "//nav[@id='side']")


# --- one exchange -------------------------------------------------------------------------------------------------


def test_both_bodies_are_laid_out_and_escaped(alder: Library, staff: Client) -> None:
    row = keep(alder, headers={"User-Agent": "Go <1>", "Authorization": "Bearer sesame"})
    page = staff.get(reverse("exchange", args=[row.pk])).content.decode()
    assert "\n    &lt;ItemId&gt;\n      &lt;ItemIdentifierValue&gt;B1&lt;/ItemIdentifierValue&gt;\n" in page
    assert "&amp;lt;P1&amp;gt;" in page
    assert "&lt;CheckInItemResponse/&gt;" in page
    assert "Go &lt;1&gt;" in page
    for secret in ("sesame", "1234", "<ItemId>"):
        assert secret not in page


@pytest.mark.parametrize(
    "text",
    [
        "", "no XML", "<a><b></a>", "<a>" * 5000, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>', "<a>\n(… 9 more characters)", "<a>\ufffe</a>",
    ],
)  # fmt: skip
def test_what_cannot_be_laid_out_is_shown_as_it_came(text: str) -> None:
    assert kept.readable(text) == text


def test_layout_keeps_declaration_and_document_type() -> None:
    doctype = '<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.0//EN" "http://www.niso.org/ncip_v1_0.dtd">'
    laid_out = kept.readable(f'<?xml version="1.0" encoding="UTF-8"?>{doctype}<NCIPMessage><b/></NCIPMessage>')
    assert laid_out == f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}\n<NCIPMessage>\n  <b/>\n</NCIPMessage>\n'


def test_an_exchange_leads_to_its_request(clock: Any, telling: Any, client_of: Any) -> None:
    alder, _ = make_consortium()
    with telling():
        ill = make_ill(alder, make_patron(alder))
    row = keep(alder, request=ill.number)
    page = client_of(make_staff(alder, "viewer")).get(reverse("exchange", args=[row.pk])).content.decode()
    assert reverse("ill_request", args=[ill.pk]) in page
    assert "Replay" not in page


def test_the_download_is_a_text_with_both_messages(alder: Library, staff: Client) -> None:
    row = keep(alder, headers={"X": "y"})
    answer = staff.get(reverse("exchange_download", args=[row.pk]))
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="exchange-{row.pk}.txt"'
    text = answer.content.decode()
    for part in ("Service: CheckInItem", "2027-04-19 09:12:00 UTC", "X: y", "<ItemIdentifierValue>B1<", "Response/>"):
        assert part in text
    assert "1234" not in text


def test_another_librarys_exchange_and_nobodys_are_not_found(alder: Library, client_of: Any, words_of: Any) -> None:
    brook = make_library("BRK", "Brook Public Library")
    admin = client_of(make_staff(brook, "admin"))
    for row in (keep(alder), keep(None)):
        for name in ("exchange", "exchange_download"):
            assert admin.get(reverse(name, args=[row.pk])).status_code == 404
        assert admin.post(reverse("exchange_replay", args=[row.pk]), {"address": "http://a/"}).status_code == 404
    assert rows(admin, words_of, request="ALD-10001") == ""


# --- replay -------------------------------------------------------------------------------------------------------


@pytest.fixture
def test_host() -> Any:
    """A host that keeps what it was sent and answers with a PIN in it. Yields (address, what came)."""
    came: list[tuple[dict[str, str], bytes]] = []

    class Host(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            body = b"<NCIPMessage><CheckInItemResponse><Surname>Okafor</Surname></CheckInItemResponse></NCIPMessage>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Host)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ncip", came
    server.shutdown()
    thread.join()
    server.server_close()


def replay(client: Client, row: Exchange, address: str) -> Any:
    return client.post(reverse("exchange_replay", args=[row.pk]), {"address": address})


def test_a_replay_sends_what_was_kept_and_shows_the_answer_beside(
    alder: Library, admin: Client, words_of: Any, test_host: Any
) -> None:
    address, came = test_host
    HostSettings.objects.create(
        library=alder, kind="ncip", url="https://koha.example/ncip", auth="bearer", auth_secret="sesame"
    )
    row = keep(alder)
    answer = replay(admin, row, address)
    assert answer.status_code == 200
    told = words_of(answer, "//section[@id='replayed']")
    assert address in told
    assert "***" in told
    assert "Okafor" not in answer.content.decode()
    headers, body = came[0]
    assert "Authorization" not in headers
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<NCIPMessage><CheckInItem>')
    assert b"1234" not in body
    assert Exchange.objects.count() == 1


def test_a_test_host_that_is_silent_is_a_sentence(alder: Library, admin: Client) -> None:
    answer = replay(admin, keep(alder), "http://127.0.0.1:1/ncip")
    assert answer.status_code == 200
    assert "127.0.0.1 cannot be reached: nothing listens on port 1." in answer.content.decode()


@pytest.mark.parametrize(
    ("production", "address"),
    [
        ("https://koha.example/ncip", "https://koha.example/ncip"),
        ("https://koha.example/ncip", "https://KOHA.example.:443/test"),
        ("http://localhost:8080/ncip", "http://127.0.0.1:8080/"),
        ("http://localhost:8080/ncip", "tcp://[::1]:8080"),
        ("http://localhost:8080/ncip", "http://[::ffff:127.0.0.1]:8080/"),
        ("tcp://127.0.0.1:5001", "tcp://localhost:5001"),
        ("", "http://testserver/ncip"),
        ("", "https://testserver/ncip"),
    ],
)
def test_no_replay_reaches_what_is_in_use(alder: Library, admin: Client, production: str, address: str) -> None:
    """Not this library's host, however it is spelt, not another library's, not this installation itself."""
    for owner in (alder, make_library("BRK", "Brook Public Library")):
        HostSettings.objects.all().delete()
        HostSettings.objects.create(library=owner, kind="ncip", url=production)
        answer = replay(admin, keep(alder), address)
        assert answer.status_code == 422
        assert "a replay goes to a test host only" in answer.content.decode()


def test_another_port_or_name_is_another_machine() -> None:
    for one, other in (
        ("https://koha.example/a", "https://koha.example:8443/a"),
        ("https://koha.example/a", "https://test.koha.example/a"),
        ("https://koha.example/a", "http://koha.example/a"),
    ):
        assert not kept._same_machine(one, other)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "required"),
        ("file:///etc/passwd", "begins with"),
        ("gopher://a.example", "begins with"),
        ("http://a b/", "begins with"),
        ("http://me:word@a.example/", "Leave name and password out"),
        ("tcp://a.example", "needs a port"),
        ("http://a\x00b/", "Null characters"),
        ("http://[", "is no address"),
        ("http://a:99999999/", "is no address"),
        ("x" * 400, "at most 300"),
    ],
)
def test_an_address_that_is_none_is_a_sentence(alder: Library, admin: Client, address: str, sentence: str) -> None:
    answer = replay(admin, keep(alder), address)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


@pytest.mark.parametrize("message", [b"", b"user=P1&pin=1234", b"<A>" + b"x" * 200_000 + b"</A>"])
def test_what_was_not_kept_whole_is_not_sent(alder: Library, admin: Client, test_host: Any, message: bytes) -> None:
    address, came = test_host
    row = keep(alder, message=message)
    assert "Send it there" not in admin.get(reverse("exchange", args=[row.pk])).content.decode()
    assert replay(admin, row, address).status_code == 422
    assert not came


@pytest.mark.parametrize("role", ["desk", "ill", "viewer"])
def test_only_administrators_replay(alder: Library, client_of: Any, test_host: Any, role: str) -> None:
    address, came = test_host
    row = keep(alder)
    client = client_of(make_staff(alder, role))
    assert replay(client, row, address).status_code == 403
    assert "Send it there" not in client.get(reverse("exchange", args=[row.pk])).content.decode()
    assert not came


# --- the check ----------------------------------------------------------------------------------------------------


def test_the_check_of_the_connection_is_one_button_away(alder: Library, admin: Client, words_of: Any) -> None:
    HostSettings.objects.create(library=alder, kind="ncip", name="Koha", url="http://127.0.0.1:1/", to_agency="ALD")
    page = admin.get(reverse("settings_list", args=["circulation-system"])).content.decode()
    assert reverse("host_check") in page
    told = words_of(admin.post(reverse("host_check")), "//main")
    assert "Steps will fail until this is mended" in told
    assert "127.0.0.1 cannot be reached" in told


def test_only_administrators_check(alder: Library, staff: Client) -> None:
    assert staff.post(reverse("host_check")).status_code == 403
