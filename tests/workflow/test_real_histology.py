"""CLIP-IT on real histology and real reports, with pretrained weights, from files to its table.

Where PAIRDX_REAL_DATA and PAIRDX_REAL_WEIGHTS name folders. A test of code on real files: that few
images say nothing about the method.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import real_histology
import real_weights
from pairdx.pairing.bank import read_texts
from pairdx.pairing.matches import read_matches
from plans import DEFAULTS

from .conftest import REAL_DATA, Workflow, copy_of_workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("beside the demo")]

DATA = Path(REAL_DATA, "real_histology") if REAL_DATA else None
TARGETS = ("grid_organs.csv",)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy in which the table was made."""
    if DATA is None or not DATA.is_dir():
        pytest.skip("PAIRDX_REAL_DATA names no folder with real_histology")
    weights = real_weights.folder()
    if weights is None:
        pytest.skip(f"{real_weights.VARIABLE} names no folder with the weights")
    workflow = copy_of_workflow(tmp_path_factory.mktemp("histology"), forks_jobs=True)
    made = tmp_path_factory.mktemp("made")
    overlay = real_histology.write_all(DATA, weights, made, DEFAULTS["systems"])
    targets = [f"results/real_histology/tables/{name}" for name in TARGETS]
    profile = ("--profile", "profiles/local")
    workflow.snakemake(*profile, "--configfile", str(overlay), "--", *targets)
    return workflow


def test_both_organs_run_from_files_to_the_table(run: Workflow) -> None:
    """Every system on every dataset; accuracies are of few images and mean nothing."""
    table = pd.read_csv(run.folder / "results/real_histology/tables/grid_organs.csv")
    assert set(table["dataset"]) == {real_histology.BREAST, real_histology.COLON}


def test_breast_is_grouped_by_patient_and_texts_are_of_the_banks_organ(run: Workflow) -> None:
    """And no report of another organ is in a bank of one."""
    breast = run.folder / "results/real_histology/breast"
    pairs = pd.read_parquet(breast / "curated/pairs.parquet").set_index("pair_id")
    split = pd.read_parquet(breast / "grouped/split.parquet").set_index("pair_id")
    facts = pd.read_csv(Path(str(DATA), "reports.csv")).set_index("report_id")
    for pairing, organs in {"own_organ": {"breast"}, "other_organ": {"colon", "rectum"}}.items():
        matches = read_matches(breast / f"grouped/pairings/{pairing}/matches.parquet")
        assert set(matches["pair_id"]) == set(pairs.index) == set(split.index)
        bank = "reports_of_breast" if pairing == "own_organ" else "reports_of_colon"
        texts = read_texts(breast / f"text_banks/{bank}/texts.parquet")
        assert set(facts.loc[texts["text_id"], "organ"]) == organs
        assert set(matches["text_id"]) <= set(texts["text_id"])
