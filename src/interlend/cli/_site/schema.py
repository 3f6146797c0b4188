"""What may stand in a site file, as pydantic models; their words and limits are those of the rows they become.

Strategy: a key that is left out leaves what is there (or the row's own default), so no model repeats a default;
`model_fields_set` says what was given. Unknown keys are errors.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time
from difflib import get_close_matches
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, NamedTuple
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    field_validator,
)

from interlend.bridge.connections import why_no_network
from interlend.bridge.dialects import DIALECTS
from interlend.bridge.ncip_responder.door import SERVICES
from interlend.libraries.policies import ROLES

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def suggestion(word: str, among: list[str] | tuple[str, ...]) -> str:
    """ "; did you mean X?" where something is close, else the choices where they are few, else nothing."""
    by_fold = {known.casefold(): known for known in among}
    close = get_close_matches(word.casefold(), list(by_fold), n=1, cutoff=0.6)
    if close:
        return f"; did you mean {by_fold[close[0]]}?"
    return f"; possible: {', '.join(among)}" if 0 < len(among) <= 16 else ""


# --- what a single value may be ---------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """No control characters but line breaks, and no half characters: no database keeps them."""
    if any(unicodedata.category(char) in ("Cc", "Cs") and char != "\n" for char in text):
        raise ValueError("must be without tabs and control characters")
    return text


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must stand on one line")
    return _clean(text)


def _code(text: str) -> str:
    if any(char.isspace() for char in text):
        raise ValueError(f"“{text}” must be one word without spaces")
    return _one_line(text)


def _email(text: str) -> str:
    try:
        if text:
            validate_email(text)
    except DjangoValidationError:
        raise ValueError(f"“{text}” is no e-mail address; it looks like name@library.example") from None
    return text


def _time_zone(text: str) -> str:
    if text not in (zones := available_timezones()):
        raise ValueError(f"unknown time zone “{text}”{suggestion(text, sorted(zones)) or '; try Europe/Paris'}")
    return text


def _language(text: str) -> str:
    if text not in (known := [code for code, _ in settings.LANGUAGES]):
        raise ValueError(f"Interlend does not speak “{text}” yet{suggestion(text, known)}")
    return text


def _colour(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError(f'“{text}” is no colour; write it as "#0b5c63", in quotes')
    return text.lower()


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
            return date.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"there is no day {value} in the calendar") from None
    raise ValueError(f"“{value}” is no date; write it as 2027-05-12")


def _role(text: str) -> str:
    if text not in ROLES:
        raise ValueError(f"unknown role “{text}”{suggestion(text, tuple(ROLES))}")
    return text


def _dialect(text: str) -> str:
    if text not in DIALECTS:
        raise ValueError(f"unknown dialect “{text}”{suggestion(text, list(DIALECTS)) or '; try generic'}")
    return text


def _service(text: str) -> str:
    if text not in SERVICES:
        raise ValueError(f"“{text}” is not offered to callers{suggestion(text, sorted(SERVICES))}")
    return text


def _network(text: str) -> str:
    if sentence := why_no_network(text):
        raise ValueError(sentence.rstrip("."))
    return text


def _currency(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise ValueError(f"“{text}” is no currency; write its three letters, as EUR")
    return text.upper()


class Span(NamedTuple):
    """Open from `opens` to `closes`, in the library's own time."""

    opens: time
    closes: time


_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"“{text}” are no open hours; write them as 08:00-17:30, or closed")
    try:
        opens, closes = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    except ValueError:
        raise ValueError(f"“{text}” is no time of day; the last minute is 23:59") from None
    if closes <= opens:
        raise ValueError(f"“{text}” closes before it opens; hours past midnight belong to the next day")
    return Span(opens, closes)


def _spans(value: Any) -> tuple[Span, ...]:
    """`08:00-17:30`, `closed`, or a list of spans; in order and apart."""
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("open hours are written as 08:00-17:30, as a list of such, or as closed")
    if [text.strip() for text in texts] == ["closed"]:
        return ()
    spans = sorted(_span(text) for text in texts)
    for one, next_one in pairwise(spans):
        if next_one.opens < one.closes:
            said = f"{one.opens:%H:%M}-{one.closes:%H:%M} and {next_one.opens:%H:%M}-{next_one.closes:%H:%M}"
            raise ValueError(f"{said} overlap; write them as one")
    return tuple(spans)


Code = Annotated[str, Field(min_length=1, max_length=20), AfterValidator(_code)]
Word40 = Annotated[str, Field(max_length=40), AfterValidator(_one_line)]
Barcode = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_code)]
SignIn = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_code)]
Name80 = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_one_line)]
Name120 = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_one_line)]
Remark80 = Annotated[str, Field(max_length=80), AfterValidator(_one_line)]
Paragraph = Annotated[str, Field(max_length=2000), AfterValidator(_clean)]
Line = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_one_line)]
Secret = Annotated[str, Field(min_length=1, max_length=1000)]
Word60 = Annotated[str, Field(max_length=60), AfterValidator(_one_line)]
Word120 = Annotated[str, Field(max_length=120), AfterValidator(_one_line)]
Address = Annotated[str, Field(max_length=300), AfterValidator(_one_line)]
Names = list[Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_one_line)]]
#: a secret that may also be taken away again, by being empty
AnySecret = Annotated[str, Field(max_length=1000)]
Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]
Day = Annotated[date, BeforeValidator(_day)]
Count = Annotated[int, Field(ge=0, le=10_000)]
Spans = Annotated[tuple[Span, ...], PlainValidator(_spans)]


# --- the parts of the file --------------------------------------------------------------------------------------


class Part(BaseModel):
    """A mapping of the file. `said` names it in sentences."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    said: ClassVar[str] = "the site file"

    def given(self, *names: str) -> dict[str, Any]:
        """Those of `names` that stand in the file."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}


class Week(Part):
    """Open hours by weekday; a day left out is a closed day."""

    said: ClassVar[str] = "open_hours"
    monday: Spans = ()
    tuesday: Spans = ()
    wednesday: Spans = ()
    thursday: Spans = ()
    friday: Spans = ()
    saturday: Spans = ()
    sunday: Spans = ()

    def rows(self) -> list[tuple[int, time, time]]:
        """(weekday with Monday as 0, opens, closes)"""
        return [(number, *span) for number, day in enumerate(WEEKDAYS) for span in getattr(self, day)]


class Closure(Part):
    """Closed from `first_day` to `last_day`; without a last day, on that one day."""

    said: ClassVar[str] = "a closure"
    first_day: Day
    last_day: Day | None = None
    why: Remark80 = ""

    @field_validator("last_day")
    @classmethod
    def _in_order(cls, last_day: date | None, info: ValidationInfo) -> date | None:
        first_day = info.data.get("first_day")
        if last_day is not None and first_day is not None and last_day < first_day:
            raise ValueError(f"the closure ends on {last_day}, before its first day {first_day}")
        return last_day


class Branch(Part):
    """A place of the library."""

    said: ClassVar[str] = "a branch"
    code: Code
    name: Name120
    pickup: Literal["active", "inactive", "never"] = "active"
    open_hours: Week | None = None
    closures: list[Closure] | None = None


class ShelvingLocation(Part):
    """Where in a branch an item stands."""

    said: ClassVar[str] = "a shelving location"
    code: Code
    name: Name80


class PatronType(Part):
    """A class of patrons."""

    said: ClassVar[str] = "a patron type"
    code: Code
    name: Name80
    item_limit: Count | None = None


class Staff(Part):
    """A person who works here. One of the three password keys is needed for somebody new."""

    said: ClassVar[str] = "a staff member"
    sign_in: SignIn
    name: Name120
    email: Email = ""
    roles: list[Annotated[str, AfterValidator(_role)]]
    branch: Code | None = None
    active: bool = True
    password: Secret | None = None
    password_env: Name120 | None = None
    password_file: Line | None = None


class LoanPolicy(Part):
    """How long and how often something may be borrowed."""

    said: ClassVar[str] = "a loan policy"
    name: Name80
    circulates: Literal["always", "never"] = "always"
    period: Annotated[int, Field(ge=0, le=3650)] = 28
    unit: Literal["days", "weeks", "months"] = "days"
    include_closed_days: bool = False
    renewals: Count = 2


class MapRow(Part):
    """Which loan policy applies; a key left out matches anything, the first row that matches wins."""

    said: ClassVar[str] = "a row of the loan policy map"
    patron_type: Code | None = None
    holding_location: Code | None = None
    shelving_location: Code | None = None
    material_format: Word40 = ""
    policy: Name80


class CollectionTypePolicy(Part):
    """What a check-in makes of an item."""

    said: ClassVar[str] = "a collection type policy"
    name: Name80
    holding_location: Code | None = None
    shelving_location: Code | None = None
    available: bool = True
    fulfills_holds: bool = True


class HoldPolicy(Part):
    """How long holds wait, how long they stay on the shelf, whether the pickup notice goes."""

    said: ClassVar[str] = "hold_policy"
    request_days: Annotated[int, Field(ge=1, le=3650)] = 365
    shelf_days: Annotated[int, Field(ge=1, le=365)] = 7
    pickup_notice: bool = True


class NoticePolicy(Part):
    """Which letters the library sends."""

    said: ClassVar[str] = "notice_policy"
    overdue: bool = True
    overdue_days: Annotated[int, Field(ge=1, le=365)] = 1


class IllSettings(Part):
    """Where temporary items live and go home to."""

    said: ClassVar[str] = "ill_settings"
    enabled: bool = True
    holding_location: Code
    shelving_location: Code
    home_branch: Code


class Host(Part):
    """Which circulation system the library has, and how it is reached. Each secret may be kept elsewhere."""

    said: ClassVar[str] = "host"
    kind: Literal["in_process", "ncip", "by_hand"] = "in_process"
    name: Remark80 = ""
    url: Address = ""
    dialect: Annotated[str, AfterValidator(_dialect)] = "generic"
    from_agency: Word60 = ""
    to_agency: Word60 = ""
    profile: Word60 = ""
    agency_secret: AnySecret | None = None
    agency_secret_env: Name120 | None = None
    agency_secret_file: Line | None = None
    auth: Literal["none", "basic", "bearer", "api_key", "oauth2"] = "none"
    auth_user: Word120 = ""
    auth_secret: AnySecret | None = None
    auth_secret_env: Name120 | None = None
    auth_secret_file: Line | None = None
    auth_header: Word60 = ""
    token_url: Address = ""
    scope: Word120 = ""
    ca_file: Address = ""
    test_patron: Word60 = ""


class NcipCaller(Part):
    """A program that may drive our circulation over NCIP. Each secret may be kept elsewhere."""

    said: ClassVar[str] = "an NCIP caller"
    name: Name80
    active: bool = True
    default: bool = False
    from_agencies: Names = []
    from_systems: Names = []
    to_agencies: Names = []
    secret: AnySecret | None = None
    secret_env: Name120 | None = None
    secret_file: Line | None = None
    http_user: Remark80 = ""
    http_password: AnySecret | None = None
    http_password_env: Name120 | None = None
    http_password_file: Line | None = None
    bearer_token: AnySecret | None = None
    bearer_token_env: Name120 | None = None
    bearer_token_file: Line | None = None
    networks: list[Annotated[str, AfterValidator(_network)]] = []
    services: list[Annotated[str, AfterValidator(_service)]] = []
    on_clash: Literal["refuse", "suffix", "reuse"] = "refuse"
    pickups: dict[str, Code] = {}
    currency: Annotated[str, AfterValidator(_currency)] = "USD"
    new_user_type: Annotated[str, Field(max_length=20)] = ""
    no_block_or_trap: bool = False
    bare_problems: bool = False
    header_as_sent: bool = False


class Account(Part):
    """The partner's institution account in our circulation, to which our items are lent."""

    said: ClassVar[str] = "an institution account"
    barcode: Barcode
    patron_type: Code
    name: Name120 | None = None
    home_branch: Code | None = None
    email: Email = ""
    phone: Word40 = ""
    address: Paragraph = ""
    expires_on: Day | None = None
    note: Paragraph = ""


class Partner(Part):
    """Another library as this one knows it."""

    said: ClassVar[str] = "a partner"
    symbol: Code
    name: Name120
    email: Email = ""
    return_address: Paragraph = ""
    lends: bool = True
    note: Paragraph = ""
    account: Account | None = None


class Library(Part):
    """One tenant with everything that is its own."""

    said: ClassVar[str] = "a library"
    symbol: Code
    name: Name120
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    language: Annotated[str, AfterValidator(_language)] = "en"
    accent: Annotated[str, AfterValidator(_colour)] = ""
    email_from: Email = ""
    return_address: Paragraph = ""
    open_hours: Week | None = None
    closures: list[Closure] | None = None
    branches: list[Branch] = []
    shelving_locations: list[ShelvingLocation] = []
    patron_types: list[PatronType] = []
    staff: list[Staff] = []
    loan_policies: list[LoanPolicy] = []
    loan_policy_map: list[MapRow] | None = None
    collection_type_policies: list[CollectionTypePolicy] | None = None
    hold_policy: HoldPolicy | None = None
    notice_policy: NoticePolicy | None = None
    ill_settings: IllSettings | None = None
    host: Host | None = None
    ncip_callers: list[NcipCaller] = []
    partners: list[Partner] = []


class Site(Part):
    """The whole file."""

    libraries: Annotated[list[Library], Field(min_length=1)]
