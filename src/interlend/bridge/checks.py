"""Is the connection to a library's circulation system in order? A checklist that a systems librarian can act on.

Strategy: ask only what changes nothing, each question for one line: what was seen in plain words, and what to do. The
lines build on each other, so the first that stops everything is the last. A host that answers is paused no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, Literal, TypeVar
from urllib.parse import urlsplit

from interlend.bridge.dialects import DIALECTS
from interlend.bridge.host_over_ncip import HostOverNcip
from interlend.bridge.hosts import over_ncip, settings_of
from interlend.bridge.models import HostSettings
from interlend.bridge.transport import NoReply, NotSent
from interlend.libraries.desks import Desk
from interlend.libraries.models import Library
from interlend.sharing.host import CheckInItem, HostProblem, LookupUser
from interlend.sharing.models import Partner

Told = TypeVar("Told")
#: barcodes that no library has
NOBODY, NOTHING = "interlend-check-nobody", "interlend-check-nothing"
SLOW: Final = 2.0  # seconds
MOST_ACCOUNTS: Final = 20
LAST_EXCHANGE: Final = "Show the last exchange to its operators."
WHAT_CAME: Final = "Check the path of the address, then the dialect; the last exchange shows what came."
#: codes of problems whose remedy speaks to an administrator
ABOUT_SETTINGS: Final = ("connection_settings", "not_understood")
SKEW: Final = timedelta(minutes=2)
#: HTTP statuses by which a peer may say no more than that it does not know this one kind of message
NOT_THIS_ONE: Final = (400, 406, 415, 422)
NEAR: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `ok`; `look`: it works, but read this; `stop`: steps will fail until the remedy is done."""

    name: str
    result: Literal["ok", "look", "stop"]
    seen: str
    remedy: str = ""


def check_host(library: Library, now: datetime) -> list[Check]:
    """The checklist for the circulation of `library`. Speaks to it, changes nothing there; never raises for it."""
    row = settings_of(library.pk)
    if row.kind == HostSettings.Kind.IN_PROCESS:
        return [Check("Circulation", "ok", "This library uses Interlend's own circulation: there is nothing between.")]
    if row.kind == HostSettings.Kind.BY_HAND:
        seen = "Every step waits for a person, who does it in the circulation system and chooses done by hand."
        return [Check("Circulation", "ok", seen)]
    settings = _settings(row)
    if any(line.result == "stop" for line in settings):
        return settings
    guarded = over_ncip(row, Desk(library.pk, library.time_zone, "check", None, "by check"), now, hurried=True)
    lines = [*settings, *_Asking(guarded.host, row, library).lines()]
    if not any(line.result == "stop" for line in lines):
        guarded.is_well()
    return lines


def _settings(row: HostSettings) -> list[Check]:
    """What can be told without a connection."""
    if not row.url:
        return [Check("Address", "stop", "No address is set.", "Set the address that the system's operators gave.")]
    if row.dialect not in DIALECTS:
        seen = f"There is no dialect “{row.dialect}”."
        return [Check("Dialect", "stop", seen, f"Choose one of {', '.join(DIALECTS)}.")]
    if not row.to_agency:
        remedy = "Set what the system calls this library."
        return [Check("Agency ids", "stop", "It is not set what the system calls this library.", remedy)]
    one = DIALECTS[row.dialect].one_agency or not row.from_agency
    sender = row.to_agency if one else row.from_agency
    seen = f"{DIALECTS[row.dialect].name}; we are {sender} and speak to {row.to_agency} at {row.url}."
    found = [Check("Settings", "ok", seen)]
    if DIALECTS[row.dialect].needs_profile and not row.profile:
        seen = "No profile is set; this system may refuse all messages without one."
        found.append(Check("Profile", "look", seen, "Set the profile that its operators gave."))
    parts = urlsplit(row.url)
    if parts.scheme != "https" and parts.hostname not in NEAR:
        seen = "The connection is not encrypted: barcodes of patrons travel readable."
        found.append(Check("Secrecy", "look", seen, "Use an https:// address, or make sure the network is your own."))
    return found


class _Asking:
    """The questions, one after another."""

    def __init__(self, host: HostOverNcip, row: HostSettings, library: Library) -> None:
        self.host, self.row, self.library = host, row, library
        self.slowest = 0.0

    def lines(self) -> Iterator[Check]:
        connection = self._connection()
        yield connection
        if connection.result == "stop":
            return
        for question in (self._agency, self._nobody, self._test_patron, self._nothing):
            line = question()
            yield line
            if line.result == "stop" and question in (self._nobody, self._nothing):
                return  # whatever is asked after this fails in the same way
        yield from self._accounts()
        yield from self._version()
        yield from self._clock()
        yield self._speed()

    def _timed(self, ask: Callable[[], Told]) -> Told:
        started = monotonic()
        try:
            return ask()
        finally:
            self.slowest = max(self.slowest, monotonic() - started)

    def _connection(self) -> Check:
        """Any NCIP answer will do, and so will an answer that is none: then the next line tells."""
        name, unusual = "Connection", "It answers, though not to LookupVersion, which is nothing unusual."
        try:
            told = self._timed(self.host.lookup_version)
        except HostProblem as trouble:
            cause = trouble.__cause__
            if isinstance(cause, NoReply) and not cause.answered and self._answers_otherwise():
                return Check(name, "ok", unusual)
            if isinstance(cause, NoReply) and not cause.answered:
                remedy = "Ask its operators whether the address is right and whether it lets our address in."
                return Check(name, "stop", trouble.sentence, remedy)
            if isinstance(cause, NoReply) or (isinstance(cause, NotSent) and cause.status in NOT_THIS_ONE):
                return Check(name, "ok", unusual)
            return Check(name, "stop", trouble.sentence, _remedy(trouble, "Try again in a moment."))
        if told.problems or not told.versions_supported:
            return Check(name, "ok", "It answers. It does not tell its versions, which is nothing unusual.")
        versions = ", ".join(uri.rsplit("/", 1)[-1] for uri in told.versions_supported)
        offered = f" It offers {', '.join(told.services_supported)}." if told.services_supported else ""
        return Check(name, "ok", f"It answers and speaks {versions}.{offered}")

    def _answers_otherwise(self) -> bool:
        """Some hang up on, or are silent to, what they do not know."""
        before = self.host.heard
        try:
            if self.host.dialect.can_look_up_users:
                self._timed(lambda: self.host.lookup_user(LookupUser(NOBODY)))
            else:
                self._timed(lambda: self.host.check_in_item(CheckInItem("", NOTHING)))
        except HostProblem as trouble:
            return self.host.heard > before or bool(getattr(trouble.__cause__, "answered", False))
        return self.host.heard > before

    def _agency(self) -> Check:
        name = "Our library"
        try:
            told = self._timed(self.host.lookup_agency)
        except HostProblem:
            return Check(name, "ok", "It tells nothing about agencies, which is nothing unusual.")
        words = [one.organization_name for one in told.organization_name_information if one.organization_name]
        if told.problems or not words:
            return Check(name, "ok", "It tells nothing about agencies, which is nothing unusual.")
        return Check(name, "ok", f"It calls this library “{words[0]}”.")

    def _nobody(self) -> Check:
        name = "Unknown patron"
        if not self.host.dialect.can_look_up_users:
            seen = "This dialect cannot look up patrons: whoever is named on a request is taken at their word."
            return Check(name, "look", seen, "Make sure that barcodes on requests are right.")
        try:
            user = self._timed(lambda: self.host.lookup_user(LookupUser(NOBODY)))
        except HostProblem as trouble:
            if trouble.code == "unknown_patron":
                return Check(name, "ok", "A barcode that nobody has is unknown there, as it should be.")
            return Check(name, "stop", trouble.sentence, _remedy(trouble, LAST_EXCHANGE))
        seen = f"It claims to know the patron {NOBODY}, who cannot exist, as “{user.name}”."
        return Check(name, "look", seen, "Ask its operators whether this is a test system that knows everybody.")

    def _test_patron(self) -> Check:
        name = "Test patron"
        if not self.host.dialect.can_look_up_users:
            return Check(name, "ok", "Not asked: this dialect cannot look up patrons.")
        if not self.row.test_patron:
            return Check(name, "look", "No test patron is set.", "Set the barcode of a patron that may be looked up.")
        try:
            user = self._timed(lambda: self.host.lookup_user(LookupUser(self.row.test_patron)))
        except HostProblem as trouble:
            remedy = "Check the barcode of the test patron, and what the system calls this library."
            return Check(name, "stop", trouble.sentence, _remedy(trouble, remedy))
        if user.blocks:
            return Check(
                name, "look", f"{user.barcode} is known, but: {' '.join(user.blocks)}", "Lift the block there."
            )
        return Check(name, "ok", f"{user.barcode} is known and may borrow.")

    def _nothing(self) -> Check:
        name = "Unknown item"
        try:
            known = self._timed(lambda: self.host.knows_item(NOTHING))
            if known is None:
                return self._nothing_to_check_in()
        except HostProblem as trouble:
            return Check(name, "stop", trouble.sentence, _remedy(trouble, LAST_EXCHANGE))
        if known:
            seen = f"It claims to have the item {NOTHING}, which cannot exist."
            return Check(name, "look", seen, "Ask its operators whether this is a test system that has everything.")
        seen = "A barcode that no item has is unknown there; after a time-out it can be asked what has happened."
        return Check(name, "ok", seen)

    def _nothing_to_check_in(self) -> Check:
        """It cannot look: to check in what does not exist is as harmless, and shows that messages are understood."""
        if not self._timed(lambda: self.host.check_in_item(CheckInItem("", NOTHING))).already:
            seen = f"It claims to have checked in {NOTHING}, which cannot exist."
            return Check("Unknown item", "look", seen, "Ask its operators why; some systems say yes to everything.")
        instead = (
            "the patron's account is asked, else staff look" if self.host.dialect.can_look_up_users else "staff look"
        )
        seen = f"Messages about items are understood. It cannot be asked about an item; after a time-out {instead}."
        return Check("Unknown item", "ok", seen)

    def _accounts(self) -> Iterator[Check]:
        """The account of each partner: the commonest reason why a shipped item is not checked out."""
        every = Partner.objects.filter(library=self.library).order_by("symbol")
        without = list(every.filter(account="").values_list("symbol", flat=True)[: MOST_ACCOUNTS + 1])
        if without and self.host.dialect.institution_type is None:
            names = ", ".join(without[:MOST_ACCOUNTS]) + (" and others" if len(without) > MOST_ACCOUNTS else "")
            remedy = "Set the barcode of each one's account under Partners before you lend to it."
            yield Check(
                "Accounts", "look", f"No account is set for {names}: nothing can be checked out to them.", remedy
            )
        if not self.host.dialect.can_look_up_users:
            return
        partners = every.exclude(account="")
        for partner in partners[:MOST_ACCOUNTS]:
            name = f"Account of {partner.symbol}"
            account = partner.account
            try:
                user = self._timed(lambda account=account: self.host.lookup_user(LookupUser(account)))  # type: ignore[misc]
            except HostProblem as trouble:
                unknown = f"{self.host.peer.name} does not know the account {account}."
                remedy = "Correct the account's barcode under Partners, or add the account there."
                if trouble.code == "unknown_patron":
                    yield Check(name, "stop", unknown, remedy)
                else:
                    yield Check(name, "stop", trouble.sentence, _remedy(trouble, remedy))
            else:
                blocked = f"{account} is known, but: {' '.join(user.blocks)}"
                known = Check(name, "ok", f"{account} is known and may borrow.")
                yield Check(name, "look", blocked, "Lift the block there.") if user.blocks else known

    def _version(self) -> Iterator[Check]:
        """Some answer in a version of their own: understood, but what only the other version can say is lost."""
        ours, theirs = self.host.dialect.style.version, self.host.version
        if theirs is None or theirs.major == ours.major:
            return
        seen = f"It is asked in NCIP version {ours.major} and answers in version {theirs.major}."
        remedy = (
            f"Choose a dialect of version {theirs.major}, such as {'generic-1' if theirs.major == 1 else 'generic'}."
        )
        yield Check("Version", "look", seen, remedy)

    def _clock(self) -> Iterator[Check]:
        ahead = self.host.ahead
        if ahead is None or abs(ahead) <= SKEW:
            return
        minutes = round(abs(ahead).total_seconds() / 60)
        much = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
        seen = f"Its clock is {much} {'ahead of' if ahead > timedelta(0) else 'behind'} ours."
        remedy = "Set both clocks by a time server: due dates, certificates and tokens depend on them."
        yield Check("Clock", "look", seen, remedy)

    def _speed(self) -> Check:
        if self.slowest <= SLOW:
            return Check("Speed", "ok", f"The slowest answer took {self.slowest:.1f} seconds.")
        seen = f"The slowest answer took {self.slowest:.1f} seconds; staff wait that long at every scan."
        return Check("Speed", "look", seen, "Ask its operators what makes it slow.")


def _remedy(trouble: HostProblem, otherwise: str) -> str:
    """What an administrator can do; where the trouble itself does not say it, `otherwise`."""
    cause = trouble.__cause__
    said = trouble.remedy.removeprefix("Administrator: ")
    if isinstance(cause, NotSent):
        said = cause.remedy
    elif isinstance(cause, NoReply):
        said = WHAT_CAME if cause.answered else ""
    elif trouble.code not in ABOUT_SETTINGS:
        said = ""
    return said[:1].upper() + said[1:] if said else otherwise
