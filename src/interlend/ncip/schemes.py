"""The standard's lists of values: which scheme names the list of an element, and what stands in the common lists.

Strategy: data only. Version 1 demands a scheme beside every value, so writing asks here for the one that fits; the
lists serve those who choose a value to send. All lists are open: other values are legal. Z39.83-1, schemes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_BASE: Final = "http://www.niso.org/ncip/v1_0/imp1/schemes/"

# Elements whose list goes by another element's name.
_SHARED: Final[Mapping[str, str]] = {
    "AcknowledgedItemUseRestrictionType": "itemuserestrictiontype",
    "RequiredItemUseRestrictionType": "itemuserestrictiontype",
    "ApplicationProfileSupportedType": "applicationprofiletype",
    "ItemIdentifierType": "visibleitemidentifiertype",
    "UserIdentifierType": "visibleuseridentifiertype",
    "UserLanguage": "language",
}

# Elements whose values come from no list of the standard's: agencies and systems name their own.
_OWN: Final = frozenset(
    {"AgencyId", "FromSystemId", "ToSystemId", "PickupLocation", "ApplicationProfileType", "RequestIdentifierType"}
)

# What an agency's scheme is called where a peer demands one and none is agreed on.
AGENCY_SCHEME: Final = "NCIP Unique Agency Id"


def standard_scheme(element: str) -> str | None:
    """The URI of the standard's list for an element such as `RequestType`, or None where there is none."""
    if element in _OWN:
        return AGENCY_SCHEME if element == "AgencyId" else None
    if element == "CurrencyCode":
        return "http://www.bsi-global.com/Technical+Information/Publications/_Publications/tig90x.doc"
    name = _SHARED.get(element, element.lower())
    return f"{_BASE}{name}/{name}.scm"


REQUESTED_ACTIONS: Final = ("Circulate", "Circulate And Notify", "Hold For Pickup", "Hold For Pickup And Notify")
REQUEST_TYPES: Final = ("Estimate", "Hold", "Loan", "Non-returnable Copy", "Stack Retrieval")
REQUEST_SCOPES: Final = ("Bibliographic Item", "Item")
REQUEST_STATUSES: Final = (
    "Available For Pickup",
    "Cannot Fulfill Request",
    "Expired",
    "In Process",
    "Need to Accept Conditions",
    "Requested Via ILL",
)
CIRCULATION_STATUSES: Final = (
    "Available For Pickup",
    "Available On Shelf",
    "Circulation Status Undefined",
    "Claimed Returned Or Never Borrowed",
    "In Process",
    "In Transit Between Library Locations",
    "Lost",
    "Missing",
    "Not Available",
    "On Loan",
    "On Order",
    "Pending Transfer",
    "Recalled",
    "Waiting To Be Reshelved",
)
AUTHENTICATION_INPUTS: Final = (
    "Barcode Id",
    "MD5 Message Digest Algorithm",
    "PIN",
    "Password",
    "User Id",
    "X.509 Certificate",
)
FISCAL_ACTIONS: Final = ("Assess", "Cancel", "Forgive", "Payment", "Penalty", "Waive", "Write Off")
FISCAL_TRANSACTIONS: Final = ("Book Replacement Charge", "Fine", "Interlibrary Loan Fee", "Service Charge")
USER_IDENTIFIERS: Final = ("Barcode", "Institution Id Number")
ITEM_IDENTIFIERS: Final = ("Accession Number", "Barcode")
USER_ELEMENTS: Final = (
    "Authentication Input",
    "Block Or Trap",
    "Date Of Birth",
    "Name Information",
    "Previous User Id",
    "User Address Information",
    "User Id",
    "User Language",
    "User Privilege",
    "Visible User Id",
)
ITEM_ELEMENTS: Final = (
    "Bibliographic Description",
    "Circulation Status",
    "Date Due",
    "Electronic Resource",
    "Hold Queue Length",
    "Item Description",
    "Item Use Restriction Type",
    "Location",
    "Physical Condition",
    "Security Marker",
    "Sensitization Flag",
)
