"""What failures share, with real answers of another system behind them: one partner's account, one item, every request.

The stand-in system refuses; the pages are read as staff read them (sharing.md 3, error cards).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from interlend.bridge.models import HostSettings
from interlend.bridge.simulated_host import SimulatedHost
from interlend.libraries.models import Library
from interlend.outbox.models import Errand
from interlend.outbox.services import settle_by_staff
from interlend.sharing import services as sharing
from interlend.sharing.models import IllRequest, Partner, Piece
from tests.make import NOW, make_account, make_consortium, make_desk, make_ill, make_item, make_library, make_patron
from tests.make import make_staff as make_member

pytestmark = pytest.mark.django_db


class World:
    """Alder lends to Brook and Cedar; its circulation is the stand-in."""

    def __init__(self, host: SimulatedHost, telling: Any) -> None:
        self.host, self.telling = host, telling
        self.alder, self.brook = make_consortium()
        self.cedar = make_library("CED", "Cedar College")
        make_account(self.alder, self.cedar)
        make_account(self.cedar, self.alder)
        HostSettings.objects.create(
            library=self.alder, kind="ncip", name="Alder's Koha", url=host.url, from_agency="US", to_agency="ALD"
        )

    def lend(self, borrower: Library, barcode: str = "") -> Errand:
        """`borrower` asks, Alder ships; circulation is told."""
        with self.telling():
            ill = make_ill(borrower, make_patron(borrower), lender="ALD")
        mine = IllRequest.objects.get(library=self.alder, number=ill.number, side="lending")
        with self.telling():
            sharing.ship(make_desk(self.alder), mine.pk, [barcode or make_item(self.alder).barcode], NOW)
        return Errand.objects.get(library=self.alder, verb="host.check_out_item", request=ill.number)


@pytest.fixture
def world(clock: Any, telling: Any) -> Iterator[World]:
    with SimulatedHost() as host:
        host.store.anybody = True
        yield World(host, telling)


def both_pages(world: World, errand: Errand, client_of: Any, words_of: Any, role: str = "ill") -> list[Any]:
    client = client_of(make_member(world.alder, role))
    ill = IllRequest.objects.get(library=world.alder, number=errand.request)
    return [client.get(url) for url in (reverse("needs_attention"), reverse("ill_request", args=[ill.pk]))]


def test_one_partners_account(world: World, client_of: Any, words_of: Any) -> None:
    world.host.store.add(blocked=["INST-BRK"])
    failed = [world.lend(world.brook) for _ in range(3)]
    assert world.lend(world.cedar).state == "done"
    assert {errand.code for errand in failed} == {"patron_blocked"}
    brook = Partner.objects.get(library=world.alder, symbol="BRK")
    for page in both_pages(world, failed[0], client_of, words_of):
        said = words_of(page, "//main")
        assert "The same on all 3 requests from Brook Public Library since 09:12, and on no other: " in said
        assert "look at its institution account (INST-BRK)." in said
        assert "Alder's Koha: INST-BRK is blocked or may not borrow this." in said
        assert reverse("partner", args=[brook.pk]) in page.content.decode()


def test_one_item(world: World, client_of: Any, words_of: Any) -> None:
    world.host.store.add(items=["A7", "A8"])
    for barcode in ("A7", "A8"):
        world.host.store.items[barcode].borrower = "P9"
        make_item(world.alder, barcode)
    failed = [world.lend(world.brook, "A7"), world.lend(world.cedar, "A8")]
    Piece.objects.filter(barcode="A8").update(barcode="A7")  # as staff correct it, who had read the label wrongly
    with world.telling():
        settle_by_staff(failed[1], "staff.try_again", NOW, "R. Ito")
    assert world.lend(world.brook).state == "done"
    assert {errand.code for errand in failed} == {"not_lendable"}
    for page in both_pages(world, failed[0], client_of, words_of):
        said = words_of(page, "//main")
        assert "The same on this one item A7, 2 requests since 09:12: look at the item." in said


@pytest.mark.parametrize(
    ("how", "problem", "code"),
    [("refuse", "Unknown Agency", "connection_settings"), ("http-401", "", "connection_settings"),
     ("refuse", "Unknown Scheme", "not_understood")],
)  # fmt: skip
def test_every_request(world: World, client_of: Any, words_of: Any, how: str, problem: str, code: str) -> None:
    world.host.misbehave(how, problem=problem)
    failed = [world.lend(borrower) for borrower in (world.brook, world.cedar, world.brook)]
    assert {errand.code for errand in failed} == {code}
    url = reverse("settings_list", args=["circulation-system"])
    for page in both_pages(world, failed[0], client_of, words_of, "admin"):
        assert "The same on every request since 09:12: look at the connection settings." in words_of(page, "//main")
        assert url in page.content.decode()
    for page in both_pages(world, failed[0], client_of, words_of):
        assert "An administrator can open them." in words_of(page, "//main")


def test_silence_on_every_request(world: World, client_of: Any, words_of: Any) -> None:
    world.host.misbehave("drop", service="CheckOutItem")
    unknown = [world.lend(borrower) for borrower in (world.brook, world.cedar)]
    assert {errand.state for errand in unknown} == {"unknown"}
    for page in both_pages(world, unknown[0], client_of, words_of, "admin"):
        assert "The same on every request since 09:12: look at the connection settings." in words_of(page, "//main")


def test_only_this_request(world: World, client_of: Any, words_of: Any) -> None:
    world.host.store.add(items=["A7"])
    world.host.store.items["A7"].borrower = "P9"
    make_item(world.alder, "A7")
    failed = world.lend(world.brook, "A7")
    assert world.lend(world.cedar).state == "done"
    for page in both_pages(world, failed, client_of, words_of):
        assert "Only on this request: the same step went well for others since." in words_of(page, "//main")
