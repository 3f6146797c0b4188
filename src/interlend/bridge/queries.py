"""Reads of the joins for pages: kept exchanges by what they were about, and how a library's host behaves.

Strategy: every list is bounded by the library and a time, or by a request, so that an index finds it however much was
kept; bodies are left out of lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from interlend.bridge.dialects import DIALECTS, GENERIC
from interlend.bridge.models import Exchange, HostSettings
from interlend.outbox.lifecycles import UNKNOWN, WAITING
from interlend.outbox.models import Errand

OK = "ok"
MOST_OF_A_REQUEST = 100


@dataclass(frozen=True)
class Sought:
    """What to look for; empty: anything. `ok` None: however it ended. `until` is the first moment that is too late."""

    since: datetime | None = None
    until: datetime | None = None
    request: str = ""
    direction: str = ""
    service: str = ""
    peer: str = ""
    ok: bool | None = None


def exchanges(library_id: int, sought: Sought) -> QuerySet[Exchange]:
    """The newest first, without bodies. Raises ValueError where neither a request nor a time bounds the search."""
    if sought.since is None and not sought.request:
        raise ValueError("a search among exchanges needs a time or a request")
    rows = Exchange.objects.filter(library_id=library_id)
    if sought.request:
        rows = _about(rows, sought.request)
    if sought.since is not None:
        rows = rows.filter(at__gte=sought.since)
    if sought.until is not None:
        rows = rows.filter(at__lt=sought.until)
    said = {"direction": sought.direction, "service": sought.service, "peer__icontains": sought.peer}
    rows = rows.filter(**{name: value for name, value in said.items() if value})
    if sought.ok is not None:
        rows = rows.filter(outcome=OK) if sought.ok else rows.exclude(outcome=OK)
    return _listed(rows) if sought.request else _listed(rows, "-at", "-id")


def exchanges_of_request(library_id: int, number: str) -> list[Exchange]:
    """The newest of what was said about one request."""
    return list(_listed(_about(Exchange.objects.filter(library_id=library_id), number))[:MOST_OF_A_REQUEST])


def last_said(library_id: int, request: str, service: str, item: str) -> datetime | None:
    """When such a message last went to the library's circulation about one item of a request; None: none is kept."""
    sent = _about(Exchange.objects.filter(library_id=library_id), request)
    sent = sent.filter(direction=Exchange.Direction.OUT, service=service, item_barcode=item)
    return sent.order_by("-id").values_list("at", flat=True).first()


def exchange(library_id: int, pk: int) -> Exchange | None:
    return Exchange.objects.filter(library_id=library_id, pk=pk).first()


def _about(rows: QuerySet[Exchange], number: str) -> QuerySet[Exchange]:
    """The index by request holds only rows that have one; the second condition tells the database that it will do."""
    return rows.filter(request=number).exclude(request="")


def _listed(rows: QuerySet[Exchange], *order: str) -> QuerySet[Exchange]:
    """By key unless said otherwise: an order by time would lead SQLite past the index by request."""
    return rows.order_by(*order or ("-id",)).defer("message", "answer", "headers")


def speaks_ncip(library_id: int) -> bool:
    """Whether the library's circulation is another system that is reached over NCIP."""
    return HostSettings.objects.filter(library_id=library_id, kind=HostSettings.Kind.NCIP).exists()


def names_by_symbol(library_id: int) -> bool:
    """Whether the library's circulation knows a borrowing institution by its symbol, so that it needs no account."""
    row = HostSettings.objects.filter(library_id=library_id, kind=HostSettings.Kind.NCIP).first()
    return row is not None and DIALECTS.get(row.dialect, GENERIC).institution_type is not None


@dataclass(frozen=True)
class HostHealth:
    """How the circulation system of a library answers. `silent_since` None: it answers. `waiting`: steps owed to it."""

    name: str
    silent_since: datetime | None = None
    paused_until: datetime | None = None
    last_ok_at: datetime | None = None
    waiting: int = 0


def host_health(library_id: int, now: datetime) -> HostHealth | None:
    """None where no other system is spoken to. One query, and one more while it is silent."""
    row = HostSettings.objects.filter(library_id=library_id, kind=HostSettings.Kind.NCIP).first()
    if row is None:
        return None
    waiting = 0
    if row.failing_since is not None:
        owed = Errand.objects.filter(library_id=library_id, state__in=(WAITING, UNKNOWN), party="host")
        waiting = owed.count()
    paused = row.paused_until if row.paused_until and row.paused_until > now else None
    return HostHealth(str(row), row.failing_since, paused, row.last_ok_at, waiting)
