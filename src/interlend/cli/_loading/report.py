"""What a load tells: how many records fared how, which were turned away and why, and what was remarkable.

Strategy: a record that cannot be loaded is turned away alone (`Reject`, one plain reason, kept in a file that can be
mended and loaded again); only a file that makes no sense as a whole ends the load (`LoadError`).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BufferedWriter, TextIOWrapper
from pathlib import Path
from types import TracebackType

#: (records read so far, bytes read so far, bytes in all)
Progress = Callable[[int, int, int], None]

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"

#: columns that a rejects file adds; a load of that file passes over them
ADDED_COLUMNS = ("row", "reason", "line")


class LoadError(Exception):
    """The file as a whole cannot be loaded; the message is one sentence for a person."""


class Reject(Exception):
    """One record cannot be loaded; the message is the reason, for the rejects file."""


@dataclass
class LoadReport:
    """How a load went. `rejects` is the file with the rejected rows, `rejected_records` the one with MARC records."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejects: Path | None = None
    rejected_records: Path | None = None
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def records(self) -> int:
        return self.created + self.updated + self.unchanged + self.rejected

    @property
    def per_second(self) -> float:
        return self.records / self.seconds if self.seconds else 0.0

    def count(self, outcome: str) -> None:
        """One record more that was created, updated or unchanged."""
        setattr(self, outcome, getattr(self, outcome) + 1)


class Rejects:
    """The rejects file of one load, made when the first record is turned away; readable by its owner only (PINs)."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, columns
        self.records_path = path.with_suffix(".mrc")
        self._rows: TextIOWrapper | None = None
        self._records: BufferedWriter | None = None
        self._last_record: int | None = None

    def __enter__(self) -> Rejects:
        # what an earlier run of the same load turned away is out of date now
        self.path.unlink(missing_ok=True)
        self.records_path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._rows, self._records):
            if file is not None:
                file.close()

    def add(self, number: int, reason: str, values: Sequence[str], raw: bytes | None = None) -> None:
        """Record `number` (a line of a CSV file, the position in a MARC file) with its reason and itself."""
        if self._rows is None:
            # with a byte order mark, so that spreadsheets read it as UTF-8
            self._rows = TextIOWrapper(_private(self.path), encoding="utf-8-sig", newline="")
            csv.writer(self._rows).writerow(["row", "reason", *self.columns])
        csv.writer(self._rows).writerow([number, reason, *values])
        if raw is not None and number != self._last_record:
            self._records = self._records or _private(self.records_path)
            self._records.write(raw if raw.endswith(b"\x1d") else raw + b"\x1d")
            self._last_record = number

    @property
    def written(self) -> Path | None:
        return self.path if self._rows else None

    @property
    def written_records(self) -> Path | None:
        return self.records_path if self._records else None


def _private(path: Path) -> BufferedWriter:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as no:
        raise LoadError(f"The rejects file {path} cannot be written: {no.strerror}. Name another (--rejects).") from no
    return os.fdopen(descriptor, "wb")


def rejects_path(source: Path, asked: Path | None) -> Path:
    """Where rejects go: as asked, else in the working folder, named after the file that is loaded."""
    path = asked or Path.cwd() / f"{source.stem}.rejects.csv"
    if path.resolve() == source.resolve():
        raise LoadError(f"The rejects would be written over {source.name} itself; name another file (--rejects).")
    return path
