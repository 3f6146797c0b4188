"""The kinds of letter: what each is about, whether that still holds when it goes, and which templates say it.

A kind has a folder of templates, `letters/<name>/`, which get the things it is about as `things`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone, translation

from interlend.circulation.lifecycles import OUT, READY
from interlend.circulation.models import Hold, Loan, Patron
from interlend.libraries.models import Library
from interlend.notices.models import Letter

Thing = Hold | Loan


def _holds(letters: Iterable[Letter], *, living: bool) -> dict[int, Thing]:
    keys = {letter.hold_key: letter.pk for letter in letters if letter.hold_key}
    holds = Hold.objects.filter(pk__in=keys).select_related("title", "pickup_branch", "patron", "library")
    return {keys[hold.pk]: hold for hold in (holds.filter(state=READY) if living else holds)}


def _loans(letters: Iterable[Letter], *, living: bool) -> dict[int, Thing]:
    keys = {letter.loan_key: letter.pk for letter in letters if letter.loan_key}
    loans = Loan.objects.filter(pk__in=keys).select_related("item__title", "patron", "library")
    return {keys[loan.pk]: loan for loan in (loans.filter(state=OUT) if living else loans)}


@dataclass(frozen=True)
class Kind:
    """`things` finds what letters are about, by letter key; `outdated` is why one need not go after all."""

    name: str
    things: Callable[..., dict[int, Thing]]
    outdated: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("hold_pickup", _holds, "The item is no longer waiting on the hold shelf."),
        Kind("overdue", _loans, "It came back in the meantime."),
    )
}


def render(kind: str, library: Library, patron: Patron, things: list[Thing], now: datetime) -> tuple[str, str]:
    """Subject and body in the library's language and zone."""
    known = {"library": library, "patron": patron, "things": things, "now": now}
    with translation.override(library.language), timezone.override(library.time_zone):
        subject = render_to_string(f"letters/{kind}/subject.txt", known)
        return " ".join(subject.split()), render_to_string(f"letters/{kind}/body.txt", known)
