"""Notices: which letters went, wait or need a person, what each says, sending again, printing, the mail drawer (B9)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from interlend.circulation import services as circulation
from interlend.notices.models import Letter
from interlend.notices.services import send_due
from tests.make import make_desk, make_staff

WORK = "//main"


@pytest.fixture
def letter(borrowed: Any, clock: Any, telling: Any) -> Letter:
    """The pickup letter of a borrowed book that was just trapped at its pickup place; it waits for 10:00."""
    with telling():
        circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    return Letter.objects.get()


@pytest.fixture
def desk(borrowed: Any, client_of: Any) -> Any:
    return client_of(make_staff(borrowed.alder, "desk"))


def one(letter: Letter) -> str:
    return reverse("notice", args=[letter.pk])


def test_a_waiting_letter_says_when_it_goes_and_what_it_will_say(letter: Letter, desk: Any, words_of: Any) -> None:
    said = words_of(desk.get(one(letter)), WORK)
    assert "Mail goes at 10:00" in said
    assert "mary@example.org" in said
    assert "Friendly fire" in said


def test_a_sent_letter_lies_in_the_drawer_and_reads_like_mail(
    letter: Letter, desk: Any, words_of: Any, clock: Any
) -> None:
    assert "The drawer is empty" in words_of(desk.get(reverse("mail_drawer")))
    send_due(clock.forward(minutes=48))
    drawer = words_of(desk.get(reverse("mail_drawer")), WORK)
    assert "to mary@example.org" in drawer
    assert "Friendly fire" in drawer
    assert "Nothing has left the house." in drawer
    said = words_of(desk.get(one(letter)), WORK)
    assert "Mail sent today 10:00" in said
    assert "mail drawer" in said


def test_the_list_has_tabs_with_counts_and_the_patron(letter: Letter, desk: Any, words_of: Any) -> None:
    page = desk.get(reverse("notices"))
    assert words_of(page, "//nav[@class='tabs']") == "All 1 For a person 0 Waiting 1"
    assert "Okafor, M." in words_of(page, "//table")
    assert "No notices here" in words_of(desk.get(reverse("notices") + "?state=person"))


def test_a_letter_on_paper_is_printed_once_and_again_at_will(letter: Letter, desk: Any, words_of: Any) -> None:
    Letter.objects.update(state="to_print", why="The patron has no e-mail address.", to="")
    assert letter.pk in [found.pk for found in desk.get(reverse("notices") + "?state=person").context["page_obj"]]
    paper = desk.post(reverse("notice_print", args=[letter.pk]), follow=True)
    assert "Friendly fire" in words_of(paper)
    assert "Mary Okafor" in words_of(paper)
    assert Letter.objects.get().state == "printed"
    assert desk.get(reverse("notice_print", args=[letter.pk])).status_code == 200
    assert Letter.objects.get().state == "printed"


def test_looking_at_the_paper_prints_nothing(letter: Letter, desk: Any) -> None:
    Letter.objects.update(state="to_print")
    desk.get(reverse("notice_print", args=[letter.pk]))
    assert Letter.objects.get().state == "to_print"


def test_a_failed_letter_is_sent_again_once(letter: Letter, desk: Any, words_of: Any, clock: Any) -> None:
    Letter.objects.update(state="failed", why="The mail server refused the address: 550 no such user")
    assert "550 no such user" in words_of(desk.get(one(letter)), WORK)
    again = reverse("notice_send_again", args=[letter.pk])
    assert "next round" in words_of(desk.post(again, follow=True), "//*[@id='messages']")
    assert "nothing changed" in words_of(desk.post(again, follow=True), "//*[@id='messages']")
    send_due(clock.now)
    assert Letter.objects.get().state == "sent"


def test_a_letter_that_may_have_gone_is_asked_about(letter: Letter, desk: Any) -> None:
    Letter.objects.update(state="unknown", why="Interlend was stopped while sending it; it may have gone.")
    assert 'data-confirm="It may have gone already. Send it again?"' in desk.get(one(letter)).content.decode()


def test_the_request_shows_its_letter(letter: Letter, borrowed: Any, desk: Any, words_of: Any) -> None:
    said = words_of(desk.get(reverse("ill_request", args=[borrowed.ill.pk])))
    assert "Hold pickup Mail goes at 10:00" in said


def test_only_those_who_circulate_may_print_or_send(
    letter: Letter, borrowed: Any, client_of: Any, words_of: Any
) -> None:
    Letter.objects.update(state="to_print")
    viewer = client_of(make_staff(borrowed.alder, "viewer"))
    assert "Print" not in words_of(viewer.get(one(letter)), WORK)
    for name in ("notice_print", "notice_send_again"):
        assert viewer.post(reverse(name, args=[letter.pk])).status_code == 403
    assert Letter.objects.get().state == "to_print"


def test_another_librarys_letters_do_not_exist(letter: Letter, borrowed: Any, client_of: Any, words_of: Any) -> None:
    stranger = client_of(make_staff(borrowed.brook, "admin"))
    assert "Okafor" not in words_of(stranger.get(reverse("notices")))
    for name in ("notice", "notice_print"):
        assert stranger.get(reverse(name, args=[letter.pk])).status_code == 404
    assert stranger.post(reverse("notice_send_again", args=[letter.pk])).status_code == 404


def test_a_list_needs_no_more_statements_for_more_letters(letter: Letter, desk: Any) -> None:
    desk.get(reverse("notices"))
    with CaptureQueriesContext(connection) as few:
        desk.get(reverse("notices"))
    for n in range(20):
        letter.pk, letter.key = None, f"copy:{n}"
        letter.save(force_insert=True)
    with CaptureQueriesContext(connection) as many:
        desk.get(reverse("notices"))
    assert len(few) == len(many)
