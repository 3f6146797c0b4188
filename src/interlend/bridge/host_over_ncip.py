"""Somebody else's circulation as a `HostCirculation`: the port's verbs as NCIP messages, in the peer's dialect.

Strategy: a verb builds one message, sends it, and reads the answer by its words. What cannot have happened is tried
again; what may have happened is *unknown*, and before any repeat the peer is asked whether it did (`look`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from interlend import ncip
from interlend.bridge.answers import as_problem, says, words_of
from interlend.bridge.dialects import Agency, Dialect
from interlend.bridge.transport import HURRIED, PATIENT, Heard, Line, NoReply, NotSent, exchange
from interlend.libraries.desks import Desk
from interlend.ncip.messages import Response
from interlend.sharing.host import (
    AcceptItem,
    CheckInItem,
    CheckOutItem,
    HostProblem,
    HostUnknown,
    ItemAccepted,
    ItemCheckedIn,
    ItemCheckedOut,
    LookupUser,
    User,
)

LOOK_BY_HAND = "look_by_hand"
LOOKED_UP: Final = "Nobody knows yet whether it happened; it is looked up before anything is repeated."
BY_ITSELF: Final = "It is tried again by itself."
#: seconds for all that is said in one step: well below an errand's lease, after which another worker would take it
LONGEST: Final = 80.0
Answer = TypeVar("Answer", bound=Response)
#: what real systems put into the status of an account that may not borrow
BLOCKED_WORDS = ("blocked", "barred", "expired", "restricted", "n")
NOT_THERE = ("unknown item", "unknown_item", "unknown record")
#: states of an item that is back; one that waits for a patron may never have been told of
AT_REST = (
    "Available On Shelf",
    "Available",
    "Checked In",
    "Waiting To Be Reshelved",
    "In Transit Between Library Locations",
)
NO_REQUEST = ("unknown request", "unknown_request")
#: answers to a look which mean that this peer cannot be asked
NOT_OFFERED = (
    "unsupported service", "service is not known", "unauthorized service for agency", "unauthorized service for system",
)  # fmt: skip


@dataclass(frozen=True)
class Peer:
    """One library's circulation system as its settings describe it. `name` is what staff call it."""

    name: str
    line: Line
    dialect: Dialect
    from_agency: str
    to_agency: str
    profile: str = ""
    agency_secret: str = ""


@dataclass(frozen=True)
class Kept:
    """One exchange as it went: what was sent, what came, how long it took, what was made of it."""

    service: str
    request: str
    item: str
    sent: bytes
    received: bytes
    seconds: float
    outcome: str


@dataclass(frozen=True)
class Seen:
    """What a look has told. `done` None: the step was not done."""

    done: ItemAccepted | ItemCheckedOut | ItemCheckedIn | None


class HostOverNcip:
    """Speaks to `peer` for `desk` at the moment `now`; `keep` is given every exchange, good or bad.

    `heard` counts the answers in NCIP, `version` is the last one's; `ahead`: by how much the peer's clock is ahead.
    """

    heard = 0
    version: ncip.Version | None = None
    ahead: timedelta | None = None

    def __init__(
        self, peer: Peer, desk: Desk, now: datetime, *, hurried: bool = False,
        keep: Callable[[Kept], object] | None = None,
    ) -> None:  # fmt: skip
        self.peer, self.desk, self.now, self.keep = peer, desk, now, keep
        self.wait = HURRIED if hurried else PATIENT
        self.dialect = peer.dialect
        self._until = None if hurried else monotonic() + LONGEST

    # --- the port -------------------------------------------------------------------------------------------------

    def lookup_user(self, ask: LookupUser) -> User:
        if not self.dialect.can_look_up_users:
            return User(ask.barcode, ask.barcode)
        message = ncip.LookupUser(
            header=self._header(), user_id=self._user(ask.barcode), user_element_types=self._user_elements(),
        )  # fmt: skip
        answer = self._send(message, ncip.LookupUserResponse, user=ask.barcode)
        self._refuse(answer, user=ask.barcode)
        return _as_user(ask.barcode, answer, self.peer.name)

    def accept_item(self, ask: AcceptItem) -> ItemAccepted:
        dialect = self.dialect
        place = ask.pickup_location
        message = ncip.AcceptItem(
            header=self._header(to_agency=place if dialect.pickup_as_to_agency and place else ""),
            request_id=self._request(ask.request), requested_action_type=dialect.accept_action,
            user_id=self._user(ask.user),
            item_id=self._item(ask.item, dialect.accepted_item_agency, ask.lender_symbol),
            date_for_return=self._moment(ask.date_for_return),
            item_optional_fields=self._described(ask),
            pickup_location=ncip.Code(place, dialect.pickup_scheme) if place and self._major == 2 else None,
        )  # fmt: skip
        answer = self._send(message, ncip.AcceptItemResponse, ask.request, ask.user, ask.item)
        if not says(answer, dialect.already_accepted):
            self._refuse(answer, ask.user, ask.item)
        given = answer.item_id.value if answer.item_id else ""
        return ItemAccepted(ask.request, given or ask.item)

    def check_out_item(self, ask: CheckOutItem) -> ItemCheckedOut:
        dialect = self.dialect
        message = ncip.CheckOutItem(
            header=self._header(), mandated_action=ncip.Moment.at(self.now) if dialect.mandated else None,
            user_id=self._account(ask), item_id=self._item(ask.item),
            request_id=self._request(ask.request) if dialect.sends_request_id_at_check_out else None,
            desired_date_due=self._moment(ask.date_due) if dialect.sends_desired_due else None,
        )  # fmt: skip
        answer = self._send(message, ncip.CheckOutItemResponse, ask.request, _account_of(ask), ask.item)
        if answer.problems:
            return self._lent_before(answer, ask)
        return ItemCheckedOut(ask.item, ask.user, self._day(answer.date_due))

    def check_in_item(self, ask: CheckInItem) -> ItemCheckedIn:
        message = ncip.CheckInItem(
            header=self._header(), mandated_action=ncip.Moment.at(self.now) if self.dialect.mandated else None,
            item_id=self._item(ask.item),
            item_element_types=tuple(
                ncip.Code(word, self.dialect.item_element_scheme) for word in self.dialect.check_in_elements
            ),
        )  # fmt: skip
        answer = self._send(message, ncip.CheckInItemResponse, ask.request, item=ask.item)
        if says(answer, self.dialect.already_checked_in):
            return ItemCheckedIn(ask.item, already=True)
        self._refuse(answer, item=ask.item)
        return ItemCheckedIn(ask.item)

    # --- did it happen? -------------------------------------------------------------------------------------------

    def look(
        self, ask: AcceptItem | CheckOutItem | CheckInItem
    ) -> ItemAccepted | ItemCheckedOut | ItemCheckedIn | None:
        """After an unknown outcome: the answer as it would have been if it happened, None if it did not.

        The peer is asked in every way that it may understand. Where none tells, a repeat that does no harm is simply
        made (None); otherwise a person must look.
        """
        for way in self._ways(ask):
            seen = way()
            if seen is not None:
                return seen.done
        if self.dialect.repeat_is_safe or isinstance(ask, CheckInItem):
            return None
        where = f"whether {ask.item} is on loan to {_account_of(ask)} there" if isinstance(ask, CheckOutItem) else (
            f"for {ask.item} there, with a hold for {ask.user}"
        )  # fmt: skip
        raise HostProblem(
            f"{self.peer.name} did not answer, and it cannot be asked whether it did it.", code=LOOK_BY_HAND,
            remedy=f"Circulation desk: look {where}; if so choose done by hand, else try again.",
        )  # fmt: skip

    def _ways(self, ask: AcceptItem | CheckOutItem | CheckInItem) -> Iterable[Callable[[], Seen | None]]:
        """How it may be asked, the surest first. Each returns None where it does not tell."""
        if self.dialect.can_look_up_items:
            yield lambda: self._by_item(ask)
        if isinstance(ask, CheckInItem) or self.dialect.repeat_is_safe:
            return
        if isinstance(ask, AcceptItem) and self.dialect.can_look_up_requests:
            yield lambda: self._by_request(ask)
        if self.dialect.can_look_up_users:
            yield lambda: self._by_loans(ask) if isinstance(ask, CheckOutItem) else self._by_requests_of_patron(ask)

    def _by_item(self, ask: AcceptItem | CheckOutItem | CheckInItem) -> Seen | None:
        answer = self._look_up(ask)
        if says(answer, NOT_OFFERED):
            return None
        absent = says(answer, NOT_THERE)
        if not absent:
            self._refuse(answer, item=ask.item)
        if isinstance(ask, AcceptItem):
            return self._accepted_before(ask, answer, absent=absent)
        if absent:
            return Seen(ItemCheckedIn(ask.item, already=True) if isinstance(ask, CheckInItem) else None)
        return self._on_loan(ask, answer)

    def _accepted_before(self, ask: AcceptItem, answer: ncip.LookupItemResponse, *, absent: bool) -> Seen | None:
        """Under its barcode, or under another one that the host gave it because that was taken."""
        if not absent and _is_the_piece(ask, answer.request_id, _title(answer.item_optional_fields)):
            return Seen(ItemAccepted(ask.request, ask.item))
        by_number = self._look_up(ask, by_request=True)
        given = by_number.item_id.value if by_number.item_id and not by_number.problems else ""
        if given and _is_the_piece(ask, by_number.request_id, _title(by_number.item_optional_fields)):
            return Seen(ItemAccepted(ask.request, given))
        if by_number.problems and not says(by_number, (*NOT_THERE, *NO_REQUEST)) and not absent:
            return None
        return Seen(None)

    def _look_up(
        self, ask: AcceptItem | CheckOutItem | CheckInItem, *, by_request: bool = False
    ) -> ncip.LookupItemResponse:
        words: tuple[str, ...] = ("Bibliographic Description", "Circulation Status")
        if self.dialect.style.version is ncip.Version.V2_02:  # before, nobody could be asked for it
            words = (*words, "Date Due")
        message = ncip.LookupItem(
            header=self._header(), item_id=None if by_request else self._item(ask.item),
            request_id=self._request(ask.request) if by_request else None,
            current_borrower_desired=isinstance(ask, CheckOutItem),
            item_element_types=tuple(ncip.Code(word, self.dialect.item_element_scheme) for word in words),
        )  # fmt: skip
        return self._send(message, ncip.LookupItemResponse, ask.request, item=ask.item)

    def _on_loan(self, ask: CheckOutItem | CheckInItem, answer: ncip.LookupItemResponse) -> Seen | None:
        fields = answer.item_optional_fields or ncip.ItemOptionalFields()
        status, borrower = fields.circulation_status, _borrower(answer)
        if status is None and fields.date_due is None and not borrower:
            return None
        if isinstance(ask, CheckInItem):  # of another state nobody knows; to check it in once more does no harm
            back = status is not None and status.says(*AT_REST) and not borrower and fields.date_due is None
            return Seen(ItemCheckedIn(ask.item, already=True) if back else None)
        out = bool(borrower) or fields.date_due is not None
        if status is not None:
            out = status.says("On Loan", "Checked Out", "Recalled", "Overdue")
        theirs = borrower in ("", ask.user, ask.borrower_symbol)
        return Seen(ItemCheckedOut(ask.item, ask.user, self._day(fields.date_due)) if out and theirs else None)

    def _by_request(self, ask: AcceptItem) -> Seen | None:
        """By the request's number alone. That there is none proves little: not every host makes one of a hold."""
        message = ncip.LookupRequest(header=self._header(), request_id=self._request(ask.request))
        answer = self._send(message, ncip.LookupRequestResponse, ask.request, item=ask.item)
        if answer.problems or not (answer.request_id and _same(answer.request_id.value, ask.request)):
            return None
        given = answer.item_id.value if answer.item_id else ""
        return Seen(ItemAccepted(ask.request, given or ask.item))

    def _by_loans(self, ask: CheckOutItem) -> Seen | None:
        """What the account has on loan; that it has not this item counts only where the list is whole."""
        answer = self._look_up_account(self._account(ask), ask, loans=True)
        found = next((one for one in answer.loaned_items if one.item_id and _same(one.item_id.value, ask.item)), None)
        if found is not None:
            return Seen(ItemCheckedOut(ask.item, ask.user, self._day(found.date_due)))
        counted = [one.count for one in answer.loaned_items_counts]
        whole = all(one.item_id for one in answer.loaned_items) and _adds_up(counted, len(answer.loaned_items))
        return Seen(None) if whole and not answer.problems else None

    def _by_requests_of_patron(self, ask: AcceptItem) -> Seen | None:
        """What is kept for the patron; that this piece is not counts only where the list is whole."""
        answer = self._look_up_account(self._user(ask.user), ask, loans=False)
        for one in answer.requested_items:
            named = one.request_id or (one.item_id and _same(one.item_id.value, ask.item))
            if named and _is_the_piece(ask, one.request_id, one.title or ""):
                return Seen(ItemAccepted(ask.request, one.item_id.value if one.item_id else ask.item))
        counted = [one.count for one in answer.requested_items_counts]
        whole = all(one.request_id for one in answer.requested_items) and _adds_up(counted, len(answer.requested_items))
        return Seen(None) if whole and not answer.problems else None

    def _look_up_account(
        self, user: ncip.UserId, ask: AcceptItem | CheckOutItem, *, loans: bool
    ) -> ncip.LookupUserResponse:
        message = ncip.LookupUser(
            header=self._header(), user_id=user, user_element_types=self._user_elements(),
            loaned_items_desired=loans, requested_items_desired=not loans,
        )  # fmt: skip
        return self._send(message, ncip.LookupUserResponse, ask.request, item=ask.item)

    def _lent_before(self, no: ncip.CheckOutItemResponse, ask: CheckOutItem) -> ItemCheckedOut:
        """A refusal because the item is out already may be our own doing: then it is no refusal."""
        refusal = as_problem(no, self.peer.name, _account_of(ask), ask.item)
        if refusal.code == "not_lendable" and self.dialect.can_look_up_items:
            answer = self._look_up(ask)
            seen = None if answer.problems or not _borrower(answer) else self._on_loan(ask, answer)
            if seen is not None and isinstance(seen.done, ItemCheckedOut):
                return seen.done
        raise refusal

    # --- what else may be asked, with no harm (used by `checks.py`) ----------------------------------------------

    def lookup_version(self) -> ncip.LookupVersionResponse:
        """Which versions and services it says it has. Raises HostProblem where there is no answer in NCIP."""
        header = self._header()
        message = ncip.LookupVersion(from_agency=header.from_agency, to_agency=header.to_agency)
        return self._send(message, ncip.LookupVersionResponse)

    def lookup_agency(self) -> ncip.LookupAgencyResponse:
        """What it says about the library. Raises HostProblem where there is no answer in NCIP."""
        header = self._header()
        message = ncip.LookupAgency(
            header=header, agency=header.to_agency,
            agency_element_types=(ncip.Code("Organization Name Information"),),
        )  # fmt: skip
        return self._send(message, ncip.LookupAgencyResponse)

    def knows_item(self, barcode: str) -> bool | None:
        """Whether it has such an item; None where it cannot be asked. Raises HostProblem for any other refusal."""
        if not self.dialect.can_look_up_items:
            return None
        answer = self._look_up(CheckInItem("", barcode))
        if says(answer, NOT_OFFERED):
            return None
        if says(answer, NOT_THERE):
            return False
        self._refuse(answer, item=barcode)
        return True

    # --- building -------------------------------------------------------------------------------------------------

    @property
    def _major(self) -> int:
        return self.dialect.style.version.major

    def _header(self, to_agency: str = "") -> ncip.Header:
        dialect, peer = self.dialect, self.peer
        scheme = dialect.agency_scheme
        sender = peer.to_agency if dialect.one_agency or not peer.from_agency else peer.from_agency
        profile = ncip.Code(peer.profile, dialect.profile.scheme if dialect.profile else None) if peer.profile else None
        return ncip.Header(
            from_system=dialect.from_system, from_agency=ncip.Code(sender, scheme), to_system=dialect.to_system,
            from_agency_authentication=peer.agency_secret or None,
            to_agency=ncip.Code(to_agency or peer.to_agency, scheme),
            application_profile=profile or dialect.profile,
        )  # fmt: skip

    def _agency(self, whose: Agency = "to", lender: str = "") -> ncip.Code | None:
        peer, scheme = self.peer, self.dialect.agency_scheme
        if whose == "none":
            return None
        ours = peer.from_agency if whose == "from" and not self.dialect.one_agency else ""
        return ncip.Code((lender if whose == "lender" else ours) or peer.to_agency, scheme)

    def _user(self, barcode: str) -> ncip.UserId:
        return ncip.UserId(barcode, self.dialect.user_type, self._agency(self.dialect.user_agency))

    def _account(self, ask: CheckOutItem) -> ncip.UserId:
        """The borrowing institution, by its barcode, or by its symbol where the host knows it by that."""
        if ask.user:
            return self._user(ask.user)
        if self.dialect.institution_type is None:
            raise HostProblem(
                f"No institution account is set for {ask.borrower_name or ask.borrower_symbol}.",
                code="account_not_set", remedy="Administrator: set the account's barcode under Partners.",
            )  # fmt: skip
        return replace(self._user(ask.borrower_symbol), type=self.dialect.institution_type)

    def _user_elements(self) -> tuple[ncip.Code, ...]:
        return tuple(ncip.Code(word, self.dialect.user_element_scheme) for word in self.dialect.user_elements)

    def _item(self, barcode: str, whose: Agency | None = None, lender: str = "") -> ncip.ItemId:
        return ncip.ItemId(barcode, self.dialect.item_type, self._agency(whose or self.dialect.item_agency, lender))

    def _request(self, number: str) -> ncip.RequestId:
        return ncip.RequestId(number, self.dialect.request_type, self._agency(self.dialect.request_agency))

    def _described(self, ask: AcceptItem) -> ncip.ItemOptionalFields:
        said = _without_accents if self.dialect.ascii_only else str
        described = ncip.BibliographicDescription(
            author=said(ask.author) or None, edition=said(ask.edition) or None, publication_date=ask.year or None,
            publisher=said(ask.publisher) or None, title=said(ask.title) or ask.request or None,
            medium_type=self.dialect.medium if ask.medium == "Book" else None,
        )  # fmt: skip
        call_number = said(ask.call_number or ask.volume)
        item = ncip.ItemDescription(call_number=call_number) if call_number and self.dialect.sends_call_number else None
        return ncip.ItemOptionalFields(bibliographic_description=described, item_description=item)

    def _moment(self, day: date | None) -> ncip.Moment | None:
        """A due day as the last second of it, on the library's own clock."""
        if day is None:
            return None
        if self.dialect.date_only:
            return ncip.Moment(day.isoformat())
        return ncip.Moment.at(datetime.combine(day, time(23, 59, 59), ZoneInfo(self.desk.zone)))

    def _day(self, moment: ncip.Moment | None) -> date | None:
        when = moment.aware(ZoneInfo(self.desk.zone)) if moment else None
        return when.astimezone(ZoneInfo(self.desk.zone)).date() if when else None

    # --- sending --------------------------------------------------------------------------------------------------

    def _send(
        self, message: ncip.Message, expected: type[Answer], request: str = "", user: str = "", item: str = ""
    ) -> Answer:
        style = replace(self.dialect.style, agency=self._agency())
        sent = ncip.encode(message, style)
        started, received, outcome = monotonic(), b"", "ok"
        try:
            received = exchange(
                self.peer.line, sent, self.dialect.content_type, wait=self._patience(), hear=self._read_clock
            )
            answer = self._read(received, message, expected)
            if answer.problems:
                outcome = "; ".join(dict.fromkeys(p.type.value if p.type else "Problem" for p in answer.problems))
            return answer
        except NotSent as no:
            outcome = f"not sent: {no.why}"
            remedy = f"Administrator: {no.remedy[:1].lower()}{no.remedy[1:]}" if no.lasting else BY_ITSELF
            code = "connection_settings" if no.lasting else "unreachable"
            raise HostProblem(f"{self.peer.name}: {no.why}", code=code, remedy=remedy, lasting=no.lasting) from no
        except NoReply as no:
            outcome = f"no answer: {no.why}"
            sentence = f"{self.peer.name}: {no.why}"
            if message.service.startswith("Lookup"):  # nothing can have happened that nobody knows of
                raise HostProblem(sentence, code="unreachable", remedy="Try again in a moment.", lasting=False) from no
            raise HostUnknown(sentence, remedy=LOOKED_UP) from no
        finally:
            seconds = monotonic() - started
            if self.keep is not None:
                self.keep(Kept(message.service, request, item, sent, received, seconds, outcome))

    def _patience(self) -> float:
        """Seconds to wait for the next answer. Raises NotSent when the whole step has taken too long already."""
        if self._until is None:
            return self.wait
        left = self._until - monotonic()
        if left < 1:
            raise NotSent("It takes too long to answer; the rest of this step is done later.")
        return min(self.wait, left)

    def _read_clock(self, heard: Heard) -> None:
        said = next((value for name, value in heard.headers.items() if name.lower() == "date"), "")
        try:
            self.ahead = parsedate_to_datetime(said) - datetime.now(UTC)
        except (ValueError, TypeError):  # it says no date, or one without its zone
            self.ahead = None

    def _read(self, received: bytes, asked: ncip.Message, expected: type[Answer]) -> Answer:
        """The answer to what was asked, and to nothing else."""
        try:
            envelope = ncip.decode_envelope(received)
        except ncip.ProtocolError as no:
            raise NoReply(f"The answer could not be read ({no.sentence.rstrip('.')}).", answered=True) from no
        answer = envelope.message
        if envelope.cut and not _is_whole(received, answer.service):
            raise NoReply(f"The answer to {asked.service} was cut off.", answered=True)
        if isinstance(answer, ncip.BareProblem) and answer.problems:  # some do not say of which service it is
            answer = expected(problems=answer.problems)
        if not isinstance(answer, expected):
            raise NoReply(f"The answer to {asked.service} was {answer.service}{_complaint(answer)}.", answered=True)
        if not answer.problems and not _answers(asked, answer):
            raise NoReply(f"The answer to {asked.service} was about something else.", answered=True)
        self.heard += 1
        if not isinstance(answer, ncip.LookupVersionResponse):  # that one stands outside of the versions
            self.version = envelope.style.version
        return answer

    def _refuse(self, answer: Response, user: str = "", item: str = "") -> None:
        if answer.problems:
            raise as_problem(answer, self.peer.name, user, item)


#: services of which an answer without any content claims nothing
_MUST_SAY: Final = {
    ncip.AcceptItemResponse: ("request_id", "item_id"),
    ncip.CheckOutItemResponse: ("item_id", "user_id", "date_due", "indeterminate_loan_period", "non_returnable"),
}


def _answers(asked: ncip.Message, answer: Response) -> bool:
    """Whether an answer is about what was asked: of the ids that it names, one at least is ours.

    Hosts may give an item another barcode, or call a user by another of their ids; a patron whom we look up may come
    back under any name.
    """
    if isinstance(asked, ncip.LookupUser):
        return True
    must = _MUST_SAY.get(type(answer), ())
    if must and not any(getattr(answer, name, None) for name in must):
        return False
    named = [
        (ours.value, theirs.value)
        for name in ("request_id", "item_id", "user_id")
        if (ours := getattr(asked, name, None)) and (theirs := getattr(answer, name, None)) and theirs.value.strip()
    ]
    return not named or any(_akin(ours, theirs) for ours, theirs in named)


def _same(ours: str, theirs: str) -> bool:
    return ours.strip().casefold() == theirs.strip().casefold()


def _akin(ours: str, theirs: str) -> bool:
    """The same id as far as hosts leave it so: they put an agency before it, or drop its punctuation."""
    one, other = ("".join(c for c in word.casefold() if c.isalnum()) for word in (ours, theirs))
    return bool(one and other) and (one.endswith(other) or other.endswith(one))


def _is_whole(received: bytes, service: str) -> bool:
    """Whether an answer that was cut off had all it had to say: only the end of the envelope is missing."""
    return re.search(rb"</(?:[\w.-]+:)?" + service.encode() + rb"\s*>", received) is not None


def _complaint(answer: ncip.Message) -> str:
    """What an answer to another question complains of, for whoever reads the sentence."""
    problems = answer.problems if isinstance(answer, Response) else ()
    said = "; ".join(" ".join(words_of(one)) for one in problems)
    return f" ({said[:200]})" if said else ""


def _account_of(ask: CheckOutItem) -> str:
    """What staff call the account: its barcode, else the symbol."""
    return ask.user or ask.borrower_symbol


def _adds_up(counts: list[int | None], listed: int) -> bool:
    """Whether a list is all there is: the host counted as many as it listed."""
    return bool(counts) and sum(count or 0 for count in counts) == listed


def _is_the_piece(ask: AcceptItem, request: ncip.RequestId | None, title: str) -> bool:
    """Whether what lies under the barcode is what was to be accepted, and not something that was there before."""
    if request is not None and request.value:
        return _same(request.value, ask.request)
    about = _folded(title)
    return not about or about.startswith(_folded(ask.title)) or _folded(ask.title).startswith(about)


def _title(fields: ncip.ItemOptionalFields | None) -> str:
    about = fields.bibliographic_description if fields else None
    return (about.title or "") if about else ""


def _without_accents(text: str) -> str:
    """In letters of ASCII as far as there are any: a title in another script is gone."""
    return " ".join(unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().split())


def _folded(title: str) -> str:
    """A title without case and punctuation, for hosts write titles in their own way."""
    return " ".join("".join(c if c.isalnum() else " " for c in title.casefold()).split())


def _borrower(answer: ncip.LookupItemResponse) -> str:
    """Who has it, where the host says so."""
    told = answer.item_transaction.current_borrower if answer.item_transaction else None
    return told.value.strip() if told else ""


def _as_user(barcode: str, answer: ncip.LookupUserResponse, host: str) -> User:
    fields = answer.user_optional_fields or ncip.UserOptionalFields()
    kinds = {
        p.agency_user_privilege_type.value.upper(): p for p in fields.user_privileges if p.agency_user_privilege_type
    }
    status = _status(kinds.get("STATUS"))
    blocks = [f"{host} says that the account is {status.lower()}."] if status.casefold() in BLOCKED_WORDS else []
    traps = [block.block_or_trap_type.value for block in fields.blocks_or_traps if block.block_or_trap_type]
    if traps and not blocks:
        blocks = [f"{host} says: {', '.join(dict.fromkeys(traps))}."]
    profile = kinds.get("PROFILE")
    known = answer.user_id.value if answer.user_id and answer.user_id.value else barcode
    return User(
        barcode=barcode, name=_name(fields.name_information) or known,
        patron_type=_status(profile) if profile else "", blocks=tuple(blocks),
    )  # fmt: skip


def _status(privilege: ncip.UserPrivilege | None) -> str:
    status = privilege.user_privilege_status if privilege else None
    kind = status.user_privilege_status_type if status else None
    return kind.value if kind else ""


def _name(names: ncip.NameInformation | None) -> str:
    person = names.personal_name_information if names else None
    if person and person.structured_personal_user_name:
        parts = person.structured_personal_user_name
        given = (parts.given_name or "")[:1]
        return f"{parts.surname or ''}, {given}." if given else parts.surname or ""
    if person:
        return person.unstructured_personal_user_name or ""
    organizations = names.organization_name_information if names else ()
    return next((one.organization_name or "" for one in organizations), "")
