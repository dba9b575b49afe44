"""Recorded and hand-made replies: their index, and what every source makes of the same kinds of them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

import components.extractor.replay
from components.errors import SourceError, UnknownShareError
from components.extractor.sources.base import AdjustedCloses, Factors, History, Reply, Steps
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


YEAR, MARCH = ("2024-01-01", "2024-12-31"), ("2024-03-04", "2024-03-07")
JANUARY, AUGUST = ("2024-01-02", "2024-01-05"), ("2020-08-05", "2020-08-11")


@pytest.mark.parametrize(
    ("source", "share", "window", "sessions", "bar", "kind"),
    [
        # Open, high, low, close and volume of the last session; Tencent's lots are of 100.
        ("tencent", "sz000001", JANUARY, "02 03 04 05", (9.10, 9.44, 9.07, 9.27, 199_162_200), AdjustedCloses),
        ("sina", "sh601006", YEAR, "15 16 17", (7.30, 7.30, 7.18, 7.19, 31_425_600), Factors),
        ("tiingo", "GOOGL", ("2015-01-01", "2015-01-05"), "02 05", (527.15, 527.99, 517.75, 519.46, 2_059_119), Steps),
        ("yahoo", "MSFT", MARCH, "04 05 07", (402.97, 405.16, 398.39, 402.09, 22_344_100), Steps),
    ],
)
def test_a_plain_window(source, share, window, sessions, bar, kind):
    history = parsed(source, share, *window)
    assert days(history) == [f"{window[0][:7]}-{day}" for day in sessions.split()]
    assert history.time.dtype == np.dtype("datetime64[D]")
    assert tuple(getattr(history, name)[-1] for name in ("open", "high", "low", "close", "volume")) == bar
    assert type(history.adjustment) is kind
    if kind is not AdjustedCloses:
        assert history.adjustment.value.tolist() == [1.96 if kind is Factors else 1] * len(history)


@pytest.mark.parametrize(
    ("source", "share", "window"),
    [
        ("tencent", "sh999999", ("2024-01-02", "2024-06-28")),
        *[("sina", "sh999998", YEAR), ("tiingo", "ZZZZZ", AUGUST), ("yahoo", "ZZZZZ", MARCH)],
    ],
)
def test_unknown(source, share, window):
    with pytest.raises(UnknownShareError, match=f"{source}, share {share}: .*check the name"):
        parsed(source, share, *window)


@pytest.mark.parametrize(
    ("source", "body"),
    [
        *[("tiingo", body) for body in (b"<html>not found</html>", b'{"detail": 1}', b'["not found"]')],
        ("tiingo", b'{"detail": "moved"}'),
        *[("yahoo", b"<html>Not Found</html>"), ("yahoo", b'{"chart":{"result":null,"error":{"code":"Gone"}}}')],
    ],
)
def test_another_404_is_not_unknown(source, body):
    with pytest.raises(SourceError, match="status 404") as caught:
        parsed(source, "XYZ", *YEAR, [reply(body, status=404)])
    assert not isinstance(caught.value, UnknownShareError)


@pytest.mark.parametrize(
    ("source", "share", "window", "message"),
    [
        ("tencent", "sz000002", JANUARY, r"the source answered code 1, 'bad params'; .*\{"),
        ("tencent", "sh600036", JANUARY, "the reply is not whole JSON; .*Will be right back"),
        ("tencent", "sh601318", JANUARY, "the reply is not whole JSON; .*40.30"),
        ("sina", "sh600016", YEAR, "not whole JSON; .*Will be right back"),
        ("sina", "sh600018", YEAR, "not whole JSON"),
        ("sina", "sz000651", YEAR, "and not a list; .*Service not found"),
        ("tiingo", "IBM", AUGUST, "and not a list; the reply begins with .*resampleFreq"),
        ("tiingo", "KO", AUGUST, "the source refused .status 401."),
        ("tiingo", "MSFT", AUGUST, "not whole JSON; .*Will be right back"),
        ("tiingo", "NVDA", AUGUST, "not whole JSON"),
        ("yahoo", "IBM", MARCH, "the source answered 'Internal Server Error', 'An unexpected error has occurred'"),
        ("yahoo", "NVDA", MARCH, "not whole JSON; .*Will be right back"),
        ("yahoo", "INTC", MARCH, "not whole JSON"),
    ],
)
def test_bodies_that_are_not_recognised(source, share, window, message):
    with pytest.raises(SourceError, match=f"{source}, share {share}: .*{message}"):
        parsed(source, share, *window)
