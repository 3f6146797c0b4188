"""The desk: check in, check out, renew, change the due date (workflow B8-B14, L7-L9).

A scan is one call with a fixed number of queries. Scanning twice is answered, not punished: nothing is doubled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from interlend.circulation import choices, facts
from interlend.circulation.errors import Refused, refuse
from interlend.circulation.lifecycles import HOLD, HOLD_IN_TRANSIT, LOAN, MISSING, ON_LOAN, OUT, READY
from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.circulation.policies import (
    Action,
    DueDate,
    DueReason,
    LoanRule,
    as_wished,
    loan_rule,
    say_day,
    when_due,
    when_due_back,
    why_not_borrow,
)
from interlend.circulation.queries import open_holds_on, open_loan, patron_facts, renewal_refusals
from interlend.circulation.services.scan import close_loan, locked_item, move_item, send_on
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch
from interlend.outbox.prepared import Prepared, insert, update
from interlend.outbox.services import Entries, again_if_raced, written_down


@dataclass
class Prompt:
    """What sharing staff must hear of: `request` is to be updated (B13, L9). `side` is borrowing or lending."""

    request: str
    partner: str
    side: str


@dataclass
class CheckedIn:
    """The answer to one check-in scan; the page makes a row of it."""

    item: Item
    action: Action
    going_to: Branch | None = None
    hold: Hold | None = None
    loan: Loan | None = None
    prompt: Prompt | None = None
    expired_hold: Hold | None = None
    alerts: list[str] = field(default_factory=list)


@dataclass
class CheckedOut:
    """The answer to one check-out scan. `repeated`: the item was already out to this patron; nothing changed."""

    loan: Loan
    hold: Hold | None = None
    repeated: bool = False
    alerts: list[str] = field(default_factory=list)


# --- check in ---------------------------------------------------------------------------------------------------


def check_in(desk: Desk, barcode: str, now: datetime, *, backdated_to: datetime | None = None) -> CheckedIn:
    """Take an item in at this desk and say where it goes. Refuses an unknown barcode and a desk without a branch."""
    here = _here(desk)
    if backdated_to is not None and backdated_to > now:
        raise refuse("bad_date", day=say_day(desk.today(backdated_to)), why="it has not come yet")
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = locked_item(desk, barcode)
        alerts = _alerts_at_check_in(item)
        loan = close_loan(item, "desk.check_in", now, backdated_to)
        _refuse_return_before_loan(desk, loan, backdated_to)
        prompt = _tell_sharing(item, loan, entries) if loan else None
        request = item.request
        if loan is not None and not item.temporary:
            forget_the_request(item)
        sent = send_on(item, desk, here, now, entries)
        if loan is not None and loan.due_on < desk.today(backdated_to or now):
            alerts.append(f"It was due {say_day(loan.due_on)}.")
        entries.record(
            facts.CHECKED_IN, item=item.pk, patron=loan.patron_id if loan else None, request=request,
            word=word_for(sent.action, sent.going_to), action=sent.action, returned=bool(loan),
            loan=loan.pk if loan else None,
        )  # fmt: skip
    return CheckedIn(item, sent.action, sent.going_to, sent.hold, loan, prompt, sent.expired, alerts)


def _refuse_return_before_loan(desk: Desk, loan: Loan | None, backdated_to: datetime | None) -> None:
    if loan is not None and backdated_to is not None and backdated_to < loan.checked_out_at:
        why = f"the item was lent after that, on {say_day(desk.today(loan.checked_out_at))}"
        raise refuse("bad_date", day=say_day(desk.today(backdated_to)), why=why)


def word_for(action: Action, going_to: Branch | None) -> str:
    """The Action column in English, for history."""
    if going_to is not None:
        return f"send to {going_to.name}"
    return {Action.HOLD: "hold shelf", Action.ROUTE_TO_ILL: "route to ILL"}.get(action, "reshelve")


def forget_the_request(item: Item) -> None:
    """L8: once back, our own item no longer shows whom it was lent to; the loan keeps it."""
    item.request = item.partner_symbol = item.partner_name = ""
    item.lender_due = None


def _here(desk: Desk) -> Branch:
    if desk.branch_id is None:
        raise refuse("bad_place")
    here = choices.branches(desk.library_id).get(desk.branch_id)
    if here is None:
        raise refuse("bad_place")
    return here


def _alerts_at_check_in(item: Item) -> list[str]:
    alerts = []
    if item.state == MISSING:
        alerts.append("It was marked missing.")
    if item.note.startswith("!"):
        alerts.append(item.note[1:].strip())
    return alerts


def _tell_sharing(item: Item, loan: Loan, entries: Entries) -> Prompt | None:
    """A fact for whoever hears it (the bridge), and the prompt for the person at the desk."""
    if not loan.request:
        return None
    kind = facts.TEMPORARY_ITEM_RETURNED if item.temporary else facts.LENT_ITEM_RETURNED
    entries.record(
        kind, item=item.pk, patron=loan.patron_id, request=loan.request, partner=loan.partner_name,
        barcode=item.barcode,
    )  # fmt: skip
    return Prompt(loan.request, loan.partner_name, "borrowing" if item.temporary else "lending")


# --- check out --------------------------------------------------------------------------------------------------


def check_out(
    desk: Desk, patron_id: int, barcode: str, now: datetime, *, wished_due: date | None = None, mandated: bool = False,
    patron: Patron | None = None,
) -> CheckedOut:  # fmt: skip
    """Lend an item to a patron at the desk (B10). The due date is the stricter one, with its reasons (B11).

    `mandated`: it has already been lent elsewhere; no limit, block or policy stands against it, and `wished_due` holds.
    `patron`: where the caller has just read the row, with its type; it is read anew only where a limit must be kept.
    """
    known = patron if patron is not None and patron.patron_type.item_limit is None else None
    # another desk may lend it between our look and our write
    return again_if_raced(lambda: _check_out(desk, patron_id, barcode, now, wished_due, mandated, known))


def _check_out(
    desk: Desk, patron_id: int, barcode: str, now: datetime, wished_due: date | None, mandated: bool,
    known: Patron | None,
) -> CheckedOut:  # fmt: skip
    today = desk.today(now)
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = locked_item(desk, barcode)
        patron = known or locked_patron(desk, patron_id)
        if (repeated := _already_out(item, patron)) is not None:
            return repeated
        hold = _hold_or_refuse(item, patron, today)
        rule = rule_for(item, patron)
        if not mandated:
            refuse_unless_lendable(item, patron, rule, today)
        due = when_due(
            rule, today, choices.policies(desk.library_id).open_days(desk.branch_id),
            lender_due=item.lender_due if item.temporary else None, expires_on=patron.expires_on,
        )  # fmt: skip
        due = as_wished(due, today, wished_due, mandated=mandated)
        loan = write_loan(item, patron, rule, due, now, trigger="desk.check_out")
        if hold is not None:
            _fulfill(hold, item, now, entries)
        _record_check_out(item, loan, entries)
    alerts = [item.note[1:].strip()] if item.note.startswith("!") else []
    return CheckedOut(loan, hold, alerts=alerts)


def locked_patron(desk: Desk, patron_id: int) -> Patron:
    patron = _patron.one(desk.library_id, patron_id)
    if patron is None:
        raise Patron.DoesNotExist(f"no patron {patron_id} in library {desk.library_id}")
    return patron


_patron = Prepared(
    lambda library_id, key: (
        Patron.objects.select_for_update(of=("self",)).select_related("patron_type")
        .filter(library_id=library_id, pk=key).order_by()
    ), int, int,
)  # fmt: skip


def rule_for(item: Item, patron: Patron) -> LoanRule:
    return loan_rule(
        choices.policies(item.library_id).loan_map, patron.patron_type_id, item.holding_location_id,
        item.shelving_location_id, item.material_format,
    )  # fmt: skip


def refuse_unless_lendable(item: Item, patron: Patron, rule: LoanRule, today: date) -> None:
    """Every reason at once, so that staff mend them in one go."""
    limit = patron.patron_type.item_limit
    out = Loan.objects.filter(library_id=item.library_id, patron=patron, state=OUT).count() if limit is not None else 0
    reasons = why_not_borrow(patron_facts(patron, out), today)
    if not rule.circulates:
        reasons += refuse("does_not_circulate", title=item.title.title, policy=rule.name).reasons
    if reasons:
        raise Refused(*reasons)


def write_loan(
    item: Item, patron: Patron, rule: LoanRule, due: DueDate, now: datetime, *, trigger: str, request: str = "",
    partner_name: str = "",
) -> Loan:  # fmt: skip
    """The loan, and the item out to the patron."""
    loan = Loan(
        library_id=item.library_id, item=item, patron=patron, checked_out_at=now, due_on=due.day,
        due_reasons=due.as_json(), policy=rule.name, request=request or (item.request if item.temporary else ""),
        partner_name=partner_name or (item.partner_name if item.temporary else ""),
    )  # fmt: skip
    insert(loan)
    item.last_issued_to, item.last_issued_at, item.last_policy = patron, now, rule.name
    item.issued_count += 1
    move_item(item, trigger, now, going_to_id=None)
    return loan


def _already_out(item: Item, patron: Patron) -> CheckedOut | None:
    if item.state != ON_LOAN:
        return None
    loan = open_loan(item.pk)
    if loan is not None and loan.patron_id == patron.pk:
        return CheckedOut(loan, repeated=True)
    raise refuse("on_loan_elsewhere", title=item.title.title, due=say_day(loan.due_on) if loan else "unknown")


def _hold_or_refuse(item: Item, patron: Patron, today: date) -> Hold | None:
    """The patron's own hold that this loan fulfils. Refuses what is kept for somebody else."""
    queue = open_holds_on(item, today)
    # whoever stands at the desk may have it, also from a hold that they had put to sleep
    own = next((hold for hold in queue if hold.patron_id == patron.pk), None)
    caught = next((h for h in queue if h.patron_id != patron.pk and _caught(h, item, today)), None)
    if item.temporary and own is None and item.last_issued_to_id != patron.pk:
        raise refuse("borrowed_for_another", title=item.title.title, partner=item.partner_name or "a partner")
    if caught is not None:
        raise refuse("held_for_another", title=item.title.title)
    return own


def _caught(hold: Hold, item: Item, today: date) -> bool:
    """Whether the item is kept for this hold, so that nobody else may have it."""
    keeps = hold.level == Hold.Level.ITEM or hold.state in (READY, HOLD_IN_TRANSIT)
    return keeps and hold.item_id == item.pk and not hold.asleep(today)


def _fulfill(hold: Hold, item: Item, now: datetime, entries: Entries) -> None:
    hold.state, hold.item, hold.ended_at = HOLD.move(hold.state, "desk.check_out").becomes, item, now
    update(hold, "state", "item", "ended_at")
    entries.record(facts.HOLD_FULFILLED, item=item.pk, patron=hold.patron_id, request=hold.request, hold=hold.pk)


def _record_check_out(item: Item, loan: Loan, entries: Entries) -> None:
    kind = facts.TEMPORARY_ITEM_CHECKED_OUT if item.temporary and loan.request else facts.CHECKED_OUT
    entries.record(
        kind, item=item.pk, patron=loan.patron_id, request=loan.request, due=say_day(loan.due_on), loan=loan.pk
    )


# --- after check out --------------------------------------------------------------------------------------------


def change_due_date(desk: Desk, loan_id: int, day: date, now: datetime) -> Loan:
    """B12: a person's own date. It may not lie in the past, nor after the day the lender wants the item back."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        loan = locked_loan(desk, loan_id)
        _refuse_bad_due_date(loan, day, desk.today(now))
        before = loan.due_on
        loan.state = LOAN.move(loan.state, "staff.change_due_date").becomes
        loan.due_on = day
        by_hand = DueDate(day, (DueReason("staff", day, True, desk.actor),)).as_json()
        loan.due_reasons = by_hand + [reason | {"won": False} for reason in loan.due_reasons]
        loan.save(update_fields=["state", "due_on", "due_reasons"])
        entries.record(
            facts.DUE_DATE_CHANGED, item=loan.item_id, patron=loan.patron_id, request=loan.request,
            before=say_day(before), due=say_day(day), loan=loan.pk,
        )  # fmt: skip
    return loan


def locked_loan(desk: Desk, loan_id: int) -> Loan:
    loans = Loan.objects.select_for_update(of=("self",)).select_related("item__title", "patron__patron_type")
    return loans.get(library_id=desk.library_id, pk=loan_id)


def _refuse_bad_due_date(loan: Loan, day: date, today: date) -> None:
    if loan.state != OUT:
        raise refuse("not_on_loan", title=loan.item.title.title)
    if day < today:
        raise refuse("bad_date", day=say_day(day), why="it has passed")
    lender_due = loan.item.lender_due if loan.item.temporary else None
    if lender_due is not None and day > max(lender_due, loan.due_on):
        why = f"{loan.partner_name or 'the lender'} wants it back by {say_day(lender_due)}"
        raise refuse("bad_date", day=say_day(day), why=why)


def renew(desk: Desk, loan_id: int, now: datetime, *, by: str = "staff", wished_due: date | None = None) -> Loan:
    """A further loan period from today, by the policy of the loan's item and patron (`by` is staff, patron or host).

    An institution gets the date it wishes; a person no later one than the policy's. A host that says it twice on one
    day is answered like the first time.
    """
    today = desk.today(now)
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        loan = locked_loan(desk, loan_id)
        if loan.state != OUT:
            raise refuse("not_on_loan", title=loan.item.title.title)
        due = _renewed_until(desk, loan, today, wished_due)
        if by == "host" and loan.renewals and due.day <= loan.due_on:
            return loan
        if reasons := renewal_refusals(loan.patron, [loan], today)[loan.pk]:
            raise Refused(*reasons)
        loan.state = LOAN.move(loan.state, f"{by}.renew").becomes
        loan.due_on, loan.renewals = max(due.day, loan.due_on), loan.renewals + 1
        loan.due_reasons = due.as_json()
        loan.save(update_fields=["state", "due_on", "due_reasons", "renewals"])
        entries.record(
            facts.RENEWED, item=loan.item_id, patron=loan.patron_id, request=loan.request, due=say_day(loan.due_on),
            loan=loan.pk,
        )  # fmt: skip
    return loan


def _renewed_until(desk: Desk, loan: Loan, today: date, wished_due: date | None) -> DueDate:
    rule = rule_for(loan.item, loan.patron)
    calendar = choices.policies(desk.library_id).open_days(desk.branch_id)
    if wished_due is not None and loan.patron.kind == Patron.Kind.INSTITUTION:
        return when_due_back(rule, today, calendar, wished_due)
    return as_wished(when_due(rule, today, calendar, expires_on=loan.patron.expires_on), today, wished_due)
