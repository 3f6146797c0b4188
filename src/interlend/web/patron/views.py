"""The patron's own pages: sign in with barcode and PIN, see what is ready, out and on its way, cancel, renew (B9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from interlend.circulation import queries as circulation
from interlend.circulation import services
from interlend.circulation.errors import Refused
from interlend.circulation.lifecycles import OPEN_HOLD
from interlend.circulation.models import Patron
from interlend.circulation.policies import why_not_borrow
from interlend.libraries import guesses
from interlend.libraries.models import Library
from interlend.web.patron.cards import account, day, may_cancel, why_not
from interlend.web.patron.visitor import desk_for, greet, patron_of, patron_page
from interlend.web.shell import own

# --- signing in and out -------------------------------------------------------------------------------------------


class SignInForm(forms.Form):
    """Which library, the number on the card, the PIN."""

    library = forms.ModelChoiceField(
        Library.objects.all(), to_field_name="symbol", label=gettext_lazy("Your library"), empty_label=None
    )
    barcode = forms.CharField(
        label=gettext_lazy("Number on your library card"), max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "off", "spellcheck": "false", "autofocus": True}
        ),
    )  # fmt: skip
    pin = forms.CharField(
        label=gettext_lazy("PIN"), max_length=128, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Barcode and PIN of one library. What was wrong is not told, and guessing is slowed down."""
    if request.method == "GET" and patron_of(request):
        return redirect("my")
    library = _named_library(request)
    with translation.override(library.language if library else translation.get_language()):
        if request.method != "POST":
            return _ask(request, SignInForm(initial={"library": library}), library)
        form = SignInForm(request.POST)
        return _answer(request, form) if form.is_valid() else _ask(request, form, library, status=422)


def _named_library(request: HttpRequest) -> Library | None:
    """The library of the address or of the form; the only one where there is only one."""
    symbol = (request.POST or request.GET).get("library", "")
    if symbol:
        return Library.objects.filter(symbol=symbol).first() if symbol.isprintable() else None
    first_two = list(Library.objects.all()[:2])
    return first_two[0] if len(first_two) == 1 else None


def _answer(request: HttpRequest, form: SignInForm) -> HttpResponse:
    library, barcode = form.cleaned_data["library"], form.cleaned_data["barcode"]
    now = timezone.now()
    attempt = guesses.begin("patron", barcode, now, library.pk)
    if attempt.wait_until is not None:
        until = timezone.localtime(attempt.wait_until, ZoneInfo(library.time_zone))
        form.add_error(
            None, _("This was tried too often. Wait until %(time)s, or ask at the desk.") % {"time": f"{until:%H:%M}"}
        )
        return _ask(request, form, library, status=429)
    patron = services.sign_in(library.pk, barcode, form.cleaned_data["pin"])
    if patron is None:
        form.add_error(
            None, _("This number and PIN do not belong together. Check both and try again, or ask at the desk.")
        )
        return _ask(request, form, library, status=422)
    attempt.succeeded()
    greet(request, patron)
    return redirect("my")


def _ask(request: HttpRequest, form: SignInForm, library: Library | None, status: int = 200) -> HttpResponse:
    known = {"form": form, "library": library, "staff": request.user.is_authenticated}
    return render(request, "patron/sign_in.html", known, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the patron's session; a staff session is left alone."""
    patron = patron_of(request)
    if patron is None:
        return redirect("my_sign_in")
    symbol = patron.library.symbol
    request.session.flush()
    return redirect(reverse("my_sign_in", query={"library": symbol}))


# --- the account --------------------------------------------------------------------------------------------------


@patron_page
def my(request: HttpRequest, patron: Patron) -> HttpResponse:
    """Everything of this patron, as it is at this moment."""
    now = timezone.now()
    known: dict[str, Any] = {
        "library": patron.library, "patron_name": patron.full_name, "patron": patron,
        "sections": account(patron, now), "warnings": _warnings(patron, now),
        "sign_out_url": reverse("my_sign_out"),
    }  # fmt: skip
    return render(request, "patron/my.html", known)


def _warnings(patron: Patron, now: datetime) -> list[str]:
    """What keeps this patron from borrowing, in words for the patron."""
    words = {
        "patron_blocked": _("Your account is blocked since %(day)s: please ask at the desk.")
        % {"day": day(patron.blocked_since) if patron.blocked_since else ""},
        "patron_expired": _("Your card expired on %(day)s: please have it renewed at the desk.")
        % {"day": day(patron.expires_on) if patron.expires_on else ""},
    }
    reasons = why_not_borrow(circulation.patron_facts(patron), desk_for(patron).today(now), count_limit=False)
    return [words[reason.code] for reason in reasons if reason.code in words]


@require_POST
@patron_page
def cancel_hold(request: HttpRequest, patron: Patron, pk: int) -> HttpResponse:
    """Give up a hold that is not on the shelf yet."""
    hold = own(circulation.holds_of_patron(patron, open_only=False).filter(pk=pk).first())
    title = {"title": hold.title.title}
    if hold.state not in OPEN_HOLD:
        messages.info(request, _("Nothing changed: you are not waiting for “%(title)s” any more.") % title)
    elif not may_cancel(hold):
        messages.warning(
            request, _("“%(title)s” is ready for you already. If you do not want it, tell the desk.") % title
        )
    else:
        services.cancel_hold(desk_for(patron), hold.pk, timezone.now(), by="patron", why="cancelled by the patron")
        messages.success(request, _("You are no longer waiting for “%(title)s”.") % title)
    return redirect("my")


@require_POST
@patron_page
def renew(request: HttpRequest, patron: Patron, pk: int) -> HttpResponse:
    """A further loan period, where the policy allows it."""
    loan = own(circulation.loans_of_patron(patron, open_only=False).filter(pk=pk).first())
    title = loan.item.title.title
    try:
        renewed = services.renew(desk_for(patron), loan.pk, timezone.now(), by="patron")
    except Refused as no:
        messages.warning(request, _("“%(title)s” was not renewed.") % {"title": title} + " " + why_not(no.reasons))
    else:
        messages.success(request, _("“%(title)s” is now due %(day)s.") % {"title": title, "day": day(renewed.due_on)})
    return redirect("my")
