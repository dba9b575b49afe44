"""Training in memory: repeatable, stops at the best epoch, and learns what there is to learn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics

from components.evidence.auc import auc
from components.synthetic_market import Scenario, SizeAgreement, get_scenario
from models.features import WINDOW
from models.formatters import FORMATTERS, DataFormatter, get_formatter
from models.operations import VOCABULARY, Z_SCORE, Z_SCORED_LOG_VOLATILITY, Kind, Operation
from models.registry import ARCHITECTURES, get_architecture

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

SHARES, SESSIONS = 20, 700
EVERY_VERSION = [(name, version) for name, architecture in ARCHITECTURES.items() for version in architecture.versions]


@dataclass(frozen=True)
class Market:
    """A synthetic market as three splits in the order of time, with the sizes of the categories."""

    train: Any
    held_out: Any
    test: Any
    spec: Any


def market(scenario: str | Scenario, formatter: DataFormatter, seed: int = 0) -> Market:
    from models.architecture import InputSpec
    from models.data import Rows

    known = get_scenario(scenario) if isinstance(scenario, str) else scenario
    returns = known.simulate(SHARES, SESSIONS, np.random.default_rng(seed)) * 0.02
    closes = 100 * np.exp(np.cumsum(returns, axis=0))
    windows = np.lib.stride_tricks.sliding_window_view(closes, WINDOW, axis=0)[:-1]  # [days, shares, 21], oldest first
    ahead = returns[WINDOW:]
    days = len(windows)
    fitted = windows[: int(0.7 * days)].reshape(-1, WINDOW)

    def split(first: int, last: int) -> Any:
        kept = windows[first:last].reshape(-1, WINDOW)
        share = np.tile(np.arange(SHARES), last - first)
        day = np.repeat(np.arange(first, last), SHARES)
        features = {
            feature.name: _values(feature.operation, kept, fitted, share if feature.name == "share" else day)
            for feature in formatter.features
        }
        following = ahead[first:last].reshape(-1)
        names = np.array([str(s) for s in share], dtype=object)
        ahead_of_row = following.astype(np.float32)
        return Rows(features, (following > 0).astype(np.float32), day, names, ahead_of_row, ahead_of_row)

    borders = int(0.7 * days), int(0.8 * days)
    return Market(
        split(0, borders[0]),
        split(borders[0] + WINDOW, borders[1]),
        split(borders[1] + WINDOW, days),
        InputSpec(formatter, {"share": SHARES + 1, "day": days + 1}),
    )


def _values(
    operation: Operation, closes: npt.NDArray[Any], fitted: npt.NDArray[Any], index: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    def volatility(windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.sqrt(np.mean(np.diff(np.log(windows), axis=1) ** 2, axis=1, keepdims=True))

    if operation is VOCABULARY:
        return index[:, None].astype(np.int64)
    if operation is Z_SCORE:
        return ((closes - fitted.mean(axis=0)) / fitted.std(axis=0)).astype(np.float32)
    if operation is Z_SCORED_LOG_VOLATILITY:
        logs = np.log(volatility(fitted))
        return ((np.log(volatility(closes)) - logs.mean()) / logs.std()).astype(np.float32)
    return (np.diff(np.log(closes), axis=1) / volatility(closes)).astype(np.float32)


def trained(
    name: str,
    version: int,
    data: Market,
    seed: int = 0,
    callbacks: Any = None,
    steps: int | None = None,
    **own: Any,
) -> Any:
    """A training with the defaults, but for hyperparameters of its own."""
    from models.training import train

    values = get_architecture(name).hyperparameters.updated(own)
    return train(name, version, values, data.spec, data.train, data.held_out, seed, callbacks, steps)


def single(name: str, version: int, data: Market, seed: int = 0, **hyperparameters: Any) -> tuple[Any, Any]:
    """The model and the losses of a training of one member."""
    one = trained(name, version, data, seed, members=1, **hyperparameters)
    return one.model, one.history


def cross_entropy(model: Any, rows: Any) -> float:
    """By scikit-learn."""
    return float(metrics.log_loss(rows.label, 1 / (1 + np.exp(-scores(model, rows)))))


def scores(model: Any, rows: Any) -> npt.NDArray[np.float64]:
    inputs = {tensor.name: rows.features[tensor.name] for tensor in model.inputs}
    return model.predict(inputs, batch_size=4096, verbose=0)[:, 0].astype(np.float64)


@pytest.fixture(scope="module")
def easy() -> Market:
    return market("reversal_easy", get_formatter("window_returns"))


@pytest.fixture(scope="module")
def noise() -> Market:
    return market("null", get_formatter("window_returns"))


@pytest.mark.parametrize(("name", "version"), EVERY_VERSION)
def test_a_second_training_knows_nothing_of_the_first(name: str, version: int, easy: Market) -> None:
    from models.training import Training

    # Two members with dropout, where there is any, and steps that Keras runs at once.
    own = get_architecture(name).hyperparameters.updated({"epochs": 1, "members": 2, "batch_size": 256})
    training = Training(name, version, own, easy.spec, 3)
    turned = replace(easy.train, label=1 - easy.train.label)
    first = scores(training.train(turned, easy.held_out).model, easy.test)
    second = training.train(easy.train, easy.held_out)

    alone = trained(name, version, easy, 3, epochs=1, members=2, batch_size=256)
    assert np.array_equal(scores(second.model, easy.test), scores(alone.model, easy.test))
    assert second.history.equals(alone.history)
    assert second.global_step == alone.global_step
    assert np.corrcoef(first, scores(second.model, easy.test))[0, 1] < 0


@pytest.mark.parametrize(("name", "version"), EVERY_VERSION)
def test_every_version_learns_an_easy_market_with_its_defaults(name: str, version: int, easy: Market) -> None:
    assert 9_000 < len(easy.train.label) < 11_000
    result = trained(name, version, easy)
    model = result.model
    score = scores(model, easy.test)
    assert model.output_shape == (None, 1)
    architecture = get_architecture(name)
    most = architecture.most_epochs(version, architecture.hyperparameters)
    assert most is None or result.history.epoch.max() <= most
    # The best there is, is 0.636.
    assert 0.55 < auc(easy.test.label.astype(int), score) < 0.70
    # A logit, not a probability, and about as many up as down.
    assert score.min() < 0 < score.max()


@pytest.mark.parametrize(("name", "version"), [("dnn", 2), ("rnn", 3)])
def test_what_depends_on_sizes_is_found_by_a_version_that_sees_them_and_not_by_the_one_before(
    name: str, version: int
) -> None:
    data = market(
        SizeAgreement("sizes", "as the market of that name, with a larger lean", lean=0.5),
        get_formatter("window_returns"),
    )
    areas = [
        auc(data.test.label.astype(int), scores(single(name, v, data)[0], data.test)) for v in (version - 1, version)
    ]
    # The best there is, is 0.718.
    assert areas[1] > 0.65
    assert areas[0] < areas[1] - 0.03


@pytest.mark.parametrize(("name", "version"), EVERY_VERSION)
@pytest.mark.parametrize("formatter", list(FORMATTERS))
def test_every_version_builds_for_every_formatter_and_uses_all_it_sees(name: str, version: int, formatter: str) -> None:
    import keras

    from models.architecture import InputSpec

    declared = get_formatter(formatter)
    keras.utils.set_random_seed(0)
    architecture = get_architecture(name)
    inputs = InputSpec(declared, {feature.name: 9 for feature in declared.of_kind(Kind.CATEGORY)})
    model = architecture.versions[version](inputs, architecture.hyperparameters)
    assert sorted(tensor.name for tensor in model.inputs) == sorted(feature.name for feature in declared.features)
    # Weights that begin at zero would hide a feature that is left out.
    model.set_weights([np.random.default_rng(i).normal(0, 0.3, w.shape) for i, w in enumerate(model.get_weights())])
    rng = np.random.default_rng(1)
    batch = {
        feature.name: rng.integers(0, 3, (6, 1)) if feature.kind is Kind.CATEGORY
        else rng.normal(size=(6, feature.steps)).astype(np.float32)
        for feature in declared.features
    }  # fmt: skip
    before = np.asarray(model(batch))
    assert before.shape == (6, 1)
    for feature in declared.features:
        changed = np.asarray(model({**batch, feature.name: batch[feature.name] + 1}))
        assert np.abs(changed - before).max() > 1e-5, feature.name


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_an_index_that_was_never_trained_on_changes_nothing(name: str, easy: Market) -> None:
    model, _ = single(name, get_architecture(name).default_version, easy, epochs=1)
    (table,) = model.get_layer("share_embedding").get_weights()
    assert np.all(table[SHARES] == 0)
    assert np.abs(table[:SHARES]).min(axis=0).max() > 0


@pytest.mark.parametrize(("name", "version"), [("linear", 1), ("dnn", 1), ("custom_dnn", 1), ("rnn", 3)])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(name: str, version: int, easy: Market) -> None:
    (first, losses), (second, again), (other, others) = (
        single(name, version, easy, seed=seed, epochs=2) for seed in (5, 5, 6)
    )
    assert losses.equals(again)
    assert not losses.equals(others)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(scores(first, easy.test), scores(other, easy.test))


def test_a_version_that_is_solved_knows_no_seed(easy: Market) -> None:
    (one, losses), (other, others) = (single("linear", 2, easy, seed=seed) for seed in (5, 6))
    assert losses.equals(others)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_penalty_is_that_of_the_lowest_loss_on_the_eval_split(easy: Market, noise: Market) -> None:
    for data in (easy, noise):
        model, history = single("linear", 2, data)
        assert cross_entropy(model, data.held_out) == pytest.approx(history.val_loss.min(), abs=2e-7)
        # Each penalty is looked at once, and the smaller it is the closer are the train rows.
        looks = history.dropna()
        assert len(looks) == 11
        assert looks.loss.is_monotonic_decreasing
    # Where there is nothing to learn, less is said than after gradient steps.
    assert scores(model, noise.test).std() < scores(single("linear", 1, noise)[0], noise.test).std()


def test_without_an_eval_split_the_smallest_penalty_is_solved(noise: Market) -> None:
    result = trained("linear", 2, replace(noise, held_out=None))
    assert list(result.history.columns) == ["member", "epoch", "loss"]
    assert result.history.loss.iloc[-1] < trained("linear", 2, noise).history.loss.iloc[0]


def test_steps_and_callbacks_of_a_version_that_is_solved(easy: Market) -> None:
    import keras

    epochs: list[tuple[int, float]] = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append((epoch, logs["loss"])))
    result = trained("linear", 2, easy, callbacks=lambda member: [note], steps=3)
    assert result.global_step == 3
    assert epochs == list(enumerate(result.history.loss))
    assert result.history.val_loss.notna().iloc[-1]


def test_the_weights_are_those_of_the_best_look_at_the_eval_split(noise: Market) -> None:
    model, history = single("dnn", 1, noise, epochs=6, patience=6, learning_rate=0.01, dropout=0.0)
    losses = history.val_loss
    assert losses.idxmin() < len(losses) - 1
    assert cross_entropy(model, noise.held_out) == pytest.approx(losses.min(), abs=1e-6)
    assert losses.min() < losses.iloc[-1]


def test_the_eval_split_is_looked_at_within_an_epoch_too(easy: Market) -> None:
    _, history = single("linear", 1, easy, epochs=2, batch_size=32)
    steps = -(-len(easy.train.label) // 32)
    looks = (history.epoch * steps).round().astype(int).tolist()
    assert looks[:3] == [64, 128, 192]
    assert {steps, 2 * steps} <= set(looks)
    assert history.val_loss.notna().all()
    # The mean train loss is one of a whole epoch.
    assert history.loss.notna().tolist() == [look in (steps, 2 * steps) for look in looks]


def test_without_an_eval_split_all_epochs_are_trained_and_the_last_weights_kept(noise: Market) -> None:
    result = trained("dnn", 1, replace(noise, held_out=None), epochs=6, patience=1, dropout=0.0, members=1)
    assert result.history.epoch.tolist() == [1, 2, 3, 4, 5, 6]
    assert list(result.history.columns) == ["member", "epoch", "loss"]
    # What was memorised is still there: below the mean loss over the last epoch's steps, and below a coin.
    assert cross_entropy(result.model, noise.train) < min(result.history.loss.iloc[-1] + 1e-3, np.log(2))


def test_training_ends_when_the_loss_has_not_fallen_for_patience_epochs(noise: Market) -> None:
    _, history = single("dnn", 1, noise, epochs=30, patience=2, learning_rate=0.01, dropout=0.0)
    best = history.epoch[history.val_loss.idxmin()]
    # Training ends at the end of an epoch only.
    assert history.epoch.iloc[-1] == np.ceil(best + 2)
    assert history.epoch.iloc[-1] < 30


@pytest.mark.parametrize("held_out", [True, False])
def test_losses_that_are_no_numbers_end_a_training_with_the_setting_to_change(easy: Market, held_out: bool) -> None:
    from models.errors import DivergenceError

    with pytest.raises(DivergenceError, match=r"lower learning_rate, which is 1e\+38"):
        trained("dnn", 1, easy if held_out else replace(easy, held_out=None), learning_rate=1e38, epochs=3)


def test_a_training_that_diverges_on_its_way_keeps_the_weights_of_its_best_look(
    easy: Market, caplog: pytest.LogCaptureFixture
) -> None:
    import keras

    class Overflow(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            if epoch == 2:
                self.model.set_weights([weight * np.nan for weight in self.model.get_weights()])

    result = trained("linear", 1, easy, callbacks=lambda member: [Overflow()], epochs=9, patience=9)
    assert cross_entropy(result.model, easy.held_out) == pytest.approx(result.history.val_loss.min(), abs=1e-6)
    assert 2 < result.history.epoch.iloc[-1] <= 3
    assert "diverged" in caplog.text


def test_steps_fit_the_rows_and_the_learning_rate_falls_to_zero(easy: Market) -> None:
    model, history = single("linear", 1, easy, epochs=2)
    rows = len(easy.train.label)
    assert history.epoch.iloc[-1] == 2
    assert int(model.optimizer.iterations.numpy()) == 2 * -(-rows // 128)
    assert float(model.optimizer.learning_rate) < 1e-6


def test_training_ends_after_the_steps_it_is_given_within_an_epoch(easy: Market) -> None:
    result = trained("linear", 1, easy, steps=100)
    model = result.model
    assert result.global_step == int(model.optimizer.iterations.numpy()) == 100
    # 100 steps of 128 rows are more than one epoch of some 10,000 rows, and less than two.
    assert result.history.epoch.iloc[-1] == pytest.approx(100 / -(-len(easy.train.label) // 128))
    assert result.history.loss.notna().sum() == 2
    assert float(model.optimizer.learning_rate) < 1e-6


def test_the_balance_of_the_classes_is_learned() -> None:
    data = market("null", get_formatter("window_returns"))
    share_up = 0.7
    for rows in (data.train, data.held_out, data.test):
        rows.label[:] = np.random.default_rng(4).random(len(rows.label)) < share_up
    model, _ = single("linear", 1, data)
    probability = 1 / (1 + np.exp(-scores(model, data.test)))
    assert probability.mean() == pytest.approx(share_up, abs=0.03)


def test_a_model_of_several_members_answers_with_the_mean_of_their_logits(easy: Market) -> None:
    result = trained("rnn", 2, easy, members=3, epochs=2)
    names = ["rnn_1", "rnn_2", "rnn_3"]
    each = [scores(result.model.get_layer(name), easy.test) for name in names]
    np.testing.assert_allclose(scores(result.model, easy.test), np.mean(each, axis=0), atol=1e-6)
    # Alike but not the same, and each of them has learned.
    assert np.abs(each[0] - each[1]).mean() > 1e-3
    assert np.abs(each[1] - each[2]).mean() > 1e-3
    assert min(auc(easy.test.label.astype(int), one) for one in each) > 0.55
    # Every member has its own early stopping and its own steps.
    assert result.global_step == 3 * 2 * -(-len(easy.train.label) // 128)
    losses = result.history
    assert list(losses.columns) == ["member", "epoch", "loss", "val_loss"]
    ends = losses[losses["loss"].notna()]
    assert ends[["member", "epoch"]].to_numpy().tolist() == [[m, e] for m in (1, 2, 3) for e in (1, 2)]
    assert ends["loss"].nunique() == 6


def test_members_are_the_same_again_with_the_same_seed(easy: Market) -> None:
    first, again = (scores(trained("dnn", 1, easy, seed=5, members=2, epochs=1).model, easy.test) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_the_seed_decides_less_with_more_members(noise: Market) -> None:
    def agreement(members: int) -> float:
        one, other = (
            scores(trained("dnn", 1, noise, seed=seed, members=members, epochs=2).model, noise.test) for seed in (0, 1)
        )
        return float(np.corrcoef(one, other)[0, 1])

    assert agreement(4) > agreement(1) + 0.1


def test_callbacks_are_made_for_each_member(easy: Market) -> None:
    import keras

    seen: list[tuple[int, int]] = []

    def callbacks(member: int) -> list[Any]:
        return [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((member, epoch)))]

    trained("rnn", 2, easy, callbacks=callbacks, epochs=2, members=2)
    assert seen == [(0, 0), (0, 1), (1, 0), (1, 1)]
