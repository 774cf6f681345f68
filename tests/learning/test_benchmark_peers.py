"""The comparison with peers: lines are counted and differences told as they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.suite.part_f import Found, lines_of, row, sentence, written_lines
from benchmarks.suite.peer_environments import create, missing

LABELS = np.array(["a"] * 50 + ["b"] * 50)
TEST = pd.DataFrame({"label": LABELS, "case_id": [f"case{row}" for row in range(100)]})
OF_TEN = TEST.assign(case_id=[f"case{row // 10}" for row in range(100)])


def found(who: str, right: int, **more: float) -> Found:
    predicted = [*LABELS[:right], *["wrong"] * (len(LABELS) - right)]
    given = {"training": 10.0, "milliseconds": 2.0, "lines": 20} | more
    return Found("a task", who, predicted=predicted, **given)  # type: ignore[arg-type]


def test_lines_are_those_that_somebody_wrote():
    """Neither the docstring at the head nor comments nor empty lines."""
    text = '"""What it is.\n\nMore.\n"""\n\nimport os\n\n# why\nprint(\n    os.name,\n)\n'
    assert written_lines(text) == 4


def test_lines_of_ours_are_those_that_concern_the_system_and_the_command():
    """Both share the head of the overlay; neither counts the other's entry."""
    shared = {"lite0": lines_of("lite0"), "tiny_clip": lines_of("tiny_clip")}
    assert all(10 < lines < 40 for lines in shared.values())
    assert lines_of("neither") == lines_of("another") < min(shared.values())


@pytest.mark.parametrize(("right", "told"), [(90, "behind"), (61, "not told apart"), (30, "ahead")])
def test_a_difference_that_may_be_chance_is_no_win(right, told):
    """60 of 100 against so many, on the same pairs."""
    said = sentence(found("this workflow", 60), found("Peer", right, training=40.0), TEST)
    assert f": {told})" in said
    assert "training 0.25 times as long" in said


def test_a_difference_of_few_cases_is_no_win():
    """Ten pairs more are right; they are one case of ten, where ten cases of a hundred tell."""
    own, other = found("this workflow", 60), found("Peer", 50)
    assert ": ahead)" in sentence(own, other, TEST)
    assert ": not told apart)" in sentence(own, other, OF_TEN)
    assert "(no interval: one case)" in sentence(own, other, TEST.assign(case_id="only"))


def test_training_is_compared_with_imports_and_packing_and_without():
    """10 seconds of which 5 are training itself, against 40 with 30 of imports."""
    own = found("this workflow", 60, imports=3.0, packing=2.0)
    said = sentence(own, found("Peer", 60, training=40.0, imports=30.0), TEST)
    assert "0.25 times as long (imports and packing apart 0.50 times)" in said


def test_a_row_has_the_accuracy_with_an_interval_over_cases():
    """80 of 100: Wilson's 71.1 to 86.7 % if every pair is a case, wider where cases are of ten."""
    shown = {
        name: row(found("x", 80), test)["right, % (95 % interval)"]
        for name, test in (("single", TEST), ("tens", OF_TEN))
    }
    bounds = {name: [float(x) for x in text[6:-1].split(" to ")] for name, text in shown.items()}
    assert bounds["single"] == pytest.approx([71.1, 86.7], abs=0.5)
    assert bounds["tens"][0] < 65 < 90 < bounds["tens"][1]


def test_why_a_peer_is_not_there_is_what_its_installation_said(tmp_path):
    """The page says it in the place of figures."""
    pins = tmp_path / "pins.txt"
    pins.write_text("no/such/folder/of_a_package-1.0-py3-none-any.whl\n", encoding="utf-8")
    assert "never created" in missing(tmp_path, "peer")
    said = create(tmp_path / "peer", pins)
    assert said
    assert missing(tmp_path, "peer") == f"peer is not installed: {said}"
    pins.write_text("# nothing\n", encoding="utf-8")
    assert create(tmp_path / "peer", pins) == ""
    assert missing(tmp_path, "peer") == ""
    assert create(tmp_path / "peer", pins) is None
