"""A run's backtest: the sentence, the table, the page, the section of the report, and the command."""

from __future__ import annotations

import dataclasses
import html.parser
import inspect
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from components.backtest import DEFAULT_COSTS, DEFAULT_QUANTILE, Backtest, ModelBacktest
from components.evidence.interval import Interval
from pipeline.report.backtest_summary import (
    backtest_rows,
    backtest_table,
    basis_points,
    judge,
    points,
    ratio,
    share_percent,
)
from pipeline.report.templates import load_template
from pipeline.runs.results import DataSummary, MarketSummary, ModelResult, RunReport, SplitResult
from pipeline.uses.backtest import backtest_run, backtest_section, write_backtest

Awesome = Callable[..., Any]

ROOT = Path(__file__).parents[2]
NAN = float("nan")
NASTY = "<script>x</script>"


def made_run(
    folder: Path, names: tuple[str, ...] = ("linear", "rnn"), days: int = 120, shares: int = 6, **changes: Any
) -> tuple[RunReport, pd.DataFrame]:
    """A finished run's folder: the first model knows a little, the others nothing."""
    rng = np.random.default_rng(0)
    returns = 0.02 * rng.standard_normal(days * shares)
    frame = pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range("2012-01-02", periods=days).to_numpy(), shares),
            "share_id": np.tile(np.array([f"S{i}" for i in range(shares)], dtype=object), days),
            "label": (returns > 0).astype(int),
            "forward_return": returns,
            "next_return": returns,
        }
    )
    for i, name in enumerate(names):
        frame[name] = 0.5 + 0.1 * np.tanh(rng.standard_normal(len(frame)) + (20 * returns if i == 0 else 0))
    model = ModelResult(0.5, 0.48, 0.52, 0.5, 0.5, 0.0, -0.02, 0.02, blessed=False, reason="no", rows=len(frame))
    values: dict[str, Any] = {
        "created": "2024-05-06T07:08:09+00:00",
        "models": dict.fromkeys(names, model),
        "splits": {"test": SplitResult("2012-01-02", "2012-06-15", len(frame), 0, 3, days)},
        "champion": None,
        "pushed": None,
        "seconds": {},
        "cached": (),
        "data": DataSummary(shares, 3000, "d", "2000-01-03", "2012-06-18", ("S0",), "awesome.db"),
        "settings": {"formatter": "window_returns", "horizon": 1, "seed": 0, "models": ",".join(names)},
        "market": None,
        "versions": {},
    }
    report = RunReport(**(values | changes))
    folder.mkdir(parents=True)
    report.to_json(folder / "report.json")
    frame.to_parquet(folder / "predictions.parquet", index=False)
    return report, frame


def changed(result: Backtest, sharpe: Interval, difference: Interval, model: str = "linear") -> Backtest:
    """The same backtest with other intervals after costs."""
    old = result.models[model]
    long_short = dataclasses.replace(old.long_short.after_costs, sharpe=sharpe)
    long_only = dataclasses.replace(old.long_only.after_costs, difference=difference)
    new = ModelBacktest(
        dataclasses.replace(old.long_short, after_costs=long_short),
        dataclasses.replace(old.long_only, after_costs=long_only),
    )
    return dataclasses.replace(result, models={**result.models, model: new})


ABOVE, AROUND, BELOW, UNKNOWN = (
    Interval(1.0, 0.2, 1.8, 0.4),
    Interval(0.2, -0.6, 1.0, 0.4),
    Interval(-1.0, -1.8, -0.2, 0.4),
    Interval(0.5, NAN, NAN, NAN),
)
NOTHING = Interval(NAN, NAN, NAN, NAN)


# --- the sentence --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sharpe", "tone", "label", "said"),
    [
        (AROUND, "plain", "No edge after costs can be claimed", "-0.60 to +1.00 holds 0: no edge after costs can be"),
        (BELOW, "warning", "It loses after costs", "-1.80 to -0.20 lies below 0: it loses"),
        (ABOVE, "good", "An edge after costs on these days", "one of 2 models tried, and its 95% interval +0.20 to"),
        (UNKNOWN, "plain", "Too few days", "too few for an interval: no edge after costs can be claimed"),
        (NOTHING, "plain", "Nothing to trade", "never gains or loses on 120 test days: no edge can be claimed"),
    ],
)
def test_the_sentence_claims_what_the_interval_allows(
    tmp_path: Path, sharpe: Interval, tone: str, label: str, said: str
) -> None:
    report, _ = made_run(tmp_path / "run")
    result = backtest_run(tmp_path / "run").result
    verdict = judge(report, changed(result, sharpe, AROUND), "linear")
    assert (verdict.tone, verdict.label) == (tone, label)
    assert said in verdict.sentence
    assert verdict.sentence[-1] == "."
    assert not re.search(r"[.!?]\s|nan", verdict.sentence)


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (ABOVE, r"long-only is ahead of equal weight by \+100% a year, 95% interval \+20\.0% to \+180%"),
        (AROUND, r"long-only cannot be told from equal weight: \+20\.0% a year, 95% interval -60\.0% to \+100%"),
        (BELOW, r"long-only is behind equal weight: -100% a year"),
        (UNKNOWN, r"long-only cannot be told from equal weight\.$"),
    ],
)
def test_long_only_is_judged_by_its_difference(tmp_path: Path, difference: Interval, said: str) -> None:
    report, _ = made_run(tmp_path / "run")
    result = backtest_run(tmp_path / "run").result
    assert re.search(said, judge(report, changed(result, AROUND, difference), "linear").sentence)


def test_an_edge_on_a_made_market_says_nothing_of_real_prices(tmp_path: Path) -> None:
    report, _ = made_run(tmp_path / "run", names=("linear",), market=MarketSummary("reversal", 0.545))
    result = changed(backtest_run(tmp_path / "run").result, ABOVE, AROUND)
    sentence = judge(report, result, "linear").sentence
    assert "an edge of the synthetic market reversal, not of real prices" in sentence
    assert "models tried" not in sentence


# --- the table -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 120])
def test_no_figure_of_the_table_is_torn(tmp_path: Path, width: int) -> None:
    made_run(tmp_path / "run", names=("logistic_regression", "custom_dnn"))
    result = backtest_run(tmp_path / "run").result
    # As wide as figures of real runs come.
    wide = Interval(-0.466, -0.686, -0.246, 0.1)
    result = changed(changed(result, BELOW, wide, "logistic_regression"), BELOW, wide, "custom_dnn")
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(backtest_table(result))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= width
    text = " ".join("\n".join(lines).split())
    rows = backtest_rows(result)
    assert [(row.model, row.portfolio) for row in rows] == [
        ("logistic_regression", "long-short"), ("logistic_regression", "long-only"),
        ("custom_dnn", "long-short"), ("custom_dnn", "long-only"), ("", "equal weight"),
    ]  # fmt: skip
    assert text.count("-68.6% to -24.6%") == 2
    for row in rows:
        for figure in (row.annual_return, row.sharpe, row.sharpe_interval, row.max_drawdown, row.turnover):
            assert figure in text
        assert row.difference_interval in text
    assert "costs 10 basis points, quantile 20%, held for 1 session" in text


def test_the_rows_hold_the_figures(tmp_path: Path) -> None:
    made_run(tmp_path / "run")
    result = backtest_run(tmp_path / "run", costs=5, quantile=0.34).result
    portfolio = result.models["rnn"].long_only
    row = next(row for row in backtest_rows(result) if (row.model, row.portfolio) == ("rnn", "long-only"))
    assert row.annual_return == points(portfolio.after_costs.annual_return)
    assert row.sharpe == ratio(portfolio.after_costs.sharpe.value)
    assert row.sharpe_before == ratio(portfolio.before_costs.sharpe.value)
    assert row.difference == points(portfolio.after_costs.difference.value)  # type: ignore[union-attr]
    assert row.turnover == share_percent(portfolio.turnover)
    assert (result.costs, result.quantile) == (5, 0.34)


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (ratio, -0.004, "0.00"),
        (ratio, 1.234, "+1.23"),
        (ratio, 12.34, "+12.3"),
        (ratio, NAN, "n/a"),
        (points, -0.0004, "0.0%"),
        (points, -0.523, "-52.3%"),
        (points, 12.34, "+1,234%"),
        (points, NAN, "n/a"),
        (share_percent, 0.2, "20%"),
        (share_percent, 0.00902, "0.9%"),
        (share_percent, NAN, "n/a"),
        (basis_points, 10.0, "10 basis points"),
        (basis_points, 1.0, "1 basis point"),
        (basis_points, 2.5, "2.5 basis points"),
    ],
)
def test_numbers(write: Callable[[float], str], value: float, text: str) -> None:
    assert write(value) == text


# --- the page, the file, the section -------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    """The elements of a page and its visible text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._style = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def test_the_page_shows_the_sentence_the_table_and_the_chart_and_needs_nothing_else(tmp_path: Path) -> None:
    report, _ = made_run(tmp_path / "run")
    made = backtest_run(tmp_path / "run", model="rnn")
    source = write_backtest(made).read_text(encoding="utf-8")
    page = Page(source)
    assert page.text.count(judge(report, made.result, "rnn").sentence) == 1
    assert "rnn after costs of 10 basis points" in page.text
    assert "3 rows without a label" in page.text
    for row in backtest_rows(made.result):
        assert f"{row.sharpe} {row.sharpe_interval}" in page.text
    assert [tag for tag, _ in page.elements].count("svg") == 1
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object", "base"}
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href"):
            assert attributes.get(name, "#").startswith("#")
    assert not re.findall(r"url\((?!#)|@import|@font-face", source)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_a_model_s_name_is_escaped(tmp_path: Path) -> None:
    made_run(tmp_path / "run", names=(NASTY,))
    source = write_backtest(backtest_run(tmp_path / "run")).read_text(encoding="utf-8")
    assert "<script" not in source
    assert NASTY in Page(source).text


def test_the_file_holds_every_figure_and_no_nan(tmp_path: Path) -> None:
    _, frame = made_run(tmp_path / "run")
    frame.assign(rnn=0.5).to_parquet(tmp_path / "run" / "predictions.parquet")
    made = backtest_run(tmp_path / "run")
    write_backtest(made)
    raw = json.loads(
        (tmp_path / "run" / "backtest.json").read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON")
    )
    assert (raw["schema_version"], raw["model"], raw["run"]) == (1, "linear", made.report.created)
    assert raw["verdict"] == judge(made.report, made.result, "linear").sentence
    figures = raw["backtest"]["models"]
    assert figures["rnn"]["long_short"]["after_costs"]["sharpe"]["value"] is None
    linear = made.result.models["linear"].long_short
    assert figures["linear"]["long_short"]["turnover"] == linear.turnover
    assert figures["linear"]["long_short"]["before_costs"]["returns"] == list(linear.before_costs.returns)
    assert len(raw["backtest"]["days"]) == len(linear.before_costs.returns)


def test_the_champion_is_looked_at_else_the_first_model(tmp_path: Path) -> None:
    made_run(tmp_path / "none")
    made_run(tmp_path / "champion", champion="rnn")
    assert backtest_run(tmp_path / "none").model == "linear"
    assert backtest_run(tmp_path / "champion").model == "rnn"
    assert backtest_run(tmp_path / "champion" / "report.json", model="linear").model == "linear"


def test_baselines_stand_beside_the_models_but_are_not_counted_as_tried(tmp_path: Path) -> None:
    baselines = {"logistic_regression": {"auc": AROUND}, "lightgbm": {"auc": AROUND}}
    report, frame = made_run(tmp_path / "run", names=("linear",), baselines=baselines)
    # A run that was made without one of them.
    frame.assign(logistic_regression=frame["linear"]).to_parquet(tmp_path / "run" / "predictions.parquet")
    made = backtest_run(tmp_path / "run", model="logistic_regression")
    assert list(made.result.models) == ["linear", "logistic_regression"]
    assert made.result.models["logistic_regression"] == made.result.models["linear"]
    assert backtest_run(tmp_path / "run").model == "linear"
    assert "models tried" not in judge(report, changed(made.result, ABOVE, AROUND), "linear").sentence
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(backtest_table(made.result))
    assert re.search(r"^ logistic .*\n regression ", console.file.getvalue(), re.MULTILINE)  # type: ignore[attr-defined]


def test_growth_over_orders_of_magnitude_and_ruin_are_drawn(tmp_path: Path) -> None:
    report, frame = made_run(tmp_path / "run")
    rich = backtest_section(report, frame.assign(linear=0.5 + frame["next_return"]))
    assert rich.chart is not None
    assert rich.verdict.tone == "good"
    ruined = backtest_section(report, frame.assign(next_return=np.where(frame.index % 7 == 3, 4.0, 0.0)))
    assert ruined.chart is not None
    assert "largest loss -100%" in ruined.chart.description


def rendered(**variables: Any) -> str:
    return load_template(ROOT / "pipeline" / "report" / "report_backtest.html.j2").render(**variables)


def test_the_section_stands_in_another_page(tmp_path: Path) -> None:
    report, frame = made_run(tmp_path / "run")
    section = backtest_section(report, frame)
    text = Page(rendered(backtest=section)).text
    assert text.startswith(f"What it is worth {section.verdict.label}. {section.verdict.sentence}")
    assert "Sharpe at no costs" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame[frame["share_id"] == "S0"], "A backtest needs at least two shares"),
        (lambda frame: frame.iloc[:0], "here are none"),
        (lambda frame: frame.drop(columns=["next_return", "forward_return"]), "no column forward_return"),
    ],
)
def test_a_section_that_cannot_be_made_says_why(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    report, frame = made_run(tmp_path / "run")
    section = backtest_section(report, change(frame))
    assert section.chart is None
    assert said in Page(rendered(backtest=section)).text
    assert "portfolio" not in Page(rendered(backtest=section)).text


def test_what_is_held_longer_than_labels_are_known_is_said(tmp_path: Path) -> None:
    settings = {"formatter": "window_returns", "horizon": 3, "seed": 0, "models": "linear"}
    report, frame = made_run(tmp_path / "run", names=("linear",), settings=settings)
    section = backtest_section(report, frame.drop(index=[9, 20, 31, 44]))
    assert any("counts as unchanged" in note for note in section.notes)
    assert any("held for 3 sessions, in as many overlapping parts" in note for note in section.notes)
    assert not any("counts as unchanged" in note for note in backtest_section(report, frame).notes)


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_command_prints_the_table_and_the_sentence_and_writes_both_files(awesome: Awesome) -> None:
    made_run(Path("runs/latest"))
    outcome = awesome("backtest", "--model", "rnn", "--costs", "0", "--quantile", "0.5")
    assert (outcome.code, outcome.err) == (0, "")
    assert "costs 0 basis points, quantile 50%, held for 1 session" in outcome.out
    assert re.search(r"^ rnn +[+-][\d.]+% +[+-][\d.]+ ", outcome.out, re.MULTILINE)
    text = " ".join(outcome.out.split())
    raw = json.loads(Path("runs/latest/backtest.json").read_text())
    assert raw["verdict"] in text
    assert raw["verdict"].startswith("rnn's long-short Sharpe after costs of 0 basis points is ")
    assert (raw["backtest"]["costs"], raw["backtest"]["quantile"]) == (0, 0.5)
    assert outcome.out.splitlines()[-1] == "The backtest: runs/latest/backtest.html"
    assert Path("runs/latest/backtest.html").is_file()
    assert sorted(path.name for path in Path("runs/latest").iterdir()) == [
        "backtest.html", "backtest.json", "predictions.parquet", "report.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("runs/none",), r"^runs/none.*no report here"),
        (("--model", "dnn"), r"^runs/latest has no model 'dnn'; it has linear, rnn$"),
        (("--costs", "-1"), r"^costs of -1 basis points"),
        (("--quantile", "0.7"), r"^quantile 0\.7 is not above 0"),
        (("--costs", "abc"), r"--costs"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(awesome: Awesome, arguments: tuple[str, ...], said: str) -> None:
    made_run(Path("runs/latest"))
    outcome = awesome("backtest", *arguments)
    assert re.search(said, outcome.refusal)
    assert not list(Path("runs/latest").glob("backtest.*"))


def test_predictions_that_are_missing_or_broken_are_named(awesome: Awesome) -> None:
    made_run(Path("runs/latest"))
    file = Path("runs/latest/predictions.parquet")
    file.write_bytes(b"no parquet")
    assert re.match(r"runs/latest/predictions\.parquet: cannot be read .*awesome run", awesome("backtest").refusal)
    file.unlink()
    assert re.match(r"runs/latest/predictions\.parquet: the predictions are not", awesome("backtest").refusal)


def test_a_long_horizon_of_an_older_run_asks_for_another_run(awesome: Awesome) -> None:
    settings = {"formatter": "window_returns", "horizon": 20, "seed": 0, "models": "linear"}
    _, frame = made_run(Path("runs/latest"), names=("linear",), settings=settings)
    frame.drop(columns="next_return").to_parquet("runs/latest/predictions.parquet")
    assert awesome("backtest").refusal.endswith("run `awesome run` again")


def test_a_folder_that_cannot_be_written_is_named(awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    made_run(Path("runs/latest"))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    assert "backtest.json: cannot be written (No space left on device)" in awesome("backtest").refusal
    assert not list(Path("runs/latest").glob("*backtest*"))


def test_the_command_has_the_defaults_of_the_backtest() -> None:
    from pipeline.cli.evidence import backtest

    defaults = {name: parameter.default for name, parameter in inspect.signature(backtest).parameters.items()}
    assert (defaults["costs"], defaults["quantile"]) == (DEFAULT_COSTS, DEFAULT_QUANTILE)


def test_made_intervals_are_what_they_are_called() -> None:
    assert ABOVE.low > 0 > BELOW.high
    assert AROUND.low < 0 < AROUND.high
    assert math.isnan(UNKNOWN.low)
