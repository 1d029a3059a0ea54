"""A web site of .lic pictures: browsers get AVIF, WebP or JPEG, whichever they ask for, made once and kept in a cache.

    python web_server.py pictures/ cache/ 8000

What is stored stays .lic; the cache may be deleted at any time. No more than the standard library, Pillow and pillow_lic.
"""

import functools
import hashlib
import html
import io
import os
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from PIL import ExifTags, Image, ImageOps

import pillow_lic

PREFIX = "/pictures/"
LIC = "image/x-lic"
FORMATS = {  # as Pillow writes them, the best first
    "image/avif": ("AVIF", {"quality": 75, "speed": 8}),
    "image/webp": ("WEBP", {"quality": 85, "method": 4}),
    "image/png": ("PNG", {}),
    "image/jpeg": ("JPEG", {"quality": 88, "optimize": True}),
}
WIDTHS = (480, 960, 1920)  # no others: every width that a visitor could choose would be another file in the cache
MAX_AGE = 600  # seconds in which a browser does not ask again; afterwards it asks with the ETag

making = threading.Lock()  # one picture at a time: decoding uses every core, and two visitors may want the same


def accepted(header: str) -> dict[str, float]:
    """The types of an Accept header (RFC 9110, 12.5.1) and how much each is wanted, 0-1."""
    wanted = {}
    for part in header.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            wanted[name] = min(max(float(weight), 0.0), 1.0)
        except ValueError:
            continue
    return wanted


def negotiated(header: str, has_alpha: bool) -> str:
    """The type to send: the one wanted most, of those wanted alike the best; what every browser shows if none is named.

    A star stands for that last one alone: who takes anything may be a program that knows nothing newer.
    """
    wanted = accepted(header)
    safe = "image/png" if has_alpha else "image/jpeg"
    weights = {name: wanted.get(name, 0.0) for name in (LIC, "image/avif", "image/webp")}
    weights[safe] = wanted.get(safe, wanted.get("image/*", wanted.get("*/*", 0.01)))
    return max(weights, key=weights.__getitem__)  # the first of equals


def converted(source: Path, mime: str, width: int | None) -> bytes:
    with Image.open(source) as im:
        profile = im.info.get("icc_profile")
        upright = ImageOps.exif_transpose(im)
    if width and width < upright.width:
        size = (width, max(1, round(upright.height * width / upright.width)))
        upright = upright.resize(size, Image.Resampling.LANCZOS)
    name, options = FORMATS[mime]
    buffer = io.BytesIO()
    upright.save(buffer, name, icc_profile=profile, exif=b"", **options)  # where a photo was taken is nobody's business
    return buffer.getvalue()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *words: object, pictures: Path, cache: Path) -> None:
        self.pictures, self.cache = pictures, cache
        super().__init__(*words)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name = unquote(url.path.removeprefix(PREFIX)) if url.path.startswith(PREFIX) else ""
        try:
            if url.path == "/":
                self.answer(self.index(), "text/html; charset=utf-8", {})
            elif name in self.names():
                self.picture(name, parse_qs(url.query).get("w", [""])[0])
            else:
                self.send_error(HTTPStatus.NOT_FOUND)
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            self.log_error("%s: %s", name, error)
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "this picture cannot be shown")

    do_HEAD = do_GET

    def names(self) -> list[str]:
        return sorted(path.name for path in self.pictures.glob("*.lic"))

    def index(self) -> bytes:
        rows = ["<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"]
        rows += ["<title>Pictures</title><style>img { max-width: 100%; height: auto; display: block }</style>"]
        for name in self.names():
            try:
                with pillow_lic.open(self.pictures / name) as im:  # reads the header alone
                    turned = im.getexif().get(ExifTags.Base.Orientation, 1) > 4
                    width, height = im.size[::-1] if turned else im.size
            except (OSError, SyntaxError, Image.DecompressionBombError) as error:
                self.log_error("%s: %s", name, error)
                continue
            url = PREFIX + quote(name)
            choices = [f"{url}?w={choice} {choice}w" for choice in WIDTHS if choice < width] + [f"{url} {width}w"]
            sizes = f"srcset='{', '.join(choices)}' sizes='(max-width: {width}px) 100vw, {width}px'"
            sizes += f" width={width} height={height}"
            rows += [f"<p><img src='{url}' {sizes} loading=lazy alt='{html.escape(name)}'>"]
        return "\n".join(rows).encode()

    def picture(self, name: str, width: str) -> None:
        if width not in ("", *map(str, WIDTHS)):
            self.send_error(HTTPStatus.NOT_FOUND, f"w must be one of {', '.join(map(str, WIDTHS))}")
            return
        source = self.pictures / name
        with pillow_lic.open(source) as im:
            mime = negotiated(self.headers.get("Accept", ""), im.mode in ("LA", "RGBA"))
        found = source.stat()
        key = f"{name} {found.st_size} {found.st_mtime_ns} {mime} {width} {FORMATS.get(mime)}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        facts = {"ETag": f'"{digest}"', "Vary": "Accept", "Cache-Control": f"public, max-age={MAX_AGE}"}
        known = [tag.strip().removeprefix("W/") for tag in self.headers.get("If-None-Match", "").split(",")]
        if facts["ETag"] in known or "*" in known:
            self.answer(b"", mime, facts, HTTPStatus.NOT_MODIFIED)
        else:
            data = source.read_bytes() if mime == LIC else self.made(digest, source, mime, int(width or 0))
            self.answer(data, mime, facts)

    def made(self, digest: str, source: Path, mime: str, width: int) -> bytes:
        target = self.cache / digest
        with making:
            if not target.exists():
                part = target.with_suffix(".part")
                part.write_bytes(converted(source, mime, width))
                os.replace(part, target)
        return target.read_bytes()

    def answer(self, data: bytes, mime: str, facts: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in facts.items():
            self.send_header(name, value)
        self.send_header("X-Content-Type-Options", "nosniff")
        if status == HTTPStatus.OK:
            self.send_header("Content-Type", mime)
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


if __name__ == "__main__":
    pictures, cache, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    cache.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(Handler, pictures=pictures, cache=cache)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()
