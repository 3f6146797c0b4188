"""The import contracts bite: each kind of breach, tried on a copy of the house, fails the check that names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


def check(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-logo", "--no-cache", "--config", ROOT / "pyproject.toml"],
        env=os.environ | {"PYTHONPATH": str(house), "COLUMNS": "200"},
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package that a test may spoil."""
    shutil.copytree(
        ROOT / "src" / "interlend",
        tmp_path / "interlend",
        ignore=shutil.ignore_patterns("__pycache__", "templates", "static", "demo", "locale"),
    )
    return tmp_path


def test_the_house_as_it_stands_keeps_every_contract() -> None:
    found = check(ROOT / "src")
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("where", "what", "contract"),
    [
        ("circulation/extra.py", "import interlend.sharing.models", "Imports go down the stairs"),
        ("sharing/extra.py", "import interlend.bridge", "Imports go down the stairs"),
        ("notices/extra.py", "import interlend.bridge", "Imports go down the stairs"),
        ("utils.py", "", "Imports go down the stairs"),
        ("core/__init__.py", "", "Imports go down the stairs"),
        ("lifecycle.py", "import django.db", "The ground and all pure rules know no Django"),
        ("refusal.py", "from django.utils.translation import gettext", "The ground and all pure rules know no Django"),
        ("refusal.py", "import interlend.sharing.errors", "Imports go down the stairs"),
        ("sharing/policies.py", "from django.utils import timezone", "The ground and all pure rules know no Django"),
        ("circulation/lifecycles.py", "from . import models", "The ground and all pure rules know no Django"),
        ("sharing/partner.py", "import interlend.sharing.models", "The ground and all pure rules know no Django"),
        ("web/extra.py", "import interlend.ncip", "Only the bridge speaks the protocols"),
        ("circulation/extra.py", "from interlend.ncip import wire", "Only the bridge speaks the protocols"),
    ],
)
def test_a_breach_is_found_and_named(house: Path, where: str, what: str, contract: str) -> None:
    path = house / "interlend" / where
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"\n{what}\n")
    found = check(house)
    assert found.returncode == 1, found.stdout
    assert f"{contract} BROKEN" in found.stdout


def test_every_codec_that_is_built_is_protected() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    protected = {name for contract in contracts for name in contract.get("protected_modules", [])}
    pure = {name for contract in contracts if contract["type"] == "forbidden" for name in contract["source_modules"]}
    built = {f"interlend.{name}" for name in ("ncip", "iso18626") if (ROOT / "src/interlend" / name).is_dir()}
    assert built
    assert built <= protected
    assert built <= pure
