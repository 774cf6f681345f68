"""Batches: rows of packed images, labels and texts on the device that computes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pairdx.image_rows import Images
from pairdx.training.device import sent
from pairdx.training.text_groups import TextGroups, lengths_of, text_groups

# Images move to the GPU as a whole if they take at most this share of its free memory; the rest is
# for the model.
LARGEST_SHARE_OF_GPU_MEMORY = 0.5
ROWS_PER_TRANSFER = 1024


class TextsByEpoch(Protocol):
    """Texts of which every epoch may read something else.

    Attributes:
        ids: int64 (N,), the same number for texts that are the same to who reads all of them.
    """

    ids: np.ndarray

    def tokens(self, rows: np.ndarray, epoch: int) -> np.ndarray:
        """Return what an epoch reads of the texts at some rows, int64 (B, L).

        A function of its arguments. Epoch 0, before any training and in validation, reads all of
        them.
        """


@dataclass(frozen=True)
class Examples:
    """What a module is trained or validated on.

    Attributes:
        images: uint8 of shape (N, S, S, 3), RGB; read a batch at a time, in every epoch.
        labels: int64 of shape (N,), positions in the list of classes; or, where any number of them
            can be true, float of shape (N, C): 1 true, 0 not, NaN unknown.
        texts: int64 of shape (N, L), whatever token numbers the module reads; L is 0 for a module
            that reads none. Or texts that are read anew in every epoch.
    """

    images: Images
    labels: np.ndarray
    texts: np.ndarray | TextsByEpoch

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Batch:
    """B examples on the device.

    Attributes:
        images: float32 of shape (B, 3, S, S), in [0, 1].
        labels: int64 of shape (B,), or float32 of shape (B, C) (see :class:`Examples`).
        texts: int64 of shape (B, L).
        text_ids: int64 of shape (B,), of texts that are read anew in every epoch: which of them are
            the same as a whole, whatever is read of them. None where whole texts are read.
        text_groups: How texts can be read with less padding; None: as they are.
    """

    images: Tensor
    labels: Tensor
    texts: Tensor
    text_ids: Tensor | None = None
    text_groups: TextGroups | None = None


def as_float_images(images: Tensor, *, channels_last: bool = False) -> Tensor:
    """Turn uint8 images of shape (B, S, S, 3) into float32 of shape (B, 3, S, S) in [0, 1].

    The stored order of the numbers already has the channels last; that order is kept or undone.
    """
    floats = images.permute(0, 3, 1, 2) / 255  # in float32, and read and written once
    return floats if channels_last else floats.contiguous()


class BatchSource:
    """Examples ready to be read in batches on one device.

    On a GPU the images are moved there once, if they fit. Else every batch is gathered from where
    they are: by worker processes ahead of its use, into pinned memory for a GPU, or at once.

    Args:
        examples: What is read.
        device: Where batches are to be.
        channels_last: Memory layout of the images.
        workers: Processes that gather batches ahead, where images are not on a GPU; 0 for none.
            They change no batch and no order.
        group_texts: Whether to say how texts can be read with less padding.
    """

    def __init__(
        self,
        examples: Examples,
        device: torch.device,
        *,
        channels_last: bool = False,
        workers: int = 0,
        group_texts: bool = False,
    ) -> None:
        self.device, self.channels_last, self.workers = device, channels_last, workers
        several = examples.labels.ndim == 2
        self.labels = _tensor(examples.labels, device, np.float32 if several else np.int64)
        texts = examples.texts
        self.texts = _tensor(texts, device) if isinstance(texts, np.ndarray) else texts
        self.text_ids = None if isinstance(texts, np.ndarray) else _tensor(texts.ids, device)
        self.grouped = group_texts
        self.lengths: np.ndarray | None = None
        if group_texts and isinstance(texts, np.ndarray):
            self.lengths = lengths_of(texts)
        self.host_images = examples.images
        self.device_images: Tensor | None = None
        if device.type == "cuda" and _fits(math.prod(examples.images.shape), device):
            self.device_images = _moved(examples.images, device)

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, batches: Sequence[np.ndarray], epoch: int = 0) -> Iterator[Batch]:
        """Yield, batch by batch, the examples at the given rows, int64 of shape (B,) each.

        Args:
            batches: The rows of each batch.
            epoch: Of training, from 1: what is read of texts that every epoch reads anew.
        """
        places, groups = self._places(batches)
        images = self._images(batches, places)
        for rows, index, pixels, cut in zip(batches, places, images, groups, strict=True):
            texts, cut = self._read(rows, index, cut, epoch)
            yield Batch(
                images=as_float_images(pixels, channels_last=self.channels_last),
                labels=self.labels.index_select(0, index),
                texts=texts,
                text_ids=None if self.text_ids is None else self.text_ids.index_select(0, index),
                text_groups=cut,
            )

    def _read(
        self, rows: np.ndarray, index: Tensor, groups: TextGroups | None, epoch: int
    ) -> tuple[Tensor, TextGroups | None]:
        if isinstance(self.texts, Tensor):
            return self.texts.index_select(0, index), groups
        tokens = self.texts.tokens(rows, epoch)
        if not self.grouped:
            return _tensor(tokens, self.device), None
        groups = text_groups(lengths_of(tokens), tokens.shape[1])
        places = sent(groups.places, self.device)
        return _tensor(tokens, self.device), groups.at(places)

    def _places(
        self, batches: Sequence[np.ndarray]
    ) -> tuple[Sequence[Tensor], Sequence[TextGroups | None]]:
        """Bring the rows of all batches, and what is known of them, to the device at once.

        What a batch gets of it are slices: nothing is copied for it, and nothing waited for.
        """
        if not batches:
            return (), ()
        sizes = [len(one) for one in batches]
        rows = torch.from_numpy(np.concatenate(batches).astype(np.int64, copy=False))[None]
        if self.lengths is None or not isinstance(self.texts, Tensor):
            return sent(rows, self.device)[0].split(sizes), [None] * len(batches)
        whole = self.texts.shape[1]
        groups = [text_groups(self.lengths[one], whole) for one in batches]
        places = torch.cat([one.places for one in groups], dim=1)
        parts = sent(torch.cat([rows, places]), self.device).split(sizes, dim=1)
        cuts = [one.at(part[1:]) for one, part in zip(groups, parts, strict=True)]
        return [part[0] for part in parts], cuts

    def _images(self, batches: Sequence[np.ndarray], places: Sequence[Tensor]) -> Iterator[Tensor]:
        if self.device_images is not None:
            yield from (self.device_images.index_select(0, index) for index in places)
            return
        on_gpu = self.device.type == "cuda"
        loader = DataLoader(
            _Images(self.host_images),
            sampler=batches,
            batch_size=None,
            num_workers=self.workers,
            pin_memory=on_gpu,
            # One of its own: the loader draws from it, and the global one is left alone.
            generator=torch.Generator(),
        )
        for images in loader:
            yield images.to(self.device, non_blocking=on_gpu)


class _Images(Dataset[Tensor]):
    """Images by lists of their rows: uint8 (B, S, S, 3)."""

    def __init__(self, images: Images) -> None:
        self.images = images

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(self.images[rows]))


def _tensor(numbers: np.ndarray, device: torch.device, kind: type = np.int64) -> Tensor:
    # A copy: pandas hands out arrays that must not be written to, which PyTorch warns about.
    return sent(torch.from_numpy(np.array(numbers, dtype=kind)), device)


def _fits(size: int, device: torch.device) -> bool:
    try:
        free, _ = torch.cuda.mem_get_info(device)
    except RuntimeError:  # not told: images then stay where they are
        return False
    return size <= LARGEST_SHARE_OF_GPU_MEMORY * free


def _moved(images: Images, device: torch.device) -> Tensor:
    """Copy in pieces, so that packed images never stand in main memory as a whole."""
    target = torch.empty(images.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(images), ROWS_PER_TRANSFER):
        piece = images[start : start + ROWS_PER_TRANSFER]
        if not piece.flags.writeable:  # a view of a memory map, which PyTorch would warn about
            piece = piece.copy()
        target[start : start + len(piece)] = torch.from_numpy(piece).to(device)
    return target
