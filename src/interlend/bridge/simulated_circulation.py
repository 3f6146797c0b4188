"""A stand-in circulation system that speaks NCIP: users, items, holds and loans in memory, no database, no rules.

Strategy: naive on purpose, like the least careful of real systems: told twice, it does it twice (a second temporary
item, a second hold). So whoever drives it must look before repeating. Bytes in, bytes out, by the same codec.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from interlend import ncip

LOAN = timedelta(days=28)
#: what it can be told not to tell of its users
LISTS = "lists"


@dataclass
class SimulatedUser:
    """`blocked` is a sentence, empty where the account is in order."""

    barcode: str
    name: str = "Test, Patron"
    blocked: str = ""


@dataclass
class SimulatedItem:
    """`borrower` is the barcode of who has it."""

    barcode: str
    title: str = "A book of the stand-in system"
    request: str = ""
    temporary: bool = False
    borrower: str = ""
    due: str = ""


@dataclass
class SimulatedHold:
    item: str
    user: str
    request: str
    pickup: str = ""


class No(Exception):
    """The answer is this NCIP problem."""

    def __init__(self, problem: str, element: str, value: str = "") -> None:
        self.problem, self.element, self.value = problem, element, value
        super().__init__(problem)


@dataclass
class SimulatedCirculation:
    """The store and its services. `anybody`: every barcode that does not begin with "unknown" is known."""

    users: dict[str, SimulatedUser] = field(default_factory=dict)
    items: dict[str, SimulatedItem] = field(default_factory=dict)
    holds: list[SimulatedHold] = field(default_factory=list)
    anybody: bool = False
    #: services that it does not offer; "lists" are what users have and await
    without: frozenset[str] = frozenset()
    done: Counter[str] = field(default_factory=Counter)
    lock: RLock = field(default_factory=RLock, repr=False)

    def add(self, users: Iterable[str] = (), items: Iterable[str] = (), blocked: Iterable[str] = ()) -> None:
        self.users |= {barcode: SimulatedUser(barcode) for barcode in users}
        self.users |= {barcode: SimulatedUser(barcode, blocked="owes 20.00") for barcode in blocked}
        self.items |= {barcode: SimulatedItem(barcode) for barcode in items}

    def clear(self) -> None:
        """Forget what was done: temporary items, holds, loans and counts."""
        with self.lock:
            self.items = {key: SimulatedItem(key, one.title) for key, one in self.items.items() if not one.temporary}
            self.holds.clear()
            self.done.clear()

    def as_data(self) -> dict[str, Any]:
        """Everything it knows, for a person or a test to look at."""
        with self.lock:
            return {
                "users": [asdict(one) for one in self.users.values()],
                "items": [asdict(one) for one in self.items.values()],
                "holds": [asdict(one) for one in self.holds], "done": dict(self.done),
            }  # fmt: skip

    def answer(self, body: bytes) -> bytes:
        """The answer to one message, in the message's own version and style."""
        try:
            envelope = ncip.decode_envelope(ncip.unwrap(body))
        except ncip.ProtocolError as no:
            problem = ncip.problem(no.problem, detail=no.sentence)
            return ncip.encode(ncip.BareProblem(problems=(problem,)), ncip.answer_style(no.style or ncip.Style()))
        message = envelope.message
        style = ncip.answer_style(envelope)
        if not isinstance(message, ncip.Initiation):
            return ncip.encode(ncip.BareProblem(problems=(ncip.problem("Protocol Error"),)), style)
        try:
            with self.lock:
                response = self._served(message)
        except No as no:
            service = message.service
            problem = ncip.problem(no.problem, service=service, element=no.element, value=no.value or None)
            response = _refusal(message, problem)
        return ncip.encode(response, style)

    def refused(self, body: bytes, problem: str) -> bytes:
        """The service's own answer, with a problem in it and nothing done."""
        envelope = ncip.decode_envelope(ncip.unwrap(body))
        said = ncip.problem(problem, service=envelope.message.service, detail="The stand-in was told to refuse.")
        return ncip.encode(_refusal(envelope.message, said), ncip.answer_style(envelope))

    def _served(self, message: ncip.Initiation) -> ncip.Response:
        service = _SERVICES.get(type(message))
        if service is None or message.service in self.without:
            raise No("Unsupported Service", message.service)
        response = service(self, message)
        self.done[message.service] += 1
        return response

    # --- who and what

    def _user(self, user_id: ncip.UserId | None, inputs: Iterable[ncip.AuthenticationInput] = ()) -> SimulatedUser:
        said = user_id.value.strip() if user_id else next((one.data.strip() for one in inputs), "")
        if not said:
            raise No("Needed Data Missing", "UserId")
        if said not in self.users and self.anybody and not said.lower().startswith("unknown"):
            self.users[said] = SimulatedUser(said)
        if said not in self.users:
            raise No("Unknown User", "UserIdentifierValue", said)
        return self.users[said]

    def _item(self, item_id: ncip.ItemId | None) -> SimulatedItem:
        said = item_id.value.strip() if item_id else ""
        if not said:
            raise No("Needed Data Missing", "ItemId")
        by_request = item_id is not None and item_id.type is not None and "request" in item_id.type.value.lower()
        found = self._of_request(said) if by_request else self.items.get(said)
        if found is None and self.anybody and not said.lower().startswith("unknown"):
            found = self.items[said] = SimulatedItem(said)
        if found is None:
            raise No("Unknown Item", "ItemIdentifierValue", said)
        return found

    def _of_request(self, number: str) -> SimulatedItem | None:
        return next((one for one in self.items.values() if one.request == number), None)

    # --- the services

    def lookup_user(self, message: ncip.LookupUser) -> ncip.Response:
        user = self._user(message.user_id, message.authentication_inputs)
        surname, _, given = user.name.partition(", ")
        name = ncip.StructuredPersonalUserName(surname=surname, given_name=given or None)
        status = ncip.UserPrivilege(
            agency=_here(message), agency_user_privilege_type=ncip.Code("STATUS"),
            user_privilege_status=ncip.UserPrivilegeStatus(ncip.Code("BLOCKED" if user.blocked else "ACTIVE")),
            user_privilege_description=user.blocked or None,
        )  # fmt: skip
        person = ncip.NameInformation(ncip.PersonalNameInformation(structured_personal_user_name=name))
        fields = ncip.UserOptionalFields(name_information=person, user_privileges=(status,))
        loaned = self._loaned(user, message) if message.loaned_items_desired and LISTS not in self.without else ()
        asked = self._requested(user, message) if message.requested_items_desired and LISTS not in self.without else ()
        return ncip.LookupUserResponse(
            header=ncip.answer_header(message.header), user_id=message.user_id or ncip.UserId(user.barcode),
            user_optional_fields=fields, loaned_items=loaned, requested_items=asked,
            loaned_items_counts=(ncip.LoanedItemsCount(circulation_status=ncip.Code("On Loan"), count=len(loaned)),)
            if message.loaned_items_desired and LISTS not in self.without else (),
            requested_items_counts=(ncip.RequestedItemsCount(request_type=ncip.Code("Hold"), count=len(asked)),)
            if message.requested_items_desired and LISTS not in self.without else (),
        )  # fmt: skip

    def _loaned(self, user: SimulatedUser, message: ncip.Message) -> tuple[ncip.LoanedItem, ...]:
        nothing = ncip.Amount(currency=ncip.Code("USD"), value=0)
        return tuple(
            ncip.LoanedItem(
                item_id=ncip.ItemId(one.barcode, agency=_here(message)), date_due=ncip.Moment(one.due), amount=nothing,
                reminder_level=1, title=one.title,
            )
            for one in self.items.values() if one.borrower == user.barcode
        )  # fmt: skip

    def _requested(self, user: SimulatedUser, message: ncip.Message) -> tuple[ncip.RequestedItem, ...]:
        return tuple(
            ncip.RequestedItem(
                item_id=ncip.ItemId(hold.item, agency=_here(message)),
                request_id=ncip.RequestId(hold.request, agency=_here(message)), request_type=ncip.Code("Hold"),
                request_status_type=ncip.Code("In Process"), date_placed=ncip.Moment.at(datetime.now(UTC)),
            )
            for hold in self.holds if hold.user == user.barcode
        )  # fmt: skip

    def accept_item(self, message: ncip.AcceptItem) -> ncip.Response:
        number = message.request_id.value if message.request_id else ""
        wished = (message.item_id.value.strip() if message.item_id else "") or number
        user = self._user(message.user_id) if message.user_id else None
        if user is not None and user.blocked:
            raise No("User Ineligible To Check Out This Item", "UserIdentifierValue", user.barcode)
        barcode = wished
        while barcode in self.items:
            barcode += "-2"
        about = message.item_optional_fields.bibliographic_description if message.item_optional_fields else None
        self.items[barcode] = SimulatedItem(barcode, (about.title if about else "") or "Untitled", number, True)
        if user is not None:
            pickup = message.pickup_location.value if message.pickup_location else ""
            self.holds.append(SimulatedHold(barcode, user.barcode, number, pickup))
        item_id = message.item_id or ncip.ItemId(barcode)
        return ncip.AcceptItemResponse(
            header=ncip.answer_header(message.header), request_id=message.request_id,
            item_id=ncip.ItemId(barcode, item_id.type, item_id.agency),
        )  # fmt: skip

    def check_out_item(self, message: ncip.CheckOutItem) -> ncip.Response:
        user, item = self._user(message.user_id, message.authentication_inputs), self._item(message.item_id)
        if user.blocked:
            raise No("User Blocked", "UserIdentifierValue", user.barcode)
        if item.borrower:
            raise No("Resource Cannot Be Provided", "ItemIdentifierValue", item.barcode)
        wished = message.desired_date_due.as_xsd() if message.desired_date_due else None
        item.borrower, item.due = user.barcode, wished or _in_four_weeks()
        self.holds = [one for one in self.holds if (one.item, one.user) != (item.barcode, user.barcode)]
        item.request = message.request_id.value if message.request_id else item.request
        return ncip.CheckOutItemResponse(
            header=ncip.answer_header(message.header), item_id=message.item_id,
            user_id=message.user_id or ncip.UserId(user.barcode), date_due=ncip.Moment(item.due),
        )  # fmt: skip

    def check_in_item(self, message: ncip.CheckInItem) -> ncip.Response:
        item = self._item(message.item_id)
        if not item.borrower and not (item.temporary and any(one.item == item.barcode for one in self.holds)):
            raise No("Item Not Checked Out", "ItemIdentifierValue", item.barcode)
        self.holds = [one for one in self.holds if one.item != item.barcode]
        item.borrower = item.due = ""
        return ncip.CheckInItemResponse(header=ncip.answer_header(message.header), item_id=message.item_id)

    def renew_item(self, message: ncip.RenewItem) -> ncip.Response:
        item = self._item(message.item_id)
        if not item.borrower:
            raise No("Item Not Checked Out", "ItemIdentifierValue", item.barcode)
        item.due = (message.desired_date_due.as_xsd() if message.desired_date_due else None) or _in_four_weeks()
        return ncip.RenewItemResponse(
            header=ncip.answer_header(message.header), item_id=message.item_id, date_due=ncip.Moment(item.due),
            user_id=message.user_id or ncip.UserId(item.borrower),
        )  # fmt: skip

    def delete_item(self, message: ncip.DeleteItem) -> ncip.Response:
        item = self._item(message.item_id)
        self.holds = [one for one in self.holds if one.item != item.barcode]
        del self.items[item.barcode]
        return ncip.DeleteItemResponse(header=ncip.answer_header(message.header), item_id=message.item_id)

    def lookup_item(self, message: ncip.LookupItem) -> ncip.Response:
        number = message.request_id.value if message.request_id else ""
        item = self._of_request(number) if number else self._item(message.item_id)
        if item is None:
            raise No("Unknown Item", "RequestIdentifierValue", number)
        status = "On Loan" if item.borrower else "Available On Shelf"
        if any(one.item == item.barcode for one in self.holds):
            status = "In Process"
        fields = ncip.ItemOptionalFields(
            bibliographic_description=ncip.BibliographicDescription(title=item.title),
            circulation_status=ncip.Code(status), date_due=ncip.Moment(item.due) if item.due else None,
        )  # fmt: skip
        borrower = ncip.ItemTransaction(current_borrower=ncip.UserId(item.borrower, agency=_here(message)))
        return ncip.LookupItemResponse(
            header=ncip.answer_header(message.header),
            item_id=message.item_id or ncip.ItemId(item.barcode, agency=_here(message)),
            request_id=ncip.RequestId(item.request, agency=_here(message)) if item.request else None,
            item_transaction=borrower if item.borrower and message.current_borrower_desired else None,
            item_optional_fields=fields,
        )  # fmt: skip

    def lookup_request(self, message: ncip.LookupRequest) -> ncip.Response:
        number = message.request_id.value if message.request_id else ""
        hold = next((one for one in self.holds if one.request == number), None)
        if hold is None:
            raise No("Unknown Request", "RequestIdentifierValue", number)
        return ncip.LookupRequestResponse(
            header=ncip.answer_header(message.header), request_id=message.request_id,
            item_id=ncip.ItemId(hold.item, agency=_here(message)), user_id=ncip.UserId(hold.user),
            request_status_type=ncip.Code("In Process"),
        )  # fmt: skip

    def lookup_agency(self, message: ncip.LookupAgency) -> ncip.Response:
        name = ncip.OrganizationNameInformation(ncip.Code("Legal Name"), "Stand-in circulation system")
        return ncip.LookupAgencyResponse(
            header=ncip.answer_header(message.header), agency=message.agency, organization_name_information=(name,)
        )

    def lookup_version(self, message: ncip.LookupVersion) -> ncip.Response:
        offered = sorted(cls.__name__ for cls in _SERVICES if cls.__name__ not in self.without)
        return ncip.LookupVersionResponse(
            header=ncip.answer_header(message.header), from_agency=message.to_agency, to_agency=message.from_agency,
            versions_supported=(ncip.Version.V1_0.uri, ncip.Version.V2_02.uri),
            services_supported=tuple(offered),
        )  # fmt: skip


def _refusal(message: ncip.Message, problem: ncip.Problem) -> ncip.Response:
    """The service's own answer that says no; that of LookupVersion has no place for it."""
    if isinstance(message, ncip.LookupVersion):
        return ncip.BareProblem(problems=(problem,))
    return ncip.refusal(message, problem)


def _here(message: ncip.Message) -> ncip.Code:
    return (message.header.to_agency if message.header else None) or ncip.Code("STAND-IN")


def _in_four_weeks() -> str:
    return ncip.Moment.at(datetime.now(UTC) + LOAN).raw


_SERVICES: dict[type[ncip.Initiation], Callable[[SimulatedCirculation, Any], ncip.Response]] = {
    ncip.LookupUser: SimulatedCirculation.lookup_user,
    ncip.AcceptItem: SimulatedCirculation.accept_item,
    ncip.CheckOutItem: SimulatedCirculation.check_out_item,
    ncip.CheckInItem: SimulatedCirculation.check_in_item,
    ncip.RenewItem: SimulatedCirculation.renew_item,
    ncip.DeleteItem: SimulatedCirculation.delete_item,
    ncip.LookupItem: SimulatedCirculation.lookup_item,
    ncip.LookupRequest: SimulatedCirculation.lookup_request,
    ncip.LookupAgency: SimulatedCirculation.lookup_agency,
    ncip.LookupVersion: SimulatedCirculation.lookup_version,
}
