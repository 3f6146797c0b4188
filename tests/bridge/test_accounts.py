"""CreateUser, UpdateUser, DeleteUser: what is said is written or refused by name, never dropped in silence."""

from __future__ import annotations

from datetime import date

import pytest

from interlend import ncip
from interlend.bridge.models import Exchange
from interlend.circulation import services as circulation
from interlend.circulation.models import Bill, Patron, PatronType
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from tests.bridge.ncip import V1, V2, ask, header, make_caller, problem
from tests.make import NOW, branch, make_account, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("style", [V2, V1], ids=["v2", "v1"])


@pytest.fixture
def alder() -> Library:
    library = make_library()
    make_caller(library, new_user_type="student")
    return library


def a_name(surname: str = "Ito", given: str = "Ren", **more: str) -> ncip.NameInformation:
    parts = ncip.StructuredPersonalUserName(surname=surname, given_name=given, **more)
    return ncip.NameInformation(ncip.PersonalNameInformation(structured_personal_user_name=parts))


def reach(kind: str, value: str, role: str = "Home") -> ncip.AddressInformation:
    return ncip.AddressInformation(
        role=ncip.Code(role), electronic_address=ncip.ElectronicAddress(ncip.Code(kind), value)
    )


def mail(address: str) -> ncip.AddressInformation:
    return reach("mailto", address)


def post_to(*lines: str) -> ncip.AddressInformation:
    text = ncip.UnstructuredAddress(ncip.Code("Newline-Delimited Text"), "\n".join(lines))
    physical = ncip.PhysicalAddress(unstructured_address=text, physical_address_type=ncip.Code("Postal Address"))
    return ncip.AddressInformation(role=ncip.Code("Home"), physical_address=physical)


def right(kind: str, value: str = "", **more: object) -> ncip.UserPrivilege:
    status = ncip.UserPrivilegeStatus(ncip.Code(value)) if value else None
    return ncip.UserPrivilege(
        agency=ncip.Code("ALD"), agency_user_privilege_type=ncip.Code(kind), user_privilege_status=status, **more
    )  # type: ignore[arg-type]


def block(kind: str = "Block Check Out", **more: object) -> ncip.BlockOrTrap:
    return ncip.BlockOrTrap(agency=ncip.Code("ALD"), block_or_trap_type=ncip.Code(kind), **more)  # type: ignore[arg-type]


def typed(kind: str, data: str) -> ncip.AuthenticationInput:
    return ncip.AuthenticationInput(data, ncip.Code("text"), ncip.Code(kind))


def create(library: Library, barcode: str = "N-1", style: ncip.Style = V2, **more: object) -> ncip.Response:
    fields: dict[str, object] = {"user_id": ncip.UserId(barcode), "name_information": a_name()} | more
    return ask(ncip.CreateUser(header=header(library), **fields), style)  # type: ignore[arg-type]


def update(
    library: Library, gone: ncip.UserFields | None = None, new: ncip.UserFields | None = None, style: ncip.Style = V2
) -> ncip.Response:
    return ask(ncip.UpdateUser(
        header=header(library), user_id=ncip.UserId("P1"), delete_user_fields=gone, add_user_fields=new,
    ), style)  # fmt: skip


def blamed(answer: ncip.Response) -> tuple[str, str | None]:
    return problem(answer), answer.problems[0].element


# --- CreateUser -------------------------------------------------------------------------------------------------


@BOTH
def test_create_a_user_and_tell_it_twice(alder: Library, style: ncip.Style) -> None:
    for _ in range(2):
        made = create(alder, style=style, user_address_information=(mail("ren@example.org"),))
        assert isinstance(made, ncip.CreateUserResponse)
        assert made.user_id is not None
        assert made.user_id.value == "N-1"
    patron = Patron.objects.get(barcode="N-1")
    assert (patron.full_name, patron.email, patron.patron_type.code) == ("Ren Ito", "ren@example.org", "STUDENT")
    assert problem(create(alder, style=style, name_information=a_name("Ono"))) == "Duplicate User"


@BOTH
def test_everything_that_a_new_user_may_bring(alder: Library, style: ncip.Style) -> None:
    PatronType.objects.create(library=alder, code="STAFF", name="Staff")
    made = create(
        alder, style=style, name_information=a_name("Okafor", "Mary", initials="J."),
        user_address_information=(
            mail("mary@example.org"), reach("tel", "555-1"), reach("tel", "+1 555 2", "Work"),
            post_to("1 Oak Street", "X"),
        ),
        date_of_birth=ncip.Moment("1990-02-28T00:00:00"), user_languages=(ncip.Code("eng"), ncip.Code("ger")),
        user_privileges=(
            right("PROFILE", "staff", valid_to_date=ncip.Moment("2028-06-30T23:59:59")), right("STATUS", "ACTIVE"),
            right("LIBRARY", "Annex"),
        ),
    )  # fmt: skip
    assert not made.problems
    kept = Exchange.objects.get().message
    assert "N-1" in kept
    for private in ("Okafor", "mary@example.org", "555-1", "1 Oak Street", "1990-02-28"):
        assert private not in kept
    patron = Patron.objects.get()
    assert (patron.surname, patron.given_name) == ("Okafor", "Mary J.")
    assert (patron.email, patron.phone, patron.address) == ("mary@example.org", "555-1; +1 555 2", "1 Oak Street\nX")
    assert (patron.date_of_birth, patron.languages) == (date(1990, 2, 28), "eng ger")
    assert (patron.patron_type.code, patron.expires_on) == ("STAFF", date(2028, 6, 30))
    assert patron.home_branch == branch(alder, "ANNEX")
    types = tuple(ncip.Code(word) for word in ("User Address Information", "Date Of Birth", "User Language"))
    looked = ask(ncip.LookupUser(header=header(alder), user_id=ncip.UserId("N-1"), user_element_types=types), style)
    assert isinstance(looked, ncip.LookupUserResponse)
    told = looked.user_optional_fields
    assert told is not None
    assert str(told.date_of_birth) == "1990-02-28T00:00:00"
    assert [str(code) for code in told.user_languages] == ["eng", "ger"]
    data = [one.electronic_address.electronic_address_data for one in told.user_address_information
            if one.electronic_address is not None]  # fmt: skip
    assert data == ["mary@example.org", "555-1", "+1 555 2"]


def test_day_of_birth_and_languages_are_not_told_unasked(alder: Library) -> None:
    make_patron(alder, "P1", date_of_birth=date(1990, 2, 28), languages="eng")
    types = (ncip.Code("Name Information"),)
    looked = ask(ncip.LookupUser(header=header(alder), user_id=ncip.UserId("P1"), user_element_types=types))
    assert isinstance(looked, ncip.LookupUserResponse)
    assert looked.user_optional_fields is not None
    assert (looked.user_optional_fields.date_of_birth, looked.user_optional_fields.user_languages) == (None, ())


def test_a_user_with_user_name_and_pin_can_sign_in(alder: Library) -> None:
    inputs = (typed("Barcode Id", "N-1"), typed("User Id", "ren"), typed("PIN", "4711"))
    assert not create(alder, user_id=None, authentication_inputs=inputs).problems
    assert "4711" not in Exchange.objects.get().message
    assert Patron.objects.get().user_name == "ren"
    assert circulation.sign_in(alder.pk, "N-1", "4711") is not None
    taken = create(alder, user_id=None, authentication_inputs=(typed("Barcode Id", "N-2"), typed("User Id", "ren")))
    assert blamed(taken) == ("Duplicate User", "AuthenticationInput")
    assert Patron.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "element"),
    [
        ({"user_address_information": (mail("a@example.org"), mail("b@example.org"))}, "ElectronicAddressData"),
        ({"user_address_information": (mail("nowhere"),)}, "ElectronicAddressData"),
        ({"user_address_information": (post_to("1 Oak Street"), post_to("2 Elm Street"))}, "PhysicalAddress"),
        ({"user_address_information": (reach("ftp", "ftp.example"),)}, "ElectronicAddressType"),
        ({"user_address_information": (reach("tel", "5" * 121),)}, "ElectronicAddressData"),
        ({"user_privileges": (right("LIBRARY", "Moon"),)}, "UserPrivilege"),
        ({"user_privileges": (right("STATUS", "ACTIVE", valid_from_date=ncip.Moment("2030-01-01")),)}, "ValidFromDate"),
        ({"blocks_or_traps": (block("Trap For Message"),)}, "BlockOrTrapType"),
        ({"blocks_or_traps": (block(valid_to_date=ncip.Moment("2030-01-01T00:00:00")),)}, "ValidToDate"),
        ({"user_languages": (ncip.Code("English and German"),)}, "UserLanguage"),
        ({"name_information": a_name("x" * 121)}, "Surname"),
    ],
)  # fmt: skip
def test_what_an_account_has_no_room_for_is_refused_by_name(
    alder: Library, more: dict[str, object], element: str
) -> None:
    assert blamed(create(alder, **more)) == ("Element Rule Violated", element)
    assert not Patron.objects.exists()


def test_a_refusal_repeats_no_address(alder: Library) -> None:
    create(alder, user_address_information=(mail("a@example.org"), mail("b@example.org")))
    assert "example.org" not in Exchange.objects.get().answer


def test_nobody_is_born_tomorrow(alder: Library) -> None:
    assert blamed(create(alder, date_of_birth=ncip.Moment("2030-01-01"))) == ("Invalid Date", "DateOfBirth")


def test_a_type_that_only_the_caller_knows_is_what_its_row_says(alder: Library) -> None:
    assert not create(alder, user_privileges=(right("Staff", "ILL"), right("Staff", "Active"))).problems
    assert Patron.objects.get().patron_type.code == "STUDENT"


def test_without_a_type_no_user_is_made(alder: Library) -> None:
    alder.ncip_callers.get().delete()
    make_caller(alder)
    assert problem(create(alder)) == "Element Rule Violated"
    assert blamed(create(alder, user_privileges=(right("PROFILE", "Wizard"),))) == (
        "Element Rule Violated",
        "UserPrivilege",
    )
    assert not Patron.objects.exists()
    assert not create(alder, user_privileges=(right("PROFILE", "Student"),)).problems


def test_who_is_blocked_from_the_start(alder: Library) -> None:
    assert not create(alder, blocks_or_traps=(block(),)).problems
    patron = Patron.objects.get()
    assert (patron.blocked_since, patron.block_reason) == (date(2027, 4, 19), "Block Check Out (set by Relais)")


# --- UpdateUser -------------------------------------------------------------------------------------------------


def test_update_a_user(alder: Library) -> None:
    make_patron(alder, "P1", phone="555-1")
    gone = ncip.UserFields(user_address_information=(mail("mary@example.org"),))
    new = ncip.UserFields(
        name_information=a_name("Okafor-Ito", "Mary"), user_address_information=(mail("new@example.org"),)
    )
    assert not update(alder, gone, new).problems
    patron = Patron.objects.get()
    assert (patron.surname, patron.email, patron.phone) == ("Okafor-Ito", "new@example.org", "555-1")
    assert patron.home_branch == branch(alder)


def test_what_is_told_twice_is_written_once(alder: Library) -> None:
    make_patron(alder, "P1")
    new = ncip.UserFields(user_languages=(ncip.Code("ger"),), user_privileges=(right("LIBRARY", "ANNEX"),))
    for _ in range(2):
        assert not update(alder, new=new).problems
    assert Event.objects.filter(kind="circulation.patron_saved").count() == 1


def test_delete_what_an_account_has(alder: Library) -> None:
    make_patron(
        alder, "P1", phone="555-1; 555-2", address="1 Oak Street", date_of_birth=date(1990, 2, 28), languages="eng ger",
        user_name="mary.o", expires_on=date(2028, 6, 30),
    )  # fmt: skip
    gone = ncip.UserFields(
        authentication_inputs=(typed("User Id", "mary.o"), typed("PIN", "1234")),
        user_address_information=(reach("tel", "555-1"), post_to("1 Oak Street"), mail("other@example.org")),
        date_of_birth=ncip.Moment("1990-02-28T00:00:00"), user_languages=(ncip.Code("eng"),),
        user_privileges=(right("LIBRARY", "MAIN", valid_to_date=ncip.Moment("2028-06-30T23:59:59")),),
    )  # fmt: skip
    for _ in range(2):  # what is gone already is no problem
        assert not update(alder, gone).problems
    patron = Patron.objects.get()
    assert (patron.phone, patron.address, patron.email) == ("555-2", "", "mary@example.org")
    assert (patron.date_of_birth, patron.languages, patron.user_name, patron.pin) == (None, "ger", "", "")
    assert (patron.home_branch, patron.expires_on) == (None, None)


@pytest.mark.parametrize(
    ("gone", "element"),
    [
        (ncip.UserFields(name_information=a_name("Okafor", "Mary")), "NameInformation"),
        (ncip.UserFields(user_privileges=(right("PROFILE", "Student"),)), "UserPrivilege"),
        (ncip.UserFields(authentication_inputs=(typed("Barcode Id", "P1"),)), "AuthenticationInput"),
    ],
)
def test_what_an_account_cannot_be_without(alder: Library, gone: ncip.UserFields, element: str) -> None:
    make_patron(alder, "P1")
    assert blamed(update(alder, gone)) == ("Unable To Delete Element", element)


def test_a_patron_type_is_replaced(alder: Library) -> None:
    make_patron(alder, "P1")
    gone = ncip.UserFields(user_privileges=(right("PROFILE", "Student"),))
    new = ncip.UserFields(user_privileges=(right("PROFILE", "INST"),))
    assert not update(alder, gone, new).problems
    assert Patron.objects.get().patron_type.code == "INST"
    unknown = ncip.UserFields(user_privileges=(right("PROFILE", "Wizard"),))
    assert blamed(update(alder, new=unknown)) == ("Unable To Add Element", "UserPrivilege")


def test_another_card_is_not_given_by_message(alder: Library) -> None:
    make_patron(alder, "P1")
    new = ncip.UserFields(authentication_inputs=(typed("Barcode Id", "P9"),))
    assert blamed(update(alder, new=new)) == ("Unable To Add Element", "AuthenticationInput")
    digest = ncip.UserFields(authentication_inputs=(typed("MD5 Message Digest Algorithm", "0"),))
    assert blamed(update(alder, new=digest)) == ("Unable To Add Element", "AuthenticationInputType")


@BOTH
def test_a_message_lifts_the_block_that_it_has_set(alder: Library, style: ncip.Style) -> None:
    make_patron(alder, "P1")
    blocks = ncip.UserFields(blocks_or_traps=(block(),))
    for _ in range(2):
        assert not update(alder, new=blocks, style=style).problems
    assert Patron.objects.get().blocked_since == date(2027, 4, 19)
    types = (ncip.Code("Block Or Trap"),)
    looked = ask(ncip.LookupUser(header=header(alder), user_id=ncip.UserId("P1"), user_element_types=types), style)
    assert isinstance(looked, ncip.LookupUserResponse)
    told = looked.user_optional_fields.blocks_or_traps  # type: ignore[union-attr]
    assert [str(one.block_or_trap_type) for one in told] == ["Block Check Out"]
    again = ncip.UserFields(user_privileges=(right("STATUS", "ACTIVE"),))
    assert problem(update(alder, new=again, style=style)) == "Unable To Add Element"
    for _ in range(2):
        assert not update(alder, blocks, style=style).problems
    assert Patron.objects.get().blocked_since is None


def test_a_block_of_the_library_stays(alder: Library) -> None:
    make_patron(alder, "P1", blocked_since=date(2027, 4, 1), block_reason="fines")
    blocks = ncip.UserFields(blocks_or_traps=(block(),))
    assert not update(alder, new=blocks).problems  # it is blocked already
    assert blamed(update(alder, blocks)) == ("Unable To Delete Element", "BlockOrTrapType")
    patron = Patron.objects.get()
    assert (patron.blocked_since, patron.block_reason) == (date(2027, 4, 1), "fines")


def test_a_person_stays_a_person(alder: Library) -> None:
    make_patron(alder, "P1")
    firm = ncip.NameInformation(
        organization_name_information=(ncip.OrganizationNameInformation(ncip.Code("Official Name"), "Oak Ltd"),)
    )
    answer = update(alder, new=ncip.UserFields(name_information=firm))
    assert blamed(answer) == ("Unable To Add Element", "OrganizationNameInformation")


# --- DeleteUser -------------------------------------------------------------------------------------------------


def delete(library: Library, barcode: str = "P1") -> ncip.Response:
    return ask(ncip.DeleteUser(header=header(library), user_id=ncip.UserId(barcode)))


def test_an_account_with_something_open_is_not_closed(alder: Library) -> None:
    patron, desk = make_patron(alder, "P1"), make_desk(alder)
    make_item(alder, "A1")
    wanted = make_item(alder, "A2", "Another")
    circulation.check_out(desk, patron.pk, "A1", NOW)
    hold = circulation.place_hold(desk, patron, wanted.title, branch(alder), NOW)
    circulation.charge(desk, patron, circulation.Charge("Fee", "Assess", 500, "EUR"), NOW)
    answer = delete(alder)
    assert problem(answer) == "Element Rule Violated"
    detail = answer.problems[0].detail or ""
    assert "1 on loan and 1 on hold and a balance of 5.00 EUR" in detail
    assert "Okafor" not in detail
    circulation.check_in(desk, "A1", NOW)
    circulation.cancel_hold(desk, hold.pk, NOW)
    assert problem(delete(alder)) == "Element Rule Violated"
    Bill.objects.all().delete()
    assert not delete(alder).problems


def test_a_closed_account_keeps_its_name_and_nothing_else(alder: Library) -> None:
    make_patron(alder, "P1", phone="555-1", address="1 Oak Street", user_name="mary.o", languages="eng")
    for _ in range(2):
        answer = delete(alder)
        assert isinstance(answer, ncip.DeleteUserResponse)
        assert answer.user_id is not None
        assert answer.user_id.value == "P1"
    patron = Patron.objects.get()
    assert (patron.full_name, patron.barcode) == ("Mary Okafor", "P1")
    assert (patron.email, patron.phone, patron.address, patron.user_name, patron.languages) == ("", "", "", "", "")
    assert (patron.blocked_since, patron.block_reason) == (date(2027, 4, 19), "Account closed")
    assert circulation.sign_in(alder.pk, "P1", "1234") is None
    assert problem(delete(alder, "nobody")) == "Unknown User"


def test_a_closed_account_is_opened_again_by_create_user(alder: Library) -> None:
    make_patron(alder, "P1")
    delete(alder)
    assert not create(alder, "P1", name_information=a_name("Okafor", "Mary"),
                      user_address_information=(mail("mary@example.org"),)).problems  # fmt: skip
    patron = Patron.objects.get()
    assert (patron.blocked_since, patron.block_reason, patron.email) == (None, "", "mary@example.org")


def test_closing_does_not_wash_off_a_block(alder: Library) -> None:
    make_patron(alder, "P1", blocked_since=date(2027, 4, 1), block_reason="fines")
    delete(alder)
    delete(alder)
    create(alder, "P1", name_information=a_name("Okafor", "Mary"))
    patron = Patron.objects.get()
    assert (patron.blocked_since, patron.block_reason) == (date(2027, 4, 1), "Account closed; before: fines")


def test_the_account_of_a_partner_is_not_closed_by_message(alder: Library) -> None:
    make_account(alder, make_library("BRK", "Brook Public Library"))
    assert problem(delete(alder, "INST-BRK")) == "User Access Denied"
    assert Patron.objects.get().blocked_since is None
