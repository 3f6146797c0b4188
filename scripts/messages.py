#!/usr/bin/env python3
"""Renew the catalogues of other languages from the code and the pages, and compile them: `make messages`.

Strategy: Django's makemessages finds what is marked; it is told this project's short marks as well. What rooms below
the doors say in English without a mark (a step's trouble, a letter's why, the words of a column) is collected from
where it stands in the code: a sentence with facts becomes a template, `f"{host} did not answer"` the text
"{host} did not answer". It runs on a copy, so that nothing is left behind. Needs GNU gettext.
"""

from __future__ import annotations

import argparse
import ast
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

from interlend.circulation.lifecycles import HOLD, ITEM, LOAN

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "interlend"
LOCALE = PACKAGE / "locale"
#: rooms whose sentences are shown by the doors, and where in them
ROOMS = ("libraries", "outbox", "circulation", "sharing", "notices", "bridge")
#: whose arguments are sentences
SAYERS = frozenset({
    "HostProblem", "HostUnknown", "PartnerProblem", "PartnerUnknown", "Trouble", "NoAnswer", "NotSent", "NoReply",
    "NotReplayed", "Meaning", "Check", "Button", "Kind", "DueReason", "forgo", "_forgo_host",
})  # fmt: skip
#: names of arguments and variables that hold sentences
NAMES = frozenset({
    "remedy", "sentence", "why", "why_not", "what", "change", "word", "can", "missing", "whose", "owner", "since",
    "detail", "seen", "said", "how", "blocked", "unknown", "outdated", "settled_by", "state", "blocks", "REMEDY",
    "partner", "due", "cause", "where", "complaint",
})  # fmt: skip
#: tables of words: every text in them
TABLES = frozenset({
    "ROLES", "DUTIES", "STATE_WORDS", "REASONS_UNFILLED", "SAYS",
})  # fmt: skip
MARKS = ["n_", "lazy", "pgettext:1c,2", "gettext_noop", "gettext_lazy"]


# --- what is said without a mark --------------------------------------------------------------------------------


def said() -> dict[str, str]:
    """Template -> where it stands, of every sentence and word that the rooms below the doors say."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            if "migrations" in file.parts or "simulated" in file.name:
                continue
            where = str(file.relative_to(PACKAGE))
            tree = ast.parse(file.read_text(encoding="utf-8"))
            # what answers programs is the protocol's English; people read only its tables
            for text in _of_tables(tree) if "ncip_responder" in file.parts else _of_module(tree):
                found.setdefault(text, where)
    for file in sorted((PACKAGE / "web").rglob("*.py")):
        for text in _in_f_strings(ast.parse(file.read_text(encoding="utf-8"))):
            found.setdefault(text, str(file.relative_to(PACKAGE)))
    for state in (*ITEM.states, *HOLD.states, *LOAN.states):
        found.setdefault(state.replace("_", " "), "circulation/lifecycles.py")
    return found


def _of_module(tree: ast.Module) -> Iterator[str]:
    yield from _of_tables(tree)
    yield from _facts_in_words(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from filter(_is_said, _of_call(node))
        elif isinstance(node, ast.ClassDef) and any(getattr(base, "attr", "") == "TextChoices" for base in node.bases):
            yield from _labels(node)
        elif isinstance(node, ast.FunctionDef):
            yield from filter(_is_said, _returned(node))
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and _targets(node) & NAMES:
            yield from filter(_is_said, _texts(node.value))


def _returned(function: ast.FunctionDef) -> Iterator[str]:
    """What a function says: whole sentences, and any words where its name promises them (`why_closed`)."""
    speaks = re.match(r"_?(why|say|check|word)", function.name)
    for node in ast.walk(function):
        if isinstance(node, ast.Return | ast.Yield):
            yield from (text for text in _texts(node.value) if speaks or (" " in text and text.endswith((".", "?"))))


def _facts_in_words(tree: ast.Module) -> Iterator[str]:
    """Words that go into a sentence by way of a variable: `much = "two hours"`, then `f"It takes {much}."`."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        inside = [node for node in ast.walk(function) if isinstance(node, ast.FormattedValue)]
        facts = {node.value.id for node in inside if isinstance(node.value, ast.Name)}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign | ast.AnnAssign) and _targets(node) & facts:
                yield from (text for text in _texts(node.value) if " " in text.strip() and _is_said(text))


def _in_f_strings(tree: ast.Module) -> Iterator[str]:
    """What is marked within an f-string, where xgettext does not look."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") in {"_", "n_"}:
                    yield from _texts(call.args[0])


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def _of_tables(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and (names := _targets(node) & TABLES):
            for text in filter(_is_words, _texts(node.value)):
                yield text
                if "STATE_WORDS" in names:  # within a sentence
                    yield text.lower()


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in SAYERS or name == "append":
        for argument in node.args:
            yield from (text for text in _texts(argument) if " " in text or text[:1].isupper())
    for word in node.keywords:
        if word.arg == "choices" or word.arg in NAMES:
            yield from _texts(word.value)


def _labels(node: ast.ClassDef) -> Iterator[str]:
    """The words of a column: the second of each pair."""
    for line in node.body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Tuple):
            yield from _texts(line.value.elts[1])


def _texts(node: ast.AST | None) -> Iterator[str]:
    """Every text of an expression, an f-string as its template; what a function is called with is left alone."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield _template(node)
        for part in node.values:  # `{'ahead of' if … else 'behind'}` is a fact with words of its own
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.IfExp | ast.BoolOp):
                words = list(_texts(part.value))
                yield from words if any(" " in word for word in words) else ()
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for part in node.elts:
            yield from _texts(part)
    elif isinstance(node, ast.Dict):
        for part in node.values:
            yield from _texts(part)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.BoolOp | ast.BinOp):
        for part in node.values if isinstance(node, ast.BoolOp) else (node.left, node.right):
            yield from _texts(part)
    elif isinstance(node, ast.Subscript):
        yield from _texts(node.value)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"get", "format"}:
            yield from _texts(node.func.value)
        if getattr(node.func, "id", "") in {"list", "enumerate", "frozenset"} or getattr(node.func, "id", "") in SAYERS:
            for part in node.args:
                yield from _texts(part)


def _template(node: ast.JoinedStr) -> str:
    """`f"{self.peer.name} has it since {say_day(day)}"` as "{name} has it since {day}"."""
    parts, used = [], set()
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("{", "{{").replace("}", "}}"))
            continue
        name = base = _name(part.value)  # type: ignore[attr-defined]
        while name in used:
            name = f"{base}_{sum(other.startswith(base) for other in used) + 1}"
        used.add(name)
        parts.append(f"{{{name}}}")
    return "".join(parts)


def _name(node: ast.AST) -> str:
    """What a fact is called: the last word of the expression that makes it."""
    if isinstance(node, ast.Call):
        word = _name(node.func)
        if word in {"join", "str", "get", "strip"}:
            word = _name(node.args[0]) if node.args else _name(getattr(node.func, "value", node))
        return "why" if word.startswith("why") else word.removeprefix("say_").lstrip("_")
    if isinstance(node, ast.Attribute):
        return node.attr.lstrip("_")
    if isinstance(node, ast.Name):
        return node.id.lstrip("_")
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.BoolOp | ast.IfExp | ast.BinOp | ast.GeneratorExp | ast.ListComp):
        inner = (
            node.values[0] if isinstance(node, ast.BoolOp) else node.body if isinstance(node, ast.IfExp)
            else node.left if isinstance(node, ast.BinOp) else node.elt
        )  # fmt: skip
        return _name(inner)
    return "fact"


def _is_words(text: str) -> bool:
    """More than a place or a sign: letters stand beside the facts."""
    return sum(c.isalpha() for c in re.sub(r"\{.*?\}", "", text)) >= 3


def _is_said(text: str) -> bool:
    """Words for people: not a code, a path, a pattern."""
    bare = re.sub(r"\{.*?\}|\w+://|Interlend's", "", text)
    return _is_words(text) and not re.search(r"[_<>\\/=|]|\.[a-z]", bare)


# --- the catalogues ---------------------------------------------------------------------------------------------


def renewed(languages: list[str], to: Path) -> None:
    """Write the catalogue of each language below `to`, with what it says already; nothing is guessed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "interlend"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "static", "migrations", "locale"))
        (copy / "locale").mkdir()
        if LOCALE.is_dir():
            shutil.copytree(LOCALE, copy / "locale", dirs_exist_ok=True)
        lines = [f"#: {where}\nn_({text!r})\n" for text, where in said().items()]
        (copy / "said_below_the_doors.py").write_text("".join(lines), encoding="utf-8")
        _make_messages(copy, languages)
        for language in languages:
            name = Path(language) / "LC_MESSAGES" / "django.po"
            _keep(copy / "locale" / name, to / name)


def _make_messages(folder: Path, languages: list[str]) -> None:
    from django.conf import settings
    from django.core.management.commands.makemessages import Command

    settings.configure(LOCALE_PATHS=[str(folder / "locale")], USE_I18N=True)

    class WithMarks(Command):
        xgettext_options = [*Command.xgettext_options, *(f"--keyword={mark}" for mark in MARKS)]
        msgmerge_options = [*Command.msgmerge_options, "--no-fuzzy-matching"]

    with chdir(folder):
        WithMarks(stdout=sys.stderr).execute(
            locale=languages, exclude=[], domain="django", extensions=["html", "txt", "py"], all=False, symlinks=False,
            ignore_patterns=[], use_default_ignore_patterns=True, no_wrap=False, no_location=False,
            add_location="file", no_obsolete=True, keep_pot=False, verbosity=0, traceback=True, force_color=False,
            no_color=True, skip_checks=True, settings=None, pythonpath=None,
        )  # fmt: skip


def _keep(made: Path, kept: Path) -> None:
    """Move it to its place, unless only its date is new."""
    dated = re.compile(r'^"POT-Creation-Date:.*\n', re.MULTILINE)
    text = made.read_text(encoding="utf-8")
    if kept.is_file() and dated.sub("", kept.read_text(encoding="utf-8")) == dated.sub("", text):
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(text, encoding="utf-8")


def compiled(language: str) -> None:
    """django.mo beside django.po; places for facts must be the same in both languages."""
    folder = LOCALE / language / "LC_MESSAGES"
    subprocess.run(["msgfmt", "--check", "--statistics", "-o", folder / "django.mo", folder / "django.po"], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Renew and compile the catalogues of other languages.")
    parser.add_argument("languages", nargs="*", help="codes such as de; none: every language that is there")
    parser.add_argument("--to", type=Path, help="write the renewed catalogues here and compile nothing")
    asked = parser.parse_args()
    languages = asked.languages or sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir())
    renewed(languages, asked.to or LOCALE)
    for language in languages if asked.to is None else ():
        compiled(language)


if __name__ == "__main__":
    main()
