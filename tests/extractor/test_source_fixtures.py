"""The index of recorded and hand-made replies, and how the tests of the sources read it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import components.extractor.replay
from components.extractor.sources.base import History, Reply
from components.extractor.sources.registry import SOURCES, get_source

FOLDER = Path(components.extractor.replay.__file__).parent / "fixtures"
INDEX = json.loads((FOLDER / "index.json").read_text())
KNOWN = {entry["url"]: entry for entry in INDEX}


def replies(source: str, share: str, first: str, last: str) -> list[Reply]:
    """The replies that the index holds for the requests of a source."""
    asked = get_source(source).requests(share, dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    found = [KNOWN[request.url] for request in asked]
    return [
        Reply(entry["url"], entry["status"], entry["content_type"], (FOLDER / entry["file"]).read_bytes())
        for entry in found
    ]


def parsed(source: str, share: str, first: str, last: str, answers: list[Reply] | None = None) -> History:
    """What a source makes of replies, by default of those in the index."""
    answers = replies(source, share, first, last) if answers is None else answers
    return get_source(source).parse(share, dt.date.fromisoformat(first), dt.date.fromisoformat(last), answers)


def reply(body: object, status: int = 200, content_type: str = "application/json") -> Reply:
    """A reply with a JSON body, or with these bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply("https://example.org/", status, content_type, content)


def days(history: History) -> list[str]:
    return [str(day) for day in history.time]


def test_every_entry_is_whole():
    for entry in INDEX:
        assert set(entry) == {"url", "file", "status", "content_type", "origin"}
        assert (FOLDER / entry["file"]).is_file(), entry["file"]
        assert entry["origin"] == "synthetic"
        assert entry["url"].startswith("https://")
    assert len(KNOWN) == len(INDEX), "a url is there twice"


def test_every_file_is_in_the_index_and_small():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*")} - {"index.json"}
    assert files == {entry["file"] for entry in INDEX}
    assert max((FOLDER / file).stat().st_size for file in files) < 5000


def test_every_source_has_replies_of_each_kind():
    for name in SOURCES:
        kinds = {entry["file"].split("/")[1] for entry in INDEX if entry["file"].startswith(f"{name}/")}
        for kind in ("plain", "dividend", "split", "html", "truncated", "unknown"):
            assert any(file.startswith(kind) for file in kinds), (name, kind)
