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


def test_libraries_that_no_run_calls_are_left_out_until_somebody_asks() -> None:
    program = """
import sys
from pipeline.job.light_imports import light_imports
from pipeline.job.quiet import import_tensorflow
import_tensorflow()
with light_imports():
    import pipeline.pipeline, pipeline.job.steps
from pipeline.job.light_beam import light_beam
import apache_beam as beam
with light_beam(), beam.Pipeline(runner="FnApiRunner") as made:
    _ = made | beam.Create([1]) | beam.Map(abs)
heavy = ("matplotlib.figure", "sklearn.svm", "IPython.terminal", "ipywidgets", "nltk", "google.pubsub_v1")
print(*sorted(set(heavy) & set(sys.modules)))
import importlib.metadata
print(bool(importlib.metadata.packages_distributions()))
import matplotlib.pyplot, IPython, boto3, docker, tensorflow_model_analysis as tfma
import tqdm.notebook
from google.cloud import pubsub
from googleapiclient import discovery
from keras.wrappers import SKLearnClassifier
print(matplotlib.pyplot.figure.__name__, IPython.get_ipython(), boto3.client.__name__, docker.from_env.__name__)
print(tqdm.notebook.trange.__name__, pubsub.PublisherClient.__name__, discovery.build.__name__)
print(*(one.__name__ for one in (SKLearnClassifier, tfma.view.render_plot, tfma.metrics.rouge.Rouge)))
print(tfma.metrics.bleu.Bleu.__name__)
"""
    assert said(program) == [
        "",
        "True",
        "figure None client from_env",
        "tnrange PublisherClient build",
        "SKLearnClassifier render_plot Rouge",
        "Bleu",
    ]


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
