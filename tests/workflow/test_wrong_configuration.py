"""Configurations that a job would refuse hours later are refused at the start, key by key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import DEMO, PARTS, REPOSITORY, Workflow, copy_of_workflow, overlay_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]


def test_a_key_that_stands_twice_in_an_overlay_is_an_error(fresh: Workflow, tmp_path: Path) -> None:
    overlay = tmp_path / "twice.yaml"
    overlay.write_text("run: one\nseeds: [3]\nrun: two\n", encoding="utf-8")
    fresh.refuses(
        f"{overlay}, line 3: the key run stands in line 1 already", "--configfile", str(overlay)
    )


def test_a_missing_file_is_named_with_its_key_and_hinders_no_job_that_does_without(
    fresh: Workflow, tmp_path: Path
) -> None:
    corpus = str(tmp_path / "corpus")
    sheet = {"review": {"decisions": "nowhere.csv"}}
    dataset = {"source": {"path": corpus}, "curation": sheet}
    weights = {"resnet18": {"path": "resnet.pth"}}
    overlay = overlay_file(
        tmp_path, datasets={"multicare": dataset}, downloads={"weights": weights}
    )
    output = fresh.snakemake("curated", "-n", "--configfile", overlay, check=False)
    named = [
        "datasets.multicare.curation.review.decisions: nowhere.csv",
        "downloads.weights.resnet18.path: resnet.pth",
    ]
    named.append(f"datasets.multicare.source.path: {corpus}/captions_and_labels.csv and 11 more")
    assert [key for key in named if f"config key {key}" not in output] == []
    assert "MissingInputException" in output
    overlay = overlay_file(tmp_path, downloads={"weights": weights})
    plan = fresh.plan("curated", "--configfile", overlay)
    assert plan["curate_pairs"] == 1


def test_braces_in_the_workflows_own_path_are_named(tmp_path: Path) -> None:
    (tmp_path / "with {braces}").mkdir()
    odd = copy_of_workflow(tmp_path / "with {braces}")
    odd.refuses("Snakemake takes braces in a path for wildcards", *DEMO)


@pytest.mark.parametrize("name", ["a b", "a$b"])
def test_a_python_that_jobs_cannot_be_started_with_is_named(
    fresh: Workflow, tmp_path: Path, name: str
) -> None:
    """An environment below a folder with a space: the first job said "/…/a: No such file"."""
    environment = tmp_path / name
    environment.symlink_to(sys.prefix)
    command = [str(environment / "bin/python"), "-m", "snakemake", "curated", "-n", *DEMO]
    done = subprocess.run(
        command, cwd=fresh.folder, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 1
    assert "Snakemake cannot start jobs with it" in done.stdout + done.stderr
    assert str(environment / "bin/python") in done.stdout + done.stderr


def test_a_workflow_below_a_folder_with_a_space_works(tmp_path: Path) -> None:
    """Where the environment lies elsewhere: a script, its library, its inputs and its log."""
    folder = tmp_path / "our work, 100 % & more"
    folder.mkdir()
    odd = copy_of_workflow(folder)
    overlay = overlay_file(
        folder, datasets={"drawn": {"source": {"cases": 60, "archives": ["PMC1"]}}}
    )
    target = "resources/drawn/seed1_cases60/manifest.json"
    odd.snakemake(target, *DEMO, overlay)
    assert (folder / target).is_file()


def test_setup_refuses_such_a_place_before_it_downloads(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    for part in PARTS:
        source = REPOSITORY / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / part)
    done = subprocess.run(
        ["make", "setup"],
        cwd=folder,
        env=os.environ | {"MAKEFLAGS": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode != 0
    assert "has ' ' in it" in done.stdout + done.stderr
    assert not (folder / ".venv").exists()


def read_by_make(*arguments: str, **environment: str) -> str:
    """What make would do, without doing it."""
    done = subprocess.run(
        ["make", "-n", *arguments],
        cwd=REPOSITORY,
        env={key: value for key, value in os.environ.items() if key != "XDG_CACHE_HOME"}
        | environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


def test_make_looks_at_an_overlay_before_snakemake_reads_it() -> None:
    recipe = read_by_make("report", "CONFIGFILE=mine.yaml")
    looked, reported = recipe.index("overlays.py mine.yaml"), recipe.index("--report")
    assert looked < reported


def test_make_keeps_snakemakes_cache_beside_the_workflow_where_home_cannot_be_written() -> None:
    setting = f"XDG_CACHE_HOME := {REPOSITORY}/.cache"
    assert setting in read_by_make("-p", "help", HOME="/proc/nowhere")
    assert setting not in read_by_make("-p", "help", HOME=str(Path(__file__).parent))
