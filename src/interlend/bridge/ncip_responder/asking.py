"""What every service needs: who asks which library for what, and how messages name our rows.

Strategy: one `Ask` a message; ids, days and places are read tolerantly (types are hints, schemes are ignored) and
answered in the manner of the request. `No` carries the problems of an answer that is no. Facts 1, 3 and 7 of the field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Upper

from interlend import ncip
from interlend.bridge.callers import Call, Member
from interlend.bridge.problems import as_ncip
from interlend.circulation.errors import Refused
from interlend.circulation.models import Patron
from interlend.circulation.queries import one_patron, patron_by_barcode
from interlend.circulation.services import sign_in
from interlend.libraries import guesses
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch
from interlend.outbox.prepared import Prepared
from interlend.sharing.models import Partner

LONGEST_NUMBER: Final = 60  # of a request or a barcode, as the rows have room


class No(Exception):
    """The answer is no: these are its problems. What was written before it stays, a wrong PIN for instance."""

    def __init__(self, *problems: ncip.Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.detail or "" for problem in problems))


@dataclass(frozen=True, slots=True)
class Ask:
    """One message being answered."""

    call: Call
    envelope: ncip.Envelope
    now: datetime
    desk: Desk

    @property
    def member(self) -> Member:
        return self.call.member

    @property
    def library_id(self) -> int:
        return self.call.member.pk

    @property
    def style(self) -> ncip.Style:
        return self.envelope.style

    @property
    def service(self) -> str:
        return self.envelope.message.service

    @property
    def today(self) -> date:
        return self.desk.today(self.now)

    @property
    def agency(self) -> ncip.Code:
        """Our library as the message called it, else by its symbol."""
        header = self.envelope.header
        return (header.to_agency if header else None) or ncip.Code(self.member.symbol)

    def header(self) -> ncip.Header | None:
        return ncip.answer_header(self.envelope.header, swap=not self.call.caller.header_as_sent)

    # --- saying no

    def no(self, name: str, detail: str, element: str, value: str | None = None) -> No:
        """`raise ask.no(…)`."""
        return No(ncip.problem(name, service=self.service, detail=detail, element=element, value=value or None))

    def needs(self, element: str) -> No:
        return self.no("Needed Data Missing", f"{self.service} needs {element}, and the message has none.", element)

    def refused(self, no: Refused) -> No:
        """What circulation refused, as the problems of this service; each names what the message had there."""
        reasons = no.reasons
        return No(*(as_ncip(reason, self.service, _blamed(self.envelope.message, reason.code)) for reason in reasons))

    # --- ids as text

    def barcode(self, item_id: ncip.ItemId | None, *, required: bool = True) -> str:
        value = item_id.value.strip() if item_id is not None else ""
        if not value and required:
            raise self.needs("ItemId")
        return value[:LONGEST_NUMBER]

    def number(self, request_id: ncip.RequestId | None, *, required: bool = True) -> str:
        value = request_id.value.strip() if request_id is not None else ""
        if not value and required:
            raise self.needs("RequestId")
        if len(value) > LONGEST_NUMBER:
            raise self.no("Element Rule Violated", f"A request number has at most {LONGEST_NUMBER} characters.",
                          "RequestIdentifierValue", value[:80])  # fmt: skip
        return value

    # --- ids to answer with

    def item_id(self, barcode: str, like: ncip.ItemId | None = None) -> ncip.ItemId:
        """The item as the peer called it, under the barcode it has; of our own making where the peer named none."""
        if like is not None:
            return replace(like, value=barcode, ext=())
        if self.style.item_like is not None and names_a_barcode(self.style.item_like):
            return self.style.item_id(barcode)
        return ncip.ItemId(barcode, ncip.Code("Barcode", _ITEM_TYPES), self.agency)

    def user_id(self, patron: Patron, like: ncip.UserId | None = None) -> ncip.UserId:
        """The user as the peer called them, if it did; else by barcode."""
        if like is not None and like.value.strip():
            return replace(like, ext=())
        return ncip.UserId(patron.barcode, ncip.Code("Barcode", _USER_TYPES), self.agency)

    def request_id(self, number: str, like: ncip.RequestId | None = None) -> ncip.RequestId:
        if like is not None:
            return replace(like, value=number, ext=())
        return ncip.RequestId(number, agency=self.agency)

    # --- patrons

    def patron(self, user_id: ncip.UserId | None, inputs: tuple[ncip.AuthenticationInput, ...] = ()) -> Patron:
        """The patron a message means; a PIN that comes along must be right. Never another library's."""
        if (user_id is None or not user_id.value.strip()) and inputs:
            return self._signed_in(inputs)
        if user_id is None or not user_id.value.strip():
            raise self.needs("UserId")
        found = self._patron(user_id.value.strip(), user_id.type.value if user_id.type else "")
        if found is None:
            raise self._unknown_user(user_id.value.strip())
        if pin := _name_and_proof(inputs)[1]:
            self._prove(found, found.barcode, pin)
        return found

    def _signed_in(self, inputs: tuple[ncip.AuthenticationInput, ...]) -> Patron:
        """By name or barcode, with a PIN if one was sent: some peers send a user name alone, as another kind of id."""
        name, pin = _name_and_proof(inputs)
        if not name:
            raise self.needs("AuthenticationInput")
        found = self._patron(name, "")
        if pin:
            self._prove(found, found.barcode if found else name, pin)
        if found is None:
            raise self._unknown_user(None)
        return found

    def _prove(self, found: Patron | None, name: str, pin: str) -> None:
        """The PIN must be this patron's. Guessing is slowed down per patron, by whatever name they are called.

        Messages without a PIN go on as before, and so does the patron's own page: that is another door.
        """
        if found is not None and connection.in_atomic_block:
            # of guesses in transactions at the same time none sees the other's failure, unless one waits for the other
            Patron.objects.select_for_update().filter(pk=found.pk).values_list("pk").first()
        attempt = guesses.begin("ncip", name, self.now, self.library_id)
        if attempt.wait_until is not None:
            raise self._too_many(attempt.wait_until)
        if sign_in(self.library_id, name, pin) is None:
            raise self._wrong_pin()
        attempt.succeeded()

    def _unknown_user(self, value: str | None) -> No:
        detail = "No patron of this library goes by this id. (UNKNOWN_USER)"
        return self.no("Unknown User", detail, "UserIdentifierValue", value)

    def _wrong_pin(self) -> No:
        detail = "User id and PIN do not fit together. (USER_AUTHENTICATION_FAILED)"
        return self.no("User Authentication Failed", detail, "AuthenticationInput")

    def _too_many(self, until: datetime) -> No:
        wait = until.astimezone(ZoneInfo(self.member.zone))
        detail = f"The PIN was wrong too often. Wait until {wait:%H:%M}, or ask at the desk. (TOO_MANY_GUESSES)"
        return self.no("User Authentication Failed", detail, "AuthenticationInput")

    def _patron(self, value: str, kind: str) -> Patron | None:
        kind = kind.casefold()
        if "primary key" in kind:
            return one_patron(self.library_id, int(value)) if value.isascii() and value.isdigit() else None
        if "symbol" in kind:
            return self._institution(value) or patron_by_barcode(self.library_id, value)
        found = patron_by_barcode(self.library_id, value)
        return found or self._named(value) or self._institution(value)

    def _named(self, value: str) -> Patron | None:
        named = Patron.objects.filter(library_id=self.library_id, user_name=value).exclude(user_name="")
        return named.select_related("patron_type", "home_branch").first()

    def _institution(self, symbol: str) -> Patron | None:
        """The account of a partner agency, by its symbol."""
        partner = self.partner(symbol)
        return patron_by_barcode(self.library_id, partner.account) if partner and partner.account else None

    def partner(self, symbol: str) -> Partner | None:
        return _partner.one(self.library_id, symbol) if symbol else None

    # --- days and places

    def day(self, moment: ncip.Moment | None) -> date | None:
        """The day that is meant: midnight stands for the day as written, any other time is told in our zone."""
        when = moment.when if moment is not None else None
        if moment is not None and when is None:
            raise self.no("Invalid Date", "A date in the message cannot be read.", "Date", moment.raw[:40])
        if when is None or when.tzinfo is None or when.time() == time(0):
            return when.date() if when is not None else None
        return when.astimezone(ZoneInfo(self.member.zone)).date()

    def moment(self, moment: ncip.Moment | None) -> datetime | None:
        """A point in time; one without a zone is in the library's."""
        return moment.aware(ZoneInfo(self.member.zone)) if moment is not None else None

    def end_of(self, day: date) -> ncip.Moment:
        """A due date as a moment: the last second of the day where the library is."""
        return ncip.Moment.at(datetime.combine(day, time(23, 59, 59), ZoneInfo(self.member.zone)))

    def start_of(self, day: date) -> ncip.Moment:
        """A day from which something holds, as a moment: its first second where the library is."""
        return ncip.Moment.at(datetime.combine(day, time(0), ZoneInfo(self.member.zone)))

    def at(self, when: datetime) -> ncip.Moment:
        return ncip.Moment.at(when.astimezone(ZoneInfo(self.member.zone)))

    def pickup(self, code: ncip.Code | None) -> str:
        """Our code of the pickup place; "" means the patron's home branch. The peer's own codes come first.

        Where the message has no place, ToAgencyId may be one (clients of version 1 have nowhere else to put it).
        """
        if code is None:
            header = self.envelope.header
            to = header.to_agency.value if header is not None and header.to_agency is not None else ""
            place = None if self.is_the_library(to) else self.member.place(to)
            return place.code if place is not None and place.pickup else ""
        word = code.value.strip()
        theirs = {str(key).casefold(): str(ours) for key, ours in self.call.caller.pickups.items()}
        place = self.member.place(theirs.get(word.casefold(), word))
        if place is not None and place.pickup:
            return place.code
        if not word or self.is_the_library(word):
            return ""
        detail = f"This library has no pickup location “{word}”. (UNKNOWN_PICKUP)"
        raise self.no("Element Rule Violated", detail, "PickupLocation", word)

    def branch(self, code: str) -> Branch | None:
        """The row of one of the library's branches."""
        return Branch.objects.filter(library_id=self.library_id, code=code).first()

    def is_the_library(self, word: str) -> bool:
        sought = " ".join(word.split()).casefold()
        names = (self.member.symbol, self.member.name, *self.call.caller.to_agencies)
        return any(" ".join(str(name).split()).casefold() == sought for name in names)


def _blamed(message: ncip.Message, code: str) -> str | None:
    """What the message had in the element that a refusal blames."""
    field = {"unknown_patron": "user_id", "no_account": "user_id", "unknown_request": "request_id"}.get(code, "item_id")
    if code in {"patron_blocked", "patron_expired", "limit_reached", "barcode_in_use"}:
        field = "user_id"
    if code == "unknown_pickup":
        pickup = getattr(message, "pickup_location", None)
        return pickup.value if isinstance(pickup, ncip.Code) else None
    said = getattr(message, field, None)
    return said.value if isinstance(said, ncip.ItemId | ncip.UserId | ncip.RequestId) else None


_partner = Prepared(
    lambda library_id, symbol: (
        Partner.objects.alias(loud=Upper("symbol")).filter(library_id=library_id, loud=Upper(Value(symbol)))[:1]
    ), int, str,
)  # fmt: skip

_ITEM_TYPES: Final = (
    "http://www.niso.org/ncip/v1_0/imp1/schemes/visibleitemidentifiertype/visibleitemidentifiertype.scm"
)
_USER_TYPES: Final = (
    "http://www.niso.org/ncip/v1_0/imp1/schemes/visibleuseridentifiertype/visibleuseridentifiertype.scm"
)
#: what the type of a secret says somewhere, however the peer spells it: "PIN", "LDAPPassword", "MD5 Message Digest"
_SECRETS: Final = ("pin", "pass", "digest", "secret")


def _name_and_proof(inputs: tuple[ncip.AuthenticationInput, ...]) -> tuple[str, str]:
    """Who it is, and what proves it; "" for what was not sent.

    Of two data the second is proof whatever its type: a peer that asks whether a password is right must never hear yes
    because we do not know its word for a password.
    """
    said = [one for one in inputs if one.data.strip()]
    names = [one.data.strip() for one in said if not _is_secret(one)]
    proofs = [one.data.strip() for one in said if _is_secret(one)] or names[1:]
    return names[0] if names else "", proofs[0] if proofs else ""


def _is_secret(one: ncip.AuthenticationInput) -> bool:
    said = one.type.value.casefold() if one.type is not None else ""
    return any(word in said for word in _SECRETS)


def names_a_barcode(item_id: ncip.ItemId) -> bool:
    return item_id.type is None or "request" not in item_id.type.value.casefold()


def is_request_number(item_id: ncip.ItemId) -> bool:
    """An item id that holds a request number (the profile 2.00 writes “ILL Request Id” as its type)."""
    return not names_a_barcode(item_id)
