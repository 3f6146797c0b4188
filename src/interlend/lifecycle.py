"""The one small table machine: a life cycle is a tuple of rows, and only a row changes a state.

Strategy: a house writes its rows as data (`Move(state, trigger, becomes, errands)`); everything else - what may be
pressed, what happens, the drawing in the documentation - is asked of the table. Pure Python, no Django, no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: from so many states on, a drawing shows one box for all of them instead of an arrow from each
MANY = 5


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

    def rows(self) -> list[tuple[tuple[str, ...], Move]]:
        """The table's rows, those that differ only in their state put together: (states, one of their moves)."""
        together: dict[tuple[str, str, tuple[str, ...]], list[Move]] = {}
        for move in self.moves:
            together.setdefault((move.trigger, move.becomes, move.errands), []).append(move)
        return [(tuple(move.state for move in moves), moves[0]) for moves in together.values()]

    def draw(self) -> str:
        """The table as a Mermaid state diagram (drawn by code hosts and by `interlend draw`).

        What is possible in many states starts at one box that names them, so that the drawing can be read.
        """
        arrows: dict[tuple[str, str], list[str]] = {}
        boxes: dict[tuple[str, ...], str] = {}
        for states, move in self.rows():
            starts = [boxes.setdefault(states, f"from_{len(boxes) + 1}")] if self._many(states) else states
            for start in starts:
                arrows.setdefault((start, move.becomes), []).append(move.trigger)
        lines = ["stateDiagram-v2"]
        lines += [f'    state "{self._named(states)}" as {box}' for states, box in boxes.items()]
        lines += [f"    [*] --> {state}" for state in self.initial]
        lines += [f"    {start} --> {becomes}: {' | '.join(how)}" for (start, becomes), how in arrows.items()]
        lines += [f"    {state} --> [*]" for state in self.final]
        return "\n".join(lines) + "\n"

    def _many(self, states: tuple[str, ...]) -> bool:
        return len(states) >= MANY or (len(states) > 2 and set(states) == set(self.open_states()))

    def _named(self, states: tuple[str, ...]) -> str:
        """The shortest true name of several states."""
        others = [state for state in self.states if state not in states]
        if set(states) == set(self.open_states()):
            return "any open state"
        if 2 * len(others) <= len(states):
            return f"any state but {', '.join(others)}"
        return ", ".join(states)
