"""Which systems are asked what, beyond their accuracy, and which files answer it."""

from __future__ import annotations

import pytest
import yaml

from pairdx.errors import PairDxError
from pairdx.plan import outputs
from pairdx.plan.measured import measured_wildcards
from pairdx.plan.world import PlansWorld
from plans import DEFAULTS, Of, demo_with, plan_with

DATASET = Of(dataset="multicare")
CLIP = ["clip_zero_shot", "biomedclip_zero_shot", "pairdx_clip", "pairdx_clip_prompts"]
CLIP.append("pairdx_clip_lora")
FUSION = ["pairdx_fusion", "image_only", "text_only"]


def only(*names: str, **others: dict) -> str:
    """An overlay that enables these systems alone, with what else is said of them."""
    systems = {name: {"enabled": name in names} for name in DEFAULTS["systems"]}
    for name, entry in others.items():
        systems[name] |= entry
    return yaml.safe_dump({"systems": systems})


def left_out(overlay: str) -> dict[str, str]:
    return outputs.reasons(PlansWorld(plan_with(overlay)))


# ---------------------------------------------------------------- explanations
def test_systems_that_can_be_looked_into_are_explained_and_a_new_one_too() -> None:
    assert plan_with().questions.explained_names(DATASET) == [*CLIP, *FUSION]
    systems = DEFAULTS["systems"]
    more = {"one_more": systems["image_only"], "none": systems["mean_colour"]}
    plan = plan_with(yaml.safe_dump({"systems": more}))
    assert plan.questions.explained_names(DATASET) == [*CLIP, *FUSION, "one_more"]
    assert plan.questions.explained_families(DATASET)["one_more"] == "fusion"


def test_explanations_need_systems_of_the_first_split_and_seed_and_no_predictions() -> None:
    files = plan_with().questions.explained_files(DATASET)
    folder = "<results>/multicare/stratified/pairdx_fusion/seed1"
    assert files["pairdx_fusion__weights"] == f"{folder}/model.safetensors"
    assert files["pairdx_fusion__vocabulary"] == "<results>/multicare/packed/vocabulary.json"
    assert "clip_zero_shot__weights" not in files
    assert files["clip_zero_shot__pretrained"]
    paths = [path for path in files.values() if isinstance(path, str)]
    assert not [path for path in paths if "predictions" in path or "/grouped/" in path]
    untrained = plan_with().questions.explained_untrained(DATASET)
    assert [name for name, built in untrained.items() if built] == CLIP[:2]


def test_nobody_chosen_means_no_explanations_and_named_pairs_are_enough() -> None:
    assert plan_with("explanations: {per_class: 0}").questions.explained_names(DATASET) == []
    named = plan_with("explanations: {per_class: 0, pairs: [PMC1_a]}")
    assert named.questions.explained_names(DATASET) == [*CLIP, *FUSION]
    nobody = PlansWorld(plan_with("explanations: {per_class: 0}"))
    assert outputs.shapes(nobody, "explain_systems") == []


# ---------------------------------------------------------------- prompts
def test_prompts_of_zero_shot_systems_are_varied_and_of_trained_ones_if_asked_for() -> None:
    plan = plan_with()
    files = plan.questions.prompted_files(DATASET)
    assert files == [
        f"<results>/multicare/{split}/{system}/seed1/prompts.parquet"
        for split in ("stratified", "grouped")
        for system in CLIP[:2]
    ]
    assert plan.questions.prompts(Of(dataset="multicare", system="pairdx_clip")) == []
    all_of_them = plan_with("prompt_sensitivity: {trained: true}")
    assert len(all_of_them.questions.prompted_files(DATASET)) == 2 * (2 + 3 * 3)
    asked = all_of_them.questions.prompts(Of(dataset="multicare", system="pairdx_clip"))
    assert asked == DEFAULTS["prompt_sensitivity"]["templates"]


@pytest.mark.parametrize(
    "overlay", ["prompt_sensitivity: {templates: []}", only("pairdx_clip", "majority")]
)
def test_where_no_prompt_is_varied_the_table_is_left_out_with_a_reason(overlay: str) -> None:
    assert plan_with(overlay).questions.prompted_files(DATASET) == []
    assert "prompts are varied" in left_out(overlay)["prompt_sensitivity_multicare"]


# ---------------------------------------------------------------- changed input
def test_trained_systems_that_read_anything_are_probed_once_per_split() -> None:
    plan = plan_with()
    names = [one.name for one in plan.enabled if one.trained and one.name != "majority"]
    cells = plan.questions.input_probed_cells("multicare")
    assert [(cell.split, cell.system, cell.seed) for cell in cells] == [
        (split, name, 1) for split in ("stratified", "grouped") for name in names
    ]


@pytest.mark.parametrize(
    ("section", "systems", "splits"),
    [
        ("{systems: all, splits: [grouped]}", 17, 1),
        ("{systems: [clip_zero_shot, majority, pairdx_fusion_gated]}", 1, 2),
        ("{systems: []}", 0, 0),
    ],
)
def test_chosen_systems_are_probed_on_chosen_splits_and_none_that_reads_nothing(
    section: str, systems: int, splits: int
) -> None:
    cells = plan_with(f"input_probes: {section}").questions.input_probed_cells("multicare")
    assert len({cell.system for cell in cells}) == systems
    assert len({cell.split for cell in cells}) == splits


def test_a_system_is_probed_by_what_it_reads() -> None:
    plan = plan_with()
    keys = {
        name: {*plan.questions.input_probe_settings(Of(dataset="multicare", system=name))}
        for name in ("mean_colour", "tfidf_logistic", "pairdx_fusion")
    }
    image = {"pairs", "seed", "image_corruptions", "blank_image_grey"}
    caption = {"pairs", "seed", "caption_corruptions", "class_words"}
    assert keys == {
        "mean_colour": image,
        "tfidf_logistic": caption,
        "pairdx_fusion": image | caption,
    }


def test_without_changed_input_the_table_is_left_out_and_its_job_says_why() -> None:
    plan = plan_with("input_probes: {systems: []}")
    assert plan.questions.input_probed_names() == []
    with pytest.raises(PairDxError, match="no input is changed"):
        plan.questions.input_probe_files(DATASET)
    assert "input_probes" in left_out("input_probes: {systems: []}")["input_probes_multicare"]


# ---------------------------------------------------------------- texts
def test_captions_are_counted_by_small_files_of_tokenisers_without_weights() -> None:
    files = plan_with().questions.tokeniser_files(DATASET)
    assert files["vocabulary"] == "<results>/multicare/packed/vocabulary.json"
    assert files["tokeniser_biomedclip"]
    assert not [path for path in files["tokeniser_biomedclip"] if path.endswith(".bin")]


def test_a_probe_reads_captions_with_its_encoders_tokeniser() -> None:
    """Also where nothing else uses that encoder."""
    biomedclip = {"settings": {"features": "biomedclip"}}
    plan = plan_with(only("early_fusion_probe", early_fusion_probe=biomedclip))
    files = plan.questions.tokeniser_files(DATASET)
    assert list(files) == ["tokeniser_biomedclip"]
    assert "<resources>/weights/biomedclip/tokenizer.json" in files["tokeniser_biomedclip"]


def test_systems_that_read_no_text_need_no_table_of_texts() -> None:
    overlay = only("mean_colour", "majority")
    assert plan_with(overlay).questions.text_readers_of(DATASET) == {}
    assert "texts_multicare" in left_out(overlay)


# ---------------------------------------------------------------- comparisons, out of distribution
def test_disagreements_are_of_the_two_that_are_named_if_both_are_enabled() -> None:
    named = "mistakes: {compare: [pairdx_fusion, pairdx_clip]}"
    assert plan_with().questions.compared(DATASET) == []
    assert plan_with(named).questions.compared(DATASET) == ["pairdx_fusion", "pairdx_clip"]
    off = f"{{{named}, systems: {{pairdx_clip: {{enabled: false}}}}}}"
    assert plan_with(off).questions.compared(DATASET) == []


def test_one_system_alone_disagrees_with_nobody() -> None:
    found = left_out(only("tfidf_logistic"))
    assert "enables one only" in found["disagreements_multicare_grouped"]


@pytest.mark.parametrize(
    "overlay",
    [
        "datasets: {drawn: {out_of_distribution: []}}",
        "evaluation: {out_of_distribution_pairs: 0}",
    ],
)
def test_without_further_classes_nobody_is_asked_and_nothing_is_packed(overlay: str) -> None:
    one = Of(dataset="drawn", system="majority")
    assert demo_with().questions.out_of_distribution(one)
    plan = demo_with(overlay)
    assert plan.questions.out_of_distribution(one) == {}
    assert measured_wildcards(plan)["pack_out_of_distribution"] == []
    found = outputs.reasons(PlansWorld(plan))["out_of_distribution_drawn"]
    assert "out_of_distribution" in found
