"""Patrons: saved from forms, loads and messages, closed; PINs are kept as argon2 hashes and never shown.

Strategy: a form or a load gives a whole record, a message only what changes. An account is closed, not deleted, because
the history of items names it; closing erases what nobody needs any more. Z39.83-1, Create, Update and Delete User.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

from django.contrib.auth.hashers import check_password, make_password

from interlend.circulation import facts
from interlend.circulation.errors import refuse
from interlend.circulation.models import Patron
from interlend.circulation.queries import balances, holds_of_patron, out_and_late, patron_by_barcode
from interlend.libraries.desks import Desk
from interlend.outbox.services import written_down

#: why a closed account is blocked; while nothing but this stands against it, it may be opened again by message
CLOSED: Final = "Account closed"


@dataclass(frozen=True)
class PatronRecord:
    """A patron as a form or a load gives it; keys of rows are already looked up."""

    barcode: str
    surname: str
    given_name: str = ""
    kind: str = "person"
    patron_type_id: int = 0
    home_branch_id: int | None = None
    email: str = ""
    phone: str = ""
    address: str = ""
    expires_on: date | None = None
    blocked_since: date | None = None
    block_reason: str = ""
    note: str = ""


def save_patron(
    desk: Desk, record: PatronRecord, now: datetime, *, pin: str = "", more: Mapping[str, Any] | None = None
) -> tuple[Patron, str]:
    """Create or update by barcode; returns the patron and "created", "updated" or "unchanged".

    `more` has columns that a form or a load does not: user_name, date_of_birth, languages.
    """
    given = {field.name: getattr(record, field.name) for field in fields(record)} | dict(more or {})
    known = _pin_of(desk.library_id, record.barcode) if pin else ""
    hashed = _hash_if_new(pin, known)
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        patron = Patron.objects.select_for_update().filter(library_id=desk.library_id, barcode=record.barcode).first()
        outcome = "updated" if patron else "created"
        patron = patron or Patron(library_id=desk.library_id)
        _refuse_namesake(patron, str(given.get("user_name") or ""))
        changed = _set(patron, given)
        if hashed and patron.pin == known:  # nobody has set another one since we looked
            patron.pin, changed = hashed, [*changed, "pin"]
        if not changed and patron.pk:
            return patron, "unchanged"
        patron.save()
        entries.record(facts.PATRON_SAVED, patron=patron.pk, fields=changed)
    return patron, outcome


def change_patron(
    desk: Desk, patron_id: int, changes: Mapping[str, Any], now: datetime, *, pin: str | None = None
) -> Patron:
    """Write the named columns of one account; a `pin` that is "" is taken away. What stays as it was is no change."""
    known = Patron.objects.values_list("pin", flat=True).get(library_id=desk.library_id, pk=patron_id)
    hashed = _hash_if_new(pin or "", known)
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        patron = Patron.objects.select_for_update().get(library_id=desk.library_id, pk=patron_id)
        _refuse_namesake(patron, str(changes.get("user_name") or ""))
        changed = _set(patron, changes)
        if hashed or (pin == "" and patron.pin):
            patron.pin, changed = hashed, [*changed, "pin"]
        if changed:
            patron.save(update_fields=changed)
            entries.record(facts.PATRON_SAVED, patron=patron.pk, fields=changed)
    return patron


def replace_card(desk: Desk, patron_id: int, barcode: str, now: datetime) -> str:
    """Another barcode for the same account (a card is lost): loans, holds, PIN and history stay. Returns the old one.

    Refuses a barcode that another patron has, and an institution's account, which others name by its barcode.
    The event keeps only how the old number ended. Requests carry a barcode too: see `bridge/cards.py`.
    """
    barcode = barcode.strip()
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        patron = Patron.objects.select_for_update().get(library_id=desk.library_id, pk=patron_id)
        before = patron.barcode
        if barcode == before:
            return before
        if patron.kind == Patron.Kind.INSTITUTION:
            raise refuse("institutions_card", name=patron.full_name)
        if not barcode or Patron.objects.filter(library_id=desk.library_id, barcode=barcode).exists():
            raise refuse("barcode_in_use", barcode=barcode)
        patron.barcode = barcode
        patron.save(update_fields=["barcode"])
        entries.record(facts.CARD_REPLACED, patron=patron.pk, ends=before[-4:])
    return before


def close_account(desk: Desk, patron_id: int, now: datetime) -> Patron:
    """Close an account that has nothing open: blocked from today, no way to sign in, contact data erased.

    Refuses while it has loans, holds or a balance. Closed before is answered like now. Name and barcode stay, because
    the history of items names them; a block that was there stays and keeps its reason.
    """
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        patron = Patron.objects.select_for_update().get(library_id=desk.library_id, pk=patron_id)
        if still := _still_open(patron, desk.today(now)):
            raise refuse("account_in_use", what=" and ".join(still))
        before = patron.block_reason.removeprefix(CLOSED).removeprefix("; before: ")
        changed = _set(patron, {
            "email": "", "phone": "", "address": "", "date_of_birth": None, "languages": "", "user_name": "", "pin": "",
            "blocked_since": patron.blocked_since or desk.today(now),
            "block_reason": f"{CLOSED}; before: {before}"[:200] if before else CLOSED,
        })  # fmt: skip
        if changed:
            patron.save(update_fields=changed)
            entries.record(facts.PATRON_SAVED, patron=patron.pk, fields=changed)
    return patron


def _still_open(patron: Patron, today: date) -> list[str]:
    """What keeps an account from being closed, in words."""
    out, _ = out_and_late(patron, today)
    waiting = holds_of_patron(patron).count()
    owed = [f"a balance of {amount / 100:.2f} {currency}" for currency, amount in balances(patron).items() if amount]
    counted = [f"{count} {word}" for count, word in ((out, "on loan"), (waiting, "on hold")) if count]
    return counted + owed


def _set(patron: Patron, values: Mapping[str, Any]) -> list[str]:
    """Write the values on the row; the names of those that differ."""
    changed = [name for name, value in values.items() if getattr(patron, name) != value]
    for name in changed:
        setattr(patron, name, values[name])
    return changed


def _refuse_namesake(patron: Patron, name: str) -> None:
    """A user name is one patron's of a library."""
    if not name or name == patron.user_name:
        return
    if Patron.objects.filter(library_id=patron.library_id, user_name=name).exclude(pk=patron.pk).exists():
        raise refuse("user_name_taken")


def _hash_if_new(pin: str, known: str) -> str:
    """Hashing is slow by design, so it is done before a transaction holds anybody up, and only for another PIN."""
    return make_password(pin) if pin and not (known and check_password(pin, known)) else ""


def _pin_of(library_id: int, barcode: str) -> str:
    pins = Patron.objects.filter(library_id=library_id, barcode=barcode).values_list("pin", flat=True)
    return pins.first() or ""


def set_pin(patron: Patron, pin: str) -> None:
    patron.pin = make_password(pin)
    patron.save(update_fields=["pin"])


def sign_in(library_id: int, barcode: str, pin: str) -> Patron | None:
    """The patron whose barcode and PIN these are, else None; it takes as long whether the barcode exists or not."""
    patron = patron_by_barcode(library_id, barcode)
    stored = patron.pin if patron and patron.kind == Patron.Kind.PERSON else ""
    if not stored:
        make_password(pin)
        return None
    return patron if check_password(pin, stored) else None
