"""What notices hear: a hold became ready, so a letter falls due. The handler of an errand, it may run twice."""

from __future__ import annotations

from datetime import datetime

from interlend.circulation.models import Hold
from interlend.circulation.queries import hold_policy
from interlend.notices.services import write_hold_pickup
from interlend.outbox.models import Errand


def hold_ready(errand: Errand, now: datetime) -> None:
    """B9: write the letter that goes at the top of the hour, or note why none goes."""
    holds = Hold.objects.select_related("patron", "library")
    hold = holds.get(library_id=errand.library_id, pk=errand.payload["data"]["hold"])
    write_hold_pickup(
        hold, key=f"hold_ready:{errand.payload['event']}", wanted=hold_policy(hold.library_id).pickup_notice, now=now
    )
