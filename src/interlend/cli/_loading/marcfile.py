"""MARC 21 records out of a file (ISO 2709), however badly they were put in: one broken record costs one record.

Strategy: records end where their end mark stands, not where their leader says; each is checked against its own
directory before pymarc takes it apart into bytes; then its characters are read by what the bytes are (UTF-8, MARC-8
or a Windows code page), because leaders declare wrongly: position 09 is believed only where the bytes allow it.
Source: MARC 21 Record Structure, and Character Sets and Encoding Options (MARC-8, ANSEL).
"""

from __future__ import annotations

import mmap
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pymarc import Field, Record
from pymarc.exceptions import BadSubfieldCodeWarning, PymarcException
from pymarc.marc8 import marc8_to_unicode
from pymarc.marc8_mapping import CODESETS

from interlend.cli._loading.report import LoadError

END_OF_FIELD, END_OF_RECORD = b"\x1e", b"\x1d"
_LEADER = re.compile(rb"\d{5}[\x20-\x7e]{7}\d{5}[\x20-\x7e]{7}")
#: the leader of a next record right behind a field, where the end mark between them is missing
_NEXT_LEADER = re.compile(rb"\x1e[\r\n\x00 ]*(?=(\d{5}[acdnpos][a-z][a-z ][\x20-\x7e][ a]22\d{5}[\x20-\x7e]{7}))")


class BrokenRecord(Exception):
    """A record that cannot be taken apart; the message says why, for the rejects file."""


@dataclass(frozen=True)
class Chunk:
    """The bytes of one record, `at` the byte behind it; `problem` where its end or beginning is wrong already."""

    raw: bytes
    at: int
    problem: str = ""


def looks_like_marc(head: bytes) -> bool:
    return _LEADER.match(head.lstrip(b"\xef\xbb\xbf \r\n")) is not None


def chunks(path: Path) -> Iterator[Chunk]:
    """Every record of the file, whole or broken, in order."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = 0
        while at < len(data):
            while at < len(data) and data[at] in b"\xef\xbb\xbf\r\n \x00\x1a":  # padding between records
                at += 1
            if at == len(data):
                return
            end = _end_of(data, at)
            yield from _split(data[at:end], end)
            at = end


def _end_of(data: mmap.mmap, at: int) -> int:
    """Behind the record's end mark; the leader's length is believed only where it leads to one."""
    length = data[at : at + 5]
    if length.isdigit() and data[at + int(length) - 1 : at + int(length)] == END_OF_RECORD:
        return at + int(length)
    found = data.find(END_OF_RECORD, at)
    return len(data) if found < 0 else found + 1


def _split(raw: bytes, at: int) -> Iterator[Chunk]:
    """One record, or several where the marks between them are missing."""
    starts = [0, *(match.start(1) for match in _NEXT_LEADER.finditer(raw))]
    for start, end in zip(starts, [*starts[1:], len(raw)], strict=True):
        part = raw[start:end]
        problem = "" if part.endswith(END_OF_RECORD) else "The record has no end mark; part of it may be lost."
        if not problem and not _LEADER.match(part):
            problem = "The record does not begin with a leader."
        yield Chunk(part, at - len(raw) + end, problem)


# --- one record -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MarcRecord:
    """A record taken apart into bytes, and the `encoding` its bytes are in: UTF-8, MARC-8 or Windows-1252."""

    leader: str
    fields: list[Field]
    encoding: str
    declared: str

    def get(self, *tags: str) -> list[Field]:
        """The fields with these tags, in the order of the record."""
        return [field for field in self.fields if field.tag in tags]

    def text(self, value: str | bytes | None) -> str:
        """A value's characters, composed, without control characters and surplus space."""
        return _tidy(_decode(_bytes(value), self.encoding))

    def control(self, tag: str) -> str:
        """The value of the first control field with `tag` ("" where there is none); spaces inside it are kept."""
        found = self.get(tag)
        return _decode(_bytes(found[0].data), self.encoding) if found else ""

    def subfields(self, field: Field, codes: str) -> list[tuple[str, str]]:
        """(code, text) of the subfields of `field` that are in `codes` and not empty, in the order of the field."""
        found = ((part.code, self.text(part.value)) for part in field.subfields if part.code in codes)
        return [(code, text) for code, text in found if text]

    def joined(self, field: Field, codes: str) -> str:
        return " ".join(text for _, text in self.subfields(field, codes))


def parse(raw: bytes) -> MarcRecord:
    """One record; raises `BrokenRecord` where its leader, directory or characters cannot be trusted."""
    _check(raw)
    declared = "UTF-8" if raw[9:10] == b"a" else "MARC-8"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BadSubfieldCodeWarning)
            # the length is what it is, whatever the leader says
            record = Record(b"%05d" % min(len(raw), 99999) + raw[5:], to_unicode=False)
    except (PymarcException, ValueError, IndexError) as wrong:
        raise BrokenRecord(f"The record cannot be taken apart ({type(wrong).__name__}).") from wrong
    return MarcRecord(str(record.leader), list(record.fields), _encoding_of(raw, declared), declared)


def _check(raw: bytes) -> None:
    """The leader and the directory must lead to the fields' end marks."""
    base = raw[12:17]
    if not base.isdigit() or not 24 < int(base) <= len(raw) or raw[int(base) - 1 : int(base)] != END_OF_FIELD:
        raise BrokenRecord("The leader does not say where the fields begin.")
    directory = raw[24 : int(base) - 1]
    if not directory or len(directory) % 12:
        raise BrokenRecord("The directory is broken.")
    last = int(base)
    for start in range(0, len(directory), 12):
        entry = directory[start : start + 12]
        if not entry[3:].isdigit():
            raise BrokenRecord("The directory is broken.")
        end = int(base) + int(entry[7:]) + int(entry[3:7])
        if raw[end - 1 : end] != END_OF_FIELD:
            tag = entry[:3].decode("ascii", "replace")
            raise BrokenRecord(f"The directory does not lead to the end of field {tag}.")
        last = max(last, end)
    if raw[last:].strip(END_OF_RECORD + b"\r\n \x00"):
        raise BrokenRecord("There is more in the record than its directory tells of.")


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _tidy(text: str) -> str:
    printable = "".join(c if c.isprintable() or c in "\u200c\u200d" else " " if c.isspace() else "" for c in text)
    return " ".join(printable.split())


def _decode(value: bytes, encoding: str) -> str:
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    if encoding == "MARC-8":
        try:
            return marc8_to_unicode(value, hide_utf8_warnings=True)
        except UnicodeDecodeError as wrong:
            raise BrokenRecord("Some of its MARC-8 characters cannot be read.") from wrong
    if encoding == "Windows-1252":
        return value.decode("cp1252", "replace")
    return unicodedata.normalize("NFC", value.decode("utf-8", "replace"))


# --- in which characters ----------------------------------------------------------------------------------------

_ANSEL = frozenset(CODESETS[0x45]) | frozenset(range(0x80))
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
#: © and a year in Windows-1252; in MARC-8 a flat sign before a year, which no record means
_COPYRIGHT_YEAR = re.compile(rb"\xa9\d{4}")
#: the letters on which the common MARC-8 accents sit; others sit on any letter
_BEARERS = {
    0xE0: b"aeiouy", 0xE1: b"aeiouwyn", 0xE2: b"aeiouycgklmnprswz", 0xE3: b"aeiouycghjswz", 0xE4: b"aeiounvy",
    0xE5: b"aeiouyg", 0xE6: b"aeioug", 0xE8: b"aeiouywxht", 0xE9: b"aceghijklnorstuzd", 0xEA: b"auwy", 0xEE: b"ou",
    0xF0: b"cdeghklnrst", 0xF1: b"aeiou",
}  # fmt: skip
_ACCENTED = re.compile(rb"([\xe0-\xfe])([\x00-\xff])")


def _encoding_of(raw: bytes, declared: str) -> str:
    """What the bytes are, as far as they tell; a record of plain ASCII is what its leader says."""
    if raw.isascii() and b"\x1b" not in raw:
        return declared
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _not_quite_utf8(raw)
    return "MARC-8" if raw.isascii() else "UTF-8"  # escapes to other alphabets are plain bytes in MARC-8


def _not_quite_utf8(raw: bytes) -> str:
    if b"\x1b" in raw:
        return "MARC-8"
    high = sum(byte >= 0x80 for byte in raw)
    if 5 * sum(len(match) for match in _UTF8.findall(raw)) > 4 * high:
        return "UTF-8"  # with a few bytes damaged
    if _COPYRIGHT_YEAR.search(raw) or not _ANSEL.issuperset(raw):
        return "Windows-1252"
    likely = unlikely = 0
    for accent, letter in _ACCENTED.findall(raw):
        on = letter.lower()
        fits = on.isalpha() and on in _BEARERS.get(accent[0], on) if on.isascii() else on >= b"\xe0"
        likely, unlikely = likely + fits, unlikely + (not fits)
    return "MARC-8" if likely >= unlikely else "Windows-1252"


def encoding_remarks(read: Counter[tuple[str, str]]) -> list[str]:
    """What to say about (declared, read) encodings of a file's records."""
    return [
        f"{count:,} {'records' if count > 1 else 'record'} declared as {declared}, read as {encoding} by the bytes"
        for (declared, encoding), count in sorted(read.items())
        if declared != encoding
    ]


def fields_that_may_be_copies(path: Path, most: int = 50) -> dict[str, str]:
    """Tag -> subfield codes of what looks like fields of copies in the first records (852, 876, 9xx)."""
    found: dict[str, set[str]] = {}
    for number, chunk in enumerate(chunks(path)):
        if number == most:
            break
        try:
            record = parse(chunk.raw)
        except BrokenRecord:
            continue
        for field in record.fields:
            if field.tag in ("852", "876", "877", "878") or field.tag.startswith("9"):
                found.setdefault(field.tag, set()).update(part.code for part in field.subfields)
    return {tag: "".join(sorted(codes)) for tag, codes in sorted(found.items()) if codes}


def refuse_other_kinds(path: Path, head: bytes) -> None:
    """Raise `LoadError` for what is neither text nor MARC, with what to do about it."""
    if head.startswith(b"PK\x03\x04"):
        raise LoadError(f"{path.name} is a workbook or a zip file; save it as CSV (or unpack it) first.")
    if head.startswith(b"\x1f\x8b"):
        raise LoadError(f"{path.name} is compressed; unpack it first (gunzip).")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise LoadError(
            f"{path.name} is XML; MARCXML must be turned into MARC 21 (.mrc) first, for example with yaz-marcdump."
        )
