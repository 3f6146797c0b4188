"""What makes the settings of a connection usable: addresses, sign-in, networks, names. Pages and site files both ask.

Strategy: each question is answered with a sentence, by the column it is about; nothing is tried out here, and only
whose name is whose is asked of the database. Z39.83-1, agencies; RFC 6749, 4.4 for client credentials.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from interlend.bridge.models import HostSettings, NcipCaller
from interlend.libraries.models import Library

SCHEMES = ("https", "http", "tcp")
#: columns of `HostSettings` that a way to sign in cannot do without
NEEDED_BY_AUTH: Mapping[str, tuple[str, ...]] = {
    "none": (), "basic": ("auth_user", "auth_secret"), "bearer": ("auth_secret",), "api_key": ("auth_secret",),
    "oauth2": ("auth_user", "auth_secret", "token_url"),
}  # fmt: skip


def why_no_address(url: str, schemes: Iterable[str] = SCHEMES) -> str:
    """Why a message cannot be sent to `url`; empty where it can."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return f"“{url}” is no address; one looks like https://host.example/ncip."
    allowed = tuple(schemes)
    if parts.scheme not in allowed or not host or any(c.isspace() for c in url):
        ways = " or ".join(f"{scheme}://" for scheme in allowed)
        return f"“{url}” is no address; it begins with {ways} and names a machine."
    if parts.scheme == "tcp" and not port:
        return "A tcp:// address needs a port, as in tcp://host.example:5001."
    if parts.username is not None or parts.password is not None:
        return "Leave name and password out of the address; they have fields of their own."
    return ""


def place_of(url: str) -> tuple[str, int]:
    """The machine and the port that an address means, so that two spellings of one place are equal."""
    parts = urlsplit(url)
    return same_name(parts.hostname or ""), _port(parts)


def same_name(host: str) -> str:
    """A host name or address in one spelling: lower case, no closing dot, an IP address in its shortest form."""
    name = host.strip().rstrip(".").casefold()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return "127.0.0.1" if name == "localhost" else name
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return "127.0.0.1" if address.is_loopback else str(address)


def _port(parts: SplitResult) -> int:
    return parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)


def host_problems(given: Mapping[str, Any]) -> dict[str, str]:
    """What is missing or wrong in a `HostSettings`: column -> sentence. A secret has to be there, no more."""
    if given.get("kind") != HostSettings.Kind.NCIP:
        return {}
    found: dict[str, str] = {}
    url, auth = str(given.get("url") or ""), str(given.get("auth") or "none")
    if sentence := why_no_address(url) if url else "A system that is reached over NCIP needs an address.":
        found["url"] = sentence
    if not given.get("to_agency"):
        found["to_agency"] = "Messages need a name for this library: what its system calls it."
    if url.startswith("tcp:") and auth != "none":
        found["auth"] = "A bare TCP connection carries no sign-in; choose none, or an https:// address."
        return found
    for column in NEEDED_BY_AUTH.get(auth, ()):
        if not given.get(column):
            found[column] = "The chosen way to sign in needs this."
    token_url = str(given.get("token_url") or "")
    if auth == "oauth2" and token_url and (sentence := why_no_address(token_url, ("https", "http"))):
        found["token_url"] = sentence
    return found


def why_no_network(text: str) -> str:
    """Why this is no network of addresses; empty where it is one."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        try:
            meant = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return f"“{text}” is no network; write it as 192.0.2.0/24, or as one address."
        return f"“{text}” is an address in a network; did you mean {meant}?"
    return ""


def folded(word: str) -> str:
    """An agency's name as it is compared."""
    return " ".join(word.split()).casefold()


def names_by_library() -> dict[str, set[str]]:
    """Symbol of each library -> every name by which messages may mean it, folded."""
    found = {symbol: {folded(symbol), folded(name)} for symbol, name in Library.objects.values_list("symbol", "name")}
    for symbol, aliases in NcipCaller.objects.values_list("library__symbol", "to_agencies"):
        found[symbol] |= {folded(str(alias)) for alias in aliases}
    return found


def claimed(names: Iterable[str], symbol: str, known: Mapping[str, set[str]]) -> list[str]:
    """Those of `names` that mean another library than `symbol`: a message for that one must never arrive at this."""
    theirs = {name for other, known_names in known.items() if other != symbol for name in known_names}
    return [name for name in names if folded(name) in theirs]
