"""The addresses of the settings pages: an index, and for each kind of row a list, a form, and the verbs on one row."""

from __future__ import annotations

from django.urls import path

from interlend.web.settings import views

urlpatterns = [
    path("", views.index, name="settings"),
    path("<slug:kind>", views.rows, name="settings_list"),
    path("<slug:kind>/new", views.new, name="settings_new"),
    path("<slug:kind>/<int:pk>", views.edit, name="settings_edit"),
    path("<slug:kind>/<int:pk>/delete", views.delete, name="settings_delete"),
    path("<slug:kind>/<int:pk>/move", views.move, name="settings_move"),
]
