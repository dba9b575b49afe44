"""TensorFlow Serving's gRPC, asked with this project's own messages; Google's stubs ask in test_google_clients.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from pushed import MODEL, STEP, Sloped, names, push, windows
from pydantic import SecretStr
from running import Running, running

from pipeline.serving import messages
from pipeline.serving.gate import Limits
from pipeline.serving.messages import DType, State

ROWS = 6
EXPECTED = Sloped(10).forecast(names(ROWS), windows(ROWS)).astype(np.float32)
PREDICTION, MODELS = "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"

Call = Callable[..., Any]


@contextmanager
def calls(target: str) -> Iterator[Call]:
    with grpc.insecure_channel(target) as channel:

        def call(service: str, method: str, request: Any, response: Any, **given: Any) -> Any:
            ask = channel.unary_unary(f"/{service}/{method}")
            return response.FromString(ask(request.SerializeToString(), timeout=20, **given))

        yield call


@pytest.fixture(scope="module")
def call(server: Running) -> Iterator[Call]:
    with calls(server.target) as one:
        yield one


def tensor(dtype: DType, shape: tuple[int, ...], **values: Any) -> Any:
    made = messages.TensorProto(dtype=dtype, **values)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    return made


def shares(count: int = ROWS) -> Any:
    return tensor(DType.DT_STRING, (count,), string_val=[one.encode() for one in names(count)])


def closes(count: int = ROWS) -> Any:
    return tensor(DType.DT_FLOAT, (count, 21), float_val=windows(count).ravel().tolist())


def predict(version: int | None = None, label: str = "", signature: str = "predict_closes", **inputs: Any) -> Any:
    request = messages.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = MODEL, signature
    if version is not None:
        request.model_spec.version.value = version
    request.model_spec.version_label = label
    for name, value in (inputs or {"share_id": shares(), "closes": closes()}).items():
        request.inputs[name].CopyFrom(value)
    return request


def asked(call: Call, request: Any, **given: Any) -> Any:
    return call(PREDICTION, "Predict", request, messages.PredictResponse, **given)


def test_windows_get_probabilities_in_the_field_of_their_type(call: Call) -> None:
    response = asked(call, predict())
    assert response.outputs.keys() == {"probability"}
    found = response.outputs["probability"]
    assert [dim.size for dim in found.tensor_shape.dim] == [ROWS, 1]
    np.testing.assert_array_equal(np.float32(found.float_val), EXPECTED)
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == (MODEL, 3, "predict_closes")


def test_a_tensor_may_come_as_bytes(call: Call) -> None:
    content = tensor(DType.DT_FLOAT, (ROWS, 21), tensor_content=windows(ROWS).tobytes())
    found = asked(call, predict(share_id=shares(), closes=content)).outputs["probability"]
    np.testing.assert_array_equal(np.float32(found.float_val), EXPECTED)


def test_one_value_may_stand_for_all(call: Call) -> None:
    one = tensor(DType.DT_STRING, (ROWS,), string_val=[b"S0000"])
    found = asked(call, predict(share_id=one, closes=closes())).outputs["probability"]
    np.testing.assert_array_equal(np.float32(found.float_val), EXPECTED)


def test_examples_get_all_outputs_or_those_that_are_wanted(call: Call) -> None:
    examples = []
    for share, window in zip(names(ROWS), windows(ROWS).tolist(), strict=True):
        example = messages.Example()
        example.features.feature["share_id"].bytes_list.value.append(share.encode())
        example.features.feature["closes"].float_list.value.extend(window)
        examples.append(example.SerializeToString())
    inputs = {"examples": tensor(DType.DT_STRING, (ROWS,), string_val=examples)}
    request = predict(signature="", **inputs)
    response = asked(call, request)
    assert list(response.outputs["global_step"].int64_val) == [STEP] * ROWS
    np.testing.assert_array_equal(np.float32(response.outputs["probability"].float_val), EXPECTED)
    assert response.model_spec.signature_name == "serving_default"
    request.output_filter.append("global_step")
    assert asked(call, request).outputs.keys() == {"global_step"}


def test_metadata_and_status_are_told(call: Call) -> None:
    request = messages.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = MODEL
    response = call(PREDICTION, "GetModelMetadata", request, messages.GetModelMetadataResponse)
    assert response.model_spec.version.value == 3
    packed = response.metadata["signature_def"]
    assert packed.type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    signatures = messages.SignatureDefMap.FromString(packed.value).signature_def
    assert signatures["predict_closes"].inputs["closes"].dtype == DType.DT_FLOAT
    ask = messages.GetModelStatusRequest()
    ask.model_spec.name = MODEL
    [status] = call(MODELS, "GetModelStatus", ask, messages.GetModelStatusResponse).model_version_status
    assert (status.version, status.state, status.status.error_code) == (3, State.AVAILABLE, 0)


def with_model(name: str) -> Any:
    request = predict()
    request.model_spec.name = name
    return request


def with_outputs(*names: str) -> Any:
    request = predict()
    request.output_filter.extend(names)
    return request


INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
FLOATS = tensor(DType.DT_FLOAT, (2, 21), float_val=[1.0] * 42)


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (messages.PredictRequest(), INVALID, "Missing ModelSpec"),
        (with_model("half"), NOT_FOUND, "Servable not found for request: Latest(half)"),
        (predict(version=9), NOT_FOUND, f"Servable not found for request: Specific({MODEL}, 9)"),
        (predict(label="canary"), INVALID, "Unrecognized servable version label: canary"),
        (predict(signature="x"), INVALID, 'Serving signature name: "x" not found in signature def'),
        (
            predict(share_id=shares()),
            INVALID,
            "input size does not match signature: 1!=2 len({share_id}) != len({closes,share_id}). Sent extra: {}. "
            "Missing but required: {closes}.",
        ),
        (
            predict(share_id=shares(), close=closes()),
            INVALID,
            "input tensor alias not found in signature: close. Inputs expected to be in the set {closes,share_id}.",
        ),
        (
            predict(share_id=shares(), closes=tensor(DType(9), (1,), int64_val=[1])),
            INVALID,
            "input closes: Expects DT_FLOAT but DT_INT64 is provided",
        ),
        (
            predict(share_id=shares(), closes=tensor(DType.DT_FLOAT, (2, 20), float_val=[1.0] * 40)),
            INVALID,
            "input closes: Expecting shape [-1,21] but got: [2,20]",
        ),
        (
            predict(share_id=shares(), closes=tensor(DType.DT_FLOAT, (2, 21), float_val=[1.0] * 41)),
            INVALID,
            "tensor parsing error: closes: Expecting tensor size: 42 but got: 41",
        ),
        (
            predict(share_id=shares(), closes=tensor(DType.DT_FLOAT, (2, 21), tensor_content=b"123")),
            INVALID,
            "tensor parsing error: closes: Expecting tensor size: 42 but got: 0",
        ),
        (
            predict(share_id=shares(), closes=tensor(DType.DT_FLOAT, (1000, 21), float_val=[1.0] * 2)),
            INVALID,
            "tensor parsing error: closes: Expecting tensor size: 21000 but got: 2",
        ),
        (
            predict(share_id=shares(), closes=tensor(DType.DT_FLOAT, (-1, 21))),
            INVALID,
            "tensor parsing error: closes: its shape is not known",
        ),
        (
            predict(share_id=shares(2), closes=tensor(DType.DT_FLOAT, (2, 21), float_val=[1.0] * 41 + [-2])),
            INVALID,
            "input closes, row 1 (S0001): close20 is -2; closes are positive numbers",
        ),
        (
            predict(share_id=shares(3), closes=FLOATS),
            INVALID,
            "inputs have different numbers of rows: {'share_id': 3, 'closes': 2}",
        ),
        (
            with_outputs("step"),
            INVALID,
            "output tensor alias not found in signature: step Outputs expected to be in the set {probability}.",
        ),
        (with_outputs("probability", "probability"), INVALID, "duplicate output tensor alias: probability"),
    ],
)
def test_a_request_that_does_not_fit_gets_the_protocols_error(
    call: Call, request_: Any, code: grpc.StatusCode, message: str
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        asked(call, request_)
    details = refused.value.details()
    if "different numbers" in message:  # the order of a map's entries is nobody's
        assert details.startswith("inputs have different numbers of rows: {")
    else:
        assert details == message
    assert refused.value.code() is code


def test_one_value_for_more_rows_than_allowed_takes_no_memory(call: Call) -> None:
    many = tensor(DType.DT_FLOAT, (2**40, 21), float_val=[1.0])
    with pytest.raises(grpc.RpcError) as refused:
        asked(call, predict(share_id=tensor(DType.DT_STRING, (2**40,), string_val=[b"a"]), closes=many))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("service", "method", "code", "words"),
    [
        (PREDICTION, "Classify", INVALID, "to be tensorflow/serving/classify. Was: tensorflow/serving/predict"),
        (PREDICTION, "Regress", INVALID, "to be tensorflow/serving/regress. Was: tensorflow/serving/predict"),
        (PREDICTION, "MultiInference", grpc.StatusCode.UNIMPLEMENTED, "TensorFlow Serving has it"),
        (MODELS, "HandleReloadConfigRequest", grpc.StatusCode.UNIMPLEMENTED, "TensorFlow Serving has it"),
    ],
)
def test_what_is_not_answered_is_refused_in_words(
    call: Call, service: str, method: str, code: grpc.StatusCode, words: str
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call(service, method, predict(), messages.PredictResponse)
    assert refused.value.code() is code
    assert words in refused.value.details()


def test_metadata_without_a_field_are_refused(call: Call) -> None:
    for fields, words in (
        ([], "must specify at least one metadata_field"),
        (["x"], "Metadata field x is not supported"),
    ):
        request = messages.GetModelMetadataRequest(metadata_field=fields)
        request.model_spec.name = MODEL
        with pytest.raises(grpc.RpcError, match=words) as refused:
            call(PREDICTION, "GetModelMetadata", request, messages.GetModelMetadataResponse)
        assert refused.value.code() is INVALID


def test_what_is_no_message_is_refused(server: Running) -> None:
    with grpc.insecure_channel(server.target) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(f"/{PREDICTION}/Predict")(b"\xff\xff\xff", timeout=20)
    assert refused.value.code() is INVALID
    assert refused.value.details() == "the message is no PredictRequest"


def test_a_token_and_the_limits_hold_for_grpc_as_well(tmp_path: Path) -> None:
    push(tmp_path, 3)
    limits = Limits(body_bytes=2000, rows=10)
    with running(tmp_path, token=SecretStr("t0ken"), limits=limits) as server, calls(server.target) as call:
        for given in ({}, {"metadata": [("authorization", "Bearer no")]}):
            with pytest.raises(grpc.RpcError) as refused:
                asked(call, predict(), **given)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        shown: dict[str, Any] = {"metadata": [("authorization", "Bearer t0ken")]}
        assert asked(call, predict(), **shown).outputs
        for count in (11, 100):
            with pytest.raises(grpc.RpcError) as refused:
                asked(call, predict(share_id=shares(count), closes=closes(count)), **shown)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
