"""The learning-rate search, run for real: what it leaves, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from .conftest import DEMO, Workflow, overlay_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


def test_the_search_trains_once_per_rate_and_chooses_on_validation_pairs(
    demo: Workflow, tmp_path: Path
) -> None:
    """Two real trainings; the table says what they were, and the line for an overlay."""
    search = {"learning_rates": [1.0e-9, 2.0e-4]}
    short = {"pairdx_clip": {"settings": {"epochs": 2}}}
    file = overlay_file(tmp_path, learning_rate_search=search, systems=short)
    demo.snakemake("learning_rate_search", *DEMO, file)
    results = demo.folder / "results/demo"
    table = pd.read_csv(results / "tables/learning_rate_search.csv").set_index("learning_rate")
    assert table["chosen"].to_dict() == {1e-9: False, 2e-4: True}
    history = pd.read_csv(results / "drawn/stratified/pairdx_clip_lr0.0002/seed1/training.csv")
    assert len(history) == table.loc[2e-4, "epochs"] == 2
    assert table.loc[2e-4, "validation_accuracy"] == history["validation_accuracy"].iloc[-1]
    assert history["learning_rate"].tolist() == [2e-4, 2e-4]
    text = (results / "tables/learning_rate_search.md").read_text(encoding="utf-8")
    assert "systems: {pairdx_clip: {settings: {learning_rate: 0.0002}}}" in text
    assert "stand-in" in text
    assert demo.plan("learning_rate_search", *DEMO, file) == {}
    # Another list trains what is new in it, and nothing again.
    file = overlay_file(
        tmp_path, learning_rate_search={"learning_rates": [1e-4, 2e-4]}, systems=short
    )
    plan = demo.plan("learning_rate_search", *DEMO, file)
    assert plan == {"train_on_cpu": 1, "choose_learning_rate": 1, "learning_rate_search": 1}


@pytest.mark.parametrize("search", [None, {"system": "pairdx_fusion", "learning_rates": [0.5]}])
def test_editing_the_search_makes_no_other_job_out_of_date(
    demo: Workflow, tmp_path: Path, search: dict[str, Any] | None
) -> None:
    plan = demo.plan("all", *DEMO, overlay_file(tmp_path, learning_rate_search=search))
    assert plan == {"all": 1, "write_configuration": 1}
