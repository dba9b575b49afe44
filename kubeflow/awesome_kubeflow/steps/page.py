"""The page that a step shows in the KFP UI. No TFX.

Self-contained, no script, nothing from elsewhere; everything that came from data is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.report.drawing import Chart


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        title: above it.
        header: of the columns.
        rows: of texts, each as long as the header.
        note: below it; may be empty.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """What a kind of step has to show.

    Attributes:
        verdict: in one sentence.
        tables: may be empty.
        charts: may be empty.
    """

    verdict: str
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()


def page(title: str, section: Section, facts: Mapping[str, str], outputs: Table | None = None) -> str:
    """A page.

    Args:
        title: of the step.
        section: what it has to show.
        facts: of the step, by name.
        outputs: what it made; None for a step that makes no artifacts.

    Returns:
        An HTML document.
    """
    from pipeline.report.templates import load_template

    template = load_template(Path(__file__).with_name("step.html.j2"))
    return template.render(node=title, section=section, facts=facts, outputs=outputs)
