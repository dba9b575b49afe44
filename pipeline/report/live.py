"""The page of `awesome live`: self-contained as report.html is, and nothing in it is made up by the template."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from components.ledger.schema import CHAMPION
from models.labels import words_of
from pipeline.report.ledger import origin_in_words
from pipeline.report.live_facts import LiveFacts
from pipeline.report.live_words import (
    drift_line,
    e_value,
    live_verdict,
    open_lines,
    profit_line,
    sequence_line,
    trust_line,
    waiting_line,
)
from pipeline.report.templates import load_template
from pipeline.report.words import basis_points, points, rate, readable_time, share_percent
from pipeline.runs.folder import write_text
from pipeline.runs.results import ReportError

LIVE_HTML = "live.html"

_SHOWN = 60
"""Sessions in a table of the page; the JSON has them all."""


def render_live(facts: LiveFacts) -> str:
    """Makes the page."""
    path = Path(__file__).with_name("live.html.j2")
    return load_template(
        path,
        e_value=e_value,
        points=points,
        share=share_percent,
        rate=rate,
        time=readable_time,
        costs=basis_points,
        origin=origin_in_words,
    ).render(
        facts=facts,
        words=words_of(facts.label),
        verdict=live_verdict(facts),
        waiting=waiting_line(facts),
        sequence=sequence_line(facts.evidence) if facts.evidence is not None and facts.evidence.days else "",
        profit=profit_line(facts.profit) if facts.profit is not None else "",
        drift=drift_line(facts),
        lines=open_lines(facts),
        trusted=trust_line(facts.trust) if facts.trust is not None else "",
        spoken=[one.digest for one in facts.versions if one.role == CHAMPION][-1:],
        champion=CHAMPION,
        shown=_SHOWN,
        charts=_charts(facts),
    )


def write_live(facts: LiveFacts, path: Path) -> Path:
    """Writes the page whole or not at all, and gives its file.

    Args:
        facts: of the record.
        path: of the page, which ends in .html; or a folder, where it is called live.html.

    Raises:
        ReportError: it cannot be written, or is no page.
    """
    target = path / LIVE_HTML if path.is_dir() else path
    if target.suffix != ".html":
        raise ReportError(f"{target}: name a folder, or a file that ends in .html, with --output")
    try:
        os.makedirs(target.parent, exist_ok=True)
    except OSError as error:
        raise ReportError(f"{target.parent}: the folder cannot be made ({error.strerror}). Choose another.") from None
    write_text(target, render_live(facts))
    return target


def _charts(facts: LiveFacts) -> dict[str, Any]:
    from pipeline.report import live_charts

    evidence = facts.evidence if facts.evidence is not None and facts.evidence.days else None
    words = words_of(facts.label)
    return {
        "evidence": None if evidence is None else live_charts.evidence_chart(evidence),
        "sequence": None if evidence is None else live_charts.sequence_chart(evidence),
        "calibration": live_charts.calibration_chart(facts.calibration, words) if facts.calibration else None,
        "profit": None if facts.profit is None else live_charts.profit_chart(facts.profit),
        "drift": live_charts.drift_chart(facts.drift) if facts.drift else None,
    }
