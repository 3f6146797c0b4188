"""`interlend draw`: the page in docs/ is what the tables say, `--check` tells when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interlend import cli
from interlend.circulation import lifecycles as circulation
from interlend.cli import draw
from interlend.lifecycle import Lifecycle
from interlend.notices import lifecycles as notices
from interlend.outbox import lifecycles as outbox
from interlend.sharing import lifecycles as sharing


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["draw", *words])


def test_the_drawings_in_docs_are_what_the_tables_say() -> None:
    done = run("--check")
    assert done.exit_code == 0, done.output


def test_every_table_is_drawn() -> None:
    rooms = (circulation, sharing, outbox, notices)
    tables = [each for room in rooms for each in vars(room).values() if isinstance(each, Lifecycle)]
    drawn = [table for _, table in draw.TABLES.values()]
    assert sorted(table.name for table in drawn) == sorted(table.name for table in tables)
    for table in tables:
        assert table.draw() in draw.page()


def test_the_rows_below_a_drawing_are_all_of_the_table() -> None:
    for heading, (_, table) in draw.TABLES.items():
        part = draw.page().split(f"## {heading}\n")[1].split("\n## ")[0]
        rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")][1:]
        told = {(state, row[1].strip("`")) for row in rows for state in row[0].split(", ")}
        assert told == {(move.state, move.trigger) for move in table.moves}, heading
        assert {errand.strip("`") for row in rows for errand in (row[3:] or [""])[0].split(", ")} - {""} == set(
            table.errands
        )


def test_an_old_page_is_told_and_then_drawn_anew(tmp_path: Path) -> None:
    old = tmp_path / "docs" / "page.md"
    assert run("--check", "--to", str(old)).exit_code == 1
    assert not old.exists()
    assert "now shows 9 tables" in run("--to", str(old)).output
    assert run("--check", "--to", str(old)).exit_code == 0
    old.write_text(old.read_text(encoding="utf-8").replace("desk.trap", "desk.drop"), encoding="utf-8")
    done = run("--check", "--to", str(old))
    assert done.exit_code == 1
    assert "is not what the tables say: run “interlend draw”" in done.output


def test_without_a_checkout_a_file_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(draw.interlend, "__file__", str(tmp_path / "a" / "b" / "interlend" / "__init__.py"))
    done = run()
    assert done.exit_code == 2
    assert "name a file with --to" in done.output
