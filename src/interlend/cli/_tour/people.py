"""Somebody with a browser, without the browser: opens pages, posts their forms, reads the words as they stand there."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from lxml import html


class NotSeen(Exception):
    """What a step promises is not there. The message says what was looked for, and what was there instead."""


def words_of(response: HttpResponse) -> str:
    """The page as it is read, without its frame."""
    tree: Any = html.fromstring(response.content.decode() or "<p></p>")
    for unread in tree.xpath("//script|//style|//template"):
        unread.getparent().remove(unread)
    main = tree.xpath("//main")
    return " ".join((main[0] if main else tree).text_content().split())


class Person:
    """One signed-in person; `see`, `do` and `scan` return the words of the answer."""

    def __init__(self, name: str) -> None:
        self.name, self.client = name, Client()

    def see(self, page: str, *args: Any, **query: str) -> str:
        return self._read(page, self.client.get(reverse(page, args=args), query, follow=True))

    def do(self, page: str, *args: Any, **fields: Any) -> str:
        return self._read(page, self.client.post(reverse(page, args=args), fields, follow=True))

    def scan(self, page: str, barcode: str, *args: Any, **fields: Any) -> str:
        """As the page's own script posts a scan: the answer is one row."""
        row = self.client.post(reverse(page, args=args), {"barcode": barcode} | fields, headers={"HX-Request": "true"})
        return self._read(page, row)

    def _read(self, page: str, response: Any) -> str:
        words = words_of(response)
        if response.status_code != 200:
            raise NotSeen(f"{self.name} got {response.status_code} from {page}: {words[:300]}")
        return words


def expect(page: str, *words: str) -> str:
    """All of `words` stand on the page; returns them as what was seen."""
    missing = [word for word in words if word not in page]
    if missing:
        raise NotSeen(f"“{missing[0]}” was expected, but the page says: {page[:400]}")
    return ", ".join(f"“{word}”" for word in words)


def expect_not(page: str, word: str) -> str:
    if word in page:
        raise NotSeen(f"“{word}” should not be there, but the page says: {page[:400]}")
    return f"no “{word}”"
