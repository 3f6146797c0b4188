"""Reads: what services decide on and what pages show. Every function takes the library; nothing scans a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.db.models import Count, Q, QuerySet, Sum

from interlend.circulation import words
from interlend.circulation.errors import Reason
from interlend.circulation.lifecycles import (
    AVAILABLE,
    DISPATCHED,
    IN_TRANSIT,
    OPEN_HOLD,
    OUT,
    PENDING,
    READY,
    WITHDRAWN,
)
from interlend.circulation.models import (
    Bill,
    CollectionTypePolicy,
    Hold,
    HoldPolicy,
    Item,
    Loan,
    LoanPolicy,
    LoanPolicyMap,
    Patron,
    Title,
    TitleWord,
)
from interlend.circulation.policies import (
    CollectionRule,
    LoanFacts,
    LoanRule,
    MapRow,
    PatronFacts,
    loan_rule,
    why_not_borrow,
    why_not_renew,
)
from interlend.libraries.models import Branch, PickupStatus
from interlend.outbox.prepared import Prepared

# --- policies as frozen records ---------------------------------------------------------------------------------


def loan_map(library_id: int) -> list[MapRow]:
    rows = LoanPolicyMap.objects.filter(library_id=library_id).select_related("policy").order_by("position", "id")
    return [
        MapRow(
            rule_of(row.policy), row.patron_type_id, row.holding_location_id, row.shelving_location_id,
            row.material_format,
        )
        for row in rows
    ]  # fmt: skip


def rule_of(policy: LoanPolicy) -> LoanRule:
    return LoanRule(
        policy.name, policy.circulates == LoanPolicy.Circulates.ALWAYS, policy.period, policy.unit,
        policy.include_closed_days, policy.renewals,
    )  # fmt: skip


def collection_rules(library_id: int) -> list[CollectionRule]:
    return [
        CollectionRule(row.name, row.available, row.fulfills_holds, row.holding_location_id, row.shelving_location_id)
        for row in CollectionTypePolicy.objects.filter(library_id=library_id)
    ]


def hold_policy(library_id: int) -> HoldPolicy:
    """The library's row, or one with the defaults where it has none yet."""
    return HoldPolicy.objects.filter(library_id=library_id).first() or HoldPolicy(library_id=library_id)


def patron_facts(patron: Patron, items_out: int = 0) -> PatronFacts:
    return PatronFacts(
        name=patron.full_name, blocked_since=patron.blocked_since, block_reason=patron.block_reason,
        expires_on=patron.expires_on, items_out=items_out, item_limit=patron.patron_type.item_limit,
        type_name=patron.patron_type.name,
    )  # fmt: skip


# --- one thing by what is printed on it -------------------------------------------------------------------------


def item_by_barcode(library_id: int, barcode: str) -> Item | None:
    """The living item with this barcode; a deleted one only where no living one has it."""
    found = with_places(Item.objects.filter(library_id=library_id, barcode=barcode.strip()))
    return min(found, key=lambda item: (item.state == WITHDRAWN, -item.pk)) if found else None


def with_places(items: QuerySet[Item]) -> QuerySet[Item]:
    return items.select_related(
        "title", "holding_location", "shelving_location", "home_branch", "at_branch", "going_to", "last_issued_to"
    )


def patron_by_barcode(library_id: int, barcode: str) -> Patron | None:
    return _patron_by_barcode.one(library_id, barcode.strip())


_patron_by_barcode = Prepared(
    lambda library_id, barcode: (
        Patron.objects.filter(library_id=library_id, barcode=barcode)
        .select_related("patron_type", "home_branch").order_by()
    ), int, str,
)  # fmt: skip


# --- one thing by its key, or None where it is another library's ------------------------------------------------


def one_patron(library_id: int, pk: int) -> Patron | None:
    patrons = Patron.objects.filter(library_id=library_id, pk=pk)
    return patrons.select_related("patron_type", "home_branch").first()


def one_item(library_id: int, pk: int) -> Item | None:
    return with_places(Item.objects.filter(library_id=library_id, pk=pk)).first()


def one_hold(library_id: int, pk: int) -> Hold | None:
    holds = Hold.objects.filter(library_id=library_id, pk=pk)
    return holds.select_related("title", "item__holding_location", "patron", "pickup_branch").first()


def holds_by_key(library_id: int, keys: Iterable[int]) -> dict[int, Hold]:
    holds = Hold.objects.filter(library_id=library_id, pk__in=set(keys))
    return {hold.pk: hold for hold in holds.select_related("title", "item", "patron", "pickup_branch")}


def items_by_key(library_id: int, keys: Iterable[int]) -> dict[int, Item]:
    return {item.pk: item for item in with_places(Item.objects.filter(library_id=library_id, pk__in=set(keys)))}


def one_loan(library_id: int, pk: int) -> Loan | None:
    return Loan.objects.filter(library_id=library_id, pk=pk).select_related("item__title", "patron").first()


# --- pickup places ----------------------------------------------------------------------------------------------


def pickup_branch(library_id: int, code: str) -> Branch | None:
    """A place where items may be collected, by its code."""
    places = Branch.objects.filter(library_id=library_id, code__iexact=code).exclude(pickup=PickupStatus.NEVER)
    return places.first()


def pickup_branches(library_id: int) -> QuerySet[Branch]:
    return Branch.objects.filter(library_id=library_id).exclude(pickup=PickupStatus.NEVER)


def items_with(library_id: int, barcodes: Iterable[str]) -> dict[str, Item]:
    """The living items among these barcodes, by barcode."""
    items = Item.objects.filter(library_id=library_id, barcode__in=[code for code in barcodes if code])
    return {item.barcode: item for item in items.exclude(state=WITHDRAWN).select_related("title")}


def loans_of_request(library_id: int, request: str) -> list[Loan]:
    """Every loan under one external request, the newest first."""
    loans = Loan.objects.filter(library_id=library_id, request=request).exclude(request="")
    return list(loans.select_related("item", "patron").order_by("-checked_out_at"))


def patrons_with(library_id: int, keys: Iterable[int]) -> dict[int, Patron]:
    """The patrons among these keys, by key."""
    return Patron.objects.filter(library_id=library_id).in_bulk(list(set(keys)))


# --- queues -----------------------------------------------------------------------------------------------------


def waiting_for(item: Item, today: date) -> list[Hold]:
    """The first open holds that `item` may fill, the next one first: on this item, or on any copy of its title."""
    return _waiting(item.library_id, item.pk, item.title_id, today)


def open_holds_on(item: Item, today: date) -> list[Hold]:
    """All open holds on this item or on any copy of its title, suspended ones too, the next one first."""
    return _open_holds(item.library_id, item.pk, item.title_id, today)


def _queue(library_id: int, item_id: int, title_id: int, today: date) -> QuerySet[Hold]:
    mine = Q(item_id=item_id) | Q(title_id=title_id, level=Hold.Level.TITLE, item__isnull=True)
    overdue = Q(state=PENDING, expires_on__lt=today)
    holds = Hold.objects.filter(mine, library_id=library_id, state__in=OPEN_HOLD)
    return holds.exclude(overdue).order_by("rank", "placed_at", "id")


_open_holds = Prepared(_queue, int, int, int, date)
_waiting = Prepared(
    lambda library_id, item_id, title_id, today: (
        _queue(library_id, item_id, title_id, today).exclude(_asleep(today))
        .select_related("patron", "pickup_branch")[:20]
    ), int, int, int, date,
)  # fmt: skip


def next_hold(holds: Iterable[Hold], item: Item) -> Hold | None:
    """A hold that already caught this item keeps it; otherwise the first of the queue."""
    queue = list(holds)
    caught = [hold for hold in queue if hold.item_id == item.pk and hold.state != PENDING]
    return next(iter(caught or queue), None)


def open_loan(item_id: int) -> Loan | None:
    return _open_loan.one(item_id)


_open_loan = Prepared(
    lambda item_id: Loan.objects.filter(item_id=item_id, state=OUT).select_related("patron").order_by(), int
)


def holds_of_item(item: Item) -> QuerySet[Hold]:
    """The queue as Item Details shows it: open holds on the item or on its title."""
    mine = Q(item_id=item.pk) | Q(title_id=item.title_id, level=Hold.Level.TITLE)
    open_holds = Hold.objects.filter(mine, library_id=item.library_id, state__in=OPEN_HOLD)
    return open_holds.select_related("patron", "pickup_branch").order_by("rank", "placed_at", "id")


def holds_of_patron(patron: Patron, *, open_only: bool = True) -> QuerySet[Hold]:
    holds = Hold.objects.filter(library_id=patron.library_id, patron=patron)
    if open_only:
        holds = holds.filter(state__in=OPEN_HOLD)
    return holds.select_related("title", "item", "pickup_branch").order_by("-ready_at", "placed_at")


def ready_places(patron: Patron) -> dict[str, int]:
    """Where something waits for this patron on the hold shelf: branch name -> how many."""
    ready = Hold.objects.filter(library_id=patron.library_id, patron=patron, state=READY)
    rows = ready.values("pickup_branch__name").annotate(n=Count("id")).order_by("pickup_branch__name")
    return {row["pickup_branch__name"]: row["n"] for row in rows}


def out_and_late(patron: Patron, today: date) -> tuple[int, int]:
    """How many items this patron has out, and how many of them are overdue. One query."""
    out = Loan.objects.filter(library_id=patron.library_id, patron=patron, state=OUT)
    counted = out.aggregate(out=Count("id"), late=Count("id", filter=Q(due_on__lt=today)))
    return counted["out"], counted["late"]


def bills_of_patron(patron: Patron) -> QuerySet[Bill]:
    """Every entry of the account, newest first."""
    return Bill.objects.filter(library_id=patron.library_id, patron=patron).order_by("-id")


def balances(patron: Patron) -> dict[str, int]:
    """Currency -> what is owed, in its smallest unit; empty where nothing was ever charged. One query."""
    bills = Bill.objects.filter(library_id=patron.library_id, patron=patron)
    rows = bills.values("currency").annotate(owed=Sum("amount")).order_by("currency")
    return {row["currency"]: row["owed"] for row in rows}


def ready_hold_of_item(item: Item) -> Hold | None:
    """The hold for which this item lies on the shelf."""
    holds = Hold.objects.filter(library_id=item.library_id, item=item, state=READY)
    return holds.select_related("title", "item", "patron", "pickup_branch").first()


def loans_of_patron(patron: Patron, *, open_only: bool = True) -> QuerySet[Loan]:
    loans = Loan.objects.filter(library_id=patron.library_id, patron=patron)
    if open_only:
        loans = loans.filter(state=OUT).order_by("due_on", "id")
    else:
        loans = loans.order_by("-checked_out_at")
    return loans.select_related("item__title", "item__shelving_location")


def renewal_refusals(patron: Patron, loans: Sequence[Loan], today: date) -> dict[int, list[Reason]]:
    """Loan key -> every reason against renewing it today, empty where it may be renewed. Two queries for all loans.

    `loans` are this patron's open ones, with `item__title`; the patron comes with its type.
    """
    rows, account = loan_map(patron.library_id), why_not_borrow(patron_facts(patron), today, count_limit=False)
    wanted = _wanted_by_others(patron, [loan.item for loan in loans], today)
    found = {}
    for loan in loans:
        item = loan.item
        rule = loan_rule(
            rows, patron.patron_type_id, item.holding_location_id, item.shelving_location_id, item.material_format
        )
        borrowed_from = (loan.partner_name or "another library") if item.temporary else ""
        known = LoanFacts(item.title.title, loan.due_on, loan.renewals, item.pk in wanted, borrowed_from, loan.request)
        found[loan.pk] = [*account, *why_not_renew(known, rule)]
    return found


def _wanted_by_others(patron: Patron, items: Sequence[Item], today: date) -> set[int]:
    """Keys of those `items` that somebody else waits for, by `waiting_for`'s rule."""
    any_copy = Q(title_id__in=[item.title_id for item in items], level=Hold.Level.TITLE, item__isnull=True)
    mine = Q(item_id__in=[item.pk for item in items]) | any_copy
    waiting = Hold.objects.filter(mine, library_id=patron.library_id, state__in=OPEN_HOLD).exclude(patron=patron)
    waiting = waiting.exclude(_asleep(today)).exclude(Q(state=PENDING, expires_on__lt=today))
    items_wanted: set[int] = set()
    titles_wanted: set[int] = set()
    for item_id, title_id in waiting.values_list("item_id", "title_id"):
        (items_wanted if item_id else titles_wanted).add(item_id or title_id)
    return {item.pk for item in items if item.pk in items_wanted or item.title_id in titles_wanted}


def hold_shelf(library_id: int, branch_id: int | None = None) -> QuerySet[Hold]:
    """What is ready for pickup, the longest on the shelf first."""
    holds = Hold.objects.filter(library_id=library_id, state=READY)
    if branch_id is not None:
        holds = holds.filter(pickup_branch_id=branch_id)
    return holds.select_related("title", "item", "patron", "pickup_branch").order_by("shelf_until", "ready_at")


def in_transit(library_id: int) -> QuerySet[Item]:
    items = Item.objects.filter(library_id=library_id, state__in=(IN_TRANSIT, DISPATCHED))
    return with_places(items).order_by("state_since")


def temporary_items(library_id: int) -> QuerySet[Item]:
    items = Item.objects.filter(library_id=library_id, temporary=True).exclude(state=WITHDRAWN)
    return with_places(items).order_by("-made_at")


def pull_list(library_id: int, branch_id: int | None, today: date) -> QuerySet[Hold]:
    """Pending holds that an available copy on our shelves can fill today; `copies_to_pull` says which copy."""
    available = _on_shelf(library_id, branch_id)
    this_item = Q(level=Hold.Level.ITEM, item__in=available.values("pk"))
    any_copy = Q(level=Hold.Level.TITLE, item__isnull=True, title__in=available.values("title_id"))
    holds = Hold.objects.filter(this_item | any_copy, library_id=library_id, state=PENDING)
    holds = holds.exclude(_asleep(today)).exclude(expires_on__lt=today)
    return holds.select_related("title", "item", "patron", "pickup_branch").order_by("rank", "placed_at", "id")


def copies_to_pull(library_id: int, branch_id: int | None, holds: Sequence[Hold]) -> dict[int, Item]:
    """Hold key -> the copy to fetch. A copy is promised once, so a hold may be left without one. One query."""
    titles = {hold.title_id for hold in holds}
    copies = list(with_places(_on_shelf(library_id, branch_id).filter(title__in=titles)).order_by("id"))
    wanted = {hold.item_id for hold in holds if hold.level == Hold.Level.ITEM}
    found: dict[int, Item] = {}
    for hold in holds:
        fits = (
            copy for copy in copies
            if (copy.pk == hold.item_id if hold.item_id else copy.title_id == hold.title_id and copy.pk not in wanted)
        )  # fmt: skip
        if (copy := next(fits, None)) is not None:
            found[hold.pk] = copy
            copies.remove(copy)
    return found


def _on_shelf(library_id: int, branch_id: int | None) -> QuerySet[Item]:
    available = Item.objects.filter(library_id=library_id, state=AVAILABLE)
    return available if branch_id is None else available.filter(home_branch_id=branch_id)


def _asleep(today: date) -> Q:
    """Holds that their patron has suspended for today."""
    return Q(suspended_from__lte=today) & (Q(suspended_to__gte=today) | Q(suspended_to__isnull=True))


# --- Discover Items ---------------------------------------------------------------------------------------------

MOST_FOUND = 50


def discover(library_id: int, text: str, *, temporary: bool, by: str = "any") -> list[Item]:
    """Items by barcode, title words or author words (prefixes count); at most `MOST_FOUND`, by title.

    `by` is any, barcode, title or author. `temporary` is the scope: the Temporary Items or my library's own.
    """
    text = text.strip()
    items = with_places(Item.objects.filter(library_id=library_id, temporary=temporary)).exclude(state=WITHDRAWN)
    if not text:
        return list(items.filter(temporary=True).order_by("-made_at")[:MOST_FOUND]) if temporary else []
    if by in ("any", "barcode"):
        exact = list(items.filter(Q(barcode=text) | Q(request=text.upper()))[:MOST_FOUND])
        if exact or by == "barcode":
            return exact
    titles = _titles_with(
        library_id, words.fold(text), {"title": ["t"], "author": ["a"]}.get(by, ["t", "a"]), temporary
    )
    return list(items.filter(title__in=titles).order_by("title__title", "id")[:MOST_FOUND]) if titles else []


def _titles_with(library_id: int, sought: Sequence[str], fields: list[str], temporary: bool) -> list[int]:
    """Keys of titles that have every sought word; the rarest word is not known, so the longest goes first."""
    if not sought:
        return []
    titles = Title.objects.filter(library_id=library_id, temporary=temporary)
    for word in sorted(sought, key=len, reverse=True):
        start, end = words.prefix_range(word)
        having = TitleWord.objects.filter(library_id=library_id, field__in=fields, word__gte=start, word__lt=end)
        titles = titles.filter(pk__in=having.values("title_id"))
    return list(titles.values_list("pk", flat=True)[: MOST_FOUND * 4])


def find_patrons(library_id: int, text: str) -> list[Patron]:
    """Patrons by barcode, or by the beginning of the surname (and given name after a comma)."""
    patrons = Patron.objects.filter(library_id=library_id).select_related("patron_type", "home_branch")
    exact = list(patrons.filter(barcode=text.strip())[:1])
    if exact or not text.strip():
        return exact
    surname, _, given = (part.strip() for part in text.partition(","))
    found = patrons.filter(surname__istartswith=surname)
    if given:
        found = found.filter(given_name__istartswith=given)
    return list(found[:MOST_FOUND])


def counts(library_id: int) -> dict[str, int]:
    """The numbers beside the queues on the left of every staff page."""
    return {
        "hold_shelf": Hold.objects.filter(library_id=library_id, state=READY).count(),
        "in_transit": Item.objects.filter(library_id=library_id, state__in=(IN_TRANSIT, DISPATCHED)).count(),
        "temporary_items": Item.objects.filter(library_id=library_id, temporary=True).exclude(state=WITHDRAWN).count(),
    }
