"""Messages kept: what was said, by whom, how long it took, how it ended; secrets and patrons' particulars blanked.

Strategy: one INSERT a message; blanking works on the text, not on a tree, so that what cannot be parsed is blanked as
well. Barcodes stay, because without them nobody could follow a request. Purged after `KEPT_DAYS` by the worker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from interlend.bridge.models import Exchange
from interlend.outbox.prepared import said

KEPT_DAYS: Final = 90
LONGEST_BODY: Final = 64 * 1024
BLANK: Final = "***"

#: elements whose content tells a secret or who a patron is; in any namespace, whatever the prefix
_PRIVATE: Final = (
    "AuthenticationInputData|FromAgencyAuthentication|FromSystemAuthentication|ToAgencyAuthentication|"
    "ToSystemAuthentication|NameInformation|PersonalNameInformation|UnstructuredPersonalUserName|"
    "StructuredPersonalUserName|GivenName|Surname|Initials|UserAddressInformation|PhysicalAddress|ElectronicAddress|"
    "UnstructuredAddressData|ElectronicAddressData|DateOfBirth|NoticeContent|PreviousUserId"
)
# Up to the end tag of the same name or, where that is missing, to the end of the text: rather too much than too little.
_BLANKED: Final = re.compile(
    rf"(<(?:[\w.-]+:)?({_PRIVATE})(?:\s[^<>]*)?(?<!/)>)(?:.*?)(?=</(?:[\w.-]+:)?\2\s*>|\Z)", re.DOTALL
)
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "apikey", "x-okapi-token", "set-cookie"}
)
COLUMNS: Final = (
    "library_id", "direction", "peer", "service", "request", "item_barcode", "at", "duration_ms", "outcome", "detail",
    "http_status", "source", "headers", "message", "answer",
)  # fmt: skip
_INSERT: Final = f"INSERT INTO bridge_exchange ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608


@dataclass(slots=True)
class Kept:
    """What is to be kept of one exchange; filled as it becomes known."""

    direction: str = "in"
    library_id: int | None = None
    peer: str = ""
    service: str = ""
    request: str = ""
    item_barcode: str = ""
    outcome: str = "ok"
    detail: str = ""
    http_status: int | None = 200
    source: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def keep(kept: Kept, message: bytes, answer: bytes, at: datetime, duration_ms: int) -> None:
    """Write one row. `message` and `answer` are the bytes on the wire, already unwrapped.

    Plain SQL, because it is done for every message: the ORM takes five times as long to say the same.
    """
    row: dict[str, Any] = {
        "library_id": kept.library_id, "direction": kept.direction, "peer": _plain(kept.peer)[:120],
        "service": _plain(kept.service)[:60], "request": _plain(kept.request)[:60],
        "item_barcode": _plain(kept.item_barcode)[:60], "at": connection.ops.adapt_datetimefield_value(at),
        "duration_ms": duration_ms, "outcome": _plain(kept.outcome)[:120], "detail": _plain(kept.detail)[:500],
        "http_status": kept.http_status, "source": kept.source[:60],
        "headers": json.dumps(without_secrets(kept.headers)), "message": blanked(message), "answer": blanked(answer),
    }  # fmt: skip
    said(connection, _INSERT, [row[column] for column in COLUMNS])


def blanked(body: bytes) -> str:
    """A body as text without secrets and patrons' particulars; at most `LONGEST_BODY` characters of it."""
    text = _text(body)
    text = _BLANKED.sub(rf"\1{BLANK}", text) if "<" in text else _plain_form(text)
    if len(text) > LONGEST_BODY:
        text = f"{text[:LONGEST_BODY]}\n(… {len(text) - LONGEST_BODY} more characters)"
    return _plain(text)


def _text(body: bytes) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or (body[:4].count(0) in (1, 2, 3)):
        wide = "utf-32" if body[:4].count(0) > 2 else "utf-16"
        big = body[:1] in (b"\x00", b"\xfe")
        marked = body.startswith((b"\xff\xfe", b"\xfe\xff"))
        return body.decode(wide if marked else f"{wide}-{'be' if big else 'le'}", "replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _plain_form(text: str) -> str:
    """What is no XML may be anything, a form with a PIN for instance: only its length is kept."""
    return f"(no XML; {len(text)} characters, not kept)" if text else ""


def _plain(text: str) -> str:
    return text.replace("\x00", "\ufffd")  # PostgreSQL takes no NUL


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """HTTP headers less those that prove who somebody is."""
    return {name: BLANK if name.lower() in _SECRET_HEADERS else _plain(value)[:300] for name, value in headers.items()}


def purge(now: datetime, days: int = KEPT_DAYS, limit: int = 5000) -> int:
    """Delete what is older than `days`, at most `limit` rows a call; returns how many. Called by the worker."""
    old = Exchange.objects.filter(at__lt=now - timedelta(days=days)).order_by("at")
    gone, _ = Exchange.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()
    return gone
