"""The line to a peer, against real servers on loopback: trust, credentials, connections, silence, damage.

The one thing that matters in every failure is whether the message can have been acted on: NotSent or NoReply.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from interlend import ncip
from interlend.bridge import transport
from interlend.bridge.simulated_circulation import SimulatedCirculation
from interlend.bridge.simulated_host import SimulatedHost
from interlend.bridge.transport import Credentials, Line, NoReply, NotSent, exchange
from tests.conftest import free_port

XML = "application/xml; charset=utf-8"
# Made for this test alone: a certificate of 127.0.0.1 that nobody has signed, valid for a hundred years.
PEM = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3o2lQQEwH3gAu5VC
2k+gj12X1C7RjDoV7633lV+gsxKhRANCAASIaOJoWtK4keP3ecjlYAweJFTVIO39
IfzXcAc4W0pfpztyX4UKyi8QSvr5CI9yJZ+HXxka5D7sTce5rQgApktN
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBnjCCAUSgAwIBAgIUMHQtCY+eumSYqImxLvPPFmSjhx0wCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIc3RhbmQtaW4wIBcNMjYxMTIzMjIxMzAyWhgPMjEyNjEwMzAy
MjEzMDJaMBMxETAPBgNVBAMMCHN0YW5kLWluMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEiGjiaFrSuJHj93nI5WAMHiRU1SDt/SH813AHOFtKX6c7cl+FCsovEEr6
+QiPciWfh18ZGuQ+7E3Hua0IAKZLTaN0MHIwHQYDVR0OBBYEFFy51GJmBbwuKYYr
7nX8nXRwPwBnMB8GA1UdIwQYMBaAFFy51GJmBbwuKYYr7nX8nXRwPwBnMA8GA1Ud
EQQIMAaHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAoQwCgYI
KoZIzj0EAwIDSAAwRQIhAKlXQ7TOfJeDlg7qb0s9Kp/DCYh3xr0aHt+C+X0loHop
AiB1kbtvfuazgnjXa/BvxqB8TQESb8dWBWaqij2fcO6QtQ==
-----END CERTIFICATE-----
"""


# One more key, with a certificate of January 2020 and one of the year 2120.
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAhtUkhgddjRscMyo
LRJIz4uqWxU1r8Rx2PotnA8lVSihRANCAARB05Z8U5HFv68wCI9C7kb8SWrYHiKz
X8OuOmaEuoVmyxzdeC1eVd7DLwi7RpcZQn0+YE+50/Mvlx7rqusTO/fy
-----END PRIVATE KEY-----
"""
EXPIRED = """\
-----BEGIN CERTIFICATE-----
MIIBaTCCAQ6gAwIBAgIBATAKBggqhkjOPQQDAjATMREwDwYDVQQDDAhzdGFuZC1p
bjAeFw0yMDAxMDEwMDAwMDBaFw0yMDAyMDEwMDAwMDBaMBMxETAPBgNVBAMMCHN0
YW5kLWluMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQdOWfFORxb+vMAiPQu5G
/Elq2B4is1/DrjpmhLqFZssc3XgtXlXewy8Iu0aXGUJ9PmBPudPzL5ce66rrEzv3
8qNTMFEwDwYDVR0RBAgwBocEfwAAATAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB
/wQEAwIChDAdBgNVHQ4EFgQU/ndExKniRlsT1cDwwAaCixuKF9swCgYIKoZIzj0E
AwIDSQAwRgIhAKfkErs3+1eNNzUlEkLSc+Cs97HLQY/Ntj8FGUssYUMBAiEAlIuR
TSLOsESdQRYaatGDI7tbIhu3NwxhqBvS1zwcIh4=
-----END CERTIFICATE-----
"""
EARLY = """\
-----BEGIN CERTIFICATE-----
MIIBazCCARKgAwIBAgIBAjAKBggqhkjOPQQDAjATMREwDwYDVQQDDAhzdGFuZC1p
bjAiGA8yMTIwMDEwMTAwMDAwMFoYDzIxMjEwMjAxMDAwMDAwWjATMREwDwYDVQQD
DAhzdGFuZC1pbjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEHTlnxTkcW/rzAI
j0LuRvxJatgeIrNfw646ZoS6hWbLHN14LV5V3sMvCLtGlxlCfT5gT7nT8y+XHuuq
6xM79/KjUzBRMA8GA1UdEQQIMAaHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAOBgNV
HQ8BAf8EBAMCAoQwHQYDVR0OBBYEFP53RMSp4kZbE9XA8MAGgosbihfbMAoGCCqG
SM49BAMCA0cAMEQCIG6sSdNi11vUuo6uMfRnDs9YkFf+X6QkCpAn58gfLzknAiBN
Lxg2NAT3qo2AWBcT+bD7BJVd0Ej0+IUxoVIf/VUIug==
-----END CERTIFICATE-----
"""


def message(style: ncip.Style | None = None) -> bytes:
    header = ncip.Header(from_agency=ncip.Code("US"), to_agency=ncip.Code("THEM"))
    elements = (ncip.Code("Name Information"),)
    return ncip.encode(
        ncip.LookupUser(header=header, user_id=ncip.UserId("P1"), user_element_types=elements), style or ncip.Style()
    )


def sent(line: Line, wait: float = 5.0, body: bytes = b"") -> ncip.Message:
    return ncip.decode(exchange(line, body or message(), XML, wait=wait))


@pytest.fixture
def host() -> Iterator[SimulatedHost]:
    with SimulatedHost() as simulated:
        simulated.store.add(["P1"])
        yield simulated


# --- the usual way --------------------------------------------------------------------------------------------------


def test_one_connection_serves_many_messages(host: SimulatedHost) -> None:
    for _ in range(5):
        assert isinstance(sent(Line(host.url)), ncip.LookupUserResponse)
    assert (host.counts.connections, host.counts.messages["LookupUser"]) == (1, 5)


def test_a_connection_that_the_peer_has_ended_meanwhile_is_opened_anew(host: SimulatedHost) -> None:
    sent(Line(host.url))
    host._server.hang_up()
    assert isinstance(sent(Line(host.url)), ncip.LookupUserResponse)
    assert host.counts.connections == 2


@pytest.mark.parametrize("version", [ncip.Version.V1_0, ncip.Version.V2_02])
def test_bare_tcp(host: SimulatedHost, version: ncip.Version) -> None:
    style = ncip.Style(version=version, namespaced=version.major == 2)
    answer = sent(Line(host.tcp_url), body=message(style))
    assert isinstance(answer, ncip.LookupUserResponse)
    assert not answer.problems


# --- trust ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def secure_with(tmp_path: Path) -> Iterator[Callable[[str], SimulatedHost]]:
    """`secure_with(PEM)`: the stand-in behind this key and certificate."""
    with ExitStack() as ends:

        def secured(pem: str) -> SimulatedHost:
            (tmp_path / "server.pem").write_text(pem)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tmp_path / "server.pem")
            simulated = SimulatedHost(SimulatedCirculation(anybody=True))
            simulated._server.socket = context.wrap_socket(
                simulated._server.socket, server_side=True, do_handshake_on_connect=False
            )
            plain = simulated._server.RequestHandlerClass  # it peeks at the first byte, which no secure socket can
            simulated._server.RequestHandlerClass = type("Secure", (plain,), {"handle": BaseHTTPRequestHandler.handle})
            return ends.enter_context(simulated)

        yield secured


@pytest.fixture
def secure(secure_with: Callable[[str], SimulatedHost]) -> SimulatedHost:
    """The stand-in behind a certificate that no authority has signed."""
    return secure_with(PEM)


def test_a_certificate_that_nobody_vouches_for_is_refused_in_a_sentence(secure: SimulatedHost) -> None:
    with pytest.raises(NotSent) as no:
        sent(Line(secure.url.replace("http:", "https:")))
    assert no.value.lasting
    assert no.value.why == "The certificate of 127.0.0.1 is not trusted (self-signed certificate)."
    assert no.value.remedy == "Name the file with the certificate of its issuer in the settings of this host."
    assert not secure.counts.messages


def test_it_is_accepted_with_the_file_of_its_issuer(secure: SimulatedHost, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM[PEM.index("-----BEGIN CERTIFICATE") :])
    line = Line(secure.url.replace("http:", "https:"), ca_file=str(tmp_path / "ca.pem"))
    assert isinstance(sent(line), ncip.LookupUserResponse)


def test_a_certificate_for_another_name_is_refused(secure: SimulatedHost, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM[PEM.index("-----BEGIN CERTIFICATE") :])
    url = f"https://localhost:{secure.address[1]}/ncip"
    with pytest.raises(NotSent, match="certificate of localhost is not trusted") as no:
        sent(Line(url, ca_file=str(tmp_path / "ca.pem")))
    assert no.value.lasting
    assert "Hostname mismatch" in no.value.why
    assert no.value.remedy.startswith("Use the name that the certificate is made out to")


@pytest.mark.parametrize(
    ("dates", "words", "remedy"),
    [
        (EXPIRED, "certificate has expired", "Its operators must renew it."),
        (EARLY, "certificate is not yet valid", "Compare the clock of this machine with the date on the certificate."),
    ],
    ids=["expired", "early"],
)
def test_a_certificate_out_of_its_time_is_refused(
    secure_with: Callable[[str], SimulatedHost], tmp_path: Path, dates: str, words: str, remedy: str
) -> None:
    secure = secure_with(KEY + dates)
    (tmp_path / "ca.pem").write_text(dates)
    with pytest.raises(NotSent) as no:
        sent(Line(secure.url.replace("http:", "https:"), ca_file=str(tmp_path / "ca.pem")))
    assert (no.value.why, no.value.remedy) == (f"The certificate of 127.0.0.1 is not trusted ({words}).", remedy)
    assert no.value.lasting


def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing of the kind")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(NotSent, match="has no certificates that can be read"):
            sent(Line("https://127.0.0.1:9/ncip", ca_file=str(tmp_path / name)))


def test_https_to_a_port_that_speaks_http_is_a_setting_to_mend(host: SimulatedHost) -> None:
    with pytest.raises(NotSent) as no:
        sent(Line(host.url.replace("http:", "https:")))
    assert no.value.lasting
    assert no.value.why.startswith("No secure connection to 127.0.0.1 can be made")


# --- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credentials", "header", "value"),
    [
        (Credentials("basic", "ill", "s3cret"), "authorization", "Basic aWxsOnMzY3JldA=="),
        (Credentials("bearer", secret="s3cret"), "authorization", "Bearer s3cret"),
        (Credentials("api_key", secret="s3cret"), "x-api-key", "s3cret"),
        (Credentials("api_key", secret="s3cret", header="X-Okapi-Token"), "x-okapi-token", "s3cret"),
    ],
    ids=["basic", "bearer", "api key", "api key elsewhere"],
)
def test_who_we_are(host: SimulatedHost, credentials: Credentials, header: str, value: str) -> None:
    host.authorized = lambda headers: headers.get(header) == value
    assert isinstance(sent(Line(host.url, credentials)), ncip.LookupUserResponse)
    with pytest.raises(NotSent, match="does not accept our credentials") as no:
        sent(Line(host.url))
    assert no.value.lasting


class TokenServer:
    """Gives access tokens by client credentials: token-1, token-2, …"""

    def __init__(self) -> None:
        self.given, self.status, self.slow, self.asked = 0, 200, 0.0, dict[str, Any]()
        self.lasts: Any = 300
        self.says: dict[str, Any] | None = None
        self.open = Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.asked = parse_qs(body.decode()) | {"authorization": [self.headers["Authorization"]]}
                server.given += 1
                if server.slow:
                    server.open.wait(server.slow)
                said = {"access_token": f"token-{server.given}", "token_type": "Bearer", "expires_in": server.lasts}
                said = said if server.says is None else server.says
                answer = json.dumps(said if server.status == 200 else {"error": "invalid_client"}).encode()
                self.send_response(server.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/token"

    def stop(self) -> None:
        self.open.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(5)


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    server = TokenServer()
    yield server
    server.stop()


def _bearer(*accepted: str) -> Callable[[Any], bool]:
    return lambda headers: headers.get("authorization") in [f"Bearer {token}" for token in accepted]


def test_a_token_is_fetched_once_and_renewed_when_it_is_refused(host: SimulatedHost, tokens: TokenServer) -> None:
    line = Line(host.url, Credentials("oauth2", "ill", "s3cret", token_url=tokens.url, scope="ncip"))
    host.authorized = _bearer("token-1")
    for _ in range(3):
        assert isinstance(sent(line), ncip.LookupUserResponse)
    assert tokens.given == 1
    assert tokens.asked == {
        "grant_type": ["client_credentials"], "scope": ["ncip"], "authorization": ["Basic aWxsOnMzY3JldA=="],
    }  # fmt: skip
    host.authorized = _bearer("token-2")
    assert isinstance(sent(line), ncip.LookupUserResponse)
    assert tokens.given == 2
    host.authorized = _bearer()
    with pytest.raises(NotSent, match="does not accept our credentials"):
        sent(line)
    assert tokens.given == 3, "one new token, not one after another"


def test_a_token_near_its_end_is_not_used(host: SimulatedHost, tokens: TokenServer) -> None:
    tokens.lasts = 20
    line = Line(host.url, Credentials("oauth2", "ill", "s3cret", token_url=tokens.url))
    sent(line)
    sent(line)
    assert tokens.given == 2


@pytest.mark.parametrize("lasts", [None, "", "soon", "3600", 3600.5])
def test_how_long_a_token_lasts_may_be_said_in_any_way(host: SimulatedHost, tokens: TokenServer, lasts: Any) -> None:
    tokens.lasts = lasts
    line = Line(host.url, Credentials("oauth2", "ill", "s3cret", token_url=tokens.url))
    sent(line)
    sent(line)
    assert tokens.given == 1


@pytest.mark.parametrize("says", [{}, {"access_token": ""}, {"access_token": None}, {"access_token": {"a": 1}}])
def test_an_answer_without_a_token_is_an_address_to_check(
    host: SimulatedHost, tokens: TokenServer, says: dict[str, Any]
) -> None:
    tokens.says = says
    with pytest.raises(NotSent, match=r"gave no access token \(HTTP 200\)") as no:
        sent(Line(host.url, Credentials("oauth2", "ill", "s3cret", token_url=tokens.url)))
    assert no.value.lasting
    assert not host.counts.messages


def test_a_corrected_secret_is_used_at_once_and_is_nobody_elses(host: SimulatedHost, tokens: TokenServer) -> None:
    for n, secret in enumerate(("wrong", "right", "right"), start=1):
        sent(Line(host.url, Credentials("oauth2", "ill", secret, token_url=tokens.url)))
        assert tokens.given == min(n, 2)


def test_a_token_that_is_long_in_coming_delays_nobody_else(host: SimulatedHost, tokens: TokenServer) -> None:
    tokens.slow = 20.0
    waiting = Thread(
        target=lambda: sent(Line(host.url, Credentials("oauth2", "a", "x", token_url=tokens.url)), wait=30), daemon=True
    )
    waiting.start()
    while not tokens.given:
        time.sleep(0.01)
    tokens.slow = 0.0
    started = time.monotonic()
    sent(Line(host.url, Credentials("oauth2", "b", "x", token_url=tokens.url)))
    assert time.monotonic() - started < 5
    assert waiting.is_alive()
    tokens.open.set()
    waiting.join(5)


def test_a_token_that_does_not_come_in_time_is_passing_and_nothing_is_sent(
    host: SimulatedHost, tokens: TokenServer
) -> None:
    tokens.slow = 20.0
    with pytest.raises(
        NotSent, match=r"The access token could not be fetched: 127\.0\.0\.1 did not answer within"
    ) as no:
        sent(Line(host.url, Credentials("oauth2", "a", "x", token_url=tokens.url)), wait=0.3)
    assert not no.value.lasting
    assert not host.counts.messages


@pytest.mark.parametrize(("status", "lasting"), [(401, True), (400, True), (503, False)])
def test_no_token_nothing_sent(host: SimulatedHost, tokens: TokenServer, status: int, lasting: bool) -> None:
    tokens.status = status
    with pytest.raises(NotSent, match=f"gave no access token .HTTP {status}, invalid_client") as no:
        sent(Line(host.url, Credentials("oauth2", "ill", "s3cret", token_url=tokens.url)))
    assert no.value.lasting is lasting
    assert not host.counts.messages


def test_a_token_server_that_is_away_is_passing(host: SimulatedHost) -> None:
    url = f"http://127.0.0.1:{free_port()}/token"
    with pytest.raises(NotSent, match=r"access token could not be fetched: 127\.0\.0\.1 cannot be reached") as no:
        sent(Line(host.url, Credentials("oauth2", "ill", "s3cret", token_url=url)))
    assert not no.value.lasting


# --- when it fails --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "failure", "lasting", "words"),
    [
        ("timeout-after-doing", NoReply, None, "did not answer within 0 seconds"),
        ("drop", NoReply, None, "ended the connection without an answer"),
        ("drop-after-doing", NoReply, None, "ended the connection without an answer"),
        ("cut", NoReply, None, "ended the connection without an answer"),
        ("http-500", NoReply, None, "failed while working on it (HTTP 500)"),
        ("garbage", NoReply, None, "answered with a web page, not with NCIP"),
        ("huge", NoReply, None, "sent an answer that is too large"),
        ("http-503", NotSent, False, "is out of service just now (HTTP 503)"),
        ("http-401", NotSent, True, "does not accept our credentials (HTTP 401)"),
    ],
)
def test_what_is_known_when_http_fails(
    host: SimulatedHost, how: str, failure: type[Exception], lasting: bool | None, words: str
) -> None:
    host.misbehave(how, seconds=3)
    with pytest.raises((NotSent, NoReply)) as no:
        sent(Line(host.url), wait=0.4)
    assert type(no.value) is failure
    assert words in no.value.why
    assert getattr(no.value, "lasting", None) is lasting
    host.misbehave("good")
    assert isinstance(sent(Line(host.url)), ncip.LookupUserResponse), "the next message finds a clean connection"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("timeout-after-doing", "did not answer within 0 seconds"),
        ("drop", "closed the connection without an answer"),
    ],
)
def test_what_is_known_when_tcp_fails(host: SimulatedHost, how: str, words: str) -> None:
    host.misbehave(how, seconds=3)
    with pytest.raises(NoReply) as no:
        sent(Line(host.tcp_url), wait=0.4)
    assert words in no.value.why


def test_what_follows_a_message_on_tcp_is_not_waited_for(host: SimulatedHost) -> None:
    host.misbehave("huge")
    assert isinstance(sent(Line(host.tcp_url)), ncip.LookupUserResponse)


@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_nobody_listens(scheme: str) -> None:
    with pytest.raises(NotSent, match="cannot be reached") as no:
        sent(Line(f"{scheme}://127.0.0.1:{free_port()}/ncip"))
    assert not no.value.lasting


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/ncip", "ncip.example.org", "tcp://127.0.0.1", "http://[::1/ncip",
                                 "http://127.0.0.1:99999/ncip", ""])  # fmt: skip
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(NotSent) as no:
        sent(Line(url))
    assert no.value.lasting


def test_an_answer_that_drips_has_an_end() -> None:
    """A byte now and then keeps every single wait short; the whole still ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                try:
                    for _ in range(100):
                        connection.sendall(b" ")
                        if ended.wait(0.05):
                            break
                except OSError:
                    return

        thread = Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(NoReply, match="did not answer within"):
            sent(Line(f"http://127.0.0.1:{listener.getsockname()[1]}/"), wait=0.3)
        ended.set()
        thread.join(5)


def test_an_ncip_answer_counts_whatever_the_status(host: SimulatedHost) -> None:
    body = ncip.encode(ncip.BareProblem(problems=(ncip.problem("Temporary Processing Failure"),)), ncip.Style())
    assert transport._usable(Line(host.url), transport.Heard(500, {}, body)) == body
