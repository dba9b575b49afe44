"""What `awesome serve` answers, written into the ledger before it is given."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from components.errors import UserError
from components.feature_store import FeatureStore
from components.ledger.clocks import check_clock
from components.ledger.file import Ledger
from components.ledger.labels import Labels
from components.ledger.predictions import Forecasts, write_predictions
from components.ledger.setting_up import model_digest
from components.missing_sessions.exchanges import exchanges_of
from models.labels import words_of
from pipeline.plan import Plan
from pipeline.serving.answering import Answers
from pipeline.serving.errors import Code, ServingError


class ServedLedger:
    """Writes one answer after the other; what it cannot write down is not answered.

    A ledger's prediction is one after a session, which TensorFlow Serving's protocol has no place for. So the windows
    that are asked about have to be the last ones of the store: their session is known.
    """

    def __init__(self, plan: Plan, path: Path) -> None:
        """Looks whether the ledger is there.

        Args:
            plan: names the database.
            path: of the ledger.

        Raises:
            LedgerError: it is not, as whoever predicts daily begins it; or its times are made.
            StoreError: it cannot be read.
        """
        with Ledger.open(path) as ledger:
            check_clock(ledger)
        self._plan = plan
        self._path = path
        self._writing = threading.Lock()
        self._digests: dict[Path, str] = {}

    def __call__(self, answers: Answers) -> None:
        """Writes an answer down, all of it or nothing.

        Raises:
            ServingError: it cannot be; the message says why.
        """
        try:
            with self._writing:
                self._write(answers)
        except UserError as error:
            raise ServingError(Code.FAILED_PRECONDITION, f"the answer cannot be written down: {error}") from None

    def _write(self, answers: Answers) -> None:
        shares = sorted(set(answers.share_ids))
        with FeatureStore.open(self._plan.database) as store:
            windows = store.listings.last_windows(shares)
            exchanges = exchanges_of(store, shares)
        place = {share: at for at, share in enumerate(shares)}
        rows = np.array([place[share] for share in answers.share_ids])
        closes = windows.closes[rows]
        other = (closes.astype(np.float32) != answers.closes).any(axis=1)
        if other.any():
            row = int(np.argmax(other))
            raise UserError(
                f"row {row} ({answers.share_ids[row]}) is not the last window of {self._plan.database}, so nobody can "
                "say after which session it is"
            )
        folder, label = answers.version.folder, answers.version.card.label
        if folder not in self._digests:
            self._digests = {folder: model_digest(folder)}
        forecasts = Forecasts(
            model=self._digests[folder],
            horizon=answers.version.card.horizon,
            share_ids=answers.share_ids,
            sessions=[windows.time[row] for row in rows],
            closes=closes,
            probability=answers.probabilities.astype(np.float64),
            day=answers.day,
        )
        with Ledger.create(self._path) as ledger:
            if (held := Labels(ledger).of(forecasts.model)) != label:
                raise UserError(
                    f"the model's label is {label}, and the ledger has it as one of {words_of(held).event}; let "
                    "`awesome daily` write it down first"
                )
            write_predictions(ledger, forecasts, exchanges)
