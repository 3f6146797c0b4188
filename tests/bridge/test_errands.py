"""What becomes of a step when somebody else's circulation fails: nothing is lost, nothing is done twice.

The host is the stand-in system on a real port; it is naive: told twice, it does it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from interlend.bridge.models import Exchange, HostSettings
from interlend.bridge.simulated_host import SimulatedHost
from interlend.libraries.models import Library
from interlend.outbox.models import Errand
from interlend.outbox.services import LEASE, run_due, settle_by_staff
from interlend.sharing import services as sharing
from interlend.sharing.models import IllRequest
from tests.make import NOW, make_consortium, make_desk, make_ill, make_item, make_patron

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedHost]:
    monkeypatch.setattr("interlend.bridge.host_over_ncip.HURRIED", 0.4)
    monkeypatch.setattr("interlend.bridge.host_over_ncip.PATIENT", 1.0)
    with SimulatedHost() as simulated:
        simulated.store.add(["P1", "INST-ALD"], ["B1"])
        yield simulated


class Story:
    """Brook has shipped B1 to Alder for P1; one of the two, or both, has the stand-in as its circulation."""

    def __init__(self, telling: Callable[[], Any], host: SimulatedHost) -> None:
        self.telling, self.host = telling, host
        self.alder, self.brook = make_consortium()
        self.patron = make_patron(self.alder, "P1")
        make_item(self.brook, "B1")

    def reached_over_ncip(self, library: Library, dialect: str = "generic", url: str = "") -> HostSettings:
        return HostSettings.objects.create(
            library=library, kind="ncip", name=f"{library.symbol}'s system", url=url or self.host.url, dialect=dialect,
            from_agency="INTERLEND", to_agency=library.symbol,
        )  # fmt: skip

    def ask(self, title: str = "Friendly fire") -> IllRequest:
        with self.telling():
            ours = make_ill(self.alder, self.patron, title=title)
        return ours

    def ship(self, ours: IllRequest, barcode: str = "B1") -> Errand:
        theirs = IllRequest.objects.get(library=self.brook, number=ours.number)
        with self.telling():
            sharing.ship(make_desk(self.brook), theirs.pk, [barcode], due=date(2027, 5, 3), now=NOW)
        return Errand.objects.get(verb="host.check_out_item", request=ours.number)

    def receive(self, ours: IllRequest, now: datetime = NOW) -> Errand:
        with self.telling():
            sharing.receive(make_desk(self.alder), ours.pk, now=now)
        return Errand.objects.get(verb="host.accept_item", request=ours.number)

    def later(self, errand: Errand, **by: float) -> Errand:
        """What the worker has made of it some time later."""
        run_due(NOW + timedelta(**(by or {"minutes": 1})))
        errand.refresh_from_db()
        return errand


@pytest.fixture
def story(telling: Callable[[], Any], host: SimulatedHost) -> Story:
    return Story(telling, host)


def piece(host: SimulatedHost) -> list[tuple[str, str]]:
    return [(item.barcode, item.request) for item in host.store.items.values() if item.temporary]


# --- silence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["timeout-after-doing", "drop-after-doing", "wrong-answer", "cut"])
def test_done_but_unanswered_is_unknown_then_found_and_not_repeated(
    story: Story, host: SimulatedHost, how: str
) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave(how, service="AcceptItem", seconds=5, times=1)
    errand = story.receive(ours)
    assert (errand.state, errand.code) == ("unknown", "no_answer")
    assert "looked up before anything is repeated" in errand.sentence
    assert piece(host) == [("B1-2", ours.number)] or piece(host) == [(errand_item(ours), ours.number)]
    assert story.later(errand).state == "done"
    assert host.counts.messages["AcceptItem"] == 1
    assert host.counts.messages["LookupItem"] == 1
    assert (len(piece(host)), len(host.store.holds)) == (1, 1)


def errand_item(ours: IllRequest) -> str:
    return ours.pieces.get().barcode


@pytest.mark.parametrize("how", ["timeout-before-doing", "drop", "http-500", "garbage"])
def test_not_done_is_looked_up_and_done(story: Story, host: SimulatedHost, how: str) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.store.items.clear()
    host.misbehave(how, service="AcceptItem", seconds=5, times=1)
    errand = story.receive(ours)
    assert errand.state == "unknown"
    assert not piece(host)
    assert story.later(errand).state == "done"
    assert [*host.counts.messages.items()] == [("AcceptItem", 2), ("LookupItem", 1)]
    assert (piece(host), len(host.store.holds)) == ([("B1", ours.number)], 1)
