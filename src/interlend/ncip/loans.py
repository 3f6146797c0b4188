"""Messages about pieces that change hands: accept, check out, check in, renew, recall, ship.

Strategy: frozen classes with the elements' names in snake case, in the order of the standard (Z39.83-1, services).
Reading fills them, writing takes the order from `grammar.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from interlend.ncip.messages import Initiation, Notification, Response
from interlend.ncip.parts import (
    Amount,
    AuthenticationInput,
    ElectronicResource,
    FiscalTransactionInformation,
    ItemId,
    ItemOptionalFields,
    Pending,
    RequestId,
    RoutingInformation,
    ShippingInformation,
    UserId,
    UserOptionalFields,
)
from interlend.ncip.values import Code, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptItem(Initiation):
    """Hands a piece over to the borrower's circulation: a temporary item and, for a user, a hold."""

    mandated_action: Moment | None = None
    request_id: RequestId | None = None
    requested_action_type: Code | None = None
    user_id: UserId | None = None
    item_id: ItemId | None = None
    date_for_return: Moment | None = None
    indeterminate_loan_period: bool = False
    non_returnable: bool = False
    renewal_not_permitted: bool = False
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    pickup_location: Code | None = None
    pickup_expiry_date: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptItemResponse(Response):
    """The request, and the item under the barcode it now has."""

    request_id: RequestId | None = None
    item_id: ItemId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutItem(Initiation):
    """Asks to lend an item to a user; mandated when it has already left the house."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId | None = None
    request_id: RequestId | None = None
    acknowledged_fee_amount: Amount | None = None
    paid_fee_amount: Amount | None = None
    acknowledged_item_use_restriction_types: tuple[Code, ...] = ()
    shipping_information: ShippingInformation | None = None
    resource_desired: bool = False
    desired_date_due: Moment | None = None
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutItemResponse(Response):
    """The loan with the date that holds, or what must be agreed to first."""

    required_fee_amount: Amount | None = None
    required_item_use_restriction_types: tuple[Code, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    date_due: Moment | None = None
    indeterminate_loan_period: bool = False
    non_returnable: bool = False
    renewal_count: int | None = None
    electronic_resource: ElectronicResource | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInItem(Initiation):
    """Asks to take an item back."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInItemResponse(Response):
    """The item taken back, and where it goes next."""

    item_id: ItemId | None = None
    user_id: UserId | None = None
    routing_information: RoutingInformation | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoCheckOutItem(Initiation):
    """Asks to treat a loan as if it had never been made."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    request_id: RequestId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoCheckOutItemResponse(Response):
    """The item, no longer on loan."""

    item_id: ItemId | None = None
    user_id: UserId | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewItem(Initiation):
    """Asks for a longer loan."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId | None = None
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()
    desired_date_due: Moment | None = None
    desired_date_for_return: Moment | None = None
    acknowledged_fee_amount: Amount | None = None
    paid_fee_amount: Amount | None = None
    acknowledged_item_use_restriction_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewItemResponse(Response):
    """The new date, or that the lender is being asked, or what must be agreed to first."""

    required_fee_amount: Amount | None = None
    required_item_use_restriction_types: tuple[Code, ...] = ()
    pending: Pending | None = None
    item_id: ItemId | None = None
    user_id: UserId | None = None
    date_due: Moment | None = None
    date_for_return: Moment | None = None
    renewal_count: int | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallItem(Initiation):
    """Asks to have an item back early."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None
    desired_date_due: Moment | None = None
    shipping_information: ShippingInformation | None = None
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallItemResponse(Response):
    """The recalled item and its new date."""

    item_id: ItemId | None = None
    user_id: UserId | None = None
    date_due: Moment | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRecallItem(Initiation):
    """Asks to drop a recall."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRecallItemResponse(Response):
    """The item, no longer recalled."""

    item_id: ItemId | None = None
    user_id: UserId | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCirculationStatusChange(Initiation):
    """Reports what a user says of a piece: returned, never borrowed, lost, missing."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    item_reported_returned: Moment | None = None
    item_reported_never_borrowed: bool = False
    item_reported_lost: bool = False
    item_reported_missing: bool = False
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCirculationStatusChangeResponse(Response):
    """The item whose state was noted."""

    item_id: ItemId | None = None
    user_id: UserId | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCheckedOut(Notification):
    """Tells of a loan."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    request_id: RequestId | None = None
    date_due: Moment | None = None
    indeterminate_loan_period: bool = False
    non_returnable: bool = False
    electronic_resource_provided: bool = False
    renewal_count: int | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    shipping_information: ShippingInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCheckedOutResponse(Response):
    """Heard, or what was wrong with the ItemCheckedOut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCheckedIn(Notification):
    """Tells of a return."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    routing_information: RoutingInformation | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCheckedInResponse(Response):
    """Heard, or what was wrong with the ItemCheckedIn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRenewed(Notification):
    """Tells of a renewal."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    date_due: Moment | None = None
    renewal_count: int | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRenewedResponse(Response):
    """Heard, or what was wrong with the ItemRenewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRecalled(Notification):
    """Tells of a recall."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    date_due: Moment | None = None
    shipping_information: ShippingInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRecalledResponse(Response):
    """Heard, or what was wrong with the ItemRecalled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRecallCancelled(Notification):
    """Tells that a recall was dropped."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRecallCancelledResponse(Response):
    """Heard, or what was wrong with the ItemRecallCancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemShipped(Notification):
    """Tells that a piece is on its way."""

    item_id: ItemId | None = None
    request_id: RequestId | None = None
    user_id: UserId | None = None
    date_shipped: Moment | None = None
    shipping_information: ShippingInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemShippedResponse(Response):
    """Heard, or what was wrong with the ItemShipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReceived(Notification):
    """Tells that a piece has come."""

    item_id: ItemId | None = None
    user_id: UserId | None = None
    request_id: RequestId | None = None
    date_received: Moment | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReceivedResponse(Response):
    """Heard, or what was wrong with the ItemReceived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CirculationStatusChangeReported(Notification):
    """Tells what a user says of a piece."""

    item_id: ItemId | None = None
    user_id: UserId | None = None
    item_reported_returned: Moment | None = None
    item_reported_never_borrowed: bool = False
    item_reported_lost: bool = False
    item_reported_missing: bool = False
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CirculationStatusChangeReportedResponse(Response):
    """Heard, or what was wrong with the CirculationStatusChangeReported."""
