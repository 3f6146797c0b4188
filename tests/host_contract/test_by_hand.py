"""The part of the contract that a person fulfils: nothing is done, everything needed to do it is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interlend.bridge.host_by_hand import REMEDY, HostByHand
from interlend.sharing.host import HostCirculation, HostProblem, HostUnknown, LooksBack, LookupUser
from tests.host_contract.test_contract import ACCEPT, LEND, CheckInItem

HOST: HostCirculation = HostByHand()


def test_a_patron_is_taken_at_their_word() -> None:
    user = HOST.lookup_user(LookupUser("P1"))
    assert (user.barcode, user.name, user.blocks) == ("P1", "P1", ())


@pytest.mark.parametrize(
    ("step", "facts"),
    [
        (lambda: HOST.accept_item(ACCEPT), ("B1", "Friendly fire", "Brook Public Library", "3 May 2027", "P1", "MAIN")),
        (lambda: HOST.check_out_item(LEND), ("A1", "Brook Public Library", "INST-BRK", "1 June 2027")),
        (lambda: HOST.check_in_item(CheckInItem("BRK-1", "A1")), ("A1", "BRK-1")),
    ],
    ids=["accept", "check out", "check in"],
)
def test_a_step_waits_for_a_person_and_says_all_that_is_needed(step: Callable[[], object], facts: tuple[str]) -> None:
    with pytest.raises(HostProblem) as asked:
        step()
    assert asked.value.lasting
    assert asked.value.code == "by_hand"
    assert asked.value.remedy == REMEDY
    assert not isinstance(asked.value, HostUnknown)
    for fact in facts:
        assert fact in asked.value.sentence


def test_nobody_asks_a_person_whether_it_happened() -> None:
    assert not isinstance(HOST, LooksBack)
