"""The summary of a session, against NumPy's quantiles."""

from __future__ import annotations

import time

import numpy as np
import pytest
from made_sessions import made_features

from components.drift.sessions import LEVELS, Session, summarise
from components.records import from_json, to_json


def test_quantiles_are_those_of_numpy() -> None:
    features = made_features(np.random.default_rng(0), shares=37)
    session = summarise("2020-01-02", features)
    returns, volatility = session.numbers
    expected = np.quantile(features["returns"].astype(np.float64), LEVELS, axis=0).T
    np.testing.assert_allclose(returns.quantiles, expected, rtol=1e-12)
    assert returns.low == pytest.approx(features["returns"].min(axis=0))
    assert volatility.high == pytest.approx(features["log_volatility"].max(axis=0))
    assert (session.day, session.rows, returns.missing) == ("2020-01-02", 37, (0.0,) * 4)
    assert session.categories[0].values == tuple(range(37))


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    values = np.array([[1.0, np.nan], [np.inf, np.nan], [3.0, np.nan], [5.0, -np.inf]])
    [seen] = summarise(np.datetime64("2020-01-02"), {"x": values}).numbers
    assert seen.missing == (0.25, 1.0)
    np.testing.assert_allclose(seen.quantiles[0], np.quantile([1.0, 3.0, 5.0], LEVELS))
    assert np.isnan(seen.quantiles[1]).all()
    assert np.isnan([seen.low[1], seen.high[1]]).all()


def test_a_session_of_one_share_has_its_values_as_quantiles() -> None:
    [seen] = summarise("2020-01-02", {"x": np.array([2.5])}).numbers
    assert seen.quantiles == ((2.5,) * len(LEVELS),)


def test_a_session_is_read_back_as_it_was_written() -> None:
    features = made_features(np.random.default_rng(1)) | {"odd": np.full(30, np.nan)}
    session = summarise("2020-01-02", features)
    assert to_json(from_json(Session, to_json(session))) == to_json(session)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ({}, "one at least"),
        ({"x": np.empty((0, 3))}, "one at least"),
        ({"x": np.ones(3), "y": np.ones(4)}, "same number of rows"),
        ({"x": np.ones((3, 2, 1))}, "feature x has the shape"),
        ({"x": np.array(["a", "b"])}, "feature x holds"),
    ],
)
def test_what_is_no_session_is_refused(features: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        summarise("2020-01-02", features)


def test_five_thousand_shares_take_less_than_fifty_milliseconds() -> None:
    rng = np.random.default_rng(2)
    features = {"returns": rng.normal(size=(5000, 20)).astype(np.float32), "share": np.arange(5000)}
    features["log_volatility"] = rng.normal(size=5000).astype(np.float32)
    spent = []
    for _ in range(5):
        begin = time.process_time()
        summarise("2020-01-02", features)
        spent.append(time.process_time() - begin)
    assert min(spent) < 0.05
