"""Words of titles and authors, folded for search: without accents, case and punctuation, whatever the script."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
LONGEST = 60


def fold(text: str) -> list[str]:
    """The distinct words of `text` in order, lower case, accents stripped: "L’autre été" -> ["l", "autre", "ete"]."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return list(dict.fromkeys(_WORD.findall(bare.casefold())))


def as_bytes(word: str) -> bytes:
    """A word as it stands in the index; cut at a character's edge."""
    return word.encode()[:LONGEST].decode(errors="ignore").encode()


def prefix_range(word: str) -> tuple[bytes, bytes]:
    """The half-open range of index words that begin with `word`. UTF-8 never uses the byte 0xFF."""
    start = as_bytes(word)
    return start, start + b"\xff"
