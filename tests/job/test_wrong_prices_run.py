"""A run on prices of which one is wrong says so first, goes on, pushes nothing; and pushes once that is accepted."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from jobs import SETTINGS, awesome

from components.feature_store import FeatureStore, PriceBars, read_decisions
from components.synthetic_market import generate, write_market

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


def missed_split(path: Path) -> str:
    """A market with much signal, a share of which has a 4-for-1 split that its factor lacks; gives its day."""
    write_market(generate("reversal_easy", shares=12, sessions=700, seed=0), path)
    with FeatureStore.create(path) as store:
        share = store.shares()[3].share_id
        bars, source = store.bars(share), store.source_of(share)
        assert bars is not None
        assert source is not None
        close = bars.close.copy()
        close[650:] /= 4
        store.replace(share, PriceBars(bars.time, close, bars.factor), source)
        return f"{share}:{bars.time[650]}"


@pytest.mark.parametrize("audit", ["--audit", "--no-audit"])
def test_nothing_is_pushed_while_a_wrong_price_stands(tmp_path: Path, audit: str) -> None:
    # It has more signal than real prices ever had, which is not what is asked here.
    (tmp_path / "awesome.toml").write_text(f"audit_plausible_auc = 0.7\n{SETTINGS}")
    name = missed_split(tmp_path / "m.db")
    share, day = name.rsplit(":", 1)
    command = ("run", "--db", "m.db", "--models", "linear", audit, "--output")
    job = awesome(tmp_path, *command, "wrong")
    assert (job.code, job.err) == (0, "")
    lines = job.out.splitlines()
    assert "1 wrong" in lines[0]
    assert lines[1].startswith(f"  wrong: {share}, {day}: ")
    report = job.report("wrong")
    model = report["models"]["linear"]
    assert (report["pushed"], report["champion"], model["blessed"]) == (None, None, False)
    assert f"prices are wrong: {share} on {day}" in model["reason"]
    assert model["auc_low"] > 0.5  # it would have been blessed
    assert [one["share_id"] for one in report["prices"]["suspects"]] == [share]
    assert not list((tmp_path / "runs" / "serving").glob("*/*"))
    assert "Wrong prices, nothing pushed" in (tmp_path / "wrong" / "report.html").read_text()
    if audit == "--audit":
        assert report["audit"]["verdict"] == "suspicious"

    job = awesome(tmp_path, *command, "accepted", "--accept", name)
    assert (job.code, job.err) == (0, "")
    report = job.report("accepted")
    assert report["champion"] == "linear"
    assert report["pushed"] is not None
    assert [one["accepted"] for one in report["prices"]["suspects"]] == [True]
    if audit == "--audit":
        assert next(one for one in report["audit"]["checks"] if one["name"] == "prices")["status"] == "passed"
    with closing(sqlite3.connect(tmp_path / "m.db")) as connection:
        assert connection.execute("SELECT * FROM DECISION").fetchall() == [(share, day, "accept")]
    if audit == "--no-audit":
        forecast_of_wrong_prices(tmp_path)


def forecast_of_wrong_prices(folder: Path) -> None:
    """Tomorrow's probabilities, where the last session of a share is wrong and another share is excluded."""
    with FeatureStore.create(folder / "m.db") as store:
        wrong, excluded = (one.share_id for one in store.shares()[5:7])
        bars, source = store.bars(wrong), store.source_of(wrong)
        assert bars is not None
        assert source is not None
        close = bars.close.copy()
        close[-1] *= 100
        store.replace(wrong, PriceBars(bars.time, close, bars.factor), source)
        store.decide(read_decisions(exclude=[excluded]))
        last = bars.time[-1]
    command = ("predict", "--db", "m.db", "--model", "linear", "--run", "accepted")
    job = awesome(folder, *command)
    assert job.code == 0
    assert f"awesome prices suspects --db m.db --accept {wrong}:{last}" in job.err
    assert re.search(rf"^{wrong} +{last} +0\.\d{{4}} +{last} *$", job.out, re.MULTILINE)
    assert f"excluded shares, left out: {excluded}\n" in job.out
    said = json.loads(awesome(folder, *command, "--json").out)
    assert ([one["day"] for one in said["suspects"]], said["excluded"]) == ([str(last)], [excluded])
