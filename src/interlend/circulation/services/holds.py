"""Holds: placed by staff or patrons, edited in the dialog (B7), cancelled. Fulfilment happens at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Min

from interlend.circulation import choices, facts
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import HOLD, OPEN_HOLD, PENDING, READY
from interlend.circulation.models import Hold, Item, Patron, Title
from interlend.circulation.policies import say_day
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch
from interlend.lifecycle import NoSuchMove
from interlend.outbox.prepared import update
from interlend.outbox.services import written_down


def place_hold(
    desk: Desk, patron: Patron, title: Title, pickup: Branch, now: datetime, *, item: Item | None = None
) -> Hold:
    """A hold on `item`, or on any copy of `title`. A patron waits once for a thing."""
    level = Hold.Level.ITEM if item else Hold.Level.TITLE
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        same = Hold.objects.filter(library_id=desk.library_id, patron=patron, title=title, state__in=OPEN_HOLD)
        if same.exists():
            raise refuse("duplicate_hold", name=patron.full_name, title=title.title)
        hold = Hold.objects.create(
            library_id=desk.library_id, patron=patron, title=title, item=item, level=level, pickup_branch=pickup,
            placed_at=now, state=PENDING,
            expires_on=desk.today(now) + timedelta(days=choices.policies(desk.library_id).request_days),
        )  # fmt: skip
        entries.record(
            facts.HOLD_PLACED, item=item.pk if item else None, patron=patron.pk, pickup=pickup.name, hold=hold.pk
        )
    return hold


@dataclass(frozen=True)
class HoldChange:
    """What the Edit Existing Hold Request dialog may change; the request ID is shown there but never changed.

    `shelf_until` is for what lies on the hold shelf already; None leaves it.
    """

    pickup_branch_id: int
    expires_on: date | None = None
    suspended_from: date | None = None
    suspended_to: date | None = None
    public_note: str = ""
    staff_note: str = ""
    to_top: bool = False
    shelf_until: date | None = None


def edit_hold(desk: Desk, hold_id: int, change: HoldChange, now: datetime) -> Hold:
    """Save the dialog. An item that is already on its way goes to the new place at its next scan."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        hold = Hold.objects.select_for_update().get(library_id=desk.library_id, pk=hold_id)
        if hold.state not in OPEN_HOLD:
            raise refuse("not_possible", what="Changing this hold", state=hold.get_state_display().lower())
        if change.suspended_from and change.suspended_to and change.suspended_to < change.suspended_from:
            raise refuse("bad_date", day=say_day(change.suspended_to), why="it is before the first day of the pause")
        changes = _apply(hold, change)
        if hold.state != PENDING and "pickup_branch_id" in changes:
            hold.state, hold.ready_at, hold.shelf_until = HOLD.move(hold.state, "desk.route").becomes, None, None
        hold.save()
        if changes:
            said = ", ".join(name.removesuffix("_id").replace("_", " ") for name in changes)
            entries.record(
                facts.HOLD_EDITED, item=hold.item_id, patron=hold.patron_id, request=hold.request, change=said
            )
    return hold


def _apply(hold: Hold, change: HoldChange) -> list[str]:
    names = ("pickup_branch_id", "expires_on", "suspended_from", "suspended_to", "public_note", "staff_note")
    changes = [name for name in names if getattr(hold, name) != getattr(change, name)]
    for name in changes:
        setattr(hold, name, getattr(change, name))
    if change.shelf_until is not None and hold.state == READY and hold.shelf_until != change.shelf_until:
        hold.shelf_until, changes = change.shelf_until, [*changes, "shelf_until"]
    if change.to_top:
        first = Hold.objects.filter(title_id=hold.title_id, state__in=OPEN_HOLD).aggregate(low=Min("rank"))["low"] or 0
        hold.rank, changes = first - 1, [*changes, "top_of_queue"]
    return changes


def cancel_hold(desk: Desk, hold_id: int, now: datetime, *, by: str = "staff", why: str = "cancelled by staff") -> Hold:
    """End a hold (`by` is staff or patron). The item says where it goes at its next scan."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        hold = Hold.objects.select_for_update().get(library_id=desk.library_id, pk=hold_id)
        end_hold(hold, f"{by}.cancel", now)
        entries.record(
            facts.HOLD_ENDED, item=hold.item_id, patron=hold.patron_id, request=hold.request, why=why, hold=hold.pk
        )
    return hold


def end_hold(hold: Hold, trigger: str, now: datetime) -> None:
    """Move a hold to an end state by `trigger`; the caller records why."""
    try:
        hold.state = HOLD.move(hold.state, trigger).becomes
    except NoSuchMove as no:
        raise refuse("not_possible", what="Ending this hold", state=hold.get_state_display().lower()) from no
    hold.ended_at = now
    update(hold, "state", "ended_at")
