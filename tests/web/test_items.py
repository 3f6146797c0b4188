"""Discover Items, Item Details, the lists of the desk: B2-B5, B14, B16, B17, L4, L8, and whose things they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, Item, ShelvingLocation
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from interlend.sharing import services as sharing
from tests.make import branch, make_consortium, make_desk, make_item, make_library, make_patron, make_staff

pytestmark = pytest.mark.django_db

LISTS = ("pull_list", "hold_shelf", "in_transit", "temporary_items")


def details(client: Client, item: Item) -> HttpResponse:
    answer = client.get(reverse("item", args=[item.pk]))
    assert answer.status_code == 200
    return answer


# --- Discover Items ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "text"), [("any", "kurt friend"), ("title", "Friendly"), ("author", "rosenw"), ("any", "ald-10001")]
)
def test_a_temporary_item_is_found_in_its_scope(
    borrowed: Any, client_of: Any, words_of: Any, by: str, text: str
) -> None:
    """B2."""
    client = client_of(make_staff(borrowed.alder, "desk"))
    found = client.get(reverse("discover_items"), {"scope": "temporary", "by": by, "q": text})
    assert "Friendly fire" in words_of(found, "//table")
    assert reverse("item", args=[borrowed.item.pk]) in found.content.decode()
    elsewhere = client.get(reverse("discover_items"), {"scope": "mine", "by": by, "q": text})
    assert "Nothing found" in words_of(elsewhere)


def test_a_scanned_barcode_opens_its_item(client_of: Any, clock: Any) -> None:
    alder = make_library()
    item = make_item(alder, "I1")
    answer = client_of(make_staff(alder, "desk")).get(reverse("discover_items"), {"q": "I1"})
    assert answer.headers["Location"] == reverse("item", args=[item.pk])


@pytest.mark.parametrize("text", ["", "\x00", "%", "a" * 5000, "'; drop", "日本"])
def test_whatever_is_typed_is_answered(client_of: Any, words_of: Any, clock: Any, text: str) -> None:
    alder = make_library()
    make_item(alder)
    given = {"q": text, "scope": "no such", "by": "no such"}
    answer = client_of(make_staff(alder, "viewer")).get(reverse("discover_items"), given)
    assert answer.status_code == 200
    assert "Nothing found" in words_of(answer) or "What do you look for?" in words_of(answer)


# --- Item Details -----------------------------------------------------------------------------------------------


def test_a_temporary_item_shows_hold_request_lender_and_places(borrowed: Any, client_of: Any, words_of: Any) -> None:
    """B3, B4, B5."""
    answer = details(client_of(make_staff(borrowed.alder, "desk")), borrowed.item)
    assert "Okafor, M." in words_of(answer, "//*[@id='holds']")
    band = words_of(answer, "//*[contains(@class, 'band')]")
    assert f"ILL request {borrowed.ill.number} , from Brook Public Library" in band
    assert "lender's due date Mon 3 May" in band
    assert reverse("ill_request", args=[borrowed.ill.pk]) in answer.content.decode()
    said = words_of(answer)
    assert "Holding location ILL Office" in said
    assert "Shelving location Interlibrary loan" in said
    assert f"Temporary item made for request {borrowed.ill.number}, from Brook Public Library" in said


def test_our_item_shows_the_request_while_it_is_lent(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any, telling: Callable[[], Any]
) -> None:
    """L4, L8."""
    client, item = client_of(make_staff(borrowed.brook, "desk")), Item.objects.get(library=borrowed.brook)
    lent = details(client, item)
    assert f"ILL request {borrowed.ill.number} , lent to Alder University" in words_of(lent)
    assert reverse("ill_request", args=[borrowed.lent.pk]) in lent.content.decode()
    assert "On loan to Alder University since today 09:12, due Mon 3 May" in words_of(lent)
    with telling():
        sharing.complete(make_desk(borrowed.brook), borrowed.lent.pk, clock.now)
    assert "ILL request" not in words_of(details(client, item), "//main")


def test_after_all_is_over_the_item_tells_the_story(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any, telling: Callable[[], Any]
) -> None:
    """B14, B15, B17."""
    circulation.check_out(make_desk(borrowed.alder), borrowed.patron.pk, borrowed.barcode, clock.now)
    clock.forward(days=2)
    with telling():
        sharing.return_(make_desk(borrowed.alder), borrowed.ill.pk, clock.now)
    answer = details(client_of(make_staff(borrowed.alder, "desk")), borrowed.item)
    said = words_of(answer)
    assert "Unavailable since today 09:12" in said
    assert "Last issued to Okafor, M. Mon 19 Apr 09:12 Issued once Policy used Standard" in said
    assert f"ILL request {borrowed.ill.number} , from Brook Public Library" in said
    assert "Checked in: the request was returned; now unavailable" in words_of(answer, "//*[@id='history']")


def test_an_overdue_loan_and_its_reasons(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    item = make_item(alder, "I1")
    circulation.check_out(make_desk(alder), make_patron(alder).pk, "I1", clock.now)
    clock.forward(days=29)
    said = words_of(details(client_of(make_staff(alder, "desk")), item))
    assert "Overdue to Okafor, M. since Mon 19 Apr 09:12, due Mon 17 May" in said
    assert "Due Mon 17 May the loan policy Standard" in said


def test_what_staff_may_do_is_what_the_table_allows(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    item = make_item(alder, "I1")
    client = client_of(make_staff(alder, "desk"))
    assert "Mark missing Delete" in words_of(details(client, item), "//main//*[@class='actions']")
    said = words_of(client.post(reverse("mark_missing", args=[item.pk]), follow=True))
    assert "“Friendly fire” is marked missing." in said
    client.post(reverse("delete_item", args=[item.pk]))
    assert "Deleted" in words_of(details(client, item))
    said = words_of(client.post(reverse("restore_item", args=[item.pk]), follow=True))
    assert "“Friendly fire” is restored and unavailable." in said


def test_what_the_table_forbids_is_refused_with_a_remedy(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    item = make_item(alder, "I1")
    circulation.check_out(make_desk(alder), make_patron(alder).pk, "I1", clock.now)
    client = client_of(make_staff(alder, "desk"))
    assert "Delete" not in words_of(details(client, item), "//main")
    said = words_of(client.post(reverse("delete_item", args=[item.pk]), follow=True))
    assert "“Friendly fire” cannot be deleted while it is on loan. Check it in at its home branch first." in said


def test_a_new_item(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    main, stacks = branch(alder).pk, ShelvingLocation.objects.get(library=alder, code="STACKS").pk
    given = {
        "barcode": " I1 ", "title": "Light of August", "material_format": "Book", "holding_location": main,
        "home_branch": main, "shelving_location": stacks,
    }  # fmt: skip
    client = client_of(make_staff(alder, "desk"))
    said = words_of(client.post(reverse("new_item"), given, follow=True))
    assert "“Light of August” is in the catalogue." in said
    assert Item.objects.get().barcode == "I1"
    again = client.post(reverse("new_item"), given)
    assert again.status_code == 422
    assert "The barcode I1 already belongs to “Light of August”." in words_of(again)
    foreign = branch(make_library("BRK", "Brook")).pk
    assert client.post(reverse("new_item"), given | {"barcode": "I2", "home_branch": foreign}).status_code == 422


def edited(item: Item, **changes: Any) -> dict[str, Any]:
    """What the form of an item's record sends, with these changes."""
    places = ("holding_location", "shelving_location", "home_branch")
    told = {name: getattr(item, f"{name}_id") for name in places} | {"material_format": item.material_format}
    title = {name: getattr(item.title, name) for name in ("title", "author", "publisher", "year", "edition", "isbn")}
    return told | title | {"call_number": item.call_number, "volume": item.volume, "note": item.note} | changes


def test_the_record_of_an_item_is_changed_and_its_history_tells_what(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    item = make_item(alder, "I1", call_number="PR1", record_id="r1")
    make_item(alder, "I2", record_id="r1")
    client, url = client_of(make_staff(alder, "desk")), reverse("edit_item", args=[item.pk])
    assert url in details(client, item).content.decode()
    form = words_of(client.get(url))
    assert "1 other copy has the same title" in form
    annex = branch(alder, "ANNEX").pk
    given = edited(item, title="Friendly fire, revised", call_number="PR2", home_branch=annex, barcode="OTHER")
    said = words_of(client.post(url, given, follow=True))
    assert "The record of “Friendly fire, revised” is saved." in said
    assert "Item record changed: title, call number, home branch" in said
    item.refresh_from_db()
    assert (item.barcode, item.call_number, item.home_branch_id, item.title.record_id) == ("I1", "PR2", annex, "r1")
    event = Event.objects.get(kind="circulation.item_edited")
    assert event.data["before"] == {
        "title": "Friendly fire", "call_number": "PR1", "home_branch_id": branch(alder).pk,
    }  # fmt: skip
    found = words_of(client.get(reverse("discover_items"), {"q": "revised", "by": "title"}), "//table")
    assert "I1" in found
    assert "I2" in found, "copies share their title"
    client.post(url, edited(item, title="Friendly fire, revised"))
    assert Event.objects.filter(kind="circulation.item_edited").count() == 1, "what stays is no change"
    wrong = client.post(url, edited(item, title=""))
    assert wrong.status_code == 422


def test_only_an_item_of_our_own_that_is_there_is_changed(borrowed: Any, client_of: Any, words_of: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    url = reverse("edit_item", args=[borrowed.item.pk])
    assert url not in details(client, borrowed.item).content.decode()
    said = words_of(client.post(url, edited(borrowed.item, title="Mine"), follow=True))
    assert (
        f"“Friendly fire” belongs to Brook Public Library; its record was made for request {borrowed.ill.number}"
        in said
    )
    gone = make_item(borrowed.alder, "I1")
    circulation.delete_item(make_desk(borrowed.alder), gone.pk, borrowed.item.made_at)
    said = words_of(client.get(reverse("edit_item", args=[gone.pk]), follow=True))
    assert "has been deleted. Circulation desk: restore it on its page if it is back." in said
    assert not Event.objects.filter(kind="circulation.item_edited").exists()


# --- lists ------------------------------------------------------------------------------------------------------


def test_the_hold_shelf_marks_what_has_waited_too_long(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any
) -> None:
    staff = make_staff(borrowed.alder, "desk")
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    shelf = words_of(client_of(staff).get(reverse("hold_shelf")), "//table")
    assert f"Okafor, M. Friendly fire 30007007467409 · {borrowed.ill.number} Mon 26 Apr" in shelf
    assert "Expired" not in shelf
    clock.forward(days=8)
    assert "Expired Mon 26 Apr" in words_of(client_of(staff).get(reverse("hold_shelf")), "//table")
    annex = client_of(staff, at="ANNEX")
    assert "The shelf is empty" in words_of(annex.get(reverse("hold_shelf")))
    assert "Okafor, M." in words_of(annex.get(reverse("hold_shelf"), {"branch": "all"}), "//table")


def test_in_transit_says_from_where_to_where_and_how_long(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any
) -> None:
    circulation.check_in(make_desk(borrowed.alder, "ANNEX"), borrowed.barcode, clock.now)
    clock.forward(days=2)
    said = words_of(client_of(make_staff(borrowed.alder, "desk")).get(reverse("in_transit")), "//table")
    assert "In transit Annex Main Library" in said
    assert "2 days" in said


def test_temporary_items_can_be_deleted_once_unavailable(
    borrowed: Any, client_of: Any, words_of: Any, clock: Any, telling: Callable[[], Any]
) -> None:
    """B16."""
    client = client_of(make_staff(borrowed.alder, "desk"))
    before = words_of(client.get(reverse("temporary_items")), "//table")
    assert f"{borrowed.ill.number} Received from Brook Public Library" in before
    assert "Delete" not in before
    with telling():
        sharing.return_(make_desk(borrowed.alder), borrowed.ill.pk, clock.now)
    assert "Delete the request is still open" in words_of(client.get(reverse("temporary_items")), "//table")
    with telling():
        sharing.complete(make_desk(borrowed.brook), borrowed.lent.pk, clock.now)
    listed = words_of(client.get(reverse("temporary_items")), "//table")
    assert "Delete" in listed
    assert "still open" not in listed
    gone = client.post(
        reverse("delete_item", args=[borrowed.item.pk]), {"next": reverse("temporary_items")}, follow=True
    )
    assert "No temporary items" in words_of(gone)


def test_the_pull_list_promises_each_copy_once(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    one, two, three = (make_patron(alder, f"P{n}") for n in range(3))
    item = make_item(alder, "I1", "A light in the attic", call_number="PS3569", record_id="r1")
    other = make_item(alder, "I2", "A light in the attic", record_id="r1")
    away = make_item(alder, "I3", "Light in August")
    desk, place = make_desk(alder), branch(alder, "ANNEX")
    circulation.check_out(desk, three.pk, "I3", clock.now)
    circulation.place_hold(desk, one, item.title, place, clock.now)
    circulation.place_hold(desk, two, item.title, place, clock.now + timedelta(minutes=1), item=item)
    circulation.place_hold(desk, one, away.title, place, clock.now)
    client = client_of(make_staff(alder, "desk"))
    said = words_of(client.get(reverse("pull_list")), "//table")
    assert said.count("Annex") == 2
    assert said.count("I1") == 1
    assert said.count("I2") == 1
    assert "Light in August" not in said
    circulation.check_out(desk, three.pk, "I2", clock.now)
    assert "No copy left" in words_of(client.get(reverse("pull_list")), "//table")
    circulation.edit_hold(
        desk, Hold.objects.get(patron=one, title=item.title).pk,
        circulation.HoldChange(place.pk, suspended_from=clock.now.date()), clock.now,
    )  # fmt: skip
    assert "No copy left" not in words_of(client.get(reverse("pull_list")), "//table")
    assert other.pk


@pytest.mark.parametrize("name", LISTS)
def test_empty_lists_say_what_will_stand_here(client_of: Any, words_of: Any, clock: Any, name: str) -> None:
    client = client_of(make_staff(make_library(), "viewer"))
    assert "will stand here" in words_of(client.get(reverse(name))) or "appears here" in words_of(
        client.get(reverse(name))
    )
    assert client.get(reverse(name), {"page": "nonsense", "branch": "9" * 30}).status_code == 200


def test_lists_are_leafed_by_fifty_at_a_fixed_cost(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    client, desk = client_of(make_staff(alder, "desk")), make_desk(alder)

    def more(count: int) -> None:
        for _ in range(count):
            item = make_item(alder)
            circulation.place_hold(desk, make_patron(alder), item.title, branch(alder, "ANNEX"), clock.now)
            circulation.check_in(desk, item.barcode, clock.now)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse("in_transit")).status_code == 200
        return len(asked)

    more(2)
    few = cost()
    more(50)
    assert cost() == few
    assert "1 to 50 of 52" in words_of(client.get(reverse("in_transit")))
    assert "51 to 52 of 52" in words_of(client.get(reverse("in_transit"), {"page": 2}))


# --- whose things, whose right ----------------------------------------------------------------------------------


def test_another_librarys_items_do_not_exist_here(client_of: Any, words_of: Any, clock: Any) -> None:
    alder, brook = make_consortium()
    theirs = make_item(brook, "ONLY-BROOK", "A light in the attic")
    client = client_of(make_staff(alder, "admin"))
    assert client.get(reverse("item", args=[theirs.pk])).status_code == 404
    for name in ("delete_item", "restore_item", "mark_missing", "edit_item"):
        assert client.post(reverse(name, args=[theirs.pk])).status_code == 404
    place = branch(brook).pk
    mine = make_item(alder, "I9")
    answer = client.post(reverse("edit_item", args=[mine.pk]), edited(mine, home_branch=place))
    assert answer.status_code == 422, "another library's branch is no choice"
    for text in ("ONLY-BROOK", "light"):
        assert "Nothing found" in words_of(client.get(reverse("discover_items"), {"q": text}))
    assert "No temporary items" in words_of(client.get(reverse("temporary_items")))


def test_who_may_only_look_deletes_nothing(client_of: Any, words_of: Any, clock: Any) -> None:
    alder: Library = make_library()
    item = make_item(alder, "I1")
    client = client_of(make_staff(alder, "viewer"))
    assert "Delete" not in words_of(details(client, item), "//main")
    assert client.post(reverse("delete_item", args=[item.pk]), headers={"HX-Request": "true"}).status_code == 422
    assert reverse("edit_item", args=[item.pk]) not in details(client, item).content.decode()
    assert client.post(reverse("edit_item", args=[item.pk]), edited(item, note="x")).status_code == 403
    item.refresh_from_db()
    assert item.state == "available"


def test_changes_are_not_made_by_links(client_of: Any, clock: Any) -> None:
    alder = make_library()
    item = make_item(alder, "I1")
    client = client_of(make_staff(alder, "desk"))
    for name in ("delete_item", "restore_item", "mark_missing"):
        assert client.get(reverse(name, args=[item.pk])).status_code == 405


def test_the_way_back_never_leads_away(client_of: Any, clock: Any) -> None:
    alder = make_library()
    item = make_item(alder, "I1")
    client = client_of(make_staff(alder, "desk"))
    answer = client.post(reverse("mark_missing", args=[item.pk]), {"next": "//elsewhere.example/"})
    assert answer.headers["Location"] == reverse("item", args=[item.pk])
