"""The suite's figures as a page of Markdown, the aims beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchmarks.suite.part import DECLARED, NOT_EXPLAINED, Aim, Outcome, Part
from pairdx.reporting.format.markdown import escape, laid_out

HEAD = (
    "# Benchmarks\n\n"
    "`make benchmark` measures this page and [benchmarks.json](benchmarks.json). All ways of doing "
    "a thing are timed in turns\nwithin one run. A ratio is the median of the rounds' ratios, with "
    "their 10th to 90th percentile in brackets. An aim is met\nif the median, unrounded, meets it."
)


def page(outcomes: Sequence[Outcome], conditions: Mapping[str, Any]) -> str:
    """Write all parts; what failed is said where its figures would stand."""
    parts = [HEAD, "## Aims", aims_table(outcomes), described(conditions)]
    for outcome in outcomes:
        parts.append(f"## {outcome.letter}. {DECLARED[outcome.letter].title}")
        parts += of_part(outcome)
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def aims_table(outcomes: Sequence[Outcome]) -> str:
    """Write a row per aim, and one per part without figures."""
    rows: list[dict[str, str]] = []
    for outcome in outcomes:
        empty = {"part": outcome.letter, "what": DECLARED[outcome.letter].title, "aim": ""}
        if outcome.part is None:
            rows.append({**empty, "measured": "", "verdict": "not measured: it failed"})
        elif not outcome.part.aims:
            rows.append({**empty, "measured": "see below", "verdict": "compared, no aim"})
        else:
            rows += [row_of(outcome.letter, aim) for aim in outcome.part.aims]
    return laid_out(pd.DataFrame(rows), "pipe", escape)


def row_of(letter: str, aim: Aim) -> dict[str, str]:
    """Return the row of one aim."""
    return {
        "part": letter,
        "what": aim.what,
        "aim": f"{aim.bound} {aim.target:g}",
        "measured": str(aim.found),
        "verdict": aim.verdict,
    }


def of_part(outcome: Outcome) -> list[str]:
    """Write one part: question, figures, what is missing, why aims were missed, conditions."""
    took = f"Measured in {outcome.seconds:.0f} s."
    if outcome.part is None:
        return [f"**Not measured.** {escape(outcome.failure)}", took]
    part, parts = outcome.part, [escape(outcome.part.question)]
    for table in part.tables:
        parts += [f"**{escape(table.title)}**", laid_out(pd.DataFrame(table.rows), "pipe", escape)]
    parts += [f"**Not measured.** {escape(problem)}" for problem in part.problems]
    parts += misses(part)
    parts.append("\n".join(f"- {escape(note)}" for note in part.notes))
    given = "; ".join(f"{name} {value}" for name, value in part.conditions.items())
    return [*parts, escape(f"Conditions: {given}.") if given else "", took]


def misses(part: Part) -> list[str]:
    """Say of every aim that was missed why."""
    return [
        f"**Missed**: {escape(aim.what)}, {aim.found.median:.3g} instead of {aim.bound} "
        f"{aim.target:g}. {escape(aim.why) or NOT_EXPLAINED}"
        for aim in part.aims
        if not aim.met
    ]


def described(conditions: Mapping[str, Any]) -> str:
    """Write the conditions of the whole run as a paragraph."""
    versions = ", ".join(f"{name} {found}" for name, found in conditions["versions"].items())
    gpu = conditions["gpu"] or "no GPU"
    text = (
        f"{conditions['date']}; {conditions['cores']} cores of {conditions['cpu']}, "
        f"{conditions['threads']} threads, {gpu}; load average {conditions['load_before']} before "
        f"and {conditions['load_after']} after; Python {conditions['python']}, {versions}."
    )
    busy = " **Other programs were at work when this began.**" if conditions["busy_before"] else ""
    small = " **A trial of few and small runs: its figures say nothing.**"
    return escape(text) + busy + (small if conditions["small"] else "")
