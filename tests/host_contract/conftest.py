"""Every adapter that claims to be a `HostCirculation`, each in front of the same library.

Over NCIP the library is reached at our own responder, by real HTTP, in the manner of several vendors: client and server
prove each other. What a dialect cannot say is left out by name, never passed over in silence.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from interlend.api.ncip_tcp import Listener
from interlend.bridge.dialects import DIALECTS, Dialect
from interlend.bridge.host_in_process import HostInProcess
from interlend.bridge.host_over_ncip import HostOverNcip, Peer
from interlend.bridge.models import NcipCaller
from interlend.bridge.transport import Line
from interlend.circulation.models import Item, Patron
from interlend.libraries.desks import Desk
from interlend.libraries.models import Library
from interlend.sharing.host import HostCirculation
from tests.make import NOW, make_account, make_desk, make_item, make_library, make_patron

IN_PROCESS = "in process"
OVER_NCIP = ("interlend", "generic", "generic-1", "generic-1 by tcp", "wms", "koha")


@dataclass
class World:
    """Alder's circulation with one patron, one book, and Brook's institution account; and a host that reaches it."""

    library: Library
    patron: Patron
    item: Item
    desk: Desk
    host: HostCirculation
    dialect: Dialect | None

    def can(self, what: str) -> bool:
        """Whether the road to the host has room for something; the road in process has room for all."""
        return self.dialect is None or bool(getattr(self.dialect, what))

    def needs(self, what: str) -> None:
        """Skip what the dialect cannot say."""
        if not self.can(what):
            pytest.skip(f"the dialect {self.dialect.key if self.dialect else ''} has no {what}")


def over_ncip(url: str, dialect: Dialect, desk: Desk, **more: Any) -> HostOverNcip:
    peer = Peer("Alder's system", Line(url), dialect, from_agency="SHARING", to_agency="ALD")
    return HostOverNcip(peer, desk, NOW, **more)


@pytest.fixture(
    params=[
        pytest.param(IN_PROCESS, marks=pytest.mark.django_db),
        *(pytest.param(key, marks=pytest.mark.django_db(transaction=True)) for key in OVER_NCIP),
    ]
)
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(request, monkeypatch, request.param)


def make_world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, road: str) -> World:
    request.getfixturevalue("db")
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    alder = make_library()
    make_account(alder, make_library("BRK", "Brook Public Library"))
    desk, patron, item = make_desk(alder), make_patron(alder, "P1"), make_item(alder, "A1")
    if road == IN_PROCESS:
        return World(alder, patron, item, desk, HostInProcess(desk, NOW), None)
    NcipCaller.objects.create(library=alder, name="Sharing", from_agencies=["SHARING", "ALD"])
    key, _, line = road.partition(" by ")
    url = request.getfixturevalue("tcp_door") if line == "tcp" else f"{request.getfixturevalue('live_server').url}/ncip"
    return World(alder, patron, item, desk, over_ncip(url, DIALECTS[key], desk), DIALECTS[key])


@pytest.fixture
def tcp_door() -> Iterator[str]:
    """Our responder on a bare line, as `interlend serve --ncip-tcp` opens it."""
    listener = Listener(socket.create_server(("127.0.0.1", 0)))
    thread = listener.start()
    yield f"tcp://127.0.0.1:{listener._listening.getsockname()[1]}"
    listener.stop()
    thread.join(10)
