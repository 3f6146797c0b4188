"""What the sharing pages say: the chip of a state, the word of an action, a refusal as a row, a step in plain words.

Strategy: sentences are written here once, as data by trigger or verb, and filled when they are shown; rules stay in
the house. Every row says word, title, barcode, who, and what is still to do (pages.md, "A scan").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_
from django.utils.translation import ngettext

from interlend.circulation.words import fold
from interlend.libraries.policies import SHARE, may
from interlend.outbox.lifecycles import BY_HAND, DONE, ERRAND, FAILED, RUNNING, SKIPPED, UNKNOWN, WAITING
from interlend.outbox.models import Errand, Event
from interlend.outbox.queries import errands_of_request, events_of_request
from interlend.outbox.services import UNSETTLED
from interlend.sharing import facts
from interlend.sharing.errors import Refused
from interlend.sharing.lifecycles import LIFECYCLES
from interlend.sharing.models import IllRequest
from interlend.sharing.policies import BUTTONS, state_word
from interlend.web.circulation.words import moment
from interlend.web.templatetags.interlend_tags import local_date
from interlend.web.told import refusal, told

Row = dict[str, Any]

# --- states -----------------------------------------------------------------------------------------------------

_LOOK = {
    ("borrowing", "unfilled"), ("borrowing", "new"), ("borrowing", "copy_sent"),
    ("lending", "cancel_asked"), ("lending", "requested"),
}  # fmt: skip
_GOOD = {"received", "completed"}


def chip(ill: IllRequest) -> dict[str, str]:
    """The state as `status_chip.html` wants it."""
    at_desk = ill.at_desk_since is not None
    look = at_desk or (ill.side, ill.state) in _LOOK
    meaning = "look" if look else "good" if ill.state in _GOOD else "wait" if is_open(ill) else ""
    return {"meaning": meaning, "word": _(state_word(ill.state, at_desk))}


def is_open(ill: IllRequest) -> bool:
    table = LIFECYCLES[ill.side, ill.service]
    return ill.state not in table.final


def can(ill: IllRequest, trigger: str) -> bool:
    """Does the table allow it now?"""
    return LIFECYCLES[ill.side, ill.service].allows(ill.state, trigger)


def same_work(one: str, other: str) -> bool:
    """Do two titles look like the same work? Half the words of the shorter one in common is enough."""
    left, right = set(fold(one)), set(fold(other))
    return not left or not right or 2 * len(left & right) >= min(len(left), len(right))


# --- actions: what was done, what was not, what had been done before --------------------------------------------

#: trigger -> (done, not done, done before)
_WORDS = {
    "staff.send": (n_("Sent"), n_("Not sent"), n_("Already sent")),
    "staff.receive": (n_("Received"), n_("Not received"), n_("Already received")),
    "staff.return": (n_("Returned"), n_("Not returned"), n_("Already returned")),
    "staff.ship": (n_("Shipped"), n_("Not shipped"), n_("Already shipped")),
    "staff.complete": (n_("Completed"), n_("Not completed"), n_("Already completed")),
    "staff.will_supply": (n_("Will supply"), n_("Not answered"), n_("Already answered")),
    "staff.unfilled": (n_("Answered: not supplied"), n_("Not answered"), n_("Already answered")),
    "staff.send_copy": (n_("Copy sent"), n_("Copy not sent"), n_("Copy already sent")),
    "staff.deliver_copy": (n_("Copy delivered"), n_("Not delivered"), n_("Copy already delivered")),
    "staff.agree_cancel": (n_("Cancelled"), n_("Not cancelled"), n_("Already cancelled")),
    "staff.refuse_cancel": (n_("Will still supply"), n_("Not answered"), n_("Already answered")),
    "staff.send_back": (n_("Sent back"), n_("Not sent back"), n_("Already sent back")),
    "staff.cancel": (n_("Cancelled"), n_("Not cancelled"), n_("Already cancelled")),
    "staff.close": (n_("Closed"), n_("Not closed"), n_("Already closed")),
}


def done_word(trigger: str, ill: IllRequest | None = None) -> str:
    if ill is not None and trigger == "staff.cancel" and ill.state == "cancel_asked":
        return _("Asked to cancel")
    return _(_WORDS[trigger][0])


def not_done_word(trigger: str) -> str:
    return _(_WORDS[trigger][1])


def by_whom(ill: IllRequest) -> str:
    """The other library and the number: what a row says behind the barcode."""
    partner = ill.partner.name if ill.partner else ""
    of = _("from %(partner)s") if ill.side == IllRequest.Side.BORROWING else _("to %(partner)s")
    number = _("request %(number)s") % {"number": ill.number}
    return f"{of % {'partner': partner}} · {number}" if partner else number


# --- rows -------------------------------------------------------------------------------------------------------


def done_row(ill: IllRequest, trigger: str) -> Row:
    """The row of an action that was done; what circulation or the partner could not do stands below as an alert."""
    alerts = troubles(ill, trigger)
    row = _row_of(ill, "look" if alerts else "good", done_word(trigger, ill)) | {"alerts": alerts}
    row["kind"] = "trouble" if alerts else "done"
    if trigger in ("staff.return", "staff.send_back"):
        row |= {"slip_url": reverse("slip_return", args=[ill.pk]), "slip_label": _("Return slip")}
    elif trigger == "staff.ship":
        row |= {"slip_url": reverse("slip_bookband", args=[ill.pk]), "slip_label": _("Bookband")}
    return row


def _row_of(ill: IllRequest, meaning: str, word: str) -> Row:
    codes = [piece.barcode or piece.partner_barcode for piece in ill.pieces.all()]
    title = f"{ill.title} / {ill.author}" if ill.author else ill.title
    detail = [by_whom(ill)]
    if ill.patron_name and ill.state == "received":
        detail.append(_("for %(name)s") % {"name": ill.patron_name})
    if ill.due and ill.state in ("shipped", "received"):
        detail.append(_("due %(day)s") % {"day": local_date(ill.due)})
    return {
        "meaning": meaning, "word": word, "title": title, "url": reverse("ill_request", args=[ill.pk]),
        "barcode": ", ".join(filter(None, codes)), "detail": " · ".join(detail), "ill": ill.pk, "alerts": [],
    }  # fmt: skip


def already_row(ill: IllRequest, trigger: str) -> Row | None:
    """The answer to a double: when it was done and by whom. None if it never was."""
    before = done_before(ill, trigger)
    if before is None:
        return None
    who = {"word": _(_WORDS[trigger][2]), "when": moment(before.at), "who": before.actor or _("the system")}
    sentence = _("%(word)s %(when)s by %(who)s; nothing changed.") % who
    row = _row_of(ill, "look", _(_WORDS[trigger][2])) | {"state_word": chip(ill)["word"]}
    return row | {"alerts": [{"sentence": sentence}], "kind": "already"}


def done_before(ill: IllRequest, trigger: str) -> Event | None:
    """The last time that this trigger moved the request."""
    moved = events_of_request(ill.library_id, ill.number).filter(kind=facts.MOVED, data__trigger=trigger)
    return moved.first()


def refused_row(request: HttpRequest, no: Refused, trigger: str, ill: IllRequest | None, text: str) -> Row:
    """A *stop* row: what did not happen, why, who can mend it, and the next sensible thing."""
    links = (
        [(_("Open request %(number)s") % {"number": ill.number}, reverse("ill_request", args=[ill.pk]))] if ill else []
    )
    actions = other_actions(request, ill, trigger) if ill is not None and no.code == "not_possible" else []
    return stop_row(trigger, text, refusal(no), title=ill.title if ill else "", links=links, actions=actions)


def stop_row(
    trigger: str, text: str, sentence: str, *, title: str = "",
    links: Iterable[tuple[str, str]] = (), actions: Iterable[tuple[str, str, str]] = (),
) -> Row:  # fmt: skip
    alert = {"sentence": sentence, "links": list(links), "actions": list(actions)}
    return {
        "meaning": "stop", "word": not_done_word(trigger), "title": title, "barcode": text,
        "detail": "", "alerts": [alert], "kind": "stopped",
    }  # fmt: skip


def other_actions(request: HttpRequest, ill: IllRequest, trigger: str) -> list[tuple[str, str, str]]:
    """What the table does allow instead and needs nothing asked, for those who may."""
    if not may(getattr(request.user, "roles", ()), SHARE):
        return []
    allowed = LIFECYCLES[ill.side, ill.service].triggers(ill.state, "staff")
    buttons = [BUTTONS[name] for name in allowed if name != trigger and not BUTTONS[name].needs]
    return [(_(b.label), reverse("ill_action", args=[ill.pk, b.trigger]), "post") for b in buttons if not b.danger]


# --- steps towards circulation and partner ----------------------------------------------------------------------

#: errand -> (what it does, what it could not do); {partner} is the other library
STEPS = {
    "host.accept_item": (
        n_("Make the temporary item and the hold"), n_("circulation could not make the temporary item"),
    ),
    "host.check_out_item": (n_("Check it out to the institution account"), n_("circulation could not check it out")),
    "host.check_in_item": (n_("Check it in"), n_("circulation could not check it in")),
    "sharing.at_desk": (n_("Note that it is back at the desk"), n_("sharing could not note that it is back")),
    "notices.hold_ready": (n_("Write the pickup letter"), n_("the pickup letter could not be written")),
}  # fmt: skip
#: what a message to the partner says
TELLINGS = {
    "request": n_("ask for it"), "will_supply": n_("it will be supplied"), "unfilled": n_("it cannot be supplied"),
    "shipped": n_("it was shipped"), "received": n_("it was received"), "shipped_return": n_("it was sent back"),
    "completed": n_("it is back, all done"), "cancel": n_("we wish to cancel"), "cancelled": n_("agreed to cancel"),
    "cancel_refused": n_("too late to cancel"), "copy_sent": n_("the copy was sent"),
}  # fmt: skip

STEP_STATES = {
    WAITING: ("wait", n_("waiting")), RUNNING: ("wait", n_("running")), DONE: ("good", n_("done")),
    FAILED: ("stop", n_("failed")), UNKNOWN: ("unknown", n_("unknown")), BY_HAND: ("good", n_("done by hand")),
    SKIPPED: ("", n_("skipped")),
}  # fmt: skip


def step_name(errand: Errand, partner: str = "") -> str:
    """What this step does, as a title."""
    if errand.verb.startswith("partner."):
        verb = errand.verb.removeprefix("partner.")
        what = _(TELLINGS.get(verb, verb))
        return _("Tell %(partner)s: %(what)s") % {"partner": partner or errand.payload.get("to", ""), "what": what}
    return _(STEPS[errand.verb][0]) if errand.verb in STEPS else errand.verb


def step_trouble(errand: Errand, partner: str = "") -> str:
    """The clause behind "Received, but …"."""
    if errand.verb.startswith("partner."):
        who = partner or errand.payload.get("to", "")
        return _("%(partner)s could not be told") % {"partner": who}
    return _(STEPS[errand.verb][1]) if errand.verb in STEPS else errand.verb


def step_meaning(errand: Errand) -> dict[str, str]:
    meaning, word = STEP_STATES[errand.state]
    return {"meaning": meaning, "word": _(word)}


def what_now(errand: Errand) -> str:
    """The sentence of a step and who can mend it; passing trouble says that nobody need do anything."""
    if errand.state == WAITING and errand.sentence:
        return _("%(why)s It is tried again by itself.") % {"why": told(errand.sentence)}
    if errand.state == UNKNOWN:
        said = told(errand.sentence) or _("There was no answer.")
        return _("%(why)s Nobody knows yet whether it happened; it is looked up before anything is repeated.") % {
            "why": said
        }
    return f"{told(errand.sentence)} {told(errand.remedy)}".strip() if errand.sentence else ""


def step_detail(errand: Errand) -> str:
    """Why it is where it is: the trouble, the next try, or who settled it."""
    if errand.state in (BY_HAND, SKIPPED):
        return _("by %(who)s") % {"who": errand.settled_by} if errand.state == BY_HAND else told(errand.settled_by)
    if errand.state == DONE and (found := errand.result.get("found")):
        return told(found)
    said = what_now(errand)
    if errand.state == WAITING and errand.tries:
        tries = ngettext("Tried once; next try %(when)s.", "Tried %(n)d times; next try %(when)s.", errand.tries)
        tries %= {"n": errand.tries, "when": moment(errand.due_at)}
        return f"{said} {tries}".strip()
    return said


_SETTLING = {
    "staff.try_again": n_("Try again"), "staff.done_by_hand": n_("Done by hand"),
    "staff.skip": n_("Skip"),
}  # fmt: skip


def settling(errand: Errand, back: str = "") -> list[dict[str, Any]]:
    """The buttons of a step, asked of its table."""
    url = reverse("errand_action", args=[errand.pk])
    known = {"staff.skip": {"confirm": _("Skip this step for good?"), "confirm_word": _("Skip")}}
    return [
        {
            "label": _(_SETTLING[trigger]), "url": url, "method": "post", "main": trigger == "staff.try_again",
            "values": [("trigger", trigger), ("next", back)],
        }
        | known.get(trigger, {})
        for trigger in sorted(set(ERRAND.triggers(errand.state, "staff")), key=list(_SETTLING).index)
    ]  # fmt: skip


def troubles(ill: IllRequest, trigger: str = "") -> list[dict[str, Any]]:
    """What is still owed for this request and did not go well, as alerts. One query."""
    partner = ill.partner.name if ill.partner else ""
    owed = errands_of_request(ill.library_id, ill.number).filter(state__in=UNSETTLED)
    link = (_("Open request %(number)s") % {"number": ill.number}, reverse("ill_request", args=[ill.pk]))
    found = []
    for errand in owed:
        if not errand.sentence:
            continue
        so_far = done_word(trigger, ill) if trigger else step_name(errand, partner)
        sentence = _("%(done)s, but %(trouble)s: %(why)s") % {
            "done": so_far, "trouble": step_trouble(errand, partner), "why": what_now(errand),
        }  # fmt: skip
        found.append({"sentence": sentence, "links": [link]})
    return found
