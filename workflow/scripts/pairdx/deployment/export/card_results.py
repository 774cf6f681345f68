"""Of a model card: results on the test pairs, calibration, abstention, and the export's check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.deployment.export.card_facts import CardFacts
from pairdx.deployment.export.card_use import cut, percent_of, with_bounds
from pairdx.evaluation.calibration import at_bound
from pairdx.reporting.format.classes import title_of
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.markdown import escape, laid_out, percent
from pairdx.tasks import task

IN_UNITS = ("auroc", "average_precision", "mcc")  # written as shares of 1, or as correlations


def results(facts: CardFacts) -> list[str]:
    """Write every metric with its interval, of the network's and of the calibrated answers."""
    metrics, calibrated = facts.numbers.metrics, facts.numbers.calibrated
    declared = task(facts.deployment["task"]).metrics
    table = pd.DataFrame({"Metric": [one.heading for one in declared]})
    table["The network"] = [_cell(one, metrics) for one in declared]
    if calibrated is not None:
        table["This folder (calibrated)"] = [_cell(one, calibrated) for one in declared]
    notes = [one.note for one in declared if one.note]
    return [
        f"On {metrics['pairs']:,} test pairs of {metrics['cases']:,} cases. In brackets: "
        f"{_level(metrics)} intervals.",
        laid_out(table, "pipe", escape),
        "\n".join(f"- {escape(note)}" for note in [_about_intervals(metrics), *notes]),
    ]


def _level(metrics: Mapping[str, Any]) -> str:
    return f"{100 * metrics['interval']['level']:g} %"


def _about_intervals(metrics: Mapping[str, Any]) -> str:
    interval = metrics["interval"]
    return (
        f"Intervals: {interval['method']} ({interval['resamples']:,} resamples); of what is no "
        "share, percentiles of that bootstrap. They say how far another draw of test cases would "
        "move the number; the weights are held fixed, so that trainings with other seeds may "
        "differ by more."
    )


def _cell(metric: Any, metrics: Mapping[str, Any]) -> str | None:
    found = metrics[metric.name]
    return with_bounds(found, metric.written)


def per_class(facts: CardFacts) -> list[str]:
    """Write the scores of every class with their intervals."""
    metrics = facts.numbers.metrics
    scores = [one.name for one in task(facts.deployment["task"]).class_scores]
    thresholds = facts.deployment.get("thresholds")
    rows = []
    for label, of_class in metrics["per_class"].items():
        row: dict[str, str | None] = {"Class": cut(title_of(label, facts.names))}
        for name in scores:
            found = {
                "value": of_class[name],
                "low": of_class[f"{name}_low"],
                "high": of_class[f"{name}_high"],
            }
            unit = "" if name in IN_UNITS else ", %"
            write = plain_share if name in IN_UNITS else percent
            row[f"{readable_score(name)}{unit}"] = with_bounds(found, write)
        if thresholds is not None:
            row["Counts from"] = _threshold(thresholds[label])
        rows.append({**row, "Test pairs": f"{of_class['support']:,}"})
    notes = [
        "- Of a class without test pairs nothing is known; one that was never named has no "
        "precision."
    ]
    if thresholds is not None:
        notes = [
            "- Counts from: the probability from which a finding counts as found, chosen on "
            "validation pairs; where there is none, these were no ground to choose by, and it is "
            "never found. Test pairs: of which it is true."
        ]
    return [laid_out(pd.DataFrame(rows), "pipe", escape), *notes]


def readable_score(name: str) -> str:
    """Write the name of a score as it is read: ``F1``, ``AUROC``, ``Average precision``."""
    return name.upper() if name in ("auroc", "f1", "mcc") else readable(name)


def plain_share(value: float) -> str:
    """Write a number with three decimals."""
    return f"{value:.3f}"


def _threshold(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def calibration(facts: CardFacts) -> list[str]:
    """Say what the temperature does, and from which confidence on it answers."""
    temperature = facts.deployment["temperature"]
    if temperature is None:
        return [
            "Probabilities are the network's own: nothing is calibrated of several findings per "
            "image, and it does not abstain."
        ]
    bound = " (an end of the range that was searched)" if at_bound(temperature) else ""
    moved = "changes nothing" if temperature == 1 else "makes it surer"
    if temperature > 1:
        moved = "makes it less sure"
    return [
        f"Probabilities are calibrated: their logarithms are divided by {temperature:.3f}{bound}, "
        f"which {facts.deployment['validation_pairs']:,} validation pairs chose. That "
        f"{moved}; the class that it names stays the same. The table of results has the "
        "calibration error before and after.",
        _abstention(facts),
        "The run's `tables/calibration_*.csv` may have other coverages and risks of this system: "
        "there the network's own confidence decides, and seeds are averaged; here the calibrated "
        "confidence of one seed.",
    ]


def _abstention(facts: CardFacts) -> str:
    deployment, numbers = facts.deployment, facts.numbers
    risk = percent_of(deployment["risk"])
    if deployment["threshold"] is None or numbers.coverage is None or numbers.risk is None:
        return (
            f"**It abstains from every image**: at no confidence were at most {risk} of its "
            "answers on validation pairs wrong."
        )
    covered, wrong = (with_bounds(one, percent_of) for one in (numbers.coverage, numbers.risk))
    on_test = (
        f"of the test pairs it answers {covered}, and {wrong} of these answers are wrong"
        if wrong
        else "of the test pairs it answers none"
    )
    return (
        f"It abstains where the calibrated probability of its class is below "
        f"{deployment['threshold']:.6g}: the lowest confidence from which at most {risk} of its "
        "answers on validation pairs were wrong, less half the distance to the next lower one. It "
        f"answered {percent_of(deployment['coverage'])} of them. With this threshold, {on_test} "
        f"(in brackets: {_level(numbers.metrics)} intervals).{_more_than_asked(facts)}"
    )


def _more_than_asked(facts: CardFacts) -> str:
    risk = facts.numbers.risk
    value = None if risk is None else risk["value"]
    if value is None or value <= facts.deployment["risk"]:
        return ""
    return (
        f" **That is more than {percent_of(facts.deployment['risk'])}: the threshold does not "
        "keep on test pairs what it kept on validation pairs.**"
    )


def _differing(largest: float) -> str:
    return f"a difference of {largest:.1e} at most" if largest else "no difference"


def verification(facts: CardFacts) -> list[str]:
    """Say what was compared when this folder was made."""
    found = facts.verification
    runtime = ", ".join(f"{name} {version}" for name, version in found["runtime"].items())
    agreed = percent_of(found["agreement"])
    sentences = [
        "The classes are those of the network, in its order. The graph classified "
        f"{found['pairs']:,} validation pairs, and so did PyTorch: "
        f"probabilities differ by {found['largest_difference']:.1e} at most (allowed: "
        f"{found['tolerance']:.0e}), and {agreed} of the answers are the same (required: "
        f"{percent_of(found['least_agreement'])}; {found['ties']:,} ties, which rounding "
        "decides, aside).",
        "From the run's predictions of the same pairs its probabilities differ by "
        f"{found['largest_difference_from_predictions']:.1e} at most.",
    ]
    if found["calibrated"] is not None:
        sentences.append(_as_answered(found["calibrated"]))
    if found["files"]:
        sentences.append(
            f"{found['files']:,} of these pairs were read again from their files by the code that "
            "classifies new documents: their squares are, pixel by pixel, those that the run "
            "packed, and of the probabilities there is "
            f"{_differing(found['largest_difference_from_files'])}."
        )
    return [" ".join(sentences), f"Compared with: {escape(runtime)}."]


def _as_answered(found: Mapping[str, Any]) -> str:
    said = (
        f"Calibrated, they differ by {found['largest_difference']:.1e} at most (allowed: "
        f"{found['tolerance']:.0e})"
    )
    if found["agreement"] is None:
        return f"{said}."
    return (
        f"{said}, and of {percent_of(found['agreement'])} of the pairs both abstain or neither "
        f"({found['near_threshold']:,} pairs, within {found['hair']:.0e} of the threshold, aside)."
    )
