"""Who somebody is: LookupUser, AuthenticateUser, CreateUser, UpdateUser.

Strategy: nothing is told that was not asked for, never another library's patron; loans, requests and account are three
queries, each made only when desired. New users get the patron type that the message or the caller's row names. Fact 8.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from interlend import ncip
from interlend.bridge.ncip_responder import answers
from interlend.bridge.ncip_responder.asking import LONGEST_NUMBER, Ask
from interlend.circulation import services as circulation
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import OPEN_HOLD, PENDING, READY
from interlend.circulation.models import Bill, Hold, Patron, PatronType
from interlend.circulation.queries import holds_of_patron, loans_of_patron, patron_by_barcode

# --- LookupUser -------------------------------------------------------------------------------------------------


def lookup_user(ask: Ask, message: ncip.LookupUser) -> ncip.Response:
    patron = ask.patron(message.user_id, message.authentication_inputs)
    loaned = _loaned(ask, patron) if message.loaned_items_desired else ()
    requested = _requested(ask, patron) if message.requested_items_desired else ()
    return ncip.LookupUserResponse(
        header=ask.header(), user_id=ask.user_id(patron, message.user_id),
        user_fiscal_accounts=_accounts(ask, patron) if message.user_fiscal_account_desired else (),
        loaned_items_counts=(ncip.LoanedItemsCount(circulation_status=ncip.Code("On Loan"), count=len(loaned)),)
        if message.loaned_items_desired else (),
        loaned_items=loaned,
        requested_items_counts=(ncip.RequestedItemsCount(request_type=ncip.Code("Hold"), count=len(requested)),)
        if message.requested_items_desired else (),
        requested_items=requested, user_optional_fields=answers.user_fields(ask, patron, message.user_element_types),
    )  # fmt: skip


def _loaned(ask: Ask, patron: Patron) -> tuple[ncip.LoanedItem, ...]:
    return tuple(
        ncip.LoanedItem(
            item_id=ask.item_id(loan.item.barcode), date_due=ask.end_of(loan.due_on), title=loan.item.title.title,
            medium_type=ncip.Code(loan.item.material_format) if loan.item.material_format else None,
        )
        for loan in loans_of_patron(patron)
    )  # fmt: skip


def _requested(ask: Ask, patron: Patron) -> tuple[ncip.RequestedItem, ...]:
    holds = list(holds_of_patron(patron))
    places = _positions(ask.library_id, holds)
    return tuple(
        ncip.RequestedItem(
            item_id=ask.item_id(hold.item.barcode) if hold.item is not None else None,
            request_id=ask.request_id(hold.request or f"HOLD-{hold.pk}"), request_type=ncip.Code("Hold"),
            request_status_type=ncip.Code("Available For Pickup" if hold.state == READY else "In Process"),
            date_placed=ask.at(hold.placed_at), pickup_date=ask.at(hold.ready_at) if hold.ready_at else None,
            pickup_location=ncip.Code(hold.pickup_branch.code),
            pickup_expiry_date=ask.end_of(hold.shelf_until) if hold.shelf_until else None,
            hold_queue_position=places[hold.pk], title=hold.title.title,
        )
        for hold in holds
    )  # fmt: skip


def _positions(library_id: int, holds: Sequence[Hold]) -> dict[int, int]:
    """Hold key -> its place in its queue, 1 for the next. One query for all."""
    titles = {hold.title_id for hold in holds}
    waiting = Hold.objects.filter(library_id=library_id, title_id__in=titles, state__in=OPEN_HOLD)
    queues: dict[int, list[tuple[int | None, str, int]]] = defaultdict(list)
    order = waiting.order_by("rank", "placed_at", "id").values_list("title_id", "item_id", "state", "pk")
    for title, item, state, key in order:
        queues[title].append((item, state, key))
    return {hold.pk: position(hold, queues[hold.title_id]) for hold in holds}


def position(hold: Hold, queue: Sequence[tuple[int | None, str, int]]) -> int:
    """Place of a hold among those that wait for the same piece: (item, state, key) in the order of the queue."""
    if hold.state != PENDING:
        return 1
    rivals = [key for item, _, key in queue if item is None or hold.item_id is None or item == hold.item_id]
    return rivals.index(hold.pk) + 1 if hold.pk in rivals else len(rivals) + 1


def _accounts(ask: Ask, patron: Patron) -> tuple[ncip.UserFiscalAccount, ...]:
    """One account a currency; an account nobody ever charged is a balance of nothing."""
    bills: dict[str, list[Bill]] = defaultdict(list)
    for bill in Bill.objects.filter(library_id=ask.library_id, patron=patron).order_by("id"):
        bills[bill.currency].append(bill)
    return tuple(
        ncip.UserFiscalAccount(
            ncip.Amount(sum(bill.amount for bill in entries), _currency(currency)),
            tuple(_entry(ask, bill) for bill in entries),
        )
        for currency, entries in (bills or {ask.call.caller.currency: []}).items()
    )


def _entry(ask: Ask, bill: Bill) -> ncip.AccountDetails:
    item = ncip.ItemDetails(
        item_id=ask.item_id(bill.item_barcode), bibliographic_description=ncip.BibliographicDescription()
    )
    return ncip.AccountDetails(
        ask.at(bill.made_at),
        ncip.FiscalTransactionInformation(
            fiscal_action_type=ncip.Code(bill.action or "Assess"),
            fiscal_transaction_type=ncip.Code(bill.kind or "Service Charge"),
            fiscal_transaction_reference_id=ncip.FiscalTransactionReferenceId(str(bill.pk), ask.agency),
            amount=ncip.Amount(abs(bill.amount), _currency(bill.currency)),
            fiscal_transaction_description=bill.note or None,
            request_id=ask.request_id(bill.request) if bill.request else None,
            item_details=item if bill.item_barcode else None,
        ),
    )


def _currency(code: str) -> ncip.Code:
    return ncip.Code(code)


def authenticate_user(ask: Ask, message: ncip.AuthenticateUser) -> ncip.Response:
    """Version 1's own service: who these credentials belong to."""
    patron = ask.patron(None, message.authentication_inputs)
    return ncip.AuthenticateUserResponse(header=ask.header(), user_id=ask.user_id(patron))


# --- CreateUser, UpdateUser -------------------------------------------------------------------------------------


def create_user(ask: Ask, message: ncip.CreateUser) -> ncip.Response:
    """A person or an institution. The same user told again is a success; another with that barcode is a problem."""
    barcode = _new_barcode(ask, message)
    record = _filled(circulation.PatronRecord(barcode, ""), message.name_information, message.user_address_information)
    if not record.surname:
        raise ask.needs("NameInformation")
    record = replace(record, patron_type_id=_patron_type(ask, message.user_privileges).pk)
    there = patron_by_barcode(ask.library_id, barcode)
    if there is not None and (there.surname, there.given_name) != (record.surname, record.given_name):
        raise refuse("barcode_in_use", barcode=barcode)
    if there is None:
        circulation.save_patron(ask.desk, record, ask.now, pin=_pin(message.authentication_inputs))
    made = there or Patron(barcode=barcode)
    return ncip.CreateUserResponse(header=ask.header(), user_id=ask.user_id(made, message.user_id))


def _new_barcode(ask: Ask, message: ncip.CreateUser) -> str:
    said = [message.user_id, *message.visible_user_ids]
    typed = [one.data for one in message.authentication_inputs if one.type is not None and one.type.says("barcode id")]
    found = [one.value.strip() for one in said if one is not None and one.value.strip()] + typed
    if not found:
        raise ask.needs("UserId")
    return found[0][:LONGEST_NUMBER]


def _pin(inputs: Sequence[ncip.AuthenticationInput]) -> str:
    return next((one.data for one in inputs if one.type is not None and one.type.says("pin", "password")), "")


def _patron_type(ask: Ask, privileges: Sequence[ncip.UserPrivilege]) -> PatronType:
    """The type that one of the privileges names, else the one the caller's new users get."""
    types = {word.casefold(): row for row in PatronType.objects.filter(library_id=ask.library_id)
             for word in (row.name, row.code)}  # fmt: skip
    for privilege in privileges:
        status = privilege.user_privilege_status
        words = (
            status.user_privilege_status_type if status else None, privilege.agency_user_privilege_type,
        )  # fmt: skip
        for word in words:
            if word is not None and word.value.casefold() in types:
                return types[word.value.casefold()]
    fallback = ask.call.caller.new_user_type
    if fallback.casefold() not in types:
        raise refuse("no_patron_type", code=fallback or "(none named)")
    return types[fallback.casefold()]


def _filled(
    record: circulation.PatronRecord, name: ncip.NameInformation | None,
    addresses: Sequence[ncip.AddressInformation],
) -> circulation.PatronRecord:  # fmt: skip
    """The record with the name and the addresses that a message gives."""
    record = _named(record, name)
    for address in addresses:
        electronic, physical = address.electronic_address, address.physical_address
        if electronic is not None and electronic.electronic_address_data:
            record = _reached(record, electronic)
        if physical is not None and (text := _lines(physical)):
            record = replace(record, address=text)
    return record


def _named(record: circulation.PatronRecord, name: ncip.NameInformation | None) -> circulation.PatronRecord:
    if name is None:
        return record
    organization = next((o.organization_name for o in name.organization_name_information if o.organization_name), None)
    if organization:
        return replace(record, surname=organization[:120], given_name="", kind="institution")
    person = name.personal_name_information
    if person is None:
        return record
    parts = person.structured_personal_user_name
    if parts is not None and parts.surname:
        return replace(record, surname=parts.surname[:120], given_name=(parts.given_name or "")[:120])
    whole = (person.unstructured_personal_user_name or "").strip()
    surname, comma, given = whole.partition(",")
    if not comma:  # "Mary Okafor": the last word is the surname
        given, _, surname = whole.rpartition(" ")
    return replace(record, surname=surname.strip()[:120], given_name=given.strip()[:120]) if whole else record


def _reached(record: circulation.PatronRecord, electronic: ncip.ElectronicAddress) -> circulation.PatronRecord:
    value = (electronic.electronic_address_data or "").strip().removeprefix("mailto:")
    kind = electronic.electronic_address_type.value.casefold() if electronic.electronic_address_type else ""
    if "mail" in kind or "@" in value:
        return replace(record, email=value[:254])
    return replace(record, phone=value[:40])


def _lines(physical: ncip.PhysicalAddress) -> str:
    if physical.unstructured_address is not None and physical.unstructured_address.unstructured_address_data:
        return physical.unstructured_address.unstructured_address_data.strip()
    parts = physical.structured_address
    if parts is None:
        return ""
    lines = (parts.care_of, parts.line1, parts.line2, parts.street, parts.locality, parts.region, parts.postal_code,
             parts.country)  # fmt: skip
    return "\n".join(line for line in lines if line)


def update_user(ask: Ask, message: ncip.UpdateUser) -> ncip.Response:
    """First what is to be deleted, then what is to be added; a name is only ever replaced."""
    patron = ask.patron(message.user_id, message.authentication_inputs)
    record = circulation.PatronRecord(
        patron.barcode, patron.surname, patron.given_name, patron.kind, patron.patron_type_id, patron.home_branch_id,
        patron.email, patron.phone, patron.address, patron.expires_on, patron.blocked_since, patron.block_reason,
        patron.note,
    )  # fmt: skip
    if message.delete_user_fields is not None:
        record = _emptied(record, message.delete_user_fields)
    added = message.add_user_fields
    if added is not None:
        record = _filled(record, added.name_information, added.user_address_information)
        record = replace(record, kind=patron.kind)
        if added.user_privileges:
            record = replace(record, patron_type_id=_patron_type(ask, added.user_privileges).pk)
    pin = _pin(added.authentication_inputs) if added is not None else ""
    circulation.save_patron(ask.desk, record, ask.now, pin=pin)
    return ncip.UpdateUserResponse(header=ask.header(), user_id=ask.user_id(patron, message.user_id))


def _emptied(record: circulation.PatronRecord, gone: ncip.UserFields) -> circulation.PatronRecord:
    """Addresses are deleted where they are the ones that the record has."""
    for address in gone.user_address_information:
        electronic, physical = address.electronic_address, address.physical_address
        value = (electronic.electronic_address_data or "").removeprefix("mailto:") if electronic is not None else ""
        if value and value == record.email:
            record = replace(record, email="")
        if value and value == record.phone:
            record = replace(record, phone="")
        if physical is not None and _lines(physical) == record.address.strip():
            record = replace(record, address="")
    return record
