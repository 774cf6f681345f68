"""Systems deployed by the workflow: what is made, what is refused, and what a wrong export ends."""

from __future__ import annotations

import shutil
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from pairdx.deployment.session import load
from pairdx.evaluation.calibration import scale

from .conftest import DEMO, Workflow, copy_of_workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

CELL = "results/demo/drawn/grouped/pairdx_fusion/seed1"
FOLDER = f"{CELL}/deployed"


def test_a_folder_that_is_asked_for_by_its_path_needs_its_own_cell_alone(fresh: Workflow) -> None:
    """Of an untrained system, too, that the target leaves out."""
    plan = fresh.plan("results/demo/drawn/stratified/clip_zero_shot/seed1/deployed", *DEMO)
    assert plan["deploy_system"] == plan["predict_untrained"] == 1
    assert not {"train_on_cpu", "predict", "list_deployed"} & {*plan}


def test_a_system_without_a_network_is_refused_in_words(fresh: Workflow) -> None:
    path = "results/demo/drawn/grouped/tfidf_logistic/seed1/deployed"
    output = fresh.snakemake(path, "-n", *DEMO, check=False)
    assert "tfidf_logistic cannot be deployed on drawn" in output
    assert "have no network to export" in output


def test_nothing_else_depends_on_what_is_deployed(all_of_demo: str) -> None:
    assert "deploy_system" not in all_of_demo
    assert "list_deployed" not in all_of_demo


def test_a_deployed_system_classifies_files_as_the_run_did(demo: Workflow) -> None:
    demo.snakemake(FOLDER, "results/demo/deployed.csv", *DEMO)
    model = load(demo.folder / FOLDER)
    facts = model.folder.facts
    predictions = pd.read_parquet(demo.folder / CELL / "predictions.parquet")
    test = predictions[predictions["subset"] == "test"].iloc[:20]
    pairs = pd.read_parquet(demo.folder / "results/demo/drawn/curated/pairs.parquet")
    seen = test[["pair_id"]].merge(pairs, on="pair_id", how="left", validate="1:1")
    squares = []
    for archive, member in zip(seen["archive"], seen["member"], strict=True):
        (path,) = demo.folder.glob(f"resources/drawn/*/{archive}.zip")
        with ZipFile(path) as stored:
            squares.append(model.read(stored.read(member)))
    found = model.classify(np.stack(squares), seen["caption"].tolist())
    columns = [f"p_{label}" for label in model.folder.labels]
    expected = scale(test[columns].to_numpy(dtype=np.float64), facts["temperature"])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    card = (demo.folder / FOLDER / "README.md").read_text(encoding="utf-8")
    assert facts["title"] in card
    listed = pd.read_csv(demo.folder / "results/demo/deployed.csv", keep_default_na=False)
    of = listed.set_index("system")
    assert of.loc["pairdx_fusion", "folder"] == FOLDER.removeprefix("results/demo/")
    assert "no network" in of.loc["tfidf_logistic", "left_out"]
    assert demo.plan(FOLDER, *DEMO) == {}


def test_another_risk_chooses_anew_and_predicts_nothing_anew(
    demo: Workflow, tmp_path: Path
) -> None:
    overlay = tmp_path / "risk.yaml"
    overlay.write_text("evaluation: {abstention: {risk: 0.2}}", encoding="utf-8")
    demo.snakemake(FOLDER, *DEMO)
    plan = demo.plan(FOLDER, *DEMO, str(overlay))
    assert plan == {"deploy_system": 1, "total": 1} or plan == {"deploy_system": 1}


def test_an_export_that_answers_otherwise_fails_its_job_and_leaves_no_folder(
    demo: Workflow, tmp_path: Path
) -> None:
    """The exported network is made to turn its classes around."""
    copy = copy_of_workflow(tmp_path, demo.folder)
    for part in ("results/demo/drawn", "resources"):
        shutil.copytree(demo.folder / part, copy.folder / part, copy_function=shutil.copy2)
    shutil.rmtree(copy.folder / FOLDER, ignore_errors=True)
    graph = copy.folder / "workflow/scripts/pairdx/models/fusion/graph.py"
    right = graph.read_text(encoding="utf-8")
    wrong = right.replace("softmax(dim=1)", "softmax(dim=1).flip(1)")
    assert wrong != right
    graph.write_text(wrong, encoding="utf-8")
    output = copy.snakemake(FOLDER, *DEMO, check=False)
    assert "the exported network is not the system" in output
    assert "Traceback" not in output
    assert not (copy.folder / FOLDER).exists()
