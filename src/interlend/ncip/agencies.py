"""Messages about agencies, and about the versions they speak.

Strategy: frozen classes with the elements' names in snake case, in the order of the standard (Z39.83-1, services).
Reading fills them, writing takes the order from `grammar.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from interlend.ncip.messages import Initiation, Notification, Response
from interlend.ncip.parts import AddressInformation, AgencyFields, AuthenticationPrompt, OrganizationNameInformation
from interlend.ncip.values import Code, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupAgency(Initiation):
    """Asks an agency about itself."""

    agency: Code | None = None
    agency_element_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupAgencyResponse(Response):
    """The agency's names, addresses, prompts, profiles and agreements."""

    agency: Code | None = None
    organization_name_information: tuple[OrganizationNameInformation, ...] = ()
    agency_address_information: tuple[AddressInformation, ...] = ()
    authentication_prompts: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_types: tuple[Code, ...] = ()
    consortium_agreements: tuple[Code, ...] = ()
    agency_user_privilege_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAgency(Initiation):
    """Asks for a new agency."""

    mandated_action: Moment | None = None
    agency: Code | None = None
    organization_name_information: tuple[OrganizationNameInformation, ...] = ()
    agency_address_information: tuple[AddressInformation, ...] = ()
    authentication_prompts: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_types: tuple[Code, ...] = ()
    consortium_agreements: tuple[Code, ...] = ()
    agency_user_privilege_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAgencyResponse(Response):
    """The id of the new agency."""

    agency: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAgency(Initiation):
    """Asks to change an agency: first delete, then add."""

    mandated_action: Moment | None = None
    agency: Code | None = None
    delete_agency_fields: AgencyFields | None = None
    add_agency_fields: AgencyFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAgencyResponse(Response):
    """The id of the changed agency."""

    agency: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyCreated(Notification):
    """Tells of a new agency."""

    agency: Code | None = None
    organization_name_information: tuple[OrganizationNameInformation, ...] = ()
    agency_address_information: tuple[AddressInformation, ...] = ()
    authentication_prompts: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_types: tuple[Code, ...] = ()
    consortium_agreements: tuple[Code, ...] = ()
    agency_user_privilege_types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyCreatedResponse(Response):
    """Heard, or what was wrong with the AgencyCreated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyUpdated(Notification):
    """Tells that an agency was changed."""

    agency: Code | None = None
    delete_agency_fields: AgencyFields | None = None
    add_agency_fields: AgencyFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyUpdatedResponse(Response):
    """Heard, or what was wrong with the AgencyUpdated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupVersion(Initiation):
    """Asks which versions are spoken. The header stands only in messages that came inside NCIPMessage."""

    from_agency: Code | None = None
    to_agency: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupVersionResponse(Response):
    """The versions spoken (identifiers as in the version attribute) and the services offered."""

    from_agency: Code | None = None
    to_agency: Code | None = None
    versions_supported: tuple[str, ...] = ()
    services_supported: tuple[str, ...] = ()
