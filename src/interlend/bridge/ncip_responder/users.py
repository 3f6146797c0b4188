"""Who somebody is: LookupUser, AuthenticateUser.

Strategy: nothing is told that was not asked for, never another library's patron; loans, requests and account are three
queries, each made only when desired. Fact 8.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from interlend import ncip
from interlend.bridge.ncip_responder import answers
from interlend.bridge.ncip_responder.asking import Ask
from interlend.circulation.lifecycles import OPEN_HOLD, PENDING, READY
from interlend.circulation.models import Bill, Hold, Patron
from interlend.circulation.queries import holds_of_patron, loans_of_patron

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
    places = positions(ask.library_id, holds)
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


def positions(library_id: int, holds: Sequence[Hold]) -> dict[int, int]:
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
