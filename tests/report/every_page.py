"""A page of each kind that a command writes, from hand-made figures: no pipeline runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hand_made_backtest
import hand_made_walk
import made_findings
import made_searches
import made_workspace
from hand_made_run import made_explanation, made_run
from judged_files import judged, made_forecasts, made_market
from made_audit import AUDIT
from made_comparison import FOUND
from made_live import FIRST, NEW_YORK, lived

from awesome_kubeflow.steps.page import Section, Table, page
from components.evidence.interval import Interval
from components.evidence.metric import METRICS
from components.judging.forecast_columns import ColumnChoice
from pipeline.daily.page import record_of
from pipeline.report.compared_runs import render_compared_runs
from pipeline.report.drawing import model_styles
from pipeline.report.live import write_live
from pipeline.report.page import render_html
from pipeline.report.training import history_table, training_chart
from pipeline.studies.experiments.page import render_page
from pipeline.studies.search.page import render_search
from pipeline.studies.walkforward.page import render_walk
from pipeline.uses.backtest import backtest_run, write_backtest
from pipeline.uses.compare import compare_runs
from pipeline.uses.judge import write_judgement


def every_page(folder: Path) -> dict[str, Path]:
    """Writes the pages into a folder; where each is, by its name."""
    found = {}
    for name, write in PAGES.items():
        inside = folder / name
        inside.mkdir()
        made = write(inside)
        if isinstance(made, str):
            (inside / f"{name}.html").write_text(made, encoding="utf-8")
        found[name] = made if isinstance(made, Path) else inside / f"{name}.html"
    return found


def _report(_folder: Path) -> str:
    return render_html(*made_run(champion=True, shares=40), made_explanation())


def _leaking(_folder: Path) -> str:
    report, predictions, histories = made_run()
    figures = {name: Interval(0.0123, -0.0456, 0.0701, 0.02) for name in METRICS}
    baselines = {"logistic_regression": figures, "lightgbm": figures}
    models = {
        name: replace(model, scores=figures, differences={**baselines, "predecessor": figures})
        for name, model in report.models.items()
    }
    changed = replace(report, audit=AUDIT, comparison=FOUND, models=models, baselines=baselines)
    return render_html(changed, predictions, histories)


def _backtest(folder: Path) -> Path:
    hand_made_backtest.made_run(folder / "run", days=400)
    return write_backtest(backtest_run(folder / "run"))


def _walk(_folder: Path) -> str:
    return render_walk(hand_made_walk.walk(market="reversal_easy", best_auc=0.545))


def _live(folder: Path) -> Path:
    live = lived(folder, sessions=30, shares=6)
    # On some sessions nothing is known of the features.
    live.drifts(
        NEW_YORK[FIRST : FIRST + 30],
        lambda at: {"losses_of_limit": at / 40} | ({} if 12 <= at < 18 else {"features_of_limit": at / 20}),
    )
    return write_live(record_of(live.plan(), None, live.now), folder / "live.html")


def _judgement(folder: Path) -> Path:
    plan = made_market(folder, shares=40)
    made = judged(plan, made_forecasts(plan), ColumnChoice(("good", "coin"), ("signal",)))
    write_judgement(made, folder / "judged")
    return folder / "judged" / "judgement.html"


def _compare(folder: Path) -> str:
    runs = [
        made_workspace.add(folder, f"run-{at:02d}", made_workspace.answers(at, skill), settings=settings)
        for at, (skill, settings) in enumerate([(0.0, {"horizon": 1}), (2.0, {"horizon": 1, "seed": 9})], start=1)
    ]
    return render_compared_runs(compare_runs(runs))


def _step(_folder: Path) -> str:
    history = made_run()[2]["rnn"]
    chart = training_chart(0, "rnn", history, model_styles(["rnn"])["rnn"])
    epochs, checks = Table("Epochs", *history_table(history)), Table("None", ("check", "status"), ())
    outputs = Table("Outputs", ("output", "artifact", "where"), (("model", "17", f"s3://bucket/{'folder/' * 12}17"),))
    section = Section("Trained.", (epochs, checks), () if chart is None else (chart,))
    return page("Trainer.rnn", section, {"run": "run-01", "image": f"registry.example/{'a' * 90}"}, outputs)


PAGES: dict[str, Callable[[Path], Path | str]] = {
    "report": _report,
    "leaking": _leaking,
    "backtest": _backtest,
    "walkforward": _walk,
    "live": _live,
    "judgement": _judgement,
    "compare": _compare,
    "search": lambda _folder: render_search(made_searches.many()),
    "experiments": lambda _folder: render_page(made_findings.report()),
    "step": _step,
}
