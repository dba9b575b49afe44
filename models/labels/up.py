"""up: whether the close rises."""

from __future__ import annotations

from models.labels import UP, Label, Words

LABEL = Label(
    name=UP,
    description=(
        "1 where the close `horizon` sessions later is higher than the row's, 0 where it is lower; an unchanged close "
        "is no label. On a day on which the whole market rises most rows have a 1, whatever tells the shares apart."
    ),
    words=Words("a higher close", "Up", "rises", "falls", "up", "rose"),
    order=10,
)
