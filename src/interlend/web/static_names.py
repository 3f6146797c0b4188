"""Names of static files that change with their content, without a build step.

Strategy: `/static/app.css?v=DIGEST`, the digest taken once per process from the file itself; browsers may then keep
files for a day and still see a new version at once.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


@lru_cache(maxsize=512)
def digest(name: str) -> str:
    """Twelve hex digits of the file's content; a name that no app ships is a bug, so it raises FileNotFoundError."""
    path = finders.find(name)
    if not isinstance(path, str):
        raise FileNotFoundError(f"No app ships the static file {name!r}.")
    return sha256(Path(path).read_bytes()).hexdigest()[:12]


class DigestNames(StaticFilesStorage):
    """What `{% static %}` asks for the address of a file."""

    def url(self, name: str | None) -> str:
        address = super().url(name)
        return f"{address}?v={digest(name)}" if name else address
