"""Whether networks find what trees find, on synthetic markets: `python -m benchmarks.networks`.

Each market is made of its seed, split by date, seen through `window_returns` and learned in memory by what
`awesome run` splits, transforms and trains with; benchmarks.skill has the whole pipeline. Several versions of a model
stand side by side (`--models dnn:1 dnn:2`), and two LightGBMs with their defaults: on the same features, and on the
plain returns of the window.

What is asked of a market: the best network is not below the better LightGBM beyond the interval of their difference
(95 %, paired by day, mean over the seeds), and it has 0.9 or more of what the Bayes classifier has on the same test
rows where any learner has (benchmarks/bayes.py; *skill* holds it against the best possible AUC, which is an
expectation). Which one is the best is seen on the test split, of networks as of trees. The architectures were chosen
on some of the markets (`CHOSEN_ON`).
With `--keep FILE` a run that was stopped goes on where it was, and several
processes can share the markets; the file is for one build. A market takes some 20 seconds of CPU time a member of a
model.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.default_trees import on_features, on_returns
from benchmarks.measure import print_table, write_result
from components.evidence.words import low_to_high, number4
from models.errors import UnknownNameError
from models.registry import get_architecture

CHOSEN_ON = ("sizes", "xor_far", "turbulence")
"""The markets that architectures were chosen on."""

REPORTED = ("larger", "threshold", "residual_reversal", "weekday")
"""Those that came as late and were not looked at."""

BEFORE = ("null", "reversal", "momentum", "xor", "regime", "market_factor", "share_drift")
"""Those that were there before: nothing may be lost on them."""

TREES = ("lightgbm", "lightgbm on returns")
LEAST = 0.9
OF_BAYES = "of bayes"
NULL_TOLERANCE = 0.01


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables and writes benchmarks/results/networks.json; 0 if all that is asked holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    markets = (*CHOSEN_ON, *REPORTED, *BEFORE)
    parser.add_argument("--markets", nargs="+", choices=markets, default=markets)
    networks = ("dnn", "custom_dnn", "rnn")
    parser.add_argument("--models", nargs="+", type=_model, default=networks, help="as in awesome run --models")
    parser.add_argument("--members", type=_members, help="networks a model; default is each model's own number")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--shares", type=int, default=100)
    parser.add_argument("--sessions", type=int, default=2900)
    parser.add_argument("--keep", type=Path, help="a file of what was measured, which is not measured again")
    arguments = parser.parse_args(argv)
    size = arguments.shares, arguments.sessions
    settings = {"models": list(arguments.models), "members": arguments.members, "size": list(size)}
    rows: list[dict[str, Any]] = []
    for market in arguments.markets:
        for seed in arguments.seeds:
            asked = {"market": market, "seed": seed} | settings
            found = _kept(arguments.keep, asked)
            if found is None:
                found = _measure(market, arguments.models, arguments.members, seed, *size)
                _keep(arguments.keep, asked, found)
            rows += [{"market": market, "seed": seed, **row} for row in found]
            for row in found:
                print(f"{market}, seed {seed}: {row}", file=sys.stderr, flush=True)
    table = [summary(market, [row for row in rows if row["market"] == market]) for market in arguments.markets]
    print_table("Learners", rows)
    print_table("Networks beside trees", table)
    write_result("networks", {"learners": rows, "markets": table})
    return 1 if any(row["holds"] == "no" for row in table) else 0


def _kept(path: Path | None, asked: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """What a file has of a market, a seed and the settings; None where it has nothing."""
    if path is None or not path.is_file():
        return None
    for line in path.read_text(encoding="utf-8").splitlines():
        held: dict[str, Any] = json.loads(line)
        if held["asked"] == asked:
            rows: list[dict[str, Any]] = held["rows"]
            return rows
    return None


def _keep(path: Path | None, asked: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"asked": asked, "rows": rows}) + "\n")


def _model(text: str) -> str:
    """A model's name, with its version or without, if there is such a one."""
    name, _, version = text.partition(":")
    try:
        versions = get_architecture(name).versions
    except UnknownNameError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if version and version not in map(str, versions):
        known = ", ".join(map(str, versions))
        raise argparse.ArgumentTypeError(f"{name} has no version {version!r}; there are {known}")
    return text


def _members(text: str) -> int:
    """A number of networks."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of networks: ask for 1 or more")
    return int(text)


def _measure(
    market: str, models: Sequence[str], members: int | None, seed: int, shares: int, sessions: int
) -> list[dict[str, Any]]:
    """A row a learner, of one market."""
    from benchmarks.made_rows import make_rows
    from models.training import train

    made = make_rows(market, shares, sessions, seed)
    rows, test = made.rows, made.rows["test"]
    told = {"time": pd.to_datetime(pd.Series(test.time.astype(str)), format="%Y%m%d"), "share_id": test.share_id}
    ahead = {"forward_return": test.forward_return, "next_return": test.next_return}
    answers = pd.DataFrame({**told, "label": test.label.astype(int), **ahead})
    seconds = {}
    for model in models:
        name, _, version = model.partition(":")
        declared = get_architecture(name)
        own = declared.hyperparameters.updated({} if members is None else {"members": members})
        begin = process_time()
        at = int(version or declared.default_version)
        network = train(name, at, own, made.inputs, rows["train"], rows["eval"], seed).model
        seconds[model] = process_time() - begin
        features = {tensor.name: test.features[tensor.name] for tensor in network.inputs}
        answers[model] = 1 / (1 + np.exp(-network.predict(features, batch_size=8192, verbose=0)[:, 0].astype(float)))
    answers[TREES[0]] = on_features(rows["train"], test, seed)
    answers[TREES[1]] = on_returns(made.closes["train"], rows["train"].label, made.closes["test"], seed)
    return learners(answers, list(models), (made.best, made.bayes), seed, seconds)


def learners(
    predictions: pd.DataFrame,
    networks: Sequence[str],
    possible: tuple[float | None, float],
    seed: int,
    seconds: Mapping[str, float],
) -> list[dict[str, Any]]:
    """A row a learner, the networks first.

    Args:
        predictions: the test rows, as `compare` takes them, with a column a network and a LightGBM.
        networks: their names.
        possible: the best possible AUC, and that of the Bayes classifier on these rows.
        seed: of the resampling.
        seconds: CPU time of a network's training, by name.

    Returns:
        AUC, skill and part of what Bayes has (None where nothing can be known) and, of a network, how far its AUC is
        ahead of the better LightGBM's, with the standard error of that.
    """
    from components.evidence.auc import skill
    from components.evidence.comparing import compare
    from components.evidence.metric import AUC

    findings, _ = compare(predictions, networks, TREES, 1, seed)
    areas = {name: found.scores[AUC].value for name, found in findings.models.items()}
    areas |= {name: scores[AUC].value for name, scores in findings.baselines.items()}
    rival = max(TREES, key=lambda name: areas[name])
    best, bayes = possible
    knowable = best is not None and best != 0.5
    rows = []
    for name, area in areas.items():
        row: dict[str, Any] = {"learner": name, "auc": round(area, 4), "best": best, "bayes": round(bayes, 4)}
        row["skill"] = round(skill(area, best), 4) if best is not None and knowable else None
        row[OF_BAYES] = round(skill(area, bayes), 4) if knowable else None
        row |= {"ahead of trees": None, "error": None, "cpu s": None}
        if name in networks:
            ahead = findings.models[name].differences[rival][AUC]
            row |= {"ahead of trees": ahead.value, "error": ahead.standard_error, "cpu s": seconds[name]}
        rows.append(row)
    return rows


def summary(market: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the seeds of a market say together.

    Args:
        market: its name.
        rows: those of `learners` of all seeds.
    """
    role = "chosen on" if market in CHOSEN_ON else "reported" if market in REPORTED else "before"
    frame = pd.DataFrame(rows)
    unknowable = bool(frame[OF_BAYES].isna().all())
    measure = "auc" if unknowable else OF_BAYES
    means = frame.groupby("learner", sort=False)[measure].mean()
    networks = means[[name for name in means.index if name not in TREES]]
    possible = {"best auc": rows[0]["best"], "bayes auc": round(float(frame["bayes"].mean()), 4)}
    found = {"market": market, "role": role, **possible, "measure": measure}
    found |= {name: round(value, 3) for name, value in means.items()}
    if unknowable:
        holds = bool((abs(networks - 0.5) < NULL_TOLERANCE).all())
        asked = f"abs(AUC - 0.5) < {NULL_TOLERANCE}"
        return found | {
            "best network": "",
            "its skill": "",
            "auc ahead": "",
            "asked": asked,
            "holds": "yes" if holds else "no",
        }
    best = networks.idxmax()
    mine = frame[frame["learner"] == best]
    ahead = float(mine["ahead of trees"].mean())
    reach = NormalDist().inv_cdf(0.975) * float((mine["error"] ** 2).sum()) ** 0.5 / len(mine)
    found_by_some = means.max() >= LEAST
    holds = ahead + reach >= 0 and (not found_by_some or networks[best] >= LEAST)
    interval = low_to_high(ahead - reach, ahead + reach, number4)
    return found | {
        "best network": best,
        "its skill": round(float(mine["skill"].mean()), 3),
        "auc ahead": f"{number4(ahead)} ({interval})",
        "asked": "not below trees" + (f", {LEAST} of Bayes" if found_by_some else ""),
        "holds": "yes" if holds else "no",
    }


if __name__ == "__main__":
    raise SystemExit(main())
