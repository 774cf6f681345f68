"""Grids: what each cell states, how it is compared with its baseline, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from figure_checks import assert_whole
from pairdx.evaluation.contributions import contributions, worth
from pairdx.evaluation.grids import GridCell, alone, grid_table
from pairdx.evaluation.intervals import case_weights
from pairdx.evaluation.mean_gains import (
    BASELINE,
    BETTER,
    NOT_TESTED,
    NOT_TOLD_APART,
    ONE_SEED,
    WORSE,
    combined_p,
    is_mean,
)
from pairdx.evaluation.score_intervals import variance_of_mean
from pairdx.reporting.systems.grid_figure import grid_differences
from pairdx.reporting.systems.grid_notes import grid_notes
from pairdx.reporting.systems.grids import grid_for_reading, row_titles, with_means
from pairdx.tasks import task

CLASSES = ["normal", "tumour"]
TASK = task("single_label")
BALANCED = next(metric for metric in TASK.metrics if metric.name == "balanced_accuracy")
GRID: dict[str, Any] = {
    "baseline": "plain",
    "columns": {"plain": "Unimodal", "texts": "With texts"},
    "rows": {"small": "ViT-S/16", "gated": "UNI"},
}
DATASETS = {"pcam": {"title": "PCAM"}}


def predictions(right: NDArray[np.bool_], truth: NDArray[np.int64]) -> pd.DataFrame:
    """A table of pairs of which two make a case; right where ``right`` is."""
    predicted = np.where(right, truth, 1 - truth)
    return pd.DataFrame(
        {
            "pair_id": [f"pair_{at:04d}" for at in range(len(truth))],
            "case_id": [f"case_{at // 2:04d}" for at in range(len(truth))],
            "subset": "test",
            "label": np.array(CLASSES)[truth],
            "predicted": np.array(CLASSES)[predicted],
            "p_normal": np.where(predicted == 0, 0.9, 0.1),
            "p_tumour": np.where(predicted == 1, 0.9, 0.1),
        }
    )


def trainings(recalls: list[tuple[float, float]], pairs: int = 400) -> list[pd.DataFrame]:
    """A table per seed with so many of each class right; three in four are normal."""
    truth = (np.arange(pairs) % 4 == 0).astype(np.int64)
    found = []
    for seed, of_classes in enumerate(recalls):
        right = np.zeros(pairs, dtype=bool)
        for label, recall in enumerate(of_classes):
            own = np.random.default_rng(seed).permutation(np.flatnonzero(truth == label))
            right[own[: round(recall * len(own))]] = True
        found.append(predictions(right, truth))
    return found


def table_of(*cells: GridCell, stated: dict[Any, Any] | None = None) -> pd.DataFrame:
    return grid_table(
        cells,
        {"pcam": TASK},
        {"pcam": CLASSES},
        stated or {},
        metric="balanced_accuracy",
        baseline="plain",
        resamples=200,
        seed=0,
    )


def cell(column: str, recalls: list[tuple[float, float]], **changes: Any) -> GridCell:
    place = ("small", column, "pcam", "published", f"small_{column}")
    return GridCell(*place, predictions=trainings(recalls), **changes)


PLAIN = [(0.80, 0.60), (0.82, 0.60), (0.84, 0.60)]
TEXTS = [(0.96, 0.90), (0.96, 0.92), (0.96, 0.94)]


def test_balanced_accuracy_is_the_mean_of_what_pairs_contribute_to_it() -> None:
    """By hand: recalls 2/3 and 1, a weight of 4 / (2 x 3) and of 4 / (2 x 1)."""
    truth, hits = np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 0.0, 1.0])
    found = contributions(truth, hits, "balanced_accuracy")
    assert found == pytest.approx(5 / 6 + np.array([2 / 9, 2 / 9, -4 / 9, 0]))
    assert found.mean() == pytest.approx((2 / 3 + 1) / 2)
    assert contributions(truth, hits, "accuracy") is hits
    # Of two averaged shares, over three pairs and over one, all cases of their own.
    assert worth(truth, np.arange(4), "balanced_accuracy") == pytest.approx(4 / (1 / 3 + 1))
    assert worth(truth, np.arange(4), "accuracy") == pytest.approx(4)


def test_the_variance_of_contributions_is_that_of_the_metric_over_cases() -> None:
    """Against the bootstrap of balanced accuracy itself; pairs of a case are alike."""
    generator = np.random.default_rng(3)
    cases = 300
    case = np.repeat(np.arange(cases), 3)
    truth = (np.arange(cases) % 5 == 0).astype(np.int64)[case]
    hits = (generator.random(cases) < np.where(np.arange(cases) % 5 == 0, 0.6, 0.9))[case] * 1.0
    linear = variance_of_mean(contributions(truth, hits, "balanced_accuracy"), case, cases)
    weights = next(case_weights(cases, resamples=800, seed=1))[:, case]
    recalls = [weights[:, truth == one] @ hits[truth == one] for one in (0, 1)]
    sizes = [weights[:, truth == one].sum(axis=1) for one in (0, 1)]
    drawn = sum(recall / size for recall, size in zip(recalls, sizes, strict=True)) / 2
    assert np.sqrt(linear) == pytest.approx(drawn.std(), rel=0.1)


def test_the_combined_p_is_a_paired_t_test_over_means() -> None:
    """By hand: differences 1, 2 and 3 have t = 2 / (1 / sqrt 3), of 2 degrees of freedom."""
    found = combined_p([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    t = 2 * np.sqrt(3)
    assert found.p == pytest.approx(1 - t / np.sqrt(t**2 + 2))
    assert found.means == 3
    assert combined_p([1.0], [0.5]).p is None
    assert combined_p([1.0, 2.0], [1.0, 2.0]).p == 1.0


def test_a_cell_has_mean_spread_and_difference_over_seeds() -> None:
    table = table_of(cell("plain", PLAIN), cell("texts", TEXTS)).set_index("column")
    assert table.loc["plain", "mean"] == pytest.approx(0.71)
    assert table.loc["plain", "standard_deviation"] == pytest.approx(0.01)
    assert table.loc["texts", "mean"] == pytest.approx(0.94)
    assert table.loc["texts", "standard_deviation"] == pytest.approx(0.01)
    assert table.loc["texts", "difference"] == pytest.approx(0.23)
    assert table["verdict"].to_dict() == {"plain": BASELINE, "texts": BETTER}
    assert not table.filter(like="paper").columns.any()
    low, high = table.loc["texts", ["difference_low", "difference_high"]]
    assert 0.1 < low < 0.23 < high < 0.36
    assert (low + high) / 2 == pytest.approx(0.23)
    assert list(table["seeds"]) == [3, 3]


@pytest.mark.parametrize(
    ("recalls", "changes", "verdict"),
    [
        ([(0.60, 0.40), (0.60, 0.42), (0.60, 0.44)], {}, WORSE),
        ([(0.81, 0.60), (0.82, 0.61), (0.85, 0.60)], {}, NOT_TOLD_APART),
        (TEXTS[:1], {}, ONE_SEED),
        (TEXTS[:1], {"random": False}, BETTER),
    ],
)
def test_verdicts_say_what_the_seeds_and_cases_allow(
    recalls: list[tuple[float, float]], changes: dict[str, Any], verdict: str
) -> None:
    table = table_of(cell("plain", PLAIN), cell("texts", recalls, **changes))
    assert table["verdict"].iloc[1] == verdict
    assert np.isnan(table["p"].iloc[1]) == (verdict == ONE_SEED)


def test_an_interval_ends_where_a_difference_of_shares_does() -> None:
    table = table_of(cell("plain", [(0.1, 0.1), (0.9, 0.9)]), cell("texts", TEXTS))
    assert tuple(table[["difference_low", "difference_high"]].iloc[1]) == (-1.0, 1.0)


def test_what_is_left_out_keeps_its_row_and_its_reason() -> None:
    reason = "config key systems.gated_plain.enabled is false; its weights must be asked for: there"
    gated = GridCell("gated", "plain", "pcam", "published", "gated_plain", reason)
    stated = {("pcam", "published", "gated_plain"): {"value": 0.9424, "sd": 0.0014, "place": "T"}}
    table = table_of(gated, cell("texts", TEXTS), stated=stated)
    assert list(table["left_out"].dropna()) == [reason]
    assert table["mean"].notna().tolist() == [False, True]
    # Its baseline is not there.
    assert table["verdict"].iloc[1] == NOT_TESTED
    assert table["paper"].tolist()[0] == 0.9424


def shown() -> tuple[pd.DataFrame, list[str]]:
    """A grid with the paper's numbers of both rows, of which one was not run."""
    numbers = {"plain": (0.9440, 0.0014), "texts": (0.9549, 0.0027)}
    stated, gated = {}, []
    for column, (value, spread) in numbers.items():
        name = f"gated_{column}"
        reason = f"config key systems.{name}.enabled is false"
        gated.append(GridCell("gated", column, "pcam", "published", name, reason))
        for row in ("small", "gated"):
            place = ("pcam", "published", f"{row}_{column}")
            stated[place] = {"value": value, "sd": spread, "place": "Table 1"}
    table = table_of(cell("plain", PLAIN), cell("texts", TEXTS), *gated, stated=stated)
    registry = {name: {"stand_in": False} for name in table["system"]}
    printed = {"combined_p": {"value": 2.65e-5, "place": "text"}}
    notes = grid_notes(table, GRID, DATASETS, registry, BALANCED, printed, resamples=200)
    return grid_for_reading(table, GRID, DATASETS, BALANCED, registry), notes


def test_a_grid_reads_as_papers_print_theirs() -> None:
    table, _ = shown()
    heading = "PCAM, published split: Unimodal \N{RIGHTWARDS ARROW} With texts"
    assert list(table["Backbone"]) == ["ViT-S/16", "ViT-S/16, paper", "UNI", "UNI, paper"]
    ours, theirs, gated, _ = table[heading]
    assert ours.startswith("71.00 ± 1.00 → 94.00 ± 1.00; +23.00 (")
    assert ours.endswith("), better")
    assert theirs == "94.40 ± 0.14 → 95.49 ± 0.27; +1.09"
    assert pd.isna(gated)


def test_notes_count_verdicts_and_name_what_was_not_run() -> None:
    _, notes = shown()
    text = "\n".join(notes)
    assert "With texts in 1 cell: better 1, worse 0, not told apart 0." in text
    assert "the paper prints 2.65e-05 (text)" in text
    assert "The paper's numbers: Table 1." in text
    assert "PCAM, published split: 3 seeds, 200 test cases." in text
    (left_out,) = (note for note in notes if note.startswith("Not run"))
    assert left_out == (
        "Not run: UNI (Unimodal, With texts) on PCAM. config key systems.NAME.enabled is false "
        "(NAME: gated_plain, gated_texts)."
    )


def test_a_note_names_datasets_whose_pairs_are_all_cases_of_their_own() -> None:
    """Two pairs make a case of PCAM's; of the other dataset's test pairs each is one."""
    tables = [
        one.assign(case_id=one["pair_id"].where(one["subset"] == "test", "shared"))
        for one in (pd.concat([one, one[:2].assign(subset="train")]) for one in trainings(PLAIN))
    ]
    place = ("small", "plain", "crc", "published", "small_plain")
    reason = "config key systems.small_plain.enabled is false"
    bach = GridCell("small", "plain", "bach", "published", "small_plain", reason)
    cells = [cell("plain", PLAIN), GridCell(*place, predictions=tables), bach]
    assert alone(cells) == ["crc"]
    half_known = GridCell(*place, predictions=[one.assign(case_id="a") for one in tables])
    assert alone([*cells, half_known]) == []
    titles = {**DATASETS, "crc": {"title": "CRC"}}
    registry = {"small_plain": {"stand_in": False}}
    how = (table_of(cells[0]), GRID, titles, registry, BALANCED, {})
    (note,) = [one for one in grid_notes(*how, resamples=9, alone=["crc"]) if "of its own" in one]
    assert note.startswith("CRC: every test pair is a case")
    assert "of its own" not in "".join(grid_notes(*how, resamples=9))


def test_rows_that_share_their_baseline_have_no_combined_p() -> None:
    """Its own noise moves every difference alike, which a test over rows takes for agreement."""
    cells = [cell("plain", PLAIN), cell("texts", TEXTS)]
    ablations = [replace(one, row="gated") for one in cells]
    table = table_of(*cells, *ablations)
    registry = {name: {"stand_in": False} for name in table["system"]}
    notes = grid_notes(table, GRID, DATASETS, registry, BALANCED, {}, resamples=200)
    assert not [note for note in notes if "datasets together" in note]


def test_the_figure_has_no_row_of_what_was_not_run() -> None:
    left = GridCell("gated", "texts", "pcam", "published", "uni", "it must be asked for")
    table = table_of(cell("plain", PLAIN), cell("texts", TEXTS), left)
    registry = {name: {"stand_in": False, "trained": True} for name in table["system"]}
    words = {"metric": "Balanced accuracy", "title": "A grid"}
    figure = grid_differences(table, GRID, DATASETS, registry, **words)
    (panel,) = figure.axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["ViT-S/16"]


def test_of_many_test_sets_a_row_is_a_backbone_on_one_of_them() -> None:
    elsewhere = [
        replace(one, dataset=place)
        for place in ("pcam", "pcam/crc")
        for one in (cell("plain", PLAIN), cell("texts", TEXTS))
    ]
    places = {"pcam": TASK, "pcam/crc": TASK}
    table = grid_table(
        elsewhere,
        places,
        dict.fromkeys(places, CLASSES),
        {},
        metric="balanced_accuracy",
        baseline="plain",
        resamples=100,
        seed=1,
    )
    means = table[is_mean(table["dataset"])]
    assert means["row"].tolist() == ["small", "small"]  # of one backbone none of all
    titles = {"pcam": {"title": "PCAM"}, "pcam/crc": {"title": "PCAM → CRC"}}
    words, datasets = with_means(GRID, titles, table)
    registry = {name: {"stand_in": False, "trained": True} for name in table["system"].dropna()}
    shown = grid_for_reading(table, words, datasets, BALANCED, registry)
    assert shown["Test set"].tolist() == ["PCAM", "PCAM → CRC", "Mean of the test sets"]
    assert shown["With texts"].str.contains("; ").all()
    assert not shown["Unimodal"].str.contains(";").any()
    notes = grid_notes(table, words, datasets, registry, BALANCED, {}, resamples=100)
    assert sum("each counts the same" in note for note in notes) == 1
    assert "2 cells" in " ".join(notes)  # means are no cells
    assert not any("over all rows and datasets together" in note for note in notes)


def test_table_and_figure_mark_stand_ins_and_the_figure_says_what_differs(tmp_path: Path) -> None:
    table = table_of(cell("plain", PLAIN), cell("texts", TEXTS))
    registry = {name: {"stand_in": True, "trained": True} for name in table["system"]}
    one = {**GRID, "rows": {"small": "ViT-S/16"}}
    shown = grid_for_reading(table, one, DATASETS, BALANCED, registry)
    assert shown["Backbone"].tolist() == ["ViT-S/16 (stand-in)"]
    partly = registry | {"small_plain": {"stand_in": False}}
    assert row_titles(table, one, partly)["small"] == "ViT-S/16 (in part stand-ins)"
    words = {"metric": "Balanced accuracy", "title": "A grid"}
    figure = grid_differences(table, one, DATASETS, registry, **words)
    assert_whole(figure, tmp_path)
    (panel,) = figure.axes
    assert panel.get_title(loc="left") == "PCAM, published split\n3 seeds, 200 test cases"
    assert panel.get_xlabel().startswith("Balanced accuracy, difference\nto Unimodal")


def test_a_test_set_on_which_nothing_is_defined_leaves_the_others_alone() -> None:
    several = task("multi_label")
    known, random = predictions_of_findings(3), np.random.default_rng(1)
    nobody = known.assign(findings="edema?|effusion?")
    worse = known.assign(p_edema=random.random(len(known)))
    cells = [
        GridCell("clip", way, place, "published", way, predictions=[table], random=False)
        for place, tables in {"a/b": (worse, known), "a/c": (nobody, nobody)}.items()
        for way, table in zip(("plain", "texts"), tables, strict=True)
    ]
    table = grid_table(
        cells,
        {"a/b": several, "a/c": several},
        {"a/b": ["edema", "effusion"], "a/c": ["edema", "effusion"]},
        {},
        metric="macro_auroc",
        baseline="plain",
        resamples=50,
        seed=1,
    )
    told = table.set_index(["dataset", "column"])
    assert told.loc[("a/c", "texts"), "verdict"] == NOT_TESTED
    assert np.isnan(told.loc[("a/c", "texts"), "mean"])
    sound = told.loc[("a/b", "texts")]
    assert told.loc[("a/(mean)", "texts"), "difference"] == pytest.approx(sound["difference"])


def predictions_of_findings(seed: int) -> pd.DataFrame:
    """Sixty pairs of thirty patients with two findings, found better than by chance."""
    random = np.random.default_rng(seed)
    there = random.random((60, 2)) < 0.4
    scores = np.clip(0.3 + 0.4 * there + random.normal(0, 0.2, (60, 2)), 0, 1)
    names = np.array(["edema", "effusion"])
    return pd.DataFrame(
        {
            "pair_id": [f"pair_{at:02d}" for at in range(60)],
            "case_id": [f"patient_{at // 2:02d}" for at in range(60)],
            "subset": "test",
            "findings": ["|".join(names[row]) for row in there],
            "p_edema": scores[:, 0],
            "p_effusion": scores[:, 1],
        }
    )
