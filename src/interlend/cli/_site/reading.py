"""From a path to a valid site, or to every error of the file at once, each with its line and the remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from django.db import OperationalError, ProgrammingError
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from interlend.cli._site.checks import SECRETS, Known, accounts_of, check, known_of, libraries_of, secret_of
from interlend.cli._site.document import Document, Place, Problem, read_document
from interlend.cli._site.schema import Part, Site, suggestion

#: whose secrets are the library's own circulation system's; no caller has an empty name
HOST = ""


class Faulty(Exception):
    """The file was read, and `problems` are in it, by line; nothing was written."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.name, self.problems = name, problems
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> list[str]:
        """`site.yaml:42: unknown time zone “Europe/Pariss”; did you mean Europe/Paris?`"""
        ends = [(problem, "" if problem.sentence.endswith((".", "?")) else ".") for problem in self.problems]
        return [f"{self.name}:{problem.line}: {problem.sentence}{end}" for problem, end in ends]


@dataclass(frozen=True)
class SiteFile:
    """A valid site, with the passwords of its staff by sign-in, and the secrets of its joins by library, caller's name
    (`HOST` for the circulation system) and column. `compared`: the database was asked what it has."""

    site: Site
    passwords: dict[str, str]
    compared: bool
    secrets: dict[tuple[str, str, str], str] = field(default_factory=dict)


def read_site_file(path: Path) -> SiteFile:
    """Read and check the file at `path`. Raises `Unusable` (one sentence) or `Faulty` (every error). Writes nothing."""
    document = read_document(path)
    known = _known(document)
    problems = list(document.problems)
    site = None
    try:
        site = Site.model_validate(document.data)
    except ValidationError as no:
        problems += [_problem(error, document) for error in no.errors(include_url=False)]
    problems += check(document, known or Known(), path.parent)
    if problems or site is None:
        raise Faulty(document.name, sorted(set(problems)))
    return SiteFile(site, _passwords(site, path.parent), known is not None, _secrets(site, path.parent))


def _known(document: Document) -> Known | None:
    """What the installation has; None where there is no database yet, and the file is judged by itself."""
    libraries = libraries_of(document.data)
    symbols = [str(library.get("symbol")).strip() for _, library in libraries]
    accounts = [row for place, library in libraries for _, row in accounts_of(library, place)]
    try:
        return known_of(symbols, [str(row.get("barcode")) for row in accounts])
    except (OperationalError, ProgrammingError):
        return None


def _passwords(site: Site, folder: Path) -> dict[str, str]:
    found = {
        person.sign_in: secret_of(person.model_dump(), "password", folder)
        for library in site.libraries
        for person in library.staff
    }
    return {sign_in: secret for sign_in, secret in found.items() if secret is not None}


def _secrets(site: Site, folder: Path) -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for library in site.libraries:
        parts: list[tuple[str, str, Part]] = [("ncip_callers", part.name, part) for part in library.ncip_callers]
        if library.host is not None:
            parts.append(("host", HOST, library.host))
        for kind, whose, part in parts:
            for name in SECRETS[kind]:
                if (secret := secret_of(part.model_dump(), name, folder)) is not None:
                    found[library.symbol, whose, name] = secret
    return found


# --- what pydantic found, in plain words ------------------------------------------------------------------------


def models_by_place(model: type[Part] = Site, place: tuple[str, ...] = ()) -> dict[tuple[str, ...], type[Part]]:
    """Every mapping of the file by its keys: ("libraries", "branches") is a branch."""
    found = {place: model}
    for name, info in model.model_fields.items():
        for part in _parts_in(info.annotation):
            found |= models_by_place(part, (*place, name))
    return found


def _parts_in(annotation: Any) -> list[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _parts_in(inner)]


def _problem(error: ErrorDetails, document: Document) -> Problem:
    place: Place = tuple(error["loc"])
    return Problem(document.line_of(place), _sentence(error, place))


def _sentence(error: ErrorDetails, place: Place) -> str:
    kind, facts, key = error["type"], error.get("ctx", {}), _key(place)
    around = _model_at(place[:-1])
    if kind == "extra_forbidden":
        return f"unknown key “{key}” in {around.said}{suggestion(key, list(around.model_fields))}"
    if kind == "missing":
        return f"{around.said} needs “{key}”"
    if kind == "value_error":
        said = str(facts["error"])
        return f"“{key}” {said}" if said.startswith("must") else said
    if error["input"] is None:
        return f"“{key}” has no value; give it one or leave the key out"
    if kind == "literal_error":
        choices = [str(choice).strip("'") for choice in facts["expected"].replace(" or ", ", ").split(", ")]
        return f"“{key}” cannot be “{error['input']}”{suggestion(str(error['input']), choices)}"
    if kind == "dict_type" and key == "pickups":
        return "“pickups” is written as keys and values, “theirs: OURS”"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        part = _model_at(place)
        return f"{part.said} is written as keys and values, such as “{next(iter(part.model_fields))}: …”"
    return f"“{key}” {_plainly(kind, facts)}"


def _plainly(kind: str, facts: dict[str, Any]) -> str:
    """What is wrong with a value of the right place and the wrong kind or size."""
    if kind in ("string_too_long", "string_too_short", "greater_than_equal", "less_than_equal", "too_short"):
        return {
            "string_too_long": "is longer than {max_length} characters",
            "string_too_short": "is empty; give it a value",
            "greater_than_equal": "must be at least {ge}",
            "less_than_equal": "must be at most {le}",
            "too_short": "is empty; name at least {min_length}",
        }[kind].format(**facts)
    if kind.startswith(("int_", "bool_", "list_", "string_")):
        wanted = {"int": "a whole number", "bool": "true or false", "list": "a list (lines that begin with “- ”)"}
        return f"must be {wanted.get(kind.split('_')[0], 'text')}"
    return "does not fit here"


def _key(place: Place) -> str:
    """The last word of a place: a list's item is named by its list."""
    return next((part for part in reversed(place) if isinstance(part, str)), "the file")


def _model_at(place: Place) -> type[Part]:
    keys = tuple(part for part in place if isinstance(part, str))
    models = models_by_place()
    while keys not in models:
        keys = keys[:-1]
    return models[keys]
