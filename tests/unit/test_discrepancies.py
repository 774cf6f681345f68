"""Every number of the paper has one row, and the verdict that its definition gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import pytest

from pairdx.reporting import our_results as ours
from pairdx.reporting.discrepancies import (
    AGREES,
    CONTRADICTION,
    DIFFERS,
    NOT_COMPARABLE,
    NOT_MEASURED,
    STAND_IN,
    SWITCHED_OFF,
    discrepancies_for_reading,
    discrepancy_notes,
    discrepancy_table,
    software_note,
)
from pairdx.reporting.markdown import as_markdown
from pairdx.reporting.stated import statements
from reporting_samples import REGISTRY, papers_numbers, predictions

CLASSES = papers_numbers()["dataset"]["classes"]["names"]
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
    return ours.results_of_dataset(counts, funnel, configured, stand_in=stand_in)


def system(stand_in: bool = False, **row: Any) -> ours.Results:
    """A system, right on 70 of 100 pairs, with a result for everything that is compared."""
    renamed = {"radiology": "radiology", "medical_photograph": "endoscopy", "chart": "chart"}
    table = predictions(0).replace({"label": renamed, "predicted": renamed})
    others = ["endoscopy", "medical_photograph", "electrography"]
    more = table.assign(
        pair_id="more_" + table["pair_id"],
        case_id="more_" + table["case_id"],
        label=[others[at % 3] for at in range(len(table))],
        predicted="endoscopy",
    )
    settings = {
        **{"epochs": 10, "batch_size": 128, "max_grad_norm": 1.0, "learning_rate": 0.001},
        **{"weight_decay": 0.05, "tokens": 32, "attention": {"heads": 1, "dimension": 256}},
    }
    defaults = {"accuracy": 0.61, "accuracy_low": 0.60, "accuracy_high": 0.62}
    costs = {"train_seconds": 100.0, "seconds_per_image": 0.1}
    return ours.results_of_system(
        {**defaults, **costs, **row},
        [pd.concat([table, more], ignore_index=True)],
        settings,
        resamples=50,
        seed=0,
        stand_in=stand_in,
    )


def four_systems(stand_in: bool = False) -> dict[str, ours.Results]:
    high = {"accuracy": 0.93, "accuracy_low": 0.92, "accuracy_high": 0.935}
    return ours.related(
        {
            "clip_zero_shot": system(stand_in, train_seconds=None),
            "biomedclip_zero_shot": system(stand_in, train_seconds=float("nan")),
            "pairdx_clip": system(stand_in, train_seconds=400.0, **high),
            "pairdx_fusion": system(stand_in, **high),
        }
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


def test_with_an_interval_the_papers_value_must_lie_in_it(table: pd.DataFrame) -> None:
    rows = rows_of(table)
    assert rows["clip_zero_shot.accuracy"]["verdict"] == AGREES  # 0.6118 in 0.60 to 0.62
    assert rows["clip_zero_shot.accuracy"]["difference"] == pytest.approx(-0.0018)
    assert rows["biomedclip_zero_shot.accuracy"]["verdict"] == DIFFERS  # 0.663
    assert rows["pairdx_fusion.accuracy"]["verdict"] == DIFFERS  # 0.94 not in 0.92 to 0.935
    recall = rows["clip_zero_shot.per_class_accuracy.electrography"]
    assert (recall["ours"], recall["verdict"]) == (0.0, DIFFERS)  # 15.46 %


def test_without_an_interval_ours_must_round_to_what_the_paper_prints(table: pd.DataFrame) -> None:
    rows = rows_of(table)
    assert rows["dataset.pairs"]["verdict"] == AGREES
    assert rows["dataset.images_after_filters"]["verdict"] == DIFFERS  # one image too many
    assert rows["dataset.split.train"]["ours"] != 0.7  # rounded per class
    assert rows["dataset.split.train"]["verdict"] == AGREES
    assert rows["pairdx_clip.gain_over_zero_shot"]["ours"] == pytest.approx(0.32)
    assert rows["pairdx_clip.gain_over_zero_shot"]["verdict"] == AGREES
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
    assert second["remark"].endswith(f"by itself: {DIFFERS}")
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
    row = rows_of(discrepancy_table(papers_numbers(), dataset(), ours.related(systems)))
    assert row["pairdx_clip.gain_over_zero_shot"]["verdict"] == NOT_MEASURED


def test_a_corpus_that_others_filtered_says_nothing_about_the_filters() -> None:
    counts = pd.DataFrame({"class": ["chart", "total"], "pairs": [3, 3]})
    results = ours.results_of_dataset(counts, None, {}, stand_in=False)
    row = rows_of(discrepancy_table(papers_numbers(), results, {}))
    assert row["dataset.images_after_filters"]["verdict"] == NOT_MEASURED
    assert row["dataset.split.test"]["verdict"] == NOT_MEASURED  # no stratified split
    assert row["dataset.pairs"]["verdict"] == DIFFERS


def test_recall_and_confusions_are_counted_from_predictions() -> None:
    results = system()
    electrography, endoscopy = (results.find(f"recall.{name}") for name in CLASSES[4:0:-3])
    assert electrography is not None
    assert electrography.value == 0
    assert endoscopy is not None
    assert 20 / 40 < endoscopy.value < 1  # 20 are all right, 20 are right with 70 %
    one, other = (
        results.find(f"confusions.{name}")
        for name in ("medical_photograph.endoscopy", "endoscopy.medical_photograph")
    )
    assert one == other
    assert one is not None
    assert one.low is not None
    assert one.high is not None
    assert one.value == 20  # of 20 medical photographs, all were taken for endoscopy
    assert one.low < 20 < one.high


def test_the_table_is_read_with_units_intervals_and_quotations(table: pd.DataFrame) -> None:
    registry = REGISTRY | {"fusion": REGISTRY["fusion"] | {"stand_in": True}}
    shown = discrepancies_for_reading(table, registry)
    passport = {"versions": {"python": "3.12.1", "torch": "2.15.0"}}
    notes = [*discrepancy_notes(table), software_note(papers_numbers(), passport)]
    text = as_markdown(shown, title="T", notes=notes)
    by_what = shown.set_index(["About", "What"])
    accuracy = by_what.loc[("BiomedCLIP, zero-shot", "Accuracy")]
    assert accuracy["Paper"] == "66.3%"
    assert accuracy["Ours (interval)"] == "61.0 (60.0 to 62.0) %"
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
