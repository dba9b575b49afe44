"""What a gradient step saves, and that it changes nothing that is learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


def masks(layer: Any, steps: int, shape: tuple[int, ...] = (512, 64)) -> Any:
    """What a layer makes of ones in training, [steps, *shape], in a traced step that knows how many rows there are."""
    import tensorflow as tf

    step = tf.function(lambda: layer(tf.ones(shape), training=True), autograph=False)
    return np.stack([step().numpy() for _ in range(steps)])


def test_dropout_drops_its_share_and_scales_what_is_left() -> None:
    from models.dropout import Dropout

    found = masks(Dropout(0.3, seed=1), 20)
    np.testing.assert_allclose(np.unique(found), [0, 1 / 0.7], rtol=1e-6)
    kept = found > 0
    # Five standard errors of a mean of so many coins, over all, of a unit and of a step.
    for mean, coins in ((kept.mean(), kept.size), (kept.mean((0, 1)), 20 * 512), (kept.mean((1, 2)), 512 * 64)):
        assert np.abs(mean - 0.7).max() < 5 * np.sqrt(0.21 / coins)


def test_masks_of_steps_and_of_layers_do_not_go_together() -> None:
    from models.dropout import Dropout

    one, other = (masks(Dropout(0.5, seed=seed), 30) > 0 for seed in (1, 2))
    first, second = (2.0 * values.reshape(30, -1) - 1 for values in (one, other))
    between_steps = (first @ first.T / first.shape[1])[np.triu_indices(30, 1)]
    between_layers = (first @ second.T / first.shape[1]).ravel()
    assert np.abs(np.concatenate([between_steps, between_layers])).max() < 6 / np.sqrt(first.shape[1])


def test_a_seed_repeats_its_masks_and_another_has_others() -> None:
    from models.dropout import Dropout

    again = [masks(Dropout(0.1, seed=seed), 3) for seed in (1, 1, 2)]
    assert np.array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])


def test_a_layer_that_no_pool_of_bits_is_large_enough_for_drops_as_well() -> None:
    from models.dropout import Dropout

    found = masks(Dropout(0.1, seed=1), 1, (4096, 1024)) > 0
    assert abs(found.mean() - 0.9) < 5 * np.sqrt(0.09 / found.size)


def test_nothing_is_dropped_outside_training() -> None:
    from models.dropout import Dropout

    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    assert np.array_equal(Dropout(0.5)(values, training=False), values)


@pytest.mark.parametrize(("rows", "batch", "steps"), [(1000, 64, 16), (128, 64, 2), (10, 32, 1)])
def test_an_epoch_has_every_row_and_another_order_than_the_one_before(rows: int, batch: int, steps: int) -> None:
    from models.gradient_steps import batches

    epochs = batches(rows, batch, steps, np.random.default_rng(0))
    first, second = next(epochs), next(epochs)
    assert first.shape == (steps, batch)
    times = np.bincount(first.ravel(), minlength=rows)
    assert set(times) <= {steps * batch // rows, -(-steps * batch // rows)}
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_a_recurrent_layer_without_a_loop_is_the_same_layer(kind: str) -> None:
    import keras
    import tensorflow as tf

    from models.gradient_steps import unrolled

    values = keras.Input((20, 3), name="values")
    model = keras.Model({"values": values}, keras.layers.Dense(1)(getattr(keras.layers, kind)(4)(values)))
    some = {"values": tf.constant(np.random.default_rng(0).normal(size=(8, 20, 3)), tf.float32)}

    def gradients() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(some, training=True) ** 2)
        return tape.gradient(loss, model.trainable_variables)

    looped = tf.function(gradients, autograph=False)
    with unrolled(model):
        plain = tf.function(gradients, autograph=False)
        graph = plain.get_concrete_function().graph
    assert not [one for one in graph.get_operations() if "While" in one.type]
    assert [one for one in looped.get_concrete_function().graph.get_operations() if "While" in one.type]
    for found, wanted in zip(plain(), looped(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6)


def test_a_recurrent_layer_that_begins_in_a_given_state_loses_its_loop_too() -> None:
    import keras

    from models.gradient_steps import unrolled

    values, first = keras.Input((20, 3), name="values"), keras.Input((4,), name="first")
    layer = keras.layers.GRU(4)
    model = keras.Model({"values": values, "first": first}, keras.layers.Dense(1)(layer(values, initial_state=first)))
    with unrolled(model):
        assert layer.unroll
    assert not layer.unroll


def test_the_fused_optimizer_takes_the_steps_of_adam() -> None:
    import keras
    import tensorflow as tf

    from models.gradient_steps import FusedAdam

    def after(optimizer: Any) -> list[Any]:
        weights = [keras.Variable(np.ones(shape, np.float32)) for shape in ((4, 3), (5,))]
        optimizer.build(weights)
        rng = np.random.default_rng(0)

        @tf.function(autograph=False)
        def step(dense: Any, sparse: Any) -> None:
            rows = tf.IndexedSlices(sparse, tf.constant([1, 3]), tf.constant([5]))
            optimizer.apply_gradients([(dense, weights[0]), (rows, weights[1])])

        for _ in range(30):
            step(*(tf.constant(rng.normal(size=shape), tf.float32) for shape in ((4, 3), (2,))))
        return [one.numpy() for one in weights]

    rate = keras.optimizers.schedules.CosineDecay(0.1, 40)
    for found, wanted in zip(after(FusedAdam(rate)), after(keras.optimizers.Adam(rate)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-5)  # of moves of about 1
        assert np.abs(found - 1).max() > 0.1


def test_many_networks_in_one_process_are_no_reason_to_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras
    import tensorflow as tf

    from models.gradient_steps import GradientSteps

    said: list[str] = []
    monkeypatch.setattr(tf.get_logger(), "warning", lambda text, *rest, **_: said.append(text % rest if rest else text))
    features, label = {"values": tf.ones((64, 3))}, tf.ones((64, 1))
    for _ in range(8):
        values = keras.Input((3,), name="values")
        steps = GradientSteps(keras.Model({"values": values}, keras.layers.Dense(1)(values)), 0.01, 2)
        steps.take(features, label, np.zeros((2, 32), np.int32))
    assert not said
