"""Charts as SVG: the ticks of their axes, the places of their points, and the list of names."""

from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pillow_lic.bench import charts


@given(st.floats(-1e3, 1e3), st.floats(1e-6, 1e6))
@example(0.0, 399.99999999999994)  # a quarter of it rounds to a decade that is larger
def test_ticks_enclose_and_are_few(low: float, span: float) -> None:
    ticks = charts._ticks(low, low + span)
    assert ticks[0] <= low + 1e-9 * max(span, abs(low))
    assert ticks[-1] >= low + span - 1e-9 * max(span, abs(low))
    assert 2 <= len(ticks) <= 13


def test_charts_place_points_by_value() -> None:
    panel = charts.Panel("<t>", "x", "y", {"a & b": [(2, 100), (1, 1), (3, float("inf"))]}, log=True)
    root = ElementTree.fromstring(charts.svg([panel, panel, panel]))
    (x0, y0), (x1, y1) = (map(float, p.split(",")) for p in root.find(".//{*}polyline").attrib["points"].split())
    assert x0 < x1
    assert y0 > y1
    assert len(root.findall("./{*}g")) == 3


@pytest.mark.parametrize(("level", "free"), [(0.5, True), (0.05, False)])
def test_the_list_of_names_hides_no_line_where_a_corner_is_free(level: float, free: bool) -> None:
    """Lines along the bottom send it to the top; those across the middle leave it where it is."""
    flat = {name: [(0.1, level), (1.0, level)] for name in ("a", "b")}
    panel = charts.Panel("t", "x", "y", {**flat, "c": [(0.1, 0.0), (0.15, 1.0)]})
    root = ElementTree.fromstring(charts.svg([panel]))
    names = [text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.text in ("a", "b")]
    assert len(names) == 2
    assert all((float(text.attrib["y"]) > charts._HEIGHT / 2) == free for text in names)
