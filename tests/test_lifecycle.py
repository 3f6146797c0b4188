"""The table machine itself: moves, refusals, what it tells of a table, what it draws. No database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlend.lifecycle import MANY, Lifecycle, Move, NoSuchMove

BOOK = Lifecycle(
    name="book",
    initial=("new",),
    final=("gone", "sold"),
    moves=(
        Move("new", "staff.lend", "out", ("host.tell", "partner.tell")),
        Move("out", "patron.return", "new"),
        Move("out", "staff.note", "out", ("host.tell",)),
        Move("new", "staff.drop", "gone"),
        Move("out", "staff.drop", "gone"),
        Move("new", "clock.sell", "sold"),
    ),
)


def test_a_move_is_the_row_of_its_state_and_trigger() -> None:
    move = BOOK.move("new", "staff.lend")
    assert (move.becomes, move.errands) == ("out", ("host.tell", "partner.tell"))
    assert BOOK.allows("out", "patron.return")
    assert not BOOK.allows("new", "patron.return")


def test_a_move_that_is_no_row_says_what_is_possible() -> None:
    with pytest.raises(NoSuchMove) as no:
        BOOK.move("out", "staff.lend")
    assert (no.value.lifecycle, no.value.state, no.value.trigger) == ("book", "out", "staff.lend")
    assert no.value.allowed == ("patron.return", "staff.note", "staff.drop")
    assert str(no.value) == (
        "book: staff.lend is not possible when out; possible: patron.return, staff.note, staff.drop"
    )
    with pytest.raises(NoSuchMove, match="possible: nothing"):
        BOOK.move("gone", "staff.lend")


def test_two_rows_for_one_state_and_trigger_are_refused() -> None:
    with pytest.raises(ValueError, match=r"book: two rows for \('a', 'x'\)"):
        Lifecycle("book", ("a",), ("b",), (Move("a", "x", "b"), Move("a", "x", "a")))


def test_what_a_table_tells_of_itself() -> None:
    assert BOOK.states == ("new", "out", "gone", "sold")
    assert BOOK.open_states() == ("new", "out")
    assert BOOK.errands == ("host.tell", "partner.tell")
    assert BOOK.triggers("out") == ("patron.return", "staff.note", "staff.drop")
    assert BOOK.triggers("out", "staff") == ("staff.note", "staff.drop")
    assert BOOK.triggers("out", "sta") == ()
    assert BOOK.triggers("nowhere") == ()


def test_rows_that_differ_in_their_state_only_are_told_together() -> None:
    assert [(states, move.trigger) for states, move in BOOK.rows()] == [
        (("new",), "staff.lend"), (("out",), "patron.return"), (("out",), "staff.note"),
        (("new", "out"), "staff.drop"), (("new",), "clock.sell"),
    ]  # fmt: skip


def test_the_drawing() -> None:
    assert BOOK.draw().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> new",
        "    new --> out: staff.lend",
        "    out --> new: patron.return",
        "    out --> out: staff.note",
        "    new --> gone: staff.drop",
        "    out --> gone: staff.drop",
        "    new --> sold: clock.sell",
        "    gone --> [*]",
        "    sold --> [*]",
    ]


def test_many_states_share_a_box() -> None:
    letters = tuple("abcdef")
    table = Lifecycle(
        "letters", ("a",), ("z",),
        (
            *(Move(each, "staff.close", "z") for each in letters),
            *(Move(each, "clock.close", "z") for each in letters),
            *(Move(each, "staff.back", "a") for each in letters[1:]),
            *(Move(each, "staff.on", "f") for each in letters[:4]),
        ),
    )  # fmt: skip
    drawn = table.draw()
    assert 'state "any open state" as from_1' in drawn
    assert 'state "any state but a, z" as from_2' in drawn
    assert "from_1 --> z: staff.close | clock.close" in drawn
    assert "from_2 --> a: staff.back" in drawn
    assert drawn.count("staff.on") == 4


STATES = st.sampled_from("abcdefgh")
TRIGGERS = st.sampled_from(["staff.x", "staff.y", "host.x", "clock.z"])
MOVES = st.lists(
    st.builds(Move, STATES, TRIGGERS, STATES, st.sampled_from([(), ("host.tell",)])),
    unique_by=lambda move: (move.state, move.trigger),
)


@given(MOVES)
def test_no_row_is_lost_in_rows_or_drawing(moves: list[Move]) -> None:
    table = Lifecycle("any", ("a",), ("h",), tuple(moves))
    told = [(state, move.trigger, move.becomes, move.errands) for states, move in table.rows() for state in states]
    assert sorted(told) == sorted((move.state, move.trigger, move.becomes, move.errands) for move in moves)
    arrows = [line.strip() for line in table.draw().splitlines() if " --> " in line and ": " in line]
    for states, move in table.rows():
        starts = len([line for line in arrows if f" --> {move.becomes}: " in line and move.trigger in line])
        assert starts >= 1
        if len(states) >= MANY:
            assert any(line.startswith("from_") and move.trigger in line for line in arrows)
