"""Detection of classes that no system was trained on: one row per system and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pairdx.errors import PairDxError
from pairdx.evaluation.intervals import percentile_interval
from pairdx.evaluation.unknown import Detection, detection
from pairdx.models.scoring import UNKNOWN
from pairdx.reporting.labels import demo_note, readable, system_title
from pairdx.reporting.markdown import percent, with_interval

TITLE = "Detection of an unknown class"
LEVEL = 0.95
# Column of out_of_distribution.parquet, and the sign that makes it a confidence.
KINDS = {"max_probability": 1, "energy": -1}
COLUMNS = (
    *("model", "split", "seeds", "known_pairs", "unknown_pairs"),
    *(
        column
        for kind in KINDS
        for column in (
            *(f"auroc_{kind}", f"auroc_{kind}_low", f"auroc_{kind}_high"),
            f"false_positive_rate_{kind}",
        )
    ),
)
NUMBERS = dict.fromkeys(COLUMNS[2:5], "Int64") | dict.fromkeys(COLUMNS[5:], "float64")
Registry = Mapping[str, Mapping[str, Any]]
Tables = Mapping[tuple[str, str], Sequence[pd.DataFrame]]


def unknown_table(scored: Tables, *, resamples: int, seed: int) -> pd.DataFrame:
    """Build tables/unknown_class.csv: one row per system and split, means over seeds.

    The false positive rate is the share of unknown pairs that pass for known where 95 % of the
    known ones do. It and the AUROC are fractions of 1; intervals are 95 % bootstrap intervals over
    cases. Energy is empty for a system without scores; everything is where there are no unknown
    pairs.

    Args:
        scored: out_of_distribution.parquet of every seed, by system and split, in table order.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Raises:
        PairDxError: The seeds of a system were asked about different pairs.
    """
    rows = []
    for (model, split), tables in scored.items():
        _require_same_pairs(tables, f"{split}: {model}")
        unknown = (tables[0]["subset"] == UNKNOWN).to_numpy()
        row = {
            "model": model,
            "split": split,
            "seeds": len(tables),
            "known_pairs": int((~unknown).sum()),
            "unknown_pairs": int(unknown.sum()),
        }
        if unknown.any() and not unknown.all():
            for kind, sign in KINDS.items():
                row |= _detected(kind, sign, tables, unknown, resamples=resamples, seed=seed)
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
    unknown: np.ndarray,
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
            unknown,
            cases,
            resamples=resamples,
            seed=seed,
        )
        for table in tables
    ]
    resampled = np.mean([one.resampled for one in found], axis=0)
    low, high = percentile_interval(resampled, LEVEL) if cases.nunique() > 1 else (None, None)
    return {
        f"auroc_{kind}": float(np.mean([one.auroc for one in found])),
        f"auroc_{kind}_low": low,
        f"auroc_{kind}_high": high,
        f"false_positive_rate_{kind}": float(np.mean([one.false_positive_rate for one in found])),
    }


def unknown_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the table's numbers as text: titles, intervals beside their values.

    Args:
        table: What :func:`unknown_table` returned.
        registry: The ``models`` section of the configuration.
    """
    shown: dict[str, Any] = {
        "System": [system_title(name, registry) for name in table["model"]],
        "Split": [readable(name) for name in table["split"]],
        "Known pairs": table["known_pairs"],
        "Unknown pairs": table["unknown_pairs"],
    }
    for kind in KINDS:
        named = f"auroc_{kind}"
        bounds = table[[named, f"{named}_low", f"{named}_high"]].to_numpy(dtype=float)
        shown[f"AUROC by {_words(kind)}, % (interval)"] = [
            with_interval(*row, write=percent) for row in bounds
        ]
    for kind in KINDS:
        rates = table[f"false_positive_rate_{kind}"]
        shown[f"Taken for known by {_words(kind)}, %"] = [
            None if pd.isna(rate) else percent(rate) for rate in rates
        ]
    return pd.DataFrame(shown)


def unknown_notes(
    table: pd.DataFrame, registry: Registry, unknown_classes: Sequence[str], resamples: int
) -> list[str]:
    """State what was asked and how the numbers were made.

    Args:
        table: What :func:`unknown_table` returned.
        registry: The ``models`` section of the configuration.
        unknown_classes: The classes that were set aside.
        resamples: Number of bootstrap resamples.
    """
    named = ", ".join(map(readable, unknown_classes)) or "none are configured"
    if not table["unknown_pairs"].any():
        return [
            f"There were no pairs of an unknown class (classes set aside: {named}), so nothing "
            "could be detected."
        ]
    demo = demo_note(registry[name] for name in table["model"].unique())
    return [
        *([demo] if demo else []),
        f"Unknown: pairs of classes that were screened and set aside ({named}), a random choice of "
        "them where there are more than are used. Known: the test pairs. Unknown pairs are in no "
        "subset: other pairs of their articles may be in training.",
        "AUROC: how often an unknown pair has a lower highest probability (or a higher energy) "
        "than a known one; 50 % is chance. Energy: minus the logarithm of the sum of exp(score) "
        "over the classes; empty for a system without scores.",
        "Taken for known: unknown pairs that pass for known where the threshold lets 95 % of the "
        "known pairs pass (the false positive rate at 95 % true positive rate).",
        f"Means over seeds. Intervals: percentile bootstrap over cases, {100 * LEVEL:g} %, "
        f"{resamples} resamples, with weights held fixed.",
    ]


def _words(kind: str) -> str:
    return {"max_probability": "highest probability", "energy": "energy"}[kind]
