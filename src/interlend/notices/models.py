"""Letters: one row an event that a patron must hear of, whether it went, and why not."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from interlend.libraries.models import Library
from interlend.notices.lifecycles import LETTER, WAITING


class Letter(models.Model):
    """One piece of news for one patron. `key` makes it unique per event; letters due together travel as one mail."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="letters", db_index=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    patron_key = models.BigIntegerField()
    hold_key = models.BigIntegerField(null=True)
    loan_key = models.BigIntegerField(null=True)
    about_day = models.DateField(null=True)
    request = models.CharField(max_length=60, blank=True)
    state = models.CharField(
        max_length=12, default=WAITING, choices=[(s, s.replace("_", " ").capitalize()) for s in LETTER.states]
    )
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    batch = models.CharField(max_length=40, blank=True)
    tries = models.PositiveIntegerField(default=0)
    to = models.CharField(max_length=254, blank=True)
    via = models.CharField(max_length=12, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    body = models.TextField(blank=True)
    why = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "key"], name="letter_once")]
        indexes: ClassVar = [
            models.Index(fields=["state", "due_at"], name="letter_due"),
            models.Index(fields=["library", "patron_key", "-id"], name="letter_by_patron"),
            models.Index(fields=["library", "request"], name="letter_by_request"),
            models.Index(fields=["library", "state"], name="letter_by_state"),
            models.Index(fields=["loan_key"], condition=models.Q(loan_key__isnull=False), name="letter_by_loan"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class NoticePolicy(models.Model):
    """One row a library: which notices go beside the pickup notice. Lent items: the institution is written to (L2)."""

    library = models.OneToOneField(Library, models.CASCADE, related_name="notice_policy")
    overdue = models.BooleanField(default=True, help_text="Write when something is overdue.")
    overdue_days = models.PositiveIntegerField(default=1, help_text="Days after the due date.")

    class Meta:
        verbose_name_plural = "notice policies"

    def __str__(self) -> str:
        return f"overdue after {self.overdue_days} days" if self.overdue else "no overdue notices"
