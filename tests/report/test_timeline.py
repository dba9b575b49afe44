"""The time line of the splits."""

from __future__ import annotations

import itertools
import re

import pandas as pd
import pytest
from hand_made_run import made_page


def test_the_time_line_is_to_scale() -> None:
    found = re.findall(
        r'<span class="(\w+)" style="left:([\d.]+)%;width:([\d.]+)%" title="([^"]+)">', made_page(champion=False)
    )
    assert [kind for kind, *_ in found] == ["train", "gap", "eval", "gap", "test"]
    ends = [(float(left), float(left) + float(width)) for _, left, width, _ in found]
    assert ends[0][0] == 0
    assert ends[-1][1] == pytest.approx(100, abs=0.01)
    for before, after in itertools.pairwise(ends):
        assert after[0] == pytest.approx(before[1], abs=0.01)
    # 31 of the days from 2001-01-01 to 2013-02-15, both included.
    total = (pd.Timestamp("2013-02-15") - pd.Timestamp("2001-01-01")).days + 1
    assert float(found[1][2]) == pytest.approx(100 * 31 / total, abs=0.001)
    assert found[1][3] == "gap of 31 days between train and eval: purge and embargo"
