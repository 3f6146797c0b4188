"""What is kept of a message, what is blanked in it, and when it is thrown away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from interlend.bridge import exchanges
from interlend.bridge.models import Exchange
from tests.make import NOW, make_library

SECRET = (
    '<x:AuthenticationInput><x:AuthenticationInputData a="b">1234</x:AuthenticationInputData></x:AuthenticationInput>',
    "<FromAgencyAuthentication>1234</FromAgencyAuthentication>",
    "<NameInformation><PersonalNameInformation><Surname>1234</Surname></PersonalNameInformation></NameInformation>",
    "<UserAddressInformation><PhysicalAddress><Street>1234</Street></PhysicalAddress></UserAddressInformation>",
    "<AuthenticationInputData><![CDATA[1234]]></AuthenticationInputData>",
    "<AuthenticationInputData>1234",
    "<UserAddressInformation><ElectronicAddress><ElectronicAddressData>1234",
    "<DateOfBirth>1234</DateOfBirth >",
)


@pytest.mark.parametrize("secret", SECRET)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "latin-1"])
def test_secrets_and_particulars_are_blanked(secret: str, encoding: str) -> None:
    body = f"<NCIPMessage><UserIdentifierValue>P1</UserIdentifierValue>{secret}<é/></NCIPMessage>"
    told = exchanges.blanked(body.encode(encoding))
    assert "1234" not in told
    assert "<UserIdentifierValue>P1</UserIdentifierValue>" in told


def test_what_is_no_secret_stays_and_empty_elements_do_no_harm() -> None:
    body = "<A><DateOfBirth/><ItemIdentifierValue>1234</ItemIdentifierValue></A>"
    assert exchanges.blanked(body.encode()) == body


def test_what_is_no_xml_is_not_kept() -> None:
    assert "1234" not in exchanges.blanked(b"user=P1&pin=1234")
    assert exchanges.blanked(b"") == ""


def test_long_bodies_are_cut() -> None:
    told = exchanges.blanked(b"<A>" + b"x" * 200_000 + b"</A>")
    assert len(told) < 70_000
    assert told.endswith("more characters)")


def test_headers_lose_what_proves_somebody() -> None:
    told = exchanges.without_secrets({"Authorization": "Bearer x", "User-Agent": "Go", "Cookie": "a=b"})
    assert told == {"Authorization": "***", "User-Agent": "Go", "Cookie": "***"}


@pytest.mark.django_db
def test_old_exchanges_are_purged_and_new_ones_kept() -> None:
    alder = make_library()
    for age in (1, 89, 91, 400):
        kept = exchanges.Kept(library_id=alder.pk, service="LookupUser")
        exchanges.keep(kept, b"<a/>", b"<b/>", NOW - timedelta(days=age), 3)
    assert exchanges.purge(NOW, limit=1) == 1
    assert exchanges.purge(NOW) == 1
    assert exchanges.purge(NOW) == 0
    assert sorted((NOW - row.at).days for row in Exchange.objects.all()) == [1, 89]


def test_the_plain_statement_names_every_column() -> None:
    assert set(exchanges.COLUMNS) == {field.column for field in Exchange._meta.local_concrete_fields} - {"id"}


@pytest.mark.django_db
def test_a_row_takes_whatever_came() -> None:
    kept = exchanges.Kept(peer="p" * 500, service="s" * 500, request="r" * 500, item_barcode="\x00b", detail="\x00d")
    exchanges.keep(kept, b"<a>\x00</a>", b"", NOW, 1)
    row = Exchange.objects.get()
    assert (len(row.peer), len(row.service), len(row.request)) == (120, 60, 60)
    assert "\x00" not in row.message + row.detail + row.item_barcode
