"""Figures of curation and of ages say every number, and no text lies on another at full scale."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from pairdx.reporting.dataset import curation_figures
from pairdx.reporting.dataset import figures as dataset_figures
from pairdx.reporting.dataset.curation_tables import funnel_by_class, funnel_table
from reporting_samples import (
    CLASSES,
    FULL_SCALE,
    OUT_OF_DISTRIBUTION,
    full_scale_funnel,
    full_scale_pairs,
    leakage_reports,
)

pytestmark = pytest.mark.slow

NAMES = {label: label.replace("_", " ") for label in FULL_SCALE}
FUNNEL = funnel_table(full_scale_funnel())
BY_CLASS = funnel_by_class(full_scale_funnel(), list(FULL_SCALE), list(OUT_OF_DISTRIBUTION))
FULL_SCALE_FIGURES: dict[str, Callable[[], Figure]] = {
    "funnel": lambda: curation_figures.funnel(FUNNEL, title="Funnel", note="A note."),
    "funnel per class": lambda: curation_figures.funnel_per_class(
        BY_CLASS, NAMES, list(OUT_OF_DISTRIBUTION), title="Funnel per class"
    ),
    "leakage": lambda: curation_figures.leakage(leakage_reports(), title="Leakage"),
    "ages": lambda: dataset_figures.ages(full_scale_pairs(), NAMES, title="Ages", youngest=18),
}


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]  # type: ignore[attr-defined]


def tick_labels(panel: Axes) -> list[Text]:
    """Those that are drawn: matplotlib holds some beyond the axes' limits, too."""
    (left, right), (bottom, top) = sorted(panel.get_xlim()), sorted(panel.get_ylim())
    below = [text for text in panel.get_xticklabels() if left <= text.get_position()[0] <= right]
    beside = [text for text in panel.get_yticklabels() if bottom <= text.get_position()[1] <= top]
    return below + beside


@pytest.mark.parametrize("name", FULL_SCALE_FIGURES)
def test_no_text_lies_on_another_or_over_the_edge(name: str) -> None:
    """At full scale, with numbers such as 130,791, every text has room of its own."""
    figure = FULL_SCALE_FIGURES[name]()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = [
        (text.get_text(), text.get_window_extent(canvas.get_renderer()))
        for panel in figure.axes
        for text in [*panel.get_children(), *tick_labels(panel)]
        if isinstance(text, Text) and text.get_visible() and text.get_text()
    ]
    assert len(drawn) > 20
    width, height = canvas.get_width_height()
    for text, box in drawn:
        assert 0 <= box.x0 < box.x1 <= width, text
        assert 0 <= box.y0 < box.y1 <= height, text
    for (one, box), (other, other_box) in combinations(drawn, 2):
        # Stacked lines may touch: a box reaches below the line for letters that have no descender.
        overlap_x = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
        overlap_y = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
        lower = 0.25 * min(box.height, other_box.height)
        assert overlap_x <= 1 or overlap_y <= lower, f"{one!r} and {other!r}"


def test_every_number_of_the_funnel_can_be_read() -> None:
    """What one stage of 130,791 rejects may be too few for a bar to show."""
    texts = texts_of(FULL_SCALE_FIGURES["funnel"]())
    for column in ("kept", "rejected", "out_of_distribution"):
        for count in FUNNEL[column]:
            assert f"{count:,}" in texts
    assert f"Candidates ({130791 + 4:,} in all)" in texts
    none_aside = FUNNEL.assign(out_of_distribution=0)
    without = curation_figures.funnel(none_aside, title="Funnel")
    assert "Out of distribution" not in texts_of(without)


def test_every_class_shows_how_many_of_its_candidates_are_left() -> None:
    """Pathology too, marked as out of distribution, but only where the corpus has any."""
    figure = FULL_SCALE_FIGURES["funnel per class"]()
    texts = texts_of(figure)
    for name in [*FULL_SCALE, *OUT_OF_DISTRIBUTION]:
        for count in BY_CLASS[name].iloc[1:]:
            assert f"{count:,}" in texts
    assert "Pathology\n(out of distribution)" in texts
    without = curation_figures.funnel_per_class(
        BY_CLASS.assign(pathology=0),
        NAMES,
        list(OUT_OF_DISTRIBUTION),
        title="Funnel per class",
    )
    assert "Pathology\n(out of distribution)" not in texts_of(without)


def test_a_split_that_leaks_nothing_says_zero_and_a_single_pair_is_not_zero() -> None:
    """Test and validation pairs of all five kinds, as bars of their shares."""
    leaking, clean = leakage_reports()
    figure = curation_figures.leakage([clean], title="Leakage")
    assert [text.get_text() for text in figure.axes[0].texts] == ["0"] * 10
    figure = curation_figures.leakage([leaking], title="Leakage")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[:5] == [
        *("100.0 % (3,400)", "86.2 % (2,931)", "61.3 % (2,084)", "40.2 % (1,367)"),
        "< 0.1 % (1)",
    ]
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths[:5] == pytest.approx([100, 86.2, 61.3, 40.21, 0.0294])


def test_what_cannot_be_told_is_not_drawn_as_zero() -> None:
    """A source that names no figures may still share them between subsets."""
    report = leakage_reports()[1]
    report["unknown"] = {"figure": sum(report["pairs"].values()), "case": 1234}
    panel = curation_figures.leakage([report], title="Leakage").axes[0]
    texts = [text.get_text() for text in panel.texts]
    assert texts == ["0", "0", "unknown", "0", "0"] * 2
    assert panel.get_yticklabels()[1].get_text() == "Same case\n(unknown: 1,234 pairs)"


def test_ages_are_shares_of_known_ages_and_unknown_ones_are_counted() -> None:
    """A class of which no age is known says so in place of a median."""
    pairs = full_scale_pairs()
    figure = FULL_SCALE_FIGURES["ages"]()
    for panel, name in zip(figure.axes, FULL_SCALE, strict=True):
        years = pairs.loc[pairs["label"] == name, "age"]
        title = panel.get_title("left")
        assert f"unknown: {years.isna().sum():,} of {len(years):,}" in title
        heights = [bar.get_height() for bar in panel.patches]
        if name == "chart":
            assert [text.get_text() for text in panel.texts] == ["No age is known"]
            assert heights == []
            continue
        assert f"{years.median():g} years" in title
        assert sum(heights) == pytest.approx(100)
        below_23 = 100 * (years.dropna() < 23).mean()
        assert heights[0] == pytest.approx(below_23)
        assert panel.patches[0].get_x() == 18


def test_dollar_signs_of_a_caption_are_drawn_as_they_are() -> None:
    """Captions come from outside; what stands between two dollar signs is no formula."""
    caption = r"costs $5 or $\frac{6 each"
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    figure = dataset_figures.example_images(
        {CLASSES[0]: [(image, caption)]}, NAMES, title="$1 $x_{"
    )
    held = [text for text in figure.findobj(Text) if "$" in text.get_text()]  # type: ignore[attr-defined]
    assert len(held) == 2
    assert not any(text.get_parse_math() for text in held)
    FigureCanvasAgg(figure).draw()
