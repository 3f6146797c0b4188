"""Load items: each row or copy understood as one `ItemRecord`, its codes looked up, its lengths checked.

Workflow: the library's own items are what lending (L1-L9) starts from; temporary items are never touched by a load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path

from interlend.circulation.models import Item, Title
from interlend.circulation.services import ItemRecord
from interlend.cli._loading import codes
from interlend.cli._loading.batches import Copy, save_items
from interlend.cli._loading.bibliographic import plain_isbn
from interlend.cli._loading.codes import CodeBook
from interlend.cli._loading.csvfile import Columns, CsvFile
from interlend.cli._loading.limits import check_lengths, lengths
from interlend.cli._loading.mapping import ItemMapping, read_mapping
from interlend.cli._loading.marcfile import looks_like_marc
from interlend.cli._loading.pipeline import Entry, Pipeline
from interlend.cli._loading.report import LoadError, LoadReport, Progress, Reject, Rejects, rejects_path
from interlend.cli._loading.sources import MarcFile, readable
from interlend.libraries.desks import Desk
from interlend.libraries.models import Library

COLUMNS = Columns(
    known=(
        "barcode", "title", "author", "publisher", "year", "edition", "isbn", "language", "record_id", "call_number",
        "volume", "material_format", "holding_location", "shelving_location", "home_branch", "note",
    ),
    required=("barcode", "title"),
)  # fmt: skip
PLACES = ("holding_location", "shelving_location", "home_branch")
#: words that would lose their meaning if they were cut
_WHOLE = lengths(Item, "barcode", "call_number", "volume", "material_format", "note") | lengths(Title, "record_id")


def load_items(
    path: Path | str,
    library: Library,
    now: datetime,
    mapping: Path | str | Mapping[str, object] | ItemMapping | None = None,
    progress: Progress | None = None,
    *,
    rejects: Path | None = None,
) -> LoadReport:
    """Load items from a CSV or MARC 21 file; each batch of 500 commits whole, so a load may be broken off and repeated.

    `mapping` is a mapping file, its words as a dictionary, or None (docs/loading.md tells its form). `rejects` is where
    rejected rows go (default: NAME.rejects.csv in the working folder). Raises `LoadError` before anything is written
    where the file or the mapping makes no sense as a whole.
    """
    path, head = readable(path)
    wishes = read_mapping(mapping)
    is_marc = looks_like_marc(head) or path.suffix.casefold() in (".mrc", ".marc")
    if is_marc and not looks_like_marc(head):
        raise LoadError(f"{path.name} is no MARC 21 file: it does not begin with a record's leader.")
    source = MarcFile(path, wishes) if is_marc else CsvFile(path, COLUMNS)
    reader = _ItemReader(library, wishes, path.name)
    desk = Desk(library.pk, library.time_zone, f"load of {path.name}"[:120])
    keep = _kept(source.present)

    def save(copies: Sequence[Copy]) -> Sequence[str | Reject]:
        return save_items(desk, copies, now, keep=keep)

    with Rejects(
        rejects_path(path, rejects), source.kept_header if isinstance(source, CsvFile) else source.columns
    ) as turned:
        line = Pipeline(
            reader.understand, save, turned, LoadReport(), source.size, progress, word="record" if is_marc else "row"
        )
        report = line.run(source.entries())
    report.remarks += [*source.remarks, *reader.remarks]
    return report


def _kept(present: frozenset[str]) -> frozenset[str]:
    """The fields of `ItemRecord` that a file without those columns leaves alone."""
    given = {f"{column}_id" if column in PLACES else column for column in present}
    return frozenset(f.name for f in fields(ItemRecord)) - given


@dataclass
class _ItemReader:
    """Turns cells into records, and remembers what the file has said of each title."""

    library: Library
    mapping: ItemMapping
    file: str
    contradictions: int = 0
    _said: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        places: dict[str, Callable[[Library, Mapping[str, str]], CodeBook]] = {
            "home_branch": codes.branches,
            "holding_location": codes.branches,
            "shelving_location": codes.shelving_locations,
        }
        # a file that calls a branch HUNT calls it so in both columns
        words = {column: self.mapping.translate(column) for column in places}
        words["holding_location"] = words["holding_location"] or words["home_branch"]
        self.books = {column: read(self.library, words[column]) for column, read in places.items()}
        for column, code in self.mapping.defaults.items():
            if column in self.books:
                self.books[column].check(code, f"The mapping's default for {column}")

    @property
    def remarks(self) -> list[str]:
        if not self.contradictions:
            return []
        said = "copies say something else of their title than an earlier copy of it; the first one was kept"
        return [f"{self.contradictions:,} {said}"]

    def understand(self, entry: Entry) -> Copy:
        """One copy; raises `Reject` with the first thing that is wrong with it."""
        cells = entry.cells
        if not cells.get("title"):
            raise Reject("It has no title." if "format_of_record" not in cells else "The record has no title (245).")
        check_lengths(cells, _WHOLE)
        home = self._place("home_branch", cells)
        record = ItemRecord(
            home_branch_id=home,
            holding_location_id=self._place("holding_location", cells, home),
            shelving_location_id=self._place("shelving_location", cells),
            material_format=self._format(cells),
            isbn=plain_isbn(cells.get("isbn", "")),
            **{name: cells.get(name, "") for name in _PLAIN},
        )
        return Copy(record, self._follows(record))

    def _place(self, column: str, cells: Mapping[str, str], otherwise: int = 0) -> int:
        book, default = self.books[column], self.mapping.defaults.get(column, "")
        if code := cells.get(column, ""):
            return book.key(code)
        if default:
            return book.own(default)
        if not otherwise:
            raise Reject(f"It has no {column}, and the mapping (--mapping) has no default for it.")
        return otherwise

    def _format(self, cells: Mapping[str, str]) -> str:
        said, words = cells.get("material_format", ""), self.mapping.translate("material_format")
        if said:
            return words.get(said, words.get(codes.ANY_OTHER, said))
        return self.mapping.defaults.get("material_format") or cells.get("format_of_record") or "Book"

    def _follows(self, record: ItemRecord) -> bool:
        """Whether the file has told this copy's title before; what it said first holds, so a repeat changes nothing."""
        if not record.record_id:
            return False
        says = hash(tuple(record.title_fields.values()))
        before = self._said.get(record.record_id)
        if before is None:
            self._said[record.record_id] = says
            return False
        self.contradictions += before != says
        return True


_PLAIN = (
    "barcode",
    "title",
    "author",
    "publisher",
    "year",
    "edition",
    "language",
    "record_id",
    "call_number",
    "volume",
    "note",
)
