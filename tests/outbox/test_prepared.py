"""What is said with a text made once is what the ORM says: same rows, same columns, every value in its place."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import DatabaseError, connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from interlend.circulation import choices
from interlend.circulation import services as circulation
from interlend.circulation.models import Hold, HoldPolicy, Item, Loan, LoanPolicy, Patron, Title, TitleWord
from interlend.circulation.queries import patron_by_barcode, waiting_for
from interlend.libraries.models import Branch
from interlend.outbox.models import Event
from interlend.outbox.prepared import Prepared, insert, update
from tests.make import NOW, branch, make_desk, make_item, make_library, make_patron

pytestmark = pytest.mark.django_db


def columns(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_rows_are_the_orms_with_every_column() -> None:
    alder = make_library()
    loan = circulation.check_out(make_desk(alder), make_patron(alder).pk, make_item(alder).barcode, NOW).loan
    asked = Prepared(lambda key: Loan.objects.filter(pk=key).select_related("patron__patron_type", "item__title"), int)
    for _ in range(2):  # compiled, then said again
        with CaptureQueriesContext(connection) as seen:
            found = asked.one(loan.pk)
            assert found is not None
            assert found.patron.patron_type.name == "Student"
            assert found.item.title.title
        assert len(seen) == 1
        plain = Loan.objects.get(pk=loan.pk)
        assert columns(found) == columns(plain)
        assert columns(found.item) == columns(plain.item)
        assert found.due_reasons == plain.due_reasons != []
    assert asked.one(loan.pk + 1) is None


@pytest.mark.postgresql
def test_the_database_keeps_plans_unless_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%only_here%%'", [])
            return int(cursor.fetchone()[0])

    def ask(times: int) -> None:
        asked = Prepared(lambda key: Item.objects.filter(pk=key).extra(select={"only_here": "1"}), int)
        for _ in range(times):
            assert asked(1) == []

    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "server_side_binding", "false")
    ask(5)
    assert kept() == 0
    monkeypatch.delitem(connection.settings_dict["OPTIONS"], "server_side_binding")
    ask(5)
    assert kept() == 1
    assert not patron_by_barcode(1, "the usual cursor is back")


def test_every_value_finds_its_place() -> None:
    alder, brook = make_library(), make_library("BRK", "Brook Public Library")
    first, second = make_patron(alder, "P1"), make_patron(alder, "P%_")
    assert patron_by_barcode(alder.pk, "P1") == first
    assert patron_by_barcode(alder.pk, " P%_ ") == second
    assert patron_by_barcode(alder.pk, "%") is None
    assert patron_by_barcode(brook.pk, "P1") is None
    item = make_item(alder)
    hold = circulation.place_hold(make_desk(alder), first, item.title, branch(alder), NOW)
    update_until = date(2027, 6, 1)
    Hold.objects.filter(pk=hold.pk).update(expires_on=update_until)
    assert waiting_for(item, update_until) == [hold]
    assert waiting_for(item, date(2027, 6, 2)) == []


def test_a_pattern_is_not_prepared() -> None:
    """Its value would have to be escaped anew each time."""
    with pytest.raises(TypeError, match="value 0"):
        Prepared(lambda word: Title.objects.filter(title__contains=word), str)("%")


def test_what_is_inserted_is_what_save_would_write() -> None:
    alder = make_library()
    title = Title(library=alder, title="Friendly fire", year="2014")
    insert(title)
    words = [TitleWord(library=alder, title=title, field="t", word=word) for word in (b"friendly", b"fire")]
    insert(*words)
    assert [bytes(word.word) for word in TitleWord.objects.filter(title=title).order_by("id")] == [b"friendly", b"fire"]
    assert [word.pk for word in words] == list(title.words.order_by("id").values_list("pk", flat=True))
    home = branch(alder)
    item = Item(
        library=alder, title=title, barcode="7", state_since=NOW, made_at=NOW, lender_due=date(2027, 6, 1),
        holding_location=home, home_branch=home, shelving_location=alder.shelving_locations.get(code="STACKS"),
    )  # fmt: skip
    event = Event(library=alder, kind="k", at=NOW, data={"a": ["é", None]})
    insert(item)
    insert(event)
    insert()
    assert columns(Item.objects.get(pk=item.pk)) == columns(item)
    assert columns(Event.objects.get(pk=event.pk)) == columns(event)
    item.note = "saved again, not inserted twice"
    item.save()
    assert Item.objects.filter(barcode="7").count() == 1


def test_only_the_named_columns_are_updated() -> None:
    alder = make_library()
    patron = make_patron(alder, "P1", note="before")
    patron.note, patron.blocked_since, patron.home_branch = "not written", date(2027, 4, 1), branch(alder, "ANNEX")
    update(patron, "blocked_since", "home_branch")
    there = Patron.objects.get(pk=patron.pk)
    assert (there.note, there.blocked_since, there.home_branch) == ("before", date(2027, 4, 1), branch(alder, "ANNEX"))
    there.delete()
    with pytest.raises(DatabaseError):
        update(patron, "note")


def test_choices_are_kept_until_one_of_them_is_saved_or_deleted() -> None:
    alder = make_library()
    assert choices.policies(alder.pk).shelf_days == 7
    with CaptureQueriesContext(connection) as seen:
        assert choices.policies(alder.pk).shelf_days == 7
    assert len(seen) == 0
    HoldPolicy.objects.filter(library=alder).update(shelf_days=9)  # as another process would: seen after seconds
    assert choices.policies(alder.pk).shelf_days == 7
    LoanPolicy.objects.get(library=alder).save()
    assert choices.policies(alder.pk).shelf_days == 9
    HoldPolicy.objects.filter(library=alder).delete()
    assert choices.policies(alder.pk).shelf_days == 7
    main = branch(alder)
    assert choices.branches(alder.pk)[main.pk].name == "Main Library"
    main.name = "Central Library"
    main.save()
    assert choices.branches(alder.pk)[main.pk].name == "Central Library"
    assert choices.pickup_branch(alder.pk, "main") == main
    Branch.objects.filter(pk=main.pk).update(pickup="never")
    choices.forget()
    assert choices.pickup_branch(alder.pk, "MAIN") is None
