"""Settings: their defaults, the environment, blocks that nest, and what follows the thread and the task."""

import asyncio
import contextvars
import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made import drawn_pages
from PIL import Image

import pillow_lic
from pillow_lic import deadlines
from pillow_lic.deadlines import stoppable
from pillow_lic.engine import settings as rules
from pillow_lic.engine.settings import (
    available_cores,
    current_settings,
    given_settings,
    limited_time,
    settings,
)


def test_settings_default_to_the_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIC_THREADS", raising=False)
    monkeypatch.delenv("LIC_PROVIDERS", raising=False)
    found = current_settings()
    assert found.threads == available_cores() >= 1
    assert found.providers == ("CPUExecutionProvider",)
    assert found.max_pixels is None


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIC_THREADS", "3")
    monkeypatch.setenv("LIC_PROVIDERS", "cuda, CPUExecutionProvider")
    assert current_settings().threads == 3
    assert current_settings().providers == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert not current_settings().uses_native_code
    with settings(threads=5, providers="cpu"):
        assert current_settings().uses_native_code
        assert current_settings().threads == 5
        assert current_settings().providers == ("CPUExecutionProvider",)


@pytest.mark.parametrize(("name", "value"), [("LIC_THREADS", "many"), ("LIC_THREADS", "0"), ("LIC_PROVIDERS", "gpu")])
def test_wrong_environment_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"{name} must .*, got '{value}'"):
        current_settings()


def test_settings_that_were_given_are_those_of_the_blocks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIC_THREADS", "3")
    assert given_settings() == {}
    with settings(max_pixels=100), settings(providers="cpu"):
        given = given_settings()
    assert given == {"max_pixels": 100, "providers": ("CPUExecutionProvider",)}
    with settings(**given) as found:
        assert (found.threads, found.max_pixels) == (3, 100)


def test_settings_nest_and_end() -> None:
    outside = current_settings()
    with settings(threads=2, max_pixels=100) as outer:
        assert (outer.threads, outer.max_pixels) == (2, 100)
        with pytest.raises(KeyError), settings(threads=1) as inner:  # noqa: PT012
            assert (inner.threads, inner.max_pixels) == (1, 100)
            raise KeyError
        assert current_settings() == outer
    assert current_settings() == outside


@pytest.mark.parametrize(
    "wrong",
    [{"threads": 0}, {"threads": True}, {"threads": 1.5}, {"max_pixels": -1}, {"providers": []}, {"providers": [1]}],
)
def test_wrong_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))} must "), settings(**wrong):
        pass


@pytest.mark.parametrize("block", [lambda: settings(threads=1), limited_time, stoppable])
def test_a_block_that_is_closed_too_late_changes_nothing(block: Callable[[], AbstractContextManager[object]]) -> None:
    """As one is whose end the exception of a signal came before: the garbage collector closes it."""
    before = contextvars.copy_context()
    with settings(threads=3, max_seconds=99), limited_time(), stoppable():
        dropped = block()
        dropped.__enter__()
    assert dict(contextvars.copy_context()) == dict(before)
    del dropped
    gc.collect()
    assert dict(contextvars.copy_context()) == dict(before)


def test_settings_belong_to_a_thread() -> None:
    seen: list[int] = []
    outside = current_settings().threads
    with settings(threads=outside + 1):
        thread = threading.Thread(target=lambda: seen.append(current_settings().threads))
        thread.start()
        thread.join()
    assert seen == [outside]


def test_settings_belong_to_a_task() -> None:
    async def work(threads: int) -> int:
        with settings(threads=threads):
            await asyncio.sleep(0)
            return current_settings().threads

    async def both() -> list[int]:
        return await asyncio.gather(work(3), work(4))

    assert asyncio.run(both()) == [3, 4]


@pytest.mark.parametrize(("name", "unit"), [("threads", "threads"), ("max_pixels", "pixels"), ("max_memory", "bytes")])
def test_settings_say_their_unit(name: str, unit: str) -> None:
    with (
        pytest.raises(ValueError, match=f"{name} must be a whole number of {unit}, 1-.*, got '1GB'"),
        settings(**{name: "1GB"}),
    ):
        pass


def test_limits_of_the_environment_hold_for_every_thread(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIC_MAX_PIXELS", "1000")
    monkeypatch.setenv("LIC_MAX_SECONDS", "7.5")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(current_settings).result()
        assert (found.max_pixels, found.max_seconds) == (1000, 7.5)
        with pytest.raises(pillow_lic.LicLimitError, match="LIC_MAX_PIXELS"):
            pool.submit(Image.open, lic).result()
    with settings(max_pixels=10_000):
        assert current_settings().max_pixels == 10_000
    monkeypatch.setenv("LIC_MAX_PIXELS", "many")
    with pytest.raises(ValueError, match="LIC_MAX_PIXELS must be a whole number of pixels, .* got 'many'"):
        current_settings()


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "soon", True, np.True_, b"3"])
def test_wrong_seconds(seconds: object) -> None:
    with (
        pytest.raises(ValueError, match="max_seconds must be a positive number of seconds, got "),
        settings(max_seconds=seconds),
    ):
        pass


def test_time_that_runs_out(lic: Path) -> None:
    data = lic.read_bytes()
    with settings(max_seconds=1e-9), pytest.raises(pillow_lic.LicLimitError, match="more than the 1e-09 seconds that"):
        pillow_lic.open(data).load()
    with settings(max_seconds=1e-9), pytest.raises(pillow_lic.LicLimitError, match="more than the 1e-09 seconds that"):
        pillow_lic.encode(Image.new("RGB", (64, 64)))
    lossless = pillow_lic.encode(Image.new("RGB", (64, 64)), lossless=True)
    with settings(max_seconds=1e-9), pytest.raises(pillow_lic.LicLimitError, match="more than the 1e-09 seconds that"):
        pillow_lic.open(lossless).load()
    with settings(max_seconds=1e-9), pytest.raises(pillow_lic.LicLimitError, match="more than the 1e-09 seconds that"):
        pillow_lic.encode(Image.new("RGB", (64, 64)), lossless=True)
    with settings(max_seconds=1000):
        pillow_lic.open(data).load()


@pytest.mark.parametrize("lossless", [True, False])
def test_time_runs_out_between_searches_for_a_lossless_form(lossless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them takes seconds for a page, and a call makes several."""
    clock, searched, save = SimpleNamespace(now=0.0), [], Image.Image.save

    def slow(image: Image.Image, *args: Any, **words: Any) -> None:
        clock.now += 10
        searched.append(image.size)
        save(image, *args, **words)

    monkeypatch.setattr(deadlines, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(Image.Image, "save", slow)
    with settings(max_seconds=5), pytest.raises(pillow_lic.LicLimitError, match="more than the 5 seconds"):
        pillow_lic.encode(drawn_pages.page(), lossless=lossless)
    assert len(searched) == 1


def test_an_exception_that_comes_as_a_block_begins_leaves_no_settings() -> None:
    """One of a signal, which comes when a call returns."""

    def interrupt(_: FrameType, event: str, called: object) -> None:
        if event == "c_return" and called == rules._overrides.set:
            sys.setprofile(None)
            raise KeyboardInterrupt

    before = given_settings()
    sys.setprofile(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), settings(threads=7):
            pass
    finally:
        sys.setprofile(None)
    assert given_settings() == before
