"""LookupUser tells each thing only when asked, never of another library; guessed PINs; fees."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection

from interlend import ncip
from interlend.bridge.models import Exchange
from interlend.circulation import services as circulation
from interlend.circulation.models import Bill
from interlend.libraries import guesses
from interlend.libraries.models import Library
from tests.bridge.ncip import V1, V2, ask, header, make_caller, problem
from tests.make import NOW, branch, make_account, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
EVERY = tuple(
    ncip.Code(word)
    for word in ("Name Information", "User Address Information", "User Privilege", "Block Or Trap", "User Id")
)


@pytest.fixture
def alder() -> Library:
    library = make_library()
    make_caller(library)
    return library


def look_up(library: Library, barcode: str = "P1", style: ncip.Style = V2, **more: object) -> ncip.LookupUserResponse:
    fields: dict[str, object] = {"user_id": ncip.UserId(barcode)} | more
    answer = ask(ncip.LookupUser(header=header(library), **fields), style)  # type: ignore[arg-type]
    assert isinstance(answer, ncip.LookupUserResponse)
    return answer


def typed(*pairs: tuple[str, str]) -> tuple[ncip.AuthenticationInput, ...]:
    return tuple(ncip.AuthenticationInput(data, ncip.Code("text"), ncip.Code(kind)) for kind, data in pairs)


def test_who_asks_for_nothing_learns_that_the_user_exists(alder: Library) -> None:
    make_patron(alder, "P1", address="1 Oak Street", phone="555")
    found = look_up(alder)
    assert found.user_id is not None
    assert found.user_id.value == "P1"
    assert found.user_optional_fields == ncip.UserOptionalFields()
    assert (found.loaned_items, found.requested_items, found.user_fiscal_accounts) == ((), (), ())


def test_what_is_asked_for_is_told(alder: Library) -> None:
    patron = make_patron(alder, "P1", address="1 Oak Street\nAldertown", phone="555-1", expires_on=date(2028, 1, 1))
    told = look_up(alder, user_element_types=EVERY).user_optional_fields
    assert told is not None
    person = told.name_information.personal_name_information  # type: ignore[union-attr]
    assert person.structured_personal_user_name.surname == "Okafor"  # type: ignore[union-attr]
    electronic = [a.electronic_address for a in told.user_address_information if a.electronic_address]
    assert [(str(e.electronic_address_type), e.electronic_address_data) for e in electronic] == [
        ("mailto", "mary@example.org"), ("tel", "555-1"),
    ]  # fmt: skip
    privileges = {
        str(p.agency_user_privilege_type): str(p.user_privilege_status.user_privilege_status_type)  # type: ignore[union-attr]
        for p in told.user_privileges
    }
    assert privileges == {"PROFILE": "Student", "STATUS": "ACTIVE", "LIBRARY": "Main Library"}
    ids = {str(one.type): one.value for one in told.user_ids}
    assert ids == {"Barcode": "P1", "Primary Key": str(patron.pk)}
    assert told.blocks_or_traps == ()


def test_the_primary_key_finds_the_user_again(alder: Library) -> None:
    patron = make_patron(alder, "P1")
    found = look_up(alder, user_id=ncip.UserId(str(patron.pk), ncip.Code("Primary Key")))
    assert not found.problems
    assert problem(look_up(alder, user_id=ncip.UserId("999999", ncip.Code("Primary Key")))) == "Unknown User"
    assert problem(look_up(alder, user_id=ncip.UserId("P1", ncip.Code("Primary Key")))) == "Unknown User"


def test_a_blocked_user_is_said_to_be_so_with_the_reason(alder: Library) -> None:
    make_patron(alder, "P1", blocked_since=date(2027, 4, 1), block_reason="fines")
    told = look_up(alder, user_element_types=EVERY).user_optional_fields
    assert told is not None
    status = told.user_privileges[1]
    assert str(status.user_privilege_status.user_privilege_status_type) == "BLOCKED"  # type: ignore[union-attr]
    assert "blocked since 1 April 2027 (fines)" in (status.user_privilege_description or "")
    assert len(told.blocks_or_traps) == 1


def test_who_chokes_on_blocks_gets_none(alder: Library) -> None:
    alder.ncip_callers.update(no_block_or_trap=True)
    alder.ncip_callers.get().save()
    make_patron(alder, "P1", blocked_since=date(2027, 4, 1))
    told = look_up(alder, user_element_types=EVERY).user_optional_fields
    assert told is not None
    assert told.blocks_or_traps == ()
    assert str(told.user_privileges[1].user_privilege_status.user_privilege_status_type) == "BLOCKED"  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["LDAPPassword", "MD5 Message Digest Algorithm", "PIN Number", "Kenncode", ""])
def test_what_comes_with_an_id_must_be_right_whatever_it_is_called(alder: Library, kind: str) -> None:
    make_patron(alder, "P1")
    for given, said in (("1234", ""), ("9999", "User Authentication Failed")):
        inputs = (*typed(("User Id", "P1")), ncip.AuthenticationInput(given, ncip.Code("text"), ncip.Code(kind or "x")))
        assert problem(look_up(alder, user_id=None, authentication_inputs=inputs)) == said


@pytest.mark.parametrize("style", [V2, V1], ids=["v2", "v1"])
def test_barcode_or_name_and_pin(alder: Library, style: ncip.Style) -> None:
    make_patron(alder, "P1", user_name="mary.o")
    types = (ncip.Code("Name Information"),)
    for name in ("P1", "mary.o"):
        good = typed(("Barcode Id", name), ("PIN", "1234"))
        bad = typed(("User Id", name), ("PIN", "9999"))
        found = look_up(alder, style=style, user_id=None, authentication_inputs=good, user_element_types=types)
        assert not found.problems
        assert found.user_id is not None
        assert found.user_id.value == "P1"
        refused = look_up(alder, style=style, user_id=None, authentication_inputs=bad, user_element_types=types)
        assert problem(refused) == "User Authentication Failed"
        assert found.user_optional_fields is not None
    unknown = look_up(
        alder, style=style, user_id=None, authentication_inputs=typed(("Barcode Id", "X"), ("PIN", "1")),
        user_element_types=types,
    )  # fmt: skip
    assert problem(unknown) == "User Authentication Failed"  # whether the barcode exists is not told
    alone = look_up(alder, style=style, user_id=None, authentication_inputs=typed(("username", "mary.o")),
                    user_element_types=types)  # fmt: skip
    assert not alone.problems


def test_pins_are_not_kept(alder: Library) -> None:
    make_patron(alder, "P1")
    look_up(alder, user_id=None, authentication_inputs=typed(("Barcode Id", "P1"), ("PIN", "1234")),
            user_element_types=EVERY)  # fmt: skip
    kept = Exchange.objects.get()
    assert "1234" not in kept.message
    assert "Okafor" not in kept.answer
    assert "mary@example.org" not in kept.answer
    assert "LookupUserResponse" in kept.answer


def test_an_institution_is_found_by_its_symbol(alder: Library) -> None:
    make_account(alder, make_library("BRK", "Brook Public Library"))
    found = look_up(alder, user_id=ncip.UserId("BRK", ncip.Code("OCLC Institution Symbol")), user_element_types=EVERY)
    assert found.user_id is not None
    assert (found.user_id.value, str(found.user_id.type)) == ("BRK", "OCLC Institution Symbol")
    name = found.user_optional_fields.name_information  # type: ignore[union-attr]
    assert name is not None
    assert name.organization_name_information[0].organization_name == "Brook Public Library"


def test_another_librarys_patron_does_not_exist(alder: Library) -> None:
    brook = make_library("BRK", "Brook Public Library")
    make_caller(brook, "Relais at Brook", default=False)
    theirs = make_patron(brook, "B-1", user_name="theirs")
    for user_id in (ncip.UserId("B-1"), ncip.UserId("theirs"), ncip.UserId(str(theirs.pk), ncip.Code("Primary Key"))):
        assert problem(look_up(alder, user_id=user_id)) == "Unknown User"
    assert not look_up(brook, "B-1").problems


def test_loans_requests_and_account_when_desired(alder: Library) -> None:
    patron, other = make_patron(alder, "P1"), make_patron(alder, "P2")
    lent, wanted = make_item(alder, "A1", "One"), make_item(alder, "A2", "Two")
    circulation.check_out(make_desk(alder), patron.pk, "A1", NOW)
    for waiting in (other, patron):
        circulation.place_hold(make_desk(alder), waiting, wanted.title, branch(alder), NOW)
    circulation.charge(make_desk(alder), patron, circulation.Charge("Interlibrary Loan Fee", "Assess", 500, "EUR"), NOW)
    circulation.charge(make_desk(alder), patron, circulation.Charge("Fee", "Payment", 200, "EUR"), NOW)
    found = look_up(alder, loaned_items_desired=True, requested_items_desired=True, user_fiscal_account_desired=True)
    (loan,) = found.loaned_items
    assert (loan.item_id.value, loan.title, str(loan.date_due)) == ("A1", "One", "2027-05-17T23:59:59Z")  # type: ignore[union-attr]
    (request,) = found.requested_items
    assert (request.title, request.hold_queue_position, str(request.pickup_location)) == ("Two", 2, "MAIN")
    assert str(request.request_status_type) == "In Process"
    (account,) = found.user_fiscal_accounts
    assert account.account_balance is not None
    assert (account.account_balance.value, str(account.account_balance.currency)) == (300, "EUR")
    assert lent.barcode == "A1"
    assert found.loaned_items_counts[0].count == 1


def test_an_account_without_entries_owes_nothing(alder: Library) -> None:
    make_patron(alder, "P1")
    (account,) = look_up(alder, user_fiscal_account_desired=True).user_fiscal_accounts
    assert account.account_balance is not None
    assert (account.account_balance.value, str(account.account_balance.currency)) == (0, "USD")


# --- guessed PINs -----------------------------------------------------------------------------------------------


def prove(library: Library, name: str, pin: str, minutes: int = 0) -> str:
    given = typed(("Barcode Id", name), ("PIN", pin))
    message = ncip.LookupUser(header=header(library), authentication_inputs=given)
    return problem(ask(message, now=NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize("name", ["P1", "nobody"])
def test_after_five_wrong_pins_even_the_right_one_has_to_wait(alder: Library, name: str) -> None:
    make_patron(alder, "P1", user_name="mary.o")
    make_patron(alder, "P2")
    for minute in range(guesses.MOST):
        assert prove(alder, name, "9999", minute) == "User Authentication Failed"
    late = ask(
        ncip.LookupUser(header=header(alder), authentication_inputs=typed(("Barcode Id", name), ("PIN", "1234")))
    )
    assert problem(late) == "User Authentication Failed"
    assert "Wait until 09:27" in (late.problems[0].detail or "")
    assert "TOO_MANY_GUESSES" in (late.problems[0].detail or "")
    assert prove(alder, "P2", "1234") == ""


def test_a_patron_is_counted_once_by_whatever_name(alder: Library) -> None:
    make_patron(alder, "P1", user_name="mary.o")
    for name in ("P1", "mary.o", "P1", "mary.o", "P1"):
        prove(alder, name, "9999")
    assert prove(alder, "mary.o", "1234") == "User Authentication Failed"


def test_waiting_ends_and_going_on_does_not_lengthen_it(alder: Library) -> None:
    make_patron(alder, "P1")
    for _ in range(guesses.MOST):
        prove(alder, "P1", "9999")
    for minute in range(1, 15):
        prove(alder, "P1", "9999", minute)
    assert prove(alder, "P1", "1234", 14) == "User Authentication Failed"
    assert prove(alder, "P1", "1234", 16) == ""


def test_a_right_pin_forgets_the_wrong_ones(alder: Library) -> None:
    make_patron(alder, "P1")
    for _ in range(3):
        for _ in range(guesses.MOST - 1):
            prove(alder, "P1", "9999")
        assert prove(alder, "P1", "1234") == ""


def test_guessing_keeps_nobody_from_what_needs_no_pin(alder: Library) -> None:
    make_patron(alder, "P1")
    make_item(alder, "A1")
    for _ in range(guesses.MOST + 1):
        prove(alder, "P1", "9999")
    assert not look_up(alder).problems
    out = ncip.CheckOutItem(header=header(alder), user_id=ncip.UserId("P1"), item_id=ncip.ItemId("A1"))
    assert not ask(out).problems
    assert guesses.begin("patron", "P1", NOW, alder.pk).wait_until is None  # the patron's own page


def test_a_wrong_pin_in_a_message_that_writes_is_counted_too(alder: Library) -> None:
    make_patron(alder, "P1")
    make_item(alder, "A1")
    wrong = ncip.CheckOutItem(
        header=header(alder),
        authentication_inputs=typed(("Barcode Id", "P1"), ("PIN", "9999")),
        item_id=ncip.ItemId("A1"),
    )
    for _ in range(guesses.MOST):
        assert problem(ask(wrong)) == "User Authentication Failed"
    assert prove(alder, "P1", "1234") == "User Authentication Failed"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("writes", [False, True])
def test_guesses_at_once_are_counted_like_guesses_in_a_row(writes: bool) -> None:
    library = make_library()
    make_caller(library)
    make_patron(library, "P1")
    make_item(library, "A1")
    said = {"header": header(library), "authentication_inputs": typed(("Barcode Id", "P1"), ("PIN", "9999"))}
    message = ncip.CheckOutItem(item_id=ncip.ItemId("A1"), **said) if writes else ncip.LookupUser(**said)

    def guess(_: int) -> str:
        try:
            return ask(message).problems[0].detail or ""
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as guessers:
        answers = list(guessers.map(guess, range(16)))
    assert 1 <= sum("USER_AUTHENTICATION_FAILED" in one for one in answers) <= guesses.MOST
    assert sum("TOO_MANY_GUESSES" in one for one in answers) >= 16 - guesses.MOST


# --- CreateUserFiscalTransaction --------------------------------------------------------------------------------


def a_fee(library: Library, amount: int = 500, currency: str | None = "EUR") -> ncip.CreateUserFiscalTransaction:
    return ncip.CreateUserFiscalTransaction(
        header=header(library), user_id=ncip.UserId("P1"),
        fiscal_transaction_information=ncip.FiscalTransactionInformation(
            fiscal_action_type=ncip.Code("Assess"), fiscal_transaction_type=ncip.Code("Interlibrary Loan Fee"),
            amount=ncip.Amount(amount, ncip.Code(currency) if currency else None), request_id=ncip.RequestId("R-1"),
        ),
    )  # fmt: skip


def test_a_fee_is_charged_once(alder: Library) -> None:
    make_patron(alder, "P1")
    first, second = ask(a_fee(alder)), ask(a_fee(alder))
    assert first == second
    assert isinstance(first, ncip.CreateUserFiscalTransactionResponse)
    bill = Bill.objects.get()
    assert first.fiscal_transaction_reference_id is not None
    assert first.fiscal_transaction_reference_id.value == str(bill.pk)
    assert (bill.amount, bill.currency, bill.request) == (500, "EUR", "R-1")


def test_a_fee_below_zero_is_refused(alder: Library) -> None:
    make_patron(alder, "P1")
    assert problem(ask(a_fee(alder, -1))) == "Invalid Amount"
    assert not Bill.objects.exists()
