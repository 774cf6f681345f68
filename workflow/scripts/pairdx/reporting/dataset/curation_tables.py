"""Tables of curation: the funnel, reasons of rejection, identifiers in captions, leakage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.ordering import seeded_rank
from pairdx.reporting.format.classes import Names, free, title_of
from pairdx.reporting.format.labels import readable
from pairdx.sheet_cells import unescaped
from pairdx.subsets import LEAKAGE_KINDS

IDENTIFIERS = "identifiers"  # the stage that looks for identifiers in captions
BEFORE = "candidates"  # the row before the first stage
NEAR = "near_duplicate_image"
PARTS = ("kinds", "unknown")  # of leakage.json: what is told of each kind


def read_funnel(path: str | Path) -> pd.DataFrame:
    """Read curated/funnel.csv: labels are text, such as ``007`` or ``NA``, as they were written."""
    table = pd.read_csv(path, dtype={"label": str, "stage": str}, keep_default_na=False)
    return table.assign(label=table["label"].map(unescaped))


def funnel_table(funnel: pd.DataFrame) -> pd.DataFrame:
    """Sum the curation funnel over classes: what every stage received, rejected and kept.

    Args:
        funnel: stage, label, candidates, rejected, out_of_distribution, kept (curated/funnel.csv).

    Returns:
        stage, candidates, rejected, out_of_distribution, kept, kept_share (of the stage's
        candidates; empty where there were none), in the order of the stages.
    """
    counts = ["candidates", "rejected", "out_of_distribution", "kept"]
    table = funnel.groupby("stage", sort=False)[counts].sum().reset_index()
    received = table["candidates"].where(table["candidates"] > 0).astype("float64")
    return table.assign(kept_share=table["kept"] / received)


def funnel_by_class(
    funnel: pd.DataFrame, classes: Sequence[str], out_of_distribution: Sequence[str] = ()
) -> pd.DataFrame:
    """Count the candidates of every class that are left after every stage.

    The last stage's row holds the pairs per class that the balancing leaves. Candidates of the
    classes out of distribution count as left: nothing rejected them.

    Args:
        funnel: stage, label, candidates, rejected, out_of_distribution, kept (curated/funnel.csv).
        classes: The classes, in table order.
        out_of_distribution: The classes that no system is trained on.

    Returns:
        stage, one column per class, all_classes (their sum), one column per class of
        ``out_of_distribution``, and other_labels (the sum over all other labels) if there are
        any; a name of ours that is a label stands in brackets (see
        :func:`pairdx.reporting.format.classes.free`). The first row, ``candidates``, is what the
        first stage received; then one row per stage, in order.
    """
    left = funnel.assign(left=funnel["kept"] + funnel["out_of_distribution"])
    stages = left["stage"].unique()
    first = left.loc[left["stage"] == stages[0], ["label", "candidates"]]
    first = first.rename(columns={"candidates": "left"}).assign(stage=BEFORE)
    counts = pd.concat([first, left]).pivot_table("left", "stage", "label", "sum", fill_value=0)
    counts = counts.reindex([BEFORE, *stages])
    labels = [*classes, *out_of_distribution]
    table = counts.reindex(columns=list(classes), fill_value=0)
    table[free("all_classes", labels)] = table.sum(axis=1)
    table = pd.concat(
        [table, counts.reindex(columns=list(out_of_distribution), fill_value=0)], axis=1
    )
    others = counts.drop(columns=labels, errors="ignore")
    if not others.empty:
        table[free("other_labels", labels)] = others.sum(axis=1)
    table = table.astype("int64").rename_axis(columns=None, index=None)
    return table.reset_index(names=free("stage", labels))


def funnel_by_class_for_reading(
    left: pd.DataFrame, classes: Names, out_of_distribution: Sequence[str] = ()
) -> pd.DataFrame:
    """Turn the table round: a row per class, so that many of them can be read.

    Args:
        left: What :func:`funnel_by_class` returned.
        classes: Display names of the classes, by label.
        out_of_distribution: The classes that no system is trained on.
    """
    stages, counts = left.iloc[:, 0], left.iloc[:, 1:]
    titles = [
        title_of(str(name), classes)
        + (" (out of distribution)" if name in out_of_distribution else "")
        if name in classes or name in out_of_distribution
        else readable(str(name))
        for name in counts.columns
    ]
    columns = {str(stage): counts.iloc[at].to_numpy() for at, stage in enumerate(stages)}
    return pd.DataFrame({"Of class": titles, **columns})


def rejections_table(rejected: pd.DataFrame, stages: Sequence[str]) -> pd.DataFrame:
    """Count the rejected candidates by stage and reason.

    Args:
        rejected: stage, reason (curated/rejected.parquet). Its column ``detail`` is not read: it
            may hold the identifier for which a caption was rejected.
        stages: The stages, in table order.

    Returns:
        stage, reason, candidates; within a stage the most frequent reason first.
    """
    table = rejected.groupby(["stage", "reason"]).size().reset_index(name="candidates")
    position = table["stage"].map({stage: place for place, stage in enumerate(stages)})
    order = table.assign(position=position, most_first=-table["candidates"])
    order = order.sort_values(["position", "most_first", "reason"])
    return table.loc[order.index].reset_index(drop=True)


def identifiers_table(
    rejected: pd.DataFrame, pairs: pd.DataFrame, handling: Mapping[str, str]
) -> pd.DataFrame:
    """Count the captions in which identifiers were found, by kind and by what was done about them.

    A rejected candidate counts once, for the kind that it was rejected for; a pair counts for
    every kind that was masked in its caption. Masked candidates that a later stage rejected are
    not among the pairs and so not counted.

    Args:
        rejected: stage, reason (the kind). The identifiers themselves are not read.
        pairs: masked (kinds joined with ";", "" for none).
        handling: Per kind ``reject``, ``mask`` or ``keep`` (the config's ``curation.identifiers``).

    Returns:
        kind, handling, rejected, masked, in the order of ``handling``; the last row, ``any``,
        counts candidates and pairs, each once.
    """
    refused = rejected.loc[rejected["stage"] == IDENTIFIERS, "reason"]
    masked = pairs.loc[pairs["masked"] != "", "masked"]
    table = pd.DataFrame({"handling": pd.Series(dict(handling), dtype=str)})
    table["rejected"] = refused.value_counts()
    table["masked"] = masked.str.split(";").explode().value_counts()
    whole = {"handling": "", "rejected": len(refused), "masked": len(masked)}
    table = pd.concat([table.fillna(0), pd.DataFrame(whole, index=["any"])])
    counts = {"rejected": "int64", "masked": "int64"}
    return table.astype(counts).rename_axis("kind").reset_index()


def masked_captions(pairs: pd.DataFrame, *, most: int, seed: int) -> pd.DataFrame:
    """Choose captions with masked identifiers at random, for a person to read.

    Args:
        pairs: pair_id, label, masked, caption (as masked).
        most: How many to choose; all where there are fewer.
        seed: The choice is a function of the seed and the pairs' names.

    Returns:
        pair_id, class, kinds, caption (whole), ordered by kinds.
    """
    masked = pairs[pairs["masked"] != ""]
    rank = seeded_rank(masked["pair_id"], seed, "masked captions").set_axis(masked.index)
    chosen = masked.loc[rank.sort_values().index[:most]].sort_values(["masked", "pair_id"])
    kinds = [", ".join(readable(kind).lower() for kind in one.split(";")) for one in chosen.masked]
    table = chosen.rename(columns={"label": "class"}).assign(kinds=kinds)
    return table[["pair_id", "class", "kinds", "caption"]].reset_index(drop=True)


def with_own_words(
    reports: Sequence[Mapping[str, Any]], tells: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Name what subsets share as the user's columns are called, and leave out what is not known.

    Args:
        reports: leakage.json of every split.
        tells: ``grouped_by`` (columns of the pairs that tell what belongs together, and how these
            are called); ``lacks``, of which captions count here.
    """
    names = dict(tells["grouped_by"])
    if "captions" not in tells["lacks"]:
        names["caption_cluster"] = "caption"
    names["duplicate_cluster"] = NEAR
    columns = {kind: column for kind, column in LEAKAGE_KINDS.items() if column in names}
    shown = {
        # A column of groups may be called as a kind of ours.
        kind: f"{names[column]} (group)"
        if column in tells["grouped_by"] and names[column] in ("caption", NEAR)
        else names[column]
        for kind, column in columns.items()
    }
    return [
        {**report, **{part: _named(report[part], shown) for part in PARTS if part in report}}
        for report in reports
    ]


def _named(counts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[kind]: found for kind, found in counts.items() if kind in names}


def leakage_table(reports: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """List what subsets share, per split, kind and two subsets.

    Args:
        reports: leakage.json of every split: ``{"split", "pairs": {subset: n}, "kinds": {kind:
            {"train-test": {"groups", "pairs", "share"}}}, "unknown": {kind: n}}``.

    Returns:
        split, shared (the kind), between, groups (found in both subsets), pairs (of the later
        subset, in such groups), share (of the later subset), unknown (pairs of the whole split
        whose article, case ... is unknown). Where it is unknown of all pairs, the measurement does
        not apply and its cells are empty.
    """
    rows = [
        {
            "split": report["split"],
            "shared": kind,
            "between": between,
            **(shared(report, kind, between) or {}),
            "unknown": report.get("unknown", {}).get(kind, 0),
        }
        for report in reports
        for kind in report["kinds"]
        for between in report["kinds"][kind]
    ]
    columns = ["split", "shared", "between", "groups", "pairs", "share", "unknown"]
    return pd.DataFrame(rows, columns=columns).astype({"groups": "Int64", "pairs": "Int64"})


def shared(report: Mapping[str, Any], kind: str, between: str) -> Mapping[str, Any] | None:
    """Return what one leakage.json says two subsets share, or None if nothing could be shared.

    That is so where the article, case ... of every pair is unknown: to share nothing, and to be
    unable to tell, are two things.
    """
    unknown = report.get("unknown", {}).get(kind, 0)
    nothing_known = unknown > 0 and unknown >= sum(report["pairs"].values())
    return None if nothing_known else report["kinds"][kind][between]
