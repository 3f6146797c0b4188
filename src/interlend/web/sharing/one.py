"""One request on one page: its facts, what can be done now, what happened in both houses."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from interlend.web.shell import staff_page


@staff_page()
def ill_request(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def ill_correct(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def ill_note(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def errand_action(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)
