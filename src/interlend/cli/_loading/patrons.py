"""Load patrons: each row understood as one `PatronRecord`, its codes and dates read, its PIN hashed where needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from interlend.circulation.models import Patron
from interlend.circulation.services import PatronRecord
from interlend.cli._loading import codes
from interlend.cli._loading.batches import Reader, save_patrons
from interlend.cli._loading.csvfile import Columns, CsvFile
from interlend.cli._loading.limits import check_lengths, lengths
from interlend.cli._loading.marcfile import looks_like_marc
from interlend.cli._loading.pipeline import Entry, Pipeline
from interlend.cli._loading.report import LoadError, LoadReport, Progress, Reject, Rejects, rejects_path
from interlend.cli._loading.sources import readable
from interlend.libraries.desks import Desk
from interlend.libraries.models import Library

COLUMNS = Columns(
    known=(
        "barcode", "surname", "given_name", "patron_type", "home_branch", "email", "phone", "address", "expires_on",
        "blocked_since", "block_reason", "note", "pin", "kind",
    ),
    required=("barcode", "surname", "patron_type"),
)  # fmt: skip
REFERENCES = ("patron_type", "home_branch")
_LIMITS = lengths(Patron, "barcode", "surname", "given_name", "email", "phone", "block_reason")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def load_patrons(
    path: Path | str,
    library: Library,
    now: datetime,
    progress: Progress | None = None,
    *,
    check_pins: bool = False,
    rejects: Path | None = None,
) -> LoadReport:
    """Load patrons from a CSV file; each batch commits whole, so a load may be broken off and repeated.

    PINs are hashed for patrons who have none yet; `check_pins` also compares those of patrons who have one (slow).
    `rejects` is where rejected rows go (default: NAME.rejects.csv in the working folder). Raises `LoadError` before
    anything is written where the file makes no sense as a whole.
    """
    path, head = readable(path)
    if looks_like_marc(head):
        raise LoadError(f"{path.name} is a MARC file; patrons are loaded from CSV (items: interlend load items).")
    source = CsvFile(path, COLUMNS)
    reader = _PatronReader(library)
    desk = Desk(library.pk, library.time_zone, f"load of {path.name}"[:120])
    given = {f"{column}_id" if column in REFERENCES else column for column in source.present}
    keep = frozenset(f.name for f in fields(PatronRecord)) - given

    def save(readers: Sequence[Reader]) -> Sequence[str | Reject]:
        return save_patrons(desk, readers, now, keep=keep, check_pins=check_pins)

    with Rejects(rejects_path(path, rejects), source.kept_header) as turned:
        line = Pipeline(
            reader.understand, save, turned, LoadReport(), source.size, progress, costly=lambda each: bool(each.pin)
        )
        report = line.run(source.entries())
    report.remarks += source.remarks
    if "pin" in source.present and not check_pins and report.updated + report.unchanged:
        report.remarks.append("PINs of patrons who have one already were left alone (--check-pins compares them)")
    return report


class _PatronReader:
    """Turns cells into records of one library."""

    def __init__(self, library: Library) -> None:
        self.types, self.branches = codes.patron_types(library), codes.branches(library)

    def understand(self, entry: Entry) -> Reader:
        """One patron; raises `Reject` with the first thing that is wrong with the row."""
        cells = entry.cells
        check_lengths(cells, _LIMITS)
        for column in ("surname", "patron_type"):
            if not cells.get(column):
                raise Reject(f"It has no {column}.")
        record = PatronRecord(
            barcode=cells["barcode"],
            surname=cells["surname"],
            given_name=cells.get("given_name", ""),
            kind=_kind(cells.get("kind", "")),
            patron_type_id=self.types.key(cells["patron_type"]),
            home_branch_id=self.branches.key(cells["home_branch"]) if cells.get("home_branch") else None,
            email=_email(cells.get("email", "")),
            phone=cells.get("phone", ""),
            address=cells.get("address", ""),
            expires_on=_day("expires_on", cells),
            blocked_since=_day("blocked_since", cells),
            block_reason=cells.get("block_reason", ""),
            note=cells.get("note", ""),
        )
        if record.block_reason and record.blocked_since is None and "blocked_since" in cells:
            raise Reject("It has a block_reason but no blocked_since, so nobody knows whether the account is blocked.")
        return Reader(record, cells.get("pin", ""))


def _kind(text: str) -> str:
    kind = text.casefold() or Patron.Kind.PERSON.value
    if kind not in Patron.Kind.values:
        raise Reject(f"Its kind is “{text}”; it may be {' or '.join(Patron.Kind.values)}.")
    return kind


def _email(text: str) -> str:
    try:
        validate_email(text or "nobody@example.org")
    except ValidationError:
        raise Reject(f"“{text}” is no e-mail address.") from None
    return text


def _day(column: str, cells: Mapping[str, str]) -> date | None:
    text = cells.get(column, "")
    try:
        if text and not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Reject(f"Its {column} is “{text}”; a day is written as in 2027-05-31.") from None
