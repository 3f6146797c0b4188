"""`interlend serve` as a process: answers while slow peers hold on to it, refuses what is too big, ends when asked."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until

Start = Callable[..., subprocess.Popen[str]]


def serve(start_interlend: Start, *words: str, **extra: str) -> tuple[Any, int]:
    """A running server on a port that the system chose: the process and the port."""
    process: Any = start_interlend("serve", "--port", "0", *words, PYTHONUNBUFFERED="1", **extra)
    said = wait_until(
        lambda: re.search(r":(\d+)/", process.log.read_text()) or process.poll(), what="the server's first sentence"
    )
    assert isinstance(said, re.Match), process.log.read_text()
    return process, int(said[1])


def ask(port: int, request: bytes = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.sendall(request)
        return b"".join(iter(lambda: peer.recv(65536), b""))


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(child) for child, parent in (line.split() for line in listed.splitlines()) if int(parent) == pid]


def test_idle_and_slow_peers_hold_nobody_up(start_interlend: Start) -> None:
    _, port = serve(start_interlend, "--threads", "2")
    begun = {
        "says nothing": b"",
        "never ends its head": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        "never ends its body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nabc",
        "never reads the answer": b"GET /static/django_htmx/htmx-2.min.js HTTP/1.1\r\nHost: localhost\r\n\r\n",
    }
    peers = []
    try:
        for words in begun.values():
            for _ in range(30):
                peers.append(socket.create_connection(("127.0.0.1", port), timeout=5))
                peers[-1].sendall(words)
        assert ask(port).startswith(b"HTTP/1.1 302")
    finally:
        for peer in peers:
            peer.close()


def test_a_client_of_http_1_0_that_names_no_host_is_answered(start_interlend: Start) -> None:
    _, port = serve(start_interlend, ALLOWED_HOSTS="*,ill.example.org")
    assert ask(port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 302")


def test_a_body_over_the_limit_is_refused_before_it_is_read(start_interlend: Start) -> None:
    _, port = serve(start_interlend, INTERLEND_BODY_LIMIT="1000")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 2000)
        assert peer.recv(100).startswith(b"HTTP/1.1 413")


def test_forwarded_addresses_are_believed_from_the_proxy_only(start_interlend: Start) -> None:
    forwarded = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
    _, plain = serve(start_interlend, INTERLEND_HTTPS="1")
    _, proxied = serve(start_interlend, "--behind-proxy", "127.0.0.1", INTERLEND_HTTPS="1")
    assert b"Strict-Transport-Security" not in ask(plain, forwarded)
    assert b"Strict-Transport-Security" in ask(proxied, forwarded)


def test_a_taken_port_gives_one_sentence(start_interlend: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process: Any = start_interlend("serve", "--port", port)
        assert process.wait(20) == 1
    said = process.log.read_text()
    assert said.count("\n") == 1
    assert f"Port {port} is taken by another program" in said
    assert f"choose another port (here: {int(port) + 1})" in said


def test_a_database_without_tables_gives_one_sentence(start_interlend: Start, tmp_path: Path) -> None:
    process: Any = start_interlend("serve", DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")
    assert process.wait(20) == 1
    assert "run `interlend migrate` first" in process.log.read_text()


@pytest.mark.sqlite
def test_sqlite_bears_one_process(start_interlend: Start) -> None:
    process: Any = start_interlend("serve", "--workers", "2")
    assert process.wait(20) == 1
    assert "SQLite bears one process" in process.log.read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_finished_before_the_end(how: signal.Signals, tmp_path: Path) -> None:
    slow = textwrap.dedent(
        """
        import time, interlend.cli
        interlend.cli.set_up_django()
        import interlend.wsgi, interlend.cli.serve as serve
        def slow(environ, start_response):
            print("begun", flush=True)
            time.sleep(1)
            start_response("200 OK", [("Content-Length", "4")])
            return [b"done"]
        interlend.wsgi.application = slow
        listener = serve.listen("127.0.0.1", 0)
        print(serve.address(listener), flush=True)
        serve.run(listener, threads=1)
        """
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "interlend.settings", "INTERLEND_DATA": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", slow], stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().rstrip("/\n").rsplit(":")[-1])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert server.stdout.readline() == "begun\n"
            server.send_signal(how)
            answer = b"".join(iter(lambda: peer.recv(65536), b""))
        assert answer.endswith(b"done")
        assert server.wait(10) == 0


@pytest.mark.postgresql
def test_a_process_that_dies_is_replaced(start_interlend: Start) -> None:
    process, port = serve(start_interlend, "--workers", "2")
    first = wait_until(lambda: len(found := children(process.pid)) == 2 and found, what="two processes")
    os.kill(first[0], signal.SIGKILL)
    wait_until(lambda: len(found := children(process.pid)) == 2 and first[0] not in found, what="a replacement")
    assert ask(port).startswith(b"HTTP/1.1 302")


@pytest.mark.postgresql
def test_no_process_outlives_its_parent(start_interlend: Start) -> None:
    process, port = serve(start_interlend, "--workers", "2")
    wait_until(lambda: len(children(process.pid)) == 2, what="two processes")
    process.kill()
    process.wait()

    def is_closed() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.1)
        return False

    wait_until(is_closed, what="the end of both processes")
