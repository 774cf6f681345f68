"""How much of an accuracy is the prompt's: the same images, classified by prompt after prompt.

Not in the paper, which states one example of its prompts (Section 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from pairdx.logs import progress
from pairdx.models.base import Pairs
from pairdx.models.clip.objectives import mean_features
from pairdx.models.clip.prompts import finding_texts, prompt_tokens, tokens_of
from pairdx.models.clip.system import ClipClassifier
from pairdx.models.prompt_sets import PROMPTS, finding_prompt_sets, prompt_sets

if TYPE_CHECKING:
    from pairdx.tasks.rows import Rows


def predictions_by_prompts(
    classifier: ClipClassifier,
    pairs: Pairs,
    features: np.ndarray,
    templates: Sequence[str],
    batch_size: int,
) -> pd.DataFrame:
    """Predict every pair by the system's own prompts, by each template, and by all of them.

    Every prompt is encoded once, and no image again. Several templates are averaged as in the
    system itself (:meth:`pairdx.models.clip.objectives.ClipNetwork.class_features`). A class with
    prompts of its own in place of templates keeps them in all.

    Args:
        classifier: Its own prompts give the predictions that it makes anyway.
        pairs: N pairs.
        features: Of their images, float32 (N, D).
        templates: T templates with {} in place of the class.
        batch_size: Images, or prompts, at a time.

    Returns:
        prompts.parquet, with the columns of :data:`pairdx.models.prompt_sets.COLUMNS`: N
        rows for each of T + 2 sets of prompts (see
        :func:`pairdx.models.prompt_sets.prompt_sets`).

    Raises:
        PairDxError: A template has no place for the class.
    """
    sets = prompt_sets(classifier.settings["templates"], templates)
    encoded = _class_features(classifier, templates, batch_size)
    classes = [classifier.class_features(), *encoded.unbind(dim=1), _ensemble(encoded)]
    found = np.zeros((len(sets), len(pairs)), dtype=np.int64)
    for start in progress(range(0, len(pairs), batch_size), "varying prompts, batches"):
        rows = slice(start, start + batch_size)
        images = torch.from_numpy(features[rows])
        for position, of_classes in enumerate(classes):
            found[position, rows] = classifier.compare(images, of_classes).argmax(axis=1)
    names = np.array(classifier.classes, dtype=object)
    kept = pairs.table[["pair_id", "case_id", "label"]]
    return pd.concat(
        [
            kept.assign(template=name, predicted=names[best])
            for name, best in zip(sets, found, strict=True)
        ],
        ignore_index=True,
    )


def findings_by_prompts(
    classifier: ClipClassifier,
    pairs: Pairs,
    features: np.ndarray,
    sets: Mapping[str, Mapping[str, Any]],
    of_task: Rows[Any],
    batch_size: int,
) -> pd.DataFrame:
    """Ask about the findings of every pair by the system's own prompts and by set after set.

    No image is encoded again.

    Args:
        classifier: Its own prompts give the probabilities that it gives anyway.
        pairs: N test pairs.
        features: Of their images, float32 (N, D).
        sets: Sets of prompts by name (``finding_prompts`` of the configuration).
        of_task: Rows of the pairs' task.
        batch_size: Images, or prompts, at a time.

    Returns:
        prompts.parquet: the rows of the task, with the column ``prompts`` before the
        probabilities: N rows for each of
        :func:`pairdx.models.prompt_sets.finding_prompt_sets`.

    Raises:
        PairDxError: A template has no place for the finding.
    """
    named = finding_prompt_sets(classifier.settings["finding_prompts"], sets)
    encoded = [_finding_features(classifier, prompts, batch_size) for prompts in named.values()]
    found: np.ndarray = np.zeros((len(named), len(pairs), len(pairs.classes)))
    for start in progress(range(0, len(pairs), batch_size), "varying prompts, batches"):
        rows = slice(start, start + batch_size)
        images = torch.from_numpy(features[rows])
        for position, of_findings in enumerate(encoded):
            found[position, rows] = classifier.compare(images, of_findings)
    tables = []
    for name, probabilities in zip(named, found, strict=True):
        table = of_task.predicted_rows(pairs.table, probabilities, pairs.classes, subset="test")
        table.insert(table.shape[1] - len(pairs.classes), PROMPTS, name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _finding_features(
    classifier: ClipClassifier, prompts: Mapping[str, Any], batch_size: int
) -> Tensor:
    """Encode a set of prompts: float32 (2 C, D) of length 1, positive ones first."""
    texts = finding_texts(prompts, classifier.settings["class_names"], classifier.classes)
    tokens = tokens_of(texts, classifier.parts)
    with torch.inference_mode():
        parts = torch.cat(tokens).split(batch_size)
        features = torch.cat([classifier.network.text_features(part) for part in parts])
        return mean_features(features, [len(one) for one in tokens])


def _class_features(
    classifier: ClipClassifier, templates: Sequence[str], batch_size: int
) -> Tensor:
    """Encode each class in each template: float32 (C, T, D) of length 1."""
    settings = {**classifier.settings, "templates": list(templates), "class_prompts": {}}
    tokens = torch.stack(prompt_tokens(settings, classifier.classes, classifier.parts))
    with torch.inference_mode():
        parts = tokens.flatten(end_dim=1).split(batch_size)
        features = torch.cat([classifier.network.text_features(part) for part in parts])
        features = features.unflatten(0, tokens.shape[:2])
        own = classifier.settings.get("class_prompts", {})
        if kept := [at for at, label in enumerate(classifier.classes) if label in own]:
            features[kept] = classifier.class_features()[kept].unsqueeze(1)
    return features


def _ensemble(features: Tensor) -> Tensor:
    """Average the templates' features (C, T, D) of each class: float32 (C, D) of length 1."""
    return F.normalize(features.mean(dim=1), dim=-1)
