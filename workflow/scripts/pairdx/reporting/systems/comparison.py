"""The comparison of all systems beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.evaluation.accuracy import accuracy_over_seeds
from pairdx.reporting.format.labels import (
    Datasets,
    dataset_column,
    further_readings,
    readable,
    readings_note,
    system_title,
    systems_note,
)
from pairdx.reporting.format.markdown import (
    paper_percent,
    percent,
    plain,
    significant,
    with_interval,
)
from pairdx.reporting.format.tables import without_empty_paper
from pairdx.reporting.paper.stated import as_stated, conditions, stated_of

COLUMNS = {
    "dataset": "str",
    "system": "str",
    "split": "str",
    "seeds": "Int64",
    "accuracy": "float64",
    "accuracy_low": "float64",
    "accuracy_high": "float64",
    "macro_f1": "float64",
    "train_seconds": "float64",
    "train_device": "str",
    "seconds_per_image": "float64",
    "parameters": "Int64",
    "paper_accuracy": "float64",
    "paper_train_seconds": "float64",
    "paper_seconds_per_image": "float64",
}
PAPER_COLUMNS = tuple(name for name in COLUMNS if name.startswith("paper_"))
TITLE = "Comparison of the systems"
Registry = Mapping[str, Mapping[str, Any]]
# Datasets and splits of ours that the paper's numbers stand beside.
PaperCells = Collection[tuple[str, str]]


@dataclass(frozen=True)
class Cell:
    """The results of one system on one split; every sequence holds one item per seed.

    Attributes:
        dataset: Name of the dataset.
        system: Key of the registry.
        split: Name of the split.
        predictions: predictions.parquet of every seed.
        metrics: metrics.json of every seed.
        passports: passport.json of every seed.
        training: training.csv of every seed; empty for a system that is not trained.
        timing: timing/{system}.json of the dataset, or None if the system was not timed.
    """

    dataset: str
    system: str
    split: str
    predictions: Sequence[pd.DataFrame]
    metrics: Sequence[Mapping[str, Any]]
    passports: Sequence[Mapping[str, Any]] = ()
    training: Sequence[pd.DataFrame] = ()
    timing: Mapping[str, Any] | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Dataset and split."""
        return self.dataset, self.split


def comparison_table(
    cells: Sequence[Cell],
    registry: Registry,
    paper: Mapping[str, Any],
    *,
    paper_cells: PaperCells,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Build tables/comparison.csv: per dataset, a row per system and split, in registry order.

    Accuracy, macro F1 and training time are means over seeds; the interval is a bootstrap over test
    cases (see ``accuracy_over_seeds``). Training time is the sum of ``seconds`` in training.csv,
    which covers all attempts. ``seconds_per_image`` is the mean of the timing. Accuracies and F1
    are fractions of 1. A cell is empty where it does not apply: training of an untrained system,
    and the paper's numbers off its dataset and split. Where nothing is beside a paper, its columns
    are not there.

    Args:
        cells: The results; datasets and splits stand in the order in which they first appear.
        registry: title, trained, stand_in and paper of every system.
        paper: The content of the paper's file; empty where there is none.
        paper_cells: Datasets and splits that its numbers stand beside.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        level: Coverage of the interval.

    Raises:
        PairDxError: A system is not in the registry, or a registry entry names a system that
            paper's file does not hold.
    """
    unknown = sorted({cell.system for cell in cells} - set(registry))
    if unknown:
        raise PairDxError(f"results of systems that the registry lacks: {', '.join(unknown)}")
    rows = [
        {
            "dataset": cell.dataset,
            "system": cell.system,
            "split": cell.split,
            **_accuracy(cell, resamples=resamples, seed=seed, level=level),
            "macro_f1": _mean_if_complete([one["macro_f1"]["value"] for one in cell.metrics]),
            **cost_of(cell, registry[cell.system]),
            **_stated_by_paper(
                cell, registry[cell.system], paper if cell.place in paper_cells else {}
            ),
        }
        for cell in in_order(cells, registry, "dataset", "system", "split")
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype({name: kind for name, kind in COLUMNS.items() if kind != "str"})
    return table if paper_cells else table.drop(columns=list(PAPER_COLUMNS))


def in_order(cells: Sequence[Cell], registry: Registry, *parts: str) -> list[Cell]:
    """Sort cells by the parts of their names, the first one first.

    Args:
        cells: The results.
        registry: Every system, in the order of tables.
        parts: ``dataset``, ``split`` (both in the order in which they first appear) and
            ``system``.
    """
    found = {
        "dataset": list(dict.fromkeys(cell.dataset for cell in cells)),
        "split": list(dict.fromkeys(cell.split for cell in cells)),
        "system": list(registry),
    }
    return sorted(
        cells, key=lambda cell: [found[part].index(getattr(cell, part)) for part in parts]
    )


def _accuracy(cell: Cell, *, resamples: int, seed: int, level: float) -> dict[str, Any]:
    result = accuracy_over_seeds(cell.predictions, resamples=resamples, seed=seed, level=level)
    return {
        "seeds": result["seeds"],
        "accuracy": result["value"],
        "accuracy_low": result["low"],
        "accuracy_high": result["high"],
    }


def cost_of(cell: Cell, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what training and classifying cost, of a cell that need not hold predictions."""
    trained = bool(entry.get("trained")) and len(cell.training) > 0
    devices = dict.fromkeys(_device(one["device"]) for one in cell.passports)
    return {
        "train_seconds": _mean_if_complete([float(one["seconds"].sum()) for one in cell.training])
        if trained
        else None,
        "train_device": "; ".join(devices) if trained and devices else None,
        "seconds_per_image": cell.timing["mean"] if cell.timing else None,
        "parameters": cell.passports[0].get("parameters") if cell.passports else None,
    }


def _device(device: Mapping[str, str]) -> str:
    """Name a passport's device; a processor is marked as one, a GPU's name speaks for itself."""
    return device["name"] if device["kind"] == "cuda" else f"{device['name']} (CPU)"


def _mean_if_complete(values: Sequence[float | None]) -> float | None:
    """Return the mean over seeds, or None if there is no seed or a seed has no value."""
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if values and len(defined) == len(values) else None


def _stated_by_paper(
    cell: Cell, entry: Mapping[str, Any], paper: Mapping[str, Any]
) -> dict[str, float | None]:
    names = ("accuracy", "train_seconds", "seconds_per_image")
    stated: Mapping[str, Any] = {}
    if paper and entry.get("paper"):
        if entry["paper"] not in paper["systems"]:
            raise PairDxError(
                f"the paper's numbers hold no system '{entry['paper']}'",
                where=f"systems.{cell.system}.paper",
                remedy=f"use one of {', '.join(paper['systems'])}, or null",
            )
        stated = stated_of(paper, entry["paper"], cell.dataset)
    return {f"paper_{name}": stated.get(name, {}).get("value") for name in names}


def comparison_for_reading(
    table: pd.DataFrame, registry: Registry, datasets: Datasets
) -> pd.DataFrame:
    """Write the comparison's numbers as text: titles, units, intervals beside their values.

    Args:
        table: What ``comparison_table`` returned, or comparison.csv.
        registry: title, trained and stand_in of every system.
        datasets: title of every dataset; a column only where the table is about several.
    """
    shown = {
        **dataset_column(table["dataset"], datasets, "Dataset"),
        "System": [system_title(name, registry) for name in table["system"]],
        "Split": [readable(name) for name in table["split"]],
        "Seeds": table["seeds"],
        "Accuracy, % (interval)": [
            with_interval(*bounds)
            for bounds in zip(
                table["accuracy"], table["accuracy_low"], table["accuracy_high"], strict=True
            )
        ],
        "Macro F1, %": _written(table["macro_f1"], percent),
        "Training, s": _written(table["train_seconds"], significant),
        "Trained on": table["train_device"],
        "CPU, s per image": _written(table["seconds_per_image"], significant),
        "Parameters": _written(table["parameters"], _parameters),
    }
    if "paper_accuracy" in table:
        shown |= {
            "Paper: accuracy, %": _written(table["paper_accuracy"], paper_percent),
            "Paper: training, s": _written(table["paper_train_seconds"], plain),
            "Paper: CPU, s per image": _written(table["paper_seconds_per_image"], significant),
        }
    return without_empty_paper(pd.DataFrame(shown))


def comparison_notes(
    table: pd.DataFrame,
    cells: Sequence[Cell],
    registry: Registry,
    paper: Mapping[str, Any],
    *,
    paper_cells: PaperCells,
) -> list[str]:
    """State the conditions of the comparison's numbers, one sentence or two per note."""
    notes = []
    demo = systems_note(registry[cell.system] for cell in cells)
    if demo:
        notes.append(demo)
    interval = cells[0].metrics[0]["interval"]
    notes.append(
        f"Intervals: {interval['method']}, {100 * interval['level']:g} %, of the mean accuracy "
        "over seeds with the trained weights held fixed. Training time: mean over seeds."
    )
    timings = [cell.timing for cell in cells if cell.timing]
    if timings:
        processors = "; ".join(dict.fromkeys(str(one["cpu_model"]) for one in timings))
        threads = ", ".join(dict.fromkeys(str(one["threads"]) for one in timings))
        notes.append(
            "CPU seconds per image: mean of "
            f"{', '.join(dict.fromkeys(str(one['pairs']) for one in timings))} pairs, one at a "
            f"time, from file bytes to probabilities; threads: {threads}; CPU: {processors}."
        )
    if table.filter(like="paper_accuracy").notna().any(axis=None):
        notes.append(conditions(paper, "comparison"))
        beside = [cell.system for cell in cells if cell.place in paper_cells]
        notes += readings_note(further_readings(beside, registry), registry)
    own = [cell for cell in cells if cell.place in paper_cells]
    return notes + _contradictions(own, registry, paper)


def _contradictions(
    cells: Sequence[Cell], registry: Registry, paper: Mapping[str, Any]
) -> list[str]:
    """Name every number in the table for which the paper gives two values."""
    notes = {}
    for cell in cells if paper else ():
        key = registry[cell.system].get("paper")
        stated = stated_of(paper, str(key), cell.dataset) if key in paper["systems"] else {}
        for name in ("accuracy", "train_seconds", "seconds_per_image"):
            other = stated.get(name, {}).get("contradicted_by")
            if other:
                notes[(cell.system, cell.dataset, name)] = (
                    f"The paper states two values of {readable(name).lower()} for "
                    f"{registry[cell.system].get('title', cell.system)}: "
                    f"{as_stated(stated[name])}, shown, "
                    f"and {as_stated(other)}."
                )
    return list(notes.values())


def _written(values: pd.Series, write: Any) -> list[str | None]:
    return [None if pd.isna(value) else write(float(value)) for value in values]


def _parameters(count: float) -> str:
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{int(count):,}"
