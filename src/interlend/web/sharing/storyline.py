"""The two-lane time line of a request: sharing's events left, circulation's right, the steps between with their state.

Strategy: events are facts and tell the story; a step towards the partner rides on the move that owed it, a step
towards circulation stands by itself only where circulation's own events do not tell it already (another system's
circulation, a step that waits or failed). Letters and the messages of another system stand in circulation's lane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from interlend.bridge.models import Exchange
from interlend.circulation import facts as circulation_facts
from interlend.notices.models import Letter
from interlend.outbox.lifecycles import DONE
from interlend.outbox.models import Errand, Event
from interlend.sharing import facts
from interlend.sharing.models import IllRequest
from interlend.web.circulation.words import LETTER_KINDS, by, day, event_sentence, letter_status
from interlend.web.exchanges import words as said
from interlend.web.sharing import words
from interlend.web.told import fill, told

SHARING, CIRCULATION = "sharing", "circulation"
#: news for one another that the rest of the line tells anyway, once it is done
_QUIET_VERBS = ("sharing.", "notices.")


@dataclass
class Entry:
    """One line, as `timeline.html` draws it. `order` sorts lines of the same moment in the order they came about."""

    lane: str
    at: datetime
    sentence: str
    actor: str = ""
    detail: str = ""
    step: dict[str, str] | None = None
    url: str = ""
    order: tuple[int, int] = (0, 0)


def entries(
    ill: IllRequest, events: Sequence[Event], errands: Sequence[Errand], letters: Iterable[Letter],
    exchanges: Iterable[Exchange] = (),
) -> list[Entry]:  # fmt: skip
    """Everything that happened to the request, newest first."""
    partner = ill.partner.name if ill.partner else ""
    told = {errand.made_at: errand for errand in errands if errand.verb.startswith("partner.")}
    line = [_of_event(event, partner, told, ill) for event in events]
    told_here = {event.at for event in events if event.kind == facts.MOVED}
    circulated = {event.at for event in events if event.kind.startswith("circulation.")}
    for errand in errands:
        if errand.verb.startswith("partner.") and errand.made_at in told_here and told[errand.made_at] is errand:
            continue
        if errand.state == DONE and (errand.verb.startswith(_QUIET_VERBS) or errand.settled_at in circulated):
            continue
        line.append(_of_errand(errand, partner))
    line += [_of_letter(letter) for letter in letters]
    line += [_of_exchange(exchange) for exchange in exchanges]
    return sorted(line, key=lambda entry: (entry.at, entry.order), reverse=True)


# --- events -----------------------------------------------------------------------------------------------------


def _of_event(event: Event, partner: str, told: dict[datetime, Errand], ill: IllRequest) -> Entry:
    who = by(event)
    if event.kind.startswith("sharing."):
        entry = Entry(SHARING, event.at, sharing_sentence(event, partner), who, order=(1, event.pk))
        if event.kind == facts.MISSED:
            entry.step = {"meaning": "look", "word": _("out of turn; nothing was changed")}
        elif event.kind == facts.MOVED and event.at in told:
            _tell_of(entry, told[event.at])
        return entry
    event.data.setdefault("request", event.request)
    step = {"meaning": "good", "word": ""}
    back = (circulation_facts.TEMPORARY_ITEM_RETURNED, circulation_facts.LENT_ITEM_RETURNED)
    if event.kind in back and ill.at_desk_since is not None and event.at >= ill.at_desk_since:
        step = {"meaning": "look", "word": _("sharing has not finished it yet")}
    return Entry(CIRCULATION, event.at, event_sentence(event), who, step=step, order=(1, event.pk))


def _tell_of(entry: Entry, errand: Errand) -> None:
    """The partner's news rides on the move: a plain tick when told, the trouble otherwise."""
    step = words.step_meaning(errand)
    entry.step = step | {"word": ""}
    if errand.state != DONE:
        entry.step["word"] = _("not told yet: %(state)s") % {"state": step["word"]}
        entry.detail = words.step_detail(errand)


def sharing_sentence(event: Event, partner: str) -> str:
    """What happened, from the event's trigger and data; what is missing is left out, never an error."""
    if event.kind != facts.MOVED:
        sentence = str(event.data.get("sentence", ""))
        if event.kind == facts.NOTED:
            return _("Note: %(text)s") % {"text": sentence}
        if event.kind == facts.DUE_TOLD:
            return f"{told(sentence)}: {_iso_day(event.data.get('due'))}"
        return told(sentence) if sentence else event.kind.rpartition(".")[2].replace("_", " ").capitalize()
    trigger, reason = str(event.data.get("trigger", "")), str(event.data.get("reason") or "")
    due = _iso_day(event.data.get("due"))
    known = {
        "partner": str(event.data.get("partner") or partner or _("the other library")),
        "reason": f": {told(reason)}" if reason else "", "due": _(", due %(day)s") % {"day": due} if due else "",
    }  # fmt: skip
    template = facts.SENTENCES.get(trigger)
    return fill(template, known) if template else trigger


def _iso_day(value: Any) -> str:
    try:
        return day(date.fromisoformat(str(value)))
    except ValueError:
        return str(value or "")


# --- steps and letters ------------------------------------------------------------------------------------------


def _of_errand(errand: Errand, partner: str) -> Entry:
    lane = CIRCULATION if errand.verb.startswith(("host.", "notices.")) else SHARING
    at = errand.settled_at or errand.made_at
    return Entry(
        lane, at, words.step_name(errand, partner), errand.payload.get("actor", ""), words.step_detail(errand),
        words.step_meaning(errand), order=(1 if errand.settled_at else 2, errand.pk),
    )  # fmt: skip


def _of_letter(letter: Letter) -> Entry:
    status = letter_status(letter)
    at = letter.sent_at or letter.made_at
    kind = str(LETTER_KINDS.get(letter.kind, letter.kind.replace("_", " ").capitalize()))
    step = {"meaning": status.meaning if status.meaning != "plain" else "", "word": status.word}
    return Entry(CIRCULATION, at, kind, "", status.detail, step, reverse("notice", args=[letter.pk]), (3, letter.pk))


def _of_exchange(exchange: Exchange) -> Entry:
    """One message to or from circulation, with its outcome; the page behind it has both bodies."""
    ended = said.outcome(exchange)
    step = {"meaning": "" if ended.meaning == "good" else ended.meaning, "word": ended.word}
    url = reverse("exchange", args=[exchange.pk])
    sentence = f"{said.service(exchange)} {said.way(exchange)}"
    return Entry(CIRCULATION, exchange.at, sentence, "", ended.detail, step, url, (2, exchange.pk))
