"""Write our files for fuzzing into a folder: python corpus.py FOLDER; the corpus, and golden files whole, cut and bent."""

import random
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
CUTS = 4
FLIPS = 6


def variants(data: bytes, seed: str) -> dict[str, bytes]:
    """Return the file whole, cut at even distances, and with single bits turned at random places."""
    chance = random.Random(seed)
    made = {"whole": data}
    for i in range(CUTS):
        made[f"cut{i}"] = data[: len(data) * i // CUTS]
    for i in range(FLIPS):
        bent = bytearray(data)
        # Half of them in the first bytes, where the sizes are.
        bent[chance.randrange(min(len(data), 40) if i % 2 else len(data))] ^= 1 << chance.randrange(8)
        made[f"bit{i}"] = bytes(bent)
    return made


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for path in sorted((TESTS / "corpus").iterdir()):
        (folder / f"corpus-{path.name}").write_bytes(path.read_bytes())
    for path in sorted((TESTS / "golden").rglob("*.lic")):
        for name, data in variants(path.read_bytes(), path.name).items():
            (folder / f"{path.parent.name}-{name}.lic").write_bytes(data)
