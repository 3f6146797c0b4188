"""Why circulation refuses: a code, the facts, a plain sentence, and who can mend it. No Django.

Every sentence has the form of pages.md: what did not happen is said by the caller, why and who by these rows.
"""

from __future__ import annotations

from typing import ClassVar

from interlend import refusal
from interlend.refusal import n_

#: code -> (why, who can mend it and how)
REASONS: dict[str, tuple[str, str]] = {
    "unknown_item": (
        n_("No item of this library has the barcode {barcode}."),
        n_("Check the barcode, or add the item."),
    ),
    "unknown_patron": (
        n_("No patron of this library has the barcode {barcode}."),
        n_("ILL staff: correct the patron's barcode on the request. Circulation desk: register the patron."),
    ),
    "patron_blocked": (
        n_("The account of {name} is blocked{since}{why}."),
        n_("Circulation desk: open the account and lift the block."),
    ),
    "patron_expired": (
        n_("The account of {name} expired on {day}."),
        n_("Circulation desk: open the account and extend it."),
    ),
    "barcode_taken": (
        n_("The barcode {barcode} already belongs to “{title}”{owner}."),
        n_(
            "ILL staff: receive it under another barcode (the request number will do), "
            "or delete the old temporary item."
        ),
    ),
    "no_account": (
        n_("There is no institution account with the barcode {barcode}."),
        n_("Administrator: add the account, or correct it under Partners."),
    ),
    "account_not_set": (
        n_("No institution account is set for {partner}."),
        n_("Administrator: set the account's barcode under Partners."),
    ),
    "does_not_circulate": (
        n_("“{title}” does not circulate (loan policy {policy})."),
        n_("ILL staff: answer that it cannot be supplied. Administrator: change the loan policy map."),
    ),
    "on_loan_elsewhere": (
        n_("“{title}” is on loan to somebody else, due {due}."),
        n_("Circulation desk: check it in first if it is in your hand."),
    ),
    "held_for_another": (
        n_("“{title}” is held for another patron."),
        n_("Circulation desk: check it in to see for whom, or cancel that hold first."),
    ),
    "borrowed_for_another": (
        n_("“{title}” was borrowed from {partner} for another patron."),
        n_("Circulation desk: scan the account of the patron it was borrowed for."),
    ),
    "item_withdrawn": (
        n_("“{title}” has been deleted."),
        n_("Circulation desk: restore it on its page if it is back."),
    ),
    "ill_not_set_up": (
        n_("The ILL settings have no {missing}."),
        n_("Administrator: Settings, ILL settings."),
    ),
    "unknown_pickup": (
        n_("There is no pickup location “{code}”."),
        n_("ILL staff: choose a pickup location on the request. Administrator: see Settings, Branches."),
    ),
    "no_pickup": (
        n_("No pickup location was given and {name} has no home branch."),
        n_("Circulation desk: set the patron's home branch."),
    ),
    "not_on_loan": (n_("“{title}” is not on loan."), n_("Nothing needs to be done if it was checked in already.")),
    "not_possible": (n_("{what} is not possible while it is {state}."), n_("Circulation desk: check it in first.")),
    "limit_reached": (
        n_("{name} has {count} items out; {policy} allows {limit}."),
        n_("Circulation desk: something must come back first."),
    ),
    "no_more_renewals": (
        n_("“{title}” has been renewed {count} times; {policy} allows {limit}."),
        n_("Circulation desk: change the due date instead if the library wishes it."),
    ),
    "others_wait": (
        n_("Somebody else is waiting for “{title}”."),
        n_("Circulation desk: ask for it back by the due date."),
    ),
    "ask_the_lender": (
        n_("“{title}” belongs to {partner}; only they can lengthen the loan."),
        n_("ILL staff: ask the lender, request {request}."),
    ),
    "bad_date": (n_("{day} is not a date that can be used: {why}."), n_("Choose another date.")),
    "duplicate_hold": (n_("{name} already has a hold on “{title}”."), n_("Edit that hold instead.")),
    "bad_place": (
        n_("No service location is chosen, so nobody knows where this scan happened."),
        n_("Choose the branch you stand in at the top of the page."),
    ),
    "unknown_title": (n_("No title of this library has the number {number}."), n_("Check the record number.")),
    "unknown_request": (
        n_("No request {request} is known here{whose}."),
        n_("ILL staff: check the request number; it may have been placed by hand."),
    ),
    "request_processed": (
        n_("Request {request} for “{title}” is {state} already."),
        n_("Nothing needs to be done, or place the request anew."),
    ),
    "nothing_on_shelf": (
        n_("No copy of “{title}” that may be lent is on the shelf now."),
        n_("ILL staff: answer that it cannot be supplied, or ask for a hold instead of a page."),
    ),
    "not_borrowed": (
        n_("“{title}” belongs to this library; only temporary items may be changed by message."),
        n_("Circulation desk: change it on its page."),
    ),
    "not_ours": (
        n_("“{title}” belongs to {partner}; its record was made for request {request}."),
        n_("ILL staff: correct the request; the record is deleted when the request is over."),
    ),
    "institutions_card": (
        n_("{name} is an institution, and Partners names its account by this barcode."),
        n_("Administrator: register a new account and set its barcode under Partners."),
    ),
    "barcode_in_use": (
        n_("A patron with the barcode {barcode} exists already."),
        n_("Circulation desk: see whether it is the same person."),
    ),
    "no_patron_type": (
        n_("There is no patron type “{code}”."),
        n_("Administrator: set the type for new users under Settings, NCIP callers."),
    ),
    "not_recalled": (n_("“{title}” has not been recalled."), n_("Nothing needs to be done.")),
    "not_his_loan": (n_("“{title}” is not on loan to this patron."), n_("Circulation desk: see who has it.")),
    "bad_amount": (
        n_("{amount} is not an amount that can be charged."),
        n_("Send a whole number of the smallest unit."),
    ),
    "account_in_use": (
        n_("The account cannot be closed, it still has {what}."),
        n_("Circulation desk: settle that first."),
    ),
    "user_name_taken": (
        n_("This user name is another patron's."),
        n_("Choose another user name."),
    ),
    "cannot_delete": (
        n_("“{title}” cannot be deleted while it is {state}."),
        n_("Check it in at its home branch first."),
    ),
}


class Reason(refusal.Reason):
    """A reason of circulation."""

    table: ClassVar = REASONS


class Refused(refusal.Refused):
    """A rule of circulation said no; nothing was changed."""

    reasons: tuple[Reason, ...]


def refuse(code: str, /, **facts: object) -> Refused:
    """`raise refuse("unknown_item", barcode=…)`."""
    return Refused(Reason(code, facts))
