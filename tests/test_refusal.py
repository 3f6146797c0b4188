"""Refusals: two houses, one machinery, and a sentence that is filled last of all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from interlend import refusal
from interlend.circulation import errors as circulation
from interlend.sharing import errors as sharing


def test_a_refusal_says_why_and_who_can_mend_it() -> None:
    no = circulation.refuse("unknown_item", barcode="31-7")
    assert (no.code, no.reasons[0].facts) == ("unknown_item", {"barcode": "31-7"})
    assert no.sentence == str(no) == "No item of this library has the barcode 31-7."
    assert no.remedy == "Check the barcode, or add the item."


def test_several_reasons_are_all_said_and_each_thing_to_do_once() -> None:
    blocked = circulation.Reason("patron_blocked", {"name": "Nia", "since": " since 3 May 2027", "why": ""})
    twice = circulation.Refused(blocked, circulation.Reason("patron_expired", {"name": "Nia", "day": "4 May"}), blocked)
    assert twice.code == "patron_blocked"
    assert twice.sentence.count("The account of Nia is blocked since 3 May 2027.") == 2
    assert twice.remedy == (
        "Circulation desk: open the account and lift the block. Circulation desk: open the account and extend it."
    )


def test_one_house_does_not_catch_the_refusals_of_the_other() -> None:
    no = sharing.refuse("no_title")
    assert isinstance(no, refusal.Refused)
    assert not isinstance(no, circulation.Refused)
    assert no.sentence == "A request needs a title."


def test_a_door_may_translate_the_template_before_it_is_filled() -> None:
    def in_latin(template: str, facts: Mapping[str, object]) -> str:
        known = {
            "Check the barcode, or add the item.": "Signum inspice aut librum adde.",
            "No item of this library has the barcode {barcode}.": "{barcode}: nullus liber huius bibliothecae.",
        }
        return known[template].format_map(facts)

    no = circulation.refuse("unknown_item", barcode="31-7")
    assert no.why(in_latin) == "31-7: nullus liber huius bibliothecae."
    assert no.mended(in_latin) == "Signum inspice aut librum adde."
    assert no.sentence == "No item of this library has the barcode 31-7."


def test_a_reason_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        sharing.refuse("unknown_item", barcode="31-7")
