"""The staff shell: signing in and out, where one stands, the one scan box, health, who may what, the navigation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from interlend.bridge.models import HostSettings
from interlend.outbox.models import Errand
from interlend.sharing import services
from interlend.sharing.host import User
from interlend.sharing.models import IllRequest
from tests.make import NOW, branch, make_desk, make_item, make_library, make_patron, make_staff

pytestmark = pytest.mark.django_db
WRONG = "This name and password do not belong together."


@pytest.fixture
def alder(clock: Any) -> Any:
    return make_library()


def sign_in(client: Client, name: str = "ald.ito", password: str = "pass-word-1", **more: str) -> Any:
    return client.post(reverse("sign_in"), {"sign_in": name, "password": password} | more)


# --- the door -------------------------------------------------------------------------------------------------


def test_name_and_password_open_the_door_at_the_usual_branch(alder: Any, client: Client, words_of: Any) -> None:
    make_staff(alder, "desk", sign_in="ald.ito")
    answer = sign_in(client)
    assert answer.headers["Location"] == reverse("home")
    page = client.get(reverse("home"), follow=True)
    assert "Here: Main Library" in words_of(page, "//header")
    assert page.redirect_chain[-1][0] == reverse("check_in")


def test_ill_staff_begin_at_what_needs_attention(alder: Any, client: Client) -> None:
    make_staff(alder, "ill", sign_in="ald.ito")
    sign_in(client)
    assert client.get(reverse("home")).headers["Location"] == reverse("needs_attention")


def test_a_wrong_password_keeps_the_name_and_says_so(alder: Any, client: Client, words_of: Any) -> None:
    make_staff(alder, "desk", sign_in="ald.ito")
    answer = sign_in(client, password="wrong")
    assert answer.status_code == 422
    assert WRONG in words_of(answer)
    assert 'value="ald.ito"' in answer.content.decode()
    assert "Patrons sign in here" in words_of(answer)


@pytest.mark.parametrize("name", ["", "\0", "x" * 10_000, "nobody"])
def test_whatever_is_typed_as_a_name_gets_the_same_answer(alder: Any, client: Client, name: str, words_of: Any) -> None:
    answer = sign_in(client, name=name)
    assert answer.status_code == 422
    assert WRONG in words_of(answer)


def test_guessing_is_slowed_down_even_with_the_right_password(
    alder: Any, client: Client, words_of: Any, clock: Any
) -> None:
    make_staff(alder, "desk", sign_in="ald.ito")
    for _n in range(5):
        assert sign_in(client, password="wrong").status_code == 422
    answer = sign_in(client)
    assert answer.status_code == 429
    assert "Too many tries with this name. Wait 15 minutes" in words_of(answer)
    clock.forward(minutes=16)
    assert sign_in(client).status_code == 302


def test_the_door_leads_back_to_where_one_wanted_to_go_but_never_out(alder: Any, client: Client) -> None:
    make_staff(alder, "desk", sign_in="ald.ito")
    asked = client.get(reverse("borrowing")).headers["Location"]
    assert asked == f"{reverse('sign_in')}?next={reverse('borrowing')}"
    assert sign_in(client, next="https://elsewhere.example/").headers["Location"] == reverse("home")
    assert sign_in(client, next=reverse("borrowing")).headers["Location"] == reverse("borrowing")


def test_a_scan_without_a_session_is_sent_to_the_door(client: Client) -> None:
    answer = client.post(reverse("receive"), {"barcode": "X"}, headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == reverse("sign_in")


def test_signing_in_as_staff_forgets_the_patron_of_this_browser(alder: Any, client: Client) -> None:
    make_staff(alder, "desk", sign_in="ald.ito")
    session = client.session
    session["patron"] = make_patron(alder).pk
    session.save()
    sign_in(client)
    assert "patron" not in client.session


def test_signing_out_ends_it(alder: Any, client_of: Any) -> None:
    client = client_of(make_staff(alder, "desk"))
    assert client.get(reverse("sign_out")).status_code == 405
    client.post(reverse("sign_out"))
    assert client.get(reverse("borrowing")).status_code == 302


# --- where one stands, what one may ---------------------------------------------------------------------------


def test_standing_somewhere_else(alder: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(alder, "desk"))
    annex = branch(alder, "ANNEX")
    page = client.post(reverse("here"), {"branch": annex.pk, "next": reverse("borrowing")}, follow=True)
    assert "Here: Annex" in words_of(page, "//header")
    assert page.redirect_chain[-1][0] == reverse("borrowing")


@pytest.mark.parametrize("key", ["0", "x", "", "9" * 30])
def test_nobody_can_stand_in_another_library(alder: Any, client_of: Any, key: str) -> None:
    client = client_of(make_staff(alder, "desk"))
    elsewhere = branch(make_library("BRK", "Brook Public Library"))
    assert client.post(reverse("here"), {"branch": elsewhere.pk}).status_code == 404
    assert client.post(reverse("here"), {"branch": key}).status_code == 404


def test_what_one_may_not_do_is_a_sentence_with_the_way_on(alder: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(alder, "viewer"))
    answer = client.post(reverse("new_request"), {"patron": "P1"})
    assert answer.status_code == 403
    assert "Only ILL staff and administrators may change requests." in words_of(answer, "//main")


# --- the navigation -------------------------------------------------------------------------------------------


def test_the_navigation_counts_what_waits_and_shows_zero(shipped: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(shipped.alder, "ill"))
    nav = words_of(client.get(reverse("receive")), "//nav[@id='side']")
    assert "Receive 1" in nav
    assert "Return 0" in nav
    assert "Settings" not in nav
    admin = client_of(make_staff(shipped.alder, "admin"))
    assert "Settings" in words_of(admin.get(reverse("receive")), "//nav[@id='side']")


def test_the_numbers_are_renewed_without_a_page(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    page = client.get(reverse("patron", args=[borrowed.patron.pk])).content.decode()
    asked = f"{reverse('counts')}?patron={borrowed.patron.pk}"
    assert f'data-counts="{asked}"' in page
    answer = client.get(asked, headers={"HX-Request": "true"})
    assert words_of(answer, "//*[@id='count-temporary_items']") == "1"
    assert words_of(answer, "//*[@id='count-receive']") == "0"
    assert words_of(answer, "//*[@id='tab-count-holds']") == "1"
    assert "Steps" in words_of(answer, "//*[@id='health']")
    ids = set(re.findall(r'id="([^"]+)"', answer.content.decode()))
    assert ids <= set(re.findall(r'id="([^"]+)"', page)), "each has a place on the page"
    theirs = client_of(make_staff(borrowed.brook, "desk")).get(asked)
    assert "tab-count-holds" not in theirs.content.decode()
    assert client.get(reverse("counts"), {"patron": "٣" * 30}).status_code == 200


def test_who_may_only_look_is_told_so_before_trying(alder: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(alder, "viewer"))
    assert client.get(reverse("home")).headers["Location"] == reverse("discover_items")
    told = "You may look at this page and change nothing on it."
    for name in ("check_in", "receive", "new_item", "new_patron"):
        assert told in words_of(client.get(reverse(name)), "//main"), name
    assert told not in words_of(client.get(reverse("hold_shelf")), "//main")
    desk = client_of(make_staff(alder, "desk", sign_in="ald.ito"))
    assert told not in words_of(desk.get(reverse("check_in")), "//main")
    assert "Only ILL staff and administrators may change requests." in words_of(desk.get(reverse("receive")), "//main")


def test_a_silent_circulation_is_told_where_troubles_are_looked_for(alder: Any, client_of: Any, words_of: Any) -> None:
    silent = {"failing_since": timezone.now(), "failures": 3}
    HostSettings.objects.create(library=alder, kind="ncip", name="Koha", url="http://127.0.0.1:1/", **silent)
    said = words_of(client_of(make_staff(alder, "ill")).get(reverse("needs_attention")), "//main")
    assert "Koha has not answered since" in said
    assert "your work is safe" in said


def test_the_current_page_is_marked(alder: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(alder, "ill"))
    page = client.get(reverse("partners"))
    assert words_of(page, "//nav[@id='side']//*[@aria-current='page']") == "Partners"


def test_attention_counts_requests_that_only_a_person_can_move_on(shipped: Any, client_of: Any, words_of: Any) -> None:
    services.create(
        make_desk(shipped.alder), services.Wish(title="Not sent"), User(shipped.patron.barcode, "Okafor, M."), NOW
    )
    nav = words_of(client_of(make_staff(shipped.alder, "ill")).get(reverse("receive")), "//nav[@id='side']")
    assert "Needs attention 1" in nav


# --- the one scan box -----------------------------------------------------------------------------------------


def test_the_one_box_opens_whatever_was_scanned(borrowed: Any, client_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    opens = {
        borrowed.ill.number.lower(): reverse("ill_request", args=[borrowed.ill.pk]),
        borrowed.patron.barcode: reverse("patron", args=[borrowed.patron.pk]),
    }
    own = make_item(borrowed.alder, "OWN-1")
    opens["OWN-1"] = reverse("item", args=[own.pk])
    for text, to in opens.items():
        assert client.get(reverse("find"), {"q": text}).headers["Location"] == to


def test_words_become_a_search_over_all_three(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    assert "Friendly fire" in words_of(client.get(reverse("find"), {"q": "friendly"}), "//main")
    assert "Mary Okafor" in words_of(client.get(reverse("find"), {"q": "okaf"}), "//main")
    nothing = words_of(client.get(reverse("find"), {"q": "zzz"}), "//main")
    assert "Nothing has this number, name or title" in nothing


@pytest.mark.parametrize("text", ["\0", "x" * 3000, "%_", "'\"", "\x1b", "😀"])
def test_the_one_box_takes_anything(alder: Any, client_of: Any, text: str) -> None:
    client = client_of(make_staff(alder, "desk"))
    assert client.get(reverse("find"), {"q": text}).status_code in (200, 302)


def test_the_one_box_finds_nothing_of_another_library(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(make_library("CDR", "Cedar College"), "admin"))
    for text in (borrowed.patron.barcode, borrowed.ill.number, borrowed.barcode, "okafor", "friendly"):
        answer = client.get(reverse("find"), {"q": text})
        assert answer.status_code == 200
        assert "Nothing has this number" in words_of(answer, "//main")


# --- health ---------------------------------------------------------------------------------------------------


def test_health_shows_what_failed_with_its_buttons(shipped: Any, client_of: Any, words_of: Any, telling: Any) -> None:
    client = client_of(make_staff(shipped.alder, "ill"))
    assert "Steps" in words_of(client.get(reverse("receive")), "//a[@class='health']")
    make_item(shipped.alder, shipped.barcode, title="Something of our own")
    with telling():
        services.receive(make_desk(shipped.alder, "ILL"), shipped.ill.pk, NOW)
    page = client.get(reverse("health"))
    assert "Steps: 1 needs a person" in words_of(page, "//a[@class='health']")
    said = words_of(page, "//main")
    assert "already belongs to “Something of our own”" in said
    assert "Try again Done by hand Skip" in said
    errand = Errand.objects.get(library=shipped.alder, verb="host.accept_item")
    skip = {"trigger": "staff.skip", "next": reverse("health")}
    after = client.post(reverse("errand_action", args=[errand.pk]), skip)
    assert after.headers["Location"] == reverse("health")
    assert "None. What circulation" in words_of(client.get(reverse("health")), "//main")
    assert IllRequest.objects.get(pk=shipped.ill.pk).state == "received"


def test_health_of_a_viewer_has_no_buttons(shipped: Any, client_of: Any, words_of: Any, telling: Any) -> None:
    make_item(shipped.alder, shipped.barcode, title="Something of our own")
    with telling():
        services.receive(make_desk(shipped.alder, "ILL"), shipped.ill.pk, NOW)
    said = words_of(client_of(make_staff(shipped.alder, "viewer")).get(reverse("health")), "//main")
    assert "already belongs" in said
    assert "Skip" not in said
