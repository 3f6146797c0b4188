"""The request's page and what leads to it: lists, buttons, failed steps, corrections, notes, new requests, partners.

Strategy: what a person would press and read, on two libraries that talk to each other; tests that look at what
circulation answered run with real commits.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from lxml import html

from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.libraries.models import Library
from interlend.notices.services import send_due
from interlend.outbox.models import Errand, Event
from interlend.sharing import facts, services
from interlend.sharing.host import User
from interlend.sharing.lifecycles import LIFECYCLES
from interlend.sharing.models import IllRequest, Partner
from interlend.sharing.policies import BUTTONS
from interlend.web.sharing import storyline, words
from tests.make import NOW, make_consortium, make_desk, make_ill, make_item, make_library, make_patron, make_staff

COMMITS = pytest.mark.django_db(transaction=True)  # what follows the commit has happened before the page is drawn


@pytest.fixture
def libraries(db: None, clock: Any) -> tuple[Library, Library]:
    return make_consortium()


@pytest.fixture
def ill_staff(client_of: Any) -> Any:
    """`ill_staff(library)`: a client of ILL staff there."""
    return lambda library: client_of(make_staff(library, "ill"))


def page(client: Client, ill: IllRequest) -> HttpResponse:
    return client.get(reverse("ill_request", args=[ill.pk]))


def press(client: Client, ill: IllRequest, trigger: str, **given: str) -> HttpResponse:
    return client.post(reverse("ill_action", args=[ill.pk, trigger]), given, follow=True)


def buttons_of(answer: HttpResponse) -> list[str]:
    """The labels of the page's own row of buttons, in order."""
    row = html.fromstring(answer.content.decode()).xpath("(//main//div[@class='actions'])[1]")[0]
    return [" ".join(one.text_content().split()) for one in row.xpath(".//button|.//a")]


# --- the page -------------------------------------------------------------------------------------------------


def test_the_borrowers_page_has_the_facts_and_links_to_patron_item_and_partner(
    borrowed: Any, ill_staff: Any, words_of: Any
) -> None:
    client = ill_staff(borrowed.alder)
    said = words_of(page(client, borrowed.ill), "//main")
    for fact in (
        "Friendly fire",
        "Kurt Rosenwinkel",
        "Okafor, M.",
        "Brook Public Library",
        "Main Library",
        "Mon 3 May",
    ):
        assert fact in said
    shown = page(client, borrowed.ill).content.decode()
    partner = Partner.objects.get(library=borrowed.alder)
    for name, key in (("patron", borrowed.patron.pk), ("item", borrowed.item.pk), ("partner", partner.pk)):
        assert reverse(name, args=[key]) in shown


def test_the_lenders_page_never_shows_the_patron(borrowed: Any, ill_staff: Any) -> None:
    shown = page(ill_staff(borrowed.brook), borrowed.lent).content.decode()
    assert "Friendly fire" in shown
    for secret in (borrowed.patron.surname, borrowed.patron.barcode, borrowed.patron.email):
        assert secret not in shown


def test_another_librarys_request_looks_like_none(borrowed: Any, ill_staff: Any) -> None:
    assert page(ill_staff(borrowed.brook), borrowed.ill).status_code == 404
    assert press(ill_staff(borrowed.brook), borrowed.ill, "staff.return").status_code == 404


def test_the_loans_due_date_says_why(borrowed: Any, ill_staff: Any, words_of: Any, clock: Any) -> None:
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    circulation.check_out(make_desk(borrowed.alder), borrowed.patron.pk, borrowed.barcode, clock.now)
    said = words_of(page(ill_staff(borrowed.alder), borrowed.ill), "//main")
    assert "Due from our patron Mon 3 May the lender's date; your policy would have said Mon 17 May" in said


def test_after_the_return_the_lenders_page_still_names_the_item(borrowed: Any, ill_staff: Any, telling: Any) -> None:
    with telling():
        services.complete(make_desk(borrowed.brook), borrowed.lent.pk, NOW)
    item = Item.objects.get(library=borrowed.brook, barcode=borrowed.barcode)
    assert item.request == ""  # L8
    assert reverse("item", args=[item.pk]) in page(ill_staff(borrowed.brook), borrowed.lent).content.decode()


# --- what can be done now -------------------------------------------------------------------------------------


def test_the_likeliest_button_comes_first(borrowed: Any, ill_staff: Any) -> None:
    assert buttons_of(page(ill_staff(borrowed.alder), borrowed.ill)) == [
        "Mark returned R", "Close by hand", "Print return slip",
    ]  # fmt: skip


def test_read_only_staff_see_no_buttons_and_may_press_none(borrowed: Any, client_of: Any, words_of: Any) -> None:
    viewer = client_of(make_staff(borrowed.alder, "viewer"))
    assert "Mark returned" not in words_of(page(viewer, borrowed.ill), "//main")
    assert press(viewer, borrowed.ill, "staff.return").status_code == 403
    assert IllRequest.objects.get(pk=borrowed.ill.pk).state == "received"


@pytest.mark.parametrize("trigger", sorted(BUTTONS))
def test_every_trigger_of_the_tables_has_a_form_words_and_a_sentence(
    trigger: str, borrowed: Any, ill_staff: Any, words_of: Any
) -> None:
    assert any(trigger in [move.trigger for move in table.moves] for table in LIFECYCLES.values())
    assert words.done_word(trigger) != words.not_done_word(trigger)
    assert trigger in facts.SENTENCES
    answer = ill_staff(borrowed.alder).get(reverse("ill_action", args=[borrowed.ill.pk, trigger]))
    assert BUTTONS[trigger].label in words_of(answer, "//main")


def test_a_trigger_that_does_not_exist_is_no_page(borrowed: Any, ill_staff: Any) -> None:
    client = ill_staff(borrowed.alder)
    for trigger in ("supplier.shipped", "staff.steal", "x"):
        assert press(client, borrowed.ill, trigger).status_code == 404


@COMMITS
def test_receive_from_the_page_under_another_barcode(shipped: Any, ill_staff: Any, words_of: Any) -> None:
    answer = press(ill_staff(shipped.alder), shipped.ill, "staff.receive", barcode_1="OUR-77")
    assert "ALD-10001: Received." in words_of(answer, "//*[@id='messages']")
    assert Item.objects.get(library=shipped.alder, temporary=True).barcode == "OUR-77"
    assert Hold.objects.get(library=shipped.alder).patron == shipped.patron


@COMMITS
def test_ship_and_complete_from_the_page(libraries: Any, ill_staff: Any, words_of: Any) -> None:
    alder, brook = libraries
    make_item(brook, "B1")
    make_ill(alder, make_patron(alder))
    lent = IllRequest.objects.get(library=brook)
    client = ill_staff(brook)
    press(client, lent, "staff.ship", barcode="B1", due="2027-05-20")
    assert str(Loan.objects.get(library=brook).due_on) == "2027-05-20"
    assert "Completed" in words_of(press(client, lent, "staff.complete"), "//*[@id='messages']")


@COMMITS
def test_the_story_of_a_cancellation(libraries: Any, ill_staff: Any, words_of: Any) -> None:
    alder, brook = libraries
    ill = make_ill(alder, make_patron(alder))
    lent = IllRequest.objects.get(library=brook)
    borrower, lender = ill_staff(alder), ill_staff(brook)
    press(lender, lent, "staff.will_supply")
    said = words_of(press(borrower, ill, "staff.cancel", reason="not needed"), "//*[@id='messages']")
    assert "Asked to cancel" in said
    assert ill.number in words_of(lender.get(reverse("needs_attention")), "//main")
    press(lender, lent, "staff.agree_cancel")
    assert IllRequest.objects.get(pk=ill.pk).state == "cancelled"


@COMMITS
def test_an_unfilled_request_goes_to_another_lender(libraries: Any, ill_staff: Any, words_of: Any) -> None:
    alder, brook = libraries
    cedar = make_library("CDR", "Cedar College")
    for library, other in ((alder, cedar), (cedar, alder)):
        Partner.objects.create(library=library, symbol=other.symbol, name=other.name)
    ill = make_ill(alder, make_patron(alder))
    press(ill_staff(brook), IllRequest.objects.get(library=brook), "staff.unfilled", reason="on loan")
    client = ill_staff(alder)
    waiting = words_of(client.get(reverse("needs_attention")), "//main")
    assert "Brook Public Library: on loan" in waiting
    press(client, ill, "staff.send", lender="CDR")
    assert IllRequest.objects.get(library=cedar).number == ill.number


@COMMITS
def test_copies_never_touch_circulation(libraries: Any, ill_staff: Any, words_of: Any) -> None:
    alder, brook = libraries
    ill = make_ill(alder, make_patron(alder), service="copy", pages="11-20")
    lender = ill_staff(brook)
    assert "Copies to send" in words_of(lender.get(reverse("needs_attention")), "//main")
    press(lender, IllRequest.objects.get(library=brook), "staff.send_copy")
    press(ill_staff(alder), ill, "staff.deliver_copy")
    assert IllRequest.objects.get(pk=ill.pk).state == "completed"  # C1
    assert not Item.objects.filter(temporary=True).exists()


def test_a_reason_is_asked_for_where_one_is_needed(borrowed: Any, ill_staff: Any, words_of: Any) -> None:
    answer = press(ill_staff(borrowed.alder), borrowed.ill, "staff.close", reason=" ")
    assert answer.status_code == 422
    assert IllRequest.objects.get(pk=borrowed.ill.pk).state == "received"


def test_pressed_twice_is_answered(borrowed: Any, ill_staff: Any, words_of: Any) -> None:
    client = ill_staff(borrowed.alder)
    press(client, borrowed.ill, "staff.return")
    said = words_of(press(client, borrowed.ill, "staff.return"), "//*[@id='messages']")
    assert "Already returned" in said
    assert "nothing changed" in said


def test_a_button_on_a_scan_row_answers_with_a_row(shipped: Any, ill_staff: Any, words_of: Any, telling: Any) -> None:
    client = ill_staff(shipped.alder)
    url = reverse("ill_action", args=[shipped.ill.pk, "staff.receive"])
    with telling():
        row = client.post(url, headers={"HX-Request": "true"})
    assert "Received" in words_of(row)
    assert "data-meaning" in row.content.decode()
    assert "Already received" in words_of(client.post(url, headers={"HX-Request": "true"}))


def test_the_way_back_stays_in_the_house(borrowed: Any, ill_staff: Any) -> None:
    client = ill_staff(borrowed.alder)
    url = reverse("ill_action", args=[borrowed.ill.pk, "staff.return"])
    answer = client.post(url, {"next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == reverse("ill_request", args=[borrowed.ill.pk])


# --- steps that failed, and what mends them -------------------------------------------------------------------


@pytest.fixture
def of_nobody(shipped: Any) -> Any:
    """Received for a patron whom circulation does not know: the temporary item could not be made."""
    IllRequest.objects.filter(pk=shipped.ill.pk).update(patron_barcode="GONE")
    services.receive(make_desk(shipped.alder, "ILL"), shipped.ill.pk, NOW)
    return shipped


@COMMITS
def test_a_failed_step_says_what_and_who_can_mend_it(of_nobody: Any, ill_staff: Any, words_of: Any) -> None:
    said = words_of(page(ill_staff(of_nobody.alder), of_nobody.ill), "//main")
    assert "Make the temporary item and the hold" in said
    assert "No patron of this library has the barcode GONE." in said
    assert "Correct it and try again" in said
    assert "Try again Done by hand Skip" in said


@COMMITS
def test_the_corrected_patron_finishes_the_step_at_once(of_nobody: Any, ill_staff: Any, words_of: Any) -> None:
    client = ill_staff(of_nobody.alder)
    errand = Errand.objects.get(library=of_nobody.alder, verb="host.accept_item")
    correct = reverse("ill_correct", args=[of_nobody.ill.pk])
    answer = client.post(correct, {"errand": errand.pk, "patron": "NOT-EITHER"}, follow=True)
    assert "Not corrected: No patron" in words_of(answer, "//*[@id='messages']")
    answer = client.post(correct, {"errand": errand.pk, "patron": of_nobody.patron.barcode}, follow=True)
    assert "Make the temporary item and the hold: done." in words_of(answer, "//*[@id='messages']")
    assert Hold.objects.get(library=of_nobody.alder).patron == of_nobody.patron


@COMMITS
def test_another_barcode_finishes_the_step(shipped: Any, ill_staff: Any, words_of: Any) -> None:
    make_item(shipped.alder, shipped.barcode, title="Something of our own")
    services.receive(make_desk(shipped.alder, "ILL"), shipped.ill.pk, NOW)
    errand = Errand.objects.get(library=shipped.alder, verb="host.accept_item")
    fields = {"errand": errand.pk, "piece": errand.payload["piece"], "barcode": "OUR-5"}
    answer = ill_staff(shipped.alder).post(reverse("ill_correct", args=[shipped.ill.pk]), fields, follow=True)
    assert "The barcode is now OUR-5." in words_of(answer, "//*[@id='messages']")
    assert Item.objects.get(library=shipped.alder, temporary=True).barcode == "OUR-5"


@COMMITS
def test_an_item_of_our_own_with_that_barcode_is_not_taken_for_the_requests(shipped: Any, ill_staff: Any) -> None:
    own = make_item(shipped.alder, shipped.barcode, title="Something of our own")
    services.receive(make_desk(shipped.alder, "ILL"), shipped.ill.pk, NOW)
    assert reverse("item", args=[own.pk]) not in page(ill_staff(shipped.alder), shipped.ill).content.decode()


@COMMITS
def test_done_by_hand_and_skip_settle_a_step_once(of_nobody: Any, ill_staff: Any, words_of: Any) -> None:
    client = ill_staff(of_nobody.alder)
    errand = Errand.objects.get(library=of_nobody.alder, verb="host.accept_item")
    url = reverse("errand_action", args=[errand.pk])
    client.post(url, {"trigger": "staff.done_by_hand"})
    errand.refresh_from_db()
    assert (errand.state, errand.settled_by) == ("done_by_hand", "R. Ito")
    answer = client.post(url, {"trigger": "staff.skip"}, follow=True)
    assert "settled already" in words_of(answer, "//*[@id='messages']")
    assert "done by hand" in words_of(page(client, of_nobody.ill), "//ol")


@COMMITS
def test_one_cause_is_one_group_with_one_button(shipped: Any, ill_staff: Any, words_of: Any) -> None:
    alder, brook = shipped.alder, shipped.brook
    Patron.objects.filter(pk=shipped.patron.pk).update(blocked_since=NOW.date(), block_reason="unpaid bills")
    other = services.create(
        make_desk(alder), services.Wish(title="Second"), User(shipped.patron.barcode, "Okafor, M."), NOW, lender="BRK"
    )
    make_item(brook, "B2", title="Second")
    services.ship(make_desk(brook), IllRequest.objects.get(library=brook, number=other.number).pk, ["B2"], NOW)
    for ill in (shipped.ill, other):
        services.receive(make_desk(alder, "ILL"), ill.pk, NOW)
    client = ill_staff(alder)
    said = words_of(client.get(reverse("needs_attention")), "//main")
    assert "2 requests" in said
    assert said.count("The account of Mary Okafor is blocked") == 1
    Patron.objects.filter(pk=shipped.patron.pk).update(blocked_since=None)
    again = {"party": "host", "code": "patron_blocked"}
    answer = client.post(reverse("errands_again"), again, follow=True)
    assert "2 steps are done now." in words_of(answer, "//*[@id='messages']")
    assert Item.objects.filter(library=alder, temporary=True).count() == 2


def test_another_librarys_steps_cannot_be_pressed(of_nobody: Any, ill_staff: Any) -> None:
    errand = Errand.objects.get(library=of_nobody.alder, verb="host.accept_item")
    stranger = ill_staff(of_nobody.brook)
    url = reverse("errand_action", args=[errand.pk])
    assert stranger.post(url, {"trigger": "staff.skip"}).status_code == 404


# --- the time line, notes, letters ----------------------------------------------------------------------------


@COMMITS
def test_the_time_line_tells_both_houses_newest_first(shipped: Any, ill_staff: Any, words_of: Any, clock: Any) -> None:
    desk = make_desk(shipped.alder, "ILL")
    services.receive(desk, shipped.ill.pk, clock.forward(hours=1))
    circulation.check_in(make_desk(shipped.alder), shipped.barcode, clock.forward(hours=1))
    send_due(clock.forward(hours=1))
    line = words_of(page(ill_staff(shipped.alder), shipped.ill), "//ol[@class='timeline']")
    told = [
        "Mail sent", "On the hold shelf at Main Library", "Hold placed, pickup at Main Library",
        "Temporary item made for request ALD-10001, from Brook Public Library", "Received",
        "Shipped by Brook Public Library, due Mon 3 May", "Sent to Brook Public Library", "Request made by staff",
    ]  # fmt: skip
    places = [line.index(one) for one in told]
    assert places == sorted(places)


def test_an_event_without_its_data_is_still_a_line(borrowed: Any) -> None:
    bare = [
        Event(pk=n, library=borrowed.alder, kind=kind, at=NOW, request="X-1", data={})
        for n, kind in enumerate(
            (facts.MOVED, facts.DUE_TOLD, facts.MISSED, "circulation.hold_placed", "circulation.new")
        )
    ]
    assert len(storyline.entries(borrowed.ill, bare, [], [])) == len(bare)


@COMMITS
def test_a_partner_who_was_not_told_shows_on_the_move(shipped: Any, ill_staff: Any, words_of: Any) -> None:
    Library.objects.filter(pk=shipped.brook.pk).update(symbol="GONE")
    services.receive(make_desk(shipped.alder, "ILL"), shipped.ill.pk, NOW + timedelta(hours=1))
    said = words_of(page(ill_staff(shipped.alder), shipped.ill), "//main")
    assert "Received not told yet: failed" in said
    assert "Tell Brook Public Library: it was received" in said


def test_a_note_stays_in_this_library(borrowed: Any, ill_staff: Any, words_of: Any) -> None:
    client = ill_staff(borrowed.alder)
    client.post(reverse("ill_note", args=[borrowed.ill.pk]), {"text": "Cover is torn."})
    assert "Note: Cover is torn." in words_of(page(client, borrowed.ill), "//ol")
    assert "torn" not in page(ill_staff(borrowed.brook), borrowed.lent).content.decode()
    assert client.post(reverse("ill_note", args=[borrowed.ill.pk]), {"text": ""}).status_code == 422


# --- lists ----------------------------------------------------------------------------------------------------


def test_lists_by_state_with_counts(borrowed: Any, ill_staff: Any, words_of: Any) -> None:
    client = ill_staff(borrowed.alder)
    tabs = words_of(client.get(reverse("borrowing")), "//nav[@class='tabs']")
    assert tabs == "Open 1 Received 1 All 1"
    assert borrowed.ill.number in words_of(client.get(reverse("borrowing") + "?state=received"), "//table")
    assert "No requests here" in words_of(client.get(reverse("lending")), "//main")
    assert borrowed.ill.number not in words_of(
        client.get(reverse("borrowing") + "?state=nonsense%00"), "//nav[@class='tabs']"
    )


def test_a_number_or_barcode_opens_the_request(borrowed: Any, ill_staff: Any, words_of: Any) -> None:
    client = ill_staff(borrowed.alder)
    to = reverse("ill_request", args=[borrowed.ill.pk])
    for text in (borrowed.ill.number.lower(), borrowed.barcode):
        assert client.get(reverse("borrowing"), {"q": text}).headers["Location"] == to
    assert "No request has this number" in words_of(client.get(reverse("lending"), {"q": borrowed.ill.number}))


# --- a new request --------------------------------------------------------------------------------------------


@COMMITS
def test_a_new_request_is_made_and_sent(libraries: Any, ill_staff: Any, words_of: Any) -> None:
    alder, brook = libraries
    make_patron(alder, "P1")
    client = ill_staff(alder)
    form = client.get(reverse("new_request"), {"patron": "P1"})
    assert "Okafor, M." in words_of(form, "//main")
    wish = {"patron": "P1", "title": "Silent spring", "service": "loan", "pickup": "MAIN", "lender": "BRK"}
    answer = client.post(reverse("new_request"), wish, follow=True)
    assert "sent to Brook Public Library" in words_of(answer, "//*[@id='messages']")
    assert IllRequest.objects.get(library=brook).title == "Silent spring"
    assert IllRequest.objects.get(library=brook).patron_barcode == ""


def test_unknown_and_blocked_patrons_are_said_before_anything_is_typed(
    libraries: Any, ill_staff: Any, words_of: Any
) -> None:
    alder, _brook = libraries
    make_patron(alder, "P2", blocked_since=NOW.date(), block_reason="unpaid bills")
    client = ill_staff(alder)
    unknown = client.get(reverse("new_request"), {"patron": "P9"})
    assert "No patron of this library has the barcode P9." in words_of(unknown, "//*[@class='field-errors']")
    blocked = words_of(client.get(reverse("new_request"), {"patron": "P2"}), "//main")
    assert "unpaid bills" in blocked
    assert "Open the account of Okafor, M." in blocked
    wish = {"patron": "P2", "title": "Silent spring", "service": "loan"}
    assert client.post(reverse("new_request"), wish).status_code == 422
    assert not IllRequest.objects.exists()


def test_a_second_one_of_the_same_needs_a_tick(libraries: Any, ill_staff: Any, words_of: Any) -> None:
    alder, _brook = libraries
    ill = make_ill(alder, make_patron(alder, "P1"))
    client = ill_staff(alder)
    wish = {"patron": "P1", "title": "friendly fire", "service": "loan"}
    asked = client.post(reverse("new_request"), wish)
    assert f"already has request {ill.number}" in words_of(asked, "//main")
    assert "Ask for a second one" in words_of(asked, "//main")
    client.post(reverse("new_request"), wish | {"again": "on"})
    assert IllRequest.objects.filter(library=alder).count() == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"title": ""},
        {"title": "x" * 501},
        {"title": "a\0b"},
        {"need_by": "tomorrow"},
        {"lender": "ZZZ"},
        {"pickup": "NO"},
    ],
)
def test_bad_fields_get_a_sentence(libraries: Any, ill_staff: Any, bad: dict[str, str]) -> None:
    alder, _brook = libraries
    make_patron(alder, "P1")
    wish = {"patron": "P1", "title": "Silent spring", "service": "loan"} | bad
    assert ill_staff(alder).post(reverse("new_request"), wish).status_code == 422
    assert not IllRequest.objects.exists()


# --- partners -------------------------------------------------------------------------------------------------


def test_a_partner_shows_whether_its_account_may_borrow(libraries: Any, ill_staff: Any, words_of: Any) -> None:
    alder, _brook = libraries
    partner = Partner.objects.get(library=alder)
    client = ill_staff(alder)
    shown = lambda: words_of(client.get(reverse("partner", args=[partner.pk])), "//main")  # noqa: E731
    assert "May borrow" in shown()
    Patron.objects.filter(barcode=partner.account).update(blocked_since=NOW.date())
    assert "Cannot borrow" in shown()
    Patron.objects.filter(barcode=partner.account).delete()
    assert "Account not found" in shown()
    Partner.objects.update(account="")
    assert "No account" in shown()


def test_a_partner_is_changed_and_added(libraries: Any, ill_staff: Any, client_of: Any, words_of: Any) -> None:
    alder, _brook = libraries
    partner = Partner.objects.get(library=alder)
    client = ill_staff(alder)
    fields = {"name": "Brook", "symbol": "BRK", "account": "INST-BRK", "return_address": "Bay 3", "lends": "on"}
    client.post(reverse("partner", args=[partner.pk]), fields)
    partner.refresh_from_db()
    assert (partner.name, partner.return_address) == ("Brook", "Bay 3")
    answer = client.post(reverse("partners"), {"name": "Other", "symbol": "BRK"})
    assert "The symbol BRK already belongs to Brook." in words_of(answer)
    client.post(reverse("partners"), {"name": "Dale", "symbol": "DAL"})
    assert Partner.objects.get(library=alder, symbol="DAL").name == "Dale"
    desk = client_of(make_staff(alder, "desk"))
    assert desk.post(reverse("partners"), {"name": "Elm", "symbol": "ELM"}).status_code == 403


def test_another_librarys_partner_looks_like_none(libraries: Any, ill_staff: Any) -> None:
    alder, brook = libraries
    theirs = Partner.objects.get(library=brook)
    assert ill_staff(alder).get(reverse("partner", args=[theirs.pk])).status_code == 404


# --- paper ----------------------------------------------------------------------------------------------------


def test_slips_say_where_it_goes_and_never_name_the_patron(borrowed: Any, ill_staff: Any, words_of: Any) -> None:
    Partner.objects.filter(library=borrowed.alder).update(return_address="Bay 3\n<River> Road")
    Library.objects.filter(pk=borrowed.brook.pk).update(return_address="River Road 12")
    alder, brook = ill_staff(borrowed.alder), ill_staff(borrowed.brook)
    back = alder.get(reverse("slip_return", args=[borrowed.ill.pk]))
    band = brook.get(reverse("slip_bookband", args=[borrowed.lent.pk]))
    assert "Bay 3<br>&lt;River&gt; Road" in back.content.decode()
    assert "Alder University" in words_of(band)
    assert "River Road 12" in words_of(band)
    for slip in (back, band):
        assert borrowed.ill.number in words_of(slip)
        assert "Okafor" not in slip.content.decode()
    assert brook.get(reverse("slip_return", args=[borrowed.lent.pk])).status_code == 404
    assert brook.get(reverse("slip_bookband", args=[borrowed.ill.pk])).status_code == 404
