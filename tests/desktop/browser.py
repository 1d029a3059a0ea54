"""A headless Chromium driven over its debugging pipe (Chrome DevTools Protocol 1.3); the standard library only."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 120
"""Seconds that a page may take on a busy machine."""

_WITH_PIPES = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, pipe in enumerate(pipes, 3):
    os.dup2(pipe, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium reads its commands from file descriptor 3 and answers on 4."""


class Browser:
    """One page; `messages` are the events that came, in order."""

    def __init__(self, reading: IO[bytes], writing: IO[bytes]) -> None:
        self._from, self._to = reading, writing
        self._count, self._session, self._rest = 0, None, b""
        self.messages: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **words: Any) -> dict[str, Any]:
        """Return the answer to a command; AssertionError for an error."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": words}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        answer = self._until(lambda found: found.get("id") == self._count)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def open(self, url: str, width: int = 1200, height: int = 900, *, dark: bool = False, phone: bool = False) -> None:
        """Show a page and wait until it and its pictures are loaded."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.messages.clear()
        self.call("Page.navigate", url=url)
        self._until(lambda found: found.get("method") == "Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key by its name, such as ArrowLeft."""
        code = {"ArrowLeft": 37, "ArrowRight": 39, "Tab": 9}[key]
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Write what is seen, or the whole page, as PNG."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def requested(self) -> list[str]:
        """Return the addresses that the page asked for, those inside of it left out."""
        sent = [m["params"]["request"]["url"] for m in self.messages if m.get("method") == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith("data:")]

    def complaints(self) -> list[str]:
        """Return what the browser wrote to its console about the page: errors, refusals by its policy."""
        logged = [m["params"]["entry"]["text"] for m in self.messages if m.get("method") == "Log.entryAdded"]
        thrown = [str(m["params"]) for m in self.messages if m.get("method") == "Runtime.exceptionThrown"]
        return logged + thrown

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            while b"\0" in self._rest:
                text, self._rest = self._rest.split(b"\0", 1)
                found = json.loads(text)
                self.messages.append(found)
                if wanted(found):
                    return dict(found)
            more = os.read(self._from.fileno(), 1 << 20)
            assert more, "the browser ended"
            self._rest += more
        raise AssertionError("the browser did not answer")


@contextmanager
def started() -> Iterator[Browser]:
    """Start Chromium with a profile of its own, for a `with` block."""
    assert PROGRAM
    commands, ours = os.pipe(), os.pipe()
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = [PROGRAM, *options, f"--user-data-dir={profile}"]
        shim = [sys.executable, "-c", _WITH_PIPES, str(commands[0]), str(ours[1])]
        process = subprocess.Popen([*shim, *words], pass_fds=(commands[0], ours[1]), stderr=subprocess.DEVNULL)
        os.close(commands[0])
        os.close(ours[1])
        try:
            with open(ours[0], "rb", 0) as reading, open(commands[1], "wb", 0) as writing:
                yield Browser(reading, writing)
        finally:
            process.kill()
            process.wait()
