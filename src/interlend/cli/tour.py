"""`interlend tour`: every numbered step of the workflow, played on a throw-away instance, with what it saw.

Strategy: the command starts itself again with a data folder of its own that is deleted at the end, so that no
installation is ever touched; it stops at the first step that fails, with exit code 1.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from rich.console import Console

from interlend.cli._site import read_site_file, write_site
from interlend.cli._tour.people import NotSeen
from interlend.cli._tour.steps import STEPS, open_the_doors
from interlend.cli.demo import DATA_FILES
from interlend.cli.load import load_items, load_patrons
from interlend.libraries.models import Library

INSIDE = "INTERLEND_TOUR"


@click.command()
def command() -> None:
    """Play B1-B17, L1-L9 and C1 on data that is thrown away, and say what each step saw."""
    if os.environ.get(INSIDE) == str(settings.DATA):
        sys.exit(_play())
    with tempfile.TemporaryDirectory(prefix="interlend-tour-") as folder:
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "EMAIL_URL")}
        place = str(Path(folder).resolve())
        again = [sys.executable, "-c", "from interlend.cli import main; main()", "tour"]
        env = kept | {"INTERLEND_DATA": place, INSIDE: place, "ALLOWED_HOSTS": "testserver"}
        sys.exit(subprocess.run(again, env=env, check=False).returncode)  # noqa: S603


def _play() -> int:
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    _prepare()
    world = open_the_doors()
    console.print(f"A throw-away instance is ready ({time.monotonic() - started:.1f} s). The steps:")
    for number, what, play in STEPS:
        begun = time.monotonic()
        try:
            saw = play(world)
        except NotSeen as no:
            console.print(f"[red]{number:>4}  failed[/]  {what}", markup=True)
            console.print(f"      {no}", markup=False)
            return 1
        milliseconds = (time.monotonic() - begun) * 1000
        console.print(f"{number:>4}  done {milliseconds:5.0f} ms  {what}", markup=False)
        console.print(f"                   {saw}", style="dim", markup=False)
    console.print(f"All {len(STEPS)} steps are done ({time.monotonic() - started:.1f} s).")
    return 0


def _prepare() -> None:
    """Tables, and the demo's two libraries that play, without the demo's own requests."""
    call_command("migrate", interactive=False, verbosity=0)
    now = timezone.now()
    write_site(read_site_file(DATA_FILES / "site.yaml"), now)
    for symbol in ("ALD", "BRK"):
        library, name = Library.objects.get(symbol=symbol), symbol.lower()
        rejects = Path(settings.DATA)
        load_patrons(DATA_FILES / f"{name}-patrons.csv", library, now, rejects=rejects / f"{name}-p.csv")
        load_items(DATA_FILES / f"{name}-items.csv", library, now, rejects=rejects / f"{name}-i.csv")
