"""A dataclass to JSON and back."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.records import Number, RecordError, from_json, to_json, to_plain

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    value: Number
    day: dt.date | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    count: int
    flag: bool
    colour: Colour
    inners: Mapping[str, Inner]
    pair: tuple[int, ...] = ()
    setting: str | int | float | bool | None = None
    skill: float | None = None
    later: Mapping[str, Mapping[str, Number]] = field(default_factory=dict)

    JSON_FIRST: ClassVar = ("twice",)

    @property
    def twice(self) -> int:
        return 2 * self.count


SOUND = Outer("a", 1, True, Colour.BLUE, {"x": Inner(0.5, dt.date(2024, 2, 29))}, (1, 2), 3, 0.5, {"k": {"l": 1.0}})
NUMBERS = st.floats(allow_infinity=False)


@settings(deadline=None)
@given(
    st.builds(
        Outer,
        name=st.text(st.characters(codec="utf-8")),
        inners=st.dictionaries(st.text(st.characters(codec="utf-8")), st.builds(Inner, value=NUMBERS)),
        setting=st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        skill=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        later=st.just({}),
    ),
    st.booleans(),
)
def test_what_is_written_is_read(record: Outer, ascii_only: bool) -> None:
    text = to_json(record, ascii_only=ascii_only)
    back = from_json(Outer, text)
    assert repr(back) == repr(record)  # nan is not equal to itself
    assert from_json(Outer, text.encode()).setting == record.setting
    assert type(back.setting) is type(record.setting)


@settings(deadline=None)
@given(JUNK, st.data())
def test_whatever_stands_in_a_file_is_read_or_refused_in_one_line(junk: Any, data: st.DataObject) -> None:
    plain = to_plain(SOUND)
    places = [(plain, key) for key in plain] + [(plain["inners"], "x"), (plain["inners"]["x"], "value")]
    place, key = data.draw(st.sampled_from(places))
    place[key] = junk
    for text in (json.dumps(plain), json.dumps(junk), data.draw(st.text()), data.draw(st.binary())):
        try:
            assert isinstance(from_json(Outer, text), Outer)
        except RecordError as error:
            assert str(error).isprintable()  # noqa: PT017


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 1}, "name holds int"),
        ({"count": True}, "count holds bool"),
        ({"count": 1.5}, "count holds float"),
        ({"flag": 1}, "flag holds int"),
        ({"colour": "green"}, "colour: Input should be 'red' or 'blue'"),
        ({"inners": {"x": {}}}, "inners.x.value is missing"),
        ({"inners": {"x": {"value": "1"}}}, "inners.x.value holds str"),
        ({"inners": {"x": None}}, "inners.x holds NoneType"),
        ({"inners": {"a\n": 1}}, r"inners.'a\n' holds int"),
        ({"pair": [1, "2"]}, "pair.1 holds str"),
        ({"pair": {}}, "pair holds dict"),
        ({"setting": [1]}, "setting holds list"),
        ({"skill": "1"}, "skill holds str"),
    ],
)
def test_an_error_names_the_key(change: dict[str, Any], said: str) -> None:
    text = json.dumps(to_plain(SOUND) | change)
    with pytest.raises(RecordError) as caught:
        from_json(Outer, text)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "said"), [("", "not JSON"), ("[" * 100_000, "not JSON"), ("9" * 5000, "not JSON"), ("[]", "it holds list")]
)
def test_what_is_no_record_at_all_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        from_json(Outer, text)


def test_later_keys_have_defaults_and_unknown_ones_are_passed_over() -> None:
    plain = to_plain(SOUND)
    assert next(iter(plain)) == "twice", "a property that is written too; it is passed over in reading"
    for key in ("pair", "setting", "skill", "later"):
        del plain[key]
    read = from_json(Outer, json.dumps({**plain, "unknown": [1]}))
    assert (read.pair, read.setting, read.skill, read.later) == ((), None, None, {})


def test_numpy_numbers_are_numbers_and_what_is_not_finite_is_null() -> None:
    values = {"a": np.float32(0.5), "b": np.int64(7), "c": np.bool_(True), "d": math.inf, "e": np.float64("nan")}
    assert json.loads(to_json(values)) == {"a": 0.5, "b": 7, "c": True, "d": None, "e": None}
