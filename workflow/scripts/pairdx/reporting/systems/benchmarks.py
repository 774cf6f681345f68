"""What jobs took, from the files that Snakemake's benchmarks leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.errors import PairDxError

TITLE = "What the jobs took, by rule"
NOTES = (
    "Wall and CPU seconds are sums over jobs, memory is the largest of any job, and the mean load "
    "is CPU seconds over wall seconds: 100 % is one busy core. A cell is empty where the jobs were "
    "too short to be measured.",
    "A job that was killed or failed and started again counts with its last attempt only: the time "
    "of all attempts at training is in the table of costs.",
    "Jobs that only make tables, figures and datasheets are left out. The CSV has one row per job.",
)
# Snakemake's columns, by ours; its MB are mebibytes, its mean load a percentage of one core.
COLUMNS = {
    "wall_seconds": "s",
    "cpu_seconds": "cpu_time",
    "max_rss_mebibytes": "max_rss",
    "mean_load_percent": "mean_load",
}


def benchmark_table(jobs: Sequence[Mapping[str, Any]], paths: Sequence[str | Path]) -> pd.DataFrame:
    """Build tables/benchmarks.csv: one row per job.

    Args:
        jobs: rule and wildcards (a mapping) of every job.
        paths: The benchmark file of each.

    Returns:
        rule, wildcards, wall_seconds, cpu_seconds, max_rss_mebibytes, mean_load_percent; a value is
        empty where Snakemake could not take it, because a job was too short.

    Raises:
        PairDxError: A file is not a benchmark of Snakemake's.
    """
    rows = []
    for job, path in zip(jobs, paths, strict=True):
        wildcards = ", ".join(f"{name}={value}" for name, value in job["wildcards"].items())
        rows.append({"rule": job["rule"], "wildcards": wildcards, **_measured(path)})
    table = pd.DataFrame(rows, columns=["rule", "wildcards", *COLUMNS])
    return table.astype(dict.fromkeys(COLUMNS, "float64"))


def _measured(path: str | Path) -> dict[str, float]:
    try:
        found = pd.read_csv(path, sep="\t", na_values="-")
        if len(found) != 1:
            raise PairDxError(f"a benchmark of one run has one row, not {len(found)}", where=path)
        return {ours: float(found[theirs].iloc[0]) for ours, theirs in COLUMNS.items()}
    except (KeyError, ValueError) as error:
        raise PairDxError(
            f"this is not a benchmark file of Snakemake's: {error}",
            where=path,
            remedy="delete it; its job is then run again",
        ) from error


def benchmarks_by_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Sum up the jobs of every rule, and of all rules in a last row.

    Args:
        table: What :func:`benchmark_table` returned.

    Returns:
        rule, jobs, wall_seconds, cpu_seconds, max_rss_mebibytes, mean_load_percent.
    """
    groups = [(str(name), rows) for name, rows in table.groupby("rule", sort=False)]
    return pd.DataFrame([_summed(name, rows) for name, rows in [*groups, ("all", table)]])


def _summed(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    measured = rows.dropna(subset=["cpu_seconds", "wall_seconds"])
    wall = measured["wall_seconds"].sum()
    load = 100 * measured["cpu_seconds"].sum() / wall if wall > 0 else None
    return {
        "rule": name,
        "jobs": len(rows),
        **rows[["wall_seconds", "cpu_seconds"]].sum(min_count=1),
        "max_rss_mebibytes": rows["max_rss_mebibytes"].max(),
        "mean_load_percent": load,
    }
