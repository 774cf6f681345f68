"""The tables beside the comparison: dataset, captions, per class, timing."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.joins import joined
from pairdx.ordering import seeded_rank
from pairdx.reporting.format.classes import Names, free, with_titles
from pairdx.reporting.format.markdown import with_interval
from pairdx.subsets import SUBSETS

# The rows of a report per class after the classes.
AVERAGES = ("accuracy", "macro average", "weighted average")
DRAWN_NOTE = "Demo: images and captions are drawn by the workflow; no patient is shown."


def dataset_table(
    pairs: pd.DataFrame, splits: Mapping[str, pd.DataFrame], classes: Sequence[str]
) -> pd.DataFrame:
    """Count pairs per class, and per subset of every split.

    Args:
        pairs: pair_id, label.
        splits: Per split: pair_id, subset.
        classes: The classes, in table order.

    Returns:
        class, pairs, share, and ``{split}_{subset}`` per split and subset; the last row is the
        total (see :func:`pairdx.reporting.format.classes.free`).
    """
    table = pd.DataFrame({"class": list(classes)}, dtype=str)
    table["pairs"] = table["class"].map(pairs["label"].value_counts()).fillna(0).astype("int64")
    table["share"] = table["pairs"] / max(1, int(table["pairs"].sum()))
    for split, subsets in splits.items():
        what = f"the split {split} and the pairs"
        labelled = joined(subsets, pairs[["pair_id", "label"]], "pair_id", what=what)
        counts = pd.crosstab(labelled["label"], labelled["subset"])
        counts = counts.reindex(index=list(classes), columns=list(SUBSETS), fill_value=0)
        for subset in SUBSETS:
            table[f"{split}_{subset}"] = counts[subset].to_numpy()
    name = free("total", classes)
    total = table.drop(columns="class").sum().to_frame().T.assign(**{"class": name})
    whole = pd.concat([table, total[table.columns]], ignore_index=True)
    counted = [name for name in whole.columns if name not in ("class", "share")]
    return whole.astype(dict.fromkeys(counted, "int64") | {"share": "float64"})


def example_pairs(
    pairs: pd.DataFrame, classes: Sequence[str], *, per_class: int, seed: int
) -> pd.DataFrame:
    """Choose the same examples for the captions' table and the images' figure.

    Args:
        pairs: pair_id, label and any other columns.
        classes: The classes, in table order.
        per_class: How many pairs to choose of each class; all where there are fewer.
        seed: The choice is a function of the seed and the pairs' names.

    Returns:
        Rows of ``pairs`` with their index kept, class by class.
    """
    rank = seeded_rank(pairs["pair_id"], seed, "examples").set_axis(pairs.index)
    ordered = pairs.loc[rank.sort_values(kind="stable").index, "label"]
    of_class = ordered.groupby(ordered).groups
    chosen = [of_class[name][:per_class] for name in classes if name in of_class]
    return pairs.loc[[index for part in chosen for index in part]]


def caption_examples(
    pairs: pd.DataFrame,
    classes: Sequence[str],
    *,
    per_class: int,
    seed: int,
    longest: int = 200,
) -> pd.DataFrame:
    """List example captions by class and type, with their source.

    Args:
        pairs: pair_id, label, subtype, article_id, licence, caption.
        classes: The classes, in table order.
        per_class: Captions per class.
        seed: Seed of the choice.
        longest: Longer captions are cut between words after so many characters.

    Returns:
        class, subtype, caption, pair_id, article_id, licence.
    """
    chosen = example_pairs(pairs, classes, per_class=per_class, seed=seed)
    table = chosen.rename(columns={"label": "class"})
    table = table[["class", "subtype", "caption", "pair_id", "article_id", "licence"]]
    return table.assign(caption=[shorten(text, longest) for text in table["caption"]]).reset_index(
        drop=True
    )


def shorten(text: str, longest: int) -> str:
    """Cut a caption between words to at most ``longest`` characters, and mark the cut."""
    return textwrap.shorten(text, width=longest, placeholder=" …")


def per_class_report(
    metrics: Sequence[Mapping[str, Any]],
    stated: Mapping[str, Any] | None = None,
    scores: Mapping[str, Mapping[str, float | None]] | None = None,
) -> pd.DataFrame:
    """Report precision, recall, F1 and support per class, as means over seeds (Tables 5 to 7).

    The layout is that of scikit-learn's classification report: after the classes come three rows,
    ``accuracy`` (in the column f1), ``macro average`` and ``weighted average`` (see
    :func:`pairdx.reporting.format.classes.free`). Both averages are over the classes present in the
    test set, and count the precision of a class that was never predicted as 0; its own cell is
    empty.

    Args:
        metrics: metrics.json of every seed, over the same test set.
        stated: What the paper states about the system on this split (its file of config/papers);
            None where no paper is about the dataset.
        scores: What ``per_class`` returned for all seeds, whose intervals are shown; with one seed
            metrics.json holds the same.

    Returns:
        class, precision, recall, f1 (each also with ``_low`` and ``_high``), paper_recall,
        paper_accuracy (both only where a paper is about the dataset) and support. The paper's
        accuracies per class are taken as recall; its overall accuracy stands in the row
        ``accuracy``.
    """
    averages = [free(name, metrics[0]["classes"]) for name in AVERAGES]
    reports = [_report_of_one_seed(one, averages) for one in metrics]
    values = ["precision", "recall", "f1"]
    mean = pd.concat(reports).groupby(level=0, sort=False)[values].mean()
    table = mean.assign(support=reports[0]["support"]).reset_index(names="class")
    if stated is not None:
        _insert_stated(table, stated, overall=averages[0])
    if scores is None:
        scores = metrics[0]["per_class"] if len(metrics) == 1 else {}
    for name in values:
        after = list(table.columns).index(name) + 1
        for place, end in enumerate(("low", "high"), start=after):
            bounds = {one: scores[one][f"{name}_{end}"] for one in scores}
            table.insert(place, f"{name}_{end}", table["class"].map(bounds).astype("float64"))
    return table.astype({"support": "Int64"})


def _insert_stated(table: pd.DataFrame, stated: Mapping[str, Any], *, overall: str) -> None:
    """Set what the paper states behind our recall and F1; all classes together in one row."""
    per_class = {
        name: number["value"] for name, number in stated.get("per_class_accuracy", {}).items()
    }
    of_all = {overall: stated.get("accuracy", {}).get("value")}
    table.insert(3, "paper_recall", table["class"].map(per_class).astype("float64"))
    table.insert(5, "paper_accuracy", table["class"].map(of_all).astype("float64"))


def per_class_for_reading(report: pd.DataFrame, classes: Names) -> pd.DataFrame:
    """Write the scores as text, intervals beside their values, without the paper's empty columns.

    Args:
        report: What :func:`per_class_report` returned.
        classes: Display names, by label.
    """
    table = with_titles(without_empty_paper(report), classes)
    for name in ("precision", "recall", "f1"):
        columns = [name, f"{name}_low", f"{name}_high"]
        table[name] = [with_interval(*row) for row in table[columns].to_numpy(dtype=float)]
        table = table.drop(columns=columns[1:])
    return table


def without_empty_paper(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the paper's columns where it states nothing, for reading."""
    stated = [name for name in table if str(name).lower().startswith("paper")]
    empty = [name for name in stated if table[name].isna().all()]
    return table.drop(columns=empty)


def per_class_note(metrics: Sequence[Mapping[str, Any]]) -> str:
    """Say how the intervals of the scores per class were made."""
    interval = metrics[0]["interval"]
    return (
        f"Intervals: {interval['method']} ({interval['resamples']} resamples), "
        f"{100 * interval['level']:g} %, with the trained weights held fixed; that of a class of "
        "which all pairs are right does not collapse. Those of the last three rows stand in "
        "tables/seeds."
    )


def _report_of_one_seed(metrics: Mapping[str, Any], names: Sequence[str]) -> pd.DataFrame:
    per_class = pd.DataFrame.from_dict(metrics["per_class"], orient="index").astype("float64")
    present = per_class[per_class["support"] > 0]
    precision = present["precision"].fillna(0).to_numpy()
    support = present["support"].to_numpy()
    total = float(support.sum())
    averages = pd.DataFrame(
        {
            "precision": [None, precision.mean(), float(precision @ support) / total],
            "recall": [None, metrics["balanced_accuracy"]["value"], metrics["accuracy"]["value"]],
            "f1": [metrics[name]["value"] for name in ("accuracy", "macro_f1", "weighted_f1")],
            "support": [total] * 3,
        },
        index=list(names),
        dtype="float64",
    )
    ordered = per_class.loc[list(metrics["classes"]), ["precision", "recall", "f1", "support"]]
    return pd.concat([ordered, averages])


def timing_table(timings: Mapping[tuple[str, str], Mapping[str, Any]]) -> pd.DataFrame:
    """List CPU seconds per image: percentiles, mean, and the mean of every stage.

    Args:
        timings: timing/{system}.json by dataset and system, in table order.

    Returns:
        dataset, system, runtime, batch_size, p50_seconds, p95_seconds, mean_seconds,
        decode_seconds, preprocess_seconds, text_seconds, forward_seconds, pairs, threads,
        cpu_model; one row per dataset, system, runtime and batch size, one by one first. Seconds
        are empty where a system could not be exported to a runtime, and those of a stage also where
        it does not read what the stage is about.
    """
    rows = [
        {
            "dataset": dataset,
            "system": system,
            "runtime": measured["runtime"],
            "batch_size": measured["batch_size"],
            **{f"{name}_seconds": measured[name] for name in ("p50", "p95", "mean")},
            **{f"{stage}_seconds": seconds for stage, seconds in measured["stages"].items()},
            **{name: timing[name] for name in ("pairs", "threads", "cpu_model")},
        }
        for (dataset, system), timing in timings.items()
        for measured in (timing, *timing["deployment"])
    ]
    table = pd.DataFrame(rows)
    return table.astype(dict.fromkeys(table.filter(like="_seconds").columns, "float64"))
