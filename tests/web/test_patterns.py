"""Trouble with another system, as pages tell it: what failures share, what was said, a silent host."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from interlend.bridge import exchanges
from interlend.bridge.models import HostSettings
from interlend.circulation.models import Patron
from interlend.libraries.models import Library
from interlend.outbox.models import Errand
from interlend.sharing import services as sharing
from interlend.sharing.models import IllRequest, Partner
from tests.make import NOW, make_account, make_consortium, make_desk, make_ill, make_item, make_library, make_patron
from tests.make import make_staff as make_member

pytestmark = pytest.mark.django_db


def lend(ours: Library, borrower: Library, telling: Any, count: int, title: str = "Orlando") -> list[IllRequest]:
    """`borrower` asks `count` times, `ours` ships each."""
    lent = []
    for _n in range(count):
        with telling():
            ill = make_ill(borrower, make_patron(borrower), lender=ours.symbol, title=title)
        mine = IllRequest.objects.get(library=ours, number=ill.number, side="lending")
        with telling():
            sharing.ship(make_desk(ours), mine.pk, [make_item(ours).barcode], NOW)
        lent.append(mine)
    return lent


@pytest.fixture
def world(clock: Any) -> tuple[Library, Library, Library]:
    """Alder, which lends; Brook, whose account with Alder is blocked; Cedar, whose account is in order."""
    alder, brook = make_consortium()
    cedar = make_library("CED", "Cedar College")
    make_account(alder, cedar)
    make_account(cedar, alder)
    Patron.objects.filter(library=alder, barcode="INST-BRK").update(blocked_since=NOW.date(), block_reason="overdue")
    return alder, brook, cedar


def attention(client: Any, words_of: Any) -> str:
    return str(words_of(client.get(reverse("needs_attention")), "//main"))


def test_one_partners_account_is_named_above_its_group(world: Any, telling: Any, client_of: Any, words_of: Any) -> None:
    alder, brook, cedar = world
    failed = lend(alder, brook, telling, 2)
    lend(alder, cedar, telling, 1)
    client = client_of(make_member(alder, "ill"))
    said = (
        "The same on all 2 requests from Brook Public Library since 09:12, and on no other: look at its institution "
        "account (INST-BRK)."
    )
    partner = Partner.objects.get(library=alder, symbol="BRK")
    assert said in attention(client, words_of)
    card = client.get(reverse("ill_request", args=[failed[0].pk]))
    assert said in words_of(card, "//main")
    assert reverse("partner", args=[partner.pk]) in card.content.decode()


def test_a_success_since_takes_it_back(world: Any, telling: Any, client_of: Any, words_of: Any) -> None:
    alder, brook, _ = world
    lend(alder, brook, telling, 2)
    Patron.objects.filter(library=alder, barcode="INST-BRK").update(blocked_since=None)
    lend(alder, brook, telling, 1)
    assert "The same on" not in attention(client_of(make_member(alder, "ill")), words_of)


def test_one_of_many_says_that_others_went_well(world: Any, telling: Any, client_of: Any, words_of: Any) -> None:
    alder, brook, cedar = world
    lend(alder, brook, telling, 1)
    lend(alder, cedar, telling, 1)
    assert "Only on this request: the same step went well for others since." in attention(
        client_of(make_member(alder, "ill")), words_of
    )


def break_the_line(alder: Library) -> None:
    """As if Alder's circulation were another system that refuses everything."""
    HostSettings.objects.create(
        library=alder, kind="ncip", name="Alder's Koha", url="http://127.0.0.1:1/", to_agency="A"
    )
    Errand.objects.filter(library=alder, party="host").update(
        state="failed", code="connection_settings", sentence="Alder's Koha does not accept messages from us."
    )


def test_on_every_request_leads_to_the_connection(world: Any, telling: Any, client_of: Any, words_of: Any) -> None:
    alder, brook, cedar = world
    lend(alder, brook, telling, 1)
    lend(alder, cedar, telling, 1)
    break_the_line(alder)
    said = "The same on every request since 09:12: look at the connection settings."
    admin = client_of(make_member(alder, "admin"))
    assert f"{said} Open the connection settings" in attention(admin, words_of)
    assert (
        reverse("settings_list", args=["circulation-system"]) in admin.get(reverse("needs_attention")).content.decode()
    )
    assert f"{said} An administrator can open them." in attention(client_of(make_member(alder, "ill")), words_of)


def test_needs_attention_asks_the_same_however_many_failed(world: Any, telling: Any, client_of: Any) -> None:
    alder, brook, _ = world
    client = client_of(make_member(alder, "ill"))
    taken = []
    for _n in range(2):
        lent = lend(alder, brook, telling, 2)
        for url in (reverse("needs_attention"), reverse("ill_request", args=[lent[0].pk])):
            with CaptureQueriesContext(connection) as asked:
                assert client.get(url).status_code == 200
            taken.append(len(asked))
    assert taken[:2] == taken[2:]


# --- the messages of a request ------------------------------------------------------------------------------------


def test_what_was_said_stands_on_the_time_line(world: Any, telling: Any, client_of: Any, words_of: Any) -> None:
    alder, _, cedar = world
    ill = lend(alder, cedar, telling, 1)[0]
    for minute, outcome in enumerate(("no answer: koha.example hung up.", "Unknown Item", "ok")):
        about = exchanges.Kept(
            "out", alder.pk, "Alder's Koha", "CheckOutItem", ill.number, "B1", outcome, source="https://koha.example/"
        )
        exchanges.keep(about, b"<a/>", b"<b/>", NOW + timedelta(minutes=minute + 1), 12)
    page = client_of(make_member(alder, "viewer")).get(reverse("ill_request", args=[ill.pk]))
    line = words_of(page, "//ol")
    first, second, third = (line.index(word) for word in ("Went well", "Refused", "No answer"))
    assert first < second < third, "newest first"
    assert "Circulation CheckOutItem to Alder's Koha Went well today 09:15" in line
    assert page.content.decode().count('href="/exchanges/') == 3


# --- a host that is silent ----------------------------------------------------------------------------------------


def dots(client: Any, words_of: Any) -> str:
    """The health dots with what they say on hover."""
    page = client.get(reverse("borrowing"))
    return str(words_of(page, "//header") + words_of(page, "//header//@title"))


def test_a_paused_host_is_said_with_what_waits_and_by_itself_when_it_is_back(
    world: Any, telling: Any, client_of: Any, words_of: Any
) -> None:
    alder, _, cedar = world
    lend(alder, cedar, telling, 3)
    client = client_of(make_member(alder, "ill"))
    assert "Circulation" not in dots(client, words_of)
    host = HostSettings.objects.create(
        library=alder, kind="ncip", name="Alder's circulation", url="http://127.0.0.1:1/"
    )
    assert "Alder's circulation answers" in dots(client, words_of)
    Errand.objects.filter(library=alder, party="host").update(state="waiting", code="paused")
    silent = {"failures": 3, "failing_since": NOW - timedelta(minutes=2)}
    HostSettings.objects.filter(pk=host.pk).update(**silent, paused_until=NOW + timedelta(minutes=8))
    said = "Alder's circulation has not answered since 09:10; your work is safe, 3 steps wait."
    assert "Circulation: paused" in dots(client, words_of)
    assert said in dots(client, words_of)
    health = words_of(client.get(reverse("health")), "//main")
    assert f"{said} It is left alone until 09:20, then tried again by itself." in health
    HostSettings.objects.filter(pk=host.pk).update(paused_until=NOW - timedelta(seconds=1))
    assert "Circulation: no answer" in dots(client, words_of)
    HostSettings.objects.filter(pk=host.pk).update(failures=0, failing_since=None, paused_until=None, last_ok_at=NOW)
    assert "Alder's circulation answers" in dots(client, words_of)
    assert "last answer today 09:12" in words_of(client.get(reverse("health")), "//main")


def test_another_librarys_host_is_not_told(world: Any, client_of: Any, words_of: Any) -> None:
    alder, brook, _ = world
    HostSettings.objects.create(library=alder, kind="ncip", name="Alder's circulation", failing_since=NOW)
    assert "Alder's circulation" not in dots(client_of(make_member(brook, "admin")), words_of)
