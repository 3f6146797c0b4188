"""New request: staff ask for something on a patron's behalf."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from interlend.web.shell import staff_page


@staff_page()
def new_request(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)
