"""Every metric of every system: the mean over seeds, their spread, and the test set's interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from pairdx.evaluation.seeds import metrics_over_seeds
from pairdx.reporting.comparison import Cell, Registry
from pairdx.reporting.labels import demo_note, readable, system_title
from pairdx.reporting.markdown import percent

TITLE = "Every metric: mean and spread over seeds, and interval of the test set"
COLUMNS = ("split", "model", "metric", "seeds", "mean", "standard_deviation", "low", "high")


def _decimals(value: float) -> str:
    return f"{value:.3f}"


# How each metric is called and written.
METRICS: dict[str, tuple[str, Callable[[float], str]]] = {
    "accuracy": ("Accuracy, %", percent),
    "balanced_accuracy": ("Balanced accuracy, %", percent),
    "macro_f1": ("Macro F1, %", percent),
    "weighted_f1": ("Weighted F1, %", percent),
    "macro_auroc": ("AUROC, macro", _decimals),
    "macro_average_precision": ("Average precision, macro", _decimals),
    "brier_score": ("Brier score", _decimals),
    "expected_calibration_error": ("Expected calibration error", _decimals),
}


def seeds_table(
    cells: Sequence[Cell], registry: Registry, *, resamples: int, seed: int, level: float = 0.95
) -> pd.DataFrame:
    """Build tables/seeds.csv: one row per split, system and metric, systems in registry order.

    The standard deviation is that of a sample of seeds, empty for one seed; low and high are the
    bootstrap interval over test cases of the mean over seeds (see ``metrics_over_seeds``).

    Args:
        cells: The results; splits stand in the order in which they first appear.
        registry: The ``models`` section of the configuration.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        level: Coverage of the interval.
    """
    splits = list(dict.fromkeys(cell.split for cell in cells))
    models = list(registry)
    ordered = sorted(cells, key=lambda cell: (splits.index(cell.split), models.index(cell.model)))
    rows = [
        {"split": cell.split, "model": cell.model, "metric": metric, **values}
        for cell in ordered
        for metric, values in metrics_over_seeds(
            cell.predictions,
            cell.metrics[0]["classes"],
            resamples=resamples,
            seed=seed,
            level=level,
        ).items()
    ]
    numbers = dict.fromkeys(("mean", "standard_deviation", "low", "high"), "float64")
    return pd.DataFrame(rows, columns=COLUMNS).astype(numbers)


def seeds_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the numbers as text, one metric after the other, each split's systems together."""
    order = table["metric"].map(list(METRICS).index).sort_values(kind="stable").index
    table = table.loc[order]
    shown = {
        "Metric": [METRICS[name][0] for name in table["metric"]],
        "Split": [readable(name) for name in table["split"]],
        "System": [system_title(name, registry) for name in table["model"]],
        "Seeds": list(table["seeds"]),
        "Mean": _written(table, "mean"),
        "Standard deviation over seeds": _written(table, "standard_deviation"),
        "Test-set interval, low": _written(table, "low"),
        "Test-set interval, high": _written(table, "high"),
    }
    return pd.DataFrame(shown)


def _written(table: pd.DataFrame, column: str) -> list[str | None]:
    return [
        None if pd.isna(value) else METRICS[metric][1](float(value))
        for metric, value in zip(table["metric"], table[column], strict=True)
    ]


def seeds_notes(cells: Sequence[Cell], registry: Registry) -> list[str]:
    """State what the two kinds of uncertainty are, and how metrics are defined."""
    demo = demo_note(registry[cell.model] for cell in cells)
    interval = cells[0].metrics[0]["interval"]
    return [
        *([demo] if demo else []),
        "Standard deviation over seeds: how much the result differs between trainings, on the same "
        "test pairs; empty where there is one seed, as for systems without randomness.",
        f"Test-set interval: {interval['method']}, {100 * interval['level']:g} %, "
        f"{interval['resamples']} resamples, of the mean over seeds with the trained weights held "
        "fixed. It does not contain the spread over seeds, nor the spread the interval. Brier "
        "score and calibration error are no shares: percentile bootstrap over cases.",
        "AUROC and average precision: one class against the rest, averaged over classes. Brier "
        "score: mean squared distance of the probabilities to the one-hot true class, 0 (certain "
        "and right) to 2 (certain and wrong). Expected calibration error: "
        f"{cells[0].metrics[0]['calibration_bins']} bins; resampling biases it upwards, so that "
        "its interval can lie above its value.",
    ]
