"""Slips of the desk: hold receipt, routing slip, many at once (workflow B8, B14).

Strategy: a slip is made from the row as it is now, so it can be printed again at any time. A hold receipt shows the
patron's short name only; a routing slip, which travels, shows whose book it is and where it goes, never a patron.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from interlend.circulation import queries
from interlend.circulation.models import Hold, Item
from interlend.web import sittings
from interlend.web.circulation import answers, words
from interlend.web.circulation.check_in import PAGE
from interlend.web.shell import own, staff_of, staff_page

Slip = dict[str, Any]
"""What `components/slip.html` shows: kind, big, number, barcode, title, lines, foot."""


def hold_receipt(hold: Hold) -> Slip:
    """For the hold shelf: whose it is, big, and until when."""
    item = hold.item
    return {
        "kind": _("Hold receipt"), "big": hold.patron.short_name, "number": hold.request, "title": hold.title.title,
        "barcode": item.barcode if item else "",
        "lines": [
            (_("Pickup"), hold.pickup_branch.name), (_("Keep until"), words.day(hold.shelf_until)),
            (_("Ready"), words.day(hold.ready_at)),
            (_("Belongs to"), hold.partner_name),
        ],
        "foot": _foot(),
    }  # fmt: skip


def routing_slip(item: Item) -> Slip:
    """For the way: where to, from where, for which request."""
    kind, to = _destination(item)
    came_from = item.at_branch.name if item.at_branch and item.at_branch_id != item.going_to_id else ""
    return {
        "kind": kind, "big": to, "number": item.request, "title": item.title.title, "barcode": item.barcode,
        "lines": [
            (_("From"), came_from), (_("Belongs to"), item.partner_name if item.temporary else ""),
            (_("Lent to"), "" if item.temporary else item.partner_name),
            (_("Location"), words.join(item.holding_location.name, item.shelving_location.name)),
            (_("Call number"), item.call_number),
        ],
        "foot": _foot(),
    }  # fmt: skip


def _destination(item: Item) -> tuple[str, str]:
    """What kind of slip, and its big word: the place it is sent to, the ILL office, or its shelf."""
    if item.going_to is not None:
        return _("Routing slip: send to"), item.going_to.name
    if item.temporary:
        return _("Route to ILL"), item.home_branch.name
    return _("Belongs at"), item.home_branch.name


def _foot() -> str:
    return _("Printed %(when)s") % {"when": words.moment(timezone.now())}


# --- pages ------------------------------------------------------------------------------------------------------


@staff_page()
def slip_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """A hold's receipt."""
    return _print(request, [hold_receipt(own(queries.one_hold(staff_of(request).library_id, pk)))])


@staff_page()
def slip_route(request: HttpRequest, pk: int) -> HttpResponse:
    """An item's routing slip."""
    return _print(request, [routing_slip(own(queries.one_item(staff_of(request).library_id, pk)))])


@staff_page()
def slip_item(request: HttpRequest, pk: int) -> HttpResponse:
    """The slip that an item needs now: the hold receipt of what waits on the shelf, else the routing slip."""
    item: Item = own(queries.one_item(staff_of(request).library_id, pk))
    hold = queries.ready_hold_of_item(item)
    return _print(request, [hold_receipt(hold) if hold else routing_slip(item)])


@staff_page()
def slips(request: HttpRequest) -> HttpResponse:
    """Every slip of this sitting at Check In, in the order of the scans; only some rows with `?rows=12,13`."""
    wanted = [answers.number_of(key) for key in answers.text_of(request, "rows", 4000).split(",") if key.strip()]
    rows = [row for row in sittings.rows(request, PAGE) if row.get("slip") and (not wanted or row["pk"] in wanted)]
    asked = dict.fromkeys(tuple(row["slip"]) for row in reversed(rows))  # scanned twice, printed once
    library_id = staff_of(request).library_id
    holds = queries.holds_by_key(library_id, [key for kind, key in asked if kind == "hold"])
    items = queries.items_by_key(library_id, [key for kind, key in asked if kind == "route"])
    made = [
        hold_receipt(holds[key]) if kind == "hold" else routing_slip(items[key])
        for kind, key in asked
        if key in (holds if kind == "hold" else items)
    ]
    return _print(request, made)


def _print(request: HttpRequest, made: list[Slip]) -> HttpResponse:
    return render(request, "slips/slips.html", {"slips": made})
