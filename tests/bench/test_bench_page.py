"""`lic bench --html` and the demo: pictures at equal bytes, what the page says, and what a browser makes of it."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from desktop.browser import Browser
from PIL import Image

from pillow_lic.__main__ import main
from pillow_lic.bench import demo, equal_bytes, measurement, page, peers

FAST = ("--codecs", "lic,jpeg,webp", "--quality", "lic=2,4,6,8", "--quality", "jpeg=10,40,70,95")
FAST += ("--quality", "webp=10,40,70,95", "--metrics", "psnr")


@pytest.fixture(scope="session")
def report(photo: Image.Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run over two pictures, one of which has a name that is HTML."""
    folder = tmp_path_factory.mktemp("bench")
    large = photo.resize((480, 320), Image.Resampling.BICUBIC)
    large.save(folder / "a.png")
    photo.save(folder / "b<i>&.png")
    assert measurement.main([str(folder), *FAST, "--html", "--out", str(folder / "out"), "--crops", "2"]) == 0
    return folder / "out" / "bench.html"


@pytest.mark.parametrize("wanted", [0, 10, 37, 94, 95, 1000])
def test_the_nearest_quality(wanted: int) -> None:
    found = equal_bytes.nearest(lambda quality: int(10 * quality), 10 * wanted + 3, range(1, 96))
    assert found == min(max(wanted, 1), 95)


@pytest.mark.parametrize(("wanted", "best", "between"), [(437, 44, (40, 50)), (5, 1, (1, 40)), (2000, 95, (50, 95))])
def test_sizes_that_are_known_are_not_found_again(wanted: int, best: int, between: tuple[int, int]) -> None:
    known, tried = {quality: 10 * quality for quality in (1, 40, 50, 95)}, []

    def size(quality: float) -> int:
        if quality not in known:
            tried.append(quality)
        return int(10 * quality)

    assert equal_bytes.nearest(size, wanted, range(1, 96), known) == best
    assert all(between[0] < quality < between[1] for quality in tried)


def test_pictures_are_compared_at_nearly_equal_bytes(photo: Image.Image) -> None:
    pixels = np.asarray(photo.resize((384, 256)))
    codecs = [measurement.our_codec("lic"), *map(peers.codec, ("jpeg", "webp"))]
    picture = equal_bytes.compare("photo", pixels, codecs, 5)
    ours, *others = picture.coded
    assert ours.quality == 5
    assert ours.data == codecs[0].encode(pixels, 5)
    for coded in others:
        here, around = len(coded.data), [len(coded.codec.encode(pixels, coded.quality + step)) for step in (-1, 1)]
        assert all(abs(here - len(ours.data)) <= abs(size - len(ours.data)) for size in around)
        np.testing.assert_array_equal(coded.pixels, coded.codec.decode(coded.data))


def test_our_models_are_searched_too(photo: Image.Image) -> None:
    codec = measurement.our_codec("lic")
    pixels = np.asarray(photo)
    wanted = len(codec.encode(pixels, 6.5))
    (found,) = equal_bytes.beside(wanted, pixels, [codec])
    assert abs(len(found.data) - wanted) <= 0.02 * wanted


def test_the_busiest_part_is_found() -> None:
    pixels = np.full((90, 120, 3), 100, np.uint8)
    pixels[50:70:2, 80:100] = 200
    left, top = page.busiest(pixels, 30, 24)
    assert left <= 80
    assert left + 30 >= 100
    assert top <= 50
    assert top + 24 >= 69
    assert page.busiest(pixels, 120, 90) == (0, 0)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (500, 1), (7, 9), (271, 361), (277, 367)])
def test_the_busiest_part_lies_inside(height: int, width: int) -> None:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[-1, -1] = 255
    inside = min(width, page.CROP[0]), min(height, page.CROP[1])
    left, top = page.busiest(pixels, *inside)
    assert (left, top) >= (0, 0)
    assert left + inside[0] <= width
    assert top + inside[1] <= height


def test_a_codec_alone(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.png")
    assert (
        measurement.main([str(tmp_path), "--codecs", "jpeg", "--metrics", "psnr", "--html", "--out", str(tmp_path)])
        == 0
    )
    text = (tmp_path / "bench.html").read_text("utf-8")
    assert "<h1>JPEG</h1>" in text
    assert "Bytes at equal score" not in text
    assert text.count("<figure>") == 2


def test_the_page_shows_crops_of_the_same_place_unaltered(report: Path) -> None:
    text = report.read_text("utf-8")
    rows = re.findall(r'<div class="shots" data-compare="0 1">(.*?)</div>', text, re.DOTALL)
    assert len(rows) == 2
    found = [Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"base64,([^\"]+)", rows[0])]
    assert [im.size for im in found] == [page.CROP] * 4
    pixels = peers.read(report.parent.parent / "a.png")
    left, top = page.busiest(pixels, *page.CROP)
    crop = pixels[top : top + page.CROP[1], left : left + page.CROP[0]]
    np.testing.assert_array_equal(np.asarray(found[0]), crop)
    for im in found[1:]:
        assert 1 < np.abs(np.asarray(im, int) - crop).mean() < 12
    assert [(name, "bytes" in words) for name, words in re.findall(r"<b>(.*?)</b> (.*?)<", rows[0])] == [
        (name, True) for name in ("Original", "LIC", "JPEG", "WebP")
    ]


def test_the_page_says_what_the_report_says(report: Path) -> None:
    text = report.read_text("utf-8")
    assert "<h1>LIC beside JPEG and WebP</h1>" in text
    assert "<h3>b&lt;i&gt;&amp;.png</h3>" in text
    assert "Pictures measured: 2." in text
    assert "fewer (-) than LIC for the same score" in text
    assert text.count("<svg") == 3
    (rates,) = re.findall(r"Beside LIC</caption>(.*?)</table>", text, re.DOTALL)
    assert re.findall(r'scope="row">(\w+)', rates) == ["JPEG", "WebP"]
    (points,) = re.findall(r"<details>(.*?)</details>", text, re.DOTALL)
    assert points.count("<tr>") == 1 + 12
    assert "libjpeg_turbo" in text


def test_times_of_earlier_runs_are_marked(tmp_path: Path, photo: Image.Image) -> None:
    photo.save(tmp_path / "a.png")
    words = [str(tmp_path), "--codecs", "jpeg,webp", "--metrics", "psnr", "--cache", str(tmp_path / "cache.json")]
    words += ["--html", "--crops", "0", "--out", str(tmp_path)]
    texts = []
    for _ in range(2):
        assert measurement.main(words) == 0
        texts.append((tmp_path / "bench.html").read_text("utf-8"))
    assert ["Those of JPEG and WebP were measured in an earlier run" in text for text in texts] == [False, True]
    assert "<script>" not in texts[0]


def test_the_demo_writes_a_page(photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo.save(tmp_path / "a.png")
    monkeypatch.setattr(demo, "_COMPARED", ("jpeg",))
    assert main(["demo", str(tmp_path / "a.png"), "--html", "--keep", str(tmp_path / "kept")]) == 0
    text = (tmp_path / "kept" / "demo.html").read_text("utf-8")
    assert text.count("<figure>") == 3
    assert "Beside JPEG" in text
    kept = (tmp_path / "kept" / "demo.lic").stat().st_size
    assert f"{kept:,} bytes" in text


# In a browser


def cut(chromium: Browser) -> float:
    return float(chromium.evaluate("document.querySelector('.stage').style.getPropertyValue('--cut').slice(0, -1)"))


def test_a_browser_asks_for_nothing_and_complains_of_nothing(chromium: Browser, report: Path) -> None:
    chromium.open(report.as_uri())
    assert chromium.requested() == [report.as_uri()]
    assert chromium.complaints() == []
    assert chromium.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert chromium.evaluate("document.querySelectorAll('.stage').length") == 2


def test_the_policy_stops_what_is_put_into_the_page(chromium: Browser, report: Path, tmp_path: Path) -> None:
    """A test of the tests above: a page that does ask for something is noticed, and gets nothing."""
    altered = tmp_path / "altered.html"
    extra = '<script>document.title = "run"</script><img src="http://127.0.0.1:9/x.png">'
    altered.write_text(report.read_text("utf-8").replace("</h1>", f"</h1>{extra}"), "utf-8")
    chromium.open(altered.as_uri())
    assert chromium.evaluate("document.title") == "LIC beside JPEG and WebP"
    assert len([text for text in chromium.complaints() if "Content Security Policy" in text]) == 2


def test_the_slider_moves_by_keys_and_by_pointer(chromium: Browser, report: Path) -> None:
    chromium.open(report.as_uri())
    chromium.evaluate("document.querySelector('.stage input').focus()")
    assert cut(chromium) == 50
    chromium.press("ArrowLeft")
    assert cut(chromium) == 49.5
    assert chromium.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "Original covers 50 %"
    box = chromium.evaluate("document.querySelector('.stage').getBoundingClientRect().toJSON()")
    at = {"x": box["x"] + 0.8 * box["width"], "y": box["y"] + 0.5 * box["height"], "button": "left", "clickCount": 1}
    for kind in ("mousePressed", "mouseReleased"):
        chromium.call("Input.dispatchMouseEvent", type=kind, **at)
    assert cut(chromium) == pytest.approx(80, abs=1)


def test_the_slider_shows_the_left_picture_left_of_it(chromium: Browser, report: Path, tmp_path: Path) -> None:
    """Left the original, right JPEG: the pixels on the screen are those of one up to the border, then of the other."""
    chromium.open(report.as_uri(), height=1800)
    chromium.evaluate("{ const right = document.querySelectorAll('select')[1]; right.value = 2; right.onchange() }")
    box = chromium.evaluate("document.querySelector('.stage').getBoundingClientRect().toJSON()")
    chromium.screenshot(tmp_path / "seen.png", whole=False)
    row = re.search(r'<div class="shots"(.*?)</div>', report.read_text("utf-8"), re.DOTALL)
    shots = [np.asarray(Image.open(io.BytesIO(base64.b64decode(d)))) for d in re.findall(r"base64,([^\"]+)", row[1])]
    with Image.open(tmp_path / "seen.png") as im:
        seen = im.convert("RGB").crop([round(box[side]) for side in ("left", "top", "right", "bottom")])
    seen = np.asarray(seen.resize(page.CROP, Image.Resampling.BOX), int)
    middle, names = page.CROP[0] // 2, slice(0, page.CROP[1] - 30)
    for part, shown, other in ((slice(5, middle - 5), 0, 2), (slice(middle + 5, -5), 2, 0)):
        errors = [np.abs(seen[names, part] - shots[k][names, part]).mean() for k in (shown, other)]
        assert errors[0] < 0.2 * errors[1]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_a_phone_and_can_be_read_in_the_dark(chromium: Browser, report: Path, width: int, dark: bool) -> None:
    chromium.open(report.as_uri(), width, 740, dark=dark, phone=width < 500)
    widths = chromium.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] == widths[1] <= width
    contrast = """
        (() => {
          const light = (color) => {
            const parts = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
            const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const paper = light(getComputedStyle(document.body).backgroundColor);
          const inks = [...document.querySelectorAll("h1, p, td, th, figcaption, caption, li, summary")].map(
            (element) => light(getComputedStyle(element).color));
          const texts = [...document.querySelectorAll("svg text")].map((element) => light(getComputedStyle(element).fill));
          return [...inks, ...texts].map((ink) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05));
        })()
    """
    ratios = chromium.evaluate(contrast)
    assert len(ratios) > 60
    assert min(ratios) >= 4.5  # WCAG 2.2, 1.4.3
    assert chromium.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is dark
    font = "Math.min(...[...document.querySelectorAll('svg text')].map((text) => text.getBoundingClientRect().height))"
    assert chromium.evaluate(font) > 9


def test_everything_has_a_name(chromium: Browser, report: Path) -> None:
    """The name that a screen reader says for every control and picture."""
    chromium.open(report.as_uri())
    chromium.call("Accessibility.enable")
    nodes = chromium.call("Accessibility.getFullAXTree")["nodes"]
    chromium.call("Accessibility.disable")
    named = [n for n in nodes if n.get("role", {}).get("value") in {"slider", "combobox", "image", "img", "region"}]
    assert len([n for n in named if n["role"]["value"] == "slider"]) == 2
    assert len(named) > 14
    assert [n for n in named if not n.get("name", {}).get("value")] == []
