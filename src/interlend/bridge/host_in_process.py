"""Our own circulation house as a `HostCirculation`: the same services the desk calls, no message between."""

from __future__ import annotations

from datetime import datetime

from interlend.bridge.problems import as_host_problem
from interlend.circulation import services as circulation
from interlend.circulation.errors import Refused, refuse
from interlend.circulation.policies import why_not_borrow
from interlend.circulation.queries import patron_by_barcode, patron_facts
from interlend.libraries.desks import Desk
from interlend.sharing.host import (
    AcceptItem,
    CheckInItem,
    CheckOutItem,
    ItemAccepted,
    ItemCheckedIn,
    ItemCheckedOut,
    LookupUser,
    User,
)


class HostInProcess:
    """Acts for one library as `desk` at the moment `now`."""

    def __init__(self, desk: Desk, now: datetime) -> None:
        self.desk, self.now = desk, now

    def lookup_user(self, ask: LookupUser) -> User:
        with as_host_problem():
            patron = patron_by_barcode(self.desk.library_id, ask.barcode)
            if patron is None:
                raise refuse("unknown_patron", barcode=ask.barcode)
        against = why_not_borrow(patron_facts(patron), self.desk.today(self.now), count_limit=False)
        return User(
            barcode=patron.barcode, name=patron.short_name, patron_type=patron.patron_type.name, email=patron.email,
            home_branch=patron.home_branch.code if patron.home_branch else "",
            blocks=tuple(reason.sentence for reason in against),
        )  # fmt: skip

    def accept_item(self, ask: AcceptItem) -> ItemAccepted:
        piece = circulation.AcceptRequest(
            request=ask.request, patron_barcode=ask.user, barcode=ask.item, title=ask.title, author=ask.author,
            publisher=ask.publisher, year=ask.year, edition=ask.edition, call_number=ask.call_number,
            volume=ask.volume, material_format=ask.medium, partner_symbol=ask.lender_symbol,
            partner_name=ask.lender_name, lender_due=ask.date_for_return, pickup_code=ask.pickup_location,
        )  # fmt: skip
        with as_host_problem():
            accepted = circulation.accept_temporary_item(self.desk, piece, self.now)
        return ItemAccepted(ask.request, accepted.item.barcode)

    def check_out_item(self, ask: CheckOutItem) -> ItemCheckedOut:
        wish = circulation.LendRequest(
            request=ask.request, barcode=ask.item, account_barcode=ask.user, partner_symbol=ask.borrower_symbol,
            partner_name=ask.borrower_name, due=ask.date_due,
        )  # fmt: skip
        with as_host_problem():
            lent = circulation.lend(self.desk, wish, self.now)
        return ItemCheckedOut(ask.item, ask.user, lent.loan.due_on)

    def check_in_item(self, ask: CheckInItem) -> ItemCheckedIn:
        with as_host_problem():
            try:
                taken = circulation.take_back(self.desk, ask.request, ask.item, self.now)
            except Refused as no:
                if no.code == "unknown_item":  # it never came into circulation, or was deleted: the work is done
                    return ItemCheckedIn(ask.item, already=True)
                raise
        return ItemCheckedIn(ask.item, taken.already)
