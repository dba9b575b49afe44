"""TensorFlow Serving's gRPC: PredictionService and ModelService (tensorflow_serving/apis)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from pipeline.serving.answering import check_names
from pipeline.serving.errors import Code, ServingError, invalid
from pipeline.serving.messages import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    GetModelStatusRequest,
    GetModelStatusResponse,
    PredictRequest,
    PredictResponse,
    SignatureDefMap,
)
from pipeline.serving.rest import other_method
from pipeline.serving.service import Service
from pipeline.serving.tensors import Array, to_array, to_message
from pipeline.serving.versions import Wanted

_STATUS = {status.value[0]: status for status in grpc.StatusCode}
_SIGNATURE_DEF = "signature_def"
_ANY = "type.googleapis.com/"


class GrpcApi:
    """Answers the methods of both services; a message is read and written as bytes, in a thread of the service."""

    def __init__(self, service: Service) -> None:
        """Stands on a service."""
        self._service = service

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """What a server of gRPC is given."""
        prediction: dict[str, Callable[[bytes], bytes]] = {
            "Predict": self._predict,
            "GetModelMetadata": self._metadata,
            "Classify": lambda content: _refuse(other_method("classify")),
            "Regress": lambda content: _refuse(other_method("regress")),
            "MultiInference": lambda content: _refuse(_not_here("MultiInference")),
        }
        model: dict[str, Callable[[bytes], bytes]] = {
            "GetModelStatus": self._status,
            "HandleReloadConfigRequest": lambda content: _refuse(_not_here("HandleReloadConfigRequest")),
        }
        return tuple(
            grpc.method_handlers_generic_handler(
                service,
                {
                    name: grpc.unary_unary_rpc_method_handler(self._call(name, answer))
                    for name, answer in methods.items()
                },
            )
            for service, methods in (
                ("tensorflow.serving.PredictionService", prediction),
                ("tensorflow.serving.ModelService", model),
            )
        )

    def _call(self, name: str, answer: Callable[[bytes], bytes]) -> Callable[[bytes, Any], Awaitable[bytes]]:
        async def call(content: bytes, context: Any) -> bytes:
            shown = dict(context.invocation_metadata() or ()).get("authorization")
            try:
                async with self._service.request("grpc", name, shown):
                    return await self._service.work(lambda: answer(content))
            except ServingError as error:
                await context.abort(_STATUS[error.code], error.message)
                raise

        return call

    def _predict(self, content: bytes) -> bytes:
        request = _read(PredictRequest, content)
        spec = _spec(request)

        def inputs_of(signature: Any) -> dict[str, Array]:
            check_names(request.inputs, signature)
            for name, tensor in request.inputs.items():  # before one value is repeated for all of them
                for dim in tensor.tensor_shape.dim[:1]:
                    self._service.answering.check_rows(name, dim.size)
            return {name: to_array(name, tensor, signature.inputs[name]) for name, tensor in request.inputs.items()}

        version, signature, outputs = self._service.predict(_wanted(spec), spec.signature_name, inputs_of)
        names = list(request.output_filter) or list(outputs)
        for number, name in enumerate(names):
            if name not in outputs:
                there = ",".join(outputs)
                raise invalid(
                    f"output tensor alias not found in signature: {name} Outputs expected to be in the set {{{there}}}."
                )
            if name in names[:number]:
                raise invalid(f"duplicate output tensor alias: {name}")
        response = PredictResponse()
        _fill(response.model_spec, spec.name, version.number)
        response.model_spec.signature_name = signature.name
        for name in names:
            response.outputs[name].CopyFrom(to_message(outputs[name], signature.outputs[name]))
        return bytes(response.SerializeToString())

    def _metadata(self, content: bytes) -> bytes:
        request = _read(GetModelMetadataRequest, content)
        spec = _spec(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for name in request.metadata_field:
            if name != _SIGNATURE_DEF:
                raise invalid(f"Metadata field {name} is not supported")
        with self._service.versions.lease(_wanted(spec)) as version:
            signatures = SignatureDefMap()
            for name, signature in version.signatures.items():
                signatures.signature_def[name].CopyFrom(signature.declared)
            response = GetModelMetadataResponse()
            _fill(response.model_spec, spec.name, version.number)
        packed = response.metadata[_SIGNATURE_DEF]
        packed.type_url = _ANY + SignatureDefMap.DESCRIPTOR.full_name
        packed.value = signatures.SerializeToString()
        return bytes(response.SerializeToString())

    def _status(self, content: bytes) -> bytes:
        request = _read(GetModelStatusRequest, content)
        response = GetModelStatusResponse()
        for one in self._service.versions.statuses(_wanted(_spec(request))):
            status = response.model_version_status.add(version=one.number, state=one.state)
            status.status.error_code = one.code
            status.status.error_message = one.message
        return bytes(response.SerializeToString())


def _read(kind: Any, content: bytes) -> Any:
    try:
        return kind.FromString(content)
    except DecodeError:
        raise invalid(f"the message is no {kind.DESCRIPTOR.name}") from None


def _spec(request: Any) -> Any:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def _wanted(spec: Any) -> Wanted:
    return Wanted(spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label or None)


def _fill(spec: Any, name: str, number: int) -> None:
    spec.name = name
    spec.version.value = number


def _refuse(error: ServingError) -> bytes:
    raise error


def _not_here(method: str) -> ServingError:
    return ServingError(Code.UNIMPLEMENTED, f"{method} is not answered by this server; TensorFlow Serving has it")
