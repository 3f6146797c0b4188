"""Somebody else's circulation as a `HostCirculation`: the port's verbs as NCIP messages, in the peer's dialect.

Strategy: a verb builds one message, sends it, and reads the answer by its words. What cannot have happened is tried
again; what may have happened is *unknown*, and before any repeat the peer is asked whether it did (`look`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from time import monotonic
from typing import TypeVar
from zoneinfo import ZoneInfo

from interlend import ncip
from interlend.bridge.answers import as_problem, says
from interlend.bridge.dialects import Dialect
from interlend.bridge.transport import HURRIED, PATIENT, Line, NoReply, NotSent, exchange
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

Answer = TypeVar("Answer", bound=Response)
BLOCKED_WORDS = ("blocked", "barred", "expired", "restricted", "delinquent", "n")


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


class HostOverNcip:
    """Speaks to `peer` for `desk` at the moment `now`; `keep` is given every exchange, good or bad."""

    def __init__(
        self, peer: Peer, desk: Desk, now: datetime, *, hurried: bool = False,
        keep: Callable[[Kept], object] | None = None,
    ) -> None:  # fmt: skip
        self.peer, self.desk, self.now, self.keep = peer, desk, now, keep
        self.wait = HURRIED if hurried else PATIENT
        self.dialect = peer.dialect

    # --- the port -------------------------------------------------------------------------------------------------

    def lookup_user(self, ask: LookupUser) -> User:
        if not self.dialect.can_look_up_users:
            return User(ask.barcode, ask.barcode)
        message = ncip.LookupUser(
            header=self._header(), user_id=self._user(ask.barcode),
            user_element_types=tuple(ncip.Code(word) for word in self.dialect.user_elements),
        )  # fmt: skip
        answer = self._send(message, ncip.LookupUserResponse, user=ask.barcode)
        self._refuse(answer, user=ask.barcode)
        return _as_user(ask.barcode, answer, self.peer.name)

    def accept_item(self, ask: AcceptItem) -> ItemAccepted:
        dialect = self.dialect
        place = ask.pickup_location
        message = ncip.AcceptItem(
            header=self._header(to_agency=place if dialect.pickup_as_to_agency and place else ""),
            request_id=self._request(ask.request), requested_action_type=ncip.Code(dialect.accept_action),
            user_id=self._user(ask.user),
            item_id=self._item(ask.item, lender=ask.lender_symbol),
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
        user = self._user(ask.user)
        if dialect.institution_type and not ask.user:
            user = replace(user, value=ask.borrower_symbol, type=dialect.institution_type)
        message = ncip.CheckOutItem(
            header=self._header(), mandated_action=ncip.Moment.at(self.now) if dialect.mandated else None,
            user_id=user, item_id=self._item(ask.item),
            request_id=self._request(ask.request) if dialect.sends_request_id_at_check_out else None,
            desired_date_due=self._moment(ask.date_due) if dialect.sends_desired_due else None,
        )  # fmt: skip
        answer = self._send(message, ncip.CheckOutItemResponse, ask.request, ask.user, ask.item)
        if says(answer, dialect.already_checked_out):
            return ItemCheckedOut(ask.item, ask.user, None)
        self._refuse(answer, ask.user, ask.item)
        return ItemCheckedOut(ask.item, ask.user, self._day(answer.date_due))

    def check_in_item(self, ask: CheckInItem) -> ItemCheckedIn:
        message = ncip.CheckInItem(
            header=self._header(), mandated_action=ncip.Moment.at(self.now) if self.dialect.mandated else None,
            item_id=self._item(ask.item),
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

        Where the dialect cannot ask, a repeat that does no harm is simply made (None); otherwise a person must look.
        """
        if not self.dialect.can_look_up_items:
            if self.dialect.repeat_is_safe or isinstance(ask, CheckInItem):
                return None
            raise HostProblem(
                f"{self.peer.name} did not answer, and it cannot be asked whether it did it.", code="look_by_hand",
                remedy="Circulation desk: look for the item there; then choose done by hand, or try again.",
            )  # fmt: skip
        message = ncip.LookupItem(
            header=self._header(), item_id=self._item(ask.item),
            item_element_types=(ncip.Code("Circulation Status"), ncip.Code("Date Due")),
        )  # fmt: skip
        answer = self._send(message, ncip.LookupItemResponse, ask.request, item=ask.item)
        if says(answer, ("unknown item", "unknown_item", "unknown record")):
            return ItemCheckedIn(ask.item, already=True) if isinstance(ask, CheckInItem) else None
        self._refuse(answer, item=ask.item)
        return self._seen(ask, answer)

    def _seen(
        self, ask: AcceptItem | CheckOutItem | CheckInItem, answer: ncip.LookupItemResponse
    ) -> ItemAccepted | ItemCheckedOut | ItemCheckedIn | None:
        fields = answer.item_optional_fields
        status = fields.circulation_status if fields else None
        out = status is not None and status.says("On Loan", "Checked Out", "Recalled", "Overdue")
        if isinstance(ask, AcceptItem):
            return ItemAccepted(ask.request, ask.item)
        if isinstance(ask, CheckOutItem):
            due = self._day(fields.date_due if fields else None)
            return ItemCheckedOut(ask.item, ask.user, due) if out else None
        return None if out else ItemCheckedIn(ask.item, already=True)

    # --- building -------------------------------------------------------------------------------------------------

    @property
    def _major(self) -> int:
        return self.dialect.style.version.major

    def _header(self, to_agency: str = "") -> ncip.Header:
        dialect, peer = self.dialect, self.peer
        scheme = dialect.agency_scheme
        sender = peer.to_agency if dialect.one_agency and not peer.from_agency else peer.from_agency
        profile = ncip.Code(peer.profile) if peer.profile else dialect.profile
        return ncip.Header(
            from_system=dialect.from_system, from_agency=ncip.Code(sender, scheme), to_system=dialect.to_system,
            from_agency_authentication=peer.agency_secret or None,
            to_agency=ncip.Code(to_agency or peer.to_agency, scheme), application_profile=profile,
        )  # fmt: skip

    def _agency(self) -> ncip.Code:
        return ncip.Code(self.peer.to_agency, self.dialect.agency_scheme)

    def _user(self, barcode: str) -> ncip.UserId:
        return ncip.UserId(barcode, self.dialect.user_type, self._agency())

    def _item(self, barcode: str, lender: str = "") -> ncip.ItemId:
        agency = ncip.Code(lender, self.dialect.agency_scheme) if lender and self.dialect.lender_in_item_id else None
        return ncip.ItemId(barcode, self.dialect.item_type, agency or self._agency())

    def _request(self, number: str) -> ncip.RequestId:
        return ncip.RequestId(number, self.dialect.request_type, self._agency())

    def _described(self, ask: AcceptItem) -> ncip.ItemOptionalFields:
        described = ncip.BibliographicDescription(
            author=ask.author or None, edition=ask.edition or None, publication_date=ask.year or None,
            publisher=ask.publisher or None, title=ask.title or None,
            medium_type=ncip.Code("Book") if ask.medium == "Book" and self.dialect.lender_in_item_id else None,
        )  # fmt: skip
        call_number = ask.call_number or ask.volume
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
            received = exchange(self.peer.line, sent, self.dialect.content_type, wait=self.wait)
            answer = self._read(received, message, expected)
            if answer.problems:
                outcome = "; ".join(dict.fromkeys(p.type.value if p.type else "Problem" for p in answer.problems))
            return answer
        except NotSent as no:
            outcome = f"not sent: {no.why}"
            remedy = (
                "Administrator: check the connection of this host." if no.lasting else "It is tried again by itself."
            )
            code = "connection_settings" if no.lasting else "unreachable"
            raise HostProblem(f"{self.peer.name}: {no.why}", code=code, remedy=remedy, lasting=no.lasting) from no
        except NoReply as no:
            outcome = f"no answer: {no.why}"
            raise HostUnknown(
                f"{self.peer.name}: {no.why} It may have been done; that is looked up before anything is repeated."
            ) from no
        finally:
            seconds = monotonic() - started
            if self.keep is not None:
                self.keep(Kept(message.service, request, item, sent, received, seconds, outcome))

    def _read(self, received: bytes, asked: ncip.Message, expected: type[Answer]) -> Answer:
        try:
            answer = ncip.decode(received)
        except ncip.ProtocolError as no:
            raise NoReply(f"The answer could not be read ({no.sentence}).") from no
        if isinstance(answer, expected):
            return answer
        if isinstance(answer, Response) and answer.problems:  # some answer with a bare Problem
            return expected(problems=answer.problems)
        raise NoReply(f"The answer to {asked.service} was {answer.service}.")

    def _refuse(self, answer: Response, user: str = "", item: str = "") -> None:
        if answer.problems:
            raise as_problem(answer, self.peer.name, user, item)


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
