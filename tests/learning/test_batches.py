"""Batches: the rows asked for, whoever gathers them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pairdx.image_rows import ImageRows
from pairdx.training import batches
from pairdx.training.batches import BatchSource, Examples, as_float_images
from tiny_training import CPU, make_examples, run, same_weights


def test_batches_are_the_rows_asked_for_scaled_to_one():
    """A batch holds the images, labels and texts of its rows, in the order asked for."""
    images = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    texts = np.arange(8).reshape(4, 2)
    source = BatchSource(Examples(images, np.array([5, 6, 7, 8]), texts), CPU)
    batch = next(source.batches([np.array([2, 0])]))
    assert batch.labels.tolist() == [7, 5]
    assert batch.texts.tolist() == [[4, 5], [0, 1]]
    assert torch.equal(batch.images[0, :, 1, 0], torch.from_numpy(images[2, 1, 0]) / 255)
    last = as_float_images(torch.from_numpy(images), channels_last=True)
    assert last.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("workers", [1, 2])
def test_worker_processes_change_no_batch_and_no_order(workers, tmp_path):
    """Read from a file in another order, as a subset of packed images is."""
    examples = make_examples(23)
    np.save(tmp_path / "images.npy", examples.images[::-1])
    images = ImageRows(np.load(tmp_path / "images.npy", mmap_mode="r"), np.arange(23)[::-1])
    mapped = Examples(images, examples.labels, examples.texts)
    rows = np.array_split(np.random.default_rng(1).permutation(23), 7)
    found = list(BatchSource(mapped, CPU, workers=workers).batches(rows))
    for batch, expected in zip(found, BatchSource(examples, CPU).batches(rows), strict=True):
        assert torch.equal(batch.images, expected.images)
        assert torch.equal(batch.labels, expected.labels)


@pytest.mark.filterwarnings("error")  # PyTorch warns of memory that must not be written to
@pytest.mark.parametrize("rows", [None, np.array([7, 0, 7, 3, 22])])
def test_images_are_moved_piece_by_piece_to_where_they_are_to_stay(rows, tmp_path, monkeypatch):
    """A whole file, or rows of it: what a GPU holds is filled without a copy in main memory."""
    images = make_examples(23).images
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    monkeypatch.setattr(batches, "ROWS_PER_TRANSFER", 3)
    found = batches._moved(mapped if rows is None else ImageRows(mapped, rows), CPU)
    np.testing.assert_array_equal(found.numpy(), images if rows is None else images[rows])


def test_the_number_of_loader_workers_changes_no_weight():
    """The same seed gives the same weights on a CPU, however many processes gather batches."""
    weights, rows = run()
    for workers in (1, 2):
        other, again = run(loader_workers=workers)
        assert same_weights(weights, other)
        assert rows["train_loss"].tolist() == again["train_loss"].tolist()
