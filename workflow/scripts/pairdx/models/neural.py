"""What the systems that are PyTorch networks share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.models.base import FitJob, Pairs
from pairdx.training.batches import Examples, TextsByEpoch, as_float_images
from pairdx.training.loop import train
from pairdx.training.optimisation import Objective
from pairdx.training.settings import TrainingSettings
from pairdx.training.state.checkpoint import StateFolder
from pairdx.training.state.folder import settings_hash
from pairdx.training.state.trained import digest_of_frozen


class Normalise(nn.Module):
    """Subtract the mean and divide by the standard deviation of each colour channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise float32 images of shape (B, 3, S, S) in [0, 1]."""
        return (images - self.mean) / self.std


def network_device(module: nn.Module) -> torch.device:
    """Return the device that the module's parameters are on."""
    return next(module.parameters()).device


def count_parameters(module: nn.Module, *, trained: bool = False) -> int:
    """Count the module's parameters, frozen ones included unless only ``trained`` ones count."""
    return sum(
        parameter.numel()
        for parameter in module.parameters()
        if parameter.requires_grad or not trained
    )


def images_for(module: nn.Module, images: np.ndarray, settings: Mapping[str, Any]) -> Tensor:
    """Turn uint8 images (B, S, S, 3) into float32 (B, 3, S, S) in [0, 1], where the module is.

    They have the memory layout of the setting ``channels_last``, as in training.
    """
    on_device = torch.from_numpy(np.array(images)).to(network_device(module))
    return as_float_images(on_device, channels_last=settings.get("channels_last", False))


def require_image_size(found: int, needed: int) -> None:
    """Refuse images of another size than the network reads.

    Raises:
        PairDxError: The sizes differ.
    """
    if found != needed:
        raise PairDxError(
            f"the packed images are {found} pixels wide, and the model reads {needed}",
            where="packing: image_size",
            remedy=f"set packing: image_size to {needed}, or choose a model for {found} pixels",
        )


def fit_network(
    module: nn.Module,
    objective: Objective,
    settings: Mapping[str, Any],
    train_pairs: Pairs,
    validation_pairs: Pairs,
    texts: tuple[np.ndarray | TextsByEpoch, np.ndarray],
    sources: Mapping[str, Any],
    job: FitJob,
) -> pd.DataFrame:
    """Train a network on pairs (see :func:`pairdx.training.loop.train`) and put it on the CPU.

    A state is taken up only by a run with the same settings, sources, frozen parameters, seed,
    device and pairs.

    Args:
        module: The network.
        objective: Its loss.
        settings: The system's settings, the loop's among them.
        train_pairs: N pairs to train on.
        validation_pairs: M pairs to validate on.
        texts: int64 of shape (N, L) and (M, L), the tokens of their captions; those of training may
            be read anew in every epoch.
        sources: Checksums of the files that the network was built from.
        job: Seed, device, state folder, threads.
    """
    state = None
    if job.state_folder is not None:
        state = StateFolder(
            job.state_folder,
            settings_hash(
                {
                    "settings": settings,
                    "sources": sources,
                    "frozen": digest_of_frozen(module),
                    "seed": job.seed,
                    "device": job.device,
                    "classes": train_pairs.classes,
                    "train": train_pairs.table["pair_id"].tolist(),
                    "validation": validation_pairs.table["pair_id"].tolist(),
                }
            ),
        )
    rows = train(
        module,
        objective,
        Examples(train_pairs.images, _truth(train_pairs), texts[0]),
        Examples(validation_pairs.images, _truth(validation_pairs), texts[1]),
        TrainingSettings.from_mapping(settings),
        seed=job.seed,
        device=job.device,
        threads=job.threads,
        loader_workers=job.loader_workers,
        state=state,
        checkpoint_minutes=job.checkpoint_minutes,
        after_epoch=job.after_epoch,
    )
    module.to("cpu")
    return rows


def _truth(pairs: Pairs) -> np.ndarray:
    """Return what is known of the classes of pairs (see :class:`Examples`)."""
    return pairs.findings if pairs.several else pairs.labels
