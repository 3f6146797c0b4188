"""Patrons: saved from forms, loads and messages; PINs are kept as argon2 hashes and never shown."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime

from django.contrib.auth.hashers import check_password, make_password

from interlend.circulation import facts
from interlend.circulation.models import Patron
from interlend.circulation.queries import patron_by_barcode
from interlend.libraries.desks import Desk
from interlend.outbox.services import written_down


@dataclass(frozen=True)
class PatronRecord:
    """A patron as a form or a load gives it; keys of rows are already looked up. None leaves a field as it is."""

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


def save_patron(desk: Desk, record: PatronRecord, now: datetime, *, pin: str = "") -> tuple[Patron, str]:
    """Create or update by barcode; returns the patron and "created", "updated" or "unchanged"."""
    given = {f.name: getattr(record, f.name) for f in fields(record)}
    known = _pin_of(desk.library_id, record.barcode) if pin else ""
    # hashing is slow by design, so it is done before the transaction holds anybody up
    hashed = make_password(pin) if pin and not (known and check_password(pin, known)) else ""
    with written_down(desk.library_id, now, desk.actor, desk.branch_name) as entries:
        patron = Patron.objects.select_for_update().filter(library_id=desk.library_id, barcode=record.barcode).first()
        outcome = "updated" if patron else "created"
        patron = patron or Patron(library_id=desk.library_id)
        changed = [name for name, value in given.items() if getattr(patron, name) != value]
        if hashed and patron.pin == known:  # nobody has set another one since we looked
            patron.pin, changed = hashed, [*changed, "pin"]
        if not changed and patron.pk:
            return patron, "unchanged"
        for name, value in given.items():
            setattr(patron, name, value)
        patron.save()
        entries.record(facts.PATRON_SAVED, patron=patron.pk, fields=changed)
    return patron, outcome


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
