"""The facts of a model card: what the run's files and its configuration tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pairdx.deployment.export.card_numbers import CardNumbers, card_numbers, shared_with_training
from pairdx.joins import joined
from pairdx.models.library_weights import LibraryWeights

WHAT = "the split and the pairs"


@dataclass(frozen=True)
class CardFacts:
    """All that a card says.

    Attributes:
        deployment: deployment.json.
        passport: passport.json of the cell.
        verification: verification.json.
        told: What :meth:`pairdx.plan.facts.Facts.card` says of system and dataset.
        numbers: Of the test pairs.
        subsets: label, subtype, licence, subset: one row per pair of the split.
        shared: How many test pairs share what with a training pair.
        weights: What was written for another library, if anything was.
        files: Bytes of the folder's other files, by name.
    """

    deployment: Mapping[str, Any]
    passport: Mapping[str, Any]
    verification: Mapping[str, Any]
    told: Mapping[str, Any]
    numbers: CardNumbers
    subsets: pd.DataFrame
    shared: Mapping[str, int]
    weights: LibraryWeights | None
    files: Mapping[str, int]

    @property
    def names(self) -> dict[str, str]:
        """Display name of every class, by label."""
        return dict(self.deployment["classes"])

    @property
    def several(self) -> bool:
        """Whether any number of classes can be true of an image."""
        return bool(self.deployment["task"] == "multi_label")

    @property
    def reads_captions(self) -> bool:
        """Whether it reads captions when it classifies."""
        return "caption" in self.deployment["reads"]

    @property
    def trained(self) -> bool:
        """Whether it learned from this dataset."""
        return bool(self.told["system"]["trained"])

    @property
    def began_elsewhere(self) -> bool:
        """Whether weights, or vectors of words, learned before, from what this run cannot know."""
        vectors = self.told["word_vectors"]
        return self.told["pretrained"] is not None or (
            vectors is not None and vectors["source"] != "random"
        )


def card_facts(
    *,
    deployment: Mapping[str, Any],
    passport: Mapping[str, Any],
    verification: Mapping[str, Any],
    predictions: pd.DataFrame,
    pairs: pd.DataFrame,
    split: pd.DataFrame,
    told: Mapping[str, Any],
    weights: LibraryWeights | None,
    files: Mapping[str, int],
    others: pd.DataFrame | None = None,
) -> CardFacts:
    """Gather what a card says.

    Args:
        deployment: deployment.json.
        passport: passport.json of the cell.
        verification: verification.json.
        predictions: predictions.parquet of the cell.
        pairs: curated/pairs.parquet.
        split: split.parquet.
        told: What :meth:`pairdx.plan.facts.Facts.card` returns.
        weights: What :func:`.library_weights.write_library_weights` returned.
        files: Bytes of the folder's other files, by name.
        others: out_of_distribution.parquet of the cell, where it was asked about other classes.

    Raises:
        PairDxError: The predictions are of other classes, or lack test pairs.
    """
    how = {"resamples": told["resamples"], "seed": told["seed"]}
    columns = ["pair_id", "label", "subtype", "licence"]
    return CardFacts(
        deployment=deployment,
        passport=passport,
        verification=verification,
        told=told,
        numbers=card_numbers(deployment, predictions, others, **how),
        subsets=joined(split[["pair_id", "subset"]], pairs[columns], "pair_id", what=WHAT),
        shared=shared_with_training(pairs, split),
        weights=weights,
        files=files,
    )
