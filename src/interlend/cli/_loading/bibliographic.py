"""What a MARC 21 bibliographic record says of its title, in the words of our own title row.

Strategy: the fields a borrower looks for, without the punctuation that separates them on a card (ISBD). A title that
the record also has in its own script (880) is kept behind “ = ”, so that it is found in either script.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pymarc import Field

from interlend.cli._loading.marcfile import MarcRecord

AUTHORS = ("100", "110", "111", "700", "710", "711")
#: where a record has its own call number, if the copy has none: local numbers first, then the classifications
CALL_NUMBERS = ("090", "092", "098", "099", "050", "082")

#: leader 06 (and 07 where it matters) -> material format
_FORMATS = {
    "c": "Score", "d": "Score", "e": "Map", "f": "Map", "g": "Video", "i": "Audiobook", "j": "Music recording",
    "k": "Picture", "m": "Computer file", "o": "Kit", "p": "Mixed material", "r": "Object", "t": "Manuscript",
}  # fmt: skip
_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)")
_ISBN = re.compile(r"[0-9][0-9\- ]{8,16}[0-9Xx]")
#: words that the cataloguer supplied stand in brackets
_SUPPLIED = re.compile(r"\[([^\[\]]*)\]")
_TRAILING = re.compile(r"[\s/:;=,+]+$")
#: a full stop behind these belongs to the word
_ABBREVIATIONS = {"etc", "jr", "sr", "inc", "ltd", "co", "bros", "st", "ed", "mo", "vol", "no", "pt", "al"}


@dataclass(frozen=True)
class Bibliographic:
    """The title row's words; every one may be empty, `title` too."""

    title: str
    author: str
    publisher: str
    year: str
    edition: str
    isbn: str
    language: str
    call_number: str
    material_format: str


def describe(record: MarcRecord) -> Bibliographic:
    """Title (245), author (1xx, else 7xx), imprint (264, else 260), edition (250), ISBN (020), language (008, 041)."""
    return Bibliographic(
        title=_with_own_script(record, _first(record, "245"), _title_of),
        author=_with_own_script(record, _first(record, *AUTHORS), _author_of),
        publisher=_publisher(record),
        year=_year(record),
        edition=_edition(record),
        isbn=_isbn(record),
        language=_language(record),
        call_number=_call_number(record),
        material_format=_format(record),
    )


def without_punctuation(text: str) -> str:
    """ "Friendly fire /" -> "Friendly fire"; a full stop goes too, unless it belongs to an initial or abbreviation."""
    bare = _TRAILING.sub("", text)
    if bare.endswith(".") and not bare.endswith(".."):
        last = bare[:-1].split()[-1].strip("([") if bare[:-1].split() else ""
        if len(last) > 1 and "." not in last and last.casefold() not in _ABBREVIATIONS:
            bare = _TRAILING.sub("", bare[:-1])
    return bare


def _first(record: MarcRecord, *tags: str) -> Field | None:
    """The first field with the first of `tags` that the record has."""
    return next((field for tag in tags for field in record.get(tag)), None)


def _title_of(record: MarcRecord, field: Field) -> str:
    """$a $b $n $p; a colon before $b and a full stop before a part where the cataloguer left them out."""
    said = ""
    for code, text in record.subfields(field, "abnpfgks"):
        joint = ""
        if said and code == "b" and not said.endswith((":", ";", "=", ",", ".", "/")):
            joint = " :"
        if said and code in "np" and not said.endswith((".", ",", ":", ";")):
            joint = "."
        said = f"{said.removesuffix('/').rstrip()}{joint} {text}".strip()
    return without_punctuation(said)


def _author_of(record: MarcRecord, field: Field) -> str:
    return without_punctuation(record.joined(field, "abcq" if field.tag.endswith("00") else "abn"))


def _with_own_script(record: MarcRecord, field: Field | None, read: Callable[[MarcRecord, Field], str]) -> str:
    """What `read` makes of a field, and of its twin in the record's own script (880 $6 with the field's tag)."""
    if field is None:
        return ""
    said = read(record, field)
    twins = (twin for twin in record.get("880") if record.joined(twin, "6").startswith(f"{field.tag}-"))
    twin = next(twins, None)
    own = read(record, twin) if twin is not None else ""
    return f"{said} = {own}" if own and own != said else said


def _imprint(record: MarcRecord) -> list[Field]:
    """Publication statements: 264 with second indicator 1, then 260, then other 264."""
    published = [field for field in record.get("264") if field.indicators and field.indicators.second == "1"]
    return [*published, *record.get("260"), *(field for field in record.get("264") if field not in published)]


def _publisher(record: MarcRecord) -> str:
    names = (text for field in _imprint(record) for _, text in record.subfields(field, "b"))
    name = without_punctuation(next(names, ""))
    return supplied[1] if (supplied := _SUPPLIED.fullmatch(name)) else name


def _year(record: MarcRecord) -> str:
    dates = [text for field in _imprint(record) for _, text in record.subfields(field, "c")]
    fixed = [record_008[7:11] for record_008 in _fixed_fields(record)]
    return next((year[1] for text in [*dates, *fixed] if (year := _YEAR.search(text))), "")


def _edition(record: MarcRecord) -> str:
    field = _first(record, "250")
    return without_punctuation(record.joined(field, "ab")) if field else ""


def _isbn(record: MarcRecord) -> str:
    said = (text for field in record.get("020") for _, text in record.subfields(field, "a"))
    found = (match[0] for text in said if (match := _ISBN.match(text)))
    return plain_isbn(next(found, ""))


def plain_isbn(text: str) -> str:
    """An ISBN without hyphens and spaces."""
    return re.sub(r"[\s-]", "", text).upper()


def _fixed_fields(record: MarcRecord) -> list[str]:
    """Every 008 (some files have two, the first one nearly blank), the fuller first."""
    said = [
        field.data.decode("ascii", "replace") if isinstance(field.data, bytes) else "" for field in record.get("008")
    ]
    return sorted(said, key=lambda text: text.count(" "))


def _language(record: MarcRecord) -> str:
    told = [text[35:38] for text in _fixed_fields(record)]
    told += [text[:3] for field in record.get("041") for _, text in record.subfields(field, "a")]
    return next((code for code in told if code.isalpha() and code.isascii() and code.islower()), "")


def _call_number(record: MarcRecord) -> str:
    return next((said for tag in CALL_NUMBERS for field in record.get(tag) if (said := record.joined(field, "ab"))), "")


def _format(record: MarcRecord) -> str:
    kind, level = record.leader[6:7], record.leader[7:8]
    if kind == "a" and level in "bis":
        return "Journal"
    return _FORMATS.get(kind, "Book")
