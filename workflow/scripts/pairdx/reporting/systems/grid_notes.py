"""What is said below a grid: its conditions, the count of verdicts, combined tests, what lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.evaluation.mean_gains import (
    BASELINE,
    BETTER,
    NOT_TOLD_APART,
    WORSE,
    combined_p,
    is_mean,
)
from pairdx.reporting.format.labels import Datasets, systems_note
from pairdx.reporting.systems.grids import PLUS_MINUS, Grid, Row, Statements, place_title
from pairdx.reporting.systems.system_tests import SIGNIFICANCE, p_value
from pairdx.tasks.base import Metric

MEANS_NOTE = (
    "Means of the test sets, that of the data that systems are trained on among them: each counts "
    "the same. Their intervals add up what the choice of cases "
    "does in each, and take trainings that are better on one test set for better on all."
)


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
        stated: What the paper states of the grid as a whole: ``combined_p`` and ``mean_gains``, if
            it does.
        resamples: Number of resamples of the cases.
        conditions: How the paper's numbers came about; None where there is no paper.
        alone: Datasets in which every test pair is a case of its own.
    """
    means = bool(is_mean(table["dataset"]).any())
    table = table[~is_mean(table["dataset"])]
    run = table[table["mean"].notna()]
    demo = systems_note(registry[name] for name in dict.fromkeys(run["system"]))
    baseline = grid["columns"][grid["baseline"]]
    notes = [*([demo] if demo else [])]
    unit, differences = (", in percent", "in points, ") if metric.percent else ("", "")
    notes.append(
        f"{metric.title} of the test pairs, mean {PLUS_MINUS} standard deviation over seeds "
        f"(with the divisor n - 1){unit}. Behind it the "
        f"difference to {baseline} on the same test pairs, {differences}with its 95 % "
        "interval: cases (patients or "
        f"slides where the data name them) are resampled {resamples:,} times, the same for both, "
        "and the variance between trainings is added, with Student's quantile of so few. Better, "
        f"worse: its p is below {SIGNIFICANCE}, not corrected for the number of cells. One seed: "
        "nothing can be said about the method."
    )
    notes += [MEANS_NOTE] if means else []
    notes += [
        f"The paper states: {one['stated']} ({one['place']})."
        for one in stated.get("mean_gains", {}).values()
    ]
    if alone:
        titles = ", ".join(str(datasets[name]["title"]) for name in alone)
        notes.append(
            f"{titles}: every test pair is a case of its own. If that is because the data name no "
            "patients or slides, and several pairs are of one, intervals are too narrow and "
            "verdicts too sure."
        )
    # The test of all means together takes them for means of different trainings.
    combined = [] if means else _combined(table, grid, stated)
    notes += [_sizes(run, datasets), _verdicts(run, grid), *combined]
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
