"""How a message is dressed: version, namespace, prefix, where schemes stand; and how to answer in kind.

Strategy: reading records what it saw, writing obeys it. An answer takes the request's version, prefix and manner of
naming things, but mends what no schema allows, unless the caller asks for a mirror. Facts 4 and 5 of the field: only
the root tells the version, and From and To change places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

from interlend.ncip import compiled
from interlend.ncip.grammar import Version
from interlend.ncip.messages import Message, Response
from interlend.ncip.parts import Header, ItemId, Problem, RequestId, UserId
from interlend.ncip.values import Code

Identifier = TypeVar("Identifier", ItemId, UserId, RequestId)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The dress of a message.

    `prefix` None means the default namespace; `namespaced` False means no namespace at all, as in version 1.
    `qualified` False writes the attributes version and Scheme without a namespace: some peers want that, no schema of
    version 2 allows it. `doctype` adds the document type to version 1. `version_root` puts LookupVersion into its own
    root. `agency` stands in where a schema demands an agency and the message has none. The three `..._like` are ids of
    the peer's, to form our own after.
    """

    version: Version = Version.V2_02
    version_uri: str | None = None
    prefix: str | None = None
    namespaced: bool = True
    qualified: bool = True
    doctype: bool = False
    version_root: bool = True
    encoding: str = "UTF-8"
    agency: Code | None = None
    item_like: ItemId | None = None
    user_like: UserId | None = None
    request_like: RequestId | None = None

    def item_id(self, value: str) -> ItemId:
        """An item id of ours in the manner of the peer's: same agency, same type, same schemes."""
        return _like(ItemId(value), self.item_like)

    def user_id(self, value: str) -> UserId:
        """A user id of ours in the manner of the peer's."""
        return _like(UserId(value), self.user_like)

    def request_id(self, value: str) -> RequestId:
        """A request id of ours in the manner of the peer's."""
        return _like(RequestId(value), self.request_like)


def _like(made: Identifier, model: Identifier | None) -> Identifier:
    return made if model is None else replace(made, type=model.type, agency=model.agency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A decoded document: the message, its dress, and what was odd about it.

    `deviations` are sentences about what the standard does not allow and what was left unread; an empty tuple means
    that nothing stood out. `strays` are elements of the standard found where their message has no place for them
    (ILLiad's UserId in CheckInItem), by element name. `cut` says that end tags were missing and were supplied.
    """

    message: Message
    style: Style
    deviations: tuple[str, ...] = ()
    strays: tuple[tuple[str, object], ...] = ()
    cut: bool = False

    @property
    def header(self) -> Header | None:
        """The message's header, if it had one."""
        return self.message.header

    def stray(self, element: str) -> object | None:
        """What a stray element held: a composite, a Code, a Moment, a number, a text; None if there was none."""
        return next((value for name, value in self.strays if name == element), None)


# A prefix or a version that is repeated in answers stays within reason.
_LONGEST_PREFIX: Final = 20
_LONGEST_URI: Final = 200


def answer_style(request: Envelope | Style, *, mirror: bool = False) -> Style:
    """The dress for the answer to a request: its version, prefix and manner of naming.

    What no schema of version 2 allows (no namespace, unqualified attributes) is mended; `mirror=True` keeps even that.
    """
    style = request.style if isinstance(request, Envelope) else request
    header = request.header if isinstance(request, Envelope) else None
    if style.prefix is not None and len(style.prefix) > _LONGEST_PREFIX:
        style = replace(style, prefix="ns1")
    if style.version_uri is not None and len(style.version_uri) > _LONGEST_URI:
        style = replace(style, version_uri=None)
    if style.agency is None and header is not None:
        style = replace(style, agency=header.to_agency)
    if style.version.major == 2 and not mirror:
        style = replace(style, namespaced=True, qualified=True)
    return style


def answer_header(header: Header | None, *, swap: bool = True) -> Header | None:
    """The header of the answer: From and To change places; secrets, on-behalf-of and profile stay behind.

    INN-Reach partners want From and To as they came: `swap=False`. Without a header in the request there is none in
    the answer (version 1 demands one, and writing then makes it of the style's agency).
    """
    if header is None:
        return None
    if not swap:
        return Header(
            from_system=header.from_system,
            from_agency=header.from_agency,
            to_system=header.to_system,
            to_agency=header.to_agency,
        )
    return Header(
        from_system=header.to_system,
        from_agency=header.to_agency,
        to_system=header.from_system,
        to_agency=header.from_agency,
    )


def response_class(service: str) -> type[Response]:
    """The class of the answer to a service, by its name. Raises KeyError for a name that NCIP does not have."""
    cls = compiled.services()[f"{service}Response"]
    assert issubclass(cls, Response)
    return cls


def refusal(request: Message, *problems: Problem) -> Response:
    """The answer that says no to a request: its own kind of response, From and To swapped, with these problems."""
    return response_class(request.service)(header=answer_header(request.header), problems=problems)
