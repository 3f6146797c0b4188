"""`interlend demo`: one command, a consortium in use, a route that can be walked as printed; it ends when asked."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from lxml import html

from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.circulation.services import sign_in
from interlend.cli import demo
from interlend.cli._demo.folder import DemoFolder, NotOurs
from interlend.cli._demo.route import PASSWORD, PIN, guide, route_facts
from interlend.cli._demo.scenes import SCENES, WAYS
from interlend.libraries.models import Library
from interlend.notices.models import Letter
from interlend.outbox.models import Errand
from interlend.sharing.models import IllRequest
from tests.conftest import wait_until

ONE_ERRAND = "verb = 'partner.request' AND request = 'ALD-10001'"
LAST_LINE = "What went wrong and who can mend it"


# --- as a process ---------------------------------------------------------------------------------------------------


class Running:
    """The command as a process of its own, with what it has printed so far."""

    def __init__(self, folder: Path, *words: str, **extra: str) -> None:
        self.log = folder.parent / f"{folder.name}-{time.monotonic_ns()}.log"
        unwanted = {"DATABASE_URL", "EMAIL_URL", "INTERLEND_HTTPS", "ALLOWED_HOSTS", "SECRET_KEY", "PORT"}
        ours = {"INTERLEND_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "interlend.settings", "PYTHONUNBUFFERED": "1"}
        self.begun = time.monotonic()
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from interlend.cli import main; main()", "demo", *words],
                env={name: value for name, value in os.environ.items() if name not in unwanted} | ours | extra,
                cwd=folder.parent, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self.log.read_text()

    def ready(self, seconds: float) -> str:
        """Wait for the guide; the address it gives."""
        wait_until(lambda: LAST_LINE in self.said or self.process.poll() is not None, seconds, "the guide")
        self.took = time.monotonic() - self.begun
        found = re.search(r"demo is at (http://127\.0\.0\.1:\d+/)", self.said)
        assert found, self.said
        return found[1]

    def end(self, how: int) -> int:
        """Its exit code, within ten seconds of the signal."""
        self.process.send_signal(how)
        return self.process.wait(10)


def children(pid: int) -> list[str]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[1] == str(pid)]


Start = Callable[..., Running]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a demo was made ready and then stopped, for tests to copy."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    run = Running(folder, "--port", "0")
    try:
        run.ready(180)
        assert run.end(signal.SIGINT) == 0, run.said
    finally:
        run.process.kill()
        run.process.wait()
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("--port", "0", folder=…)`: ended by force if the test did not end it."""
    running: list[Running] = []

    def begin(*words: str, folder: Path | None = None, **extra: str) -> Running:
        running.append(Running(folder or tmp_path / "data", *words, **extra))
        return running[-1]

    yield begin
    for run in running:
        run.process.kill()
        run.process.wait()


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """A copy of the demo that was made ready."""
    return Path(shutil.copytree(kept, tmp_path / "data"))


def test_a_second_start_is_quick_keeps_the_data_and_both_halves_work(folder: Path, start: Start) -> None:
    with sqlite3.connect(folder / "interlend.sqlite3") as rows:
        rows.execute("UPDATE libraries_library SET name = 'Alder renamed' WHERE symbol = 'ALD'")
        rows.execute(
            "UPDATE outbox_errand SET state = 'waiting' WHERE verb = 'partner.request' AND request = 'ALD-10001'"
        )
    rows.close()
    run = start("--port", "0", folder=folder)
    address = run.ready(60)
    assert "Preparing" not in run.said
    assert run.took < 10, f"the second start took {run.took:.1f} s"
    assert "Alder renamed" in run.said

    with urlopen(address, timeout=10) as page:  # the web server
        assert page.status == 200
        assert b'name="password"' in page.read()
    wait_until(lambda: _state_of_errand(folder) == "done", 10, "the worker's settling of what was due")
    assert children(run.process.pid) == []

    assert run.end(signal.SIGINT) == 0
    assert "Traceback" not in run.said
    assert run.said.endswith("Stopped. The data stay; `make demo` goes on with them.\n")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.split(":")[2].strip("/")))) != 0


def _state_of_errand(folder: Path) -> str:
    rows = sqlite3.connect(folder / "interlend.sqlite3", timeout=5)
    try:
        return str(rows.execute(f"SELECT state FROM outbox_errand WHERE {ONE_ERRAND}").fetchone()[0])
    finally:
        rows.close()


@pytest.mark.parametrize("pause", [0, 0.02, 0.2])
def test_sigterm_ends_it_too_even_just_when_it_comes_up(folder: Path, start: Start, pause: float) -> None:
    run = start("--port", "0", folder=folder)
    run.ready(60)
    time.sleep(pause)
    assert run.end(signal.SIGTERM) == 0
    assert "Traceback" not in run.said


def test_stopped_while_it_prepares_it_begins_anew_the_next_time(tmp_path: Path, start: Start) -> None:
    run = start("--port", "0")
    wait_until(lambda: "Preparing" in run.said or run.process.poll() is not None, 60, "the preparation")
    assert run.end(signal.SIGINT) == 0
    assert "Traceback" not in run.said
    assert "begun anew the next time" in run.said
    assert not DemoFolder(tmp_path / "data", tmp_path / "data" / "interlend.sqlite3").ready


def test_a_taken_port_is_one_sentence(folder: Path, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = start(folder=folder, PORT=str(port))
        assert run.process.wait(30) == 2
    assert run.said == (
        f"Error: Port {port} is taken by another program: stop that one, or choose another port (here: {port + 1}).\n"
    )


def test_a_second_demo_on_the_same_data_is_one_sentence(folder: Path, start: Start) -> None:
    address = start("--port", "0", folder=folder).ready(60)
    second = start("--port", "0", "--fresh", folder=folder)
    assert second.process.wait(30) == 2
    assert second.said == (
        f"Error: A demo is running on {folder} already, at {address}: use that one, stop it, or name another folder in "
        "INTERLEND_DATA.\n"
    )


def test_settings_of_a_real_installation_are_left_aside(folder: Path, start: Start) -> None:
    run = start(
        "--port",
        "0",
        folder=folder,
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/real",
        EMAIL_URL="smtp://127.0.0.1:1",
    )
    run.ready(60)
    assert run.said.startswith("The demo leaves DATABASE_URL, EMAIL_URL aside")
    assert run.end(signal.SIGINT) == 0


# --- its folder -----------------------------------------------------------------------------------------------------


@pytest.fixture
def empty(tmp_path: Path) -> DemoFolder:
    return DemoFolder(tmp_path, tmp_path / "interlend.sqlite3")


@pytest.mark.parametrize("fresh", [False, True])
def test_somebody_elses_database_is_not_touched(empty: DemoFolder, fresh: bool) -> None:
    empty.database.write_text("the work of years")
    with pytest.raises(NotOurs, match="is an installation of its own"):
        empty.begin(fresh=fresh)
    assert empty.database.read_text() == "the work of years"


def test_what_was_finished_is_kept_and_what_was_not_is_begun_anew(empty: DemoFolder) -> None:
    empty.begin(fresh=False)
    empty.database.write_text("half")
    assert not empty.ready
    empty.begin(fresh=False)
    assert not empty.database.exists()
    empty.database.write_text("whole")
    empty.finish()
    empty.begin(fresh=False)
    assert empty.ready
    empty.begin(fresh=True)
    assert not empty.database.exists()


# --- its data, and its route ----------------------------------------------------------------------------------------


@pytest.fixture
def consortium(transactional_db: None, tmp_path: Path) -> None:
    demo.fill(tmp_path)


class Visitor:
    """A person who types what the guide prints."""

    def __init__(self, **login: str) -> None:
        self.client = Client()
        page = "my_sign_in" if "pin" in login else "sign_in"
        response = self.client.post(reverse(page), login)
        assert response.status_code == 302, text_of(response)

    def scan(self, name: str, barcode: str, *args: Any) -> str:
        answer = self.client.post(reverse(name, args=args), {"barcode": barcode}, headers={"HX-Request": "true"})
        assert answer.status_code == 200, text_of(answer)
        return text_of(answer)

    def see(self, name: str) -> str:
        return text_of(self.client.get(reverse(name)))


def text_of(response: HttpResponse) -> str:
    return " ".join(html.fromstring(response.content.decode() or "<p></p>").text_content().split())


@pytest.mark.usefixtures("consortium")
def test_the_consortium_is_as_promised_and_the_route_works_as_printed() -> None:
    _each_library_is_whole()
    _every_state_is_there()
    _the_queues_are_not_empty()
    known, told = route_facts(), guide("http://127.0.0.1:8000/")
    assert not known.walked
    for typed in (known.borrowing, known.borrowed, known.patron, known.lending, known.lent, PASSWORD):
        assert typed in told
    _walk_the_borrowing(known)
    _walk_the_lending(known)
    assert route_facts().walked
    assert "make demo-fresh" in guide("http://127.0.0.1:8000/")


def _each_library_is_whole() -> None:
    for library in Library.objects.all():
        persons = Patron.objects.filter(library=library, kind="person")
        assert persons.count() >= 30
        assert persons.exclude(blocked_since=None).exists()
        assert persons.filter(expires_on__lt="2026-01-01").exists()
        assert persons.filter(email="").exists()
        assert persons.values("patron_type").distinct().count() >= 2
        assert Item.objects.filter(library=library, temporary=False).count() >= 150
        assert 2 <= library.branches.count() <= 3
        assert {role for member in library.staff.all() for role in member.roles} == {"desk", "ill", "admin", "viewer"}
        last = persons.order_by("-barcode")[0]
        assert sign_in(library.pk, last.barcode, PIN) == last
    assert Library.objects.values("time_zone").distinct().count() == 2
    assert all(len(barcode) == 14 for barcode in Item.objects.values_list("barcode", flat=True))


def _every_state_is_there() -> None:
    assert {scene.reached for scene in SCENES} == set(WAYS)
    states = set(IllRequest.objects.filter(service="loan").values_list("side", "state"))
    sides = {
        "borrowing": "new requested will_supply shipped received returned completed unfilled cancel_asked",
        "lending": "requested will_supply shipped received returned completed unfilled cancel_asked",
    }
    assert states >= {(side, state) for side, names in sides.items() for state in names.split()}
    failed = dict(Errand.objects.filter(state="failed").values_list("verb", "code"))
    assert failed == {"host.accept_item": "patron_blocked", "host.check_out_item": "does_not_circulate"}
    assert not Errand.objects.exclude(state__in=("done", "failed")).exists()
    moments = list(IllRequest.objects.filter(side="borrowing").order_by("pk").values_list("made_at", flat=True))
    assert moments == sorted(moments), "numbers are given in the order of time"


def _the_queues_are_not_empty() -> None:
    assert IllRequest.objects.exclude(at_desk_since=None).exists()
    assert Hold.objects.filter(state="ready").exists()
    assert Hold.objects.filter(state="pending", level="title").exists()
    assert Item.objects.filter(state="in_transit").exists()
    assert Loan.objects.filter(state="out", due_on__lt="2100-01-01").exists()
    assert set(Letter.objects.values_list("state", flat=True)) >= {"sent", "to_print"}


def _walk_the_borrowing(known: Any) -> None:
    ill = Visitor(sign_in="alder.ill", password=PASSWORD)
    assert "Received" in ill.scan("receive", known.borrowing)
    assert "Hold" in ill.scan("check_in", known.borrowed)
    reader = Visitor(library="ALD", barcode=known.patron, pin=PIN)
    assert "Murder at the Seed Library" in reader.see("my")
    patron = Patron.objects.get(library__symbol="ALD", barcode=known.patron)
    found = ill.client.post(reverse("assist_patrons"), {"barcode": known.patron})
    assert found["Location"] == reverse("patron", args=[patron.pk])
    ill.scan("patron_check_out", known.borrowed, patron.pk)
    assert Loan.objects.get(library__symbol="ALD", item__barcode=known.borrowed).state == "out"
    assert known.borrowing in ill.scan("check_in", known.borrowed)
    assert "Returned" in ill.scan("return_loans", known.borrowing)


def _walk_the_lending(known: Any) -> None:
    ill = Visitor(sign_in="brook.ill", password=PASSWORD)
    ill.scan("ship", known.lending)
    ill.scan("ship", known.lent)
    loan = Loan.objects.get(library__symbol="BRK", item__barcode=known.lent)
    assert loan.patron.barcode == "P-CDR-ILL"
    assert "Completed" in ill.scan("complete", known.borrowing)
    assert set(IllRequest.objects.filter(number=known.borrowing).values_list("state", flat=True)) == {"completed"}
