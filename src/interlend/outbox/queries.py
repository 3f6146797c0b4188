"""Reads of events and errands for pages: time lines, and what still waits."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from interlend.outbox.lifecycles import DONE, FAILED, UNKNOWN
from interlend.outbox.models import Errand, Event
from interlend.outbox.services import UNSETTLED


def events_of_item(library_id: int, item_key: int) -> QuerySet[Event]:
    return Event.objects.filter(library_id=library_id, item_key=item_key).order_by("-id")


def events_of_patron(library_id: int, patron_key: int) -> QuerySet[Event]:
    return Event.objects.filter(library_id=library_id, patron_key=patron_key).order_by("-id")


def events_of_request(library_id: int, request: str) -> QuerySet[Event]:
    return Event.objects.filter(library_id=library_id, request=request).order_by("-id")


def errands_of_request(library_id: int, request: str) -> QuerySet[Errand]:
    return Errand.objects.filter(library_id=library_id, request=request).order_by("id")


def errand(library_id: int, errand_id: int) -> Errand | None:
    return Errand.objects.filter(library_id=library_id, pk=errand_id).first()


def unsettled(library_id: int) -> QuerySet[Errand]:
    """Everything still owed, oldest first."""
    return Errand.objects.filter(library_id=library_id, state__in=UNSETTLED).order_by("id")


def parked(library_id: int) -> QuerySet[Errand]:
    """What waits for a person: failed, or nobody knows whether it happened."""
    return Errand.objects.filter(library_id=library_id, state__in=(FAILED, UNKNOWN)).order_by("id")


def lately_done(library_id: int, verbs: Iterable[str], most: int = 200) -> list[Errand]:
    """Those of the newest errands that were done and are of these kinds; a bounded look, not a search."""
    newest = Errand.objects.filter(library_id=library_id, state=DONE).order_by("-id")[:most]
    wanted = set(verbs)
    return [errand for errand in newest if errand.verb in wanted]
