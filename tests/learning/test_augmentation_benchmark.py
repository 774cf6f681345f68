"""The benchmark of the augmentation compares ways that do the same kind of work."""

from __future__ import annotations

import torch

from benchmarks import augmentation as benchmark

STRONG = {"flip": 0.0, "rotation_degrees": 40.0, "brightness": 0.9, "contrast": 0.0}
STRONG |= {"saturation": 0.0, "hue": 0.0}


def test_only_the_way_for_comparison_changes_all_images_alike():
    """Equal images come out different where amounts are drawn per image."""
    torch.manual_seed(1)
    images = torch.rand(1, 3, 16, 16).repeat(4, 1, 1, 1)
    found = {name: way(images) for name, way in benchmark.ways(STRONG).items()}
    for name, changed in found.items():
        assert changed.shape == images.shape
        alike = all(torch.equal(changed[0], other) for other in changed[1:])
        assert alike == (name == benchmark.ALIKE), name


def test_every_way_is_measured_against_torchvision_image_by_image():
    """One row per way; the reference is 1 by definition."""
    table = benchmark.compare(
        torch.device("cpu"), batch_size=2, image_size=8, seconds=0.0, turns=1
    ).set_index("way")
    assert list(table.index) == [
        benchmark.OURS,
        benchmark.KORNIA,
        benchmark.ONE_BY_ONE,
        benchmark.ALIKE,
    ]
    assert table.loc[benchmark.ONE_BY_ONE, "times_as_fast"] == 1.0
    assert (table["images_per_second"] > 0).all()
