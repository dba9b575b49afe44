"""Whatever a host answers: a refusal of the one share, or a history that keeps its contract."""

from __future__ import annotations

import copy
import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_source_fixtures import replies

from components.errors import SourceError
from components.extractor.sources.base import AdjustedCloses, Reply
from components.extractor.sources.registry import SOURCES, get_source

GOOD = [
    ("tencent", "sz000001", "2024-01-02", "2024-01-05"),
    ("tencent", "sh600519", "2024-06-17", "2024-06-21"),
    ("tencent", "sh000001", "2024-01-02", "2024-01-04"),
    ("tencent", "hk00700", "2024-05-14", "2024-05-20"),
    ("tiingo", "AAPL", "2020-08-05", "2020-08-11"),
    ("tiingo", "AAPL", "2020-08-27", "2020-09-01"),
    ("tiingo", "ZZZZZ", "2020-08-05", "2020-08-11"),
    ("sina", "sh600015", "2024-01-01", "2024-12-31"),
    ("sina", "sz002594", "2024-01-01", "2024-12-31"),
    ("yahoo", "MSFT", "2024-03-04", "2024-03-07"),
    ("yahoo", "AAPL", "2020-08-05", "2020-08-10"),
    ("yahoo", "AAPL", "2020-08-27", "2020-08-31"),
    ("yahoo", "ZZZZZ", "2024-03-04", "2024-03-07"),
]
QUICK = settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
NUMBERS = [0, -1, 0.0, 1, 640, 1e-300, 1e300, 10**400, 1e-9, 1e15]
TEXTS = ["", " 1", "1e5", "nan", "-1", "0", "1_0", "9" * 400, "\ud800", "\u0661", "America"]
DATES = ["2024-02-30", "2024-06-19", "2020-08-07", "1900-01-01"]
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
WRONG = st.one_of(
    st.sampled_from([None, True, False, [], {}, *NUMBERS, *TEXTS, *DATES]),
    st.recursive(
        PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=5,
    ),
)
conversations = st.sampled_from(GOOD)


def check(conversation, answers):
    """Parses; any exception but a SourceError of one line that names source and share fails the test."""
    name, share, first, last = conversation
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    try:
        history = get_source(name).parse(share, start, end, answers)
    except SourceError as error:
        message = str(error)
        assert message.startswith(f"{name}, share {share}: ")
        assert "\n" not in message
        message.encode()  # can be printed
        return
    size = len(history)
    assert history.time.dtype == np.dtype("datetime64[D]")
    assert ((history.time >= np.datetime64(first)) & (history.time <= np.datetime64(last))).all()
    for column in (history.open, history.high, history.low, history.close, history.volume, history.adjustment.value):
        assert column.shape == (size,)
        assert column.dtype == np.float64
        assert not np.isinf(column).any()
    assert (history.close > 0).all()
    assert not (history.volume < 0).any()
    if not isinstance(history.adjustment, AdjustedCloses):
        assert (history.adjustment.value > 0).all()
    else:
        assert history.adjustment.action.shape == (size,)
        assert history.adjustment.action.dtype == np.bool_


def replaced(answers: list[Reply], at: int, **changes) -> list[Reply]:
    return [replace(answer, **changes) if number == at else answer for number, answer in enumerate(answers)]


def places(value, path=()):
    """The paths of all values in a JSON value."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*path, key))


@pytest.mark.parametrize("conversation", GOOD)
def test_the_good_ones_are_read_or_unknown(conversation):
    check(conversation, replies(*conversation))


@QUICK
@given(conversations, st.data())
def test_one_value_is_another(conversation, data):
    answers = replies(*conversation)
    at = data.draw(st.integers(0, len(answers) - 1))
    text = answers[at].body.decode()
    start = text.index("=") + 1 if text.startswith("var") else 0
    document, end = json.JSONDecoder().raw_decode(text, start)
    box = [copy.deepcopy(document)]
    path = (0, *data.draw(st.sampled_from(list(places(document)))))
    holder = box
    for key in path[:-1]:
        holder = holder[key]
    if data.draw(st.integers(0, 4)) == 0:
        del holder[path[-1]]
    else:
        holder[path[-1]] = data.draw(WRONG)
    body = text[:start] + "".join(json.dumps(item) for item in box) + text[end:]
    check(conversation, replaced(answers, at, body=body.encode()))


@QUICK
@given(conversations, st.data())
def test_bytes_are_cut_or_changed(conversation, data):
    answers = replies(*conversation)
    at = data.draw(st.integers(0, len(answers) - 1))
    body = answers[at].body
    begin, end = sorted(data.draw(st.tuples(st.integers(0, len(body)), st.integers(0, len(body)))))
    end = data.draw(st.sampled_from([end, len(body), min(begin + 1, len(body))]))
    check(conversation, replaced(answers, at, body=body[:begin] + data.draw(st.binary(max_size=6)) + body[end:]))


@QUICK
@given(conversations, WRONG, st.sampled_from([200, 200, 301, 400, 401, 404]), st.sampled_from(["", "text/html", "a/b"]))
def test_another_document(conversation, document, status, content_type):
    answers = replies(*conversation)
    for at in range(len(answers)):
        changes = {"status": status, "content_type": content_type}
        check(conversation, replaced(answers, at, body=json.dumps(document).encode(), **changes))


@QUICK
@given(conversations, st.data())
def test_replies_of_another_conversation(conversation, data):
    other = data.draw(conversations)
    answers = replies(*conversation)
    foreign = replies(*other)
    check(conversation, [foreign[at % len(foreign)] for at in range(len(answers))])


DEEP = b"[" * 900 + b"]" * 900


@pytest.mark.parametrize("name", list(SOURCES))
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        DEEP,
        b'{"code":0,"data":' + DEEP + b"}",
        b'{"chart":' + DEEP + b"}",
        b'{"chart":{"error":{"code":' + DEEP + b"}}}",
        b'[{"day":' + DEEP + b"}]",
        b'var sh600015hfq={"total":' + DEEP + b',"data":[]}',
        b"var sh600015hfq={" + b" " * 1_000_000,
        b"var sh600015hfq={}" + b" " * 1_000_000 + b"!",
        b"var sh600015hfq={" + b"}" * 1_000_000 + b"!",
    ],
    ids=range(11),
)
def test_deep_and_long_replies(name, body):
    conversation = next(
        entry for entry in GOOD if entry[:2] in {(name, "sh600015"), (name, "sz000001"), (name, "AAPL")}
    )
    answers = replies(*conversation)
    for at in range(len(answers)):
        check(conversation, replaced(answers, at, body=body))
        check(conversation, replaced(answers, at, body=body, status=404))
