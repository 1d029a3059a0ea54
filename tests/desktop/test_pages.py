"""Pages that hold all they show: what their policy allows, what is escaped, what a picture loses."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image, ImageCms

from pillow_lic.pages import document


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def embedded(element: str) -> Image.Image:
    (source,) = re.findall(r'src="data:image/\w+;base64,([^"]+)"', element)
    return Image.open(io.BytesIO(base64.b64decode(source)))


def test_the_policy_allows_this_style_and_this_script_alone() -> None:
    page = document.document("A page", "<p>text</p>", script=document.compare_script())
    policy = next(meta["content"] for meta in Elements(page).of("meta") if "http-equiv" in meta)
    for tag in ("style", "script"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_without_a_script_none_may_run() -> None:
    page = document.document("A page", "<p>text</p>")
    assert "script-src 'none'" in page
    assert not Elements(page).of("script")


def test_names_are_text() -> None:
    name = "<script>alert('1')</script>\"&.lic"
    image = document.picture(Image.new("RGB", (3, 2)), name, exact=True)
    body = document.comparison([(name, name, image)], 0, 0) + document.table([name, name], [[name, name]], name)
    elements = Elements(document.document(name, body))
    assert not elements.of("script")
    assert elements.of("img")[0]["alt"] == name
    assert sum(name in text for text in elements.texts) == 8


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_an_exact_picture_loses_nothing(mode: str) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (9, 7, len(mode)), np.uint8)
    image = Image.frombytes(mode, (7, 9), pixels.tobytes())
    with embedded(document.picture(image, "", exact=True)) as again:
        assert again.mode == mode
        assert again.tobytes() == image.tobytes()


def test_a_photo_is_embedded_small_and_near(photo: Image.Image) -> None:
    element, exact = (document.picture(photo, "", exact=exact) for exact in (False, True))
    assert len(element) < 0.7 * len(exact)
    with embedded(element) as again:
        assert again.format == "JPEG"
        assert np.abs(np.asarray(again, int) - np.asarray(photo)).mean() < 2


def test_a_picture_keeps_its_colour_profile_and_its_alpha() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGB", (8, 8), "red")
    image.info["icc_profile"] = profile
    with embedded(document.picture(image, "", exact=False)) as again:
        assert again.info["icc_profile"] == profile
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 7))
    with embedded(document.picture(clear, "", exact=False)) as again:
        assert again.getpixel((0, 0)) == (255, 0, 0, 7)


def test_a_name_that_is_no_utf8_is_shown() -> None:
    page = document.document("a\udcff.lic", "<p>b\udcfe.lic</p>")
    assert "<title>a\\udcff.lic</title>" in page.encode("utf-8").decode()
