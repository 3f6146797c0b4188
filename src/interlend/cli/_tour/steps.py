"""B1 to B17, L1 to L9 and C1 in the order in which a book travels: who does what, and what must then be seen.

Strategy: one function a step, kept in a list by its number; each does its part through the pages and returns what it
saw. Three requests from Alder to Brook: a loan all the way, a second one that the desk takes back first, and a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils import timezone

from interlend.circulation.models import Hold, Item, Loan, Patron
from interlend.cli._tour.people import NotSeen, Person, expect, expect_not
from interlend.libraries.models import Branch, Library
from interlend.libraries.policies import OpenDays
from interlend.libraries.queries import open_days
from interlend.notices.models import Letter
from interlend.notices.services import send_due, write_overdue
from interlend.outbox.models import Event
from interlend.sharing.models import IllRequest

PASSWORD, PIN = "interlend-demo", "1234"
PATRON = "21001000000011"
READER = "21002000000019"
TITLES = ("Persuasion", "Pride and Prejudice")


@dataclass
class World:
    """The libraries, the people at their desks, and the three requests."""

    alder: Library
    brook: Library
    ill: Person
    desk: Person
    lender: Person
    admin: Person
    me: Person
    books: list[Item]
    number: str = ""
    second: str = ""
    last: str = ""
    lender_due: date = field(default_factory=date.today)

    def ours(self, number: str = "") -> IllRequest:
        return IllRequest.objects.get(library=self.alder, number=number or self.number)

    def theirs(self, number: str = "") -> IllRequest:
        return IllRequest.objects.get(library=self.brook, number=number or self.number)

    @property
    def book(self) -> Item:
        return Item.objects.get(pk=self.books[0].pk)

    @property
    def item(self) -> Item:
        """The temporary item of the first request."""
        return Item.objects.get(library=self.alder, request=self.number)

    @property
    def patron(self) -> Patron:
        return Patron.objects.get(library=self.alder, barcode=PATRON)


def open_the_doors() -> World:
    """Everybody signs in at the place where they work."""
    alder, brook = (Library.objects.get(symbol=symbol) for symbol in ("ALD", "BRK"))
    books = [Item.objects.filter(library=brook, title__title=title).order_by("barcode")[0] for title in TITLES]
    world = World(
        alder, brook, _staff("alder.ill", "Interlibrary Loan Office"), _staff("alder.desk", "Main Library"),
        _staff("brook.ill", "Central Library"), _staff("alder.admin", "Main Library"), Person("the patron"), books,
    )  # fmt: skip
    world.me.do("my_sign_in", library="ALD", barcode=PATRON, pin=PIN)
    world.lender_due = _an_open_day(open_days(brook.pk), timezone.localdate() + timedelta(days=12))
    return world


def _staff(sign_in: str, at: str) -> Person:
    person = Person(sign_in)
    person.do("sign_in", sign_in=sign_in, password=PASSWORD)
    branch = Branch.objects.get(library__staff__sign_in=sign_in, name=at)
    person.do("here", branch=branch.pk)
    return person


def _an_open_day(days: OpenDays, day: date) -> date:
    return days.next_open(day) or day


Step = Callable[[World], str]
STEPS: list[tuple[str, str, Step]] = []


def step(number: str, what: str) -> Callable[[Step], Step]:
    def keep(play: Step) -> Step:
        STEPS.append((number, what, play))
        return play

    return keep


# --- lending begins -------------------------------------------------------------------------------------------------


@step("L1", "Brook marks the request shipped: its book is checked out to Alder's account")
def l1(world: World) -> str:
    page = world.ill.do(
        "new_request",
        patron=PATRON,
        title=TITLES[0],
        author="Austen, Jane",
        service="loan",
        pickup="MAIN",
        lender="BRK",
    )
    world.number = IllRequest.objects.filter(library=world.alder).latest("pk").number
    expect(page, world.number)
    world.lender.scan("ship", world.number)
    row = world.lender.scan("ship", world.book.barcode, due=world.lender_due.isoformat())
    loan = Loan.objects.get(item=world.book, state="out")
    return f"{expect(row, 'Shipped')}; on loan to {loan.patron} ({loan.patron.barcode})"


@step("L3", "The due date is the request's own")
def l3(world: World) -> str:
    loan = Loan.objects.get(item=world.book, state="out")
    if loan.due_on != world.lender_due or world.ours().due != world.lender_due:
        raise NotSeen(f"due {loan.due_on}, told {world.ours().due}, asked {world.lender_due}")
    return f"due {loan.due_on:%a %d %b}, and Alder was told the same"


@step("L4", "Item Details shows the Request ID and the borrowing institution")
def l4(world: World) -> str:
    return expect(world.lender.see("item", world.book.pk), world.number, "Alder University")


# --- borrowing ------------------------------------------------------------------------------------------------------


@step("B1", "Alder marks the request received: a temporary item and an item-level hold appear")
def b1(world: World) -> str:
    row = world.ill.scan("receive", world.number)
    hold = Hold.objects.get(item=world.item)
    return f"{expect(row, 'Received')}; item {world.item.barcode}, hold for {hold.patron} on this item"


@step("B2", "The temporary item is found under Discover Items by title and by author")
def b2(world: World) -> str:
    for words in ("persuas", "austen"):
        expect(world.desk.see("discover_items", scope="temporary", q=words), TITLES[0])
    return expect(world.desk.see("item", world.item.pk), TITLES[0])


@step("B3", "Item Details, Holds: the hold for the patron")
def b3(world: World) -> str:
    return expect(world.desk.see("item", world.item.pk), world.patron.short_name)


@step("B4", "Item Details: the Request ID and the lending library")
def b4(world: World) -> str:
    return expect(world.desk.see("item", world.item.pk), world.number, "Brook Public Library")


@step("B5", "Its locations are those of the ILL settings")
def b5(world: World) -> str:
    return expect(world.desk.see("item", world.item.pk), "Interlibrary Loan Office", "Interlibrary Loan")


@step("B6", "At its home branch it is routed to the patron's pickup location; no notice yet")
def b6(world: World) -> str:
    row = world.ill.scan("check_in", world.item.barcode)
    if Letter.objects.filter(request=world.number).exists():
        raise NotSeen("a notice was written before the item was at its pickup location")
    return f"{expect(row, 'Send to Main Library')}, no notice"


@step("B7", "The patron's Holds show it; the dialog shows the Request ID")
def b7(world: World) -> str:
    expect(world.desk.see("patron", world.patron.pk, tab="holds"), TITLES[0])
    return expect(world.desk.see("edit_hold", Hold.objects.get(item=world.item).pk), world.number)


@step("B8", "Check In at the pickup location: hold receipt, notice waiting")
def b8(world: World) -> str:
    row = world.desk.scan("check_in", world.item.barcode)
    slip = world.desk.see("slip_hold", Hold.objects.get(item=world.item).pk)
    expect(slip, world.number, world.patron.short_name)
    letter = Letter.objects.get(request=world.number)
    return f"{expect(row, 'Hold')}; receipt with {world.number}; a letter due {letter.due_at:%H:%M} UTC"


@step("B9", "The patron's page says so at once; the mail goes at the top of the hour, once")
def b9(world: World) -> str:
    seen = expect(world.me.see("my"), "Ready for you", "Main Library")
    expect(world.desk.see("hold_shelf"), TITLES[0])
    letter = Letter.objects.get(request=world.number)
    early, there, again = (send_due(at) for at in (_just_before(letter.due_at), letter.due_at, letter.due_at))
    if (early, there, again) != (0, 1, 0):
        raise NotSeen(f"the worker settled {early} before, {there} at, {again} after the hour")
    letter.refresh_from_db()
    return f"{seen}; “{letter.subject}” went at {letter.due_at:%H:%M} UTC"


def _just_before(moment: datetime) -> datetime:
    return moment - timedelta(seconds=1)


@step("B10", "Check out under Assist Patrons: patron's barcode, then the item's")
def b10(world: World) -> str:
    expect(world.desk.do("assist_patrons", barcode=PATRON), world.patron.surname)
    world.last = world.desk.scan("patron_check_out", world.item.barcode, world.patron.pk)
    return expect(world.last, TITLES[0])


@step("B11", "The due date is the stricter of the lender's and the policy's, and says why")
def b11(world: World) -> str:
    loan = Loan.objects.get(item=world.item, state="out")
    if loan.due_on > world.lender_due:
        raise NotSeen(f"due {loan.due_on}, after the lender's {world.lender_due}")
    expect(world.last, "lender")
    considered = "; ".join(f"{r['rule']} {r['day']}{' (decides)' if r['won'] else ''}" for r in loan.due_reasons)
    return f"due {loan.due_on:%a %d %b}: {considered}"


@step("B12", "Change Due Date, so that there is time to send it back")
def b12(world: World) -> str:
    loan = Loan.objects.get(item=world.item, state="out")
    earlier = loan.due_on - timedelta(days=2)
    world.desk.do("change_due_date", loan.pk, due=earlier.isoformat())
    loan.refresh_from_db()
    if loan.due_on != earlier:
        raise NotSeen(f"due {loan.due_on} instead of {earlier}")
    return f"now due {loan.due_on:%a %d %b}, by {loan.due_reasons[0]['detail']}"


@step("B13", "The patron returns it: Check In prompts to update the request")
def b13(world: World) -> str:
    world.last = world.desk.scan("check_in", world.item.barcode)
    seen = expect(world.last, f"Update request {world.number}")
    expect(world.ill.see("ill_request", world.ours().pk), "Back at the desk")
    return f"{seen}; the request says “Back at the desk”"


@step("B14", "It is routed to the temporary item home branch; checked in there it is Unavailable")
def b14(world: World) -> str:
    seen = expect(world.last, "Send to Interlibrary Loan Office")
    expect(world.ill.scan("check_in", world.item.barcode), "Route to ILL")
    return f"{seen}; {expect(world.desk.see('item', world.item.pk), 'Unavailable')}"


@step("B15", "Alder marks it returned; the desk had checked it in, so nothing is doubled")
def b15(world: World) -> str:
    row = world.ill.scan("return_loans", world.number)
    history = Event.objects.filter(item_key=world.item.pk, kind="circulation.checked_in", data__returned=True).count()
    if history != 1 or world.item.state != "unavailable":
        raise NotSeen(f"{history} returns in the history, item {world.item.state}")
    return f"{expect(row, 'Returned')}; one return in the history; item unavailable"


# --- lending ends ---------------------------------------------------------------------------------------------------


@step("L5", "Brook completes it: its book is set by the collection type policy")
def l5(world: World) -> str:
    reader = Patron.objects.get(library=world.brook, barcode=READER)
    world.lender.do(
        "place_hold", patron=reader.barcode, item=world.book.barcode, level="title",
        pickup=Branch.objects.get(library=world.brook, code="CENTRAL").pk,
    )  # fmt: skip
    row = world.lender.scan("complete", world.number)
    loan = Loan.objects.filter(item=world.book).latest("pk")
    if loan.state != "returned" or world.book.state == "on_loan":
        raise NotSeen(f"loan {loan.state}, item {world.book.state}")
    return f"{expect(row, 'Completed')}; loan closed, both sides completed"


@step("L6", "A waiting hold is filled by that check-in")
def l6(world: World) -> str:
    hold = Hold.objects.get(library=world.brook, patron__barcode=READER)
    if hold.item_id != world.book.pk or hold.state != "in_transit":
        raise NotSeen(f"hold {hold.state}")
    return f"the copy is kept for {hold.patron}"


@step("L7", "Checking it in again on receipt tells the next step")
def l7(world: World) -> str:
    return expect(world.lender.scan("check_in", world.book.barcode), "Hold")


@step("L8", "After the first check-in it no longer shows request and borrower")
def l8(world: World) -> str:
    return expect_not(world.lender.see("item", world.book.pk), "ILL request")


@step("B16", "The lender has closed it: the temporary item may be deleted")
def b16(world: World) -> str:
    if world.ours().state != "completed":
        raise NotSeen(f"the request is {world.ours().state}")
    world.desk.do("delete_item", world.item.pk)
    return f"item {world.item.state}; {expect_not(world.desk.see('temporary_items'), world.number)} in the list"


@step("B17", "Afterwards: Last issued to, the Request ID and the lender stay")
def b17(world: World) -> str:
    return expect(
        world.desk.see("item", world.item.pk),
        "Last issued to",
        world.patron.surname,
        world.number,
        "Brook Public Library",
    )


# --- a second loan, for the other order, and a copy -----------------------------------------------------------------


@step("L2", "An overdue notice on a lent item goes to the address of the institution's account")
def l2(world: World) -> str:
    world.ill.do("new_request", patron=PATRON, title=TITLES[1], service="loan", pickup="MAIN", lender="BRK")
    world.second = IllRequest.objects.filter(library=world.alder).latest("pk").number
    world.lender.scan("ship", world.second)
    world.lender.scan("ship", world.books[1].barcode)
    late = timezone.now() + timedelta(days=120)
    write_overdue(late)
    letter = Letter.objects.get(library=world.brook, kind="overdue", request=world.second)
    send_due(letter.due_at)
    letter.refresh_from_db()
    return f"to {letter.to}: “{letter.subject}”"


@step("L9", "Checked in at the desk first: the prompt names the request; staff complete it")
def l9(world: World) -> str:
    world.ill.scan("receive", world.second)
    world.ill.scan("return_loans", world.second)
    row = world.lender.scan("check_in", world.books[1].barcode)
    seen = expect(row, f"Update request {world.second}")
    expect(world.lender.scan("complete", world.second), "Completed")
    states = (world.ours(world.second).state, world.theirs(world.second).state)
    if states != ("completed", "completed"):
        raise NotSeen(f"the two sides are {states}")
    return f"{seen}; both sides completed"


@step("C1", "A copy is handled in sharing alone")
def c1(world: World) -> str:
    before = Item.objects.count(), Loan.objects.count(), Hold.objects.count()
    world.ill.do("new_request", patron=PATRON, title="Emma", service="copy", pages="1-20", lender="BRK")
    number = IllRequest.objects.filter(library=world.alder).latest("pk").number
    world.lender.do("ill_action", world.theirs(number).pk, trigger="staff.send_copy")
    world.ill.do("ill_action", world.ours(number).pk, trigger="staff.deliver_copy")
    after = Item.objects.count(), Loan.objects.count(), Hold.objects.count()
    if before != after or world.ours(number).state != "completed":
        raise NotSeen(f"items, loans, holds {before} before and {after} after; request {world.ours(number).state}")
    return f"{number} completed; no item, loan or hold was touched"
