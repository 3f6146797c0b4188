"""What other systems tell: ItemShipped, ItemReceived, ItemCheckedIn and their relatives. Heard, noted, answered.

Strategy: a notification changes no loan and no hold here, because it tells of another system's; it is written down as a
fact about our item or request, and a return is passed on to sharing, which waits for exactly that. Z39.83-1.
"""

from __future__ import annotations

from typing import Final

from interlend import ncip
from interlend.bridge.ncip_responder.asking import Ask
from interlend.circulation import facts
from interlend.circulation.models import Item
from interlend.circulation.queries import item_by_barcode
from interlend.outbox.services import written_down
from interlend.sharing import services as sharing
from interlend.sharing.models import Piece

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


def heard(ask: Ask, message: ncip.Initiation) -> ncip.Response:
    """Note what was told, at the item and the request it names; what names nothing of ours is heard all the same."""
    number = ask.number(getattr(message, "request_id", None), required=False)
    barcode, item = _named(ask, message)
    piece = _piece(ask, barcode) if ask.service == "ItemCheckedIn" and barcode else None
    with written_down(ask.library_id, ask.now, ask.desk.actor, ask.desk.branch_name) as entries:
        entries.record(
            facts.HEARD, item=item.pk if item else None,
            request=number or _request_of(item) or (piece.request.number if piece else ""), who=ask.call.caller.name,
            what=SAYS[ask.service] + _status(message), barcode=barcode,
        )  # fmt: skip
    if piece is not None:
        sharing.desk_took_back(ask.library_id, piece.request.number, piece.request.side, ask.now)
    response = ncip.message_class(f"{ask.service}Response")
    assert response is not None
    assert issubclass(response, ncip.Response)
    return response(header=ask.header())


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


def _request_of(item: Item | None) -> str:
    return item.request if item is not None else ""


def _piece(ask: Ask, barcode: str) -> Piece | None:
    """The open request of ours that this piece belongs to."""
    pieces = Piece.objects.filter(library_id=ask.library_id, barcode=barcode).select_related("request")
    return pieces.filter(request__state__in=("shipped", "received")).order_by("-id").first()


def _status(message: ncip.Initiation) -> str:
    status = getattr(message, "circulation_status", None)
    return f": {status.value}" if isinstance(status, ncip.Code) else ""
