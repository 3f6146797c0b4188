"""The patron's own pages: sign in, what is ready, out and on its way, cancel and renew (workflow B9)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST


@never_cache
def my(request: HttpRequest) -> HttpResponse:
    return redirect("my_sign_in")


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    return render(request, "patron/sign_in.html")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    request.session.flush()
    return redirect("my_sign_in")


@require_POST
def cancel_hold(request: HttpRequest, pk: int) -> HttpResponse:
    return redirect("my_sign_in")


@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    return redirect("my_sign_in")
