"""Small files that fuzzing left: what crashed once, and one of every refusal it reached. tests/fuzz/README.md tells how."""

from pathlib import Path

import pytest
from fuzz import targets

CORPUS = sorted((Path(__file__).parents[1] / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_only_our_refusals_come_out(path: Path) -> None:
    for data in (path.read_bytes(), targets.resealed(path.read_bytes())):
        targets.parse(data)
        targets.open_picture(data)


def test_the_corpus_gets_past_the_checksums() -> None:
    """Else it would test the header's checksum again and again."""
    parsed = [targets.parse(targets.resealed(path.read_bytes())) for path in CORPUS]
    opened = [targets.open_picture(targets.resealed(path.read_bytes())) for path in CORPUS]
    assert sum(parsed) > len(CORPUS) // 4
    assert any(opened)


def test_every_seed_is_a_picture() -> None:
    for data in targets.seeds():
        assert targets.resealed(data) == data
        assert targets.parse(data)
        assert targets.open_picture(data)
