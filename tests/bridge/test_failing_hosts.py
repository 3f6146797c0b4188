"""Several libraries with a circulation each: one fails, the others do not notice; then it is caught up with.

The clock is injected; the hosts are stand-ins on real ports.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest

from interlend.bridge.hosts import host_of
from interlend.bridge.models import HostSettings
from interlend.bridge.simulated_circulation import SimulatedCirculation
from interlend.bridge.simulated_host import SimulatedHost
from interlend.libraries.models import Library
from interlend.outbox import services as outbox
from interlend.outbox.models import Errand
from interlend.outbox.services import LEASE, run, run_due
from interlend.sharing.host import HostProblem, LookupUser
from interlend.sharing.models import IllRequest, Piece
from tests.conftest import free_port
from tests.make import NOW, make_desk, make_library

pytestmark = pytest.mark.django_db


class Hosted:
    """A library, its stand-in circulation, and steps that wait for it."""

    def __init__(self, symbol: str, host: SimulatedHost, dialect: str = "generic") -> None:
        self.library = make_library(symbol, f"Library {symbol}")
        self.host = host
        self.row = HostSettings.objects.create(
            library=self.library, kind="ncip", name=f"{symbol}'s system", url=host.url, dialect=dialect,
            from_agency="US", to_agency=symbol,
        )  # fmt: skip

    def owe(self, number: int) -> Errand:
        """A piece that has come, not yet told to circulation."""
        name = f"{self.library.symbol}-{number}"
        ill = IllRequest.objects.create(
            library=self.library, side="borrowing", number=name, state="received", title=name, patron_barcode="P1",
            state_since=NOW, made_at=NOW,
        )  # fmt: skip
        piece = Piece.objects.create(request=ill, library=self.library, barcode=f"B-{name}")
        return Errand.objects.create(
            library=self.library, verb="host.accept_item", party="host", subject=name, key=name, request=name,
            payload={"ill": ill.pk, "piece": piece.pk}, due_at=NOW, made_at=NOW,
        )  # fmt: skip

    @property
    def states(self) -> list[str]:
        return list(Errand.objects.filter(library=self.library).order_by("id").values_list("state", flat=True))

    @property
    def asked(self) -> int:
        return sum(self.host.counts.messages.values())

    def paused_until(self) -> datetime | None:
        self.row.refresh_from_db()
        return self.row.paused_until


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Hosted]]:
    """Three libraries; Alder, the first, with three steps, whose host is about to fail."""
    monkeypatch.setattr("interlend.bridge.host_over_ncip.HURRIED", 0.3)
    monkeypatch.setattr("interlend.bridge.host_over_ncip.PATIENT", 0.3)
    with ExitStack() as ends:
        hosted = [
            Hosted(symbol, ends.enter_context(SimulatedHost(SimulatedCirculation(anybody=True))))
            for symbol in ("ALD", "BRK", "CED")
        ]
        yield hosted


def test_one_that_fails_delays_no_other(hosts: list[Hosted]) -> None:
    alder, brook, cedar = hosts
    for hosted in hosts:  # all of Alder's are older than any of the others'
        for number in range(4):
            hosted.owe(number)
    alder.host.misbehave("timeout-before-doing", seconds=2)
    order: list[str] = []
    for hosted in hosts:
        take = hosted.host.take
        hosted.host.take = lambda *a, take=take, name=hosted.library.symbol: (order.append(name), take(*a))  # type: ignore[method-assign, misc]
    assert run_due(NOW) == 12
    assert brook.states == cedar.states == ["done"] * 4
    assert order[:3] == ["ALD", "BRK", "CED"], "who waits for Alder's host has not kept the others waiting"
    assert alder.asked == 3, "then it is left alone"
    assert alder.states == ["unknown"] * 3 + ["waiting"]
    assert alder.paused_until() == NOW + timedelta(seconds=30)
    assert brook.paused_until() is cedar.paused_until() is None


def test_it_catches_up_by_itself_when_it_is_back(hosts: list[Hosted]) -> None:
    alder, brook, _ = hosts
    for number in range(12):
        alder.owe(number)
    alder.host.misbehave("http-503")
    run_due(NOW)
    assert (alder.asked, set(alder.states)) == (3, {"waiting"})
    at = NOW
    for asked, pause in ((4, 60), (5, 120), (6, 240), (7, 480), (8, 900), (9, 900)):
        until = alder.paused_until()
        assert until is not None
        run_due(until - timedelta(seconds=1))
        assert alder.asked == asked - 1, "not before its time"
        Errand.objects.filter(library=alder.library).update(due_at=until)
        at = until
        run_due(at)
        assert (alder.asked, alder.paused_until()) == (asked, at + timedelta(seconds=pause)), "one try, a longer pause"
    brook.owe(1)
    alder.host.misbehave("good")
    at += timedelta(minutes=15)
    for _ in range(3):
        run_due(at)
    assert alder.states == ["done"] * 12
    assert brook.states == ["done"]
    assert alder.paused_until() is None
    assert len([item for item in alder.host.store.items.values() if item.temporary]) == 12


def test_of_several_workers_one_tries_while_the_others_wait(hosts: list[Hosted]) -> None:
    alder = hosts[0]
    over = NOW - timedelta(seconds=1)
    HostSettings.objects.filter(pk=alder.row.pk).update(failures=5, failing_since=NOW, paused_until=over)
    desk = make_desk(alder.library)
    first, second = (host_of(desk, NOW, hurried=True) for _ in range(2))  # both have read that the pause is over
    inside: list[str] = []

    def another_asks_meanwhile(*_: object) -> None:
        with pytest.raises(HostProblem) as no:
            second.lookup_user(LookupUser("P1"))
        inside.append(no.value.code)

    first.host.keep = another_asks_meanwhile  # type: ignore[attr-defined]
    assert first.lookup_user(LookupUser("P1")).name
    assert (inside, alder.asked) == (["paused"], 1)
    assert alder.paused_until() is None
    third = host_of(desk, NOW, hurried=True)
    assert third.lookup_user(LookupUser("P1")).name


def test_what_was_not_asked_neither_closes_nor_opens_it(hosts: list[Hosted]) -> None:
    """A step that a person must look after, or a certificate that nobody trusts, says nothing of how the host is."""
    alder = hosts[0]
    over = NOW - timedelta(seconds=1)
    trouble = {"failures": 5, "failing_since": NOW, "paused_until": over, "last_ok_at": None}
    HostSettings.objects.filter(pk=alder.row.pk).update(**trouble, dialect="wms")
    errand = alder.owe(1)
    Errand.objects.filter(pk=errand.pk).update(state="unknown", code="no_answer")
    run_due(NOW)
    errand.refresh_from_db()
    assert (errand.state, errand.code, alder.asked) == ("failed", "look_by_hand", 0)
    alder.row.refresh_from_db()
    assert {name: getattr(alder.row, name) for name in trouble} == trouble
    url = alder.host.url.replace("http:", "https:")
    HostSettings.objects.filter(pk=alder.row.pk).update(url=url, dialect="generic")
    errand = alder.owe(2)
    run(errand, NOW)
    assert (errand.state, errand.code) == ("failed", "connection_settings")
    alder.row.refresh_from_db()
    assert {name: getattr(alder.row, name) for name in trouble} == trouble


def test_a_lease_begins_when_it_is_taken(hosts: list[Hosted], monkeypatch: pytest.MonkeyPatch) -> None:
    """Late in a long round a lease that counted from its beginning would end while the host is still waited for."""
    alder = hosts[0]
    errand = alder.owe(1)
    times = iter((0.0, 100.0))
    monkeypatch.setattr(outbox, "monotonic", lambda: next(times))
    leases: list[datetime] = []

    def note(*_: object) -> None:
        leases.append(Errand.objects.get(pk=errand.pk).lease_until)  # type: ignore[arg-type]

    monkeypatch.setattr("interlend.bridge.exchanges.keep", note)
    run_due(NOW)
    assert leases == [NOW + timedelta(seconds=100) + LEASE]


def test_a_machine_that_is_gone_costs_nobody_anything(hosts: list[Hosted]) -> None:
    alder, brook, _ = hosts
    HostSettings.objects.filter(pk=alder.row.pk).update(url=f"http://127.0.0.1:{free_port()}/ncip")
    for hosted in (alder, brook):
        for number in range(5):
            hosted.owe(number)
    run_due(NOW)
    assert brook.states == ["done"] * 5
    codes = list(Errand.objects.filter(library=alder.library).order_by("id").values_list("code", flat=True))
    assert codes == ["unreachable"] * 3 + ["paused"] * 2
    assert Library.objects.count() == 3
