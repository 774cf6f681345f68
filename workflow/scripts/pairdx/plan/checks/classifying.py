"""What is wrong with the key ``documents_to_classify``: which system is meant, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pairdx.plan.classifying import KEY
from pairdx.plan.wording import not_among, similar

if TYPE_CHECKING:
    from pairdx.plan.plan import Plan

OF_A_SYSTEM = ("dataset", "split", "seed")


def problems_of_plan(plan: Plan) -> Iterator[str]:
    """Yield sentences that begin with the config key."""
    for name, entry in plan.config[KEY].items():
        key = f"{KEY}.{name}"
        if (entry["system"] is None) == (entry["folder"] is None):
            yield (
                f"config key {key}: name either system, one of this run, or folder, a deployed "
                "system that lies elsewhere"
            )
        elif entry["folder"] is not None:
            yield from (
                f"config key {key}.{one}: a folder says itself which system it holds; leave it out"
                for one in OF_A_SYSTEM
                if entry[one] is not None
            )
        else:
            yield from _of_system(plan, name, key)


def _of_system(plan: Plan, name: str, key: str) -> Iterator[str]:
    entry = plan.config[KEY][name]
    dataset, system = entry["dataset"] or next(iter(plan.datasets)), entry["system"]
    if dataset not in plan.datasets:
        yield not_among(f"{key}.dataset", dataset, "the datasets that run", plan.datasets)
        return
    running = [one.name for one in plan.systems_of(dataset)]
    if system not in running:
        among = f"the systems that run on {dataset}"
        yield not_among(f"{key}.system", system, among, running) + similar(system, running)
        return
    reason = plan.deployment.why_not(plan.systems[system], plan.datasets[dataset])
    if reason is not None:
        yield f"config key {key}.system: {system} cannot be deployed on {dataset}: {reason}"
        return
    splits, seeds = plan.datasets[dataset].splits, plan.systems[system].seeds
    if entry["split"] is not None and entry["split"] not in splits:
        yield not_among(f"{key}.split", entry["split"], f"the splits of {dataset}", splits)
    if entry["seed"] is not None and entry["seed"] not in seeds:
        yield not_among(f"{key}.seed", entry["seed"], f"the seeds of {system}", map(str, seeds))
