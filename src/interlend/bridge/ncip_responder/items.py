"""Items and their state: LookupItem, LookupItemSet, CreateItem, UpdateItem, DeleteItem.

Strategy: looking is open for every item of the library; changing only for temporary ones, because what a library owns
is described in its catalogue. A set is answered in pages, with a token that is the last key seen. Z39.83-1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from interlend import ncip
from interlend.bridge.ncip_responder import answers
from interlend.bridge.ncip_responder.asking import Ask, is_request_number
from interlend.bridge.ncip_responder.loans import piece_of
from interlend.bridge.ncip_responder.requests import hold_key
from interlend.circulation import services as circulation
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import ON_HOLD, ON_LOAN, OPEN_HOLD, OUT, WITHDRAWN
from interlend.circulation.models import Hold, Item, Loan, Title
from interlend.circulation.queries import (
    holds_of_item,
    item_by_barcode,
    open_loan,
    ready_hold_of_item,
    with_places,
)

MOST_ITEMS = 200  # in one page
MOST_NAMED = 1000  # in one question
_SET_NUMBER = "TITLE-"  # a holdings set whose title has no record number

# --- one item ---------------------------------------------------------------------------------------------------


def lookup_item(ask: Ask, message: ncip.LookupItem) -> ncip.Response:
    """One item: by barcode, by the request it serves, by its title where that has one copy.

    Who has it and who waits are told only when desired, each on its own; of the rest what is asked for by name, and
    everything where nothing is.
    """
    item = _one(ask, message)
    wanted = answers.asked(message.item_element_types) or answers.EVERYTHING
    loan = open_loan(item.pk) if item.state == ON_LOAN else None
    counted = "holdqueuelength" in wanted or message.current_requesters_desired
    holds = list(holds_of_item(item)) if counted else []
    ready = ready_hold_of_item(item) if item.state == ON_HOLD else None
    like = message.item_id if message.item_id and not is_request_number(message.item_id) else None
    return ncip.LookupItemResponse(
        header=ask.header(), item_id=ask.item_id(item.barcode, like),
        request_id=ask.request_id(item.request, message.request_id) if item.request else None,
        hold_pickup_date=ask.end_of(ready.shelf_until) if ready is not None and ready.shelf_until else None,
        date_recalled=ask.at(loan.recalled_at) if loan is not None and loan.recalled_at else None,
        item_transaction=_transaction(ask, message, loan, holds),
        item_optional_fields=answers.fields_of(ask, item, wanted, loan, len(holds)),
    )  # fmt: skip


def _one(ask: Ask, message: ncip.LookupItem) -> Item:
    said = message.item_id
    if said is not None and said.value.strip() and not is_request_number(said):
        item = item_by_barcode(ask.library_id, ask.barcode(said))
        if item is None or item.state == WITHDRAWN:
            raise refuse("unknown_item", barcode=said.value.strip())
        return item
    title = ask.envelope.stray("BibliographicId")
    if isinstance(title, ncip.BibliographicId) and message.request_id is None and said is None:
        return _only_copy(ask, title)
    number = said.value.strip() if said is not None and said.value.strip() else ask.number(message.request_id)
    living = with_places(Item.objects.filter(library_id=ask.library_id, request=number)).exclude(state=WITHDRAWN)
    item = living.order_by("-id").first() or _requested(ask, number)
    if item is None:
        raise refuse("unknown_item", barcode=number)
    return item


def _only_copy(ask: Ask, named: ncip.BibliographicId) -> Item:
    """The copy of a title that has one; several are a question for LookupItemSet."""
    copies = with_places(_Named.of(ask, (named,)).items(ask)).exclude(state=WITHDRAWN).order_by("id")[:2]
    if not copies:
        raise refuse("unknown_title", number=_number(named))
    if len(copies) > 1:
        detail = "This title has several copies; LookupItemSet tells them all. (SEVERAL_COPIES)"
        raise ask.no("Non-Unique Item", detail, "BibliographicId", _number(named)[:80])
    return copies[0]


def _requested(ask: Ask, number: str) -> Item | None:
    """The copy that a hold under this number has caught."""
    hold = circulation.find_request(ask.library_id, request=number, key=hold_key(number))
    if hold is None or hold.item_id is None:
        return None
    return with_places(Item.objects.filter(library_id=ask.library_id, pk=hold.item_id)).first()


def _transaction(
    ask: Ask, message: ncip.LookupItem | ncip.LookupItemSet, loan: Loan | None, holds: Sequence[Hold]
) -> ncip.ItemTransaction | None:
    """The borrower and those who wait, in the order of the queue, as far as each is desired and there."""
    borrower = ask.user_id(loan.patron) if message.current_borrower_desired and loan is not None else None
    waiting = tuple(ask.user_id(hold.patron) for hold in holds) if message.current_requesters_desired else ()
    return ncip.ItemTransaction(borrower, waiting) if borrower is not None or waiting else None


# --- many items -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Named:
    """What a message names: barcodes, or titles by record number, by number printed on them, by key."""

    barcodes: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()
    keys: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, ask: Ask, titles: Sequence[ncip.BibliographicId] = (), sets: Sequence[str] = (),
        item_ids: Sequence[ncip.ItemId] = (),
    ) -> _Named:  # fmt: skip
        records = [one.bibliographic_record_id.identifier.strip() for one in titles if one.bibliographic_record_id]
        printed = [_bare(one.bibliographic_item_id.identifier) for one in titles if one.bibliographic_item_id]
        keys = [key for one in sets if (key := _key_of_set(one)) is not None]
        records += [one.strip() for one in sets if _key_of_set(one) is None]
        barcodes = [one.value.strip() for one in item_ids]
        named = cls(_all(barcodes), _all(records), _all(printed), tuple(keys))
        if (count := named.count) > MOST_NAMED:
            detail = f"At most {MOST_NAMED} things can be asked for in one message."
            raise ask.no("Element Rule Violated", detail, ask.service, str(count))
        if not count:
            raise ask.needs("BibliographicId | HoldingsSetId | ItemId")
        return named

    @property
    def count(self) -> int:
        return len(self.barcodes) + len(self.records) + len(self.printed) + len(self.keys)

    def items(self, ask: Ask) -> QuerySet[Item]:
        items = Item.objects.filter(library_id=ask.library_id)
        if self.barcodes:
            return items.filter(barcode__in=self.barcodes)
        named = Q(record_id__in=self.records) | Q(isbn__in=self.printed) | Q(pk__in=self.keys)
        titles = Title.objects.filter(named, library_id=ask.library_id, temporary=False)
        return items.filter(title_id__in=titles.values("pk"))


def _all(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _bare(number: str) -> str:
    return number.replace("-", "").strip()


def _number(named: ncip.BibliographicId) -> str:
    record, printed = named.bibliographic_record_id, named.bibliographic_item_id
    return record.identifier.strip() if record is not None else printed.identifier.strip() if printed else ""


def _key_of_set(number: str) -> int | None:
    key = number.strip().removeprefix(_SET_NUMBER)
    return int(key) if key != number.strip() and key.isascii() and key.isdigit() and len(key) < 19 else None


def lookup_item_set(ask: Ask, message: ncip.LookupItemSet) -> ncip.Response:
    """All copies of the named titles, or the named items, in pages; a fixed number of queries a page.

    What is not here is told in its own place on the first page; where nothing is here, it is one problem.
    """
    named = _Named.of(ask, message.bibliographic_ids, message.holdings_set_ids, message.item_ids)
    size = min(max(message.maximum_items_count or MOST_ITEMS, 1), MOST_ITEMS)
    meant = named.items(ask).exclude(state=WITHDRAWN)
    found = with_places(meant).order_by("title_id", "id")
    if message.next_item_token:
        found = found.filter(_after(ask, message.next_item_token))
    rows = list(found[: size + 1])
    if not rows and not message.next_item_token:
        raise refuse("unknown_title", number=_first_number(message))
    page = _Page(ask, message, rows[:size])
    strangers = () if message.next_item_token else _not_here(message, meant)
    return ncip.LookupItemSetResponse(
        header=ask.header(), bib_information=(*page.titles(), *strangers),
        next_item_token=f"{rows[size - 1].title_id}-{rows[size - 1].pk}" if len(rows) > size else None,
    )  # fmt: skip


def _after(ask: Ask, token: str) -> Q:
    title, _, key = token.partition("-")
    if not (title.isascii() and title.isdigit() and key.isascii() and key.isdigit() and len(token) < 40):
        raise ask.no("Element Rule Violated", "This token was not given by this server.", "NextItemToken", token[:40])
    return Q(title_id__gt=int(title)) | Q(title_id=int(title), pk__gt=int(key))


def _first_number(message: ncip.LookupItemSet) -> str:
    words = [*map(_number, message.bibliographic_ids), *message.holdings_set_ids, *(i.value for i in message.item_ids)]
    return next(iter(words), "")


def _not_here(message: ncip.LookupItemSet, meant: QuerySet[Item]) -> Iterator[ncip.BibInformation]:
    """What was named and is not known: each item or title with a problem of its own. One query."""
    if message.item_ids:
        known = set(meant.values_list("barcode", flat=True))
        lost = [one for one in message.item_ids if one.value.strip() and one.value.strip() not in known]
        rows = tuple(ncip.ItemInformation(item_id=one, problems=(_unknown(one.value.strip()),)) for one in lost)
        if rows:
            yield ncip.BibInformation(holdings_sets=(ncip.HoldingsSet(item_information=rows),))
        return
    numbers = {number for pair in meant.values_list("title__record_id", "title__isbn").distinct() for number in pair}
    for one in message.bibliographic_ids:
        if _number(one) not in numbers and _bare(_number(one)) not in numbers:
            yield ncip.BibInformation(bibliographic_id=one, problems=(_unknown(_number(one)),))


def _unknown(number: str) -> ncip.Problem:
    detail = "Nothing of this library goes by this number. (UNKNOWN_ITEM)"
    return ncip.problem("Unknown Item", service="LookupItemSet", detail=detail, value=number[:80])


class _Page:
    """One page of items with what is told of them; loans and holds are one query each."""

    def __init__(self, ask: Ask, message: ncip.LookupItemSet, items: Sequence[Item]) -> None:
        self.ask, self.message, self.items = ask, message, items
        self.wanted = answers.asked(message.item_element_types) or answers.EVERYTHING
        loans = Loan.objects.filter(item_id__in=[item.pk for item in items], state=OUT).select_related("patron")
        self.loans = {loan.item_id: loan for loan in loans}
        queue = Hold.objects.filter(
            library_id=ask.library_id, title_id__in={item.title_id for item in items}, state__in=OPEN_HOLD
        )
        counted = "holdqueuelength" in self.wanted or message.current_requesters_desired
        self.holds: dict[int, list[Hold]] = defaultdict(list)
        for hold in queue.select_related("patron").order_by("rank", "placed_at", "id") if counted else ():
            self.holds[hold.title_id].append(hold)

    def titles(self) -> Iterator[ncip.BibInformation]:
        for title in dict.fromkeys(item.title for item in self.items):
            yield self._title(title, [item for item in self.items if item.title_id == title.pk])

    def _title(self, title: Title, items: Sequence[Item]) -> ncip.BibInformation:
        holds = self.holds[title.pk]
        any_copy = [hold for hold in holds if hold.level == Hold.Level.TITLE]
        return ncip.BibInformation(
            bibliographic_id=self._called(title),
            bibliographic_description=answers.description(self.ask, title)
            if "bibliographicdescription" in self.wanted else None,
            title_hold_queue_length=len(holds) if "holdqueuelength" in self.wanted else None,
            current_requesters=tuple(self.ask.user_id(hold.patron) for hold in any_copy)
            if self.message.current_requesters_desired else (),
            holdings_sets=(ncip.HoldingsSet(
                holdings_set_id=title.record_id or f"{_SET_NUMBER}{title.pk}",
                item_information=tuple(self._item(item, holds) for item in items),
            ),),
        )  # fmt: skip

    def _called(self, title: Title) -> ncip.BibliographicId | None:
        """The title as the message named it, else by its record number."""
        mine = {title.record_id, title.isbn} - {""}
        for one in self.message.bibliographic_ids:
            if _number(one) in mine or _bare(_number(one)) in mine:
                return one
        record = ncip.BibliographicRecordId(title.record_id, agency=self.ask.agency)
        return ncip.BibliographicId(bibliographic_record_id=record) if title.record_id else None

    def _item(self, item: Item, holds: Sequence[Hold]) -> ncip.ItemInformation:
        ask, loan = self.ask, self.loans.get(item.pk)
        on_it = [hold for hold in holds if hold.item_id == item.pk]
        queue = [hold for hold in holds if hold.item_id == item.pk or hold.level == Hold.Level.TITLE]
        fields = answers.fields_of(ask, item, self.wanted - {"bibliographicdescription"}, loan, len(queue))
        return ncip.ItemInformation(
            item_id=ask.item_id(item.barcode), request_ids=(ask.request_id(item.request),) if item.request else (),
            date_due=ask.end_of(loan.due_on) if loan is not None and "datedue" in self.wanted else None,
            date_recalled=ask.at(loan.recalled_at) if loan is not None and loan.recalled_at else None,
            item_transaction=_transaction(ask, self.message, loan, on_it), item_optional_fields=fields,
        )  # fmt: skip


# --- changing ---------------------------------------------------------------------------------------------------


def create_item(ask: Ask, message: ncip.CreateItem) -> ncip.Response:
    """A temporary item without a hold; for peers that do without AcceptItem."""
    if message.bibliographic_description is None:
        raise ask.needs("BibliographicDescription")
    barcode = ask.barcode(message.item_id, required=False)
    number = ask.number(message.request_id, required=False)
    if not (barcode or number):
        raise ask.needs("ItemId")
    as_accept = ncip.AcceptItem(
        item_id=message.item_id, request_id=message.request_id,
        item_optional_fields=ncip.ItemOptionalFields(
            bibliographic_description=message.bibliographic_description, item_description=message.item_description
        ),
    )  # fmt: skip
    item, _ = circulation.create_temporary_item(ask.desk, piece_of(ask, as_accept, number, ""), ask.now)
    return ncip.CreateItemResponse(header=ask.header(), item_id=ask.item_id(item.barcode, message.item_id))


def update_item(ask: Ask, message: ncip.UpdateItem) -> ncip.Response:
    """Title data, call number and volume of a temporary item: first delete, then add. It has nothing else to change."""
    barcode = ask.barcode(message.item_id)
    for verb, said in (("Delete", message.delete_item_fields), ("Add", message.add_item_fields)):
        if said is not None and (element := _out_of_place(said)):
            raise ask.no(f"Unable To {verb} Element", "Temporary items stand where the library's settings say, and of "
                         "their condition nothing is kept.", element)  # fmt: skip
    changes: dict[str, str] = {}
    if message.delete_item_fields is not None:
        changes |= {name: "" for name in _told(message.delete_item_fields) if name != "title"}
    if message.add_item_fields is not None:
        changes |= _told(message.add_item_fields)
    circulation.change_temporary_item(ask.desk, barcode, changes, ask.now)
    return ncip.UpdateItemResponse(header=ask.header(), item_id=ask.item_id(barcode, message.item_id))


def _out_of_place(said: ncip.ItemFields) -> str:
    """The first element that a temporary item has no room for, "" where there is none."""
    elements = {
        "ItemUseRestrictionType": said.item_use_restriction_types, "Location": said.locations,
        "PhysicalCondition": said.physical_condition, "SecurityMarker": said.security_marker,
        "SensitizationFlag": said.sensitization,
    }  # fmt: skip
    return next((element for element, value in elements.items() if value), "")


def _told(fields: ncip.ItemFields) -> dict[str, str]:
    about = fields.bibliographic_description or ncip.BibliographicDescription()
    copy = fields.item_description or ncip.ItemDescription()
    held = copy.holdings_information
    said = {
        "title": about.title, "author": about.author, "publisher": about.publisher, "edition": about.edition,
        "year": about.publication_date, "call_number": copy.call_number,
        "volume": held.unstructured_holdings_data if held is not None else None,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def delete_item(ask: Ask, message: ncip.DeleteItem) -> ncip.Response:
    """Remove a temporary item (B16); what is still out is taken back first."""
    barcode = ask.barcode(message.item_id)
    circulation.remove_temporary_item(ask.desk, barcode, ask.now)
    return ncip.DeleteItemResponse(header=ask.header(), item_id=ask.item_id(barcode, message.item_id))
