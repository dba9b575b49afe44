"""What a network is told of every value beside the value itself: how large it is, and both as good as yes or no."""

from __future__ import annotations

import math
from typing import Any

SIZE_MEAN = math.sqrt(2 / math.pi)
"""Of the absolute value of a standard normal number."""

SIZE_DEVIATION = math.sqrt(1 - 2 / math.pi)
"""The same."""

_STEEPNESS = 2.0
"""From half a deviation on, up or down, a value has said most of which of the two it is."""


def expanded(values: Any) -> Any:
    """Values, their sizes, and the two squashed, as a basis expansion of four functions.

    Dense layers find a product of two inputs at once, but not a product of two absolute values: each would first have
    to be made of two units, and nothing is gained before both are there. With sizes among the inputs, the product is
    as easy to find as any. Squashed, the product of two is nearly that of their signs, which does not need the layers
    to learn where a sign changes.

    Args:
        values: a Keras tensor [..., values] of features of mean 0 and deviation 1, more or less.

    Returns:
        A Keras tensor [..., 4 x values]: the values, their sizes less a normal value's mean size and over its
        deviation, the hyperbolic tangent of twice the values, and that of twice the sizes.
    """
    import keras

    size = keras.layers.Maximum()([values, keras.layers.Rescaling(-1.0)(values)])
    size = keras.layers.Rescaling(1 / SIZE_DEVIATION, -SIZE_MEAN / SIZE_DEVIATION)(size)
    squashed = [keras.layers.Activation("tanh")(keras.layers.Rescaling(_STEEPNESS)(one)) for one in (values, size)]
    return keras.layers.Concatenate()([values, size, *squashed])
