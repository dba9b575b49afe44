"""search.html: a search as one self-contained page."""

from __future__ import annotations

from pathlib import Path

from models.labels import words_of
from models.search_space import in_words
from pipeline.report.templates import load_template
from pipeline.runs.tries import iso
from pipeline.studies.search.results import SearchReport

_TEMPLATE = Path(__file__).with_name("search.html.j2")


def render_search(report: SearchReport) -> str:
    """The HTML document."""
    from pipeline.studies.search.charts import hyperparameter_charts, trials_chart

    return load_template(_TEMPLATE).render(
        report=report,
        verdict=report.verdict,
        words=words_of(report.label),
        trials=trials_chart(report),
        charts=hyperparameter_charts(report),
        in_words=in_words,
        first=iso(report.first),
        last=iso(report.last),
        unjudged=[one for one in report.trials if one.why],
        minutes=sum(one.seconds for one in report.trials if one.seconds == one.seconds) / 60,
    )
