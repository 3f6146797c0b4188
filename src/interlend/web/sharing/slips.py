"""Paper for parcels: the return slip and the bookband, 80 mm or A5. Never a patron: another library reads them."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import linebreaksbr
from django.utils.translation import gettext as _

from interlend.circulation.queries import items_with
from interlend.sharing import queries
from interlend.sharing.models import IllRequest, Piece
from interlend.web.circulation.words import day
from interlend.web.shell import own, staff_of, staff_page


@staff_page()
def slip_return(request: HttpRequest, pk: int) -> HttpResponse:
    """What goes into the parcel home: whose it is, where it goes, which request."""
    ill = _one(request, pk, IllRequest.Side.BORROWING)
    return render(request, "sharing/slips.html", {"slips": [_return(request, ill)]})


@staff_page()
def slip_bookband(request: HttpRequest, pk: int) -> HttpResponse:
    """Around each of our volumes that leaves: for whom, due when, where it comes back to."""
    ill = _one(request, pk, IllRequest.Side.LENDING)
    pieces: list[Piece | None] = list(ill.pieces.all()) or [None]
    return render(request, "sharing/slips.html", {"slips": [_bookband(request, ill, piece) for piece in pieces]})


def _one(request: HttpRequest, pk: int, side: str) -> IllRequest:
    ill: IllRequest = own(queries.request(staff_of(request).library_id, pk))
    if ill.side != side:
        raise Http404
    return ill


def _return(request: HttpRequest, ill: IllRequest) -> dict[str, Any]:
    partner = ill.partner
    codes = [piece.partner_barcode or piece.barcode for piece in ill.pieces.all()]
    return {
        "kind": _("Return to lender"), "big": partner.name if partner else "", "number": ill.number,
        "title": ill.title,
        "lines": [
            (_("Author"), ill.author), (_("Volume"), ill.volume), (_("Barcode"), ", ".join(filter(None, codes))),
            (_("Due"), day(ill.due)), (_("Send to"), linebreaksbr(partner.return_address) if partner else ""),
        ],
        "foot": _("From %(library)s") % {"library": staff_of(request).library.name},
    }  # fmt: skip


def _bookband(request: HttpRequest, ill: IllRequest, piece: Piece | None) -> dict[str, Any]:
    library = staff_of(request).library
    item = items_with(ill.library_id, [piece.barcode]).get(piece.barcode) if piece else None
    back = f"{library.name}\n{library.return_address}".strip()
    return {
        "kind": _("Interlibrary loan for"), "big": ill.partner.name if ill.partner else "", "number": ill.number,
        "title": ill.title, "barcode": piece.barcode if piece else "",
        "lines": [
            (_("Author"), ill.author), (_("Volume"), (piece.volume if piece else "") or ill.volume),
            (_("Call number"), item.call_number if item else ""), (_("Due back"), day(ill.due)),
        ],
        "foot": _("Please return to: %(back)s") % {"back": back},
    }  # fmt: skip
