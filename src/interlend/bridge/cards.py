"""A patron's new card, in both houses at once: the account in circulation, the patron of requests in sharing.

Strategy: one commit, so that no step towards circulation ever names a card that is gone. Where another system keeps
the patrons, requests name that system's cards, and ours say nothing about them.
"""

from __future__ import annotations

from datetime import datetime

from interlend.bridge.hosts import settings_of
from interlend.bridge.models import HostSettings
from interlend.circulation import services as circulation
from interlend.libraries.desks import Desk
from interlend.outbox.services import one_commit
from interlend.sharing import services as sharing


def replace_card(desk: Desk, patron_id: int, barcode: str, now: datetime) -> None:
    """Another barcode for one account and all its requests; refuses as circulation does, and changes nothing then."""
    with one_commit():
        before = circulation.replace_card(desk, patron_id, barcode, now)
        ours = settings_of(desk.library_id).kind == HostSettings.Kind.IN_PROCESS
        if ours and before != barcode.strip():
            sharing.follow_card(desk, before, barcode.strip(), now)
