"""`interlend work`: the worker, which runs errands that are due and sends letters at their hour.

Strategy: look, work, pause; all claims are made in the database, so any number of workers on any number of machines may
run this loop. A database that is away for a while is waited for; what was begun is settled first when asked to end.
"""

from __future__ import annotations

import logging
import signal
import threading
from datetime import datetime, timedelta
from types import FrameType

import click
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from interlend.bridge.exchanges import purge
from interlend.cli.serve import check_database
from interlend.notices.services import send_due, write_overdue
from interlend.outbox.services import run_due

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between two looks when nothing was due
BREATH = 0.05  # seconds after work: more may be due at once
LONGEST_PAUSE = 15.0  # seconds between two tries to reach a database that is away
BETWEEN_ROLL_CALLS = timedelta(minutes=5)  # between two looks for what time alone brings: overdue, old exchanges


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, say how much it was, and end.")
def command(once: bool) -> None:
    """Run errands and send letters until Ctrl-C or SIGTERM."""
    check_database()
    if once:
        errands, letters = Rounds().next(timezone.now())
        click.echo(f"{errands} errands run, {letters} letters settled.")
        return
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    click.echo("Interlend's worker is at work (Ctrl-C stops it)")
    work(stop)


def work(stop: threading.Event) -> None:
    """The loop, until `stop` is set; then what was begun is finished. An absent database is waited for."""
    rounds, pause, away = Rounds(), PAUSE, False
    try:
        while not stop.is_set():
            try:
                busy = any(rounds.next(timezone.now()))
            except (OperationalError, InterfaceError) as trouble:
                pause = min(pause * 2, LONGEST_PAUSE) if away else PAUSE
                if not away:
                    log.warning("the database is away, waiting for it: %s", " ".join(str(trouble).split()))
                away = True
            else:
                if away:
                    log.warning("the database is back")
                pause, away = (BREATH if busy else PAUSE), False
            stop.wait(pause)
    finally:
        connection.close()


class Rounds:
    """What the worker does at each look, and when it last looked for what happens by the mere passing of time."""

    def __init__(self) -> None:
        self.roll_call_at: datetime | None = None

    def next(self, now: datetime) -> tuple[int, int]:
        """Everything that is due at `now`: the number of errands run and of letters settled."""
        close_old_connections()  # one that broke meanwhile is opened anew
        if self.roll_call_at is None or now >= self.roll_call_at:
            write_overdue(now)
            purge(now)
            self.roll_call_at = now + BETWEEN_ROLL_CALLS
        return run_due(now), send_due(now)
