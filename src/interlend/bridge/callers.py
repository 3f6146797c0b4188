"""Who speaks to us over NCIP, to which library, and whether they prove it: asked once for every message.

Strategy: all callers, libraries and branches are a small book, read in two queries, kept for a few seconds in this
process and thrown away at once when one of them is saved here. Deciding is pure: header, proof and address in, a
`Call` or the NCIP problem out. Secrets are compared as keyed hashes, in constant time. Z39.83-1, initiation header.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.db.models.signals import post_delete, post_save

from interlend import ncip
from interlend.bridge.models import NcipCaller
from interlend.libraries.models import Branch, Library, PickupStatus

KEPT_SECONDS: Final = 3.0


def keyed(secret: str) -> str:
    """The hash of a secret as the rows hold it: fast, because it is made for every message, and useless without the
    installation's SECRET_KEY."""
    key = sha256(b"interlend.ncip.caller" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, secret.encode(), sha256).hexdigest()


# --- the book ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A branch as messages may name it."""

    code: str
    name: str
    pickup: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A library as messages may name it."""

    pk: int
    symbol: str
    name: str
    zone: str
    places: tuple[Place, ...] = ()

    def place(self, word: str) -> Place | None:
        """The branch with this code or, failing that, this name."""
        sought = word.strip().casefold()
        by_code = next((place for place in self.places if place.code.casefold() == sought), None)
        return by_code or next((place for place in self.places if place.name.casefold() == sought), None)


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that decides who is who, as read at one moment."""

    callers: tuple[NcipCaller, ...] = ()
    members: Mapping[int, Member] = field(default_factory=dict)
    by_name: Mapping[str, frozenset[int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Shelf:
    book: Book | None = None
    read_at: float = 0.0


_shelf: Final = _Shelf()


def book() -> Book:
    """The book, at most `KEPT_SECONDS` old."""
    found, read_at = _shelf.book, _shelf.read_at
    if found is None or time.monotonic() - read_at > KEPT_SECONDS:
        found = _read()
        _shelf.book, _shelf.read_at = found, time.monotonic()
    return found


def forget(*_: Any, **__: Any) -> None:
    """Read the book anew at the next message."""
    _shelf.book = None


for _kind in (NcipCaller, Library, Branch):
    post_save.connect(forget, sender=_kind, dispatch_uid=f"ncip-book-saved-{_kind.__name__}")
    post_delete.connect(forget, sender=_kind, dispatch_uid=f"ncip-book-deleted-{_kind.__name__}")


def _read() -> Book:
    callers = tuple(NcipCaller.objects.filter(active=True).select_related("library").order_by("id"))
    places: dict[int, list[Place]] = {}
    libraries: dict[int, Library] = {}
    for branch in Branch.objects.select_related("library").order_by("id"):
        libraries[branch.library_id] = branch.library
        place = Place(branch.code, branch.name, branch.pickup != PickupStatus.NEVER)
        places.setdefault(branch.library_id, []).append(place)
    for caller in callers:
        libraries.setdefault(caller.library_id, caller.library)
    members = {
        pk: Member(pk, library.symbol, library.name, library.time_zone, tuple(places.get(pk, ())))
        for pk, library in libraries.items()
    }
    names: dict[str, set[int]] = {}
    for pk, member in members.items():
        for name in (member.symbol, member.name):
            names.setdefault(_folded(name), set()).add(pk)
    for caller in callers:
        for alias in caller.to_agencies:
            names.setdefault(_folded(str(alias)), set()).add(caller.library_id)
    return Book(callers, members, {name: frozenset(pks) for name, pks in names.items()})


def _folded(word: str) -> str:
    return " ".join(word.split()).casefold()


# --- one call ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proof:
    """What came with a message beside its header: the Authorization header, the address, the library in the path."""

    authorization: str = ""
    source_ip: str = ""
    library_hint: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A message whose sender is known: the caller's row, the library it speaks to, and how the peer is called."""

    caller: NcipCaller
    member: Member
    peer: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a caller is not let in: the NCIP problem to answer with. `library_id` if that much was clear."""

    problem: str
    detail: str
    element: str
    value: str = ""
    peer: str = ""
    library_id: int | None = None


def who(header: ncip.Header | None, proof: Proof, service: str) -> Call | Unknown:
    """Who speaks to whom, or why nobody is let in. `service` is the initiation's name."""
    known = book()
    agency, system = _said(header.from_agency if header else None), _said(header.from_system if header else None)
    peer = " / ".join(word for word in (system, agency) if word) or proof.source_ip
    candidates = [caller for caller in known.callers if _recognises(caller, agency, system)]
    library_id = _library(known, header, proof, candidates)
    if library_id is None:
        if not candidates:
            return _stranger(known, agency, system, peer)
        to = _said(header.to_agency if header else None)
        return Unknown("Unknown Agency", f"No library here is called “{to}”.", "ToAgencyId", to, peer)
    candidates = sorted((c for c in candidates if c.library_id == library_id), key=_precision, reverse=True)
    if not candidates:
        return _stranger(known, agency, system, peer, library_id)
    refusals = [(_unproved(caller, header, proof), caller) for caller in candidates]
    caller = next((caller for refusal, caller in refusals if refusal is None), None)
    if caller is None:
        problem, detail, element = refusals[0][0] or ("", "", "")
        return Unknown(problem, detail, element, "", peer, library_id)
    if caller.services and service not in caller.services:
        whom = "System" if caller.from_systems and not caller.from_agencies else "Agency"
        detail = f"{service} is not among the services that {caller.name} may use here."
        return Unknown(f"Unauthorized Service For {whom}", detail, service, "", peer, library_id)
    return Call(caller, known.members[library_id], peer)


def _said(code: ncip.Code | None) -> str:
    return code.value.strip() if code is not None else ""


def _recognises(caller: NcipCaller, agency: str, system: str) -> bool:
    return _among(agency, caller.from_agencies) and _among(system, caller.from_systems)


def _among(word: str, words: Iterable[object]) -> bool:
    """An empty list means anything, also nothing at all."""
    listed = [_folded(str(one)) for one in words]
    return not listed or _folded(word) in listed


def _precision(caller: NcipCaller) -> tuple[int, int]:
    """Whoever is described more closely is asked first."""
    named = bool(caller.from_agencies) + bool(caller.from_systems)
    return named, bool(caller.secret or caller.http_password or caller.bearer_token) + bool(caller.networks)


def _library(known: Book, header: ncip.Header | None, proof: Proof, candidates: list[NcipCaller]) -> int | None:
    """By ToAgencyId; else by the path; else by a branch's code (some peers put the pickup place there); else default.

    Where several libraries go by one name, the one that knows the caller is meant.
    """
    to = _said(header.to_agency if header else None)
    theirs = {caller.library_id for caller in candidates}
    for word in (to, proof.library_hint):
        named = known.by_name.get(_folded(word), frozenset()) if word else frozenset()
        if named:
            return next(iter(sorted(named & theirs) or sorted(named)))
    if to:
        with_branch = [pk for pk in sorted(theirs) if known.members[pk].place(to) is not None]
        if len(with_branch) == 1:
            return with_branch[0]
    default = next((c for c in candidates if c.default), None) or next((c for c in known.callers if c.default), None)
    return default.library_id if default is not None else None


def _stranger(known: Book, agency: str, system: str, peer: str, library_id: int | None = None) -> Unknown:
    """No caller goes by these names: which of the two is to blame."""
    if not agency and not system:
        detail = "The message does not say who sends it, and nobody is configured who need not."
        return Unknown("Needed Data Missing", detail, "InitiationHeader/FromAgencyId", "", peer, library_id)
    agency_known = any(c.from_agencies and _among(agency, c.from_agencies) for c in known.callers)
    if system and (agency_known or not agency):
        return Unknown("Unknown System", f"No caller “{system}” is configured here.", "FromSystemId", system, peer,
                       library_id)  # fmt: skip
    return Unknown("Unknown Agency", f"No caller “{agency}” is configured here.", "FromAgencyId", agency, peer,
                   library_id)  # fmt: skip


def _unproved(caller: NcipCaller, header: ncip.Header | None, proof: Proof) -> tuple[str, str, str] | None:
    """What is missing from the proof that this is the caller: problem, detail, element; None if nothing is."""
    whom = "System" if caller.from_systems and not caller.from_agencies else "Agency"
    failed = f"{whom} Authentication Failed"
    if caller.networks and not _within(proof.source_ip, caller.networks):
        return failed, "The message comes from an address that this caller may not use.", f"From{whom}Id"
    if caller.secret:
        given = [(header.from_agency_authentication, header.from_system_authentication)] if header else []
        if not any(_same(caller.secret, word) for pair in given for word in pair if word):
            return failed, "The secret in the header is missing or wrong.", f"From{whom}Authentication"
    if (caller.http_password or caller.bearer_token) and not _authorized(caller, proof.authorization):
        return failed, "The HTTP Authorization header is missing or wrong.", f"From{whom}Id"
    return None


def _same(stored: str, given: str) -> bool:
    return hmac.compare_digest(stored, keyed(given))


def _authorized(caller: NcipCaller, authorization: str) -> bool:
    """Bearer token, or user and password, whichever of them the caller has."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() == "bearer" and caller.bearer_token:
        return _same(caller.bearer_token, rest.strip())
    if scheme.lower() == "basic" and caller.http_password:
        try:
            user, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        right = hmac.compare_digest(user.encode(), caller.http_user.encode())
        return _same(caller.http_password, password) and right
    return False


def _within(address: str, networks: Iterable[object]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    for network in networks:
        try:
            if ip in ipaddress.ip_network(str(network), strict=False):
                return True
        except ValueError:
            continue
    return False
