"""A decoder written from FORMAT.md and the model files alone: it imports nothing of pillow_lic.

It is here to show that the document is complete. Slow, and made for good files: it asserts where a decoder would explain.
"""

import binascii
import io
import zlib
from itertools import accumulate, pairwise

import numpy as np
from PIL import Image

from reference.stranger_filter import filter_of, filtered, no_filter
from reference.stranger_models import Model, Stream

CHANNELS = ("L", "LA", "RGB", "RGBA")
ORDER = ((0, 3, 1, 2), (3, 0, 2, 1), (1, 2, 0, 3), (2, 1, 3, 0))


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def sections(data, at, tiles, crc16):
    """Section 4: tag -> payloads."""
    found = {}
    while len(found.get(1, [])) < tiles:
        length, start = varint(data, at + 1)
        end = start + length
        number = len(found.get(1, [])) + 1 if data[at] == 1 else 0
        assert zlib.crc32(data[at:end], crc16 + 65536 * number) == int.from_bytes(data[end : end + 4], "little")
        found.setdefault(data[at], []).append(data[start:end])
        at = end + 4
    return found


def unpack_alpha(payload, height, width):
    """Section 5.3."""
    if payload[0] == 1:
        return np.full((height, width), payload[1], np.uint8)
    rows = np.frombuffer(zlib.decompress(payload[1:]), np.uint8).reshape(height, width + 1).astype(int)
    plane = np.zeros((height + 1, width + 1), int)
    for y in range(height):
        for x in range(width):
            plane[y + 1, x + 1] = (rows[y, 1 + x] + (0, plane[y + 1, x], plane[y, x + 1])[rows[y, 0]]) % 256
    return plane[1:, 1:].astype(np.uint8)


def tile_latents(model, payload, level, field, h, w):
    """Sections 8.1 to 8.5, and what is read of 8.7."""
    m, z = (model.constants[name] for name in ("latents", "hyper_latents"))
    hp, wp = field.shape
    most = None
    if payload[0] & 128:
        most, at = varint(payload, 3)
        payload = bytes([payload[0] & 127]) + payload[1:3] + payload[at:]
    coder = Stream(model, payload)
    first = 64 + z * ((level + 64) // 128)
    coded = [coder.symbol(first + c) for c in range(z) for _ in range(hp // 4 * (wp // 4))]
    z_hat = np.reshape(coded, (1, z, hp // 4, wp // 4))
    r, places = residuals(model, coder, z_hat, field, (m, h, w), most)
    coded += [r[place] for of_pass in places for place in of_pass]
    taps = no_filter() if most is not None else filter_of(model, coder, coded, level)
    coder.finish(coded, whole=most is None)
    return with_means(model, z_hat, field, r, places)[0, :, :h, :w], taps


def of_pass(model, outputs, t):
    """Of a graph that serves several passes, one after another, what it says of pass t."""
    m = model.constants["latents"]
    first = m * max(0, t - (model.constants["stages"] - 1))
    return outputs[:, first : first + m]


def residuals(model, coder, z_hat, field, shape, most):
    """Sections 8.3 and 8.4: r, and the places of each pass in the order of the stream; no more than `most` are coded, if it is a number."""
    (m, h, w), z = shape, model.constants["hyper_latents"]
    features = model.run("scales_z", z_hat=z_hat)["features"]
    r, state, count = np.zeros((1, m, *field.shape), int), 0, 0
    places = [[], [], [], []]
    for t in range(4):
        if t < model.constants["stages"]:
            inputs = {"features": features, "level": field[None, None]}
            if t:
                inputs["magnitudes"] = np.minimum((np.abs(r) + 10) // 20, 8)
            indexes = model.run(f"scales_{t}", **inputs)["index"]
        index = of_pass(model, indexes, t)
        for channel in range(m):
            y, x = divmod(ORDER[channel // (m // 4)][t], 2)
            places[t] += [(0, channel, i, j) for i in range(y, h, 2) for j in range(x, w, 2)]
        for place in places[t]:
            _, channel, i, j = place
            table = int(index[0, channel, i // 2, j // 2])
            if most is not None and count >= most:
                r[place] = 0
            elif table < 15:
                r[place] = 20 * coder.symbol(table)
            else:
                odd = state % 2
                k = coder.symbol(table + odd * (9 * z + 49))
                r[place] = 13 * (2 * k - odd * ((k > 0) - (k < 0)))
                state = (state // 2) ^ (78 * odd) ^ (43 * (k % 2))
            count += 1
    return r, places


def with_means(model, z_hat, field, r, places):
    """Section 8.5: latents, the residuals and the means that are known when a pass begins."""
    features = model.run("means_z", z_hat=z_hat, level=field[None, None])["features"]
    y_hat = np.zeros(r.shape, np.float32)
    for t in range(4):
        if t < model.constants["stages"]:
            found = model.run(f"means_{t}", features=features, **({"y_hat": y_hat} if t else {}))["means"]
        means = of_pass(model, found, t)
        for place in places[t]:
            _, channel, i, j = place
            y_hat[place] = means[0, channel, i // 2, j // 2] + np.float32(r[place] / 20)
    return y_hat


def decode(data):
    """The bytes of a file -> pixels, uint8 (height, width, channels)."""
    assert data[:7] == b"\x8aLIC\r\n\x01"
    mode, e = CHANNELS[data[7] & 3], data[7] >> 2 & 7
    width, at = varint(data, 8)
    height, at = varint(data, at)
    number, at = varint(data, at)
    model, level = Model(number, data[at : at + 4]), int.from_bytes(data[at + 4 : at + 6], "little")
    assert binascii.crc_hqx(data[: at + 6], 0xFFFF) == int.from_bytes(data[at + 6 : at + 8], "little")
    edge = 64 << e if e else max(width, height)
    corners = [(y, x) for y in range(0, height, edge) for x in range(0, width, edge)]
    found = sections(data, at + 8, len(corners), int.from_bytes(data[at + 6 : at + 8], "little"))
    if model.procedure == "lic1":
        rgb = lic1(model, level, height, width, edge, corners, found)
    else:
        rgb = plain(model, level, height, width, edge, corners, found[1])
    rgb, inside = rgb[..., :3], rgb[..., 3:]
    if 4 in found:
        rgb = with_exact(rgb, found[4][0], edge, corners)
    if mode in ("L", "LA") or data[7] & 64:
        rgb = ((rgb.astype(int).sum(2, keepdims=True) + 1) // 3).astype(np.uint8)
    if data[7] & 64:
        rgb = rgb.repeat(3, 2)
    if mode.endswith("A") and found[2][0][0] == 2:
        rgb = np.concatenate([rgb, inside], 2)
    elif mode.endswith("A"):
        plane = unpack_alpha(found[2][0], height, width)
        rgb = np.concatenate([rgb, plane[..., None]], 2)
    return rgb


def preview(data):
    """The bytes of a file -> the pixels of its preview, section 5.5."""
    at = 8
    for _ in range(3):
        _, at = varint(data, at)
    payload = sections(data, at + 8, 1, int.from_bytes(data[at + 6 : at + 8], "little"))[0x84][0]
    scale, start = varint(payload, 0)
    assert scale >= 2
    return decode(payload[start:])


def lic1(model, level, height, width, edge, corners, found):
    """Section 8: pixels (height, width, 3)."""
    rows, columns = -(-height // 16), -(-width // 16)
    delta = np.zeros((rows, columns), int)
    if 3 in found:
        differences = np.frombuffer(zlib.decompress(found[3][0]), np.uint8).reshape(rows, columns)
        delta = np.cumsum(differences, 0, dtype=np.uint8).view(np.int8).astype(int)
    field = np.clip(level + 8 * delta, 0, 1024)

    latents = np.zeros((model.constants["latents"], rows, columns), np.float32)
    places = []
    for (y, x), payload in zip(corners, found[1], strict=True):
        i, j = y // 16, x // 16
        h, w = -(-min(edge, height - y) // 16), -(-min(edge, width - x) // 16)
        own = np.full((-(-h // 4) * 4, -(-w // 4) * 4), level)
        part = field[i : i + own.shape[0], j : j + own.shape[1]]
        own[: part.shape[0], : part.shape[1]] = part
        latents[:, i : i + h, j : j + w], taps = tile_latents(model, payload, level, own, h, w)
        places.append((i, j, h, w, taps))

    rgb = np.zeros((16 * rows, 16 * columns, 3), np.uint8)
    for i, j, h, w, taps in places:
        halo = model.constants["halo"]
        i0, j0, i1, j1 = max(0, i - halo), max(0, j - halo), min(rows, i + h + halo), min(columns, j + w + halo)
        window = {"y_hat": latents[None, :, i0:i1, j0:j1], "level": field[None, None, i0:i1, j0:j1]}
        made = model.run("synthesis", **window)
        cells = model.run("detail", **made, level=window["level"])["cells"][0]
        pixels = np.zeros((16 * (i1 - i0), 16 * (j1 - j0), 3), cells.dtype)
        for c in range(12):
            pixels[c // 2 % 2 :: 2, c % 2 :: 2, c // 4] = cells[c]
        if model.constants.get("fraction"):
            pixels = filtered(pixels[: height - 16 * i0, : width - 16 * j0], *taps)
        cut = pixels[16 * (i - i0) : 16 * (i - i0 + h), 16 * (j - j0) : 16 * (j - j0 + w)]
        rgb[16 * i : 16 * i + cut.shape[0], 16 * j : 16 * j + cut.shape[1]] = cut
    return rgb[:height, :width]


def vp8l(bitstream):
    """RFC 9649: pixels (height, width, 4); libwebp reads it once it has a RIFF header."""
    assert bitstream[0] == 0x2F
    assert bitstream[4] < 32
    chunk = b"WEBPVP8L" + len(bitstream).to_bytes(4, "little") + bitstream + b"\0" * (len(bitstream) % 2)
    with Image.open(io.BytesIO(b"RIFF" + len(chunk).to_bytes(4, "little") + chunk)) as im:
        return np.asarray(im.convert("RGBA"))


def cuts(height, width):
    """Section 5.4: the corners of the bitstreams of a tile."""
    return [(y, x) for y in range(0, height, 8192) for x in range(0, width, 8192)]


def with_exact(rgb, payload, edge, corners):
    """Section 5.4."""
    rgb, places, at = rgb.copy(), [], 0
    for y, x in corners:
        h, w = (min(edge, size - start) for size, start in zip(rgb.shape[:2], (y, x), strict=True))
        for i, j in cuts(h, w):
            length, at = varint(payload, at)
            places.append((y + i, x + j, min(8192, h - i), min(8192, w - j), length))
    for y, x, h, w, length in places:
        if length:
            pixels = vp8l(payload[at : at + length])
            assert pixels.shape == (h, w, 4)
            alpha, below = pixels[..., 3:].astype(int), rgb[y : y + h, x : x + w]
            below[:] = (alpha * pixels[..., :3] + (255 - alpha) * below + 127) // 255
        at += length
    assert at == len(payload)
    return rgb


def lossless(model, coded, shape, level):
    """Section 14.4: pixels (H, W, 4)."""
    pixels = np.zeros((*shape, 4), np.uint8)
    for (i, j), bitstream in zip(cuts(*shape), coded, strict=True):
        part = vp8l(bitstream)
        pixels[i : i + part.shape[0], j : j + part.shape[1]] = part
    return pixels


PLAIN = {"lossless": lossless}
"""Procedures of section 14: (model, streams, (H, W), level) -> pixels (H, W, 3) of a window, or with alpha."""


def streams(payload):
    """Section 14.2."""
    lengths, at = [], 1
    for _ in range(payload[0] - 1):
        length, at = varint(payload, at)
        lengths.append(length)
    ends = [*accumulate(lengths, initial=at), len(payload)]
    return [payload[start:end] for start, end in pairwise(ends)]


def plain(model, level, height, width, edge, corners, payloads):
    """Section 14: pixels (height, width, 3)."""
    align = model.constants["align"]
    reach = align * -(-model.constants["margin"] // align)

    def span(start, size):
        end = min(start + edge, size)
        return end, max(0, start - reach) // align * align, min(size, -(-(end + reach) // align) * align)

    rgb = np.zeros((height, width, 4 if model.procedure == "lossless" else 3), np.uint8)
    for (y0, x0), payload in zip(corners, payloads, strict=True):
        (y1, top, bottom), (x1, left, right) = span(y0, height), span(x0, width)
        window = PLAIN[model.procedure](model, streams(payload), (bottom - top, right - left), level)
        rgb[y0:y1, x0:x1] = window[y0 - top : y1 - top, x0 - left : x1 - left]
    return rgb
