"""The addresses of all pages, room by room."""

from __future__ import annotations

from django.urls import include, path

from interlend.web import look, shell

urlpatterns = [
    path("", shell.home, name="home"),
    path("sign-in", shell.sign_in, name="sign_in"),
    path("sign-out", shell.sign_out, name="sign_out"),
    path("here", shell.here, name="here"),
    path("find", shell.find, name="find"),
    path("health", shell.health, name="health"),
    path("counts", shell.counts, name="counts"),
    path("look/<str:colour>.css", look.accent_css, name="look"),
    path("", include("interlend.web.circulation.urls")),
    path("", include("interlend.web.sharing.urls")),
    path("", include("interlend.web.notices.urls")),
    path("", include("interlend.web.exchanges.urls")),
    path("settings/", include("interlend.web.settings.urls")),
    path("my/", include("interlend.web.patron.urls")),
]
