"""The predictions of a ledger made once more: probabilities by the models that are here, inputs from the prices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.text import Text

from components.day_wide.reading import read_last
from components.errors import UserError
from components.feature_store import WINDOW, FeatureStore
from components.feature_store.windows import close_windows
from components.ledger.columns import reads_of
from components.ledger.file import Ledger
from components.ledger.recomputing import Recomputed, WrittenPredictions, recompute, written_predictions
from components.ledger.setting_up import model_digest
from components.model_selector.opening import ModelFolderError, open_pushed
from components.universe.universe import universe_of
from models.day_wide.columns import columns_of
from models.errors import TwinError
from models.twin.proof import Proof
from models.twin.proving import proven_twin
from pipeline.plan import Plan
from pipeline.runs.folder import REPORT_JSON, open_run
from pipeline.runs.results import ReportError
from pipeline.uses.ledger import ledger_of

_MODEL = "saved_model.pb"
_SHOWN = 20

_Inputs = dict[str, npt.NDArray[np.float32]]
"""By name, float32 [n] or [n, width]."""


@dataclass(frozen=True)
class Otherwise:
    """A prediction that the prices of today give other inputs.

    Attributes:
        seq: its row.
        share_id: the share.
        session: that it was made after, ISO.
        inputs: which: `closes` for its window, or names of day-wide columns.
    """

    seq: int
    share_id: str
    session: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class ModelAgain:
    """What came of it when the predictions of one model were made again.

    Attributes:
        name: of the model's architecture.
        digest: of the model.
        computed: its probabilities; None where the model cannot be asked.
        why: why it cannot; empty where it was.
        inputs: of how many predictions windows and columns were made again from the prices.
        otherwise: those of them that the prices of today give other ones.
    """

    name: str
    digest: str
    computed: Recomputed | None
    why: str
    inputs: int
    otherwise: tuple[Otherwise, ...]


def recompute_ledger(plan: Plan, file: Path | None = None) -> tuple[ModelAgain, ...]:
    """Makes every prediction of a ledger once more.

    Args:
        plan: names the database, whose prices are taken as they are today, and the workspace with the models.
        file: the ledger; None for that beside the database.

    Raises:
        LedgerError: it cannot be read, or a prediction lacks what it was made of.
        StoreError: the database cannot be read.
    """
    with Ledger.open(ledger_of(plan, file)) as ledger, FeatureStore.open(plan.database) as store:
        names = dict(ledger.select("SELECT digest, name FROM MODEL ORDER BY seq"))
        spoken = {str(model) for (model,) in ledger.select("SELECT DISTINCT model FROM PREDICTION")}
        here = _find_models(plan, spoken)
        found = []
        for digest, name in names.items():
            if digest not in spoken:
                continue
            computed, why = None, f"its files are nowhere in {plan.workspace}"
            if digest in here:
                try:
                    computed, why = recompute(ledger, digest, proven_twin(*here[digest]).forecast), ""
                except TwinError as error:
                    why = f"it has no twin: {error}"
            rows = list(written_predictions(ledger, digest))
            otherwise = tuple(_other_inputs(ledger, store, digest, rows))
            found.append(ModelAgain(name, digest, computed, why, sum(len(part.seq) for part in rows), otherwise))
    return tuple(found)


def print_recomputed(again: Sequence[ModelAgain], database: Path, console: Console) -> None:
    """Prints of each model whether its predictions could be made again, and those that came out otherwise."""
    for one in again:
        who = f"{one.name} {one.digest[:8]}"
        if one.computed is None:
            console.print(Text(f"{who}: not computed again: {one.why}", style="yellow"), soft_wrap=True)
        else:
            different = one.computed.different
            for row in different[:_SHOWN]:
                text = f"{row.seq}, PREDICTION of {row.share_id} after {row.session}: {row.written} stands there"
                console.print(Text(f"row {text}, and the model says {row.computed}", style="bold red"), soft_wrap=True)
            said = f"NOT the same: {len(different):,}" if different else "the same to the last bit"
            style = "bold red" if different else "bold green"
            text = f"{who}: {one.computed.predictions:,} predictions computed again: {said}"
            console.print(Text(text, style=style), soft_wrap=True)
        text = f"{who}: what {one.inputs:,} predictions were made of, again from {database}: "
        if not one.otherwise:
            console.print(Text(f"{text}the same to the last bit"), soft_wrap=True)
            continue
        first = one.otherwise[0]
        such = f"such as {first.share_id} after {first.session} ({', '.join(first.inputs)})"
        text += f"{len(one.otherwise):,} other, {such}: prices were restated, or came later"
        console.print(Text(text, style="yellow"), soft_wrap=True)


def _find_models(plan: Plan, digests: Collection[str]) -> dict[str, tuple[Path, Proof | None]]:
    """By digest, the folder of a model and the proof of its twin, where it is."""
    found: dict[str, tuple[Path, Proof | None]] = {}
    for folder, proof in _models(plan):
        if not {*digests} - found.keys():
            break
        if (digest := model_digest(folder)) in digests:
            found.setdefault(digest, (folder, proof))
    return found


def _models(plan: Plan) -> Iterator[tuple[Path, Proof | None]]:
    """The models of a workspace: those that were pushed, that challenge or have challenged, and candidates of runs."""
    for kind in ("serving", "challengers"):
        for folder in sorted(plan.workspace.glob(f"{kind}/*/*")):
            if (folder / _MODEL).is_file():
                try:
                    yield folder, open_pushed(folder).proof
                except ModelFolderError:  # what it says of itself does not matter here
                    yield folder, None
    for path in sorted(plan.workspace.glob(f"*/{REPORT_JSON}"), reverse=True):
        try:
            run = open_run(path)
        except ReportError:  # of another version
            continue
        for name, result in run.report.models.items():
            try:
                yield run.saved_model(name), result.twin
            except UserError:  # it is gone
                continue


def _other_inputs(
    ledger: Ledger, store: FeatureStore, model: str, rows: list[WrittenPredictions]
) -> Iterator[Otherwise]:
    """The predictions of a model whose windows or columns the prices of today make other ones, by any bit."""
    seq = [one for part in rows for one in part.seq]
    shares = [one for part in rows for one in part.share_ids]
    sessions = [one for part in rows for one in part.sessions]
    held: _Inputs = {"closes": np.concatenate([part.closes for part in rows])}
    made: _Inputs = {"closes": _windows(store, shares, sessions)}
    reads = reads_of(ledger).get(model)
    if reads is not None:
        columns = columns_of(reads.columns)  # one that is declared no more cannot be made
        held |= {name: np.concatenate([part.day[name] for part in rows]) for name in columns}
        universe = universe_of(store, np.array([max(sessions)], "datetime64[D]"))
        made |= read_last(store, reads.market, shares, sessions, columns, universe)
    other = {name: _differ(held[name], made[name]) for name in held}
    for at in np.flatnonzero(np.any([*other.values()], axis=0)).tolist():
        yield Otherwise(seq[at], shares[at], sessions[at], tuple(name for name in other if other[name][at]))


def _differ(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Whether rows differ by any bit, [n]."""
    if one.shape != other.shape:  # a column of the name has another width by now
        return np.ones(len(one), bool)
    bits = (np.ascontiguousarray(values, np.float32).view(np.int32).reshape(len(values), -1) for values in (one, other))
    return np.not_equal(*bits).any(axis=1)


def _windows(store: FeatureStore, shares: list[str], sessions: list[str]) -> npt.NDArray[np.float32]:
    """The windows of shares [n] that end with sessions [n], close0 first, [n, 21]; nan where there is none."""
    found = np.full((len(shares), WINDOW), np.nan, np.float32)
    places: dict[str, list[int]] = {}
    for at, share in enumerate(shares):
        places.setdefault(share, []).append(at)
    for series in store.price_series(sorted(places)):
        mine = np.array(places[series.share_id])
        windows, ends = close_windows(series.close * series.factor), series.time[WINDOW - 1 :]
        wanted = np.array([sessions[at] for at in mine], "datetime64[D]")
        row = np.searchsorted(ends, wanted)
        there = row < len(ends)
        there[there] = ends[row[there]] == wanted[there]
        found[mine[there]] = windows[row[there]]
    return found
