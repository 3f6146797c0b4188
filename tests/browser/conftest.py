"""A page in a real browser on the live application, and the three things every page must get right.

Strategy: whatever test asks for `page` fails if the page threw a script error, was refused something by its own
content policy, or asked another machine for anything; `accessible` and `shot` are called where a page is complete.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture
def new_page(browser: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """`new_page(**options)`: another person's browser window (its own cookies), 1280x720 unless told otherwise."""
    contexts: list[Any] = []
    trouble: list[str] = []

    def open_window(**options: Any) -> Any:
        context = browser.new_context(
            **{"base_url": live_server.url, "viewport": {"width": 1280, "height": 720}, "locale": "en-GB"} | options
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(f"script error: {error}"))
        page.on("console", lambda said: said.type == "error" and trouble.append(f"console: {said.text}"))
        page.on("request", lambda asked: _is_ours(asked.url) or trouble.append(f"asked elsewhere: {asked.url}"))
        return page

    yield open_window
    for context in contexts:
        context.close()
    # A refused form (409, 422) is an answer like any other, though Chromium reports it as an error.
    serious = [what for what in trouble if "responded with a status of 4" not in what]
    assert not serious, "the browser complained:\n" + "\n".join(serious)


def _is_ours(url: str) -> bool:
    return urlsplit(url).scheme in {"data", "blob", "about"} or urlsplit(url).hostname in {"localhost", "127.0.0.1"}


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """One browser window (Playwright's Page) at the live application: `page.goto("/")`."""
    return new_page()


@pytest.fixture
def accessible() -> Callable[[Any], None]:
    """`accessible(page)`: fails with every breach of WCAG 2.2 A and AA that an automatic checker can see."""
    from axe_playwright_python.sync_playwright import Axe

    def check(page: Any) -> None:
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        breaches = [
            f"{breach['id']}: {breach['help']}\n    " + "\n    ".join(node["html"] for node in breach["nodes"])
            for breach in found.response["violations"]
        ]
        assert not breaches, f"{page.url} is not accessible:\n" + "\n".join(breaches)

    return check


@pytest.fixture
def shot() -> Callable[..., None]:
    """`shot(page, "check-in")`: under `make screenshots` keeps docs/screenshots/check-in.png, else does nothing."""
    folder = os.environ.get("INTERLEND_SCREENSHOTS")

    def keep(page: Any, name: str, **options: Any) -> None:
        if folder:
            page.screenshot(path=str(Path(folder) / f"{name}.png"), animations="disabled", **options)

    return keep
