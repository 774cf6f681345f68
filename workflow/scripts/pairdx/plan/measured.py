"""The jobs whose cost is counted: all up to predictions and timings.

A new rule that does more than make tables and figures is added to the list here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pairdx.plan.cells import WITH_SIBLINGS, Cell
from pairdx.plan.datasets import Dataset
from pairdx.plan.plan import Plan

Wildcards = dict[str, Any]


def measured_jobs(plan: Plan) -> list[dict[str, Any]]:
    """Return rule and wildcards of every measured job."""
    return [
        {"rule": rule, "wildcards": wildcards}
        for rule, each in measured_wildcards(plan).items()
        for wildcards in each
    ]


def measured_wildcards(plan: Plan) -> dict[str, list[Wildcards]]:
    """Return, by rule, the wildcards of each of its jobs."""
    datasets = list(plan.datasets.values())
    priced = [cell for one in datasets for cell in plan.pricing.cells(one.name)]
    runs = [*plan.cells, *priced]
    found: dict[str, list[Wildcards]] = {"draw_corpus": plan.drawings()}
    found["ingest_tables"] = found["curate_pairs"] = [{"dataset": one.name} for one in datasets]
    found["inspect_archive"] = [
        {"dataset": one.name, "archive": archive} for one in datasets for archive in one.archives
    ]
    found["make_split"] = [
        {"dataset": one.name, "split": split} for one in datasets for split in _splits(plan, one)
    ]
    found["pack_images"] = _packed(plan, datasets)
    found["pack_out_of_distribution"] = [
        {"dataset": one.name, "size": size}
        for one in datasets
        if one.asks_out_of_distribution
        for size in sorted({system.image_size(one) for system in plan.systems_of(one.name)})
    ]
    found["build_word_vectors"] = [
        {"dataset": one.name}
        for one in datasets
        if any("word_vectors" in system.needs for system in plan.systems_of(one.name))
        or plan.tested_on.read_by_words(one.name)
    ]
    found["read_text_bank"] = [
        {"dataset": one.name, "bank": bank}
        for one in datasets
        for bank in plan.privileged.banks_of(one.name)
    ]
    found["pair_texts"] = [one._asdict() for one in plan.privileged.paired]
    found["train_text_classifier"] = plan.privileged.classified
    for device, short in (("cuda", "gpu"), ("cpu", "cpu")):
        found[f"encode_text_bank_on_{short}"] = plan.privileged.encoded(device)
        found[f"extract_features_on_{short}"] = _encoded(plan, datasets, device)
        found[f"train_on_{short}"] = _of(runs, plan.trained_on(device))
    found["predict"] = _of(runs, plan.registered(trained=True))
    found["predict_untrained"] = _of(runs, plan.registered(trained=False))
    found["predict_elsewhere"] = [one._asdict() for one in plan.tested_on.asked]
    found["probe_inputs"] = [
        cell._asdict() for one in datasets for cell in plan.questions.input_probed_cells(one.name)
    ]
    found["time_system"] = [
        {"dataset": one.name, "system": system.name}
        for one in datasets
        for system in plan.systems_of(one.name)
    ]
    return found


def _of(runs: Iterable[Cell], names: Iterable[str]) -> list[Wildcards]:
    chosen = set(names)
    return [cell._asdict() for cell in runs if cell.system in chosen]


def _splits(plan: Plan, dataset: Dataset) -> list[str]:
    priced = plan.pricing.systems(dataset.name)
    return [*dataset.splits, *([WITH_SIBLINGS] if priced else [])]


def _encoded(plan: Plan, datasets: Iterable[Dataset], device: str) -> list[Wildcards]:
    return [
        {"dataset": one.name, "encoder": name}
        for one in datasets
        for name in plan.encoders(device)
        if name in plan.encoders_of(one)
    ]


def _packed(plan: Plan, datasets: Iterable[Dataset]) -> list[Wildcards]:
    return [
        {"dataset": one.name, "size": size} for one in datasets for size in plan.files.sizes(one)
    ]
