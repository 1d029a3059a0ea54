"""The training of a paper's network: how long it takes."""

import argparse
from pathlib import Path

import pytest
import torch

from onnx_models.recipes.common import training
from onnx_models.recipes.recurrent.network import Paper, Recurrent


@pytest.mark.parametrize("seconds", [1, 1000])
def test_a_schedule_in_steps_does_not_depend_on_the_clock(
    seconds: int, patches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variants that are compared take equal steps at equal rates, however busy the machine is."""
    clock = iter(range(0, 10**9, seconds))
    monkeypatch.setattr(training.time, "time", lambda: float(next(clock)))
    parser = argparse.ArgumentParser()
    training.add_arguments(parser)
    words = ["--steps", "5", "--batch", "1", "--crop", "32", "--every", "2", "--warm-up", "1", "--decay-from", "0"]
    torch.manual_seed(0)
    training.train(Recurrent(Paper(steps=1, features=16)), (), parser.parse_args([str(patches), str(tmp_path), *words]))
    log = [line.split() for line in (tmp_path / "log.txt").read_text().splitlines()]
    assert [(line[1], line[5]) for line in log] == [("2", "1.81e-04"), ("4", "7.04e-05"), ("5", "2.09e-05")]
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 5
