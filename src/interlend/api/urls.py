"""Addresses for programs."""

from __future__ import annotations

from django.urls import path

from interlend.api.ncip_http import ncip

urlpatterns = [
    path("ncip", ncip, name="ncip"),
    path("ncip/", ncip),
    path("ncip/<str:library>", ncip, name="ncip-of-library"),
]
