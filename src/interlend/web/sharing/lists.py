"""Borrowing and Lending by state, and Needs attention: what only a person can move on, grouped by cause.

Strategy: states and counts come from the table and one counted query; failed steps are grouped by party and code, so
that one cause is one group with one button (pages.md, "Needs attention").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_POST

from interlend.libraries.policies import may
from interlend.lifecycle import NoSuchMove
from interlend.notices.queries import for_a_person
from interlend.outbox.lifecycles import DONE, UNKNOWN
from interlend.outbox.models import Errand
from interlend.outbox.queries import parked
from interlend.outbox.services import settle_by_staff
from interlend.sharing import queries
from interlend.sharing.lifecycles import LIFECYCLES
from interlend.sharing.models import IllRequest
from interlend.sharing.policies import state_word
from interlend.web.circulation.answers import page_of, text_of, way_back
from interlend.web.sharing import words
from interlend.web.sharing.patterns import Patterns, Said
from interlend.web.shell import SHARE, staff_of, staff_page
from interlend.web.told import told

# --- Borrowing, Lending -----------------------------------------------------------------------------------------


@staff_page()
def borrowing(request: HttpRequest) -> HttpResponse:
    return _list(request, "borrowing", _("Borrowing"))


@staff_page()
def lending(request: HttpRequest) -> HttpResponse:
    return _list(request, "lending", _("Lending"))


def _list(request: HttpRequest, side: str, title: str) -> HttpResponse:
    """One side's requests by state; the query box opens a single hit at once."""
    library_id = staff_of(request).library_id
    q = text_of(request, "q")
    found = queries.expected(library_id, q, side) if q else []
    if len(found) == 1:
        return redirect("ill_request", found[0].pk)
    counts = queries.counts_by_state(library_id, side)
    state = request.GET.get("state", "open")
    state = state if state in ("open", "all") or state in counts else "open"
    wanted = queries.requests(library_id, side, "" if state == "all" else state)
    leaf = page_of(request, found if q else wanted)
    known = {
        "side": side, "title": title, "q_here": q, "tabs": _tabs(side, state, counts), "page_obj": leaf,
        "requests": [(ill, words.chip(ill)) for ill in leaf], "query": urlencode({"state": state}) + "&",
        "may_share": may(staff_of(request).roles, SHARE), "empty": _empty(side, q),
    }  # fmt: skip
    return render(request, "sharing/list.html", known)


def _tabs(side: str, current: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    """Open, every state that has requests now, in the table's order, and all."""
    url, loans = reverse(side), LIFECYCLES[side, "loan"]
    order = dict.fromkeys((*loans.states, *LIFECYCLES[side, "copy"].states))
    open_count = sum(count for state, count in counts.items() if state not in loans.final)
    tabs = [("open", pgettext("requests", "Open"), open_count)]
    tabs += [(state, _(state_word(state)), counts[state]) for state in order if counts.get(state)]
    tabs.append(("all", _("All"), sum(counts.values())))
    return [
        {"label": label, "count": count, "url": f"{url}?state={state}", "current": state == current}
        for state, label, count in tabs
    ]


def _empty(side: str, q: str) -> dict[str, str]:
    if q:
        return {"title": _("No request has this number or barcode"), "text": _("A barcode finds open requests only.")}
    if side == "borrowing":
        return {"title": _("No requests here"), "text": _("What our patrons ask of other libraries will stand here.")}
    return {"title": _("No requests here"), "text": _("What other libraries ask of us will stand here.")}


# --- Needs attention --------------------------------------------------------------------------------------------


@dataclass
class Cause:
    """Steps that failed for one reason: what to say once, and the requests it holds up."""

    party: str
    code: str
    title: str
    sentences: list[str] = field(default_factory=list)
    remedy: str = ""
    meaning: str = "stop"
    lines: list[tuple[Errand, IllRequest | None, str]] = field(default_factory=list)
    pattern: Said | None = None

    @property
    def requests(self) -> int:
        return len({errand.request or errand.subject for errand, _ill, _why in self.lines})


@dataclass
class Group:
    """Requests that wait for one kind of decision, with the buttons for each."""

    name: str
    title: str
    text: str
    url: str
    lines: list[tuple[IllRequest, dict[str, str], list[dict[str, Any]]]]
    more: int = 0


MOST_SHOWN = 50

_GROUPS = {
    "cancel_asked": (
        gettext_lazy("The borrower wishes to cancel"),
        gettext_lazy("Agree, or say that it comes all the same."),
        ("staff.agree_cancel", "staff.refuse_cancel"),
    ),
    "unfilled": (
        gettext_lazy("Not supplied: another lender, or none"),
        gettext_lazy("The lender could not supply it. Send it to another one, or cancel it."),
        ("staff.send", "staff.cancel"),
    ),
    "not_sent": (
        gettext_lazy("Not sent to anybody yet"),
        gettext_lazy("Choose a lender."),
        ("staff.send", "staff.cancel"),
    ),
    "copies_to_send": (
        gettext_lazy("Copies to send"),
        gettext_lazy("Another library asked for a copy; copies never touch circulation."),
        ("staff.send_copy", "staff.unfilled"),
    ),
    "copies_to_deliver": (
        gettext_lazy("Copies to hand to our patrons"),
        gettext_lazy("The lender has sent the copy."),
        ("staff.deliver_copy",),
    ),
}


@staff_page()
def needs_attention(request: HttpRequest) -> HttpResponse:
    """What waits for a person, grouped by cause, not by time."""
    library_id = staff_of(request).library_id
    groups = [_group(library_id, name) for name in _GROUPS]
    known = {
        "causes": causes(library_id, staff_of(request).roles), "groups": [group for group in groups if group.lines],
        "back": _back_at_desk(library_id), "missed": _missed(library_id), "letters": for_a_person(library_id)[:20],
        "may_share": may(staff_of(request).roles, SHARE),
    }  # fmt: skip
    return render(request, "sharing/needs_attention.html", known)


def causes(library_id: int, roles: Iterable[str] = ()) -> list[Cause]:
    """Failed and unknown steps, one group for each party and code, the largest first; with what they share."""
    steps = list(parked(library_id)[:500])
    patterns = Patterns(library_id, roles, steps)
    ills = patterns.ills
    found: dict[tuple[str, str, str], Cause] = {}
    for errand in steps:
        ill = ills.get(errand.payload.get("ill") or 0)
        partner = ill.partner.name if ill and ill.partner else ""
        key = (errand.party, errand.code, errand.verb if errand.state == UNKNOWN else "")
        cause = found.setdefault(key, Cause(errand.party, errand.code, _cause_title(errand, partner)))
        why = told(errand.sentence) or words.step_meaning(errand)["word"]
        if why not in cause.sentences:
            cause.sentences.append(why)
        cause.remedy = cause.remedy or told(errand.remedy)
        cause.meaning = "stop" if errand.state != UNKNOWN else "look"
        cause.lines.append((errand, ill, why))
        if errand.verb != cause.lines[0][0].verb and errand.party == "host":
            cause.title = _("Circulation could not do several steps")
    for cause in found.values():
        cause.pattern = patterns.of([errand for errand, _ill, _why in cause.lines])
    return sorted(found.values(), key=lambda cause: -len(cause.lines))


def _cause_title(errand: Errand, partner: str) -> str:
    """Whose trouble it is: circulation's, the partner's, or our own."""
    trouble = words.step_trouble(errand, partner)
    return trouble[:1].upper() + trouble[1:]


def _group(library_id: int, name: str) -> Group:
    title, text, triggers = _GROUPS[name]
    waiting = list(queries.attention(library_id, name)[: MOST_SHOWN + 1])
    lines = [(ill, words.chip(ill), _buttons(ill, triggers)) for ill in waiting[:MOST_SHOWN]]
    return Group(name, str(title), str(text), "", lines, more=max(len(waiting) - MOST_SHOWN, 0))


def _buttons(ill: IllRequest, triggers: Iterable[str]) -> list[dict[str, Any]]:
    """The buttons of one line; they come back to this page."""
    back = reverse("needs_attention")
    found = []
    for trigger in triggers:
        if not words.can(ill, trigger):
            continue
        button = words.BUTTONS[trigger]
        url = reverse("ill_action", args=[ill.pk, trigger])
        if button.needs:
            found.append({"label": _(button.label), "url": f"{url}?{urlencode({'next': back})}", "dialog": True})
        else:
            found.append({"label": _(button.label), "url": url, "method": "post", "values": [("next", back)]})
    return found


def _back_at_desk(library_id: int) -> list[tuple[IllRequest, dict[str, str], list[dict[str, Any]]]]:
    """B13, L9: circulation has it, sharing has not been told by a person."""
    ills = queries.back_at_desk(library_id)[:MOST_SHOWN]
    return [(ill, words.chip(ill), _buttons(ill, ("staff.return", "staff.complete"))) for ill in ills]


def _missed(library_id: int) -> list[tuple[Any, IllRequest | None]]:
    events = list(queries.missed(library_id)[:20])
    ills = {ill.number: ill for ill in queries.with_numbers(library_id, [event.request for event in events])}
    return [(event, ills.get(event.request)) for event in events]


@require_POST
@staff_page(SHARE)
def errands_again(request: HttpRequest) -> HttpResponse:
    """Try every step of one cause again, now that it is mended."""
    party, code = request.POST.get("party", ""), request.POST.get("code", "")
    now, actor = timezone.now(), staff_of(request).name
    steps = [errand for errand in parked(staff_of(request).library_id) if (errand.party, errand.code) == (party, code)]
    done = 0
    for errand in steps:
        try:
            settle_by_staff(errand, "staff.try_again", now, actor)
        except NoSuchMove:
            continue
        errand.refresh_from_db()
        done += errand.state == DONE
    _say(request, done, len(steps) - done)
    return redirect(way_back(request, reverse("needs_attention")))


def _say(request: HttpRequest, done: int, left: int) -> None:
    if done:
        messages.success(request, ngettext("%d step is done now.", "%d steps are done now.", done) % done)
    if left:
        text = ngettext(
            "%d step still could not be done; see below.", "%d steps still could not be done; see below.", left
        )
        messages.warning(request, text % left)
    if not done and not left:
        messages.success(request, _("Nothing of that kind waits any more."))
