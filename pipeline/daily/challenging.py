"""A challenger predicts beside the champion for some sessions, and takes its place if it was not worse.

That is a choice, and no proof: the evidence of the record is that of whoever is champion, and goes on.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.ledger.days import answered
from components.ledger.file import Ledger
from components.live_evidence import Parameters
from components.live_record import note_once
from components.live_record.notes import CHALLENGE
from components.whole_files import scratch_folder
from pipeline.daily.day import Day, Told
from pipeline.daily.report import AlertKind
from pipeline.daily.speaking import Speaker

_DISMISSED = "dismissed-"


@dataclass(frozen=True)
class Compared:
    """Two models on the same shares and sessions, of which both were on time and the outcome is known.

    Attributes:
        sessions: how many.
        champion: its log loss, the mean over sessions.
        challenger: likewise.
    """

    sessions: int
    champion: float
    challenger: float


def challenge(day: Day, told: Told) -> None:
    """Ends a challenge once it has lasted `challenger_sessions`: the challenger is pushed, or dismissed.

    Raises:
        LedgerError: the ledger cannot be read or written.
        OSError: the model cannot be copied.
    """
    champion, challenger = day.speaker, day.challenger
    if champion is None or challenger is None or not day.ledger_file.is_file():
        told.idle = True
        told.said.append("there is no challenger")
        return
    wanted = day.plan.settings.challenger_sessions
    with day.ledger() as ledger:
        found = compare(ledger, champion, challenger)
        who = f"{challenger.said} against {champion.said}"
        told.numbers["sessions"] = found.sessions
        if found.sessions < wanted:
            told.idle = True
            told.said.append(f"{who}: {found.sessions} of {wanted} sessions are known")
            return
        better = not found.sessions or found.challenger <= found.champion
        text = (
            f"{who}: log loss {found.challenger:.5f} against {found.champion:.5f} over {found.sessions} sessions, so "
            f"it {'takes its place' if better else 'is dismissed'}"
        )
        # First the folder: who is stopped in between finds the same answer once more, and says it then.
        _end(day, challenger, better)
        note_once(ledger, CHALLENGE, text)
    day.look_again()
    told.said.append(text)
    told.alert(AlertKind.PUSHED if better else AlertKind.MODEL, text)


def compare(ledger: Ledger, champion: Speaker, challenger: Speaker) -> Compared:
    """Compares what two models said of the same shares after the same sessions."""
    losses: dict[tuple[str, str], dict[str, float]] = {}
    least = Parameters().least_probability
    for one in answered(ledger, champion.card.horizon, [champion.digest, challenger.digest]):
        stated = min(max(one.probability, least), 1 - least)
        of_share = losses.setdefault((one.session, one.share_id), {})
        of_share.setdefault(one.model, -float(np.log(stated if one.yes else 1 - stated)))
    both = {key: found for key, found in losses.items() if len(found) == 2}
    by_session: dict[str, list[tuple[float, float]]] = {}
    for (session, _), found in both.items():
        by_session.setdefault(session, []).append((found[champion.digest], found[challenger.digest]))
    means = np.array([np.mean(pairs, axis=0) for pairs in by_session.values()], float).reshape(-1, 2)
    first, second = means.mean(axis=0) if len(means) else (np.nan, np.nan)
    return Compared(len(means), float(first), float(second))


def _end(day: Day, challenger: Speaker, better: bool) -> None:
    version = challenger.saved_model
    if not better:
        os.replace(version, version.with_name(f"{_DISMISSED}{version.name}"))
        return
    place_version(version, day.plan.serving / version.name)


def place_version(saved_model: Path, target: Path) -> None:
    """Lets a model be a pushed version, whole or not at all; one that is there stays."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(target) as folder:
            shutil.copytree(saved_model, folder / "version")
            os.replace(folder / "version", target)
