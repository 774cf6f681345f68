"""Damage to images and captions: nothing at level 0, more at higher levels, the same every time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pairdx.errors import PairDxError
from pairdx.evaluation.caption_changes import (
    corrupt_captions,
    mask_words,
    other_pairs,
    word_pattern,
)
from pairdx.evaluation.corruptions import CORRUPTIONS, corrupt

NAMES = ["a", "b", "c"]
LEVELS = {
    "jpeg": [80, 30, 5],
    "blur": [0.5, 1.5, 4],
    "noise": [5, 20, 60],
    "brightness": [0.9, 0.6, 0.2],
    "rotation": [3, 10, 40],
    "resolution": [32, 16, 6],
}
CAPTION = "Axial CT scan of the chest: a large mass (arrow) was found in the left lung."


def images() -> np.ndarray:
    """Three smooth images with edges, 48 pixels a side."""
    rows, columns = np.mgrid[0:48, 0:48]
    waves = [128 + 60 * np.sin(rows / (4 + n)) + 50 * np.cos(columns / 5) for n in range(3)]
    grey = np.stack(waves)[..., None].repeat(3, axis=-1)
    grey[:, 12:30, 16:28] = 20
    return np.clip(grey, 0, 255).astype(np.uint8)


def psnr(damaged: np.ndarray) -> float:
    """Peak signal-to-noise ratio to the undamaged images, dB."""
    error = np.mean((damaged.astype(float) - images()) ** 2)
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_unchanged_level_leaves_images_as_they_are(kind: str) -> None:
    level = CORRUPTIONS[kind].unchanged
    level = images().shape[1] if level is None else level
    np.testing.assert_array_equal(corrupt(images(), NAMES, kind, level, 1), images())


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_damage_grows_with_the_level(kind: str) -> None:
    found = [psnr(corrupt(images(), NAMES, kind, level, 1)) for level in LEVELS[kind]]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1] + 3


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_damage_depends_on_seed_and_pair_alone(kind: str) -> None:
    """Neither on the other pairs nor on their order; the images given stay as they are."""
    given, level = images(), LEVELS[kind][1]
    damaged = corrupt(given, NAMES, kind, level, 1)
    assert damaged.dtype == np.uint8
    assert damaged.shape == given.shape
    np.testing.assert_array_equal(given, images())
    alone = corrupt(given[[2, 0]], ["c", "a"], kind, level, 1)
    np.testing.assert_array_equal(alone, damaged[[2, 0]])


def test_noise_differs_by_pair_and_seed_and_has_the_level_as_its_spread() -> None:
    flat = np.full((2, 64, 64, 3), 128, dtype=np.uint8)
    first, second = corrupt(flat, ["a", "b"], "noise", 10, 1)
    assert (first != second).any()
    assert (first != corrupt(flat[:1], ["a"], "noise", 10, 2)[0]).any()
    assert first.astype(float).std() == pytest.approx(10, rel=0.05)


def test_a_quarter_turn_is_exact() -> None:
    turned = corrupt(images(), NAMES, "rotation", 90, 1)
    np.testing.assert_array_equal(turned[0], np.rot90(images()[0]))


@pytest.mark.parametrize("call", [corrupt, corrupt_captions])
def test_an_unknown_kind_is_refused(call) -> None:
    with pytest.raises(PairDxError, match="melted"):
        call(images() if call is corrupt else NAMES, NAMES, "melted", 1, 1)


@pytest.mark.parametrize("count", [2, 3, 50])
def test_every_pair_gets_another_and_each_is_given_once(count: int) -> None:
    names = [f"pair{number}" for number in range(count)]
    for seed in range(20):
        others = other_pairs(names, seed)
        assert sorted(others) == list(range(count))
        assert (others != np.arange(count)).all()
    assert (other_pairs(names, 1) == other_pairs(names, 1)).all()


def test_a_single_pair_cannot_be_swapped() -> None:
    with pytest.raises(PairDxError, match="fewer than two"):
        other_pairs(["only"], 1)


@pytest.mark.parametrize(
    ("caption", "left"),
    [
        ("CT of the chest", "of the chest"),
        ("ct, Ct; (CT) and CTs.", "and"),
        ("A fracture; direct view.", "A fracture; direct view."),
        ("CT-guided biopsy, PET/CT", "-guided biopsy, PET/"),
        ("An X-ray, x ray, XRAY and x\u2011rays", "An and"),
        ("Computed  tomography and computed-tomography", "and"),
        ("The patient\u2019s ECG\u2019s end", "The patient\u2019s end"),
        ("Electrocardiographic signs", "signs"),
        ("Bronchoscopy and colonoscopic views", "and views"),
        ("Scanty growth on a scan", "Scanty growth on a"),
        ("", ""),
    ],
)
def test_class_words_are_gone_whatever_case_punctuation_and_form(caption: str, left: str) -> None:
    words = ["CT", "x-ray", "computed tomography", "ECG", "*electrocardiogra*", "*oscop*", "scan"]
    assert mask_words(caption, word_pattern(words)) == left


def test_without_words_nothing_is_masked() -> None:
    assert word_pattern([]) is None
    assert mask_words(CAPTION, word_pattern(["*"])) == CAPTION


def test_a_masked_caption_is_a_subsequence_of_the_caption() -> None:
    kept = mask_words(CAPTION, word_pattern(["CT", "lung"])).split()
    words = iter(CAPTION.split())
    assert [word for word in kept if word in words] == ["Axial", *CAPTION.split()[2:-1]]


@pytest.mark.parametrize("kind", ["typos", "dropped_words"])
def test_damage_to_captions_is_nested_and_repeatable(kind: str) -> None:
    """A higher share keeps what a lower one damaged, so that curves are of one experiment."""
    captions = [f"{CAPTION} {CAPTION}"] * 3
    made = [corrupt_captions(captions, NAMES, kind, s, 1) for s in (0.0, 0.2, 0.6, 1.0)]
    assert made[0] == captions
    assert made[2] == corrupt_captions(captions, NAMES, kind, 0.6, 1)
    assert len(set(made[2])) == 3
    if kind == "dropped_words":
        assert made[3] == [""] * 3
        for more, fewer in pairwise(made):
            rest = iter(more[0].split())
            assert all(word in rest for word in fewer[0].split())
    else:
        same = [
            [a == b for a, b in zip(captions[0].split(), m[0].split(), strict=True)] for m in made
        ]
        assert sum(same[1]) > sum(same[2]) > sum(same[3])
        assert all(low >= high for low, high in zip(same[1], same[2], strict=True))


def test_the_share_is_about_the_share_of_words() -> None:
    words = " ".join(["pathology"] * 2000)
    dropped = corrupt_captions([words], ["a"], "dropped_words", 0.25, 1)[0].split()
    assert len(dropped) == pytest.approx(1500, rel=0.05)
    wrong = corrupt_captions([words], ["a"], "typos", 0.25, 1)[0].split()
    assert sum(word != "pathology" for word in wrong) == pytest.approx(500, rel=0.15)
