"""The workflow used from elsewhere: another working directory, another Snakefile (as a module)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import DEMO, Workflow, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

MADE = {"results", "logs", "benchmarks", "resources", "state"}
MODULE = """
configfile: "mine.yaml"

rule own:
    output: "own/{{name}}.txt"
    resources: runtime=lambda wildcards: len(wildcards.name)
    shell: "echo {{wildcards.name}} > {{output}}"

module pairdx:
    snakefile: "{snakefile}"
    {options}

use rule * from pairdx {renamed}
"""


def profile(workflow: Workflow) -> tuple[str, str]:
    return "--profile", str(workflow.folder / "profiles/local")


def from_elsewhere(workflow: Workflow) -> tuple[str, ...]:
    """What names the workflow and its demo to a Snakemake that runs in another folder."""
    demo = str(workflow.folder / "config/demo.yaml")
    snakefile = str(workflow.folder / "Snakefile")
    return ("-s", snakefile, *profile(workflow), "--configfile", demo)


def use_as_module(
    workflow: Workflow,
    folder: Path,
    *,
    options: str = 'config: config["pairdx"]',
    renamed: str = "",
) -> Workflow:
    """A user's Snakefile in a folder of its own, with the demo's overlay and one key besides."""
    snakefile = workflow.folder / "Snakefile"
    text = MODULE.format(snakefile=snakefile, options=options, renamed=renamed)
    (folder / "Snakefile").write_text(text, encoding="utf-8")
    overlay = (workflow.folder / "config/demo.yaml").read_text(encoding="utf-8")
    content = {"mine": "a key of the user's own", "pairdx": yaml.safe_load(overlay)}
    (folder / "mine.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return Workflow(folder)


def made(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def look_at_this_machine(elsewhere: Workflow, *arguments: str, target: str) -> None:
    """Run a job of a second that reads the workflow's own files: the cluster check's first."""
    plan = elsewhere.snakemake(target, "-n", *arguments)
    facts = re.search(r"results/demo/cluster_check/\S+/login.json", plan)
    assert facts
    elsewhere.snakemake(facts[0], *arguments)


def test_a_snakefile_in_another_folder(fresh: Workflow, tmp_path: Path, all_of_demo: str) -> None:
    elsewhere = Workflow(tmp_path)
    assert elsewhere.plan("all", *from_elsewhere(fresh)) == read_plan(all_of_demo)
    look_at_this_machine(elsewhere, *from_elsewhere(fresh), target="cluster_check")
    assert made(tmp_path) == MADE


def test_another_working_directory(fresh: Workflow, tmp_path: Path, all_of_demo: str) -> None:
    there = ("--directory", str(tmp_path / "there"))
    assert fresh.plan("all", *DEMO, *there) == read_plan(all_of_demo)
    before = made(fresh.folder)
    look_at_this_machine(fresh, *DEMO, *there, target="cluster_check")
    assert made(tmp_path / "there") == MADE
    assert made(fresh.folder) == before


def test_a_module_whose_rules_keep_their_names(
    fresh: Workflow, tmp_path: Path, all_of_demo: str
) -> None:
    """Defaults are filled in, the profile's lines for rules hold, and the user's own rule works."""
    using = use_as_module(fresh, tmp_path)
    plan = using.snakemake("all", "-n", *profile(fresh))
    assert read_plan(plan) == read_plan(all_of_demo)
    timing = re.search(r"rule time_system:[\s\S]*? resources: (.*)", plan)
    assert timing
    assert "quiet=1000" in timing[1]
    assert using.plan("own/text.txt", *profile(fresh)) == {"own": 1}
    look_at_this_machine(using, *profile(fresh), target="cluster_check")


def test_a_module_under_another_name_and_prefix(
    fresh: Workflow, tmp_path: Path, all_of_demo: str
) -> None:
    options = 'prefix: "images"\n    config: config["pairdx"]'
    using = use_as_module(fresh, tmp_path, options=options, renamed="as pairdx_*")
    plan = using.snakemake("pairdx_all", "-n", *profile(fresh))
    assert read_plan(plan) == {f"pairdx_{k}": n for k, n in read_plan(all_of_demo).items()}
    assert not re.search(r"(?<![\w/])(?:results|logs|benchmarks|resources)/", plan)
    figure = "images/results/demo/figures/rule_graph.svg"
    using.snakemake(figure, *profile(fresh))
    using.snakemake(figure, "--report", "report.html", *profile(fresh))  # its captions and style
    assert (tmp_path / "report.html").is_file()
    assert "ingest_tables" in (tmp_path / "images/results/demo/figures/rule_graph.svg").read_text(
        encoding="utf-8"
    )


def test_a_module_without_a_configuration_takes_that_of_the_command_line(
    fresh: Workflow, tmp_path: Path, all_of_demo: str
) -> None:
    using = use_as_module(fresh, tmp_path, options="")
    overlay = ("--configfile", str(fresh.folder / "config/demo.yaml"))
    (tmp_path / "mine.yaml").write_text("mine: 1", encoding="utf-8")
    assert using.plan("all", *profile(fresh), *overlay) == read_plan(all_of_demo)


def test_keys_of_others_in_a_modules_configuration_are_named_with_the_remedy(
    fresh: Workflow, tmp_path: Path
) -> None:
    using = use_as_module(fresh, tmp_path, options="config: config")
    output = using.snakemake("all", "-n", check=False)
    assert "unknown mine, pairdx" in output
    assert 'config: config["pairdx"]' in output
