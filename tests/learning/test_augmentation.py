"""Augmentation: random per image, repeatable, and nothing at all at strength zero."""

from __future__ import annotations

import pytest
import torch

from pairdx.errors import PairDxError
from pairdx.training.augmentation import augmentation
from pairdx.training.randomness import step_randomness

CPU = torch.device("cpu")
STRONG = {
    "flip": 0.5,
    "rotation_degrees": 20,
    "brightness": 0.3,
    "contrast": 0.3,
    "saturation": 0.3,
    "hue": 0.1,
}


def one_image(count: int) -> torch.Tensor:
    """The same random image ``count`` times."""
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    return image.expand(count, 3, 16, 16).clone()


def augmented(settings: dict, images: torch.Tensor, *, epoch: int = 1, step: int = 0):
    with step_randomness(CPU, 7, epoch, step):
        return augmentation(settings)(images)


@pytest.mark.parametrize("name", STRONG)
def test_every_image_of_a_batch_is_changed_by_an_amount_of_its_own(name):
    """Each kind of change varies from image to image within one batch."""
    changed = augmented({name: STRONG[name]}, one_image(8))
    assert len({tuple(image.flatten().tolist()) for image in changed}) > 1


def test_changes_are_a_function_of_seed_epoch_and_step():
    """The same step draws the same changes; another step or epoch draws others."""
    images = one_image(4)
    first = augmented(STRONG, images)
    assert torch.equal(first, augmented(STRONG, images))
    assert not torch.equal(first, augmented(STRONG, images, step=1))
    assert not torch.equal(first, augmented(STRONG, images, epoch=2))


def test_drawing_changes_leaves_the_global_generator_alone():
    """Whoever else draws random numbers gets the same ones, augmentation or not."""
    torch.manual_seed(3)
    before = torch.get_rng_state()
    augmented(STRONG, one_image(2))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("settings", [None, {}, dict.fromkeys(STRONG, 0)])
def test_strength_zero_changes_nothing(settings):
    """No settings, empty settings and zeros all leave images as they are, bit for bit."""
    images = one_image(3)
    assert torch.equal(augmentation(settings)(images), images)


def test_flip_is_a_probability_and_mirrors_left_and_right():
    """About that share of images is mirrored, the others are untouched."""
    images = one_image(400)
    flipped = augmented({"flip": 0.25}, images)
    mirrored = (flipped == images.flip(-1)).flatten(1).all(dim=1)
    untouched = (flipped == images).flatten(1).all(dim=1)
    assert bool((mirrored ^ untouched).all())
    assert 0.18 < mirrored.float().mean() < 0.32


def test_brightness_stays_within_its_factors():
    """A strength of 0.2 multiplies by 0.8 to 1.2, and different images by different factors."""
    grey = torch.full((200, 3, 4, 4), 0.5)
    factors = augmented({"brightness": 0.2}, grey)[:, 0, 0, 0] / 0.5
    assert 0.8 - 1e-5 <= factors.min() < 0.85
    assert 1.15 < factors.max() <= 1.2 + 1e-5


def test_images_stay_between_zero_and_one():
    """What comes out is an image again, of the same shape and type."""
    changed = augmented(STRONG, one_image(16))
    assert changed.shape == (16, 3, 16, 16)
    assert changed.dtype == torch.float32
    assert changed.min() >= 0
    assert changed.max() <= 1


@pytest.mark.parametrize("settings", [{name: STRONG[name]} for name in STRONG] + [STRONG])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_layout_of_images_is_kept_whatever_is_changed(settings, layout):
    """And their numbers do not depend on it."""
    images = one_image(6)
    changed = augmented(settings, images.contiguous(memory_format=layout))
    assert changed.is_contiguous(memory_format=layout)
    torch.testing.assert_close(changed, augmented(settings, images), rtol=0, atol=1e-6)


@pytest.mark.parametrize("settings", [{name: STRONG[name]} for name in STRONG] + [STRONG])
def test_mixed_precision_changes_nothing(settings):
    """In bfloat16 a matrix of rotation would have 8 bits."""
    images = one_image(6)
    expected = augmented(settings, images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        changed = augmented(settings, images)
    assert changed.dtype == torch.float32
    assert torch.equal(changed, expected)


def test_rotation_moves_points_by_the_sine_and_cosine_of_its_angle():
    """A dot's centre lies where its angle puts it, to a tenth of a pixel, at the rim, too."""
    size, count = 224, 24
    middle = (size - 1) / 2
    images = torch.zeros(count, 3, size, size)
    images[:, :, 110:114, 205:209] = 1.0  # its centre: 95 pixels right of the middle, level with it
    with torch.autocast("cpu", dtype=torch.bfloat16):
        changed = augmented({"rotation_degrees": 15}, images)[:, 0]
    positions = torch.arange(size, dtype=torch.float32) - middle
    total = changed.sum(dim=(1, 2))
    down = (changed.sum(dim=2) @ positions) / total
    right = (changed.sum(dim=1) @ positions) / total
    reach = torch.hypot(torch.tensor(206.5 - middle), torch.tensor(111.5 - middle))
    torch.testing.assert_close(torch.hypot(down, right), reach.expand(count), rtol=0, atol=0.1)
    angles = torch.rad2deg(torch.atan2(down, right))
    assert angles.abs().max() <= 15.1
    assert len({round(float(angle), 2) for angle in angles}) > count / 2


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"flips": 0.5}, "flips"), ({"flip": 1.5}, "flip"), ({"hue": -0.1}, "hue")],
)
def test_unknown_and_impossible_settings_are_refused_by_name(settings, named):
    """A typo or an impossible value is an error that names the key, not a silent default."""
    with pytest.raises(PairDxError, match=named):
        augmentation(settings)
