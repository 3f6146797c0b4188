"""Once round in the manner of every vendor: our initiator writes it, our responder understands it, over real HTTP."""

from __future__ import annotations

from datetime import date

import pytest

from interlend.bridge.dialects import DIALECTS
from interlend.circulation.models import Item, Loan
from interlend.sharing.host import AcceptItem, CheckInItem, CheckOutItem, LookupUser
from tests.host_contract.conftest import make_world, over_ncip
from tests.make import make_item


@pytest.mark.django_db(transaction=True)
def test_all_four_services_in_every_dialect(
    request: pytest.FixtureRequest, live_server: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(request, monkeypatch, "generic")
    for key, dialect in DIALECTS.items():
        host = over_ncip(f"{live_server}/ncip", dialect, world.desk)
        number, barcode, ours = f"ALD-{key}", f"B-{key}", make_item(world.library, f"A-{key}").barcode
        assert host.lookup_user(LookupUser("P1")).barcode == "P1", key
        place = "ANNEX"
        accept = AcceptItem(
            request=number, user="P1", item=barcode, title="Friendly fire", author="Kurt Rosenwinkel",
            lender_symbol="BRK", date_for_return=date(2027, 5, 3), pickup_location=place,
        )  # fmt: skip
        assert host.accept_item(accept).item == host.accept_item(accept).item == barcode, key
        item = Item.objects.get(temporary=True, request=number)
        assert item.lender_due == date(2027, 5, 3), key
        asked = dialect.style.version.major == 2 or dialect.pickup_as_to_agency
        assert item.holds.get().pickup_branch.code == (place if asked else "MAIN"), key
        out = host.check_out_item(CheckOutItem(request=f"BRK-{key}", item=ours, user="INST-BRK"))
        assert out.date_due == Loan.objects.get(item__barcode=ours).due_on, key
        assert not host.check_in_item(CheckInItem(f"BRK-{key}", ours)).already, key
        assert host.check_in_item(CheckInItem(f"BRK-{key}", ours)).already, key
    assert Item.objects.filter(temporary=True).count() == len(DIALECTS)
