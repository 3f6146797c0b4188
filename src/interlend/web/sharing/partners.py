"""Partners: the other libraries as this one knows them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from interlend.web.shell import staff_page


@staff_page()
def partners(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def partner(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)
