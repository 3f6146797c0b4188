"""The smallest things a message says: a value from a scheme, and a moment in time; and what all composites share.

Strategy: frozen values that keep what was sent, letter by letter, and offer the reading of it beside. Z39.83-2,
types SchemeValuePair and xs:dateTime.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Final

_MOMENT: Final = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[T ]+([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,]([0-9]{1,12}))?)?)?"
    r" ?(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.ASCII,
)
_XSD_DATETIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)


def folded(word: str) -> str:
    """A word for comparing: “Unknown Item”, “UNKNOWN_ITEM”, “unknown-item” and “UnknownItem” are one."""
    letters = "".join(c for c in word.casefold() if c.isalnum())
    return letters or word.strip()


@dataclass(frozen=True, slots=True)
class Code:
    """A value from a scheme: `value` as sent, `scheme` the URI that names the list, or None where none was given."""

    value: str
    scheme: str | None = None

    def __str__(self) -> str:
        return self.value

    def says(self, *words: str) -> bool:
        """Whether the value is one of these words (`folded`). Schemes never take part in the comparison."""
        said = folded(self.value)
        return any(said == folded(word) for word in words)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time as sent (`raw`). Peers send no zone, `Z`, an offset, fractions, or the date alone."""

    raw: str

    @classmethod
    def at(cls, when: datetime) -> Moment:
        """The moment to send: `when` must know its zone, because the receiver cannot guess it. Whole seconds."""
        if when.utcoffset() is None:
            raise ValueError(f"{when.isoformat()} has no time zone, so nobody could tell what it means")
        text = when.isoformat(timespec="seconds")
        return cls(text[:-6] + "Z" if text.endswith("+00:00") else text)

    @property
    def when(self) -> datetime | None:
        """The reading: with a zone if one was sent, else naive; at midnight if only a date was; None if unreadable."""
        found = _MOMENT.fullmatch(self.raw.strip())
        if found is None:
            return None
        year, month, day, hour, minute, second, fraction, zone = found.groups()
        try:
            # 24:00 is the midnight that ends the day (xs:dateTime); a leap second is told as the second before.
            late = hour == "24"
            read = datetime(
                int(year),
                int(month),
                int(day),
                0 if late else int(hour or 0),
                int(minute or 0),
                min(int(second or 0), 59),
                int((fraction or "0")[:6].ljust(6, "0")),
                tzinfo=_zone(zone),
            )
            return read + timedelta(days=1) if late and not (read.minute or read.second) else None if late else read
        except (ValueError, OverflowError):
            return None

    @property
    def date_only(self) -> bool:
        """Whether only a day was sent, no time."""
        return self.when is not None and len(self.raw.strip()) <= 10

    def aware(self, local: tzinfo, *, end_of_day: bool = False) -> datetime | None:
        """The moment with a zone: the one sent, else `local`. A bare date means its start, or its last second."""
        when = self.when
        if when is None:
            return None
        if end_of_day and self.date_only:
            when = datetime.combine(when.date(), time(23, 59, 59), tzinfo=when.tzinfo)
        return when if when.tzinfo is not None else when.replace(tzinfo=local)

    def as_xsd(self) -> str | None:
        """The text for an xs:dateTime: what was sent if it is one, else the reading written properly, else None."""
        when = self.when
        if when is None:
            return None
        if _XSD_DATETIME.fullmatch(self.raw):
            return self.raw
        text = when.isoformat()
        return text[:-6] + "Z" if text.endswith("+00:00") else text

    def __str__(self) -> str:
        return self.raw


def _zone(text: str | None) -> tzinfo | None:
    """The offset written as Z, +01, +0100 or +01:00. xs:dateTime allows at most 14 hours."""
    if text is None:
        return None
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59 or (hours == 14 and minutes):
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


@dataclass(frozen=True, slots=True)
class Part:
    """What every composite has: `ext`, the foreign elements found in its Ext, each as a fragment of XML on its own."""

    ext: tuple[str, ...] = field(default=(), kw_only=True)
