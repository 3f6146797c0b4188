"""From a tree to a message: children by name, not by position; what is understood is read, whatever the schema says.

Strategy: one loop over the children of an element, steered by the dictionary of its class; the version is told by the
root alone. What has no place is noted and left, so that no peer is refused for saying too much. Z39.83-2; facts 1 to 4.
"""

from __future__ import annotations

import html.entities
import re
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final, NoReturn

from lxml import etree

from interlend.ncip import compiled
from interlend.ncip.compiled import Kind, Row, Spec
from interlend.ncip.errors import ProtocolError
from interlend.ncip.grammar import NAMES_1, NAMESPACE, Version
from interlend.ncip.messages import BareProblem, Message, Response
from interlend.ncip.parts import Header, ItemId, LocationNameInstance, Problem, RequestId, UserId
from interlend.ncip.style import Envelope, Style
from interlend.ncip.values import Code, Moment, Part
from interlend.ncip.wire import MAX_BYTES, Parsed, parse

_QUALIFIED_SCHEME: Final = f"{{{NAMESPACE}}}Scheme"
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_HUNDREDTHS: Final = re.compile(r"([+-]?[0-9]{1,16})[.,]([0-9]{1,2})", re.ASCII)
_IDS: Final = frozenset({ItemId, RequestId, UserId})
_PROBLEMS: Final = frozenset({"Problem", "MessagingError", "ProcessingError"})
_NO: Final = frozenset({"false", "0", "n", "no"})
_MOST_NOTES: Final = 50
_MESSAGES: Final = compiled.services()
_FOLDED_MESSAGES: Final = {name.casefold(): name for name in _MESSAGES}


class _Reading:
    """What is learnt on the way: the namespaces in use, what was odd, what stood where it has no place."""

    __slots__ = ("namespaces", "notes", "strays")

    def __init__(self, namespace: str, notes: list[str]) -> None:
        self.namespaces = {namespace, NAMESPACE, ""}
        self.notes = notes
        self.strays: list[tuple[str, object]] = []

    def note(self, element: etree._Element, what: str) -> None:
        """Keep a sentence about an element. A hostile document may be odd a million times; fifty are enough."""
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(f"{_path(element)}: {what}")

    def keep(self, element: str, value: object) -> None:
        """Keep a value that has no place in the message, for whoever wants it."""
        if len(self.strays) < _MOST_NOTES:
            self.strays.append((element, value))


def decode_envelope(data: bytes, *, limit: int = MAX_BYTES) -> Envelope:
    """A document as a message with its dress and its oddities.

    `data` are the bytes of one document in any encoding, at most `limit` of them. Raises ProtocolError ("theirs") for
    what cannot be understood; the error carries the service, header and style as far as they could be told.
    """
    parsed = _unpacked(parse(data, limit=limit), limit)
    root = parsed.root
    namespace, name = _split(root.tag)
    reading = _Reading(namespace, parsed.notes)
    style = _style(root, namespace, has_doctype=parsed.has_doctype)
    if not style.qualified and style.version.major == 2:
        reading.notes.append("the version attribute is not qualified")
    if not namespace and style.version.major == 2 and name != "NCIPVersionMessage":
        reading.notes.append("no namespace")
    message = _message(root, name, reading, style)
    return Envelope(
        message=message,
        style=_with_ids(style, message),
        deviations=tuple(reading.notes),
        strays=tuple(reading.strays),
        cut=parsed.cut,
    )


def decode(data: bytes, *, limit: int = MAX_BYTES) -> Message:
    """The message of a document. As `decode_envelope`, for those who need nothing but the message."""
    return decode_envelope(data, limit=limit).message


# -------------------------------------------------------------------------------------------- the envelope


def _unpacked(parsed: Parsed, limit: int) -> Parsed:
    """With the NCIP root, also where it stands inside another envelope, such as SOAP's, as elements or as text."""
    root = parsed.root
    name = _local(root)
    if name.lower().startswith("ncip") or name in _MESSAGES:
        return parsed
    inside = next(root.iter("{*}NCIPMessage", "{*}NCIPVersionMessage"), None)
    if inside is not None:
        parsed.notes.append(f"NCIPMessage stands inside {name[:60]}")
        return Parsed(inside, parsed.notes, has_doctype=parsed.has_doctype, cut=parsed.cut)
    text = "".join(str(piece) for piece in root.itertext()).strip()
    if not text.startswith("<") or "NCIP" not in text:
        return parsed
    inner = parse(text.encode(), limit=limit)
    inner.notes.append(f"the message stands as text inside {name[:60]}")
    return inner


def _style(root: etree._Element, namespace: str, *, has_doctype: bool) -> Style:
    uri, qualified = _version_attribute(root)
    return Style(
        version=_version(uri, namespace, root),
        version_uri=uri,
        prefix=root.prefix,
        namespaced=bool(namespace),
        qualified=qualified,
        doctype=has_doctype,
        version_root=_split(root.tag)[1] == "NCIPVersionMessage",
    )


def _version_attribute(root: etree._Element) -> tuple[str | None, bool]:
    """The version as written, and whether its name belongs to the namespace."""
    for name in root.keys():  # noqa: SIM118
        space, local = _split(name)
        if local.lower() == "version":
            return (root.get(name) or "").strip() or None, bool(space)
    return None, True


def _version(uri: str | None, namespace: str, root: etree._Element) -> Version:
    """The version by the root's attribute alone; where that is silent, by namespace; then by the form of the ids."""
    said = (uri or "").lower()
    if "v1_" in said or said.removeprefix("v").startswith("1.") or said == "1":
        return Version.V1_01 if "1_01" in said or said.startswith("1.01") else Version.V1_0
    if "2_02" in said or "2.02" in said:
        return Version.V2_02
    if "2_01" in said or "2.01" in said:
        return Version.V2_01
    if "v2_0" in said or said.startswith("2.0"):
        return Version.V2_0
    if not said and not namespace and next(root.iter(*NAMES_1.values()), None) is not None:
        return Version.V1_0
    return Version.V2_02


def _with_ids(style: Style, message: Message) -> Style:
    """The style with the first id of each kind, to form others after."""
    likes: dict[str, Any] = {}
    for field, cls in (("item", ItemId), ("user", UserId), ("request", RequestId)):
        value = getattr(message, f"{field}_id", None) or next(iter(getattr(message, f"{field}_ids", ())), None)
        if isinstance(value, cls):
            likes[f"{field}_like"] = value
    if not likes:
        return style
    return Style(
        version=style.version,
        version_uri=style.version_uri,
        prefix=style.prefix,
        namespaced=style.namespaced,
        qualified=style.qualified,
        doctype=style.doctype,
        version_root=style.version_root,
        **likes,
    )


def _message(root: etree._Element, name: str, reading: _Reading, style: Style) -> Message:
    """The one message of the document, wherever peers put it."""
    if name in _MESSAGES:
        reading.notes.append("no NCIPMessage around the message")
        return _service(root, name, reading)
    if not name.lower().startswith(("ncipmessage", "ncipversionmessage")):
        raise ProtocolError("theirs", "root element", f"{name[:60]} is not the root of an NCIP message.", style=style)
    if name not in {"NCIPMessage", "NCIPVersionMessage"}:
        reading.notes.append(f"the root element is called {name[:60]}")
    found = _find_service(root, reading)
    if found is None:
        extension = next((child for child in _elements(root) if _local(child) == "Ext"), None)
        found = None if extension is None else _find_service(extension, reading)
        if found is None:
            return _problems_at_least(root, reading) or _no_message(root, reading, style)
        reading.notes.append("the message stands in Ext")
    reading.namespaces.add(_split(found[0].tag)[0])
    return _service(found[0], found[1], reading)


def _find_service(parent: etree._Element, reading: _Reading) -> tuple[etree._Element, str] | None:
    """The first child that is a message, and the name of its service."""
    for child in _elements(parent):
        local = _local(child)
        if local in _MESSAGES:
            return child, local
        if local.casefold() in _FOLDED_MESSAGES:
            name = _FOLDED_MESSAGES[local.casefold()]
            reading.note(child, f"read as {name}")
            return child, name
    return None


def _problems_at_least(root: etree._Element, reading: _Reading) -> BareProblem | None:
    """The problems of an answer without a name, or with one that NCIP does not have (Alma's version 1: `Response`)."""
    for child in _elements(root):
        problems = [it for it in (child, *_elements(child)) if _local(it) in _PROBLEMS]
        if problems:
            reading.note(child, "no answer of NCIP; only its problems are read")
            return BareProblem(problems=tuple(problem for it in problems for problem in _problems(it, reading)))
    return None


def _no_message(root: etree._Element, reading: _Reading, style: Style) -> NoReturn:
    """Raise what fits: an unknown service with its header, or an empty envelope with the words it holds."""
    inside = [it for child in _elements(root) if _local(child) == "Ext" for it in _elements(child)]
    for child in [*_elements(root), *inside]:
        name = _local(child)
        if name not in {"Ext", "InitiationHeader", "ResponseHeader"}:
            header = next(
                (_part(it, Header, reading) for it in _elements(child) if _local(it).endswith("Header")), None
            )
            raise ProtocolError(
                "theirs",
                _path(child),
                f"NCIP has no service {name[:60]}.",
                problem="Unsupported Service",
                service=name,
                header=header if isinstance(header, Header) else None,
                style=style,
            )
    words = " ".join("".join(str(text) for text in root.itertext()).split())[:120]
    said = f'; it says "{words}"' if words else ""
    raise ProtocolError("theirs", "root element", f"The envelope holds no message{said}.", style=style)


def _service(element: etree._Element, name: str, reading: _Reading) -> Message:
    """The message in its element, with a header that stands beside it taken in."""
    cls = _MESSAGES[name]
    if cls is BareProblem:
        parent = element.getparent()
        siblings = [element] if parent is None else [it for it in _elements(parent) if _local(it) == "Problem"]
        return BareProblem(problems=tuple(problem for it in siblings for problem in _problems(it, reading)))
    values: dict[str, Any] = {}
    spec = compiled.spec_for(cls)
    _fill(element, spec, values, reading)
    parent = element.getparent()
    if parent is not None and len(parent) > 1:
        _look_beside(element, parent, spec, values, reading)
    made = _made(spec, values)
    assert isinstance(made, Message)
    return made


def _look_beside(
    element: etree._Element, parent: etree._Element, spec: Spec, values: dict[str, Any], reading: _Reading
) -> None:
    """Take in what belongs to the message and stands beside it: a header, or the problems of an answer."""
    for sibling in _elements(parent):
        if sibling is element:
            continue
        if _local(sibling) in {"InitiationHeader", "ResponseHeader"} and "header" not in values:
            values["header"] = _part(sibling, Header, reading)
            reading.note(sibling, "stands beside its message")
        elif _local(sibling) in _PROBLEMS and issubclass(spec.cls, Response):
            values.setdefault("problems", []).extend(_problems(sibling, reading))
            reading.note(sibling, "stands beside its message")
        else:
            reading.note(sibling, "a second message in one document; left unread")


# -------------------------------------------------------------------------------------------- composites


def _part(element: etree._Element, cls: type[Part], reading: _Reading) -> Part:
    spec = compiled.spec_for(cls)
    values: dict[str, Any] = {}
    _fill(element, spec, values, reading)
    return _made(spec, values)


def _made(spec: Spec, values: dict[str, Any]) -> Part:
    for field in spec.many:
        if field in values:
            values[field] = tuple(values[field])
    return spec.cls(**values)


def _fill(element: etree._Element, spec: Spec, values: dict[str, Any], reading: _Reading) -> None:
    """Read the children of an element into the fields of its class."""
    rows = spec.rows
    for child in element:
        row = rows.get(child.tag)
        if row is None:
            row = _unforeseen(child, spec, reading)
            if row is None:
                continue
        kind = row.kind
        value: Any
        if kind is Kind.TEXT:
            value = _text(child)
            if not value:
                continue
        elif kind is Kind.CODE:
            value = _code(child)
            if value is None:
                continue
        elif kind is Kind.PART:
            assert row.spec is not None
            inside: dict[str, Any] = {}
            _fill(child, row.spec, inside, reading)
            if not inside and row.spec.cls in _IDS and _text(child):
                inside["value"] = _text(child)  # <ItemId>31234</ItemId>
            value = _made(row.spec, inside)
        elif kind is Kind.GROUP:
            _fill(child, spec, values, reading)
            continue
        elif kind is Kind.PROBLEM:
            values.setdefault(row.field, []).extend(_problems(child, reading))
            continue
        elif kind is Kind.EXT:
            values.setdefault("ext", []).extend(_fragment(it) for it in _elements(child))
            continue
        else:
            value = _read_other(child, row, reading)
            if value is None:
                continue
        field = row.field
        if row.many:
            if field in values:
                values[field].append(value)
            else:
                values[field] = [value]
        elif field not in values:
            values[field] = value
        else:
            reading.note(child, "repeated; the first one counts, the others are kept aside")
            reading.keep(row.element, value)


def _read_other(child: etree._Element, row: Row, reading: _Reading) -> Any:
    """The rarer kinds: moments, flags, numbers, wrappers."""
    kind = row.kind
    if kind is Kind.MOMENT:
        text = _text(child)
        return Moment(text) if text else None
    if kind is Kind.FLAG:
        return True if _text(child).lower() not in _NO else None
    if kind is Kind.INTEGER:
        text = _text(child)
        if _INTEGER.fullmatch(text):
            return int(text)
        money = _HUNDREDTHS.fullmatch(text) if row.element == "MonetaryValue" else None
        if money is not None:
            reading.note(child, f"{text!r} is no whole number; read as units and hundredths")
            return int(money.group(1) + money.group(2).ljust(2, "0"))
        if text:
            reading.note(child, f"{text[:20]!r} is no whole number; left unread")
        return None
    return _wrapped(child, row, reading)


def _wrapped(child: etree._Element, row: Row, reading: _Reading) -> Any:
    """The value inside an element that only holds another; peers may leave out the inner one."""
    inner = row.inner
    assert inner is not None
    if inner.kind is Kind.CODE:
        return _code(child)
    if inner.kind is Kind.MOMENT:
        return Moment(_text(next(iter(_elements(child)), child)))
    assert inner.spec is not None
    found = [it for it in _elements(child) if compiled.plain_name(_local(it)) == inner.element]
    values = [_part(it, inner.spec.cls, reading) for it in found]
    if not inner.many:
        return values[0] if values else _unwrapped(child, inner.spec, reading)
    if not values and inner.spec.cls is LocationNameInstance and _text(child):
        return (LocationNameInstance(level=1, value=_text(child)),)
    return tuple(values)


def _unwrapped(child: etree._Element, spec: Spec, reading: _Reading) -> Part | None:
    """The value of a wrapper that holds the content of its inner element directly, or None where it holds nothing."""
    values: dict[str, Any] = {}
    _fill(child, spec, values, reading)
    return _made(spec, values) if values else None


def _unforeseen(child: etree._Element, spec: Spec, reading: _Reading) -> Row | None:
    """The row for a tag that is not in the table as it stands: another namespace, another case; else None."""
    if not _is_element(child):
        return None
    namespace, local = _split(child.tag)
    if namespace in reading.namespaces:
        row = spec.rows.get(local) or _folded(spec).get(local.casefold())
        if row is not None:
            if row.element.casefold() != local.casefold():
                return row
            if row.element != local:
                reading.note(child, f"read as {row.element}")
            return row
        if _keep_stray(child, local, reading):
            return None
    reading.note(child, "unknown here; left unread")
    return None


_folded_rows: Final[dict[type[Part], dict[str, Row]]] = {}


def _folded(spec: Spec) -> dict[str, Row]:
    rows = _folded_rows.get(spec.cls)
    if rows is None:
        rows = _folded_rows[spec.cls] = {tag.casefold(): row for tag, row in spec.rows.items() if tag[0] != "{"}
    return rows


def _keep_stray(child: etree._Element, local: str, reading: _Reading) -> bool:
    """Keep an element of the standard that stands where the standard has no place for it."""
    if local == "Ext" or local in _MESSAGES:
        return False
    row = compiled.free_row(compiled.plain_name(local))
    if row.kind is Kind.TEXT and not compiled.is_known(local):
        return False
    value: Any
    if row.kind is Kind.PART:
        assert row.spec is not None
        value = _part(child, row.spec.cls, reading)
    elif row.kind is Kind.CODE:
        value = _code(child)
    elif row.kind is Kind.TEXT:
        value = _text(child)
    elif row.kind in {Kind.MOMENT, Kind.FLAG, Kind.INTEGER}:
        value = _read_other(child, row, reading)
    else:
        return False
    if value is not None:
        reading.note(child, "not foreseen here; kept aside")
        reading.keep(row.element, value)
    return True


# ------------------------------------------------------------------------------------------------- values


def _text(element: etree._Element) -> str:
    """The text of an element without the space around it; markup inside is passed over, HTML's letters are read."""
    if len(element) == 0:
        text = element.text
        return text.strip() if text else ""
    value = element.find("{*}Value")
    if value is not None and not (element.text or "").strip():
        return _text(value)  # a pair of scheme and value where a plain text belongs
    pieces = [element.text or ""]
    for child in element.iterdescendants():
        if not _is_element(child):
            name = (child.text or "").strip("&;")
            pieces.append(html.entities.html5.get(name + ";", child.text or ""))
        else:
            pieces.append(child.text or "")
        pieces.append(child.tail or "")
    return " ".join("".join(pieces).split())


def _code(element: etree._Element) -> Code | None:
    """A value from a scheme in either version's form, or None where there is no value."""
    if len(element) == 0:
        text = element.text
        value = text.strip() if text else ""
        if not value:
            return None
        scheme = element.get(_QUALIFIED_SCHEME) or element.get("Scheme") or _odd_scheme(element)
        return Code(value, (scheme.strip() or None) if scheme else None)
    value, scheme = "", None
    for child in _elements(element):
        local = _local(child)
        if local == "Scheme":
            scheme = _text(child) or None
        elif local == "Value":
            value = _text(child)
        elif local in {"AgencyId", "UniqueAgencyId"}:
            return _code(child)
    value = value or _last_text(element) if scheme is None else value
    return Code(value, scheme) if value else None


def _last_text(element: etree._Element) -> str:
    """The text of an element; where it holds elements instead, the last one's: the narrowest place of a Location."""
    inner = [text for it in element.iterdescendants("{*}*") if len(it) == 0 and (text := _text(it))]
    return inner[-1] if inner and not (element.text or "").strip() else _text(element)


def _odd_scheme(element: etree._Element) -> str | None:
    for name in element.keys():  # noqa: SIM118
        if _split(name)[1].lower() == "scheme":
            return element.get(name)
    return None


def _problems(element: etree._Element, reading: _Reading) -> list[Problem]:
    """The problems of one element: version 2 has one, version 1 a tree for each error."""
    if _local(element) in {"MessagingError", "ProcessingError"}:
        return [_problem_of_tree(element)]
    trees = [it for it in _elements(element) if _local(it) in {"MessagingError", "ProcessingError"}]
    if trees:
        detail = next((_text(it) for it in _elements(element) if _local(it) == "ProblemDetail"), "") or None
        return [replace(_problem_of_tree(it), detail=detail) for it in trees]
    if any(_local(it) in {"MessagingErrorType", "ProcessingErrorType"} for it in _elements(element)):
        return [_problem_of_tree(element)]
    if len(element) == 0:
        return [Problem(detail=_text(element) or None)]
    made = _part(element, Problem, reading)
    assert isinstance(made, Problem)
    return [made]


def _problem_of_tree(tree: etree._Element) -> Problem:
    """Version 1's error: its type, the path of element names down to the culprit, and the culprit's value."""
    kind: Code | None = None
    path: list[str] = []
    value: str | None = None
    level: etree._Element | None = tree
    while level is not None:
        deeper: etree._Element | None = None
        for child in _elements(level):
            local = _local(child)
            if local.endswith("ErrorType"):
                kind = kind or _code(child)
            elif local == "ElementName":
                path.append(_text(child))
            elif local.endswith("ErrorValue"):
                value = _text(child) or None
            elif local.endswith("ErrorElement") and deeper is None:
                deeper = child
        level = deeper
    return Problem(type=kind, element="/".join(name for name in path if name) or None, value=value)


def _fragment(element: etree._Element) -> str:
    """A foreign element as text that stands on its own, the same text whenever it is read again."""
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_tail=False).decode()
    except etree.C14NError:  # the canonical form knows no relative namespace names
        copy = deepcopy(element)
        etree.cleanup_namespaces(copy)
        return etree.tostring(copy, encoding="unicode", with_tail=False)


# -------------------------------------------------------------------------------------------------- names


def _elements(parent: etree._Element) -> list[etree._Element]:
    return [child for child in parent if _is_element(child)]


def _is_element(node: Any) -> bool:
    """Whether a node is an element; else it is a reference to an entity, the only other kind that is kept."""
    return isinstance(node.tag, str)


def _split(tag: str | bytes | bytearray | Any) -> tuple[str, str]:
    """Namespace and local name."""
    text = str(tag)
    if text[0] == "{":
        namespace, _, local = text[1:].rpartition("}")
        return namespace, local
    return "", text


def _local(element: etree._Element) -> str:
    return _split(element.tag)[1]


def _path(element: etree._Element) -> str:
    """Where an element stands: the names down to it, without the root, and its line."""
    names = [_local(it) for it in element.iterancestors()][:-1]
    return "/".join([*reversed(names), _local(element)]) + f" (line {element.sourceline})"
