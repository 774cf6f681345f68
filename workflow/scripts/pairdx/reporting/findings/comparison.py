"""All systems by what they find: a row per system and test pairs, at home and elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pairdx.evaluation.findings import ensemble, finding_scores
from pairdx.reporting.findings.numbers import (
    AVERAGES,
    MACRO_SCORES,
    THRESHOLDS,
    UNDEFINED,
    intervals,
    scores_of,
    values_of,
)
from pairdx.reporting.findings.places import (
    NAMED,
    Asked,
    Facts,
    Registry,
    in_order,
    named_columns,
    once,
)
from pairdx.reporting.format.labels import systems_note
from pairdx.tasks.base import Task

TITLE = "Findings by system, at home and on other datasets"
ENDS = ("", "_low", "_high")
COLUMNS = (
    *NAMED,
    *("seeds", "findings", "decided", "pairs", "patients"),
    *(f"macro_{name}{end}" for name in MACRO_SCORES for end in (*ENDS, "_sd")),
    *(f"ensemble_{name}{end}" for name in MACRO_SCORES for end in ENDS),
)


Scored = Sequence[tuple[Asked, pd.DataFrame]]


def scored(
    task: Task[Any, Any],
    asked: Sequence[Asked],
    facts: Facts,
    registry: Registry,
    *,
    resamples: int,
    seed: int,
) -> Scored:
    """Score every finding of every system at every place, in the order of tables.

    Args:
        task: That of several labels per pair.
        asked: The predictions.
        facts: What is known of datasets and splits.
        registry: Every system, in the order of tables.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.
    """
    how: dict[str, Any] = {"resamples": resamples, "seed": seed}
    return [
        (one, finding_scores(task, one.predictions, one.classes, **how))
        for one in in_order(asked, facts, registry)
    ]


def comparison_table(
    task: Task[Any, Any], found: Scored, *, resamples: int, seed: int
) -> pd.DataFrame:
    """Build tables/findings_comparison.csv: a row per test pairs, training data and system.

    Args:
        task: That of several labels per pair.
        found: What :func:`scored` returned.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.

    Returns:
        The columns :data:`COLUMNS`: macro averages as means over seeds, with interval and standard
        deviation over seeds; those of the ensemble, whose probabilities are the means over seeds,
        where there are several. ``findings`` is how many count, ``decided`` how many of
        them have a threshold. Empty where undefined.
    """
    how: dict[str, Any] = {"resamples": resamples, "seed": seed}
    rows = [{**one.named(), **_scores(task, one, scores, how)} for one, scores in found]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(COLUMNS[COLUMNS.index("patients") + 1 :], "float64"))


def _scores(
    task: Task[Any, Any], asked: Asked, scores: pd.DataFrame, how: dict[str, Any]
) -> dict[str, Any]:
    tables, classes = asked.predictions, asked.classes
    macro = scores.iloc[-1]
    test = tables[0][tables[0]["subset"] == "test"]
    row: dict[str, Any] = {
        "seeds": len(tables),
        "findings": int(macro["counts"]),
        "decided": int(macro["decided"]),
        "pairs": len(test),
        "patients": test["case_id"].nunique(),
        **{f"macro_{name}{end}": macro[f"{name}{end}"] for name in MACRO_SCORES for end in ENDS},
        **{f"macro_{name}_sd": macro[f"{name}_sd"] for name in MACRO_SCORES},
    }
    if len(tables) > 1:
        whole = finding_scores(task, [ensemble(tables, classes)], classes, **how).iloc[-1]
        row |= {
            f"ensemble_{name}{end}": whole[f"{name}{end}"] for name in MACRO_SCORES for end in ENDS
        }
    return row


def comparison_for_reading(table: pd.DataFrame, facts: Facts, registry: Registry) -> pd.DataFrame:
    """Write the numbers as text: titles, intervals and spread beside their values.

    Args:
        table: What :func:`comparison_table` returned.
        facts: What is known of datasets.
        registry: Every system.
    """
    table = once(table, registry)
    several = bool((table["seeds"] > 1).any())
    shown: dict[str, Sequence[Any]] = {
        **named_columns(table, facts, registry),
        "Seeds": list(table["seeds"]),
        "Findings": list(table["findings"]),
        **({"With a threshold": list(table["decided"])} if _some_undecided(table) else {}),
        "Patients": list(table["patients"]),
    }
    for name, title in MACRO_SCORES.items():
        shown[f"{title} (interval)"] = scores_of(table, f"macro_{name}")
        if several:
            shown[f"{title}, SD"] = values_of(table[f"macro_{name}_sd"])
            shown[f"{title}, ensemble"] = values_of(table[f"ensemble_{name}"])
    return pd.DataFrame(shown)


def _some_undecided(table: pd.DataFrame) -> bool:
    return bool((table["decided"] < table["findings"]).any())


def comparison_notes(table: pd.DataFrame, registry: Registry, resamples: int) -> list[str]:
    """State the conditions of the numbers.

    Args:
        table: What :func:`comparison_table` returned.
        registry: Every system.
        resamples: Number of bootstrap resamples.
    """
    demo = systems_note(registry[name] for name in table["system"].unique())
    several = bool((table["seeds"] > 1).any())
    spread = (
        "SD: the standard deviation over seeds, of a sample. Ensemble: one system whose "
        "probabilities are the means over all seeds, with thresholds of its own; its intervals are "
        "in the CSV file. F1 and MCC of the seeds are over the findings for which each has a "
        "threshold."
    )
    elsewhere = (
        "On another dataset the findings of that one are asked about, and thresholds are chosen on "
        "its validation pairs."
    )
    unknown = f"{UNDEFINED}: not defined, because no finding counts or none has a threshold."
    return [
        *([demo] if demo else []),
        AVERAGES,
        THRESHOLDS,
        *([elsewhere] if (table["dataset"] != table["other"]).any() else []),
        intervals(resamples),
        *([spread] if several else []),
        *([unknown] if table.filter(like="macro_").isna().any(axis=None) else []),
    ]
