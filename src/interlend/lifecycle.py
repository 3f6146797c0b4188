"""The one small table machine: a life cycle is a tuple of rows, and only a row changes a state.

Strategy: a house writes its rows as data (`Move(state, trigger, becomes, errands)`); everything else - what may be
pressed, what happens, the drawing in the documentation - is asked of the table. Pure Python, no Django, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Move:
    """One row: in `state`, on `trigger` (`party.verb`), the subject becomes `becomes` and owes `errands`."""

    state: str
    trigger: str
    becomes: str
    errands: tuple[str, ...] = ()


class NoSuchMove(Exception):
    """The table has no row for this state and trigger.

    Carries `lifecycle`, `state`, `trigger` and `allowed` (the triggers the table does have for the state), so that a
    door can say what is possible instead.
    """

    def __init__(self, lifecycle: str, state: str, trigger: str, allowed: tuple[str, ...]) -> None:
        self.lifecycle, self.state, self.trigger, self.allowed = lifecycle, state, trigger, allowed
        super().__init__(
            f"{lifecycle}: {trigger} is not possible when {state}; possible: {', '.join(allowed) or 'nothing'}"
        )


@dataclass(frozen=True)
class Lifecycle:
    """A named table. `initial` are the states a subject may begin in, `final` those it may end in."""

    name: str
    initial: tuple[str, ...]
    final: tuple[str, ...]
    moves: tuple[Move, ...]
    _by_key: dict[tuple[str, str], Move] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_key: dict[tuple[str, str], Move] = {}
        for move in self.moves:
            key = (move.state, move.trigger)
            if key in by_key:
                raise ValueError(f"{self.name}: two rows for {key}")
            by_key[key] = move
        object.__setattr__(self, "_by_key", by_key)

    def move(self, state: str, trigger: str) -> Move:
        """The row for `state` and `trigger`; raises `NoSuchMove` where there is none."""
        try:
            return self._by_key[state, trigger]
        except KeyError:
            raise NoSuchMove(self.name, state, trigger, self.triggers(state)) from None

    def allows(self, state: str, trigger: str) -> bool:
        return (state, trigger) in self._by_key

    def triggers(self, state: str, party: str = "") -> tuple[str, ...]:
        """What may happen in `state`, in table order; only `party`'s triggers where one is named."""
        prefix = f"{party}." if party else ""
        return tuple(m.trigger for m in self.moves if m.state == state and m.trigger.startswith(prefix))

    @property
    def states(self) -> tuple[str, ...]:
        """Every state the table names, in the order of first appearance."""
        seen = dict.fromkeys(self.initial)
        for move in self.moves:
            seen |= dict.fromkeys((move.state, move.becomes))
        return tuple(seen | dict.fromkeys(self.final))

    @property
    def errands(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(errand for move in self.moves for errand in move.errands))

    def open_states(self) -> tuple[str, ...]:
        return tuple(state for state in self.states if state not in self.final)

    def draw(self) -> str:
        """The table as a Mermaid state diagram (drawn by code hosts and by `interlend draw`)."""
        lines = ["stateDiagram-v2"]
        lines += [f"    [*] --> {state}" for state in self.initial]
        for (state, becomes), moves in _grouped(self.moves):
            label = " | ".join(_label(move) for move in moves)
            lines.append(f"    {state} --> {becomes}: {label}")
        lines += [f"    {state} --> [*]" for state in self.final]
        return "\n".join(lines) + "\n"


def _label(move: Move) -> str:
    return move.trigger + (f" [{', '.join(move.errands)}]" if move.errands else "")


def _grouped(moves: Iterable[Move]) -> list[tuple[tuple[str, str], list[Move]]]:
    groups: dict[tuple[str, str], list[Move]] = {}
    for move in moves:
        groups.setdefault((move.state, move.becomes), []).append(move)
    return list(groups.items())
