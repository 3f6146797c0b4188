"""What tests of pages share: a signed-in client, a clock that stands still, a borrowed book, reading an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from lxml import html

from interlend.circulation.models import Hold, Item, Patron
from interlend.libraries.models import Branch, Library, StaffMember
from interlend.sharing import services as sharing
from interlend.sharing.models import IllRequest
from tests.make import NOW, branch, make_consortium, make_desk, make_ill, make_item, make_patron


class Clock:
    """The time that pages see; it stands still until a test moves it."""

    now = NOW

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Pages and `tests/make.py` agree that it is `NOW`, a Monday, 09:12 in UTC."""
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """`client_of(staff, at="ILL")`: a client signed in as this person, standing at that branch."""

    def sign_in(staff: StaffMember, at: str = "MAIN") -> Client:
        client = Client()
        client.force_login(staff)
        here: Branch = branch(staff.library, at)
        session = client.session
        session["branch"] = here.pk
        session.save()
        return client

    return sign_in


@pytest.fixture
def words_of() -> Callable[..., str]:
    """`words_of(response, of="//main")`: the words of an answer as they are read; `of` (an XPath) for a part of it."""

    def read(response: HttpResponse, of: str = "") -> str:
        tree = html.fromstring(response.content.decode())
        for unread in tree.xpath("//script|//template|//style|//head"):
            unread.getparent().remove(unread)
        parts = tree.xpath(of) if of else [tree]
        words = [" ".join(part.itertext()) if hasattr(part, "itertext") else str(part) for part in parts]
        return " ".join(" ".join(words).split())

    return read


@dataclass
class Borrowed:
    """A book of Brook that is here for a patron of Alder: the request is received, the item and its hold are made."""

    alder: Library
    brook: Library
    patron: Patron
    ill: IllRequest
    barcode: str
    due: date

    @property
    def item(self) -> Item:
        return Item.objects.get(library=self.alder, barcode=self.barcode)

    @property
    def hold(self) -> Hold:
        return Hold.objects.get(library=self.alder, request=self.ill.number)

    @property
    def lent(self) -> IllRequest:
        """Brook's side of it."""
        return IllRequest.objects.get(library=self.brook, number=self.ill.number)


@pytest.fixture
def shipped(db: None, clock: Clock, telling: Callable[[], Any]) -> Borrowed:
    """B1 is about to happen: Brook has shipped the book, Alder has not received it."""
    alder, brook = make_consortium()
    patron = make_patron(alder, "P1")
    make_item(brook, "30007007467409")
    due = (clock.now + timedelta(days=14)).date()
    with telling():
        ill = make_ill(alder, patron)
    with telling():
        lent = IllRequest.objects.get(library=brook)
        sharing.ship(make_desk(brook), lent.pk, ["30007007467409"], clock.now, due=due)
    return Borrowed(alder, brook, patron, ill, "30007007467409", due)


@pytest.fixture
def borrowed(shipped: Borrowed, clock: Clock, telling: Callable[[], Any]) -> Borrowed:
    """B1 has happened."""
    with telling():
        sharing.receive(make_desk(shipped.alder, "ILL"), shipped.ill.pk, clock.now)
    return shipped
