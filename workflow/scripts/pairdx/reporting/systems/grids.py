"""Grids for reading: backbones down, datasets and ways across, as papers print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.evaluation.grids import BASELINE, BETTER, NOT_TOLD_APART, WORSE, combined_p
from pairdx.reporting.format.labels import Datasets, readable, stand_in_mark, stand_in_note
from pairdx.reporting.format.markdown import paper_percent, with_minus
from pairdx.reporting.systems.system_tests import SIGNIFICANCE, p_value
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


def row_titles(table: pd.DataFrame, grid: Grid, registry: Registry) -> dict[str, str]:
    """Return the titles of a grid's rows, marked where systems that were run are stand-ins.

    Args:
        table: What ``grid_table`` returned.
        grid: Its words.
        registry: trained and stand_in of every system that was run.
    """
    run = table[table["mean"].notna()]
    titles = {}
    for key, title in grid["rows"].items():
        marks = [stand_in_mark(registry[name]) for name in run.loc[run["row"] == key, "system"]]
        partly = " (in part stand-ins)" if any(marks) else ""
        titles[key] = title + (marks[0] if marks and len(set(marks)) == 1 else partly)
    return titles


def grid_for_reading(
    table: pd.DataFrame,
    grid: Grid,
    datasets: Datasets,
    metric: Metric[Any, Any],
    registry: Registry,
) -> pd.DataFrame:
    """Write a grid as papers print theirs: ``94.24 ± 0.14 → 95.49 ± 0.27``, and the difference.

    A row per backbone, and below it the paper's where it states any of it; a column per dataset,
    split and way, each beside the baseline. Empty where nothing was run.

    Args:
        table: What ``grid_table`` returned.
        grid: Its words.
        datasets: title of every dataset.
        metric: The declaration of its metric.
        registry: trained and stand_in of every system that was run.
    """
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


def grid_notes(
    table: pd.DataFrame,
    grid: Grid,
    datasets: Datasets,
    registry: Mapping[str, Row],
    metric: Metric[Any, Any],
    stated: Statements,
    *,
    resamples: int,
    conditions: str | None = None,
    alone: Sequence[str] = (),
) -> list[str]:
    """State the conditions of a grid, the combined tests, the count of verdicts, and what lacks.

    Args:
        table: What ``grid_table`` returned.
        grid: Its words.
        datasets: title of every dataset.
        registry: stand_in of every system.
        metric: The declaration of its metric.
        stated: What the paper states of the grid as a whole: ``combined_p``, if it does.
        resamples: Number of resamples of the cases.
        conditions: How the paper's numbers came about; None where there is no paper.
        alone: Datasets in which every test pair is a case of its own.
    """
    run = table[table["mean"].notna()]
    demo = stand_in_note(registry[name] for name in dict.fromkeys(run["system"]))
    baseline = grid["columns"][grid["baseline"]]
    notes = [*([demo] if demo else [])]
    means, differences = (", in percent", "in points, ") if metric.percent else ("", "")
    notes.append(
        f"{metric.title} of the test pairs, mean {PLUS_MINUS} standard deviation over seeds "
        f"(with the divisor n - 1){means}. Behind it the "
        f"difference to {baseline} on the same test pairs, {differences}with its 95 % "
        "interval: cases (patients or "
        f"slides where the data name them) are resampled {resamples:,} times, the same for both, "
        "and the variance between trainings is added, with Student's quantile of so few. Better, "
        f"worse: its p is below {SIGNIFICANCE}, not corrected for the number of cells. One seed: "
        "nothing can be said about the method."
    )
    if alone:
        titles = ", ".join(str(datasets[name]["title"]) for name in alone)
        notes.append(
            f"{titles}: every test pair is a case of its own. If that is because the data name no "
            "patients or slides, and several pairs are of one, intervals are too narrow and "
            "verdicts too sure."
        )
    notes += [_sizes(run, datasets), _verdicts(run, grid), *_combined(table, grid, stated)]
    if "paper" in table and table["paper"].notna().any():
        notes += [conditions] if conditions else []
        places = dict.fromkeys(table["paper_place"].dropna())
        notes.append(f"The paper's numbers: {'; '.join(places)}.")
    return [note for note in notes if note] + left_out_notes(table, grid, datasets)


def size_of(place: pd.DataFrame) -> str:
    """Count seeds and test cases of what was run on one split: ``2 seeds, 12 test cases``."""
    counts = []
    for name, one, many in (("seeds", "seed", "seeds"), ("cases", "test case", "test cases")):
        low, high = place[name].min(), place[name].max()
        counts.append(f"{low:,} {one if low == 1 else many}")
        if low != high:
            counts[-1] = f"{low:,} to {high:,} {many}"
    return ", ".join(counts)


def _sizes(run: pd.DataFrame, datasets: Datasets) -> str:
    places = dict.fromkeys(zip(run["dataset"], run["split"], strict=True))
    found = [
        f"{place_title(dataset, split, datasets)}: "
        f"{size_of(run[(run['dataset'] == dataset) & (run['split'] == split)])}"
        for dataset, split in places
    ]
    return f"{'; '.join(found)}." if found else ""


def _verdicts(run: pd.DataFrame, grid: Grid) -> str:
    """Count our own verdicts, way by way."""
    counts = []
    for way, title in grid["columns"].items():
        of_way = run.loc[(run["column"] == way) & (run["verdict"] != BASELINE), "verdict"]
        if len(of_way):
            shown = dict.fromkeys([BETTER, WORSE, NOT_TOLD_APART, *of_way])
            found = ", ".join(f"{one} {int((of_way == one).sum())}" for one in shown)
            cells = "1 cell" if len(of_way) == 1 else f"{len(of_way)} cells"
            counts.append(f"{title} in {cells}: {found}")
    return f"Our verdicts. {'; '.join(counts)}." if counts else ""


def _combined(table: pd.DataFrame, grid: Grid, stated: Statements) -> list[str]:
    """Test every way over all means together, as papers do, and say what that takes for granted."""
    notes = []
    for way, title in grid["columns"].items():
        if way == grid["baseline"]:
            continue
        ours, theirs = (_combined_over(table, way, grid, name) for name in ("mean", "paper"))
        parts = []
        if ours.p is not None:
            parts.append(f"ours p = {_exactly(ours.p)} of {ours.means} means")
        if theirs.p is not None:
            parts.append(f"the paper's printed means p = {_exactly(theirs.p)} of {theirs.means}")
            printed = stated.get("combined_p")
            if printed:
                parts.append(f"the paper prints {printed['value']:.3g} ({printed['place']})")
        if parts:
            notes.append(f"{title} over all rows and datasets together: {'; '.join(parts)}.")
    if notes:
        notes.append(
            "Over all together: the paired two-sided t-test over the means of row and dataset. It "
            "takes them for independent and equally exact, although rows of one dataset share its "
            "test pairs and its training pairs: its p is smaller than what the data can say."
        )
    return notes


def _combined_over(table: pd.DataFrame, way: str, grid: Grid, value: str) -> Any:
    if value not in table:
        return combined_p([], [])
    keys = ["row", "dataset", "split"]
    sides = [
        table[table["column"] == column].set_index(keys)[value].dropna()
        for column in (way, grid["baseline"])
    ]
    both = sides[0].index.intersection(sides[1].index, sort=False)
    if not _are_apart(both, table[table["column"] == grid["baseline"]]):
        return combined_p([], [])
    first, second = (side.loc[both].tolist() for side in sides)
    return combined_p(first, second)


def _are_apart(means: pd.Index, baseline: pd.DataFrame) -> bool:
    """Say whether means are of different trainings: else what one has by chance, others have too.

    Rows of ablations share their baseline, and two splits the pairs of a dataset.
    """
    keys = pd.DataFrame(list(means), columns=["row", "dataset", "split"])
    compared = baseline.merge(keys, on=["row", "dataset", "split"])
    alone = not compared.duplicated(["dataset", "split", "system"]).any()
    return bool(alone and not keys.duplicated(["row", "dataset"]).any())


def _exactly(p: float) -> str:
    return str(p_value(p)) if p >= 0.0005 else f"{p:.2e}"


def left_out_notes(table: pd.DataFrame, grid: Grid, datasets: Datasets) -> list[str]:
    """Name the cells that were not run, with the reason, those of one reason together."""
    of_reason: dict[str, dict[str, list[Row]]] = {}
    rows: list[Row] = table[table["left_out"].notna()].to_dict("records")  # type: ignore[assignment]
    for row in rows:
        reason = row["left_out"].replace(f"systems.{row['system']}.", "systems.NAME.")
        of_reason.setdefault(reason, {}).setdefault(row["row"], []).append(row)
    notes = []
    for reason, of_rows in of_reason.items():
        systems = dict.fromkeys(row["system"] for own in of_rows.values() for row in own)
        cells = []
        for name, own in of_rows.items():
            ways = dict.fromkeys(grid["columns"][row["column"]] for row in own)
            homes = dict.fromkeys(str(datasets[row["dataset"]]["title"]) for row in own)
            cells.append(f"{grid['rows'][name]} ({', '.join(ways)}) on {', '.join(homes)}")
        notes.append(f"Not run: {'; '.join(cells)}. {reason} (NAME: {', '.join(systems)}).")
    return notes
