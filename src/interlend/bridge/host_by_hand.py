"""A library whose circulation nobody can reach: every step is shown to a person, who does it there and says so.

Strategy: each verb raises a lasting problem whose sentence tells exactly what to do; *done by hand* settles the errand.
"""

from __future__ import annotations

from datetime import date

from interlend.sharing.host import (
    AcceptItem,
    CheckInItem,
    CheckOutItem,
    HostProblem,
    ItemAccepted,
    ItemCheckedIn,
    ItemCheckedOut,
    LookupUser,
    User,
)

REMEDY = "Circulation desk: do it in your circulation system, then choose done by hand."


def by_hand(sentence: str) -> HostProblem:
    return HostProblem(sentence, code="by_hand", remedy=REMEDY)


def _written(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


class HostByHand:
    """Knows nobody and does nothing: a patron is taken at their word, the rest is asked of a person."""

    def lookup_user(self, ask: LookupUser) -> User:
        return User(ask.barcode, ask.barcode)

    def accept_item(self, ask: AcceptItem) -> ItemAccepted:
        due = f", due back {_written(ask.date_for_return)}" if ask.date_for_return else ""
        raise by_hand(
            f"Make a temporary item {ask.item} (“{ask.title}”, from {ask.lender_name or ask.lender_symbol}{due}) and a "
            f"hold on it for the patron {ask.user}, pickup at {ask.pickup_location or 'their home branch'}."
        )

    def check_out_item(self, ask: CheckOutItem) -> ItemCheckedOut:
        due = f", due {_written(ask.date_due)}" if ask.date_due else ""
        account = f" (account {ask.user})" if ask.user else ""
        name = ask.borrower_name or ask.borrower_symbol or ask.user
        raise by_hand(f"Check out {ask.item} to {name}{account}{due}.")

    def check_in_item(self, ask: CheckInItem) -> ItemCheckedIn:
        raise by_hand(f"Check in {ask.item} (request {ask.request}).")
