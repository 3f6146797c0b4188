"""The button behind the settings of the circulation system: is the connection in order, line by line, with remedies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_
from django.views.decorators.http import require_POST

from interlend.bridge.checks import Check, check_host
from interlend.web.shell import ADMINISTER, staff_of, staff_page
from interlend.web.told import told

#: result -> (meaning, word)
RESULTS = {"ok": ("good", n_("in order")), "look": ("look", n_("look at this")), "stop": ("stop", n_("to be mended"))}


@require_POST
@staff_page(ADMINISTER)
def host_check(request: HttpRequest) -> HttpResponse:
    """Asks the library's circulation system what changes nothing there, and shows what came of it."""
    checks = check_host(staff_of(request).library, timezone.now())
    lines = [(_told(check), _chip(check)) for check in checks]
    return render(request, "exchanges/check.html", {"lines": lines, "whole": _whole(checks)})


def _told(check: Check) -> Check:
    """The line in the reader's language; the result stays the word that tables know."""
    return replace(check, name=told(check.name), seen=told(check.seen), remedy=told(check.remedy))


def _chip(check: Check) -> dict[str, str]:
    meaning, word = RESULTS[check.result]
    return {"meaning": meaning, "word": _(word)}


def _whole(checks: list[Check]) -> dict[str, Any]:
    results = {check.result for check in checks}
    if "stop" in results:
        return {"meaning": "stop", "word": _("Steps will fail until this is mended")}
    if "look" in results:
        return {"meaning": "look", "word": _("It works; some lines are worth a look")}
    return {"meaning": "good", "word": _("Everything is in order")}
