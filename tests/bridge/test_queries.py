"""What a message costs the database: a fixed number of statements, however much data there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from interlend import ncip
from interlend.bridge import callers
from interlend.circulation import choices
from interlend.circulation import services as circulation
from interlend.libraries.models import Library
from tests.bridge.ncip import V2, header, make_caller
from tests.make import NOW, make_account, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db

#: statements a message, with those that begin and end its transactions; the kept exchange is one of them
MOST = {"LookupUser": 2, "AcceptItem": 12, "CheckOutItem": 12, "CheckInItem": 11, "LookupItem": 4, "LookupUser all": 6}


def cost(message: ncip.Initiation) -> int:
    from interlend.bridge.ncip_responder.door import respond

    body = ncip.encode(message, V2)
    callers.book()
    library = Library.objects.get(symbol="ALD").pk
    choices.policies(library)
    choices.branches(library)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        answer = respond(body, now=NOW)
    assert not ncip.decode(answer.body).problems, answer.body  # type: ignore[attr-defined]
    return len(seen)


def messages(library: Library, number: int) -> dict[str, ncip.Initiation]:
    about = ncip.BibliographicDescription(title=f"Title {number}")
    types = (ncip.Code("Name Information"), ncip.Code("User Privilege"))
    head = header(library)
    return {
        "LookupUser": ncip.LookupUser(header=head, user_id=ncip.UserId("P1"), user_element_types=types),
        "AcceptItem": ncip.AcceptItem(
            header=head, request_id=ncip.RequestId(f"R-{number}"), requested_action_type=ncip.Code("Hold For Pickup"),
            user_id=ncip.UserId("P1"), item_id=ncip.ItemId(f"R-{number}"), pickup_location=ncip.Code("MAIN"),
            item_optional_fields=ncip.ItemOptionalFields(bibliographic_description=about),
        ),
        "LookupUser all": ncip.LookupUser(
            header=head, user_id=ncip.UserId("P1"), loaned_items_desired=True, requested_items_desired=True,
            user_fiscal_account_desired=True,
        ),
        "CheckOutItem": ncip.CheckOutItem(
            header=head, user_id=ncip.UserId("INST-BRK"), item_id=ncip.ItemId(f"A{number}"),
            request_id=ncip.RequestId(f"B-{number}"),
        ),
        "LookupItem": ncip.LookupItem(header=head, item_id=ncip.ItemId(f"A{number}")),
        "CheckInItem": ncip.CheckInItem(header=head, item_id=ncip.ItemId(f"A{number}")),
    }  # fmt: skip


@pytest.fixture
def alder() -> Library:
    library = make_library()
    make_account(library, make_library("BRK", "Brook Public Library"))
    make_caller(library)
    make_patron(library, "P1")
    for number in range(1, 30):
        make_item(library, f"A{number}", f"Title {number}")
    return library


def test_statements_a_message(alder: Library) -> None:
    first = {name: cost(message) for name, message in messages(alder, 1).items()}
    assert {name: count for name, count in first.items() if count > MOST[name]} == {}
    fill(alder)
    assert {name: cost(message) for name, message in messages(alder, 2).items()} == first


def fill(library: Library) -> None:
    """Much more of everything that a message might touch."""
    desk, patron = make_desk(library), library.patrons.get(barcode="P1")
    place: Callable[..., Any] = circulation.accept_temporary_item
    for number in range(100, 115):
        place(desk, circulation.AcceptRequest(f"R-{number}", "P1", f"R-{number}", f"Title {number}"), NOW)
    for number in range(10, 25):
        circulation.check_out(desk, patron.pk, f"A{number}", NOW)
        circulation.charge(desk, patron, circulation.Charge("Fee", "Assess", 100, "EUR", request=f"R-{number}"), NOW)
