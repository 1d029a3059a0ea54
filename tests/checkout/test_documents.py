"""The Markdown files are true: links lead somewhere, and the paths, modules and options that they name exist."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from pillow_lic.__main__ import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for path in ROOT.glob("**/*.md")
    if not any(part.startswith(".") or part in ("build", "dist", "venv") for part in path.relative_to(ROOT).parts)
)
CARDS = {"`effort=1`: PSNR": ROOT / "onnx_models/lic2-16/README.md", "PSNR": ROOT / "onnx_models/lic1-13/README.md"}
"""The cards whose figures the README shows, in its order, by the columns that have them."""
PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]+\.(?:py|pyi|md|json|log|pt|onnx|webp|svg|bin|hpp|cpp|cc|cu|sh|toml)")
MODULE = re.compile(r"python -m ((?:pillow_lic|onnx_models|tests)[\w.]*)")
IN_TORCHRUN = re.compile(r"torchrun .*?-m ((?:pillow_lic|onnx_models)[\w.]*)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def commands(document: Path) -> Iterator[list[str]]:
    """Yield the words of every `lic` command in the code blocks of a document."""
    text = document.read_text("utf-8")
    blocks = re.findall(r"^```\n(.*?)^```|((?:^    .*\n)+)", text, re.MULTILINE | re.DOTALL)
    for line in "\n".join(fenced or indented for fenced, indented in blocks).splitlines():
        for command in re.split(r"\s{3,}", line.partition("#")[0].strip()):
            if command.startswith("lic "):
                yield shlex.split(command)[1:]


def test_there_are_documents() -> None:
    """The other tests would pass over an empty list."""
    assert {
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "pillow_lic/FORMAT.md",
        *map(name_of, CARDS.values()),
    } <= set(map(name_of, DOCUMENTS))
    assert any(list(commands(document)) for document in DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_paths_and_modules_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    for code in re.findall(r"`([^`\n]+)`", text):
        if PATH.fullmatch(code) and not code.partition("/")[0].isupper():  # RUN/weights.pt: the reader's
            homes = (document.parent, *document.parent.parents, ROOT / "pillow_lic", ROOT / "onnx_models/recipes")
            assert any((home / code).exists() for home in homes if home.is_relative_to(ROOT)), code
    for script in re.findall(r"python (tests/[\w/.]+)", text):
        assert (ROOT / script).exists(), script
    check_modules(text)


@pytest.mark.parametrize("path", sorted(ROOT.glob("onnx_models/**/*.py")), ids=name_of)
def test_recipes_say_how_they_are_run(path: Path) -> None:
    check_modules(path.read_text("utf-8"))


def check_modules(text: str) -> None:
    for module in (*MODULE.findall(text), *IN_TORCHRUN.findall(text)):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if list(commands(d))], ids=name_of)
def test_options_of_the_command_exist(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, *words in commands(document):
        name = [command, *words[:1]] if words[:1] in (["coder"], ["times"]) else [command]
        with pytest.raises(SystemExit) as end:
            main([*name, "--help"])
        assert end.value.code == 0, command
        known = set(re.findall(r"(?<!\w)--?[\w-]+", capsys.readouterr().out))
        assert {word for word in words if word.startswith("-")} <= known, (command, words)


def test_figures_of_the_readme_are_those_of_the_cards() -> None:
    shown = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\w ]+\(.+\)) \| (-[\d.]+ %) \| (-[\d.]+ %) \|$", shown, re.MULTILINE)
    assert len(rows) == 3
    columns = [column(card.read_text("utf-8"), title) for title, card in CARDS.items()]
    for name, *figures in rows:
        assert figures == [figures_of[name] for figures_of in columns], name


def column(card: str, title: str) -> dict[str, str]:
    """Return a column of the card's table of BD-rates, by what the rates are against."""
    head, *rows = re.findall(r"^\| .*$", card[card.index("| against |") :].partition("\n\n")[0], re.MULTILINE)
    place = [cell.strip() for cell in head.split("|")].index(title)
    return {cells[1].strip(): cells[place].strip() for cells in (row.split("|") for row in rows)}


def test_every_model_has_a_card() -> None:
    """A model's files lie in its folder, and so does its card; a file elsewhere is another model's, in that one's folder."""
    models, owners = ROOT / "onnx_models", {}
    for model in json.loads((models / "manifest.json").read_text("utf-8"))["models"]:
        folder = f"{model['name']}-{model['id']}"
        files = (*model["files"].values(), *model.get("extras", {}).values())
        for stored in (file for file in files if "file" in file):
            owner = owners.setdefault(stored["file"], folder)
            assert stored["file"].startswith(f"{owner}/"), model["name"]
        assert (models / folder / "README.md").is_file(), model["name"]
