"""Reads about a library that other rooms need: its calendar as a frozen record."""

from __future__ import annotations

from interlend.libraries.models import Closure, OpenHours
from interlend.libraries.policies import Closed, Hours, OpenDays


def open_days(library_id: int, branch_id: int | None = None) -> OpenDays:
    """The calendar of `branch_id` (its own week if it has one, else the library's). Two queries."""
    hours = list(OpenHours.objects.filter(library_id=library_id))
    own = [row for row in hours if row.branch_id == branch_id and branch_id is not None]
    week = own or [row for row in hours if row.branch_id is None]
    closures = Closure.objects.filter(library_id=library_id)
    return OpenDays(
        tuple(Hours(row.weekday, row.opens, row.closes) for row in week),
        tuple(Closed(row.first_day, row.last_day, row.why) for row in closures if row.branch_id in (None, branch_id)),
    )
