"""Pure questions about requests: what may be pressed, what its buttons are called, what a scan means. No Django."""

from __future__ import annotations

from dataclasses import dataclass

from interlend.sharing.lifecycles import LIFECYCLES


@dataclass(frozen=True, slots=True)
class Button:
    """One thing staff may do now. `needs` names what the page must ask first: lender, barcode, reason, or nothing."""

    trigger: str
    label: str
    needs: str = ""
    main: bool = False
    danger: bool = False


#: what each staff trigger is called on a button, and what it asks for
BUTTONS: dict[str, Button] = {
    button.trigger: button
    for button in (
        Button("staff.send", "Send to a lender", "lender", main=True),
        Button("staff.receive", "Mark received", "barcode", main=True),
        Button("staff.return", "Mark returned", main=True),
        Button("staff.ship", "Ship", "barcode", main=True),
        Button("staff.complete", "Complete", main=True),
        Button("staff.will_supply", "Will supply"),
        Button("staff.send_copy", "Copy sent", main=True),
        Button("staff.deliver_copy", "Copy delivered", main=True),
        Button("staff.agree_cancel", "Agree to cancel", main=True),
        Button("staff.refuse_cancel", "Refuse to cancel"),
        Button("staff.unfilled", "Cannot supply", "reason"),
        Button("staff.send_back", "Send back unread"),
        Button("staff.cancel", "Cancel", "reason", danger=True),
        Button("staff.close", "Close by hand", "reason", danger=True),
    )
}

#: states in which the main button of the table's first row is not the likeliest thing to do
_QUIET = {
    ("borrowing", "requested"),
    ("borrowing", "will_supply"),
    ("borrowing", "cancel_asked"),
    ("lending", "received"),
}


def buttons(side: str, service: str, state: str, *, at_desk: bool = False) -> list[Button]:
    """What staff may press now, asked of the table; the likeliest first."""
    allowed = LIFECYCLES[side, service].triggers(state, "staff")
    quiet = (side, state) in _QUIET and not at_desk
    found = [BUTTONS[trigger] for trigger in allowed]
    found.sort(key=lambda button: (button.danger, not button.main))
    return [Button(b.trigger, b.label, b.needs, b.main and not quiet, b.danger) for b in found]


STATE_WORDS = {
    "new": "New",
    "requested": "Requested",
    "will_supply": "Will be supplied",
    "shipped": "Shipped",
    "received": "Received",
    "returned": "Returned",
    "completed": "Completed",
    "unfilled": "Not supplied",
    "cancelled": "Cancelled",
    "closed": "Closed by hand",
    "cancel_asked": "Cancellation asked",
    "copy_sent": "Copy sent",
}


def state_word(state: str, at_desk: bool = False) -> str:
    """The chip of a request."""
    return "Back at the desk" if at_desk else STATE_WORDS[state]


#: what a lender may answer when it cannot supply; the words are the reason told to the borrower
REASONS_UNFILLED = (
    "not on shelf",
    "on loan",
    "does not circulate",
    "not owned",
    "lost or missing",
    "at bindery",
    "in poor condition",
    "on reserve",
)
