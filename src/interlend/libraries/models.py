"""Rows of the tenants: a library, its branches, its open hours and closures, its staff and failed sign-ins.

Every other row in the system belongs to a library. Rules live in `policies.py`; this file has none.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Library(models.Model):
    """One tenant. `symbol` is its name among partners; `time_zone` governs every date it shows or promises."""

    symbol = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, default="UTC")
    language = models.CharField(max_length=10, default="en")
    accent = models.CharField(max_length=7, default="#0b5c63")
    email_from = models.EmailField(blank=True)
    return_address = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "libraries"

    def __str__(self) -> str:
        return self.name


class PickupStatus(models.TextChoices):
    """The three service states of a place (circulation.md 3.3)."""

    ACTIVE = "active", "Active pickup location"
    INACTIVE = "inactive", "Inactive pickup location (staff only)"
    NEVER = "never", "Not a pickup location"


class Branch(models.Model):
    """A place of a library where people stand: it may hold items, be a pickup location, be *here* at check-in."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="branches")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    pickup = models.CharField(max_length=10, choices=PickupStatus, default=PickupStatus.ACTIVE)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "branches"
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "code"], name="branch_code_once")]

    def __str__(self) -> str:
        return self.name


class OpenHours(models.Model):
    """One weekday's hours of a library, or of one branch (which then overrides the library's whole week)."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="open_hours")
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, blank=True, related_name="open_hours")
    weekday = models.PositiveSmallIntegerField(
        choices=list(enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]))
    )
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        ordering: ClassVar = ["branch_id", "weekday", "opens"]
        verbose_name_plural = "open hours"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(opens__lt=models.F("closes")), name="opens_before_closing"),
            models.UniqueConstraint(
                fields=["library", "branch", "weekday", "opens"], name="hours_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}-{self.closes:%H:%M}"


class Closure(models.Model):
    """Days on which a library (or one branch) is closed whatever its week says."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="closures")
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, blank=True, related_name="closures")
    first_day = models.DateField()
    last_day = models.DateField()
    why = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering: ClassVar = ["first_day"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(first_day__lte=models.F("last_day")), name="closure_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"


class StaffManager(BaseUserManager["StaffMember"]):
    """Staff are made with a library: there is no account without one."""

    def create_user(self, sign_in: str, library: Library, password: str | None = None, **fields: object) -> StaffMember:
        member = self.model(sign_in=sign_in, library=library, **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member


class StaffMember(AbstractBaseUser):
    """A person who works at one library. `roles` is a subset of `policies.ROLES`, as a list of words."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="staff")
    sign_in = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    roles = models.JSONField(default=list)
    branch = models.ForeignKey(Branch, models.SET_NULL, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "sign_in"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = StaffManager()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class FailedSignIn(models.Model):
    """One failure at a door (`staff`, `patron`, `ncip`). `name` is a digest of what was typed: it may have been a PIN.

    Every process reads it, so that it makes no difference which of them is asked. `library` is empty at the staff door,
    where the library is not known before the sign-in.
    """

    library = models.ForeignKey(Library, models.CASCADE, null=True, blank=True, related_name="+")
    door = models.CharField(max_length=10)
    name = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["name", "at"], name="failed_by_name")]

    def __str__(self) -> str:
        return f"{self.door}, {self.at:%Y-%m-%d %H:%M}"
