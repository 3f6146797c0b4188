"""What a peer's problem means to us: its words (never its schemes) to our reason, and who can mend it.

Strategy: one table of the words that real systems send, standard and not; unknown words are shown as they are.
Source: the reference on NCIP, sections 4.1 and 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from interlend.ncip.messages import Response
from interlend.ncip.parts import Problem
from interlend.ncip.values import folded
from interlend.sharing.host import HostProblem


@dataclass(frozen=True)
class Meaning:
    """`sentence` has places for host, user and item; `remedy` says who; `lasting` False is tried again by itself."""

    code: str
    sentence: str
    remedy: str
    lasting: bool = True


_PATRON = Meaning(
    "unknown_patron", "{host} does not know the patron {user}.",
    "ILL staff: correct the patron's barcode on the request.",
)  # fmt: skip
_ACCOUNT = Meaning(
    "no_account", "{host} does not know the account {user}.",
    "Administrator: correct the account's barcode under Partners, or add the account there.",
)  # fmt: skip
_BLOCKED = Meaning(
    "patron_blocked", "{host}: {user} is blocked or may not borrow this.",
    "Circulation desk: open the account in the circulation system and lift the block.",
)  # fmt: skip
_ITEM = Meaning(
    "unknown_item", "{host} has no item with the barcode {item}.", "Check the barcode, or add the item there."
)
_TAKEN = Meaning(
    "barcode_taken", "{host} cannot make the temporary item {item}; the barcode may be in use.",
    "ILL staff: receive it under another barcode (the request number will do).",
)  # fmt: skip
_NOT_LENT = Meaning(
    "not_lendable", "{host} does not lend the item {item} now.",
    "Circulation desk: look at the item in the circulation system; it may be on loan or on hold.",
)  # fmt: skip
_NEVER = Meaning("does_not_circulate", "{host}: the item {item} does not circulate.", "ILL staff: ship another copy.")
_PICKUP = Meaning(
    "unknown_pickup", "{host} did not accept the message: {detail}.",
    "Administrator: compare the pickup location codes and the dialect of this host.",
)  # fmt: skip
_SETTINGS = Meaning(
    "connection_settings", "{host} does not accept messages from us: {words}.",
    "Administrator: check agency ids, profile and secret of this host, with its operators.",
)  # fmt: skip
_NOT_UNDERSTOOD = Meaning(
    "not_understood", "{host} did not understand the message: {words}.",
    "Administrator: choose another dialect for this host, or show the message to its operators.",
)  # fmt: skip
_NOT_ALONE = Meaning(
    "which_item", "{host} cannot tell which item {item} is, or does not let us see it.",
    "Circulation desk: look for the barcode in the circulation system.",
)  # fmt: skip
_PASSING = Meaning(
    "host_busy", "{host} is busy or has a fault just now.", "Nobody: it is tried again by itself.", lasting=False
)

MEANINGS: dict[str, Meaning] = {
    "unknown user": _PATRON, "user unknown": _PATRON, "unkown user": _PATRON,
    "user authentication failed": _PATRON, "no user identifier provided": _PATRON, "non-unique user": _PATRON,
    "user blocked": _BLOCKED, "user ineligible to check out this item": _BLOCKED,
    "user ineligible to request this item": _BLOCKED, "user access denied": _BLOCKED,
    "maximum check outs exceeded": _BLOCKED,
    "unknown item": _ITEM, "unknown record": _ITEM,
    "cannot accept item": _TAKEN, "duplicate item": _TAKEN, "item barcode already exist": _TAKEN,
    "resource cannot be provided": _NOT_LENT, "check out not allowed - item has outstanding requests": _NOT_LENT,
    "check out not allowed - item is already checked out": _NOT_LENT,
    "item does not circulate": _NEVER,
    "element rule violated": _PICKUP, "needed data missing": _PICKUP, "pickup library invalid": _PICKUP,
    "pickup library not specified": _PICKUP, "invalid date": _PICKUP,
    "unknown agency": _SETTINGS, "unknown system": _SETTINGS, "agency authentication failed": _SETTINGS,
    "system authentication failed": _SETTINGS, "unauthorized service for agency": _SETTINGS,
    "unauthorized service for system": _SETTINGS, "unauthorized combination of element values for agency": _SETTINGS,
    "unauthorized combination of element values for system": _SETTINGS, "unknown service": _SETTINGS,
    "invalid message syntax error": _NOT_UNDERSTOOD, "protocol error": _NOT_UNDERSTOOD,
    "unknown element": _NOT_UNDERSTOOD, "unknown scheme": _NOT_UNDERSTOOD, "invalid amount": _NOT_UNDERSTOOD,
    "unknown value from known scheme": _NOT_UNDERSTOOD, "unsupported shipping address type": _NOT_UNDERSTOOD,
    "cannot guarantee restrictions on use": _NOT_LENT, "unknown request": _NOT_UNDERSTOOD,
    "item access denied": _NOT_ALONE, "non-unique item": _NOT_ALONE, "item not checked out": _NOT_LENT,
    "unsupported service": _SETTINGS, "service is not known": _SETTINGS, "unknown partner": _SETTINGS,
    "lookup user failed": _SETTINGS,
    "temporary processing failure": _PASSING, "patron record is busy": _PASSING, "unknown error": _PASSING,
}  # fmt: skip


def words_of(problem: Problem) -> tuple[str, ...]:
    """Everything a problem says, in small letters: its type, its detail (WMS puts a code there)."""
    said = (problem.type.value if problem.type else "", problem.detail or "")
    return tuple(word.strip().casefold() for word in said if word.strip())


def says(answer: Response, words: tuple[str, ...]) -> bool:
    """Whether every problem of the answer is one of `words`."""
    sought = {folded(word) for word in words}
    return bool(answer.problems) and all(any(folded(w) in sought for w in words_of(one)) for one in answer.problems)


_MEANT = {folded(word): meaning for word, meaning in MEANINGS.items()}

#: what free text must contain to mean something; asked in this order, where no whole text is known
PHRASES: tuple[tuple[str, Meaning], ...] = (
    ("did not find a user", _PATRON), ("fromagency", _SETTINGS), ("already checked out", _NOT_LENT),
    ("user is not known", _PATRON), ("item is not known", _ITEM), ("patron is blocked", _BLOCKED),
    ("user restricted", _BLOCKED), ("barcode must be unique", _TAKEN), ("pickup", _PICKUP),
)  # fmt: skip


def meaning_of(problem: Problem) -> Meaning | None:
    """By its type, else by its detail, else by a phrase in any of its texts; None for what nobody has heard yet."""
    words = words_of(problem)
    known = next((_MEANT[folded(word)] for word in words if folded(word) in _MEANT), None)
    if known is not None:
        return known
    text = " ".join((*words, (problem.value or "").casefold()))
    return next((meaning for phrase, meaning in PHRASES if phrase in text), None)


def as_problem(answer: Response, host: str, user: str, item: str) -> HostProblem:
    """The first problem of an answer in our words; the peer's own words are kept beside.

    Whoever is unknown where something is checked out is not a patron but the account of an institution.
    """
    problem = answer.problems[0]
    said = (problem.type.value if problem.type else "", problem.detail or "", problem.value or "")
    own = " - ".join(word for word in said if word).rstrip(".")
    known = {"host": host, "user": user, "item": item, "words": own, "detail": (problem.detail or own).rstrip(".")}
    meaning = meaning_of(problem)
    if meaning is _PATRON and answer.service == "CheckOutItemResponse":
        meaning = _ACCOUNT
    if meaning is None:
        return HostProblem(
            f"{host} refused: {own or 'it gave no reason'}.", code="refused_by_host",
            remedy="Circulation desk: look at the patron and the item in the circulation system.",
        )  # fmt: skip
    sentence = meaning.sentence.format(**known)
    if own and own.casefold() not in sentence.casefold():
        sentence += f" (It says: {own[:200]}.)"
    return HostProblem(sentence, code=meaning.code, remedy=meaning.remedy, lasting=meaning.lasting)
