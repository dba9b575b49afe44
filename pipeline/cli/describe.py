"""`awesome labels`, `formatters`, `models`: what there is."""

from __future__ import annotations

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console


@app.command(epilog=example("awesome labels"))
def labels(plugins: common.Plugins = None) -> None:
    """Describes every label: what a model can be asked."""
    common.take_plugins(plugins)
    from rich.markup import escape

    from models.labels import LABELS

    console = new_console()
    for label in LABELS.values():
        title = f"{label.description}{common.from_outside(LABELS, label.name)}"
        console.print(f"[bold]{label.name}[/]  {escape(title)}\n", highlight=False)
    common.print_broken(LABELS)


@app.command(epilog=example("awesome formatters"))
def formatters(plugins: common.Plugins = None) -> None:
    """Describes every DataFormatter."""
    common.take_plugins(plugins)
    from rich.markup import escape

    from models.formatters import FORMATTERS

    console = new_console()
    for formatter in FORMATTERS.values():
        title = f"{formatter.description}{common.from_outside(FORMATTERS, formatter.name)}"
        console.print(f"[bold]{formatter.name}[/]  {escape(title)}", highlight=False)
        for feature in formatter.features:
            size = f"[{feature.steps}]" if feature.steps > 1 else ""
            text = f"  {feature.name}{size} ({feature.kind.value}, of {feature.source}): {feature.operation.words}"
            console.print(text, highlight=False, markup=False)
        if formatter.warning:
            console.print(f"  [yellow]warning: {escape(formatter.warning)}[/]", highlight=False)
        console.print()
    common.print_broken(FORMATTERS)


@app.command(epilog=example("awesome models"))
def models(plugins: common.Plugins = None) -> None:
    """Describes every model and its hyperparameters."""
    common.take_plugins(plugins)
    from rich.markup import escape

    from models.registry import ARCHITECTURES

    console = new_console()
    for architecture in ARCHITECTURES.values():
        versions = ", ".join(
            f"{v}{' (default)' if v == architecture.default_version else ''}" for v in architecture.versions
        )
        title = f"{architecture.description}; version {versions}"
        title += common.from_outside(ARCHITECTURES, architecture.name)
        console.print(f"[bold]{architecture.name}[/]  {escape(title)}", highlight=False)
        values = ", ".join(f"{name} {value}" for name, value in architecture.used().items())
        console.print(f"  {values}\n", highlight=False, markup=False)
    common.print_broken(ARCHITECTURES)
