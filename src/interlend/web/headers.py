"""The Content-Security-Policy of every answer: pages load nothing from elsewhere and run no script written in a page.

Strategy: one constant header. `style` *attributes* alone are allowed (a library's accent colour, a bar's width);
`<style>` blocks, inline scripts and event attributes are not.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",  # barcodes on slips are small drawings inside the page
        "style-src-attr 'unsafe-inline'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def content_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Django middleware; a view that must differ sets the header itself and is left alone."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return answer
