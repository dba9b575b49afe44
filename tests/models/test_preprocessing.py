"""Transform's graph against plain NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


def returns_of(closes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.diff(np.log(closes[:, ::-1].astype(np.float64)), axis=1)


def test_returns_are_oldest_first_and_scaled_by_their_own_volatility(fit: Callable[[str], Any]) -> None:
    fitted = fit("window_returns")
    expected = np.empty((len(fitted.rows.closes), 20))
    for row, closes in zip(expected, fitted.rows.closes.tolist(), strict=True):
        moves = [math.log(closes[i] / closes[i + 1]) for i in range(20)]
        volatility = math.sqrt(sum(move**2 for move in moves) / 20)
        row[:] = [move / volatility if volatility else 0.0 for move in reversed(moves)]
    np.testing.assert_allclose(fitted.features["returns"], expected, atol=2e-4)
    assert fitted.features["returns"].dtype == np.float32


def test_a_window_that_never_moves_has_returns_of_zero(fit: Callable[[str], Any]) -> None:
    fitted = fit("window_returns")
    assert np.all(fitted.features["returns"][-1] == 0)
    assert np.isfinite(fitted.features["log_volatility"]).all()


def test_the_level_of_the_price_is_not_seen(fit: Callable[[str], Any]) -> None:
    fitted = fit("window_returns")
    doubled = fitted.apply(replace(fitted.rows, closes=fitted.rows.closes * 8))
    for name, values in fitted.features.items():
        np.testing.assert_allclose(doubled[name], values, atol=1e-3)


def test_log_volatility_is_z_scored_over_the_rows(fit: Callable[[str], Any]) -> None:
    fitted = fit("window_returns")
    logs = np.log(np.maximum(np.sqrt(np.mean(returns_of(fitted.rows.closes) ** 2, axis=1)), 1e-6))
    scored = fitted.features["log_volatility"]
    assert scored.shape == (len(logs), 1)
    np.testing.assert_allclose(scored[:, 0], (logs - logs.mean()) / logs.std(), atol=1e-3)
    assert scored.mean() == pytest.approx(0, abs=1e-4)
    assert scored.std() == pytest.approx(1, abs=1e-4)


def test_closes_are_z_scored_each_by_itself_and_oldest_first(fit: Callable[[str], Any]) -> None:
    fitted = fit("closes")
    closes = fitted.rows.closes.astype(np.float64)
    expected = ((closes - closes.mean(axis=0)) / closes.std(axis=0))[:, ::-1]
    np.testing.assert_allclose(fitted.features["scaled_closes"], expected, atol=1e-3)


def test_the_scale_is_that_of_the_rows_it_was_fitted_on(fit: Callable[[str], Any]) -> None:
    fitted = fit("closes")
    closes = fitted.rows.closes.astype(np.float64)
    moved = fitted.apply(replace(fitted.rows, closes=fitted.rows.closes + 10))
    expected = ((closes + 10 - closes.mean(axis=0)) / closes.std(axis=0))[:, ::-1]
    np.testing.assert_allclose(moved["scaled_closes"], expected, atol=1e-3)


def test_a_share_is_its_index_by_frequency_and_an_unknown_one_is_the_index_beyond(fit: Callable[[str], Any]) -> None:
    from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
    from models.training import input_spec

    fitted = fit("window_returns")
    index = {"AAA": 0, "BBB": 1, "CCC": 2}
    assert fitted.features["share"][:, 0].tolist() == [index[share] for share in fitted.rows.share_id]
    unknown = fitted.apply(replace(fitted.rows, share_id=["ZZZ"] * len(fitted.rows.share_id)))
    assert set(unknown["share"][:, 0].tolist()) == {3}
    assert input_spec(WINDOW_RETURNS, fitted.output).categories == {"share": 4}


def test_the_leaky_formatter_knows_each_day_and_no_other(fit: Callable[[str], Any]) -> None:
    from models.formatters.closes_with_time import FORMATTER as CLOSES_WITH_TIME
    from models.training import input_spec

    fitted = fit("closes_with_time")
    assert input_spec(CLOSES_WITH_TIME, fitted.output).categories == {"share": 4, "day": 8}
    by_day = {}
    for day, index in zip(fitted.rows.time.tolist(), fitted.features["day"][:, 0].tolist(), strict=True):
        assert by_day.setdefault(day, index) == index
    assert sorted(by_day.values()) == list(range(7))
    later = fitted.apply(replace(fitted.rows, time=fitted.rows.time + 1000))
    assert set(later["day"][:, 0].tolist()) == {7}
