"""`interlend apply site.yaml`: libraries, branches, staff, policies, partners, from one file (docs/site-file.md).

Strategy: every error of the file is told at once, with its line and remedy, before anything is written; what is
written is written in one transaction, and a second run finds nothing to do.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from django.utils import timezone

from interlend.cli._site import Faulty, Outcome, SiteFile, Unusable, read_site_file, write_site
from interlend.cli.serve import check_database


class FileFault(click.ClickException):
    """The file is at fault, not the machine."""

    exit_code = 2


@click.command()
@click.argument("site_file", type=click.Path(path_type=Path), metavar="SITE.YAML")
@click.option("--check", is_flag=True, help="Only look for errors; write nothing.")
@click.option("--quiet", is_flag=True, help="Name only what changed.")
def command(site_file: Path, check: bool, quiet: bool) -> None:
    """Bring this installation to what a site file says. Safe to repeat."""
    site = _read(site_file)
    if check:
        count = len(site.site.libraries)
        alone = "" if site.compared else " It was judged by itself: the database has no tables yet."
        click.echo(f"{site_file} is in order: {count} {'library' if count == 1 else 'libraries'}.{alone}")
        return
    check_database()
    outcomes = write_site(site, timezone.now())
    for done in outcomes:
        if done.what != "unchanged" or not quiet:
            click.echo(_line(done))
    click.echo(summary(outcomes))


def _read(path: Path) -> SiteFile:
    try:
        return read_site_file(path)
    except Unusable as no:
        raise FileFault(str(no)) from no
    except Faulty as no:
        count = len(no.problems)
        many = "There is 1 error" if count == 1 else f"There are {count} errors"
        raise FileFault("\n".join([f"{many}; nothing was written.", *no.lines])) from no


def _line(done: Outcome) -> str:
    changes = f" ({', '.join(change.replace('_', ' ') for change in done.changes)})" if done.changes else ""
    return f"{done.what:<10} {done.thing}{changes}"


def summary(outcomes: list[Outcome]) -> str:
    """ "2 created, 1 updated, 40 unchanged." """
    counts = Counter(done.what for done in outcomes)
    return ", ".join(f"{counts[what]} {what}" for what in ("created", "updated", "unchanged")) + "."
