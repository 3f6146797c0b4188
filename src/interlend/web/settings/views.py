"""The settings pages' views, for administrators: one set for every kind of row, driven by the table in `entries.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import IntegrityError
from django.forms import CheckboxSelectMultiple
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from interlend.libraries.models import StaffMember
from interlend.web.settings import saving
from interlend.web.settings.entries import GROUPS, KINDS, Kind
from interlend.web.settings.explain import BOXES, Answer, ItemForm, never_reached
from interlend.web.settings.forms import RowForm
from interlend.web.shell import ADMINISTER, desk_of, own, staff_of, staff_page


@staff_page(ADMINISTER)
def index(request: HttpRequest) -> HttpResponse:
    """All settings pages, each with the sentence that says what it decides."""
    groups = [(title, [KINDS[slug] for slug in slugs]) for title, slugs in GROUPS]
    return render(request, "settings/index.html", {"groups": groups})


# --- lists --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Doing:
    """A button of a row (`actions.html`)."""

    label: str
    url: str
    method: str = "post"
    values: tuple[tuple[str, str], ...] = ()
    confirm: str = ""
    confirm_word: str = ""
    danger: bool = False


@dataclass(frozen=True)
class Line:
    """One row of a list: what its columns say, chips, buttons."""

    key: int
    url: str
    cells: list[str]
    doings: list[Doing]
    number: int
    wins: bool = False
    hidden_by: int | None = None


@staff_page(ADMINISTER)
def rows(request: HttpRequest, kind: str) -> HttpResponse:
    """A kind's rows; the form itself where a library has just one."""
    about = _kind(kind)
    if about.single:
        return _change(request, about, _the_one(request, about))
    form, answer = _explained(request, about)
    known = {
        "kind": about, "headings": [column.heading for column in about.columns],
        "lines": _lines(request, about, answer), "explain_form": form, "explain": answer,
    }  # fmt: skip
    return render(request, "settings/rows.html", known)


def _lines(request: HttpRequest, about: Kind, answer: Answer | None) -> list[Line]:
    found = list(about.rows(staff_of(request).library))
    hidden = never_reached(found) if about.ordered else {}
    return [
        Line(
            row.pk, _url("settings_edit", about, row.pk), [str(column.says(row)) for column in about.columns],
            _doings(about, row, number, len(found)), number, bool(answer and answer.winner == row.pk),
            hidden.get(row.pk),
        )
        for number, row in enumerate(found, start=1)
    ]  # fmt: skip


def _doings(about: Kind, row: Any, number: int, count: int) -> list[Doing]:
    if about.ordered:
        ways = [("up", _("Up"), number > 1), ("down", _("Down"), number < count)]
        to = _url("settings_move", about, row.pk)
        return [Doing(label, to, values=(("way", way),)) for way, label, possible in ways if possible]
    return [Doing(_("Change"), _url("settings_edit", about, row.pk), method="get")]


def _explained(request: HttpRequest, about: Kind) -> tuple[ItemForm | None, Answer | None]:
    """The explain box of this kind, with its answer once it was asked."""
    box = BOXES.get(about.slug)
    if box is None:
        return None, None
    desk = desk_of(request)
    form = box.form(request.GET if "barcode" in request.GET else None, library_id=desk.library_id)
    return form, box.answer(form, desk, desk.today(timezone.now())) if form.is_valid() else None


# --- one row ------------------------------------------------------------------------------------------------------


@staff_page(ADMINISTER)
def new(request: HttpRequest, kind: str) -> HttpResponse:
    about = _kind(kind)
    if about.single:
        raise Http404
    return _change(request, about, about.model())


@staff_page(ADMINISTER)
def edit(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    about = _kind(kind)
    return _change(request, about, own(about.rows(staff_of(request).library).filter(pk=pk).first()))


def _change(request: HttpRequest, about: Kind, row: Any) -> HttpResponse:
    """The form of a new or an old row; saving goes back to the list."""
    library = staff_of(request).library
    if request.method != "POST":
        return _show(request, about, about.form(instance=row, library=library))
    try:
        with saving.changing(library):
            form = about.form(request.POST, instance=row, library=library)
            if saved := form.is_valid():
                form.save()
    except IntegrityError:  # only what is unique among all libraries can still clash: a sign-in name
        saved = False
        form.add_error(None, _("Somebody saved the same at this moment. Look at the list and try again."))
    if not saved:
        return _show(request, about, form, status=422)
    _stay_signed_in(request, form)
    messages.success(request, _("Saved: %(row)s.") % {"row": form.instance})
    return redirect(_after(about))


def _stay_signed_in(request: HttpRequest, form: RowForm) -> None:
    """A new password ends all sign-ins of its owner, but not the one in which they chose it."""
    member = form.instance
    if isinstance(member, StaffMember) and member.pk == staff_of(request).pk and "password" in form.changed_data:
        update_session_auth_hash(request, member)


def _show(request: HttpRequest, about: Kind, form: RowForm, status: int = 200) -> HttpResponse:
    row = form.instance
    old = row.pk is not None
    _focus(form)
    member = staff_of(request)
    known = {
        "kind": about, "form": form, "row": about.model.objects.get(pk=row.pk) if old else None,
        "uses": saving.uses(about, row) if old and not about.single else [],
        "why_not_delete": saving.why_not_delete(about, row, member) if old else "", "back": _after(about),
        "facts": about.facts(row, timezone.now()) if old else [], "actions": about.doings(row) if old else [],
    }  # fmt: skip
    return render(request, "settings/row.html", known, status=status)


def _focus(form: RowForm) -> None:
    """The keyboard begins at the first field that is wrong, else at the first."""
    names = [name for name in form.fields if name in form.errors] or list(form.fields)
    widget = form.fields[names[0]].widget
    if not isinstance(widget, CheckboxSelectMultiple):  # it would give the focus to each of its boxes
        widget.attrs["autofocus"] = True


@require_POST
@staff_page(ADMINISTER)
def delete(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Delete a row that nothing needs; otherwise say what needs it."""
    about, member = _kind(kind), staff_of(request)
    row = own(about.rows(member.library).filter(pk=pk).first())
    name = str(row)
    with saving.changing(member.library):
        sentence = saving.delete(about, row, member)
    if sentence:
        messages.error(request, _("Not deleted.") + " " + sentence)
        return redirect(_url("settings_edit", about, pk))
    messages.success(request, _("Deleted: %(row)s.") % {"row": name})
    return redirect(_after(about))


@require_POST
@staff_page(ADMINISTER)
def move(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """One place up or down, for kinds whose order decides."""
    about, library = _kind(kind), staff_of(request).library
    if not about.ordered:
        raise Http404
    row = own(about.rows(library).filter(pk=pk).first())
    with saving.changing(library):
        saving.move(row, up=request.POST.get("way") == "up")
    return redirect(f"{_after(about)}#row-{pk}")


# --- addresses ----------------------------------------------------------------------------------------------------


def _kind(slug: str) -> Kind:
    if slug not in KINDS:
        raise Http404
    return KINDS[slug]


def _the_one(request: HttpRequest, about: Kind) -> Any:
    """The library's only row of this kind, or a new one with the defaults."""
    return about.rows(staff_of(request).library).first() or about.model()


def _url(name: str, about: Kind, pk: int) -> str:
    return reverse(name, args=[about.slug, pk])


def _after(about: Kind) -> str:
    return reverse("settings") if about.single else reverse("settings_list", args=[about.slug])
