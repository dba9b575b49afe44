"""experiments.html: self-contained, nothing from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from components.evidence.blessing import CHANCE
from components.evidence.words import number
from pipeline.report.drawing import Chart, model_styles
from pipeline.report.rows_chart import Row, rows_chart
from pipeline.report.templates import load_template
from pipeline.report.words import interval
from pipeline.studies.experiments import original
from pipeline.studies.experiments.findings import Finding
from pipeline.studies.experiments.results import ExperimentsReport
from pipeline.studies.experiments.tables import LOSS_NOTE, heading, metric_lines, metric_text


def render_page(report: ExperimentsReport) -> str:
    """The HTML document."""
    blocks = [
        (*heading(report, panel, horizon, findings), findings, auc_chart(f"auc-{panel}-{horizon}", findings))
        for panel, horizon, findings in report.blocks()
    ]
    template = load_template(Path(__file__).with_name("experiments.html.j2"))
    return template.render(
        report=report,
        blocks=blocks,
        interval=interval,
        metrics=original.METRICS,
        metric_lines=metric_lines,
        metric_text=metric_text,
        their_horizon=original.HORIZON,
        loss_note=LOSS_NOTE,
        leaks=sum(finding.verdict == "leak" for finding in report.findings),
        undecided=sum(finding.verdict == "not shown" for finding in report.findings),
    )


def auc_chart(name: str, findings: Sequence[Finding]) -> Chart:
    """Draws every experiment's AUC with its interval under both splits, of one panel and horizon."""
    styles = model_styles(["dated", "shuffled"])
    names = ["shuffled", "dated"]
    rows = [
        Row(
            f.experiment.name,
            [(f.shuffled.auc, styles["shuffled"]), (f.dated.auc, styles["dated"])],
            names,
            expected=f.shuffled.predicted if f.knows_the_day else math.nan,
        )
        for f in findings
    ]
    said = "; ".join(
        f"{f.experiment.name} {number(f.shuffled.auc.value)} {interval(f.shuffled.auc.low, f.shuffled.auc.high)} "
        f"shuffled, {number(f.dated.auc.value)} {interval(f.dated.auc.low, f.dated.auc.high)} dated"
        for f in findings
    )
    return rows_chart(
        name,
        "Shuffled against dated",
        f"{said}.",
        rows,
        label="AUC on the test rows, 95 % interval",
        rules=[(CHANCE, "chance", False)],
        height=0.42,
        size=6,
    )
