"""What Snakemake plans to do, in a fresh copy with nothing downloaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.planning import local_rules
from plans import DEFAULTS
from site_troubles import full

from .conftest import DEMO, REPOSITORY, Workflow, copy_of_workflow, overlay_file, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

# The demo's corpus once more under another seed, without one of its classes.
DRAWN_AGAIN = {
    "like": "drawn",
    "enabled": True,
    "title": "Drawn again",
    "source": {"seed": 2},
    "classes": {"chart": None},
}


def inputs_of(rule: str, output: str) -> list[str]:
    """The inputs of a rule's only planned job."""
    (inputs,) = re.findall(rf"rule {rule}:\n\s+input: (.*)\n", output)
    return inputs.split(", ")


def test_the_papers_configuration_shows_the_complete_plan(fresh: Workflow) -> None:
    """How many trainings and predictions: tests/unit/test_plan.py."""
    output = fresh.snakemake("-n")  # plain `snakemake` makes everything
    plan = read_plan(output)
    archives = len(DEFAULTS["datasets"]["multicare"]["source"]["archives"])
    assert plan["download_record"] == archives + 3
    assert plan["download_weights"] == plan["download_glove"] == 1
    biomedclip = DEFAULTS["downloads"]["weights"]["biomedclip"]
    hub_files = 1 + len(biomedclip["files"]) + len(biomedclip["text_tower"]["files"])
    assert plan["download_hub_weights"] == hub_files
    assert plan["inspect_archive"] == archives
    assert (plan["train_on_gpu"], plan["train_on_cpu"]) == (66, 14)
    assert (plan["predict"], plan["predict_untrained"], plan["probe_inputs"]) == (80, 4, 30)
    reports = [plan[rule] for rule in plan if rule.startswith("report_")]
    assert sum(reports) == plan["time_system"] * 2 == 36  # one job for all seeds
    once = ("compare_systems", "describe_cost", "explain_systems", "write_configuration")
    assert {plan[rule] for rule in (*once, "compare_predictions", "list_discrepancies")} == {1}
    assert "draw_corpus" not in plan
    checks = {name: plan[name] for name in plan if name.startswith("check_")}
    assert checks == {"check_documents_of_dataset": 1}
    assert sum(plan.values()) == 338
    assert not (fresh.folder / "results").exists()
    # What the paper says is set beside its own systems on its own split.
    read = inputs_of("list_discrepancies", output)
    assert "config/papers/pairdx.yaml" in read
    assert {path.split("/")[3] for path in read if "/seed" in path} == {"stratified"}
    # Features come from pretrained weights, and tokenisers are no weights.
    assert not [path for path in inputs_of("describe_texts", output) if path.endswith(".bin")]
    extracted = re.findall(r"rule extract_features_on_gpu:\n\s+input: (.*)", output)
    assert all("resources/weights/" in inputs for inputs in extracted)


def test_a_full_folder_of_temporary_files_stops_snakemake_with_one_sentence(
    fresh: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a node too: there, every job's Snakemake reads the same file."""
    with full(tmp_path) as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        fresh.refuses(f"where: {folder}", *DEMO)


def test_files_on_disk_replace_downloads(fresh: Workflow, tmp_path: Path) -> None:
    weights = {"resnet18": "r.pth", "clip_vit_b32_openai": "c.safetensors", "biomedclip": "bio"}
    overlay = overlay_file(
        tmp_path,
        datasets={"multicare": {"source": {"path": "/data/multicare"}}},
        downloads={
            "glove": {"path": "/data/glove.txt"},
            "weights": {name: {"path": f"/data/{path}"} for name, path in weights.items()},
        },
    )
    output = fresh.snakemake("all", "-n", "--configfile", overlay, check=False)
    missing = re.search(r"affected files:\s*((?:.+\n)+?)\s*(?:\n|$)", output)
    assert missing, output[-2000:]
    assert all(line.strip().startswith("/data/") for line in missing[1].splitlines())
    assert "download_" not in output


def test_a_users_own_file_never_becomes_an_output(fresh: Workflow, tmp_path: Path) -> None:
    """Snakemake deletes outputs before a job: a folder with one missing file must stay whole."""
    for name in DEFAULTS["downloads"]["weights"]["biomedclip"]["files"]:
        (tmp_path / name).write_text("kept", encoding="utf-8")
    setting = f"downloads={{weights: {{biomedclip: {{path: {tmp_path}}}}}}}"
    target = "results/pairdx/multicare/stratified/biomedclip_zero_shot/seed1/settings.json"
    output = fresh.snakemake(target, "-n", "--config", setting, check=False)
    assert "MissingInputException" in output
    assert f"{tmp_path}/config.json" in output


def test_two_datasets_have_jobs_of_their_own_and_one_comparison(
    fresh: Workflow, tmp_path: Path, all_of_demo: str
) -> None:
    overlay = overlay_file(tmp_path, datasets={"drawn_2": DRAWN_AGAIN})
    plan, one = fresh.plan("all", *DEMO, overlay), read_plan(all_of_demo)
    across = {"all", "compare_systems", "describe_cost", "draw_rule_graph", "list_discrepancies"}
    across |= {"write_configuration", "compare_grids"}
    assert {rule: plan[rule] for rule in across} == dict.fromkeys(across, 1)
    twice = {rule: 2 * one[rule] for rule in one if rule not in across}
    # Images of the class that the other dataset drops are of no class here: none is a pair more.
    assert {rule: plan[rule] for rule in plan if rule not in across} == twice


def test_editing_a_dataset_makes_no_job_of_another_out_of_date(tmp_path: Path) -> None:
    """Both are curated and split for real; then a key of one of them changes."""
    workflow = copy_of_workflow(tmp_path)
    small = {"source": {"cases": 60, "archives": ["PMC1"]}, "curation": {"balance": {"total": 90}}}
    again = {**DRAWN_AGAIN, "source": {"seed": 2}}
    overlay = overlay_file(tmp_path, datasets={"drawn": small, "drawn_2": again})
    workflow.snakemake("splits", *DEMO, overlay)
    assert workflow.plan("splits", *DEMO, overlay) == {}
    again["curation"] = {"images": {"min_side_pixels": 40}}
    overlay = overlay_file(tmp_path, datasets={"drawn": small, "drawn_2": again})
    output = workflow.snakemake("splits", "-n", *DEMO, overlay)
    assert read_plan(output) == {
        **{"splits": 1, "inspect_archive": 1, "curate_pairs": 1, "make_split": 2},
    }
    about = re.findall(r"wildcards: .*?dataset=(\w+)", output)
    assert set(about) == {"drawn_2"}


def test_without_a_paper_its_targets_say_so_and_all_else_is_planned(
    fresh: Workflow, tmp_path: Path, all_of_demo: str
) -> None:
    overlay = overlay_file(tmp_path, paper=None)
    plan = read_plan(all_of_demo)
    assert fresh.plan("all", *DEMO, overlay) == {
        rule: jobs for rule, jobs in plan.items() if rule != "list_discrepancies"
    }
    for target in ("discrepancies", "paper_table_8"):
        output = fresh.snakemake(target, "-n", *DEMO, overlay, check=False)
        assert "there is no paper to compare with: config key paper is null" in output


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


@pytest.mark.parametrize(
    ("target", "overlay", "said"),
    [
        (
            "paper_table_6",
            {"systems": {"pairdx_clip": {"enabled": False}}},
            "systems.pairdx_clip is not enabled",
        ),
        (
            "leakage_price",
            {"datasets": {"multicare": {"splits": ["stratified"]}}},
            "the price of leakage needs the split grouped",
        ),
        (
            "results/pairdx/tables/prompt_sensitivity_multicare.csv",
            {"prompt_sensitivity": {"templates": []}},
            "no prompts are varied",
        ),
        (
            "learning_rate_search",
            {"learning_rate_search": None},
            "config key learning_rate_search is null",
        ),
    ],
)
def test_who_asks_for_what_is_left_out_is_told_which_key_decides_it(
    fresh: Workflow, tmp_path: Path, target: str, overlay: dict[str, Any], said: str
) -> None:
    file = overlay_file(tmp_path, **overlay)
    output = fresh.snakemake(target, "-n", "--configfile", file, check=False)
    assert said in output
    assert "Job stats" not in output


def test_a_config_error_stops_before_the_dag_and_names_the_key(fresh: Workflow) -> None:
    """What is refused: tests/unit/test_plan_refusals.py and the files that it names."""
    fresh.refuses("unknown seedz; did you mean seeds?", "--config", "seedz=[1]")


def test_every_rule_that_a_profile_names_exists(fresh: Workflow) -> None:
    listed = fresh.snakemake("--list-rules", "--quiet", "all").splitlines()
    rules = {line.split()[0] for line in listed if line}
    # The paper's items say what they are, too.
    assert any(line.split()[0] == "paper_table_8" and "Table 8" in line for line in listed if line)
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
    on_gpu = {"train_on_gpu", "extract_features_on_gpu", "encode_text_bank_on_gpu"}
    assert {rule for rule, _ in asked} > on_gpu
    for rule, request in asked:
        gpus = [request.get(key) for key in ("gpu", "gpu_model", "slurm_partition")]
        assert gpus == (["1", "a100", "a100"] if rule in on_gpu else [None, None, "cpu"]), rule
        assert ("mem_mb" in request) or ("runtime" not in request), rule
    local = {rule for rule, request in asked if "runtime" not in request}
    assert local - {"dataset", "review_sheet", "learning_rate_search"} <= local_rules()
