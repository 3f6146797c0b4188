"""Paper for parcels: the return slip and the bookband."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from interlend.web.shell import staff_page


@staff_page()
def slip_return(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def slip_bookband(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)
