"""What the decoder of `stranger` reads of a model and of a stream of symbols, from FORMAT.md alone: it imports nothing of pillow_lic."""

import json
import zlib
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import numpy as np
import onnxruntime

MODELS = Path(__file__).parents[2] / "onnx_models"


class Model:
    """Section 10, the tables of 7.1 as (lo, start), the start values of 7.4."""

    def __init__(self, number, hash4):
        listed = json.loads((MODELS / "manifest.json").read_text())["models"]
        (entry,) = [m for m in listed if m["id"] == number and m["sha256"].startswith(hash4.hex())]
        self.procedure, self.constants = entry["procedure"], entry["constants"]
        self.files = {role: MODELS / f["file"] for role, f in entry["files"].items() if "file" in f}
        if "filters" in entry.get("extras", {}):
            data = (MODELS / entry["extras"]["filters"]["file"]).read_bytes()
            self.filters = np.frombuffer(data, np.int8).astype(int).reshape(-1, 326)
        if "starts" in self.files:
            self.starts = np.frombuffer(self.files["starts"].read_bytes(), "<u2").tolist()
        if "tables" not in self.files:
            return
        data = self.files["tables"].read_bytes()
        count = int.from_bytes(data[:2], "little")
        heads = np.frombuffer(data, np.dtype([("lo", "<i2"), ("n", "<u2")]), count, 2)
        frequencies = np.frombuffer(data, "<u2", offset=2 + 4 * count).astype(int)
        ends = np.cumsum(heads["n"])
        self.tables = [
            (int(lo), [0, *accumulate(frequencies[end - n : end].tolist())])
            for lo, n, end in zip(heads["lo"], heads["n"], ends, strict=True)
        ]

    def run(self, graph, **inputs):
        session = onnxruntime.InferenceSession(self.files[graph].read_bytes(), providers=["CPUExecutionProvider"])
        arrays = {name: np.asarray(value, np.float32) for name, value in inputs.items()}
        return dict(zip([o.name for o in session.get_outputs()], session.run(None, arrays), strict=True))


class RangeDecoder:
    """Section 7.2."""

    def __init__(self, tables, lanes, stream):
        self.tables, self.lanes, self.k = tables, lanes, 0
        self.x = [int.from_bytes(stream[4 * i : 4 * i + 4], "little") for i in range(lanes)]
        self.rest = iter(bytes(stream[4 * lanes :]))

    def step(self, lane, start):
        x = self.x[lane]
        slot = x % 65536
        s = bisect_right(start, slot) - 1
        x = (start[s + 1] - start[s]) * (x // 65536) + slot - start[s]
        while x < 2**24:
            x = 256 * x + next(self.rest)
        self.x[lane] = x
        return s

    def raw(self, lane, b):
        return self.step(lane, range(0, 65537, 2 ** (16 - b))) if b else 0

    def symbol(self, table):
        lane, (lo, start) = self.k % self.lanes, self.tables[table]
        self.k += 1
        s = self.step(lane, start)
        if s < len(start) - 2:
            return lo + s
        b = self.raw(lane, 5)
        assert b <= 16
        m = 256 * self.raw(lane, 8) + self.raw(lane, 8) if b == 16 else self.raw(lane, b)
        u = 2**b + m - 1
        return lo - 1 - (u - 1) // 2 if u % 2 else lo + len(start) - 2 + u // 2

    def finish(self):
        assert all(x == 2**24 for x in self.x)
        assert next(self.rest, None) is None


class Stream:
    """Section 6: symbols one after another, and at the end the check of what they stand for."""

    def __init__(self, model, stream):
        self.check = int.from_bytes(stream[1:3], "little")
        self.coder = RangeDecoder(model.tables, 1 << (stream[0] & 3), stream[3:])
        self.symbol = self.coder.symbol

    def finish(self, coded, whole=True):
        if whole:
            self.coder.finish()
        assert zlib.crc32(np.array(coded, "<i4").tobytes()) & 0xFFFF == self.check
