"""What all messages share: a header, and for answers the problems; and which answer belongs to which message.

Strategy: three kinds of message, as in Z39.83-1: an initiation asks, a notification tells, a response answers either.
The classes themselves are grouped by noun in `users`, `loans`, `requests`, `items` and `agencies`.
"""

from __future__ import annotations

from dataclasses import dataclass

from interlend.ncip.parts import Header, Problem
from interlend.ncip.values import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Part):
    """Any message. `header` is missing where the peer left it out, which version 2 allows."""

    header: Header | None = None

    @property
    def service(self) -> str:
        """The name of the element that carries the message, such as `CheckOutItemResponse`."""
        return type(self).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class Initiation(Message):
    """A message that asks for something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Initiation):
    """A message that tells what has happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """An answer. When `problems` is not empty the answer is no, and the payload is not written."""

    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BareProblem(Response):
    """Problems that stand directly in NCIPMessage, for lack of a service to answer. Has no header on the wire."""

    @property
    def service(self) -> str:
        """Its element is Problem itself."""
        return "Problem"
