"""From a message to bytes: the order of the table, the dress of the style, and nothing that the schema forbids.

Strategy: each row of the grammar becomes, once per version, a plan of small steps that write strings; a choice takes
the branch that says most of what the message holds. What a schema demands and nobody can supply is an error of ours.
Z39.83-2, the schemas 2.0 to 2.02 and the DTD of version 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final

from lxml import etree

from interlend.ncip import compiled, grammar
from interlend.ncip.compiled import Kind
from interlend.ncip.errors import ProtocolError
from interlend.ncip.grammar import NAMESPACE, Version
from interlend.ncip.messages import BareProblem, Message
from interlend.ncip.parts import Amount, Header, Problem
from interlend.ncip.problems import is_messaging
from interlend.ncip.schemes import standard_scheme
from interlend.ncip.style import Style
from interlend.ncip.values import Code, Moment, Part
from interlend.ncip.wire import parse_fragment

# What XML cannot hold at all, and what must be escaped. A carriage return would not survive being read.
_SPECIAL: Final = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)

# The prefix for attributes, and for Ext, where elements stand in the default namespace.
_OWN_PREFIX: Final = "ncip"


class _Writing:
    """One document being written: its pieces so far and how it is dressed."""

    __slots__ = ("attribute", "one", "out", "prefix", "style")

    def __init__(self, style: Style, prefix: str, attribute: str, *, one: bool) -> None:
        self.out: list[str] = []
        self.style = style
        self.prefix = prefix  # before each element's name
        self.attribute = attribute  # before each attribute's name
        self.one = one  # in the form of version 1

    def text(self, name: str, value: str) -> None:
        """An element with text."""
        tag = self.prefix + name
        self.out.append(f"<{tag}>{_escaped(value)}</{tag}>")

    def code(self, name: str, value: Code, element: str) -> None:
        """A value from a scheme, in the version's form."""
        tag = self.prefix + name
        if self.one:
            scheme = value.scheme or self._scheme(element)
            self.out.append(f"<{tag}><Scheme>{_escaped(scheme)}</Scheme><Value>{_escaped(value.value)}</Value></{tag}>")
        elif value.scheme and _is_uri(value.scheme):
            self.out.append(f'<{tag} {self.attribute}Scheme="{_quoted(value.scheme)}">{_escaped(value.value)}</{tag}>')
        else:
            self.out.append(f"<{tag}>{_escaped(value.value)}</{tag}>")

    def _scheme(self, element: str) -> str:
        """The scheme that version 1 demands, where the value has none."""
        agency = self.style.agency
        if element == "AgencyId" and agency is not None:
            return agency.scheme or ""  # a peer that names agencies without a scheme is answered without one
        return standard_scheme(element) or ""


def _escaped(text: str) -> str:
    if _SPECIAL.search(text) is None:
        return text
    text = _ILLEGAL.sub("", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


# The type of the attribute Scheme, as the schemas define it.
_ANY_URI: Final = etree.XMLSchema(
    etree.XML(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="u" type="xs:anyURI"/></xs:schema>'
    )
)


@lru_cache(maxsize=512)
def _is_uri(text: str) -> bool:
    """Whether version 2 may write a scheme. One that is no URI is left out: the value may stand without it."""
    element = etree.Element("u")
    element.text = _ILLEGAL.sub("", text)
    return bool(_ANY_URI.validate(element))


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


# -------------------------------------------------------------------------------------------------- plans

Put = Callable[[Any, _Writing], None]


class _Leaf:
    """One element of a plan: where its value comes from and how to write it."""

    __slots__ = ("element", "field", "parent", "put", "repeats", "required", "typed", "whole")

    def __init__(self, leaf: compiled.Leaf, parent: str, cls: type[Part], version: Version) -> None:
        self.element = leaf.element
        self.parent = parent
        self.required = leaf.required
        self.repeats = leaf.repeats
        self.field = compiled.field_of(cls, leaf.element)
        self.put = _put(leaf.element, parent, version)
        # Wrappers of lists, Ext and version 1's Problem take all values of their field at once.
        kind = compiled.kind_of(leaf.element)
        wraps_many = kind is Kind.WRAPPER and grammar.WRAPPERS[leaf.element].endswith("+")
        self.whole = wraps_many or kind is Kind.EXT or (leaf.element == "Problem" and version.major == 1)
        # A visible id is one that has a type.
        self.typed = leaf.element in {"VisibleUserId", "VisibleItemId"}

    def value(self, holder: Part) -> Any:
        """What the message holds for this element, or None."""
        value = getattr(holder, self.field)
        if value is None or value is False or value == ():
            return None
        if self.typed and not isinstance(value, tuple) and value.type is None:
            return None
        return value

    def count(self, holder: Part) -> int:
        """How much of the message this step would write."""
        return 0 if self.value(holder) is None else 1

    def lacking(self, holder: Part, style: Style | None) -> str | None:
        """The element's name if it is required, missing, and not to be supplied."""
        if not self.required or self.value(holder) is not None:
            return None
        if style is not None and _supplied(self.parent, self.element, style) is not None:
            return None
        return self.element

    def write(self, holder: Part, to: _Writing) -> None:
        """Write the element, as often as it may stand."""
        value = self.value(holder)
        if value is None:
            if not self.required:
                return
            value = _supplied(self.parent, self.element, to.style)
            if value is None:
                raise ProtocolError(
                    "ours",
                    f"{self.parent}/{self.element}",
                    f"{self.parent} needs {self.element}, and the message has none.",
                    problem="Needed Data Missing",
                )
        if self.whole or not isinstance(value, tuple):
            self.put(value, to)
        elif self.repeats:
            for one in value:
                self.put(one, to)
        else:
            self.put(value[0], to)


class _Choice:
    """A choice of a plan."""

    __slots__ = ("branches", "parent", "problems_first", "required")

    def __init__(self, branches: tuple[Plan, ...], parent: str, *, required: bool) -> None:
        self.branches = branches
        self.parent = parent
        self.required = required
        first = [branch[0] for branch in branches if branch]
        self.problems_first = next(
            (i for i, leaf in enumerate(first) if isinstance(leaf, _Leaf) and leaf.field == "problems"), None
        )

    def count(self, holder: Part) -> int:
        """How much the best branch would write."""
        return max(sum(step.count(holder) for step in branch) for branch in self.branches)

    def lacking(self, holder: Part, style: Style | None) -> str | None:
        """What is missing for every branch, as `A | B`, if the choice is required."""
        if not self.required or self.chosen(holder, style) is not None:
            return None
        firsts = [_first_lacking(branch, holder, style) or "" for branch in self.branches]
        if self.problems_first is not None:
            firsts.pop(self.problems_first)
        return " | ".join(dict.fromkeys(name for name in firsts if name))

    def chosen(self, holder: Part, style: Style | None) -> Plan | None:
        """The complete branch that says most; problems go before everything else; None if no branch is complete."""
        if self.problems_first is not None and getattr(holder, "problems", None):
            return self.branches[self.problems_first]
        best: Plan | None = None
        most = -1
        for branch in self.branches:
            if _first_lacking(branch, holder, style) is None:
                count = sum(step.count(holder) for step in branch)
                if count > most:
                    best, most = branch, count
        return best

    def write(self, holder: Part, to: _Writing) -> None:
        """Write the branch that says most."""
        if not self.required and self.count(holder) == 0:
            return
        branch = self.chosen(holder, to.style)
        if branch is None:
            wanted = self.lacking(holder, to.style) or "one of several elements"
            raise ProtocolError(
                "ours",
                self.parent,
                f"{self.parent} needs {wanted}, and the message has none that would do.",
                problem="Needed Data Missing",
            )
        for step in branch:
            step.write(holder, to)


def _first_lacking(branch: Plan, holder: Part, style: Style | None) -> str | None:
    return next((name for step in branch if (name := step.lacking(holder, style))), None)


class _Group:
    """Version 1's UserTransaction: it gathers what version 2 lets stand in the answer itself."""

    __slots__ = ("plan",)

    def __init__(self, version: Version) -> None:
        cls = compiled.class_of("LookupUserResponse")
        self.plan = tuple(
            _Leaf(compiled.Leaf(name, required=False, repeats=True), "UserTransaction", cls, version)
            for name in ("RequestedItem", "LoanedItem")
        )

    def count(self, holder: Part) -> int:
        """How much it would write."""
        return sum(step.count(holder) for step in self.plan)

    def lacking(self, holder: Part, style: Style | None) -> str | None:
        """Never required."""
        return None

    def write(self, holder: Part, to: _Writing) -> None:
        """The group with its content, or nothing."""
        if self.count(holder):
            to.out.append(f"<{to.prefix}UserTransaction>")
            for step in self.plan:
                step.write(holder, to)
            to.out.append(f"</{to.prefix}UserTransaction>")


_Step = _Leaf | _Choice | _Group
Plan = tuple[_Step, ...]


@cache
def _plan(version: Version, element: str) -> Plan:
    """The steps to write the content of an element. Raises KeyError for an element that the version does not have."""
    sequence = compiled.content(version, element)
    if sequence is None:
        raise KeyError(element)
    return _steps(sequence, element, compiled.class_of(element), version)


def _steps(sequence: compiled.Sequence, parent: str, cls: type[Part], version: Version) -> Plan:
    steps: list[_Step] = []
    for node in sequence.nodes:
        if isinstance(node, compiled.Choice):
            branches = tuple(_steps(branch, parent, cls, version) for branch in node.branches)
            steps.append(_Choice(branches, parent, required=node.required))
        elif node.element == "UserTransaction":
            steps.append(_Group(version))
        else:
            steps.append(_Leaf(node, parent, cls, version))
    return tuple(steps)


def _supplied(parent: str, element: str, style: Style) -> Any:
    """What we may say where a schema demands an element that the message does not have; None where we may not."""
    if element in {"InitiationHeader", "ResponseHeader"}:
        return Header(from_agency=style.agency, to_agency=None)
    if element in {"FromAgencyId", "ToAgencyId"}:
        return style.agency or Code("")
    if element == "AgencyId":
        # Version 1 demands an agency in every id; an empty one says that none is known.
        return style.agency or (Code("") if style.version.major == 1 else None)
    if parent == "LoanedItem" and element == "ReminderLevel":
        return 1  # before 2.02 the first reminder level stood for "none sent yet"
    if parent == "LoanedItem" and element == "Amount":
        return Amount(0, Code("XXX"))  # ISO 4217: no currency
    if element == "VisibleUserIdentifierType":
        return Code("Barcode")
    return None


# ----------------------------------------------------------------------------------- how to write each kind


def _put(element: str, parent: str, version: Version) -> Put:
    """The function that writes one value of an element in a version."""
    kind = compiled.kind_of(element)
    name = grammar.NAMES_1.get(element, element) if version.major == 1 else element
    if kind is Kind.TEXT:
        return lambda value, to: to.text(name, value)
    if kind is Kind.CODE:
        return lambda value, to: to.code(name, value, element)
    if kind is Kind.FLAG:
        return lambda _, to: to.out.append(f"<{to.prefix}{name}/>")
    if kind is Kind.INTEGER:
        return _put_integer(name, parent, _least(element, version))
    if kind is Kind.MOMENT:
        return _put_moment(name, parent)
    if kind is Kind.EXT:
        return _put_ext
    if kind is Kind.PROBLEM and version.major == 1:
        return _put_errors if element == "Problem" else _put_messaging_error
    if kind is Kind.WRAPPER:
        return _put_wrapper(element, name, parent, version)
    return _put_part(element, name, version)


def _least(element: str, version: Version) -> int | None:
    least = grammar.INTEGERS[element]
    return 1 if element == "ReminderLevel" and version is not Version.V2_02 else least


def _put_integer(name: str, parent: str, least: int | None) -> Put:
    def put(value: int, to: _Writing) -> None:
        if least is not None and value < least:
            raise ProtocolError("ours", f"{parent}/{name}", f"{name} must be at least {least}, not {value}.")
        to.out.append(f"<{to.prefix}{name}>{value}</{to.prefix}{name}>")

    return put


def _put_moment(name: str, parent: str) -> Put:
    def put(value: Moment, to: _Writing) -> None:
        text = value.as_xsd()
        if text is None:
            raise ProtocolError("ours", f"{parent}/{name}", f"{value.raw!r} is no date.", problem="Invalid Date")
        to.out.append(f"<{to.prefix}{name}>{text}</{to.prefix}{name}>")

    return put


def _put_part(element: str, name: str, version: Version) -> Put:
    # The plan is looked up at the first use: elements may hold each other.
    def put(value: Part, to: _Writing) -> None:
        to.out.append(f"<{to.prefix}{name}>")
        for step in _plan(version, element):
            step.write(value, to)
        to.out.append(f"</{to.prefix}{name}>")

    return put


def _put_wrapper(element: str, name: str, parent: str, version: Version) -> Put:
    inside = grammar.WRAPPERS[element]
    put_one = _put(inside.rstrip("+"), element, version)

    def put(value: Any, to: _Writing) -> None:
        to.out.append(f"<{to.prefix}{name}>")
        if isinstance(value, tuple):
            for one in value:
                put_one(one, to)
        else:
            put_one(value, to)
        to.out.append(f"</{to.prefix}{name}>")

    del parent
    return put


def _put_ext(fragments: tuple[str, ...], to: _Writing) -> None:
    """Foreign elements as they came. Where the default namespace is NCIP's they must not fall into it."""
    for fragment in fragments:
        parse_fragment(fragment)
    if to.prefix or not to.style.namespaced:
        tag, reset = f"{to.prefix}Ext", ""
    else:
        tag, reset = f"{_OWN_PREFIX}:Ext", ' xmlns=""'
    to.out.append(f"<{tag}{reset}>{''.join(fragments)}</{tag}>")


def _put_errors(problems: tuple[Problem, ...], to: _Writing) -> None:
    """All problems of a version 1 answer: one Problem, and in it errors of one kind, that of the first."""
    kind = "MessagingError" if is_messaging(problems[0].type) else "ProcessingError"
    to.out.append("<Problem>")
    for problem in problems:
        _put_error(kind, problem, to)
    to.out.append("</Problem>")


def _put_messaging_error(problem: Problem, to: _Writing) -> None:
    """A version 1 notification is answered with nothing but messaging errors."""
    _put_error("MessagingError", problem, to)


def _put_error(kind: str, problem: Problem, to: _Writing) -> None:
    """An error as version 1 has it: the type, then one element inside the other along the path to the culprit."""
    to.out.append(f"<{kind}>")
    to.code(f"{kind}Type", problem.type or Code(problem.detail or ""), f"{kind}Type")
    path = [name for name in (problem.element or "").split("/") if name] or [""]
    for name in path:
        to.out.append(f"<{kind}Element>")
        to.text("ElementName", name)
    if problem.value:
        to.text(f"{kind}Value", problem.value)
    to.out.append(f"</{kind}Element>" * len(path) + f"</{kind}>")


# -------------------------------------------------------------------------------------------- the document


def encode(message: Message, style: Style | Version = Version.V2_02) -> bytes:
    """A message as a document, in a style or simply in a version.

    What a version has no place for is left out. Raises ProtocolError ("ours") when the message lacks what the version
    demands, holds a date or a number that is none, or when the version does not know the service.
    """
    dress = style if isinstance(style, Style) else Style(version=style)
    if message.service.startswith("LookupVersion") and dress.version_root:
        text = _version_message(message, dress)
    else:
        text = _ncip_message(message, dress)
    return f'<?xml version="1.0" encoding="{dress.encoding}"?>\n{text}'.encode(dress.encoding, "xmlcharrefreplace")


def _ncip_message(message: Message, style: Style) -> str:
    version = style.version
    uri = _quoted(style.version_uri or version.uri)
    if version.major == 1:
        to = _Writing(style, "", "", one=True)
        doctype = grammar.DOCTYPES[version] + "\n" if style.doctype else ""
        opening = f'{doctype}<NCIPMessage version="{uri}">'
    elif not style.namespaced:
        to = _Writing(style, "", "", one=False)
        opening = f'<NCIPMessage version="{uri}">'
    elif style.prefix is not None and _NAME.fullmatch(style.prefix):
        prefix = f"{style.prefix}:"
        attribute = prefix if style.qualified else ""
        to = _Writing(style, prefix, attribute, one=False)
        opening = f'<{prefix}NCIPMessage xmlns:{style.prefix}="{NAMESPACE}" {attribute}version="{uri}">'
    else:
        attribute = f"{_OWN_PREFIX}:" if style.qualified else ""
        to = _Writing(style, "", attribute, one=False)
        declared = f' xmlns:{_OWN_PREFIX}="{NAMESPACE}"' if style.qualified or _has_ext(message) else ""
        opening = f'<NCIPMessage xmlns="{NAMESPACE}"{declared} {attribute}version="{uri}">'
    to.out.append(opening)
    _write_service(message, to)
    to.out.append(f"</{to.prefix}NCIPMessage>")
    return "".join(to.out)


def _has_ext(part: object) -> bool:
    """Whether there is an Ext anywhere in a composite."""
    if isinstance(part, tuple):
        return any(_has_ext(one) for one in part)
    if not isinstance(part, Part):
        return False
    return bool(part.ext) or any(_has_ext(getattr(part, name)) for name in compiled.field_names(type(part)))


def _write_service(message: Message, to: _Writing) -> None:
    if isinstance(message, BareProblem):
        put = _put("Problem", "NCIPMessage", to.style.version)
        for problems in (message.problems,) if to.one else message.problems:
            put(problems, to)
        return
    name = message.service
    version = to.style.version
    known = _first_to_know(name, version)
    if known is None:
        raise ProtocolError("ours", name, f"NCIP {version.value} has no {name}.", problem="Unsupported Service")
    # LookupItemSet came with 2.02; the peers of 2.0 that speak it put it into Ext.
    early = known is not version and known.major == 2
    tag = to.prefix + name
    to.out.append(f"<{to.prefix}Ext><{tag}>" if early else f"<{tag}>")
    for step in _plan(known, name):
        step.write(message, to)
    to.out.append(f"</{tag}></{to.prefix}Ext>" if early else f"</{tag}>")


@cache
def _first_to_know(service: str, version: Version) -> Version | None:
    """The version itself, or the next of its kind that has the service: peers borrow from the version after theirs."""
    later = (it for it in Version if it.major == version.major and it.value >= version.value)
    return next((it for it in later if compiled.content(it, service) is not None), None)


def _any_to_know(service: str) -> Version:
    """A version that has the service, the newest first."""
    return next(it for it in reversed(Version) if compiled.content(it, service) is not None)


def _version_message(message: Message, style: Style) -> str:
    """LookupVersion under its own root, which has one form for all versions."""
    to = _Writing(style, "", "", one=True)
    to.out.append(f'<NCIPVersionMessage version="{grammar.VERSION_DISCOVERY_URI}"><{message.service}>')
    for step in _plan(Version.V1_0, message.service):
        step.write(message, to)
    to.out.append(f"</{message.service}></NCIPVersionMessage>")
    return "".join(to.out)


# ------------------------------------------------------------------------------------------ what is missing


def missing(message: Message, version: Version = Version.V2_02) -> tuple[str, ...]:
    """The elements that a version requires of a message and that it lacks, as paths; of a choice, `A | B`.

    For a responder that must answer Needed Data Missing: the paths are what ProblemElement wants.
    """
    if isinstance(message, BareProblem):
        return () if message.problems else ("Problem",)
    found: list[str] = []
    known = _first_to_know(message.service, version) or _any_to_know(message.service)
    _collect_missing(_plan(known, message.service), message, known, "", found)
    return tuple(found)


def _collect_missing(steps: Plan, holder: Part, version: Version, path: str, found: list[str]) -> None:
    for step in steps:
        name = step.lacking(holder, None)
        if name is not None:
            found.append(path + name)
        elif isinstance(step, _Choice):
            branch = step.chosen(holder, None)
            if branch is not None:
                _collect_missing(branch, holder, version, path, found)
        elif isinstance(step, _Leaf):
            _collect_inside(step, holder, version, path, found)


def _collect_inside(step: _Leaf, holder: Part, version: Version, path: str, found: list[str]) -> None:
    value = step.value(holder)
    values = value if isinstance(value, tuple) else (value,)
    inside = compiled.kind_of(step.element) is Kind.PART
    for one in values:
        if inside and isinstance(one, Part):
            _collect_missing(_plan(version, step.element), one, version, f"{path}{step.element}/", found)
        elif one == "" and step.required:
            found.append(path + step.element)
