"""What systems find by one set of prompts after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from pairdx.evaluation.findings import by_prompts
from pairdx.models.prompt_sets import OWN_PROMPTS
from pairdx.reporting.findings.numbers import AVERAGES, UNDEFINED, decimal, intervals, scores_of
from pairdx.reporting.findings.places import Registry
from pairdx.reporting.format.labels import readable, system_title, systems_note

TITLE = "Findings by the prompts that ask about them"
COLUMNS = (
    *("system", "split", "prompts", "seeds", "macro_auroc", "macro_auroc_low", "macro_auroc_high"),
    *("macro_auroc_sd", "difference", "difference_low", "difference_high"),
)
# How the columns of ``by_prompts`` are called beside those of other tables.
RENAMED = {"low": "macro_auroc_low", "high": "macro_auroc_high", "sd": "macro_auroc_sd"}


def prompts_table(
    predictions: Mapping[tuple[str, str], Sequence[pd.DataFrame]],
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Build tables/finding_prompts_{dataset}.csv: a row per system, split and set of prompts.

    Args:
        predictions: prompts.parquet of every seed, by system and split, in table order.
        classes: The findings.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.

    Returns:
        system, split, and what ``by_prompts`` returns: macro AUROC as mean over seeds with interval
        and standard deviation, and its difference to the system's own prompts.
    """
    tables = []
    for (system, split), own in predictions.items():
        found = by_prompts(own, classes, own=OWN_PROMPTS, resamples=resamples, seed=seed)
        tables.append(found.rename(columns=RENAMED).assign(system=system, split=split))
    table = pd.concat(tables, ignore_index=True)[list(COLUMNS)]
    return table.astype(dict.fromkeys(COLUMNS[4:], "float64"))


def prompts_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the numbers as text: titles, intervals beside their values.

    Args:
        table: What :func:`prompts_table` returned.
        registry: Every system.
    """
    differences = scores_of(table, "difference")
    own = table["prompts"] == OWN_PROMPTS
    return pd.DataFrame(
        {
            "System": [system_title(name, registry) for name in table["system"]],
            "Split": [readable(name) for name in table["split"]],
            "Prompts": table["prompts"],
            "Seeds": table["seeds"],
            "AUROC (interval)": scores_of(table, "macro_auroc"),
            "Difference to own prompts (interval)": [
                "" if is_own else text for is_own, text in zip(own, differences, strict=True)
            ],
        }
    )


def prompts_notes(
    table: pd.DataFrame, registry: Registry, own: Mapping[str, str], resamples: int
) -> list[str]:
    """State the range over sets of prompts and the conditions of the numbers.

    Args:
        table: What :func:`prompts_table` returned.
        registry: Every system.
        own: The name of the set that each system asks by.
        resamples: Number of bootstrap resamples.
    """
    demo = systems_note(registry[name] for name in table["system"].unique())
    ranges = [
        _range(f"{system_title(str(system), registry)}, {split} split", rows)
        for (system, split), rows in table.groupby(["system", "split"], sort=False)
        if rows["macro_auroc"].notna().any()
    ]
    named = "; ".join(f"{system_title(name, registry)}: {chosen}" for name, chosen in own.items())
    return [
        *([demo] if demo else []),
        *ranges,
        f"Own prompts (sets of config key finding_prompts): {named}. They are not asked by again "
        "under that name. A set asks about a finding by the mean features of its positive prompts "
        "against those of its negative ones; of a set with several, each pair is tried alone as "
        "well. {} stands for the finding.",
        f"Macro AUROC of the test pairs. {AVERAGES}",
        f"{intervals(resamples)} Differences are paired: the same patients are drawn for both.",
        *([f"{UNDEFINED}: no finding counts."] if table["macro_auroc"].isna().any() else []),
    ]


def _range(name: str, rows: pd.DataFrame) -> str:
    low, high = (rows.loc[rows["macro_auroc"].agg(find)] for find in ("idxmin", "idxmax"))
    worst, best = decimal(low["macro_auroc"]), decimal(high["macro_auroc"])
    if len(rows) == 1:
        return f"{name}: {best} by {low['prompts']}."
    return f"{name}: from {worst} ({low['prompts']}) to {best} ({high['prompts']})."
