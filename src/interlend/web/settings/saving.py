"""Saving, deleting and moving a settings row: one administrator at a time per library, nothing in use is deleted.

Strategy: the library's row is locked for the length of a change, so that what a form has looked at (no double, no
overlap, another administrator is left) still holds when it saves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import CASCADE, PROTECT, Model, ProtectedError, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interlend.circulation import choices
from interlend.circulation.models import LoanPolicyMap
from interlend.libraries.models import Branch, Library, StaffMember
from interlend.web.settings.entries import Kind
from interlend.web.settings.forms import is_last_administrator, to_be_picked_up


@contextmanager
def changing(library: Library) -> Iterator[None]:
    """A transaction in which nobody else changes this library's settings. Work at the desks goes on meanwhile."""
    with transaction.atomic():
        Library.objects.select_for_update(no_key=True).get(pk=library.pk)
        yield


# --- in use -------------------------------------------------------------------------------------------------------


def uses(kind: Kind, row: Model) -> list[str]:
    """What refers to this row, counted: ["12 patrons", "2 rows of the loan policy map"]; empty where nothing does."""
    found = [_counted(_meta(model).label, count) for model, count in _referring(kind, row)]
    if isinstance(row, Branch) and (waiting := to_be_picked_up(row.library_id, row.code)):
        found.append(ngettext("%d open request", "%d open requests", waiting) % waiting)
    return found


def _referring(kind: Kind, row: Model) -> Iterator[tuple[Any, int]]:
    """Each model whose rows would stop a deletion, or be swept away by it, with how many do."""
    sought: dict[Any, Q] = {}
    for relation in _meta(row).get_fields(include_hidden=True):
        holds_on = getattr(relation, "on_delete", None) in (PROTECT, CASCADE)
        if relation.auto_created and holds_on and _meta(relation.related_model).label not in kind.takes_along:
            model = relation.related_model
            sought[model] = sought.get(model, Q()) | Q(**{relation.field.name: row.pk})
    for model, condition in sought.items():
        if count := model.objects.filter(condition).count():
            yield model, count


def _meta(model: Any) -> Any:
    """What Django knows of a model; documented, for all its underscore."""
    return model._meta  # noqa: SLF001


def _counted(label: str, count: int) -> str:
    words = {
        "circulation.Patron": ngettext("%d patron", "%d patrons", count),
        "circulation.Item": ngettext("%d item (deleted ones too)", "%d items (deleted ones too)", count),
        "circulation.Hold": ngettext("%d hold (ended ones too)", "%d holds (ended ones too)", count),
        "circulation.LoanPolicyMap": ngettext("%d row of the loan policy map", "%d rows of the loan policy map", count),
        "circulation.CollectionTypePolicy": ngettext("%d collection type policy", "%d collection type policies", count),
    }
    if label == "circulation.IllSettings":
        return _("the ILL settings")
    return (words.get(label) or f"%d {label.rpartition('.')[2]}") % count


def in_words(things: list[str]) -> str:
    """`a, b and c`."""
    return (
        things[0]
        if len(things) == 1
        else _("%(many)s and %(last)s") % {"many": ", ".join(things[:-1]), "last": things[-1]}
    )


# --- deleting -----------------------------------------------------------------------------------------------------


def why_not_delete(kind: Kind, row: Model, by: StaffMember) -> str:
    """A sentence against deleting `row`, or nothing."""
    if kind.single:
        return _("This cannot be deleted; change it instead.")
    if isinstance(row, StaffMember):
        if row.pk == by.pk:
            return _("Nobody deletes the account they are signed in with; another administrator can.")
        if is_last_administrator(row):
            return _("This is the last administrator who may sign in.")
    if used := uses(kind, row):
        return _("“%(row)s” is in use by %(what)s; change those first.") % {"row": row, "what": in_words(used)}
    return ""


def delete(kind: Kind, row: Model, by: StaffMember) -> str:
    """Delete `row` if nothing speaks against it; returns the sentence that does, or nothing. Inside `changing`."""
    if sentence := why_not_delete(kind, row, by):
        return sentence
    try:
        with transaction.atomic():
            row.delete()
    except ProtectedError as no:  # something came to refer to it since we looked
        labels = {_meta(one).label for one in no.protected_objects}
        what = in_words(sorted(_counted(label, 1) for label in labels))
        return _("“%(row)s” is in use by %(what)s; change those first.") % {"row": row, "what": what}
    return ""


# --- moving -------------------------------------------------------------------------------------------------------


def move(row: Any, up: bool) -> bool:
    """Change places with the row above (or below) of the loan policy map; False at the end. Inside `changing`."""
    rows = list(LoanPolicyMap.objects.filter(library_id=row.library_id).order_by("position", "id"))
    at = next(number for number, other in enumerate(rows) if other.pk == row.pk)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(rows):
        return False
    mine, theirs, aside = rows[at].position, rows[to].position, rows[-1].position + 1
    # positions are unique at every moment, so one of the two steps aside first
    for pk, position in ((rows[at].pk, aside), (rows[to].pk, mine), (rows[at].pk, theirs)):
        LoanPolicyMap.objects.filter(pk=pk).update(position=position)
    transaction.on_commit(choices.forget)  # `update` tells nobody by itself
    return True
