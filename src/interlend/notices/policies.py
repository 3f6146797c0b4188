"""Pure questions about letters: when is one due. No Django."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def top_of_hour(now: datetime, zone: str) -> datetime:
    """The next full hour on the library's own clock (B9); `now` itself when it strikes just now.

    Zones with half-hour offsets have their full hour when ours is at thirty minutes.
    """
    local = now.astimezone(ZoneInfo(zone))
    struck = local.replace(minute=0, second=0, microsecond=0)
    if struck == local:
        return now
    # by way of the instant, so that a clock change between now and then cannot mislead
    return now + (struck.replace(tzinfo=None) + timedelta(hours=1) - local.replace(tzinfo=None))


def next_morning(now: datetime, zone: str, hour: int = 7) -> datetime:
    """The next time the library's clock shows `hour` (overdue notices go once a day, in the morning)."""
    local = now.astimezone(ZoneInfo(zone))
    morning = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if morning < local:
        morning = (morning + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))
    return morning.astimezone(now.tzinfo)
