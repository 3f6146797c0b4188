"""The table against the official schemas, content model by content model, and against the classes."""

from __future__ import annotations

import re
from typing import get_type_hints

import pytest
from lxml import etree

from interlend import ncip
from interlend.ncip import Version, compiled, grammar, parts, values
from interlend.ncip.compiled import Choice, Kind, Leaf, Sequence

from .conftest import SCHEMAS

XS = "{http://www.w3.org/2001/XMLSchema}"


def _model(node: etree._Element) -> str:
    """A schema's content model in our notation, groups of one dropped."""
    low, high = node.get("minOccurs", "1"), node.get("maxOccurs", "1")
    mark = {("1", "1"): "", ("0", "1"): "?", ("0", "unbounded"): "*", ("1", "unbounded"): "+"}[low, high]
    if node.tag == XS + "element":
        return f"{node.get('ref')}{mark}"
    inner = [
        text
        for child in node
        if child.tag in {XS + "element", XS + "choice", XS + "sequence"}
        if (text := _model(child))
    ]
    if node.tag == XS + "choice":
        return f"({' | '.join(inner)}){mark}"
    return " ".join(inner) if mark == "" else f"({' '.join(inner)}){mark}"


def _plain(node: Sequence | Leaf | Choice) -> object:
    """A parsed row in a form that can be compared, without Ext."""
    if isinstance(node, Leaf):
        mark = {(True, False): "", (False, False): "?", (False, True): "*", (True, True): "+"}[
            node.required, node.repeats
        ]
        return node.element + mark
    if isinstance(node, Choice):
        # The order of alternatives is ours to choose: the one to prefer comes first.
        return ("choice" + ("" if node.required else "?"), tuple(sorted(map(repr, map(_plain, node.branches)))))
    return tuple(_plain(inner) for inner in node.nodes if not (isinstance(inner, Leaf) and inner.element == "Ext"))


@pytest.mark.parametrize(("version", "name"), [(Version.V2_0, "2_0"), (Version.V2_01, "2_01"), (Version.V2_02, "2_02")])
def test_rows_equal_the_schema(version: Version, name: str) -> None:
    path = SCHEMAS / f"ncip_v{name}.xsd"
    if not path.exists():
        pytest.skip(f"the official schemas are not at {SCHEMAS}")
    seen = 0
    for element in etree.parse(path).getroot().iterchildren(XS + "element"):
        body = element.find(f"{XS}complexType/{XS}sequence")
        own = compiled.content(version, element.get("name", ""))
        if body is None or own is None or element.get("name") in grammar.WRAPPERS:
            continue
        theirs = compiled.parse_row(_model(body))
        assert _plain(own) == _plain(theirs), element.get("name")
        # Ours has one Ext, theirs may allow another further in; where ours stands, theirs allows it.
        assert "Ext" not in {leaf.element for leaf in compiled.leaves(own)} - {
            leaf.element for leaf in compiled.leaves(theirs)
        }
        seen += 1
    assert seen > 150


def test_rows_equal_the_document_type() -> None:
    path = SCHEMAS / "ncip_v1_0.dtd"
    if not path.exists():
        pytest.skip(f"the official schemas are not at {SCHEMAS}")
    text = re.sub(r"<!--.*?-->", "", path.read_text(), flags=re.DOTALL)
    old = {new: old for old, new in grammar.NAMES_1.items()}
    seen = 0
    for name, model in re.findall(r"<!ELEMENT\s+(\w+)\s+\((.*?)\)\s*>", text, re.DOTALL):
        element = old.get(name, name)
        own = compiled.content(Version.V1_0, element)
        if own is None or element in grammar.WRAPPERS | {"MessagingErrorElement": "", "ProcessingErrorElement": ""}:
            continue
        renamed = re.sub(r"\w+", lambda found: old.get(found.group(), found.group()), model.replace(",", " "))
        theirs = _plain(compiled.parse_row(renamed))
        # Version 1 holds all errors in one Problem; the table says Problem+ and writing gathers them.
        mine = re.sub(r"'Problem\+'", "'Problem'", repr(_plain(own)))
        if element != "Problem":
            assert mine == repr(theirs), element
            seen += 1
    assert seen > 130


def test_every_element_has_a_field_of_the_right_type() -> None:
    names = {**vars(parts), **vars(values), **vars(ncip)}
    expected = {Kind.CODE: ncip.Code, Kind.MOMENT: ncip.Moment, Kind.FLAG: bool, Kind.INTEGER: int, Kind.TEXT: str}
    for version in Version:
        for element in grammar.rows(version):
            sequence = compiled.content(version, element)
            if element in {"UserTransaction", "MessagingError", "ProcessingError"} or sequence is None:
                continue
            cls = compiled.class_of(element)
            hints = get_type_hints(cls, names)
            for leaf in compiled.leaves(sequence):
                if leaf.element == "UserTransaction":
                    continue
                kind = compiled.kind_of(leaf.element)
                hint = hints[compiled.field_of(cls, leaf.element)]
                if kind in expected:
                    assert expected[kind].__name__ in str(hint), (cls, leaf.element, hint)
                if leaf.repeats:
                    assert str(hint).startswith("tuple["), (cls, leaf.element, hint)


def test_every_request_has_an_answer_and_every_answer_a_request() -> None:
    services = {name: cls for name, cls in ncip.services().items() if name != "Problem"}
    for name, cls in services.items():
        if issubclass(cls, ncip.Response):
            assert issubclass(services[name.removesuffix("Response")], ncip.Initiation)
        else:
            assert ncip.response_class(name) is services[f"{name}Response"]
    assert len(services) > 95


def test_notifications_are_those_that_tell() -> None:
    assert grammar.is_notification("ItemShipped")
    assert not grammar.is_notification("CheckOutItem")
    assert {
        name for name, cls in ncip.services().items() if issubclass(cls, ncip.Notification)
    } == grammar.NOTIFICATIONS
