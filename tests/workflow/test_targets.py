"""Each named target makes what it needs and no more: the jobs behind every one, in one dry run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import pytest

from plans import Of, demo_with
from rule_files import all_rules

from .conftest import DEMO, Workflow, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

ENABLED = [system.name for system in demo_with().enabled]
TRAINED = [system.name for system in demo_with().enabled if system.trained]
NETWORKS = [system.name for system in demo_with().enabled if system.has_curves]
# Trained once more, with siblings of their test pairs.
PRICED = demo_with().pricing.names_of(Of(dataset="drawn"))
SPLITS = 2

CORPUS = Counter(draw_corpus=1, ingest_tables=1, inspect_archive=3, curate_pairs=1)
DATASET = CORPUS + Counter(make_split=SPLITS, pack_images=1, describe_dataset=1)
# One system on the paper's split: up to its training, and on to the report of its predictions.
ONE_SYSTEM = CORPUS + Counter(make_split=1, pack_images=1)
REPORTED = Counter(pack_out_of_distribution=1, predict=1, report_system=1)
UNTRAINED = ONE_SYSTEM + Counter(pack_out_of_distribution=1, predict_untrained=1, report_baseline=1)
CLIP = ONE_SYSTEM + Counter(train_on_cpu=1)
FUSION = CLIP + Counter(build_word_vectors=1)
# What a system that learns from captions is trained with besides.
PAIRED = Counter(extract_features_on_cpu=1, read_text_bank=1, encode_text_bank_on_cpu=1)
PAIRED += Counter(pair_texts=SPLITS)
ALL_SYSTEMS = (CORPUS + PAIRED) + Counter(
    make_split=SPLITS,
    pack_images=1,
    pack_out_of_distribution=1,
    build_word_vectors=1,
    train_on_cpu=SPLITS * len(TRAINED),
    predict=SPLITS * len(TRAINED),
    predict_untrained=SPLITS * (len(ENABLED) - len(TRAINED)),
    report_system=SPLITS * len(NETWORKS),
    report_baseline=SPLITS * (len(ENABLED) - len(NETWORKS)),
)
# What is deployed is of one split: trained networks, and what each is made of.
DEPLOYED = len(demo_with().deployment.cells)
COMPARISON = ALL_SYSTEMS + Counter(time_system=len(ENABLED), compare_systems=1)

JOBS = {
    "curated": CORPUS,
    "review_sheet": CORPUS + Counter(export_review_sheet=1),
    "splits": CORPUS + Counter(make_split=SPLITS),
    "check_documents": CORPUS + Counter(make_split=SPLITS, check_documents_of_dataset=1),
    "dataset": CORPUS
    + Counter(make_split=SPLITS, archive_dataset=1, write_croissant=1, write_datasheet=1),
    "trained": (CORPUS + PAIRED)
    + Counter(make_split=SPLITS, pack_images=1, build_word_vectors=1)
    + Counter(train_on_cpu=SPLITS * len(TRAINED)),
    "evaluated": ALL_SYSTEMS,
    # The grouped split and the one with siblings, of the systems that are priced and of no others.
    "leakage_price": CORPUS
    + Counter(make_split=2, pack_images=1, pack_out_of_distribution=1, price_leakage=1)
    + Counter(train_on_cpu=2 * len(PRICED), predict=2 * len(PRICED)),
    "deployed": (CORPUS + PAIRED - Counter(pair_texts=SPLITS - 1))
    + Counter(make_split=1, pack_images=1, pack_out_of_distribution=1, build_word_vectors=1)
    + Counter(train_on_cpu=DEPLOYED, predict=DEPLOYED, deploy_system=DEPLOYED, list_deployed=1),
    "discrepancies": COMPARISON + Counter(describe_dataset=1, list_discrepancies=1),
    "paper_table_3": DATASET,
    "paper_table_4": DATASET,
    "paper_table_5": UNTRAINED,
    "paper_table_6": CLIP + REPORTED,
    "paper_table_7": FUSION + REPORTED,
    "paper_table_8": COMPARISON,
    "paper_figure_1": Counter(draw_rule_graph=1),
    "paper_figure_2": DATASET,
    "paper_figure_5": UNTRAINED,
    "paper_figure_6": CLIP + REPORTED,
    "paper_figure_7": FUSION + REPORTED,
    "paper_figure_8": CLIP + REPORTED,
    "paper_figure_9": FUSION + REPORTED,
}
# The system that an item of the paper is about.
ABOUT = {
    "paper_table_5": "clip_zero_shot",
    "paper_table_6": "pairdx_clip",
    "paper_table_7": "pairdx_fusion",
    "paper_figure_5": "biomedclip_zero_shot",
    "paper_figure_6": "pairdx_clip",
    "paper_figure_7": "pairdx_fusion",
    "paper_figure_8": "pairdx_clip",
    "paper_figure_9": "pairdx_fusion",
}
# Targets whose jobs follow the lists of tables and figures: what they do without.
WITHOUT = {
    "timing": {"predict", "predict_untrained", "report_system", "compare_systems"},
    "tables": {"explain_systems", "draw_rule_graph", "write_datasheet"},
    "figures": {"describe_texts", "list_discrepancies", "write_datasheet", "archive_dataset"},
}


@dataclass(frozen=True)
class Job:
    """One planned job."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    wildcards: str

    @property
    def cell(self) -> tuple[str, str] | None:
        """The split and system that the job is about, if it is about one."""
        found = [re.search(rf"\b{key}=(\w+)", self.wildcards) for key in ("split", "system")]
        return (found[0][1], found[1][1]) if found[0] and found[1] else None


def read_jobs(output: str) -> list[Job]:
    """The jobs that a dry run prints."""
    jobs = []
    for block in re.split(r"^(?=(?:local)?rule \w+:$)", output.split("\nReasons:")[0], flags=re.M):
        rule = re.match(r"(?:local)?rule (\w+):\n", block)
        if rule:
            said = dict(re.findall(r"^    (input|output|wildcards): (.*)$", block, re.M))
            files = [tuple(filter(None, said.get(k, "").split(", "))) for k in ("input", "output")]
            jobs.append(Job(rule[1], *files, said.get("wildcards", "")))
    return jobs


def behind(target: str, jobs: list[Job]) -> list[Job]:
    """The jobs that make a target's inputs, their inputs, and so on: what it makes alone."""
    maker = {file: job for job in jobs for file in job.outputs}
    (wanted,) = (job for job in jobs if job.rule == target)
    needed: dict[Job, None] = {}
    waiting = [wanted]
    while waiting:
        for file in waiting.pop().inputs:
            if file in maker and maker[file] not in needed:
                needed[maker[file]] = None
                waiting.append(maker[file])
    return list(needed)


@pytest.fixture(scope="module")
def planned(fresh: Workflow) -> list[Job]:
    """All named targets in one plan."""
    output = fresh.snakemake(*JOBS, *WITHOUT, "-n", *DEMO)
    jobs = read_jobs(output)
    # Nothing is lost in reading: as many jobs of each rule as Snakemake itself counts.
    assert Counter(job.rule for job in jobs) == read_plan(output)
    return jobs


@pytest.mark.parametrize("target", JOBS)
def test_a_target_makes_what_it_needs_and_no_more(planned: list[Job], target: str) -> None:
    """No training for tables 3 and 4; one system, on one split, for an item about one system."""
    jobs = behind(target, planned)
    assert Counter(job.rule for job in jobs) == JOBS[target]
    if target in ABOUT:
        assert {job.cell for job in jobs if job.cell} == {("stratified", ABOUT[target])}


@pytest.mark.parametrize("target", WITHOUT)
def test_a_target_of_many_files_leaves_out_what_none_of_them_needs(
    planned: list[Job], target: str
) -> None:
    rules = {job.rule for job in behind(target, planned)}
    assert "train_on_cpu" in rules
    assert not WITHOUT[target] & rules


def test_every_target_is_looked_at_here_or_in_a_test_of_its_own() -> None:
    """A new target is added to one of the lists above."""
    targets = {rule.name for rule in all_rules() if "output:" not in rule.body and not rule.base}
    paper = demo_with().paper
    assert paper
    # Those of the paper are written as one rule in a loop.
    found = targets - {"target"} | {*paper.targets()}
    # test_plan.py and tests/unit/test_plan_files.py, test_tested_on.py, test_plan_of_findings.py,
    # test_classify_documents.py; a download alone.
    elsewhere = {"all", "cluster_check", "learning_rate_search", "pairdx_release"}
    assert found == {*JOBS, *WITHOUT} | elsewhere | {"tested_on", "findings", "classify_documents"}


def test_a_target_planned_alone_has_the_jobs_that_the_common_plan_shows(
    fresh: Workflow, planned: list[Job]
) -> None:
    """Snakemake's own answer for one target; and the tests' forked dry runs say what it says."""
    alone = fresh.snakemake("paper_table_7", "-n", *DEMO)
    assert read_plan(alone) == JOBS["paper_table_7"] + Counter(paper_table_7=1)
    jobs = {job for job in read_jobs(alone) if job.rule != "paper_table_7"}
    assert jobs == set(behind("paper_table_7", planned))
    dry = fresh.snakemake("paper_table_7", "--dry-run", *DEMO)  # not forked
    assert read_plan(dry) == read_plan(alone)
    assert set(read_jobs(dry)) == set(read_jobs(alone))
