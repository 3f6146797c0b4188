"""Guessing slowed down: after five failures within fifteen minutes the same name at the same door has to wait.

Strategy: an attempt is written down as failed before the secret is looked at and taken back when it was right; so
attempts that come at once, at any number of processes, are counted like attempts one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from interlend.libraries.models import FailedSignIn

MOST = 5
WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Attempt:
    """One attempt that has begun. `wait_until` is set when it must not be made; then nothing was counted."""

    digest: str
    wait_until: datetime | None = None

    def succeeded(self) -> None:
        """The secret was right: earlier failures are forgotten."""
        FailedSignIn.objects.filter(name=self.digest).delete()


def begin(door: str, name: str, now: datetime, library_id: int | None = None) -> Attempt:
    """Begin an attempt of `name` at `door` (`staff`, `patron` or `ncip`). Three statements, one more if it must wait.

    An attempt that must wait is not counted, so nobody is kept out for longer than the window by somebody who goes on.
    """
    digest = salted_hmac(
        "interlend.guesses", f"{door}\n{library_id}\n{name.strip().casefold()}", algorithm="sha256"
    ).hexdigest()
    FailedSignIn.objects.filter(at__lt=now - WINDOW).delete()
    mine = FailedSignIn.objects.create(library_id=library_id, door=door, name=digest, at=now)
    others = FailedSignIn.objects.filter(name=digest).exclude(pk=mine.pk).order_by("-pk")
    times = list(others.values_list("at", flat=True)[:MOST])
    if len(times) < MOST:
        return Attempt(digest)
    mine.delete()
    return Attempt(digest, wait_until=times[-1] + WINDOW)
