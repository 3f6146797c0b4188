"""One message out, one answer in, over HTTP(S) or a bare TCP connection; and what is known when no answer came.

Strategy: the one distinction that matters is whether the message can have been acted on. `NotSent`: it cannot.
`NoReply`: it may have been. Connections are reused, certificates are verified, every wait has an end.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
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
#: what OpenSSL says before any message has left: these two will never speak TLS with each other as they are set up
_NO_HANDSHAKE: Final = (
    "WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "HANDSHAKE_FAILURE", "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE", "NO_PROTOCOLS_AVAILABLE", "CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNKNOWN_CA",
)  # fmt: skip
#: OpenSSL's codes for a certificate whose issuer is not among those we trust
_ISSUER_UNKNOWN: Final = (18, 19, 20, 21)


class NotSent(Exception):
    """The message cannot have been acted on. `lasting`: trying again by itself will not help. `why` is a sentence."""

    def __init__(self, why: str, *, lasting: bool = False) -> None:
        self.why, self.lasting = why, lasting
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


def exchange(line: Line, body: bytes, content_type: str, *, wait: float = PATIENT) -> bytes:
    """Send `body`, return the answer's body. Raises NotSent or NoReply, nothing else."""
    try:
        scheme, _ = urlsplit(line.url).scheme, urlsplit(line.url).port
    except ValueError as no:
        raise NotSent(f"The address {line.url} is none: {no}.", lasting=True) from no
    if scheme == "tcp":
        return _over_tcp(line.url, body, wait)
    if scheme not in ("http", "https"):
        raise NotSent(f"The address {line.url} is none: it begins with https://, http:// or tcp://.", lasting=True)
    headers = {"Content-Type": content_type, "Accept": "application/xml, text/xml"} | _proof(line, wait)
    status, answer = _over_http(line, body, headers, wait)
    if status == 401 and line.credentials.kind == "oauth2":  # the token was withdrawn before its time
        _tokens.forget(line)
        status, answer = _over_http(line, body, headers | _proof(line, wait), wait)
    return _usable(line, status, answer)


def _over_http(line: Line, body: bytes, headers: dict[str, str], wait: float) -> tuple[int, bytes]:
    timeout = urllib3.Timeout(connect=CONNECT, read=wait)
    try:
        answer = _pool(line.ca_file).request(
            "POST", line.url, body=body, headers=headers, timeout=timeout, retries=False, redirect=False,
            preload_content=False,
        )  # fmt: skip
        return answer.status, _read(answer, time.monotonic() + wait)
    except SSLError as no:
        raise _insecure(_host(line.url), no) from no
    except (NameResolutionError, LocationParseError) as no:
        raise NotSent(f"There is no machine called {_host(line.url)}.") from no
    except (NewConnectionError, ConnectTimeoutError) as no:
        raise NotSent(f"{_host(line.url)} cannot be reached.") from no
    except (ReadTimeoutError, TimeoutError) as no:
        raise NoReply(f"{_host(line.url)} did not answer within {wait:.0f} seconds.") from no
    except (HTTPError, OSError) as no:
        raise NoReply(f"{_host(line.url)} ended the connection without an answer.") from no


def _read(answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """The body, at most one byte more than LARGEST. A connection that was not read to its end is not used again."""
    received = bytearray()
    while part := answer.read1(65536, decode_content=True):
        received += part
        if len(received) > LARGEST or time.monotonic() > deadline:
            answer.close()
            break
    answer.release_conn()
    if time.monotonic() > deadline and len(received) <= LARGEST:
        raise TimeoutError
    return bytes(received[: LARGEST + 1])


def _insecure(host: str, no: SSLError) -> NotSent | NoReply:
    """What failed between us: trust, the handshake, or the connection after the message had left."""
    cause = no.args[0] if no.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        remedy = "its operators must mend that."
        if cause.verify_code in _ISSUER_UNKNOWN:
            remedy = "name the file with the certificate of its issuer in the settings of this host."
        why = cause.verify_message.rstrip(".")
        return NotSent(f"The certificate of {host} is not trusted ({why}): {remedy}", lasting=True)
    if any(word in str(no).upper().replace(" ", "_") for word in _NO_HANDSHAKE):
        return NotSent(f"No secure connection to {host} can be made ({cause or no}).", lasting=True)
    return NoReply(f"The secure connection to {host} broke.")


def _usable(line: Line, status: int, answer: bytes) -> bytes:
    host = _host(line.url)
    if len(answer) > LARGEST:
        raise NoReply(f"{host} sent an answer that is too large.")
    if b"NCIPMessage" in answer or b"NCIPVersionMessage" in answer:
        return answer  # some systems say what is wrong in NCIP and with a 4xx or 5xx
    if status in (401, 403, 407):
        raise NotSent(f"{host} does not accept our credentials (HTTP {status}).", lasting=True)
    if status in (429, 503):
        raise NotSent(f"{host} is out of service just now (HTTP {status}).")
    if status == 408:
        raise NoReply(f"{host} did not get the whole message in time (HTTP 408).")
    if status in (400, 406, 411, 413, 415, 422):
        raise NotSent(f"{host} does not take the message in this form (HTTP {status}).", lasting=True)
    if 300 <= status < 500:
        raise NotSent(f"{host} has nothing at this address (HTTP {status}).", lasting=True)
    if status >= 500:
        raise NoReply(f"{host} failed while working on it (HTTP {status}).", answered=True)
    raise NoReply(f"{host} answered with something that is not NCIP.", answered=True)


def _over_tcp(url: str, body: bytes, wait: float) -> bytes:
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        raise NotSent(f"The address {url} needs a host and a port: tcp://host:5001.", lasting=True)
    try:
        connection = socket.create_connection((parts.hostname, parts.port), timeout=CONNECT)
    except OSError as no:
        raise NotSent(f"{parts.hostname} cannot be reached.") from no
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
        raise NoReply(f"{parts.hostname} sent an answer that is too large.")
    if not answer.strip():
        raise NoReply(f"{parts.hostname} closed the connection without an answer.")
    return bytes(answer)


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


# --- who we are ---------------------------------------------------------------------------------------------------


def _proof(line: Line, wait: float) -> dict[str, str]:
    own = line.credentials
    if own.kind == "basic":
        pair = base64.b64encode(f"{own.user}:{own.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    if own.kind == "bearer":
        return {"Authorization": f"Bearer {own.secret}"}
    if own.kind == "api_key":
        return {own.header: own.secret}
    if own.kind == "oauth2":
        return {"Authorization": f"Bearer {_tokens.get(line, wait)}"}
    return {}


class _Tokens:
    """Access tokens by client credentials (RFC 6749, 4.4), kept in this process until shortly before they end."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[str, float]] = {}
        self._lock = Lock()

    def get(self, line: Line, wait: float) -> str:
        own = line.credentials
        key = (own.token_url, own.user, own.scope)
        with self._lock:
            token, until = self._kept.get(key, ("", 0.0))
            if time.monotonic() < until:
                return token
            token, lasts = self._fetch(line, wait)
            self._kept[key] = (token, time.monotonic() + max(lasts - 30, 0))
            return token

    def forget(self, line: Line) -> None:
        own = line.credentials
        with self._lock:
            self._kept.pop((own.token_url, own.user, own.scope), None)

    def _fetch(self, line: Line, wait: float) -> tuple[str, float]:
        own = line.credentials
        asked = {"grant_type": "client_credentials"} | ({"scope": own.scope} if own.scope else {})
        pair = base64.b64encode(f"{own.user}:{own.secret}".encode()).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {pair}"}
        host = _host(own.token_url)
        try:
            answer = _pool(line.ca_file).request(
                "POST", own.token_url, body=urlencode(asked), headers=headers, retries=False, redirect=False,
                timeout=urllib3.Timeout(connect=CONNECT, read=wait),
            )  # fmt: skip
            said = json.loads(answer.data)
            return str(said["access_token"]), float(said.get("expires_in", 300))
        except SSLError as no:
            raise NotSent(_insecure(host, no).why, lasting=True) from no
        except (HTTPError, OSError) as no:
            raise NotSent(f"{host}, which gives the access token, cannot be reached.") from no
        except (ValueError, KeyError, TypeError) as no:
            raise NotSent(f"{host} gave no access token (HTTP {answer.status}).", lasting=answer.status < 500) from no


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
        raise NotSent(f"The file {ca_file} has no certificates that can be read.", lasting=True) from no
