"""Plain functions that make rows for tests. Every one has sensible defaults; a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from itertools import count

from interlend.circulation import services as circulation
from interlend.circulation.models import (
    CollectionTypePolicy,
    HoldPolicy,
    IllSettings,
    Item,
    LoanPolicy,
    LoanPolicyMap,
    Patron,
    PatronType,
    ShelvingLocation,
)
from interlend.circulation.services.patrons import make_password
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch, Library, StaffMember
from interlend.sharing import services as sharing
from interlend.sharing.host import User
from interlend.sharing.models import IllRequest, Partner

#: a Monday, 09:12 in UTC
NOW = datetime(2027, 4, 19, 9, 12, tzinfo=UTC)
_next = count(1)


@cache
def hashed(secret: str) -> str:
    """A real hash, made once a run: argon2 is slow by design."""
    return make_password(secret)


def make_library(symbol: str = "ALD", name: str = "Alder University", zone: str = "UTC") -> Library:
    """A library ready to borrow and lend: branches MAIN, ANNEX and ILL; policies; ILL settings; no open hours."""
    library = Library.objects.create(symbol=symbol, name=name, time_zone=zone)
    make_branch(library, "MAIN", "Main Library")
    make_branch(library, "ANNEX", "Annex")
    office = make_branch(library, "ILL", "ILL Office")
    ShelvingLocation.objects.create(library=library, code="STACKS", name="Stacks")
    ill_shelf = ShelvingLocation.objects.create(library=library, code="ILL", name="Interlibrary loan")
    for code, type_name in (("STUDENT", "Student"), ("INST", "Institution")):
        PatronType.objects.create(library=library, code=code, name=type_name)
    policy = LoanPolicy.objects.create(library=library, name="Standard", period=28)
    LoanPolicyMap.objects.create(library=library, position=100, policy=policy)
    CollectionTypePolicy.objects.create(library=library, name="Everything", available=True)
    CollectionTypePolicy.objects.create(
        library=library, name="Borrowed items", holding_location=office, shelving_location=ill_shelf, available=False
    )
    HoldPolicy.objects.create(library=library, shelf_days=7)
    IllSettings.objects.create(
        library=library, holding_location=office, shelving_location=ill_shelf, home_branch=office
    )
    return library


def make_branch(library: Library, code: str, name: str) -> Branch:
    return Branch.objects.create(library=library, code=code, name=name)


def branch(library: Library, code: str = "MAIN") -> Branch:
    return Branch.objects.get(library=library, code=code)


def make_desk(library: Library, at: str = "MAIN", actor: str = "R. Ito") -> Desk:
    here = branch(library, at)
    return Desk(library.pk, library.time_zone, actor, here.pk, here.name)


def make_staff(library: Library, *roles: str, sign_in: str = "", password: str = "pass-word-1") -> StaffMember:
    name = sign_in or f"{library.symbol.lower()}.{roles[0] if roles else 'viewer'}{next(_next)}"
    return StaffMember.objects.create(
        sign_in=name, library=library, password=hashed(password), name="R. Ito", roles=list(roles) or ["viewer"],
        branch=branch(library),
    )  # fmt: skip


def make_patron(library: Library, barcode: str = "", **fields: object) -> Patron:
    """A student with an e-mail address and the PIN 1234."""
    given = {
        "surname": "Okafor", "given_name": "Mary", "email": "mary@example.org", "home_branch": branch(library),
        "patron_type": PatronType.objects.get(library=library, code="STUDENT"), "pin": hashed("1234"),
    } | fields  # fmt: skip
    return Patron.objects.create(library=library, barcode=barcode or f"P{next(_next):07}", **given)


def make_account(library: Library, partner: Library, barcode: str = "") -> Partner:
    """`partner` in the directory of `library`, with an institution account."""
    barcode = barcode or f"INST-{partner.symbol}"
    make_patron(
        library, barcode, surname=partner.name, given_name="", kind="institution", email="ill@example.org", pin="",
        patron_type=PatronType.objects.get(library=library, code="INST"),
    )  # fmt: skip
    return Partner.objects.create(library=library, symbol=partner.symbol, name=partner.name, account=barcode)


def make_item(library: Library, barcode: str = "", title: str = "Friendly fire", **fields: object) -> Item:
    main = branch(library)
    given = {
        "author": "Kurt Rosenwinkel", "holding_location_id": main.pk, "home_branch_id": main.pk,
        "shelving_location_id": ShelvingLocation.objects.get(library=library, code="STACKS").pk,
    } | fields  # fmt: skip
    record = circulation.ItemRecord(barcode=barcode or f"3{next(_next):013}", title=title, **given)
    return circulation.save_item(make_desk(library), record, NOW)[0]


def make_consortium() -> tuple[Library, Library]:
    """Alder borrows from Brook and the other way round; each has the other's account."""
    alder, brook = make_library(), make_library("BRK", "Brook Public Library")
    make_account(alder, brook)
    make_account(brook, alder)
    return alder, brook


def make_ill(library: Library, patron: Patron, lender: str = "BRK", **wish: object) -> IllRequest:
    """A borrowing request that has been sent to `lender`."""
    given = {"title": "Friendly fire", "author": "Kurt Rosenwinkel", "pickup": "MAIN"} | wish
    user = User(patron.barcode, patron.short_name)
    return sharing.create(make_desk(library), sharing.Wish(**given), user, NOW, lender=lender)
