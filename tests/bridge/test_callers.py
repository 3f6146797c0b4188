"""Who is let in: by name, secret, token, address; to which library; and that nothing is done for anybody else."""

from __future__ import annotations

import base64
import logging
from dataclasses import replace

import pytest

from interlend import ncip
from interlend.bridge import callers
from interlend.bridge.models import Exchange, NcipCaller
from interlend.circulation.models import Item
from interlend.libraries.models import Library
from tests.bridge.ncip import ask, header, make_caller, post, problem
from tests.make import make_branch, make_library, make_patron

pytestmark = pytest.mark.django_db


@pytest.fixture
def alder() -> Library:
    library = make_library()
    make_patron(library, "P1")
    return library


def accept(head: ncip.Header | None) -> ncip.AcceptItem:
    about = ncip.BibliographicDescription(title="War and peace")
    return ncip.AcceptItem(
        header=head, request_id=ncip.RequestId("R-1"), requested_action_type=ncip.Code("Hold For Pickup"),
        user_id=ncip.UserId("P1"), item_id=ncip.ItemId("T-1"),
        item_optional_fields=ncip.ItemOptionalFields(bibliographic_description=about),
    )  # fmt: skip


def refused(answer: ncip.Response) -> str:
    """The problem, after seeing that nothing was done and that the answer is the service's own."""
    assert isinstance(answer, ncip.AcceptItemResponse)
    assert not Item.objects.exists()
    return problem(answer)


def test_strangers_are_named_and_logged(alder: Library, caplog: pytest.LogCaptureFixture) -> None:
    make_caller(alder, from_systems=["Relais D2D"])
    with caplog.at_level(logging.WARNING):
        assert refused(ask(accept(header(alder, "SOMEBODY")))) == "Unknown Agency"
    assert "SOMEBODY" in caplog.text
    wrong = header(alder, from_system=ncip.Code("WSILL"))
    assert refused(ask(accept(wrong))) == "Unknown System"
    kept = Exchange.objects.order_by("id")
    assert [(row.outcome, row.peer) for row in kept] == [
        ("Unknown Agency", "SOMEBODY"), ("Unknown System", "WSILL / RELAIS"),
    ]  # fmt: skip


def test_nobody_is_configured(alder: Library) -> None:
    assert refused(ask(accept(header(alder)))) == "Unknown Agency"


def test_without_a_header_the_default_is_meant_if_it_asks_for_no_name(alder: Library) -> None:
    caller = make_caller(alder)
    assert refused(ask(accept(None))) == "Needed Data Missing"
    caller.from_agencies = []
    caller.save()
    assert not ask(accept(None)).problems


@pytest.mark.parametrize("inactive", [True, False])
def test_only_active_callers_count(alder: Library, inactive: bool) -> None:
    make_caller(alder, active=not inactive)
    assert (problem(ask(accept(header(alder)))) == "Unknown Agency") is inactive


def test_the_secret_in_the_header(alder: Library) -> None:
    caller = make_caller(alder, secret=callers.keyed("open sesame"))
    assert "sesame" not in caller.secret
    for secret in (None, "sesame"):
        wrong = header(alder, from_agency_authentication=secret)
        assert refused(ask(accept(wrong))) == "Agency Authentication Failed"
    assert not ask(accept(header(alder, from_agency_authentication="open sesame"))).problems
    assert not Exchange.objects.filter(message__contains="sesame").exists()


def test_a_system_that_fails_is_called_a_system(alder: Library) -> None:
    make_caller(
        alder, from_agencies=[], from_systems=["Relais D2D"], secret=callers.keyed("s"), services=["LookupUser"]
    )
    system = header(alder, from_system=ncip.Code("relais d2d"))
    assert refused(ask(accept(system))) == "System Authentication Failed"
    proved = replace(system, from_system_authentication="s")
    assert refused(ask(accept(proved))) == "Unauthorized Service For System"


def test_bearer_tokens_and_passwords(alder: Library) -> None:
    caller = make_caller(alder, bearer_token=callers.keyed("t0ken"))
    message = accept(header(alder))
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dDBrZW4="}):
        assert refused(ask(message, headers=headers)) == "Agency Authentication Failed"
    assert not ask(message, headers={"authorization": "bearer t0ken"}).problems
    Item.objects.all().delete()
    caller.bearer_token, caller.http_user, caller.http_password = "", "relais", callers.keyed("pass:word")
    caller.save()
    for word, good in (("relais:pass:word", True), ("other:pass:word", False), ("relais:", False)):
        given = "Basic " + base64.b64encode(word.encode()).decode()
        assert (not ask(message, headers={"Authorization": given}).problems) is good
    assert refused_or_done(ask(message, headers={"Authorization": "Basic !!!"})) == "Agency Authentication Failed"
    kept = Exchange.objects.exclude(headers={}).values_list("headers", flat=True)
    assert kept
    assert all(value == "***" for headers in kept for value in headers.values())


def refused_or_done(answer: ncip.Response) -> str:
    return problem(answer)


@pytest.mark.parametrize(
    ("address", "good"),
    [("192.0.2.77", True), ("::ffff:192.0.2.9", True), ("2001:db8::1", True), ("198.51.100.1", False), ("", False)],
)
def test_addresses(alder: Library, address: str, good: bool) -> None:
    make_caller(alder, networks=["192.0.2.0/24", "2001:db8::/32", "nonsense"])
    answer = ask(accept(header(alder)), source_ip=address)
    assert problem(answer) == ("" if good else "Agency Authentication Failed")


def test_services_may_be_few(alder: Library) -> None:
    make_caller(alder, services=["LookupUser"])
    assert refused(ask(accept(header(alder)))) == "Unauthorized Service For Agency"
    found = ask(ncip.LookupUser(header=header(alder), user_id=ncip.UserId("P1")))
    assert not found.problems


@pytest.mark.parametrize("to", ["ALD", "ald", "Alder  University", "LEHI", "ANNEX", "nobody at all"])
def test_the_library_by_symbol_name_alias_branch_or_default(alder: Library, to: str) -> None:
    brook = make_library("BRK", "Brook Public Library")
    make_branch(brook, "RIVER", "Riverside")
    make_caller(alder, to_agencies=["LEHI"])
    make_caller(brook, "Another", from_agencies=["ANOTHER"], default=False)
    head = ncip.Header(from_agency=ncip.Code("RELAIS"), to_agency=ncip.Code(to))
    assert not ask(accept(head)).problems
    assert Item.objects.get().library == alder


def test_without_a_default_an_unknown_library_is_one(alder: Library) -> None:
    make_caller(alder, default=False)
    answer = ask(accept(ncip.Header(from_agency=ncip.Code("RELAIS"), to_agency=ncip.Code("NOBODY"))))
    assert refused(answer) == "Unknown Agency"
    assert answer.problems[0].value == "NOBODY"


def test_a_caller_of_one_library_is_a_stranger_at_the_next(alder: Library) -> None:
    brook = make_library("BRK", "Brook Public Library")
    make_caller(alder)
    make_caller(brook, "Another", from_agencies=["ANOTHER"], default=False)
    assert refused(ask(accept(header(brook)))) == "Unknown Agency"
    assert Exchange.objects.get().library == brook


def test_from_and_to_change_places_unless_the_caller_wants_them_kept(alder: Library) -> None:
    caller = make_caller(alder)
    swapped = ask(accept(header(alder)))
    caller.header_as_sent = True
    caller.save()
    kept = ask(accept(header(alder)))
    assert [(str(a.header.from_agency), str(a.header.to_agency)) for a in (swapped, kept)] == [  # type: ignore[union-attr]
        ("ALD", "RELAIS"), ("RELAIS", "ALD"),
    ]  # fmt: skip


def test_a_dialect_may_want_problems_bare(alder: Library) -> None:
    make_caller(alder, bare_problems=True)
    answer = ask(ncip.CheckInItem(header=header(alder), item_id=ncip.ItemId("nothing")))
    assert isinstance(answer, ncip.BareProblem)
    assert problem(answer) == "Unknown Item"


def test_unreadable_messages_are_answered_and_kept_without_secrets(alder: Library) -> None:
    make_caller(alder)
    answer = post(b"<NCIPMessage><LookupUser><AuthenticationInput><AuthenticationInputData>1234")
    assert problem(answer) == "Invalid Message Syntax Error"
    kept = Exchange.objects.get()
    assert (kept.outcome, kept.library) == ("unreadable", None)
    assert "1234" not in kept.message


def test_the_book_is_read_anew_when_a_row_is_saved(alder: Library) -> None:
    assert callers.book().callers == ()
    make_caller(alder)
    assert [caller.name for caller in callers.book().callers] == ["Relais"]
    NcipCaller.objects.get().delete()
    assert callers.book().callers == ()
