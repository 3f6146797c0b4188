"""A host that keeps failing is left alone for a while; meanwhile work waits safely, and it catches up by itself.

Strategy: pure. Three failures in a row open it; each further failure doubles the pause up to a quarter of an hour; one
success closes it. When the pause is over a single try goes through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILURES = 3
#: how long one may try while all others wait for what comes of it
TRIAL = timedelta(seconds=90)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)


@dataclass(frozen=True)
class Breaker:
    """How a host has behaved lately. `paused_until` None: it is used."""

    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None
    last_ok_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def wants_a_trial(self, now: datetime) -> bool:
        """Whether its pause is over, so that one may try."""
        return self.paused_until is not None and now >= self.paused_until


def failed(breaker: Breaker, now: datetime) -> Breaker:
    failures = breaker.failures + 1
    since = breaker.failing_since or now
    if failures < FAILURES:
        return replace(breaker, failures=failures, failing_since=since)
    pause = min(FIRST_PAUSE * 2 ** min(failures - FAILURES, 10), LONGEST_PAUSE)
    return replace(breaker, failures=failures, failing_since=since, paused_until=now + pause)


def succeeded(now: datetime) -> Breaker:
    return Breaker(last_ok_at=now)
