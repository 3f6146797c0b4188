"""The settings pages' views: one set for every kind of row, driven by the table in `entries.py`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from interlend.web.shell import ADMINISTER, staff_page


@staff_page(ADMINISTER)
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "settings/index.html")


@staff_page(ADMINISTER)
def rows(request: HttpRequest, kind: str) -> HttpResponse:
    return render(request, "settings/index.html")


@staff_page(ADMINISTER)
def new(request: HttpRequest, kind: str) -> HttpResponse:
    return render(request, "settings/index.html")


@staff_page(ADMINISTER)
def edit(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    return render(request, "settings/index.html")


@require_POST
@staff_page(ADMINISTER)
def delete(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    return render(request, "settings/index.html")


@require_POST
@staff_page(ADMINISTER)
def move(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    return render(request, "settings/index.html")
