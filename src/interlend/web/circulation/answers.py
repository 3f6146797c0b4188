"""How these pages answer: a scan with its row, a form with the way back, a refusal with who can mend it.

Strategy: one function for each kind of answer, so that no view says no in its own way. Follows pages.md, "A scan".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from interlend.circulation.errors import Refused
from interlend.web.told import refusal

LONGEST_BARCODE = 60
ROWS_ON_A_PAGE = 50


def text_of(request: HttpRequest, name: str, longest: int = 200) -> str:
    """A field as plain text: without the control characters that some scanners add (and databases refuse)."""
    given = str((request.POST if request.method == "POST" else request.GET).get(name, ""))
    plain = "".join(c for c in given if unicodedata.category(c) not in ("Cc", "Cs"))
    return plain.strip()[: longest + 1]


def number_of(text: str) -> int:
    """A key from an address or a form; 0 where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def why_no_barcode(text: str) -> str:
    """Why this cannot be a barcode; empty where it can."""
    if not text:
        return _("Nothing was scanned. Scan the barcode, or type it and press Enter.")
    if len(text) > LONGEST_BARCODE:
        return _("This is longer than any barcode: perhaps two scans ran together. Scan it once more.")
    return ""


@dataclass(frozen=True)
class Act:
    """One thing that can be done now, as `components/actions.html` shows it."""

    label: str
    url: str
    method: str = "post"
    values: Sequence[tuple[str, str]] = ()
    danger: bool = False
    confirm: str = ""
    confirm_word: str = ""
    dialog: bool = False
    slip: bool = False


def opens(label: str, url: str) -> Act:
    """A form that opens as a dialog; without script, as a page."""
    return Act(label, url, "get", dialog=True)


def prints(label: str, url: str) -> Act:
    """A slip in the small window, printing by itself."""
    return Act(label, f"{url}?print=1", "get", slip=True)


# --- a scan -----------------------------------------------------------------------------------------------------


def stop_row(word: str, barcode: str, sentence: str, *, title: str = "", **more: Any) -> dict[str, Any]:
    """What did not happen, why, and what can be done: `more` has the alert's `links` and `actions`."""
    shown = barcode if len(barcode) <= LONGEST_BARCODE else f"{barcode[:LONGEST_BARCODE]}…"
    return {
        "meaning": "stop", "word": word, "barcode": shown, "title": title,
        "alerts": [{"sentence": sentence, **more}],
    }  # fmt: skip


def refused_row(word: str, barcode: str, no: Refused, **more: Any) -> dict[str, Any]:
    return stop_row(word, barcode, refusal(no), **more)


def answer_scan(
    request: HttpRequest, row: dict[str, Any], back: str, known: dict[str, Any] | None = None
) -> HttpResponse:
    """The row for the top of the list, with what changes beside it; without script, the page again."""
    if not request.headers.get("HX-Request"):
        return redirect(back)
    status = 422 if row["meaning"] == "stop" else 200
    return render(request, "circulation/scan_answer.html", {"row": row} | (known or {}), status=status)


# --- a form -----------------------------------------------------------------------------------------------------


def way_back(request: HttpRequest, otherwise: str) -> str:
    """Where the person came from, if the form says so and it is one of our own pages."""
    to = str(request.POST.get("next", "") or request.GET.get("next", ""))
    safe = url_has_allowed_host_and_scheme(to, {request.get_host()}, request.is_secure())
    return to if safe and to.startswith("/") else otherwise


def done(request: HttpRequest, sentence: str, to: str) -> HttpResponse:
    messages.success(request, sentence)
    return go_to(request, to)


def not_done(request: HttpRequest, no: Refused, to: str) -> HttpResponse:
    """A refusal of a button that has no form: said at the top of the page it came from."""
    messages.error(request, refusal(no))
    return go_to(request, to)


def go_to(request: HttpRequest, to: str) -> HttpResponse:
    """Another page. Script is told where to go: a redirect that it follows would use up the page's messages."""
    return HttpResponseClientRedirect(to) if request.headers.get("HX-Request") else redirect(to)


def show_form(request: HttpRequest, template: str, known: dict[str, Any], form: BaseForm) -> HttpResponse:
    """A form in a dialog (asked for by script) or as a page of its own; 422 where something is wrong with it."""
    in_dialog = bool(request.headers.get("HX-Request"))
    known |= {"form": form, "in_dialog": in_dialog, "frame": "circulation/dialog.html" if in_dialog else "base.html"}
    return render(request, template, known, status=422 if form.errors else 200)


def add_refusal(form: BaseForm, no: Refused) -> None:
    form.add_error(None, refusal(no))


# --- a list -----------------------------------------------------------------------------------------------------


def page_of(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], size: int = ROWS_ON_A_PAGE) -> Page[Any]:
    """The page that `?page=` asks for; the nearest one where there is no such page."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def days_since(then: datetime, now: datetime) -> int:
    return max((now - then).days, 0)
