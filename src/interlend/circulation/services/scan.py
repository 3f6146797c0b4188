"""What every scan shares: find and lock the item, close its loan, and send it on where `where_next` says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import QuerySet

from interlend.circulation import choices, facts
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import HOLD, ITEM, LOAN, ON_LOAN, READY, WITHDRAWN
from interlend.circulation.models import Hold, Item, Loan
from interlend.circulation.policies import (
    Action,
    CollectionRule,
    Next,
    WaitingHold,
    collection_rule,
    shelf_until,
    where_next,
)
from interlend.circulation.queries import next_hold, open_loan, waiting_for
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch
from interlend.outbox.prepared import Prepared, update
from interlend.outbox.services import Entries


@dataclass
class Sent:
    """Where a scanned item goes: the action, the hold it fills, the place to send it, and a hold that had expired."""

    action: Action
    going_to: Branch | None = None
    hold: Hold | None = None
    expired: Hold | None = None


def locked_item(desk: Desk, barcode: str, *, shown: bool = True) -> Item:
    """The living item with this barcode, locked until the transaction ends; `shown`: with all that a page shows."""
    found = (_shown_item if shown else _item).one(desk.library_id, barcode.strip())
    if found is None:
        raise refuse("unknown_item", barcode=barcode.strip() or "(nothing scanned)")
    if (home := choices.branches(desk.library_id).get(found.home_branch_id)) is not None:
        found.home_branch = home
    return found


def _living(library_id: int, barcode: str) -> QuerySet[Item]:
    living = Item.objects.filter(library_id=library_id, barcode=barcode).exclude(state=WITHDRAWN)
    return living.select_for_update(of=("self",)).select_related("title").order_by()


_item = Prepared(_living, int, str)
_shown_item = Prepared(
    lambda *which: _living(*which).select_related("title", "holding_location", "shelving_location"), int, str
)


def close_loan(item: Item, trigger: str, now: datetime, at: datetime | None = None) -> Loan | None:
    """Close the item's open loan, if any; `at` is a back-dated moment."""
    loan = open_loan(item.pk) if item.state == ON_LOAN else None
    if loan is not None:
        loan.state, loan.checked_in_at = LOAN.move(loan.state, trigger).becomes, at or now
        update(loan, "state", "checked_in_at")
    return loan


def send_on(item: Item, desk: Desk, here: Branch, now: datetime, entries: Entries, *, at_desk: bool = True) -> Sent:
    """Decide and write where `item` goes from `here`; the item is saved by this."""
    today = desk.today(now)
    rules = choices.policies(item.library_id).collection
    rule = collection_rule(rules, item.holding_location_id, item.shelving_location_id)
    expired, hold = _hold_to_fill(item, rule, today, now, entries)
    waiting = WaitingHold(hold.pk, hold.pickup_branch_id) if hold else None
    to = where_next(
        here=here.pk, home_branch=item.home_branch_id, temporary=item.temporary, rule=rule, hold=waiting, desk=at_desk
    )
    if hold is not None:
        _advance_hold(hold, item, to, desk, here, now, entries)
    going_to = _place(item, to, hold)
    move_item(item, to.trigger, now, at_branch_id=here.pk, going_to_id=to.going_to)
    return Sent(to.action, going_to, hold, expired)


def move_item(item: Item, trigger: str, now: datetime, **fields: int | None) -> None:
    """Change the item's state by its table and save it."""
    becomes = ITEM.move(item.state, trigger).becomes
    if becomes != item.state:
        item.state, item.state_since = becomes, now
    for name, value in fields.items():
        setattr(item, name, value)
    update(item, *_SCANNED)


#: the columns of an item that scans and messages change
_SCANNED: Final = (
    "state", "state_since", "at_branch", "going_to", "request", "partner_symbol", "partner_name", "lender_due",
    "last_issued_to", "last_issued_at", "issued_count", "last_policy",
)  # fmt: skip


def _hold_to_fill(
    item: Item, rule: CollectionRule, today: date, now: datetime, entries: Entries
) -> tuple[Hold | None, Hold | None]:
    """The hold that this item fills next, after ending one whose shelf time is over (scanned off the shelf)."""
    queue = waiting_for(item, today)
    expired = next((h for h in queue if h.state == READY and h.item_id == item.pk and _over(h, today)), None)
    if expired is not None:
        expired.state, expired.ended_at = HOLD.move(expired.state, "clock.expire").becomes, now
        update(expired, "state", "ended_at")
        entries.record(
            facts.HOLD_ENDED, item=item.pk, patron=expired.patron_id, request=expired.request,
            why="not collected in time", hold=expired.pk,
        )  # fmt: skip
        queue.remove(expired)
    if not rule.fulfills_holds:
        queue = [hold for hold in queue if hold.level == Hold.Level.ITEM]
    return expired, next_hold(queue, item)


def _over(hold: Hold, today: date) -> bool:
    return hold.shelf_until is not None and hold.shelf_until < today


def _advance_hold(hold: Hold, item: Item, to: Next, desk: Desk, here: Branch, now: datetime, entries: Entries) -> None:
    trap = to.action == Action.HOLD
    becomes = HOLD.move(hold.state, "desk.trap" if trap else "desk.route").becomes
    news = becomes != hold.state or hold.item_id != item.pk
    hold.item, hold.state = item, becomes
    if trap and hold.ready_at is None:
        policy = choices.policies(item.library_id)
        hold.ready_at = now
        hold.shelf_until = shelf_until(desk.today(now), policy.shelf_days, policy.open_days(here.pk))
    if not trap:
        hold.ready_at = hold.shelf_until = None
    if news:
        update(hold, "item", "state", "ready_at", "shelf_until")
        kind = facts.HOLD_READY if trap else facts.HOLD_ROUTED
        entries.record(
            kind, item=item.pk, patron=hold.patron_id, request=hold.request, pickup=hold.pickup_branch.name,
            hold=hold.pk,
        )  # fmt: skip


def _place(item: Item, to: Next, hold: Hold | None) -> Branch | None:
    if to.going_to is None:
        return None
    return hold.pickup_branch if hold is not None and hold.pickup_branch_id == to.going_to else item.home_branch
