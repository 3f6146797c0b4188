"""Whatever comes back from a real port: read right, or known not to have been sent, or unknown; never taken as done.

Strategy: a listener that says bytes from a script, once a message; the initiator asks it over a real line.
The port is driven directly, so that each answer meets each verb.
"""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from threading import Event, Thread

import pytest

from interlend import ncip
from interlend.bridge import transport
from interlend.bridge.dialects import DIALECTS
from interlend.bridge.host_over_ncip import HostOverNcip, Peer
from interlend.bridge.transport import Credentials, Line, NoReply, NotSent, exchange
from interlend.libraries.desks import Desk
from interlend.sharing.host import (
    AcceptItem,
    CheckInItem,
    CheckOutItem,
    HostProblem,
    HostUnknown,
    LookupUser,
)
from tests.make import NOW

STYLE = ncip.Style(prefix="ns1")
HEADER = ncip.Header(from_agency=ncip.Code("THEM"), to_agency=ncip.Code("US"))
XML = "application/xml"

Script = list[bytes | float]


class Listener:
    """Answers each message with the next script, the last one for ever; a number in a script is a pause in seconds."""

    def __init__(self, *scripts: bytes | Script, close: bool = True) -> None:
        self.scripts = [one if isinstance(one, list) else [one] for one in scripts]
        self.close, self.connections, self.messages = close, 0, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.ended = Event()
        self.threads = [Thread(target=self._listen, daemon=True)]
        self.threads[0].start()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/ncip"

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.connections += 1
                self.threads.append(Thread(target=self._serve, args=(connection,), daemon=True))
                self.threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            while True:
                received = b""
                while not received.rstrip().endswith(b"Message>"):
                    if not (part := connection.recv(65536)):
                        return
                    received += part
                self.messages += 1
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                for said in script:
                    if isinstance(said, float):
                        self.ended.wait(said)
                    else:
                        connection.sendall(said)
                if self.close:
                    return

    def stop(self) -> None:
        self.ended.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(6)


@pytest.fixture
def listening() -> Iterator[Callable[..., Listener]]:
    """`listening(script, …, close=False)` opens a port that answers so."""
    opened: list[Listener] = []

    def listen(*scripts: bytes | Script, close: bool = True) -> Listener:
        opened.append(Listener(*scripts, close=close))
        return opened[-1]

    yield listen
    transport._pools.clear()  # else their connections are tried, and found dead, by the next test
    for one in opened:
        one.stop()


def http(body: bytes, status: str = "200 OK", **headers: str | None) -> bytes:
    given: dict[str, str | None] = {"Content-Type": XML, "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in given.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(body: bytes, size: int = 60) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    framed = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"
    return http(b"", Content_Length=None, Transfer_Encoding="chunked") + framed


def said(message: ncip.Message, style: ncip.Style = STYLE) -> bytes:
    return ncip.encode(message, style)


ASKED = said(ncip.LookupUser(header=HEADER, user_id=ncip.UserId("P1")))
KNOWN = said(ncip.LookupUserResponse(header=HEADER, user_id=ncip.UserId("P1")))
ACCENT = said(ncip.LookupUserResponse(header=HEADER, user_id=ncip.UserId("Müller")))
_DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>'
assert ACCENT.startswith(_DECLARED)


def ask(listener: Listener, scheme: str = "http", wait: float = 0.5) -> str:
    answer = ncip.decode(exchange(Line(listener.url(scheme)), ASKED, XML, wait=wait))
    assert isinstance(answer, ncip.LookupUserResponse)
    assert answer.user_id is not None
    return answer.user_id.value


# --- answers in odd wrapping that are whole all the same --------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "close"),
    [
        (chunked(KNOWN), True),
        (chunked(KNOWN), False),
        (http(gzip.compress(KNOWN), Content_Encoding="gzip"), True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http(KNOWN), True),
        (http(KNOWN, Content_Length=None).replace(b"HTTP/1.1", b"HTTP/1.0"), True),
        (http(KNOWN, Content_Length=None).replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (http(KNOWN, Content_Length=str(len(KNOWN) + 9)), True),
        (http(KNOWN, Content_Length=str(len(KNOWN) + 9)), False),
        (http(KNOWN, Content_Length=str(len(KNOWN) - 3)), True),
        (http(KNOWN + b"\r\n" * 3), False),
        (http(KNOWN, status="500 Oops"), True),
        (http(KNOWN, Content_Type="text/html"), True),
    ],
    ids=["chunks", "chunks, left open", "gzip", "continue", "no length", "no length, left open", "too long",
         "too long, left open", "too short", "line ends", "500", "as html"],
)  # fmt: skip
def test_a_whole_answer_is_read(listening: Callable[..., Listener], script: bytes, close: bool) -> None:
    assert ask(listening(script, close=close)) == "P1"


@pytest.mark.parametrize(
    "body",
    [
        ACCENT.decode().encode("latin-1"),
        ACCENT.replace(b"UTF-8", b"ISO-8859-1", 1).decode().encode("latin-1"),
        ACCENT.decode().removeprefix(_DECLARED.decode()).encode("utf-16"),
        b"\xef\xbb\xbf" + ACCENT,
    ],
    ids=["latin-1, declared utf-8", "latin-1", "utf-16", "mark"],
)
def test_letters_are_read_however_they_are_written(listening: Callable[..., Listener], body: bytes) -> None:
    assert ask(listening(http(body, Content_Type="text/xml; charset=ISO-8859-1"))) == "Müller"


def test_an_answer_without_its_length_is_not_waited_for(listening: Callable[..., Listener]) -> None:
    open_end = http(KNOWN, Content_Length=None).replace(b"HTTP/1.1", b"HTTP/1.0")
    assert ask(listening([open_end, 30.0]), wait=20) == "P1", "it would take 20 seconds"


# --- answers that are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (chunked(KNOWN)[:-40], "ended the connection without an answer"),
        (http(KNOWN[:90], Content_Length=str(len(KNOWN))), "ended the connection without an answer"),
        (http(KNOWN, Content_Encoding="gzip"), "an answer that cannot be unpacked"),
        (http(gzip.compress(b" " * 90_000_000), Content_Encoding="gzip"), "an answer that is too large"),
        (b"HTTP/1.1 102 Processing\r\n\r\n", "answered with nothing (HTTP 102)"),
        (http(b"", status="204 No Content"), "answered with nothing (HTTP 204)"),
        (http(b" \r\n"), "answered with nothing."),
        (http(b"<!DOCTYPE html><html><body>It works!</body></html>"), "answered with a web page, not with NCIP"),
        (http(b'{"error": "no"}'), "something that is not NCIP"),
        (http(b"<html/>", status="502 Bad Gateway"), "failed while working on it (HTTP 502)"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "answers, but not in HTTP"),
        (KNOWN, "answers, but not in HTTP"),
    ],
    ids=["chunks cut", "cut", "no gzip", "bomb", "interim", "no content", "blank", "page", "json", "gateway", "ssh",
         "bare ncip"],
)  # fmt: skip
def test_what_came_is_no_answer(listening: Callable[..., Listener], script: bytes, words: str) -> None:
    with pytest.raises(NoReply) as no:
        ask(listening(script))
    assert words in no.value.why


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (http(b"", status="301 Moved", Location="https://new.example/ncip?key=s3cret"),
         "sends us on to https://new.example/ncip (HTTP 301)"),
        (http(b"", status="307 Moved", Location="/other"), "/other (HTTP 307)"),
        (http(b"<html/>", status="302 Found"), "has nothing at this address (HTTP 302)"),
        (http(b"<html/>", status="404 Not Found"), "has nothing at this address (HTTP 404)"),
        (http(b"", status="405 Not Allowed"), "has nothing at this address (HTTP 405)"),
        (http(b"<html/>", status="403 Forbidden"), "does not accept our credentials (HTTP 403)"),
        (http(b"", status="415 No"), "does not take the message in this form (HTTP 415)"),
    ],
)  # fmt: skip
def test_what_a_person_must_mend_was_not_done(listening: Callable[..., Listener], script: bytes, words: str) -> None:
    with pytest.raises(NotSent) as no:
        ask(listening(script))
    assert words in no.value.why
    assert no.value.lasting
    assert no.value.remedy.endswith(".")
    assert "s3cret" not in no.value.why


@pytest.mark.parametrize(
    ("script", "failure", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NotSent, "speaks HTTP on this port"),
        (b"", NoReply, "closed the connection without an answer"),
        (b" \r\n", NoReply, "closed the connection without an answer"),
    ],
    ids=["http", "nothing", "blank"],
)
def test_on_a_bare_line(
    listening: Callable[..., Listener], script: bytes, failure: type[Exception], words: str
) -> None:
    with pytest.raises((NotSent, NoReply)) as no:
        ask(listening(script), "tcp")
    assert type(no.value) is failure
    assert words in no.value.why


def test_a_bare_line_in_pieces_and_left_open(listening: Callable[..., Listener]) -> None:
    listener = listening([KNOWN[:50], 0.05, KNOWN[50:-5], 0.05, KNOWN[-5:], 30.0])
    assert ask(listener, "tcp", wait=20) == "P1"


def test_a_port_that_is_silent_in_the_handshake_has_taken_no_message(
    listening: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CONNECT", 0.3)
    with pytest.raises(NotSent, match="did not let a message in") as no:
        ask(listening(http(KNOWN)), "https")
    assert not no.value.lasting


def test_an_interim_answer_is_not_followed_by_anothers(listening: Callable[..., Listener]) -> None:
    """What comes after it belongs to the message that is over; the next one must not get it."""
    late, right = (
        said(ncip.LookupUserResponse(header=HEADER, user_id=ncip.UserId(name))) for name in ("late", "right")
    )
    interim: Script = [b"HTTP/1.1 102 Processing\r\n\r\n", 0.2, http(late)]
    listener = listening(interim, http(right), close=False)
    with pytest.raises(NoReply):
        ask(listener)
    assert ask(listener) == "right"
    assert listener.connections == 2


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (Credentials("bearer", secret="s3\ncr3t"), "characters that no header can carry"),
        (Credentials("bearer", secret="s3крет"), "characters that no header can carry"),
        (Credentials("api_key", secret="s3cret", header="X Api"), "“X Api” cannot be the name of a header"),
        (Credentials("api_key", secret="s3cret", header=""), "cannot be the name of a header"),
    ],
)
def test_a_sign_in_that_cannot_travel_is_told(
    listening: Callable[..., Listener], credentials: Credentials, words: str
) -> None:
    listener = listening(http(KNOWN))
    with pytest.raises(NotSent, match=words) as no:
        exchange(Line(listener.url(), credentials), ASKED, XML, wait=0.5)
    assert no.value.lasting
    assert "s3" not in no.value.why
    assert listener.messages == 0


def test_a_line_end_pasted_with_a_secret_does_no_harm(listening: Callable[..., Listener]) -> None:
    line = Line(listening(http(KNOWN)).url(), Credentials("bearer", secret="s3cret\n"))
    assert exchange(line, ASKED, XML, wait=0.5) == KNOWN


# --- right NCIP, wrong answer: through the verbs ----------------------------------------------------------------------

ACCEPT = AcceptItem("ALD-1", "P1", "B1", "Friendly fire", pickup_location="MAIN")
LEND = CheckOutItem("BRK-1", "A1", "INST-BRK", "BRK", "Brook")
BACK = CheckInItem("BRK-1", "A1")
VERBS: dict[str, Callable[[HostOverNcip], object]] = {
    "AcceptItem": lambda host: host.accept_item(ACCEPT),
    "CheckOutItem": lambda host: host.check_out_item(LEND),
    "CheckInItem": lambda host: host.check_in_item(BACK),
}
every_verb = pytest.mark.parametrize("verb", VERBS)


def host_at(url: str, dialect: str = "generic") -> HostOverNcip:
    peer = Peer("Brook's system", Line(url), DIALECTS[dialect], from_agency="US", to_agency="THEM")
    return HostOverNcip(peer, Desk(1, "UTC", "R. Ito", None, "by sharing"), NOW, hurried=True)


def answered(listening: Callable[..., Listener], verb: str, body: bytes) -> object:
    return VERBS[verb](host_at(listening(http(body)).url()))


def response(verb: str, **fields: object) -> ncip.Response:
    made = ncip.message_class(f"{verb}Response")(header=HEADER, **fields)
    assert isinstance(made, ncip.Response)
    return made


def by_hand(verb: str, more: str = "", **ids: str) -> bytes:
    """An answer as careless peers write it, which our own codec would not."""
    named = "".join(
        f"<{name}Id><{name}IdentifierValue>{value}</{name}IdentifierValue></{name}Id>" for name, value in ids.items()
    )
    return f'<NCIPMessage version="2.02"><{verb}Response>{named}{more}</{verb}Response></NCIPMessage>'.encode()


def right(verb: str) -> ncip.Response:
    if verb == "AcceptItem":
        return response(verb, request_id=ncip.RequestId("ALD-1"), item_id=ncip.ItemId("B1"))
    if verb == "CheckInItem":
        return response(verb, item_id=ncip.ItemId("A1"))
    return response(
        verb, item_id=ncip.ItemId("A1"), user_id=ncip.UserId("INST-BRK"), date_due=ncip.Moment("2027-05-03")
    )


@every_verb
@pytest.mark.parametrize("style", [STYLE, ncip.Style(version=ncip.Version.V1_0, namespaced=False)], ids=["v2", "v1"])
def test_cut_anywhere_it_is_a_success_only_with_all_it_had_to_say(
    listening: Callable[..., Listener], verb: str, style: ncip.Style
) -> None:
    """A refusal whose end is missing must not look like an answer without problems."""
    refusal = said(response(verb, problems=(ncip.problem("Unknown Item", detail="No."),)), style)
    full = said(right(verb), style)
    end = full.index(f"/{'ns1:' if b'ns1:' in full else ''}{verb}Response>".encode())
    first = refusal.index(b"Problem") if b"Problem" in refusal else 0
    for body, cuts in ((refusal, range(first - 20, first + 30, 3)), (full, range(end - 20, end, 4))):
        for cut in cuts:
            with pytest.raises(HostUnknown):
                answered(listening, verb, body[:cut])
    assert answered(listening, verb, full[:-4]), "only the envelope's own end tag is cut"


@every_verb
def test_an_answer_to_another_question_is_unknown_also_when_it_complains(
    listening: Callable[..., Listener], verb: str
) -> None:
    other = "CheckInItem" if verb != "CheckInItem" else "LookupUser"
    with pytest.raises(HostUnknown) as no:
        answered(listening, verb, said(response(other, problems=(ncip.problem("Unknown Item", detail="Gone."),))))
    assert no.value.sentence.startswith(f"Brook's system: The answer to {verb} was {other}Response (unknown item")


@every_verb
def test_an_answer_about_something_else_is_unknown(listening: Callable[..., Listener], verb: str) -> None:
    named = {"item_id": ncip.ItemId("Z9")} | {
        "AcceptItem": {"request_id": ncip.RequestId("OTHER-7")},
        "CheckOutItem": {"user_id": ncip.UserId("P9"), "date_due": ncip.Moment("2027-05-03")},
    }.get(verb, {})
    with pytest.raises(HostUnknown, match=f"The answer to {verb} was about something else"):
        answered(listening, verb, said(response(verb, **named)))


@pytest.mark.parametrize("verb", ["AcceptItem", "CheckOutItem"])
def test_an_answer_that_says_nothing_claims_nothing(listening: Callable[..., Listener], verb: str) -> None:
    with pytest.raises(HostUnknown):
        answered(listening, verb, by_hand(verb))


@every_verb
@pytest.mark.parametrize("where", ["inside", "outside", "inside, twice"])
def test_a_problem_is_a_refusal_wherever_it_stands(listening: Callable[..., Listener], verb: str, where: str) -> None:
    blocked = ncip.problem("User Blocked", detail="Owes 20.00")
    inside = response(verb, problems=(blocked,) * (2 if "twice" in where else 1))
    answer = inside if "inside" in where else ncip.BareProblem(problems=(blocked,))
    with pytest.raises(HostProblem) as no:
        answered(listening, verb, said(answer))
    assert not isinstance(no.value, HostUnknown)
    assert (no.value.code, no.value.lasting) == ("patron_blocked", True)
    assert "Owes 20.00" in no.value.sentence


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("AcceptItem", {"Request": "ALD-1", "Item": "39000-2"}),
        ("AcceptItem", {"Request": "ILL:ald1"}),
        ("AcceptItem", {"Item": "b1"}),
        ("CheckOutItem", {"Item": "i-4711", "User": "INST-BRK"}),
        ("CheckOutItem", {"Item": "A1"}),
        ("CheckInItem", {"Item": "US-A1"}),
        ("CheckInItem", {}),
    ],
)
def test_hosts_may_name_things_in_their_own_way(
    listening: Callable[..., Listener], verb: str, fields: dict[str, str]
) -> None:
    assert answered(listening, verb, by_hand(verb, **fields))


@pytest.mark.parametrize("term", ["DateDue>2027-05-03</DateDue", "NonReturnableFlag/", "IndeterminateLoanPeriodFlag/"])
def test_a_date_alone_is_an_answer_to_a_check_out(listening: Callable[..., Listener], term: str) -> None:
    assert answered(listening, "CheckOutItem", by_hand("CheckOutItem", more=f"<{term}>"))


def test_a_patron_may_come_back_under_another_id(listening: Callable[..., Listener]) -> None:
    body = said(response("LookupUser", user_id=ncip.UserId("5f1e-internal")))
    assert host_at(listening(http(body)).url()).lookup_user(LookupUser("P1")).barcode == "P1"


def test_nothing_is_known_of_a_question_that_was_not_answered(listening: Callable[..., Listener]) -> None:
    with pytest.raises(HostProblem) as no:
        host_at(listening(http(b"<html/>")).url()).lookup_user(LookupUser("P1"))
    assert (type(no.value), no.value.code, no.value.lasting) == (HostProblem, "unreachable", False)


# --- after silence: what the account has on loan, what is kept for the patron -----------------------------------------


def looked(listening: Callable[..., Listener], verb: str, answer: ncip.Response, dialect: str = "alma") -> object:
    return host_at(listening(http(said(answer))).url(), dialect).look(ACCEPT if verb == "AcceptItem" else LEND)


USER = ncip.UserId("whoever")
DUE = ncip.Moment("2027-05-03T23:59:59Z")


def held(**about: object) -> ncip.RequestedItem:
    kinds = {"request_type": ncip.Code("Hold"), "request_status_type": ncip.Code("In Process"), "date_placed": DUE}
    return ncip.RequestedItem(**kinds | about)  # type: ignore[arg-type]


PRICE = ncip.Amount(currency=ncip.Code("USD"), value=0)
LENT = ncip.LoanedItem(item_id=ncip.ItemId("A1"), date_due=DUE, amount=PRICE, reminder_level=0)
OTHER = ncip.LoanedItem(item_id=ncip.ItemId("A2"), date_due=DUE, amount=PRICE, reminder_level=0)


def test_the_accounts_loans_tell_that_it_was_lent(listening: Callable[..., Listener]) -> None:
    answer = response("LookupUser", user_id=USER, loaned_items=(OTHER, LENT))
    found = looked(listening, "CheckOutItem", answer)
    assert getattr(found, "date_due", None) == date(2027, 5, 3)


def test_a_whole_list_without_it_tells_that_it_was_not(listening: Callable[..., Listener]) -> None:
    counted = (ncip.LoanedItemsCount(count=1, circulation_status=ncip.Code("On Loan")),)
    answer = response("LookupUser", user_id=USER, loaned_items=(OTHER,), loaned_items_counts=counted)
    assert looked(listening, "CheckOutItem", answer) is None


@pytest.mark.parametrize("count", [(), (ncip.LoanedItemsCount(count=40, circulation_status=ncip.Code("On Loan")),)])
def test_a_list_that_may_go_on_tells_nothing(
    listening: Callable[..., Listener], count: tuple[ncip.LoanedItemsCount, ...]
) -> None:
    answer = response("LookupUser", user_id=USER, loaned_items=(OTHER,), loaned_items_counts=count)
    with pytest.raises(HostProblem) as no:
        looked(listening, "CheckOutItem", answer)
    assert no.value.code == "look_by_hand"
    assert "look whether A1 is on loan to INST-BRK there" in no.value.remedy


def test_what_is_kept_for_the_patron_tells_that_it_was_accepted(listening: Callable[..., Listener]) -> None:
    kept = held(request_id=ncip.RequestId("ALD-1"), item_id=ncip.ItemId("B1-2"))
    found = looked(listening, "AcceptItem", response("LookupUser", user_id=USER, requested_items=(kept,)))
    assert getattr(found, "item", None) == "B1-2"


@pytest.mark.parametrize(
    "kept",
    [
        held(request_id=ncip.RequestId("ALD-2"), item_id=ncip.ItemId("B1")),
        held(item_id=ncip.ItemId("B1"), title="Another book"),
        held(item_id=ncip.ItemId("B2"), title="Friendly fire"),
    ],
    ids=["another request", "another title", "another item"],
)
def test_another_hold_of_the_patron_is_not_taken_for_it(
    listening: Callable[..., Listener], kept: ncip.RequestedItem
) -> None:
    with pytest.raises(HostProblem) as no:
        looked(listening, "AcceptItem", response("LookupUser", user_id=USER, requested_items=(kept,)))
    assert no.value.code == "look_by_hand"


def test_the_request_itself_may_be_asked_for(listening: Callable[..., Listener]) -> None:
    """A host that offers no LookupItem but LookupRequest."""
    no_items = response("LookupItem", problems=(ncip.problem("Unsupported Service"),))
    there = response("LookupRequest", request_id=ncip.RequestId("ALD-1"), item_id=ncip.ItemId("B1-2"))
    listener = listening(http(said(no_items)), http(said(there)))
    found = host_at(listener.url()).look(ACCEPT)
    assert getattr(found, "item", None) == "B1-2"


def test_a_step_never_outlasts_its_errands_lease(listening: Callable[..., Listener]) -> None:
    """A worker that waits longer would be taken for dead, and another would do the same step beside it."""
    host = host_at(listening(http(KNOWN)).url())
    host._until = 0.0
    with pytest.raises(HostProblem) as no:
        host.accept_item(replace(ACCEPT))
    assert (type(no.value), no.value.lasting) == (HostProblem, False)
