"""Tomorrow's probabilities, from the pushed model or from a run's candidate."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.errors import UserError
from components.model_selector.files import Evidence, read_evidence
from components.model_selector.opening import open_card
from components.records import RecordError, from_json
from components.whole_files import temporary_folder
from models.errors import TwinError, UnknownNameError
from models.features import CLOSES, SHARE_ID
from models.formatters import DataFormatter, get_formatter
from models.labels import UP
from models.registry import ARCHITECTURES
from models.twin.proof import Proof
from models.twin.proving import proven_twin
from pipeline.given_flags import again, command_of
from pipeline.job.quiet import import_tensorflow
from pipeline.paths import pattern_in
from pipeline.plan import Plan
from pipeline.report.suspects import print_plain, print_suspects
from pipeline.runs.folder import REPORT_JSON, FinishedRun, open_run
from pipeline.runs.results import ReportError
from pipeline.uses.forecast import Forecast, ShareForecast
from pipeline.uses.windows import read_last_windows

if TYPE_CHECKING:
    from rich.console import Console

    from models.card import ModelCard


AT_ONCE = 8192
"""Rows that TensorFlow is asked about together: what a recurrent layer holds of each is a hundred times the row."""

PULLED_MODEL = "saved_model"
"""The folder of a model within that of one that was pulled."""


class PredictionError(UserError):
    """There is no model to predict with, or it does not fit what was asked."""


@dataclass(frozen=True)
class ChosenModel:
    """The model that is asked.

    Attributes:
        saved_model: its folder.
        blessed: whether it may be pushed.
        auc: on the test split, and its 95 % interval.
        auc_low: lower end.
        auc_high: upper end.
        twin: that its twin answers as it does; None where none is known.
        held_back: checks of the leak audit that keep it from being pushed, blessed or not.
        run: that it is a candidate of; None of a pushed or pulled one.
        name: of it in that run.
    """

    saved_model: Path
    blessed: bool
    auc: float
    auc_low: float
    auc_high: float
    twin: Proof | None = None
    held_back: tuple[str, ...] = ()
    run: FinishedRun | None = None
    name: str = ""

    def facts(self, card: ModelCard, absent: Sequence[str], untrained: Sequence[str]) -> dict[str, Any]:
        """What forecasts of now and of the past say of the model: the values of an `AskedModel`.

        Args:
            card: what the model says of itself.
            absent: shares of its market that the database lacks.
            untrained: shares that it was not trained on.
        """
        return {
            "model": card.model,
            "origin": str(self.saved_model),
            "blessed": self.blessed,
            "horizon": card.horizon,
            "label": card.label,
            "auc": self.auc,
            "auc_low": self.auc_low,
            "auc_high": self.auc_high,
            "held_back": self.held_back,
            "absent": tuple(absent),
            "untrained": tuple(untrained),
        }


def predict(plan: Plan, model: str | None, run: Path | None, console: Console) -> Forecast:
    """Predicts every share from its last window.

    Args:
        plan: the database, the shares, and which pushed model (formatter, horizon, market).
        model: name of a run's candidate, or the folder of a pulled model; None for the pushed model.
        run: the run's folder; None for the latest one.
        console: where it says what is not as it should be.

    Raises:
        PredictionError: there is no such model, or it is another one than the options ask for.
        ModelFolderError: what it says of itself cannot be read.
        StoreError: the database cannot be read.
        WindowsError: no share has a window that can be used.
    """
    return predict_by(plan, choose_model(plan, model, run), console)


def predict_by(plan: Plan, chosen: ChosenModel, console: Console) -> Forecast:
    """As `predict`, by a model that was chosen."""
    card = open_card(chosen.saved_model)
    check_given(plan, chosen.saved_model, card)
    windows = read_last_windows(plan, formatter_of(card), card.market)
    print_suspects(windows.suspects, console, database=plan.database)
    try:
        twin = proven_twin(chosen.saved_model, chosen.twin)
        answer, without_twin = twin.forecast(windows.share_ids, windows.closes, day=windows.day), ""
        untrained = twin.untrained(windows.share_ids)
    except TwinError as error:
        without_twin, untrained = str(error), ()
        print_plain(console, f"{card.model} has no twin and predicts through TensorFlow: {error}", "yellow")
        answer = through_tensorflow(chosen.saved_model, windows.share_ids, windows.closes, windows.day)
    forecasts = [
        ShareForecast(name, session, float(probability))
        for name, session, probability in zip(windows.share_ids, windows.sessions, answer, strict=True)
    ]
    return Forecast(
        shares=tuple(sorted(forecasts, key=lambda forecast: -forecast.probability)),
        left_out=windows.left_out,
        short=windows.short,
        excluded=windows.excluded,
        suspects=windows.suspects.open,
        without_twin=without_twin,
        outside=windows.outside,
        **chosen.facts(card, windows.absent, untrained),
    )


def formatter_of(card: ModelCard) -> DataFormatter:
    """What a model sees.

    Raises:
        PredictionError: it is not known here.
    """
    try:
        return get_formatter(card.formatter)
    except UnknownNameError as error:
        raise PredictionError(f"{card.model}: {error}; predict where that formatter is") from None


def through_tensorflow(
    saved_model: Path,
    share_ids: Sequence[str],
    closes: NDArray[np.float32],
    day: Mapping[str, NDArray[np.float32]] | None = None,
) -> NDArray[np.float32]:
    """What the exported model itself answers to shares [n], their windows [n, 21], close0 first, and columns; [n]."""
    import_tensorflow()
    import tensorflow as tf

    from models.serving import PREDICT_CLOSES, PREDICT_DAY, PROBABILITY

    with _loadable(saved_model) as folder:
        signature = tf.saved_model.load(str(folder)).signatures[PREDICT_DAY if day else PREDICT_CLOSES]
        columns = {name: values.reshape(len(values), -1) for name, values in (day or {}).items()}
        rows = {SHARE_ID: share_ids, CLOSES: closes, **columns}
        answers: list[NDArray[np.float32]] = []
        for begin in range(0, len(share_ids), AT_ONCE):
            asked = {name: tf.constant(values[begin : begin + AT_ONCE]) for name, values in rows.items()}
            answers.append(signature(**asked)[PROBABILITY].numpy()[:, 0])
        return np.concatenate(answers) if answers else np.empty(0, np.float32)


@contextlib.contextmanager
def _loadable(saved_model: Path) -> Iterator[Path]:
    """A folder as TensorFlow can load it: it takes some signs of its name for a pattern, so a link goes without."""
    if not pattern_in(saved_model):
        yield saved_model
        return
    with temporary_folder("predict") as folder:
        link = folder / "saved_model"
        if why := pattern_in(link):
            raise PredictionError(f"{saved_model}: cannot be loaded: {why}, or set TMPDIR to such a one")
        link.symlink_to(saved_model.absolute(), target_is_directory=True)
        yield link


def choose_model(plan: Plan, model: str | None, run: Path | None) -> ChosenModel:
    """The model that is asked; arguments and errors are those of `predict`."""
    if model is None and run is None:
        return _pushed(plan)
    if model is not None and (pulled := _pulled(Path(model))) is not None:
        return pulled
    if model is not None and model not in ARCHITECTURES and Path(model).exists():
        raise PredictionError(
            f"--model {model} holds no model that was pulled; bring one: awesome model pull --model NAME --to FOLDER, "
            "or name a candidate of a run"
        )
    return _candidate(plan, model, run)


def _pulled(folder: Path) -> ChosenModel | None:
    """A model that `awesome model pull` brought; None where the folder holds none."""
    from components.object_storage.manifest import ModelManifest
    from components.object_storage.models import EVIDENCE, MANIFEST

    path = folder / MANIFEST
    if not path.is_file():
        return None
    facts = ModelManifest.from_json(path.read_bytes(), str(path)).facts
    saved_model = folder / PULLED_MODEL
    if not saved_model.is_dir():
        raise PredictionError(f"{folder} holds no saved_model; pull it again: awesome model pull --model {facts.model}")
    try:
        twin = from_json(Evidence, (folder / EVIDENCE).read_bytes()).twin
    except (OSError, RecordError):  # it is not needed to predict
        twin = None
    return ChosenModel(saved_model, facts.blessed, facts.auc, facts.auc_low, facts.auc_high, twin)


def _pushed(plan: Plan) -> ChosenModel:
    folder = plan.serving
    versions = pushed_versions(folder)
    if not versions:
        if plan.settings.market is None and not plan.database.exists():
            raise PredictionError(
                f"{plan.database} does not exist; name the database that a run was made of (--db), or the panel"
            )
        candidate = next(iter(_latest_run(plan).models()))
        raise PredictionError(
            f"no model was pushed to {folder}: no run with these settings had a blessed one; "
            "name a candidate of a run to see what it says all the same: " + again(plan, "--model", candidate)
        )
    check_asked(plan, versions[-1], open_card(versions[-1]))
    try:
        evidence = read_evidence(versions[-1])
        auc, low, high = (evidence.metrics[name] for name in ("auc", "auc_low", "auc_high"))
        return ChosenModel(versions[-1], True, auc, low, high, evidence.twin)
    except (OSError, RecordError, KeyError) as error:
        raise PredictionError(
            f"{versions[-1]}: its evidence cannot be read ({error}); run again, or name a run"
        ) from None


def _candidate(plan: Plan, model: str | None, run: Path | None) -> ChosenModel:
    opened = _latest_run(plan) if run is None else open_run(run)
    name = model or opened.report.champion
    if name is None:
        one, *others = opened.models()
        by_it = again(plan, "--run", str(opened.folder), "--model", one)
        raise PredictionError(
            f"{opened.folder} has no champion; name one of its models: {by_it}"
            + (f" (or {', '.join(others)})" if others else "")
        )
    result = opened.models([name])[name]
    held = opened.report.held_back.get(name, ())
    area = result.area
    figures = area.value, area.low, area.high
    return ChosenModel(opened.saved_model(name), result.blessed, *figures, result.twin, held, opened, name)


def run_of(plan: Plan, chosen: ChosenModel) -> tuple[FinishedRun, str] | None:
    """The run that trained a model, and its name in it; None where that is not in the workspace."""
    if chosen.run is not None:
        return chosen.run, chosen.name
    run = run_that_pushed(finished_runs(plan), chosen.saved_model)
    if run is None or run.report.champion is None:
        return None
    twin = run.report.models[run.report.champion].twin
    # A folder may be called like the one that the run pushed to, and hold another model.
    same = twin is not None and chosen.twin is not None and twin.digest == chosen.twin.digest
    return (run, run.report.champion) if same else None


def run_id(chosen: ChosenModel, found: tuple[FinishedRun, str] | None) -> str:
    """The id of the run that trained a model, as `run_of` has found it.

    Where it is not in the workspace, `model` and the digest of the model's twin, which is the same wherever the model
    lies; its folder's name where it has none.
    """
    if found is not None:
        return found[0].report.id
    if chosen.twin is not None and chosen.twin.digest:
        return f"model {chosen.twin.digest[:12]}"
    folder = chosen.saved_model
    return folder.parent.name if folder.name == PULLED_MODEL else folder.name


def run_that_pushed(runs: Sequence[FinishedRun], version: Path) -> FinishedRun | None:
    """The latest of some runs that pushed a model to a folder; None where it is no longer here."""
    made_by = [run for run in runs if run.report.pushed and Path(run.report.pushed).name == version.name]
    return made_by[-1] if made_by else None


def pushed_versions(folder: Path) -> list[Path]:
    """The models that were pushed to a folder, the newest last."""
    numbered = sorted((p for p in folder.glob("*") if p.name.isdecimal()), key=lambda p: int(p.name))
    return [p for p in numbered if (p / "saved_model.pb").is_file()]


def check_asked(plan: Plan, folder: Path, card: ModelCard) -> None:
    """Refuses a pushed model of another label, horizon or formatter than is asked for: it lies at the wrong place.

    Raises:
        PredictionError: it is one.
    """
    if card.label != plan.label.name:
        raise PredictionError(
            f"{folder} holds a model of label {card.label}, and label {plan.label.name} is asked for; move it away, or "
            "ask for what it is (--label)"
        )
    own, asked = (card.horizon, card.formatter), (plan.horizon, plan.formatter.name)
    if own != asked:
        raise PredictionError(
            f"{folder} holds a model of horizon {own[0]} and formatter {own[1]}, and horizon {asked[0]} and formatter "
            f"{asked[1]} are asked for; move it away, or ask for what it is (--horizon, --formatter)"
        )


def check_given(plan: Plan, folder: Path, card: ModelCard) -> None:
    """Refuses a model of a run or a folder where an option asks for another label, horizon or formatter.

    What settings say besides is what the pushed model is found by, and nothing that was asked of a model by its name.

    Raises:
        PredictionError: it is one.
    """
    asked = {"label": plan.label.name, "horizon": plan.horizon, "formatter": plan.formatter.name}
    for name, wanted in asked.items():
        if (own := getattr(card, name)) != wanted and plan.origins.get(name, "").startswith("--"):
            raise PredictionError(
                f"{folder} holds a model of {name} {own}, and --{name} asks for {wanted}; leave --{name} out, or name "
                "another run"
            )


def finished_runs(plan: Plan) -> list[FinishedRun]:
    """The runs in the workspace on the same database with the same formatter, label and horizon, the latest last."""
    wanted = plan.database.resolve()
    found = []
    for path in plan.workspace.glob(f"*/{REPORT_JSON}"):
        try:
            opened = open_run(path)
        except ReportError:  # of another version: no reason not to find the others
            continue
        report = opened.report
        made = (report.formatter, report.label, report.settings.get("horizon"))
        same = made == (plan.formatter.name, plan.label.name, plan.horizon)
        if same and opened.database.resolve() == wanted:
            found.append(opened)
    return sorted(found, key=lambda run: (run.report.created, run.folder))


def _latest_run(plan: Plan) -> FinishedRun:
    found = finished_runs(plan)
    if not found:
        asked = f"formatter {plan.formatter.name} and horizon {plan.horizon}"
        if plan.label.name != UP:
            asked = f"label {plan.label.name}, {asked}"
        raise PredictionError(
            f"no run in {plan.workspace} has used {plan.database} with {asked}; start one: {command_of(plan, 'run')}; "
            f"or name it: {again(plan, '--run', 'FOLDER')}"
        )
    return found[-1]
