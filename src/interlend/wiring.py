"""The switchboard: which adapters serve whom, who hears what, and who runs which errand. Read at a glance.

The lower storeys find this module by the name in `settings.INTERLEND_WIRING`; they never import it.
"""

from __future__ import annotations

from datetime import datetime

from interlend.bridge import errands, hosts
from interlend.bridge.host_by_hand import HostByHand
from interlend.bridge.host_in_process import HostInProcess
from interlend.bridge.models import HostSettings
from interlend.bridge.partner_in_process import PartnerInProcess
from interlend.circulation import facts as circulation
from interlend.libraries.desks import Desk
from interlend.libraries.models import Library
from interlend.notices import hearers as notices
from interlend.outbox.services import Handler
from interlend.sharing.host import HostCirculation
from interlend.sharing.partner import PartnerLink

#: event kind -> the errands it brings
HEARERS: dict[str, tuple[str, ...]] = {
    circulation.TEMPORARY_ITEM_RETURNED: ("sharing.at_desk",),
    circulation.LENT_ITEM_RETURNED: ("sharing.at_desk",),
    circulation.HOLD_READY: ("notices.hold_ready",),
}

#: errand verb -> its handler
ERRANDS: dict[str, Handler] = {
    "host.accept_item": errands.accept_item,
    "host.check_out_item": errands.check_out_item,
    "host.check_in_item": errands.check_in_item,
    "partner.request": errands.tell_partner,
    "partner.will_supply": errands.tell_partner,
    "partner.unfilled": errands.tell_partner,
    "partner.shipped": errands.tell_partner,
    "partner.received": errands.tell_partner,
    "partner.shipped_return": errands.tell_partner,
    "partner.completed": errands.tell_partner,
    "partner.cancel": errands.tell_partner,
    "partner.cancelled": errands.tell_partner,
    "partner.cancel_refused": errands.tell_partner,
    "partner.copy_sent": errands.tell_partner,
    "sharing.at_desk": errands.relay_desk_return,
    "notices.hold_ready": notices.hold_ready,
}


def host_for(desk: Desk, now: datetime, hurried: bool) -> HostCirculation:
    """The circulation system of the desk's library, by its settings; without any it is ours."""
    row = hosts.settings_of(desk.library_id)
    if row.kind == HostSettings.Kind.NCIP:
        return hosts.over_ncip(row, desk, now, hurried=hurried)
    if row.kind == HostSettings.Kind.BY_HAND:
        return HostByHand()
    return HostInProcess(desk, now)


def link_for(_library: Library, _partner_symbol: str, now: datetime) -> PartnerLink:
    """The road from a library to its partner: so far partners are members."""
    return PartnerInProcess(now)
