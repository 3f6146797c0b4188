"""Reads of letters for pages."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from interlend.notices.lifecycles import FAILED, SENT, TO_PRINT, UNKNOWN
from interlend.notices.models import Letter

#: states in which a letter waits for somebody: to print, failed, or nobody knows
A_PERSON = (TO_PRINT, FAILED, UNKNOWN)


def letter(library_id: int, letter_id: int) -> Letter | None:
    return Letter.objects.filter(library_id=library_id, pk=letter_id).first()


def counts_by_state(library_id: int) -> dict[str, int]:
    rows = Letter.objects.filter(library_id=library_id).values("state").annotate(n=Count("id"))
    return {row["state"]: row["n"] for row in rows.order_by()}


def in_drawer(library_id: int) -> QuerySet[Letter]:
    """Letters that were "sent" into the drawer, the newest first."""
    return Letter.objects.filter(library_id=library_id, state=SENT, via="drawer").order_by("-sent_at", "-id")


def letters(library_id: int, state: str = "") -> QuerySet[Letter]:
    found = Letter.objects.filter(library_id=library_id)
    return (found.filter(state=state) if state else found).order_by("-id")


def letters_of_patron(library_id: int, patron_key: int) -> QuerySet[Letter]:
    return Letter.objects.filter(library_id=library_id, patron_key=patron_key).order_by("-id")


def letters_of_request(library_id: int, request: str) -> QuerySet[Letter]:
    return Letter.objects.filter(library_id=library_id, request=request).order_by("-id")


def letter_of_hold(library_id: int, hold_key: int) -> Letter | None:
    return Letter.objects.filter(library_id=library_id, hold_key=hold_key).order_by("-id").first()


def for_a_person(library_id: int) -> QuerySet[Letter]:
    """What waits for somebody: to print, failed, or nobody knows."""
    return Letter.objects.filter(library_id=library_id, state__in=A_PERSON).order_by("id")
