"""What every system costs: training and classification, beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.reporting.format.labels import (
    Datasets,
    dataset_column,
    readable,
    system_title,
    systems_note,
)
from pairdx.reporting.format.tables import without_empty_paper
from pairdx.reporting.paper.stated import conditions
from pairdx.reporting.systems.comparison import Cell, cost_of, in_order

TITLE = "Cost of the systems"
COLUMNS = {
    "dataset": "str",
    "system": "str",
    "split": "str",
    "seeds": "Int64",
    "train_seconds": "float64",
    "train_device": "str",
    "train_energy_joules": "float64",
    "train_peak_host_bytes": "Int64",
    "train_peak_device_bytes": "Int64",
    "parameters": "Int64",
    "seconds_per_image": "float64",
    "batched_seconds_per_image": "float64",
    "batched_size": "Int64",
    "batched_runtime": "str",
    "paper_train_seconds": "float64",
    "paper_seconds_per_image": "float64",
}
Registry = Mapping[str, Mapping[str, Any]]
# By dataset, split and system: passport.json of every seed. By dataset and system: its timing.
Passports = Mapping[tuple[str, str, str], Sequence[Mapping[str, Any]]]
Timings = Mapping[tuple[str, str], Mapping[str, Any]]


def cost_table(
    comparison: pd.DataFrame, passports: Passports, timings: Timings, registry: Registry
) -> pd.DataFrame:
    """Build tables/cost.csv: one row per dataset, system and split.

    Training seconds (all attempts), device, parameters, CPU seconds one by one and the paper's
    values are those of the comparison. Energy is the mean over seeds, memory the largest of any
    seed; both are of the last attempt of training. ``batched_*`` is the fastest batch size in the
    runtime of the times one by one, which it names; other runtimes stand in tables/timing.csv
    alone. A cell is empty where it does not apply or where a seed has no value.

    Args:
        comparison: What :func:`with_others` returned, or tables/comparison.csv.
        passports: passport.json of every seed, by dataset, split and system.
        timings: timing/{system}.json, by dataset and system.
        registry: title, trained and stand_in of every system.

    Returns:
        The columns of :data:`COLUMNS`, those of the paper where the comparison has them; rows in
        the order of the comparison.
    """
    rows = []
    for row in comparison.to_dict("records"):
        dataset, split, system = (str(row[part]) for part in ("dataset", "split", "system"))
        own = passports[dataset, split, system] if registry[system]["trained"] else []
        known = {str(name): value for name, value in row.items()}
        rows.append(
            {**known, **_measured_in_training(own), **_fastest_batch(timings[dataset, system])}
        )
    kinds = {
        name: kind
        for name, kind in COLUMNS.items()
        if name in comparison or not name.startswith("paper_")
    }
    table = pd.DataFrame(rows, columns=list(kinds))
    return table.astype({name: kind for name, kind in kinds.items() if kind != "str"})


def with_others(
    comparison: pd.DataFrame | None,
    others: Sequence[Cell],
    registry: Registry,
    datasets: Sequence[str],
) -> pd.DataFrame:
    """Return the rows of the comparison, and of cells that it leaves out, without their accuracy.

    Args:
        comparison: tables/comparison.csv; None where there is none.
        others: What it leaves out, with passports, training and timing.
        registry: trained of every system, in the order of tables.
        datasets: In the order of tables.
    """
    if not others:
        assert comparison is not None  # noqa: S101 - then it holds all cells
        return comparison
    rows = [
        {
            "dataset": cell.dataset,
            "system": cell.system,
            "split": cell.split,
            "seeds": len(cell.passports),
            **cost_of(cell, registry[cell.system]),
        }
        for cell in in_order(others, registry, "dataset", "system", "split")
    ]
    known = [] if comparison is None else comparison.to_dict("records")
    table = pd.DataFrame([*known, *rows])
    return table.iloc[table["dataset"].map(list(datasets).index).argsort(kind="stable")]


def _measured_in_training(passports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    energy = [one.get("energy_joules") for one in passports]
    mean = pd.Series(energy, dtype="float64").mean(skipna=False)
    found: dict[str, Any] = {"train_energy_joules": mean}
    for place in ("host", "device"):
        held = [one.get("peak_memory_bytes", {}).get(place) for one in passports]
        known = [amount for amount in held if amount is not None]
        found[f"train_peak_{place}_bytes"] = max(known, default=None)
    return found


def _fastest_batch(timing: Mapping[str, Any]) -> dict[str, Any]:
    own = [one for one in timing["deployment"] if one["runtime"] == timing["runtime"]]
    best = min(own, key=lambda one: one["mean"], default=None)
    if best is None:
        return {}
    return {
        "batched_seconds_per_image": best["mean"],
        "batched_size": best["batch_size"],
        "batched_runtime": best["runtime"],
    }


def cost_for_reading(table: pd.DataFrame, registry: Registry, datasets: Datasets) -> pd.DataFrame:
    """Give systems their titles, and energy and memory the units that one reads them in.

    Args:
        table: What :func:`cost_table` returned.
        registry: title, trained and stand_in of every system.
        datasets: title of every dataset; a column only where the table is about several.
    """
    shown = pd.DataFrame(
        {
            **dataset_column(table["dataset"], datasets, "dataset"),
            "system": [system_title(name, registry) for name in table["system"]],
            "split": [readable(name) for name in table["split"]],
            "seeds": table["seeds"],
            "training_seconds": table["train_seconds"],
            "trained_on": table["train_device"],
            "training energy, kJ": table["train_energy_joules"] / 1e3,
            "peak memory, GB": table["train_peak_host_bytes"] / 1e9,
            "peak GPU memory, GB": table["train_peak_device_bytes"] / 1e9,
            "parameters": table["parameters"],
            "CPU seconds per image": table["seconds_per_image"],
            "CPU seconds per image in batches": table["batched_seconds_per_image"],
            "batch size": table["batched_size"],
            "runtime of batches": table["batched_runtime"],
        }
    )
    if "paper_train_seconds" in table:
        shown["paper_training_seconds"] = table["paper_train_seconds"]
        shown["paper: CPU seconds per image"] = table["paper_seconds_per_image"]
    return without_empty_paper(shown)


def cost_notes(
    table: pd.DataFrame,
    passports: Passports,
    timings: Timings,
    registry: Registry,
    paper: Mapping[str, Any],
) -> list[str]:
    """State the conditions of the table's numbers.

    Args:
        table: What :func:`cost_table` returned.
        passports: passport.json of every seed, by dataset, split and system.
        timings: timing/{system}.json, by dataset and system.
        registry: title, trained and stand_in of every system.
        paper: The content of the paper's file; empty where there is none.
    """
    demo = systems_note(registry.values())
    trained = [
        one
        for (_, _, system), each in passports.items()
        if registry[system]["trained"]
        for one in each
    ]
    notes = [
        *([demo] if demo else []),
        "Training time: mean over seeds of the seconds of all attempts. Energy (of the GPU's whole "
        "board, mean over seeds) and memory (largest of any seed) are those of a training's last "
        "attempt only; empty where they were not measured.",
        timing_conditions(timings, "one pair at a time and at the fastest batch size"),
    ]
    if any(one.get("processes", 1) > 1 for one in trained):
        notes.append("Where several GPUs trained together, energy and memory are the first one's.")
    if table.filter(like="paper_").notna().any(axis=None):
        notes.append(conditions(paper, "cost"))
    return notes


def timing_conditions(timings: Timings, how: str) -> str:
    """Say how, on what, and with how many threads and pairs the CPU seconds were measured."""
    known = {
        name: ", ".join(dict.fromkeys(str(one[name]) for one in timings.values()))
        for name in ("cpu_model", "threads", "pairs")
    }
    return (
        f"CPU seconds per image: means, from file bytes to probabilities, {how}, of what a system "
        "reads (one that reads no image decodes and resizes none); CPU: "
        f"{known['cpu_model']}, threads: {known['threads']}, pairs: {known['pairs']}."
    )
