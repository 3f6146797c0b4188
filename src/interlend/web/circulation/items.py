"""Discover Items and Item Details (workflow B2-B5, B16, B17, L4, L8), a form for a new item and one for its record.

Strategy: everything about one item on one page; what staff may do with it is asked of the item's own table.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from interlend.circulation import queries, services
from interlend.circulation.errors import Refused
from interlend.circulation.lifecycles import ITEM, WITHDRAWN
from interlend.circulation.models import Item, Loan
from interlend.libraries.desks import Desk
from interlend.libraries.policies import may
from interlend.outbox.queries import events_of_item
from interlend.sharing import queries as sharing
from interlend.web.circulation import answers, words
from interlend.web.circulation.forms import ItemForm
from interlend.web.shell import CIRCULATE, desk_of, own, staff_of, staff_page

# --- Discover Items (B2) ----------------------------------------------------------------------------------------

SCOPES = {"mine": gettext_lazy("My library"), "temporary": gettext_lazy("Temporary items")}
SEARCHES = {
    "any": gettext_lazy("Anything"), "barcode": gettext_lazy("Barcode"), "title": gettext_lazy("Title"),
    "author": gettext_lazy("Author"),
}  # fmt: skip


@staff_page()
def discover_items(request: HttpRequest) -> HttpResponse:
    """Search in one scope. The one item that has exactly this barcode opens at once."""
    text = answers.text_of(request, "q")
    scope, by = request.GET.get("scope", "mine"), request.GET.get("by", "any")
    scope, by = scope if scope in SCOPES else "mine", by if by in SEARCHES else "any"
    library_id = staff_of(request).library_id
    found = queries.discover(library_id, text, temporary=scope == "temporary", by=by)
    if len(found) == 1 and found[0].barcode == text:
        return redirect("item", found[0].pk)
    known = {
        "text": text, "scope": scope, "by": by, "scopes": SCOPES, "searches": SEARCHES,
        "found": [(item, words.item_status(item)) for item in found], "most": queries.MOST_FOUND,
        "searched": bool(text) or scope == "temporary", "may_write": may(staff_of(request).roles, CIRCULATE),
    }  # fmt: skip
    return render(request, "circulation/discover_items.html", known)


# --- Item Details (B3-B5, B17, L4) ------------------------------------------------------------------------------


@staff_page()
def item(request: HttpRequest, pk: int) -> HttpResponse:
    """Status, band, locations, holds, history, statistics."""
    found: Item = own(queries.one_item(staff_of(request).library_id, pk))
    today = desk_of(request).today(timezone.now())
    loan = queries.open_loan(found.pk)
    holds = answers.page_of(request, queries.holds_of_item(found))
    events = answers.page_of(request, events_of_item(found.library_id, found.pk))
    known = {
        "item": found, "loan": loan, "status": words.item_status(found, loan, today), "band": _band(found),
        "explain": _explain(loan), "described": _described(found), "located": _located(found, loan),
        "statistics": _statistics(found), "actions": _actions(request, found, loan),
        "holds": [(hold, words.hold_status(hold, today)) for hold in holds], "holds_page": holds,
        "history": words.past(events), "events_page": events, "may_write": may(staff_of(request).roles, CIRCULATE),
    }  # fmt: skip
    return render(request, "circulation/item.html", known)


def _band(item: Item) -> dict[str, str] | None:
    """B4, L4: the external request, linked where sharing knows it."""
    if not item.request:
        return None
    side = "borrowing" if item.temporary else "lending"
    ill = sharing.find_one(item.library_id, item.request, side)
    partner = {"partner": item.partner_name or item.partner_symbol}
    said = _("from %(partner)s") if item.temporary else _("lent to %(partner)s")
    return {
        "number": item.request, "url": reverse("ill_request", args=[ill.pk]) if ill else "",
        "said": said % partner if partner["partner"] else "",
        "due": words.day(item.lender_due) if item.temporary else "",
    }  # fmt: skip


def _explain(loan: Loan | None) -> dict[str, Any] | None:
    return {"date": loan.due_on, "reasons": words.due_sentences(loan.due_reasons)} if loan else None


def _described(item: Item) -> list[dict[str, Any]]:
    title = item.title
    published = words.join(title.publisher, title.year)
    return [
        {"label": _("Author"), "value": title.author}, {"label": _("Published"), "value": published},
        {"label": _("Edition"), "value": title.edition}, {"label": _("ISBN"), "value": title.isbn},
        {"label": _("Volume"), "value": item.volume}, {"label": _("Format"), "value": item.material_format},
        {"label": _("Barcode"), "value": item.barcode, "mono": True},
        {"label": _("Call number"), "value": item.call_number},
        {"label": _("Note"), "value": item.note.removeprefix("!").strip(), "wide": True},
    ]  # fmt: skip


def _located(item: Item, loan: Loan | None) -> list[dict[str, Any]]:
    to = {"value": loan.patron.short_name, "url": reverse("patron", args=[loan.patron_id])} if loan else {}
    return [
        {"label": _("On loan to"), "value": ""} | to,
        {"label": _("Last seen at"), "value": item.at_branch.name if item.at_branch else ""},
        {"label": _("Going to"), "value": item.going_to.name if item.going_to else ""},
        {"label": _("Holding location"), "value": item.holding_location.name},
        {"label": _("Shelving location"), "value": item.shelving_location.name},
        {"label": _("Home branch"), "value": item.home_branch.name},
    ]  # fmt: skip


def _statistics(item: Item) -> list[dict[str, Any]]:
    last, count = item.last_issued_to, item.issued_count
    return [
        {
            "label": _("Last issued to"), "value": last.short_name if last else _("nobody yet"),
            "url": reverse("patron", args=[last.pk]) if last else "", "note": words.moment(item.last_issued_at),
        },
        {"label": _("Issued"), "value": ngettext("once", "%(count)d times", count) % {"count": count}},
        {"label": _("Policy used"), "value": item.last_policy},
        {"label": _("In the catalogue since"), "value": words.day(item.made_at)},
    ]  # fmt: skip


# --- what may be done with it -----------------------------------------------------------------------------------


def _actions(request: HttpRequest, item: Item, loan: Loan | None) -> list[answers.Act]:
    """Asked of the table; the likeliest first."""
    slip = answers.prints(_("Slip"), reverse("slip_item", args=[item.pk]))
    if not may(staff_of(request).roles, CIRCULATE):
        return [slip]
    actions = [*_loan_actions(loan, reverse("item", args=[item.pk])), slip]
    if not item.temporary and item.state != WITHDRAWN:
        wish = urlencode({"item": item.barcode, "next": reverse("item", args=[item.pk])})
        actions.insert(0, answers.Act(_("Place hold"), f"{reverse('place_hold')}?{wish}", "get"))
        actions.append(answers.Act(_("Edit the record"), reverse("edit_item", args=[item.pk]), "get"))
    return actions + staff_buttons(item)


def _loan_actions(loan: Loan | None, back: str) -> list[answers.Act]:
    if loan is None:
        return []
    change = f"{reverse('change_due_date', args=[loan.pk])}?{urlencode({'next': back})}"
    renewing = answers.Act(_("Renew"), reverse("renew", args=[loan.pk]), values=[("next", back)])
    return [answers.opens(_("Change due date"), change), renewing]


def staff_buttons(item: Item, back: str = "") -> list[answers.Act]:
    """Delete, restore, mark missing: whatever `ITEM` allows in this state; what hurts most stands last."""
    labels = {
        "staff.restore": ("restore_item", _("Restore"), "", False),
        "staff.mark_missing": ("mark_missing", _("Mark missing"), _("Mark “%(title)s” as missing?"), False),
        "staff.delete": ("delete_item", _("Delete"), _("Delete “%(title)s”? Its barcode becomes free."), True),
    }
    buttons = []
    for trigger in ITEM.triggers(item.state, "staff"):
        name, label, question, danger = labels[trigger]
        url, asked = reverse(name, args=[item.pk]), question % {"title": item.title.title} if question else ""
        values = [("next", back)] if back else []
        buttons.append(answers.Act(label, url, values=values, danger=danger, confirm=asked, confirm_word=label))
    return sorted(buttons, key=lambda button: button.danger)


def _press(
    request: HttpRequest, pk: int, service: Callable[[Desk, int, datetime], Item], sentence: str
) -> HttpResponse:
    found: Item = own(queries.one_item(staff_of(request).library_id, pk))
    back = answers.way_back(request, reverse("item", args=[pk]))
    try:
        changed = service(desk_of(request), pk, timezone.now())
    except Refused as no:
        return answers.not_done(request, no, back)
    said = {"title": found.title.title, "word": words.item_word(changed.state).lower()}
    return answers.done(request, sentence % said, back)


@require_POST
@staff_page(CIRCULATE)
def delete_item(request: HttpRequest, pk: int) -> HttpResponse:
    """B16: the record stays readable and can be restored."""
    return _press(request, pk, services.delete_item, _("“%(title)s” is deleted. Its page can restore it."))


@require_POST
@staff_page(CIRCULATE)
def restore_item(request: HttpRequest, pk: int) -> HttpResponse:
    return _press(request, pk, services.restore_item, _("“%(title)s” is restored and %(word)s."))


@require_POST
@staff_page(CIRCULATE)
def mark_missing(request: HttpRequest, pk: int) -> HttpResponse:
    return _press(request, pk, services.mark_missing, _("“%(title)s” is marked missing."))


# --- a new item -------------------------------------------------------------------------------------------------


@staff_page(CIRCULATE)
def new_item(request: HttpRequest) -> HttpResponse:
    """One copy by hand. Many come by `interlend load items`."""
    library_id = staff_of(request).library_id
    here = desk_of(request).branch_id
    first = {
        "barcode": answers.text_of(request, "barcode", answers.LONGEST_BARCODE),
        "holding_location": here, "home_branch": here,
    }  # fmt: skip
    form = ItemForm(library_id, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            saved = services.save_item(desk_of(request), form.record(), timezone.now())[0]
        except Refused as no:
            answers.add_refusal(form, no)
        else:
            said = _("“%(title)s” is in the catalogue.") % {"title": saved.title.title}
            return answers.done(request, said, reverse("item", args=[saved.pk]))
    known = {"heading": _("New item"), "cancel_url": reverse("discover_items")}
    return answers.show_form(request, "circulation/item_form.html", known, form)


@staff_page(CIRCULATE)
def edit_item(request: HttpRequest, pk: int) -> HttpResponse:
    """The record of an item of our own: title, call number, places, note. Its history tells what was changed."""
    found: Item = own(queries.one_item(staff_of(request).library_id, pk))
    back = reverse("item", args=[pk])
    if no := services.why_not_changed(found):
        return answers.not_done(request, no, back)
    form = ItemForm(found.library_id, request.POST or None, item=found)
    if request.method == "POST" and form.is_valid():
        try:
            saved = services.change_item(desk_of(request), pk, form.changes(), timezone.now())
        except Refused as refused:  # deleted while the form was open
            answers.add_refusal(form, refused)
        else:
            return answers.done(request, _("The record of “%(title)s” is saved.") % {"title": saved.title.title}, back)
    known = {"heading": _("Edit %(name)s") % {"name": found.title.title}, "cancel_url": back, "shared": _shared(found)}
    return answers.show_form(request, "circulation/item_form.html", known, form)


def _shared(item: Item) -> str:
    """Whose title is changed as well; empty where this is the only copy."""
    others = item.title.items.exclude(pk=item.pk).exclude(state=WITHDRAWN).count()
    sentence = ngettext(
        "%(count)d other copy has the same title: what you change from title to ISBN changes there too.",
        "%(count)d other copies have the same title: what you change from title to ISBN changes there too.", others,
    )  # fmt: skip
    return sentence % {"count": others} if others else ""
