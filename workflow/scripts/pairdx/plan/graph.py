"""What of the configuration decides which rules pass files to which."""

from __future__ import annotations

from typing import Any

from pairdx.plan.plan import Plan
from pairdx.plan.systems import System

# What decides nothing, or is put in other words below.
ELSEWHERE = (
    *("datasets", "systems", "feature_extractors", "learning_rate_search", "run"),
    "finding_prompts",
)


def decides_the_graph(plan: Plan) -> dict[str, Any]:
    """Return what the picture of the rules depends on: other numbers and texts redraw nothing.

    Values are brought down to whether there is anything, but for those that name a way of doing
    something.
    """
    config = plan.config
    kept: dict[str, Any] = {
        "device": config["device"],
        "word_vectors": config["word_vectors"]["source"],
    }
    kept["datasets"] = [
        [one.entry["reader"], one.splits, _something({**one.entry, "title": None, "subset": None})]
        for one in plan.datasets.values()
    ]
    kept["systems"] = sorted({repr(_place(plan, system)) for system in plan.enabled})
    kept["several"] = len(plan.enabled) > 1
    questions = plan.questions
    kept["asked"] = [
        [
            bool(asked(name))
            for asked in (
                plan.systems_of,
                questions.input_probed_cells,
                questions.explained,
                questions.prompted,
                questions.text_readers,
                plan.pricing.systems,
                lambda name: plan.datasets[name].asks_out_of_distribution,
            )
        ]
        for name in plan.datasets
    ]
    kept["beside_paper"] = bool(plan.published.compared)
    if plan.findings.datasets:
        kept["findings"] = [one.several for one in plan.datasets.values()]
    left = {key: value for key, value in config.items() if key not in (*kept, *ELSEWHERE)}
    return {key: _something(value) for key, value in left.items()} | kept


def _something(value: Any) -> Any:
    """Say whether there is anything, at every depth of a mapping."""
    if isinstance(value, dict):
        return {key: _something(inner) for key, inner in value.items()}
    return bool(value)


def _place(plan: Plan, system: System) -> list[Any]:
    """Return what decides which rules a system has to do with."""
    kinds = [system.entry["family"], system.trained, system.random, system.needs]
    if system.weights_name is None:
        return kinds
    source = plan.config["downloads"]["weights"][system.weights_name]
    return [*kinds, [sorted(source), bool(source.get("path"))]]
