from __future__ import annotations

import numpy as np

from components.feature_store.weekdays import may_be_closed, regular_weekdays


def test_few_short_lacks_may_be_closures() -> None:
    for lacking, closed in [
        ([0, 1, 0, 0], [0, 1, 0, 0]),
        ([0, 1, 1, 1], [0, 1, 1, 1]),
        ([1, 1, 1, 1, 0], [0, 0, 0, 0, 0]),
        ([1, 0] * 6, [0] * 12),
        ([1, 0] * 5, [1, 0] * 5),
        ([1] + [0] * 50 + [1] * 4, [1] + [0] * 54),
    ]:
        assert may_be_closed(np.array(lacking, dtype=bool)).astype(int).tolist() == closed
    thousand = np.zeros(1000, dtype=bool)
    thousand[::100] = True
    assert may_be_closed(thousand).sum() == 10
    thousand[50] = True
    assert may_be_closed(thousand).sum() == 0


def test_a_special_saturday_makes_no_week_of_six_days() -> None:
    days = np.arange("2023-01-02", "2024-01-01", dtype="datetime64[D]")
    week = days[np.is_busday(days)]
    assert regular_weekdays(np.append(week, np.datetime64("2023-06-10"))) == [True] * 5 + [False] * 2
    assert regular_weekdays(days) == [True] * 7
    assert regular_weekdays(days[np.is_busday(days, weekmask="1111001")]) == [
        True,
        True,
        True,
        True,
        False,
        False,
        True,
    ]
    assert regular_weekdays(days[:0]) == [False] * 7
