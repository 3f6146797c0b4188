"""The addresses of the sharing pages."""

from __future__ import annotations

from django.urls import path

from interlend.web.sharing import actions, lists, new, one, partners, scans, slips

urlpatterns = [
    path("requests/needs-attention", lists.needs_attention, name="needs_attention"),
    path("requests/needs-attention/again", lists.errands_again, name="errands_again"),
    path("requests/borrowing", lists.borrowing, name="borrowing"),
    path("requests/lending", lists.lending, name="lending"),
    path("requests/new", new.new_request, name="new_request"),
    path("requests/<int:pk>", one.ill_request, name="ill_request"),
    # the trigger may stand in the address, so that a prompt on a scan row needs no field
    path("requests/<int:pk>/do", actions.ill_action, name="ill_action"),
    path("requests/<int:pk>/do/<str:trigger>", actions.ill_action, name="ill_action"),
    path("requests/<int:pk>/correct", one.ill_correct, name="ill_correct"),
    path("requests/<int:pk>/note", one.ill_note, name="ill_note"),
    path("requests/steps/<int:pk>", one.errand_action, name="errand_action"),
    path("receive", scans.receive, name="receive"),
    path("return", scans.return_loans, name="return_loans"),
    path("ship", scans.ship, name="ship"),
    path("complete", scans.complete, name="complete"),
    path("scans/<str:page>/clear", scans.sharing_clear, name="sharing_clear"),
    path("partners", partners.partners, name="partners"),
    path("partners/<int:pk>", partners.partner, name="partner"),
    path("slips/return/<int:pk>", slips.slip_return, name="slip_return"),
    path("slips/bookband/<int:pk>", slips.slip_bookband, name="slip_bookband"),
]
