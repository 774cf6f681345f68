"""Probes change what they say, and only that; trained systems answer as their inputs allow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import tiny_models as tiny
from pairdx.evaluation.input_probes import (
    CAPTION_BLANK,
    CAPTION_SWAPPED,
    CLASS_WORDS,
    IMAGE_BLANK,
    UNCHANGED,
    InputProbe,
    changed,
    chosen_pairs,
    predictions_under_probes,
    probes_of,
)
from pairdx.models.base import FitJob, Pairs, predict
from pairdx.models.fusion import system as fusion
from pairdx.models.fusion.encoders import IMAGE_DIMENSION
from pairdx.models.linear import system as linear

SETTINGS = {
    "pairs": None,
    "seed": 1,
    "blank_image_grey": 128,
    "image_corruptions": {"blur": [1, 3], "noise": []},
    "caption_corruptions": {"typos": [0.5]},
    "class_words": dict(tiny.WORDS),
}
BOTH = ("image", "caption")


def names(reads: tuple[str, ...]) -> list[str]:
    return [probe.name for probe in probes_of(reads, SETTINGS)]


def test_only_probes_of_what_a_system_reads_are_made() -> None:
    captions = [CAPTION_BLANK, CAPTION_SWAPPED, CLASS_WORDS]
    assert names(("image",)) == [UNCHANGED, IMAGE_BLANK, "blur", "blur"]
    assert names(("caption",)) == [UNCHANGED, *captions, "typos"]
    assert names(BOTH) == [UNCHANGED, *captions, IMAGE_BLANK, "blur", "blur", "typos"]


@pytest.mark.parametrize("probe", probes_of(BOTH, SETTINGS)[1:], ids=lambda probe: probe.name)
def test_a_probe_changes_one_input_and_leaves_the_other_the_labels_and_the_original(
    probe: InputProbe,
) -> None:
    pairs, before = tiny.make_pairs(12), tiny.make_pairs(12)
    found = changed(pairs, probe, SETTINGS)
    same_images = np.array_equal(found.images[:], pairs.images)
    assert same_images != (found.captions == pairs.captions)
    assert found.table.drop(columns="caption").equals(pairs.table.drop(columns="caption"))
    assert pairs.table.equals(before.table)
    assert np.array_equal(pairs.images, before.images)


def test_class_words_of_every_class_are_masked_in_every_caption() -> None:
    found = changed(tiny.make_pairs(12), InputProbe(CLASS_WORDS), SETTINGS)
    assert set(found.captions) == {"case 0"}


def test_the_choice_of_pairs_does_not_depend_on_their_order() -> None:
    pairs = tiny.make_pairs(30)
    order = np.arange(30)[::-1]
    table = pairs.table.iloc[order].reset_index(drop=True)
    other = chosen_pairs(Pairs(table, pairs.images[order], pairs.classes), 7, 1)
    chosen = chosen_pairs(pairs, 7, 1)
    assert len(chosen) == 7
    assert set(chosen.table["pair_id"]) == set(other.table["pair_id"])
    row = pairs.table.set_index("pair_id").index.get_indexer(chosen.table["pair_id"])
    assert np.array_equal(chosen.images[:], pairs.images[row])


def accuracies(table: pd.DataFrame) -> pd.Series:
    return (table["label"] == table["predicted"]).groupby(table["probe"]).mean()


def test_a_network_shows_which_of_its_inputs_count(tmp_path: Path) -> None:
    """One that was made deaf to captions: nothing moves without them, all is one without images."""
    test = tiny.make_pairs(30, seed=1)
    resources = tiny.write_word_vectors(tmp_path, test)
    classifier = fusion.build(tiny.FUSION, tiny.CLASSES, resources, seed=1)
    with torch.no_grad():
        classifier.network.classify[0].weight[:, IMAGE_DIMENSION:] = 0
    table = predictions_under_probes(classifier, test, BOTH, SETTINGS, 8)
    found = {name: rows["p_label"].to_numpy() for name, rows in table.groupby("probe")}
    assert np.ptp(found[UNCHANGED][test.labels == 0]) > 1e-3  # images of one class are told apart
    for probe in (CAPTION_BLANK, CAPTION_SWAPPED, CLASS_WORDS, "typos"):
        np.testing.assert_allclose(found[probe], found[UNCHANGED], rtol=1e-5)
    for label in range(len(tiny.CLASSES)):
        assert np.ptp(found[IMAGE_BLANK][test.labels == label]) < 1e-5
    assert np.ptp(found["blur"]) > 1e-3


def test_a_system_that_learned_images_alone_loses_without_them_and_not_without_captions() -> None:
    train, test = tiny.make_pairs(96), tiny.make_pairs(30, seed=1)
    settings = tiny.settings(tiny.LINEAR, features="mean_colour")
    classifier = linear.build(settings, tiny.CLASSES, {}, seed=1)
    linear.fit(classifier, train, test, FitJob(seed=1))
    found = accuracies(predictions_under_probes(classifier, test, BOTH, SETTINGS, 8))
    assert found[UNCHANGED] > 0.9
    assert found[CAPTION_BLANK] == found[CAPTION_SWAPPED] == found[UNCHANGED]
    assert found[IMAGE_BLANK] < 0.5


def test_a_system_that_reads_captions_alone_loses_without_their_words() -> None:
    train, test = tiny.make_pairs(96), tiny.make_pairs(30, seed=1)
    classifier = linear.build(tiny.LINEAR, tiny.CLASSES, {}, seed=1)
    linear.fit(classifier, train, test, FitJob(seed=1))
    found = accuracies(predictions_under_probes(classifier, test, ("caption",), SETTINGS, 8))
    assert found[UNCHANGED] > 0.9
    assert found[CAPTION_BLANK] < 0.5
    assert found[CAPTION_SWAPPED] < 0.7
    assert found[CLASS_WORDS] < 0.5


def test_unchanged_input_gives_the_systems_own_predictions_and_the_labels_probability() -> None:
    pairs = tiny.make_pairs(24)
    classifier = linear.build(tiny.LINEAR, tiny.CLASSES, {}, seed=1)
    linear.fit(classifier, pairs, pairs, FitJob(seed=1))
    table = predictions_under_probes(classifier, pairs, ("caption",), SETTINGS, 5)
    rows = table[table["probe"] == UNCHANGED]
    own = predict(classifier, pairs, 24)
    assert rows["predicted"].tolist() == [tiny.CLASSES[best] for best in own.argmax(axis=1)]
    np.testing.assert_allclose(rows["p_label"], own[np.arange(24), pairs.labels])
    assert len(table) == 24 * len(names(("caption",)))
