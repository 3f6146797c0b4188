"""The stand-in circulation system on a port, and everything that real ones do wrong, switchable while it runs.

Strategy: one thread a connection; HTTP and bare TCP on the same port, told apart by the first byte; before or after
the store does its work a `Misbehaviour` steps in. Tests run it in a thread, integrators run `interlend simulate host`.
"""

from __future__ import annotations

import json
import logging
import re
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from interlend import ncip
from interlend.bridge.simulated_circulation import SimulatedCirculation

log = logging.getLogger(__name__)

#: what it can do wrong -> what that means, in words
HOWS: Final[Mapping[str, str]] = {
    "good": "answers as it should",
    "slow": "answers as it should, after some seconds",
    "timeout-after-doing": "does it, then says nothing",
    "timeout-before-doing": "says nothing and does nothing",
    "drop": "hangs up without doing it",
    "drop-after-doing": "does it, then hangs up",
    "wrong-answer": "does it, then answers another question",
    "refuse": "refuses with an NCIP problem of your choice",
    "busy": "refuses with Temporary Processing Failure",
    "bare-problem": "refuses with a problem outside of any service's answer",
    "http-500": "fails with HTTP 500 and a web page, without doing it",
    "http-503": "is out of service",
    "http-401": "does not accept the credentials",
    "garbage": "answers with a web page and HTTP 200, without doing it",
    "other-item": "does it, then answers about another item",
    "empty": "does it, then sends an answer without content",
    "cut": "does it, then sends half of the answer",
    "huge": "does it, then sends more than anybody would read",
}
#: what stands in the elements that name somebody or something
_NAMED: Final = re.compile(rb"(?<=IdentifierValue)>[^<]*</")
_PAGE: Final = b"<!doctype html><html><body><h1>It works!</h1></body></html>"
_BEFORE: Final = ("timeout-before-doing", "drop", "http-500", "http-503", "http-401", "garbage")


@dataclass(frozen=True)
class Misbehaviour:
    """What to do wrong: to which service ("" all), how many times more (None for ever), after how many seconds."""

    how: str = "good"
    service: str = ""
    times: int | None = None
    seconds: float = 60.0
    problem: str = "Unauthorized Service For Agency"


@dataclass
class Counts:
    """What came in: connections opened, messages by service."""

    connections: int = 0
    messages: Counter[str] = field(default_factory=Counter)


class SimulatedHost:
    """A port that answers NCIP. Use it with `with`, or `start` and `stop`; `url` and `tcp_url` say where it is."""

    def __init__(self, store: SimulatedCirculation | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.store = store or SimulatedCirculation()
        self.counts = Counts()
        self.misbehaviour = Misbehaviour()
        self.authorized: Callable[[Mapping[str, str]], bool] = lambda _headers: True
        self._lock = Lock()
        self.stopping = Event()
        self._server = _Server((host, port), self)
        self._thread: Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        return self._server.server_address[0], self._server.server_address[1]  # type: ignore[return-value]

    @property
    def url(self) -> str:
        return "http://{}:{}/ncip".format(*self.address)

    @property
    def tcp_url(self) -> str:
        return "tcp://{}:{}".format(*self.address)

    def __enter__(self) -> SimulatedHost:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> SimulatedHost:
        """Serve in a thread of its own."""
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve in this thread until interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self.stopping.set()
            self._server.server_close()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        if self._thread is not None:
            self._thread.join(5)

    def misbehave(self, how: str = "good", **more: Any) -> None:
        """From now on. Raises ValueError for what it cannot do."""
        if how not in HOWS:
            raise ValueError(f"It cannot do “{how}”; it can do {', '.join(HOWS)}.")
        self.misbehaviour = Misbehaviour(how, **more)

    # --- one message

    def take(self, body: bytes, talk: _Talk) -> None:
        """Answer one message through `talk`, or fail to."""
        service = _service_of(body)
        with self._lock:
            self.counts.messages[service] += 1
            wrong = self._now_wrong(service)
        if wrong.how == "slow":
            self.stopping.wait(wrong.seconds)
        if wrong.how in _BEFORE:
            self._fail(wrong, talk)
            return
        if wrong.how in ("refuse", "busy", "bare-problem"):
            talk.say(self._refusal(wrong, body))
            return
        answer = self.store.answer(body)
        if wrong.how == "timeout-after-doing":
            self.stopping.wait(wrong.seconds)
            talk.hang_up()
        elif wrong.how == "drop-after-doing":
            talk.hang_up()
        elif wrong.how == "wrong-answer":
            talk.say(ncip.encode(ncip.DeleteItemResponse(item_id=ncip.ItemId("other")), ncip.Style()))
        elif wrong.how == "other-item":
            talk.say(_NAMED.sub(rb">other</", answer))
        elif wrong.how == "empty":
            talk.say(b"")
        elif wrong.how == "cut":
            talk.say(answer[: len(answer) // 2], promised=len(answer))
        elif wrong.how == "huge":
            talk.say(answer + b"\n" * 8_000_000)
        else:
            talk.say(answer)

    def _now_wrong(self, service: str) -> Misbehaviour:
        wrong = self.misbehaviour
        if wrong.how == "good" or (wrong.service and wrong.service != service) or wrong.times == 0:
            return Misbehaviour()
        if wrong.times is not None:
            self.misbehaviour = replace(wrong, times=wrong.times - 1)
        return wrong

    def _fail(self, wrong: Misbehaviour, talk: _Talk) -> None:
        if wrong.how == "garbage":
            talk.say(_PAGE, content_type="text/html")
        elif wrong.how.startswith("http-"):
            talk.say(_PAGE, status=int(wrong.how.removeprefix("http-")), content_type="text/html")
        else:
            if wrong.how == "timeout-before-doing":
                self.stopping.wait(wrong.seconds)
            talk.hang_up()

    def _refusal(self, wrong: Misbehaviour, body: bytes) -> bytes:
        if wrong.how == "bare-problem":
            said = ncip.problem(wrong.problem, detail="The stand-in was told to refuse.")
            return ncip.encode(ncip.BareProblem(problems=(said,)), ncip.Style())
        return self.store.refused(body, "Temporary Processing Failure" if wrong.how == "busy" else wrong.problem)

    def as_data(self) -> dict[str, Any]:
        wrong = self.misbehaviour
        return {
            "misbehaves": {"how": wrong.how, "service": wrong.service, "times": wrong.times, "seconds": wrong.seconds},
            "connections": self.counts.connections, "messages": dict(self.counts.messages),
        } | self.store.as_data()  # fmt: skip


def _service_of(body: bytes) -> str:
    try:
        return ncip.decode(ncip.unwrap(body)).service
    except ncip.ProtocolError as no:
        return no.service or "unreadable"


class _Talk:
    """How to answer on one connection; bare TCP here, HTTP in `_HttpTalk`."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def say(self, body: bytes, *, status: int = 200, content_type: str = "", promised: int | None = None) -> None:
        if status == HTTPStatus.OK:  # there are no other ways to say no on a bare line than to hang up
            self.connection.sendall(body)

    def hang_up(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("the other side was gone already")


class _HttpTalk(_Talk):
    def __init__(self, handler: _Handler) -> None:
        super().__init__(handler.connection)
        self.handler = handler

    def say(self, body: bytes, *, status: int = 200, content_type: str = "", promised: int | None = None) -> None:
        self.handler.send_answer(status, content_type or "application/xml; charset=utf-8", body, promised=promised)

    def hang_up(self) -> None:
        self.handler.close_connection = True
        super().hang_up()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], simulated: SimulatedHost) -> None:
        self.simulated = simulated
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.simulated.counts.connections += 1
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End all connections, also those that clients keep for later."""
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("the other side was gone already")

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("the connection of %s ended early", client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    @property
    def simulated(self) -> SimulatedHost:
        assert isinstance(self.server, _Server)
        return self.server.simulated

    def handle(self) -> None:
        """HTTP, unless the first byte is that of a message."""
        if self.connection.recv(1, socket.MSG_PEEK) == b"<":
            self._bare()
        else:
            super().handle()

    def _bare(self) -> None:
        received = bytearray()
        while (end := ncip.message_end(bytes(received))) is None:
            part = self.connection.recv(65536)
            if not part or len(received) > ncip.MAX_BYTES:
                return
            received += part
        self.simulated.take(bytes(received[:end]), _Talk(self.connection))

    def do_GET(self) -> None:
        """What it knows and what it does, as JSON."""
        self._tell(HTTPStatus.OK, self.simulated.as_data())

    def do_POST(self) -> None:
        """A message; or at /misbehave and /clear an order to the stand-in itself."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        if parts.path == "/misbehave":
            self._ordered(parse_qs(parts.query) | parse_qs(body.decode(errors="replace")))
        elif parts.path == "/clear":
            self.simulated.store.clear()
            self._tell(HTTPStatus.OK, self.simulated.as_data())
        elif not self.simulated.authorized({key.lower(): value for key, value in self.headers.items()}):
            self.send_answer(HTTPStatus.UNAUTHORIZED, "text/plain", b"Who are you?\n")
        else:
            self.simulated.take(body, _HttpTalk(self))

    def _ordered(self, fields: Mapping[str, list[str]]) -> None:
        said = {key: values[-1] for key, values in fields.items()}
        try:
            more: dict[str, Any] = {key: said[key] for key in ("service", "problem") if key in said}
            if said.get("times"):
                more["times"] = int(said["times"])
            if said.get("seconds"):
                more["seconds"] = float(said["seconds"])
            self.simulated.misbehave(said.get("how", "good"), **more)
        except ValueError as no:
            self._tell(HTTPStatus.BAD_REQUEST, {"wrong": str(no)})
            return
        self._tell(HTTPStatus.OK, self.simulated.as_data()["misbehaves"])

    def _tell(self, status: int, data: Mapping[str, Any]) -> None:
        self.send_answer(status, "application/json", json.dumps(data, indent=2).encode() + b"\n")

    def send_answer(self, status: int, content_type: str, body: bytes, *, promised: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if promised is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        log.debug(format, *args)
