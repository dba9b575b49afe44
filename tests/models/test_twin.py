"""A model's twin against formulas by hand, without TensorFlow."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twins import DEVIATION, MEAN, SHARES, dense_record, linear_record, windows, write_twin

from models.errors import TwinError
from models.features import CLOSES, SHARE_ID, TIME
from models.twin.arithmetic import SINGLE, ExactMatrix, sigmoid
from models.twin.forecasting import Twin, load_twin
from models.twin.layers import build_layer
from models.twin.proof import Proof
from models.twin.proving import may_estimate, prove, proven_twin

SOME = ["AAA", "BBB", "NEW"]


def run_layer(kind: str, inputs: list[Any], weights: list[Any] | None = None, **settings: Any) -> Any:
    return build_layer(kind, settings, weights or [])(inputs)


# the arithmetic


@pytest.mark.parametrize("inputs", [1, 2, 25, 128, 129, 325])
def test_a_product_is_the_exact_one_of_rounded_numbers_and_near_that_of_the_real_ones(inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    values, weights = rng.normal(size=(40, inputs)) * 10 ** rng.uniform(-3, 3, (40, 1)), rng.normal(size=(inputs, 7))
    made = ExactMatrix.of(weights).times(values)
    largest = np.abs(values).max(axis=1, keepdims=True) * np.abs(weights).max(axis=0)
    assert np.max(np.abs(made - values @ weights) / largest) < 2e-6
    steps = [Fraction(2) ** (math.frexp(one)[1] - 24) for one in np.abs(weights).max(axis=0).tolist()]
    for row in np.concatenate(ExactMatrix.of(weights).parts).tolist():
        assert all((Fraction(number) / step).denominator == 1 for number, step in zip(row, steps, strict=True))


@pytest.mark.parametrize("inputs", [2, 25, 128])
def test_a_product_has_nothing_left_to_round(inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    values, weights = rng.normal(size=(5, inputs)) * 10 ** rng.uniform(-3, 3, (5, 1)), rng.normal(size=(inputs, 3))
    matrix = ExactMatrix.of(weights)
    made = matrix.times(values)
    bits = 53 - 24 - (inputs - 1).bit_length()
    for row, value in zip(made.tolist(), values.tolist(), strict=True):
        step = Fraction(2) ** (math.frexp(max(map(abs, value)))[1] - bits)
        rounded = [round(Fraction(one) / step) * step for one in value]
        for output, number in enumerate(row):
            column = matrix.parts[0][:, output].tolist()
            assert Fraction(number) == sum(one * Fraction(weight) for one, weight in zip(rounded, column, strict=True))


@pytest.mark.parametrize("inputs", [25, 256])
def test_a_row_has_one_product_however_many_stand_beside_it_and_in_whatever_order(inputs: int) -> None:
    rng = np.random.default_rng(1)
    values, matrix = rng.normal(size=(700, inputs)), ExactMatrix.of(rng.normal(size=(inputs, 64)))
    whole = matrix.times(values)
    for begin, end in ((0, 1), (3, 5), (100, 117), (1, 700)):
        np.testing.assert_array_equal(matrix.times(values[begin:end]), whole[begin:end])
    order = rng.permutation(inputs)
    if inputs <= 128:  # more are added up in parts
        turned = ExactMatrix.of(np.random.default_rng(2).normal(size=(inputs, 9)))
        again = ExactMatrix(tuple(part[order] for part in turned.parts))
        np.testing.assert_array_equal(again.times(values[:, order]), turned.times(values))


def test_zeros_infinities_and_tiny_numbers_are_multiplied_without_a_warning() -> None:
    matrix = ExactMatrix.of(np.array([[0.0, 1.0], [0.0, -2.0]]))
    assert matrix.times(np.zeros((1, 2))).tolist() == [[0, 0]]
    assert matrix.times(np.full((1, 2), 1e-300)).tolist() == [[0, 0]]
    assert matrix.times(np.zeros((0, 2))).shape == (0, 2)


def test_the_sigmoid_is_that_of_the_math_module_and_never_overflows() -> None:
    values = np.array([-1000.0, -30.5, -1, 0, 0.25, 40, 1000])
    expected = [0.0, *(1 / (1 + math.exp(-value)) for value in values.tolist()[1:])]
    np.testing.assert_allclose(sigmoid(values), expected, rtol=1e-15)


# layers


def test_a_gru_and_a_plain_recurrent_layer_follow_their_equations() -> None:
    rng = np.random.default_rng(3)
    units, steps = 3, 4
    seen = rng.normal(size=(1, steps, 2))
    kernel, recurrent = rng.normal(size=(2, 9)), rng.normal(size=(3, 9))
    bias = rng.normal(size=(2, 9))
    state = [0.0] * units
    for step in range(steps):
        now = [sum(seen[0, step, i] * kernel[i, j] for i in range(2)) + bias[0, j] for j in range(9)]
        held = [sum(state[i] * recurrent[i, j] for i in range(3)) + bias[1, j] for j in range(9)]
        update, reset = ([1 / (1 + math.exp(-now[j] - held[j])) for j in range(b, b + 3)] for b in (0, 3))
        fresh = [math.tanh(now[6 + j] + reset[j] * held[6 + j]) for j in range(3)]
        state = [update[j] * state[j] + (1 - update[j]) * fresh[j] for j in range(3)]
    settings = {"activation": "tanh", "use_bias": True}
    made = run_layer("GRU", [seen], [kernel, recurrent, bias], recurrent_activation="sigmoid", **settings)
    np.testing.assert_allclose(made[0], state, atol=1e-6)

    kernel, recurrent, bias, state = kernel[:, :3], recurrent[:, :3], bias[0, :3], [0.0] * units
    for step in range(steps):
        state = [
            math.tanh(
                sum(seen[0, step, i] * kernel[i, j] for i in range(2))
                + sum(state[i] * recurrent[i, j] for i in range(3)) + bias[j]
            ) for j in range(3)
        ]  # fmt: skip
    made = run_layer("SimpleRNN", [seen], [kernel, recurrent, bias], **settings)
    np.testing.assert_allclose(made[0], state, atol=1e-6)


def test_the_other_layers_do_what_their_names_say() -> None:
    a, b = np.array([[1.0, 2.0, 3.0]]), np.array([[4.0, 5.0, 8.0]])
    steps = np.arange(6.0).reshape(1, 3, 2)
    assert run_layer("Add", [a, b, b]).tolist() == [[9, 12, 19]]
    assert run_layer("Average", [a, b]).tolist() == [[2.5, 3.5, 5.5]]
    assert run_layer("Multiply", [a, b]).tolist() == [[4, 10, 24]]
    assert run_layer("Subtract", [a, b]).tolist() == [[-3, -3, -5]]
    assert run_layer("Maximum", [a, b]).tolist() == [[4, 5, 8]]
    assert run_layer("Dot", [a, b]).tolist() == [[38]]
    assert run_layer("Concatenate", [a, b], axis=-1).shape == (1, 6)
    assert run_layer("Cropping1D", [steps], cropping=[0, 1]).tolist() == [[[0, 1], [2, 3]]]
    assert run_layer("ZeroPadding1D", [steps], padding=[1, 0])[0, 0].tolist() == [0, 0]
    assert run_layer("Rescaling", [a], scale=-2.0, offset=1.0).tolist() == [[-1, -3, -5]]
    assert run_layer("Rescaling", [a], scale=[1, 0, 2], offset=0).tolist() == [[1, 0, 6]]
    assert run_layer("Reshape", [a], target_shape=[3, 1]).shape == (1, 3, 1)
    assert run_layer("Flatten", [steps]).tolist() == [[0, 1, 2, 3, 4, 5]]
    assert run_layer("Activation", [a - 2], activation="relu").tolist() == [[0, 0, 1]]
    weights = [np.array(one, float) for one in ([2], [1], [3], [0.25])]
    shifted = run_layer("BatchNormalization", [np.array([[4.0]])], weights, scale=True, center=True, epsilon=0.0)
    assert shifted.tolist() == [[5]]
    normal = run_layer("LayerNormalization", [a], [], scale=False, center=False, epsilon=0.0)
    np.testing.assert_allclose(normal, [[-math.sqrt(1.5), 0, math.sqrt(1.5)]])


@pytest.mark.parametrize(
    ("kind", "settings", "why"),
    [
        ("LSTM", {}, "the layer LSTM is not written without TensorFlow"),
        ("Activation", {"activation": "gelu"}, "the activation 'gelu' is not written without TensorFlow"),
        ("Activation", {"activation": {"class_name": "PReLU"}}, "is not written without TensorFlow"),
    ],
)
def test_what_is_not_written_without_tensorflow_is_named(kind: str, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(TwinError, match=why):
        build_layer(kind, settings, [])


# the whole


def by_hand(record: Any, share: str, closes: Any) -> float:
    logs = [math.log(float(close)) for close in reversed(closes)]
    moves = [after - before for before, after in pairwise(logs)]
    volatility = math.sqrt(sum(move**2 for move in moves) / 20)
    flat = [move / volatility if volatility else 0.0 for move in moves]
    flat.append((math.log(max(volatility, 1e-6)) - MEAN) / DEVIATION)
    intercept = {b"AAA": 0.3, b"BBB": -0.2}.get(share.encode(), 0.0)
    logit = sum(x * float(w) for x, w in zip(flat, record.arrays["weights/0"][:, 0], strict=True)) + 0.05 + intercept
    return 1 / (1 + math.exp(-logit))


def test_a_twin_answers_as_the_formula_does_for_known_and_unknown_shares(tmp_path: Path) -> None:
    record = linear_record()
    twin = load_twin(write_twin(record, tmp_path))
    closes, shares = windows(60, seed=7), ["AAA", "BBB", "NEW"] * 20
    answer = twin.forecast(shares, closes)
    expected = [by_hand(record, share, window) for share, window in zip(shares, closes.tolist(), strict=True)]
    assert (answer.dtype, answer.shape) == (np.float32, (60,))
    np.testing.assert_allclose(answer, expected, atol=2e-7)
    assert np.std(expected) > 0.05
    assert twin.untrained(shares[:3]) == ("NEW",)


def test_an_answer_is_the_same_to_the_last_bit_whoever_asks_beside_it(tmp_path: Path) -> None:
    twin = load_twin(write_twin(linear_record(), tmp_path))
    closes, shares = windows(3000, seed=8), SOME * 1000
    whole = twin.forecast(shares, closes)
    for begin, end in ((0, 1), (1279, 1283), (1700, 1717), (2999, 3000)):
        np.testing.assert_array_equal(twin.forecast(shares[begin:end], closes[begin:end]), whole[begin:end])
    with ThreadPoolExecutor(4) as threads:
        for again in threads.map(lambda _: twin.forecast(shares, closes), range(8)):
            np.testing.assert_array_equal(again, whole)
    assert twin.forecast([], np.zeros((0, 21))).shape == (0,)


def test_an_answer_is_the_same_to_the_last_bit_by_any_algebra_any_threads_and_in_any_batch(tmp_path: Path) -> None:
    twin = load_twin(write_twin(dense_record(), tmp_path))
    shares, closes = SOME * 1000, windows(3000, seed=8)
    whole = twin.forecast(shares, closes)
    assert np.unique(whole).size > 2500
    rng = np.random.default_rng(2)
    for rows in (1, 2, 7, 64, 1000, 1279, 1280, 1281, 2500):
        at = rng.permutation(3000)[:rows]
        np.testing.assert_array_equal(twin.forecast([shares[one] for one in at], closes[at]), whole[at])
    with ThreadPoolExecutor(3) as threads:
        np.testing.assert_array_equal(twin.forecast(shares, closes, threads.map), whole)
    # OpenBLAS computes by the processor that it is told, here one without fused additions; other libraries pass it by.
    for algebra in ({}, {"OPENBLAS_CORETYPE": "Nehalem"}, {"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_NUM_THREADS": "4"}):
        assert elsewhere(tmp_path, algebra) == whole.tobytes().hex(), algebra


def elsewhere(saved_model: Path, variables: dict[str, str]) -> str:
    """The same answers by another process."""
    code = (
        "from pathlib import Path; from twins import windows; from models.twin.forecasting import load_twin;"
        f"twin = load_twin(Path({str(saved_model)!r}));"
        f"print(twin.forecast({SOME!r} * 1000, windows(3000, seed=8)).tobytes().hex())"
    )
    there = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join([".", str(Path(__file__).parents[1])])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=there)
    return done.stdout.strip()


@pytest.mark.parametrize("record", [linear_record, dense_record])
def test_single_precision_is_as_near_and_answers_in_parts_as_well(record: Any, tmp_path: Path) -> None:
    twin = load_twin(write_twin(record(), tmp_path))
    shares, closes = SOME * 1000, windows(3000, seed=9)
    exact, estimated = twin.forecast(shares, closes), twin.estimate(shares, closes)
    assert estimated.dtype == np.float32
    np.testing.assert_allclose(estimated, exact, rtol=0, atol=1e-6)
    with ThreadPoolExecutor(3) as threads:
        np.testing.assert_allclose(twin.estimate(shares, closes, threads.map), exact, rtol=0, atol=1e-6)
    assert twin.estimate([], np.zeros((0, 21))).shape == (0,)


@pytest.mark.parametrize(
    ("kind", "inputs", "shapes", "settings"),
    [
        ("Dense", (5, 7), [(7, 3), (3,)], {"activation": "tanh", "use_bias": True}),
        ("Dense", (5, 4, 7), [(7, 3)], {"activation": "relu", "use_bias": False}),
        ("SimpleRNN", (5, 4, 2), [(2, 3), (3, 3), (3,)], {"activation": "tanh", "use_bias": True}),
        (
            "GRU", (5, 4, 2), [(2, 9), (3, 9), (2, 9)],
            {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True},
        ),
        ("BatchNormalization", (5, 3), [(3,)] * 4, {"scale": True, "center": True, "epsilon": 1e-3}),
        ("LayerNormalization", (5, 3), [(3,)] * 2, {"scale": True, "center": True, "epsilon": 1e-3}),
    ],
)  # fmt: skip
def test_a_layer_in_single_precision_stays_in_it_and_is_near_the_exact_one(
    kind: str, inputs: tuple[int, ...], shapes: list[tuple[int, ...]], settings: dict[str, Any]
) -> None:
    rng = np.random.default_rng(4)
    weights = [np.abs(rng.normal(size=shape)).astype(np.float32) for shape in shapes]
    values = rng.normal(size=inputs).astype(np.float32)
    single = build_layer(kind, settings, weights, SINGLE)([values])
    exact = build_layer(kind, settings, weights)([values.astype(np.float64)])
    assert (single.dtype, exact.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, exact, rtol=1e-5, atol=1e-5)


def test_closes_of_another_shape_are_refused(tmp_path: Path) -> None:
    twin = load_twin(write_twin(linear_record(), tmp_path))
    with pytest.raises(ValueError, match=r"closes of 1 shares have the shape \(1, 20\), not \[n, 21\]"):
        twin.forecast(["AAA"], np.ones((1, 20)))


def test_the_same_twin_is_the_same_bytes_and_its_digest_follows_its_weights(tmp_path: Path) -> None:
    first, again = (load_twin(write_twin(linear_record(), tmp_path / name)) for name in ("a", "b"))
    record = linear_record()
    other = replace(record, arrays={**record.arrays, "weights/1": np.array([0.05 + 1e-7], np.float32)})
    assert first.digest == again.digest != load_twin(write_twin(other, tmp_path / "c")).digest


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda extra: (extra / "twin.json").unlink(), "made by a version that exported none"),
        (lambda extra: (extra / "twin.json").write_text("{"), "is no description of a twin"),
        (lambda extra: edit(extra, format=2), "has format 2, this version of awesome reads 1"),
        (lambda extra: (extra / "twin.json").write_text('{"format": 1, "reason": "too odd"}'), "^too odd$"),
        (lambda extra: (extra / "twin.npz").unlink(), "twin.npz: cannot be read"),
        (lambda extra: (extra / "twin.npz").write_bytes(b"PK"), "is not the file that twin.json names"),
        (lambda extra: edit(extra, formatter="gone"), "formatter 'gone' does not exist"),
        (lambda extra: edit(extra, formatter="closes"), "declares other features than the model was trained on"),
        (lambda extra: edit(extra, steps=[{"kind": "Add"}]), "is no whole twin"),
        (lambda extra: edit(extra, output="nowhere"), "cannot answer its own examples"),
    ],
)  # fmt: skip
def test_a_twin_that_cannot_be_used_says_why(tmp_path: Path, damage: Any, why: str) -> None:
    write_twin(linear_record(), tmp_path)
    damage(tmp_path / "assets.extra")
    with pytest.raises(TwinError, match=why):
        load_twin(tmp_path)


def edit(extra: Path, **fields: Any) -> None:
    path = extra / "twin.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_a_twin_that_does_not_reproduce_its_examples_is_refused(tmp_path: Path) -> None:
    record = linear_record()
    wrong = record.arrays["example/probability"] + np.float32(2e-6)
    write_twin(replace(record, arrays={**record.arrays, "example/probability": wrong}), tmp_path)
    with pytest.raises(TwinError, match=r"its answers to its own examples are 2\.\de-06 from TensorFlow's"):
        load_twin(tmp_path)


# the proof


def rows_of(twin: Twin, off: float = 0.0) -> Any:
    raw = {SHARE_ID: np.array([SHARES[0]] * 60, object), CLOSES: windows(60, 1), TIME: np.zeros(60, np.int64)}
    return raw, twin.answer(raw).astype(np.float64) + off * (np.arange(60) > 30)


def test_a_proof_holds_where_all_rows_agree_and_belongs_to_its_twin(tmp_path: Path) -> None:
    twin = load_twin(write_twin(linear_record(), tmp_path))
    proof = prove(tmp_path, *rows_of(twin, 4e-7))
    assert proof == Proof(twin.digest, 60, pytest.approx(4e-7), "", pytest.approx(4e-7, abs=1e-7))
    assert proven_twin(tmp_path, proof).digest == twin.digest
    with pytest.raises(TwinError, match="it is not the one that was proven on the test rows"):
        proven_twin(tmp_path, replace(proof, digest="another"))
    with pytest.raises(TwinError, match="its run was of a version that proved none"):
        proven_twin(tmp_path, None)


@pytest.mark.parametrize("off", [1.5e-6, math.nan])
def test_one_row_that_differs_proves_nothing(tmp_path: Path, off: float) -> None:
    twin = load_twin(write_twin(linear_record(), tmp_path))
    proof = prove(tmp_path, *rows_of(twin, off))
    assert proof.reason.startswith("on the test rows it is ")
    with pytest.raises(TwinError, match="on the test rows it is"):
        proven_twin(tmp_path, proof)
    assert not may_estimate(tmp_path, twin, proof)


def test_single_precision_answers_where_it_was_proven_and_reproduces_the_examples(tmp_path: Path) -> None:
    twin = load_twin(write_twin(linear_record(), tmp_path))
    proof = prove(tmp_path, *rows_of(twin))
    assert may_estimate(tmp_path, twin, proof)
    assert not may_estimate(tmp_path, twin, None)
    assert not may_estimate(tmp_path, twin, replace(proof, estimated=None))  # of a version that did not compare it
    assert not may_estimate(tmp_path, twin, replace(proof, estimated=2e-6))
    record = linear_record()
    wrong = record.arrays["example/probability"] + np.float32(2e-6)
    write_twin(replace(record, arrays={**record.arrays, "example/probability": wrong}), tmp_path)
    assert not may_estimate(tmp_path, twin, proof)


def test_no_rows_and_no_twin_prove_nothing(tmp_path: Path) -> None:
    assert prove(tmp_path, {}, np.empty(0)).reason == "it was made by a version that exported none"
    write_twin(linear_record(), tmp_path)
    assert prove(tmp_path, {}, np.empty(0)).reason == "there are no test rows to prove it on"


def test_a_twin_is_loaded_and_asked_without_tensorflow_or_pandas(tmp_path: Path) -> None:
    write_twin(linear_record(), tmp_path)
    code = (
        "import sys; from pathlib import Path; import numpy as np; from models.twin.forecasting import load_twin;"
        f"print(load_twin(Path({str(tmp_path)!r})).forecast(['AAA'], np.full((1, 21), 5.0)).shape,"
        "[m for m in ('tensorflow', 'keras', 'pandas', 'pyarrow', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(1,) []\n"
