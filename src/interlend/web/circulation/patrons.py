"""Assist Patrons and the patron's account: checkout, holds, requests, history, notices, profile (workflow B7-B12).

Strategy: a scan finds the account; the account's checkout tab lends with one POST a scan, and says why a due date is
what it is. Tabs are addresses of their own (`?tab=`), so that Back and bookmarks work.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from interlend.bridge import cards
from interlend.circulation import queries, services
from interlend.circulation.errors import Refused
from interlend.circulation.models import Hold, Loan, Patron
from interlend.circulation.policies import why_not_borrow
from interlend.circulation.services import CheckedOut
from interlend.libraries.policies import may
from interlend.notices.queries import letters_of_patron
from interlend.outbox.queries import events_of_patron
from interlend.sharing import queries as sharing
from interlend.sharing.policies import state_word
from interlend.web import sittings
from interlend.web.circulation import answers, words
from interlend.web.circulation.forms import CardForm, DueDateForm, PatronForm
from interlend.web.shell import CIRCULATE, desk_of, own, staff_of, staff_page
from interlend.web.told import fill

# --- finding the account ----------------------------------------------------------------------------------------


@staff_page()
def assist_patrons(request: HttpRequest) -> HttpResponse:
    """Scan a patron's barcode, or type a name. One found account opens; several are listed."""
    text = answers.text_of(request, "barcode" if request.method == "POST" else "q")
    library_id = staff_of(request).library_id
    if request.method == "POST":
        return _find_patron(request, library_id, text)
    known = {
        "text": text, "found": queries.find_patrons(library_id, text) if text else [], "most": queries.MOST_FOUND,
        "may_write": _may_write(request),
    }  # fmt: skip
    return render(request, "circulation/assist_patrons.html", known)


def _find_patron(request: HttpRequest, library_id: int, text: str) -> HttpResponse:
    here = reverse("assist_patrons")
    if why := answers.why_no_barcode(text):
        return answers.answer_scan(request, _not_found(text, why), here)
    found = queries.find_patrons(library_id, text)
    if len(found) == 1:
        sittings.clear(request, _page(found[0].pk))  # a new visit at the desk
        return answers.go_to(request, reverse("patron", args=[found[0].pk]))
    if found:
        return answers.go_to(request, f"{here}?{urlencode({'q': text})}")
    return answers.answer_scan(request, _nobody(request, library_id, text), f"{here}?{urlencode({'q': text})}")


def _nobody(request: HttpRequest, library_id: int, text: str) -> dict[str, Any]:
    item = queries.item_by_barcode(library_id, text)
    if item is not None:
        sentence = _("This is the barcode of an item, “%(title)s”. Scan the patron's card.") % {"title": item.title}
        links = [(_("Open the item"), reverse("item", args=[item.pk]))]
        return _not_found(text, sentence, links=links)
    links = [(_("Register a patron"), f"{reverse('new_patron')}?{urlencode({'barcode': text})}")]
    why = _("No patron of this library has this barcode or a surname that begins so.")
    return _not_found(text, why, links=links if _may_write(request) else [])


def _not_found(text: str, why: str, **more: Any) -> dict[str, Any]:
    return answers.stop_row(_("No patron found"), text, why, **more) | {"at": timezone.now()}


def _may_write(request: HttpRequest) -> bool:
    return may(staff_of(request).roles, CIRCULATE)


# --- the account ------------------------------------------------------------------------------------------------


@staff_page()
def patron(request: HttpRequest, pk: int) -> HttpResponse:
    """The account: a strip that says how it stands, and one tab."""
    found: Patron = own(queries.one_patron(staff_of(request).library_id, pk))
    now = timezone.now()
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "checkout"
    strip = _strip(request, found, now)
    known = {
        "patron": found, "tab": tab, "tabs": _tabs(found, tab, bills=bool(strip["balance"])),
        "may_write": _may_write(request), "strip": strip, "template": f"circulation/patron_{tab}.html",
    }  # fmt: skip
    return render(request, "circulation/patron.html", known | TABS[tab](request, found, now))


def _strip(request: HttpRequest, patron: Patron, now: datetime) -> dict[str, Any]:
    """Name, type, blocks in words, expiry, and what is ready where."""
    today = desk_of(request).today(now)
    out, late = queries.out_and_late(patron, today)
    against = why_not_borrow(queries.patron_facts(patron, out), today)
    ready = queries.ready_places(patron)
    balance = words.join(*(words.money(owed, currency) for currency, owed in queries.balances(patron).items()))
    expired = patron.expires_on is not None and patron.expires_on < today
    return {
        "patron": patron, "balance": balance,
        "against": [(reason.why(fill), reason.mended(fill)) for reason in against],
        "chip": ("stop", _("May not borrow")) if against else ("good", _("May borrow")),
        "ready": [_("%(count)d ready at %(place)s") % {"count": n, "place": place} for place, n in ready.items()],
        "facts": [
            {"label": _("Patron type"), "value": patron.patron_type.name},
            {"label": _("Home branch"), "value": patron.home_branch.name if patron.home_branch else ""},
            {
                "label": _("Account ends"), "value": words.day(patron.expires_on) or _("never"),
                "note": _("expired") if expired else "",
            },
            {"label": _("Balance"), "value": balance},
            {"label": _("Out now"), "value": out, "note": _("%(count)d overdue") % {"count": late} if late else ""},
        ],
    }  # fmt: skip


def _tabs(patron: Patron, current: str, *, bills: bool) -> list[dict[str, Any]]:
    named = {
        "checkout": _("Checkout"), "holds": _("Holds"), "requests": _("Requests"), "bills": _("Bills"),
        "history": _("History"), "notices": _("Notices"), "profile": _("Profile"),
    }  # fmt: skip
    if not bills and current != "bills":
        del named["bills"]  # another system may charge; where none has, there is nothing to look at
    counts = {"holds": queries.holds_of_patron(patron).count()}
    here = reverse("patron", args=[patron.pk])
    return [
        {"name": tab, "label": label, "url": f"{here}?tab={tab}", "current": tab == current, "count": counts.get(tab)}
        for tab, label in named.items()
    ]


# --- tabs -------------------------------------------------------------------------------------------------------


def _checkout(request: HttpRequest, patron: Patron, now: datetime) -> dict[str, Any]:
    return {"rows": sittings.rows(request, _page(patron.pk))} | _loans(request, patron, now)


def _loans(request: HttpRequest, patron: Patron, now: datetime) -> dict[str, Any]:
    """What is out, the earliest due date first."""
    today = desk_of(request).today(now)
    page = answers.page_of(request, queries.loans_of_patron(patron))
    lines = [_loan_line(loan, late=loan.due_on < today) for loan in page]
    return {"loans_page": page, "loans": lines, "patron": patron, "may_write": _may_write(request)}


def _loan_line(loan: Loan, *, late: bool) -> dict[str, Any]:
    actions = [
        answers.opens(_("Change due date"), reverse("change_due_date", args=[loan.pk])),
        answers.Act(_("Renew"), reverse("renew", args=[loan.pk])),
    ]
    return {
        "loan": loan, "late": late, "why": words.due_sentences(loan.due_reasons), "actions": actions,
    }  # fmt: skip


def _holds(request: HttpRequest, patron: Patron, now: datetime) -> dict[str, Any]:
    today = desk_of(request).today(now)
    page = answers.page_of(request, queries.holds_of_patron(patron))
    back = f"{reverse('patron', args=[patron.pk])}?tab=holds"
    place = f"{reverse('place_hold')}?{urlencode({'patron': patron.barcode, 'next': back})}"
    return {"holds_page": page, "holds": [_hold_line(hold, today) for hold in page], "place_url": place}


def _hold_line(hold: Hold, today: Any) -> dict[str, Any]:
    edit = answers.opens(_("Edit"), reverse("edit_hold", args=[hold.pk]))
    receipt = answers.prints(_("Hold receipt"), reverse("slip_hold", args=[hold.pk]))
    actions = [edit, receipt] if hold.state == "ready" else [edit]
    return {"hold": hold, "status": words.hold_status(hold, today), "actions": actions}


def _requests(request: HttpRequest, patron: Patron, _now: datetime) -> dict[str, Any]:
    page = answers.page_of(request, sharing.requests_of_patron(patron.library_id, patron.barcode))
    lines = [{"ill": ill, "word": _(state_word(ill.state, ill.at_desk_since is not None))} for ill in page]
    return {"requests_page": page, "requests": lines}


def _bills(request: HttpRequest, patron: Patron, _now: datetime) -> dict[str, Any]:
    page = answers.page_of(request, queries.bills_of_patron(patron))
    return {"bills_page": page, "bills": [(bill, words.money(bill.amount, bill.currency)) for bill in page]}


def _history(request: HttpRequest, patron: Patron, _now: datetime) -> dict[str, Any]:
    loans = queries.loans_of_patron(patron, open_only=False).filter(checked_in_at__isnull=False)
    events = answers.page_of(request, events_of_patron(patron.library_id, patron.pk))
    items = queries.items_by_key(patron.library_id, [e.item_key for e in events if e.item_key])
    lines = [(line, items.get(event.item_key)) for line, event in zip(words.past(events), events, strict=True)]
    return {"past_loans": loans[: answers.ROWS_ON_A_PAGE], "events_page": events, "events": lines}


def _notices(request: HttpRequest, patron: Patron, _now: datetime) -> dict[str, Any]:
    page = answers.page_of(request, letters_of_patron(patron.library_id, patron.pk))
    lines = [
        {
            "letter": letter, "status": words.letter_status(letter),
            "kind": words.LETTER_KINDS.get(letter.kind, letter.kind.replace("_", " ").capitalize()),
        }
        for letter in page
    ]  # fmt: skip
    return {"letters_page": page, "letters": lines}


def _profile(_request: HttpRequest, patron: Patron, _now: datetime) -> dict[str, Any]:
    blocked = words.join(words.day(patron.blocked_since), patron.block_reason)
    return {
        "profile": [
            {"label": _("Name"), "value": patron.full_name},
            {"label": _("Kind"), "value": _(patron.get_kind_display())},
            {"label": _("E-mail"), "value": patron.email or _("none: notices go on paper")},
            {"label": _("Telephone"), "value": patron.phone},
            {"label": _("User name"), "value": patron.user_name},
            {"label": _("PIN"), "value": _("set") if patron.pin else _("not set: cannot sign in")},
            {"label": _("Blocked since"), "value": blocked},
            {"label": _("Address"), "value": patron.address, "wide": True},
            {"label": _("Note for staff"), "value": patron.note, "wide": True},
        ]
    }  # fmt: skip


TABS: dict[str, Callable[[HttpRequest, Patron, datetime], dict[str, Any]]] = {
    "checkout": _checkout, "holds": _holds, "requests": _requests, "bills": _bills, "history": _history,
    "notices": _notices, "profile": _profile,
}  # fmt: skip


# --- check out (B10, B11) ---------------------------------------------------------------------------------------


def _page(patron_id: int) -> str:
    """The sitting of one account at one desk."""
    return f"out:{patron_id}"


@require_POST
@staff_page(CIRCULATE)
def patron_check_out(request: HttpRequest, pk: int) -> HttpResponse:
    """One scan: the item to this patron."""
    found: Patron = own(queries.one_patron(staff_of(request).library_id, pk))
    now = timezone.now()
    row = sittings.answered_before(request, _page(pk))
    if row is None:
        kind, answer = _lend(request, found, now)
        row = sittings.keep(request, _page(pk), kind, answer, now)
    known = _loans(request, found, now) | {"strip": _strip(request, found, now)}
    return answers.answer_scan(request, row, reverse("patron", args=[pk]), known)


def _lend(request: HttpRequest, patron: Patron, now: datetime) -> tuple[str, dict[str, Any]]:
    barcode = answers.text_of(request, "barcode")
    word = _("Not checked out")
    if why := answers.why_no_barcode(barcode):
        return "stop", answers.stop_row(word, barcode, why)
    try:
        done = services.check_out(desk_of(request), patron.pk, barcode, now)
    except Refused as no:
        return "stop", _not_lent(word, patron, barcode, no)
    return "loaned", _loan_row(done)


def _not_lent(word: str, patron: Patron, barcode: str, no: Refused) -> dict[str, Any]:
    if no.code == "unknown_item":
        other = queries.patron_by_barcode(patron.library_id, barcode)
        if other is not None and other.pk == patron.pk:
            sentence = _("This is the card of the account that is open. Scan the barcode of the item.")
            return answers.stop_row(word, barcode, sentence)
        if other is not None:
            sentence = _("This is the card of %(name)s, not an item.") % {"name": other.full_name}
            links = [(_("Open that account"), reverse("patron", args=[other.pk]))]
            return answers.stop_row(word, barcode, sentence, links=links)
        links = [(_("Add the item"), f"{reverse('new_item')}?{urlencode({'barcode': barcode})}")]
        return answers.refused_row(word, barcode, no, links=links)
    item = queries.item_by_barcode(patron.library_id, barcode)
    title = item.title.title if item else ""
    links = [(_("Open the item"), reverse("item", args=[item.pk]))] if item else []
    if no.code in ("patron_blocked", "patron_expired"):
        links.insert(0, (_("Edit the account"), reverse("edit_patron", args=[patron.pk])))
    return answers.refused_row(word, barcode, no, title=title, links=links)


def _loan_row(done: CheckedOut) -> dict[str, Any]:
    loan = done.loan
    said = words.due_line(loan.due_on, loan.due_reasons)
    alerts = [{"sentence": sentence} for sentence in done.alerts]
    number = _("request %(number)s") % {"number": loan.request} if loan.request else ""
    on_hold = _("it was on hold for them") if done.hold is not None else ""
    again = {"since": words.moment(loan.checked_out_at)}
    return {
        "meaning": "look" if alerts else "good", "word": _("Already loaned") if done.repeated else _("Loaned"),
        "state_word": _("out since %(since)s; nothing changed") % again if done.repeated else "",
        "title": loan.item.title.title, "barcode": loan.item.barcode, "url": reverse("item", args=[loan.item_id]),
        "detail": words.join(said, number, on_hold), "alerts": alerts,
    }  # fmt: skip


# --- after check out (B12) --------------------------------------------------------------------------------------


@staff_page(CIRCULATE)
def change_due_date(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog with a calendar, and what the date was made of."""
    loan: Loan = own(queries.one_loan(staff_of(request).library_id, pk))
    back = answers.way_back(request, reverse("patron", args=[loan.patron_id]))
    form = DueDateForm(request.POST or None, initial={"due": loan.due_on})
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.change_due_date(desk_of(request), pk, form.cleaned_data["due"], timezone.now())
        except Refused as no:
            answers.add_refusal(form, no)
        else:
            said = {"title": loan.item.title.title, "day": words.day(changed.due_on)}
            return answers.done(request, _("“%(title)s” is now due %(day)s.") % said, back)
    known = {
        "loan": loan, "next": back, "explain": {"date": loan.due_on, "reasons": words.due_sentences(loan.due_reasons)},
    }  # fmt: skip
    return answers.show_form(request, "circulation/change_due_date.html", known, form)


@require_POST
@staff_page(CIRCULATE)
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """A further loan period, by the policy."""
    loan: Loan = own(queries.one_loan(staff_of(request).library_id, pk))
    back = answers.way_back(request, reverse("patron", args=[loan.patron_id]))
    try:
        renewed = services.renew(desk_of(request), pk, timezone.now())
    except Refused as no:
        return answers.not_done(request, no, back)
    said = {"title": loan.item.title.title, "due": words.due_line(renewed.due_on, renewed.due_reasons)}
    return answers.done(request, _("Renewed: “%(title)s” is %(due)s.") % said, back)


# --- the record -------------------------------------------------------------------------------------------------


@staff_page(CIRCULATE)
def new_patron(request: HttpRequest) -> HttpResponse:
    """Register a patron, or an institution's account (L1)."""
    library_id = staff_of(request).library_id
    first = {"barcode": answers.text_of(request, "barcode", answers.LONGEST_BARCODE)} if request.method == "GET" else {}
    form = PatronForm(library_id, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        saved = _save(request, form)
        return answers.done(request, _("%(name)s is registered.") % {"name": saved.full_name}, _account(saved))
    known = {"heading": _("New patron"), "cancel_url": reverse("assist_patrons")}
    return answers.show_form(request, "circulation/patron_form.html", known, form)


@staff_page(CIRCULATE)
def edit_patron(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the record; lift or set a block; set a PIN."""
    found: Patron = own(queries.one_patron(staff_of(request).library_id, pk))
    form = PatronForm(found.library_id, request.POST or None, instance=found)
    name = found.full_name
    if request.method == "POST" and form.is_valid():
        saved = _save(request, form)
        return answers.done(request, _("The record of %(name)s is saved.") % {"name": saved.full_name}, _account(saved))
    known = {
        "heading": _("Edit %(name)s") % {"name": name}, "cancel_url": f"{reverse('patron', args=[pk])}?tab=profile",
    }  # fmt: skip
    return answers.show_form(request, "circulation/patron_form.html", known, form)


@staff_page(CIRCULATE)
def replace_card(request: HttpRequest, pk: int) -> HttpResponse:
    """A lost card: the new one is scanned, and everything else stays."""
    found: Patron = own(queries.one_patron(staff_of(request).library_id, pk))
    back = reverse("patron", args=[pk])
    form = CardForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            cards.replace_card(desk_of(request), pk, form.cleaned_data["barcode"], timezone.now())
        except Refused as no:
            answers.add_refusal(form, no)
        else:
            said = {"name": found.full_name, "barcode": form.cleaned_data["barcode"]}
            return answers.done(request, _("%(name)s has the card %(barcode)s now.") % said, back)
    known = {"patron": found, "cancel_url": back}
    return answers.show_form(request, "circulation/replace_card.html", known, form)


def _save(request: HttpRequest, form: PatronForm) -> Patron:
    return services.save_patron(desk_of(request), form.record(), timezone.now(), pin=form.cleaned_data["pin"])[0]


def _account(patron: Patron) -> str:
    return f"{reverse('patron', args=[patron.pk])}?tab=profile"
