"""Events and errands: written in one transaction, told after it, in order, repeated without doubling."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from interlend import wiring
from interlend.libraries.models import Library
from interlend.lifecycle import NoSuchMove
from interlend.outbox.errors import NoAnswer, Trouble
from interlend.outbox.models import Errand, Event
from interlend.outbox.services import again_if_raced, one_commit, run, run_due, settle_by_staff, written_down
from tests.make import NOW, make_library

pytestmark = pytest.mark.django_db


class Told:
    """A handler that notes what it was told and may be made to fail."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.trouble: Exception | None = None

    def __call__(self, errand: Errand, now: datetime) -> dict[str, Any]:
        self.keys.append(errand.key)
        if self.trouble:
            raise self.trouble
        return {"at": now.isoformat()}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    handler = Told()
    monkeypatch.setitem(wiring.ERRANDS, "test.tell", handler)
    return handler


@pytest.fixture
def library() -> Library:
    return make_library()


def owe(library: Library, *keys: str, party: str = "host") -> None:
    with written_down(library.pk, NOW) as entries:
        for key in keys:
            entries.owe("test.tell", party=party, subject="ill:1", key=key)


def stumble(library: Library) -> None:
    with written_down(library.pk, NOW) as entries:
        entries.record("test.happened")
        entries.owe("test.tell", party="host", subject="ill:1", key="a")
        raise ZeroDivisionError


def test_nothing_is_told_of_what_was_not_written(library: Library, told: Told, telling: Callable[[], Any]) -> None:
    with telling(), pytest.raises(ZeroDivisionError):
        stumble(library)
    assert told.keys == []
    assert not Event.objects.exists()
    assert not Errand.objects.exists()


def test_the_first_try_comes_right_after_the_commit(library: Library, told: Told, telling: Callable[[], Any]) -> None:
    with telling():
        owe(library, "a", "b")
        assert told.keys == []
    assert told.keys == ["a", "b"]
    assert list(Errand.objects.values_list("state", flat=True)) == ["done", "done"]


def test_owing_the_same_twice_is_owing_it_once(library: Library, told: Told, telling: Callable[[], Any]) -> None:
    for _ in range(2):
        with telling():
            owe(library, "a")
    assert told.keys == ["a"]


def test_passing_trouble_is_tried_again_with_growing_pauses(library: Library, told: Told) -> None:
    owe(library, "a")
    told.trouble = Trouble("down", lasting=False)
    pauses, now = [], NOW
    for _ in range(3):
        run_due(now)
        errand = Errand.objects.get()
        pauses.append(errand.due_at - now)
        assert run_due(now) == 0, "not before its time"
        now = errand.due_at
    assert pauses == sorted(pauses)
    assert len(set(pauses)) == 3
    told.trouble = None
    run_due(now)
    assert Errand.objects.get().state == "done"


def test_lasting_trouble_waits_for_a_person(library: Library, told: Told, telling: Callable[[], Any]) -> None:
    owe(library, "a", "b")
    told.trouble = Trouble("the account is blocked", remedy="Desk: lift the block", code="blocked")
    run_due(NOW)
    run_due(NOW + timedelta(days=1))
    first, second = Errand.objects.order_by("id")
    assert (first.state, first.sentence, first.remedy) == ("failed", "the account is blocked", "Desk: lift the block")
    assert (second.state, second.tries) == ("waiting", 0), "a later errand does not overtake"
    told.trouble = None
    with telling():
        settle_by_staff(first, "staff.try_again", NOW, "R. Ito")
    assert told.keys == ["a", "a", "b"]


def test_another_party_does_not_wait(library: Library, told: Told) -> None:
    owe(library, "a")
    told.trouble = Trouble("no")
    run_due(NOW)
    told.trouble = None
    owe(library, "b", party="partner:BRK")
    run_due(NOW)
    assert Errand.objects.get(key="b").state == "done"


@pytest.mark.parametrize(("trigger", "state"), [("staff.skip", "skipped"), ("staff.done_by_hand", "done_by_hand")])
def test_staff_settle_a_failed_errand(
    library: Library, told: Told, telling: Callable[[], Any], trigger: str, state: str
) -> None:
    owe(library, "a", "b")
    told.trouble = Trouble("no")
    run_due(NOW)
    told.trouble = None
    with telling():
        settle_by_staff(Errand.objects.get(key="a"), trigger, NOW, "R. Ito")
    settled = Errand.objects.get(key="a")
    assert (settled.state, settled.settled_by) == (state, "R. Ito")
    assert Errand.objects.get(key="b").state == "done"
    with pytest.raises(NoSuchMove):
        settle_by_staff(settled, "staff.try_again", NOW, "R. Ito")


def test_no_answer_is_neither_done_nor_failed(library: Library, told: Told) -> None:
    owe(library, "a")
    told.trouble = NoAnswer("it did not answer within 5 s")
    run_due(NOW)
    assert Errand.objects.get().state == "unknown"


def test_a_bug_stops_one_errand_and_is_said(library: Library, told: Told, caplog: pytest.LogCaptureFixture) -> None:
    owe(library, "a")
    told.trouble = KeyError("oops")
    run_due(NOW)
    errand = Errand.objects.get()
    assert (errand.state, errand.code) == ("failed", "bug")
    assert "stumbled" in caplog.text


def test_a_claimed_errand_is_nobody_elses_until_its_lease_is_over(library: Library, told: Told) -> None:
    owe(library, "a")
    mine, theirs = Errand.objects.get(), Errand.objects.get()
    Errand.objects.filter(pk=mine.pk).update(state="running", lease_until=NOW + timedelta(minutes=2))
    assert not run(theirs, NOW)
    assert run(theirs, NOW + timedelta(minutes=3))
    assert told.keys == ["a"]


def test_two_workers_with_the_same_list_tell_once(library: Library, told: Told) -> None:
    owe(library, "a")
    one, other = Errand.objects.get(), Errand.objects.get()
    assert run(one, NOW)
    assert not run(other, NOW)
    assert told.keys == ["a"]


def test_what_waits_behind_a_failed_errand_never_crowds_out_what_can_run(library: Library, told: Told) -> None:
    owe(library, *(f"stuck{n}" for n in range(6)))
    told.trouble = Trouble("no")
    run_due(NOW, limit=3)
    told.trouble = None
    with written_down(library.pk, NOW) as entries:
        entries.owe("test.tell", party="host", subject="ill:2", key="free")
    assert run_due(NOW, limit=3) == 1
    assert Errand.objects.get(key="free").state == "done"


# --- one commit for several -------------------------------------------------------------------------------------


def happened(library: Library, kind: str = "test.happened") -> None:
    with written_down(library.pk, NOW) as entries:
        entries.record(kind)


def test_what_is_written_in_one_commit_costs_no_savepoint_each(library: Library) -> None:
    with one_commit(), CaptureQueriesContext(connection) as seen:
        happened(library)
        happened(library)
    assert [query["sql"].split()[0] for query in seen] == ["INSERT", "INSERT"]


def test_in_one_commit_the_first_failure_undoes_all(library: Library) -> None:
    def both() -> None:
        with one_commit():
            happened(library)
            stumble(library)

    with pytest.raises(ZeroDivisionError):
        both()
    assert not Event.objects.exists()
    happened(library)
    assert Event.objects.count() == 1


def test_a_race_is_looked_at_again_but_in_one_commit_by_whoever_opened_it(library: Library) -> None:
    tries: list[int] = []

    def raced() -> str:
        with written_down(library.pk, NOW) as entries:
            entries.record("test.happened")
            tries.append(1)
            if len(tries) % 2:
                raise IntegrityError
        return "there"

    assert again_if_raced(raced) == "there"
    assert (len(tries), Event.objects.count()) == (2, 1)
    with pytest.raises(IntegrityError), one_commit():
        again_if_raced(raced)
    assert (len(tries), Event.objects.count()) == (3, 1)
