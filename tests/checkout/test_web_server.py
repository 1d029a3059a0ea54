"""The example that serves .lic pictures to browsers: who gets what, how often it is made, and what a browser shows."""

import http.client
import importlib.util
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from desktop.browser import Browser
from PIL import Image, features

import pillow_lic

SCRIPT = Path(__file__).parents[2] / "examples" / "web_server.py"
CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
SAFARI_13 = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"

pytestmark = pytest.mark.skipif("avif" not in features.get_supported(), reason="this Pillow has no AVIF")


class Server:
    """A running example; `log` are the lines it wrote."""

    def __init__(self, folder: Path, url: str) -> None:
        self.pictures, self.cache, self.url, self.log = folder / "pictures", folder / "cache", url, ""

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", int(self.url.split(":")[2].strip("/")), timeout=60)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), body

    def logs(self, words: str) -> bool:
        """Whether the words stand in the log, within 10 seconds: a line may come after the answer."""
        end = time.monotonic() + 10
        while words not in self.log and time.monotonic() < end:
            time.sleep(0.01)
        return words in self.log


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, photo: Image.Image) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "pictures").mkdir()
    exif = Image.Exif()
    exif[274] = 6
    pillow_lic.save(photo.resize((640, 480)), folder / "pictures" / "a b'.lic", exif=exif)
    clear = photo.convert("RGBA")
    clear.putalpha(90)
    pillow_lic.save(clear, folder / "pictures" / "clear.lic")
    (folder / "pictures" / "notes.txt").write_text("secret")
    (folder / "secret.lic").write_bytes((folder / "pictures" / "clear.lic").read_bytes())
    words = [sys.executable, SCRIPT, folder / "pictures", folder / "cache", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    found = Server(folder, process.stdout.readline().strip())
    errors = process.stderr

    def listen() -> None:
        for line in errors:
            found.log += line

    listener = threading.Thread(target=listen)
    listener.start()
    yield found
    process.kill()
    process.wait()
    listener.join()
    process.stdout.close()
    errors.close()


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("web_server", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("accept", "opaque", "clear"),
    [
        (CHROME, "avif", "avif"),
        ("image/webp,*/*", "webp", "webp"),
        (SAFARI_13, "jpeg", "png"),
        ("*/*", "jpeg", "png"),
        ("", "jpeg", "png"),
        ("text/html", "jpeg", "png"),
        ("image/avif;q=0, image/webp;q=0.5, image/jpeg;q=0.4", "webp", "webp"),
        ("image/avif;q=0.3, image/jpeg", "jpeg", "avif"),
        ("IMAGE/AVIF ; Q=1", "avif", "avif"),
        ("image/avif;q=much, image/webp", "webp", "webp"),
        ("image/x-lic, image/avif", "x-lic", "x-lic"),
        (",;,;q=1", "jpeg", "png"),
    ],
)
def test_who_gets_what(example: ModuleType, accept: str, opaque: str, clear: str) -> None:
    assert [example.negotiated(accept, has_alpha) for has_alpha in (False, True)] == [
        f"image/{opaque}",
        f"image/{clear}",
    ]


@pytest.mark.parametrize(
    ("accept", "mime", "form"),
    [(CHROME, "image/avif", "AVIF"), ("image/webp", "image/webp", "WEBP"), ("*/*", "image/jpeg", "JPEG")],
)
def test_a_picture_comes_upright_in_the_format_asked_for(server: Server, accept: str, mime: str, form: str) -> None:
    status, headers, body = server.get("/pictures/a%20b%27.lic", Accept=accept)
    assert status == 200
    assert headers["Content-Type"] == mime
    assert headers["Vary"] == "Accept"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age=" in headers["Cache-Control"]
    with Image.open(io.BytesIO(body)) as im:
        assert im.format == form
        assert im.size == (480, 640)
        assert not im.getexif()
        seen = np.asarray(im.convert("RGB"), int)
    with pillow_lic.open(server.pictures / "a b'.lic") as im:
        stored = np.asarray(im.convert("RGB").transpose(Image.Transpose.ROTATE_270), int)
    assert np.abs(seen - stored).mean() < 4


def test_who_knows_lic_gets_the_file(server: Server) -> None:
    status, headers, body = server.get("/pictures/clear.lic", Accept="image/x-lic")
    assert (status, headers["Content-Type"]) == (200, "image/x-lic")
    assert body == (server.pictures / "clear.lic").read_bytes()


def test_transparency_is_kept(server: Server) -> None:
    for accept in ("*/*", "image/webp", CHROME):
        with Image.open(io.BytesIO(server.get("/pictures/clear.lic", Accept=accept)[2])) as im:
            assert abs(im.convert("RGBA").getpixel((30, 30))[3] - 90) <= 1


def test_every_format_has_an_etag_and_what_is_known_is_not_sent(server: Server) -> None:
    tags = [server.get("/pictures/clear.lic", Accept=accept)[1]["ETag"] for accept in (CHROME, "image/webp", "*/*")]
    tags.append(server.get("/pictures/clear.lic?w=480", Accept=CHROME)[1]["ETag"])
    assert len(set(tags)) == 4
    for known in (tags[0], f'"x", W/{tags[0]}', "*"):
        status, headers, body = server.get("/pictures/clear.lic", Accept=CHROME, If_None_Match=known)
        assert (status, body) == (304, b"")
        assert (headers["ETag"], headers["Vary"]) == (tags[0], "Accept")
    assert server.get("/pictures/clear.lic", Accept=CHROME, If_None_Match=tags[1])[0] == 200


def test_a_changed_picture_is_sent_anew(server: Server, photo: Image.Image) -> None:
    path = server.pictures / "changed.lic"
    pillow_lic.save(photo, path)
    first = server.get("/pictures/changed.lic", Accept="image/webp")
    pillow_lic.save(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT), path)
    second = server.get("/pictures/changed.lic", Accept="image/webp", If_None_Match=first[1]["ETag"])
    path.unlink()
    assert second[0] == 200
    assert second[1]["ETag"] != first[1]["ETag"]
    assert second[2] != first[2]


def test_a_picture_is_made_once(server: Server) -> None:
    """Also when several visitors ask at the same time, and by HEAD."""
    answers: list[tuple[int, dict[str, str], bytes]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(server.get("/pictures/a%20b%27.lic?w=480", Accept="image/webp")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len({body for _, _, body in answers}) == 1
    before = {path: path.stat().st_mtime_ns for path in server.cache.iterdir()}
    status, headers, body = server.get("/pictures/a%20b%27.lic?w=480", "HEAD", Accept="image/webp")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) == len(answers[0][2])
    assert {path: path.stat().st_mtime_ns for path in server.cache.iterdir()} == before
    made = server.cache / headers["ETag"].strip('"')
    made.write_bytes(b"from the cache")
    assert server.get("/pictures/a%20b%27.lic?w=480", Accept="image/webp")[2] == b"from the cache"
    made.unlink()


def test_a_smaller_width(server: Server) -> None:
    with Image.open(io.BytesIO(server.get("/pictures/a%20b%27.lic?w=480")[2])) as im:
        assert im.size == (480, 640)
    with Image.open(io.BytesIO(server.get("/pictures/clear.lic?w=960")[2])) as im:
        assert im.size == (96, 64)


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/none.lic",
        "/pictures/notes.txt",
        "/pictures/../secret.lic",
        "/pictures/%2e%2e/secret.lic",
        "/pictures/..%2fsecret.lic",
        "/pictures/",
        "/a%20b%27.lic",
        "/pictures/clear.lic?w=1",
        "/pictures/clear.lic?w=-480",
        "/pictures/%00.lic",
    ],
)
def test_what_is_not_there(server: Server, path: str) -> None:
    assert server.get(path)[0] == 404


def test_a_broken_picture_is_an_error_and_no_more(server: Server) -> None:
    good = server.pictures / "clear.lic"
    for name, data in (("cut.lic", good.read_bytes()[:-9]), ("text.lic", b"no picture")):
        (server.pictures / name).write_bytes(data)
        assert server.get(f"/pictures/{name}")[0] == 500
        assert server.logs(f"{name}: ")
    status, _, body = server.get("/")
    assert status == 200
    assert b"clear.lic" in body
    for name in ("cut.lic", "text.lic"):
        os.unlink(server.pictures / name)


LOADED = "Promise.all([...document.images].map((image) => image.decode()))"
"""Lazy pictures are loaded after the page is."""


def test_a_browser_gets_avif_and_shows_it(server: Server, chromium: Browser, tmp_path: Path) -> None:
    chromium.open(server.url, 800, 900)
    chromium.evaluate(LOADED)
    shown = "[...document.images].map((image) => [image.alt, image.naturalWidth, image.naturalHeight])"
    assert chromium.evaluate(shown) == [["a b'.lic", 480, 640], ["clear.lic", 96, 64]]
    received = [m["params"]["response"] for m in chromium.messages if m.get("method") == "Network.responseReceived"]
    kinds = {response["url"].rpartition("/")[2]: response["mimeType"] for response in received}
    assert kinds["a%20b%27.lic"] == kinds["clear.lic"] == "image/avif"
    chromium.screenshot(tmp_path / "seen.png")
    box = chromium.evaluate("document.images[0].getBoundingClientRect().toJSON()")
    with Image.open(tmp_path / "seen.png") as im, pillow_lic.open(server.pictures / "a b'.lic") as stored:
        seen = im.convert("RGB").crop([round(box[side]) for side in ("left", "top", "right", "bottom")])
        upright = stored.convert("RGB").transpose(Image.Transpose.ROTATE_270)
    assert np.abs(np.asarray(seen, int) - np.asarray(upright)).mean() < 6


def test_a_browser_keeps_what_it_has(server: Server, chromium: Browser) -> None:
    asked = []
    for mark in ("/first-mark", "/second-mark"):
        chromium.open(server.url)
        chromium.evaluate(LOADED)
        server.get(mark)  # each line is written before its answer, so that the page's are there when this one is
        assert server.logs(mark)
        asked.append((server.log.count('"GET / '), server.log.count('"GET /pictures/')))
    assert asked[1][0] == asked[0][0] + 1
    assert asked[1][1] == asked[0][1]
