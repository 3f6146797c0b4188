"""What sharing drives in circulation: accept, lend, take back; each told twice is answered like the first time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from interlend.circulation import services as circulation
from interlend.circulation.errors import Refused
from interlend.circulation.models import Hold, IllSettings, Item, Loan, Patron
from interlend.circulation.policies import Action
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from tests.make import NOW, branch, make_account, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db


def a_piece(patron: Patron, **changes: object) -> circulation.AcceptRequest:
    piece = circulation.AcceptRequest(
        request="ALD-10042", patron_barcode=patron.barcode, barcode="B1", title="Friendly fire",
        partner_symbol="BRK", partner_name="Brook Public Library", lender_due=date(2027, 5, 3), pickup_code="MAIN",
    )  # fmt: skip
    return replace(piece, **changes)  # type: ignore[arg-type]


def a_wish(item: Item, **changes: object) -> circulation.LendRequest:
    wish = circulation.LendRequest(
        request="BRK-7", barcode=item.barcode, account_barcode="INST-BRK", partner_symbol="BRK",
        partner_name="Brook Public Library",
    )  # fmt: skip
    return replace(wish, **changes)  # type: ignore[arg-type]


def with_account(alder: Library) -> None:
    make_account(alder, make_library("BRK", "Brook Public Library"))


def test_accepting_makes_a_temporary_item_and_an_item_level_hold() -> None:
    alder = make_library()
    accepted = circulation.accept_temporary_item(make_desk(alder), a_piece(make_patron(alder)), NOW)
    item, hold = accepted.item, accepted.hold
    assert (item.temporary, item.state, item.request) == (True, "recently_received", "ALD-10042")
    assert (item.holding_location.code, item.shelving_location.code) == ("ILL", "ILL")
    assert hold is not None
    assert (hold.level, hold.state, hold.pickup_branch.code, hold.request) == ("item", "pending", "MAIN", "ALD-10042")


def test_accepting_twice_makes_nothing_more() -> None:
    alder = make_library()
    piece = a_piece(make_patron(alder))
    first = circulation.accept_temporary_item(make_desk(alder), piece, NOW)
    second = circulation.accept_temporary_item(make_desk(alder), piece, NOW)
    assert second.repeated
    assert (second.item, second.hold) == (first.item, first.hold)
    assert (Item.objects.count(), Hold.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"patron_barcode": "nobody"}, "unknown_patron"),
        ({"pickup_code": "MOON"}, "unknown_pickup"),
    ],
)
def test_what_cannot_be_accepted_leaves_nothing_behind(changes: dict[str, object], code: str) -> None:
    alder = make_library()
    with pytest.raises(Refused) as no:
        circulation.accept_temporary_item(make_desk(alder), a_piece(make_patron(alder), **changes), NOW)
    assert no.value.code == code
    assert no.value.remedy
    assert not Item.objects.exists()
    assert not Event.objects.exists()


def test_without_a_pickup_place_the_patrons_home_branch_is_used() -> None:
    alder = make_library()
    patron = make_patron(alder, home_branch=branch(alder, "ANNEX"))
    accepted = circulation.accept_temporary_item(make_desk(alder), a_piece(patron, pickup_code=""), NOW)
    assert accepted.hold is not None
    assert accepted.hold.pickup_branch == branch(alder, "ANNEX")


def test_blocked_and_expired_patrons_and_missing_settings_are_refused() -> None:
    alder = make_library()
    blocked = make_patron(alder, blocked_since=date(2027, 4, 1), block_reason="fines")
    with pytest.raises(Refused) as no:
        circulation.accept_temporary_item(make_desk(alder), a_piece(blocked), NOW)
    assert "blocked since 1 April 2027 (fines)" in no.value.sentence
    IllSettings.objects.all().delete()
    with pytest.raises(Refused) as no:
        circulation.accept_temporary_item(make_desk(alder), a_piece(make_patron(alder)), NOW)
    assert no.value.code == "ill_not_set_up"


def test_a_barcode_of_our_own_is_not_taken_over() -> None:
    alder = make_library()
    make_item(alder, "B1", "Our own book")
    with pytest.raises(Refused) as no:
        circulation.accept_temporary_item(make_desk(alder), a_piece(make_patron(alder)), NOW)
    assert no.value.code == "barcode_taken"
    assert "Our own book" in no.value.sentence


def test_only_the_patron_it_was_borrowed_for_may_take_it() -> None:
    alder = make_library()
    patron, other = make_patron(alder), make_patron(alder)
    circulation.accept_temporary_item(make_desk(alder), a_piece(patron), NOW)
    with pytest.raises(Refused) as no:
        circulation.check_out(make_desk(alder), other.pk, "B1", NOW)
    assert no.value.code == "borrowed_for_another"
    out = circulation.check_out(make_desk(alder), patron.pk, "B1", NOW)
    assert out.loan.due_on == date(2027, 5, 3)
    assert [(r["rule"], r["won"]) for r in out.loan.due_reasons] == [("policy", False), ("lender", True)]


def test_lending_and_its_due_date() -> None:
    alder = make_library()
    with_account(alder)
    item = make_item(alder)
    lent = circulation.lend(make_desk(alder), a_wish(item, due=date(2027, 6, 1)), NOW)
    item.refresh_from_db()
    assert (lent.loan.due_on, item.state, item.request) == (date(2027, 6, 1), "on_loan", "BRK-7")
    assert item.partner_name == "Brook Public Library"
    again = circulation.lend(make_desk(alder), a_wish(item, due=date(2027, 6, 1)), NOW)
    assert again.repeated
    assert Loan.objects.count() == 1


def test_lending_without_a_date_uses_the_policy() -> None:
    alder = make_library()
    with_account(alder)
    assert circulation.lend(make_desk(alder), a_wish(make_item(alder)), NOW).loan.due_on == date(2027, 5, 17)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"barcode": "unheard"}, "unknown_item"),
        ({"account_barcode": "INST-XXX"}, "no_account"),
        ({"account_barcode": ""}, "account_not_set"),
    ],
)
def test_what_cannot_be_lent(changes: dict[str, object], code: str) -> None:
    alder = make_library()
    with_account(alder)
    with pytest.raises(Refused) as no:
        circulation.lend(make_desk(alder), a_wish(make_item(alder), **changes), NOW)
    assert no.value.code == code
    assert not Loan.objects.exists()


def test_a_blocked_account_stops_lending_with_its_reason() -> None:
    alder = make_library()
    with_account(alder)
    Patron.objects.filter(barcode="INST-BRK").update(blocked_since=date(2027, 4, 1), block_reason="overdue limit")
    with pytest.raises(Refused) as no:
        circulation.lend(make_desk(alder), a_wish(make_item(alder)), NOW)
    assert "Brook Public Library is blocked since 1 April 2027 (overdue limit)" in no.value.sentence


def test_taking_back_a_borrowed_item_closes_everything_and_bears_repeating() -> None:
    alder = make_library()
    patron = make_patron(alder)
    circulation.accept_temporary_item(make_desk(alder), a_piece(patron), NOW)
    circulation.check_out(make_desk(alder), patron.pk, "B1", NOW)
    first = circulation.take_back(make_desk(alder), "ALD-10042", "B1", NOW)
    assert first.item is not None
    assert (first.already, first.item.state) == (False, "unavailable")
    assert Loan.objects.get().state == "returned"
    assert circulation.take_back(make_desk(alder), "ALD-10042", "B1", NOW).already
    assert (first.item.request, first.item.last_issued_to) == ("ALD-10042", patron)


def test_an_unwanted_borrowed_item_ends_its_hold() -> None:
    alder = make_library()
    circulation.accept_temporary_item(make_desk(alder), a_piece(make_patron(alder)), NOW)
    circulation.check_in(make_desk(alder, "MAIN"), "B1", NOW)
    circulation.take_back(make_desk(alder), "ALD-10042", "B1", NOW)
    assert Hold.objects.get().state == "cancelled"
    assert circulation.check_in(make_desk(alder, "ILL"), "B1", NOW).action == Action.ROUTE_TO_ILL


def test_taking_ours_back_fills_a_waiting_hold_but_readies_nothing_unseen() -> None:
    alder = make_library()
    with_account(alder)
    item = make_item(alder)
    circulation.lend(make_desk(alder), a_wish(item), NOW)
    hold = circulation.place_hold(make_desk(alder), make_patron(alder), item.title, branch(alder), NOW)
    taken = circulation.take_back(make_desk(alder), "BRK-7", item.barcode, NOW)
    hold.refresh_from_db()
    assert (taken.action, hold.state, hold.item) == (Action.SEND_TO_PICKUP, "in_transit", item)
    assert not Event.objects.filter(kind="circulation.hold_ready").exists()
    assert circulation.check_in(make_desk(alder), item.barcode, NOW).action == Action.HOLD


def test_taking_back_what_the_desk_checked_in_and_lent_again_leaves_the_new_loan_alone() -> None:
    alder = make_library()
    with_account(alder)
    item, patron = make_item(alder), make_patron(alder)
    circulation.lend(make_desk(alder), a_wish(item), NOW)
    back = circulation.check_in(make_desk(alder), item.barcode, NOW)
    assert back.prompt is not None
    assert (back.prompt.request, back.prompt.side) == ("BRK-7", "lending")
    circulation.check_out(make_desk(alder), patron.pk, item.barcode, NOW)
    assert circulation.take_back(make_desk(alder), "BRK-7", item.barcode, NOW).already
    assert Loan.objects.filter(state="out").get().patron == patron


def test_a_temporary_item_cannot_be_lent_on() -> None:
    alder = make_library()
    with_account(alder)
    accepted = circulation.accept_temporary_item(make_desk(alder), a_piece(make_patron(alder)), NOW)
    with pytest.raises(Refused) as no:
        circulation.lend(make_desk(alder), a_wish(accepted.item), NOW)
    assert no.value.code == "borrowed_for_another"


def test_no_renewal_without_the_lender() -> None:
    alder = make_library()
    patron = make_patron(alder)
    circulation.accept_temporary_item(make_desk(alder), a_piece(patron), NOW)
    loan = circulation.check_out(make_desk(alder), patron.pk, "B1", NOW).loan
    with pytest.raises(Refused) as no:
        circulation.renew(make_desk(alder), loan.pk, NOW)
    assert no.value.code == "ask_the_lender"
    with pytest.raises(Refused) as no:
        circulation.change_due_date(make_desk(alder), loan.pk, date(2027, 5, 20), NOW)
    assert "Brook Public Library wants it back by 3 May 2027" in no.value.sentence
