"""Why sharing refuses: a code, the facts, a plain sentence, and who can mend it. No Django."""

from __future__ import annotations

from dataclasses import dataclass, field

#: code -> (why, who can mend it and how)
REASONS: dict[str, tuple[str, str]] = {
    "unknown_request": (
        "No request of this library has the number or barcode {text}.",
        "Check the slip; a parcel without a request goes to the ILL office.",
    ),
    "not_possible": ("Request {number} is {state}: {what} is not possible now.", "{can}"),
    "no_barcode": ("No item barcode was scanned.", "Scan the barcode of the book itself."),
    "number_as_barcode": (
        "{barcode} is the number of the request, not the barcode of our book.",
        "Scan the barcode on the book.",
    ),
    "barcode_elsewhere": (
        "The barcode {barcode} is on its way with request {number}.",
        "Scan the other book, or complete that request first.",
    ),
    "no_partner": ("No lender is chosen.", "Choose a lender."),
    "unknown_partner": ("There is no partner {symbol}.", "Administrator: add it under Partners."),
    "partner_inactive": ("{partner} does not lend at present.", "Choose another lender."),
    "partner_taken": ("The symbol {symbol} already belongs to {partner}.", "Open that partner, or use another symbol."),
    "no_title": ("A request needs a title.", "Type at least the title."),
    "no_patron": ("{why}", "{remedy}"),
    "duplicate": (
        "The same patron already has request {number} for this title.",
        "Open that request, or tick “ask for a second one”.",
    ),
    "no_reason": ("A reason is needed.", "Say in a few words why; it stays on the request."),
    "wrong_side": ("Request {number} is one we {side}.", "{can}"),
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
    """A rule said no; nothing was changed."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.sentence)

    @property
    def code(self) -> str:
        return self.reason.code

    @property
    def sentence(self) -> str:
        return self.reason.sentence

    @property
    def remedy(self) -> str:
        return self.reason.remedy


def refuse(code: str, /, **facts: object) -> Refused:
    """`raise refuse("no_title")`."""
    return Refused(Reason(code, facts))
