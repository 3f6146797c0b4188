"""The codes that files use for branches, shelving locations and patron types, turned into the library's rows.

Strategy: each book of codes is read once a load; an unknown code turns its record away with a sentence that names the
codes there are, because a guess would put a book on a shelf where nobody looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from interlend.circulation.models import PatronType, ShelvingLocation
from interlend.cli._loading.report import LoadError, Reject
from interlend.libraries.models import Branch, Library

#: in a mapping's `codes`: whatever has no row of its own
ANY_OTHER = "*"
MOST_NAMED = 12


class CodeBook:
    """Codes of one kind, found whatever their case; `translation` says what the file's own codes are called here."""

    def __init__(
        self, kind: str, rows: Iterable[tuple[str, int]], translation: Mapping[str, str] | None = None
    ) -> None:
        self.kind = kind
        self.codes = dict(rows)
        self._folded = {code.casefold(): key for code, key in self.codes.items()}
        self._translation = dict(translation or {})

    def key(self, code: str) -> int:
        """The row's key for a code of the file; raises `Reject` for an unknown one."""
        here = self.translated(code)
        found = self.codes.get(here, self._folded.get(here.casefold()))
        if found is None:
            said = f"“{code}”" if here == code else f"“{here}” (for “{code}”)"
            raise Reject(f"There is no {self.kind} {said}; known: {self.named()}.")
        return found

    def own(self, code: str) -> int:
        """The row's key for one of the library's own codes (one that was checked)."""
        return self.codes.get(code) or self._folded[code.casefold()]

    def translated(self, code: str) -> str:
        return self._translation.get(code, self._translation.get(ANY_OTHER, code))

    def named(self) -> str:
        known = sorted(self.codes)
        more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
        return (", ".join(known[:MOST_NAMED]) or "none yet") + more

    def check(self, code: str, where: str) -> None:
        """Raise `LoadError` where a setting (not a row) names an unknown code."""
        if code not in self.codes and code.casefold() not in self._folded:
            raise LoadError(f"{where}: there is no {self.kind} “{code}”; known: {self.named()}.")


def branches(library: Library, translation: Mapping[str, str] | None = None) -> CodeBook:
    rows = Branch.objects.filter(library=library).values_list("code", "pk")
    return CodeBook("branch", rows, translation)


def shelving_locations(library: Library, translation: Mapping[str, str] | None = None) -> CodeBook:
    rows = ShelvingLocation.objects.filter(library=library).values_list("code", "pk")
    return CodeBook("shelving location", rows, translation)


def patron_types(library: Library) -> CodeBook:
    return CodeBook("patron type", PatronType.objects.filter(library=library).values_list("code", "pk"))
