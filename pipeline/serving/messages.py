"""The messages of TensorFlow Serving's protocol, as far as they are used here, without TensorFlow.

Google's own modules (tensorflow-serving-api) import TensorFlow: 12 CPU seconds for a few messages. So the public
interface is declared here, by the names and numbers of its .proto files; the format on the wire is what they say, and a
test compares each field with Google's. The declarations live in a pool of their own, as the process's common one may
hold TensorFlow's, and they become classes when this is imported, as no code that protoc writes fits all three majors of
protobuf that TFX's lines need.

Sources: tensorflow_serving/apis/*.proto; tensorflow/core/framework/{tensor,tensor_shape,types}.proto,
tensorflow/core/protobuf/{meta_graph,saved_model}.proto, tensorflow/core/example/{example,feature}.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "double": _Field.TYPE_DOUBLE,
    "float": _Field.TYPE_FLOAT,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
}
_MANY, _MAP = "repeated ", "map "

Declared = tuple[str, int, str]
"""A field: name, number, and type: of `_TYPES`, or a message's full name; `repeated` or `map` (from strings) before."""

TENSORFLOW: dict[str, Sequence[Declared]] = {
    "TensorShapeProto.Dim": [("size", 1, "int64"), ("name", 2, "string")],
    "TensorShapeProto": [("dim", 2, "repeated tensorflow.TensorShapeProto.Dim"), ("unknown_rank", 3, "bool")],
    "TensorProto": [
        ("dtype", 1, "int32"),  # of the enum DataType, which is the same on the wire
        ("tensor_shape", 2, "tensorflow.TensorShapeProto"),
        ("tensor_content", 4, "bytes"),
        ("float_val", 5, "repeated float"),
        ("string_val", 8, "repeated bytes"),
        ("int64_val", 10, "repeated int64"),
    ],
    "TensorInfo": [
        ("name", 1, "string"),
        ("dtype", 2, "int32"),
        ("tensor_shape", 3, "tensorflow.TensorShapeProto"),
    ],
    "SignatureDef": [
        ("inputs", 1, "map tensorflow.TensorInfo"),
        ("outputs", 2, "map tensorflow.TensorInfo"),
        ("method_name", 3, "string"),
    ],
    "MetaGraphDef": [("signature_def", 5, "map tensorflow.SignatureDef")],
    "SavedModel": [("meta_graphs", 2, "repeated tensorflow.MetaGraphDef")],
    "BytesList": [("value", 1, "repeated bytes")],
    "FloatList": [("value", 1, "repeated float")],
    "Int64List": [("value", 1, "repeated int64")],
    "Feature": [
        ("bytes_list", 1, "tensorflow.BytesList"),
        ("float_list", 2, "tensorflow.FloatList"),
        ("int64_list", 3, "tensorflow.Int64List"),
    ],
    "Features": [("feature", 1, "map tensorflow.Feature")],
    "Example": [("features", 1, "tensorflow.Features")],
}
SERVING: dict[str, Sequence[Declared]] = {
    "ModelSpec": [
        ("name", 1, "string"),
        ("version", 2, "google.protobuf.Int64Value"),
        ("signature_name", 3, "string"),
        ("version_label", 4, "string"),
    ],
    "PredictRequest": [
        ("model_spec", 1, "tensorflow.serving.ModelSpec"),
        ("inputs", 2, "map tensorflow.TensorProto"),
        ("output_filter", 3, "repeated string"),
    ],
    "PredictResponse": [
        ("outputs", 1, "map tensorflow.TensorProto"),
        ("model_spec", 2, "tensorflow.serving.ModelSpec"),
    ],
    "SignatureDefMap": [("signature_def", 1, "map tensorflow.SignatureDef")],
    "GetModelMetadataRequest": [
        ("model_spec", 1, "tensorflow.serving.ModelSpec"),
        ("metadata_field", 2, "repeated string"),
    ],
    "GetModelMetadataResponse": [
        ("model_spec", 1, "tensorflow.serving.ModelSpec"),
        ("metadata", 2, "map google.protobuf.Any"),
    ],
    "StatusProto": [("error_code", 1, "int32"), ("error_message", 2, "string")],
    "ModelVersionStatus": [
        ("version", 1, "int64"),
        ("state", 2, "int32"),
        ("status", 3, "tensorflow.serving.StatusProto"),
    ],
    "GetModelStatusRequest": [("model_spec", 1, "tensorflow.serving.ModelSpec")],
    "GetModelStatusResponse": [("model_version_status", 1, "repeated tensorflow.serving.ModelVersionStatus")],
}


class DType(IntEnum):
    """The types of tensors that are read or written here (DataType of types.proto)."""

    DT_FLOAT = 1
    DT_STRING = 7
    DT_INT64 = 9


class State(IntEnum):
    """What is going on with a version of a model (ModelVersionStatus.State)."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


def dtype_name(number: int) -> str:
    """The name of a DataType; of one that is not known here, its number."""
    return DType(number).name if number in DType._value2member_map_ else f"DataType {number}"


def _declare(message: Any, fields: Sequence[Declared], full_name: str) -> None:
    for name, number, text in fields:
        many = text.startswith(_MANY) or text.startswith(_MAP)
        kind = text.removeprefix(_MANY).removeprefix(_MAP)
        field = message.field.add(name=name, number=number)
        field.label = _Field.LABEL_REPEATED if many else _Field.LABEL_OPTIONAL
        if text.startswith(_MAP):
            entry = message.nested_type.add(name=f"{''.join(part.title() for part in name.split('_'))}Entry")
            entry.options.map_entry = True
            _declare(entry, [("key", 1, "string"), ("value", 2, kind)], f"{full_name}.{entry.name}")
            field.type, field.type_name = _Field.TYPE_MESSAGE, f".{full_name}.{entry.name}"
        elif kind in _TYPES:
            field.type = _TYPES[kind]
        else:
            field.type, field.type_name = _Field.TYPE_MESSAGE, f".{kind}"


def _file(name: str, package: str, needs: Sequence[str], messages: dict[str, Sequence[Declared]]) -> bytes:
    file = descriptor_pb2.FileDescriptorProto(name=name, package=package, syntax="proto3", dependency=needs)
    made: dict[str, Any] = {}
    for full, _ in sorted(messages.items(), key=lambda item: item[0].count(".")):
        outer, _, own = full.rpartition(".")
        made[full] = (made[outer].nested_type if outer else file.message_type).add(name=own)
    for full, fields in messages.items():
        _declare(made[full], fields, f"{package}.{full}")
    content: bytes = file.SerializeToString()
    return content


def _pool() -> Any:
    pool = descriptor_pool.DescriptorPool()
    for known in (any_pb2, wrappers_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(_file("awesome/tensorflow.proto", "tensorflow", [], TENSORFLOW))
    needs = ["awesome/tensorflow.proto", any_pb2.DESCRIPTOR.name, wrappers_pb2.DESCRIPTOR.name]
    pool.AddSerializedFile(_file("awesome/tensorflow_serving.proto", "tensorflow.serving", needs, SERVING))
    return pool


_POOL = _pool()


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


Example = _class("tensorflow.Example")
SavedModel = _class("tensorflow.SavedModel")
SignatureDef = _class("tensorflow.SignatureDef")
TensorProto = _class("tensorflow.TensorProto")
PredictRequest = _class("tensorflow.serving.PredictRequest")
PredictResponse = _class("tensorflow.serving.PredictResponse")
SignatureDefMap = _class("tensorflow.serving.SignatureDefMap")
GetModelMetadataRequest = _class("tensorflow.serving.GetModelMetadataRequest")
GetModelMetadataResponse = _class("tensorflow.serving.GetModelMetadataResponse")
GetModelStatusRequest = _class("tensorflow.serving.GetModelStatusRequest")
GetModelStatusResponse = _class("tensorflow.serving.GetModelStatusResponse")
