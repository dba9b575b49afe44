"""The parameters of the evidence and what a backtest claims, written into a ledger before they can matter."""

from __future__ import annotations

from dataclasses import dataclass

from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.labels import champions_of
from components.ledger.setting_up import declare, note_once
from components.live_evidence import Claim, Parameters
from components.live_record.notes import CLAIM
from components.records import RecordError, from_json, to_json
from models.labels import UP


@dataclass(frozen=True)
class _KeptClaim:
    model: str
    horizon: int
    claim: Claim


def parameters_of(ledger: Ledger, horizon: int) -> Parameters | None:
    """The parameters that predictions of a horizon are judged by; None before they are fixed.

    Raises:
        LedgerError: they are of a version that this one does not read.
    """
    found = ledger.select("SELECT parameters FROM SETUP WHERE horizon = ? ORDER BY seq DESC LIMIT 1", horizon)
    return read_parameters(ledger, found[0][0]) if found else None


def read_parameters(ledger: Ledger, text: str) -> Parameters:
    """The parameters that a row of SETUP holds.

    Raises:
        LedgerError: they are of a version that this one does not read.
    """
    try:
        return from_json(Parameters, text)
    except (RecordError, ValueError) as error:
        raise LedgerError(f"{ledger.path}: the parameters of its evidence cannot be read ({error})") from None


def begin(ledger: Ledger, parameters: Parameters) -> Parameters:
    """Fixes the parameters of a horizon where there are none yet, and gives those that hold.

    Those of another label begin a new series: a record is of one question.

    Raises:
        LedgerError: as in `parameters_of`.
    """
    held = parameters_of(ledger, parameters.horizon)
    if held is not None and held.label == parameters.label:
        return held
    declare(ledger, parameters.horizon, parameters)
    return parameters


def keep_claim(ledger: Ledger, model: str, horizon: int, claim: Claim) -> bool:
    """Writes down what the backtest of a model claims, once; tells whether it was new.

    Args:
        ledger: opened to write.
        model: its digest.
        horizon: sessions ahead.
        claim: the daily rank IC of its test split.
    """
    if claim_of(ledger, model, horizon) is not None:
        return False
    return note_once(ledger, CLAIM, to_json(_KeptClaim(model, horizon, claim), indent=None))


def claim_of(ledger: Ledger, model: str, horizon: int) -> Claim | None:
    """What the backtest of a model claims; None where nobody wrote it down."""
    for (text,) in ledger.select("SELECT text FROM NOTE WHERE kind = ? ORDER BY seq", CLAIM):
        try:
            kept = from_json(_KeptClaim, text)
        except RecordError:
            continue  # of a newer version
        if (kept.model, kept.horizon) == (model, horizon):
            return kept.claim
    return None


def only_claim(ledger: Ledger, horizon: int, label: str = UP) -> Claim | None:
    """What was claimed, where one model alone of a label has been champion: a record of several says nothing of any."""
    champions = champions_of(ledger, horizon, label)
    return claim_of(ledger, champions[0], horizon) if len(champions) == 1 else None
