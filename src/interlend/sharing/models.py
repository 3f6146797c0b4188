"""Rows of the sharing house: partners, requests (one row a side), their pieces. No rules here.

A request between two members is two rows, the borrower's and the lender's; both carry the requester's number, which
is unique per library and side. Only the borrower's row knows the patron.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from interlend.libraries.models import Library
from interlend.sharing.lifecycles import LIFECYCLES, NEW

_STATES = [
    (state, state.replace("_", " ").capitalize())
    for state in dict.fromkeys(state for table in LIFECYCLES.values() for state in table.states)
]


class Partner(models.Model):
    """Another library as this one knows it. `account` is the barcode of its institution account in our circulation."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="partners")
    symbol = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    account = models.CharField(max_length=60, blank=True, help_text="Barcode of its patron account with us (L1).")
    return_address = models.TextField(blank=True, help_text="Where its books go back to; printed on return slips.")
    email = models.EmailField(blank=True)
    lends = models.BooleanField(default=True, help_text="May be chosen as a lender.")
    note = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "symbol"], name="partner_once")]

    def __str__(self) -> str:
        return self.name


class NumberSeries(models.Model):
    """The next request number of a library: three letters of its symbol, a dash, a number that only grows."""

    library = models.OneToOneField(Library, models.CASCADE, related_name="number_series")
    prefix = models.CharField(max_length=10)
    next = models.PositiveIntegerField(default=10001)

    def __str__(self) -> str:
        return f"{self.prefix}-{self.next}"


class IllRequest(models.Model):
    """One side of a request. `outcome` says how it ended even after later states; `moves` counts the table's moves."""

    class Side(models.TextChoices):
        BORROWING = "borrowing", "Borrowing"
        LENDING = "lending", "Lending"

    class Service(models.TextChoices):
        LOAN = "loan", "Loan"
        COPY = "copy", "Copy"

    library = models.ForeignKey(Library, models.CASCADE, related_name="requests")
    side = models.CharField(max_length=9, choices=Side)
    service = models.CharField(max_length=4, choices=Service, default=Service.LOAN)
    number = models.CharField(max_length=60)
    state = models.CharField(
        max_length=20, default=NEW,
        choices=_STATES,
    )  # fmt: skip
    state_since = models.DateTimeField()
    outcome = models.CharField(max_length=20, blank=True)
    moves = models.PositiveIntegerField(default=0)
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, blank=True, related_name="requests")
    title = models.CharField(max_length=500)
    author = models.CharField(max_length=300, blank=True)
    publisher = models.CharField(max_length=300, blank=True)
    year = models.CharField(max_length=20, blank=True)
    edition = models.CharField(max_length=200, blank=True)
    isbn = models.CharField(max_length=20, blank=True)
    volume = models.CharField(max_length=60, blank=True)
    pages = models.CharField(max_length=60, blank=True)
    note = models.TextField(blank=True)
    patron_barcode = models.CharField(max_length=60, blank=True)
    patron_name = models.CharField(max_length=120, blank=True)
    pickup = models.CharField(max_length=20, blank=True, help_text="Code of the pickup location.")
    need_by = models.DateField(null=True, blank=True)
    wished_due = models.DateField(null=True, blank=True)
    due = models.DateField(null=True, blank=True, help_text="The lender's due date.")
    reason = models.CharField(max_length=200, blank=True)
    #: circulation has said so: our patron's book (or our own) lies at the desk, sharing was not told by a person yet
    at_desk_since = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "side", "number"], name="request_once")]
        indexes: ClassVar = [
            models.Index(fields=["library", "side", "state", "state_since"], name="request_by_state"),
            models.Index(
                fields=["library", "patron_barcode"], condition=~Q(patron_barcode=""), name="request_by_patron"
            ),
            models.Index(
                fields=["library", "at_desk_since"], condition=Q(at_desk_since__isnull=False), name="request_at_desk"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number


class Piece(models.Model):
    """One physical volume of a request. `barcode` is the one our own circulation knows; `partner_barcode` theirs."""

    request = models.ForeignKey(IllRequest, models.CASCADE, related_name="pieces")
    library = models.ForeignKey(Library, models.CASCADE, related_name="+", db_index=False)
    position = models.PositiveIntegerField(default=1)
    barcode = models.CharField(max_length=60, blank=True)
    partner_barcode = models.CharField(max_length=60, blank=True)
    volume = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["request", "position"], name="piece_once")]
        indexes: ClassVar = [
            models.Index(fields=["library", "barcode"], name="piece_by_barcode"),
            models.Index(fields=["library", "partner_barcode"], name="piece_by_partner_barcode"),
        ]

    def __str__(self) -> str:
        return self.barcode or self.partner_barcode
