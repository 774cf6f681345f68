"""The scale benchmark reads whatever rules there are, and says under which conditions it ran."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.curation_at_scale import (
    REPOSITORY,
    Settings,
    _overlay,
    growth_exponent,
    read_benchmarks,
    report,
    summary,
)
from pairdx.plan.configuration import read_yaml
from pairdx.plan.start import plan_of

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmean_load\tcpu_time\tjobid\trule_name\tparams\tthreads\n"


def settings(folder: Path) -> Settings:
    return Settings(folder, cores=2, image_size=64, seed=1)


def write_benchmark(path: Path, rule: str, seconds: float, rss: str, when: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = f"{seconds}\t0:00:01\t{rss}\t900\t50\t1.0\t3\t{rule}\t{{'a': ['b']}}\t2\n"
    path.write_text(HEADER + values, encoding="utf-8")
    os.utime(path, (when, when))


@pytest.fixture
def benchmarks(tmp_path: Path) -> Path:
    folder = tmp_path / "benchmarks"
    write_benchmark(folder / "packed/pack_all.tsv", "pack_all", 5.0, "300.5", 9)
    write_benchmark(folder / "curated/inspect/PMC1.tsv", "inspect_one", 4.0, "NA", 3)
    write_benchmark(folder / "curated/inspect/PMC2.tsv", "inspect_one", 6.0, "200.25", 2)
    write_benchmark(folder / "any/where.tsv", "a_new_rule", 1.0, "100", 1)
    return folder


def test_jobs_are_read_by_rule_wherever_their_files_lie(benchmarks: Path) -> None:
    jobs = read_benchmarks(benchmarks)
    assert jobs["rule"].tolist() == ["a_new_rule", "inspect_one", "inspect_one", "pack_all"]
    assert jobs["core_seconds"].tolist() == [2.0, 12.0, 8.0, 10.0]
    assert jobs["max_rss"].isna().tolist() == [False, False, True, False]


def test_a_run_is_summed_up_per_rule_with_rates_of_images(benchmarks: Path, tmp_path: Path) -> None:
    (tmp_path / "curated").mkdir()
    (tmp_path / "packed").mkdir()
    funnel = {"stage": ["age", "archive", "archive"], "candidates": [90, 30, 50]}
    pd.DataFrame(funnel).to_csv(tmp_path / "curated/funnel.csv")
    np.save(tmp_path / "packed/images_4.npy", np.zeros((20, 4, 4, 3), dtype=np.uint8))
    line = summary(read_benchmarks(benchmarks), tmp_path)
    assert line["inspect_one_seconds"] == 10.0
    assert line["all_jobs_seconds"] == 16.0
    assert line["peak_job_MB"] == 300.5
    assert line["inspected_per_core_and_second"] == pytest.approx(80 / 20)
    assert line["packed_per_core_and_second"] == pytest.approx(20 / 10)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_the_growth_exponent_is_the_power_of_the_number_of_rows(power: float) -> None:
    rows = [1_000, 4_000, 9_000]
    assert growth_exponent(rows, [3 * n**power for n in rows]) == pytest.approx(power, abs=1e-9)


def test_one_size_or_an_unknown_value_has_no_growth_exponent() -> None:
    assert math.isnan(growth_exponent([1_000], [2.0]))
    assert math.isnan(growth_exponent([1_000, 2_000], [2.0, float("nan")]))


def test_the_table_states_sizes_growth_and_conditions(tmp_path: Path) -> None:
    """A rule that ran at one size only leaves the other cell empty."""
    lines: list[dict[str, float]] = [
        {"rows": 1_000, "curate_seconds": 1.0, "all_jobs_seconds": 1.0},
        {"rows": 4_000, "curate_seconds": 16.0, "late_seconds": 2.0, "all_jobs_seconds": 18.0},
    ]
    table = report(lines, settings(tmp_path))
    rows = table.splitlines()[2:7]
    cells = [row.replace(" ", "").split("|")[1:-1] for row in rows]
    assert cells[0] == ["Rows", "Curate,s", "Alljobs,s", "Late,s"]
    assert cells[2:4] == [["1,000", "1.00", "1.00", ""], ["4,000", "16.0", "18.0", "2.00"]]
    assert cells[4][:2] == ["growthexponent", "2.00"]
    assert "2 cores of" in table
    assert "packed at 64 pixels" in table


def test_the_overlay_is_a_valid_configuration_that_scales_the_papers_total(tmp_path: Path) -> None:
    overlay = _overlay(130_791, "scale_130791", tmp_path / "corpus", settings(tmp_path))
    plan, _ = plan_of(read_yaml(overlay), REPOSITORY, [overlay])
    (dataset,) = plan.datasets.values()
    assert dataset.name == "multicare"
    assert dataset.tables["metadata"].startswith(str(tmp_path / "corpus"))
    assert dataset.key("curation.balance") == {"total": 22_665, "per_class_cap": None}
    assert plan.files.sizes(dataset) == [64]
    small = _overlay(13_079, "small", tmp_path / "corpus", settings(tmp_path))
    changed = read_yaml(small)["datasets"]["multicare"]
    assert changed["curation"]["balance"]["total"] == 2266
