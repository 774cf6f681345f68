"""Systems beside people: the mean F1 and MCC over the findings of a competition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pairdx.evaluation.findings import MACRO, finding_scores, of_findings
from pairdx.reporting.findings.numbers import UNDEFINED, decimal
from pairdx.reporting.format.labels import readable, system_title, systems_note
from pairdx.tasks.base import Task

TITLE = "Mean over {findings} findings of {dataset}, beside people"
METRICS = {"f1": "F1", "mcc": "MCC"}
ENDS = ("", "_low", "_high", "_sd")
COLUMNS = (
    *("entrant", "dataset", "split", "system", "seeds", "findings", "without_threshold"),
    *(f"{name}{end}" for name in METRICS for end in ENDS),
    "place",
)
Stated = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Entrant:
    """A system that is asked about the competition's test pairs.

    Attributes:
        dataset: Name of the dataset that it is trained on.
        split: Name of the split.
        system: Name of the system.
        predictions: One predictions table per seed.
    """

    dataset: str
    split: str
    system: str
    predictions: Sequence[pd.DataFrame]


def competition_table(
    entrants: Sequence[Entrant],
    task: Task[Any, Any],
    classes: Sequence[str],
    findings: Sequence[str],
    stated: Stated,
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Build tables/competition.csv: what a paper states, then a row per system and split.

    Args:
        entrants: The systems.
        task: That of several labels per pair.
        classes: All findings of the predictions.
        findings: Those that count.
        stated: What a paper states, by who it is of: ``f1`` and ``mcc``, each with ``value`` and
            ``place``, and ``title``.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.

    Returns:
        entrant (of a paper's its key, else empty), dataset, split and system, seeds, findings (how
        many count), without_threshold (how many of these have none with some seed, because
        validation pairs do not decide), f1 and mcc as means over the findings and over seeds with
        their intervals and standard deviations over seeds, place in the paper. Empty where
        undefined.
    """
    rows: list[dict[str, Any]] = [
        {
            "entrant": key,
            **{name: of[name]["value"] for name in METRICS},
            "place": "; ".join(dict.fromkeys(of[name]["place"] for name in METRICS)),
        }
        for key, of in stated.items()
    ]
    for one in entrants:
        tables = [of_findings(table, classes, findings) for table in one.predictions]
        scores = finding_scores(task, tables, findings, resamples=resamples, seed=seed)
        each, mean = (scores[(scores["finding"] == MACRO) == is_mean] for is_mean in (False, True))
        counted = each[each["counts"].astype(bool)]
        rows.append(
            {
                **{name: getattr(one, name) for name in ("dataset", "split", "system")},
                "seeds": len(tables),
                "findings": len(counted),
                "without_threshold": int(counted["threshold"].isna().sum()),
                **{f"{name}{end}": mean[f"{name}{end}"].item() for name in METRICS for end in ENDS},
            }
        )
    numbers = [f"{name}{end}" for name in METRICS for end in ENDS]
    kinds = {**dict.fromkeys(numbers, "float64")}
    kinds |= dict.fromkeys(("seeds", "findings", "without_threshold"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(kinds)


def competition_for_reading(
    table: pd.DataFrame, facts: Mapping[str, Any], registry: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Write the table for reading.

    Args:
        table: What :func:`competition_table` returned.
        facts: homes: the titles of the datasets that systems are trained on.
        registry: What tables need to know of systems.
    """
    listed: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    rows = []
    several = len({(row["dataset"], row["split"]) for row in listed if row["system"]}) > 1
    for row in listed:
        stated = not isinstance(row["system"], str)
        name = _entrant(row["entrant"]) if stated else system_title(row["system"], registry)
        own: dict[str, Any] = {"System": f"{name} (published)" if stated else name}
        if several:
            home = "" if stated else facts["homes"][row["dataset"]]
            own["Trained on"] = "" if stated else f"{home}, {readable(row['split']).lower()} split"
        for metric, title in METRICS.items():
            own[f"{title}, mean"] = _value(row, metric)
        rows.append({**own, "Seeds": None if stated else row["seeds"]})
    return pd.DataFrame(rows).astype({"Seeds": "Int64"})


def _entrant(key: str) -> str:
    return readable(key).replace("et al", "et al.")


def _value(row: Mapping[str, Any], metric: str) -> str:
    value, low, high, spread = (row[f"{metric}{end}"] for end in ENDS)
    if pd.isna(value):
        return UNDEFINED
    interval = "" if pd.isna(low) or pd.isna(high) else f" ({decimal(low)} to {decimal(high)})"
    over_seeds = "" if pd.isna(spread) else f" \N{PLUS-MINUS SIGN} {decimal(spread)}"
    return f"{decimal(value)}{over_seeds}{interval}"


def competition_notes(
    table: pd.DataFrame,
    facts: Mapping[str, Any],
    registry: Mapping[str, Mapping[str, Any]],
    stated: Stated,
    *,
    resamples: int,
) -> list[str]:
    """Say how the means come about, which findings count, and what the paper's numbers are.

    Args:
        table: What :func:`competition_table` returned.
        facts: title of the dataset, and the display names of the findings.
        registry: What tables need to know of systems.
        stated: See :func:`competition_table`.
        resamples: Number of resamples.
    """
    demo = systems_note(registry.values())
    ours = table[table["system"].notna()]
    notes = [demo] if demo else []
    notes.append(
        f"Mean over {', '.join(facts['findings'].values())} on the test pairs of {facts['title']}; "
        "mean \N{PLUS-MINUS SIGN} standard deviation over seeds, and the 95 % interval of "
        f"{resamples:,} resamples of the patients. A finding without positive or negative test "
        "pairs, or without a threshold, is left out of the mean, never 0."
    )
    notes.append(
        "Thresholds are those of the largest MCC on the validation pairs of the same dataset, each "
        "seed's own; no test pair is looked at."
    )
    lacking = ours[(ours["without_threshold"] > 0) | (ours["findings"] < len(facts["findings"]))]
    if len(lacking):
        notes.append(
            f"Of {len(facts['findings'])} findings {int(ours['findings'].min())} have positive and "
            f"negative test pairs, and {int(ours['without_threshold'].max())} of these have no "
            "threshold, because validation pairs lack positives, negatives or different "
            "probabilities."
        )
    notes += [
        f"{_entrant(key)}: {of['f1'].get('stated', 'as printed')}." for key, of in stated.items()
    ]
    return notes
