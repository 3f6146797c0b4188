"""`interlend serve`: the web server, one process on SQLite, any number on PostgreSQL.

Strategy (docs/adr/0002-wsgi-server.md): waitress reads heads and bodies and writes answers in one loop that no idle or
slow peer can hold; its few threads see complete requests only. The parent opens the port once, forks the processes
that share it, replaces one that dies, and ends them when it ends, however that comes.
"""

from __future__ import annotations

import errno
import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click
import waitress.server
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor

log = logging.getLogger(__name__)

HEAD_LIMIT = 64 * 1024  # bytes of a request's head
SILENCE = 120  # seconds after which a connection that says nothing is closed
PATIENCE = 8  # seconds for requests under way when the server is asked to end
OPEN_FILES = 16_384  # wanted; each connection needs one


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for every one.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free port.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes; SQLite bears one.")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1), help="Threads of each process.")
@click.option("--behind-proxy", metavar="ADDRESS", help="Believe X-Forwarded-For and -Proto from this address.")
@click.option("--ncip-tcp", type=click.IntRange(0, 65535), metavar="PORT", help="Answer NCIP over bare TCP there too.")
def command(host: str, port: int, workers: int, threads: int, behind_proxy: str | None, ncip_tcp: int | None) -> None:
    """Answer on the web until Ctrl-C or SIGTERM; requests under way are finished."""
    if workers > 1 and connection.vendor == "sqlite":
        raise click.ClickException("SQLite bears one process: leave --workers out, or give DATABASE_URL=postgresql://…")
    check_database()
    listener = listen(host, port)
    tcp = listen(host, ncip_tcp) if ncip_tcp is not None else None
    if tcp is not None:
        click.echo(f"NCIP over bare TCP is answered on port {tcp.getsockname()[1]}")
    click.echo(f"Interlend answers at {address(listener)} (Ctrl-C stops it)")
    if workers == 1:
        run(listener, threads, behind_proxy, tcp)
    else:
        run_many(listener, workers, threads, behind_proxy, tcp)


def check_database() -> None:
    """Refuse to start on a database that does not answer, or that has not this version's tables."""
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, ImproperlyConfigured) as wrong:
        raise click.ClickException(f"The database does not answer: {wrong}") from wrong
    finally:
        connections.close_all()  # one that crossed a fork would be shared by two processes
    if plan:
        raise click.ClickException("The database has not this version's tables yet: run `interlend migrate` first.")


def listen(host: str, port: int) -> socket.socket:
    """The open port; a port that cannot be had ends the command with a sentence that says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as wrong:
        if wrong.errno == errno.EADDRINUSE:
            why = f"Port {port} is taken by another program: stop that one, or choose another port (here: {port + 1})."
        elif wrong.errno == errno.EACCES:
            why = f"Port {port} is for the system's own programs: choose one above 1023."
        else:
            why = f"{host} port {port} cannot be listened on: {wrong.strerror or wrong}."
        raise click.ClickException(why) from wrong


def address(listener: socket.socket) -> str:
    """What to type into a browser to reach `listener`."""
    host, port = listener.getsockname()[:2]
    near = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{near}:{port}/"


def run(
    listener: socket.socket, threads: int, behind_proxy: str | None = None, tcp: socket.socket | None = None
) -> None:
    """Serve in this process until SIGTERM or Ctrl-C, then finish the requests under way (at most five seconds)."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a short queue is no news
    trust = {"trusted_proxy": behind_proxy, "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto"}
    server = waitress.server.create_server(
        get_internal_wsgi_application(),  # by its name in the settings: it stands a storey above us
        sockets=[listener],
        threads=threads,
        connection_limit=_room_for_connections(),
        asyncore_use_poll=True,
        channel_timeout=SILENCE,
        max_request_header_size=HEAD_LIMIT,
        max_request_body_size=settings.INTERLEND_BODY_LIMIT,
        server_name=_name_for_the_nameless(),
        ident=None,
        clear_untrusted_proxy_headers=True,
        **(trust if behind_proxy else {}),
    )
    signal.signal(signal.SIGTERM, _end)
    with _answering_tcp(tcp):
        server.run()
    server.close()


@contextmanager
def _answering_tcp(tcp: socket.socket | None) -> Iterator[None]:
    """NCIP over bare TCP beside the web server, by name: that door is a stranger on our own storey."""
    if tcp is None:
        yield
        return
    door = import_module("interlend.api.ncip_tcp").Listener(tcp)
    thread = door.start()
    try:
        yield
    finally:
        door.stop()
        thread.join(PATIENCE)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _room_for_connections() -> int:
    """Connections this process may hold, with some files to spare; asks the system for as many as it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max(64, min(OPEN_FILES, soft if soft != resource.RLIM_INFINITY else OPEN_FILES) - 128)


def _name_for_the_nameless() -> str:
    """Old NCIP clients speak HTTP/1.0 and name no host: they are taken to mean the first one that is allowed."""
    named = [host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*"))]
    return named[0] if named else "localhost"


# --------------------------------------------------------------------------------------------- several processes
def run_many(
    listener: socket.socket, workers: int, threads: int, behind_proxy: str | None = None,
    tcp: socket.socket | None = None,
) -> None:  # fmt: skip
    """Serve in `workers` processes that share the port. One that dies is replaced after a second."""
    leash, held = os.pipe()
    signal.signal(signal.SIGTERM, _end)
    alive = {_fork(listener, threads, behind_proxy, tcp, leash, held) for _ in range(workers)}
    try:
        while True:
            gone, status = os.wait()
            alive.discard(gone)
            log.error("web process %d ended (status %d); another takes its place", gone, status)
            time.sleep(1)
            alive.add(_fork(listener, threads, behind_proxy, tcp, leash, held))
    except (KeyboardInterrupt, SystemExit):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not orphan them
        _end_all(alive)


def _fork(
    listener: socket.socket, threads: int, behind_proxy: str | None, tcp: socket.socket | None, leash: int, held: int
) -> int:
    if pid := os.fork():
        return pid
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent alone decides
        signal.signal(signal.SIGTERM, _end)
        os.close(held)
        threading.Thread(target=_end_with_parent, args=(leash,), daemon=True).start()
        run(listener, threads, behind_proxy, tcp)
    except SystemExit:
        pass
    except BaseException:  # the end of this process: say why, then leave without the parent's clean-up
        log.exception("web process failed")
        os._exit(1)
    os._exit(0)


def _end_all(alive: set[int]) -> None:
    """Ask every process to finish; one that has not after PATIENCE seconds is not asked any more."""
    for pid in alive:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    for pid in alive:
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)


def _end_with_parent(leash: int) -> None:
    os.read(leash, 1)  # returns when the parent, which alone holds the other end, is gone
    os.kill(os.getpid(), signal.SIGTERM)
