"""Accuracy by prompt: hand-computed values, paired differences, the range in words."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn import metrics as sk

from pairdx.errors import PairDxError
from pairdx.evaluation.accuracy import accuracy_difference, accuracy_over_seeds
from pairdx.models.prompt_sets import ALL_TEMPLATES, OWN_PROMPTS, prompt_sets
from pairdx.reporting.format.markdown import as_markdown
from pairdx.reporting.systems.prompt_tables import prompt_notes, prompt_table, prompts_for_reading
from reporting_samples import predictions

REGISTRY = {"clip": {"title": "CLIP"}, "bio": {"title": "BiomedCLIP", "stand_in": True}}
HOW = {"resamples": 200, "seed": 1}
# Share of right predictions by prompt.
RIGHT = {OWN_PROMPTS: 0.7, "a photo of a {}": 0.7, "{}": 0.3, ALL_TEMPLATES: 0.8}


def prompts(seed: int = 0) -> pd.DataFrame:
    """prompts.parquet of 60 pairs; the first single template is the system's own."""
    columns = ["pair_id", "case_id", "label", "template", "predicted"]
    tables = [predictions(seed, right).assign(template=name) for name, right in RIGHT.items()]
    return pd.concat(tables, ignore_index=True)[columns]


def rows_of(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index("template")


def test_sets_are_the_own_prompts_each_template_and_all_of_them() -> None:
    assert prompt_sets(["x {}", "y {}"], ["a {}", "{}"]) == {
        OWN_PROMPTS: ["x {}", "y {}"],
        "a {}": ["a {}"],
        "{}": ["{}"],
        ALL_TEMPLATES: ["a {}", "{}"],
    }


def test_there_is_one_row_per_system_split_and_prompt_in_the_order_given() -> None:
    given = {("clip", "grouped"): [prompts()], ("bio", "stratified"): [prompts(1)]}
    table = prompt_table(given, **HOW)
    assert table["template"].tolist() == [*RIGHT, *RIGHT]
    assert table["system"].tolist() == ["clip"] * 4 + ["bio"] * 4
    assert table["split"].tolist() == ["grouped"] * 4 + ["stratified"] * 4


def test_accuracy_and_macro_recall_are_scikit_learns() -> None:
    table = rows_of(prompt_table({("clip", "grouped"): [prompts()]}, **HOW))
    for name, row in table.iterrows():
        chosen = prompts()[lambda found, name=name: found["template"] == name]
        truth, predicted = chosen["label"], chosen["predicted"]
        assert row["accuracy"] == pytest.approx(sk.accuracy_score(truth, predicted))
        assert row["macro_recall"] == pytest.approx(sk.balanced_accuracy_score(truth, predicted))
        assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]


def test_differences_are_to_the_own_prompts_which_have_none() -> None:
    table = rows_of(prompt_table({("clip", "grouped"): [prompts()]}, **HOW))
    assert table.loc[OWN_PROMPTS, ["difference", "difference_low"]].isna().all()
    gain = table.loc["{}", "accuracy"] - table.loc[OWN_PROMPTS, "accuracy"]
    assert table.loc["{}", "difference"] == pytest.approx(gain)
    assert table.loc["{}", "difference_high"] < 0


def test_a_template_that_differs_in_no_pair_has_a_narrow_interval_that_is_not_empty() -> None:
    """The interval is paired: two separate intervals would be as wide as those of accuracies."""
    table = rows_of(prompt_table({("clip", "grouped"): [prompts()]}, **HOW))
    same = table.loc["a photo of a {}"]
    assert same["difference"] == 0
    assert same["difference_low"] < 0 < same["difference_high"]
    width = same["difference_high"] - same["difference_low"]
    assert width < 0.7 * (same["accuracy_high"] - same["accuracy_low"])


def test_seeds_are_averaged() -> None:
    both = rows_of(prompt_table({("clip", "grouped"): [prompts(0), prompts(1)]}, **HOW))
    each = [rows_of(prompt_table({("clip", "grouped"): [prompts(s)]}, **HOW)) for s in (0, 1)]
    for column in ("accuracy", "macro_recall"):
        assert both[column].tolist() == pytest.approx(
            ((each[0][column] + each[1][column]) / 2).tolist()
        )
    assert both["seeds"].tolist() == [2] * 4


def test_a_difference_of_accuracies_resamples_the_same_cases() -> None:
    """Against a reference that is never right, it is the accuracy itself, interval included."""
    table, wrong = (
        pd.concat([predictions(seed, correct).assign(pair_id=lambda rows, at=seed: rows["pair_id"]
        + f"_{at}", case_id=lambda rows, at=seed: rows["case_id"] + f"_{at}") for seed in range(9)])
        for correct in (0.7, 0.0)
    )  # fmt: skip
    gain = accuracy_difference([table], [wrong], **HOW)
    alone = accuracy_over_seeds([table], **HOW)
    assert gain["value"] == pytest.approx(alone["value"])
    assert [gain["low"], gain["high"]] == pytest.approx([alone["low"], alone["high"]], abs=0.01)


def test_accuracies_over_different_pairs_are_not_compared() -> None:
    fewer = predictions(0).iloc[:-1]
    with pytest.raises(PairDxError, match="different pairs"):
        accuracy_difference([predictions(0)], [fewer], **HOW)


def test_the_range_over_single_templates_stands_in_words() -> None:
    """Neither the own prompts nor all templates together count, though these are the best here."""
    table = prompt_table({("clip", "grouped"): [prompts()]}, **HOW)
    found = rows_of(table)["accuracy"]
    notes = prompt_notes(table, REGISTRY, {"clip": ["a photo of a {}"]}, 200)
    low, high = (f"{100 * found[name]:.1f} %" for name in ("{}", "a photo of a {}"))
    assert notes[0].startswith(f"CLIP, grouped split: from {low} (“{{}}”) to {high} (“a photo")
    assert f"{100 * (found['a photo of a {}'] - found['{}']):.1f} percentage points" in notes[0]
    assert "200 resamples" in notes[-1]


def test_a_stand_in_is_called_so_and_long_lists_of_own_prompts_are_cut() -> None:
    table = prompt_table({("bio", "grouped"): [prompts()]}, **HOW)
    own = {"bio": [f"{{}} {number}" for number in range(80)]}
    notes = prompt_notes(table, REGISTRY, own, 200)
    assert "randomly initialised" in notes[0]
    assert any("“{} 2” and 77 more" in note for note in notes)


def test_the_table_for_reading_has_intervals_and_no_negative_zero() -> None:
    table = prompt_table({("clip", "medical_split"): [prompts()]}, **HOW)
    table.loc[1, "difference"] = -0.0001
    shown = prompts_for_reading(table, REGISTRY)
    cells = shown["Difference to own prompts, points (interval)"].tolist()
    assert pd.isna(cells[0])
    assert cells[1].startswith("0.0 (-")
    assert cells[2].startswith("-")
    assert "| {} " in as_markdown(shown, title="x")
    assert shown["Split"].unique().tolist() == ["Medical split"]
