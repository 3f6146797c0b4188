"""The settings of the joins: notice policy, circulation system, NCIP callers. Secrets go in and never come out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from interlend.bridge.callers import keyed
from interlend.bridge.dialects import DIALECTS
from interlend.bridge.models import HostSettings, NcipCaller
from interlend.bridge.ncip_responder.door import SERVICES
from interlend.libraries.models import Library
from interlend.notices.models import NoticePolicy
from tests.make import NOW, make_consortium, make_library, make_staff

pytestmark = pytest.mark.django_db
SECRET = "sesame-open-77"
HOST = {
    "kind": "ncip", "name": "Alder's Koha", "url": "https://koha.alder.example/ncip", "dialect": "koha",
    "to_agency": "ALD", "from_agency": "SHARING", "profile": "", "auth": "none", "auth_user": "", "auth_header": "",
    "token_url": "", "scope": "", "ca_file": "", "test_patron": "P1",
}  # fmt: skip
CALLER = {
    "name": "Relais", "active": "on", "from_agencies": "RELAIS\nRELAIS-2", "from_systems": "Relais D2D",
    "to_agencies": "Alder, ALDER-MAIN", "networks": "192.0.2.0/24\n2001:db8::/32", "services": ["LookupUser"],
    "on_clash": "suffix", "pickups": "123 = main\n124 = ANNEX", "currency": "eur", "new_user_type": "STUDENT",
    "http_user": "",
}  # fmt: skip


@pytest.fixture
def library(clock: Any) -> Library:
    return make_library()


@pytest.fixture
def admin(library: Library, client_of: Any) -> Client:
    client: Client = client_of(make_staff(library, "admin"))
    return client


def url(kind: str, row: Any = None) -> str:
    return reverse("settings_edit", args=[kind, row.pk]) if row else reverse("settings_list", args=[kind])


def save(client: Client, to: str, fields: dict[str, Any]) -> str:
    answer = client.post(to, fields, follow=True)
    text = answer.content.decode()
    assert SECRET not in text
    return text


# --- notice policy ------------------------------------------------------------------------------------------------


def test_the_notice_policy_is_one_row_a_library(admin: Client, library: Library) -> None:
    assert 'value="1"' in admin.get(url("notice-policy")).content.decode()
    for days in ("3", "5"):
        assert "Saved:" in save(admin, url("notice-policy"), {"overdue": "on", "overdue_days": days})
    policy = NoticePolicy.objects.get(library=library)
    assert (policy.overdue, policy.overdue_days) == (True, 5)
    assert admin.post(url("notice-policy"), {"overdue_days": "0"}).status_code == 422


# --- circulation system -------------------------------------------------------------------------------------------


def test_without_a_row_the_circulation_is_our_own_and_needs_nothing_more(admin: Client, library: Library) -> None:
    text = admin.get(url("circulation-system")).content.decode()
    assert "own circulation" in text
    assert "How it behaves" not in text
    assert all(one.name.replace("'", "&#x27;") in text for one in DIALECTS.values())
    bare = {"kind": "in_process", "dialect": "generic", "auth": "none"}
    assert "Saved:" in save(admin, url("circulation-system"), bare)
    assert HostSettings.objects.get(library=library).kind == "in_process"


def test_a_host_over_ncip_is_saved_and_its_secrets_are_never_shown(admin: Client, library: Library) -> None:
    given = HOST | {"auth": "basic", "auth_user": "illuser", "auth_secret": SECRET, "agency_secret": f"{SECRET}a"}
    assert "Saved:" in save(admin, url("circulation-system"), given)
    row = HostSettings.objects.get(library=library)
    assert (row.auth_secret, row.agency_secret, row.dialect) == (SECRET, f"{SECRET}a", "koha")
    page = admin.get(url("circulation-system")).content.decode()
    assert SECRET not in page
    assert page.count("One is stored. Leave it empty to keep it.") == 2


def test_an_empty_secret_is_unchanged_and_only_a_tick_forgets_it(admin: Client, library: Library) -> None:
    given = HOST | {"auth": "bearer", "auth_secret": SECRET, "agency_secret": SECRET}
    save(admin, url("circulation-system"), given)
    kept = HOST | {"auth": "bearer", "auth_secret": "", "agency_secret": "", "name": "Koha"}
    assert "Saved:" in save(admin, url("circulation-system"), kept)
    row = HostSettings.objects.get(library=library)
    assert (row.auth_secret, row.agency_secret, row.name) == (SECRET, SECRET, "Koha")
    assert "needs this" in save(admin, url("circulation-system"), kept | {"forget_auth_secret": "on"})
    save(admin, url("circulation-system"), kept | {"auth": "none", "forget_auth_secret": "on"})
    row.refresh_from_db()
    assert (row.auth_secret, row.agency_secret) == ("", SECRET)


def test_a_stored_secret_does_not_follow_to_another_machine(admin: Client, library: Library) -> None:
    """Otherwise whoever may set the address could read a secret that is never shown."""
    save(admin, url("circulation-system"), HOST | {"auth": "bearer", "auth_secret": SECRET})
    moved = HOST | {"auth": "bearer", "auth_secret": "", "url": "https://elsewhere.example/ncip"}
    assert "type the secret once more" in save(admin, url("circulation-system"), moved)
    assert HostSettings.objects.get(library=library).url == HOST["url"]
    same = moved | {"url": "https://KOHA.alder.example:443/other"}
    assert "Saved:" in save(admin, url("circulation-system"), same)
    assert "Saved:" in save(admin, url("circulation-system"), moved | {"auth_secret": SECRET})


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"url": ""}, "needs an address"),
        ({"url": "koha.example/ncip"}, "begins with"),
        ({"url": "ftp://koha.example"}, "begins with"),
        ({"url": "https://"}, "names a machine"),
        ({"url": "http://[::1/ncip"}, "is no address"),
        ({"url": "tcp://koha.example"}, "needs a port"),
        ({"url": "https://me:word@koha.example/"}, "Leave name and password out"),
        ({"to_agency": ""}, "what its system calls it"),
        ({"auth": "basic"}, "needs this"),
        ({"auth": "oauth2", "auth_user": "x", "auth_secret": "y"}, "needs this"),
        ({"auth": "oauth2", "auth_user": "x", "auth_secret": "y", "token_url": "tcp://a:1"}, "is no address"),
        ({"url": "tcp://koha.example:5001", "auth": "bearer", "auth_secret": "x"}, "carries no sign-in"),
        ({"dialect": "klingon"}, "Select a valid choice"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"auth": "bearer", "auth_secret": "a\x00b"}, "Null characters"),
        ({"name": "x" * 500}, "at most 80"),
    ],
)
def test_what_cannot_work_is_a_sentence_at_its_field(admin: Client, wrong: dict[str, str], sentence: str) -> None:
    answer = admin.post(url("circulation-system"), HOST | wrong)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not HostSettings.objects.exists()


def test_how_the_host_behaves_is_shown_and_survives_saving(admin: Client, library: Library) -> None:
    save(admin, url("circulation-system"), HOST)
    known = {"failures": 4, "failing_since": NOW, "last_trouble": "It cannot be reached."}
    HostSettings.objects.update(**known, paused_until=NOW + timedelta(minutes=5))
    text = admin.get(url("circulation-system")).content.decode()
    assert "No answer since today 09:12 (4 tries)" in text
    assert "It cannot be reached." in text
    assert "Left alone until" in text
    save(admin, url("circulation-system"), HOST | {"name": "Other"})
    row = HostSettings.objects.get(library=library)
    assert (row.failures, row.failing_since, row.paused_until) == (4, NOW, NOW + timedelta(minutes=5))
    save(admin, url("circulation-system"), HOST | {"url": "https://koha.alder.example/right"})
    row.refresh_from_db()
    assert (row.failures, row.paused_until) == (4, None), "a mended address is tried at once"


# --- callers ------------------------------------------------------------------------------------------------------


def new_caller(client: Client, **fields: Any) -> str:
    return save(client, reverse("settings_new", args=["ncip-callers"]), CALLER | fields)


def test_a_caller_is_made_with_its_lists_and_hashed_secrets(admin: Client, library: Library) -> None:
    assert "Saved:" in new_caller(admin, secret=SECRET, bearer_token=f"{SECRET}b")
    row = NcipCaller.objects.get(library=library)
    assert row.from_agencies == ["RELAIS", "RELAIS-2"]
    assert row.to_agencies == ["Alder", "ALDER-MAIN"]
    assert row.networks == ["192.0.2.0/24", "2001:db8::/32"]
    assert (row.services, row.on_clash, row.currency) == (["LookupUser"], "suffix", "EUR")
    assert row.pickups == {"123": "MAIN", "124": "ANNEX"}
    assert (row.secret, row.bearer_token, row.http_password) == (keyed(SECRET), keyed(f"{SECRET}b"), "")
    page = admin.get(url("ncip-callers", row)).content.decode()
    assert row.secret not in page
    assert "RELAIS\nRELAIS-2" in page
    assert all(f'value="{name}"' in page for name in SERVICES)
    listed = admin.get(url("ncip-callers")).content.decode()
    assert "secret, token, network" in listed
    assert "1 service" in listed


def test_saving_a_caller_unchanged_keeps_its_secrets(admin: Client, library: Library) -> None:
    new_caller(admin, secret=SECRET)
    row = NcipCaller.objects.get()
    before = NcipCaller.objects.values().get()
    assert "Saved:" in save(admin, url("ncip-callers", row), CALLER)
    assert NcipCaller.objects.values().get() == before
    assert "Saved:" in save(admin, url("ncip-callers", row), CALLER | {"forget_secret": "on"})
    assert NcipCaller.objects.get().secret == ""


def test_an_open_door_is_named_as_such(admin: Client) -> None:
    new_caller(admin, networks="")
    assert "none: whoever knows its name" in admin.get(url("ncip-callers")).content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"networks": "everywhere"}, "“everywhere” is no network"),
        ({"networks": "192.0.2.7/24"}, "did you mean 192.0.2.0/24?"),
        ({"pickups": "123"}, "write each as theirs = ours"),
        ({"pickups": "123 = NOWHERE"}, "No branch has the code “NOWHERE”"),
        ({"services": ["MakeTea"]}, "MakeTea is not one of the available choices"),
        ({"currency": "€"}, "three letters"),
        ({"on_clash": "explode"}, "Select a valid choice"),
        ({"http_user": "relais"}, "A user name needs a password."),
        ({"http_password": "x"}, "A password needs a user name."),
        ({"from_agencies": "x" * 200}, "too long for a name"),
        ({"from_agencies": "a\x00b"}, "Null characters"),
        ({"new_user_type": "KING"}, "Select a valid choice"),
    ],
)
def test_a_callers_mistakes_are_sentences(admin: Client, wrong: dict[str, Any], sentence: str) -> None:
    text = new_caller(admin, **wrong)
    assert sentence in text
    assert not NcipCaller.objects.exists()


def test_no_library_takes_over_anothers_name(client_of: Any) -> None:
    """Else messages meant for Brook would arrive at Alder."""
    alder, brook = make_consortium()
    NcipCaller.objects.create(library=brook, name="Relais", to_agencies=["BROOK-ILL"])
    admin = client_of(make_staff(alder, "admin"))
    for name in ("brk", "Brook  Public Library", "brook-ill"):
        assert "Another library here is called" in new_caller(admin, to_agencies=name)
    assert "Saved:" in new_caller(admin, to_agencies="ALD, Alder University")


@pytest.mark.parametrize("role", ["desk", "ill", "viewer"])
def test_only_administrators_see_or_change_them(library: Library, client_of: Any, role: str) -> None:
    client = client_of(make_staff(library, role))
    for kind in ("notice-policy", "circulation-system", "ncip-callers"):
        assert client.get(url(kind)).status_code == 403
        assert client.post(url(kind), HOST).status_code == 403
    assert not HostSettings.objects.exists()


def test_the_navigation_marks_settings_on_every_page_below_it(admin: Client, words_of: Any) -> None:
    page = admin.get(url("ncip-callers"))
    assert words_of(page, "//nav[@id='side']//*[@aria-current='page']") == "Settings"
