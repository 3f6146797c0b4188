"""What no single line can know: doubles, references to things that are not there, passwords that cannot be had.

Strategy: these look at the plain data, not at validated models, so that every error of a file is told at once even
where other parts of it are wrong; whatever has the wrong shape is the schema's to tell and is passed over here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from interlend.bridge.connections import claimed, folded, host_problems, names_by_library
from interlend.bridge.models import HostSettings, NcipCaller
from interlend.circulation.models import LoanPolicy, Patron, PatronType, ShelvingLocation
from interlend.cli._site.document import Document, Place, Problem
from interlend.cli._site.schema import suggestion
from interlend.libraries.models import Branch, Library, StaffMember

Rows = list[tuple[Place, dict[str, Any]]]
#: what a reference is called -> (the list of the library it points into, the key it names)
LISTS = {
    "branch": ("branches", "code"),
    "shelving location": ("shelving_locations", "code"),
    "patron type": ("patron_types", "code"),
    "loan policy": ("loan_policies", "name"),
}
#: (list or mapping, key) -> what the key refers to
REFERENCES = {
    ("staff", "branch"): "branch",
    ("loan_policy_map", "patron_type"): "patron type",
    ("loan_policy_map", "holding_location"): "branch",
    ("loan_policy_map", "shelving_location"): "shelving location",
    ("loan_policy_map", "policy"): "loan policy",
    ("collection_type_policies", "holding_location"): "branch",
    ("collection_type_policies", "shelving_location"): "shelving location",
    ("ill_settings", "holding_location"): "branch",
    ("ill_settings", "shelving_location"): "shelving location",
    ("ill_settings", "home_branch"): "branch",
    ("ncip_callers", "new_user_type"): "patron type",
    ("account", "patron_type"): "patron type",
    ("account", "home_branch"): "branch",
}
#: (list or mapping) -> its secrets, and how long each may be
SECRETS = {
    "host": {"agency_secret": 120, "auth_secret": 500},
    "ncip_callers": {"secret": 1000, "http_password": 1000, "bearer_token": 1000},
}
MAP_CELLS = ("patron_type", "holding_location", "shelving_location", "material_format")


@dataclass
class Known:
    """What the installation has already, so that a file may refer to it: library symbol -> names, by kind."""

    symbols: list[str] = field(default_factory=list)
    names: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    staff: dict[str, str] = field(default_factory=dict)  # sign-in -> symbol
    persons: dict[str, set[str]] = field(default_factory=dict)  # symbol -> barcodes of patrons that are persons
    agencies: dict[str, set[str]] = field(default_factory=dict)  # symbol -> the names by which messages mean it
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)  # symbol -> its circulation system's row
    callers: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # symbol -> name -> the caller's row


def known_of(symbols: list[str], barcodes: list[str]) -> Known:
    """Read what the installation knows of these libraries, and whose these barcodes are."""
    known = Known(symbols=list(Library.objects.values_list("symbol", flat=True)))
    known.staff = dict(StaffMember.objects.values_list("sign_in", "library__symbol"))
    for kind, model in (("branch", Branch), ("shelving location", ShelvingLocation), ("patron type", PatronType)):
        for symbol, code in model.objects.filter(library__symbol__in=symbols).values_list("library__symbol", "code"):
            known.names.setdefault(symbol, {}).setdefault(kind, []).append(code)
    policies = LoanPolicy.objects.filter(library__symbol__in=symbols)
    for symbol, name in policies.values_list("library__symbol", "name"):
        known.names.setdefault(symbol, {}).setdefault("loan policy", []).append(name)
    persons = Patron.objects.filter(library__symbol__in=symbols, barcode__in=barcodes, kind=Patron.Kind.PERSON)
    for symbol, barcode in persons.values_list("library__symbol", "barcode"):
        known.persons.setdefault(symbol, set()).add(barcode)
    known.agencies = names_by_library()
    known.hosts = {row["library__symbol"]: row for row in _rows_of(HostSettings, symbols)}
    for row in _rows_of(NcipCaller, symbols):
        known.callers.setdefault(row["library__symbol"], {})[row["name"]] = row
    return known


def _rows_of(model: type[HostSettings] | type[NcipCaller], symbols: list[str]) -> list[dict[str, Any]]:
    names = [column.name for column in model._meta.fields]  # noqa: SLF001 - documented, for all its underscore
    return list(model._default_manager.filter(library__symbol__in=symbols).values("library__symbol", *names))  # noqa: SLF001


def check(document: Document, known: Known, folder: Path) -> list[Problem]:
    """Everything that is wrong between lines. `folder` is where password files are looked for."""
    return _Check(document, known, folder).problems


def libraries_of(data: Any) -> Rows:
    return list(_rows(data, (), "libraries"))


def accounts_of(library: dict[str, Any], place: Place) -> Rows:
    """The institution accounts under a library's partners."""
    partners = _rows(library, place, "partners")
    return [((*at, "account"), row["account"]) for at, row in partners if isinstance(row.get("account"), dict)]


def _rows(above: Any, place: Place, name: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The mappings in the list (or the one mapping) `name`."""
    found = above.get(name) if isinstance(above, dict) else None
    if isinstance(found, dict):
        yield (*place, name), found
    for index, row in enumerate(found if isinstance(found, list) else ()):
        if isinstance(row, dict):
            yield (*place, name, index), row


class _Check:
    """One pass over one document; each method looks at one kind of mistake."""

    def __init__(self, document: Document, known: Known, folder: Path) -> None:
        self.document, self.known, self.folder = document, known, folder
        self.problems: list[Problem] = []
        libraries = libraries_of(document.data)
        self._twice(libraries, "symbol", "library symbol")
        self._twice([row for at, lib in libraries for row in _rows(lib, at, "staff")], "sign_in", "sign-in")
        for place, library in libraries:
            self._library(place, library)

    def _library(self, place: Place, library: dict[str, Any]) -> None:
        symbol = library.get("symbol")
        self._spelling((*place, "symbol"), symbol)
        for kind, (name, key) in LISTS.items():
            self._twice(list(_rows(library, place, name)), key, f"{kind} {key}")
        self._twice(list(_rows(library, place, "partners")), "symbol", "partner symbol")
        self._twice(list(_rows(library, place, "collection_type_policies")), "name", "collection type policy name")
        accounts = accounts_of(library, place)
        self._twice(accounts, "barcode", "account barcode")
        for (name, key), kind in REFERENCES.items():
            for at, row in accounts if name == "account" else _rows(library, place, name):
                self._reference(library, (*at, key), row.get(key), kind)
        self._persons(accounts, symbol)
        self._twice(list(_rows(library, place, "ncip_callers")), "name", "caller name")
        for name, secrets in SECRETS.items():
            for at, row in _rows(library, place, name):
                self._secrets(at, row, secrets)
        for at, row in _rows(library, place, "host"):
            self._host(at, row, str(symbol))
        for at, row in _rows(library, place, "ncip_callers"):
            self._caller(library, at, row, str(symbol))
        self._same_locations(place, library)
        self._unreached_rows(place, library)
        for at, person in _rows(library, place, "staff"):
            self._staff(at, person, symbol)

    # --- each kind of mistake ---

    def _spelling(self, place: Place, symbol: Any) -> None:
        for there in self.known.symbols:
            if isinstance(symbol, str) and there != symbol and there.casefold() == symbol.strip().casefold():
                self._complain(place, f"the installation has library {there}; write its symbol exactly so")

    def _twice(self, rows: Rows, key: str, said: str) -> None:
        first: dict[str, int] = {}
        for place, row in rows:
            if not isinstance(value := row.get(key), str):
                continue
            line = self.document.line_of((*place, key))
            earlier = first.setdefault(value.strip().casefold(), line)
            if earlier != line:
                self._complain((*place, key), f"the {said} “{value}” stands in line {earlier} already; rename one")

    def _reference(self, library: dict[str, Any], place: Place, value: Any, kind: str) -> None:
        if not isinstance(value, str) or not value.strip():
            return
        symbol, (name, key) = str(library.get("symbol")), LISTS[kind]
        in_file = [row[key].strip() for _, row in _rows(library, (), name) if isinstance(row.get(key), str)]
        there = in_file + self.known.names.get(symbol, {}).get(kind, [])
        if value.strip() not in there:
            hint = suggestion(value, list(dict.fromkeys(there))) or f"; add it under “{name}”"
            self._complain(place, f"{symbol} has no {kind} “{value}”{hint}")

    def _persons(self, accounts: Rows, symbol: Any) -> None:
        for place, row in accounts:
            if (barcode := row.get("barcode")) in self.known.persons.get(str(symbol), ()):
                said = f"{barcode} is the barcode of a person at {symbol}; give the institution one of its own"
                self._complain((*place, "barcode"), said)

    def _same_locations(self, place: Place, library: dict[str, Any]) -> None:
        first: dict[tuple[Any, Any], Any] = {}
        for at, row in _rows(library, place, "collection_type_policies"):
            where = row.get("holding_location"), row.get("shelving_location")
            if _hashable(where) and first.setdefault(where, at) != at:
                line = self.document.line_of(first[where])
                self._complain(at, f"this policy is for the same locations as the one of line {line}; join them")

    def _unreached_rows(self, place: Place, library: dict[str, Any]) -> None:
        earlier: Rows = []
        for at, row in _rows(library, place, "loan_policy_map"):
            wider = next((seen for seen, cells in earlier if _covers(cells, row)), None)
            if wider is not None:
                line = self.document.line_of(wider)
                self._complain(at, f"this row is never reached: that of line {line} matches first; change their order")
            earlier.append((at, row))

    def _staff(self, place: Place, person: dict[str, Any], symbol: Any) -> None:
        sign_in = str(person.get("sign_in", "")).strip()
        owner = self.known.staff.get(sign_in)
        if owner is not None and owner != symbol:
            self._complain((*place, "sign_in"), f"{sign_in} is a staff member of {owner}; choose another sign-in")
        ways = ways_of(person, "password")
        if len(ways) > 1:
            self._complain((*place, ways[1]), f"{' and '.join(ways)} are given for {sign_in}; keep one")
        elif not ways and owner is None and sign_in:
            said = f"{sign_in} is new and has no password; add password, password_env or password_file"
            self._complain(place, said)
        elif ways:
            self._password((*place, ways[0]), person, sign_in)

    def _secrets(self, place: Place, row: dict[str, Any], secrets: dict[str, int]) -> None:
        for name, longest in secrets.items():
            ways = ways_of(row, name)
            if len(ways) > 1:
                self._complain((*place, ways[1]), f"{' and '.join(ways)} are given; keep one")
                continue
            try:
                secret = secret_of(row, name, self.folder) or ""
            except ValueError as no:
                self._complain((*place, ways[0]), str(no))
                continue
            if len(secret) > longest or "\0" in secret:
                said = f"the {name.replace('_', ' ')} is longer than {longest} characters, or is no text"
                self._complain((*place, ways[0]), said)

    def _host(self, place: Place, row: dict[str, Any], symbol: str) -> None:
        """Complete with what the installation has already."""
        given = {key: value for key, value in row.items() if value is not None}
        for name in SECRETS["host"]:
            if ways := ways_of(row, name):
                given[name] = row[ways[0]]
        for column, sentence in host_problems(self.known.hosts.get(symbol, {}) | given).items():
            self._complain((*place, column), f"“{column}”: {sentence}")

    def _caller(self, library: dict[str, Any], place: Place, row: dict[str, Any], symbol: str) -> None:
        pickups = row.get("pickups")
        for theirs, ours in pickups.items() if isinstance(pickups, dict) else ():
            self._reference(library, (*place, "pickups", theirs), ours, "branch")
        names = row.get("to_agencies")
        words = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        for name in claimed(words, symbol, self._agencies()):
            self._complain((*place, "to_agencies"), f"another library here is called “{name}”; leave it out")
        stored = self.known.callers.get(symbol, {}).get(str(row.get("name")), {})
        has_password = any(row.get(way) for way in ways_of(row, "http_password")) or (
            not ways_of(row, "http_password") and stored.get("http_password")
        )
        if bool(row.get("http_user", stored.get("http_user"))) != bool(has_password):
            self._complain(place, "http_user and http_password go together; give both or none")

    def _agencies(self) -> dict[str, set[str]]:
        """The names by which messages mean each library, in the installation and in this file."""
        found = {symbol: set(names) for symbol, names in self.known.agencies.items()}
        for place, library in libraries_of(self.document.data):
            mine = found.setdefault(str(library.get("symbol")), set())
            aliases = [row.get("to_agencies") for _, row in _rows(library, place, "ncip_callers")]
            listed = (word for names in aliases if isinstance(names, list) for word in names)
            words = [library.get("symbol"), library.get("name"), *listed]
            mine |= {folded(word) for word in words if isinstance(word, str)}
        return found

    def _password(self, place: Place, person: dict[str, Any], sign_in: str) -> None:
        try:
            secret = secret_of(person, "password", self.folder)
            if secret is not None:
                validate_password(secret)
        except ValidationError as no:
            self._complain(place, f"the password of {sign_in} is too weak: {' '.join(no.messages)}")
        except ValueError as no:
            self._complain(place, str(no))

    def _complain(self, place: Place, sentence: str) -> None:
        self.problems.append(Problem(self.document.line_of(place), sentence))


def _hashable(cells: tuple[Any, ...]) -> bool:
    return all(cell is None or isinstance(cell, str) for cell in cells)


def _covers(wide: dict[str, Any], narrow: dict[str, Any]) -> bool:
    """Whether every item and patron that `narrow` matches is matched by `wide`, read as rows of the loan policy map."""

    def cell(row: dict[str, Any], name: str) -> Any:
        value = row.get(name)
        return value.casefold() if isinstance(value, str) and name == "material_format" else value

    return all(cell(wide, name) in (None, "", cell(narrow, name)) for name in MAP_CELLS)


def ways_of(row: dict[str, Any], name: str) -> list[str]:
    """The keys by which a row gives the secret `name`: itself, `…_env`, `…_file`."""
    return [key for key in (name, f"{name}_env", f"{name}_file") if row.get(key) is not None]


def secret_of(row: dict[str, Any], name: str, folder: Path) -> str | None:
    """The secret `name` of a row, wherever it is kept; None where none is given. ValueError: it cannot be had."""
    said = name.replace("_", " ")
    if isinstance(variable := row.get(f"{name}_env"), str):
        if not os.environ.get(variable):
            raise ValueError(f"the environment has no {variable}; set it, or give the {said} in another way")
        return os.environ[variable]
    if isinstance(file := row.get(f"{name}_file"), str):
        return _kept_in(folder / file, said)
    secret = row.get(name)
    return secret if isinstance(secret, str) else None


def _kept_in(path: Path, said: str) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, ValueError) as no:
        why = (no.strerror if isinstance(no, OSError) else "") or "it is not text"
        raise ValueError(f"the {said} file {path} cannot be read: {why}") from None
    if not secret:
        raise ValueError(f"the {said} file {path} is empty; write the {said} into it")
    return secret
