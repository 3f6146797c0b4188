"""When a host is left alone, for how long, and what closes it again. Pure: no host, no database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from interlend.bridge.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Breaker, failed, succeeded
from tests.make import NOW


def after(failures: int) -> Breaker:
    breaker = Breaker(last_ok_at=NOW - timedelta(hours=1))
    for n in range(failures):
        breaker = failed(breaker, NOW + timedelta(minutes=n))
    return breaker


@pytest.mark.parametrize("failures", range(FAILURES))
def test_a_few_failures_are_no_reason_to_stop(failures: int) -> None:
    assert not after(failures).is_open(NOW + timedelta(minutes=failures))


def test_three_in_a_row_open_it_for_half_a_minute() -> None:
    breaker, last = after(FAILURES), NOW + timedelta(minutes=FAILURES - 1)
    assert breaker.paused_until == last + FIRST_PAUSE
    assert breaker.is_open(last)
    assert breaker.is_open(last + FIRST_PAUSE - timedelta(seconds=1))
    assert not breaker.is_open(last + FIRST_PAUSE), "then one may try"


@pytest.mark.parametrize(
    ("failures", "seconds"), [(3, 30), (4, 60), (5, 120), (7, 480), (8, 900), (9, 900), (500, 900)]
)
def test_the_pause_doubles_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    breaker = after(failures)
    assert breaker.paused_until == NOW + timedelta(minutes=failures - 1, seconds=seconds)
    assert timedelta(seconds=seconds) <= LONGEST_PAUSE


def test_it_remembers_since_when_and_when_it_last_went_well() -> None:
    breaker = after(5)
    assert breaker.failing_since == NOW
    assert breaker.last_ok_at == NOW - timedelta(hours=1)


def test_one_success_closes_it_and_the_count_begins_anew() -> None:
    later = NOW + timedelta(hours=1)
    assert succeeded(later) == Breaker(last_ok_at=later)
    assert not failed(failed(succeeded(later), later), later).is_open(later)
