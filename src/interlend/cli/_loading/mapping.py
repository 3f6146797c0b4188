"""A library's mapping file: which MARC fields describe a copy, what the file's codes are called here, and defaults.

Strategy: a small YAML file given on the command line, read as plain words (so that a code 007 stays 007) with the line
of every word, and checked whole before the first record is read. Its form is told in docs/loading.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from interlend.cli._loading.report import LoadError

#: what a field of a copy may give
COPY_COLUMNS = (
    "barcode", "call_number", "volume", "material_format", "holding_location", "shelving_location", "home_branch",
    "note",
)  # fmt: skip
#: what a copy may get where the file says nothing
DEFAULT_COLUMNS = ("material_format", "holding_location", "shelving_location", "home_branch")
CODED_COLUMNS = DEFAULT_COLUMNS
WORDS = ("record_id", "codes", "defaults", "copy_per_record")
_TAG = re.compile(r"[0-9A-Za-z]{3}")
_PLACE = re.compile(r"(?P<tag>[0-9A-Za-z]{3})\$?(?P<code>[0-9a-z]?)")

Words = Mapping[str, "str | Words"]


@dataclass(frozen=True)
class ItemMapping:
    """`fields`: tag -> column -> subfield codes, whose values are joined by a space.

    `record_id` is a tag and a subfield code ("" for a control field). `codes`: column -> the file's code -> ours.
    `copy_per_record`: a record without a copy gets one, whose barcode is this prefix and the record's number; None: no.
    """

    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    record_id: tuple[str, str] = ("001", "")
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    copy_per_record: str | None = None

    def translate(self, column: str) -> Mapping[str, str]:
        return self.codes.get(column, {})

    @property
    def columns(self) -> frozenset[str]:
        """The columns that some field of the mapping gives."""
        return frozenset(column for columns in self.fields.values() for column in columns)


def read_mapping(given: Path | str | Mapping[str, object] | ItemMapping | None) -> ItemMapping:
    """A mapping from its file, or from the same words as a dictionary; raises `LoadError` with the line and remedy."""
    if given is None:
        return ItemMapping()
    if isinstance(given, ItemMapping):
        return given
    if isinstance(given, Mapping):
        return _Reader("mapping", {}).read(_plain(given))
    path = Path(given)
    words, lines = _words_of(path)
    return _Reader(path.name, lines).read(words)


def _plain(given: Mapping[Any, Any]) -> dict[str, str | Words]:
    return {
        f"{key:03}" if isinstance(key, int) else str(key): _plain(value) if isinstance(value, Mapping) else str(value)
        for key, value in given.items()
    }


def _words_of(path: Path) -> tuple[Words, dict[tuple[str, ...], int]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LoadError(f"There is no mapping file {path}.") from None
    except (OSError, UnicodeDecodeError) as no:
        raise LoadError(f"The mapping file {path} cannot be read as text: {no}.") from no
    try:
        root = YAML().compose(text)
    except YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise LoadError(f"{path.name}{line} is no YAML: {getattr(wrong, 'problem', None) or wrong}.") from wrong
    lines: dict[tuple[str, ...], int] = {}
    if root is None:
        return {}, lines
    words = _walk(root, (), lines, path.name)
    if isinstance(words, str):
        raise LoadError(f"{path.name} must be rows of “word: value”, not one value.")
    return words, lines


def _walk(node: Node, at: tuple[str, ...], lines: dict[tuple[str, ...], int], file: str) -> str | Words:
    """A YAML node as words, without any guess at numbers, dates or truth values."""
    lines[at] = node.start_mark.line + 1
    if isinstance(node, ScalarNode):
        return str(node.value)
    if not isinstance(node, MappingNode):
        raise LoadError(f"{file}, line {lines[at]}: a list is not expected here; write “word: value”.")
    words: dict[str, str | Words] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in words:
            raise LoadError(f"{file}, line {key.start_mark.line + 1}: “{name}” stands here twice.")
        words[name] = _walk(value, (*at, name), lines, file)
        lines[*at, name] = key.start_mark.line + 1
    return words


class _Reader:
    """Checks the words of one mapping and makes the record of them."""

    def __init__(self, name: str, lines: Mapping[tuple[str, ...], int]) -> None:
        self.name, self.lines = name, lines

    def read(self, words: Words) -> ItemMapping:
        fields = {tag: self._field(tag, value) for tag, value in words.items() if tag not in WORDS}
        place = self._text(words, "record_id") or "001"
        if (found := _PLACE.fullmatch(place)) is None:
            self._wrong(("record_id",), f"“{place}” is no field; write 001, or 907$a")
        tag, code = found["tag"], found["code"]
        if bool(code) == (tag < "010"):
            self._wrong(
                ("record_id",), f"“{place}” needs {'a subfield' if tag >= '010' else 'no subfield'}; as in 907$a, 001"
            )
        codes = {column: self._pairs(("codes", column), value) for column, value in self._part(words, "codes").items()}
        defaults = self._pairs(("defaults",), self._part(words, "defaults"))
        self._known(("codes",), codes, CODED_COLUMNS)
        self._known(("defaults",), defaults, DEFAULT_COLUMNS)
        copy = self._text(words, "copy_per_record") if "copy_per_record" in words else None
        return ItemMapping(fields, (tag, code), codes, defaults, copy)

    def _field(self, tag: str, value: str | Words) -> dict[str, str]:
        if not _TAG.fullmatch(tag) or tag < "010":
            meant = get_close_matches(tag, WORDS, 1)
            said = f"; {meant[0]} seems to be meant" if meant else ""
            self._wrong(
                (tag,), f"“{tag}” is neither a field with subfields (as 949) nor one of {', '.join(WORDS)}{said}"
            )
        columns = self._pairs((tag,), value)
        self._known((tag,), columns, COPY_COLUMNS)
        for column, codes in columns.items():
            if not re.fullmatch(r"\$?[0-9a-z]+", codes):
                self._wrong((tag, column), f"“{codes}” is no subfield; write one letter or digit, as in {column}: a")
        if "barcode" not in columns:
            self._wrong((tag,), f"field {tag} does not say where the barcode stands, as in {tag}: {{barcode: i}}")
        return {column: codes.removeprefix("$") for column, codes in columns.items()}

    def _pairs(self, at: tuple[str, ...], value: str | Words) -> dict[str, str]:
        if isinstance(value, str):
            self._wrong(at, f"“{at[-1]}” needs rows of “word: value”")
        pairs = {}
        for key, inner in value.items():
            if not isinstance(inner, str):
                self._wrong((*at, key), f"“{key}” needs one value")
            pairs[key] = inner.strip()
        return pairs

    def _known(self, at: tuple[str, ...], given: Mapping[str, object], known: tuple[str, ...]) -> None:
        for name in given:
            if name not in known:
                meant = get_close_matches(name, known, 1)
                said = f"; {meant[0]} seems to be meant" if meant else ""
                self._wrong((*at, name), f"“{name}” is not one of {', '.join(known)}{said}")

    def _part(self, words: Words, name: str) -> Words:
        part = words.get(name, {})
        if isinstance(part, str):
            self._wrong((name,), f"“{name}” needs rows of “word: value”")
        return part

    def _text(self, words: Words, name: str) -> str:
        value = words.get(name, "")
        if not isinstance(value, str):
            self._wrong((name,), f"“{name}” needs one value")
        return value.strip()

    def _wrong(self, at: tuple[str, ...], what: str) -> NoReturn:
        line = f", line {self.lines[at]}" if at in self.lines else ""
        raise LoadError(f"{self.name}{line}: {what}.")
