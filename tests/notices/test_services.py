"""Letters: due at the top of the hour, one mail a patron, once per event, and why one did not go; over real SMTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, HoldPolicy, Patron
from interlend.libraries.models import Library
from interlend.notices.models import Letter
from interlend.notices.services import printed, send_again, send_due, write_overdue
from tests.make import NOW, branch, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db
TEN = datetime(2027, 4, 19, 10, tzinfo=UTC)


def ready(library: Library, patron: Patron, telling: Callable[[], Any]) -> Hold:
    item = make_item(library)
    hold = circulation.place_hold(make_desk(library), patron, item.title, branch(library), NOW)
    with telling():
        circulation.check_in(make_desk(library), item.barcode, NOW)
    hold.refresh_from_db()
    return hold


def test_a_letter_goes_at_the_top_of_the_hour_and_once(smtp_server: Any, telling: Callable[[], Any]) -> None:
    alder = make_library()
    ready(alder, make_patron(alder), telling)
    assert send_due(NOW) == 0
    assert Letter.objects.get().due_at == TEN
    assert send_due(TEN) == 1
    assert send_due(TEN + timedelta(hours=1)) == 0
    assert len(smtp_server) == 1
    mail = smtp_server[0]
    assert mail["To"] == "mary@example.org"
    assert "Friendly fire" in mail.get_content()
    assert "Main Library" in mail.get_content()
    assert (Letter.objects.get().state, Letter.objects.get().via) == ("sent", "smtp")


def test_what_is_ready_in_the_same_hour_is_one_mail(smtp_server: Any, telling: Callable[[], Any]) -> None:
    alder = make_library()
    patron = make_patron(alder)
    for _ in range(3):
        ready(alder, patron, telling)
    ready(alder, make_patron(alder, email="other@example.org"), telling)
    assert send_due(TEN) == 4
    assert sorted(mail["To"] for mail in smtp_server) == ["mary@example.org", "other@example.org"]
    assert any(mail["Subject"].startswith("3 items are ready") for mail in smtp_server)


def test_collected_in_the_meantime_needs_no_letter(smtp_server: Any, telling: Callable[[], Any]) -> None:
    alder = make_library()
    patron = make_patron(alder)
    hold = ready(alder, patron, telling)
    assert hold.item is not None
    circulation.check_out(make_desk(alder), patron.pk, hold.item.barcode, NOW)
    send_due(TEN)
    assert smtp_server == []
    assert Letter.objects.get().state == "not_sent"
    assert "no longer waiting" in Letter.objects.get().why


def test_a_patron_without_an_address_gets_paper(telling: Callable[[], Any]) -> None:
    alder = make_library()
    ready(alder, make_patron(alder, email=""), telling)
    letter = Letter.objects.get()
    assert (letter.state, letter.why) == ("to_print", "The patron has no e-mail address.")
    letter = printed(alder.pk, letter.pk, NOW)
    assert letter.state == "printed"
    assert "Friendly fire" in letter.body


def test_a_library_may_wish_no_notices(telling: Callable[[], Any]) -> None:
    alder = make_library()
    HoldPolicy.objects.update(pickup_notice=False)
    ready(alder, make_patron(alder), telling)
    assert Letter.objects.get().state == "not_sent"


def test_without_a_mail_server_it_waits_and_says_so(
    smtp_server: Any, settings: Any, telling: Callable[[], Any]
) -> None:
    alder = make_library()
    ready(alder, make_patron(alder), telling)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    send_due(TEN)
    letter = Letter.objects.get()
    assert letter.state == "waiting"
    assert letter.why.startswith("Waiting for the mail server")
    settings.EMAIL_PORT = port
    send_due(letter.due_at)
    assert len(smtp_server) == 1


def test_a_lost_worker_leaves_a_question_for_a_person(smtp_server: Any, telling: Callable[[], Any]) -> None:
    alder = make_library()
    ready(alder, make_patron(alder), telling)
    Letter.objects.update(state="sending", lease_until=TEN)
    send_due(TEN + timedelta(minutes=1))
    letter = Letter.objects.get()
    assert letter.state == "unknown"
    assert smtp_server == []
    send_again(alder.pk, letter.pk, TEN + timedelta(minutes=2))
    send_due(TEN + timedelta(minutes=2))
    assert len(smtp_server) == 1


def test_a_claimed_letter_is_not_sent_by_another_worker(smtp_server: Any, telling: Callable[[], Any]) -> None:
    alder = make_library()
    ready(alder, make_patron(alder), telling)
    Letter.objects.update(state="sending", lease_until=TEN + timedelta(minutes=5))
    assert send_due(TEN) == 0
    assert smtp_server == []


def test_without_email_url_letters_lie_in_the_drawer(settings: Any, telling: Callable[[], Any]) -> None:
    settings.INTERLEND_MAIL = "drawer"
    alder = make_library()
    ready(alder, make_patron(alder), telling)
    send_due(TEN)
    letter = Letter.objects.get()
    assert (letter.state, letter.via) == ("sent", "drawer")
    assert letter.subject == "An item is ready for you at Alder University"


def test_an_overdue_loan_is_written_about_once_a_due_date_and_in_the_morning(smtp_server: Any) -> None:
    alder = make_library(zone="America/New_York")
    patron, item = make_patron(alder), make_item(alder)
    loan = circulation.check_out(make_desk(alder), patron.pk, item.barcode, NOW).loan
    late = NOW + timedelta(days=29)
    assert write_overdue(NOW + timedelta(days=28)) == 0
    assert write_overdue(late) == 1
    assert write_overdue(late + timedelta(hours=1)) == 0
    letter = Letter.objects.get()
    assert (letter.loan_key, letter.due_at.astimezone(UTC).hour) == (loan.pk, 11), "seven in the morning in New York"
    send_due(letter.due_at)
    assert "It was due: Monday 17 May 2027" in smtp_server[0].get_content()


def test_what_came_back_in_the_meantime_is_not_written_about(smtp_server: Any) -> None:
    alder = make_library()
    item = make_item(alder)
    circulation.check_out(make_desk(alder), make_patron(alder).pk, item.barcode, NOW)
    late = NOW + timedelta(days=30)
    write_overdue(late)
    circulation.check_in(make_desk(alder), item.barcode, late)
    send_due(late + timedelta(days=1))
    assert smtp_server == []
    assert Letter.objects.get().state == "not_sent"


class Silent:
    """A mail server that takes the letter and never says so."""

    async def handle_DATA(self, server: Any, _session: object, _envelope: object) -> str:  # noqa: N802
        server.transport.close()
        return "250 never heard"


def test_a_server_that_falls_silent_leaves_a_question_for_a_person(
    smtp_server: Any, settings: Any, telling: Callable[[], Any]
) -> None:
    from aiosmtpd.controller import Controller

    from tests.conftest import free_port

    alder = make_library()
    ready(alder, make_patron(alder), telling)
    silent = Controller(Silent(), hostname="127.0.0.1", port=free_port())
    silent.start()
    settings.EMAIL_PORT = silent.port
    try:
        send_due(TEN)
    finally:
        silent.stop()
    letter = Letter.objects.get()
    assert letter.state == "unknown"
    assert "may have gone" in letter.why
