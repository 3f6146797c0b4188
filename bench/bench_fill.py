"""The benchmark's side of the database: a library with items in bulk and one NCIP caller, and statements counted."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "interlend.settings")


def fill(items: int, patrons: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", interactive=False, verbosity=0)
    from interlend.bridge.models import NcipCaller
    from interlend.circulation.models import Item, Patron, PatronType, ShelvingLocation, Title
    from tests.make import NOW, branch, make_library

    library = make_library("BEN", "Bench")
    main, stacks = branch(library), ShelvingLocation.objects.get(library=library, code="STACKS")
    student = PatronType.objects.get(library=library, code="STUDENT")
    Patron.objects.bulk_create(
        [
            Patron(library=library, barcode=f"P{n:05}", surname=f"Reader {n}", patron_type=student, home_branch=main)
            for n in range(patrons)
        ],
        batch_size=500,
    )
    NcipCaller.objects.create(library=library, name="Bench", from_agencies=["BENCH"], default=True)

    def copies(title_ids: list[int]) -> list[Item]:
        return [
            Item(
                library=library, title_id=key, barcode=f"3{key:013}", state="available", state_since=NOW, made_at=NOW,
                holding_location=main, shelving_location=stacks, home_branch=main,
            )
            for key in title_ids
        ]  # fmt: skip

    numbers = iter(range(items))
    while batch := list(islice(numbers, 5000)):
        titles = Title.objects.bulk_create([Title(library=library, title=f"Title {n}") for n in batch])
        Item.objects.bulk_create(copies([title.pk for title in titles]), batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def count(bodies: dict[str, bytes]) -> dict[str, int]:
    """Statements of each message, BEGIN and COMMIT left out, when everything that is kept for seconds is kept."""
    import django

    django.setup()
    from django.db import connection
    from django.utils import timezone

    from interlend.bridge.ncip_responder import door

    def said(body: bytes) -> int:
        seen: list[str] = []

        def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            seen.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            answer = door.respond(body, now=timezone.now())
        if b"Problem" in answer.body:
            raise SystemExit(answer.body.decode())
        return len(seen)

    door.respond(bodies["LookupUser"], now=timezone.now())
    said(bodies["AcceptItem"].replace(b"counted", b"first"))
    return {service: said(body) for service, body in bodies.items()}
