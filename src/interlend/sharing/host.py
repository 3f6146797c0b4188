"""What sharing needs of a circulation system: NCIP's verbs, one frozen record in, one out. No Django.

Whoever satisfies this may be in the same process, someone else's system reached by NCIP, or a person who does it by
hand. Every verb may be called twice with the same record and must then answer as the first time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from interlend.outbox.errors import NoAnswer, Trouble


class HostProblem(Trouble):
    """The host refused or failed. `lasting`: a person must mend something; otherwise it is tried again by itself."""


class HostUnknown(NoAnswer, HostProblem):
    """The host did not answer: it may or may not have done it. Look before doing it again."""


@dataclass(frozen=True, slots=True)
class LookupUser:
    """Who is this patron? (NCIP LookupUser, by barcode.)"""

    barcode: str


@dataclass(frozen=True, slots=True)
class User:
    """A patron as the host knows them. `blocks` are sentences; empty where the account is in order."""

    barcode: str
    name: str
    patron_type: str = ""
    email: str = ""
    home_branch: str = ""
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AcceptItem:
    """A piece has come for a patron: make a temporary item and a hold (B1). `date_for_return` is the lender's."""

    request: str
    user: str
    item: str
    title: str
    author: str = ""
    publisher: str = ""
    year: str = ""
    edition: str = ""
    call_number: str = ""
    volume: str = ""
    medium: str = "Book"
    lender_symbol: str = ""
    lender_name: str = ""
    date_for_return: date | None = None
    pickup_location: str = ""


@dataclass(frozen=True, slots=True)
class ItemAccepted:
    """The barcode under which the host made the temporary item."""

    request: str
    item: str


@dataclass(frozen=True, slots=True)
class CheckOutItem:
    """Our item has left for a borrower: check it out to that institution's account (L1).

    `user` is the account's barcode; empty where none is set, for some hosts know an institution by `borrower_symbol`.
    """

    request: str
    item: str
    user: str
    borrower_symbol: str = ""
    borrower_name: str = ""
    date_due: date | None = None


@dataclass(frozen=True, slots=True)
class ItemCheckedOut:
    """The due date that the host really set; it may differ from the one wished for."""

    item: str
    user: str
    date_due: date | None


@dataclass(frozen=True, slots=True)
class CheckInItem:
    """The request is over for this piece: check it in if the desk has not (B15, L5)."""

    request: str
    item: str


@dataclass(frozen=True, slots=True)
class ItemCheckedIn:
    """`already`: the desk had done it before."""

    item: str
    already: bool = False


class HostCirculation(Protocol):
    """A library's circulation system. Raises `HostProblem` or `HostUnknown`, nothing else."""

    def lookup_user(self, ask: LookupUser) -> User: ...

    def accept_item(self, ask: AcceptItem) -> ItemAccepted: ...

    def check_out_item(self, ask: CheckOutItem) -> ItemCheckedOut: ...

    def check_in_item(self, ask: CheckInItem) -> ItemCheckedIn: ...


@runtime_checkable
class LooksBack(Protocol):
    """A host that can be asked, after silence, whether a step happened.

    Returns the answer as it would have been, or None if it did not happen; raises like the other verbs.
    """

    def look(
        self, ask: AcceptItem | CheckOutItem | CheckInItem
    ) -> ItemAccepted | ItemCheckedOut | ItemCheckedIn | None: ...
