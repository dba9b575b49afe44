"""`benchmarks.judged_forecasts` on a small market: what it measures is what it says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from needed import needed

from benchmarks import judged_forecasts, measure

needed("adbc_driver_sqlite")


@pytest.mark.slow
def test_both_files_are_judged_and_two_checkouts_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(judged_forecasts, "SHARES", 4)
    monkeypatch.setattr(judged_forecasts, "SESSIONS", 120)
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    checkout = Path(judged_forecasts.__file__).parents[1]
    monkeypatch.setattr(sys, "argv", ["judged_forecasts", "--sessions", "60", "--before", str(checkout)])
    assert judged_forecasts.main() == 0
    found = json.loads((tmp_path / "judged_forecasts.json").read_text())
    assert [(one["file"], one["forecasts"]) for one in found["files"]] == [("csv", 240), ("parquet", 240)]
    for one in found["files"]:
        assert one["cpu s"] > 0 < one["before cpu s"]
    # A checkout beside itself has the same figures.
    assert found["largest_difference"] == 0
    assert "largest difference of the model's figures: 0" in capsys.readouterr().out
