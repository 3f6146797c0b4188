"""NCIP over bare TCP: where a message ends, and what peers may not do to us."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from interlend.api.ncip_tcp import Listener

MESSAGE = b'<NCIPMessage version="v1_0"><LookupUser/></NCIPMessage>'


@pytest.fixture
def listener() -> Iterator[Callable[..., int]]:
    """`listener(pause=…)` starts one that echoes what it was asked, and returns its port."""
    running: list[tuple[Listener, Any]] = []

    def start(**limits: Any) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        made = Listener(listening, answer=lambda message, peer: b"heard " + message, **limits)
        port: int = listening.getsockname()[1]
        running.append((made, made.start()))
        return port

    yield start
    for made, thread in running:
        made.stop()
        thread.join(5)
        assert not thread.is_alive()


def say(port: int, *pieces: bytes, pause: float = 0.0, half_close: bool = False) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        for piece in pieces:
            line.sendall(piece)
            time.sleep(pause)
        if half_close:
            line.shutdown(socket.SHUT_WR)
        answer = b""
        while came := line.recv(65536):
            answer += came
    return answer


def test_the_end_tag_ends_a_message(listener: Callable[..., int]) -> None:
    assert say(listener(), MESSAGE + b"\n") == b"heard " + MESSAGE + b"\n"


def test_a_message_may_come_in_pieces(listener: Callable[..., int]) -> None:
    assert say(listener(), MESSAGE[:20], MESSAGE[20:], pause=0.1) == b"heard " + MESSAGE


def test_a_pause_ends_what_has_no_end(listener: Callable[..., int]) -> None:
    assert say(listener(pause=0.2), b"<NCIPMessage>") == b"heard <NCIPMessage>"


def test_so_does_a_half_closed_connection(listener: Callable[..., int]) -> None:
    assert say(listener(), b"<NCIPMessage>", half_close=True) == b"heard <NCIPMessage>"


def test_silent_and_slow_peers_block_nobody(listener: Callable[..., int]) -> None:
    port = listener(longest_wait=1.0, pause=0.4)
    silent = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(60)]
    assert say(port, MESSAGE) == b"heard " + MESSAGE
    assert silent[0].recv(1) == b""  # given up after its time
    for line in silent:
        line.close()


def test_too_many_connections_are_turned_away(listener: Callable[..., int]) -> None:
    port = listener(most=2)
    kept = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(2)]
    time.sleep(0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as third:
        assert third.recv(1) == b""
    for line in kept:
        line.close()


def test_too_long_a_message_is_cut_off(listener: Callable[..., int]) -> None:
    with socket.create_connection(("127.0.0.1", listener()), timeout=5) as line, pytest.raises(OSError):
        flood(line)


def flood(line: socket.socket) -> None:
    for _ in range(200):
        line.sendall(b"x" * 65536)
        time.sleep(0.001)
