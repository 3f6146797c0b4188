"""One request on one page: its facts, what can be done now, what circulation could not do, and what happened.

Strategy: the buttons come from the table, the cards from the steps that are not done, the corrections stand on the
card where they help. The lending side never shows a patron: its row knows none (workflow B4, L4, L8).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from interlend.bridge.hosts import host_of
from interlend.bridge.queries import exchanges_of_request
from interlend.circulation import queries as circulation
from interlend.circulation.lifecycles import OUT
from interlend.circulation.models import Item, Loan
from interlend.libraries.models import Branch
from interlend.libraries.policies import may
from interlend.lifecycle import NoSuchMove
from interlend.notices.queries import letters_of_request
from interlend.outbox.lifecycles import DONE, ERRAND, FAILED, UNKNOWN
from interlend.outbox.models import Errand
from interlend.outbox.queries import errand as errand_of
from interlend.outbox.queries import errands_of_request, events_of_request, parked
from interlend.outbox.services import UNSETTLED, settle_by_staff
from interlend.sharing import queries, services
from interlend.sharing.errors import Refused
from interlend.sharing.host import HostProblem, LookupUser
from interlend.sharing.models import IllRequest
from interlend.sharing.policies import Button, buttons
from interlend.web.circulation.answers import way_back
from interlend.web.circulation.words import LETTER_KINDS, day, due_sentences, letter_status, moment
from interlend.web.sharing import storyline, words
from interlend.web.sharing.patterns import Patterns, Said
from interlend.web.shell import SHARE, desk_of, own, staff_of, staff_page
from interlend.web.told import refusal, told

# --- the page ---------------------------------------------------------------------------------------------------


@staff_page()
def ill_request(request: HttpRequest, pk: int) -> HttpResponse:
    ill = own(queries.request(staff_of(request).library_id, pk))
    return render(request, "sharing/request.html", page_of(request, ill))


def page_of(request: HttpRequest, ill: IllRequest) -> dict[str, Any]:
    """Everything that the page shows, read once."""
    library_id = staff_of(request).library_id
    errands = list(errands_of_request(library_id, ill.number))
    events = list(events_of_request(library_id, ill.number))
    letters = list(letters_of_request(library_id, ill.number))
    items = circulation.items_with(library_id, [piece.barcode for piece in ill.pieces.all()])
    may_share = may(staff_of(request).roles, SHARE)
    return {
        "ill": ill, "chip": words.chip(ill), "since": ill.at_desk_since or ill.state_since, "may_share": may_share,
        "side": _("borrowing") if ill.side == IllRequest.Side.BORROWING else _("lending"),
        "of": words.by_whom(ill).rpartition(" · ")[0],
        "facts": _facts(ill, items, circulation.loans_of_request(library_id, ill.number)),
        "actions": _actions(ill) if may_share else [],
        "cards": _cards(ill, [errand for errand in errands if errand.state in UNSETTLED], staff_of(request).roles),
        "entries": storyline.entries(ill, events, errands, letters, exchanges_of_request(library_id, ill.number)),
        "note_form": NoteForm(),
        "letters": [(letter, letter_status(letter), LETTER_KINDS.get(letter.kind, letter.kind)) for letter in letters],
    }  # fmt: skip


_OUTCOMES = {
    "supplied": gettext_lazy("Supplied"), "not supplied": gettext_lazy("Not supplied"),
    "cancelled": gettext_lazy("Cancelled"),
}  # fmt: skip


def _facts(ill: IllRequest, items: dict[str, Item], loans: list[Loan]) -> list[dict[str, Any]]:
    """The constant block: what, for whom, until when, with whom; then the rest."""
    published = ", ".join(filter(None, (ill.publisher, ill.year, ill.edition)))
    loan_or_copy = _("Loan") if ill.service == IllRequest.Service.LOAN else _("Copy")
    return [
        {"label": _("Title"), "value": ill.title, "big": True}, *_who(ill), *_due(ill, loans), *_partner(ill),
        {"label": _("Author"), "value": ill.author}, *_pieces(ill, items),
        {"label": _("Pickup"), "value": _place(ill)}, {"label": _("Needed by"), "value": day(ill.need_by)},
        {"label": _("Published"), "value": published}, {"label": "ISBN", "value": ill.isbn, "mono": True},
        {"label": _("Volume"), "value": ill.volume}, {"label": _("Pages"), "value": ill.pages},
        {"label": _("Service"), "value": loan_or_copy},
        {"label": _("Made"), "value": moment(ill.made_at), "note": ill.made_by},
        {"label": _("Outcome"), "value": str(_OUTCOMES.get(ill.outcome, ill.outcome))},
        {"label": _("Reason"), "value": told(ill.reason)},
        {"label": _("Note to the lender"), "value": ill.note, "wide": True},
    ]  # fmt: skip


def _place(ill: IllRequest) -> str:
    """The pickup place by name; on the lending side it is a place of the borrower's, whose name we need not know."""
    if not ill.pickup or ill.side == IllRequest.Side.LENDING:
        return ill.pickup
    branch: Branch | None = circulation.pickup_branch(ill.library_id, ill.pickup)
    return branch.name if branch else ill.pickup


def _who(ill: IllRequest) -> list[dict[str, Any]]:
    """Our patron, linked to the account; never on the lending side."""
    if ill.side == IllRequest.Side.LENDING:
        return []
    patron = circulation.patron_by_barcode(ill.library_id, ill.patron_barcode) if ill.patron_barcode else None
    url = reverse("patron", args=[patron.pk]) if patron else ""
    name = ill.patron_name or ill.patron_barcode
    return [{"label": _("For"), "value": name, "url": url, "note": ill.patron_barcode, "big": True}]


def _partner(ill: IllRequest) -> list[dict[str, Any]]:
    partner, borrowing = ill.partner, ill.side == IllRequest.Side.BORROWING
    label = _("Lender") if borrowing else _("Borrower")
    if partner is None:
        return [{"label": label, "value": _("none chosen yet"), "big": True}]
    known = {"label": label, "value": partner.name, "url": reverse("partner", args=[partner.pk]), "big": True}
    address = linebreaksbr(partner.return_address)
    return [known, {"label": _("Return to"), "value": address if borrowing else ""}]


def _pieces(ill: IllRequest, items: dict[str, Item]) -> list[dict[str, Any]]:
    facts = []
    pieces = list(ill.pieces.all())
    for piece in pieces:
        item = items.get(piece.barcode)
        if item is not None and not _stands_for(item, ill):
            item = None  # another item carries the same barcode
        label = _("Item") if len(pieces) == 1 else _("Volume %(n)d") % {"n": piece.position}
        theirs = piece.partner_barcode if piece.partner_barcode != piece.barcode else ""
        notes = [piece.volume, _("their barcode %(code)s") % {"code": theirs} if theirs and piece.barcode else ""]
        url = reverse("item", args=[item.pk]) if item else ""
        value = piece.barcode or piece.partner_barcode
        facts.append(
            {"label": label, "value": value, "url": url, "mono": True, "note": " · ".join(filter(None, notes))}
        )
    return facts


def _stands_for(item: Item, ill: IllRequest) -> bool:
    """Is it this request's own temporary item, or, on the lending side, an item of ours?"""
    if ill.side == IllRequest.Side.BORROWING:
        return item.temporary and item.request == ill.number
    return not item.temporary


def _due(ill: IllRequest, loans: list[Loan]) -> list[dict[str, Any]]:
    """The due date with its why: the open loan's where there is one, else the lender's."""
    loan = next((loan for loan in loans if loan.state == OUT), None)
    borrowing = ill.side == IllRequest.Side.BORROWING
    if loan is not None:
        label = _("Due from our patron") if borrowing else _("Due back")
        why = "; ".join(due_sentences(loan.due_reasons))
        return [{"label": label, "value": day(loan.due_on), "big": True, "note": why}]
    label = _("Due at the lender") if borrowing else _("Due back")
    return [{"label": label, "value": day(ill.due), "big": True}]


# --- what can be done now ---------------------------------------------------------------------------------------

_KEYS = {"staff.receive": "r", "staff.return": "r", "staff.ship": "s", "staff.complete": "c", "staff.send": "s"}


def _actions(ill: IllRequest) -> list[dict[str, Any]]:
    """Buttons from the table, the likeliest first; slips behind them."""
    found = buttons(ill.side, ill.service, ill.state, at_desk=ill.at_desk_since is not None)
    return [_action(ill, button) for button in found] + _slips(ill)


def _action(ill: IllRequest, button: Button) -> dict[str, Any]:
    url = reverse("ill_action", args=[ill.pk, button.trigger])
    action = {"label": _(button.label), "url": url, "main": button.main, "danger": button.danger}
    if button.main:
        action["key"] = _KEYS.get(button.trigger)
    return action | ({"dialog": True} if button.needs else {"method": "post", "values": []})


def _slips(ill: IllRequest) -> list[dict[str, Any]]:
    slip = {"method": "get", "slip": True}
    if ill.side == IllRequest.Side.BORROWING and ill.state in ("received", "returned"):
        return [slip | {"label": _("Print return slip"), "url": reverse("slip_return", args=[ill.pk])}]
    if ill.side == IllRequest.Side.LENDING and ill.service == "loan" and words.is_open(ill):
        return [slip | {"label": _("Print bookband"), "url": reverse("slip_bookband", args=[ill.pk])}]
    return []


# --- steps that are not done, and what mends them ---------------------------------------------------------------


@dataclass
class Card:
    """One step that is not done: what, why, the buttons of its table, and the correction that helps."""

    errand: Errand
    name: str
    state: dict[str, str]
    why: str
    actions: list[dict[str, Any]] = field(default_factory=list)
    form: forms.Form | None = None
    correct: str = ""
    pattern: Said | None = None


#: failed steps of the library that are looked through for a pattern
MOST_ALIKE = 500
#: errand's code -> what may be corrected at the card
_MENDS = {
    **dict.fromkeys(("unknown_patron", "patron_blocked", "patron_expired", "no_pickup"), "patron"),
    **dict.fromkeys(("unknown_pickup",), "pickup"),
    **dict.fromkeys(
        ("barcode_taken", "unknown_item", "does_not_circulate", "on_loan_elsewhere", "held_for_another"), "barcode"
    ),
    **dict.fromkeys(("item_withdrawn", "borrowed_for_another"), "barcode"),
    **dict.fromkeys(("account_not_set", "no_account", "not_a_member", "unknown_partner"), "partner"),
    **dict.fromkeys(("ill_not_set_up",), "settings"),
}  # fmt: skip


def _cards(ill: IllRequest, owed: list[Errand], roles: Iterable[str]) -> list[Card]:
    """A card for each step; where others failed in the same way, with what they have in common."""
    cards = [_card(ill, errand) for errand in owed]
    kinds = {(errand.party, errand.code) for errand in owed if errand.state in (FAILED, UNKNOWN)}
    if not kinds:
        return cards
    alike = [errand for errand in parked(ill.library_id)[:MOST_ALIKE] if (errand.party, errand.code) in kinds]
    patterns = Patterns(ill.library_id, roles, alike)
    for card in cards:
        own = card.errand
        card.pattern = patterns.of([other for other in alike if (other.party, other.code) == (own.party, own.code)])
    return cards


def _card(ill: IllRequest, errand: Errand) -> Card:
    partner = ill.partner.name if ill.partner else ""
    why = words.step_detail(errand) or _("It waits for its turn.")
    mend = _MENDS.get(errand.code, "")
    card = Card(
        errand, words.step_name(errand, partner), words.step_meaning(errand), why, words.settling(errand), correct=mend
    )
    if mend == "patron":
        card.form = PatronForm(initial={"patron": ill.patron_barcode}, auto_id=f"mend_{errand.pk}_%s")
    elif mend == "pickup":
        card.form = PickupForm(ill.library_id, initial={"pickup": ill.pickup}, auto_id=f"mend_{errand.pk}_%s")
    elif mend == "barcode":
        held = next((p.barcode for p in ill.pieces.all() if p.pk == errand.payload.get("piece")), "")
        card.form = PieceForm(initial={"barcode": held}, auto_id=f"mend_{errand.pk}_%s")
    if card.form is not None:  # then correcting it is the main thing, and tries again by itself
        card.actions = [action | {"main": False} for action in card.actions]
    return card


class PatronForm(forms.Form):
    patron = forms.CharField(label=gettext_lazy("Patron’s barcode"), max_length=60)


class PieceForm(forms.Form):
    barcode = forms.CharField(label=gettext_lazy("Barcode of the item"), max_length=60)


class PickupForm(forms.Form):
    pickup = forms.ChoiceField(label=gettext_lazy("Pickup location"))

    def __init__(self, library_id: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = circulation.pickup_branches(library_id)
        self.fields["pickup"].choices = [(b.code, b.name) for b in places]  # type: ignore[attr-defined]


class NoteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Note for colleagues"), max_length=1000, widget=forms.Textarea({"rows": 2})
    )


# --- what the page's small forms do -----------------------------------------------------------------------------


@require_POST
@staff_page(SHARE)
def ill_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the patron, the pickup place or a piece's barcode right; the step that was refused is tried again at once."""
    ill = own(queries.request(staff_of(request).library_id, pk))
    now = timezone.now()
    try:
        sentence = _corrected(request, ill, now)
    except forms.ValidationError as bad:
        messages.error(request, f"{_('Not corrected')}: {' '.join(bad.messages)}")
        return redirect("ill_request", ill.pk)
    except (Refused, HostProblem) as no:
        messages.error(request, f"{_('Not corrected')}: {refusal(no)}")
        return redirect("ill_request", ill.pk)
    key = request.POST.get("errand", "")
    errand = errand_of(ill.library_id, int(key)) if key.isascii() and key.isdigit() and len(key) < 19 else None
    if errand is None or errand.request != ill.number or not ERRAND.allows(errand.state, "staff.try_again"):
        messages.success(request, sentence)
    else:
        _settle(request, errand, "staff.try_again", now, sentence)
    return redirect("ill_request", ill.pk)


def _corrected(request: HttpRequest, ill: IllRequest, now: datetime) -> str:
    """Read the one field that was sent, correct it by its service; returns what to say. Raises on a bad value."""
    desk = desk_of(request)
    if "patron" in request.POST:
        patron = _clean(PatronForm(request.POST), "patron")
        user = host_of(desk, now, hurried=True).lookup_user(LookupUser(patron))
        services.correct_patron(desk, ill.pk, user, now)
        return _("The patron is now %(name)s.") % {"name": user.name}
    if "pickup" in request.POST:
        services.correct_pickup(desk, ill.pk, _clean(PickupForm(ill.library_id, request.POST), "pickup"), now)
        return _("The pickup location was corrected.")
    barcode = _clean(PieceForm(request.POST), "barcode")
    piece = request.POST.get("piece", "")
    mine = own(next((p for p in ill.pieces.all() if str(p.pk) == piece), None))
    services.correct_barcode(desk, ill.pk, mine.pk, barcode, now)
    return _("The barcode is now %(code)s.") % {"code": barcode}


def _clean(form: forms.Form, name: str) -> str:
    if form.is_valid():
        return str(form.cleaned_data[name])
    raise forms.ValidationError([str(error) for error in form.errors.get(name, [])])


@require_POST
@staff_page(SHARE)
def ill_note(request: HttpRequest, pk: int) -> HttpResponse:
    """A remark for colleagues; it stays in this library."""
    ill = own(queries.request(staff_of(request).library_id, pk))
    form = NoteForm(request.POST)
    if form.is_valid():
        services.note(desk_of(request), ill.pk, form.cleaned_data["text"], timezone.now())
        messages.success(request, _("Noted."))
        return redirect("ill_request", ill.pk)
    return render(request, "sharing/request.html", page_of(request, ill) | {"note_form": form}, status=422)


@require_POST
@staff_page(SHARE)
def errand_action(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a step again, call it done by hand, or skip it."""
    library_id = staff_of(request).library_id
    errand = own(errand_of(library_id, pk))
    _settle(request, errand, request.POST.get("trigger", ""), timezone.now())
    ill = queries.request(library_id, errand.payload.get("ill") or 0)
    return redirect(way_back(request, reverse("ill_request", args=[ill.pk]) if ill else reverse("health")))


def _settle(request: HttpRequest, errand: Errand, trigger: str, now: datetime, before: str = "") -> None:
    """Settle it and say what came of it."""
    try:
        settle_by_staff(errand, trigger, now, staff_of(request).name)
    except NoSuchMove:
        messages.warning(request, f"{before} {_('That step is settled already; nothing changed.')}".strip())
        return
    errand.refresh_from_db()
    name = words.step_name(errand)
    state = words.step_meaning(errand)["word"]
    if errand.state in UNSETTLED:
        messages.warning(request, f"{before} {name}: {words.step_detail(errand) or state}".strip())
    else:
        done = _("done") if errand.state == DONE else state
        messages.success(request, f"{before} {name}: {done}.".strip())
