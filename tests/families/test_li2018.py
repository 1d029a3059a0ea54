"""`li2018`: what its file says is enough to decode it, its map, and codes that are no numbers."""

from dataclasses import replace

import numpy as np
import pytest
from made.pictures import photo_like
from reference import bits_reference, stranger

from families.coded import check_format, encoded, of_one_and_two_tiles
from pillow_lic.engine import bits, models, runtime
from pillow_lic.errors import LicDamagedError, LicRuntimeError
from pillow_lic.families import li2018
from pillow_lic.inspecting.dump import dump

MODEL = models.choose("li2018")


def decode_alone(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.10."""
    (stream,), constants = coded, model.constants
    h, w = (-(-length // 8) for length in shape)
    anchors = [*constants["codes_at"], constants["codes_at"][-1]]
    a, b = divmod(level, 128)
    most = anchors[a] + ((anchors[a + 1] - anchors[a]) * b + 64) // 128
    depths = sorted({(2 * q * most + 15) // 30 for q in range(16)})
    coder = bits_reference.Decoder(model.starts, stream[3:])

    def planes(classes: list[int], mask: np.ndarray | None) -> np.ndarray:
        found: dict[tuple[int, ...], int] = {}
        columns = [[c] for c in classes]
        for place in bits_reference.places(columns, h, w, None if mask is None else mask[:, None]):
            found[place] = coder.bit(bits_reference.context_of(found, place, classes[place[0]]))
        return np.array(
            [[[found.get((p, 0, i, j), 0) for j in range(w)] for i in range(h)] for p in range(len(classes))]
        )

    gray = planes([5, 6, 7, 7], None)
    rank = sum((gray[: k + 1].sum(0) % 2) << (3 - k) for k in range(4))
    depth = np.array(depths)[rank]
    codes = np.zeros((len(constants["chains"]), h, w))
    for i in range(max(constants["chains"]) + 1):
        members = [k for k, chain in enumerate(constants["chains"]) if chain == i]
        mask = np.array([k < depth for k in members])
        codes[members] = np.where(mask, 2 * planes([constants["classes"][k] for k in members], mask) - 1, 0)
    assert coder.is_whole()
    return model.run("synthesis", codes=codes[None])["pixels"][0, : shape[0], : shape[1]]


@pytest.mark.parametrize("quality", [1, 5.6, 10])
def test_the_format_is_enough_to_decode(quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, "li2018", decode_alone)
    check_format(*of_one_and_two_tiles(MODEL, quality))


def test_flat_ground_gets_fewer_codes_than_texture() -> None:
    pixels = np.full((64, 128, 3), 120, np.uint8)
    pixels[:, 64:] = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    used = np.abs(dump(encoded(MODEL, pixels, quality=7))["tile_0/symbols"]).sum(0)
    assert used.shape == (8, 16)
    assert used[:, :6].mean() < 0.6 * used[:, 10:].mean()


@pytest.mark.parametrize("level", range(0, 1025, 64))
def test_depths_are_those_of_the_format(level: int) -> None:
    depths = li2018.depths_of(MODEL, level)
    assert depths[0] == 0
    assert (np.diff(depths) >= 0).all()
    assert depths[-1] <= len(MODEL.constants["chains"])
    at = MODEL.constants["codes_at"]
    if level % 128 == 0:
        assert depths[-1] == at[level // 128]


def test_a_depth_that_the_level_does_not_have_is_refused() -> None:
    """Of a model with four codes the map has five depths."""
    model = replace(MODEL, constants=MODEL.constants | {"codes_at": [4] * 9})
    coder = bits.Encoder(model.starts)
    coder.write_planes(li2018._gray(np.full((2, 2), 5)), li2018.MAP_CLASSES)
    with pytest.raises(LicDamagedError, match="rank 5, level 300 has ranks below 5"):
        li2018._read(model, [memoryview(coder.stream())], (16, 16), 300)


def test_codes_that_are_no_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for codes, need in ((np.nan, 0.0), (0.0, np.inf)):
        made = [np.full((1, 160, 2, 2), codes, np.float32), np.full((1, 1, 2, 2), need, np.float32)]
        monkeypatch.setattr(runtime, "run", lambda *_, made=made: made)
        with pytest.raises(LicRuntimeError, match="no numbers"):
            encoded(MODEL, photo_like(16, 16))
