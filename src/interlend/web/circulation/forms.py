"""The forms of these pages: what people type, made safe and typed. Rules are not here; services refuse.

Strategy: choices are the library's own rows, so a key of another library is simply not a choice.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interlend.circulation.models import Hold, Item, Patron, PatronType, ShelvingLocation, Title
from interlend.circulation.queries import item_by_barcode, patron_by_barcode, pickup_branches
from interlend.circulation.services import HoldChange, ItemRecord, PatronRecord
from interlend.libraries.models import Branch

SHORTEST_PIN = 4


class Day(forms.DateField):
    """A date from the browser's calendar; years that are slips of the finger are refused."""

    def __init__(self, **more: Any) -> None:
        wrong = gettext_lazy("This is not a date. Choose one from the calendar, or write it as year-month-day.")
        calendar = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(
            widget=calendar, input_formats=["%Y-%m-%d"], error_messages={"invalid": wrong}, **more
        )  # fmt: skip

    def to_python(self, value: Any) -> Any:
        day = super().to_python(value)
        if day is not None and not 1900 <= day.year <= 2200:
            raise forms.ValidationError(_("The year %(year)s cannot be meant.") % {"year": day.year})
        return day


class DueDateForm(forms.Form):
    due = Day(label=gettext_lazy("New due date"))


class HoldForm(forms.Form):
    """Edit Existing Hold Request; the request ID is shown beside it, never changed."""

    pickup_branch = forms.ModelChoiceField(Branch.objects.none(), label=gettext_lazy("Pickup location"))
    expires_on = Day(label=gettext_lazy("Wait until"), required=False)
    suspended_from = Day(label=gettext_lazy("Suspend from"), required=False)
    suspended_to = Day(label=gettext_lazy("Suspend to"), required=False)
    public_note = forms.CharField(label=gettext_lazy("Note the patron sees"), max_length=300, required=False)
    staff_note = forms.CharField(
        label=gettext_lazy("Note for staff"), max_length=300, required=False,
        help_text=gettext_lazy("Shown when the item is checked in."),
    )  # fmt: skip
    to_top = forms.BooleanField(label=gettext_lazy("Move to the top of the queue"), required=False)

    def __init__(self, hold: Hold, data: Any = None) -> None:
        names = ("expires_on", "suspended_from", "suspended_to", "public_note", "staff_note")
        initial = {name: getattr(hold, name) for name in names} | {"pickup_branch": hold.pickup_branch_id}
        super().__init__(data, initial=initial)
        here = Branch.objects.filter(library_id=hold.library_id, pk=hold.pickup_branch_id)
        self.fields["pickup_branch"].queryset = pickup_branches(hold.library_id) | here  # type: ignore[attr-defined]

    def change(self) -> HoldChange:
        given = dict(self.cleaned_data)
        return HoldChange(pickup_branch_id=given.pop("pickup_branch").pk, **given)


class PlaceHoldForm(forms.Form):
    """Who waits for what, and where they will collect it."""

    patron = forms.CharField(label=gettext_lazy("Patron barcode"), max_length=60)
    item = forms.CharField(
        label=gettext_lazy("Item barcode or title"), max_length=200,
        help_text=gettext_lazy("Words of the title and author will do where only one item has them."),
    )  # fmt: skip
    level = forms.ChoiceField(
        label=gettext_lazy("Hold on"), widget=forms.RadioSelect, initial=Hold.Level.TITLE,
        choices=[
            (Hold.Level.TITLE, gettext_lazy("any copy of the title")),
            (Hold.Level.ITEM, gettext_lazy("this item only")),
        ],
    )  # fmt: skip
    pickup = forms.ModelChoiceField(Branch.objects.none(), label=gettext_lazy("Pickup location"), empty_label=None)

    def __init__(self, library_id: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = next((name for name in ("patron", "item") if not self.initial.get(name)), "pickup")
        self.fields[first].widget.attrs["autofocus"] = True
        self.fields["pickup"].queryset = pickup_branches(library_id)  # type: ignore[attr-defined]


class PatronForm(forms.ModelForm):
    """A patron record. The row is never saved from here: `record` goes to the service."""

    expires_on = Day(label=gettext_lazy("Account ends on"), required=False)
    blocked_since = Day(
        label=gettext_lazy("Blocked since"), required=False,
        help_text=gettext_lazy("Empty: the account may borrow."),
    )  # fmt: skip
    pin = forms.CharField(
        label=gettext_lazy("New PIN"), required=False, min_length=SHORTEST_PIN, max_length=40,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Empty: the PIN stays as it is."),
    )  # fmt: skip

    class Meta:
        model = Patron
        fields: ClassVar = [
            "barcode", "kind", "surname", "given_name", "patron_type", "home_branch", "expires_on", "email", "phone",
            "address", "blocked_since", "block_reason", "note",
        ]  # fmt: skip
        labels: ClassVar = {
            "barcode": gettext_lazy("Barcode"), "kind": gettext_lazy("Kind of account"),
            "surname": gettext_lazy("Surname"), "given_name": gettext_lazy("Given name"),
            "patron_type": gettext_lazy("Patron type"), "home_branch": gettext_lazy("Home branch"),
            "email": gettext_lazy("E-mail"), "phone": gettext_lazy("Telephone"), "address": gettext_lazy("Address"),
            "block_reason": gettext_lazy("Why blocked"), "note": gettext_lazy("Note for staff"),
        }  # fmt: skip
        help_texts: ClassVar = {
            "surname": gettext_lazy("An institution's name goes here whole."),
            "phone": gettext_lazy("Several numbers are parted by semicolons."),
        }
        widgets: ClassVar = {
            "address": forms.Textarea(attrs={"rows": 3}), "note": forms.Textarea(attrs={"rows": 3}),
        }  # fmt: skip

    def __init__(self, library_id: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.library_id = library_id
        mine = {"library_id": library_id}
        self.fields["kind"].choices = [(kind.value, _(kind.label)) for kind in Patron.Kind]  # type: ignore[attr-defined]
        self.fields["patron_type"].queryset = PatronType.objects.filter(**mine)  # type: ignore[attr-defined]
        self.fields["home_branch"].queryset = Branch.objects.filter(**mine)  # type: ignore[attr-defined]
        self.fields["surname" if self.instance.pk else "barcode"].widget.attrs["autofocus"] = True
        if self.instance.pk is not None:  # another number is another card, and has a form of its own
            self.fields["barcode"].disabled = True
            self.fields["barcode"].help_text = _("Another card has a button of its own on the account.")

    def clean_barcode(self) -> str:
        barcode = str(self.cleaned_data["barcode"]).strip()
        there = None if self.instance.pk else patron_by_barcode(self.library_id, barcode)
        if there is not None:
            known = {"barcode": barcode, "name": there.full_name}
            raise forms.ValidationError(_("The barcode %(barcode)s already belongs to %(name)s.") % known)
        return barcode

    def record(self) -> PatronRecord:
        names = [name for name in self.Meta.fields if name not in ("patron_type", "home_branch")]
        given = {name: self.cleaned_data[name] for name in names}
        branch = self.cleaned_data["home_branch"]
        return PatronRecord(
            patron_type_id=self.cleaned_data["patron_type"].pk, home_branch_id=branch.pk if branch else None, **given
        )


def _longest(model: type[Item | Patron | Title], name: str) -> int:
    return int(getattr(model, name).field.max_length)


class CardForm(forms.Form):
    """The number of a new card, scanned from it."""

    barcode = forms.CharField(
        label=gettext_lazy("Barcode of the new card"), max_length=_longest(Patron, "barcode"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
        help_text=gettext_lazy("Scan it. Loans, holds, requests, history and the PIN stay; the old card ends at once."),
    )  # fmt: skip


class ItemForm(forms.Form):
    """One copy of our own with the data of its title. With `item`, a form to change it: its barcode stays."""

    barcode = forms.CharField(label=gettext_lazy("Barcode"), max_length=_longest(Item, "barcode"))
    title = forms.CharField(label=gettext_lazy("Title"), max_length=_longest(Title, "title"))
    author = forms.CharField(label=gettext_lazy("Author"), max_length=_longest(Title, "author"), required=False)
    publisher = forms.CharField(
        label=gettext_lazy("Publisher"), max_length=_longest(Title, "publisher"), required=False
    )
    year = forms.CharField(label=gettext_lazy("Year"), max_length=_longest(Title, "year"), required=False)
    edition = forms.CharField(label=gettext_lazy("Edition"), max_length=_longest(Title, "edition"), required=False)
    isbn = forms.CharField(label=gettext_lazy("ISBN"), max_length=_longest(Title, "isbn"), required=False)
    call_number = forms.CharField(
        label=gettext_lazy("Call number"), max_length=_longest(Item, "call_number"), required=False
    )
    volume = forms.CharField(label=gettext_lazy("Volume"), max_length=_longest(Item, "volume"), required=False)
    material_format = forms.CharField(
        label=gettext_lazy("Format"), max_length=_longest(Item, "material_format"), initial="Book"
    )
    holding_location = forms.ModelChoiceField(Branch.objects.none(), label=gettext_lazy("Holding location"))
    shelving_location = forms.ModelChoiceField(ShelvingLocation.objects.none(), label=gettext_lazy("Shelving location"))
    home_branch = forms.ModelChoiceField(Branch.objects.none(), label=gettext_lazy("Home branch"))
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=_longest(Item, "note"), required=False,
        help_text=gettext_lazy("With ! in front it is shown at each check-in and check-out."),
    )  # fmt: skip

    def __init__(self, library_id: int, *args: Any, item: Item | None = None, **kwargs: Any) -> None:
        if item is not None:
            kwargs["initial"] = self._of(item)
        super().__init__(*args, **kwargs)
        self.library_id = library_id
        self.fields["barcode"].disabled = item is not None
        self.fields["title" if self.initial.get("barcode") else "barcode"].widget.attrs["autofocus"] = True
        branches = Branch.objects.filter(library_id=library_id)
        for name in ("holding_location", "home_branch"):
            self.fields[name].queryset = branches  # type: ignore[attr-defined]
        shelves = ShelvingLocation.objects.filter(library_id=library_id)
        self.fields["shelving_location"].queryset = shelves  # type: ignore[attr-defined]

    def _of(self, item: Item) -> dict[str, Any]:
        """What stands in the record now."""
        of_title = ("title", "author", "publisher", "year", "edition", "isbn")
        return {
            name: getattr(item.title if name in of_title else item, name) for name in self.base_fields
        }  # fmt: skip

    def clean_barcode(self) -> str:
        barcode = str(self.cleaned_data["barcode"]).strip()
        there = None if self.fields["barcode"].disabled else item_by_barcode(self.library_id, barcode)
        if there is not None and there.state != "withdrawn":
            known = {"barcode": barcode, "title": there.title.title}
            raise forms.ValidationError(_("The barcode %(barcode)s already belongs to “%(title)s”.") % known)
        return barcode

    def record(self) -> ItemRecord:
        return ItemRecord(**self._values())

    def changes(self) -> dict[str, Any]:
        """As `services.change_item` takes them."""
        return {name: value for name, value in self._values().items() if name != "barcode"}

    def _values(self) -> dict[str, Any]:
        places = ("holding_location", "shelving_location", "home_branch")
        keys = {f"{name}_id": self.cleaned_data[name].pk for name in places}
        return {name: value for name, value in self.cleaned_data.items() if name not in places} | keys
