"""The devices that a training takes."""

from __future__ import annotations

import tensorflow as tf

from models.errors import DeviceError


def training_devices(number: int) -> tuple[str, ...]:
    """TensorFlow's names of the devices that share the rows of each gradient step.

    Args:
        number: of GPUs; where TensorFlow has none, of processors, which are one unless TensorFlow is told otherwise.

    Returns:
        None for one: TensorFlow chooses it then.

    Raises:
        DeviceError: TensorFlow has fewer.
    """
    if number == 1:
        return ()
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    names = tuple(device.name for device in tf.config.list_logical_devices(kind))
    if number > len(names):
        raise DeviceError(f"training_devices is {number}, and TensorFlow has {len(names)} {kind}: set it to no more")
    return names[:number]
