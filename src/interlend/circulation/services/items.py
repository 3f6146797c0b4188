"""Items and their titles: saved from forms and loads, changed, deleted, restored, marked missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from interlend.circulation import facts, words
from interlend.circulation.errors import Refused, refuse
from interlend.circulation.lifecycles import AVAILABLE, ITEM, WITHDRAWN
from interlend.circulation.models import Item, Title, TitleWord
from interlend.libraries.desks import Desk
from interlend.lifecycle import NoSuchMove
from interlend.outbox.services import written_down

#: the columns of a title and how much of a text each holds; a longer one is cut, as on a catalogue card
_LONGEST = {
    "title": 500, "author": 300, "publisher": 300, "year": 20, "edition": 200, "isbn": 20, "language": 10,
    "record_id": 60,
}  # fmt: skip


#: what `change_item` may write: on the title, where every copy of it follows, and on the item
TITLE_FIELDS: Final = tuple(name for name in _LONGEST if name != "record_id")
ITEM_FIELDS: Final = (
    "call_number", "volume", "material_format", "holding_location_id", "shelving_location_id", "home_branch_id", "note",
)  # fmt: skip


@dataclass(frozen=True)
class ItemRecord:
    """One copy as a load or a form gives it; keys of rows are already looked up.

    `record_id` groups copies under one title; without one, every barcode has a title of its own.
    """

    barcode: str
    title: str
    holding_location_id: int
    shelving_location_id: int
    home_branch_id: int
    author: str = ""
    publisher: str = ""
    year: str = ""
    edition: str = ""
    isbn: str = ""
    language: str = ""
    record_id: str = ""
    call_number: str = ""
    volume: str = ""
    material_format: str = "Book"
    note: str = ""

    @property
    def title_fields(self) -> dict[str, str]:
        return {name: getattr(self, name)[:longest] for name, longest in _LONGEST.items()}

    @property
    def item_fields(self) -> dict[str, object]:
        names = (
            "holding_location_id", "shelving_location_id", "home_branch_id", "call_number", "volume",
            "material_format", "note",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def save_item(desk: Desk, record: ItemRecord, now: datetime) -> tuple[Item, str]:
    """Create or update by barcode; returns the item and "created", "updated" or "unchanged".

    A barcode that belongs to a temporary item is refused: somebody else's book must not become ours by a load.
    """
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        living = Item.objects.select_related("title").exclude(state=WITHDRAWN)
        item = living.filter(library_id=desk.library_id, barcode=record.barcode).first()
        if item is not None and item.temporary:
            owner = f", a temporary item for request {item.request}"
            raise refuse("barcode_taken", barcode=record.barcode, title=item.title.title, owner=owner)
        if item is None:
            title, _ = _save_title(desk.library_id, record, None)
            item = Item(
                library_id=desk.library_id, barcode=record.barcode, title=title, state=AVAILABLE, state_since=now,
                made_at=now, at_branch_id=record.home_branch_id, **record.item_fields,
            )  # fmt: skip
            item.save()
            entries.record(facts.ITEM_MADE, item=item.pk)
            return item, "created"
        title, title_changed = _save_title(desk.library_id, record, item.title)
        changed = title_changed or item.title_id != title.pk
        for name, value in record.item_fields.items():
            changed = changed or getattr(item, name) != value
            setattr(item, name, value)
        if not changed:
            return item, "unchanged"
        item.title = title
        item.save()
        return item, "updated"


def _save_title(library_id: int, record: ItemRecord, current: Title | None) -> tuple[Title, bool]:
    title = current
    if record.record_id:
        title = Title.objects.filter(library_id=library_id, record_id=record.record_id).first() or current
        if title is not None and title.record_id not in ("", record.record_id):
            title = None  # the copy has moved to another record
    title = title or Title(library_id=library_id)
    given = record.title_fields
    if title.pk and all(getattr(title, name) == value for name, value in given.items()):
        return title, False
    for name, value in given.items():
        setattr(title, name, value)
    title.save()
    index_words(title)
    return title, True


def index_words(title: Title) -> None:
    """Make the search words of a title anew."""
    TitleWord.objects.filter(title=title).delete()
    TitleWord.objects.bulk_create(words_of(title))


def words_of(title: Title) -> list[TitleWord]:
    return [
        TitleWord(library_id=title.library_id, title=title, field=field, word=words.as_bytes(word))
        for field, text in (("t", title.title), ("a", title.author))
        for word in words.fold(text)
    ]


def why_not_changed(item: Item) -> Refused | None:
    """A borrowed item is described by its lender and its request; a deleted one is kept as it was."""
    if item.temporary:
        partner = item.partner_name or item.partner_symbol or "another library"
        return refuse("not_ours", title=item.title.title, partner=partner, request=item.request)
    return refuse("item_withdrawn", title=item.title.title) if item.state == WITHDRAWN else None


def change_item(desk: Desk, item_id: int, changes: Mapping[str, Any], now: datetime) -> Item:
    """Write the named columns of `TITLE_FIELDS` and `ITEM_FIELDS` of an item of our own; its history tells which.

    What stays as it was is no change. The event keeps what stood there before. A title's columns are those of all
    its copies. Refuses what `why_not_changed` says; keys of places are the caller's to check.
    """
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        items = Item.objects.select_for_update(of=("self",)).select_related("title")
        item = items.get(library_id=desk.library_id, pk=item_id)
        if no := why_not_changed(item):
            raise no
        given = {name: str(changes[name])[: _LONGEST[name]] for name in TITLE_FIELDS if name in changes}
        of_title = _set(item.title, given)
        of_item = _set(item, {name: changes[name] for name in ITEM_FIELDS if name in changes})
        if of_title:
            item.title.save(update_fields=list(of_title))
            index_words(item.title)
        if of_item:
            item.save(update_fields=list(of_item))
        if before := of_title | of_item:
            said = ", ".join(name.removesuffix("_id").replace("_", " ") for name in before)
            entries.record(facts.ITEM_EDITED, item=item.pk, change=said, before=before)
    return item


def _set(row: Title | Item, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write the values on the row; name -> what stood there before, of those that differ."""
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    for name in before:
        setattr(row, name, values[name])
    return before


def delete_item(desk: Desk, item_id: int, now: datetime) -> Item:
    """B16: the record stays readable, the barcode is free at once."""
    return _staff_move(desk, item_id, "staff.delete", facts.ITEM_DELETED, now)


def restore_item(desk: Desk, item_id: int, now: datetime) -> Item:
    return _staff_move(desk, item_id, "staff.restore", facts.ITEM_RESTORED, now)


def mark_missing(desk: Desk, item_id: int, now: datetime) -> Item:
    return _staff_move(desk, item_id, "staff.mark_missing", facts.MARKED_MISSING, now)


def _staff_move(desk: Desk, item_id: int, trigger: str, kind: str, now: datetime) -> Item:
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        items = Item.objects.select_for_update(of=("self",)).select_related("title")
        item = items.get(library_id=desk.library_id, pk=item_id)
        if trigger == "staff.restore" and _barcode_in_use(item):
            raise refuse("barcode_taken", barcode=item.barcode, title=item.title.title, owner="")
        try:
            item.state = ITEM.move(item.state, trigger).becomes
        except NoSuchMove as no:
            raise refuse("cannot_delete", title=item.title.title, state=item.get_state_display().lower()) from no
        item.state_since = now
        item.save(update_fields=["state", "state_since"])
        word = item.get_state_display()
        entries.record(kind, item=item.pk, request=item.request, word=word)
    return item


def _barcode_in_use(item: Item) -> bool:
    others = Item.objects.filter(library_id=item.library_id, barcode=item.barcode).exclude(state=WITHDRAWN)
    return others.exclude(pk=item.pk).exists()
