"""Messages about requests for items and titles.

Strategy: frozen classes with the elements' names in snake case, in the order of the standard (Z39.83-1, services).
Reading fills them, writing takes the order from `grammar.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from interlend.ncip.messages import Initiation, Notification, Response
from interlend.ncip.parts import (
    Amount,
    AuthenticationInput,
    BibliographicId,
    FiscalTransactionInformation,
    ItemId,
    ItemOptionalFields,
    RequestFields,
    RequestId,
    ShippingInformation,
    UserId,
    UserOptionalFields,
)
from interlend.ncip.values import Code, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestItem(Initiation):
    """Asks to hold, page or recall an item or a title for a user."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    item_ids: tuple[ItemId, ...] = ()
    bibliographic_ids: tuple[BibliographicId, ...] = ()
    request_id: RequestId | None = None
    request_type: Code | None = None
    request_scope_type: Code | None = None
    item_optional_fields: ItemOptionalFields | None = None
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: Moment | None = None
    need_before_date: Moment | None = None
    pickup_location: Code | None = None
    pickup_expiry_date: Moment | None = None
    acknowledged_fee_amount: Amount | None = None
    paid_fee_amount: Amount | None = None
    acknowledged_item_use_restriction_types: tuple[Code, ...] = ()
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestItemResponse(Response):
    """The request as it was placed, or what must be agreed to first."""

    required_fee_amount: Amount | None = None
    required_item_use_restriction_types: tuple[Code, ...] = ()
    item_id: ItemId | None = None
    request_id: RequestId | None = None
    user_id: UserId | None = None
    request_type: Code | None = None
    request_scope_type: Code | None = None
    shipping_information: ShippingInformation | None = None
    date_available: Moment | None = None
    hold_pickup_date: Moment | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequestItem(Initiation):
    """Asks to drop a request."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId | None = None
    request_id: RequestId | None = None
    request_type: Code | None = None
    request_scope_type: Code | None = None
    acknowledged_fee_amount: Amount | None = None
    paid_fee_amount: Amount | None = None
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequestItemResponse(Response):
    """The request that was dropped."""

    item_id: ItemId | None = None
    request_id: RequestId | None = None
    user_id: UserId | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequestItem(Initiation):
    """Asks to change a request: first delete, then add."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId | None = None
    request_type: Code | None = None
    request_id: RequestId | None = None
    delete_request_fields: RequestFields | None = None
    add_request_fields: RequestFields | None = None
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequestItemResponse(Response):
    """The request as it now stands, or what must be agreed to first."""

    required_fee_amount: Amount | None = None
    required_item_use_restriction_types: tuple[Code, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    request_type: Code | None = None
    request_scope_type: Code | None = None
    date_available: Moment | None = None
    hold_pickup_date: Moment | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupRequest(Initiation):
    """Asks how a request stands (version 1.01 and later)."""

    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId | None = None
    request_type: Code | None = None
    request_id: RequestId | None = None
    request_element_types: tuple[Code, ...] = ()
    item_element_types: tuple[Code, ...] = ()
    user_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupRequestResponse(Response):
    """How the request stands."""

    item_id: ItemId | None = None
    request_id: RequestId | None = None
    user_id: UserId | None = None
    request_type: Code | None = None
    request_scope_type: Code | None = None
    request_status_type: Code | None = None
    hold_queue_position: int | None = None
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: Moment | None = None
    need_before_date: Moment | None = None
    pickup_date: Moment | None = None
    pickup_location: Code | None = None
    pickup_expiry_date: Moment | None = None
    date_of_user_request: Moment | None = None
    date_available: Moment | None = None
    acknowledged_fee_amount: Amount | None = None
    paid_fee_amount: Amount | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRequested(Notification):
    """Tells of a request."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    bibliographic_id: BibliographicId | None = None
    request_id: RequestId | None = None
    request_type: Code | None = None
    request_scope_type: Code | None = None
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: Moment | None = None
    need_before_date: Moment | None = None
    pickup_location: Code | None = None
    pickup_expiry_date: Moment | None = None
    date_of_user_request: Moment | None = None
    date_available: Moment | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRequestedResponse(Response):
    """Heard, or what was wrong with the ItemRequested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRequestCancelled(Notification):
    """Tells that a request was dropped."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    request_id: RequestId | None = None
    request_type: Code | None = None
    request_scope_type: Code | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRequestCancelledResponse(Response):
    """Heard, or what was wrong with the ItemRequestCancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRequestUpdated(Notification):
    """Tells that a request was changed."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    request_type: Code | None = None
    request_id: RequestId | None = None
    delete_request_fields: RequestFields | None = None
    add_request_fields: RequestFields | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRequestUpdatedResponse(Response):
    """Heard, or what was wrong with the ItemRequestUpdated."""
