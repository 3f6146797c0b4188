"""A library's pure rules: roles and duties, open days. And the one read that turns rows into a calendar."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlend.libraries.models import Closure, OpenHours
from interlend.libraries.policies import ADMINISTER, CIRCULATE, DUTIES, ROLES, SHARE, Closed, Hours, OpenDays, may
from interlend.libraries.queries import open_days
from tests import make

relaxed = settings(deadline=None)

#: a Monday
MONDAY = date(2027, 4, 19)

# --- duties -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "duties"),
    [
        (["desk"], {CIRCULATE}),
        (["ill"], {CIRCULATE, SHARE}),
        (["admin"], {CIRCULATE, SHARE, ADMINISTER}),
        (["viewer"], set()),
        (["viewer", "desk"], {CIRCULATE}),
        ([], set()),
        (["director"], set()),  # a role that no longer exists gives nothing
    ],
)
def test_who_may_do_what(roles: list[str], duties: set[str]) -> None:
    assert {duty for duty in DUTIES if may(roles, duty)} == duties


def test_every_duty_is_somebodys_and_has_a_sentence() -> None:
    assert {duty for _, duties in ROLES.values() for duty in duties} == set(DUTIES)
    assert all(sentence.endswith(".") for sentence in DUTIES.values())


# --- open days --------------------------------------------------------------------------------------------------


def week(*weekdays: int) -> tuple[Hours, ...]:
    return tuple(Hours(day, time(9), time(17)) for day in weekdays)


EASTER = Closed(date(2027, 3, 26), date(2027, 3, 29), "Easter")
LIBRARY = OpenDays(week(0, 1, 2, 3, 4, 5), (EASTER, Closed(date(2027, 12, 24), date(2028, 1, 2))))


@pytest.mark.parametrize(
    ("day", "is_open", "why"),
    [
        (date(2027, 3, 25), True, None),
        (date(2027, 3, 26), False, "Easter"),
        (date(2027, 3, 28), False, "Easter"),  # a Sunday in the holidays: the holidays are the reason
        (date(2027, 3, 29), False, "Easter"),
        (date(2027, 3, 30), True, None),
        (date(2027, 4, 18), False, "closed on Sundays"),
        (date(2027, 12, 31), False, "closed"),
        (date(2028, 1, 3), True, None),
    ],
)
def test_is_it_open(day: date, is_open: bool, why: str | None) -> None:
    assert LIBRARY.is_open(day) == is_open
    assert is_open or LIBRARY.why_closed(day) == why


@pytest.mark.parametrize(
    ("day", "after", "before"),
    [
        (MONDAY, MONDAY, MONDAY),
        (date(2027, 4, 18), MONDAY, date(2027, 4, 17)),
        (date(2027, 3, 27), date(2027, 3, 30), date(2027, 3, 25)),
        (date(2027, 12, 25), date(2028, 1, 3), date(2027, 12, 23)),  # over the end of a year
    ],
)
def test_the_open_days_around(day: date, after: date, before: date) -> None:
    assert LIBRARY.next_open(day) == after
    assert LIBRARY.last_open(day) == before


def test_a_place_without_hours_is_always_open() -> None:
    assert all(OpenDays().is_open(MONDAY + timedelta(days=n)) for n in range(7))
    assert not OpenDays((), (EASTER,)).is_open(date(2027, 3, 26))


def test_a_place_that_never_opens_again() -> None:
    shut = OpenDays(week(0), (Closed(date(2020, 1, 1), date(2060, 1, 1), "Closed for good"),))
    assert shut.next_open(MONDAY) is None
    assert shut.last_open(MONDAY) is None


@st.composite
def calendars(draw: st.DrawFn) -> OpenDays:
    firsts = draw(st.lists(st.dates(date(2027, 1, 1), date(2027, 12, 31)), max_size=4))
    closures = tuple(Closed(first, first + timedelta(days=draw(st.integers(0, 40)))) for first in firsts)
    return OpenDays(week(*sorted(draw(st.sets(st.integers(0, 6))))), closures)


@given(calendars(), st.dates(date(2026, 6, 1), date(2028, 6, 1)))
@relaxed
def test_the_nearest_open_day_is_open_and_nearest(place: OpenDays, day: date) -> None:
    after, before = place.next_open(day), place.last_open(day)
    assert after is not None
    assert before is not None
    assert before <= day <= after
    assert place.is_open(after)
    assert place.is_open(before)
    skipped = (before + timedelta(days=n) for n in range(1, (after - before).days))
    assert place.is_open(day) or not any(place.is_open(between) for between in skipped)
    assert not place.is_open(day) or before == day == after
    assert place.is_open(day) or place.why_closed(day)


# --- rows -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_branch_with_hours_of_its_own_uses_them() -> None:
    library = make.make_library()
    annex = make.branch(library, "ANNEX")
    main = make.branch(library, "MAIN")
    for weekday in range(5):
        OpenHours.objects.create(library=library, weekday=weekday, opens=time(9), closes=time(17))
    OpenHours.objects.create(library=library, branch=annex, weekday=5, opens=time(10), closes=time(12))
    Closure.objects.create(library=library, first_day=MONDAY, last_day=MONDAY, why="Staff day")
    Closure.objects.create(library=library, branch=annex, first_day=date(2027, 4, 24), last_day=date(2027, 4, 24))
    saturday, tuesday = date(2027, 5, 1), date(2027, 4, 20)
    at_annex, at_main, anywhere = open_days(library.pk, annex.pk), open_days(library.pk, main.pk), open_days(library.pk)
    assert (at_annex.is_open(saturday), at_annex.is_open(tuesday)) == (True, False)
    assert (at_main.is_open(saturday), at_main.is_open(tuesday)) == (False, True)
    assert at_main == anywhere
    assert not at_annex.is_open(date(2027, 4, 24))
    assert at_main.why_closed(MONDAY) == at_annex.why_closed(MONDAY) == "Staff day"


@pytest.mark.django_db
def test_another_librarys_hours_say_nothing_about_ours() -> None:
    ours, other = make.make_library(), make.make_library("BRK", "Brook")
    OpenHours.objects.create(library=other, weekday=6, opens=time(9), closes=time(17))
    assert open_days(ours.pk) == OpenDays()
