"""The verbs of the house, its only writers, by noun: desk, holds, ill (what sharing drives), items, patrons.

Each takes the `Desk` that acts and the time `now`, fetches facts, asks a pure policy, and writes state, events and
errands in one transaction. A rule that says no raises `Refused` and changes nothing.
"""

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
)
from interlend.circulation.services.items import ItemRecord, delete_item, mark_missing, restore_item, save_item
from interlend.circulation.services.patrons import PatronRecord, save_patron, set_pin, sign_in

__all__ = [
    "AcceptRequest", "Accepted", "CheckedIn", "CheckedOut", "HoldChange", "ItemRecord", "LendRequest", "Lent",
    "PatronRecord", "Prompt", "TakenBack",
    "accept_temporary_item", "cancel_hold", "change_due_date", "check_in", "check_out", "delete_item", "edit_hold",
    "lend", "mark_missing", "place_hold", "renew", "restore_item", "save_item", "save_patron", "set_pin", "sign_in",
    "take_back",
]  # fmt: skip
