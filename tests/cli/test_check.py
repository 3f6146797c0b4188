"""`interlend check host`: what a systems librarian reads, in good and in bad cases, against the stand-in system."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from interlend.bridge.checks import NOTHING, Check, check_host
from interlend.bridge.models import HostSettings
from interlend.bridge.simulated_host import SimulatedHost
from interlend.cli.check import command
from interlend.libraries.models import Library
from interlend.outbox.models import Errand
from tests.conftest import free_port
from tests.make import NOW, make_consortium

pytestmark = pytest.mark.django_db


@pytest.fixture
def host() -> Iterator[SimulatedHost]:
    with SimulatedHost() as simulated:
        simulated.store.add(["P1", "INST-BRK"], ["A1"], ["P2"])
        yield simulated


@pytest.fixture
def row(host: SimulatedHost, monkeypatch: pytest.MonkeyPatch) -> HostSettings:
    monkeypatch.setattr("interlend.cli.check.check_database", lambda: None)  # it would end this test's connection
    alder, _ = make_consortium()
    return HostSettings.objects.create(
        library=alder, kind="ncip", name="Alder's system", url=host.url, dialect="generic", from_agency="US",
        to_agency="ALD", test_patron="P1",
    )  # fmt: skip


def checked(row: HostSettings, **changes: object) -> dict[str, Check]:
    HostSettings.objects.filter(pk=row.pk).update(**changes)
    return {line.name: line for line in check_host(row.library, NOW)}


def run(symbol: str) -> Result:
    """As `interlend check host SYMBOL`, on the connection that this test has."""
    return CliRunner().invoke(command, ["host", symbol])


def test_all_in_order(row: HostSettings, host: SimulatedHost) -> None:
    told = run("ald")
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[-1] == "8 lines, all is in order."
    lines = checked(row)
    assert {line.result for line in lines.values()} == {"ok"}
    assert lines["Connection"].seen.startswith("It answers and speaks ncip_v1_0.dtd, ncip_v2_02.xsd. It offers Acc")
    assert lines["Our library"].seen == "It calls this library “Stand-in circulation system”."
    assert lines["Test patron"].seen == "P1 is known and may borrow."
    assert lines["Account of BRK"].seen == "INST-BRK is known and may borrow."


def test_it_changes_nothing(row: HostSettings, host: SimulatedHost) -> None:
    before = host.store.as_data() | {"done": None}
    for dialect in ("generic", "folio", "wms", "generic-1"):
        checked(row, dialect=dialect)
    assert host.store.as_data() | {"done": None} == before
    assert not {"AcceptItem", "CheckOutItem"} & set(host.counts.messages)


def test_no_connection_is_the_last_line_and_the_exit_code_says_so(row: HostSettings) -> None:
    lines = checked(row, url=f"http://127.0.0.1:{free_port()}/ncip")
    assert [*lines] == ["Settings", "Connection"]
    assert lines["Connection"].result == "stop"
    assert lines["Connection"].seen.startswith("Alder's system: 127.0.0.1 cannot be reached: nothing listens on port ")
    assert lines["Connection"].remedy == "Check address, port and firewall."
    told = run("ALD")
    assert told.exit_code == 1
    assert "1 that stop the work" in told.output


def test_silence(row: HostSettings, host: SimulatedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlend.bridge.host_over_ncip.HURRIED", 0.2)
    host.misbehave("timeout-before-doing", seconds=3)
    line = checked(row)["Connection"]
    assert (line.result, line.seen) == ("stop", "Alder's system: 127.0.0.1 did not answer within 0 seconds.")


def test_wrong_credentials(row: HostSettings, host: SimulatedHost) -> None:
    host.authorized = lambda _: False
    line = checked(row)["Connection"]
    assert line.result == "stop"
    assert "does not accept our credentials (HTTP 401)" in line.seen
    assert line.remedy == "Check the connection of this host."


def test_wrong_agency_ids(row: HostSettings, host: SimulatedHost) -> None:
    host.misbehave("refuse", problem="Unknown Agency")
    lines = checked(row)
    assert lines["Connection"].result == "ok"
    assert lines["Unknown patron"].result == "stop"
    assert "does not accept messages from us: Unknown Agency" in lines["Unknown patron"].seen
    assert "agency ids, profile and secret" in lines["Unknown patron"].remedy
    assert [*lines][-1] == "Unknown patron", "what comes after would fail in the same way"


def test_a_host_that_knows_no_other_services(row: HostSettings, host: SimulatedHost) -> None:
    host.store.without = frozenset({"LookupVersion", "LookupAgency", "LookupItem"})
    lines = checked(row)
    assert {line.result for line in lines.values()} == {"ok"}
    assert "after a time-out staff look" in lines["Unknown item"].seen


@pytest.mark.parametrize("how", ["garbage", "http-500"])
def test_a_host_that_stumbles_over_what_it_does_not_know(row: HostSettings, host: SimulatedHost, how: str) -> None:
    host.misbehave(how, service="LookupVersion")
    lines = checked(row)
    assert lines["Connection"].seen == "It answers, though not to LookupVersion, which is nothing unusual."
    assert lines["Test patron"].result == "ok"


def test_patrons_and_accounts(row: HostSettings, host: SimulatedHost) -> None:
    del host.store.users["INST-BRK"]
    lines = checked(row, test_patron="P2")
    assert lines["Test patron"].result == "look"
    assert "blocked" in lines["Test patron"].seen
    assert lines["Account of BRK"].seen == "Alder's system does not know the account INST-BRK."
    assert (lines["Account of BRK"].result, lines["Account of BRK"].remedy) == (
        "stop", "Correct the account's barcode under Partners, or add the account there.",
    )  # fmt: skip
    assert checked(row, test_patron="P3")["Test patron"].result == "stop"
    assert checked(row, test_patron="")["Test patron"].result == "look"


def test_a_host_that_knows_everybody_is_looked_at(row: HostSettings, host: SimulatedHost) -> None:
    host.store.anybody = True
    lines = checked(row)
    assert (lines["Unknown patron"].result, lines["Unknown item"].result) == ("look", "look")
    assert NOTHING in lines["Unknown item"].seen


def test_a_dialect_without_lookups(row: HostSettings, host: SimulatedHost) -> None:
    lines = checked(row, dialect="wms")
    assert lines["Unknown patron"].result == "look"
    assert lines["Unknown item"].result == "ok"
    assert "Account of BRK" not in lines


def test_a_slow_host_is_told(row: HostSettings, host: SimulatedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlend.bridge.checks.SLOW", 0.1)
    host.misbehave("slow", seconds=0.2, times=1)
    line = checked(row)["Speed"]
    assert (line.result, line.remedy) == ("look", "Ask its operators what makes it slow.")


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"url": ""}, "Address"), ({"dialect": "klingon"}, "Dialect"), ({"to_agency": ""}, "Agency ids")],
)
def test_settings_that_cannot_work(row: HostSettings, changes: dict[str, str], name: str) -> None:
    [line] = checked(row, **changes).values()
    assert (line.name, line.result) == (name, "stop")
    assert line.remedy


def test_an_open_road_is_named(row: HostSettings) -> None:
    url = f"http://localhost.localdomain:{free_port()}/ncip"
    assert checked(row, url=url)["Secrecy"].result == "look"


def test_a_host_that_answers_again_is_paused_no_longer(row: HostSettings) -> None:
    Errand.objects.create(
        library=row.library, verb="host.accept_item", party="host", subject="x", key="x", code="paused",
        due_at=NOW + timedelta(hours=1), made_at=NOW,
    )  # fmt: skip
    checked(row, failures=5, failing_since=NOW, paused_until=NOW + timedelta(minutes=10))
    row.refresh_from_db()
    assert (row.failures, row.paused_until) == (0, None)
    assert Errand.objects.get().due_at == NOW


def test_other_kinds_have_nothing_to_connect(row: HostSettings) -> None:
    assert "Interlend's own circulation" in checked(row, kind="in_process")["Circulation"].seen
    assert "waits for a person" in checked(row, kind="by_hand")["Circulation"].seen
    assert check_host(Library.objects.get(symbol="BRK"), NOW)[0].result == "ok"


def test_an_unknown_library_is_told(row: HostSettings) -> None:
    told = run("XYZ")
    assert told.exit_code == 1
    assert "There is no library XYZ; there are ALD, BRK." in told.output
