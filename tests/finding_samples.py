"""Predictions of several labels per pair for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pairdx.finding_texts import encode

CLASSES = ("edema", "effusion", "fracture")
SUBSETS = {"test": 70, "validation": 50}
UNKNOWN_SHARE = 0.1


def findings_table(rows: Sequence[tuple[str, float, float]], subset: str) -> pd.DataFrame:
    """Return rows of the first two classes: findings and two probabilities; each a patient."""
    table = pd.DataFrame(rows, columns=["findings", "p_edema", "p_effusion"])
    table = table.astype({"p_edema": "float32", "p_effusion": "float32"})
    names = [f"{subset}_{at:03d}" for at in range(len(table))]
    table.insert(0, "pair_id", names)
    table.insert(1, "case_id", names)
    table.insert(2, "subset", subset)
    return table


def random_findings(
    seed: int,
    *,
    patients: int = 30,
    noise: int | None = None,
    sharpness: float = 1.0,
    subsets: dict[str, int] | None = None,
    classes: Sequence[str] = CLASSES,
) -> pd.DataFrame:
    """Random predictions that rank positives higher more often than not.

    Args:
        seed: Decides the pairs: patients, findings and what is not known of them.
        patients: How many there are in each subset.
        noise: Decides the probabilities; as the pairs unless it is given.
        sharpness: By how many standard deviations positives score higher.
        subsets: Number of pairs of each subset.
        classes: The findings.
    """
    pairs, scores = np.random.default_rng(seed), np.random.default_rng([seed, 1, noise or 0])
    parts = []
    for subset, count in (subsets or SUBSETS).items():
        truth = pairs.random((count, len(classes))) < np.linspace(0.4, 0.15, len(classes))
        known = pairs.random(truth.shape) >= UNKNOWN_SHARE
        texts = [
            encode(
                {
                    name: bool(true) if is_known else None
                    for name, true, is_known in zip(classes, *row, strict=True)
                },
                classes,
            )
            for row in zip(truth, known, strict=True)
        ]
        raw = sharpness * truth + scores.standard_normal(truth.shape)
        probabilities = (1 / (1 + np.exp(-raw))).astype(np.float32)
        columns = {
            "pair_id": [f"{subset}_{at:05d}" for at in range(count)],
            "case_id": [f"{subset}_{one}" for one in pairs.integers(0, patients, count)],
            "subset": subset,
            "findings": texts,
            **{f"p_{name}": probabilities[:, at] for at, name in enumerate(classes)},
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)
