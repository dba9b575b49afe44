"""report.json read and written, and the page that is made from the same numbers."""

from __future__ import annotations

import dataclasses
import functools
import html.parser
import itertools
import json
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.errors import UserError
from components.evidence.accuracy import accuracy, majority
from components.evidence.auc import auc, auc_by_group
from components.evidence.comparing import compare
from components.evidence.metric import METRICS
from pipeline.report.page import render_html, write_report
from pipeline.runs.results import (
    DataSummary,
    GroupScore,
    MarketSummary,
    ModelResult,
    RunReport,
    SplitResult,
)

ROOT = Path(__file__).parents[2]
NAMES = ("linear", "dnn", "custom_dnn", "rnn")
NASTY = '<script>alert("x")</script>&co'
NAN = float("nan")

Run = tuple[RunReport, pd.DataFrame, dict[str, pd.DataFrame]]


@functools.cache
def made_run(
    champion: bool = False,
    shares: int = 5,
    days: int = 120,
    names: tuple[str, ...] = NAMES,
) -> Run:
    """A run with honest random predictions; with a champion it is one on a synthetic market."""
    rng = np.random.default_rng(3)
    rows = shares * days
    sessions = pd.bdate_range("2012-09-03", periods=days)
    share_ids = [NASTY, "BRK.B", *(f"S{i:03d}" for i in range(shares))][:shares]
    known = rng.normal(size=rows)
    returns = 0.02 * ((0.14 * known if champion else 0) + rng.normal(size=rows))
    predictions = pd.DataFrame(
        {
            "time": np.repeat(sessions.to_numpy(), shares),
            "share_id": np.tile(np.array(share_ids, dtype=object), days),
            "label": (returns > 0).astype(int),
            "forward_return": returns,
        }
    )
    labels = predictions["label"].to_numpy()
    models = {}
    for i, name in enumerate(names):
        score = known + 0.3 * i * rng.normal(size=rows)
        predictions[name] = 0.5 + 0.02 * (i + 1) * np.tanh(score)
        probabilities = predictions[name].to_numpy()
        area = auc(labels, probabilities)
        years = predictions["time"].dt.year.to_numpy()
        models[name] = ModelResult(
            auc=area,
            auc_low=area - 0.02,
            auc_high=area + 0.02,
            accuracy=accuracy(labels, probabilities),
            majority=majority(labels),
            rank_ic=0.01,
            rank_ic_low=-0.02,
            rank_ic_high=0.04,
            blessed=champion,
            reason="" if champion else f"{name}: not above 0.5 & <1 standard error",
            skill=0.9 if champion else None,
            rows=rows,
            model_uri=f"runs/x/{name}/model",
            model_run_uri=f"runs/x/{name}/model_run",
            evaluation_uri=f"runs/x/{name}/evaluation",
            auc_standard_error=0.01,
            metrics={"loss": 0.693, "auc": area, "label/mean": 0.5},
            by_year={str(g): GroupScore(a, n) for g, a, n in auc_by_group(labels, probabilities, years)},
            by_share={share: GroupScore(0.5, days) for share in share_ids},
        )
    report = RunReport(
        created="2024-05-06T07:08:09Z",
        models=models,
        splits={
            "train": SplitResult("2001-01-01", "2008-12-31", 10000, 5, 20, 2000),
            "eval": SplitResult("2009-02-01", "2010-12-31", 2400, 5, 9, 480),
            "test": SplitResult("2011-02-01", "2013-02-15", rows, 0, 7, days),
        },
        champion=names[0] if champion else None,
        pushed="runs/x/serving/1" if champion else None,
        seconds={"Transform": 0.0, "Trainer.linear": 30.0, "Trainer.rnn": 120.0},
        cached=("Transform",),
        data=DataSummary(shares, 3000, "digest9f", "2001-01-01", "2013-02-15", tuple(share_ids), "awesome.db"),
        settings={"formatter": "window_returns", "horizon": 1, "seed": 42, "models": ",".join(names), "dates": None},
        market=MarketSummary("reversal", 0.5451) if champion else None,
        versions={"python": "3.11.2", "tfx": "1.16.0", "awesome": "0.1.0"},
    )
    histories = {
        name: pd.DataFrame(
            {"epoch": [1, 2, 3, 4], "loss": [0.7, 0.68, 0.66, 0.64], "val_loss": [0.70, 0.69, 0.68, 0.71]}
        )
        for name in names
    }
    return report, predictions, histories


@functools.cache
def made_page(*, champion: bool) -> str:
    """The page of `made_run`."""
    return render_html(*made_run(champion=champion))


class Page(html.parser.HTMLParser):
    """The elements of a page, its visible text, and the text below each heading."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._hidden = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden += tag == "style"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


# --- report.html ---------------------------------------------------------------------------------------------------


def test_nothing_blessed_page() -> None:
    words = Page(made_page(champion=False)).words()
    assert "No model blessed, nothing pushed" in words
    assert "that is the normal outcome on daily prices of large shares" in words
    assert "Nothing: no model was blessed." in words
    assert "linear: not above 0.5 & <1 standard error" in words
    assert "skill 90%" not in words


def test_champion_on_a_market_page() -> None:
    words = Page(made_page(champion=True)).words()
    assert "Champion: linear" in words
    assert "90%" in words
    assert "linear was pushed to runs/x/serving/1" in words
    assert "best possible AUC 0.545" in words
    assert "best 0.545" in words, "the forest plot marks it"


def test_the_tables_hold_the_reports_numbers() -> None:
    report, _, _ = made_run()
    words = Page(made_page(champion=False)).words()
    for model in report.models.values():
        assert f"{model.auc:.3f} {model.auc_low:.3f} to {model.auc_high:.3f}" in words
        assert f"{model.accuracy:.3f} {model.majority:.3f}" in words
    assert "train 2001-01-01 2008-12-31 2,000 10,000 5 20" in words
    year = [f"{model.by_year['2012'].auc:.3f}" for model in report.models.values()]
    assert f"2012 {report.models['linear'].by_year['2012'].rows} {' '.join(year)}" in words
    assert "Transform cached Trainer.linear 30.0 s Trainer.rnn 2 min 00 s" in words
    assert "2 min 30 s in all" in words
    assert "awesome run, 2024-05-06 07:08 UTC" in words


@pytest.mark.parametrize(("setting", "limit"), [({}, "0.53"), ({"audit_plausible_auc": 0.6}, "0.6")])
def test_the_page_names_the_plausible_auc_of_the_run(setting: dict[str, float], limit: str) -> None:
    report, predictions, histories = made_run(names=("linear",))
    report = dataclasses.replace(report, settings={**report.settings, **setting})
    assert f"More than {limit} on real daily prices" in Page(render_html(report, predictions, histories)).words()


def test_the_time_line_is_to_scale() -> None:
    found = re.findall(
        r'<span class="(\w+)" style="left:([\d.]+)%;width:([\d.]+)%" title="([^"]+)">', made_page(champion=False)
    )
    assert [kind for kind, *_ in found] == ["train", "gap", "eval", "gap", "test"]
    ends = [(float(left), float(left) + float(width)) for _, left, width, _ in found]
    assert ends[0][0] == 0
    assert ends[-1][1] == pytest.approx(100, abs=0.01)
    for before, after in itertools.pairwise(ends):
        assert after[0] == pytest.approx(before[1], abs=0.01)
    # 31 of the days from 2001-01-01 to 2013-02-15, both included.
    total = (pd.Timestamp("2013-02-15") - pd.Timestamp("2001-01-01")).days + 1
    assert float(found[1][2]) == pytest.approx(100 * 31 / total, abs=0.001)
    assert found[1][3] == "gap of 31 days between train and eval: purge and embargo"


def test_calibration_figures_are_those_of_equal_bins() -> None:
    report, predictions, histories = made_run(names=("linear",), days=200, shares=1)
    order = predictions.sort_values("linear")
    words = Page(render_html(report, predictions, histories)).words()
    for part in np.array_split(order.index, 10):
        rows = order.loc[part]
        assert f"{rows['linear'].mean():.3f} {rows['label'].mean():.3f} 20 " in words


def test_the_best_epoch_is_the_one_with_the_lowest_eval_loss() -> None:
    words = Page(made_page(champion=False)).words()
    assert words.count("best eval: after 3 epochs") == len(NAMES)
    assert "The best eval loss is 0.6800, after 3 epochs." in words


def test_everything_from_data_is_escaped() -> None:
    report, predictions, histories = made_run()
    poison = "</title></desc></svg>" + NASTY
    report = dataclasses.replace(
        report,
        models={poison: dataclasses.replace(report.models["linear"], reason=NASTY, model_uri=NASTY)},
        champion=poison,
        pushed=NASTY,
        settings={**report.settings, NASTY: NASTY},
        versions={NASTY: NASTY},
        seconds={NASTY: 1.0},
        cached=(NASTY,),
        market=MarketSummary(NASTY, 0.55),
        data=dataclasses.replace(report.data, database=NASTY, digest=NASTY),
        splits={**report.splits, "test": dataclasses.replace(report.splits["test"], first=NASTY)},
    )
    source = render_html(report, predictions.rename(columns={"linear": poison}), {poison: histories["linear"]})
    page = Page(source)
    assert not page.all("script")
    assert "<script" not in source.lower()
    assert NASTY in page.words()
    assert all(not name.startswith("on") for _, attributes in page.elements for name in attributes)


@pytest.mark.parametrize("champion", [True, False])
def test_the_page_needs_nothing_from_elsewhere(champion: bool) -> None:
    source = made_page(champion=champion)
    page = Page(source)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "image", "iframe", "object", "embed", "video", "audio", "base"}
    for _, attributes in page.elements:
        for name in ("src", "srcset", "href", "xlink:href", "action", "poster", "data"):
            assert attributes.get(name, "#").startswith("#"), attributes
    assert not re.findall(r"url\((?!#)|@import|@font-face", source)
    policy = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_ids_are_unique_and_references_resolve() -> None:
    page = Page(made_page(champion=False))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "href"):
            for reference in attributes.get(name, "").split():
                assert reference.lstrip("#") in ids
    source = made_page(champion=False)
    for reference in re.findall(r"url\(#([^)]+)\)", source):
        assert reference in ids


def test_all_figures_stand_beside_those_of_the_baselines() -> None:
    report, predictions, histories = made_run(champion=True)
    predictions["lightgbm"] = np.random.default_rng(3).uniform(0.4, 0.6, len(predictions))
    found = compare(predictions, list(report.models), ["lightgbm"], horizon=1, seed=0)
    models = {
        name: dataclasses.replace(model, scores=found.models[name].scores, differences=found.models[name].differences)
        for name, model in report.models.items()
    }
    report = dataclasses.replace(report, models=models, baselines=found.baselines)
    page = Page(render_html(report, predictions, histories))
    words = page.words()
    for metric in METRICS.values():
        assert metric.title in words
    for figures in (found.models["linear"].scores, found.baselines["lightgbm"]):
        for estimate in figures.values():
            assert f"{estimate.value:.4f}" in words
            assert f"{estimate.low:.4f} to {estimate.high:.4f}" in words
    difference = found.models["linear"].differences["lightgbm"]["auc"]
    assert f"{difference.low:.4f} to {difference.high:.4f}" in words
    assert "Differences in AUC: linear less lightgbm" in words


def test_every_chart_has_a_title_and_a_description() -> None:
    page = Page(made_page(champion=False))
    charts = page.all("svg")
    # Forest, years, two of ROC, calibration, backtest, and the training of each model.
    assert len(charts) == 6 + len(NAMES)
    assert all(chart["role"] == "img" for chart in charts)
    assert len(page.all("desc")) == len(charts)
    assert {a["lang"] for a in page.all("html")} == {"en"}


def test_the_same_run_gives_the_same_page() -> None:
    run = made_run(names=("linear",))
    assert render_html(*run) == render_html(*run)


def test_figures_that_are_missing_do_not_stop_the_page() -> None:
    names = ("linear", "dnn", "rnn")
    report, predictions, histories = made_run(names=names)
    unknown = ModelResult(NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, False, "the test split holds one class only")
    report = dataclasses.replace(report, models=dict.fromkeys(names, unknown), seconds={}, cached=(), versions={})
    histories = {
        "linear": histories["linear"].assign(val_loss=NAN),
        "dnn": pd.DataFrame({"epoch": [1]}),
        "rnn": histories["rnn"].drop(columns=["epoch", "loss"]),
    }
    one_class = Page(render_html(report, predictions.assign(label=1), histories))
    assert "n/a n/a to n/a" in one_class.words()
    assert "no AUC" in one_class.words()
    assert "Training of linear: 4 epochs." in one_class.words()
    assert "Training of dnn" not in one_class.words()
    assert "nan" not in one_class.words().split()
    empty = Page(render_html(report, predictions.iloc[:0], {}))
    assert "ROC curves" not in empty.words()


def test_constant_predictions_unknown_splits_and_a_name_like_a_formula_are_drawn() -> None:
    report, predictions, histories = made_run(names=("linear",))
    name = r"$\alpha$"
    source = render_html(
        dataclasses.replace(report, splits={}, models={name: report.models["linear"]}),
        predictions.assign(**{name: 0.5}),
        {name: histories["linear"]},
    )
    drawn = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", source))
    assert drawn.count(name) >= 5


def test_a_prediction_column_that_is_missing_is_a_defect_of_the_caller() -> None:
    report, predictions, histories = made_run()
    with pytest.raises(ValueError, match="rnn"):
        render_html(report, predictions.drop(columns="rnn"), histories)


def test_write_report_makes_the_folder_and_both_files(tmp_path: Path) -> None:
    report, predictions, histories = made_run(names=("linear",))
    write_report(report, predictions, histories, tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["report.html", "report.json"]
    assert RunReport.from_json(tmp_path / "a" / "b") == report
    assert (tmp_path / "a" / "b" / "report.html").read_text(encoding="utf-8").lstrip().startswith("<!DOCTYPE html>")


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"file.*--output"):
        write_report(*made_run(), tmp_path / "file" / "run")


@pytest.mark.slow
def test_a_large_run_is_written_quickly_and_small(tmp_path: Path) -> None:
    run = made_run(shares=500, days=120)
    assert len(run[1]) == 60_000
    start = time.process_time()
    write_report(*run, tmp_path)
    assert time.process_time() - start < 10
    assert (tmp_path / "report.html").stat().st_size < 1_500_000


# --- in a browser --------------------------------------------------------------------------------------------------


class Browser:
    """A headless Chromium, spoken to over its debugging pipe: no port, no driver, no package."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        self.events: list[dict[str, Any]] = []
        self._buffer = b""
        self._calls = 0
        self._session: str | None = None
        flags = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            "--disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe"
        ).split()
        # Chromium reads from descriptor 3 and writes to 4; the shell puts the pipes there.
        shell = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, program, *flags, f"--user-data-dir={profile}"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._calls += 1
        message: dict[str, Any] = {"id": self._calls, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event: str) -> None:
        while not any(seen.get("method") == event for seen in self.events):
            self.events.append(self._next())

    def evaluate(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], 60)
            part = os.read(self._read, 1 << 20) if ready else b""
            if not part:
                pytest.fail("Chromium does not answer")
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        # A machine of one's own may do without a browser; CI installs it, and there its absence is a failure.
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the page is tested in Chromium: install chromium")
    opened = Browser(program, tmp_path / "profile")
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("champion", [True, False])
def test_the_page_in_chromium(browser: Browser, tmp_path: Path, champion: bool) -> None:
    write_report(*made_run(champion=champion, shares=40), tmp_path / "run")
    address = (tmp_path / "run" / "report.html").as_uri()
    browser.call("Page.navigate", url=address)
    browser.wait_for("Page.loadEventFired")
    assert browser.evaluate("document.querySelectorAll('svg').length") == 6 + len(NAMES)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in (360, 400, 768, 1200):
        browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 768
        )
        # An element that a box of its own scrolls does not count: the page must not scroll sideways, nor be cut off.
        beyond = browser.evaluate(
            """[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, svg, .timeline, .ticks')
               && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML)"""
        )
        assert beyond == [], width
        assert browser.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
    # The main table is not scrolled even on a telephone.
    browser.call("Emulation.setDeviceMetricsOverride", width=360, height=900, deviceScaleFactor=1, mobile=True)
    assert browser.evaluate("(t => t.scrollWidth - t.parentNode.clientWidth)(document.querySelector('.results'))") <= 0
    # Text in a chart has at least 8 CSS pixels there.
    sizes = browser.evaluate(
        """[...document.querySelectorAll('svg text')].map(
             t => parseFloat(getComputedStyle(t).fontSize) * Math.hypot(t.getScreenCTM().a, t.getScreenCTM().b))"""
    )
    assert min(sizes) >= 8
    requested = {
        event["params"]["request"]["url"]
        for event in browser.events
        if event.get("method") == "Network.requestWillBeSent"
    }
    assert requested == {address}
    complaints = [
        event
        for event in browser.events
        if event.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    ]
    assert complaints == []


def test_every_member_of_a_model_has_its_own_losses() -> None:
    report, predictions, _ = made_run(names=("dnn",))
    two = pd.DataFrame(
        {"member": [1, 1, 1, 2, 2, 2], "epoch": [0.64, 1, 2, 1, 2, 3], "loss": [np.nan, 0.70, 0.69, 0.70, 0.69, 0.68],
         "val_loss": [0.691, 0.695, 0.697, 0.696, 0.694, 0.692]}
    )  # fmt: skip
    page = Page(render_html(report, predictions, {"dnn": two}))
    said = "Training of dnn: 2 members of 2 to 3 epochs. The members' best eval losses are 0.6910 to 0.6920"
    assert f"{said}, after 0.64 to 3 epochs." in page.words()
