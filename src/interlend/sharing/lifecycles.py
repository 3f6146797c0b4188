"""The life of a request, one table a side and kind: what may happen, what it becomes, and which errands it owes.

Triggers are `party.verb`; errands name the port (`host` is a library's circulation, `partner` the other library).
Workflow B1, B13-B16, L1, L5, L9, C1. Loans touch circulation; copies never do (C1), so their tables owe no host errand.
"""

from __future__ import annotations

from interlend.lifecycle import Lifecycle, Move

NEW, REQUESTED, WILL_SUPPLY, SHIPPED, RECEIVED = "new", "requested", "will_supply", "shipped", "received"
RETURNED, COMPLETED, UNFILLED, CANCELLED, CLOSED = "returned", "completed", "unfilled", "cancelled", "closed"
CANCEL_ASKED, COPY_SENT = "cancel_asked", "copy_sent"

_BORROWING_OPEN = (NEW, REQUESTED, WILL_SUPPLY, CANCEL_ASKED, SHIPPED, RECEIVED, RETURNED, UNFILLED)

BORROWING = Lifecycle(
    name="borrowing",
    initial=(NEW,),
    final=(COMPLETED, CANCELLED, CLOSED),
    moves=(
        Move(NEW, "staff.send", REQUESTED, ("partner.request",)),
        Move(NEW, "staff.cancel", CANCELLED),
        Move(REQUESTED, "supplier.will_supply", WILL_SUPPLY),
        Move(REQUESTED, "supplier.unfilled", UNFILLED),
        Move(WILL_SUPPLY, "supplier.unfilled", UNFILLED),
        Move(CANCEL_ASKED, "supplier.unfilled", CANCELLED),
        Move(UNFILLED, "staff.send", REQUESTED, ("partner.request",)),
        Move(UNFILLED, "staff.cancel", CANCELLED),
        Move(REQUESTED, "staff.cancel", CANCEL_ASKED, ("partner.cancel",)),
        Move(WILL_SUPPLY, "staff.cancel", CANCEL_ASKED, ("partner.cancel",)),
        Move(CANCEL_ASKED, "supplier.cancelled", CANCELLED),
        Move(CANCEL_ASKED, "supplier.cancel_refused", WILL_SUPPLY),
        *(Move(state, "supplier.shipped", SHIPPED) for state in (REQUESTED, WILL_SUPPLY, CANCEL_ASKED)),
        # a parcel may arrive before its message: the book on the desk is the truth
        *(
            Move(state, "staff.receive", RECEIVED, ("host.accept_item", "partner.received"))
            for state in (SHIPPED, REQUESTED, WILL_SUPPLY, CANCEL_ASKED)
        ),
        # the same news again, with the due date that the lender's circulation gave in the end
        *(Move(state, "supplier.shipped", state) for state in (SHIPPED, RECEIVED)),
        Move(SHIPPED, "staff.send_back", RETURNED, ("partner.shipped_return",)),
        Move(RECEIVED, "staff.return", RETURNED, ("host.check_in_item", "partner.shipped_return")),
        Move(RETURNED, "supplier.completed", COMPLETED),
        # the lender has it back although nobody here said so: our side catches up
        Move(RECEIVED, "supplier.completed", COMPLETED, ("host.check_in_item",)),
        Move(SHIPPED, "supplier.completed", COMPLETED),
        *(Move(state, "staff.close", CLOSED) for state in _BORROWING_OPEN),
    ),
)

_LENDING_OPEN = (REQUESTED, WILL_SUPPLY, CANCEL_ASKED, SHIPPED, RECEIVED, RETURNED)

LENDING = Lifecycle(
    name="lending",
    initial=(REQUESTED,),
    final=(COMPLETED, UNFILLED, CANCELLED, CLOSED),
    moves=(
        *(
            Move(state, "staff.ship", SHIPPED, ("host.check_out_item", "partner.shipped"))
            for state in (REQUESTED, WILL_SUPPLY, CANCEL_ASKED)
        ),
        Move(REQUESTED, "staff.will_supply", WILL_SUPPLY, ("partner.will_supply",)),
        Move(REQUESTED, "staff.unfilled", UNFILLED, ("partner.unfilled",)),
        Move(WILL_SUPPLY, "staff.unfilled", UNFILLED, ("partner.unfilled",)),
        Move(REQUESTED, "requester.cancel", CANCELLED, ("partner.cancelled",)),
        Move(WILL_SUPPLY, "requester.cancel", CANCEL_ASKED),
        Move(CANCEL_ASKED, "staff.agree_cancel", CANCELLED, ("partner.cancelled",)),
        Move(CANCEL_ASKED, "staff.refuse_cancel", WILL_SUPPLY, ("partner.cancel_refused",)),
        # asked too late: the parcel has left, and the requester hears of it by partner.shipped
        Move(SHIPPED, "requester.cancel", SHIPPED),
        # whoever holds the parcel is right, whatever was said before
        *(
            Move(state, "requester.received", RECEIVED)
            for state in (REQUESTED, WILL_SUPPLY, CANCEL_ASKED, SHIPPED, UNFILLED, CANCELLED)
        ),
        Move(RECEIVED, "staff.ship", RECEIVED, ("host.check_out_item", "partner.shipped")),
        *(Move(state, "requester.shipped_return", RETURNED) for state in (SHIPPED, RECEIVED)),
        *(
            Move(state, "staff.complete", COMPLETED, ("host.check_in_item", "partner.completed"))
            for state in (SHIPPED, RECEIVED, RETURNED)
        ),
        *(Move(state, "requester.request", REQUESTED) for state in (UNFILLED, CANCELLED)),  # asked again
        *(Move(state, "staff.close", CLOSED) for state in _LENDING_OPEN),
    ),
)

_COPY_OPEN = (REQUESTED, WILL_SUPPLY, CANCEL_ASKED)

BORROWING_COPY = Lifecycle(
    name="borrowing a copy",
    initial=(NEW,),
    final=(COMPLETED, CANCELLED, CLOSED),
    moves=(
        Move(NEW, "staff.send", REQUESTED, ("partner.request",)),
        Move(NEW, "staff.cancel", CANCELLED),
        Move(REQUESTED, "supplier.will_supply", WILL_SUPPLY),
        *(Move(state, "supplier.unfilled", UNFILLED) for state in (REQUESTED, WILL_SUPPLY)),
        Move(UNFILLED, "staff.send", REQUESTED, ("partner.request",)),
        Move(UNFILLED, "staff.cancel", CANCELLED),
        *(Move(state, "supplier.copy_sent", COPY_SENT) for state in (REQUESTED, WILL_SUPPLY, CANCEL_ASKED)),
        *(Move(state, "staff.cancel", CANCEL_ASKED, ("partner.cancel",)) for state in (REQUESTED, WILL_SUPPLY)),
        *(Move(CANCEL_ASKED, trigger, CANCELLED) for trigger in ("supplier.cancelled", "supplier.unfilled")),
        Move(CANCEL_ASKED, "supplier.cancel_refused", WILL_SUPPLY),
        Move(COPY_SENT, "staff.deliver_copy", COMPLETED),
        *(Move(state, "staff.close", CLOSED) for state in (NEW, *_COPY_OPEN, UNFILLED, COPY_SENT)),
    ),
)  # fmt: skip

LENDING_COPY = Lifecycle(
    name="lending a copy",
    initial=(REQUESTED,),
    final=(COMPLETED, UNFILLED, CANCELLED, CLOSED),
    moves=(
        *(Move(state, "staff.send_copy", COMPLETED, ("partner.copy_sent",)) for state in _COPY_OPEN),
        Move(REQUESTED, "staff.will_supply", WILL_SUPPLY, ("partner.will_supply",)),
        *(Move(state, "staff.unfilled", UNFILLED, ("partner.unfilled",)) for state in (REQUESTED, WILL_SUPPLY)),
        Move(REQUESTED, "requester.cancel", CANCELLED, ("partner.cancelled",)),
        Move(WILL_SUPPLY, "requester.cancel", CANCEL_ASKED),
        Move(CANCEL_ASKED, "staff.agree_cancel", CANCELLED, ("partner.cancelled",)),
        Move(CANCEL_ASKED, "staff.refuse_cancel", WILL_SUPPLY, ("partner.cancel_refused",)),
        *(Move(state, "requester.request", REQUESTED) for state in (UNFILLED, CANCELLED)),
        *(Move(state, "staff.close", CLOSED) for state in _COPY_OPEN),
    ),
)  # fmt: skip

#: (side, service type) -> the table that governs it
LIFECYCLES = {
    ("borrowing", "loan"): BORROWING,
    ("lending", "loan"): LENDING,
    ("borrowing", "copy"): BORROWING_COPY,
    ("lending", "copy"): LENDING_COPY,
}

#: a state that says how it ended, or that it is open again; others leave what was known
_OUTCOMES = {
    SHIPPED: "supplied", RECEIVED: "supplied", COPY_SENT: "supplied", UNFILLED: "not supplied",
    CANCELLED: "cancelled", REQUESTED: "",
}  # fmt: skip


def outcome(move: Move, before: str) -> str:
    """How it ended, after `move`; kept in a column of its own so that a later state never hides it."""
    return "supplied" if move.trigger == "staff.send_copy" else _OUTCOMES.get(move.becomes, before)
