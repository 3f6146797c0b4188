"""`interlend check host`: what a systems librarian reads, in good and in bad cases, against the stand-in system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from click.testing import CliRunner, Result

from interlend import ncip
from interlend.bridge.checks import NOTHING, Check, check_host
from interlend.bridge.models import HostSettings
from interlend.bridge.simulated_host import SimulatedHost
from interlend.cli.check import command
from interlend.libraries.models import Library
from interlend.outbox.models import Errand
from interlend.sharing.models import Partner
from tests.bridge.test_strange_answers import Listener, http
from tests.bridge.test_strange_answers import listening as listening
from tests.bridge.test_transport import secure as secure
from tests.bridge.test_transport import secure_with as secure_with
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
    assert lines["Connection"].remedy.startswith("Check the port, the firewalls on both sides")
    told = run("ALD")
    assert told.exit_code == 1
    assert "1 that stops the work" in told.output


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
    assert line.remedy == "Check how we sign in to this host: the way, the name and the secret."


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
    assert "after a time-out the patron's account is asked, else staff look" in lines["Unknown item"].seen


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


WEB_PAGE = http(b"<html>Welcome to our catalogue</html>")


@pytest.mark.parametrize(
    ("script", "seen", "remedy"),
    [
        (http(b"<html/>", status="403 Forbidden"), "not accept our credentials (HTTP 403)", "Check how we sign in"),
        (http(b"<html/>", status="404 Not Found"), "has nothing at this address (HTTP 404)", "Check the path"),
        (http(b"", status="301 Moved", Location="https://new.example/ncip"), "sends us on to https://new.example/ncip",
         "Set that address"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "answers, but not in HTTP", "Check the path of the address, then the dialect"),
        (WEB_PAGE, "answered with a web page, not with NCIP", "Check the path of the address, then the dialect"),
        (http(b"", status="415 No"), "does not take the message in this form (HTTP 415)", "Check the path"),
    ],
    ids=["403", "404", "301", "ssh", "page", "415"],
)  # fmt: skip
def test_a_port_that_is_something_else(
    row: HostSettings, listening: Callable[..., Listener], script: bytes, seen: str, remedy: str
) -> None:
    last = [*checked(row, url=listening(script).url()).values()][-1]
    assert last.result == "stop"
    assert last.seen.startswith("Alder's system: 127.0.0.1 ")
    assert seen in last.seen
    assert last.remedy.startswith(remedy)


def test_a_machine_without_a_name(row: HostSettings) -> None:
    line = checked(row, url="https://ncip.alder.invalid/ncip")["Connection"]
    assert line.seen == "Alder's system: There is no machine called ncip.alder.invalid."
    assert line.remedy.startswith("Check the address: its spelling")


def test_tls_where_there_is_none(row: HostSettings, host: SimulatedHost) -> None:
    line = checked(row, url=host.url.replace("http:", "https:"))["Connection"]
    assert line.seen == "Alder's system: No secure connection to 127.0.0.1 can be made (wrong version number)."
    assert line.remedy.startswith("Check whether the port speaks TLS at all")


def test_a_certificate_of_their_own(row: HostSettings, secure: SimulatedHost) -> None:
    line = checked(row, url=secure.url.replace("http:", "https:"))["Connection"]
    assert line.seen == "Alder's system: The certificate of 127.0.0.1 is not trusted (self-signed certificate)."
    assert line.remedy == "Name the file with the certificate of its issuer in the settings of this host."


@pytest.mark.parametrize("how", ["drop", "timeout-before-doing"])
def test_a_host_that_has_no_ear_for_what_it_does_not_know(
    row: HostSettings, host: SimulatedHost, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("interlend.bridge.host_over_ncip.HURRIED", 0.3)
    host.misbehave(how, service="LookupVersion", seconds=2)
    for dialect in ("generic", "wms"):
        lines = checked(row, dialect=dialect)
        assert lines["Connection"].seen == "It answers, though not to LookupVersion, which is nothing unusual."
        assert "stop" not in {line.result for line in lines.values()}


@pytest.mark.parametrize(
    ("hours", "said"), [(-0.2, "12 minutes behind"), (0.1, "6 minutes ahead of"), (27, "27 hours ahead of"), (0.01, "")]
)
def test_a_clock_that_goes_wrong(row: HostSettings, monkeypatch: pytest.MonkeyPatch, hours: float, said: str) -> None:
    def date_of(_: object, timestamp: float | None = None) -> str:
        return format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)

    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.date_time_string", date_of)
    line = checked(row).get("Clock")
    if not said:
        assert line is None
        return
    assert line is not None
    assert (line.result, line.seen) == ("look", f"Its clock is {said} ours.")
    assert "time server" in line.remedy


@pytest.mark.parametrize(("dialect", "answers", "choose"), [("generic", 1, "generic-1"), ("polaris", 2, "generic")])
def test_an_answer_in_another_version(
    row: HostSettings, monkeypatch: pytest.MonkeyPatch, dialect: str, answers: int, choose: str
) -> None:
    spoken = ncip.Version.V1_0 if answers == 1 else ncip.Version.V2_02
    style = ncip.Style(version=spoken, namespaced=answers == 2)
    monkeypatch.setattr("interlend.ncip.answer_style", lambda *_, **__: style)
    line = checked(row, dialect=dialect)["Version"]
    assert line.seen == f"It is asked in NCIP version {3 - answers} and answers in version {answers}."
    assert line.remedy == f"Choose a dialect of version {answers}, such as {choose}."
    told = run("ALD")
    assert told.exit_code == 0
    assert told.output.splitlines()[-1] == "9 lines, it works; 1 to look at."


def test_a_profile_that_is_needed(row: HostSettings) -> None:
    lines = checked(row, dialect="alma", from_agency="RELAIS")
    assert (lines["Profile"].result, lines["Profile"].remedy) == ("look", "Set the profile that its operators gave.")
    assert "we are ALD and speak to ALD at" in lines["Settings"].seen, "both agencies are the library's own"
    assert "Profile" not in checked(row, profile="RELAIS")


def test_partners_without_an_account_are_named(row: HostSettings) -> None:
    Partner.objects.filter(library=row.library).update(account="")
    line = checked(row)["Accounts"]
    assert (line.result, line.seen) == ("look", "No account is set for BRK: nothing can be checked out to them.")
    assert "Accounts" not in checked(row, dialect="wms"), "it knows them by their symbols"


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
