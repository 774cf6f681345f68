"""Figures of decisions: nothing is cut off, captions stay text, absent parts leave no gap."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from figure_checks import assert_whole
from pairdx.errors import PairDxError
from pairdx.reporting.format.labels import STAND_IN_NOTE
from pairdx.reporting.format.text_flow import flow, text_width, wrap
from pairdx.reporting.format.theme import save
from pairdx.reporting.systems.explained_pairs import choose_pairs
from pairdx.reporting.systems.explanation_figures import explanation_figure
from pairdx.reporting.systems.explanation_layout import ExplainedPair
from reporting_samples import CLASSES, NAMES, explained_pair, pairs_table

pytestmark = pytest.mark.slow

# Markup, formulas, wide letters, a control character, a word longer than a line.
HOSTILE = "costs $5 or $x_{ <b> & --> \x08 " + "W" * 300 + " MMMMMMMM" * 12 + " &amp; ]]>"
LONG_NAME = "PMC12345678_" + "W" * 90 + "_undivided_1_1"


def drawn(*pairs: ExplainedPair) -> Figure:
    title = "What decisions rest on: a system with a long name " * 2
    return explanation_figure(pairs, NAMES, title=title, note=STAND_IN_NOTE)


FIGURES: dict[str, Callable[[], Figure]] = {
    "image and caption": lambda: drawn(
        *[explained_pair("axial ct of the chest " * 6, cut=12)] * 3,
    ),
    "image": lambda: drawn(*[explained_pair(None)] * 5),
    "one image without evidence": lambda: drawn(explained_pair(None, heat=0.0, name=LONG_NAME)),
    "caption": lambda: drawn(*[explained_pair("polyp in colon " * 11, heat=None, cut=1)] * 2),
    "two sorts of attention": lambda: drawn(
        explained_pair("word " * 32, by=2), explained_pair(HOSTILE, by=2, name=LONG_NAME)
    ),
    "no words": lambda: drawn(explained_pair("")),
    "no words, no image": lambda: drawn(explained_pair("", heat=None)),
}


def texts_of(figure: Figure) -> str:
    axes = [text.get_text() for panel in figure.axes for text in panel.texts]
    return "\n".join([*axes, *(panel.get_xlabel() for panel in figure.axes)])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_whole_and_of_page_width(name: str, tmp_path: Path) -> None:
    """The SVG is XML, and nothing reaches over the figure's edge."""
    assert_whole(FIGURES[name](), tmp_path)


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_lies_on_another(name: str) -> None:
    """Words, headings, names and labels keep clear of each other and of the pictures."""
    figure = FIGURES[name]()
    renderer = FigureCanvasAgg(figure).get_renderer()
    canvas, *panels = figure.axes
    boxes = [text.get_window_extent(renderer) for text in [*canvas.texts, *figure.texts]]
    boxes += [
        panel.get_window_extent(renderer) if panel.images else panel.get_tightbbox(renderer)
        for panel in panels
    ]
    # Lines of text may touch: a box is higher than its letters.
    boxes = [box.padded(-0.02 * figure.dpi) for box in boxes]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_captions_are_text_and_no_formula() -> None:
    figure = drawn(explained_pair("costs $5 or $6"))
    shown = {text.get_text(): text for text in figure.axes[0].texts}
    assert {"$5", "$6"} <= set(shown)
    assert not shown["$5"].get_parse_math()


def test_true_and_predicted_class_are_named_with_the_probability() -> None:
    text = texts_of(drawn(explained_pair("axial ct")))
    assert "True: Chart. Predicted: Medical photograph, 60.0 % (wrong)" in text


def test_words_that_are_cut_are_counted_and_words_without_vector_are_italic() -> None:
    figure = drawn(explained_pair("axial ct scan", cut=12))
    assert "Cut after 3 words: 12 more words are not read." in texts_of(figure)
    styles = {text.get_text(): text.get_fontstyle() for text in figure.axes[0].texts}
    assert [styles[word] for word in ("axial", "ct", "scan")] == ["normal", "italic", "normal"]


def test_attention_is_given_as_a_multiple_of_an_even_share() -> None:
    """Shares of 1/6, 2/6 and 3/6 are 0.5, 1 and 1.5 times a third."""
    text = texts_of(drawn(explained_pair("axial chest scan")))
    assert "(most: scan, 1.50; least: axial, 0.50)" in text


def test_a_word_is_darker_the_more_attention_it_gets() -> None:
    figure = drawn(explained_pair("axial chest scan"))
    colours = [patch.get_facecolor()[:3] for patch in figure.axes[0].patches]
    assert sum(colours[0]) > sum(colours[1]) > sum(colours[2])


@pytest.mark.parametrize(
    ("pair", "images", "bars"),
    [
        (explained_pair("axial ct"), 2, 2),
        (explained_pair(None), 2, 1),
        (explained_pair("axial ct", heat=None), 0, 1),
    ],
)
def test_parts_that_a_system_lacks_are_left_out(
    pair: ExplainedPair, images: int, bars: int
) -> None:
    figure = drawn(pair)
    assert sum(bool(panel.images) for panel in figure.axes) == images
    assert len(figure.axes) == 1 + images + bars


def test_the_same_data_give_the_same_file(tmp_path: Path) -> None:
    for name in ("first", "second"):
        save(drawn(explained_pair("ct")), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for suffix in ("svg", "png"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


# -------------------------------------------------------------------- texts in a given width
def test_wrapped_lines_fit_and_lose_nothing() -> None:
    text = "True: a " + "W" * 80 + " of some length"
    lines = wrap(text, 2.0, 7.5, bold=True)
    assert max(text_width(line, 7.5, bold=True) for line in lines) <= 2.0
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_words_flow_in_order_within_the_width_without_touching() -> None:
    words = ["axial", "W" * 80, "of", "the", "chest"] * 3
    placed = flow(words, 2.0, 7.5)
    joined = ["".join(part.text for part in placed if part.word == at) for at in range(len(words))]
    assert joined == words
    assert max(part.left + part.width for part in placed) <= 2.0
    for one, following in pairwise(placed):
        same_line = one.line == following.line
        assert following.left > one.left + one.width if same_line else following.left == 0
        assert following.line - one.line in (0, 1)


# -------------------------------------------------------------------- the choice of pairs
def split_of(pairs: pd.DataFrame) -> pd.DataFrame:
    subsets = ["train", "validation", "test", "test", "test"]
    return pd.DataFrame(
        {
            "pair_id": pairs["pair_id"],
            "subset": [subsets[int(name[-2:]) // 3 % 5] for name in pairs["pair_id"]],
        }
    ).iloc[::-1]


def chosen(pairs: pd.DataFrame, **changes) -> pd.DataFrame:
    how = {"named": [], "per_class": 2, "seed": 1} | changes
    return choose_pairs(pairs, split_of(pairs), CLASSES, **how)


def test_test_pairs_of_every_class_are_chosen_by_the_seed() -> None:
    """Whatever the order of the table: the same pairs, class by class, with their place kept."""
    pairs = pairs_table()
    found = chosen(pairs)
    assert found["label"].tolist() == [name for name in CLASSES for _ in range(2)]
    assert set(found["subset"]) == {"test"}
    assert pairs.loc[found.index, "pair_id"].equals(found["pair_id"])
    assert chosen(pairs.iloc[::-1])["pair_id"].tolist() == found["pair_id"].tolist()
    assert any(set(chosen(pairs, seed=seed)["pair_id"]) != set(found["pair_id"]) for seed in (2, 3))


def test_named_pairs_take_the_place_of_the_choice_in_their_order() -> None:
    pairs = pairs_table().set_index(pd.RangeIndex(100, 130))
    found = chosen(pairs, named=["pair_20", "pair_00"])
    assert found["pair_id"].tolist() == ["pair_20", "pair_00"]
    assert found.index.tolist() == [120, 100]
    assert found["subset"].tolist() == ["validation", "train"]


def test_an_unknown_name_is_an_error_that_says_where() -> None:
    with pytest.raises(PairDxError, match=r"(?s)nobody.*explanations: pairs"):
        chosen(pairs_table(), named=["pair_00", "nobody"])
