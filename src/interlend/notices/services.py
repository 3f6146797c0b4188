"""Letters written, sent at their hour, printed. A letter is claimed before it is handed over: no two workers send it.

What a letter says is made when it goes (a hold collected in the meantime needs none). Mail goes over SMTP where
EMAIL_URL names a server; otherwise it lies in the drawer page, and nothing leaves the house.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation

from interlend.circulation.lifecycles import READY
from interlend.circulation.models import Hold, Patron
from interlend.libraries.models import Library
from interlend.notices.lifecycles import LETTER, NOT_SENT, SENDING, TO_PRINT, WAITING
from interlend.notices.models import Letter
from interlend.notices.policies import top_of_hour

log = logging.getLogger(__name__)

HOLD_PICKUP = "hold_pickup"
LEASE = timedelta(minutes=5)
PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
MOST_TRIES = 8


def write_hold_pickup(hold: Hold, *, key: str, wanted: bool, now: datetime) -> Letter:
    """The pickup letter of one hold: due at the top of the hour, or to print where there is no address."""
    if not wanted:
        state, why = NOT_SENT, "The hold policy sends no pickup notices."
    elif not hold.patron.email:
        state, why = TO_PRINT, "The patron has no e-mail address."
    else:
        state, why = WAITING, ""
    due_at = top_of_hour(now, hold.library.time_zone) if state == WAITING else now
    letter, _ = Letter.objects.get_or_create(
        library_id=hold.library_id, key=key,
        defaults={
            "kind": HOLD_PICKUP, "patron_key": hold.patron_id, "hold_key": hold.pk, "request": hold.request,
            "state": state, "why": why, "due_at": due_at, "made_at": now, "to": hold.patron.email,
        },
    )  # fmt: skip
    return letter


def send_due(now: datetime, limit: int = 200) -> int:
    """Send what is due, one mail for each patron and kind; returns the number of letters settled."""
    _mark_lost(now)
    due = Letter.objects.filter(state=WAITING, due_at__lte=now).order_by("due_at", "id")
    settled, done = 0, set()
    for library_id, kind, patron_key in list(due.values_list("library_id", "kind", "patron_key")[:limit]):
        if (library_id, kind, patron_key) not in done:
            done.add((library_id, kind, patron_key))
            settled += _send_together(library_id, kind, patron_key, now)
    return settled


def _send_together(library_id: int, kind: str, patron_key: int, now: datetime) -> int:
    batch = uuid4().hex
    waiting = Letter.objects.filter(
        library_id=library_id, kind=kind, patron_key=patron_key, state=WAITING, due_at__lte=now
    )
    claimed = waiting.update(
        state=LETTER.move(WAITING, "worker.claim").becomes, batch=batch, lease_until=now + LEASE, tries=F("tries") + 1
    )
    if not claimed:
        return 0
    letters = list(Letter.objects.filter(batch=batch).order_by("id"))
    holds = _still_ready(letters)
    outdated = [letter for letter in letters if letter.hold_key not in holds]
    _settle(outdated, "worker.outdated", why="The item is no longer waiting on the hold shelf.")
    current = [letter for letter in letters if letter.hold_key in holds]
    if current:
        _hand_over(current, [holds[letter.hold_key] for letter in current if letter.hold_key], now)
    return len(letters)


def _still_ready(letters: list[Letter]) -> dict[int, Hold]:
    holds = Hold.objects.filter(pk__in=[letter.hold_key for letter in letters if letter.hold_key], state=READY)
    return {hold.pk: hold for hold in holds.select_related("title", "pickup_branch", "patron", "library")}


def _hand_over(letters: list[Letter], holds: list[Hold], now: datetime) -> None:
    library, patron = holds[0].library, holds[0].patron
    if not patron.email:
        _settle(letters, "mail.refused", why="The patron's e-mail address was removed; print it instead.")
        return
    subject, body = render(library, patron, holds, now)
    via = "smtp" if settings.INTERLEND_MAIL == "smtp" else "drawer"
    try:
        if via == "smtp":
            _mail(library, patron, subject, body, letters[0])
    except smtplib.SMTPRecipientsRefused as no:
        _settle(letters, "mail.refused", why=f"The mail server refused the address: {_smtp_words(no)}")
    except (smtplib.SMTPException, OSError) as trouble:
        _later(letters, str(trouble) or type(trouble).__name__, now)
    else:
        _settle(letters, "mail.accepted", subject=subject, body=body, via=via, to=patron.email, sent_at=now)


def render(library: Library, patron: Patron, holds: list[Hold], now: datetime) -> tuple[str, str]:
    """Subject and body in the library's language and zone."""
    known = {"library": library, "patron": patron, "holds": holds, "now": now}
    with translation.override(library.language), timezone.override(library.time_zone):
        subject = render_to_string("letters/hold_pickup/subject.txt", known).strip()
        return " ".join(subject.split()), render_to_string("letters/hold_pickup/body.txt", known)


def _mail(library: Library, patron: Patron, subject: str, body: str, first: Letter) -> None:
    sender = library.email_from or settings.DEFAULT_FROM_EMAIL
    # the same letter always has the same Message-ID, so that a mail system can drop a double
    headers = {"Message-ID": f"<letter-{first.library_id}-{first.pk}@interlend>", "Auto-Submitted": "auto-generated"}
    EmailMessage(subject, body, sender, [patron.email], headers=headers).send()


def _smtp_words(no: smtplib.SMTPRecipientsRefused) -> str:
    return "; ".join(f"{code} {text.decode(errors='replace')}" for code, text in no.recipients.values())[:200]


def _later(letters: list[Letter], trouble: str, now: datetime) -> None:
    for letter in letters:
        if letter.tries >= MOST_TRIES:
            _settle([letter], "mail.refused", why=f"The mail server could not be used: {trouble}"[:300])
        else:
            pause = PAUSES[min(letter.tries, len(PAUSES)) - 1]
            _settle(
                [letter], "mail.passing_trouble", why=f"Waiting for the mail server: {trouble}"[:300],
                due_at=now + pause,
            )  # fmt: skip


def _settle(letters: list[Letter], trigger: str, **fields: object) -> None:
    if letters:
        becomes = LETTER.move(SENDING, trigger).becomes
        given = {"why": ""} | fields
        Letter.objects.filter(pk__in=[letter.pk for letter in letters], state=SENDING).update(
            state=becomes, lease_until=None, **given
        )


def _mark_lost(now: datetime) -> None:
    """A worker died while handing letters over: nobody knows whether they went, so a person decides."""
    lost = Letter.objects.filter(state=SENDING, lease_until__lt=now)
    lost.update(
        state=LETTER.move(SENDING, "clock.lease_over").becomes, lease_until=None,
        why="Interlend was stopped while sending it; it may have gone.",
    )  # fmt: skip


def send_again(library_id: int, letter_id: int, now: datetime) -> Letter:
    """Staff decide that a failed or unknown letter goes (again) at the worker's next round."""
    letter = Letter.objects.get(library_id=library_id, pk=letter_id)
    letter.state = LETTER.move(letter.state, "staff.send_again").becomes
    letter.due_at, letter.tries, letter.why = now, 0, ""
    letter.save(update_fields=["state", "due_at", "tries", "why"])
    return letter


def printed(library_id: int, letter_id: int, now: datetime) -> Letter:
    """A person printed it; its text is kept as printed. Printing twice is no harm."""
    letter = Letter.objects.get(library_id=library_id, pk=letter_id)
    if LETTER.allows(letter.state, "staff.print"):
        letter.state = LETTER.move(letter.state, "staff.print").becomes
        letter.via, letter.sent_at = "print", now
    letter.subject, letter.body = text_of(letter, now)
    letter.save(update_fields=["state", "via", "sent_at", "subject", "body"])
    return letter


def text_of(letter: Letter, now: datetime) -> tuple[str, str]:
    """What the letter says: as it went, or as it would go now."""
    if letter.body:
        return letter.subject, letter.body
    hold = (
        Hold.objects.select_related("title", "pickup_branch", "patron", "library")
        .filter(pk=letter.hold_key or 0)
        .first()
    )
    return render(hold.library, hold.patron, [hold], now) if hold else ("", "")
