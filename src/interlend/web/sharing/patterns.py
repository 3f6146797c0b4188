"""What failed steps have in common, said once above the group: the connection, one partner, one item, one patron.

Strategy: facts of steps and requests are fetched for all groups at once, `sharing.policies.pattern` decides, and here
each answer becomes a sentence with the link to where it is mended. Issue cards of the request and Needs attention.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interlend.bridge.queries import speaks_ncip
from interlend.libraries.policies import ADMINISTER, may
from interlend.outbox.models import Errand
from interlend.outbox.queries import lately_done
from interlend.sharing import queries
from interlend.sharing.models import IllRequest
from interlend.sharing.policies import Pattern, Step, pattern
from interlend.web.circulation.words import clock, moment


@dataclass(frozen=True)
class Said:
    """A sentence, and where it is mended; without `url` the person may not go there."""

    sentence: str
    label: str = ""
    url: str = ""


class Patterns:
    """Looks at the failed steps of one library together. Four queries, however many groups are asked about."""

    def __init__(self, library_id: int, roles: Iterable[str], failed: Collection[Errand]) -> None:
        self.library_id, self.roles = library_id, list(roles)
        self.done = lately_done(library_id, {errand.verb for errand in failed}) if failed else []
        every = [*failed, *self.done]
        keys = {errand.payload.get("ill") for errand in every}
        self.ills = {ill.pk: ill for ill in queries.some(library_id, keys)} if every else {}
        pieces = {errand.payload.get("piece") for errand in every}
        self.barcodes = queries.barcodes_of(library_id, pieces) if every else {}

    def of(self, failed: Collection[Errand]) -> Said | None:
        """What these failures, all of one code, have in common; None where nothing can be said."""
        codes, verbs = {errand.code for errand in failed}, {errand.verb for errand in failed}
        if len(codes) != 1 or codes == {""}:
            return None
        steps = [step for errand in failed if (step := self._step(errand))]
        done = [step for errand in self.done if errand.verb in verbs and (step := self._step(errand, done=True))]
        found = pattern(next(iter(codes)), steps, done)
        if found is None:
            return None
        ill = next(ill for errand in failed if (ill := self._ill(errand)))
        return self._said(found, ill, next(iter(failed)))

    def _ill(self, errand: Errand) -> IllRequest | None:
        return self.ills.get(errand.payload.get("ill") or 0)

    def _step(self, errand: Errand, *, done: bool = False) -> Step | None:
        ill = self._ill(errand)
        if ill is None:
            return None
        return Step(
            request=ill.number, side=ill.side, partner=ill.partner.symbol if ill.partner else "",
            item=self.barcodes.get(errand.payload.get("piece") or 0, ""),
            patron=ill.patron_barcode if errand.party == "host" else "",  # partners never hear of a patron
            at=(errand.settled_at if done else None) or errand.made_at,
        )  # fmt: skip

    # --- in words ---

    def _said(self, found: Pattern, ill: IllRequest, errand: Errand) -> Said:
        known: dict[str, Any] = {
            "n": found.requests, "since": _since(found), "about": found.about,
            "partner": ill.partner.name if ill.partner else "",
        }  # fmt: skip
        if found.what == "everywhere":
            return self._everywhere(known, errand)
        if found.what == "partner":
            return self._partner(found, known, ill)
        if found.what == "item":
            said = ngettext(
                "The same on this one item %(about)s, %(n)d request since %(since)s: look at the item.",
                "The same on this one item %(about)s, %(n)d requests since %(since)s: look at the item.",
                found.requests,
            )  # fmt: skip
            return Said(said % known, _("Open the item"), _search(found.about))
        if found.what == "patron":
            said = ngettext(
                "The same for this one patron %(about)s, %(n)d request since %(since)s: look at the account.",
                "The same for this one patron %(about)s, %(n)d requests since %(since)s: look at the account.",
                found.requests,
            )  # fmt: skip
            return Said(said % known, _("Open the patron"), _search(found.about))
        return Said(_("Only on this request: the same step went well for others since. Look at its item and patron."))

    def _everywhere(self, known: dict[str, Any], errand: Errand) -> Said:
        """The road is to blame: to the host, to the partners, or our own settings."""
        if errand.party != "host":
            sentence = _("The same on every request since %(since)s, whoever the partner is: look at Partners.")
            return Said(sentence % known, _("Open Partners"), reverse("partners"))
        over_ncip = speaks_ncip(self.library_id)
        if over_ncip:
            sentence = _("The same on every request since %(since)s: look at the connection settings.") % known
            url = reverse("settings_list", args=["circulation-system"])
        else:
            sentence = _("The same on every request since %(since)s: look at the settings.") % known
            url = reverse("settings_list", args=["ill"]) if errand.code == "ill_not_set_up" else reverse("settings")
        if not may(self.roles, ADMINISTER):
            return Said(f"{sentence} {_('An administrator can open them.')}")
        return Said(sentence, _("Open the connection settings") if over_ncip else _("Open Settings"), url)

    def _partner(self, found: Pattern, known: dict[str, Any], ill: IllRequest) -> Said:
        """Items are lent to a partner's institution account; towards a lender there is no account of ours to blame."""
        if found.side == IllRequest.Side.LENDING:
            account = ill.partner.account if ill.partner else ""
            sentence = _(
                "The same on all %(n)d requests from %(partner)s since %(since)s, and on no other: "
                "look at its institution account%(account)s."
            ) % (known | {"account": f" ({account})" if account else ""})
        else:
            sentence = _("The same on all %(n)d requests to %(partner)s since %(since)s: look at it under Partners.")
            sentence %= known
        url = reverse("partner", args=[ill.partner.pk]) if ill.partner else reverse("partners")
        return Said(sentence, _("Open %(partner)s") % known, url)


def _since(found: Pattern) -> str:
    """`09:10` today, else with its day."""
    words = moment(found.since)
    today = f"{_('today')} "
    return clock(found.since) if words.startswith(today) else words


def _search(barcode: str) -> str:
    return f"{reverse('find')}?{urlencode({'q': barcode})}"
