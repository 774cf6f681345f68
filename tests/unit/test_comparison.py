"""The comparison states only what applies, beside what the paper states."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pairdx.errors import PairDxError
from pairdx.reporting.format.labels import STAND_IN_NOTE
from pairdx.reporting.format.markdown import as_markdown
from pairdx.reporting.systems.comparison import (
    COLUMNS,
    Cell,
    comparison_for_reading,
    comparison_notes,
    comparison_table,
)
from reporting_samples import (
    DATASETS,
    PAPER_CELL,
    REGISTRY,
    cell,
    papers_numbers,
    three_systems,
)

Rows = dict[tuple[str, str], dict[str, Any]]
BESIDE: dict[str, Any] = {"paper_cells": [PAPER_CELL]}


@pytest.fixture(scope="module")
def paper() -> dict[str, Any]:
    """The content of the paper's file."""
    return papers_numbers()


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    """Three systems on two splits, given out of registry order."""
    return three_systems()


@pytest.fixture(scope="module")
def comparison(cells: list[Cell], paper: dict[str, Any]) -> pd.DataFrame:
    """The comparison of those systems."""
    return comparison_table(cells, REGISTRY, paper, **BESIDE, resamples=50, seed=0)


def rows_of(comparison: pd.DataFrame) -> Rows:
    records: list[Any] = comparison.to_dict("records")
    return {(row["system"], row["split"]): row for row in records}


def test_comparison_has_the_designed_columns_and_registry_order(comparison: pd.DataFrame) -> None:
    assert list(comparison.columns) == list(COLUMNS)
    assert list(zip(comparison["system"], comparison["split"], strict=True)) == [
        ("biomedclip", "stratified"),
        ("biomedclip", "grouped"),
        ("fusion", "stratified"),
        ("fusion", "grouped"),
        ("words", "stratified"),
    ]


def test_comparison_averages_over_seeds_and_sums_training_over_epochs(
    comparison: pd.DataFrame, cells: list[Cell]
) -> None:
    row = rows_of(comparison)["fusion", "stratified"]
    values = [metrics["accuracy"]["value"] for metrics in cells[0].metrics]
    assert row["seeds"] == 2
    assert row["accuracy"] == pytest.approx(np.mean(values))
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert row["train_seconds"] == pytest.approx((50 + 100) / 2)
    assert row["seconds_per_image"] == 0.12
    assert row["parameters"] == 1234


def test_cells_that_do_not_apply_are_empty_and_never_zero(
    comparison: pd.DataFrame, tmp_path: Path
) -> None:
    comparison.to_csv(tmp_path / "comparison.csv", index=False)
    text = pd.read_csv(tmp_path / "comparison.csv", dtype=str, keep_default_na=False)
    rows = rows_of(text)
    untrained = rows["biomedclip", "stratified"]
    assert (untrained["train_seconds"], untrained["train_device"]) == ("", "")
    for other_split_or_system in (rows["fusion", "grouped"], rows["words", "stratified"]):
        of_paper = [name for name in COLUMNS if name.startswith("paper_")]
        assert [other_split_or_system[name] for name in of_paper] == ["", "", ""]
    assert rows["words", "stratified"]["seconds_per_image"] == ""
    assert not {"0", "0.0", "nan"} & {value for row in rows.values() for value in row.values()}


def test_the_papers_numbers_stand_on_its_own_split(comparison: pd.DataFrame) -> None:
    rows = rows_of(comparison)
    fusion, biomedclip = rows["fusion", "stratified"], rows["biomedclip", "stratified"]
    assert fusion["paper_accuracy"] == 0.94
    assert fusion["paper_train_seconds"] == 17 * 60 + 55
    assert fusion["paper_seconds_per_image"] == 0.188
    assert biomedclip["paper_seconds_per_image"] == 0.226  # of Section 3.6
    assert pd.isna(biomedclip["paper_train_seconds"])


def test_a_system_unknown_to_registry_or_paper_is_named(paper: dict[str, Any]) -> None:
    with pytest.raises(PairDxError, match="registry lacks: words"):
        comparison_table([cell("words", "grouped")], {}, paper, **BESIDE, resamples=5, seed=0)
    registry = {"words": {"paper": "nobody"}}
    with pytest.raises(PairDxError, match="no system 'nobody'"):
        comparison_table(
            [cell("words", "stratified")], registry, paper, **BESIDE, resamples=5, seed=0
        )


def test_without_a_paper_nothing_is_said_of_one(cells: list[Cell]) -> None:
    table = comparison_table(cells, REGISTRY, {}, paper_cells=(), resamples=5, seed=0)
    assert not table.filter(like="paper_").notna().any(axis=None)
    assert "paper" not in markdown(table, cells, REGISTRY, {}).lower()


def markdown(comparison, cells, registry, paper) -> str:
    """The comparison as its script writes it."""
    notes = comparison_notes(comparison, cells, registry, paper, **BESIDE)
    shown = comparison_for_reading(comparison, registry, DATASETS)
    return as_markdown(shown, title="T", notes=notes)


def test_comparison_markdown_names_conditions_contradictions_and_stand_ins(
    comparison: pd.DataFrame, cells: list[Cell], paper: dict[str, Any]
) -> None:
    text = markdown(comparison, cells, REGISTRY, paper)
    assert "0.387 s" in text
    assert "Some CPU" in text
    assert "66.3 |" in text
    assert STAND_IN_NOTE not in text
    demo = {name: entry | {"stand_in": True} for name, entry in REGISTRY.items()}
    text = markdown(comparison, cells, demo, paper)
    assert STAND_IN_NOTE in text
    assert "BiomedCLIP, zero-shot (untrained stand-in)" in text
    assert "PairDxFusion (stand-in)" in text


def numbers(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every mapping of the file that states something."""
    if "value" in node:
        yield node
    for child in node.values():
        if isinstance(child, dict):
            yield from numbers(child)


def test_every_number_of_the_paper_has_its_place(paper: dict[str, Any]) -> None:
    stated = list(numbers(paper))
    assert len(stated) > 40
    assert all(number.get("place") for number in stated)
    for system in paper["systems"].values():
        assert 0 < system["accuracy"]["value"] < 1
    assert sum(part["value"] for part in paper["dataset"]["split"].values()) == pytest.approx(1)
    assert paper["systems"]["pairdx_clip"]["train_seconds"]["value"] == 65 * 60 + 52


@pytest.fixture(scope="module")
def across(cells: list[Cell]) -> list[Cell]:
    """The same systems on two datasets; the first stands after the second in the alphabet."""
    return [*cells, *three_systems("drawn")[1:]]


def test_datasets_stand_one_after_the_other_and_the_paper_beside_its_own_only(
    across: list[Cell], cells: list[Cell], comparison: pd.DataFrame, paper: dict[str, Any]
) -> None:
    table = comparison_table(across, REGISTRY, paper, **BESIDE, resamples=50, seed=0)
    pd.testing.assert_frame_equal(table[: len(cells)], comparison)
    keys = table[["dataset", "system", "split"]].iloc[len(cells) :]
    assert list(keys.itertuples(index=False, name=None)) == [
        ("drawn", "biomedclip", "stratified"),
        ("drawn", "biomedclip", "grouped"),
        ("drawn", "fusion", "grouped"),
        ("drawn", "words", "stratified"),
    ]
    stated = table["paper_accuracy"].notna()
    places = set(zip(table["dataset"][stated], table["split"][stated], strict=True))
    assert places == {PAPER_CELL}
    notes = " ".join(comparison_notes(table, across, REGISTRY, paper, **BESIDE))
    assert notes.count("two values of seconds per image") == 1


def test_the_dataset_is_a_column_for_reading_only_where_there_are_several(
    across: list[Cell], comparison: pd.DataFrame
) -> None:
    assert "Dataset" not in comparison_for_reading(comparison, REGISTRY, DATASETS)
    table = comparison_table(across, REGISTRY, {}, paper_cells=(), resamples=5, seed=0)
    shown = comparison_for_reading(table, REGISTRY, DATASETS)
    assert shown.columns[0] == "Dataset"
    assert list(dict.fromkeys(shown["Dataset"])) == [one["title"] for one in DATASETS.values()]
    assert not [name for name in shown if name.startswith("Paper")]
