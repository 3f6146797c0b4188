"""Slips: what stands on a hold receipt and a routing slip, what never does, many at once, reprinting."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from interlend.circulation import services as circulation
from interlend.web.models import ScanRow
from tests.make import branch, make_consortium, make_desk, make_item, make_library, make_patron, make_staff

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def scan(client: Client, barcode: str) -> None:
    client.post(reverse("check_in"), {"barcode": barcode}, headers=HTMX)


def test_a_hold_receipt(borrowed: Any, client_of: Any, words_of: Any, clock: Any) -> None:
    """B8: name short, request and item as bars, place, day; nothing else of the patron."""
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    answer = client_of(make_staff(borrowed.alder, "desk")).get(reverse("slip_hold", args=[borrowed.hold.pk]))
    said, page = words_of(answer), answer.content.decode()
    assert f"Hold receipt Okafor, M. {borrowed.ill.number}" in said
    assert "Pickup Main Library Keep until Mon 26 Apr" in said
    assert "Belongs to Brook Public Library" in said
    assert f'aria-label="Barcode {borrowed.ill.number}"' in page
    assert f'aria-label="Barcode {borrowed.barcode}"' in page
    for private in ("Mary", borrowed.patron.barcode, borrowed.patron.email):
        assert private not in said.split()


def test_a_routing_slip_names_no_patron(borrowed: Any, client_of: Any, words_of: Any, clock: Any) -> None:
    circulation.check_in(make_desk(borrowed.alder, "ANNEX"), borrowed.barcode, clock.now)
    client = client_of(make_staff(borrowed.alder, "desk"))
    for name in ("slip_route", "slip_item"):
        said = words_of(client.get(reverse(name, args=[borrowed.item.pk])))
        assert f"Routing slip: send to Main Library {borrowed.ill.number}" in said
        assert "From Annex Belongs to Brook Public Library" in said
        assert "Okafor" not in said


def test_the_slip_of_an_item_is_the_one_it_needs_now(borrowed: Any, client_of: Any, words_of: Any, clock: Any) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    address = reverse("slip_item", args=[borrowed.item.pk])
    circulation.check_in(make_desk(borrowed.alder), borrowed.barcode, clock.now)
    assert "Hold receipt Okafor, M." in words_of(client.get(address))
    circulation.check_out(make_desk(borrowed.alder), borrowed.patron.pk, borrowed.barcode, clock.now)
    circulation.check_in(make_desk(borrowed.alder, "ILL"), borrowed.barcode, clock.now)
    assert "Route to ILL ILL Office" in words_of(client.get(address))
    own = make_item(borrowed.alder, "I1", call_number="PS3569")
    said = words_of(client.get(reverse("slip_item", args=[own.pk])))
    assert "Belongs at Main Library" in said
    assert "Call number PS3569" in said


@pytest.mark.parametrize(("size", "shown"), [("", "size-receipt"), ("a5", "size-a5"), ("<x>", "size-receipt")])
def test_sizes_for_a_receipt_printer_and_a5(borrowed: Any, client_of: Any, size: str, shown: str) -> None:
    client = client_of(make_staff(borrowed.alder, "desk"))
    page = client.get(reverse("slip_hold", args=[borrowed.hold.pk]), {"size": size, "print": "1"}).content.decode()
    assert f'class="print {shown}" data-print="1"' in page


def test_the_slips_of_a_sitting_come_together_each_once(client_of: Any, words_of: Any, clock: Any) -> None:
    alder = make_library()
    patron = make_patron(alder)
    for barcode, title, place in (("I1", "One", "MAIN"), ("I2", "Two", "ANNEX"), ("I3", "Three", "MAIN")):
        item = make_item(alder, barcode, title)
        if barcode != "I3":
            circulation.place_hold(make_desk(alder), patron, item.title, branch(alder, place), clock.now)
    client = client_of(make_staff(alder, "desk"))
    assert "No slips to print" in words_of(client.get(reverse("slips")))
    for barcode in ("I1", "I2", "I3", "I1", "unknown"):
        scan(client, barcode)
    said = words_of(client.get(reverse("slips")))
    assert [said.count(title) for title in ("One", "Two", "Three")] == [1, 1, 0]
    assert said.index("One") < said.index("Two")
    only = ScanRow.objects.get(answer__title="Two").pk
    said = words_of(client.get(reverse("slips"), {"rows": f"{only},nonsense"}))
    assert "Two" in said
    assert "One" not in said
    another = client_of(make_staff(alder, "desk"))
    assert "No slips to print" in words_of(another.get(reverse("slips"), {"rows": str(only)}))


def test_another_librarys_slips_do_not_exist_here(borrowed: Any, client_of: Any) -> None:
    client = client_of(make_staff(borrowed.brook, "admin"))
    assert client.get(reverse("slip_hold", args=[borrowed.hold.pk])).status_code == 404
    for name in ("slip_route", "slip_item"):
        assert client.get(reverse(name, args=[borrowed.item.pk])).status_code == 404


def test_nobody_prints_without_signing_in(client: Client, clock: Any) -> None:
    alder, _ = make_consortium()
    item = make_item(alder)
    answer = client.get(reverse("slip_route", args=[item.pk]))
    assert answer.status_code == 302
    assert "sign-in" in answer.headers["Location"]
