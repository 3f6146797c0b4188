"""The verbs of the house, its only writers: create, send, ship, receive, return, complete, and hearing the partner.

Every verb is one move of the side's table; state, event and errands are written in one transaction, and whoever must
hear (our circulation, the partner) is told after. Workflow B1, B15, L1, L5, L9, C1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from interlend.libraries.desks import Desk
from interlend.libraries.models import Library
from interlend.lifecycle import NoSuchMove
from interlend.outbox.models import Errand, Event
from interlend.outbox.services import DONE, Entries, forgo, written_down
from interlend.sharing import facts
from interlend.sharing.errors import refuse
from interlend.sharing.host import User
from interlend.sharing.lifecycles import LIFECYCLES, NEW, RECEIVED, REQUESTED, RETURNED, SHIPPED, outcome
from interlend.sharing.models import IllRequest, NumberSeries, Partner, Piece
from interlend.sharing.partner import Message, Work
from interlend.sharing.policies import BUTTONS, STATE_WORDS
from interlend.sharing.queries import over

# --- creating ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """What a patron wishes to have, as the staff form gives it."""

    title: str
    service: str = "loan"
    author: str = ""
    publisher: str = ""
    year: str = ""
    edition: str = ""
    isbn: str = ""
    volume: str = ""
    pages: str = ""
    note: str = ""
    pickup: str = ""
    need_by: date | None = None


def create(desk: Desk, wish: Wish, user: User, now: datetime, *, lender: str = "", again: bool = False) -> IllRequest:
    """A borrowing request for `user`; sent at once where `lender` (a symbol) is given. `again` allows a double."""
    if not wish.title.strip():
        raise refuse("no_title")
    if user.blocks:
        raise refuse("no_patron", why=" ".join(user.blocks), remedy="Circulation desk: open the patron's account.")
    partner = _lender(desk.library_id, lender) if lender else None
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        if not again and (same := _open_double(desk.library_id, user.barcode, wish)):
            raise refuse("duplicate", number=same.number)
        ill = IllRequest.objects.create(
            library_id=desk.library_id, side=IllRequest.Side.BORROWING, number=_next_number(desk.library_id),
            state=NEW, state_since=now, made_at=now, made_by=desk.actor, patron_barcode=user.barcode,
            patron_name=user.name, **asdict(wish),
        )  # fmt: skip
        entries.record(facts.CREATED, request=ill.number, sentence="Request made by staff")
        if partner is not None:
            ill.partner = partner
            _move(ill, "staff.send", entries, partner=partner.name)
    return ill


def _open_double(library_id: int, patron_barcode: str, wish: Wish) -> IllRequest | None:
    final = LIFECYCLES["borrowing", wish.service].final
    mine = IllRequest.objects.filter(library_id=library_id, patron_barcode=patron_barcode, side="borrowing")
    return mine.filter(title__iexact=wish.title, volume=wish.volume).exclude(state__in=final).first()


def _next_number(library_id: int) -> str:
    series = NumberSeries.objects.select_for_update().filter(library_id=library_id).first()
    if series is None:
        series = NumberSeries.objects.create(library_id=library_id, prefix=_free_prefix(library_id))
    NumberSeries.objects.filter(pk=series.pk).update(next=F("next") + 1)
    return f"{series.prefix}-{series.next}"


def _free_prefix(library_id: int) -> str:
    """Three letters of the symbol, more where another member has the same three: numbers never meet at a lender."""
    symbol = "".join(c for c in Library.objects.get(pk=library_id).symbol.upper() if c.isalnum())
    lengths = range(3, max(len(symbol), 3) + 1)
    taken = set(NumberSeries.objects.values_list("prefix", flat=True))
    free = (symbol[:length] for length in lengths if symbol[:length] not in taken)
    return next(free, f"{symbol[:6]}{library_id}")


# --- the directory ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PartnerRecord:
    """Another library as staff describe it; the shapes are those of `models.Partner`."""

    symbol: str
    name: str
    account: str = ""
    return_address: str = ""
    email: str = ""
    lends: bool = True
    note: str = ""


def save_partner(library_id: int, record: PartnerRecord, *, partner_id: int | None = None) -> Partner:
    """A new partner, or the one with this key changed. Refuses a symbol that another partner has."""
    with transaction.atomic():
        mine = Partner.objects.select_for_update().filter(library_id=library_id)
        partner = mine.get(pk=partner_id) if partner_id is not None else Partner(library_id=library_id)
        other = mine.filter(symbol=record.symbol).exclude(pk=partner_id or 0).first()
        if other is not None:
            raise refuse("partner_taken", symbol=record.symbol, partner=other.name)
        for name, value in asdict(record).items():
            setattr(partner, name, value)
        partner.save()
    return partner


# --- staff verbs, borrowing -------------------------------------------------------------------------------------


def send(desk: Desk, ill_id: int, lender: str, now: datetime) -> IllRequest:
    """Ask `lender` (a partner's symbol), the first or the next after one could not supply."""
    partner = _lender(desk.library_id, lender)
    with _moving(desk, ill_id, now) as (ill, entries):
        ill.partner, ill.reason = partner, ""
        _move(ill, "staff.send", entries, partner=partner.name)
    return ill


def receive(desk: Desk, ill_id: int, now: datetime, *, barcodes: Sequence[str] = ()) -> IllRequest:
    """B1: the parcel is on our desk. `barcodes`, one a piece, are what our circulation will know them by;
    without them the lender's own barcodes are used, or the request number where the lender gave none."""
    with _moving(desk, ill_id, now) as (ill, entries):
        pieces = list(ill.pieces.all())
        wanted = [code.strip() for code in barcodes if code.strip()]
        for position in range(1, max(len(pieces), len(wanted), 1) + 1):
            piece = pieces[position - 1] if position <= len(pieces) else Piece(request=ill, position=position)
            piece.library_id = ill.library_id
            given = wanted[position - 1] if position <= len(wanted) else ""
            piece.barcode = given or piece.barcode or piece.partner_barcode or _own_barcode(ill, position)
            piece.save()
        _move(ill, "staff.receive", entries, partner=_partner_name(ill))
    return ill


def _own_barcode(ill: IllRequest, position: int) -> str:
    return ill.number if position == 1 else f"{ill.number}-{position}"


def return_(desk: Desk, ill_id: int, now: datetime) -> IllRequest:
    """B15: it goes back to the lender; circulation checks it in if the desk has not."""
    with _moving(desk, ill_id, now) as (ill, entries):
        _forgo_host(ill, now, "the item went back to the lender")
        _move(ill, "staff.return", entries, partner=_partner_name(ill))
    return ill


# --- staff verbs, lending ---------------------------------------------------------------------------------------


def ship(desk: Desk, ill_id: int, barcodes: Sequence[str], now: datetime, *, due: date | None = None) -> IllRequest:
    """L1: our item leaves. `due` is the date we want it back (L3); without one, circulation's policy decides."""
    codes = list(dict.fromkeys(code.strip() for code in barcodes if code.strip()))
    with _moving(desk, ill_id, now) as (ill, entries):
        _refuse_bad_barcodes(ill, codes)
        ill.pieces.all().delete()
        for position, code in enumerate(codes, start=1):
            Piece.objects.create(request=ill, library_id=ill.library_id, position=position, barcode=code)
        ill.due = ill.wished_due = due
        _move(ill, "staff.ship", entries, partner=_partner_name(ill), due=due.isoformat() if due else "")
    return ill


def _refuse_bad_barcodes(ill: IllRequest, codes: list[str]) -> None:
    if not codes:
        raise refuse("no_barcode")
    for code in codes:
        if code.upper() == ill.number.upper():
            raise refuse("number_as_barcode", barcode=code)
    away = Piece.objects.filter(
        library_id=ill.library_id, barcode__in=codes, request__side="lending",
        request__state__in=(SHIPPED, RECEIVED, RETURNED),
    )  # fmt: skip
    elsewhere = away.exclude(request=ill).select_related("request").first()
    if elsewhere is not None:
        raise refuse("barcode_elsewhere", barcode=elsewhere.barcode, number=elsewhere.request.number)


def complete(desk: Desk, ill_id: int, now: datetime) -> IllRequest:
    """L5, L9: it is back; circulation checks it in if the desk has not, and the borrower's side is closed."""
    with _moving(desk, ill_id, now) as (ill, entries):
        _forgo_host(ill, now, "the item is back")
        _move(ill, "staff.complete", entries, partner=_partner_name(ill))
    return ill


# --- staff verbs, either side -----------------------------------------------------------------------------------

_NEEDS_REASON = {trigger for trigger, button in BUTTONS.items() if button.needs == "reason"}


def press(desk: Desk, ill_id: int, trigger: str, now: datetime, *, reason: str = "") -> IllRequest:
    """Any staff trigger that needs nothing but perhaps a reason; the table says whether it is possible."""
    if trigger == "staff.return":
        return return_(desk, ill_id, now)
    if trigger == "staff.complete":
        return complete(desk, ill_id, now)
    if trigger in _NEEDS_REASON and not reason.strip():
        raise refuse("no_reason")
    with _moving(desk, ill_id, now) as (ill, entries):
        if reason:
            ill.reason = reason.strip()[:200]
        if trigger == "staff.close":
            _forgo_host(ill, now, "the request was closed by hand")
        _move(ill, trigger, entries, partner=_partner_name(ill), reason=reason.strip())
    return ill


def correct_patron(desk: Desk, ill_id: int, user: User, now: datetime) -> IllRequest:
    """Put the right patron on a borrowing request, so that a refused circulation step can be tried again."""
    return _correct(desk, ill_id, now, "The patron was corrected", patron_barcode=user.barcode, patron_name=user.name)


def follow_card(desk: Desk, before: str, barcode: str, now: datetime) -> None:
    """A patron of ours has another card: their requests, open and over, go on under its number."""
    mine = IllRequest.objects.filter(library_id=desk.library_id, patron_barcode=before, side="borrowing")
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        for number in list(mine.exclude(over()).values_list("number", flat=True)):
            entries.record(facts.CORRECTED, request=number, sentence="The patron has a new card")
        mine.update(patron_barcode=barcode)


def correct_pickup(desk: Desk, ill_id: int, code: str, now: datetime) -> IllRequest:
    return _correct(desk, ill_id, now, f"Pickup location is now {code}", pickup=code)


def correct_barcode(desk: Desk, ill_id: int, piece_id: int, barcode: str, now: datetime) -> IllRequest:
    """Another barcode for a piece whose circulation step was refused (barcode taken, mistyped)."""
    if not barcode.strip():
        raise refuse("no_barcode")
    with _moving(desk, ill_id, now) as (ill, entries):
        ill.pieces.filter(pk=piece_id).update(barcode=barcode.strip())
        entries.record(facts.CORRECTED, request=ill.number, sentence=f"The barcode is now {barcode.strip()}")
    return ill


def note(desk: Desk, ill_id: int, text: str, now: datetime) -> None:
    """A remark for colleagues; it stays in this library."""
    ill = IllRequest.objects.get(library_id=desk.library_id, pk=ill_id)
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        entries.record(facts.NOTED, request=ill.number, sentence=text.strip()[:1000])


def _correct(desk: Desk, ill_id: int, now: datetime, sentence: str, **changes: str) -> IllRequest:
    with _moving(desk, ill_id, now) as (ill, entries):
        for name, value in changes.items():
            setattr(ill, name, value)
        ill.save(update_fields=list(changes))
        entries.record(facts.CORRECTED, request=ill.number, sentence=sentence)
    return ill


# --- what others tell us ----------------------------------------------------------------------------------------

#: verbs that a requester sends to a supplier; all others go the other way
FROM_REQUESTER = ("request", "cancel", "received", "shipped_return")


def hear(library_id: int, message: Message, now: datetime) -> None:
    """A partner's message about one request. The same message twice changes nothing the second time.

    A message that the table does not allow is kept as an event and shown to staff, never refused and never lost:
    the sender has done its part.
    """
    lending = message.verb in FROM_REQUESTER
    side = "lending" if lending else "borrowing"
    with written_down(library_id, now, actor=message.sender) as entries:
        requests = IllRequest.objects.select_for_update(of=("self",)).select_related("partner")
        ill = requests.filter(library_id=library_id, side=side, number=message.number).first()
        if ill is None and message.verb != "request":
            raise refuse("unknown_request", text=message.number)
        if ill is None:
            _begin_lending(library_id, message, entries)
            return
        if not lending and (ill.partner is None or ill.partner.symbol != message.sender):
            # news from a lender who was asked before and is no longer in charge of it
            entries.record(facts.MISSED, request=ill.number, sentence=f"{message.sender} says: {message.verb}")
            return
        _hear_about(ill, message, f"{'requester' if lending else 'supplier'}.{message.verb}", entries)


def _begin_lending(library_id: int, message: Message, entries: Entries) -> None:
    partner = Partner.objects.filter(library_id=library_id, symbol=message.sender).first()
    if partner is None:
        raise refuse("unknown_partner", symbol=message.sender)
    work = asdict(message.work or Work(title="(no title)"))
    IllRequest.objects.create(
        library_id=library_id, side=IllRequest.Side.LENDING, service=message.service, number=message.number,
        state=REQUESTED, state_since=entries.now, made_at=entries.now, made_by=message.sender, partner=partner,
        pickup=message.pickup, need_by=message.need_by, note=message.note, moves=1, **work,
    )  # fmt: skip
    entries.record(facts.MOVED, request=message.number, trigger="requester.request", partner=partner.name)


def _hear_about(ill: IllRequest, message: Message, trigger: str, entries: Entries) -> None:
    if message.verb == "shipped" and (message.due or message.barcodes):
        _note_parcel(ill, message)
    if message.reason:
        ill.reason = message.reason[:200]
    try:
        _move(
            ill, trigger, entries, partner=_partner_name(ill), reason=message.reason,
            due=message.due.isoformat() if message.due else "",
        )  # fmt: skip
    except NoSuchMove:
        ill.save()
        if not _heard_before(ill, trigger):
            said = facts.SENTENCES[trigger].format(partner=_partner_name(ill), reason="", due="")
            entries.record(facts.MISSED, request=ill.number, sentence=said)


def _note_parcel(ill: IllRequest, message: Message) -> None:
    ill.due = message.due or ill.due
    for position, code in enumerate(message.barcodes, start=1):
        Piece.objects.update_or_create(
            request=ill, position=position, defaults={"partner_barcode": code, "library_id": ill.library_id}
        )


def _heard_before(ill: IllRequest, trigger: str) -> bool:
    moved = Event.objects.filter(library_id=ill.library_id, request=ill.number, kind=facts.MOVED)
    return moved.filter(data__trigger=trigger).exists()


def desk_took_back(library_id: int, number: str, side: str, now: datetime) -> None:
    """Circulation says that the item came back at a desk (B13, L9): staff see it here, and one click finishes it."""
    states = (RECEIVED,) if side == "borrowing" else (SHIPPED, RECEIVED, RETURNED)
    requests = IllRequest.objects.filter(library_id=library_id, side=side, number=number, state__in=states)
    requests.filter(at_desk_since__isnull=True).update(at_desk_since=now)


def due_told(ill_id: int, due: date, now: datetime) -> None:
    """Our circulation gave the loan this due date; if the borrower was told another, they are told again (L3)."""
    ill = IllRequest.objects.select_related("partner").get(pk=ill_id)
    if ill.due == due:
        return
    with written_down(ill.library_id, now, actor="circulation") as entries:
        told = Errand.objects.filter(
            library_id=ill.library_id, subject=_subject(ill), verb="partner.shipped", state=DONE
        ).exists()
        ill.due = due
        ill.save(update_fields=["due"])
        entries.record(facts.DUE_TOLD, request=ill.number, due=due.isoformat(), sentence="Due date set by circulation")
        if told:
            _owe_partner(ill, "partner.shipped", entries, suffix=f":due:{due}")


# --- the one place where a request changes its state ------------------------------------------------------------


@contextmanager
def _moving(desk: Desk, ill_id: int, now: datetime) -> Iterator[tuple[IllRequest, Entries]]:
    """The request, locked, with what is written about it; a move the table forbids becomes a plain refusal."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        requests = IllRequest.objects.select_for_update(of=("self",)).select_related("partner")
        ill = requests.get(library_id=desk.library_id, pk=ill_id)
        try:
            yield ill, entries
        except NoSuchMove as no:
            can = ", ".join(BUTTONS[t].label for t in no.allowed if t in BUTTONS) or "nothing more"
            button = BUTTONS.get(no.trigger)
            raise refuse(
                "not_possible", number=ill.number, state=STATE_WORDS[no.state].lower(),
                what=button.label if button else no.trigger, can=f"Possible now: {can}.",
            ) from no  # fmt: skip


def _move(ill: IllRequest, trigger: str, entries: Entries, **said: Any) -> None:
    move = LIFECYCLES[ill.side, ill.service].move(ill.state, trigger)
    if move.becomes != ill.state:
        ill.state, ill.state_since = move.becomes, entries.now
    ill.outcome = outcome(move, ill.outcome)
    ill.moves += 1
    if trigger in ("staff.return", "staff.complete", "staff.close", "supplier.completed"):
        ill.at_desk_since = None
    ill.save()
    entries.record(facts.MOVED, request=ill.number, trigger=trigger, **{k: v for k, v in said.items() if v})
    for verb in move.errands:
        if verb.startswith("host."):
            _owe_host(ill, verb, entries)
        else:
            _owe_partner(ill, verb, entries)


def _owe_host(ill: IllRequest, verb: str, entries: Entries) -> None:
    for piece in ill.pieces.all():
        entries.owe(
            verb, party="host", subject=_subject(ill), key=f"{_subject(ill)}:{ill.moves}:{verb}:{piece.position}",
            request=ill.number, ill=ill.pk, piece=piece.pk,
        )  # fmt: skip


def _owe_partner(ill: IllRequest, verb: str, entries: Entries, suffix: str = "") -> None:
    if ill.partner is None:
        raise refuse("no_partner")
    entries.owe(
        verb, party=f"partner:{ill.partner.symbol}", subject=_subject(ill),
        key=f"{_subject(ill)}:{ill.moves}:{verb}{suffix}", request=ill.number, ill=ill.pk, to=ill.partner.symbol,
    )  # fmt: skip


def _forgo_host(ill: IllRequest, now: datetime, why: str) -> None:
    forgo(ill.library_id, _subject(ill), "host", now, f"not needed any more: {why}")


def _subject(ill: IllRequest) -> str:
    return f"{ill.side}:{ill.number}"


def _partner_name(ill: IllRequest) -> str:
    return ill.partner.name if ill.partner else ""


def _lender(library_id: int, symbol: str) -> Partner:
    if not symbol:
        raise refuse("no_partner")
    partner = Partner.objects.filter(library_id=library_id, symbol=symbol).first()
    if partner is None:
        raise refuse("unknown_partner", symbol=symbol)
    if not partner.lends:
        raise refuse("partner_inactive", partner=partner.name)
    return partner
