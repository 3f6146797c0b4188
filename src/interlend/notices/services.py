"""Letters written, sent at their hour, printed. A letter is claimed before it is handed over: no two workers send it.

What a letter says is made when it goes (a hold collected in the meantime needs none). Mail goes over SMTP where
EMAIL_URL names a server; otherwise it lies in the drawer page, and nothing leaves the house.
"""

from __future__ import annotations

import smtplib
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Exists, F, OuterRef

from interlend.circulation.lifecycles import OUT
from interlend.circulation.models import Hold, Loan, Patron
from interlend.libraries.models import Library
from interlend.notices.kinds import KINDS, Thing, render
from interlend.notices.lifecycles import LETTER, NOT_SENT, SENDING, TO_PRINT, WAITING
from interlend.notices.models import Letter, NoticePolicy
from interlend.notices.policies import next_morning, top_of_hour

HOLD_PICKUP, OVERDUE = "hold_pickup", "overdue"
LEASE = timedelta(minutes=5)
PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
MOST_TRIES = 8


def write_hold_pickup(hold: Hold, *, key: str, wanted: bool, now: datetime) -> Letter:
    """B9: the pickup letter of one hold, due at the top of the hour."""
    why_not = "" if wanted else "The hold policy sends no pickup notices."
    due_at = top_of_hour(now, hold.library.time_zone)
    about = {"hold_key": hold.pk, "request": hold.request}
    return _write(HOLD_PICKUP, hold.patron, key, why_not, due_at, now, about)


def write_overdue(now: datetime) -> int:
    """L2: a letter for each loan that is overdue and has none for this due date; due next morning. How many."""
    return sum(_write_overdue_of(library, now) for library in Library.objects.select_related("notice_policy"))


def _write_overdue_of(library: Library, now: datetime) -> int:
    policy = getattr(library, "notice_policy", None) or NoticePolicy(library=library)
    if not policy.overdue:
        return 0
    today = now.astimezone(ZoneInfo(library.time_zone)).date()
    written = Letter.objects.filter(loan_key=OuterRef("pk"), kind=OVERDUE, about_day=OuterRef("due_on"))
    late = Loan.objects.filter(library=library, state=OUT, due_on__lte=today - timedelta(days=policy.overdue_days))
    loans = list(late.filter(~Exists(written)).select_related("patron")[:500])
    due_at = next_morning(now, library.time_zone)
    for loan in loans:
        about = {"loan_key": loan.pk, "request": loan.request, "about_day": loan.due_on}
        _write(OVERDUE, loan.patron, f"overdue:{loan.pk}:{loan.due_on}", "", due_at, now, about)
    return len(loans)


def _write(
    kind: str, patron: Patron, key: str, why_not: str, due_at: datetime, now: datetime, about: dict[str, Any]
) -> Letter:
    """One letter, once per key: waiting for its hour, or to print where there is no address, or not at all and why."""
    if why_not:
        state, why = NOT_SENT, why_not
    elif not patron.email:
        state, why = TO_PRINT, "The patron has no e-mail address."
    else:
        state, why = WAITING, ""
    letter, _ = Letter.objects.get_or_create(
        library_id=patron.library_id, key=key,
        defaults={
            "kind": kind, "patron_key": patron.pk, "state": state, "why": why, "made_at": now, "to": patron.email,
            "due_at": due_at if state == WAITING else now, **about,
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
    things = KINDS[kind].things(letters, living=True)
    _settle([one for one in letters if one.pk not in things], "worker.outdated", why=KINDS[kind].outdated)
    current = [letter for letter in letters if letter.pk in things]
    if current:
        _hand_over(current, [things[letter.pk] for letter in current], now)
    return len(letters)


def _hand_over(letters: list[Letter], things: list[Thing], now: datetime) -> None:
    library, patron = things[0].library, things[0].patron
    if not patron.email:
        _settle(letters, "mail.refused", why="The patron's e-mail address was removed; print it instead.")
        return
    subject, body = render(letters[0].kind, library, patron, things, now)
    said = {"subject": subject, "body": body, "to": patron.email}
    if settings.INTERLEND_MAIL != "smtp":
        _settle(letters, "mail.accepted", via="drawer", sent_at=now, **said)
        return
    server = get_connection()
    try:
        server.open()
    except (smtplib.SMTPException, OSError) as trouble:  # nothing has left yet: try again later
        _later(letters, str(trouble) or type(trouble).__name__, now)
        return
    try:
        server.send_messages([_mail(library, patron, subject, body, letters[0])])
    except smtplib.SMTPRecipientsRefused as no:
        _settle(letters, "mail.refused", why=f"The mail server refused the address: {_smtp_words(no)}")
    except smtplib.SMTPResponseException as no:
        _answered_badly(letters, no, now)
    except (smtplib.SMTPException, OSError) as silence:  # it may have been taken: only a person may send it again
        said |= {"why": f"The mail server did not answer ({silence}); it may have gone."[:300]}
        _settle(letters, "mail.no_answer", **said)
    else:
        _settle(letters, "mail.accepted", via="smtp", sent_at=now, **said)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.close()


def _answered_badly(letters: list[Letter], no: smtplib.SMTPResponseException, now: datetime) -> None:
    words = no.smtp_error.decode(errors="replace") if isinstance(no.smtp_error, bytes) else str(no.smtp_error)
    if 400 <= no.smtp_code < 500:
        _later(letters, words, now)
    else:
        _settle(letters, "mail.refused", why=f"The mail server refused it: {no.smtp_code} {words}"[:300])


def _mail(library: Library, patron: Patron, subject: str, body: str, first: Letter) -> EmailMessage:
    sender = library.email_from or settings.DEFAULT_FROM_EMAIL
    # the same letter always has the same Message-ID, so that a mail system can drop a double
    headers = {"Message-ID": f"<letter-{first.library_id}-{first.pk}@interlend>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, body, sender, [patron.email], headers=headers)


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
    thing = KINDS[letter.kind].things([letter], living=False).get(letter.pk)
    return render(letter.kind, thing.library, thing.patron, [thing], now) if thing else ("", "")
