"""When a letter is due: the top of the hour on the library's own clock (B9), the next morning; on every clock there is.

Strategy: cases at clock changes and in zones with odd offsets, and properties over instants and zones. No database.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlend.notices.policies import next_morning, top_of_hour

relaxed = settings(deadline=None)


def at(text: str) -> datetime:
    """ "2027-03-28 00:30" in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


CASES = [
    # now (UTC), zone, due (UTC), what the library's clock shows then
    ("2027-04-19 09:12", "UTC", "2027-04-19 10:00", "10:00"),
    ("2027-04-19 09:00", "UTC", "2027-04-19 09:00", "09:00"),  # it strikes just now
    ("2027-04-19 23:59:59.999999", "UTC", "2027-04-20 00:00", "00:00"),
    ("2027-12-31 23:30", "UTC", "2028-01-01 00:00", "00:00"),
    # zones whose full hour is not ours
    ("2027-04-19 09:12", "Asia/Kolkata", "2027-04-19 09:30", "15:00"),
    ("2027-04-19 09:30", "Asia/Kolkata", "2027-04-19 09:30", "15:00"),
    ("2027-04-19 09:31", "Asia/Kolkata", "2027-04-19 10:30", "16:00"),
    ("2027-04-19 09:12", "Asia/Kathmandu", "2027-04-19 09:15", "15:00"),
    ("2027-07-19 09:12", "Pacific/Chatham", "2027-07-19 09:15", "22:00"),
    ("2027-07-19 09:12", "America/St_Johns", "2027-07-19 09:30", "07:00"),
    # Berlin: from 02:00 the clock goes to 03:00
    ("2027-03-28 00:30", "Europe/Berlin", "2027-03-28 01:00", "03:00"),
    ("2027-03-28 01:00", "Europe/Berlin", "2027-03-28 01:00", "03:00"),
    # Berlin: from 03:00 back to 02:00, so 02:30 comes twice
    ("2027-10-31 00:30", "Europe/Berlin", "2027-10-31 01:00", "02:00"),
    ("2027-10-31 01:00", "Europe/Berlin", "2027-10-31 01:00", "02:00"),
    ("2027-10-31 01:30", "Europe/Berlin", "2027-10-31 02:00", "03:00"),
    # New York, both changes
    ("2027-03-14 06:45", "America/New_York", "2027-03-14 07:00", "03:00"),
    ("2027-11-07 05:15", "America/New_York", "2027-11-07 06:00", "01:00"),
    ("2027-11-07 06:15", "America/New_York", "2027-11-07 07:00", "02:00"),
]


@pytest.mark.parametrize(("now", "zone", "due", "shows"), CASES)
def test_the_top_of_the_librarys_hour(now: str, zone: str, due: str, shows: str) -> None:
    found = top_of_hour(at(now), zone)
    assert found == at(due)
    assert f"{found.astimezone(ZoneInfo(zone)):%H:%M}" == shows


ZONES = [
    "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "America/Sao_Paulo",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Chatham",
    "Pacific/Apia", "Africa/Casablanca", "Asia/Pyongyang",
]  # fmt: skip
instants = st.datetimes(datetime(1995, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
HOUR = timedelta(hours=1)


def near_changes(zone: str) -> st.SearchStrategy[datetime]:
    """Instants within two hours of a clock change of the zone, from 2020 to 2030."""
    days = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(3650)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    changes = [day for day, one, other in zip(days, offsets, offsets[1:], strict=False) if one != other]
    if not changes:
        return instants
    return st.builds(
        lambda day, minutes: day + timedelta(minutes=minutes), st.sampled_from(changes), st.integers(0, 1560)
    )


@pytest.mark.parametrize("zone", ZONES)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_it_is_soon_and_on_the_hour(zone: str, data: st.DataObject) -> None:
    now = data.draw(instants | near_changes(zone))
    due = top_of_hour(now, zone)
    assert timedelta(0) <= due - now < HOUR
    before, after = now.astimezone(ZoneInfo(zone)), due.astimezone(ZoneInfo(zone))
    shift = (after.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
    # Lord Howe's clock changes by half an hour: once a year a letter goes at half past
    if shift % HOUR == timedelta(0):
        assert (after.minute, after.second, after.microsecond) == (0, 0, 0)
    assert top_of_hour(due, zone) == due or shift % HOUR


@given(instants, st.sampled_from(ZONES), st.integers(-14, 14))
@relaxed
def test_the_zone_that_now_is_told_in_says_nothing(now: datetime, zone: str, hours: int) -> None:
    told = now.astimezone(timezone(timedelta(hours=hours)))
    assert top_of_hour(told, zone) == top_of_hour(now, zone)


def test_everything_of_one_hour_goes_together() -> None:
    """Letters of the same hour fall due at one moment, so that a patron gets one mail."""
    minutes = [at("2027-04-19 09:00") + timedelta(minutes=n, seconds=1) for n in range(59)]
    assert {top_of_hour(now, "Europe/Berlin") for now in minutes} == {at("2027-04-19 10:00")}


# --- the next morning -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("2027-04-19 09:12", "UTC", "2027-04-20 07:00"),
        ("2027-04-19 06:59", "UTC", "2027-04-19 07:00"),
        ("2027-04-19 07:00", "UTC", "2027-04-19 07:00"),
        ("2027-03-27 12:00", "Europe/Berlin", "2027-03-28 05:00"),  # summer time began in the night
        ("2027-10-30 12:00", "Europe/Berlin", "2027-10-31 06:00"),
        ("2027-04-19 02:00", "America/New_York", "2027-04-19 11:00"),
        ("2027-12-31 09:00", "Asia/Kolkata", "2028-01-01 01:30"),
    ],
)
def test_the_next_morning(now: str, zone: str, due: str) -> None:
    assert next_morning(at(now), zone) == at(due)


@given(instants, st.sampled_from(ZONES))
@relaxed
def test_a_morning_is_at_seven_and_within_a_day(now: datetime, zone: str) -> None:
    due = next_morning(now, zone)
    local = due.astimezone(ZoneInfo(zone))
    assert (local.hour, local.minute, local.second, local.microsecond) == (7, 0, 0, 0)
    # Samoa left out a whole day in 2011
    assert timedelta(0) <= due - now <= timedelta(hours=50 if zone == "Pacific/Apia" else 25)
