"""One model of several networks: the mean of their logits."""

from __future__ import annotations

from collections.abc import Sequence

import keras


def mean_of(members: Sequence[keras.Model]) -> keras.Model:
    """Puts models that see the same features behind one set of inputs.

    Args:
        members: at least one; each gives a logit, [n, 1]. They are renamed, as no two layers of a model may share a
            name.

    Returns:
        The model of the mean logit, [n, 1], with the first member's inputs; that member itself where it is alone.
    """
    first = members[0]
    if len(members) == 1:
        return first
    name = first.name
    for number, member in enumerate(members, start=1):
        member.name = f"{name}_{number}"
    inputs = {tensor.name: tensor for tensor in first.inputs}
    logit = keras.layers.Average(name="logit")([member(inputs) for member in members])
    return keras.Model(inputs, logit, name=name)
