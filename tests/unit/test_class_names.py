"""Names of classes are any text: in a configuration, and through every writer unharmed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from class_samples import HOSTILE, NAMES, OVERLAY
from figure_checks import assert_whole
from pairdx.errors import PairDxError
from pairdx.evaluation.metrics import evaluate
from pairdx.files import read_table, write_table
from pairdx.plan.configuration import as_overlay, complete, defaults
from pairdx.reporting.dataset.counts import text_label_agreement
from pairdx.reporting.dataset.curation_figures import funnel_per_class
from pairdx.reporting.dataset.curation_tables import (
    funnel_by_class,
    funnel_by_class_for_reading,
    read_funnel,
)
from pairdx.reporting.dataset.figures import (
    ages,
    caption_lengths,
    class_counts,
    classes_with_examples,
)
from pairdx.reporting.format.classes import name_of, title_of, with_titles
from pairdx.reporting.format.glyphs import drawable_name
from pairdx.reporting.format.latex import as_latex
from pairdx.reporting.format.markdown import as_markdown
from pairdx.reporting.format.tables import dataset_table, per_class_report
from pairdx.reporting.format.webpage import as_html
from pairdx.reporting.systems.confusion_figure import confusion_matrix
from pairdx.reporting.systems.explained_pairs import of_some_classes
from pairdx.reporting.systems.figures import per_class_bars
from pairdx.tasks.single_label.rows import predicted_rows
from pairdx.tasks.single_label.task import TASK
from plans import DEFAULTS, REPOSITORY, Of, demo_with

MINE = Of(dataset="mine", system="clip_zero_shot")


def mine(of: str) -> str:
    """An overlay of the demo with one more dataset."""
    whole = "enabled: true, like: drawn, class_words: {}, out_of_distribution: [], "
    return f"datasets: {{mine: {{{whole}curation: {{modalities: null}}, {of}}}}}"


def refusal(of: str) -> str:
    with pytest.raises(PairDxError) as caught:
        demo_with(mine(of))
    (line,) = str(caught.value).splitlines()[1:]
    return line.strip()


# ---------------------------------------------------------------- the configuration
def test_any_text_is_a_class_and_a_list_stands_in_place_of_what_is_inherited() -> None:
    plan = demo_with(OVERLAY)
    assert plan.class_names(MINE) == {label: label for label in HOSTILE[:-1]}
    assert plan.of("out_of_distribution")(MINE) == [HOSTILE[-1]]


@pytest.mark.parametrize(
    ("of", "names"),
    [
        ("classes: {1: benign, 02b: 3}, out_of_distribution: [7]", {"1": "benign", "02b": "3"}),
        ("classes: [2, 10, 1]", {"2": "2", "10": "10", "1": "1"}),
        ('classes: ["e\\u0301", b]', {"\u00e9": "\u00e9", "b": "b"}),
        ('classes: {"yes": Yes it is, "no": "No"}', {"yes": "Yes it is", "no": "No"}),
    ],
)
def test_labels_are_text_in_one_spelling(of: str, names: dict[str, str]) -> None:
    classes = demo_with(mine(of)).class_names(MINE)
    kept = [label for label in classes if label in names]
    assert {label: classes[label] for label in kept} == names
    assert [*classes][-len(kept) :] == [*names]


def test_what_a_run_writes_of_its_classes_gives_them_again() -> None:
    model = defaults(REPOSITORY)
    for overlay in (yaml.safe_load(mine("classes: [z, a, m]")), yaml.safe_load(OVERLAY)):
        config = complete(model, overlay)
        again = complete(model, as_overlay(model, config))
        assert [*again["datasets"]["mine"]["classes"].items()] == [
            *config["datasets"]["mine"]["classes"].items()
        ]


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        ('classes: ["a", "b "]', "classes: the label 'b ' has blanks at its start or end"),
        ('classes: ["a", "b\\tc"]', "classes: the label 'b\\tc' has control characters"),
        ('classes: ["a", "\\u202eb"]', "classes: the label '\\u202eb' has control characters"),
        ('classes: ["a", "\\u200b"]', "classes: the label '\\u200b' has nothing visible in it"),
        ('classes: {a: "x\\ny"}', "classes: the display name 'x\\ny' of 'a' has control"),
        ("classes: [lonely]", "classes: at least two are needed"),
        ("classes: {a: X, b: x}", "classes: several classes are called X, and prompts do not"),
        ("classes: [Grade 2, grade  2]", "classes: the labels 'Grade 2' and 'grade  2' differ"),
        ("classes: {A: x}, out_of_distribution: [a]", "classes: the labels 'A' and 'a' differ"),
        ("classes: {1: x, '1': y}", "classes: 1 stands there twice (a number and a text"),
        ("classes: [a, b, a]", "classes: a stands there twice"),
        ("classes: [{a: x}, b]", "classes: a list holds labels only; with display names it is a"),
        ("classes: [yes, a]", "classes: the name True is no text: put it in quotes (YAML reads"),
        ("classes: [a, b, ~]", "classes: an item of the list is empty (null): delete it"),
        ("classes: [a, b, 1.5]", "classes: the name 1.5 is no text: put it in quotes"),
        ("classes: {new: }", "classes: unknown new (null drops a class that is taken over; one of"),
        ("class_prompts: {chrt: [x]}", "class_prompts: chrt is no class; did you mean chart?"),
        (
            "class_prompts: {chart: [x], radiology: [x]}",
            "class_prompts: 'x' stands for chart and for radiology, and does not tell them apart",
        ),
    ],
)
def test_what_is_no_class_is_refused_in_one_sentence(of: str, sentence: str) -> None:
    assert refusal(of).startswith(f"config key datasets.mine.{sentence}")


def test_a_thousand_classes_are_planned_in_time_that_grows_with_their_number() -> None:
    def seconds(number: int) -> float:
        names = [f"class {at}" for at in range(number)]
        of = (
            f"classes: {names}, subset: null, curation: {{modalities: null, balance: {{total: 0}}}}"
        )
        overlay = yaml.safe_load(mine(of).replace("total: 0", "total: null", 1))
        started = time.process_time()
        plan = demo_with(yaml.safe_dump(overlay))
        assert len(plan.labels(MINE)) == number
        return time.process_time() - started

    seconds(10)
    assert seconds(1000) < 10 * seconds(100) + 1


def test_prompts_of_a_class_reach_the_system_and_nothing_changes_without_them() -> None:
    prompts = {"chart": ["a bar chart", "{100 %} of a chart"]}
    plan = demo_with(mine(f"class_prompts: {prompts}"))
    with_prompts = plan.build_settings(MINE)
    without = demo_with(mine("class_prompts: {}")).build_settings(MINE)
    assert with_prompts == {**without, "class_prompts": prompts}
    assert "class_prompts" not in without
    assert plan.questions.classes_with_prompts(MINE) == ["chart"]
    assert DEFAULTS["datasets"]["multicare"]["class_prompts"] == {}


# ---------------------------------------------------------------- the writers
def pairs_of(labels: tuple[str, ...], each: int = 4) -> pd.DataFrame:
    """So many pairs of every class, with all that tables and figures read of them."""
    label = np.repeat(np.array(labels, dtype=object), each)
    row = np.arange(len(label))
    return pd.DataFrame(
        {
            "pair_id": [f"pair_{at:05d}" for at in row],
            "case_id": [f"case_{at // 2:05d}" for at in row],
            "label": label,
            "subtype": "",
            "text_labels": "",
            "age": pd.array(18 + row % 70, dtype="Int64"),
            "caption": ["word " * (1 + at % 9) for at in row],
            "article_id": "PMC1",
            "licence": "CC BY",
            "caption_reviewed": False,
            "image_reviewed": False,
            "image_edit": "",
        }
    )


def predictions_of(labels: tuple[str, ...]) -> pd.DataFrame:
    """Half of the pairs are taken for the class that comes next."""
    pairs = pairs_of(labels)
    place = np.arange(len(pairs)) // 4 + np.arange(len(pairs)) % 2
    probabilities = np.full((len(pairs), len(labels)), 0.5 / len(labels), dtype=np.float32)
    probabilities[np.arange(len(pairs)), place % len(labels)] += 0.5
    return predicted_rows(pairs, probabilities, labels, subset="test")


def metrics_of(labels: tuple[str, ...]) -> dict[str, Any]:
    return evaluate(TASK, predictions_of(labels), labels, resamples=0, seed=0)


def counts_of(labels: tuple[str, ...]) -> pd.DataFrame:
    pairs = pairs_of(labels)
    split = pd.DataFrame({"pair_id": pairs["pair_id"], "subset": "train"})
    return dataset_table(pairs, {"grouped": split}, labels)


def funnel_of(labels: tuple[str, ...]) -> pd.DataFrame:
    return pd.concat(
        pd.DataFrame(
            {
                "stage": stage,
                "label": sorted(labels),
                "candidates": 8 // at,
                "rejected": 4 // at,
                "out_of_distribution": 0,
                "kept": 4 // at,
            }
        )
        for at, stage in enumerate(("class", "age"), 1)
    )


def test_rows_and_columns_of_ours_are_never_taken_for_a_class(tmp_path: Path) -> None:
    """Each class has its own numbers, though one is called as our sums are; CSV keeps labels."""
    dataset = counts_of(HOSTILE)
    report = per_class_report(
        [evaluate(TASK, predictions_of(HOSTILE), HOSTILE, resamples=0, seed=0)]
    )
    agreement = text_label_agreement(pairs_of(HOSTILE), pairs_of(HOSTILE).iloc[:0], HOSTILE)
    for table, sums in ((dataset, 1), (report, 3), (agreement, 1)):
        assert table["class"].is_unique
        assert tuple(table["class"].iloc[:-sums]) == HOSTILE
        assert table["class"].iloc[-sums] in ("(total)", "(accuracy)")
    assert set(dataset["pairs"].iloc[:-1]) == {4}
    assert dataset["pairs"].iloc[-1] == 4 * len(HOSTILE)
    assert set(report["support"].iloc[:-3]) == {4}

    write_table(tmp_path / "funnel.csv", funnel_of((*HOSTILE, "007", "NA", "'=x")))
    funnel = read_funnel(tmp_path / "funnel.csv")
    assert set(funnel["label"]) == {*HOSTILE, "007", "NA", "'=x"}
    left = funnel_by_class(funnel, HOSTILE)
    assert list(left.columns) == ["(stage)", *HOSTILE, "all_classes", "other_labels"]
    assert left["all_classes"].tolist() == [8 * len(HOSTILE), 4 * len(HOSTILE), 2 * len(HOSTILE)]
    turned = funnel_by_class_for_reading(left, NAMES)
    assert turned["candidates"].tolist()[: len(HOSTILE)] == [8] * len(HOSTILE)

    saved = tmp_path / "predictions.parquet"
    write_table(saved, predictions_of(HOSTILE))
    assert (
        tuple(evaluate(TASK, read_table(saved), HOSTILE, resamples=0, seed=0)["per_class"])
        == HOSTILE
    )


def test_every_name_is_read_as_it_is_in_every_format() -> None:
    table = with_titles(counts_of(HOSTILE), NAMES)
    titles = [title_of(label, NAMES) for label in HOSTILE]
    assert table["class"].tolist() == [*titles, "(total)"]
    assert {"The a|b", "100 %", "Total", "a_share"} < set(titles)

    page = MarkdownIt("commonmark", {"html": False}).enable("table")
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page.render(as_markdown(table, title="x")))
    assert [unescape(one) for one in cells[:: len(table.columns)]] == table["class"].tolist()

    cells = re.findall(r"<tr><td([^>]*)>(.*?)</td>", as_html(table, title="x"))
    assert [unescape(text) for _, text in cells] == table["class"].tolist()
    of_hebrew = cells[HOSTILE.index("\u05e9\u05dc\u05d5\u05dd")]
    assert [bool(way) for way, _ in cells].count(True) == 2
    assert of_hebrew[0] == ' dir="auto"'

    latex = as_latex(table, title="x", label="tab:x")
    assert latex.isascii()
    for written in (
        *(r"\{x\}", r"100 \%", r"\$5\_a\$", "{[}grinning face] smile", "=1+1"),
        *("{[}U+05E9 U+05DC U+05D5 U+05DD]", "{[}U+80F8 U+90E8]X{[}U+7DDA]"),
    ):
        assert written in latex


def test_display_names_stand_in_sentences_and_labels_without_one_in_words() -> None:
    names = {"medical_photograph": "medical photograph", "x": "pH 7", "y": "x-ray"}
    assert [title_of(one, names) for one in names] == ["Medical photograph", "pH 7", "X-ray"]
    assert [name_of(one, names) for one in names] == [*names.values()]
    assert [title_of(one, {}) for one in ("other_kind", "a|b_c")] == ["Other kind", "a|b_c"]


def test_fonts_are_asked_and_what_they_lack_is_named() -> None:
    assert drawable_name("\U0001fac0 \u05e9 \u0643") == "[anatomical heart] \u05e9 \u0643"
    rare = "\U00020000\U00020001"
    assert drawable_name(rare) in ("[U+20000 U+20001]", rare)
    assert drawable_name("Adenocarcinoma of the lung, grade 2", 21) == "Adenocarcinoma\u2026rade 2"


def test_of_many_classes_some_are_shown_and_the_rest_is_counted() -> None:
    many = tuple(f"class {at}" for at in range(90))
    pairs = pairs_of(many, 2)
    examples = classes_with_examples(pd.concat([pairs, pairs[pairs["label"] == "class 50"]]), many)
    assert len(examples) < 30
    assert examples[-1] == "class 50"
    explained = {"pairs": [], "per_class": 2, "seed": 1}
    assert of_some_classes(many, explained) == "Pairs of 30 of the 90 classes, at random."
    assert of_some_classes(many[:30], explained) is None


MANY = tuple(f"Class with a name {at}" for at in range(60))
OF_MANY = {label: label for label in MANY}
FIGURES: dict[str, Callable[[], Figure]] = {
    "counts": lambda: class_counts(counts_of(HOSTILE), ["grouped"], NAMES, title="x"),
    "ages": lambda: ages(pairs_of(HOSTILE), NAMES, title="x"),
    "words of many": lambda: caption_lengths(pairs_of(MANY), OF_MANY, title="x"),
    "confusions of many": lambda: confusion_matrix(
        metrics_of(MANY)["confusion"], OF_MANY, title="x"
    ),
    "scores of many": lambda: per_class_bars(
        per_class_report([metrics_of(MANY)]), OF_MANY, title="x"
    ),
    "funnel of many": lambda: funnel_per_class(
        funnel_by_class(funnel_of(MANY), MANY), OF_MANY, title="x"
    ),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FIGURES)
def test_figures_hold_every_name_and_say_what_they_leave_out(name: str, tmp_path: Path) -> None:
    figure = FIGURES[name]()
    assert_whole(figure, tmp_path)
    said = [text for text in figure.texts if "Not shown" in text.get_text()]
    assert bool(said) == (name != "counts")
