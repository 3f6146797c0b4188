"""What staff press on a request: one trigger of the table, answered by a row (from a scan) or by the request's page.

Strategy: `act` turns a form into one call of one service; the table in the house says whether it is possible, and the
answer says truthfully what circulation and the partner made of it (workflow B1, B15, L1, L5, C1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interlend.libraries.desks import Desk
from interlend.sharing import queries, services
from interlend.sharing.errors import Refused
from interlend.sharing.models import IllRequest
from interlend.sharing.policies import BUTTONS, REASONS_UNFILLED, Button
from interlend.web.sharing import words
from interlend.web.shell import SHARE, desk_of, own, staff_of, staff_page
from interlend.web.told import refusal


@dataclass(frozen=True)
class Asked:
    """What a button's form gave: only the part that the trigger needs is read."""

    trigger: str
    lender: str = ""
    barcodes: Sequence[str] = ()
    due: date | None = None
    reason: str = ""


def act(desk: Desk, ill_id: int, asked: Asked, now: datetime) -> IllRequest:
    """One service for one trigger. Raises `Refused`; returns the request as it is afterwards."""
    if asked.trigger == "staff.send":
        services.send(desk, ill_id, asked.lender, now)
    elif asked.trigger == "staff.receive":
        services.receive(desk, ill_id, now, barcodes=asked.barcodes)
    elif asked.trigger == "staff.ship":
        services.ship(desk, ill_id, asked.barcodes, now, due=asked.due)
    else:
        services.press(desk, ill_id, asked.trigger, now, reason=asked.reason)
    return own(queries.request(desk.library_id, ill_id))  # type: ignore[no-any-return]


def answer(request: HttpRequest, ill: IllRequest, asked: Asked, text: str, now: datetime) -> words.Row:
    """Do it, and say so as a row: done, done before, or refused."""
    try:
        done = act(desk_of(request), ill.pk, asked, now)
    except Refused as no:
        if no.code == "not_possible" and (row := words.already_row(ill, asked.trigger)):
            return row
        return words.refused_row(request, no, asked.trigger, ill, text)
    return words.done_row(done, asked.trigger)


# --- the forms that some buttons need ---------------------------------------------------------------------------


class LenderForm(forms.Form):
    lender = forms.ChoiceField(label=gettext_lazy("Lender"))


class BarcodeForm(forms.Form):
    """Receive: what our circulation will know each piece by. One field a piece, the lender's barcode given."""

    def __init__(self, ill: IllRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pieces = list(ill.pieces.all())
        for position in range(1, max(len(pieces), 1) + 1):
            known = [piece.barcode or piece.partner_barcode for piece in pieces[position - 1 : position]]
            label = _("Barcode") if len(pieces) < 2 else _("Barcode of volume %(n)d") % {"n": position}
            self.fields[f"barcode_{position}"] = forms.CharField(
                label=label, max_length=60, required=False, initial="".join(known),
                help_text=_("Your circulation will know it by this; empty: the lender's own, else the request number."),
            )  # fmt: skip

    def barcodes(self) -> list[str]:
        return [self.cleaned_data[name] for name in self.fields if name.startswith("barcode_")]


class ShipForm(forms.Form):
    barcode = forms.CharField(
        label=gettext_lazy("Barcode of the book"), max_length=60,
        help_text=gettext_lazy("Several volumes are shipped on the Ship page, one scan each."),
    )  # fmt: skip
    due = forms.DateField(
        label=gettext_lazy("Due back"), required=False, widget=forms.DateInput({"type": "date"}),
        help_text=gettext_lazy("Empty: the loan policy decides."),
    )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, help_text=gettext_lazy("It stays on the request.")
    )


class UnfilledForm(forms.Form):
    reason = forms.ChoiceField(label=gettext_lazy("Why it cannot be supplied"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [(word, _(word)) for word in REASONS_UNFILLED]  # type: ignore[attr-defined]


def form_for(ill: IllRequest, trigger: str, data: Any = None) -> forms.Form | None:
    """The form of a button, or None where it needs nothing."""
    if trigger == "staff.send":
        form = LenderForm(data)
        choices = [(p.symbol, p.name) for p in queries.lenders(ill.library_id) if p.pk != ill.partner_id]
        form.fields["lender"].choices = choices  # type: ignore[attr-defined]
        return form
    if trigger == "staff.receive":
        return BarcodeForm(ill, data)
    if trigger == "staff.ship":
        return ShipForm(data)
    if trigger == "staff.unfilled":
        return UnfilledForm(data)
    return ReasonForm(data) if BUTTONS[trigger].needs == "reason" else None


def asked_by(form: forms.Form | None, trigger: str) -> Asked:
    """The cleaned form as what is asked."""
    if form is None:
        return Asked(trigger)
    given = form.cleaned_data
    if isinstance(form, BarcodeForm):
        return Asked(trigger, barcodes=form.barcodes())
    if isinstance(form, ShipForm):
        return Asked(trigger, barcodes=[given["barcode"]], due=given["due"])
    return Asked(trigger, lender=given.get("lender", ""), reason=given.get("reason", ""))


# --- the view ---------------------------------------------------------------------------------------------------


@staff_page(SHARE)
def ill_action(request: HttpRequest, pk: int, trigger: str = "") -> HttpResponse:
    """POST does it; GET shows the form of a button that needs one (as a dialog, or as a page without JavaScript)."""
    ill = own(queries.request(staff_of(request).library_id, pk))
    trigger = request.POST.get("trigger") or request.GET.get("trigger") or trigger
    if trigger not in BUTTONS:
        raise Http404
    if request.method != "POST":
        form = form_for(ill, trigger) if words.can(ill, trigger) else None
        return _show_form(request, ill, BUTTONS[trigger], form)
    now = timezone.now()
    if request.headers.get("HX-Request"):
        return _answer_row(request, ill, trigger, now)
    form = form_for(ill, trigger, request.POST)
    if form is not None and not form.is_valid():
        return _show_form(request, ill, BUTTONS[trigger], form, status=422)
    try:
        done = act(desk_of(request), ill.pk, asked_by(form, trigger), now)
    except Refused as no:
        return _refused(request, ill, trigger, no, form)
    _say(request, done, trigger)
    return redirect(_back_to(request, ill))


def _answer_row(request: HttpRequest, ill: IllRequest, trigger: str, now: datetime) -> HttpResponse:
    """A prompt on a scan row was pressed: a barcode may ride along, everything else has its own page."""
    given = [*request.POST.getlist("barcode"), *request.GET.getlist("barcode")]
    barcodes = [code.replace("\0", "").strip()[:60] for code in given]
    reason = (request.POST.get("reason") or "").replace("\0", "")
    asked = Asked(trigger, lender=request.POST.get("lender", "").replace("\0", ""), barcodes=barcodes, reason=reason)
    row = answer(request, ill, asked, ill.number, now)
    status = 422 if row["meaning"] == "stop" else 200
    return render(request, "components/result_row.html", {"row": row | {"at": now}}, status=status)


def _refused(request: HttpRequest, ill: IllRequest, trigger: str, no: Refused, form: forms.Form | None) -> HttpResponse:
    if no.code == "not_possible" and (row := words.already_row(ill, trigger)):
        messages.warning(request, row["alerts"][0]["sentence"])
        return redirect(_back_to(request, ill))
    sentence = refusal(no)
    if form is not None and no.code != "not_possible":
        form.add_error(None, sentence)
        return _show_form(request, ill, BUTTONS[trigger], form, status=422)
    messages.error(request, f"{words.not_done_word(trigger)}: {sentence}")
    return redirect(_back_to(request, ill))


def _say(request: HttpRequest, ill: IllRequest, trigger: str) -> None:
    """What was done, and truthfully what was not."""
    troubles = words.troubles(ill, trigger)
    if not troubles:
        messages.success(request, f"{ill.number}: {words.done_word(trigger, ill)}.")
    for trouble in troubles:
        messages.warning(request, f"{ill.number}: {trouble['sentence']}")


def _show_form(
    request: HttpRequest, ill: IllRequest, button: Button, form: forms.Form | None, status: int = 200
) -> HttpResponse:
    known = {
        "ill": ill, "button": button, "label": _(button.label), "form": form, "chip": words.chip(ill),
        "to": request.POST.get("next") or request.GET.get("next", ""), "possible": words.can(ill, button.trigger),
        "dialog": bool(request.headers.get("HX-Request")),
    }  # fmt: skip
    page = "sharing/action_form.html" if request.headers.get("HX-Request") else "sharing/action.html"
    return render(request, page, known, status=status)


def _back_to(request: HttpRequest, ill: IllRequest) -> str:
    to = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(to, {request.get_host()}, request.is_secure())
    return to if safe else reverse("ill_request", args=[ill.pk])
