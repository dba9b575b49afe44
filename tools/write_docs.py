"""Writes the pages of docs/ that come from declarations: `python tools/write_docs.py`. A test keeps them up to date."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

from components.evidence.metric import METRICS
from components.extractor.sources.registry import SOURCES
from components.leak_audit.check import CHECKS
from components.price_files.vendors import VENDORS
from models import features
from models.architecture import Architecture, Hyperparameters
from models.day_wide.columns import COLUMNS
from models.formatters import FORMATTERS, DataFormatter
from models.labels import LABELS
from models.plugins import Registry
from models.registry import ARCHITECTURES
from pipeline.cli import load_app

DOCS = Path(__file__).resolve().parent.parent / "docs"
_MADE = "by `python tools/write_docs.py`"


def pages() -> dict[Path, str]:
    """Every generated page: its path within docs/ to its text."""
    made = {Path("formatters.md"): _formatters_index(), Path("models.md"): _models_index()}
    made[Path("leak-audit.md")] = _filled("leak-audit.md", _checks())
    made[Path("extraction.md")] = _filled("extraction.md", _sources())
    made[Path("importing.md")] = _filled("importing.md", _vendors())
    made[Path("metrics.md")] = _filled("metrics.md", _metrics())
    made[Path("labels.md")] = _filled("labels.md", _labels())
    made |= {Path("commands.md"): _commands_page()}
    made |= {Path("formatters", f"{name}.md"): _formatter_page(one) for name, one in FORMATTERS.items()}
    return made | {Path("models", f"{name}.md"): _model_page(one) for name, one in ARCHITECTURES.items()}


def write(docs: Path) -> None:
    """Writes the pages into a folder, and removes those of what no longer exists."""
    made = pages()
    for path, text in made.items():
        (docs / path).parent.mkdir(exist_ok=True)
        (docs / path).write_text(text, encoding="utf-8")
    for folder in ("formatters", "models"):  # these hold nothing but generated pages
        for path in (docs / folder).glob("*.md"):
            if path.relative_to(docs) not in made:
                path.unlink()


def _filled(page: str, made: str) -> str:
    """A page written by hand, with what is made between its two comments."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.sub(rf"(?<={_MADE} -->\n).*(?=<!-- end -->)", lambda _: f"\n{made}\n", text, flags=re.DOTALL)


def _adding(registry: Registry[Any]) -> str:
    """How one more comes in."""
    kind, constant, folder = registry.kind.__name__, registry.group.constant, registry.group.package.replace(".", "/")
    return (
        f"One more is one file in {folder}/ that gives its `{kind}` the name `{constant}`; its `order` is its place "
        f"here. A package of your own adds one by an entry point of the group `{registry.group.entry_points}`, such as "
        f'`mine = "my_package.mine:{constant}"`; a cluster\'s image has to hold that package, too.'
    )


def _checks() -> str:
    rows = [(check.name, check.passes, check.leaks) for check in CHECKS.values()]
    parts = [_table(("check", "passes where", "leaking where"), rows), _adding(CHECKS), "## How each is made"]
    for check in CHECKS.values():
        how = _prose(inspect.getmodule(check.run)).partition("\n\n")[2]
        if how:
            parts.append(f"**{_capital(check.name)}.** {' '.join(how.split())}")
    return _page(*parts)


def _sources() -> str:
    rows = []
    for one in SOURCES.values():
        key = [f"needs a key in `{one.key_variable}`"] if one.key_variable else []
        settled = f"a bar is final {one.settle.total_seconds() / 60:g} minutes after the close"
        rows.append(
            (one.name, one.markets, f"`{one.share_example}`", one.adjustment, "; ".join([*key, settled, *one.cautions]))
        )
    table = _table(("source", "covers", "a share is written", "prices", "note"), rows)
    return _page(table, _adding(SOURCES))


def _vendors() -> str:
    rows = [
        (
            one.name,
            "<br>".join(f"`{line.replace(',', ', ').replace('  ', ' ')}`" for line in one.header.split("\n")),
            one.meaning,
            one.source,
        )
        for one in VENDORS
    ]
    return _page(_table(("format", "its columns", "its prices", "where that is written"), rows))


def _metrics() -> str:
    """What each figure's file says of it, and where that is."""
    parts = []
    for metric in METRICS.values():
        module = inspect.getmodule(metric.measure)
        assert module is not None
        text = inspect.getdoc(module) or ""
        gap = "\n" if text.rpartition("\n\n")[2].startswith("- ") else "\n\n"
        where = f"- `{module.__name__.replace('.', '/')}.py`, as `{metric.name}`."
        parts += [f"## {_capital(metric.title)}", f"{text}{gap}{where}"]
    return _page(_adding(METRICS), *parts)


def _labels() -> str:
    rows = [(f"`{one.name}`", f"the probability of {one.words.event}", one.description) for one in LABELS.values()]
    return _page(_table(("label", "what a model gives", "what it is"), rows), _adding(LABELS))


def _formatters_index() -> str:
    rows = [
        (f"[{one.name}](formatters/{one.name}.md)", _sentence(one.description), "yes" if one.warning else "")
        for one in FORMATTERS.values()
    ]
    return _page(
        "# DataFormatters",
        f"What a model sees of a row, made from models/formatters/ {_MADE}. Choose one with "
        "`awesome run --formatter NAME`; `awesome formatters` prints the same. Transform, the serving signatures, "
        "that command and these pages read one declaration: a feature has one definition.",
        _table(("formatter", "what it is", "warning"), rows),
        _adding(FORMATTERS),
        "What a formatter is made of comes from FeatureExampleGen:",
        _table(("raw feature", "type", "meaning"), _raw_features()),
        "The last of these are day-wide: made of the prices of all shares of the run, and carried only where the "
        "formatter reads them: [what needs the whole day](day-wide.md).",
        "A package may make its examples carry more. What a formatter reads of that is suspicious to the leak audit "
        "until its `Feature` says `known_on_the_day=True`: "
        "[a feature of the same day](leak-audit.md#a-feature-of-the-same-day).",
    )


def _formatter_page(formatter: DataFormatter) -> str:
    raw = [row for row in _raw_features() if row[0] in (*formatter.sources, *formatter.day_columns)]
    rows = [
        (feature.name, str(feature.steps), feature.kind.value, feature.source, feature.operation.words)
        for feature in formatter.parted
    ]
    used = [
        (
            f"`{operation.name}`",
            operation.words,
            ", ".join(f.name for f in formatter.parted if f.operation == operation),
        )
        for operation in dict.fromkeys(feature.operation for feature in formatter.features)
    ]
    return _page(
        f"# {formatter.name}",
        f"A [DataFormatter](../formatters.md), made from models/formatters/{formatter.name}.py {_MADE}.",
        formatter.description,
        f"**Warning:** {formatter.warning}." if formatter.warning else "",
        _code(f"awesome run --formatter {formatter.name}"),
        "## What a model sees",
        _table(("feature", "values", "kind", "made of", "how"), rows),
        "A sequence is read oldest first. A category is an index that a model turns into an intercept or an "
        "embedding, which is zero for what the train split did not hold.",
        "## Operations",
        "Each is one function of TensorFlow Transform, in models/operations.py or in the formatter's file; its means, "
        "variances and vocabularies come from the train split alone, and the exported model carries them.",
        _table(("operation", "what it does", "features"), used),
        "## What it reads",
        f"It reaches {formatter.reach} sessions of the share back from the row's own, so the embargo is "
        f"{formatter.reach + 1} sessions where none is asked for (the setting `embargo`).",
        "[What needs the whole day](../day-wide.md) says how the columns are made that are not of the share's own "
        "window."
        if formatter.day_columns
        else "",
        _table(("raw feature", "type", "meaning"), raw),
    )


def _models_index() -> str:
    rows = [
        (f"[{one.name}](models/{one.name}.md)", one.description, ", ".join(map(str, one.versions)))
        for one in ARCHITECTURES.values()
    ]
    return _page(
        "# Models",
        f"What is learned, made from models/ {_MADE}. Choose with `awesome run --models NAME,NAME`; "
        "`awesome models` prints the hyperparameters. Each is trained on what a [DataFormatter](formatters.md) shows "
        "it, and answers with the probability of what its [label](labels.md) asks, by default that the close is higher "
        "after the horizon.",
        _table(("model", "what it is", "versions"), rows),
        _adding(ARCHITECTURES),
        "## How all are trained",
        "The cross-entropy is minimised by Adam, the whole train split in a new random order each epoch, until the "
        "loss on the eval split has not fallen for `patience` epochs. Of more than a million rows, epochs take a "
        "million each in turn; of more than half a million, features are read from disk. The eval split (of a larger "
        "one, about half a million rows at random) is looked at several times an epoch, as a large network may be at "
        "its best before the first one is over, and the weights of the "
        "best look are kept. The learning rate falls along half a cosine. The balance of the two answers is left "
        "as it is. Two runs with one seed on one machine give the same model.",
        "A version may be solved instead, as that of linear is: a convex problem has one solution, which is found by "
        "Newton's method over all train rows, whatever the seed. What is tried on it, of features and labels, is then "
        "not drowned by the noise of a training.",
        "Where so little can be learned, a single network's answers are to a good part those of its first weights and "
        "of the order of its rows. So all models but the linear one are `members` networks that are trained one after "
        "the other, each stopped by itself, and the model is the mean of their logits: another seed changes less, and "
        "what they agree on is more often right (Lakshminarayanan, Pritzel and Blundell (2017), *Simple and scalable "
        "predictive uncertainty estimation using deep ensembles*; Gu, Kelly and Xiu (2020), *Empirical asset pricing "
        "via machine learning*, average networks over seeds as well). The experiments that repeat the original "
        "project train one network, as it did.",
        "## Why no trees",
        "LightGBM is fitted in every run, on the features and rows of the models, and stands beside them in the "
        "report, with the interval of the difference. It is no candidate of its own: on every synthetic market that "
        "was [measured](benchmarks.md#networks-beside-trees) the better network is at or above the better of two "
        "LightGBMs within the noise, whether the signal lies in signs, sizes, thresholds or regimes. What trees "
        "would add is then another form of the same answer, and two more forms to hold: a SavedModel "
        "and a [twin](twin.md) of trees, each to be proven equal to LightGBM, for TensorFlow Serving and for the daily "
        "loop. Where trees are ahead on prices of your own, the report shows it.",
    )


def _model_page(architecture: Architecture) -> str:
    defaults = architecture.hyperparameters
    meanings, space = _meanings(type(defaults)), architecture.space
    rows = [
        (f"`{one.name}`", _value(getattr(defaults, one.name)), type(getattr(defaults, one.name)).__name__,
         meanings[one.name], space[one.name].words if one.name in space else "")
        for one in fields(defaults)
    ]  # fmt: skip
    example = next(name for name in ("epochs", "category_l2") if name in space)
    module = inspect.getmodule(type(defaults))
    assert module is not None
    lines = [
        f"# {architecture.name}",
        f"A [model](../models.md), made from models/{architecture.name}.py {_MADE}.",
        _capital(_prose(module).partition(": ")[2]),
        _code(f"awesome run --models {architecture.name}"),
        "## Versions",
    ]
    for version, builder in architecture.versions.items():
        title = f"### {version}{', the default' if version == architecture.default_version else ''}"
        # Where there are several, the docstring begins with the number that the heading has.
        lines += [title, re.sub(r"^Version \d+: (.)", lambda match: match[1].upper(), _prose(builder))]
    if len(architecture.versions) > 1:
        old = next(version for version in architecture.versions if version != architecture.default_version)
        command = f"awesome run --models {architecture.name}:{old}"
        lines.append(f"Another than the default is named with a colon: `{command}`.")
    lines += [
        "## Hyperparameters",
        _table(("name", "default", "type", "meaning", "searched in"), rows),
        "Others are set in `awesome.toml`, and a run's report names what was set:",
        _code(f"[hyperparameters.{architecture.name}]\n{example} = {getattr(defaults, example) * 2}", "toml"),
        "[A search](../search.md) looks for better ones on the eval split:",
        _code(f"awesome search --model {architecture.name} --trials 30"),
    ]
    return _page(*lines)


def _commands_page() -> str:
    """Every command, as its help has it."""
    commands = dict(sorted(_commands("awesome", typer.main.get_command(load_app()))))
    rows = [(f"[`{name}`](#{name.replace(' ', '-')})", _sentence(_help(one)[0])) for name, one in commands.items()]
    return _page(
        "# Commands",
        f"What `awesome` does, made from the commands' help {_MADE}; `awesome COMMAND --help` prints the same.",
        _table(("command", "what it does"), rows),
        *(part for name, one in commands.items() for part in _command(name, one)),
    )


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Name and click's object of a command, or of all commands of a group; and of one that is a command itself."""
    if not hasattr(command, "commands") or command.invoke_without_command:
        yield name, command
    for part, one in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {part}", one)


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield from _help(command)
    records = [one.get_help_record(typer.Context(command)) for one in command.params]
    rows = [(f"`{written}`", " ".join(meaning.split())) for written, meaning in filter(None, records)]
    if rows:
        yield _table(("option", "meaning"), rows)
    if command.epilog:
        yield _code(command.epilog.removeprefix("Example: "))


def _help(command: Any) -> list[str]:
    """The paragraphs of a command's help, each on one line."""
    return [" ".join(part.split()) for part in inspect.cleandoc(command.help).split("\n\n")]


def _meanings(kind: type[Any]) -> dict[str, str]:
    """What each hyperparameter means: the base class's words, and after them those of the model's own class."""
    found: dict[str, list[str]] = {}
    for one in reversed(kind.__mro__):
        if issubclass(one, Hyperparameters):
            for name, text in _attributes(one).items():
                found.setdefault(name, []).append(text)
    return {name: " Here: ".join(texts) for name, texts in found.items()}


def _attributes(kind: type[Any]) -> dict[str, str]:
    """The section Attributes of a Google docstring: name to text, each on one line."""
    section = inspect.getdoc(kind).partition("Attributes:\n")[2]  # type: ignore[union-attr]
    entries = re.findall(r"^    (\w+): (.*(?:\n      +.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _prose(documented: Any) -> str:
    """A docstring without its sections (Args, Returns ...)."""
    text = inspect.getdoc(documented) or ""
    return re.split(r"\n\n(?=[A-Z][a-z]+:\n)", text)[0]


def _raw_features() -> list[tuple[str, ...]]:
    """The table in the docstring of models/features.py, without its head, and the day-wide columns."""
    rows = [line for line in (features.__doc__ or "").splitlines() if line.startswith("|")]
    made = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows[2:]]
    return made + [(one.name, f"float32 [{one.width}]", one.words) for one in COLUMNS.values()]


def _sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _value(value: Any) -> str:
    return f"`{', '.join(map(str, value)) if isinstance(value, tuple) else value}`"


def _code(text: str, language: str = "sh") -> str:
    return f"```{language}\n{text}\n```"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    written = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([written[0], "|---" * len(head) + "|", *written[1:]])


def _page(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


if __name__ == "__main__":
    write(DOCS)
