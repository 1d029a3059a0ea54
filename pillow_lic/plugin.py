"""The class of an opened .lic picture, as Pillow's plugins have one.

`_open` reads header and metadata, and allocates nothing by the size that they claim. `load` decodes, under a lock that each image
has. A file that cannot be read raises an OSError that says why. The functions for users are in `opening` and `saving`.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any

from PIL import Image, ImageFile

from . import codec, color, families, inspecting, metadata
from .engine.settings import check_pixels
from .errors import LicDamagedError, LicTruncatedError
from .fileformat import container, importance_map
from .fileformat.areas import Area, checked_box
from .fileformat.header import Header
from .fileformat.identity import FORMAT
from .fileformat.preview import Preview
from .fileformat.sections import IMPORTANCE

DECODER = "lic"
"""Name by which Pillow finds `Fed`."""


class Fed(ImageFile.PyDecoder):
    """The decoder that `ImageFile.Parser` calls whenever it is fed: it gives all bytes so far to the image, by `LicImageFile.fed`."""

    _length = 0

    def decode(self, buffer: Any) -> tuple[int, int]:
        """Return (0, 0) as long as more of the file must come, (-1, 0) once its picture is loaded."""
        (image,) = self.args
        is_more, self._length = len(buffer) > (self._length or image.length), len(buffer)
        if image.fed(buffer):
            return -1, 0
        if ImageFile.LOAD_TRUNCATED_IMAGES and not is_more:  # the parser was closed
            image.load()
            return -1, 0
        return 0, 0


Image.register_decoder(DECODER, Fed)


class LicImageFile(ImageFile.ImageFile):
    """A .lic picture as Pillow sees it.

    `info` has lic_quality (1-10), lossless, lic_model, lic_version and the metadata stored; dpi if EXIF has a resolution; and
    `importance`, an `importance_map.Map` that `save` takes back, if the file has one. Programs pass `**im.info` to `save` of
    other formats, so no key may be an option that means something else there (lossless means the same).
    """

    format = FORMAT
    format_description = "Learned image compression"
    most: int | None = None
    """How many bytes of the file `load` may use; None for all."""
    _is_unfed = False
    """Whether `ImageFile.Parser` has opened it and called `fed` not yet, which it does from its second `feed` on."""
    _is_part = False
    """Whether more of the file is to come (`fed`)."""
    decoderconfig: tuple[int, ...] = ()  # the scale of a draft; set here because unpickling skips __init__
    _preview: Preview | None = None
    """The preview of the file, if a draft is made of it instead of the tiles."""
    n_frames = 1
    is_animated = False

    def _open(self) -> None:
        fp = self._file()
        front = container.read_front(fp)
        header = front.header
        _check_size(header)
        self._front = front
        self._size = (header.width, header.height)
        self._mode = header.mode
        model = inspecting.model_of(header)
        self._draft_scales = families.drafts(model)
        self.info.update(_info(header, model.name, front.metadata))
        if (places := _importance(fp, front)) is not None:
            self.info["importance"] = places
        # `load` decodes. A tile tells Pillow that the pixels are still in the file.
        self.tile = [ImageFile._Tile(DECODER, (0, 0, *self._size))]

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> tuple[str, tuple[int, int, float, float]] | None:
        """Have `load` decode a smaller picture of at least `size`, once.

        That is the picture at 1/2, 1/4 or 1/8 of its width, or the preview of the file if this is large enough and less than twice
        as wide as that. Return the mode, which stays as it is, and the box of the whole picture in the new pixels; None if nothing
        was changed: `size` is more than half of the picture's, the pixels are loaded, a draft was asked for before, or the model
        makes none. `Image.thumbnail` calls this.
        """
        with self._lock():
            if not self.tile or self.decoderconfig or not size:
                return None
            width, height = self.size
            factor = min(length // max(1, wanted) for length, wanted in zip(self.size, size, strict=True))
            scale = next((s for s in self._draft_scales if s <= factor), 1)
            if scale > 1 and self.fp is not None and self.most is None:
                found = inspecting.sound_preview(self.fp, self._front)
                # Where tiles may be missing, any preview will do: a draft of the tiles would be grey there.
                least = scale // 2 + 1 if self._is_strict else 0
                self._preview = found if found is not None and least <= found.scale <= factor else None
            if self._preview is not None:
                scale = self._preview.scale
            if scale == 1:
                return None
            self.decoderconfig = (scale,)
            self._size = (-(-width // scale), -(-height // scale))
            self.tile = [ImageFile._Tile(DECODER, (0, 0, *self._size))]
            return self.mode, (0, 0, width / scale, height / scale)

    def load(self) -> Any:
        """Decode the pixels, once, even if several threads ask; OSError that says why if the file cannot be decoded.

        With `ImageFile.LOAD_TRUNCATED_IMAGES`, tiles that are missing or damaged are filled from the preview, or grey, and a tile in
        which the file ends is shown with the detail that is there.
        """
        with self._lock():
            if self._is_unfed:
                msg = "file ends where the parser opened it: feed it more"
                raise LicTruncatedError(msg)
            if self.tile:
                self._decode()
        return Image.Image.load(self)

    def _decode(self) -> None:
        fp = self._file()
        scale = self.decoderconfig[0] if self.decoderconfig else 1
        image, mode, pasting = Image.new(self.mode, self.size), self.mode, threading.Lock()

        def put(place: Area, pixels: codec.Pixels) -> None:
            if place == (0, 0, *image.size):
                color.set_pixels(image, pixels)
                return
            part = color.to_image(pixels, mode)
            with pasting:
                image.paste(part, place)

        if self._preview is None:
            codec.draw(fp, self._front, put, strict=self._is_strict, scale=scale, most=self.most)
        else:
            small, pixels = codec.decode(self._preview.file)
            put(small.tiling.whole, pixels)
        self.im = image.im
        self.tile = []
        self.readonly = 0
        if self._exclusive_fp and self._close_exclusive_fp_after_loading:
            fp.close()
        self.fp = None

    @property
    def _is_strict(self) -> bool:
        """Whether tiles that are missing or damaged are errors."""
        return not (ImageFile.LOAD_TRUNCATED_IMAGES or self._is_part)

    def use_at_most(self, count: int) -> None:
        """Have `load` and `region` use at most `count` bytes of the file; ValueError if these hold none of the pixels."""
        codec.check_budget(self._file(), self._front, count)
        self.most = count

    def region(self, box: Sequence[int]) -> Image.Image:
        """Return the pixels of `box` = (x0, y0, x1, y1) as an image; if the picture is not loaded yet, only they are decoded.

        They differ from those of `crop(box)` by at most one level. This image and the position in its file stay as they were;
        `info` is copied. ValueError for a box that is empty or not inside the picture, and after a draft was loaded; OSError if
        the file cannot be decoded.
        """
        with self._lock():
            if not self.tile:
                if self.decoderconfig:
                    msg = f"region needs the whole picture, and a draft of it at 1/{self.decoderconfig[0]} was loaded: open it again"
                    raise ValueError(msg)
                return self.crop(checked_box(box, *self.size))
            pixels = codec.decode_region(self._file(), box, front=self._front, strict=self._is_strict, most=self.most)
        image = color.to_image(pixels, self.mode)
        image.info = dict(self.info)
        return image

    def verify(self) -> None:
        """Check every section of the file against its checksum, without running a network; OSError says what is wrong.

        As with Pillow's other formats the file is closed afterwards: open it again to load the picture.
        """
        if not self.tile:  # loaded, and loading has checked more
            return
        fp = self._file()
        fp.seek(self._front.start)
        inspecting.verify(fp)
        super().verify()

    def __getstate__(self) -> list[Any]:
        return [*super().__getstate__(), self.decoderconfig]

    def __setstate__(self, state: list[Any]) -> None:
        *rest, self.decoderconfig = state
        super().__setstate__(rest)

    def load_prepare(self) -> None:
        """Have `ImageFile.Parser`, which alone calls this, give what it is fed to `fed`."""
        super().load_prepare()
        self._is_unfed = True
        self.tile = [ImageFile._Tile(DECODER, (0, 0, *self.size), 0, (self,))]

    @property
    def length(self) -> int:
        """How many bytes of the file have been seen."""
        return self._front.size

    def fed(self, data: bytes | memoryview) -> bool:
        """Take the bytes of the file so far; load the picture and return True if they are all, else return False.

        Until then `load` decodes an early picture: a tile of which only a part has come is coarser, and tiles that have not come
        are filled from the preview, or grey. A draft holds until more is fed. OSError for a file that is no .lic file or is
        damaged, and from `load` as long as no tile has begun.
        """
        with self._lock():
            before, self.fp = self.fp, io.BytesIO(data)
            try:
                self._open()
            except LicTruncatedError:  # inside its metadata
                self.fp = before
                return False
            self._is_unfed, self._is_part = False, self._front.truncated
            self.decoderconfig, self._preview = (), None
            if not self._is_part:
                self.load()
            return not self._is_part

    def getexif(self) -> Image.Exif:
        """Return the EXIF tags, as far as those that are stored can be read: programs that turn pictures upright ask for them."""
        with metadata.BROKEN_TAGS:
            return super().getexif()
        return super().getexif()  # of the first call what could be read is kept

    def _getexif(self) -> dict[int, Any] | None:
        """Return the EXIF tags as Pillow's older formats do; thumbnailers ask for it to turn a picture upright."""
        if "exif" not in self.info:
            return None
        return dict(self.getexif()._get_merged_dict())

    def _file(self) -> IO[bytes]:
        if self.fp is None:
            msg = "Operation on closed image"  # Pillow's words
            raise ValueError(msg)
        return self.fp

    def _lock(self) -> threading.RLock:
        # Made on demand because unpickling skips __init__; setdefault is atomic, so that all threads get the same one.
        lock: threading.RLock = self.__dict__.setdefault("_decoding", threading.RLock())
        return lock


def _check_size(header: Header) -> None:
    """Refuse a picture over Pillow's limit or the caller's, before anything is allocated by its size.

    Pillow checks only after `_open`, and not at all when the class is called directly.
    """
    pixels = header.width * header.height
    allowed = Image.MAX_IMAGE_PIXELS
    if allowed is not None and pixels > 2 * allowed:
        msg = (
            f"Image size ({pixels} pixels) exceeds limit of {2 * allowed} pixels, "
            "could be decompression bomb DOS attack."
        )
        raise Image.DecompressionBombError(msg)
    check_pixels(header.width, header.height)


def _info(header: Header, model: str, stored: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the `Image.info` of a file: string keys, picklable values, nothing large that is not stored in the file."""
    info: dict[str, Any] = {
        "lic_version": header.version,
        "lic_quality": round(header.quality, 2),
        "lossless": inspecting.is_lossless(header),
        "lic_model": model,
        **stored,
    }
    if "exif" in info:
        exif = info["exif"].removeprefix(metadata.EXIF_PREFIX)
        info["exif"] = metadata.EXIF_PREFIX + exif
        if (dpi := metadata.resolution(exif)) is not None:
            info["dpi"] = dpi
    return info


def _importance(fp: IO[bytes], front: container.Front) -> importance_map.Map | None:
    """Return the map of a file, not inflated yet; None if there is none, or a damaged one, of which decoding complains."""
    try:
        payload = container.read_section(fp, front, IMPORTANCE)
    except LicDamagedError:
        return None
    shape = importance_map.shape_of(front.header.height, front.header.width)
    return None if payload is None else importance_map.Map(shape, payload)
