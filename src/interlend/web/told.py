"""Sentences of the rooms below, told in the reader's language: refusals, facts, and what was kept in English.

Strategy: below the doors everything is said and kept in English, so that logs, messages and rows do not depend on who
happened to look. A refusal still has its template and its facts: the template is translated, then filled. What was
kept as text (why a step failed, what an event says, why no letter went) is found again among the templates of the
catalogue, which gives its facts back. What no catalogue knows is shown as it is. Follows pages.md, "Words".
"""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from string import Formatter
from typing import Any, Final

from django.conf import settings
from django.utils.dateformat import format as format_date
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation.trans_real import catalog

from interlend.outbox.errors import Trouble
from interlend.refusal import Refused, n_

#: facts that are names and numbers which people or other systems gave; every other one may be words of ours
GIVEN: Final = frozenset({
    "account", "account_of", "amount", "barcode", "borrower_name", "ca_file", "clock", "code", "dialect", "file",
    "fromkeys", "host", "hostname", "item", "meant", "moved", "name", "names", "number", "own", "partner",
    "partner_name", "pickup", "pk", "policy", "request", "row", "rstrip", "sender", "smtp_words", "symbol", "text",
    "title", "to", "to_agency", "trouble", "url", "user", "user_name", "versions", "who", "words",
})  # fmt: skip
#: what a changed field is called in a history
FIELDS: Final = (
    n_("pickup branch"), n_("expires on"), n_("suspended from"), n_("suspended to"), n_("public note"),
    n_("staff note"), n_("top of queue"), n_("title"), n_("author"), n_("publisher"), n_("year"), n_("edition"),
    n_("isbn"), n_("language"), n_("record id"), n_("call number"), n_("copy"), n_("volume"), n_("note"),
    n_("material format"), n_("lender due"), n_("holding location"), n_("shelving location"), n_("home branch"),
)  # fmt: skip
#: words that are made while a sentence is
MADE: Final = (n_("waits again"), n_("back at the desk"))
#: facts that can be told from what stands beside them
SHAPES: Final = {
    "day": r"\d{1,2} [A-Z][a-z]+ \d{4}|[A-Z][a-z]+day", "since": r"(?: since \d{1,2} [A-Z][a-z]+ \d{4})?",
}  # fmt: skip
#: fewer letters than this are no sentence: "{what}: {amount}" would be found in everything
LEAST_LETTERS: Final = 4
#: characters; what is longer is somebody's text, and looking for templates in it would take its time
LONGEST: Final = 1000
MOST_PARTS: Final = 20
#: where a text may be taken apart: after a sentence, after the name of whoever says it, between words in a row
SENTENCES, NAMED, ROW = re.compile(r"(?:(?<=[.?!])|(?<=[.?!]\))) (?=[A-Z“(])"), re.compile(": "), re.compile(", ")


def refusal(no: Refused | Trouble) -> str:
    """Why not, and who can mend it."""
    if isinstance(no, Refused):
        return f"{no.why(fill)} {no.mended(fill)}".strip()
    return f"{told(no.sentence)} {told(no.remedy)}".strip()


def why(no: Refused | Trouble) -> str:
    """Why not, alone."""
    return no.why(fill) if isinstance(no, Refused) else told(no.sentence)


def fill(template: str, facts: Mapping[str, object]) -> str:
    """The template in the reader's language, with its facts; a fact that is missing leaves a dash, never an error."""
    known: dict[str, Any] = defaultdict(lambda: "–", {name: _fact(name, value) for name, value in facts.items()})
    return gettext(template).format_map(known)


def told(text: str) -> str:
    """An English sentence, as it was written down, in the reader's language."""
    language = get_language()
    if not text or len(text) > LONGEST or language is None or language == settings.LANGUAGE_CODE:
        return text
    return _told(language, text)


# --- facts ------------------------------------------------------------------------------------------------------


def _fact(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    ours = name not in GIVEN or (value[:1].islower() and " " in value)  # "a partner" stands for a name
    said = told(value) if ours else value
    return _day(value) if said == value else said


def _day(text: str) -> str:
    """`12 May 2027`, as `say_day` writes it, or `Monday`, as the reader's language has it; anything else as it is."""
    if get_language() in (None, settings.LANGUAGE_CODE):
        return text
    if text in calendar.day_name:
        return gettext(text)
    if not re.fullmatch(r"\d{1,2} [A-Z][a-z]+ \d{4}", text):
        return text
    try:
        found = datetime.strptime(text, "%d %B %Y")  # noqa: DTZ007 - a plain day has no zone
    except ValueError:
        return text
    # Translators: a day within a sentence, as Django's `date` filter takes it.
    return format_date(found, pgettext("date", "j F Y"))


# --- a sentence found again -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Template:
    """A sentence with places for facts, and the pattern that finds them in it again."""

    text: str
    pattern: re.Pattern[str]

    def facts(self, sentence: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(sentence)
        return found.groupdict() if found else None


def template(text: str) -> Template | None:
    """None where `text` has no places, or too few letters beside them to be found again."""
    try:
        parts = [(literal, name) for literal, name, _spec, _conversion in Formatter().parse(text)]
    except ValueError:  # a brace that is just a brace
        return None
    if not any(name for _literal, name in parts) or _letters(parts) < LEAST_LETTERS:
        return None
    if any(name is not None and not name.isidentifier() for _literal, name in parts):
        return None
    seen: set[str] = set()
    pattern = ""
    for literal, name in parts:
        # what is put behind a sentence begins with a space, which is gone when sentences are taken apart
        pattern += re.escape(literal) if pattern or not literal.startswith(" ") else f" ?{re.escape(literal[1:])}"
        pattern += _place(name, seen, inside=bool(pattern))
    return Template(text, re.compile(pattern, re.DOTALL))


def _letters(parts: list[tuple[str, str | None]]) -> int:
    return sum(c.isalpha() for literal, _name in parts for c in literal)


def _place(name: str | None, seen: set[str], *, inside: bool) -> str:
    """Where a sentence begins with a name, that name is not `Alder: …`: then somebody else says the sentence."""
    if name is None:
        return ""
    again = name in seen
    seen.add(name)
    if again:
        return f"(?P={name})"
    return f"(?P<{name}>{SHAPES.get(name, '.*?' if inside else '(?:(?!: ).)*?')})"


@lru_cache(maxsize=8)
def _templates(_language: str) -> tuple[Template, ...]:
    """Every template that the catalogue of the reader's language knows, the wordiest first."""
    texts = catalog()._catalog.keys()  # type: ignore[attr-defined]  # noqa: SLF001 - offered whole for just this
    known = (template(text) for text in texts if isinstance(text, str) and "{" in text)
    return tuple(sorted(filter(None, known), key=lambda one: -len(re.sub(r"\{.*?\}", "", one.text))))


@lru_cache(maxsize=4096)
def _told(language: str, text: str) -> str:
    """One sentence first; a fact that reaches beyond a full stop (a title may) is taken only if nothing else fits."""
    one = _whole(text) or _found(language, text, beyond=False)
    return one or _in_parts(text) or _found(language, text, beyond=True) or text


def _whole(text: str) -> str:
    """A sentence without facts; empty where the catalogue has none."""
    said = gettext(text)
    return said if said != text else ""


def _found(language: str, text: str, *, beyond: bool) -> str:
    for one in _templates(language):
        facts = one.facts(text)
        if facts is not None and (beyond or not any(SENTENCES.search(fact) for fact in facts.values())):
            said = fill(one.text, facts)
            return said if text.startswith(" ") else said.lstrip()
    return ""


def _in_parts(text: str) -> str:
    """Several sentences, one behind the name of whoever said it (`Alder University: …`), or words in a row."""
    for apart in (SENTENCES, NAMED, ROW):
        if (found := apart.search(text)) is None or len(apart.findall(text)) > MOST_PARTS:
            continue
        first, rest = text[: found.start()], text[found.end() :]
        said = f"{first if apart is NAMED else told(first)}{found.group()}{told(rest)}"
        if said != text:
            return said
    return ""


def forget() -> None:
    """Catalogues may have changed (tests make some)."""
    _templates.cache_clear()
    _told.cache_clear()
