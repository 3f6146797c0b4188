"""Letters to patrons: what went, what waits, what a person must see to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from interlend.web.shell import staff_page


@staff_page()
def notices(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def notice(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def notice_send_again(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def notice_print(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)


@staff_page()
def mail_drawer(request: HttpRequest, **known: Any) -> HttpResponse:
    return render(request, "base.html", known)
