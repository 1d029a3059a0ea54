"""`lic probe`: the behaviour of the Pillow plugins of lossy still-image formats, side by side.

Every plugin that is installed is asked the questions of `questions.ROWS`, through Pillow's interface alone. Every answer comes
from a child process with a time limit, so that "crash" and "hang" are answers too; "error" is an exception where the
property needs none, "n.a." a property that the format or the plugin does not claim.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import NamedTuple

from ..engine.settings import available_cores, current_settings
from .plugins import PLUGINS
from .questions import ROWS

_MEMORY, _MEMORY_OF_THREAD = 6 << 30, 1 << 30
"""Address space of a child in bytes, and more for every thread: threads that race have asked for all the memory there is.

An engine's threads reserve a stack and an arena each for every network: 2.6 GiB with 4 threads, 10 with 16 (measured).
"""


class Answer(NamedTuple):
    """The word for the table, and the details: a message, or the fate of the process."""

    word: str
    detail: str = ""


Answers = Mapping[str, Mapping[str, Answer]]
"""By key of ROWS, then by name of PLUGINS."""


def installed() -> list[str]:
    """Return the names of PLUGINS that this installation has."""
    return [name for name, plugin in PLUGINS.items() if plugin.available()]


def ask(name: str, key: str) -> Answer:
    """Return the answer of one of PLUGINS to one of ROWS; nothing that the plugin does gets out of the child process."""
    command = [sys.executable, "-m", "pillow_lic.probe.probe", name, key]
    limit = ROWS[key].limit
    try:
        child = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=limit)
    except subprocess.TimeoutExpired:
        return Answer("hang", f"no answer in {limit:g} s")
    try:
        return Answer(*json.loads(child.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        return Answer("crash", f"exit code {child.returncode} {child.stderr[-300:]}".strip())


def probe(
    names: Collection[str], keys: Collection[str] = (), told: Callable[[str, str], object] | None = None
) -> dict[str, dict[str, Answer]]:
    """Ask these plugins these questions (default: all of ROWS); `told` hears name and key before each.

    ValueError for a plugin or a question that does not exist, before any is asked.
    """
    for word, asked, known in (("plugin", names, PLUGINS), ("row", keys, ROWS)):
        for name in asked:
            if name not in known:
                msg = f"{word} must be one of {', '.join(known)}, got {name}"
                raise ValueError(msg)
    answers: dict[str, dict[str, Answer]] = {}
    for key in keys or ROWS:
        answers[key] = {}
        for name in names:
            if told:
                told(name, key)
            answers[key][name] = ask(name, key)
    return answers


def as_json(answers: Answers) -> str:
    """Return everything: versions, and for each row its words, its method and the answers with their details."""
    names = list(next(iter(answers.values())))
    rows = [
        {
            "key": key,
            "title": ROWS[key].title,
            "method": ROWS[key].ask.__doc__,
            "answers": {name: answer._asdict() for name, answer in row.items()},
        }
        for key, row in answers.items()
    ]
    return json.dumps({"versions": {name: PLUGINS[name].version() for name in names}, "rows": rows}, indent=1)


def as_table(answers: Answers, markdown: bool = False) -> str:
    """Return a row for each property and a column for each plugin, as text for a terminal or as Markdown."""
    names = list(next(iter(answers.values())))
    lines = [["", *names]] + [[ROWS[key].title, *(row[name].word for name in names)] for key, row in answers.items()]
    versions = "; ".join(f"{name}: {PLUGINS[name].version()}" for name in names)
    if markdown:
        rule = "|---|" + "---|" * len(names)
        text = ["| " + " | ".join(line) + " |" for line in lines]
        return "\n".join([text[0], rule, *text[1:], "", versions + "."])
    lines = [[cell.replace("`", "") for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*text, "", versions])


def _answer(name: str, key: str) -> Answer:
    """Ask in this process, which is the child."""
    with suppress(ImportError):  # Windows has no such limits
        import resource

        room = _MEMORY + _MEMORY_OF_THREAD * max(available_cores(), current_settings().threads)
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    plugin = PLUGINS[name]
    try:
        exec(plugin.setup, {})
        said = ROWS[key].ask(plugin)
    except Exception as error:  # whatever type a plugin chose
        return Answer("error", f"{type(error).__name__}: {error}")
    return Answer(said if isinstance(said, str) else "yes" if said else "no")


if __name__ == "__main__":
    print(json.dumps(_answer(*sys.argv[1:])))
