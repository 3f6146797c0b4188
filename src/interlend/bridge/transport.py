"""One message out, one answer in, over HTTP(S) or a bare TCP connection; and what is known when no answer came.

Strategy: the one distinction that matters is whether the message can have been acted on. `NotSent`: it cannot, which is
certain as long as its first byte has not left. `NoReply`: it may have been. Connections are reused only after an answer
that was whole, certificates are verified, every wait has an end.
"""

from __future__ import annotations

import base64
import errno
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from interlend import ncip

LARGEST: Final = 4 * 1024 * 1024  # bytes of one answer
CONNECT: Final = 4.0  # seconds
#: seconds to wait for an answer while a person waits, and when the worker tries
HURRIED, PATIENT = 6.0, 30.0
#: what OpenSSL says before any message has been taken: as they are set up these two will never speak TLS
_NO_HANDSHAKE: Final = (
    "WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "HANDSHAKE_FAILURE", "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE", "NO_PROTOCOLS_AVAILABLE", "CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNKNOWN_CA",
)  # fmt: skip
#: OpenSSL's codes for what is wrong with a certificate -> who mends it
_CERTIFICATE_REMEDY: Final[Mapping[int, str]] = {
    **dict.fromkeys((18, 19, 20, 21), "Name the file with the certificate of its issuer in the settings of this host."),
    9: "Compare the clock of this machine with the date on the certificate.",
    10: "Its operators must renew it.",
    **dict.fromkeys((62, 64), "Use the name that the certificate is made out to, or its operators must mend that."),
}
_ADDRESS: Final = "Check the address: its spelling, and what its operators gave."
_ROAD: Final = "Check the port, the firewalls on both sides, and whether the system is running."
_SIGN_IN: Final = "Check how we sign in to this host: the way, the name and the secret."
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\xa0-\xff]+")


class NotSent(Exception):
    """The message cannot have been acted on. `why` is a sentence, `remedy` what an administrator can do about it.

    `lasting`: trying again by itself will not help. `status`: the HTTP status, where that was the answer.
    """

    def __init__(self, why: str, remedy: str = "", *, lasting: bool = False, status: int = 0) -> None:
        self.why, self.remedy, self.lasting, self.status = why, remedy, lasting, status
        super().__init__(why)


class NoReply(Exception):
    """The message left and no usable answer came: it may or may not have been acted on.

    `answered`: something did come back, so somebody is there.
    """

    def __init__(self, why: str, *, answered: bool = False) -> None:
        self.why, self.answered = why, answered
        super().__init__(why)


@dataclass(frozen=True)
class Credentials:
    """How we show who we are. `kind`: none, basic, bearer, api_key or oauth2 (client credentials)."""

    kind: str = "none"
    user: str = ""
    secret: str = ""
    header: str = "X-Api-Key"
    token_url: str = ""
    scope: str = ""


@dataclass(frozen=True)
class Line:
    """The address of a peer (`https://…`, `http://…` or `tcp://host:port`), who we are there, whom we trust."""

    url: str
    credentials: Credentials = Credentials()
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One HTTP answer, whatever it is. `body` has at most one byte more than LARGEST."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(
    line: Line, body: bytes, content_type: str, *, wait: float = PATIENT,
    hear: Callable[[Heard], object] | None = None,
) -> bytes:  # fmt: skip
    """Send `body`, return the answer's body; `hear` is told of an HTTP answer. Raises only NotSent or NoReply."""
    try:
        parts = urlsplit(line.url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError as no:
        raise NotSent(f"The address {line.url} is none: {no}.", _ADDRESS, lasting=True) from no
    if scheme not in ("http", "https", "tcp"):
        raise NotSent(
            f"The address {line.url} is none: it begins with https://, http:// or tcp://.", _ADDRESS, lasting=True
        )
    if not host:
        raise NotSent(f"The address {line.url} is none: it names no machine.", _ADDRESS, lasting=True)
    if scheme == "tcp":
        return _over_tcp(line.url, body, wait)
    headers = {"Content-Type": content_type, "Accept": "application/xml, text/xml"} | _proof(line, wait)
    heard = _over_http(line.url, line.ca_file, body, headers, wait)
    if heard.status == 401 and line.credentials.kind == "oauth2":  # the token was withdrawn before its time
        _tokens.forget(line)
        heard = _over_http(line.url, line.ca_file, body, headers | _proof(line, wait), wait)
    if hear is not None:
        hear(heard)
    return _usable(line, heard)


class _Body(BytesIO):
    """A body that knows whether any of it has been handed to the network."""

    begun = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.begun = True
        return super().read(size)


def _over_http(url: str, ca_file: str, body: bytes, headers: dict[str, str], wait: float) -> Heard:
    sending, received = _Body(body), bytearray()
    try:
        answer = _pool(ca_file).request(
            "POST", url, body=sending, headers=headers | {"Content-Length": str(len(body))}, retries=False,
            timeout=urllib3.Timeout(connect=CONNECT, read=wait), redirect=False, preload_content=False,
        )  # fmt: skip
        _receive(answer, received, time.monotonic() + wait)
        return Heard(answer.status, dict(answer.headers), bytes(received))
    except (HTTPError, OSError) as no:
        # a wrong Content-Length, or none and a connection left open: what came may still be a whole answer
        if received and ncip.message_end(bytes(received)) is not None:
            return Heard(answer.status, dict(answer.headers), bytes(received))
        raise _failure(url, no, wait, begun=sending.begun) from no


def _receive(answer: urllib3.BaseHTTPResponse, received: bytearray, deadline: float) -> None:
    """The body into `received`, at most one byte more than LARGEST.

    A connection that was not read to its end is not used again: what is left on it would answer the next message. So it
    is after an interim answer (1xx): the real one may still follow.
    """
    framed = "Content-Length" in answer.headers or "chunked" in answer.headers.get("Transfer-Encoding", "").lower()
    if answer.status < 200:
        answer.close()
        return
    try:
        while part := answer.read1(65536, decode_content=True):
            received += part
            if len(received) > LARGEST or (not framed and ncip.message_end(bytes(received)) is not None):
                del received[LARGEST + 1 :]
                answer.close()
                return
            if time.monotonic() > deadline:
                raise TimeoutError
    except BaseException:
        answer.close()
        raise
    finally:
        answer.release_conn()


def _failure(url: str, no: Exception, wait: float, *, begun: bool) -> NotSent | NoReply:
    """What is known when there was no whole answer; `begun`: some of the message had left."""
    host = _host(url)
    if isinstance(no, SSLError):
        return _insecure(host, no, begun=begun)
    if isinstance(no, NameResolutionError | LocationParseError):
        return NotSent(f"There is no machine called {host}.", _ADDRESS)
    if isinstance(no, NewConnectionError | ConnectTimeoutError):
        return NotSent(_unreachable(url, no), _ROAD)
    if not begun:
        return NotSent(f"{host} took the connection but did not let a message in.", _ROAD)
    if isinstance(no, ReadTimeoutError | TimeoutError):
        return NoReply(f"{host} did not answer within {wait:.0f} seconds.")
    if isinstance(no, DecodeError):
        return NoReply(f"{host} sent an answer that cannot be unpacked.", answered=True)
    if "BadStatusLine" in repr(no):
        return NoReply(f"{host} answers, but not in HTTP: does the address need https:// or tcp://?", answered=True)
    return NoReply(f"{host} ended the connection without an answer.")


def _unreachable(url: str, no: Exception) -> str:
    """Why there is no connection: nobody listens, nobody answers, or no way leads there."""
    parts = urlsplit(url)
    where = f"{parts.hostname} cannot be reached"
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    cause = no if isinstance(no, OSError) else no.__cause__ or no.__context__
    late = isinstance(no, ConnectTimeoutError) and not isinstance(no, NewConnectionError)
    if late or isinstance(cause, TimeoutError):
        return f"{where}: no answer on port {port} within {CONNECT:.0f} seconds."
    if isinstance(cause, ConnectionRefusedError):
        return f"{where}: nothing listens on port {port}."
    if isinstance(cause, OSError) and cause.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return f"{where}: no way leads there from this machine."
    return f"{where}."


def _insecure(host: str, no: SSLError, *, begun: bool) -> NotSent | NoReply:
    """What failed between us: trust, the handshake, or the connection after the message had left."""
    cause = no.args[0] if no.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        remedy = _CERTIFICATE_REMEDY.get(cause.verify_code, "Its operators must mend that.")
        why = cause.verify_message.rstrip(".")
        return NotSent(f"The certificate of {host} is not trusted ({why}).", remedy, lasting=True)
    if any(word in str(no).upper().replace(" ", "_") for word in _NO_HANDSHAKE):
        remedy = (
            "Check whether the port speaks TLS at all; else its operators must say which versions of it they offer."
        )
        why = str(getattr(cause, "reason", None) or cause or no).replace("_", " ").lower()
        return NotSent(f"No secure connection to {host} can be made ({why}).", remedy, lasting=True)
    if not begun:
        return NotSent(f"No secure connection to {host} came about.", _ROAD)
    return NoReply(f"The secure connection to {host} broke.")


def _usable(line: Line, heard: Heard) -> bytes:
    host, status, answer = _host(line.url), heard.status, heard.body
    if len(answer) > LARGEST:
        raise NoReply(f"{host} sent an answer that is too large.", answered=True)
    start = answer.replace(b"\0", b"")  # also where every character has two bytes
    if b"NCIPMessage" in start or b"NCIPVersionMessage" in start:
        return answer  # some systems say what is wrong in NCIP and with a 4xx or 5xx
    if status in (401, 403, 407):
        raise NotSent(f"{host} does not accept our credentials (HTTP {status}).", _SIGN_IN, lasting=True, status=status)
    if status in (425, 429, 503):
        raise NotSent(f"{host} is out of service just now (HTTP {status}).", status=status)
    if status == 408:
        raise NoReply(f"{host} did not get the whole message in time (HTTP 408).")
    if status in (400, 406, 411, 413, 415, 422):
        raise NotSent(
            f"{host} does not take the message in this form (HTTP {status}).",
            "Check the path of the address; choose another dialect, or show the message to its operators.",
            lasting=True, status=status,
        )  # fmt: skip
    if 300 <= status < 400 and (moved := _moved_to(line.url, heard)):
        raise NotSent(
            f"{host} sends us on to {moved} (HTTP {status}).", "Set that address, if it is right.", lasting=True,
            status=status,
        )  # fmt: skip
    if 300 <= status < 500:
        raise NotSent(
            f"{host} has nothing at this address (HTTP {status}).",
            "Check the path of the address: what comes after the name of the machine.", lasting=True, status=status,
        )  # fmt: skip
    if status >= 500:
        raise NoReply(f"{host} failed while working on it (HTTP {status}).", answered=True)
    how = "" if status == 200 else f" (HTTP {status})"
    if not answer.strip():
        raise NoReply(f"{host} answered with nothing{how}.", answered=True)
    if b"<html" in answer[:2000].lower() or b"<!doctype html" in answer[:2000].lower():
        raise NoReply(f"{host} answered with a web page{how}, not with NCIP.", answered=True)
    raise NoReply(f"{host} answered with something that is not NCIP{how}.", answered=True)


def _moved_to(url: str, heard: Heard) -> str:
    """Where a redirection leads, without what may be secret in it."""
    location = next((value for name, value in heard.headers.items() if name.lower() == "location"), "")
    try:
        parts = urlsplit(urljoin(url, location))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200] if location else ""
    except ValueError:
        return ""


def _over_tcp(url: str, body: bytes, wait: float) -> bytes:
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        raise NotSent(f"The address {url} needs a host and a port: tcp://host:5001.", _ADDRESS, lasting=True)
    try:
        connection = socket.create_connection((parts.hostname, parts.port), timeout=CONNECT)
    except socket.gaierror as no:
        raise NotSent(f"There is no machine called {parts.hostname}.", _ADDRESS) from no
    except (OSError, UnicodeError) as no:
        raise NotSent(_unreachable(url, no), _ROAD) from no
    deadline, answer = time.monotonic() + wait, bytearray()
    with connection:
        try:
            connection.sendall(body + b"\n")
            while len(answer) <= LARGEST:
                connection.settimeout(max(deadline - time.monotonic(), 0.01))
                part = connection.recv(65536)
                answer += part
                if not part or (b">" in part and ncip.message_end(bytes(answer)) is not None):
                    break
        except OSError as no:
            if not answer:
                how = f"did not answer within {wait:.0f} seconds" if isinstance(no, TimeoutError) else "hung up"
                raise NoReply(f"{parts.hostname} {how}.") from no
    if len(answer) > LARGEST:
        raise NoReply(f"{parts.hostname} sent an answer that is too large.", answered=True)
    if not answer.strip():
        raise NoReply(f"{parts.hostname} closed the connection without an answer.")
    if answer.startswith(b"HTTP/"):
        why = f"{parts.hostname} speaks HTTP on this port."
        raise NotSent(why, "Let the address begin with http:// or https://.", lasting=True)
    return bytes(answer)


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


# --- who we are ---------------------------------------------------------------------------------------------------


def _proof(line: Line, wait: float) -> dict[str, str]:
    own = line.credentials
    secret = own.secret.strip()  # a line end comes along when a secret is pasted
    if own.kind == "basic":
        return {"Authorization": _basic(own)}
    if own.kind == "bearer":
        return _header("Authorization", f"Bearer {secret}")
    if own.kind == "api_key":
        return _header(own.header.strip(), secret)
    if own.kind == "oauth2":
        return _header("Authorization", f"Bearer {_tokens.get(line, wait)}")
    return {}


def _basic(own: Credentials) -> str:
    return f"Basic {base64.b64encode(f'{own.user}:{own.secret}'.encode()).decode()}"


def _header(name: str, value: str) -> dict[str, str]:
    """A header that can travel. The value is a secret: it is never shown."""
    if not _HEADER_NAME.fullmatch(name):
        raise NotSent(f"“{name}” cannot be the name of a header.", _SIGN_IN, lasting=True)
    if not _HEADER_VALUE.fullmatch(value):
        raise NotSent("The secret has characters that no header can carry.", "Type the secret anew.", lasting=True)
    return {name: value}


class _Token:
    """One access token; whoever needs it waits while it is fetched, nobody else does."""

    def __init__(self) -> None:
        self.lock, self.value, self.until = Lock(), "", 0.0


class _Tokens:
    """Access tokens by client credentials (RFC 6749, 4.4), kept in this process until shortly before they end."""

    def __init__(self) -> None:
        self._kept: dict[Credentials, _Token] = {}
        self._lock = Lock()

    def get(self, line: Line, wait: float) -> str:
        token = self._of(line)
        with token.lock:
            if time.monotonic() >= token.until:
                token.value, lasts = _fetched(line, wait)
                token.until = time.monotonic() + max(lasts - 30, 0)
            return token.value

    def forget(self, line: Line) -> None:
        token = self._of(line)
        with token.lock:
            token.until = 0.0

    def _of(self, line: Line) -> _Token:
        with self._lock:
            return self._kept.setdefault(line.credentials, _Token())


def _fetched(line: Line, wait: float) -> tuple[str, float]:
    """A new token and for how many seconds it lasts. Whatever fails here, no message has been sent."""
    own = line.credentials
    asked = {"grant_type": "client_credentials"} | ({"scope": own.scope} if own.scope else {})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", "Authorization": _basic(own),
    }  # fmt: skip
    host = _host(own.token_url)
    try:
        heard = _over_http(own.token_url, line.ca_file, urlencode(asked).encode(), headers, wait)
    except NotSent as no:
        raise NotSent(f"The access token could not be fetched: {no.why}", no.remedy, lasting=no.lasting) from no
    except NoReply as no:
        raise NotSent(f"The access token could not be fetched: {no.why}") from no
    said = _object(heard.body)
    token = said.get("access_token")
    if heard.status == 200 and isinstance(token, str) and token:
        return token, _seconds(said.get("expires_in"))
    lasting = heard.status < 500 and heard.status not in (408, 425, 429)
    error = f", {said['error']}" if isinstance(said.get("error"), str) else ""
    remedy = "Check the client id and its secret." if heard.status in (400, 401, 403) else "Check the token address."
    raise NotSent(
        f"{host} gave no access token (HTTP {heard.status}{error[:80]}).", remedy if lasting else "", lasting=lasting,
        status=heard.status,
    )  # fmt: skip


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _seconds(expires_in: object) -> float:
    """How long a token lasts; five minutes where its server does not say."""
    try:
        return float(expires_in)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 300.0


_tokens = _Tokens()
_pools: dict[tuple[str, float], urllib3.PoolManager] = {}
_pools_lock = Lock()


def _pool(ca_file: str) -> urllib3.PoolManager:
    """Connections are shared by all threads; one pool for each set of trusted certificates, as its file is now."""
    try:
        key = (ca_file, Path(ca_file).stat().st_mtime if ca_file else 0.0)
        with _pools_lock:
            if key not in _pools:
                trusted = ssl.create_default_context()
                if ca_file:
                    trusted.load_verify_locations(ca_file)
                _pools[key] = urllib3.PoolManager(num_pools=50, maxsize=16, ssl_context=trusted)
            return _pools[key]
    except OSError as no:  # SSLError among them
        remedy = "Check the file of certificates: its name, that it can be read, and that it is in PEM form."
        raise NotSent(f"The file {ca_file} has no certificates that can be read.", remedy, lasting=True) from no
