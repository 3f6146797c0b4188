"""What a refusal is: a code, the facts, a plain sentence and who can mend it. No Django, nothing of ours.

Strategy: a sentence is a template in English that is filled last of all, so that a door where people read may first
put it into their language; logs, messages and whatever is kept have it in English. Each house has a table of its own
and makes its `Reason` and `Refused` from these, so that `except Refused` never catches the other house's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

#: code -> (why, who can mend it and how), both with places for facts: "No item has the barcode {barcode}."
Table = Mapping[str, tuple[str, str]]
#: (template, facts) -> the sentence as it is said
Fill = Callable[[str, Mapping[str, object]], str]


def n_(template: str) -> str:
    """The template itself: it is marked for the catalogues of other languages here, and translated where it is read."""
    return template


def in_english(template: str, facts: Mapping[str, object]) -> str:
    """The template with its facts filled in."""
    return template.format_map(facts)


@dataclass(frozen=True)
class Reason:
    """One reason: a stable `code` of its house's table and the `facts` that fill its sentence."""

    table: ClassVar[Table] = {}
    code: str
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return self.why(in_english)

    @property
    def remedy(self) -> str:
        return self.mended(in_english)

    def why(self, fill: Fill) -> str:
        """Why not, as `fill` says it."""
        return fill(self.table[self.code][0], self.facts)

    def mended(self, fill: Fill) -> str:
        """Who can mend it and how, as `fill` says it."""
        return fill(self.table[self.code][1], self.facts)


class Refused(Exception):
    """A rule said no; nothing was changed. `reasons` has at least one entry, the first one gives the `code`."""

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = reasons
        super().__init__(self.sentence)

    @property
    def code(self) -> str:
        return self.reasons[0].code

    @property
    def sentence(self) -> str:
        return self.why(in_english)

    @property
    def remedy(self) -> str:
        return self.mended(in_english)

    def why(self, fill: Fill) -> str:
        """Every reason's sentence, as `fill` says it."""
        return " ".join(reason.why(fill) for reason in self.reasons)

    def mended(self, fill: Fill) -> str:
        """Who can mend it, each thing to do once."""
        return " ".join(dict.fromkeys(reason.mended(fill) for reason in self.reasons))
