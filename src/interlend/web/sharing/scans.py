"""The four scan pages of a parcel's way: Receive, Return, Ship, Complete (workflow B1, B15, L1, L5)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from interlend.web.shell import staff_page


@staff_page()
def receive(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def return_loans(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def ship(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def complete(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def sharing_clear(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)
