"""The privileged texts of a training: which text each pair has, and what a bank says of it.

Only training reads these files. What a pair has is the position of its text in the bank, so that
features of a frozen encoder need no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pairdx.errors import PairDxError
from pairdx.joins import joined
from pairdx.models.sources import named_with_checksum, require_resource
from pairdx.models.text_features import TextFeatures, read_text_features
from pairdx.pairing.bank import read_texts
from pairdx.pairing.matches import chosen_texts, read_matches

FILES = ("matches", "texts", "text_features")


@dataclass(frozen=True)
class PairedTexts:
    """A bank of M texts and what of it goes to which pair.

    Attributes:
        features: Those of the M texts by a frozen encoder.
        matches: Which text goes to which pair (:mod:`pairdx.pairing.matches`).
        files: Where all this was read, by name.
    """

    features: TextFeatures
    matches: pd.DataFrame
    files: Mapping[str, Path]

    @property
    def dimension(self) -> int:
        """Length of the features."""
        return int(self.features.texts.shape[1])

    def positions(self, pair_ids: Sequence[str]) -> np.ndarray:
        """Return where in the bank the texts of N pairs stand: int64 of shape (N, 1).

        Raises:
            PairDxError: A pair has no text, or one that is not in the bank.
        """
        try:
            return self.features.rows(chosen_texts(self.matches, pair_ids)).reshape(-1, 1)
        except PairDxError as error:
            raise PairDxError(
                error.what, where=self.files["matches"], remedy=error.remedy
            ) from error

    def texts(self) -> list[str]:
        """Return the M texts, in the order of their features.

        Raises:
            PairDxError: The bank's file lacks some.
        """
        named = pd.DataFrame({"text_id": list(self.features.text_ids)})
        table = read_texts(self.files["texts"])[["text_id", "text"]]
        what = "the features of a bank's texts and the texts"
        return joined(named, table, "text_id", what=what)["text"].tolist()

    def sources(self) -> dict[str, dict[str, str]]:
        """Return name and checksum of each file, which a training state is good for."""
        return {name: named_with_checksum(path) for name, path in self.files.items()}


def read_paired_texts(resources: Mapping[str, Path]) -> PairedTexts:
    """Read what pairs texts with images.

    Args:
        resources: ``matches``, ``texts`` and ``text_features``.

    Raises:
        PairDxError: A file was not given, or is damaged.
    """
    files = {name: require_resource(resources, name) for name in FILES}
    features = read_text_features(files["text_features"])
    return PairedTexts(features, read_matches(files["matches"]), files)
