"""How each vendor's circulation system wishes to be spoken to: frozen records, never `if vendor ==`.

Strategy: one generic dialect per version, and each vendor as its differences from it. What a site sets itself (address,
agency ids, secrets) is not here but in its `Peer`. Sources: the reference on NCIP, sections 3.2 to 3.4 and 4.2; what
vendors publish about their responders, named beside the records; the shapes agree with real messages of the same
vendors (tests/bridge/test_dialects.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from interlend.ncip import Style, Version
from interlend.ncip.values import Code

#: whose agency id stands beside an identifier: the host's name for the library, ours, the lender's, or none
Agency = Literal["to", "from", "lender", "none"]

_OCLC = "http://oclc.org/ncip/schemes/"
_NISO = "http://www.niso.org/ncip/v1_0/imp1/schemes/"
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
    #: FromAgencyId and ToAgencyId are both the library itself (OCLC: two systems of one library speak)
    one_agency: bool = False
    agency_scheme: str | None = None
    profile: Code | None = None
    #: it refuses messages without the profile that the site has been given
    needs_profile: bool = False
    item_type: Code | None = None
    user_type: Code | None = None
    request_type: Code | None = None
    # whose agency stands beside the ids
    user_agency: Agency = "to"
    request_agency: Agency = "from"
    item_agency: Agency = "to"
    #: of the item in AcceptItem; "lender" is how a borrower's circulation learns whose book it is
    accepted_item_agency: Agency = "to"
    accept_action: Code = field(default_factory=lambda: Code("Hold For Pickup"))
    medium: Code | None = None
    pickup_scheme: str | None = None
    #: version 1 has no PickupLocation: the place stands in ToAgencyId
    pickup_as_to_agency: bool = False
    sends_call_number: bool = True
    sends_request_id_at_check_out: bool = True
    sends_desired_due: bool = True
    mandated: bool = False
    date_only: bool = False
    #: letters beyond ASCII arrive damaged, so they are sent without their accents
    ascii_only: bool = False
    #: the account may be named by the borrower's symbol instead of a barcode
    institution_type: Code | None = None
    user_elements: tuple[str, ...] = ("Name Information", "User Privilege", "Block Or Trap")
    user_element_scheme: str | None = None
    check_in_elements: tuple[str, ...] = ()
    item_element_scheme: str | None = None
    can_look_up_users: bool = True
    can_look_up_items: bool = False
    can_look_up_requests: bool = False
    #: repeating the same message does no harm (it answers as the first time)
    repeat_is_safe: bool = False
    already_checked_in: tuple[str, ...] = CHECKED_IN_ALREADY
    already_accepted: tuple[str, ...] = ()

    @property
    def lender_in_item_id(self) -> bool:
        """Whether the host is told whose book it is."""
        return self.accepted_item_agency == "lender"


GENERIC = Dialect("generic", "NCIP 2.02, as the standard says", can_look_up_items=True, can_look_up_requests=True)
INTERLEND = replace(
    GENERIC, key="interlend", name="Interlend", repeat_is_safe=True, accepted_item_agency="lender", mandated=True,
    medium=Code("Book"),
)  # fmt: skip
GENERIC_1 = Dialect(
    "generic-1", "NCIP version 1, as the standard says",
    style=Style(version=Version.V1_0, prefix=None, namespaced=False, qualified=False, doctype=True),
    user_elements=("Visible User Id", "Name Information", "User Privilege", "Block Or Trap"), sends_call_number=False,
    can_look_up_items=True,
)  # fmt: skip

_USER_BARCODE = Code("Barcode", f"{_NISO}visibleuseridentifiertype/visibleuseridentifiertype.scm")
_ITEM_BARCODE = Code("Barcode", f"{_NISO}visibleitemidentifiertype/visibleitemidentifiertype.scm")

WMS = Dialect(
    "wms", "OCLC WorldShare, circulation/ILL profile 2.00",
    from_system=Code("Relais D2D", f"{_OCLC}systemid/oclcsystemid.scm"),
    to_system=Code("WMS Circ", f"{_OCLC}systemid/oclcsystemid.scm"), one_agency=True,
    agency_scheme=f"{_OCLC}agencyid/symbol.scm",
    profile=Code("2.00", f"{_OCLC}applicationprofiletype/circillapplicationprofiletype.scm"),
    item_type=_ITEM_BARCODE, user_type=_USER_BARCODE,
    request_type=Code("ILL Request Id", f"{_OCLC}requestidentifiertype/circillrequestidentifiertype.scm"),
    user_agency="none", request_agency="none", item_agency="none", accepted_item_agency="lender",
    accept_action=Code("Circulate", f"{_NISO}requestedactiontype/requestedactiontype.scm"),
    medium=Code("Book", "http://worldcat.org/ncip/schemes/v2/extensions/mediumtype.scm"),
    pickup_scheme=f"{_OCLC}pickuplocation/branchid.scm", mandated=True,
    institution_type=Code("OCLC Institution Symbol", f"{_OCLC}userid/oclcids.scm"), can_look_up_users=False,
)  # fmt: skip

_RESHARE_2_0 = "http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_0.xsd"
_RESHARE_SCHEMES = "http://www.niso.org/ncip/v1_0/schemes/"

RESHARE_WMS2 = replace(
    WMS, key="reshare-wms2", name="OCLC WorldShare, as ReShare speaks to it (WMS2)",
    style=Style(version=Version.V2_0, version_uri=_RESHARE_2_0, prefix="ns1"),
    from_system=Code("ReShare", f"{_OCLC}systemid/oclcsystemid.scm"),
    agency_scheme=f"{_OCLC}agencyid/institutionid.scm", accepted_item_agency="to",
    accept_action=Code(
        "Hold For Fulfillment",
        "http://www.oclc.org/ncip/schemes/ws-illv1_0requestedactiontype/requestedactiontype.scm",
    ),
    medium=None, mandated=False, institution_type=None, check_in_elements=("Bibliographic Description",),
    item_element_scheme=f"{_RESHARE_SCHEMES}itemelementtype/itemelementtype.scm",
)  # fmt: skip

_RESHARE = replace(
    GENERIC, can_look_up_items=False, can_look_up_requests=False,
    style=Style(version=Version.V2_0, version_uri=_RESHARE_2_0, prefix="ns1"),
    user_agency="from", item_agency="from", accepted_item_agency="from",
    user_elements=("Name Information", "User Address Information", "User Privilege", "User Id"),
    user_element_scheme=f"{_RESHARE_SCHEMES}userelementtype/userelementtype.scm",
    check_in_elements=("Bibliographic Description",),
    item_element_scheme=f"{_RESHARE_SCHEMES}itemelementtype/itemelementtype.scm",
)  # fmt: skip
# Alma's NCIP application profile (version 2): From and To are both the institution's code or ISIL, the profile is the
# code of the partner record; it offers no lookup of items.
ALMA = replace(
    _RESHARE, key="alma", name="Ex Libris Alma", one_agency=True, needs_profile=True,
    already_checked_in=(*CHECKED_IN_ALREADY, "item is not on loan"),
)  # fmt: skip
# Sierra's help on its NCIP Responder: version 2.0, holds and loans of lent items go to one institutional patron record.
SIERRA = replace(_RESHARE, key="sierra", name="Innovative Sierra")
# NCIPServer's driver for Evergreen: any action that begins with Hold; a barcode that is there already is refused as
# Duplicate Item; checked in, a borrowed item is deleted. (iNCIPit is for INN-Reach: its AcceptItem wants a copy and a
# hold that ItemShipped has made, so it cannot be driven with these four services.)
EVERGREEN = replace(_RESHARE, key="evergreen", name="Evergreen")
# mod-ncip finds its settings by FromAgencyId and answers a UserId only where User Id was asked for.
FOLIO = replace(_RESHARE, key="folio", name="FOLIO mod-ncip")
KOHA = replace(
    _RESHARE, key="koha", name="Koha, NCIP server",
    # its parser finds the root by the bare name: a prefix makes it fail
    style=replace(_RESHARE.style, prefix=None, qualified=False), can_look_up_items=True,
)  # fmt: skip
# Some Polaris sites answer version 2; their parser wants no prefixes either.
POLARIS_2 = replace(KOHA, key="polaris-2", name="Innovative Polaris, version 2", can_look_up_items=False)
CROSSLINK = replace(
    GENERIC, key="crosslink", name="As CrossLink speaks", can_look_up_items=False, can_look_up_requests=False,
    style=Style(version=Version.V2_02, version_uri="http://www.niso.org/ncip/v2_02/imp1/xsd/ncip_v2_02.xsd"),
    user_agency="none", request_agency="none", item_agency="none", accepted_item_agency="none",
    check_in_elements=("Bibliographic Description",),
)  # fmt: skip

_RESHARE_1 = replace(
    GENERIC_1, style=Style(version=Version.V1_0, prefix=None, namespaced=False, qualified=False),
    agency_scheme=f"{_RESHARE_SCHEMES}agency.scm", accepted_item_agency="from", pickup_as_to_agency=True,
    user_elements=("User Address Information", "User Privilege", "Name Information", "Visible User Id"),
    user_element_scheme=f"{_RESHARE_SCHEMES}userelementtype/userelementtype.scm", sends_desired_due=False,
    can_look_up_items=False,
)  # fmt: skip
# ToAgencyId is the abbreviation of a branch; Polaris reckons due dates itself, whatever is wished (its users' forum).
POLARIS = replace(_RESHARE_1, key="polaris", name="Innovative Polaris")
SYMPHONY = replace(_RESHARE_1, key="symphony", name="SirsiDynix Symphony")
HORIZON = replace(_RESHARE_1, key="horizon", name="SirsiDynix Horizon")
VOYAGER = replace(_RESHARE_1, key="voyager", name="Ex Libris Voyager", content_type="text/xml", ascii_only=True)
# The scheme is the one that the manual of Relais ILL gives for TLC.
TLC = replace(
    _RESHARE_1, key="tlc", name="TLC", agency_scheme="http://www.tlcdelivers.com/ncip/schemes/uniqueagencyid.scm"
)
ALEPH = replace(
    _RESHARE_1, key="aleph", name="Ex Libris Aleph", content_type="application/x-www-form-urlencoded",
    already_accepted=("duplicate item",),
)  # fmt: skip

RELAIS_2 = Dialect(
    "relais-2", "As Relais D2D speaks, version 2.0", style=Style(version=Version.V2_0, prefix=None, qualified=False),
    user_elements=("Name Information", "User Address Information", "User Privilege", "User Id"),
    check_in_elements=("Bibliographic Description",), sends_request_id_at_check_out=False, sends_desired_due=False,
)  # fmt: skip
RELAIS_1 = replace(
    GENERIC_1, key="relais-1", name="As Relais D2D speaks, version 1", sends_request_id_at_check_out=False,
    can_look_up_items=False,
)  # fmt: skip

DIALECTS: dict[str, Dialect] = {
    dialect.key: dialect
    for dialect in (
        GENERIC, INTERLEND, GENERIC_1, WMS, RESHARE_WMS2, ALMA, FOLIO, KOHA, EVERGREEN, POLARIS, POLARIS_2, SIERRA,
        SYMPHONY, HORIZON, VOYAGER, TLC, ALEPH, RELAIS_2, RELAIS_1, CROSSLINK,
    )
}  # fmt: skip
