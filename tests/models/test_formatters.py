"""The declarations of what a model sees agree with each other."""

from __future__ import annotations

import numpy as np
import pytest

from models.day_wide.columns import COLUMNS
from models.errors import UnknownNameError
from models.features import CLOSES, SHARE_ID, TIME, WINDOW
from models.formatters import FORMATTERS, get_formatter
from models.operations import VOCABULARY, Kind

ALL = pytest.mark.parametrize("name", list(FORMATTERS))


def test_the_one_to_use_comes_first() -> None:
    assert list(FORMATTERS)[:4] == ["window_returns", "market_relative", "market_activity", "momentum"]


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(
        UnknownNameError,
        match="'raw' does not exist; there are window_returns, market_relative, market_activity, momentum, day_ranks, ",
    ):
        get_formatter("raw")


@ALL
def test_a_formatter_is_found_under_its_own_name(name: str) -> None:
    assert get_formatter(name).name == name
    assert len(get_formatter(name).description) > 40


@ALL
def test_sources_are_raw_features_and_names_are_unique_and_hide_none(name: str) -> None:
    assert set(get_formatter(name).sources) <= {CLOSES, SHARE_ID, TIME, *COLUMNS}
    names = [feature.name for feature in get_formatter(name).features]
    assert len(set(names)) == len(names)
    assert not set(names) & {CLOSES, SHARE_ID, TIME, *COLUMNS}


@ALL
def test_kind_steps_and_operation_of_each_feature_agree(name: str) -> None:
    for feature in get_formatter(name).features:
        assert (feature.steps > 1) == (feature.kind is Kind.SEQUENCE or bool(feature.parts)), feature
        assert not feature.parts or (feature.kind is Kind.SCALAR and len(feature.parts) == feature.steps), feature
        assert (feature.operation is VOCABULARY) == (feature.kind is Kind.CATEGORY), feature


@ALL
def test_what_stands_side_by_side_is_taken_apart_by_name_and_put_together_again(name: str) -> None:
    formatter = get_formatter(name)
    rng = np.random.default_rng(1)
    seen = {feature.name: rng.normal(size=(5, feature.steps)) for feature in formatter.features}

    parts = formatter.by_part(seen)

    assert [(one.name, one.steps) for one in formatter.parted] == [(key, of.shape[1]) for key, of in parts.items()]
    for feature in formatter.features:
        for at, part in enumerate(feature.parts):
            np.testing.assert_array_equal(parts[part][:, 0], seen[feature.name][:, at])
            assert COLUMNS[feature.source].parts[at] is COLUMNS[part]
    again = formatter.together(parts)
    assert list(again) == list(seen)
    for key, values in again.items():
        np.testing.assert_array_equal(values, seen[key])


@ALL
def test_examples_carry_side_by_side_what_predictions_have_by_name(name: str) -> None:
    formatter = get_formatter(name)
    rng = np.random.default_rng(2)
    day = {
        one: rng.normal(size=(4, COLUMNS[one].width) if COLUMNS[one].width > 1 else 4) for one in formatter.day_columns
    }

    carried = formatter.carried(day)

    assert tuple(carried) == formatter.example_columns
    for column, values in carried.items():
        parts = [day[part.name] for part in COLUMNS[column].parts]
        np.testing.assert_array_equal(values, np.array(parts).T if parts else day[column])


@ALL
def test_every_formatter_sees_the_share_and_one_sequence(name: str) -> None:
    formatter = get_formatter(name)
    assert "share" in [feature.name for feature in formatter.of_kind(Kind.CATEGORY)]
    assert len(formatter.of_kind(Kind.SEQUENCE)) == 1


def test_a_window_of_closes_has_one_return_less() -> None:
    (returns,) = get_formatter("window_returns").of_kind(Kind.SEQUENCE)
    (closes,) = get_formatter("closes").of_kind(Kind.SEQUENCE)
    assert (returns.steps, closes.steps) == (WINDOW - 1, WINDOW) == (20, 21)


def test_only_the_formatter_that_shows_the_leak_sees_the_day() -> None:
    assert [name for name in FORMATTERS if TIME in get_formatter(name).sources] == ["closes_with_time"]


def test_the_two_that_tell_the_date_warn_and_name_the_one_to_use() -> None:
    assert get_formatter("window_returns").warning is None
    for name in ("closes", "closes_with_time"):
        assert "use window_returns" in (get_formatter(name).warning or "")


def test_sources_are_listed_once() -> None:
    assert get_formatter("window_returns").sources == (CLOSES, SHARE_ID)


@ALL
def test_what_needs_the_whole_day_is_declared_to_be_known_on_it(name: str) -> None:
    formatter = get_formatter(name)
    assert formatter.example_columns == tuple(source for source in formatter.sources if source in COLUMNS)
    assert set(formatter.example_columns) <= set(formatter.declared_sources)
    parts = [part for feature in formatter.features for part in feature.parts]
    assert {*parts} <= {*formatter.day_columns}
    assert not any(COLUMNS[name].parts for name in formatter.day_columns)
    assert formatter.reach == max([WINDOW - 1, *(COLUMNS[one].reach for one in formatter.day_columns)])
