"""walkforward.html: a walk as one self-contained page."""

from __future__ import annotations

from pathlib import Path

from models.labels import UP, words_of
from pipeline.report.templates import load_template
from pipeline.studies.walkforward.results import Walk
from pipeline.studies.walkforward.verdict import count_above

_TEMPLATE = Path(__file__).with_name("walkforward.html.j2")


def render_walk(walk: Walk) -> str:
    """The HTML document."""
    from pipeline.report.drawing import model_styles
    from pipeline.studies.walkforward.charts import part_charts, plan_chart

    styles = model_styles(list(walk.horizons[0].overall.scores))
    return load_template(_TEMPLATE).render(
        walk=walk,
        words=words_of(str(walk.settings.get("label", UP))),
        styles=styles,
        plan=plan_chart(walk.folds),
        charts={scores.horizon: part_charts(scores, styles) for scores in walk.horizons},
        findings={finding.horizon: finding for finding in walk.findings},
        count_above=count_above,
        verdict=walk.verdict,
        minutes=sum(run.seconds for run in walk.runs) / 60,
    )
