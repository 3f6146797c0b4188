"""`interlend load patrons|items`: a library's patrons and items out of files, as often as one likes.

Strategy: this door reads the command line, shows how far it is, and tells how it went; the work is in `_loading`.
Ends with 0 where everything was loaded, 1 where records were rejected, 2 where the load could not be done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from django.db import OperationalError, ProgrammingError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from interlend.cli._loading import ItemMapping, LoadError, LoadReport, Progress, load_items, load_patrons
from interlend.libraries.models import Library

__all__ = ["ItemMapping", "LoadError", "LoadReport", "command", "load_items", "load_patrons"]

REJECTED, NOT_LOADED, INTERRUPTED = 1, 2, 130


class NotLoaded(click.ClickException):
    """The load could not be done; one sentence says why."""

    exit_code = NOT_LOADED


@click.group()
def command() -> None:
    """Load patrons or items from a file; rows that are there already are compared, not doubled.

    Ends with 0 where everything was loaded, 1 where records were rejected (each with a reason in the rejects file),
    2 where the load could not be done. A load that was interrupted is simply run again.
    """


_symbol = click.option("--library", "symbol", required=True, metavar="SYM", help="The library's symbol.")
_file = click.argument("file", type=click.Path(path_type=Path))
_rejects = click.option(
    "--rejects", type=click.Path(path_type=Path), help="Where rejected rows go (default: NAME.rejects.csv here)."
)


@command.command()
@_file
@_symbol
@_rejects
@click.option("--check-pins", is_flag=True, help="Compare the PINs of patrons who have one already, too (slow).")
def patrons(file: Path, symbol: str, rejects: Path | None, check_pins: bool) -> None:
    """Load patrons from FILE (CSV): barcode, surname, patron_type and more; see docs/loading.md."""
    _load(
        file,
        symbol,
        lambda library, show: load_patrons(file, library, timezone.now(), show, check_pins=check_pins, rejects=rejects),
    )


@command.command()
@_file
@_symbol
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="YAML: the field of copies, the file's codes, defaults."
)
@_rejects
def items(file: Path, symbol: str, mapping: Path | None, rejects: Path | None) -> None:
    """Load items from FILE (CSV or MARC 21); a MARC file needs a mapping; see docs/loading.md."""
    _load(file, symbol, lambda library, show: load_items(file, library, timezone.now(), mapping, show, rejects=rejects))


def _load(file: Path, symbol: str, load: Callable[[Library, Progress], LoadReport]) -> None:
    try:
        library = _library(symbol)
        with _bar(file.name) as show:
            report = load(library, show)
    except LoadError as no:
        raise NotLoaded(str(no)) from no
    except OperationalError as busy:
        said = "What was loaded so far stays; run the same command again."
        raise NotLoaded(f"The database did not answer: {busy}. {said}") from busy
    except KeyboardInterrupt:
        click.echo("Interrupted. What was loaded so far stays; run the same command again to go on.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    _tell(file, library, report)
    if report.rejected:
        raise click.exceptions.Exit(REJECTED)


def _library(symbol: str) -> Library:
    try:
        libraries = {library.symbol.casefold(): library for library in Library.objects.all()}
    except (ProgrammingError, OperationalError) as no:
        if isinstance(no, ProgrammingError) or "no such table" in str(no):
            raise LoadError("The database has no tables of Interlend yet: run “interlend migrate” first.") from no
        raise
    if symbol.casefold() not in libraries:
        known = ", ".join(sorted(library.symbol for library in libraries.values()))
        there = f"here are {known}" if known else "there is none yet (interlend apply makes them)"
        raise LoadError(f"There is no library {symbol}; {there}.")
    return libraries[symbol.casefold()]


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    """A bar on the error stream where that is a terminal, moving with the bytes read."""
    console = Console(stderr=True)
    bar = Bar(
        TextColumn(name), BarColumn(), TextColumn("{task.fields[records]:,} records"),
        TextColumn("{task.fields[speed]:,.0f} a second"), TimeRemainingColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    began = time.monotonic()
    with bar:
        task = bar.add_task(name, total=None, records=0, speed=0.0)

        def show(records: int, at: int, size: int) -> None:
            seconds = max(time.monotonic() - began, 0.001)
            bar.update(task, total=size, completed=at, records=records, speed=records / seconds)

        yield show


def _tell(file: Path, library: Library, report: LoadReport) -> None:
    click.echo(f"{file.name}, for {library.name} ({library.symbol})")
    for remark in report.remarks:
        click.echo(f"  Note: {remark}")
    click.echo(
        f"  {report.records:,} records in {report.seconds:.1f} s ({report.per_second:,.0f} a second): "
        f"{report.created:,} created, {report.updated:,} updated, {report.unchanged:,} unchanged, "
        f"{report.rejected:,} rejected"
    )
    if report.rejects:
        also = f", and their MARC records in {report.rejected_records}" if report.rejected_records else ""
        click.echo(f"  Rejected rows with a reason each: {report.rejects}{also}")
