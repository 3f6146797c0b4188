"""CSV files as libraries have them: any of the usual encodings and separators, a header that names the columns.

Strategy: decide the encoding and the separator from the file and say so aloud; refuse a header that would silently
lose a column; read each row by itself, so that a quotation mark left open costs one row and not the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from interlend.cli._loading.pipeline import Entry
from interlend.cli._loading.report import ADDED_COLUMNS, LoadError

#: the most lines that one row may stretch over (line breaks in an address); beyond that a quotation mark was left open
MOST_LINES = 50
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Columns:
    """The columns that a kind of file may have, and those it must have."""

    known: tuple[str, ...]
    required: tuple[str, ...]


class CsvFile:
    """An opened CSV file: `columns` in the file's order (None for one that is passed over), `remarks` said aloud."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path, self.size = path, path.stat().st_size
        self.codec, self.remarks = detect_encoding(path)
        with self._open() as text:
            first = next((line for line in text if line.strip()), "")
        if not first:
            raise LoadError(f"{path.name} is empty.")
        self.separator, self.header = _split_header(first, columns)
        if self.separator != ",":
            self.remarks.append(f"its values are separated by {SEPARATORS[self.separator]}")
        self.columns, passed_over = _match_header(path.name, self.header, columns)
        if passed_over:
            self.remarks.append(f"columns that are not known and were passed over: {', '.join(passed_over)}")

    @property
    def present(self) -> frozenset[str]:
        return frozenset(column for column in self.columns if column)

    def _open(self) -> TextIO:
        return self.path.open(encoding=self.codec, errors="replace", newline="")

    def entries(self) -> Iterator[Entry]:
        """Every row below the header; blank lines are passed over."""
        with self._open() as text:
            lines = _Lines(text)
            header_seen = False
            while (line := lines.next()) is not None:
                if not line.strip(" \t\r\n\ufeff" + self.separator):
                    continue
                number = lines.number
                values, problem, written = self._row(line, lines)
                if header_seen:
                    yield self._entry(number, values, problem, written, text.buffer.tell())
                header_seen = True

    def _row(self, line: str, lines: _Lines) -> tuple[list[str], str, str]:
        """The row that begins with `line`: its values, what is wrong with it, its text. Takes the lines it needs."""
        taken = [line]
        while True:
            try:
                return next(csv.reader(taken, delimiter=self.separator, strict=True)), "", "".join(taken)
            except csv.Error as wrong:
                unclosed = "unexpected end" in str(wrong)
                more = lines.next() if unclosed and len(taken) < MOST_LINES else None
                if more is None:
                    lines.put_back(taken[1:])
                    said = (
                        "A quotation mark is opened and never closed." if unclosed else f"It is no proper CSV: {wrong}."
                    )
                    return [], said, line
                taken.append(more)

    def _entry(self, number: int, values: list[str], problem: str, written: str, at: int) -> Entry:
        there, wanted = len(values), len(self.header)
        if not problem and there != wanted:
            problem = f"It has {there} values, the header names {wanted} (a value with a separator in it needs quotes)."
        if problem:
            # nothing but its text is sure, so no value may be loaded from the rejects file before a person mends it
            return Entry(number, {}, [*([""] * (len(self.kept_header) - 1)), written.rstrip("\r\n")], problem, at=at)
        if any("\ufffd" in value for value in values):
            problem = f"Some of its characters are not {self.codec.removesuffix('-sig').upper()}."
        cells = {column: clean(value) for column, value in zip(self.columns, values, strict=True) if column}
        kept = [value for value, column in zip(values, self.header, strict=True) if not is_added(column)]
        return Entry(number, cells, [*kept, ""], problem, at=at)

    @property
    def kept_header(self) -> list[str]:
        return [column for column in self.header if not is_added(column)] + ["line"]


def is_added(column: str) -> bool:
    """A column that a rejects file adds."""
    return normal(column) in ADDED_COLUMNS


def clean(value: str) -> str:
    """A value without surrounding space and without control characters (no database takes them)."""
    return _CONTROL.sub("", value).strip().strip("\ufeff")


class _Lines:
    """The lines of a file, with their numbers and the possibility to put some back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._back: list[str] = []
        self.number = 0

    def next(self) -> str | None:
        line = self._back.pop(0) if self._back else next(self._text, None)
        self.number += line is not None
        return line

    def put_back(self, lines: Sequence[str]) -> None:
        self._back[:0] = lines
        self.number -= len(lines)


# --- the header -------------------------------------------------------------------------------------------------


def normal(column: str) -> str:
    """A column's name as it is compared: "Home-Branch " is home_branch."""
    return re.sub(r"[\s_-]+", "_", column.strip("\ufeff \t\r\n").casefold()).strip("_")


def _split_header(line: str, columns: Columns) -> tuple[str, list[str]]:
    """The separator that makes the most known columns of the first line, and the columns it makes."""

    def split(separator: str) -> list[str]:
        return next(csv.reader([line.strip("\ufeff\r\n")], delimiter=separator), [])

    separator = max(SEPARATORS, key=lambda each: sum(normal(name) in columns.known for name in split(each)))
    return separator, split(separator)


def _match_header(file: str, header: list[str], columns: Columns) -> tuple[list[str | None], list[str]]:
    names = [normal(name) for name in header]
    if not set(names) & set(columns.known):
        raise LoadError(
            f"The first line of {file} is no header; it must name {', '.join(columns.required)}, and any of "
            f"{', '.join(name for name in columns.known if name not in columns.required)}."
        )
    if twice := sorted({name for name in names if name in columns.known and names.count(name) > 1}):
        raise LoadError(f"The header of {file} names {twice[0]} twice.")
    unknown = [name for name in names if name not in columns.known and name not in ADDED_COLUMNS and name]
    absent = [name for name in columns.known if name not in names]
    for name in (name for name in columns.required if name in absent):
        meant = get_close_matches(name, unknown, 1, 0.6)
        said = f"; “{_as_written(meant[0], header)}” seems to be meant" if meant else ""
        raise LoadError(f"{file} has no column {name}{said}. Its columns are {', '.join(header)}.")
    for name in unknown:
        if meant := get_close_matches(name, absent, 1, 0.75):
            raise LoadError(f"{file} has a column “{_as_written(name, header)}”; {meant[0]} seems to be meant.")
    return [name if name in columns.known else None for name in names], [_as_written(name, header) for name in unknown]


def _as_written(name: str, header: list[str]) -> str:
    return next(column.strip() for column in header if normal(column) == name)


# --- the encoding -----------------------------------------------------------------------------------------------

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


def detect_encoding(path: Path) -> tuple[str, list[str]]:
    """The codec of a text file, and what must be said about it. Reads the file once through unless it has a mark."""
    with path.open("rb") as file:
        head = file.read(4096)
        for mark, codec, name in _MARKS:
            if head.startswith(mark):
                return codec, [] if codec == "utf-8-sig" else [f"it is {name}"]
        # the header's names are plain letters: in UTF-16 every other byte of them is zero
        even, odd = head[:64:2].count(0), head[1:64:2].count(0)
        if abs(even - odd) > len(head[:64]) // 4:
            little = odd > even
            return ("utf-16-le" if little else "utf-16-be"), ["it has no byte order mark; it was read as UTF-16"]
        file.seek(0)
        if (bad := _first_bad_byte(file, "utf-8")) is None:
            return "utf-8", []
        file.seek(0)
        western = "cp1252" if _first_bad_byte(file, "cp1252") is None else "latin-1"
    name = "Windows-1252" if western == "cp1252" else "Latin-1"
    return western, [f"it is not UTF-8 (byte {bad + 1:,}); it was read as {name}"]


def _first_bad_byte(file: io.BufferedReader, codec: str) -> int | None:
    decoder, at = codecs.getincrementaldecoder(codec)(), 0
    while True:
        chunk = file.read(1 << 20)
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as bad:
            return at - waiting + bad.start
        if not chunk:
            return None
        at += len(chunk)
