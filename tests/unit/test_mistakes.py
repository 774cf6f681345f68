"""Confident mistakes and disagreements: hand-computed rows, counts, and text from outside."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pairdx.errors import PairDxError
from pairdx.evaluation.mistakes import best_two, confident_mistakes, disagreements, side_by_side
from pairdx.reporting.format.glyphs import drawable
from pairdx.reporting.format.webpage import as_html
from pairdx.reporting.systems.mistake_sheets import (
    LICENCE_NOTE,
    disagreement_notes,
    disagreements_for_reading,
    sheet_note,
)
from reporting_samples import CLASSES, NAMES, predictions

REGISTRY = {"one": {"title": "System one"}, "two": {"title": "System two"}}


def said(answers: list[tuple[str, float]], subset: str = "test") -> pd.DataFrame:
    """Predictions of pairs that are all radiology; each answer is a class and its probability."""
    table = pd.DataFrame({"pair_id": [f"p{row}" for row in range(len(answers))]})
    table = table.assign(case_id=table["pair_id"], subset=subset, label=CLASSES[0])
    table["predicted"] = [name for name, _ in answers]
    for name in CLASSES:
        table[f"p_{name}"] = [p if best == name else (1 - p) / 2 for best, p in answers]
    return table


ONE = said([("radiology", 0.9), ("chart", 0.8), ("radiology", 0.6), ("chart", 0.7), ("chart", 0.9)])
TWO = said(
    [
        *[("radiology", 0.5), ("radiology", 0.7), ("chart", 0.9), ("chart", 0.9)],
        ("medical_photograph", 0.95),
    ]
)


def test_mistakes_are_wrong_and_the_surest_stand_first() -> None:
    found = confident_mistakes(pd.concat([ONE, said([("chart", 1.0)], "validation")]), CLASSES, 2)
    assert found["pair_id"].tolist() == ["p4", "p1"]
    assert found["confidence"].tolist() == pytest.approx([0.9, 0.8])


def test_a_system_without_mistakes_has_none() -> None:
    assert confident_mistakes(said([("radiology", 0.9)]), CLASSES, 5).empty


def test_who_is_right_is_counted_pair_by_pair() -> None:
    both = side_by_side({"one": ONE, "two": TWO}, CLASSES)
    assert both["right"].tolist() == ["both", "two", "one", "neither", "neither"]
    notes = disagreement_notes(
        both, ["one", "two"], REGISTRY, chosen="Chosen so.", listed=2, drawn=False
    )
    assert "both right: 1 (20.0 %)" in notes[0]
    assert "only System one right: 1 (20.0 %); only System two right: 1" in notes[0]
    assert "both wrong: 2 (40.0 %), 1 of these with the same wrong class" in notes[0]
    assert "disagree on 3: the first 2 listed" in notes[2]


def test_disagreements_include_two_different_mistakes_and_the_surest_stand_first() -> None:
    differ = disagreements(side_by_side({"one": ONE, "two": TWO}, CLASSES), ["one", "two"])
    assert differ["pair_id"].tolist() == ["p4", "p1", "p2"]


def test_predictions_of_other_pairs_are_not_set_side_by_side() -> None:
    with pytest.raises(PairDxError, match="different pairs"):
        side_by_side({"one": ONE, "two": TWO.iloc[:-1]}, CLASSES)


def test_the_best_two_are_those_on_validation_pairs() -> None:
    """The system that is best on the test pairs alone is not chosen; ties keep their order."""

    def system(*validation: float, test: float) -> list[pd.DataFrame]:
        seeds = [predictions(1, right).assign(subset="validation") for right in validation]
        return [pd.concat([one, predictions(2, test)]) for one in seeds]

    systems = {"a": system(0.2, test=1.0), "b": system(0.6, test=0.0), "c": system(0.9, test=0.1)}
    assert best_two(systems) == ["c", "b"]
    ties = {"x": system(0.5, test=0.0), "y": system(0.5, test=1.0), "z": systems["a"]}
    assert best_two(ties) == ["x", "y"]
    # A lucky first seed does not choose a system.
    assert best_two(systems | {"d": system(1.0, 0.1, 0.1, test=1.0)}) == ["c", "b"]
    with pytest.raises(PairDxError, match="two systems"):
        best_two({"a": systems["a"]})


def test_markup_in_captions_shows_as_text_and_the_list_is_cut() -> None:
    differ = disagreements(side_by_side({"one": ONE, "two": TWO}, CLASSES), ["one", "two"])
    differ["caption"] = "<script>alert(1)</script> & more"
    shown = disagreements_for_reading(differ, ["one", "two"], REGISTRY, 2, NAMES)
    page = as_html(shown, title="x")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert len(shown) == 2
    assert shown["Right"].tolist() == ["Neither", "System two"]


def test_sheets_of_real_images_name_their_licences() -> None:
    assert LICENCE_NOTE in sheet_note(REGISTRY["one"], drawn=False)
    assert "no patient is shown" in sheet_note(REGISTRY["one"], drawn=True)


def test_what_the_font_lacks_becomes_a_box_and_controls_become_spaces() -> None:
    assert drawable("heart \U0001fac0\x07end \u00b5m") == "heart \u25a1 end \u00b5m"
    assert np.all([drawable(text) == text for text in ("plain", "\u03b2 \u2264 \u00e9")])
