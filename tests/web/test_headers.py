"""The content policy stands on every answer, page or file, and forbids scripts that are written in a page."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from interlend.web.headers import POLICY, content_policy


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/sign-in", "/no-such-page"])
def test_every_answer_carries_the_policy(client: Client, address: str) -> None:
    assert client.get(address).headers["Content-Security-Policy"] == POLICY


def test_scripts_come_from_our_files_only() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'self'"
    assert "script-src" not in rules
    assert [name for name, sources in rules.items() if "unsafe" in sources] == ["style-src-attr"]


def test_a_view_may_say_otherwise() -> None:
    own = {"Content-Security-Policy": "sandbox"}
    answer = content_policy(lambda _: HttpResponse(headers=own))(RequestFactory().get("/"))
    assert answer.headers["Content-Security-Policy"] == "sandbox"
