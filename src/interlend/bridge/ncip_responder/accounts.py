"""What another system may write about a patron: CreateUser, UpdateUser, DeleteUser.

Strategy: each element of the message becomes columns of one row, or a problem that names the element; nothing that was
said is dropped in silence. A message lifts only the block that a message has set. Z39.83-1, user services.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from interlend import ncip
from interlend.bridge.ncip_responder.answers import SET_BY
from interlend.bridge.ncip_responder.asking import LONGEST_NUMBER, Ask, No
from interlend.circulation import services as circulation
from interlend.circulation.errors import refuse
from interlend.circulation.models import Patron, PatronType
from interlend.circulation.queries import patron_by_barcode
from interlend.sharing.models import Partner

#: what CreateUser and the fields of UpdateUser have in common
Said = ncip.CreateUser | ncip.UserFields

_SECRET: Final = ("pin", "password")
_USER_NAME: Final = ("user id", "username", "user name", "login")
_BARCODE: Final = ("barcode id", "barcode")
_ACTIVE: Final = frozenset({"active", "ok", "y", "yes", "valid"})
_BLOCKED: Final = frozenset({"blocked", "barred", "restricted", "suspended"})
_DIALLED: Final = re.compile(r"[+()\d][\d\s()./+-]*")
#: parts several telephone numbers in their one column
PHONES_APART: Final = "; "


@dataclass
class Changes:
    """What is to be written: columns with their values, and a PIN; `pin` None leaves it, "" takes it away."""

    columns: dict[str, Any] = field(default_factory=dict)
    pin: str | None = None


# --- CreateUser -------------------------------------------------------------------------------------------------


def create_user(ask: Ask, message: ncip.CreateUser) -> ncip.Response:
    """A person or an institution. The same user told again is a success; another with that barcode is a problem.

    An account that was closed by DeleteUser is opened again.
    """
    barcode = _new_barcode(ask, message)
    there = patron_by_barcode(ask.library_id, barcode)
    told = _told(ask, message, Patron(library_id=ask.library_id, barcode=barcode))
    if not told.columns.get("surname"):
        raise ask.needs("NameInformation")
    if there is None:
        _open(ask, barcode, told)
    elif (there.surname, there.given_name) != (told.columns["surname"], told.columns["given_name"]):
        raise refuse("barcode_in_use", barcode=barcode)
    elif there.block_reason == circulation.CLOSED:
        opened = {"blocked_since": None, "block_reason": ""} | told.columns
        circulation.change_patron(ask.desk, there.pk, opened, ask.now, pin=told.pin)
    user_id = ask.user_id(there or Patron(barcode=barcode), message.user_id)
    return ncip.CreateUserResponse(header=ask.header(), user_id=user_id)


def _open(ask: Ask, barcode: str, told: Changes) -> None:
    if "patron_type_id" not in told.columns:
        told.columns["patron_type_id"] = _type_for_new_users(ask).pk
    of_record = {one.name for one in fields(circulation.PatronRecord)}
    record = {name: value for name, value in told.columns.items() if name in of_record}
    more = {name: value for name, value in told.columns.items() if name not in of_record}
    circulation.save_patron(
        ask.desk, circulation.PatronRecord(barcode=barcode, **record), ask.now, pin=told.pin or "", more=more
    )


def _new_barcode(ask: Ask, message: ncip.CreateUser) -> str:
    said = [message.user_id, *(one for one in message.visible_user_ids if not _is_name(one))]
    typed = [one.data for one in message.authentication_inputs if _says(one, _BARCODE)]
    found = [one.value.strip() for one in said if one is not None and one.value.strip()] + typed
    if not found:
        raise ask.needs("UserId")
    if len(found[0]) > LONGEST_NUMBER:
        raise _cannot(ask, f"A barcode has at most {LONGEST_NUMBER} characters.", "UserIdentifierValue", found[0][:80])
    return found[0]


def _type_for_new_users(ask: Ask) -> PatronType:
    """The type that the caller's row names for the users it creates."""
    code = ask.call.caller.new_user_type
    found = _types(ask).get(code.casefold())
    if found is None:
        raise refuse("no_patron_type", code=code or "(none named)")
    return found


# --- UpdateUser, DeleteUser -------------------------------------------------------------------------------------


def update_user(ask: Ask, message: ncip.UpdateUser) -> ncip.Response:
    """First what is to be deleted, then what is to be added. What is gone already is no problem."""
    patron = ask.patron(message.user_id, message.authentication_inputs)
    gone, new = message.delete_user_fields or ncip.UserFields(), message.add_user_fields or ncip.UserFields()
    added = _told(ask, new, patron)
    changes = _untold(ask, gone, patron, added)
    columns, pin = changes.columns | added.columns, changes.pin if added.pin is None else added.pin
    circulation.change_patron(ask.desk, patron.pk, columns, ask.now, pin=pin)
    return ncip.UpdateUserResponse(header=ask.header(), user_id=ask.user_id(patron, message.user_id))


def delete_user(ask: Ask, message: ncip.DeleteUser) -> ncip.Response:
    """Close the account. The one to which we lend to a partner is closed on the partner's page, not by message."""
    patron = ask.patron(message.user_id, message.authentication_inputs)
    if Partner.objects.filter(library_id=ask.library_id, account=patron.barcode).exists():
        detail = "Items are lent to a partner library on this account. (ACCOUNT_OF_A_PARTNER)"
        raise ask.no("User Access Denied", detail, "UserIdentifierValue", patron.barcode)
    circulation.close_account(ask.desk, patron.pk, ask.now)
    return ncip.DeleteUserResponse(header=ask.header(), user_id=ask.user_id(patron, message.user_id))


# --- what is told -----------------------------------------------------------------------------------------------


def _cannot(ask: Ask, detail: str, element: str, value: str | None = None, *, verb: str = "Add") -> No:
    """`raise _cannot(…)`: an element that cannot be written, in the word of the service's own list.

    `value` is never a name, an address or a birthday: answers are kept.
    """
    name = f"Unable To {verb} Element" if ask.service == "UpdateUser" else "Element Rule Violated"
    return ask.no(name, detail, element, value)


def _told(ask: Ask, said: Said, patron: Patron) -> Changes:
    """Everything that the message gives, as columns. `patron` is the account as it is, or a blank one."""
    changes = Changes(_named(ask, said.name_information, patron))
    changes.columns |= _reached(ask, said.user_address_information)
    if said.date_of_birth is not None:
        changes.columns["date_of_birth"] = _born(ask, said.date_of_birth)
    if said.user_languages:
        changes.columns["languages"] = _languages(ask, said.user_languages)
    for privilege in said.user_privileges:
        changes.columns |= _granted(ask, privilege, changes.columns, patron)
    for block in said.blocks_or_traps:
        changes.columns |= _blocked(ask, block, patron)
    for one in said.authentication_inputs:
        _credential(ask, one, patron, changes)
    for user_id in said.visible_user_ids if isinstance(said, ncip.CreateUser) else said.user_ids:
        _called(ask, user_id, patron, changes)
    return changes


def _named(ask: Ask, name: ncip.NameInformation | None, patron: Patron) -> dict[str, Any]:
    """Surname and given name with initials. An institution's name is its surname; forms of address are not kept."""
    if name is None:
        return {}
    organizations = [one for one in name.organization_name_information if one.organization_name]
    if organizations:
        official = [one for one in organizations if one.organization_name_type is not None
                    and one.organization_name_type.says("official name")]  # fmt: skip
        whole = ((official or organizations)[0].organization_name or "").strip()
        if patron.pk and patron.kind == Patron.Kind.PERSON:
            raise _cannot(ask, "A person does not become an institution.", "OrganizationNameInformation")
        return {"surname": _fitting(ask, whole, "surname", "OrganizationName"), "given_name": "", "kind": "institution"}
    surname, given = _of_person(name.personal_name_information)
    if surname and patron.pk and patron.kind == Patron.Kind.INSTITUTION:
        raise _cannot(ask, "An institution does not become a person.", "PersonalNameInformation")
    return {
        "surname": _fitting(ask, surname, "surname", "Surname"),
        "given_name": _fitting(ask, given, "given_name", "GivenName"),
    } if surname else {}  # fmt: skip


def _of_person(person: ncip.PersonalNameInformation | None) -> tuple[str, str]:
    if person is None:
        return "", ""
    parts = person.structured_personal_user_name
    if parts is not None and parts.surname:
        surname = " ".join(word for word in (parts.surname, parts.suffix) if word)
        return surname.strip(), " ".join(word for word in (parts.given_name, parts.initials) if word).strip()
    whole = (person.unstructured_personal_user_name or "").strip()
    surname, comma, given = whole.partition(",")
    if not comma:  # "Mary Okafor": the last word is the surname
        given, _, surname = whole.rpartition(" ")
    return surname.strip(), given.strip()


def _fitting(ask: Ask, value: str, column: str, element: str) -> str:
    """The value, if the column has room for it."""
    room: int = getattr(Patron, column).field.max_length
    if len(value) > room:
        raise _cannot(ask, f"There is room for {room} characters.", element)
    return value


def _reached(ask: Ask, addresses: Sequence[ncip.AddressInformation]) -> dict[str, Any]:
    """One mail address, one postal address, any telephone numbers: letters must know where to go."""
    mails: list[str] = []
    phones: list[str] = []
    places: list[str] = []
    for address in addresses:
        if address.valid_to_date is not None:
            raise _cannot(ask, "Addresses are kept without an end.", "ValidToDate", address.valid_to_date.raw[:40])
        electronic, physical = address.electronic_address, address.physical_address
        if electronic is not None and (value := _plain(electronic)):
            (mails if _is_mail(ask, electronic, value) else phones).append(value)
        if physical is not None and (text := lines_of(physical)):
            places.append(text)
    found: dict[str, Any] = {}
    if mails:
        found["email"] = _mail(ask, _only(ask, mails, "e-mail address", "ElectronicAddressData"))
    if phones:
        numbers = PHONES_APART.join(dict.fromkeys(phones))
        found["phone"] = _fitting(ask, numbers, "phone", "ElectronicAddressData")
    if places:
        found["address"] = _only(ask, places, "postal address", "PhysicalAddress")
    return found


def _only(ask: Ask, values: Iterable[str], what: str, element: str) -> str:
    first, *others = dict.fromkeys(values)
    if others:
        raise _cannot(ask, f"An account has one {what}; the message has {len(others) + 1}.", element)
    return first


def _plain(electronic: ncip.ElectronicAddress) -> str:
    return (electronic.electronic_address_data or "").strip().removeprefix("mailto:").removeprefix("tel:")


def _is_mail(ask: Ask, electronic: ncip.ElectronicAddress, value: str) -> bool:
    """A mail address, else a telephone number, by its type or by its look."""
    kind = electronic.electronic_address_type.value.casefold() if electronic.electronic_address_type else ""
    if "mail" in kind or "@" in value:
        return True
    if any(word in kind for word in ("tel", "phone", "mobile", "cell", "sms")) or _DIALLED.fullmatch(value):
        return False
    raise _cannot(
        ask, "Mail addresses and telephone numbers are kept, and nothing else.", "ElectronicAddressType", kind
    )


def _mail(ask: Ask, value: str) -> str:
    try:
        validate_email(value)
    except ValidationError:
        raise _cannot(ask, "This is no e-mail address.", "ElectronicAddressData") from None
    return _fitting(ask, value, "email", "ElectronicAddressData")


def lines_of(physical: ncip.PhysicalAddress) -> str:
    """A postal address as the lines that go on an envelope."""
    if physical.unstructured_address is not None and physical.unstructured_address.unstructured_address_data:
        return physical.unstructured_address.unstructured_address_data.strip()
    parts = physical.structured_address
    if parts is None:
        return ""
    lines = (
        parts.care_of, parts.location_within_building, parts.house_name, parts.line1, parts.line2, parts.street,
        parts.post_office_box, parts.district, parts.locality, parts.region, parts.postal_code, parts.country,
    )  # fmt: skip
    return "\n".join(line.strip() for line in lines if line and line.strip())


def _born(ask: Ask, moment: ncip.Moment) -> Any:
    """The day as written: a day of birth has no time zone."""
    if moment.when is None or moment.when.date() > ask.today:
        raise ask.no("Invalid Date", "This cannot be a day of birth.", "DateOfBirth")
    return moment.when.date()


def _languages(ask: Ask, codes: Iterable[ncip.Code]) -> str:
    words = list(dict.fromkeys(code.value.strip() for code in codes))
    for word in words:
        if len(word.split()) != 1:
            raise _cannot(ask, "A language is named by one code.", "UserLanguage", word[:80])
    return _fitting(ask, " ".join(words), "languages", "UserLanguage")


# --- privileges and blocks --------------------------------------------------------------------------------------


def _granted(
    ask: Ask, privilege: ncip.UserPrivilege, known: dict[str, Any], patron: Patron
) -> dict[str, Any]:  # fmt: skip
    """PROFILE is the patron type, STATUS active or blocked, LIBRARY the home branch; ValidToDate ends the account."""
    kind, value = _kind_and_value(privilege)
    if privilege.user_privilege_fee is not None:
        raise _cannot(ask, "No fee is charged for an account.", "UserPrivilegeFee", kind)
    starts = ask.day(privilege.valid_from_date)
    if starts is not None and starts > ask.today:
        raise _cannot(ask, "An account cannot begin on a later day.", "ValidFromDate", starts.isoformat())
    found = _meant(ask, kind, value, patron)
    ends = ask.day(privilege.valid_to_date)
    if ends is not None:
        found["expires_on"] = min(ends, known.get("expires_on") or ends)
    return found


def _kind_and_value(privilege: ncip.UserPrivilege) -> tuple[str, str]:
    kind, status = privilege.agency_user_privilege_type, privilege.user_privilege_status
    value = status.user_privilege_status_type if status is not None else None
    return (kind.value.strip() if kind else ""), (value.value.strip() if value else "")


def _meant(ask: Ask, kind: str, value: str, patron: Patron) -> dict[str, Any]:
    if kind.casefold() == "library":
        return _home(ask, value)
    types = _types(ask)
    for word in (value, kind):
        if word.casefold() in types:
            return {"patron_type_id": types[word.casefold()].pk}
    if value.casefold() in _BLOCKED:
        return _block(ask, f"{kind} {value}".strip(), patron)
    if value.casefold() in _ACTIVE:
        if patron.blocked_since is not None:
            detail = "The account is blocked; a block is taken off as BlockOrTrap."
            raise _cannot(ask, detail, "UserPrivilegeStatusType", value)
        return {}
    if not value and kind.casefold() in {"profile", "status", ""}:
        return {}
    if ask.service == "CreateUser" and ask.call.caller.new_user_type:
        return {}  # the caller's row says what its users are, by whatever name it calls them
    detail = f"There is no patron type “{value or kind}” here."
    raise _cannot(ask, detail, "UserPrivilege", value or kind)


def _types(ask: Ask) -> dict[str, PatronType]:
    rows = PatronType.objects.filter(library_id=ask.library_id)
    return {word.casefold(): row for row in rows for word in (row.name, row.code)}


def _home(ask: Ask, value: str) -> dict[str, Any]:
    if ask.is_the_library(value):
        return {}
    place = ask.member.place(value)
    branch = ask.branch(place.code) if place is not None else None
    if branch is None:
        raise _cannot(ask, f"This library has no branch “{value}”.", "UserPrivilege", value)
    return {"home_branch_id": branch.pk}


def _blocked(ask: Ask, block: ncip.BlockOrTrap, patron: Patron) -> dict[str, Any]:
    kind = block.block_or_trap_type.value.strip() if block.block_or_trap_type is not None else ""
    if not kind.casefold().startswith("block"):
        raise _cannot(ask, "An account is blocked or it is not; there are no traps.", "BlockOrTrapType", kind)
    if block.valid_to_date is not None:
        raise _cannot(ask, "A block holds until it is taken off.", "ValidToDate", block.valid_to_date.raw[:40])
    starts = ask.day(block.valid_from_date)
    if starts is not None and starts > ask.today:
        raise _cannot(ask, "A block cannot begin on a later day.", "ValidFromDate", starts.isoformat())
    blocked = _block(ask, kind, patron)
    return blocked | ({"blocked_since": starts} if blocked and starts is not None else {})


def _block(ask: Ask, kind: str, patron: Patron) -> dict[str, Any]:
    """A block under the caller's name; one that is there already stays as it is."""
    if patron.blocked_since is not None:
        return {}
    return {"blocked_since": ask.today, "block_reason": _reason(ask, kind)}


def _reason(ask: Ask, kind: str) -> str:
    return f"{kind}{SET_BY}{ask.call.caller.name})"[:200]


# --- names and secrets ------------------------------------------------------------------------------------------


def _says(one: ncip.AuthenticationInput, words: tuple[str, ...]) -> bool:
    return one.type is not None and one.type.says(*words)


def _is_name(user_id: ncip.UserId) -> bool:
    return user_id.type is not None and user_id.type.says(*_USER_NAME)


def _credential(ask: Ask, one: ncip.AuthenticationInput, patron: Patron, changes: Changes) -> None:
    """A PIN, a user name; a barcode only where it is the account's own."""
    value = one.data.strip()
    if not value:
        return
    if _says(one, _SECRET):
        changes.pin = value
    elif value == patron.barcode:
        return
    elif _says(one, _USER_NAME):
        changes.columns["user_name"] = _fitting(ask, value, "user_name", "AuthenticationInputData")
    else:
        if _says(one, _BARCODE):
            raise _cannot(ask, "Another card is given at the desk.", "AuthenticationInput")
        kind = one.type.value if one.type is not None else ""
        raise _cannot(ask, "A PIN and a user name are kept, and nothing else.", "AuthenticationInputType", kind)


def _called(ask: Ask, user_id: ncip.UserId, patron: Patron, changes: Changes) -> None:
    """A visible id of version 1: a user name, or the account's own barcode."""
    value = user_id.value.strip()
    if _is_name(user_id):
        changes.columns["user_name"] = _fitting(ask, value, "user_name", "VisibleUserId")
    elif value and value != patron.barcode:
        raise _cannot(
            ask, "An account has one barcode; another card is given at the desk.", "VisibleUserId", value[:80]
        )


# --- what is taken away -----------------------------------------------------------------------------------------


def _untold(ask: Ask, gone: ncip.UserFields, patron: Patron, added: Changes) -> Changes:
    """What DeleteUserFields takes away. A value that the account does not have is gone already."""
    if gone.name_information is not None and "surname" not in added.columns:
        raise _cannot(ask, "An account has a name; it can only be replaced.", "NameInformation", verb="Delete")
    changes = Changes(_unreached(gone.user_address_information, patron))
    if gone.date_of_birth is not None:
        changes.columns["date_of_birth"] = None
    dropped = {code.value.strip() for code in gone.user_languages}
    if dropped:
        changes.columns["languages"] = " ".join(one for one in patron.languages.split() if one not in dropped)
    for privilege in gone.user_privileges:
        changes.columns |= _revoked(ask, privilege, patron, added)
    for block in gone.blocks_or_traps:
        changes.columns |= _lifted(ask, block.block_or_trap_type, patron)
    for one in gone.authentication_inputs:
        if _says(one, _SECRET):
            changes.pin = ""
        elif one.data.strip() == patron.user_name:
            changes.columns["user_name"] = ""
        elif one.data.strip() == patron.barcode:
            raise _cannot(ask, "An account has a barcode; another card is given at the desk.", "AuthenticationInput",
                          verb="Delete")  # fmt: skip
    return changes


def _unreached(addresses: Sequence[ncip.AddressInformation], patron: Patron) -> dict[str, Any]:
    found: dict[str, Any] = {}
    phones = numbers_of(patron)
    for address in addresses:
        electronic, physical = address.electronic_address, address.physical_address
        value = _plain(electronic) if electronic is not None else ""
        if value and value == patron.email:
            found["email"] = ""
        if value in phones:
            phones.remove(value)
            found["phone"] = PHONES_APART.join(phones)
        if physical is not None and lines_of(physical) == patron.address.strip():
            found["address"] = ""
    return found


def numbers_of(patron: Patron) -> list[str]:
    """The telephone numbers of an account."""
    return [number.strip() for number in patron.phone.split(PHONES_APART.strip()) if number.strip()]


def _revoked(ask: Ask, privilege: ncip.UserPrivilege, patron: Patron, added: Changes) -> dict[str, Any]:
    kind, value = _kind_and_value(privilege)
    found: dict[str, Any] = {}
    types = _types(ask)
    named = types.get(value.casefold()) or types.get(kind.casefold())
    if kind.casefold() == "library":
        place = ask.member.place(value)
        mine = patron.home_branch is not None and place is not None and place.code == patron.home_branch.code
        found = {"home_branch_id": None} if mine else {}
    elif value.casefold() in _BLOCKED:
        found = _lifted(ask, ncip.Code(f"{kind} {value}".strip()), patron)
    elif named is not None and named.pk == patron.patron_type_id and "patron_type_id" not in added.columns:
        raise _cannot(ask, "An account has a patron type; it can only be replaced.", "UserPrivilege", value or kind,
                      verb="Delete")  # fmt: skip
    ends = ask.day(privilege.valid_to_date)
    if ends is not None and ends == patron.expires_on:
        found["expires_on"] = None
    return found


def _lifted(ask: Ask, kind: ncip.Code | None, patron: Patron) -> dict[str, Any]:
    """The block that this caller has set under this name; whatever the library has set, the library takes off."""
    if patron.blocked_since is None:
        return {}
    said = kind.value.strip() if kind is not None else ""
    if patron.block_reason != _reason(ask, said):
        raise _cannot(ask, "This block was set by the library, or under another name; the desk takes it off.",
                      "BlockOrTrapType", said, verb="Delete")  # fmt: skip
    return {"blocked_since": None, "block_reason": ""}
