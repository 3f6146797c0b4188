"""NCIP over HTTP as real clients speak it: no Host, forms, lengths that count characters, Latin-1, silence."""

from __future__ import annotations

import socket
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from interlend import ncip
from interlend.bridge.models import Exchange
from interlend.circulation.models import Item
from interlend.libraries.models import Library
from tests.bridge.ncip import V1, V2, header, make_caller
from tests.conftest import free_port, wait_until
from tests.make import make_library, make_patron

pytestmark = pytest.mark.django_db


@pytest.fixture
def library() -> Library:
    alder = make_library()
    make_caller(alder)
    make_patron(alder, "P1")
    return alder


def a_lookup(library: Library, style: ncip.Style = V2) -> bytes:
    types = (ncip.Code("Name Information"),)
    message = ncip.LookupUser(header=header(library), user_id=ncip.UserId("P1"), user_element_types=types)
    return ncip.encode(message, style)


def an_accept(library: Library, title: str) -> bytes:
    about = ncip.BibliographicDescription(title=title)
    message = ncip.AcceptItem(
        header=header(library), request_id=ncip.RequestId("R-1"), requested_action_type=ncip.Code("Hold For Pickup"),
        user_id=ncip.UserId("P1"), item_id=ncip.ItemId("R-1"),
        item_optional_fields=ncip.ItemOptionalFields(bibliographic_description=about),
    )  # fmt: skip
    return ncip.encode(message, V1)


def said_yes(body: bytes) -> bool:
    message = ncip.decode(body)
    return isinstance(message, ncip.Response) and not message.problems


def post(client: Client, body: bytes, path: str = "/ncip", content_type: str = "application/xml", **more: Any) -> Any:
    return client.generic("POST", path, body, content_type=content_type, **more)


def test_a_message_is_answered_as_xml(client: Client, library: Library) -> None:
    answer = post(client, a_lookup(library))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml")
    assert said_yes(answer.content)
    assert "sessionid" not in answer.cookies
    assert "csrftoken" not in answer.cookies


def test_the_host_header_is_nobodys_business_here(client: Client, library: Library) -> None:
    answer = post(client, a_lookup(library), headers={"host": "ncip.somewhere.example"})
    assert said_yes(answer.content)


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda body: (body, "application/x-www-form-urlencoded"),
        lambda body: (urllib.parse.quote(body).encode(), "text/html; charset=UTF-8"),
        lambda body: (b"xml=" + urllib.parse.quote_plus(body).encode(), "application/x-www-form-urlencoded"),
    ],
    ids=["as it is", "url-encoded", "a field of a form"],
)
def test_wrapped_bodies_are_unwrapped(client: Client, library: Library, wrapped: Callable[[bytes], Any]) -> None:
    body, content_type = wrapped(a_lookup(library))
    assert said_yes(post(client, body, content_type=content_type).content)


def test_latin_1_without_a_word_about_it(client: Client, library: Library) -> None:
    body = an_accept(library, "L'été à Besançon").decode().encode("latin-1")
    assert said_yes(post(client, body, content_type="text/xml").content)
    assert Item.objects.get().title.title == "L'été à Besançon"


def test_only_where_there_is_no_message_the_status_says_so(client: Client, library: Library) -> None:
    assert post(client, b"").status_code == 400
    assert post(client, b" " * 5_000_000).status_code == 413
    unreadable = post(client, b"this is no XML")
    assert unreadable.status_code == 200
    message = ncip.decode(unreadable.content)
    assert isinstance(message, ncip.BareProblem)
    assert str(message.problems[0].type) == "Invalid Message Syntax Error"
    assert client.put("/ncip").status_code == 405
    assert Exchange.objects.get().message == "(no XML; 14 characters, not kept)"


def test_a_person_who_looks_is_told_what_this_is(client: Client, library: Library) -> None:
    page = client.get("/ncip")
    assert page.status_code == 200
    assert "This address answers NCIP messages" in page.content.decode()
    assert "LookupUser" in page.content.decode()
    assert "<b>" not in client.get("/ncip/<b>").content.decode()


def test_the_path_may_name_the_library(client: Client, library: Library) -> None:
    brook = make_library("BRK", "Brook Public Library")
    make_caller(brook, from_agencies=["RELAIS"], default=False)
    make_patron(brook, "B-9")
    message = ncip.LookupUser(header=ncip.Header(from_agency=ncip.Code("RELAIS")), user_id=ncip.UserId("B-9"))
    body = ncip.encode(message, ncip.Style(agency=ncip.Code("")))
    assert said_yes(post(client, body, "/ncip/BRK").content)
    assert not said_yes(post(client, body, "/ncip/ALD").content)


def test_a_bug_is_told_as_a_passing_failure(
    client: Client, library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("interlend.bridge.ncip_responder.door._run", stumble)
    answer = post(client, a_lookup(library))
    assert answer.status_code == 200
    message = ncip.decode(answer.content)
    assert isinstance(message, ncip.LookupUserResponse)
    assert str(message.problems[0].type) == "Temporary Processing Failure"
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivision" not in answer.content.decode()
    assert Exchange.objects.get().outcome == "Temporary Processing Failure"


# --- over the wire ----------------------------------------------------------------------------------------------


def raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(request)
        pieces = []
        while piece := line.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.fixture
def served(transactional_db: None, library: Library, start_interlend: Callable[..., Any]) -> tuple[int, int, Library]:
    """A real server on this test's database: its port for HTTP, its port for bare TCP, the library."""
    http, tcp = free_port(), free_port()
    process = start_interlend("serve", "--port", str(http), "--ncip-tcp", str(tcp))
    wait_until(lambda: "answers at" in process.log.read_text(), 20, "the server")
    return http, tcp, library


def test_real_servers_and_real_habits(served: tuple[int, int, Library]) -> None:
    http, tcp, library = served
    silent = [socket.create_connection(("127.0.0.1", port)) for port in (http, tcp) for _ in range(20)]
    began = time.monotonic()
    # HTTP/1.0, no Host, and a length that counts characters: the end tag is cut off
    body = an_accept(library, "L'été à Besançon")
    short = len(body.decode())
    assert short < len(body)
    answer = raw(http, b"POST /ncip HTTP/1.0\r\nContent-Length: %d\r\nContent-Type: application/x-www-form-urlencoded"
                 b"\r\n\r\n%s" % (short, body))  # fmt: skip
    head, _, answered = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0].endswith(b"200 OK"), answer
    assert said_yes(answered), answered
    # bare TCP: the end tag ends the message; the answer ends with the connection
    assert said_yes(raw(tcp, a_lookup(library, V1) + b"\n"))
    assert time.monotonic() - began < 5
    for line in silent:
        line.close()
    assert Item.objects.get().title.title == "L'été à Besançon"
