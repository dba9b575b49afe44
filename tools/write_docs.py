"""Writes the pages of docs/ that come from declarations: `python tools/write_docs.py`. A test keeps them up to date."""

from __future__ import annotations

from pathlib import Path

from models.formatters import FORMATTERS

FORMATTERS_PAGE = Path(__file__).resolve().parent.parent / "docs" / "formatters.md"


def formatters_page() -> str:
    """The page of the DataFormatters."""
    lines = [
        "# DataFormatters",
        "",
        "What a model sees of a row, made from models/formatters.py by `python tools/write_docs.py`. Choose one with",
        "`awesome run --formatter NAME`; `awesome formatters` prints the same.",
    ]
    for formatter in FORMATTERS.values():
        lines += ["", f"## {formatter.name}", "", formatter.description]
        if formatter.warning:
            lines += ["", f"**Warning:** {formatter.warning}."]
        lines += ["", "| feature | values | kind | made of | how |", "|---|---|---|---|---|"]
        for feature in formatter.features:
            how = feature.operation.value
            lines.append(f"| {feature.name} | {feature.steps} | {feature.kind.value} | {feature.source} | {how} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FORMATTERS_PAGE.write_text(formatters_page(), encoding="utf-8")
