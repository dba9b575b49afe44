"""TensorFlow Serving's REST API: its forms, its errors, its status codes."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest
from pushed import MODEL, STEP, Sloped, names, windows
from running import Running

from pipeline.serving.messages import Example

ROWS = 7
EXPECTED = Sloped(10).forecast(names(ROWS), windows(ROWS)).astype(np.float32)


def rows(count: int = ROWS) -> list[dict[str, Any]]:
    return [
        {"share_id": share, "closes": closes}
        for share, closes in zip(names(count), windows(count).tolist(), strict=True)
    ]


def by_rows(**changes: Any) -> dict[str, Any]:
    return {"signature_name": "predict_closes", "instances": rows(), **changes}


def serialized(share: str, closes: list[float]) -> bytes:
    example = Example()
    example.features.feature["share_id"].bytes_list.value.append(share.encode())
    example.features.feature["closes"].float_list.value.extend(closes)
    example.features.feature["label_1"].int64_list.value.append(1)
    return bytes(example.SerializeToString())


def encoded(content: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(content).decode()}


def error_of(answer: httpx.Response, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"error"}
    return str(body["error"])


# Predict


def test_rows_get_predictions_without_the_name_of_the_single_output(server: Running) -> None:
    answer = server.ask(by_rows())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"predictions"}
    np.testing.assert_array_equal(np.float32(answer.json()["predictions"]), EXPECTED[:, None])


def test_a_number_has_the_digits_of_a_float(server: Running) -> None:
    text = server.ask(by_rows()).text
    assert [one.strip("[]") for one in text.partition(":")[2].rstrip("}").split(",")] == [str(one) for one in EXPECTED]


def test_columns_get_outputs(server: Running) -> None:
    columns = {"share_id": names(ROWS), "closes": windows(ROWS).tolist()}
    answer = server.ask({"signature_name": "predict_closes", "inputs": columns})
    assert answer.json().keys() == {"outputs"}
    np.testing.assert_array_equal(np.float32(answer.json()["outputs"]), EXPECTED[:, None])


@pytest.mark.parametrize("named", [False, True])
def test_examples_get_all_outputs_of_the_default_signature(server: Running, named: bool) -> None:
    examples: list[Any] = [encoded(serialized(row["share_id"], row["closes"])) for row in rows()]
    instances = [{"examples": one} for one in examples] if named else examples
    found = server.ask({"instances": instances}).json()["predictions"]
    assert [one["global_step"] for one in found] == [[STEP]] * ROWS
    np.testing.assert_array_equal(np.float32([one["probability"] for one in found]), EXPECTED[:, None])


def test_examples_in_columns_get_an_object_of_outputs(server: Running) -> None:
    examples = [encoded(serialized(row["share_id"], row["closes"])) for row in rows()]
    for inputs in (examples, {"examples": examples}):
        found = server.ask({"inputs": inputs}).json()["outputs"]
        assert found["global_step"] == [[STEP]] * ROWS
        np.testing.assert_array_equal(np.float32(found["probability"]), EXPECTED[:, None])


def test_a_share_may_be_written_in_base64_and_a_close_without_a_point(server: Running) -> None:
    row = {"share_id": encoded(b"\xff\x00"), "closes": list(range(100, 121))}
    found = server.ask(by_rows(instances=[row])).json()["predictions"]
    expected = Sloped(10).forecast(["x"], np.arange(100, 121, dtype=np.float32)[None])
    np.testing.assert_allclose(found, expected[:, None], rtol=1e-6)


def test_a_version_may_be_named(server: Running) -> None:
    answer = server.ask(by_rows(), f"/v1/models/{MODEL}/versions/3:predict")
    assert answer.status_code == 200
    assert answer.json() == server.ask(by_rows()).json()


# Status and metadata, in the form of the documentation's examples


def test_status_is_that_of_the_documentation(server: Running) -> None:
    expected = {
        "model_version_status": [
            {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }
    assert server.http.get(f"/v1/models/{MODEL}").json() == expected
    assert server.http.get(f"/v1/models/{MODEL}/versions/3").json() == expected


def test_metadata_shows_the_signatures_as_the_model_declares_them(server: Running) -> None:
    found = server.http.get(f"/v1/models/{MODEL}/metadata").json()
    assert found["model_spec"] == {"name": MODEL, "signature_name": "", "version": "3"}
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert signatures["predict_closes"] == {
        "inputs": {
            "share_id": {
                "dtype": "DT_STRING",
                "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
                "name": "predict_closes_share_id:0",
            },
            "closes": {
                "dtype": "DT_FLOAT",
                "tensor_shape": {
                    "dim": [{"size": "-1", "name": ""}, {"size": "21", "name": ""}],
                    "unknown_rank": False,
                },
                "name": "predict_closes_closes:0",
            },
        },
        "outputs": {
            "probability": {
                "dtype": "DT_FLOAT",
                "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": False},
                "name": "StatefulPartitionedCall:0",
            }
        },
        "method_name": "tensorflow/serving/predict",
    }
    assert signatures["__saved_model_init_op"]["outputs"]["__saved_model_init_op"]["tensor_shape"]["unknown_rank"]


# Errors


def test_an_unknown_model_is_the_error_of_the_documentation(server: Running) -> None:
    answer = server.ask(by_rows(), "/v1/models/half:predict")
    assert error_of(answer, 404) == "Servable not found for request: Latest(half)"


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        (
            "POST",
            f"/v1/models/{MODEL}/versions/4:predict",
            404,
            f"Servable not found for request: Specific({MODEL}, 4)",
        ),
        ("GET", f"/v1/models/{MODEL}/versions/4", 404, f"Could not find version 4 of model {MODEL}"),
        (
            "GET",
            f"/v1/models/{MODEL}/versions/4/metadata",
            404,
            f"Servable not found for request: Specific({MODEL}, 4)",
        ),
        ("GET", "/v1/models/half", 404, "Could not find any versions of model half"),
        ("POST", f"/v1/models/{MODEL}/labels/canary:predict", 400, "Unrecognized servable version label: canary"),
        ("POST", f"/v1/models/{MODEL}", 400, f"Malformed request: POST /v1/models/{MODEL}"),
        ("GET", f"/v1/models/{MODEL}:predict", 400, f"Malformed request: GET /v1/models/{MODEL}:predict"),
        ("PUT", "/v1/something", 400, "Malformed request: PUT /v1/something"),
        ("GET", "/elsewhere", 404, "Not found: GET /elsewhere"),
        (
            "POST",
            f"/v1/models/{MODEL}/versions/99999999999999999999:predict",
            400,
            "Failed to convert version: 99999999999999999999 to numeric.",
        ),
        (
            "POST",
            f"/v1/models/{MODEL}:classify",
            400,
            "Expected classification signature method_name to be tensorflow/serving/classify. Was: "
            "tensorflow/serving/predict",
        ),
        (
            "POST",
            f"/v1/models/{MODEL}:regress",
            400,
            "Expected regression signature method_name to be tensorflow/serving/regress. Was: "
            "tensorflow/serving/predict",
        ),
    ],
)
def test_addresses_that_are_none_get_an_error(server: Running, method: str, path: str, status: int, error: str) -> None:
    content = json.dumps(by_rows()) if method == "POST" else None
    assert error_of(server.http.request(method, path, content=content), status) == error


def with_row(number: int, **changes: Any) -> list[dict[str, Any]]:
    found = rows()
    found[number] |= changes
    return found


CLOSES = windows(ROWS).tolist()[0]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "Missing 'inputs' or 'instances' key"),
        ([1], "JSON Value: [1] Is not object"),
        ({"instances": [], "inputs": {}}, "expecting only one of 'inputs' or 'instances' keys to exist"),
        ({"instances": 3}, "Excepting 'instances' to be an list/array"),
        ({"instances": []}, "No values in 'instances' array"),
        (by_rows(signature_name=3), "'signature_name' key must be a string value."),
        (by_rows(signature_name="classify"), 'Serving signature name: "classify" not found in signature def'),
        (by_rows(instances=[1, 2]), "instances is a plain list, but expecting list of objects"),
        (by_rows(instances=[*rows(), [1]]), "Expecting object but got list at item 7 of input list"),
        (
            by_rows(instances=[*rows(2), {"share_id": "a"}]),
            'Failed to process element: 2 of \'instances\' list. JSON object: {"share_id": "..."} keys must be equal '
            "to: closes,share_id",
        ),
        (
            by_rows(instances=with_row(4, closes=CLOSES[:20])),
            "Failed to process element: 4 key: closes of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor "
            "size: 21 but got: 20",
        ),
        (
            by_rows(instances=with_row(4, closes=3)),
            "element: 4 key: closes of 'instances' list. Error: INVALID_ARGUMENT",
        ),
        (
            by_rows(instances=with_row(5, closes=[*CLOSES[:20], "x"])),
            "Failed to process element: 5 key: closes of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: \"x\" "
            "Type: String is not of expected type: float",
        ),
        (by_rows(instances=with_row(5, closes=[*CLOSES[:20], None])), "JSON Value: null Type: Null is not of expected"),
        (by_rows(instances=with_row(5, closes=[*CLOSES[:20], True])), "JSON Value: true Type: Bool is not of expected"),
        (by_rows(instances=with_row(5, closes=[*CLOSES[:20], [1]])), "JSON Value: [1] Type: Array is not of expected"),
        (
            by_rows(instances=with_row(1, closes=[*CLOSES[:20], 1e39])),
            "Failed to process element: 1 key: closes of 'instances' list. Error: INVALID_ARGUMENT: Cannot convert "
            "JSON value: 1e+39 to float without loss of precision.",
        ),
        (
            by_rows(instances=with_row(6, share_id=3)),
            "element: 6 key: share_id of 'instances' list. Error: INVALID_ARG",
        ),
        (by_rows(instances=with_row(6, share_id={"b64": "?"})), "INVALID_ARGUMENT: Unable to base64 decode"),
        (by_rows(instances=with_row(6, share_id={"a": 1})), "not formatted correctly for base64 data"),
        (
            by_rows(instances=with_row(2, closes=[*CLOSES[:20], 0])),
            "input closes, row 2 (S0002): close20 is 0; closes are",
        ),
        (by_rows(instances=with_row(2, closes=[-3, *CLOSES[:20]])), "row 2 (S0002): close0 is -3; closes are positive"),
        (
            {"signature_name": "predict_closes", "inputs": {"share_id": ["a"]}},
            "Missing named input: closes in 'inputs'",
        ),
        ({"signature_name": "predict_closes", "inputs": [1]}, "inputs is a plain value/list, but expecting an object"),
        (
            {"signature_name": "predict_closes", "inputs": {"share_id": ["a"], "closes": [CLOSES, CLOSES]}},
            "inputs have different numbers of rows: {'closes': 2, 'share_id': 1}",
        ),
        (
            {"signature_name": "predict_closes", "inputs": {"share_id": ["a", 3], "closes": [CLOSES, CLOSES]}},
            "input share_id, row 1: JSON Value: 3 Type: Number is not of expected type: string",
        ),
        ({"inputs": encoded(b"x")}, "input examples: Expecting shape DT_STRING [-1] but got a single value"),
        ({"instances": [encoded(b"\xff\xff")]}, "Could not parse example input, row 0: it is no tf.Example"),
        (
            {"instances": [encoded(serialized("a", CLOSES)), encoded(serialized("b", CLOSES[:3]))]},
            "Key: closes, Index: 1.  Number of float values != expected.  values size: 3 but output shape: [21]",
        ),
        (
            {"instances": [encoded(b"")]},
            "Key: closes, Index: 0.  Number of float values != expected.  values size: 0 but output shape: [21]",
        ),
    ],
)
def test_a_body_that_does_not_fit_gets_an_error_with_its_row(server: Running, body: Any, error: str) -> None:
    assert error in error_of(server.ask(body))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_lacks_are_read_and_are_no_closes(server: Running, number: str) -> None:
    text = json.dumps(by_rows()).replace(repr(windows(ROWS).tolist()[3][20]), number)
    answer = server.http.post(f"/v1/models/{MODEL}:predict", content=text)
    assert error_of(answer).startswith(f"input closes, row 3 (S0003): close20 is {float(number):g}")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b'{"instances": [1,', "JSON Parse error: "),
        (b"\xff\xfe", "JSON Parse error: "),
        (b"[" * 100_000, "JSON Parse error: "),
    ],
)
def test_what_is_no_json_gets_an_error(server: Running, content: bytes, error: str) -> None:
    assert error_of(server.http.post(f"/v1/models/{MODEL}:predict", content=content)).startswith(error)


def test_a_signature_that_needs_tensorflow_is_refused_in_words(server: Running) -> None:
    body = {"signature_name": "embed", "instances": windows(2).tolist()}
    assert "needs TensorFlow" in error_of(server.ask(body), 501)
    body["signature_name"] = "__saved_model_init_op"
    assert "Expected prediction signature method_name" in error_of(server.ask(body), 500)


def test_a_compressed_body_is_refused_in_words(server: Running) -> None:
    answer = server.ask(by_rows(), headers={"Content-Encoding": "gzip"})
    assert "Content-Encoding" in error_of(answer)
