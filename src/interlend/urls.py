"""The switchboard's addresses: which door answers where. Each room that has pages or an endpoint lists its own."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("interlend.api.urls")),
    path("", include("interlend.web.urls")),
]
