"""The room of commands: each file is one, light to import, and explains itself."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pillow_lic import __main__ as command
from pillow_lic import commands

COMMANDS = commands.commands()


def test_every_file_is_a_command() -> None:
    files = {path.stem for path in Path(commands.__file__).parent.glob("[!_]*.py")}
    assert set(COMMANDS) == files > {"encode", "decode", "info", "convert"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_explained_in_the_list_and_in_its_own_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], [name, "--help"]):
        with pytest.raises(SystemExit) as stopped:
            command.main(words)
        assert stopped.value.code == 0
    assert name in capsys.readouterr().out
    assert COMMANDS[name].SUMMARY.endswith(".")


@pytest.mark.parametrize("name", [name for name in COMMANDS if hasattr(COMMANDS[name], "run")])
def test_the_examples_are_understood(name: str) -> None:
    lines = [line for line in COMMANDS[name].EXAMPLES.splitlines() if line.strip()]
    assert lines
    for line in lines:
        words = shlex.split(line.partition("#")[0])
        words = words[words.index("lic") + 1 :]
        if ">" in words:
            words = words[: words.index(">")]
        assert command._parser().parse_args(words).run is COMMANDS[name].run


def test_commands_load_nothing_heavy() -> None:
    program = "import sys, pillow_lic.commands; pillow_lic.commands.commands(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"numpy", "onnxruntime", "asyncio", "multiprocessing"}.isdisjoint(ran.stdout.split())
