"""What a walk leaves behind: walkforward.json, the page and the joined predictions.

docs/walk-forward.md is the layout of walkforward.json in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.evidence.findings import PREDICTIONS_FILE
from components.records import to_json, to_plain
from components.whole_files import whole_file
from pipeline.report.verdict import Verdict, plausible_auc
from pipeline.runs.folder import write_text
from pipeline.runs.results import Scalar
from pipeline.studies.walkforward.folds import Fold
from pipeline.studies.walkforward.scores import HorizonScores
from pipeline.studies.walkforward.verdict import Finding, find, summarise

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
WALK_JSON, WALK_HTML = "walkforward.json", "walkforward.html"


@dataclass(frozen=True)
class FoldRun:
    """The run of one fold at one horizon.

    Attributes:
        fold: its number.
        horizon: sessions ahead.
        folder: of the run, with its own report.
        train_rows: labelled rows that were learned from.
        test_rows: labelled rows that were tested.
        seconds: wall time.
        trained: the models that were trained anew; those of an unchanged fold come from the cache.
        audit: the verdict of its leak audit: clean, suspicious or leaking; None where it was left out.
        wrong_prices: returns behind it that no market makes and nobody accepted, SHARE:DAY.
    """

    fold: int
    horizon: int
    folder: str
    train_rows: int
    test_rows: int
    seconds: float
    trained: tuple[str, ...]
    audit: str | None = None
    wrong_prices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Walk:
    """Everything `awesome walkforward` reports.

    Attributes:
        created: end of the walk, ISO 8601 in UTC.
        rolling: whether train kept its length and moved.
        folds: the plan, in order of time.
        horizons: the scores, one entry a horizon.
        runs: one a fold and horizon, in the order they ran.
        settings: what the runs had in common.
        market: the synthetic market, or None on real prices.
        digest: fingerprint of the feature table.
        database: the file the data came from.
        sources: where the prices came from.
    """

    created: str
    rolling: bool
    folds: tuple[Fold, ...]
    horizons: tuple[HorizonScores, ...]
    runs: tuple[FoldRun, ...]
    settings: Mapping[str, Scalar]
    market: str | None
    digest: str
    database: str
    sources: tuple[str, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What it means, one entry a horizon."""
        return tuple(find(scores, plausible_auc(self.settings)) for scores in self.horizons)

    @property
    def leaking(self) -> tuple[str, ...]:
        """The runs whose leak audit found a leak, in words."""
        return tuple(f"horizon {run.horizon}, fold {run.fold}" for run in self.runs if run.audit == "leaking")

    @property
    def wrong_prices(self) -> tuple[str, ...]:
        """Returns behind any of the runs that no market makes and nobody accepted, SHARE:DAY."""
        return tuple(dict.fromkeys(name for run in self.runs for name in run.wrong_prices))

    @property
    def believed(self) -> bool:
        """Whether its figures may be believed: no price is known to be wrong, and no fold leaks."""
        return not self.wrong_prices and not self.leaking

    @property
    def verdict(self) -> Verdict:
        """What it means in all; nothing, where prices are wrong or a fold leaks."""
        if self.wrong_prices:
            wrong = self.wrong_prices
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            return Verdict(
                "warning",
                "Wrong prices",
                f"No market makes the returns of {', '.join(wrong[:3])}{more}, so no figure of this walk can be "
                f"believed: correct the prices, accept a return that is right (--accept {wrong[0]}) or exclude the "
                "share, and walk again.",
            )
        if self.leaking:
            return Verdict(
                "warning",
                "The evaluation leaks",
                f"The leak audit of {'; '.join(self.leaking)} says that the evaluation leaks, so no figure of this "
                "walk can be believed; the report of the fold says what and where.",
            )
        return summarise(self.findings)


def write_walk(walk: Walk, page: str, predictions: pd.DataFrame, folder: Path) -> None:
    """Writes the three files, each whole or not at all; walkforward.json last: where it is, the walk is complete.

    Raises:
        ReportError: a file cannot be written.
    """
    with whole_file(folder / PREDICTIONS_FILE) as partial:
        predictions.to_parquet(partial, index=False)
    write_text(folder / WALK_HTML, page)
    plain = {"schema_version": SCHEMA_VERSION, **to_plain(walk), "findings": walk.findings}
    write_text(folder / WALK_JSON, to_json(plain) + "\n")
