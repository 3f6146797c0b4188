"""What sharing may rely on, whatever circulation a library has. One suite, run on every adapter."""

from __future__ import annotations

from datetime import date

import pytest

from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.sharing.host import AcceptItem, CheckInItem, CheckOutItem, HostProblem, LookupUser
from tests.host_contract.conftest import World
from tests.make import NOW, branch, make_desk, make_item

ACCEPT = AcceptItem(
    request="ALD-1", user="P1", item="B1", title="Friendly fire", author="Kurt Rosenwinkel", lender_symbol="BRK",
    lender_name="Brook Public Library", date_for_return=date(2027, 5, 3), pickup_location="MAIN",
)  # fmt: skip
LEND = CheckOutItem(
    request="BRK-1", item="A1", user="INST-BRK", borrower_symbol="BRK", borrower_name="Brook Public Library",
    date_due=date(2027, 6, 1),
)  # fmt: skip


def test_a_patron_is_known_by_barcode(world: World) -> None:
    user = world.host.lookup_user(LookupUser("P1"))
    assert (user.barcode, user.blocks) == ("P1", ())
    assert user.name == ("Okafor, M." if world.can("can_look_up_users") else "P1")


def test_an_unknown_patron_is_a_lasting_problem_in_words(world: World) -> None:
    world.needs("can_look_up_users")
    with pytest.raises(HostProblem) as no:
        world.host.lookup_user(LookupUser("nobody"))
    assert no.value.lasting
    assert no.value.code == "unknown_patron"
    assert no.value.sentence


def test_a_block_is_told(world: World) -> None:
    world.needs("can_look_up_users")
    Patron.objects.filter(pk=world.patron.pk).update(blocked_since=date(2027, 4, 1))
    assert world.host.lookup_user(LookupUser("P1")).blocks


def test_accepting_makes_item_and_hold_once(world: World) -> None:
    for _ in range(2):
        assert world.host.accept_item(ACCEPT).item == "B1"
    item = Item.objects.get(temporary=True)
    assert (item.request, item.title.title, item.lender_due) == ("ALD-1", "Friendly fire", date(2027, 5, 3))
    assert item.partner_symbol == ("BRK" if world.can("lender_in_item_id") else "")
    assert Hold.objects.get().pickup_branch == branch(world.library, "MAIN")


@pytest.mark.parametrize("trouble", ["unknown", "blocked", "taken"])
def test_what_cannot_be_accepted_leaves_nothing(world: World, trouble: str) -> None:
    if trouble == "unknown":
        Patron.objects.filter(pk=world.patron.pk).update(barcode="P2")
    elif trouble == "blocked":
        Patron.objects.filter(pk=world.patron.pk).update(blocked_since=date(2027, 4, 1))
    else:
        make_item(world.library, "B1", "Our own book")
    with pytest.raises(HostProblem) as no:
        world.host.accept_item(ACCEPT)
    assert no.value.lasting
    assert not Item.objects.filter(temporary=True).exists()
    assert not Hold.objects.exists()


def test_lending_tells_the_real_due_date_and_bears_repeating(world: World) -> None:
    for _ in range(2):
        told = world.host.check_out_item(LEND).date_due
        assert told == (date(2027, 6, 1) if world.can("sends_desired_due") else Loan.objects.get().due_on)
    loan = Loan.objects.get()
    assert (loan.item.barcode, loan.patron.barcode, loan.request) == ("A1", "INST-BRK", "BRK-1")


def test_without_a_date_the_policy_decides(world: World) -> None:
    ask = CheckOutItem(request="BRK-1", item="A1", user="INST-BRK", borrower_symbol="BRK")
    assert world.host.check_out_item(ask).date_due is not None


@pytest.mark.parametrize(("changes", "code"), [({"item": "?"}, "unknown_item"), ({"user": "INST-X"}, "no_account")])
def test_what_cannot_be_lent(world: World, changes: dict[str, str], code: str) -> None:
    given = {"request": "BRK-1", "item": "A1", "user": "INST-BRK"} | changes
    with pytest.raises(HostProblem) as no:
        world.host.check_out_item(CheckOutItem(**given))  # type: ignore[arg-type]
    assert no.value.lasting
    assert no.value.code in (code, "unknown_patron")
    assert not Loan.objects.exists()


def test_taking_ours_back(world: World) -> None:
    world.host.check_out_item(LEND)
    assert not world.host.check_in_item(CheckInItem("BRK-1", "A1")).already
    assert Item.objects.get(barcode="A1").state == "available"
    assert world.host.check_in_item(CheckInItem("BRK-1", "A1")).already


def test_taking_back_what_the_desk_had_is_no_problem(world: World) -> None:
    world.host.check_out_item(LEND)
    circulation.check_in(make_desk(world.library), "A1", NOW)
    assert world.host.check_in_item(CheckInItem("BRK-1", "A1")).already


def test_taking_a_borrowed_one_back_makes_it_unavailable(world: World) -> None:
    world.host.accept_item(ACCEPT)
    circulation.check_out(make_desk(world.library), world.patron.pk, "B1", NOW)
    world.host.check_in_item(CheckInItem("ALD-1", "B1"))
    assert Item.objects.get(barcode="B1").state == "unavailable"
    assert Loan.objects.get().state == "returned"


def test_what_never_came_into_circulation_is_done(world: World) -> None:
    assert world.host.check_in_item(CheckInItem("ALD-9", "never")).already
