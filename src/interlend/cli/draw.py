"""`interlend draw`: every table of states, drawn into docs/lifecycles.md; `--check` only says whether it is up to date.

Strategy: the tables in `lifecycles.py` are the truth and draw themselves (Mermaid, which code hosts show as pictures);
below each drawing stand its rows with the errands they owe. A test keeps the page equal to the tables.
"""

from __future__ import annotations

from pathlib import Path

import click

import interlend
from interlend.circulation.lifecycles import HOLD, ITEM, LOAN
from interlend.lifecycle import Lifecycle
from interlend.notices.lifecycles import LETTER
from interlend.outbox.lifecycles import ERRAND
from interlend.sharing.lifecycles import BORROWING, BORROWING_COPY, LENDING, LENDING_COPY

#: heading -> what it is the life of, and the table
TABLES: dict[str, tuple[str, Lifecycle]] = {
    "Item": ("A physical piece in circulation, our own or temporary.", ITEM),
    "Hold": ("A patron waits for an item or for any copy of a title.", HOLD),
    "Loan": ("An item is out to a patron, or to an institution.", LOAN),
    "Borrowing a loan": ("Our request for another library's book (workflow B1-B17).", BORROWING),
    "Lending a loan": ("Another library's request for our book (workflow L1-L9).", LENDING),
    "Borrowing a copy": ("Our request for a copy; circulation hears nothing of it (C1).", BORROWING_COPY),
    "Lending a copy": ("Another library's request for a copy (C1).", LENDING_COPY),
    "Errand": ("Something that one party must still be told, and whether it was.", ERRAND),
    "Letter": ("A notice to a patron.", LETTER),
}
HEAD = """\
# Life cycles

<!-- Made by `interlend draw` from the tables in lifecycles.py; change those and run it again. -->

A state changes only by a row of one of these tables. A trigger is `party.verb`: *staff* and *desk* are people at
work, *patron* a patron, *host* a library's circulation system, *supplier* and *requester* the library on the other side
of a request, *worker*, *handler*, *mail* and *clock* the program itself. An errand is what is then owed: to the host or
to the partner. Where something is possible in many states, the drawing has one box for all of them.
"""


def page() -> str:
    """The whole page, as it must stand in docs/lifecycles.md."""
    parts = [
        f"## {heading}\n\n{about}\n\n```mermaid\n{table.draw()}```\n\n{_rows(table)}"
        for heading, (about, table) in TABLES.items()
    ]
    return "\n".join([HEAD, *parts])


def _rows(table: Lifecycle) -> str:
    owes = bool(table.errands)
    lines = [
        "| when | happens | it becomes |" + (" and owes |" if owes else ""),
        "|---|---|---|" + ("---|" if owes else ""),
    ]
    for states, move in table.rows():
        cells = [", ".join(states), f"`{move.trigger}`", move.becomes if set(states) != {move.becomes} else "the same"]
        cells += [", ".join(f"`{errand}`" for errand in move.errands)] if owes else []
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def place() -> Path:
    """docs/lifecycles.md of the checkout that this program runs from; raises where it was installed without one."""
    root = Path(interlend.__file__ or ".").resolve().parents[2]
    if not (root / "pyproject.toml").is_file():
        raise click.UsageError("This is no checkout of Interlend, so there is no docs folder: name a file with --to.")
    return root / "docs" / "lifecycles.md"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; end with 1 where the page is not what the tables say.")
@click.option("--to", type=click.Path(path_type=Path), help="The file to write (default: docs/lifecycles.md).")
def command(check: bool, to: Path | None) -> None:
    """Draw the tables of states into docs/lifecycles.md."""
    path, now = to or place(), page()
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    if before == now:
        click.echo(f"{path} is what the tables say.")
    elif check:
        raise click.ClickException(f"{path} is not what the tables say: run “interlend draw”.")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now, encoding="utf-8")
        click.echo(f"{path} now shows {len(TABLES)} tables.")
