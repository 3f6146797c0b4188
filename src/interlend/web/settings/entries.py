"""The table of settings pages: each kind of row with its form, its columns and the sentence that explains it.

Strategy: what a page does is the same for all (`views.py`, `saving.py`); what it is about is data,
here and in `forms.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from interlend.bridge.models import HostSettings, NcipCaller
from interlend.circulation.models import (
    CollectionTypePolicy,
    HoldPolicy,
    IllSettings,
    LoanPolicy,
    LoanPolicyMap,
    PatronType,
    ShelvingLocation,
)
from interlend.libraries.models import Branch, Closure, Library, OpenHours, StaffMember
from interlend.libraries.policies import ROLES
from interlend.notices.models import NoticePolicy
from interlend.web.circulation.words import moment
from interlend.web.settings import forms, joins
from interlend.web.templatetags.interlend_tags import local_date
from interlend.web.told import told

Words = Any  # a text, or one that is translated when it is shown


@dataclass(frozen=True)
class Column:
    """One column of a list: its heading and what it says about a row."""

    heading: Words
    says: Callable[[Any], str]


@dataclass(frozen=True)
class Kind:
    """One kind of row. `single`: a library has just one, so its list is its form. `ordered`: rows have a place."""

    slug: str
    title: Words
    one: Words
    explains: Words
    model: Any
    form: type[forms.RowForm]
    columns: Sequence[Column] = ()
    related: tuple[str, ...] = ()
    single: bool = False
    ordered: bool = False
    #: what the form's page says of the row beside its form, and can do with it (`facts.html`, `actions.html`)
    facts: Callable[[Any, datetime], list[dict[str, Any]]] = lambda _row, _now: []
    doings: Callable[[Any], list[dict[str, Any]]] = lambda _row: []
    #: rows that go with a deleted one, because they say nothing without it
    takes_along: tuple[str, ...] = field(default=())

    def rows(self, library: Library) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.all()
        if self.model is Library:
            return rows.filter(pk=library.pk)
        return rows.filter(library=library).select_related(*self.related)


def _place(row: Any) -> str:
    return row.branch.name if row.branch else _("The whole library")


def _or_any(row: Any) -> str:
    return str(row) if row else _("any")


def _roles(member: StaffMember) -> str:
    return ", ".join(_(ROLES[role][0]) for role in member.roles if role in ROLES)


def _period(policy: LoanPolicy) -> str:
    if policy.circulates == LoanPolicy.Circulates.NEVER:
        return _("does not circulate")
    words = {
        "days": ngettext("%d day", "%d days", policy.period), "weeks": ngettext("%d week", "%d weeks", policy.period),
        "months": ngettext("%d month", "%d months", policy.period),
    }  # fmt: skip
    return words[policy.unit] % policy.period


def _limit(row: PatronType) -> str:
    return _("no limit") if row.item_limit is None else str(row.item_limit)


def _announces(row: NcipCaller) -> str:
    return ", ".join([*row.from_agencies, *row.from_systems]) or _("anything")


def _proof(row: NcipCaller) -> str:
    """How a caller shows that it is the one; the open door is named as such."""
    ways = [
        (row.secret, _("secret")), (row.http_password, _("password")), (row.bearer_token, _("token")),
        (row.networks, _("network")),
    ]  # fmt: skip
    return ", ".join(word for given, word in ways if given) or _("none: whoever knows its name")


def _behaviour(row: HostSettings, now: datetime) -> list[dict[str, Any]]:
    """How the system has answered lately, in words; its own columns, never edited by hand."""
    if row.kind != HostSettings.Kind.NCIP:
        return []
    failing = {"since": moment(row.failing_since), "n": row.failures}
    silent = ngettext("No answer since %(since)s (1 try)", "No answer since %(since)s (%(n)d tries)", row.failures)
    lately = silent % failing if row.failing_since else _("It answers")
    paused = row.paused_until if row.paused_until and row.paused_until > now else None
    return [
        {"label": _("Lately"), "value": lately, "big": True, "note": told(row.last_trouble)},
        {"label": _("Last answer"), "value": moment(row.last_ok_at) or _("none so far")},
        {"label": _("Left alone until"), "value": moment(paused), "note": _("then it is tried again by itself")},
    ]  # fmt: skip


def _checking(_row: HostSettings) -> list[dict[str, Any]]:
    return [{"label": _("Check the connection"), "url": reverse("host_check"), "key": "c", "values": []}]


def _services(row: NcipCaller) -> str:
    return ngettext("%d service", "%d services", len(row.services)) % len(row.services) if row.services else _("all")


def _yes(value: bool) -> str:
    return _("yes") if value else _("no")


NAME, CODE = gettext_lazy("Name"), gettext_lazy("Code")
HOLDING, SHELVING = gettext_lazy("Holding location"), gettext_lazy("Shelving location")

KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(
            "library", gettext_lazy("Library"), gettext_lazy("library"),
            gettext_lazy("The library's name, time zone, language and colour, and what stands on its letters."),
            Library, forms.LibraryForm, single=True,
        ),
        Kind(
            "branches", gettext_lazy("Branches"), gettext_lazy("branch"),
            gettext_lazy("The places where items are kept, collected and returned; each may be a service location."),
            Branch, forms.BranchForm,
            (Column(NAME, lambda row: row.name), Column(CODE, lambda row: row.code),
             Column(gettext_lazy("Pickup"), lambda row: _(row.get_pickup_display()))),
            takes_along=("libraries.OpenHours", "libraries.Closure"),
        ),
        Kind(
            "open-hours", gettext_lazy("Open hours"), gettext_lazy("open hours"),
            gettext_lazy("When the library or one branch is open; due dates fall on open days. Without any: always."),
            OpenHours, forms.OpenHoursForm,
            (Column(gettext_lazy("Weekday"), lambda row: _(row.get_weekday_display())),
             Column(gettext_lazy("Opens"), lambda row: f"{row.opens:%H:%M}"),
             Column(gettext_lazy("Closes"), lambda row: f"{row.closes:%H:%M}"), Column(gettext_lazy("Branch"), _place)),
            ("branch",),
        ),
        Kind(
            "closures", gettext_lazy("Closures"), gettext_lazy("closure"),
            gettext_lazy("Holidays and other days without service; due dates and shelf times step over them."),
            Closure, forms.ClosureForm,
            (Column(gettext_lazy("First day"), lambda row: str(local_date(row.first_day))),
             Column(gettext_lazy("Last day"), lambda row: str(local_date(row.last_day))),
             Column(gettext_lazy("Reason"), lambda row: row.why), Column(gettext_lazy("Branch"), _place)),
            ("branch",),
        ),
        Kind(
            "staff", gettext_lazy("Staff accounts"), gettext_lazy("staff account"),
            gettext_lazy("Who may sign in, and what each may do: desk, interlibrary loan, settings, or only look."),
            StaffMember, forms.StaffForm,
            (Column(NAME, lambda row: row.name), Column(gettext_lazy("Sign-in name"), lambda row: row.sign_in),
             Column(gettext_lazy("Roles"), _roles),
             Column(gettext_lazy("Usual location"), lambda row: row.branch.name if row.branch else ""),
             Column(gettext_lazy("May sign in"), lambda row: _yes(row.is_active))),
            ("branch",), takes_along=("web.ScanRow",),
        ),
        Kind(
            "patron-types", gettext_lazy("Patron types"), gettext_lazy("patron type"),
            gettext_lazy("Classes of patrons, such as students or institutions; loan policies are chosen by them."),
            PatronType, forms.PatronTypeForm,
            (Column(NAME, lambda row: row.name), Column(CODE, lambda row: row.code),
             Column(gettext_lazy("Items at once"), _limit)),
        ),
        Kind(
            "shelving-locations", gettext_lazy("Shelving locations"), gettext_lazy("shelving location"),
            gettext_lazy("Where in a branch an item stands, such as Stacks or Reserve; policies are chosen by them."),
            ShelvingLocation, forms.ShelvingLocationForm,
            (Column(NAME, lambda row: row.name), Column(CODE, lambda row: row.code)),
        ),
        Kind(
            "loan-policies", gettext_lazy("Loan policies"), gettext_lazy("loan policy"),
            gettext_lazy("How long something may be borrowed and how often it may be renewed."),
            LoanPolicy, forms.LoanPolicyForm,
            (Column(NAME, lambda row: row.name), Column(gettext_lazy("Loan period"), _period),
             Column(gettext_lazy("Renewals"), lambda row: str(row.renewals)),
             Column(gettext_lazy("Due on closed days"), lambda row: _yes(row.include_closed_days))),
        ),
        Kind(
            "loan-policy-map", gettext_lazy("Loan policy map"), gettext_lazy("loan policy map row"),
            gettext_lazy("Which loan policy applies to whom and what: read from the top, the first row that fits."),
            LoanPolicyMap, forms.LoanMapForm,
            (Column(gettext_lazy("Loan policy"), lambda row: row.policy.name),
             Column(gettext_lazy("Patron type"), lambda row: _or_any(row.patron_type)),
             Column(HOLDING, lambda row: _or_any(row.holding_location)),
             Column(SHELVING, lambda row: _or_any(row.shelving_location)),
             Column(gettext_lazy("Format"), lambda row: _or_any(row.material_format))),
            ("policy", "patron_type", "holding_location", "shelving_location"), ordered=True,
        ),
        Kind(
            "collection-types", gettext_lazy("Collection type policies"), gettext_lazy("collection type policy"),
            gettext_lazy("What a check-in makes of an item, Available or Unavailable. The most exact match wins."),
            CollectionTypePolicy, forms.CollectionTypeForm,
            (Column(NAME, lambda row: row.name), Column(HOLDING, lambda row: _or_any(row.holding_location)),
             Column(SHELVING, lambda row: _or_any(row.shelving_location)),
             Column(gettext_lazy("After check-in"), lambda row: _("Available") if row.available else _("Unavailable")),
             Column(gettext_lazy("Fills holds on the title"), lambda row: _yes(row.fulfills_holds))),
            ("holding_location", "shelving_location"),
        ),
        Kind(
            "hold-policy", gettext_lazy("Hold policy"), gettext_lazy("hold policy"),
            gettext_lazy("How long a hold waits, how long it stays on the shelf, whether the patron is written to."),
            HoldPolicy, forms.HoldPolicyForm, single=True,
        ),
        Kind(
            "notice-policy", gettext_lazy("Notice policy"), gettext_lazy("notice policy"),
            gettext_lazy("Which letters go beside the pickup notice, and when."),
            NoticePolicy, forms.NoticePolicyForm, single=True,
        ),
        Kind(
            "ill", gettext_lazy("ILL settings"), gettext_lazy("ILL settings"),
            gettext_lazy("Where items borrowed from other libraries are kept; without it none can be received."),
            IllSettings, forms.IllSettingsForm, single=True,
        ),
        Kind(
            "circulation-system", gettext_lazy("Circulation system"), gettext_lazy("circulation system"),
            gettext_lazy("Which system keeps patrons and loans: this one, another one over NCIP, or a person by hand."),
            HostSettings, joins.HostForm, single=True, facts=_behaviour,
            doings=_checking,
        ),
        Kind(
            "ncip-callers", gettext_lazy("NCIP callers"), gettext_lazy("NCIP caller"),
            gettext_lazy("Programs of others that may drive this library’s circulation; how each proves who it is."),
            NcipCaller, joins.CallerForm,
            (Column(NAME, lambda row: row.name),
             Column(gettext_lazy("Announces itself as"), _announces),
             Column(gettext_lazy("Proof"), _proof), Column(gettext_lazy("Services"), _services),
             Column(gettext_lazy("May speak to us"), lambda row: _yes(row.active))),
        ),
    )
}  # fmt: skip

#: the index; the longer groups stand first, side by side
GROUPS: tuple[tuple[Words, tuple[str, ...]], ...] = (
    (gettext_lazy("The library"), ("library", "branches", "open-hours", "closures", "staff")),
    (
        gettext_lazy("Policies"),
        ("loan-policies", "loan-policy-map", "collection-types", "hold-policy", "notice-policy"),
    ),
    (gettext_lazy("Patrons and items"), ("patron-types", "shelving-locations")),
    (gettext_lazy("Interlibrary loan"), ("ill", "circulation-system", "ncip-callers")),
)
