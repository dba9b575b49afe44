"""What somebody would write instead of the main job: `python -m benchmarks.plain_keras DATABASE`.

The windows of the same database, the same splits, the same four models with as many networks, the two baselines, and
an AUC with an interval from resampled blocks of days; Keras, scikit-learn and LightGBM, and nothing of this project.
No schema, no audit, no report, nothing that could be served. The last line is JSON: CPU seconds by part, AUCs.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

MEMBERS, BATCH, PATIENCE, RATE = 4, 2048, 3, 5e-3
WINDOW, GAP, RESAMPLES, BLOCK = 20, 21, 100, 12


def main(database: str) -> None:
    """Trains all, and prints what each part used."""
    seconds: dict[str, float] = {}
    clock = [0.0]

    def done(part: str) -> None:
        now = time.process_time()
        seconds[part] = now - clock[0]
        clock[0] = now

    import keras
    import lightgbm
    import numpy as np
    import pandas as pd
    import sklearn.linear_model
    import sklearn.metrics
    import sklearn.preprocessing
    from scipy import sparse

    done("imports")
    with sqlite3.connect(database) as connection:
        table = pd.read_sql("SELECT * FROM FEATURE ORDER BY time, share_id", connection)
    closes = table[[f"close{back}" for back in range(WINDOW, -1, -1)]].to_numpy()
    returns = np.diff(np.log(closes), axis=1)
    volatility = returns.std(axis=1, keepdims=True) + 1e-8
    shares = pd.factorize(table["share_id"], sort=True)[0].astype(np.int32)[:, None]
    ahead = table.groupby("share_id")["close0"].shift(-1)
    label = (ahead > table["close0"]).to_numpy(np.float32)
    known = (ahead.notna() & (ahead != table["close0"])).to_numpy()
    day = pd.factorize(table["time"], sort=True)[0]
    first, second = int(0.7 * (day.max() + 1)), int(0.8 * (day.max() + 1))
    train = known & (day < first - 1)
    held_out = known & (day >= first + GAP) & (day < second - 1)
    test = known & (day >= second + GAP)
    steps, size = (returns / volatility).astype(np.float32), np.log(volatility)
    size = ((size - size[train].mean()) / size[train].std()).astype(np.float32)
    inputs = [steps, size, shares]
    done("data")

    answers: dict[str, Any] = {}
    for name, network in _networks(int(shares.max()) + 1).items():
        epochs = 6 if name == "custom_dnn" else 5
        logits: list[Any] = []
        for seed in range(1 if name == "linear" else MEMBERS):
            keras.utils.set_random_seed(seed)
            model = network()
            decay = keras.optimizers.schedules.CosineDecay(RATE, epochs * -(-int(train.sum()) // BATCH))
            loss = keras.losses.BinaryCrossentropy(from_logits=True)
            model.compile(optimizer=keras.optimizers.Adam(decay), loss=loss)
            model.fit(
                [one[train] for one in inputs],
                label[train],
                batch_size=BATCH,
                epochs=epochs,
                validation_data=([one[held_out] for one in inputs], label[held_out]),
                validation_batch_size=4 * BATCH,
                callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)],
                verbose=0,
            )
            asked = [one[test] for one in inputs]
            logits.append(model.predict(asked, batch_size=4 * BATCH, verbose=0)[:, 0])
        answers[name] = 1 / (1 + np.exp(-np.mean(logits, axis=0)))
        done(name)

    numbers = np.hstack([steps, size])
    one_hot = sklearn.preprocessing.OneHotEncoder().fit_transform(shares)
    wide = sparse.hstack([numbers, one_hot], format="csr")
    logistic = sklearn.linear_model.LogisticRegression(max_iter=1000).fit(wide[train], label[train])
    answers["logistic_regression"] = logistic.predict_proba(wide[test])[:, 1]
    done("logistic_regression")
    seen = np.hstack([numbers, shares.astype(np.float32)])
    learned = lightgbm.Dataset(seen[train], label[train], categorical_feature=[seen.shape[1] - 1])
    trees = lightgbm.train(
        {"objective": "binary", "learning_rate": 0.05, "num_threads": 1, "verbose": -1},
        learned,
        500,
        valid_sets=[learned.create_valid(seen[held_out], label[held_out])],
        callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )
    answers["lightgbm"] = trees.predict(seen[test])
    done("lightgbm")

    risen, tested = label[test], day[test] - day[test].min()
    begins = np.searchsorted(tested, np.arange(tested.max() + 2))  # rows are in order of time
    rng = np.random.default_rng(0)
    areas = {}
    for name, probability in answers.items():
        areas[name] = float(sklearn.metrics.roc_auc_score(risen, probability))
        for figure in (sklearn.metrics.log_loss, sklearn.metrics.average_precision_score):
            figure(risen, probability)
        sklearn.metrics.accuracy_score(risen, probability > 0.5)
        resampled = []
        for _ in range(RESAMPLES):
            days = len(begins) - 1
            drawn = (rng.integers(0, days, -(-days // BLOCK))[:, None] + np.arange(BLOCK)).reshape(-1)[:days] % days
            rows = np.concatenate([np.arange(begins[one], begins[one + 1]) for one in drawn])
            resampled.append(sklearn.metrics.roc_auc_score(risen[rows], probability[rows]))
        np.percentile(resampled, [2.5, 97.5])
    done("figures")
    print(json.dumps({"cpu": seconds, "auc": areas, "rows": int(train.sum() + held_out.sum() + test.sum())}))


def _networks(shares: int) -> dict[str, Any]:
    """Builders by name; each network takes steps [n, 20], their size [n, 1] and shares [n, 1], and gives a logit."""
    import keras
    from keras import layers

    def finished(builder: Any) -> Any:
        def build() -> Any:
            steps, size = keras.Input((WINDOW,)), keras.Input((1,))
            share = keras.Input((1,), dtype="int32")
            return keras.Model([steps, size, share], layers.Dense(1)(builder(steps, size, share)))

        return build

    def embedded(share: Any, width: int = 4) -> Any:
        return layers.Flatten()(layers.Embedding(shares, width)(share))

    def linear(steps: Any, size: Any, share: Any) -> Any:
        return layers.Concatenate()([steps, size, embedded(share, 1)])

    def dnn(steps: Any, size: Any, share: Any) -> Any:
        hidden = layers.Concatenate()([steps, size, embedded(share)])
        for units in (256, 128, 64):
            hidden = layers.Dropout(0.1)(layers.Dense(units, activation="relu")(hidden))
        return hidden

    def custom_dnn(steps: Any, size: Any, share: Any) -> Any:
        hidden = layers.Reshape((WINDOW, 1))(steps)
        for units in (16, 16):
            hidden = layers.Dense(units, activation="relu")(hidden)
        hidden = layers.Concatenate()([layers.Flatten()(hidden), size, embedded(share)])
        return layers.Dropout(0.1)(layers.Dense(128, activation="relu")(hidden))

    def rnn(steps: Any, size: Any, share: Any) -> Any:
        state = layers.SimpleRNN(16)(layers.Reshape((WINDOW, 1))(steps))
        return layers.Concatenate()([state, size, embedded(share)])

    return {one.__name__: finished(one) for one in (linear, dnn, custom_dnn, rnn)}


if __name__ == "__main__":
    main(sys.argv[1])
