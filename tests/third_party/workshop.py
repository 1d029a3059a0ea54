"""Everything a suite needs on disk, made once under one work folder: environment, sources, reports."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

from outcomes import Outcomes, from_junit, from_unittest
from suites import Suite

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class Workshop:
    """A work folder: venv/, downloads/, sources/ and reports/. What is there already is used as it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.reports = self.folder / "reports"
        self.reports.mkdir(parents=True, exist_ok=True)
        self.python = self.folder / "venv" / "bin" / "python"

    def make_environment(self, *, again: bool) -> None:
        """Make the environment, with this checkout built into it and autoload on; `again` builds the checkout anew."""
        if not self.python.exists():
            venv.create(self.folder / "venv", with_pip=True)
            self._run("-m", "pip", "install", "--quiet", f"{ROOT}[imageio]", "pillow==13.0.0", "pytest")
        elif again:
            self._run("-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(ROOT))
        self._run("-m", "pillow_lic", "autoload", "on", stdout=subprocess.DEVNULL)

    def install(self, suite: Suite) -> None:
        """Add the release under test and what its tests need."""
        wanted = (f"{suite.source.name}=={suite.source.version}", *suite.requirements)
        self._run("-m", "pip", "install", "--quiet", *wanted)

    def source(self, suite: Suite) -> Path:
        """Return the tree of the suite as it was released."""
        source = suite.source
        tree = self.folder / "sources" / f"{source.name}-{source.version}"
        if tree.exists():
            return tree
        tree.parent.mkdir(exist_ok=True)
        if source.repository:
            clone = ("git", "clone", "--quiet", "--depth=1", f"--branch={source.tag}", source.repository)
            subprocess.run([*clone, tree], check=True)
            return tree
        downloads = self.folder / "downloads"
        wanted = f"{source.name}=={source.version}"
        self._run("-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:", f"--dest={downloads}", wanted)
        stem = f"{source.name.replace('-', '_')}-{source.version}"
        with tarfile.open(downloads / f"{stem}.tar.gz") as archive:
            archive.extractall(tree.parent, filter="data")
        if stem != tree.name:
            (tree.parent / stem).rename(tree)
        return tree

    def with_additions(self, suite: Suite, tree: Path, *, again: bool) -> Path:
        """Return a copy of the tree with what the suite adds to it, `again` a new one; the tree itself when that is nothing."""
        if not suite.adds:
            return tree
        script, folder = suite.adds
        copy = tree.with_name(f"{suite.name}-with-additions")
        if again:
            shutil.rmtree(copy, ignore_errors=True)
        if not copy.exists():
            shutil.copytree(tree, copy, symlinks=True)
            self._run(str(HERE / script), str(copy / folder))
        return copy

    def disguised(self, suite: Suite, tree: Path, *, again: bool) -> Path:
        """Return a copy of the tree whose pictures hold LIC bytes; `again` a new one, with the model of this checkout."""
        copy = tree.with_name(f"{suite.name}-as-lic")
        if again:
            shutil.rmtree(copy, ignore_errors=True)
        if not copy.exists():
            shutil.copytree(tree, copy, symlinks=True)
            if suite.pictures:
                self._run(str(HERE / "disguise.py"), str(copy), *suite.pictures)
        return copy

    def run(self, suite: Suite, tree: Path, which: str, *, plugin: bool, saves: bool, again: bool) -> Outcomes:
        """Run the suite in the tree, or read the report of an earlier run, and return what became of each test."""
        report = self.reports / f"{suite.name}.{which}.xml"
        log = report.with_suffix(".log")
        if again or not log.exists() or (suite.reader == "junit" and not report.exists()):
            environment = {**os.environ, **suite.environment, "LIC_AUTOLOAD": "1" if plugin else "0"}
            if saves:
                environment["PYTHONPATH"] = os.pathsep.join(
                    (str(HERE / "savehook"), *suite.environment.get("PYTHONPATH", "").split(os.pathsep))
                )
            command = [self.python, *(part.format(report=report) for part in suite.command)]
            running = log.with_suffix(".running")
            with running.open("wb") as output:  # the exit status says no more than the report does
                subprocess.run(
                    command, cwd=tree / suite.folder, env=environment, stdout=output, stderr=output, check=False
                )
            running.rename(log)
        return from_junit(report) if suite.reader == "junit" else from_unittest(log.read_text("utf-8", "replace"))

    def _run(self, *arguments: str, stdout: int | None = None) -> None:
        print("+", *arguments, file=sys.stderr, flush=True)
        subprocess.run([self.python, *arguments], cwd=self.folder, check=True, stdout=stdout)
