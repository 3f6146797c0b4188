"""The table of `grammar.py` made ready for work, once: what to look for when reading, what to put where when writing.

Strategy: reading needs, per class, a dictionary from tag to field, the union over all versions and spellings, so that
any order and any mixture is understood. Writing needs, per version, the sequence with its choices. Both come from the
same rows and from the annotations of the classes; nothing is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cache
from typing import Any, Final

from interlend.ncip import agencies, grammar, items, loans, messages, parts, requests, users
from interlend.ncip.grammar import NAMESPACE, Version
from interlend.ncip.messages import BareProblem, Message
from interlend.ncip.values import Part


class Kind(IntEnum):
    """What an element holds."""

    TEXT = 0
    CODE = 1
    PART = 2
    MOMENT = 3
    FLAG = 4
    INTEGER = 5
    WRAPPER = 6
    PROBLEM = 7
    GROUP = 8  # such as version 1's UserTransaction: its children belong to the parent
    EXT = 9


# ---------------------------------------------------------------------------------------- names of fields

# Where the field is not simply the element's name in snake case.
_FIELD: Final[Mapping[str, str]] = {
    "InitiationHeader": "header",
    "ResponseHeader": "header",
    "Problem": "problems",
    "MessagingError": "problems",
    "FromSystemId": "from_system",
    "ToSystemId": "to_system",
    "FromAgencyId": "from_agency",
    "ToAgencyId": "to_agency",
    "ApplicationProfileType": "application_profile",
    "AgencyId": "agency",
    "ItemIdentifierType": "type",
    "ItemIdentifierValue": "value",
    "UserIdentifierType": "type",
    "UserIdentifierValue": "value",
    "RequestIdentifierType": "type",
    "RequestIdentifierValue": "value",
    "VisibleUserIdentifierType": "type",
    "VisibleUserIdentifier": "value",
    "VisibleItemIdentifierType": "type",
    "VisibleItemIdentifier": "value",
    "ProblemType": "type",
    "ProblemDetail": "detail",
    "ProblemElement": "element",
    "ProblemValue": "value",
    "AuthenticationInputData": "data",
    "AuthenticationDataFormatType": "format",
    "AuthenticationInputType": "type",
    "AuthenticationPromptData": "data",
    "AuthenticationPromptType": "type",
    "CurrencyCode": "currency",
    "MonetaryValue": "value",
    "BibliographicItemIdentifier": "identifier",
    "BibliographicItemIdentifierCode": "code",
    "BibliographicRecordIdentifier": "identifier",
    "BibliographicRecordIdentifierCode": "code",
    "LocationNameLevel": "level",
    "LocationNameValue": "value",
    "ChronologyCaption": "caption",
    "ChronologyLevel": "level",
    "ChronologyValue": "value",
    "EnumerationCaption": "caption",
    "EnumerationLevel": "level",
    "EnumerationValue": "value",
    "FiscalTransactionIdentifierValue": "value",
    "LoanedItemCountValue": "count",
    "RequestedItemCountValue": "count",
    "UserAddressRoleType": "role",
    "AgencyAddressRoleType": "role",
    "VersionSupported": "versions_supported",
    "ServiceSupported": "services_supported",
    "DateRenewed": "dates_renewed",
    "BlockOrTrap": "blocks_or_traps",
    "VisibleItemId": "item_id",
    "VisibleUserId": "visible_user_ids",
    "UserTransaction": "",
    "Ext": "ext",
}

# Version 1's visible ids, where they mean the same as the field that version 2 has.
_FIELD_IN: Final[Mapping[tuple[str, str], str]] = {
    ("LookupUser", "VisibleUserId"): "user_id",
    ("UserOptionalFields", "VisibleUserId"): "user_ids",
    ("UserFields", "VisibleUserId"): "user_ids",
    ("ItemDescription", "VisibleItemId"): "visible_item_id",
}

# Elements of one shape under several names.
_CLASS: Final[Mapping[str, str]] = {
    "InitiationHeader": "Header",
    "ResponseHeader": "Header",
    "AcknowledgedFeeAmount": "Amount",
    "PaidFeeAmount": "Amount",
    "RequiredFeeAmount": "Amount",
    "AccountBalance": "Amount",
    "RelatedFiscalTransactionReferenceId": "FiscalTransactionReferenceId",
    "SummaryHoldingsInformation": "HoldingsInformation",
    "AddItemFields": "ItemFields",
    "DeleteItemFields": "ItemFields",
    "AddRequestFields": "RequestFields",
    "DeleteRequestFields": "RequestFields",
    "AddUserFields": "UserFields",
    "DeleteUserFields": "UserFields",
    "AddAgencyFields": "AgencyFields",
    "DeleteAgencyFields": "AgencyFields",
    "UserAddressInformation": "AddressInformation",
    "AgencyAddressInformation": "AddressInformation",
    "VisibleUserId": "UserId",
    "VisibleItemId": "ItemId",
}

# Version 1 only, and taken apart by hand: trees of errors, and a group without a meaning of its own.
_BY_HAND: Final = frozenset({"MessagingError", "ProcessingError", "UserTransaction"})


def _classes() -> dict[str, type[Part]]:
    modules = (parts, users, loans, requests, items, agencies, messages)
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Part)
    }


_CLASSES: Final = _classes()
_ALL_ROWS: Final = {version: grammar.rows(version) for version in Version}

MESSAGE_NAMES: Final = frozenset(
    name for rows in _ALL_ROWS.values() for name in rows if issubclass(_CLASSES.get(name, Part), Message)
)
COMPOSITE_NAMES: Final = frozenset(
    name for rows in _ALL_ROWS.values() for name in rows if name not in MESSAGE_NAMES and name not in _BY_HAND
)


def class_of(element: str) -> type[Part]:
    """The class that holds an element, for messages and composites."""
    return _CLASSES[_CLASS.get(element, element)]


def field_names(cls: type[Part]) -> Mapping[str, Any]:
    """The fields of a class and what each is when nothing was said."""
    return {entry.name: entry.default for entry in fields(cls)}


def field_of(cls: type[Part], element: str) -> str:
    """The field of a class that holds an element. Raises KeyError for an element that has no place in the class."""
    name = _FIELD_IN.get((cls.__name__, element)) or _FIELD.get(element)
    if name is None:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", element.removesuffix("Flag")).lower()
    known = field_names(cls)
    for candidate in (name, name + "s"):
        if candidate in known:
            return candidate
    raise KeyError(f"{cls.__name__} has no field for {element}")


def kind_of(element: str) -> Kind:
    """What an element holds, whatever the version."""
    if element in grammar.CODES:
        return Kind.CODE
    if element in grammar.DATES:
        return Kind.MOMENT
    if element in grammar.INTEGERS:
        return Kind.INTEGER
    if element in grammar.FLAGS:
        return Kind.FLAG
    if element in grammar.WRAPPERS:
        return Kind.WRAPPER
    if element in {"Problem", "MessagingError"}:
        return Kind.PROBLEM
    if element == "UserTransaction":
        return Kind.GROUP
    if element == "Ext":
        return Kind.EXT
    return Kind.PART if element in COMPOSITE_NAMES else Kind.TEXT


_VISIBLE: Final[Mapping[str, str]] = {"VisibleUserId": "UserId", "VisibleItemId": "ItemId"}


def plain_name(element: str) -> str:
    """Version 2's name for an element, whatever a peer or version 1 calls it."""
    return _VISIBLE.get(element) or grammar.SPELLINGS.get(element, element)


@cache
def _known() -> frozenset[str]:
    return frozenset(
        leaf.element for rows in _ALL_ROWS.values() for row in rows.values() for leaf in leaves(parse_row(row))
    )


def is_known(element: str) -> bool:
    """Whether any version of the standard has an element of this name."""
    return plain_name(element) in _known()


# --------------------------------------------------------------------------------- the notation, taken apart


@dataclass(frozen=True, slots=True)
class Leaf:
    """One element in a row: how often it may stand there."""

    element: str
    required: bool
    repeats: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """Elements one after another."""

    nodes: tuple[Leaf | Choice, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences, or none where it is not required."""

    branches: tuple[Sequence, ...]
    required: bool


Node = Leaf | Choice

_TOKEN: Final = re.compile(r"[A-Za-z0-9]+[?*+]?|[(|]|\)\??")


@cache
def parse_row(row: str) -> Sequence:
    """A row of the table as a tree. A group of one branch is part of the sequence around it."""
    tokens = iter(_TOKEN.findall(row))
    branches, _ = _parse_branches(tokens)
    return branches[0] if len(branches) == 1 else Sequence((Choice(tuple(branches), required=True),))


def _parse_branches(tokens: Iterator[str]) -> tuple[list[Sequence], bool]:
    """The branches up to the closing bracket, and whether the group is required."""
    branches: list[list[Node]] = [[]]
    for token in tokens:
        if token == "(":  # noqa: S105
            inner, required = _parse_branches(tokens)
            if len(inner) == 1:
                branches[-1].extend(inner[0].nodes)
            else:
                branches[-1].append(Choice(tuple(inner), required))
        elif token == "|":  # noqa: S105
            branches.append([])
        elif token[0] == ")":
            return [Sequence(tuple(nodes)) for nodes in branches], token == ")"  # noqa: S105
        else:
            name = token.rstrip("?*+")
            branches[-1].append(Leaf(name, required=token[-1] not in "?*", repeats=token[-1] in "*+"))
    return [Sequence(tuple(nodes)) for nodes in branches], True


def leaves(node: Sequence | Node) -> Iterator[Leaf]:
    """All elements of a row, in order."""
    if isinstance(node, Leaf):
        yield node
    else:
        for inner in node.nodes if isinstance(node, Sequence) else node.branches:
            yield from leaves(inner)


@cache
def content(version: Version, element: str) -> Sequence | None:
    """All of an element's content in a version, header and Ext included; None if the version lacks the element."""
    row = _ALL_ROWS[version].get(element)
    if row is None:
        return None
    if version.major == 1 and grammar.is_notification(element.removesuffix("Response")) and row == "Problem*":
        row = "MessagingError*"  # version 1 lets a notification be answered with nothing else
    nodes = list(parse_row(row).nodes)
    if element in MESSAGE_NAMES and not element.startswith("LookupVersion"):
        header = "ResponseHeader" if element.endswith("Response") else "InitiationHeader"
        nodes.insert(0, Leaf(header, required=version.major == 1, repeats=False))
    if version.major == 2 and "Ext?" not in row and not element.startswith(("LookupVersion", "BibInformation")):
        nodes.append(Leaf("Ext", required=False, repeats=False))
    return Sequence(_without(tuple(nodes), grammar.absent(version)))


def _without(nodes: tuple[Node, ...], gone: frozenset[str]) -> tuple[Node, ...]:
    """The nodes less the elements that a version does not know; those are optional wherever they stand."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, Choice):
            kept.append(Choice(tuple(Sequence(_without(it.nodes, gone)) for it in node.branches), node.required))
        elif node.element not in gone:
            kept.append(node)
    return tuple(kept)


# ------------------------------------------------------------------------------------------------ for reading


class Row:
    """What to do with a child element when reading."""

    __slots__ = ("element", "field", "inner", "kind", "many", "spec")

    def __init__(self, element: str, field: str, kind: Kind, *, many: bool) -> None:
        self.element = element
        self.field = field
        self.kind = kind
        self.many = many
        self.spec: Spec | None = None
        self.inner: Row | None = None


class Spec:
    """How to read a class: its rows by tag, with and without the namespace, and which fields hold several values."""

    __slots__ = ("cls", "many", "rows")

    def __init__(self, cls: type[Part]) -> None:
        self.cls = cls
        self.rows: dict[str, Row] = {}
        self.many: tuple[str, ...] = ()


def _spellings(element: str) -> list[str]:
    return [element, *(other for other, meant in grammar.SPELLINGS.items() if meant == element)]


def _row(cls: type[Part], element: str) -> Row:
    kind = kind_of(element)
    field = "" if kind is Kind.GROUP else field_of(cls, element)
    many = bool(field) and field_names(cls)[field] == () and kind is not Kind.WRAPPER
    row = Row(element, field, kind, many=many)
    if kind is Kind.PART:
        row.spec = spec_for(class_of(element))
    elif kind is Kind.WRAPPER:
        inside = grammar.WRAPPERS[element]
        row.inner = free_row(inside.rstrip("+"))
        row.inner.many = inside.endswith("+")
        row.many = _wrapped_many(cls, field, row.inner)
    return row


def _wrapped_many(cls: type[Part], field: str, inner: Row) -> bool:
    """Whether the wrapper itself may be repeated: the field is a tuple, yet each wrapper holds one value."""
    return field_names(cls)[field] == () and not inner.many


def free_row(element: str) -> Row:
    """A row for an element on its own, outside any class."""
    row = Row(element, "", kind_of(element), many=False)
    if row.kind is Kind.PART:
        row.spec = spec_for(class_of(element))
    return row


_SPECS: dict[type[Part], Spec] = {}


def spec_for(cls: type[Part]) -> Spec:
    """How to read a class, over all versions at once."""
    spec = _SPECS.get(cls)
    if spec is None:
        spec = _SPECS[cls] = Spec(cls)  # entered before it is filled, so that a class may hold itself
        _fill_spec(spec)
    return spec


def _fill_spec(spec: Spec) -> None:
    names: dict[str, None] = {}
    for version in reversed(Version):
        for element in _ALL_ROWS[version]:
            if element not in _BY_HAND and class_of(element) is spec.cls:
                sequence = content(version, element)
                assert sequence is not None
                names.update((leaf.element, None) for leaf in leaves(sequence))
    if "UserTransaction" in names:
        names.update({"LoanedItem": None, "RequestedItem": None})
    names["Ext"] = None
    if issubclass(spec.cls, Message):
        names.update({"InitiationHeader": None, "ResponseHeader": None})
    found = {name: _row(spec.cls, name) for name in names}
    for plain, visible in (("UserId", "VisibleUserId"), ("ItemId", "VisibleItemId")):
        if plain in found and visible not in found:
            found[visible] = found[plain]
    for name, row in found.items():
        for spelling in _spellings(name):
            _enter(spec, spelling, row)
    for (parent, spelling), meant in grammar.SPELLINGS_IN.items():
        if parent == spec.cls.__name__:
            _enter(spec, spelling, found[meant])
    gathered = grammar.GATHERED.get(spec.cls.__name__)
    if gathered is not None:
        _enter(spec, gathered, Row(gathered, "", Kind.GROUP, many=False))
    lists = {row.field for row in found.values() if row.many or row.kind is Kind.EXT}
    spec.many = tuple(sorted(lists))


def _enter(spec: Spec, spelling: str, row: Row) -> None:
    for tag in (spelling, f"{{{NAMESPACE}}}{spelling}"):
        spec.rows.setdefault(tag, row)


def message_class(element: str) -> type[Message] | None:
    """The class of a message by the name of its element, or None if no version knows the name."""
    if element not in MESSAGE_NAMES:
        return None
    cls = class_of(element)
    assert issubclass(cls, Message)
    return cls


@cache
def services() -> Mapping[str, type[Message]]:
    """Every message class by its element's name, the bare Problem included."""
    found: dict[str, type[Message]] = {"Problem": BareProblem}
    for name in sorted(MESSAGE_NAMES):
        cls = message_class(name)
        assert cls is not None
        found[name] = cls
    return found


# All at once, when the module is imported: a thread must never meet a half-filled one.
for _cls in _CLASSES.values():
    spec_for(_cls)
