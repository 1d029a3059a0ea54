"""The names of codecs for `lic bench --codecs`: groups of them, and how a shell completes the last one."""

import argparse
from importlib import import_module

from pillow_lic.bench import groups, peers
from pillow_lic.engine import models


def test_groups_stand_for_their_codecs() -> None:
    found = groups.groups()
    assert "balle2017" in found["papers"]
    assert found["ours"][0] == "lic"
    assert "jpeg" in found["peers"]
    assert groups.named("all") == [*found["ours"], *found["papers"], *found["peers"]]
    assert {"lic", "lossless", *(model.name for model in models.models())} - {models.DEFAULT} == set(
        groups.named("ours,papers")
    )
    assert groups.named("jpeg,lic:3,peers") == ["jpeg", "lic:3", *(name for name in found["peers"] if name != "jpeg")]
    assert groups.named(None) == ["lic", *found["peers"]]


def test_a_shell_completes_the_last_word() -> None:
    codecs = next(action for action in _words_of("bench") if "--codecs" in action.option_strings)
    assert codecs.completer("pap") == ["papers"]
    assert codecs.completer("papers,jp") == [
        f"papers,{name}" for name in ("jpeg", "jpeg2000") if peers.is_available(name)
    ]
    assert "papers,papers" not in codecs.completer("papers,")


def _words_of(command: str) -> list[argparse.Action]:
    return import_module(f"pillow_lic.commands.{command}").parser([])._actions
