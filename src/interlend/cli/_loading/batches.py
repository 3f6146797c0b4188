"""Many records saved at once: `circulation.services.save_item` and `save_patron` for a whole batch, in one transaction.

Strategy: look up everything that a batch touches with one query a table, decide in memory, and write only what differs,
in bulk. Each record ends as if the service had saved it by itself (a test compares the two); what is unchanged is found
without a transaction, so that a load that is run again neither writes nor makes a desk wait.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, connection
from django.db.models import Model

from interlend.circulation import facts, words
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import AVAILABLE, WITHDRAWN
from interlend.circulation.models import Item, Patron, Title, TitleWord
from interlend.circulation.services import ItemRecord, PatronRecord
from interlend.cli._loading.report import CREATED, UNCHANGED, UPDATED, Reject
from interlend.libraries.desks import Desk
from interlend.outbox.services import written_down

Outcomes = list["str | Reject"]


def _differing(row: Model, given: Mapping[str, object], keep: Collection[str]) -> dict[str, object]:
    """What of `given` is not so in `row`; columns that the file does not have are kept as they are."""
    return {name: value for name, value in given.items() if name not in keep and getattr(row, name) != value}


def _set(row: Model, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


# --- items ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Copy:
    """One copy to save. `follows`: a copy of its record came before in the file and has settled what its title says."""

    record: ItemRecord
    follows: bool = False


@dataclass
class _ItemPlan:
    """What saving a batch of copies means: rows to make, rows to change, and the outcome of each copy."""

    outcomes: Outcomes = field(default_factory=list)
    new_titles: list[Title] = field(default_factory=list)
    changed_titles: dict[int, Title] = field(default_factory=dict)
    new_items: list[Item] = field(default_factory=list)
    changed_items: list[tuple[Item, list[str]]] = field(default_factory=list)

    @property
    def writes(self) -> bool:
        return bool(self.new_titles or self.changed_titles or self.new_items or self.changed_items)


def save_items(desk: Desk, copies: Sequence[Copy], now: datetime, *, keep: Collection[str] = ()) -> Outcomes:
    """Create or update items by barcode: "created", "updated", "unchanged", or the reject, in the order given.

    `keep` are fields of `ItemRecord` that the file does not have: existing rows keep theirs, new ones get the record's.
    """
    if not copies:
        return []
    plan = _plan_items(desk, copies, now, keep, lock=False)
    if not plan.writes:
        return plan.outcomes
    try:
        with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
            plan = _plan_items(desk, copies, now, keep, lock=True)
            _write_titles(plan)
            Item.objects.bulk_create(plan.new_items)
            for item, names in plan.changed_items:
                item.save(update_fields=names)
            for item in plan.new_items:
                entries.record(facts.ITEM_MADE, item=item.pk)
    except IntegrityError as clash:  # a desk made one of these at the same moment: take each by itself
        if len(copies) == 1:
            return [Reject(f"The database refused it: {clash}.")]
        return [outcome for copy in copies for outcome in save_items(desk, [copy], now, keep=keep)]
    return plan.outcomes


def _plan_items(desk: Desk, copies: Sequence[Copy], now: datetime, keep: Collection[str], *, lock: bool) -> _ItemPlan:
    items = Item.objects.filter(library_id=desk.library_id, barcode__in=[copy.record.barcode for copy in copies])
    living = items.exclude(state=WITHDRAWN).select_related("title")
    there = {item.barcode: item for item in (living.select_for_update(of=("self",)) if lock else living)}
    numbers = {copy.record.record_id for copy in copies if copy.record.record_id}
    titles = {t.record_id: t for t in Title.objects.filter(library_id=desk.library_id, record_id__in=numbers)}
    once = {title.pk: title for title in titles.values()}  # one object a row, however many copies share it
    for item in there.values():
        item.title = once.setdefault(item.title_id, item.title)
    plan = _ItemPlan()
    for copy in copies:
        plan.outcomes.append(_plan_item(desk.library_id, copy, there.get(copy.record.barcode), titles, now, keep, plan))
    return plan


def _plan_item(
    library_id: int, copy: Copy, item: Item | None, titles: dict[str, Title], now: datetime, keep: Collection[str],
    plan: _ItemPlan,
) -> str | Reject:  # fmt: skip
    record = copy.record
    if item is not None and item.temporary:
        owner = f", a temporary item for request {item.request}"
        return Reject(refuse("barcode_taken", barcode=record.barcode, title=item.title.title, owner=owner).sentence)
    title, title_changed = _plan_title(library_id, copy, item.title if item else None, titles, keep, plan)
    if item is None:
        item = Item(
            library_id=library_id, barcode=record.barcode, title=title, state=AVAILABLE, state_since=now, made_at=now,
            at_branch_id=record.home_branch_id, **record.item_fields,
        )  # fmt: skip
        plan.new_items.append(item)
        return CREATED
    changes = _differing(item, record.item_fields, keep) | ({"title": title} if item.title is not title else {})
    if changes:
        _set(item, changes)
        plan.changed_items.append((item, list(changes)))
    return UPDATED if changes or title_changed else UNCHANGED


def _plan_title(
    library_id: int, copy: Copy, current: Title | None, titles: dict[str, Title], keep: Collection[str], plan: _ItemPlan
) -> tuple[Title, bool]:
    """The title row of a copy, and whether the copy changes it: found by record number, else the copy's present one."""
    number = copy.record.record_id
    title = current
    if number:
        found = titles.get(number)
        title = found if found is not None and found.record_id == number else current
        if title is not None and title.record_id not in ("", number):
            title = None  # the copy has moved to another record
    if title is None:
        title = Title(library_id=library_id, **copy.record.title_fields)
        plan.new_titles.append(title)
        changed = True
    else:
        changes = {} if copy.follows else _differing(title, copy.record.title_fields, keep)
        _set(title, changes)
        changed = bool(changes)
        if changes and title.pk:
            plan.changed_titles[title.pk] = title
    if number:
        titles[number] = title
    return title, changed


def _write_titles(plan: _ItemPlan) -> None:
    Title.objects.bulk_create(plan.new_titles)
    for title in plan.changed_titles.values():
        title.save()
    TitleWord.objects.filter(title__in=list(plan.changed_titles)).delete()
    _write_words([*plan.new_titles, *plan.changed_titles.values()])


#: by hand, because words are the most rows by far: bulk_create would take half of a load's time over them
_INSERT_WORD = "INSERT INTO circulation_titleword (library_id, title_id, field, word) VALUES (%s, %s, %s, %s)"


def _write_words(titles: Sequence[Title]) -> None:
    """The search words of these titles, as `circulation.services.items.words_of` makes them."""
    rows = [
        (title.library_id, title.pk, kind, words.as_bytes(word))
        for title in titles
        for kind, text in (("t", title.title), ("a", title.author))
        for word in words.fold(text)
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT_WORD, rows)


# --- patrons ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """One patron to save, with the PIN as the file gives it ("" where it gives none)."""

    record: PatronRecord
    pin: str = ""


@dataclass
class _PatronPlan:
    outcomes: Outcomes = field(default_factory=list)
    new: list[tuple[Patron, list[str]]] = field(default_factory=list)
    changed: list[tuple[Patron, list[str]]] = field(default_factory=list)


def save_patrons(
    desk: Desk, readers: Sequence[Reader], now: datetime, *, keep: Collection[str] = (), check_pins: bool = False
) -> Outcomes:
    """Create or update patrons by barcode: "created", "updated", "unchanged", or the reject, in the order given.

    A PIN is hashed for patrons who have none yet; with `check_pins` also where it differs from the one they have.
    Hashing is slow on purpose, so it is done before the transaction: no desk waits for it.
    """
    if not readers:
        return []
    there = _patrons(desk, readers)
    hashes = {r.record.barcode: make_password(r.pin) for r in readers if _needs_pin(r, there, check_pins)}
    plan = _plan_patrons(desk, readers, there, hashes, keep)
    if not plan.new and not plan.changed:
        return plan.outcomes
    try:
        with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
            plan = _plan_patrons(desk, readers, _patrons(desk, readers, lock=True), hashes, keep)
            Patron.objects.bulk_create(patron for patron, _ in plan.new)
            for patron, names in plan.changed:
                patron.save(update_fields=names)
            for patron, names in [*plan.new, *plan.changed]:
                entries.record(facts.PATRON_SAVED, patron=patron.pk, fields=names)
    except IntegrityError as clash:
        if len(readers) == 1:
            return [Reject(f"The database refused it: {clash}.")]
        return [one for r in readers for one in save_patrons(desk, [r], now, keep=keep, check_pins=check_pins)]
    return plan.outcomes


def _patrons(desk: Desk, readers: Sequence[Reader], *, lock: bool = False) -> dict[str, Patron]:
    found = Patron.objects.filter(library_id=desk.library_id, barcode__in=[r.record.barcode for r in readers])
    return {patron.barcode: patron for patron in (found.select_for_update() if lock else found)}


def _needs_pin(reader: Reader, there: Mapping[str, Patron], check_pins: bool) -> bool:
    patron = there.get(reader.record.barcode)
    if not reader.pin:
        return False
    return patron is None or not patron.pin or (check_pins and not check_password(reader.pin, patron.pin))


def _plan_patrons(
    desk: Desk, readers: Sequence[Reader], there: Mapping[str, Patron], hashes: Mapping[str, str], keep: Collection[str]
) -> _PatronPlan:
    plan = _PatronPlan()
    for reader in readers:
        given = {f.name: getattr(reader.record, f.name) for f in fields(reader.record)}
        hashed = {"pin": hashes[reader.record.barcode]} if reader.record.barcode in hashes else {}
        patron = there.get(reader.record.barcode)
        if patron is None:
            says = _differing(Patron(), given, ())
            plan.new.append((Patron(library_id=desk.library_id, **given, **hashed), [*says, *hashed]))
            plan.outcomes.append(CREATED)
            continue
        changes = _differing(patron, given, keep) | hashed
        _set(patron, changes)
        if changes:
            plan.changed.append((patron, list(changes)))
        plan.outcomes.append(UPDATED if changes else UNCHANGED)
    return plan
