"""What FORMAT.md, 14.9 says of the blocks of a JPEG picture that a restored one is held to, block by block in 64-bit numbers."""

import io

import numpy as np
from PIL import Image
from scipy.fft import dctn, idctn


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


def still(decoded: np.ndarray) -> np.ndarray:
    """Return which pixels (h, w) are shown as JPEG has them."""
    rows, columns = (-(-length // 8) for length in decoded.shape[:2])
    mask = np.zeros(decoded.shape[:2], bool)
    for i in range(rows):
        for j in range(columns):
            around = decoded[max(0, i - 2) * 8 : (i + 3) * 8, max(0, j - 2) * 8 : (j + 3) * 8]
            mask[8 * i : 8 * i + 8, 8 * j : 8 * j + 8] = (around == around[0, 0]).all()
    return mask


def luma_of(data: bytes) -> np.ndarray:
    """Return the luma (h, w) of a JPEG file."""
    with Image.open(io.BytesIO(data)) as im:
        im.draft("L", im.size)
        return np.asarray(im)
