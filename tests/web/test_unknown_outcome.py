"""Where nothing tells whether a step happened a person decides: pages say why and where to look, and offer buttons.

Only what may have been done and must not be done twice comes this far; a check-in is simply repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from interlend.bridge.simulated_host import SimulatedHost
from interlend.outbox.services import settle_by_staff
from interlend.sharing.models import IllRequest
from tests.bridge.test_misbehaviour import VERBS, Steps
from tests.bridge.test_misbehaviour import host as host
from tests.make import NOW, make_staff

pytestmark = pytest.mark.django_db

BUTTONS = ("Try again", "Done by hand", "Skip")


@pytest.mark.parametrize("dialect", ["generic", "polaris"])
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("how", ["drop-after-doing", "drop"])
def test_a_person_looks_and_decides(
    verb: str, dialect: str, how: str, host: SimulatedHost, telling: Callable[[], Any], client_of: Any, words_of: Any
) -> None:
    steps = Steps(verb, dialect, host, without=("LookupItem", "LookupRequest", "lists"))
    errand = steps.tried(how)
    client = client_of(make_staff(steps.owner, "ill"))
    ill = IllRequest.objects.get(library=steps.owner, number=steps.number)

    def pages() -> list[str]:
        urls = (reverse("needs_attention"), reverse("ill_request", args=[ill.pk]))
        return [str(words_of(client.get(url), "//main")) for url in urls]

    assert errand.state == "unknown"
    for said in pages():
        assert "The system: 127.0.0.1 ended the connection without an answer." in said
        assert "Nobody knows yet whether it happened; it is looked up before anything is repeated." in said
    assert all(button in pages()[1] for button in BUTTONS)
    done = steps.times_done()
    errand = steps.well_again(errand)
    if verb == "CheckInItem":
        assert (errand.state, steps.times_done()) == ("done", 1)
        return
    assert (errand.state, errand.code, steps.times_done()) == ("failed", "look_by_hand", done)
    where = (
        f"look for {steps.barcode} there, with a hold for P1" if verb == "AcceptItem"
        else f"look whether {steps.barcode} is on loan to INST-ALD there"
    )  # fmt: skip
    for said in pages():
        assert "The system did not answer, and it cannot be asked whether it did it." in said
        assert f"Circulation desk: {where}; if so choose done by hand, else try again." in said
    assert all(button in pages()[1] for button in BUTTONS)
    with telling():
        settle_by_staff(errand, "staff.done_by_hand" if done else "staff.try_again", NOW, "R. Ito")
    errand.refresh_from_db()
    assert (errand.state, steps.times_done()) == ("done_by_hand" if done else "done", 1)


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("drop-after-doing", "it was looked up, and it had been done."),
        ("drop", "nothing showed that it had been done, so it was done now."),
    ],
)
def test_what_a_look_has_found_stands_on_the_time_line(
    how: str, found: str, host: SimulatedHost, client_of: Any, words_of: Any
) -> None:
    steps = Steps("AcceptItem", "generic", host)
    steps.well_again(steps.tried(how))
    ill = IllRequest.objects.get(library=steps.owner, number=steps.number)
    page = client_of(make_staff(steps.owner, "viewer")).get(reverse("ill_request", args=[ill.pk]))
    line = words_of(page, "//ol")
    assert f"There had been no answer; {found}" in line
    assert "LookupItem" in line
    assert "No answer" in line


def test_a_host_that_cannot_be_asked_for_long_need_not_be_waited_for(
    host: SimulatedHost, client_of: Any, words_of: Any
) -> None:
    steps = Steps("AcceptItem", "generic", host)
    errand = steps.tried("drop")
    errand.tries = 9
    errand.save(update_fields=["tries"])
    host.misbehave("garbage", service="LookupItem")
    errand = steps.settled(errand)
    assert errand.state == "unknown"
    said = words_of(client_of(make_staff(steps.owner, "ill")).get(reverse("needs_attention")), "//main")
    assert "The system: 127.0.0.1 answered with a web page, not with NCIP." in said
    assert "You need not wait for it: look there, then choose done by hand or try again." in said
