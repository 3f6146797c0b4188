"""Partners: the other libraries as this one knows them, and whether their institution accounts can borrow (L1, L2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interlend.bridge.hosts import host_of
from interlend.bridge.queries import names_by_symbol
from interlend.circulation.queries import patron_by_barcode
from interlend.libraries.policies import may
from interlend.sharing import queries, services
from interlend.sharing.errors import Refused
from interlend.sharing.host import HostProblem, LookupUser
from interlend.sharing.models import Partner
from interlend.web.circulation.answers import page_of
from interlend.web.sharing import words
from interlend.web.shell import SHARE, desk_of, own, staff_of, staff_page
from interlend.web.told import refusal, told


class PartnerForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    symbol = forms.CharField(
        label=gettext_lazy("Symbol"), max_length=20, help_text=gettext_lazy("Its agency id, as partners know it.")
    )
    account = forms.CharField(
        label=gettext_lazy("Barcode of its institution account"), max_length=60, required=False,
        help_text=gettext_lazy("What we lend is checked out to this account."),
    )  # fmt: skip
    return_address = forms.CharField(
        label=gettext_lazy("Return address"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Printed on return slips."),
    )  # fmt: skip
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)
    lends = forms.BooleanField(label=gettext_lazy("May be chosen as a lender"), required=False, initial=True)
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=1000, required=False, widget=forms.Textarea({"rows": 2})
    )

    def record(self) -> services.PartnerRecord:
        return services.PartnerRecord(**self.cleaned_data)


@staff_page(SHARE)
def partners(request: HttpRequest) -> HttpResponse:
    """The directory; POST adds a partner."""
    library_id = staff_of(request).library_id
    form = PartnerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        saved = _save(request, form)
        if saved is not None:
            messages.success(request, _("%(name)s was added.") % {"name": saved.name})
            return redirect("partner", saved.pk)
    known = {
        "partners": queries.partners(library_id), "form": form, "adding": form.is_bound or "new" in request.GET,
        "may_share": may(staff_of(request).roles, SHARE),
    }  # fmt: skip
    return render(request, "sharing/partners.html", known, status=422 if form.errors else 200)


@staff_page(SHARE)
def partner(request: HttpRequest, pk: int) -> HttpResponse:
    """One partner: what we know of it, whether its account can borrow, open requests; POST changes it."""
    found: Partner = own(queries.partner(staff_of(request).library_id, pk))
    initial = {name: getattr(found, name) for name in PartnerForm.base_fields}
    form = PartnerForm(request.POST, initial=initial) if request.method == "POST" else PartnerForm(initial=initial)
    if request.method == "POST" and form.is_valid() and _save(request, form, found.pk) is not None:
        messages.success(request, _("Saved."))
        return redirect("partner", found.pk)
    leaf = page_of(request, queries.requests_with(found))
    known = {
        "partner": found, "form": form, "account": _account(request, found), "page_obj": leaf,
        "requests": [(ill, words.chip(ill)) for ill in leaf], "may_share": may(staff_of(request).roles, SHARE),
    }  # fmt: skip
    return render(request, "sharing/partner.html", known, status=422 if form.errors else 200)


def _save(request: HttpRequest, form: PartnerForm, pk: int | None = None) -> Partner | None:
    try:
        return services.save_partner(staff_of(request).library_id, form.record(), partner_id=pk)
    except Refused as no:
        form.add_error("symbol", refusal(no))
        return None


def _account(request: HttpRequest, found: Partner) -> dict[str, Any]:
    """Can it borrow from us? Asked of circulation, as shipping will ask."""
    if not found.account and names_by_symbol(found.library_id):
        sentence = _("Our circulation system knows it by its symbol %(symbol)s.") % {"symbol": found.symbol}
        return {"meaning": "good", "word": _("Needs no account"), "sentence": sentence}
    if not found.account:
        sentence = _("No institution account is set, so nothing can be shipped to it. Type the account’s barcode.")
        return {"meaning": "stop", "word": _("No account"), "sentence": sentence}
    try:
        user = host_of(desk_of(request), timezone.now(), hurried=True).lookup_user(LookupUser(found.account))
    except HostProblem as no:
        return {"meaning": "stop", "word": _("Account not found"), "sentence": _no_account(found, no)}
    patron = patron_by_barcode(found.library_id, found.account)
    known = {"name": user.name, "url": reverse("patron", args=[patron.pk]) if patron else ""}
    if user.blocks:
        sentence = " ".join(told(block) for block in user.blocks)
        return known | {"meaning": "stop", "word": _("Cannot borrow"), "sentence": sentence}
    mail = (
        _("Overdue notices go to %(email)s.") % {"email": user.email} if user.email else _("It has no e-mail address.")
    )
    return known | {"meaning": "good", "word": _("May borrow"), "sentence": mail}


def _no_account(found: Partner, no: HostProblem) -> str:
    if no.code == "unknown_patron":
        known = {"code": found.account}
        return _("Circulation knows no account %(code)s. Add it under Assist Patrons, or correct it here.") % known
    return refusal(no)
