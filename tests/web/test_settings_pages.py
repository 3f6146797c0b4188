"""The settings pages: each kind of row is listed, made, changed, deleted; what is wrong is said in a sentence."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from interlend.circulation import services as circulation
from interlend.circulation.models import (
    CollectionTypePolicy,
    HoldPolicy,
    IllSettings,
    Item,
    LoanPolicy,
    LoanPolicyMap,
    PatronType,
    ShelvingLocation,
)
from interlend.libraries.models import Branch, Closure, Library, OpenHours, StaffMember
from interlend.web.settings import saving
from interlend.web.settings.entries import GROUPS, KINDS
from tests.make import branch, make_consortium, make_desk, make_ill, make_item, make_library, make_patron, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def library() -> Library:
    return make_library()


@pytest.fixture
def admin(client: Client, library: Library) -> Client:
    """A browser in which an administrator of `library` stands at its main branch."""
    return stand(client, make_staff(library, "admin", sign_in="ann.admin"))


def stand(client: Client, member: StaffMember) -> Client:
    client.force_login(member)
    session = client.session
    session["branch"] = branch(member.library).pk
    session.save()
    return client


def url(kind: str, row: Any = None, verb: str = "edit") -> str:
    if row is None:
        return reverse("settings_new" if verb == "new" else "settings_list", args=[kind])
    return reverse(f"settings_{verb}", args=[kind, row.pk])


def post(client: Client, to: str, **fields: Any) -> str:
    """The page after a form was sent, redirects followed."""
    answer = client.post(to, fields, follow=True)
    assert answer.status_code in (200, 422), answer.status_code
    return answer.content.decode()


# --- the index and the lists --------------------------------------------------------------------------------------


def test_the_index_explains_every_kind(admin: Client) -> None:
    text = admin.get(reverse("settings")).content.decode()
    assert {slug for _, slugs in GROUPS for slug in slugs} == set(KINDS)
    for kind in KINDS.values():
        assert url(kind.slug) in text
        assert str(kind.explains).replace("'", "&#x27;") in text


@pytest.mark.parametrize("slug", list(KINDS))
def test_every_list_and_every_empty_form_opens(admin: Client, slug: str) -> None:
    assert admin.get(url(slug)).status_code == 200
    new = admin.get(url(slug, verb="new"))
    assert new.status_code == (404 if KINDS[slug].single else 200)


def test_a_kind_that_is_not_there_is_not_found(admin: Client) -> None:
    assert admin.get("/settings/passwords").status_code == 404
    assert admin.get("/settings/branches/999999999999999999999999999999").status_code == 404


@pytest.mark.parametrize("role", ["desk", "ill", "viewer"])
def test_only_administrators_come_in(client: Client, library: Library, role: str) -> None:
    stand(client, make_staff(library, role))
    for to in (reverse("settings"), url("staff"), url("branches", branch(library))):
        answer = client.get(to)
        assert answer.status_code == 403
        assert "Only administrators" in answer.content.decode()


def add_some_of_everything(library: Library, numbers: range) -> None:
    for number in numbers:
        place = Branch.objects.create(library=library, code=f"B{number}", name=f"Branch {number}")
        patron_type = PatronType.objects.create(library=library, code=f"T{number}", name=f"Type {number}")
        ShelvingLocation.objects.create(library=library, code=f"S{number}", name=f"Shelf {number}")
        policy = LoanPolicy.objects.create(library=library, name=f"Policy {number}")
        match = {"patron_type": patron_type, "holding_location": place}
        LoanPolicyMap.objects.create(library=library, position=number, policy=policy, **match)
        CollectionTypePolicy.objects.create(library=library, name=f"C{number}", holding_location=place)
        OpenHours.objects.create(library=library, branch=place, weekday=1, opens=time(9), closes=time(17))
        Closure.objects.create(library=library, branch=place, first_day=date(2027, 1, 1), last_day=date(2027, 1, 1))
        StaffMember.objects.create_user(f"s{number}", library, None, name=f"S {number}", branch=place, roles=["desk"])


@pytest.mark.parametrize("slug", list(KINDS))
def test_a_list_takes_the_same_number_of_queries_however_long_it_is(admin: Client, library: Library, slug: str) -> None:
    taken = []
    for numbers in (range(1), range(1, 8)):
        add_some_of_everything(library, numbers)
        with CaptureQueriesContext(connection) as queries:
            admin.get(url(slug))
        taken.append(len(queries))
    assert taken[0] == taken[1]


# --- making, changing, deleting -----------------------------------------------------------------------------------

NEW_ROWS: dict[str, dict[str, Any]] = {
    "branches": {"code": "WEST", "name": "West Branch", "pickup": "active"},
    "open-hours": {"branch": "", "weekdays": ["0", "1"], "opens": "09:00", "closes": "17:30"},
    "closures": {"branch": "", "first_day": "2027-12-24", "last_day": "2027-12-26", "why": "Christmas"},
    "staff": {
        "name": "Lea Novak", "sign_in": "lea.novak", "password": "a-long-pass-word", "roles": ["desk", "ill"],
        "branch": "", "email": "", "is_active": "on",
    },
    "patron-types": {"code": "STAFF", "name": "Staff", "item_limit": ""},
    "shelving-locations": {"code": "RESERVE", "name": "Reserve"},
    "loan-policies": {
        "name": "Short", "circulates": "always", "period": "3", "unit": "days", "renewals": "0",
    },
    "collection-types": {
        "name": "Reserve", "holding_location": "", "shelving_location": "STACKS", "available": "no",
        "fulfills_holds": "on",
    },
}  # fmt: skip


def filled(library: Library, slug: str) -> dict[str, Any]:
    fields = dict(NEW_ROWS[slug])
    if "shelving_location" in fields:
        fields["shelving_location"] = ShelvingLocation.objects.get(library=library, code="STACKS").pk
    return fields


@pytest.mark.parametrize("slug", list(NEW_ROWS))
def test_a_row_is_made_changed_and_deleted(admin: Client, library: Library, slug: str) -> None:
    kind = KINDS[slug]
    before = set(kind.rows(library).values_list("pk", flat=True))
    assert "Saved:" in post(admin, url(slug, verb="new"), **filled(library, slug))
    made = list(kind.rows(library).exclude(pk__in=before))
    assert len(made) == (2 if slug == "open-hours" else 1)
    row = made[0]
    assert row.library_id == library.pk
    assert admin.get(url(slug, row)).status_code == 200
    again = filled(library, slug)
    if slug == "open-hours":
        again["weekdays"] = "0"
    assert "Saved:" in post(admin, url(slug, row), **again), "saving a row unchanged is no double of itself"
    assert "Deleted:" in post(admin, url(slug, row, "delete"))
    assert not kind.rows(library).filter(pk=row.pk).exists()


@pytest.mark.parametrize("slug", [slug for slug in NEW_ROWS if slug != "staff"])
def test_a_double_is_refused_with_a_sentence_and_keeps_what_was_typed(
    admin: Client, library: Library, slug: str
) -> None:
    post(admin, url(slug, verb="new"), **filled(library, slug))
    count = KINDS[slug].rows(library).count()
    answer = admin.post(url(slug, verb="new"), filled(library, slug))
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "nother" in text or "overlaps with" in text
    assert "Constraint" not in text
    assert KINDS[slug].rows(library).count() == count


def test_the_same_code_in_another_case_is_a_double_but_not_in_another_library(client: Client) -> None:
    alder, brook = make_consortium()
    stand(client, make_staff(alder, "admin"))
    text = post(client, url("branches", verb="new"), code="main", name="Another", pickup="active")
    assert "Another branch already has the code main." in text
    post(client, url("branches", verb="new"), code="WEST", name="West", pickup="active")
    stand(client, make_staff(brook, "admin"))
    assert "Saved:" in post(client, url("branches", verb="new"), code="WEST", name="West", pickup="active")


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""}, {"name": "a\x00b"}, {"name": "x" * 500}, {"code": "two words"}, {"code": ""}, {"pickup": "often"},
    ],
)  # fmt: skip
def test_bad_input_is_a_sentence_at_its_field(admin: Client, library: Library, bad: dict[str, str]) -> None:
    answer = admin.post(url("branches", verb="new"), NEW_ROWS["branches"] | bad)
    assert answer.status_code == 422
    assert 'class="field-errors"' in answer.content.decode()
    assert Branch.objects.filter(library=library).count() == 3


def test_choices_are_the_own_librarys_rows_only(client: Client) -> None:
    alder, brook = make_consortium()
    Branch.objects.filter(library=brook).update(name="Somewhere in Brook")
    stand(client, make_staff(alder, "admin"))
    for slug in ("open-hours", "closures", "staff", "loan-policy-map", "collection-types"):
        assert "Somewhere in Brook" not in client.get(url(slug, verb="new")).content.decode()
    assert "Somewhere in Brook" not in client.get(url("ill")).content.decode()
    fields = {"branch": branch(brook).pk, "first_day": "2027-05-01", "last_day": "2027-05-01"}
    assert client.post(url("closures", verb="new"), fields).status_code == 422
    assert not Closure.objects.exists()


def test_another_librarys_rows_look_like_rows_that_do_not_exist(client: Client) -> None:
    alder, brook = make_consortium()
    stand(client, make_staff(alder, "admin"))
    for slug, kind in KINDS.items():
        row = kind.rows(brook).first()
        if row is None:
            continue
        assert client.get(url(slug, row)).status_code == 404
        assert client.post(url(slug, row), {"name": "mine"}).status_code == 404
        assert client.post(url(slug, row, "delete")).status_code == 404
        assert client.post(url(slug, row, "move"), {"way": "up"}).status_code == 404


# --- in use -------------------------------------------------------------------------------------------------------


def test_what_is_in_use_is_not_deleted_and_the_sentence_says_by_what(admin: Client, library: Library) -> None:
    make_patron(library)
    make_item(library)
    main, stacks = branch(library), ShelvingLocation.objects.get(library=library, code="STACKS")
    text = post(admin, url("branches", main, "delete"))
    assert "“Main Library” is in use by" in text
    assert "1 patron" in text
    assert "1 item (deleted ones too)" in text
    assert "1 item" in post(admin, url("shelving-locations", stacks, "delete"))
    office = post(admin, url("branches", branch(library, "ILL"), "delete"))
    assert "the ILL settings" in office
    assert "1 collection type policy" in office
    policy = LoanPolicy.objects.get(library=library)
    assert "1 row of the loan policy map" in post(admin, url("loan-policies", policy, "delete"))
    student = PatronType.objects.get(library=library, code="STUDENT")
    assert "1 patron" in post(admin, url("patron-types", student, "delete"))
    assert Branch.objects.filter(library=library).count() == 3
    assert "Where it is used" in admin.get(url("branches", main)).content.decode()


def test_a_branch_goes_with_its_hours_and_closures_but_not_from_under_a_request(client: Client) -> None:
    alder, _brook = make_consortium()
    stand(client, make_staff(alder, "admin"))
    annex = branch(alder, "ANNEX")
    OpenHours.objects.create(library=alder, branch=annex, weekday=0, opens=time(9), closes=time(17))
    ill = make_ill(alder, make_patron(alder), pickup="ANNEX")
    assert "1 open request" in post(client, url("branches", annex, "delete"))
    moved = post(client, url("branches", annex), code="ANX", name="Annex", pickup="active")
    assert "1 open request is to be picked up at ANNEX" in moved
    never = post(client, url("branches", annex), code="ANNEX", name="Annex", pickup="never")
    assert "is to be picked up at ANNEX" in never
    ill.delete()
    assert "Deleted:" in post(client, url("branches", annex, "delete"))
    assert not OpenHours.objects.exists()


def test_a_row_that_came_into_use_meanwhile_is_still_not_deleted(
    library: Library, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patron(library)
    monkeypatch.setattr(saving, "uses", lambda *_: [])
    assert "is in use by" in post(admin, url("branches", branch(library), "delete"))


# --- the library --------------------------------------------------------------------------------------------------

LIBRARY = {
    "name": "Alder University", "time_zone": "Europe/Berlin", "language": "en", "accent": "#7A1F5C",
    "email_from": "desk@alder.example", "return_address": "1 Alder Way",
}  # fmt: skip


def test_the_librarys_own_row(admin: Client, library: Library) -> None:
    assert "Saved:" in post(admin, url("library"), **LIBRARY)
    library.refresh_from_db()
    assert (library.time_zone, library.accent, library.symbol) == ("Europe/Berlin", "#7a1f5c", "ALD")
    assert admin.post(url("library", library, "delete")).status_code == 302
    assert Library.objects.filter(pk=library.pk).exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"time_zone": "Mars/Olympus"}, {"time_zone": "../../etc/passwd"}, {"language": "xx"}, {"accent": "red"},
        {"email_from": "nobody"}, {"name": ""},
    ],
)  # fmt: skip
def test_the_library_refuses_what_it_cannot_use(admin: Client, library: Library, bad: dict[str, str]) -> None:
    answer = admin.post(url("library"), LIBRARY | bad)
    assert answer.status_code == 422
    library.refresh_from_db()
    assert library.time_zone == "UTC"


# --- open hours and closures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"opens": "17:00", "closes": "09:00"}, "must close after it opens"),
        ({"opens": "09:00", "closes": "09:00"}, "must close after it opens"),
        ({"opens": "12:00", "closes": "18:00"}, "overlaps with Monday 09:00-13:00"),
        ({"opens": "08:00", "closes": "20:00"}, "overlaps with Monday 09:00-13:00"),
        ({"weekdays": []}, "Tick at least one weekday"),
        ({"opens": "25:00"}, "Enter a valid time"),
    ],
)
def test_hours_that_make_no_sense(admin: Client, library: Library, given: dict[str, Any], sentence: str) -> None:
    OpenHours.objects.create(library=library, weekday=0, opens=time(9), closes=time(13))
    fields = {"branch": "", "weekdays": ["0"], "opens": "14:00", "closes": "18:00"} | given
    assert sentence in post(admin, url("open-hours", verb="new"), **fields)
    assert OpenHours.objects.count() == 1


def test_hours_of_a_branch_do_not_overlap_with_the_librarys_and_may_touch(admin: Client, library: Library) -> None:
    first = {"branch": "", "weekdays": ["0", "1", "2", "3", "4"], "opens": "09:00", "closes": "13:00"}
    for more in ({}, {"opens": "13:00", "closes": "18:00"}, {"branch": branch(library).pk}):
        assert "Saved:" in post(admin, url("open-hours", verb="new"), **(first | more))
    assert OpenHours.objects.count() == 15


def test_closures_backwards_or_overlapping(admin: Client, library: Library) -> None:
    Closure.objects.create(library=library, first_day=date(2027, 12, 24), last_day=date(2027, 12, 26), why="Christmas")
    fields = {"branch": "", "first_day": "2027-12-26", "last_day": "2027-12-28"}
    assert "overlaps with the closure from" in post(admin, url("closures", verb="new"), **fields)
    fields |= {"first_day": "2027-12-30", "last_day": "2027-12-28"}
    assert "The last day is before the first." in post(admin, url("closures", verb="new"), **fields)
    fields |= {"first_day": "soon"}
    assert "Enter a valid date" in post(admin, url("closures", verb="new"), **fields)
    assert Closure.objects.count() == 1


# --- staff --------------------------------------------------------------------------------------------------------


def staff_fields(member: StaffMember, **changes: Any) -> dict[str, Any]:
    return {
        "name": member.name, "sign_in": member.sign_in, "password": "", "roles": member.roles, "branch": "",
        "email": "", "is_active": "on",
    } | changes  # fmt: skip


def test_a_new_password_signs_in_and_an_empty_one_changes_nothing(admin: Client, library: Library) -> None:
    member = make_staff(library, "desk", sign_in="lea", password="old-pass-word")
    post(admin, url("staff", member), **staff_fields(member))
    member.refresh_from_db()
    assert member.check_password("old-pass-word")
    post(admin, url("staff", member), **staff_fields(member, password="another-pass-word"))
    member.refresh_from_db()
    assert member.check_password("another-pass-word")
    assert "too short" in post(admin, url("staff", member), **staff_fields(member, password="abc"))


def test_changing_ones_own_password_does_not_end_the_own_sign_in(admin: Client) -> None:
    me = StaffMember.objects.get(sign_in="ann.admin")
    text = post(admin, url("staff", me), **staff_fields(me, password="another-pass-word"))
    assert "Saved:" in text
    assert admin.get(reverse("settings")).status_code == 200


def test_the_last_administrator_stays(admin: Client, library: Library) -> None:
    me = StaffMember.objects.get(sign_in="ann.admin")
    sleeping = make_staff(library, "admin", sign_in="sleeping")
    StaffMember.objects.filter(pk=sleeping.pk).update(is_active=False)
    make_staff(make_library("BRK", "Brook"), "admin")  # another library's administrator is no help
    for change in ({"roles": ["desk"]}, {"is_active": ""}):
        assert "last administrator" in post(admin, url("staff", me), **staff_fields(me, **change))
    assert "Nobody deletes the account they are signed in with" in post(admin, url("staff", me, "delete"))
    StaffMember.objects.filter(pk=sleeping.pk).update(is_active=True)
    assert "Saved:" in post(admin, url("staff", me), **staff_fields(me, name="Ann", roles=["admin", "desk"]))
    assert admin.post(url("staff", me), staff_fields(me, roles=["desk"])).status_code == 302
    assert admin.get(reverse("settings")).status_code == 403


def test_a_sign_in_name_is_unique_among_all_libraries(admin: Client) -> None:
    make_staff(make_library("BRK", "Brook"), "desk", sign_in="bo.brook")
    fields = NEW_ROWS["staff"] | {"sign_in": "BO.brook"}
    assert "This sign-in name is taken" in post(admin, url("staff", verb="new"), **fields)
    assert "without spaces" in post(admin, url("staff", verb="new"), **(fields | {"sign_in": "bo brook"}))
    assert "Tick at least one role" in post(admin, url("staff", verb="new"), **(NEW_ROWS["staff"] | {"roles": []}))


def test_a_stranger_cannot_be_given_a_role_that_does_not_exist(admin: Client) -> None:
    assert admin.post(url("staff", verb="new"), NEW_ROWS["staff"] | {"roles": ["root"]}).status_code == 422


# --- the loan policy map ------------------------------------------------------------------------------------------


def map_row(library: Library, position: int, policy: str, **match: Any) -> LoanPolicyMap:
    chosen, _ = LoanPolicy.objects.get_or_create(library=library, name=policy, defaults={"period": 7})
    return LoanPolicyMap.objects.create(library=library, position=position, policy=chosen, **match)


def order(library: Library) -> list[str]:
    return [row.policy.name for row in LoanPolicyMap.objects.filter(library=library).select_related("policy")]


def test_rows_move_up_and_down_and_stop_at_the_ends(admin: Client, library: Library) -> None:
    student = PatronType.objects.get(library=library, code="STUDENT")
    first, second = map_row(library, 10, "A", patron_type=student), map_row(library, 11, "B")
    assert order(library) == ["A", "B", "Standard"]
    post(admin, url("loan-policy-map", second, "move"), way="up")
    assert order(library) == ["B", "A", "Standard"]
    post(admin, url("loan-policy-map", second, "move"), way="up")
    assert order(library) == ["B", "A", "Standard"]
    post(admin, url("loan-policy-map", first, "move"), way="down")
    assert order(library) == ["B", "Standard", "A"]
    assert admin.post(url("branches", branch(library), "move"), {"way": "up"}).status_code == 404


def test_a_new_row_stands_before_the_row_that_takes_everything(admin: Client, library: Library) -> None:
    short = LoanPolicy.objects.create(library=library, name="Short", period=3)
    fields = {"patron_type": "", "holding_location": "", "shelving_location": "", "policy": short.pk}
    post(admin, url("loan-policy-map", verb="new"), **fields, material_format="DVD")
    post(admin, url("loan-policy-map", verb="new"), **fields, material_format="Map")
    assert order(library) == ["Short", "Short", "Standard"]
    text = admin.get(url("loan-policy-map")).content.decode()
    assert "never reached" not in text
    double = post(admin, url("loan-policy-map", verb="new"), **fields, material_format="dvd")
    assert "Another row is for exactly the same" in double


def test_a_row_that_can_never_win_says_so(admin: Client, library: Library) -> None:
    map_row(library, 200, "Late", material_format="DVD")
    assert "Row 1 takes all of it." in admin.get(url("loan-policy-map")).content.decode()


def explained(client: Client, slug: str, **asked: Any) -> str:
    answer = client.get(url(slug), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_explain_names_the_winning_row_and_the_due_date_the_desk_would_give(admin: Client, library: Library) -> None:
    student = PatronType.objects.get(library=library, code="STUDENT")
    row = map_row(library, 10, "Week", patron_type=student)
    patron, item = make_patron(library), make_item(library)
    text = explained(admin, "loan-policy-map", patron_type=student.pk, barcode=item.barcode)
    assert "Row 1 wins" in text
    assert text.index(f'id="row-{row.pk}"') < text.index("wins</span>")
    loan = circulation.check_out(make_desk(library), patron.pk, item.barcode, timezone.now()).loan
    assert f'datetime="{loan.due_on.isoformat()}"' in text
    institution = PatronType.objects.get(library=library, code="INST")
    assert "Row 2 wins" in explained(admin, "loan-policy-map", patron_type=institution.pk, barcode=item.barcode)


def test_explain_says_when_nothing_fits_or_nothing_circulates(admin: Client, library: Library) -> None:
    student, item = PatronType.objects.get(library=library, code="STUDENT"), make_item(library)
    asked = {"patron_type": student.pk, "barcode": item.barcode}
    LoanPolicy.objects.filter(library=library).update(circulates="never")
    assert "does not circulate" in explained(admin, "loan-policy-map", **asked)
    LoanPolicyMap.objects.filter(library=library).delete()
    assert "No row fits" in explained(admin, "loan-policy-map", **asked)


def test_explain_knows_only_the_own_librarys_items(client: Client) -> None:
    alder, brook = make_consortium()
    theirs = make_item(brook, "B1", title="A secret of Brook")
    student = PatronType.objects.get(library=alder, code="STUDENT")
    stand(client, make_staff(alder, "admin"))
    for barcode in (theirs.barcode, "nothing", "a\x00b", "x" * 300, ""):
        text = explained(client, "loan-policy-map", patron_type=student.pk, barcode=barcode)
        assert "field-errors" in text
        assert "A secret of Brook" not in text
    strange = PatronType.objects.get(library=brook, code="STUDENT")
    own = make_item(alder)
    assert "field-errors" in explained(client, "loan-policy-map", patron_type=strange.pk, barcode=own.barcode)


def test_explain_collection_types(admin: Client, library: Library) -> None:
    item = make_item(library)
    assert "Everything wins (it takes what no other does)" in explained(admin, "collection-types", barcode=item.barcode)
    here = {"holding_location": item.holding_location, "shelving_location": item.shelving_location}
    CollectionTypePolicy.objects.create(library=library, name="Kept", available=False, **here)
    text = explained(admin, "collection-types", barcode=item.barcode)
    assert "Kept wins (both locations fit)" in text
    assert "becomes Unavailable" in text
    circulation.check_in(make_desk(library), item.barcode, timezone.now())
    assert Item.objects.get(pk=item.pk).state == "unavailable"
    CollectionTypePolicy.objects.filter(library=library).delete()
    assert "No policy fits" in explained(admin, "collection-types", barcode=item.barcode)


# --- one row a library --------------------------------------------------------------------------------------------


def test_the_hold_policy_is_made_when_it_is_first_saved(admin: Client, library: Library) -> None:
    HoldPolicy.objects.filter(library=library).delete()
    assert 'value="365"' in admin.get(url("hold-policy")).content.decode()
    for days in ("10", "12"):
        post(admin, url("hold-policy"), request_days="100", shelf_days=days, pickup_notice="on")
    assert HoldPolicy.objects.get(library=library).shelf_days == 12
    assert admin.post(url("hold-policy"), {"request_days": "-1", "shelf_days": "x"}).status_code == 422


def test_the_ill_settings_make_receiving_possible(admin: Client, library: Library) -> None:
    kept = IllSettings.objects.get(library=library)
    given = {
        "enabled": "on", "holding_location": kept.holding_location_id, "home_branch": branch(library).pk,
        "shelving_location": kept.shelving_location_id,
    }  # fmt: skip
    kept.delete()
    assert admin.post(url("ill"), given | {"home_branch": ""}).status_code == 422
    assert "Saved:" in post(admin, url("ill"), **given)
    assert IllSettings.objects.get(library=library).home_branch == branch(library)


def test_a_change_shows_at_the_desk_at_once(admin: Client, library: Library) -> None:
    """What is saved here is what the next check-out uses (B11)."""
    policy = LoanPolicy.objects.get(library=library)
    fields = {"name": "Standard", "circulates": "always", "period": "2", "unit": "weeks", "renewals": "1"}
    post(admin, url("loan-policies", policy), **fields)
    item, now = make_item(library), timezone.now()
    loan = circulation.check_out(make_desk(library), make_patron(library).pk, item.barcode, now).loan
    assert loan.due_on == now.date() + timedelta(days=14)
