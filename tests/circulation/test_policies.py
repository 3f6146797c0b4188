"""Circulation's pure rules: which policy, may it be borrowed, when is it due, where does it go next.

Strategy: tables of cases that a librarian can check by eye, and properties that must hold on every calendar. Workflow
B6, B8, B11, B14, L3, L5, L6. No database.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from interlend.circulation.lifecycles import ITEM, RECENTLY_RECEIVED
from interlend.circulation.policies import (
    FALLBACK_RULE,
    Action,
    CollectionRule,
    DueDate,
    LoanFacts,
    LoanRule,
    MapRow,
    Next,
    PatronFacts,
    WaitingHold,
    add_period,
    as_wished,
    collection_rule,
    loan_rule,
    say_day,
    shelf_until,
    when_due,
    when_due_back,
    where_next,
    why_not_borrow,
    why_not_renew,
)
from interlend.libraries.policies import Closed, Hours, OpenDays

relaxed = settings(deadline=None)

#: a Monday
TODAY = date(2027, 4, 19)
ALWAYS = OpenDays()


def open_on(*weekdays: int, closed: tuple[Closed, ...] = ()) -> OpenDays:
    return OpenDays(tuple(Hours(day, time(9), time(17)) for day in weekdays), closed)


WEEKDAYS = open_on(0, 1, 2, 3, 4)
HOLIDAYS = open_on(0, 1, 2, 3, 4, closed=(Closed(date(2027, 5, 17), date(2027, 5, 21), "Spring holidays"),))

days = st.dates(date(2020, 1, 1), date(2040, 12, 31))
rules = st.builds(
    LoanRule,
    name=st.just("Standard"),
    period=st.integers(0, 400),
    unit=st.sampled_from(["days", "weeks", "months"]),
    include_closed_days=st.booleans(),
)


@st.composite
def calendars(draw: st.DrawFn) -> OpenDays:
    """A week with at least one open day (or none at all: always open), and a few closures of up to two months."""
    week = draw(st.sets(st.integers(0, 6)))
    closures = [
        Closed(first, first + timedelta(days=draw(st.integers(0, 60))))
        for first in draw(st.lists(st.dates(date(2026, 1, 1), date(2029, 1, 1)), max_size=3))
    ]
    return OpenDays(tuple(Hours(day, time(9), time(17)) for day in sorted(week)), tuple(closures))


# --- which loan policy ------------------------------------------------------------------------------------------

SHORT, LONG, NEVER = LoanRule("Short", period=7), LoanRule("Long", period=90), LoanRule("Never", circulates=False)
MAP = [
    MapRow(NEVER, shelving_location=9),
    MapRow(LONG, patron_type=2),
    MapRow(SHORT, material_format="DVD"),
    MapRow(SHORT, patron_type=1, holding_location=5),
]


@pytest.mark.parametrize(
    ("patron_type", "holding", "shelving", "material_format", "rule"),
    [
        (2, 5, 9, "DVD", NEVER),  # several rows match: the first one counts
        (2, 5, 1, "DVD", LONG),
        (1, 4, 1, "dvd", SHORT),  # formats are words: their case says nothing
        (1, 5, 1, "Book", SHORT),
        (1, 4, 1, "Book", FALLBACK_RULE),
        (3, 5, 1, "", FALLBACK_RULE),
    ],
)
def test_the_first_row_of_the_map_that_matches(
    patron_type: int, holding: int, shelving: int, material_format: str, rule: LoanRule
) -> None:
    assert loan_rule(MAP, patron_type, holding, shelving, material_format) is rule


def test_without_a_row_it_is_four_weeks() -> None:
    rule = loan_rule([], 1, 1, 1, "Book")
    assert (rule.circulates, rule.period, rule.unit) == (True, 28, "days")


cells = st.none() | st.integers(1, 3)
map_rows = st.lists(
    st.builds(
        MapRow, st.builds(LoanRule, st.uuids().map(str)), cells, cells, cells, st.sampled_from(["", "Book", "DVD"])
    )
)


@given(map_rows, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.sampled_from(["Book", "DVD", "Map"]))
@relaxed
def test_the_first_match_wins_on_every_map(
    rows: list[MapRow], patron_type: int, holding: int, shelving: int, material_format: str
) -> None:
    matching = [row for row in rows if row.matches(patron_type, holding, shelving, material_format)]
    chosen = loan_rule(rows, patron_type, holding, shelving, material_format)
    assert chosen == (matching[0].rule if matching else FALLBACK_RULE)
    assert loan_rule([*rows, MapRow(SHORT)], patron_type, holding, shelving, material_format) == (
        chosen if matching else SHORT
    )


# --- which collection type policy -------------------------------------------------------------------------------

BOTH = CollectionRule("both", holding_location=1, shelving_location=2)
HOLDING = CollectionRule("holding", holding_location=1)
SHELVING = CollectionRule("shelving", shelving_location=2)
EVERYTHING = CollectionRule("everything", available=False)


@pytest.mark.parametrize("order", list(permutations([BOTH, HOLDING, SHELVING, EVERYTHING])))
def test_the_most_specific_collection_type_policy_in_any_order(order: tuple[CollectionRule, ...]) -> None:
    assert collection_rule(order, 1, 2) is BOTH
    assert collection_rule(order, 1, 3) is HOLDING
    assert collection_rule(order, 3, 2) is SHELVING
    assert collection_rule(order, 3, 3) is EVERYTHING
    assert collection_rule([rule for rule in order if rule is not BOTH], 1, 2) is HOLDING


def test_without_a_collection_type_policy_an_item_is_available() -> None:
    rule = collection_rule([BOTH], 3, 3)
    assert (rule.available, rule.fulfills_holds) == (True, True)


# --- may it be borrowed -----------------------------------------------------------------------------------------

BLOCKED = PatronFacts("Mary Okafor", blocked_since=date(2027, 5, 3), block_reason="overdue limit")


@pytest.mark.parametrize(
    ("patron", "reasons"),
    [
        (PatronFacts("Mary Okafor"), []),
        (PatronFacts("Mary Okafor", expires_on=TODAY), []),  # the last day counts
        (PatronFacts("Mary Okafor", items_out=2, item_limit=3), []),
        (BLOCKED, ["The account of Mary Okafor is blocked since 3 May 2027 (overdue limit)."]),
        (
            PatronFacts("Mary Okafor", blocked_since=date(2027, 1, 1)),
            ["The account of Mary Okafor is blocked since 1 January 2027."],
        ),
        (
            PatronFacts("Mary Okafor", expires_on=date(2027, 4, 18)),
            ["The account of Mary Okafor expired on 18 April 2027."],
        ),
        (
            PatronFacts("Mary Okafor", items_out=3, item_limit=3, type_name="Student"),
            ["Mary Okafor has 3 items out; Student allows 3."],
        ),
        (PatronFacts("Mary Okafor", item_limit=0, type_name="Guest"), ["Mary Okafor has 0 items out; Guest allows 0."]),
    ],
)
def test_why_an_account_may_not_borrow(patron: PatronFacts, reasons: list[str]) -> None:
    assert [reason.sentence for reason in why_not_borrow(patron, TODAY)] == reasons


def test_every_reason_is_told_at_once_and_the_limit_may_be_left_out() -> None:
    patron = PatronFacts("M", date(2027, 1, 1), "", date(2027, 1, 2), items_out=9, item_limit=1, type_name="Guest")
    codes = [reason.code for reason in why_not_borrow(patron, TODAY)]
    assert codes == ["patron_blocked", "patron_expired", "limit_reached"]
    assert [reason.code for reason in why_not_borrow(patron, TODAY, count_limit=False)] == codes[:2]


# --- when is it due ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "period", "unit", "end"),
    [
        (date(2027, 1, 31), 1, "months", date(2027, 2, 28)),
        (date(2028, 1, 31), 1, "months", date(2028, 2, 29)),  # a leap year
        (date(2028, 2, 29), 12, "months", date(2029, 2, 28)),
        (date(2028, 2, 29), 48, "months", date(2032, 2, 29)),
        (date(2027, 12, 15), 1, "months", date(2028, 1, 15)),
        (date(2027, 3, 31), 6, "months", date(2027, 9, 30)),
        (date(2028, 2, 28), 1, "days", date(2028, 2, 29)),
        (date(2027, 2, 28), 1, "days", date(2027, 3, 1)),
        (date(2027, 12, 31), 4, "weeks", date(2028, 1, 28)),
        (date(2027, 4, 19), 0, "days", date(2027, 4, 19)),
    ],
)
def test_periods_end_where_a_calendar_says(start: date, period: int, unit: str, end: date) -> None:
    assert add_period(start, period, unit) == end


@given(days, st.integers(0, 240))
@relaxed
def test_months_keep_the_day_or_the_months_last(start: date, months: int) -> None:
    end = add_period(start, months, "months")
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    last_of_month = (end + timedelta(days=1)).month != end.month
    assert end.day == start.day or (end.day < start.day and last_of_month)


FOUR_WEEKS = LoanRule("Standard", period=28)  # from TODAY: Monday 17 May 2027


def due(open_days: OpenDays = ALWAYS, rule: LoanRule = FOUR_WEEKS, **more: Any) -> tuple[date, str, str]:
    """The day, the rule that decided, and its detail."""
    found = when_due(rule, TODAY, open_days, **more)
    (won,) = (reason for reason in found.reasons if reason.won)
    assert won.day == found.day
    return found.day, won.rule, won.detail


def test_policy_alone() -> None:
    assert due() == (date(2027, 5, 17), "policy", "Standard")


def test_the_stricter_of_lender_and_policy() -> None:
    """B11: the lender's date if it is earlier, and both dates are told."""
    assert due(lender_due=date(2027, 5, 12)) == (date(2027, 5, 12), "lender", "")
    assert due(lender_due=date(2027, 6, 30)) == (date(2027, 5, 17), "policy", "Standard")
    both = when_due(FOUR_WEEKS, TODAY, ALWAYS, lender_due=date(2027, 5, 12)).as_json()
    assert both == [
        {"rule": "policy", "day": "2027-05-17", "won": False, "detail": "Standard"},
        {"rule": "lender", "day": "2027-05-12", "won": True, "detail": ""},
    ]


def test_the_patrons_expiry_is_a_limit_too() -> None:
    assert due(expires_on=date(2027, 5, 1)) == (date(2027, 5, 1), "expiry", "")
    assert due(expires_on=date(2027, 5, 1), lender_due=date(2027, 4, 30))[1] == "lender"
    assert due(expires_on=date(2027, 5, 17))[1] == "policy"
    assert len(when_due(FOUR_WEEKS, TODAY, ALWAYS, expires_on=date(2027, 7, 1)).reasons) == 1


def test_a_policy_date_on_a_closed_day_moves_to_the_next_open_one() -> None:
    day, rule, detail = due(HOLIDAYS)
    assert (day, rule) == (date(2027, 5, 24), "policy")
    assert detail == "Standard; Spring holidays, so the next open day"
    assert due(WEEKDAYS, LoanRule("Odd", period=5))[0] == date(2027, 4, 26)  # Saturday -> Monday
    counts = LoanRule("Standard", period=28, include_closed_days=True)
    assert due(HOLIDAYS, counts) == (date(2027, 5, 17), "policy", "Standard")


def test_a_lenders_date_on_a_closed_day_moves_to_the_open_day_before() -> None:
    """Never later than the lender wants it, and on a day when the patron can bring it."""
    day, rule, detail = due(WEEKDAYS, lender_due=date(2027, 5, 16))  # a Sunday
    assert (day, rule) == (date(2027, 5, 14), "lender")
    assert detail == "16 May 2027: closed on Sundays, so the open day before"


def test_a_lenders_date_that_leaves_no_open_day_stays_as_it_is() -> None:
    closed = open_on(closed=(Closed(TODAY, TODAY + timedelta(days=20), "Flood"),))
    assert due(closed, lender_due=date(2027, 4, 25)) == (date(2027, 4, 25), "lender", "")


def test_a_lenders_date_that_has_passed_means_today() -> None:
    assert due(lender_due=date(2027, 4, 1)) == (TODAY, "lender", "1 April 2027 has passed, so today")


@given(rules, days, calendars(), st.none() | days, st.none() | days)
@relaxed
def test_a_due_date_keeps_every_promise(
    rule: LoanRule, today: date, open_days: OpenDays, lender: date | None, expires: date | None
) -> None:
    found = when_due(rule, today, open_days, lender_due=lender, expires_on=expires)
    assert found.day >= today
    if lender is not None:
        assert found.day <= max(lender, today)
    if expires is not None:
        assert found.day <= max(expires, today)
    (won,) = (reason for reason in found.reasons if reason.won)
    assert won.day == found.day == min(reason.day for reason in found.reasons)
    if not rule.include_closed_days and not open_days.is_open(found.day):
        # only where the strictest date leaves no open day at all
        between = (today + timedelta(days=n) for n in range((found.day - today).days + 1))
        assert not any(open_days.is_open(day) for day in between)


@given(rules, days, calendars())
@relaxed
def test_a_policy_alone_is_never_shorter_than_its_period(rule: LoanRule, today: date, open_days: OpenDays) -> None:
    found = when_due(rule, today, open_days)
    assert found.day >= add_period(today, rule.period, rule.unit)
    assert rule.include_closed_days or open_days.is_open(found.day)


@given(rules, days, calendars(), days)
@relaxed
def test_a_stricter_lender_never_lengthens_a_loan(
    rule: LoanRule, today: date, open_days: OpenDays, lender: date
) -> None:
    without = when_due(rule, today, open_days)
    with_lender = when_due(rule, today, open_days, lender_due=lender)
    day_before = when_due(rule, today, open_days, lender_due=lender - timedelta(days=1))
    assert day_before.day <= with_lender.day <= without.day


def test_what_we_lend_is_due_as_the_request_says() -> None:
    """L3: its own date as given, closed day or not; without one the policy."""
    given_day = when_due_back(FOUR_WEEKS, TODAY, WEEKDAYS, date(2027, 5, 16))
    assert (given_day.day, [(r.rule, r.won) for r in given_day.reasons]) == (
        date(2027, 5, 16),
        [("requested", True), ("policy", False)],
    )
    assert when_due_back(FOUR_WEEKS, TODAY, HOLIDAYS, None).day == date(2027, 5, 24)
    passed = when_due_back(FOUR_WEEKS, TODAY, ALWAYS, date(2027, 4, 1))
    assert (passed.day, passed.reasons[0].detail) == (TODAY, "the date given had passed")


@pytest.mark.parametrize(
    ("wished", "mandated", "day"),
    [
        (None, False, date(2027, 5, 17)),
        (date(2027, 5, 1), False, date(2027, 5, 1)),
        (date(2027, 6, 1), False, date(2027, 5, 17)),
        (date(2027, 4, 1), False, TODAY),
        (date(2027, 6, 1), True, date(2027, 6, 1)),
        (date(2027, 4, 1), True, date(2027, 4, 1)),
    ],
)
def test_a_wished_date_shortens_and_a_mandated_one_holds(wished: date | None, mandated: bool, day: date) -> None:
    decided = as_wished(when_due(FOUR_WEEKS, TODAY, ALWAYS), TODAY, wished, mandated=mandated)
    assert decided.day == day
    assert [reason.day for reason in decided.reasons if reason.won] == [day]


def test_a_due_date_without_reasons_is_a_due_date() -> None:
    assert DueDate(TODAY).as_json() == []


def test_days_are_said_as_people_say_them() -> None:
    assert say_day(date(2027, 5, 3)) == "3 May 2027"


# --- how long on the hold shelf ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shelf_days", "open_days", "until"),
    [
        (0, ALWAYS, TODAY),
        (7, ALWAYS, date(2027, 4, 26)),
        (7, WEEKDAYS, date(2027, 4, 28)),  # Tuesday to Friday, then Monday to Wednesday
        (1, open_on(6), date(2027, 4, 25)),
        (3, open_on(0, 1, 2, 3, 4, closed=(Closed(date(2027, 4, 20), date(2027, 4, 21)),)), date(2027, 4, 26)),
    ],
)
def test_shelf_days_are_open_days_after_today(shelf_days: int, open_days: OpenDays, until: date) -> None:
    assert shelf_until(TODAY, shelf_days, open_days) == until


@given(days, st.integers(0, 40), calendars())
@relaxed
def test_the_patron_has_every_promised_day(today: date, shelf_days: int, open_days: OpenDays) -> None:
    until = shelf_until(today, shelf_days, open_days)
    between = [today + timedelta(days=n) for n in range(1, (until - today).days + 1)]
    assert sum(open_days.is_open(day) for day in between) == shelf_days
    assert shelf_days == 0 or open_days.is_open(until)


# --- where does it go next --------------------------------------------------------------------------------------

HERE, HOME, THERE = 1, 2, 3
YES, NO = CollectionRule("yes", available=True), CollectionRule("no", available=False)
HOLD_HERE, HOLD_THERE = WaitingHold(7, HERE), WaitingHold(8, THERE)

#: (home, temporary, rule, hold, at the desk) -> what to do; the item is HERE
NEXT = [
    # somebody waits, and here is the pickup place: onto the shelf (B8), whatever else is true
    (HERE, False, YES, HOLD_HERE, True, Next(Action.HOLD, "desk.trap", None, 7)),
    (HOME, False, NO, HOLD_HERE, True, Next(Action.HOLD, "desk.trap", None, 7)),
    (HOME, True, NO, HOLD_HERE, True, Next(Action.HOLD, "desk.trap", None, 7)),
    # somebody waits elsewhere: there it goes (B6), also from home
    (HERE, False, YES, HOLD_THERE, True, Next(Action.SEND_TO_PICKUP, "desk.route", THERE, 8)),
    (HOME, True, NO, HOLD_THERE, True, Next(Action.SEND_TO_PICKUP, "desk.route", THERE, 8)),
    # nobody waits and it is not at home: home (B14)
    (HOME, False, YES, None, True, Next(Action.SEND_HOME, "desk.route", HOME)),
    (HOME, False, NO, None, True, Next(Action.SEND_HOME, "desk.route", HOME)),
    (HOME, True, NO, None, True, Next(Action.SEND_HOME, "desk.route", HOME)),
    # at home: a borrowed one is put away for the ILL office (B14), ours goes by its collection type (L5)
    (HERE, True, YES, None, True, Next(Action.ROUTE_TO_ILL, "desk.put_away")),
    (HERE, True, NO, None, True, Next(Action.ROUTE_TO_ILL, "desk.put_away")),
    (HERE, False, YES, None, True, Next(Action.RESHELVE, "desk.shelve")),
    (HERE, False, NO, None, True, Next(Action.RESHELVE, "desk.put_away")),
    # by message: the same, but nobody has it in the hand, so nothing becomes ready (B8)
    (HERE, False, YES, HOLD_HERE, False, Next(Action.SEND_TO_PICKUP, "host.route", HERE, 7)),
    (HOME, False, YES, HOLD_THERE, False, Next(Action.SEND_TO_PICKUP, "host.route", THERE, 8)),
    (HOME, False, YES, None, False, Next(Action.SEND_HOME, "host.route", HOME)),
    (HERE, True, NO, None, False, Next(Action.ROUTE_TO_ILL, "host.put_away")),
    (HERE, False, YES, None, False, Next(Action.RESHELVE, "host.shelve")),
    (HERE, False, NO, None, False, Next(Action.RESHELVE, "host.put_away")),
]


@pytest.mark.parametrize(("home", "temporary", "rule", "hold", "desk", "expected"), NEXT)
def test_where_it_goes_next(
    home: int, temporary: bool, rule: CollectionRule, hold: WaitingHold | None, desk: bool, expected: Next
) -> None:
    assert where_next(here=HERE, home_branch=home, temporary=temporary, rule=rule, hold=hold, desk=desk) == expected


@pytest.mark.parametrize("desk", [True, False])
@pytest.mark.parametrize("hold", [None, HOLD_HERE, HOLD_THERE])
@pytest.mark.parametrize("rule", [YES, NO])
@pytest.mark.parametrize("temporary", [True, False])
@pytest.mark.parametrize("home", [HERE, HOME, THERE])
def test_wherever_it_goes_the_table_lets_it(
    home: int, temporary: bool, rule: CollectionRule, hold: WaitingHold | None, desk: bool
) -> None:
    to = where_next(here=HERE, home_branch=home, temporary=temporary, rule=rule, hold=hold, desk=desk)
    for state in ITEM.states:
        if ITEM.allows(state, "desk.trap"):  # every state in which a scan finds an item
            assert ITEM.allows(state, to.trigger), (state, to)
    assert ITEM.allows(RECENTLY_RECEIVED, to.trigger)
    assert (to.going_to is None) == (to.action in (Action.HOLD, Action.RESHELVE, Action.ROUTE_TO_ILL))
    assert to.hold == (hold.key if hold else None)
    assert to.action != Action.HOLD or desk


# --- may it be renewed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loan", "codes"),
    [
        (LoanFacts("Friendly fire", TODAY, 0), []),
        (LoanFacts("Friendly fire", TODAY, 1), []),
        (LoanFacts("Friendly fire", TODAY, 2), ["no_more_renewals"]),
        (LoanFacts("Friendly fire", TODAY, 0, others_wait=True), ["others_wait"]),
        (LoanFacts("Friendly fire", TODAY, 0, borrowed_from="Brook", request="ALD-1"), ["ask_the_lender"]),
        (
            LoanFacts("Friendly fire", TODAY, 2, True, "Brook", "ALD-1"),
            ["ask_the_lender", "others_wait", "no_more_renewals"],
        ),
    ],
)
def test_why_a_loan_may_not_be_renewed(loan: LoanFacts, codes: list[str]) -> None:
    reasons = why_not_renew(loan, LoanRule("Standard", renewals=2))
    assert [reason.code for reason in reasons] == codes
    assert all(reason.sentence and reason.remedy for reason in reasons)


@given(st.integers(0, 9), st.integers(0, 9))
@relaxed
def test_renewals_are_counted(done: int, allowed: int) -> None:
    assume(done <= 9)
    assert bool(why_not_renew(LoanFacts("T", TODAY, done), LoanRule("R", renewals=allowed))) == (done >= allowed)
