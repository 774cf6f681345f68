"""What a disturbed run must end in."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from slurm.runs import CELL, METRICS, WEIGHTS, DisturbedRun, locally

TIMES = ["seconds", "data_seconds", "samples_per_second"]


def assert_as_undisturbed(run: DisturbedRun, undisturbed: Path) -> None:
    """Compare weights, training curve, metrics and files with those of an undisturbed run."""
    weights, cell = run.folder / WEIGHTS, Path("results") / CELL
    assert weights.read_bytes() == (undisturbed / WEIGHTS).read_bytes()
    curve, expected = (
        pd.read_csv(folder / cell / "training.csv").drop(columns=TIMES)
        for folder in (run.folder, undisturbed)
    )
    pd.testing.assert_frame_equal(curve, expected, check_exact=True)
    assert not list(run.folder.rglob("lease.json"))
    written = weights.stat().st_mtime
    locally(run.folder, METRICS)
    assert weights.stat().st_mtime == written  # Snakemake, too, takes the training for done
    metrics = [json.loads((folder / METRICS).read_text()) for folder in (run.folder, undisturbed)]
    assert metrics[0] == metrics[1]
    files = [
        sorted(path.name for path in (folder / cell).iterdir())
        for folder in (run.folder, undisturbed)
    ]
    assert files[0] == files[1]  # nothing half-written lies beside them
    assert run.states() == []
