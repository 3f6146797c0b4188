"""The `interlend` command: one file per subcommand, found by its name, loaded when it is asked for.

Strategy: `cli/load.py` is `interlend load`; its click command is called `command`. Django is set up just before the
first subcommand is loaded, so a subcommand may import models at its top.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import click

HERE = Path(__file__).parent


class Subcommands(click.Group):
    """The files of this folder as a click group; `bench_ncip.py` is `bench-ncip`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(file.stem.replace("_", "-") for file in HERE.glob("*.py") if not file.stem.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        set_up_django()
        command: click.Command = import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
        return command


def set_up_django() -> None:
    """Ready Django; a setting that makes no sense ends the command with its sentence instead of a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "interlend.settings")
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        _ = settings.INSTALLED_APPS  # reads them: files that are named may be missing
        django.setup()
    except (ImproperlyConfigured, OSError) as wrong:
        raise click.ClickException(f"The settings in the environment do not fit: {wrong}") from wrong


@click.command(cls=Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="interlend")
def main() -> None:
    """Interlend: libraries that borrow from and lend to each other."""
