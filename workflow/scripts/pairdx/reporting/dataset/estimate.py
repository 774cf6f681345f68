"""What a run would cost: jobs, images, and an estimate from jobs that were measured before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import pandas as pd

from pairdx.reporting.dataset.past_jobs import Group, Past, PastJob
from pairdx.reporting.format.sections import Block, Doubt, Section

BYTES_PER_PIXEL = 3


@dataclass(frozen=True)
class Range:
    """From so much to so much."""

    low: float
    high: float

    def times(self, number: float) -> Range:
        """Return it so many times."""
        return Range(number * self.low, number * self.high)


@dataclass(frozen=True)
class Estimate:
    """What one job of a group takes.

    Attributes:
        wall: Seconds.
        cpu: CPU seconds.
        measured: How many jobs this rests on.
        runs: Those that they are of.
    """

    wall: Range
    cpu: Range
    measured: int
    runs: tuple[str, ...]


def estimate(group: Group, past: Sequence[PastJob], pairs: int) -> Estimate | None:
    """Estimate what a job takes from those that are like it: their mean.

    Where the work grows with the number of pairs, it takes between as long as then (where starting
    up is nearly all of it) and longer in proportion to the pairs; with fewer pairs, likewise less.

    Args:
        group: The planned jobs.
        past: Those that were measured.
        pairs: How many pairs there are now.

    Returns:
        None where nothing like them was measured, or nobody knows with how many pairs.
    """
    used = [one for one in past if one.pairs or not group["grows"]]
    if not used:
        return None
    ratios = [pairs / one.pairs if group["grows"] and one.pairs else 1.0 for one in used]
    runs = tuple(dict.fromkeys(one.run for one in used))
    wall = _mean([one.wall for one in used], ratios)
    return Estimate(wall, _mean([one.cpu for one in used], ratios), len(used), runs)


def _mean(seconds: Sequence[float], ratios: Sequence[float]) -> Range:
    each = list(zip(seconds, ratios, strict=True))
    return Range(
        fmean(value * min(1.0, ratio) for value, ratio in each),
        fmean(value * max(1.0, ratio) for value, ratio in each),
    )


def total(ranges: Sequence[Range]) -> Range:
    """Add up."""
    return Range(sum(one.low for one in ranges), sum(one.high for one in ranges))


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it: 40 seconds, 12 minutes, 5.5 hours, 3 days."""
    for unit, length, until in (("second", 1, 90), ("minute", 60, 90), ("hour", 3600, 48)):
        if seconds < length * until:
            return _in(seconds / length, unit)
    return _in(seconds / 86400, "day")


def _in(value: float, unit: str) -> str:
    number = (f"{value:.0f}" if round(value, 1) >= 10 else f"{value:.1f}").removesuffix(".0")
    return f"{number} {unit}{'' if number == '1' else 's'}"


def in_words(found: Range) -> str:
    """Write a range: ``12 to 40 minutes``, ``50 minutes to 3 hours``, or ``about 12 minutes``."""
    low, high = duration(found.low), duration(found.high)
    if low == high:
        return f"about {low}"
    number, unit = low.split()
    return f"{number if unit.rstrip('s') in high else low} to {high}"


def cost_section(pairs: int, facts: Mapping[str, Any], past: Past) -> Section:
    """Say what the rest of the run costs.

    Args:
        pairs: How many there are.
        facts: ``jobs``, ``describing``, ``sizes``, ``systems``
            (:func:`pairdx.plan.documents_check.facts_of_check`).
        past: What was measured before.
    """
    groups: Sequence[Group] = facts["jobs"]
    each = list(zip(groups, past.like, strict=True))
    estimates = [estimate(group, like, pairs) for group, like in each]
    blocks = [*_numbers(groups, facts, past), *_images(pairs, facts["sizes"])]
    if any(estimates):
        blocks += [*_sums(groups, estimates, past), _by_rule(groups, estimates)]
    else:
        blocks.append(
            "No estimate of time: no job of this kind was measured in this folder yet (files of "
            "benchmarks/). The demo leaves a first one within minutes, for its own small "
            "systems: snakemake --profile profiles/local --configfile config/demo.yaml. A run "
            "with a small subset (a key of the dataset) measures your systems."
        )
    return Section("What a run would cost", blocks)


def _number(group: Group) -> int:
    return len(group["wildcards"])


def _numbers(groups: Sequence[Group], facts: Mapping[str, Any], past: Past) -> list[Block]:
    computing, done = sum(map(_number, groups)), sum(past.done)
    trained = [group for group in groups if group["rule"].startswith("train_")]
    trainings = sum(map(_number, trained))
    on_gpu = sum(_number(group) for group in trained if group["gpus"])
    where = (
        "on a GPU"
        if on_gpu == trainings
        else "on the CPU"
        if not on_gpu
        else f"of them {on_gpu:,} on a GPU"
    )
    return [
        f"Jobs for this dataset: about {computing + facts['describing']:,}. Of these, "
        f"{computing:,} compute, and {facts['describing']:,} make tables, figures and pages. When "
        f"this page was made, {done:,} of the former had run (curation among them: the page is "
        "made of it). "
        "snakemake -n lists exactly what is left.",
        f"Trainings (systems, splits and seeds): {trainings:,}{f', {where}' if trainings else ''}.",
    ]


def _images(pairs: int, sizes: Sequence[int]) -> list[Block]:
    sides = ", ".join(f"{size} x {size}" for size in sizes)
    megabytes = sum(BYTES_PER_PIXEL * size * size for size in sizes) * pairs / 1e6
    return [
        f"{pairs:,} images are decoded once for each size that systems read ({sides} pixels): "
        f"{megabytes:,.0f} MB on disk."
    ]


def _sums(groups: Sequence[Group], estimates: Sequence[Estimate | None], past: Past) -> list[Block]:
    each = list(zip(groups, estimates, strict=True))
    places = {
        on_gpu: [(group, found) for group, found in each if bool(group["gpus"]) == on_gpu]
        for on_gpu in (False, True)
    }
    blocks = _trainings_unknown(each)
    blocks += [_sum(chosen, on_gpu=on_gpu) for on_gpu, chosen in places.items() if chosen]
    runs = list(dict.fromkeys(run for one in estimates if one for run in one.runs))
    machines = f" (trained on: {'; '.join(past.machines)})" if past.machines else ""
    skipped = f" Benchmark files that could not be read: {past.skipped:,}." if past.skipped else ""
    blocks.append(
        f"This is an estimate. It rests on jobs that were measured in {_runs(runs)}{machines}; "
        "trainings and predictions count where system, settings, image size and device are the "
        "same. The low end takes work that grows with the number of images to last as long as "
        "then, or less in proportion; the high end, longer in proportion. On another machine, "
        f"under load or on other storage it is another time. This page is written once; without "
        f"its folder check/ it is written again, by what was measured until then.{skipped}"
    )
    return blocks


def _runs(names: Sequence[str]) -> str:
    return f"the run {names[0]}" if len(names) == 1 else f"the runs {', '.join(names)}"


def _sum(chosen: Sequence[tuple[Group, Estimate | None]], *, on_gpu: bool) -> str:
    known = [(group, found) for group, found in chosen if found is not None]
    jobs, of_known = (sum(_number(group) for group, _ in some) for some in (chosen, known))
    place = "on GPUs" if on_gpu else "on CPUs"
    if not known:
        return (
            f"Computing jobs {place}: {jobs:,}. How long they take cannot be estimated: none like "
            "them was measured in this folder."
        )
    wall = total([found.wall.times(_number(group)) for group, found in known])
    text = (
        f"Computing jobs {place}: {jobs:,}. {of_known:,} of them, which are like measured ones, "
        "take "
    )
    if on_gpu:
        hours = [found.wall.times(_number(one) * one["gpus"]) for one, found in known]
        text += f"{in_words(total(hours))} of GPU time."
    else:
        cpu = total([found.cpu.times(_number(group)) for group, found in known])
        text += (
            f"{in_words(cpu)} of CPU time, one after the other {in_words(wall)}. (Several run at "
            "once where there are cores; those that measure times run alone.)"
        )
    return f"{text}{_not_in_this([group for group, found in chosen if found is None])}"


def _not_in_this(groups: Sequence[Group]) -> str:
    """Name the jobs that no measured one is like, by rule with the systems that they are of."""
    if not groups:
        return ""
    of_rule: dict[str, list[str]] = {}
    for group in groups:
        of_rule.setdefault(group["rule"], []).extend([group["about"]] if group["about"] else [])
    named = [f"{rule} ({', '.join(of)})" if of else rule for rule, of in of_rule.items()]
    return f" Not in this, because none like them was measured: {'; '.join(named)}."


def _trainings_unknown(each: Sequence[tuple[Group, Estimate | None]]) -> list[Block]:
    """Say of how many trainings nobody knows the time: they are most of what a run costs."""
    trained = [(group, found) for group, found in each if group["rule"].startswith("train_")]
    unknown = sum(_number(group) for group, found in trained if found is None)
    if not unknown:
        return []
    whole = sum(_number(group) for group, _ in trained)
    return [
        Doubt(
            f"The time of {unknown:,} of {whole:,} trainings, mostly the larger part of a run, "
            "cannot be estimated: these systems were not trained in this folder with these "
            "settings. A run with a small subset (a key of the dataset) measures them."
        )
    ]


def _by_rule(groups: Sequence[Group], estimates: Sequence[Estimate | None]) -> pd.DataFrame:
    """List the rules: jobs, how many measured jobs the estimate rests on, seconds of one."""
    rows = []
    for rule in dict.fromkeys(group["rule"] for group in groups):
        of_rule = [
            (group, found)
            for group, found in zip(groups, estimates, strict=True)
            if group["rule"] == rule
        ]
        known = [(group, found) for group, found in of_rule if found is not None]
        counted = sum(_number(group) for group, _ in known)
        wall = total([found.wall.times(_number(group)) for group, found in known])
        rows.append(
            {
                "rule": rule,
                "jobs": sum(_number(group) for group, _ in of_rule),
                "like_measured_ones": counted,
                "measured": sum(found.measured for _, found in known),
                "one_job": in_words(wall.times(1 / counted)) if counted else "not measured",
            }
        )
    return pd.DataFrame(rows)
