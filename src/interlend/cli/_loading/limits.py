"""How long a word may be: asked of the tables, so that a row is turned away before a database would cut it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import CharField, Model

from interlend.cli._loading.report import Reject


def lengths(model: type[Model], *names: str) -> dict[str, int]:
    """The most characters that each of these columns holds."""
    fields = {name: model._meta.get_field(name) for name in names}  # noqa: SLF001 (Django's public name for it)
    return {name: field.max_length or 0 for name, field in fields.items() if isinstance(field, CharField)}


def check_lengths(cells: Mapping[str, str], limits: Mapping[str, int]) -> None:
    """Raise `Reject` for the first cell that is longer than its column."""
    for column, most in limits.items():
        if len(said := cells.get(column, "")) > most:
            raise Reject(f"Its {column} has {len(said)} characters; {most} fit.")
