"""Families describe themselves: what planning asks of them, and what their settings may be."""

from __future__ import annotations

import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pairdx.plan.checks import families as checks
from pairdx.plan.code import SCRIPTS
from pairdx.plan.configuration import complete, defaults, read_yaml
from pairdx.plan.descriptions import Family, families, schema_file
from pairdx.plan.schemas import whole_schema, with_families
from pairdx.plan.validation import problems

REPOSITORY = Path(__file__).parents[2]
CONFIG = complete(defaults(REPOSITORY), {})
SYSTEMS = CONFIG["systems"]
FAMILIES = families()
SCHEMA = whole_schema(REPOSITORY)
DATASET = {"squaring": "pad", "class_names": {"chart": "chart", "radiology": "X-ray"}}
ASKED = sorted(name for name in vars(Family) if not name.startswith("_"))
ANSWERED = set(Family.__annotations__)


def family_of(system: str) -> Family:
    return FAMILIES[SYSTEMS[system]["family"]]


def settings(system: str, **changes: Any) -> dict[str, Any]:
    return SYSTEMS[system]["settings"] | changes


def changed(**changes: dict[str, Any]) -> dict[str, Any]:
    """The defaults with other entries, settings or encoders: ``like`` names what they change."""
    config = deepcopy(CONFIG)
    for name, change in changes.items():
        section = "feature_extractors" if name in config["feature_extractors"] else "systems"
        entry = config[section][name]
        for key, value in change.items():
            if isinstance(entry.get(key), dict) and isinstance(value, dict):
                entry[key].update(value)
            else:
                entry[key] = value
    return config


def said(config: dict[str, Any], *names: str) -> list[str]:
    """What is said when these systems alone are enabled."""
    for name, entry in config["systems"].items():
        entry["enabled"] = name in names
    return list(checks.problems(config, FAMILIES))


def test_every_folder_of_a_family_answers_all_that_is_asked() -> None:
    folders = {path.parent.name for path in (SCRIPTS / "pairdx/models").glob("*/system.py")}
    assert set(FAMILIES) == folders >= {"clip", "fusion", "linear", "linear_probe"}
    for name, family in FAMILIES.items():
        lacking = {key for key in (*ASKED, *ANSWERED) if not hasattr(family, key)}
        assert lacking == set(), name
        for key, kind in Family.__annotations__.items():
            assert type(getattr(family, key)).__name__ == kind, (name, key)


@pytest.mark.parametrize(("flag", "module"), [("EXPLAINED", "explanation"), ("EXPORTED", "graph")])
def test_modules_are_there_where_a_description_says_so(flag: str, module: str) -> None:
    for name, family in FAMILIES.items():
        file = SCRIPTS / "pairdx/models" / name / f"{module}.py"
        assert file.is_file() == getattr(family, flag), name


def test_descriptions_import_the_standard_library_alone() -> None:
    """They are read in every dry run and job, and by a Python that has nothing else."""
    look = (
        "import sys; before = set(sys.modules)\n"
        "from pairdx.plan.descriptions import families, readers; families(), readers()\n"
        "found = {name.split('.')[0] for name in set(sys.modules) - before} - {'pairdx'}\n"
        "print(sorted(found - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("system", "reads", "weights", "needs", "encoder"),
    [
        ("clip_zero_shot", ["image"], "clip_vit_b32_openai", [], None),
        ("biomedclip_zero_shot", ["image"], "biomedclip", [], None),
        ("pairdx_fusion", ["image", "caption"], "resnet18", ["word_vectors"], None),
        ("image_only", ["image"], "resnet18", [], None),
        ("text_only", ["caption"], None, ["word_vectors"], None),
        ("clip_linear_probe", ["image"], "clip_vit_b32_openai", ["features"], "clip_vit_b32"),
        (
            "early_fusion_probe",
            ["image", "caption"],
            "clip_vit_b32_openai",
            ["features"],
            "clip_vit_b32",
        ),
        ("biomedclip_linear_probe", ["image"], "biomedclip", ["features"], "biomedclip"),
        ("tfidf_logistic", ["caption"], None, [], None),
        ("mean_colour", ["image"], None, [], None),
        ("majority", [], None, [], None),
    ],
)
def test_what_a_system_reads_and_is_built_from(
    system: str, reads: list[str], weights: str | None, needs: list[str], encoder: str | None
) -> None:
    family, own = family_of(system), settings(system)
    assert family.reads(own) == reads
    assert family.weights_name(own, CONFIG) == weights
    assert family.needs(own) == needs
    assert family.encoder(own) == encoder


def test_random_weights_are_no_weights() -> None:
    own = settings("pairdx_clip", weights=None)
    assert family_of("pairdx_clip").weights_name(own, CONFIG) is None
    config = changed(clip_vit_b32={"weights": None})
    probe = "clip_linear_probe"
    assert family_of(probe).weights_name(settings(probe), config) is None


def test_a_clip_model_is_built_with_the_names_of_classes_and_the_way_images_become_square() -> None:
    own = settings("pairdx_clip")
    assert family_of("pairdx_clip").build_settings(own, CONFIG, DATASET) == own | DATASET


def test_a_probe_is_built_with_its_encoder() -> None:
    """A model folder may want images that became square in another way."""
    own = settings("clip_linear_probe")
    built = family_of("clip_linear_probe").build_settings(own, CONFIG, DATASET)
    encoder = CONFIG["feature_extractors"]["clip_vit_b32"] | {"squaring": "pad"}
    assert built == own | {"encoder": encoder}


@pytest.mark.parametrize("system", ["pairdx_fusion", "tfidf_logistic"])
def test_others_are_built_with_their_settings_alone(system: str) -> None:
    assert family_of(system).build_settings(settings(system), CONFIG, DATASET) == settings(system)


@pytest.mark.parametrize(
    ("system", "tokeniser", "kept", "in_folder", "vocabulary"),
    [
        ("clip_zero_shot", "open_clip", ["architecture", "context_length"], False, False),
        (
            "pairdx_clip",
            "open_clip",
            ["architecture", "context_length", "objective"],
            False,
            False,
        ),
        ("biomedclip_zero_shot", "open_clip", ["architecture", "context_length"], True, False),
        ("early_fusion_probe", "open_clip", ["architecture", "context_length"], False, False),
        ("pairdx_fusion", "words", ["tokens"], False, True),
        ("tfidf_logistic", "words", [], False, False),
    ],
)
def test_how_texts_are_read(
    system: str, tokeniser: str, kept: list[str], *, in_folder: bool, vocabulary: bool
) -> None:
    reader = family_of(system).text_reader(settings(system), CONFIG)
    assert reader is not None
    assert (reader["tokeniser"], reader["tokeniser_in_folder"]) == (tokeniser, in_folder)
    assert (list(reader["settings"]), reader["vocabulary"]) == (kept, vocabulary)


@pytest.mark.parametrize("system", ["image_only", "mean_colour", "majority", "clip_linear_probe"])
def test_a_system_without_captions_and_prompts_reads_no_text(system: str) -> None:
    assert family_of(system).text_reader(settings(system), CONFIG) is None


def test_the_defaults_contradict_no_family() -> None:
    assert said(changed(), *SYSTEMS) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"pairdx_fusion": {"settings": {"attention": {"heads": 7, "dimension": 256}}}},
            "systems.pairdx_fusion.settings.attention.dimension: 256 numbers cannot be divided",
        ),
        (
            {
                "pairdx_fusion_cross_attention": {
                    "settings": {"fusion_dimension": 9}
                    | {"attention": {"heads": 2, "dimension": 64}}
                }
            },
            "systems.pairdx_fusion_cross_attention.settings.fusion_dimension: 9 numbers",
        ),
        (
            {"pairdx_fusion": {"settings": {"gpus": 3}}},
            "systems.pairdx_fusion.settings.batch_size: 128 is no multiple of 3 GPUs",
        ),
        (
            {"image_only": {"settings": {"fusion": "gated"}}},
            "systems.image_only.settings.fusion: gated does not go with the branches ['image']",
        ),
        (
            {"text_only": {"settings": {"weights": "resnet18"}}},
            "systems.text_only.settings.weights: must be null, because there is no image branch",
        ),
        (
            {"pairdx_fusion": {"settings": {"weights": "resnet19"}}},
            "systems.pairdx_fusion.settings.weights: resnet19 is not among downloads.weights (",
        ),
        (
            {"tfidf_logistic": {"settings": {"word_ngrams": [2, 1]}}},
            "systems.tfidf_logistic.settings.word_ngrams: the shortest",
        ),
        (
            {"clip_linear_probe": {"trained": False}},
            "systems.clip_linear_probe.trained: a system of the family linear_probe is trained; "
            "only one of the family clip need not be",
        ),
        (
            {"clip_linear_probe": {"settings": {"features": "clip_vit"}}},
            "systems.clip_linear_probe.settings.features: clip_vit is not among "
            "feature_extractors (clip_vit_b32, biomedclip)",
        ),
        (
            {"clip_zero_shot": {"settings": {"architecture": "ViT-B-32-quickgel"}}},
            "systems.clip_zero_shot.settings.architecture: open_clip has no 'ViT-B-32-quickgel'; "
            "did you mean ViT-B-32-quickgelu?",
        ),
        (
            {"biomedclip_zero_shot": {"settings": {"weights": "clip_vit_b32_openai"}}},
            "systems.biomedclip_zero_shot.settings.architecture: null goes with",
        ),
        (
            {"pairdx_clip": {"settings": {"context_length": 76}}},
            "systems.pairdx_clip.settings.context_length: it reads 77 tokens, not 76 "
            "(systems.pairdx_clip.settings.architecture)",
        ),
        (
            {"pairdx_clip": {"settings": {"quick_gelu": False}}},
            "systems.pairdx_clip.settings.quick_gelu: it is built with QuickGELU",
        ),
        (
            {"clip_vit_b32": {"context_length": 76}},
            "feature_extractors.clip_vit_b32.context_length: it reads 77 tokens, not 76",
        ),
    ],
)
def test_a_contradiction_is_one_sentence_with_its_key(
    changes: dict[str, Any], sentence: str
) -> None:
    """Two probes share the encoder that is wrong in the last of them."""
    (found,) = said(changed(**changes), *SYSTEMS)
    assert found.startswith(f"config key {sentence}")


def test_images_of_another_size_are_named_for_every_network_that_cannot_read_them() -> None:
    names = ["pairdx_clip", "clip_linear_probe", "early_fusion_probe", "pairdx_fusion"]
    config, wrong = changed(), "images of 100 pixels are packed, and it reads 224"
    config["datasets"]["drawn"]["enabled"] = True
    for name in ("multicare", "drawn"):
        config["datasets"][name]["packing"]["image_size"] = 100
    both = "datasets.drawn.packing.image_size, datasets.multicare.packing.image_size"
    assert said(config, *names) == [
        f"config key {key}.architecture: {wrong} ({both})"
        for key in ("systems.pairdx_clip.settings", "feature_extractors.clip_vit_b32")
    ]
    assert said(changed(pairdx_clip={"image_size": 100}), "pairdx_clip") == [
        f"config key systems.pairdx_clip.settings.architecture: {wrong} "
        "(systems.pairdx_clip.image_size)"
    ]


def test_a_probe_has_no_image_size_of_its_own() -> None:
    assert said(changed(clip_linear_probe={"image_size": 100}), "clip_linear_probe") == [
        "config key systems.clip_linear_probe.image_size: features are of the dataset's images; "
        "leave it out"
    ]


def test_what_does_not_hang_on_the_size_is_said_once_for_all_datasets_that_it_runs_on() -> None:
    config = changed(pairdx_clip={"settings": {"context_length": 76}})
    config["datasets"]["drawn"]["enabled"] = True
    found = said(config, "pairdx_clip")
    assert [line.split(":")[1].split()[0] for line in found] == ["images", "it"]
    config["systems"]["pairdx_clip"]["datasets"] = ["multicare"]
    assert len(said(config, "pairdx_clip")) == 1


def test_a_system_that_is_not_enabled_is_looked_at_when_it_is_asked_for() -> None:
    config = changed(pairdx_clip={"enabled": False, "settings": {"context_length": 76}})
    assert list(checks.problems(config, FAMILIES)) == []
    assert len(list(checks.problems_of_system("pairdx_clip", config, FAMILIES))) == 1


def test_schemas_of_families_are_schemas() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for name in FAMILIES:
        own = read_yaml(schema_file("models", name))
        Draft202012Validator.check_schema(own)
        assert SCHEMA["$defs"][f"settings_{name}"] == own


def sentences(entry: dict[str, Any], schema: dict[str, Any] = SCHEMA, **others: Any) -> list[str]:
    """What is said of the systems and encoders alone, with one entry more."""
    own = {"properties": schema["properties"], "$defs": schema["$defs"]}
    model = {key: CONFIG[key] for key in ("systems", "feature_extractors")}
    config = model | {"systems": SYSTEMS | {"of_mine": entry}} | others
    return problems(config, own, lambda: model)


MINE = {
    "title": "Mine",
    "family": "linear",
    "enabled": True,
    "trained": True,
    "random": False,
    "stand_in": False,
    "paper": None,
    "settings": {"features": "none"},
}


def test_every_default_entry_is_what_its_family_expects() -> None:
    assert sentences(MINE) == []
    assert sentences(MINE | {"image_size": None, "datasets": None}) == []
    assert sentences(MINE | {"image_size": 64, "datasets": ["drawn"]}) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"family": "linaer"},
            "family: 'linaer' is not one of ['clip', 'clip_it', 'fusion', 'linea",
        ),
        ({"family": "linaer"}, "; did you mean linear?"),
        ({"settings": {"features": "colours"}}, "settings.features: 'colours' is not one of"),
        ({"settings": {"features": "none", "max_iteration": 3}}, "did you mean max_iterations?"),
        ({"settings": {}}, "settings: features"),
        ({"image_size": 64.0}, "image_size: 64.0 is not of type 'integer', 'null' (write it"),
        ({"reads": ["image"]}, "unknown reads"),
    ],
)
def test_an_entry_is_compared_with_its_own_family(change: dict[str, Any], sentence: str) -> None:
    found = "\n".join(sentences(MINE | change))
    assert "systems.of_mine" in found
    assert sentence in found


def test_only_a_trained_clip_model_needs_what_training_needs() -> None:
    entry = SYSTEMS["clip_zero_shot"]
    assert sentences(entry) == []
    (lacking,) = sentences(entry | {"trained": True})
    assert lacking.startswith("config key systems.of_mine.settings: objective, ignore_duplicate")


def test_an_encoder_is_described_as_a_clip_model_is() -> None:
    encoder = {"architecture": 3, "quick_gelu": True, "weights": None, "context_length": 77}
    (found,) = sentences(MINE, feature_extractors={"clip_vit_b32": encoder})
    assert found.startswith("config key feature_extractors.clip_vit_b32.architecture: 3 is not of")


def test_a_new_family_needs_no_edit_of_what_is_there() -> None:
    """A schema of its own, and a section beside the systems if it has one."""
    own = {
        "type": "object",
        "required": ["width"],
        "properties": {"width": {"$ref": "#/$defs/gpus"}},
        "$defs": {"sections": {"properties": {"gadgets": {"type": "array"}}}},
    }
    base = read_yaml(REPOSITORY / "workflow/schemas/config.schema.yaml")
    schemas = {name: read_yaml(schema_file("models", name)) for name in FAMILIES}
    schema = with_families(base, schemas | {"mine": own})
    entry = MINE | {"family": "mine", "settings": {"width": 0}}
    found = sentences(entry, schema, gadgets=3)
    assert [line.split(":")[0] for line in found] == [
        "config key systems.of_mine.settings.width",
        "config key gadgets",
    ]
    assert "gadgets" in schema["required"]
    assert "gadgets" not in base["required"]
