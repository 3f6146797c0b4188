"""Pure questions: may it be borrowed, when is it due, where next. Frozen facts in, a verdict with reasons out.

No database and no clock: services fetch the facts and pass the day. Sources: circulation.md sections 3, 4 and 6.2 of
the reference; workflow steps B6, B8, B11, B14, L3, L5, L6.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from interlend.circulation.errors import Reason
from interlend.libraries.policies import OpenDays

# --- choosing a policy ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoanRule:
    """A loan policy as the pure functions see it. `unit` is days, weeks or months."""

    name: str
    circulates: bool = True
    period: int = 28
    unit: str = "days"
    include_closed_days: bool = False
    renewals: int = 2


@dataclass(frozen=True, slots=True)
class MapRow:
    """One row of the loan policy map; None and "" match anything."""

    rule: LoanRule
    patron_type: int | None = None
    holding_location: int | None = None
    shelving_location: int | None = None
    material_format: str = ""

    def matches(self, patron_type: int, holding: int, shelving: int, material_format: str) -> bool:
        return (
            self.patron_type in (None, patron_type)
            and self.holding_location in (None, holding)
            and self.shelving_location in (None, shelving)
            and self.material_format.casefold() in ("", material_format.casefold())
        )


#: where no row of the map matches: four weeks, so that a forgotten row never stops the desk
FALLBACK_RULE = LoanRule("no matching loan policy", period=28)


def loan_rule(rows: Iterable[MapRow], patron_type: int, holding: int, shelving: int, material_format: str) -> LoanRule:
    """The first row that matches, read top to bottom (WorldShare's loan policy map)."""
    for row in rows:
        if row.matches(patron_type, holding, shelving, material_format):
            return row.rule
    return FALLBACK_RULE


@dataclass(frozen=True, slots=True)
class CollectionRule:
    """A collection type policy: what check-in makes of an item, and whether it may fill holds."""

    name: str
    available: bool = True
    fulfills_holds: bool = True
    holding_location: int | None = None
    shelving_location: int | None = None


def collection_rule(rules: Iterable[CollectionRule], holding: int, shelving: int) -> CollectionRule:
    """The most specific match wins: both locations, then holding alone, then shelving alone, then the catch-all."""
    best, best_score = CollectionRule("no matching collection type policy"), -1
    for rule in rules:
        if rule.holding_location not in (None, holding) or rule.shelving_location not in (None, shelving):
            continue
        score = 2 * (rule.holding_location is not None) + (rule.shelving_location is not None)
        if score > best_score:
            best, best_score = rule, score
    return best


# --- may it be borrowed -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PatronFacts:
    """What decides whether an account may borrow. `items_out` counts open loans."""

    name: str
    blocked_since: date | None = None
    block_reason: str = ""
    expires_on: date | None = None
    items_out: int = 0
    item_limit: int | None = None
    type_name: str = ""


def why_not_borrow(patron: PatronFacts, today: date, *, count_limit: bool = True) -> list[Reason]:
    """Every reason against lending to this account today; empty where there is none."""
    reasons = []
    if patron.blocked_since is not None:
        why = f" ({patron.block_reason})" if patron.block_reason else ""
        since = f" since {say_day(patron.blocked_since)}"
        reasons.append(Reason("patron_blocked", {"name": patron.name, "since": since, "why": why}))
    if patron.expires_on is not None and patron.expires_on < today:
        reasons.append(Reason("patron_expired", {"name": patron.name, "day": say_day(patron.expires_on)}))
    if count_limit and patron.item_limit is not None and patron.items_out >= patron.item_limit:
        facts = {"name": patron.name, "count": patron.items_out, "limit": patron.item_limit, "policy": patron.type_name}
        reasons.append(Reason("limit_reached", facts))
    return reasons


def say_day(day: date) -> str:
    """A date for a sentence: "12 May 2027"."""
    return f"{day.day} {day:%B %Y}"


# --- when is it due ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DueReason:
    """One date that was considered. `rule` is policy, lender, requested, expiry or staff; `won` if it decided."""

    rule: str
    day: date
    won: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DueDate:
    """A due day with every date that was considered, in the order of thought."""

    day: date
    reasons: tuple[DueReason, ...] = ()

    def as_json(self) -> list[dict[str, object]]:
        return [{"rule": r.rule, "day": r.day.isoformat(), "won": r.won, "detail": r.detail} for r in self.reasons]


def add_period(start: date, period: int, unit: str) -> date:
    """`start` plus a loan period; months keep the day of the month, clipped at the month's end."""
    if unit == "months":
        years, month = divmod(start.month - 1 + period, 12)
        year, month = start.year + years, month + 1
        return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
    return start + timedelta(days=period * (7 if unit == "weeks" else 1))


def when_due(
    rule: LoanRule, today: date, open_days: OpenDays, *, lender_due: date | None = None, expires_on: date | None = None
) -> DueDate:
    """The stricter of policy, lender's date and the patron's expiry (B11); a lender's date is never made later.

    A policy date on a closed day moves to the next open day unless the policy includes closed days; a cap that falls
    on a closed day moves to the last open day before it, so that the patron can keep it. Never before today.
    """
    policy = _policy_reason(rule, today, open_days)
    considered = [policy]
    if lender_due is not None:
        considered.append(_cap("lender", lender_due, today, open_days))
    if expires_on is not None and expires_on < policy.day:
        considered.append(_cap("expiry", expires_on, today, open_days))
    winner = min(considered, key=lambda reason: reason.day)
    return DueDate(winner.day, tuple(_won(reason, reason is winner) for reason in considered))


def when_due_back(rule: LoanRule, today: date, open_days: OpenDays, requested: date | None) -> DueDate:
    """For what we lend (L3): the request's own date as given, otherwise the loan policy."""
    policy = _policy_reason(rule, today, open_days)
    if requested is None:
        return DueDate(policy.day, (_won(policy, True),))
    day = max(requested, today)
    given = DueReason("requested", day, True, "the date given had passed" if requested < today else "")
    return DueDate(day, (given, _won(policy, False)))


def as_wished(due: DueDate, today: date, wished: date | None, *, mandated: bool = False) -> DueDate:
    """A due date with the day that a message wishes: an earlier one is kept to, a later one does not lengthen.

    `mandated`: the loan has already been made with that date elsewhere, so it holds whatever it is.
    """
    if wished is None or (not mandated and wished >= due.day):
        return due
    day = wished if mandated else max(wished, today)
    given = DueReason("requested", day, True, "it was made elsewhere with this date" if mandated else "")
    return DueDate(day, (given, *(_won(reason, False) for reason in due.reasons)))


def _policy_reason(rule: LoanRule, today: date, open_days: OpenDays) -> DueReason:
    day = add_period(today, rule.period, rule.unit)
    moved = day if rule.include_closed_days else (open_days.next_open(day) or day)
    detail = rule.name if moved == day else f"{rule.name}; {open_days.why_closed(day)}, so the next open day"
    return DueReason("policy", moved, False, detail)


def _cap(name: str, day: date, today: date, open_days: OpenDays) -> DueReason:
    if day < today:
        return DueReason(name, today, False, f"{say_day(day)} has passed, so today")
    earlier = open_days.last_open(day) or day
    if earlier < today or earlier == day:
        return DueReason(name, day)
    return DueReason(name, earlier, False, f"{say_day(day)}: {open_days.why_closed(day)}, so the open day before")


def _won(reason: DueReason, won: bool) -> DueReason:
    return DueReason(reason.rule, reason.day, won, reason.detail)


def shelf_until(today: date, shelf_days: int, open_days: OpenDays) -> date:
    """The last day on the hold shelf: `shelf_days` open days after today."""
    day = today
    for _ in range(shelf_days):
        day = open_days.next_open(day + timedelta(days=1)) or day + timedelta(days=1)
    return day


# --- where does it go next --------------------------------------------------------------------------------------


class Action(StrEnum):
    """The word of the Action column (circulation.md 6.2)."""

    HOLD = "hold"  # here is the pickup place: hold shelf
    SEND_TO_PICKUP = "send_to_pickup"
    SEND_HOME = "send_home"
    RESHELVE = "reshelve"
    ROUTE_TO_ILL = "route_to_ill"  # a temporary item is home and done: Unavailable


@dataclass(frozen=True, slots=True)
class WaitingHold:
    """An open hold this item may fill, the first of its queue."""

    key: int
    pickup_branch: int


@dataclass(frozen=True, slots=True)
class Next:
    """What to do with a scanned item: the action, the item's trigger in `lifecycles.ITEM`, and where to send it."""

    action: Action
    trigger: str
    going_to: int | None = None
    hold: int | None = None


def where_next(
    *, here: int, home_branch: int, temporary: bool, rule: CollectionRule, hold: WaitingHold | None, desk: bool = True
) -> Next:
    """The check-in decision. `desk=False` is a check-in by message: nobody scanned it, so nothing becomes *ready*.

    A hold goes first (L6); at its pickup place the item is trapped (B8), elsewhere it is sent there (B6). Without a
    hold it goes home; at home a temporary item is put away (B14) and an own item goes by its collection type (L5).
    """
    party = "desk" if desk else "host"
    if hold is not None:
        if hold.pickup_branch == here and desk:
            return Next(Action.HOLD, "desk.trap", None, hold.key)
        return Next(Action.SEND_TO_PICKUP, f"{party}.route", hold.pickup_branch, hold.key)
    if here != home_branch:
        return Next(Action.SEND_HOME, f"{party}.route", home_branch)
    if temporary:
        return Next(Action.ROUTE_TO_ILL, f"{party}.put_away")
    return Next(Action.RESHELVE, f"{party}.shelve" if rule.available else f"{party}.put_away")


# --- may it be renewed ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoanFacts:
    """What decides a renewal."""

    title: str
    due_on: date
    renewals: int
    others_wait: bool = False
    borrowed_from: str = ""
    request: str = ""


def why_not_renew(loan: LoanFacts, rule: LoanRule) -> list[Reason]:
    """Every reason against renewing. A borrowed item is the lender's to lengthen."""
    reasons: list[Reason] = []
    if loan.borrowed_from:
        facts: dict[str, object] = {"title": loan.title, "partner": loan.borrowed_from, "request": loan.request}
        reasons.append(Reason("ask_the_lender", facts))
    if loan.others_wait:
        reasons.append(Reason("others_wait", {"title": loan.title}))
    if loan.renewals >= rule.renewals:
        facts = {"title": loan.title, "count": loan.renewals, "policy": rule.name, "limit": rule.renewals}
        reasons.append(Reason("no_more_renewals", facts))
    return reasons


@dataclass(frozen=True, slots=True)
class TemporaryPlaces:
    """Where temporary items live and go home to (B5, B14): keys of branches and of a shelving location."""

    enabled: bool
    holding_location: int
    shelving_location: int
    home_branch: int


@dataclass(frozen=True)
class Policies:
    """Everything that scans and messages need of a library's choices, loaded together.

    `branch_days` has the branches whose calendar is not the library's own.
    """

    loan_map: Sequence[MapRow] = ()
    collection: Sequence[CollectionRule] = ()
    library_days: OpenDays = field(default_factory=OpenDays)
    branch_days: Mapping[int, OpenDays] = field(default_factory=dict)
    request_days: int = 365
    shelf_days: int = 7
    temporary: TemporaryPlaces | None = None

    def open_days(self, branch: int | None = None) -> OpenDays:
        """The calendar of a branch, or of the library."""
        return self.library_days if branch is None else self.branch_days.get(branch, self.library_days)
