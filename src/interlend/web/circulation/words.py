"""What circulation's rows are called on its pages: states, due dates with their why, letters, history.

Strategy: plain functions from rows to words; every word is translated here, dates are written in the library's zone
(the current one of the request). Follows pages.md, "Words", and workflow B9, B11, B17.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interlend.circulation import facts
from interlend.circulation.models import Hold, Item, Loan
from interlend.notices.models import Letter
from interlend.outbox.models import Event
from interlend.refusal import n_
from interlend.web.templatetags.interlend_tags import local_date, local_moment, local_time
from interlend.web.told import fill, told


@dataclass(frozen=True)
class Status:
    """A state for a chip and the sentence beside it."""

    meaning: str
    word: str
    detail: str = ""


def day(value: date | datetime | None) -> str:
    """`Tue 12 May`; nothing for no date."""
    return str(local_date(value)) if value else ""


def moment(value: datetime | None) -> str:
    """`today 09:41`; nothing for no moment."""
    return str(local_moment(value)) if value else ""


def clock(value: datetime) -> str:
    """`09:41`."""
    return str(local_time(value))


def join(*parts: str) -> str:
    """The parts that say something, with a dot between."""
    return " · ".join(part for part in parts if part)


# --- items ------------------------------------------------------------------------------------------------------

ITEM_STATES = {
    "recently_received": ("wait", gettext_lazy("Recently received")),
    "available": ("good", gettext_lazy("Available")),
    "unavailable": ("plain", gettext_lazy("Unavailable")),
    "in_transit": ("wait", gettext_lazy("In transit")),
    "dispatched": ("wait", gettext_lazy("Dispatched")),
    "on_hold": ("good", gettext_lazy("On hold shelf")),
    "on_loan": ("wait", gettext_lazy("On loan")),
    "missing": ("stop", gettext_lazy("Missing")),
    "withdrawn": ("stop", gettext_lazy("Deleted")),
}


def item_word(state: str) -> str:
    return str(ITEM_STATES[state][1])


def item_status(item: Item, loan: Loan | None = None, today: date | None = None) -> Status:
    """Status in words with since-when, and the due date of an item that is out."""
    meaning, word = ITEM_STATES[item.state]
    since = {"since": moment(item.state_since)}
    if loan is not None and item.state == "on_loan":
        late = today is not None and loan.due_on < today
        said = {"name": loan.patron.short_name, "due": day(loan.due_on)} | since
        detail = _("to %(name)s since %(since)s, due %(due)s") % said
        return Status("look", _("Overdue"), detail) if late else Status(meaning, str(word), detail)
    if item.going_to is not None:
        return Status(meaning, str(word), _("to %(place)s since %(since)s") % ({"place": item.going_to.name} | since))
    if item.state == "on_hold" and item.at_branch is not None:
        return Status(meaning, str(word), _("at %(place)s since %(since)s") % ({"place": item.at_branch.name} | since))
    return Status(meaning, str(word), _("since %(since)s") % since)


# --- holds ------------------------------------------------------------------------------------------------------


def hold_status(hold: Hold, today: date) -> Status:
    """Where a hold stands, as the patron's account shows it (B7, B9)."""
    place = {"place": hold.pickup_branch.name}
    if hold.state == "ready":
        until = day(hold.shelf_until)
        if hold.shelf_until is not None and hold.shelf_until < today:
            return Status("look", _("Shelf time over"), _("at %(place)s, until %(until)s") % (place | {"until": until}))
        detail = _("at %(place)s until %(until)s") % (place | {"until": until}) if until else place["place"]
        return Status("good", _("Ready for pickup"), detail)
    if hold.state == "in_transit":
        return Status("wait", _("In transit"), _("to %(place)s") % place)
    if hold.state == "pending":
        return _pending(hold, today)
    ended = {
        "fulfilled": _("Fulfilled"), "cancelled": _("Cancelled"), "expired": _("Expired"),
    }  # fmt: skip
    return Status("plain", ended[hold.state], moment(hold.ended_at))


def _pending(hold: Hold, today: date) -> Status:
    if hold.suspended_from and hold.suspended_from <= today and (not hold.suspended_to or hold.suspended_to >= today):
        until = {"day": day(hold.suspended_to)}
        return Status("wait", _("Suspended"), _("until %(day)s") % until if hold.suspended_to else "")
    if hold.expires_on is not None and hold.expires_on < today:
        return Status("look", _("Expired"), _("on %(day)s") % {"day": day(hold.expires_on)})
    return Status("wait", _("Waiting"), _("pickup at %(place)s") % {"place": hold.pickup_branch.name})


# --- due dates and their why (B11) ------------------------------------------------------------------------------


def due_sentences(reasons: Sequence[dict[str, Any]]) -> list[str]:
    """One sentence for each date that was considered, the deciding one first."""
    told = sorted(reasons, key=lambda reason: not reason.get("won"))
    return [_due_sentence(reason) for reason in told]


def due_line(due_on: date, reasons: Sequence[dict[str, Any]]) -> str:
    """`due Tue 12 May: the lender's date; your policy would have said Wed 26 May`."""
    said = "; ".join(due_sentences(reasons))
    known = {"day": day(due_on), "why": said}
    return _("due %(day)s: %(why)s") % known if said else _("due %(day)s") % known


def _due_sentence(reason: dict[str, Any]) -> str:
    rule, detail, won = reason.get("rule", ""), told(str(reason.get("detail", ""))), reason.get("won")
    known = {"day": _iso_day(reason.get("day")), "who": detail or _("staff")}
    if won and rule == "policy":
        return _("the loan policy %(name)s") % {"name": detail} if detail else _("the loan policy")
    decided = {
        "lender": _("the lender's date"), "requested": _("the date the request asks for"),
        "expiry": _("the patron's account ends then"), "staff": _("set by %(who)s") % known,
        "recalled": _("recalled by %(who)s") % known, "recall cancelled": _("recall cancelled by %(who)s") % known,
    }  # fmt: skip
    passed_over = {
        "policy": _("your policy would have said %(day)s") % known,
        "lender": _("the lender wants it by %(day)s") % known,
        "requested": _("the request asked for %(day)s") % known,
        "expiry": _("the patron's account ends %(day)s") % known,
        "staff": _("%(who)s had set %(day)s") % known,
        "recalled": _("a recall had asked for %(day)s") % known,
        "recall cancelled": _("before that %(day)s") % known,
    }
    said = (decided if won else passed_over).get(rule, known["day"])
    return f"{said} ({detail})" if detail and rule in ("lender", "requested", "expiry") else said


def _iso_day(text: object) -> str:
    try:
        return day(date.fromisoformat(str(text)))
    except ValueError:
        return str(text or "")


def money(amount: int, currency: str) -> str:
    """`7.50 EUR` of 750, as the history of the account has it."""
    return f"{amount / 100:.2f} {currency}"


# --- letters (B9) -----------------------------------------------------------------------------------------------


def letter_status(letter: Letter) -> Status:
    """Whether the notice goes, went, or why not."""
    why = told(letter.why)
    if letter.state == "waiting":
        return Status("wait", _("Mail goes at %(time)s") % {"time": clock(letter.due_at)}, why)
    found = {
        "sending": ("wait", _("Mail is going out")),
        "sent": ("good", _("Mail sent %(when)s") % {"when": moment(letter.sent_at)}),
        "printed": ("good", _("Notice printed %(when)s") % {"when": moment(letter.sent_at)}),
        "to_print": ("look", _("Notice to print")),
        "not_sent": ("plain", _("No notice")),
        "failed": ("stop", _("Mail failed")),
        "unknown": ("look", _("Mail may have gone")),
    }
    meaning, word = found.get(letter.state, ("plain", letter.get_state_display()))
    return Status(meaning, word, why)


def letter_line(letter: Letter | None) -> str:
    """`mail goes at 10:00`, for a scan's row."""
    if letter is None:
        return _("no notice written yet")
    status = letter_status(letter)
    word = status.word[:1].lower() + status.word[1:]
    return f"{word} ({status.detail})" if status.detail and letter.state != "to_print" else word


LETTER_KINDS = {"hold_pickup": gettext_lazy("Hold pickup"), "overdue": gettext_lazy("Overdue")}


# --- history ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Past:
    """One line of a history."""

    at: datetime
    sentence: str
    who: str
    url: str = ""


def event_sentence(event: Event) -> str:
    """What happened, from the event's kind and data; a word that is missing leaves a dash, never an error."""
    template = facts.SENTENCES.get(event.kind)
    if template is None:
        return told(str(event.data.get("sentence") or event.kind.rpartition(".")[2].replace("_", " ").capitalize()))
    return fill(template, {"request": event.request} | event.data)


#: who and where, when it was no person at a desk
_NOBODYS = {
    "by sharing": gettext_lazy("by sharing"), "by NCIP": gettext_lazy("by NCIP"),
    "circulation": gettext_lazy("circulation"), "the patron": gettext_lazy("the patron"),
    "site file": gettext_lazy("site file"),
}  # fmt: skip
_LOADED = n_("load of {file}")


def by(event: Event) -> str:
    """Who did it, and where."""
    return join(*(_name(name) for name in (event.actor, event.place)))


def _name(name: str) -> str:
    if name.startswith(_LOADED.format(file="")):
        return told(name)
    return str(_NOBODYS.get(name, name))


def past(events: Iterable[Event]) -> list[Past]:
    return [Past(event.at, event_sentence(event), by(event)) for event in events]
