"""The joins once more, with both libraries' circulation reached over NCIP only: real HTTP, our own responder.

Sharing here knows nothing of circulation but what messages say; the pages and the promises are the same, so the tests
are the same ones, taken from the two routes.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from interlend.bridge.models import Exchange, HostSettings, NcipCaller
from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.outbox.models import Errand
from tests.journeys.conftest import Journey
from tests.journeys.test_borrowing import (
    test_b01_received_makes_a_temporary_item_and_an_item_level_hold as test_b01_received,
)
from tests.journeys.test_borrowing import test_b01_scanning_it_twice_makes_nothing_more as test_b01_scanned_twice
from tests.journeys.test_borrowing import (
    test_b04_item_details_show_the_request_id_and_the_lender as test_b04_request_id_and_lender,
)
from tests.journeys.test_borrowing import test_b11_the_due_date_is_the_stricter_one_and_says_why as test_b11_due_date
from tests.journeys.test_borrowing import test_b13_check_in_prompts_to_update_the_request as test_b13_prompt
from tests.journeys.test_borrowing import (
    test_b14_it_is_routed_to_its_home_branch_and_unavailable_there as test_b14_routed_home,
)
from tests.journeys.test_borrowing import test_b15_after_the_desk_it_does_no_harm as test_b15_after_the_desk
from tests.journeys.test_borrowing import (
    test_b15_marking_it_returned_checks_it_in_if_the_desk_has_not as test_b15_before_the_desk,
)
from tests.journeys.test_lending import (
    test_l1_shipped_checks_our_item_out_to_the_borrowing_institution as test_l1_shipped,
)
from tests.journeys.test_lending import (
    test_l3_the_requests_due_date_holds_and_without_one_the_loan_policy as test_l3_requests_date,
)
from tests.journeys.test_lending import (
    test_l3_without_a_date_the_loan_policy_decides_and_the_borrower_hears_it as test_l3_policys_date,
)
from tests.journeys.test_lending import test_l5_completing_sets_it_by_the_collection_type_policy as test_l5_completed
from tests.journeys.test_lending import (
    test_l9_checked_in_at_the_desk_first_staff_are_prompted_and_complete_it as test_l9_desk_first,
)

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = [
    "test_b01_received", "test_b01_scanned_twice", "test_b04_request_id_and_lender", "test_b11_due_date",
    "test_b13_prompt", "test_b14_routed_home", "test_b15_after_the_desk", "test_b15_before_the_desk", "test_l1_shipped",
    "test_l3_policys_date", "test_l3_requests_date", "test_l5_completed", "test_l9_desk_first",
]  # fmt: skip


@pytest.fixture
def journey(transactional_db: None, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Journey:
    """Commits are real here, so whoever is to be told hears it by itself."""
    there = Journey(nullcontext, monkeypatch)
    for library in (there.alder, there.brook):
        NcipCaller.objects.create(library=library, name="Sharing", from_agencies=["SHARING"])
        HostSettings.objects.create(
            library=library, kind="ncip", name=f"{library.name}'s system", url=f"{live_server.url}/ncip",
            dialect="interlend", from_agency="SHARING", to_agency=library.symbol,
        )  # fmt: skip
    return there


def test_the_whole_route_went_over_the_wire(journey: Journey) -> None:
    journey.ask().ship().receive().ready().check_out().back_at_the_desk().mark_returned().complete()
    assert (journey.ours.state, journey.theirs.state) == ("completed", "completed")
    assert not Errand.objects.exclude(state="done").exists()
    kept = Exchange.objects.order_by("id")
    services = ["CheckOutItem", "AcceptItem", "CheckInItem", "CheckInItem"]
    assert [one.service for one in kept.filter(direction="out") if one.service != "LookupUser"] == services
    assert [one.service for one in kept.filter(direction="in") if one.service != "LookupUser"] == services
    assert set(kept.values_list("outcome", flat=True)) <= {"ok", "Item Not Checked Out"}


def test_a_blocked_patron_leaves_the_truth_and_try_again_works(journey: Journey) -> None:
    journey.ask().ship()
    Patron.objects.filter(pk=journey.patron.pk).update(blocked_since=journey.now.date() - timedelta(days=3))
    row = journey.ill.scan("receive", journey.ours.number)
    assert "blocked" in row
    page = journey.ill.see("ill_request", journey.ours.pk)
    assert "Alder University&#x27;s system" in page or "Alder University's system" in page
    assert "lift the block" in page
    assert "Try again" in page
    assert not Item.objects.filter(temporary=True).exists()
    Patron.objects.filter(pk=journey.patron.pk).update(blocked_since=None)
    errand = Errand.objects.get(verb="host.accept_item")
    journey.ill.do("errand_action", errand.pk, trigger="staff.try_again")
    assert Hold.objects.get().patron == journey.patron


def test_a_missing_institution_account_leaves_the_truth_and_try_again_works(journey: Journey) -> None:
    account = Patron.objects.get(barcode="INST-ALD")
    Patron.objects.filter(pk=account.pk).update(barcode="ELSEWHERE")
    journey.ask().ship()
    assert (journey.theirs.state, journey.lent.state) == ("shipped", "available")
    page = journey.lender.see("ill_request", journey.theirs.pk)
    assert "does not know the account INST-ALD" in page
    assert "Partners" in page
    Patron.objects.filter(pk=account.pk).update(barcode="INST-ALD")
    journey.lender.do("errand_action", Errand.objects.get(state="failed").pk, trigger="staff.try_again")
    assert journey.lent.state == "on_loan"


def test_a_host_that_is_away_keeps_nobody_from_working(journey: Journey) -> None:
    """The parcel is received whatever circulation says; the step is done when it is back."""
    journey.ask().ship()
    settings = HostSettings.objects.get(library=journey.alder)
    HostSettings.objects.filter(pk=settings.pk).update(url="http://127.0.0.1:9/ncip")
    row = journey.ill.scan("receive", journey.ours.number)
    assert "Received" in row
    assert journey.ours.state == "received"
    assert journey.theirs.state == "received"
    assert Errand.objects.get(verb="host.accept_item").state == "waiting"
    HostSettings.objects.filter(pk=settings.pk).update(url=settings.url)
    from interlend.outbox.services import run_due

    assert run_due(journey.wait(minutes=1)) == 1
    assert (journey.item.request, Loan.objects.count()) == (journey.ours.number, 1)
