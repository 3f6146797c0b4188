"""Pieces that change hands: accept, check out, check in, renew, recall, cancel a recall, undo a check-out.

Strategy: read the message tolerantly, call one circulation service, answer with what holds now: ids as they came, the
due date that circulation set. Told twice they answer like the first time. Workflow B1, B10, B15, L1, L5; fact 7.
"""

from __future__ import annotations

from dataclasses import replace

from interlend import ncip
from interlend.bridge.ncip_responder import answers
from interlend.bridge.ncip_responder.asking import Ask, is_request_number
from interlend.bridge.ncip_responder.bills import charge_of
from interlend.circulation import services as circulation
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import OUT
from interlend.circulation.models import Item, Loan, Patron
from interlend.circulation.policies import Action
from interlend.circulation.queries import item_by_barcode, loans_of_request, one_patron, open_loan

# --- AcceptItem (B1) --------------------------------------------------------------------------------------------


def accept_item(ask: Ask, message: ncip.AcceptItem) -> ncip.Response:
    """A temporary item, and for a user an item-level hold."""
    action = message.requested_action_type.value.casefold() if message.requested_action_type else ""
    if action and not action.startswith(("circulate", "hold")):
        raise ask.no("Element Rule Violated", "Only Circulate and Hold For ... are offered, with or without notice.",
                     "RequestedActionType", action[:60])  # fmt: skip
    number = ask.number(message.request_id)
    if message.user_id is None or not message.user_id.value.strip():
        item, _ = circulation.create_temporary_item(ask.desk, piece_of(ask, message, number, ""), ask.now)
    else:
        item = _accept_for(ask, message, number)
    return ncip.AcceptItemResponse(
        header=ask.header(), request_id=ask.request_id(number, message.request_id),
        item_id=ask.item_id(item.barcode, message.item_id),
    )  # fmt: skip


def _accept_for(ask: Ask, message: ncip.AcceptItem, number: str) -> Item:
    patron = ask.patron(message.user_id)
    piece = replace(piece_of(ask, message, number, patron.barcode), patron=patron)
    fee = charge_of(ask, message.fiscal_transaction_information, number, piece.wanted_barcode)
    item = circulation.accept_temporary_item(ask.desk, piece, ask.now).item
    if fee is not None and fee.amount != 0:
        circulation.charge(ask.desk, patron, fee, ask.now)
    return item


def piece_of(ask: Ask, message: ncip.AcceptItem, number: str, patron_barcode: str) -> circulation.AcceptRequest:
    """The piece as the message describes it. ItemId's agency is the lender, unless it is one of the two who speak."""
    optional = message.item_optional_fields or ncip.ItemOptionalFields()
    about = optional.bibliographic_description or ncip.BibliographicDescription()
    copy = optional.item_description or ncip.ItemDescription()
    symbol, name = _lender(ask, message.item_id)
    return circulation.AcceptRequest(
        request=number, patron_barcode=patron_barcode,
        barcode=ask.barcode(message.item_id or copy.visible_item_id, required=False),
        title=about.title or f"Untitled (request {number})", author=about.author or "",
        publisher=about.publisher or "", year=about.publication_date or "", edition=about.edition or "",
        call_number=copy.call_number or "", volume=_volume(copy),
        material_format=about.medium_type.value if about.medium_type else "Book", partner_symbol=symbol[:20],
        partner_name=name[:120], lender_due=ask.day(message.date_for_return), pickup_code=ask.pickup(
            message.pickup_location), pickup_expiry=ask.day(message.pickup_expiry_date),
        on_clash=ask.call.caller.on_clash,
    )  # fmt: skip


def _volume(copy: ncip.ItemDescription) -> str:
    held = copy.holdings_information
    return (held.unstructured_holdings_data if held is not None else None) or ""


def _lender(ask: Ask, item_id: ncip.ItemId | None) -> tuple[str, str]:
    """Symbol and name of the lending library; the partner directory knows the name."""
    agency = item_id.agency.value.strip() if item_id is not None and item_id.agency is not None else ""
    header = ask.envelope.header
    speakers = (header.from_agency, header.to_agency) if header is not None else ()
    ours = {word.value.strip().casefold() for word in speakers if word is not None} | {ask.member.symbol.casefold()}
    if not agency or agency.casefold() in ours:
        return "", ""
    partner = ask.partner(agency)
    return (partner.symbol, partner.name) if partner is not None else (agency, agency)


# --- CheckOutItem (B10, L1) -------------------------------------------------------------------------------------


def check_out_item(ask: Ask, message: ncip.CheckOutItem) -> ncip.Response:
    """To an institution it is lent under its request; to a person it is checked out as at the desk."""
    barcode = ask.barcode(message.item_id)
    patron = ask.patron(message.user_id, message.authentication_inputs)
    wished = ask.day(message.desired_date_due)
    mandated = message.mandated_action is not None
    if patron.kind == Patron.Kind.INSTITUTION:
        wish = circulation.LendRequest(
            request=ask.number(message.request_id, required=False), barcode=barcode, account_barcode=patron.barcode,
            partner_symbol=_symbol(message), partner_name=patron.surname, due=wished, mandated=mandated,
            happened_at=ask.moment(message.mandated_action), account=patron,
        )  # fmt: skip
        loan = circulation.lend(ask.desk, wish, ask.now).loan
    else:
        loan = circulation.check_out(
            ask.desk, patron.pk, barcode, ask.now, wished_due=wished, mandated=mandated, patron=patron
        ).loan  # fmt: skip
    return ncip.CheckOutItemResponse(
        header=ask.header(), item_id=ask.item_id(barcode, message.item_id),
        user_id=ask.user_id(patron, message.user_id), date_due=ask.end_of(loan.due_on),
        renewal_count=loan.renewals or None,
        item_optional_fields=answers.item_fields_by_barcode(ask, barcode, message.item_element_types),
        user_optional_fields=answers.user_fields_if_asked(ask, patron, message.user_element_types),
    )  # fmt: skip


def _symbol(message: ncip.CheckOutItem) -> str:
    """The institution's symbol, where the message named it by that."""
    said = message.user_id
    by_symbol = said is not None and said.type is not None and "symbol" in said.type.value.casefold()
    return said.value.strip()[:20] if said is not None and by_symbol else ""


# --- CheckInItem (B15, L5) --------------------------------------------------------------------------------------


def check_in_item(ask: Ask, message: ncip.CheckInItem) -> ncip.Response:
    """By barcode: what is not on loan is a problem that says so. By request number: always a success."""
    item_id = message.item_id
    if item_id is None or not item_id.value.strip():
        stray = ask.envelope.stray("RequestId")
        if not isinstance(stray, ncip.RequestId):
            raise ask.needs("ItemId")
        return _check_in_request(ask, message, ask.number(stray), None)
    if is_request_number(item_id):
        return _check_in_request(ask, message, item_id.value.strip(), item_id)
    barcode = ask.barcode(item_id)
    taken = circulation.take_back_piece(ask.desk, barcode, ask.now, happened_at=ask.moment(message.mandated_action))
    if taken.loan is None:
        # a hold that it lay there for has ended all the same, and that stays done
        title = taken.item.title.title if taken.item is not None else barcode
        raise ask.refused(refuse("not_on_loan", title=title))
    return _checked_in(ask, message, taken, ask.item_id(barcode, item_id))


def _check_in_request(ask: Ask, message: ncip.CheckInItem, number: str, item_id: ncip.ItemId | None) -> ncip.Response:
    """Unknown, at home already or just taken back: the request's work is over."""
    taken = circulation.take_back_request(ask.desk, number, ask.now)
    first = next((one for one in taken if one.loan is not None), None)
    said = item_id or ask.item_id(first.item.barcode if first and first.item else number)
    if first is None:
        return ncip.CheckInItemResponse(header=ask.header(), item_id=said)
    return _checked_in(ask, message, first, said)


def _checked_in(
    ask: Ask, message: ncip.CheckInItem, taken: circulation.TakenBack, item_id: ncip.ItemId
) -> ncip.Response:
    loan = taken.loan
    asked_user = bool(message.user_element_types) and loan is not None
    fields = answers.item_fields(ask, taken.item, message.item_element_types) if taken.item is not None else None
    return ncip.CheckInItemResponse(
        header=ask.header(), item_id=item_id,
        user_id=ask.user_id(loan.patron) if loan is not None and asked_user else None,
        routing_information=_routing(taken), item_optional_fields=fields,
        user_optional_fields=_borrower_fields(ask, loan, message.user_element_types) if loan is not None else None,
    )  # fmt: skip


def _routing(taken: circulation.TakenBack) -> ncip.RoutingInformation | None:
    """Where the piece goes next, in words and as a place."""
    item = taken.item
    if item is None or taken.action is None:
        return None
    to = taken.going_to or item.home_branch
    words = {
        Action.SEND_TO_PICKUP: f"Send to {to.name} for a hold", Action.SEND_HOME: f"Send to {to.name}",
        Action.ROUTE_TO_ILL: "Route to ILL", Action.HOLD: "Hold shelf", Action.RESHELVE: "Reshelve",
    }  # fmt: skip
    instance = ncip.LocationNameInstance(level=1, value=to.name)
    place = ncip.Location(
        location_type=ncip.Code("Current Location", answers.LOCATION_TYPES), location_name=(instance,)
    )
    return ncip.RoutingInformation(
        routing_instructions=words[taken.action], destination=ncip.Destination(location=place),
        request_type=ncip.Code("Hold") if taken.hold is not None else None,
    )  # fmt: skip


# --- after check out --------------------------------------------------------------------------------------------


def renew_item(ask: Ask, message: ncip.RenewItem) -> ncip.Response:
    """Ours by policy. A borrowed item: the date that the lender has granted; without one, the lender must be asked."""
    item, loan = _on_loan(ask, message.item_id)
    if message.user_id is not None or message.authentication_inputs:
        patron = ask.patron(message.user_id, message.authentication_inputs)
        if patron.pk != loan.patron_id:
            raise refuse("not_his_loan", title=item.title.title)
    granted = ask.day(message.desired_date_for_return) or ask.day(message.desired_date_due)
    if item.temporary and granted is None:  # also when the lender has lengthened it before: nobody did so now
        partner = item.partner_name or "another library"
        raise refuse("ask_the_lender", title=item.title.title, partner=partner, request=item.request)
    if item.temporary and granted is not None:
        loan = circulation.lenders_date(ask.desk, item.barcode, granted, ask.now) or loan
    else:
        loan = circulation.renew(ask.desk, loan.pk, ask.now, by="host", wished_due=granted)
    return ncip.RenewItemResponse(
        header=ask.header(), item_id=ask.item_id(item.barcode, message.item_id),
        user_id=ask.user_id(loan.patron, message.user_id), date_due=ask.end_of(loan.due_on),
        renewal_count=loan.renewals,
        item_optional_fields=answers.item_fields_by_barcode(ask, item.barcode, message.item_element_types),
        user_optional_fields=_borrower_fields(ask, loan, message.user_element_types),
    )  # fmt: skip


def recall_item(ask: Ask, message: ncip.RecallItem) -> ncip.Response:
    """Ours only: when a borrowed piece must go back, its lender says so with ItemRecalled."""
    barcode = ask.barcode(message.item_id)
    loan = circulation.recall(ask.desk, barcode, ask.now, wished_due=ask.day(message.desired_date_due))
    return ncip.RecallItemResponse(
        header=ask.header(), item_id=ask.item_id(barcode, message.item_id),
        user_id=ask.user_id(loan.patron) if message.user_element_types else None, date_due=ask.end_of(loan.due_on),
        item_optional_fields=answers.item_fields_by_barcode(ask, barcode, message.item_element_types),
        user_optional_fields=_borrower_fields(ask, loan, message.user_element_types),
    )  # fmt: skip


def cancel_recall_item(ask: Ask, message: ncip.CancelRecallItem) -> ncip.Response:
    barcode = ask.barcode(message.item_id)
    loan = circulation.cancel_recall(ask.desk, barcode, ask.now)
    return ncip.CancelRecallItemResponse(
        header=ask.header(), item_id=ask.item_id(barcode, message.item_id),
        user_id=ask.user_id(loan.patron) if message.user_element_types else None,
        item_optional_fields=answers.item_fields_by_barcode(ask, barcode, message.item_element_types),
        user_optional_fields=_borrower_fields(ask, loan, message.user_element_types),
    )  # fmt: skip


def undo_check_out_item(ask: Ask, message: ncip.UndoCheckOutItem) -> ncip.Response:
    barcode = ask.barcode(message.item_id)
    named = message.user_id is not None or bool(message.authentication_inputs)
    patron = ask.patron(message.user_id, message.authentication_inputs) if named else None
    if number := ask.number(message.request_id, required=False):
        _refuse_other_request(ask, barcode, number)
    loan = circulation.undo_check_out(ask.desk, barcode, ask.now, patron_id=patron.pk if patron else None)
    return ncip.UndoCheckOutItemResponse(
        header=ask.header(), item_id=ask.item_id(barcode, message.item_id),
        user_id=ask.user_id(loan.patron, message.user_id) if patron is not None else None,
    )  # fmt: skip


def _refuse_other_request(ask: Ask, barcode: str, number: str) -> None:
    """What is out under another number is not undone."""
    item = item_by_barcode(ask.library_id, barcode)
    loan = open_loan(item.pk) if item is not None else None
    if loan is not None and loan.request and loan.request != number:
        detail = "The item is on loan under another request. (OTHER_REQUEST)"
        raise ask.no("Unknown Request", detail, "RequestIdentifierValue", number)


def _borrower_fields(ask: Ask, loan: Loan, types: tuple[ncip.Code, ...]) -> ncip.UserOptionalFields | None:
    """The asked parts of the borrower, read anew with type and home branch; no query where nothing was asked."""
    patron = one_patron(ask.library_id, loan.patron_id) if types else None
    return answers.user_fields(ask, patron, types) if patron is not None else None


def _on_loan(ask: Ask, item_id: ncip.ItemId | None) -> tuple[Item, Loan]:
    """The item and its open loan; a request number means what is out under it."""
    barcode = ask.barcode(item_id)
    if item_id is not None and is_request_number(item_id):
        out = [loan for loan in loans_of_request(ask.library_id, barcode) if loan.state == OUT]
        barcode = out[0].item.barcode if out else barcode
    item = item_by_barcode(ask.library_id, barcode)
    if item is None:
        raise refuse("unknown_item", barcode=barcode)
    loan = open_loan(item.pk)
    if loan is None:
        raise refuse("not_on_loan", title=item.title.title)
    return item, loan
