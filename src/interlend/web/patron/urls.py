"""The addresses of the patron's own pages."""

from __future__ import annotations

from django.urls import path

from interlend.web.patron import views

urlpatterns = [
    path("", views.my, name="my"),
    path("sign-in", views.sign_in, name="my_sign_in"),
    path("sign-out", views.sign_out, name="my_sign_out"),
    path("holds/<int:pk>/cancel", views.cancel_hold, name="my_cancel_hold"),
    path("loans/<int:pk>/renew", views.renew, name="my_renew"),
]
