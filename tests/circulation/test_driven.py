"""What other systems drive beside accept, lend and take back: requests, recalls, undone check-outs, bills, removals."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from interlend.circulation import services as circulation
from interlend.circulation.errors import Refused
from interlend.circulation.facts import SENTENCES
from interlend.circulation.models import Bill, Hold, Item, Loan, Patron
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from tests.make import NOW, make_account, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db


@pytest.fixture
def alder() -> Library:
    library = make_library()
    make_account(library, make_library("BRK", "Brook Public Library"))
    return library


def wish(library: Library, **fields: object) -> circulation.RequestWish:
    account = Patron.objects.select_related("patron_type", "home_branch").get(library=library, barcode="INST-BRK")
    given: dict[str, object] = {"patron": account, "request": "BRK-7", "barcode": "A1", "pickup_code": "MAIN"} | fields
    return circulation.RequestWish(**given)  # type: ignore[arg-type]


def test_a_request_is_one_hold_however_often_it_is_asked_for(alder: Library) -> None:
    make_item(alder, "A1")
    first = circulation.request_item(make_desk(alder), wish(alder), NOW)
    second = circulation.request_item(make_desk(alder), wish(alder), NOW)
    assert (second.hold, second.repeated, first.repeated) == (first.hold, True, False)
    assert first.copy == Item.objects.get()
    assert Event.objects.filter(kind="circulation.hold_placed").count() == 1


def test_a_cancelled_request_may_be_asked_for_again(alder: Library) -> None:
    make_item(alder, "A1")
    hold = circulation.request_item(make_desk(alder), wish(alder), NOW).hold
    circulation.cancel_request(make_desk(alder), hold, NOW)
    again = circulation.request_item(make_desk(alder), wish(alder), NOW).hold
    assert again != hold
    assert circulation.find_request(alder.pk, request="BRK-7") == again


def test_lending_another_copy_fulfils_the_title_s_request(alder: Library) -> None:
    make_item(alder, "A1", record_id="77")
    make_item(alder, "A2", record_id="77")
    patron = make_patron(alder)
    for barcode in ("A1", "A2"):
        circulation.check_out(make_desk(alder), patron.pk, barcode, NOW)
    hold = circulation.request_item(make_desk(alder), wish(alder, barcode="", record_id="77"), NOW).hold
    assert hold.level == Hold.Level.TITLE
    circulation.take_back_piece(make_desk(alder), "A2", NOW)
    circulation.lend(make_desk(alder), circulation.LendRequest("BRK-7", "A2", "INST-BRK"), NOW)
    hold.refresh_from_db()
    assert hold.state == "fulfilled"


def test_a_recall_shortens_once_and_its_end_restores(alder: Library) -> None:
    make_item(alder, "A1")
    lend = circulation.LendRequest("BRK-7", "A1", "INST-BRK", due=date(2027, 7, 1))
    circulation.lend(make_desk(alder), lend, NOW)
    for wished in (date(2027, 5, 20), date(2027, 5, 1)):
        loan = circulation.recall(make_desk(alder), "A1", NOW, wished_due=wished)
        assert loan.due_on == date(2027, 5, 20)
    assert circulation.cancel_recall(make_desk(alder), "A1", NOW).due_on == date(2027, 7, 1)
    with pytest.raises(Refused) as no:
        circulation.cancel_recall(make_desk(alder), "A1", NOW)
    assert no.value.code == "not_recalled"


def test_an_undone_check_out_is_no_return_and_counts_for_nothing(alder: Library) -> None:
    item, patron = make_item(alder, "A1"), make_patron(alder)
    circulation.check_out(make_desk(alder), patron.pk, "A1", NOW)
    with pytest.raises(Refused) as no:
        circulation.undo_check_out(make_desk(alder), "A1", NOW, patron_id=patron.pk + 1)
    assert no.value.code == "not_his_loan"
    circulation.undo_check_out(make_desk(alder), "A1", NOW, patron_id=patron.pk)
    item.refresh_from_db()
    assert (item.state, item.issued_count, Loan.objects.get().state) == ("available", 0, "undone")


def test_bills_with_a_key_are_one_and_without_any_are_each_their_own(alder: Library) -> None:
    patron, desk = make_patron(alder), make_desk(alder)
    keyed = circulation.Charge("Fee", "Assess", 100, "EUR", reference="X-1")
    assert [circulation.charge(desk, patron, keyed, NOW)[1] for _ in range(2)] == [False, True]
    loose = circulation.Charge("Fee", "Payment", 30, "EUR")
    for minutes in (1, 2):
        circulation.charge(desk, patron, loose, NOW + timedelta(minutes=minutes))
    assert sum(bill.amount for bill in Bill.objects.all()) == 100 - 30 - 30
    with pytest.raises(Refused):
        circulation.charge(desk, patron, circulation.Charge("Fee", "Assess", 1, "euros"), NOW)


def test_what_was_written_down_reads_as_a_sentence(alder: Library) -> None:
    patron, desk = make_patron(alder), make_desk(alder)
    make_item(alder, "A1")
    circulation.check_out(desk, patron.pk, "A1", NOW)
    circulation.recall(desk, "A1", NOW)
    circulation.cancel_recall(desk, "A1", NOW)
    circulation.undo_check_out(desk, "A1", NOW)
    circulation.charge(desk, patron, circulation.Charge("Fee", "Assess", 150, "EUR"), NOW)
    piece = circulation.AcceptRequest("R-1", patron.barcode, "T-1", "War and peace", pickup_code="MAIN")
    circulation.accept_temporary_item(desk, piece, NOW)
    circulation.lenders_date(desk, "T-1", date(2027, 6, 1), NOW)
    circulation.change_temporary_item(desk, "T-1", {"author": "Tolstoy"}, NOW)
    circulation.remove_temporary_item(desk, "T-1", NOW)
    told = [SENTENCES[event.kind].format(**(event.data | {"request": event.request})) for event in Event.objects.all()]
    for said in ("Recalled, now due 26 April 2027", "Recall cancelled, due 17 May 2027 again",
                 "Check-out undone: reshelve", "Fee: 1.50 EUR", "The lender's date is now 1 June 2027",
                 "Temporary item changed: author", "Item deleted"):  # fmt: skip
        assert said in told
