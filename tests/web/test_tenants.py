"""No library sees another's: every address of the installation, walked as owner, colleague, stranger, patron, nobody.

Strategy: the addresses come from the resolver, so a new page is covered the day it gets its address; one that these
tests do not know how to fill fails them. Alder owns everything here, Brook lends to it, Cedar is apart from both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from interlend.bridge import exchanges
from interlend.bridge.models import Exchange, HostSettings, NcipCaller
from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.libraries.models import Library, StaffMember
from interlend.notices.models import Letter
from interlend.outbox.models import Errand
from interlend.sharing import services as sharing
from interlend.sharing.models import IllRequest, Partner
from interlend.web.settings.entries import KINDS
from interlend.web.shell import PATRON_KEY
from tests.make import (
    NOW,
    branch,
    make_account,
    make_consortium,
    make_desk,
    make_ill,
    make_item,
    make_library,
    make_patron,
    make_staff,
)

pytestmark = pytest.mark.django_db

#: what no stranger may ever read: the patron's name, barcode, addresses
SECRETS = ("Quillfeather", "Zebediah", "PZ-770077", "zeb@quill.example", "555-0199")

# --- every address -----------------------------------------------------------------------------------------------

#: pages that everybody may see, and what is needed to fill them
OPEN = {"sign_in": {}, "look": {"colour": "0b5c63"}, "my_sign_in": {}}
#: pages of patrons; all others are of staff
OF_PATRONS = {"my", "my_sign_in", "my_sign_out", "my_cancel_hold", "my_renew"}
#: what any signed-in person may post: their own sign-in and where they stand
OF_ONES_OWN = {"sign_in", "sign_out", "here", "look"} | OF_PATRONS
#: addresses that carry a word instead of the key of a row
WORDS = {"page": "receive", "trigger": "staff.return", "colour": "0b5c63"}
#: address -> whose key `pk` is
KEY_OF = {
    "patron": "patron", "edit_patron": "patron", "patron_check_out": "patron",
    "replace_card": "patron", "edit_item": "item",
    "change_due_date": "loan", "renew": "loan", "my_renew": "loan",
    "edit_hold": "hold", "cancel_hold": "hold", "my_cancel_hold": "hold", "slip_hold": "hold",
    "item": "item", "delete_item": "item", "restore_item": "item", "mark_missing": "item",
    "slip_item": "item", "slip_route": "item",
    "notice": "letter", "notice_send_again": "letter", "notice_print": "letter",
    "ill_request": "request", "ill_action": "request", "ill_correct": "request", "ill_note": "request",
    "slip_return": "request", "slip_bookband": "lent", "errand_action": "errand", "partner": "partner",
    "exchange": "exchange", "exchange_download": "exchange", "exchange_replay": "exchange",
}  # fmt: skip


@dataclass
class Address:
    """One address of the installation: its name and the names of what it carries."""

    name: str
    carries: frozenset[str]

    def keyed(self) -> bool:
        return "pk" in self.carries


def addresses() -> list[Address]:
    """Of people's pages, by name."""
    found = {(entry.name, frozenset(entry.pattern.converters)) for route, entry in walk() if is_page(entry)}
    assert all(name for name, _ in found), "every page has a name"
    return [Address(str(name), carries) for name, carries in sorted(found, key=str)]


def walk(patterns: list[Any] | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the installation with its whole route."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, route)
        else:
            yield route, entry


def is_page(entry: URLPattern) -> bool:
    """For people; the others are doors for programs, which have a sign-in of their own."""
    return str(entry.callback.__module__).startswith("interlend.web")


ADDRESSES = addresses()
KEYED = [address for address in ADDRESSES if address.keyed()]
OF_STAFF = [address for address in ADDRESSES if address.name not in OF_ONES_OWN]


def named(address: Address) -> str:
    return f"{address.name}({','.join(sorted(address.carries))})"


@dataclass
class World:
    """One library with something of everything; `keys` are of rows by kind."""

    library: Library
    keys: dict[str, int] = field(default_factory=dict)
    barcodes: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> list[str]:
        """The keys that pages might take from a form or a query, as somebody would type them, each once."""
        return list(dict.fromkeys(str(self.keys[kind]) for kind in ("patron", "hold", "item", "request")))

    def urls(self, address: Address) -> list[str]:
        """The address filled with this library's keys; several for settings, which have many kinds of rows."""
        if "kind" in address.carries:
            return [reverse(address.name, kwargs=kwargs) for kwargs in self._settings(address)]
        kwargs: dict[str, Any] = {name: WORDS[name] for name in address.carries if name in WORDS}
        if address.keyed():
            if address.name not in KEY_OF:
                pytest.fail(f"Whose key does {named(address)} carry? Say so in KEY_OF.")
            if KEY_OF[address.name] not in self.keys:
                return []
            kwargs["pk"] = self.keys[KEY_OF[address.name]]
        if missing := address.carries - set(kwargs):
            pytest.fail(f"How is {named(address)} filled? Say so in WORDS: {missing}")
        return [reverse(address.name, kwargs=kwargs)]

    def _settings(self, address: Address) -> Iterator[dict[str, Any]]:
        for slug, kind in KINDS.items():
            if not address.keyed():
                yield {"kind": slug}
            elif (row := kind.rows(self.library).first()) is not None:
                yield {"kind": slug, "pk": row.pk}


@pytest.fixture
def worlds(django_capture_on_commit_callbacks: Any) -> dict[str, World]:
    """Alder with a borrowed item on the shelf, a loan, a refused step and a letter; Brook that lends; Cedar apart."""
    now = timezone.now()
    alder, brook = make_consortium()
    cedar = make_library("CED", "Cedar College")
    make_account(cedar, brook)
    zeb = make_patron(
        alder, "PZ-770077", surname="Quillfeather", given_name="Zebediah", email="zeb@quill.example", phone="555-0199"
    )
    make_item(brook, "B1", title="L’autre monde")
    make_item(alder, "A9", title="The waves")
    with django_capture_on_commit_callbacks(execute=True):
        ill = make_ill(alder, zeb, title="L’autre monde")
        back = make_ill(brook, make_patron(brook, surname="Brookson"), lender="ALD", title="The waves")
    asked = IllRequest.objects.get(library=brook, number=ill.number)
    lent = IllRequest.objects.get(library=alder, number=back.number)
    for verb in (
        lambda: sharing.ship(make_desk(brook), asked.pk, ["B1"], now),
        lambda: sharing.receive(make_desk(alder, "ILL"), ill.pk, now),
        lambda: circulation.check_in(make_desk(alder), "B1", now),
        lambda: sharing.ship(make_desk(alder), lent.pk, ["A9"], now),
    ):
        with django_capture_on_commit_callbacks(execute=True):
            verb()
    keep_an_exchange(alder, ill)
    own = make_item(alder, "A1", title="Orlando")
    loan = circulation.check_out(make_desk(alder), zeb.pk, own.barcode, now).loan
    found = {"ALD": World(alder), "BRK": World(brook), "CED": World(cedar)}
    for world in found.values():
        mine = {"library": world.library}
        rows: dict[str, Any] = {
            "patron": Patron.objects.filter(**mine).exclude(kind="institution").first(),
            "item": Item.objects.filter(**mine).first(),
            "hold": Hold.objects.filter(**mine).first(), "loan": Loan.objects.filter(**mine).first(),
            "letter": Letter.objects.filter(**mine).first(), "errand": Errand.objects.filter(**mine).first(),
            "request": IllRequest.objects.filter(**mine, side="borrowing").first(),
            "lent": IllRequest.objects.filter(**mine, side="lending").first(),
            "partner": Partner.objects.filter(**mine).first(), "exchange": Exchange.objects.filter(**mine).first(),
        }  # fmt: skip
        world.keys = {kind: row.pk for kind, row in rows.items() if row is not None}
    assert set(found["ALD"].keys) == set(KEY_OF.values())
    found["ALD"].keys["loan"] = loan.pk
    found["ALD"].barcodes = [zeb.barcode, "A1", ill.number]
    return found


def keep_an_exchange(library: Library, ill: IllRequest) -> None:
    """What was said to Alder's system about its patron, whose barcode a kept message has; and the rows of the joins."""
    about = exchanges.Kept("out", library.pk, "Koha", "LookupUser", ill.number, "B1", source="https://koha.example/")
    exchanges.keep(about, f"<NCIPMessage><a>{ill.patron_barcode}</a></NCIPMessage>".encode(), b"<b/>", NOW, 5)
    HostSettings.objects.create(library=library, name="Quillfeather’s")
    NcipCaller.objects.create(library=library, name="Quillfeather", from_agencies=["Q"])


def browser(member: StaffMember) -> Client:
    client = Client()
    client.force_login(member)
    session = client.session
    session["branch"] = branch(member.library).pk
    session.save()
    return client


def snapshot(library: Library) -> dict[str, list[Any]]:
    """Every row that belongs to `library`, in every table; sign-ins and scan rows of its staff are not of interest."""
    found = {}
    for model in apps.get_models():
        if any(column.name == "library" for column in model._meta.fields):
            mine = model._default_manager.filter(library=library).order_by("pk")
            found[model._meta.label] = list(mine.values())
    return found | {"libraries.Library": list(Library.objects.filter(pk=library.pk).values())}


def text_of(answer: HttpResponse) -> str:
    return answer.content.decode(errors="replace") + str(dict(answer.items()))


def assert_tells_nothing(answer: HttpResponse, url: str, *, but: str = "") -> None:
    """No secret in body or headers, except for the word that was asked with and may be echoed."""
    told = [secret for secret in SECRETS if secret in text_of(answer) and secret.casefold() not in but.casefold()]
    assert not told, f"{url} tells {told}"


# --- the keys are right ---------------------------------------------------------------------------------------------


def test_every_address_is_known(worlds: dict[str, World]) -> None:
    for address in ADDRESSES:
        assert worlds["ALD"].urls(address), named(address)
    stale = set(KEY_OF) - {address.name for address in KEYED}
    assert not stale, f"KEY_OF names addresses that are gone: {stale}"


def test_the_owner_finds_what_strangers_do_not(worlds: dict[str, World]) -> None:
    """Without this, a wrong key would make every test below pass."""
    client = browser(make_staff(worlds["ALD"].library, "admin"))
    for address in KEYED:
        if address.name in OF_PATRONS:
            continue
        for url in worlds["ALD"].urls(address):
            answer = client.get(url, ASKED)
            assert answer.status_code in (200, 302, 405), f"{url}: {answer.status_code}"
    shown = text_of(client.get(worlds["ALD"].urls(Address("patron", frozenset({"pk"})))[0]))
    assert "Quillfeather" in shown
    assert "PZ-770077" in shown


def test_a_colleague_at_the_desk_finds_them_too(worlds: dict[str, World]) -> None:
    client = browser(make_staff(worlds["ALD"].library, "desk"))
    for address in KEYED:
        if address.name not in OF_PATRONS and "kind" not in address.carries:
            for url in worlds["ALD"].urls(address):
                assert client.get(url, ASKED).status_code in (200, 302, 405), url


# --- strangers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stranger", ["BRK", "CED"])
@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
def test_anothers_key_looks_like_nothing(worlds: dict[str, World], stranger: str, htmx: bool) -> None:
    """A lender and a library apart, with every right at home: 404 at every key of Alder's, and nothing changes."""
    client = browser(make_staff(worlds[stranger].library, "admin"))
    headers = {"HX-Request": "true"} if htmx else {}
    before = snapshot(worlds["ALD"].library)
    for address in KEYED:
        if address.name in OF_PATRONS:
            continue
        for url in worlds["ALD"].urls(address):
            seen = []
            for answer in (client.get(url, ASKED, headers=headers), client.post(url, FIELDS, headers=headers)):
                assert answer.status_code in (404, 405), f"{url}: {answer.status_code}"
                assert_tells_nothing(answer, url)
                seen.append(answer.status_code)
            assert 404 in seen, f"{url} never got as far as looking"
    assert snapshot(worlds["ALD"].library) == before


#: something for most forms, so that a view goes as far as it can
FIELDS = {
    "barcode": "B1", "name": "Taken over", "reason": "not on shelf", "note": "x", "day": "2030-01-01", "way": "up",
    "due_on": "2030-01-01", "trigger": "staff.return", "action": "staff.try_again", "title": "x",
}  # fmt: skip
#: a dialog that is asked for without a button is none
ASKED = {"trigger": "staff.return"}
#: the names under which pages are asked for something
QUESTIONS = (
    "q", "barcode", "patron", "patron_barcode", "item", "request", "number", "title", "text", "account", "name",
    "hold", "holds", "items", "pk", "id", "ids", "row", "rows", "keys",
)  # fmt: skip


@pytest.mark.parametrize("stranger", ["BRK", "CED"])
def test_no_list_and_no_search_of_a_stranger_tells_anything(worlds: dict[str, World], stranger: str) -> None:
    """Searching for Alder's things by name, barcode, number, title and key, on every page without a key of its own."""
    client = browser(make_staff(worlds[stranger].library, "admin"))
    alder = worlds["ALD"]
    asked = ["", "Quillfeather", *alder.barcodes, *alder.numbers]
    for address in ADDRESSES:
        if address.keyed() or address.name in OF_ONES_OWN:
            continue
        for url in alder.urls(address):
            for word in asked if "kind" not in address.carries else ["A1"]:
                answer = client.get(url, dict.fromkeys(QUESTIONS, word), follow=True)
                assert answer.status_code in (200, 404, 405, 422), f"{url}?q={word}: {answer.status_code}"
                assert_tells_nothing(answer, f"{url}?…={word}", but=word)


@pytest.mark.parametrize("stranger", ["BRK", "CED"])
def test_no_scan_of_a_stranger_reaches_over(worlds: dict[str, World], stranger: str) -> None:
    """Every barcode, number and key of Alder's, posted to every page without a key: nothing of Alder's changes.

    Brook has rows of the same numbers, which it may move; its partner Alder is then told, so only Alder's patrons,
    items, holds, loans and settings must stay as they are.
    """
    client = browser(make_staff(worlds[stranger].library, "admin"))
    alder = worlds["ALD"]
    told_by_partner = {"sharing.IllRequest", "outbox.Event", "outbox.Errand"} if stranger == "BRK" else set()
    typed = [*alder.barcodes, *alder.numbers]
    before = snapshot(alder.library)
    for address in ADDRESSES:
        if address.keyed() or address.name in OF_ONES_OWN or "kind" in address.carries:
            continue
        for url in alder.urls(address):
            for word in typed:
                answer = client.post(url, FIELDS | dict.fromkeys(QUESTIONS, word), follow=True)
                assert answer.status_code in (200, 404, 405, 422), f"{url} {word}: {answer.status_code}"
                assert_tells_nothing(answer, f"{url} with {word}", but=alder.barcodes[0])  # rows stay on the page
    after = snapshot(alder.library)
    changed = {table for table in before if before[table] != after[table]}
    assert not changed - told_by_partner


def test_the_lender_never_reads_for_whom_it_lends(worlds: dict[str, World]) -> None:
    """Brook's own pages about Alder's request: the number and the library are there, the patron is not (L4)."""
    brook = worlds["BRK"]
    client = browser(make_staff(brook.library, "admin"))
    own = text_of(client.get(reverse("ill_request", args=[brook.keys["lent"]])))
    assert "ALD-" in own
    assert "Alder University" in own
    for address in KEYED:
        if address.name in OF_PATRONS:
            continue
        for url in brook.urls(address):
            assert_tells_nothing(client.get(url, ASKED), url)


def test_what_stands_nowhere_is_answered_alike(worlds: dict[str, World]) -> None:
    """A key that nobody has gives the same answer as a stranger's: nobody learns that something exists."""
    client = browser(make_staff(worlds["CED"].library, "admin"))
    for key in (worlds["ALD"].keys["patron"], 2**62, 10**30):
        url = reverse("patron", args=[key])
        answer = client.get(url)
        assert answer.status_code == 404
        assert str(key) not in answer.content.decode()


# --- those who only look ----------------------------------------------------------------------------------------------


def test_read_only_staff_change_nothing(worlds: dict[str, World]) -> None:
    """Every POST of somebody who may only look is refused: 403 with the sentence that says who may."""
    alder = worlds["ALD"]
    client = browser(make_staff(alder.library, "viewer"))
    before = snapshot(alder.library)
    for address in OF_STAFF:
        for url in alder.urls(address):
            answer = client.post(url, FIELDS)
            reads_only = answer.status_code in (200, 302) and address.name in READS
            assert answer.status_code in (403, 405) or reads_only, f"{url}: {answer.status_code}"
            row = client.post(url, FIELDS, headers={"HX-Request": "true"})
            assert row.status_code in (405, 422) or reads_only, f"{url} by htmx: {row.status_code}"
    assert snapshot(alder.library) == before


#: pages without anything to change, which answer a POST as they answer a GET
READS = {
    "home", "find", "health", "assist_patrons", "discover_items", "item", "patron", "pull_list", "hold_shelf",
    "in_transit", "temporary_items", "slips", "slip_hold", "slip_route", "slip_item", "slip_return", "slip_bookband",
    "needs_attention", "borrowing", "lending", "ill_request", "notices", "notice", "mail_drawer",
    "exchanges", "exchange", "exchange_download",
}  # fmt: skip


def test_read_only_staff_still_see_everything_but_settings(worlds: dict[str, World]) -> None:
    client = browser(make_staff(worlds["ALD"].library, "viewer"))
    for address in OF_STAFF:
        for url in worlds["ALD"].urls(address):
            answer = client.get(url, ASKED)
            expected = (403, 405) if address.name.startswith("settings") else (200, 302, 405)
            assert answer.status_code in expected, f"{url}: {answer.status_code}"


# --- nobody, and patrons ----------------------------------------------------------------------------------------------


def assert_sent_away(answer: HttpResponse, url: str, door: str) -> None:
    if answer.status_code != 405:  # a page that only takes POST says so before it asks who is there
        assert answer.status_code == 302, f"{url}: {answer.status_code}"
        assert answer["Location"].split("?")[0] == door, f"{url} sends to {answer['Location']}"
    assert_tells_nothing(answer, url)


def test_nobody_is_sent_to_sign_in(worlds: dict[str, World]) -> None:
    alder, client = worlds["ALD"], Client()
    before = snapshot(alder.library)
    for address in ADDRESSES:
        if address.name in OPEN:
            continue
        door = reverse("my_sign_in") if address.name in OF_PATRONS else reverse("sign_in")
        for url in alder.urls(address):
            assert_sent_away(client.get(url), url, door)
            assert_sent_away(client.post(url, FIELDS), url, door)
    assert snapshot(alder.library) == before


def test_the_doors_of_programs_tell_nobody_anything(worlds: dict[str, World]) -> None:
    alder = worlds["ALD"]
    before = snapshot(alder.library)
    for client in (Client(), browser(make_staff(worlds["CED"].library, "admin"))):
        for route, entry in walk():
            if not is_page(entry):
                url = "/" + route.replace("<str:library>", alder.library.symbol)
                assert "<" not in url, f"{route} carries keys: walk it like a page"
                for answer in (client.get(url), client.post(url, FIELDS)):
                    assert answer.status_code < 500, url
                    assert_tells_nothing(answer, url)
    assert snapshot(alder.library) == before


def test_open_pages_tell_nothing(worlds: dict[str, World]) -> None:
    for name, kwargs in OPEN.items():
        answer = Client().get(reverse(name, kwargs=kwargs))
        assert answer.status_code == 200
        assert_tells_nothing(answer, name)


def patron_browser(patron: Patron) -> Client:
    client = Client()
    session = client.session
    session[PATRON_KEY] = patron.pk
    session.save()
    return client


def test_a_patron_is_nobody_at_the_staff_pages(worlds: dict[str, World]) -> None:
    alder = worlds["ALD"]
    client = patron_browser(make_patron(alder.library, surname="Devi"))
    for address in OF_STAFF:
        for url in alder.urls(address):
            assert_sent_away(client.get(url), url, reverse("sign_in"))
            assert_sent_away(client.post(url, FIELDS), url, reverse("sign_in"))


@pytest.mark.parametrize("of", ["ALD", "CED"])
def test_a_patron_reaches_nothing_of_another_patron(worlds: dict[str, World], of: str) -> None:
    """A patron of the same library, and one of another."""
    alder = worlds["ALD"]
    client = patron_browser(make_patron(worlds[of].library, surname="Devi"))
    before = snapshot(alder.library)
    assert_tells_nothing(client.get(reverse("my")), "my")
    for address in KEYED:
        if address.name in OF_PATRONS:
            for url in alder.urls(address):
                answer = client.post(url)
                assert answer.status_code == 404, url
                assert_tells_nothing(answer, url)
    assert snapshot(alder.library) == before


def test_staff_are_nobody_at_the_patrons_pages(worlds: dict[str, World]) -> None:
    alder = worlds["ALD"]
    client = browser(make_staff(alder.library, "admin"))
    before = snapshot(alder.library)
    for address in ADDRESSES:
        if address.name in OF_PATRONS - set(OPEN):
            for url in alder.urls(address):
                assert_sent_away(client.get(url), url, reverse("my_sign_in"))
                assert_sent_away(client.post(url), url, reverse("my_sign_in"))
    assert snapshot(alder.library) == before
