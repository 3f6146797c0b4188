"""Every adapter that claims to be a `HostCirculation`, each in front of the same library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest

from interlend.bridge.host_in_process import HostInProcess
from interlend.circulation.models import Item, Patron
from interlend.libraries.desks import Desk
from interlend.libraries.models import Library
from interlend.sharing.host import HostCirculation
from tests.make import NOW, make_account, make_desk, make_item, make_library, make_patron


@dataclass
class World:
    """Alder's circulation with one patron, one book, and Brook's institution account; and a host that reaches it."""

    library: Library
    patron: Patron
    item: Item
    desk: Desk
    host: HostCirculation


HOSTS: dict[str, Callable[[Desk, datetime], HostCirculation]] = {"in process": HostInProcess}


@pytest.fixture(params=HOSTS)
def world(request: pytest.FixtureRequest, db: None) -> World:
    alder = make_library()
    make_account(alder, make_library("BRK", "Brook Public Library"))
    desk = make_desk(alder)
    host = HOSTS[request.param](desk, NOW)
    return World(alder, make_patron(alder, "P1"), make_item(alder, "A1"), desk, host)
