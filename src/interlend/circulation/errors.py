"""Why circulation refuses: a code, the facts, a plain sentence, and who can mend it. No Django.

Every sentence has the form of pages.md: what did not happen is said by the caller, why and who by these rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: code -> (why, who can mend it and how)
REASONS: dict[str, tuple[str, str]] = {
    "unknown_item": ("No item of this library has the barcode {barcode}.", "Check the barcode, or add the item."),
    "unknown_patron": (
        "No patron of this library has the barcode {barcode}.",
        "ILL staff: correct the patron's barcode on the request. Circulation desk: register the patron.",
    ),
    "patron_blocked": (
        "The account of {name} is blocked{since}{why}.",
        "Circulation desk: open the account and lift the block.",
    ),
    "patron_expired": (
        "The account of {name} expired on {day}.",
        "Circulation desk: open the account and extend it.",
    ),
    "barcode_taken": (
        "The barcode {barcode} already belongs to “{title}”{owner}.",
        "ILL staff: receive it under another barcode (the request number will do), or delete the old temporary item.",
    ),
    "no_account": (
        "There is no institution account with the barcode {barcode}.",
        "Administrator: add the account, or correct it under Partners.",
    ),
    "account_not_set": (
        "No institution account is set for {partner}.",
        "Administrator: set the account's barcode under Partners.",
    ),
    "does_not_circulate": (
        "“{title}” does not circulate (loan policy {policy}).",
        "ILL staff: answer that it cannot be supplied. Administrator: change the loan policy map.",
    ),
    "on_loan_elsewhere": (
        "“{title}” is on loan to somebody else, due {due}.",
        "Circulation desk: check it in first if it is in your hand.",
    ),
    "held_for_another": (
        "“{title}” is held for another patron.",
        "Circulation desk: check it in to see for whom, or cancel that hold first.",
    ),
    "borrowed_for_another": (
        "“{title}” was borrowed from {partner} for another patron.",
        "Circulation desk: scan the account of the patron it was borrowed for.",
    ),
    "item_withdrawn": ("“{title}” has been deleted.", "Circulation desk: restore it on its page if it is back."),
    "ill_not_set_up": (
        "The ILL settings have no {missing}.",
        "Administrator: Settings, ILL settings.",
    ),
    "unknown_pickup": (
        "There is no pickup location “{code}”.",
        "ILL staff: choose a pickup location on the request. Administrator: see Settings, Branches.",
    ),
    "no_pickup": (
        "No pickup location was given and {name} has no home branch.",
        "Circulation desk: set the patron's home branch.",
    ),
    "not_on_loan": ("“{title}” is not on loan.", "Nothing needs to be done if it was checked in already."),
    "not_possible": ("{what} is not possible while it is {state}.", "Circulation desk: check it in first."),
    "limit_reached": (
        "{name} has {count} items out; {policy} allows {limit}.",
        "Circulation desk: something must come back first.",
    ),
    "no_more_renewals": (
        "“{title}” has been renewed {count} times; {policy} allows {limit}.",
        "Circulation desk: change the due date instead if the library wishes it.",
    ),
    "others_wait": ("Somebody else is waiting for “{title}”.", "Circulation desk: ask for it back by the due date."),
    "ask_the_lender": (
        "“{title}” belongs to {partner}; only they can lengthen the loan.",
        "ILL staff: ask the lender, request {request}.",
    ),
    "bad_date": ("{day} is not a date that can be used: {why}.", "Choose another date."),
    "duplicate_hold": ("{name} already has a hold on “{title}”.", "Edit that hold instead."),
    "bad_place": (
        "No service location is chosen, so nobody knows where this scan happened.",
        "Choose the branch you stand in at the top of the page.",
    ),
    "unknown_title": ("No title of this library has the number {number}.", "Check the record number."),
    "unknown_request": (
        "No request {request} is known here{whose}.",
        "ILL staff: check the request number; it may have been placed by hand.",
    ),
    "request_processed": (
        "Request {request} for “{title}” is {state} already.",
        "Nothing needs to be done, or place the request anew.",
    ),
    "nothing_on_shelf": (
        "No copy of “{title}” that may be lent is on the shelf now.",
        "ILL staff: answer that it cannot be supplied, or ask for a hold instead of a page.",
    ),
    "not_borrowed": (
        "“{title}” belongs to this library; only temporary items may be changed by message.",
        "Circulation desk: change it on its page.",
    ),
    "barcode_in_use": (
        "A patron with the barcode {barcode} exists already.",
        "Circulation desk: see whether it is the same person.",
    ),
    "no_patron_type": (
        "There is no patron type “{code}”.",
        "Administrator: set the type for new users under Settings, NCIP callers.",
    ),
    "not_recalled": ("“{title}” has not been recalled.", "Nothing needs to be done."),
    "not_his_loan": ("“{title}” is not on loan to this patron.", "Circulation desk: see who has it."),
    "bad_amount": ("{amount} is not an amount that can be charged.", "Send a whole number of the smallest unit."),
    "cannot_delete": ("“{title}” cannot be deleted while it is {state}.", "Check it in at its home branch first."),
}


@dataclass(frozen=True)
class Reason:
    """One reason: a stable `code` and the `facts` that fill its sentence."""

    code: str
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return REASONS[self.code][0].format(**self.facts)

    @property
    def remedy(self) -> str:
        return REASONS[self.code][1].format(**self.facts)


class Refused(Exception):
    """A rule said no; nothing was changed. `reasons` has at least one entry."""

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reason.sentence for reason in reasons))

    @property
    def code(self) -> str:
        return self.reasons[0].code

    @property
    def sentence(self) -> str:
        return " ".join(reason.sentence for reason in self.reasons)

    @property
    def remedy(self) -> str:
        return " ".join(dict.fromkeys(reason.remedy for reason in self.reasons))


def refuse(code: str, /, **facts: object) -> Refused:
    """`raise refuse("unknown_item", barcode=…)`."""
    return Refused(Reason(code, facts))
