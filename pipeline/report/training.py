"""How a model was trained: the history that its Trainer leaves, read, put into words and drawn for every page alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.history import HISTORY_FILE
from pipeline.report.palette import GRID, INK, MUTED, Chart, Style

_LOSSES = {"loss": "train", "val_loss": "eval"}
"""Columns of a history, and what they are called."""


@dataclass(frozen=True)
class Training:
    """What a history says.

    Attributes:
        epochs: that each member was trained.
        best_epochs: of each member that was judged on the eval split, the epochs trained until its lowest loss there.
        best_losses: those losses.
    """

    epochs: tuple[float, ...]
    best_epochs: tuple[float, ...]
    best_losses: tuple[float, ...]

    @classmethod
    def of(cls, history: pd.DataFrame) -> Training:
        """Reads a history of at least one row."""
        members = _members(history)
        judged = [member for member in members if "val_loss" in member and member["val_loss"].notna().any()]
        best = [member.loc[member["val_loss"].idxmin()] for member in judged]
        return cls(
            tuple(float(member["epoch"].iloc[-1]) for member in members),
            tuple(float(look["epoch"]) for look in best),
            tuple(float(look["val_loss"]) for look in best),
        )

    @property
    def best_after(self) -> str:
        """When the lowest losses were seen, such as `after 1.5 epochs`."""
        return f"after {_epochs(_reaches(self.best_epochs))}"

    @property
    def sentence(self) -> str:
        """All of it, for a person."""
        several = len(self.epochs) > 1
        members = f"{len(self.epochs)} members of " if several else ""
        said = f"{members}{_epochs(_reaches(self.epochs) if several else f'{self.epochs[0]:g}')}."
        if self.best_epochs:
            what = "members' best eval losses are" if several else "best eval loss is"
            said += f" The {what} {_reaches(self.best_losses, '.4f')}, {self.best_after}."
        return said


def read_history(model_run: str) -> pd.DataFrame:
    """The history in a Trainer's artifact, by its folder."""
    return pd.read_csv(Path(model_run) / HISTORY_FILE)


def history_table(history: pd.DataFrame) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """A history as texts: the header, and a row a look. What is not known within an epoch is empty."""
    columns = [name for name in history if name != "member" or history[name].nunique() > 1]
    rows = history[columns].itertuples(index=False)
    return tuple(columns), tuple(tuple("" if math.isnan(value) else f"{value:.5g}" for value in row) for row in rows)


def training_chart(index: int, name: str, history: pd.DataFrame, style: Style) -> Chart | None:
    """Draws a model's loss over the epochs, a line a member, and marks each member's best loss on the eval split.

    None where there is no loss to draw.

    Args:
        index: the model's place, which makes the chart's ids unique.
        name: the model.
        history: columns member (all one if missing), epoch (epochs trained until then; counted from 1 if missing),
            loss and val_loss, either of which may be missing, or not known within an epoch.
        style: of `model_styles`.
    """
    from matplotlib.ticker import MaxNLocator

    from pipeline.report.drawing import Place, drawing, plot_area, svg_chart

    drawn = [column for column in _LOSSES if column in history and history[column].notna().any()]
    if not drawn:
        return None
    training = Training.of(history)
    with drawing():
        figure, axes = plot_area(1.9, legend=4, columns=2)
        for place, member in enumerate(_members(history)):
            for column in drawn:
                # Within an epoch the eval split is looked at, but the train loss is one of the whole epoch.
                known = member[np.isfinite(member[column])]
                held_out = column == "val_loss"
                axes.plot(
                    known["epoch"].to_numpy(float), known[column].to_numpy(float),
                    label=_LOSSES[column] if place == 0 else None, color=style.colour if held_out else MUTED,
                    linewidth=1.2 if len(training.epochs) > 1 else 1.8, linestyle="-" if held_out else (0, (4, 2)),
                    marker="o" if len(known) < 12 else "", markersize=3,
                )  # fmt: skip
        if training.best_epochs:
            axes.plot(
                training.best_epochs, training.best_losses, marker="*", markersize=14, color=style.colour,
                markeredgecolor="white", linestyle="", label=f"best eval: {training.best_after}",
            )  # fmt: skip
        bottom, top = axes.get_ylim()
        coin = math.log(2)
        if bottom < coin < top:
            axes.axhline(coin, color=INK, linewidth=1, label="a coin (ln 2)")
        axes.set(xlabel="epoch", ylabel="loss")
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.grid(color=GRID)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=2, frameon=False)
        return svg_chart(f"training-{index}", name, f"Training of {name}: {training.sentence}", figure,
                         marks=[Place(axes, *star, f"epoch {star[0]:.3g}: eval loss {star[1]:.4f}, the lowest, kept")
                                for star in zip(training.best_epochs, training.best_losses, strict=True)])  # fmt: skip


def _members(history: pd.DataFrame) -> list[pd.DataFrame]:
    if "epoch" not in history:
        history = history.assign(epoch=np.arange(1.0, len(history) + 1))
    return [one for _, one in history.groupby("member")] if "member" in history else [history]


def _epochs(count: str) -> str:
    return f"{count} epoch" if count == "1" else f"{count} epochs"


def _reaches(values: Sequence[float], form: str = ".2g") -> str:
    """The smallest and the largest of some numbers, or the one that they all are."""
    ends = dict.fromkeys(format(end, form) for end in (min(values), max(values)))
    return " to ".join(ends)
