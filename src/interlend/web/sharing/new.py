"""New request: staff ask for something on a patron's behalf (the start of workflow B).

Strategy: two steps that a scanner and a keyboard can do. The patron's barcode first, looked up in whatever circulation
the library has, so that an unknown or blocked patron is said before anything is typed; then what is wished for.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interlend.bridge.hosts import host_of
from interlend.circulation.queries import patron_by_barcode, pickup_branches
from interlend.sharing import queries, services
from interlend.sharing.errors import Refused
from interlend.sharing.host import HostProblem, LookupUser, User
from interlend.sharing.models import IllRequest
from interlend.web.shell import SHARE, desk_of, staff_of, staff_page
from interlend.web.told import refusal, told


class PatronForm(forms.Form):
    patron = forms.CharField(
        label=gettext_lazy("Patron’s barcode"), max_length=60, widget=forms.TextInput({"autofocus": True}),
        help_text=gettext_lazy("Scan or type it. Without the barcode, find the patron under Assist Patrons."),
    )  # fmt: skip


class WishForm(forms.Form):
    """What is wished for, where it is to be collected, and who is asked."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=500, widget=forms.TextInput({"autofocus": True}))
    author = forms.CharField(label=gettext_lazy("Author"), max_length=300, required=False)
    service = forms.ChoiceField(
        label=gettext_lazy("Service"),
        choices=[("loan", gettext_lazy("Loan: the item itself")), ("copy", gettext_lazy("Copy of a part"))],
    )
    publisher = forms.CharField(label=gettext_lazy("Publisher"), max_length=300, required=False)
    year = forms.CharField(label=gettext_lazy("Year"), max_length=20, required=False)
    edition = forms.CharField(label=gettext_lazy("Edition"), max_length=200, required=False)
    isbn = forms.CharField(label="ISBN", max_length=20, required=False)
    volume = forms.CharField(label=gettext_lazy("Volume"), max_length=60, required=False)
    pages = forms.CharField(label=gettext_lazy("Pages"), max_length=60, required=False)
    pickup = forms.ChoiceField(label=gettext_lazy("Pickup location"), required=False)
    need_by = forms.DateField(label=gettext_lazy("Needed by"), required=False, widget=forms.DateInput({"type": "date"}))
    lender = forms.ChoiceField(label=gettext_lazy("Lender"), required=False)
    note = forms.CharField(
        label=gettext_lazy("Note to the lender"), max_length=1000, required=False,
        widget=forms.Textarea({"rows": 2}), help_text=gettext_lazy("Never the patron’s name: the lender reads this."),
    )  # fmt: skip
    again = forms.BooleanField(label=gettext_lazy("Ask for a second one"), required=False, widget=forms.HiddenInput)

    def __init__(self, library_id: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = [(branch.code, branch.name) for branch in pickup_branches(library_id)]
        lenders = [(partner.symbol, partner.name) for partner in queries.lenders(library_id)]
        self.fields["pickup"].choices = [("", _("The patron’s home branch")), *places]  # type: ignore[attr-defined]
        self.fields["lender"].choices = [("", _("Choose later")), *lenders]  # type: ignore[attr-defined]

    def wish(self) -> services.Wish:
        given = {name: value for name, value in self.cleaned_data.items() if name not in ("lender", "again")}
        return services.Wish(**given)

    def offer_a_second(self) -> None:
        """The same title is on its way for this patron: the tick is shown from now on."""
        self.fields["again"].widget = forms.CheckboxInput()


@staff_page(SHARE)
def new_request(request: HttpRequest) -> HttpResponse:
    """Without a patron: their barcode. With one: what is wished for."""
    given = request.POST if request.method == "POST" else request.GET
    if "patron" not in given:
        return _ask_patron(request, PatronForm())
    asked = PatronForm(given)
    user = _look_up(request, asked)
    if user is None:
        return _ask_patron(request, asked)
    if request.method == "POST" and "title" in request.POST:
        return _create(request, user)
    initial = {name: request.GET.get(name, "") for name in ("title", "author", "isbn", "volume")}
    pickup = {"pickup": user.home_branch} if user.home_branch else {}
    return _show(request, user, WishForm(staff_of(request).library_id, initial=initial | pickup))


def _look_up(request: HttpRequest, asked: PatronForm) -> User | None:
    """The patron as circulation knows them; what is wrong is said beside the field."""
    if not asked.is_valid():
        return None
    try:
        user = host_of(desk_of(request), timezone.now(), hurried=True).lookup_user(
            LookupUser(asked.cleaned_data["patron"].strip())
        )
    except HostProblem as no:
        unknown = _("Check the barcode, or register the patron under Assist Patrons.")
        remedy = unknown if no.code == "unknown_patron" else told(no.remedy)
        asked.add_error("patron", f"{told(no.sentence)} {remedy}".strip())
        return None
    if user.blocks:
        remedy = _("Circulation desk: open the patron’s account.")
        asked.add_error("patron", f"{user.name}: {' '.join(told(block) for block in user.blocks)} {remedy}")
        return None
    return user


def _ask_patron(request: HttpRequest, form: PatronForm) -> HttpResponse:
    known: dict[str, Any] = {"form": form}
    if form.is_bound and form.errors and (code := form.data.get("patron", "").strip().replace("\0", "")):
        known["patron"] = patron_by_barcode(staff_of(request).library_id, code)
    return render(request, "sharing/new_patron.html", known, status=422 if form.errors else 200)


def _create(request: HttpRequest, user: User) -> HttpResponse:
    form = WishForm(staff_of(request).library_id, request.POST)
    if not form.is_valid():
        return _show(request, user, form)
    now, given = timezone.now(), form.cleaned_data
    try:
        ill = services.create(
            desk_of(request), form.wish(), user, now, lender=given["lender"], again=given["again"]
        )  # fmt: skip
    except Refused as no:
        form.add_error(None, refusal(no))
        if no.code == "duplicate":
            form.offer_a_second()
            number = str(no.reasons[0].facts["number"])
            return _show(request, user, form, queries.by_number(staff_of(request).library_id, number, "borrowing"))
        return _show(request, user, form)
    made = {"number": ill.number}
    if ill.partner:
        sentence = _("Request %(number)s is made and sent to %(partner)s.") % (made | {"partner": ill.partner.name})
    else:
        sentence = _("Request %(number)s is made. Choose a lender when you are ready.") % made
    messages.success(request, sentence)
    return redirect("ill_request", ill.pk)


def _show(request: HttpRequest, user: User, form: WishForm, same: IllRequest | None = None) -> HttpResponse:
    patron = patron_by_barcode(staff_of(request).library_id, user.barcode)
    known = {
        "user": user, "patron": patron, "form": form, "same": same,
        "first": [form[name] for name in ("title", "author")],
        "work": [form[name] for name in ("publisher", "year", "edition", "isbn", "volume", "pages")],
        "how": [form[name] for name in ("service", "pickup", "need_by", "lender")],
    }  # fmt: skip
    return render(request, "sharing/new_request.html", known, status=422 if form.errors else 200)
