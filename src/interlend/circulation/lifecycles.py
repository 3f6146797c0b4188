"""The three tables of the house: item, hold, loan. No Django; a move that is not here does not exist.

Item states are WorldShare's staff words (circulation.md 5). *Overdue* is not a state but a question of time.
"""

from __future__ import annotations

from interlend.lifecycle import Lifecycle, Move

# item
RECENTLY_RECEIVED, AVAILABLE, UNAVAILABLE = "recently_received", "available", "unavailable"
IN_TRANSIT, DISPATCHED, ON_HOLD, ON_LOAN = "in_transit", "dispatched", "on_hold", "on_loan"
MISSING, WITHDRAWN = "missing", "withdrawn"

#: in these a scan may send an item anywhere
_SCANNED = (RECENTLY_RECEIVED, AVAILABLE, UNAVAILABLE, IN_TRANSIT, DISPATCHED, ON_HOLD, ON_LOAN, MISSING)

_ON_THE_WAY = (IN_TRANSIT, DISPATCHED)
_SEEN = (AVAILABLE, UNAVAILABLE, IN_TRANSIT, DISPATCHED, ON_HOLD)

ITEM = Lifecycle(
    name="item",
    initial=(AVAILABLE, RECENTLY_RECEIVED),
    final=(WITHDRAWN,),
    moves=(
        *(Move(state, "desk.trap", ON_HOLD) for state in _SCANNED),
        *(Move(state, "desk.shelve", AVAILABLE) for state in _SCANNED),
        *(Move(state, "desk.put_away", UNAVAILABLE) for state in _SCANNED),
        # the second scan short of the destination says that it has left: dispatched
        *(Move(state, "desk.route", DISPATCHED if state in _ON_THE_WAY else IN_TRANSIT) for state in _SCANNED),
        *(Move(state, "desk.check_out", ON_LOAN) for state in _SCANNED if state != ON_LOAN),
        *(Move(state, "host.check_out", ON_LOAN) for state in _SCANNED if state != ON_LOAN),
        *(Move(state, "host.shelve", AVAILABLE) for state in _SCANNED),
        *(Move(state, "host.put_away", UNAVAILABLE) for state in _SCANNED),
        *(Move(state, "host.route", IN_TRANSIT) for state in _SCANNED),
        *(Move(state, "staff.mark_missing", MISSING) for state in _SEEN),
        *(Move(state, "staff.delete", WITHDRAWN) for state in (AVAILABLE, UNAVAILABLE, RECENTLY_RECEIVED, MISSING)),
        *(Move(state, "host.delete", WITHDRAWN) for state in (AVAILABLE, UNAVAILABLE, RECENTLY_RECEIVED, MISSING)),
        Move(WITHDRAWN, "staff.restore", UNAVAILABLE),
    ),
)  # fmt: skip

# hold
PENDING, READY, FULFILLED, CANCELLED, EXPIRED = "pending", "ready", "fulfilled", "cancelled", "expired"
HOLD_IN_TRANSIT = "in_transit"
OPEN_HOLD = (PENDING, HOLD_IN_TRANSIT, READY)

HOLD = Lifecycle(
    name="hold",
    initial=(PENDING,),
    final=(FULFILLED, CANCELLED, EXPIRED),
    moves=(
        *(Move(state, "desk.trap", READY) for state in OPEN_HOLD),
        *(Move(state, "desk.route", HOLD_IN_TRANSIT) for state in OPEN_HOLD),
        *(Move(state, "desk.check_out", FULFILLED) for state in OPEN_HOLD),
        *(Move(state, "host.check_out", FULFILLED) for state in OPEN_HOLD),
        Move(FULFILLED, "host.undo", PENDING),  # the check-out that fulfilled it never was
        *(Move(state, "host.release", PENDING) for state in (HOLD_IN_TRANSIT, READY)),
        *(Move(state, "host.end", CANCELLED) for state in OPEN_HOLD),
        *(Move(state, "staff.cancel", CANCELLED) for state in OPEN_HOLD),
        *(Move(state, "patron.cancel", CANCELLED) for state in OPEN_HOLD),
        Move(PENDING, "clock.expire", EXPIRED),
        Move(READY, "clock.expire", EXPIRED),
    ),
)

# loan
OUT, RETURNED, UNDONE = "out", "returned", "undone"

LOAN = Lifecycle(
    name="loan",
    initial=(OUT,),
    final=(RETURNED, UNDONE),
    moves=(
        Move(OUT, "desk.check_in", RETURNED),
        Move(OUT, "host.check_in", RETURNED),
        Move(OUT, "staff.renew", OUT),
        Move(OUT, "patron.renew", OUT),
        Move(OUT, "host.renew", OUT),
        Move(OUT, "host.recall", OUT),
        Move(OUT, "host.cancel_recall", OUT),
        Move(OUT, "host.undo", UNDONE),
        Move(OUT, "staff.change_due_date", OUT),
    ),
)
