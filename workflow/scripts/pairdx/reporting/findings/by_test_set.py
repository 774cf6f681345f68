"""Every finding on every test set: what the macro averages of the comparison are made of."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pairdx.evaluation.findings import COLUMNS as SCORED
from pairdx.evaluation.findings import MACRO
from pairdx.reporting.findings.numbers import AVERAGES, THRESHOLDS, intervals, values_of
from pairdx.reporting.findings.places import NAMED, Asked, Facts, Registry, named_columns
from pairdx.reporting.format.classes import title_of
from pairdx.reporting.format.labels import system_title, systems_note

TITLE = "AUROC of every finding on every test set"
COLUMNS = (*NAMED, *SCORED)
PLACE = ["other", "split_there", "dataset", "split"]
ABOUT = (
    "Each column is a system: mean AUROC over its seeds. All scores and their intervals stand in "
    "the CSV file."
)


def by_test_set(scored: Sequence[tuple[Asked, pd.DataFrame]]) -> pd.DataFrame:
    """Build tables/findings_by_test_set.csv: a row per test set, training data, system and finding.

    Args:
        scored: Every system at every place, with what ``finding_scores`` returned.

    Returns:
        The columns :data:`COLUMNS`; without the averages.
    """
    parts = [
        scores[scores["finding"] != MACRO].assign(**one.named()).reindex(columns=list(COLUMNS))
        for one, scores in scored
    ]
    return pd.concat(parts, ignore_index=True)


def by_test_set_for_reading(table: pd.DataFrame, facts: Facts, registry: Registry) -> pd.DataFrame:
    """Write a row per test set and finding that counts, and a column of AUROC per system.

    A system that is not trained is the same wherever it is at home.

    Args:
        table: What :func:`by_test_set` returned.
        facts: What is known of datasets.
        registry: Every system, in the order of tables.
    """
    counted = table[table["counts"].astype(bool)]
    keys = [*PLACE, "finding", "positives"]
    wide = counted.pivot_table(index=keys, columns="system", values="auroc", sort=False)
    rows = wide.reset_index()
    names = {name: one["classes"] for name, one in facts["datasets"].items()}
    shown: dict[str, Sequence[object]] = {
        **named_columns(rows, facts, registry, system=False),
        "Finding": [
            title_of(finding, names[other])
            for finding, other in zip(rows["finding"], rows["other"], strict=True)
        ],
        "Positives": list(rows["positives"]),
    }
    for system in (name for name in registry if name in wide):
        shown[system_title(system, registry)] = values_of(rows[system])
    return pd.DataFrame(shown)


def by_test_set_notes(table: pd.DataFrame, registry: Registry, resamples: int) -> list[str]:
    """State the conditions of the numbers.

    Args:
        table: What :func:`by_test_set` returned.
        registry: Every system.
        resamples: Number of bootstrap resamples.
    """
    demo = systems_note(registry[name] for name in table["system"].unique())
    return [*([demo] if demo else []), ABOUT, AVERAGES, THRESHOLDS, intervals(resamples)]
