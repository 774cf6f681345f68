"""Accuracy by prompt: one row per system, split and template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pairdx.evaluation.accuracy import accuracy_difference, accuracy_over_seeds
from pairdx.evaluation.score_intervals import METHOD
from pairdx.models.prompt_sets import ALL_TEMPLATES, OWN_PROMPTS
from pairdx.reporting.format.labels import readable, system_title, systems_note
from pairdx.reporting.format.markdown import percent, value_and_bounds, written_intervals

TITLE = "Accuracy of class prompts, by template"
COLUMNS = (
    *("system", "split", "template", "seeds", "accuracy", "accuracy_low", "accuracy_high"),
    *("macro_recall", "difference", "difference_low", "difference_high"),
)
Registry = Mapping[str, Mapping[str, Any]]
Predictions = Mapping[tuple[str, str], Sequence[pd.DataFrame]]


def prompt_table(predictions: Predictions, *, resamples: int, seed: int) -> pd.DataFrame:
    """Build tables/prompt_sensitivity.csv: one row per system, split and set of prompts.

    Accuracy is the mean over seeds on the test pairs, macro recall the mean of the classes' recalls
    (over the classes that occur); ``difference`` is the accuracy less that of the system's own
    prompts. All are fractions of 1. Intervals are 95 % bootstrap intervals over cases (see
    ``accuracy_over_seeds`` and ``accuracy_difference``).

    Args:
        predictions: prompts.parquet of every seed, by system and split, in table order.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        system, split, template, seeds, accuracy, accuracy_low, accuracy_high, macro_recall,
        difference, difference_low, difference_high; the difference of the own prompts is empty.

    Raises:
        PairDxError: The seeds of a system answer for different pairs.
    """
    rows = []
    for (system, split), tables in predictions.items():
        sets = _by_prompts(tables)
        for template, each in sets.items():
            found = accuracy_over_seeds(each, resamples=resamples, seed=seed)
            row = {"system": system, "split": split, "template": template, "seeds": found["seeds"]}
            row |= value_and_bounds("accuracy", found) | {"macro_recall": _macro_recall(each)}
            if template != OWN_PROMPTS:
                gain = accuracy_difference(each, sets[OWN_PROMPTS], resamples=resamples, seed=seed)
                row |= value_and_bounds("difference", gain)
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(COLUMNS[4:], "float64"))


def _by_prompts(tables: Sequence[pd.DataFrame]) -> dict[str, list[pd.DataFrame]]:
    """Return the predictions of every seed by the name of the prompts, in the file's order."""
    return {
        str(name): [table[table["template"] == name].assign(subset="test") for table in tables]
        for name in tables[0]["template"].unique()
    }


def _macro_recall(tables: Sequence[pd.DataFrame]) -> float:
    recalls = [
        (table["label"] == table["predicted"]).groupby(table["label"]).mean().mean()
        for table in tables
    ]
    return float(np.mean(recalls))


def prompts_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the table's numbers as text: titles, intervals beside their values.

    Args:
        table: What :func:`prompt_table` returned.
        registry: The ``systems`` section of the configuration.
    """
    return pd.DataFrame(
        {
            "System": [system_title(name, registry) for name in table["system"]],
            "Split": [readable(name) for name in table["split"]],
            "Prompts": table["template"],
            "Accuracy, % (interval)": written_intervals(table, "accuracy"),
            "Macro recall, %": [percent(value) for value in table["macro_recall"]],
            "Difference to own prompts, points (interval)": written_intervals(table, "difference"),
        }
    )


def prompt_notes(
    table: pd.DataFrame,
    registry: Registry,
    own: Mapping[str, Sequence[str]],
    resamples: int,
    kept: Sequence[str] = (),
) -> list[str]:
    """State the range over templates and the conditions of the numbers.

    Args:
        table: What :func:`prompt_table` returned.
        registry: The ``systems`` section of the configuration.
        own: The systems' own templates.
        resamples: Number of bootstrap resamples.
        kept: Names of the classes that have whole prompts of their own.
    """
    demo = systems_note(registry[name] for name in table["system"].unique())
    single = table[~table["template"].isin([OWN_PROMPTS, ALL_TEMPLATES])]
    ranges = [
        _range(system_title(str(system), registry), str(split), rows)
        for (system, split), rows in single.groupby(["system", "split"], sort=False)
    ]
    named = "; ".join(
        f"{system_title(name, registry)}: {_quoted(templates)}" for name, templates in own.items()
    )
    return [
        *([demo] if demo else []),
        *ranges,
        f"Own prompts: {named}.",
        "{} stands for the class's name. All templates together: each class has the mean of its "
        "prompts' features.",
        *([f"Asked by prompts of their own in every row: {', '.join(kept)}."] if kept else []),
        f"Intervals: {METHOD}, 95 %, {resamples} resamples; those of differences are percentiles, "
        "paired: both accuracies are over the same cases, and two cases are added, so that none "
        "collapses.",
    ]


def _range(title: str, split: str, rows: pd.DataFrame) -> str:
    low, high = (rows.loc[rows["accuracy"].agg(find)] for find in ("idxmin", "idxmax"))
    name, spread = f"{title}, {split} split", high["accuracy"] - low["accuracy"]
    if spread == 0:
        return f"{name}: {percent(low['accuracy'])} % with every single template."
    return (
        f"{name}: from {percent(low['accuracy'])} % ({_quoted([low['template']])}) to "
        f"{percent(high['accuracy'])} % ({_quoted([high['template']])}) over single templates, a "
        f"range of {percent(spread)} percentage points."
    )


def _quoted(templates: Sequence[str], most: int = 3) -> str:
    listed = ", ".join(f"\u201c{template}\u201d" for template in templates[:most])
    more = len(templates) - most
    return f"{listed} and {more} more" if more > 0 else listed
