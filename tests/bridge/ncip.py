"""What the tests of the responder share: a caller, a way to post a message, and the schemas where they are at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from interlend import ncip
from interlend.bridge import callers
from interlend.bridge.models import NcipCaller
from interlend.bridge.ncip_responder.door import respond
from interlend.libraries.models import Library
from tests.make import NOW

SHARED = Path(__file__).resolve().parents[3] / "shared"

V1 = ncip.Style(version=ncip.Version.V1_0, namespaced=False, version_uri=None)
V2 = ncip.Style(prefix="ns1")


def make_caller(library: Library, name: str = "Relais", **fields: Any) -> NcipCaller:
    """A caller that announces itself as RELAIS and needs no proof."""
    given: dict[str, Any] = {"from_agencies": ["RELAIS"], "default": True} | fields
    return NcipCaller.objects.create(library=library, name=name, **given)


def header(library: Library | None = None, sender: str = "RELAIS", **fields: Any) -> ncip.Header:
    to = ncip.Code(library.symbol) if library is not None else None
    return ncip.Header(from_agency=ncip.Code(sender), to_agency=to, **fields)


def post(body: bytes, **more: Any) -> ncip.Response:
    """The decoded answer to some bytes; every answer must be one that the schema allows, where the schema is here."""
    answer = respond(body, now=more.pop("now", NOW), **more)
    assert (answer.status, answer.content_type) == (200, "application/xml")
    check(answer.body)
    message = ncip.decode(answer.body)
    assert isinstance(message, ncip.Response)
    return message


def ask(message: ncip.Message, style: ncip.Style = V2, **more: Any) -> ncip.Response:
    """The decoded answer to a message, sent in a version."""
    return post(ncip.encode(message, style), **more)


def problem(response: ncip.Response) -> str:
    """The first problem's value, "" where there is none."""
    return response.problems[0].type.value if response.problems and response.problems[0].type else ""


def check(body: bytes) -> None:
    """Valid by the official schema of its version; only parsed where that schema is absent (as the DTD 1.01 is)."""
    tree = etree.fromstring(body)
    style = ncip.decode_envelope(body).style
    if style.version is ncip.Version.V1_01:
        return
    schema = _schema("version" if tree.tag.endswith("NCIPVersionMessage") else str(style.version.major))
    if schema is not None:
        assert schema.validate(tree), f"{schema.error_log}\n{body.decode()}"


@cache
def _schema(version: str) -> Any:
    folder = SHARED / "xsd"
    if not folder.is_dir():
        return None
    if version == "1":
        return etree.DTD(str(folder / "ncip_v1_0.dtd"))
    return etree.XMLSchema(file=str(folder / ("ncip_version.xsd" if version == "version" else "ncip_v2_02.xsd")))


__all__ = ["NOW", "SHARED", "V1", "V2", "ask", "callers", "check", "header", "make_caller", "post", "problem"]
