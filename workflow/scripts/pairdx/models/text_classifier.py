"""What the texts that images are paired with tell of the class: a small network on their features.

As in CLIP-IT's code: the frozen encoder's features, Linear, LeakyReLU, Linear, cross-entropy, Adam
at one learning rate, and the weights of the epoch with the best validation accuracy. Validated is
once per epoch, where the code does it ten times. (Its cosine schedule, of 12,500 steps, ends before
these trainings do or hardly begins; it is left out.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.models.weights import save_weights
from pairdx.training.device import reproducible
from pairdx.training.randomness import epoch_order, seeded

CPU = torch.device("cpu")
TEXTS_AT_ONCE = 4096
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """Pairs of one subset, by their texts.

    Attributes:
        texts: int64 (N,), the row of each pair's text among the features.
        labels: int64 (N,), index of each pair's class.
    """

    texts: Indices
    labels: Indices


@dataclass(frozen=True)
class Trained:
    """A trained text classifier.

    Attributes:
        network: With the weights of the best epoch.
        history: epoch, train_loss, train_accuracy, validation_loss, validation_accuracy,
            learning_rate, seconds; one row per epoch.
        epoch: The one that is kept, from 1: with the best validation accuracy, the first of equals.
    """

    network: nn.Module
    history: pd.DataFrame
    epoch: int


def build(dimension: int, classes: int, settings: Mapping[str, Any], seed: int) -> nn.Sequential:
    """Build the network: features (B, D) to scores (B, C); its weights are those of the seed."""
    with seeded(CPU, "text classifier", seed):
        return nn.Sequential(
            nn.Linear(dimension, settings["hidden"]),
            nn.LeakyReLU(settings["negative_slope"]),
            nn.Linear(settings["hidden"], classes),
        )


def train_text_classifier(
    features: NDArray[np.float32],
    train: Examples,
    validation: Examples,
    classes: int,
    settings: Mapping[str, Any],
    *,
    seed: int,
    threads: int,
) -> Trained:
    """Train on the CPU: features are there, and the network is small.

    Args:
        features: float32 (M, D), of the bank's texts.
        train: What it learns from.
        validation: By which the epoch is chosen.
        classes: C.
        settings: ``hidden``, ``negative_slope``, ``epochs``, ``batch_size``, ``learning_rate``,
            ``weight_decay``.
        seed: Of weights and order.
        threads: CPU threads.

    Raises:
        PairDxError: A subset has no pairs, or the loss is no number.
    """
    for name, examples in (("training", train), ("validation", validation)):
        if not len(examples.texts):
            raise PairDxError(
                f"the text classifier has no {name} pairs",
                remedy="give the split's subsets other shares",
            )
    network = build(features.shape[1], classes, settings, seed)
    rates = {"lr": settings["learning_rate"], "weight_decay": settings["weight_decay"]}
    optimiser = torch.optim.Adam(network.parameters(), **rates)
    inputs = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32))
    rows: list[dict[str, float]] = []
    best: dict[str, torch.Tensor] = {}
    with reproducible(CPU, threads):
        for epoch in range(1, settings["epochs"] + 1):
            started = time.perf_counter()
            order = epoch_order(len(train.texts), seed, epoch)
            learned = _epoch(network, optimiser, inputs, train, order, settings["batch_size"])
            found = _loss_and_accuracy(network, inputs, validation)
            row = {"epoch": epoch, "train_loss": learned[0], "train_accuracy": learned[1]}
            row |= {"validation_loss": found[0], "validation_accuracy": found[1]}
            row |= {"learning_rate": settings["learning_rate"]}
            if found[1] > max((one["validation_accuracy"] for one in rows), default=-1.0):
                best = {name: value.clone() for name, value in network.state_dict().items()}
            rows.append({**row, "seconds": time.perf_counter() - started})
    network.load_state_dict(best)
    history = pd.DataFrame(rows).astype({"epoch": "int64"})
    kept = int(history["validation_accuracy"].to_numpy().argmax()) + 1
    logger.info(
        "text classifier: best validation accuracy %.4f in epoch %d of %d",
        *(history["validation_accuracy"].max(), kept, len(rows)),
    )
    return Trained(network.eval(), history, kept)


def probabilities(
    network: nn.Module, features: NDArray[np.float32], *, threads: int
) -> NDArray[np.float32]:
    """Return the probability of every class for M texts: float32 (M, C)."""
    found = []
    with reproducible(CPU, threads), torch.inference_mode():
        for start in range(0, len(features), TEXTS_AT_ONCE):
            batch = torch.from_numpy(np.ascontiguousarray(features[start : start + TEXTS_AT_ONCE]))
            found.append(network(batch).softmax(dim=1).numpy())
    return np.asarray(np.concatenate(found), dtype=np.float32)


def save_text_classifier(path: Path, trained: Trained, classes: list[str]) -> None:
    """Write the weights, and the classes in the order of its scores, whole or not at all."""
    header = {"classes": json.dumps(classes), "epoch": str(trained.epoch)}
    save_weights(trained.network, path, header)


def _epoch(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    inputs: torch.Tensor,
    examples: Examples,
    order: Indices,
    batch_size: int,
) -> tuple[float, float]:
    """Go through the pairs once; mean loss and share that were right on the way."""
    network.train()
    texts, labels = torch.from_numpy(examples.texts), torch.from_numpy(examples.labels)
    losses = hits = 0.0
    for start in range(0, len(order), batch_size):
        rows = torch.from_numpy(order[start : start + batch_size])
        scores = network(inputs[texts[rows]])
        loss = functional.cross_entropy(scores, labels[rows])
        if not torch.isfinite(loss):
            raise PairDxError(
                "the loss of the text classifier is no number",
                where="pairings: classifier: learning_rate",
                remedy="choose a lower learning rate",
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        losses += float(loss.detach()) * len(rows)
        hits += float((scores.detach().argmax(dim=1) == labels[rows]).sum())
    return losses / len(order), hits / len(order)


def _loss_and_accuracy(
    network: nn.Module, inputs: torch.Tensor, examples: Examples
) -> tuple[float, float]:
    """Each text is asked once, however many pairs it goes with."""
    network.eval()
    distinct, place = np.unique(examples.texts, return_inverse=True)
    with torch.inference_mode():
        scores = network(inputs[torch.from_numpy(distinct)])[torch.from_numpy(place)]
        labels = torch.from_numpy(examples.labels)
        loss = functional.cross_entropy(scores, labels)
        return float(loss), float((scores.argmax(dim=1) == labels).float().mean())
