"""What people see: a page taken apart, and what is printed on a terminal."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import json
import re
from collections.abc import Callable
from typing import Any

from rich.console import Console


class Page(html.parser.HTMLParser):
    """The elements of a page, and its visible text; every element that is opened must be closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in ("meta", "br", "wbr", "link"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._open):
            self.text.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def assert_needs_nothing_from_elsewhere(source: str) -> None:
    """A page loads nothing, runs no script but the project's, forbids all else, and its ids are unique."""
    page = Page(source)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"link", "img", "image", "iframe", "object", "embed", "video", "audio", "base"}
    for tag, attributes in page.elements:
        for name in ("src", "srcset", "href", "xlink:href", "action", "poster", "data"):
            value = attributes.get(name, "#")
            assert value.startswith("#") or (tag == "a" and "//" not in value), attributes
    bodies = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    assert not re.findall(r"url\((?!#)|@import|@font-face", re.sub(r"<script.*?</script>", "", source, flags=re.DOTALL))
    # Each script is one that the policy names; the others are numbers, which no browser runs.
    assert [a.get("type") for a in page.all("script")].count(None) == len(bodies)
    assert {a.get("type") for a in page.all("script")} <= {None, "application/json"}
    digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    policy = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert policy == [
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]
    for numbers in re.findall(r'<script type="application/json">(.*?)</script>', source, re.DOTALL):
        assert json.loads(numbers)
        assert not set(numbers) & set("<>&")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    references = [a.get(name, "") for _, a in page.elements for name in ("aria-labelledby", "href")]
    inside = [one for text in references for one in text.split() if text.startswith("#") or "/" not in text]
    assert {one.lstrip("#") for one in [*inside, *re.findall(r"url\(#([^)]+)\)", source)]} <= set(ids)


def printed(width: int, show: Callable[..., Any], *what: Any, **named: Any) -> str:
    """What is printed on a terminal so wide; the console is what `show` takes last."""
    console = Console(width=width, file=io.StringIO(), color_system=None)
    show(*what, console, **named)
    return console.file.getvalue()  # type: ignore[attr-defined]
