"""What baselines and probes take from scikit-learn.

Apart from both, because scikit-learn takes a second to import and not every use of them needs it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from pairdx.logs import logger
from pairdx.words import tokenise as words_of


def strengths(settings: Mapping[str, Any]) -> list[float]:
    """Return what ``inverse_regularisation`` (scikit-learn's C) is chosen from, lowest first."""
    named = settings["inverse_regularisation"]
    return sorted(map(float, named if isinstance(named, Sequence) else [named]))


def logistic_regression(settings: Mapping[str, Any]) -> LogisticRegression:
    """Return an unfitted regression with ``max_iterations``, of the strongest regularisation."""
    return LogisticRegression(C=strengths(settings)[0], max_iter=settings["max_iterations"])


def fit_and_choose(
    settings: Mapping[str, Any],
    train: tuple[Any, np.ndarray],
    validation: tuple[Any, np.ndarray],
    classes: int,
) -> tuple[LogisticRegression, dict[str, float]]:
    """Fit a regression per strength, and take the best one on the validation pairs.

    The rule is that of the learning-rate search: the highest validation accuracy; ties go to the
    lower validation loss, then to the stronger regularisation. Linear probes of CLIP were chosen by
    validation pairs, too (Radford et al., 2021, Appendix A.3). The model is the one that was fitted
    on the training pairs: it is not fitted again with the validation pairs, which calibration and
    other choices need unseen, and which no other system here is trained on.

    Args:
        settings: ``inverse_regularisation``, one or several, and ``max_iterations``.
        train: Features of N training pairs as scikit-learn takes them, and labels, int64 (N,).
        validation: The same of the validation pairs.
        classes: Number C of classes.

    Returns:
        The fitted regression, and ``inverse_regularisation``, ``validation_accuracy`` and
        ``validation_loss`` of its choice.
    """
    found, models = [], []
    for strength in strengths(settings):
        model = logistic_regression(settings).set_params(C=strength)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # said below, of the chosen one
            model.fit(*train)
        probabilities = np.zeros((len(validation[1]), classes), dtype=np.float32)
        probabilities[:, model.classes_] = model.predict_proba(validation[0])
        loss, accuracy = loss_and_accuracy(validation[1], probabilities)
        found.append((-accuracy, loss, strength))
        models.append(model)
    best = found.index(min(found))
    accuracy, loss, strength = -found[best][0], found[best][1], found[best][2]
    logger.info(
        "C = %g of %s: validation accuracy %.4f, loss %.4f",
        *(strength, [one[2] for one in found], accuracy, loss),
    )
    if len(found) > 1 and best in (0, len(found) - 1):
        logger.warning("the chosen C stands at an end of inverse_regularisation: widen the list")
    if models[best].n_iter_.max() >= settings["max_iterations"]:
        logger.warning("the regression did not converge within max_iterations")
    chosen = {
        "inverse_regularisation": strength,
        "validation_accuracy": accuracy,
        "validation_loss": loss,
    }
    return models[best], chosen


def fit_on_features(
    settings: Mapping[str, Any],
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
) -> tuple[LogisticRegression, dict[str, float]]:
    """Fit as :func:`fit_and_choose` does, on features that are standardised first if so set.

    Args:
        settings: As there, and ``standardise``.
        train: Features of N training pairs, float32 (N, D), and labels, int64 (N,).
        validation: The same of the validation pairs.
        classes: Number of classes.

    Returns:
        The fitted regression, which takes features as they are (the scaling has become part of its
        weights), and its choice.
    """
    inputs, others = (features.astype(np.float64) for features, _ in (train, validation))
    scaler = standardisation() if settings["standardise"] else None
    if scaler is not None:
        inputs, others = scaler.fit_transform(inputs), scaler.transform(others)
    model, chosen = fit_and_choose(settings, (inputs, train[1]), (others, validation[1]), classes)
    if scaler is not None:
        model.coef_ = model.coef_ / scaler.scale_
        model.intercept_ = model.intercept_ - model.coef_ @ scaler.mean_
    return model, chosen


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
