"""How fast, how lean, how steady: NCIP messages through the whole responder, over HTTP, against a real database.

Strategy: one server (`interlend serve`) on a database made for the run; clients in processes of their own, a new
connection for every message, a bounded number of messages; processor time is read from the kernel, for the server and
the database together. Prints one table; quote its medians and ratios, never a single run on a busy machine.

    make bench-ncip                      both databases, 1, 8 and 32 clients, 1,000 items
    .venv/bin/python bench/ncip.py --database postgresql --items 1000000 --clients 8 --messages 20000
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parents[1]
PATRONS = 1000
OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?><NCIPMessage xmlns="http://www.niso.org/2008/ncip" '
    'xmlns:ncip="http://www.niso.org/2008/ncip" ncip:version="http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd">'
)
HEAD = "<InitiationHeader><FromAgencyId>BENCH</FromAgencyId><ToAgencyId>BEN</ToAgencyId></InitiationHeader>"
Took = list[tuple[str, float, bool]]
"""The service, the seconds and whether it was fine, of each message."""
BODIES = {
    "LookupUser": (
        "<UserId><UserIdentifierValue>{patron}</UserIdentifierValue></UserId>"
        "<UserElementType>Name Information</UserElementType><UserElementType>User Privilege</UserElementType>"
    ),
    "AcceptItem": (
        "<RequestId><RequestIdentifierValue>{request}</RequestIdentifierValue></RequestId>"
        "<RequestedActionType>Hold For Pickup</RequestedActionType>"
        "<UserId><UserIdentifierValue>{patron}</UserIdentifierValue></UserId>"
        "<ItemId><AgencyId>BRK</AgencyId><ItemIdentifierValue>{item}</ItemIdentifierValue></ItemId>"
        "<DateForReturn>{due}T23:59:59Z</DateForReturn><ItemOptionalFields><BibliographicDescription>"
        "<Author>Kurt Rosenwinkel</Author><Title>Friendly fire {item}</Title></BibliographicDescription>"
        "</ItemOptionalFields><PickupLocation>MAIN</PickupLocation>"
    ),
    "CheckOutItem": (
        "<UserId><UserIdentifierValue>{patron}</UserIdentifierValue></UserId>"
        "<ItemId><ItemIdentifierValue>{item}</ItemIdentifierValue></ItemId>"
    ),
    "CheckInItem": "<ItemId><ItemIdentifierValue>{item}</ItemIdentifierValue></ItemId>",
}


def message(service: str, **known: str) -> bytes:
    return f"{OPEN}<{service}>{HEAD}{BODIES[service].format(**known)}</{service}></NCIPMessage>".encode()


# --- the database and the server ------------------------------------------------------------------------------------


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The address of an empty database with durable commits."""
    with tempfile.TemporaryDirectory(prefix="interlend-bench-") as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/bench.sqlite3"
            return
        sys.path.insert(0, str(ROOT))
        from tests import postgres

        postgres.HASTE = ["max_connections=100", "shared_buffers=512MB"]  # durable: no haste
        yield postgres.url()


@contextmanager
def server(url: str, workers: int) -> Iterator[tuple[int, int]]:
    """`interlend serve` on a free port: (port, process id)."""
    port = _free_port()
    words = ["serve", "--port", str(port), "--workers", str(workers), "--threads", "8"]
    env = os.environ | {"DATABASE_URL": url, "INTERLEND_LOG": "ERROR"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from interlend.cli import main; main()", *words], env=env, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def fill(url: str, items: int) -> None:
    """A library with `items` copies, a thousand patrons and one caller, straight into the tables."""
    code = f"import bench_fill; bench_fill.fill({items}, {PATRONS})"
    env = os.environ | {"DATABASE_URL": url, "PYTHONPATH": f"{ROOT / 'bench'}:{ROOT}"}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)


def statements(url: str, due: str) -> str:
    """How many each message says to the database."""
    bodies = {name: message(name, patron="P00001", item="counted", request="R-counted", due=due) for name in BODIES}
    code = f"import bench_fill; print(*(f'{{k}} {{n}}' for k, n in bench_fill.count({bodies!r}).items()), sep=', ')"
    env = os.environ | {"DATABASE_URL": url, "PYTHONPATH": f"{ROOT / 'bench'}:{ROOT}", "INTERLEND_LOG": "ERROR"}
    return subprocess.run([sys.executable, "-c", code], env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).request("GET", "/ncip")
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


# --- clients --------------------------------------------------------------------------------------------------------


def said(port: int, body: bytes) -> bytes:
    """Post one message on a new connection; the whole answer. As lean as can be: the clients share the processors."""
    head = f"POST /ncip HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
    head += f"Content-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(head.encode() + body)
        parts = []
        while part := line.recv(65536):
            parts.append(part)
    answer = b"".join(parts)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"the server said {answer[:60]!r}")
    return answer


def client(number: int, port: int, messages: int, due: str, run: str, out: multiprocessing.Queue[Took]) -> None:
    """One client: rounds of the four messages about one patron and one new item; a connection each."""
    took: Took = []
    for turn in range(max(messages // len(BODIES), 1)):
        item = f"{run}-{number}-{turn}"
        known = {"patron": f"P{(number * 131 + turn) % PATRONS:05}", "item": item, "request": f"R-{item}", "due": due}
        for service in BODIES:
            body = message(service, **known)
            begun = time.perf_counter()
            answer = said(port, body)
            took.append((service, time.perf_counter() - begun, b"Problem" not in answer))
    out.put(took)


def load(port: int, clients: int, messages: int, due: str, run: str) -> tuple[float, Took]:
    """Everybody at once; (seconds on the wall, every message's service, seconds and success)."""
    out: multiprocessing.Queue[Took] = multiprocessing.Queue()
    each = messages // clients
    people = [multiprocessing.Process(target=client, args=(n, port, each, due, run, out)) for n in range(clients)]
    begun = time.perf_counter()
    for one in people:
        one.start()
    took = [row for _ in people for row in out.get()]
    wall = time.perf_counter() - begun
    for one in people:
        one.join()
    return wall, took


# --- the kernel's own accounts --------------------------------------------------------------------------------------


def family(pid: int) -> list[int]:
    """A process and all that came from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, look = [pid], [pid]
    while look:
        children = parents.get(look.pop(), [])
        found += children
        look += children
    return found


def postgres_family(url: str) -> list[int]:
    """The processes of the database server, by the folder of its socket."""
    if not url.startswith("postgresql"):
        return []
    folder = parse_qs(urlsplit(url).query).get("host", [""])[0]
    pid_file = Path(folder) / "data" / "postmaster.pid"
    return family(int(pid_file.read_text().split()[0])) if folder and pid_file.exists() else []


def cpu(pids: list[int]) -> float:
    """Seconds of processor time, children that have ended included."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(int(fields[n]) for n in (11, 12, 13, 14))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pids: list[int]) -> float:
    """Resident MiB of the largest."""
    sizes = [0.0]
    for pid in pids:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
        sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
    return max(sizes)


# --- one measurement ------------------------------------------------------------------------------------------------


def measure(kind: str, items: int, clients: list[int], messages: int, workers: int, due: str) -> None:
    with database(kind) as url:
        fill(url, items)
        print(f"{kind}, {items:,} items; statements a message: {statements(url, due)}", end="", flush=True)
        with server(url, 1 if kind == "sqlite" else workers) as (port, pid):
            load(port, 4, 400, due, "warm")
            for number in clients:
                ours, theirs = family(pid), postgres_family(url)
                before, size = cpu(ours) + cpu(theirs), memory(ours)
                wall, took = load(port, number, messages, due, f"c{number}")
                used = cpu(family(pid)) + cpu(postgres_family(url)) - before
                _say(kind, items, number, wall, took, used, size, memory(family(pid)))


def _say(
    kind: str, items: int, clients: int, wall: float, took: Took, used: float, size: float,
    after: float,
) -> None:  # fmt: skip
    times = sorted(seconds for _, seconds, _ in took)
    wrong = sum(not fine for _, _, fine in took)
    by_service = " ".join(
        f"{service} {statistics.median(s for name, s, _ in took if name == service) * 1000:.1f}" for service in BODIES
    )
    print(
        f"{kind:10} {items:>9,} items {clients:>3} clients {len(took):>6} messages: {len(took) / wall:6.0f}/s  "
        f"p50 {times[len(times) // 2] * 1000:6.1f} ms  p99 {times[int(len(times) * 0.99)] * 1000:6.1f} ms  "
        f"CPU {used / len(took) * 1000:5.2f} ms each  memory {size:.0f} -> {after:.0f} MiB  not ok {wrong}  "
        f"p50 by service: {by_service}",
        flush=True,
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--database", choices=["postgresql", "sqlite", "both"], default="both")
    asked.add_argument("--items", type=int, default=1000)
    asked.add_argument("--clients", default="1,8,32")
    asked.add_argument("--messages", type=int, default=4000)
    asked.add_argument("--workers", type=int, default=2)
    given = asked.parse_args()
    due = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 20 * 86400))
    kinds = ["postgresql", "sqlite"] if given.database == "both" else [given.database]
    print(f"{os.cpu_count()} processors; load {os.getloadavg()[0]:.1f} at the start", flush=True)
    for kind in kinds:
        measure(kind, given.items, [int(n) for n in given.clients.split(",")], given.messages, given.workers, due)


if __name__ == "__main__":
    main()
