"""What the pages themselves must remember: the answered scans of a sitting, so that a reload loses nothing."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from interlend.libraries.models import Library


class ScanRow(models.Model):
    """One answered scan. `answer` is what `result_row.html` shows; `key` is the browser's, the same on a repeat."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="+", db_index=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    page = models.CharField(max_length=20)
    key = models.CharField(max_length=32)
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    answer = models.JSONField(default=dict)
    cleared = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["staff", "page", "key"], name="scan_once")]
        indexes: ClassVar = [models.Index(fields=["staff", "page", "cleared", "-id"], name="scan_rows")]

    def __str__(self) -> str:
        return f"{self.page}: {self.kind}"
