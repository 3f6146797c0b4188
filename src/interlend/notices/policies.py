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
