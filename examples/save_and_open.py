"""Save a picture as .lic at three qualities and to a given size, and open it again.

python save_and_open.py photo.jpg
"""

import sys
from pathlib import Path

from PIL import Image

import pillow_lic

source = Path(sys.argv[1])
with Image.open(source) as opened:
    photo = opened.convert("RGB")

for quality in (3, 6, 9):
    target = source.with_name(f"{source.stem}-q{quality}.lic")
    photo.save(target, quality=quality)
    print(f"{target.name}: {target.stat().st_size:,} bytes")

# At most 20,000 bytes; pillow_lic.save replaces an old file whole or not at all.
target = source.with_name(f"{source.stem}-20k.lic")
pillow_lic.save(photo, target, target_size=20_000)

with Image.open(target) as again:
    print(f"{target.name}: {target.stat().st_size:,} bytes, {again.size}, quality {again.info['lic_quality']}")
    again.convert("RGB").save(source.with_name(f"{source.stem}-20k.png"))
