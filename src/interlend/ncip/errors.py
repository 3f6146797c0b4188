"""The one exception of the codec: what could not be understood or may not be said, and whose fault it is.

Strategy: the error carries all that an answer needs (the standard's problem value, the service and the manner of the
message where they could still be told), so that the caller never has to look at bytes again. Z39.83-1, Problem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from interlend.ncip.parts import Header
    from interlend.ncip.style import Style

Whose = Literal["ours", "theirs"]


class ProtocolError(Exception):
    """A message that is no NCIP.

    `whose` is "theirs" when the sender broke the rules, "ours" when we were asked to write what no schema allows.
    `where` is a line of the document or a path of elements, `sentence` says in words what is wrong. `problem` is the
    standard's problem value to answer with. `service`, `header` and `style` are set when the document told them.
    """

    def __init__(
        self,
        whose: Whose,
        where: str,
        sentence: str,
        *,
        problem: str = "Invalid Message Syntax Error",
        service: str | None = None,
        header: Header | None = None,
        style: Style | None = None,
    ) -> None:
        super().__init__(whose, where, sentence)
        self.whose = whose
        self.where = where
        self.sentence = sentence
        self.problem = problem
        self.service = service
        self.header = header
        self.style = style

    def __str__(self) -> str:
        """One line for a log: place, sentence and whose fault it is."""
        return f"{self.where}: {self.sentence} ({self.whose})"
