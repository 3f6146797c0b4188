"""The life of an errand: a debt to one party about one subject. Its states are shown to staff as they are."""

from __future__ import annotations

from interlend.lifecycle import Lifecycle, Move

WAITING, RUNNING, DONE, FAILED, UNKNOWN = "waiting", "running", "done", "failed", "unknown"
BY_HAND, SKIPPED = "done_by_hand", "skipped"

_STAFF_SETTLES = tuple(
    Move(state, trigger, becomes)
    for state in (WAITING, FAILED, UNKNOWN)
    for trigger, becomes in (("staff.done_by_hand", BY_HAND), ("staff.skip", SKIPPED))
)

ERRAND = Lifecycle(
    name="errand",
    initial=(WAITING,),
    final=(DONE, BY_HAND, SKIPPED),
    moves=(
        Move(WAITING, "worker.claim", RUNNING),
        Move(UNKNOWN, "worker.claim", RUNNING),
        Move(RUNNING, "worker.claim", RUNNING),  # the lease of a worker that died has run out
        Move(RUNNING, "handler.done", DONE),
        Move(RUNNING, "handler.passing_trouble", WAITING),
        Move(RUNNING, "handler.lasting_trouble", FAILED),
        Move(RUNNING, "handler.no_answer", UNKNOWN),
        Move(FAILED, "staff.try_again", WAITING),
        Move(UNKNOWN, "staff.try_again", WAITING),
        Move(WAITING, "staff.try_again", WAITING),
        *_STAFF_SETTLES,
    ),
)
