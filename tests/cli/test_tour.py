"""`interlend tour`: every numbered step, on data of its own, and an exit code that can be trusted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from interlend.cli._tour.people import NotSeen, expect, expect_not
from interlend.cli._tour.steps import STEPS

NUMBERS = {*(f"B{n}" for n in range(1, 18)), *(f"L{n}" for n in range(1, 10)), "C1"}


def test_the_tour_has_every_step_of_the_workflow_once() -> None:
    assert sorted(number for number, _, _ in STEPS) == sorted(NUMBERS)


def test_the_tour_is_played_to_its_end_and_touches_nobodys_data(tmp_path: Path) -> None:
    own = tmp_path / "own"
    played = subprocess.run(
        [sys.executable, "-c", "from interlend.cli import main; main()", "tour"],
        env=os.environ | {"INTERLEND_DATA": str(own), "DJANGO_SETTINGS_MODULE": "interlend.settings"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert played.returncode == 0, played.stdout + played.stderr
    done = {line.split()[0] for line in played.stdout.splitlines() if "  done" in line}
    assert done == NUMBERS
    assert not list(own.glob("*.sqlite3*"))


def test_what_is_not_seen_stops_the_tour() -> None:
    assert expect("one two", "two") == "“two”"
    with pytest.raises(NotSeen, match="three"):
        expect("one two", "three")
    with pytest.raises(NotSeen, match="should not be there"):
        expect_not("one two", "two")
