"""Write the seed files of the fuzz targets into a folder: python tests/fuzz/make_seeds.py FOLDER."""

import hashlib
import sys
from pathlib import Path

import targets

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for data in targets.seeds():
    (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
