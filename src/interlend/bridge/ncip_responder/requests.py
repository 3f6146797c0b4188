"""Requests for items and titles: RequestItem, CancelRequestItem, UpdateRequestItem, LookupRequest.

Strategy: a request is a hold under the peer's number; one placed here without a number is called HOLD-<key>. Answers
always name both the request and a piece, because the pickiest client needs both. Fact 7; Z39.83-1, request services.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from interlend import ncip
from interlend.bridge.ncip_responder import answers
from interlend.bridge.ncip_responder.asking import Ask
from interlend.bridge.ncip_responder.users import positions
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
    pause = _pause(ask, message.earliest_date_needed) if message.earliest_date_needed is not None else None
    placed = circulation.request_item(ask.desk, _wish(ask, message, patron, kind), ask.now)
    if pause is not None and not placed.repeated:
        _rest(ask, placed.hold, *pause)
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


def _rest(ask: Ask, hold: Hold, begins: date | None, ends: date | None) -> None:
    """The hold just placed rests for these days, if any."""
    change = circulation.HoldChange(
        hold.pickup_branch_id, hold.expires_on, begins, ends, hold.public_note, hold.staff_note
    )
    circulation.edit_hold(ask.desk, hold.pk, change, ask.now)


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
    """The earliest of the days by which it is no longer wanted."""
    return min((day for day in map(ask.day, moments) if day is not None), default=None)


def _scope(message: ncip.RequestItem, hold: Hold) -> ncip.Code:
    if message.request_scope_type is not None:
        return message.request_scope_type
    return ncip.Code("Item" if hold.level == Hold.Level.ITEM else "Bibliographic Item")


def hold_key(number: str) -> int | None:
    """The key of a hold that was placed without a number, from the number it is called by here."""
    own = number.removeprefix(_HOLD_NUMBER)
    return int(own) if own != number and own.isascii() and own.isdigit() and len(own) < 19 else None


def _number(hold: Hold) -> str:
    return hold.request or f"{_HOLD_NUMBER}{hold.pk}"


# --- CancelRequestItem, LookupRequest ---------------------------------------------------------------------------


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
        item_optional_fields=_piece_fields(ask, piece, message.item_element_types),
        user_optional_fields=answers.user_fields_if_asked(ask, hold.patron, message.user_element_types),
    )  # fmt: skip


def lookup_request(ask: Ask, message: ncip.LookupRequest) -> ncip.Response:
    """How a request stands: what is asked for by name, and everything about the request where nothing is."""
    patron = _patron_if_named(ask, message.user_id, message.authentication_inputs)
    hold = _found(ask, message.request_id, message.item_id, patron)
    piece = hold.item or circulation.first_copy(hold)
    wanted = answers.asked(message.request_element_types)
    told = {name: value for name, value in _standing(ask, hold).items()
            if not wanted or name.replace("_", "") in wanted}  # fmt: skip
    return ncip.LookupRequestResponse(
        header=ask.header(), request_id=ask.request_id(_number(hold), message.request_id),
        item_id=message.item_id or (ask.item_id(piece.barcode) if piece is not None else None),
        item_optional_fields=_piece_fields(ask, piece, message.item_element_types),
        user_optional_fields=answers.user_fields_if_asked(ask, hold.patron, message.user_element_types), **told,
    )  # fmt: skip


def _standing(ask: Ask, hold: Hold) -> dict[str, Any]:
    """Field of the answer -> what holds now. A day of rest ends on the eve of the first day it is wanted."""
    place = positions(ask.library_id, [hold])[hold.pk] if hold.state in OPEN_HOLD else None
    first = hold.suspended_to + timedelta(days=1) if hold.suspended_to is not None else None
    return {
        "user_id": ask.user_id(hold.patron), "request_type": ncip.Code("Hold"), "request_scope_type": _level(hold),
        "request_status_type": ncip.Code(_status(hold)), "hold_queue_position": place,
        "earliest_date_needed": ask.start_of(first) if first is not None else None,
        "need_before_date": ask.end_of(hold.expires_on) if hold.expires_on else None,
        "pickup_date": ask.at(hold.ready_at) if hold.ready_at else None,
        "pickup_location": ncip.Code(hold.pickup_branch.code),
        "pickup_expiry_date": ask.end_of(hold.shelf_until) if hold.shelf_until else None,
        "date_of_user_request": ask.at(hold.placed_at),
    }  # fmt: skip


def _level(hold: Hold) -> ncip.Code:
    return ncip.Code("Item" if hold.level == Hold.Level.ITEM else "Bibliographic Item")


def _piece_fields(ask: Ask, piece: Item | None, types: tuple[ncip.Code, ...]) -> ncip.ItemOptionalFields | None:
    """The asked parts of a copy that was read without its places."""
    if piece is None or not types:
        return None
    item = with_places(Item.objects.filter(pk=piece.pk, library_id=ask.library_id)).get()
    return answers.item_fields(ask, item, types)


def _status(hold: Hold) -> str:
    """NCIP's word. For what is over there is none but these."""
    return {READY: "Available For Pickup", CANCELLED: "Cannot Fulfill Request", EXPIRED: "Expired",
            FULFILLED: "Available For Pickup"}.get(hold.state, "In Process")  # fmt: skip


# --- UpdateRequestItem ------------------------------------------------------------------------------------------

#: what a hold has once and for all: field -> element
_FIXED: Final = {
    "user_id": "UserId", "item_id": "ItemId", "request_type": "RequestType", "request_scope_type": "RequestScopeType",
    "request_status_type": "RequestStatusType", "date_of_user_request": "DateOfUserRequest",
    "date_available": "DateAvailable", "paid_fee_amount": "PaidFeeAmount",
}  # fmt: skip


def update_request_item(ask: Ask, message: ncip.UpdateRequestItem) -> ncip.Response:
    """Change where it is picked up, until when and from when it is wanted, how long it waits on the shelf.

    Whose it is, what for and of what kind stays; who wants that otherwise cancels it and asks anew. No fee is asked, so
    an acknowledged one changes nothing.
    """
    patron = _patron_if_named(ask, message.user_id, message.authentication_inputs)
    hold = _found(ask, message.request_id, message.item_id, patron)
    hold = circulation.edit_hold(ask.desk, hold.pk, _change(ask, message, hold), ask.now)
    piece = hold.item or circulation.first_copy(hold)
    return ncip.UpdateRequestItemResponse(
        header=ask.header(), item_id=message.item_id or ask.item_id(piece.barcode if piece else _number(hold)),
        user_id=ask.user_id(hold.patron, message.user_id), request_type=message.request_type or ncip.Code("Hold"),
        request_scope_type=_level(hold), hold_pickup_date=ask.end_of(hold.shelf_until) if hold.shelf_until else None,
        item_optional_fields=_piece_fields(ask, piece, message.item_element_types),
        user_optional_fields=answers.user_fields_if_asked(ask, hold.patron, message.user_element_types),
    )  # fmt: skip


def _change(ask: Ask, message: ncip.UpdateRequestItem, hold: Hold) -> circulation.HoldChange:
    """First what is deleted, then what is added; what cannot be changed is a problem that names the element."""
    gone, new = message.delete_request_fields or _NOTHING, message.add_request_fields or _NOTHING
    _refuse_what_stays(ask, message, gone, new, hold)
    until = None if gone.need_before_date or gone.pickup_expiry_date else hold.expires_on
    on_shelf = _day_to_come(ask, new.pickup_expiry_date, "PickupExpiryDate")
    days = [_day_to_come(ask, new.need_before_date, "NeedBeforeDate"), None if hold.state == READY else on_shelf]
    pause = (None, None) if gone.earliest_date_needed else (hold.suspended_from, hold.suspended_to)
    if new.earliest_date_needed is not None:
        pause = _pause(ask, new.earliest_date_needed, hold)
    return circulation.HoldChange(
        pickup_branch_id=_new_place(ask, gone, new) or hold.pickup_branch_id,
        expires_on=min((day for day in days if day is not None), default=until), suspended_from=pause[0],
        suspended_to=pause[1], public_note=hold.public_note, staff_note=hold.staff_note, shelf_until=on_shelf,
    )  # fmt: skip


_NOTHING: Final = ncip.RequestFields()


def _refuse_what_stays(
    ask: Ask, message: ncip.UpdateRequestItem, gone: ncip.RequestFields, new: ncip.RequestFields, hold: Hold
) -> None:
    for name, element in _FIXED.items():
        if getattr(gone, name) is not None and getattr(new, name) is None:
            raise ask.no("Unable To Delete Element", "A hold always has this one.", element)
        if getattr(new, name) is not None and not _is_so_already(ask, name, message, new, hold):
            detail = "This cannot be changed; cancel the request and place another."
            raise ask.no("Unable To Add Element", detail, element)


def _is_so_already(
    ask: Ask, name: str, message: ncip.UpdateRequestItem, new: ncip.RequestFields, hold: Hold
) -> bool:  # fmt: skip
    if name == "user_id":
        return ask.patron(new.user_id).pk == hold.patron_id
    if name == "item_id":
        mine = {hold.item.barcode} if hold.item is not None else set()
        return new.item_id is not None and new.item_id.value.strip() in mine
    words = {
        "request_type": {"hold", message.request_type.value.casefold() if message.request_type else "hold"},
        "request_scope_type": {"item"} if hold.level == Hold.Level.ITEM else {"bibliographic item", "title"},
        "request_status_type": {_status(hold).casefold()},
    }.get(name, set())
    said = getattr(new, name)
    return isinstance(said, ncip.Code) and said.value.casefold() in words


def _day_to_come(ask: Ask, moment: ncip.Moment | None, element: str) -> date | None:
    day = ask.day(moment)
    if day is not None and day < ask.today:
        raise ask.no("Invalid Date", "This day is over.", element, day.isoformat())
    return day


def _pause(ask: Ask, moment: ncip.Moment, hold: Hold | None = None) -> tuple[date | None, date | None]:
    """A hold rests until the eve of the first day it is wanted; from today on, it does not."""
    first = ask.day(moment)
    if first is None or first <= ask.today:
        return None, None
    begun = hold.suspended_from if hold is not None else None
    return begun or ask.today, first - timedelta(days=1)


def _new_place(ask: Ask, gone: ncip.RequestFields, new: ncip.RequestFields) -> int | None:
    """The pickup branch that is named, by its code or (so in Denmark) as the place of a shipping address."""
    code = ""
    if new.pickup_location is not None:
        code = ask.pickup(new.pickup_location)
    elif new.shipping_information is not None:
        code = _shipped_to(ask, new.shipping_information)
    elif gone.pickup_location is not None or gone.shipping_information is not None:
        raise ask.no("Unable To Delete Element", "A hold has a pickup location; it can only be replaced.",
                     "PickupLocation")  # fmt: skip
    place = pickup_branch(ask.library_id, code) if code else None
    return place.pk if place is not None else None


def _shipped_to(ask: Ask, shipping: ncip.ShippingInformation) -> str:
    physical = shipping.physical_address or ncip.PhysicalAddress()
    parts, text = physical.structured_address, physical.unstructured_address
    words = [parts.locality, parts.district, parts.location_within_building] if parts is not None else []
    words += ((text.unstructured_address_data if text is not None else None) or "").splitlines()
    places = (ask.member.place(word) for word in words if word and word.strip())
    place = next((place for place in places if place is not None and place.pickup), None)
    if place is None:
        detail = "A hold is picked up; the address names none of this library's pickup locations."
        raise ask.no("Unable To Add Element", detail, "ShippingInformation")
    return place.code


# --- which hold -------------------------------------------------------------------------------------------------


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
    hold = circulation.find_request(
        ask.library_id, request=number, patron_id=patron.pk if patron else None, barcode=barcode, key=hold_key(number)
    )
    if hold is None and not number:
        detail = "This patron has no request for this item, or for its title. (UNKNOWN_REQUEST)"
        raise ask.no("Unknown Request", detail, "ItemIdentifierValue", barcode)
    if hold is None:
        raise refuse("unknown_request", request=number, whose=" for this patron" if patron else "")
    return hold
