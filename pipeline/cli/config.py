"""`awesome config`: every setting, its value and where that comes from; and a file of settings to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, print_line
from pipeline.cli.overview import Group

if TYPE_CHECKING:
    from pipeline.settings import Settings

config_app = typer.Typer(cls=Group, help="Every setting, and where its value is from.", invoke_without_command=True)
app.add_typer(config_app, name="config", epilog=example("awesome config --json"))


@config_app.callback()
def config(context: typer.Context, as_json: common.AsJson = False) -> None:
    """Prints every setting, its value and where the value comes from."""
    if context.invoked_subcommand is not None:
        return
    import json

    from rich.padding import Padding
    from rich.text import Text

    from components.masking import masked
    from pipeline.loading import load_settings, origins

    settings, origin = load_settings(), origins()
    fields = type(settings).model_fields
    told = {name: masked(_shown(settings, name)) for name in fields}
    if as_json:
        whole = {
            name: {"value": told[name], "from": origin[name], "meaning": field.description}
            for name, field in fields.items()
        }
        typer.echo(json.dumps(whole, indent=2, ensure_ascii=False))
        return
    console = new_console()
    for name, field in fields.items():
        own = origin[name] != "default"
        line = Text.assemble(
            (name, "bold"), " = ", told[name] or "(not set)", (f"  ({origin[name]})", "green" if own else "dim")
        )
        console.print(line)
        console.print(Padding(Text(field.description or "", style="dim"), (0, 0, 0, 4)))


@config_app.command("init", epilog=example("awesome config init"))
def config_init() -> None:
    """Writes awesome.toml with all settings as comments, each with its meaning and its default."""
    from components.errors import UserError
    from components.whole_files import write_whole
    from pipeline.settings import FILE, Settings

    path = Path(FILE)
    if path.exists():
        raise UserError(f"{FILE} is there already, and stays as it is; move it away to begin anew")
    lines = ["# Settings of awesome: take the # in front of a line away to set it. Flags and AWESOME_... go before it."]
    for name, field in Settings.model_fields.items():
        lines += ["", f"# {field.description}", f"# {name} = {_in_toml(field.get_default(call_default_factory=True))}"]
    write_whole(path, "\n".join(lines) + "\n")
    print_line(f"{FILE}: written; nothing is set in it yet")


def _in_toml(value: Any) -> str:
    """A default as TOML writes it; words where there is none."""
    import json

    if value is None:
        return "(not set)"
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return json.dumps(value if isinstance(value, (bool, int, float, dict)) else str(value))


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return ",".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
