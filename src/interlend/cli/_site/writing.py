"""Writes a valid site: creates what is new, updates what differs, leaves the rest untouched. One transaction.

Strategy: every kind of thing has one small function; most go through `_put`, which compares before it saves. Open
hours, closures, the loan policy map and the collection type policies are read as a whole: what the file does not name
is removed. Nothing else is ever removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.hashers import check_password
from django.db import IntegrityError, transaction
from django.db.models import Manager, Model

from interlend.bridge.callers import keyed
from interlend.bridge.models import HostSettings, NcipCaller
from interlend.circulation import models as circulation
from interlend.circulation.services import PatronRecord, save_patron
from interlend.cli._site import schema
from interlend.cli._site.checks import SECRETS
from interlend.cli._site.reading import HOST, SiteFile
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch, Closure, Library, OpenHours, StaffMember
from interlend.notices.models import NoticePolicy
from interlend.sharing.models import Partner

HOST_NAMES = (
    "kind", "name", "url", "dialect", "from_agency", "to_agency", "profile", "auth", "auth_user", "auth_header",
    "token_url", "scope", "ca_file", "test_patron",
)  # fmt: skip
CALLER_NAMES = (
    "active", "default", "from_agencies", "from_systems", "to_agencies", "http_user", "networks", "services",
    "on_clash", "pickups", "currency", "new_user_type", "no_block_or_trap", "bare_problems", "header_as_sent",
)  # fmt: skip
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Outcome:
    """What became of one thing: created, updated, unchanged or removed. `changes` are the fields of an update."""

    what: str
    thing: str
    changes: tuple[str, ...] = ()


def write_site(file: SiteFile, now: datetime) -> list[Outcome]:
    """Bring the installation to what the file says; one outcome a thing, in the order of the file."""
    try:
        return _write_all(file, now)
    except IntegrityError:  # another apply made the same rows between our look and our write: look again
        return _write_all(file, now)


def _write_all(file: SiteFile, now: datetime) -> list[Outcome]:
    with transaction.atomic():
        return [done for part in file.site.libraries for done in _Library(part, file, now).write()]


@dataclass
class _Library:
    """The writing of one library: its part of the file, and the rows that later parts refer to, by their code."""

    part: schema.Library
    file: SiteFile
    now: datetime
    outcomes: list[Outcome] = field(default_factory=list)

    def write(self) -> list[Outcome]:
        names = ("name", "time_zone", "language", "accent", "email_from", "return_address")
        key = {"symbol": self.part.symbol}
        self.library = self._put(Library.objects, f"library {self.part.symbol}", key, self.part, names)
        self._places()
        self._codes()
        self._policies()
        self._people()
        self._sharing()
        self._joins()
        return self.outcomes

    # --- rows, compared before they are saved ---

    def _put(
        self, rows: Manager[Row], thing: str, key: dict[str, Any], part: schema.Part, names: Sequence[str] = (),
        **more: Any,
    ) -> Row:  # fmt: skip
        """Create or update the row with this `key` from the given ones of `names`, and `more` as it is."""
        given = part.given(*names) | more
        row = rows.filter(**key).first()
        if row is None:
            row = rows.create(**key, **given)
            self._note("created", thing)
            return row
        changes = [name for name, value in given.items() if getattr(row, name) != value]
        for name in changes:
            setattr(row, name, given[name])
        if changes:
            row.save(update_fields=changes)
        self._note("updated" if changes else "unchanged", thing, changes)
        return row

    def _put_coded(self, rows: Manager[Row], thing: str, key: str, part: schema.Part, *names: str, **more: Any) -> Row:
        """The same for a row of this library that is known by its code, name or symbol."""
        code = getattr(part, key)
        return self._put(rows, f"{thing} {code}", {"library": self.library, key: code}, part, names, **more)

    def _replace(self, thing: str, rows: Manager[Row], wanted: list[dict[str, Any]], **where: Any) -> None:
        """A list read as a whole: rows that are not `wanted` go, rows that are new come, the others stay."""
        old = list(rows.filter(library=self.library, **where))
        stale = [row for row in old if not any(_same(row, given) for given in wanted)]
        missing = [given for given in wanted if not any(_same(row, given) for row in old)]
        rows.filter(pk__in=[row.pk for row in stale]).delete()
        rows.bulk_create([rows.model(library=self.library, **where, **given) for given in missing])
        if old or wanted:
            changed = "updated" if stale or missing else "unchanged"
            self._note(changed if old else "created", thing)

    def _note(self, what: str, thing: str, changes: Iterable[str] = ()) -> None:
        said = thing if thing.startswith("library ") else f"{self.part.symbol} {thing}"
        self.outcomes.append(Outcome(what, said, tuple(name.removesuffix("_id") for name in changes)))

    # --- places and their calendars ---

    def _places(self) -> None:
        for part in self.part.branches:
            self._put_coded(Branch.objects, "branch", "code", part, "name", "pickup")
        self.branches = {row.code: row for row in Branch.objects.filter(library=self.library)}
        self._calendar(self.part, None)
        for part in self.part.branches:
            self._calendar(part, self.branches[part.code])

    def _calendar(self, part: schema.Library | schema.Branch, branch: Branch | None) -> None:
        at = f" of {branch.code}" if branch else ""
        if part.open_hours is not None:
            names = ("weekday", "opens", "closes")
            week = [dict(zip(names, row, strict=True)) for row in part.open_hours.rows()]
            self._replace(f"open hours{at}", OpenHours.objects, week, branch=branch)
        if part.closures is not None:
            closures: list[dict[str, Any]] = [
                {"first_day": closure.first_day, "last_day": closure.last_day or closure.first_day, "why": closure.why}
                for closure in part.closures
            ]
            self._replace(f"closures{at}", Closure.objects, closures, branch=branch)

    # --- codes that policies are chosen by ---

    def _codes(self) -> None:
        for place in self.part.shelving_locations:
            self._put_coded(circulation.ShelvingLocation.objects, "shelving location", "code", place, "name")
        for kind in self.part.patron_types:
            self._put_coded(circulation.PatronType.objects, "patron type", "code", kind, "name", "item_limit")
        mine = {"library": self.library}
        self.shelves = {row.code: row for row in circulation.ShelvingLocation.objects.filter(**mine)}
        self.patron_types = {row.code: row for row in circulation.PatronType.objects.filter(**mine)}

    # --- policies ---

    def _policies(self) -> None:
        terms = ("circulates", "period", "unit", "include_closed_days", "renewals")
        for part in self.part.loan_policies:
            self._put_coded(circulation.LoanPolicy.objects, "loan policy", "name", part, *terms)
        if self.part.loan_policy_map is not None:
            self._loan_policy_map(self.part.loan_policy_map)
        if self.part.collection_type_policies is not None:
            self._collection_type_policies(self.part.collection_type_policies)
        if (hold := self.part.hold_policy) is not None:
            names = ("request_days", "shelf_days", "pickup_notice")
            self._put(circulation.HoldPolicy.objects, "hold policy", {"library": self.library}, hold, names)

        if (notices := self.part.notice_policy) is not None:
            key = {"library": self.library}
            self._put(NoticePolicy.objects, "notice policy", key, notices, ("overdue", "overdue_days"))

    def _loan_policy_map(self, rows: list[schema.MapRow]) -> None:
        policies = dict(circulation.LoanPolicy.objects.filter(library=self.library).values_list("name", "pk"))
        wanted = [
            {
                "position": 10 * number, "patron_type_id": _key(self.patron_types, row.patron_type),
                "material_format": row.material_format, "policy_id": policies[row.policy], **self._locations(row),
            }
            for number, row in enumerate(rows, start=1)
        ]  # fmt: skip
        self._replace("loan policy map", circulation.LoanPolicyMap.objects, wanted)

    def _collection_type_policies(self, rows: list[schema.CollectionTypePolicy]) -> None:
        wanted = [
            {"name": r.name, "available": r.available, "fulfills_holds": r.fulfills_holds, **self._locations(r)}
            for r in rows
        ]
        self._replace("collection type policies", circulation.CollectionTypePolicy.objects, wanted)

    def _locations(self, part: schema.MapRow | schema.CollectionTypePolicy) -> dict[str, Any]:
        return {
            "holding_location_id": _key(self.branches, part.holding_location),
            "shelving_location_id": _key(self.shelves, part.shelving_location),
        }

    # --- people ---

    def _people(self) -> None:
        for part in self.part.staff:
            branch = {"branch": self.branches.get(part.branch or "")} if "branch" in part.model_fields_set else {}
            active = {"is_active": part.active} if "active" in part.model_fields_set else {}
            self._staff_member(part, part.given("name", "email", "roles") | branch | active)

    def _staff_member(self, part: schema.Staff, given: dict[str, Any]) -> None:
        """A password that is the same already is not hashed anew: its holder stays signed in."""
        member = StaffMember.objects.filter(sign_in=part.sign_in).first()
        secret, thing = self.file.passwords.get(part.sign_in), f"staff member {part.sign_in}"
        if member is None:
            StaffMember.objects.create_user(part.sign_in, self.library, secret, **given)
            self._note("created", thing)
            return
        changes = [name for name, value in given.items() if getattr(member, name) != value]
        for name in changes:
            setattr(member, name, given[name])
        if secret is not None and not check_password(secret, member.password):
            member.set_password(secret)
            changes.append("password")
        if changes:
            member.save(update_fields=changes)
        self._note("updated" if changes else "unchanged", thing, changes)

    # --- what sharing needs ---

    def _sharing(self) -> None:
        if (ill := self.part.ill_settings) is not None:
            places = {
                "holding_location": self.branches[ill.holding_location],
                "shelving_location": self.shelves[ill.shelving_location],
                "home_branch": self.branches[ill.home_branch],
            }
            self._put(
                circulation.IllSettings.objects, "ILL settings", {"library": self.library}, ill, ("enabled",), **places
            )
        for part in self.part.partners:
            account = {"account": part.account.barcode} if part.account else {}
            names = ("name", "email", "return_address", "lends", "note")
            self._put_coded(Partner.objects, "partner", "symbol", part, *names, **account)
            if part.account is not None:
                self._account(part, part.account)

    def _account(self, partner: schema.Partner, part: schema.Account) -> None:
        """L1: the patron account of an institution, through the service that writes patrons."""
        there = circulation.Patron.objects.filter(library=self.library, barcode=part.barcode).first()
        kept = {f.name: getattr(there, f.name) for f in fields(PatronRecord)} if there else {}
        given = part.given("email", "phone", "address", "expires_on", "note")
        if "home_branch" in part.model_fields_set:
            given["home_branch_id"] = _key(self.branches, part.home_branch)
        record = kept | given | {
            "barcode": part.barcode, "surname": part.name or partner.name, "given_name": "",
            "kind": circulation.Patron.Kind.INSTITUTION.value,
            "patron_type_id": self.patron_types[part.patron_type].pk,
        }  # fmt: skip
        desk = Desk(self.library.pk, self.library.time_zone, "site file")
        outcome = save_patron(desk, PatronRecord(**record), self.now)[1]
        self._note(outcome, f"account {part.barcode}")

    # --- the joins ---

    def _joins(self) -> None:
        if (host := self.part.host) is not None:
            secrets = self._secrets(HOST, "host")
            self._put(
                HostSettings.objects, "circulation system", {"library": self.library}, host, HOST_NAMES, **secrets
            )
            if self.outcomes[-1].what == "updated":  # what is known of its failures was about the old settings
                HostSettings.objects.filter(library=self.library).update(paused_until=None)
        for part in self.part.ncip_callers:
            hashed = {name: keyed(secret) if secret else "" for name, secret in self._secrets(part.name).items()}
            self._put_coded(NcipCaller.objects, "NCIP caller", "name", part, *CALLER_NAMES, **hashed)

    def _secrets(self, whose: str, kind: str = "ncip_callers") -> dict[str, str]:
        """The secrets that the file gives, by column."""
        known = {name: self.file.secrets.get((self.part.symbol, whose, name)) for name in SECRETS[kind]}
        return {name: secret for name, secret in known.items() if secret is not None}


def _key(rows: Mapping[str, Model], code: str | None) -> int | None:
    """The key of the row with this code; None where none is named."""
    return rows[code].pk if code else None


def _same(row: Model, given: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in given.items())
