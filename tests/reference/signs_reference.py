"""FORMAT.md, 14.8 and 7.4 once more: a stream of signs, and the steps of the decoder, as a stranger reads them."""

import zlib

import numpy as np

from reference import bits_reference, stranger


def read(
    stored: bytes, constants: dict[str, int], stream: bytes, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The parts (steps, h, w) and signs (steps, bits, h, w) of a stream, by the file `contexts` and the constants of a model."""
    steps, count, align = (constants[name] for name in ("steps", "bits", "align"))
    h, w = (-(-length // align) * align // 16 for length in shape)
    classes = np.frombuffer(stored[: steps * count], np.uint8).reshape(steps, count).tolist()
    coder = bits_reference.Decoder(np.frombuffer(stored[steps * count :], "<u2").tolist(), stream[3:])
    check = []

    def planes(classes: list[list[int]], mask: list[object] | None = None) -> dict[tuple[int, ...], int]:
        found: dict[tuple[int, ...], int] = {}
        for place in bits_reference.places(classes, h, w, mask):
            found[place] = coder.bit(bits_reference.context_of(found, place, classes[place[0]][place[1]]))
            check.append(found[place])
        return found

    parts = np.zeros((steps, h, w), int)
    for (t, _, i, j), bit in planes([[7]] * steps).items():
        parts[t, i, j] = bit
    signs = np.zeros((steps, count, h, w))
    for place, bit in planes(classes, np.repeat(parts[:, None], count, 1).tolist()).items():
        signs[place] = 2 * bit - 1
    assert coder.is_whole()
    assert zlib.crc32(bytes(check)) & 0xFFFF == int.from_bytes(stream[1:3], "little")
    return parts, signs


def square(model: stranger.Model, parts: np.ndarray, signs: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What decoder_step makes of x (3, 16 h, 16 w) by the parts and signs of its blocks."""
    steps, count, h, w = signs.shape
    state = np.zeros((1, model.constants["decoder_states"], h, w))
    for t in range(steps):
        if parts[t].any():
            given = np.zeros((1, steps * (count + 1), h, w))
            given[0, t * count : (t + 1) * count], given[0, steps * count + t] = signs[t], 1
            for _ in range(1 if t else 1 + model.constants["priming"]):
                made = model.run("decoder_step", signs=given, state=state)
                state = made["state_after"]
            x = x + made["change"][0] * parts[t].repeat(16, 0).repeat(16, 1)
    return x


def as_pixels(x: np.ndarray) -> np.ndarray:
    """(3, H, W) about 0 -> levels of 8 bits."""
    return np.rint(255 * (x + 0.5)).clip(0, 255)
