"""The lists of the desk: what to fetch, what waits for pickup, what is on its way, what belongs to others.

Strategy: one query a page of fifty, the branch one stands in first. Follows circulation pages of pages.md; B8, B16, L6.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from interlend.circulation import queries
from interlend.circulation.lifecycles import ITEM
from interlend.circulation.models import Hold, Item
from interlend.libraries.models import Branch
from interlend.libraries.policies import may
from interlend.sharing import queries as sharing
from interlend.sharing.models import IllRequest
from interlend.sharing.policies import state_word
from interlend.web.circulation import answers, words
from interlend.web.circulation.items import staff_buttons
from interlend.web.shell import CIRCULATE, desk_of, staff_of, staff_page

EVERYWHERE = "all"


def _branch(request: HttpRequest) -> tuple[int | None, str]:
    """The branch that the list is about: the one in the address, else here. None: every branch."""
    wish = request.GET.get("branch", "")
    if wish == EVERYWHERE:
        return None, EVERYWHERE
    key = answers.number_of(wish)
    known = Branch.objects.filter(library_id=staff_of(request).library_id, pk=key).exists() if key else False
    chosen = key if known else desk_of(request).branch_id
    return chosen, str(chosen or EVERYWHERE)


def _branch_tabs(request: HttpRequest, chosen: str, name: str) -> list[dict[str, Any]]:
    """Here, the other branches, all."""
    here = desk_of(request)
    branches = Branch.objects.filter(library_id=here.library_id)
    named = [(str(branch.pk), branch.name) for branch in branches]
    named.sort(key=lambda one: one[0] != str(here.branch_id))
    return [
        {"label": label, "url": f"{reverse(name)}?{urlencode({'branch': key})}", "current": key == chosen}
        for key, label in [*named, (EVERYWHERE, _("Every branch"))]
    ]


def _leafing(chosen: str) -> str:
    return urlencode({"branch": chosen}) + "&"


# --- pull list --------------------------------------------------------------------------------------------------


@staff_page()
def pull_list(request: HttpRequest) -> HttpResponse:
    """What to fetch from the shelves for holds: one copy for each hold it can fill."""
    branch_id, chosen = _branch(request)
    desk = desk_of(request)
    page = answers.page_of(request, queries.pull_list(desk.library_id, branch_id, desk.today(timezone.now())))
    copies = queries.copies_to_pull(desk.library_id, branch_id, list(page))
    lines = [(copies.get(hold.pk), hold) for hold in page]
    lines.sort(key=lambda line: (line[0] is None, *_shelf_order(line[0])))
    known = {
        "page": page, "lines": lines, "tabs": _branch_tabs(request, chosen, "pull_list"), "query": _leafing(chosen),
    }  # fmt: skip
    return render(request, "circulation/pull_list.html", known)


def _shelf_order(copy: Item | None) -> tuple[str, ...]:
    """The order in which one walks along the shelves."""
    if copy is None:
        return ()
    return copy.holding_location.name, copy.shelving_location.name, copy.call_number, copy.title.title


# --- hold shelf -------------------------------------------------------------------------------------------------


@staff_page()
def hold_shelf(request: HttpRequest) -> HttpResponse:
    """What waits for pickup; what has waited too long stands first."""
    branch_id, chosen = _branch(request)
    today = desk_of(request).today(timezone.now())
    page = answers.page_of(request, queries.hold_shelf(staff_of(request).library_id, branch_id))
    known = {
        "page": page, "lines": [_shelf_line(hold, today) for hold in page], "query": _leafing(chosen),
        "tabs": _branch_tabs(request, chosen, "hold_shelf"),
    }  # fmt: skip
    return render(request, "circulation/hold_shelf.html", known)


def _shelf_line(hold: Hold, today: date) -> dict[str, Any]:
    over = hold.shelf_until is not None and hold.shelf_until < today
    receipt = answers.prints(_("Hold receipt"), reverse("slip_hold", args=[hold.pk]))
    edit = answers.opens(_("Edit"), reverse("edit_hold", args=[hold.pk]))
    return {"hold": hold, "over": over, "actions": [edit, receipt]}


# --- in transit -------------------------------------------------------------------------------------------------


@staff_page()
def in_transit(request: HttpRequest) -> HttpResponse:
    """What is on its way between branches, the longest underway first."""
    now = timezone.now()
    page = answers.page_of(request, queries.in_transit(staff_of(request).library_id))
    return render(request, "circulation/in_transit.html", {"page": page, "lines": [_way(item, now) for item in page]})


def _way(item: Item, now: datetime) -> dict[str, Any]:
    slip = answers.prints(_("Routing slip"), reverse("slip_route", args=[item.pk]))
    days = answers.days_since(item.state_since, now)
    return {"item": item, "status": words.item_status(item), "days": days, "actions": [slip]}


# --- temporary items --------------------------------------------------------------------------------------------


@staff_page()
def temporary_items(request: HttpRequest) -> HttpResponse:
    """Other libraries' books that are here, the newest first, each with its request; what may be deleted (B16)."""
    library_id, now = staff_of(request).library_id, timezone.now()
    page = answers.page_of(request, queries.temporary_items(library_id))
    numbers = [item.request for item in page if item.request]
    requests = {ill.number: ill for ill in sharing.requests(library_id, "borrowing").filter(number__in=numbers)}
    may_write = may(staff_of(request).roles, CIRCULATE)
    lines = [_guest(item, requests, now, may_write) for item in page]
    return render(request, "circulation/temporary_items.html", {"page": page, "lines": lines})


def _guest(item: Item, requests: dict[str, IllRequest], now: datetime, may_write: bool) -> dict[str, Any]:
    ill = requests.get(item.request)
    can_delete = may_write and item.state == "unavailable" and ITEM.allows(item.state, "staff.delete")
    buttons = staff_buttons(item, reverse("temporary_items")) if can_delete else []
    return {
        "item": item, "status": words.item_status(item), "days": answers.days_since(item.made_at, now), "ill": ill,
        "ill_word": _(state_word(ill.state, ill.at_desk_since is not None)) if ill else "",
        "over": ill is not None and ill.state in ("completed", "closed", "cancelled"),
        "actions": [button for button in buttons if button.danger],
    }  # fmt: skip
