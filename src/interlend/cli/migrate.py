"""`interlend migrate`: bring the database to this version's tables. Safe to repeat; data stays."""

from __future__ import annotations

import click
from django.core.management import call_command


@click.command()
@click.option("--quiet", is_flag=True, help="Print nothing when all goes well.")
def command(quiet: bool) -> None:
    """Bring the database to this version's tables."""
    call_command("migrate", interactive=False, verbosity=0 if quiet else 1)
