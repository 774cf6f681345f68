"""The learning-rate search chooses on validation pairs, by its rule, and never what diverged."""

from __future__ import annotations

import math

import pandas as pd
import pytest
import yaml

from pairdx.reporting.format.markdown import as_markdown
from pairdx.reporting.systems.learning_rates import (
    overlay_line,
    search_notes,
    search_table,
    table_for_reading,
    written,
)
from reporting_samples import history_of


def chosen(table: pd.DataFrame) -> list[float]:
    return table.loc[table["chosen"], "learning_rate"].tolist()


def notes_of(table: pd.DataFrame) -> str:
    return "\n".join(search_notes(table, "pairdx_clip"))


def test_the_highest_validation_accuracy_of_the_last_epoch_wins() -> None:
    """Whatever an earlier epoch, the loss or the order of the list says."""
    histories = [
        history_of([0.9, 0.5], [0.9, 0.80]),
        history_of([0.4, 0.3], [0.95, 0.85]),  # the best epoch of all, but not the last
        history_of([0.9, 0.8], [0.5, 0.90]),
    ]
    table = search_table([3e-5, 1e-6, 1e-5], histories)
    assert table["learning_rate"].tolist() == [1e-6, 1e-5, 3e-5]
    assert chosen(table) == [1e-5]
    row = table.set_index("learning_rate").loc[1e-6]
    assert row["epochs"] == row["kept_epoch"] == row["best_epoch"] == 2
    assert row["train_seconds"] == 20.0
    assert row["last_validation_loss"] == row["validation_loss"] == 0.3


def test_keeping_the_best_epoch_compares_best_epochs() -> None:
    """The kept epoch has the lowest validation loss; the last one's loss is still told."""
    histories = [
        history_of([0.2, 0.3, 0.9], [0.8, 0.95, 0.9]),  # keeps epoch 1, with 0.8
        history_of([0.6, 0.5, 0.4], [0.5, 0.6, 0.85]),
    ]
    last = search_table([1e-6, 1e-5], histories)
    best = search_table([1e-6, 1e-5], histories, keep_epoch="best")
    assert chosen(last) == [1e-6]
    assert chosen(best) == [1e-5]
    assert best["kept_epoch"].tolist() == best["best_epoch"].tolist() == [1, 3]
    assert best["validation_accuracy"].tolist() == [0.8, 0.85]
    assert best["validation_loss"].tolist() == [0.2, 0.4]
    assert best["last_validation_loss"].tolist() == [0.9, 0.4]
    with pytest.raises(ValueError, match="keep_epoch"):
        search_table([1e-6, 1e-5], histories, keep_epoch="first")


def test_ties_go_to_the_lower_validation_loss_and_then_to_the_lower_rate() -> None:
    worse, better = history_of([0.5], [0.8]), history_of([0.4], [0.8])
    assert chosen(search_table([1e-6, 1e-5, 1e-4], [worse, better, worse])) == [1e-5]
    assert chosen(search_table([1e-4, 1e-5, 1e-6], [better, better, worse])) == [1e-5]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_rate_that_diverged_is_never_chosen(loss: float) -> None:
    """Even if its accuracy is the highest: the network behind it is none."""
    histories = [history_of([0.5, 0.4], [0.6, 0.7]), history_of([0.5, loss], [0.9, 0.99])]
    for keep_epoch in ("last", "best"):
        table = search_table([1e-6, 1e-5], histories, keep_epoch=keep_epoch)
        assert chosen(table) == [1e-6]
        row = table.iloc[1]
        assert row["diverged"]
        assert row["epochs"] == 2
        assert row[["validation_accuracy", "validation_loss", "train_seconds"]].isna().all()
        assert "Diverged (a loss that is not finite): 1.0e-05." in notes_of(table)
        assert "end of the list" in notes_of(table)  # 1e-6 is the lowest


def test_a_chosen_rate_below_one_that_diverged_is_not_at_the_end() -> None:
    histories = [
        history_of([0.5], [0.6]),
        history_of([0.5], [0.7]),
        history_of([math.nan], [math.nan]),
    ]
    table = search_table([1e-6, 1e-5, 1e-4], histories)
    assert chosen(table) == [1e-5]
    assert "end of the list" not in notes_of(table)


def test_where_every_rate_diverged_none_is_chosen_and_the_note_says_what_to_do() -> None:
    table = search_table([1e-3, 1e-2], [history_of([math.nan], [math.nan])] * 2)
    assert chosen(table) == []
    assert "every training diverged" in notes_of(table)
    assert "such as 0.0001" in notes_of(table)
    assert "overlay" not in notes_of(table)
    assert table_for_reading(table)["outcome"].tolist() == ["diverged"] * 2


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [([0.9, 0.8, 0.7], "lower end"), ([0.7, 0.8, 0.9], "upper end"), ([0.7, 0.9, 0.8], None)],
)
def test_a_best_rate_at_an_end_of_the_list_asks_for_a_wider_one(
    accuracies: list[float], said: str | None
) -> None:
    table = search_table([1e-6, 1e-5, 1e-4], [history_of([0.5], [value]) for value in accuracies])
    notes = notes_of(table)
    assert ("widen learning_rate_search.learning_rates" in notes) == (said is not None)
    assert said is None or said in notes


def test_one_rate_alone_is_chosen_and_the_note_says_that_nothing_was_compared() -> None:
    table = search_table([1e-5], [history_of([0.5], [0.8])])
    assert chosen(table) == [1e-5]
    assert "nothing was compared" in notes_of(table)


@pytest.mark.parametrize("rate", [1e-5, 3e-6, 1.5e-4, 5e-4, 0.001, 1, 12.5])
def test_the_line_for_an_overlay_gives_that_very_rate(rate: float) -> None:
    """YAML reads 1e-05 as text; what the note says comes back as a number, Markdown or not."""
    setting = {"systems": {"pairdx_clip": {"settings": {"learning_rate": rate}}}}
    assert yaml.safe_load(overlay_line("pairdx_clip", rate)) == setting
    table = search_table([rate], [history_of([0.5], [0.8])])
    page = as_markdown(table_for_reading(table), title="Search", notes=[notes_of(table)])
    assert overlay_line("pairdx_clip", rate) in page
    assert f" {written(rate)} |" in page
