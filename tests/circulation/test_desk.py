"""The desk's verbs: check in, check out, due dates, renewals, and that doing anything twice changes nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from interlend.circulation import choices
from interlend.circulation import services as circulation
from interlend.circulation.errors import Refused
from interlend.circulation.models import CollectionTypePolicy, Hold, Item, Loan, LoanPolicy, PatronType
from interlend.circulation.policies import Action
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from tests.make import NOW, branch, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db


def test_a_loan_and_its_return() -> None:
    alder = make_library()
    patron, item = make_patron(alder), make_item(alder)
    out = circulation.check_out(make_desk(alder), patron.pk, item.barcode, NOW)
    assert out.loan.due_on == date(2027, 5, 17)
    assert [(reason["rule"], reason["won"]) for reason in out.loan.due_reasons] == [("policy", True)]
    back = circulation.check_in(make_desk(alder), item.barcode, NOW)
    assert (back.action, back.item.state, back.loan) == (Action.RESHELVE, "available", out.loan)
    assert back.item.last_issued_to == patron


def test_scanning_twice_at_check_out_makes_one_loan() -> None:
    alder = make_library()
    patron, item = make_patron(alder), make_item(alder)
    first = circulation.check_out(make_desk(alder), patron.pk, item.barcode, NOW)
    second = circulation.check_out(make_desk(alder), patron.pk, item.barcode, NOW)
    assert second.repeated
    assert second.loan == first.loan
    assert Loan.objects.count() == 1


def test_an_item_out_to_somebody_else_is_refused_with_its_due_date() -> None:
    alder = make_library()
    item = make_item(alder)
    circulation.check_out(make_desk(alder), make_patron(alder).pk, item.barcode, NOW)
    with pytest.raises(Refused) as no:
        circulation.check_out(make_desk(alder), make_patron(alder).pk, item.barcode, NOW)
    assert no.value.code == "on_loan_elsewhere"
    assert "17 May 2027" in no.value.sentence


def test_every_reason_against_a_loan_is_named_at_once() -> None:
    alder = make_library()
    LoanPolicy.objects.update(circulates="never")
    choices.forget()
    patron = make_patron(alder, blocked_since=date(2027, 3, 1), block_reason="lost card", expires_on=date(2027, 4, 1))
    with pytest.raises(Refused) as no:
        circulation.check_out(make_desk(alder), patron.pk, make_item(alder).barcode, NOW)
    assert [reason.code for reason in no.value.reasons] == ["patron_blocked", "patron_expired", "does_not_circulate"]
    assert not Loan.objects.exists()


def test_the_item_limit_counts_what_is_out() -> None:
    alder = make_library()
    PatronType.objects.update(item_limit=1)
    patron = make_patron(alder)
    circulation.check_out(make_desk(alder), patron.pk, make_item(alder).barcode, NOW)
    with pytest.raises(Refused) as no:
        circulation.check_out(make_desk(alder), patron.pk, make_item(alder).barcode, NOW)
    assert no.value.code == "limit_reached"


def test_a_hold_elsewhere_sends_the_item_there_and_readies_it_on_arrival() -> None:
    alder = make_library()
    patron, item = make_patron(alder), make_item(alder)
    hold = circulation.place_hold(make_desk(alder), patron, item.title, branch(alder, "ANNEX"), NOW)
    sent = circulation.check_in(make_desk(alder, "MAIN"), item.barcode, NOW)
    assert (sent.action, sent.going_to, sent.item.state) == (
        Action.SEND_TO_PICKUP,
        branch(alder, "ANNEX"),
        "in_transit",
    )
    again = circulation.check_in(make_desk(alder, "MAIN"), item.barcode, NOW)
    assert again.item.state == "dispatched"
    there = circulation.check_in(make_desk(alder, "ANNEX"), item.barcode, NOW)
    hold.refresh_from_db()
    assert (there.action, there.item.state, hold.state) == (Action.HOLD, "on_hold", "ready")
    assert hold.shelf_until == date(2027, 4, 26)


def test_a_second_scan_on_the_hold_shelf_readies_nothing_again() -> None:
    alder = make_library()
    item = make_item(alder)
    circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    for _ in range(2):
        assert circulation.check_in(make_desk(alder), item.barcode, NOW).action == Action.HOLD
    assert Event.objects.filter(kind="circulation.hold_ready").count() == 1


def test_an_item_on_the_shelf_for_another_is_refused() -> None:
    alder = make_library()
    item = make_item(alder)
    circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    circulation.check_in(make_desk(alder), item.barcode, NOW)
    with pytest.raises(Refused) as no:
        circulation.check_out(make_desk(alder), make_patron(alder).pk, item.barcode, NOW)
    assert no.value.code == "held_for_another"


def test_a_hold_whose_shelf_time_is_over_ends_when_it_is_scanned_and_the_next_one_gets_it() -> None:
    alder = make_library()
    item = make_item(alder)
    first = circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    second = circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    circulation.check_in(make_desk(alder), item.barcode, NOW)
    later = circulation.check_in(make_desk(alder), item.barcode, NOW + timedelta(days=8))
    assert (later.expired_hold, later.hold, later.action) == (first, second, Action.HOLD)
    first.refresh_from_db()
    assert first.state == "expired"


def test_a_suspended_hold_is_passed_over() -> None:
    alder = make_library()
    item = make_item(alder)
    hold = circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    Hold.objects.filter(pk=hold.pk).update(suspended_from=date(2027, 4, 1), suspended_to=date(2027, 5, 1))
    assert circulation.check_in(make_desk(alder), item.barcode, NOW).action == Action.RESHELVE


def test_whoever_suspended_their_hold_may_have_the_item_at_the_desk_all_the_same() -> None:
    alder = make_library()
    patron, item = make_patron(alder), make_item(alder)
    Item.objects.filter(pk=item.pk).update(temporary=True, request="ALD-1", partner_name="Brook")
    hold = circulation.place_hold(make_desk(alder), patron, item.title, branch(alder), NOW)
    Hold.objects.filter(pk=hold.pk).update(suspended_from=date(2027, 4, 1), suspended_to=None)
    out = circulation.check_out(make_desk(alder), patron.pk, item.barcode, NOW)
    assert out.hold is not None
    assert (out.hold.pk, out.hold.state) == (hold.pk, "fulfilled")


def test_an_unavailable_collection_puts_away_and_fills_no_title_holds() -> None:
    alder = make_library()
    item = make_item(alder)
    CollectionTypePolicy.objects.filter(name="Everything").update(available=False, fulfills_holds=False)
    circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    back = circulation.check_in(make_desk(alder), item.barcode, NOW)
    assert (back.action, back.item.state) == (Action.RESHELVE, "unavailable")


def test_away_from_home_it_is_sent_home() -> None:
    alder = make_library()
    item = make_item(alder)
    sent = circulation.check_in(make_desk(alder, "ANNEX"), item.barcode, NOW)
    assert (sent.action, sent.going_to, sent.item.going_to) == (Action.SEND_HOME, branch(alder), branch(alder))


def test_a_back_dated_check_in_keeps_the_earlier_moment_and_is_not_overdue() -> None:
    alder = make_library()
    patron, item = make_patron(alder), make_item(alder)
    loan = circulation.check_out(make_desk(alder), patron.pk, item.barcode, NOW).loan
    monday = NOW + timedelta(days=30)
    back = circulation.check_in(make_desk(alder), item.barcode, monday, backdated_to=monday - timedelta(days=2))
    loan.refresh_from_db()
    assert loan.checked_in_at == monday - timedelta(days=2)
    assert back.alerts == []


def test_unknown_barcodes_change_nothing() -> None:
    alder = make_library()
    with pytest.raises(Refused) as no:
        circulation.check_in(make_desk(alder), "nothing", NOW)
    assert no.value.code == "unknown_item"
    assert not Event.objects.exists()


def test_another_librarys_item_does_not_exist_here() -> None:
    alder, brook = make_library(), make_library("BRK", "Brook Public Library")
    item = make_item(brook)
    with pytest.raises(Refused):
        circulation.check_in(make_desk(alder), item.barcode, NOW)


def test_a_persons_own_due_date_and_its_bounds() -> None:
    alder = make_library()
    loan = circulation.check_out(make_desk(alder), make_patron(alder).pk, make_item(alder).barcode, NOW).loan
    changed = circulation.change_due_date(make_desk(alder), loan.pk, date(2027, 4, 30), NOW)
    assert changed.due_on == date(2027, 4, 30)
    assert changed.due_reasons[0]["rule"] == "staff"
    assert [reason["won"] for reason in changed.due_reasons] == [True, False]
    with pytest.raises(Refused) as no:
        circulation.change_due_date(make_desk(alder), loan.pk, date(2027, 4, 18), NOW)
    assert no.value.code == "bad_date"


def test_renewing_counts_and_stops() -> None:
    alder = make_library()
    loan = circulation.check_out(make_desk(alder), make_patron(alder).pk, make_item(alder).barcode, NOW).loan
    for times in (1, 2):
        loan = circulation.renew(make_desk(alder), loan.pk, NOW + timedelta(days=7 * times))
    assert (loan.renewals, loan.due_on) == (2, date(2027, 5, 31))
    with pytest.raises(Refused) as no:
        circulation.renew(make_desk(alder), loan.pk, NOW + timedelta(days=21))
    assert no.value.code == "no_more_renewals"


def test_nobody_renews_what_another_waits_for() -> None:
    alder = make_library()
    item = make_item(alder)
    loan = circulation.check_out(make_desk(alder), make_patron(alder).pk, item.barcode, NOW).loan
    circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    with pytest.raises(Refused) as no:
        circulation.renew(make_desk(alder), loan.pk, NOW)
    assert no.value.code == "others_wait"


def read_choices(library: Library) -> None:
    """As they are in a process that has served somebody a second ago."""
    choices.policies(library.pk)
    choices.branches(library.pk)


@pytest.mark.parametrize("others", [0, 40])
def test_a_check_in_costs_the_same_however_much_there_is(others: int, django_assert_num_queries: object) -> None:
    alder = make_library()
    item = make_item(alder)
    circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    for _ in range(others):
        extra = make_item(alder)
        circulation.check_out(make_desk(alder), make_patron(alder).pk, extra.barcode, NOW)
    desk = make_desk(alder)
    read_choices(alder)
    # savepoint, item, holds, hold, item, event, errand, release
    with django_assert_num_queries(8):  # type: ignore[operator]
        circulation.check_in(desk, item.barcode, NOW)


@pytest.mark.parametrize("others", [0, 40])
def test_a_check_out_costs_the_same_however_much_there_is(others: int, django_assert_num_queries: object) -> None:
    alder = make_library()
    item, patron = make_item(alder), make_patron(alder)
    for _ in range(others):
        circulation.check_out(make_desk(alder), make_patron(alder).pk, make_item(alder).barcode, NOW)
    desk = make_desk(alder)
    read_choices(alder)
    # savepoint, item, patron, holds, loan, item, event, release
    with django_assert_num_queries(8):  # type: ignore[operator]
        circulation.check_out(desk, patron.pk, item.barcode, NOW)


def test_deleting_frees_the_barcode_and_keeps_the_record() -> None:
    alder = make_library()
    item = make_item(alder, "300")
    circulation.delete_item(make_desk(alder), item.pk, NOW)
    other = make_item(alder, "300", "Another book")
    assert Item.objects.filter(barcode="300").count() == 2
    with pytest.raises(Refused) as no:
        circulation.restore_item(make_desk(alder), item.pk, NOW)
    assert no.value.code == "barcode_taken"
    circulation.delete_item(make_desk(alder), other.pk, NOW)
    assert circulation.restore_item(make_desk(alder), item.pk, NOW).state == "unavailable"
