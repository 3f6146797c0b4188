"""What staff press on a request: one trigger of the table, answered by a row or by the request's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from interlend.web.shell import staff_page


@staff_page()
def ill_action(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)
