"""Items and their state: LookupItem, LookupItemSet, CreateItem, UpdateItem, DeleteItem.

Strategy: looking is open for every item of the library; changing only for temporary ones, because what a library owns
is described in its catalogue. A set is answered in pages, with a token that is the last key seen. Z39.83-1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from interlend import ncip
from interlend.bridge.ncip_responder import answers
from interlend.bridge.ncip_responder.asking import Ask, is_request_number
from interlend.bridge.ncip_responder.loans import piece_of
from interlend.circulation import services as circulation
from interlend.circulation.errors import refuse
from interlend.circulation.lifecycles import ON_LOAN, OPEN_HOLD, OUT, WITHDRAWN
from interlend.circulation.models import Hold, Item, Loan, Title
from interlend.circulation.queries import holds_of_item, item_by_barcode, open_loan, with_places

MOST_ITEMS = 200

# --- looking ----------------------------------------------------------------------------------------------------


def lookup_item(ask: Ask, message: ncip.LookupItem) -> ncip.Response:
    """One item, by barcode or by the request it serves. Who has it and who waits, only when desired."""
    item = _one(ask, message)
    loan = open_loan(item.pk) if item.state == ON_LOAN else None
    holds = list(holds_of_item(item))
    wanted = answers.asked(message.item_element_types) or answers.EVERYTHING
    like = message.item_id if message.item_id and not is_request_number(message.item_id) else None
    return ncip.LookupItemResponse(
        header=ask.header(), item_id=ask.item_id(item.barcode, like),
        request_id=ask.request_id(item.request, message.request_id) if item.request else None,
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
    number = said.value.strip() if said is not None and said.value.strip() else ask.number(message.request_id)
    living = with_places(Item.objects.filter(library_id=ask.library_id, request=number)).exclude(state=WITHDRAWN)
    item = living.order_by("-id").first() or _requested(ask, number)
    if item is None:
        raise refuse("unknown_item", barcode=number)
    return item


def _requested(ask: Ask, number: str) -> Item | None:
    """The copy that a hold under this number has caught."""
    hold = circulation.find_request(ask.library_id, request=number)
    if hold is None or hold.item_id is None:
        return None
    return with_places(Item.objects.filter(library_id=ask.library_id, pk=hold.item_id)).first()


def _transaction(
    ask: Ask, message: ncip.LookupItem | ncip.LookupItemSet, loan: Loan | None, holds: Sequence[Hold]
) -> ncip.ItemTransaction | None:
    """The schema has room for the borrower or for those who wait, not for both: the borrower goes first."""
    if message.current_borrower_desired and loan is not None:
        return ncip.ItemTransaction(current_borrower=ask.user_id(loan.patron))
    if message.current_requesters_desired and holds:
        return ncip.ItemTransaction(current_requesters=tuple(ask.user_id(hold.patron) for hold in holds))
    return None


def lookup_item_set(ask: Ask, message: ncip.LookupItemSet) -> ncip.Response:
    """All copies of the named titles, or the named items, in pages; a fixed number of queries a page."""
    size = min(max(message.maximum_items_count or MOST_ITEMS, 1), MOST_ITEMS)
    found = with_places(_meant(ask, message).exclude(state=WITHDRAWN)).order_by("title_id", "id")
    if message.next_item_token:
        found = found.filter(_after(ask, message.next_item_token))
    page = list(found[: size + 1])
    more, page = len(page) > size, page[:size]
    loans = {
        loan.item_id: loan
        for loan in Loan.objects.filter(item_id__in=[item.pk for item in page], state=OUT).select_related("patron")
    }
    waiting: dict[int, int] = defaultdict(int)
    titles = {item.title_id for item in page}
    for title_id in Hold.objects.filter(
        library_id=ask.library_id, title_id__in=titles, state__in=OPEN_HOLD
    ).values_list("title_id", flat=True):
        waiting[title_id] += 1
    if not page and not message.next_item_token:
        raise refuse("unknown_title", number=_first_number(message))
    return ncip.LookupItemSetResponse(
        header=ask.header(), bib_information=tuple(_title(ask, message, page, title, loans, waiting) for title in
        dict.fromkeys(item.title for item in page)),
        next_item_token=f"{page[-1].title_id}-{page[-1].pk}" if more else None,
    )  # fmt: skip


def _meant(ask: Ask, message: ncip.LookupItemSet) -> QuerySet[Item]:
    barcodes = [item_id.value.strip() for item_id in message.item_ids if item_id.value.strip()]
    records = [one.bibliographic_record_id.identifier.strip() for one in message.bibliographic_ids
               if one.bibliographic_record_id is not None]  # fmt: skip
    isbns = [one.bibliographic_item_id.identifier.replace("-", "").strip() for one in message.bibliographic_ids
             if one.bibliographic_item_id is not None]  # fmt: skip
    records += [number.strip() for number in message.holdings_set_ids]
    if not (barcodes or records or isbns):
        raise ask.needs("BibliographicId | HoldingsSetId | ItemId")
    items = Item.objects.filter(library_id=ask.library_id)
    if barcodes:
        return items.filter(barcode__in=barcodes[:MOST_ITEMS])
    named = Q(record_id__in=[number for number in records if number]) | Q(isbn__in=[n for n in isbns if n])
    titles = Title.objects.filter(named, library_id=ask.library_id, temporary=False)
    return items.filter(title_id__in=titles.values("pk"))


def _after(ask: Ask, token: str) -> Q:
    title, _, key = token.partition("-")
    if not (title.isascii() and title.isdigit() and key.isascii() and key.isdigit()):
        raise ask.no("Element Rule Violated", "This token was not given by this server.", "NextItemToken", token[:40])
    return Q(title_id__gt=int(title)) | Q(title_id=int(title), pk__gt=int(key))


def _first_number(message: ncip.LookupItemSet) -> str:
    for one in message.bibliographic_ids:
        if one.bibliographic_record_id is not None:
            return one.bibliographic_record_id.identifier
        if one.bibliographic_item_id is not None:
            return one.bibliographic_item_id.identifier
    return next((item_id.value for item_id in message.item_ids), "")


def _title(
    ask: Ask, message: ncip.LookupItemSet, page: Sequence[Item], title: Title, loans: dict[int, Loan],
    waiting: dict[int, int],
) -> ncip.BibInformation:  # fmt: skip
    wanted = answers.asked(message.item_element_types) or answers.EVERYTHING
    rows = []
    for item in page:
        if item.title_id != title.pk:
            continue
        loan = loans.get(item.pk)
        fields = answers.fields_of(ask, item, wanted - {"bibliographicdescription"}, loan, waiting[title.pk])
        rows.append(ncip.ItemInformation(
            item_id=ask.item_id(item.barcode), date_due=ask.end_of(loan.due_on) if loan is not None else None,
            item_transaction=_transaction(ask, message, loan, ()), item_optional_fields=fields,
        ))  # fmt: skip
    record = ncip.BibliographicRecordId(title.record_id, agency=ask.agency)
    return ncip.BibInformation(
        bibliographic_id=ncip.BibliographicId(bibliographic_record_id=record) if title.record_id else None,
        bibliographic_description=answers.description(ask, title) if "bibliographicdescription" in wanted else None,
        title_hold_queue_length=waiting[title.pk],
        holdings_sets=(ncip.HoldingsSet(holdings_set_id=str(title.pk), item_information=tuple(rows)),),
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
    """Title data, call number and volume of a temporary item: first delete, then add."""
    barcode = ask.barcode(message.item_id)
    changes: dict[str, str] = {}
    if message.delete_item_fields is not None:
        changes |= {name: "" for name in _told(message.delete_item_fields) if name != "title"}
    if message.add_item_fields is not None:
        changes |= _told(message.add_item_fields)
    circulation.change_temporary_item(ask.desk, barcode, changes, ask.now)
    return ncip.UpdateItemResponse(header=ask.header(), item_id=ask.item_id(barcode, message.item_id))


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
