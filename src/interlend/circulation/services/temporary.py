"""Temporary items made, changed and removed by another system, where it does not hand over a piece with AcceptItem.

Strategy: only temporary items are open to messages; what the library owns is changed on its pages. Workflow B1, B16.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from interlend.circulation import facts
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import ITEM, WITHDRAWN
from interlend.circulation.models import Item, Title
from interlend.circulation.services.ill import AcceptRequest, accept_piece_only, take_back_piece
from interlend.circulation.services.items import index_words
from interlend.circulation.services.scan import locked_item, move_item
from interlend.libraries.desks import Desk
from interlend.lifecycle import NoSuchMove
from interlend.outbox.services import written_down

#: what a message may change: of the title, of the item; with the room each column has
TITLE_FIELDS: Final = {"title": 500, "author": 300, "publisher": 300, "year": 20, "edition": 200}
ITEM_FIELDS: Final = {"call_number": 120, "volume": 60, "material_format": 40, "note": 300}


def create_temporary_item(desk: Desk, piece: AcceptRequest, now: datetime) -> tuple[Item, bool]:
    """A temporary item without a hold; the second value says whether it was there already."""
    return accept_piece_only(desk, piece, now)


def change_temporary_item(desk: Desk, barcode: str, changes: Mapping[str, str], now: datetime) -> Item:
    """Write the named fields of `TITLE_FIELDS` and `ITEM_FIELDS`; what stays as it was is no change."""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = locked_item(desk, barcode)
        if not item.temporary:
            raise refuse("not_borrowed", title=item.title.title)
        of_title = _changed(item.title, changes, TITLE_FIELDS)
        of_item = _changed(item, changes, ITEM_FIELDS)
        if of_title:
            item.title.save(update_fields=of_title)
            index_words(item.title)
        if of_item:
            item.save(update_fields=of_item)
        if of_title or of_item:
            said = ", ".join(name.replace("_", " ") for name in (*of_title, *of_item))
            entries.record(facts.ITEM_CHANGED, item=item.pk, request=item.request, change=said)
    return item


def _changed(row: Title | Item, changes: Mapping[str, str], room: Mapping[str, int]) -> list[str]:
    names = [name for name in room if name in changes and getattr(row, name) != changes[name][: room[name]]]
    for name in names:
        setattr(row, name, changes[name][: room[name]])
    return names


def remove_temporary_item(desk: Desk, barcode: str, now: datetime) -> Item:
    """B16 by message: what is still on loan or waited for is taken back first, because the piece has left the house.

    An item that was removed before is answered like the first time.
    """
    gone = Item.objects.filter(library_id=desk.library_id, barcode=barcode, temporary=True).select_related("title")
    living = Item.objects.filter(library_id=desk.library_id, barcode=barcode).exclude(state=WITHDRAWN)
    if not living.exists() and (before := gone.order_by("-id").first()) is not None:
        return before
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        item = locked_item(desk, barcode)
        if not item.temporary:
            raise refuse("not_borrowed", title=item.title.title)
        if not ITEM.allows(item.state, "host.delete"):
            item = take_back_piece(desk, barcode, now).item or item
        try:
            move_item(item, "host.delete", now)
        except NoSuchMove as no:
            raise refuse("cannot_delete", title=item.title.title, state=item.get_state_display().lower()) from no
        entries.record(facts.ITEM_DELETED, item=item.pk, request=item.request, word=item.get_state_display())
    return item
