"""`lic papers`: the page of the published systems, what it says, and what a browser makes of it."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from desktop.browser import Browser
from made.pictures import SAMPLE
from PIL import Image

from pillow_lic import claims
from pillow_lic.__main__ import main
from pillow_lic.bench import peers, report
from pillow_lic.engine import models
from pillow_lic.errors import LicLimitError
from pillow_lic.papers import curves, page, pictures, tables

SYSTEM = "balle2017"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of one system and JPEG over one picture whose name is HTML, with a published curve."""
    made = tmp_path_factory.mktemp("papers")
    (made / "pictures").mkdir()
    with Image.open(SAMPLE) as im:
        im.convert("RGB").crop((60, 0, 300, 200)).save(made / "pictures" / "a<i>&.png")
    published = {"tfc/balle-2017-iclr": {"bpp": [0.2, 1.0], "psnr": [28.0, 35.0], "ms_ssim": [0.93, 0.98]}}
    (made / "curves.json").write_text(json.dumps(published))
    with pytest.MonkeyPatch.context() as patch:
        (own,) = (paper for paper in claims.papers() if paper.model == SYSTEM)
        patch.setattr(claims, "papers", lambda: (own,))
        patch.setattr(curves, "REFERENCES", ("jpeg",))
        words = ["--pictures", str(made / "pictures"), "--curves", str(made / "curves.json")]
        assert main(["papers", str(made / "out"), *words, "--cache", str(made / "cache.json")]) == 0
        before = [(made / "out" / name).read_bytes() for name in ("papers.md", "papers.html")]
        patch.setattr("pillow_lic.codec.encode", lambda *_, **__: pytest.fail("it was encoded again"))
        assert main(["papers", str(made / "out"), *words, "--cache", str(made / "cache.json")]) == 0
        assert [(made / "out" / name).read_bytes() for name in ("papers.md", "papers.html")] == before
    return made


def measured(**changes: object) -> curves.Measured:
    papers = {paper.model: paper for paper in claims.papers()}
    return curves.Measured([SAMPLE], **{"curves": {}, "published": {}, "papers": papers, "codecs": {}} | changes)


def test_the_cache_has_every_sample_under_the_hash_of_its_model(folder: Path) -> None:
    entries = json.loads((folder / "cache.json").read_text())
    own = [name for name in entries if models.choose(SYSTEM).hash.hex() in name]
    assert sum("sample" in entries[name] for name in own) == curves.SETTINGS
    assert any("file" in entries[name] for name in own)
    assert any(name.startswith("JPEG") for name in entries)


def test_the_page_has_every_part(folder: Path) -> None:
    text = (folder / "out" / "papers.html").read_text("utf-8")
    titles = re.findall("<h2>(.*?)</h2>", text)
    assert titles[:5] == ["Curves", "Systems", "Claims", "Bytes at equal error", "Cost"]
    assert titles[-4:] == ["Pictures at equal bytes", "Files cut short", "Maps of importance", "Sources"]
    assert "a&lt;i&gt;&amp;.png" in text
    assert "a<i>" not in text
    series = re.findall('data-series="(.*?)"', text)
    assert set(series) == {"jpeg", "lic1", SYSTEM, f"{SYSTEM} (published)"} | ({"lic2"} & set(series))
    assert len(series) == 4 * len(set(series)) + 1  # all together, the one system alone, and the file that is cut
    for claim in next(paper for paper in claims.papers() if paper.model == SYSTEM).claims:
        assert claim.ours in text
        assert claim.how.replace("'", "&#x27;") in text


def test_published_and_own_curve_have_one_colour(folder: Path) -> None:
    root = ElementTree.parse(folder / "out" / "psnr.svg").getroot()
    lines = {}
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        if name := group.get("data-series"):
            (lines[name],) = group.findall("{http://www.w3.org/2000/svg}polyline")
    own, published, other = (lines[name] for name in (SYSTEM, f"{SYSTEM} (published)", "jpeg"))
    assert own.get("stroke") == published.get("stroke") == page.COLORS[0]
    assert other.get("stroke") in page.GREYS
    assert published.get("stroke-dasharray")
    assert not own.get("stroke-dasharray")


def test_a_system_alone_stands_beside_what_is_no_papers() -> None:
    rates = {name: [(0.5, 30.0), (2.0, 35.0), (2.5, 36.0)] for name in ("jpeg", SYSTEM, "other")}
    made = {
        name: [report.Point(name, rate, rate, db, None, None, 1, 1) for rate, db in points]
        for name, points in rates.items()
    }
    (own,) = (paper for paper in claims.papers() if paper.model == SYSTEM)
    found = measured(
        curves=made, papers={SYSTEM: own, "other": own}, published={SYSTEM: made[SYSTEM], "other": made["other"]}
    )
    panel = page.panels(found, SYSTEM)["psnr"]
    assert set(panel.series) == {"jpeg", SYSTEM, f"{SYSTEM} (published)"}
    assert panel.series["jpeg"] == [(0.5, 30.0), (2.0, 35.0)]  # up to MOST bits per pixel
    assert set(page.panels(found)["psnr"].series) == {
        "jpeg",
        *(f"{n}{p}" for n in (SYSTEM, "other") for p in ("", " (published)")),
    }


def test_a_drawing_alone_says_whose_colours_they_are(folder: Path) -> None:
    root = ElementTree.parse(folder / "out" / "psnr.svg").getroot()
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[-1] == SYSTEM
    (line,) = [path for path in root if path.get("stroke-width") == "3"]
    assert line.get("stroke") == page.COLORS[0]


def test_the_markdown_has_the_same_tables(folder: Path) -> None:
    text = (folder / "out" / "papers.md").read_text("utf-8")
    assert all((folder / "out" / name).is_file() for name in re.findall(r"!\[.*?\]\((.*?)\)", text))
    paper = next(paper for paper in claims.papers() if paper.model == SYSTEM)
    for row in claims.rows(paper):
        assert f"| {paper.system}: {' | '.join(row)} |" in text
    assert f"]({paper.link})" in text


def test_every_system_has_its_claims_and_its_training() -> None:
    found = measured()
    claimed, systems = tables.claims_table(found), tables.systems_table(found)
    for paper in (*claims.papers(), *claims.others()):
        assert sum(row[0].startswith(f"{paper.system}: ") for row in claimed.rows) == len(paper.claims)
        (training,) = (row[3] for row in systems.rows if row[0] == f"{paper.system} ({paper.model})")
        assert training == "none: computed from pictures" if not paper.hours else f"{paper.hours:g} h" in training
        assert "0 gigapixels" not in training.split(", ")
    text = page.markdown(found, dict.fromkeys(curves.METRICS, "a.svg"))
    assert all(f"]({paper.link})" in text for paper in claims.others())


def test_a_name_that_is_no_unicode_is_written() -> None:
    text = page.markdown(replace(measured(), pictures=[Path("\udcff.png")]), dict.fromkeys(curves.METRICS, "a.svg"))
    assert "\\udcff.png" in text.encode().decode()


def test_a_model_that_does_not_take_the_picture_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(name: str) -> peers.Codec:
        found = ours(name)

        def encode(*_: object) -> bytes:
            raise LicLimitError("only pictures of 32x32 pixels")

        return replace(found, encode=encode) if name == SYSTEM else found

    ours = curves.ours
    monkeypatch.setattr(curves, "ours", refuse)
    monkeypatch.setattr(curves, "REFERENCES", ())
    monkeypatch.setattr(curves, "GENERAL", ())
    (own,) = (paper for paper in claims.papers() if paper.model == SYSTEM)
    monkeypatch.setattr(claims, "papers", lambda: (own,))
    for name in ("a.png", "b.png"):
        Image.new("RGB", (200, 180)).save(tmp_path / name)
    found = curves.measure([tmp_path / "a.png", tmp_path / "b.png"], None, None, lambda _: None)
    assert found.curves == {}
    assert found.codecs == {}
    table = tables.refusals_table(found)
    assert table is not None
    assert table.rows == [[SYSTEM, "2, a.png first", "only pictures of 32x32 pixels"]]
    assert tables.cost_table(found).rows[0][5] == tables.MISSING
    assert tables.rates_table(found) is None


@pytest.mark.parametrize(
    ("count", "indexes"), [(1, [0]), (3, [0, 1, 2]), (8, [0, 1, 3, 4, 6, 7]), (10, [0, 2, 4, 5, 7, 9])]
)
def test_settings_are_spread_over_all(count: int, indexes: list[int]) -> None:
    assert curves.settings_of(range(count)) == indexes


def test_bytes_at_equal_error_are_those_of_the_curves() -> None:
    def curve(name: str, factor: float) -> list[report.Point]:
        points = ((0.1 * 2**k, 25.0 + 3 * k, 0.9 + 0.02 * k) for k in range(5))
        return [report.Point(name, k, factor * rate, db, s, None, 1, 1) for k, (rate, db, s) in enumerate(points)]

    made = {"jpeg": curve("jpeg", 1), SYSTEM: curve(SYSTEM, 0.75), "webp": curve("webp", 1)[:3]}
    codecs = {name: peers.codec(name) for name in ("jpeg", "webp")} | {SYSTEM: curves.ours(SYSTEM)}
    table = tables.rates_table(measured(curves=made, codecs=codecs))
    assert table is not None
    assert list(table.head) == ["", "JPEG, PSNR", "JPEG, MS-SSIM", "WebP, PSNR", "WebP, MS-SSIM"]
    assert table.rows[0] == [SYSTEM, "-25.0 %", "-25.0 %", "-", "-"]
    assert table.rows[1][:3] == ["JPEG", "-", "-"]


def test_a_ladder_is_shown_where_there_is_one() -> None:
    (own,) = (paper for paper in claims.papers() if paper.model == SYSTEM)
    rungs = (claims.Rung("fixed tables", 100), claims.Rung("hyperprior", 83.25))
    table = tables.ladder_table(measured(papers={SYSTEM: replace(own, ladder=rungs)}))
    assert table is not None
    assert [row[1] for row in table.rows] == ["100.0 %", "83.2 %"]
    assert tables.ladder_table(measured(papers={SYSTEM: replace(own, ladder=())})) is None


def test_every_system_has_a_colour_of_its_own() -> None:
    assert len(set(page.COLORS)) == len(page.COLORS) >= len(claims.papers())


def test_a_strip_shows_what_has_come() -> None:
    found = pictures.cut(curves.ours("lic1"), peers.read(SAMPLE)[:200, :240])
    values = [part.shown[1] for part in found if part.shown]
    assert values[-1] == max(values) > 35
    assert values[-1] > values[0] + 5
    assert pictures.strip([*found, pictures.Cut(0.01, 9, None)], "cat").count("<figure>") == len(pictures.SHARES) + 1


@pytest.mark.parametrize("text", ["0", "-1", "two"])
def test_a_wrong_limit_is_named(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["papers", "out", f"--limit={text}"])
    assert f"must be a whole number, at least 1, got '{text}'" in capsys.readouterr().err


def test_a_button_lifts_a_system(chromium: Browser, folder: Path) -> None:
    chromium.open((folder / "out" / "papers.html").as_uri())
    assert chromium.complaints() == []
    assert len(chromium.requested()) == 1
    opacity = (
        "[...document.querySelectorAll('[data-series]')].map((s) => [s.dataset.series, getComputedStyle(s).opacity])"
    )
    assert {value for _, value in chromium.evaluate(opacity)} == {"1"}
    chromium.evaluate("document.querySelector('[data-lift]').click()")
    assert chromium.evaluate("document.querySelectorAll('[aria-pressed=true]').length") == 1
    assert (
        chromium.evaluate("document.querySelectorAll('.lifted').length") == 8
    )  # own and published, PSNR and MS-SSIM, twice
    chromium.evaluate("document.querySelector('[data-lift]').click()")
    assert chromium.evaluate("document.querySelectorAll('.lifted, .lifting').length") == 0


@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_a_phone(chromium: Browser, folder: Path, width: int) -> None:
    chromium.open((folder / "out" / "papers.html").as_uri(), width, 740, phone=width < 500)
    chromium.evaluate("document.querySelector('details').open = true")
    widths = chromium.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] == widths[1] <= width
    texts = "[...document.querySelectorAll('.texts')].every((table) => table.scrollWidth <= table.clientWidth)"
    assert chromium.evaluate(texts)
