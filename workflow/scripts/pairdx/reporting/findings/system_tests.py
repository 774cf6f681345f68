"""Do systems differ in what they find? Tests of every two on the same patients, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.evaluation.findings_tests import TEST_COLUMNS, findings_tests
from pairdx.reporting.findings.numbers import UNDEFINED, decimal, values_of
from pairdx.reporting.findings.places import NAMED, Asked, Facts, Registry, by_place, named_columns
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.systems.system_tests import SIGNIFICANCE, p_value
from pairdx.tasks.multi_label.metrics import AT_THRESHOLDS

TITLE = "Tests between systems of what they find"
# Metrics of the task that are tested, and how the table calls them.
TESTED = {
    "macro_auroc": "AUROC",
    "macro_average_precision": "Average precision",
    "macro_f1": "F1",
    "macro_mcc": "MCC",
}
MOST_ROWS = 80  # for reading; of more, only those of the first metric are shown
PLACE = tuple(name for name in NAMED if name != "system")
COLUMNS = (*PLACE, *TEST_COLUMNS)


def pairwise_table(
    asked: Sequence[Asked], registry: Registry, *, resamples: int, seed: int
) -> pd.DataFrame:
    """Build tables/findings_tests_{dataset}.csv: every two systems with the same training data.

    Args:
        asked: The predictions of one dataset's systems, in the order of tables.
        registry: Every system.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.

    Returns:
        dataset, other, split, split_there, and the columns of ``findings_tests``.
    """
    tables = []
    for systems in by_place(asked).values():
        table = findings_tests(
            {one.system: one.predictions for one in systems},
            systems[0].classes,
            metrics=[*TESTED],
            random={one.system: bool(registry[one.system].get("random")) for one in systems},
            resamples=resamples,
            seed=seed,
        )
        named = systems[0].named()
        tables.append(table.assign(**{name: named[name] for name in PLACE}))
    found = pd.concat(tables, ignore_index=True)
    return found[list(COLUMNS)]


def pairwise_for_reading(table: pd.DataFrame, facts: Facts, registry: Registry) -> pd.DataFrame:
    """Write the tests as text; of very many, those of the first metric.

    Args:
        table: What :func:`pairwise_table` returned.
        facts: What is known of datasets.
        registry: Every system.
    """
    table = _shown(table)
    rows = table.to_dict("records")
    return pd.DataFrame(
        {
            **named_columns(table, facts, registry, system=False),
            "Metric": [TESTED[row["metric"]] for row in rows],
            "System A": [system_title(row["system_a"], registry) for row in rows],
            "System B": [system_title(row["system_b"], registry) for row in rows],
            "A": values_of(table["value_a"]),
            "B": values_of(table["value_b"]),
            **({"Findings": _findings(table)} if _some_undecided(table) else {}),
            "Seeds A, B": [f"{row['seeds_a']}, {row['seeds_b']}" for row in rows],
            "A minus B (interval)": [
                _with_interval(row, "difference", "difference") for row in rows
            ],
            "p, Holm": [p_value(row["p_holm"]) or UNDEFINED for row in rows],
            "Methods: A minus B (interval)": [
                _with_interval(row, "difference", "method_difference") for row in rows
            ],
            "Methods: p, Holm": [p_value(row["p_method_holm"]) or UNDEFINED for row in rows],
        }
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    return table if len(table) <= MOST_ROWS else table[table["metric"] == next(iter(TESTED))]


def _some_undecided(table: pd.DataFrame) -> bool:
    return bool((table["decided"] < table["findings"]).any())


def _findings(table: pd.DataFrame) -> list[int]:
    """Count the findings that each row averages over."""
    at_thresholds = table["metric"].isin(AT_THRESHOLDS)
    return [int(one) for one in table["findings"].where(~at_thresholds, table["decided"])]


def _with_interval(row: Mapping[Any, Any], name: str, bounds: str) -> str:
    value, low, high = row[name], row[f"{bounds}_low"], row[f"{bounds}_high"]
    if pd.isna(value) or pd.isna(low) or pd.isna(high):
        return decimal(value) if bounds == name and not pd.isna(value) else UNDEFINED
    return f"{decimal(value)} ({decimal(low)} to {decimal(high)})"


def pairwise_notes(table: pd.DataFrame, registry: Registry) -> list[str]:
    """State the conditions of the tests.

    Args:
        table: What :func:`pairwise_table` returned.
        registry: Every system of the dataset.
    """
    demo = systems_note(registry.values())
    notes = [demo] if demo else []
    if table.empty:
        return [*notes, "There is one system only, and so nothing to compare."]
    notes += [
        "Macro averages over the findings that count, as means over seeds, on the same test pairs; "
        "F1 and MCC at thresholds chosen on validation pairs, over the findings for which every "
        "system here has one with every seed"
        + (", which are fewer than count." if _some_undecided(table) else "."),
        "A minus B: of these trained networks. Interval (95 %) and p are by the variance of the "
        f"difference over {int(table['resamples'].iloc[0]):,} bootstrap resamples of the patients "
        "(cases), the same ones for both; two pairs that differ are added, so that none collapses.",
        "Methods: what another training would change counts as well, by the variance between "
        "trainings, with Student's quantile of so few. "
        f"{UNDEFINED} where a system with randomness was trained with one seed: then nothing can "
        "be said about the method; or where a metric is not defined.",
        "Holm: p corrected for all pairs of systems of one metric, on the same test pairs and "
        f"trained on the same data. Intervals are not corrected. A difference is shown where the "
        f"corrected p is below {SIGNIFICANCE}.",
    ]
    if len(_shown(table)) < len(table):
        others = ", ".join(list(TESTED.values())[1:])
        notes.append(f"Those of {others} are in the CSV file.")
    return notes
