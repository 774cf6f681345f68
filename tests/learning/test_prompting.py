"""Predictions by prompt are those that the system itself would make with these prompts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import tiny_models as tiny
from pairdx.errors import PairDxError
from pairdx.models.answers import ask
from pairdx.models.base import predict
from pairdx.models.clip.objectives import ClipNetwork
from pairdx.models.clip.prompting import predictions_by_prompts
from pairdx.models.clip.system import ClipClassifier, load
from pairdx.models.prompt_sets import ALL_TEMPLATES, OWN_PROMPTS, prompt_sets
from tiny_clip import build

TEMPLATES = ["{}", "a figure of {}", "{} findings in this scan"]


# Random weights by which every set of prompts tells images apart, and each in its own way.
SEED = 31


@pytest.fixture(scope="module")
def classifier() -> ClipClassifier:
    return build(seed=SEED)


def table_of(classifier, pairs, templates, batch_size: int) -> pd.DataFrame:
    """Ask as the workflow does: the images first, whose features serve all prompts."""
    of_images = ask(classifier, pairs.images, pairs.captions, 3, batch_size, features=True)
    features = of_images.image_features
    assert features is not None
    return predictions_by_prompts(classifier, pairs, features, templates, batch_size)


def by_prompts(classifier: ClipClassifier, batch_size: int = 7) -> dict[str, list[str]]:
    table = table_of(classifier, tiny.make_pairs(20), TEMPLATES, batch_size)
    return {name: rows["predicted"].tolist() for name, rows in table.groupby("template")}


def predicted_by(templates: list[str]) -> list[str]:
    """What a system with these templates as its own predicts."""
    found = predict(build(seed=SEED, templates=templates), tiny.make_pairs(20), 7)
    return [tiny.CLASSES[best] for best in tiny.decided(found)]


def test_own_prompts_give_the_systems_own_predictions(classifier):
    """Same softmax, same argmax, as ClipClassifier.probabilities."""
    expected = predicted_by(classifier.settings["templates"])
    assert by_prompts(classifier)[OWN_PROMPTS] == expected


def test_each_set_of_prompts_predicts_as_a_system_that_has_it(classifier):
    """Every single template, and all of them averaged; no two sets agree on all images."""
    found = by_prompts(classifier)
    sets = prompt_sets(classifier.settings["templates"], TEMPLATES)
    assert found == {name: predicted_by(templates) for name, templates in sets.items()}
    assert len(set(map(tuple, found.values()))) == len(found)
    assert all(len(set(predicted)) > 1 for predicted in found.values())


def test_a_class_keeps_prompts_of_its_own_in_every_set(tmp_path):
    """Also when the system is saved and loaded; templates that say the same give the same."""
    label, *others = tiny.CLASSES
    own = {label: ["a {} chart", "plain", "photo of {x}"]}
    saved = build(seed=SEED, class_prompts=own)
    saved.save(tmp_path)
    found = by_prompts(load(tmp_path, {}))
    sets = prompt_sets(saved.settings["templates"], TEMPLATES)
    for name, templates in sets.items():
        whole = own | {other: [one.format(other) for one in templates] for other in others}
        system = build(seed=SEED, class_prompts=whole)
        expected = tiny.decided(predict(system, tiny.make_pairs(20), 7))
        assert found[name] == [tiny.CLASSES[best] for best in expected]
    assert found != by_prompts(build(seed=SEED))


def test_the_softmax_is_that_of_probabilities(classifier):
    """Comparing features that were computed apart gives the same numbers, bit for bit."""
    images = tiny.make_pairs(9).images
    features = classifier.image_features(images)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(9))
    np.testing.assert_array_equal(
        classifier.compare(features, classifier.class_features()),
        classifier.probabilities(images, None),
    )


def test_there_is_a_row_per_pair_and_prompt_with_the_pairs_own_names(classifier):
    pairs = tiny.make_pairs(5)
    table = table_of(classifier, pairs, TEMPLATES, 2)
    assert list(table.columns) == ["pair_id", "case_id", "label", "template", "predicted"]
    assert table["template"].drop_duplicates().tolist() == [OWN_PROMPTS, *TEMPLATES, ALL_TEMPLATES]
    for _, rows in table.groupby("template"):
        kept = rows[["pair_id", "case_id", "label"]].reset_index(drop=True)
        assert kept.equals(pairs.table[["pair_id", "case_id", "label"]])


def test_images_are_encoded_once_whatever_the_number_of_templates(classifier, monkeypatch):
    encoded = []
    original = ClipNetwork.image_features

    def counted(network, images):
        encoded.append(len(images))
        return original(network, images)

    monkeypatch.setattr(ClipNetwork, "image_features", counted)
    by_prompts(classifier, batch_size=8)
    assert encoded == [8, 8, 4]


def test_the_batch_size_changes_no_prediction(classifier):
    assert by_prompts(classifier, 1) == by_prompts(classifier, 50)


def test_a_template_without_a_place_for_the_class_is_refused(classifier):
    with pytest.raises(PairDxError, match="template"):
        table_of(classifier, tiny.make_pairs(3), ["a photo"], 2)
