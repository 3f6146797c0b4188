"""A sitting: the scans of one person on one page since they last cleared it. One insert a scan."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.http import HttpRequest

from interlend.web.models import ScanRow
from interlend.web.shell import staff_of

MOST_SHOWN = 300


def answered_before(request: HttpRequest, page: str) -> dict[str, Any] | None:
    """The row of the same scan, if the browser sends it again after a lost answer."""
    key = request.POST.get("scan_key", "")
    row = ScanRow.objects.filter(staff=staff_of(request), page=page, key=key).first() if key else None
    return shown(row) if row else None


def keep(request: HttpRequest, page: str, kind: str, answer: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Write an answered scan down; returns the row for `result_row.html`. `kind` is what totals count by."""
    staff = staff_of(request)
    row, _ = ScanRow.objects.get_or_create(
        staff=staff, page=page, key=request.POST.get("scan_key", "")[:32] or uuid4().hex,
        defaults={"library_id": staff.library_id, "at": now, "kind": kind, "answer": answer},
    )  # fmt: skip
    return shown(row)


def shown(row: ScanRow) -> dict[str, Any]:
    answer: dict[str, Any] = row.answer
    return answer | {"at": row.at, "id": f"scan-{row.pk}", "pk": row.pk}


def rows(request: HttpRequest, page: str) -> list[dict[str, Any]]:
    """This sitting's rows, newest first."""
    kept = ScanRow.objects.filter(staff=staff_of(request), page=page, cleared=False)
    return [shown(row) for row in kept.order_by("-id")[:MOST_SHOWN]]


def totals(request: HttpRequest, page: str) -> Counter[str]:
    """How many of each kind in this sitting."""
    kinds = ScanRow.objects.filter(staff=staff_of(request), page=page, cleared=False).values_list("kind", flat=True)
    return Counter(kinds.order_by())


def clear(request: HttpRequest, page: str) -> None:
    ScanRow.objects.filter(staff=staff_of(request), page=page, cleared=False).update(cleared=True)
