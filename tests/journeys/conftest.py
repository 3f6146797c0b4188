"""A journey: two libraries, their people at their desks, and one book on its way, all through the pages.

Every stage (`ship`, `receive`, `ready` …) is done as a person does it, by posting a form; each test then looks
at what its step of the workflow promises.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from lxml import html

from interlend.circulation.models import Item
from interlend.libraries.models import Library, StaffMember
from interlend.notices.services import send_due
from interlend.sharing.models import IllRequest
from tests.make import NOW, branch, make_consortium, make_item, make_patron, make_staff

BOOK = "30007007467409"
TITLE = "Friendly fire"


def text_of(response: HttpResponse) -> str:
    """The words of a page as they are read, without its frame."""
    tree = html.fromstring(response.content.decode() or "<p></p>")
    main = tree.xpath("//main")
    for unread in tree.xpath("//script|//style|//template"):
        unread.getparent().remove(unread)
    return " ".join((main[0] if main else tree).text_content().split())


class Person:
    """Somebody with a browser."""

    def __init__(self, journey: Journey, client: Client) -> None:
        self.journey, self.client = journey, client

    def see(self, name: str, *args: Any, **query: str) -> str:
        response = self.client.get(reverse(name, args=args), query, follow=True)
        assert response.status_code == 200, f"{name}: {response.status_code}"
        return text_of(response)

    def do(self, name: str, *args: Any, expect: int = 200, **fields: Any) -> str:
        """Post a form and follow where it leads; what is told after the commit is told."""
        with self.journey.telling():
            response = self.client.post(reverse(name, args=args), fields)
        if response.status_code in (302, 303):
            response = self.client.get(response["Location"])
        assert response.status_code == expect, f"{name}: {response.status_code} {text_of(response)[:300]}"
        return text_of(response)

    def scan(self, name: str, barcode: str, *args: Any, expect: int = 200, **fields: Any) -> str:
        """A scan as the page's own script posts it: the answer is one row."""
        with self.journey.telling():
            response = self.client.post(
                reverse(name, args=args), {"barcode": barcode} | fields, headers={"HX-Request": "true"}
            )
        assert response.status_code == expect, f"{name}: {response.status_code} {text_of(response)[:300]}"
        return text_of(response)


class Journey:
    """Alder's patron P1 wants Brook's book."""

    def __init__(self, telling: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.telling = telling
        self.now = NOW
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)
        self.alder, self.brook = make_consortium()
        self.patron = make_patron(self.alder, "P1")
        self.book = make_item(self.brook, BOOK, TITLE, call_number="M1366 .R67")
        self.ill = self.staff(self.alder, "ill", at="ILL")
        self.desk = self.staff(self.alder, "ill", "desk", at="MAIN")
        self.lender = self.staff(self.brook, "ill", "desk", at="MAIN")
        self.admin = self.staff(self.alder, "admin", at="MAIN")
        self.me = Person(self, Client())
        self.me.do("my_sign_in", library="ALD", barcode="P1", pin="1234")

    def staff(self, library: Library, *roles: str, at: str) -> Person:
        member: StaffMember = make_staff(library, *roles)
        client = Client()
        client.force_login(member)
        session = client.session
        session["branch"] = branch(library, at).pk
        session.save()
        return Person(self, client)

    def wait(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def work(self) -> None:
        """What the worker does when its hour has come."""
        send_due(self.now)

    # --- the stages, each as a person does it ---------------------------------------------------------------------

    def ask(self, **wish: str) -> Journey:
        given = {"patron": "P1", "title": TITLE, "author": "Kurt Rosenwinkel", "service": "loan", "pickup": "MAIN"}
        self.ill.do("new_request", **(given | {"lender": "BRK"} | wish))
        return self

    def ship(self, due: date | None = date(2027, 5, 3)) -> Journey:
        fields = {"due": due.isoformat()} if due else {}
        self.lender.do("ill_action", self.theirs.pk, trigger="staff.ship", barcode=BOOK, **fields)
        return self

    def receive(self) -> Journey:
        self.ill.scan("receive", self.ours.number)
        return self

    def ready(self) -> Journey:
        self.ill.scan("check_in", BOOK)
        self.desk.scan("check_in", BOOK)
        return self

    def check_out(self) -> Journey:
        self.desk.scan("patron_check_out", BOOK, self.patron.pk)
        return self

    def back_at_the_desk(self) -> Journey:
        self.desk.scan("check_in", BOOK)
        return self

    def mark_returned(self) -> Journey:
        self.ill.scan("return_loans", self.ours.number)
        return self

    def complete(self) -> Journey:
        self.lender.scan("complete", self.theirs.number)
        return self

    # --- what there is --------------------------------------------------------------------------------------------

    @property
    def ours(self) -> IllRequest:
        return IllRequest.objects.get(library=self.alder)

    @property
    def theirs(self) -> IllRequest:
        return IllRequest.objects.get(library=self.brook)

    @property
    def item(self) -> Item:
        """The temporary item at Alder."""
        return Item.objects.get(library=self.alder, temporary=True)

    @property
    def lent(self) -> Item:
        """Brook's own copy."""
        return Item.objects.get(pk=self.book.pk)


@pytest.fixture
def journey(db: None, telling: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Journey:
    return Journey(telling, monkeypatch)
