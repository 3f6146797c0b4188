"""What sharing drives, by whatever road it comes: accept a temporary item, lend ours, take either back.

Workflow B1-B7, B15, L1-L6. Each verb may be told twice: the key is request + barcode, and the second time is answered
like the first. `HostCirculation` in the sharing house is the same three verbs, seen from there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from interlend.circulation import choices, facts
from interlend.circulation.errors import Refused, refuse
from interlend.circulation.lifecycles import (
    HOLD,
    ON_HOLD,
    ON_LOAN,
    OPEN_HOLD,
    PENDING,
    RECENTLY_RECEIVED,
    UNAVAILABLE,
    WITHDRAWN,
)
from interlend.circulation.models import Hold, Item, Loan, Patron, Title
from interlend.circulation.policies import Action, TemporaryPlaces, as_wished, say_day, when_due_back, why_not_borrow
from interlend.circulation.queries import (
    open_loan,
    patron_by_barcode,
    patron_facts,
)
from interlend.circulation.services.desk import (
    forget_the_request,
    refuse_unless_lendable,
    rule_for,
    word_for,
    write_loan,
)
from interlend.circulation.services.holds import end_hold
from interlend.circulation.services.items import words_of
from interlend.circulation.services.scan import close_loan, locked_item, move_item, send_on
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch
from interlend.outbox.prepared import Prepared, insert, update
from interlend.outbox.services import Entries, again_if_raced, written_down

# --- accept (B1) ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AcceptRequest:
    """One physical piece that has come for a patron. `lender_due` is the date by which the lender wants it back.

    Without a `barcode` the request number serves. `on_clash` says what to do where the barcode is another item's:
    refuse; suffix (take the first free of B-2, B-3 ...); reuse (take over a temporary item whose request is over).
    """

    request: str
    patron_barcode: str
    barcode: str
    title: str
    author: str = ""
    publisher: str = ""
    year: str = ""
    edition: str = ""
    call_number: str = ""
    volume: str = ""
    material_format: str = "Book"
    partner_symbol: str = ""
    partner_name: str = ""
    lender_due: date | None = None
    pickup_code: str = ""
    pickup_expiry: date | None = None
    on_clash: str = "refuse"
    patron: Patron | None = None  # where the caller has read the row already, with type and home branch

    @property
    def wanted_barcode(self) -> str:
        return self.barcode or self.request


@dataclass(frozen=True)
class Accepted:
    """The temporary item and its hold. `repeated`: they were there already; nothing was made."""

    item: Item
    hold: Hold | None
    repeated: bool = False


def accept_temporary_item(desk: Desk, piece: AcceptRequest, now: datetime) -> Accepted:
    """A temporary item at the ILL settings' locations (B5), with an item-level hold for the patron (B1, B3, B6)."""
    return again_if_raced(lambda: _accept(desk, piece, now))


def _accept(desk: Desk, piece: AcceptRequest, now: datetime) -> Accepted:
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        there = _already_there(desk.library_id, piece)
        repeated = next((item for item in there if _is_this_piece(item, piece)), None)
        if repeated is not None:
            return Accepted(repeated, _hold_for(repeated, piece), True)
        clash = next((item for item in there if item.barcode == piece.wanted_barcode), None)
        barcode = piece.wanted_barcode if clash is None else _another_barcode(clash, piece, now, entries)
        places = _places(desk.library_id)
        patron = _patron(desk, piece, now)
        pickup = _pickup(desk.library_id, piece, patron)
        item = _make_temporary_item(desk.library_id, piece, barcode, places, now)
        hold = Hold(
            library_id=desk.library_id, patron=patron, title=item.title, item=item, level=Hold.Level.ITEM,
            pickup_branch=pickup, placed_at=now, request=piece.request, partner_name=piece.partner_name,
            expires_on=_hold_until(desk, piece, now),
        )  # fmt: skip
        insert(hold)
        entries.record(
            facts.TEMPORARY_ITEM_MADE, item=item.pk, request=piece.request,
            partner=piece.partner_name or piece.partner_symbol, barcode=barcode,
        )  # fmt: skip
        entries.record(
            facts.HOLD_PLACED, item=item.pk, patron=patron.pk, request=piece.request, pickup=pickup.name, hold=hold.pk
        )
    return Accepted(item, hold)


def accept_piece_only(desk: Desk, piece: AcceptRequest, now: datetime) -> tuple[Item, bool]:
    """A temporary item that nobody waits for yet; the second value says whether it was there already."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        there = _already_there(desk.library_id, piece)
        repeated = next((item for item in there if piece.request and _is_this_piece(item, piece)), None)
        if repeated is not None:
            return repeated, True
        clash = next((item for item in there if item.barcode == piece.wanted_barcode), None)
        barcode = piece.wanted_barcode if clash is None else _another_barcode(clash, piece, now, entries)
        item = _make_temporary_item(desk.library_id, piece, barcode, _places(desk.library_id), now)
        entries.record(
            facts.TEMPORARY_ITEM_MADE, item=item.pk, request=piece.request,
            partner=piece.partner_name or piece.partner_symbol, barcode=barcode,
        )  # fmt: skip
    return item, False


def _already_there(library_id: int, piece: AcceptRequest) -> list[Item]:
    """The living item with the barcode, and the temporary items of the same request. One query."""
    if piece.request:
        return _items_of_request(library_id, piece.wanted_barcode, piece.request)
    return list(_living(library_id).filter(barcode=piece.wanted_barcode))


def _living(library_id: int) -> QuerySet[Item]:
    living = Item.objects.filter(library_id=library_id).exclude(state=WITHDRAWN)
    return living.select_related("title").order_by("id")


_items_of_request = Prepared(
    lambda library_id, barcode, request: _living(library_id).filter(
        Q(barcode=barcode) | Q(request=request, temporary=True)
    ), int, str, str,
)  # fmt: skip


def _is_this_piece(item: Item, piece: AcceptRequest) -> bool:
    """Whether this message made the item before; a suffix may have been added to its barcode then."""
    if not item.temporary or item.request != piece.request:
        return False
    if item.barcode == piece.wanted_barcode:
        return True
    made_up = piece.on_clash == "suffix" or not piece.barcode
    return made_up and re.fullmatch(re.escape(piece.wanted_barcode) + r"-[0-9]+", item.barcode) is not None


def _hold_for(item: Item, piece: AcceptRequest) -> Hold | None:
    return Hold.objects.filter(item=item, request=piece.request).order_by("id").first()


def _another_barcode(clash: Item, piece: AcceptRequest, now: datetime, entries: Entries) -> str:
    """The barcode to use although another item has the wanted one, or a refusal."""
    if piece.on_clash == "suffix" or not piece.barcode:
        return _with_suffix(clash.library_id, piece.wanted_barcode)
    over = clash.temporary and clash.state == UNAVAILABLE and not clash.holds.filter(state__in=OPEN_HOLD).exists()
    if piece.on_clash == "reuse" and over:
        move_item(clash, "host.delete", now)
        entries.record(facts.ITEM_DELETED, item=clash.pk, request=clash.request, word=clash.get_state_display())
        return piece.wanted_barcode
    owner = f" (request {clash.request})" if clash.request else ""
    raise refuse("barcode_taken", barcode=piece.barcode, title=clash.title.title, owner=owner)


def _with_suffix(library_id: int, barcode: str) -> str:
    """The first free of B-2, B-3, ..."""
    living = Item.objects.filter(library_id=library_id, barcode__startswith=f"{barcode}-").exclude(state=WITHDRAWN)
    taken = set(living.values_list("barcode", flat=True))
    return next(made for n in range(2, len(taken) + 3) if (made := f"{barcode}-{n}") not in taken)


def _hold_until(desk: Desk, piece: AcceptRequest, now: datetime) -> date:
    """The day given for the pickup, unless it has passed already; else the library's policy."""
    today = desk.today(now)
    if piece.pickup_expiry is not None and piece.pickup_expiry >= today:
        return piece.pickup_expiry
    return today + timedelta(days=choices.policies(desk.library_id).request_days)


def _places(library_id: int) -> TemporaryPlaces:
    places = choices.policies(library_id).temporary
    if places is None or not places.enabled:
        raise refuse("ill_not_set_up", missing="temporary item locations" if places is None else "join switched on")
    return places


def _patron(desk: Desk, piece: AcceptRequest, now: datetime) -> Patron:
    patron = piece.patron or patron_by_barcode(desk.library_id, piece.patron_barcode)
    if patron is None or patron.library_id != desk.library_id:
        raise refuse("unknown_patron", barcode=piece.patron_barcode)
    reasons = why_not_borrow(patron_facts(patron), desk.today(now), count_limit=False)
    if reasons:
        raise Refused(*reasons)
    return patron


def _pickup(library_id: int, piece: AcceptRequest, patron: Patron) -> Branch:
    if piece.pickup_code:
        place = choices.pickup_branch(library_id, piece.pickup_code)
        if place is None:
            raise refuse("unknown_pickup", code=piece.pickup_code)
        return place
    if patron.home_branch is None:
        raise refuse("no_pickup", name=patron.full_name)
    return patron.home_branch


def _make_temporary_item(
    library_id: int, piece: AcceptRequest, barcode: str, places: TemporaryPlaces, now: datetime
) -> Item:
    title = Title(
        library_id=library_id, title=piece.title[:500], author=piece.author[:300], publisher=piece.publisher[:300],
        year=piece.year[:20], edition=piece.edition[:200], temporary=True,
    )  # fmt: skip
    insert(title)
    insert(*words_of(title))
    item = Item(
        library_id=library_id, title=title, barcode=barcode, temporary=True, state=RECENTLY_RECEIVED,
        state_since=now, made_at=now, holding_location_id=places.holding_location,
        shelving_location_id=places.shelving_location, home_branch_id=places.home_branch,
        call_number=piece.call_number[:120], volume=piece.volume[:60], material_format=piece.material_format[:40],
        request=piece.request, partner_symbol=piece.partner_symbol, partner_name=piece.partner_name,
        lender_due=piece.lender_due,
    )  # fmt: skip
    insert(item)
    return item


# --- lend (L1) --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LendRequest:
    """Our item goes to a borrowing institution: `account_barcode` is its patron account here.

    `mandated`: it has left already (at `happened_at`, if known); no rule stands against it, `due` holds as it is.
    """

    request: str
    barcode: str
    account_barcode: str
    partner_symbol: str = ""
    partner_name: str = ""
    due: date | None = None
    mandated: bool = False
    happened_at: datetime | None = None
    account: Patron | None = None  # where the caller has read the row already, with its type


@dataclass(frozen=True)
class Lent:
    """The loan to the institution; its due date is what the partner must be told. `repeated`: it was out already."""

    loan: Loan
    repeated: bool = False


def lend(desk: Desk, wish: LendRequest, now: datetime) -> Lent:
    """Check our item out to the institution's account (L1); the request's due date as given, else policy (L3)."""
    return again_if_raced(lambda: _lend(desk, wish, now))


def _lend(desk: Desk, wish: LendRequest, now: datetime) -> Lent:
    today = desk.today(now)
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = locked_item(desk, wish.barcode, shown=False)
        account = _account(desk, wish)
        if item.state == ON_LOAN:
            return _already_lent(item, account, wish)
        if item.temporary:
            raise refuse("borrowed_for_another", title=item.title.title, partner=item.partner_name or "a partner")
        hold = _own_hold(item, account, wish.request)
        _free_from_others(item, hold, wish, entries)
        rule = rule_for(item, account)
        if not wish.mandated:
            refuse_unless_lendable(item, account, rule, today)
        due = when_due_back(rule, today, choices.policies(desk.library_id).open_days(), wish.due)
        if wish.mandated:
            due = as_wished(due, today, wish.due, mandated=True)
        item.request, item.partner_symbol, item.partner_name = wish.request, wish.partner_symbol, wish.partner_name
        loan = write_loan(
            item, account, rule, due, min(wish.happened_at or now, now), trigger="host.check_out",
            request=wish.request, partner_name=wish.partner_name,
        )  # fmt: skip
        if hold is not None:
            hold.state, hold.item, hold.ended_at = HOLD.move(hold.state, "host.check_out").becomes, item, now
            update(hold, "state", "item", "ended_at")
            entries.record(facts.HOLD_FULFILLED, item=item.pk, patron=account.pk, request=hold.request, hold=hold.pk)
        entries.record(
            facts.CHECKED_OUT, item=item.pk, patron=account.pk, request=wish.request, due=say_day(due.day),
            loan=loan.pk,
        )  # fmt: skip
    return Lent(loan)


def _own_hold(item: Item, account: Patron, request: str) -> Hold | None:
    """The account's hold under this request that the loan fulfils: on the item, or on any copy of its title."""
    mine = Q(item_id=item.pk) | Q(title_id=item.title_id)
    holds = Hold.objects.filter(mine, library_id=item.library_id, patron=account, state__in=OPEN_HOLD, request=request)
    return next(iter(sorted(holds, key=lambda hold: (hold.item_id != item.pk, hold.pk))), None)


def _free_from_others(item: Item, own: Hold | None, wish: LendRequest, entries: Entries) -> None:
    """What lies on the hold shelf for somebody else is not lent; where it has left already, that hold waits anew."""
    if item.state != ON_HOLD or (own is not None and own.item_id == item.pk):
        return
    if not wish.mandated:
        raise refuse("held_for_another", title=item.title.title)
    for hold in Hold.objects.select_for_update().filter(item=item, state__in=OPEN_HOLD).exclude(state=PENDING):
        hold.state = HOLD.move(hold.state, "host.release").becomes
        hold.item_id = item.pk if hold.level == Hold.Level.ITEM else None
        hold.ready_at = hold.shelf_until = None
        hold.save(update_fields=["state", "item", "ready_at", "shelf_until"])
        entries.record(
            facts.HOLD_EDITED, item=item.pk, patron=hold.patron_id, request=hold.request, change="waits again"
        )


def _account(desk: Desk, wish: LendRequest) -> Patron:
    if not wish.account_barcode:
        raise refuse("account_not_set", partner=wish.partner_name or wish.partner_symbol)
    account = wish.account or patron_by_barcode(desk.library_id, wish.account_barcode)
    if account is None or account.library_id != desk.library_id:
        raise refuse("no_account", barcode=wish.account_barcode)
    return account


def _already_lent(item: Item, account: Patron, wish: LendRequest) -> Lent:
    loan = open_loan(item.pk)
    if loan is not None and loan.patron_id == account.pk and loan.request == wish.request:
        return Lent(loan, repeated=True)
    raise refuse("on_loan_elsewhere", title=item.title.title, due=say_day(loan.due_on) if loan else "unknown")


# --- take back (B15, L5) ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TakenBack:
    """What a check-in by message did. `already`: the desk had checked it in before, nothing changed.

    `loan` is the loan it ended, `hold` the one that the item goes to next.
    """

    item: Item | None
    already: bool
    action: Action | None = None
    going_to: Branch | None = None
    loan: Loan | None = None
    hold: Hold | None = None


def take_back(desk: Desk, request: str, barcode: str, now: datetime) -> TakenBack:
    """The request is over for this piece: a borrowed one becomes Unavailable (B15), ours goes by policy (L5, L6).

    Nothing on loan under this request is a success: the work is done. An unknown barcode is refused.
    """
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = locked_item(desk, barcode, shown=False)
        if item.temporary and item.request == request:
            return _take_back_borrowed(item, request, now, None, entries)
        return _take_back_own(desk, item, request, now, None, entries)


def take_back_piece(desk: Desk, barcode: str, now: datetime, *, happened_at: datetime | None = None) -> TakenBack:
    """A check-in by message that names the piece and no request: it is over for whatever the piece is here or out for.

    `happened_at` is when it came back, if that was before now. An unknown barcode is refused.
    """
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = locked_item(desk, barcode, shown=False)
        at = min(happened_at, now) if happened_at else None
        if item.temporary:
            return _take_back_borrowed(item, item.request, now, at, entries)
        return _take_back_own(desk, item, None, now, at, entries)


def take_back_request(desk: Desk, request: str, now: datetime) -> list[TakenBack]:
    """A check-in by message that names the request alone: every piece here, or out, for it. None is no error."""
    living = Item.objects.filter(library_id=desk.library_id, request=request).exclude(state=WITHDRAWN)
    return [take_back(desk, request, barcode, now) for barcode in living.values_list("barcode", flat=True)]


def _take_back_own(
    desk: Desk, item: Item, request: str | None, now: datetime, at: datetime | None, entries: Entries
) -> TakenBack:
    """Ours comes home; `request` None takes it back from whatever loan it is on."""
    if request is not None:
        loan = open_loan(item.pk) if item.state == ON_LOAN else None
        if loan is None or loan.request != request:
            return TakenBack(item, already=True)
    loan = close_loan(item, "host.check_in", now, at)
    if loan is None:
        return TakenBack(item, already=True)
    forget_the_request(item)
    sent = send_on(item, desk, item.home_branch, now, entries, at_desk=False)
    _record_take_back(item, loan, loan.request, word_for(sent.action, sent.going_to), entries)
    return TakenBack(item, False, sent.action, sent.going_to, loan, sent.hold)


def _take_back_borrowed(item: Item, request: str, now: datetime, at: datetime | None, entries: Entries) -> TakenBack:
    for hold in _open_holds(item.pk, request):
        end_hold(hold, "host.end", now)
        entries.record(
            facts.HOLD_ENDED, item=item.pk, patron=hold.patron_id, request=request, why="the request was returned",
            hold=hold.pk,
        )  # fmt: skip
    loan = close_loan(item, "host.check_in", now, at)
    already = loan is None and item.state == UNAVAILABLE
    if not already:
        move_item(item, "host.put_away", now, at_branch_id=item.home_branch_id, going_to_id=None)
        _record_take_back(item, loan, request, "the request was returned; now unavailable", entries)
    return TakenBack(item, already, Action.ROUTE_TO_ILL, loan=loan)


_open_holds = Prepared(
    lambda item_id, request: Hold.objects.select_for_update().filter(
        item_id=item_id, request=request, state__in=OPEN_HOLD
    ), int, str,
)  # fmt: skip


def _record_take_back(item: Item, loan: Loan | None, request: str, word: str, entries: Entries) -> None:
    entries.record(
        facts.CHECKED_IN, item=item.pk, patron=loan.patron_id if loan else None, request=request, word=word,
        returned=bool(loan), loan=loan.pk if loan else None, by="sharing",
    )  # fmt: skip
