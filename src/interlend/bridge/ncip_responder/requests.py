"""Requests for items and titles: RequestItem, CancelRequestItem, UpdateRequestItem, LookupRequest.

Strategy: a request is a hold under the peer's number; one placed here without a number is called HOLD-<key>. Answers
always name both the request and a piece, because the pickiest client needs both. Fact 7; Z39.83-1, request services.
"""

from __future__ import annotations

from datetime import date

from interlend import ncip
from interlend.bridge.ncip_responder import answers
from interlend.bridge.ncip_responder.asking import Ask
from interlend.circulation import services as circulation
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import CANCELLED, EXPIRED, FULFILLED, OPEN_HOLD, READY
from interlend.circulation.models import Hold, Item, Patron
from interlend.circulation.queries import pickup_branch, with_places

_HOLD_NUMBER = "HOLD-"

# --- RequestItem ------------------------------------------------------------------------------------------------


def request_item(ask: Ask, message: ncip.RequestItem) -> ncip.Response:
    """A hold, or a page: a copy to be fetched from the shelf now."""
    kind = message.request_type.value.casefold() if message.request_type else "hold"
    if kind in {"estimate", "non-returnable copy"}:
        raise ask.no("Element Rule Violated", "Only holds and pages of things to be lent are offered.", "RequestType",
                     kind)  # fmt: skip
    patron = ask.patron(message.user_id, message.authentication_inputs)
    placed = circulation.request_item(ask.desk, _wish(ask, message, patron, kind), ask.now)
    hold, barcode = placed.hold, placed.copy.barcode if placed.copy is not None else ""
    like = message.item_ids[0] if message.item_ids else None
    return ncip.RequestItemResponse(
        header=ask.header(), request_id=ask.request_id(_number(hold), message.request_id),
        item_id=ask.item_id(barcode, like) if barcode else None, user_id=ask.user_id(patron, message.user_id),
        request_type=message.request_type or ncip.Code("Hold"), request_scope_type=_scope(message, hold),
        hold_pickup_date=ask.end_of(hold.shelf_until) if hold.shelf_until else None,
        item_optional_fields=answers.item_fields_by_barcode(ask, barcode, message.item_element_types)
        if barcode else None,
        user_optional_fields=answers.user_fields_if_asked(ask, patron, message.user_element_types),
    )  # fmt: skip


def _wish(ask: Ask, message: ncip.RequestItem, patron: Patron, kind: str) -> circulation.RequestWish:
    barcode = ask.barcode(message.item_ids[0]) if message.item_ids else ""
    record_id, isbn = _title_number(message) if not barcode else ("", "")
    if not (barcode or record_id or isbn):
        raise ask.needs("ItemId | BibliographicId")
    scope = message.request_scope_type.value.casefold() if message.request_scope_type else ""
    symbol = patron.surname if patron.kind == Patron.Kind.INSTITUTION else ""
    return circulation.RequestWish(
        patron=patron, request=ask.number(message.request_id, required=False), barcode=barcode, record_id=record_id,
        isbn=isbn, this_copy=bool(barcode) and scope not in {"bibliographic item", "title"},
        page=kind in {"page", "stack retrieval"}, pickup_code=ask.pickup(message.pickup_location),
        until=_until(ask, message.need_before_date, message.pickup_expiry_date), partner_name=symbol[:120],
    )  # fmt: skip


def _title_number(message: ncip.RequestItem) -> tuple[str, str]:
    """Record number and ISBN, whichever comes first."""
    for one in message.bibliographic_ids:
        record, number = one.bibliographic_record_id, one.bibliographic_item_id
        if record is not None and record.identifier.strip():
            return record.identifier.strip(), ""
        if number is not None and number.identifier.strip():
            return "", number.identifier.replace("-", "").strip()
    return "", ""


def _until(ask: Ask, *moments: ncip.Moment | None) -> date | None:
    return next((ask.day(moment) for moment in moments if moment is not None), None)


def _scope(message: ncip.RequestItem, hold: Hold) -> ncip.Code:
    if message.request_scope_type is not None:
        return message.request_scope_type
    return ncip.Code("Item" if hold.level == Hold.Level.ITEM else "Bibliographic Item")


def _number(hold: Hold) -> str:
    return hold.request or f"{_HOLD_NUMBER}{hold.pk}"


# --- the other three --------------------------------------------------------------------------------------------


def cancel_request_item(ask: Ask, message: ncip.CancelRequestItem) -> ncip.Response:
    """End the hold. Told again it is a success; what was fulfilled or has expired says so."""
    patron = _patron_if_named(ask, message.user_id, message.authentication_inputs)
    hold = _found(ask, message.request_id, message.item_id, patron)
    hold = circulation.cancel_request(ask.desk, hold, ask.now)
    piece = hold.item or circulation.first_copy(hold)
    barcode = piece.barcode if piece is not None else _number(hold)
    return ncip.CancelRequestItemResponse(
        header=ask.header(), request_id=ask.request_id(_number(hold), message.request_id),
        item_id=message.item_id or ask.item_id(barcode), user_id=ask.user_id(hold.patron, message.user_id),
    )  # fmt: skip


def update_request_item(ask: Ask, message: ncip.UpdateRequestItem) -> ncip.Response:
    """Change the pickup place, the last day it is wanted, the first day it is wanted. The rest has no place here."""
    patron = _patron_if_named(ask, message.user_id, message.authentication_inputs)
    hold = _found(ask, message.request_id, message.item_id, patron)
    hold = circulation.edit_hold(ask.desk, hold.pk, _change(ask, message, hold), ask.now)
    piece = hold.item or circulation.first_copy(hold)
    return ncip.UpdateRequestItemResponse(
        header=ask.header(), item_id=message.item_id or ask.item_id(piece.barcode if piece else _number(hold)),
        user_id=ask.user_id(hold.patron, message.user_id), request_type=message.request_type or ncip.Code("Hold"),
        request_scope_type=ncip.Code("Item" if hold.level == Hold.Level.ITEM else "Bibliographic Item"),
    )  # fmt: skip


def _change(ask: Ask, message: ncip.UpdateRequestItem, hold: Hold) -> circulation.HoldChange:
    gone, new = message.delete_request_fields, message.add_request_fields
    until, first, pickup = hold.expires_on, hold.suspended_to, hold.pickup_branch_id
    if gone is not None:
        until = None if gone.need_before_date or gone.pickup_expiry_date else until
        first = None if gone.earliest_date_needed else first
    if new is not None:
        until = _until(ask, new.need_before_date, new.pickup_expiry_date) or until
        first = ask.day(new.earliest_date_needed) or first
        if new.pickup_location is not None and (code := ask.pickup(new.pickup_location)):
            place = pickup_branch(ask.library_id, code)
            pickup = place.pk if place is not None else pickup
    paused = hold.suspended_from or ask.today
    return circulation.HoldChange(
        pickup_branch_id=pickup, expires_on=until, suspended_from=paused if first else None, suspended_to=first,
        public_note=hold.public_note, staff_note=hold.staff_note,
    )  # fmt: skip


def lookup_request(ask: Ask, message: ncip.LookupRequest) -> ncip.Response:
    """How a request stands: its status, place in the queue, pickup place and days."""
    patron = _patron_if_named(ask, message.user_id, message.authentication_inputs)
    hold = _found(ask, message.request_id, message.item_id, patron)
    piece = hold.item or circulation.first_copy(hold)
    fields = None
    if piece is not None and message.item_element_types:
        item = with_places(Item.objects.filter(pk=piece.pk, library_id=ask.library_id)).get()
        fields = answers.item_fields(ask, item, message.item_element_types)
    return ncip.LookupRequestResponse(
        header=ask.header(), request_id=ask.request_id(_number(hold), message.request_id),
        item_id=message.item_id or (ask.item_id(piece.barcode) if piece is not None else None),
        user_id=ask.user_id(hold.patron, message.user_id), request_type=ncip.Code("Hold"),
        request_scope_type=ncip.Code("Item" if hold.level == Hold.Level.ITEM else "Bibliographic Item"),
        request_status_type=ncip.Code(_status(hold)), hold_queue_position=_position(hold),
        earliest_date_needed=ask.end_of(hold.suspended_to) if hold.suspended_to else None,
        need_before_date=ask.end_of(hold.expires_on) if hold.expires_on else None,
        pickup_date=ask.at(hold.ready_at) if hold.ready_at else None,
        pickup_location=ncip.Code(hold.pickup_branch.code),
        pickup_expiry_date=ask.end_of(hold.shelf_until) if hold.shelf_until else None,
        date_of_user_request=ask.at(hold.placed_at), item_optional_fields=fields,
        user_optional_fields=answers.user_fields_if_asked(ask, hold.patron, message.user_element_types),
    )  # fmt: skip


def _status(hold: Hold) -> str:
    """NCIP's word. For what is over there is none but these."""
    return {READY: "Available For Pickup", CANCELLED: "Cannot Fulfill Request", EXPIRED: "Expired",
            FULFILLED: "Available For Pickup"}.get(hold.state, "In Process")  # fmt: skip


def _position(hold: Hold) -> int | None:
    if hold.state not in OPEN_HOLD:
        return None
    ahead = Hold.objects.filter(library_id=hold.library_id, title_id=hold.title_id, state__in=OPEN_HOLD)
    keys = list(ahead.order_by("rank", "placed_at", "id").values_list("pk", flat=True))
    return 1 if hold.state == READY else keys.index(hold.pk) + 1


def _patron_if_named(
    ask: Ask, user_id: ncip.UserId | None, inputs: tuple[ncip.AuthenticationInput, ...]
) -> Patron | None:
    named = (user_id is not None and user_id.value.strip()) or inputs
    return ask.patron(user_id, inputs) if named else None


def _found(ask: Ask, request_id: ncip.RequestId | None, item_id: ncip.ItemId | None, patron: Patron | None) -> Hold:
    """The hold that is meant: by number, else by item and patron."""
    number, barcode = ask.number(request_id, required=False), ask.barcode(item_id, required=False)
    if not number and not (barcode and patron is not None):
        raise ask.needs("RequestId")
    own = number.removeprefix(_HOLD_NUMBER)
    key = int(own) if own != number and own.isascii() and own.isdigit() else None
    hold = circulation.find_request(
        ask.library_id, request=number, patron_id=patron.pk if patron else None, barcode=barcode, key=key
    )
    if hold is None:
        raise refuse("unknown_request", request=number or barcode, whose=" for this patron" if patron else "")
    return hold
