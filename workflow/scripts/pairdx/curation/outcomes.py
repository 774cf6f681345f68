"""Who is still a candidate, who was rejected and why, and the funnel that shows nobody was lost."""

from __future__ import annotations

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.stores import file_of

STAGES = (
    "ingest",
    "class",
    "age",
    "licence",
    "caption",
    "identifiers",
    "subset",
    "archive",
    "image",
    "duplicates",
    "review",
    "balance",
)
# Where a candidate stands and what it is, then why it is none any more.
WHICH = ["row", "pair_id", "file", "member", "label"]
REJECTED_COLUMNS = [*WHICH, "stage", "reason", "detail"]
KEEP = ""


class Screening:
    """Candidates that pass through stages, and the record of those that a stage rejected.

    Attributes:
        candidates: The rows that no stage has rejected yet.
    """

    def __init__(self, candidates: pd.DataFrame) -> None:
        self.candidates = candidates
        self._rejected: list[pd.DataFrame] = []

    def reject(self, stage: str, reasons: pd.Series, details: pd.Series | None = None) -> None:
        """Take the candidates with a reason out and record them.

        Args:
            stage: One of :data:`STAGES`.
            reasons: One per candidate, on its index: the reason, or :data:`KEEP`.
            details: What a person would want to know, on the same index.
        """
        if stage not in STAGES:
            raise ValueError(f"unknown stage {stage}")
        out = reasons != KEEP
        record = self.candidates.loc[out, WHICH].assign(
            stage=stage, reason=reasons[out], detail="" if details is None else details[out]
        )
        # A rejected image is read no more: its path is for people.
        record["member"] = record["member"].map(file_of, na_action="ignore")
        self._rejected.append(record[REJECTED_COLUMNS])
        self.candidates = self.candidates[~out]

    @property
    def rejected(self) -> pd.DataFrame:
        """One row per rejected candidate: :data:`REJECTED_COLUMNS`."""
        return pd.concat(self._rejected, ignore_index=True)


def only(condition: pd.Series, reason: str) -> pd.Series:
    """Give ``reason`` where the condition holds and :data:`KEEP` elsewhere."""
    return condition.map({True: reason, False: KEEP}).astype(str)


def reasons_in_words(rejected: pd.DataFrame) -> str:
    """List how many were rejected at which stage and why, the most frequent first.

    Args:
        rejected: Columns stage and reason.
    """
    counts = (rejected["stage"] + "/" + rejected["reason"]).value_counts()
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


def funnel(
    counts: pd.Series,
    rejected: pd.DataFrame,
    out_of_distribution: pd.DataFrame,
    pairs: pd.DataFrame,
) -> pd.DataFrame:
    """Count candidates, rejections and survivors per stage and class.

    Args:
        counts: Number of candidates per label, as read from the source.
        rejected: Columns label and stage.
        out_of_distribution: Column label; an outcome of the last stage.
        pairs: Column label; the other outcome of the last stage.

    Returns:
        Columns stage, label, candidates, rejected, out_of_distribution, kept, in the order of the
        stages. In every row candidates = rejected + out_of_distribution + kept, and kept is the
        next stage's candidates.

    Raises:
        PairDxError: The counts do not add up: a candidate was lost or doubled.
    """
    labels = sorted(counts.index)
    remaining = counts.reindex(labels).astype(int)
    rows = []
    for stage in STAGES:
        lost = rejected.loc[rejected["stage"] == stage, "label"].value_counts()
        aside = out_of_distribution["label"].value_counts() if stage == STAGES[-1] else pd.Series()
        table = pd.DataFrame(
            {
                "stage": stage,
                "label": labels,
                "candidates": remaining.to_numpy(),
                "rejected": lost.reindex(labels, fill_value=0).to_numpy(),
                "out_of_distribution": aside.reindex(labels, fill_value=0).astype(int).to_numpy(),
            }
        )
        table["kept"] = table["candidates"] - table["rejected"] - table["out_of_distribution"]
        remaining = pd.Series(table["kept"].to_numpy(), index=labels)
        rows.append(table)
    expected = pairs["label"].value_counts().reindex(labels, fill_value=0)
    if not (remaining == expected).all():
        raise PairDxError(
            f"the funnel does not add up: {remaining.to_dict()} != {expected.to_dict()}",
            remedy="this is a defect of the workflow; please report it with the curation log",
        )
    return pd.concat(rows, ignore_index=True)
