"""A formatter fitted in memory: against NumPy, on rows it was fitted on and on others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# A process of its own: see transform_graph.py.
SCRIPT = """
import sys, tempfile
from pathlib import Path
from pipeline.job.quiet import import_tensorflow
import_tensorflow()
import numpy as np
from models.formatters import get_formatter
from models.in_memory import apply_formatter, fit_formatter
from models.training import input_spec

rng = np.random.default_rng(0)

def rows(count, share, day):
    return {
        "closes": (50 + rng.normal(size=(count, 21))).astype(np.float32),
        "share_id": np.array([share[i % len(share)] for i in range(count)], dtype=object),
        "time": day + np.arange(count) % 5,
    }

train, test = rows(9000, [b"AAA", b"AAA", b"BBB"], 20200101), rows(30, [b"BBB", b"NEW"], 20200104)
formatter = get_formatter("closes_with_time")
with tempfile.TemporaryDirectory() as folder:
    transform = fit_formatter(train, formatter, Path(folder) / "graph")
    made = apply_formatter(test, formatter, transform)
    sizes = dict(input_spec(formatter, transform).categories)
mean, std = train["closes"].mean(axis=0), train["closes"].std(axis=0)
np.testing.assert_allclose(made["scaled_closes"], ((test["closes"] - mean) / std)[:, ::-1], atol=2e-3)
assert sizes == {"share": 3, "day": 6}, sizes
assert made["share"][:, 0].tolist() == [1, 2] * 15
seen = made["day"][:, 0] < 5
assert np.array_equal(seen, test["time"] <= 20200105)

# Beam adds up in another order in every run; the features have to be the same to the last bit all the same.
order = rng.permutation(9000)
turned = {name: values[order] for name, values in train.items()}
turned["closes"][:, 20] = train["closes"][:, 20] = 7  # never changes
bits = []
for one in (train, turned):
    with tempfile.TemporaryDirectory() as folder:
        closes = get_formatter("closes")
        made = apply_formatter(train, closes, fit_formatter(one, closes, Path(folder) / "graph"))
    bits.append(made["scaled_closes"])
assert np.array_equal(*bits)
assert np.all(bits[0][:, 0] == 0)
assert np.abs(bits[0][:, 1:].std(axis=0) - 1).max() < 1e-4
try:
    fit_formatter({name: values[:0] for name, values in train.items()}, formatter, Path("none"))
except ValueError as error:
    print(error)
"""


def test_it_is_fitted_on_the_rows_it_is_given_and_applied_to_others(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "formatter closes_with_time cannot be fitted on no rows\n"
