"""`interlend simulate host`: a stand-in NCIP circulation system to try an interlibrary loan system against.

Strategy: all work is in `bridge/simulated_host.py`; this is its command line. It needs no database and keeps nothing.
"""

from __future__ import annotations

import errno

import click

from interlend.bridge.simulated_circulation import SimulatedCirculation
from interlend.bridge.simulated_host import HOWS, SimulatedHost

_WORDS = "\b\n" + "\n".join(f"  {how}: {words}" for how, words in HOWS.items())


@click.group(name="simulate")
def command() -> None:
    """Stand-ins for systems that are somebody else's."""


@command.command(
    name="host",
    help="A stand-in circulation system that answers NCIP 1 and 2, over HTTP and bare TCP on one port, until Ctrl-C. "
    "It forgets everything when it ends.\n\n--misbehave is one of:\n\n" + _WORDS,
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8100, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free port.")
@click.option("--patron", "patrons", multiple=True, help="A barcode of a patron or an account it knows; repeatable.")
@click.option("--blocked", multiple=True, help="A barcode of a patron that may not borrow; repeatable.")
@click.option("--item", "items", multiple=True, help="A barcode of an item it owns; repeatable.")
@click.option("--anybody", is_flag=True, help="Know every barcode that does not begin with “unknown”.")
@click.option("--without", multiple=True, help="A service that it does not offer, such as LookupItem; repeatable.")
@click.option("--misbehave", type=click.Choice(list(HOWS)), default="good", metavar="HOW", help="See above.")
@click.option("--service", default="", help="Misbehave for this service only.")
@click.option("--times", type=click.IntRange(1), help="Misbehave so many times, then be good.")
@click.option("--seconds", default=60.0, show_default=True, help="How long it is slow or silent.")
@click.option("--problem", default="User Blocked", show_default=True, help="The problem it refuses with.")
def host_command(
    host: str, port: int, patrons: tuple[str, ...], blocked: tuple[str, ...], items: tuple[str, ...], anybody: bool,
    without: tuple[str, ...], misbehave: str, service: str, times: int | None, seconds: float, problem: str,
) -> None:  # fmt: skip
    store = SimulatedCirculation(anybody=anybody, without=frozenset(without))
    store.add(patrons, items, blocked)
    try:
        simulated = SimulatedHost(store, host=host, port=port)
    except OSError as no:
        taken = f"Port {port} is taken by another program: choose another with --port (0 takes a free one)."
        raise click.ClickException(taken if no.errno == errno.EADDRINUSE else f"{host}: {no.strerror}.") from no
    simulated.misbehave(misbehave, service=service, times=times, seconds=seconds, problem=problem)
    base = simulated.url.removesuffix("/ncip")
    click.echo(f"A stand-in circulation system answers at {simulated.url} and {simulated.tcp_url} (Ctrl-C stops it)")
    click.echo(f"What it knows:     curl {base}/")
    click.echo(f"How it behaves:    curl -X POST '{base}/misbehave?how=slow&seconds=3&times=1' (how=good ends it)")
    click.echo(f"To forget it all:  curl -X POST {base}/clear")
    try:
        simulated.serve()
    except KeyboardInterrupt:
        click.echo("It has stopped.")
