"""Reads for pages: lists by state with counts, the query box, the work queues, one request with its time line."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from interlend.sharing.lifecycles import LIFECYCLES, RECEIVED, REQUESTED, RETURNED, SHIPPED, UNFILLED, WILL_SUPPLY
from interlend.sharing.models import IllRequest, Partner

#: queue -> what waits in it; each is a scan page of its own
QUEUES: dict[str, Q] = {
    "receive": Q(side="borrowing", state=SHIPPED),
    "return": Q(side="borrowing", state=RECEIVED, at_desk_since__isnull=False),
    "ship": Q(side="lending", state__in=(REQUESTED, WILL_SUPPLY), service="loan"),
    "complete": Q(side="lending", state=RETURNED) | Q(side="lending", at_desk_since__isnull=False),
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


def counts(library_id: int) -> dict[str, int]:
    """The numbers beside the queues on the left of every staff page, in one query."""
    mine = IllRequest.objects.filter(library_id=library_id)
    sums = {name: Count("id", filter=condition) for name, condition in QUEUES.items()}
    open_side = {
        side: Count("id", filter=Q(side=side) & ~Q(state__in=final_states(side))) for side in ("borrowing", "lending")
    }
    unfilled = {"unfilled": Count("id", filter=Q(side="borrowing", state=UNFILLED))}
    return mine.aggregate(**sums, **open_side, **unfilled)


def find(library_id: int, text: str) -> list[IllRequest]:
    """The query box: a request number finds open and closed requests, a barcode only open ones."""
    text = text.strip()
    if not text:
        return []
    mine = IllRequest.objects.filter(library_id=library_id).select_related("partner")
    by_number = list(mine.filter(number=text.upper())[:10])
    if by_number:
        return by_number
    final = set().union(*(table.final for table in LIFECYCLES.values()))
    pieces = Q(pieces__library_id=library_id) & (Q(pieces__barcode=text) | Q(pieces__partner_barcode=text))
    return list(mine.filter(pieces).exclude(state__in=final).distinct()[:10])


def find_one(library_id: int, text: str, side: str) -> IllRequest | None:
    """The one request of `side` that a scan means, if there is just one."""
    found = [ill for ill in find(library_id, text) if ill.side == side]
    return found[0] if len(found) == 1 else None


def request(library_id: int, ill_id: int) -> IllRequest | None:
    found = IllRequest.objects.filter(library_id=library_id, pk=ill_id)
    return found.select_related("partner", "library").prefetch_related("pieces").first()


def requests_of_patron(library_id: int, patron_barcode: str) -> QuerySet[IllRequest]:
    mine = IllRequest.objects.filter(library_id=library_id, patron_barcode=patron_barcode, side="borrowing")
    return mine.select_related("partner").order_by("-made_at")


def lenders(library_id: int) -> QuerySet[Partner]:
    return Partner.objects.filter(library_id=library_id, lends=True)
