"""B1 to B17 of the workflow, and C1: one test a number, through the pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.notices.models import Letter
from interlend.outbox.models import Errand
from tests.journeys.conftest import BOOK, TITLE, Journey

pytestmark = pytest.mark.django_db


def test_b01_received_makes_a_temporary_item_and_an_item_level_hold(journey: Journey) -> None:
    journey.ask().ship()
    row = journey.ill.scan("receive", journey.ours.number)
    assert "Received" in row or "Loaned" in row
    assert journey.item.barcode == BOOK
    hold = Hold.objects.get()
    assert (hold.item, hold.level, hold.patron) == (journey.item, "item", journey.patron)


def test_b01_scanning_it_twice_makes_nothing_more(journey: Journey) -> None:
    journey.ask().ship().receive()
    again = journey.ill.scan("receive", journey.ours.number)
    assert "Already received" in again
    assert "nothing changed" in again
    assert Item.objects.filter(temporary=True).count() == Hold.objects.count() == 1


def test_b02_the_temporary_item_is_found_under_discover_items(journey: Journey) -> None:
    journey.ask().ship().receive()
    for words in ("friend fire", "Rosenwinkel", BOOK):
        found = journey.desk.see("discover_items", scope="temporary", q=words)
        assert TITLE in found
    assert TITLE not in journey.desk.see("discover_items", scope="own", q="friendly")
    assert TITLE in journey.desk.see("item", journey.item.pk)


def test_b03_item_details_show_the_hold_for_the_patron(journey: Journey) -> None:
    journey.ask().ship().receive()
    assert "Okafor, M." in journey.desk.see("item", journey.item.pk)


def test_b04_item_details_show_the_request_id_and_the_lender(journey: Journey) -> None:
    journey.ask().ship().receive()
    page = journey.desk.see("item", journey.item.pk)
    assert journey.ours.number in page
    assert "Brook Public Library" in page


def test_b05_its_locations_are_those_of_the_ill_settings(journey: Journey) -> None:
    journey.ask().ship().receive()
    page = journey.desk.see("item", journey.item.pk)
    assert "ILL Office" in page
    assert "Interlibrary loan" in page
    assert (journey.item.holding_location.code, journey.item.shelving_location.code) == ("ILL", "ILL")


def test_b06_away_from_the_pickup_location_it_is_routed_there_and_no_notice_goes(journey: Journey) -> None:
    journey.ask().ship().receive()
    assert "Send to Main Library" in journey.ill.scan("check_in", BOOK)
    assert not Letter.objects.exists()
    assert "Hold" in journey.desk.scan("check_in", BOOK)


def test_b07_the_patrons_holds_show_it_and_the_dialog_shows_the_request_id(journey: Journey) -> None:
    journey.ask().ship().receive()
    assert TITLE in journey.desk.see("patron", journey.patron.pk, tab="holds")
    assert journey.ours.number in journey.desk.see("edit_hold", Hold.objects.get().pk)


def test_b08_check_in_at_the_pickup_location_prints_the_hold_receipt(journey: Journey) -> None:
    journey.ask().ship().receive()
    journey.ill.scan("check_in", BOOK)
    row = journey.desk.scan("check_in", BOOK)
    assert "Hold" in row
    assert "Okafor, M." in row
    slip = journey.desk.see("slip_hold", Hold.objects.get().pk)
    assert BOOK in slip
    assert journey.ours.number in slip
    assert Letter.objects.get().state == "waiting"


def test_b09_patron_and_staff_see_it_ready_at_once_and_the_mail_goes_at_the_top_of_the_hour(
    journey: Journey, smtp_server: list[object]
) -> None:
    journey.ask().ship().receive().ready()
    mine = journey.me.see("my")
    assert "Ready for you" in mine
    assert "Main Library" in mine
    assert TITLE in journey.desk.see("hold_shelf")
    journey.work()
    assert smtp_server == []
    journey.wait(minutes=48)
    journey.work()
    journey.work()
    assert len(smtp_server) == 1
    assert "Mail sent" in journey.desk.see("patron", journey.patron.pk, tab="notices")


def test_b10_check_out_by_patron_and_item_barcode(journey: Journey) -> None:
    journey.ask().ship().receive().ready()
    page = journey.desk.do("assist_patrons", barcode="P1")
    assert "Okafor" in page
    row = journey.desk.scan("patron_check_out", BOOK, journey.patron.pk)
    assert TITLE in row
    assert Loan.objects.get(library=journey.alder).patron == journey.patron
    journey.desk.scan("patron_check_out", BOOK, journey.patron.pk)
    assert Loan.objects.filter(library=journey.alder).count() == 1


def test_b11_the_due_date_is_the_stricter_one_and_says_why(journey: Journey) -> None:
    journey.ask().ship().receive().ready()
    row = journey.desk.scan("patron_check_out", BOOK, journey.patron.pk)
    assert "3 May" in row
    assert "lender" in row
    assert "17 May" in row, "what the policy would have said"


def test_b12_the_due_date_can_be_changed(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out()
    loan = Loan.objects.get(library=journey.alder)
    journey.desk.do("change_due_date", loan.pk, due="2027-04-30")
    loan.refresh_from_db()
    assert loan.due_on.isoformat() == "2027-04-30"
    assert "30 Apr" in journey.desk.see("patron", journey.patron.pk)


def test_b13_check_in_prompts_to_update_the_request(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out()
    row = journey.desk.scan("check_in", BOOK)
    assert f"Update request {journey.ours.number}" in row
    assert "Brook Public Library" in row
    assert journey.ours.at_desk_since is not None
    assert "Back at the desk" in journey.ill.see("ill_request", journey.ours.pk)


def test_b14_it_is_routed_to_its_home_branch_and_unavailable_there(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out()
    assert "Send to ILL Office" in journey.desk.scan("check_in", BOOK)
    assert "Route to ILL" in journey.ill.scan("check_in", BOOK)
    assert journey.item.state == "unavailable"
    assert "Unavailable" in journey.desk.see("item", journey.item.pk)


def test_b15_marking_it_returned_checks_it_in_if_the_desk_has_not(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out().mark_returned()
    assert journey.item.state == "unavailable"
    assert Loan.objects.get(library=journey.alder).state == "returned"
    page = journey.desk.see("item", journey.item.pk)
    assert "Unavailable" in page
    assert "Checked in" in page
    assert (journey.ours.state, journey.theirs.state) == ("returned", "returned")


def test_b15_after_the_desk_it_does_no_harm(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out().back_at_the_desk().mark_returned()
    assert journey.item.state == "unavailable"
    assert not Errand.objects.exclude(state="done").exists()


def test_b16_after_the_lender_has_closed_it_the_temporary_item_may_be_deleted(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out().back_at_the_desk().mark_returned().complete()
    assert journey.ours.state == "completed"
    journey.desk.do("delete_item", journey.item.pk)
    assert journey.item.state == "withdrawn"
    assert TITLE not in journey.desk.see("temporary_items")


def test_b17_afterwards_it_says_whom_it_was_issued_to_and_where_it_came_from(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out().back_at_the_desk().mark_returned().complete()
    page = journey.desk.see("item", journey.item.pk)
    assert "Last issued to" in page
    assert "Okafor" in page
    assert journey.ours.number in page
    assert "Brook Public Library" in page


def test_c1_a_copy_never_touches_circulation(journey: Journey) -> None:
    journey.ask(service="copy", pages="12-31")
    journey.lender.do("ill_action", journey.theirs.pk, trigger="staff.send_copy")
    journey.ill.do("ill_action", journey.ours.pk, trigger="staff.deliver_copy")
    assert (journey.ours.state, journey.theirs.state) == ("completed", "completed")
    assert not Item.objects.filter(temporary=True).exists()
    assert not Loan.objects.exists()
    assert not Errand.objects.filter(verb__startswith="host.").exists()


# --- when it cannot be done -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)  # so that the row is made after the step was tried, as it is outside of tests
def test_a_blocked_patron_leaves_the_truth_and_try_again_works(journey: Journey) -> None:
    journey.ask().ship()
    Patron.objects.filter(pk=journey.patron.pk).update(blocked_since=journey.now.date() - timedelta(days=3))
    row = journey.ill.scan("receive", journey.ours.number)
    assert "blocked" in row
    page = journey.ill.see("ill_request", journey.ours.pk)
    assert "Received" in page
    assert "lift the block" in page
    assert "Try again" in page
    assert journey.ours.number in journey.ill.see("needs_attention")
    Patron.objects.filter(pk=journey.patron.pk).update(blocked_since=None)
    errand = Errand.objects.get(verb="host.accept_item")
    journey.ill.do("errand_action", errand.pk, trigger="staff.try_again")
    assert Hold.objects.get().patron == journey.patron


def test_a_patron_without_an_address_gets_paper(journey: Journey) -> None:
    Patron.objects.filter(pk=journey.patron.pk).update(email="")
    journey.ask().ship().receive().ready()
    letter = Letter.objects.get()
    assert letter.state == "to_print"
    assert TITLE in journey.desk.see("notice", letter.pk)
