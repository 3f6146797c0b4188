"""Messages about items: their state, and making, changing and removing them.

Strategy: frozen classes with the elements' names in snake case, in the order of the standard (Z39.83-1, services).
Reading fills them, writing takes the order from `grammar.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from interlend.ncip.messages import Initiation, Notification, Response
from interlend.ncip.parts import (
    BibInformation,
    BibliographicDescription,
    BibliographicId,
    ItemDescription,
    ItemFields,
    ItemId,
    ItemOptionalFields,
    ItemTransaction,
    Location,
    PhysicalCondition,
    RequestId,
)
from interlend.ncip.values import Code, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupItem(Initiation):
    """Asks for the state of one item."""

    item_id: ItemId | None = None
    request_id: RequestId | None = None
    item_element_types: tuple[Code, ...] = ()
    current_borrower_desired: bool = False
    current_requesters_desired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupItemResponse(Response):
    """The state of the item."""

    item_id: ItemId | None = None
    request_id: RequestId | None = None
    hold_pickup_date: Moment | None = None
    date_recalled: Moment | None = None
    item_transaction: ItemTransaction | None = None
    item_optional_fields: ItemOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupItemSet(Initiation):
    """Asks for the state of all items of titles or holdings (version 2.02), in pages."""

    bibliographic_ids: tuple[BibliographicId, ...] = ()
    holdings_set_ids: tuple[str, ...] = ()
    item_ids: tuple[ItemId, ...] = ()
    item_element_types: tuple[Code, ...] = ()
    current_borrower_desired: bool = False
    current_requesters_desired: bool = False
    maximum_items_count: int | None = None
    next_item_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupItemSetResponse(Response):
    """The titles asked for, and a token for the next page."""

    bib_information: tuple[BibInformation, ...] = ()
    next_item_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateItem(Initiation):
    """Asks for a new item."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None
    request_id: RequestId | None = None
    bibliographic_description: BibliographicDescription | None = None
    item_use_restriction_types: tuple[Code, ...] = ()
    circulation_status: Code | None = None
    item_description: ItemDescription | None = None
    locations: tuple[Location, ...] = ()
    physical_condition: PhysicalCondition | None = None
    security_marker: Code | None = None
    sensitization: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateItemResponse(Response):
    """The id of the new item."""

    item_id: ItemId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateItem(Initiation):
    """Asks to change an item: first delete, then add."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None
    delete_item_fields: ItemFields | None = None
    add_item_fields: ItemFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateItemResponse(Response):
    """The id of the changed item."""

    item_id: ItemId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteItem(Initiation):
    """Asks to remove an item."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteItemResponse(Response):
    """The id of the removed item."""

    item_id: ItemId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCirculationStatus(Initiation):
    """Asks to set an item's status."""

    mandated_action: Moment | None = None
    item_id: ItemId | None = None
    circulation_status: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCirculationStatusResponse(Response):
    """The item whose status was set."""

    item_id: ItemId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCreated(Notification):
    """Tells of a new item."""

    item_id: ItemId | None = None
    request_id: RequestId | None = None
    bibliographic_description: BibliographicDescription | None = None
    item_use_restriction_types: tuple[Code, ...] = ()
    circulation_status: Code | None = None
    item_description: ItemDescription | None = None
    locations: tuple[Location, ...] = ()
    physical_condition: PhysicalCondition | None = None
    security_marker: Code | None = None
    sensitization: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCreatedResponse(Response):
    """Heard, or what was wrong with the ItemCreated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemUpdated(Notification):
    """Tells that an item was changed."""

    item_id: ItemId | None = None
    delete_item_fields: ItemFields | None = None
    add_item_fields: ItemFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemUpdatedResponse(Response):
    """Heard, or what was wrong with the ItemUpdated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CirculationStatusUpdated(Notification):
    """Tells an item's new status."""

    item_id: ItemId | None = None
    circulation_status: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CirculationStatusUpdatedResponse(Response):
    """Heard, or what was wrong with the CirculationStatusUpdated."""
