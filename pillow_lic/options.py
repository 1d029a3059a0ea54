"""The options of one picture to write, checked when they are given: before any work is done or any file is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .arguments import number, positive
from .fileformat.levels import quality_to_level
from .importance.places import boxes, is_map, strength

DEFAULT_QUALITY = 6.0
"""Quality when neither ``quality`` nor a target is given."""


MAX_EFFORT = 9


def normalise_quality(quality: float) -> float:
    """Return ``quality`` on the scale 1..10.

    1..10 is the scale itself; above 10 and up to 100 is read as percent of it (85 -> 8.5), because applications written
    for JPEG pass 0-100. ValueError for anything else.
    """
    legal = "1-10 (or 11-100 as percent)"
    found = number("quality", quality, legal)
    if 10 < found <= 100:
        return found / 10
    if 1 <= found <= 10:
        return found
    msg = f"quality must be {legal}, got {quality!r}"
    raise ValueError(msg)


def _effort(value: object) -> int:
    """Return the steps as an int; ValueError for anything but a whole number of them in 0..MAX_EFFORT."""
    legal = f"a whole number 0-{MAX_EFFORT}"
    found = number("effort", value, legal)
    if found not in range(MAX_EFFORT + 1):
        msg = f"effort must be {legal}, got {value!r}"
        raise ValueError(msg)
    return int(found)


@dataclass(frozen=True)
class EncodeOptions:
    """How one picture is written. Every field is checked on construction; ValueError names the value and what is legal.

    quality
        1..10, or above 10 up to 100 as percent of that scale. None: :data:`DEFAULT_QUALITY` unless a target is set.
    target_size, target_bpp, target_psnr
        Bytes of the whole file (never exceeded where the scale reaches it), bits per pixel, or dB of RGB PSNR. At most
        one of ``quality`` and the targets.
    roi
        A mask (H, W), uint8 or 0..1, or boxes (left, upper, right, lower[, weight 0..1]), a list or an array of rows, that
        deserve more bits: white gets 4 points of quality more than black, and the mean stays.
    importance
        ``"auto"``: a small network finds the places that deserve more bits, for fewer of them at equal MS-SSIM; a number
        0..1 is the strength of its map, ``"auto"`` being 1. Or a mask (H, W) like that of ``roi``, or the map of another
        file (``Image.info["importance"]``, or int8 steps for every 16x16 pixels), which is written as it is. With ``roi``
        too, both add up.
    effort
        0-9: steps in which what is written is refined until fewer bytes show as much; each takes longer than all of effort
        0. Decoding takes as long as ever.
    model
        Name or number of the networks to write with; None means "lic1".
    """

    quality: float | None = None
    target_size: float | None = None
    target_bpp: float | None = None
    target_psnr: float | None = None
    roi: Any = None
    importance: Any = None
    effort: int = 0
    model: str | int | None = None

    def __post_init__(self) -> None:
        aims = [
            name for name in ("quality", "target_size", "target_bpp", "target_psnr") if getattr(self, name) is not None
        ]
        if len(aims) > 1:
            msg = f"give one of quality, target_size, target_bpp and target_psnr, got {' and '.join(aims)}"
            raise ValueError(msg)
        if self.quality is not None:
            object.__setattr__(self, "quality", normalise_quality(self.quality))
        for name, what in (("target_size", "bytes"), ("target_bpp", "bits per pixel"), ("target_psnr", "dB")):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, positive(name, value, what))
        if self.roi is not None and not is_map(self.roi):
            object.__setattr__(self, "roi", boxes(self.roi))
        if self.importance is not None and not is_map(self.importance):
            object.__setattr__(self, "importance", strength(self.importance))
        object.__setattr__(self, "effort", _effort(self.effort))
        if isinstance(self.model, bool) or not isinstance(self.model, (str, int, type(None))):
            msg = f"model must be the name or the number of a network, got {self.model!r}"
            raise ValueError(msg)

    @property
    def has_target(self) -> bool:
        """Whether the quality is to be searched for rather than given."""
        return not (self.target_size is None and self.target_bpp is None and self.target_psnr is None)

    @property
    def level(self) -> int:
        """The stored level of ``quality``, or of :data:`DEFAULT_QUALITY` when it is None."""
        return quality_to_level(DEFAULT_QUALITY if self.quality is None else self.quality)


ENCODE_OPTION_NAMES = tuple(EncodeOptions.__dataclass_fields__)
