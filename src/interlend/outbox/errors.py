"""How an errand's handler says that it could not do its work. No Django: the ports of the houses build on this."""

from __future__ import annotations


class Trouble(Exception):
    """The errand was not done.

    `sentence` is plain and complete; `remedy` says who can mend it and how; `code` is stable, for tables and tests.
    `lasting` trouble waits for a person, passing trouble is tried again by itself.
    """

    def __init__(self, sentence: str, *, code: str = "trouble", remedy: str = "", lasting: bool = True) -> None:
        self.sentence, self.code, self.remedy, self.lasting = sentence, code, remedy, lasting
        super().__init__(sentence)


class NoAnswer(Trouble):
    """Nobody knows whether it happened: a time-out or a broken connection after the message had left."""

    def __init__(self, sentence: str, *, code: str = "no_answer", remedy: str = "") -> None:
        super().__init__(sentence, code=code, remedy=remedy, lasting=False)
