"""Both sides of a request between two members: every verb, its news to the partner, its errand to circulation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.libraries.models import Library
from interlend.outbox.models import Errand, Event
from interlend.outbox.services import settle_by_staff
from interlend.sharing import services as sharing
from interlend.sharing.errors import Refused
from interlend.sharing.host import User
from interlend.sharing.models import IllRequest, Partner
from interlend.sharing.partner import Message
from tests.make import NOW, make_consortium, make_desk, make_ill, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
Telling = Callable[[], Any]


class Story:
    """A request from Alder to Brook, for Alder's patron P1 and Brook's item B1."""

    def __init__(self, telling: Telling, **wish: object) -> None:
        self.telling = telling
        self.alder, self.brook = make_consortium()
        self.patron = make_patron(self.alder, "P1")
        self.item = make_item(self.brook, "B1")
        with telling():
            self.ours = make_ill(self.alder, self.patron, **wish)
        self.theirs = IllRequest.objects.get(library=self.brook)

    def do(self, verb: Callable[..., object], library: Library, *args: object, **more: object) -> None:
        ill = self.ours if library == self.alder else self.theirs
        with self.telling():
            verb(make_desk(library), ill.pk, *args, now=NOW, **more)
        self.ours.refresh_from_db()
        self.theirs.refresh_from_db()

    def ship(self, **more: object) -> None:
        self.do(sharing.ship, self.brook, ["B1"], **more)

    def receive(self, **more: object) -> None:
        self.do(sharing.receive, self.alder, **more)

    @property
    def states(self) -> tuple[str, str]:
        return self.ours.state, self.theirs.state


@pytest.fixture
def story(telling: Telling) -> Story:
    return Story(telling)


def test_the_whole_route(story: Story) -> None:
    assert story.states == ("requested", "requested")
    story.ship(due=date(2027, 5, 3))
    assert story.states == ("shipped", "shipped")
    assert story.ours.due == date(2027, 5, 3)
    story.receive()
    assert story.states == ("received", "received")
    assert Item.objects.get(library=story.alder).request == story.ours.number
    story.do(sharing.return_, story.alder)
    assert story.states == ("returned", "returned")
    story.do(sharing.complete, story.brook)
    assert story.states == ("completed", "completed")
    assert (story.ours.outcome, story.theirs.outcome) == ("supplied", "supplied")
    assert not Errand.objects.exclude(state="done").exists()


def test_both_sides_carry_the_requesters_number(story: Story) -> None:
    assert story.ours.number == story.theirs.number == "ALD-10001"


def test_the_lender_never_learns_the_patron(story: Story) -> None:
    story.ship()
    story.receive()
    known = story.patron.barcode, story.patron.surname
    theirs = [
        IllRequest.objects.filter(library=story.brook).values(),
        Event.objects.filter(library=story.brook).values(),
    ]
    theirs += [Errand.objects.filter(library=story.brook).values(), Item.objects.filter(library=story.brook).values()]
    assert not any(word in str(list(rows)) for rows in theirs for word in known)


def test_without_a_wished_date_the_lenders_policy_is_told(story: Story) -> None:
    story.ship()
    assert story.ours.due == story.theirs.due == date(2027, 5, 17)


def test_a_refused_check_out_leaves_the_truth_and_finishes_later(story: Story) -> None:
    Patron.objects.filter(library=story.brook, kind="institution").update(blocked_since=date(2027, 4, 1))
    story.ship()
    errand = Errand.objects.get(verb="host.check_out_item")
    assert story.states == ("shipped", "shipped")
    assert errand.state == "failed"
    assert "Alder University is blocked" in errand.sentence
    assert errand.remedy
    assert story.ours.due is None
    Patron.objects.filter(kind="institution").update(blocked_since=None)
    with story.telling():
        settle_by_staff(errand, "staff.try_again", NOW, "R. Ito")
    story.ours.refresh_from_db()
    assert Loan.objects.get().item == story.item
    assert story.ours.due == date(2027, 5, 17), "the borrower hears of the date that the second try gave"


def test_an_unknown_patron_is_corrected_and_tried_again(story: Story) -> None:
    story.ship()
    Patron.objects.filter(pk=story.patron.pk).update(barcode="P2")
    story.receive()
    errand = Errand.objects.get(verb="host.accept_item")
    assert (errand.state, errand.code) == ("failed", "unknown_patron")
    assert story.ours.state == "received"
    story.do(sharing.correct_patron, story.alder, User("P2", "Okafor, M."))
    with story.telling():
        settle_by_staff(errand, "staff.try_again", NOW, "R. Ito")
    assert Hold.objects.get().patron == story.patron


def test_a_taken_barcode_is_received_under_another(story: Story) -> None:
    make_item(story.alder, "B1", "Our own book")
    story.ship()
    story.receive()
    errand = Errand.objects.get(verb="host.accept_item")
    assert errand.code == "barcode_taken"
    piece = story.ours.pieces.get()
    story.do(sharing.correct_barcode, story.alder, piece.pk, "ALD-10001")
    with story.telling():
        settle_by_staff(errand, "staff.try_again", NOW, "R. Ito")
    assert Item.objects.get(temporary=True).barcode == "ALD-10001"


def test_returning_makes_a_failed_acceptance_pointless(story: Story) -> None:
    story.ship()
    Patron.objects.filter(pk=story.patron.pk).update(blocked_since=date(2027, 4, 1))
    story.receive()
    story.do(sharing.return_, story.alder)
    assert Errand.objects.get(verb="host.accept_item").state == "skipped"
    assert Errand.objects.get(verb="host.check_in_item").state == "done"


@pytest.mark.parametrize("verb", [sharing.receive, sharing.return_])
def test_a_verb_out_of_turn_is_refused_in_words(story: Story, verb: Callable[..., object]) -> None:
    story.ship()
    story.receive()
    story.do(sharing.return_, story.alder)
    with pytest.raises(Refused) as no:
        verb(make_desk(story.alder), story.ours.pk, now=NOW)
    assert "ALD-10001 is returned" in no.value.sentence
    assert Item.objects.filter(library=story.alder).count() == 1


def test_a_parcel_may_come_before_its_message(story: Story) -> None:
    story.receive(barcodes=["TEMP-1"])
    assert story.states == ("received", "received")
    story.ship()
    assert story.states == ("received", "received")
    assert story.ours.due == date(2027, 5, 17)
    piece = story.ours.pieces.get()
    assert (piece.barcode, piece.partner_barcode) == ("TEMP-1", "B1")
    assert Loan.objects.get(item=story.item).state == "out"


def test_a_number_is_not_a_books_barcode(story: Story) -> None:
    with pytest.raises(Refused) as no:
        sharing.ship(make_desk(story.brook), story.theirs.pk, ["ald-10001"], NOW)
    assert no.value.code == "number_as_barcode"


def test_one_book_travels_with_one_request(story: Story, telling: Telling) -> None:
    story.ship()
    with telling():
        make_ill(story.alder, story.patron, title="Another book")
    other = IllRequest.objects.get(library=story.brook, state="requested")
    with pytest.raises(Refused) as no:
        sharing.ship(make_desk(story.brook), other.pk, ["B1"], NOW)
    assert no.value.code == "barcode_elsewhere"


def test_several_volumes_are_several_items(story: Story) -> None:
    make_item(story.brook, "B2", "Friendly fire, volume 2")
    story.do(sharing.ship, story.brook, ["B1", "B2"])
    story.receive()
    assert sorted(Item.objects.filter(library=story.alder).values_list("barcode", flat=True)) == ["B1", "B2"]
    assert Hold.objects.count() == 2
    story.do(sharing.return_, story.alder)
    story.do(sharing.complete, story.brook)
    assert not Loan.objects.filter(state="out").exists()


def test_unfilled_goes_to_the_next_lender_and_an_old_lenders_news_is_kept_apart(telling: Telling) -> None:
    story = Story(telling)
    cedar = make_library("CDR", "Cedar College")
    Partner.objects.create(library=story.alder, symbol="CDR", name="Cedar College")
    Partner.objects.create(library=cedar, symbol="ALD", name="Alder University")
    story.do(sharing.press, story.brook, "staff.unfilled", reason="not on shelf")
    assert story.states == ("unfilled", "unfilled")
    assert story.ours.reason == "not on shelf"
    story.do(sharing.send, story.alder, "CDR")
    assert IllRequest.objects.get(library=cedar).state == "requested"
    with telling():
        sharing.hear(story.alder.pk, Message("shipped", "BRK", "ALD", story.ours.number), NOW)
    story.ours.refresh_from_db()
    assert story.ours.state == "requested"
    assert Event.objects.filter(library=story.alder, kind="sharing.message_out_of_turn").exists()


def test_the_same_lender_may_be_asked_again(story: Story) -> None:
    story.do(sharing.press, story.brook, "staff.unfilled", reason="on loan")
    story.do(sharing.send, story.alder, "BRK")
    assert story.states == ("requested", "requested")
    assert IllRequest.objects.filter(library=story.brook).count() == 1


def test_cancelling_before_and_after_the_lender_agreed(story: Story) -> None:
    story.do(sharing.press, story.alder, "staff.cancel", reason="found it here")
    assert story.states == ("cancelled", "cancelled")


def test_a_lender_may_refuse_to_cancel(story: Story) -> None:
    story.do(sharing.press, story.brook, "staff.will_supply")
    story.do(sharing.press, story.alder, "staff.cancel", reason="found it here")
    assert story.states == ("cancel_asked", "cancel_asked")
    story.do(sharing.press, story.brook, "staff.refuse_cancel")
    assert story.states == ("will_supply", "will_supply")


def test_a_message_told_twice_changes_nothing(story: Story) -> None:
    story.ship()
    before = Event.objects.filter(library=story.alder).count()
    told = Message("received", "ALD", "BRK", story.ours.number)
    for _ in range(2):
        with story.telling():
            sharing.hear(story.brook.pk, told, NOW)
    story.theirs.refresh_from_db()
    assert story.theirs.state == "received"
    assert Event.objects.filter(library=story.alder).count() == before
    assert not Event.objects.filter(kind="sharing.message_out_of_turn").exists()


def test_the_desk_first_then_sharing(story: Story) -> None:
    story.ship()
    story.receive()
    for at in ("ILL", "MAIN"):
        with story.telling():
            circulation.check_in(make_desk(story.alder, at), "B1", NOW)
    circulation.check_out(make_desk(story.alder), story.patron.pk, "B1", NOW)
    with story.telling():
        back = circulation.check_in(make_desk(story.alder, "ILL"), "B1", NOW + timedelta(days=3))
    story.ours.refresh_from_db()
    assert back.prompt is not None
    assert story.ours.at_desk_since == NOW + timedelta(days=3)
    story.do(sharing.return_, story.alder)
    assert story.ours.at_desk_since is None


def test_copies_never_touch_circulation(telling: Telling) -> None:
    story = Story(telling, service="copy")
    story.do(sharing.press, story.brook, "staff.send_copy")
    assert story.states == ("copy_sent", "completed")
    story.do(sharing.press, story.alder, "staff.deliver_copy")
    assert story.ours.state == "completed"
    assert not Errand.objects.filter(verb__startswith="host.").exists()
    assert not Event.objects.filter(kind__startswith="circulation.temporary").exists()


def test_a_double_wish_is_pointed_out_and_may_be_insisted_on(story: Story) -> None:
    user, wish = User("P1", "Okafor, M."), sharing.Wish("friendly FIRE")
    with pytest.raises(Refused) as no:
        sharing.create(make_desk(story.alder), wish, user, NOW)
    assert "ALD-10001" in no.value.sentence
    assert sharing.create(make_desk(story.alder), wish, user, NOW, again=True).number == "ALD-10002"


def test_numbers_never_meet_although_symbols_begin_alike(telling: Telling) -> None:
    first, second = make_library("ALDER", "Alder"), make_library("ALDWYCH", "Aldwych")
    numbers = [
        sharing.create(make_desk(one), sharing.Wish("A title"), User("P", "N"), NOW).number for one in (first, second)
    ]
    assert len(set(numbers)) == 2


def test_closing_by_hand_needs_a_reason(story: Story) -> None:
    with pytest.raises(Refused) as no:
        sharing.press(make_desk(story.alder), story.ours.pk, "staff.close", NOW)
    assert no.value.code == "no_reason"
    story.do(sharing.press, story.alder, "staff.close", reason="lost in the post")
    assert story.ours.state == "closed"


def test_the_outcome_is_that_of_the_parcel_whatever_was_wished_in_between(story: Story) -> None:
    story.do(sharing.press, story.brook, "staff.will_supply")
    story.do(sharing.press, story.alder, "staff.cancel", reason="found it here")
    assert (story.ours.outcome, story.theirs.outcome) == ("", "")
    story.ship()
    story.receive()
    assert (story.ours.outcome, story.theirs.outcome) == ("supplied", "supplied")
    story.do(sharing.return_, story.alder)
    story.do(sharing.complete, story.brook)
    assert (story.ours.outcome, story.theirs.outcome) == ("supplied", "supplied")


def test_a_parcel_that_its_sender_denies_is_still_received(story: Story) -> None:
    story.do(sharing.press, story.brook, "staff.unfilled", reason="not on shelf")
    with story.telling():
        sharing.hear(story.brook.pk, Message("received", "ALD", "BRK", story.ours.number), NOW)
    story.theirs.refresh_from_db()
    assert story.theirs.state == "received"
