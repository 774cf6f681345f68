"""Tables add up and equal scikit-learn's; Markdown shows foreign text as text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from pairdx.reporting.format.labels import STAND_IN_NOTE, readable, system_title, systems_note
from pairdx.reporting.format.markdown import as_markdown, escape, significant
from pairdx.reporting.format.tables import (
    caption_examples,
    example_pairs,
    per_class_report,
    timing_table,
)
from reporting_samples import (
    CLASSES,
    REGISTRY,
    TIMING,
    dataset_of,
    metrics_of,
    pairs_table,
    predictions,
)


def test_text_from_outside_stays_text() -> None:
    table = pd.DataFrame({"caption": ["<script>alert(1)</script> a|b\nc", "[x](javascript:y) `z`"]})
    lines = as_markdown(table, title="<b>", notes=["a & b"]).splitlines()
    assert "<" not in "".join(lines)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; a\\|b c" in lines[4]
    assert "\\[x\\](javascript:y) \\`z\\`" in lines[5]
    assert lines[-1] == "- a &amp; b"
    assert all(line.replace("\\|", "").count("|") == 2 for line in lines[2:6])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("medical_photograph", "medical_photograph"),
        ("_emphasis_ *too*", "\\_emphasis\\_ \\*too\\*"),
        ("a\\|b", "a\\\\\\|b"),
        ("tab\tand\x00nothing\u2028line", "tab and nothing line"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_escaping_keeps_what_is_read(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_numbers_are_rounded_by_the_meaning_of_their_column() -> None:
    table = pd.DataFrame(
        {
            "accuracy": [0.61176, None],
            "paper_accuracy": [0.6118, 0.93],
            "seconds_per_image": [0.0001234, 0.18849],
            "train_seconds": [3952.4, None],
            "pairs": pd.array([22665, None], dtype="Int64"),
        }
    )
    lines = as_markdown(table, title="Numbers").splitlines()
    cells_of = [[text.strip() for text in line.strip("|").split("|")] for line in lines[2:]]
    assert cells_of[0][:2] == ["Accuracy, %", "Paper accuracy, %"]
    assert cells_of[2] == ["61.2", "61.18", "0.000123", "3,952", "22,665"]
    assert cells_of[3] == ["", "93", "0.188", "", ""]
    assert significant(12345.6) == "12,346"


def test_an_empty_table_is_still_a_table() -> None:
    assert "Stage" in as_markdown(pd.DataFrame({"stage": []}), title="Nothing")


def test_dataset_table_adds_up() -> None:
    dataset = dataset_of(pairs_table())
    assert list(dataset["class"]) == [*CLASSES, "total"]
    counts = dataset.set_index("class").drop(columns="share")
    assert (counts.loc[list(CLASSES)].sum() == counts.loc["total"]).all()
    subsets = [f"grouped_{name}" for name in ("train", "validation", "test")]
    assert (counts[subsets].sum(axis=1) == counts["pairs"]).all()
    assert list(dataset["share"]) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])


def test_examples_depend_on_the_seed_and_not_on_the_order_of_pairs() -> None:
    pairs = pairs_table()

    def chosen(table: pd.DataFrame, seed: int) -> list[str]:
        return list(example_pairs(table, CLASSES, per_class=2, seed=seed)["pair_id"])

    assert chosen(pairs, 1) == chosen(pairs.sample(frac=1, random_state=0), 1)
    assert len({tuple(chosen(pairs, seed)) for seed in range(5)}) > 1
    captions = caption_examples(pairs, CLASSES, per_class=2, seed=1, longest=30)
    assert list(captions["class"]) == [name for name in CLASSES for _ in range(2)]
    assert list(captions["pair_id"]) == chosen(pairs, 1)
    assert captions["caption"].str.len().max() <= 30


def test_per_class_report_is_scikit_learns_classification_report() -> None:
    table = predictions(0)
    report = per_class_report([metrics_of(table)]).set_index("class")
    expected = sk.classification_report(table["label"], table["predicted"], output_dict=True)
    for ours, theirs in [
        *((name, name) for name in CLASSES),
        ("macro average", "macro avg"),
        ("weighted average", "weighted avg"),
    ]:
        values = [expected[theirs][key] for key in ("precision", "recall", "f1-score", "support")]
        columns = ["precision", "recall", "f1", "support"]
        assert list(report.loc[ours, columns].astype(float)) == pytest.approx(values), ours
    assert report["f1"]["accuracy"] == pytest.approx(expected["accuracy"])
    assert pd.isna(report["precision"]["accuracy"])


def test_per_class_report_leaves_the_precision_of_an_unpredicted_class_empty() -> None:
    table = predictions(0).assign(predicted="chart")
    for name in CLASSES:
        table[f"p_{name}"] = float(name == "chart")
    report = per_class_report([metrics_of(table)]).set_index("class")
    assert pd.isna(report["precision"]["radiology"])
    assert report["precision"]["macro average"] == pytest.approx(1 / 9)


def test_per_class_report_averages_over_seeds() -> None:
    each = [per_class_report([metrics_of(predictions(seed))]) for seed in (0, 1)]
    both = per_class_report([metrics_of(predictions(seed)) for seed in (0, 1)])
    assert list(both["class"]) == list(each[0]["class"])
    assert list(both["f1"]) == pytest.approx(list((each[0]["f1"] + each[1]["f1"]) / 2))
    assert list(both["support"]) == list(each[0]["support"])


def test_timing_has_a_row_per_system_runtime_and_batch_size_whose_stages_add_up() -> None:
    alone = TIMING | {"deployment": []}
    timings = timing_table({("drawn", "fusion"): TIMING, ("drawn", "words"): alone})
    stages = [f"{name}_seconds" for name in ("decode", "preprocess", "text", "forward")]
    keys = timings[["system", "runtime", "batch_size"]].itertuples(index=False, name=None)
    assert list(keys) == [
        *(("fusion", "PyTorch", 1), ("fusion", "PyTorch", 8), ("fusion", "PyTorch", 32)),
        *(("fusion", "ONNX Runtime", 1), ("fusion", "ONNX Runtime", 8), ("words", "PyTorch", 1)),
    ]
    means = [0.12, 0.05, 0.06, 0.08, 0.04, 0.12]
    assert list(timings[stages].sum(axis=1)) == pytest.approx(means)
    assert list(timings["mean_seconds"]) == pytest.approx(means)


def test_a_runtime_without_a_measurement_has_a_row_of_empty_numbers() -> None:
    nothing = dict.fromkeys(("p50", "p95", "mean")) | {"stages": dict.fromkeys(TIMING["stages"])}
    failed = {"runtime": "ONNX Runtime", "batch_size": 1, **nothing}
    timings = timing_table({("drawn", "fusion"): TIMING | {"deployment": [failed]}})
    seconds = timings.filter(like="_seconds")
    assert seconds.shape == (2, 7)
    assert set(seconds.dtypes) == {np.dtype("float64")}
    assert seconds.isna().all(axis=1).tolist() == [False, True]
    assert timings["runtime"].tolist() == ["PyTorch", "ONNX Runtime"]


def test_names_are_readable_and_stand_ins_marked() -> None:
    assert readable("medical_photograph") == "Medical photograph"
    assert system_title("words", REGISTRY) == "Words only"
    assert systems_note(REGISTRY.values()) is None
    assert systems_note([{"stand_in": True}]) == STAND_IN_NOTE
