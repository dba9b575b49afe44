"""What of a run's page takes its time, the charts and what they are drawn from, and the files that keep it.

A run whose steps all came from the cache would draw the same again. So what is drawn is made from a report without what
differs between such runs (`_without_the_run`), and kept under a digest of all that it is made of: that report, the
predictions, the histories, this code and the libraries. Everything else of a page, such as the tries, the verdicts and
the times, is made anew every time.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from components.evidence.findings import PREDECESSOR
from components.records import RecordError, from_json, to_json
from components.tear_sheet.results import SignalFigures
from components.whole_files import write_whole
from models.labels import words_of
from pipeline.code_digest import code_digest
from pipeline.report.backtest import Traded, traded_of
from pipeline.report.palette import Chart, model_styles
from pipeline.report.tear_sheet import SignalSection, signal_section
from pipeline.runs.results import RunReport

if TYPE_CHECKING:
    import pandas as pd

    from components.tear_sheet.signal import Signal

_T = TypeVar("_T")

DRAWN_FILE = ".drawn.json"
SIGNALS_FILE = ".signals.json"
"""In the folder of a pipeline's artifacts: what its last run has drawn, and read of its scores."""

_CODE = ("pipeline/report", "pipeline/runs", "components", "models")
_LIBRARIES = ("matplotlib", "numpy", "pandas", "scipy", "scikit-learn", "empyrical-reloaded")


@dataclass(frozen=True)
class Drawn:
    """The charts of a page, each None or left out where there is nothing to draw, and the sections they stand in."""

    forest: Chart
    roc: tuple[Chart, ...]
    calibration: Chart | None
    training: tuple[Chart, ...]
    years: Chart | None
    differences: Chart | None
    audit: Chart | None
    signal: SignalSection
    traded: Traded


@dataclass(frozen=True)
class _Figures:
    models: Mapping[str, SignalFigures]


def drawn_of(
    report: RunReport,
    predictions: pd.DataFrame,
    histories: Mapping[str, pd.DataFrame],
    signals: Callable[[], Mapping[str, Signal]] | None = None,
    keep: Path | None = None,
) -> Drawn:
    """What of a page is drawn.

    Args:
        report: of which nothing is looked at that differs between runs of the same data and settings.
        predictions: of its test split, as in `page.write_report`.
        histories: by model, as there.
        signals: gives what `read_signals` says of the predictions.
        keep: file that the last run may have left, and that this one leaves; one that cannot be read or written costs
            the time to draw.
    """
    alike = _without_the_run(report)
    made_of = [to_json(alike), _digest(predictions), *(f"{name}\0{one.to_csv()}" for name, one in histories.items())]
    return _kept(keep, made_of, Drawn, lambda: _draw(alike, predictions, histories, signals))


def signals_of(
    predictions: pd.DataFrame,
    models: Sequence[str],
    horizon: int,
    signals: Callable[[], Mapping[str, Signal]],
    keep: Path,
) -> Mapping[str, SignalFigures]:
    """The figures of `read_signals` by model, from the file where the last run had the same predictions."""
    made_of = [*models, str(horizon), _digest(predictions)]
    return _kept(
        keep, made_of, _Figures, lambda: _Figures({name: one.figures for name, one in signals().items()})
    ).models


def _kept(keep: Path | None, made_of: Sequence[str], kind: type[_T], make: Callable[[], _T]) -> _T:
    """What a file holds, if it is made of the same; else it is made, and the file written."""
    if keep is None:
        return make()
    libraries = (f"{library} {version(library)}" for library in _LIBRARIES)
    digest = hashlib.sha256("\0\0".join([_code(), *libraries, *made_of]).encode()).hexdigest()
    with contextlib.suppress(OSError, RecordError):
        of, _, content = keep.read_bytes().partition(b"\n")
        if of == digest.encode():
            return from_json(kind, content)
    made = make()
    with contextlib.suppress(OSError):
        write_whole(keep, f"{digest}\n{to_json(made, indent=None)}")
    return made


@functools.cache
def _code() -> str:
    """A process runs the code that it has loaded, whatever becomes of the files."""
    return code_digest(_CODE)


def _without_the_run(report: RunReport) -> RunReport:
    settings = {name: report.settings[name] for name in ("horizon", "label") if name in report.settings}
    return replace(
        report,
        created="",
        seconds={},
        cached=(),
        tries=None,
        pushed=None,
        accepted={},
        artifacts={},
        settings=settings,
        portfolio=None,  # which is made of the rest
    )


def _digest(predictions: pd.DataFrame) -> str:
    digest = hashlib.sha256()
    for name, column in predictions.items():
        values = column.to_numpy()
        digest.update(f"\0{name}\0{values.dtype}\0".encode())
        digest.update("\0".join(map(str, values)).encode() if values.dtype == object else values.tobytes())
    return digest.hexdigest()


def _draw(
    report: RunReport,
    predictions: pd.DataFrame,
    histories: Mapping[str, pd.DataFrame],
    signals: Callable[[], Mapping[str, Signal]] | None,
) -> Drawn:
    # matplotlib takes its time to be imported, and scikit-learn behind the curves.
    from components.evidence.curves import calibration_curve, roc_curve
    from pipeline.report import charts
    from pipeline.report.training import training_chart

    names, words = list(report.models), words_of(report.label)
    styles = model_styles(names)
    labels = predictions["label"].to_numpy()
    probabilities = {name: predictions[name].to_numpy(dtype=float) for name in names}
    rocs = {name: roc_curve(labels, values) for name, values in probabilities.items() if len(labels)}
    calibrations = {name: calibration_curve(labels, values) for name, values in probabilities.items()}
    training = [
        training_chart(index, name, histories[name], styles[name])
        for index, name in enumerate(names)
        if name in histories
    ]
    best = report.market.best_auc if report.market is not None else None
    return Drawn(
        forest=charts.forest_chart(report.models, styles, report.champion, best),
        roc=charts.roc_charts(rocs, styles, words) if rocs else (),
        calibration=charts.calibration_chart(calibrations, probabilities, styles, words) if len(labels) else None,
        training=tuple(chart for chart in training if chart is not None),
        years=charts.year_chart(report.models, styles),
        differences=charts.difference_chart(
            {name: model.differences for name, model in report.models.items()},
            (*report.baselines, PREDECESSOR),
            styles,
        ),
        audit=None if report.audit is None else charts.audit_chart(report.audit),
        signal=signal_section(predictions, names, report.horizon, styles, None if signals is None else signals()),
        traded=traded_of(report, predictions),
    )
