"""NCIP over bare TCP, for peers of version 1 that speak no HTTP: one message in, one answer out, then close.

Strategy: one thread watches all connections and costs nothing for those that are silent; a message goes to one of few
workers when the end tag of its root has come, or when the peer has paused after saying something. Size, number and age
of connections are bounded. Voyager's client waits 25 seconds and reads until we pause; one write and a close suits all.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import close_old_connections
from django.utils import timezone

from interlend.bridge.ncip_responder import door

log = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 500
WORKERS: Final = 4
PAUSE: Final = 3.0  # seconds of silence after which what has come is taken for the whole message
LONGEST_WAIT: Final = 30.0  # seconds for a whole message; as long again for the answer to be taken
CHUNK: Final = 64 * 1024


class _Line:
    """One connection: what has come, and when."""

    __slots__ = ("began", "heard", "peer", "received", "socket")

    def __init__(self, connection: socket.socket, peer: str) -> None:
        self.socket, self.peer = connection, peer
        self.received = bytearray()
        self.began = self.heard = time.monotonic()


class Listener:
    """Answers on an open port (`listening`), which several processes may share, from `serve` until `stop`."""

    def __init__(
        self, listening: socket.socket, *, pause: float = PAUSE, longest_wait: float = LONGEST_WAIT,
        most: int = MOST_CONNECTIONS, answer: Callable[[bytes, str], bytes] | None = None,
    ) -> None:  # fmt: skip
        self._pause, self._longest_wait, self._most = pause, longest_wait, most
        self._answer = answer or answer_bytes
        self._listening = listening
        self._listening.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._lines: dict[int, _Line] = {}
        self._stopped = threading.Event()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="ncip-tcp")

    def serve(self) -> None:
        """Answer until `stop` is called; messages under way are finished."""
        self._selector.register(self._listening, selectors.EVENT_READ)
        try:
            while not self._stopped.is_set():
                for key, _ in self._selector.select(timeout=min(self._pause, 0.5)):
                    if key.fileobj is self._listening:
                        self._accept()
                    else:
                        self._read(self._lines[key.fd])
                self._look_at_the_clock()
        finally:
            self._selector.unregister(self._listening)
            self._listening.close()
            for line in list(self._lines.values()):
                self._drop(line)
            self._workers.shutdown(wait=True)
            self._selector.close()

    def start(self) -> threading.Thread:
        """`serve` in a thread of its own."""
        thread = threading.Thread(target=self.serve, name="ncip-tcp", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        self._stopped.set()

    # --- connections

    def _accept(self) -> None:
        try:
            connection, address = self._listening.accept()
        except OSError:  # gone before we looked, or no more files to be had: the next look will tell
            return
        if len(self._lines) >= self._most:
            connection.close()
            log.warning("NCIP over TCP: %s turned away, %s connections are open", address[0], len(self._lines))
            return
        connection.setblocking(False)
        line = _Line(connection, str(address[0]))
        self._lines[connection.fileno()] = line
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, line: _Line) -> None:
        try:
            came = line.socket.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._drop(line)
            return
        line.heard = time.monotonic()
        line.received += came
        if len(line.received) > door.LONGEST_BODY:
            self._drop(line)
        elif not came or door.is_whole(bytes(line.received)):
            self._hand_over(line)

    def _look_at_the_clock(self) -> None:
        """Take what has paused for whole; end what has been silent or slow for too long."""
        now = time.monotonic()
        for line in list(self._lines.values()):
            if line.received and now - line.heard > self._pause:
                self._hand_over(line)
            elif now - line.began > self._longest_wait:
                self._drop(line)

    def _drop(self, line: _Line) -> None:
        self._let_go(line)
        line.socket.close()

    def _let_go(self, line: _Line) -> None:
        """No longer watched from here."""
        self._lines.pop(line.socket.fileno(), None)
        self._selector.unregister(line.socket)

    def _hand_over(self, line: _Line) -> None:
        self._let_go(line)
        if line.received.strip():
            self._workers.submit(self._reply, line)
        else:
            line.socket.close()

    # --- in a worker

    def _reply(self, line: _Line) -> None:
        """Answer and close. A peer that does not take its answer is given up after a while."""
        with line.socket:
            line.socket.settimeout(self._longest_wait)
            try:
                line.socket.sendall(self._answer(bytes(line.received), line.peer))
                line.socket.shutdown(socket.SHUT_WR)
            except OSError as gone:
                log.info("NCIP over TCP: %s did not take its answer: %s", line.peer, gone)


def answer_bytes(message: bytes, source_ip: str) -> bytes:
    """The responder's answer, with a database connection of this thread's own."""
    close_old_connections()
    try:
        return door.respond(message, now=timezone.now(), source_ip=source_ip).body
    finally:
        close_old_connections()
