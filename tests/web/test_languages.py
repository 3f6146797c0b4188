"""Every sentence is translatable: a made-up language puts ⟦brackets⟧ round each, and the pages are walked in it.

Strategy: the language is compiled by the test from the texts of the code, into a folder of its own. Whatever
stands outside of brackets was not translated: it must be what people typed, never a sentence of ours; and a sentence
with facts must have them filled in.
"""

from __future__ import annotations

import ast
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from gettext import GNUTranslations
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest
from django.conf import settings
from django.db.models import CharField, TextField
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import trans_real
from lxml import html

from interlend.bridge.dialects import DIALECTS
from interlend.bridge.ncip_responder.door import SERVICES
from interlend.circulation import errors as circulation
from interlend.circulation import facts as circulation_facts
from interlend.circulation import services
from interlend.circulation.models import (
    CollectionTypePolicy,
    Hold,
    Item,
    Loan,
    LoanPolicy,
    Patron,
    PatronType,
    ShelvingLocation,
    Title,
)
from interlend.libraries.models import Branch, Library, StaffMember
from interlend.notices.models import Letter
from interlend.notices.services import text_of
from interlend.outbox.models import Errand, Event
from interlend.sharing import errors as sharing_errors
from interlend.sharing import facts as sharing_facts
from interlend.sharing import services as sharing
from interlend.sharing.host import HostProblem
from interlend.sharing.models import IllRequest, Partner
from interlend.web import told
from interlend.web.settings.entries import KINDS
from tests.make import branch, make_consortium, make_desk, make_ill, make_item, make_patron, make_staff
from tests.web.conftest import Borrowed, Clock

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "src/interlend/locale/de/LC_MESSAGES/django.po"
OPENS, CLOSES = "⟦", "⟧"
#: facts that have a shape of their own
SAMPLES = {"day": "3 May 2027", "since": " since 3 May 2027"}

# --- the made-up language ---------------------------------------------------------------------------------------


def entries(catalogue: Path) -> Iterator[dict[str, str]]:
    """The entries of a .po file: `msgid`, perhaps `msgctxt` and `msgid_plural`, and the translations."""
    for block in catalogue.read_text(encoding="utf-8").split("\n\n"):
        found: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            begun = re.match(r"(msg[a-z_]+(?:\[\d\])?) (?=\")", line)
            name = begun.group(1) if begun else name
            found[name] = found.get(name, "") + ast.literal_eval(line[begun.end() :] if begun else line)
        if found.get("msgid"):
            yield found


def bracketed(entry: dict[str, str]) -> tuple[bytes, bytes]:
    key = entry.get("msgctxt", "") + "\x04" if "msgctxt" in entry else ""
    one, many = entry["msgid"], entry.get("msgid_plural")
    keys = [one] if many is None else [one, many]
    return (key + "\0".join(keys)).encode(), "\0".join(f"{OPENS}{text}{CLOSES}" for text in keys).encode()


def compile_catalogue(pairs: list[tuple[bytes, bytes]], to: Path) -> None:
    """A .mo file as GNU gettext writes it: a header, two tables of (length, offset), the texts."""
    head = b"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    rows = sorted([(b"", head), *pairs])
    at = 28 + 16 * len(rows)
    tables, texts = [b"", b""], b""
    for column in (0, 1):
        for row in rows:
            tables[column] += struct.pack("<II", len(row[column]), at + len(texts))
            texts += row[column] + b"\0"
    sizes = struct.pack("<7I", 0x950412DE, 0, len(rows), 28, 28 + 8 * len(rows), 0, 0)
    to.parent.mkdir(parents=True)
    to.write_bytes(sizes + tables[0] + tables[1] + texts)


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Every text that can be translated: as the code has it now, or as the German catalogue had it without gettext."""
    if shutil.which("xgettext") is None:
        return list(entries(CATALOGUE))
    fresh = tmp_path_factory.mktemp("catalogues")
    subprocess.run([sys.executable, ROOT / "scripts" / "messages.py", "de", "--to", fresh], check=True)
    return list(entries(fresh / "de" / "LC_MESSAGES" / "django.po"))


@pytest.fixture
def pseudo(texts: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of the made-up language."""
    compile_catalogue([bracketed(entry) for entry in texts], tmp_path / "xx" / "LC_MESSAGES" / "django.mo")
    monkeypatch.setattr(settings, "LOCALE_PATHS", [str(tmp_path)])
    told.forget()
    trans_real._translations.pop("xx", None)
    yield "xx"
    trans_real._translations.pop("xx", None)
    told.forget()


def outside(text: str) -> str:
    """What stands in no brackets."""
    depth, kept = 0, []
    for sign in text:
        depth += (sign == OPENS) - (sign == CLOSES)
        kept.append(sign if not depth and sign != CLOSES else " ")
    return " ".join("".join(kept).split())


# --- sentences by themselves ------------------------------------------------------------------------------------


def test_a_refusal_is_translated_before_its_facts_are_filled_in(pseudo: str) -> None:
    no = circulation.refuse("unknown_item", barcode="31-7")
    with translation.override(pseudo):
        said = told.refusal(no)
    assert said == "⟦No item of this library has the barcode 31-7.⟧ ⟦Check the barcode, or add the item.⟧"
    assert told.refusal(no) == f"{no.sentence} {no.remedy}"


def test_every_reason_and_every_fact_is_in_the_catalogue(pseudo: str) -> None:
    tables = [*circulation.REASONS.values(), *sharing_errors.REASONS.values()]
    texts = [text for pair in tables for text in pair]
    texts += [*circulation_facts.SENTENCES.values(), *sharing_facts.SENTENCES.values()]
    with translation.override(pseudo):
        left = [text for text in texts if translation.gettext(text) == text]
    assert all(not re.search("[a-z]", re.sub(r"\{.*?\}", "", text)) for text in left), left


@pytest.mark.parametrize("code", circulation.REASONS)
def test_a_reason_that_was_kept_in_english_is_found_again_with_its_facts(pseudo: str, code: str) -> None:
    """As a failed step keeps it: filled in, in English, long before somebody reads it."""
    names = set(re.findall(r"\{(\w+)\}", " ".join(circulation.REASONS[code])))
    facts = {name: SAMPLES.get(name, f"Zz{name}9") for name in names}
    no = circulation.Refused(circulation.Reason(code, dict(facts)))
    with translation.override(pseudo):
        said = told.refusal(HostProblem(no.sentence, remedy=no.remedy))
    assert outside(said) == ""
    assert said.count(OPENS) == 2 + ("day" in names) + 2 * ("since" in names)
    assert said.replace(OPENS, "").replace(CLOSES, "") == f"{no.sentence} {no.remedy}"


@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("It was marked missing.", "⟦It was marked missing.⟧"),
        ("It was due 3 May 2027.", "⟦It was due ⟦3 May 2027⟧.⟧"),
        ("Alder’s Koha: Circulation is busy just now.", "Alder’s Koha: ⟦Circulation is busy just now.⟧"),
        ("It was marked missing. Nobody at home.", "⟦It was marked missing.⟧ Nobody at home."),
        (
            "Weekly; closed on Mondays, so the next open day",
            "⟦Weekly; ⟦closed on ⟦Monday⟧s⟧, so the next open day⟧",
        ),
        ("Nobody ever said this.", "Nobody ever said this."),
        ("", ""),
    ],
)
def test_what_was_kept_as_text_is_told_again(pseudo: str, english: str, said: str) -> None:
    assert told.told(english) == english
    with translation.override(pseudo):
        assert told.told(english) == said


def test_german_is_nearly_complete_and_compiled(texts: list[dict[str, str]]) -> None:
    """A few new sentences may wait for their translator (they are shown in English); many would mix two languages."""
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        german = GNUTranslations(file)
    known = {entry["msgid"]: german.pgettext(entry["msgctxt"], entry["msgid"]) if "msgctxt" in entry
             else german.gettext(entry["msgid"]) for entry in texts}  # fmt: skip
    same = {"Name", "Code", "Format", "Version", "PIN", "ISBN", "Scope", "Status"}
    missing = [text for text, said in known.items() if said == text and text not in same and " " in text]
    assert len(missing) < len(known) / 20, "run `make messages` and translate what is new"


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("The account of Mary Okafor is blocked since 3 May 2027 (lost card).",
         "Das Konto von Mary Okafor ist seit 3. Mai 2027 gesperrt (lost card)."),
        ("Weekly; closed on Mondays, so the next open day",
         "Weekly; am Montag geschlossen, daher der nächste Öffnungstag"),
        ("No patron of this library has the barcode P1.", "Kein Benutzer dieser Bibliothek hat den Barcode P1."),
        ("Alder: Circulation is busy just now.", "Alder: Die Ausleihe ist gerade überlastet."),
        (
            "Koha does not know the patron P1. (It says: No. 7.) ILL staff: ship another copy.",
            "Koha kennt den Benutzer P1 nicht. (Es meldet: No. 7.) Fernleihe: ein anderes Exemplar versenden.",
        ),
        ("“Dr. No. A Novel” is held for another patron.", "„Dr. No. A Novel“ liegt für einen anderen Benutzer bereit."),
        (
            "Alder: 10.0.0.7 cannot be reached: nothing listens on port 1. Try again in a moment.",
            "Alder: 10.0.0.7 ist nicht erreichbar: auf Port 1 ist nichts zu erreichen. Gleich noch einmal versuchen.",
        ),
        ("Possible now: Mark returned, Cancel.", "Jetzt möglich: Rücksendung buchen, Stornieren."),
        ("12 Never 2027", "12 Never 2027"),
    ],
)  # fmt: skip
def test_what_was_kept_in_english_is_told_in_german(english: str, german: str) -> None:
    with translation.override("de"):
        assert told.told(english) == german
        assert told.fill("{due}", {"due": "12 May 2027"}) == "12. Mai 2027"


def test_a_german_library_reads_german(db: None, clock: Clock, client_of: Callable[..., Client]) -> None:
    alder, _brook = make_consortium()
    Library.objects.filter(pk=alder.pk).update(language="de")
    client = client_of(make_staff(Library.objects.get(pk=alder.pk), "admin"))
    page = client.get(reverse("check_in")).content.decode()
    assert '<html lang="de">' in page
    assert "Abholregal" in page
    refused = client.post(reverse("check_in"), {"barcode": "Q999"}, headers={"HX-Request": "true"}).content.decode()
    assert "Kein Exemplar dieser Bibliothek hat den Barcode Q999." in refused


def test_messages_logs_and_rows_stay_english_whoever_looks(pseudo: str) -> None:
    with translation.override(pseudo):
        no = circulation.refuse("unknown_item", barcode="31-7")
        assert str(no) == no.sentence == "No item of this library has the barcode 31-7."


# --- the pages --------------------------------------------------------------------------------------------------


@pytest.fixture
def alder(db: None, clock: Clock, telling: Callable[[], Any], pseudo: str) -> Library:
    """A library that reads the made-up language, with something of everything that pages can show."""
    alder, brook = make_consortium()
    Library.objects.filter(pk=alder.pk).update(language=pseudo)
    nia = make_patron(alder, "P1", surname="Qbb", given_name="Qaa", email="q@q.example")
    paper = make_patron(alder, "P3", surname="Qll", email="")
    late = make_patron(alder, "P2", surname="Qcc", blocked_since=clock.now.date(), block_reason="Qdd", phone="1")
    for code, title in (("B1", "Qee"), ("B2", "Qff"), ("B3", "Qgg"), ("B4", "Qmm")):
        make_item(brook, code, title=title)
    make_item(alder, "A9", title="Qhh")
    wishes = [(nia, "Qee"), (nia, "Qff"), (late, "Qgg"), (paper, "Qmm")]
    with telling():
        ills = [make_ill(alder, patron, title=title) for patron, title in wishes]
        back = make_ill(brook, make_patron(brook, surname="Qii"), lender="ALD", title="Qhh")
    asked = {ill.number: IllRequest.objects.get(library=brook, number=ill.number) for ill in ills}
    lent = IllRequest.objects.get(library=alder, number=back.number)
    desk, office, theirs = make_desk(alder), make_desk(alder, "ILL"), make_desk(brook)
    orlando = make_item(alder, "A1", title="Qjj")
    for verb in (
        lambda: sharing.ship(theirs, asked[ills[0].number].pk, ["B1"], clock.now),
        lambda: sharing.receive(office, ills[0].pk, clock.now),
        lambda: services.check_in(desk, "B1", clock.now),
        lambda: services.check_out(desk, nia.pk, "B1", clock.now),
        lambda: services.check_in(desk, "B1", clock.now),
        lambda: sharing.press(theirs, asked[ills[1].number].pk, "staff.unfilled", clock.now, reason="not on shelf"),
        lambda: sharing.ship(theirs, asked[ills[2].number].pk, ["B3"], clock.now),
        lambda: sharing.receive(office, ills[2].pk, clock.now),  # its patron is blocked: the step fails
        lambda: sharing.ship(theirs, asked[ills[3].number].pk, ["B4"], clock.now),
        lambda: sharing.receive(office, ills[3].pk, clock.now),
        lambda: services.check_in(desk, "B4", clock.now),  # a letter to print
        lambda: sharing.ship(desk, lent.pk, ["A9"], clock.now),
        lambda: services.check_out(desk, nia.pk, orlando.barcode, clock.now),
    ):
        with telling():
            verb()
    return Library.objects.get(pk=alder.pk)


@pytest.fixture
def client(alder: Library, client_of: Callable[..., Client]) -> Client:
    return client_of(make_staff(alder, "admin"))


def urls(library: Library) -> list[str]:
    """The main pages of staff, every kind of settings, and one page of each row."""
    plain = (
        "check_in", "assist_patrons", "new_patron", "place_hold", "discover_items", "new_item", "pull_list",
        "hold_shelf", "in_transit", "temporary_items", "slips", "exchanges", "notices", "mail_drawer", "settings",
        "needs_attention", "borrowing", "lending", "new_request", "receive", "return_loans", "ship", "complete",
        "partners", "health",
    )  # fmt: skip
    found = [reverse(name) for name in plain]
    found += [f"{reverse('find')}?q=Q", f"{reverse('assist_patrons')}?q=Q", f"{reverse('discover_items')}?q=Q"]
    for name, model in (
        ("patron", Patron), ("item", Item), ("edit_hold", Hold), ("change_due_date", Loan), ("notice", Letter),
        ("ill_request", IllRequest), ("partner", Partner),
    ):  # fmt: skip
        found += [reverse(name, args=[row.pk]) for row in model.objects.filter(library=library)]
    for slug, kind in KINDS.items():
        found += [reverse("settings_list", args=[slug])]
        found += [] if kind.single else [reverse("settings_new", args=[slug])]
        found += [reverse("settings_edit", args=[slug, row.pk]) for row in kind.rows(library)[:1]]
    return found


def read(response: HttpResponse) -> Iterator[str]:
    """Every piece of text of a page, and what its fields and pictures are called."""
    tree = html.fromstring(response.content.decode() or "<p></p>")
    for unread in tree.xpath("//script|//style"):
        unread.getparent().remove(unread)
    yield from (str(text) for text in tree.itertext())
    yield from (str(text) for text in tree.xpath("//@title|//@placeholder|//@aria-label|//@alt|//@data-confirm"))


def scans(client: Client, alder: Library) -> Iterator[HttpResponse]:
    """Scans, forms and buttons that are refused, as the desk and the ILL office would meet them."""
    ills = {ill.title: ill for ill in IllRequest.objects.filter(library=alder)}
    blocked = Patron.objects.get(library=alder, barcode="P2")
    script = {"HX-Request": "true"}
    for page in ("check_in", "receive", "return_loans", "ship", "complete"):
        for barcode in ("Q999", ills["Qhh"].number, ills["Qee"].number, "P1", "A1", "A9", "B3"):
            if page != "check_in" or barcode not in ("A1", "A9", "B3"):
                yield client.post(reverse(page), {"barcode": barcode}, headers=script)
    for barcode in ("Q999", "A1"):
        yield client.post(reverse("patron_check_out", args=[blocked.pk]), {"barcode": barcode}, headers=script)
    wish = {"patron": "P2", "item": "A1", "level": "title", "pickup": str(branch(alder).pk)}
    yield client.post(reverse("place_hold"), wish)
    yield client.post(reverse("new_request"), {"step": "patron", "patron": "P2"})
    yield client.post(reverse("ill_action", args=[ills["Qff"].pk, "staff.receive"]), {"barcode_1": ""}, follow=True)
    yield client.post(reverse("ill_action", args=[ills["Qee"].pk, "staff.cancel"]), {"reason": "Qkk"}, follow=True)
    for errand in Errand.objects.filter(library=alder, verb="host.accept_item"):
        yield client.post(reverse("errand_action", args=[errand.pk]), {"trigger": "staff.try_again"}, follow=True)
    for name in ("delete_item", "restore_item"):
        item = Item.objects.get(library=alder, barcode="A1")
        yield client.post(reverse(name, args=[item.pk]), follow=True)


#: rows whose texts people typed; never where a word of ours may stand
TYPED = (Library, Branch, StaffMember, Patron, PatronType, ShelvingLocation, Title, Item, IllRequest, Partner,
         LoanPolicy, CollectionTypePolicy)  # fmt: skip
OURS = {"state", "side", "service", "kind", "outcome", "reason", "unit", "circulates", "pickup", "level", "password"}


def names() -> list[str]:
    """Everything on a page that is no sentence: what people typed, and what standards and vendors are called."""
    found = {*SERVICES, *available_timezones(), *(name for _code, name in settings.LANGUAGES)}
    found |= {zone.replace("_", " ") for zone in available_timezones()} | {one.name for one in DIALECTS.values()}
    for model in TYPED:
        columns = [c.name for c in model._meta.fields if isinstance(c, CharField | TextField) and c.name not in OURS]
        found |= {text for row in model.objects.values_list(*columns) for text in row if text}
    return sorted(found, key=len, reverse=True)


def left_over(text: str, known: re.Pattern[str]) -> str:
    """The words of `text` that are in no brackets and nobody's name."""
    return " ".join(re.findall(r"[^\W\d_]{2,}", known.sub(" ", outside(text))))


def test_no_page_has_a_sentence_that_is_not_translated(client: Client, alder: Library) -> None:
    known = re.compile("|".join(re.escape(name) for name in names()))
    walked = [(url, client.get(url, follow=True)) for url in urls(alder)]
    assert [url for url, answer in walked if answer.status_code != 200] == []
    walked += [(f"refusal {number}", answer) for number, answer in enumerate(scans(client, alder))]
    texts = [(where, text) for where, answer in walked for text in read(answer)]
    assert len(texts) > 5000
    assert [(where, text) for where, text in texts if left_over(text, known)] == []
    assert [(where, text) for where, text in texts if re.search(r"\{\w*\}|%\(", text)] == []


def test_a_refused_scan_says_so_in_the_language_of_the_library(client: Client, words_of: Callable[..., str]) -> None:
    answer = client.post(reverse("check_in"), {"barcode": "Q999"}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    said = words_of(answer)
    assert "⟦No item of this library has the barcode Q999.⟧ ⟦Check the barcode, or add the item.⟧" in said
    assert answer.headers["Content-Language"] == "xx"


def test_a_step_that_failed_in_english_is_shown_translated(client: Client, words_of: Callable[..., str]) -> None:
    errand = Errand.objects.get(state="failed")
    assert errand.sentence.startswith("The account of ")
    assert errand.sentence.endswith(" is blocked since 19 April 2027 (Qdd).")
    for page in ("needs_attention", "health"):
        said = words_of(client.get(reverse(page)))
        assert "is blocked⟦ since ⟦19 April 2027⟧⟧ (Qdd).⟧" in said
        assert "⟦Circulation desk: open the account and lift the block.⟧" in said


def test_the_history_of_an_item_is_translated_with_its_facts(
    client: Client, alder: Library, words_of: Callable[..., str]
) -> None:
    item = Item.objects.get(library=alder, barcode="A1")
    assert Event.objects.filter(item_key=item.pk, kind=circulation_facts.CHECKED_OUT).exists()
    said = words_of(client.get(reverse("item", args=[item.pk])))
    assert "⟦Checked out, due ⟦17 May 2027⟧⟧" in said


def test_a_colleague_of_an_english_library_reads_english(alder: Library, client_of: Callable[..., Client]) -> None:
    brook = Library.objects.get(symbol="BRK")
    answer = client_of(make_staff(brook, "admin")).get(reverse("check_in"))
    assert OPENS not in answer.content.decode()
    assert answer.headers["Content-Language"] == "en"


@pytest.mark.parametrize("text", ["A. " * 333, "a, " * 333, "A: " * 333, "; we are " * 111, "{" * 999, "x" * 100_000])
def test_a_long_text_of_somebody_elses_is_shown_as_it_is(pseudo: str, text: str) -> None:
    with translation.override(pseudo):
        assert told.told(text) == text


def test_no_template_is_taken_for_another(pseudo: str, texts: list[dict[str, str]]) -> None:
    """Filled in and found again, each sentence gives back its own facts: a wordier one never swallows it."""
    wrong = []
    with translation.override(pseudo):
        for text in (entry["msgid"] for entry in texts):
            if (one := told.template(text)) is None or "}{" in text or "%(" in text:
                continue
            facts = {name: SAMPLES.get(name, f"Zz{name}9") for name in one.pattern.groupindex}
            sentence = text.format_map(facts)
            said = told.told(sentence)
            if one.facts(sentence) != facts or outside(said) or said.replace(OPENS, "").replace(CLOSES, "") != sentence:
                wrong.append((text, said))
    assert wrong == []


def test_a_letter_is_written_in_the_language_of_the_library(borrowed: Borrowed, clock: Clock, telling: Any) -> None:
    Library.objects.filter(pk=borrowed.alder.pk).update(language="de")
    with telling():
        services.check_in(make_desk(borrowed.alder, "MAIN"), borrowed.barcode, clock.now)
    subject, body = text_of(Letter.objects.get(library=borrowed.alder), clock.now)
    assert subject == "Ein Medium liegt für Sie bereit: Alder University"
    assert "Guten Tag Mary Okafor," in body
    assert "Bis: Montag, 26. April 2027" in body
