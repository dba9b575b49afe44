"""Two hundred tries on the same test days, and what is blessed: `python -m benchmarks.many_runs`.

Four rules judge the same tries: today's for a single run, an allowance by count, White's reality check at every try
(the first step of StepM and of Hansen's SPA, studentised), and the project's own (docs/blessing.md). On the market
without signal nothing should ever be blessed, in at most 5 % of repeats; where there is a signal it should be, at the
first try as at the two-hundredth. Takes about six CPU minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import print_table, write_result
from benchmarks.tried_models import (
    FIRST,
    GOOD,
    TEST,
    Market,
    Setting,
    Try,
    draw_setting,
    make_try,
    near,
    scored,
)
from components.evidence.resampling import DayBlocks
from components.synthetic_market.scenarios import get_scenario
from components.trials.hurdle import allowance, errors, hurdle
from components.trials.record import Record

TRIES = 200
SEEN = (1, 10, 50, 200)
SHARES, MANY_SHARES = 10, 100
"""Where a signal is weak or nothing but chance, and where a signal is plain."""
TODAY, COUNT, CHECK, OURS = "single run", "by count", "reality check", "awesome"
RULES = (TODAY, COUNT, CHECK, OURS)
_SINGLE = errors(0.025)


def main() -> int:
    """Prints the tables and writes benchmarks/results/many_runs.json; 0 if every requirement holds, else 1."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=100, help="markets without signal")
    parser.add_argument("--choosing", type=int, default=30, help="those where tries are chosen by what was seen")
    parser.add_argument("--signals", type=int, default=20, help="markets with a signal")
    arguments = parser.parse_args()
    with threadpool_limits(1):  # matrices are small, and threads would only wait for each other
        noise, wear = _noise(arguments.repeats, arguments.choosing)
        power = _power(arguments.signals)
        daily = _daily(arguments.repeats, arguments.signals)
    tables = {"noise": noise, "wear": wear, "power": power, "daily": daily}
    titles = {
        "noise": f"Ever blessed within {TRIES} tries on a market without signal",
        "wear": "What a model needs, in standard errors above 1/2",
        "power": "Blessed where there is a signal",
        "daily": "Trained again on each of 200 days, on the latest days",
    }
    for name, rows in tables.items():
        print_table(titles[name], rows)
    write_result("many_runs", {"tries": TRIES, "test days": TEST, **tables})
    return 1 if any(row.get("holds") == "no" for rows in tables.values() for row in rows) else 0


def _noise(repeats: int, choosing: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is blessed by chance, and how the hurdle rises."""
    ways: dict[str, Callable[[Market, np.random.Generator], list[Try]]] = {
        "drawn": _drawn,
        "nearer to the best": _climbing,
        "averages of the best": _averaging,
    }
    asked = {("drawn", OURS): 0.05}
    rows, wear = [], []
    for number, (way, tries_of) in enumerate(ways.items()):
        ever = dict.fromkeys(RULES, 0)
        times = choosing if number else repeats
        for seed in range(number * 1000, number * 1000 + times):
            _told(f"no signal, {way}: {ever}", seed % 1000, times)
            tries = tries_of(Market.of(get_scenario("null"), SHARES, FIRST + TEST, seed), np.random.default_rng(seed))
            for rule, blessed in _blessed(tries).items():
                ever[rule] += bool(blessed)
            if way == "drawn" and seed < 20:
                wear.append(_hurdles(tries))
        rows += [
            {
                "tries": way,
                "repeats": times,
                "rule": rule,
                "ever blessed": ever[rule] / times,
                "asked": f"<= {asked[way, rule]}" if (way, rule) in asked else "",
                "holds": _yes(ever[rule] / times <= asked[way, rule]) if (way, rule) in asked else "",
            }
            for rule in RULES
        ]
    mean = np.mean(wear, axis=0)
    rising = [
        {
            "try": seen,
            "independent tries": round(float(mean[place, 0]), 1),
            TODAY: _SINGLE,
            COUNT: by_count(seen),
            CHECK: float(mean[place, 2]),
            OURS: float(mean[place, 1]),
        }
        for place, seen in enumerate(SEEN)
    ]
    return rows, rising


def _drawn(market: Market, rng: np.random.Generator) -> list[Try]:
    return _distinct(market, lambda _: make_try(market, draw_setting(rng)))


def _climbing(market: Market, rng: np.random.Generator) -> list[Try]:
    """Every other try changes one thing of the best so far: what a person does who looks at the test days' AUC."""

    def ask(done: list[tuple[float, Try]]) -> Try:
        best = max(done, key=lambda one: one[0])[1].setting if done and rng.random() < 0.5 else None
        return make_try(market, draw_setting(rng) if best is None else near(best, rng))

    return _distinct(market, ask)


def _averaging(market: Market, rng: np.random.Generator) -> list[Try]:
    """Every other try is the mean of the best two to ten so far: an ensemble that is chosen on the test days."""

    def ask(done: list[tuple[float, Try]]) -> Try:
        known = sorted((one for one in done if one[1].setting.horizon == 1), key=lambda one: -one[0])
        if len(known) < 10 or rng.random() < 0.5:
            return make_try(market, draw_setting(rng))
        best = [one for _, one in known[: int(rng.integers(2, 11))]]
        return scored(market, replace(GOOD, learner="mean"), np.mean([one.probability for one in best], axis=0), FIRST)

    return _distinct(market, ask)


def _distinct(market: Market, ask: Callable[[list[tuple[float, Try]]], Try]) -> list[Try]:
    """TRIES tries with different answers: the same answers are no new try under any rule."""
    done: list[tuple[float, Try]] = []
    seen: set[str] = set()
    while len(done) < TRIES:
        one = ask(done)
        if one.trial.id not in seen:
            seen.add(one.trial.id)
            done.append((one.quick, one))
    return [one for _, one in done]


def _blessed(tries: Sequence[Try]) -> dict[str, list[int]]:
    """By rule, the places of the tries that it blesses."""
    blessed: dict[str, list[int]] = {rule: [] for rule in RULES}
    checks = _checks(tries)
    for place, one in enumerate(tries):
        if one.quick < 0.95 * min(_SINGLE, checks[place]):  # no rule asks for so little
            continue
        found = one.errors()
        needed = {TODAY: _SINGLE, COUNT: by_count(place + 1), CHECK: float(checks[place])}
        # No later try needs less than the first epoch does: of most it need not be known how much more.
        needed[OURS] = _SINGLE if place == 0 else allowance(1)[1]
        if place and found > needed[OURS]:
            needed[OURS] = _needed(tries, place)
        for rule in RULES:
            if found > needed[rule]:
                blessed[rule].append(place)
    return blessed


def _checks(tries: Sequence[Try]) -> NDArray[np.float64]:
    return reality_checks(np.array([one.influence for one in tries]), tries[0].blocks)


def _needed(tries: Sequence[Try], place: int) -> float:
    return hurdle(Record(True, tuple(one.trial for one in tries[:place])), tries[place].trial).needed


def _hurdles(tries: Sequence[Try]) -> list[tuple[float, float, float]]:
    """At each of SEEN: independent tries, what the project's rule needs, and what a reality check does."""
    record = [one.trial for one in tries]
    checks = _checks(tries)
    found = [hurdle(Record(True, tuple(record[: seen - 1])), record[seen - 1]) for seen in SEEN]
    return [(one.independent, one.needed, float(checks[seen - 1])) for one, seen in zip(found, SEEN, strict=True)]


def by_count(seen: int) -> float:
    """What the seen-th try needs where half of the 5 % is for the first and half for all later ones.

    Their parts are 1 / 2 + 1 / 6 + 1 / 12 + ... = 1.
    """
    return errors(0.025 if seen == 1 else 0.025 / (seen * (seen - 1)))


def reality_checks(influence: NDArray[np.float64], blocks: DayBlocks) -> NDArray[np.float64]:
    """What each try has to exceed so that the best of it and all before does by chance in 5 %, [tries].

    Args:
        influence: of each try on each day, [tries, days].
        blocks: of the days.
    """
    drawn = blocks.sums((influence - influence.mean(axis=1, keepdims=True)).T)
    drawn /= drawn.std(axis=0)
    return np.quantile(np.maximum.accumulate(drawn, axis=1), 0.95, axis=0)


def _power(repeats: int) -> list[dict[str, Any]]:
    """How often a model that knows something is blessed, after how many tries on its market."""
    rows = []
    for shares, least in ((SHARES, None), (MANY_SHARES, 0.95)):
        blessed = {(seen, rule): 0 for seen in SEEN for rule in RULES}
        found = []
        for seed in range(repeats):
            _told(f"reversal, {shares} shares", seed, repeats)
            market = Market.of(get_scenario("reversal"), shares, FIRST + TEST, seed)
            rng = np.random.default_rng(seed)
            others = [make_try(market, draw_setting(rng)) for _ in range(TRIES - 1)]
            good = make_try(market, GOOD)
            found.append(good.errors())
            for seen in SEEN:
                tries = [*others[: seen - 1], good]
                needed = {TODAY: _SINGLE, COUNT: by_count(seen), CHECK: float(_checks(tries)[-1])}
                needed[OURS] = _needed(tries, seen - 1)
                for rule in RULES:
                    blessed[seen, rule] += found[-1] > needed[rule]
        for seen in SEEN:
            share = {rule: blessed[seen, rule] / repeats for rule in RULES}
            row = {"market": f"reversal, {shares} shares", "errors": float(np.mean(found)), "try": seen, **share}
            rows.append(row | _asked_power(seen, share, least))
    return rows


def _asked_power(seen: int, share: dict[str, float], least: float | None) -> dict[str, str]:
    if seen == 1:
        return {"asked": f">= 0.9 x {TODAY}", "holds": _yes(share[OURS] >= 0.9 * share[TODAY])}
    if seen == TRIES and least is not None:
        return {"asked": f">= {least}", "holds": _yes(share[OURS] >= least)}
    return {"asked": "", "holds": ""}


def _daily(repeats: int, signals: int) -> list[dict[str, Any]]:
    """Trained again every day, on test days that move on by one."""
    by_day = np.zeros(TRIES + TEST)
    any_day = 0
    for seed in range(repeats):
        _told(f"no signal, trained daily, {any_day} blessed", seed, repeats)
        blessed = _blessed(_retrained("null", SHARES, seed))[OURS]
        held = np.zeros(TRIES + TEST, bool)
        for place in blessed:
            held[place : place + TEST] = True
        by_day += held
        any_day += bool(blessed)
    worst = float(by_day.max()) / repeats
    rows: list[dict[str, Any]] = [
        {
            "market": "null",
            "what": "blessed on some day that holds a test day, at the worst of them",
            "found": worst,
            "asked": "<= 0.05",
            "holds": _yes(worst <= 0.05),
        },
        {
            "market": "null",
            "what": "blessed on any of the days",
            "found": any_day / repeats,
            "asked": "",
            "holds": "",
        },
    ]
    for shares, least in ((MANY_SHARES, 0.95), (SHARES, None)):
        still, independent, needed = 0, [], []
        for seed in range(signals):
            _told(f"reversal, {shares} shares, trained daily", seed, signals)
            tries = _retrained("reversal", shares, seed)
            found = hurdle(Record(True, tuple(one.trial for one in tries[:-1])), tries[-1].trial)
            still += tries[-1].errors() > found.needed
            independent.append(found.independent)
            needed.append(found.needed)
        share = still / signals
        about = f"{np.mean(independent):.1f} independent tries, {np.mean(needed):.2f} standard errors needed"
        rows.append(
            {
                "market": f"reversal, {shares} shares",
                "what": f"still blessed on the {TRIES}th day ({about})",
                "found": share,
                "asked": "" if least is None else f">= {least}",
                "holds": "" if least is None else _yes(share >= least),
            }
        )
    return rows


def _retrained(scenario: str, shares: int, seed: int) -> list[Try]:
    """A net that is trained again each day on the latest days, from another seed."""
    market = Market.of(get_scenario(scenario), shares, FIRST + TEST + TRIES, seed)
    setting = Setting("net", "latest", 16, 0.01, 1, seed)
    return [make_try(market, replace(setting, seed=seed * 1000 + day), FIRST + day) for day in range(TRIES)]


def _told(what: str, seed: int, repeats: int) -> None:
    if seed % 10 == 0:
        print(f"{what}: {seed} of {repeats}", file=sys.stderr, flush=True)


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


if __name__ == "__main__":
    sys.exit(main())
