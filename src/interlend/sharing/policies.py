"""Pure questions about requests: what may be pressed, what its buttons are called, what a scan means. No Django."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

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


# --- what failures have in common -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One step as far as a pattern needs it. `partner`, `item` and `patron` are names by which they are known, or
    empty; `at` is when a failed one was begun, when a done one was done."""

    request: str
    side: str
    partner: str
    item: str
    patron: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the failures of one kind have in common, and since when. `about` names the partner, item or patron;
    `side` is empty where both occur. `requests` counts them."""

    what: Literal["everywhere", "partner", "item", "patron", "here"]
    about: str
    side: str
    since: datetime
    requests: int


#: these say something about the connection, whomever the step was for
ABOUT_CONNECTION = frozenset({"connection_settings", "unreachable", "host_busy", "no_answer", "paused"})


def pattern(code: str, failed: Collection[Step], done: Collection[Step]) -> Pattern | None:
    """What steps that failed with the same `code` have in common; None where nothing can be said for sure.

    `done` are steps of the same kind that went well lately: they show what is *not* the cause. Only those count that
    were done after the first failure.
    """
    if not failed:
        return None
    since = min(step.at for step in failed)
    fine = [step for step in done if step.at >= since]
    requests, sides = {step.request for step in failed}, {step.side for step in failed}
    side = next(iter(sides)) if len(sides) == 1 else ""
    if len(requests) == 1:
        elsewhere = code not in ABOUT_CONNECTION and any(step.request not in requests for step in fine)
        return Pattern("here", "", side, since, 1) if elsewhere else None
    if code in ABOUT_CONNECTION:
        return None if fine else Pattern("everywhere", "", side, since, len(requests))
    for what, shared in (("item", _shared(failed, fine, "item")), ("partner", _of_partner(failed, fine, side)),
                         ("patron", _shared(failed, fine, "patron"))):  # fmt: skip
        if shared:
            return Pattern(what, shared, side, since, len(requests))  # type: ignore[arg-type]
    partners, items = {step.partner for step in failed}, {step.item for step in failed}
    if not fine and len(partners) > 1 and (len(items) > 1 or items == {""}):
        return Pattern("everywhere", "", side, since, len(requests))
    return None


def _shared(failed: Collection[Step], fine: Collection[Step], name: str) -> str:
    """The one item (or partner, or patron) of all failures, unless something went well with it since."""
    values = {getattr(step, name) for step in failed}
    value = str(next(iter(values))) if len(values) == 1 else ""
    return "" if any(getattr(step, name) == value for step in fine) else value


def _of_partner(failed: Collection[Step], fine: Collection[Step], side: str) -> str:
    """When one patron of ours is behind all of them, the lender is not to blame."""
    patrons = {step.patron for step in failed}
    one_patron = side == "borrowing" and len(patrons) == 1 and patrons != {""}
    return "" if one_patron else _shared(failed, fine, "partner")
