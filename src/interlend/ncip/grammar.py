"""The order of elements: what Z39.83-2 prescribes for every message and composite, as one table.

Strategy: the table is data in the standard's own words, one row per element, written for NCIP 2.02 with small layers
of rows that an older version has otherwise. `compiled.py` turns it once into plans; reading asks it only for names,
writing obeys its order.

Notation: a row is a sequence; `?` none or one, `*` any number, `+` one or more, `(a | b)` a choice. Left out because
they are everywhere: the header that opens each message, and the `Ext?` that closes each element of version 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Version(Enum):
    """The published versions of the protocol. The value is the number as people write it."""

    V1_0 = "1.0"
    V1_01 = "1.01"
    V2_0 = "2.0"
    V2_01 = "2.01"
    V2_02 = "2.02"

    @property
    def major(self) -> int:
        """1 for the DTD documents, 2 for the schema documents."""
        return 1 if self.value.startswith("1") else 2

    @property
    def uri(self) -> str:
        """The identifier that a message of this version carries in its `version` attribute."""
        return VERSION_URIS[self]


NAMESPACE: Final = "http://www.niso.org/2008/ncip"

VERSION_URIS: Final[Mapping[Version, str]] = {
    Version.V1_0: "http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd",
    Version.V1_01: "http://ncip.envisionware.com/documentation/ncip_v1_01.dtd",
    Version.V2_0: "http://www.niso.org/schemas/ncip/v2_0/ncip_v2_0.xsd",
    Version.V2_01: "http://www.niso.org/schemas/ncip/v2_01/ncip_v2_01.xsd",
    Version.V2_02: "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd",
}

VERSION_DISCOVERY_URI: Final = "http://www.niso.org/ncip/v1_0/imp1/xsd/ncip_version.xsd"

DOCTYPES: Final[Mapping[Version, str]] = {
    Version.V1_0: f'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.0//EN" "{VERSION_URIS[Version.V1_0]}">',
    Version.V1_01: (
        f'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.01//EN" "{VERSION_URIS[Version.V1_01]}">'
    ),
}

# ------------------------------------------------------------------------------------------- runs that recur

WHO = "(UserId | AuthenticationInput+)"
WHICH = "(ItemId | (RequestId ItemId?))"
LOAN_PERIOD = "(DateDue | IndeterminateLoanPeriodFlag | NonReturnableFlag)"
TERMS_NOT_MET = "Problem+ RequiredFeeAmount? RequiredItemUseRestrictionType*"
OPTIONAL = "ItemOptionalFields? UserOptionalFields?"
DESIRED = "ItemElementType* UserElementType*"
REPORTED = "(ItemReportedReturned | ItemReportedNeverBorrowed | ItemReportedLost | ItemReportedMissing)"
ADDRESS = "(PhysicalAddress | ElectronicAddress)"
USER_REST = "UserAddressInformation* DateOfBirth? UserLanguage* UserPrivilege* BlockOrTrap*"
NEW_USER = f"NameInformation {USER_REST}"
USER = f"NameInformation? {USER_REST}"
AGENCY_REST = (
    "AgencyAddressInformation* AuthenticationPrompt* ApplicationProfileSupportedType* ConsortiumAgreement* "
    "AgencyUserPrivilegeType*"
)
NEW_AGENCY = f"OrganizationNameInformation+ {AGENCY_REST}"
AGENCY = f"OrganizationNameInformation* {AGENCY_REST}"

# --------------------------------------------------------------------------------------- messages, NCIP 2.02

MESSAGES: Final[Mapping[str, str]] = {
    "AcceptItem": (
        "MandatedAction? RequestId RequestedActionType UserId? ItemId? (DateForReturn | "
        "IndeterminateLoanPeriodFlag | NonReturnableFlag)? RenewalNotPermitted? FiscalTransactionInformation? "
        f"{OPTIONAL} PickupLocation? PickupExpiryDate?"
    ),
    "AcceptItemResponse": "(Problem+ | (RequestId ItemId?))",
    "AgencyCreated": f"AgencyId {NEW_AGENCY}",
    "AgencyCreatedResponse": "Problem*",
    "AgencyUpdated": "AgencyId DeleteAgencyFields? AddAgencyFields?",
    "AgencyUpdatedResponse": "Problem*",
    "CancelRecallItem": f"MandatedAction? ItemId {DESIRED}",
    "CancelRecallItemResponse": f"(Problem+ | (ItemId UserId? FiscalTransactionInformation? {OPTIONAL}))",
    "CancelRequestItem": (
        f"MandatedAction? {WHO} {WHICH} RequestType RequestScopeType? AcknowledgedFeeAmount? PaidFeeAmount? {DESIRED}"
    ),
    "CancelRequestItemResponse": f"(Problem+ | ({WHICH} UserId FiscalTransactionInformation? {OPTIONAL}))",
    "CheckInItem": f"MandatedAction? ItemId {DESIRED}",
    "CheckInItemResponse": (
        f"(Problem+ | (ItemId UserId? RoutingInformation? FiscalTransactionInformation? {OPTIONAL}))"
    ),
    "CheckOutItem": (
        f"MandatedAction? {WHO} ItemId RequestId? AcknowledgedFeeAmount? PaidFeeAmount? "
        f"AcknowledgedItemUseRestrictionType* ShippingInformation? ResourceDesired? DesiredDateDue? {DESIRED}"
    ),
    "CheckOutItemResponse": (
        f"(({TERMS_NOT_MET}) | (ItemId UserId {LOAN_PERIOD} RenewalCount? ElectronicResource? "
        f"FiscalTransactionInformation? {OPTIONAL}))"
    ),
    "CirculationStatusChangeReported": f"ItemId UserId {REPORTED} {OPTIONAL} FiscalTransactionInformation?",
    "CirculationStatusChangeReportedResponse": "Problem*",
    "CirculationStatusUpdated": "ItemId CirculationStatus",
    "CirculationStatusUpdatedResponse": "Problem*",
    "CreateAgency": f"MandatedAction? AgencyId? {NEW_AGENCY}",
    "CreateAgencyResponse": "(Problem+ | AgencyId)",
    "CreateItem": (
        "MandatedAction? ItemId? RequestId? BibliographicDescription ItemUseRestrictionType* "
        "CirculationStatus? ItemDescription? Location* PhysicalCondition? SecurityMarker? SensitizationFlag?"
    ),
    "CreateItemResponse": "(Problem+ | ItemId)",
    "CreateUser": f"MandatedAction? {WHO}? {NEW_USER}",
    "CreateUserResponse": "(Problem+ | UserId)",
    "CreateUserFiscalTransaction": f"MandatedAction? {WHO} FiscalTransactionInformation",
    "CreateUserFiscalTransactionResponse": "(Problem+ | (UserId FiscalTransactionReferenceId))",
    "DeleteItem": "MandatedAction? ItemId",
    "DeleteItemResponse": "(Problem+ | ItemId)",
    "DeleteUser": f"MandatedAction? {WHO}",
    "DeleteUserResponse": "(Problem+ | UserId)",
    "ItemCheckedIn": f"UserId? ItemId RoutingInformation? FiscalTransactionInformation? {OPTIONAL}",
    "ItemCheckedInResponse": "Problem*",
    "ItemCheckedOut": (
        f"UserId ItemId RequestId? {LOAN_PERIOD} ElectronicResourceProvidedFlag? RenewalCount? "
        f"FiscalTransactionInformation? ShippingInformation? {OPTIONAL}"
    ),
    "ItemCheckedOutResponse": "Problem*",
    "ItemCreated": (
        "ItemId RequestId? BibliographicDescription ItemUseRestrictionType* CirculationStatus? "
        "ItemDescription? Location* PhysicalCondition? SecurityMarker? SensitizationFlag?"
    ),
    "ItemCreatedResponse": "Problem*",
    "ItemRecallCancelled": f"UserId? ItemId FiscalTransactionInformation? {OPTIONAL}",
    "ItemRecallCancelledResponse": "Problem*",
    "ItemRecalled": f"UserId? ItemId DateDue ShippingInformation? {OPTIONAL}",
    "ItemRecalledResponse": "Problem*",
    "ItemReceived": f"ItemId UserId? RequestId? DateReceived {OPTIONAL}",
    "ItemReceivedResponse": "Problem*",
    "ItemRenewed": f"UserId? ItemId DateDue RenewalCount? FiscalTransactionInformation? {OPTIONAL}",
    "ItemRenewedResponse": "Problem*",
    "ItemRequestCancelled": f"UserId {WHICH} RequestType RequestScopeType? FiscalTransactionInformation? {OPTIONAL}",
    "ItemRequestCancelledResponse": "Problem*",
    "ItemRequestUpdated": (
        f"((UserId ItemId RequestType) | RequestId) DeleteRequestFields? AddRequestFields? {OPTIONAL}"
    ),
    "ItemRequestUpdatedResponse": "Problem*",
    "ItemRequested": (
        "UserId (ItemId | (BibliographicId RequestId)) RequestType RequestScopeType ShippingInformation? "
        "EarliestDateNeeded? NeedBeforeDate? PickupLocation? PickupExpiryDate? DateOfUserRequest? "
        f"DateAvailable? {OPTIONAL}"
    ),
    "ItemRequestedResponse": "Problem*",
    "ItemShipped": f"{WHICH} UserId? DateShipped ShippingInformation {OPTIONAL}",
    "ItemShippedResponse": "Problem*",
    "ItemUpdated": "ItemId DeleteItemFields? AddItemFields?",
    "ItemUpdatedResponse": "Problem*",
    "LookupAgency": "AgencyId AgencyElementType+",
    "LookupAgencyResponse": f"(Problem+ | (AgencyId {AGENCY}))",
    "LookupItem": "(ItemId | RequestId) ItemElementType* CurrentBorrowerDesired? CurrentRequestersDesired?",
    "LookupItemResponse": (
        f"(Problem+ | ({WHICH} HoldPickupDate? DateRecalled? ItemTransaction? ItemOptionalFields?))"
    ),
    "LookupItemSet": (
        "(BibliographicId+ | HoldingsSetId+ | ItemId+) ItemElementType* CurrentBorrowerDesired? "
        "CurrentRequestersDesired? MaximumItemsCount? NextItemToken?"
    ),
    "LookupItemSetResponse": "(Problem+ | (BibInformation+ NextItemToken?))",
    "LookupRequest": f"(({WHO} ItemId RequestType) | RequestId) RequestElementType* {DESIRED}",
    "LookupRequestResponse": (
        f"(Problem+ | ({WHICH} UserId? RequestType? RequestScopeType? RequestStatusType? HoldQueuePosition? "
        "ShippingInformation? EarliestDateNeeded? NeedBeforeDate? PickupDate? PickupLocation? "
        "PickupExpiryDate? DateOfUserRequest? DateAvailable? AcknowledgedFeeAmount? PaidFeeAmount? "
        f"{OPTIONAL}))"
    ),
    "LookupUser": f"{WHO} UserElementType* LoanedItemsDesired? RequestedItemsDesired? UserFiscalAccountDesired?",
    "LookupUserResponse": (
        "(Problem+ | (UserId UserFiscalAccount* LoanedItemsCount* LoanedItem* RequestedItemsCount* "
        "RequestedItem* UserOptionalFields?))"
    ),
    "RecallItem": f"MandatedAction? ItemId DesiredDateDue? ShippingInformation? {DESIRED}",
    "RecallItemResponse": f"(Problem+ | (ItemId UserId? DateDue? FiscalTransactionInformation? {OPTIONAL}))",
    "RenewItem": (
        f"MandatedAction? {WHO} ItemId {DESIRED} DesiredDateDue? DesiredDateForReturn? AcknowledgedFeeAmount? "
        "PaidFeeAmount? AcknowledgedItemUseRestrictionType*"
    ),
    "RenewItemResponse": (
        f"(({TERMS_NOT_MET}) | Pending | (ItemId UserId? DateDue? DateForReturn? RenewalCount? "
        f"FiscalTransactionInformation? {OPTIONAL}))"
    ),
    "ReportCirculationStatusChange": f"MandatedAction? ItemId {WHO} {REPORTED} {DESIRED}",
    "ReportCirculationStatusChangeResponse": f"(Problem+ | (ItemId UserId? {OPTIONAL}))",
    "RequestItem": (
        f"MandatedAction? {WHO} (ItemId+ | (BibliographicId+ ItemId*)) RequestId? RequestType RequestScopeType "
        "ItemOptionalFields? ShippingInformation? EarliestDateNeeded? NeedBeforeDate? PickupLocation? "
        "PickupExpiryDate? AcknowledgedFeeAmount? PaidFeeAmount? AcknowledgedItemUseRestrictionType* "
        f"{DESIRED}"
    ),
    "RequestItemResponse": (
        f"(({TERMS_NOT_MET}) | ({WHICH} UserId RequestType RequestScopeType ShippingInformation? "
        f"DateAvailable? HoldPickupDate? FiscalTransactionInformation? {OPTIONAL}))"
    ),
    "SendUserNotice": "MandatedAction? UserId DateToSend? UserNoticeDetails",
    "SendUserNoticeResponse": "(Problem+ | (UserId (DateSent | DateWillSend)?))",
    "UndoCheckOutItem": f"MandatedAction? ItemId {WHO}? RequestId?",
    "UndoCheckOutItemResponse": "(Problem+ | (ItemId UserId? FiscalTransactionInformation?))",
    "UpdateAgency": "MandatedAction? AgencyId DeleteAgencyFields? AddAgencyFields?",
    "UpdateAgencyResponse": "(Problem+ | AgencyId)",
    "UpdateCirculationStatus": "MandatedAction? ItemId CirculationStatus",
    "UpdateCirculationStatusResponse": "(Problem+ | ItemId)",
    "UpdateItem": "MandatedAction? ItemId DeleteItemFields? AddItemFields?",
    "UpdateItemResponse": "(Problem+ | ItemId)",
    "UpdateRequestItem": (
        f"MandatedAction? (({WHO} ItemId RequestType) | RequestId) DeleteRequestFields? AddRequestFields? {DESIRED}"
    ),
    "UpdateRequestItemResponse": (
        f"(({TERMS_NOT_MET}) | (ItemId UserId RequestType RequestScopeType DateAvailable? HoldPickupDate? "
        f"FiscalTransactionInformation? {OPTIONAL}))"
    ),
    "UpdateUser": f"MandatedAction? {WHO} DeleteUserFields? AddUserFields?",
    "UpdateUserResponse": "(Problem+ | UserId)",
    "UserCreated": f"UserId {NEW_USER}",
    "UserCreatedResponse": "Problem*",
    "UserFiscalTransactionCreated": "UserId FiscalTransactionInformation",
    "UserFiscalTransactionCreatedResponse": "Problem*",
    "UserNoticeSent": "UserId DateSent UserNoticeDetails",
    "UserNoticeSentResponse": "Problem*",
    "UserUpdated": "UserId DeleteUserFields? AddUserFields?",
    "UserUpdatedResponse": "Problem*",
    # Its own root and its own schema (ncip_version.xsd), whatever the version; some peers put it into NCIPMessage.
    "LookupVersion": "FromAgencyId ToAgencyId",
    "LookupVersionResponse": "FromAgencyId ToAgencyId VersionSupported+ ServiceSupported*",
}

# The answer to a notification: nothing, or what was wrong with the message.
NOTIFICATIONS: Final = frozenset(name.removesuffix("Response") for name, row in MESSAGES.items() if row == "Problem*")

# ------------------------------------------------------------------------------------- composites, NCIP 2.02

COMPOSITES: Final[Mapping[str, str]] = {
    "InitiationHeader": (
        "FromSystemId? FromSystemAuthentication? FromAgencyId FromAgencyAuthentication? OnBehalfOfAgency? "
        "ToSystemId? ToAgencyId ApplicationProfileType?"
    ),
    "ResponseHeader": (
        "FromSystemId? FromSystemAuthentication? FromAgencyId FromAgencyAuthentication? ToSystemId? ToAgencyId"
    ),
    "AccountBalance": "CurrencyCode MonetaryValue",
    "AccountDetails": "AccrualDate FiscalTransactionInformation",
    "AcknowledgedFeeAmount": "CurrencyCode MonetaryValue",
    "AddAgencyFields": AGENCY,
    "AddItemFields": (
        "BibliographicDescription? ItemUseRestrictionType* ItemDescription? Location* PhysicalCondition? "
        "SecurityMarker? SensitizationFlag?"
    ),
    "AddRequestFields": (
        "UserId? ItemId? RequestType? RequestScopeType? RequestStatusType? ShippingInformation? "
        "EarliestDateNeeded? NeedBeforeDate? PickupLocation? PickupExpiryDate? DateOfUserRequest? "
        "DateAvailable? AcknowledgedFeeAmount? PaidFeeAmount?"
    ),
    "AddUserFields": f"AuthenticationInput* {USER}",
    "AgencyAddressInformation": f"AgencyAddressRoleType ValidFromDate? ValidToDate? {ADDRESS}",
    "Amount": "CurrencyCode MonetaryValue",
    "AuthenticationInput": "AuthenticationInputData AuthenticationDataFormatType AuthenticationInputType",
    "AuthenticationPrompt": "PromptOutput PromptInput",
    "BibInformation": (
        "BibliographicId? ((BibliographicDescription? TitleHoldQueueLength? CurrentRequester* HoldingsSet+) | Problem+)"
    ),
    "BibliographicDescription": (
        "Author? AuthorOfComponent? BibliographicItemId? BibliographicRecordId* ComponentId? Edition? "
        "Pagination? PlaceOfPublication? PublicationDate? PublicationDateOfComponent? Publisher? "
        "SeriesTitleNumber? Title? TitleOfComponent? BibliographicLevel? SponsoringBody? "
        "ElectronicDataFormatType? Language? MediumType?"
    ),
    "BibliographicId": "(BibliographicItemId | BibliographicRecordId)",
    "BibliographicItemId": "BibliographicItemIdentifier BibliographicItemIdentifierCode?",
    "BibliographicRecordId": "BibliographicRecordIdentifier (AgencyId | BibliographicRecordIdentifierCode)",
    "BlockOrTrap": "AgencyId BlockOrTrapType ValidFromDate? ValidToDate?",
    "ChronologyLevelInstance": "(ChronologyCaption | (ChronologyLevel ChronologyCaption?)) ChronologyValue",
    "ComponentId": "ComponentIdentifierType ComponentIdentifier",
    "DeleteAgencyFields": AGENCY,
    "DeleteItemFields": (
        "BibliographicDescription? ItemUseRestrictionType* ItemDescription? Location* PhysicalCondition? "
        "SecurityMarker? SensitizationFlag?"
    ),
    "DeleteRequestFields": (
        "UserId? ItemId? RequestType? RequestScopeType? RequestStatusType? ShippingInformation? "
        "EarliestDateNeeded? NeedBeforeDate? PickupLocation? PickupExpiryDate? DateOfUserRequest? "
        "DateAvailable? AcknowledgedFeeAmount? PaidFeeAmount?"
    ),
    "DeleteUserFields": f"AuthenticationInput* {USER}",
    "Destination": "(Location | (BinNumber Location?))",
    "ElectronicAddress": "ElectronicAddressType ElectronicAddressData",
    "ElectronicResource": "((ElectronicDataFormatType ActualResource) | ReferenceToResource)",
    "EnumerationLevelInstance": "(EnumerationCaption | (EnumerationLevel EnumerationCaption?)) EnumerationValue",
    "FiscalTransactionInformation": (
        "FiscalActionType FiscalTransactionReferenceId? RelatedFiscalTransactionReferenceId* "
        "FiscalTransactionType ValidFromDate? ValidToDate? Amount PaymentMethodType? "
        "FiscalTransactionDescription? RequestId? ItemDetails?"
    ),
    "FiscalTransactionReferenceId": "AgencyId FiscalTransactionIdentifierValue",
    "HoldingsInformation": "(StructuredHoldingsData+ | UnstructuredHoldingsData)",
    "HoldingsSet": (
        "HoldingsSetId? ((BibliographicDescription? Location? CallNumber? SummaryHoldingsInformation? "
        "ElectronicResource? ItemInformation+ Ext?) | Problem+)"
    ),
    "ItemDescription": "CallNumber? CopyNumber? ItemDescriptionLevel? HoldingsInformation? NumberOfPieces?",
    "ItemDetails": f"ItemId BibliographicDescription DateCheckedOut? DateRenewed* {LOAN_PERIOD}? DateReturned?",
    "ItemId": "AgencyId? ItemIdentifierType? ItemIdentifierValue",
    "ItemInformation": (
        "ItemId? ((RequestId* CurrentBorrower? CurrentRequester* DateDue? DateRecalled? HoldPickupDate? "
        "ItemTransaction? ItemOptionalFields? ItemNote? Ext?) | Problem+)"
    ),
    "ItemOptionalFields": (
        "BibliographicDescription? ItemUseRestrictionType* CirculationStatus? HoldQueueLength? "
        "ItemDescription? Location* PhysicalCondition? ElectronicResource? SecurityMarker? SensitizationFlag? "
        "DateDue?"
    ),
    "ItemTransaction": "CurrentBorrower? CurrentRequester*",
    "LoanedItem": (
        "ItemId BibliographicId* ReminderLevel? (DateDue | IndeterminateLoanPeriodFlag) Amount? Title? MediumType?"
    ),
    "LoanedItemsCount": "(CirculationStatus | ItemUseRestrictionType) LoanedItemCountValue",
    "Location": "LocationType LocationName ValidFromDate? ValidToDate?",
    "LocationNameInstance": "LocationNameLevel LocationNameValue",
    "NameInformation": "(PersonalNameInformation | OrganizationNameInformation+)",
    "NoticeItem": "ItemDetails Amount?",
    "OrganizationNameInformation": "OrganizationNameType OrganizationName",
    "PaidFeeAmount": "CurrencyCode MonetaryValue",
    "Pending": "DateOfExpectedReply?",
    "PersonalNameInformation": (
        "(UnstructuredPersonalUserName | (StructuredPersonalUserName UnstructuredPersonalUserName?))"
    ),
    "PhysicalAddress": "(StructuredAddress | UnstructuredAddress) PhysicalAddressType",
    "PhysicalCondition": "PhysicalConditionType PhysicalConditionDetails?",
    "PreviousUserId": "AgencyId UserIdentifierValue ValidFromDate? ValidToDate?",
    "Problem": "ProblemType ProblemDetail? ProblemElement? ProblemValue?",
    "PromptInput": "AuthenticationInputType AuthenticationDataFormatType SensitiveDataFlag?",
    "PromptOutput": "AuthenticationPromptData AuthenticationPromptType",
    "RelatedFiscalTransactionReferenceId": "AgencyId FiscalTransactionIdentifierValue",
    "RequestId": "AgencyId? RequestIdentifierType? RequestIdentifierValue",
    "RequestedItem": (
        f"{WHICH} BibliographicId* RequestType RequestStatusType DatePlaced PickupDate? PickupLocation? "
        "PickupExpiryDate? ReminderLevel? HoldQueuePosition? Title? MediumType?"
    ),
    "RequestedItemsCount": "(RequestType | CirculationStatus | ItemUseRestrictionType) RequestedItemCountValue",
    "RequiredFeeAmount": "CurrencyCode MonetaryValue",
    "RoutingInformation": "RoutingInstructions Destination RequestType? UserId? NameInformation?",
    "ShippingInformation": f"ShippingInstructions? ShippingNote? {ADDRESS}",
    "StructuredAddress": (
        "((LocationWithinBuilding? HouseName? (District | (PostOfficeBox District?) | (Street PostOfficeBox? "
        "District?))) | (Line1 Line2?)) Locality? Region? Country? PostalCode? CareOf?"
    ),
    "StructuredHoldingsData": "(HoldingsChronology | (HoldingsEnumeration HoldingsChronology?))",
    "StructuredPersonalUserName": "Prefix? GivenName? Initials? Surname Suffix?",
    "SummaryHoldingsInformation": "(StructuredHoldingsData+ | UnstructuredHoldingsData)",
    "UnstructuredAddress": "UnstructuredAddressType UnstructuredAddressData",
    "UserAddressInformation": f"UserAddressRoleType ValidFromDate? ValidToDate? {ADDRESS}",
    "UserFiscalAccount": "AccountBalance AccountDetails*",
    "UserId": "AgencyId? UserIdentifierType? UserIdentifierValue",
    "UserNoticeDetails": "NoticeType NoticeContent? (NoticeItem+ | UserFiscalAccount | UserPrivilege)",
    "UserOptionalFields": f"{USER} UserId* PreviousUserId*",
    "UserPrivilege": (
        "AgencyId AgencyUserPrivilegeType ValidFromDate? ValidToDate? UserPrivilegeFee? UserPrivilegeStatus? "
        "UserPrivilegeDescription?"
    ),
    "UserPrivilegeFee": "Amount PaymentMethodType?",
    "UserPrivilegeStatus": "UserPrivilegeStatusType DateOfUserPrivilegeStatus?",
}

# Elements that only hold another: they add no meaning, so the value inside stands in their place.
WRAPPERS: Final[Mapping[str, str]] = {
    "FromAgencyId": "AgencyId",
    "ToAgencyId": "AgencyId",
    "OnBehalfOfAgency": "AgencyId",
    "CurrentBorrower": "UserId",
    "CurrentRequester": "UserId",
    "MandatedAction": "DateEventOccurred",
    "ItemReportedReturned": "DateReportedReturned",
    "LocationName": "LocationNameInstance+",
    "HoldingsChronology": "ChronologyLevelInstance+",
    "HoldingsEnumeration": "EnumerationLevelInstance+",
}

# -------------------------------------------------------------------- what older versions say otherwise

ROWS_2_01: Final[Mapping[str, str]] = {
    "ItemOptionalFields": COMPOSITES["ItemOptionalFields"].removesuffix(" DateDue?"),
    "LoanedItem": "ItemId ReminderLevel (DateDue | IndeterminateLoanPeriodFlag) Amount Title? MediumType?",
    "RequestedItem": COMPOSITES["RequestedItem"].replace("BibliographicId* ", ""),
}

ROWS_2_0: Final[Mapping[str, str]] = {
    "BibliographicDescription": COMPOSITES["BibliographicDescription"].replace(
        "BibliographicItemId?", "BibliographicItemId*"
    ),
    "RequestItem": MESSAGES["RequestItem"].replace(
        "(ItemId+ | (BibliographicId+ ItemId*))", "(ItemId | BibliographicId)"
    ),
    "UpdateRequestItemResponse": MESSAGES["UpdateRequestItemResponse"].replace(
        TERMS_NOT_MET, "Problem+ RequiredFeeAmount?"
    ),
}

_LOOKUP_USER_1 = "LoanedItemsDesired? RequestedItemsDesired? UserFiscalAccountDesired?"

# Version 1 names a user or an item by an unique id (agency and value) or by a visible one (type and value).
ROWS_1_01: Final[Mapping[str, str]] = {
    "AcceptItem": MESSAGES["AcceptItem"].replace(" PickupLocation? PickupExpiryDate?", ""),
    "RequestItem": ROWS_2_0["RequestItem"].replace(" ItemOptionalFields?", "", 1),
    "LookupUser": f"(VisibleUserId | UserId | AuthenticationInput+) UserElementType* {_LOOKUP_USER_1}",
    "LookupUserResponse": (
        "(Problem+ | (UserId UserFiscalAccount* LoanedItemsCount* RequestedItemsCount* UserTransaction? "
        "UserOptionalFields?))"
    ),
    "LookupItem": MESSAGES["LookupItem"].replace("(ItemId | RequestId)", "(VisibleItemId | ItemId | RequestId)"),
    "CreateUser": f"MandatedAction? {WHO}? VisibleUserId* {NEW_USER}",
    "UserCreated": f"UserId VisibleUserId* {NEW_USER}",
    "AuthenticateUser": "AuthenticationInput+",
    "AuthenticateUserResponse": "(Problem+ | UserId)",
    "ItemId": "AgencyId ItemIdentifierValue",
    "UserId": "AgencyId UserIdentifierValue",
    "RequestId": "AgencyId RequestIdentifierValue",
    "VisibleUserId": "AgencyId? VisibleUserIdentifierType VisibleUserIdentifier",
    "VisibleItemId": "VisibleItemIdentifierType VisibleItemIdentifier",
    "UserOptionalFields": f"VisibleUserId* {USER}",
    "AddUserFields": f"VisibleUserId* AuthenticationInput* {USER}",
    "DeleteUserFields": f"VisibleUserId* AuthenticationInput* {USER}",
    "UserTransaction": "RequestedItem* LoanedItem*",
    "ItemDescription": "VisibleItemId? CallNumber? CopyNumber? ItemDescriptionLevel? HoldingsInformation?",
    "BibliographicDescription": COMPOSITES["BibliographicDescription"].replace(
        "BibliographicRecordId*", "BibliographicRecordId?"
    ),
    "LoanedItem": "ItemId ReminderLevel (DateDue | IndeterminateLoanPeriodFlag) Amount",
    "RequestedItem": (
        f"{WHICH} RequestType RequestStatusType DatePlaced PickupDate? PickupExpiryDate? ReminderLevel? "
        "HoldQueuePosition?"
    ),
    "RoutingInformation": COMPOSITES["RoutingInformation"].removesuffix(" NameInformation?"),
    "MessagingError": "MessagingErrorType MessagingErrorElement",
    "ProcessingError": "ProcessingErrorType ProcessingErrorElement",
}

ROWS_1_0: Final[Mapping[str, str]] = {
    "LookupUser": f"(VisibleUserId | UserId | AuthenticationInput+) UserElementType+ {_LOOKUP_USER_1}",
    "LookupItem": ROWS_1_01["LookupItem"].replace("ItemElementType*", "ItemElementType+"),
    "CancelRequestItem": f"MandatedAction? {WHO} {WHICH} RequestType RequestScopeType? {DESIRED}",
}

# Elements that a version does not know at all.
ABSENT: Final[Mapping[Version, frozenset[str]]] = {
    Version.V1_0: frozenset({"LookupRequest", "LookupRequestResponse", "RequestElementType", "PaidFeeAmount"}),
    Version.V1_01: frozenset(
        {"PickupLocation", "DeleteItem", "DeleteItemResponse", "DeleteUser", "DeleteUserResponse"}
    ),
    Version.V2_0: frozenset(),
    Version.V2_01: frozenset({"LookupItemSet", "LookupItemSetResponse"}),
    Version.V2_02: frozenset({"AuthenticateUser", "AuthenticateUserResponse"}),
}


def _layers(version: Version) -> list[Mapping[str, str]]:
    """The rows that apply, newest first: each older version changes the one after it."""
    layers: list[Mapping[str, str]] = [{**MESSAGES, **COMPOSITES}]
    for last, rows in (
        (Version.V2_01, ROWS_2_01),
        (Version.V2_0, ROWS_2_0),
        (Version.V1_01, ROWS_1_01),
        (Version.V1_0, ROWS_1_0),
    ):
        if version.value <= last.value:
            layers.append(rows)
    return layers


def rows(version: Version) -> dict[str, str]:
    """Every row of a version: element name -> content, in the notation of this module."""
    found: dict[str, str] = {}
    for layer in _layers(version):
        found.update(layer)
    for name in absent(version):
        found.pop(name, None)
    return found


def absent(version: Version) -> frozenset[str]:
    """The names of elements that this version does not know."""
    gone: set[str] = set()
    if version.major == 1:
        gone |= ABSENT[Version.V1_01] | (ABSENT[Version.V1_0] if version is Version.V1_0 else frozenset())
    else:
        gone |= ABSENT[Version.V2_02]
    if version is not Version.V2_02:
        gone |= ABSENT[Version.V2_01]
    return frozenset(gone)


def is_notification(service: str) -> bool:
    """Whether a service tells what has happened instead of asking for something."""
    return service in NOTIFICATIONS


# ------------------------------------------------------------------------------------ what an element holds


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A value from a scheme: attribute Scheme in version 2, children Scheme and Value in version 1.
CODES: Final = _names(
    """
    AcknowledgedItemUseRestrictionType AgencyAddressRoleType AgencyElementType AgencyId AgencyUserPrivilegeType
    ApplicationProfileSupportedType ApplicationProfileType AuthenticationDataFormatType AuthenticationInputType
    AuthenticationPromptType BibliographicItemIdentifierCode BibliographicLevel BibliographicRecordIdentifierCode
    BlockOrTrapType CirculationStatus ComponentIdentifierType ConsortiumAgreement CurrencyCode
    ElectronicAddressType ElectronicDataFormatType FiscalActionType FiscalTransactionType FromSystemId
    ItemDescriptionLevel ItemElementType ItemIdentifierType ItemUseRestrictionType Language LocationType MediumType
    MessagingErrorType NoticeType OrganizationNameType PaymentMethodType PhysicalAddressType PhysicalConditionType
    PickupLocation ProblemType ProcessingErrorType RequestElementType RequestIdentifierType RequestScopeType
    RequestStatusType RequestType RequestedActionType RequiredItemUseRestrictionType SecurityMarker ToSystemId
    UnstructuredAddressType UserAddressRoleType UserElementType UserIdentifierType UserLanguage
    UserPrivilegeStatusType VisibleItemIdentifierType VisibleUserIdentifierType
    """
)

DATES: Final = _names(
    """
    AccrualDate DateAvailable DateCheckedOut DateDue DateEventOccurred DateForReturn DateOfBirth DateOfExpectedReply
    DateOfUserPrivilegeStatus DateOfUserRequest DatePlaced DateRecalled DateReceived DateRenewed
    DateReportedReturned DateReturned DateSent DateShipped DateToSend DateWillSend DesiredDateDue
    DesiredDateForReturn EarliestDateNeeded HoldPickupDate NeedBeforeDate PickupDate PickupExpiryDate ValidFromDate
    ValidToDate
    """
)

# The number and the least value that the schemas allow; an amount of money may be negative.
INTEGERS: Final[Mapping[str, int | None]] = {
    "ChronologyLevel": 1,
    "EnumerationLevel": 1,
    "HoldQueueLength": 0,
    "HoldQueuePosition": 1,
    "LoanedItemCountValue": 0,
    "LocationNameLevel": 1,
    "MaximumItemsCount": 1,
    "MonetaryValue": None,
    "NumberOfPieces": 1,
    "ReminderLevel": 0,
    "RenewalCount": 0,
    "RequestedItemCountValue": 0,
    "TitleHoldQueueLength": 0,
}

FLAGS: Final = _names(
    """
    CurrentBorrowerDesired CurrentRequestersDesired ElectronicResourceProvidedFlag IndeterminateLoanPeriodFlag
    ItemReportedLost ItemReportedMissing ItemReportedNeverBorrowed LoanedItemsDesired NonReturnableFlag
    RenewalNotPermitted RequestedItemsDesired ResourceDesired SensitiveDataFlag SensitizationFlag
    UserFiscalAccountDesired
    """
)

# How version 1 spells the names of version 2.
NAMES_1: Final[Mapping[str, str]] = {
    "AgencyId": "UniqueAgencyId",
    "BibliographicId": "UniqueBibliographicId",
    "ItemId": "UniqueItemId",
    "RequestId": "UniqueRequestId",
    "UserId": "UniqueUserId",
}

# Other spellings that peers use for an element: drafts of version 2, and plain mistakes seen on the wire.
SPELLINGS: Final[Mapping[str, str]] = {
    **{old: new for new, old in NAMES_1.items()},
    "BibliographicItemIdentifierValue": "BibliographicItemIdentifier",
    "DesiredDueDate": "DesiredDateDue",
    "DueDate": "DateDue",
    "ItemIdType": "ItemIdentifierType",
    "PublicationPlace": "PlaceOfPublication",
    "RequestIdType": "RequestIdentifierType",
    "StructuredPersonalName": "StructuredPersonalUserName",
    "UserIdType": "UserIdentifierType",
    "UserPrivilegeType": "AgencyUserPrivilegeType",
    "message": "ProblemDetail",
}

# What peers write in one place only: (parent, element) -> the element that is meant there.
SPELLINGS_IN: Final[Mapping[tuple[str, str], str]] = {
    ("BibliographicDescription", "BibliographicItemIdentifier"): "BibliographicItemId",
    ("LookupItemResponse", "UserOptionalFields"): "ItemOptionalFields",
    ("RequestId", "ItemIdentifierValue"): "RequestIdentifierValue",
}

# Elements in which peers gather what the standard lets stand in the message itself.
GATHERED: Final[Mapping[str, str]] = {
    "CreateItem": "ItemOptionalFields",
    "CreateUser": "UserOptionalFields",
    "ItemCreated": "ItemOptionalFields",
    "UserCreated": "UserOptionalFields",
}
