"""Reads for pages: lists by state with counts, the query box, the work queues, one request with its time line."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Count, Q, QuerySet

from interlend.outbox.models import Event
from interlend.sharing import facts
from interlend.sharing.lifecycles import (
    CANCEL_ASKED,
    COPY_SENT,
    LIFECYCLES,
    NEW,
    RECEIVED,
    REQUESTED,
    RETURNED,
    SHIPPED,
    UNFILLED,
    WILL_SUPPLY,
)
from interlend.sharing.models import IllRequest, Partner, Piece


def over(prefix: str = "") -> Q:
    """True of requests that have ended, asked of the tables; `prefix` for a join ("requests__")."""
    ended = (
        Q(**{f"{prefix}side": side, f"{prefix}service": service, f"{prefix}state__in": table.final})
        for (side, service), table in LIFECYCLES.items()
    )
    return reduce(or_, ended)


#: queue -> what waits in it; each is a scan page of its own
QUEUES: dict[str, Q] = {
    "receive": Q(side="borrowing", state=SHIPPED),
    "return": Q(side="borrowing", state=RECEIVED, at_desk_since__isnull=False),
    "ship": Q(side="lending", state__in=(REQUESTED, WILL_SUPPLY), service="loan"),
    "complete": Q(side="lending", state=RETURNED) | Q(side="lending", at_desk_since__isnull=False),
}

#: what only a person can move on and no scan page shows: group -> what is in it
ATTENTION: dict[str, Q] = {
    "cancel_asked": Q(side="lending", state=CANCEL_ASKED),
    "unfilled": Q(side="borrowing", state=UNFILLED),
    "not_sent": Q(side="borrowing", state=NEW),
    "copies_to_send": Q(side="lending", state__in=(REQUESTED, WILL_SUPPLY), service="copy"),
    "copies_to_deliver": Q(side="borrowing", state=COPY_SENT),
}


def requests(library_id: int, side: str, state: str = "") -> QuerySet[IllRequest]:
    """One side's requests, newest first; only one state where it is given, "open" for all that are not final."""
    found = IllRequest.objects.filter(library_id=library_id, side=side).select_related("partner")
    if state == "open":
        found = found.exclude(state__in=final_states(side))
    elif state:
        found = found.filter(state=state)
    return found.order_by("-state_since", "-id")


def final_states(side: str) -> set[str]:
    return set(LIFECYCLES[side, "loan"].final)


def counts_by_state(library_id: int, side: str) -> dict[str, int]:
    rows = IllRequest.objects.filter(library_id=library_id, side=side).values("state").annotate(n=Count("id"))
    return {row["state"]: row["n"] for row in rows.order_by()}


def queue(library_id: int, name: str) -> QuerySet[IllRequest]:
    """The requests that wait for one scan page, the longest waiting first."""
    waiting = IllRequest.objects.filter(QUEUES[name], library_id=library_id)
    return waiting.select_related("partner").order_by("state_since")


def still_open(side: str) -> Q:
    """One side's open requests, said so that an index finds them however many are closed."""
    states = {state for (of, _), table in LIFECYCLES.items() if of == side for state in table.states}
    return Q(side=side, state__in=sorted(states - final_states(side)))


def counts(library_id: int) -> dict[str, int]:
    """The numbers beside the queues on the left of every staff page, in one query that reads open requests only."""
    sides = {side: still_open(side) for side in ("borrowing", "lending")}
    living = reduce(or_, sides.values()) | Q(at_desk_since__isnull=False)
    mine = IllRequest.objects.filter(living, library_id=library_id)
    sums = {name: Count("id", filter=condition) for name, condition in QUEUES.items()}
    open_side = {side: Count("id", filter=condition) for side, condition in sides.items()}
    attention = {"attention": Count("id", filter=reduce(or_, ATTENTION.values()))}
    return mine.aggregate(**sums, **open_side, **attention)


def find(library_id: int, text: str) -> list[IllRequest]:
    """The query box: a request number finds open and closed requests, a barcode only open ones."""
    text = text.strip()
    if not text:
        return []
    mine = IllRequest.objects.filter(library_id=library_id).select_related("partner")
    by_number = list(mine.filter(number=text.upper())[:10])
    if by_number:
        return by_number
    pieces = Q(pieces__library_id=library_id) & (Q(pieces__barcode=text) | Q(pieces__partner_barcode=text))
    return list(mine.filter(pieces).exclude(over()).distinct()[:10])


def find_one(library_id: int, text: str, side: str) -> IllRequest | None:
    """The one request of `side` that a scan means, if there is just one."""
    found = [ill for ill in find(library_id, text) if ill.side == side]
    return found[0] if len(found) == 1 else None


def expected(library_id: int, text: str, side: str) -> list[IllRequest]:
    """What a scan on a page of one side may mean: the request of that number, or the open ones with that barcode."""
    return [ill for ill in find(library_id, text) if ill.side == side]


def by_number(library_id: int, text: str, side: str) -> IllRequest | None:
    """The request of one side with exactly this number, open or not; a barcode is no number."""
    mine = IllRequest.objects.filter(library_id=library_id, side=side, number=text.strip().upper())
    return mine.select_related("partner").first()


def latest_with_barcode(library_id: int, barcode: str, side: str, *, open_only: bool = False) -> IllRequest | None:
    """The newest request of one side that had a piece with this barcode, closed ones too."""
    code = Q(pieces__barcode=barcode) | Q(pieces__partner_barcode=barcode)
    mine = IllRequest.objects.filter(code, library_id=library_id, side=side, pieces__library_id=library_id)
    if open_only:
        mine = mine.exclude(state__in=final_states(side))
    return mine.select_related("partner").prefetch_related("pieces").order_by("-state_since", "-id").first()


def waiting_for_title(library_id: int, title: str) -> list[IllRequest]:
    """Lending requests that wait to be shipped and ask for this title, the longest waiting first."""
    return list(queue(library_id, "ship").filter(title__iexact=title)[:5])


def request(library_id: int, ill_id: int) -> IllRequest | None:
    found = IllRequest.objects.filter(library_id=library_id, pk=ill_id)
    return found.select_related("partner", "library").prefetch_related("pieces").first()


def requests_of_patron(library_id: int, patron_barcode: str) -> QuerySet[IllRequest]:
    mine = IllRequest.objects.filter(library_id=library_id, patron_barcode=patron_barcode, side="borrowing")
    return mine.select_related("partner").order_by("-made_at")


def lenders(library_id: int) -> QuerySet[Partner]:
    return Partner.objects.filter(library_id=library_id, lends=True)


def attention(library_id: int, group: str) -> QuerySet[IllRequest]:
    """One group of what only a person can move on, the longest waiting first."""
    waiting = IllRequest.objects.filter(ATTENTION[group], library_id=library_id)
    return waiting.select_related("partner").order_by("state_since")


def back_at_desk(library_id: int) -> QuerySet[IllRequest]:
    """Circulation took it back, sharing has not been told by a person yet (B13, L9); either side."""
    waiting = IllRequest.objects.filter(library_id=library_id, at_desk_since__isnull=False)
    return waiting.select_related("partner").order_by("at_desk_since")


def missed(library_id: int) -> QuerySet[Event]:
    """Messages out of turn about requests that are still open, newest first."""
    living = still_open("borrowing") | still_open("lending")
    # asked first: with a list of numbers the index on them serves, with a subquery the database may read every event
    numbers = list(IllRequest.objects.filter(living, library_id=library_id).values_list("number", flat=True))
    return Event.objects.filter(library_id=library_id, kind=facts.MISSED, request__in=numbers).order_by("-id")


def partners(library_id: int) -> QuerySet[Partner]:
    """The directory, with the number of open requests of either side as `.open`."""
    of_each = Count("requests", filter=~over("requests__"))
    return Partner.objects.filter(library_id=library_id).annotate(open=of_each)


def partner(library_id: int, partner_id: int) -> Partner | None:
    return Partner.objects.filter(library_id=library_id, pk=partner_id).first()


def requests_with(partner: Partner) -> QuerySet[IllRequest]:
    """Open requests with one partner, either side, newest first."""
    mine = IllRequest.objects.filter(library_id=partner.library_id, partner=partner).exclude(over())
    return mine.select_related("partner").order_by("-state_since")


def some(library_id: int, keys: Iterable[object]) -> list[IllRequest]:
    """The requests with these keys, in no order."""
    mine = IllRequest.objects.filter(library_id=library_id, pk__in=[key for key in keys if isinstance(key, int)])
    return list(mine.select_related("partner"))


def barcodes_of(library_id: int, pieces: Iterable[object]) -> dict[int, str]:
    """The barcode of each of these pieces, by key."""
    mine = Piece.objects.filter(library_id=library_id, pk__in={key for key in pieces if isinstance(key, int)})
    return {key: own or theirs for key, own, theirs in mine.values_list("pk", "barcode", "partner_barcode")}


def with_numbers(library_id: int, numbers: Iterable[str]) -> list[IllRequest]:
    """The requests of either side with these numbers, in no order."""
    return list(IllRequest.objects.filter(library_id=library_id, number__in=set(numbers)).select_related("partner"))
