"""Every number of the paper has one row, and the verdict that its definition gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pairdx.reporting.format.markdown import as_markdown
from pairdx.reporting.paper import our_results as ours
from pairdx.reporting.paper.discrepancies import (
    AGREES,
    CONTRADICTION,
    DIFFERS,
    NOT_COMPARABLE,
    NOT_MEASURED,
    ONE_SEED,
    STAND_IN,
    SWITCHED_OFF,
    discrepancies_for_reading,
    discrepancy_notes,
    discrepancy_table,
    software_note,
)
from pairdx.reporting.paper.stated import statements
from reporting_samples import REGISTRY, papers_numbers

CLASSES = papers_numbers()["dataset"]["classes"]["names"]
HOW = {"resamples": 20, "seed": 0, "papers_pairs": 3400}
NOTHING_OF_OURS = {
    "systems.pairdx_fusion.settings.image_features",
    "systems.pairdx_fusion.settings.fully_connected_layers",
}


def dataset(stand_in: bool = False) -> ours.Results:
    """A dataset as large as the paper's, with classes of two sizes."""
    pairs = [4533, 4533, 4533, 4533, 2266, 2267]
    counts = pd.DataFrame({"class": [*CLASSES, "total"], "pairs": [*pairs, sum(pairs)]})
    for subset, share in (("train", 0.7), ("validation", 0.15), ("test", 0.15)):
        counts[f"stratified_{subset}"] = (counts["pairs"] * share).round()
    funnel = pd.DataFrame({"stage": ["age", "age"], "label": ["a", "b"], "kept": [103384, 1]})
    configured = {"minimum_age": 18, "modalities": 11, "word_vectors": 300}
    return ours.results_of_dataset(
        counts, funnel, configured, split="stratified", stand_in=stand_in
    )


def predictions_of(accuracy: float, seeds: int = 1) -> list[pd.DataFrame]:
    """Predictions of 3,396 pairs of a case each, so many of every class right with every seed.

    What is wrong about medical photographs is taken for endoscopy, and all else for chart.
    """
    place = np.arange(3396)
    label = np.array(CLASSES, dtype=object)[place % 6]
    wrong = np.where(label == "medical_photograph", "endoscopy", "")
    right = place < round(3396 * accuracy)
    table = pd.DataFrame(
        {
            "pair_id": [f"pair_{row:04d}" for row in place],
            "case_id": [f"case_{row:04d}" for row in place],
            "subset": "test",
            "label": label,
            "predicted": np.where(right, label, wrong),
        }
    )
    return [table] * seeds


@cache
def system(
    stand_in: bool = False,
    *,
    accuracy: float = 0.61,
    seeds: int = 1,
    random: bool = False,
    train_seconds: float | None = 100.0,
) -> ours.Results:
    """A system with a result for everything that is compared."""
    settings = {
        **{"epochs": 10, "batch_size": 128, "max_grad_norm": 1.0, "learning_rate": 0.001},
        **{"weight_decay": 0.05, "tokens": 32, "attention": {"heads": 1, "dimension": 256}},
    }
    return ours.results_of_system(
        {"train_seconds": train_seconds, "seconds_per_image": 0.1},
        predictions_of(accuracy, seeds),
        settings,
        random=random,
        stand_in=stand_in,
        papers_classes=6,
        **HOW,
    )


def four_systems(stand_in: bool = False) -> dict[str, ours.Results]:
    trained = {"random": True, "seeds": 3}
    return ours.related(
        {
            "clip_zero_shot": system(stand_in, train_seconds=None),
            "biomedclip_zero_shot": system(stand_in, train_seconds=float("nan")),
            "pairdx_clip": system(stand_in, train_seconds=400.0, accuracy=0.925, **trained),
            "pairdx_fusion": system(stand_in, accuracy=0.92, **trained),
        },
        **HOW,
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """All systems and the dataset were run."""
    return discrepancy_table(papers_numbers(), dataset(), four_systems())


def rows_of(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    records: list[Any] = table.to_dict("records")
    return {row["statement"].removeprefix("systems."): row for row in records}


def leaf_numbers(node: Any, path: str = "") -> Iterator[str]:
    """The path of every number in nested mappings and lists."""
    if isinstance(node, Mapping):
        for key, child in node.items():
            yield from leaf_numbers(child, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for child in node:
            yield from leaf_numbers(child, path)
    elif isinstance(node, int | float):
        yield path


def test_every_number_of_the_paper_has_exactly_one_row(table: pd.DataFrame) -> None:
    stated = list(leaf_numbers(papers_numbers()))
    assert len(stated) > 35
    assert sorted(f"{path}.value" for path in table["statement"]) == sorted(stated)
    assert table["place"].all()


def test_every_name_in_the_papers_numbers_is_one_of_our_results(table: pd.DataFrame) -> None:
    """A wrong `ours` would show up as not measured, and nobody would know."""
    missing = set(table.loc[table["verdict"] == NOT_MEASURED, "statement"])
    assert missing == NOTHING_OF_OURS
    assert set(table.loc[table["ours"].isna(), "statement"]) == NOTHING_OF_OURS
    assert all("ours" in statement.entry for statement in statements(papers_numbers()))


def test_what_chance_and_rounding_explain_agrees(table: pd.DataFrame) -> None:
    rows = rows_of(table)
    clip = rows["clip_zero_shot.accuracy"]
    assert clip["verdict"] == AGREES  # 61.0 against 61.18 %
    assert clip["difference"] == pytest.approx(0.61 - 0.6118, abs=2e-4)
    # sqrt(0.61 x 0.39 (1/3396 + 1/3400)) x 1.96; the power of 80 % adds 0.84 of 1.96.
    assert clip["agrees_within"] == pytest.approx(0.0232, abs=2e-4)
    assert clip["found_from"] == pytest.approx(0.0232 * (1.96 + 0.84) / 1.96, abs=3e-4)
    assert rows["biomedclip_zero_shot.accuracy"]["verdict"] == DIFFERS  # 66.3 %
    assert rows["pairdx_clip.accuracy"]["remark"].endswith(f"by itself: {AGREES}")
    assert rows["pairdx_fusion.accuracy"]["verdict"] == DIFFERS
    fusion = rows["pairdx_fusion.accuracy"]["agrees_within"]
    assert fusion == pytest.approx(1.96 * (2 * 0.93 * 0.07 / 3400 + 0.005**2 / 3) ** 0.5, abs=3e-4)
    recall = rows["clip_zero_shot.per_class_accuracy.electrography"]
    assert recall["verdict"] == DIFFERS  # 61 against 15.46 %
    assert recall["agrees_within"] > 2 * clip["agrees_within"]  # a sixth of the pairs


def test_a_gain_is_compared_with_its_paired_doubt_and_need_not_round_to_the_papers(
    table: pd.DataFrame,
) -> None:
    """Ours is 31.5 points: rounded, it is not the paper's 32."""
    gain = rows_of(table)["pairdx_clip.gain_over_zero_shot"]
    assert gain["ours"] == pytest.approx(0.315, abs=5e-4)
    assert gain["verdict"] == AGREES
    # 31.5 % of the pairs differ, all for one side, on both test sets.
    paired = 1.96 * (2 * 0.315 * (1 - 0.315) / 3400 + 0.005**2 / 3) ** 0.5
    assert gain["agrees_within"] == pytest.approx(paired, abs=5e-4)


def test_one_training_that_is_off_leaves_open_whether_another_would_be() -> None:
    one = {"pairdx_fusion": system(accuracy=0.90, random=True)}
    near = {"pairdx_fusion": system(accuracy=0.94, random=True)}
    verdicts = [
        rows_of(discrepancy_table(papers_numbers(), dataset(), each))["pairdx_fusion.accuracy"]
        for each in (one, near)
    ]
    assert [row["verdict"] for row in verdicts] == [ONE_SEED, AGREES]


def test_what_is_exact_must_round_to_what_the_paper_prints(table: pd.DataFrame) -> None:
    rows = rows_of(table)
    assert rows["dataset.pairs"]["verdict"] == AGREES
    assert rows["dataset.images_after_filters"]["verdict"] == DIFFERS  # one image too many
    assert rows["dataset.split.train"]["ours"] != 0.7  # rounded per class
    assert rows["dataset.split.train"]["verdict"] == AGREES
    assert pd.isna(rows["dataset.split.train"]["agrees_within"])
    assert rows["pairdx_fusion.settings.weight_decay"]["verdict"] == DIFFERS  # 0.05, not 0.01
    assert rows["pairdx_fusion.settings.caption_features"]["verdict"] == AGREES


def test_times_are_ratios_and_never_agree_or_differ(table: pd.DataFrame) -> None:
    row = rows_of(table)["pairdx_fusion.train_seconds"]
    assert (row["verdict"], row["remark"]) == (NOT_COMPARABLE, "trained on another machine")
    assert row["ratio"] == pytest.approx(100 / 1075)
    assert rows_of(table)["pairdx_fusion.seconds_per_image"]["verdict"] == NOT_COMPARABLE


def test_contradictions_of_the_paper_are_named_with_the_other_value(table: pd.DataFrame) -> None:
    rows = rows_of(table)
    found = {name for name, row in rows.items() if row["verdict"] == CONTRADICTION}
    two_values = ("biomedclip_zero_shot.seconds_per_image", "pairdx_clip.accuracy")
    assert found == {
        *two_values,
        *(f"{name}.contradicted_by" for name in two_values),
        "pairdx_fusion.training_speed_against_pairdx_clip",
        "dataset.largest_to_smallest_class",
    }
    first, second = (rows[f"pairdx_clip.accuracy{end}"] for end in ("", ".contradicted_by"))
    assert "94%" in first["remark"]
    assert first["remark"].endswith(f"by itself: {AGREES}")
    assert "93%" in second["remark"]
    assert second["remark"].endswith(f"by itself: {DIFFERS}")  # 92.5 against 94 %
    assert "0.387 s" in rows["biomedclip_zero_shot.seconds_per_image"]["remark"]
    speed = rows["pairdx_fusion.training_speed_against_pairdx_clip"]
    assert speed["ours"] == 4  # 400 s against 100 s
    assert rows["dataset.largest_to_smallest_class"]["ours"] == pytest.approx(4533 / 2266)


def test_what_the_papers_numbers_call_a_contradiction_is_one() -> None:
    paper = papers_numbers()
    clip, fusion = (paper["systems"][name] for name in ("pairdx_clip", "pairdx_fusion"))
    ratio = clip["train_seconds"]["value"] / fusion["train_seconds"]["value"]
    contradiction = fusion["training_speed_against_pairdx_clip"]["contradiction"]
    assert f"{ratio:.1f} times" in contradiction

    def possible(share: float, pairs: int) -> bool:
        return any(f"{100 * hits / pairs:.2f}" == f"{100 * share:.2f}" for hits in range(pairs + 1))

    stated = paper["systems"]["clip_zero_shot"]["per_class_accuracy"]
    excluded = [
        number["stated"].rstrip("%")
        for number in stated.values()
        if not any(possible(number["value"], pairs) for pairs in (566, 567))
    ]
    said = paper["dataset"]["largest_to_smallest_class"]["contradiction"]
    assert excluded == ["95.30", "88.15", "15.46"]
    assert all(number in said for number in excluded)


@pytest.mark.slow
def test_stand_ins_and_systems_that_are_off_get_no_verdict_on_their_numbers() -> None:
    everything = discrepancy_table(papers_numbers(), dataset(stand_in=True), four_systems(True))
    assert set(everything["verdict"]) == {STAND_IN, CONTRADICTION, NOT_MEASURED}
    assert everything["difference"].isna().all()
    assert everything["ratio"].isna().all()
    nothing = discrepancy_table(papers_numbers(), dataset(), {})
    of_systems = nothing[nothing["statement"].str.startswith("systems.")]
    assert set(of_systems["verdict"]) == {SWITCHED_OFF, CONTRADICTION}
    assert of_systems["ours"].isna().all()


def test_a_stand_in_is_not_compared_with_a_real_system() -> None:
    systems = {"clip_zero_shot": system(True), "pairdx_clip": system()}
    related = ours.related(systems, **HOW)
    row = rows_of(discrepancy_table(papers_numbers(), dataset(), related))
    assert row["pairdx_clip.gain_over_zero_shot"]["verdict"] == NOT_MEASURED


def test_a_corpus_that_others_filtered_says_nothing_about_the_filters() -> None:
    counts = pd.DataFrame({"class": ["chart", "total"], "pairs": [3, 3]})
    results = ours.results_of_dataset(counts, None, {}, split="stratified", stand_in=False)
    row = rows_of(discrepancy_table(papers_numbers(), results, {}))
    assert row["dataset.images_after_filters"]["verdict"] == NOT_MEASURED
    assert row["dataset.split.test"]["verdict"] == NOT_MEASURED  # no stratified split
    assert row["dataset.pairs"]["verdict"] == DIFFERS


def test_recall_and_confusions_are_counted_from_predictions() -> None:
    results = system(accuracy=0.61)
    electrography = results.find("recall.electrography")
    assert electrography is not None
    assert electrography.value == pytest.approx(0.61, abs=0.01)
    one, other = (
        results.find(f"confusions.{name}")
        for name in ("medical_photograph.endoscopy", "endoscopy.medical_photograph")
    )
    assert one == other
    assert one is not None
    assert one.low is not None
    assert one.high is not None
    # 39 % of 566 medical photographs were taken for endoscopy, per 3,400 pairs instead of 3,396.
    assert one.value == pytest.approx(0.39 * 566 * 3400 / 3396, abs=1)
    assert one.low < one.value < one.high


def test_balanced_accuracy_is_the_mean_recall_with_an_interval_of_its_own() -> None:
    """Classes of one size, so that it is the accuracy, and as uncertain."""
    facts = system(accuracy=0.61, seeds=3, random=True).facts
    balanced, plain = facts["balanced_accuracy"], facts["accuracy"]
    assert balanced.value == pytest.approx(np.mean([one.value for one in facts["recall"].values()]))
    assert balanced.value == pytest.approx(plain.value)
    assert balanced.low == pytest.approx(plain.low, abs=0.005)
    assert balanced.high == pytest.approx(plain.high, abs=0.005)
    assert balanced.sampling.ours == pytest.approx(plain.sampling.ours, rel=0.02)


def test_the_table_is_read_with_units_intervals_and_quotations(table: pd.DataFrame) -> None:
    registry = REGISTRY | {"fusion": REGISTRY["fusion"] | {"stand_in": True}}
    shown = discrepancies_for_reading(table, registry)
    passport = {"versions": {"python": "3.12.1", "torch": "2.15.0"}}
    notes = [*discrepancy_notes(table, 3400, 6), software_note(papers_numbers(), passport)]
    text = as_markdown(shown, title="T", notes=notes)
    by_what = shown.set_index(["About", "What"])
    accuracy = by_what.loc[("BiomedCLIP, zero-shot", "Accuracy")]
    assert accuracy["Paper"] == "66.3%"
    written = re.fullmatch(r"61.0 \((\S+) to (\S+)\) %", accuracy["Ours (interval)"])
    assert written
    assert float(written[1]) < 61.0 < float(written[2])
    assert accuracy["Agrees within (found from)"] == "2.3 (3.3) points"
    assert accuracy["Difference"] == "-5.3 points"
    assert ("BiomedCLIP, zero-shot", "Seconds per image (second value)") in by_what.index
    fusion = by_what.loc["PairDxFusion (stand-in)"]
    assert fusion.loc["Train seconds", "Difference"] == "0.0930 times the paper's"
    assert fusion.loc["Train seconds", "Paper"] == "17 min 55 s"
    assert fusion.loc["Settings: weight decay", "Ours (interval)"] == "0.05"
    assert "+1" in list(by_what.loc["Dataset"]["Difference"])
    assert f"{len(table)} numbers: " in text
    assert "Python 3.10, PyTorch 2.4.1" in text
    assert "PyTorch 2.15.0" in text
    assert "nan" not in text.lower()
