"""A YAML file as plain data in which every place knows its line.

Strategy: the file is composed into nodes, never constructed into objects: a scalar stays the text that was typed (so
`barcode: 0042` keeps its zeros) and becomes a number, a date or a yes only where the schema asks for one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Place = tuple[str | int, ...]  # ("libraries", 0, "branches", 2, "code")

MOST_BYTES = 4 * 1024 * 1024
MOST_NODES = 200_000  # a file of aliases to aliases may unfold without end
MOST_DEPTH = 40
_YAML = "tag:yaml.org,2002:"
_SCALARS = {_YAML + kind for kind in ("str", "int", "float", "bool", "null", "timestamp")}


class Unusable(Exception):
    """The file cannot be read at all; the message is one sentence that names it."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in the file, and the remedy. `line` counts from 1; 0 means the file as a whole."""

    line: int
    sentence: str


@dataclass
class Document:
    """`data` is dictionaries, lists, text and None; `lines` says where each place stands in the file `name`."""

    name: str
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, place: Place) -> int:
        """The line of a place, or of the nearest thing around it that is in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_document(path: Path) -> Document:
    """Read the file at `path`; raises `Unusable` where it is missing, no text, empty, or not YAML."""
    document = Document(str(path))
    root = _compose(document.name, _text(path))
    document.lines[()] = 1
    try:
        document.data = _Walk(document).plain(root, (), ())
    except RecursionError:
        raise Unusable(f"{path} is nested too deeply to be a site file.") from None
    return document


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unusable(f"{path} is larger than {MOST_BYTES // 1024 // 1024} MB: that is no site file.")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise Unusable(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise Unusable(f"{path} is a folder; name the site file in it.") from None
    except ValueError:  # a NUL in the name itself
        raise Unusable("The name of the file holds a NUL character.") from None
    except OSError as no:
        raise Unusable(f"{path} cannot be read: {no.strerror or no}.") from None
    if b"\0" in raw:
        raise Unusable(f"{path} is not a text file (it holds NUL bytes); a site file is YAML, saved as UTF-8.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as no:
        line = raw[: no.start].count(b"\n") + 1
        raise Unusable(f"{path}:{line}: not UTF-8 text; save the file as UTF-8.") from None
    if not text.strip():
        raise Unusable(f"{path} is empty; docs/site-file.md shows what a site file says.")
    return text


def _compose(name: str, text: str) -> Node:
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as no:
        begun = no.context_mark if no.problem == "found unexpected end of stream" else None
        mark = begun or no.problem_mark or no.context_mark
        why = " ".join(part for part in (no.problem, no.context) if part)
        raise Unusable(f"{name}:{mark.line + 1 if mark else 1}: not YAML: {_plainly(why)}.") from None
    except YAMLError as no:
        raise Unusable(f"{name}: not YAML: {' '.join(str(no).split())}.") from None
    except RecursionError:
        raise Unusable(f"{name} is nested too deeply to be a site file.") from None
    if root is None:
        raise Unusable(f"{name} holds nothing but remarks; docs/site-file.md shows what a site file says.")
    return root


#: what the YAML reader says -> what a person can act on
_REMEDIES = {
    "mapping values are not allowed here": "a “key: value” where none can stand; check the indentation, and put text "
    "that holds a colon into quotes",
    "found character '\\t' that cannot start any token": "a tab; YAML is indented with spaces",
    "found unexpected end of stream": "a quotation mark that is never closed",
    "but found another document": "a second document after “---”; keep everything in one",
    "found undefined alias": "an alias (*name) without its anchor (&name)",
}


def _plainly(why: str) -> str:
    return next((remedy for said, remedy in _REMEDIES.items() if said in why), why)


class _Walk:
    """Nodes to plain data; notes lines and whatever YAML allows but a site file does not."""

    def __init__(self, document: Document) -> None:
        self.document, self.seen = document, 0

    def plain(self, node: Node, place: Place, above: tuple[int, ...]) -> Any:
        self.seen += 1
        if self.seen > MOST_NODES or len(above) > MOST_DEPTH:
            raise Unusable(f"{self.document.name} unfolds to more than a site file can be; use fewer aliases.")
        if id(node) in above:
            self._complain(node, "an alias that leads back into itself; write the values out")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, place, (*above, id(node)))
        if isinstance(node, SequenceNode):
            return self._sequence(node, place, (*above, id(node)))
        return self._scalar(node)

    def _mapping(self, node: MappingNode, place: Place, above: tuple[int, ...]) -> dict[str, Any]:
        self._refuse_tag(node, "map")
        found: dict[str, Any] = {}
        merged: list[Node] = []
        for key, value in node.value:
            if key.tag == _YAML + "merge":
                merged += value.value if isinstance(value, SequenceNode) else [value]
            elif not isinstance(key, ScalarNode):
                self._complain(key, "a key must be a word, not a list or a mapping")
            elif key.value in found:
                first = self.document.lines[(*place, key.value)]
                self._complain(key, f"“{key.value}” stands here twice (first in line {first}); keep one")
            else:
                # a one-line value is looked for where it stands, a block where it begins
                at = value if isinstance(value, ScalarNode) and value.value else key
                self.document.lines[*place, key.value] = at.start_mark.line + 1
                found[key.value] = self.plain(value, (*place, key.value), above)
        for source in merged:
            self._merge(found, source, place, above)
        return found

    def _merge(self, found: dict[str, Any], source: Node, place: Place, above: tuple[int, ...]) -> None:
        """`<<: *other` takes over whatever is not said here."""
        if not isinstance(source, MappingNode):
            self._complain(source, "“<<” takes over the keys of a mapping; this is none")
            return
        told_here = {key: line for key, line in self.document.lines.items() if key[: len(place)] == place}
        taken_over = self.plain(source, place, above)
        for key, value in (taken_over or {}).items():
            found.setdefault(key, value)
        self.document.lines |= told_here

    def _sequence(self, node: SequenceNode, place: Place, above: tuple[int, ...]) -> list[Any]:
        self._refuse_tag(node, "seq")
        found = []
        for index, value in enumerate(node.value):
            self.document.lines[*place, index] = value.start_mark.line + 1
            found.append(self.plain(value, (*place, index), above))
        return found

    def _scalar(self, node: Node) -> str | None:
        if node.tag not in _SCALARS:
            self._complain(node, f"the tag {node.tag} has no meaning in a site file; leave it out")
            return None
        return None if node.tag == _YAML + "null" else str(node.value)

    def _refuse_tag(self, node: Node, kind: str) -> None:
        if node.tag != _YAML + kind:
            self._complain(node, f"the tag {node.tag} has no meaning in a site file; leave it out")

    def _complain(self, node: Node, sentence: str) -> None:
        self.document.problems.append(Problem(node.start_mark.line + 1, sentence))
