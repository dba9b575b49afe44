"""The tables and charts of the notebooks, on statistics and figures made by hand."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import judged_runs
import numpy as np
import pandas as pd
import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

import awesome
from models.formatters.closes_with_time import FORMATTER as CLOSES_WITH_TIME
from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
from models.schema import schema_for
from pipeline.notebook import charts, data, trading
from pipeline.notebook.run import NotebookError, Shown, find_run
from pipeline.runs.folder import FinishedRun, save_report
from pipeline.runs.results import ReportError, RunReport, SplitResult


def report(**changes: Any) -> RunReport:
    splits = {
        "train": SplitResult("2001-01-02", "2008-12-30", 10_000, 40, 3, 2000),
        "eval": SplitResult("2009-02-02", "2009-12-30", 1_000, 40, 2, 220),
        "test": SplitResult("2010-02-02", "2012-12-30", 3_000, 0, 1, 700),
    }
    return judged_runs.report({}, splits=splits, **changes)


def dataset(values: list[float], texts: list[str], missing: int = 0) -> Any:
    """TFDV's statistics of a feature of numbers and one of text, with quartiles."""
    made = statistics_pb2.DatasetFeatureStatistics(num_examples=len(values) + missing)
    numbers = made.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    numbers.path.step.append("forward_return_1")
    common = numbers.num_stats.common_stats
    common.num_non_missing, common.tot_num_values, common.num_missing = len(values), len(values), missing
    numbers.num_stats.mean, numbers.num_stats.std_dev = float(np.mean(values)), float(np.std(values))
    numbers.num_stats.num_zeros = values.count(0)
    numbers.num_stats.min, numbers.num_stats.max = min(values), max(values)
    numbers.num_stats.median = float(np.median(values))
    numbers.num_stats.histograms.add(type=statistics_pb2.Histogram.STANDARD)
    quartiles = numbers.num_stats.histograms.add(type=statistics_pb2.Histogram.QUANTILES)
    edges = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    for low, high in itertools.pairwise(edges):
        quartiles.buckets.add(low_value=low, high_value=high, sample_count=len(values) / 4)
    names = made.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
    names.path.step.append("share_id")
    names.string_stats.common_stats.num_non_missing = len(texts)
    names.string_stats.unique = len(set(texts))
    top = max(set(texts), key=texts.count)
    names.string_stats.top_values.add(value=top, frequency=texts.count(top))
    return made


@pytest.fixture
def statistics(tmp_path: Path) -> Any:
    made = {
        "train": dataset([-0.5, 0.0, 0.1, 0.4], ["A", "A", "A", "B"], missing=1),
        "eval": dataset([0.0, 0.2], ["A", "B"]),
        "test": dataset([0.1, 0.3], ["B", "B"]),
    }
    for split, one in made.items():
        (tmp_path / f"Split-{split}").mkdir()
        listed = statistics_pb2.DatasetFeatureStatisticsList(datasets=[one])
        (tmp_path / f"Split-{split}" / data.STATISTICS_FILE).write_bytes(listed.SerializeToString())
    return data.read_statistics(str(tmp_path))


def test_numbers_and_texts_of_each_split_are_rows(statistics: Any) -> None:
    table = data.numeric_table(statistics)
    assert list(table.index) == [("forward_return_1", split) for split in ("train", "eval", "test")]
    train = table.loc[("forward_return_1", "train")]
    assert (train["rows"], train["missing"], train["zeros"]) == (5, pytest.approx(0.2), pytest.approx(0.25))
    assert (train["min"], train["median"], train["max"], train["mean"]) == (-0.5, pytest.approx(0.05), 0.4, 0.0)
    texts = data.text_table(statistics)
    assert list(texts.loc[("share_id", "train")]) == [5, pytest.approx(0.2), 2, "A", pytest.approx(0.6)]
    assert list(texts.loc[("share_id", "test")]) == [2, 0.0, 1, "B", 1.0]


def test_deciles_are_the_edges_of_the_quantile_histogram(statistics: Any) -> None:
    edges = data.deciles(statistics, "forward_return_1")
    assert list(edges) == ["train", "eval", "test"]
    assert edges["train"] == pytest.approx(np.quantile([-0.5, 0.0, 0.1, 0.4], [0, 0.25, 0.5, 0.75, 1]))
    assert data.deciles(statistics, "share_id") == {}


def test_the_schema_is_put_into_words() -> None:
    table = data.schema_table(schema_for((1, 20), trained=20))
    assert list(table.loc["closes"]) == ["float", "every row", "21", "1e-12 to 1e+12"]
    assert list(table.loc["label_20"]) == ["int", "every row", "1", "0 to 1"]
    assert list(table.loc["label_1"]) == ["int", "some rows", "at most 1", "0 to 1"]
    assert table.loc["time", "allowed"] == "18000101 to 22001231"


def test_anomalies_are_listed_and_their_absence_is_said(tmp_path: Path) -> None:
    for split in ("train", "eval", "test"):
        anomalies = anomalies_pb2.Anomalies()
        if split == "eval":
            anomalies.anomaly_info["answer"].description = "New column (column in data but not in schema)"
            anomalies.dataset_anomaly_info.description = "too few rows"
        (tmp_path / f"Split-{split}").mkdir()
        (tmp_path / f"Split-{split}" / "SchemaDiff.pb").write_bytes(anomalies.SerializeToString())
    table = data.anomaly_table(str(tmp_path)).reset_index()
    assert [tuple(row) for row in table.to_numpy()] == [
        ("train", "", "none"),
        ("eval", "answer", "New column (column in data but not in schema)"),
        ("eval", "(all)", "too few rows"),
        ("test", "", "none"),
    ]


def test_what_the_models_saw_is_compared_with_training() -> None:
    rng = np.random.default_rng(0)

    def split(rows: int, shift: float, shares: list[int]) -> dict[str, Any]:
        return {
            "returns": rng.normal(size=(rows, 20)),
            "log_volatility": rng.normal(shift, size=(rows, 1)),
            "share": np.array(shares).reshape(-1, 1),
        }

    seen = {"train": split(500, 0, [0, 1]), "eval": split(500, 0, [1, 1]), "test": split(500, 3, [1, 2, 2, 0])}
    table = data.model_drift_table(seen, WINDOW_RETURNS)
    assert list(table.index) == ["returns", "log_volatility"]
    assert table.loc["returns", "KS train to test"] < 0.03
    assert table.loc["log_volatility", "KS train to test"] > 0.8
    assert table.loc["log_volatility", "median test"] == pytest.approx(3, abs=0.2)
    assert data.unseen_table(seen, WINDOW_RETURNS).to_dict("index") == {
        "share": {"train": 0.0, "eval": 0.0, "test": 0.5}
    }
    days = {name: {"day": np.array([[1]]), "share": np.array([[1]])} for name in seen}
    assert list(data.unseen_table(days, CLOSES_WITH_TIME).index) == ["share", "day"]


def test_months_are_compounded() -> None:
    def portfolio(*returns: float) -> Any:
        return SimpleNamespace(after_costs=SimpleNamespace(returns=returns))

    result = SimpleNamespace(
        days=("2012-01-30", "2012-01-31", "2012-02-01"),
        models={"m": SimpleNamespace(long_short=portfolio(0.1, 0.1, -0.5), long_only=portfolio(0.0, 0.2, 0.1))},
        equal_weight=portfolio(0.1, 0.0, 0.1),
    )
    table = trading.month_table(cast(Any, result), "m")
    assert [str(month) for month in table.index] == ["2012-01", "2012-02"]
    assert table["long-short"].to_numpy() == pytest.approx([0.21, -0.5])
    assert table["ahead"].to_numpy() == pytest.approx([0.2 - 0.1, 0.0])
    chart = charts.month_chart(table, "m")
    assert "long-short: 1 of 2 months above 0" in chart.description


def test_tfdvs_own_view_is_not_shown_unasked(statistics: Any) -> None:
    assert repr(data.interactive_statistics(statistics, shown=False)).startswith(
        "TFDV's interactive view loads scripts"
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:google")
def test_tfdvs_own_view_is_a_frame_of_train_and_test(statistics: Any) -> None:
    frame = data.interactive_statistics(statistics, shown=True)._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert "facets-overview" in frame
    # Its own quotes must not end the attribute.
    assert frame.count('"') == 8


# what is drawn


def test_the_time_line_has_each_split_with_its_rows() -> None:
    chart = charts.split_timeline(report())
    assert chart.description.startswith("train 2001-01-02 to 2008-12-30; eval 2009-02-02 to 2009-12-30; test")
    for words in ("train", "10,000 rows", "1,000 rows", "3,000 rows"):
        assert words in chart.svg


def test_a_chart_of_groups_leaves_out_what_has_no_auc_and_all_but_the_largest() -> None:
    index = pd.MultiIndex.from_product([["m"], [f"S{i:02d}" for i in range(60)]])
    table = pd.DataFrame({"AUC": 0.52, "low": 0.5, "high": 0.54, "rows": range(60)}, index=index)
    table.loc[("m", "S59"), ["AUC", "low", "high"]] = np.nan
    chart = charts.group_chart(table, "share", ["m"])
    assert "The 40 with most rows of 60" in chart.description
    assert "S20" in chart.svg
    assert "S19" not in chart.svg
    assert "S59" in chart.svg
    few = charts.group_chart(table.iloc[:3], "share", ["m"])
    assert "with most rows" not in few.description
    long = charts.group_chart(table.iloc[:1].rename(index={"S00": "x" * 130}), "share", ["m"])
    assert f"{'x' * 29}…" in long.svg


def test_distributions_that_do_not_vary_are_drawn() -> None:
    chart = charts.distribution_chart({"a": {"train": np.ones(11), "test": np.ones(11)}}, "same", "The same")
    assert "Features: a" in chart.description
    assert charts.quantiles(np.arange(101)) == pytest.approx(np.arange(101))


def test_charts_are_shown_on_white_and_none_is_nothing() -> None:
    shown = Shown(charts.split_timeline(report()), None)._repr_html_()
    assert shown.count("<svg") == 1
    assert "background:#fff" in shown
    assert "<strong>The splits</strong>" in shown


# the run


def test_a_run_is_found_from_the_notebooks_folder(tmp_path: Path) -> None:
    (tmp_path / "runs" / "one").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    save_report(report(), tmp_path / "runs" / "one" / "report.json")
    for name in ("runs/one", "runs/one/report.json", str(tmp_path / "runs" / "one")):
        assert find_run(name, tmp_path / "notebooks") == tmp_path / "runs" / "one"


def test_a_run_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="runs/latest: there is no finished run here") as refused:
        find_run("runs/latest", tmp_path)
    assert refused.value._render_traceback_() == [f"awesome: {refused.value}"]


def test_what_a_run_lacks_is_named(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    run = FinishedRun(tmp_path, report(artifacts={"schema": gone, "examples": str(tmp_path)}))
    assert run.artifact("examples") == str(tmp_path)
    with pytest.raises(ReportError, match="does not say where the statistics lie"):
        run.artifact("statistics")
    with pytest.raises(ReportError, match=f"the schema at {gone} is gone"):
        run.artifact("schema")


def test_a_run_from_before_its_report_named_artifacts_is_opened_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    save_report(report(artifacts={"schema": str(tmp_path)}), path)
    assert awesome.open_run(find_run(str(tmp_path))).artifact("schema") == str(tmp_path)
    raw = json.loads(path.read_text())
    del raw["artifacts"]
    path.write_text(json.dumps(raw))
    with pytest.raises(ReportError, match="does not say where the schema lie; run `awesome run` again"):
        awesome.open_run(find_run(str(tmp_path))).artifact("schema")
