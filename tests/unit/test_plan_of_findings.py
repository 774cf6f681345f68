"""What is planned for several labels per pair, alone and beside data of one label."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from pairdx.plan import outputs
from pairdx.plan.checks.place import doubts
from pairdx.plan.measured import measured_jobs
from pairdx.plan.plan import Plan
from pairdx.plan.world import PlansWorld
from plans import Of, plan_with
from rule_files import all_rules

# Films without reports, of which only systems that are not trained can be asked.
FILMS = "datasets: {chestxray14: {enabled: true, source: {path: films}}"
BOTH = f"{FILMS}}}"
ALONE = f"{FILMS}, multicare: {{enabled: false}}}}"
PAPER = "pairdx"


@pytest.fixture(scope="module")
def both() -> Plan:
    return plan_with(BOTH)


@pytest.fixture(scope="module")
def alone() -> Plan:
    return plan_with(ALONE)


def test_films_are_asked_about_by_zero_shot_systems_alone(both: Plan) -> None:
    asked = {one.system for one in both.findings.asked}
    assert asked
    assert {(one.dataset, one.other) for one in both.findings.asked} == {
        ("chestxray14", "chestxray14")
    }
    assert not any(both.systems[name].trained for name in asked)
    assert [one.split("/")[-1] for one in both.findings.files()] == ["predictions.parquet"] * len(
        asked
    )
    assert set(both.findings.own_prompts(Of(dataset="chestxray14")).values()) == {"chexzero"}


def test_every_metrics_file_is_made_by_one_rule() -> None:
    """Rules of one label and of several are told apart by dataset, and each by kind of system."""
    reports = [rule for rule in all_rules() if "METRICS" in rule.body]
    assert len(reports) == 4 + 1  # the last is of a loop over four kinds of systems
    constrained = Counter(
        "findings" if "dataset=one_of(plan.findings.datasets)" in rule.body else "one label"
        for rule in reports
        if "dataset=one_of(plan." in rule.body
    )
    assert constrained == {"one label": 4, "findings": 1}
    for plan in (plan_with(), plan_with(BOTH), plan_with(ALONE)):
        kinds = [*plan.having("per_class")], [*plan.findings.datasets]
        assert sorted([*kinds[0], *kinds[1]]) == sorted(plan.datasets)
        each = [plan.reported(random=a, curves=b) for a, b in product((True, False), repeat=2)]
        assert Counter(name for names in each for name in names) == {
            system.name: 1 for system in plan.enabled
        }


def test_tables_across_datasets_are_of_those_whose_task_has_them(both: Plan) -> None:
    plan, before = both, plan_with()
    for file in ("predictions.parquet", "metrics.json"):
        assert plan.files.of_cells(file, having="comparison") == before.files.of_cells(file)
    assert plan.files.timings(having="comparison") == before.files.timings()
    assert plan.cells_having("comparison") == before.cells
    assert plan.shown_datasets(plan.having("comparison")) == before.shown_datasets()
    assert plan.shown_having("comparison") == before.shown()
    assert plan.published.compared_places == before.published.places
    left = plan.files.not_compared("passport.json")
    assert left
    assert all(path.startswith("<results>/chestxray14/") for path in left)
    assert before.files.not_compared("passport.json") == []
    modules = plan.modules.tasks_having("comparison")
    assert modules(Of()) == ["pairdx.tasks.single_label.task"]


def test_the_costs_of_all_are_counted(both: Plan) -> None:
    timed = {job["wildcards"]["dataset"] for job in measured_jobs(both) if "time" in job["rule"]}
    assert timed == {"multicare", "chestxray14"}
    assert "<results>/tables/cost.csv" in outputs.files(PlansWorld(both), "table")


def test_films_alone_have_tables_of_findings_and_no_paper(alone: Plan) -> None:
    world = PlansWorld(alone)
    tables, reasons = outputs.files(world, "table"), outputs.reasons(world)
    assert "<results>/tables/findings_comparison.csv" in tables
    assert "<results>/tables/finding_prompts_chestxray14.csv" in tables
    assert "<results>/tables/comparison.csv" not in tables
    assert not [name for name in tables if "per_class" in name]
    for name in ("comparison", "accuracy_against_cost", "seeds", "tested_on", "discrepancies"):
        assert name in reasons
    assert outputs.shapes(world, "compare_systems") == []
    assert outputs.shapes(world, "compare_findings") == [("", [])]
    assert not {job["rule"] for job in measured_jobs(alone) if job["wildcards"]} & {
        *("probe_inputs", "pair_texts", "train_text_classifier")
    }


def test_one_label_alone_has_no_rule_of_findings() -> None:
    world = PlansWorld(plan_with())
    for rule in ("compare_findings", "compare_findings_of_dataset"):
        assert outputs.shapes(world, rule) == []
    assert plan_with().findings.datasets == []


def test_what_is_a_reconstruction_is_shown_as_one() -> None:
    shown = plan_with().shown([*plan_with().systems])
    marked = {name for name, entry in shown.items() if entry.get("reconstructed")}
    assert marked == {name for name in shown if name.startswith("pairdx_clip_")} & {
        *("pairdx_clip_sampled", "pairdx_clip_relaxed", "pairdx_clip_sampled_relaxed")
    }
    assert marked
    assert "reconstructed" not in shown["pairdx_clip"]


def test_a_competition_whose_dataset_does_not_run_is_said_at_the_start() -> None:
    stated = "competition: {dataset: chexpert, findings: [Edema]}"
    (said,) = (one for one in doubts(plan_with(f"{BOTH}\n{stated}")) if "competition" in one)
    assert said == (
        "config key competition.dataset: chexpert does not run: there is no table of the "
        "competition"
    )
    chexpert = "chexpert: {enabled: true, source: {path: films}}"
    there = plan_with(f"datasets: {{{chexpert}}}\n{stated}")
    assert not [one for one in [*doubts(there), *doubts(plan_with(BOTH))] if "competition" in one]


def test_what_is_not_there_of_a_copy_is_said_with_its_key(tmp_path: Path) -> None:
    """Else a dry run names a file that no rule makes, and no key."""
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "file"):
        overlay = f"datasets: {{chestxray14: {{enabled: true, source: {{path: '{folder}'}}}}}}"
        (said,) = (one for one in doubts(plan_with(overlay)) if "is not there" in one)
        assert said.startswith(
            f"config key datasets.chestxray14.source.path: {folder}/Data_Entry_2017_v2020.csv and "
            "2 more is not there"
        )
    elsewhere = f"{{path: '{tmp_path}', reports: reports.zip}}"
    overlay = f"datasets: {{mimic_cxr: {{enabled: true, source: {elsewhere}}}}}"
    keys = [one.split(":")[0] for one in doubts(plan_with(overlay)) if "is not there" in one]
    assert keys == [f"config key datasets.mimic_cxr.source.{key}" for key in ("path", "reports")]
