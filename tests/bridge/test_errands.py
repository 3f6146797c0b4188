"""What becomes of a step when somebody else's circulation fails: nothing is lost, nothing is done twice.

The host is the stand-in system on a real port; it is naive: told twice, it does it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from interlend.bridge.hosts import host_of
from interlend.bridge.models import Exchange, HostSettings, NcipCaller
from interlend.bridge.simulated_host import SimulatedHost
from interlend.circulation.models import Loan
from interlend.libraries.models import Library
from interlend.outbox.models import Errand
from interlend.outbox.services import LEASE, run_due, settle_by_staff
from interlend.sharing import services as sharing
from interlend.sharing.host import HostProblem, HostUnknown, LookupUser
from interlend.sharing.models import IllRequest, Partner
from tests.conftest import wait_until
from tests.make import NOW, make_account, make_consortium, make_desk, make_ill, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedHost]:
    monkeypatch.setattr("interlend.bridge.host_over_ncip.HURRIED", 0.4)
    monkeypatch.setattr("interlend.bridge.host_over_ncip.PATIENT", 1.0)
    with SimulatedHost() as simulated:
        simulated.store.add(["P1", "INST-ALD"])
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
            return make_ill(self.alder, self.patron, title=title)

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
    assert errand.sentence.startswith("ALD's system: ")
    errand = story.later(errand)
    assert errand.state == "done"
    assert errand.result["found"] == "There had been no answer; it was looked up, and it had been done."
    assert [*host.counts.messages.items()] == [("AcceptItem", 1), ("LookupItem", 1)]
    assert (piece(host), len(host.store.holds)) == ([("B1", ours.number)], 1)


def test_done_under_another_barcode_is_found_by_the_request_number(story: Story, host: SimulatedHost) -> None:
    host.store.add(items=["B1"])  # a book of Alder's own, so that the host gives the piece another barcode
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave("drop-after-doing", service="AcceptItem", times=1)
    errand = story.later(story.receive(ours))
    assert (errand.state, errand.result["item"]) == ("done", "B1-2")
    assert piece(host) == [("B1-2", ours.number)]
    assert ours.pieces.get().barcode == "B1-2"


@pytest.mark.parametrize("how", ["timeout-before-doing", "drop", "http-500", "garbage"])
def test_not_done_is_looked_up_and_done(story: Story, host: SimulatedHost, how: str) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave(how, service="AcceptItem", seconds=5, times=1)
    errand = story.receive(ours)
    assert errand.state == "unknown"
    assert not piece(host)
    errand = story.later(errand)
    assert errand.state == "done"
    assert errand.result["found"] == (
        "There had been no answer; nothing showed that it had been done, so it was done now."
    )
    assert [*host.counts.messages.items()] == [("AcceptItem", 2), ("LookupItem", 2)]
    assert (piece(host), len(host.store.holds)) == ([("B1", ours.number)], 1)


def test_what_is_done_late_is_waited_for_and_not_done_again(story: Story, host: SimulatedHost) -> None:
    """The host is still at it when it is first asked whether it has done it: that says nothing yet."""
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave("slow", service="AcceptItem", seconds=2.0, times=1)
    errand = story.receive(ours)
    assert errand.state == "unknown"
    errand = story.later(errand, seconds=20)
    assert (errand.state, piece(host)) == ("unknown", [])
    assert errand.sentence == "There was no answer, and it is not done yet; it may still be worked on."
    wait_until(lambda: piece(host), 5, "the late work")
    errand = story.later(errand, minutes=2)
    assert (errand.state, len(piece(host)), host.counts.messages["AcceptItem"]) == ("done", 1, 1)


def test_a_lent_item_is_not_lent_twice(story: Story, host: SimulatedHost) -> None:
    host.store.add(items=["B1"])
    story.reached_over_ncip(story.brook)
    host.misbehave("timeout-after-doing", service="CheckOutItem", seconds=5, times=1)
    errand = story.ship(story.ask())
    assert errand.state == "unknown"
    errand = story.later(errand)
    assert (errand.state, errand.result["due"]) == ("done", "2027-05-03")
    assert [*host.counts.messages.items()] == [("CheckOutItem", 1), ("LookupItem", 1)]
    assert IllRequest.objects.get(library=story.alder).due == date(2027, 5, 3)


def test_on_loan_to_somebody_else_is_no_success(story: Story, host: SimulatedHost) -> None:
    host.store.add(items=["B1"])
    host.store.items["B1"].borrower = "P1"
    story.reached_over_ncip(story.brook)
    host.misbehave("drop", service="CheckOutItem", times=1)
    errand = story.later(story.ship(story.ask()))
    assert (errand.state, errand.code) == ("failed", "not_lendable")
    assert "does not lend the item B1 now" in errand.sentence


def test_pressing_try_again_does_not_skip_the_look(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave("drop-after-doing", service="AcceptItem", times=1)
    errand = story.receive(ours)
    with story.telling():
        settle_by_staff(errand, "staff.try_again", NOW, "R. Ito")
    errand.refresh_from_db()
    assert (errand.state, len(piece(host))) == ("done", 1)


def test_a_worker_that_died_while_asking_does_not_skip_the_look(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    errand = story.receive(ours)
    Errand.objects.filter(pk=errand.pk).update(state="running", lease_until=NOW + LEASE, settled_at=None)
    assert story.later(errand, minutes=1).state == "running"
    assert story.later(errand, minutes=3).state == "done"
    assert len(piece(host)) == 1


def test_what_cannot_be_looked_up_now_stays_unknown(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave("drop-after-doing", service="AcceptItem", times=1)
    errand = story.receive(ours)
    for how in ("busy", "http-503", "http-401"):
        host.misbehave(how, service="LookupItem", times=1)
        assert story.later(errand, hours=1).state == "unknown", how
        Errand.objects.update(due_at=NOW)
        HostSettings.objects.update(paused_until=None)
    assert story.later(errand).state == "done"
    assert (len(piece(host)), host.counts.messages["AcceptItem"]) == (1, 1)


@pytest.mark.parametrize("why", ["dialect", "peer"])
def test_where_nobody_can_be_asked_a_person_looks(story: Story, host: SimulatedHost, why: str) -> None:
    host.store.without = frozenset({"LookupItem", "LookupRequest", "lists"} if why == "peer" else {"lists"})
    story.reached_over_ncip(story.alder, "generic" if why == "peer" else "folio")
    ours = story.ask()
    story.ship(ours)
    host.misbehave("timeout-after-doing", service="AcceptItem", seconds=5, times=1)
    errand = story.later(story.receive(ours))
    assert (errand.state, errand.code) == ("failed", "look_by_hand")
    assert "look for B1 there" in errand.remedy
    assert (len(piece(host)), host.counts.messages["AcceptItem"]) == (1, 1)
    with story.telling():
        settle_by_staff(errand, "staff.done_by_hand", NOW, "R. Ito")
    errand.refresh_from_db()
    assert errand.state == "done_by_hand"


def test_where_nobody_can_be_asked_a_check_in_is_simply_repeated(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder, "folio")
    ours = story.ask()
    story.ship(ours)
    story.receive(ours)
    host.misbehave("timeout-after-doing", service="CheckInItem", seconds=5, times=1)
    with story.telling():
        sharing.return_(make_desk(story.alder), ours.pk, now=NOW)
    errand = story.later(Errand.objects.get(verb="host.check_in_item"))
    assert (errand.state, errand.result["already"]) == ("done", True)


# --- an institution without an account ------------------------------------------------------------------------------


def test_a_host_that_knows_institutions_by_symbol_needs_no_account(story: Story, host: SimulatedHost) -> None:
    host.store.add(["ALD"], ["B1"])
    story.reached_over_ncip(story.brook, "wms")
    Partner.objects.filter(library=story.brook).update(account="")
    host.misbehave("drop-after-doing", service="CheckOutItem", times=1)
    errand = story.ship(story.ask())
    assert errand.state == "unknown"
    host.store.items["B1"].borrower = ""
    with story.telling():
        settle_by_staff(story.later(errand), "staff.try_again", NOW, "R. Ito")
    errand.refresh_from_db()
    assert (errand.state, errand.result["due"]) == ("done", "2027-05-03")
    assert host.store.items["B1"].borrower == "ALD"
    kept = Exchange.objects.filter(service="CheckOutItem").latest("id")
    assert ">OCLC Institution Symbol</ns1:UserIdentifierType>" in kept.message
    assert "<ns1:UserIdentifierValue>ALD<" in kept.message


def test_our_own_circulation_finds_the_account_by_the_symbol(
    story: Story, live_server: Any, transactional_db: None
) -> None:
    """The borrower's account is known where Brook's circulation is, not where its sharing is."""
    cedar = make_library("CED", "Cedar's circulation, which serves Brook")
    make_account(cedar, story.alder)
    make_item(cedar, "B1")
    NcipCaller.objects.create(library=cedar, name="Sharing", from_agencies=["CED"])
    row = story.reached_over_ncip(story.brook, "wms", f"{live_server.url}/ncip")
    HostSettings.objects.filter(pk=row.pk).update(to_agency="CED")
    Partner.objects.filter(library=story.brook).update(account="")
    errand = story.ship(story.ask())
    assert errand.state == "done", errand.sentence
    loan = Loan.objects.get(library=cedar)
    assert (loan.item.barcode, loan.patron.barcode) == ("B1", "INST-ALD")


@pytest.mark.parametrize("dialect", ["generic", "koha", "polaris"])
def test_where_a_barcode_is_needed_its_lack_is_told_and_nothing_sent(
    story: Story, host: SimulatedHost, dialect: str
) -> None:
    story.reached_over_ncip(story.brook, dialect)
    Partner.objects.filter(library=story.brook).update(account="")
    errand = story.ship(story.ask())
    assert (errand.state, errand.code) == ("failed", "account_not_set")
    assert errand.sentence == "No institution account is set for Alder University."
    assert "under Partners" in errand.remedy
    assert not host.counts.messages


def test_by_hand_an_institution_has_a_name_at_least(story: Story) -> None:
    HostSettings.objects.create(library=story.brook, kind="by_hand")
    Partner.objects.filter(library=story.brook).update(account="")
    assert story.ship(story.ask()).sentence == "Check out B1 to Alder University, due 3 May 2027."


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_refusal_is_told_in_our_words_and_mended_by_trying_again(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave("refuse", problem="Unknown User")
    errand = story.receive(ours)
    assert (errand.state, errand.code) == ("failed", "unknown_patron")
    assert (
        errand.sentence
        == "ALD's system does not know the patron P1. (It says: Unknown User - The stand-in was told to refuse.)"
    )
    host.misbehave("good")
    with story.telling():
        settle_by_staff(errand, "staff.try_again", NOW, "R. Ito")
    errand.refresh_from_db()
    assert errand.state == "done"


def test_a_bare_problem_is_understood(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave("bare-problem", problem="Unknown Agency")
    errand = story.receive(ours)
    assert (errand.state, errand.code) == ("failed", "connection_settings")


def test_every_try_is_kept_as_an_exchange(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave("drop", service="AcceptItem", times=1)
    story.later(story.receive(ours))
    kept = list(
        Exchange.objects.order_by("id").values_list("direction", "service", "request", "item_barcode", "outcome")
    )
    assert [row[1] for row in kept] == ["AcceptItem", "LookupItem", "LookupItem", "AcceptItem"]
    assert {row[0] for row in kept} == {"out"}
    assert {row[2:4] for row in kept} == {(ours.number, "B1")}
    assert kept[0][4].startswith("no answer: 127.0.0.1")
    assert [row[4] for row in kept[1:]] == ["Unknown Item", "Unknown Item", "ok"]
    assert "<ns1:AcceptItem>" in Exchange.objects.last().message  # type: ignore[union-attr]


def test_a_question_without_an_answer_is_no_unknown_outcome(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder)
    host.misbehave("drop", service="LookupUser", times=1)
    asking = host_of(make_desk(story.alder), NOW, hurried=True)
    with pytest.raises(HostProblem) as no:
        asking.lookup_user(LookupUser("P1"))
    assert not isinstance(no.value, HostUnknown)
    assert no.value.sentence == "ALD's system: 127.0.0.1 ended the connection without an answer."
    assert asking.lookup_user(LookupUser("P1")).name == "Test, P."


# --- a host that is down --------------------------------------------------------------------------------------------


def test_a_host_that_is_down_is_left_alone_and_caught_up_with(
    story: Story, host: SimulatedHost, telling: Callable[[], Any]
) -> None:
    row = story.reached_over_ncip(story.alder)
    asked = [story.ask(f"Title {n}") for n in range(5)]
    for n, ours in enumerate(asked):
        make_item(story.brook, f"C{n}")
        story.ship(ours, f"C{n}")
    host.misbehave("http-503")
    before = host.counts.connections, sum(host.counts.messages.values())
    errands = [story.receive(ours) for ours in asked]
    assert {errand.state for errand in errands} == {"waiting"}
    assert [errand.code for errand in errands] == ["unreachable"] * 3 + ["paused"] * 2
    assert sum(host.counts.messages.values()) - before[1] == 3, "while it is paused nothing is sent"
    assert "your work is safe" in errands[-1].sentence
    assert "since 09:12" in errands[-1].sentence
    row.refresh_from_db()
    assert row.failures == 3
    assert row.paused_until == NOW + timedelta(seconds=30)

    connections = host.counts.connections
    run_due(NOW + timedelta(seconds=20))
    assert host.counts.connections == connections, "while it is paused no connection is made"
    run_due(NOW + timedelta(minutes=5))
    assert sum(host.counts.messages.values()) - before[1] == 4, "one tries, the others wait for what it finds"
    row.refresh_from_db()
    assert row.paused_until == NOW + timedelta(minutes=6)

    host.misbehave("good")
    back = NOW + timedelta(hours=2)
    Errand.objects.filter(pk__in=[errand.pk for errand in errands[1:]]).update(due_at=back + timedelta(hours=1))
    assert run_due(back) == 1
    assert run_due(back) == 4, "the first success calls the others, however far away their turn was"
    assert set(Errand.objects.filter(verb="host.accept_item").values_list("state", flat=True)) == {"done"}
    assert len(piece(host)) == 5
    row.refresh_from_db()
    assert (row.failures, row.paused_until, row.last_trouble) == (0, None, "")


def test_after_a_long_outage_it_is_asked_again_within_a_quarter_of_an_hour(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder)
    ours = story.ask()
    story.ship(ours)
    host.misbehave("http-503")
    errand = story.receive(ours)
    Errand.objects.filter(pk=errand.pk).update(tries=50)
    errand = story.later(errand, hours=9)
    assert (errand.state, errand.tries) == ("waiting", 51)
    assert errand.due_at == NOW + timedelta(hours=9, minutes=15)


def test_a_refusal_does_not_pause_a_host(story: Story, host: SimulatedHost) -> None:
    row = story.reached_over_ncip(story.alder)
    host.misbehave("refuse", problem="Unknown User")
    for n in range(4):
        make_item(story.brook, f"C{n}")
        ours = story.ask(f"Title {n}")
        story.ship(ours, f"C{n}")
        assert story.receive(ours).state == "failed"
    row.refresh_from_db()
    assert (row.failures, row.paused_until) == (0, None)


def test_a_person_waits_a_short_while_the_worker_a_long_one(story: Story, host: SimulatedHost) -> None:
    story.reached_over_ncip(story.alder, "interlend")
    ours = story.ask()
    story.ship(ours)
    host.misbehave("slow", service="AcceptItem", seconds=0.7)
    errand = story.receive(ours)
    assert errand.state == "unknown"
    host.store.clear()
    assert story.later(errand).state == "done", "0.7 s are too long for a person and short enough for the worker"


def test_by_hand_waits_for_a_person(story: Story) -> None:
    HostSettings.objects.create(library=story.alder, kind="by_hand")
    ours = story.ask()
    story.ship(ours)
    errand = story.receive(ours)
    assert (errand.state, errand.code) == ("failed", "by_hand")
    assert "Make a temporary item B1" in errand.sentence
