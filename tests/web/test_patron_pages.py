"""The patron's own pages: who may sign in, what they see and when, what they may do, and what they never see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from interlend.circulation import choices
from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Loan, LoanPolicy, Patron
from interlend.libraries import guesses
from interlend.libraries.models import FailedSignIn, Library
from interlend.sharing import services as sharing
from interlend.sharing.models import IllRequest
from interlend.web.shell import PATRON_KEY
from tests.make import (
    branch,
    make_consortium,
    make_desk,
    make_ill,
    make_item,
    make_library,
    make_patron,
    make_staff,
)

pytestmark = pytest.mark.django_db


def signed_in(client: Client, patron: Patron, pin: str = "1234") -> Client:
    answer = client.post(
        reverse("my_sign_in"), {"library": patron.library.symbol, "barcode": patron.barcode, "pin": pin}
    )
    assert answer.status_code == 302, answer.content.decode()
    return client


def page(client: Client) -> str:
    answer = client.get(reverse("my"))
    assert answer.status_code == 200
    return answer.content.decode()


# --- signing in ---------------------------------------------------------------------------------------------------


def test_barcode_and_pin_open_the_account_under_a_new_session(client: Client) -> None:
    patron = make_patron(make_library(), surname="Okafor", given_name="Mary")
    client.get(reverse("my_sign_in"))
    session = client.session
    session["left behind"] = "by the one before"
    session.save()
    before = session.session_key
    signed_in(client, patron)
    assert client.session.session_key != before
    assert dict(client.session.items()) == {PATRON_KEY: patron.pk}
    assert "Mary Okafor" in page(client)


@pytest.mark.parametrize("wrong", [{"pin": "9999"}, {"barcode": "nobody"}, {"pin": "12\x0034"}, {"barcode": "x" * 400}])
def test_a_wrong_pin_and_an_unknown_barcode_look_the_same_and_open_nothing(
    client: Client, wrong: dict[str, str]
) -> None:
    patron = make_patron(make_library())
    given = {"library": "ALD", "barcode": patron.barcode, "pin": "1234"} | wrong
    answer = client.post(reverse("my_sign_in"), given)
    assert answer.status_code == 422
    assert PATRON_KEY not in client.session
    assert client.get(reverse("my")).status_code == 302


def test_a_pin_of_another_library_opens_nothing(client: Client) -> None:
    alder, brook = make_consortium()
    make_patron(alder, "P1")
    assert brook.symbol == "BRK"
    answer = client.post(reverse("my_sign_in"), {"library": "BRK", "barcode": "P1", "pin": "1234"})
    assert answer.status_code == 422


def test_an_institution_account_has_no_page(client: Client) -> None:
    alder, brook = make_consortium()
    account = Patron.objects.get(library=alder, kind="institution")
    circulation.set_pin(account, "1234")
    assert brook.pk
    answer = client.post(reverse("my_sign_in"), {"library": "ALD", "barcode": account.barcode, "pin": "1234"})
    assert answer.status_code == 422


def test_the_library_stands_in_the_address_or_is_chosen(client: Client) -> None:
    make_consortium()
    chosen = client.get(reverse("my_sign_in"), {"library": "BRK"}).content.decode()
    assert '<option value="BRK" selected>' in chosen
    assert "Brook Public Library</span>" in chosen
    assert client.get(reverse("my_sign_in"), {"library": "no\x00ne"}).status_code == 200
    assert client.post(reverse("my_sign_in"), {"library": "NONE", "barcode": "a", "pin": "b"}).status_code == 422


def test_signing_out_ends_the_session_and_comes_back_to_the_same_library(client: Client) -> None:
    signed_in(client, make_patron(make_library()))
    answer = client.post(reverse("my_sign_out"))
    assert answer["Location"] == "/my/sign-in?library=ALD"
    assert client.get(reverse("my")).status_code == 302


# --- guessing -----------------------------------------------------------------------------------------------------


def test_after_five_failures_even_the_right_pin_must_wait(client: Client) -> None:
    patron = make_patron(make_library())
    other = make_patron(patron.library)
    for _ in range(guesses.MOST):
        client.post(reverse("my_sign_in"), {"library": "ALD", "barcode": patron.barcode, "pin": "0000"})
    answer = Client().post(reverse("my_sign_in"), {"library": "ALD", "barcode": patron.barcode, "pin": "1234"})
    assert answer.status_code == 429
    assert "tried too often. Wait until" in answer.content.decode()
    signed_in(client, other)  # nobody else has to wait
    FailedSignIn.objects.update(at=timezone.now() - guesses.WINDOW)
    signed_in(Client(), patron)
    assert not FailedSignIn.objects.exists()


def test_waiting_is_not_made_longer_by_trying_and_names_are_not_kept() -> None:
    library, now = make_library(), timezone.now()
    for minute in range(guesses.MOST):
        assert guesses.begin("patron", "P1", now + timedelta(minutes=minute), library.pk).wait_until is None
    for _ in range(3):
        late = guesses.begin("patron", " p1 ", now + timedelta(minutes=6), library.pk)
        assert late.wait_until == now + guesses.WINDOW
    assert guesses.begin("staff", "P1", now + timedelta(minutes=6)).wait_until is None
    assert not any("P1" in row.name for row in FailedSignIn.objects.all())
    assert guesses.begin("patron", "P1", now + guesses.WINDOW + timedelta(seconds=1), library.pk).wait_until is None


# --- staff and patron sessions are two things ---------------------------------------------------------------------


def test_a_staff_session_is_never_a_patrons_even_with_a_patrons_key_in_it(client: Client) -> None:
    patron = make_patron(make_library())
    client.force_login(make_staff(patron.library, "admin"))
    session = client.session
    session[PATRON_KEY] = patron.pk
    session.save()
    assert client.get(reverse("my")).status_code == 302
    assert "is signed in here as staff" in client.get(reverse("my_sign_in")).content.decode()
    client.post(reverse("my_sign_out"))
    assert "_auth_user_id" in client.session  # the patrons' door does not sign staff out


def test_a_patrons_sign_in_ends_the_staff_session(client: Client) -> None:
    patron = make_patron(make_library())
    client.force_login(make_staff(patron.library, "admin"))
    signed_in(client, patron)
    assert dict(client.session.items()) == {PATRON_KEY: patron.pk}
    assert client.get(reverse("settings")).status_code == 302


# --- what is shown ------------------------------------------------------------------------------------------------


def test_a_borrowed_item_from_asking_to_its_return(client: Client, django_capture_on_commit_callbacks: Any) -> None:
    """The same thing is one card at every step, and each step shows at the next look (B1-B15)."""
    alder, brook = make_consortium()
    patron, now = make_patron(alder), timezone.now()
    make_item(brook, "B1")
    signed_in(client, patron)

    def step(verb: Any, *given: Any, **more: Any) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            verb(*given, **more)
        return page(client)

    ill = sharing_request = None
    with django_capture_on_commit_callbacks(execute=True):
        ill = make_ill(alder, patron)
    sharing_request = IllRequest.objects.get(library=brook, number=ill.number)
    assert "Asked Brook Public Library." in page(client)
    due = now.date() + timedelta(days=14)
    assert "Sent by Brook Public Library on" in step(
        sharing.ship, make_desk(brook), sharing_request.pk, ["B1"], now, due=due
    )
    here = step(sharing.receive, make_desk(alder, "ILL"), ill.pk, now)
    assert "Here, nearly ready" in here
    assert here.count('class="card"') == 1
    assert "being brought to Main Library" in step(circulation.check_in, make_desk(alder, "ILL"), "B1", now)
    ready = step(circulation.check_in, make_desk(alder), "B1", now)
    assert "Main Library, hold shelf, until" in ready
    assert "Borrowed for you from Brook Public Library." in ready
    out = step(circulation.check_out, make_desk(alder), patron.pk, "B1", now)
    assert "Due " in out
    assert "From Brook Public Library." in out
    assert "Its own library decides how long it may stay" in out
    assert out.count('class="card"') == 1
    assert reverse("my_renew", args=[Loan.objects.get(patron=patron).pk]) not in out
    back = step(circulation.check_in, make_desk(alder), "B1", now)
    assert "Recently ended" in back
    assert "Returned " in back
    assert back.count('class="card"') == 1


def test_a_received_request_without_a_hold_is_not_lost_from_view(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    """Circulation refused (a blocked account): the patron still sees that it has come, and what to do."""
    alder, brook = make_consortium()
    patron, now = make_patron(alder, block_reason="rude at the desk"), timezone.now()
    make_item(brook, "B1")
    with django_capture_on_commit_callbacks(execute=True):
        ill = make_ill(alder, patron)
    Patron.objects.filter(pk=patron.pk).update(blocked_since=now.date())
    with django_capture_on_commit_callbacks(execute=True):
        sharing.receive(make_desk(alder, "ILL"), ill.pk, now)
    assert not Hold.objects.filter(patron=patron).exists()
    text = page(signed_in(client, patron))
    assert "the library is making it ready" in text
    assert "Your account is blocked since" in text
    assert "rude at the desk" not in text  # staff's word stays with staff


def test_an_expired_card_and_an_overdue_loan_are_said_plainly(client: Client) -> None:
    library = make_library()
    patron, item, now = make_patron(library), make_item(library), timezone.now()
    loan = circulation.check_out(make_desk(library), patron.pk, item.barcode, now).loan
    Loan.objects.filter(pk=loan.pk).update(due_on=now.date() - timedelta(days=3))
    Patron.objects.filter(pk=patron.pk).update(expires_on=now.date() - timedelta(days=1))
    text = page(signed_in(client, patron))
    assert "Overdue: was due" in text
    assert "Your card expired on" in text
    assert "because your card has expired" in text


def test_an_empty_account_says_what_will_stand_here(client: Client) -> None:
    assert "Nothing here at the moment" in page(signed_in(client, make_patron(make_library())))


def test_the_page_is_never_kept_by_a_browser(client: Client) -> None:
    signed_in(client, make_patron(make_library()))
    assert "no-store" in client.get(reverse("my"))["Cache-Control"]


def test_the_page_takes_the_same_number_of_queries_however_much_there_is(
    client: Client, django_assert_num_queries: Any
) -> None:
    library = make_library()
    patron, other, now = make_patron(library), make_patron(library), timezone.now()
    signed_in(client, patron)

    def fill(how_many: int) -> None:
        for _ in range(how_many):
            lent, wanted = make_item(library), make_item(library)
            circulation.check_out(make_desk(library), patron.pk, lent.barcode, now)
            circulation.place_hold(make_desk(library), other, lent.title, branch(library), now, item=lent)
            circulation.place_hold(make_desk(library), patron, wanted.title, branch(library), now)

    fill(1)
    with django_assert_num_queries(7):
        page(client)
    fill(6)
    with django_assert_num_queries(7):
        page(client)


# --- what may be done ---------------------------------------------------------------------------------------------


def hold_of(patron: Patron) -> Hold:
    item = make_item(patron.library)
    desk = make_desk(patron.library)
    return circulation.place_hold(desk, patron, item.title, branch(patron.library), timezone.now(), item=item)


def test_a_waiting_hold_is_cancelled_once(client: Client) -> None:
    patron = make_patron(make_library())
    hold = hold_of(patron)
    url = reverse("my_cancel_hold", args=[hold.pk])
    assert url in page(signed_in(client, patron))
    first = client.post(url, follow=True).content.decode()
    assert "You are no longer waiting" in first
    hold.refresh_from_db()
    assert hold.state == "cancelled"
    assert "Nothing changed" in client.post(url, follow=True).content.decode()
    assert client.get(url).status_code == 405


def test_what_is_on_the_shelf_is_not_cancelled_here(client: Client) -> None:
    patron = make_patron(make_library())
    hold = hold_of(patron)
    assert hold.item is not None
    circulation.check_in(make_desk(patron.library), hold.item.barcode, timezone.now())
    text = page(signed_in(client, patron))
    assert "hold shelf, until" in text
    assert reverse("my_cancel_hold", args=[hold.pk]) not in text
    answer = client.post(reverse("my_cancel_hold", args=[hold.pk]), follow=True).content.decode()
    assert "tell the desk" in answer
    hold.refresh_from_db()
    assert hold.state == "ready"


def test_renewing_until_the_policy_says_no(client: Client) -> None:
    library = make_library()
    LoanPolicy.objects.filter(library=library).update(renewals=1)
    choices.forget()
    patron, item = make_patron(library), make_item(library)
    loan = circulation.check_out(make_desk(library), patron.pk, item.barcode, timezone.now() - timedelta(days=9)).loan
    url = reverse("my_renew", args=[loan.pk])
    assert url in page(signed_in(client, patron))
    assert "is now due" in client.post(url, follow=True).content.decode()
    after = client.post(url, follow=True).content.decode()
    assert "was not renewed. It cannot be renewed any more." in after
    assert url not in after
    loan.refresh_from_db()
    assert loan.renewals == 1


def test_nobody_renews_what_somebody_else_waits_for(client: Client) -> None:
    library = make_library()
    patron, item, now = make_patron(library), make_item(library), timezone.now()
    loan = circulation.check_out(make_desk(library), patron.pk, item.barcode, now).loan
    circulation.place_hold(make_desk(library), make_patron(library, surname="Devi"), item.title, branch(library), now)
    text = page(signed_in(client, patron))
    assert "somebody else is waiting" in text
    assert "Devi" not in text
    client.post(reverse("my_renew", args=[loan.pk]))
    loan.refresh_from_db()
    assert loan.renewals == 0


def test_other_patrons_things_look_like_things_that_do_not_exist(client: Client) -> None:
    library: Library = make_library()
    patron, other, item = make_patron(library), make_patron(library, surname="Devi"), make_item(library)
    hold = hold_of(other)
    loan = circulation.check_out(make_desk(library), other.pk, item.barcode, timezone.now()).loan
    signed_in(client, patron)
    for name, key in (("my_cancel_hold", hold.pk), ("my_renew", loan.pk), ("my_cancel_hold", 10**30)):
        answer = client.post(reverse(name, args=[key]))
        assert answer.status_code == 404
        assert "Devi" not in answer.content.decode()
    hold.refresh_from_db()
    assert hold.state == "pending"


def test_a_removed_patron_is_signed_out(client: Client) -> None:
    patron = make_patron(make_library())
    signed_in(client, patron)
    patron.delete()
    assert client.get(reverse("my")).status_code == 302
