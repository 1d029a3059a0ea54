"""A .lic picture where it cannot be decoded: in a sub-interpreter, in which numpy must not even be imported."""

from __future__ import annotations

from typing import NoReturn

from PIL import ImageFile

from .engine.interpreter import require_main
from .fileformat import container
from .fileformat.identity import FORMAT


class HeaderOnlyImageFile(ImageFile.ImageFile):
    """A picture with size, mode and metadata, whose pixels are refused."""

    format = FORMAT
    format_description = "Learned image compression"

    def _open(self) -> None:
        assert self.fp is not None
        front = container.read_front(self.fp)
        self._size = (front.header.width, front.header.height)
        self._mode = front.header.mode
        self.info.update(front.metadata)
        self.tile = [ImageFile._Tile("lic", (0, 0, *self._size))]

    def load(self) -> NoReturn:
        """Raise LicRuntimeError."""
        require_main()
        msg = "a picture that was opened in a sub-interpreter has no pixels: open it again"
        raise OSError(msg)
