"""The kinds of event that circulation records. Whoever hears them is listed in `wiring.py`, not here."""

from __future__ import annotations

from interlend.refusal import n_

ITEM_MADE = "circulation.item_made"
ITEM_DELETED = "circulation.item_deleted"
ITEM_RESTORED = "circulation.item_restored"
TEMPORARY_ITEM_MADE = "circulation.temporary_item_made"
HOLD_PLACED = "circulation.hold_placed"
HOLD_EDITED = "circulation.hold_edited"
HOLD_READY = "circulation.hold_ready"
HOLD_ROUTED = "circulation.hold_routed"
HOLD_ENDED = "circulation.hold_ended"
HOLD_FULFILLED = "circulation.hold_fulfilled"
CHECKED_OUT = "circulation.checked_out"
CHECKED_IN = "circulation.checked_in"
MARKED_MISSING = "circulation.marked_missing"
RENEWED = "circulation.renewed"
DUE_DATE_CHANGED = "circulation.due_date_changed"
#: the desk took back something that sharing must hear of (workflow B13, L9)
TEMPORARY_ITEM_RETURNED = "circulation.temporary_item_returned"
LENT_ITEM_RETURNED = "circulation.lent_item_returned"
#: our patron took, or never will take, a borrowed item
TEMPORARY_ITEM_CHECKED_OUT = "circulation.temporary_item_checked_out"
RECALLED = "circulation.recalled"
RECALL_CANCELLED = "circulation.recall_cancelled"
CHECK_OUT_UNDONE = "circulation.check_out_undone"
LENDERS_DATE_CHANGED = "circulation.lenders_date_changed"
ITEM_CHANGED = "circulation.item_changed"
ITEM_EDITED = "circulation.item_edited"
BILLED = "circulation.billed"
#: another system told what happened to an item or a request; what follows from it here is an event of its own
HEARD = "circulation.heard"
PATRON_SAVED = "circulation.patron_saved"
CARD_REPLACED = "circulation.card_replaced"

#: what a person reads for each kind; the words in braces come from the event's data
SENTENCES = {
    ITEM_MADE: n_("Item added"),
    ITEM_DELETED: n_("Item deleted"),
    ITEM_RESTORED: n_("Item restored"),
    TEMPORARY_ITEM_MADE: n_("Temporary item made for request {request}, from {partner}"),
    HOLD_PLACED: n_("Hold placed, pickup at {pickup}"),
    HOLD_EDITED: n_("Hold changed: {change}"),
    HOLD_READY: n_("On the hold shelf at {pickup}"),
    HOLD_ROUTED: n_("Sent to {pickup} for a hold"),
    HOLD_ENDED: n_("Hold ended: {why}"),
    HOLD_FULFILLED: n_("Hold fulfilled by check-out"),
    CHECKED_OUT: n_("Checked out, due {due}"),
    CHECKED_IN: n_("Checked in: {word}"),
    MARKED_MISSING: n_("Marked missing"),
    RENEWED: n_("Renewed, due {due}"),
    DUE_DATE_CHANGED: n_("Due date changed from {before} to {due}"),
    TEMPORARY_ITEM_RETURNED: n_("Returned at the desk by the patron"),
    LENT_ITEM_RETURNED: n_("Back from {partner}, checked in at the desk"),
    TEMPORARY_ITEM_CHECKED_OUT: n_("Borrowed item checked out to the patron, due {due}"),
    RECALLED: n_("Recalled, now due {due}"),
    RECALL_CANCELLED: n_("Recall cancelled, due {due} again"),
    CHECK_OUT_UNDONE: n_("Check-out undone: {word}"),
    LENDERS_DATE_CHANGED: n_("The lender's date is now {day}"),
    ITEM_CHANGED: n_("Temporary item changed: {change}"),
    ITEM_EDITED: n_("Item record changed: {change}"),
    BILLED: "{what}: {amount}",
    HEARD: n_("{who} says: {what}"),
    PATRON_SAVED: n_("Patron record saved"),
    CARD_REPLACED: n_("New card; the number of the old one ended in {ends}"),
}
