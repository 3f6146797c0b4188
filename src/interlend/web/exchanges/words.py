"""What an exchange is called in words: its outcome with a meaning, how long it took, whose turn it was.

Strategy: the kept outcome is `ok`, a problem's own name, or what broke the exchange; one table says what each means.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from interlend.bridge.models import Exchange
from interlend.bridge.queries import OK
from interlend.web.told import told


@dataclass(frozen=True)
class Outcome:
    """A chip (`status_chip.html`) and the sentence behind it."""

    meaning: str
    word: str
    detail: str = ""


def outcome(row: Exchange) -> Outcome:
    """How it ended. `not sent:` and `no answer:` are ours; anything else is the name of the peer's problem."""
    kind, _colon, why = row.outcome.partition(": ")
    if row.outcome == OK:
        return Outcome("good", _("Went well"), told(row.detail))
    if kind == "not sent":
        return Outcome("stop", _("Not delivered"), told(why))
    if kind == "no answer":
        return Outcome("unknown", _("No answer"), told(why))
    if row.outcome == "unreadable":
        return Outcome("stop", _("Could not be read"), told(row.detail))
    return Outcome("look", _("Refused"), ". ".join(part for part in (row.outcome, told(row.detail)) if part))


def took(row: Exchange) -> str:
    """`43 ms`, `2.4 s`."""
    if row.duration_ms < 1000:
        return _("%(n)d ms") % {"n": row.duration_ms}
    return _("%(n).1f s") % {"n": row.duration_ms / 1000}


def way(row: Exchange) -> str:
    """Which way it went, with the peer's name."""
    peer = {"peer": row.peer or row.source or _("an unknown peer")}
    return (_("to %(peer)s") if row.direction == Exchange.Direction.OUT else _("from %(peer)s")) % peer


def service(row: Exchange) -> str:
    return row.service or _("message")
