"""The composites that messages are made of: ids, names, addresses, descriptions, amounts, problems.

Strategy: one frozen class per composite of Z39.83-2, in the names of version 2; version 1 is read into the same
classes. Fields are the elements' names in snake case, shorter where the class already says the rest. All fields may be
missing, because real peers leave out what the standard requires; `missing()` tells which.
"""

from __future__ import annotations

from dataclasses import dataclass

from interlend.ncip.values import Code, Moment, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(Part):
    """Who speaks to whom. Both headers of the standard; a response leaves the last two fields out."""

    from_system: Code | None = None
    from_system_authentication: str | None = None
    from_agency: Code | None = None
    from_agency_authentication: str | None = None
    on_behalf_of_agency: Code | None = None
    to_system: Code | None = None
    to_agency: Code | None = None
    application_profile: Code | None = None


@dataclass(frozen=True, slots=True)
class ItemId(Part):
    """Names a piece. Without a type it is whatever the peers agreed on, nearly always the barcode."""

    value: str = ""
    type: Code | None = None
    agency: Code | None = None


@dataclass(frozen=True, slots=True)
class UserId(Part):
    """Names a person or an institution's account. Version 1 calls one with a type a visible id."""

    value: str = ""
    type: Code | None = None
    agency: Code | None = None


@dataclass(frozen=True, slots=True)
class RequestId(Part):
    """Names a request; the agency is the one that gave the number."""

    value: str = ""
    type: Code | None = None
    agency: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousUserId(Part):
    """An id the user had before, and when it was in force."""

    value: str | None = None
    agency: Code | None = None
    valid_from_date: Moment | None = None
    valid_to_date: Moment | None = None


@dataclass(frozen=True, slots=True)
class AuthenticationInput(Part):
    """What a person typed to prove who they are: data (a barcode, a PIN, a name), its format, its type."""

    data: str = ""
    format: Code | None = None
    type: Code | None = None


@dataclass(frozen=True, slots=True)
class AuthenticationPrompt(Part):
    """What an agency asks of a person who signs in."""

    prompt_output: PromptOutput | None = None
    prompt_input: PromptInput | None = None


@dataclass(frozen=True, slots=True)
class PromptOutput(Part):
    """The words of the question."""

    data: str | None = None
    type: Code | None = None


@dataclass(frozen=True, slots=True)
class PromptInput(Part):
    """The kind of answer expected, and whether to hide it while it is typed."""

    type: Code | None = None
    format: Code | None = None
    sensitive_data: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(Part):
    """Why not: a type from the standard's lists, a sentence, the element that is to blame, the value it had."""

    type: Code | None = None
    detail: str | None = None
    element: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Amount(Part):
    """Money: `value` in the smallest unit of the currency (500 is 5.00 EUR), as the schema demands."""

    value: int | None = None
    currency: Code | None = None


@dataclass(frozen=True, slots=True)
class FiscalTransactionReferenceId(Part):
    """Names a transaction."""

    value: str | None = None
    agency: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalTransactionInformation(Part):
    """A fee, a fine or a payment."""

    fiscal_action_type: Code | None = None
    fiscal_transaction_reference_id: FiscalTransactionReferenceId | None = None
    related_fiscal_transaction_reference_ids: tuple[FiscalTransactionReferenceId, ...] = ()
    fiscal_transaction_type: Code | None = None
    valid_from_date: Moment | None = None
    valid_to_date: Moment | None = None
    amount: Amount | None = None
    payment_method_type: Code | None = None
    fiscal_transaction_description: str | None = None
    request_id: RequestId | None = None
    item_details: ItemDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDetails(Part):
    """One loan on an account or in a notice."""

    item_id: ItemId | None = None
    bibliographic_description: BibliographicDescription | None = None
    date_checked_out: Moment | None = None
    dates_renewed: tuple[Moment, ...] = ()
    date_due: Moment | None = None
    indeterminate_loan_period: bool = False
    non_returnable: bool = False
    date_returned: Moment | None = None


@dataclass(frozen=True, slots=True)
class NameInformation(Part):
    """The name of a person, or the names of an organization."""

    personal_name_information: PersonalNameInformation | None = None
    organization_name_information: tuple[OrganizationNameInformation, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonalNameInformation(Part):
    """A person's name in parts, in one string, or both."""

    unstructured_personal_user_name: str | None = None
    structured_personal_user_name: StructuredPersonalUserName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredPersonalUserName(Part):
    """A person's name in its parts."""

    prefix: str | None = None
    given_name: str | None = None
    initials: str | None = None
    surname: str | None = None
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class OrganizationNameInformation(Part):
    """One name of an organization."""

    organization_name_type: Code | None = None
    organization_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressInformation(Part):
    """An address, what it is for (`role`), and when it holds. Of a user or of an agency."""

    role: Code | None = None
    valid_from_date: Moment | None = None
    valid_to_date: Moment | None = None
    physical_address: PhysicalAddress | None = None
    electronic_address: ElectronicAddress | None = None


@dataclass(frozen=True, slots=True)
class PhysicalAddress(Part):
    """A place on the ground."""

    structured_address: StructuredAddress | None = None
    unstructured_address: UnstructuredAddress | None = None
    physical_address_type: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredAddress(Part):
    """An address in its parts: by street and house, or by lines."""

    location_within_building: str | None = None
    house_name: str | None = None
    district: str | None = None
    post_office_box: str | None = None
    street: str | None = None
    line1: str | None = None
    line2: str | None = None
    locality: str | None = None
    region: str | None = None
    country: str | None = None
    postal_code: str | None = None
    care_of: str | None = None


@dataclass(frozen=True, slots=True)
class UnstructuredAddress(Part):
    """An address as text."""

    unstructured_address_type: Code | None = None
    unstructured_address_data: str | None = None


@dataclass(frozen=True, slots=True)
class ElectronicAddress(Part):
    """A telephone number, a mail address, a web address."""

    electronic_address_type: Code | None = None
    electronic_address_data: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingInformation(Part):
    """How and whereto a piece travels."""

    shipping_instructions: str | None = None
    shipping_note: str | None = None
    physical_address: PhysicalAddress | None = None
    electronic_address: ElectronicAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingInformation(Part):
    """Where the piece goes next and for whom."""

    routing_instructions: str | None = None
    destination: Destination | None = None
    request_type: Code | None = None
    user_id: UserId | None = None
    name_information: NameInformation | None = None


@dataclass(frozen=True, slots=True)
class Destination(Part):
    """A place, a bin, or both."""

    location: Location | None = None
    bin_number: str | None = None


@dataclass(frozen=True, slots=True)
class Pending(Part):
    """The answer comes later, by then at the latest."""

    date_of_expected_reply: Moment | None = None


@dataclass(frozen=True, slots=True)
class BibliographicId(Part):
    """Names a title, by a number printed on it or by a record in a catalogue."""

    bibliographic_item_id: BibliographicItemId | None = None
    bibliographic_record_id: BibliographicRecordId | None = None


@dataclass(frozen=True, slots=True)
class BibliographicItemId(Part):
    """A number that stands on the item, and the system it belongs to (ISBN, ISSN, ...)."""

    identifier: str = ""
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class BibliographicRecordId(Part):
    """The number of a record, and the agency or the system it belongs to."""

    identifier: str = ""
    agency: Code | None = None
    code: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BibliographicDescription(Part):
    """Author, title and the rest of what a citation says."""

    author: str | None = None
    author_of_component: str | None = None
    bibliographic_item_ids: tuple[BibliographicItemId, ...] = ()
    bibliographic_record_ids: tuple[BibliographicRecordId, ...] = ()
    component_id: ComponentId | None = None
    edition: str | None = None
    pagination: str | None = None
    place_of_publication: str | None = None
    publication_date: str | None = None
    publication_date_of_component: str | None = None
    publisher: str | None = None
    series_title_number: str | None = None
    title: str | None = None
    title_of_component: str | None = None
    bibliographic_level: Code | None = None
    sponsoring_body: str | None = None
    electronic_data_format_type: Code | None = None
    language: Code | None = None
    medium_type: Code | None = None


@dataclass(frozen=True, slots=True)
class ComponentId(Part):
    """Names a part of the whole, such as an article."""

    component_identifier_type: Code | None = None
    component_identifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDescription(Part):
    """What tells this copy from others: call number, copy number, pieces."""

    call_number: str | None = None
    copy_number: str | None = None
    item_description_level: Code | None = None
    holdings_information: HoldingsInformation | None = None
    number_of_pieces: int | None = None
    visible_item_id: ItemId | None = None


@dataclass(frozen=True, slots=True)
class HoldingsInformation(Part):
    """Which volumes or parts, in levels or as plain text."""

    structured_holdings_data: tuple[StructuredHoldingsData, ...] = ()
    unstructured_holdings_data: str | None = None


@dataclass(frozen=True, slots=True)
class StructuredHoldingsData(Part):
    """Holdings by enumeration, by chronology, or by both."""

    holdings_chronology: tuple[ChronologyLevelInstance, ...] = ()
    holdings_enumeration: tuple[EnumerationLevelInstance, ...] = ()


@dataclass(frozen=True, slots=True)
class ChronologyLevelInstance(Part):
    """One level of chronology: year, month."""

    caption: str | None = None
    level: int | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class EnumerationLevelInstance(Part):
    """One level of enumeration: volume, number."""

    caption: str | None = None
    level: int | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Part):
    """Where a piece is or belongs; the name in levels, the widest first."""

    location_type: Code | None = None
    location_name: tuple[LocationNameInstance, ...] = ()
    valid_from_date: Moment | None = None
    valid_to_date: Moment | None = None


@dataclass(frozen=True, slots=True)
class LocationNameInstance(Part):
    """One level of a location's name, 1 the widest."""

    level: int | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class PhysicalCondition(Part):
    """The state of the piece."""

    physical_condition_type: Code | None = None
    physical_condition_details: str | None = None


@dataclass(frozen=True, slots=True)
class ElectronicResource(Part):
    """A file sent along, or where to find it."""

    electronic_data_format_type: Code | None = None
    actual_resource: str | None = None
    reference_to_resource: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOptionalFields(Part):
    """What may be said about an item beside its id."""

    bibliographic_description: BibliographicDescription | None = None
    item_use_restriction_types: tuple[Code, ...] = ()
    circulation_status: Code | None = None
    hold_queue_length: int | None = None
    item_description: ItemDescription | None = None
    locations: tuple[Location, ...] = ()
    physical_condition: PhysicalCondition | None = None
    electronic_resource: ElectronicResource | None = None
    security_marker: Code | None = None
    sensitization: bool = False
    date_due: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFields(Part):
    """Fields to add to an item, or to delete from it."""

    bibliographic_description: BibliographicDescription | None = None
    item_use_restriction_types: tuple[Code, ...] = ()
    item_description: ItemDescription | None = None
    locations: tuple[Location, ...] = ()
    physical_condition: PhysicalCondition | None = None
    security_marker: Code | None = None
    sensitization: bool = False


@dataclass(frozen=True, slots=True)
class ItemTransaction(Part):
    """Who has the piece and who waits for it."""

    current_borrower: UserId | None = None
    current_requesters: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInformation(Part):
    """One item of a set: its state, or why nothing can be told."""

    item_id: ItemId | None = None
    request_ids: tuple[RequestId, ...] = ()
    current_borrower: UserId | None = None
    current_requesters: tuple[UserId, ...] = ()
    date_due: Moment | None = None
    date_recalled: Moment | None = None
    hold_pickup_date: Moment | None = None
    item_transaction: ItemTransaction | None = None
    item_optional_fields: ItemOptionalFields | None = None
    item_note: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsSet(Part):
    """The items of a title that belong together, or why nothing can be told."""

    holdings_set_id: str | None = None
    bibliographic_description: BibliographicDescription | None = None
    location: Location | None = None
    call_number: str | None = None
    summary_holdings_information: HoldingsInformation | None = None
    electronic_resource: ElectronicResource | None = None
    item_information: tuple[ItemInformation, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BibInformation(Part):
    """One title of the answer to LookupItemSet: its holdings, or why nothing can be told."""

    bibliographic_id: BibliographicId | None = None
    bibliographic_description: BibliographicDescription | None = None
    title_hold_queue_length: int | None = None
    current_requesters: tuple[UserId, ...] = ()
    holdings_sets: tuple[HoldingsSet, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanedItem(Part):
    """A piece the user has."""

    item_id: ItemId | None = None
    bibliographic_ids: tuple[BibliographicId, ...] = ()
    reminder_level: int | None = None
    date_due: Moment | None = None
    indeterminate_loan_period: bool = False
    amount: Amount | None = None
    title: str | None = None
    medium_type: Code | None = None


@dataclass(frozen=True, slots=True)
class LoanedItemsCount(Part):
    """How many the user has of one kind."""

    circulation_status: Code | None = None
    item_use_restriction_type: Code | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedItem(Part):
    """A request the user has waiting."""

    item_id: ItemId | None = None
    request_id: RequestId | None = None
    bibliographic_ids: tuple[BibliographicId, ...] = ()
    request_type: Code | None = None
    request_status_type: Code | None = None
    date_placed: Moment | None = None
    pickup_date: Moment | None = None
    pickup_location: Code | None = None
    pickup_expiry_date: Moment | None = None
    reminder_level: int | None = None
    hold_queue_position: int | None = None
    title: str | None = None
    medium_type: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedItemsCount(Part):
    """How many requests of one kind wait."""

    request_type: Code | None = None
    circulation_status: Code | None = None
    item_use_restriction_type: Code | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFields(Part):
    """Fields to add to a request, or to delete from it."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    request_type: Code | None = None
    request_scope_type: Code | None = None
    request_status_type: Code | None = None
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: Moment | None = None
    need_before_date: Moment | None = None
    pickup_location: Code | None = None
    pickup_expiry_date: Moment | None = None
    date_of_user_request: Moment | None = None
    date_available: Moment | None = None
    acknowledged_fee_amount: Amount | None = None
    paid_fee_amount: Amount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOptionalFields(Part):
    """What may be said about a user beside the id."""

    name_information: NameInformation | None = None
    user_address_information: tuple[AddressInformation, ...] = ()
    date_of_birth: Moment | None = None
    user_languages: tuple[Code, ...] = ()
    user_privileges: tuple[UserPrivilege, ...] = ()
    blocks_or_traps: tuple[BlockOrTrap, ...] = ()
    user_ids: tuple[UserId, ...] = ()
    previous_user_ids: tuple[PreviousUserId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFields(Part):
    """Fields to add to a user, or to delete from one. `user_ids` are version 1's visible ids."""

    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    name_information: NameInformation | None = None
    user_address_information: tuple[AddressInformation, ...] = ()
    date_of_birth: Moment | None = None
    user_languages: tuple[Code, ...] = ()
    user_privileges: tuple[UserPrivilege, ...] = ()
    blocks_or_traps: tuple[BlockOrTrap, ...] = ()
    user_ids: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPrivilege(Part):
    """A right, a class or a status that an agency gives a user (de facto types: STATUS, PROFILE, LIBRARY)."""

    agency: Code | None = None
    agency_user_privilege_type: Code | None = None
    valid_from_date: Moment | None = None
    valid_to_date: Moment | None = None
    user_privilege_fee: UserPrivilegeFee | None = None
    user_privilege_status: UserPrivilegeStatus | None = None
    user_privilege_description: str | None = None


@dataclass(frozen=True, slots=True)
class UserPrivilegeStatus(Part):
    """The value of a privilege and since when."""

    user_privilege_status_type: Code | None = None
    date_of_user_privilege_status: Moment | None = None


@dataclass(frozen=True, slots=True)
class UserPrivilegeFee(Part):
    """What a privilege costs."""

    amount: Amount | None = None
    payment_method_type: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOrTrap(Part):
    """A reason to stop, or to stop and speak with, a user."""

    agency: Code | None = None
    block_or_trap_type: Code | None = None
    valid_from_date: Moment | None = None
    valid_to_date: Moment | None = None


@dataclass(frozen=True, slots=True)
class UserFiscalAccount(Part):
    """What a user owes and for what."""

    account_balance: Amount | None = None
    account_details: tuple[AccountDetails, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountDetails(Part):
    """One entry of an account."""

    accrual_date: Moment | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserNoticeDetails(Part):
    """The kind and the matter of a notice."""

    notice_type: Code | None = None
    notice_content: str | None = None
    notice_items: tuple[NoticeItem, ...] = ()
    user_fiscal_account: UserFiscalAccount | None = None
    user_privilege: UserPrivilege | None = None


@dataclass(frozen=True, slots=True)
class NoticeItem(Part):
    """One piece that a notice speaks of."""

    item_details: ItemDetails | None = None
    amount: Amount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyFields(Part):
    """Fields to add to an agency, or to delete from it."""

    organization_name_information: tuple[OrganizationNameInformation, ...] = ()
    agency_address_information: tuple[AddressInformation, ...] = ()
    authentication_prompts: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_types: tuple[Code, ...] = ()
    consortium_agreements: tuple[Code, ...] = ()
    agency_user_privilege_types: tuple[Code, ...] = ()
