"""The one way that records go from a file into the house: read, understood, saved in batches that commit whole.

Strategy: a batch is looked up with a handful of queries; what is unchanged costs no write at all, so a load that was
interrupted is simply run again. A record that cannot be understood, and a barcode that the file has had before, are
turned away with a reason while the rest of their batch is saved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from interlend.cli._loading.report import LoadReport, Progress, Reject, Rejects

T = TypeVar("T")

BATCH = 500


@dataclass(frozen=True)
class Entry:
    """One row or one copy as the file gives it. `values` are what the rejects file keeps of it, `raw` its MARC record.

    `number` is the line or the record's position, from 1; `at` the byte reached; `problem` says why it cannot be read.
    """

    number: int
    cells: dict[str, str]
    values: Sequence[str] = ()
    problem: str = ""
    raw: bytes | None = None
    at: int = 0

    @property
    def barcode(self) -> str:
        return self.cells.get("barcode", "")


@dataclass
class Pipeline(Generic[T]):
    """`understand` makes a record of an entry or raises `Reject`; `save` gives each record's outcome, or its reject.

    `costly` counts what of a record is slow to save (a PIN to hash), `most_costly` how much of that one batch may hold.
    """

    understand: Callable[[Entry], T]
    save: Callable[[Sequence[T]], Sequence[str | Reject]]
    rejects: Rejects
    report: LoadReport
    size: int = 0  # bytes of the file
    progress: Progress | None = None
    costly: Callable[[T], bool] | None = None
    most_costly: int = 25
    word: str = "row"
    _pending: list[tuple[Entry, T | Reject]] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)

    def run(self, entries: Iterable[Entry]) -> LoadReport:
        """Take every entry; the report's counts grow with each batch that was committed."""
        began = time.monotonic()
        costs = 0
        for entry in entries:
            taken = self._take(entry)
            self._pending.append((entry, taken))
            costs += not isinstance(taken, Reject) and self.costly is not None and self.costly(taken)
            if len(self._pending) >= BATCH or costs >= self.most_costly:
                self._flush()
                costs = 0
        self._flush()
        self.report.seconds = time.monotonic() - began
        self.report.rejects, self.report.rejected_records = self.rejects.written, self.rejects.written_records
        return self.report

    def _take(self, entry: Entry) -> T | Reject:
        try:
            if entry.problem:
                raise Reject(entry.problem)
            if not entry.barcode:
                raise Reject("It has no barcode.")
            if (before := self._seen.get(entry.barcode)) is not None:
                raise Reject(f"The barcode {entry.barcode} stands in {self.word} {before} already.")
            understood = self.understand(entry)
            self._seen[entry.barcode] = entry.number
            return understood
        except Reject as reject:
            return reject

    def _flush(self) -> None:
        outcomes = iter(self.save([taken for _, taken in self._pending if not isinstance(taken, Reject)]))
        for entry, taken in self._pending:
            outcome = taken if isinstance(taken, Reject) else next(outcomes)
            if isinstance(outcome, Reject):
                self.report.rejected += 1
                self.rejects.add(entry.number, str(outcome), entry.values, entry.raw)
            else:
                self.report.count(outcome)
        if self.progress is not None and self._pending:
            self.progress(self.report.records, self._pending[-1][0].at, self.size)
        self._pending.clear()
