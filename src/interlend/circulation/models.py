"""Rows of the circulation house: patrons, titles, items, holds, loans, and the policies a library sets. No rules here.

Steps B1-B17 and L1-L9 of the workflow live on these rows; the request number stands on items, holds and loans as a
plain word, so that this house need not know what a request is. Indexes are few, because every scan writes each of them:
a foreign key has one of its own only where rows are looked up by it alone.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import Q

from interlend.circulation.lifecycles import AVAILABLE, HOLD, ITEM, LOAN, OPEN_HOLD, OUT, PENDING, WITHDRAWN
from interlend.libraries.models import Branch, Library


def _states(lifecycle_states: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(state, state.replace("_", " ").capitalize()) for state in lifecycle_states]


class PatronType(models.Model):
    """A class of patrons (student, staff, interlibrary loan institution); policies are chosen by it."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="patron_types")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    item_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many items at once; empty: no limit."
    )

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "code"], name="patron_type_once")]

    def __str__(self) -> str:
        return self.name


class Patron(models.Model):
    """A person, or an institution's account to which items are lent (L1). `pin` is a hash, never the PIN."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        INSTITUTION = "institution", "Institution"

    library = models.ForeignKey(Library, models.CASCADE, related_name="patrons")
    barcode = models.CharField(max_length=60)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PERSON)
    surname = models.CharField(max_length=120, help_text="An institution's name goes here whole.")
    given_name = models.CharField(max_length=120, blank=True)
    patron_type = models.ForeignKey(PatronType, models.PROTECT, related_name="+")
    home_branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=120, blank=True, help_text="Several numbers are parted by semicolons.")
    address = models.TextField(blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    languages = models.CharField(max_length=40, blank=True, help_text="Language codes, the preferred one first.")
    expires_on = models.DateField(null=True, blank=True)
    blocked_since = models.DateField(null=True, blank=True)
    block_reason = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    pin = models.CharField(max_length=128, blank=True)
    user_name = models.CharField(max_length=80, blank=True, help_text="A second name to be found by.")

    class Meta:
        ordering: ClassVar = ["surname", "given_name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["library", "barcode"], name="patron_barcode_once"),
            models.UniqueConstraint(
                fields=["library", "user_name"], condition=~Q(user_name=""), name="patron_user_name_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["library", "surname", "given_name"], name="patron_by_name")]

    def __str__(self) -> str:
        return self.short_name

    @property
    def short_name(self) -> str:
        """As on slips and rows: "Okafor, M."; an institution's name whole."""
        return f"{self.surname}, {self.given_name[:1]}." if self.given_name else self.surname

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.surname}".strip()


class ShelvingLocation(models.Model):
    """Where in a branch an item stands (Stacks, Reserve, Interlibrary loan); policies are chosen by it."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="shelving_locations")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "code"], name="shelving_location_once")]

    def __str__(self) -> str:
        return self.name


class Title(models.Model):
    """What a work is called; items and title-level holds hang on it. `record_id` is the library's own record number."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="titles", db_index=False)
    record_id = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=500)
    author = models.CharField(max_length=300, blank=True)
    publisher = models.CharField(max_length=300, blank=True)
    year = models.CharField(max_length=20, blank=True)
    edition = models.CharField(max_length=200, blank=True)
    isbn = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=10, blank=True)
    temporary = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["library", "record_id"], condition=~Q(record_id=""), name="record_once")
        ]

    def __str__(self) -> str:
        return self.title


class TitleWord(models.Model):
    """The index of words for Discover Items: folded, as bytes, so that a prefix is one index range on any database."""

    # made from titles and by nothing else, so the database need not look up both keys for every single word
    library = models.ForeignKey(Library, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    title = models.ForeignKey(Title, models.CASCADE, related_name="words", db_constraint=False)
    field = models.CharField(max_length=1, choices=[("t", "title"), ("a", "author")])
    word = models.BinaryField(max_length=64)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["library", "field", "word", "title"], name="title_by_word")]

    def __str__(self) -> str:
        return bytes(self.word).decode()


class Item(models.Model):
    """One physical piece with a barcode. A temporary item is somebody else's, here for one request (B1)."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="items", db_index=False)
    title = models.ForeignKey(Title, models.PROTECT, related_name="items")
    barcode = models.CharField(max_length=60)
    temporary = models.BooleanField(default=False)
    state = models.CharField(max_length=20, default=AVAILABLE, choices=_states(ITEM.states))
    state_since = models.DateTimeField()
    holding_location = models.ForeignKey(Branch, models.PROTECT, related_name="+", db_index=False)
    shelving_location = models.ForeignKey(ShelvingLocation, models.PROTECT, related_name="+", db_index=False)
    home_branch = models.ForeignKey(Branch, models.PROTECT, related_name="+", db_index=False)
    at_branch = models.ForeignKey(Branch, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    going_to = models.ForeignKey(Branch, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    call_number = models.CharField(max_length=120, blank=True)
    volume = models.CharField(max_length=60, blank=True)
    material_format = models.CharField(max_length=40, default="Book")
    note = models.CharField(max_length=300, blank=True)
    # the external request it serves: kept on a temporary item for ever (B17), on ours only while lent (L8)
    request = models.CharField(max_length=60, blank=True)
    partner_symbol = models.CharField(max_length=20, blank=True)
    partner_name = models.CharField(max_length=120, blank=True)
    lender_due = models.DateField(null=True, blank=True)
    last_issued_to = models.ForeignKey(Patron, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    last_issued_at = models.DateTimeField(null=True, blank=True)
    issued_count = models.PositiveIntegerField(default=0)
    last_policy = models.CharField(max_length=80, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # a deleted item frees its barcode at once: nobody waits for a weekly purge to borrow the same copy again
            models.UniqueConstraint(
                fields=["library", "barcode"], condition=~Q(state=WITHDRAWN), name="item_barcode_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["library", "barcode"], name="item_by_barcode"),
            models.Index(fields=["library", "request"], name="item_by_request"),
            models.Index(fields=["library", "state", "state_since"], name="item_by_state"),
            models.Index(
                fields=["library", "-made_at"],
                condition=Q(temporary=True) & ~Q(state=WITHDRAWN),
                name="temporary_items",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.barcode})"


class Hold(models.Model):
    """A patron waits for one item (item level) or for any copy of a title. `item` is set once a copy is caught."""

    class Level(models.TextChoices):
        ITEM = "item", "This item"
        TITLE = "title", "Any copy of the title"

    library = models.ForeignKey(Library, models.CASCADE, related_name="holds", db_index=False)
    patron = models.ForeignKey(Patron, models.CASCADE, related_name="holds", db_index=False)
    title = models.ForeignKey(Title, models.CASCADE, related_name="holds", db_index=False)
    item = models.ForeignKey(Item, models.CASCADE, null=True, blank=True, related_name="holds")
    level = models.CharField(max_length=5, choices=Level, default=Level.ITEM)
    state = models.CharField(max_length=12, default=PENDING, choices=_states(HOLD.states))
    pickup_branch = models.ForeignKey(Branch, models.PROTECT, related_name="+", db_index=False)
    placed_at = models.DateTimeField()
    rank = models.IntegerField(default=0, help_text="Lower goes first; moving to the top makes it lower than all.")
    expires_on = models.DateField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    shelf_until = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    suspended_from = models.DateField(null=True, blank=True)
    suspended_to = models.DateField(null=True, blank=True)
    public_note = models.CharField(max_length=300, blank=True)
    staff_note = models.CharField(max_length=300, blank=True)
    request = models.CharField(max_length=60, blank=True)
    partner_name = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["item", "patron"], condition=Q(state__in=OPEN_HOLD, level="item"), name="item_hold_once"
            ),
            models.UniqueConstraint(
                fields=["title", "patron"], condition=Q(state__in=OPEN_HOLD, level="title"), name="title_hold_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["title", "state", "rank", "placed_at"], name="hold_queue"),
            models.Index(fields=["library", "patron", "state"], name="hold_by_patron"),
            models.Index(fields=["library", "state", "ready_at"], name="hold_shelf"),
            models.Index(fields=["library", "request"], condition=~Q(request=""), name="hold_by_request"),
        ]

    def __str__(self) -> str:
        return f"hold of {self.patron} on {self.title}"

    def asleep(self, today: date) -> bool:
        """Suspended by its patron for today."""
        begun = self.suspended_from is not None and self.suspended_from <= today
        return begun and (self.suspended_to is None or self.suspended_to >= today)


class Loan(models.Model):
    """One item out to one patron. `due_reasons` say how the due date came about (see `policies.DueDate`)."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="loans", db_index=False)
    item = models.ForeignKey(Item, models.CASCADE, related_name="loans", db_index=False)
    patron = models.ForeignKey(Patron, models.CASCADE, related_name="loans", db_index=False)
    state = models.CharField(max_length=10, default=OUT, choices=_states(LOAN.states))
    checked_out_at = models.DateTimeField()
    due_on = models.DateField()
    due_reasons = models.JSONField(default=list)
    policy = models.CharField(max_length=80, blank=True)
    renewals = models.PositiveIntegerField(default=0)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    request = models.CharField(max_length=60, blank=True)
    partner_name = models.CharField(max_length=120, blank=True)
    recalled_at = models.DateTimeField(null=True, blank=True)
    due_before_recall = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item"], condition=Q(state=OUT), name="one_open_loan"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["library", "patron", "state"], name="loan_by_patron"),
            models.Index(fields=["library", "state", "due_on"], name="loan_by_due"),
            models.Index(fields=["item", "-checked_out_at"], name="loan_by_item"),
            models.Index(fields=["library", "request"], condition=~Q(request=""), name="loan_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.item} to {self.patron}, due {self.due_on}"


class Bill(models.Model):
    """One entry of a patron's account: `amount` in the currency's smallest unit, below zero for what was paid.

    `key` makes a repeated message one entry.
    """

    library = models.ForeignKey(Library, models.CASCADE, related_name="+", db_index=False)
    patron = models.ForeignKey(Patron, models.CASCADE, related_name="bills")
    kind = models.CharField(max_length=80, help_text="What it is for, as Interlibrary Loan Fee.")
    action = models.CharField(max_length=40, default="Assess")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    note = models.CharField(max_length=300, blank=True)
    request = models.CharField(max_length=60, blank=True)
    item_barcode = models.CharField(max_length=60, blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=120, blank=True)
    key = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["patron", "key"], name="bill_once")]
        indexes: ClassVar = [models.Index(fields=["library", "patron"], name="bill_by_patron")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.amount} {self.currency}"


class LoanPolicy(models.Model):
    """How long and how often something may be borrowed."""

    class Circulates(models.TextChoices):
        ALWAYS = "always", "Always"
        NEVER = "never", "Never"

    class Unit(models.TextChoices):
        DAYS = "days", "Days"
        WEEKS = "weeks", "Weeks"
        MONTHS = "months", "Months"

    library = models.ForeignKey(Library, models.CASCADE, related_name="loan_policies")
    name = models.CharField(max_length=80)
    circulates = models.CharField(max_length=10, choices=Circulates, default=Circulates.ALWAYS)
    period = models.PositiveIntegerField(default=28)
    unit = models.CharField(max_length=6, choices=Unit, default=Unit.DAYS)
    include_closed_days = models.BooleanField(
        default=False, help_text="If not ticked, a due date on a closed day moves to the next open day."
    )
    renewals = models.PositiveIntegerField(default=2)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "loan policies"
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "name"], name="loan_policy_once")]

    def __str__(self) -> str:
        return self.name


class LoanPolicyMap(models.Model):
    """Which loan policy applies: rows are read top to bottom, an empty cell matches anything, the first match wins."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="loan_policy_map")
    position = models.PositiveIntegerField(default=100)
    patron_type = models.ForeignKey(PatronType, models.CASCADE, null=True, blank=True, related_name="+")
    holding_location = models.ForeignKey(Branch, models.CASCADE, null=True, blank=True, related_name="+")
    shelving_location = models.ForeignKey(ShelvingLocation, models.CASCADE, null=True, blank=True, related_name="+")
    material_format = models.CharField(max_length=40, blank=True)
    policy = models.ForeignKey(LoanPolicy, models.PROTECT, related_name="rows")

    class Meta:
        ordering: ClassVar = ["position", "id"]
        verbose_name = "loan policy map row"
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "position"], name="map_position_once")]

    def __str__(self) -> str:
        return f"{self.position}: {self.policy}"


class CollectionTypePolicy(models.Model):
    """What a check-in makes of an item: the most specific match of holding and shelving location wins (L5, B14)."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="collection_type_policies")
    name = models.CharField(max_length=80)
    holding_location = models.ForeignKey(Branch, models.CASCADE, null=True, blank=True, related_name="+")
    shelving_location = models.ForeignKey(ShelvingLocation, models.CASCADE, null=True, blank=True, related_name="+")
    available = models.BooleanField(default=True, help_text="Available after check-in; otherwise Unavailable.")
    fulfills_holds = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "collection type policies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["library", "name"], name="collection_policy_name_once"),
            models.UniqueConstraint(
                fields=["library", "holding_location", "shelving_location"],
                name="collection_policy_once", nulls_distinct=False,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class HoldPolicy(models.Model):
    """One row a library: how long a hold waits, how long it stays on the shelf, whether the pickup notice goes."""

    library = models.OneToOneField(Library, models.CASCADE, related_name="hold_policy")
    request_days = models.PositiveIntegerField(default=365, help_text="Days a hold waits unfilled.")
    shelf_days = models.PositiveIntegerField(default=7, help_text="Open days on the hold shelf.")
    pickup_notice = models.BooleanField(default=True, help_text="Write to the patron when the item is ready (B9).")

    class Meta:
        verbose_name_plural = "hold policies"

    def __str__(self) -> str:
        return f"{self.shelf_days} open days on the shelf"


class IllSettings(models.Model):
    """One row a library: where temporary items live and go home to (B5, B14). Saving it makes the join live."""

    library = models.OneToOneField(Library, models.CASCADE, related_name="ill_settings")
    enabled = models.BooleanField(default=True)
    holding_location = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    shelving_location = models.ForeignKey(ShelvingLocation, models.PROTECT, related_name="+")
    home_branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "ILL settings"

    def __str__(self) -> str:
        return f"temporary items: {self.holding_location}, {self.shelving_location}"
