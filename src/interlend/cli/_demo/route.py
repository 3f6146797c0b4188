"""What a newcomer reads when the demo is up: the address, the logins, and two minutes through both workflows.

Strategy: request numbers and barcodes are read from the demo's own rows, so what is printed can be typed; pages are
named by the words on them and by their addresses. Workflow B1-B15, L1-L5 in eight scans.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from interlend.circulation.models import Item
from interlend.cli._demo.scenes import SCENES
from interlend.libraries.models import Library
from interlend.libraries.policies import ROLES
from interlend.sharing.lifecycles import REQUESTED, SHIPPED
from interlend.sharing.models import IllRequest, Piece

PASSWORD, PIN = "interlend-demo", "1234"


@dataclass(frozen=True)
class Facts:
    """What the reader of the route types, and whether somebody has walked it already."""

    borrowing: str
    borrowed: str
    patron: str
    patron_name: str
    lending: str
    lent: str
    walked: bool


def route_facts() -> Facts:
    """The request numbers and barcodes of the first two scenes."""
    borrow, lend = SCENES[0], SCENES[1]
    mine = IllRequest.objects.filter(library__symbol=borrow.borrower, side="borrowing", title=borrow.title)
    theirs = IllRequest.objects.filter(library__symbol=lend.lender, side="lending", title=lend.title)
    coming, asked = mine.order_by("pk")[0], theirs.order_by("pk")[0]
    parcel = Piece.objects.get(request=coming, position=1)
    copy = Item.objects.filter(library__symbol=lend.lender, title__title=lend.title).order_by("barcode")[0]
    return Facts(
        coming.number, parcel.partner_barcode, coming.patron_barcode, coming.patron_name, asked.number, copy.barcode,
        walked=(coming.state, asked.state) != (SHIPPED, REQUESTED),
    )  # fmt: skip


def guide(address: str) -> str:
    """The whole text; `address` ends with a slash."""
    known = route_facts()

    def page(name: str) -> str:
        return address.rstrip("/") + reverse(name)

    again = "\n  (Somebody has been this way before: `make demo-fresh` begins anew.)" if known.walked else ""
    return f"""
Interlend's demo is at {address} (Ctrl-C stops it)

Sign in as alder.ROLE, brook.ROLE or cedar.ROLE; the password is always {PASSWORD}
{_logins()}

Two minutes through both sides of a loan:{again}
  Borrowing, at Alder University: sign in as alder.ill
   1  Receive           {page("receive")}
                        type {known.borrowing} and press Enter: the temporary item and the hold are made by themselves
   2  Check In          {page("check_in")}
                        type {known.borrowed}: it goes to the hold shelf; the letter leaves at the top of the hour
   3  the patron's page {page("my_sign_in")}?library=ALD   (in a private window)
                        {known.patron}, PIN {PIN}: {known.patron_name} sees that it is ready
   4  Assist Patrons    {page("assist_patrons")}
                        type {known.patron}, then {known.borrowed}: on loan, and why it is due when it is
   5  Check In          type {known.borrowed} again: back, with the prompt to update {known.borrowing}
   6  Return            {page("return_loans")}
                        type {known.borrowing}: it is on its way home to Brook
  Lending, at Brook Public Library: sign out, sign in as brook.ill
   7  Ship              {page("ship")}
                        type {known.lending}, then {known.lent}: checked out to Cedar College's account
   8  Complete          {page("complete")}
                        type {known.borrowing}: back on its shelf, and the request is closed at both libraries

Letters lie in the mail drawer, {page("mail_drawer")}; nothing is sent.
What went wrong and who can mend it: {page("needs_attention")}
"""


def _logins() -> str:
    libraries = ", ".join(f"{library.symbol} {library.name}" for library in Library.objects.order_by("symbol"))
    roles = ", ".join(f"{role} ({said})" for role, (said, _) in ROLES.items())
    return f"  roles: {roles}\n  libraries: {libraries}"
