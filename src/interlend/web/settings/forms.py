"""One form for each kind of settings row. They share: the own library, its rows as choices, a sentence for doubles.

Strategy: a form is made with the administrator's library; foreign keys offer only that library's rows, and what must be
unique is asked within it. All of it runs under a lock of the library (see `saving.py`), so a look is as good as a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time
from typing import TYPE_CHECKING, Any, ClassVar, cast
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from interlend.circulation.models import (
    CollectionTypePolicy,
    HoldPolicy,
    IllSettings,
    LoanPolicy,
    LoanPolicyMap,
    PatronType,
    ShelvingLocation,
)
from interlend.libraries.models import Branch, Closure, Library, OpenHours, PickupStatus, StaffMember
from interlend.libraries.policies import ADMINISTER, ROLES, may
from interlend.notices.models import NoticePolicy
from interlend.sharing import queries as sharing
from interlend.web.look import hex_colour, parse_colour

if TYPE_CHECKING:  # a model form takes its type parameter only before mypy
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm


class RowForm(ModelForm):
    """A form for a row of `library`. `once` names the fields that no two rows share, with the sentence for a double."""

    once: ClassVar[Sequence[tuple[tuple[str, ...], Any]]] = ()
    #: what an empty choice is called, field by field
    any_words: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, library: Library, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.library = library
        if not isinstance(self.instance, Library):
            self.instance.library = library
        for name, field in self.fields.items():
            if isinstance(field, forms.ModelChoiceField):
                assert field.queryset is not None
                field.queryset = field.queryset.filter(library=library)
                field.empty_label = self.any_words.get(name, _("Choose…"))
            elif isinstance(field, forms.TypedChoiceField):  # the words of the column's own choices
                field.choices = [(value, _(str(word)) if word else word) for value, word in _listed(field)]

    def others(self) -> QuerySet[Any]:
        """The library's other rows of this kind."""
        rows: QuerySet[Any] = self._meta.model.objects.filter(library=self.library)
        return rows.exclude(pk=self.instance.pk)

    def clean(self) -> dict[str, Any]:
        super().clean()
        for names, sentence in self.once:
            if not set(names) <= set(self.cleaned_data):
                continue
            if self.others().filter(**_same(self.cleaned_data, names)).exists():
                self.add_error(names[0], str(sentence) % {name: self.cleaned_data[name] for name in names})
        return self.cleaned_data


def _listed(field: forms.ChoiceField) -> list[tuple[Any, Any]]:
    return list(cast("Iterable[tuple[Any, Any]]", field.choices))


def _same(values: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Lookups for rows with the same values: text without regard to case, emptiness as emptiness."""
    found: dict[str, Any] = {}
    for name in names:
        value = values[name]
        if value is None:
            found[f"{name}__isnull"] = True
        else:
            found[f"{name}__iexact" if isinstance(value, str) else name] = value
    return found


def _code(help_text: Any) -> forms.CharField:
    """A short word that loads, messages and slips use; no spaces, so that a scanner or a column may carry it."""
    return forms.RegexField(
        r"^[A-Za-z0-9_.\-]+$", max_length=20, label=gettext_lazy("Code"), help_text=help_text,
        error_messages={"invalid": gettext_lazy("Use letters, digits and . - _, without spaces.")},
    )  # fmt: skip


class Days(forms.DateInput):
    """A calendar field; browsers want the day as 2027-04-19."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class Clock(forms.TimeInput):
    """A clock field; browsers want the time as 09:30."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


# --- the library --------------------------------------------------------------------------------------------------


def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name or name == "UTC"]


class LibraryForm(RowForm):
    """The library's own row; its symbol is its name among partners and is not changed here."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Every date and time that is shown or promised is counted here."),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Of the pages for staff and patrons, and of letters."),
    )  # fmt: skip

    class Meta:
        model = Library
        fields: ClassVar = ["name", "time_zone", "language", "accent", "email_from", "return_address"]
        labels: ClassVar = {
            "name": gettext_lazy("Name"), "accent": gettext_lazy("Accent colour"),
            "email_from": gettext_lazy("Sender of letters"), "return_address": gettext_lazy("Return address"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "accent": gettext_lazy("Of buttons and links. It is made lighter or darker where it could not be read."),
            "email_from": gettext_lazy("The e-mail address that patrons see and may answer to."),
            "return_address": gettext_lazy("Where partners send your items back to; printed on bookbands."),
        }
        widgets: ClassVar = {"accent": forms.ColorInput(), "return_address": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("time_zone", _zones()), ("language", list(settings.LANGUAGES))):
            kept = getattr(self.instance, name)
            if all(kept != value for value, _label in choices):  # an old name keeps until somebody chooses another
                choices.insert(0, (kept, kept))
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    def clean_accent(self) -> str:
        colour = parse_colour(self.cleaned_data["accent"])
        if colour is None:
            raise forms.ValidationError(_("A colour is written as # and six digits or letters a to f, like #0b5c63."))
        return hex_colour(colour)


class BranchForm(RowForm):
    """A place of the library."""

    once = [
        (("code",), gettext_lazy("Another branch already has the code %(code)s.")),
        (("name",), gettext_lazy("Another branch is already called %(name)s.")),
    ]
    code = _code(gettext_lazy("A short word for load files and requests, such as MAIN."))

    class Meta:
        model = Branch
        fields: ClassVar = ["code", "name", "pickup"]
        labels: ClassVar = {"name": gettext_lazy("Name"), "pickup": gettext_lazy("Pickup")}
        help_texts: ClassVar = {"pickup": gettext_lazy("Whether holds and requests may be collected here.")}

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        was = self.initial.get("code", "")
        moved = was and known.get("code", was) != was
        if (moved or known.get("pickup") == PickupStatus.NEVER) and (waiting := to_be_picked_up(self.library.pk, was)):
            sentence = ngettext(
                "%(count)d open request is to be picked up at %(code)s; change its pickup place first.",
                "%(count)d open requests are to be picked up at %(code)s; change their pickup place first.", waiting,
            )  # fmt: skip
            self.add_error("code" if moved else "pickup", sentence % {"count": waiting, "code": was})
        return known


def to_be_picked_up(library_id: int, code: str) -> int:
    """How many open requests name the branch with this code; they know it by its code alone."""
    return sharing.requests(library_id, "borrowing", "open").filter(pickup__iexact=code).count() if code else 0


# --- when it is open ----------------------------------------------------------------------------------------------

WEEKDAYS = [(str(number), gettext_lazy(str(label))) for number, label in OpenHours.weekday.field.flatchoices]


class OpenHoursForm(RowForm):
    """One weekday's hours; a new entry may be made for several weekdays at once."""

    any_words: ClassVar = {"branch": gettext_lazy("The whole library")}
    weekdays = forms.MultipleChoiceField(
        choices=WEEKDAYS, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Weekdays"),
        error_messages={"required": gettext_lazy("Tick at least one weekday.")},
    )  # fmt: skip

    class Meta:
        model = OpenHours
        fields: ClassVar = ["branch", "opens", "closes"]
        labels: ClassVar = {
            "branch": gettext_lazy("Branch"), "opens": gettext_lazy("Opens"), "closes": gettext_lazy("Closes"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "branch": gettext_lazy("A branch with hours of its own uses only those; all others use the library's."),
            "closes": gettext_lazy("For a day without end, 23:59."),
        }
        widgets: ClassVar = {"opens": Clock(), "closes": Clock()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["weekdays"] = forms.ChoiceField(
                choices=WEEKDAYS, label=_("Weekday"), initial=str(self.instance.weekday)
            )
        self.order_fields(["branch", "weekdays", "opens", "closes"])

    @property
    def days(self) -> list[int]:
        given = self.cleaned_data.get("weekdays", [])
        return [int(number) for number in ([given] if isinstance(given, str) else given)]

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        opens, closes = known.get("opens"), known.get("closes")
        if opens is None or closes is None:
            return known
        if closes <= opens:
            self.add_error("closes", _("It must close after it opens. For a night, make one entry for each day."))
        else:
            self._refuse_overlap(opens, closes)
        return known

    def _refuse_overlap(self, opens: time, closes: time) -> None:
        place = self.cleaned_data.get("branch")
        overlapping = self.others().filter(weekday__in=self.days, opens__lt=closes, closes__gt=opens)
        if (other := overlapping.filter(**_same({"branch": place}, ["branch"])).first()) is not None:
            self.add_error("opens", _("This overlaps with %(other)s, which is there already.") % {"other": other})

    def save(self, commit: bool = True) -> Any:
        """The entry, once for each weekday; returns the first."""
        first, *more = self.days
        self.instance.weekday = first
        saved = super().save(commit)
        for day in more:
            again = {"branch": saved.branch, "opens": saved.opens, "closes": saved.closes}
            OpenHours.objects.create(library=self.library, weekday=day, **again)
        return saved


class ClosureForm(RowForm):
    """Days without service."""

    any_words: ClassVar = {"branch": gettext_lazy("The whole library")}

    class Meta:
        model = Closure
        fields: ClassVar = ["branch", "first_day", "last_day", "why"]
        labels: ClassVar = {
            "branch": gettext_lazy("Branch"), "first_day": gettext_lazy("First day"),
            "last_day": gettext_lazy("Last day"), "why": gettext_lazy("Reason"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "last_day": gettext_lazy("The same day for a single day."),
            "why": gettext_lazy("A word or two; shown where a due date was moved because of it."),
        }
        widgets: ClassVar = {"first_day": Days(), "last_day": Days()}

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        first, last = known.get("first_day"), known.get("last_day")
        if first is None or last is None:
            return known
        if last < first:
            self.add_error("last_day", _("The last day is before the first."))
            return known
        same = self.others().filter(first_day__lte=last, last_day__gte=first)
        if (other := same.filter(**_same({"branch": known.get("branch")}, ["branch"])).first()) is not None:
            said = {"other": f"{other} ({other.why})" if other.why else str(other)}
            self.add_error("first_day", _("This overlaps with the closure from %(other)s; change that one.") % said)
        return known


# --- people -------------------------------------------------------------------------------------------------------


class StaffForm(RowForm):
    """An account of a member of staff. Sign-in names are unique among all libraries: they say whose one is."""

    any_words: ClassVar = {"branch": gettext_lazy("The first by name")}
    sign_in = forms.RegexField(
        r"^[\w.@+\-]+$", max_length=80, label=gettext_lazy("Sign-in name"),
        widget=forms.TextInput(attrs={"autocapitalize": "off", "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"invalid": gettext_lazy("Use letters, digits and . @ + - _, without spaces.")},
    )  # fmt: skip
    roles = forms.MultipleChoiceField(
        choices=[(role, gettext_lazy(words)) for role, (words, _duties) in ROLES.items()],
        widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Roles"),
        help_text=gettext_lazy("ILL staff may do what the desk may; administrators may do everything."),
        error_messages={"required": gettext_lazy("Tick at least one role; for somebody who only looks, Read only.")},
    )  # fmt: skip
    password = forms.CharField(
        label=gettext_lazy("Password"), required=False, strip=False, max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    class Meta:
        model = StaffMember
        fields: ClassVar = ["name", "sign_in", "email", "roles", "branch", "is_active"]
        labels: ClassVar = {
            "name": gettext_lazy("Name"), "email": gettext_lazy("E-mail"),
            "branch": gettext_lazy("Usual service location"), "is_active": gettext_lazy("May sign in"),
        }  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        if self.instance.pk:
            password.help_text = _("Leave it empty to keep the password. A new one ends this person's other sign-ins.")
        else:
            password.required = True
        self.order_fields(["name", "sign_in", "password", "roles", "branch", "email", "is_active"])

    def clean_sign_in(self) -> str:
        name: str = self.cleaned_data["sign_in"]
        if StaffMember.objects.filter(sign_in__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("This sign-in name is taken; choose another."))
        return name

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password, self.instance)
        return password

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        stays = known.get("is_active") and may(known.get("roles", []), ADMINISTER)
        if self.instance.pk and not stays and is_last_administrator(self.instance):
            self.add_error(
                "roles" if known.get("is_active") else "is_active",
                _("This is the last administrator who may sign in; make somebody else administrator first."),
            )
        return known

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["password"]:
            self.instance.set_password(self.cleaned_data["password"])
        return super().save(commit)


def is_last_administrator(member: StaffMember) -> bool:
    """Whether nobody else of this library could change its settings."""
    stored = StaffMember.objects.filter(library_id=member.library_id, is_active=True)
    others = [other for other in stored.exclude(pk=member.pk) if may(other.roles, ADMINISTER)]
    return not others and any(may(own.roles, ADMINISTER) for own in stored.filter(pk=member.pk))


class PatronTypeForm(RowForm):
    """A class of patrons."""

    once = [
        (("code",), gettext_lazy("Another patron type already has the code %(code)s.")),
        (("name",), gettext_lazy("Another patron type is already called %(name)s.")),
    ]
    code = _code(gettext_lazy("A short word for load files, such as STUDENT."))
    item_limit = forms.IntegerField(
        required=False, min_value=0, max_value=9999, label=gettext_lazy("Items at once"),
        help_text=gettext_lazy("How many items may be out at once; empty for no limit."),
    )  # fmt: skip

    class Meta:
        model = PatronType
        fields: ClassVar = ["code", "name", "item_limit"]
        labels: ClassVar = {"name": gettext_lazy("Name")}


class ShelvingLocationForm(RowForm):
    """Where in a branch an item stands."""

    once = [
        (("code",), gettext_lazy("Another shelving location already has the code %(code)s.")),
        (("name",), gettext_lazy("Another shelving location is already called %(name)s.")),
    ]
    code = _code(gettext_lazy("A short word for load files, such as STACKS."))

    class Meta:
        model = ShelvingLocation
        fields: ClassVar = ["code", "name"]
        labels: ClassVar = {"name": gettext_lazy("Name")}


# --- policies -----------------------------------------------------------------------------------------------------


class LoanPolicyForm(RowForm):
    """How long and how often."""

    once = [(("name",), gettext_lazy("Another loan policy is already called %(name)s."))]
    period = forms.IntegerField(min_value=0, max_value=3650, label=gettext_lazy("Loan period"))
    renewals = forms.IntegerField(min_value=0, max_value=999, label=gettext_lazy("Renewals"))

    class Meta:
        model = LoanPolicy
        fields: ClassVar = ["name", "circulates", "period", "unit", "include_closed_days", "renewals"]
        labels: ClassVar = {
            "name": gettext_lazy("Name"), "circulates": gettext_lazy("Circulates"), "unit": gettext_lazy("Unit"),
            "include_closed_days": gettext_lazy("May fall due on a closed day"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "include_closed_days": gettext_lazy(
                "If not ticked, a due date on a closed day moves to the next open day."
            ),
        }

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        days = known.get("period", 0) * {"weeks": 7, "months": 31}.get(known.get("unit", ""), 1)
        if days > 3660:
            self.add_error("period", _("That is more than ten years."))
        return known


class LoanMapForm(RowForm):
    """One row of the loan policy map. Its place is changed on the list, with the arrows."""

    once = [(
        ("patron_type", "holding_location", "shelving_location", "material_format"),
        gettext_lazy("Another row is for exactly the same patrons and items; change that one."),
    )]  # fmt: skip
    any_words: ClassVar = {
        "patron_type": gettext_lazy("Any patron type"),
        "holding_location": gettext_lazy("Any holding location"),
        "shelving_location": gettext_lazy("Any shelving location"),
    }

    class Meta:
        model = LoanPolicyMap
        fields: ClassVar = ["patron_type", "holding_location", "shelving_location", "material_format", "policy"]
        labels: ClassVar = {
            "patron_type": gettext_lazy("Patron type"), "holding_location": gettext_lazy("Holding location"),
            "shelving_location": gettext_lazy("Shelving location"),
            "material_format": gettext_lazy("Material format"), "policy": gettext_lazy("Loan policy"),
        }  # fmt: skip
        help_texts: ClassVar = {"material_format": gettext_lazy("As on the item, such as Book; empty for any.")}

    def save(self, commit: bool = True) -> Any:
        """A new row goes before the last one if that takes everything, else to the end: so that it can be reached."""
        if self.instance.pk:
            return super().save(commit)
        rows = list(self.others().order_by("position", "id"))
        last = rows[-1] if rows else None
        self.instance.position = (self.others().aggregate(high=Max("position"))["high"] or 0) + 10
        if last is not None and takes_everything(last):
            self.instance.position, after = last.position, self.instance.position
            LoanPolicyMap.objects.filter(pk=last.pk).update(position=after)
        return super().save(commit)


def takes_everything(row: LoanPolicyMap) -> bool:
    return not (row.patron_type_id or row.holding_location_id or row.shelving_location_id or row.material_format)


class CollectionTypeForm(RowForm):
    """What a check-in makes of an item."""

    once = [
        (("name",), gettext_lazy("Another collection type policy is already called %(name)s.")),
        (
            ("holding_location", "shelving_location"),
            gettext_lazy("Another collection type policy is for exactly the same locations; change that one."),
        ),
    ]
    any_words: ClassVar = {
        "holding_location": gettext_lazy("Any holding location"),
        "shelving_location": gettext_lazy("Any shelving location"),
    }
    available = forms.TypedChoiceField(
        choices=[("yes", gettext_lazy("Available")), ("no", gettext_lazy("Unavailable"))],
        coerce=lambda word: word == "yes", label=gettext_lazy("After check-in"),
    )  # fmt: skip

    class Meta:
        model = CollectionTypePolicy
        fields: ClassVar = ["name", "holding_location", "shelving_location", "available", "fulfills_holds"]
        labels: ClassVar = {
            "name": gettext_lazy("Name"), "holding_location": gettext_lazy("Holding location"),
            "shelving_location": gettext_lazy("Shelving location"),
            "fulfills_holds": gettext_lazy("Fills holds on the title"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "fulfills_holds": gettext_lazy("If not ticked, only holds on the very item are filled at check-in."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["available"] = "yes" if self.initial.get("available", True) in (True, "yes") else "no"


class HoldPolicyForm(RowForm):
    """How long holds wait, and stay on the shelf."""

    request_days = forms.IntegerField(
        min_value=1, max_value=3650, label=gettext_lazy("Days a hold waits"),
        help_text=gettext_lazy("After that an unfilled hold expires."),
    )  # fmt: skip
    shelf_days = forms.IntegerField(
        min_value=0, max_value=365, label=gettext_lazy("Days on the hold shelf"),
        help_text=gettext_lazy("Open days of the pickup branch, the day it became ready not counted."),
    )  # fmt: skip

    class Meta:
        model = HoldPolicy
        fields: ClassVar = ["request_days", "shelf_days", "pickup_notice"]
        labels: ClassVar = {"pickup_notice": gettext_lazy("Write to the patron when an item is ready")}
        help_texts: ClassVar = {
            "pickup_notice": gettext_lazy(
                "By e-mail at the top of the hour; a printed letter where there is no address."
            ),
        }


class IllSettingsForm(RowForm):
    """Where temporary items live."""

    class Meta:
        model = IllSettings
        fields: ClassVar = ["enabled", "holding_location", "shelving_location", "home_branch"]
        labels: ClassVar = {
            "enabled": gettext_lazy("What is borrowed becomes a temporary item"),
            "holding_location": gettext_lazy("Holding location"),
            "shelving_location": gettext_lazy("Shelving location"), "home_branch": gettext_lazy("Home branch"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "enabled": gettext_lazy("If not ticked, receiving a request waits for a person at its circulation step."),
            "holding_location": gettext_lazy("Of every temporary item; policies are chosen by it."),
            "shelving_location": gettext_lazy("Of every temporary item; policies are chosen by it."),
            "home_branch": gettext_lazy("Where a borrowed item is sent when its patron has returned it."),
        }


class NoticePolicyForm(RowForm):
    """Which letters go beside the pickup notice."""

    overdue_days = forms.IntegerField(
        min_value=1, max_value=365, label=gettext_lazy("Days after the due date"),
        help_text=gettext_lazy("When the letter about something overdue is written."),
    )  # fmt: skip

    class Meta:
        model = NoticePolicy
        fields: ClassVar = ["overdue", "overdue_days"]
        labels: ClassVar = {"overdue": gettext_lazy("Write when something is overdue")}
        help_texts: ClassVar = {
            "overdue": gettext_lazy("To patrons; for items lent to another library, to that library’s account."),
        }
