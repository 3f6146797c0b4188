"""How each vendor's circulation system wishes to be spoken to: frozen records, never `if vendor ==`.

Strategy: one generic dialect per version, and each vendor as its differences from it. What a site sets itself (address,
agency ids, secrets) is not here but in its `Peer`. Sources: the reference on NCIP, sections 3.2 to 3.4 and 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from interlend.ncip import Style, Version
from interlend.ncip.values import Code

_OCLC = "http://oclc.org/ncip/schemes/"
#: problem texts by which a peer says that there was nothing left to check in
CHECKED_IN_ALREADY = ("item not checked out", "unknown item", "not on loan", "9022")


@dataclass(frozen=True)
class Dialect:
    """One way of speaking. Codes without a scheme are sent bare; an identifier type of None is left out."""

    key: str
    name: str
    style: Style = field(default_factory=lambda: Style(version=Version.V2_02, prefix="ns1"))
    content_type: str = "application/xml; charset=utf-8"
    from_system: Code | None = None
    to_system: Code | None = None
    #: sent as FromAgencyId where both agencies are the library itself (OCLC, ReShare)
    one_agency: bool = False
    agency_scheme: str | None = None
    profile: Code | None = None
    item_type: Code | None = None
    user_type: Code | None = None
    request_type: Code | None = None
    #: ItemId/AgencyId carries the lender: how a borrower's circulation learns whose book it is
    lender_in_item_id: bool = False
    accept_action: str = "Hold For Pickup"
    pickup_scheme: str | None = None
    #: version 1 has no PickupLocation: the place stands in ToAgencyId
    pickup_as_to_agency: bool = False
    sends_call_number: bool = True
    sends_request_id_at_check_out: bool = True
    sends_desired_due: bool = True
    mandated: bool = False
    date_only: bool = False
    #: the account may be named by the borrower's symbol instead of a barcode
    institution_type: Code | None = None
    user_elements: tuple[str, ...] = ("Name Information", "User Privilege", "Block Or Trap")
    can_look_up_users: bool = True
    can_look_up_items: bool = False
    #: repeating the same message does no harm (it answers as the first time)
    repeat_is_safe: bool = False
    already_checked_in: tuple[str, ...] = CHECKED_IN_ALREADY
    already_accepted: tuple[str, ...] = ()
    already_checked_out: tuple[str, ...] = ()


GENERIC = Dialect("generic", "NCIP 2.02, as the standard says", can_look_up_items=True)
INTERLEND = replace(
    GENERIC, key="interlend", name="Interlend", repeat_is_safe=True, lender_in_item_id=True, mandated=True
)
GENERIC_1 = Dialect(
    "generic-1", "NCIP version 1, as the standard says",
    style=Style(version=Version.V1_0, prefix=None, namespaced=False, qualified=False, doctype=True),
    user_elements=("Visible User Id", "Name Information", "User Privilege", "Block Or Trap"), sends_call_number=False,
)  # fmt: skip

_BARCODE = Code("Barcode", f"{_OCLC}itemid/circillitemidentifiertype.scm")
_USER_BARCODE = Code("Barcode", f"{_OCLC}userid/oclcids.scm")
_ILL_REQUEST = Code("ILL Request Id", f"{_OCLC}requestidentifiertype/circillrequestidentifiertype.scm")

WMS = Dialect(
    "wms", "OCLC WorldShare, circulation/ILL profile 2.00",
    from_system=Code("Relais D2D", f"{_OCLC}systemid/oclcsystemid.scm"),
    to_system=Code("WMS Circ", f"{_OCLC}systemid/oclcsystemid.scm"), one_agency=True,
    agency_scheme=f"{_OCLC}agencyid/symbol.scm",
    profile=Code("2.00", f"{_OCLC}applicationprofiletype/circillapplicationprofiletype.scm"),
    item_type=_BARCODE, user_type=_USER_BARCODE, request_type=_ILL_REQUEST, lender_in_item_id=True,
    accept_action="Circulate", pickup_scheme=f"{_OCLC}pickuplocation/branchid.scm", mandated=True,
    institution_type=Code("OCLC Institution Symbol", f"{_OCLC}userid/oclcids.scm"), can_look_up_users=False,
)  # fmt: skip
RESHARE_WMS2 = replace(
    WMS, key="reshare-wms2", name="OCLC WorldShare, as ReShare speaks to it (WMS2)",
    agency_scheme=f"{_OCLC}agencyid/institutionid.scm", accept_action="Hold For Fulfillment",
    style=Style(version=Version.V2_0, prefix="ns1"),
)  # fmt: skip

_RESHARE = replace(
    GENERIC, can_look_up_items=False, one_agency=True, style=Style(version=Version.V2_0, prefix="ns1"), mandated=False
)
ALMA = replace(
    _RESHARE, key="alma", name="Ex Libris Alma", already_checked_in=(*CHECKED_IN_ALREADY, "item is not on loan")
)
SIERRA = replace(_RESHARE, key="sierra", name="Innovative Sierra")
EVERGREEN = replace(_RESHARE, key="evergreen", name="Evergreen")
FOLIO = replace(
    _RESHARE, key="folio", name="FOLIO mod-ncip", sends_desired_due=False,
    already_checked_out=("item is already checked out",),
)  # fmt: skip
KOHA = replace(
    _RESHARE, key="koha", name="Koha, NCIP server",
    # its parser finds the root by the bare name: a prefix makes it fail
    style=Style(version=Version.V2_02, prefix=None, qualified=False), can_look_up_items=True,
    already_checked_out=("check out not allowed - item is already checked out",),
)  # fmt: skip

_RESHARE_1 = replace(
    GENERIC_1, style=Style(version=Version.V1_0, prefix=None, namespaced=False, qualified=False),
    pickup_as_to_agency=True, sends_desired_due=False,
)  # fmt: skip
POLARIS = replace(_RESHARE_1, key="polaris", name="Innovative Polaris")
SYMPHONY = replace(_RESHARE_1, key="symphony", name="SirsiDynix Symphony")
HORIZON = replace(_RESHARE_1, key="horizon", name="SirsiDynix Horizon")
VOYAGER = replace(_RESHARE_1, key="voyager", name="Ex Libris Voyager", content_type="text/xml")
TLC = replace(_RESHARE_1, key="tlc", name="TLC", agency_scheme="tlcdelivers")
ALEPH = replace(
    _RESHARE_1, key="aleph", name="Ex Libris Aleph", content_type="application/x-www-form-urlencoded",
    already_accepted=("duplicate item",),
)  # fmt: skip

RELAIS_2 = Dialect(
    "relais-2", "Relais, generic version 2.0",
    style=Style(version=Version.V2_0, prefix=None, qualified=False), sends_request_id_at_check_out=False,
    sends_desired_due=False,
)  # fmt: skip
RELAIS_1 = replace(GENERIC_1, key="relais-1", name="Relais, version 1", sends_request_id_at_check_out=False)

DIALECTS: dict[str, Dialect] = {
    dialect.key: dialect
    for dialect in (
        GENERIC, INTERLEND, GENERIC_1, WMS, RESHARE_WMS2, ALMA, FOLIO, KOHA, EVERGREEN, POLARIS, SIERRA, SYMPHONY,
        HORIZON, VOYAGER, TLC, ALEPH, RELAIS_2, RELAIS_1,
    )
}  # fmt: skip
