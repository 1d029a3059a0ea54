"""The weights of an ONNX graph, for native layers that do what a network does: the file is read as the protocol buffer that it is.

Only what the exports of this package write is understood: initializers of float32 or half precision, as raw bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Buffer = memoryview

_GRAPH, _INITIALIZER, _DIMS, _TYPE, _RAW = 7, 5, 1, 2, 9
"""Numbers of fields: of ModelProto, GraphProto and TensorProto."""
_TYPES = {1: "<f4", 10: "<f2"}


def weights(model: bytes) -> list[Floats]:
    """Return the initializers of a graph that are real numbers, in their shapes and its order; ValueError for what is no such file."""
    return [
        array
        for graph in _parts(Buffer(model), _GRAPH)
        for tensor in _parts(graph, _INITIALIZER)
        for array in _array(tensor)
    ]


def _array(tensor: Buffer) -> Iterator[Floats]:
    shape, kind, raw = [], 0, Buffer(b"")
    for number, value in _fields(tensor):
        if isinstance(value, Buffer):
            raw = value if number == _RAW else raw
        elif number == _DIMS:
            shape.append(value)
        elif number == _TYPE:
            kind = value
    if kind in _TYPES:
        yield np.frombuffer(raw, _TYPES[kind]).astype(np.float32).reshape(shape)


def _parts(message: Buffer, wanted: int) -> Iterator[Buffer]:
    return (value for number, value in _fields(message) if number == wanted and isinstance(value, Buffer))


def _fields(view: Buffer) -> Iterator[tuple[int, int | Buffer]]:
    """Yield the number of every field of a message, and its value: bytes, or a whole number."""
    at = 0
    while at < len(view):
        key, at = _varint(view, at)
        if key & 7 == 0:
            value, at = _varint(view, at)
            yield key >> 3, value
            continue
        if key & 7 == 2:
            size, at = _varint(view, at)
        elif key & 7 in (1, 5):
            size = 8 if key & 7 == 1 else 4
        else:
            msg = f"a field of a graph must be of wire type 0, 1, 2 or 5, got {key & 7}"
            raise ValueError(msg)
        if at + size > len(view):
            msg = f"a field of a graph ends after its {len(view)} bytes"
            raise ValueError(msg)
        yield key >> 3, view[at : at + size]
        at += size


def _varint(view: Buffer, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        if at == len(view):
            msg = f"a field of a graph ends after its {len(view)} bytes"
            raise ValueError(msg)
        byte = view[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
