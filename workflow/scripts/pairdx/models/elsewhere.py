"""A system asked about the pairs of another dataset, whose classes are not all its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.models.base import Classifier, FindingClassifier, Pairs, WordClassifier, predict_of

if TYPE_CHECKING:
    from pairdx.tasks.rows import Rows

# What the column `label` says of a pair whose class there is none of the system's own.
UNMATCHED = ""


# Inputs of the job: what of the other dataset a system is told of that reads words with vectors.
WORDS = ("word_vectors", "vocabulary")


def add_words_of_other(classifier: Classifier, inputs: Mapping[str, str]) -> int:
    """Let a system know the words of the other dataset, too; return how many are new to it.

    A vocabulary is of its own dataset's captions, test pairs included. Without those of the other
    dataset, words that have vectors would be unknown only because of where they stand.

    Args:
        classifier: Any system.
        inputs: May hold ``word_vectors_there`` and ``vocabulary_there``.

    Raises:
        PairDxError: These files are damaged, or of another dimension.
    """
    files = {name: Path(inputs[f"{name}_there"]) for name in WORDS if f"{name}_there" in inputs}
    if not files or not isinstance(classifier, WordClassifier):
        return 0
    return classifier.add_words(files)


def asked_elsewhere(
    classifier: Classifier,
    there: Pairs,
    classes: Sequence[str],
    matched: Mapping[str, str],
    of_task: Rows[Any],
    batch_size: int,
) -> pd.DataFrame:
    """Ask a system about every test pair of another dataset, whatever its class there.

    Args:
        classifier: Any system.
        there: The other dataset's test pairs, with its own classes.
        classes: The system's classes.
        matched: Label there of every one of these that the other dataset has, too.
        of_task: Rows of the task of both.
        batch_size: Pairs at a time.

    Returns:
        tested_on/{other}/predictions.parquet: one row per pair as the task has it, with the subset
        ``test``; ``label`` is the class here, empty where there is none, and ``label_there`` that
        of the other dataset.

    Raises:
        PairDxError: There are no pairs, or a probability is not a number.
    """
    _require_pairs(there)
    here = {meant: label for label, meant in matched.items()}
    known = there.table["label"].map(here).fillna(UNMATCHED)
    found = predict_of(classifier, there.images, there.captions, len(classes), batch_size)
    rows = of_task.predicted_rows(there.table.assign(label=known), found, classes, subset="test")
    place = list(rows.columns).index("label") + 1
    rows.insert(place, "label_there", there.table["label"].to_numpy())
    return rows


def findings_elsewhere(
    classifier: Classifier,
    validation: Pairs,
    test: Pairs,
    settings: Mapping[str, Any],
    of_task: Rows[Any],
    batch_size: int,
) -> pd.DataFrame:
    """Ask a system about the findings of another dataset, in that one's own words.

    Prompts can ask about any finding, so that none need match. The validation pairs there choose
    the thresholds that the test pairs there are decided by.

    Args:
        classifier: A system that can be asked about any finding.
        validation: The other dataset's validation pairs, with its own classes.
        test: Its test pairs.
        settings: What the system would be built from there.
        of_task: Rows of the task of both.
        batch_size: Pairs at a time.

    Returns:
        tested_on/{other}/predictions.parquet: one row per pair of both subsets, as the task has it.

    Raises:
        PairDxError: The system cannot be asked, there are no test pairs, or a probability is not a
            number.
    """
    _require_pairs(test)
    if not isinstance(classifier, FindingClassifier):
        raise PairDxError(
            f"a {type(classifier).__name__} cannot be asked about findings of another dataset",
            where="config key `tested_on`",
            remedy="take the dataset out of `tested_on`, or keep the system from it by `datasets`",
        )
    asked = classifier.about(test.classes, settings)
    rows = []
    for subset, pairs in (("validation", validation), ("test", test)):
        captions, classes = pairs.captions, pairs.classes
        found = predict_of(asked, pairs.images, captions, len(classes), batch_size)
        rows.append(of_task.predicted_rows(pairs.table, found, classes, subset=subset))
    return pd.concat(rows, ignore_index=True)


def _require_pairs(test: Pairs) -> None:
    if test.table.empty:
        raise PairDxError(
            "the other dataset has no test pairs to be asked about",
            where="config key `tested_on`",
            remedy="see by `snakemake check_documents` what its split lacks, and mend that; or "
            "take it out of `tested_on`",
        )
