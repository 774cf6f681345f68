"""Figures are whole: nothing cut off, both files written, the same bytes for the same data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from figure_checks import assert_whole
from pairdx.evaluation.calibration import calibrate
from pairdx.evaluation.comparisons import pairwise_tests
from pairdx.evaluation.method_tests import add_method_tests
from pairdx.evaluation.split_effect import effect_of_the_split
from pairdx.reporting.dataset import curation_figures
from pairdx.reporting.dataset import figures as dataset_figures
from pairdx.reporting.dataset.curation_tables import funnel_by_class, funnel_table
from pairdx.reporting.format.labels import STAND_IN_NOTE, system_title
from pairdx.reporting.format.tables import per_class_report
from pairdx.reporting.format.theme import PAGE_WIDTH, save
from pairdx.reporting.systems import calibration_figures, comparison_figures, figures
from pairdx.reporting.systems.accuracy_figure import accuracy_comparison
from pairdx.reporting.systems.comparison import comparison_table
from pairdx.reporting.systems.confusion_figure import confusion_matrix
from pairdx.reporting.systems.cost_figure import accuracy_against_cost
from pairdx.reporting.systems.learning_rates import search_figure, search_table
from reporting_samples import (
    CLASSES,
    DATASETS,
    NAMES,
    PAPER_CELL,
    REGISTRY,
    dataset_of,
    funnel_of_two_stages,
    history_of,
    leakage_reports,
    metrics_of,
    pairs_table,
    papers_numbers,
    predictions,
    systems_with_costs,
    three_systems,
)


def histories(epochs: int, seeds: int) -> list[pd.DataFrame]:
    epoch = np.arange(1, epochs + 1)
    columns = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    return [
        pd.DataFrame({"epoch": epoch} | dict.fromkeys(columns, 1 / (epoch + seed)))
        for seed in range(seeds)
    ]


OF_TEXTS = ("distillation_loss", "predicted_text_spread", "real_text_spread")


def accuracies(*names: str) -> Figure:
    cells = [cell for name in names for cell in three_systems(name)]
    how: dict[str, Any] = {"paper_cells": [PAPER_CELL], "resamples": 20, "seed": 0}
    table = comparison_table(cells, REGISTRY, papers_numbers(), **how)
    titles = {name: system_title(name, REGISTRY) for name in REGISTRY}
    shares = {(one, split): share for one in names for split, share in SHARES}
    datasets = {name: {"title": f"A dataset's $long {{title, {name}"} for name in names}
    return accuracy_comparison(table, titles, shares, datasets, **WORDS)


def search(trained: int, diverged: int) -> Figure:
    """The search's figure over so many rates; the highest ones diverged."""
    histories = [history_of([0.5 / (place + 1)], [0.6]) for place in range(trained)]
    histories += [history_of([math.nan], [math.nan])] * diverged
    rates = [10.0 ** (place - 7) for place in range(len(histories))]
    return search_figure(search_table(rates, histories), **WORDS)


def calibrations(systems: int, seeds: int) -> dict[str, list[Any]]:
    """Calibrations of so many systems, each a little more often right than the one before."""
    return {
        f"system {place}": [
            calibrate(
                pd.concat(
                    [
                        predictions(seed, place / 20).assign(subset=subset)
                        for subset in ("validation", "test")
                    ]
                ),
                CLASSES,
            )
            for seed in range(seeds)
        ]
        for place in range(systems)
    }


def calibration(draw: Callable[..., Figure], systems: int, seeds: int, **more: Any) -> Figure:
    cells = calibrations(systems, seeds)
    titles = {name: f"A system's $long {{name}}, {name} (stand-in)" for name in cells}
    return draw(cells, titles, **more, **WORDS)


# Coverage and risk above a threshold; nothing is answered, or what is drawn lies on the edges.
NOTHING = {"system 0": (0.0, float("nan"))}
CHOSEN = {f"system {place}": (place / 9, place / 18) for place in range(10)}


def with_methods(systems: dict[str, pd.DataFrame], resamples: int = 20) -> pd.DataFrame:
    """The tests of systems without randomness: those of the methods are made as well."""
    how = {"resamples": resamples, "seed": 0}
    seeds = {name: [table] for name, table in systems.items()}
    random = dict.fromkeys(systems, False)
    return add_method_tests(pairwise_tests(systems, **how), seeds, random, **how)


LONG_TITLES = {f"m{place}": f"{'System of many words ' * 2}({place})" for place in range(16)}


def differences(systems: int) -> Figure:
    """The matrix of so many systems on two splits."""
    tables = {f"m{place}": predictions(place, 0.3 + place / 25) for place in range(systems)}
    tests = with_methods(tables)
    both = pd.concat([tests.assign(split=name) for name in ("stratified", "grouped")])
    titles = {name: LONG_TITLES[name] for name in tables}
    return comparison_figures.difference_matrix(both, titles, ["stratified", "grouped"], **WORDS)


def effect(systems: int) -> Figure:
    """The split's effect on so many systems."""
    sides = [
        {f"m{place}": [predictions(place, share)] for place in range(systems)}
        for share in (0.9, 0.7)
    ]
    table = effect_of_the_split(*sides, resamples=20, seed=0)
    return comparison_figures.split_effect(table, LONG_TITLES, **WORDS)


def against_cost(systems: int, untrained: int) -> Figure:
    """Accuracy against cost of so many crowded systems; the last is in the paper too."""
    titles = {name: f"{name} with a title of two lines $5_ (stand-in)" for name in
              (f"system {place}" for place in range(systems))}  # fmt: skip
    return accuracy_against_cost(systems_with_costs(list(titles), untrained), titles, **WORDS)


# Test sets of the two splits whose most frequent classes differ.
SHARES = (("stratified", 0.3), ("grouped", 0.4))
WORDS: dict[str, Any] = {
    "title": "A title that is long enough for two lines " * 2,
    "note": STAND_IN_NOTE,
}
IMAGE = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
FIGURES: dict[str, Callable[[], Figure]] = {
    "one epoch of one seed": lambda: figures.training_curves(histories(1, 1), **WORDS),
    "three seeds": lambda: figures.training_curves(histories(12, 3), **WORDS),
    "distilled texts": lambda: figures.training_curves(
        [one.assign(**dict.fromkeys(OF_TEXTS, 0.01)) for one in histories(6, 2)], **WORDS
    ),
    "relaxed pairs": lambda: figures.training_curves(
        [one.assign(positive_cosine=0.2, above_threshold=0.1) for one in histories(12, 3)],
        **WORDS,
    ),
    "no finding is known": lambda: figures.training_curves(
        [one.assign(train_accuracy=np.nan, validation_accuracy=np.nan) for one in histories(3, 1)],
        **WORDS,
    ),
    "no training accuracy": lambda: figures.training_curves(
        [histories(4, 1)[0].assign(train_accuracy=None)], **WORDS
    ),
    "confusion": lambda: confusion_matrix([[1234, 2, 3], [0, 0, 0], [4, 5, 600]], NAMES, **WORDS),
    "accuracies": lambda: accuracies("multicare"),
    "accuracies on two datasets": lambda: accuracies("multicare", "drawn"),
    "accuracies on four datasets": lambda: accuracies("multicare", "a", "b", "c"),
    "scores per class": lambda: figures.per_class_bars(
        per_class_report([metrics_of(predictions(0))]), NAMES, **WORDS
    ),
    "funnel": lambda: curation_figures.funnel(funnel_table(funnel_of_two_stages()), **WORDS),
    "funnel of nothing": lambda: curation_figures.funnel(
        funnel_table(funnel_of_two_stages() * [1, 1, 0, 0, 0, 0]), **WORDS
    ),
    "funnel per class": lambda: curation_figures.funnel_per_class(
        funnel_by_class(funnel_of_two_stages(), CLASSES), NAMES, **WORDS
    ),
    "leakage": lambda: curation_figures.leakage(leakage_reports()[:1], **WORDS),
    "class counts": lambda: dataset_figures.class_counts(
        dataset_of(pairs_table()), ["stratified", "grouped"], NAMES, **WORDS
    ),
    "an example per class": lambda: dataset_figures.example_images(
        {name: [(IMAGE, "costs $5 or $6 <b> & more " * 9)] for name in CLASSES}, NAMES, **WORDS
    ),
    "examples": lambda: dataset_figures.example_images(
        {name: [(IMAGE, "caption " * 30)] * (1 + (name != "chart")) for name in CLASSES},
        NAMES,
        **WORDS,
    ),
    "caption lengths": lambda: dataset_figures.caption_lengths(
        pairs_table(), NAMES, truncation=32, **WORDS
    ),
    "ages": lambda: dataset_figures.ages(pairs_table(), NAMES, youngest=18, **WORDS),
    "four learning rates": lambda: search(4, 0),
    "one learning rate": lambda: search(1, 0),
    "many learning rates, some diverged": lambda: search(7, 2),
    "only diverged learning rates": lambda: search(0, 2),
    "reliability of one system": lambda: calibration(
        calibration_figures.reliability_diagrams, 1, 1
    ),
    "reliability of sixteen systems": lambda: calibration(
        calibration_figures.reliability_diagrams, 16, 2
    ),
    "risk by coverage of one system": lambda: calibration(
        calibration_figures.risk_coverage_curves, 1, 1, coverage=1.0, risk=0.05, chosen=NOTHING
    ),
    "risk by coverage of ten systems": lambda: calibration(
        calibration_figures.risk_coverage_curves, 10, 2, coverage=0.8, risk=0.05, chosen=CHOSEN
    ),
    "differences of one system": lambda: differences(1),
    "differences of three systems": lambda: differences(3),
    "the split's effect on one system": lambda: effect(1),
    "the split's effect on sixteen systems": lambda: effect(16),
    "three systems against cost": lambda: against_cost(3, 2),
    "one system against cost": lambda: against_cost(1, 0),
    "no trained system against cost": lambda: against_cost(2, 2),
    "no ages": lambda: dataset_figures.ages(pairs_table().assign(age=None), NAMES, **WORDS),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_whole_and_of_page_width(name: str, tmp_path: Path) -> None:
    """The SVG is XML, and no text is cut off."""
    assert_whole(FIGURES[name](), tmp_path)


def test_both_files_are_written_the_png_at_200_dots_per_inch(tmp_path: Path) -> None:
    """And it is not blank; nothing else is left behind."""
    save(FIGURES["examples"](), tmp_path / "figure.svg", tmp_path / "figure.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png", "figure.svg"]
    with Image.open(tmp_path / "figure.png") as image:
        assert np.asarray(image.convert("L")).std() > 5
        assert image.width == pytest.approx(200 * PAGE_WIDTH, abs=1)


def test_the_same_data_give_the_same_file(tmp_path: Path) -> None:
    for name in ("first", "second"):
        figure = confusion_matrix([[3, 1], [0, 2]], {"a": "A $", "b": "b $"}, title="Same")
        save(figure, tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for suffix in ("svg", "png"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_a_large_matrix_is_whole_and_its_texts_stay_within_their_cells(tmp_path: Path) -> None:
    """With sixteen systems no two numbers run into each other, and no two names."""
    figure = differences(16)
    assert_whole(figure, tmp_path)
    for panel in figure.axes:
        cell = panel.get_window_extent().width / 16
        assert max(text.get_window_extent().width for text in panel.texts) <= cell
        names = [label.get_window_extent() for label in panel.get_yticklabels()]
        for above, below in itertools.pairwise(sorted(names, key=lambda box: -box.y0)):
            assert above.y0 >= below.y1


def test_a_matrix_marks_what_the_corrected_test_shows_and_writes_both_signs() -> None:
    systems = {"m0": predictions(0, 0.2), "m1": predictions(1, 1.0), "m2": predictions(1, 1.0)}
    tests = with_methods(systems, 200).assign(split="grouped")
    tests.loc[1, "p_method_holm"] = np.nan  # of which there is one seed
    titles = {name: LONG_TITLES[name] for name in ("m0", "m1", "m2")}
    figure = comparison_figures.difference_matrix(tests, titles, ["grouped"], **WORDS)
    written = [text.get_text() for text in figure.axes[0].texts]
    points = 100 * abs(float(tests["difference"].iloc[0]))
    minus, plus = f"\N{MINUS SIGN}{points:.1f}\n*", f"+{points:.1f}\n*"
    both = [f"{one}\N{DAGGER}" for one in (minus, plus)]
    assert written == [both[0], minus, both[1], "0.0", plus, "0.0"]


def test_every_dataset_has_a_panel_with_the_share_of_its_own_most_frequent_class() -> None:
    cells = [*three_systems(), *three_systems("drawn")[:2]]
    table = comparison_table(cells, REGISTRY, {}, paper_cells=(), resamples=5, seed=0)
    shares = {(one.dataset, one.split): 0.3 if one.dataset == "drawn" else 0.2 for one in cells}
    titles = {name: system_title(name, REGISTRY) for name in REGISTRY}
    panels = accuracy_comparison(table, titles, shares, DATASETS, title="T").axes
    headings = [panel.get_title(loc="left").replace("\N{NO-BREAK SPACE}", " ") for panel in panels]
    assert headings == [
        "MultiCaRe 2.0, curated as PairDx\nMost frequent class: 20.0 %",
        "Drawn dataset\nMost frequent class: 30.0 %",
    ]
    lines = [{line.get_xdata()[0] for line in panel.lines if len(line.get_xdata()) == 2
              and line.get_linestyle() == "--"} for panel in panels]  # fmt: skip
    assert lines == [{20.0}, {30.0}]
    # Two of the systems were not run on the second: their rows are empty there.
    assert [len(panel.containers[0].lines[0].get_ydata()) for panel in panels] == [3, 1]
    assert panels[1].get_ylim() == panels[0].get_ylim()
