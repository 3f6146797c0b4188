"""The two main routes in a real browser, without a mouse: a borrowed book from parcel to parcel, and a lent one.

After every page: no breach of WCAG 2.2 AA that a checker can see, and the cursor where the next scan goes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from interlend.bridge import exchanges
from interlend.bridge.models import Exchange, HostSettings
from interlend.circulation.models import Item, Loan
from interlend.notices.models import Letter
from interlend.notices.services import send_due
from interlend.sharing.models import IllRequest
from tests.make import make_consortium, make_item, make_patron, make_staff

pytestmark = [pytest.mark.django_db(transaction=True)]
Accessible, Shot = Callable[[Any], None], Callable[..., None]
BOOK, TITLE, PASSWORD = "30007007467409", "Friendly fire", "pass-word-1"


class Desk:
    """A person at a keyboard. Nothing here clicks."""

    def __init__(self, page: Any, accessible: Accessible, shot: Shot, name: str) -> None:
        self.page, self._accessible, self._shot, self.name = page, accessible, shot, name

    def sign_in(self, sign_in: str) -> None:
        self.page.goto("/sign-in")
        self.page.keyboard.type(sign_in)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "sign-in" not in url)

    def stand_at(self, branch: str) -> None:
        """The switcher in the top bar, by keyboard."""
        summary = self.page.locator(".bar summary", has_text="Here:")
        summary.focus()
        self.page.keyboard.press("Enter")
        self.page.get_by_role("button", name=branch, exact=True).focus()
        self.page.keyboard.press("Enter")
        self.page.locator(".bar summary", has_text=branch).wait_for()

    def open(self, path: str, look: str = "") -> None:
        self.page.goto(path)
        self.look(look)

    def look(self, name: str = "") -> None:
        self._accessible(self.page)
        if name:
            self._shot(self.page, f"{self.name}-{name}")

    def scan(self, barcode: str, says: str, look: str = "") -> Any:
        """Type where the cursor is, press Enter; a row says so, and the cursor is back in the box."""
        box = self.page.locator("input.scan-input")
        assert box.evaluate("box => document.activeElement === box"), "the scan box has the focus"
        self.page.keyboard.type(barcode)
        self.page.keyboard.press("Enter")
        row = self.page.locator("#rows .row", has_text=says).first
        row.wait_for()
        self.page.wait_for_function("() => document.activeElement.classList.contains('scan-input')")
        self.look(look)
        return row

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label).first.focus()
        self.page.keyboard.press("Enter")


@pytest.fixture
def desk(
    new_page: Callable[..., Any], accessible: Callable[[Any], None], shot: Callable[..., None]
) -> Callable[[str], Desk]:
    return lambda name: Desk(new_page(), accessible, shot, name)


def test_borrowing_and_lending_from_end_to_end(
    desk: Callable[[str], Desk],
    new_page: Callable[..., Any],
    accessible: Callable[[Any], None],
    shot: Callable[..., None],
) -> None:
    alder, brook = make_consortium()
    patron = make_patron(alder, "P1")
    make_item(brook, BOOK, TITLE, call_number="M1366 .R67")
    make_staff(alder, "ill", sign_in="alder.ill")
    make_staff(brook, "ill", sign_in="brook.ill")

    # Alder asks
    ours = desk("borrowing")
    ours.sign_in("alder.ill")
    ours.look("needs-attention")
    ours.open("/requests/new", "new-request-patron")
    ours.page.keyboard.type("P1")
    ours.page.keyboard.press("Enter")
    ours.page.locator("input[name=title]").wait_for()
    ours.page.keyboard.type(TITLE)
    ours.page.keyboard.press("Tab")
    ours.page.keyboard.type("Kurt Rosenwinkel")
    ours.page.locator("select[name=lender]").select_option("BRK")
    ours.look("new-request")
    ours.page.locator("input[name=title]").focus()
    ours.page.keyboard.press("Enter")
    ours.page.get_by_role("heading", name="ALD-10001").wait_for()
    ours.look("request-asked")

    # Brook ships: the number, then the book
    theirs = desk("lending")
    theirs.sign_in("brook.ill")
    theirs.open("/ship", "ship")
    theirs.page.keyboard.type("ALD-10001")
    theirs.page.keyboard.press("Enter")
    theirs.page.get_by_text(TITLE).first.wait_for()
    theirs.look("ship-the-book")
    theirs.scan(BOOK, "Shipped", "shipped")
    assert Loan.objects.get(library=brook).patron.barcode == "INST-ALD"

    # Alder receives, sends it to Main, readies it
    ours.open("/receive", "receive")
    assert ours.page.locator("#count-receive").inner_text() == "1"
    ours.scan("ALD-10001", "Received", "received")
    ours.page.locator("#count-receive", has_text="0").wait_for()  # soon after the last scan, without another page
    ours.stand_at("ILL Office")
    ours.open("/check-in")
    ours.scan(BOOK, "Send to Main Library", "routed")
    ours.stand_at("Main Library")
    ours.open("/check-in")
    ours.scan(BOOK, "Hold", "ready")

    # the patron sees it at once, on a phone; the letter goes at its hour
    phone = new_page(viewport={"width": 390, "height": 844})
    phone.goto("/my/sign-in?library=ALD")
    phone.locator("input[name=barcode]").fill("P1")
    phone.locator("input[name=pin]").fill("1234")
    accessible(phone)
    phone.keyboard.press("Enter")
    phone.get_by_role("heading", name="Ready for you").wait_for()
    accessible(phone)
    shot(phone, "patron-ready")
    send_due(Letter.objects.get().due_at)
    ours.open("/notices/drawer", "mail-drawer")
    assert "An item is ready" in ours.page.locator("main").inner_text()

    # out and back
    ours.open("/patrons")
    ours.page.keyboard.type("P1")
    ours.page.keyboard.press("Enter")
    ours.page.get_by_role("heading", name="Okafor").wait_for()
    ours.scan(BOOK, TITLE, "checked-out")
    ours.open(f"/items/{Item.objects.get(library=alder).pk}", "item")
    ours.open("/check-in")
    row = ours.scan(BOOK, "Send to ILL Office", "returned-at-the-desk")
    assert "Update request ALD-10001" in row.inner_text()
    ours.open(f"/requests/{IllRequest.objects.get(library=alder).pk}", "request-back-at-the-desk")
    ours.open("/return")
    ours.scan("ALD-10001", "Returned", "returned")

    # Brook completes
    theirs.open("/complete")
    theirs.scan("ALD-10001", "Completed", "completed")
    states = IllRequest.objects.values_list("state", flat=True)
    assert set(states) == {"completed"}
    assert not Loan.objects.filter(state="out").exists()
    theirs.open(f"/requests/{IllRequest.objects.get(library=brook).pk}", "request-completed")
    assert patron.surname not in theirs.page.content()


def test_a_fast_scanner_is_not_slowed_and_a_wrong_scan_looks_different(desk: Callable[[str], Desk]) -> None:
    alder, _ = make_consortium()
    codes = [make_item(alder, title=f"Book {n}").barcode for n in range(6)]
    make_staff(alder, "desk", sign_in="alder.desk")
    person = desk("desk")
    person.sign_in("alder.desk")
    person.open("/check-in")
    for code in [*codes[:3], "nothing-known", *codes[3:]]:
        person.page.keyboard.type(code)
        person.page.keyboard.press("Enter")  # no waiting between the scans
    person.page.wait_for_function("() => document.querySelectorAll('#rows .row').length === 7")
    rows = person.page.locator("#rows .row")
    meanings = [rows.nth(n).get_attribute("data-meaning") for n in range(7)]
    assert meanings == ["good", "good", "good", "stop", "good", "good", "good"], (
        "in the order of the scans, newest on top"
    )
    assert "Not checked in" in rows.nth(3).inner_text()
    person.look("many-scans")


def test_a_scanners_habits_do_no_harm(desk: Callable[[str], Desk]) -> None:
    """A line feed after Enter, a held Enter, Tab instead of Enter, a code scanned while nothing has the cursor."""
    alder, _ = make_consortium()
    codes = [make_item(alder, f"3100{n}", f"Book {n}").barcode for n in range(4)]
    make_staff(alder, "desk", sign_in="alder.desk")
    person = desk("scanner")
    person.sign_in("alder.desk")
    person.open("/check-in")
    keys, rows = person.page.keyboard, person.page.locator("#rows .row")

    def titles(count: int) -> list[str]:
        person.page.wait_for_function("n => document.querySelectorAll('#rows .row').length >= n", arg=count)
        person.page.wait_for_timeout(200)
        return [rows.nth(n).locator(".row-title").inner_text() for n in range(rows.count())]

    keys.type(codes[0])
    keys.press("Enter")
    keys.press("Enter")  # the line feed
    assert titles(1) == ["Book 0"], "one scan, though Enter came twice"
    keys.type(codes[1])
    keys.press("Tab")
    assert titles(2)[0] == "Book 1", "Tab at the end of a scan sends it"
    person.page.locator("h1").click()
    assert person.page.evaluate("() => document.activeElement.id") != "scan"
    keys.type(codes[2])
    keys.press("Enter")
    assert titles(3)[0] == "Book 2", "the cursor was nowhere, and the scan arrived"
    keys.type(codes[3], delay=90)
    keys.press("Tab")
    assert person.page.evaluate("() => document.activeElement.id") == "backdate", "a hand's Tab goes to the next field"


STAFF_PAGES = (
    "/patrons", "/check-in", "/items?scope=temporary", "/pull-list", "/hold-shelf", "/in-transit", "/temporary-items",
    "/requests/needs-attention", "/requests/borrowing", "/requests/lending", "/receive", "/return", "/ship",
    "/complete", "/requests/new", "/partners", "/notices", "/notices/drawer", "/settings/", "/health", "/exchanges",
    "/settings/circulation-system", "/settings/ncip-callers", "/settings/ncip-callers/new", "/settings/notice-policy",
)  # fmt: skip


def test_every_page_of_the_navigation_is_accessible(desk: Callable[[str], Desk]) -> None:
    alder, _ = make_consortium()
    make_item(alder)
    make_staff(alder, "admin", sign_in="alder.admin")
    said = exchanges.Kept("out", alder.pk, "Koha", "AcceptItem", "ALD-1", "B1", "no answer: it hung up.")
    said.headers = {"A": "b"}
    exchanges.keep(said, b"<NCIPMessage><AcceptItem/></NCIPMessage>", b"<NCIPMessage/>", timezone.now(), 2400)
    silent = {"url": "http://127.0.0.1:1/", "to_agency": "ALD", "failing_since": timezone.now(), "failures": 1}
    HostSettings.objects.create(library=alder, kind="ncip", name="Koha", auth_secret="x", **silent)
    person = desk("page")
    person.sign_in("alder.admin")
    item, patron = Item.objects.get(), make_patron(alder, "P1")
    ours = (f"/items/{item.pk}/edit", f"/patrons/{patron.pk}/edit", f"/patrons/{patron.pk}/card")
    for path in (*STAFF_PAGES, *ours, f"/exchanges/{Exchange.objects.get().pk}"):
        person.open(path, path.split("?")[0].strip("/").replace("/", "-"))
    person.open(f"/patrons/{patron.pk}")
    person.page.get_by_role("link", name="New card").focus()
    person.page.keyboard.press("Enter")
    person.page.get_by_label("Barcode of the new card").wait_for()
    person.look("new-card")
    person.page.keyboard.type("P1-NEW")
    person.page.keyboard.press("Enter")
    person.page.get_by_text("has the card P1-NEW now.").wait_for()
    person.open(f"/exchanges/{Exchange.objects.get().pk}")
    person.page.get_by_label("Address of the test host").fill("http://127.0.0.1:2/")
    person.page.keyboard.press("Enter")
    person.page.get_by_text("127.0.0.1 cannot be reached").wait_for()
    person.look("exchange-replayed")
    person.open("/settings/circulation-system")
    person.press("Check the connection")
    person.page.get_by_text("Steps will fail until this is mended").wait_for()
    person.look("connection-checked")
