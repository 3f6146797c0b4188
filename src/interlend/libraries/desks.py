"""Who acts, for which library, standing where: the first argument of every service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Desk:
    """A person or a program acting for one library. `branch_id` is *here* at check-in; None for programs.

    `zone` is the library's IANA time zone: every date that is promised is counted there.
    """

    library_id: int
    zone: str
    actor: str
    branch_id: int | None = None
    branch_name: str = ""

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.zone)).date()
