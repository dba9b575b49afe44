"""Devices that share the rows of a gradient step."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# TensorFlow makes several devices of one processor only before its first operation, so in a process of its own.
_TRAIN = """
import json, sys
import numpy as np
import tensorflow as tf

processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 3)

import keras
from models.devices import training_devices
from models.gradient_steps import GradientSteps

def trained(devices):
    keras.utils.set_random_seed(7)
    values, share = keras.Input((5,), name="values"), keras.Input((1,), name="share", dtype="int64")
    known = keras.layers.Flatten()(keras.layers.Embedding(4, 2)(share))
    inner = keras.layers.Dense(8, "tanh", kernel_regularizer=keras.regularizers.L1(1e-3))(values)
    network = keras.Model(
        {"values": values, "share": share}, keras.layers.Dense(1)(keras.layers.Concatenate()([inner, known]))
    )
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=(400, 5)).astype(np.float32)
    rows = {"values": tf.constant(numbers), "share": tf.constant(rng.integers(0, 4, (400, 1)))}
    label = tf.constant((numbers.sum(1, keepdims=True) > 0).astype(np.float32))
    steps = GradientSteps(network, 0.05, 30, training_devices(devices))
    loss = steps.take(rows, label, rng.integers(0, 400, (30, 41)).astype(np.int32))
    return [loss, [float(one) for weight in network.weights for one in weight.numpy().ravel()]]

used, place = set(), tf.device
tf.device = lambda name: used.add(name) or place(name)
print(json.dumps([*(trained(number) for number in (1, 3)), sorted(map(str, used))]))
training_devices(4)
"""


def test_several_devices_learn_what_one_learns() -> None:
    ended = subprocess.run([sys.executable, "-c", _TRAIN], capture_output=True, text=True)
    (loss, weights), (shared_loss, shared_weights), used = json.loads(ended.stdout.splitlines()[-1])
    assert shared_loss == pytest.approx(loss, rel=1e-4)
    assert shared_weights == pytest.approx(weights, abs=1e-3)
    assert max(abs(one) for one in weights) > 0.5
    for number in range(3):
        assert any(place.endswith(f"CPU:{number}") for place in used)
    assert "DeviceError: training_devices is 4, and TensorFlow has 3 CPU: set it to no more" in ended.stderr
