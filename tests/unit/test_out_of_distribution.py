"""Detection of classes out of distribution: scikit-learn's numbers, rates by hand, empty cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from pairdx.curation.out_of_distribution import sample_out_of_distribution
from pairdx.errors import PairDxError
from pairdx.evaluation.out_of_distribution import detection, threshold_to_pass
from pairdx.reporting.systems.out_of_distribution_tables import (
    out_of_distribution_for_reading,
    out_of_distribution_notes,
    out_of_distribution_table,
)

REGISTRY = {"clip": {"title": "CLIP"}, "majority": {"title": "Most frequent class"}}
HOW = {"resamples": 100, "seed": 1}


def scored(seed: int = 0, shift: float = 0.3, outside: int = 40, known: int = 60) -> pd.DataFrame:
    """out_of_distribution.parquet without validation pairs: other classes are less sure."""
    generator = np.random.default_rng(seed)
    is_outside = np.arange(known + outside) >= known
    sure = generator.normal(0.7, 0.2, known + outside) - shift * is_outside
    return pd.DataFrame(
        {
            "pair_id": [f"pair_{row:03d}" for row in range(known + outside)],
            "case_id": [f"case_{row % 50:02d}" for row in range(known + outside)],
            "subset": np.where(is_outside, "out_of_distribution", "test"),
            "max_probability": sure,
            "energy": generator.normal(0, 1, known + outside) + 2 * shift * is_outside,
        }
    )


def with_validation(table: pd.DataFrame, seed: int = 9, **how: float) -> pd.DataFrame:
    """The whole file: validation pairs first, as sure as the known ones."""
    first = scored(seed, **how).query("subset == 'test'")
    first = first.assign(subset="validation", pair_id="v_" + first["pair_id"])
    return pd.concat([first, table], ignore_index=True)


@pytest.mark.parametrize("decimals", [1, 9])
def test_auroc_and_rate_are_scikit_learns(decimals: int) -> None:
    """With ties and without: positives of the rate are known pairs, as the field has it."""
    table = scored()
    confidence = table["max_probability"].round(decimals).to_numpy()
    outside = (table["subset"] == "out_of_distribution").to_numpy()
    threshold = threshold_to_pass(confidence[~outside])
    found = detection(confidence, outside, table["case_id"], threshold=threshold, **HOW)
    assert found.auroc == pytest.approx(sk.roc_auc_score(outside, -confidence))
    false, true, _ = sk.roc_curve(~outside, confidence, drop_intermediate=False)
    assert found.false_positive_rate == pytest.approx(false[true >= 0.95].min())


def test_the_rate_by_hand() -> None:
    """19 of 20 known pairs are surer than 0.2, and so are two of four others."""
    confidence = np.array([0.1, *np.linspace(0.2, 0.9, 19), 0.05, 0.15, 0.2, 0.95])
    outside = np.arange(24) >= 20
    cases = pd.Series([f"case{row}" for row in range(24)])
    threshold = threshold_to_pass(confidence[~outside])
    assert threshold == 0.2
    found = detection(confidence, outside, cases, threshold=threshold, **HOW)
    assert (found.false_positive_rate, found.true_positive_rate) == (0.5, 0.95)


def test_the_threshold_is_the_validation_pairs() -> None:
    """Test pairs that are less sure than the validation pairs pass less often than 95 %."""
    table = scored()
    table.loc[table["subset"] == "test", "max_probability"] -= 0.2
    found = out_of_distribution_table({("clip", "grouped"): [with_validation(table)]}, **HOW).iloc[
        0
    ]
    chosen = threshold_to_pass(scored(9).query("subset == 'test'")["max_probability"].to_numpy())
    for subset, name in (("out_of_distribution", "false"), ("test", "true")):
        passes = table.loc[table["subset"] == subset, "max_probability"] >= chosen
        named = f"{name}_positive_rate_max_probability"
        assert found[named] == pytest.approx(passes.mean())
        assert found[f"{named}_low"] < found[named] < found[f"{named}_high"]
    assert found["true_positive_rate_max_probability_high"] < 0.95


def test_every_resample_is_the_auroc_of_its_cases_written_out() -> None:
    table = scored()
    confidence = table["max_probability"].to_numpy()
    outside = (table["subset"] == "out_of_distribution").to_numpy()
    found = detection(confidence, outside, table["case_id"], threshold=0.4, resamples=5, seed=3)
    codes, names = pd.factorize(table["case_id"], sort=True)
    drawn = np.random.default_rng(3).integers(0, len(names), (5, len(names)))
    for values, cases in zip(found.resampled, drawn, strict=True):
        rows = np.concatenate([np.flatnonzero(codes == case) for case in cases])
        passes = confidence[rows] >= 0.4
        expected = [
            sk.roc_auc_score(outside[rows], -confidence[rows]),
            passes[outside[rows]].mean(),
            passes[~outside[rows]].mean(),
        ]
        assert values.tolist() == pytest.approx(expected)


def test_a_resample_without_pairs_out_of_distribution_has_no_auroc() -> None:
    table = scored(outside=1, known=10)
    table["case_id"] = table["pair_id"]
    outside = (table["subset"] == "out_of_distribution").to_numpy()
    sure = table["max_probability"].to_numpy()
    found = detection(sure, outside, table["case_id"], threshold=0.4, **HOW)
    assert 0 < np.isnan(found.resampled[:, 0]).sum() < 100


def test_the_table_averages_seeds_and_knows_which_way_is_sure() -> None:
    """Low probability and high energy are out of distribution."""
    tables = [scored(0), scored(1)]
    whole = [with_validation(table) for table in tables]
    row = out_of_distribution_table({("clip", "grouped"): whole}, **HOW).iloc[0]
    outside = tables[0]["subset"] == "out_of_distribution"
    for kind, sign in (("max_probability", -1), ("energy", 1)):
        areas = [sk.roc_auc_score(outside, sign * table[kind]) for table in tables]
        assert row[f"auroc_{kind}"] == pytest.approx(np.mean(areas))
        assert 0.5 < row[f"auroc_{kind}_low"] < row[f"auroc_{kind}"] < row[f"auroc_{kind}_high"]
    assert row[["seeds", "known_pairs", "out_of_distribution_pairs"]].tolist() == [2, 60, 40]


def test_a_constant_confidence_is_chance_and_no_energy_is_an_empty_cell() -> None:
    table = with_validation(scored()).assign(max_probability=0.4, energy=np.nan)
    found = out_of_distribution_table({("majority", "grouped"): [table]}, **HOW)
    row = found.iloc[0]
    bounds = [row[f"auroc_max_probability{end}"] for end in ("", "_low", "_high")]
    assert bounds == [0.5, 0.5, 0.5]
    assert row["false_positive_rate_max_probability"] == 1
    assert found.filter(like="energy").isna().all(axis=None)
    shown = out_of_distribution_for_reading(found, REGISTRY).iloc[0]
    assert shown["AUROC by highest probability, % (interval)"] == "50.0 (50.0 to 50.0)"
    assert pd.isna(shown["AUROC by energy, % (interval)"])
    # All pass, and of other pairs a few might not.
    assert shown["Taken for known by highest probability, % (interval)"].startswith("100.0 (9")


def test_without_pairs_out_of_distribution_the_table_says_so() -> None:
    found = out_of_distribution_table({("clip", "grouped"): [scored().iloc[:0]]}, **HOW)
    assert found["out_of_distribution_pairs"].tolist() == [0]
    assert out_of_distribution_for_reading(found, REGISTRY)["System"].tolist() == ["CLIP"]
    notes = out_of_distribution_notes(found, REGISTRY, ["pathology"], 100)
    assert len(notes) == 1
    assert "No pair was out of distribution" in notes[0]
    assert "Pathology" in notes[0]


def test_seeds_that_were_asked_about_different_pairs_are_refused() -> None:
    with pytest.raises(PairDxError, match="different pairs"):
        out_of_distribution_table({("clip", "grouped"): [scored(), scored().iloc[1:]]}, **HOW)


def test_a_larger_sample_holds_the_smaller_one_in_any_order_of_the_input() -> None:
    pairs = pd.DataFrame({"pair_id": [f"pair_{row}" for row in range(30)]})
    few, more = (sample_out_of_distribution(pairs, most, seed=1)["pair_id"] for most in (5, 12))
    assert set(few) < set(more)
    assert few.is_monotonic_increasing
    assert sample_out_of_distribution(pairs[::-1], 5, seed=1)["pair_id"].equals(few)
    assert set(sample_out_of_distribution(pairs, 5, seed=2)["pair_id"]) != set(few)
    assert len(sample_out_of_distribution(pairs, None, seed=1)) == 30
    assert sample_out_of_distribution(pairs.iloc[:0], 5, seed=1).empty
