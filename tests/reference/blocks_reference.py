"""What FORMAT.md, 14.9 says of the blocks of a JPEG picture by which a restored one is mended, block by block in 64-bit numbers."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy.fft import dctn, idctn

SHARES = np.array([299, 587, 114])


def held(shown: np.ndarray, decoded: np.ndarray, luma: np.ndarray, steps: list[int]) -> np.ndarray:
    """Return what is shown (h, w, 3), with luma held to the file where colours were cut off."""
    result, table = shown.copy(), np.reshape(steps, (8, 8))
    for y in range(0, shown.shape[0] - 7, 8):
        for x in range(0, shown.shape[1] - 7, 8):
            part = np.s_[y : y + 8, x : x + 8]
            if {0, 255} & set(decoded[part].ravel().tolist()):
                near = np.rint(dctn(luma[part] - 128.0, norm="ortho") / table)
                seen = shown[part] @ np.array([0.299, 0.587, 0.114]) - 128
                kept = dctn(seen, norm="ortho").clip((near - 0.5) * table, (near + 0.5) * table)
                result[part] = np.rint(shown[part] + (idctn(kept, norm="ortho") - seen)[..., None]).clip(0, 255)
    return result


def calmed(shown: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    """Return what is shown (h, w, 3), with the luma of the decoded picture where both are nearly the same."""
    result = shown.copy()
    tints = decoded.astype(int) - decoded[:, :, 1:2]
    lumas = (decoded.astype(int) @ SHARES + 500) // 1000
    for (i, j), part in parts(decoded.shape):
        change = 1000 * lumas[part] - shown[part].astype(int) @ SHARES
        area = around(i, j)
        if np.mean(change**2) < 500**2 or len(set(lumas[area].ravel())) == 1:
            is_tinted = (tints[area] == tints[area][0, 0]).all()
            result[part] = decoded[part] if is_tinted else lightened(shown[part], change)
    return result


def noisy(decoded: np.ndarray, steps: list[int]) -> np.ndarray:
    """Return which pixels (h, w) are of noise."""
    missing = [(0, -length % 8) for length in decoded.shape[:2]]
    luma = np.pad(decoded @ np.array([0.299, 0.587, 0.114]), missing, "edge")
    counts = np.zeros([length // 8 for length in luma.shape], int)
    for i, j in np.ndindex(*counts.shape):
        found = 2 * np.abs(dctn(luma[8 * i : 8 * i + 8, 8 * j : 8 * j + 8], norm="ortho")) > np.reshape(steps, (8, 8))
        counts[i, j] = sum(found[u, v] for u in range(8) for v in range(8) if u + v >= 8)
    wide = np.pad(counts, 2, "edge")
    mask = np.zeros(decoded.shape[:2], bool)
    for (i, j), part in parts(decoded.shape):
        mask[part] = wide[i : i + 5, j : j + 5].sum() >= 0.55 * 25 * 28 - 1e-6
    return mask


def gated(shown: np.ndarray, decoded: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """Return what is shown (h, w, 3) by a gate that is open so far, (2, rows, columns)."""
    result = shown.copy()
    weights = np.array([0.299, 0.587, 0.114])
    for (i, j), part in parts(decoded.shape):
        luma, colors = opened[:, i, j].astype(float)
        change = shown[part].astype(float) - decoded[part]
        lighter = (change @ weights)[..., None]
        mixed = np.rint(decoded[part] + luma * lighter + colors * (change - lighter)).clip(0, 255)
        first, last = ((p[part].astype(int) @ SHARES + 500) // 1000 for p in (decoded, shown))
        wanted = first + np.rint(luma * (last - first)).astype(int)
        mixed = lightened(mixed.astype(int), 1000 * wanted - mixed.astype(int) @ SHARES)
        if luma == colors == 0:
            mixed = decoded[part]
        if luma < 1 or colors < 1:
            result[part] = mixed
    return result


def lightened(pixels: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return pixels whose luma is changed by thousandths of a level, in whole levels."""
    green = ((change + 500) // 1000).clip(-1, 1)
    moved = pixels + ((change - 587 * green + 500) // 1000)[..., None] + green[..., None] * [0, 1, 0]
    return moved.clip(0, 255)


def parts(shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], tuple[slice, slice]]]:
    """Give the places of the blocks of a picture, and what they cover."""
    for i, j in np.ndindex(-(-shape[0] // 8), -(-shape[1] // 8)):
        yield (i, j), np.s_[8 * i : 8 * i + 8, 8 * j : 8 * j + 8]


def around(i: int, j: int) -> tuple[slice, slice]:
    """Return what a block and those up to two away cover."""
    return np.s_[max(0, i - 2) * 8 : (i + 3) * 8, max(0, j - 2) * 8 : (j + 3) * 8]


def still(decoded: np.ndarray) -> np.ndarray:
    """Return which pixels (h, w) are shown as JPEG has them."""
    mask = np.zeros(decoded.shape[:2], bool)
    for (i, j), part in parts(decoded.shape):
        area = decoded[around(i, j)]
        mask[part] = (area == area[0, 0]).all()
    return mask


def luma_of(data: bytes) -> np.ndarray:
    """Return the luma (h, w) of a JPEG file."""
    with Image.open(io.BytesIO(data)) as im:
        im.draft("L", im.size)
        return np.asarray(im)
