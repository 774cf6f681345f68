"""What a deployed folder is compared with: the system's classes, answers, and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pairdx.deployment.answers import calibrated, decide
from pairdx.deployment.export.choices import SUBSET
from pairdx.deployment.folder import DeployedFolder
from pairdx.errors import PairDxError
from pairdx.models.exported import TIE, TOLERANCE

LEAST_AGREEMENT = 0.999
REMEDY = (
    "nothing is deployed. Other versions of PyTorch or ONNX Runtime may do better; report it with "
    "this message"
)


def require_near(largest: float, otherwise: str, tolerance: float = TOLERANCE) -> None:
    """Refuse probabilities that differ by more than rounding.

    Args:
        largest: By how much they differ at most.
        otherwise: What is wrong if that is more, as the beginning of a sentence.
        tolerance: What is allowed.

    Raises:
        PairDxError: They differ by more, or one is not a number.
    """
    if not largest <= tolerance:
        raise PairDxError(f"{otherwise}: they differ by up to {largest:.2g}", remedy=REMEDY)


def tolerance_at(temperature: float | None) -> float:
    """Return how far calibrated probabilities may differ.

    A temperature T below 1 makes a difference larger, by up to 1 / T where two classes are equally
    probable.
    """
    return TOLERANCE * _larger(temperature)


def _larger(temperature: float | None) -> float:
    return max(1.0, 1 / temperature) if temperature is not None else 1.0


def compare_classes(classifier: Any, folder: DeployedFolder) -> None:
    """Compare the classes that the folder names with those of the system, in their order.

    Raises:
        PairDxError: They are others, or in another order.
    """
    if folder.labels != list(classifier.classes):
        raise PairDxError(
            "the folder's classes are not those of the system, in its order: "
            f"{', '.join(folder.labels[:5])} … and {', '.join(classifier.classes[:5])} …",
            remedy="nothing is deployed: the configuration's classes are not those that it was "
            "made with. Make it again, with these",
        )


def compare_calibrated(
    expected: np.ndarray, found: np.ndarray, facts: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Compare what the folder answers with what it would answer if PyTorch computed.

    Args:
        expected: The system's probabilities, (N, C).
        found: Those of the exported network, (N, C).
        facts: deployment.json: ``temperature`` and ``threshold``.

    Returns:
        ``largest_difference`` of calibrated probabilities and its ``tolerance``; ``agreement``:
        share of the pairs that both abstain from, or neither, without the ``near_threshold``
        pairs whose confidence is within a ``hair`` of it; these three are None where every pair
        is abstained from. None where nothing is calibrated.

    Raises:
        PairDxError: They differ by more than rounding.
    """
    temperature, threshold = facts["temperature"], facts["threshold"]
    if temperature is None:
        return None
    tolerance, hair = tolerance_at(temperature), TIE * _larger(temperature)
    theirs, ours = (calibrated(one, temperature) for one in (expected, found))
    largest = float(np.abs(ours - theirs).max())
    require_near(largest, "calibrated, its probabilities are not PyTorch's", tolerance)
    record = {"largest_difference": largest, "tolerance": tolerance}
    if threshold is None:
        return {**record, "agreement": None, "near_threshold": None, "hair": None}
    before, after = (decide(one, threshold) for one in (theirs, ours))
    near = np.abs(before.confidence - threshold) <= hair
    same = (before.abstain == after.abstain)[~near]
    agreement = float(same.mean()) if same.size else 1.0
    if agreement < LEAST_AGREEMENT:
        raise PairDxError(
            f"with {1 - agreement:.3%} of the pairs that are not within a hair of the threshold, "
            "it abstains where PyTorch's answers do not, or answers where these do",
            remedy=REMEDY,
        )
    return {**record, "agreement": agreement, "near_threshold": int(near.sum()), "hair": hair}


def of_predictions(
    folder: DeployedFolder, predictions: pd.DataFrame, names: pd.Series, found: np.ndarray
) -> float:
    """Return by how much probabilities differ from what the run predicted of the same pairs.

    Args:
        folder: The deployed folder, whose classes name the columns.
        predictions: predictions.parquet of the system.
        names: pair_id of N validation pairs.
        found: What the exported network makes of them, (N, C).

    Raises:
        PairDxError: The table lacks a class or a pair, or they differ by more than rounding.
    """
    columns = [f"p_{label}" for label in folder.labels]
    rows = predictions[predictions["subset"] == SUBSET].set_index("pair_id")
    unknown = [column for column in columns if column not in rows]
    if missing := [*unknown, *names[~names.isin(rows.index)]]:
        raise PairDxError(
            f"the run's predictions of validation pairs lack {missing[0]}",
            remedy="delete predictions.parquet of this system; it is made again",
        )
    before = rows.loc[names, columns].to_numpy(dtype=np.float64)
    largest = float(np.abs(found - before).max())
    require_near(largest, "its probabilities are not what the run predicted of the same pairs")
    return largest
