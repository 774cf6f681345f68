"""What systems read of the captions: tokens, cut tokens, words without a vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pairdx.models.texts import Reading

COLUMNS = {
    "system": "str",
    "tokeniser": "str",
    "used_for": "str",
    "context_tokens": "Int64",
    "captions": "Int64",
    "median_tokens": "float64",
    "p95_tokens": "float64",
    "truncated_share": "float64",
    "cut_tokens_share": "float64",
    "out_of_vocabulary_share": "float64",
}
# Where a system draws sentences.
OF_SENTENCES = {"median_sentences": "float64", "one_sentence_share": "float64"}
TITLE = "Captions as the systems read them"
NOTES = (
    "Over all curated captions, those of training, validation and test pairs alike. Truncated "
    "share: captions with more tokens than the context. Cut tokens share: tokens beyond the "
    "context, of all tokens.",
    "Tokens of CLIP and BERT include the marks of start and end, as their contexts do. A word "
    "without a word vector is read as its parts if one of these has one (don't as do and n't), and "
    "each counts. Out of vocabulary: words without a word vector, of all words, cut ones included.",
    "A system that reads prompts only loses nothing of a caption; its row says what its encoder "
    "would read of one, as when it is fine-tuned or probed.",
)

SENTENCES_NOTE = (
    "Sentences per caption, of systems that draw some of them at each reading in training. One "
    "sentence share: captions that have one at most, and so are always read whole."
)


def notes_of(table: pd.DataFrame) -> list[str]:
    """Return the notes below a table of :func:`text_table`."""
    return [*NOTES, *([SENTENCES_NOTE] if set(OF_SENTENCES) & set(table) else [])]


def text_table(readings: Mapping[str, Reading]) -> pd.DataFrame:
    """Build tables/texts.csv: one row per system.

    Args:
        readings: How each system reads the captions, in table order.

    Returns:
        system, tokeniser, used_for, context_tokens, captions, median_tokens, p95_tokens,
        truncated_share, cut_tokens_share, out_of_vocabulary_share; a cell is empty where it does
        not apply: the context of a system that reads captions whole, and the vocabulary of one
        without word vectors. Where a system draws sentences, also median_sentences and
        one_sentence_share.
    """
    drawn = any(reading.sentence_counts is not None for reading in readings.values())
    columns = {**COLUMNS, **(OF_SENTENCES if drawn else {})}
    rows = [
        {
            "system": system,
            "tokeniser": reading.tokeniser,
            "used_for": reading.used_for,
            "context_tokens": reading.context,
            "out_of_vocabulary_share": reading.out_of_vocabulary,
            **_counted(reading.token_counts, reading.context),
            **_of_sentences(reading.sentence_counts),
        }
        for system, reading in readings.items()
    ]
    table = pd.DataFrame(rows, columns=list(columns))
    return table.astype({name: kind for name, kind in columns.items() if kind != "str"})


def _counted(counts: np.ndarray | None, context: int | None) -> dict[str, Any]:
    if counts is None:
        return {}
    beyond = np.zeros_like(counts) if context is None else np.maximum(counts - context, 0)
    return {
        "captions": len(counts),
        "median_tokens": np.median(counts),
        # A number of tokens that occurs, not one between two.
        "p95_tokens": np.percentile(counts, 95, method="inverted_cdf"),
        "truncated_share": (beyond > 0).mean(),
        "cut_tokens_share": beyond.sum() / max(1, counts.sum()),
    }


def _of_sentences(counts: np.ndarray | None) -> dict[str, Any]:
    if counts is None:
        return {}
    return {"median_sentences": np.median(counts), "one_sentence_share": (counts <= 1).mean()}
