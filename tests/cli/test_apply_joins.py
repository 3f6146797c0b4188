"""`interlend apply` on the joins: the circulation system and the NCIP callers, with secrets kept elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlend.bridge.callers import keyed
from interlend.bridge.models import HostSettings, NcipCaller
from interlend.cli._site import Faulty, read_site_file, write_site
from interlend.libraries.models import Library

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 4, 19, 9, 12, tzinfo=UTC)

SITE = """\
libraries:
  - symbol: ALD
    name: Alder University
    time_zone: UTC
    branches:
      - {code: MAIN, name: Main Library}
    patron_types:
      - {code: UG, name: Undergraduate}
    host:
      kind: ncip
      name: Alder's Koha
      url: https://koha.alder.example/ncip
      dialect: koha
      to_agency: ALD
      auth: basic
      auth_user: interlend
      auth_secret: sesame
      agency_secret_env: ALDER_AGENCY
    ncip_callers:
      - name: Relais
        from_agencies: [RELAIS]
        to_agencies: [ALDER]
        secret_file: secrets/relais
        networks: [192.0.2.0/24]
        services: [LookupUser, AcceptItem]
        on_clash: suffix
        pickups: {"0123": MAIN}
        currency: eur
        new_user_type: UG
      - name: Catalogue
        http_user: cat
        http_password: open-sesame
  - symbol: BRK
    name: Brook Public Library
    time_zone: UTC
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALDER_AGENCY", "from-the-air")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "relais").write_text("from-a-file\n")
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


def apply(path: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Thing -> what became of it, and the columns that changed."""
    return {done.thing: (done.what, done.changes) for done in write_site(read_site_file(path), NOW)}


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand once in the file, not {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def errors(path: Path) -> list[str]:
    with pytest.raises(Faulty) as no:
        read_site_file(path)
    return [line.removeprefix(f"{path}:") for line in no.value.lines]


# --- what is written ------------------------------------------------------------------------------------------------


def test_the_circulation_system_becomes_its_row(site: Path) -> None:
    assert apply(site)["ALD circulation system"] == ("created", ())
    row = HostSettings.objects.get()
    assert (row.library.symbol, row.kind, row.dialect, row.url) == (
        "ALD", "ncip", "koha", "https://koha.alder.example/ncip"
    )  # fmt: skip
    assert (row.auth, row.auth_user, row.auth_secret, row.agency_secret) == (
        "basic", "interlend", "sesame", "from-the-air"
    )  # fmt: skip


def test_callers_become_rows_with_hashes_for_secrets(site: Path) -> None:
    assert apply(site)["ALD NCIP caller Relais"] == ("created", ())
    relais, catalogue = NcipCaller.objects.get(name="Relais"), NcipCaller.objects.get(name="Catalogue")
    assert (relais.secret, catalogue.http_password) == (keyed("from-a-file"), keyed("open-sesame"))
    assert (relais.http_password, relais.bearer_token, catalogue.secret) == ("", "", "")
    assert relais.services == ["LookupUser", "AcceptItem"]
    assert (relais.pickups, relais.currency, relais.on_clash) == ({"0123": "MAIN"}, "EUR", "suffix")
    assert (catalogue.active, catalogue.from_agencies, catalogue.on_clash) == (True, [], "refuse")


def test_the_second_time_nothing_changes(site: Path) -> None:
    first = apply(site)
    before = [list(model.objects.values()) for model in (HostSettings, NcipCaller)]
    second = apply(site)
    assert list(second) == list(first)
    assert {what for what, _ in second.values()} == {"unchanged"}
    assert [list(model.objects.values()) for model in (HostSettings, NcipCaller)] == before


@pytest.mark.parametrize(
    ("old", "new", "thing", "column"),
    [
        ("auth_secret: sesame", "auth_secret: sesame-2", "ALD circulation system", "auth_secret"),
        ("dialect: koha", "dialect: alma", "ALD circulation system", "dialect"),
        ("secret_file: secrets/relais", "secret: another", "ALD NCIP caller Relais", "secret"),
        ("secret_file: secrets/relais", "secret: ''", "ALD NCIP caller Relais", "secret"),
        ("services: [LookupUser, AcceptItem]", "services: []", "ALD NCIP caller Relais", "services"),
        ("open-sesame", "open-sesame-2", "ALD NCIP caller Catalogue", "http_password"),
        ("http_user: cat", "http_user: cat\n        active: false", "ALD NCIP caller Catalogue", "active"),
    ],
)
def test_what_differs_is_updated_and_nothing_else(site: Path, old: str, new: str, thing: str, column: str) -> None:
    apply(site)
    outcomes = apply(changed(site, old, new))
    assert {name for name, (what, _) in outcomes.items() if what != "unchanged"} == {thing}
    assert outcomes[thing] == ("updated", (column,))
    assert {what for what, _ in apply(site).values()} == {"unchanged"}


def test_a_secret_kept_elsewhere_may_move_without_a_change(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(site)
    monkeypatch.setenv("RELAIS", "from-a-file")
    changed(site, "secret_file: secrets/relais", "secret_env: RELAIS")
    assert {what for what, _ in apply(site).values()} == {"unchanged"}


def test_what_the_file_leaves_out_stays(site: Path) -> None:
    apply(site)
    text = "libraries:\n  - {symbol: ALD, name: Alder University, time_zone: UTC, host: {name: Koha}}\n"
    site.write_text(text, encoding="utf-8")
    assert apply(site)["ALD circulation system"] == ("updated", ("name",))
    row = HostSettings.objects.get()
    assert (row.url, row.auth_secret) == ("https://koha.alder.example/ncip", "sesame")
    assert NcipCaller.objects.count() == 2


def test_a_mended_address_is_tried_at_once_and_its_failures_are_not_forgotten(site: Path) -> None:
    apply(site)
    paused = {"failures": 5, "failing_since": NOW, "paused_until": NOW + timedelta(minutes=9)}
    HostSettings.objects.update(**paused)
    apply(site)
    assert HostSettings.objects.get().paused_until is not None
    apply(changed(site, "alder.example/ncip", "alder.example/right"))
    row = HostSettings.objects.get()
    assert (row.failures, row.failing_since, row.paused_until) == (5, NOW, None)


# --- errors in the file ---------------------------------------------------------------------------------------------

MISTAKES: list[tuple[str, str, str]] = [
    ("kind: ncip", "kind: nccip", "10: “kind” cannot be “nccip”; did you mean ncip?"),
    ("dialect: koha", "dialect: kohaa", "13: unknown dialect “kohaa”; did you mean koha?"),
    ("url: https://koha.alder.example/ncip", "url: koha/ncip",
     "12: “url”: “koha/ncip” is no address; it begins with https:// or http:// or tcp:// and names a machine."),
    ("      url: https://koha.alder.example/ncip\n", "",
     "9: “url”: A system that is reached over NCIP needs an address."),
    ("      to_agency: ALD\n", "",
     "9: “to_agency”: Messages need a name for this library: what its system calls it."),
    ("      auth_user: interlend\n", "", "9: “auth_user”: The chosen way to sign in needs this."),
    ("      auth_secret: sesame\n", "", "9: “auth_secret”: The chosen way to sign in needs this."),
    ("auth_secret: sesame", "auth_secret: sesame\n      auth_secret_env: HOME",
     "18: auth_secret and auth_secret_env are given; keep one."),
    ("agency_secret_env: ALDER_AGENCY", "agency_secret_env: NOT_THERE",
     "18: the environment has no NOT_THERE; set it, or give the agency secret in another way."),
    ("agency_secret_env: ALDER_AGENCY", "agency_secret: " + "x" * 130,
     "18: the agency secret is longer than 120 characters, or is no text."),
    ("      auth: basic", "      auht: basic", "15: unknown key “auht” in host; did you mean auth?"),
    ("name: Relais", "name: catalogue", "30: the caller name “Catalogue” stands in line 20 already; rename one."),
    ("to_agencies: [ALDER]", "to_agencies: [ALDER, brk]", "22: another library here is called “brk”; leave it out."),
    ("to_agencies: [ALDER]", "to_agencies: [Brook Public  Library]",
     "22: another library here is called “Brook Public  Library”; leave it out."),
    ("192.0.2.0/24", "192.0.2.7/24", "24: “192.0.2.7/24” is an address in a network; did you mean 192.0.2.0/24?"),
    ("192.0.2.0/24", "everywhere",
     "24: “everywhere” is no network; write it as 192.0.2.0/24, or as one address."),
    ("AcceptItem]", "AcceptItm]", "25: “AcceptItm” is not offered to callers; did you mean AcceptItem?"),
    ("on_clash: suffix", "on_clash: sufix", "26: “on_clash” cannot be “sufix”; did you mean suffix?"),
    ("MAIN}\n        currency", "MIAN}\n        currency", "27: ALD has no branch “MIAN”; did you mean MAIN?"),
    ('pickups: {"0123": MAIN}', "pickups: MAIN", "27: “pickups” is written as keys and values, “theirs: OURS”."),
    ("currency: eur", "currency: €", "28: “€” is no currency; write its three letters, as EUR."),
    ("new_user_type: UG", "new_user_type: GU", "29: ALD has no patron type “GU”; possible: UG."),
    ("        http_user: cat\n", "", "30: http_user and http_password go together; give both or none."),
    ("        http_password: open-sesame\n", "", "30: http_user and http_password go together; give both or none."),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=[told for _, _, told in MISTAKES])
def test_each_mistake_is_told_with_its_line_and_remedy(site: Path, old: str, new: str, told: str) -> None:
    assert told in errors(changed(site, old, new))
    assert not Library.objects.exists()


def test_a_name_that_another_librarys_caller_uses_is_taken(site: Path, tmp_path: Path) -> None:
    apply(site)
    other = tmp_path / "other.yaml"
    other.write_text(
        "libraries:\n  - symbol: CED\n    name: Cedar\n    time_zone: UTC\n"
        "    ncip_callers:\n      - {name: Relais, to_agencies: [alder]}\n"
    )
    assert errors(other) == ["6: another library here is called “alder”; leave it out."]


def test_no_secret_is_told(site: Path, capsys: Any) -> None:
    outcomes = apply(site) | apply(changed(site, "auth_secret: sesame", "auth_secret: sesame-2"))
    assert "sesame" not in repr(outcomes)
    told = errors(changed(site, "agency_secret_env: ALDER_AGENCY", "agency_secret: " + "sesame" * 90))
    assert "sesame" not in " ".join(told)
