"""What sharing needs of a partner library: messages in the manner of ISO 18626, one frozen record each. No Django.

A message names the request by the requester's number, which both sides scan. No field can carry a patron.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from interlend.outbox.errors import NoAnswer, Trouble


class PartnerProblem(Trouble):
    """The partner refused or could not be reached."""


class PartnerUnknown(NoAnswer, PartnerProblem):
    """The partner did not answer: the message may or may not have arrived."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked for."""

    title: str
    author: str = ""
    publisher: str = ""
    year: str = ""
    edition: str = ""
    isbn: str = ""
    volume: str = ""
    pages: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """`verb` is the trigger's second half on the other side: request, shipped, received, completed…

    `to` and `sender` are agency symbols; `barcodes` the pieces in the parcel; `due` the lender's due date.
    """

    verb: str
    sender: str
    to: str
    number: str
    service: str = "loan"
    work: Work | None = None
    need_by: date | None = None
    due: date | None = None
    barcodes: tuple[str, ...] = ()
    reason: str = ""
    note: str = ""
    pickup: str = field(default="", metadata={"why": "the place the parcel goes to, never a person"})


class PartnerLink(Protocol):
    """A road to other libraries. `send` returns when the partner has the message; repeating it must do no harm."""

    def send(self, message: Message) -> None: ...
