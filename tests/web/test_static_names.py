"""Static files: a name that follows the content, and every name that a template uses exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.test import Client

import interlend
from interlend.web.static_names import digest

HTMX = "django_htmx/htmx-2.min.js"
TEMPLATES = sorted(Path(interlend.__file__).parent.rglob("templates/**/*.html"))


def test_the_address_follows_the_content() -> None:
    assert static(HTMX) == f"/static/{HTMX}?v={digest(HTMX)}"
    assert re.fullmatch(r"[0-9a-f]{12}", digest(HTMX))


def test_a_name_that_nobody_ships_is_a_fault() -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.css"):
        static("nowhere.css")


@pytest.mark.django_db
def test_files_are_served_from_the_package_and_kept_by_browsers(client: Client) -> None:
    answer = client.get(static(HTMX))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "max-age=86400" in answer.headers["Cache-Control"]
    again = client.get(static(HTMX), headers={"if-modified-since": answer.headers["Last-Modified"]})
    assert again.status_code == 304
    for one in (answer, again):
        one.close()


def test_every_file_that_a_template_names_exists() -> None:
    named = {name for file in TEMPLATES for name in re.findall(r"""\{% static ["']([^"']+)["']""", file.read_text())}
    assert named
    assert [name for name in sorted(named) if not finders.find(name)] == []
