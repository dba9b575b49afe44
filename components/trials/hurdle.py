"""What a try has to show, given all that was tried on its test days before.

The best of many tries looks better than a coin; what the best of these tries looks like on a market without signal
depends on how many there were and how much they are one another's copies. docs/blessing.md has the rule and its proof:

- The first run that sees its test days needs what a single run needs (alpha 0.025 over its candidates).
- Every later one is in the smallest epoch j = 1, 2, ... for which the best of all tries that share a test day with it,
  and of its own candidates, exceeds d_j with a probability of at most alpha_j = 0.025 / 2^j on a market without signal.
  d_j leaves room for 4^j independent tries.

The probability comes from the joint normal distribution of the tries' AUCs, whose covariances are those of what each
day added to them (influence.py): the Gaussian approximation of a maximum of sums (Chernozhukov, Chetverikov and Kato
2013). It is simulated given that one of the tries exceeds d, which costs no more for rare events than for common ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.trials.found import FALSE_ALARMS, Hurdle
from components.trials.record import Record, Trial, TriedModel

_FIRST = FALSE_ALARMS / 2
_ROOM = 4  # an epoch has room for so many times the independent tries of the one before it
_BLOCKS = 32
_DRAWS = 8192
_CHUNK = 1024


def hurdle(record: Record, trial: Trial) -> Hurdle:
    """What the models of a try need.

    Args:
        record: the tries before; those that share no test day with this one, and were no candidates for its test
            days, do not count.
        trial: what is to be judged; the `needed` and `blessed` of its models are not looked at.

    Returns:
        The hurdle.
    """
    days = set(trial.days)
    seen = [one for one in record.trials if one.counts_on(days)]
    earlier = [one for one in seen if one.id != trial.id]
    candidates = max(len(trial.models), 1)
    first = errors(_FIRST / candidates)
    if not earlier:
        return Hurdle(0, 0, float(candidates), 0, first, first, _FIRST, FALSE_ALARMS - _FIRST, complete=record.complete)
    before = _different(earlier)
    joint = JointTries.of([*before.values(), *_different([trial], before).values()])
    epoch, needed, probability = _place(joint)
    spent = FALSE_ALARMS - _FIRST / 2 ** (epoch - 1) + probability
    return Hurdle(
        runs=len(earlier),
        tries=len(before),
        independent=independent(probability, needed),
        epoch=epoch,
        needed=needed,
        first=first,
        spent=spent,
        left=FALSE_ALARMS - spent,
        seen_until=max(max(one.days) for one in record.trials if one.days and one.id != trial.id),
        complete=record.complete,
        kept=_kept(trial, seen),
    )


def allowance(epoch: int) -> tuple[float, float]:
    """What an epoch may bless by chance, and the standard errors that its tries need.

    >>> [(alpha, round(needed, 2)) for alpha, needed in map(allowance, (1, 2, 3))]
    [(0.0125, 2.73), (0.00625, 3.36), (0.003125, 3.9)]
    """
    alpha = _FIRST / 2**epoch
    return alpha, errors(-math.expm1(math.log1p(-alpha) / _ROOM**epoch))


def errors(probability: float) -> float:
    """Standard errors that a normal number exceeds with a probability."""
    from scipy.special import ndtri

    return float(-ndtri(probability))


def normal_scale(auc: float, error: float, degrees: float) -> float:
    """How many standard errors an AUC lies above 1/2, were its error known and not estimated.

    Args:
        auc: of a model.
        error: standard error of it, from resampled blocks of days.
        degrees: of freedom of that error (`DayBlocks.degrees`).

    Returns:
        The normal number that is exceeded as seldom as the quotient, which is Student's; NaN where there is no error.
    """
    from scipy.special import ndtri, stdtr

    if math.isnan(auc) or math.isnan(error):
        return math.nan
    if error == 0:
        return math.copysign(math.inf, auc - 0.5) if auc != 0.5 else 0.0
    return float(-ndtri(stdtr(degrees, -(auc - 0.5) / error)))


def independent(probability: float, needed: float) -> float:
    """Independent tries of which one exceeds `needed` with a probability (Sidak).

    >>> round(independent(1 - 0.975**3, 1.959964), 3)
    3.0
    """
    return math.log1p(-probability) / math.log1p(-_beyond(needed))


@dataclass(frozen=True, eq=False)
class JointTries:
    """The joint distribution of tries' AUCs on a market without signal, in standard errors.

    Attributes:
        directions: float32 array [tries, blocks] of length 1 each; a product of two is their correlation.
        alone: tries of which no influence is known: independent of all others.
    """

    directions: NDArray[np.float32]
    alone: int = 0

    @classmethod
    def of(cls, tries: Sequence[tuple[Trial, TriedModel]]) -> JointTries:
        """Takes models of tries, but none that is never blessed.

        Nothing passes that answered the same for every row, or whose rows have one label alone, so that it has no AUC.
        """
        known, alone = [], 0
        for trial, model in tries:
            values = model.influence.values
            if math.isnan(model.auc):
                continue
            if len(values) != len(trial.days) or not np.all(np.isfinite(values)):
                alone += 1
            elif np.any(values):
                known.append((np.asarray(trial.days), values - values.mean(), trial.horizon))
        if not known:
            return cls(np.empty((0, 1), np.float32), alone)
        calendar = np.unique(np.concatenate([days for days, _, _ in known]))
        # Few blocks would make tries that have nothing in common look alike; short ones see less of what labels have in
        # common that overlap, which counts too many tries rather than too few.
        fewest = min(len(days) for days, _, _ in known)
        block = max(1, min(max(horizon for _, _, horizon in known), fewest // _BLOCKS))
        directions = np.zeros((len(known), -(-len(calendar) // block)))
        for row, (days, values, _) in zip(directions, known, strict=True):
            row += np.bincount(np.searchsorted(calendar, days) // block, values, minlength=len(row))
        length = np.linalg.norm(directions, axis=1, keepdims=True)
        return cls((directions / np.where(length > 0, length, 1)).astype(np.float32), alone)

    def exceeding(self, thresholds: Sequence[float]) -> list[float]:
        """Probability that at least one try exceeds each threshold.

        Of n tries with the same tail p, the probability of any is n p E[1 / N], N being how many exceed the threshold
        where one of them, each as likely, does (Adler, Blanchet and Liu 2012): every draw is of the rare event.

        Args:
            thresholds: in standard errors.

        Returns:
            The probabilities, to about 2 % of themselves; the same for the same tries.
        """
        from scipy.special import ndtri

        tries = len(self.directions)
        rng = np.random.default_rng(0)
        shares = np.zeros(len(thresholds))
        draws = _DRAWS if tries > 1 else 0
        for start in range(0, draws, _CHUNK):
            place = start + np.arange(_CHUNK)
            given = (place * tries // draws) % tries
            free = rng.standard_normal((self.directions.shape[1], _CHUNK), dtype=np.float32)
            uniform = rng.random(_CHUNK)
            along = self.directions[given]
            values = self.directions @ free
            own = np.einsum("ib,bi->i", along, free)
            turn = self.directions @ along.T
            for at, threshold in enumerate(thresholds):
                forced = -ndtri(_beyond(threshold) * uniform)
                count = np.sum(values + turn * (forced - own).astype(np.float32) > threshold, axis=0)
                shares[at] += np.sum(1 / np.maximum(count, 1))
        found = []
        for share, threshold in zip(shares, thresholds, strict=True):
            tail = _beyond(threshold)
            together = tail * tries * (share / draws if draws else 1)
            found.append(-math.expm1(math.log1p(-min(together, 1 - 1e-12)) + self.alone * math.log1p(-tail)))
        return found


def _place(joint: JointTries) -> tuple[int, float, float]:
    """The smallest epoch that has room for the tries, what it needs, and the probability that any exceeds that."""
    tries = len(joint.directions) + joint.alone
    last = next(epoch for epoch in range(1, 64) if _ROOM**epoch > tries)  # room for all, were they independent
    epochs = [allowance(epoch) for epoch in range(1, last + 1)]
    probabilities = joint.exceeding([needed for _, needed in epochs])
    for epoch, ((alpha, needed), probability) in enumerate(zip(epochs, probabilities, strict=True), 1):
        if probability <= alpha:
            return epoch, needed, probability
    return last, epochs[-1][1], min(probabilities[-1], epochs[-1][0])


def _different(
    trials: Sequence[Trial], but: Mapping[tuple[str, ...], object] | None = None
) -> dict[tuple[str, ...], tuple[Trial, TriedModel]]:
    """The models of tries by what they answered on which rows: the same answers are one try."""
    found: dict[tuple[str, ...], tuple[Trial, TriedModel]] = {}
    for trial in trials:
        for place, model in enumerate(trial.models):
            key = _answers(trial, model, place)
            if key not in (but or {}):
                found.setdefault(key, (trial, model))
    return found


def _answers(trial: Trial, model: TriedModel, place: int) -> tuple[str, ...]:
    return (trial.rows, model.answers) if trial.rows and model.answers else (trial.id, str(place))


def _kept(trial: Trial, earlier: Sequence[Trial]) -> dict[str, float]:
    needed: dict[tuple[str, ...], float] = {}
    for one in earlier:
        for place, model in enumerate(one.models):
            if not math.isnan(model.needed):
                needed.setdefault(_answers(one, model, place), model.needed)
    answers = {model.name: _answers(trial, model, place) for place, model in enumerate(trial.models)}
    return {name: needed[key] for name, key in answers.items() if key in needed}


def _beyond(threshold: float) -> float:
    return math.erfc(threshold / math.sqrt(2)) / 2
