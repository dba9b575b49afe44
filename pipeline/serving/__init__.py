"""`awesome serve`: TensorFlow Serving's protocol, REST and gRPC, over pushed models and without TensorFlow.

`messages.py` the protocol's messages, `signatures.py` what a SavedModel says it takes and gives, `tensors.py` and
`json_tensors.py` both forms of a tensor, `answering.py` the one place where a model is asked, `version.py` a version
that has proved itself, `versions.py` which ones there are, `gate.py` who may ask how much, `rest.py`, `people.py` and
`grpc_api.py` the addresses, `server.py` all of it in one process.
"""
