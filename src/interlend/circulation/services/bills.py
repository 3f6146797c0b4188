"""A patron's account: what other systems charge, and what was paid. One row an entry, never changed.

Strategy: the key makes a repeated message one entry; where the sender gives no reference, request, item, kind and
amount together are the key. Circulation.md 11.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from interlend.circulation import facts
from interlend.circulation.errors import refuse
from interlend.circulation.models import Bill, Patron
from interlend.libraries.desks import Desk
from interlend.outbox.services import again_if_raced, written_down

#: actions that lower what is owed
LOWERING: Final = frozenset({"payment", "waive", "forgive", "write off", "cancel"})


@dataclass(frozen=True)
class Charge:
    """`amount` is in the currency's smallest unit and never below zero; `reference` is the sender's own, if any."""

    kind: str
    action: str
    amount: int
    currency: str
    request: str = ""
    item_barcode: str = ""
    note: str = ""
    reference: str = ""

    @property
    def signed(self) -> int:
        return -self.amount if self.action.casefold() in LOWERING else self.amount

    @property
    def key(self) -> str:
        parts = (self.action, self.kind, self.request, self.item_barcode, str(self.amount), self.currency)
        return (f"ref:{self.reference}" if self.reference else "|".join(parts))[:200]


def charge(desk: Desk, patron: Patron, wish: Charge, now: datetime) -> tuple[Bill, bool]:
    """Put an entry on the account; the second value says whether it was there already.

    Without reference, request and item nothing tells a repeat from a second fee, so each message is an entry.
    """
    if wish.amount < 0 or len(wish.currency) != 3:
        raise refuse("bad_amount", amount=f"{wish.amount} {wish.currency}")
    anonymous = not (wish.reference or wish.request or wish.item_barcode)
    key = f"{wish.key}|{now.isoformat()}"[:200] if anonymous else wish.key
    return again_if_raced(lambda: _charge(desk, patron, wish, key, now))


def _charge(desk: Desk, patron: Patron, wish: Charge, key: str, now: datetime) -> tuple[Bill, bool]:
    found = Bill.objects.filter(patron=patron, key=key).first()
    if found is not None:
        return found, True
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        bill = Bill.objects.create(
            library_id=desk.library_id, patron=patron, kind=wish.kind[:80], action=wish.action[:40],
            amount=wish.signed, currency=wish.currency, note=wish.note[:300], request=wish.request[:60],
            item_barcode=wish.item_barcode[:60], made_at=now, made_by=desk.actor, key=key,
        )  # fmt: skip
        entries.record(
            facts.BILLED, patron=patron.pk, request=wish.request[:60], what=wish.kind or "Charge",
            amount=f"{wish.signed / 100:.2f} {wish.currency}", bill=bill.pk,
        )  # fmt: skip
    return bill, False
