"""A library's choices as frozen records, kept for a few seconds: what every scan and every message decides by.

Strategy: read together, at most `KEPT_SECONDS` old, thrown away at once when one of the rows is saved or deleted in
this process, and again after that transaction's commit. What another process changes is seen within those seconds;
pages that show or explain the choices read the rows themselves. circulation.md sections 3, 4 and 6 of the reference.
"""

from __future__ import annotations

import time
from typing import Any, Final

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from interlend.circulation.models import (
    CollectionTypePolicy,
    HoldPolicy,
    IllSettings,
    LoanPolicy,
    LoanPolicyMap,
    PatronType,
)
from interlend.circulation.policies import Policies, TemporaryPlaces
from interlend.circulation.queries import collection_rules, hold_policy, loan_map
from interlend.libraries.models import Branch, Closure, Library, OpenHours, PickupStatus
from interlend.libraries.queries import open_days

KEPT_SECONDS: Final = 3.0

_kept: Final[dict[int, tuple[Policies, float]]] = {}
_kept_branches: Final[dict[int, tuple[dict[int, Branch], float]]] = {}


def policies(library_id: int) -> Policies:
    """The library's policies, at most `KEPT_SECONDS` old."""
    found, read_at = _kept.get(library_id, (None, 0.0))
    if found is None or time.monotonic() - read_at > KEPT_SECONDS:
        found = _read(library_id)
        _kept[library_id] = found, time.monotonic()
    return found


def branches(library_id: int) -> dict[int, Branch]:
    """The library's branches by key, at most `KEPT_SECONDS` old: to show and to compare, not to change."""
    found, read_at = _kept_branches.get(library_id, (None, 0.0))
    if found is None or time.monotonic() - read_at > KEPT_SECONDS:
        found = {branch.pk: branch for branch in Branch.objects.filter(library_id=library_id)}
        _kept_branches[library_id] = found, time.monotonic()
    return found


def pickup_branch(library_id: int, code: str) -> Branch | None:
    """A place where items may be collected, by its code."""
    sought = code.casefold()
    places = (branch for branch in branches(library_id).values() if branch.pickup != PickupStatus.NEVER)
    return next((branch for branch in places if branch.code.casefold() == sought), None)


def forget(*_: Any, **__: Any) -> None:
    """Read the choices anew when they are next needed."""
    _kept.clear()
    _kept_branches.clear()


def _changed(*_: Any, **__: Any) -> None:
    """Now for the transaction that changes them; after its commit for whoever read the old ones meanwhile."""
    forget()
    transaction.on_commit(forget)


for _kind in (
    Library, Branch, OpenHours, Closure, PatronType, LoanPolicy, LoanPolicyMap, CollectionTypePolicy, HoldPolicy,
    IllSettings,
):  # fmt: skip
    post_save.connect(_changed, sender=_kind, dispatch_uid=f"choices-saved-{_kind.__name__}")
    post_delete.connect(_changed, sender=_kind, dispatch_uid=f"choices-deleted-{_kind.__name__}")


def _read(library_id: int) -> Policies:
    holds = hold_policy(library_id)
    places = IllSettings.objects.filter(library_id=library_id).first()
    return Policies(
        tuple(loan_map(library_id)), tuple(collection_rules(library_id)), open_days(library_id),
        {key: open_days(library_id, key) for key in _with_own_days(library_id)}, holds.request_days, holds.shelf_days,
        TemporaryPlaces(places.enabled, places.holding_location_id, places.shelving_location_id, places.home_branch_id)
        if places is not None else None,
    )  # fmt: skip


def _with_own_days(library_id: int) -> set[int]:
    """The branches that have hours or closures of their own."""
    rows = (OpenHours.objects.filter(library_id=library_id), Closure.objects.filter(library_id=library_id))
    return {key for found in rows for key in found.values_list("branch_id", flat=True) if key is not None}
