"""The plugins that `lic probe` asks, and how each is called."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image, features


@dataclass(frozen=True)
class Plugin:
    """A plugin: its format, the module of its image class, its distribution, and the statement that registers it."""

    format: str
    module: str
    distribution: str
    setup: str
    feature: str | None = None

    def available(self) -> bool:
        """Whether this installation has it."""
        return features.check(self.feature) is True if self.feature else find_spec(self.module) is not None

    def version(self) -> str:
        """Return name and version of its distribution."""
        return f"{self.distribution} {metadata.version(self.distribution)}"

    def encode(self, im: Image.Image, **options: Any) -> bytes:
        """Return the bytes that `Image.save` writes."""
        buffer = io.BytesIO()
        im.save(buffer, self.format, **options)
        return buffer.getvalue()

    def open(self, source: bytes | Path) -> Image.Image:
        """Open as this format; LookupError when another plugin than this one answers."""
        im = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=[self.format])
        if not type(im).__module__.startswith(self.module):
            msg = f"{self.format} was opened by {type(im).__module__}, not by {self.module}"
            raise LookupError(msg)
        return im


PLUGINS = {
    "JPEG": Plugin("JPEG", "PIL.JpegImagePlugin", "pillow", "import PIL.JpegImagePlugin", "jpg"),
    "WebP": Plugin("WEBP", "PIL.WebPImagePlugin", "pillow", "import PIL.WebPImagePlugin", "webp"),
    "AVIF": Plugin("AVIF", "PIL.AvifImagePlugin", "pillow", "import PIL.AvifImagePlugin", "avif"),
    "AVIF-p": Plugin("AVIF", "pillow_avif", "pillow-avif-plugin", "import pillow_avif"),
    "HEIF": Plugin("HEIF", "pillow_heif", "pillow-heif", "import pillow_heif; pillow_heif.register_heif_opener()"),
    "JXL": Plugin("JXL", "pillow_jxl", "pillow-jxl-plugin", "import pillow_jxl"),
    "LIC": Plugin("LIC", "pillow_lic", "pillow-lic", "import pillow_lic"),
}
