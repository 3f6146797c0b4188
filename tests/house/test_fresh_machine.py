"""What a newcomer's machine meets: `make` explains itself, pins are whole, what is missing is told in a sentence."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.txt", "requirements-dev.txt"]


def run(*words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(path) if path else os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def bare_machine(folder: Path, **programs: str) -> Path:
    """A folder to use as PATH: the few programs every system has, and scripts that stand in for others."""
    for name in ("sh", "id", "env"):
        found = shutil.which(name)
        assert found
        if name not in programs:
            (folder / name).symlink_to(found)
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def named(file: str) -> set[str]:
    """The packages of a requirements file, spelt alike, without extras and versions."""
    lines = (ROOT / file).read_text().splitlines()
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith(("-", "#", " ")))
    return {re.sub(r"[._]", "-", name[0]).lower() for name in names if name}


# ----------------------------------------------------------------------------------------------------------- make
def test_make_alone_explains_every_target_that_people_use() -> None:
    said = run("make")
    assert said.returncode == 0
    for target in ("setup", "demo", "demo-fresh", "test", "tour", "draw", "screenshots", "format", "clean"):
        assert re.search(rf"^  make {target} +\S", said.stdout, re.MULTILINE), target


def test_continuous_integration_runs_what_a_person_runs() -> None:
    commands = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line and not line.startswith("#")]
    assert commands == ["exec make test"]


# ----------------------------------------------------------------------------------------------- what is missing
def test_a_python_without_venv_is_met_with_one_sentence(tmp_path: Path) -> None:
    lacking = 'case "$2" in *ensurepip*) exit 1;; *print*) echo python3.12-venv;; esac'
    said = run("sh", "scripts/make-venv", str(tmp_path / "venv"), path=bare_machine(tmp_path, python3=lacking))
    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert "apt-get install python3.12-venv" in said.stderr


@pytest.mark.parametrize("programs", [{}, {"python3": "exit 1"}], ids=["none", "too old"])
def test_no_fitting_python_is_met_with_one_sentence(tmp_path: Path, programs: dict[str, str]) -> None:
    said = run("sh", "scripts/make-venv", str(tmp_path / "venv"), path=bare_machine(tmp_path, **programs))
    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer" in said.stderr


def test_no_chromium_where_we_may_not_install_one_is_met_with_one_sentence(tmp_path: Path) -> None:
    said = run("sh", "scripts/find-chromium", path=bare_machine(tmp_path, id="echo 1000"))
    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert "apt-get install chromium" in said.stderr


def test_a_chromium_is_installed_where_we_may(tmp_path: Path) -> None:
    chromium = tmp_path / "chromium"
    installs = f'[ "$1" = install ] && printf "#!/bin/sh\n" > {chromium} && /bin/chmod 755 {chromium}; true'
    said = run("sh", "scripts/find-chromium", path=bare_machine(tmp_path, id="echo 0", **{"apt-get": installs}))
    assert (said.returncode, said.stderr) == (0, "")
    assert chromium.exists()


def test_a_chromium_that_is_there_is_enough(tmp_path: Path) -> None:
    said = run("sh", "scripts/find-chromium", path=bare_machine(tmp_path, chromium="echo Chromium 1"))
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


# --------------------------------------------------------------------------------------------------- requirements
@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_line_names_an_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.split(r"\n(?=[a-z])", text.split("\n#\n", 1)[-1])
    pins = [pin for pin in pins if re.match(r"[a-z]", pin)]
    assert len(pins) > 20
    for pin in pins:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", pin), pin.splitlines()[0]
        assert "--hash=sha256:" in pin, pin.splitlines()[0]
    assert not re.search(r"https?:|file://|--(extra-)?index-url|--find-links|--trusted-host", text)


def test_the_pins_cover_what_is_asked_for() -> None:
    assert named("requirements.in") | named("requirements-build.in") <= named("requirements.txt")
    assert named("requirements-dev.in") <= named("requirements-dev.txt")


def test_both_pin_files_agree() -> None:
    pins = [dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS]
    assert {name: pins[0][name] for name in pins[0].keys() & pins[1].keys()} == {
        name: pins[1][name] for name in pins[0].keys() & pins[1].keys()
    }


def test_each_runtime_dependency_has_its_reason() -> None:
    table = (ROOT / "docs/dependencies.md").read_text()
    told = {re.sub(r"[._]", "-", name).lower() for name in re.findall(r"^\| ([A-Za-z0-9._-]+)", table, re.MULTILINE)}
    asked = named("requirements.in") | named("requirements-build.in")
    assert asked == told - {"package", "---"}


# ------------------------------------------------------------------------------------------------------- the wheel
def test_a_wheel_is_as_complete_as_a_checkout(tmp_path: Path) -> None:
    """Templates, scripts and the demo are inside; built from a copy, so nothing is left behind here."""
    no_caches = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=no_caches)
    for name in ("pyproject.toml", "requirements.in", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", tmp_path, tmp_path], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as built:
        inside = {name for name in built.namelist() if name.startswith("interlend/")}
    source = tmp_path / "src"
    assert inside == {path.relative_to(source).as_posix() for path in source.glob("interlend/**/*") if path.is_file()}


# --------------------------------------------------------------------------------------------------- the command
def test_the_command_lists_its_subcommands_with_a_word_on_each() -> None:
    said = run(str(Path(sys.executable).with_name("interlend")), "--help")
    assert said.returncode == 0, said.stderr
    for file in (ROOT / "src/interlend/cli").glob("[a-z]*.py"):
        assert re.search(rf"^  {file.stem.replace('_', '-')} +\S", said.stdout, re.MULTILINE), file.name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INTERLEND_BODY_LIMIT", "many"),
        ("SECRET_KEY_FILE", "/nowhere/at/all"),
    ],
)
def test_settings_that_make_no_sense_end_in_a_sentence(tmp_path: Path, name: str, value: str) -> None:
    said = subprocess.run(
        [Path(sys.executable).with_name("interlend"), "migrate"],
        env={"PATH": os.environ["PATH"], name: value},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert value in said.stderr
