"""News from other systems: what follows here from each kind, what is only noted, and that it is never refused."""

from __future__ import annotations

from datetime import date

import pytest

from interlend import ncip
from interlend.circulation import services as circulation
from interlend.circulation.errors import refuse
from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from interlend.sharing.models import IllRequest, Partner, Piece
from tests.bridge.ncip import V1, V2, ask, header, make_caller, post, problem
from tests.make import NOW, make_account, make_desk, make_ill, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("style", [V2, V1], ids=["v2", "v1"])
DUE = date(2027, 5, 3)


@pytest.fixture
def alder() -> Library:
    library = make_library()
    make_caller(library)
    make_account(library, make_library("BRK", "Brook Public Library"))
    make_patron(library, "P1")
    return library


@pytest.fixture
def borrowed(alder: Library) -> Item:
    """A temporary item that has come from Brook for P1."""
    piece = circulation.AcceptRequest(
        "R-1", "P1", "T-1", "War and peace", partner_symbol="BRK", partner_name="Brook", lender_due=DUE
    )
    return circulation.accept_temporary_item(make_desk(alder), piece, NOW).item


def lent_out(library: Library, barcode: str = "T-1") -> Loan:
    """The borrowed item is out to P1."""
    return circulation.check_out(make_desk(library), Patron.objects.get(barcode="P1").pk, barcode, NOW).loan


def tell(library: Library, kind: type[ncip.Initiation], style: ncip.Style = V2, **fields: object) -> None:
    answer = ask(kind(header=header(library), **fields), style)  # type: ignore[arg-type]
    assert answer.service == f"{kind.__name__}Response"
    assert answer.problems == ()


def said() -> str:
    return str(Event.objects.filter(kind="circulation.heard").latest("id").data["what"])


def day(text: str) -> ncip.Moment:
    return ncip.Moment(f"{text}T00:00:00Z")


# --- the lender's dates -----------------------------------------------------------------------------------------


@BOTH
def test_a_renewal_by_the_lender_moves_the_loan(alder: Library, borrowed: Item, style: ncip.Style) -> None:
    loan = lent_out(alder)
    for _ in range(2):
        tell(alder, ncip.ItemRenewed, style, item_id=ncip.ItemId("T-1"), date_due=day("2027-06-01"))
    loan.refresh_from_db()
    borrowed.refresh_from_db()
    assert (loan.due_on, loan.renewals, borrowed.lender_due) == (date(2027, 6, 1), 1, date(2027, 6, 1))


def test_a_renewal_never_shortens(alder: Library, borrowed: Item) -> None:
    loan = lent_out(alder)
    tell(alder, ncip.ItemRenewed, item_id=ncip.ItemId("T-1"), date_due=day("2027-04-25"))
    loan.refresh_from_db()
    assert (loan.due_on, loan.renewals) == (DUE, 0)


def test_of_our_own_items_nobody_else_renews_or_recalls(alder: Library) -> None:
    make_item(alder, "A1")
    loan = lent_out(alder, "A1")
    before = Loan.objects.values().get()
    for kind in (ncip.ItemRenewed, ncip.ItemRecalled):
        tell(alder, kind, item_id=ncip.ItemId("A1"), date_due=day("2027-08-01"))
    tell(alder, ncip.ItemRecallCancelled, item_id=ncip.ItemId("A1"))
    tell(alder, ncip.ItemCheckedIn, item_id=ncip.ItemId("A1"))
    assert Loan.objects.values().get() == before
    assert Event.objects.filter(kind="circulation.heard", item_key=loan.item_id).count() == 4


@BOTH
def test_a_recall_by_the_lender_and_back_again(alder: Library, borrowed: Item, style: ncip.Style) -> None:
    loan = lent_out(alder)
    for _ in range(2):
        tell(alder, ncip.ItemRecalled, style, item_id=ncip.ItemId("T-1"), date_due=day("2027-04-25"))
    loan.refresh_from_db()
    borrowed.refresh_from_db()
    assert (loan.due_on, loan.due_before_recall, borrowed.lender_due) == (date(2027, 4, 25), DUE, date(2027, 4, 25))
    assert (loan.recalled_at, loan.renewals) == (NOW, 0)
    for _ in range(2):
        tell(alder, ncip.ItemRecallCancelled, style, item_id=ncip.ItemId("T-1"))
    loan.refresh_from_db()
    borrowed.refresh_from_db()
    assert (loan.due_on, loan.recalled_at, borrowed.lender_due) == (DUE, None, DUE)


def test_a_recall_before_the_patron_has_it_shortens_the_loan_to_come(alder: Library, borrowed: Item) -> None:
    tell(alder, ncip.ItemRecalled, item_id=ncip.ItemId("T-1"), date_due=day("2027-04-25"))
    assert lent_out(alder).due_on == date(2027, 4, 25)


def test_the_lenders_loan_to_us_says_until_when(alder: Library, borrowed: Item) -> None:
    told = {"item_id": ncip.ItemId("T-1"), "date_due": day("2027-05-20")}
    tell(alder, ncip.ItemCheckedOut, user_id=ncip.UserId("INST-ALD"), **told)
    borrowed.refresh_from_db()
    assert borrowed.lender_due == date(2027, 5, 20)


def test_news_of_our_own_loan_changes_nothing(alder: Library, borrowed: Item) -> None:
    told = {"item_id": ncip.ItemId("T-1"), "date_due": day("2027-05-20")}
    tell(alder, ncip.ItemCheckedOut, user_id=ncip.UserId("P1"), **told)
    loan = lent_out(alder)
    tell(alder, ncip.ItemCheckedOut, user_id=ncip.UserId("somebody"), **told)
    loan.refresh_from_db()
    assert (loan.due_on, loan.renewals) == (DUE, 0)


# --- returns ----------------------------------------------------------------------------------------------------


@BOTH
def test_a_borrowed_piece_that_came_back_elsewhere_is_taken_back(
    alder: Library, borrowed: Item, style: ncip.Style
) -> None:
    ill = make_ill(alder, Patron.objects.get(barcode="P1"))
    IllRequest.objects.filter(pk=ill.pk).update(state="received")
    Piece.objects.create(library=alder, request=ill, position=9, barcode="T-1")
    loan = lent_out(alder)
    for _ in range(2):
        tell(alder, ncip.ItemCheckedIn, style, item_id=ncip.ItemId("T-1"), user_id=ncip.UserId("P1"))
    loan.refresh_from_db()
    borrowed.refresh_from_db()
    ill.refresh_from_db()
    assert (loan.state, borrowed.state, ill.at_desk_since) == ("returned", "unavailable", NOW)


def test_a_piece_that_waits_on_the_hold_shelf_goes_on_waiting(alder: Library, borrowed: Item) -> None:
    circulation.check_in(make_desk(alder), "T-1", NOW)
    tell(alder, ncip.ItemCheckedIn, item_id=ncip.ItemId("T-1"))
    assert (Hold.objects.get().state, Item.objects.get().state) == ("ready", "on_hold")


# --- parcels ----------------------------------------------------------------------------------------------------


def parcel() -> dict[str, object]:
    return {
        "date_shipped": ncip.Moment.at(NOW),
        "shipping_information": ncip.ShippingInformation(
            shipping_note="by van",
            electronic_address=ncip.ElectronicAddress(ncip.Code("mailto"), "ill@example.org"),
        ),
    }


@BOTH
def test_a_lender_ships_to_us(alder: Library, style: ncip.Style) -> None:
    ill = make_ill(alder, Patron.objects.get(barcode="P1"))
    assert ill.state == "requested"
    for _ in range(2):
        tell(
            alder,
            ncip.ItemShipped,
            style,
            request_id=ncip.RequestId(ill.number),
            item_id=ncip.ItemId("B-9"),
            **parcel(),
        )
    ill.refresh_from_db()
    assert ill.state == "shipped"
    assert [piece.partner_barcode for piece in ill.pieces.all()] == ["B-9"]


def lending(library: Library, state: str) -> IllRequest:
    """A request of Brook's for our item A1."""
    ill = IllRequest.objects.create(
        library=library, side="lending", service="loan", number="BRK-7", state=state, state_since=NOW, made_at=NOW,
        made_by="BRK", partner=Partner.objects.get(library=library, symbol="BRK"), title="Friendly fire", moves=1,
    )  # fmt: skip
    Piece.objects.create(library=library, request=ill, position=1, barcode="A1")
    return ill


@BOTH
def test_the_borrower_receives_and_ships_back(alder: Library, style: ncip.Style) -> None:
    ill = lending(alder, "shipped")
    item_id = ncip.ItemId("A1")
    received = {"date_received": ncip.Moment.at(NOW), "request_id": ncip.RequestId("BRK-7")}
    for _ in range(2):
        tell(alder, ncip.ItemReceived, style, item_id=item_id, **received)
    ill.refresh_from_db()
    assert ill.state == "received"
    for _ in range(2):
        tell(alder, ncip.ItemShipped, style, item_id=item_id, **parcel())  # found by its piece
    ill.refresh_from_db()
    assert ill.state == "returned"
    tell(alder, ncip.ItemReceived, style, item_id=item_id, **received)
    ill.refresh_from_db()
    assert ill.state == "returned"  # that it is home, our own scan says


def test_a_parcel_of_another_library_moves_nothing_here(alder: Library) -> None:
    brook = Library.objects.get(symbol="BRK")
    make_caller(brook, "At Brook", default=False)
    ill = lending(alder, "shipped")
    tell(brook, ncip.ItemReceived, item_id=ncip.ItemId("A1"), request_id=ncip.RequestId("BRK-7"),
         date_received=ncip.Moment.at(NOW))  # fmt: skip
    ill.refresh_from_db()
    assert ill.state == "shipped"


# --- requests ---------------------------------------------------------------------------------------------------


@BOTH
def test_a_request_that_was_cancelled_elsewhere_ends_its_hold(
    alder: Library, borrowed: Item, style: ncip.Style
) -> None:
    told = {"user_id": ncip.UserId("P1"), "request_id": ncip.RequestId("R-1"), "request_type": ncip.Code("Hold")}
    for _ in range(2):
        tell(alder, ncip.ItemRequestCancelled, style, **told)
    assert Hold.objects.get().state == "cancelled"


def test_what_was_fulfilled_stays_so(alder: Library, borrowed: Item) -> None:
    lent_out(alder)
    tell(alder, ncip.ItemRequestCancelled, user_id=ncip.UserId("P1"), request_id=ncip.RequestId("R-1"),
         request_type=ncip.Code("Hold"))  # fmt: skip
    assert (Hold.objects.get().state, Loan.objects.get().state) == ("fulfilled", "out")


def test_a_request_told_of_places_no_hold(alder: Library) -> None:
    make_item(alder, "A1")
    kind = {"request_type": ncip.Code("Hold"), "request_scope_type": ncip.Code("Item")}
    tell(alder, ncip.ItemRequested, user_id=ncip.UserId("P1"), item_id=ncip.ItemId("A1"), **kind)
    assert not Hold.objects.exists()
    assert said() == "it has been requested"


def test_what_does_not_follow_is_said_and_heard_all_the_same(
    alder: Library, borrowed: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_: object) -> None:
        raise refuse("unknown_item", barcode="T-1")

    monkeypatch.setattr(circulation, "lenders_date", no)
    tell(alder, ncip.ItemRenewed, item_id=ncip.ItemId("T-1"), date_due=day("2027-06-01"))
    assert said() == "it has been renewed (nothing follows here: No item of this library has the barcode T-1.)"


def test_a_day_that_cannot_be_read_is_a_problem(alder: Library, borrowed: Item) -> None:
    message = ncip.ItemRenewed(header=header(alder), item_id=ncip.ItemId("T-1"), date_due=day("2027-06-01"))
    body = ncip.encode(message, V2).replace(b"2027-06-01T00:00:00Z", b"next week")
    assert problem(post(body)) == "Invalid Date"


def test_news_of_nothing_that_we_know(alder: Library) -> None:
    tell(alder, ncip.ItemShipped, item_id=ncip.ItemId("X-1"), request_id=ncip.RequestId("Y-1"), **parcel())
    tell(alder, ncip.CirculationStatusUpdated, item_id=ncip.ItemId("X-1"), circulation_status=ncip.Code("Lost"))
    assert said() == "its circulation status has changed: Lost"
