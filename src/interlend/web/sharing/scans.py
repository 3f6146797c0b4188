"""The four scan pages of a parcel's way: Receive (B1), Return (B15), Ship (L1), Complete (L5, L9).

Strategy: one scan is one POST; the request is found by its number or a barcode, the same `actions.answer` does the
work as on the request's page, and the row, the totals and what leaves the queue come back together. Ship wants two
scans, the request and the book, in either order; what the first one said is kept in the session, so that a scanner
may be faster than the network and no mouse is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from interlend.bridge.hosts import settings_of
from interlend.bridge.models import HostSettings
from interlend.circulation.models import Item
from interlend.circulation.queries import item_by_barcode, items_with, patron_by_barcode
from interlend.libraries.policies import may
from interlend.refusal import n_
from interlend.sharing import queries
from interlend.sharing.errors import refuse
from interlend.sharing.models import IllRequest
from interlend.sharing.policies import state_word
from interlend.web import sittings
from interlend.web.sharing import words
from interlend.web.sharing.actions import Asked, answer
from interlend.web.shell import SHARE, staff_of, staff_page
from interlend.web.told import refusal, why

PER_PAGE = 50
#: (request, page, what was scanned, now) -> a row, or None where the page waits for a second scan
Scan = Callable[[HttpRequest, "Page", str, datetime], words.Row | None]


@dataclass(frozen=True)
class Page:
    """One scan page: what a scan triggers, on which side, and its words."""

    name: str
    url: str
    trigger: str
    side: str
    title: str | Promise
    label: str | Promise
    empty_title: str | Promise
    empty_text: str | Promise
    queue_title: str | Promise
    queue_empty: str | Promise


RECEIVE = Page(
    "receive", "receive", "staff.receive", "borrowing", lazy("Receive"),
    lazy("Request number, or the barcode on the lender’s book"), lazy("Nothing received yet"),
    lazy("Scan the number on each parcel’s slip. Circulation makes the temporary item and the hold by itself."),
    lazy("On their way to us"), lazy("No lender has shipped anything to us."),
)  # fmt: skip
RETURN = Page(
    "return", "return_loans", "staff.return", "borrowing", lazy("Return"),
    lazy("Request number, or the barcode of the borrowed item"), lazy("Nothing returned yet"),
    lazy("Scan each borrowed item before it goes into its parcel. Circulation checks it in if the desk has not."),
    lazy("Back at the desk"), lazy("No borrowed item lies at the desk."),
)  # fmt: skip
SHIP = Page(
    "ship", "ship", "staff.ship", "lending", lazy("Ship"),
    lazy("Request number, then the barcode of our book"), lazy("Nothing shipped yet"),
    lazy("Scan the number of a request, then the book itself: it is checked out to the borrower and on its way."),
    lazy("Waiting to be shipped"), lazy("No library waits for an item of ours."),
)  # fmt: skip
COMPLETE = Page(
    "complete", "complete", "staff.complete", "lending", lazy("Complete"),
    lazy("Request number, or the barcode of our item"), lazy("Nothing completed yet"),
    lazy("Scan each item that has come home. Circulation checks it in if the desk has not."),
    lazy("On their way home, or back at the desk"), lazy("Nothing of ours is on its way home."),
)  # fmt: skip
PAGES = {page.name: page for page in (RECEIVE, RETURN, SHIP, COMPLETE)}

TOTALS = {
    "done": lazy("done"), "trouble": lazy("done, with a step left"), "already": lazy("done before"),
    "stopped": lazy("stopped"),
}  # fmt: skip

# --- the views --------------------------------------------------------------------------------------------------


@staff_page(SHARE)
def receive(request: HttpRequest) -> HttpResponse:
    return _page(request, RECEIVE, _scan_to_receive)


@staff_page(SHARE)
def return_loans(request: HttpRequest) -> HttpResponse:
    return _page(request, RETURN, _scan_once)


@staff_page(SHARE)
def complete(request: HttpRequest) -> HttpResponse:
    return _page(request, COMPLETE, _scan_once)


@staff_page(SHARE)
def ship(request: HttpRequest) -> HttpResponse:
    return _page(request, SHIP, _scan_to_ship)


@require_POST
@staff_page(SHARE)
def sharing_clear(request: HttpRequest, page: str) -> HttpResponse:
    """Begin a new sitting on one page."""
    if page not in PAGES:
        raise Http404
    sittings.clear(request, page)
    return redirect(PAGES[page].url)


def _page(request: HttpRequest, page: Page, scan: Scan) -> HttpResponse:
    if request.method != "POST":
        return render(request, "sharing/scan.html", _shown(request, page))
    now = timezone.now()
    row = sittings.answered_before(request, page.name)
    if row is None:
        row = _press_card(request, page, now) if "card" in request.POST else _scan(request, page, scan, now)
        row = sittings.keep(request, page.name, row["kind"], row, now) if row else None
    if not request.headers.get("HX-Request"):
        return redirect(page.url)
    status = 422 if row and row["meaning"] == "stop" else 200
    response = render(request, "sharing/scanned.html", _fragment(request, page, row), status=status)
    left = row["ill"] if row and row["kind"] in ("done", "trouble") else None
    return trigger_client_event(response, "interlend:left", {"value": left}) if left else response


def _scan(request: HttpRequest, page: Page, scan: Scan, now: datetime) -> words.Row | None:
    text = scanned(request)
    return scan(request, page, text, now) if text else None


def scanned(request: HttpRequest, name: str = "barcode") -> str:
    """What came from the scanner, without what no barcode can hold."""
    text = "".join(c for c in request.POST.get(name, "") if c.isprintable())
    return text.strip()[:100]


def _fragment(request: HttpRequest, page: Page, row: words.Row | None) -> dict[str, Any]:
    """The row, and what else on the page it changes: totals, the queue's length, the card."""
    library_id = staff_of(request).library_id
    known = {
        "row": row, "oob": True, "totals": _totals(request, page), "totals_links": [], "page": page,
        "waiting": queries.queue(library_id, page.name).count(), "clear_url": _clear_url(page),
    }  # fmt: skip
    return known | {"card": card_shown(request, page)}


def _shown(request: HttpRequest, page: Page) -> dict[str, Any]:
    waiting = queries.queue(staff_of(request).library_id, page.name).prefetch_related("pieces")
    leaf = Paginator(waiting, PER_PAGE).get_page(request.GET.get("page"))
    known = {
        "page": page, "rows": sittings.rows(request, page.name), "totals": _totals(request, page),
        "page_obj": leaf, "queue": [(ill, words.chip(ill)) for ill in leaf], "waiting": leaf.paginator.count,
        "clear_url": _clear_url(page), "may_share": may(staff_of(request).roles, SHARE),
    }  # fmt: skip
    extra = {"ship": "sharing/ship_due.html", "receive": "sharing/receive_labels.html"}.get(page.name, "")
    wishes = {"due": request.session.get(DUE_KEY, ""), "labels": request.session.get(LABELS_KEY, "")}
    return known | wishes | {"card": card_shown(request, page), "extra": extra}


def _totals(request: HttpRequest, page: Page) -> list[tuple[Any, int]]:
    counted = sittings.totals(request, page.name)
    return [(word, counted[kind]) for kind, word in TOTALS.items() if counted[kind] or kind == "done"]


def _clear_url(page: Page) -> str:
    return reverse("sharing_clear", args=[page.name])


# --- one scan: Receive, Return, Complete ------------------------------------------------------------------------


def _scan_once(request: HttpRequest, page: Page, text: str, now: datetime) -> words.Row:
    found = meant(request, page, text)
    if len(found) != 1:
        return _several(page, text, found) if found else unknown_row(request, page, text)
    return answer(request, found[0], Asked(page.trigger), text, now)


def meant(request: HttpRequest, page: Page, text: str) -> list[IllRequest]:
    """The requests that a scan may mean; of several, those for which the page's action is possible now."""
    found = queries.expected(staff_of(request).library_id, text, page.side)
    possible = [ill for ill in found if words.can(ill, page.trigger)]
    return possible if len(found) > 1 and possible else found


def _several(page: Page, text: str, found: list[IllRequest]) -> words.Row:
    """Two lenders may use the same barcode: a person says which parcel this is."""
    sentence = _("%(count)d requests expect this barcode. Scan the number on the slip, or choose.") % {
        "count": len(found)
    }
    actions = [
        (f"{ill.number}: {words.by_whom(ill)}", reverse("ill_action", args=[ill.pk, page.trigger]), "post")
        for ill in found
    ]
    return words.stop_row(page.trigger, text, sentence, actions=actions)


def unknown_row(request: HttpRequest, page: Page, text: str) -> words.Row:
    """Nothing of this side is open under `text`: done before, the other side's, our own book, or not known at all."""
    library_id = staff_of(request).library_id
    last = queries.latest_with_barcode(library_id, text, page.side)
    if last is not None:
        row = words.already_row(last, page.trigger)
        return row or words.refused_row(request, _not_now(last, page), page.trigger, last, text)
    other = queries.expected(library_id, text, "lending" if page.side == "borrowing" else "borrowing")
    if other:
        return words.refused_row(request, _wrong_side(other[0]), page.trigger, other[0], text)
    no = refuse("unknown_request", text=text)
    links = [(_("Search for it"), f"{reverse('find')}?{urlencode({'q': text})}")]
    item = item_by_barcode(library_id, text)
    if item is not None:
        sentence = _("It is the item “%(title)s”, which no open request names.") % {"title": item.title.title}
        links = [(_("Open the item"), reverse("item", args=[item.pk])), (_("Check it in"), reverse("check_in"))]
        return words.stop_row(page.trigger, text, f"{why(no)} {sentence}", links=links)
    patron = patron_by_barcode(library_id, text)
    if patron is not None:
        sentence = _("This is the card of %(name)s. Scan the slip or the book.") % {"name": patron.full_name}
        links = [(_("Open the account"), reverse("patron", args=[patron.pk]))]
        return words.stop_row(page.trigger, text, sentence, links=links)
    return words.stop_row(page.trigger, text, refusal(no), links=links)


def _not_now(ill: IllRequest, page: Page) -> Any:
    button = words.BUTTONS[page.trigger]
    state = state_word(ill.state, ill.at_desk_since is not None).lower()
    can = n_("Open the request to see what happened to it.")
    return refuse("not_possible", number=ill.number, state=state, what=button.label, can=can)


def _wrong_side(ill: IllRequest) -> Any:
    borrowing = ill.side == IllRequest.Side.BORROWING
    can = n_("Its pages are Receive and Return.") if borrowing else n_("Its pages are Ship and Complete.")
    return refuse("wrong_side", number=ill.number, side=n_("borrow") if borrowing else n_("lend"), can=can)


# --- Receive under a barcode of our own: the number, then our label ---------------------------------------------


def _scan_to_receive(request: HttpRequest, page: Page, text: str, now: datetime) -> words.Row | None:
    """One scan where the lender's barcode serves; where the library labels each book, the label is scanned next."""
    labels = request.POST.get("labels", "")
    if request.session.get(LABELS_KEY, "") != labels:
        request.session[LABELS_KEY] = "own" if labels == "own" else ""
    open_card = _card(request, page)
    if labels != "own":
        _close(request, page)
        return _scan_once(request, page, text, now)
    found = meant(request, page, text)
    if len(found) == 1 and words.can(found[0], page.trigger) and found[0].pk != open_card.get("ill"):
        _open(request, page, ill=found[0].pk)
        return None
    ill = queries.request(staff_of(request).library_id, open_card["ill"]) if open_card.get("ill") else None
    if ill is None:
        return _scan_once(request, page, text, now)
    codes = [*open_card["codes"], text]
    if len(codes) < ill.pieces.count():
        _open(request, page, ill=ill.pk, codes=codes)
        return None
    _close(request, page)
    return answer(request, ill, Asked(page.trigger, barcodes=codes), text, now)


# --- the card of a page that wants two scans --------------------------------------------------------------------

LABELS_KEY, DUE_KEY = "receive_labels", "ship_due"


def _card(request: HttpRequest, page: Page) -> dict[str, Any]:
    """What the first scan said: `ill` (key or None), `codes` so far, `several` volumes. Empty: nothing is open."""
    card: dict[str, Any] = request.session.get(f"{page.name}_card") or {}
    return card


def _open(
    request: HttpRequest, page: Page, *, ill: int | None, codes: Sequence[str] = (), several: bool = False
) -> None:
    request.session[f"{page.name}_card"] = {"ill": ill, "codes": list(dict.fromkeys(codes)), "several": several}


def _close(request: HttpRequest, page: Page) -> None:
    if f"{page.name}_card" in request.session:
        del request.session[f"{page.name}_card"]


def card_shown(request: HttpRequest, page: Page) -> dict[str, Any] | None:
    """The open card: the request and what it waits for, or the book and the requests that it may be for."""
    open_card = _card(request, page)
    if not open_card:
        return None
    library_id, codes = staff_of(request).library_id, open_card["codes"]
    if open_card["ill"]:
        ill = queries.request(library_id, open_card["ill"])
        return {"ill": ill, "codes": codes, "several": open_card["several"]} if ill else None
    item = item_by_barcode(library_id, codes[0])
    if item is None:
        return None
    waiting = queries.waiting_for_title(library_id, item.title.title)
    return {"item": item, "codes": codes, "candidates": waiting, "several": False}


# --- Ship: the request and the book, in either order ------------------------------------------------------------


class DueForm(forms.Form):
    due = forms.DateField(required=False)


def _scan_to_ship(request: HttpRequest, page: Page, text: str, now: datetime) -> words.Row | None:
    """A number opens the card of its request, a book's barcode ships it."""
    if not _due_given(request):
        sentence = _("The due date cannot be read. Type it like 2027-05-31, or empty the field.")
        return words.stop_row(page.trigger, text, sentence)
    open_card = _card(request, page)
    ill = queries.by_number(staff_of(request).library_id, text, page.side)
    if ill is not None:
        return _number_scanned(request, page, ill, open_card, now)
    if not open_card.get("ill"):
        return _book_first(request, page, text)
    codes = [*open_card["codes"], text]
    if open_card["several"]:
        _open(request, page, ill=open_card["ill"], codes=codes, several=True)
        return None
    return _ship(request, page, open_card["ill"], codes, text, now)


def _press_card(request: HttpRequest, page: Page, now: datetime) -> words.Row | None:
    """A button of the card: put it aside, expect several volumes, or ship what was scanned."""
    open_card, pressed = _card(request, page), request.POST.get("card", "")
    if pressed == "aside" or not open_card:
        _close(request, page)
    elif pressed == "several":
        _open(request, page, ill=open_card["ill"], codes=open_card["codes"], several=True)
    elif pressed.isascii() and pressed.isdigit() and open_card["codes"]:
        return _ship(request, page, int(pressed[:18]), open_card["codes"], open_card["codes"][0], now)
    return None


def _due_given(request: HttpRequest) -> bool:
    """Keep the date for the whole batch; False where what was typed is none."""
    if "due" not in request.POST:
        return True
    form = DueForm(request.POST)
    if not form.is_valid():
        return False
    due: date | None = form.cleaned_data["due"]
    text = due.isoformat() if due else ""
    if request.session.get(DUE_KEY, "") != text:
        request.session[DUE_KEY] = text
    return True


def _due(request: HttpRequest) -> date | None:
    text = request.session.get(DUE_KEY, "")
    return date.fromisoformat(text) if text else None


def _number_scanned(
    request: HttpRequest, page: Page, ill: IllRequest, open_card: Mapping[str, Any], now: datetime
) -> words.Row | None:
    """Opens the request's card; ships what was scanned before it (the book first, or several volumes)."""
    codes = list(open_card.get("codes", ()))
    if codes and open_card["ill"] in (None, ill.pk):
        return _ship(request, page, ill.pk, codes, ill.number, now)
    if codes:
        sentence = _(
            "Volumes of another request are scanned and not shipped yet: scan its number again, or put it aside."
        )
        return words.stop_row(page.trigger, ill.number, sentence)
    if not words.can(ill, page.trigger):
        row = words.already_row(ill, page.trigger)
        return row or words.refused_row(request, _not_now(ill, page), page.trigger, ill, ill.number)
    _open(request, page, ill=ill.pk)
    return None


def _book_first(request: HttpRequest, page: Page, text: str) -> words.Row | None:
    """Without an open request: our book opens a card that waits for the number; one that is out was shipped before."""
    library_id = staff_of(request).library_id
    last = queries.latest_with_barcode(library_id, text, page.side, open_only=True)
    if last is not None and (row := words.already_row(last, page.trigger)):
        return row
    item = item_by_barcode(library_id, text)
    if item is None or item.temporary:
        return unknown_row(request, page, text)
    _open(request, page, ill=None, codes=[text])
    return None


def _ship(
    request: HttpRequest, page: Page, ill_id: int, codes: list[str], text: str, now: datetime
) -> words.Row | None:
    ill = queries.request(staff_of(request).library_id, ill_id)
    if ill is None:
        _close(request, page)
        return words.stop_row(page.trigger, text, _("The request is gone. Scan its number again."))
    items = items_with(ill.library_id, codes)
    if (row := _not_our_book(page, ill, [code for code in codes if code not in items])) is None:
        row = answer(request, ill, Asked(page.trigger, barcodes=codes, due=_due(request)), text, now)
    if row["kind"] == "stopped":
        _open(request, page, ill=ill.pk)  # it stays open for the right book
        return row
    _close(request, page)
    return row if row["kind"] == "already" else _mind_the_title(ill, items.get(codes[0]), row)


def _not_our_book(page: Page, ill: IllRequest, unknown: list[str]) -> words.Row | None:
    """A slip of the scanner is caught before the parcel is on its way; only our own circulation can say so here."""
    if not unknown or settings_of(ill.library_id).kind != HostSettings.Kind.IN_PROCESS:
        return None
    sentence = _("No item of ours has the barcode %(code)s. Scan the barcode on the book, or add the item first.")
    url = reverse("ill_request", args=[ill.pk])
    links = [
        (_("Add the item"), f"{reverse('new_item')}?{urlencode({'barcode': unknown[0]})}"),
        (_("Open request %(number)s") % {"number": ill.number}, url),
    ]
    return words.stop_row(page.trigger, unknown[0], sentence % {"code": unknown[0]}, title=ill.title, links=links)


def _mind_the_title(ill: IllRequest, item: Item | None, row: words.Row) -> words.Row:
    """Another book than the one asked for may be right (another edition), but a person should look."""
    if item is None or words.same_work(item.title.title, ill.title):
        return row
    names = {"item": item.title.title, "asked": ill.title}
    alert = {"sentence": _("The book is “%(item)s”; the request asks for “%(asked)s”. Is it the right one?") % names}
    return row | {"meaning": "look", "kind": "trouble", "alerts": [alert, *row["alerts"]]}
