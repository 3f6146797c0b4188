"""What has happened in the demo consortium before it opens: requests in every interesting state, a desk in use.

Strategy: every scene is played through the same services that the pages call, all steps in the order of their own
past moments, so that numbers, time lines, letters and queues are true. The workflow's steps B1-B15, L1-L5, C1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from interlend.bridge.hosts import host_of
from interlend.circulation import services as circulation
from interlend.circulation.lifecycles import AVAILABLE
from interlend.circulation.models import Item, Patron
from interlend.libraries.desks import Desk
from interlend.libraries.models import Branch, Library
from interlend.notices.lifecycles import WAITING
from interlend.notices.models import Letter
from interlend.notices.services import send_due, write_overdue
from interlend.sharing import services as sharing
from interlend.sharing.host import LookupUser
from interlend.sharing.models import IllRequest

#: when, what is done, and a word for it
Step = tuple[datetime, Callable[[datetime, str], None], str]


@dataclass(frozen=True)
class Scene:
    """One request: who asks whom, for which patron and title, `days` ago, and how far it has come since."""

    borrower: str
    lender: str
    patron: str
    title: str
    reached: str
    days: float
    service: str = "loan"


#: the first is the guided route's borrowing, the second its lending
SCENES = (
    Scene("ALD", "BRK", "21001000000011", "Murder at the Seed Library", "shipped", 3),
    Scene("CDR", "BRK", "21003000000017", "The Ferry at Brook End", "asked", 1),
    # waiting for each of the desks and queues
    Scene("ALD", "BRK", "21001000000029", "The Hound of the Baskervilles", "asked", 0.3),
    Scene("ALD", "CDR", "21001000000037", "Le rouge et le noir", "asked", 2),
    Scene("BRK", "ALD", "21002000000035", "Peat and Memory: Reading Boreal Bogs", "asked", 0.5),
    Scene("BRK", "CDR", "21002000000043", "Drawing from the Bus", "will_supply", 2),
    Scene("ALD", "CDR", "21001000000052", "Pan Tadeusz", "shipped", 6),
    Scene("BRK", "ALD", "21002000000019", "Letters from the Lock-Keepers", "shipped", 4),
    Scene("CDR", "ALD", "21003000000025", "Blue Tiles: A Grammar of Ornament", "shipped", 5),
    # at the desk: come, on the shelf, with or without an e-mail address, at home with the patron, back
    Scene("ALD", "BRK", "21001000000078", "My Ántonia", "received", 5),
    Scene("ALD", "BRK", "21001000000045", "The Moonstone", "on_shelf", 4),
    Scene("ALD", "CDR", "21001000000060", "Brennu-Njáls saga", "on_shelf", 7),
    Scene("BRK", "CDR", "21002000000050", "Indigo: Cloth and Colour", "on_shelf", 8),
    Scene("CDR", "ALD", "21003000000033", "The Night Cataloguer", "on_shelf", 6),
    Scene("ALD", "BRK", "21001000000094", "Walden; or, Life in the Woods", "collected", 20),
    Scene("BRK", "ALD", "21002000000076", "Lighthouses of the Inland Sea", "collected", 15),
    Scene("CDR", "BRK", "21003000000041", "The Woman in White", "collected", 70),  # overdue by now
    Scene("ALD", "CDR", "21001000000110", "Der Process", "back", 30),
    Scene("BRK", "ALD", "21002000000027", "The Theory of the Leisure Class", "back", 25),
    Scene("ALD", "BRK", "21001000000136", "The Secret Garden", "returned", 28),
    Scene("CDR", "ALD", "21003000000058", "Salt Marsh Restoration Handbook", "returned", 33),
    Scene("ALD", "CDR", "21001000000144", "Cyrano de Bergerac", "completed", 45),
    Scene("BRK", "ALD", "21002000000092", "Promises Between Strangers", "completed", 50),
    # what needs attention
    Scene("ALD", "BRK", "21001000000169", "The Jungle Book", "patron_blocked", 9),
    Scene("ALD", "BRK", "21001000000151", "Brook in Old Photographs", "shipped", 2),  # it does not circulate
    Scene("ALD", "CDR", "21001000000177", "Three One-Act Plays for a Cold Hall", "unfilled", 3),
    Scene("BRK", "CDR", "21002000000118", "Lettercutting in Slate and Stone", "cancel_asked", 3),
    Scene("CDR", "BRK", "21003000000066", "One Pot, Forty Suppers", "new", 0.2),
    # copies never touch circulation (C1)
    Scene("ALD", "CDR", "21001000000185", "Plakat: Posters between the Wars", "asked", 1, "copy"),
    Scene(
        "CDR", "ALD", "21003000000074", "Small Ports, Long Routes: Atlantic Trade after Sail", "copy_sent", 4, "copy"
    ),
)
#: how far a request comes: the steps up to it
WAYS: dict[str, tuple[str, ...]] = {
    "new": ("wish",),
    "asked": ("ask",),
    "will_supply": ("ask", "promise"),
    "shipped": ("ask", "ship"),
    "received": ("ask", "ship", "receive"),
    "on_shelf": ("ask", "ship", "receive", "check_in"),
    "collected": ("ask", "ship", "receive", "check_in", "check_out"),
    "back": ("ask", "ship", "receive", "check_in", "check_out", "check_in"),
    "returned": ("ask", "ship", "receive", "check_in", "check_out", "check_in", "give_back"),
    "completed": ("ask", "ship", "receive", "check_in", "check_out", "check_in", "give_back", "complete"),
    "patron_blocked": ("ask", "ship", "block", "receive"),
    "unfilled": ("ask", "refuse"),
    "cancel_asked": ("ask", "promise", "cancel"),
    "copy_sent": ("ask", "send_copy"),
}


#: what a library's own readers do meanwhile: (days ago, what, title or "" for whatever is at hand)
DESK_LIFE = (
    (40, "lend", "Dracula"),
    (12, "lend", "Bleak House"),
    (3, "lend", "Frankenstein; or, The Modern Prometheus"),
    (0.2, "hold", "Middlemarch"),
    (0.1, "send_home", ""),
)


def play_all(now: datetime) -> None:
    """Play everything up to `now`, step by step in the order of time."""
    steps = [step for scene in SCENES for step in Story(scene).steps(now)]
    for symbol in ("ALD", "BRK", "CDR"):
        reader = _DeskLife(symbol)
        steps += [(now - timedelta(days=days), getattr(reader, what), title) for days, what, title in DESK_LIFE]
    for at, act, title in sorted(steps, key=lambda step: step[0]):
        _letters_go(at)
        act(at, title)


def _letters_go(until: datetime) -> None:
    """What a worker would have sent meanwhile, each letter at its hour."""
    write_overdue(until)
    due = Letter.objects.filter(state=WAITING, due_at__lte=until).order_by("due_at")
    for hour in list(due.values_list("due_at", flat=True).distinct()):
        send_due(hour)


class Story:
    """One scene being played: each method with a step's name is that step, taken at the moment `at`."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.patron = Patron.objects.get(library__symbol=scene.borrower, barcode=scene.patron)
        self.number, self.barcode = "", ""

    def steps(self, now: datetime) -> list[Step]:
        """The steps, evenly spread between the beginning and a little while ago."""
        names, begun = WAYS[self.scene.reached], now - timedelta(days=self.scene.days)
        between = (now - begun) / (len(names) - 1 + 0.2)
        return [(begun + between * number, getattr(self, name), "") for number, name in enumerate(names)]

    # --- who stands where ---

    def ours(self) -> Desk:
        """The borrower's people, at the patron's pickup place."""
        return desk_of(self.scene.borrower, self._pickup())

    def theirs(self) -> Desk:
        return desk_of(self.scene.lender)

    def mine(self) -> IllRequest:
        return IllRequest.objects.get(library__symbol=self.scene.borrower, side="borrowing", number=self.number)

    def lending(self) -> IllRequest:
        return IllRequest.objects.get(library__symbol=self.scene.lender, side="lending", number=self.number)

    def _pickup(self) -> str:
        return self.patron.home_branch.code if self.patron.home_branch else ""

    # --- the borrower's steps ---

    def wish(self, at: datetime, lender: str = "") -> None:
        item = copy_of(self.scene.lender, self.scene.title)
        about = item.title
        wish = sharing.Wish(
            title=about.title, author=about.author, publisher=about.publisher, year=about.year, edition=about.edition,
            service=self.scene.service, pickup=self._pickup(), pages="12-31" if self.scene.service == "copy" else "",
        )  # fmt: skip
        user = host_of(self.ours(), at).lookup_user(LookupUser(self.scene.patron))
        self.barcode = item.barcode
        self.number = sharing.create(self.ours(), wish, user, at, lender=lender).number

    def ask(self, at: datetime, _: str = "") -> None:
        self.wish(at, self.scene.lender)

    def cancel(self, at: datetime, _: str = "") -> None:
        sharing.press(self.ours(), self.mine().pk, "staff.cancel", at, reason="the patron bought it")

    def receive(self, at: datetime, _: str = "") -> None:
        sharing.receive(self.ours(), self.mine().pk, at)

    def check_in(self, at: datetime, _: str = "") -> None:
        circulation.check_in(self.ours(), self.barcode, at)

    def check_out(self, at: datetime, _: str = "") -> None:
        circulation.check_out(self.ours(), self.patron.pk, self.barcode, at)

    def give_back(self, at: datetime, _: str = "") -> None:
        sharing.return_(self.ours(), self.mine().pk, at)

    def block(self, at: datetime, _: str = "") -> None:
        desk = self.ours()
        was = {f.name: getattr(self.patron, f.name) for f in fields(circulation.PatronRecord)}
        blocked = replace(
            circulation.PatronRecord(**was), blocked_since=desk.today(at), block_reason="three items overdue"
        )
        circulation.save_patron(desk, blocked, at)

    # --- the lender's steps ---

    def promise(self, at: datetime, _: str = "") -> None:
        sharing.press(self.theirs(), self.lending().pk, "staff.will_supply", at)

    def ship(self, at: datetime, _: str = "") -> None:
        sharing.ship(self.theirs(), self.lending().pk, [self.barcode], at)

    def refuse(self, at: datetime, _: str = "") -> None:
        sharing.press(self.theirs(), self.lending().pk, "staff.unfilled", at, reason="not on shelf")

    def send_copy(self, at: datetime, _: str = "") -> None:
        sharing.press(self.theirs(), self.lending().pk, "staff.send_copy", at)

    def complete(self, at: datetime, _: str = "") -> None:
        sharing.complete(self.theirs(), self.lending().pk, at)


def desk_of(symbol: str, branch_code: str = "") -> Desk:
    """The desk of the library's ILL librarian, at a branch or at their own."""
    library = Library.objects.get(symbol=symbol)
    person = library.staff.select_related("branch").get(sign_in__endswith=".ill")
    here = Branch.objects.get(library=library, code=branch_code) if branch_code else person.branch
    assert here is not None, "the demo's site file gives every member of staff a branch"
    return Desk(library.pk, library.time_zone, person.name, here.pk, here.name)


def copy_of(symbol: str, title: str) -> Item:
    """A copy that stands on the shelf."""
    copies = Item.objects.filter(library__symbol=symbol, title__title=title, state=AVAILABLE, temporary=False)
    found = copies.select_related("title").order_by("barcode").first()
    assert found is not None, f"{symbol} has no copy of {title} to lend"
    return found


class _DeskLife:
    """A library's own readers, one after the other."""

    def __init__(self, symbol: str) -> None:
        self.symbol, self.desk = symbol, desk_of(symbol)
        persons = Patron.objects.filter(library__symbol=symbol, kind="person", blocked_since=None)
        self.readers = iter(persons.order_by("-barcode")[:5])

    def lend(self, at: datetime, title: str) -> None:
        circulation.check_out(self.desk, next(self.readers).pk, copy_of(self.symbol, title).barcode, at)

    def hold(self, at: datetime, title: str) -> None:
        """It waits on the pull list."""
        here = Branch.objects.get(library__symbol=self.symbol, name=self.desk.branch_name)
        circulation.place_hold(self.desk, next(self.readers), copy_of(self.symbol, title).title, here, at)

    def send_home(self, at: datetime, _: str) -> None:
        """A book of another branch is found here."""
        items = Item.objects.filter(library__symbol=self.symbol, state=AVAILABLE, temporary=False)
        stray = items.exclude(home_branch=self.desk.branch_id).order_by("-barcode").first()
        assert stray is not None, "every library of the demo has more than one branch with items"
        circulation.check_in(self.desk, stray.barcode, at)
