"""Grids for reading: backbones down, datasets and ways across, as papers print them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.evaluation.mean_gains import BASELINE, MEAN, is_mean
from pairdx.plan.grids import ASKED
from pairdx.reporting.format.labels import Datasets, readable, stand_in_mark
from pairdx.reporting.format.markdown import paper_percent, with_minus
from pairdx.tasks.base import Metric

ARROW, PLUS_MINUS = "\N{RIGHTWARDS ARROW}", "\N{PLUS-MINUS SIGN}"
# Of a grid: title, metric, baseline, titles of its columns and rows.
Grid = Mapping[str, Any]
Row = Mapping[str, Any]
Registry = Mapping[str, Row]
Statements = Mapping[str, Any]


def place_title(dataset: str, split: str, datasets: Datasets) -> str:
    """Name a dataset and its split."""
    return f"{datasets[dataset]['title']}, {readable(split).lower()} split"


def with_means(grid: Grid, datasets: Datasets, table: pd.DataFrame) -> tuple[Grid, Datasets]:
    """Add the means over test sets, and over backbones, to a grid's words, where there are any.

    Args:
        grid: Its words.
        datasets: title of every test set.
        table: What ``grid_table`` returned.
    """
    means = dict.fromkeys(table.loc[is_mean(table["dataset"]), "dataset"])
    if not means:
        return grid, datasets
    several = f"Mean of {len(grid['rows'])} backbones"
    rows = {MEAN: several} if (table["row"] == MEAN).any() else {}
    titles = {}
    for name in means:
        home = name.split(ASKED)[0]
        trained = "" if len(means) == 1 else f", trained on {_title_of(home, datasets)}"
        titles[name] = {"title": f"Mean of the test sets{trained}"}
    return {**grid, "rows": {**grid["rows"], **rows}}, {**datasets, **titles}


def _title_of(home: str, datasets: Datasets) -> str:
    """Return the title of a dataset that is trained on, and perhaps no test set itself."""
    if home in datasets:
        return str(datasets[home]["title"])
    elsewhere = next(str(one["title"]) for name, one in datasets.items() if name.startswith(home))
    return elsewhere.split(f" {ARROW}")[0]


def row_titles(table: pd.DataFrame, grid: Grid, registry: Registry) -> dict[str, str]:
    """Return the titles of a grid's rows, marked where systems that were run are stand-ins.

    Args:
        table: What ``grid_table`` returned.
        grid: Its words.
        registry: trained and stand_in of every system that was run.
    """
    run = table[table["mean"].notna() & ~is_mean(table["dataset"])]
    titles = {}
    for key, title in grid["rows"].items():
        marks = [stand_in_mark(registry[name]) for name in run.loc[run["row"] == key, "system"]]
        partly = " (in part stand-ins)" if any(marks) else ""
        mixed = " (stand-ins)" if marks and all(marks) else partly
        titles[key] = title + (marks[0] if marks and len(set(marks)) == 1 else mixed)
    return titles


def grid_for_reading(
    table: pd.DataFrame,
    grid: Grid,
    datasets: Datasets,
    metric: Metric[Any, Any],
    registry: Registry,
) -> pd.DataFrame:
    """Write a grid as papers print theirs: ``94.24 ± 0.14 → 95.49 ± 0.27``, and the difference.

    Of systems asked about several test sets: :func:`by_test_set`.

    A row per backbone, and below it the paper's where it states any of it; a column per dataset,
    split and way, each beside the baseline. Empty where nothing was run.

    Args:
        table: What ``grid_table`` returned.
        grid: Its words.
        datasets: title of every dataset.
        metric: The declaration of its metric.
        registry: trained and stand_in of every system that was run.
    """
    if is_mean(table["dataset"]).any():
        return by_test_set(table, grid, datasets, metric, registry)
    listed: list[Row] = table.to_dict("records")  # type: ignore[assignment]
    cells = {(row["row"], row["dataset"], row["split"], row["column"]): row for row in listed}
    places = list(dict.fromkeys(zip(table["dataset"], table["split"], strict=True)))
    ways = [name for name in grid["columns"] if name != grid["baseline"]] or [grid["baseline"]]
    titles = row_titles(table, grid, registry)
    rows: list[dict[str, str | None]] = []
    for key, title in grid["rows"].items():
        ours: dict[str, str | None] = {"Backbone": titles[key]}
        theirs: dict[str, str | None] = {"Backbone": f"{title}, paper"}
        for dataset, split in places:
            for way in ways:
                heading = _heading(grid, way, place_title(dataset, split, datasets))
                first = cells.get((key, dataset, split, grid["baseline"]))
                own = cells.get((key, dataset, split, way))
                ours[heading] = _ours(first, own, metric)
                theirs[heading] = _theirs(first, own)
        rows.append(ours)
        if any(value for name, value in theirs.items() if name != "Backbone"):
            rows.append(theirs)
    return pd.DataFrame(rows)


def by_test_set(
    table: pd.DataFrame,
    grid: Grid,
    datasets: Datasets,
    metric: Metric[Any, Any],
    registry: Registry,
) -> pd.DataFrame:
    """Write a grid of many test sets: a row per backbone and test set, a column per way.

    Each way stands with its difference to the baseline, as in ``0.812 ± 0.004; +0.031 (0.020 to
    0.042), better``. Backbones of which nothing was run are left out.

    Args:
        table: What ``grid_table`` returned.
        grid: Its words.
        datasets: title of every test set.
        metric: The declaration of its metric.
        registry: trained and stand_in of every system that was run.
    """
    listed: list[Row] = table[table["mean"].notna()].to_dict("records")  # type: ignore[assignment]
    cells = {(row["row"], row["dataset"], row["split"], row["column"]): row for row in listed}
    titles = row_titles(table, grid, registry)
    places = dict.fromkeys((row["row"], row["dataset"], row["split"]) for row in listed)
    order = list(grid["rows"])
    several = len({split for *_, split in places}) > 1
    rows: list[dict[str, str | None]] = []
    for key, dataset, split in sorted(places, key=lambda place: order.index(place[0])):
        title = str(datasets[dataset]["title"])
        own: dict[str, str | None] = {
            "Backbone": titles[key],
            "Test set": place_title(dataset, split, datasets) if several else title,
        }
        for way, heading in grid["columns"].items():
            own[heading] = _beside_baseline(cells.get((key, dataset, split, way)), metric)
        rows.append(own)
    return pd.DataFrame(rows)


def _beside_baseline(way: Row | None, metric: Metric[Any, Any]) -> str | None:
    if way is None:
        return None
    own = _with_spread(way["mean"], way["standard_deviation"], metric)
    if pd.isna(way["difference"]):
        return own
    return f"{own}; {_difference(way, metric)}, {way['verdict']}"


def _heading(grid: Grid, way: str, dataset: str) -> str:
    columns = grid["columns"]
    if way == grid["baseline"]:
        return f"{dataset}: {columns[way]}"
    return f"{dataset}: {columns[grid['baseline']]} {ARROW} {columns[way]}"


def _ours(baseline: Row | None, way: Row | None, metric: Metric[Any, Any]) -> str | None:
    if way is None or pd.isna(way["mean"]):
        return None
    own = _with_spread(way["mean"], way["standard_deviation"], metric)
    if way["verdict"] == BASELINE:
        return own
    if baseline is None or pd.isna(baseline["mean"]):
        return f"{ARROW} {own}"
    first = _with_spread(baseline["mean"], baseline["standard_deviation"], metric)
    found = f"{first} {ARROW} {own}; {_difference(way, metric)}"
    return f"{found}, {way['verdict']}"


def _difference(way: Row, metric: Metric[Any, Any]) -> str:
    """Write a difference with as many decimals as the means, and its interval if it has one."""
    scale, decimals = (100, 2) if metric.percent else (1, 3)
    value, *bounds = (scale * way[f"difference{end}"] for end in ("", "_low", "_high"))
    low, high = (f"{bound:.{decimals}f}" for bound in bounds)
    interval = "" if pd.isna(bounds).any() else f" ({low} to {high})"
    return with_minus(f"{_signed(value, decimals)}{interval}")


def _signed(value: float, decimals: int) -> str:
    rounded = round(value, decimals)
    return f"{'+' if rounded > 0 else ''}{rounded + 0.0:.{decimals}f}"


def _with_spread(mean: float, spread: float, metric: Metric[Any, Any]) -> str:
    write = (lambda value: f"{100 * value:.2f}") if metric.percent else "{:.3f}".format
    return write(mean) if pd.isna(spread) else f"{write(mean)} {PLUS_MINUS} {write(spread)}"


def _theirs(baseline: Row | None, way: Row | None) -> str | None:
    if way is None or pd.isna(way.get("paper")):
        return None
    own = _printed(way)
    if baseline is None or pd.isna(baseline["paper"]) or way["column"] == baseline["column"]:
        return own
    difference = with_minus(_signed(100 * way["paper_difference"], 2))
    return f"{_printed(baseline)} {ARROW} {own}; {difference}"


def _printed(row: Row) -> str:
    spread = row["paper_standard_deviation"]
    if pd.isna(spread):
        return paper_percent(row["paper"])
    return f"{100 * row['paper']:.2f} {PLUS_MINUS} {100 * spread:.2f}"
