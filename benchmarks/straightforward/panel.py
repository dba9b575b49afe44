"""A panel of closes straight into a learner, as a short script does it: prices, windows, labels, fit, predictions.

    python -m benchmarks.straightforward.panel --prices prices.csv --learner lightgbm --horizon 1
        --train 1990-01-31 2012-12-31 --test 2016-06-30 2022-12-28 --predictions predictions.parquet

The features are those of the project's window_returns: 20 log returns over their root mean square, the log of that,
and the share. The learners have their own defaults, but for iterations enough for logistic regression to
converge, and one thread for LightGBM, whose waiting threads would count as CPU seconds.

The last line printed is one JSON object: `{train_rows, steps: {step: {wall, cpu, peak_rss}}}`, seconds and MiB.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Steps, measured

if TYPE_CHECKING:
    import pandas as pd

RETURNS = 20
LEARNERS = ("logistic_regression", "lightgbm")
UP, OUTPERFORM = "up", "outperform"
_FEATURES = [*(f"return{i}" for i in range(RETURNS)), "log_volatility", "share_id"]


def read_rows(prices: Path, horizon: int, label: str = UP) -> pd.DataFrame:
    """Every row that has a whole window and a label.

    Args:
        prices: a CSV file of closes: a column time (ISO) and one a share.
        horizon: sessions ahead that the label looks.
        label: `up`, or `outperform`: above the median of all shares with a window and a return on the day.

    Returns:
        time, return0 (the oldest) to return19, log_volatility, share_id (a category), label (1 where the return over
        the horizon is above 0 or the median, 0 where it is below) and forward_return, less the median where there is
        one. Rows between the two are left out.
    """
    import numpy as np
    import pandas as pd

    closes = pd.read_csv(prices, index_col="time", parse_dates=True, float_precision="round_trip")
    windows = np.lib.stride_tricks.sliding_window_view(np.log(closes.to_numpy()), RETURNS + 1, axis=0)
    returns = np.diff(windows)  # [sessions - 20, shares, 20]
    volatility = np.sqrt((returns**2).mean(axis=-1, keepdims=True))
    scaled = np.divide(returns, volatility, out=np.zeros_like(returns), where=volatility > 0)
    days, shares = returns.shape[:2]
    close = closes.to_numpy()[RETURNS:]
    later = closes.shift(-horizon).to_numpy()[RETURNS:]
    rows = pd.DataFrame(scaled.reshape(days * shares, RETURNS), columns=_FEATURES[:RETURNS])
    rows["log_volatility"] = np.log(np.maximum(volatility, 1e-6)).ravel()
    rows["share_id"] = pd.Categorical(np.tile(closes.columns, days), categories=closes.columns)
    rows["time"] = np.repeat(closes.index[RETURNS:], shares)
    known = ~np.isnan(later) & ~np.isnan(returns).any(axis=-1)
    change = np.where(known, later / close - 1, np.nan)
    rows["label"] = (later > close).astype(int).ravel()
    decided = later != close
    if label == OUTPERFORM:
        told = pd.DataFrame(change.astype(np.float32))  # the digits of the run's examples: ties are the same ones
        change = told.sub(told.astype(float).median(axis=1).astype(np.float32), axis=0).to_numpy()
        rows["label"] = (change > 0).astype(int).ravel()
        decided = change != 0
    rows["forward_return"] = change.ravel()
    return rows[(known & decided).ravel()]


def make_learner(name: str, seed: int) -> Any:
    """A learner that takes the features as a table.

    Args:
        name: logistic_regression or lightgbm.
        seed: of the learner.
    """
    if name == "lightgbm":
        import lightgbm

        # One thread: those that wait for each other burn CPU seconds where other programs run as well.
        return lightgbm.LGBMClassifier(random_state=seed, n_jobs=1, verbose=-1)
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer((OneHotEncoder(), ["share_id"]), remainder=StandardScaler())
    return make_pipeline(columns, LogisticRegression(max_iter=1000, random_state=seed))


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prices", type=Path, required=True, help="CSV file of closes, a column a share")
    parser.add_argument("--learner", choices=LEARNERS, required=True)
    parser.add_argument("--horizon", type=int, default=1, help="sessions ahead")
    parser.add_argument("--label", choices=(UP, OUTPERFORM), default=UP, help="what is predicted")
    parser.add_argument("--train", nargs=2, required=True, metavar="DATE", help="first and last session to fit on")
    parser.add_argument("--test", nargs=2, required=True, metavar="DATE", help="first and last session to predict")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--predictions", type=Path, required=True, help="Parquet file to write")
    arguments = parser.parse_args(argv)
    steps: Steps = {}
    with measured(steps, "read"):
        rows = read_rows(arguments.prices, arguments.horizon, arguments.label)
        train = rows[rows["time"].between(*arguments.train)]
        test = rows[rows["time"].between(*arguments.test)]
    with measured(steps, "fit"):
        learner = make_learner(arguments.learner, arguments.seed)
        learner.fit(train[_FEATURES], train["label"])
    with measured(steps, "predict"):
        predictions = test[["time", "share_id", "label", "forward_return"]].astype({"share_id": str})
        predictions["probability"] = learner.predict_proba(test[_FEATURES])[:, 1]
        predictions.to_parquet(arguments.predictions, index=False)
    print(json.dumps({"train_rows": len(train), "steps": steps}), flush=True)


if __name__ == "__main__":
    main()
