"""The chest X-rays' file and configuration: test sets of its grids, and the table beside people."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pairdx.errors import PairDxError
from pairdx.plan import outputs
from pairdx.plan.configuration import complete, defaults, merged, read_yaml
from pairdx.plan.papers import problems_of_paper, read_paper
from pairdx.plan.plan import Plan
from pairdx.plan.start import plan_of
from pairdx.plan.world import PlansWorld
from pairdx.reporting.findings.competition import (
    Entrant,
    competition_for_reading,
    competition_notes,
    competition_table,
)
from pairdx.reporting.paper.stated import about_grid
from pairdx.tasks import task
from plans import REPOSITORY, Of

OVERLAY = read_yaml(REPOSITORY / "config/chest_xray.yaml")
TESTS = ("chestxray14", "chexpert", "padchest", "vindr_cxr")
# What its user has to state.
PATHS = {"datasets": {name: {"source": {"path": name}} for name in ("mimic_cxr", *TESTS)}}
PAPER = read_paper(REPOSITORY, "chest_xray")
FINDINGS = ["edema", "effusion", "nodule"]


@cache
def plan(changes: str = "{}") -> Plan:
    """The plan of the configuration with paths and further changes, written as YAML."""
    whole = merged(merged(OVERLAY, PATHS), yaml.safe_load(changes))
    return plan_of(whole, REPOSITORY, [])[0]


def test_the_papers_file_and_the_configuration_go_together() -> None:
    config = complete(defaults(REPOSITORY), merged(OVERLAY, PATHS))
    assert list(problems_of_paper(REPOSITORY, config)) == []


def test_a_grid_is_about_the_home_and_every_data_set_that_systems_are_tested_on() -> None:
    wildcards: Any = Of(grid="tuning")
    places = dict.fromkeys(one.dataset for one in plan().grids.places("tuning"))
    assert list(places) == ["mimic_cxr", *(f"mimic_cxr/{name}" for name in TESTS)]
    files = plan().grids.predictions(wildcards)
    cells = plan().grids.cells(wildcards)
    # CLIP and BiomedCLIP: untuned once, four ways of tuning with three seeds, on five test sets.
    assert len(files) == len(cells) == len(set(files)) == 2 * (1 + 4 * 3) * 5
    at = cells.index(("mimic_cxr/padchest", "published", "chest_clip_both", 2))
    assert files[at] == (
        "<results>/mimic_cxr/published/chest_clip_both/seed2/tested_on/padchest/predictions.parquet"
    )
    shown = plan().grids.datasets(wildcards)
    assert shown["mimic_cxr/padchest"]["classes"] == plan().datasets["padchest"].labels
    assert shown["mimic_cxr/padchest"]["title"] == "MIMIC-CXR → PadChest"


def test_a_home_without_labels_is_no_test_set() -> None:
    off = {name: {"enabled": False} for name in ("mimic_cxr", *TESTS) if name != "chestxray14"}
    other = {"datasets": {**off, "multicare_chest": {"enabled": True}}}
    places = dict.fromkeys(
        one.dataset for one in plan(yaml.safe_dump(other)).grids.places("tuning")
    )
    assert list(places) == ["multicare_chest/chestxray14"]


def test_encoders_whose_weights_are_missing_say_where_to_get_them() -> None:
    reasons = {one.left_out for one in plan().grids.places("tuning") if one.row == "chexzero"}
    assert len(reasons) == 5
    assert all("rajpurkarlab/CheXzero" in str(reason) for reason in reasons)


def test_what_several_findings_have_no_use_for_is_left_out_with_a_reason() -> None:
    world = PlansWorld(plan())
    reasons = outputs.reasons(world)
    assert "comparison applies to the task of no dataset" in reasons["comparison"]
    assert "calibration does not apply" in reasons["calibration_mimic_cxr"]
    assert not {"findings_comparison", "grid_tuning", "grid_parts", "competition"} & {*reasons}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"findings": ["Oedema"]}, "competition.findings: Oedema is not among datasets.chexpert"),
        ({"dataset": "cheXpert"}, "competition.dataset: cheXpert is not among datasets"),
        ({"dataset": "multicare"}, "multicare has one label per pair"),
    ],
)
def test_a_wrong_competition_is_named_before_anything_runs(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(PairDxError, match=message):
        plan(yaml.safe_dump({"competition": changes}))


def predictions(seed: int) -> pd.DataFrame:
    """Three findings, of which the last is on no test image; better than chance."""
    random = np.random.default_rng(seed)
    there = np.random.default_rng(0).random((80, 3)) < [0.4, 0.3, 0.2]
    there[40:, 2] = False
    scores = np.clip(0.3 + 0.4 * there + random.normal(0, 0.2, (80, 3)), 0, 1)
    named = [[name for name, true in zip(FINDINGS, row, strict=True) if true] for row in there]
    return pd.DataFrame(
        {
            "pair_id": [f"pair_{at:02d}" for at in range(80)],
            "case_id": [f"patient_{at // 2:02d}" for at in range(80)],
            "subset": ["validation"] * 40 + ["test"] * 40,
            "findings": ["|".join(names) for names in named],
            **{f"p_{name}": scores[:, at] for at, name in enumerate(FINDINGS)},
        }
    )


def test_the_table_beside_people_has_means_over_the_chosen_findings() -> None:
    stated = about_grid(PAPER.content, "competition")
    entrants = [Entrant("mimic", "published", "both", [predictions(1), predictions(2)])]
    chosen = ["edema", "nodule"]
    table = competition_table(
        entrants, task("multi_label"), FINDINGS, chosen, stated, resamples=40, seed=1
    )
    assert table["entrant"].tolist()[:2] == ["radiologists", "jang_et_al"]
    ours = table.iloc[2]
    # The finding on no test image is left out of the mean, and said to be.
    assert (ours["findings"], ours["seeds"], ours["without_threshold"]) == (1, 2, 0)
    alone = competition_table(
        entrants, task("multi_label"), FINDINGS, ["edema"], stated, resamples=40, seed=1
    ).iloc[2]
    assert ours[["f1", "mcc"]].tolist() == pytest.approx(alone[["f1", "mcc"]].tolist())
    facts = {
        "title": "CheXpert",
        "findings": {name: name for name in chosen},
        "homes": {"mimic": "MIMIC-CXR"},
    }
    registry = {"both": {"title": "Both", "trained": True, "stand_in": False}}
    shown = competition_for_reading(table, facts, registry)
    assert shown["System"].tolist()[0] == "Radiologists (published)"
    assert shown["F1, mean"].tolist()[:2] == ["0.619", "0.625"]
    notes = " ".join(competition_notes(table, facts, registry, stated, resamples=40))
    assert "Of 2 findings 1 have positive" in notes
    assert "without saying whose is whose" in notes
