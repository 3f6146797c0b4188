"""The addresses of the circulation pages and their slips."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from interlend.web.shell import staff_page


@staff_page()
def frame_only(request: HttpRequest, **_keys: int) -> HttpResponse:
    """The frame with nothing in it: these pages are being written."""
    return render(request, "base.html")


urlpatterns: list[URLPattern] = [
    path("check-in", frame_only, name="check_in"),
    path("check-in/clear", frame_only, name="check_in_clear"),
    path("patrons", frame_only, name="assist_patrons"),
    path("patrons/new", frame_only, name="new_patron"),
    path("patrons/<int:pk>", frame_only, name="patron"),
    path("patrons/<int:pk>/edit", frame_only, name="edit_patron"),
    path("patrons/<int:pk>/check-out", frame_only, name="patron_check_out"),
    path("loans/<int:pk>/due-date", frame_only, name="change_due_date"),
    path("loans/<int:pk>/renew", frame_only, name="renew"),
    path("holds/new", frame_only, name="place_hold"),
    path("holds/<int:pk>", frame_only, name="edit_hold"),
    path("holds/<int:pk>/cancel", frame_only, name="cancel_hold"),
    path("items", frame_only, name="discover_items"),
    path("items/new", frame_only, name="new_item"),
    path("items/<int:pk>", frame_only, name="item"),
    path("items/<int:pk>/delete", frame_only, name="delete_item"),
    path("items/<int:pk>/restore", frame_only, name="restore_item"),
    path("items/<int:pk>/missing", frame_only, name="mark_missing"),
    path("pull-list", frame_only, name="pull_list"),
    path("hold-shelf", frame_only, name="hold_shelf"),
    path("in-transit", frame_only, name="in_transit"),
    path("temporary-items", frame_only, name="temporary_items"),
    path("slips", frame_only, name="slips"),
    path("slips/hold/<int:pk>", frame_only, name="slip_hold"),
    path("slips/route/<int:pk>", frame_only, name="slip_route"),
    path("slips/item/<int:pk>", frame_only, name="slip_item"),
]
