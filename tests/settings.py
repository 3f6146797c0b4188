"""The settings of a test run: those of an installation, with a database of its own and nothing slow or far away.

INTERLEND_TEST_DB says which database: `sqlite` (a file, as installations have it) or `postgresql`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests import postgres

KIND = os.environ.get("INTERLEND_TEST_DB", "sqlite")
if KIND not in {"sqlite", "postgresql"}:
    raise RuntimeError(f"INTERLEND_TEST_DB is {KIND!r}; it may be sqlite or postgresql.")

# Workers of one run share a folder, made by the first process and named in the environment of the others.
if "INTERLEND_TEST_FOLDER" not in os.environ:
    os.environ["INTERLEND_TEST_FOLDER"] = tempfile.mkdtemp(prefix="interlend-test-")
    atexit.register(shutil.rmtree, os.environ["INTERLEND_TEST_FOLDER"], ignore_errors=True)
FOLDER = Path(os.environ["INTERLEND_TEST_FOLDER"])

# Whoever runs the tests may have an installation in their environment: none of it may reach the tests.
for name in ("DATABASE_URL", "EMAIL_URL", "ALLOWED_HOSTS", "INTERLEND_HTTPS", "INTERLEND_DEBUG"):
    os.environ.pop(name, None)
    os.environ.pop(f"{name}_FILE", None)
os.environ["SECRET_KEY"] = "only for tests"
os.environ["INTERLEND_DATA"] = str(FOLDER)
if KIND == "postgresql":
    os.environ["DATABASE_URL"] = postgres.url()

from interlend.settings import *  # noqa: E402, F403
from interlend.settings import DATABASES  # noqa: E402

if KIND == "sqlite":
    # A file as in real life (write-ahead log, locks between connections), without waiting for the disk.
    DATABASES["default"]["TEST"] = {"NAME": str(FOLDER / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"  # type: ignore[index]
else:
    # The test server makes a thread for each connection, which would leave its own to the database open.
    DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Argon2 is slow on purpose
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
