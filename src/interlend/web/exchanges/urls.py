"""The addresses of the exchanges pages."""

from __future__ import annotations

from django.urls import path

from interlend.web.exchanges import checks, pages

urlpatterns = [
    path("exchanges", pages.exchanges, name="exchanges"),
    path("exchanges/<int:pk>", pages.exchange, name="exchange"),
    path("exchanges/<int:pk>/download", pages.exchange_download, name="exchange_download"),
    path("exchanges/<int:pk>/replay", pages.exchange_replay, name="exchange_replay"),
    path("settings/circulation-system/check", checks.host_check, name="host_check"),
]
