"""The planning benchmark makes the grid that it names, and counts what becomes a SLURM job."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from benchmarks.planning import (
    REPOSITORY,
    local_rules,
    number_of_jobs,
    overlay,
    slurm_jobs,
    write_outputs,
)
from pairdx.plan.configuration import complete, defaults
from pairdx.plan.schemas import whole_schema

# A dry run's output, shortened: one local job, two that become SLURM jobs.
PRINTED = """\
Job stats:
job        count
-------  -------
predict        2
total          3

[Tue Nov 24 11:27:27 2026]
rule draw_rule_graph:
    output: results/figures/rule_graph.svg, results/figures/rule_graph.png
[Tue Nov 24 11:27:27 2026]
rule predict:
    output: results/a/predictions.parquet
[Tue Nov 24 11:27:27 2026]
rule predict:
    output: results/b/predictions.parquet
"""


def test_the_grid_has_as_many_systems_and_seeds_as_asked_for_and_is_valid() -> None:
    """12 systems x 5 seeds x 2 splits are 120 trainings: none runs for one seed only."""
    config = complete(defaults(REPOSITORY), overlay(systems=12, seeds=5))
    Draft202012Validator(whole_schema(REPOSITORY)).validate(config)
    enabled = [entry for entry in config["systems"].values() if entry["enabled"]]
    assert len(enabled) == 12
    assert all(entry["random"] and entry["trained"] for entry in enabled)
    assert config["seeds"] == [1, 2, 3, 4, 5]


def test_more_systems_than_the_registry_has_are_refused() -> None:
    """A grid is never smaller than the table says."""
    with pytest.raises(ValueError, match="not 99"):
        overlay(systems=99, seeds=1)


def test_a_local_rule_becomes_no_slurm_job() -> None:
    """Downloads and the rule graph stay on the login node."""
    assert {"all", "draw_rule_graph", "download_record"} <= local_rules()
    assert "predict" not in local_rules()
    assert slurm_jobs(PRINTED) == 2
    assert number_of_jobs(PRINTED) == 3


def test_every_planned_output_is_written_before_it_is_touched(tmp_path: Path) -> None:
    """Else `--touch` would run on nothing and look fast."""
    write_outputs(tmp_path, PRINTED)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert "results/figures/rule_graph.png" in files
    assert "results/b/predictions.parquet" in files
    assert len(files) == 4
