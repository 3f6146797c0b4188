"""A kept exchange as people need it: laid out to read, as one text for support, sent once more to a test host.

Strategy: what was kept is blanked already and stays so; a replay sends that, without credentials, and never to a host
that is in use here. Layout is only for the eye: what cannot be parsed, or is not worth the risk, is shown as it came.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lxml import etree

from interlend.bridge import exchanges
from interlend.bridge.connections import place_of, same_name, why_no_address
from interlend.bridge.models import Exchange, HostSettings
from interlend.bridge.transport import HURRIED, Line, NoReply, NotSent, exchange

XML: Final = "application/xml; charset=utf-8"
_DECLARATION: Final = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>\s*")


# --- to read ------------------------------------------------------------------------------------------------------


def readable(text: str) -> str:
    """A body with one element on a line. What has entities of its own, or is no whole XML, stays as it is."""
    if "<!ENTITY" in text:
        return text
    body = _DECLARATION.sub("", text)
    declaration = text[: len(text) - len(body)].strip("\ufeff \r\n")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True, load_dtd=False)
    try:
        tree = etree.fromstring(body.encode(), parser).getroottree()
    except (etree.XMLSyntaxError, ValueError):
        return text
    laid_out = etree.tostring(tree, pretty_print=True, encoding="unicode")
    return f"{declaration}\n{laid_out}" if declaration else laid_out


def as_text(row: Exchange, zone: str) -> str:
    """Everything that was kept, as one text for whoever supports the other side."""
    when = row.at.astimezone(ZoneInfo(zone))
    facts = {
        "When": f"{when:%Y-%m-%d %H:%M:%S %Z}", "Direction": row.get_direction_display(), "Peer": row.peer,
        "Service": row.service, "Request": row.request, "Item": row.item_barcode, "Address": row.source,
        "HTTP status": str(row.http_status or ""), "Took": f"{row.duration_ms} ms", "Outcome": row.outcome,
        "Detail": row.detail,
    }  # fmt: skip
    known = "\n".join(f"{name}: {value}" for name, value in facts.items() if value)
    headers = "\n".join(f"{name}: {value}" for name, value in row.headers.items())
    parts = [
        f"Exchange {row.pk}\n\n{known}", f"Secrets and patrons’ particulars are blanked as {exchanges.BLANK}.",
        f"--- HTTP headers ---\n{headers or '(none kept)'}", f"--- message ---\n{readable(row.message) or '(none)'}",
        f"--- answer ---\n{readable(row.answer) or '(none)'}",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


# --- once more ----------------------------------------------------------------------------------------------------


class NotReplayed(Exception):
    """Nothing was sent; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Replayed:
    """What a test host made of the message: its answer, blanked, or the sentence why there is none."""

    address: str
    answer: str
    trouble: str
    seconds: float
    at: datetime


def why_not_replayable(row: Exchange) -> str:
    """Why what was kept cannot be sent again; empty where it can."""
    if not row.message.lstrip("\ufeff \r\n\t").startswith("<"):
        return "No message was kept that could be sent again."
    if not row.message.rstrip().endswith(">"):
        return "The message was too long to be kept whole; a part of it cannot be sent again."
    return ""


def replay(row: Exchange, address: str, own_host: str, now: datetime) -> Replayed:
    """Send the kept message to the test host at `address`, show no credentials. `own_host` is this installation's.

    Raises `NotReplayed` where the address is none, or one that is in use for real.
    """
    why = why_not_replayable(row) or why_no_address(address) or _why_not_there(address, own_host)
    if why:
        raise NotReplayed(why)
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + _DECLARATION.sub("", row.message)
    started, answer, trouble = monotonic(), b"", ""
    try:
        answer = exchange(Line(address), body.encode(), XML, wait=HURRIED)
    except (NotSent, NoReply) as no:
        trouble = no.why
    return Replayed(address, exchanges.blanked(answer), trouble, monotonic() - started, now)


def _why_not_there(address: str, own_host: str) -> str:
    """A message that was blanked must not be acted on for real: not by any library's host here, not by ourselves."""
    in_use = HostSettings.objects.exclude(url="").values_list("url", flat=True)
    if any(_same_machine(address, url) for url in in_use):
        return "This is the circulation system that is in use here; a replay goes to a test host only."
    scheme = urlsplit(address).scheme
    if _same_machine(address, f"{'https' if scheme == 'https' else 'http'}://{own_host}"):
        return "This is this installation itself; a replay goes to a test host only."
    return ""


def _same_machine(one: str, other: str) -> bool:
    """Same port and same name; or the same address, where a name does not tell machines apart."""
    try:
        (name, port), (other_name, other_port) = place_of(one), place_of(other)
    except ValueError:
        return False
    if port != other_port:
        return False
    if name == other_name:
        return True
    by_name = all(urlsplit(url).scheme in ("http", "https") for url in (one, other)) and not (
        _is_address(name) or _is_address(other_name)
    )
    return not by_name and bool(_addresses(name) & _addresses(other_name))


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def _addresses(name: str) -> frozenset[str]:
    try:
        return frozenset(same_name(str(found[4][0])) for found in socket.getaddrinfo(name, None))
    except (OSError, UnicodeError):
        return frozenset()
