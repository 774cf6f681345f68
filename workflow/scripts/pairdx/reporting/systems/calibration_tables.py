"""Calibration and abstention: one row per system and split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.abstention import (
    answered_above,
    area_under_risk,
    bootstrap_risk_at_coverage,
    risk_at_coverage,
    risk_by_coverage,
    threshold_at_risk,
)
from pairdx.evaluation.accuracy import accuracy_over_seeds
from pairdx.evaluation.calibration import (
    CALIBRATION_BINS,
    LEAST_PROBABILITY,
    TEMPERATURES,
    Calibration,
    at_bound,
    calibrate,
    calibration_error,
    negative_log_likelihood,
)
from pairdx.evaluation.intervals import bootstrap_mean, percentile_interval
from pairdx.evaluation.score_intervals import (
    METHOD,
    pairs_if_cases_agree,
    score_interval,
    worth_of_sizes,
)
from pairdx.reporting.format.labels import readable, system_title, systems_note
from pairdx.reporting.format.markdown import percent, with_interval
from pairdx.tasks.single_label.rows import Predictions, read_predictions

TITLE = "Calibration and abstention"
LEVEL = 0.95
COLUMNS = (
    *("system", "split", "seeds", "temperature", "temperature_at_bound"),
    *("nll_before", "nll_before_low", "nll_before_high"),
    *("nll_after", "nll_after_low", "nll_after_high"),
    *("ece_before", "ece_after"),
    *("brier_before", "brier_before_low", "brier_before_high"),
    *("brier_after", "brier_after_low", "brier_after_high"),
    *("error_rate", "target_coverage", "risk_at_coverage"),
    *("risk_at_coverage_low", "risk_at_coverage_high"),
    *("target_risk", "coverage_at_risk", "coverage_at_risk_low", "coverage_at_risk_high"),
    *("risk_met", "risk_met_low", "risk_met_high", "area_under_risk"),
)
MAY_BE_EMPTY = (
    *("coverage_at_risk_low", "coverage_at_risk_high", "risk_met", "risk_met_low", "risk_met_high"),
)
Registry = Mapping[str, Mapping[str, Any]]
Tables = Mapping[tuple[str, str], Sequence[pd.DataFrame]]


def calibration_table(
    predictions: Tables,
    classes: Sequence[str],
    *,
    coverage: float,
    risk: float,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Build tables/calibration.csv: one row per system and split, on the test pairs.

    Every number is the mean over seeds, each with a temperature of its own. Intervals are 95 %
    bootstrap intervals over cases, with weights and temperatures held fixed. Risks, coverages and
    calibration errors are fractions of 1.

    Args:
        predictions: predictions.parquet of every seed, by system and split, in table order.
        classes: The classes.
        coverage: Share of pairs to answer, for ``risk_at_coverage``.
        risk: Share of wrong answers to accept: the confidence from which a system answers is chosen
            with it on the validation pairs, ``coverage_at_risk`` and ``risk_met`` are what becomes
            of the test pairs.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Raises:
        PairDxError: The seeds of a system answer for different pairs, or a table holds no
            validation or no test pairs.
    """
    how = {"resamples": resamples, "seed": seed}
    rows = []
    for (system, split), tables in predictions.items():
        cells = [calibrate(table, classes) for table in tables]
        temperatures = [cell.temperature for cell in cells]
        accuracy = accuracy_over_seeds(tables, resamples=0, seed=seed)
        rows.append(
            {
                "system": system,
                "split": split,
                "seeds": len(cells),
                "temperature": float(np.mean(temperatures)),
                "temperature_at_bound": any(map(at_bound, temperatures)),
                **_scores("before", [cell.before for cell in cells], **how),
                **_scores("after", [cell.after for cell in cells], **how),
                "error_rate": 1 - accuracy["value"],
                "target_coverage": coverage,
                "target_risk": risk,
                **_abstention([cell.before for cell in cells], coverage, **how),
                **_chosen_on_validation(tables, cells, classes, risk, **how),
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(MAY_BE_EMPTY, "float64"))


def _scores(
    when: str, reads: Sequence[Predictions], *, resamples: int, seed: int
) -> dict[str, Any]:
    """Measure the probabilities; with an interval where a measure is a mean over pairs."""
    found: dict[str, Any] = {}
    of_pairs = {
        "nll": [negative_log_likelihood(read) for read in reads],
        "brier": [read.squared_distance for read in reads],
    }
    for name, by_seed in of_pairs.items():
        values = np.mean(by_seed, axis=0)
        case, cases = reads[0].case, reads[0].cases
        means = bootstrap_mean(values, case, cases, resamples=resamples, seed=seed)
        found |= _bounds(f"{name}_{when}", float(values.mean()), means, cases)
    return {**found, f"ece_{when}": float(np.mean([calibration_error(read) for read in reads]))}


def _chosen_on_validation(
    tables: Sequence[pd.DataFrame],
    cells: Sequence[Calibration],
    classes: Sequence[str],
    risk: float,
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Choose thresholds on the validation pairs; measure coverage and risk on the test pairs.

    Where none was found for any seed, nothing is answered whatever the test pairs: the coverage is
    0 without an interval.
    """
    chosen = [read_predictions(table, classes, subset="validation") for table in tables]
    thresholds = [threshold_at_risk(one.confidence, one.correct, risk) for one in chosen]
    tests = [cell.before for cell in cells]
    found = answered_above(tests, thresholds, resamples=resamples, seed=seed)
    case, cases = tests[0].case, tests[0].cases
    of_all, of_answered = pairs_if_cases_agree(case, cases), worth_of_sizes(found.per_case)
    covered = _share("coverage_at_risk", found.coverage, found.resampled[:, 0], of_all, cases)
    if np.isinf(thresholds).all():
        covered |= {"coverage_at_risk_low": None, "coverage_at_risk_high": None}
    return {**covered, **_share("risk_met", found.risk, found.resampled[:, 1], of_answered, cases)}


def _share(
    name: str, value: float | None, resampled: NDArray[np.float64], worth: float, cases: int
) -> dict[str, float | None]:
    """Name a share and its interval, which does not collapse at 0 and 1."""
    low, high = score_interval(value, resampled, LEVEL, worth=worth, cases=cases)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _abstention(
    reads: Sequence[Predictions], coverage: float, *, resamples: int, seed: int
) -> dict[str, Any]:
    curves = [risk_by_coverage(read.confidence, read.correct) for read in reads]
    values = [
        risk_at_coverage(read.confidence, read.correct, np.ones((1, len(read.truth))), coverage)
        for read in reads
    ]
    resampled = [
        bootstrap_risk_at_coverage(read, coverage, resamples=resamples, seed=seed) for read in reads
    ]
    means = np.mean(resampled, axis=0)
    cases = reads[0].cases
    # As many pairs as are answered.
    worth = coverage * pairs_if_cases_agree(reads[0].case, cases)
    return {
        **_share("risk_at_coverage", float(np.mean(values)), means, worth, cases),
        "area_under_risk": float(np.mean([area_under_risk(risks) for _, risks in curves])),
    }


def _bounds(
    name: str, value: float, resampled: NDArray[np.float64], cases: int
) -> dict[str, float | None]:
    """Name a value and its interval; a single case has none."""
    low, high = percentile_interval(resampled, LEVEL) if cases > 1 else (None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def answered_of(table: pd.DataFrame, split: str) -> dict[str, tuple[float, float]]:
    """Return coverage and risk met of the test pairs of one split, by system.

    Args:
        table: What :func:`calibration_table` returned.
        split: Whose systems.
    """
    rows = table[table["split"] == split]
    names = ["system", "coverage_at_risk", "risk_met"]
    return {
        system: (coverage, risk) for system, coverage, risk in rows[names].itertuples(index=False)
    }


def calibration_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the table's numbers as text: titles, intervals beside their values.

    Args:
        table: What :func:`calibration_table` returned.
        registry: The ``systems`` section of the configuration.
    """

    def cells(name: str, write: Callable[[float], str]) -> list[str | None]:
        bounds = table[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
        return [with_interval(*row, write=write) for row in bounds]

    def percents(name: str) -> list[str]:
        return [percent(value) for value in table[name]]

    shown = {
        "System": [system_title(name, registry) for name in table["system"]],
        "Split": [readable(name) for name in table["split"]],
        "T": [
            f"{temperature:.2f}{' *' if bound else ''}"
            for temperature, bound in zip(
                table["temperature"], table["temperature_at_bound"], strict=True
            )
        ],
        "NLL before (interval)": cells("nll_before", _decimals),
        "NLL after (interval)": cells("nll_after", _decimals),
        "ECE before, %": percents("ece_before"),
        "ECE after, %": percents("ece_after"),
        "Brier before (interval)": cells("brier_before", _decimals),
        "Brier after (interval)": cells("brier_after", _decimals),
        "Error rate, %": percents("error_rate"),
    }
    if len(table):
        covered, accepted = (_target(table, name) for name in ("target_coverage", "target_risk"))
        shown |= {
            f"Risk at {covered} coverage, % (interval)": cells("risk_at_coverage", percent),
            f"Coverage at {accepted} risk on validation pairs, % (interval)": cells(
                "coverage_at_risk", percent
            ),
            "Risk met there, % (interval)": cells("risk_met", percent),
            "Mean risk over coverages, %": percents("area_under_risk"),
        }
    return pd.DataFrame(shown)


def calibration_notes(table: pd.DataFrame, registry: Registry, resamples: int) -> list[str]:
    """State how the numbers were made.

    Args:
        table: What :func:`calibration_table` returned.
        registry: The ``systems`` section of the configuration.
        resamples: Number of bootstrap resamples.
    """
    demo = systems_note(registry[name] for name in table["system"].unique())
    low, high = TEMPERATURES
    at_an_end = (
        f"* The search ended at an end of its range, {low:g} to {high:g}: no validation pair is "
        "wrong, or the probabilities say nothing about the classes."
    )
    without = table["coverage_at_risk_high"].isna() & table["risk_at_coverage_high"].notna()
    no_confidence = (
        "A coverage of 0 without interval: no confidence was sure enough on the validation pairs, "
        "so nothing is answered, whichever test pairs are drawn."
    )
    return [
        *([demo] if demo else []),
        "Temperature scaling (Guo et al. 2017): T has the lowest negative log-likelihood (NLL) of "
        "the validation pairs; everything shown is of the test pairs, before and after scaling. T "
        "above 1: the system was too sure. No prediction and no accuracy changes.",
        *([at_an_end] if table["temperature_at_bound"].any() else []),
        f"A probability of 0 counts as {LEAST_PROBABILITY:.1e} in logarithms. ECE: expected "
        f"calibration error over {CALIBRATION_BINS} equal bins of the highest probability. Brier "
        "score: sum over the classes, 0 to 2.",
        "Coverage: share of the pairs that are answered, those with the highest probability (as "
        "predicted) first; risk: share of wrong ones among these. Mean risk over coverages: the "
        "area under the risk-coverage curve; a random order gives the error rate.",
        "Coverage at a risk: the lowest confidence (highest probability) from which at most this "
        "share is wrong was chosen on the validation pairs; coverage is that of the test pairs "
        "above it, and the risk met is what became of them, empty where nothing is answered. It "
        "may be above what was aimed at.",
        *([no_confidence] if without.any() else []),
        "Means over seeds, each with its own T and threshold. Intervals, "
        f"{100 * LEVEL:g} %, {resamples} resamples, with weights, T and thresholds held fixed: of "
        f"NLL and Brier score, percentile bootstrap over cases, which knows no mistakes but those "
        f"in the test pairs; of risks and coverages, {METHOD}.",
    ]


def _decimals(value: float) -> str:
    return f"{value:.3f}"


def _target(table: pd.DataFrame, name: str) -> str:
    return f"{100 * float(table[name].iloc[0]):g} %"
