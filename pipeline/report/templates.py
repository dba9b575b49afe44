"""Templates of pages: what comes from data is escaped, and a name that is missing is an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.words import low_to_high, number, number4, signed
from pipeline.report import interactive
from pipeline.report.palette import themed
from pipeline.report.words import percent

if TYPE_CHECKING:
    import jinja2


def load_template(path: Path, **filters: Callable[..., Any]) -> jinja2.Template:
    """Reads a template, which may use these filters beside Jinja's own and those that write numbers."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([path.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = {"number": number, "number4": number4, "percent": percent, "low_to_high": low_to_high}
    environment.filters.update(words, themed=themed, answers=interactive.answers, **filters)
    environment.globals.update(signed=signed, number4=number4, page=interactive)
    return environment.get_template(path.name)
