"""What Snakemake plans to do, in a fresh copy with nothing downloaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from benchmarks.planning import local_rules
from site_troubles import full

from .conftest import DEMO, REPOSITORY, Workflow, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text(encoding="utf-8"))
MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text(encoding="utf-8"))["models"]
ENABLED = {name: entry for name, entry in MODELS.items() if entry["enabled"]}


def test_the_papers_configuration_shows_the_complete_plan(fresh: Workflow) -> None:
    plan = fresh.plan()  # plain `snakemake` makes everything
    splits, seeds = len(CONFIG["splits"]), len(CONFIG["seeds"])
    runs = sum(seeds if entry["random"] else 1 for entry in ENABLED.values()) * splits
    on_gpu = [name for name, one in ENABLED.items() if one["trained"] and one["network"]]
    # Those whose price of leakage is asked for are trained once more, with siblings of test pairs.
    priced = [name for name in CONFIG["leakage_price"]["systems"] if name in ENABLED]
    more = {name: seeds if ENABLED[name]["random"] else 1 for name in priced}
    assert {"pairdx_clip", "pairdx_fusion"} <= set(more)
    assert plan["download_multicare"] == len(CONFIG["multicare"]["archives"]) + 3
    assert plan["download_weights"] == plan["download_glove"] == 1
    biomedclip = CONFIG["downloads"]["weights"]["biomedclip"]
    hub_files = 1 + len(biomedclip["files"]) + len(biomedclip["text_tower"]["files"])
    assert plan["download_hub_weights"] == hub_files
    assert plan["inspect_archive"] == len(CONFIG["multicare"]["archives"])
    more_on_gpu = sum(number for name, number in more.items() if name in on_gpu)
    assert plan["train_on_gpu"] == len(on_gpu) * splits * seeds + more_on_gpu
    assert plan["predict"] + plan["predict_untrained"] == runs + sum(more.values())
    reports = [plan[rule] for rule in plan if rule.startswith("report_")]
    assert sum(reports) == len(ENABLED) * splits  # one job for all seeds
    assert plan["time_model"] == len(ENABLED)
    assert plan["describe_cost"] == 1
    assert "draw_demo_corpus" not in plan
    assert not [name for name in plan if name.startswith("check_")]
    assert not (fresh.folder / "results").exists()


def test_a_full_folder_of_temporary_files_stops_snakemake_with_one_sentence(
    fresh: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a node too: there, every job's Snakemake reads the same file."""
    with full(tmp_path) as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        fresh.refuses(f"where: {folder}", *DEMO)


def test_files_on_disk_replace_downloads(fresh: Workflow) -> None:
    settings = [
        "multicare={path: /data/multicare}",
        "downloads={glove: {path: /data/glove.txt}, weights: {resnet18: {path: /data/r.pth}, "
        "clip_vit_b32_openai: {path: /data/c.safetensors}, biomedclip: {path: /data/biomedclip}}}",
    ]
    output = fresh.snakemake("all", "-n", "--config", *settings, check=False)
    missing = re.search(r"affected files:\s*((?:.+\n)+?)\s*(?:\n|$)", output)
    assert missing, output[-2000:]
    assert all(line.strip().startswith("/data/") for line in missing[1].splitlines())
    assert "download_" not in output


def test_a_users_own_file_never_becomes_an_output(fresh: Workflow, tmp_path: Path) -> None:
    """Snakemake deletes outputs before a job: a folder with one missing file must stay whole."""
    for name in CONFIG["downloads"]["weights"]["biomedclip"]["files"]:
        (tmp_path / name).write_text("kept", encoding="utf-8")
    setting = f"downloads={{weights: {{biomedclip: {{path: {tmp_path}}}}}}}"
    target = "results/pairdx/stratified/biomedclip_zero_shot/seed1/settings.json"
    output = fresh.snakemake(target, "-n", "--config", setting, check=False)
    assert "MissingInputException" in output
    assert f"{tmp_path}/config.json" in output


def test_a_comparison_of_untrained_systems_alone_can_be_planned(
    fresh: Workflow, tmp_path: Path
) -> None:
    names = [name for name, entry in ENABLED.items() if entry["trained"]]
    overlay = "models: {" + ", ".join(f"{name}: {{enabled: false}}" for name in names) + "}"
    (tmp_path / "untrained.yaml").write_text(overlay, encoding="utf-8")
    plan = fresh.plan("all", "--configfile", str(tmp_path / "untrained.yaml"))
    assert plan["compare_systems"] == 1
    assert not {"train_on_gpu", "train_on_cpu"} & set(plan)


def test_a_cluster_check_is_made_anew_at_each_request_and_needs_no_data(fresh: Workflow) -> None:
    """It asks for a GPU where networks train on one, and is never up to date."""
    jobs = {"check_login_node", "check_cpu_node", "check_gpu_node", "watch_cluster_check"}
    jobs |= {"report_cluster_check", "conclude_cluster_check", "cluster_check"}
    output = fresh.snakemake("cluster_check", "-n")
    assert set(read_plan(output)) == jobs
    assert set(fresh.plan("cluster_check", *DEMO)) == jobs - {"check_gpu_node"}
    report = re.search(r"results/pairdx/cluster_check/[0-9_-]+/report.md", output)
    assert report
    assert report[0] not in fresh.snakemake("cluster_check", "-n")


def test_the_device_decides_where_networks_are_trained(fresh: Workflow) -> None:
    plan = fresh.plan("trained", "--config", "device=cpu")
    assert "train_on_gpu" not in plan
    assert plan["train_on_cpu"] > 0


def test_a_new_registry_entry_appears_without_another_edit(fresh: Workflow, tmp_path: Path) -> None:
    entry = MODELS["majority"] | {"title": "One more"}
    overlay = tmp_path / "more.yaml"
    overlay.write_text(yaml.safe_dump({"models": {"one_more": entry}}), encoding="utf-8")
    output = fresh.snakemake("all", "-n", "--configfile", "config/demo.yaml", str(overlay))
    assert "results/demo/stratified/one_more/seed1/predictions.parquet" in output
    assert "results/demo/tables/per_class_grouped_one_more.csv" in output
    assert "benchmarks/demo/grouped/one_more/seed1/train.tsv" in output


def test_the_table_of_jobs_reads_the_benchmarks_of_exactly_the_jobs_that_run(
    fresh: Workflow, all_of_demo: str
) -> None:
    """And of none that `all` does not run anyway: optional targets are not pulled in."""
    output = fresh.snakemake("results/demo/tables/benchmarks.csv", "-n", *DEMO)
    inputs = re.search(r"rule describe_cost:\s+input: (.*)", output)
    assert inputs
    read = {path for path in inputs[1].split(", ") if path.startswith("benchmarks/")}
    jobs = set(re.findall(r"^    benchmark: (.*)", output, re.M))
    assert read == {path for path in jobs if "/tables/" not in path}
    assert set(read_plan(output)) < set(read_plan(all_of_demo))


def test_jobs_that_no_enabled_system_needs_are_not_run_for_their_cost(
    fresh: Workflow, tmp_path: Path
) -> None:
    names = [name for name, entry in ENABLED.items() if entry["family"] != "linear"]
    overlay = tmp_path / "linear.yaml"
    overlay.write_text(
        yaml.safe_dump({"models": {name: {"enabled": False} for name in names}}), encoding="utf-8"
    )
    plan = fresh.plan("all", "--configfile", "config/demo.yaml", str(overlay))
    assert plan["describe_cost"] == 1
    assert not {"build_word_vectors", "predict_untrained", "explain_systems"} & set(plan)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("seedz=[1]", "seedz"),
        ("curation={min_agee: 18}", "min_agee"),
        ("curation={min_age: eighteen}", "min_age"),
        ("models={pairdx_fusion: {settings: {epoch: 3}}}", "epoch"),
        ("models={pairdx_clip: {settings: {objective: contrastiv}}}", "objective"),
        ("models={pairdx_clip: {settings: {weights: nowhere}}}", "nowhere"),
        ("split={fractions: {train: 0.9}}", "split.fractions"),
        ("curation={out_of_distribution: [chart]}", "curation.out_of_distribution"),
        ("models={majority: {paper: nope}}", "models.majority.paper"),
        ("models={pairdx_clip: {settings: {class_names: {ct: CT}}}}", "class_names"),
        ("run=../elsewhere", "run"),
        ("corpus=multicaree", "corpus"),
    ],
)
def test_a_config_error_stops_before_the_dag_and_names_the_key(
    fresh: Workflow, setting: str, named: str
) -> None:
    fresh.refuses(named, "--config", setting)


def test_an_item_of_the_paper_whose_system_is_off_says_so(fresh: Workflow, tmp_path: Path) -> None:
    overlay = tmp_path / "without.yaml"
    overlay.write_text("models: {pairdx_clip: {enabled: false}}", encoding="utf-8")
    output = fresh.snakemake("paper_table_6", "-n", "--configfile", str(overlay), check=False)
    assert "models.pairdx_clip is not enabled" in output


def test_every_rule_that_a_profile_names_exists(fresh: Workflow) -> None:
    rules = set(fresh.snakemake("--list-rules", "--quiet", "all").split())
    for profile in (REPOSITORY / "profiles").glob("*/config*.yaml"):
        settings = yaml.safe_load(profile.read_text(encoding="utf-8"))
        for key in ("set-threads", "set-resources", "groups"):
            named = settings.get(key) or {}
            assert set(named) <= rules, f"{profile}: {key}"


@pytest.fixture(scope="module")
def on_slurm(fresh: Workflow) -> str:
    """The paper's experiment and all that is no part of `all`, planned with profiles/slurm."""
    targets = ["all", "dataset", "review_sheet", "learning_rate_search"]
    return fresh.snakemake(*targets, "-n", "--profile", "profiles/slurm")


def test_every_slurm_job_states_its_time_and_memory_and_only_networks_ask_for_a_gpu(
    on_slurm: str,
) -> None:
    """Jobs without a time are those that stay on the login node, where none may be long."""
    jobs = re.findall(r"^ *rule (\w+):\n(?:(?!\n\n)[\s\S])*? resources: (.*)$", on_slurm, re.M)
    asked = [(rule, dict(re.findall(r"(\w+)=(\w+)", resources))) for rule, resources in jobs]
    on_gpu = {"train_on_gpu", "extract_features_on_gpu"}
    assert {rule for rule, _ in asked} > on_gpu
    for rule, request in asked:
        gpus = [request.get(key) for key in ("gpu", "gpu_model", "slurm_partition")]
        assert gpus == (["1", "a100", "a100"] if rule in on_gpu else [None, None, "cpu"]), rule
        assert ("mem_mb" in request) or ("runtime" not in request), rule
    local = {rule for rule, request in asked if "runtime" not in request}
    assert local - {"dataset", "review_sheet", "learning_rate_search"} <= local_rules()
