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


def test_names_at_the_ends_of_lines_do_not_meet() -> None:
    """Those of lines that end at the edge stand beside the chart, in the order of the ends; another one at its end."""
    far = {f"line {i}": [(0.0, 0.0), (1.0 - i / 50, 1 - i / 100)] for i in range(5)}
    series = {**far, "short": [(0.0, 0.0), (0.3, 0.5)]}
    root = ElementTree.fromstring(
        charts.svg([charts.Panel("t", "x", "y", series, legend=False, named=frozenset(series))])
    )
    texts = {
        text.text: (float(text.attrib["x"]), float(text.attrib["y"]))
        for text in root.iter("{http://www.w3.org/2000/svg}text")
    }
    across, down = zip(*(texts[name] for name in far), strict=True)
    drawn = [line.attrib["points"].split()[-1].split(",") for line in root.iter("{http://www.w3.org/2000/svg}polyline")]
    ends = [(float(x), float(y)) for x, y in drawn]
    assert len(set(across)) == 1
    assert across[0] > max(x for x, _ in ends)
    assert across[0] + charts._LETTER * len("line 0") <= charts._WIDTH
    assert all(below - above >= charts._LINE - 0.2 for above, below in zip(down, down[1:], strict=False))
    assert texts["short"] == pytest.approx((ends[-1][0] + 5, ends[-1][1] + 4), abs=0.11)


@given(st.lists(st.floats(0, 400), max_size=9).map(sorted))
@example([100.0, 100.0, 100.0, 300.0])
def test_names_are_spread_as_little_as_they_must(wanted: list[float]) -> None:
    found = charts._spread(wanted)
    assert all(b - a > charts._LINE - 1e-6 for a, b in zip(found, found[1:], strict=False))
    assert sum(found) == pytest.approx(sum(wanted))
    if all(b - a > charts._LINE for a, b in zip(wanted, wanted[1:], strict=False)):
        assert found == pytest.approx(wanted)
