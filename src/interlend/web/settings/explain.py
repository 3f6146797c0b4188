"""The explain boxes: which row of a policy page wins for one patron type and one item, and what follows from it today.

Strategy: the very questions that the desk asks (`circulation.policies`), put without lending or returning anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interlend.circulation import queries as circulation
from interlend.circulation.models import CollectionTypePolicy, Item, LoanPolicyMap, PatronType
from interlend.circulation.policies import FALLBACK_RULE, CollectionRule, collection_rule, when_due
from interlend.libraries.desks import Desk
from interlend.libraries.queries import open_days
from interlend.web.circulation.words import due_sentences


@dataclass(frozen=True)
class Answer:
    """What the box says. `winner` is the key of the row that decides; `date` and `reasons` are for `explain.html`."""

    sentence: str
    meaning: str = ""
    winner: int | None = None
    date: date | None = None
    reasons: Sequence[str] = ()


class ItemForm(forms.Form):
    """An item of this library, by its barcode."""

    barcode = forms.CharField(
        max_length=60, label=gettext_lazy("Item barcode"),
        widget=forms.TextInput(attrs={"autocapitalize": "off", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    def __init__(self, *args: Any, library_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.library_id = library_id

    def clean_barcode(self) -> str:
        barcode: str = self.cleaned_data["barcode"]
        self.item: Item | None = circulation.item_by_barcode(self.library_id, barcode)
        if self.item is None:
            raise forms.ValidationError(_("No item of this library has the barcode %(code)s.") % {"code": barcode})
        return barcode


class PatronAndItemForm(ItemForm):
    """A patron type and an item."""

    patron_type = forms.ModelChoiceField(PatronType.objects.none(), label=gettext_lazy("Patron type"), empty_label=None)
    field_order = ("patron_type", "barcode")

    def __init__(self, *args: Any, library_id: int, **kwargs: Any) -> None:
        super().__init__(*args, library_id=library_id, **kwargs)
        types = self.fields["patron_type"]
        assert isinstance(types, forms.ModelChoiceField)
        types.queryset = PatronType.objects.filter(library_id=library_id)


def loan_policy(form: ItemForm, desk: Desk, today: date) -> Answer:
    """The first row that fits, and the day on which a loan of today would be due at this desk (B11)."""
    item, patron_type = form.item, form.cleaned_data["patron_type"]
    assert item is not None
    rows = circulation.loan_map(desk.library_id)
    about = (patron_type.pk, item.holding_location_id, item.shelving_location_id, item.material_format)
    number = next((number for number, row in enumerate(rows) if row.matches(*about)), None)
    rule = rows[number].rule if number is not None else FALLBACK_RULE
    said = {"title": item.title.title, "type": patron_type.name, "policy": rule.name, "number": (number or 0) + 1}
    winner = None if number is None else _map_rows(desk.library_id)[number].pk
    if not rule.circulates:
        return Answer(
            _("Row %(number)d wins: under the policy %(policy)s, “%(title)s” does not circulate.") % said,
            "look",
            winner,
        )
    lender_due = item.lender_due if item.temporary else None
    due = when_due(rule, today, open_days(desk.library_id, desk.branch_id), lender_due=lender_due)
    if number is None:
        sentence = _("No row fits, so “%(title)s” would go out to the patron type %(type)s for four weeks.") % said
    else:
        sentence = (
            _("Row %(number)d wins: “%(title)s” goes out to the patron type %(type)s under the policy %(policy)s.")
            % said
        )
    meaning = "look" if number is None else "good"
    return Answer(sentence, meaning, winner, due.day, due_sentences(due.as_json()))


def _map_rows(library_id: int) -> QuerySet[LoanPolicyMap]:
    """In the order of `circulation.loan_map`."""
    return LoanPolicyMap.objects.filter(library_id=library_id).order_by("position", "id")


def collection_type(form: ItemForm, desk: Desk, _today: date) -> Answer:
    """The most exact match, and what a check-in at the item's home branch makes of it (L5, B14)."""
    item = form.item
    assert item is not None
    rules = circulation.collection_rules(desk.library_id)
    rule = collection_rule(rules, item.holding_location_id, item.shelving_location_id)
    said = {
        "title": item.title.title, "policy": rule.name, "why": _exactness(rule),
        "becomes": _("Available") if rule.available else _("Unavailable"),
    }  # fmt: skip
    if rule not in rules:
        return Answer(_("No policy fits, so “%(title)s” becomes Available at check-in.") % said, "look")
    sentence = _("%(policy)s wins (%(why)s): checked in at home, “%(title)s” becomes %(becomes)s.") % said
    if item.temporary:
        sentence = _("%(policy)s wins (%(why)s), but a temporary item always becomes Unavailable at home.") % said
    return Answer(sentence, "good", _key_of(rule, desk.library_id), reasons=())


def _exactness(rule: CollectionRule) -> str:
    return {
        (True, True): _("both locations fit"), (True, False): _("its holding location fits"),
        (False, True): _("its shelving location fits"), (False, False): _("it takes what no other does"),
    }[rule.holding_location is not None, rule.shelving_location is not None]  # fmt: skip


def _key_of(rule: CollectionRule, library_id: int) -> int | None:
    named = CollectionTypePolicy.objects.filter(library_id=library_id, name=rule.name)
    return named.values_list("pk", flat=True).first()


@dataclass(frozen=True)
class Box:
    """An explain box: its form and its answer."""

    form: type[ItemForm]
    answer: Callable[[ItemForm, Desk, date], Answer]


#: kind of row -> its box
BOXES: dict[str, Box] = {
    "loan-policy-map": Box(PatronAndItemForm, loan_policy),
    "collection-types": Box(ItemForm, collection_type),
}


# --- rows that never win ------------------------------------------------------------------------------------------


def never_reached(rows: Sequence[LoanPolicyMap]) -> dict[int, int]:
    """Key of a map row -> number (from 1) of an earlier row that takes everything it could take."""
    found: dict[int, int] = {}
    for number, row in enumerate(rows):
        covering = (earlier for earlier, other in enumerate(rows[:number], start=1) if _covers(other, row))
        if (first := next(covering, None)) is not None:
            found[row.pk] = first
    return found


def _covers(wide: LoanPolicyMap, narrow: LoanPolicyMap) -> bool:
    names = ("patron_type_id", "holding_location_id", "shelving_location_id")
    same_places = all(getattr(wide, name) in (None, getattr(narrow, name)) for name in names)
    return same_places and wide.material_format.casefold() in ("", narrow.material_format.casefold())
