"""Labels as they are declared, and what a day's level is."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import UnknownNameError
from models.features import excess_return_key, forward_return_key
from models.labels import LABELS, UP, get_label, words_of

OUTPERFORM = get_label("outperform")


def test_up_comes_first_and_needs_no_other_share() -> None:
    assert list(LABELS)[:2] == [UP, "outperform"]
    assert not get_label(UP).of_the_day
    assert get_label(UP).return_key(5) == forward_return_key(5)
    assert OUTPERFORM.return_key(5) == excess_return_key(5)


def test_a_name_that_does_not_exist_is_one_line_with_those_that_do() -> None:
    with pytest.raises(UnknownNameError, match=r"^label 'down' does not exist; there are up, outperform$"):
        get_label("down")


def test_a_level_is_the_median_of_its_day_and_none_where_a_share_is_alone() -> None:
    day = np.array([2, 0, 2, 3, 0, 2])
    change = np.array([0.5, -0.1, 0.1, 0.7, 0.3, -0.2], np.float32)

    levels = OUTPERFORM.levels(day, change, 5)

    np.testing.assert_allclose(levels, [0.1, np.nan, 0.1, np.nan, np.nan], rtol=1e-6)
    assert levels.dtype == np.float32


def test_there_are_words_for_every_label_and_for_one_that_is_not_installed() -> None:
    assert words_of(UP).asks(1) == "Up next session?"
    assert words_of("outperform").asks(20) == "Above the day's median in 20 sessions?"
    assert "theirs" in words_of("theirs").event
