"""Which hyperparameters are tried next, and the file of those that were: Optuna's, so that its own tools read it too.

Each trial is asked for with a seed of its own, made of the search's and of how many have ended. So a search that was
killed, once or often, goes on with the very trial that it was killed in, and ends where it would have ended.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.trial import TrialState
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from components.errors import UserError
from components.trials.record import Series
from models.search_space import Between, OneOf, Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

STUDY_FILE = "study.db"
_NAME = "awesome search"
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_BROKEN = (DatabaseError, RuntimeError, optuna.exceptions.OptunaError)


class SearchError(UserError):
    """A search cannot be made, or what it left cannot be read."""


@dataclass(frozen=True, eq=False)
class Ended:
    """A trial that has ended.

    Attributes:
        values: of what is searched for, by name.
        value: of the metric on the eval split, the mean of its seeds'; NaN where it has none.
        drawn: the same on every resample of the days, [resamples]; empty where it has none.
        seconds: wall time of the training.
        why: it has no figure; empty where it has one.
        by_seed: the metric of each seed's model, in the order of the seeds; empty where it has none.
    """

    values: Mapping[str, Any]
    value: float
    drawn: NDArray[np.float64]
    seconds: float
    why: str = ""
    by_seed: tuple[float, ...] = ()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What is wrong with the file is said in one line, also where another tool has changed what it holds."""
    try:
        yield
    except (*_BROKEN, ValueError, TypeError, KeyError) as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise SearchError(f"{path}: cannot be read as what a search left ({why}); move it away") from None


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Likewise where it cannot be written, as the disk is full."""
    try:
        yield
    except _BROKEN as error:
        raise SearchError(f"{path}: cannot be written ({str(error).splitlines()[0]})") from None


class Study:
    """The trials of one search in a file; one process at a time."""

    def __init__(
        self, path: Path, space: Space, defaults: Mapping[str, Any], seed: int, higher_is_better: bool
    ) -> None:
        """Opens the file, which is made where it is missing.

        Args:
            path: of the file.
            space: where is looked.
            defaults: what the first trial is trained with, by the names of the space.
            seed: of what is tried.
            higher_is_better: of the metric.

        Raises:
            SearchError: the file is none of a search.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._defaults, self._seed = space, defaults, seed
        url = URL.create("sqlite", database=str(path.absolute())).render_as_string()
        self._path = path
        with _reading(path):
            self._study = optuna.create_study(
                # Each connection is closed after its use: nobody says when a study ends.
                storage=optuna.storages.RDBStorage(url, {"poolclass": NullPool}),
                study_name=_NAME,
                direction="maximize" if higher_is_better else "minimize",
                load_if_exists=True,
            )
            for killed in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                self._study.tell(killed.number, state=TrialState.FAIL)

    def ended(self) -> list[Ended]:
        """All trials that have ended, in their order.

        Raises:
            SearchError: the file cannot be read, or another tool has changed it.
        """
        with _reading(self._path):
            return [self._read(one) for one in self._study.get_trials(deepcopy=False, states=_ENDED)]

    def ask(self) -> tuple[optuna.Trial, dict[str, Any]]:
        """The next trial, and what is to be tried in it: first the defaults.

        Raises:
            SearchError: the file cannot be written.
        """
        with _writing(self._path):
            place = len(self._study.get_trials(deepcopy=False, states=_ENDED))
            if not place and not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
                self._study.enqueue_trial({name: self._kept(name, value) for name, value in self._defaults.items()})
            seed = np.random.SeedSequence([self._seed, place]).generate_state(1)[0]
            self._study.sampler = optuna.samplers.TPESampler(seed=int(seed))
            trial = self._study.ask()
            return trial, {name: self._value(name, self._suggested(trial, name)) for name in self._space}

    def tell(self, trial: optuna.Trial, ended: Ended) -> None:
        """Keeps how a trial ended: from here on it is not made again.

        Raises:
            SearchError: the file cannot be written.
        """
        with _writing(self._path):
            trial.set_user_attr("seconds", ended.seconds)
            if ended.why:
                trial.set_user_attr("why", ended.why)
                # Unlike one that failed, it tells where not to look.
                self._study.tell(trial, state=TrialState.PRUNED)
                return
            trial.set_user_attr("drawn", Series.of(ended.drawn).packed)
            trial.set_user_attr("by_seed", list(ended.by_seed))
            self._study.tell(trial, ended.value)

    def _suggested(self, trial: optuna.Trial, name: str) -> Any:
        where = self._space[name]
        if isinstance(where, OneOf):
            return trial.suggest_categorical(name, where.names)
        if where.whole:
            return trial.suggest_int(name, int(where.low), int(where.high), log=where.log)
        return trial.suggest_float(name, where.low, where.high, log=where.log)

    def _kept(self, name: str, value: Any) -> Any:
        where = self._space[name]
        return where.names[where.values.index(value)] if isinstance(where, OneOf) else value

    def _value(self, name: str, kept: Any) -> Any:
        where = self._space[name]
        # The defaults are tried as they are.
        if isinstance(where, Between):
            return kept if kept == self._defaults[name] else where.rounded(kept)
        return where.named(kept)

    def _read(self, trial: optuna.trial.FrozenTrial) -> Ended:
        attributes = trial.user_attrs
        why = attributes.get("why", "")
        if not why and not {"drawn", "by_seed"} <= attributes.keys():
            raise ValueError(f"trial {trial.number} was not made by a search")
        return Ended(
            values={name: self._value(name, trial.params[name]) for name in self._space},
            value=math.nan if why or trial.value is None else trial.value,
            drawn=Series(attributes.get("drawn", "")).values,
            seconds=attributes.get("seconds", math.nan),
            why=why,
            by_seed=tuple(attributes.get("by_seed", ())),
        )
