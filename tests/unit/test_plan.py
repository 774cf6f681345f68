"""What a configuration means: which systems run on which datasets, with which seeds, and where."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pairdx.plan import code, outputs, requests
from pairdx.plan.bare_code import bare
from pairdx.plan.cells import Cell
from pairdx.plan.configuration import as_overlay, defaults, merged
from pairdx.plan.documents_check import facts_of_check
from pairdx.plan.graph import decides_the_graph
from pairdx.plan.measured import measured_jobs, measured_wildcards
from pairdx.plan.plan import Plan
from pairdx.plan.start import plan_of
from pairdx.plan.world import PlansWorld
from plans import DEFAULTS, OVERLAY_OF_DEMO, REPOSITORY, Of, demo_with, plan_with
from rule_files import all_rules

# The paper's experiment: every enabled system, in the order of tables, and how often it runs.
SEEDS = {
    "clip_zero_shot": 1,
    "biomedclip_zero_shot": 1,
    "pairdx_clip": 3,
    "pairdx_clip_prompts": 3,
    "pairdx_clip_lora": 3,
    "pairdx_fusion": 3,
    "image_only": 3,
    "text_only": 3,
    "clip_linear_probe": 1,
    "biomedclip_linear_probe": 1,
    "early_fusion_probe": 1,
    "resnet18_image_only": 3,
    "privileged_own": 3,
    "privileged_retrieved": 3,
    "privileged_random": 3,
    "tfidf_logistic": 1,
    "mean_colour": 1,
    "majority": 1,
}
# The demo's corpus once more under another seed, without one of its classes.
TWO = """
datasets:
  drawn_2:
    like: drawn
    enabled: true
    title: Drawn again
    source: {seed: 2}
    classes: {chart: null}
    out_of_distribution: [pathology, chart]
"""


def listed(plan: Plan) -> set[str]:
    """Every file of `all`."""
    world = PlansWorld(plan)
    return {*outputs.files(world, "table"), *outputs.files(world, "figure")}


def reasons(plan: Plan) -> dict[str, str]:
    return outputs.reasons(PlansWorld(plan))


# ---------------------------------------------------------------- the paper's experiment
def test_the_papers_experiment_is_every_system_on_both_splits_with_its_seeds() -> None:
    plan = plan_with()
    assert plan.cells == [
        Cell("multicare", split, system, seed)
        for split in ("stratified", "grouped")
        for system, seeds in SEEDS.items()
        for seed in range(1, seeds + 1)
    ]
    assert list(plan.datasets) == ["multicare"]


def test_jobs_whose_cost_is_counted_are_those_that_a_user_expects() -> None:
    jobs = {rule: len(each) for rule, each in measured_wildcards(plan_with()).items() if each}
    # With siblings of test pairs: four systems, two of them under three seeds.
    priced = 3 + 3 + 1 + 1
    networks = [name for name, seeds in SEEDS.items() if seeds > 1]
    assert jobs == {
        **{"ingest_tables": 1, "curate_pairs": 1, "inspect_archive": 9, "make_split": 3},
        **{"pack_images": 1, "pack_out_of_distribution": 1, "build_word_vectors": 1},
        "extract_features_on_gpu": 2,
        # Three pairings on three splits, and two splits on which their texts are classified.
        **{"read_text_bank": 1, "encode_text_bank_on_gpu": 1, "pair_texts": 3 * 3},
        "train_text_classifier": 2 * 3 * 3,
        "train_on_gpu": 2 * 3 * len(networks) + 6,
        "train_on_cpu": 2 * 6 + 2,
        "predict": 2 * (sum(SEEDS.values()) - 2) + priced,
        "predict_untrained": 2 * 2,
        "probe_inputs": 2 * (len(SEEDS) - 3),
        "time_system": len(SEEDS),
    }
    assert len(measured_jobs(plan_with())) == sum(jobs.values())


def test_networks_are_trained_where_the_device_says_and_all_else_on_the_cpu() -> None:
    on_gpu, on_cpu = plan_with(), plan_with("device: cpu")
    networks = {name for name, seeds in SEEDS.items() if seeds > 1}
    assert {*networks} < {*on_gpu.trained_on("cuda")}
    assert not {"tfidf_logistic", "clip_linear_probe"} & {*on_gpu.trained_on("cuda")}
    # The rates of the search are trained by the same rules.
    assert {"pairdx_clip_lr1e-05"} < {*on_gpu.trained_on("cuda")}
    assert on_cpu.trained_on("cuda") == []
    assert {*networks, "majority"} < {*on_cpu.trained_on("cpu")}
    assert on_gpu.encoders("cuda") == on_cpu.encoders("cpu") == ["biomedclip", "clip_vit_b32"]
    assert on_gpu.encoders("cpu") == on_cpu.encoders("cuda") == []


def test_a_cluster_is_asked_for_a_gpu_where_something_runs_on_one() -> None:
    encoded = ["extract_features_on_gpu", "encode_text_bank_on_gpu"]
    assert requests.gpu_rules(plan_with()) == ["train_on_gpu", *encoded]
    assert requests.jobs_of_check(plan_with()) == ["cpu", "gpu"]
    encoding = [name for name in SEEDS if name.endswith("probe") or name.startswith("privileged")]
    off = {name: {"enabled": False} for name in encoding}
    nothing_encoded = plan_with(yaml.safe_dump({"systems": off}))
    assert requests.gpu_rules(nothing_encoded) == ["train_on_gpu"]
    assert requests.gpu_rules(plan_with("device: cpu")) == []
    assert requests.jobs_of_check(plan_with("device: cpu")) == ["cpu"]


class Asking:
    """A rule of Snakemake's, as far as it is asked what it asks for."""

    def __init__(self, name: str, system: str, retries: int = 0, **resources: Any) -> None:
        self.name, self.restart_times, self.resources = name, retries, resources
        self.wildcard_constraints = {"system": system}

    def expand_resources(self, wildcards: Of, _: list, attempt: int) -> dict[str, Any]:
        """Return what one attempt asks for."""
        found = {key: each(wildcards, attempt) for key, each in self.resources.items()}
        return {**found, "_cores": 4}


def test_requests_are_those_of_the_system_that_takes_most_gpus_at_every_attempt() -> None:
    plan = plan_with("systems: {pairdx_fusion: {settings: {gpus: 4}}}")
    asked = requests.requests_of_rules(
        plan,
        [
            Asking(
                *("train_on_gpu", "a|b", 1),
                runtime=lambda _, attempt: 180 * attempt,
                gpu=lambda wildcards, _: plan.gpus(wildcards),
            ),
            Asking("train_on_cpu", "(?!)", runtime=lambda _, attempt: attempt),  # of no system
            Asking("all", "a"),  # no job
        ],
        lambda names: Of(**names),
    )
    assert list(asked) == ["train_on_gpu"]
    assert [one["runtime"] for one in asked["train_on_gpu"]] == [180, 360]
    assert {one["gpu"] for one in asked["train_on_gpu"]} == {4}


# ---------------------------------------------------------------- the registry
def test_a_new_entry_of_the_registry_appears_everywhere_without_another_edit() -> None:
    entry = DEFAULTS["systems"]["majority"] | {"title": "One more"}
    plan = demo_with(yaml.safe_dump({"systems": {"one_more": entry}}))
    cell = Cell("drawn", "grouped", "one_more", 1)
    assert cell in plan.cells
    assert {"rule": "train_on_cpu", "wildcards": cell._asdict()} in measured_jobs(plan)
    assert "<results>/tables/per_class_drawn_grouped_one_more.csv" in listed(plan)
    compared = plan.files.in_dataset("out_of_distribution.parquet")(Of(dataset="drawn"))
    assert "<results>/drawn/grouped/one_more/seed1/out_of_distribution.parquet" in compared
    assert plan.shown()["one_more"]["title"] == "One more"


def test_a_system_like_another_is_one_line() -> None:
    plan = plan_with("systems: {mine: {like: image_only, title: Mine, settings: {epochs: 3}}}")
    assert plan.systems["mine"].settings["epochs"] == 3
    assert plan.systems["mine"].reads == ["image"]
    assert len([cell for cell in plan.cells if cell.system == "mine"]) == 2 * 3


def test_ways_to_fuse_that_are_off_are_one_switch_away_in_the_demo_too() -> None:
    names = ["pairdx_fusion_gated", "pairdx_fusion_cross_attention"]
    overlay = yaml.safe_dump({"systems": {name: {"enabled": True} for name in names}})
    assert not {*names} & {system.name for system in demo_with().enabled}
    assert {*names} < {system.name for system in demo_with(overlay).enabled}
    assert {*names} < {system.name for system in plan_with(overlay).enabled}


def test_untrained_systems_alone_are_compared_and_nothing_is_trained() -> None:
    trained = [name for name in SEEDS if not name.endswith("zero_shot")]
    off = yaml.safe_dump({"systems": {name: {"enabled": False} for name in trained}})
    plan = plan_with(off)
    jobs = {rule for rule, each in measured_wildcards(plan).items() if each}
    assert not {"train_on_gpu", "train_on_cpu", "predict", "build_word_vectors"} & jobs
    assert "<results>/tables/comparison.csv" in listed(plan)


# ---------------------------------------------------------------- datasets
def test_two_datasets_have_cells_tables_and_corpora_of_their_own_and_one_comparison() -> None:
    plan = demo_with(TWO)
    assert list(plan.datasets) == ["drawn", "drawn_2"]
    both = [[cell[1:] for cell in plan.cells_of(name)] for name in plan.datasets]
    assert both[0] == both[1]
    assert plan.drawings() == [{"drawing": "seed1_cases360"}, {"drawing": "seed2_cases360"}]
    labels = [plan.labels(Of(dataset=name)) for name in plan.datasets]
    assert labels[1] == [label for label in labels[0] if label != "chart"]
    tables = {path for path in listed(plan) if path.endswith(".csv")}
    across = {path for path in tables if "drawn" not in path}
    first = {path for path in tables if "drawn" in path and "drawn_2" not in path}
    assert "<results>/tables/comparison.csv" in across
    assert {path.replace("drawn", "drawn_2") for path in first} == tables - across - first
    compared = plan.files.of_cells("predictions.parquet")
    assert len(compared) == len(plan.cells) == 2 * len(both[0])
    # The paper's numbers stand beside the first of its datasets, once.
    assert plan.published.dataset == "drawn"
    assert {cell.dataset for cell in plan.published.cells} == {"drawn"}


def asked_of(plan: Plan, dataset: str) -> str:
    """What rules ask about a dataset, system by system, as Snakemake compares parameters."""
    of = Of(dataset=dataset)
    parts: list[Any] = [plan.dataset(of).entry, plan.reader_settings(of), plan.facts.datasheet(of)]
    for system in plan.names_of(of):
        one = Of(dataset=dataset, split="grouped", system=system, seed="1")
        parts += [plan.build_settings(one), plan.files.built_from(one), plan.files.images(one)]
        parts += [plan.questions.input_probe_settings(one), plan.published.stated(one)]
    parts += [plan.questions.text_readers_of(of), plan.questions.own_templates(of)]
    parts.append(facts_of_check(PlansWorld(plan))(of))
    return repr(parts)


def test_a_key_of_one_dataset_is_none_of_the_others() -> None:
    before = demo_with(TWO)
    change = "{min_side_pixels: 40}"
    overlay = f"{TWO}    curation: {{images: {change}}}\n"
    after = demo_with(overlay)
    assert after.of("curation.images")(Of(dataset="drawn_2"))["min_side_pixels"] == 40
    assert asked_of(after, "drawn") == asked_of(before, "drawn")
    assert asked_of(after, "drawn_2") != asked_of(before, "drawn_2")
    assert after.cells == before.cells


def test_a_system_may_name_the_datasets_that_it_runs_on() -> None:
    plan = demo_with(TWO + "systems: {mean_colour: {datasets: [drawn_2]}}")
    assert {cell.dataset for cell in plan.cells if cell.system == "mean_colour"} == {"drawn_2"}
    assert "mean_colour" not in plan.names_of(Of(dataset="drawn"))
    tables = listed(plan)
    assert "<results>/tables/per_class_drawn_2_grouped_mean_colour.csv" in tables
    assert "<results>/tables/per_class_drawn_grouped_mean_colour.csv" not in tables
    assert ("drawn", "mean_colour") not in plan.files.timed()


def test_datasets_with_other_splits_are_described_by_rules_of_their_own() -> None:
    plan = demo_with(TWO + "    splits: [grouped]\n")
    assert outputs.shapes(PlansWorld(plan), "compare_predictions") == [
        ("", ["drawn"]),
        ("_2", ["drawn_2"]),
    ]
    assert "splits lacks one" in reasons(plan)["split_effect_drawn_2"]
    assert "split_effect_drawn" not in reasons(plan)


# ---------------------------------------------------------------- classes
def test_a_class_can_be_dropped_while_systems_that_use_prompts_are_enabled() -> None:
    plan = plan_with("datasets: {multicare: {classes: {chart: null}}}")
    of = Of(dataset="multicare", system="clip_zero_shot")
    assert "chart" not in plan.labels(of)
    assert list(plan.build_settings(of)["class_names"]) == plan.labels(of)
    assert "clip_zero_shot" in plan.names_of(of)


def test_another_name_of_a_class_changes_prompts_and_nothing_else() -> None:
    before = plan_with()
    after = plan_with("datasets: {multicare: {classes: {chart: diagram}}}")
    changed = {
        name
        for name in before.systems
        if before.build_settings(Of(dataset="multicare", system=name))
        != after.build_settings(Of(dataset="multicare", system=name))
    }
    prompted = {name for name, one in before.systems.items() if one.family.PROMPTED}
    assert changed == prompted > {"clip_zero_shot", "pairdx_clip"}
    of = Of(dataset="multicare")
    assert after.labels(of) == before.labels(of)
    keys = ("classes", "out_of_distribution", "modalities", "balance")
    assert after.curated_by(*keys)(of) == before.curated_by(*keys)(of)


# ---------------------------------------------------------------- the paper
def test_without_a_paper_nothing_of_it_is_there_and_all_else_is() -> None:
    plan, with_paper = demo_with("paper: null"), demo_with()
    assert plan.paper is None
    assert (plan.published.dataset, plan.published.cells, plan.published.files) == (None, [], [])
    assert plan.published.facts == plan.published.titles("describe_dataset")(Of()) == {}
    one = Of(dataset="drawn", split="stratified", system="pairdx_clip")
    assert plan.published.stated(one) is None
    assert with_paper.published.stated(one)["accuracy"]["value"] == 0.93
    left_out = {path.rsplit("/", 1)[1] for path in listed(with_paper) - listed(plan)}
    assert left_out == {f"discrepancies.{suffix}" for suffix in ("csv", "md", "tex")}
    assert reasons(plan)["discrepancies"].endswith("config key paper is null")
    assert plan.cells == with_paper.cells


def test_the_paper_stands_beside_its_own_systems_on_its_split_alone() -> None:
    cells = plan_with().published.cells
    # Two zero-shot systems; PairDxCLIP in both readings of its objective, and PairDxFusion.
    assert len(cells) == 1 + 1 + 3 + 3 + 3
    assert {cell.split for cell in cells} == {"stratified"}
    assert {"pairdx_clip", "pairdx_clip_prompts"} < {cell.system for cell in cells}
    assert not any("probe" in cell.system or "tfidf" in cell.system for cell in cells)
    assert plan_with("datasets: {multicare: {splits: [grouped]}}").published.cells == []
    off = plan_with("systems: {pairdx_clip: {enabled: false}}").published.cells
    assert len(off) == len(cells) - 3


def test_what_others_have_filtered_is_not_compared_with_the_papers_filters() -> None:
    overlay = "datasets: {multicare: {enabled: false}, release: {enabled: true}}"
    plan = plan_with(overlay)
    assert plan.published.dataset == "release"
    assert plan.published.facts["release"]["configured"] == {"word_vectors": 300}
    assert plan_with().published.facts["multicare"]["configured"]["minimum_age"] == 18


# ---------------------------------------------------------------- the picture of the rules
@pytest.mark.parametrize(
    ("overlay", "redrawn"),
    [
        # Numbers, texts, names.
        (
            "{timing: {images: 30}, evaluation: {bootstrap_seed: 2}, seeds: [1, 2], run: other}",
            False,
        ),
        ("systems: {mean_colour: {title: Another}, text_only: {title: Third}}", False),
        ("datasets: {drawn: {curation: {min_age: 21}, source: {seed: 2}, subset: 1000}}", False),
        ("datasets: {drawn: {classes: {chart: diagram}, title: Other}}", False),
        ("explanations: {per_class: 0}", True),
        ("device: cuda", True),
        ("input_probes: {systems: []}", True),
        ("word_vectors: {source: glove}", True),
        ("datasets: {drawn: {splits: [grouped]}}", True),
        ("systems: {early_fusion_probe: {enabled: true}}", True),
        ("paper: null", True),
    ],
)
def test_the_picture_of_the_rules_is_drawn_anew_where_they_change_and_nowhere_else(
    overlay: str, *, redrawn: bool
) -> None:
    same = decides_the_graph(demo_with()) == decides_the_graph(demo_with(overlay))
    assert same is not redrawn


# ---------------------------------------------------------------- the configuration that is kept
@pytest.mark.parametrize(
    "overlay",
    [
        {},
        OVERLAY_OF_DEMO,
        merged(OVERLAY_OF_DEMO, yaml.safe_load(TWO)),
        pytest.param(
            {
                "datasets": {
                    "multicare": {"classes": {"chart": None}, "class_words": {"chart": None}}
                }
            },
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"datasets": {"multicare": {"curation": {"modalities": {"dermatology": None}}}}},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"datasets": {"multicare": {"curation": {"modalities": None}}}}, marks=pytest.mark.slow
        ),
        pytest.param({"datasets": {"release": None, "drawn": None}}, marks=pytest.mark.slow),
        pytest.param(
            {"systems": {"image_only": None, "mine": {"like": "majority", "title": "Mine"}}},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"systems": {f"{name}_2": {"like": name, "title": name} for name in SEEDS}},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"paper": None, "learning_rate_search": None, "seeds": [7]}, marks=pytest.mark.slow
        ),
    ],
)
def test_the_configuration_that_is_written_beside_results_gives_them_again(
    overlay: dict[str, Any],
) -> None:
    """To the letter, because Snakemake compares parameters as they are written."""
    plan, _ = plan_of(overlay, REPOSITORY, [])
    written = yaml.safe_load(
        yaml.safe_dump(as_overlay(defaults(REPOSITORY), plan.config), sort_keys=False)
    )
    again, _ = plan_of(written, REPOSITORY, [])
    assert repr(again.config) == repr(plan.config)
    assert again.cells == plan.cells
    assert listed(again) == listed(plan)


# ---------------------------------------------------------------- code
PACKS = "pack_images.py"


def code_files(plan: Plan, of: Of) -> dict[str, set[str]]:
    """The files that the jobs of every rule about one system depend on, by rule."""
    modules = {
        "train_model.py": plan.modules.family,
        "predict.py": plan.modules.predicting,
        "predict_elsewhere.py": plan.modules.predicting_elsewhere,
        "probe_inputs.py": plan.modules.family,
        "time_system.py": plan.modules.timing,
    }
    return {
        script: {path.relative_to(code.SCRIPTS).as_posix() for path in code.files(script, found)}
        for script, found in ((name, tuple(each(of))) for name, each in modules.items())
    }


def test_jobs_depend_on_the_code_of_their_own_systems_family_and_of_no_other() -> None:
    plan = plan_with()
    for name, system in plan.systems.items():
        used = code_files(plan, Of(dataset="multicare", system=name))
        for family in ("clip", "fusion", "linear"):
            file, own = f"pairdx/models/{family}/system.py", system.entry["family"] == family
            assert {script: file in files for script, files in used.items()} == dict.fromkeys(
                used, own
            ), name


def test_another_reader_of_images_trains_no_network_anew() -> None:
    """What a network is trained on is packed, whatever it was read from."""
    plan = plan_with()
    readers = {f"pairdx/{name}.py" for name in ("packing", "stores", "hdf5_images")}
    for name, system in plan.systems.items():
        if system.entry["family"] in ("clip", "fusion", "clip_it"):
            trained = code_files(plan, Of(dataset="multicare", system=name))["train_model.py"]
            assert not readers & trained, name
    assert readers <= {path.relative_to(code.SCRIPTS).as_posix() for path in code.files(PACKS)}


def test_other_scripts_depend_on_no_family() -> None:
    scripts = [path.name for path in code.SCRIPTS.glob("*.py")]
    assert len(scripts) > 35
    for script in scripts:
        files = {path.parent.name for path in code.files(script) if path.name == "system.py"}
        assert files == set(), script


def test_another_docstring_in_the_exceptions_file_reruns_nothing() -> None:
    """Nearly every job depends on that file."""
    path = code.SCRIPTS / "pairdx/errors.py"
    text = path.read_text(encoding="utf-8")
    reworded = text.replace("The one exception that a user", "What a user").replace(
        "what: What is wrong, in one sentence.", "what: One sentence."
    )
    assert reworded != text
    assert bare(reworded) == bare(text)
    assert bare(reworded.replace("where: {where}", "at: {where}")) != bare(text)
    scripts = [path.name for path in code.SCRIPTS.glob("*.py")]
    depending = [script for script in scripts if path in code.files(script)]
    assert len(depending) > 30


def test_rules_name_what_their_scripts_import_by_name() -> None:
    """What is not named is not in the digest, and its edits would go unnoticed."""
    for rule in all_rules():
        predicting = ("train_model", "predict", "predict_elsewhere", "probe_inputs")
        for script in (*predicting, "time_system", "explain_systems"):
            if f'code_of("{script}.py"' in rule.body:
                assert f'code_of("{script}.py", plan.modules.' in rule.body, rule.name
