"""The comparison of targets: beta by its closed form, and a signal that only one of them shows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks import labels


def closes(moves: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(50 * np.exp(np.cumsum(moves, axis=0)))


def test_beta_is_the_least_squares_slope_of_the_sessions_before() -> None:
    rng = np.random.default_rng(0)
    daily = closes(rng.normal(0, 0.01, (400, 5))).pct_change(fill_method=None)
    found = labels.betas(daily)
    market = daily.mean(axis=1).to_numpy()
    for session in (100, 320, 399):
        begin = max(1, session - labels.BETA_SESSIONS + 1)
        x = np.column_stack([np.ones(session + 1 - begin), market[begin : session + 1]])
        slope = np.linalg.lstsq(x, daily.to_numpy()[begin : session + 1], rcond=None)[0][1]
        np.testing.assert_allclose(found.iloc[session], slope, rtol=1e-9)
    assert found.iloc[: labels.LEAST_BETA].isna().all().all()


def test_a_reversal_of_each_share_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    moves = rng.normal(0, 0.01, (900, 20))
    for session in range(1, len(moves)):
        moves[session] -= 0.3 * moves[session - 1]
    prices = closes(moves + rng.normal(0, 0.01, (900, 1)))
    targets = labels.make_targets(prices, 1)
    seen = labels.features(prices)
    usable = targets.usable & np.isfinite(seen).all(axis=2)

    found = labels.daily_ic(
        labels.walk(seen, targets.returns[labels.OUTPERFORM], usable, 1), targets.returns[labels.OUTPERFORM]
    )
    assert np.nanmean(found) > 0.15
    assert np.isnan(found[: round(labels.FIRST_TEST * len(found))]).all()

    noise = closes(rng.normal(0, 0.01, (900, 20)))
    [row] = [row for row in labels.compare(noise, 1) if row["learned"] == labels.OUTPERFORM]
    value, _, reach = row["against outperform"].split()
    assert abs(float(value)) < 2 * float(reach)
