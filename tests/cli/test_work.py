"""`interlend work`: what is due is done once, whoever and how many are at it; it waits for a database that is away."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import OperationalError, connection

from interlend.circulation.models import Hold, Loan
from interlend.circulation.services import check_in, check_out, place_hold
from interlend.cli import work
from interlend.libraries.models import Library
from interlend.notices.models import Letter
from interlend.outbox.models import Errand, Event
from interlend.sharing.models import IllRequest
from tests.conftest import Letters, wait_until
from tests.make import branch, make_consortium, make_desk, make_ill, make_item, make_library, make_patron

Start = Callable[..., subprocess.Popen[str]]
LONG_AGO = timedelta(days=2)


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def due_letters(library: Library, count: int) -> None:
    """So many patrons, each with an item on the hold shelf and the letter about it due."""
    then, desk, place = datetime.now(UTC) - LONG_AGO, make_desk(library), branch(library)
    for number in range(count):
        item = make_item(library)
        patron = make_patron(library, email=f"reader{number}@example.org")
        place_hold(desk, patron, item.title, place, then, item=item)
        check_in(desk, item.barcode, then)
    assert Letter.objects.filter(state="waiting", due_at__lt=an_hour_ago()).count() == count


def due_errands(alder: Library, count: int) -> None:
    """So many requests of which the lender has not been told yet, because the first tries never came."""
    patron = make_patron(alder)
    for number in range(count):
        make_ill(alder, patron, title=f"Volume {number}")
    IllRequest.objects.filter(side="lending").delete()
    Event.objects.filter(library__symbol="BRK").delete()
    Errand.objects.update(state="waiting", tries=0, due_at=an_hour_ago(), settled_at=None)


# --- one worker -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_once_does_what_is_due_and_says_how_much() -> None:
    alder, _ = make_consortium()
    due_errands(alder, 3)
    due_letters(alder, 2)
    told = CliRunner().invoke(work.command, ["--once"])
    assert (told.exit_code, told.output) == (0, "3 errands run, 2 letters settled.\n")
    assert IllRequest.objects.filter(side="lending").count() == 3
    assert set(Letter.objects.values_list("state", "via")) == {("sent", "drawer")}
    again = CliRunner().invoke(work.command, ["--once"])
    assert again.output == "0 errands run, 0 letters settled.\n"


@pytest.mark.django_db
def test_overdue_loans_are_looked_for_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "close_old_connections", lambda: None)  # the test's own connection is needed further
    library = make_library()
    item, patron = make_item(library), make_patron(library)
    start = datetime.now(UTC)
    check_out(make_desk(library), patron.pk, item.barcode, start - timedelta(days=40))
    assert Loan.objects.get().due_on < start.date()
    rounds = work.Rounds()
    rounds.next(start)
    assert Letter.objects.get().kind == "overdue"
    Letter.objects.all().delete()
    rounds.next(start + timedelta(minutes=4))
    assert not Letter.objects.exists(), "not at every look"
    rounds.next(start + timedelta(minutes=6))
    assert Letter.objects.count() == 1


def test_a_database_that_is_away_is_waited_for_and_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop, asked = threading.Event(), []

    def next_round(_self: object, now: datetime) -> tuple[int, int]:
        asked.append(now)
        if len(asked) in (2, 3, 4):
            raise OperationalError("connection\nrefused")
        if len(asked) == 6:
            stop.set()
        return 0, 0

    monkeypatch.setattr(work.Rounds, "next", next_round)
    monkeypatch.setattr(work, "PAUSE", 0.01)
    monkeypatch.setattr(work, "LONGEST_PAUSE", 0.02)
    with caplog.at_level(logging.INFO, logger="interlend.cli.work"):
        work.work(stop)
    assert [record.getMessage() for record in caplog.records] == [
        "the database is away, waiting for it: connection refused",
        "the database is back",
    ]


def test_anything_else_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is not slept over: whoever supervises the process sees it end."""

    def stumble(_self: object, _now: datetime) -> tuple[int, int]:
        raise ZeroDivisionError

    monkeypatch.setattr(work.Rounds, "next", stumble)
    with pytest.raises(ZeroDivisionError):
        work.work(threading.Event())


# --- as processes ---------------------------------------------------------------------------------------------------


def at_work(process: Any) -> Any:
    """The process, once it has said that it is at work."""
    wait_until(lambda: "at work" in process.log.read_text() or process.poll() is not None, 60, "the worker's beginning")
    return process


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_works_until_it_is_asked_to_end(start_interlend: Start, how: int) -> None:
    alder, _ = make_consortium()
    worker = at_work(start_interlend("work", PYTHONUNBUFFERED="1"))
    due_errands(alder, 1)
    wait_until(lambda: Errand.objects.get().state == "done", 30, "the errand")
    begun = time.monotonic()
    worker.send_signal(how)
    assert worker.wait(10) == 0
    assert time.monotonic() - begun < 5
    assert "Traceback" not in worker.log.read_text()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_each_errand_and_send_each_letter_once(
    start_interlend: Start, smtp_server: Letters
) -> None:
    alder, brook = make_consortium()
    due_letters(alder, 30)
    Errand.objects.all().delete()
    due_errands(alder, 40)
    # both are up and looking before there is anything to do, so that they meet at the same rows
    Errand.objects.update(due_at=datetime.now(UTC) + timedelta(days=1))
    Letter.objects.update(due_at=datetime.now(UTC) + timedelta(days=1))
    workers = [start_interlend("work", EMAIL_URL=smtp_server.url, PYTHONUNBUFFERED="1") for _ in range(2)]
    for worker in workers:
        at_work(worker)
    Letter.objects.update(due_at=an_hour_ago())
    Errand.objects.update(due_at=an_hour_ago())

    wait_until(lambda: Errand.objects.filter(state="done").count() == 40, 60, "all errands")
    wait_until(lambda: Letter.objects.filter(state="sent").count() == 30, 60, "all letters")
    assert set(Errand.objects.values_list("tries", flat=True)) == {1}
    heard = Event.objects.filter(library=brook).values_list("kind", "request")
    assert len(heard) == len(set(heard)) == 40
    assert IllRequest.objects.filter(library=brook, side="lending").count() == 40
    assert set(Letter.objects.values_list("tries", "via")) == {(1, "smtp")}
    assert Counter(letter["To"] for letter in smtp_server) == {f"reader{number}@example.org": 1 for number in range(30)}
    assert Hold.objects.filter(state="ready").count() == 30


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_opened_anew(start_interlend: Start) -> None:
    alder, _ = make_consortium()
    worker = at_work(start_interlend("work", PYTHONUNBUFFERED="1"))
    with connection.cursor() as cursor:
        for _ in range(20):  # whatever it has open just now, again and again
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            time.sleep(0.05)
    due_errands(alder, 1)
    wait_until(lambda: Errand.objects.get().state == "done", 60, "the errand")
    assert worker.poll() is None
    log = worker.log.read_text()
    assert "Traceback" not in log
    assert len(re.findall("the database is away", log)) == len(re.findall("the database is back", log))
