"""Google's own client stubs ask this server, and Google's own messages have the same fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from pushed import MODEL, STEP, Sloped, names, windows
from running import Running

from pipeline.serving import messages

pytestmark = pytest.mark.slow  # the stubs import TensorFlow

ROWS = 6
EXPECTED = Sloped(10).forecast(names(ROWS), windows(ROWS)).astype(np.float32)


@pytest.fixture(scope="module")
def channel(server: Running) -> Iterator[Any]:
    with grpc.insecure_channel(server.target) as one:
        yield one


def test_every_field_is_declared_as_google_declares_it() -> None:
    from tensorflow.core.example import example_pb2  # noqa: F401
    from tensorflow.core.protobuf import saved_model_pb2  # noqa: F401
    from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2  # noqa: F401

    pool = predict_pb2.PredictRequest.DESCRIPTOR.file.pool
    for package, declared in (("tensorflow", messages.TENSORFLOW), ("tensorflow.serving", messages.SERVING)):
        for name, fields in declared.items():
            full = f"{package}.{name}"
            theirs = pool.FindMessageTypeByName(full).fields_by_name
            ours = messages._POOL.FindMessageTypeByName(full).fields_by_name
            assert list(ours) == [field[0] for field in fields]
            for field in ours.values():
                other = theirs[field.name]
                assert field.number == other.number, full
                assert field.label == other.label, full
                # An enum is a varint, as an int32 is.
                assert field.type in (other.type, field.TYPE_INT32 if other.enum_type else None), full


def test_googles_stub_predicts_with_tensorflows_own_tensors(channel: Any) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    request.model_spec.signature_name = "predict_closes"
    request.inputs["share_id"].CopyFrom(tf.make_tensor_proto(names(ROWS)))
    request.inputs["closes"].CopyFrom(tf.make_tensor_proto(windows(ROWS)))
    response = stub.Predict(request, timeout=20)
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["probability"]), EXPECTED[:, None])
    assert response.model_spec.version.value == 3

    examples = []
    for share, window in zip(names(ROWS), windows(ROWS), strict=True):
        features = {
            "share_id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[share.encode()])),
            "closes": tf.train.Feature(float_list=tf.train.FloatList(value=window)),
        }
        examples.append(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    request.inputs["examples"].CopyFrom(tf.make_tensor_proto(examples))
    outputs = stub.Predict(request, timeout=20).outputs
    np.testing.assert_array_equal(tf.make_ndarray(outputs["probability"]), EXPECTED[:, None])
    np.testing.assert_array_equal(tf.make_ndarray(outputs["global_step"]), np.full((ROWS, 1), STEP))

    request.model_spec.version.value = 9
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(request, timeout=20)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_googles_stubs_read_metadata_and_status(channel: Any) -> None:
    from tensorflow_serving.apis import (
        classification_pb2,
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_service_pb2_grpc,
        prediction_service_pb2_grpc,
    )

    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = MODEL
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert stub.GetModelMetadata(request, timeout=20).metadata["signature_def"].Unpack(signatures)
    declared = signatures.signature_def["predict_closes"]
    assert [dim.size for dim in declared.inputs["closes"].tensor_shape.dim] == [-1, 21]
    assert declared.outputs["probability"].name == "StatefulPartitionedCall:0"

    ask = get_model_status_pb2.GetModelStatusRequest()
    ask.model_spec.name = MODEL
    [status] = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(ask, timeout=20).model_version_status
    assert (status.version, status.state) == (3, get_model_status_pb2.ModelVersionStatus.AVAILABLE)

    classify = classification_pb2.ClassificationRequest()
    classify.model_spec.name = MODEL
    with pytest.raises(grpc.RpcError) as refused:
        stub.Classify(classify, timeout=20)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
