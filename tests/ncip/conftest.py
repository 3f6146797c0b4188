"""What the codec's tests share: the official schemas and the messages of real peers, where they are at hand.

Strategy: neither belongs to the project, so both are looked for beside the checkout and their absence is said aloud.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from interlend import ncip
from interlend.ncip import Style, Version

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
SCHEMAS = SHARED / "xsd"
SAMPLES = SHARED / "wire"
CORPUS = ROOT / "tests" / "wire"

Judge = Callable[[bytes], list[str]]


def read_or_refused(data: bytes) -> tuple[ncip.Envelope | None, ncip.ProtocolError | None]:
    """What was read, or why nothing was."""
    try:
        return ncip.decode_envelope(data), None
    except ncip.ProtocolError as error:
        return None, error


def written(message: ncip.Message, style: Style) -> tuple[bytes, ncip.ProtocolError | None]:
    """What was written, or why nothing was."""
    try:
        return ncip.encode(message, style), None
    except ncip.ProtocolError as error:
        return b"", error


def _judge(schema: etree.XMLSchema | etree.DTD) -> Judge:
    def judge(document: bytes) -> list[str]:
        """What the schema has against a document. What stands inside Ext is anybody's, so it is taken out first."""
        root = etree.fromstring(document)
        for extension in root.iter("{*}Ext"):
            if extension.getparent() is not root:
                del extension[:]
        return [] if schema.validate(root) else [str(entry.message) for entry in schema.error_log]

    return judge


@pytest.fixture(scope="session")
def judges() -> dict[Version | str, Judge]:
    """By version, what tells an official schema's objections to a document; "discovery" for LookupVersion.

    Version 1.01 has no judge: its document type was never published with the others.
    """
    if not SCHEMAS.is_dir():
        pytest.skip(f"the official schemas are not at {SCHEMAS}")
    found: dict[Version | str, Judge] = {
        Version.V1_0: _judge(etree.DTD(str(SCHEMAS / "ncip_v1_0.dtd"))),
        "discovery": _judge(etree.XMLSchema(etree.parse(SCHEMAS / "ncip_version.xsd"))),
    }
    for version, name in ((Version.V2_0, "2_0"), (Version.V2_01, "2_01"), (Version.V2_02, "2_02")):
        found[version] = _judge(etree.XMLSchema(etree.parse(SCHEMAS / f"ncip_v{name}.xsd")))
    return found
