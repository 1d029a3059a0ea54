"""Native code asks Python for memory only while it holds the interpreter's lock.

Without it Python 3.12 and later crash, and Python 3.11 may hand out the same memory twice; its debug allocator says so.
"""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import io
import numpy as np
from PIL import Image
import pillow_lic
from made.drawn_pages import page
from made.jpegs import jpeg_of, opened
from made.pictures import photo_like
from pillow_lic.engine import models
from pillow_lic.exact import snapping

worn = opened(jpeg_of(np.asarray(page(384, 256, with_photo=False)), quality=85))
snapping.snapped(worn, np.ones(worn.shape[:2], np.bool_), -16)
photo, clear = Image.fromarray(photo_like(48, 64)), Image.new("RGBA", (40, 24), (9, 8, 7, 60))
jpeg = Image.open(io.BytesIO(jpeg_of(np.asarray(photo), quality=40)))
wishes = [(Image.fromarray(worn), {}), (Image.fromarray(worn), {"exact": False, "quality": 3}), (clear, {}), (jpeg, {"model": "restored"})]
wishes += [(photo, {"model": model.name}) for model in models.models() if model.name != "restored"]
wishes += [(photo, {"model": name, "effort": 2, "roi": [(0, 0, 20, 20)], "target_size": 1500}) for name in ("lic2", "lic1")]
for image, options in wishes:
    data = pillow_lic.encode(image, **options)
    pillow_lic.open(data).region((0, 0, 9, 9))
    pillow_lic.open(data).thumbnail((20, 20))
    pillow_lic.open(data).load()
"""


def test_memory_of_python_is_asked_for_with_its_lock() -> None:
    environment = os.environ | {"PYTHONMALLOC": "debug", "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
