"""`interlend apply`: every error with its line and remedy, all at once; nothing half written; twice is once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.contrib.auth.hashers import check_password

from interlend.circulation import models as circulation
from interlend.cli._site import Faulty, Unusable, read_site_file, write_site
from interlend.cli._site.reading import models_by_place
from interlend.cli._site.schema import Part
from interlend.libraries.models import Branch, Closure, Library, OpenHours, StaffMember
from interlend.libraries.policies import ROLES
from interlend.notices.models import NoticePolicy
from interlend.sharing.models import Partner

NOW = datetime(2027, 4, 19, 9, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "src" / "interlend" / "cli" / "demo_data" / "site.yaml"

SITE = """\
libraries:
  - symbol: ALD
    name: Alder University
    time_zone: America/New_York
    open_hours:
      monday: 09:00-17:00
    branches:
      - code: MAIN
        name: Main Library
      - code: ILL
        name: Interlibrary Loan Office
        pickup: never
    shelving_locations:
      - {code: STACKS, name: Stacks}
      - {code: ILL, name: Interlibrary Loan}
    patron_types:
      - {code: UG, name: Undergraduate, item_limit: 30}
      - {code: INST, name: Institution}
    staff:
      - sign_in: alder.desk
        name: Rosa Ito
        roles: [desk]
        branch: MAIN
        password: paper-lantern-8
    loan_policies:
      - {name: Four weeks, period: 4, unit: weeks}
      - {name: Library use, circulates: never}
    loan_policy_map:
      - {patron_type: UG, policy: Four weeks}
      - {policy: Library use}
    collection_type_policies:
      - {name: Everything}
      - {name: Borrowed, holding_location: ILL, shelving_location: ILL, available: false}
    hold_policy: {shelf_days: 5}
    notice_policy: {overdue_days: 3}
    ill_settings: {holding_location: ILL, shelving_location: ILL, home_branch: ILL}
    partners:
      - symbol: BRK
        name: Brook Public Library
        account: {barcode: P-BRK-ILL, patron_type: INST, home_branch: MAIN, email: ill@brook.example}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


def apply(path: Path) -> dict[str, str]:
    """Thing -> what became of it."""
    return {done.thing: done.what for done in write_site(read_site_file(path), NOW)}


def changed(path: Path, old: str, new: str) -> Path:
    """The same file with one passage changed."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand once in the file, not {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def errors(path: Path) -> list[str]:
    """What is told of a faulty file, without its name: "4: unknown time zone…"."""
    with pytest.raises(Faulty) as no:
        read_site_file(path)
    assert all(line.startswith(f"{path}:") for line in no.value.lines)
    return [line.removeprefix(f"{path}:") for line in no.value.lines]


# --- what is written ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_everything_in_the_file_becomes_rows(site: Path) -> None:
    outcomes = apply(site)
    assert set(outcomes.values()) == {"created"}
    alder = Library.objects.get()
    assert (alder.symbol, alder.name, alder.time_zone) == ("ALD", "Alder University", "America/New_York")
    hours = OpenHours.objects.get()
    assert (hours.branch, hours.weekday, hours.opens, hours.closes) == (None, 0, time(9), time(17))
    assert dict(Branch.objects.values_list("code", "pickup")) == {"MAIN": "active", "ILL": "never"}
    desk = StaffMember.objects.get()
    assert desk.roles == ["desk"]
    assert desk.branch is not None
    assert desk.branch.code == "MAIN"
    assert check_password("paper-lantern-8", desk.password)
    assert circulation.PatronType.objects.get(code="INST").item_limit is None
    rows = circulation.LoanPolicyMap.objects.values_list("position", "patron_type__code", "policy__name")
    assert list(rows) == [(10, "UG", "Four weeks"), (20, None, "Library use")]
    assert circulation.CollectionTypePolicy.objects.get(name="Borrowed").available is False
    assert circulation.HoldPolicy.objects.get().shelf_days == 5
    assert circulation.HoldPolicy.objects.get().request_days == 365
    assert NoticePolicy.objects.get().overdue_days == 3
    assert circulation.IllSettings.objects.get().home_branch.code == "ILL"
    assert Partner.objects.get().account == "P-BRK-ILL"
    account = circulation.Patron.objects.get()
    assert (account.barcode, account.kind, account.surname) == ("P-BRK-ILL", "institution", "Brook Public Library")


@pytest.mark.django_db
def test_the_second_time_nothing_changes(site: Path) -> None:
    first = apply(site)
    password = StaffMember.objects.get().password
    second = apply(site)
    assert list(second) == list(first)
    assert set(second.values()) == {"unchanged"}
    assert StaffMember.objects.get().password == password, "a password that is the same is not hashed anew"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("old", "new", "thing"),
    [
        ("name: Alder University", "name: Alder", "library ALD"),
        ("monday: 09:00-17:00", "monday: [09:00-12:00, 13:00-17:00]", "ALD open hours"),
        ("name: Interlibrary Loan Office\n        pickup: never", "name: ILL Office\n        pickup: inactive",
         "ALD branch ILL"),
        ("{code: STACKS, name: Stacks}", "{code: STACKS, name: Open stacks}", "ALD shelving location STACKS"),
        ("item_limit: 30", "item_limit: null", "ALD patron type UG"),
        ("roles: [desk]", "roles: [desk, ill]", "ALD staff member alder.desk"),
        ("password: paper-lantern-8", "password: another-lantern-9", "ALD staff member alder.desk"),
        ("period: 4, unit: weeks", "period: 1, unit: months", "ALD loan policy Four weeks"),
        ("{patron_type: UG, policy: Four weeks}", "{patron_type: INST, policy: Four weeks}", "ALD loan policy map"),
        ("shelving_location: ILL, available: false", "shelving_location: ILL, fulfills_holds: false",
         "ALD collection type policies"),
        ("shelf_days: 5", "shelf_days: 9", "ALD hold policy"),
        ("overdue_days: 3", "overdue: false", "ALD notice policy"),
        ("shelving_location: ILL, home_branch: ILL", "shelving_location: ILL, home_branch: MAIN", "ALD ILL settings"),
        ("name: Brook Public Library\n", "name: Brook Public Library\n        lends: false\n", "ALD partner BRK"),
        ("email: ill@brook.example", "expires_on: 2030-01-31", "ALD account P-BRK-ILL"),
    ],
)  # fmt: skip
def test_what_differs_is_updated_and_nothing_else(site: Path, old: str, new: str, thing: str) -> None:
    apply(site)
    outcomes = apply(changed(site, old, new))
    assert {name for name, what in outcomes.items() if what != "unchanged"} == {thing}
    assert outcomes[thing] == "updated"
    assert set(apply(site).values()) == {"unchanged"}


@pytest.mark.django_db
def test_what_the_file_leaves_out_stays_as_it_is(site: Path) -> None:
    apply(site)
    Library.objects.update(accent="#112233")
    account = circulation.Patron.objects.get()
    account.blocked_since, account.phone = date(2027, 4, 1), "555"
    account.save()
    site.write_text("libraries:\n  - {symbol: ALD, name: Alder, time_zone: UTC}\n")
    assert apply(site) == {"library ALD": "updated"}
    assert Library.objects.get().accent == "#112233"
    assert OpenHours.objects.count() == 1
    assert Branch.objects.count() == 2
    site.write_text(SITE)
    apply(site)
    account.refresh_from_db()
    assert (account.blocked_since, account.phone) == (date(2027, 4, 1), "555")


@pytest.mark.django_db
def test_lists_that_are_read_as_a_whole_lose_what_the_file_does_not_name(site: Path) -> None:
    apply(site)
    library = Library.objects.get()
    Closure.objects.create(library=library, first_day=date(2027, 5, 1), last_day=date(2027, 5, 1))
    changed(site, "    branches:\n", "    closures: []\n    branches:\n")
    assert apply(site)["ALD closures"] == "updated"
    assert not Closure.objects.exists()


@pytest.mark.django_db
def test_policies_may_exchange_their_locations(site: Path) -> None:
    """Two unique constraints hold on these rows; no order of single updates would satisfy both."""
    apply(site)
    changed(site, "{name: Everything}", "{name: Everything, holding_location: ILL, shelving_location: ILL}")
    changed(site, "{name: Borrowed, holding_location: ILL, shelving_location: ILL, ", "{name: Borrowed, ")
    assert apply(site)["ALD collection type policies"] == "updated"
    assert circulation.CollectionTypePolicy.objects.get(name="Borrowed").holding_location is None


@pytest.mark.django_db
def test_a_small_file_may_refer_to_what_is_there_already(site: Path) -> None:
    apply(site)
    site.write_text(
        "libraries:\n  - symbol: ALD\n    name: Alder University\n    time_zone: America/New_York\n"
        "    partners:\n      - {symbol: CDR, name: Cedar College, account: {barcode: P-CDR, patron_type: INST}}\n"
    )
    assert apply(site)["ALD account P-CDR"] == "created"


@pytest.mark.django_db
def test_values_stay_as_they_were_typed(site: Path) -> None:
    """YAML would make numbers, dates and truths of them; a barcode keeps its zeros."""
    changed(site, "barcode: P-BRK-ILL", "barcode: 0042")
    changed(site, "{code: STACKS, name: Stacks}", "{code: 1e3, name: yes}")
    apply(site)
    assert circulation.Patron.objects.get().barcode == "0042"
    assert circulation.ShelvingLocation.objects.get(code="1e3").name == "yes"


@pytest.mark.django_db
def test_anchors_and_merge_keys_work(site: Path) -> None:
    changed(site, "      monday: 09:00-17:00\n", "      &week\n      monday: &day 09:00-17:00\n      friday: *day\n")
    own = "        open_hours: {<<: *week, friday: closed}\n"
    changed(site, "        name: Main Library\n", f"        name: Main Library\n{own}")
    apply(site)
    days = OpenHours.objects.values_list("branch__code", "weekday")
    assert set(days) == {(None, 0), (None, 4), ("MAIN", 0)}


@pytest.mark.django_db
def test_passwords_may_be_kept_elsewhere(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site.parent / "secrets").mkdir()
    (site.parent / "secrets" / "desk").write_text("kept-in-a-file-1\n")
    changed(site, "password: paper-lantern-8", "password_file: secrets/desk")
    apply(site)
    assert check_password("kept-in-a-file-1", StaffMember.objects.get().password)
    monkeypatch.setenv("ALDER_DESK", "kept-in-the-air-2")
    assert apply(changed(site, "password_file: secrets/desk", "password_env: ALDER_DESK"))[
        "ALD staff member alder.desk"
    ] == "updated"  # fmt: skip
    assert check_password("kept-in-the-air-2", StaffMember.objects.get().password)


@pytest.mark.django_db
def test_somebody_known_needs_no_password_in_the_file(site: Path) -> None:
    apply(site)
    changed(site, "        password: paper-lantern-8\n", "")
    assert set(apply(site).values()) == {"unchanged"}


@pytest.mark.django_db
def test_the_demo_consortium_is_in_order() -> None:
    outcomes = apply(DEMO)
    assert set(outcomes.values()) == {"created"}
    assert set(apply(DEMO).values()) == {"unchanged"}


# --- errors in the file ---------------------------------------------------------------------------------------------

#: (what stands in the file, what stands there instead, what is told, with the line)
MISTAKES = [
    # values
    ("America/New_York", "America/New_Yorck",
     "4: unknown time zone “America/New_Yorck”; did you mean America/New_York?"),
    ("name: Alder University", "name: Alder University\n    language: fr",
     "4: Interlend does not speak “fr” yet; possible: en, de."),
    ("name: Alder University", "name: Alder University\n    accent: teal",
     '4: “teal” is no colour; write it as "#0b5c63", in quotes.'),
    ("name: Alder University", "name: Alder University\n    email_from: alder",
     "4: “alder” is no e-mail address; it looks like name@library.example."),
    ("symbol: ALD", "symbol: A LD", "2: “A LD” must be one word without spaces."),
    ("code: MAIN", "code: " + "M" * 21, "8: “code” is longer than 20 characters."),
    ("code: MAIN", "code: ''", "8: “code” is empty; give it a value."),
    ("name: Main Library", 'name: "Main\\nLibrary"', "9: “name” must stand on one line."),
    ("name: Main Library", 'name: "Main\\0Library"', "9: “name” must be without tabs and control characters."),
    ("name: Main Library", "name:", "9: “name” has no value; give it one or leave the key out."),
    ("name: Main Library", "name: [Main]", "9: “name” must be text."),
    ("pickup: never", "pickup: nevr", "12: “pickup” cannot be “nevr”; did you mean never?"),
    ("item_limit: 30", "item_limit: many", "17: “item_limit” must be a whole number."),
    ("item_limit: 30", "item_limit: -1", "17: “item_limit” must be at least 0."),
    ("shelf_days: 5", "shelf_days: 9999", "34: “shelf_days” must be at most 365."),
    ("available: false", "available: perhaps", "33: “available” must be true or false."),
    ("roles: [desk]", "roles: [dessk]", "22: unknown role “dessk”; did you mean desk?"),
    ("roles: [desk]", "roles: desk", "22: “roles” must be a list (lines that begin with “- ”)."),
    ("unit: weeks", "unit: fortnights", "26: “unit” cannot be “fortnights”; possible: days, weeks, months."),
    # hours and days
    ("09:00-17:00", "17:00-09:00",
     "6: “17:00-09:00” closes before it opens; hours past midnight belong to the next day."),
    ("09:00-17:00", "09:00-25:00", "6: “09:00-25:00” is no time of day; the last minute is 23:59."),
    ("09:00-17:00", "nine to five", "6: “nine to five” are no open hours; write them as 08:00-17:30, or closed."),
    ("09:00-17:00", "[09:00-13:00, 12:00-17:00]", "6: 09:00-13:00 and 12:00-17:00 overlap; write them as one."),
    ("monday:", "mondag:", "6: unknown key “mondag” in open_hours; did you mean monday?"),
    ("    branches:", "    closures:\n      - first_day: 2027-02-30\n    branches:",
     "8: there is no day 2027-02-30 in the calendar."),
    ("    branches:", "    closures:\n      - first_day: 24.12.2027\n    branches:",
     "8: “24.12.2027” is no date; write it as 2027-05-12."),
    ("    branches:", "    closures:\n      - first_day: 2027-02-03\n        last_day: 2027-02-01\n    branches:",
     "9: the closure ends on 2027-02-01, before its first day 2027-02-03."),
    # keys
    ("time_zone:", "timezone:", "2: a library needs “time_zone”."),
    ("time_zone:", "timezone:", "4: unknown key “timezone” in a library; did you mean time_zone?"),
    ("        name: Main Library\n", "", "8: a branch needs “name”."),
    ("sign_in: alder.desk", "login: alder.desk", "20: a staff member needs “sign_in”."),
    ("        name: Main Library", "        name: Main Library\n        name: Other",
     "10: “name” stands here twice (first in line 9); keep one."),
    ("libraries:", "library:", "1: the site file needs “libraries”."),
    ("{code: STACKS, name: Stacks}", "STACKS",
     "14: a shelving location is written as keys and values, such as “code: …”."),
    # doubles
    ("code: ILL\n        name: Interlibrary Loan Office", "code: main\n        name: Interlibrary Loan Office",
     "10: the branch code “main” stands in line 8 already; rename one."),
    ("code: ILL, name: Interlibrary Loan", "code: STACKS, name: Interlibrary Loan",
     "15: the shelving location code “STACKS” stands in line 14 already; rename one."),
    ("name: Library use", "name: four weeks",
     "27: the loan policy name “four weeks” stands in line 26 already; rename one."),
    ("{name: Everything}", "{name: Everything, holding_location: ILL, shelving_location: ILL}",
     "33: this policy is for the same locations as the one of line 32; join them."),
    ("{patron_type: UG, policy: Four weeks}", "{policy: Four weeks}",
     "30: this row is never reached: that of line 29 matches first; change their order."),
    # references
    ("branch: MAIN", "branch: MIAN", "23: ALD has no branch “MIAN”; did you mean MAIN?"),
    ("home_branch: ILL}", "home_branch: ill}", "36: ALD has no branch “ill”; did you mean ILL?"),
    ("patron_type: UG,", "patron_type: STUDENT,", "29: ALD has no patron type “STUDENT”; possible: UG, INST."),
    ("policy: Library use}", "policy: Libary use}",
     "30: ALD has no loan policy “Libary use”; did you mean Library use?"),
    ("ILL, shelving_location: ILL, home", "ILL, shelving_location: SHELF9, home",
     "36: ALD has no shelving location “SHELF9”; possible: STACKS, ILL."),
    ("patron_type: INST, home", "patron_type: INSTITUTE, home",
     "40: ALD has no patron type “INSTITUTE”; did you mean INST?"),
    # passwords
    ("        password: paper-lantern-8\n", "",
     "20: alder.desk is new and has no password; add password, password_env or password_file."),
    ("password: paper-lantern-8", "password: lantern",
     "24: the password of alder.desk is too weak: This password is too short. It must contain at least 8 characters."),
    ("password: paper-lantern-8", "password: password123",
     "24: the password of alder.desk is too weak: This password is too common."),
    ("password: paper-lantern-8", "password_env: NOT_THERE_AT_ALL",
     "24: the environment has no NOT_THERE_AT_ALL; set it, or give the password in another way."),
    ("password: paper-lantern-8", "password: paper-lantern-8\n        password_env: HOME",
     "25: password and password_env are given for alder.desk; keep one."),
    # YAML that is none of ours
    ("symbol: ALD", "symbol: !secret ALD", "2: the tag !secret has no meaning in a site file; leave it out."),
    ("      - code: MAIN", "      - [code]: MAIN", "8: a key must be a word, not a list or a mapping."),
    ("    branches:\n", "    branches: &again\n      - *again\n",
     "7: an alias that leads back into itself; write the values out."),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=[told for _, _, told in MISTAKES])
def test_each_mistake_is_told_with_its_line_and_remedy(site: Path, old: str, new: str, told: str) -> None:
    if old == "branch: MAIN":
        old, new = "        branch: MAIN", f"        {new}"
    assert told in errors(changed(site, old, new))
    assert not Library.objects.exists()


@pytest.mark.django_db
def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(site: Path) -> None:
    changed(site, "America/New_York", "Mars/Olympus")
    changed(site, "pickup: never", "pick_up: never")
    changed(site, "item_limit: 30", "item_limit: many")
    changed(site, "symbol: BRK", "symbol: B RK")
    changed(site, "        branch: MAIN", "        branch: ELSEWHERE")
    assert [line.split(":")[0] for line in errors(site)] == ["4", "12", "17", "23", "38"]


@pytest.mark.django_db
def test_two_libraries_may_not_share_a_symbol_or_a_sign_in(site: Path) -> None:
    body = SITE.removeprefix("libraries:\n")
    site.write_text(SITE + body.replace("symbol: ALD", "symbol: ald"))
    assert errors(site) == [
        "41: the library symbol “ald” stands in line 2 already; rename one.",
        "59: the sign-in “alder.desk” stands in line 20 already; rename one.",
    ]


@pytest.mark.django_db
def test_what_others_in_the_installation_have_is_not_taken_from_them(site: Path) -> None:
    apply(site)
    alder, student = Library.objects.get(), circulation.PatronType.objects.get(code="UG")
    circulation.Patron.objects.create(library=alder, barcode="P1", surname="Okafor", patron_type=student)
    assert errors(changed(site, "barcode: P-BRK-ILL", "barcode: P1")) == [
        "40: P1 is the barcode of a person at ALD; give the institution one of its own."
    ]
    site.write_text(SITE.replace("symbol: ALD", "symbol: CDR"))
    assert errors(site) == ["20: alder.desk is a staff member of ALD; choose another sign-in."]
    site.write_text(SITE.replace("symbol: ALD", "symbol: Ald"))
    assert "2: the installation has library ALD; write its symbol exactly so." in errors(site)


@pytest.mark.django_db
def test_nothing_is_written_where_a_late_write_fails(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = read_site_file(site)
    monkeypatch.setattr("interlend.cli._site.writing.save_patron", _fails)
    with pytest.raises(ZeroDivisionError):
        write_site(file, NOW)
    assert not Library.objects.exists()
    assert not Branch.objects.exists()


def _fails(*_: Any) -> None:
    raise ZeroDivisionError


# --- files that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "{} is empty; docs/site-file.md shows what a site file says."),
        (b" \n\n", "{} is empty; docs/site-file.md shows what a site file says."),
        (b"# only a remark\n", "{} holds nothing but remarks; docs/site-file.md shows what a site file says."),
        (b"libraries:\0", "{} is not a text file (it holds NUL bytes); a site file is YAML, saved as UTF-8."),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "{}:1: not UTF-8 text; save the file as UTF-8."),
        ("libraries:\n  - name: Zürich\n".encode("latin-1"), "{}:2: not UTF-8 text; save the file as UTF-8."),
        (b"libraries:\n\t- symbol: ALD\n", "{}:2: not YAML: a tab; YAML is indented with spaces."),
        (b"libraries:\n  - name: 'Alder\n", "{}:2: not YAML: a quotation mark that is never closed."),
        (b"a: b: c\n", ("{}:1: not YAML: a “key: value” where none can stand; check the indentation, and put text "
                        "that holds a colon into quotes.")),
        (b"a: *nobody\n", "{}:1: not YAML: an alias (*name) without its anchor (&name)."),
        (b"a: 1\n---\nb: 2\n", "{}:2: not YAML: a second document after “---”; keep everything in one."),
        (b"[" * 5000, "{} is nested too deeply to be a site file."),
        (b"x" * (4 * 1024 * 1024 + 1), "{} is larger than 4 MB: that is no site file."),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(content)
    with pytest.raises(Unusable) as no:
        read_site_file(path)
    assert str(no.value) == told.format(path)


def test_aliases_that_unfold_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    layers = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9)]
    path.write_text("\n".join(["l0: &l0 [x]", *layers]))
    with pytest.raises(Unusable, match="unfolds to more than a site file can be"):
        read_site_file(path)


def test_a_missing_file_a_folder_and_a_nul_are_one_sentence_each(tmp_path: Path) -> None:
    for path, told in (
        (tmp_path / "none.yaml", f"There is no file {tmp_path / 'none.yaml'}."),
        (tmp_path, f"{tmp_path} is a folder; name the site file in it."),
        (Path("site\0.yaml"), "The name of the file holds a NUL character."),
    ):
        with pytest.raises(Unusable) as no:
            read_site_file(path)
        assert str(no.value) == told


@pytest.mark.django_db
def test_a_list_or_a_word_instead_of_the_file_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    for text in ("- ALD\n- BRK\n", "just words\n"):
        path.write_text(text)
        assert errors(path) == ["1: the site file is written as keys and values, such as “libraries: …”."]


# --- the command ----------------------------------------------------------------------------------------------------


def run(*words: str) -> Result:
    from interlend.cli.apply import command

    return CliRunner().invoke(command, words)


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_became_of_each_thing(site: Path) -> None:
    first = run(str(site))
    assert first.exit_code == 0, first.output
    assert "created    library ALD\n" in first.output
    assert first.output.endswith("created, 0 updated, 0 unchanged.\n")
    again = run(str(changed(site, "name: Main Library", "name: Big Library")), "--quiet")
    assert again.output.splitlines()[0] == "updated    ALD branch MAIN (name)"
    assert len(again.output.splitlines()) == 2


@pytest.mark.django_db(transaction=True)
def test_check_writes_nothing(site: Path) -> None:
    checked = run("--check", str(site))
    assert (checked.exit_code, checked.output) == (0, f"{site} is in order: 1 library.\n")
    assert not Library.objects.exists()


@pytest.mark.django_db
def test_a_faulty_file_ends_the_command_with_two(site: Path) -> None:
    told = run(str(changed(site, "America/New_York", "America/New_Yorck")))
    assert told.exit_code == 2
    assert told.output.splitlines() == [
        "Error: There is 1 error; nothing was written.",
        f"{site}:4: unknown time zone “America/New_Yorck”; did you mean America/New_York?",
    ]


@pytest.mark.django_db
def test_a_file_that_is_none_ends_the_command_with_two(tmp_path: Path) -> None:
    told = run(str(tmp_path))
    assert (told.exit_code, told.output) == (2, f"Error: {tmp_path} is a folder; name the site file in it.\n")


# --- the schema, its rows and its documentation agree ---------------------------------------------------------------

ROWS: dict[str, Any] = {
    "Branch": Branch, "Closure": Closure, "ShelvingLocation": circulation.ShelvingLocation,
    "PatronType": circulation.PatronType, "Staff": StaffMember, "LoanPolicy": circulation.LoanPolicy,
    "MapRow": circulation.LoanPolicyMap, "CollectionTypePolicy": circulation.CollectionTypePolicy,
    "Account": circulation.Patron, "Partner": Partner, "Library": Library,
}  # fmt: skip


def parts() -> dict[str, type[Part]]:
    return {part.__name__: part for part in models_by_place().values()}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_no_text_is_longer_than_its_column(name: str) -> None:
    """SQLite would take it, PostgreSQL would not."""
    part, model = parts()[name], ROWS[name]
    columns = {field.name: getattr(field, "max_length", None) for field in model._meta.get_fields()}
    checked = 0
    for key, info in part.model_fields.items():
        longest = [limit.max_length for limit in _limits(info) if getattr(limit, "max_length", None)]
        # (a password's column holds its hash)
        if key != "password" and longest and columns.get(key) and not model._meta.get_field(key).is_relation:
            assert longest[0] <= columns[key], f"{name}.{key}"
            checked += 1
    assert checked


def _limits(info: Any) -> list[Any]:
    """The pydantic constraints of a field, however its type is wrapped."""
    found, todo = list(info.metadata), [info.annotation]
    while todo:
        kind = todo.pop()
        for inner in [*getattr(kind, "__metadata__", ()), *getattr(kind, "__args__", ())]:
            found += getattr(inner, "metadata", [])
            todo.append(inner)
    return found


def example() -> str:
    """The file in the documentation."""
    text = (ROOT / "docs" / "site-file.md").read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]


@pytest.mark.django_db
def test_the_documented_file_applies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALDER_ADMIN_PASSWORD", "a-word-for-the-admin")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "alder.ill").write_text("a-word-for-ill")
    for name in ("koha", "catalogue"):
        (tmp_path / "secrets" / name).write_text(f"a-word-for-{name}")
    for name in ("ALDER_AGENCY", "RELAIS_SECRET", "CATALOGUE_TOKEN"):
        monkeypatch.setenv(name, f"a-word-for-{name}")
    path = tmp_path / "site.yaml"
    path.write_text(example(), encoding="utf-8")
    assert set(apply(path).values()) == {"created"}


def test_the_documentation_shows_every_key_and_role() -> None:
    shown = set(re.findall(r"(\w+):", example()))
    keys = {key for part in models_by_place().values() for key in part.model_fields}
    assert keys - shown == set()
    assert all(role in example() for role in ROLES)
