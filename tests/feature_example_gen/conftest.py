from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from example_runs import Run, run_example_gen


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the component, `run(config)` or `run(config, beam)`; a test's runs share one root and one metadata store."""
    return partial(run_example_gen, tmp_path)
