"""Holds: placed, edited in the dialog that shows the Request ID (workflow B7), cancelled.

Strategy: the dialog is a form of its own address, so it works without script too; the service decides what may change.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from interlend.circulation import queries, services
from interlend.circulation.errors import Refused
from interlend.circulation.lifecycles import HOLD
from interlend.circulation.models import Hold, Item
from interlend.notices.queries import letter_of_hold
from interlend.sharing import queries as sharing
from interlend.web.circulation import answers, words
from interlend.web.circulation.forms import HoldForm, PlaceHoldForm
from interlend.web.shell import CIRCULATE, desk_of, own, staff_of, staff_page


@staff_page(CIRCULATE)
def edit_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit Existing Hold Request."""
    hold: Hold = own(queries.one_hold(staff_of(request).library_id, pk))
    back = answers.way_back(request, _holds_of(hold))
    form = HoldForm(hold, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.edit_hold(desk_of(request), pk, form.change(), timezone.now())
        except Refused as no:
            answers.add_refusal(form, no)
        else:
            said = _("The hold of %(name)s is saved.") % {"name": hold.patron.short_name}
            return answers.done(request, said, back)
    return answers.show_form(request, "circulation/edit_hold.html", _known(request, hold, back), form)


def _known(request: HttpRequest, hold: Hold, back: str) -> dict[str, Any]:
    """The dialog's head: Request ID, title, who, where it stands, and its notice."""
    letter = letter_of_hold(hold.library_id, hold.pk)
    status = words.hold_status(hold, desk_of(request).today(timezone.now()))
    ill = sharing.find_one(hold.library_id, hold.request, "borrowing") if hold.request else None
    return {
        "hold": hold, "next": back, "status": status, "may_cancel": HOLD.allows(hold.state, "staff.cancel"),
        "facts": [
            {
                "label": _("Request ID"), "value": hold.request, "big": True,
                "url": reverse("ill_request", args=[ill.pk]) if ill else "",
                "note": _("from %(partner)s") % {"partner": hold.partner_name} if hold.partner_name else "",
            },
            {"label": _("Patron"), "value": hold.patron.short_name, "url": reverse("patron", args=[hold.patron_id])},
            {"label": _("Title"), "value": hold.title.title, "wide": True},
            {
                "label": _("Hold on"), "value": _(hold.get_level_display()),
                "note": hold.item.barcode if hold.item else "",
            },
            {"label": _("Placed"), "value": words.moment(hold.placed_at)},
            {"label": _("Notice"), "value": words.letter_line(letter) if letter else ""},
        ],
    }  # fmt: skip


def _holds_of(hold: Hold) -> str:
    return f"{reverse('patron', args=[hold.patron_id])}?tab=holds"


@require_POST
@staff_page(CIRCULATE)
def cancel_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """End a hold; the item says where it goes at its next scan."""
    hold: Hold = own(queries.one_hold(staff_of(request).library_id, pk))
    back = answers.way_back(request, _holds_of(hold))
    try:
        services.cancel_hold(desk_of(request), pk, timezone.now())
    except Refused as no:
        return answers.not_done(request, no, back)
    said = {"name": hold.patron.short_name, "title": hold.title.title}
    sentence = _("The hold of %(name)s on “%(title)s” is cancelled.") % said
    if hold.item is not None and hold.state != "pending":
        sentence += " " + _("Check the item in to see where it goes now.")
    return answers.done(request, sentence, back)


@staff_page(CIRCULATE)
def place_hold(request: HttpRequest) -> HttpResponse:
    """A hold for a patron on an item or on any copy of its title."""
    library_id = staff_of(request).library_id
    form = PlaceHoldForm(library_id, request.POST or None, initial=_asked_for(request, library_id))
    if request.method == "POST" and form.is_valid():
        placed = _place(request, form, library_id)
        if placed is not None:
            said = {"name": placed.patron.short_name, "title": placed.title.title}
            sentence = _("%(name)s now waits for “%(title)s”.") % said
            return answers.done(request, sentence, answers.way_back(request, _holds_of(placed)))
    back = answers.way_back(request, reverse("discover_items"))
    return answers.show_form(request, "circulation/place_hold.html", {"next": back}, form)


def _asked_for(request: HttpRequest, library_id: int) -> dict[str, Any]:
    """What the link already knows: the patron, the item, and the patron's own pickup place."""
    given = {name: answers.text_of(request, name) for name in ("patron", "item")}
    patron = queries.patron_by_barcode(library_id, given["patron"]) if given["patron"] else None
    return given | {"pickup": patron.home_branch_id if patron else None}


def _place(request: HttpRequest, form: PlaceHoldForm, library_id: int) -> Hold | None:
    given = form.cleaned_data
    patron = queries.patron_by_barcode(library_id, given["patron"])
    if patron is None:
        form.add_error("patron", _("No patron of this library has this barcode. Look under Assist Patrons."))
    item = _item_meant(form, library_id, given["item"])
    if patron is None or item is None:
        return None
    this_one = item if given["level"] == Hold.Level.ITEM else None
    try:
        return services.place_hold(desk_of(request), patron, item.title, given["pickup"], timezone.now(), item=this_one)
    except Refused as no:
        answers.add_refusal(form, no)
        return None


def _item_meant(form: PlaceHoldForm, library_id: int, text: str) -> Item | None:
    """The item with this barcode, or the one title that these words mean."""
    item = queries.item_by_barcode(library_id, text)
    if item is not None and item.state != "withdrawn":
        return item
    found = queries.discover(library_id, text, temporary=False)
    titles = {item.title_id for item in found}
    if len(titles) == 1:
        return found[0]
    if titles:
        several = _("%(count)d titles have these words. Add a word, or scan a copy.") % {"count": len(titles)}
        form.add_error("item", several)
    else:
        form.add_error("item", _("No item of this library has this barcode or these words. See Discover Items."))
    return None
