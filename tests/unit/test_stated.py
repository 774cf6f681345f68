"""What the paper states about a system stands on its tables and figures, and nowhere else."""

from __future__ import annotations

import pandas as pd
import pytest

from pairdx.reporting.format.tables import per_class_report, without_empty_paper
from pairdx.reporting.paper.stated import accuracy_notes, confusion_notes, training_notes
from reporting_samples import NAMES, metrics_of, papers_numbers, predictions

SYSTEMS = papers_numbers()["systems"]


def test_the_papers_values_stand_beside_ours_in_the_scores_per_class() -> None:
    metrics = [metrics_of(predictions(0))]
    report = per_class_report(metrics, SYSTEMS["clip_zero_shot"])
    without_bounds = [name for name in report if not name.endswith(("_low", "_high"))]
    assert without_bounds == [
        *("class", "precision", "recall", "paper_recall", "f1", "paper_accuracy", "support")
    ]
    rows = report.set_index("class")
    assert rows["paper_recall"]["radiology"] == 0.4674
    assert pd.isna(rows["paper_recall"]["medical_photograph"])
    assert rows["paper_accuracy"].dropna().to_dict() == {"accuracy": 0.6118}
    ours = per_class_report(metrics)
    pd.testing.assert_frame_equal(report[["recall", "f1"]], ours[["recall", "f1"]])


def test_columns_in_which_the_paper_states_nothing_are_not_shown() -> None:
    metrics = [metrics_of(predictions(0))]
    shown = [
        [name for name in without_empty_paper(per_class_report(metrics, stated)) if "paper" in name]
        for stated in (SYSTEMS["clip_zero_shot"], SYSTEMS["pairdx_clip"], {})
    ]
    assert shown == [["paper_recall", "paper_accuracy"], ["paper_accuracy"], []]


def test_notes_quote_the_paper_with_its_places_and_contradictions() -> None:
    text = " ".join(accuracy_notes(SYSTEMS["pairdx_clip"]))
    assert "93% (Abstract" in text
    assert "94% (Section 4.3)" in text
    assert accuracy_notes({}) == []
    (note,) = training_notes(SYSTEMS["pairdx_fusion"])
    assert note.startswith("Paper: 20 epochs (Section 3.5), 17 min 55 s (")
    assert training_notes(SYSTEMS["clip_zero_shot"]) == []


@pytest.mark.parametrize(("system", "pairs"), [("pairdx_clip", 32), ("pairdx_fusion", 38)])
def test_the_papers_confusions_stand_under_the_confusion_matrix(system: str, pairs: int) -> None:
    labels = ["endoscopy", "chart", "medical_photograph"]
    classes = {label: label.replace("_", " ") for label in labels}
    confusion = [[9, 0, 4], [0, 9, 0], [1234, 0, 9]]
    (note,) = confusion_notes(SYSTEMS[system], confusion, classes)
    assert f"{pairs} pairs" in note
    assert "Here: 1,234 of medical photograph and 4 of endoscopy" in note
    assert confusion_notes(SYSTEMS[system], [[1] * 3] * 3, NAMES) == []
    assert confusion_notes({}, confusion, classes) == []
