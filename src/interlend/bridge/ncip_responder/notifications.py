"""What other systems tell: ItemShipped, ItemReceived, ItemCheckedIn and their relatives. Heard, noted, and followed
where it is about a piece or a request that we know and where nobody here could know better.

Strategy: a lender decides how long we may keep its piece; the parties of a request decide when a parcel leaves and
arrives; whoever asked may stop asking. Everything else is only noted, because whoever wants a loan or a hold of ours
must ask for it and hear yes or no. News is never refused: it has happened already. Z39.83-1, notifications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import transaction
from django.db.models import Q

from interlend import ncip
from interlend.bridge.ncip_responder.asking import Ask
from interlend.circulation import facts
from interlend.circulation import services as circulation
from interlend.circulation.lifecycles import ON_LOAN, OPEN_HOLD, WITHDRAWN
from interlend.circulation.models import Item, Patron
from interlend.circulation.queries import item_by_barcode, patron_by_barcode
from interlend.outbox.services import written_down
from interlend.refusal import Refused
from interlend.sharing import services as sharing
from interlend.sharing.lifecycles import LIFECYCLES, RECEIVED, SHIPPED
from interlend.sharing.models import IllRequest, Piece
from interlend.sharing.partner import Message

#: notification -> what the time line says
SAYS: Final = {
    "ItemShipped": "it has been shipped",
    "ItemReceived": "it has been received",
    "ItemCheckedOut": "it has been checked out",
    "ItemCheckedIn": "it has been checked in",
    "ItemRenewed": "it has been renewed",
    "ItemRecalled": "it has been recalled",
    "ItemRecallCancelled": "the recall was cancelled",
    "ItemRequested": "it has been requested",
    "ItemRequestCancelled": "the request was cancelled",
    "ItemRequestUpdated": "the request was changed",
    "CirculationStatusUpdated": "its circulation status has changed",
    "CirculationStatusChangeReported": "a user has reported what became of it",
}


@dataclass(frozen=True)
class News:
    """What a notification is about, as far as we know it. `item` is the living one with the barcode."""

    number: str
    barcode: str
    item: Item | None
    due: date | None

    @property
    def borrowed(self) -> str:
        """The barcode of a temporary item of ours, else ""."""
        return self.item.barcode if self.item is not None and self.item.temporary else ""


def heard(ask: Ask, message: ncip.Initiation) -> ncip.Response:
    """Note what was told at the item and the request it names; what names nothing of ours is heard all the same."""
    news = _news(ask, message)
    undone = _followed(ask, message, news)
    piece = _piece(ask, news, (SHIPPED, RECEIVED)) if news.barcode and news.item is None and not news.number else None
    request = news.number or (news.item.request if news.item else "") or (piece.request.number if piece else "")
    with written_down(ask.library_id, ask.now, ask.desk.actor, ask.desk.branch_name) as entries:
        entries.record(
            facts.HEARD, item=news.item.pk if news.item else None, request=request, who=ask.call.caller.name,
            what=SAYS[ask.service] + _status(message) + undone, barcode=news.barcode,
        )  # fmt: skip
    response = ncip.message_class(f"{ask.service}Response")
    assert response is not None
    assert issubclass(response, ncip.Response)
    return response(header=ask.header())


def _news(ask: Ask, message: ncip.Initiation) -> News:
    barcode, item = _named(ask, message)
    living = item if item is not None and item.state != WITHDRAWN else None
    number = ask.number(getattr(message, "request_id", None), required=False)
    return News(number, barcode, living, ask.day(getattr(message, "date_due", None)))


def _named(ask: Ask, message: ncip.Initiation) -> tuple[str, Item | None]:
    """The piece and its barcode: ItemId's, or the visible one of its description where that is ours (INN-Reach)."""
    described = getattr(getattr(message, "item_optional_fields", None), "item_description", None)
    said = (getattr(message, "item_id", None), getattr(described, "visible_item_id", None))
    barcodes = [barcode for one in said if (barcode := ask.barcode(one, required=False))]
    for barcode in barcodes:
        item = item_by_barcode(ask.library_id, barcode)
        if item is not None:
            return barcode, item
    return (barcodes[-1] if barcodes else ""), None


def _followed(ask: Ask, message: ncip.Initiation, news: News) -> str:
    """Do what follows from the news here; why it could not be done, for the time line."""
    follow = _FOLLOWS.get(ask.service)
    if follow is None:
        return ""
    try:
        with transaction.atomic():  # a refusal undoes what was begun, but not that it was heard
            follow(ask, message, news)
    except Refused as no:
        return f" (nothing follows here: {no.sentence})"
    return ""


def _status(message: ncip.Initiation) -> str:
    status = getattr(message, "circulation_status", None)
    return f": {status.value}" if isinstance(status, ncip.Code) else ""


# --- parcels: what the parties of a request tell each other -----------------------------------------------------


def _shipped(ask: Ask, _: ncip.Initiation, news: News) -> None:
    """By the lender: it is on its way to us. By the borrower, of something of ours: it is on its way home."""
    if not _tell_sharing(ask, news, "borrowing", "shipped"):
        _tell_sharing(ask, news, "lending", "shipped_return")


def _received(ask: Ask, _: ncip.Initiation, news: News) -> None:
    """By the borrower: our parcel has arrived. What comes to us is received by scanning it, never by message."""
    _tell_sharing(ask, news, "lending", "received")


def _tell_sharing(ask: Ask, news: News, side: str, verb: str) -> bool:
    """Let the request of this side move, if its table knows the move and it leads anywhere; whether it did."""
    ill = _request(ask, news, side)
    if ill is None or ill.partner is None:
        return False
    table, trigger = LIFECYCLES[ill.side, ill.service], f"{'supplier' if side == 'borrowing' else 'requester'}.{verb}"
    if not table.allows(ill.state, trigger) or table.move(ill.state, trigger).becomes == ill.state:
        return False
    parcel = (news.barcode,) if verb == "shipped" and news.barcode and not ill.pieces.exists() else ()
    told = Message(verb, ill.partner.symbol, ask.member.symbol, ill.number, ill.service, barcodes=parcel)
    sharing.hear(ask.library_id, told, ask.now)
    return True


def _request(ask: Ask, news: News, side: str) -> IllRequest | None:
    """The request that is meant: by its number, else by a piece that belongs to it."""
    requests = IllRequest.objects.filter(library_id=ask.library_id, side=side).select_related("partner")
    if news.number:
        return requests.filter(number=news.number).first()
    piece = _piece(ask, news, (SHIPPED, RECEIVED), side)
    return requests.get(pk=piece.request_id) if piece is not None else None


def _piece(ask: Ask, news: News, states: tuple[str, ...], side: str = "") -> Piece | None:
    """The piece with this barcode, ours or the partner's, of a request that is under way."""
    if not news.barcode:
        return None
    named = Q(barcode=news.barcode) | Q(partner_barcode=news.barcode)
    pieces = Piece.objects.filter(named, library_id=ask.library_id, request__state__in=states)
    if side:
        pieces = pieces.filter(request__side=side)
    return pieces.select_related("request").order_by("-id").first()


# --- returns ----------------------------------------------------------------------------------------------------


def _checked_in(ask: Ask, _: ncip.Initiation, news: News) -> None:
    """A borrowed piece that is still out to our patron is back; sharing is told, because it waits for exactly that.

    Of a piece of our own it says that the borrower's patron brought it back: until it is scanned here it is on loan.
    """
    if news.borrowed and news.item is not None and news.item.state == ON_LOAN:
        circulation.take_back_piece(ask.desk, news.borrowed, ask.now)
    pieces = Piece.objects.filter(library_id=ask.library_id, barcode=news.barcode).exclude(barcode="")
    open_ones = pieces.filter(request__state__in=(SHIPPED, RECEIVED)).select_related("request")
    piece = open_ones.order_by("-id").first()
    if piece is not None:
        sharing.desk_took_back(ask.library_id, piece.request.number, piece.request.side, ask.now)


# --- the lender's dates -----------------------------------------------------------------------------------------


def _checked_out(ask: Ask, message: ncip.Initiation, news: News) -> None:
    """The lender has lent it to us until that day. Told of one of our patrons, it is the news of our own loan."""
    user_id = message.user_id if isinstance(message, ncip.ItemCheckedOut) else None
    person = patron_by_barcode(ask.library_id, user_id.value) if user_id is not None else None
    ours = person is not None and person.kind == Patron.Kind.PERSON
    if news.borrowed and news.due is not None and news.item is not None and news.item.state != ON_LOAN and not ours:
        circulation.lenders_date(ask.desk, news.borrowed, news.due, ask.now)


def _renewed(ask: Ask, _: ncip.Initiation, news: News) -> None:
    """The lender has granted a later day."""
    if not news.borrowed or news.item is None or news.due is None:
        return
    if news.item.lender_due is None or news.due > news.item.lender_due:
        circulation.lenders_date(ask.desk, news.borrowed, news.due, ask.now)


def _recalled(ask: Ask, _: ncip.Initiation, news: News) -> None:
    """The lender wants its piece back early."""
    if news.borrowed and news.due is not None:
        circulation.lenders_recall(ask.desk, news.borrowed, news.due, ask.now)


def _recall_cancelled(ask: Ask, _: ncip.Initiation, news: News) -> None:
    if news.borrowed:
        circulation.lenders_recall_cancelled(ask.desk, news.borrowed, ask.now)


# --- requests ---------------------------------------------------------------------------------------------------


def _request_cancelled(ask: Ask, _: ncip.Initiation, news: News) -> None:
    """Whoever asked under this number does not want it any more."""
    hold = circulation.find_request(ask.library_id, request=news.number) if news.number else None
    if hold is not None and hold.state in OPEN_HOLD:
        circulation.cancel_request(ask.desk, hold, ask.now)


_FOLLOWS: Final[Mapping[str, Callable[[Ask, ncip.Initiation, News], None]]] = {
    "ItemShipped": _shipped,
    "ItemReceived": _received,
    "ItemCheckedIn": _checked_in,
    "ItemCheckedOut": _checked_out,
    "ItemRenewed": _renewed,
    "ItemRecalled": _recalled,
    "ItemRecallCancelled": _recall_cancelled,
    "ItemRequestCancelled": _request_cancelled,
}
