"""What is told of an item or a patron, each part only when it was asked for by name.

Strategy: a set of asked element types in, the standard's composites out. A lookup that asks for nothing in particular
gets everything about an item, and of a patron only that they exist. Facts 7 and 8 of the field.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from interlend import ncip
from interlend.bridge.ncip_responder.asking import Ask
from interlend.circulation.lifecycles import (
    AVAILABLE,
    DISPATCHED,
    IN_TRANSIT,
    MISSING,
    ON_HOLD,
    ON_LOAN,
    RECENTLY_RECEIVED,
    UNAVAILABLE,
)
from interlend.circulation.models import Item, Loan, Patron, Title
from interlend.circulation.policies import why_not_borrow
from interlend.circulation.queries import holds_of_item, item_by_barcode, open_loan, patron_facts
from interlend.circulation.services import CLOSED

_SCHEMES: Final = "http://www.niso.org/ncip/v1_0/imp1/schemes/"
LOCATION_TYPES: Final = f"{_SCHEMES}locationtype/locationtype.scm"
_LANGUAGES: Final = "http://lcweb.loc.gov/standards/iso639-2/bibcodes.html"
_STATUSES: Final = f"{_SCHEMES}circulationstatus/circulationstatus.scm"

#: state of an item -> NCIP's circulation status
STATUS: Final = {
    RECENTLY_RECEIVED: "In Process", AVAILABLE: "Available On Shelf", UNAVAILABLE: "Not Available",
    IN_TRANSIT: "In Transit Between Library Locations", DISPATCHED: "In Transit Between Library Locations",
    ON_HOLD: "Available For Pickup", ON_LOAN: "On Loan", MISSING: "Missing",
}  # fmt: skip
#: in the reason of a block that a message has set, between the name it used and the caller's
SET_BY: Final = " (set by "
EVERYTHING: Final = frozenset(
    {"bibliographicdescription", "circulationstatus", "datedue", "holdqueuelength", "itemdescription", "location"}
)


def asked(types: Iterable[ncip.Code]) -> frozenset[str]:
    """Element types as compared: “User Address Information” and “UserAddressInformation” are one."""
    return frozenset("".join(code.value.split()).casefold() for code in types)


# --- items ------------------------------------------------------------------------------------------------------


def item_fields_by_barcode(ask: Ask, barcode: str, types: tuple[ncip.Code, ...]) -> ncip.ItemOptionalFields | None:
    """As `item_fields`, for a service that has not read the item with its places; no query where nothing was asked."""
    if not types:
        return None
    item = item_by_barcode(ask.library_id, barcode)
    return item_fields(ask, item, types) if item is not None else None


def item_fields(
    ask: Ask, item: Item, types: Iterable[ncip.Code], loan: Loan | None = None, queue: int | None = None
) -> ncip.ItemOptionalFields | None:
    """The asked parts of an item. `loan` and `queue` spare a query where the caller knows them."""
    wanted = asked(types)
    if not wanted:
        return None
    return fields_of(ask, item, wanted, loan, queue)


def fields_of(
    ask: Ask, item: Item, wanted: frozenset[str], loan: Loan | None = None, queue: int | None = None
) -> ncip.ItemOptionalFields:
    """The wanted parts of an item; its places must have been read with it."""
    if loan is None and item.state == ON_LOAN and wanted & {"datedue", "circulationstatus"}:
        loan = open_loan(item.pk)
    if queue is None and "holdqueuelength" in wanted:
        queue = holds_of_item(item).count()
    return ncip.ItemOptionalFields(
        bibliographic_description=description(ask, item.title, item.material_format)
        if "bibliographicdescription" in wanted else None,
        circulation_status=_status(item, loan) if "circulationstatus" in wanted else None,
        hold_queue_length=queue if "holdqueuelength" in wanted else None,
        item_description=ncip.ItemDescription(call_number=item.call_number or None, copy_number=None)
        if "itemdescription" in wanted and item.call_number else None,
        locations=_locations(item) if "location" in wanted else (),
        date_due=ask.end_of(loan.due_on) if loan is not None and "datedue" in wanted else None,
    )  # fmt: skip


def _status(item: Item, loan: Loan | None) -> ncip.Code:
    said = "Recalled" if loan is not None and loan.recalled_at is not None else STATUS.get(item.state, "Not Available")
    return ncip.Code(said, _STATUSES)


def _locations(item: Item) -> tuple[ncip.Location, ...]:
    """Level 1 is the holding location, level 2 the shelf within it."""
    names = (
        ncip.LocationNameInstance(level=1, value=item.holding_location.name),
        ncip.LocationNameInstance(level=2, value=item.shelving_location.name),
    )
    return (ncip.Location(location_type=ncip.Code("Permanent Location", LOCATION_TYPES), location_name=names),)


def description(ask: Ask, title: Title, medium: str = "") -> ncip.BibliographicDescription:
    """A title as a citation."""
    record = ncip.BibliographicRecordId(title.record_id, agency=ask.agency) if title.record_id else None
    number = ncip.BibliographicItemId(title.isbn, ncip.Code("ISBN")) if title.isbn else None
    return ncip.BibliographicDescription(
        author=title.author or None, edition=title.edition or None, publication_date=title.year or None,
        publisher=title.publisher or None, title=title.title or None,
        language=ncip.Code(title.language) if title.language else None,
        medium_type=ncip.Code(medium, f"{_SCHEMES}mediumtype/mediumtype.scm") if medium else None,
        bibliographic_record_ids=(record,) if record else (), bibliographic_item_ids=(number,) if number else (),
    )  # fmt: skip


# --- patrons ----------------------------------------------------------------------------------------------------


def user_fields_if_asked(ask: Ask, patron: Patron, types: tuple[ncip.Code, ...]) -> ncip.UserOptionalFields | None:
    return user_fields(ask, patron, types) if types else None


def user_fields(ask: Ask, patron: Patron, types: Iterable[ncip.Code]) -> ncip.UserOptionalFields:
    """The asked parts of a patron; empty where nothing was asked."""
    wanted = asked(types)
    against = _against(ask, patron) if wanted & {"userprivilege", "blockortrap"} else ()
    blocks = "blockortrap" in wanted and not ask.call.caller.no_block_or_trap
    return ncip.UserOptionalFields(
        name_information=_name(patron) if "nameinformation" in wanted else None,
        user_address_information=_addresses(patron) if "useraddressinformation" in wanted else (),
        date_of_birth=_born(patron) if "dateofbirth" in wanted else None,
        user_languages=tuple(ncip.Code(code, _LANGUAGES) for code in patron.languages.split())
        if "userlanguage" in wanted else (),
        user_privileges=_privileges(ask, patron, against) if "userprivilege" in wanted else (),
        blocks_or_traps=_blocks(ask, patron, against) if blocks else (),
        user_ids=_ids(ask, patron, wanted),
    )  # fmt: skip


def _against(ask: Ask, patron: Patron) -> tuple[str, ...]:
    """Why the account may not borrow today, as sentences."""
    reasons = why_not_borrow(patron_facts(patron), ask.today, count_limit=False)
    return tuple(reason.sentence for reason in reasons)


def _name(patron: Patron) -> ncip.NameInformation:
    if patron.kind == Patron.Kind.INSTITUTION:
        return ncip.NameInformation(organization_name_information=(organization(patron.surname),))
    structured = ncip.StructuredPersonalUserName(given_name=patron.given_name or None, surname=patron.surname)
    return ncip.NameInformation(
        ncip.PersonalNameInformation(
            unstructured_personal_user_name=patron.full_name, structured_personal_user_name=structured
        )
    )


def organization(name: str) -> ncip.OrganizationNameInformation:
    kind = ncip.Code("Official Name", f"{_SCHEMES}organizationnametype/organizationnametype.scm")
    return ncip.OrganizationNameInformation(kind, name)


def _addresses(patron: Patron) -> tuple[ncip.AddressInformation, ...]:
    found = []
    if patron.address.strip():
        text = ncip.UnstructuredAddress(
            ncip.Code("Newline-Delimited Text", f"{_SCHEMES}unstructuredaddresstype/unstructuredaddresstype.scm"),
            patron.address.strip(),
        )
        kind = ncip.Code("Postal Address", f"{_SCHEMES}physicaladdresstype/physicaladdresstype.scm")
        physical = ncip.PhysicalAddress(unstructured_address=text, physical_address_type=kind)
        found.append(ncip.AddressInformation(role=_role("Home"), physical_address=physical))
    numbers = (("tel", number.strip()) for number in patron.phone.split(";"))
    for scheme, value in (("mailto", patron.email), *numbers):
        if value:
            electronic = ncip.ElectronicAddress(ncip.Code(scheme, "http://www.iana.org/assignments/uri-schemes"), value)
            found.append(ncip.AddressInformation(role=_role("Home"), electronic_address=electronic))
    return tuple(found)


def _born(patron: Patron) -> ncip.Moment | None:
    """The day with midnight, because the schema has no plain dates here."""
    return ncip.Moment(f"{patron.date_of_birth:%Y-%m-%d}T00:00:00") if patron.date_of_birth is not None else None


def _role(word: str) -> ncip.Code:
    return ncip.Code(word, f"{_SCHEMES}useraddressroletype/useraddressroletype.scm")


def _privileges(ask: Ask, patron: Patron, against: tuple[str, ...]) -> tuple[ncip.UserPrivilege, ...]:
    """PROFILE, STATUS and LIBRARY: not the standard's, but what every client reads."""
    rows = [
        ("PROFILE", patron.patron_type.name, None),
        ("STATUS", "BLOCKED" if against else "ACTIVE", " ".join(against) or None),
        ("LIBRARY", patron.home_branch.name if patron.home_branch else ask.member.name, None),
    ]
    until = ask.end_of(patron.expires_on) if patron.expires_on else None
    return tuple(
        ncip.UserPrivilege(
            agency=ask.agency, agency_user_privilege_type=ncip.Code(kind), valid_to_date=until,
            user_privilege_status=ncip.UserPrivilegeStatus(ncip.Code(value)), user_privilege_description=why,
        )
        for kind, value, why in rows
    )  # fmt: skip


def _blocks(ask: Ask, patron: Patron, against: tuple[str, ...]) -> tuple[ncip.BlockOrTrap, ...]:
    """One for all that stands against the account, under the name by which a message set it, if one did."""
    said, by, _ = patron.block_reason.partition(SET_BY)
    name = said if by and not said.startswith(CLOSED) else "Block Request Item"
    kind = ncip.Code(name, f"{_SCHEMES}blockortraptype/blockortraptype.scm")
    return tuple(ncip.BlockOrTrap(agency=ask.agency, block_or_trap_type=kind) for _ in against[:1])


def _ids(ask: Ask, patron: Patron, wanted: frozenset[str]) -> tuple[ncip.UserId, ...]:
    """Barcode and primary key: the key stays when a card is replaced. Version 1 shows them as visible ids."""
    if not wanted & {"userid", "visibleuserid"}:
        return ()
    found = [ask.user_id(patron)]
    if "userid" in wanted:
        found.append(ncip.UserId(str(patron.pk), ncip.Code("Primary Key"), ask.agency))
    return tuple(found)
