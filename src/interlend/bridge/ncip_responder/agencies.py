"""What this responder is: LookupAgency, LookupVersion.

Strategy: an agency may ask about the library it speaks to, and learns its name, its address and what it offers.
LookupVersion has a root of its own, and peers that put it into NCIPMessage are answered there. Fact 11.
"""

from __future__ import annotations

from collections.abc import Iterable

from interlend import ncip
from interlend.bridge.ncip_responder import answers
from interlend.bridge.ncip_responder.asking import Ask
from interlend.circulation.models import PatronType
from interlend.libraries.models import Library

VERSIONS = (
    "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd",
    "http://www.niso.org/schemas/ncip/v2_01/ncip_v2_01.xsd",
    "http://www.niso.org/schemas/ncip/v2_0/ncip_v2_0.xsd",
    "http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd",
)
AUTHENTICATION_INPUTS = "http://www.niso.org/ncip/v1_0/imp1/schemes/authenticationinputtype/authenticationinputtype.scm"
_PROFILE = ncip.Code(
    "2.00", "http://oclc.org/ncip/schemes/applicationprofiletype/circillapplicationprofiletype.scm"
)  # fmt: skip
_TEXT = ncip.Code("text/plain", "http://www.iana.org/assignments/media-types")


def _prompt(words: str, kind: str, *, secret: bool) -> ncip.AuthenticationPrompt:
    asked_for = ncip.PromptInput(ncip.Code(kind, AUTHENTICATION_INPUTS), _TEXT, secret)
    return ncip.AuthenticationPrompt(ncip.PromptOutput(words, _TEXT), asked_for)


_PROMPTS = (_prompt("Barcode", "Barcode Id", secret=False), _prompt("PIN", "PIN", secret=True))


def lookup_agency(ask: Ask, message: ncip.LookupAgency) -> ncip.Response:
    """The library itself; other agencies are none of the caller's business.

    How a patron proves to be who they are is asked as barcode and PIN.
    """
    if message.agency is not None and not ask.is_the_library(message.agency.value):
        raise ask.no("Unknown Agency", "Only the library that is spoken to can be looked up.", "AgencyId",
                     message.agency.value)  # fmt: skip
    wanted = answers.asked(message.agency_element_types)
    library = Library.objects.get(pk=ask.library_id)
    return ncip.LookupAgencyResponse(
        header=ask.header(), agency=message.agency or ask.agency,
        organization_name_information=(answers.organization(library.name),)
        if _any(wanted, "organizationnameinformation") else (),
        agency_address_information=_address(library) if _any(wanted, "agencyaddressinformation") else (),
        authentication_prompts=_PROMPTS if _any(wanted, "authenticationprompt") else (),
        application_profile_supported_types=(_PROFILE,) if _any(wanted, "applicationprofilesupportedtype") else (),
        agency_user_privilege_types=_types(ask) if _any(wanted, "agencyuserprivilegetype") else (),
    )  # fmt: skip


def _any(wanted: frozenset[str], element: str) -> bool:
    return not wanted or element in wanted


def _types(ask: Ask) -> tuple[ncip.Code, ...]:
    names = PatronType.objects.filter(library_id=ask.library_id).values_list("name", flat=True)
    return tuple(ncip.Code(name) for name in names)


def _address(library: Library) -> tuple[ncip.AddressInformation, ...]:
    if not library.return_address.strip():
        return ()
    text = ncip.UnstructuredAddress(ncip.Code("Newline-Delimited Text"), library.return_address.strip())
    physical = ncip.PhysicalAddress(unstructured_address=text, physical_address_type=ncip.Code("Postal Address"))
    return (ncip.AddressInformation(role=ncip.Code("Multi-Purpose"), physical_address=physical),)


def lookup_version(ask: Ask, message: ncip.LookupVersion, offered: Iterable[str]) -> ncip.Response:
    """The versions we speak and the services `offered`."""
    return ncip.LookupVersionResponse(
        header=ask.header(), from_agency=message.to_agency or ask.agency, to_agency=message.from_agency,
        versions_supported=VERSIONS, services_supported=tuple(sorted(offered)),
    )  # fmt: skip
