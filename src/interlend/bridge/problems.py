"""One table between the houses' reasons and the ports' problems; the protocols' problem values will join it here.

A reason that a rule gave is lasting: a person must mend it. Trouble with the database is passing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError

from interlend.circulation import errors as circulation_errors
from interlend.sharing import errors as sharing_errors
from interlend.sharing.host import HostProblem
from interlend.sharing.partner import PartnerProblem


@contextmanager
def as_host_problem() -> Iterator[None]:
    """What our own circulation refuses, in the words of the port."""
    try:
        yield
    except circulation_errors.Refused as no:
        raise HostProblem(no.sentence, code=no.code, remedy=no.remedy) from no
    except OperationalError as busy:
        raise HostProblem("Circulation is busy just now.", code="busy", lasting=False) from busy


@contextmanager
def as_partner_problem(partner: str) -> Iterator[None]:
    """What a member's sharing refuses, in the words of the port."""
    try:
        yield
    except sharing_errors.Refused as no:
        raise PartnerProblem(f"{partner}: {no.sentence}", code=no.code, remedy=no.remedy) from no
    except OperationalError as busy:
        raise PartnerProblem(f"{partner} is busy just now.", code="busy", lasting=False) from busy
