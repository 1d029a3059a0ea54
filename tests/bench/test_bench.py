"""`lic bench` on small made pictures: what it measures, keeps, averages, compares and writes."""

import csv
import dataclasses
import json
import os
import re
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from commands.command_line import run
from PIL import Image

from pillow_lic import codec, metrics
from pillow_lic.bench import groups, measurement, peers, report, samples
from pillow_lic.bench.report import Sample
from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import Settings
from pillow_lic.options import EncodeOptions

JPEG = ("--codecs", "jpeg", "--quality", "jpeg=10,40,70,95")
FAST = ("--metrics", "psnr,ms_ssim", *JPEG)
PSNR = samples.Method(["psnr"])


def waves(width: int, height: int, seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 90 * np.sin(x / (5 + k + seed)) * np.cos(y / (9 - k)) for k in range(3)]
    noisy = np.stack(planes, -1) + rng.normal(0, 6, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "pictures"
    path.mkdir()
    waves(176, 168, 0).save(path / "a.png")
    waves(200, 162, 1).convert("L").save(path / "b.png")
    (path / "notes.txt").write_text("not a picture")
    return path


def test_pictures_that_come_back_as_they_were(tmp_path: Path) -> None:
    """PSNR without end has no place in JSON, nor on a chart; and the picture is too small for MS-SSIM."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    waves(20, 16, 0).save(folder / "a.png")
    out = tmp_path / "out"
    words = ("--codecs", "lossless", "--quality", "lossless=5", "--out", str(out))
    assert measurement.main([str(folder), *words]) == 0
    (sample,) = json.loads((out / "bench.json").read_text(), parse_constant=pytest.fail)["samples"]
    assert (sample["psnr"], sample["ms_ssim"]) == ("inf", None)
    assert ElementTree.parse(out / "bench.svg").getroot().find(".//{*}polyline") is not None


def test_report_of_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = (*FAST, "--codecs", "jpeg,webp", "--quality", "webp=20,50,80,95", "--anchor", "webp", "--repeats", "2")
    assert measurement.main([str(folder), *arguments, "--out", str(out)]) == 0
    report = json.loads((out / "bench.json").read_text())
    assert len(report["samples"]) == 2 * 8
    assert len(report["points"]) == 8
    assert report["bd_rate"]["webp"] == {"psnr": 0, "ms_ssim": 0}
    assert report["bd_rate"]["jpeg"]["psnr"] > 0
    for curve in ("jpeg", "webp"):
        points = [point for point in report["points"] if point["codec"] == curve]
        for value in ("quality", "bpp", "psnr", "ms_ssim"):
            column = [point[value] for point in points]
            assert column == sorted(column)
    rows = list(csv.DictReader((out / "bench.csv").read_text().splitlines()))
    assert [float(row["bpp"]) for row in rows] == [point["bpp"] for point in report["points"]]
    chart = ElementTree.parse(out / "bench.svg").getroot()
    lines = chart.findall(".//{*}polyline")
    assert len(lines) == 4 * 2
    printed = capsys.readouterr().out
    assert "BD-rate against webp" in printed
    assert "2 pictures" in printed
    assert "*" not in printed


def test_a_sample_is_what_pillow_gives(folder: Path) -> None:
    pixels = peers.read(folder / "a.png")
    codec = peers.codec("jpeg")
    sample = samples.measure(codec, 50, samples.Picture("a", pixels), samples.Method(["psnr"]))
    data = codec.encode(pixels, 50)
    assert sample.bytes == len(data)
    assert sample.pixels == 176 * 168
    assert sample.psnr == metrics.psnr(pixels, codec.decode(data))
    assert sample.ms_ssim is None
    assert sample.encode_seconds > 0


@pytest.mark.skipif(not peers.is_available("jpeg2000"), reason="Pillow without OpenJPEG")
def test_jpeg_2000_is_asked_for_bits(folder: Path) -> None:
    pixels = peers.read(folder / "a.png")
    codec = peers.codec("jpeg2000")
    for hundredths in (60, 240):
        bpp = 8 * len(codec.encode(pixels, hundredths)) / (pixels.shape[0] * pixels.shape[1])
        assert bpp == pytest.approx(hundredths / 100, rel=0.1)


def test_our_codec_is_measured_too(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--codecs", "lic", "--quality", "lic=2,8", "--limit", "1", "--metrics", "psnr", "--out", str(tmp_path)]
    assert measurement.main([str(folder), *arguments]) == 0
    printed = capsys.readouterr().out
    assert f"LIC {models.DEFAULT}" in printed
    low, high = (float(line.split()[3]) for line in printed.splitlines() if line.startswith("lic  ") and "." in line)
    assert 20 < low < high
    kmac = json.loads((tmp_path / "bench.json").read_text())["kmac_per_pixel"]
    assert f"lic: encoder {kmac['encoder']:.1f}, decoder {kmac['decoder']:.1f} kMAC a pixel" in printed


def test_models_go_by_their_names(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = models.choose(None)
    monkeypatch.setattr(models, "models", lambda: (dataclasses.replace(spec, name="other"), spec))
    assert groups.our_names()[:3] == ("lic", spec.name, "other")
    assert measurement.our_codec("lic:3").title.endswith(" effort=3")
    assert measurement.our_codec("lic").title == measurement.our_codec(f"{spec.name}:{spec.effort}").title
    assert {"lic:0", "lic:9", "other:9"} < set(groups.our_names())
    arguments = ["--codecs", "other", "--quality", "other=3", "--limit", "1", "--metrics", "psnr"]
    assert measurement.main([str(folder), *arguments]) == 0
    assert f"other: LIC other ({spec.number})" in capsys.readouterr().out


def test_the_multiply_adds_are_those_of_the_networks_that_run(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by watching what a picture asks the runtime for, with no layers in native code; what an encoder decodes to fit
    a filter does not count, nor what a step does once more."""
    run, found, given = runtime.run, models.models(), models.choose(None)
    layers = {role: file for role, file in given.extras.items() if not role.endswith("_numbers")}
    spec = dataclasses.replace(given, extras=layers)
    monkeypatch.setattr(models, "models", lambda: tuple(spec if model is given else model for model in found))
    monkeypatch.setattr(Settings, "uses_native_code", False)
    ran: list[str] = []
    monkeypatch.setattr(runtime, "run", lambda spec, role, *a, **k: (ran.append(role), run(spec, role, *a, **k))[1])
    data = codec.encode(np.asarray(photo), "RGB", EncodeOptions(quality=4))
    encoded, ran[:] = ran.copy(), []
    codec.decode(data)
    expected = {
        side: sum(spec.files[r].kmac_per_pixel for r in roles)
        for side, roles in (
            ("encoder", [r for r in dict.fromkeys(encoded) if spec.files[r].side != "decoder"]),
            ("decoder", ran),
        )
    }
    assert measurement.complexity() == pytest.approx(expected, abs=1e-3)


def test_no_multiply_adds_are_told_of_peers_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert measurement.main([str(folder), *FAST, "--limit", "1"]) == 0
    assert "kMAC" not in capsys.readouterr().out


def test_the_cache_keeps_peers_and_marks_their_times(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [str(folder), *FAST, "--cache", str(tmp_path / "cache.json")]
    assert measurement.main(arguments) == 0
    first = capsys.readouterr().out
    monkeypatch.setattr(samples, "measure", lambda *_: pytest.fail("measured again"))
    assert measurement.main(arguments) == 0
    second = capsys.readouterr().out
    assert "measured in an earlier run" in second
    assert "measured in an earlier run" not in first
    assert first.split("BD-rate")[1] == second.split("BD-rate")[1].split("\n\n*")[0] + "\n"


def test_a_run_that_is_stopped_keeps_what_it_measured(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure, path = samples.measure, tmp_path / "cache.json"

    def until_webp(codec: peers.Codec, *rest: Any) -> Sample:
        if "webp" in codec.title.lower():
            raise KeyboardInterrupt
        return measure(codec, *rest)

    monkeypatch.setattr(samples, "measure", until_webp)
    with pytest.raises(KeyboardInterrupt):
        measurement.main([str(folder), *FAST, "--codecs", "jpeg,webp", "--limit", "1", "--cache", str(path)])
    assert len(json.loads(path.read_text())) == 4


def test_what_a_codec_refuses_is_named_and_the_rest_measured(folder: Path) -> None:
    jpeg, said = peers.codec("jpeg"), []

    def only_colours(pixels: np.ndarray, quality: float) -> bytes:
        if (pixels == pixels[..., :1]).all():
            raise ValueError("no grey pictures")
        return jpeg.encode(pixels, quality)

    plan = {"jpeg": (jpeg, [20]), "picky": (dataclasses.replace(jpeg, name="picky", encode=only_colours), [20, 50])}
    paths, refused = measurement.pictures_of(folder), []
    found = samples.run(paths, plan, PSNR, samples.Cache(None), said.append, refusals=refused)
    assert [(sample.codec, sample.picture) for sample in found] == [
        ("jpeg", "a.png"), ("picky", "a.png"), ("picky", "a.png"), ("jpeg", "b.png")
    ]  # fmt: skip
    assert refused == [samples.Refusal("picky", "b.png", "no grey pictures")]
    assert said[0] == "1/2 a.png"
    assert re.fullmatch(r"  JPEG: 2 of 2 in \d+ s", said[2])
    with pytest.raises(ValueError, match="no grey pictures"):
        samples.run(paths, plan, PSNR, samples.Cache(None), said.append)


def test_samples_of_two_clocks_are_not_taken_for_each_other(folder: Path, tmp_path: Path) -> None:
    plan, paths = {"jpeg": (peers.codec("jpeg"), [20])}, measurement.pictures_of(folder, 1)
    cache = samples.Cache(tmp_path / "cache.json")
    for clock, is_known in ((time.perf_counter, False), (time.process_time, False), (time.process_time, True)):
        (sample,) = samples.run(paths, plan, samples.Method(["psnr"], clock=clock), cache, lambda _: None)
        assert sample.cached == is_known


def test_a_model_in_steps_codes_a_picture_once(folder: Path) -> None:
    codec, pixels = measurement.our_codec("toderici2017"), peers.read(folder / "a.png")
    asked = codec.qualities[::3]
    picture, method = samples.Picture("a", pixels), samples.Method(["psnr"], clock=time.process_time)
    made = samples.measure_together(codec, asked, picture, method)
    alone = [samples.measure(codec, quality, picture, method) for quality in asked]
    assert [(s.quality, s.bytes, s.psnr) for s in made] == [(s.quality, s.bytes, s.psnr) for s in reversed(alone)]
    assert measurement.our_codec("balle2017").together is None


def test_a_kept_file_is_made_once(tmp_path: Path) -> None:
    assert samples.Cache(tmp_path / "cache.json").file("key", lambda: b"file") == b"file"
    assert samples.Cache(tmp_path / "cache.json").file("key", lambda: pytest.fail("it was made again")) == b"file"


def test_the_cache_asks_for_every_metric(tmp_path: Path) -> None:
    cache = samples.Cache(tmp_path / "cache.json")
    cache.put("key", Sample("jpeg", 1, "a", 2, 3, 0.1, 0.1, psnr=30), ["psnr"])
    cache.save()
    again = samples.Cache(tmp_path / "cache.json")
    assert again.get("key", ["psnr"]) == Sample("jpeg", 1, "a", 2, 3, 0.1, 0.1, psnr=30, cached=True)
    assert again.get("key", ["psnr", "ms_ssim"]) is None
    assert again.get("other", []) is None


def test_published_curves_stand_beside(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curve = {"bpp": [0.5, 1, 2, 4], "psnr": [26, 30, 34, 38], "source": "a paper"}
    path = tmp_path / "curves.json"
    path.write_text(json.dumps({"theirs": curve, "rates only": {"note": "x"}, "other": curve}))
    assert measurement.main([str(folder), *FAST, "--curves", str(path), "--curve", "th*"]) == 0
    printed = capsys.readouterr().out
    assert "theirs" in printed
    assert "other" not in printed
    assert "rates only" not in printed


def test_a_published_curve_does_not_replace_a_measured_one(tmp_path: Path) -> None:
    path = tmp_path / "curves.json"
    path.write_text(json.dumps({"jpeg": {"bpp": [1], "psnr": [30]}, "vtm": {"bpp": [1], "psnr": [35]}}))
    curves = report.published(path, ["*"], {"jpeg": []})
    assert sorted(curves) == ["jpeg (published)", "vtm"]
    assert curves["jpeg (published)"][0].codec == "jpeg (published)"


def test_small_pictures_have_no_ms_ssim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waves(64, 64, 2).save(tmp_path / "a.png")
    assert measurement.main([str(tmp_path), *FAST]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("jpeg  "))
    assert row.split()[4:7] == ["-", "-", "-"]


def test_the_mean_is_over_pictures_and_the_time_over_pixels() -> None:
    samples = [
        Sample("c", 1, "a", 1000, 8000, 0.01, 0.02, psnr=30, ms_ssim=0.9),
        Sample("c", 1, "b", 1000, 2000, 0.03, 0.04, psnr=40, ms_ssim=None),
    ]
    (point,) = report.average(samples)["c"]
    assert (point.bpp, point.psnr, point.ms_ssim) == (2.5, 35, None)
    assert point.encode_seconds == pytest.approx(4)
    assert point.decode_seconds == pytest.approx(6)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--codecs", "gif"), "codec must be one of lic, .*jpeg.*, got gif"),
        (("--metrics", "psnr,vmaf"), "metric must be one of psnr, ms_ssim, ssimulacra2, got vmaf"),
        ((*FAST, "--quality", "jpeg=high"), "CODEC=Q,Q with one of jpeg, got jpeg=high"),
        ((*FAST, "--quality", "webp=50"), "CODEC=Q,Q with one of jpeg, got webp=50"),
        ((*FAST, "--anchor", "avif", "--limit", "1"), "anchor must be one of jpeg, got avif"),
    ],
)
def test_wrong_arguments(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reason: str
) -> None:
    assert measurement.main([str(folder), *arguments]) == 1
    assert re.search(f"^lic bench: .*{reason}$", capsys.readouterr().err, re.MULTILINE)


@pytest.mark.parametrize(
    "words", [("--anchor", "avif"), ("--curves", "none.json"), ("--out", "a file")], ids=["anchor", "curves", "out"]
)
def test_what_is_wrong_is_said_before_anything_is_measured(
    words: tuple[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    (folder / "a file").write_bytes(b"")
    monkeypatch.setattr(samples, "run", lambda *_: pytest.fail("it was measured"))
    assert measurement.main([str(folder), *FAST, *words]) == 1
    assert words[1] in capsys.readouterr().err


def test_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert measurement.main([str(tmp_path)]) == 1
    assert "has no pictures" in capsys.readouterr().err
    assert measurement.main([str(tmp_path / "nowhere")]) == 1


def test_what_is_named_like_a_picture_and_is_none(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "._a.png").write_bytes(b"what macOS keeps of a.png")
    (tmp_path / "c.png").mkdir()
    os.mkfifo(tmp_path / "b.png")
    assert measurement.pictures_of(tmp_path) == [tmp_path / "a.png"]


def test_the_cards_mean_the_settings_of_the_table() -> None:
    cards = (Path(__file__).parents[2] / "onnx_models").glob("*/README.md")
    text = "\n".join(card.read_text("utf-8") for card in cards)
    measured = re.findall(r"^\| ([\w ]+) \(([^)]+)\) \| [+-]\d", text, re.MULTILINE)
    known = {(peer.name, peer.known_as) for peer in peers.PEERS.values()}
    assert len(measured) >= 4
    assert set(measured) <= known


def test_a_picture_that_is_cut_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "b.png"
    path.write_bytes(path.read_bytes()[:-2000])
    assert measurement.main([str(folder), *FAST]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"lic bench: {path}: ")
    assert run("bench", "restore", folder, "--qualities", "90") == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"lic: {path}: ")
