"""The boxes that were drawn on public pictures: each picture once, of a listed source, and boxes that lie in it."""

from pathlib import Path

MODELS = Path(__file__).parents[2] / "onnx_models"


def test_the_list_of_boxes() -> None:
    lines = (MODELS / "recipes/importance/semantic_boxes.txt").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    sources = (MODELS / "SOURCES.md").read_text("utf-8")
    assert len({(source, path) for source, path, _ in rows}) == len(rows) == 456
    for source, _, boxes in rows:
        assert source in sources
        for box in boxes.split("; "):
            left, upper, right, lower = map(float, box.split(","))
            assert 0 <= left < right <= 100
            assert 0 <= upper < lower <= 100
