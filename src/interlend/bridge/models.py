"""Rows of the joins: who may drive our circulation over NCIP, and every message that passed, kept for a set time.

Strategy: plain columns and lists of words, so that a site file can write them; secrets only as keyed hashes. No rules
here: `callers.py` decides who is who, `exchanges.py` what is kept. Z39.83-1, agencies and systems.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from interlend.libraries.models import Library


class NcipCaller(models.Model):
    """A program that may speak NCIP to a library's circulation: what it calls itself, how it proves it, what it may.

    Lists are lists of words; an empty list means "anything". Hashes come from `callers.keyed`, never the plain secret.
    """

    class OnClash(models.TextChoices):
        REFUSE = "refuse", "Refuse"
        SUFFIX = "suffix", "Add a suffix to the barcode"
        REUSE = "reuse", "Take over a temporary item whose request is over"

    library = models.ForeignKey(Library, models.CASCADE, related_name="ncip_callers")
    name = models.CharField(max_length=80)
    active = models.BooleanField(default=True)
    default = models.BooleanField(
        default=False, help_text="Its library answers where a message names no library that is known."
    )
    # how it is recognised
    from_agencies = models.JSONField(default=list, blank=True, help_text="Agency ids it announces itself with.")
    from_systems = models.JSONField(default=list, blank=True, help_text="System ids it announces itself with.")
    to_agencies = models.JSONField(default=list, blank=True, help_text="Other names by which it calls the library.")
    # how it proves it
    secret = models.CharField(max_length=64, blank=True, help_text="Hash of the authentication element's secret.")
    http_user = models.CharField(max_length=80, blank=True)
    http_password = models.CharField(max_length=64, blank=True, help_text="Hash.")
    bearer_token = models.CharField(max_length=64, blank=True, help_text="Hash.")
    networks = models.JSONField(default=list, blank=True, help_text="Addresses it may come from, as 192.0.2.0/24.")
    # what it may, and how it wants to be answered
    services = models.JSONField(default=list, blank=True, help_text="Services it may use; empty: all.")
    on_clash = models.CharField(max_length=6, choices=OnClash, default=OnClash.REFUSE)
    pickups = models.JSONField(default=dict, blank=True, help_text="Its pickup codes -> our branch codes.")
    currency = models.CharField(max_length=3, default="USD", help_text="For amounts that name none.")
    new_user_type = models.CharField(max_length=20, blank=True, help_text="Patron type of users it creates.")
    no_block_or_trap = models.BooleanField(default=False, help_text="It fails on BlockOrTrap (ReShare does).")
    bare_problems = models.BooleanField(default=False, help_text="It wants problems without the service's answer.")
    header_as_sent = models.BooleanField(default=False, help_text="From and To stay in place in answers (INN-Reach).")

    class Meta:
        ordering: ClassVar = ["library_id", "name"]
        verbose_name = "NCIP caller"
        constraints: ClassVar = [models.UniqueConstraint(fields=["library", "name"], name="ncip_caller_once")]

    def __str__(self) -> str:
        return self.name


class Exchange(models.Model):
    """One message and its answer, secrets and patrons' particulars blanked. `outcome` is ok or what went wrong."""

    class Direction(models.TextChoices):
        IN = "in", "Received"
        OUT = "out", "Sent"

    library = models.ForeignKey(Library, models.CASCADE, null=True, related_name="+", db_index=False)
    direction = models.CharField(max_length=3, choices=Direction)
    peer = models.CharField(max_length=120, blank=True)
    service = models.CharField(max_length=60, blank=True)
    request = models.CharField(max_length=60, blank=True)
    item_barcode = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=120, help_text="ok, the problem's name, or what broke the exchange.")
    detail = models.CharField(max_length=500, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    source = models.CharField(max_length=60, blank=True, help_text="Address it came from, or went to.")
    headers = models.JSONField(default=dict)
    message = models.TextField(blank=True)
    answer = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["library", "-at"], name="exchange_by_time"),
            # whole, not partial: SQLite uses a partial index only for a query that repeats its condition
            models.Index(fields=["library", "request", "-id"], name="exchange_by_request"),
            models.Index(fields=["at"], name="exchange_to_purge"),
        ]

    def __str__(self) -> str:
        return f"{self.service or 'message'} from {self.peer or 'unknown'}: {self.outcome}"


class HostSettings(models.Model):
    """Which circulation a library has: ours, somebody else's over NCIP, or a person. No row means ours.

    The last columns say how the host has behaved lately (`breaker.py`); they are never edited by hand.
    """

    class Kind(models.TextChoices):
        IN_PROCESS = "in_process", "Interlend's own circulation"
        NCIP = "ncip", "Another system, over NCIP"
        BY_HAND = "by_hand", "By hand: a person does each step"

    class Auth(models.TextChoices):
        NONE = "none", "None"
        BASIC = "basic", "User name and password"
        BEARER = "bearer", "Bearer token"
        API_KEY = "api_key", "API key in a header"
        OAUTH2 = "oauth2", "OAuth 2 client credentials"

    library = models.OneToOneField(Library, models.CASCADE, related_name="host_settings")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.IN_PROCESS)
    name = models.CharField(max_length=80, blank=True, help_text="What staff call it, for sentences.")
    url = models.CharField(max_length=300, blank=True, help_text="https://…, http://… or tcp://host:port")
    dialect = models.CharField(max_length=40, default="generic")
    from_agency = models.CharField(max_length=60, blank=True, help_text="How we announce ourselves.")
    to_agency = models.CharField(max_length=60, blank=True, help_text="What the host calls this library.")
    profile = models.CharField(max_length=60, blank=True, help_text="ApplicationProfileType, where the host wants one.")
    agency_secret = models.CharField(max_length=120, blank=True)
    auth = models.CharField(max_length=8, choices=Auth, default=Auth.NONE)
    auth_user = models.CharField(max_length=120, blank=True)
    auth_secret = models.CharField(max_length=500, blank=True)
    auth_header = models.CharField(max_length=60, blank=True)
    token_url = models.CharField(max_length=300, blank=True)
    scope = models.CharField(max_length=120, blank=True)
    ca_file = models.CharField(max_length=300, blank=True, help_text="Certificates to trust beside the usual ones.")
    test_patron = models.CharField(max_length=60, blank=True, help_text="Barcode that the check may look up.")
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "host settings"

    def __str__(self) -> str:
        return self.name or self.get_kind_display()
