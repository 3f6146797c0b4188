"""Letters to patrons: what went, what waits, what a person must see to; and the drawer that stands for a mail server.

Strategy: the state and its why are the letter's own; sending again and printing are moves of its table (workflow B9).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from interlend.circulation.models import Patron
from interlend.circulation.queries import patrons_with
from interlend.libraries.policies import may
from interlend.lifecycle import NoSuchMove
from interlend.notices import queries, services
from interlend.notices.lifecycles import LETTER
from interlend.notices.models import Letter
from interlend.sharing.queries import expected
from interlend.web.circulation.answers import page_of
from interlend.web.circulation.words import LETTER_KINDS, letter_status, moment
from interlend.web.shell import CIRCULATE, own, staff_of, staff_page


def kind_word(letter: Letter) -> str:
    return str(LETTER_KINDS.get(letter.kind, letter.kind.replace("_", " ").capitalize()))


# --- lists ------------------------------------------------------------------------------------------------------


@staff_page()
def notices(request: HttpRequest) -> HttpResponse:
    """All letters by state; what waits for a person first."""
    library_id = staff_of(request).library_id
    counts = queries.counts_by_state(library_id)
    state = request.GET.get("state", "")
    state = state if state in LETTER.states or state == "person" else ""
    found = queries.for_a_person(library_id).reverse() if state == "person" else queries.letters(library_id, state)
    leaf = page_of(request, found)
    patrons = patrons_with(library_id, [letter.patron_key for letter in leaf])
    known = {
        "tabs": _tabs(state, counts), "page_obj": leaf, "query": urlencode({"state": state}) + "&",
        "letters": [
            (letter, letter_status(letter), kind_word(letter), patrons.get(letter.patron_key)) for letter in leaf
        ],
        "drawer": settings.INTERLEND_MAIL != "smtp",
    }  # fmt: skip
    return render(request, "notices/list.html", known)


def _tabs(current: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    url = reverse("notices")
    person = sum(counts.get(state, 0) for state in queries.A_PERSON)
    tabs = [("", _("All"), sum(counts.values())), ("person", _("For a person"), person)]
    tabs += [(state, _(_STATE_WORDS[state]), counts[state]) for state in LETTER.states if counts.get(state)]
    return [
        {"label": label, "count": count, "url": f"{url}?state={state}" if state else url, "current": state == current}
        for state, label, count in tabs
    ]


_STATE_WORDS = {
    "waiting": n_("Waiting"), "sending": n_("Sending"), "sent": n_("Sent"), "failed": n_("Failed"),
    "unknown": n_("Unknown"), "not_sent": n_("No notice"), "to_print": n_("To print"), "printed": n_("Printed"),
}  # fmt: skip


@staff_page()
def mail_drawer(request: HttpRequest) -> HttpResponse:
    """Where letters lie when no mail server is known: readable like mail, nothing left the house."""
    library = staff_of(request).library
    leaf = page_of(request, queries.in_drawer(library.pk), 25)
    sender = library.email_from or settings.DEFAULT_FROM_EMAIL
    known = {"page_obj": leaf, "letters": leaf, "sender": sender, "drawer": settings.INTERLEND_MAIL != "smtp"}
    return render(request, "notices/drawer.html", known)


# --- one letter -------------------------------------------------------------------------------------------------


@staff_page()
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """What was sent, when, by which road; what was not, and why."""
    letter: Letter = own(queries.letter(staff_of(request).library_id, pk))
    patron = patrons_with(letter.library_id, [letter.patron_key]).get(letter.patron_key)
    subject, body = services.text_of(letter, timezone.now())
    known = {
        "letter": letter, "status": letter_status(letter), "kind": kind_word(letter), "subject": subject,
        "body": body, "facts": _facts(letter, patron), "actions": _actions(request, letter),
    }  # fmt: skip
    return render(request, "notices/letter.html", known)


def _facts(letter: Letter, patron: Patron | None) -> list[dict[str, Any]]:
    ills = expected(letter.library_id, letter.request, "borrowing") if letter.request else []
    ills = ills or (expected(letter.library_id, letter.request, "lending") if letter.request else [])
    via = {"smtp": _("mail server"), "drawer": _("mail drawer: nothing left the house"), "print": _("print")}
    return [
        {
            "label": _("Patron"), "value": patron.short_name if patron else _("no longer known"), "big": True,
            "url": reverse("patron", args=[patron.pk]) if patron else "",
        },
        {"label": pgettext("letter", "To"), "value": letter.to or _("no e-mail address")},
        {"label": _("Written"), "value": moment(letter.made_at)},
        {"label": _("Goes at"), "value": moment(letter.due_at) if letter.state == "waiting" else ""},
        {"label": _("Sent"), "value": moment(letter.sent_at), "note": via.get(letter.via, letter.via)},
        {"label": _("Tries"), "value": letter.tries or ""},
        {
            "label": _("Request"), "value": letter.request, "mono": True,
            "url": reverse("ill_request", args=[ills[0].pk]) if len(ills) == 1 else "",
        },
    ]  # fmt: skip


def _actions(request: HttpRequest, letter: Letter) -> list[dict[str, Any]]:
    """What the letter's table allows; a letter that went can be printed again without changing anything."""
    if not may(staff_of(request).roles, CIRCULATE):
        return []
    allowed = LETTER.triggers(letter.state, "staff")
    printing = {"label": _("Print"), "url": reverse("notice_print", args=[letter.pk]), "key": "p", "values": []}
    actions: list[dict[str, Any]] = []
    if "staff.print" in allowed:
        actions.append(printing | {"method": "post", "main": letter.state == "to_print"})
    else:
        actions.append(printing | {"method": "get", "slip": True})
    if "staff.send_again" in allowed:
        again = {
            "label": _("Send again"),
            "url": reverse("notice_send_again", args=[letter.pk]),
            "method": "post",
            "values": [],
        }
        sure = {"confirm": _("It may have gone already. Send it again?"), "confirm_word": _("Send again")}
        actions.insert(0, again | {"main": True} | (sure if letter.state == "unknown" else {}))
    return actions


@require_POST
@staff_page(CIRCULATE)
def notice_send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A person decides that it goes (again); the worker sends it at its next round."""
    letter: Letter = own(queries.letter(staff_of(request).library_id, pk))
    try:
        services.send_again(letter.library_id, letter.pk, timezone.now())
    except NoSuchMove:
        messages.warning(request, _("It waits or went already; nothing changed."))
    else:
        messages.success(request, _("It goes with the next round, within a minute or so."))
    return redirect("notice", letter.pk)


@staff_page(CIRCULATE)
def notice_print(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: it is printed now, kept as printed, and shown on paper. GET: shown on paper again."""
    letter: Letter = own(queries.letter(staff_of(request).library_id, pk))
    now = timezone.now()
    if request.method == "POST":
        services.printed(letter.library_id, letter.pk, now)
        return redirect(f"{reverse('notice_print', args=[letter.pk])}?size=a5&print=1")
    subject, body = services.text_of(letter, now)
    patron = patrons_with(letter.library_id, [letter.patron_key]).get(letter.patron_key)
    known = {"letter": letter, "subject": subject, "body": body, "patron": patron, "size": "a5"}
    return render(request, "notices/print.html", known | {"library": staff_of(request).library})
