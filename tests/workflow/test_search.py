"""The learning-rate search: a target of its own, which leaves every other plan as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import DEMO, REPOSITORY, Workflow, overlay_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text(encoding="utf-8"))
SEARCH = CONFIG["learning_rate_search"]


def outputs_of(rule: str, plan: str) -> list[str]:
    return re.findall(rf"rule {rule}:\n(?:    .*\n)*?    output: (.*)\n", plan)


def jobs(plan: str) -> list[tuple[str, str, str]]:
    """Rule, inputs and outputs of every planned job."""
    return sorted(re.findall(r"rule (\w+):\n(?:    input: (.*)\n)?    output: (.*)\n", plan))


def test_the_target_trains_once_per_rate_and_reads_nothing_of_the_test_pairs(
    fresh: Workflow,
) -> None:
    plan = fresh.snakemake("learning_rate_search", "-n")
    trained = outputs_of("train_on_gpu", plan)
    assert len(trained) == len(SEARCH["learning_rates"])
    for name in ("1e-06", "3e-06", "1e-05", "3e-05"):
        folder = f"results/pairdx/stratified/pairdx_clip_lr{name}/seed1/"
        assert any(f"{folder}training.csv" in files for files in trained), name
    assert "resources/weights/clip_vit_b32_openai/" in plan
    rules = {rule for rule, _, _ in jobs(plan)}
    assert not rules & {"predict", "report_system", "compare_systems", "time_model"}
    (chosen,) = (files for rule, files, _ in jobs(plan) if rule == "choose_learning_rate")
    data = [file for file in chosen.split(", ") if not file.startswith("workflow/")]
    assert {Path(file).name for file in data} == {"training.csv"}


def test_every_other_target_is_planned_as_if_there_were_no_search(
    fresh: Workflow, tmp_path: Path, all_of_demo: str
) -> None:
    """Not one job, input or output of `all` differs, and no other rate makes a difference."""
    plans = [jobs(all_of_demo)]
    for number, search in enumerate([None, SEARCH | {"learning_rates": [0.5, 0.25]}]):
        (tmp_path / str(number)).mkdir()
        file = overlay_file(tmp_path / str(number), learning_rate_search=search)
        plans.append(jobs(fresh.snakemake("all", "-n", *DEMO, file)))
    assert len(plans[0]) > 60
    assert plans[0] == plans[1] == plans[2]
    assert not any("_lr" in outputs for _, _, outputs in plans[0])


@pytest.mark.parametrize("model", ["pairdx_clip_prompts", "pairdx_fusion"])
def test_any_trainable_network_can_be_searched_enabled_or_not(
    fresh: Workflow, tmp_path: Path, model: str
) -> None:
    search = {"model": model, "learning_rates": [1.5e-4, 1.0e-3], "split": "grouped"}
    file = overlay_file(tmp_path, learning_rate_search=search, device="cpu")
    plan = fresh.snakemake("learning_rate_search", "-n", "--configfile", file)
    trained = outputs_of("train_on_cpu", plan)
    assert len(trained) == 2
    for name in ("0.00015", "0.001"):
        assert any(f"/grouped/{model}_lr{name}/seed1/" in files for files in trained), name


def test_without_a_split_the_first_one_is_searched(fresh: Workflow, tmp_path: Path) -> None:
    """A comparison on one split only is no contradiction to a search that nobody asked for."""
    file = overlay_file(tmp_path, splits=["grouped"])
    plan = fresh.snakemake("learning_rate_search", "-n", "--configfile", file)
    assert "results/pairdx/grouped/pairdx_clip_lr1e-05/seed1/" in plan


@pytest.mark.parametrize(
    ("search", "named"),
    [
        ({"model": "pairdx_klip"}, "learning_rate_search.model: pairdx_klip is no system"),
        ({"model": "clip_zero_shot"}, "clip_zero_shot is not a trainable network"),
        ({"model": "tfidf_logistic"}, "tfidf_logistic is not a trainable network"),
        ({"split": "published"}, "learning_rate_search.split: published is not among splits"),
        ({"split": "random"}, "learning_rate_search.split"),
        ({"learning_rates": [1.0e-5, 0.00001]}, "learning_rate_search.learning_rates"),
        ({"learning_rates": []}, "learning_rate_search.learning_rates"),
        ({"learning_rates": [0.0]}, "learning_rate_search.learning_rates.0"),
        ({"learning_rates": ["1e-5"]}, "write 1.0e-5"),
        ({"rates": [1.0e-5]}, "unknown rates"),
    ],
)
def test_a_wrong_search_stops_before_the_dag_and_names_the_key(
    fresh: Workflow, tmp_path: Path, search: dict[str, Any], named: str
) -> None:
    file = overlay_file(tmp_path, learning_rate_search=search)
    fresh.refuses(named, "--configfile", file)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"learning_rate_search": None}, "learning_rate_search is null"),
        (
            {"models": {"pairdx_clip": {"enabled": False, "settings": {"weights": "nowhere"}}}},
            "models.pairdx_clip.settings.weights",
        ),
    ],
)
def test_what_only_the_search_needs_is_an_error_of_the_search_alone(
    fresh: Workflow, tmp_path: Path, content: dict[str, Any], named: str
) -> None:
    file = overlay_file(tmp_path, **content)
    output = fresh.snakemake("learning_rate_search", "-n", "--configfile", file, check=False)
    assert named in output
    assert "Job stats" not in output
    assert fresh.plan("all", "--configfile", file)["compare_systems"] == 1
