"""`interlend demo`: the demo consortium on this machine, web server and worker in one process, until Ctrl-C.

Strategy: one process and two threads of work, so that nothing can be left behind; the port is taken first, the data
folder is held by one demo at a time, and what an earlier demo began and did not finish is begun anew.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import socket
from types import FrameType
from typing import NoReturn

import click
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory, NodeNotFoundError
from django.utils import timezone

from interlend.circulation.models import Patron
from interlend.cli._demo.folder import DemoFolder, NotOurs
from interlend.cli._demo.route import PIN, guide
from interlend.cli._demo.scenes import play_all
from interlend.cli._site import read_site_file, write_site
from interlend.cli.load import LoadReport, load_items, load_patrons
from interlend.cli.serve import address, listen, run
from interlend.cli.work import work
from interlend.libraries.models import Library

log = logging.getLogger(__name__)

#: settings of a real installation that would lead the demo astray: to its database, its mail server, its address
NOT_FOR_DEMOS = ("DATABASE_URL", "EMAIL_URL", "INTERLEND_HTTPS", "ALLOWED_HOSTS")
THREADS = 4
DATA_FILES = Path(__file__).parent / "demo_data"


class CannotStart(click.ClickException):
    """One sentence that says why, and what to do."""

    exit_code = 2


@click.command()
@click.option(
    "--port", default=8000, show_default=True, envvar="PORT", type=click.IntRange(0, 65535), help="0 takes a free port."
)
@click.option("--fresh", is_flag=True, help="Forget what was done in the demo before.")
def command(port: int, fresh: bool) -> None:
    """Start the demo consortium and say where and how; Ctrl-C stops it. Its data stay until --fresh."""
    _leave_other_settings(port, fresh)
    with _ended_by_signals():
        listener = _listen(port)
        folder = DemoFolder(settings.DATA, Path(str(settings.DATABASES["default"]["NAME"])))
        try:
            with folder.held(address(listener)):
                _make_ready(folder, fresh=fresh)
                click.echo(guide(address(listener)))
                sys.stdout.flush()
                _serve_and_work(listener)
        except NotOurs as no:
            raise CannotStart(str(no)) from no


def _leave_other_settings(port: int, fresh: bool) -> None:
    """Begin again without the settings of a real installation, where there are any."""
    given = [name for name in NOT_FOR_DEMOS if name in os.environ or f"{name}_FILE" in os.environ]
    if not given:
        return
    click.echo(f"The demo leaves {', '.join(given)} aside: it keeps its own data and sends no letters.")
    sys.stdout.flush()
    for name in given:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    words = ["demo", "--port", str(port), *(["--fresh"] if fresh else [])]
    os.execv(sys.executable, [sys.executable, "-c", "from interlend.cli import main; main()", *words])  # noqa: S606


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the demo at any moment, as it should: with 0 and without a traceback."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nStopped before it was up; what was not finished is begun anew the next time.")


def _listen(port: int) -> socket:
    try:
        return listen("127.0.0.1", port)
    except click.ClickException as no:
        raise CannotStart(no.message) from no


# --- the data -----------------------------------------------------------------------------------------------------


def _make_ready(folder: DemoFolder, *, fresh: bool) -> None:
    """Tables of this version, and the consortium in them."""
    folder.begin(fresh=fresh)
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except (DatabaseError, InconsistentMigrationHistory, NodeNotFoundError) as no:
        raise CannotStart(
            f"The demo's data do not fit this version of Interlend ({no}): `make demo-fresh` starts anew."
        ) from no
    if not folder.ready:
        click.echo("Preparing the demo consortium, once:")
        fill(folder.path)
        folder.finish()


def fill(rejects: Path) -> None:
    """The three libraries, their patrons and items, and what has happened there. Misfits are told in `rejects`."""
    now = timezone.now()
    write_site(read_site_file(DATA_FILES / "site.yaml"), now)
    for library in Library.objects.order_by("symbol"):
        click.echo(f"  {library.name}: ", nl=False)
        name = library.symbol.lower()
        patrons = load_patrons(
            DATA_FILES / f"{name}-patrons.csv", library, now, rejects=rejects / f"{name}-p.rejects.csv"
        )
        items = load_items(DATA_FILES / f"{name}-items.csv", library, now, rejects=rejects / f"{name}-i.rejects.csv")
        click.echo(f"{_loaded(patrons)} patrons, {_loaded(items)} items")
    _give_pins()
    click.echo("  requests on their way")
    play_all(now)


def _give_pins() -> None:
    """Everyone's PIN is the same and no secret, so one hash serves for all: a hash each would take half a minute."""
    everyone = Patron.objects.filter(kind=Patron.Kind.PERSON, pin="")
    everyone.update(pin=make_password(PIN))


def _loaded(report: LoadReport) -> int:
    assert not report.rejected, "the demo's own files fit the demo's own site file"
    return report.created


# --- running ------------------------------------------------------------------------------------------------------


def _serve_and_work(listener: socket) -> None:
    """Both until a signal ends the server; then the worker finishes what it has begun."""
    stop, failed = threading.Event(), threading.Event()

    def worker() -> None:
        try:
            work(stop)
        except BaseException:  # a worker that fails must not leave a demo that looks alive
            log.exception("the worker failed")
            failed.set()
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=worker, name="worker")
    try:
        thread.start()  # in here: whatever comes between, nobody may go and leave a worker behind
        run(listener, THREADS)
    except (KeyboardInterrupt, SystemExit):
        pass  # the signal came just before or just after the server's own care
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.set()
        with suppress(RuntimeError):  # it never began
            thread.join()
        connection.close()
    if failed.is_set():
        raise click.ClickException("The demo's worker failed; the lines above say why.")
    click.echo("\nStopped. The data stay; `make demo` goes on with them.")
