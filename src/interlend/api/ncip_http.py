"""NCIP over HTTP: POST /ncip, or /ncip/SYMBOL for one library; a GET explains itself to a person.

Strategy: programs are answered before anything that serves people (hosts, sessions, form tokens), because real clients
speak HTTP/1.0 without a Host header, wrap bodies in forms, and count characters instead of bytes. Limits are checked
before the body is read. Fact 9: every NCIP answer is a 200.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.views.decorators.csrf import csrf_exempt

from interlend.bridge.ncip_responder import door

_PATH: Final = "/ncip"
_PLAIN: Final = "text/plain; charset=utf-8"


def for_programs(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, the outermost: what is posted to /ncip goes straight to the responder."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.method == "POST" and (request.path_info == _PATH or request.path_info.startswith(f"{_PATH}/")):
            return _answer(request, request.path_info.removeprefix(_PATH).strip("/"))
        return get_response(request)

    return answer


@csrf_exempt
def ncip(request: HttpRequest, library: str = "") -> HttpResponse:
    """The address as Django knows it; messages arrive by `for_programs` before this, people's browsers here."""
    if request.method == "POST":
        return _answer(request, library)
    if request.method not in {"GET", "HEAD"}:
        return _sent(b"Post NCIP messages here.\n", _PLAIN, 405, Allow="GET, HEAD, POST")
    return _sent(_explained(library).encode(), "text/html; charset=utf-8", 200)


def _explained(library: str) -> str:
    """The page for a person who looks where programs speak."""
    services = format_html_join("", "<li>{}</li>", ((name,) for name in sorted(door.SERVICES)))
    where = format_html(" for <strong>{}</strong>", library) if library else ""
    return format_html(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<title>NCIP responder · Interlend</title><main><h1>This address answers NCIP messages</h1>"
        "<p>It is meant for programs{}: interlibrary loan systems post NCIP (Z39.83) messages of version 1, 2.0, 2.01 "
        "or 2.02 here, as <code>application/xml</code>, and get NCIP answers. A web browser has nothing to do here.</p>"
        "<p>To connect a system, an administrator adds it as an NCIP caller of the library: what it calls itself, how "
        "it proves it, and which services it may use. Whoever is not listed there is refused.</p>"
        "<h2>Services</h2><ul>{}</ul><p><a href='/'>To the staff pages</a></p></main></html>",
        where, services,
    )  # fmt: skip


def _answer(request: HttpRequest, library: str) -> HttpResponse:
    try:
        body = _body(request)
    except RequestDataTooBig:
        return _sent(b"This is too long for an NCIP message.\n", _PLAIN, 413)
    except UnreadablePostError:
        return _sent(b"The connection ended before the message did.\n", _PLAIN, 400)
    answer = door.respond(
        body, now=timezone.now(), headers=_headers(request), source_ip=request.META.get("REMOTE_ADDR", ""),
        library_hint=library,
    )  # fmt: skip
    return _sent(answer.body, answer.content_type, answer.status)


def _body(request: HttpRequest) -> bytes:
    """The body, read only if its announced length is bearable."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isascii() and announced.isdigit() and int(announced) > door.LONGEST_BODY:
        raise RequestDataTooBig
    return request.body


def _headers(request: HttpRequest) -> dict[str, str]:
    """What is worth keeping of the HTTP headers, and the one that proves who speaks."""
    names = ("HTTP_AUTHORIZATION", "CONTENT_TYPE", "HTTP_USER_AGENT", "HTTP_X_REQUEST_ID")
    found = {name: request.META.get(name) for name in names}
    return {name.removeprefix("HTTP_").replace("_", "-").title(): value for name, value in found.items() if value}


def _sent(body: bytes, content_type: str, status: int, **headers: str) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type, status=status)
    response["Content-Length"] = str(len(body))
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    for name, value in headers.items():
        response[name] = value
    return response
