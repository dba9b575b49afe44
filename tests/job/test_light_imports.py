"""Imports of TFX leave out components that nobody asked for, and give them to who asks."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def said(program: str) -> list[str]:
    """The lines that a program of its own process prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_pipeline_is_wired_without_components_that_it_has_not() -> None:
    program = """
import gc, sys
from pipeline.job.light_imports import light_imports
with light_imports():
    import pipeline.pipeline, pipeline.job.steps
print(*sorted({"kubernetes", "keras_tuner"} & set(sys.modules)))
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
from tfx.components import InfraValidator, Tuner
import tfx.components
print(InfraValidator.__name__, tfx.components.Tuner is Tuner, "kubernetes" in sys.modules)
try:
    from tfx.components import Nothing
except ImportError as error:
    print(type(error).__name__)
"""
    assert said(program) == ["", "True True", "InfraValidator True True", "ImportError"]


def test_what_a_process_has_made_since_its_imports_is_collected_as_ever() -> None:
    program = """
import gc, weakref
from pipeline.job.light_imports import light_imports
with light_imports():
    import wave
print(gc.get_freeze_count() > 0)
class Ring:
    def __init__(self):
        self.itself = self
left = weakref.ref(Ring())
with light_imports():
    import wave
gc.collect()
print(left())
"""
    assert said(program) == ["True", "None"]
