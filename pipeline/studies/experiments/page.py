"""experiments.html: self-contained, no script, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from pipeline.report.templates import load_template
from pipeline.report.words import interval
from pipeline.studies.experiments import original
from pipeline.studies.experiments.chart import auc_chart
from pipeline.studies.experiments.results import ExperimentsReport
from pipeline.studies.experiments.tables import LOSS_NOTE, heading, metric_lines, metric_text


def render_page(report: ExperimentsReport) -> str:
    """The HTML document."""
    blocks = [
        (heading(report, panel, horizon, findings), findings, auc_chart(f"auc-{panel}-{horizon}", findings))
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
