"""What baselines and probes take from scikit-learn.

Apart from both, because scikit-learn takes a second to import and not every use of them needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from pairdx.words import tokenise as words_of


def logistic_regression(settings: Mapping[str, Any]) -> LogisticRegression:
    """Return an unfitted regression with ``inverse_regularisation`` and ``max_iterations``."""
    return LogisticRegression(
        C=settings["inverse_regularisation"], max_iter=settings["max_iterations"]
    )


def standardisation() -> StandardScaler:
    """Return an unfitted standardisation: mean 0 and deviation 1 of every feature."""
    return StandardScaler()


def tfidf(settings: Mapping[str, Any], vocabulary: Sequence[str] | None = None) -> TfidfVectorizer:
    """Return an unfitted TF-IDF over the same words that PairDxFusion reads.

    Args:
        settings: ``word_ngrams``, ``min_documents`` and ``sublinear_counts``.
        vocabulary: The terms in the order of the columns, where they are known.
    """
    return TfidfVectorizer(
        tokenizer=words_of,
        token_pattern=None,
        lowercase=False,
        ngram_range=tuple(settings["word_ngrams"]),
        min_df=settings["min_documents"],
        sublinear_tf=settings["sublinear_counts"],
        vocabulary=vocabulary,
    )


def loss_and_accuracy(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, float]:
    """Return the mean log loss and the accuracy of N predictions.

    Args:
        labels: int64 of shape (N,), positions among the C classes.
        probabilities: float32 of shape (N, C).
    """
    loss = log_loss(labels, probabilities, labels=range(probabilities.shape[1]))
    return float(loss), float((probabilities.argmax(axis=1) == labels).mean())
