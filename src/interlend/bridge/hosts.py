"""Which circulation a library has, and which road leads to a partner: asked of the wiring by name.

A host that is reached over a network is guarded: when it keeps failing it is paused, work waits, and it is tried again
by itself (`breaker.py`). What was said is kept as an exchange.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError

from interlend.bridge import breaker, exchanges
from interlend.bridge.breaker import Breaker
from interlend.bridge.dialects import DIALECTS, GENERIC
from interlend.bridge.host_over_ncip import HostOverNcip, Kept, Peer
from interlend.bridge.models import HostSettings
from interlend.bridge.transport import Credentials, Line
from interlend.libraries.desks import Desk
from interlend.libraries.models import Library
from interlend.outbox.lifecycles import UNKNOWN, WAITING
from interlend.outbox.models import Errand
from interlend.sharing.host import (
    AcceptItem,
    CheckInItem,
    CheckOutItem,
    HostCirculation,
    HostProblem,
    HostUnknown,
    ItemAccepted,
    ItemCheckedIn,
    ItemCheckedOut,
    LookupUser,
    User,
)
from interlend.sharing.partner import PartnerLink

log = logging.getLogger(__name__)

Result = TypeVar("Result")
#: codes of problems that say something about the host, not about the one item or patron
HOST_IS_ILL = ("unreachable", "host_busy", "no_answer")
#: code of the problem while a host is left alone
PAUSED = "paused"


def host_of(desk: Desk, now: datetime, *, hurried: bool = False) -> HostCirculation:
    """The circulation of the desk's library. `hurried`: a person waits, so no long patience with a network."""
    host: HostCirculation = import_module(settings.INTERLEND_WIRING).host_for(desk, now, hurried)
    return host


def link_to(library: Library, partner_symbol: str, now: datetime) -> PartnerLink:
    """The road from `library` to a partner."""
    link: PartnerLink = import_module(settings.INTERLEND_WIRING).link_for(library, partner_symbol, now)
    return link


def settings_of(library_id: int) -> HostSettings:
    """The library's row, or one that says: ours."""
    return HostSettings.objects.filter(library_id=library_id).first() or HostSettings(library_id=library_id)


def peer_of(row: HostSettings) -> Peer:
    """The row as the adapter wants it."""
    credentials = Credentials(
        row.auth, row.auth_user, row.auth_secret, row.auth_header or "X-Api-Key", row.token_url, row.scope
    )
    return Peer(
        name=row.name or "The circulation system", line=Line(row.url, credentials, row.ca_file),
        dialect=DIALECTS.get(row.dialect, GENERIC), from_agency=row.from_agency, to_agency=row.to_agency,
        profile=row.profile, agency_secret=row.agency_secret,
    )  # fmt: skip


def over_ncip(row: HostSettings, desk: Desk, now: datetime, *, hurried: bool) -> GuardedHost:
    """The row's peer, guarded, with every exchange kept."""

    def keep(kept: Kept) -> None:
        about = exchanges.Kept(
            direction="out", library_id=row.library_id, peer=row.name, service=kept.service, request=kept.request,
            item_barcode=kept.item, outcome=kept.outcome, http_status=None, source=row.url,
        )  # fmt: skip
        try:
            exchanges.keep(about, kept.sent, kept.received, now, round(kept.seconds * 1000))
        except DatabaseError:  # the step itself went as it went; that must not be lost as well
            log.exception("an exchange with %s could not be kept", row)

    return GuardedHost(HostOverNcip(peer_of(row), desk, now, hurried=hurried, keep=keep), row, now)


class GuardedHost:
    """A host behind a breaker. Raises what the host raises, or at once a passing problem while it is paused."""

    def __init__(self, host: HostOverNcip, row: HostSettings, now: datetime) -> None:
        self.host, self.row, self.now = host, row, now

    def lookup_user(self, ask: LookupUser) -> User:
        return self._guarded(lambda: self.host.lookup_user(ask))

    def accept_item(self, ask: AcceptItem) -> ItemAccepted:
        return self._guarded(lambda: self.host.accept_item(ask))

    def check_out_item(self, ask: CheckOutItem) -> ItemCheckedOut:
        return self._guarded(lambda: self.host.check_out_item(ask))

    def check_in_item(self, ask: CheckInItem) -> ItemCheckedIn:
        return self._guarded(lambda: self.host.check_in_item(ask))

    def look(
        self, ask: AcceptItem | CheckOutItem | CheckInItem
    ) -> ItemAccepted | ItemCheckedOut | ItemCheckedIn | None:
        """Did it happen? See `HostOverNcip.look`."""
        return self._guarded(lambda: self.host.look(ask))

    def is_well(self) -> None:
        """Somebody has seen it answer: no pause any more, and what waited for it is due."""
        self._note(breaker.succeeded(self.now), None)

    def _guarded(self, call: Callable[[], Result]) -> Result:
        known = Breaker(self.row.failures, self.row.failing_since, self.row.paused_until, self.row.last_ok_at)
        trial = known.wants_a_trial(self.now)
        if known.is_open(self.now) or (trial and not self._takes_the_trial()):
            raise HostProblem(
                f"{self.row} has not answered since {self._clock(known.failing_since)}; your work is safe and is "
                "finished by itself when it is back.",
                code=PAUSED, remedy="Nobody: it is tried again by itself.", lasting=False,
            )  # fmt: skip
        heard = self.host.heard
        try:
            result = call()
        except HostProblem as trouble:
            if isinstance(trouble, HostUnknown) or trouble.code in HOST_IS_ILL:
                self._note(breaker.failed(known, self.now), trouble)
            elif self.host.heard > heard:  # a refusal proves that it is well; not to have asked proves nothing
                self._note(breaker.succeeded(self.now), None)
            elif trial:
                self._leave_the_trial()
            raise
        if self.host.heard > heard:
            self._note(breaker.succeeded(self.now), None)
        elif trial:
            self._leave_the_trial()
        return result

    def _takes_the_trial(self) -> bool:
        """Whether it is for us to try; of several workers and desks the first one gets it."""
        paused = HostSettings.objects.filter(pk=self.row.pk, paused_until=self.row.paused_until)
        return bool(paused.update(paused_until=self.now + breaker.TRIAL))

    def _leave_the_trial(self) -> None:
        """It was not asked after all: the next one may."""
        HostSettings.objects.filter(pk=self.row.pk).update(paused_until=self.row.paused_until)

    def _note(self, now_known: Breaker, trouble: HostProblem | None) -> None:
        quiet = trouble is None and self.row.failures == 0 and self.row.last_ok_at is not None
        if quiet and self.row.last_ok_at and (self.now - self.row.last_ok_at).total_seconds() < 60:
            return  # a healthy host is not written down at every message
        HostSettings.objects.filter(pk=self.row.pk).update(
            failures=now_known.failures, failing_since=now_known.failing_since, paused_until=now_known.paused_until,
            last_ok_at=now_known.last_ok_at or self.row.last_ok_at,
            last_trouble=trouble.sentence[:300] if trouble else "",
        )  # fmt: skip
        if trouble is None and self.row.failures:
            self._catch_up()
        self.row.failures = now_known.failures  # the same host may be asked again in one errand
        self.row.failing_since, self.row.paused_until = now_known.failing_since, now_known.paused_until

    def _catch_up(self) -> None:
        """The host is back: what waited for it is due now, however long its pause had grown."""
        waiting = Errand.objects.filter(
            library_id=self.row.library_id, party="host", state__in=(WAITING, UNKNOWN), due_at__gt=self.now,
            code__in=(PAUSED, *HOST_IS_ILL),
        )  # fmt: skip
        waiting.update(due_at=self.now)

    def _clock(self, when: datetime | None) -> str:
        """A time of day as the library's clock shows it."""
        return f"{when.astimezone(ZoneInfo(self.host.desk.zone)):%H:%M}" if when else "a while"
