"""Pure questions about a library: who may do what, and which days and hours it is open. No database, no Django.

Open hours follow WorldShare's rule: a branch with hours of its own uses them, otherwise the library's; where neither
has any, it is open round the clock (circulation.md 3.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta

CIRCULATE, SHARE, ADMINISTER = "circulate", "share", "administer"

#: role -> (what people call it, what it may do). Looking is everybody's right within the own library.
ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "desk": ("Circulation desk", frozenset({CIRCULATE})),
    "ill": ("ILL staff", frozenset({SHARE, CIRCULATE})),
    "admin": ("Administrator", frozenset({CIRCULATE, SHARE, ADMINISTER})),
    "viewer": ("Read only", frozenset()),
}
#: duty -> the sentence shown to somebody who lacks it
DUTIES = {
    CIRCULATE: "Only the circulation desk, ILL staff and administrators may change patrons, items, holds and loans.",
    SHARE: "Only ILL staff and administrators may change requests.",
    ADMINISTER: "Only administrators may change settings.",
}


def may(roles: Iterable[str], duty: str) -> bool:
    return any(duty in ROLES[role][1] for role in roles if role in ROLES)


@dataclass(frozen=True, slots=True)
class Hours:
    """Open from `opens` to `closes` on `weekday` (Monday is 0), local time."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Closed:
    """Closed from `first_day` to `last_day`, both included."""

    first_day: date
    last_day: date
    why: str = ""


@dataclass(frozen=True)
class OpenDays:
    """The calendar of one place, in its own time zone. An empty week means: always open."""

    week: tuple[Hours, ...] = ()
    closures: tuple[Closed, ...] = ()

    def is_open(self, day: date) -> bool:
        if any(closure.first_day <= day <= closure.last_day for closure in self.closures):
            return False
        return not self.week or any(hours.weekday == day.weekday() for hours in self.week)

    def why_closed(self, day: date) -> str:
        """A short reason for a closed day: the closure's own word, else the weekday."""
        for closure in self.closures:
            if closure.first_day <= day <= closure.last_day:
                return closure.why or "closed"
        return f"closed on {day:%A}s"

    def next_open(self, day: date, limit: int = 366) -> date | None:
        """`day` or the first open day after it; None where no day within `limit` is open."""
        return self._seek(day, 1, limit)

    def last_open(self, day: date, limit: int = 366) -> date | None:
        """`day` or the last open day before it."""
        return self._seek(day, -1, limit)

    def _seek(self, day: date, step: int, limit: int) -> date | None:
        for _ in range(limit):
            if self.is_open(day):
                return day
            day += timedelta(days=step)
        return None
