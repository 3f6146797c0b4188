"""One table between the houses' reasons and the ports' problems, and NCIP's problem values.

A reason that a rule gave is lasting: a person must mend it. Trouble with the database is passing. Towards NCIP the
standard's English value is the protocol, because clients compare it; the detail is a sentence and our code, and never
says a patron's name. Z39.83-1, appendix on problem values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError

from interlend import ncip
from interlend.circulation import errors as circulation_errors
from interlend.sharing import errors as sharing_errors
from interlend.sharing.host import HostProblem
from interlend.sharing.partner import PartnerProblem


@contextmanager
def as_host_problem() -> Iterator[None]:
    """What our own circulation refuses, in the words of the port."""
    try:
        yield
    except circulation_errors.Refused as no:
        raise HostProblem(no.sentence, code=no.code, remedy=no.remedy) from no
    except OperationalError as busy:
        raise HostProblem("Circulation is busy just now.", code="busy", lasting=False) from busy


@contextmanager
def as_partner_problem(partner: str) -> Iterator[None]:
    """What a member's sharing refuses, in the words of the port."""
    try:
        yield
    except sharing_errors.Refused as no:
        raise PartnerProblem(f"{partner}: {no.sentence}", code=no.code, remedy=no.remedy) from no
    except OperationalError as busy:
        raise PartnerProblem(f"{partner} is busy just now.", code="busy", lasting=False) from busy


# --- NCIP -------------------------------------------------------------------------------------------------------

#: our code -> (NCIP's problem, the element that is to blame)
NCIP: Final[Mapping[str, tuple[str, str]]] = {
    "unknown_item": ("Unknown Item", "ItemIdentifierValue"),
    "unknown_title": ("Unknown Item", "BibliographicId"),
    "item_withdrawn": ("Unknown Item", "ItemIdentifierValue"),
    "unknown_patron": ("Unknown User", "UserIdentifierValue"),
    "no_account": ("Unknown User", "UserIdentifierValue"),
    "account_not_set": ("Unknown User", "UserIdentifierValue"),
    "patron_blocked": ("User Blocked", "UserIdentifierValue"),
    "patron_expired": ("User Blocked", "UserIdentifierValue"),
    "barcode_taken": ("Cannot Accept Item", "ItemIdentifierValue"),
    "ill_not_set_up": ("Cannot Accept Item", "RequestedActionType"),
    "unknown_pickup": ("Element Rule Violated", "PickupLocation"),
    "no_pickup": ("Element Rule Violated", "PickupLocation"),
    "does_not_circulate": ("Item Does Not Circulate", "ItemIdentifierValue"),
    "nothing_on_shelf": ("Item Not Available By Need Before Date", "ItemIdentifierValue"),
    "on_loan_elsewhere": ("Resource Cannot Be Provided", "ItemIdentifierValue"),
    "held_for_another": ("Resource Cannot Be Provided", "ItemIdentifierValue"),
    "borrowed_for_another": ("Resource Cannot Be Provided", "ItemIdentifierValue"),
    "limit_reached": ("Maximum Check Outs Exceeded", "UserIdentifierValue"),
    "not_on_loan": ("Item Not Checked Out", "ItemIdentifierValue"),
    "not_his_loan": ("Item Not Checked Out", "UserIdentifierValue"),
    "no_more_renewals": ("Maximum Renewals Exceeded", "ItemIdentifierValue"),
    "others_wait": ("Renewal Not Allowed - Item Has Outstanding Requests", "ItemIdentifierValue"),
    "ask_the_lender": ("Item Not Renewable", "ItemIdentifierValue"),
    "bad_date": ("Invalid Date", "DesiredDateDue"),
    "bad_amount": ("Invalid Amount", "MonetaryValue"),
    "duplicate_hold": ("Duplicate Request", "UserIdentifierValue"),
    "unknown_request": ("Unknown Request", "RequestIdentifierValue"),
    "request_processed": ("Request Already Processed", "RequestIdentifierValue"),
    "not_possible": ("Element Rule Violated", "RequestIdentifierValue"),
    "not_recalled": ("Recall Cannot Be Cancelled At This Time", "ItemIdentifierValue"),
    "not_borrowed": ("Item Access Denied", "ItemIdentifierValue"),
    "cannot_delete": ("Element Rule Violated", "ItemIdentifierValue"),
    "barcode_in_use": ("Duplicate User", "UserIdentifierValue"),
    "account_in_use": ("Element Rule Violated", "UserIdentifierValue"),
    "user_name_taken": ("Duplicate User", "AuthenticationInput"),
    "no_patron_type": ("Element Rule Violated", "UserPrivilege"),
    "bad_place": ("Temporary Processing Failure", "ToAgencyId"),
}
#: where a service's own list has a better word
_OF_SERVICE: Final[Mapping[tuple[str, str], str]] = {
    ("CreateItem", "barcode_taken"): "Duplicate Item",
    ("CreateItem", "ill_not_set_up"): "Element Rule Violated",
    ("RequestItem", "limit_reached"): "User Ineligible To Request This Item",
    ("RequestItem", "no_pickup"): "Element Rule Violated",
    ("RequestItem", "on_loan_elsewhere"): "Item Not Available By Need Before Date",
    ("RecallItem", "ask_the_lender"): "Item Cannot Be Recalled",
    ("UpdateUser", "user_name_taken"): "Element Rule Violated",
    ("CancelRequestItem", "not_possible"): "Request Already Processed",
}


def as_ncip(reason: circulation_errors.Reason, service: str, value: str | None = None) -> ncip.Problem:
    """A reason as an NCIP Problem of a service; `value` is what the message had in the element to blame."""
    name, element = NCIP.get(reason.code, ("Temporary Processing Failure", service))
    name = _OF_SERVICE.get((service, reason.code), name)
    return ncip.problem(name, service=service, detail=detail_of(reason), element=element, value=value or None)


def detail_of(reason: circulation_errors.Reason) -> str:
    """The sentence, who can mend it, and our code; without the name of a patron and without why one is blocked."""
    discreet = {"name": "this patron", "why": ""}
    facts = reason.facts | {key: word for key, word in discreet.items() if key in reason.facts}
    said = circulation_errors.Reason(reason.code, facts if reason.code in _ABOUT_PATRONS else reason.facts)
    sentence = said.sentence[:1].upper() + said.sentence[1:]
    return f"{sentence} {said.remedy} ({reason.code.upper()})"


_ABOUT_PATRONS: Final = frozenset({"patron_blocked", "patron_expired", "limit_reached", "duplicate_hold", "no_pickup"})
