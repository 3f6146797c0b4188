"""Write it down, then tell: events and errands in the caller's transaction, first tries right after its commit.

A handler may run twice (a worker can die between doing and noting), so every handler bears that. Errands about one
subject run in order per party: a later one waits while an earlier one is unsettled. A claim is one conditional
update with a lease, alike on SQLite and PostgreSQL, so any number of workers may share a database.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from time import monotonic
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from interlend.outbox.errors import NoAnswer, Trouble
from interlend.outbox.lifecycles import DONE, ERRAND, FAILED, RUNNING, UNKNOWN, WAITING
from interlend.outbox.models import Errand, Event
from interlend.outbox.prepared import insert

log = logging.getLogger(__name__)

#: a handler takes the errand and the time, and returns what is worth keeping of the answer
Handler = Callable[[Errand, datetime], dict[str, Any] | None]

LEASE = timedelta(minutes=2)
#: seconds; a round that is shorter counts as a moment
LONG_ROUND = 5.0
PAUSES = tuple(timedelta(seconds=s) for s in (15, 60, 300, 900, 1800, 3600))
UNSETTLED = (WAITING, RUNNING, FAILED, UNKNOWN)

Done = TypeVar("Done")
_joined: ContextVar[bool] = ContextVar("joined", default=False)


@dataclass
class Entries:
    """What one transaction writes down: facts that happened, and debts they bring."""

    library_id: int
    now: datetime
    actor: str = ""
    place: str = ""
    events: list[Event] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)

    def record(
        self, kind: str, *, item: int | None = None, patron: int | None = None, request: str = "", **data: Any
    ) -> Event:
        """A fact. Whoever `wiring.HEARERS` lists for its kind is owed the news."""
        event = Event(
            library_id=self.library_id, kind=kind, at=self.now, actor=self.actor, place=self.place,
            item_key=item, patron_key=patron, request=request, data=data,
        )  # fmt: skip
        self.events.append(event)
        return event

    def owe(self, verb: str, *, party: str, subject: str, key: str, request: str = "", **payload: Any) -> Errand:
        """A debt. `key` is unique in the library: owing the same thing twice makes one errand."""
        errand = Errand(
            library_id=self.library_id, verb=verb, party=party, subject=subject, key=key, request=request,
            payload={"actor": self.actor, "request": request, **payload}, due_at=self.now, made_at=self.now,
        )  # fmt: skip
        self.errands.append(errand)
        return errand

    def save(self) -> None:
        insert(*self.events)
        for event in self.events:
            for verb in _wiring().HEARERS.get(event.kind, ()):
                self._owe_the_news(event, verb)
        if self.errands:
            Errand.objects.bulk_create(self.errands, ignore_conflicts=True)

    def _owe_the_news(self, event: Event, verb: str) -> None:
        keys = {"event": event.pk, "kind": event.kind, "item": event.item_key, "patron": event.patron_key}
        self.owe(
            verb, party=verb.split(".")[0], subject=f"event:{event.pk}", key=f"event:{event.pk}:{verb}",
            request=event.request, **keys, place=event.place, data=event.data,
        )  # fmt: skip


@contextmanager
def written_down(library_id: int, now: datetime, actor: str = "", place: str = "") -> Iterator[Entries]:
    """One transaction for state, events and errands; the errands get their first try after the outermost commit."""
    with transaction.atomic(savepoint=not _joined.get()):
        entries = Entries(library_id, now, actor, place)
        yield entries
        entries.save()
        keys = [errand.key for errand in entries.errands]
        if keys:
            transaction.on_commit(lambda: first_tries(library_id, keys, now))


@contextmanager
def one_commit() -> Iterator[None]:
    """A transaction that every `written_down` inside is a part of; what fails in one must leave this, undoing all."""
    with transaction.atomic():
        outer = _joined.set(True)
        try:
            yield
        finally:
            _joined.reset(outer)


def again_if_raced(work: Callable[[], Done]) -> Done:
    """Do `work`, and once more if somebody else wrote the same row between our look and our write.

    Inside `one_commit` that is up to whoever opened it, because everything there starts anew together.
    """
    try:
        return work()
    except IntegrityError:
        if _joined.get():
            raise
        return work()


def first_tries(library_id: int, keys: Sequence[str], now: datetime) -> None:
    """Run what was just written down, in the order it was written."""
    fresh = Errand.objects.filter(library_id=library_id, key__in=keys, state=WAITING, tries=0)
    for errand in list(fresh.order_by("id")):
        run(errand, now)


def run_due(now: datetime, limit: int = 100) -> int:
    """Run what is due, oldest first; returns how many this worker claimed. Called by the worker in a loop."""
    due = Errand.objects.filter(
        Q(state__in=(WAITING, UNKNOWN), due_at__lte=now) | Q(state=RUNNING, lease_until__lt=now)
    )
    # what waits behind an earlier errand is left out here, so that it never crowds out what could run
    due = due.filter(~Exists(_earlier())).order_by("id")
    started = monotonic()
    return sum(run(errand, now + _gone_by(started)) for errand in _by_turns(list(due[:limit])))


def _by_turns(due: list[Errand]) -> list[Errand]:
    """The oldest of each library and party, then the next of each: who waits for a slow one does not hold up others."""
    turns: Counter[tuple[int, str]] = Counter()
    placed = []
    for errand in due:
        placed.append((turns[errand.library_id, errand.party], errand.pk, errand))
        turns[errand.library_id, errand.party] += 1
    return [errand for *_, errand in sorted(placed, key=lambda place: place[:2])]


def _gone_by(started: float) -> timedelta:
    """How much time a round has taken so far: a lease begins when it is taken, not when the round began."""
    seconds = monotonic() - started
    return timedelta(seconds=seconds) if seconds > LONG_ROUND else timedelta(0)


def run(errand: Errand, now: datetime) -> bool:
    """Claim `errand` and hand it to its handler; False where somebody else has it or an earlier one is unsettled."""
    if not _claim(errand, now):
        return False
    try:
        result = _wiring().ERRANDS[errand.verb](errand, now)
    except NoAnswer as trouble:
        _settle(errand, "handler.no_answer", now, trouble=trouble, due_at=now + _pause(errand.tries))
    except Trouble as trouble:
        if trouble.lasting:
            _settle(errand, "handler.lasting_trouble", now, trouble=trouble)
        else:
            _settle(errand, "handler.passing_trouble", now, trouble=trouble, due_at=now + _pause(errand.tries))
    except Exception:
        log.exception("errand %s %s stumbled", errand.pk, errand.verb)
        bug = Trouble(
            "Interlend itself stumbled over this step; nothing else is affected.",
            code="bug", remedy=f"System administrator: see the log for errand {errand.pk}, then try again.",
        )  # fmt: skip
        _settle(errand, "handler.lasting_trouble", now, trouble=bug)
    else:
        _settle(errand, "handler.done", now, result=result or {})
    return True


def settle_by_staff(errand: Errand, trigger: str, now: datetime, actor: str) -> None:
    """`staff.try_again`, `staff.done_by_hand` or `staff.skip`; raises NoSuchMove where the table forbids it.

    After `try_again` it runs at once, and so do the errands that waited behind it.
    """
    becomes = ERRAND.move(errand.state, trigger).becomes
    with transaction.atomic():
        changed = Errand.objects.filter(pk=errand.pk, state=errand.state).update(
            state=becomes, due_at=now, settled_by=actor, settled_at=None if becomes == WAITING else now
        )
        if changed:
            transaction.on_commit(lambda: run_subject(errand.library_id, errand.subject, now))


def run_subject(library_id: int, subject: str, now: datetime) -> None:
    """Run whatever is waiting about one subject, in order (used when staff have just mended something)."""
    for errand in list(Errand.objects.filter(library_id=library_id, subject=subject, state=WAITING).order_by("id")):
        run(errand, now)


def forgo(library_id: int, subject: str, party: str, now: datetime, why: str) -> int:
    """Skip what is still owed to `party` about `subject`, because later work made it pointless; how many."""
    owed = Errand.objects.filter(library_id=library_id, subject=subject, party=party)
    return sum(
        owed.filter(state=state).update(state=ERRAND.move(state, "staff.skip").becomes, settled_at=now, settled_by=why)
        for state in (WAITING, FAILED, UNKNOWN)
    )


def _earlier() -> QuerySet[Errand]:
    """The unsettled errands before one, about the same subject and to the same party: it waits for them."""
    return Errand.objects.filter(
        library_id=OuterRef("library_id"), subject=OuterRef("subject"), party=OuterRef("party"),
        id__lt=OuterRef("id"), state__in=UNSETTLED,
    )  # fmt: skip


def _claim(errand: Errand, now: datetime) -> bool:
    free = Q(state__in=(WAITING, UNKNOWN)) | Q(state=RUNNING, lease_until__lt=now)
    claimed = (
        Errand.objects.filter(free, pk=errand.pk)
        .filter(~Exists(_earlier()))
        .update(state=RUNNING, lease_until=now + LEASE, tries=F("tries") + 1)
    )
    if claimed:
        errand.payload["look_first"] = errand.state == UNKNOWN
        errand.state, errand.tries = RUNNING, errand.tries + 1
    return bool(claimed)


def _settle(
    errand: Errand, trigger: str, now: datetime, *, trouble: Trouble | None = None, due_at: datetime | None = None,
    result: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    errand.state = ERRAND.move(RUNNING, trigger).becomes
    errand.code, errand.sentence, errand.remedy = (
        (trouble.code, trouble.sentence, trouble.remedy) if trouble else ("", "", "")
    )
    errand.result, errand.due_at = result or {}, due_at or errand.due_at
    errand.settled_at = now if errand.state == DONE else None
    Errand.objects.filter(pk=errand.pk, state=RUNNING).update(
        state=errand.state, code=errand.code, sentence=errand.sentence, remedy=errand.remedy, result=errand.result,
        due_at=errand.due_at, settled_at=errand.settled_at, lease_until=None,
    )  # fmt: skip


def _pause(tries: int) -> timedelta:
    return PAUSES[min(tries, len(PAUSES)) - 1]


def _wiring() -> Any:
    return import_module(settings.INTERLEND_WIRING)


__all__ = [
    "DONE", "FAILED", "UNSETTLED", "Entries", "Handler", "again_if_raced", "first_tries", "forgo", "one_commit", "run",
    "run_due", "run_subject", "settle_by_staff", "written_down",
]  # fmt: skip
