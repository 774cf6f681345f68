"""What two datasets share: test pairs of one that training saw in the other, cases of both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pairdx.curation.duplicates import near_duplicates


def seen_in_training(
    trained: pd.DataFrame, tested: pd.DataFrame, *, bits: int, same_names: bool
) -> Mapping[str, int | None]:
    """Count test pairs that are copies of training pairs of another dataset.

    Only what the two tables tell can be found: another picture of the same patient is not.

    Args:
        trained: The training pairs: sha256, perceptual_hash and case_id.
        tested: The other dataset's test pairs, likewise.
        bits: Most bits in which the hashes of near duplicates differ.
        same_names: Whether one reader named the cases of both, so that the same name may mean the
            same case. (Two tables may number their patients from 1.)

    Returns:
        ``seen``: pairs whose image is byte by byte, or nearly, one that was trained on.
        ``same_case_names``: pairs of a case that is called like one trained on; None where names
        say nothing.
    """
    same = tested["sha256"].isin(set(trained["sha256"])).to_numpy(copy=True)
    known = pd.unique(trained["perceptual_hash"].dropna())
    hashes = pd.concat([pd.Series(known), tested["perceptual_hash"].fillna("")], ignore_index=True)
    there = hashes[hashes != ""]
    links = there.index.to_numpy()[near_duplicates(there, bits)].reshape(-1, 2)
    # Links go from a smaller position to a larger one: those between the two tables are wanted.
    across = links[(links[:, 0] < len(known)) & (links[:, 1] >= len(known))]
    same[np.unique(across[:, 1]) - len(known)] = True
    names = tested["case_id"].isin(set(trained["case_id"]))
    return {"seen": int(same.sum()), "same_case_names": int(names.sum()) if same_names else None}


def shared_cases(tested: pd.DataFrame, others: pd.DataFrame) -> int:
    """Count the cases that have test pairs in both datasets, as far as their names tell.

    With such cases two accuracies are of samples that are not independent.

    Args:
        tested: The test pairs of one dataset: case_id.
        others: Those of the other.
    """
    return len(set(tested["case_id"]) & set(others["case_id"]))
