"""Accuracy under changed input: rows, paired differences, conditions in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pairdx.evaluation.input_probes import UNCHANGED
from pairdx.reporting.systems.input_probe_tables import (
    majority_shares,
    probe_notes,
    probe_table,
    probes_for_reading,
)
from reporting_samples import predictions

REGISTRY = {"fusion": {"title": "PairDxFusion"}, "words": {"title": "Words", "stand_in": True}}
RIGHT = {(UNCHANGED, np.nan): 0.9, ("caption_blank", np.nan): 0.9, ("blur", 2.0): 0.3}


def probes(seed: int = 0) -> pd.DataFrame:
    """input_probes.parquet of 60 pairs; blanking the caption changes nothing."""
    columns = ["pair_id", "case_id", "label", "probe", "level", "predicted"]
    tables = [
        predictions(seed, right).assign(probe=probe, level=level)
        for (probe, level), right in RIGHT.items()
    ]
    return pd.concat(tables, ignore_index=True)[columns]


def made() -> pd.DataFrame:
    given = {("grouped", "fusion"): probes(), ("grouped", "words"): probes(1)}
    return probe_table(given, resamples=200, seed=1)


def test_there_is_one_row_per_system_probe_and_level_in_the_order_given() -> None:
    table = made()
    assert table["system"].tolist() == ["fusion"] * 3 + ["words"] * 3
    assert table["probe"].tolist() == [probe for probe, _ in RIGHT] * 2
    assert table["level"].isna().tolist() == [True, True, False] * 2
    assert table["pairs"].tolist() == [60] * 6


def test_accuracies_are_shares_of_right_pairs_and_differences_are_to_the_unchanged_input() -> None:
    table = made().iloc[:3].set_index("probe")
    for probe, rows in probes().groupby("probe"):
        right = (rows["label"] == rows["predicted"]).mean()
        assert table.loc[probe, "accuracy"] == pytest.approx(right)
    loss = table.loc["blur", "accuracy"] - table.loc[UNCHANGED, "accuracy"]
    assert table.loc["blur", "difference"] == pytest.approx(loss)
    assert table.loc["blur", "difference_high"] < 0
    assert np.isnan(table.loc[UNCHANGED, "difference"])


def test_a_probe_that_changes_no_prediction_leaves_little_open_but_not_nothing() -> None:
    """Intervals of differences are paired; of 30 cases without a change, some may change one."""
    row = made().set_index("probe").loc["caption_blank"].iloc[0]
    assert row["difference"] == 0
    assert -4 / 30 < row["difference_low"] < 0 < row["difference_high"] < 4 / 30
    assert row["accuracy_low"] < row["accuracy_high"]


def test_the_table_for_reading_names_probes_and_levels() -> None:
    shown = probes_for_reading(made(), REGISTRY)
    assert shown["Input"].tolist()[:3] == ["Unchanged", "Caption blanked", "Blur, sigma in pixels"]
    assert shown["Level"].fillna("").tolist()[:3] == ["", "", "2"]
    assert shown["System"].tolist()[3] == "Words (untrained stand-in)"


def test_the_notes_state_what_guessing_does_and_call_stand_ins_so() -> None:
    given = {("grouped", "words"): probes()}
    assert majority_shares(given) == {"grouped": pytest.approx(1 / 3)}
    notes = probe_notes(given, REGISTRY, 200)
    assert "randomly initialised" in notes[0]
    assert any("grouped split: 33.3 %" in note for note in notes)
