"""CreateUserFiscalTransaction, and the fee that may come inside AcceptItem.

Strategy: amounts are whole numbers of the smallest unit; who names no currency means the caller's. Circulation.md 11.5.
"""

from __future__ import annotations

from interlend import ncip
from interlend.bridge.ncip_responder.asking import Ask
from interlend.circulation import services as circulation


def create_user_fiscal_transaction(ask: Ask, message: ncip.CreateUserFiscalTransaction) -> ncip.Response:
    """One entry on the patron's account; a repeated message is answered with the same reference."""
    patron = ask.patron(message.user_id, message.authentication_inputs)
    fee = charge_of(ask, message.fiscal_transaction_information, "", "")
    if fee is None:
        raise ask.needs("FiscalTransactionInformation")
    bill, _ = circulation.charge(ask.desk, patron, fee, ask.now)
    reference = ncip.FiscalTransactionReferenceId(str(bill.pk), ask.agency)
    return ncip.CreateUserFiscalTransactionResponse(
        header=ask.header(), user_id=ask.user_id(patron, message.user_id), fiscal_transaction_reference_id=reference
    )


def charge_of(
    ask: Ask, said: ncip.FiscalTransactionInformation | None, number: str, barcode: str
) -> circulation.Charge | None:
    """What is to be charged; `number` and `barcode` where the entry itself names no request or item."""
    if said is None or said.amount is None or said.amount.value is None:
        return None
    details = said.item_details or ncip.ItemDetails()
    reference = said.fiscal_transaction_reference_id
    currency = said.amount.currency.value.upper() if said.amount.currency else ask.call.caller.currency
    return circulation.Charge(
        kind=said.fiscal_transaction_type.value if said.fiscal_transaction_type else "Interlibrary Loan Fee",
        action=said.fiscal_action_type.value if said.fiscal_action_type else "Assess", amount=said.amount.value,
        currency=currency, request=ask.number(said.request_id, required=False) or number,
        item_barcode=ask.barcode(details.item_id, required=False) or barcode,
        note=said.fiscal_transaction_description or "",
        reference=(reference.value or "") if reference is not None else "",
    )  # fmt: skip
