"""Seeds' spread and test-set intervals: kept apart, and the intervals cover what they should."""

from __future__ import annotations

import numpy as np
import pytest

from pairdx.errors import PairDxError
from pairdx.evaluation.accuracy import accuracy_over_seeds
from pairdx.evaluation.intervals import bootstrap_mean, percentile_interval
from pairdx.evaluation.metrics import evaluate
from pairdx.evaluation.scores import resampled, values
from pairdx.evaluation.seeds import metrics_over_seeds
from pairdx.reporting.systems.seeds import seeds_for_reading, seeds_notes, seeds_table
from pairdx.tasks.base import Metric
from pairdx.tasks.single_label.rows import Predictions
from pairdx.tasks.single_label.task import TASK, SingleLabel
from pairdx.tasks.single_label.weighed import Weighed
from reporting_samples import CLASSES, DATASETS, REGISTRY, predictions, three_systems

COVERED = ("accuracy", "macro_average_precision", "brier_score")
TASKS = {"multicare": TASK}
NAMES = [metric.name for metric in TASK.metrics]


def simulated(cases: int, generator: np.random.Generator) -> Predictions:
    """Predictions on cases of one to six pairs, whose difficulty the pairs of a case share."""
    sizes = generator.integers(1, 7, cases)
    case = np.repeat(np.arange(cases), sizes)
    truth = generator.integers(0, 3, len(case))
    ease = np.repeat(generator.normal(1.0, 1.5, cases), sizes)
    logits = generator.normal(0, 0.5, (len(case), 3)) + ease[:, None] * np.eye(3)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(truth, probabilities.argmax(axis=1), probabilities, case, cases)


def accuracy_of_pairs_as_cases(read: Predictions, seed: int) -> np.ndarray:
    """Resampled accuracies, as if every pair were a case of its own."""
    right = (read.truth == read.predicted).astype(float)
    count = len(right)
    return bootstrap_mean(right, np.arange(count), count, resamples=200, seed=seed)


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """200 simulated test sets of 80 cases, 95 % intervals.

    The standard error of a coverage from 200 sets is 1.5 points, and percentile intervals of 80
    cases are known to be a little narrow: 90 to 99 % is accepted. Intervals that take pairs as
    independent fall below that band, so the test can tell.
    """
    generator = np.random.default_rng(11)
    metrics = [metric for metric in TASK.metrics if metric.name in COVERED]
    many = values(TASK, simulated(40_000, generator), metrics)
    truth = {metric.name: float(value) for metric, value in zip(metrics, many, strict=True)}
    covered: dict[str, list[bool]] = {name: [] for name in (*COVERED, "accuracy of pairs")}
    for number in range(200):
        read = simulated(80, generator)
        drawn = resampled(TASK, read, metrics, resamples=200, seed=number)
        by_name = {metric.name: found for metric, found in zip(metrics, drawn, strict=True)}
        by_name["accuracy of pairs"] = accuracy_of_pairs_as_cases(read, seed=number)
        for name, found in by_name.items():
            low, high = percentile_interval(found, 0.95)
            value = truth["accuracy" if "of pairs" in name else name]
            assert low is not None
            assert high is not None
            covered[name].append(low <= value <= high)
    coverage = {name: float(np.mean(hits)) for name, hits in covered.items()}
    assert all(0.90 <= coverage[name] <= 0.99 for name in COVERED), coverage
    assert coverage["accuracy of pairs"] < 0.90, coverage


def test_one_seed_has_the_metrics_and_intervals_of_its_own_file_and_no_spread() -> None:
    table = predictions(0)
    alone = metrics_over_seeds(TASK, [table], CLASSES, resamples=60, seed=3)
    stored = evaluate(TASK, table, CLASSES, resamples=60, seed=3)
    for name, found in alone.items():
        assert found["standard_deviation"] is None
        assert [found[key] for key in ("mean", "low", "high")] == pytest.approx(
            [stored[name][key] for key in ("value", "low", "high")]
        ), name


def test_spread_and_interval_of_several_seeds_are_two_numbers() -> None:
    tables = [predictions(seed) for seed in range(3)]
    accuracies = [float((one["label"] == one["predicted"]).mean()) for one in tables]
    result = metrics_over_seeds(TASK, tables, CLASSES, resamples=300, seed=0)["accuracy"]
    mean = sum(accuracies) / 3
    by_hand = (sum((one - mean) ** 2 for one in accuracies) / 2) ** 0.5
    assert result["seeds"] == 3
    assert result["mean"] == pytest.approx(mean)
    assert result["standard_deviation"] == pytest.approx(by_hand)
    # The interval is the comparison's own.
    compared = accuracy_over_seeds(tables, resamples=300, seed=0)
    assert [result["low"], result["high"]] == pytest.approx([compared["low"], compared["high"]])


def test_the_same_predictions_under_every_seed_have_no_spread_but_an_interval() -> None:
    result = metrics_over_seeds(TASK, [predictions(0)] * 3, CLASSES, resamples=200, seed=0)
    for name in ("accuracy", "macro_f1", "brier_score"):
        assert result[name]["standard_deviation"] == pytest.approx(0, abs=1e-12)
        assert result[name]["low"] < result[name]["mean"] < result[name]["high"]


def test_a_metric_undefined_on_the_test_set_stays_empty() -> None:
    table = predictions(0).assign(label=CLASSES[0])
    result = metrics_over_seeds(TASK, [table, table], CLASSES, resamples=20, seed=0)
    for name in ("macro_auroc", "macro_average_precision"):
        assert {key: result[name][key] for key in ("mean", "standard_deviation", "low")} == {
            "mean": None,
            "standard_deviation": None,
            "low": None,
        }


def test_no_predictions_are_refused() -> None:
    with pytest.raises(PairDxError, match="no predictions"):
        metrics_over_seeds(TASK, [], CLASSES, resamples=5, seed=0)


def test_the_table_holds_every_metric_of_every_system_in_registry_order() -> None:
    cells = three_systems()
    table = seeds_table(TASKS, cells, REGISTRY, resamples=20, seed=0)
    keys = list(dict.fromkeys(zip(table["split"], table["system"], strict=True)))
    assert keys == [
        *(("stratified", name) for name in ("biomedclip", "fusion", "words")),
        *(("grouped", name) for name in ("biomedclip", "fusion")),
    ]
    assert len(table) == len(keys) * len(NAMES)
    assert table.groupby(["split", "system"])["metric"].agg(set).map(set(NAMES).__eq__).all()
    spread = table.set_index(["system", "metric"])["standard_deviation"]
    assert spread["fusion"].notna().all()
    assert spread["biomedclip"].isna().all()


def test_the_table_reads_by_metric_and_says_what_the_two_uncertainties_are() -> None:
    cells = three_systems()
    table = seeds_table(TASKS, cells, REGISTRY, resamples=20, seed=0)
    shown = seeds_for_reading(TASKS, table, REGISTRY, DATASETS)
    assert shown["Metric"].tolist()[:5] == ["Accuracy, %"] * 5
    row = shown[(shown["Metric"] == "Brier score") & (shown["System"] == "PairDxFusion")].iloc[0]
    assert 0 < float(row["Test-set interval, low"]) < float(row["Mean"]) < 2
    notes = " ".join(seeds_notes(TASKS, cells, REGISTRY))
    assert "20 resamples" in notes
    assert "does not contain the spread over seeds" in notes
    assert "Lower is better: Brier score, Expected calibration error." in notes


def test_a_declared_metric_is_in_metrics_json_and_in_the_table_of_seeds_with_its_interval() -> None:
    """One entry is all that a new metric takes."""

    class WithErrorRate(SingleLabel):
        metrics = (
            *SingleLabel.metrics,
            Metric[Predictions, Weighed](
                name="error_rate",
                title="Error rate",
                larger_is_better=False,
                under_weights=lambda weighed: 1 - weighed.hits.sum(axis=1) / weighed.total,
                shares=lambda read: [(np.ones(len(read), dtype=bool),)],
                percent=True,
                decimals=2,
                note="Error rate: share of wrong predictions.",
            ),
        )

    task, cells = WithErrorRate(), three_systems()
    tasks = {"multicare": task}
    stored = evaluate(task, predictions(0), CLASSES, resamples=20, seed=0)
    found, accuracy = stored["error_rate"], stored["accuracy"]
    mirrored = [1 - accuracy[key] for key in ("value", "high", "low")]
    assert [found[key] for key in ("value", "low", "high")] == pytest.approx(mirrored)

    table = seeds_table(tasks, cells, REGISTRY, resamples=20, seed=0)
    rows = table[table["metric"] == "error_rate"]
    assert len(rows) == len(table) / len(task.metrics)
    assert ((rows["low"] < rows["mean"]) & (rows["mean"] < rows["high"])).all()
    shown = seeds_for_reading(tasks, table, REGISTRY, DATASETS).iloc[-1]
    assert shown["Metric"] == "Error rate, %"
    assert shown["Mean"] == f"{100 * rows['mean'].iloc[-1]:.2f}"
    notes = " ".join(seeds_notes(tasks, cells, REGISTRY))
    assert "Error rate: share of wrong predictions. Lower is better: " in notes


def test_each_dataset_has_the_metrics_of_its_own_task() -> None:
    class OfAccuracy(SingleLabel):
        metrics = SingleLabel.metrics[:1]

    tasks = {"multicare": TASK, "drawn": OfAccuracy()}
    cells = [*three_systems()[:1], *three_systems("drawn")[:1]]
    table = seeds_table(tasks, cells, REGISTRY, resamples=5, seed=0)
    of_drawn = table[table["dataset"] == "drawn"]
    assert (list(of_drawn["metric"]), len(table)) == (["accuracy"], len(NAMES) + 1)
    shown = seeds_for_reading(tasks, table, REGISTRY, DATASETS)
    titles = [DATASETS[name]["title"] for name in tasks]
    assert list(shown["Dataset"]) == [*titles, *titles[:1] * (len(NAMES) - 1)]
