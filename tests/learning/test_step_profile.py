"""The profile of a step counts what a device would be asked."""

from __future__ import annotations

import torch

import kornia_augmentation
from benchmarks import step_profile
from benchmarks.step_profile import Count
from pairdx.training import augmentation

CPU = torch.device("cpu")
USUAL = {"flip": 0.5, "rotation_degrees": 15.0, "brightness": 0.2, "contrast": 0.2}
USUAL |= {"saturation": 0.2, "hue": 0.05}


def test_kernels_bytes_and_waits_are_counted_of_what_is_made_of_the_device():
    """Views and what the CPU reckons for itself are none; an expanded tensor is its own size."""
    images, own = torch.ones(2, 3, 4), torch.ones(5)
    with Count([images]).of(CPU) as count:
        (own * 2).sum()
        doubled = images.transpose(0, 1) + images[:1, :1].expand(3, 2, 4)
        found = float(doubled.sum())
    assert found == 2 * images.numel()
    assert count.kernels == 3  # the sum of two, the sum of all, the number that is asked for
    read_and_written = 24 + 4 + 24 + 24 + 1 + 1
    assert count.bytes == 4 * read_and_written
    assert (count.waits, count.copies) == (1, 0)


def test_a_batch_is_augmented_without_waiting_and_with_a_third_of_the_kernels():
    """What docs/training.md says of one batch, counted anew."""
    images = torch.rand(2, 3, 16, 16).contiguous(memory_format=torch.channels_last)
    found = {}
    for name, build in (("before", kornia_augmentation), ("now", augmentation)):
        augment = build.augmentation(USUAL)
        augment(images)
        with Count([images]).of(CPU) as count:
            augment(images)
        found[name] = count
    assert found["now"].waits == 0
    assert found["now"].copies == 3  # places, sums of colours, hues
    assert found["now"].kernels < 0.4 * found["before"].kernels
    assert found["now"].bytes < 0.5 * found["before"].bytes


def test_captions_are_drawn_where_there_are_no_real_ones(monkeypatch):
    """As long as those of the paper's data, roughly."""
    monkeypatch.delenv("PAIRDX_REAL_DATA", raising=False)
    texts = step_profile.captions(3)
    assert len(texts) == 3
    assert all(len(text.split()) == 40 for text in texts)
