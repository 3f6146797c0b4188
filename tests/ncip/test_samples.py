"""Messages of real peers, where they are at hand: each is read, or is named here with the reason why it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlend import ncip
from interlend.ncip import Version

from .conftest import SAMPLES, Judge, written

# What no reader can understand, and why.
KOHA = "koha-bywater/out-"
REFUSED = {
    f"{KOHA}garbage.response.xml": "an envelope that says only that it works",
    f"{KOHA}reshare-koha__CreateUserFiscalTransaction.response.xml": "an envelope that says only that it works",
    f"{KOHA}oclc-AcceptItemD2D.response.xml": "the server crashed and sent nothing",
}


def _found() -> list[str]:
    names = [path for path in sorted(SAMPLES.rglob("*.xml")) if "iso18626" not in path.parent.name]
    return [str(path.relative_to(SAMPLES)) for path in names] or ["none"]


def _sample(name: str) -> bytes:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"the messages of real peers are not at {SAMPLES}")
    return path.read_bytes()


@pytest.mark.parametrize("name", _found())
def test_is_read(name: str) -> None:
    data = _sample(name)
    if name in REFUSED:
        with pytest.raises(ncip.ProtocolError):
            ncip.decode(data)
        return
    envelope = ncip.decode_envelope(data)
    stem = Path(name).name
    service = envelope.message.service
    assert service.lower() in data.decode("utf-8", "replace").lower(), stem
    assert not envelope.cut
    # Nothing that was said is lost: every value of a leaf is somewhere in what was read, or a deviation tells.
    if not any("unread" in sentence or "repeated" in sentence for sentence in envelope.deviations):
        _nothing_lost(data, envelope)


def _nothing_lost(data: bytes, envelope: ncip.Envelope) -> None:
    from lxml import etree

    held = repr(envelope.message) + repr(envelope.strays)
    for element in etree.fromstring(data.strip()).iter("{*}*"):
        text = (element.text or "").strip()
        if len(element) == 0 and text and not element.tag.endswith("Scheme"):
            said = str(int(text)) if text.isdigit() and str(int(text)) in held else text
            assert repr(said)[1:-1] in held or text.lower() in {"true", "false"}, (element.tag, text)


@pytest.mark.parametrize("name", _found())
def test_is_written_again_as_it_was_read(name: str, judges: dict[Version | str, Judge]) -> None:
    data = _sample(name)
    if name in REFUSED:
        return
    envelope = ncip.decode_envelope(data)
    style = ncip.answer_style(envelope)
    document, error = written(envelope.message, style)
    if error is not None:
        assert (error.whose, error.problem) in {("ours", "Needed Data Missing"), ("ours", "Invalid Date")}
        return
    again = ncip.decode_envelope(document)
    assert type(again.message) is type(envelope.message)
    assert again.style.prefix == style.prefix
    assert again.style.version is style.version
    if style.version is Version.V2_02 and not any("repeated" in note for note in envelope.deviations):
        assert again.message == envelope.message
    if envelope.message.service.startswith("LookupVersion"):
        judge = judges["discovery"] if style.version_root else None
    else:
        judge = judges.get(Version.V2_02 if envelope.message.service.startswith("LookupItemSet") else style.version)
    if judge is not None and not (style.version is Version.V1_0 and "LookupRequest" in envelope.message.service):
        assert judge(document) == [], document.decode()


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (SAMPLES / "reshare-aleph").glob("*.tcp.bin")) or ["none"]
)
def test_a_raw_connection_is_read_as_its_length_says(name: str) -> None:
    raw = _sample(f"reshare-aleph/{name}")
    head, _, body = raw.partition(b"\r\n\r\n") if b"\r\n\r\n" in raw else raw.partition(b"\n\n")
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    assert ncip.decode(body[:length]) == ncip.decode(
        (SAMPLES / "reshare-aleph" / name.replace(".tcp.bin", ".xml")).read_bytes()
    )
