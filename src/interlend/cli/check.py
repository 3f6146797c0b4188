"""`interlend check host SYM`: the connection to a library's circulation system as a checklist.

Strategy: `bridge/checks.py` asks, this prints; the exit code is 1 when something stops the work. It changes nothing.
"""

from __future__ import annotations

import sys

import click
from django.utils import timezone

from interlend.bridge.checks import check_host
from interlend.cli.serve import check_database
from interlend.libraries.models import Library

_COLOURS = {"ok": "green", "look": "yellow", "stop": "red"}


@click.group(name="check")
def command() -> None:
    """See whether connections are in order."""


@command.command(name="host")
@click.argument("symbol")
def host_command(symbol: str) -> None:
    """Check the circulation system of the library SYMBOL; only harmless questions are asked."""
    check_database()
    library = Library.objects.filter(symbol__iexact=symbol).first()
    if library is None:
        known = ", ".join(Library.objects.order_by("symbol").values_list("symbol", flat=True)) or "none yet"
        raise click.ClickException(f"There is no library {symbol}; there are {known}.")
    lines = check_host(library, timezone.now())
    width = max(len(line.name) for line in lines)
    for line in lines:
        click.echo(f"{click.style(f'{line.result:<4}', fg=_COLOURS[line.result])}  {line.name:<{width}}  {line.seen}")
        if line.remedy:
            click.echo(f"      {'':<{width}}  -> {line.remedy}")
    stops, looks = (sum(line.result == result for line in lines) for result in ("stop", "look"))
    whole = "all is in order" if not looks else f"it works; {looks} to look at"
    told = f"{len(lines)} line{'s' if len(lines) != 1 else ''}"
    click.echo(f"{told}, {stops} that stop{'s' if stops == 1 else ''} the work." if stops else f"{told}, {whole}.")
    sys.exit(1 if stops else 0)
