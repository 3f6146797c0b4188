"""The forms of the joins: which circulation system the library has, and which programs may drive ours.

Strategy: secrets are write-only (`SecretForm`), lists are typed one word on a line, and what makes a connection usable
is asked of `bridge.connections`, which the site file asks as well. Z39.83-1, agencies and systems.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interlend.bridge.callers import keyed
from interlend.bridge.connections import claimed, host_problems, names_by_library, place_of, why_no_network
from interlend.bridge.dialects import DIALECTS
from interlend.bridge.models import HostSettings, NcipCaller
from interlend.bridge.ncip_responder.door import SERVICES
from interlend.circulation.models import PatronType
from interlend.libraries.models import Branch
from interlend.web.settings.forms import RowForm
from interlend.web.told import told

# --- secrets ----------------------------------------------------------------------------------------------------


class SecretForm(RowForm):
    """A form with secrets: never shown, kept unless a new one is typed, forgotten where that is ticked."""

    secrets: ClassVar[dict[str, tuple[Any, Any]]] = {}
    longest_secret = 120

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, help_text) in self.secrets.items():
            stored = bool(self.instance.pk and getattr(self.instance, name))
            kept = _("One is stored. Leave it empty to keep it.") if stored else _("None is stored.")
            self.fields[name] = forms.CharField(
                label=label, required=False, max_length=self.longest_secret, strip=False,
                help_text=f"{help_text} {kept}".strip(),
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
            )  # fmt: skip
            if stored:
                self.fields[f"forget_{name}"] = forms.BooleanField(
                    label=_("Forget the stored: %(secret)s") % {"secret": label}, required=False
                )

    def hashed(self, secret: str) -> str:
        """How a secret is stored."""
        return secret

    def typed(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or "")

    def will_have(self, name: str) -> bool:
        """Whether there is such a secret once this is saved."""
        kept = bool(self.instance.pk and getattr(self.instance, name)) and not self.cleaned_data.get(f"forget_{name}")
        return bool(self.typed(name)) or kept

    def save(self, commit: bool = True) -> Any:
        """Only what the form is about is written: the row's other columns change while it is open."""
        for name in self.secrets:
            if self.typed(name):
                setattr(self.instance, name, self.hashed(self.typed(name)))
            elif self.cleaned_data.get(f"forget_{name}"):
                setattr(self.instance, name, "")
        if self.instance.pk and commit:
            self.instance.save(update_fields=self.written())
            return self.instance
        return super().save(commit)

    def written(self) -> list[str]:
        return [*self._meta.fields, *self.secrets]  # type: ignore[misc]


# --- our circulation system ----------------------------------------------------------------------------------------


class HostForm(SecretForm):
    """Which circulation system the library has, and how it is reached."""

    secrets: ClassVar = {
        "auth_secret": (gettext_lazy("Password, token or key"), gettext_lazy("For the sign-in chosen above.")),
        "agency_secret": (
            gettext_lazy("Secret in the message"),
            gettext_lazy("Some systems want one in each message’s header (FromAgencyAuthentication)."),
        ),
    }
    dialect = forms.ChoiceField(
        label=gettext_lazy("Dialect"), choices=lambda: [(one.key, one.name) for one in DIALECTS.values()],
        help_text=gettext_lazy("How this system wishes to be spoken to; its vendor’s name, or as the standard says."),
    )  # fmt: skip

    class Meta:
        model = HostSettings
        fields: ClassVar = [
            "kind", "name", "url", "dialect", "to_agency", "from_agency", "profile", "auth", "auth_user",
            "auth_header", "token_url", "scope", "ca_file", "test_patron",
        ]  # fmt: skip
        labels: ClassVar = {
            "kind": gettext_lazy("Circulation"), "name": gettext_lazy("What staff call it"),
            "url": gettext_lazy("Address"), "to_agency": gettext_lazy("Its name for this library"),
            "from_agency": gettext_lazy("Our name towards it"), "profile": gettext_lazy("Application profile"),
            "auth": gettext_lazy("Sign-in"), "auth_user": gettext_lazy("User name or client id"),
            "auth_header": gettext_lazy("Header of the API key"), "token_url": gettext_lazy("Address of the token"),
            "scope": gettext_lazy("Scope"), "ca_file": gettext_lazy("Certificates file"),
            "test_patron": gettext_lazy("Barcode of a test patron"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "kind": gettext_lazy("For Interlend’s own circulation, or work by hand, nothing more is needed."),
            "name": gettext_lazy("It stands in sentences: “Alder’s Koha has not answered since 09:10”."),
            "url": gettext_lazy("https://…, http://… or tcp://host:port, as its operators told you."),
            "to_agency": gettext_lazy("The agency id by which the system knows this library (ToAgencyId)."),
            "from_agency": gettext_lazy("The agency id by which we announce ourselves; empty: the same."),
            "profile": gettext_lazy("Only where the system asks for one (ApplicationProfileType)."),
            "auth_header": gettext_lazy("Empty: X-Api-Key."),
            "token_url": gettext_lazy("Where OAuth 2 gives the access token."),
            "ca_file": gettext_lazy(
                "On the server; certificates to trust beside the usual ones, for a system that signs its own."
            ),
            "test_patron": gettext_lazy("The check may look this one up; nothing is lent to it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = ["kind", "name", "url", "dialect", "to_agency", "from_agency", "profile", "agency_secret"]
        sign_in = ["forget_agency_secret", "auth", "auth_user", "auth_secret", "forget_auth_secret"]
        self.order_fields([*first, *sign_in, "auth_header", "token_url", "scope", "ca_file", "test_patron"])

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        has = {name: self.will_have(name) for name in self.secrets}
        for name, sentence in host_problems(known | has).items():
            if name not in self.errors:
                self.add_error(name, told(sentence))
        self._ask_secrets_again(known)
        return known

    def _ask_secrets_again(self, known: dict[str, Any]) -> None:
        """A stored secret is not sent to another machine than the one it was typed for."""
        for name, address in (("auth_secret", "url"), ("agency_secret", "url"), ("auth_secret", "token_url")):
            was, becomes = self.initial.get(address), known.get(address)
            if self.errors or self.typed(name) or not was or not becomes or not self.will_have(name):
                continue
            if place_of(was) != place_of(becomes):
                self.add_error(name, _("The address leads to another machine now: type the secret once more."))

    def save(self, commit: bool = True) -> Any:
        if set(self.changed_data) - {"name", "test_patron"}:
            self.instance.paused_until = None  # what is known of its failures was about the old settings: try it
        return super().save(commit)

    def written(self) -> list[str]:
        return [*super().written(), "paused_until"]


# --- programs that drive our circulation ----------------------------------------------------------------------------


class WordsField(forms.CharField):
    """A list of words, one on a line or with commas between; each once, in the order typed."""

    def __init__(self, *, longest: int = 120, **more: Any) -> None:
        self.longest_word = longest
        box = forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocapitalize": "off"})
        super().__init__(required=False, max_length=4000, widget=box, **more)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(word) for word in value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        words = (" ".join(word.split()) for word in re.split(r"[\n,]", super().to_python(value) or ""))
        found = list(dict.fromkeys(word for word in words if word))
        if too_long := [word for word in found if len(word) > self.longest_word]:
            raise forms.ValidationError(_("“%(word)s…” is too long for a name.") % {"word": too_long[0][:20]})
        return found

    def validate(self, value: Any) -> None:
        """Its parts were looked at one by one."""

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class PairsField(WordsField):
    """Lines of `theirs = ours` as a dictionary."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{one} = {other}" for one, other in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for line in super().to_python(value):
            theirs, equals, ours = (part.strip() for part in line.partition("="))
            if not (theirs and equals and ours):
                raise forms.ValidationError(_("“%(line)s”: write each as theirs = ours.") % {"line": line})
            found[theirs] = ours
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(dict(initial or {}) != self.to_python(data))


class CallerForm(SecretForm):
    """A program that may drive our circulation over NCIP."""

    once = [(("name",), gettext_lazy("Another caller is already called %(name)s."))]
    secrets: ClassVar = {
        "secret": (
            gettext_lazy("Secret in the message"),
            gettext_lazy("In the header of each message (FromAgencyAuthentication or FromSystemAuthentication)."),
        ),
        "http_password": (gettext_lazy("HTTP password"), gettext_lazy("Of the user name above.")),
        "bearer_token": (gettext_lazy("Bearer token"), gettext_lazy("Instead of user name and password.")),
    }
    from_agencies = WordsField(
        label=gettext_lazy("Agency ids it announces itself with"), longest=60,
        help_text=gettext_lazy("FromAgencyId; one on a line. Empty: any."),
    )  # fmt: skip
    from_systems = WordsField(
        label=gettext_lazy("System ids it announces itself with"), longest=60,
        help_text=gettext_lazy("FromSystemId; one on a line. Empty: any."),
    )  # fmt: skip
    to_agencies = WordsField(
        label=gettext_lazy("Other names by which it calls this library"), longest=60,
        help_text=gettext_lazy("ToAgencyId, beside the library’s symbol and name; one on a line."),
    )  # fmt: skip
    networks = WordsField(
        label=gettext_lazy("Networks it may come from"), longest=60,
        help_text=gettext_lazy("As 192.0.2.0/24, one on a line. Empty: anywhere."),
    )  # fmt: skip
    services = forms.MultipleChoiceField(
        label=gettext_lazy("Services it may use"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=lambda: [(name, name) for name in sorted(SERVICES)],
        help_text=gettext_lazy("None ticked: all of them."),
    )  # fmt: skip
    pickups = PairsField(
        label=gettext_lazy("Its pickup codes"),
        help_text=gettext_lazy("Its code = our branch code, one on a line, where they differ."),
    )  # fmt: skip
    new_user_type = forms.ChoiceField(
        label=gettext_lazy("Patron type of patrons it makes"), required=False,
        help_text=gettext_lazy("For CreateUser where the message names none."),
    )  # fmt: skip
    currency = forms.RegexField(
        r"^[A-Za-z]{3}$", label=gettext_lazy("Currency"), help_text=gettext_lazy("For amounts that name none."),
        error_messages={"invalid": gettext_lazy("A currency is three letters, as EUR or USD.")},
    )  # fmt: skip

    class Meta:
        model = NcipCaller
        fields: ClassVar = [
            "name", "active", "from_agencies", "from_systems", "to_agencies", "default", "http_user", "networks",
            "services", "on_clash", "pickups", "currency", "new_user_type", "no_block_or_trap", "bare_problems",
            "header_as_sent",
        ]  # fmt: skip
        labels: ClassVar = {
            "name": gettext_lazy("Name"), "active": gettext_lazy("May speak to us"),
            "default": gettext_lazy("Its messages mean this library where they name none"),
            "http_user": gettext_lazy("HTTP user name"),
            "on_clash": gettext_lazy("Barcode of an accepted item is taken"),
            "no_block_or_trap": gettext_lazy("It fails on BlockOrTrap"),
            "bare_problems": gettext_lazy("It wants problems without the service’s answer"),
            "header_as_sent": gettext_lazy("From and To stay in place in our answers"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "default": "",
            "no_block_or_trap": gettext_lazy("ReShare does; blocks are then told by the status alone."),
            "bare_problems": "",
            "header_as_sent": gettext_lazy("INN-Reach wants that."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = PatronType.objects.filter(library=self.library).values_list("code", "name")
        of_users = self.fields["new_user_type"]
        assert isinstance(of_users, forms.ChoiceField)
        of_users.choices = [("", _("None: it may make none")), *types]
        names = ["name", "active", "from_agencies", "from_systems", "to_agencies", "default"]
        proofs = [name for secret in self.secrets for name in (secret, f"forget_{secret}")]
        self.order_fields([*names, *proofs[:2], "http_user", *proofs[2:], "networks"])

    def hashed(self, secret: str) -> str:
        return keyed(secret)

    def clean_to_agencies(self) -> list[str]:
        names: list[str] = self.cleaned_data["to_agencies"]
        if taken := claimed(names, self.library.symbol, names_by_library()):
            raise forms.ValidationError(_("Another library here is called “%(name)s”.") % {"name": taken[0]})
        return names

    def clean_networks(self) -> list[str]:
        networks: list[str] = self.cleaned_data["networks"]
        if wrong := [sentence for sentence in map(why_no_network, networks) if sentence]:
            raise forms.ValidationError([_(sentence) for sentence in wrong])
        return networks

    def clean_pickups(self) -> dict[str, str]:
        pickups: dict[str, str] = self.cleaned_data["pickups"]
        codes = {
            code.casefold(): code for code in Branch.objects.filter(library=self.library).values_list("code", flat=True)
        }
        for ours in pickups.values():
            if ours.casefold() not in codes:
                raise forms.ValidationError(_("No branch has the code “%(code)s”.") % {"code": ours})
        return {theirs: codes[ours.casefold()] for theirs, ours in pickups.items()}

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        if known.get("http_user") and not self.will_have("http_password"):
            self.add_error("http_password", _("A user name needs a password."))
        if self.will_have("http_password") and "http_user" in known and not known["http_user"]:
            self.add_error("http_user", _("A password needs a user name."))
        return known
