"""The settings as an installation meets them: none set, secrets in files, PostgreSQL, mail, https."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[..., Any]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """`ask("ALLOWED_HOSTS", HTTPS="1")`: that setting in a fresh process that has only these variables."""

    def one(name: str, **environment: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", f"import json; from interlend.settings import *; print(json.dumps({name}))"],
            env={"PATH": os.environ["PATH"], **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return one


def test_with_none_set_it_is_closed_and_on_sqlite_below_the_current_folder(ask: Ask, tmp_path: Path) -> None:
    assert ask("DEBUG") is False
    assert ask("ALLOWED_HOSTS") == ["localhost", "127.0.0.1", "[::1]"]
    assert ask("INTERLEND_MAIL") == "drawer"
    assert ask("PASSWORD_HASHERS[0]") == "interlend.libraries.hashers.Argon2"
    database = ask("DATABASES['default']")
    assert database["NAME"] == str(tmp_path / "var" / "interlend.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert "synchronous=FULL" in database["OPTIONS"]["init_command"]


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(ask: Ask, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as at_once:
        keys = set(at_once.map(lambda _: ask("SECRET_KEY"), range(4)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE((tmp_path / "var" / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret-key"]


def test_what_is_secret_may_be_a_file(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    (tmp_path / "url").write_text("postgresql://ill:pa%2Fss@db.example:5433/interlend?sslmode=require\n")
    files = {"SECRET_KEY_FILE": str(tmp_path / "key"), "DATABASE_URL_FILE": str(tmp_path / "url")}
    assert ask("SECRET_KEY", **files) == "from a file"
    database = ask("DATABASES['default']", **files)
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 5433, "interlend")
    assert database["PASSWORD"] == "pa/ss"
    assert database["OPTIONS"]["sslmode"] == "require"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (600, True)
    assert not (tmp_path / "var").exists()


def test_mail_goes_out_when_a_server_is_named(ask: Ask) -> None:
    named = {"EMAIL_URL": "smtp+tls://ill:pw@mail.example:587"}
    assert ask("INTERLEND_MAIL", **named) == "smtp"
    assert ask("EMAIL_HOST", **named) == "mail.example"
    assert ask("EMAIL_USE_TLS", **named) is True


def test_https_keeps_cookies_off_the_clear(ask: Ask) -> None:
    assert ask("SESSION_COOKIE_SECURE") is False
    assert ask("[SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE]", INTERLEND_HTTPS="1") == [True, True]
