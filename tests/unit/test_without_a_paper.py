"""A run that follows no paper has none in its tables, notes, figures, datasheet and front page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from jinja2 import Environment
from matplotlib.figure import Figure
from matplotlib.text import Text

from pairdx.reporting.format.markdown import as_markdown
from pairdx.reporting.format.tables import per_class_for_reading, per_class_report
from pairdx.reporting.paper.stated import accuracy_notes, confusion_notes, legend, training_notes
from pairdx.reporting.systems.accuracy_figure import accuracy_comparison
from pairdx.reporting.systems.comparison import (
    comparison_for_reading,
    comparison_notes,
    comparison_table,
)
from pairdx.reporting.systems.cost import cost_for_reading, cost_notes, cost_table
from pairdx.reporting.systems.cost_figure import accuracy_against_cost
from plans import Of, demo_with, plan_with
from reporting_samples import (
    CLASSES,
    DATASETS,
    PAPER_CELL,
    REGISTRY,
    TIMING,
    cell,
    metrics_of,
    papers_numbers,
    predictions,
    three_systems,
)

# Systems are called PairDxCLIP and PairDxFusion wherever they run.
PAPERS = re.compile(r"paper|pairdx(?!clip|fusion|_)|sensors|aljuhani|published", re.IGNORECASE)
MODELS = {name: {"trained": False, "stand_in": False} | entry for name, entry in REGISTRY.items()}
TITLES = {name: name for name in MODELS}
REPORT = Path(__file__).parents[2] / "workflow/report"


def texts(figure: Figure) -> str:
    return "\n".join(found.get_text() for found in figure.findobj(Text))  # type: ignore[attr-defined]


def of_comparison(paper: dict[str, Any], beside: tuple[str, str] | None) -> pd.DataFrame:
    return comparison_table(
        three_systems(), MODELS, paper, paper_cells=[beside] if beside else [], resamples=5, seed=0
    )


def tables(paper: dict[str, Any], beside: tuple[str, str] | None) -> str:
    """Return comparison and costs as CSV and for reading, with their notes."""
    cells, table = three_systems(), of_comparison(paper, beside)
    passports: Any = {(one.dataset, one.split, one.system): one.passports for one in cells}
    timings = {("multicare", name): TIMING for name in MODELS}
    costs = cost_table(table, passports, timings, MODELS)
    notes = comparison_notes(table, cells, MODELS, paper, paper_cells=[beside] if beside else [])
    notes += cost_notes(costs, passports, timings, MODELS, paper)
    return "\n".join(
        [
            *(table.to_csv(), costs.to_csv()),
            as_markdown(comparison_for_reading(table, MODELS, DATASETS), title="T", notes=notes),
            as_markdown(cost_for_reading(costs, MODELS, DATASETS), title="T"),
        ]
    )


def test_comparison_and_cost_name_a_paper_only_beside_one() -> None:
    assert not PAPERS.search(tables({}, None))
    beside = tables(papers_numbers(), PAPER_CELL)
    assert "paper_accuracy" in beside
    assert beside.count("Paper: one run") == 2


@pytest.mark.slow
def test_figures_name_a_paper_only_beside_one() -> None:
    drawn = {}
    for paper, beside in (({}, None), (papers_numbers(), PAPER_CELL)):
        table, words = of_comparison(paper, beside), {"title": "T", "papers": legend(paper)}
        shown = table[table["split"] == "stratified"]
        drawn[beside] = [
            texts(accuracy_comparison(table, TITLES, {}, DATASETS, **words)),
            texts(accuracy_against_cost(shown, TITLES, **words)),
        ]
    assert not PAPERS.search(" ".join(drawn[None]))
    assert all("Paper (one run, no interval)" in text for text in drawn[PAPER_CELL])


def test_a_paper_about_other_datasets_is_not_named_either() -> None:
    cells = [cell("fusion", "stratified"), cell("words", "stratified")]
    table = comparison_table(cells, MODELS, papers_numbers(), paper_cells=(), resamples=5, seed=0)
    notes = comparison_notes(table, cells, MODELS, papers_numbers(), paper_cells=())
    assert not PAPERS.search(table.to_csv() + " ".join(notes))


def test_scores_per_class_have_no_columns_and_notes_of_a_paper() -> None:
    metrics = [metrics_of(predictions(0))]
    report = per_class_report(metrics, None)
    notes = [*accuracy_notes(None), *training_notes(None)]
    notes += confusion_notes(None, metrics[0]["confusion"], CLASSES)
    assert notes == []
    shown = per_class_for_reading(report, dict(zip(CLASSES, CLASSES, strict=True)))
    assert not PAPERS.search(report.to_csv() + shown.to_csv())


@pytest.mark.parametrize("overlay", ["paper: null", "datasets: {drawn_2: {like: drawn}}"])
def test_what_is_said_of_a_dataset_names_its_own_paper_only(overlay: str) -> None:
    """Of none where none is configured, and of none for a dataset that it is not about."""
    of = Of(dataset="drawn" if overlay == "paper: null" else "drawn_2", system="pairdx_clip")
    plan, own = demo_with(overlay), demo_with()
    facts = [plan.facts.datasheet(of), plan.facts.archive(of)]
    assert not PAPERS.search(json.dumps(facts))
    theirs = own.facts.datasheet(Of(dataset="drawn"))
    assert theirs["follows"].startswith("It follows PairDx (Aljuhani")
    assert theirs["texts"]["citation"].startswith("Aljuhani, Dahab, Alsenani. Enhancing")
    assert "s25247596. Source of images" in theirs["texts"]["citation"]


def test_the_release_is_cited_with_its_paper_once_whatever_it_is_compared_with() -> None:
    for paper in ("pairdx", "null"):
        plan = plan_with(f"{{datasets: {{release: {{enabled: true}}}}, paper: {paper}}}")
        cited = plan.facts.archive(Of(dataset="release"))["texts"]["citation"]
        assert cited.count("Aljuhani") == 1


@pytest.mark.parametrize(("title", "begins"), [("PairDx", "**PairDx: ways"), (None, "**Ways")])
def test_the_front_page_of_the_report_names_the_paper_beside_it(
    title: str | None, begins: str
) -> None:
    plan = demo_with()
    job = SimpleNamespace(wildcards={}, params={"paper_title": title})
    page = Environment(autoescape=True).from_string(
        (REPORT / "workflow.rst").read_text(encoding="utf-8")
    )
    written = page.render(
        snakemake=SimpleNamespace(config=plan.config), files=[{"target": "x", "job": job}]
    )
    assert begins in written
    assert demo_with().published.title == "PairDx"
    assert demo_with("paper: null").published.title is None
