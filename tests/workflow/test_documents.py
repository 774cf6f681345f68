"""A user's own documents: from their tables to one comparison, and to what holds elsewhere."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from deployed_shell import classify
from plans import DEFAULTS

from .conftest import DEMO, REPOSITORY, Workflow, copy_of_workflow, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("beside the demo")]

# Two tables; images differ in colour, captions in a word. Some names break what escapes nothing.
OURS = {"letter": (200, 60, 60), 'form | {v1} "A" 100 %': (60, 200, 60), "צילום 😀": (60, 60, 200)}
THEIRS = {"Letter": (190, 70, 60), "scan/form": (70, 190, 60), "<b>x-ray</b>": (90, 90, 90)}
SAME = {"letter": "Letter", 'form | {v1} "A" 100 %': "scan/form"}
PER_CLASS, PATIENTS = 16, 8
TITLES = dict(zip(OURS, ["a letter", 'form | {v1} "A"', "צילום"], strict=True))
# The first reads captions.
SYSTEMS = ("tfidf_logistic", "mean_colour")
TEMPLATE = "config/my_documents.yaml"
NOT_ASKED = {
    "explanations": {"per_class": 0},
    "input_probes": {"systems": []},
    "leakage_price": {"systems": []},
    "prompt_sensitivity": {"templates": []},
    "timing": {"images": 5, "warm_up": 1, "batch_sizes": []},
}


def documents(folder: Path, classes: dict[str, Any], ending: str) -> pd.DataFrame:
    """Draw images below ``images/`` and return a row for each."""
    rows, random = [], np.random.default_rng(len(classes))
    for (number, (label, colour)), copy in product(enumerate(classes.items()), range(PER_CLASS)):
        path = folder / "images" / f"kind {number}" / f"scan {copy}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.clip(random.normal(colour, 40, (48, 56, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path)
        patient = f"P{number}-{copy % PATIENTS}"
        text = f"page {copy} of {patient}, kind {chr(97 + number) * 3}"
        rows.append([path.relative_to(folder / "images").as_posix(), label, text, patient])
    return pd.DataFrame(rows, columns=["Bild", "Art", "Text", "Patient"])


def overlay() -> dict[str, Any]:
    """Edit the template for our table, and add theirs, without captions and patients."""
    edited = yaml.safe_load((REPOSITORY / TEMPLATE).read_text(encoding="utf-8"))
    columns = {"file": "Bild", "label": "Art"}
    ours = {
        "title": "Ours",
        "source": {
            "table": "ours/documents.csv",
            "images": "ours/images",
            "columns": {**columns, "caption": "Text", "group": ["Patient"]},
        },
        "classes": TITLES,
        "splits": ["grouped"],
        "tested_on": {"theirs": {"classes": SAME}},
    }
    theirs = {
        "like": "documents",
        "enabled": True,
        "title": "Theirs",
        "source": {"table": "theirs/table.xls", "images": "theirs/images", "columns": columns},
        "classes": list(THEIRS),
        "splits": ["stratified"],
    }
    edited["datasets"]["my_documents"] |= ours
    edited["datasets"]["theirs"] = theirs
    systems = {name: {"enabled": name in SYSTEMS} for name in DEFAULTS["systems"]}
    return edited | {"systems": systems} | NOT_ASKED


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy in which both were checked, compared and tested on each other, all by the template."""
    workflow = copy_of_workflow(tmp_path_factory.mktemp("documents"), forks_jobs=True)
    ours = documents(workflow.folder / "ours", OURS, "tif")
    ours.loc[0, "Art"] = " LETTER "
    missing = ours.iloc[[1]].assign(Bild="nowhere.tif", Text="page of no image")
    table = pd.concat([ours, missing], ignore_index=True)
    # As spreadsheets of many countries save it.
    table.to_csv(workflow.folder / "ours/documents.csv", sep=";", index=False, encoding="utf-8-sig")
    theirs = documents(workflow.folder / "theirs", THEIRS, "bmp").drop(columns=["Text", "Patient"])
    theirs.to_excel(workflow.folder / "theirs/table.xlsx", index=False)
    # What a file is, its content says.
    (workflow.folder / "theirs/table.xlsx").rename(workflow.folder / "theirs/table.xls")
    (workflow.folder / TEMPLATE).write_text(
        yaml.safe_dump(overlay(), allow_unicode=True, sort_keys=False), encoding="utf-8"
    )
    return workflow


@pytest.fixture(scope="module")
def said(run: Workflow) -> str:
    """What the check says before anything trains."""
    output = run.snakemake("check_documents", *DEMO, TEMPLATE)
    assert not [*run.folder.rglob("model.safetensors")]
    return output


@pytest.fixture(scope="module")
def results(run: Workflow, said: str) -> Path:
    """Everything that is made of both."""
    assert said
    run.snakemake("all", *DEMO, TEMPLATE)
    return run.folder / "results/my_documents"


def test_the_check_says_what_is_rejected_and_who_is_left_out(said: str) -> None:
    assert "Rows that were read: 49. Kept as pairs: 48. Rejected: 1." in said
    for name in [*TITLES.values(), *THEIRS]:
        assert name in said
    assert "it reads captions, and no column is named for them" in said


def test_only_an_image_that_changed_is_a_reason_to_curate_anew(run: Workflow, said: str) -> None:
    """In a sub-folder, where the time stamp of the folder of images tells nothing."""
    assert said
    folder = run.folder / "ours/images"
    (folder / ".DS_Store").write_bytes(b"as some programs leave")
    os.utime(folder)
    arguments = ("-n", "check_documents", *DEMO, TEMPLATE)
    assert read_plan(run.snakemake(*arguments)) == {"check_documents": 1}
    image = folder / "kind 0/scan 0.tif"
    content = image.read_bytes()
    image.write_bytes(content + b"\0")
    planned = read_plan(run.snakemake(*arguments))
    image.write_bytes(content)
    assert planned["inspect_archive"] == planned["curate_pairs"] == 1


def test_documents_without_captions_run_with_the_systems_that_read_none(results: Path) -> None:
    comparison = pd.read_csv(results / "tables/comparison.csv")
    rows = set(zip(comparison["dataset"], comparison["system"], strict=True))
    readers, others = {("my_documents", name) for name in SYSTEMS}, SYSTEMS[1:]
    assert rows == readers | {("theirs", name) for name in others}
    colours = comparison[comparison["system"] == "mean_colour"].set_index("dataset")["accuracy"]
    assert colours.min() > 0.8  # an easy task, and more than two of three classes


def test_patients_stay_on_one_side(results: Path) -> None:
    pairs = pd.read_parquet(results / "my_documents/curated/pairs.parquet")
    split = pd.read_parquet(results / "my_documents/grouped/split.parquet")
    subsets = pairs.merge(split, on="pair_id").groupby("case_id")["subset"].nunique()
    assert len(subsets) == PATIENTS * len(OURS)
    assert subsets.max() == 1


def test_systems_of_one_are_asked_about_the_other_and_no_pair_is_dropped(results: Path) -> None:
    """Two classes of three have the same meaning; pairs of the third are counted apart."""
    table = pd.read_csv(results / "tables/tested_on.csv").set_index("system")
    assert set(table.index) == set(SYSTEMS[1:])
    there = pd.read_parquet(results / "theirs/stratified/split.parquet")
    test = (there["subset"] == "test").sum()
    row = table.loc["mean_colour"]
    assert row["there_pairs"] + row["unmatched_pairs"] == test
    assert row["there_accuracy"] > 0.8
    assert row["drop_low"] <= row["drop"] <= row["drop_high"]


def test_names_of_any_kind_reach_tables_and_web_pages(results: Path) -> None:
    table = "tables/per_class_my_documents_grouped_mean_colour"
    labels = pd.read_csv(results / f"{table}.csv", dtype=str)["class"].tolist()
    assert labels[: len(OURS)] == list(OURS)
    page = (results / f"{table}.html").read_text(encoding="utf-8")
    assert "Form | {v1} &quot;A&quot;" in page
    assert (results / f"{table}.tex").read_text(encoding="utf-8").isascii()


def test_nothing_of_a_paper_stands_in_such_a_run(results: Path) -> None:
    for file in (results / "tables").glob("*.md"):
        assert "paper" not in file.read_text(encoding="utf-8").lower(), file.name
    assert not (results / "tables/discrepancies.csv").exists()


def test_a_system_of_ones_own_documents_classifies_the_table_that_they_stand_in(
    run: Workflow, results: Path
) -> None:
    """By its own columns, from a shell; the row whose image is nowhere says so."""
    folder = results / "my_documents/grouped/clip_zero_shot/seed1/deployed"
    run.snakemake(str(folder.relative_to(run.folder)), *DEMO, TEMPLATE)
    table, output = run.folder / "ours/documents.csv", run.folder / "answers.parquet"
    said = classify(
        *(folder, table, "--image-column", "Bild", "--images", run.folder / "ours/images"),
        *("-o", output),
        folder=run.folder,
    )
    assert "1 without a class: no such file" in said
    answers = pd.read_parquet(output)
    assert answers["file"].tolist() == pd.read_csv(table, sep=";")["Bild"].tolist()
    assert set(answers["predicted"].dropna()) <= set(OURS)
    # As the run itself answers about its test pairs.
    predictions = pd.read_parquet(folder.parent / "predictions.parquet")
    pairs = pd.read_parquet(results / "my_documents/curated/pairs.parquet")
    test = predictions[predictions["subset"] == "test"].merge(pairs, on="pair_id")
    by_file = answers.drop_duplicates("file").set_index("file")["predicted"]
    assert len(test) > 0
    assert by_file[test["member"]].tolist() == test["predicted"].tolist()
