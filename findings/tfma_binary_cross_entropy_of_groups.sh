#!/usr/bin/env bash
# With a query_key, TFMA's BinaryCrossEntropy is the mean of the groups' means, not the mean over the examples.
#
# Packages   tensorflow-model-analysis 0.47.1 (TensorFlow 2.16.2, apache-beam 2.72.0 in memory), Python 3.9 to 3.11
# Expected   The examples of one query_key reach a metric as one array. The cross-entropy is a mean over examples, so
#            it is the same with and without the key, as MeanPrediction, MeanLabel and BinaryAccuracy are.
# Seen       For 16 examples of three days, 1, 3 and 12 of them, each day counts as much as any other:
#                                   by example   by day
#                MeanPrediction       0.293750   0.293750
#                MeanLabel            0.187500   0.187500
#                BinaryAccuracy       0.937500   0.937500
#                BinaryCrossEntropy   0.271483   0.282907
#                mean over examples 0.271483, mean of the days' means 0.282907
# Who        Whoever evaluates by query_key, or keeps the rows of a batch together in an extractor of their own for
#            speed: losses of groups of unequal size come out wrong, and differ with the size of Beam's batches.
#
# Exits 0 if it is still so. Installs about 1.5 GB.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
# uv resolves these packages in seconds, pip takes very long.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$work/venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" \
  tensorflow-model-analysis==0.47.1 tensorflow==2.16.2 tf-keras==2.16.0 tfx-bsl==1.16.1 apache-beam==2.72.0 \
  numpy==1.26.4 pandas==1.5.3 pyarrow==10.0.1 protobuf==4.25.9 dill==0.4.1 "setuptools<81"
cd "$work"
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python -W ignore - 2>messages <<'PY' || { code=$?; tail -n 20 messages >&2; exit "$code"; }
import sys

import numpy as np
import pandas as pd
import tensorflow_model_analysis as tfma

examples = pd.DataFrame(
    {
        "day": ["monday"] * 1 + ["tuesday"] * 3 + ["wednesday"] * 12,
        "label": [1.0] + [1.0, 0.0, 1.0] + [0.0] * 12,
        "prediction": [0.9] + [0.6, 0.3, 0.5] + [0.2] * 12,
    }
)
NAMES = ("MeanPrediction", "MeanLabel", "BinaryAccuracy", "BinaryCrossEntropy")


def measured(query_key):
    specs = tfma.metrics.specs_from_metrics(
        [getattr(tfma.metrics, name)(name=name) for name in NAMES],
        query_key=query_key,
        include_example_count=False,
        include_weighted_example_count=False,
    )
    config = tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(label_key="label", prediction_key="prediction")],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=specs,
    )
    [(_, metrics)] = tfma.analyze_raw_data(examples, config).slicing_metrics
    return {name: metrics[""][""][name]["doubleValue"] for name in NAMES}


by_example, by_day = measured(None), measured("day")
losses = -np.log(examples.prediction.where(examples.label == 1, 1 - examples.prediction))
over_examples, over_days = losses.mean(), losses.groupby(examples.day).mean().mean()
print(f"{'':20} by example   by day")
for name in NAMES:
    print(f"{name:20} {by_example[name]:8.6f}   {by_day[name]:8.6f}")
print(f"mean over examples {over_examples:.6f}, mean of the days' means {over_days:.6f}")
same = all(np.isclose(by_example[name], by_day[name]) for name in NAMES[:-1])
loss = NAMES[-1]
sys.exit(not (same and np.isclose(by_example[loss], over_examples) and np.isclose(by_day[loss], over_days)))
PY
