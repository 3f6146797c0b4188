"""What peers say when they say no: the standard's words, those of the field, and words nobody has heard yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlend import ncip
from interlend.bridge.answers import MEANINGS, as_problem, meaning_of, says
from interlend.bridge.dialects import CHECKED_IN_ALREADY
from interlend.ncip.problems import GENERAL, MESSAGING, PROBLEMS
from interlend.sharing.host import HostProblem

OURS = ("LookupUser", "AcceptItem", "CheckOutItem", "CheckInItem", "LookupItem", "Problem")


def refusal(
    kind: str = "", detail: str | None = None, value: str | None = None,
    answer: type[ncip.Response] = ncip.AcceptItemResponse,
) -> HostProblem:  # fmt: skip
    problem = ncip.Problem(type=ncip.Code(kind) if kind else None, detail=detail, value=value)
    return as_problem(answer(problems=(problem,)), "Brook's system", "P1", "B1")


@pytest.mark.parametrize("service", ["LookupUser", "AcceptItem", "CheckOutItem", "CheckInItem", "LookupItem"])
def test_every_problem_of_the_standard_for_what_we_ask_means_something(service: str) -> None:
    values = (*PROBLEMS[service], *GENERAL, *MESSAGING)
    assert [value for value in values if value.casefold() not in MEANINGS] == []


def test_every_meaning_is_a_sentence_with_somebody_who_can_mend_it() -> None:
    for meaning in MEANINGS.values():
        sentence = meaning.sentence.format(host="H", user="U", item="I", words="W", detail="D")
        assert sentence[0].isupper() or sentence.startswith("H")
        assert "{" not in sentence
        assert meaning.remedy.endswith(".")


@pytest.mark.parametrize(
    ("kind", "detail", "value", "code"),
    [
        ("Unknown User", None, "P1", "unknown_patron"),
        ("unkown user", None, None, "unknown_patron"),  # Koha
        ("", None, "Did not find a user with that id", "unknown_patron"),  # FOLIO
        ("Problem performing checkout", "Item is already checked out", None, "not_lendable"),  # FOLIO
        ("Lookup User Failed", "Could not determine FromAgency", None, "connection_settings"),  # FOLIO
        ("UserBlocked", "PATRON_REQUIRES_MEMBERSHIP", None, "patron_blocked"),  # WorldShare
        ("Unknown Item", "UNKNOWN_ITEM", "91475/ABCDE", "unknown_item"),  # WorldShare
        ("User Unknown", None, None, "unknown_patron"),  # Alma
        ("Unknown partner", None, None, "connection_settings"),  # Alma
        ("Check Out Not Allowed - Item Has Outstanding Requests", None, None, "not_lendable"),  # Koha
        ("Pickup Library Invalid", None, None, "unknown_pickup"),  # Koha
        ("Service is not known", None, None, "connection_settings"),
        ("unknown-item", "Item not found", None, "unknown_item"),  # systems that write their words as codes
        ("temporary-processing-failure", "Failed to check in item", None, "host_busy"),
        ("USER_BLOCKED", None, None, "patron_blocked"),
        ("non-unique  user", None, None, "unknown_patron"),
        ("The moon is full", "Come back later", None, "refused_by_host"),
        ("", None, None, "refused_by_host"),
    ],
)
def test_the_words_of_the_field(kind: str, detail: str | None, value: str | None, code: str) -> None:
    assert refusal(kind, detail, value).code == code


def test_the_peers_own_words_stand_beside_ours() -> None:
    no = refusal("User Blocked", "User has debt of 12.50")
    assert no.sentence == (
        "Brook's system: P1 is blocked or may not borrow this. (It says: User Blocked - User has debt of 12.50.)"
    )
    assert no.remedy.startswith("Circulation desk")
    assert no.lasting


def test_words_that_nobody_knows_are_shown_as_they_are() -> None:
    no = refusal("The moon is full", "Come back later.")
    assert no.sentence == "Brook's system refused: The moon is full - Come back later."
    assert no.lasting
    assert refusal().sentence == "Brook's system refused: it gave no reason."


def test_busy_is_passing() -> None:
    no = refusal("Temporary Processing Failure")
    assert (no.code, no.lasting) == ("host_busy", False)


def test_at_check_out_the_unknown_user_is_the_account() -> None:
    no = refusal("Unknown User", answer=ncip.CheckOutItemResponse)
    assert no.code == "no_account"
    assert no.sentence.startswith("Brook's system does not know the account P1.")
    assert "Partners" in no.remedy


def test_an_answer_says_a_word_only_if_all_its_problems_do() -> None:
    not_out, blocked = (ncip.Problem(type=ncip.Code(word)) for word in ("Item Not Checked Out", "User Blocked"))
    assert says(ncip.CheckInItemResponse(problems=(not_out,)), CHECKED_IN_ALREADY)
    assert not says(ncip.CheckInItemResponse(problems=(not_out, blocked)), CHECKED_IN_ALREADY)
    assert not says(ncip.CheckInItemResponse(), CHECKED_IN_ALREADY)


def test_what_real_systems_refused_is_understood(shared: Path) -> None:
    """Every problem in the real answers at hand to what we ask; a problem without a word has nothing to understand."""
    unheard = []
    for path in sorted((shared / "wire").rglob("*.xml")):
        if "iso18626" in path.parent.name:
            continue
        try:
            answer = ncip.decode(path.read_bytes())
        except ncip.ProtocolError:
            continue
        if isinstance(answer, ncip.Response) and answer.service.removesuffix("Response") in OURS:
            unheard += [
                (path.name, one) for one in answer.problems
                if meaning_of(one) is None and one.type
            ]  # fmt: skip
    assert unheard == []
