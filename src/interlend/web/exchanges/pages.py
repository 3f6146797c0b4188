"""Exchanges: the list with its filters, one message with its answer, the text for support, the replay to a test host.

Strategy: every list is bounded by library and time (or by request), so that an index finds it however much was kept;
what follows the newest thousand is found by narrowing. Bodies were blanked when they were kept.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from interlend.bridge import kept, queries
from interlend.bridge.exchanges import KEPT_DAYS
from interlend.bridge.models import Exchange
from interlend.bridge.ncip_responder.door import SERVICES
from interlend.libraries.policies import may
from interlend.sharing import queries as sharing
from interlend.web.circulation.forms import Day
from interlend.web.circulation.words import moment
from interlend.web.exchanges import words
from interlend.web.shell import ADMINISTER, own, staff_of, staff_page
from interlend.web.told import told

if TYPE_CHECKING:  # a paginator takes its type parameter only before mypy
    Pages = Paginator[Exchange]
else:
    Pages = Paginator

#: days that are looked through where nothing is said
USUAL_DAYS = 7
MOST_LEAFED = 1000


# --- the list -----------------------------------------------------------------------------------------------------


#: what the filters that must say something say at first
ANYTHING = {"direction": "any", "service": "any", "outcome": "any"}


class FilterForm(forms.Form):
    """What to look for; everything may be empty."""

    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        choices=[("any", gettext_lazy("Both ways")), ("in", gettext_lazy("Received")), ("out", gettext_lazy("Sent"))],
    )  # fmt: skip
    service = forms.ChoiceField(
        label=gettext_lazy("Service"),
        choices=lambda: [("any", _("All services")), *((name, name) for name in sorted(SERVICES))],
    )  # fmt: skip
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        choices=[("any", gettext_lazy("All")), ("ok", gettext_lazy("Went well")),
                 ("trouble", gettext_lazy("Did not go well"))],
    )  # fmt: skip
    request = forms.CharField(label=gettext_lazy("Request number"), max_length=60, required=False)
    peer = forms.CharField(label=gettext_lazy("Peer"), max_length=120, required=False)
    first = Day(label=gettext_lazy("From"), required=False)
    last = Day(label=gettext_lazy("To"), required=False)

    def clean(self) -> dict[str, Any]:
        known = super().clean() or {}
        if known.get("first") and known.get("last") and known["last"] < known["first"]:
            self.add_error("last", _("The last day is before the first."))
        return known


@staff_page()
def exchanges(request: HttpRequest) -> HttpResponse:
    """The newest first; without a time of one's own, the last week."""
    form = FilterForm(ANYTHING | request.GET.dict())
    asked: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    today = timezone.localdate(timezone.now())
    found = queries.exchanges(staff_of(request).library_id, _sought(asked, today))
    leaf = _Bounded(found if not form.errors else found.none(), 50).get_page(request.GET.get("page"))
    filters = {name: request.GET[name] for name in form.fields if request.GET.get(name) not in (None, "", "any")}
    known = {
        "form": form, "page_obj": leaf, "query": urlencode(filters) + "&" if filters else "",
        "lines": [(row, words.outcome(row), words.took(row), words.way(row)) for row in leaf],
        "filtered": bool(filters), "more": leaf.paginator.count >= MOST_LEAFED,
        "since": None if asked.get("first") or asked.get("request") else today - timedelta(days=USUAL_DAYS - 1),
        "kept_days": KEPT_DAYS,
    }  # fmt: skip
    return render(request, "exchanges/list.html", known, status=422 if form.errors else 200)


def _sought(asked: dict[str, Any], today: date) -> queries.Sought:
    """The cleaned form; without a request of one's own, the last week."""
    asked = {name: value for name, value in asked.items() if value != "any"}
    first, last, number = asked.get("first"), asked.get("last"), asked.get("request", "")
    if first is None and not number:
        first = today - timedelta(days=USUAL_DAYS - 1)
    return queries.Sought(
        since=_midnight(first) if first else None, until=_midnight(last + timedelta(days=1)) if last else None,
        request=number, direction=asked.get("direction", ""), service=asked.get("service", ""),
        peer=asked.get("peer", ""), ok={"ok": True, "trouble": False}.get(asked.get("outcome", "")),
    )  # fmt: skip


def _midnight(day: date) -> datetime:
    """The first moment of a day on the library's clock, on which `staff_page` runs."""
    return datetime.combine(day, time(), timezone.get_current_timezone())


class _Bounded(Pages):
    """Leafs through the newest thousand: nobody reads further, and counting them all would read them all."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows[:MOST_LEAFED].count()


# --- one exchange -------------------------------------------------------------------------------------------------


class ReplayForm(forms.Form):
    address = forms.CharField(
        label=gettext_lazy("Address of the test host"), max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "https://test.example/ncip", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "https://…, http://… or tcp://host:port. The message goes as it was kept, blanked and without sign-in; "
            "never to the system that is in use."
        ),
    )  # fmt: skip


@staff_page()
def exchange(request: HttpRequest, pk: int) -> HttpResponse:
    """The message and its answer side by side, as they were kept."""
    return _show(request, _own(request, pk))


def _own(request: HttpRequest, pk: int) -> Exchange:
    row: Exchange = own(queries.exchange(staff_of(request).library_id, pk))
    return row


def _show(request: HttpRequest, row: Exchange, **more: Any) -> HttpResponse:
    may_replay = may(staff_of(request).roles, ADMINISTER)
    known = {
        "row": row, "service": words.service(row), "outcome": words.outcome(row), "facts": _facts(row),
        "headers": sorted(row.headers.items()), "message": kept.readable(row.message),
        "answer": kept.readable(row.answer), "may_replay": may_replay, "why_no_replay": _(kept.why_not_replayable(row)),
        "form": ReplayForm(),
    }  # fmt: skip
    form = more.get("form")
    return render(request, "exchanges/one.html", known | more, status=422 if form is not None and form.errors else 200)


def _facts(row: Exchange) -> list[dict[str, Any]]:
    ills = sharing.with_numbers(row.library_id, [row.request]) if row.library_id and row.request else []
    ill = ills[0] if ills else None
    found = f"{reverse('find')}?{urlencode({'q': row.item_barcode})}" if row.item_barcode else ""
    return [
        {"label": _("When"), "value": moment(row.at), "big": True},
        {"label": _("Way"), "value": words.way(row), "big": True},
        {"label": _("Took"), "value": words.took(row), "big": True},
        {"label": _("Request"), "value": row.request, "mono": True,
         "url": reverse("ill_request", args=[ill.pk]) if ill else ""},
        {"label": _("Item"), "value": row.item_barcode, "mono": True, "url": found},
        {"label": _("Address"), "value": row.source, "mono": True},
        {"label": _("HTTP status"), "value": str(row.http_status or "")},
        {"label": _("What it says"), "value": words.outcome(row).detail, "wide": True},
    ]  # fmt: skip


@staff_page()
def exchange_download(request: HttpRequest, pk: int) -> HttpResponse:
    """Both messages as one text, for whoever supports the other side."""
    row = _own(request, pk)
    text = kept.as_text(row, staff_of(request).library.time_zone)
    name = f'attachment; filename="exchange-{row.pk}.txt"'
    return HttpResponse(text, "text/plain; charset=utf-8", headers={"Content-Disposition": name})


@require_POST
@staff_page(ADMINISTER)
def exchange_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Try the kept message on a test host; its answer stands beside the kept one."""
    row = _own(request, pk)
    form = ReplayForm(request.POST)
    if not form.is_valid():
        return _show(request, row, form=form)
    try:
        done = kept.replay(row, form.cleaned_data["address"], request.get_host(), timezone.now())
    except kept.NotReplayed as no:
        form.add_error("address", told(no.sentence))
        return _show(request, row, form=form)
    return _show(request, row, form=form, replayed=done, replayed_answer=kept.readable(done.answer))
