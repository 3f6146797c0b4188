"""Two web processes and two workers on one database: everything told at once and twice, and nothing doubled."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from interlend.circulation.models import Hold, Item, Loan
from interlend.libraries.hashers import Argon2
from interlend.libraries.models import Library
from interlend.notices.models import Letter
from interlend.outbox.models import Errand, Event
from interlend.sharing.models import IllRequest
from tests.conftest import free_port, wait_until
from tests.make import make_consortium, make_ill, make_item, make_patron, make_staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
REQUESTS, PASSWORD = 6, "pass-word-1"


def hire(library: Library, sign_in: str, role: str) -> None:
    """A staff member whose password the processes can read: they hash as an installation does, tests do not."""
    member = make_staff(library, role, sign_in=sign_in)
    member.password = Argon2().encode(PASSWORD, Argon2().salt())
    member.save()


class Browser:
    """Cookies, forms and nothing else: one signed-in person at one web process."""

    def __init__(self, port: int, sign_in: str) -> None:
        self.base = f"http://127.0.0.1:{port}"
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.post("/sign-in", sign_in=sign_in, password=PASSWORD)
        assert 'name="password"' not in self.get("/check-in"), f"{sign_in} is signed in"

    def get(self, path: str) -> str:
        with self.opener.open(self.base + path, timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    def post(self, path: str, form: str = "", **fields: str) -> int:
        """Post the form that stands at `form` (else at `path`); where it leads must open, too."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(form or path))
        fields["csrfmiddlewaretoken"] = token.group(1) if token else ""
        request = urllib.request.Request(self.base + path, urllib.parse.urlencode(fields).encode())
        request.add_header("Referer", self.base + path)
        try:
            with self.opener.open(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as no:
            return no.code


def at_once(jobs: Sequence[Callable[[], int]]) -> list[int]:
    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(lambda job: job(), jobs))


def test_nothing_is_doubled_by_two_web_processes_and_two_workers(
    start_interlend: Callable[..., Any], smtp_server: Any
) -> None:
    alder, brook = make_consortium()
    hire(alder, "alder.ill", "ill")
    hire(brook, "brook.ill", "ill")
    patrons = [make_patron(alder, f"P{n}", email=f"p{n}@example.org") for n in range(REQUESTS)]
    books = [make_item(brook, f"B{n}", f"Book {n}").barcode for n in range(REQUESTS)]
    for number, patron in enumerate(patrons):
        make_ill(alder, patron, title=f"Book {number}")

    ports = [free_port(), free_port()]
    start_interlend("serve", "--port", str(ports[0]))
    start_interlend("serve", "--port", str(ports[1]), "--workers", "2")  # these two share a port, never a connection
    for _ in range(2):
        start_interlend("work", EMAIL_URL=smtp_server.url)
    wait_until(lambda: IllRequest.objects.filter(library=brook).count() == REQUESTS, 30, "the workers sending requests")
    wait_until(lambda: all(_up(port) for port in ports), 30, "the web processes")

    lenders = [Browser(port, "brook.ill") for port in ports]
    ours = [Browser(port, "alder.ill") for port in ports]

    # every parcel is shipped, received, readied twice at the same moment, by two people at two processes
    for ill in IllRequest.objects.filter(library=brook, side="lending").order_by("number"):
        press_together(lenders, ill.pk, "staff.ship", barcode=books[int(ill.title.split()[-1])])
    for ill in IllRequest.objects.filter(library=alder, side="borrowing").order_by("number"):
        press_together(ours, ill.pk, "staff.receive", barcode_1=books[int(ill.title.split()[-1])])
    wait_until(lambda: not Errand.objects.exclude(state="done").exists(), 30, "every errand")
    for book in books:
        assert at_once([partial(person.post, "/check-in", barcode=book) for person in ours]) == [200, 200]
    wait_until(lambda: Letter.objects.count() == REQUESTS, 30, "the letters")
    Letter.objects.update(due_at=timezone.now())
    wait_until(lambda: not Letter.objects.exclude(state="sent").exists(), 30, "the mail")

    assert Loan.objects.count() == REQUESTS
    assert Item.objects.filter(library=alder, temporary=True).count() == REQUESTS
    assert Hold.objects.count() == REQUESTS
    assert Event.objects.filter(kind="circulation.hold_ready").count() == REQUESTS
    assert sorted(mail["To"] for mail in smtp_server) == [f"p{n}@example.org" for n in range(REQUESTS)]
    assert set(IllRequest.objects.values_list("state", flat=True)) == {"received"}


def press_together(people: list[Browser], ill: int, trigger: str, **fields: str) -> None:
    """The same button by everybody at once: one does it, the others are told that it is done."""
    path = f"/requests/{ill}/do"
    form = f"{path}?trigger={trigger}"
    statuses = at_once([partial(p.post, path, form, trigger=trigger, **fields) for p in people])
    assert 200 in statuses, statuses
    assert set(statuses) <= {200, 422}, statuses


def _up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_desks_at_two_processes_share_one_truth(start_interlend: Callable[..., Any]) -> None:
    """What one process writes, the other shows at once: nothing is kept in a process."""
    alder, _ = make_consortium()
    hire(alder, "alder.desk", "desk")
    patron, item = make_patron(alder, "P1"), make_item(alder, "A1", "A light in the attic")
    ports = [free_port(), free_port()]
    for port in ports:
        start_interlend("serve", "--port", str(port))
    wait_until(lambda: all(_up(port) for port in ports), 30, "the web processes")
    one, other = (Browser(port, "alder.desk") for port in ports)
    to, form = f"/patrons/{patron.pk}/check-out", f"/patrons/{patron.pk}"
    statuses = at_once([partial(person.post, to, form, barcode=item.barcode) for person in (one, other)])
    assert set(statuses) <= {200, 422}
    assert Loan.objects.count() == 1
    assert "A light in the attic" in other.get(f"/patrons/{patron.pk}")
