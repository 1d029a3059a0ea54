"""Give pictures LIC bytes under their old names: python disguise.py FOLDER PATTERN...; runs in the suites' environment.

Moving pictures, those whose mode LIC refuses, and what Pillow cannot read stay as they are; each is named.
"""

import sys
from pathlib import Path

from PIL import Image

import pillow_lic


def disguise(path: Path) -> str:
    """Rewrite one picture and return "", or why it was left."""
    try:
        with Image.open(path) as image:
            if getattr(image, "n_frames", 1) > 1:
                return "more than one frame"
            data = pillow_lic.encode(image, quality=10, exif=image.info.get("exif"), xmp=image.info.get("xmp"))
    except Exception as error:  # tests bring files that are broken in every way there is
        return f"{type(error).__name__}: {error}"
    path.write_bytes(data)
    return ""


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    paths = sorted({path for pattern in sys.argv[2:] for path in folder.glob(pattern) if path.is_file()})
    left = {path: reason for path in paths if (reason := disguise(path))}
    for path, reason in left.items():
        print(f"left as it was: {path.relative_to(folder)}: {reason}")
    print(f"{len(paths) - len(left)} pictures are LIC now, {len(left)} are not")
