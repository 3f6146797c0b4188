"""AcceptItem, CheckOutItem, CheckInItem and what may be done to a loan: rules, refusals, repeats."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from interlend import ncip
from interlend.circulation import choices
from interlend.circulation import services as circulation
from interlend.circulation.models import Bill, Hold, Item, Loan, LoanPolicy
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from tests.bridge.ncip import V1, ask, header, make_caller, post, problem
from tests.make import NOW, branch, make_account, make_branch, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
ILL_REQUEST = ncip.Code("ILL Request Id")


@pytest.fixture
def alder() -> Library:
    library = make_library()
    make_account(library, make_library("BRK", "Brook Public Library"))
    make_caller(library)
    make_patron(library, "P1")
    return library


def accept(library: Library, **more: object) -> ncip.AcceptItem:
    about = ncip.BibliographicDescription(title="War and peace")
    fields: dict[str, object] = {
        "header": header(library), "request_id": ncip.RequestId("R-1"), "user_id": ncip.UserId("P1"),
        "requested_action_type": ncip.Code("Hold For Pickup"), "item_id": ncip.ItemId("T-1"),
        "item_optional_fields": ncip.ItemOptionalFields(bibliographic_description=about),
    } | more  # fmt: skip
    return ncip.AcceptItem(**fields)  # type: ignore[arg-type]


def check_out(library: Library, user: str = "INST-BRK", item: str = "A1", **more: object) -> ncip.CheckOutItem:
    fields: dict[str, object] = {"request_id": ncip.RequestId("BRK-7")} | more
    return ncip.CheckOutItem(header=header(library), user_id=ncip.UserId(user), item_id=ncip.ItemId(item), **fields)  # type: ignore[arg-type]


def check_in(library: Library, item: str, kind: ncip.Code | None = None) -> ncip.CheckInItem:
    return ncip.CheckInItem(header=header(library), item_id=ncip.ItemId(item, kind))


def setting(library: Library, **fields: object) -> None:
    caller = library.ncip_callers.get()
    for name, value in fields.items():
        setattr(caller, name, value)
    caller.save()


# --- AcceptItem -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["Circulate", "hold for pickup", "Hold For Fulfillment", "Circulate And Notify", ""])
def test_actions_are_understood_in_any_wording(alder: Library, action: str) -> None:
    said = ncip.Code(action, "http://any.example/scheme") if action else ncip.Code("Hold For Pickup")
    assert not ask(accept(alder, requested_action_type=said)).problems


def test_an_action_of_another_kind_is_refused(alder: Library) -> None:
    assert problem(ask(accept(alder, requested_action_type=ncip.Code("Deliver")))) == "Element Rule Violated"
    assert not Item.objects.exists()


def test_the_lender_is_the_agency_of_the_item(alder: Library) -> None:
    ask(accept(alder, item_id=ncip.ItemId("T-1", agency=ncip.Code("brk"))))
    item = Item.objects.get()
    assert (item.partner_symbol, item.partner_name) == ("BRK", "Brook Public Library")


@pytest.mark.parametrize("agency", ["RELAIS", "ALD"])
def test_who_speaks_is_not_the_lender(alder: Library, agency: str) -> None:
    ask(accept(alder, item_id=ncip.ItemId("T-1", agency=ncip.Code(agency))))
    assert Item.objects.get().partner_symbol == ""


@pytest.mark.parametrize(
    ("said", "code"), [("annex", "ANNEX"), ("Main Library", "MAIN"), ("ALD", "MAIN"), ("9", "ILL")]
)
def test_pickup_by_code_name_library_or_the_callers_own_code(alder: Library, said: str, code: str) -> None:
    setting(alder, pickups={"9": "ILL"})
    ask(accept(alder, pickup_location=ncip.Code(said)))
    assert Hold.objects.get().pickup_branch.code == code


def test_an_unknown_pickup_place_is_refused(alder: Library) -> None:
    answer = ask(accept(alder, pickup_location=ncip.Code("MOON")))
    assert problem(answer) == "Element Rule Violated"
    assert (answer.problems[0].element, answer.problems[0].value) == ("PickupLocation", "MOON")


def test_in_version_1_the_receiver_may_be_the_pickup_place(alder: Library) -> None:
    message = accept(alder, header=ncip.Header(from_agency=ncip.Code("RELAIS"), to_agency=ncip.Code("ANNEX")))
    assert not ask(message, V1).problems
    assert Hold.objects.get().pickup_branch.code == "ANNEX"


def test_a_visible_id_names_the_piece_where_nothing_else_does(alder: Library) -> None:
    copy = ncip.ItemDescription(visible_item_id=ncip.ItemId("V-7", ncip.Code("Barcode", "s")))
    message = accept(alder, item_id=None, item_optional_fields=ncip.ItemOptionalFields(item_description=copy))
    answer = ask(message, V1)
    assert isinstance(answer, ncip.AcceptItemResponse)
    assert answer.item_id is not None
    assert answer.item_id.value == "V-7"


def test_without_a_barcode_the_request_number_serves_and_repeats_are_known(alder: Library) -> None:
    make_item(alder, "R-1", "Our own")
    message = accept(alder, item_id=None)
    first, second = ask(message), ask(message)
    assert isinstance(first, ncip.AcceptItemResponse)
    assert first == second
    assert first.item_id is not None
    assert first.item_id.value == "R-1-2"
    assert Item.objects.filter(temporary=True).count() == 1


@pytest.mark.parametrize(
    ("on_clash", "barcode", "outcome"), [("refuse", "T-1", "Cannot Accept Item"), ("suffix", "T-1-2", "")]
)
def test_a_barcode_that_is_taken(alder: Library, on_clash: str, barcode: str, outcome: str) -> None:
    setting(alder, on_clash=on_clash)
    make_item(alder, "T-1", "Our own")
    answers = [ask(accept(alder)) for _ in range(2)]
    assert [problem(answer) for answer in answers] == [outcome, outcome]
    if not outcome:
        assert {answer.item_id.value for answer in answers} == {barcode}  # type: ignore[attr-defined]
        assert Item.objects.filter(temporary=True).count() == 1


def test_a_closed_temporary_item_may_be_taken_over(alder: Library) -> None:
    setting(alder, on_clash="reuse")
    assert not ask(accept(alder)).problems
    another = accept(alder, request_id=ncip.RequestId("R-2"))
    assert problem(ask(another)) == "Cannot Accept Item"  # R-1 is still open
    circulation.take_back(make_desk(alder), "R-1", "T-1", NOW)
    assert not ask(another).problems
    assert sorted(Item.objects.values_list("request", "state")) == [("R-1", "withdrawn"), ("R-2", "recently_received")]


def test_without_a_user_there_is_an_item_and_no_hold(alder: Library) -> None:
    assert not ask(accept(alder, user_id=None)).problems
    assert (Item.objects.count(), Hold.objects.count()) == (1, 0)


def test_a_fee_inside(alder: Library) -> None:
    fee = ncip.FiscalTransactionInformation(
        fiscal_action_type=ncip.Code("Assess"), fiscal_transaction_type=ncip.Code("Interlibrary Loan Fee"),
        amount=ncip.Amount(250, ncip.Code("EUR")),
    )  # fmt: skip
    for _ in range(2):
        assert not ask(accept(alder, fiscal_transaction_information=fee)).problems
    assert (Bill.objects.get().amount, Bill.objects.get().request) == (250, "R-1")


def test_a_pickup_day_that_has_passed_is_not_kept(alder: Library) -> None:
    ask(accept(alder, pickup_expiry_date=ncip.Moment("2018-02-01T00:00:00Z")))
    assert Hold.objects.get().expires_on == date(2028, 4, 18)


def test_refusals_say_what_and_who_and_never_a_name(alder: Library) -> None:
    make_patron(alder, "P2", blocked_since=date(2027, 4, 1), block_reason="owes money")
    answer = ask(accept(alder, user_id=ncip.UserId("P2")))
    said = answer.problems[0]
    assert str(said.type) == "User Blocked"
    assert said.detail == (
        "The account of this patron is blocked since 1 April 2027. "
        "Circulation desk: open the account and lift the block. (PATRON_BLOCKED)"
    )
    assert (said.element, said.value) == ("UserIdentifierValue", "P2")
    assert not Item.objects.exists()


# --- CheckOutItem -----------------------------------------------------------------------------------------------


def test_lending_by_symbol_and_by_barcode(alder: Library) -> None:
    make_item(alder, "A1")
    by_symbol = check_out(alder)
    by_symbol = replace(by_symbol, user_id=ncip.UserId("BRK", ncip.Code("OCLC Institution Symbol")))
    out = ask(by_symbol)
    assert isinstance(out, ncip.CheckOutItemResponse)
    assert not out.problems
    assert (out.user_id.value, out.item_id.value) == ("BRK", "A1")  # type: ignore[union-attr]
    item = Item.objects.get()
    assert (item.request, item.partner_symbol, item.partner_name) == ("BRK-7", "BRK", "Brook Public Library")
    assert not ask(check_out(alder)).problems  # the same account, by its barcode
    assert problem(ask(check_out(alder, "P1"))) == "Resource Cannot Be Provided"


@pytest.mark.parametrize(
    ("user", "item", "expected"), [("nobody", "A1", "Unknown User"), ("INST-BRK", "nothing", "Unknown Item")]
)
def test_unknown_users_and_items(alder: Library, user: str, item: str, expected: str) -> None:
    make_item(alder, "A1")
    answer = ask(check_out(alder, user, item))
    assert problem(answer) == expected
    assert answer.problems[0].value in (user, item)


def test_what_does_not_circulate_does_so_only_when_it_has_left_already(alder: Library) -> None:
    make_item(alder, "A1")
    LoanPolicy.objects.update(circulates="never")
    choices.forget()
    assert problem(ask(check_out(alder))) == "Item Does Not Circulate"
    left = check_out(
        alder, mandated_action=ncip.Moment("2027-04-18T11:00:00Z"), desired_date_due=ncip.Moment("2027-04-01T12:00:00Z")
    )
    out = ask(left)
    assert isinstance(out, ncip.CheckOutItemResponse)
    assert str(out.date_due) == "2027-04-01T23:59:59Z"
    loan = Loan.objects.get()
    assert (loan.due_on, loan.checked_out_at.day) == (date(2027, 4, 1), 18)
    assert ask(left) == out


def test_a_person_gets_no_later_day_than_the_policy_s(alder: Library) -> None:
    make_item(alder, "A1")
    make_item(alder, "A2")
    early = ask(check_out(alder, "P1", "A1", desired_date_due=ncip.Moment("2027-05-01")))
    late = ask(check_out(alder, "P1", "A2", desired_date_due=ncip.Moment("2029-05-01")))
    assert [str(out.date_due)[:10] for out in (early, late)] == ["2027-05-01", "2027-05-17"]  # type: ignore[attr-defined]


def test_the_hold_that_was_placed_for_the_request_is_fulfilled(alder: Library) -> None:
    make_item(alder, "A1", record_id="77")
    wish = ncip.RequestItem(
        header=header(alder), user_id=ncip.UserId("INST-BRK"), item_ids=(ncip.ItemId("A1"),),
        request_id=ncip.RequestId("BRK-7"), request_type=ncip.Code("Page"), request_scope_type=ncip.Code("Item"),
        pickup_location=ncip.Code("MAIN"),
    )  # fmt: skip
    assert not ask(wish).problems
    circulation.check_in(make_desk(alder), "A1", NOW)  # caught for the partner: it lies on the hold shelf
    assert Item.objects.get().state == "on_hold"
    assert not ask(check_out(alder)).problems
    assert Hold.objects.get().state == "fulfilled"


def test_what_lies_on_the_hold_shelf_for_another_is_not_lent(alder: Library) -> None:
    item, waiting = make_item(alder, "A1"), make_patron(alder, "P2")
    circulation.place_hold(make_desk(alder), waiting, item.title, branch(alder), NOW)
    circulation.check_in(make_desk(alder), "A1", NOW)
    assert problem(ask(check_out(alder))) == "Resource Cannot Be Provided"
    assert not ask(check_out(alder, mandated_action=ncip.Moment.at(NOW))).problems
    hold = Hold.objects.get()
    assert (hold.state, hold.item, hold.patron) == ("pending", None, waiting)


# --- CheckInItem ------------------------------------------------------------------------------------------------


def test_by_barcode_the_truth_by_request_success(alder: Library) -> None:
    make_item(alder, "A1")
    assert problem(ask(check_in(alder, "nothing"))) == "Unknown Item"
    assert problem(ask(check_in(alder, "A1"))) == "Item Not Checked Out"
    assert not ask(check_in(alder, "unheard-of", ILL_REQUEST)).problems
    ask(check_out(alder))
    answer = ask(check_in(alder, "BRK-7", ILL_REQUEST))
    assert isinstance(answer, ncip.CheckInItemResponse)
    assert answer.item_id == ncip.ItemId("BRK-7", ILL_REQUEST)
    assert Item.objects.get().state == "available"
    assert not ask(check_in(alder, "BRK-7", ILL_REQUEST)).problems


def test_routing_says_where_it_goes_next(alder: Library) -> None:
    item = make_item(alder, "A1")
    ask(check_out(alder))
    circulation.place_hold(make_desk(alder), make_patron(alder, "P2"), item.title, branch(alder, "ANNEX"), NOW)
    answer = ask(check_in(alder, "A1"))
    assert isinstance(answer, ncip.CheckInItemResponse)
    routing = answer.routing_information
    assert routing is not None
    assert routing.routing_instructions == "Send to Annex for a hold"
    assert routing.destination.location.location_name[0].value == "Annex"  # type: ignore[union-attr]
    assert routing.user_id is None
    assert answer.user_id is None


def test_a_borrowed_piece_that_nobody_fetched_is_put_away(alder: Library) -> None:
    ask(accept(alder))
    assert problem(ask(check_in(alder, "T-1"))) == "Item Not Checked Out"
    assert (Item.objects.get().state, Hold.objects.get().state) == ("unavailable", "cancelled")


def test_strays_of_other_standards_do_no_harm(alder: Library) -> None:
    make_item(alder, "A1")
    ask(check_out(alder))
    body = ncip.encode(check_in(alder, "A1"), ncip.Style(prefix=None)).replace(
        b"</CheckInItem>",
        b"<UserId><UserIdentifierValue>x</UserIdentifierValue></UserId><RequestId><RequestIdentifierValue>BRK-7"
        b"</RequestIdentifierValue></RequestId></CheckInItem>",
    )
    assert not post(body).problems


# --- after check out --------------------------------------------------------------------------------------------


def renew(library: Library, item: str = "A1", **more: object) -> ncip.RenewItem:
    return ncip.RenewItem(header=header(library), user_id=ncip.UserId("P1"), item_id=ncip.ItemId(item), **more)  # type: ignore[arg-type]


def test_renewing_by_policy_and_telling_it_twice(alder: Library) -> None:
    item = make_item(alder, "A1")
    circulation.check_out(make_desk(alder), item.library.patrons.get(barcode="P1").pk, "A1", NOW.replace(day=1))
    first, second = ask(renew(alder)), ask(renew(alder))
    assert isinstance(first, ncip.RenewItemResponse)
    assert (str(first.date_due), first.renewal_count) == ("2027-05-17T23:59:59Z", 1)
    assert first == second
    LoanPolicy.objects.update(renewals=1)
    choices.forget()
    assert problem(ask(renew(alder), now=NOW.replace(day=25))) == "Maximum Renewals Exceeded"
    assert problem(ask(renew(alder, "A9"))) == "Unknown Item"


def test_a_borrowed_item_is_renewed_by_the_lenders_word(alder: Library) -> None:
    ask(accept(alder, date_for_return=ncip.Moment("2027-05-03")))
    ask(check_out(alder, "P1", "T-1"))
    assert problem(ask(renew(alder, "T-1"))) == "Item Not Renewable"
    answer = ask(renew(alder, "T-1", desired_date_for_return=ncip.Moment("2027-06-03T00:00:00")))
    assert isinstance(answer, ncip.RenewItemResponse)
    assert str(answer.date_due) == "2027-06-03T23:59:59Z"
    assert Item.objects.get().lender_due == date(2027, 6, 3)
    assert problem(ask(renew(alder, "T-1"))) == "Item Not Renewable"  # what was granted before is not granted again


def test_that_only_the_lender_can_lengthen_a_loan_is_said_with_who_it_is(alder: Library) -> None:
    ask(accept(alder, item_id=ncip.ItemId("T-1", agency=ncip.Code("BRK")), date_for_return=ncip.Moment("2027-05-03")))
    ask(check_out(alder, "P1", "T-1"))
    no = ask(renew(alder, "T-1")).problems[0]
    assert (str(no.type), no.element, no.value) == ("Item Not Renewable", "ItemIdentifierValue", "T-1")
    assert "belongs to Brook Public Library; only they can lengthen the loan" in (no.detail or "")
    assert "request R-1" in (no.detail or "")


def test_a_renewal_may_name_the_request(alder: Library) -> None:
    make_item(alder, "A1")
    ask(check_out(alder, desired_date_due=ncip.Moment("2027-05-01")))
    message = ncip.RenewItem(
        header=header(alder), user_id=ncip.UserId("INST-BRK"), item_id=ncip.ItemId("BRK-7", ILL_REQUEST),
        user_element_types=(ncip.Code("Name Information"), ncip.Code("User Privilege")),
    )  # fmt: skip
    answer = ask(message)
    assert isinstance(answer, ncip.RenewItemResponse)
    assert str(answer.date_due) == "2027-05-17T23:59:59Z"
    assert answer.user_optional_fields is not None
    name = answer.user_optional_fields.name_information
    assert name is not None
    assert name.organization_name_information[0].organization_name == "Brook Public Library"


def test_what_the_borrower_is_called_comes_with_a_recall_when_asked(alder: Library) -> None:
    make_item(alder, "A1")
    ask(check_out(alder, "P1", request_id=None))
    for kind in (ncip.RecallItem, ncip.CancelRecallItem):
        answer = ask(kind(
            header=header(alder), item_id=ncip.ItemId("A1"), user_element_types=(ncip.Code("User Privilege"),)
        ))  # fmt: skip
        assert isinstance(answer, ncip.RecallItemResponse | ncip.CancelRecallItemResponse)
        assert answer.user_id is not None
        assert answer.user_id.value == "P1"
        told = answer.user_optional_fields
        assert told is not None
        assert [str(one.agency_user_privilege_type) for one in told.user_privileges] == ["PROFILE", "STATUS", "LIBRARY"]


def test_a_borrowed_piece_is_recalled_by_its_lender_only(alder: Library) -> None:
    ask(accept(alder))
    ask(check_out(alder, "P1", "T-1"))
    no = ask(ncip.RecallItem(header=header(alder), item_id=ncip.ItemId("T-1")))
    assert problem(no) == "Item Cannot Be Recalled"
    make_item(alder, "A1")
    assert problem(ask(ncip.RecallItem(header=header(alder), item_id=ncip.ItemId("A1")))) == "Item Not Checked Out"


def test_a_recall_and_its_end(alder: Library) -> None:
    make_item(alder, "A1")
    ask(check_out(alder, desired_date_due=ncip.Moment("2027-06-30")))
    recall = ncip.RecallItem(
        header=header(alder), item_id=ncip.ItemId("A1"), desired_date_due=ncip.Moment("2027-05-05")
    )
    first, second = ask(recall), ask(recall)
    assert first == second
    assert str(first.date_due) == "2027-05-05T23:59:59Z"  # type: ignore[attr-defined]
    looked = ask(ncip.LookupItem(header=header(alder), item_id=ncip.ItemId("A1")))
    assert isinstance(looked, ncip.LookupItemResponse)
    assert str(looked.item_optional_fields.circulation_status) == "Recalled"  # type: ignore[union-attr]
    cancel = ncip.CancelRecallItem(header=header(alder), item_id=ncip.ItemId("A1"))
    assert not ask(cancel).problems
    assert Loan.objects.get().due_on == date(2027, 6, 30)
    assert problem(ask(cancel)) == "Recall Cannot Be Cancelled At This Time"
    kinds = Event.objects.filter(kind__contains="recall").values_list("kind", flat=True)
    assert list(kinds) == ["circulation.recalled", "circulation.recall_cancelled"]


def test_a_recall_leaves_a_week(alder: Library) -> None:
    make_item(alder, "A1")
    ask(check_out(alder))
    answer = ask(ncip.RecallItem(header=header(alder), item_id=ncip.ItemId("A1")))
    assert str(answer.date_due) == "2027-04-26T23:59:59Z"  # type: ignore[attr-defined]


def test_what_is_out_under_another_request_is_not_undone(alder: Library) -> None:
    make_item(alder, "A1")
    ask(check_out(alder))
    other = ncip.UndoCheckOutItem(header=header(alder), item_id=ncip.ItemId("A1"), request_id=ncip.RequestId("BRK-8"))
    assert problem(ask(other)) == "Unknown Request"
    wrong = ncip.UndoCheckOutItem(header=header(alder), item_id=ncip.ItemId("A1"), user_id=ncip.UserId("P1"))
    assert problem(ask(wrong)) == "Item Not Checked Out"
    assert Loan.objects.get().state == "out"
    right = ncip.UndoCheckOutItem(
        header=header(alder), item_id=ncip.ItemId("A1"), request_id=ncip.RequestId("BRK-7"),
        user_id=ncip.UserId("INST-BRK"),
    )  # fmt: skip
    assert not ask(right).problems


def test_undoing_a_check_out(alder: Library) -> None:
    make_branch(alder, "FAR", "Far")
    ask(accept(alder))
    ask(check_out(alder, "P1", "T-1"))
    undo = ncip.UndoCheckOutItem(header=header(alder), item_id=ncip.ItemId("T-1"))
    first, second = ask(undo), ask(undo)
    assert first == second
    assert not first.problems
    assert (Loan.objects.get().state, Hold.objects.get().state) == ("undone", "in_transit")
    assert Item.objects.get().issued_count == 0
    other = make_item(alder, "A5")
    assert problem(ask(ncip.UndoCheckOutItem(header=header(alder), item_id=ncip.ItemId(other.barcode)))) == (
        "Item Not Checked Out"
    )
