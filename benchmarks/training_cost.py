"""What the trainings of the networks cost, and what less of them would find: `python -m benchmarks.training_cost`.

On synthetic markets (`benchmarks/made_rows.py`), in memory and in one process, each network is trained as it is and
with one thing changed at a time: by the optimizer that Keras writes, for an epoch less and one more, and in batches of
half the rows. CPU seconds of a training, what is traced included, stand beside its skill on the test split, of which
1 is what the Bayes classifier has on the same rows; a training comes first that does not count, as it pays for what a
process does once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from statistics import fmean
from time import process_time
from typing import Any

from benchmarks.measure import print_table, write_result
from models.registry import get_architecture

MODELS = ("dnn", "custom_dnn", "rnn")
MARKETS = ("reversal", "momentum", "xor", "regime", "sizes", "threshold")
AS_IT_IS, KERAS_ADAM, LESS, MORE, HALF = (
    "as it is",
    "Adam as Keras writes it",
    "an epoch less",
    "an epoch more",
    "batches of half the rows",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the table and writes benchmarks/results/training_cost.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", nargs="+", choices=MARKETS, default=["xor", "regime"])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--members", type=int, choices=range(1, 17), default=1, help="networks a model")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--shares", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=8320)
    arguments = parser.parse_args(argv)
    from benchmarks.made_rows import make_rows

    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for market in arguments.markets:
        for seed in arguments.seeds:
            made = make_rows(market, arguments.shares, arguments.sessions, seed)
            _trained(made, MODELS[0], {"members": 1, "epochs": 1}, seed)
            for model in arguments.models:
                for what, changed in _changes(model, len(made.rows["train"].label)):
                    with _optimizer_of_keras() if what == KERAS_ADAM else nullcontext():
                        cost, skill = _trained(made, model, {"members": arguments.members, **changed}, seed)
                    print(f"{market}, seed {seed}: {model}, {what}: {cost:.2f} s, {skill:.3f}", file=sys.stderr)
                    of = found.setdefault((model, what), {})
                    of.setdefault("cpu s", []).append(cost)
                    of.setdefault(market, []).append(skill)
    table: list[dict[str, Any]] = []
    for (model, what), of in found.items():
        means = {name: fmean(values) for name, values in of.items()}
        cost = means.pop("cpu s")
        times = cost / fmean(found[model, AS_IT_IS]["cpu s"])
        skills = {f"skill on {market}": round(value, 3) for market, value in means.items()}
        table.append({"model": model, "what": what, "cpu s": cost, "times": times, **skills})
    print_table("A training", table)
    write_result("training_cost", {"members": arguments.members, "trainings": table})


def _changes(model: str, rows: int) -> list[tuple[str, dict[str, Any]]]:
    """What is changed, one thing at a time, and the hyperparameters that say so."""
    own = get_architecture(model).hyperparameters
    return [
        (AS_IT_IS, {}),
        (KERAS_ADAM, {}),
        (LESS, {"epochs": own.epochs - 1}),
        (MORE, {"epochs": own.epochs + 1}),
        (HALF, {"batch_size": own.batch_rows(rows) // 2}),
    ]


def _trained(made: Any, model: str, changed: dict[str, Any], seed: int) -> tuple[float, float]:
    """CPU seconds of a training, and the skill on the test split: 1 is what the Bayes classifier has there."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    from components.evidence.auc import skill
    from models.training import train

    declared = get_architecture(model)
    own = declared.hyperparameters.updated(changed)
    begin = process_time()
    network = train(
        model, declared.default_version, own, made.inputs, made.rows["train"], made.rows["eval"], seed
    ).model
    cost = process_time() - begin
    test = made.rows["test"]
    features = {tensor.name: test.features[tensor.name] for tensor in network.inputs}
    logit = np.asarray(network.predict(features, batch_size=8192, verbose=0))[:, 0]
    return cost, skill(float(roc_auc_score(test.label, logit)), made.bayes)


@contextmanager
def _optimizer_of_keras() -> Iterator[None]:
    import keras

    from models import gradient_steps

    fused = gradient_steps.FusedAdam
    gradient_steps.FusedAdam = keras.optimizers.Adam  # type: ignore[misc]
    try:
        yield
    finally:
        gradient_steps.FusedAdam = fused  # type: ignore[misc]


if __name__ == "__main__":
    main()
