"""The life of a letter. *Unknown*: nobody knows whether the mail server took it; only a person may send it again."""

from __future__ import annotations

from interlend.lifecycle import Lifecycle, Move

WAITING, SENDING, SENT, FAILED, UNKNOWN = "waiting", "sending", "sent", "failed", "unknown"
NOT_SENT, TO_PRINT, PRINTED = "not_sent", "to_print", "printed"

LETTER = Lifecycle(
    name="letter",
    initial=(WAITING, TO_PRINT, NOT_SENT),
    final=(SENT, PRINTED, NOT_SENT),
    moves=(
        Move(WAITING, "worker.claim", SENDING),
        Move(SENDING, "mail.accepted", SENT),
        Move(SENDING, "mail.passing_trouble", WAITING),
        Move(SENDING, "mail.refused", FAILED),
        Move(SENDING, "mail.no_answer", UNKNOWN),
        Move(SENDING, "worker.outdated", NOT_SENT),
        Move(SENDING, "clock.lease_over", UNKNOWN),
        Move(FAILED, "staff.send_again", WAITING),
        Move(UNKNOWN, "staff.send_again", WAITING),
        Move(FAILED, "staff.print", PRINTED),
        Move(UNKNOWN, "staff.print", PRINTED),
        Move(TO_PRINT, "staff.print", PRINTED),
    ),
)
