"""The comparison of two runs of another project's suite; the suites run by hand, see tests/third_party/README.md."""

import importlib
from pathlib import Path

import pytest
from third_party.outcomes import differences, explanation, from_junit, from_unittest

LOG = """
test_plain (app.tests.Case.test_plain) ... ok
test_told (app.tests.Case.test_told)
What it is for. ... ok
test_not_here (app.tests.Case.test_not_here) ... skipped 'no library'
test_wrong (app.tests.Case.test_wrong) ... something printed
FAIL
app.tests.broken (unittest.loader._FailedTest.app.tests.broken) ... ERROR

ERROR: app.tests.broken (unittest.loader._FailedTest.app.tests.broken)
FAIL: test_wrong (app.tests.Case.test_wrong)
Ran 5 tests in 0.1s
"""


def test_outcomes_of_unittest() -> None:
    assert from_unittest(LOG) == {
        "app.tests.Case.test_plain": "passed",
        "app.tests.Case.test_told": "passed",
        "app.tests.Case.test_not_here": "skipped",
        "app.tests.Case.test_wrong": "failed",
        "unittest.loader._FailedTest.app.tests.broken": "error",
    }


def test_a_run_that_broke_off_or_was_misread_is_not_taken_for_a_good_one() -> None:
    with pytest.raises(ValueError, match="no closing line"):
        from_unittest(LOG.partition("Ran")[0])
    with pytest.raises(ValueError, match="9 tests ran and only 5"):
        from_unittest(LOG.replace("Ran 5", "Ran 9"))


def test_outcomes_of_junit(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a" name="b[&lt;f at 0x7f00aabbcc&gt;]"/>'
        '<testcase classname="a" name="c"><failure/></testcase><testcase classname="a" name="d"><skipped/></testcase>'
        "</testsuite></testsuites>"
    )
    assert from_junit(report) == {"a::b[<f at 0x>]": "passed", "a::c": "failed", "a::d": "skipped"}


def test_only_what_differs_is_told_with_its_reason() -> None:
    before = {"a": "passed", "b": "passed", "gone": "passed"}
    after = {"a": "passed", "b": "failed", "new[1]": "passed"}
    differ = differences(before, after)
    assert differ == {"b": ("passed", "failed"), "gone": ("passed", "absent"), "new[1]": ("absent", "passed")}
    assert explanation("new[1]", {"*": "any"}) == "any"
    assert explanation("new[1]", {"new[1]": "this"}) == "this"
    assert explanation("b", {"new*": "this"}) == ""


def test_copies_of_an_earlier_model_are_made_anew_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "third_party")
    suites, workshop = importlib.import_module("suites"), importlib.import_module("workshop")
    suite = suites.Suite("a", suites.Source("a", "1"), "disguised", (), "unittest")
    tree = tmp_path / "a-1"
    tree.mkdir()
    shop = workshop.Workshop(tmp_path)
    left_over = shop.disguised(suite, tree, again=False) / "left over"
    left_over.touch()
    assert (shop.disguised(suite, tree, again=False) / left_over.name).exists()
    assert not (shop.disguised(suite, tree, again=True) / left_over.name).exists()
