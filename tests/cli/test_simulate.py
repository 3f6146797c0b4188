"""The stand-in circulation system: as a process that integrators start, and as the thing it stands in for."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner

from interlend import ncip
from interlend.bridge.simulated_circulation import SimulatedCirculation
from interlend.bridge.simulated_host import HOWS, SimulatedHost
from interlend.cli.simulate import command
from tests.conftest import free_port, wait_until

HEADER = ncip.Header(from_agency=ncip.Code("ILL"), to_agency=ncip.Code("ALD"))
V1 = ncip.Style(version=ncip.Version.V1_0, namespaced=False)
V2 = ncip.Style(prefix="ns1")
BOTH = pytest.mark.parametrize("style", [V1, V2], ids=["v1", "v2"])


class Remote:
    """What an integrator has: addresses to post to."""

    def __init__(self, url: str) -> None:
        self.url, self.http = url, urllib3.PoolManager(timeout=5, retries=False)

    def get(self) -> Any:
        return json.loads(self.http.request("GET", self.url).data)

    def order(self, path: str) -> tuple[int, Any]:
        answer = self.http.request("POST", self.url + path)
        return answer.status, json.loads(answer.data)

    def ask(self, message: ncip.Message, style: ncip.Style = V2) -> ncip.Response:
        answer = self.http.request("POST", self.url + "/ncip", body=ncip.encode(message, style))
        assert answer.status == 200
        decoded = ncip.decode(answer.data)
        assert isinstance(decoded, ncip.Response)
        return decoded


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Remote]]:
    """`interlend simulate host` as a process of its own, without a database."""
    port, log = free_port(), tmp_path / "log"
    words = ["simulate", "host", "--port", str(port), "--patron", "P1", "--blocked", "P2", "--item", "A1",
             "--misbehave", "refuse", "--problem", "Unknown User", "--times", "1"]  # fmt: skip
    nowhere = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/missing/no.sqlite3",
        "DJANGO_SETTINGS_MODULE": "interlend.settings",
    }
    with log.open("w") as out:
        started = subprocess.Popen(
            [sys.executable, "-c", "from interlend.cli import main; main()", *words], env=os.environ | nowhere,
            stdout=out, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    started.log = log  # type: ignore[attr-defined]
    remote = Remote(f"http://127.0.0.1:{port}")
    wait_until(lambda: "Ctrl-C stops it" in log.read_text(), 20, "the stand-in")
    yield started, remote
    started.kill()
    started.wait(10)


def test_as_an_integrator_uses_it(process: tuple[subprocess.Popen[str], Remote]) -> None:
    started, remote = process
    look = ncip.LookupUser(header=HEADER, user_id=ncip.UserId("P1"))
    refused = remote.ask(look)
    assert refused.problems[0].type == ncip.problem("Unknown User", service="LookupUser").type
    assert not remote.ask(look).problems, "it was told to refuse once"
    assert remote.order("/misbehave?how=refuse&problem=User+Blocked&service=CheckOutItem") == (
        200, {"how": "refuse", "service": "CheckOutItem", "times": None, "seconds": 60.0},
    )  # fmt: skip
    out = ncip.CheckOutItem(header=HEADER, user_id=ncip.UserId("P1"), item_id=ncip.ItemId("A1"))
    assert remote.ask(out).problems
    assert remote.order("/misbehave?how=good")[0] == 200
    assert not remote.ask(out).problems
    state = remote.get()
    assert state["messages"] == {"LookupUser": 2, "CheckOutItem": 2}
    assert state["done"] == {"LookupUser": 1, "CheckOutItem": 1}
    assert [item["borrower"] for item in state["items"]] == ["P1"]
    assert remote.order("/clear")[1]["items"][0]["borrower"] == ""
    status, said = remote.order("/misbehave?how=dance")
    assert status == 400
    assert "It cannot do “dance”" in said["wrong"]
    started.send_signal(signal.SIGINT)
    assert started.wait(10) == 0
    assert "It has stopped." in started.log.read_text()  # type: ignore[attr-defined]


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = CliRunner().invoke(command, ["host", "--port", str(port)])
    assert told.exit_code == 1
    assert f"Port {port} is taken by another program" in told.output


def test_its_help_names_everything_it_can_do_wrong() -> None:
    told = CliRunner().invoke(command, ["host", "--help"])
    assert all(how in told.output for how in HOWS)


# --- the store ------------------------------------------------------------------------------------------------------


@pytest.fixture
def remote() -> Iterator[Remote]:
    with SimulatedHost() as host:
        host.store.add(["P1"], ["A1"], ["P2"])
        yield Remote(host.url.removesuffix("/ncip"))


def accept(barcode: str = "B1") -> ncip.AcceptItem:
    about = ncip.BibliographicDescription(title="War and peace")
    return ncip.AcceptItem(
        header=HEADER, request_id=ncip.RequestId("R-1"), requested_action_type=ncip.Code("Hold For Pickup"),
        user_id=ncip.UserId("P1"), item_id=ncip.ItemId(barcode),
        item_optional_fields=ncip.ItemOptionalFields(bibliographic_description=about),
    )  # fmt: skip


@BOTH
def test_a_borrowing_from_end_to_end(remote: Remote, style: ncip.Style) -> None:
    accepted = remote.ask(accept(), style)
    assert isinstance(accepted, ncip.AcceptItemResponse)
    assert accepted.item_id is not None
    assert accepted.item_id.value == "B1"
    item, user = ncip.ItemId("B1"), ncip.UserId("P1")
    out = remote.ask(ncip.CheckOutItem(header=HEADER, user_id=user, item_id=item), style)
    assert isinstance(out, ncip.CheckOutItemResponse)
    assert out.date_due is not None
    assert not remote.ask(ncip.RenewItem(header=HEADER, user_id=user, item_id=item), style).problems
    elements = (ncip.Code("Circulation Status"),)
    seen = remote.ask(
        ncip.LookupItem(header=HEADER, item_id=item, item_element_types=elements, current_borrower_desired=True), style
    )
    assert isinstance(seen, ncip.LookupItemResponse)
    assert seen.item_optional_fields is not None
    assert seen.item_transaction is not None
    assert str(seen.item_transaction.current_borrower.value) == "P1"  # type: ignore[union-attr]
    assert not remote.ask(ncip.CheckInItem(header=HEADER, item_id=item), style).problems
    again = remote.ask(ncip.CheckInItem(header=HEADER, item_id=item), style)
    assert str(again.problems[0].type) == "Item Not Checked Out"


def test_it_is_naive_so_that_whoever_repeats_unasked_is_found_out(remote: Remote) -> None:
    remote.ask(accept())
    second = remote.ask(accept())
    assert isinstance(second, ncip.AcceptItemResponse)
    assert second.item_id is not None
    assert second.item_id.value == "B1-2"
    assert len(remote.get()["holds"]) == 2


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (ncip.LookupUser(header=HEADER, user_id=ncip.UserId("nobody")), "Unknown User"),
        (ncip.CheckInItem(header=HEADER, item_id=ncip.ItemId("nothing")), "Unknown Item"),
        (ncip.CheckOutItem(header=HEADER, user_id=ncip.UserId("P2"), item_id=ncip.ItemId("A1")), "User Blocked"),
        (ncip.DeleteUser(header=HEADER, user_id=ncip.UserId("P1")), "Unsupported Service"),
    ],
)
def test_what_it_refuses(remote: Remote, message: ncip.Message, problem: str) -> None:
    assert str(remote.ask(message).problems[0].type) == problem


def test_it_tells_what_it_offers(remote: Remote) -> None:
    told = remote.ask(ncip.LookupVersion(from_agency=ncip.Code("ILL"), to_agency=ncip.Code("ALD")))
    assert isinstance(told, ncip.LookupVersionResponse)
    assert "AcceptItem" in told.services_supported


def test_what_is_no_ncip_is_answered_with_a_problem() -> None:
    answer = ncip.decode(SimulatedCirculation().answer(b"<html>"))
    assert isinstance(answer, ncip.BareProblem)


@pytest.mark.parametrize("how", HOWS)
def test_whatever_it_did_wrong_it_is_good_again(how: str) -> None:
    with SimulatedHost(SimulatedCirculation(anybody=True)) as host:
        host.misbehave(how, times=1, seconds=0.2)
        body = ncip.encode(ncip.LookupUser(header=HEADER, user_id=ncip.UserId("P1")), V2)
        http = urllib3.PoolManager(timeout=0.1, retries=False)
        usual = False
        try:
            first = http.request("POST", host.url, body=body)
            usual = first.status == 200 and isinstance(ncip.decode(first.data), ncip.LookupUserResponse)
            usual = usual and not ncip.decode(first.data).problems and len(first.data) < 10_000  # type: ignore[attr-defined]
            usual = usual and b">other<" not in first.data
        except (urllib3.exceptions.HTTPError, ncip.ProtocolError):
            pass
        assert usual is (how == "good")
        assert isinstance(Remote(host.url.removesuffix("/ncip")).ask(ncip.decode(body)), ncip.LookupUserResponse)
