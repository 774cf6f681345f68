"""Detection of classes that no system was trained on: one row per system and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pairdx.errors import PairDxError
from pairdx.evaluation.out_of_distribution import Detection, detection, threshold_to_pass
from pairdx.evaluation.score_intervals import METHOD, score_interval, worth_of_sizes
from pairdx.models.scoring import OUT_OF_DISTRIBUTION, VALIDATION
from pairdx.reporting.format.classes import title_of
from pairdx.reporting.format.labels import readable, system_title, systems_note
from pairdx.reporting.format.markdown import percent, with_interval

TITLE = "Detection of classes out of distribution"
LEVEL = 0.95
# Column of out_of_distribution.parquet, and the sign that makes it a confidence.
KINDS = {"max_probability": 1, "energy": -1}
MEASURES = ("auroc", "false_positive_rate", "true_positive_rate")
COLUMNS = (
    *("system", "split", "seeds", "known_pairs", "out_of_distribution_pairs"),
    *(
        f"{measure}_{kind}{end}"
        for kind in KINDS
        for measure in MEASURES
        for end in ("", "_low", "_high")
    ),
)
NUMBERS = dict.fromkeys(COLUMNS[2:5], "Int64") | dict.fromkeys(COLUMNS[5:], "float64")
Registry = Mapping[str, Mapping[str, Any]]
Tables = Mapping[tuple[str, str], Sequence[pd.DataFrame]]


def out_of_distribution_table(scored: Tables, *, resamples: int, seed: int) -> pd.DataFrame:
    """Build tables/out_of_distribution.csv: one row per system and split, means over seeds.

    The false positive rate is the share of pairs out of distribution that pass for known
    above the confidence that 95 % of the validation pairs reach; the true positive rate is the
    share of test pairs that do. They and the AUROC are fractions of 1; intervals are 95 % score
    intervals over cases. Energy is empty for a system without scores; everything is where no pair
    is out of distribution.

    Args:
        scored: out_of_distribution.parquet of every seed, by system and split, in table order.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Raises:
        PairDxError: The seeds of a system were asked about different pairs.
    """
    rows = []
    for (system, split), tables in scored.items():
        _require_same_pairs(tables, f"{split}: {system}")
        chosen = [table[table["subset"] == VALIDATION] for table in tables]
        tables = [table[table["subset"] != VALIDATION] for table in tables]
        outside = (tables[0]["subset"] == OUT_OF_DISTRIBUTION).to_numpy()
        row = {
            "system": system,
            "split": split,
            "seeds": len(tables),
            "known_pairs": int((~outside).sum()),
            "out_of_distribution_pairs": int(outside.sum()),
        }
        if outside.any() and not outside.all():
            for kind, sign in KINDS.items():
                thresholds = [
                    threshold_to_pass(sign * table[kind].to_numpy(dtype=np.float64))
                    for table in chosen
                ]
                how = {"resamples": resamples, "seed": seed}
                row |= _detected(kind, sign, tables, thresholds, outside, **how)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(NUMBERS)


def _require_same_pairs(tables: Sequence[pd.DataFrame], where: str) -> None:
    keys = [table[["pair_id", "case_id", "subset"]] for table in tables]
    if not all(one.equals(keys[0]) for one in keys):
        raise PairDxError(
            "the seeds of a system were asked about different pairs",
            where=where,
            remedy="delete their out_of_distribution.parquet; they are made again",
        )


def _detected(
    kind: str,
    sign: int,
    tables: Sequence[pd.DataFrame],
    thresholds: Sequence[float],
    outside: np.ndarray,
    *,
    resamples: int,
    seed: int,
) -> dict[str, float | None]:
    if any(table[kind].isna().any() for table in tables):
        return {}
    cases = tables[0]["case_id"]
    found: list[Detection] = [
        detection(
            sign * table[kind].to_numpy(dtype=np.float64),
            outside,
            cases,
            threshold=threshold,
            resamples=resamples,
            seed=seed,
        )
        for table, threshold in zip(tables, thresholds, strict=True)
    ]
    resampled = np.mean([one.resampled for one in found], axis=0)
    known, other = (_worth(cases[chosen]) for chosen in (~outside, outside))
    row: dict[str, float | None] = {}
    for place, (measure, worth) in enumerate(
        zip(MEASURES, (min(known, other), other, known), strict=True)
    ):
        value = float(np.mean([getattr(one, measure) for one in found]))
        low, high = score_interval(
            value, resampled[:, place], LEVEL, worth=worth, cases=cases.nunique()
        )
        name = f"{measure}_{kind}"
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    if all(table[kind].nunique() == 1 for table in tables) and cases.nunique() > 1:
        # Ties alone: chance, whatever the cases.
        row |= {f"auroc_{kind}_low": 0.5, f"auroc_{kind}_high": 0.5}
    return row


def _worth(cases: pd.Series) -> float:
    return worth_of_sizes(cases.value_counts().to_numpy().astype(np.float64))


def out_of_distribution_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the table's numbers as text: titles, intervals beside their values.

    Args:
        table: What :func:`out_of_distribution_table` returned.
        registry: The ``systems`` section of the configuration.
    """
    shown: dict[str, Any] = {
        "System": [system_title(name, registry) for name in table["system"]],
        "Split": [readable(name) for name in table["split"]],
        "Known pairs": table["known_pairs"],
        "Pairs out of distribution": table["out_of_distribution_pairs"],
    }
    headings = ("AUROC by", "Taken for known by", "Known that pass by")
    for heading, measure in zip(headings, MEASURES, strict=True):
        for kind in KINDS:
            named = f"{measure}_{kind}"
            bounds = table[[named, f"{named}_low", f"{named}_high"]].to_numpy(dtype=float)
            shown[f"{heading} {_words(kind)}, % (interval)"] = [
                with_interval(*row, write=percent) for row in bounds
            ]
    return pd.DataFrame(shown)


def out_of_distribution_notes(
    table: pd.DataFrame, registry: Registry, out_of_distribution: Sequence[str], resamples: int
) -> list[str]:
    """State what was asked and how the numbers were made.

    Args:
        table: What :func:`out_of_distribution_table` returned.
        registry: The ``systems`` section of the configuration.
        out_of_distribution: The classes that no system was trained on.
        resamples: Number of bootstrap resamples.
    """
    named = ", ".join(title_of(one, {}) for one in out_of_distribution) or "none are configured"
    if not table["out_of_distribution_pairs"].any():
        return [
            f"No pair was out of distribution (classes: {named}), so nothing could be detected."
        ]
    demo = systems_note(registry[name] for name in table["system"].unique())
    return [
        *([demo] if demo else []),
        f"Out of distribution: pairs of classes that no system was trained on ({named}), screened "
        "like the others; a random choice of them where there are more than are used. They are in "
        "no subset: other pairs of their articles may be in training. Known: the test pairs.",
        "AUROC: how often a pair out of distribution has a lower highest probability (or a higher "
        "energy) than a known one; 50 % is chance. Energy: minus the logarithm of the sum of "
        "exp(score) over the classes; empty for a system without scores.",
        "Taken for known: pairs out of distribution that pass for known where the threshold lets "
        "95 % of the validation pairs pass (the false positive rate at 95 % true positive rate). "
        "Known that pass: the test pairs that do.",
        f"Means over seeds. Intervals: {METHOD}, {100 * LEVEL:g} %, {resamples} resamples, with "
        "weights and thresholds held fixed.",
    ]


def _words(kind: str) -> str:
    return {"max_probability": "highest probability", "energy": "energy"}[kind]
