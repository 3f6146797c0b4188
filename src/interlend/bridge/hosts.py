"""Which circulation a library has, and which road leads to a partner: asked of the wiring by name."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module

from django.conf import settings

from interlend.libraries.desks import Desk
from interlend.libraries.models import Library
from interlend.sharing.host import HostCirculation
from interlend.sharing.partner import PartnerLink


def host_of(desk: Desk, now: datetime) -> HostCirculation:
    """The circulation of the desk's library, ready to act as that desk."""
    host: HostCirculation = import_module(settings.INTERLEND_WIRING).host_for(desk, now)
    return host


def link_to(library: Library, partner_symbol: str, now: datetime) -> PartnerLink:
    """The road from `library` to a partner."""
    link: PartnerLink = import_module(settings.INTERLEND_WIRING).link_for(library, partner_symbol, now)
    return link
