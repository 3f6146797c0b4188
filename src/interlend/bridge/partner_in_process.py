"""Two members of one installation: the message goes straight to the other library's sharing house."""

from __future__ import annotations

from datetime import datetime

from interlend.bridge.problems import as_partner_problem
from interlend.libraries.models import Library
from interlend.sharing import services as sharing
from interlend.sharing.partner import Message, PartnerProblem


class PartnerInProcess:
    """Carries messages between members at the moment `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def send(self, message: Message) -> None:
        library = Library.objects.filter(symbol=message.to).first()
        if library is None:
            raise PartnerProblem(
                f"{message.to} is not a member of this installation.", code="not_a_member",
                remedy="Administrator: correct the partner's symbol under Partners.",
            )  # fmt: skip
        with as_partner_problem(library.name):
            sharing.hear(library.pk, message, self.now)
