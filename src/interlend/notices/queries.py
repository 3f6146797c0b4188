"""Reads of letters for pages."""

from __future__ import annotations

from django.db.models import QuerySet

from interlend.notices.lifecycles import FAILED, TO_PRINT, UNKNOWN
from interlend.notices.models import Letter


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
    return Letter.objects.filter(library_id=library_id, state__in=(TO_PRINT, FAILED, UNKNOWN)).order_by("id")
