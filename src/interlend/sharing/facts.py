"""The kinds of event that sharing records, and what a person reads for each."""

from __future__ import annotations

from interlend.refusal import n_

CREATED = "sharing.created"
MOVED = "sharing.moved"
NOTED = "sharing.noted"
MISSED = "sharing.message_out_of_turn"
DUE_TOLD = "sharing.due_told"
CORRECTED = "sharing.corrected"

#: trigger -> what happened, as the time line says it; {partner} is the other library's name
SENTENCES = {
    "staff.send": n_("Sent to {partner}"),
    "supplier.will_supply": n_("{partner} will supply it"),
    "supplier.unfilled": n_("{partner} cannot supply it{reason}"),
    "supplier.shipped": n_("Shipped by {partner}{due}"),
    "supplier.completed": n_("{partner} has it back and completed the request"),
    "supplier.cancelled": n_("{partner} agreed to cancel"),
    "supplier.cancel_refused": n_("{partner} cannot cancel any more"),
    "supplier.copy_sent": n_("{partner} sent the copy"),
    "staff.receive": n_("Received"),
    "staff.return": n_("Returned to {partner}"),
    "staff.send_back": n_("Sent back unread to {partner}"),
    "staff.cancel": n_("Cancelled here{reason}"),
    "staff.close": n_("Closed by hand{reason}"),
    "staff.deliver_copy": n_("Copy delivered to the patron"),
    "staff.will_supply": n_("Will be supplied"),
    "staff.ship": n_("Shipped to {partner}{due}"),
    "staff.unfilled": n_("Answered that it cannot be supplied{reason}"),
    "staff.complete": n_("Completed: it is back"),
    "staff.agree_cancel": n_("Agreed to cancel"),
    "staff.refuse_cancel": n_("Refused to cancel"),
    "staff.send_copy": n_("Copy sent to {partner}"),
    "requester.request": n_("{partner} asked for it"),
    "requester.cancel": n_("{partner} wishes to cancel"),
    "requester.received": n_("{partner} received it"),
    "requester.shipped_return": n_("{partner} sent it back"),
}
