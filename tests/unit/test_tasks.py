"""Tasks: found by name, light to plan with, and rows that are read as they were written."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from pairdx.errors import PairDxError
from pairdx.plan.code import SCRIPTS, files
from pairdx.plan.descriptions import analyses_of, metrics_of
from pairdx.tasks import names, task
from pairdx.tasks.single_label.rows import columns, predicted_rows, read_predictions

CLASSES = ("radiology", "chart")
PLANNED = """
import sys
from pairdx.plan.descriptions import analyses_of
assert "calibration" in analyses_of("single_label")
print(sorted({"numpy", "pandas", "scipy"} & set(sys.modules)))
"""


def test_a_task_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(PairDxError, match=r"no task 'triage'[^$]*single_label"):
        task("triage")


@pytest.mark.parametrize("name", names())
def test_a_task_is_what_its_folder_says_and_names_each_score_once(name: str) -> None:
    found = task(name)
    assert (found.name, found.analyses) == (name, analyses_of(name))
    scores = [metric.name for metric in found.metrics]
    assert scores == list(metrics_of(name))  # what the plan knows
    others = {"subset", "pairs", "cases", "per_class", "classes", "interval"}
    assert len(set(scores) | others) == len(scores) + len(others)
    of_classes = [score.name for score in found.class_scores]
    assert len({*of_classes, "support"}) == len(of_classes) + 1


def test_what_applies_to_a_task_is_planned_without_numpy() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", PLANNED],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("name", names())
def test_a_new_metric_predicts_nothing_anew(name: str) -> None:
    """The job that predicts depends on what a row holds, not on what is computed of it."""
    used = {
        str(path.relative_to(SCRIPTS))
        for path in files("predict.py", (f"pairdx.tasks.{name}.rows",))
    }
    assert f"pairdx/tasks/{name}/rows.py" in used
    for part in ("metrics", "weighed", "task", "analyses"):
        assert f"pairdx/tasks/{name}/{part}.py" not in used


def test_rows_are_read_as_they_were_written() -> None:
    pairs = pd.DataFrame(
        {
            "pair_id": ["b", "a"],
            "case_id": ["one", "two"],
            "caption": "text",
            "label": ["chart", "radiology"],
        }
    )
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32)
    table = predicted_rows(pairs, probabilities, CLASSES, subset="test")
    assert list(table) == columns(CLASSES)
    assert table["predicted"].tolist() == ["chart", "radiology"]
    assert table["p_chart"].dtype == np.float32
    read = read_predictions(table, CLASSES)
    assert len(read) == read.cases == 2
    np.testing.assert_array_equal(read.truth, [0, 1])  # in order of pair_id
    np.testing.assert_array_equal(read.probabilities, probabilities[::-1])
