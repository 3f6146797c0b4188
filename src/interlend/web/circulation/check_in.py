"""Check In: one scan, one row that says what to do with the item (workflow B8, B13, B14, L7, L9).

Strategy: the service decides and writes; this page turns its answer into words, with the prompt to update the request
and the slip to print. A scan is one POST with a fixed number of queries, whatever the library holds.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from interlend.circulation import queries, services
from interlend.circulation.errors import Refused
from interlend.circulation.policies import Action
from interlend.circulation.services import CheckedIn
from interlend.libraries.policies import may
from interlend.notices.queries import letter_of_hold
from interlend.sharing import queries as sharing
from interlend.sharing.models import IllRequest
from interlend.web import sittings
from interlend.web.circulation import answers, words
from interlend.web.shell import CIRCULATE, SHARE, desk_of, staff_of, staff_page
from interlend.web.told import told

PAGE = "check_in"
SLIPS = "check_in_slips"  # in the session: "print" opens each slip by itself
WITH_SLIP = ("hold", "send", "route_to_ill")  # what is put back on the shelf needs no paper
OLDEST_YEAR = 2000  # a back date before this is a slip of the finger

Answer = tuple[str, dict[str, Any]]
"""What totals count the scan by, and its row."""


@staff_page(CIRCULATE)
def check_in(request: HttpRequest) -> HttpResponse:
    """The page; POST is one scan."""
    if request.method == "POST":
        return _scan(request)
    known = {
        "rows": sittings.rows(request, PAGE), "slips": request.session.get(SLIPS, "none"),
        "today": timezone.localdate(),
    }  # fmt: skip
    return render(request, "circulation/check_in.html", known | _totals(request))


@require_POST
@staff_page(CIRCULATE)
def check_in_clear(request: HttpRequest) -> HttpResponse:
    """Begin a new sitting. What was done stays done."""
    sittings.clear(request, PAGE)
    return redirect("check_in")


def _scan(request: HttpRequest) -> HttpResponse:
    row = sittings.answered_before(request, PAGE)
    if row is None:
        now = timezone.now()
        _remember_slips(request)
        kind, answer = _check_in(request, now)
        row = sittings.keep(request, PAGE, kind, answer, now)
    return answers.answer_scan(request, row, reverse("check_in"), _totals(request))


def _remember_slips(request: HttpRequest) -> None:
    wish = "print" if request.POST.get("slips") == "print" else "none"
    if request.session.get(SLIPS, "none") != wish:
        request.session[SLIPS] = wish


def _check_in(request: HttpRequest, now: datetime) -> Answer:
    barcode = answers.text_of(request, "barcode")
    if why := answers.why_no_barcode(barcode):
        return "stop", answers.stop_row(_("Not checked in"), barcode, why)
    try:
        backdated_to = _back_date(request, now)
        done = services.check_in(desk_of(request), barcode, now, backdated_to=backdated_to)
    except ValueError:
        why = _("The back date is not a date that can be used. Clear it, or write it as in the calendar.")
        return "stop", answers.stop_row(_("Not checked in"), barcode, why)
    except Refused as no:
        return "stop", _refused(request, barcode, no)
    return _kind(done), _row(request, done, backdated_to, now)


def _back_date(request: HttpRequest, now: datetime) -> datetime | None:
    """The end of the chosen day, so that an item borrowed that day is not returned before it was lent."""
    text = answers.text_of(request, "backdate")
    if not text:
        return None
    chosen = date.fromisoformat(text)
    if chosen.year < OLDEST_YEAR:
        raise ValueError(text)
    if chosen == timezone.localdate(now):
        return None
    return datetime.combine(chosen, time(23, 59), timezone.get_current_timezone())


# --- totals -----------------------------------------------------------------------------------------------------


def _totals(request: HttpRequest) -> dict[str, Any]:
    """How many of each, and the link that prints the slips of this sitting together."""
    counts = sittings.totals(request, PAGE)
    named = [
        (_("hold shelf"), counts["hold"]), (_("send on"), counts["send"]), (_("route to ILL"), counts["route_to_ill"]),
        (_("reshelve"), counts["reshelve"]), (_("stopped"), counts["stop"]),
    ]  # fmt: skip
    slips = sum(counts[kind] for kind in WITH_SLIP)
    label = ngettext("Print %(count)d slip", "Print %(count)d slips", slips) % {"count": slips}
    return {
        "totals": [(_("this sitting"), counts.total()), *((word, count) for word, count in named if count)],
        "totals_links": [(label, f"{reverse('slips')}?print=1")] if slips else [],
    }


# --- the row ----------------------------------------------------------------------------------------------------


def _kind(done: CheckedIn) -> str:
    sends = (Action.SEND_TO_PICKUP, Action.SEND_HOME)
    return "send" if done.action in sends else done.action.value


def _row(request: HttpRequest, done: CheckedIn, backdated_to: datetime | None, now: datetime) -> dict[str, Any]:
    alerts = _alerts(request, done)
    kind, key = _slip(done)
    row: dict[str, Any] = {
        "meaning": "look" if alerts else "good", "word": _word(done), "state_word": _state_word(done),
        "title": done.item.title.title, "barcode": done.item.barcode, "url": reverse("item", args=[done.item.pk]),
        "detail": _detail(done, backdated_to, now), "alerts": alerts,
    }  # fmt: skip
    if kind:
        label = _("Hold receipt") if kind == "hold" else _("Routing slip")
        url = reverse(f"slip_{kind}", args=[key])
        row |= {"slip": [kind, key], "slip_url": f"{url}?print=1", "slip_label": label}
    return row


def _word(done: CheckedIn) -> str:
    if done.going_to is not None:
        return _("Send to %(place)s") % {"place": done.going_to.name}
    return {Action.HOLD: _("Hold"), Action.ROUTE_TO_ILL: _("Route to ILL")}.get(done.action, _("Reshelve"))


def _state_word(done: CheckedIn) -> str:
    if done.action == Action.HOLD and done.hold is not None and done.hold.shelf_until:
        return _("shelf until %(day)s") % {"day": words.day(done.hold.shelf_until)}
    return words.item_word(done.item.state)


def _slip(done: CheckedIn) -> tuple[str, int]:
    """Which slip goes with the item, if any."""
    if done.action == Action.HOLD and done.hold is not None:
        return "hold", done.hold.pk
    return ("route", done.item.pk) if _kind(done) in WITH_SLIP else ("", 0)


def _detail(done: CheckedIn, backdated_to: datetime | None, now: datetime) -> str:
    back = {"day": words.day(backdated_to)}
    return words.join(
        _destination(done, now), _returned_by(done), _("back-dated to %(day)s") % back if backdated_to else ""
    )


def _destination(done: CheckedIn, now: datetime) -> str:
    item, hold = done.item, done.hold
    number = _("request %(number)s") % {"number": item.request} if item.request else ""
    if done.action == Action.HOLD and hold is not None:
        place = {"name": hold.patron.short_name, "place": hold.pickup_branch.name}
        since = {"since": words.moment(hold.ready_at)}
        again = _("on the shelf since %(since)s") % since if hold.ready_at != now else ""
        mail = words.letter_line(letter_of_hold(item.library_id, hold.pk))
        return words.join(_("for %(name)s at %(place)s") % place, again, number, mail)
    if done.going_to is not None:
        why = _("for the hold of %(name)s") % {"name": hold.patron.short_name} if hold else _("to its home branch")
        once_more = _("a second scan here says it has left") if item.state == "in_transit" else ""
        return words.join(why, number, once_more)
    if done.action == Action.ROUTE_TO_ILL:
        owner = _("belongs to %(partner)s") % {"partner": item.partner_name} if item.partner_name else ""
        return words.join(_("temporary item"), owner, number)
    return words.join(item.holding_location.name, item.shelving_location.name, item.call_number)


def _returned_by(done: CheckedIn) -> str:
    if done.loan is None:
        return ""
    loan = {"name": done.loan.patron.short_name, "due": words.day(done.loan.due_on)}
    return _("returned by %(name)s, due %(due)s") % loan


# --- what to mind -----------------------------------------------------------------------------------------------


def _alerts(request: HttpRequest, done: CheckedIn) -> list[dict[str, Any]]:
    alerts = _prompt(request, done)
    if done.expired_hold is not None:
        name = {"name": done.expired_hold.patron.short_name}
        alerts.append({"sentence": _("The hold of %(name)s has ended: it was not collected in time.") % name})
    if done.hold is not None and done.hold.staff_note:
        alerts.append({"sentence": done.hold.staff_note})
    alerts += _notice_to_print(done)
    return alerts + [{"sentence": told(sentence)} for sentence in done.alerts]


def _notice_to_print(done: CheckedIn) -> list[dict[str, Any]]:
    if done.action != Action.HOLD or done.hold is None or done.hold.patron.email:
        return []
    letter = letter_of_hold(done.item.library_id, done.hold.pk)
    if letter is None or letter.state != "to_print":
        return []
    sentence = _("%(name)s has no e-mail address, so the notice goes on paper.")
    links = [(_("Print the notice"), reverse("notice", args=[letter.pk]))]
    return [{"sentence": sentence % {"name": done.hold.patron.short_name}, "links": links}]


def _prompt(request: HttpRequest, done: CheckedIn) -> list[dict[str, Any]]:
    """B13, L9: which request to update, and the one click that does it for those who may.

    It stays until that is done: whoever scans the item on its way to the ILL office sees it again.
    """
    item = done.item
    if done.prompt is not None:
        number, side, partner = done.prompt.request, done.prompt.side, done.prompt.partner
    elif item.temporary and item.request and done.hold is None:
        number, side, partner = item.request, "borrowing", item.partner_name
    else:
        return []
    ill = sharing.find_one(item.library_id, number, side)
    if done.prompt is None and (ill is None or ill.state != "received"):
        return []
    known = {"number": number, "partner": partner}
    if side == "borrowing":
        sentence = _("Update request %(number)s (from %(partner)s): it is back at the desk.") % known
    else:
        sentence = _("Update request %(number)s (lent to %(partner)s): our item is back at the desk.") % known
    return [{"sentence": sentence} | _doings(request, ill)]


def _doings(request: HttpRequest, ill: IllRequest | None) -> dict[str, Any]:
    """The link to the request, and the button for those who may change it."""
    if ill is None:
        return {}
    links = [(ill.number, reverse("ill_request", args=[ill.pk]))]
    if not may(staff_of(request).roles, SHARE):
        return {"links": links}
    returned = ill.side == "borrowing"
    trigger, label = ("staff.return", _("Mark returned")) if returned else ("staff.complete", _("Complete"))
    return {"links": links, "actions": [(label, reverse("ill_action", args=[ill.pk, trigger]), "post")]}


# --- not checked in ---------------------------------------------------------------------------------------------


def _refused(request: HttpRequest, barcode: str, no: Refused) -> dict[str, Any]:
    word = _("Not checked in")
    if no.code != "unknown_item":
        return answers.refused_row(word, barcode, no)
    library_id = staff_of(request).library_id
    found = sharing.find(library_id, barcode)
    if len(found) == 1:
        return _expected(request, barcode, found[0])
    patron = queries.patron_by_barcode(library_id, barcode)
    if patron is not None:
        sentence = _("This is the card of %(name)s. Scan the barcode of the item.")
        links = [(_("Open the account"), reverse("patron", args=[patron.pk]))]
        return answers.stop_row(word, barcode, sentence % {"name": patron.full_name}, links=links)
    links = [(_("Add the item"), f"{reverse('new_item')}?{urlencode({'barcode': barcode})}")]
    return answers.refused_row(word, barcode, no, links=links)


def _expected(request: HttpRequest, barcode: str, ill: IllRequest) -> dict[str, Any]:
    """A barcode that sharing knows: a parcel that has come, or the slip scanned instead of the book."""
    links: list[tuple[str, str]] = [(ill.number, reverse("ill_request", args=[ill.pk]))]
    known = {"number": ill.number, "partner": ill.partner.name if ill.partner else _("the other library")}
    word = _("Not checked in")
    if ill.side == "borrowing" and ill.state == "shipped":
        sentence = _("No item has this barcode here yet. Request %(number)s expects it from %(partner)s.") % known
        if not may(staff_of(request).roles, SHARE):
            return answers.stop_row(word, barcode, sentence + " " + _("ILL staff: receive it."), links=links)
        receive = (
            _("Receive it for %(number)s") % known,
            reverse("ill_action", args=[ill.pk, "staff.receive"]),
            "post",
        )
        return answers.stop_row(word, barcode, sentence, title=ill.title, links=links, actions=[receive])
    if barcode.upper() == ill.number.upper():
        sentence = _("This is the number of request %(number)s. Scan the barcode of the item itself.") % known
    else:
        sentence = _("No item has this barcode here; request %(number)s knows it (%(partner)s).") % known
    return answers.stop_row(word, barcode, sentence, title=ill.title, links=links)
