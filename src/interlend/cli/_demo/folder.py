"""The demo's data folder: held by one demo at a time, filled once, emptied on wish, never mistaken for an installation.

Strategy: a file `demo` beside the database says that it is the demo's, and whether it was filled to the end; without
that file a database is somebody's own and is not touched.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

BEGUN, READY = "begun", "ready"


class NotOurs(Exception):
    """The folder cannot be used; the message is one sentence that says what to do."""


class DemoFolder:
    """`path` is the data folder, `database` the SQLite file in it."""

    def __init__(self, path: Path, database: Path) -> None:
        self.path, self.database = path, database
        self.sign, self.lock = path / "demo", path / "demo.lock"

    @contextmanager
    def held(self, address: str) -> Iterator[None]:
        """Keep other demos out for as long as this one runs; the system lets go however it ends."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self.lock.open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                where = lock.read().strip()
                raise NotOurs(
                    f"A demo is running on {self.path} already{f', at {where}' if where else ''}: "
                    "use that one, stop it, or name another folder in INTERLEND_DATA."
                ) from None
            lock.truncate(0)
            lock.write(address)
            lock.flush()
            yield

    @property
    def ready(self) -> bool:
        """Whether the consortium lies here, filled to the end."""
        return self._says() == READY and self.database.exists()

    def begin(self, *, fresh: bool) -> None:
        """Make room for a new consortium, if it is wished for or if the last one was never finished."""
        if self.database.exists() and self._says() not in (BEGUN, READY):
            raise NotOurs(
                f"{self.database} is an installation of its own, not the demo's; it stays untouched. "
                "Name another folder for the demo: INTERLEND_DATA=demo-data make demo"
            )
        if fresh or not self.ready:
            connections.close_all()
            for name in ("", "-wal", "-shm", "-journal"):
                self.database.with_name(self.database.name + name).unlink(missing_ok=True)
            self._say(BEGUN)

    def finish(self) -> None:
        self._say(READY)

    def _says(self) -> str:
        return self.sign.read_text(encoding="utf-8").split("\n")[0] if self.sign.is_file() else ""

    def _say(self, word: str) -> None:
        self.sign.write_text(
            f"{word}\nThis folder belongs to `interlend demo`; `make demo-fresh` empties it.\n", encoding="utf-8"
        )
