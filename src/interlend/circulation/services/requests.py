"""Holds that another system asks for: placed under a request number, cancelled by it (steps before L1; local fill).

Strategy: the request number is the key, so that asking twice makes one hold. An institution's hold is for one copy,
the one on the shelf, because that copy is what its people will be told to expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from interlend.circulation import choices, facts
from interlend.circulation.errors import Refused, refuse
from interlend.circulation.lifecycles import AVAILABLE, CANCELLED, FULFILLED, OPEN_HOLD, WITHDRAWN
from interlend.circulation.models import Hold, Item, Patron, Title
from interlend.circulation.policies import loan_rule, why_not_borrow
from interlend.circulation.queries import patron_facts, pickup_branch
from interlend.circulation.services.holds import end_hold
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch
from interlend.outbox.services import again_if_raced, written_down


@dataclass(frozen=True)
class RequestWish:
    """What is asked for: a copy by `barcode`, or a title by its record number or ISBN.

    `this_copy`: no other copy will do. `page`: only what is on the shelf now, to be fetched. The patron comes with type
    and home branch.
    """

    patron: Patron
    request: str = ""
    barcode: str = ""
    record_id: str = ""
    isbn: str = ""
    this_copy: bool = False
    page: bool = False
    pickup_code: str = ""
    until: date | None = None
    partner_name: str = ""
    note: str = ""


@dataclass(frozen=True)
class Requested:
    """The hold, and the copy it will probably be filled with. `repeated`: it was there already."""

    hold: Hold
    copy: Item | None
    repeated: bool = False


def request_item(desk: Desk, wish: RequestWish, now: datetime) -> Requested:
    """Place a hold under a request number. Refuses what will never be lent to this patron."""
    return again_if_raced(lambda: _request_item(desk, wish, now))


def _request_item(desk: Desk, wish: RequestWish, now: datetime) -> Requested:
    today = desk.today(now)
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        if (repeated := _asked_before(desk.library_id, wish)) is not None:
            return repeated
        copies = _copies(desk.library_id, wish)
        if reasons := why_not_borrow(patron_facts(wish.patron), today, count_limit=False):
            raise Refused(*reasons)
        copy = _best_copy(desk.library_id, wish, copies)
        title = copies[0].title
        level = _level(wish, copy)
        item = copy if level == Hold.Level.ITEM else None
        _refuse_double(desk.library_id, wish.patron, title, item)
        pickup = _pickup(desk.library_id, wish, copies[0])
        hold = Hold.objects.create(
            library_id=desk.library_id, patron=wish.patron, title=title, item=item, level=level, pickup_branch=pickup,
            placed_at=now, request=wish.request, partner_name=wish.partner_name, staff_note=wish.note[:300],
            expires_on=wish.until if wish.until and wish.until >= today
            else today + timedelta(days=choices.policies(desk.library_id).request_days),
        )  # fmt: skip
        entries.record(
            facts.HOLD_PLACED, item=item.pk if item else None, patron=wish.patron.pk, request=wish.request,
            pickup=pickup.name, hold=hold.pk,
        )  # fmt: skip
    return Requested(hold, copy)


def _asked_before(library_id: int, wish: RequestWish) -> Requested | None:
    if not wish.request:
        return None
    holds = Hold.objects.filter(library_id=library_id, patron=wish.patron, request=wish.request)
    hold = (
        holds.filter(state__in=(*OPEN_HOLD, FULFILLED)).select_related("title", "item", "pickup_branch").order_by("id")
    ).first()
    return Requested(hold, hold.item or first_copy(hold), repeated=True) if hold is not None else None


def first_copy(hold: Hold) -> Item | None:
    """A copy that a hold on any copy may mean: one on the shelf before others."""
    copies = Item.objects.filter(title_id=hold.title_id, library_id=hold.library_id).exclude(state=WITHDRAWN)
    return min(copies, key=lambda copy: (copy.state != AVAILABLE, copy.pk), default=None)


def _copies(library_id: int, wish: RequestWish) -> list[Item]:
    """The living copies in question; a barcode's title brings its other copies unless only this one will do."""
    living = Item.objects.filter(library_id=library_id).exclude(state=WITHDRAWN).select_related("title", "home_branch")
    if wish.barcode:
        one = living.filter(barcode=wish.barcode).first()
        if one is None:
            raise refuse("unknown_item", barcode=wish.barcode)
        return [one] if wish.this_copy else [one, *living.filter(title_id=one.title_id).exclude(pk=one.pk)]
    number = Q(record_id=wish.record_id) if wish.record_id else Q(isbn=wish.isbn)
    titles = Title.objects.filter(number, library_id=library_id, temporary=False).values("pk")
    copies = list(living.filter(title_id__in=titles).order_by("title_id", "id"))
    if not copies:
        raise refuse("unknown_title", number=wish.record_id or wish.isbn)
    return copies


def _best_copy(library_id: int, wish: RequestWish, copies: Sequence[Item]) -> Item | None:
    """The copy on the shelf that nobody waits for; refuses where none of them is ever lent to this patron."""
    rows = choices.policies(library_id).loan_map
    rules = {
        copy.pk: loan_rule(
            rows, wish.patron.patron_type_id, copy.holding_location_id, copy.shelving_location_id, copy.material_format
        )
        for copy in copies
    }
    lendable = [copy for copy in copies if rules[copy.pk].circulates and not copy.temporary]
    if not lendable:
        raise refuse("does_not_circulate", title=copies[0].title.title, policy=rules[copies[0].pk].name)
    keys = [copy.pk for copy in lendable]
    claimed = set(Hold.objects.filter(item_id__in=keys, state__in=OPEN_HOLD).values_list("item_id", flat=True))
    free = [copy for copy in lendable if copy.state == AVAILABLE and copy.pk not in claimed]
    if wish.page and not free:
        raise refuse("nothing_on_shelf", title=copies[0].title.title)
    return next(iter(free or lendable), None)


def _level(wish: RequestWish, copy: Item | None) -> str:
    fixed = wish.this_copy and bool(wish.barcode)
    for_partner = wish.patron.kind == Patron.Kind.INSTITUTION and copy is not None and copy.state == AVAILABLE
    return Hold.Level.ITEM if copy is not None and (fixed or for_partner) else Hold.Level.TITLE


def _refuse_double(library_id: int, patron: Patron, title: Title, item: Item | None) -> None:
    """A patron waits once for a thing; an institution may wait for several copies of a title."""
    same = Hold.objects.filter(library_id=library_id, patron=patron, title=title, state__in=OPEN_HOLD)
    if patron.kind == Patron.Kind.INSTITUTION:
        same = same.filter(item=item) if item is not None else same.filter(level=Hold.Level.TITLE)
    if same.exists():
        raise refuse("duplicate_hold", name=patron.full_name, title=title.title)


def _pickup(library_id: int, wish: RequestWish, copy: Item) -> Branch:
    if wish.pickup_code:
        place = pickup_branch(library_id, wish.pickup_code)
        if place is None:
            raise refuse("unknown_pickup", code=wish.pickup_code)
        return place
    return wish.patron.home_branch or copy.home_branch


# --- found by number, cancelled ---------------------------------------------------------------------------------


def find_request(
    library_id: int, *, request: str = "", patron_id: int | None = None, barcode: str = "", key: int | None = None
) -> Hold | None:
    """The hold under a request number, or of a patron on an item; an open one before one that has ended.

    `key` is the number of a hold that was placed without a request number.
    """
    holds = Hold.objects.filter(library_id=library_id)
    if request:
        named = Q(request=request) | (Q(pk=key, request="") if key is not None else Q(pk__in=()))
        holds = holds.filter(named)
    elif barcode:
        item = Item.objects.filter(library_id=library_id, barcode=barcode).exclude(state=WITHDRAWN)
        on_title = Q(level=Hold.Level.TITLE, title_id__in=item.values("title_id"))
        holds = holds.filter(Q(item_id__in=item.values("pk")) | on_title)
    else:
        return None
    if patron_id is not None:
        holds = holds.filter(patron_id=patron_id)
    found = holds.select_related("patron__patron_type", "title", "item", "pickup_branch").order_by("-id")[:50]
    return min(found, key=lambda hold: hold.state not in OPEN_HOLD, default=None)


def cancel_request(desk: Desk, hold: Hold, now: datetime) -> Hold:
    """End a hold because its request is over. Cancelled before is answered like now; what was fulfilled is refused."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        locked = Hold.objects.select_for_update(of=("self",)).select_related("title", "item", "patron", "pickup_branch")
        hold = locked.get(library_id=desk.library_id, pk=hold.pk)
        if hold.state == CANCELLED:
            return hold
        if hold.state not in OPEN_HOLD:
            state = hold.get_state_display().lower()
            raise refuse("request_processed", request=hold.request, title=hold.title.title, state=state)
        end_hold(hold, "host.end", now)
        entries.record(
            facts.HOLD_ENDED, item=hold.item_id, patron=hold.patron_id, request=hold.request,
            why="the request was cancelled", hold=hold.pk,
        )  # fmt: skip
    return hold
