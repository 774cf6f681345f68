"""Augmentation in one grid and one sum of colours: the same images as step by step."""

from __future__ import annotations

import itertools
import os
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import kornia_augmentation as stepwise
from pairdx.squaring import fit_to_square
from pairdx.training.augmentation import COLOURS, Changes, moved, recoloured
from pairdx.training.randomness import seeded

CPU = torch.device("cpu")
PLAIN = torch.contiguous_format
# Strengths of config/systems.
USUAL = {
    "flip": 0.5, "rotation_degrees": 15.0, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2,
    "hue": 0.05,
}  # fmt: skip
REAL_IMAGES = 24


def images_between(least: float, most: float, count: int = 5, size: int = 24) -> Tensor:
    """Images of random numbers, some of them grey, black and white pixels."""
    generator = torch.Generator().manual_seed(1)
    images = least + (most - least) * torch.rand((count, 3, size, size), generator=generator)
    images[:, :, 0] = images[:, :1, 0]
    images[:, :, 1], images[:, :, 2] = least, most
    return images


def amounts(names: tuple[str, ...], count: int = 5) -> dict[str, Tensor]:
    """Factors from 0.8 to 1.2, and shifts of the hue up to half a turn."""
    generator = torch.Generator().manual_seed(2)
    drawn = torch.rand((len(names), count), generator=generator, dtype=torch.float64) - 0.5
    return {
        name: one if name == "hue" else 1 + 0.4 * one
        for name, one in zip(names, drawn, strict=True)
    }


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_colours_are_those_of_kornia_in_any_order(number):
    """One sum per pixel is what kornia's functions make in turn, where none of them clips."""
    images = images_between(0.3, 0.6)
    for names in itertools.permutations(COLOURS, number):
        colours = amounts(names)
        expected = stepwise.recoloured(images, colours)
        assert expected.min() > 0
        assert expected.max() < 1
        found = recoloured(images, colours, PLAIN)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5, msg=str(names))


def test_a_flip_and_a_rotation_are_those_of_kornia_in_turn():
    """Any angle, black corners and the rim included."""
    images = images_between(0, 1, count=8, size=32)
    flipped = torch.tensor([True, False] * 4)
    degrees = torch.tensor([-180, -90, -15, -1e-3, 0, 7.5, 90, 133], dtype=torch.float64)
    expected = stepwise.moved(images, flipped, degrees.float())
    torch.testing.assert_close(moved(images, flipped, degrees), expected, rtol=0, atol=1e-5)


def test_factors_that_change_nothing_change_nothing():
    """Factors of 1, and no shift of the hue, in the order that moves most of them behind it."""
    images = images_between(0, 1)
    same = torch.ones(5, dtype=torch.float64)
    colours = {"saturation": same, "contrast": same, "hue": 0 * same, "brightness": same}
    found = recoloured(images, colours, PLAIN)
    torch.testing.assert_close(found, images, rtol=0, atol=2e-6)


def test_no_rotation_and_two_flips_are_the_image_itself():
    """The grid of places lies on the pixels."""
    images = images_between(0, 1)
    still, mirrored = torch.zeros(5, dtype=torch.float64), torch.ones(5, dtype=torch.bool)
    torch.testing.assert_close(moved(images, ~mirrored, still), images, rtol=0, atol=1e-5)
    once = moved(images, mirrored, still)
    torch.testing.assert_close(once, images.flip(-1), rtol=0, atol=1e-5)
    torch.testing.assert_close(moved(once, mirrored, still), images, rtol=0, atol=1e-5)
    assert torch.equal(moved(moved(images, mirrored, None), mirrored, None), images)


@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_the_strongest_changes_stay_between_zero_and_one(factor):
    """Factors of 0 and 2, half a turn: what torchvision allows, and no number that is none."""
    images = images_between(0, 1)
    amount = torch.full((5,), factor, dtype=torch.float64)
    for names in itertools.permutations(COLOURS):
        colours = {name: amount - 0.5 if name == "hue" else amount for name in names}
        found = recoloured(images, colours, PLAIN)
        assert 0 <= found.min() <= found.max() <= 1


def test_an_image_is_changed_alike_whatever_images_are_beside_it():
    """Each by its own amounts and its own mean."""
    images = images_between(0, 1)
    with seeded(CPU, 3):
        changes = Changes.drawn(5, USUAL)
    together = changes.of(images)
    for place in range(5):
        own = slice(place, place + 1)
        alone = Changes(
            changes.flipped[own],
            changes.degrees[own],
            {name: one[own] for name, one in changes.colours.items()},
        )
        torch.testing.assert_close(alone.of(images[own]), together[own], rtol=0, atol=1e-6)


def test_a_strength_changes_no_draw_of_another():
    """A system without rotation sees the same colours as one with it."""
    with seeded(CPU, 3):
        all_of_them = Changes.drawn(5, USUAL)
    with seeded(CPU, 3):
        without = Changes.drawn(5, USUAL | {"rotation_degrees": 0.0, "hue": 0.0})
    assert torch.equal(all_of_them.flipped, without.flipped)
    assert without.degrees is None
    # The order of the colours is drawn, too.
    with seeded(CPU, 3):
        orders = {tuple(Changes.drawn(1, USUAL).colours) for _ in range(200)}
    assert len(orders) == 24
    assert list(without.colours) == [name for name in all_of_them.colours if name != "hue"]
    assert all(torch.equal(one, all_of_them.colours[name]) for name, one in without.colours.items())


def real_images(size: int) -> Tensor:
    """Images of the real corpus, float32 (B, 3, S, S)."""
    folder = Path(os.environ.get("PAIRDX_REAL_DATA", "")) / "real_corpus"
    if "PAIRDX_REAL_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("PAIRDX_REAL_DATA names no folder with real_corpus")
    squares = []
    for path in sorted(folder.glob("PMC*.zip")):
        with zipfile.ZipFile(path) as archive:
            names = sorted(one for one in archive.namelist() if one.endswith(".webp"))
            for name in names[: REAL_IMAGES // 8]:
                with Image.open(BytesIO(archive.read(name))) as image:
                    squares.append(fit_to_square(image.convert("RGB"), size))
    pixels = np.stack(squares[:REAL_IMAGES])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


@pytest.mark.slow
def test_real_images_differ_little_from_those_that_are_clipped_at_every_step():
    """Only pixels that a step drives out of [0, 1] and another one back: see the module's text."""
    images = real_images(96)
    differences = []
    for seed in range(3):
        with seeded(CPU, seed):
            changes = Changes.drawn(len(images), USUAL)
        expected = stepwise.recoloured(
            stepwise.moved(images, changes.flipped, changes.degrees.float()), changes.colours
        )
        differences.append(255 * (changes.of(images) - expected).abs())
    found = torch.stack(differences)
    print(f"grey levels: mean {found.mean():.3f}, largest {found.max():.1f}, ", end="")
    print(f"above half a level: {(found > 0.5).double().mean():.4f} of all numbers")
    assert found.mean() < 0.5
    assert found.max() < 32
