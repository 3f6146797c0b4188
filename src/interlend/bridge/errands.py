"""The handlers of errands: each reads the request as it is now, speaks to one port, and notes the answer.

They may run twice; the ports bear that. Because they read the row at the moment of the try, a corrected patron or
barcode is used at the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final

from interlend.bridge.host_over_ncip import LOOK_BY_HAND, LOOKED_UP
from interlend.bridge.hosts import host_of, link_to
from interlend.bridge.queries import last_said
from interlend.circulation import facts as circulation_facts
from interlend.libraries.desks import Desk
from interlend.outbox.models import Errand
from interlend.outbox.services import Handler
from interlend.sharing import services as sharing
from interlend.sharing.host import (
    AcceptItem,
    CheckInItem,
    CheckOutItem,
    HostCirculation,
    HostProblem,
    HostUnknown,
    LooksBack,
)
from interlend.sharing.models import IllRequest, Piece
from interlend.sharing.partner import Message, Work

#: what a look has found, as the time line shows it
_DONE_BEFORE: Final = "There had been no answer; it was looked up, and it had been done."
_DONE_NOW: Final = "There had been no answer; nothing showed that it had been done, so it was done now."
#: said when a host could not even be asked for a long time
_BY_HAND: Final = "You need not wait for it: look there, then choose done by hand or try again."
#: how long a host may work on a message that nobody waits for any more
_LATE: Final = timedelta(seconds=45)
#: the try after which the outbox pauses for a quarter of an hour
_FOURTH: Final = 4

# --- towards our circulation ------------------------------------------------------------------------------------


def _never_long(handler: Handler) -> Handler:
    """What waits for a host asks again at least every quarter of an hour, as its breaker does, however often it has
    asked: so an outage of a night is over a quarter of an hour after the host is back."""

    @wraps(handler)
    def handled(errand: Errand, now: datetime) -> dict[str, Any] | None:
        try:
            return handler(errand, now)
        except HostProblem:
            errand.tries = min(errand.tries, _FOURTH)  # as the outbox reckons the pause; the row keeps the true count
            raise

    return handled


@_never_long
def accept_item(errand: Errand, now: datetime) -> dict[str, Any]:
    """B1: a temporary item and a hold for the patron."""
    ill, piece = _ill(errand), _piece(errand)
    ask = AcceptItem(
        request=ill.number, user=ill.patron_barcode, item=piece.barcode, title=ill.title, author=ill.author,
        publisher=ill.publisher, year=ill.year, edition=ill.edition, volume=piece.volume or ill.volume,
        lender_symbol=ill.partner.symbol if ill.partner else "", lender_name=ill.partner.name if ill.partner else "",
        date_for_return=ill.due, pickup_location=ill.pickup,
    )  # fmt: skip
    host = _host(errand, ill, now)
    look = _looked(errand, host, ask, now)
    accepted = look.seen or host.accept_item(ask)
    if accepted.item != piece.barcode:  # the host gave it a barcode of its own
        Piece.objects.filter(pk=piece.pk).update(barcode=accepted.item)
    return {"item": accepted.item} | look.told


@_never_long
def check_out_item(errand: Errand, now: datetime) -> dict[str, Any]:
    """L1: our item to the borrowing institution's account; the due date that circulation set is told on (L3)."""
    ill, piece = _ill(errand), _piece(errand)
    partner = ill.partner
    if partner is None:
        raise HostProblem(
            "The borrower is not among the partners.", code="account_not_set",
            remedy="Administrator: add it, with its account's barcode, under Partners.",
        )  # fmt: skip
    ask = CheckOutItem(
        request=ill.number, item=piece.barcode, user=partner.account, borrower_symbol=partner.symbol,
        borrower_name=partner.name, date_due=ill.wished_due,
    )  # fmt: skip
    host = _host(errand, ill, now)
    look = _looked(errand, host, ask, now)
    out = look.seen or host.check_out_item(ask)
    if out.date_due is not None:
        sharing.due_told(ill.pk, out.date_due, now)
    return {"due": out.date_due.isoformat() if out.date_due else ""} | look.told


@_never_long
def check_in_item(errand: Errand, now: datetime) -> dict[str, Any]:
    """B15, L5: check it in if the desk has not."""
    ill, piece = _ill(errand), _piece(errand)
    ask = CheckInItem(request=ill.number, item=piece.barcode)
    host = _host(errand, ill, now)
    look = _looked(errand, host, ask, now)
    back = look.seen or host.check_in_item(ask)
    return {"already": back.already} | look.told


# --- towards the partner ----------------------------------------------------------------------------------------


def tell_partner(errand: Errand, now: datetime) -> dict[str, Any]:
    """The message named by the errand's verb, made from the request as it is now. It never carries a patron."""
    ill = _ill(errand)
    verb = errand.verb.removeprefix("partner.")
    message = Message(
        verb=verb, sender=ill.library.symbol, to=errand.payload["to"], number=ill.number, service=ill.service,
        work=_work(ill) if verb == "request" else None, need_by=ill.need_by if verb == "request" else None,
        note=ill.note if verb == "request" else "", pickup=ill.pickup if verb == "request" else "",
        due=ill.due if verb == "shipped" else None,
        barcodes=tuple(piece.barcode for piece in ill.pieces.all()) if verb == "shipped" else (),
        reason=ill.reason if verb in ("unfilled", "cancel") else "",
    )  # fmt: skip
    link_to(ill.library, message.to, now).send(message)
    return {}


def _work(ill: IllRequest) -> Work:
    return Work(ill.title, ill.author, ill.publisher, ill.year, ill.edition, ill.isbn, ill.volume, ill.pages)


# --- from our circulation ---------------------------------------------------------------------------------------


def relay_desk_return(errand: Errand, now: datetime) -> None:
    """B13, L9: the desk took something back that sharing must hear of."""
    kind_side = {
        circulation_facts.TEMPORARY_ITEM_RETURNED: "borrowing",
        circulation_facts.LENT_ITEM_RETURNED: "lending",
    }
    sharing.desk_took_back(errand.library_id, errand.payload["request"], kind_side[errand.payload["kind"]], now)


def _host(errand: Errand, ill: IllRequest, now: datetime) -> HostCirculation:
    desk = Desk(ill.library_id, ill.library.time_zone, errand.payload.get("actor", ""), None, "by sharing")
    return host_of(desk, now, hurried=errand.tries <= 1)


@dataclass(frozen=True)
class _Look:
    """What was found out before doing a step. `seen`: it had happened, with this answer. `told`: so for staff."""

    seen: Any = None
    told: dict[str, str] = field(default_factory=dict)


def _looked(errand: Errand, host: HostCirculation, ask: Any, now: datetime) -> _Look:
    """After an unknown outcome, ask whether it happened before doing it again.

    That it has not happened is believed only when so much time has gone by that it will not happen any more.
    Whatever keeps us from asking leaves the outcome as unknown as it was, except that a person is to look.
    """
    if not (_is_unsure(errand) and isinstance(host, LooksBack)):
        return _Look()
    said_at = last_said(errand.library_id, errand.request, type(ask).__name__, ask.item)
    try:
        seen = host.look(ask)
    except HostUnknown:
        raise
    except HostProblem as trouble:
        if trouble.code == LOOK_BY_HAND:
            raise
        hint = f" {_BY_HAND}" if errand.tries > _FOURTH else ""
        raise HostUnknown(f"{trouble.sentence}{hint}", remedy=LOOKED_UP) from trouble
    early = said_at is not None and now - said_at < _LATE and not isinstance(ask, CheckInItem)
    if seen is None and early:
        raise HostUnknown("There was no answer, and it is not done yet; it may still be worked on.", remedy=LOOKED_UP)
    return _Look(seen, {"found": _DONE_BEFORE if seen is not None else _DONE_NOW})


def _is_unsure(errand: Errand) -> bool:
    """Whether an earlier try may have been acted on: nobody answered (also if staff have pressed *try again* since),
    or the worker that tried was gone before it could note the answer, and its lease has run out."""
    died = errand.lease_until is not None
    return bool(errand.payload.get("look_first")) or errand.code == HostUnknown("").code or died


def _ill(errand: Errand) -> IllRequest:
    return IllRequest.objects.select_related("partner", "library").get(
        library_id=errand.library_id, pk=errand.payload["ill"]
    )


def _piece(errand: Errand) -> Piece:
    return Piece.objects.get(library_id=errand.library_id, pk=errand.payload["piece"])
