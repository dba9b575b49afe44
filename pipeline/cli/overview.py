"""`awesome --help`: the commands in groups, in the order in which they are used; whole sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer.core

GROUPS: Mapping[str, Sequence[str]] = {
    "Prices": ("market", "sources", "extract", "prices", "members", "features", "db", "panel"),
    "Train and predict": ("run", "predict", "search", "walkforward", "models", "formatters", "labels"),
    "Judge": (
        *("runs", "compare", "evaluate", "audit", "explain", "backtest", "trials", "judge", "experiments"),
        *("tensorboard", "mlflow"),
    ),
    "Every day": ("daily", "live", "ledger", "serve", "model"),
    "Set up": ("config", "schema", "workers", "kubeflow"),
}
"""Commands by what they are for; those of other packages stand below them."""

_OTHERS = "From other packages"


class Group(typer.core.TyperGroup):
    """Commands, each with its whole first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes them."""
        self._write(ctx, formatter, {"Commands": self.list_commands(ctx)})

    def _write(self, ctx: Any, formatter: Any, grouped: Mapping[str, Sequence[str]]) -> None:
        """Writes a section for each group of names."""
        # One column for all groups.
        width = max((len(name) for names in grouped.values() for name in names), default=0)
        for title, names in grouped.items():
            found = {name: self.get_command(ctx, name) for name in names}
            rows = [
                (name.ljust(width), one.get_short_help_str(limit=500)) for name, one in found.items() if one is not None
            ]
            with formatter.section(title):
                formatter.write_dl(rows)


class Overview(Group):
    """The application's own group."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order in which they are shown."""
        return [name for names in self._grouped(ctx).values() for name in names]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes a section for each group."""
        self._write(ctx, formatter, self._grouped(ctx))

    def _grouped(self, ctx: Any) -> dict[str, list[str]]:
        there = super().list_commands(ctx)
        grouped = {title: [name for name in names if name in there] for title, names in GROUPS.items()}
        named = {name for names in GROUPS.values() for name in names}
        grouped[_OTHERS] = [name for name in there if name not in named]
        return {title: names for title, names in grouped.items() if names}
