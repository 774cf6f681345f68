"""The learning-rate search: which rate is chosen, what is said about it, and its figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from pairdx.reporting.format.markdown import percent
from pairdx.reporting.format.theme import (
    INK,
    SMALL,
    despine,
    legend_below,
    new_figure,
    style,
    theme,
)

RULE = (
    "the highest validation accuracy of the kept epoch; ties go to the lower validation loss of "
    "that epoch, then to the lower rate"
)
KEPT = {
    "last": "the last one",
    "best": "the one with the lowest validation loss",
}
PANELS = (
    ("validation_loss", 1, "Validation loss"),
    ("validation_accuracy", 100, "Validation accuracy (%)"),
)
MOST_UPRIGHT_LABELS = 5


def search_table(
    learning_rates: Sequence[float], histories: Sequence[pd.DataFrame], *, keep_epoch: str = "last"
) -> pd.DataFrame:
    """Compare trainings with different learning rates on validation pairs, and choose one.

    A training with a loss that is not finite has diverged: its cells are empty, and it is never
    chosen. If all have, none is.

    Args:
        learning_rates: One rate per training, each once.
        histories: training.csv of every training: epoch, train_loss, validation_loss,
            validation_accuracy (a fraction of 1), seconds.
        keep_epoch: Whose weights training keeps: those of the ``last`` epoch, or of the ``best``,
            which has the lowest validation loss (the first of equals).

    Returns:
        One row per rate, the lowest first: learning_rate, epochs (those begun), kept_epoch,
        validation_accuracy and validation_loss (of the kept epoch), last_validation_loss (of the
        last epoch), best_epoch (with the lowest validation loss), train_seconds, diverged, chosen.

    Raises:
        ValueError: ``keep_epoch`` is neither of the two, or a rate has no training.
    """
    if keep_epoch not in KEPT:
        raise ValueError(f"keep_epoch is {keep_epoch!r}; it must be one of {list(KEPT)}")
    pairs = sorted(zip(learning_rates, histories, strict=True), key=lambda pair: pair[0])
    table = pd.DataFrame([_row(rate, history, keep_epoch) for rate, history in pairs])
    epochs = dict.fromkeys(("epochs", "kept_epoch", "best_epoch"), "Int64")
    table = table.astype(epochs | {"diverged": "bool"})
    # The rates ascend, and the sort is stable.
    order = table[~table["diverged"]].sort_values(
        ["validation_accuracy", "validation_loss"], ascending=[False, True], kind="stable"
    )
    return table.assign(chosen=table.index.isin(order.index[:1]))


def _row(rate: float, history: pd.DataFrame, keep_epoch: str) -> dict[str, Any]:
    losses = history[["train_loss", "validation_loss"]].to_numpy(dtype=np.float64)
    diverged = not np.isfinite(losses).all()
    row: dict[str, Any] = {
        "learning_rate": float(rate),
        "epochs": int(history["epoch"].max()),
        "kept_epoch": pd.NA,
        "validation_accuracy": np.nan,
        "validation_loss": np.nan,
        "last_validation_loss": np.nan,
        "best_epoch": pd.NA,
        "train_seconds": np.nan,
        "diverged": diverged,
    }
    if diverged:
        return row
    last, best = history.iloc[-1], history.iloc[int(np.argmin(losses[:, 1]))]
    kept = last if keep_epoch == "last" else best
    return row | {
        "kept_epoch": int(kept["epoch"]),
        "validation_accuracy": float(kept["validation_accuracy"]),
        "validation_loss": float(kept["validation_loss"]),
        "last_validation_loss": float(last["validation_loss"]),
        "best_epoch": int(best["epoch"]),
        "train_seconds": float(history["seconds"].sum()),
    }


def written(rate: float) -> str:
    """Write a learning rate as YAML reads it back as a number: 1.0e-05, not 1e-05."""
    return str(yaml.safe_dump(float(rate))).split("\n", 1)[0]


def overlay_line(system: str, rate: float) -> str:
    """Return the line of YAML that gives a system this learning rate."""
    return f"systems: {{{system}: {{settings: {{learning_rate: {written(rate)}}}}}}}"


def search_notes(table: pd.DataFrame, system: str, *, keep_epoch: str = "last") -> list[str]:
    """Say which rate was chosen, by which rule, how to use it, and what to beware of.

    Args:
        table: What :func:`search_table` returned.
        system: The searched system's key in the registry.
        keep_epoch: As given to :func:`search_table`.
    """
    diverged = [written(rate) for rate in table.loc[table["diverged"], "learning_rate"]]
    notes = [f"Diverged (a loss that is not finite): {', '.join(diverged)}."] if diverged else []
    if not table["chosen"].any():
        lower = written(table["learning_rate"].min() / 10)
        return [
            *notes,
            "No rate is chosen: every training diverged. Try lower rates, such as "
            f"{lower}, in learning_rate_search.learning_rates.",
        ]
    row = table[table["chosen"]].iloc[0]
    rate = row["learning_rate"]
    return [
        f"Chosen: {written(rate)}, with a validation accuracy of "
        f"{percent(row['validation_accuracy'])} %. The rule: {RULE}. The kept epoch is "
        f"{KEPT[keep_epoch]}. No test pair was looked at.",
        f"To use it, put this line into an overlay: {overlay_line(system, rate)}",
        *_note_on_ends(table["learning_rate"], rate),
        *notes,
    ]


def _note_on_ends(rates: pd.Series, chosen: float) -> list[str]:
    if len(rates) == 1:
        return [
            "It is the only rate that was tried, so that nothing was compared: add lower and "
            "higher ones to learning_rate_search.learning_rates."
        ]
    ends = {rates.min(): ("lower", "lower"), rates.max(): ("upper", "higher")}
    if chosen not in ends:
        return []
    end, beyond = ends[chosen]
    return [
        f"It lies at the {end} end of the list, and a better one may lie beyond: widen "
        f"learning_rate_search.learning_rates by {beyond} rates and run the search again; the "
        "trainings that are done stay."
    ]


def table_for_reading(table: pd.DataFrame) -> pd.DataFrame:
    """Write rates as an overlay needs them, and the outcome in words."""
    outcome = np.select([table["chosen"], table["diverged"]], ["chosen", "diverged"], "")
    rates = [written(rate) for rate in table["learning_rate"]]
    return table.drop(columns=["diverged", "chosen"]).assign(learning_rate=rates, outcome=outcome)


@theme()
def search_figure(table: pd.DataFrame, *, title: str, note: str | None = None) -> Figure:
    """Draw validation loss and accuracy of the kept epoch against the learning rate.

    The chosen rate is ringed and named; a rate that diverged is a cross at the foot.

    Args:
        table: What :func:`search_table` returned.
        title: Title of the figure.
        note: Small print under it.
    """
    figure = new_figure(2.9, title=title, note=note)
    panels = figure.subplots(1, 2)
    for panel, (column, scale, label) in zip(panels, PANELS, strict=True):
        _rates_axis(panel, table["learning_rate"])
        _curve(panel, table, column, scale)
        panel.set(xlabel="Learning rate", ylabel=label)
        despine(panel)
    legend_below(figure, panels[0], columns=3)
    return figure


def _curve(panel: Axes, table: pd.DataFrame, column: str, scale: float) -> None:
    look = style(0)
    trained, chosen = table[~table["diverged"]], table[table["chosen"]]
    diverged = table.loc[table["diverged"], "learning_rate"]
    if len(chosen):
        panel.plot(
            trained["learning_rate"], scale * trained[column],
            color=look.colour, marker=look.marker, linestyle=look.line, lw=1.4, markersize=4.5,
            label="Kept epoch",
        )  # fmt: skip
        rate, value = chosen["learning_rate"].iloc[0], scale * chosen[column].iloc[0]
        panel.axvline(rate, color=INK, lw=0.9, linestyle=":", zorder=1)
        panel.plot(
            rate, value,
            marker="o", markersize=11, markerfacecolor="none", markeredgecolor=INK,
            markeredgewidth=1.3, linestyle="none", label=f"Chosen: {written(rate)}",
        )  # fmt: skip
    else:
        panel.set_yticks([])
    if len(diverged):
        panel.plot(
            diverged, np.full(len(diverged), 0.05), transform=panel.get_xaxis_transform(),
            marker="X", markersize=7, color=INK, linestyle="none", label="Diverged",
        )  # fmt: skip
    panel.margins(y=0.16)


def _rates_axis(panel: Axes, rates: pd.Series) -> None:
    """Set one tick per rate that was tried, and no other."""
    panel.set_xscale("log")
    many = len(rates) > MOST_UPRIGHT_LABELS
    room = max(2.0, (rates.max() / rates.min()) ** 0.12)
    panel.set_xlim(rates.min() / room, rates.max() * room)
    panel.set_xticks(rates, [written(rate) for rate in rates])
    panel.tick_params(axis="x", labelsize=SMALL, rotation=45 if many else 0)
    panel.xaxis.set_minor_locator(NullLocator())
    panel.grid(axis="x", visible=False)


def circumstances(facts: Mapping[str, Any]) -> str:
    """Say on what the trainings were made.

    Args:
        facts: split, and seed, the one seed of all trainings.
    """
    return (
        f"One training per rate, with seed {facts['seed']}, on the {facts['split']} split; "
        "differences of a few validation pairs may be chance."
    )
