"""What a disturbed run must end in."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from slurm.runs import EPOCHS, UNDISTURBED, DisturbedRun, cell, locally, metrics, weights

TIMES = ["seconds", "data_seconds", "samples_per_second"]
TRAINED = {"model.safetensors", "passport.json", "settings.json", "training.csv"}


def assert_as_undisturbed(run: DisturbedRun, system: str) -> None:
    """Compare weights, settings and training curve with the undisturbed system's; look for rubbish.

    Nothing half-written lies beside the outputs or the training states, and no lease is left.
    """
    folders = [run.folder / "results" / cell(name) for name in (system, UNDISTURBED)]
    for name in ("model.safetensors", "settings.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    curve, expected = (
        pd.read_csv(folder / "training.csv").drop(columns=TIMES) for folder in folders
    )
    pd.testing.assert_frame_equal(curve, expected, check_exact=True)
    assert {path.name for path in folders[0].iterdir()} == TRAINED
    assert run.epochs_done(system) == EPOCHS
    assert {path.suffix for path in run.states(system)} == {".pt"}


def assert_done_and_evaluated_as_undisturbed(
    run: DisturbedRun, evaluated: str, *trained: str
) -> None:
    """Snakemake, too, takes the trainings for done; evaluating one drops its state.

    Args:
        run: One that has come to its end.
        evaluated: A system whose metrics are compared with the undisturbed system's.
        trained: Others that are trained.
    """
    written = (run.folder / weights(evaluated)).stat().st_mtime
    assert "Nothing to be done" in locally(run.folder, *map(weights, (evaluated, *trained)), "-n")
    locally(run.folder, metrics(evaluated))
    assert (run.folder / weights(evaluated)).stat().st_mtime == written
    found = [read_metrics(run.folder, name) for name in (evaluated, UNDISTURBED)]
    assert found[0] == found[1]
    assert run.states(evaluated) == []


def read_metrics(folder: Path, system: str) -> dict[str, object]:
    """Read a system's metrics.json."""
    content: dict[str, object] = json.loads((folder / metrics(system)).read_text(encoding="utf-8"))
    return content
