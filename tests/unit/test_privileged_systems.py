"""What the family clip_it says of its systems: of what they are made, what contradicts itself."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from pairdx.models.clip_it import description as clip_it
from pairdx.plan.configuration import complete, defaults
from plans import REPOSITORY

CONFIG = complete(defaults(REPOSITORY), {})
OWN = CONFIG["systems"]["privileged_own"]["settings"]
IMAGES = CONFIG["systems"]["resnet18_image_only"]["settings"]
LORA = {"rank": 4, "alpha": 4, "dropout": 0.0, "targets": ["linear"]}
TOWER = {"library": "open_clip", "name": "clip_vit_b32", "weights": None, "arguments": {}}
INTO_IMAGE = {"text_branch": None, "fusion": "none", "distil_into": "image_embedding"}
LEARNING = {"trains": "adapters", "lora": LORA, "detach": False}
DATASET = {"squaring": "pad", "class_names": {}, "class_prompts": {}, "bank": "captions"}


def problems(**changes: Any) -> list[str]:
    """What is said of a system with these settings, whose images have 224 pixels."""
    entry = {"settings": {**deepcopy(OWN), **changes}}
    return list(clip_it.problems("systems.mine", entry, CONFIG, {224: ["packing.image_size"]}))


def test_systems_differ_from_the_image_classifier_in_texts_and_in_nothing_else() -> None:
    systems = {name: CONFIG["systems"][name]["settings"] for name in CONFIG["systems"]}
    texts = {"pairing", "text_branch", "fusion"}
    for name in ("own", "retrieved", "random"):
        settings = systems[f"privileged_{name}"]
        assert {key for key in settings if settings[key] != IMAGES[key]} == texts
        assert {key for key in settings if settings[key] != OWN[key]} <= {"pairing"}
        assert settings["pairing"] == f"captions_{name}"


def test_images_alone_are_read_and_texts_are_named_by_the_pairing() -> None:
    assert clip_it.reads(OWN) == clip_it.learns_from(OWN) == ["image"]
    assert (clip_it.pairing(OWN), clip_it.pairing(IMAGES)) == ("captions_own", None)
    assert clip_it.weights_name(OWN, CONFIG) == "resnet18"
    tower = {**OWN, "backbone": {**TOWER, "name": "biomedclip"}}
    assert clip_it.weights_name(tower, CONFIG) == "biomedclip"


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        ({}, False),
        ({"word_dropout": 0.3}, True),
        ({"text_encoder": LEARNING}, True),
        ({"text_encoder": LEARNING, "distillation_weight": 0}, False),
        ({"word_dropout": 0.3, "pairing": None}, False),
    ],
)
def test_the_text_encoder_is_needed_where_it_runs(changes: dict[str, Any], runs: bool) -> None:
    assert clip_it.needs({**OWN, **changes}) == (["text_encoder"] if runs else [])


def test_encoders_are_described_in_the_place_of_their_names() -> None:
    settings = {**OWN, "backbone": {**TOWER, "name": "biomedclip"}}
    built = clip_it.build_settings(settings, CONFIG, DATASET)
    described = {**CONFIG["feature_extractors"]["biomedclip"], "squaring": "pad"}
    assert built["pairing"] == {"name": "captions_own", "bank": "captions", "encoder": described}
    assert built["backbone"] == {**TOWER, "name": "biomedclip", "encoder": described}
    assert clip_it.build_settings(IMAGES, CONFIG, DATASET) == IMAGES


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backbone": {**OWN["backbone"], "weights": "resnet81"}}, "backbone.weights: resnet81 is"),
        ({"backbone": {**TOWER, "name": "quilt"}}, "backbone.name: quilt is not among feature_ex"),
        ({"backbone": {**TOWER, "weights": "resnet18"}}, "backbone.weights: must be null"),
        ({"backbone": {**TOWER, "arguments": {"a": 1}}}, "backbone.arguments: must be empty"),
        ({"backbone": TOWER, "resize_to": 96}, "images of 96 pixels are packed, and it reads 224"),
        ({"trains": "adapters"}, "mine.settings.lora: must be stated where trains is adapters"),
        ({"trains": "head", "lora": LORA}, "mine.settings.lora: must be null where trains is head"),
        ({"text_branch": None}, "fusion: must be none, because there is no text_branch"),
        ({"text_branch": None, "fusion": "none"}, "distil_into: text_branch is null"),
        ({"fusion": "none", "pairing": None}, "text_branch: must be null: fusion is none"),
        ({"text_encoder": {**LEARNING, "lora": None}}, "text_encoder.lora: must be stated"),
        ({"text_encoder": {**LEARNING, "detach": True}}, "text_encoder.detach: must be false"),
        ({"text_encoder": LEARNING, "distillation_weight": 0}, "because distillation_weight is 0"),
        ({"trains": "head", **INTO_IMAGE}, "distil_into: must be text_branch where trains is head"),
        ({"trains": "head", "fusion": "none"}, "fusion: must be late or early where trains is"),
        (
            {"word_dropout": 0.3, "pairing": None},
            "word_dropout: must be 0, because pairing is null",
        ),
    ],
)
def test_what_contradicts_itself_is_said_with_its_key(changes: dict[str, Any], said: str) -> None:
    found = problems(**changes)
    assert all(one.startswith("config key ") for one in found)
    assert said in "\n".join(found)


def test_the_encoder_of_a_pairing_is_compared_with_the_weights_that_there_are() -> None:
    extractors = {"biomedclip": {**CONFIG["feature_extractors"]["biomedclip"], "weights": "gone"}}
    entry, config = {"settings": OWN}, {**CONFIG, "feature_extractors": extractors}
    found = next(clip_it.problems("systems.mine", entry, config, {224: ["packing.image_size"]}))
    assert found.startswith("config key feature_extractors.biomedclip.weights: gone is not among")


def test_what_does_not_contradict_itself_is_let_through() -> None:
    assert problems() == problems(backbone=TOWER) == problems(text_encoder=LEARNING) == []
    assert problems(trains="adapters", lora=LORA, word_dropout=0.5, softmax="double") == []
    alone = {"text_branch": None, "fusion": "none"}
    assert problems(**INTO_IMAGE) == problems(fusion="none") == []
    assert problems(**alone, pairing=None) == problems(pairing=None) == []
    assert problems(trains="head") == problems(trains="head", **alone, pairing=None) == []


def test_a_text_branch_of_another_length_than_the_encoder_is_told_before_anything_runs() -> None:
    """By the name of the system; of one that does not run, nothing."""
    small = CONFIG["feature_extractors"]["biomedclip"] | {
        "architecture": {"embed_dim": 128},
        "weights": None,
    }
    config = {**CONFIG, "feature_extractors": {"biomedclip": small}}
    entry = {"enabled": True, "settings": OWN}
    (said,) = clip_it.problems("systems.mine", entry, config, {})
    assert said.startswith("config key systems.mine.settings.text_branch.dimension: must be 128,")
    fitting = {**OWN, "text_branch": {**OWN["text_branch"], "dimension": 128}}
    for other in (entry | {"enabled": False}, entry | {"settings": fitting}):
        assert not [*clip_it.problems("systems.mine", other, config, {})]
