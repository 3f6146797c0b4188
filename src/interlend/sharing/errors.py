"""Why sharing refuses: a code, the facts, a plain sentence, and who can mend it. No Django."""

from __future__ import annotations

from typing import ClassVar

from interlend import refusal
from interlend.refusal import n_

#: code -> (why, who can mend it and how)
REASONS: dict[str, tuple[str, str]] = {
    "unknown_request": (
        n_("No request of this library has the number or barcode {text}."),
        n_("Check the slip; a parcel without a request goes to the ILL office."),
    ),
    "not_possible": (n_("Request {number} is {state}: {what} is not possible now."), "{can}"),
    "no_barcode": (n_("No item barcode was scanned."), n_("Scan the barcode of the book itself.")),
    "number_as_barcode": (
        n_("{barcode} is the number of the request, not the barcode of our book."),
        n_("Scan the barcode on the book."),
    ),
    "barcode_elsewhere": (
        n_("The barcode {barcode} is on its way with request {number}."),
        n_("Scan the other book, or complete that request first."),
    ),
    "no_partner": (n_("No lender is chosen."), n_("Choose a lender.")),
    "unknown_partner": (n_("There is no partner {symbol}."), n_("Administrator: add it under Partners.")),
    "partner_inactive": (n_("{partner} does not lend at present."), n_("Choose another lender.")),
    "partner_taken": (
        n_("The symbol {symbol} already belongs to {partner}."),
        n_("Open that partner, or use another symbol."),
    ),
    "no_title": (n_("A request needs a title."), n_("Type at least the title.")),
    "no_patron": ("{why}", "{remedy}"),
    "duplicate": (
        n_("The same patron already has request {number} for this title."),
        n_("Open that request, or tick “ask for a second one”."),
    ),
    "no_reason": (n_("A reason is needed."), n_("Say in a few words why; it stays on the request.")),
    "wrong_side": (n_("Request {number} is one we {side}."), "{can}"),
}


class Reason(refusal.Reason):
    """A reason of sharing."""

    table: ClassVar = REASONS


class Refused(refusal.Refused):
    """A rule of sharing said no; nothing was changed."""

    reasons: tuple[Reason, ...]


def refuse(code: str, /, **facts: object) -> Refused:
    """`raise refuse("no_title")`."""
    return Refused(Reason(code, facts))
