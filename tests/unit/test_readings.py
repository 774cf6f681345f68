"""Two systems of ours for one of the paper's: its numbers stand beside each of them."""

from __future__ import annotations

import pandas as pd
import pytest

from pairdx.reporting.format.labels import further_readings, readings_note
from pairdx.reporting.paper import our_results as ours
from pairdx.reporting.paper.discrepancies import AGREES, DIFFERS, discrepancy_table
from pairdx.reporting.paper.readings import beside_each_other, readings_for_reading
from reporting_samples import papers_numbers

REGISTRY = {
    "clip": {"title": "CLIP", "stand_in": False, "paper": "clip_zero_shot"},
    "captions": {"title": "Trained on captions", "stand_in": False, "paper": "pairdx_clip"},
    "prompts": {"title": "Trained on prompts", "stand_in": False, "paper": "pairdx_clip"},
    "fusion": {"title": "Fusion", "stand_in": False, "paper": "pairdx_fusion"},
    "words": {"title": "Words", "stand_in": False, "paper": None},
    "colour": {"title": "Colour", "stand_in": False, "paper": None},
}
DATASET = ours.Results({"pairs": 22665})


def table_with(epochs: int) -> pd.DataFrame:
    """The paper's numbers beside PairDxCLIP trained for so many epochs, and PairDxFusion."""
    systems = {
        "pairdx_clip": ours.Results({"settings": {"epochs": epochs, "batch_size": 128}}),
        "pairdx_fusion": ours.Results({"settings": {"epochs": 20}}),
    }
    return discrepancy_table(papers_numbers(), DATASET, systems)


@pytest.fixture(scope="module")
def both() -> pd.DataFrame:
    """Captions train for the paper's ten epochs, prompts for seven."""
    return beside_each_other(table_with(10), {"prompts": table_with(7)}, REGISTRY)


def test_a_further_reading_is_what_names_a_system_of_the_paper_again() -> None:
    assert further_readings(["clip", "captions", "captions", "prompts"], REGISTRY) == ["prompts"]
    assert further_readings(REGISTRY, REGISTRY) == ["prompts"]  # others are not the paper's at all
    # Where the first is switched off, the second stands for the paper's system.
    assert further_readings(["clip", "prompts", "fusion"], REGISTRY) == []


def test_its_rows_stand_behind_those_of_the_first_and_no_other_row_is_repeated(
    both: pd.DataFrame,
) -> None:
    first = table_with(10)
    own = first["statement"].str.startswith("systems.pairdx_clip.")
    assert 5 < own.sum() < len(first)
    assert len(both) == len(first) + own.sum()
    alone = both[both["system"].isna()].drop(columns="system").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, first, check_dtype=False)
    added = both[both["system"] == "prompts"]
    assert list(added["statement"]) == list(first.loc[own, "statement"])
    assert set(added.index) == set(
        range(own[own].index[-1] + 1, own[own].index[-1] + 1 + own.sum())
    )


def test_each_reading_has_its_own_numbers_and_verdict(both: pd.DataFrame) -> None:
    epochs = both[both["statement"] == "systems.pairdx_clip.settings.epochs"]
    assert epochs["ours"].tolist() == [10, 7]
    assert epochs["verdict"].tolist() == [AGREES, DIFFERS]
    shown = readings_for_reading(both, REGISTRY)
    assert len(shown) == len(both)
    assert shown.loc[epochs.index, "About"].tolist() == [
        "Trained on captions",
        "Trained on prompts",
    ]
    assert shown.loc[0, "What"] == readings_for_reading(both.iloc[:1], REGISTRY).loc[0, "What"]


def test_the_note_names_both_and_there_is_none_without() -> None:
    (note,) = readings_note(["prompts"], REGISTRY)
    assert "Trained on captions" in note
    assert "Trained on prompts" in note
    assert readings_note([], REGISTRY) == []


def test_without_a_further_reading_the_table_is_what_it_was() -> None:
    first = table_with(10)
    alone = beside_each_other(first, {}, REGISTRY)
    pd.testing.assert_frame_equal(alone.drop(columns="system"), first, check_dtype=False)
    assert alone.columns[1] == "system"
