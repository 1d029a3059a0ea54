"""Encoding gives the bytes it always gave: pinned over the options, with networks that are a few exact operations each.

Real networks round differently from machine to machine; these do not, so what is pinned is everything around them: tiles,
halos, passes, quantiser, range coder, importance, alpha, searches, effort and the container.
"""

import hashlib

import numpy as np
import pytest
from made.pictures import photo_like
from made.tiled import in_tiles

from pillow_lic import codec
from pillow_lic.engine import runtime
from pillow_lic.families.lic1 import analysis
from pillow_lic.options import EncodeOptions

M, Z = 320, 64


def blocks(a: np.ndarray, edge: int) -> np.ndarray:
    """Sums (rows, columns) of blocks of so many pixels each way, of an array (H, W)."""
    return a.reshape(a.shape[0] // edge, edge, a.shape[1] // edge, edge).sum((1, 3))


def toy(networks, role, feeds, **_):
    """Every network of `lic1` as whole numbers and quotients by powers of two."""
    if role == "analysis":
        grey = feeds["pixels"].astype(np.int64).sum(2)
        mean = blocks(grey, 16)
        ramp = np.arange(grey.shape[1]) % 16 - 8
        slope = blocks(grey * ramp, 16)
        channel = np.arange(M)[:, None, None]
        linear = (mean * (channel % 3 == 0) + slope * (channel % 3 == 1) - mean * (channel % 7 == 5)) // (8 + channel)
        return [
            np.zeros((1, 1, 2 * mean.shape[0], 2 * mean.shape[1]), np.float32),
            linear[None].astype(np.float32) / 64,
        ]
    if role == "latents":
        y = feeds["linear"][0] * (1 + feeds["level"][0] // 128)
        z = np.rint(y[:Z, ::4, ::4]).clip(-127, 127)
        return [z[None], y[None] / 4]
    if role == "scales_z":
        return [np.abs(feeds["z_hat"]).repeat(4, 2).repeat(4, 3).clip(0, 255)]
    if role.startswith("scales_"):
        seen = feeds["features"].sum(1) // 16 + feeds["level"][:, 0] // 64
        if "magnitudes" in feeds:
            seen = seen + feeds["magnitudes"].sum(1) // 32
        index = seen[0, ::2, ::2][None] + np.arange(M)[:, None, None] % 5
        return [index[None].clip(0, 63).astype(np.float32)]
    if role == "means_z":
        return [feeds["z_hat"].repeat(4, 2).repeat(4, 3) / 8]
    if role.startswith("means_"):
        known = feeds["y_hat"][:, :, ::2, ::2] / 8 if "y_hat" in feeds else 0
        return [np.float32(0.25) * feeds["features"][:, :1, ::2, ::2].repeat(M, 1) + known]
    if role == "synthesis":
        return [feeds["y_hat"][:, :1].repeat(8, 2).repeat(8, 3), feeds["y_hat"][:, :1].repeat(2, 2).repeat(2, 3)]
    if role == "detail":
        return [(16 * feeds["picture"][:, :1].repeat(12, 1)).clip(0, 255).astype(np.uint8)]
    if role == "error_gradient":
        return [feeds["y_hat"] / 2 - feeds["level"] / 1024]
    if role == "importance":
        return [blocks(feeds["pixels"].astype(np.int64).sum(2), 16)[None, None].astype(np.float32) / 2**18 - 0.5]
    raise AssertionError(role)


PICTURE = photo_like(150, 200, 4, seed=3)
MASK = np.zeros((150, 200), np.uint8)
MASK[30:90, 40:120] = 255
CASES: dict[str, tuple[str, dict, int, str]] = {
    "quality 1": ("RGB", {"quality": 1}, 0, "44129 a6545ada4c0d915e"),
    "quality 6": ("RGB", {}, 0, "44399 578cbc23f0f8438d"),
    "quality 10": ("RGB", {"quality": 10}, 0, "44577 4f4d8fc73b4c6bae"),
    "grey": ("L", {"quality": 4}, 0, "44440 e354613ddc34aa76"),
    "grey and alpha": ("LA", {"quality": 4}, 0, "48986 d85fc0859b9a2f14"),
    "alpha": ("RGBA", {"quality": 4}, 0, "49025 e46310c5633e0d0b"),
    "tiles": ("RGB", {"quality": 5}, 128, "44453 b7e75d8da4ee0187"),
    "tiles with alpha": ("RGBA", {"quality": 5}, 128, "48999 86a3ab71dd79dbcc"),
    "roi": ("RGB", {"roi": ((10, 10, 70, 80), (100, 90, 180, 140, 0.5))}, 0, "44457 a737e433090eecb1"),
    "roi in tiles": ("RGB", {"roi": MASK}, 128, "44491 24ca25c8f8254d09"),
    "automatic": ("RGB", {"importance": "auto", "quality": 8}, 0, "44570 ba591e2c72a7de18"),
    "map": ("RGB", {"importance": np.arange(-65, 65, dtype=np.int8).reshape(10, 13)}, 128, "44467 5125623d5d39e5e4"),
    "effort": ("RGB", {"effort": 2, "quality": 5}, 0, "44406 f74d9c026f615edf"),
    "effort in tiles": ("RGB", {"effort": 1, "quality": 5, "roi": MASK}, 128, "44492 545b943434f12c69"),
    "target size": ("RGB", {"target_size": 44400}, 0, "44399 e39aa825dadcc068"),
    "target bpp in tiles": ("RGB", {"target_bpp": 11.85}, 128, "44216 d513d3c2915552f7"),
    "target psnr": ("RGB", {"target_psnr": 5.1}, 0, "44129 a6545ada4c0d915e"),
    "target psnr, roi": ("RGB", {"target_psnr": 5.0, "roi": MASK}, 128, "44251 1c19d7bd9d705e8b"),
}  # fmt: skip


def digest(mode: str, options: dict, edge: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(runtime, "run", toy)
    monkeypatch.setattr(analysis, "_chosen", lambda: False)
    if edge:
        in_tiles(monkeypatch, edge)
    channels = {"L": [0], "LA": [0, 3], "RGB": [0, 1, 2], "RGBA": [0, 1, 2, 3]}[mode]
    data = codec.encode(
        PICTURE[:, :, channels],
        mode,
        EncodeOptions(**{"exact": False, "model": "lic1"} | options),
        metadata={"xmp": b"<x/>"},
    )
    return f"{len(data)} {hashlib.sha256(data).hexdigest()[:16]}"


@pytest.mark.parametrize("name", CASES)
def test_encoding_gives_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mode, options, edge, expected = CASES[name]
    assert digest(mode, options, edge, monkeypatch) == expected
