"""Where entries come from: a file that can be read at all, and a MARC file's copies as rows of the items' columns.

Strategy: CSV and MARC become the same thing, an entry with named cells, so that one way leads on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pymarc import Field

from interlend.cli._loading import marcfile
from interlend.cli._loading.bibliographic import Bibliographic, describe
from interlend.cli._loading.csvfile import clean
from interlend.cli._loading.mapping import ItemMapping
from interlend.cli._loading.marcfile import BrokenRecord, MarcRecord
from interlend.cli._loading.pipeline import Entry
from interlend.cli._loading.report import LoadError

#: leader 06 of what is no bibliographic record
_OTHER_RECORDS = dict.fromkeys("uvxy", "holdings") | {"z": "authority", "q": "community", "w": "classification"}


def readable(path: Path | str) -> tuple[Path, bytes]:
    """The file and its first bytes; raises `LoadError` for one that is missing, a folder, empty or locked."""
    path = Path(path)
    if path.is_dir():
        raise LoadError(f"{path} is a folder; name the file in it.")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError:
        raise LoadError(f"There is no file {path}.") from None
    except OSError as no:
        raise LoadError(f"{path} cannot be read: {no.strerror}.") from no
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        raise LoadError(f"{path.name} is empty.")
    marcfile.refuse_other_kinds(path, head)
    return path, head


class MarcFile:
    """The copies of a MARC file as entries; `remarks` are complete once all of them were read."""

    columns = ("barcode", "title", "copy")

    def __init__(self, path: Path, mapping: ItemMapping) -> None:
        self.path, self.mapping, self.size = path, mapping, path.stat().st_size
        self.records = self.copies = 0
        self._encodings: Counter[tuple[str, str]] = Counter()
        if not mapping.fields and mapping.copy_per_record is None:
            raise LoadError(
                f"{path.name} is a MARC file: a mapping file (--mapping) must say which field describes a copy, as in "
                f"“949: {{barcode: i, shelving_location: l, home_branch: m, call_number: a}}”. {self._what_there_is()}"
            )

    @property
    def present(self) -> frozenset[str]:
        """The columns that every entry says something about; the others stay as they are in the house."""
        of_record = {"title", "author", "publisher", "year", "edition", "isbn", "language", "record_id"}
        return frozenset(of_record | {"barcode", "call_number", "material_format"} | self.mapping.columns)

    @property
    def remarks(self) -> list[str]:
        said = marcfile.encoding_remarks(self._encodings)
        if self.records and not self.copies:
            tags = ", ".join(self.mapping.fields)
            said.append(f"none of its records has a copy in field {tags}. {self._what_there_is()}")
        return said

    def _what_there_is(self) -> str:
        found = marcfile.fields_that_may_be_copies(self.path)
        said = "; ".join(f"{tag} ${' $'.join(codes)}" for tag, codes in found.items())
        return f"Its first records have {said}." if said else "Its first records have no field that looks like a copy."

    def entries(self) -> Iterator[Entry]:
        """One entry a copy; one with a problem for a record that gives none."""
        for chunk in marcfile.chunks(self.path):
            self.records += 1
            try:
                if chunk.problem:
                    raise BrokenRecord(chunk.problem)
                yield from self._copies(marcfile.parse(chunk.raw), chunk)
            except BrokenRecord as broken:
                yield Entry(self.records, {}, ("", "", ""), str(broken), chunk.raw, chunk.at)

    def _copies(self, record: MarcRecord, chunk: marcfile.Chunk) -> Iterator[Entry]:
        if record.leader[5:6] == "d":
            raise BrokenRecord("The record is marked as deleted (leader 05).")
        if other := _OTHER_RECORDS.get(record.leader[6:7]):
            raise BrokenRecord(f"It is a record of another kind ({other}), not of a title.")
        self._encodings[record.declared, record.encoding] += 1
        about = describe(record)
        number = self._number(record)
        fields = record.get(*self.mapping.fields)
        made = [(self._cells(record, field), _as_text(record, field)) for field in fields]
        if not made:
            made = [({"barcode": f"{self.mapping.copy_per_record}{number}"}, "")] if self._makes_one(number) else []
        self.copies += len(made)
        if not made:
            yield Entry(self.records, {}, ("", about.title, ""), self._why_none(), chunk.raw, chunk.at)
        for cells, said in made:
            values = (cells.get("barcode", ""), about.title, said)
            yield Entry(self.records, _complete(cells, about, number), values, "", chunk.raw, chunk.at)

    def _makes_one(self, number: str) -> bool:
        return self.mapping.copy_per_record is not None and bool(number)

    def _why_none(self) -> str:
        if self.mapping.copy_per_record is not None:
            return f"The record has no number (field {self.mapping.record_id[0]}) to make a barcode of."
        return f"The record has no copy (field {', '.join(self.mapping.fields)})."

    def _number(self, record: MarcRecord) -> str:
        tag, code = self.mapping.record_id
        if not code:
            return clean(record.control(tag))
        return next((said for field in record.get(tag) if (said := record.joined(field, code))), "")

    def _cells(self, record: MarcRecord, field: Field) -> dict[str, str]:
        return {column: record.joined(field, codes) for column, codes in self.mapping.fields[field.tag].items()}


def _complete(cells: dict[str, str], about: Bibliographic, number: str) -> dict[str, str]:
    """A copy's cells with what its record says of all copies."""
    return {
        "title": about.title, "author": about.author, "publisher": about.publisher, "year": about.year,
        "edition": about.edition, "isbn": about.isbn, "language": about.language, "record_id": number,
        **cells,
        "call_number": cells.get("call_number") or about.call_number,
        "format_of_record": about.material_format,
    }  # fmt: skip


def _as_text(record: MarcRecord, field: Field) -> str:
    """The field as cataloguers write it, for the rejects file."""
    return " ".join(f"${part.code} {record.text(part.value)}" for part in field.subfields)
