from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from components.errors import StoreError, UserError
from components.feature_store import CLOSE_COLUMNS, FeatureStore
from components.synthetic_market import SCENARIOS, generate, get_scenario, write_market


def test_market_has_weekdays_shares_and_prices() -> None:
    market = generate("reversal", shares=3, sessions=7)
    assert [str(day)[-5:] for day in market.time] == ["01-03", "01-04", "01-05", "01-06", "01-07", "01-10", "01-11"]
    assert str(market.time[0]) == "2000-01-03"
    assert market.time.dtype == np.dtype("datetime64[D]")
    assert market.share_ids == ("S000", "S001", "S002")
    assert market.close.shape == (7, 3)
    assert market.scenario is SCENARIOS["reversal"]


def test_prices_are_the_compounded_returns() -> None:
    market = generate("momentum", shares=4, sessions=50, seed=3)
    returns = get_scenario("momentum").simulate(4, 50, np.random.default_rng(3))
    np.testing.assert_allclose(market.close[0], 100 * np.exp(0.02 * returns[0]))
    np.testing.assert_allclose(np.diff(np.log(market.close), axis=0), 0.02 * returns[1:], atol=1e-12)


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_a_seed_decides_the_market(name: str) -> None:
    first, again, other = (generate(name, shares=5, sessions=40, seed=seed).close for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)


@pytest.mark.parametrize("name", ["volume_reversal", "survivors"])
def test_bars_fit_their_closes_and_come_back_from_the_store(name: str, tmp_path: Path) -> None:
    market = generate(name, shares=40, sessions=900, seed=2)
    bars, there = market.bars, ~np.isnan(market.close)
    ends = np.stack([bars.open, market.close])[:, there]
    assert (bars.high[there] >= ends.max(axis=0)).all()
    assert (bars.low[there] <= ends.min(axis=0)).all()
    assert (bars.volume >= 1).all()
    assert (bars.volume == np.rint(bars.volume)).all()

    write_market(market, tmp_path / "market.db")
    with FeatureStore.open(tmp_path / "market.db") as store:
        for at, share in enumerate(market.share_ids):
            held = store.bars(share)
            assert held is not None
            for column in ("open", "high", "low", "volume"):
                expected = getattr(bars, column)[: len(held), at]
                np.testing.assert_array_equal(held.column(column), expected, err_msg=f"{column} of {share}")


def test_a_day_is_a_brownian_path_through_its_open() -> None:
    market = generate("null", shares=200, sessions=500, seed=3)
    logs = np.log(market.close)
    gap, rest = np.log(market.bars.open)[1:] - logs[:-1], (logs - np.log(market.bars.open))[1:]
    wide = np.log(market.bars.high / market.bars.low)
    error = math.sqrt(2 / gap.size)

    assert gap.var() / 0.02**2 == pytest.approx(0.3, abs=4 * 0.3 * error)
    assert rest.var() / 0.02**2 == pytest.approx(0.7, abs=4 * 0.7 * error)
    assert np.mean(gap * rest) / 0.02**2 == pytest.approx(0, abs=4 / math.sqrt(gap.size))
    # Parkinson's: the mean square of a path's range is 4 log 2 times its variance. Here high and low are each drawn
    # by themselves, which changes the mean square of their distance a little.
    up = np.log(market.bars.high / market.bars.open)
    assert up.mean() / (0.02 * math.sqrt(0.7)) == pytest.approx(math.sqrt(2 / math.pi), abs=4 / math.sqrt(up.size))
    assert np.mean(wide**2) / (4 * math.log(2)) == pytest.approx(0.7 * 0.02**2, rel=0.05)


def test_volumes_have_a_level_of_each_share_and_a_part_in_common() -> None:
    market = generate("volume_reversal", shares=300, sessions=600, seed=4)
    _, activity = get_scenario("volume_reversal").traded(300, 600, np.random.default_rng(4))
    logs = np.log(market.bars.volume)
    own = logs - logs.mean(axis=0) - (logs - logs.mean(axis=0)).mean(axis=1, keepdims=True)

    assert np.corrcoef(own.ravel(), activity.ravel())[0, 1] > 0.995
    assert logs.mean(axis=0).std() == pytest.approx(1, abs=0.15)
    common = logs.mean(axis=1)
    assert np.corrcoef(common[1:], common[:-1])[0, 1] == pytest.approx(0.9, abs=0.08)


def test_many_shares_keep_their_order_as_text() -> None:
    ids = generate("null", shares=1001, sessions=1).share_ids
    assert ids[0] == "S0000"
    assert list(ids) == sorted(ids)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shares": 0}, "empty"),
        ({"sessions": 0}, "empty"),
        ({"seed": -1}, "seed -1"),
        ({"sessions": 3_000_000, "shares": 1}, "ask for fewer"),
        ({"scenario": "moonshot"}, "moonshot"),
    ],
)
def test_impossible_markets_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        generate(**{"scenario": "null", **settings})  # type: ignore[arg-type]


def test_prices_beyond_the_range_of_floats_are_refused() -> None:
    with pytest.raises(UserError, match="ask for fewer"):
        generate("share_drift", shares=2, sessions=1_500_000)


def test_written_market_comes_back(tmp_path: Path) -> None:
    market = generate("xor", shares=3, sessions=60, seed=5)
    seen: list[tuple[int, int]] = []
    write_market(market, tmp_path / "market.db", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with FeatureStore.open(tmp_path / "market.db") as store:
        summaries = store.shares()
        table = store.read_features(market.share_ids).to_pandas()
    assert [(s.share_id, s.rows, s.source) for s in summaries] == [
        (share_id, 40, "synthetic:xor") for share_id in market.share_ids
    ]
    second = table[table["share_id"] == "S001"]
    assert list(second["time"]) == [str(day) for day in market.time[20:]]
    # The store may round nothing: closes come back to the last bit.
    for lag in (0, 20):
        np.testing.assert_array_equal(second[CLOSE_COLUMNS[lag]], market.close[20 - lag : 60 - lag, 1])


def test_writing_again_changes_nothing_and_other_markets_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    write_market(generate("null", shares=3, sessions=60), path)
    with FeatureStore.open(path) as store:
        before = store.digest()
    write_market(generate("null", shares=3, sessions=60), path)
    for other in (
        generate("xor", shares=3, sessions=60),
        generate("null", shares=2, sessions=60),
        generate("null", shares=3, sessions=50),
    ):
        with pytest.raises(StoreError, match="new file"):
            write_market(other, path)
    with FeatureStore.open(path) as store:
        assert store.digest() == before


def test_shares_that_fall_far_are_delisted_and_the_store_says_when_and_at_which_return(tmp_path: Path) -> None:
    market = generate("survivors", shares=60, sessions=1200, seed=2)
    plain = 100 * np.exp(
        0.02 * np.cumsum(get_scenario("survivors").simulate(60, 1200, np.random.default_rng(2)), axis=0)
    )
    fatal = plain <= 100 * np.exp(-0.75)
    for s in range(60):
        last = int(np.argmax(fatal[:, s])) if fatal[:, s].any() else 1199
        np.testing.assert_array_equal(market.close[: last + 1, s], plain[: last + 1, s])
        assert np.isnan(market.close[last + 1 :, s]).all()
    assert 5 < market.ended.sum() < 40

    write_market(market, tmp_path / "market.db")
    write_market(market, tmp_path / "market.db")
    with FeatureStore.open(tmp_path / "market.db") as store:
        spells, last = store.listings.members(), {one.share_id: one.last for one in store.shares()}
    assert [one.share_id for one in spells] == list(market.share_ids)
    for one, ended in zip(spells, market.ended, strict=True):
        assert one.first == market.time[0].item()
        assert (one.last, one.delisting_return) == ((last[one.share_id], -0.3) if ended else (None, None))

    alive = market.survivors()
    np.testing.assert_array_equal(alive.close, plain[:, ~market.ended])
    write_market(alive, tmp_path / "alive.db")
    with FeatureStore.open(tmp_path / "alive.db") as store:
        assert [one.share_id for one in store.shares()] == list(alive.share_ids)
        assert store.listings.members() == ()
    for nobody_ends in (generate("null", shares=3, sessions=60), generate("survivors", shares=3, sessions=30)):
        with pytest.raises(UserError, match="cannot be had without the dead: no share of it has ended"):
            nobody_ends.survivors()


def test_what_is_left_has_risen_as_the_dead_are_gone() -> None:
    """By the reflection principle; the bound is passed by 0.58 deviations of a session (Broadie et al. 1997)."""
    sessions = 2900
    market = generate("survivors", shares=4000, sessions=sessions, seed=3)
    bound = 0.75 + 0.5826 * 0.02
    dead = 2 * NormalDist().cdf(-bound / (0.02 * sessions**0.5))
    assert market.ended.mean() == pytest.approx(dead, abs=4 * (dead * (1 - dead) / 4000) ** 0.5)
    # All walks stay where they are in the mean, so what the living have gained is what the dead have lost.
    gained = np.log(market.close[-1, ~market.ended] / 100)
    assert gained.mean() == pytest.approx(bound * dead / (1 - dead), abs=4 * gained.std() / gained.size**0.5)


def test_one_row_in_thousands_is_known_and_no_more_of_the_limit_is_left_out() -> None:
    market = generate("survivors", shares=2000, sessions=2900, seed=4)
    rows = np.count_nonzero(~np.isnan(market.close))
    # All rows of the dead that are known are downs, and half of the others: AUC = 1/2 + d / (1 + d).
    part = market.ended.sum() / rows
    assert 0.0001 < part / (1 + part) < 0.0003


def test_an_interrupted_run_leaves_no_dead_share_that_is_a_member_for_ever(tmp_path: Path) -> None:
    market = generate("survivors", shares=60, sessions=1200, seed=2)

    def stop(done: int, total: int) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_market(market, tmp_path / "market.db", stop)
    with FeatureStore.open(tmp_path / "market.db") as store:
        ends = {one.share_id: one.last for one in store.listings.members() if one.last}
        assert len(store.shares()) == 30
        assert set(ends) == {share for share, ended in zip(market.share_ids, market.ended, strict=True) if ended}
