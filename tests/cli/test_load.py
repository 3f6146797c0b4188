"""`interlend load`: real encodings, real and broken MARC, every way a row can be wrong, twice the same file.

Strategy: each test writes the file it is about; the real MARC samples beside some checkouts are read where they are.
"""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pymarc import Field, Indicators, Record, Subfield

from interlend.circulation import services as circulation
from interlend.circulation.lifecycles import WITHDRAWN
from interlend.circulation.models import Item, Patron, PatronType, ShelvingLocation, Title, TitleWord
from interlend.circulation.queries import discover
from interlend.cli import main
from interlend.cli._loading import batches, marcfile, pipeline
from interlend.cli._loading.bibliographic import describe, without_punctuation
from interlend.cli._loading.csvfile import CsvFile
from interlend.cli._loading.mapping import read_mapping
from interlend.cli._loading.patrons import COLUMNS as PATRON_COLUMNS
from interlend.cli.load import LoadError, LoadReport, load_items, load_patrons
from interlend.libraries.models import Library
from interlend.outbox.models import Event
from tests import make
from tests.make import NOW

PATRONS = "barcode,surname,given_name,patron_type,home_branch,email,expires_on,pin\n"
ITEMS = "barcode,title,author,record_id,call_number,shelving_location,home_branch\n"


@pytest.fixture
def library(db: None) -> Library:
    return make.make_library()


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rejects go to the working folder: each test has one of its own."""
    monkeypatch.chdir(tmp_path)


def written(path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def load_p(library: Library, text: str | bytes, encoding: str = "utf-8", **more: Any) -> LoadReport:
    return load_patrons(written(Path("patrons.csv"), text, encoding), library, NOW, **more)


def load_i(library: Library, text: str | bytes, mapping: Any = None, **more: Any) -> LoadReport:
    return load_items(written(Path("items.csv"), text), library, NOW, mapping, **more)


def reasons(report: LoadReport) -> list[str]:
    """The reasons in the rejects file, in order."""
    assert report.rejects is not None
    with report.rejects.open(encoding="utf-8-sig", newline="") as file:
        return [row["reason"] for row in csv.DictReader(file)]


def counts(report: LoadReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.rejected


# --- patrons ----------------------------------------------------------------------------------------------------


def test_patrons_are_created_compared_and_updated(library: Library) -> None:
    row = "P1,Okafor,Mary,student,main,mary@example.org,2028-02-29,1234\n"
    assert counts(load_p(library, PATRONS + row)) == (1, 0, 0, 0)
    patron = Patron.objects.get(library=library)
    assert (patron.full_name, patron.patron_type.code, str(patron.expires_on)) == (
        "Mary Okafor",
        "STUDENT",
        "2028-02-29",
    )
    assert patron.home_branch == make.branch(library)
    assert circulation.sign_in(library.pk, "P1", "1234") == patron
    assert counts(load_p(library, PATRONS + row)) == (0, 0, 1, 0)
    assert counts(load_p(library, PATRONS + row.replace("Mary", "Maria"))) == (0, 1, 0, 0)
    assert Patron.objects.get(library=library).given_name == "Maria"
    kinds = list(Event.objects.filter(library_id=library.pk).values_list("kind", "data__fields").order_by("id"))
    assert [kind for kind, _ in kinds] == ["circulation.patron_saved"] * 2
    assert kinds[1][1] == ["given_name"]
    assert "1234" not in str(list(Event.objects.values_list("data", flat=True)))


def test_a_column_that_the_file_does_not_have_is_left_alone_and_an_empty_cell_clears(library: Library) -> None:
    make.make_patron(library, "P1", note="wears a hat", phone="5", blocked_since=NOW.date())
    report = load_p(library, "barcode,surname,patron_type,email,phone\nP1,Okafor,STUDENT,new@example.org,\n")
    patron = Patron.objects.get(barcode="P1")
    assert counts(report) == (0, 1, 0, 0)
    assert (patron.email, patron.phone, patron.note) == ("new@example.org", "", "wears a hat")
    assert patron.given_name == "Mary"
    assert patron.blocked_since == NOW.date()


def test_a_pin_is_hashed_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = batches.make_password
    monkeypatch.setattr(batches, "make_password", lambda pin: (hashed.append(pin), real(pin))[1])
    rows = PATRONS + "".join(f"P{n},Name,,STUDENT,MAIN,,,{n}000\n" for n in range(1, 4))
    load_p(library, rows)
    report = load_p(library, rows.replace("3000", "9999"))
    assert hashed == ["1000", "2000", "3000"]
    assert "left alone" in report.remarks[0]
    assert circulation.sign_in(library.pk, "P3", "3000")
    report = load_p(library, rows.replace("3000", "9999"), check_pins=True)
    assert counts(report) == (0, 1, 2, 0)
    assert hashed[3:] == ["9999"]
    assert circulation.sign_in(library.pk, "P3", "9999")


WRONG_PATRONS = {
    "P1,Okafor,Mary,TEACHER,MAIN,,,": "There is no patron type “TEACHER”; known: INST, STUDENT.",
    "P1,Okafor,Mary,STUDENT,NORTH,,,": "There is no branch “NORTH”; known: ANNEX, ILL, MAIN.",
    "P1,Okafor,Mary,STUDENT,MAIN,mary(at)example,,": "“mary(at)example” is no e-mail address.",
    "P1,Okafor,Mary,STUDENT,MAIN,,31.05.2028,": "Its expires_on is “31.05.2028”; a day is written as in 2027-05-31.",
    "P1,Okafor,Mary,STUDENT,MAIN,,2027-02-29,": "Its expires_on is “2027-02-29”; a day is written as in 2027-05-31.",
    ",Okafor,Mary,STUDENT,MAIN,,,": "It has no barcode.",
    "P1,,Mary,STUDENT,MAIN,,,": "It has no surname.",
    "P1,Okafor,Mary,,MAIN,,,": "It has no patron_type.",
    f"{'9' * 61},Okafor,Mary,STUDENT,MAIN,,,": "Its barcode has 61 characters; 60 fit.",
    "P1,Okafor,Mary,Jane,STUDENT,MAIN,,,": "It has 9 values, the header names 8 (a value with a separator in it needs "
    "quotes).",
    "P1,Okafor": "It has 2 values, the header names 8 (a value with a separator in it needs quotes).",
    'P1,"Okafor,Mary,STUDENT,MAIN,,,': "A quotation mark is opened and never closed.",
    'P1,"Ok"afor,Mary,STUDENT,MAIN,,,': "It is no proper CSV: ',' expected after '\"'.",
}  # fmt: skip


@pytest.mark.parametrize("row", WRONG_PATRONS)
def test_a_wrong_row_is_rejected_with_its_reason_and_the_next_is_loaded(library: Library, row: str) -> None:
    report = load_p(library, f"{PATRONS}{row}\nP2,Fine,,STUDENT,,,,\n")
    assert reasons(report) == [WRONG_PATRONS[row]]
    assert list(Patron.objects.values_list("barcode", flat=True)) == ["P2"]


def test_a_block_needs_a_day_and_a_kind_is_one_of_two(library: Library) -> None:
    head = "barcode,surname,patron_type,kind,blocked_since,block_reason\n"
    rows = "P1,A,STUDENT,robot,,\nP2,B,INST,Institution,2027-01-02,lost book\nP3,C,STUDENT,,,lost book\n"
    report = load_p(library, head + rows)
    assert reasons(report)[0] == "Its kind is “robot”; it may be person or institution."
    assert "no blocked_since" in reasons(report)[1]
    patron = Patron.objects.get()
    assert (patron.kind, str(patron.blocked_since), patron.block_reason) == ("institution", "2027-01-02", "lost book")


def test_a_barcode_counts_once_in_a_file(library: Library) -> None:
    report = load_p(library, PATRONS + "P1,A,,STUDENT,,,,\nP2,B,,STUDENT,,,,\nP1,C,,STUDENT,,,,\n")
    assert counts(report) == (2, 0, 0, 1)
    assert reasons(report) == ["The barcode P1 stands in row 2 already."]
    assert Patron.objects.get(barcode="P1").surname == "A"


def test_the_rejects_file_can_be_mended_and_loaded(library: Library) -> None:
    text = PATRONS + "P1,Søren,,TEACHER,MAIN,,,1234\nP2,B,,STUDENT,,,,\n\nP3,too few\n"
    report = load_p(library, text)
    assert counts(report) == (1, 0, 0, 2)
    assert report.rejects == Path("patrons.rejects.csv").absolute()
    assert report.rejects.stat().st_mode & 0o077 == 0  # PINs stand in it
    rows = list(csv.reader(report.rejects.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["row", "reason", *PATRONS.strip().split(","), "line"]
    assert rows[1][0] == "2"
    assert rows[1][2:] == ["P1", "Søren", "", "TEACHER", "MAIN", "", "", "1234", ""]
    assert rows[2] == ["5", rows[2][1], *[""] * 8, "P3,too few"]
    mended = written(Path("mended.csv"), report.rejects.read_text(encoding="utf-8").replace("TEACHER", "STUDENT"))
    again = load_patrons(mended, library, NOW)
    assert counts(again) == (1, 0, 0, 1)
    assert reasons(again) == ["It has no barcode."]
    assert circulation.sign_in(library.pk, "P1", "1234")


def test_an_old_rejects_file_goes_when_nothing_is_rejected_any_more(library: Library) -> None:
    report = load_p(library, PATRONS + "P1,A,,TEACHER,,,,\n")
    assert report.rejects is not None
    assert report.rejects.exists()
    assert load_p(library, PATRONS + "P1,A,,STUDENT,,,,\n").rejects is None
    assert not report.rejects.exists()


# --- encodings, separators, headers -----------------------------------------------------------------------------

ENCODINGS = {
    "utf-8": "",
    "utf-8-sig": "",
    "utf-16": "it is UTF-16",
    "utf-16-le": "it has no byte order mark; it was read as UTF-16",
    "utf-16-be": "it has no byte order mark; it was read as UTF-16",
    "cp1252": "it is not UTF-8 (byte 50); it was read as Windows-1252",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings_are_found_and_said_aloud(library: Library, encoding: str) -> None:
    report = load_p(
        library, "barcode,surname,given_name,patron_type,note\r\nP1,Müller,Zoë,STUDENT,“10 €”\r\n", encoding
    )
    assert counts(report) == (1, 0, 0, 0)
    patron = Patron.objects.get()
    assert (patron.surname, patron.given_name, patron.note) == ("Müller", "Zoë", "“10 €”")
    assert report.remarks == ([ENCODINGS[encoding]] if ENCODINGS[encoding] else [])


def test_bytes_that_windows_does_not_know_are_latin_1(library: Library) -> None:
    report = load_p(library, b"barcode,surname,patron_type\nP1,M\xfcller\x81,STUDENT\n")
    assert report.remarks == ["it is not UTF-8 (byte 33); it was read as Latin-1"]
    assert Patron.objects.get().surname == "Müller"


def test_bytes_that_the_mark_promised_to_be_utf_8(library: Library) -> None:
    report = load_p(library, b"\xef\xbb\xbfbarcode,surname,patron_type\nP1,M\xfcller,STUDENT\nP2,B,STUDENT\n")
    assert counts(report) == (1, 0, 0, 1)
    assert reasons(report) == ["Some of its characters are not UTF-8."]


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators(library: Library, separator: str, name: str) -> None:
    report = load_p(library, "barcode,surname,patron_type\nP1,Okafor,STUDENT\n".replace(",", separator))
    assert counts(report) == (1, 0, 0, 0)
    assert report.remarks == [f"its values are separated by {name}"]


def test_headers_are_read_kindly_and_blank_lines_passed_over(library: Library) -> None:
    text = """
Barcode, Given-Name ,SURNAME,Patron Type,address,favourite colour,
,,,,,,
P1,Mary,Okafor,STUDENT,"1 High St
Town",red,
"""
    report = load_p(library, text)
    assert counts(report) == (1, 0, 0, 0)
    assert report.remarks == ["columns that are not known and were passed over: favourite colour"]
    assert Patron.objects.get().address == "1 High St\nTown"


WRONG_HEADERS = {
    "barcode,sur name,patron_type": None,
    "barcode,surename,patron_type": "no column surname; “surename” seems to be meant",
    "barcode,surname": "has no column patron_type",
    "barcode,surname,patron_type,emial": "a column “emial”; email seems to be meant",
    "barcode,surname,patron_type,barcode": "names barcode twice",
    "P1,Okafor,STUDENT": "is no header; it must name barcode, surname, patron_type, and any of given_name",
}


@pytest.mark.parametrize("header", WRONG_HEADERS)
def test_a_wrong_header_says_what_was_meant(library: Library, header: str) -> None:
    told = WRONG_HEADERS[header]
    if told is None:
        assert "no column surname; “sur name” seems to be meant" in refusal(library, f"{header}\nP1,A,STUDENT\n")
    else:
        assert told in refusal(library, f"{header}\nP1,A,STUDENT\n")
    assert not Patron.objects.exists()


def refusal(library: Library, text: str | bytes) -> str:
    with pytest.raises(LoadError) as no:
        load_p(library, text)
    return str(no.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "patrons.csv is empty."),
        (b"\xef\xbb\xbf \n\n", "patrons.csv is empty."),
        (b"PK\x03\x04....", "is a workbook or a zip file"),
        (b"\x1f\x8b....", "is compressed"),
        (b"<?xml version='1.0'?><collection/>", "is XML"),
    ],
)
def test_files_of_other_kinds(library: Library, content: bytes, told: str) -> None:
    assert told in refusal(library, content)


@given(st.binary(max_size=400) | st.text(alphabet='ab,;"\n\r\t\x00\ufeff', max_size=60).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_reader(body: bytes) -> None:
    path = written(Path("any.csv"), b"barcode,surname,patron_type\n" + body)
    entries = list(CsvFile(path, PATRON_COLUMNS).entries())
    assert [entry.number for entry in entries] == sorted({entry.number for entry in entries})
    assert all(entry.problem or set(entry.cells) == {"barcode", "surname", "patron_type"} for entry in entries)


# --- items from CSV ---------------------------------------------------------------------------------------------


def test_items_are_created_compared_and_updated(library: Library) -> None:
    text = (
        ITEMS
        + '3001,Blue train,"Coltrane, John",r1,M 1,STACKS,MAIN\n3002,Blue train,"Coltrane, John",r1,M 2,stacks,ANNEX\n'
    )
    assert counts(load_i(library, text)) == (2, 0, 0, 0)
    one, two = Item.objects.order_by("barcode").select_related("title", "home_branch", "holding_location")
    assert one.title == two.title
    assert (two.home_branch.code, two.holding_location.code, two.material_format) == ("ANNEX", "ANNEX", "Book")
    assert [item.barcode for item in discover(library.pk, "coltr blue", temporary=False)] == ["3001", "3002"]
    assert counts(load_i(library, text)) == (0, 0, 2, 0)
    text = text.replace("M 2", "M 3")
    assert counts(load_i(library, text)) == (0, 1, 1, 0)
    assert Item.objects.get(barcode="3002").call_number == "M 3"
    assert counts(load_i(library, text.replace("Blue train", "Giant steps"))) == (0, 1, 1, 0)
    assert discover(library.pk, "giant", temporary=False)
    assert not discover(library.pk, "train", temporary=False)


def test_the_first_copy_says_what_the_title_is(library: Library) -> None:
    text = ITEMS + "3001,Blue train,,r1,,STACKS,MAIN\n3002,Blue Train (album),,r1,,STACKS,MAIN\n"
    report = load_i(library, text)
    assert Title.objects.get().title == "Blue train"
    assert report.remarks == [
        "1 copies say something else of their title than an earlier copy of it; the first one was kept"
    ]
    assert counts(load_i(library, text)) == (0, 0, 2, 0)


def test_what_a_file_does_not_say_stays_as_it_is(library: Library) -> None:
    make.make_item(library, "3001", note="signed", call_number="M 1", record_id="r1")
    report = load_i(
        library, "barcode,title\n3001,Other title\n", {"defaults": {"home_branch": "ANNEX", "shelving_location": "ILL"}}
    )
    assert counts(report) == (0, 1, 0, 0)
    item = Item.objects.select_related("title", "home_branch", "shelving_location").get()
    assert (item.note, item.call_number, item.home_branch.code, item.shelving_location.code) == (
        "signed",
        "M 1",
        "MAIN",
        "STACKS",
    )
    assert (item.title.title, item.title.author, item.title.record_id) == ("Other title", "Kurt Rosenwinkel", "r1")


def test_codes_and_defaults_of_the_mapping(library: Library) -> None:
    mapping = {
        "codes": {
            "home_branch": {"HUNT": "MAIN"},
            "shelving_location": {"*": "STACKS"},
            "material_format": {"BK": "Book"},
        },
        "defaults": {"home_branch": "annex", "material_format": "Score"},
    }
    head = "barcode,title,home_branch,shelving_location,holding_location,material_format\n"
    report = load_i(library, head + "1,A,HUNT,XX,,BK\n2,B,,YY,HUNT,\n3,C,NORTH,XX,,\n", mapping)
    assert counts(report) == (2, 0, 0, 1)
    assert reasons(report) == ["There is no branch “NORTH”; known: ANNEX, ILL, MAIN."]
    rows = Item.objects.order_by("barcode").values_list(
        "home_branch__code", "holding_location__code", "material_format"
    )
    assert list(rows) == [("MAIN", "MAIN", "Book"), ("ANNEX", "MAIN", "Score")]


WRONG_ITEMS = {
    "3001,,,,,STACKS,MAIN": "It has no title.",
    "3001,T,,,,,MAIN": "It has no shelving_location, and the mapping (--mapping) has no default for it.",
    "3001,T,,,,STACKS,": "It has no home_branch, and the mapping (--mapping) has no default for it.",
    "3001,T,,,,ATTIC,MAIN": "There is no shelving location “ATTIC”; known: ILL, STACKS.",
    f"3001,T,,,{'x' * 121},STACKS,MAIN": "Its call_number has 121 characters; 120 fit.",
}


@pytest.mark.parametrize("row", WRONG_ITEMS)
def test_a_wrong_item_is_rejected_with_its_reason(library: Library, row: str) -> None:
    report = load_i(library, f"{ITEMS}{row}\n3002,Fine,,,,STACKS,MAIN\n")
    assert reasons(report) == [WRONG_ITEMS[row]]
    assert list(Item.objects.values_list("barcode", flat=True)) == ["3002"]


def test_somebody_elses_book_does_not_become_ours(library: Library) -> None:
    item = make.make_item(library, "3001")
    Item.objects.filter(pk=item.pk).update(temporary=True, request="ALD-10001")
    report = load_i(library, ITEMS + "3001,Mine,,,,STACKS,MAIN\n3002,Mine too,,,,STACKS,MAIN\n")
    assert counts(report) == (1, 0, 0, 1)
    assert reasons(report) == [
        "The barcode 3001 already belongs to “Friendly fire”, a temporary item for request ALD-10001."
    ]
    assert not Item.objects.get(barcode="3002").temporary


def test_a_deleted_items_barcode_is_free(library: Library) -> None:
    Item.objects.filter(pk=make.make_item(library, "3001").pk).update(state=WITHDRAWN)
    assert counts(load_i(library, ITEMS + "3001,New,,,,STACKS,MAIN\n")) == (1, 0, 0, 0)
    assert counts(load_i(library, ITEMS + "3001,New,,,,STACKS,MAIN\n")) == (0, 0, 1, 0)


def test_each_library_loads_its_own(library: Library) -> None:
    other = make.make_library("BRK", "Brook")
    text = ITEMS + "3001,Blue train,,r1,,STACKS,MAIN\n"
    assert counts(load_i(library, text)) == counts(load_i(other, text)) == (1, 0, 0, 0)
    assert Item.objects.get(library=other).home_branch == make.branch(other)


def test_a_load_that_is_interrupted_is_simply_run_again(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 2)
    text = ITEMS + "".join(f"{n},Title {n},,,,STACKS,MAIN\n" for n in range(1, 8))
    seen: list[tuple[int, int, int]] = []

    def stop(records: int, at: int, size: int) -> None:
        seen.append((records, at, size))
        if records == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_i(library, text, progress=stop)
    assert sorted(Item.objects.values_list("barcode", flat=True)) == ["1", "2", "3", "4"]
    assert Title.objects.count() == 4
    assert Event.objects.filter(kind="circulation.item_made").count() == 4
    assert counts(load_i(library, text, progress=lambda *step: seen.append(step))) == (3, 0, 4, 0)
    assert [step[0] for step in seen] == [2, 4, 2, 4, 6, 7]
    assert seen[-1][1] == seen[-1][2]


def test_what_is_unchanged_costs_no_write_and_few_reads(library: Library, django_assert_num_queries: Any) -> None:
    text = ITEMS + "".join(f"{n},Title {n},,r{n},,STACKS,MAIN\n" for n in range(200))
    load_i(library, text)
    with django_assert_num_queries(5):  # the codes (3), the items, the titles
        assert counts(load_i(library, text)) == (0, 0, 200, 0)


def test_a_batch_ends_as_one_record_at_a_time_would(library: Library) -> None:
    """The batch form of save_item and save_item itself, on the same random records, twenty batches long."""
    other = make.make_library("BRK", "Brook")
    chance = random.Random(949)
    for _ in range(20):
        codes = chance.sample(range(25), 8)
        wishes = [
            {
                "barcode": f"3{code:03}", "title": chance.choice(["Blue train", "Giant steps", "Été"]),
                "author": chance.choice(["", "Coltrane"]), "record_id": chance.choice(["", "r1", "r2", "r3"]),
                "note": chance.choice(["", "signed"]),
            }
            for code in codes
        ]  # fmt: skip
        single = [circulation.save_item(make.make_desk(library), _record(library, wish), NOW)[1] for wish in wishes]
        together = batches.save_items(make.make_desk(other), [batches.Copy(_record(other, w)) for w in wishes], NOW)
        assert together == single
    assert _told(other) == _told(library)


def _record(library: Library, wish: dict[str, str]) -> circulation.ItemRecord:
    place = make.branch(library).pk
    shelf = ShelvingLocation.objects.get(library=library, code="STACKS").pk
    return circulation.ItemRecord(holding_location_id=place, shelving_location_id=shelf, home_branch_id=place, **wish)


def _told(library: Library) -> dict[str, object]:
    """All that a load writes of items, without keys."""
    items = Item.objects.filter(library=library).select_related("title").order_by("barcode")
    titles: dict[int, list[str]] = {}
    for item in items:
        titles.setdefault(item.title_id, []).append(item.barcode)
    words = {
        item.barcode: sorted((word.field, bytes(word.word)) for word in TitleWord.objects.filter(title=item.title_id))
        for item in items
    }
    facts = [
        (item.barcode, item.state, item.note, item.title.title, item.title.author, item.title.record_id)
        for item in items
    ]
    events = Event.objects.filter(library_id=library.pk).count()
    return {"items": facts, "together": sorted(titles.values()), "words": words, "events": events}


def test_patrons_in_a_batch_end_as_one_at_a_time(library: Library) -> None:
    other = make.make_library("BRK", "Brook")
    chance = random.Random(7)
    for _ in range(6):
        wishes = [
            {"barcode": f"P{code}", "surname": chance.choice("AB"), "phone": chance.choice(["", "5"])}
            for code in chance.sample(range(9), 5)
        ]
        pins = [chance.choice(["", "1234"]) for _ in wishes]
        single = [
            circulation.save_patron(make.make_desk(library), _patron(library, wish), NOW, pin=pin)[1]
            for wish, pin in zip(wishes, pins, strict=True)
        ]
        readers = [batches.Reader(_patron(other, wish), pin) for wish, pin in zip(wishes, pins, strict=True)]
        assert batches.save_patrons(make.make_desk(other), readers, NOW, check_pins=True) == single

    def told(of: Library) -> object:
        patrons = Patron.objects.filter(library=of).order_by("barcode")
        facts = [(p.barcode, p.surname, p.phone, p.kind, bool(p.pin)) for p in patrons]
        events = [
            [sorted(event.data["fields"]) for event in Event.objects.filter(patron_key=p.pk).order_by("id")]
            for p in patrons
        ]
        return facts, events

    assert told(other) == told(library)


def _patron(library: Library, wish: dict[str, str]) -> circulation.PatronRecord:
    return circulation.PatronRecord(patron_type_id=PatronType.objects.get(library=library, code="STUDENT").pk, **wish)


# --- MARC 21 ----------------------------------------------------------------------------------------------------


def field(tag: str, *parts: str, indicators: str = "  ") -> Field:
    """`field("245", "aBlue train /", "cJohn Coltrane.")`."""
    return Field(tag, Indicators(*indicators), [Subfield(part[0], part[1:]) for part in parts])


def marc(*fields: Field, number: str = "m1", leader: str = "00000nam a2200000 i 4500") -> bytes:
    """A record in UTF-8."""
    record = Record(leader=leader)
    record.leader = leader  # type: ignore[assignment]
    record.add_field(*([Field("001", data=number)] if number else []), *fields)
    return bytes(record.as_marc())


def blue_train(barcode: str = "3001", number: str = "m1", title: str = "aBlue train /") -> bytes:
    return marc(
        field("100", "aColtrane, John,", "d1926-1967."), field("245", title, "cJohn Coltrane."),
        field("949", f"i{barcode}", "lSTACKS", "mMAIN", "aM 1"), number=number,
    )  # fmt: skip


PLAIN = {"949": {"barcode": "i", "shelving_location": "l", "home_branch": "m", "call_number": "a"}}


def load_m(library: Library, content: bytes, mapping: Any = PLAIN, **more: Any) -> LoadReport:
    return load_items(written(Path("items.mrc"), content), library, NOW, mapping, **more)


def test_a_marc_file_is_loaded_and_compared(library: Library) -> None:
    content = blue_train() + blue_train("3002", "m2", "aGiant steps.")
    assert counts(load_m(library, content)) == (2, 0, 0, 0)
    item = Item.objects.select_related("title").get(barcode="3001")
    assert (item.title.title, item.title.author, item.title.record_id) == ("Blue train", "Coltrane, John", "m1")
    assert item.call_number == "M 1"
    assert counts(load_m(library, content)) == (0, 0, 2, 0)
    assert counts(load_m(library, blue_train(title="aBlue train (1957) /"))) == (0, 1, 0, 0)


def test_several_copies_of_a_record_share_its_title(library: Library) -> None:
    copies = (field("949", f"i300{n}", "lSTACKS", "mMAIN", f"v{n}") for n in (1, 2, 3))
    wrong = field("949", "lSTACKS", "mMAIN")
    report = load_m(
        library, marc(field("245", "aLatin quarter"), *copies, wrong, field("949", "i3001", "lSTACKS", "mMAIN"))
    )
    assert counts(report) == (3, 0, 0, 2)
    assert Title.objects.count() == 1
    assert reasons(report) == ["It has no barcode.", "The barcode 3001 stands in record 1 already."]
    assert report.rejected_records is not None
    assert report.rejected_records.read_bytes().count(b"\x1d") == 1


def broken(raw: bytes, change: str) -> bytes:
    """`raw` after one of the accidents that happen to files."""
    if change == "directory":
        return raw[:30] + b"x" + raw[31:]
    if change == "directory leads astray":
        return raw[:27] + b"0099" + raw[31:]
    if change == "base address":
        return raw[:12] + b"00000" + raw[17:]
    if change == "leader":
        return b"x" * 24 + raw[24:]
    if change == "end mark":
        return raw[:-1]
    if change == "nothing but a mark":
        return b"\x1d"
    raise AssertionError(change)


ACCIDENTS = {
    "directory": "The directory is broken.",
    "directory leads astray": "The directory does not lead to the end of field 001.",
    "base address": "The leader does not say where the fields begin.",
    "leader": "The record does not begin with a leader.",
    "end mark": "The record has no end mark; part of it may be lost.",
    "nothing but a mark": "The record does not begin with a leader.",
}


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("between", [b"", b"\r\n"])
def test_a_broken_record_costs_itself_only(library: Library, accident: str, between: bytes) -> None:
    bad = broken(blue_train("3002", "m2"), accident)
    report = load_m(library, between.join([blue_train("3001"), bad, blue_train("3003", "m3")]))
    assert reasons(report) == [ACCIDENTS[accident]]
    assert sorted(Item.objects.values_list("barcode", flat=True)) == ["3001", "3003"]
    assert report.rejected_records is not None
    assert report.rejected_records.read_bytes() == (
        bad if bad.endswith(b"\x1d") else bad + between.rstrip(b"x") + b"\x1d"
    )


def test_a_wrong_length_in_the_leader_and_a_file_cut_short(library: Library) -> None:
    whole = blue_train()
    report = load_m(library, b"00007" + whole[5:] + b"99999" + blue_train("3002", "m2")[5:] + blue_train("3003")[:-30])
    assert counts(report) == (2, 0, 0, 1)
    assert reasons(report) == ["The record has no end mark; part of it may be lost."]


@pytest.mark.parametrize(
    ("leader", "told"),
    [
        ("00000dam a2200000 i 4500", "The record is marked as deleted (leader 05)."),
        ("00000nx  a2200000 i 4500", "It is a record of another kind (holdings), not of a title."),
        ("00000nz  a2200000 i 4500", "It is a record of another kind (authority), not of a title."),
    ],
)
def test_records_that_are_no_title(library: Library, leader: str, told: str) -> None:
    report = load_m(library, marc(field("245", "aT"), field("949", "i1"), leader=leader))
    assert reasons(report) == [told]


def test_a_record_without_a_copy_or_a_title(library: Library) -> None:
    report = load_m(library, marc(field("245", "aNo copy")) + marc(field("949", "i1", "lSTACKS", "mMAIN")))
    assert reasons(report) == ["The record has no copy (field 949).", "The record has no title (245)."]


def test_a_copy_may_be_made_for_each_record(library: Library) -> None:
    mapping = {"copy_per_record": "FSL-", "defaults": {"home_branch": "MAIN", "shelving_location": "STACKS"}}
    content = marc(field("245", "aOne"), number="77") + marc(field("245", "aTwo"), number="")
    report = load_m(library, content, mapping)
    assert Item.objects.get().barcode == "FSL-77"
    assert reasons(report) == ["The record has no number (field 001) to make a barcode of."]


@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_no_bytes_break_the_marc_reader(noise: bytes, at: int, cut: int) -> None:
    """Noise in the middle of a good record, then another good one: never an error, and every byte's record is told."""
    raw = blue_train()
    path = written(Path("any.mrc"), raw[:at] + noise + raw[at + cut :] + raw)
    told = []
    for chunk in marcfile.chunks(path):
        try:
            told.append(describe(marcfile.parse(chunk.raw)).title if not chunk.problem else chunk.problem)
        except marcfile.BrokenRecord as problem:
            told.append(str(problem))
    assert told
    assert all(isinstance(each, str) for each in told)


# --- characters of MARC records


def raw_marc(title: bytes, declared: str) -> bytes:
    """A record whose 245 has these bytes and whose leader declares `declared` (" " or "a")."""
    body = {b"001": b"m1\x1e", b"245": b"10\x1fa" + title + b"\x1e", b"949": b"  \x1fi3001\x1flSTACKS\x1fmMAIN\x1e"}
    directory, at = b"", 0
    for tag, data in body.items():
        directory += b"%s%04d%05d" % (tag, len(data), at)
        at += len(data)
    base = 24 + len(directory) + 1
    leader = b"%05dnam %s22%05d i 4500" % (base + at + 1, declared.encode(), base)
    return leader + directory + b"\x1e" + b"".join(body.values()) + b"\x1d"


CHARACTERS = [
    ("Люди".encode(), "a", "Люди", ""),
    ("Люди".encode(), " ", "Люди", "1 record declared as MARC-8, read as UTF-8 by the bytes"),
    (b"L'\xe2ecueil et l'\xe2et\xe2e", " ", "L'écueil et l'été", ""),
    (b"L'\xe2ecueil", "a", "L'écueil", "1 record declared as UTF-8, read as MARC-8 by the bytes"),
    (b"Qu\xe9bec \xa91981", " ", "Québec ©1981", "1 record declared as MARC-8, read as Windows-1252 by the bytes"),
    (b"\xc9t\xe9", "a", "Été", "1 record declared as UTF-8, read as Windows-1252 by the bytes"),
    (b"\x1b(2`a\x1b(B", " ", "אב", ""),
    (b"\x1b(2`a\x1b(B", "a", "אב", "1 record declared as UTF-8, read as MARC-8 by the bytes"),
    ("e\u0301te\u0301".encode(), "a", "été", ""),
    ("Ein Großes Buch für Öl".encode() + b"\xff", "a", "Ein Großes Buch für Öl\ufffd", ""),
    (b"plain", " ", "plain", ""),
]


@pytest.mark.parametrize(("title", "declared", "read", "remark"), CHARACTERS)
def test_characters_are_what_the_bytes_say(
    library: Library, title: bytes, declared: str, read: str, remark: str
) -> None:
    report = load_m(library, raw_marc(title, declared))
    assert Title.objects.get().title == read
    assert report.remarks == ([remark] if remark else [])


# --- what a record says


@pytest.mark.parametrize(
    ("written_so", "bare"),
    [
        ("Friendly fire /", "Friendly fire"),
        ("Latin quarter :", "Latin quarter"),
        ("Sur mer et sur terre.", "Sur mer et sur terre"),
        ("Blue Note,", "Blue Note"),
        ("What is left ...", "What is left ..."),
        ("Smith, John J.", "Smith, John J."),
        ("Davis, Sammy, Jr.", "Davis, Sammy, Jr."),
        ("A history of the U.S.", "A history of the U.S."),
        ("Trains, boats, etc.", "Trains, boats, etc."),
        (".", "."),
        ("", ""),
    ],
)
def test_the_punctuation_of_cards_goes(written_so: str, bare: str) -> None:
    assert without_punctuation(written_so) == bare


def described(*fields: Field, leader: str = "00000nam a2200000 i 4500") -> Any:
    return describe(marcfile.parse(marc(*fields, leader=leader)))


def test_what_a_record_says_of_its_title() -> None:
    about = described(
        Field("008", data="020121s1999    cau                 eng d"),
        field("020", "z0000000000"), field("020", "a978-0-306-40615-7 (pbk.)"),
        field("245", "aCollected works.", "nVol. 2,", "pLetters /", "cA. Person ; edited by B."),
        field("250", "a2nd ed."), field("260", "aLondon :", "bOld House,", "c1901."),
        field("264", "aLeeds :", "b[New House],", "c[2004]", indicators=" 1"), field("264", "c©2003", indicators=" 4"),
        field("700", "aPerson, A.,", "d1850-"), field("050", "aPR1.", "bP4 2004"),
    )  # fmt: skip
    assert about.title == "Collected works. Vol. 2, Letters"
    assert (about.author, about.publisher, about.year) == ("Person, A.", "New House", "2004")
    assert (about.edition, about.isbn, about.language) == ("2nd ed.", "9780306406157", "eng")
    assert (about.call_number, about.material_format) == ("PR1. P4 2004", "Book")


def test_a_colon_that_the_cataloguer_left_out() -> None:
    assert (
        described(field("245", "aBlue train", "h[sound recording]", "bthe sessions")).title
        == "Blue train : the sessions"
    )


def test_a_title_in_its_own_script_is_found_in_either(library: Library) -> None:
    twin = field("880", "6245-01/(2/r", "aלתורה בלמועדים :", "bרסיסי הגיונות")
    content = marc(
        field("245", "6880-01", "aLa-Torah vela-moʻadim :", "bresise hegyonot /"),
        twin,
        field("949", "i1", "lSTACKS", "mMAIN"),
    )
    load_m(library, content)
    assert Title.objects.get().title == "La-Torah vela-moʻadim : resise hegyonot = לתורה בלמועדים : רסיסי הגיונות"
    assert discover(library.pk, "torah", temporary=False) == discover(library.pk, "לתורה", temporary=False) != []


@pytest.mark.parametrize(
    ("leader", "kind"),
    [("am", "Book"), ("as", "Journal"), ("cm", "Score"), ("gm", "Video"), ("jm", "Music recording"), ("em", "Map")],
)
def test_the_format_is_what_the_leader_says(leader: str, kind: str) -> None:
    assert described(field("245", "aT"), leader=f"00000n{leader} a2200000 i 4500").material_format == kind


# --- mapping files ----------------------------------------------------------------------------------------------

GOOD_MAPPING = """\
949:                       # one a copy
  barcode: i
  call_number: ab          # joined by a space
  shelving_location: $l
codes:
  shelving_location: {007: STACKS, "*": STACKS}
defaults: {home_branch: MAIN}
record_id: 907$a
"""


def test_a_mapping_file(library: Library) -> None:
    mapping = read_mapping(written(Path("m.yaml"), GOOD_MAPPING))
    assert mapping.fields == {"949": {"barcode": "i", "call_number": "ab", "shelving_location": "l"}}
    assert mapping.codes == {"shelving_location": {"007": "STACKS", "*": "STACKS"}}
    assert mapping.record_id == ("907", "a")
    content = marc(field("245", "aT"), field("907", "a.b1008"), field("949", "i1", "aQA", "b7", "l007"))
    load_m(library, content, Path("m.yaml"))
    item = Item.objects.select_related("title").get()
    assert (item.call_number, item.title.record_id) == ("QA 7", ".b1008")


WRONG_MAPPINGS = {
    "949: {call_number: a}": "m.yaml, line 1: field 949 does not say where the barcode stands",
    "949: {barcode: i, shelf: l}": "m.yaml, line 1: “shelf” is not one of barcode,",
    "949:\n  barcode: i\n  shelvinglocation: l": "m.yaml, line 3: “shelvinglocation” is not one of",
    "949:\n  barcode: 949$i": "m.yaml, line 2: “949$i” is no subfield; write one letter or digit, as in barcode: a",
    "94: {barcode: i}": "m.yaml, line 1: “94” is neither a field with subfields (as 949) nor one of record_id,",
    "default: {home_branch: MAIN}": "defaults seems to be meant",
    "949: {barcode: i}\ndefaults: {home: MAIN}": "m.yaml, line 2: “home” is not one of",
    "949: i": "m.yaml, line 1: “949” needs rows of “word: value”",
    "949: [i]": "m.yaml, line 1: a list is not expected here",
    "949: {barcode: i}\n949: {barcode: j}": "m.yaml, line 2: “949” stands here twice",
    "949: {barcode: i}\nrecord_id: 907": "m.yaml, line 2: “907” needs a subfield",
    "949: {barcode: i}\nrecord_id: 001$a": "m.yaml, line 2: “001$a” needs no subfield",
    "949: {barcode: i}\nrecord_id: number": "m.yaml, line 2: “number” is no field",
    "949: {barcode: {x: i}}": "m.yaml, line 1: “barcode” needs one value",
    "949: {barcode: i": "m.yaml, line",
    "just words": "m.yaml must be rows of “word: value”",
}


@pytest.mark.parametrize("text", WRONG_MAPPINGS)
def test_a_wrong_mapping_says_where_and_what(library: Library, text: str) -> None:
    with pytest.raises(LoadError) as no:
        load_m(library, blue_train(), written(Path("m.yaml"), text))
    assert WRONG_MAPPINGS[text] in str(no.value)
    assert not Item.objects.exists()


def test_a_mapping_that_is_missing_or_names_unknown_codes(library: Library) -> None:
    with pytest.raises(LoadError, match=r"There is no mapping file nowhere.yaml"):
        load_m(library, blue_train(), Path("nowhere.yaml"))
    with pytest.raises(
        LoadError, match=r"default for home_branch: there is no branch “NORTH”; known: ANNEX, ILL, MAIN"
    ):
        load_m(library, blue_train(), PLAIN | {"defaults": {"home_branch": "NORTH"}})
    with pytest.raises(LoadError, match=r"a mapping file \(--mapping\) must say .* have 949 \$a \$i \$l \$m"):
        load_m(library, blue_train(), None)
    report = load_m(library, blue_train(), {"952": {"barcode": "p"}})
    assert report.remarks == ["none of its records has a copy in field 952. Its first records have 949 $a $i $l $m."]


# --- the real files that lie beside some checkouts ----------------------------------------------------------------

DEFAULTS = {"home_branch": "MAIN", "shelving_location": "STACKS"}
HUNTINGTON = {
    "949": {
        "barcode": "i", "call_number": "a", "volume": "v", "shelving_location": "l", "home_branch": "m",
        "material_format": "t",
    },
    "codes": {
        "shelving_location": {"*": "STACKS"}, "home_branch": {"HUNTINGTON": "MAIN", "DESMARAIS": "ANNEX"},
        "material_format": {"SOUND": "Music recording"},
    },
}  # fmt: skip
SIERRA = {
    "945": {"barcode": "i", "volume": "c", "call_number": "a"}, "record_id": "907$a", "defaults": DEFAULTS,
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A real file: its mapping, how many copies must come of it, why the rest did not, and what must be found then."""

    mapping: dict[str, Any]
    created: int
    rejected: dict[str, int]
    remarks: list[str]
    sought: str
    found: str


SAMPLES = {
    "jazz_1k.mrc": Sample(
        HUNTINGTON, 1238, {"The record has no copy (field 949).": 17},
        ["4 records declared as MARC-8, read as Windows-1252 by the bytes"], "friendly fire", "Friendly fire",
    ),
    "lul_fre_100.mrc": Sample(
        HUNTINGTON, 114, {}, [], "ecueil", "Au large de l'écueil : roman canadien",
    ),
    "sgcl_18.mrc": Sample(
        SIERRA, 177, {"The barcode 31492021373073 stands in record 10 already.": 1},
        ["8 records declared as MARC-8, read as Windows-1252 by the bytes"], "light attic", "A light in the attic",
    ),
    "FSL.marc": Sample(
        {"copy_per_record": "FSL-", "defaults": DEFAULTS}, 52, {},
        ["52 records declared as MARC-8, read as UTF-8 by the bytes"],
        "чистой совестью", "Люди с чистой совестью : [Воспоминания]",
    ),
    "hebrew.marc": Sample(
        {"copy_per_record": "HEB-", "defaults": DEFAULTS}, 20, {}, [], "בלמועדים",
        "La-Torah vela-moʻadim : resise hegyonot = לתורה בלמועדים : רסיסי הגיונות",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_a_real_file(library: Library, shared: Path, name: str) -> None:
    """What docs/loading.md tells of each; the second time nothing is written."""
    sample, path = SAMPLES[name], shared / "data" / "marc" / name
    report = load_items(path, library, NOW, sample.mapping)
    assert counts(report) == (sample.created, 0, 0, sum(sample.rejected.values()))
    assert Counter(reasons(report) if report.rejects else []) == sample.rejected
    assert report.remarks == sample.remarks
    assert sample.found in {item.title.title for item in discover(library.pk, sample.sought, temporary=False)}
    assert counts(load_items(path, library, NOW, sample.mapping)) == (0, 0, sample.created, report.rejected)
    assert not Title.objects.filter(title__contains="\ufffd").exists()


# --- the command ------------------------------------------------------------------------------------------------


def run(*words: str) -> Any:
    return CliRunner().invoke(main, ["load", *words])


def test_the_command_tells_how_it_went(library: Library) -> None:
    written(Path("p.csv"), PATRONS + "P1,A,,STUDENT,,,,\nP2,B,,TEACHER,,,,\n", "utf-16")
    done = run("patrons", "p.csv", "--library", "ald")
    assert done.exit_code == 1, done.output
    assert "p.csv, for Alder University (ALD)\n  Note: it is UTF-16\n  2 records in " in done.output
    assert "1 created, 0 updated, 0 unchanged, 1 rejected" in done.output
    assert f"Rejected rows with a reason each: {Path('p.rejects.csv').absolute()}" in done.output
    written(Path("p.csv"), PATRONS + "P1,A,,STUDENT,,,,\n")
    assert run("patrons", "p.csv", "--library", "ALD").exit_code == 0


def test_the_command_loads_marc_with_a_mapping_file(library: Library) -> None:
    written(Path("i.mrc"), blue_train() + blue_train("3002", "m2").replace(b"MAIN", b"NICE"))
    written(Path("m.yaml"), "949: {barcode: i, shelving_location: l, home_branch: m}")
    done = run("items", "i.mrc", "--library", "ALD", "--mapping", "m.yaml", "--rejects", "out.csv")
    assert done.exit_code == 1, done.output
    assert "out.csv, and their MARC records in out.mrc" in done.output
    with Path("out.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["row"], row["barcode"], row["title"]) == ("2", "3002", "Blue train")
    assert row["reason"] == "There is no branch “NICE”; known: ANNEX, ILL, MAIN."
    assert row["copy"] == "$i 3002 $l STACKS $m NICE $a M 1"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("patrons", "nowhere.csv", "--library", "ALD"), "Error: There is no file nowhere.csv.\n"),
        (("patrons", ".", "--library", "ALD"), "Error: . is a folder; name the file in it.\n"),
        (("patrons", "empty.csv", "--library", "ALD"), "Error: empty.csv is empty.\n"),
        (("items", "m.mrc", "--library", "OAK"), "Error: There is no library OAK; here are ALD.\n"),
        (("patrons", "m.mrc", "--library", "ALD"), "is a MARC file; patrons are loaded from CSV"),
        (("items", "text.mrc", "--library", "ALD"), "is no MARC 21 file: it does not begin with a record's leader."),
        (("items", "m.mrc", "--library", "ALD", "--mapping", "x.yaml"), "Error: There is no mapping file x.yaml.\n"),
        (("patrons", "p.csv", "--library", "ALD", "--rejects", "p.csv"), "would be written over p.csv itself"),
        (("patrons", "p.csv"), "Missing option '--library'"),
    ],
)
def test_the_command_refuses_in_one_sentence(library: Library, words: tuple[str, ...], told: str) -> None:
    written(Path("empty.csv"), "")
    written(Path("m.mrc"), blue_train())
    written(Path("text.mrc"), "barcode,title\n")
    written(Path("p.csv"), PATRONS + "P1,A,,STUDENT,,,,\n")
    done = run(*words)
    assert told in done.output
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_ctrl_c_is_told_what_to_do(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("interlend.cli.load.load_patrons", stop)
    written(Path("p.csv"), PATRONS)
    done = run("patrons", "p.csv", "--library", "ALD")
    assert done.exit_code == 130
    assert "run the same command again" in done.output


@pytest.mark.sqlite
def test_the_command_without_tables(tmp_path: Path) -> None:
    written(Path("p.csv"), PATRONS)
    ours = {"DATABASE_URL": f"sqlite:///{tmp_path}/n.sqlite3", "DJANGO_SETTINGS_MODULE": "interlend.settings"}
    words = ["load", "patrons", "p.csv", "--library", "ALD"]
    command = [sys.executable, "-c", "from interlend.cli import main; main()", *words]
    done = subprocess.run(command, env=os.environ | ours, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "Error: The database has no tables of Interlend yet: run “interlend migrate” first.\n"
