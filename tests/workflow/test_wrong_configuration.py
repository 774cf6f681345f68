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

# What no single key shows, all in one overlay on the paper's configuration, and what is said of it.
CONFLICTS = """
device: cuda
subset: 2
splits: [stratified]
packing: {image_size: 100}
multicare: {path: "/data/{site}/corpus"}
release: {article_pattern: "(("}
curation:
  modalities: {chart_images: null, dermatolgy: null}
  balance: {total: 20, per_class_cap: 3}
  review: {decisions: "sheet.csv "}
input_probes: {class_words: {radiolgy: [x]}}
downloads: {weights: {biomedclip: {checksums: {open_clip.bin: null}}}}
models:
  pairdx_fusion: {network: false, settings: {attention: {heads: 7}, gpus: 3}}
  tfidf_logistic: {reads: [image], settings: {word_ngrams: [2, 1]}}
  clip_zero_shot: {settings: {architecture: ViT-B-32-quickgel}}
  clip_linear_probe: {trained: false}
  biomedclip_zero_shot: {settings: {weights: clip_vit_b32_openai}}
  pairdx_clip: {reads: [image, caption], settings: {context_length: 76, quick_gelu: false}}
"""
SAID = """
multicare.path: /data/{site}/corpus has braces
curation.review.decisions: 'sheet.csv ' begins or ends with a space
curation.modalities: none of them has the label chart,
curation.modalities: unknown dermatolgy; did you mean dermatology?
input_probes.class_words: radiolgy is no class; did you mean radiology?
curation.balance.total: of 20 pairs,
curation.balance.per_class_cap: of 3 pairs,
subset: of 2 pairs,
models.clip_zero_shot.settings.architecture: open_clip has no 'ViT-B-32-quickgel'; did you mean
models.biomedclip_zero_shot.settings.architecture: null goes with
packing.image_size: images of 100 pixels are packed, and it reads 224 (models.pairdx_clip.settings
packing.image_size: images of 100 pixels are packed, and it reads 224 (feature_extractors.clip_vit
models.pairdx_clip.settings.context_length: it reads 77 tokens, not 76
models.pairdx_clip.settings.quick_gelu: it is built with QuickGELU
models.pairdx_fusion.settings.batch_size: 128 is no multiple of 3 GPUs
models.pairdx_fusion.settings.attention.dimension: 256 numbers cannot be divided among 7
models.pairdx_fusion.network: it is true
models.tfidf_logistic.reads: it is ['caption']
models.tfidf_logistic.settings.word_ngrams: the shortest
models.clip_linear_probe.trained: a system of the family probe
models.pairdx_clip.reads: it is ['image']
downloads.weights.biomedclip.checksums: open_clip.bin is not among its files
release.article_pattern: this is no regular expression
"""


def test_all_contradictions_are_named_at_once(fresh: Workflow, tmp_path: Path) -> None:
    overlay = tmp_path / "wrong.yaml"
    overlay.write_text(CONFLICTS, encoding="utf-8")
    output = fresh.snakemake("all", "-n", "--configfile", str(overlay), check=False)
    assert "Job stats" not in output
    assert "Traceback" not in output
    expected = [f"config key {line}" for line in SAID.strip().splitlines()]
    assert [line for line in expected if line not in output] == []
    assert output.count("config key") >= len(expected)


def test_a_key_that_stands_twice_in_an_overlay_is_an_error(fresh: Workflow, tmp_path: Path) -> None:
    overlay = tmp_path / "twice.yaml"
    overlay.write_text("run: one\nsubset: 30\nrun: two\n", encoding="utf-8")
    fresh.refuses(
        f"{overlay}, line 3: the key run stands in line 1 already", "--configfile", str(overlay)
    )


def test_a_missing_file_is_named_with_its_key_and_hinders_no_job_that_does_without(
    fresh: Workflow, tmp_path: Path
) -> None:
    sheet = {"review": {"decisions": "nowhere.csv"}}
    corpus = {"path": str(tmp_path / "corpus")}
    weights = {"resnet18": {"path": "resnet.pth"}}
    overlay = overlay_file(
        tmp_path, curation=sheet, multicare=corpus, downloads={"weights": weights}
    )
    output = fresh.snakemake("curated", "-n", "--configfile", overlay, check=False)
    named = [
        "curation.review.decisions: nowhere.csv",
        "downloads.weights.resnet18.path: resnet.pth",
    ]
    named.append(f"multicare.path: {corpus['path']}/captions_and_labels.csv and 11 more")
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
    overlay = overlay_file(folder, demo={"cases": 60, "archives": ["PMC1"]})
    target = "resources/demo/seed1_cases60/manifest.json"
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
