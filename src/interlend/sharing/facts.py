"""The kinds of event that sharing records, and what a person reads for each."""

from __future__ import annotations

CREATED = "sharing.created"
MOVED = "sharing.moved"
NOTED = "sharing.noted"
MISSED = "sharing.message_out_of_turn"
DUE_TOLD = "sharing.due_told"
CORRECTED = "sharing.corrected"

#: trigger -> what happened, as the time line says it; {partner} is the other library's name
SENTENCES = {
    "staff.send": "Sent to {partner}",
    "supplier.will_supply": "{partner} will supply it",
    "supplier.unfilled": "{partner} cannot supply it{reason}",
    "supplier.shipped": "Shipped by {partner}{due}",
    "supplier.completed": "{partner} has it back and completed the request",
    "supplier.cancelled": "{partner} agreed to cancel",
    "supplier.cancel_refused": "{partner} cannot cancel any more",
    "supplier.copy_sent": "{partner} sent the copy",
    "staff.receive": "Received",
    "staff.return": "Returned to {partner}",
    "staff.send_back": "Sent back unread to {partner}",
    "staff.cancel": "Cancelled here{reason}",
    "staff.close": "Closed by hand{reason}",
    "staff.deliver_copy": "Copy delivered to the patron",
    "staff.will_supply": "Will be supplied",
    "staff.ship": "Shipped to {partner}{due}",
    "staff.unfilled": "Answered that it cannot be supplied{reason}",
    "staff.complete": "Completed: it is back",
    "staff.agree_cancel": "Agreed to cancel",
    "staff.refuse_cancel": "Refused to cancel",
    "staff.send_copy": "Copy sent to {partner}",
    "requester.request": "{partner} asked for it",
    "requester.cancel": "{partner} wishes to cancel",
    "requester.received": "{partner} received it",
    "requester.shipped_return": "{partner} sent it back",
}
