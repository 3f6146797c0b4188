"""The house's tables agree with each other and with the code: states, errands, buttons, messages, words, reasons.

Strategy: what is data is asked of the data; what is code is read with `ast`, so that a word that no table knows is
found before somebody presses the button that needs it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from string import Formatter
from types import ModuleType

import pytest
from django.apps import apps
from django.db.models import CharField, Model

import interlend
from interlend import wiring
from interlend.circulation import errors as circulation_errors
from interlend.circulation import facts as circulation_facts
from interlend.lifecycle import Lifecycle
from interlend.sharing import errors as sharing_errors
from interlend.sharing import facts as sharing_facts
from interlend.sharing.lifecycles import BORROWING, BORROWING_COPY, LENDING, LENDING_COPY, LIFECYCLES
from interlend.sharing.policies import BUTTONS, STATE_WORDS, buttons
from interlend.sharing.services import FROM_REQUESTER

SOURCE = Path(interlend.__file__ or "").parent
ROOMS = sorted(str(file.parent.relative_to(SOURCE)) for file in SOURCE.glob("*/lifecycles.py"))


def tables_of(room: str) -> list[Lifecycle]:
    found = import_module(f"interlend.{room}.lifecycles")
    return [each for each in vars(found).values() if isinstance(each, Lifecycle)]


TABLES = {table.name: table for room in ROOMS for table in tables_of(room)}
SIDES = {name: table for name, table in TABLES.items() if table in LIFECYCLES.values()}
PARTIES = {"staff", "desk", "patron", "host", "supplier", "requester", "clock", "worker", "handler", "mail"}


# --- reading the code -------------------------------------------------------------------------------------------


@cache
def parsed() -> dict[str, ast.Module]:
    """Every module of ours but migrations: path below the package -> its tree."""
    files = (file for file in sorted(SOURCE.rglob("*.py")) if "migrations" not in file.parts)
    return {str(file.relative_to(SOURCE)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


@dataclass(frozen=True)
class Call:
    """One call in the code, with the room's module that its name was imported from ("" where it was not)."""

    where: str
    node: ast.Call
    origin: str

    @property
    def keywords(self) -> set[str]:
        return {word.arg for word in self.node.keywords if word.arg}

    @property
    def has_more(self) -> bool:
        """Whether it passes on a dictionary whose words cannot be read here."""
        return any(word.arg is None for word in self.node.keywords)


def calls(name: str) -> Iterator[Call]:
    """Every call of a function or method called `name`."""
    for where, tree in parsed().items():
        origins = {
            alias.asname or alias.name: node.module or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called == name:
                    yield Call(f"{where}:{node.lineno}", node, origins.get(called, ""))


def constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@cache
def words_in_code() -> frozenset[str]:
    """Every string in the code but those in tables of states; an f-string counts as the pattern "{}.cancel"."""
    found: set[str] = set()
    for where, tree in parsed().items():
        if where.endswith("lifecycles.py"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            if isinstance(node, ast.JoinedStr):
                parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
                found.add("".join(parts))
    return frozenset(found)


def is_said(trigger: str) -> bool:
    return trigger in words_in_code() or f"{{}}.{trigger.split('.')[1]}" in words_in_code()


def placeholders(*sentences: str) -> set[str]:
    return {name for text in sentences for _, name, _, _ in Formatter().parse(text) if name}


# --- every table by itself --------------------------------------------------------------------------------------


def reachable(table: Lifecycle, starts: tuple[str, ...]) -> set[str]:
    found, waiting = set(starts), list(starts)
    while waiting:
        state = waiting.pop()
        for move in table.moves:
            if move.state == state and move.becomes not in found:
                found.add(move.becomes)
                waiting.append(move.becomes)
    return found


def test_there_are_tables_in_every_room_that_should_have_them() -> None:
    assert ROOMS == ["circulation", "notices", "outbox", "sharing"]
    assert len(TABLES) >= 9


@pytest.mark.parametrize("name", TABLES)
def test_every_state_can_be_reached(name: str) -> None:
    table = TABLES[name]
    assert reachable(table, table.initial) == set(table.states)


@pytest.mark.parametrize("name", TABLES)
def test_no_dead_end_but_the_final_states(name: str) -> None:
    table = TABLES[name]
    for state in table.states:
        assert reachable(table, (state,)) & set(table.final), f"from {state} there is no way to an end"
    assert set(table.final) <= set(table.states)
    assert set(table.initial) <= set(table.states)


@pytest.mark.parametrize("name", TABLES)
def test_every_trigger_is_somebodys_verb(name: str) -> None:
    for move in TABLES[name].moves:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", move.trigger), move
        assert move.trigger.split(".")[0] in PARTIES, move


def test_no_two_tables_have_one_name() -> None:
    assert sum(len(tables_of(room)) for room in ROOMS) == len(TABLES)


def test_a_row_can_be_in_the_states_of_its_rooms_tables_only() -> None:
    """And where its `state` column has a default, a table of the room begins there."""
    models = [model for model in apps.get_models() if model._meta.app_label in ROOMS and state_of(model) is not None]
    assert len(models) >= len(ROOMS)
    for model in models:
        column, tables = state_of(model), tables_of(model._meta.app_label)
        assert column is not None
        assert {value for value, _ in column.flatchoices} <= {state for table in tables for state in table.states}
        assert not column.has_default() or column.default in {state for table in tables for state in table.initial}


def state_of(model: type[Model]) -> CharField | None:
    found = {field.name: field for field in model._meta.get_fields()}.get("state")
    return found if isinstance(found, CharField) else None


# --- errands ----------------------------------------------------------------------------------------------------


def owed() -> dict[str, str]:
    """Every errand that somebody owes: verb -> where it says so."""
    found = {verb: table.name for table in TABLES.values() for verb in table.errands}
    found |= {verb: f"HEARERS[{kind}]" for kind, verbs in wiring.HEARERS.items() for verb in verbs}
    for call in calls("owe"):
        if verb := constant(call.node.args[0] if call.node.args else None):
            found[verb] = call.where
    return found


def test_every_errand_has_a_handler_and_every_handler_is_owed() -> None:
    assert set(owed()) - set(wiring.ERRANDS) == set(), "owed, but nobody runs it"
    assert set(wiring.ERRANDS) - set(owed()) == set(), "has a handler, but nobody owes it"
    assert all(callable(handler) for handler in wiring.ERRANDS.values())


def test_what_is_heard_is_an_event_that_somebody_records() -> None:
    for kind in wiring.HEARERS:
        assert kind in kinds_of(circulation_facts) | kinds_of(sharing_facts), kind
        assert is_recorded(kind), f"nobody records {kind}"


# --- buttons and messages ---------------------------------------------------------------------------------------


def test_every_staff_trigger_has_a_button_and_every_button_a_trigger() -> None:
    triggers = {move.trigger for table in SIDES.values() for move in table.moves if move.trigger.startswith("staff.")}
    assert triggers == set(BUTTONS)
    for (side, service), table in LIFECYCLES.items():
        for state in table.states:
            allowed = set(table.triggers(state, "staff"))
            assert {button.trigger for button in buttons(side, service, state)} == allowed, (side, service, state)


def test_every_state_of_a_request_has_a_word() -> None:
    assert {state for table in SIDES.values() for state in table.states} == set(STATE_WORDS)


PAIRS = {"loan": (BORROWING, LENDING), "copy": (BORROWING_COPY, LENDING_COPY)}


@pytest.mark.parametrize("service", PAIRS)
def test_what_one_side_tells_the_other_side_hears(service: str) -> None:
    """`partner.received` owed by the borrower is `requester.received` at the lender, and the other way round."""
    borrowing, lending = PAIRS[service]
    assert told_by(borrowing) == heard_by(lending, "requester")
    assert told_by(lending) == heard_by(borrowing, "supplier")


def told_by(table: Lifecycle) -> set[str]:
    return {errand.removeprefix("partner.") for errand in table.errands if errand.startswith("partner.")}


def heard_by(table: Lifecycle, party: str) -> set[str]:
    triggers = (move.trigger for move in table.moves)
    # a first request begins the lender's row, it does not move one
    begins = {"request"} if party == "requester" else set()
    return {t.removeprefix(f"{party}.") for t in triggers if t.startswith(f"{party}.")} | begins


def test_whose_message_it_is_can_be_told_by_its_verb() -> None:
    from_requester = {verb for borrowing, _ in PAIRS.values() for verb in told_by(borrowing)}
    from_supplier = {verb for _, lending in PAIRS.values() for verb in told_by(lending)}
    assert set(FROM_REQUESTER) == from_requester
    assert not from_requester & from_supplier


@pytest.mark.parametrize("name", [name for name in TABLES if name not in SIDES])
def test_every_trigger_is_pulled_by_some_code(name: str) -> None:
    """A row whose trigger no code ever says is a promise that nobody keeps."""
    assert not {move.trigger for move in TABLES[name].moves if not is_said(move.trigger)}


# --- sentences --------------------------------------------------------------------------------------------------


def kinds_of(facts: ModuleType) -> set[str]:
    room = facts.__name__.split(".")[1]
    return {value for name, value in vars(facts).items() if name.isupper() and str(value).startswith(f"{room}.")}


def recorded() -> Iterator[tuple[str, Call]]:
    """(the constant's name, the call) of every event that is recorded under a constant of `facts`."""
    for call in calls("record"):
        kind = call.node.args[0] if call.node.args else None
        for name in ast.walk(kind) if kind is not None else ():
            if isinstance(name, ast.Attribute) and name.attr.isupper():
                yield name.attr, call


def is_recorded(kind: str) -> bool:
    names = {
        name for facts in (circulation_facts, sharing_facts) for name, value in vars(facts).items() if value == kind
    }
    return bool(
        names & {node.attr for tree in parsed().values() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    )


def test_every_kind_of_event_in_circulation_has_a_sentence_and_is_recorded() -> None:
    kinds = kinds_of(circulation_facts)
    assert set(circulation_facts.SENTENCES) == kinds
    assert [kind for kind in kinds if not is_recorded(kind)] == []


def test_every_move_of_a_request_has_a_sentence() -> None:
    triggers = {move.trigger for table in SIDES.values() for move in table.moves} | {"requester.request"}
    assert set(sharing_facts.SENTENCES) == triggers


def test_other_events_of_sharing_bring_their_sentence() -> None:
    for name, call in recorded():
        if call.where.startswith("sharing/") and name != "MOVED":
            assert "sentence" in call.keywords, call.where


def test_an_event_brings_the_words_that_its_sentence_needs() -> None:
    wrong = []
    for name, call in recorded():
        text = circulation_facts.SENTENCES.get(getattr(circulation_facts, name, ""), "")
        if call.where.startswith("circulation/") and not call.has_more:
            # `request` is a column of the event, not one of its words
            missing = placeholders(text) - call.keywords
            wrong += [f"{call.where}: {name} needs {', '.join(sorted(missing))}"] if missing else []
    assert wrong == []


# --- reasons ----------------------------------------------------------------------------------------------------

HOUSES = {"interlend.circulation.errors": circulation_errors, "interlend.sharing.errors": sharing_errors}


def refusals() -> Iterator[tuple[Call, ModuleType, str]]:
    """Every `refuse("code", …)`: the call, the house whose reason it is, and the code."""
    for call in calls("refuse"):
        house = HOUSES.get(call.origin)
        code = constant(call.node.args[0] if call.node.args else None)
        if house is not None and code is not None:
            yield call, house, code


def test_refusals_are_read_at_all() -> None:
    """The checks below would be empty if the code refused in another manner."""
    assert len(list(refusals())) > 40


def test_every_reason_that_code_gives_is_in_the_table_and_has_its_words() -> None:
    wrong = []
    for call, house, code in refusals():
        if code not in house.REASONS:
            wrong.append(f"{call.where}: there is no reason {code}")
            continue
        needed = placeholders(*house.REASONS[code])
        if missing := needed - call.keywords if not call.has_more else set():
            wrong.append(f"{call.where}: {code} needs {', '.join(sorted(missing))}")
        if extra := call.keywords - needed:
            wrong.append(f"{call.where}: no sentence of {code} says {', '.join(sorted(extra))}")
    assert wrong == []


def test_every_reason_made_by_a_policy_is_in_the_table() -> None:
    for call in calls("Reason"):
        if (house := HOUSES.get(call.origin)) is None:
            continue
        code = constant(call.node.args[0] if call.node.args else None)
        facts = call.node.args[1] if len(call.node.args) > 1 else None
        assert code is None or code in house.REASONS, call.where
        if code and isinstance(facts, ast.Dict):
            keys = {constant(key) for key in facts.keys}
            assert placeholders(*house.REASONS[code]) <= keys, call.where


@pytest.mark.parametrize("house", HOUSES)
def test_every_reason_is_given_by_somebody(house: str) -> None:
    assert [code for code in HOUSES[house].REASONS if code not in words_said_as_reasons()] == []


@cache
def words_said_as_reasons() -> frozenset[str]:
    """Every string in the code outside the tables of reasons themselves."""
    found = set()
    for where, tree in parsed().items():
        if not where.endswith("errors.py") and not where.startswith("bridge/problems"):
            found |= {
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    return frozenset(found)


@pytest.mark.parametrize("house", HOUSES)
def test_a_reason_is_a_sentence_and_says_who_can_mend_it(house: str) -> None:
    for code, (why, remedy) in HOUSES[house].REASONS.items():
        facts = dict.fromkeys(placeholders(why, remedy), "Something.")
        reason = HOUSES[house].Reason(code, facts)
        assert reason.sentence.endswith((".", "?")), code
        assert reason.remedy.endswith("."), code
