"""The verbs of the house, its only writers, by noun: desk, holds, items, patrons; and what other systems drive: ill
(accept, lend, take back), requests, loans, temporary items, bills.

Each takes the `Desk` that acts and the time `now`, fetches facts, asks a pure policy, and writes state, events and
errands in one transaction. A rule that says no raises `Refused` and changes nothing.
"""

from interlend.circulation.services.bills import Charge, charge
from interlend.circulation.services.desk import (
    CheckedIn,
    CheckedOut,
    Prompt,
    change_due_date,
    check_in,
    check_out,
    renew,
)
from interlend.circulation.services.holds import HoldChange, cancel_hold, edit_hold, place_hold
from interlend.circulation.services.ill import (
    Accepted,
    AcceptRequest,
    LendRequest,
    Lent,
    TakenBack,
    accept_temporary_item,
    lend,
    take_back,
    take_back_piece,
    take_back_request,
)
from interlend.circulation.services.items import (
    ItemRecord,
    change_item,
    delete_item,
    mark_missing,
    restore_item,
    save_item,
    why_not_changed,
)
from interlend.circulation.services.loans import (
    cancel_recall,
    lenders_date,
    lenders_recall,
    lenders_recall_cancelled,
    recall,
    undo_check_out,
)
from interlend.circulation.services.patrons import (
    CLOSED,
    PatronRecord,
    change_patron,
    close_account,
    replace_card,
    save_patron,
    set_pin,
    sign_in,
)
from interlend.circulation.services.requests import (
    Requested,
    RequestWish,
    cancel_request,
    find_request,
    first_copy,
    request_item,
)
from interlend.circulation.services.temporary import (
    change_temporary_item,
    create_temporary_item,
    remove_temporary_item,
)

__all__ = [
    "CLOSED", "AcceptRequest", "Accepted", "Charge", "CheckedIn", "CheckedOut", "HoldChange", "ItemRecord",
    "LendRequest", "Lent", "PatronRecord", "Prompt", "RequestWish", "Requested", "TakenBack",
    "accept_temporary_item", "cancel_hold", "cancel_recall", "cancel_request", "change_due_date", "change_item",
    "change_patron", "change_temporary_item", "charge", "check_in", "check_out", "close_account",
    "create_temporary_item", "delete_item", "edit_hold", "find_request", "first_copy", "lend", "lenders_date",
    "lenders_recall", "lenders_recall_cancelled", "mark_missing", "place_hold", "recall", "remove_temporary_item",
    "renew", "replace_card", "request_item", "restore_item", "save_item", "save_patron", "set_pin", "sign_in",
    "take_back", "take_back_piece", "take_back_request", "undo_check_out", "why_not_changed",
]  # fmt: skip
