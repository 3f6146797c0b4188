"""L1 to L9 of the workflow: one test a number, through the pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from interlend.circulation import choices
from interlend.circulation import services as circulation
from interlend.circulation.models import CollectionTypePolicy, Hold, Loan, Patron
from interlend.notices.services import send_due, write_overdue
from interlend.outbox.models import Errand
from tests.journeys.conftest import BOOK, Journey
from tests.make import branch, make_desk, make_patron

pytestmark = pytest.mark.django_db


def test_l1_shipped_checks_our_item_out_to_the_borrowing_institution(journey: Journey) -> None:
    journey.ask()
    number = journey.theirs.number
    assert number in journey.lender.see("ship")
    journey.lender.scan("ship", number)
    row = journey.lender.scan("ship", BOOK)
    assert "Shipped" in row
    loan = Loan.objects.get()
    assert (loan.item, loan.patron.barcode, loan.patron.kind) == (journey.book, "INST-ALD", "institution")
    assert journey.ours.state == "shipped"


def test_l1_scanning_it_twice_makes_one_loan(journey: Journey) -> None:
    journey.ask().ship()
    journey.lender.do("ill_action", journey.theirs.pk, trigger="staff.ship", barcode=BOOK)
    assert Loan.objects.count() == 1


def test_l2_an_overdue_notice_on_a_lent_item_goes_to_the_institutions_address(
    journey: Journey, smtp_server: list[object]
) -> None:
    Patron.objects.filter(barcode="INST-ALD").update(email="ill-staff@brook.example.org")
    journey.ask().ship()
    late = journey.wait(days=20)
    assert write_overdue(late) == 1
    send_due(late + timedelta(days=1))
    [mail] = smtp_server
    assert mail["To"] == "ill-staff@brook.example.org"  # type: ignore[index]
    assert journey.theirs.number in mail.get_content()  # type: ignore[attr-defined]


def test_l3_the_requests_due_date_holds_and_without_one_the_loan_policy(journey: Journey) -> None:
    journey.ask().ship()
    assert Loan.objects.get().due_on.isoformat() == "2027-05-03"


def test_l3_without_a_date_the_loan_policy_decides_and_the_borrower_hears_it(journey: Journey) -> None:
    journey.ask().ship(due=None)
    assert Loan.objects.get().due_on.isoformat() == "2027-05-17"
    assert journey.ours.due is not None
    assert journey.ours.due.isoformat() == "2027-05-17"


def test_l4_item_details_show_request_and_borrower_while_it_is_out(journey: Journey) -> None:
    journey.ask().ship()
    page = journey.lender.see("item", journey.book.pk)
    assert journey.theirs.number in page
    assert "Alder University" in page


@pytest.mark.parametrize(("available", "state"), [(True, "available"), (False, "unavailable")])
def test_l5_completing_sets_it_by_the_collection_type_policy(journey: Journey, available: bool, state: str) -> None:
    CollectionTypePolicy.objects.filter(library=journey.brook, name="Everything").update(available=available)
    choices.forget()
    journey.ask().ship().receive().mark_returned().complete()
    assert journey.lent.state == state
    assert Loan.objects.get(item=journey.book).state == "returned"
    assert (journey.ours.state, journey.theirs.state) == ("completed", "completed")


def test_l6_a_waiting_hold_is_filled_by_that_check_in(journey: Journey) -> None:
    journey.ask().ship().receive().mark_returned()
    reader = make_patron(journey.brook)
    hold = circulation.place_hold(
        make_desk(journey.brook), reader, journey.book.title, branch(journey.brook), journey.now
    )
    journey.complete()
    hold.refresh_from_db()
    assert (hold.state, hold.item) == ("in_transit", journey.book)


def test_l7_checking_it_in_again_on_receipt_tells_the_next_step(journey: Journey) -> None:
    journey.ask().ship().receive().mark_returned()
    circulation.place_hold(
        make_desk(journey.brook), make_patron(journey.brook), journey.book.title, branch(journey.brook), journey.now
    )
    journey.complete()
    assert "Hold" in journey.lender.scan("check_in", BOOK)
    assert Hold.objects.get(library=journey.brook).state == "ready"


def test_l7_without_a_hold_it_is_reshelved(journey: Journey) -> None:
    journey.ask().ship().receive().mark_returned().complete()
    assert "Reshelve" in journey.lender.scan("check_in", BOOK)


def test_l8_after_the_first_check_in_it_no_longer_names_the_request(journey: Journey) -> None:
    journey.ask().ship().receive().mark_returned().complete()
    assert (journey.lent.request, journey.lent.partner_name) == ("", "")
    assert "ILL request" not in journey.lender.see("item", journey.book.pk)


def test_l9_checked_in_at_the_desk_first_staff_are_prompted_and_complete_it(journey: Journey) -> None:
    journey.ask().ship().receive().mark_returned()
    row = journey.lender.scan("check_in", BOOK)
    assert f"Update request {journey.theirs.number}" in row
    assert journey.theirs.at_desk_since is not None
    assert journey.theirs.state == "returned"
    journey.complete()
    assert journey.theirs.state == "completed"
    assert not Errand.objects.exclude(state="done").exists()


# --- when it cannot be done -----------------------------------------------------------------------------------------


def test_a_missing_institution_account_leaves_the_truth_and_try_again_works(journey: Journey) -> None:
    account = Patron.objects.get(barcode="INST-ALD")
    Patron.objects.filter(pk=account.pk).update(barcode="ELSEWHERE")
    journey.ask().ship()
    assert (journey.theirs.state, journey.lent.state) == ("shipped", "available")
    page = journey.lender.see("ill_request", journey.theirs.pk)
    assert "no institution account" in page
    assert "Partners" in page
    Patron.objects.filter(pk=account.pk).update(barcode="INST-ALD")
    journey.lender.do("errand_action", Errand.objects.get(state="failed").pk, trigger="staff.try_again")
    assert journey.lent.state == "on_loan"


def test_the_lender_never_sees_the_patron(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out()
    for page in (
        journey.lender.see("ill_request", journey.theirs.pk),
        journey.lender.see("lending"),
        journey.lender.see("item", journey.book.pk),
        journey.lender.see("slip_bookband", journey.theirs.pk),
    ):
        assert "Okafor" not in page
        assert "P1 " not in page
