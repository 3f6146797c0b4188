"""Two tables below both houses: events (facts, never edited) and errands (debts, settled in order).

They name items, patrons and requests by plain keys, not foreign keys, so that neither house is known here.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from interlend.libraries.models import Library
from interlend.outbox.lifecycles import ERRAND, WAITING


class Event(models.Model):
    """A fact: what happened, when, at whose hand. The time lines of items, patrons and requests are made of these."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    at = models.DateTimeField()
    actor = models.CharField(max_length=120, blank=True)
    place = models.CharField(max_length=120, blank=True)
    item_key = models.BigIntegerField(null=True)
    patron_key = models.BigIntegerField(null=True)
    request = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["library", "item_key", "id"], name="event_by_item"),
            models.Index(fields=["library", "patron_key", "id"], name="event_by_patron"),
            models.Index(fields=["library", "request", "id"], name="event_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class Errand(models.Model):
    """A debt to one `party` about one `subject`; `key` makes it unique, `verb` names its handler in the wiring."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="+", db_index=False)
    verb = models.CharField(max_length=60)
    party = models.CharField(max_length=80)
    subject = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    request = models.CharField(max_length=60, blank=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=20, default=WAITING, choices=[(s, s) for s in ERRAND.states])
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    code = models.CharField(max_length=60, blank=True)
    sentence = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "key"], name="errand_once")]
        indexes: ClassVar = [
            models.Index(fields=["state", "due_at"], name="errand_due"),
            models.Index(fields=["library", "subject", "party", "state"], name="errand_in_order"),
            models.Index(fields=["library", "state"], name="errand_by_state"),
            models.Index(fields=["library", "request", "id"], name="errand_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} for {self.subject}: {self.state}"
