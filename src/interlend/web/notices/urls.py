"""The addresses of the notices pages."""

from __future__ import annotations

from django.urls import path

from interlend.web.notices import pages

urlpatterns = [
    path("notices", pages.notices, name="notices"),
    path("notices/drawer", pages.mail_drawer, name="mail_drawer"),
    path("notices/<int:pk>", pages.notice, name="notice"),
    path("notices/<int:pk>/again", pages.notice_send_again, name="notice_send_again"),
    path("notices/<int:pk>/print", pages.notice_print, name="notice_print"),
]
