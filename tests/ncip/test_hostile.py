"""Hostile and broken documents are refused, or read past, in bounded time; nothing but ProtocolError comes out."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from interlend import ncip
from interlend.ncip import wire

from .conftest import CORPUS, read_or_refused, written

NAMESPACE = b'xmlns="http://www.niso.org/2008/ncip"'
OPEN = b"<NCIPMessage " + NAMESPACE + b"><CheckInItem>"
CLOSE = b"</CheckInItem></NCIPMessage>"
SECONDS = 10.0  # a machine under load needs leave; each of these takes minutes when it is not bounded


def many(pattern: bytes, count: int) -> bytes:
    """Numbered copies."""
    return b" ".join(pattern % number for number in range(count))


FLOODS = {
    "depth": b"<NCIPMessage>" + b"<a>" * 200 + b"</a>" * 200 + b"</NCIPMessage>",
    "depth without end": b"<NCIPMessage>" + b"<a>" * 300_000,
    "attributes": b"<NCIPMessage " + many(b'a%d=""', 90_000) + b"/>",
    "attributes with brackets": OPEN + b"<Ext><q " + many(b'a%d=">"', 60_000) + b"/></Ext>" + CLOSE,
    "namespaces": OPEN + b"<Ext><q " + many(b'xmlns:a%d="u:%%d"', 30_000) + b"/></Ext>" + CLOSE,
    "prefixes": b"<NCIPMessage>&" + many(b"<p%d:a/>", 80_000),
    "comments": b"<NCIPMessage>&" + b"<!--" * 250_000,
    "character data": b"<NCIPMessage>&" + b"<![CDATA[" * 110_000,
    "instructions": b"<NCIPMessage>&" + b"<?" * 500_000,
    "declarations": b"<NCIPMessage>&" + b"<?xml " * 150_000,
    "ampersands": b"<NCIPMessage>" + b"&" * 1_000_000,
    "references": b"<NCIPMessage>" + b"&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" * 30_000,
    "brackets": b"<" * 1_000_000,
    "small tags": OPEN + b"<ab" * 300_000 + CLOSE,
    "small ends": OPEN + b"</a:b x=" * 120_000 + CLOSE,
    "spaces": b"<a" + b" " * 1_000_000,
    "too long": OPEN + b" " * wire.MAX_BYTES + CLOSE,
    "no end": OPEN + b"<ItemElementType>" * 50_000,
}
HEAPS = {
    "unknown elements": b"<a/>" * 200_000,
    "repeated elements": b"<ItemId><ItemIdentifierValue>1</ItemIdentifierValue></ItemId>" * 15_000,
    "many extensions": b"<Ext><q/></Ext>" * 60_000,
    "many strays": b"<UserId><UserIdentifierValue>1</UserIdentifierValue></UserId>" * 15_000,
    "many problems": b"<Problem/>" * 90_000,
    "wide codes": b"<ItemElementType>" + b"<b/>" * 200_000 + b"</ItemElementType>",
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_are_refused(name: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ncip.ProtocolError) as caught:
        ncip.decode(FLOODS[name])
    assert time.perf_counter() - started < SECONDS
    assert caught.value.whose == "theirs"
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", HEAPS)
def test_heaps_are_read_past(name: str) -> None:
    started = time.perf_counter()
    envelope = ncip.decode_envelope(OPEN + HEAPS[name] + CLOSE)
    assert time.perf_counter() - started < SECONDS
    assert isinstance(envelope.message, ncip.CheckInItem)
    assert len(envelope.deviations) <= 60
    assert len(envelope.strays) <= 50


@pytest.mark.parametrize(
    "encoding", ["utf-7", "utf-16", "utf-32", "cp037", "unicode_escape", "iso-2022-jp", "x-unknown"]
)
def test_no_encoding_hides_an_entity(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY x "y">]><NCIPMessage/>'
    hidden = text.encode(encoding if encoding != "x-unknown" else "utf-8")
    with pytest.raises(ncip.ProtocolError):
        ncip.decode(hidden)


@pytest.mark.parametrize(
    "data", [b"", b" \n", b"\xef\xbb\xbf", b"{}", b"HTTP/1.1 200 OK", b"\xff\xfe", b"<", b"<a", b"<?xml?>"]
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(ncip.ProtocolError):
        ncip.decode(data)


def test_the_size_is_the_callers_choice() -> None:
    data = (CORPUS / "relais/CheckInItem.xml").read_bytes()
    with pytest.raises(ncip.ProtocolError, match="at most 100 are read"):
        ncip.decode(data, limit=100)


def test_an_unknown_service_tells_enough_to_be_answered() -> None:
    with pytest.raises(ncip.ProtocolError) as caught:
        ncip.decode((CORPUS / "hostile/unknown-service.xml").read_bytes())
    error = caught.value
    assert (error.problem, error.service) == ("Unsupported Service", "PolishItem")
    assert error.header is not None
    assert error.header.from_agency == ncip.Code("ALD")
    assert error.style is not None
    answer = ncip.BareProblem(problems=(ncip.problem(error.problem, element=error.service),))
    document = ncip.encode(answer, ncip.answer_style(error.style))
    assert document.count(b"ns1:Problem") == 2 + 2 * document.count(b"<ns1:ProblemType") + 2
    assert ncip.decode(document) == answer


# ------------------------------------------------------------------------------------------------ fuzzing

SEEDS = [ncip.unwrap(path.read_bytes()) for path in sorted(CORPUS.rglob("*.*")) if path.suffix != ".md"]
TOKENS = [
    b"<",
    b">",
    b"&",
    b'"',
    b"'",
    b"/",
    b"<!--",
    b"<![CDATA[",
    b"]]>",
    b"<?",
    b"\x00",
    b"\xff",
    b"&#0;",
    b"&#x4;",
    b"xmlns",
]
TOKENS += [
    b"<UserId/>",
    b"<Ext>",
    b"</Ext>",
    b"<Problem/>",
    b'Scheme=""',
    b"ns1:",
    b"&nbsp;",
    b"<!DOCTYPE a []>",
    b"99999999999999999999",
]
freely = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def _only_protocol_errors(data: bytes) -> None:
    envelope, error = read_or_refused(data)
    if envelope is None:
        assert error is not None
        assert error.whose == "theirs"
        return
    # Whatever was read can be looked through for what is missing, and written, or refused as incomplete.
    style = ncip.answer_style(envelope)
    ncip.missing(envelope.message, style.version)
    _, error = written(envelope.message, style)
    assert error is None or error.whose == "ours"


@freely
@given(st.binary(max_size=400))
@example(b"<Problem>")
@example(b'<NCIPMessage xmlns:a="u"><CheckInItem><Ext><a:b/></Ext></CheckInItem></NCIPMessage>')
def test_any_bytes(data: bytes) -> None:
    _only_protocol_errors(ncip.unwrap(data))


@freely
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 40), st.sampled_from(TOKENS)), max_size=6),
)
def test_mutated_messages(seed: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    data = seed
    for at, removed, inserted in changes:
        at %= len(data) + 1
        data = data[:at] + inserted + data[at + removed :]
    _only_protocol_errors(data)


@freely
@given(st.sampled_from(SEEDS), st.sampled_from(SEEDS), st.integers(0, 5000), st.integers(0, 5000))
def test_spliced_messages(left: bytes, right: bytes, end: int, start: int) -> None:
    _only_protocol_errors(left[: end % (len(left) + 1)] + right[start % (len(right) + 1) :])
