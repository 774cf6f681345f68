"""Costs: cells that do not apply are empty, jobs add up, labels in the figure stand apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation

from figure_checks import assert_whole
from pairdx.errors import PairDxError
from pairdx.reporting.format.labels import STAND_IN_NOTE
from pairdx.reporting.systems.benchmarks import benchmark_table, benchmarks_by_rule
from pairdx.reporting.systems.comparison import Cell, comparison_table
from pairdx.reporting.systems.cost import (
    COLUMNS,
    cost_for_reading,
    cost_notes,
    cost_table,
    with_others,
)
from pairdx.reporting.systems.cost_figure import accuracy_against_cost
from reporting_samples import (
    DATASETS,
    PAPER_CELL,
    REGISTRY,
    TIMING,
    papers_numbers,
    systems_with_costs,
    three_systems,
)

MODELS = {name: {"trained": False, "stand_in": False} | entry for name, entry in REGISTRY.items()}
TIMINGS = {
    ("multicare", name): TIMING | ({"deployment": []} if name == "words" else {}) for name in MODELS
}
HOW: dict[str, Any] = {"paper_cells": [PAPER_CELL], "resamples": 20, "seed": 0}
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def passport(energy: float | None, host: int, device: int | None, **more: Any) -> dict[str, Any]:
    memory = {"host": host, "device": device}
    return {"energy_joules": energy, "peak_memory_bytes": memory, **more}


PASSPORTS = {
    ("multicare", "stratified", "fusion"): [passport(3e5, 10**9, 5), passport(5e5, 2 * 10**9, 7)],
    ("multicare", "grouped", "fusion"): [passport(3e5, 10**9, 5), passport(None, 10**9, 5)],
    ("multicare", "stratified", "words"): [passport(None, 10**8, None)],
    ("multicare", "stratified", "biomedclip"): [passport(9.0, 9, 9)],
    ("multicare", "grouped", "biomedclip"): [passport(9.0, 9, 9)],
}


@pytest.fixture(scope="module")
def costs() -> pd.DataFrame:
    comparison = comparison_table(three_systems(), MODELS, papers_numbers(), **HOW)
    return cost_table(comparison, PASSPORTS, TIMINGS, MODELS)


def test_energy_is_a_mean_over_seeds_and_memory_the_largest(costs: pd.DataFrame) -> None:
    assert list(costs.columns) == list(COLUMNS)
    row = costs.set_index(["system", "split"]).loc[("fusion", "stratified")]
    assert row["train_energy_joules"] == 4e5
    assert (row["train_peak_host_bytes"], row["train_peak_device_bytes"]) == (2 * 10**9, 7)
    assert row["train_seconds"] == 75  # 50 and 100 seconds
    assert (row["paper_train_seconds"], row["paper_seconds_per_image"]) == (1075, 0.188)


def test_what_the_comparison_leaves_out_costs_something_too() -> None:
    """Datasets of several labels per pair, beside others or alone, in the order of datasets."""
    history = pd.DataFrame({"epoch": [1, 2], "seconds": [30.0, 20.0]})
    own = {**passport(3e5, 10**9, 5), "parameters": 7, "device": {"kind": "cuda", "name": "GPU"}}
    films = [
        Cell("films", system, "published", (), (), [own] * seeds, trainings, TIMING)
        for system, seeds, trainings in (("fusion", 2, [history] * 2), ("biomedclip", 1, ()))
    ]
    comparison = comparison_table(three_systems(), MODELS, papers_numbers(), **HOW)
    both = with_others(comparison, films, MODELS, ["films", "multicare"])
    assert both["dataset"].tolist() == ["films"] * 2 + ["multicare"] * len(comparison)
    passports = PASSPORTS | {(one.dataset, one.split, one.system): one.passports for one in films}
    timings = TIMINGS | {("films", one.system): TIMING for one in films}
    table = cost_table(both, passports, timings, MODELS)
    first, second = table.iloc[0], table.iloc[1]
    assert (first["system"], second["system"]) == ("biomedclip", "fusion")  # as registered
    assert pd.isna(first["train_seconds"])
    assert (second["train_seconds"], second["train_device"], second["seeds"]) == (50, "GPU", 2)
    assert (second["parameters"], second["seconds_per_image"]) == (7, TIMING["mean"])
    alone = cost_table(with_others(None, films, MODELS, ["films"]), passports, timings, MODELS)
    assert alone["dataset"].tolist() == ["films", "films"]
    assert "paper_train_seconds" not in alone
    assert len(cost_for_reading(alone, MODELS, DATASETS)) == 2
    assert with_others(comparison, [], MODELS, ["multicare"]) is comparison


def test_cells_that_do_not_apply_are_empty(costs: pd.DataFrame) -> None:
    by_cell = costs.set_index(["system", "split"])
    trained = ["train_seconds", "train_energy_joules", "train_peak_host_bytes"]
    assert by_cell.loc[("biomedclip", "stratified"), trained].isna().all()
    assert pd.isna(by_cell.loc[("fusion", "grouped"), "train_energy_joules"])  # of one seed only
    assert pd.isna(by_cell.loc[("fusion", "grouped"), "paper_train_seconds"])
    assert pd.isna(by_cell.loc[("words", "stratified"), "train_peak_device_bytes"])
    batched = ["batched_seconds_per_image", "batched_size", "batched_runtime"]
    assert by_cell.loc[("words", "stratified"), batched].isna().all()


def test_the_fastest_batch_size_is_named_and_is_no_other_runtimes(costs: pd.DataFrame) -> None:
    """ONNX Runtime is faster in the sample, and one by one is PyTorch: they are not mixed."""
    row = costs[costs["system"] == "fusion"].iloc[0]
    assert (row["seconds_per_image"], row["batched_seconds_per_image"]) == (0.12, 0.05)
    assert (row["batched_size"], row["batched_runtime"]) == (8, "PyTorch")
    assert cost_for_reading(costs, MODELS, DATASETS)["runtime of batches"].dropna().unique() == [
        "PyTorch"
    ]


def test_the_readable_table_has_units_and_its_notes_the_conditions(costs: pd.DataFrame) -> None:
    shown = cost_for_reading(costs, MODELS, DATASETS).set_index(["system", "split"])
    row = shown.loc[("PairDxFusion", "Stratified")]
    assert (row["training energy, kJ"], row["peak memory, GB"]) == (400, 2)
    notes = " ".join(cost_notes(costs, PASSPORTS, TIMINGS, MODELS, papers_numbers()))
    assert "last attempt only" in notes
    assert "Some CPU" in notes
    assert "MacBook Air M2" in notes
    assert "several GPUs" not in notes
    teams = PASSPORTS | {("multicare", "grouped", "fusion"): [passport(1.0, 1, 1, processes=2)]}
    assert "several GPUs" in " ".join(cost_notes(costs, teams, TIMINGS, MODELS, papers_numbers()))


def test_the_same_system_costs_on_every_dataset_what_it_took_there() -> None:
    across = [*three_systems(), *three_systems("drawn")[:1]]
    slower = {("drawn", "fusion"): TIMING | {"deployment": [TIMING | {"mean": 0.5}]}}
    there = {("drawn", "stratified", "fusion"): [passport(1e3, 10, 5)]}
    comparison = comparison_table(across, MODELS, papers_numbers(), **HOW)
    table = cost_table(comparison, PASSPORTS | there, TIMINGS | slower, MODELS)
    rows = table.set_index(["dataset", "system", "split"])
    columns = ["train_energy_joules", "batched_seconds_per_image", "paper_train_seconds"]
    assert rows.loc[("multicare", "fusion", "stratified"), columns].tolist() == [4e5, 0.05, 1075]
    elsewhere = rows.loc[("drawn", "fusion", "stratified"), columns]
    assert elsewhere.tolist()[:2] == [1e3, 0.5]
    assert pd.isna(elsewhere["paper_train_seconds"])
    shown = cost_for_reading(table, MODELS, DATASETS)
    assert shown["dataset"].tolist() == [DATASETS[name]["title"] for name in table["dataset"]]


@pytest.fixture
def jobs(tmp_path: Path) -> pd.DataFrame:
    lines = [
        "100.0\t0:01:40\t500.5\t1\t1\t1\t0\t0\t150.0\t150.0",
        "300.0\t0:05:00\t900.0\t1\t1\t1\t0\t0\t50.0\t150.0",
        "0.2\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA",
    ]
    paths = [tmp_path / f"{place}.tsv" for place in range(3)]
    for path, line in zip(paths, lines, strict=True):
        path.write_text(f"{HEADER}{line}\n", encoding="utf-8")
    described = [
        {"rule": "train_on_gpu", "wildcards": {"split": "grouped", "seed": 1}},
        {"rule": "train_on_gpu", "wildcards": {"split": "grouped", "seed": 2}},
        {"rule": "ingest_tables", "wildcards": {}},
    ]
    return benchmark_table(described, paths)


def test_every_job_is_a_row_and_what_was_not_measured_is_empty(jobs: pd.DataFrame) -> None:
    assert jobs["wildcards"].tolist() == ["split=grouped, seed=1", "split=grouped, seed=2", ""]
    assert jobs["wall_seconds"].tolist() == [100.0, 300.0, 0.2]
    assert jobs.loc[2, ["cpu_seconds", "max_rss_mebibytes", "mean_load_percent"]].isna().all()


def test_jobs_add_up_per_rule_and_over_all(jobs: pd.DataFrame) -> None:
    by_rule = benchmarks_by_rule(jobs).set_index("rule")
    training = by_rule.loc["train_on_gpu"]
    assert training.tolist() == [2, 400.0, 300.0, 900.0, 75.0]
    assert pd.isna(by_rule.loc["ingest_tables", "cpu_seconds"])
    assert by_rule.loc["all", ["jobs", "wall_seconds"]].tolist() == [3, 400.2]
    assert by_rule.loc["all", "mean_load_percent"] == 75  # over the jobs that were measured


@pytest.mark.parametrize("text", ["", "a\tb\n1\t2\n", HEADER, f"{HEADER}x\t{'1	' * 8}1\n"])
def test_another_file_is_no_benchmark(tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(PairDxError, match="benchmark"):
        benchmark_table([{"rule": "predict", "wildcards": {}}], [tmp_path / "wrong.tsv"])


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("systems", "untrained"), [(3, 1), (16, 4)])
def test_the_numbers_of_crowded_systems_overlap_neither_each_other_nor_markers(
    systems: int, untrained: int, tmp_path: Path
) -> None:
    """And with titles of two lines in the legend the figure is whole."""
    names = [f"system {place}" for place in range(systems)]
    titles = {name: f"{name} with a title of two lines $5_ (stand-in)" for name in names}
    table = systems_with_costs(names, untrained)
    figure = accuracy_against_cost(table, titles, title="A title " * 12, note=STAND_IN_NOTE)
    assert_whole(figure, tmp_path)
    for panel in figure.axes:
        labels = [child for child in panel.get_children() if isinstance(child, Annotation)]
        assert len(labels) == systems + 1  # and the paper's point
        # The text alone: get_window_extent() of an annotation covers its line too.
        boxes = [super(Annotation, label).get_window_extent().shrunk(0.9, 0.7) for label in labels]
        for place, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[place + 1 :])
            assert panel.get_window_extent().overlaps(box)
        spots = panel.transData.transform([label.xy for label in labels])
        centres = np.array([[(b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2] for b in boxes])
        distances = np.linalg.norm(centres[:, None] - spots[None], axis=2) * 72 / figure.dpi
        assert distances.min() > 4


def test_systems_that_are_readings_of_one_of_the_papers_share_its_point() -> None:
    """One marker, one label with the numbers of both."""
    table = systems_with_costs(["one", "other", "third"], 0)
    stated = table.filter(like="paper_").columns
    table.loc[1, stated] = table.loc[2, stated]
    figure = accuracy_against_cost(table, {name: name for name in table["system"]}, title="Title")
    for panel in figure.axes:
        labels = [child for child in panel.get_children() if isinstance(child, Annotation)]
        assert sorted(label.get_text() for label in labels) == ["1", "2", "2, 3", "3"]


@pytest.mark.parametrize("times", [(0.0023, 0.0042), (0.0021, 0.0022), (7.0, 7.0), (0.001, 3000.0)])
def test_an_axis_of_costs_always_has_two_labelled_ticks(times: tuple[float, float]) -> None:
    table = systems_with_costs(["one", "other"], 0).filter(regex="^(?!paper_)")
    table["seconds_per_image"] = times
    figure = accuracy_against_cost(table, {name: name for name in table["system"]}, title="Title")
    figure.draw_without_rendering()
    panel = figure.axes[1]
    low, high = panel.get_xlim()
    ticks = [tick for tick in panel.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    labels = [tick.label1 for tick in ticks]
    assert len({label.get_text() for label in labels} - {""}) >= 2
    assert all(
        float(label.get_text().replace(",", "")) == pytest.approx(label.get_position()[0])
        for label in labels
    )
