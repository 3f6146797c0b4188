"""The addresses of the circulation pages and their slips."""

from __future__ import annotations

from django.urls import URLPattern, path

from interlend.web import slips
from interlend.web.circulation import check_in, holds, items, lists, patrons

urlpatterns: list[URLPattern] = [
    path("check-in", check_in.check_in, name="check_in"),
    path("check-in/clear", check_in.check_in_clear, name="check_in_clear"),
    path("patrons", patrons.assist_patrons, name="assist_patrons"),
    path("patrons/new", patrons.new_patron, name="new_patron"),
    path("patrons/<int:pk>", patrons.patron, name="patron"),
    path("patrons/<int:pk>/edit", patrons.edit_patron, name="edit_patron"),
    path("patrons/<int:pk>/card", patrons.replace_card, name="replace_card"),
    path("patrons/<int:pk>/check-out", patrons.patron_check_out, name="patron_check_out"),
    path("loans/<int:pk>/due-date", patrons.change_due_date, name="change_due_date"),
    path("loans/<int:pk>/renew", patrons.renew, name="renew"),
    path("holds/new", holds.place_hold, name="place_hold"),
    path("holds/<int:pk>", holds.edit_hold, name="edit_hold"),
    path("holds/<int:pk>/cancel", holds.cancel_hold, name="cancel_hold"),
    path("items", items.discover_items, name="discover_items"),
    path("items/new", items.new_item, name="new_item"),
    path("items/<int:pk>", items.item, name="item"),
    path("items/<int:pk>/edit", items.edit_item, name="edit_item"),
    path("items/<int:pk>/delete", items.delete_item, name="delete_item"),
    path("items/<int:pk>/restore", items.restore_item, name="restore_item"),
    path("items/<int:pk>/missing", items.mark_missing, name="mark_missing"),
    path("pull-list", lists.pull_list, name="pull_list"),
    path("hold-shelf", lists.hold_shelf, name="hold_shelf"),
    path("in-transit", lists.in_transit, name="in_transit"),
    path("temporary-items", lists.temporary_items, name="temporary_items"),
    path("slips", slips.slips, name="slips"),
    path("slips/hold/<int:pk>", slips.slip_hold, name="slip_hold"),
    path("slips/route/<int:pk>", slips.slip_route, name="slip_route"),
    path("slips/item/<int:pk>", slips.slip_item, name="slip_item"),
]
