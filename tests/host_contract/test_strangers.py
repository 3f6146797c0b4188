"""Whoever is not let in is told why, whatever they ask, and learns it in the words of the port."""

from __future__ import annotations

import pytest

from interlend import ncip
from interlend.bridge.dialects import DIALECTS
from interlend.bridge.host_over_ncip import HostOverNcip, Peer
from interlend.bridge.transport import Line, exchange
from interlend.circulation.models import Item
from interlend.sharing.host import HostProblem, LookupUser
from tests.host_contract.test_contract import ACCEPT
from tests.make import NOW, make_desk, make_library, make_patron

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("key", ["generic", "generic-1"])
def test_a_stranger_learns_that_the_settings_are_wrong(live_server: object, key: str) -> None:
    alder = make_library()
    make_patron(alder, "P1")
    peer = Peer("Alder's system", Line(f"{live_server}/ncip"), DIALECTS[key], from_agency="STRANGER", to_agency="ALD")
    host = HostOverNcip(peer, make_desk(alder), NOW)
    for step in (lambda: host.lookup_user(LookupUser("P1")), lambda: host.accept_item(ACCEPT)):
        with pytest.raises(HostProblem) as no:
            step()
        assert (no.value.code, no.value.lasting) == ("connection_settings", True)
        assert "Unknown Agency" in no.value.sentence
    assert not Item.objects.exists()
    assert str(host.lookup_version().problems[0].type) == "Unknown Agency"


@pytest.mark.parametrize("own_root", [True, False])
def test_also_about_versions(live_server: object, own_root: bool) -> None:
    make_library()
    style = ncip.Style(version_root=own_root, agency=ncip.Code("STRANGER"))
    asked = ncip.LookupVersion(from_agency=ncip.Code("STRANGER"), to_agency=ncip.Code("ALD"))
    answer = ncip.decode(exchange(Line(f"{live_server}/ncip"), ncip.encode(asked, style), "application/xml"))
    assert isinstance(answer, ncip.Response)
    assert str(answer.problems[0].type) == "Unknown Agency"
