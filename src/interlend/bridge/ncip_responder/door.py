"""The way in: bytes of a request to bytes of an answer, whatever happens in between.

Strategy: decode, find out who speaks, run one service, encode, keep the exchange. A service that writes runs in one
transaction with the kept exchange, so that a message costs one commit. Every NCIP message gets an NCIP answer, inside
its service's response; a bug is logged with a reference and told as a passing failure. Facts 4, 5, 8 and 9.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, OperationalError, transaction

from interlend import ncip
from interlend.bridge import exchanges
from interlend.bridge.callers import Call, Proof, Unknown, who
from interlend.bridge.ncip_responder import accounts, agencies, bills, items, loans, notifications, requests, users
from interlend.bridge.ncip_responder.asking import Ask, No
from interlend.circulation.errors import Refused
from interlend.libraries.desks import Desk
from interlend.outbox.services import one_commit

log = logging.getLogger(__name__)

XML: Final = "application/xml"
LONGEST_BODY: Final = 4 * ncip.MAX_BYTES  # as sent; what is URL-encoded is up to three times as long

Service = Callable[[Ask, Any], ncip.Response]


def _lookup_version(ask: Ask, message: ncip.LookupVersion) -> ncip.Response:
    return agencies.lookup_version(ask, message, SERVICES)


SERVICES: Final[Mapping[str, Service]] = {
    "LookupUser": users.lookup_user,
    "AuthenticateUser": users.authenticate_user,
    "AcceptItem": loans.accept_item,
    "CheckOutItem": loans.check_out_item,
    "CheckInItem": loans.check_in_item,
    "RenewItem": loans.renew_item,
    "RecallItem": loans.recall_item,
    "CancelRecallItem": loans.cancel_recall_item,
    "UndoCheckOutItem": loans.undo_check_out_item,
    "RequestItem": requests.request_item,
    "CancelRequestItem": requests.cancel_request_item,
    "UpdateRequestItem": requests.update_request_item,
    "LookupRequest": requests.lookup_request,
    "LookupItem": items.lookup_item,
    "LookupItemSet": items.lookup_item_set,
    "CreateItem": items.create_item,
    "UpdateItem": items.update_item,
    "DeleteItem": items.delete_item,
    "LookupAgency": agencies.lookup_agency,
    "LookupVersion": _lookup_version,
    "CreateUser": accounts.create_user,
    "UpdateUser": accounts.update_user,
    "DeleteUser": accounts.delete_user,
    "CreateUserFiscalTransaction": bills.create_user_fiscal_transaction,
    **dict.fromkeys(notifications.SAYS, notifications.heard),
}
#: these only read: they need no transaction, and a slow PIN check among them must not hold a lock
_READING: Final = frozenset(
    {"LookupUser", "AuthenticateUser", "LookupItem", "LookupItemSet", "LookupRequest", "LookupAgency", "LookupVersion"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: `status` is HTTP's, and 200 whenever there was an NCIP message to answer."""

    body: bytes
    content_type: str = XML
    status: int = 200


def is_whole(received: bytes) -> bool:
    """Whether the end of a message has come, for connections that have no other way to say so."""
    return ncip.message_end(received) is not None


def respond(
    body: bytes, *, now: datetime, headers: Mapping[str, str] | None = None, source_ip: str = "",
    library_hint: str = "",
) -> Answer:  # fmt: skip
    """Answer one message. `headers` are HTTP's; `library_hint` is a symbol from the path. Never raises."""
    started = time.perf_counter()
    headers = headers or {}
    if not body.strip():
        return Answer(b"There is no NCIP message in this request.\n", "text/plain; charset=utf-8", 400)
    if len(body) > LONGEST_BODY:
        return Answer(b"This is too long for an NCIP message.\n", "text/plain; charset=utf-8", 413)
    body = ncip.unwrap(body)
    authorization = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    proof = Proof(authorization, source_ip, library_hint)
    kept = exchanges.Kept(source=source_ip, headers=dict(headers))
    work = _Work(body, proof, now, kept, started)
    try:
        return work.answered()
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("NCIP %s stumbled, reference %s", kept.service or "message", reference)
        return work.stumbled(reference)


class _Work:
    """One message on its way through the door."""

    def __init__(self, body: bytes, proof: Proof, now: datetime, kept: exchanges.Kept, started: float) -> None:
        self.body, self.proof, self.now, self.kept, self.started = body, proof, now, kept, started
        self.envelope: ncip.Envelope | None = None

    def answered(self) -> Answer:
        try:
            envelope = self.envelope = ncip.decode_envelope(self.body)
        except ncip.ProtocolError as error:
            return self._unreadable(error)
        message = envelope.message
        self.kept.service = message.service
        if not isinstance(message, ncip.Initiation):
            return self._not_a_question(envelope)
        self._note_what_it_is_about(message)
        call = who(_header_of(message), self.proof, message.service)
        if isinstance(call, Unknown):
            return self._not_let_in(envelope, call)
        self.kept.library_id, self.kept.peer = call.member.pk, call.peer
        service = SERVICES.get(message.service)
        if service is None:
            detail = f"{message.service} is not offered here."
            problem = ncip.problem("Unsupported Service", service=message.service, detail=detail,
                                   element=message.service)  # fmt: skip
            return self._finish(_typed(envelope, call, (problem,)), envelope, call)
        return self._served(service, envelope, call)

    # --- the usual way

    def _served(self, service: Service, envelope: ncip.Envelope, call: Call) -> Answer:
        ask = _ask(envelope, call, self.now)
        try:
            if envelope.message.service in _READING:
                return self._finish(_run(service, ask), envelope, call)
            try:
                return self._in_one_commit(service, ask)
            except (IntegrityError, OperationalError):  # another message stood in the way: once more, from the start
                return self._in_one_commit(service, ask)
        except Refused as no:  # has left the transaction: nothing was done
            return self._finish(_typed(envelope, call, ask.refused(no).problems), envelope, call)

    def _in_one_commit(self, service: Service, ask: Ask) -> Answer:
        with one_commit():
            return self._finish(_run(service, ask), ask.envelope, ask.call)

    def _finish(self, response: ncip.Response, envelope: ncip.Envelope, call: Call | None) -> Answer:
        """Write the answer and keep the exchange; what we cannot write is a bug of ours."""
        style = ncip.answer_style(envelope)
        nowhere = isinstance(response, ncip.LookupVersionResponse)  # the one answer without a place for problems
        if response.problems and (nowhere or (call is not None and call.caller.bare_problems)):
            response = ncip.BareProblem(problems=response.problems)
        answer = ncip.encode(response, style)
        if response.problems:
            first = response.problems[0]
            self.kept.outcome = first.type.value if first.type is not None else "Problem"
            self.kept.detail = first.detail or ""
        self._keep(answer)
        return Answer(answer)

    def _keep(self, answer: bytes) -> None:
        took = round((time.perf_counter() - self.started) * 1000)
        exchanges.keep(self.kept, self.body, answer, self.now, took)

    def _note_what_it_is_about(self, message: ncip.Initiation) -> None:
        request_id, item_id = getattr(message, "request_id", None), getattr(message, "item_id", None)
        self.kept.request = request_id.value if isinstance(request_id, ncip.RequestId) else ""
        if isinstance(item_id, ncip.ItemId):
            if loans.is_request_number(item_id):
                self.kept.request = self.kept.request or item_id.value
            else:
                self.kept.item_barcode = item_id.value

    # --- the other ways

    def _unreadable(self, error: ncip.ProtocolError) -> Answer:
        """Inside the service's answer where the service could be told, else bare."""
        self.kept.service = error.service or ""
        self.kept.outcome, self.kept.detail = "unreadable", str(error)
        problem = ncip.problem(error.problem, detail=error.sentence[:300], element=error.where[:100])
        known = ncip.message_class(f"{error.service}Response") if error.service else None
        style = error.style or ncip.Style()
        response: ncip.Response = ncip.BareProblem(problems=(problem,))
        if known is not None and issubclass(known, ncip.Response):
            response = known(header=ncip.answer_header(error.header), problems=(problem,))
        answer = _encoded_or_bare(response, ncip.answer_style(style))
        log.warning("NCIP message from %s could not be read: %s", self.proof.source_ip, error)
        self._keep(answer)
        return Answer(answer)

    def _not_a_question(self, envelope: ncip.Envelope) -> Answer:
        """An answer, or a bare Problem, where a question was expected."""
        detail = f"{envelope.message.service} is an answer; this address answers questions."
        problem = ncip.problem("Protocol Error", detail=detail, element=envelope.message.service)
        self.kept.outcome, self.kept.detail = "Protocol Error", detail
        answer = ncip.encode(ncip.BareProblem(problems=(problem,)), ncip.answer_style(envelope))
        self._keep(answer)
        return Answer(answer)

    def _not_let_in(self, envelope: ncip.Envelope, no: Unknown) -> Answer:
        self.kept.library_id, self.kept.peer = no.library_id, no.peer
        service = envelope.message.service
        log.warning(
            "NCIP %s from %s (%s) was refused: %s. %s", service, no.peer, self.proof.source_ip, no.problem, no.detail
        )
        problem = ncip.problem(no.problem, service=service, detail=no.detail, element=no.element,
                               value=no.value or None)  # fmt: skip
        return self._finish(_typed(envelope, None, (problem,)), envelope, None)

    def stumbled(self, reference: str) -> Answer:
        """Something that nobody foresaw: nothing was changed, the peer may try again, the log says what it was."""
        detail = f"Something failed here; nothing was changed. Please try again later. Reference {reference}."
        problem = ncip.problem("Temporary Processing Failure", detail=detail)
        self.kept.outcome, self.kept.detail = "Temporary Processing Failure", f"stumbled, reference {reference}"
        response: ncip.Response = ncip.BareProblem(problems=(problem,))
        style = ncip.Style()
        if self.envelope is not None:
            style = ncip.answer_style(self.envelope)
            if isinstance(self.envelope.message, ncip.Initiation):
                response = _typed(self.envelope, None, (problem,))
        answer = _encoded_or_bare(response, style)
        try:
            with transaction.atomic():
                self._keep(answer)
        except Exception:
            log.exception("NCIP exchange, reference %s, could not be kept", reference)
        return Answer(answer)


def _ask(envelope: ncip.Envelope, call: Call, now: datetime) -> Ask:
    member = call.member
    return Ask(call, envelope, now, Desk(member.pk, member.zone, f"{call.caller.name} (NCIP)"[:120], None, "by NCIP"))


def _run(service: Service, ask: Ask) -> ncip.Response:
    """The service's answer. Its own no is an answer too; what circulation refuses must leave the transaction."""
    try:
        return service(ask, ask.envelope.message)
    except No as no:
        return _typed(ask.envelope, ask.call, no.problems)


def _typed(envelope: ncip.Envelope, call: Call | None, problems: tuple[ncip.Problem, ...]) -> ncip.Response:
    """The service's own response with these problems in it."""
    swap = call is None or not call.caller.header_as_sent
    message = envelope.message
    response = ncip.message_class(f"{message.service}Response")
    assert response is not None
    assert issubclass(response, ncip.Response)
    header = ncip.answer_header(message.header, swap=swap)
    if isinstance(message, ncip.LookupVersion):
        return ncip.LookupVersionResponse(
            header=header, problems=problems, from_agency=message.to_agency, to_agency=message.from_agency
        )
    return response(header=header, problems=problems)


def _header_of(message: ncip.Initiation) -> ncip.Header | None:
    """LookupVersion has no header; its two agencies are one."""
    if isinstance(message, ncip.LookupVersion) and message.header is None:
        return ncip.Header(from_agency=message.from_agency, to_agency=message.to_agency)
    return message.header


def _encoded_or_bare(response: ncip.Response, style: ncip.Style) -> bytes:
    """A response that cannot be written in this style says its problems in the plainest form."""
    try:
        return ncip.encode(response, style)
    except ncip.ProtocolError:
        plain = replace(ncip.Style(), version=style.version, agency=style.agency)
        return ncip.encode(ncip.BareProblem(problems=response.problems), plain)
