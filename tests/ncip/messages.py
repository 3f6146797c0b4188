"""Messages for the property tests: any message of any version, grown along the table so that each one is legal.

Strategy: hypothesis walks the content of an element as the codec itself has compiled it, takes one branch of each
choice, fills what is required and some of what is not. The official schemas judge the result, not this table.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from interlend.ncip import Code, Message, Moment, Part, Problem, Version, compiled, grammar
from interlend.ncip.compiled import Choice, Kind, Leaf, Sequence

_WORDS = [
    "Faust",
    "Ærø & Søn <2>",
    '"quoted"',
    "Война и мир",
    "漢字",
    "a\nb",
    "x]]>y",
    "0",
    "é",
    "a  b",
    "😀",
    "--",
    "&amp;",
]
_LETTERS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co", "Zs", "Zl", "Zp"]), min_size=1, max_size=12
)
texts = st.one_of(st.sampled_from(_WORDS), _LETTERS).map(str.strip).filter(bool)
uris = st.sampled_from(
    ["http://example.org/schemes/a.scm", "urn:isil", "NCIP Unique Agency Id", "http://example.org/?a=1&b=2", "a.scm"]
)
moments = st.sampled_from(
    [
        "2026-03-18T23:59:00",
        "2026-03-18T23:59:00Z",
        "2026-03-18T23:59:00.329Z",
        "2026-03-18T23:59:00-05:00",
        "1999-01-01T00:00:00.0+01:00",
    ]
).map(Moment)
fragments = st.sampled_from(
    ['<x:note xmlns:x="http://example.org/x" y="1">&amp;</x:note>', "<bare>1</bare>", '<a xmlns="urn:a"><b></b></a>']
)


@cache
def codes(version: Version) -> st.SearchStrategy[Code]:
    """Values from schemes; version 1 has none without a scheme."""
    return st.builds(Code, texts, uris if version.major == 1 else st.none() | uris)


Values = dict[str, Any]


def _leaf(leaf: Leaf, cls: type[Part], version: Version, depth: int) -> Callable[[st.DrawFn, Values], None]:
    field = compiled.field_of(cls, leaf.element)
    plural = compiled.field_names(cls)[field] == ()
    kind = compiled.kind_of(leaf.element)

    def draw_into(draw: st.DrawFn, values: Values) -> None:
        if field in values:
            return
        if not leaf.required and (depth > 2 or not draw(st.booleans())):
            return
        one = _value(leaf.element, cls, version, depth)
        if kind is Kind.EXT or (kind is Kind.WRAPPER and grammar.WRAPPERS[leaf.element].endswith("+")):
            values[field] = draw(one)
        elif plural:
            values[field] = draw(st.lists(one, min_size=1, max_size=2 if leaf.repeats else 1).map(tuple))
        else:
            values[field] = draw(one)

    return draw_into


@cache
def _value(element: str, cls: type[Part], version: Version, depth: int) -> st.SearchStrategy[Any]:
    kind = compiled.kind_of(element)
    if kind is Kind.TEXT:
        return texts
    if kind is Kind.CODE:
        return codes(version)
    if kind is Kind.FLAG:
        return st.just(True)
    if kind is Kind.MOMENT:
        return moments
    if kind is Kind.INTEGER:
        return st.integers(min_value=1, max_value=10**9)
    if kind is Kind.EXT:
        return st.lists(fragments, min_size=1, max_size=2).map(tuple)
    if kind is Kind.PROBLEM:
        return problems(version) if version.major == 1 else parts("Problem", version, depth + 1)
    if kind is Kind.WRAPPER:
        inner = grammar.WRAPPERS[element]
        value = _value(inner.rstrip("+"), cls, version, depth)
        return st.lists(value, min_size=1, max_size=2).map(tuple) if inner.endswith("+") else value
    return parts(element, version, depth + 1)


def problems(version: Version) -> st.SearchStrategy[Any]:
    """Version 1's errors: no detail, and the element as a path of names."""
    paths = st.lists(st.sampled_from(["UserId", "ItemId", "AgencyId"]), min_size=1, max_size=3).map("/".join)
    return st.builds(Problem, type=codes(version), element=st.none() | paths, value=st.none() | texts)


def _walk(sequence: Sequence, cls: type[Part], version: Version, depth: int, draw: st.DrawFn, values: Values) -> None:
    for node in sequence.nodes:
        if isinstance(node, Choice):
            if node.required or draw(st.booleans()):
                branch = draw(st.sampled_from(node.branches))
                _walk(branch, cls, version, depth, draw, values)
        elif node.element == "UserTransaction":
            for name in ("LoanedItem", "RequestedItem"):
                _leaf(Leaf(name, required=False, repeats=True), cls, version, depth)(draw, values)
        else:
            _leaf(node, cls, version, depth)(draw, values)


@cache
def parts(element: str, version: Version, depth: int = 0) -> st.SearchStrategy[Any]:
    """A composite or a message, whatever the version allows in it."""
    sequence = compiled.content(version, element)
    assert sequence is not None
    cls = compiled.class_of(element)

    @st.composite
    def build(draw: st.DrawFn) -> Part:
        values: Values = {}
        _walk(sequence, cls, version, depth, draw, values)
        return cls(**values)

    return build()


def message_names(version: Version) -> list[str]:
    """The services that a version knows, requests, answers and notifications."""
    return sorted(name for name in compiled.MESSAGE_NAMES if compiled.content(version, name) is not None)


def messages(version: Version, name: str) -> st.SearchStrategy[Message]:
    """Messages of one service in one version. LookupVersion has one form for all versions, that of version 1."""
    return parts(name, Version.V1_0 if name.startswith("LookupVersion") else version)
