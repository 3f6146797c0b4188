"""What a patron's page shows, a card for each thing: ready, borrowed, to come, recently ended (workflow B9).

Strategy: a request and its hold or loan are one thing to the patron, so a request is shown only until circulation has
something of the same number. Pure functions from rows to cards; `account` alone reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from interlend.circulation import queries as circulation
from interlend.circulation.errors import Reason
from interlend.circulation.lifecycles import CANCELLED, FULFILLED, HOLD_IN_TRANSIT, OPEN_HOLD, OUT, READY
from interlend.circulation.models import Hold, Loan, Patron
from interlend.sharing import queries as sharing
from interlend.sharing.models import IllRequest
from interlend.web.patron.visitor import desk_for
from interlend.web.templatetags.interlend_tags import local_date

#: days before the due date on which a card begins to ask for attention
SOON = 3
#: how long, and how many, ended things stay on the page
RECENT = timedelta(days=30)
MOST_ENDED = 8


@dataclass(frozen=True)
class Action:
    """The one thing to do about a card (`actions.html`): a POST, asked about first where it has a question."""

    label: str
    url: str
    confirm: str = ""
    confirm_word: str = ""


@dataclass
class Card:
    """One thing on the page (`card.html`). `when` orders the cards of a section."""

    title: str
    word: str
    meaning: str = ""
    lines: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    when: Any = None


@dataclass
class Section:
    """A heading with its cards."""

    title: str
    cards: list[Card]


def account(patron: Patron, now: datetime) -> list[Section]:
    """Everything of this patron that is of interest now, in a fixed number of queries; empty sections are left out."""
    today, since = desk_for(patron).today(now), now - RECENT
    holds = list(circulation.holds_of_patron(patron, open_only=False))
    loans = list(circulation.loans_of_patron(patron, open_only=False))
    requests = list(sharing.requests_of_patron(patron.library_id, patron.barcode))
    out = [loan for loan in loans if loan.state == OUT]
    refusals = circulation.renewal_refusals(patron, out, today)
    known = {hold.request for hold in holds} | {loan.request for loan in loans}
    asked = [ill for ill in requests if ill.number not in known]
    coming = [arriving(hold) for hold in holds if hold.state in OPEN_HOLD and hold.state != READY]
    coming += [card for ill in asked if (card := asked_for(ill, bool(patron.email)))]
    ended = [
        card for card in [*map(returned, loans), *map(hold_ended, holds), *map(request_ended, asked)]
        if card and card.when and card.when >= since
    ]  # fmt: skip
    ended.sort(key=lambda card: card.when, reverse=True)
    sections = [
        Section(_("Ready for you"), [ready(hold, today) for hold in holds if hold.state == READY]),
        Section(_("Borrowed"), sorted((borrowed(loan, refusals[loan.pk], today) for loan in out), key=_by_when)),
        Section(_("Still to come"), coming),
        Section(_("Recently ended"), ended[:MOST_ENDED]),
    ]
    return [section for section in sections if section.cards]


def _by_when(card: Card) -> Any:
    return card.when


# --- circulation --------------------------------------------------------------------------------------------------


def ready(hold: Hold, today: date) -> Card:
    """On the hold shelf: where, and until when."""
    place = {"place": hold.pickup_branch.name}
    if hold.shelf_until is None:
        where = _("%(place)s, hold shelf.") % place
    elif hold.shelf_until < today:
        where = _("%(place)s. It was kept until %(day)s: please ask at the desk.") % (
            place | {"day": day(hold.shelf_until)}
        )
    else:
        where = _("%(place)s, hold shelf, until %(day)s.") % (place | {"day": day(hold.shelf_until)})
    return Card(hold.title.title, _("Ready for you"), "good", [where, *_lender_line(hold), *_note(hold)])


def borrowed(loan: Loan, refusals: Iterable[Reason], today: date) -> Card:
    """Out: due when, whose it is, and renewal or the reason against it."""
    lines = [_("From %(library)s.") % {"library": loan.partner_name}] if loan.partner_name else []
    refusals = list(refusals)
    actions = []
    if refusals:
        lines.append(why_not(refusals))
    else:
        actions.append(Action(_("Renew"), reverse("my_renew", args=[loan.pk])))
    word, meaning = _due_word(loan.due_on, today)
    return Card(loan.item.title.title, word, meaning, lines, actions, when=loan.due_on)


def _due_word(due: date, today: date) -> tuple[str, str]:
    left = (due - today).days
    if left < 0:
        return _("Overdue: was due %(day)s") % {"day": day(due)}, "stop"
    if left == 0:
        return _("Due today"), "look"
    return _("Due %(day)s") % {"day": day(due)}, "look" if left <= SOON else ""


def arriving(hold: Hold) -> Card:
    """A hold that waits, or whose item travels to the pickup place."""
    place = {"place": hold.pickup_branch.name}
    if hold.state == HOLD_IN_TRANSIT:
        word, line = _("On its way"), _("It is being brought to %(place)s.") % place
    elif hold.request:
        word, line = _("Here, nearly ready"), _("It has come and goes to %(place)s next.") % place
    else:
        word, line = _("You are waiting"), _("It will be kept for you at %(place)s.") % place
    lines = [line, *_lender_line(hold), *_pause(hold), *_note(hold)]
    question = _("Do you no longer want “%(title)s”?") % {"title": hold.title.title}
    cancel = Action(_("Cancel"), reverse("my_cancel_hold", args=[hold.pk]), question, _("I no longer want it"))
    return Card(hold.title.title, word, "", lines, [cancel] if may_cancel(hold) else [])


def may_cancel(hold: Hold) -> bool:
    """A patron may give up what is not on the hold shelf yet; from there staff take it."""
    return hold.state in OPEN_HOLD and hold.state != READY


def _lender_line(hold: Hold) -> list[str]:
    return [_("Borrowed for you from %(library)s.") % {"library": hold.partner_name}] if hold.partner_name else []


def _pause(hold: Hold) -> list[str]:
    if hold.suspended_to:
        return [_("Paused until %(day)s.") % {"day": day(hold.suspended_to)}]
    return []


def _note(hold: Hold) -> list[str]:
    return [hold.public_note] if hold.public_note else []


def returned(loan: Loan) -> Card | None:
    if loan.checked_in_at is None:
        return None
    word = _("Returned %(day)s") % {"day": day(loan.checked_in_at)}
    return Card(loan.item.title.title, word, when=loan.checked_in_at)


def hold_ended(hold: Hold) -> Card | None:
    if hold.state in OPEN_HOLD or hold.state == FULFILLED or hold.ended_at is None:
        return None
    word = _("Cancelled") if hold.state == CANCELLED else _("Not collected in time")
    return Card(hold.title.title, word, lines=[day(hold.ended_at)], when=hold.ended_at)


# --- sharing ------------------------------------------------------------------------------------------------------


def asked_for(ill: IllRequest, writes: bool) -> Card | None:
    """A request that circulation knows nothing of yet; None where it is over."""
    lender = {"library": ill.partner.name if ill.partner else ""}
    when = {"day": day(ill.state_since)}
    here = _("We will write to you when it is here.") if writes else ""
    word, lines = {
        "new": (_("Asked for"), [_("The library has your request since %(day)s.") % when]),
        "requested": (_("Asked for"), [_("Asked %(library)s.") % lender, here]),
        "will_supply": (_("Asked for"), [_("%(library)s will send it.") % lender, here]),
        "cancel_asked": (_("Being cancelled"), [_("%(library)s has been told.") % lender]),
        "unfilled": (_("Asked for"), [_("%(library)s cannot send it; the library looks elsewhere.") % lender]),
        "shipped": (_("On its way"), [_("Sent by %(library)s on %(day)s.") % (lender | when), here]),
        "received": (_("Here, nearly ready"), [_("It has come; the library is making it ready for you.")]),
        "copy_sent": (_("On its way"), [_("A copy was sent by %(library)s on %(day)s.") % (lender | when), here]),
    }.get(ill.state, ("", []))
    return Card(ill.title, word, "", [line for line in lines if line]) if word else None


def request_ended(ill: IllRequest) -> Card | None:
    """How a request ended that never became an item here."""
    words = {
        "cancelled": _("Cancelled"), "closed": _("Closed by the library"),
        "completed": _("Copy delivered") if ill.service == IllRequest.Service.COPY else _("Ended"),
    }  # fmt: skip
    if ill.state not in words:
        return None
    return Card(ill.title, words[ill.state], lines=[day(ill.state_since)], when=ill.state_since)


# --- words --------------------------------------------------------------------------------------------------------


def day(value: date | datetime) -> str:
    """`Tue 19 May`, in the zone of the patron's library (the current one)."""
    return str(local_date(value))


def why_not(reasons: Iterable[Reason]) -> str:
    """Why it cannot be renewed, in words for the patron: staff's reasons for a block stay with staff."""
    words = {
        "others_wait": _("It cannot be renewed: somebody else is waiting for it."),
        "no_more_renewals": _("It cannot be renewed any more."),
        "patron_blocked": _("It cannot be renewed while your account is blocked: please ask at the desk."),
        "patron_expired": _("It cannot be renewed because your card has expired: please ask at the desk."),
        "ask_the_lender": _("Its own library decides how long it may stay: to keep it longer, please ask us."),
        "not_on_loan": _("It has been returned already."),
    }
    return next((words[reason.code] for reason in reasons if reason.code in words), _("Please ask at the desk."))
