"""What every test may ask for, and what no test may do: reach another machine.

Strategy: fixtures start real things (a browser, a mail server, the `interlend` command) on loopback, and end them.
`make test` runs everything on SQLite, then what touches a database (`-m database`) again on PostgreSQL.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as email_policy
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


# ------------------------------------------------------------------------------------------- which tests run where
@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches a database; leave out what makes sense on the other database only."""
    other = "sqlite" if os.environ.get("INTERLEND_TEST_DB", "sqlite") == "postgresql" else "postgresql"
    elsewhere = [item for item in items if item.get_closest_marker(other)]
    items[:] = [item for item in items if item not in elsewhere]
    config.hook.pytest_deselected(items=elsewhere)
    for item in items:
        if _touches_database(item):
            item.add_marker("database")


def _touches_database(item: pytest.Item) -> bool:
    from django.test import TransactionTestCase

    of_class = getattr(item, "cls", None)
    return (
        item.get_closest_marker("django_db") is not None
        or bool({"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ())))
        or (isinstance(of_class, type) and issubclass(of_class, TransactionTestCase))
    )


# ------------------------------------------------------------------------------------------------- closed sockets
@pytest.fixture(scope="session", autouse=True)
def closed_sockets() -> Iterator[None]:
    """No test reaches beyond this machine: such a test would fail wherever that other machine is not."""
    connect = socket.socket.connect

    def near_only(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_near(address[0]):
            raise PermissionError(f"A test tried to reach {address[0]}; tests speak to this machine only.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", near_only)
        yield


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", ""}


# ------------------------------------------------------------------------------------------ what a process remembers
@pytest.fixture(autouse=True)
def choices_of_other_tests_forgotten() -> None:
    """Policies are kept for seconds; the next test's library may have the same key. `update()` needs `forget()` too."""
    from interlend.circulation import choices

    choices.forget()


# ------------------------------------------------------------------------------------------------- shared samples
@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of samples and schemas that lies beside some checkouts; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder of samples that lies beside the checkout (../shared)")
    return SHARED


# ------------------------------------------------------------------------------------------------------- a mail server
class Letters(list[EmailMessage]):
    """What the mail server got so far; `url` is its EMAIL_URL."""

    host = "127.0.0.1"
    port = 0

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"


@pytest.fixture
def smtp_server(settings: Any) -> Iterator[Letters]:
    """A real mail server on loopback, and Django told to use it. Yields the letters it received, as they come."""
    from aiosmtpd.controller import Controller

    letters = Letters()

    class Keep:
        async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
            letters.append(BytesParser(EmailMessage, policy=email_policy).parsebytes(envelope.original_content))
            return "250 kept"

    controller = Controller(Keep(), hostname=letters.host, port=free_port())
    controller.start()
    letters.port = controller.port
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = letters.host, letters.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.INTERLEND_MAIL = "smtp"
    try:
        yield letters
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --------------------------------------------------------------------------------------- the command, as processes
@pytest.fixture
def database_url(transactional_db: None) -> str:
    """DATABASE_URL of this test's own database, for processes that shall work on it together with the test."""
    from django.db import connection

    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    who = ":".join(quote(str(part), safe="") for part in (found["USER"], found["PASSWORD"]) if part)
    where = ":".join(str(part) for part in (found["HOST"], found["PORT"]) if part)
    more = urlencode({name: value for name, value in found["OPTIONS"].items() if isinstance(value, str | int)})
    return f"postgresql://{who}@{where}/{found['NAME']}?{more}"


@pytest.fixture
def start_interlend(database_url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`start_interlend("serve", "--port", "8123", EMAIL_URL=…)`: the command on this test's database, as a process.

    Its output is in `process.log`; it is asked to end (SIGTERM) after the test and must do so within ten seconds.
    """
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, **extra: str) -> subprocess.Popen[str]:
        log = tmp_path / f"interlend-{len(started)}.log"
        ours = {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "interlend.settings"}
        with log.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", "from interlend.cli import main; main()", *words],
                env=os.environ | ours | extra,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
            )
        process.log = log  # type: ignore[attr-defined]
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail(f"interlend did not end within ten seconds of SIGTERM: {process.args}")


def wait_until(true: Callable[[], Any], seconds: float = 10, what: str = "it") -> Any:
    """The first true answer, asked for again and again; fails the test when none came in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := true():
            return answer
        time.sleep(0.02)
    pytest.fail(f"{what} did not happen within {seconds} s")


# ------------------------------------------------------------------------------------------------------- a browser
CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
MAC_CHROMIUMS = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]


def find_chromium() -> str | None:
    """INTERLEND_CHROMIUM, else the system's own; `make test` installs one where it may."""
    named = os.environ.get("INTERLEND_CHROMIUM")
    found = [path for name in CHROMIUMS if (path := shutil.which(name))]
    return next(iter([*([named] if named else []), *found, *(p for p in MAC_CHROMIUMS if Path(p).exists())]), None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = find_chromium()
    if path is None:
        pytest.fail("No Chromium here: install it (apt-get install chromium) or name one in INTERLEND_CHROMIUM.")
    return path


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Any]:
    """A headless Chromium for the whole run (Playwright's Browser). Most tests want `page` instead."""
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread for as long as it lives; Django would refuse the database there.
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as ends:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = ends.enter_context(sync_playwright()).chromium.launch(
            executable_path=chromium_path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield chromium
        chromium.close()


# --------------------------------------------------------------------------------------------- after the commit
@pytest.fixture
def telling(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """`with telling():` runs what a service tells after its commit, as it would outside of a test's transaction."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
