"""What another system may do to a loan: recall it, drop the recall, undo the check-out, pass on the lender's new date.

Strategy: each verb locks the item, moves the loan by its table, and bears being told twice. Circulation.md 11.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from interlend.circulation import facts
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import FULFILLED, HOLD, LOAN, OPEN_HOLD, UNDONE
from interlend.circulation.models import Hold, Item, Loan
from interlend.circulation.policies import DueDate, DueReason, say_day
from interlend.circulation.queries import open_loan
from interlend.circulation.services.desk import forget_the_request, word_for
from interlend.circulation.services.scan import locked_item, send_on
from interlend.libraries.desks import Desk
from interlend.outbox.services import Entries, written_down

#: whoever has a recalled item keeps it this long at least
LEAST_AFTER_RECALL: Final = timedelta(days=7)


def recall(desk: Desk, barcode: str, now: datetime, *, wished_due: date | None = None) -> Loan:
    """Ask for an item back early: due on the wished day, though not within a week and never later than before."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item, loan = _loan_of(desk, barcode)
        if item.temporary:
            raise refuse("ask_the_lender", title=item.title.title, partner=item.partner_name, request=item.request)
        if loan.recalled_at is not None:
            return loan
        earliest = desk.today(now) + LEAST_AFTER_RECALL
        day = min(loan.due_on, max(wished_due or earliest, earliest))
        loan.state = LOAN.move(loan.state, "host.recall").becomes
        loan.recalled_at, loan.due_before_recall = now, loan.due_on
        _set_due(loan, day, "recalled", desk.actor)
        loan.save(update_fields=["state", "recalled_at", "due_before_recall", "due_on", "due_reasons"])
        _record(entries, facts.RECALLED, loan, due=say_day(day))
    return loan


def cancel_recall(desk: Desk, barcode: str, now: datetime) -> Loan:
    """Drop a recall: the date before it holds again."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item, loan = _loan_of(desk, barcode)
        if loan.recalled_at is None:
            raise refuse("not_recalled", title=item.title.title)
        loan.state = LOAN.move(loan.state, "host.cancel_recall").becomes
        _set_due(loan, loan.due_before_recall or loan.due_on, "recall cancelled", desk.actor)
        loan.recalled_at = loan.due_before_recall = None
        loan.save(update_fields=["state", "recalled_at", "due_before_recall", "due_on", "due_reasons"])
        _record(entries, facts.RECALL_CANCELLED, loan, due=say_day(loan.due_on))
    return loan


def lenders_date(desk: Desk, barcode: str, day: date, now: datetime) -> Loan | None:
    """The lender wants a borrowed item back by another day; an open loan takes the day, as far as the account lasts."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = _borrowed(desk, barcode)
        loan = open_loan(item.pk)
        _note_lenders_date(item, day, entries)
        if loan is None or loan.state not in LOAN.open_states():
            return None
        until = min(day, loan.patron.expires_on) if loan.patron.expires_on else day
        if loan.due_on != until:
            loan.state, later = LOAN.move(loan.state, "host.renew").becomes, until > loan.due_on
            loan.renewals += later  # a shorter day is no renewal
            _set_due(loan, until, "lender", "")
            loan.save(update_fields=["state", "renewals", "due_on", "due_reasons"])
            _record(entries, facts.RENEWED, loan, due=say_day(until))
    return loan


def lenders_recall(desk: Desk, barcode: str, day: date, now: datetime) -> Loan | None:
    """The lender wants a borrowed item back early: no later than `day`, whatever the patron was promised."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = _borrowed(desk, barcode)
        _note_lenders_date(item, day, entries)
        loan = open_loan(item.pk)
        if loan is None or (loan.recalled_at is not None and loan.due_on <= day):
            return loan
        loan.state = LOAN.move(loan.state, "host.recall").becomes
        loan.recalled_at, loan.due_before_recall = loan.recalled_at or now, loan.due_before_recall or loan.due_on
        _set_due(loan, min(loan.due_on, day), "recalled", desk.actor)
        loan.save(update_fields=["state", "recalled_at", "due_before_recall", "due_on", "due_reasons"])
        _record(entries, facts.RECALLED, loan, due=say_day(loan.due_on))
    return loan


def lenders_recall_cancelled(desk: Desk, barcode: str, now: datetime) -> Loan | None:
    """The lender has dropped a recall: the loan's date before it holds again, and is the least the lender grants."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = _borrowed(desk, barcode)
        loan = open_loan(item.pk)
        if loan is None or loan.recalled_at is None:
            return loan
        before = loan.due_before_recall or loan.due_on
        _note_lenders_date(item, max(item.lender_due or before, before), entries)
        loan.state = LOAN.move(loan.state, "host.cancel_recall").becomes
        _set_due(loan, before, "recall cancelled", desk.actor)
        loan.recalled_at = loan.due_before_recall = None
        loan.save(update_fields=["state", "recalled_at", "due_before_recall", "due_on", "due_reasons"])
        _record(entries, facts.RECALL_CANCELLED, loan, due=say_day(loan.due_on))
    return loan


def _borrowed(desk: Desk, barcode: str) -> Item:
    item = locked_item(desk, barcode)
    if not item.temporary:
        raise refuse("not_possible", what="A lender's date", state="one of our own items")
    return item


def _note_lenders_date(item: Item, day: date, entries: Entries) -> None:
    if item.lender_due != day:
        item.lender_due = day
        item.save(update_fields=["lender_due"])
        entries.record(facts.LENDERS_DATE_CHANGED, item=item.pk, request=item.request, day=say_day(day))


def undo_check_out(desk: Desk, barcode: str, now: datetime, *, patron_id: int | None = None) -> Loan:
    """Treat an open loan as if it had never been: the hold it fulfilled waits again, the item goes where it belongs.

    Told twice: an item that is not on loan, whose last loan was undone, is answered like the first time.
    """
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = locked_item(desk, barcode)
        loan = open_loan(item.pk)
        if loan is None:
            return _undone_before(item)
        if patron_id is not None and loan.patron_id != patron_id:
            raise refuse("not_his_loan", title=item.title.title)
        loan.state, loan.checked_in_at = LOAN.move(loan.state, "host.undo").becomes, now
        loan.save(update_fields=["state", "checked_in_at"])
        _wait_again(item, loan)
        item.issued_count = max(item.issued_count - 1, 0)
        if not item.temporary:
            forget_the_request(item)
        sent = send_on(item, desk, item.home_branch, now, entries, at_desk=False)
        _record(entries, facts.CHECK_OUT_UNDONE, loan, word=word_for(sent.action, sent.going_to))
    return loan


def _undone_before(item: Item) -> Loan:
    last = Loan.objects.filter(item=item).select_related("patron", "item__title").order_by("-id").first()
    if last is None or last.state != UNDONE:
        raise refuse("not_on_loan", title=item.title.title)
    return last


def _wait_again(item: Item, loan: Loan) -> None:
    """The hold that this check-out fulfilled is open again, unless the patron has placed another since."""
    hold = Hold.objects.filter(item=item, patron=loan.patron, state=FULFILLED, ended_at__gte=loan.checked_out_at)
    latest = hold.order_by("-ended_at").first()
    twin = Hold.objects.filter(title_id=item.title_id, patron=loan.patron, state__in=OPEN_HOLD)
    if latest is None or twin.exists():
        return
    latest.state, latest.ended_at = HOLD.move(latest.state, "host.undo").becomes, None
    latest.ready_at = latest.shelf_until = None
    latest.item_id = item.pk if latest.level == Hold.Level.ITEM else None
    latest.save(update_fields=["state", "ended_at", "ready_at", "shelf_until", "item"])


def _loan_of(desk: Desk, barcode: str) -> tuple[Item, Loan]:
    item = locked_item(desk, barcode)
    loan = open_loan(item.pk)
    if loan is None:
        raise refuse("not_on_loan", title=item.title.title)
    return item, loan


def _set_due(loan: Loan, day: date, rule: str, detail: str) -> None:
    decided = DueDate(day, (DueReason(rule, day, True, detail),)).as_json()
    loan.due_on, loan.due_reasons = day, decided + [reason | {"won": False} for reason in loan.due_reasons]


def _record(entries: Entries, kind: str, loan: Loan, **said: object) -> None:
    entries.record(kind, item=loan.item_id, patron=loan.patron_id, request=loan.request, loan=loan.pk, **said)


__all__ = [
    "LEAST_AFTER_RECALL", "cancel_recall", "lenders_date", "lenders_recall", "lenders_recall_cancelled", "recall",
    "undo_check_out",
]  # fmt: skip
