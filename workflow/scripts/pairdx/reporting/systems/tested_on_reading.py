"""How the tables of systems that were tested on another dataset are written for reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from pairdx.reporting.format.classes import title_of
from pairdx.reporting.format.labels import readable, system_title
from pairdx.reporting.format.markdown import percent, with_interval
from pairdx.reporting.systems.system_tests import points

TITLE = "Tested on another dataset"
CONFIDENCE_TITLE = "Calibration and abstention on another dataset"
CLASSES_TITLE = "What the classes of the other dataset are taken for"
Registry = Mapping[str, Mapping[str, Any]]
Facts = Mapping[str, Any]


def _named_columns(table: pd.DataFrame, facts: Facts, registry: Registry) -> dict[str, list[str]]:
    """Return titles of rows; of datasets and split only where they are not everywhere the same."""
    splits = zip(table["split"], table["split_there"], strict=True)
    found = {
        "Trained on": [facts["datasets"][name]["title"] for name in table["dataset"]],
        "Tested on": [facts["datasets"][name]["title"] for name in table["other"]],
        "Split": [
            readable(here) + ("" if here == there else f" (there: {there})")
            for here, there in splits
        ],
    }
    columns = ("dataset", "other", "split")
    told = [
        table[column].nunique() > 1 or (column == "split" and table["split_there"].nunique() > 1)
        for column in columns
    ]
    shown = {name: each for (name, each), one in zip(found.items(), told, strict=True) if one}
    return shown | {"System": [system_title(name, registry) for name in table["system"]]}


def _percents(table: pd.DataFrame, name: str) -> list[str | None]:
    return [None if pd.isna(value) else percent(value) for value in table[name]]


def _with_bounds(
    table: pd.DataFrame, name: str, write: Callable[[float, float, float], str | None]
) -> list[str | None]:
    rows = table[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
    return [None if pd.isna(row[0]) else write(*row) for row in rows]


def tested_on_for_reading(table: pd.DataFrame, facts: Facts, registry: Registry) -> pd.DataFrame:
    """Write accuracies as text: titles, intervals beside their values.

    Args:
        table: tables/tested_on.csv.
        facts: title of every dataset.
        registry: title and stand_in of every system.
    """
    pairs = zip(table["home_pairs"], table["there_pairs"], strict=True)
    return pd.DataFrame(
        {
            **_named_columns(table, facts, registry),
            "Accuracy at home, % (interval)": _with_bounds(table, "home_accuracy", with_interval),
            "Accuracy there, % (interval)": _with_bounds(table, "there_accuracy", with_interval),
            "Drop, points (interval)": _with_bounds(table, "drop", points),
            "Balanced accuracy at home, %": _percents(table, "home_balanced_accuracy"),
            "Balanced accuracy there, %": _percents(table, "there_balanced_accuracy"),
            "Answers that are no class there, %": _percents(table, "absent_answers"),
            "Pairs at home / there": [f"{home:,} / {there:,}" for home, there in pairs],
        }
    )


def confidence_for_reading(table: pd.DataFrame, facts: Facts, registry: Registry) -> pd.DataFrame:
    """Write calibration and abstention likewise.

    Args:
        table: tables/tested_on_confidence.csv.
        facts: title of every dataset.
        registry: title and stand_in of every system.
    """

    def errors(side: str) -> list[str | None]:
        names = (f"{side}_ece_before", f"{side}_ece_after")
        each = zip(*(_percents(table, name) for name in names), strict=True)
        return [None if before is None else f"{before} ({after})" for before, after in each]

    def intervals(name: str) -> list[str | None]:
        return _with_bounds(table, name, with_interval)

    return pd.DataFrame(
        {
            **_named_columns(table, facts, registry),
            "ECE at home, % (scaled)": errors("home"),
            "ECE there, % (scaled)": errors("there"),
            "Coverage at home, % (interval)": intervals("home_coverage"),
            "Coverage there, % (interval)": intervals("there_coverage"),
            "Risk at home, % (interval)": intervals("home_risk"),
            "Risk there, % (interval)": intervals("there_risk"),
            "Answered of further classes, %": _percents(table, "unmatched_answered"),
        }
    )


def classes_for_reading(table: pd.DataFrame, facts: Facts, registry: Registry) -> pd.DataFrame:
    """Write the answers by class with display names.

    Args:
        table: tables/tested_on_classes.csv.
        facts: title and classes of every dataset.
        registry: title and stand_in of every system.
    """

    def displayed(column: str, of: str) -> list[str | None]:
        return [
            None if pd.isna(label) else title_of(label, facts["datasets"][name]["classes"])
            for label, name in zip(table[column], table[of], strict=True)
        ]

    return pd.DataFrame(
        {
            **_named_columns(table, facts, registry),
            "Class there": displayed("class_there", "other"),
            "Class here": displayed("class_here", "dataset"),
            "Pairs": list(table["pairs"]),
            "Right, %": _percents(table, "share_right"),
            "Most frequent answer": displayed("most_frequent_answer", "dataset"),
            "Given to, %": _percents(table, "answer_share"),
            "Mean confidence, %": _percents(table, "mean_confidence"),
            "Answered, %": _percents(table, "share_answered"),
            "This class named, % of all pairs": _percents(table, "share_named"),
        }
    )
