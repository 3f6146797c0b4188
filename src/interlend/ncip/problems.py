"""The standard's problem values, per service, and the schemes that name their lists.

Strategy: data and two questions. Clients compare the words themselves, so the words here are the standard's, letter by
letter; schemes are optional in version 2. Z39.83-1, appendix on problem values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interlend.ncip.parts import Problem
from interlend.ncip.values import Code

SCHEME_BASE: Final = "http://www.niso.org/ncip/v1_0/schemes/processingerrortype/"
GENERAL_SCHEME: Final = SCHEME_BASE + "generalprocessingerror.scm"
MESSAGING_SCHEME: Final = "http://www.niso.org/ncip/v1_0/schemes/messagingerrortype/messagingerrortype.scm"

# Any service may answer these.
GENERAL: Final = (
    "Agency Authentication Failed",
    "Invalid Amount",
    "Invalid Date",
    "Needed Data Missing",
    "System Authentication Failed",
    "Temporary Processing Failure",
    "Unauthorized Combination Of Element Values For Agency",
    "Unauthorized Combination Of Element Values For System",
    "Unauthorized Service For Agency",
    "Unauthorized Service For System",
    "Unknown Agency",
    "Unknown System",
    "Unsupported Service",
)

# The message itself is wrong.
MESSAGING: Final = (
    "Invalid Message Syntax Error",
    "Protocol Error",
    "Unknown Element",
    "Unknown Scheme",
    "Unknown Service",
    "Unknown Value From Known Scheme",
)

_UPDATE: Final = (
    "Element Rule Violated",
    "Item Access Denied",
    "Unable To Add Element",
    "Unable To Delete Element",
    "Unknown Item",
)

PROBLEMS: Final[Mapping[str, tuple[str, ...]]] = {
    "LookupUser": (
        "Element Rule Violated",
        "Non-Unique User",
        "Unknown User",
        "User Access Denied",
        "User Authentication Failed",
    ),
    "AuthenticateUser": ("Unknown User", "User Authentication Failed"),
    "AcceptItem": (
        "Cannot Accept Item",
        "Cannot Guarantee Restrictions On Use",
        "Element Rule Violated",
        "Unknown Item",
        "Unknown Request",
        "Unknown User",
        "User Ineligible To Check Out This Item",
    ),
    "CheckOutItem": (
        "Item Does Not Circulate",
        "Maximum Check Outs Exceeded",
        "Resource Cannot Be Provided",
        "Unknown Item",
        "Unknown Request",
        "Unknown User",
        "Unsupported Shipping Address Type",
        "User Authentication Failed",
        "User Blocked",
        "User Ineligible To Check Out This Item",
    ),
    "CheckInItem": ("Item Not Checked Out", "Unknown Item"),
    "UndoCheckOutItem": ("Unknown Item", "Unknown User", "User Authentication Failed"),
    "RequestItem": (
        "Duplicate Request",
        "Element Rule Violated",
        "Item Does Not Circulate",
        "Item Not Available By Need Before Date",
        "Unknown Item",
        "Unknown User",
        "User Authentication Failed",
        "User Blocked",
        "User Ineligible To Request This Item",
    ),
    "CancelRequestItem": (
        "Element Rule Violated",
        "Request Already Processed",
        "Unknown Item",
        "Unknown Request",
        "Unknown User",
        "User Authentication Failed",
    ),
    "RenewItem": (
        "Item Not Checked Out",
        "Item Not Renewable",
        "Maximum Renewals Exceeded",
        "Renewal Not Allowed - Item Has Outstanding Requests",
        "Unknown Item",
        "Unknown User",
        "User Authentication Failed",
        "User Blocked",
        "User Ineligible To Renew This Item",
    ),
    "RecallItem": (
        "Item Cannot Be Recalled",
        "Item Not Checked Out",
        "Unknown Item",
        "Unsupported Shipping Address Type",
    ),
    "CancelRecallItem": ("Item Not Checked Out", "Recall Cannot Be Cancelled At This Time", "Unknown Item"),
    "LookupItem": ("Element Rule Violated", "Item Access Denied", "Non-Unique Item", "Unknown Item"),
    "LookupItemSet": ("Element Rule Violated", "Item Access Denied", "Unknown Item"),
    "LookupRequest": ("Non-Unique Request", "Unknown Request"),
    "LookupAgency": ("Agency Access Denied", "Element Rule Violated", "Unknown Agency"),
    "CreateItem": ("Duplicate Item", "Element Rule Violated"),
    "UpdateItem": _UPDATE,
    "DeleteItem": ("Element Rule Violated", "Item Access Denied", "Unknown Item"),
    "UpdateCirculationStatus": _UPDATE,
    "UpdateRequestItem": (*_UPDATE, "Unknown Request", "Unknown User", "User Authentication Failed"),
    "CreateUser": ("Duplicate User", "Element Rule Violated", "User Authentication Failed"),
    "UpdateUser": (
        "Element Rule Violated",
        "Unable To Add Element",
        "Unable To Delete Element",
        "Unknown User",
        "User Access Denied",
        "User Authentication Failed",
    ),
    "DeleteUser": ("Element Rule Violated", "Unknown User", "User Access Denied", "User Authentication Failed"),
    "CreateUserFiscalTransaction": (
        "Account Access Denied",
        "Duplicate Fiscal Transaction",
        "Element Rule Violated",
        "Unable To Add Element",
        "Unknown Item",
        "Unknown Request",
        "Unknown User",
        "User Access Denied",
        "User Authentication Failed",
    ),
    "ReportCirculationStatusChange": (
        "Item Not Checked Out To This User",
        "Unknown Item",
        "Unknown User",
        "User Authentication Failed",
    ),
    "SendUserNotice": ("Item Not Checked Out", "Unknown Item", "Unknown User", "Unsupported Notice"),
}

_MESSAGING_WORDS: Final = frozenset(word.casefold() for word in MESSAGING)


def problem_code(name: str, service: str | None = None) -> Code:
    """A problem value with the scheme of the list it stands in: the service's own, the general or the messaging one.

    `service` is the initiation's name, such as "CheckOutItem". A value in no list is legal and gets the service's
    scheme, or none without a service.
    """
    if name in MESSAGING:
        return Code(name, MESSAGING_SCHEME)
    if service is not None and (name in PROBLEMS.get(service, ()) or name not in GENERAL):
        return Code(name, f"{SCHEME_BASE}{service.lower()}processingerror.scm")
    return Code(name, GENERAL_SCHEME if name in GENERAL else None)


def problem(
    name: str,
    *,
    service: str | None = None,
    detail: str | None = None,
    element: str | None = None,
    value: str | None = None,
) -> Problem:
    """A Problem by the standard's name, with the fitting scheme; the other fields as in the class."""
    return Problem(type=problem_code(name, service), detail=detail, element=element, value=value)


def is_messaging(code: Code | None) -> bool:
    """Whether version 1 would call it a MessagingError and not a ProcessingError."""
    if code is None:
        return False
    return code.value.casefold() in _MESSAGING_WORDS or (code.scheme is not None and "messagingerror" in code.scheme)
