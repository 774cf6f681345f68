"""Every number of the paper beside ours, with a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from pairdx.evaluation.agreement import agreement
from pairdx.reporting.format.labels import readable, system_title
from pairdx.reporting.format.markdown import percent, significant
from pairdx.reporting.paper.our_results import Fact, Results
from pairdx.reporting.paper.stated import (
    SECOND_VALUE,
    SHARES,
    Statement,
    half_step,
    in_words,
    papers_runs,
    printed_decimals,
    statements,
)

TITLE = "The paper's numbers beside ours"
AGREES = "agrees"
DIFFERS = "differs"
ONE_SEED = "undecided (one seed)"
CONTRADICTION = "paper contradicts itself"
NOT_COMPARABLE = "not comparable"
STAND_IN = "not run (stand-in)"
SWITCHED_OFF = "not run (switched off)"
NOT_MEASURED = "not run (not measured)"
Registry = Mapping[str, Mapping[str, Any]]


def discrepancy_table(
    paper: Mapping[str, Any], dataset: Results, systems: Mapping[str, Results]
) -> pd.DataFrame:
    """Build tables/discrepancies.csv: one row per number of the paper's file, in its order.

    The verdict ``agrees`` means that ours and the paper's value differ by no more than the choice
    of test cases on both sides, the spread over seeds and the rounding of what is printed explain
    at 95 % (see ``agreement``). What is exact, such as a setting or a number of pairs, agrees where
    it rounds to the digits that the paper prints. A system with randomness of which there is one
    seed differs from the paper, or its next training would: that is undecided. Where the paper
    contradicts itself, that is the verdict, and the remark says what the verdict on this value by
    itself would be.

    Args:
        paper: The content of its file.
        dataset: Our results about the dataset; a name that a system lacks is looked up here.
        systems: Our results by the paper's keys of the systems, without those that were not run.

    Returns:
        statement (the keys in the file), place, unit, stated, paper, ours, ours_low,
        ours_high, difference (ours - paper) and ratio (ours / paper) of what is no stand-in's,
        agrees_within (the largest difference that counts as agreement), found_from (the true
        difference that is found in 80 % of runs), verdict, remark. Shares are fractions of 1.
    """
    rows = []
    for statement in statements(paper):
        results = dataset if statement.system is None else systems.get(statement.system)
        rows.append(_row(statement, results, dataset, papers_runs(paper)))
    return pd.DataFrame(rows)


def _row(
    statement: Statement, results: Results | None, dataset: Results, runs: int
) -> dict[str, Any]:
    entry, name = statement.entry, statement.entry.get("ours")
    ours = (results.find(name) or dataset.find(name)) if results and name else None
    allowed = allowed_difference(statement, ours, runs) if ours else None
    alone = _by_itself(statement, results, ours, allowed)
    remark = entry.get("not_comparable") if alone == NOT_COMPARABLE else None
    verdict = alone
    if statement.contradiction:
        verdict = CONTRADICTION
        remark = f"{statement.contradiction}; by itself: {alone}" + (
            f", {remark}" if remark else ""
        )
    is_ours = ours is not None and alone in (AGREES, DIFFERS, ONE_SEED, NOT_COMPARABLE)
    return {
        "statement": ".".join(statement.path),
        "place": entry["place"],
        "unit": entry.get("unit"),
        "stated": entry.get("stated"),
        "paper": float(statement.value),
        "ours": ours.value if ours else None,
        "ours_low": ours.low if ours else None,
        "ours_high": ours.high if ours else None,
        "difference": ours.value - statement.value if ours and is_ours else None,
        "ratio": ours.value / statement.value if ours and is_ours else None,
        "agrees_within": allowed[0] if allowed and is_ours else None,
        "found_from": allowed[1] if allowed and is_ours else None,
        "verdict": verdict,
        "remark": remark,
    }


def allowed_difference(
    statement: Statement, ours: Fact, runs: int = 1
) -> tuple[float, float] | None:
    """Return the largest difference that counts as agreement, and which one is found in 80 %.

    Both are in the statement's unit. None where ours is exact. ``runs`` is the number of trainings
    of which the paper's number is the mean.
    """
    if ours.sampling is None:
        return None
    # A count is printed in full.
    step = half_step(statement) if statement.entry.get("unit") in SHARES else 0.0
    printed = statement.value / ours.scale
    pairs = ours.papers_pairs
    found = agreement(ours.sampling, printed, pairs=pairs, half_step=step, runs=runs)
    return float(ours.scale * found.within), float(ours.scale * found.found_from)


def _by_itself(
    statement: Statement,
    results: Results | None,
    ours: Fact | None,
    allowed: tuple[float, float] | None,
) -> str:
    """Return the verdict on a number, whatever else the paper states."""
    if results is None:
        return SWITCHED_OFF
    if ours is None:
        return NOT_MEASURED
    if results.stand_in:
        return STAND_IN
    if statement.entry.get("not_comparable"):
        return NOT_COMPARABLE
    if allowed is None or ours.sampling is None:
        return AGREES if _as_printed(statement, ours.value) else DIFFERS
    if abs(ours.value - statement.value) <= allowed[0]:
        return AGREES
    return ONE_SEED if None in ours.sampling.trainings else DIFFERS


def _as_printed(statement: Statement, ours: float) -> bool:
    """Return whether our value, rounded to the digits that the paper prints, is the paper's."""
    scale = 100 if statement.entry.get("unit") in SHARES else 1
    decimals = printed_decimals(statement)
    return f"{scale * ours:.{decimals}f}" == f"{scale * statement.value:.{decimals}f}"


def discrepancies_for_reading(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Write the table's numbers as text: units, intervals, differences in percentage points.

    Args:
        table: What ``discrepancy_table`` returned.
        registry: The ``systems`` section of the configuration.
    """
    rows = [
        {
            "About": _about(row["statement"].split("."), registry),
            "What": _what(row["statement"].split(".")),
            "Paper": in_words({"value": _whole(row["paper"]), **_given(row)}),
            "Ours (interval)": _ours(row),
            "Difference": _difference(row),
            "Agrees within (found from)": _allowed(row),
            "Verdict": row["verdict"],
            "Remark": row["remark"],
            "Place in the paper": row["place"],
        }
        for row in table.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _given(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("unit", "stated") if isinstance(row[key], str)}


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _about(path: list[str], registry: Registry) -> str:
    if path[0] != "systems":
        return readable(path[0])
    named = [name for name, entry in registry.items() if entry.get("paper") == path[1]]
    return system_title(named[0], registry) if named else readable(path[1])


def _what(path: list[str]) -> str:
    parts = [part for part in path[2 if path[0] == "systems" else 1 :] if part != SECOND_VALUE]
    words = ": ".join(readable(part) if not at else part for at, part in enumerate(parts))
    second = " (second value)" if path[-1] == SECOND_VALUE else ""
    return words.replace("_", " ") + second


def _ours(row: Mapping[Any, Any]) -> str | None:
    if pd.isna(row["ours"]):
        return None
    unit, has_interval = row["unit"], not pd.isna(row["ours_low"])
    write: Callable[[float], str]
    if unit in SHARES:
        write = percent
    elif unit == "s":
        write = significant
    else:
        write = "{:,.1f}".format if has_interval else _number
    value = write(row["ours"])
    if has_interval:
        value += f" ({write(row['ours_low'])} to {write(row['ours_high'])})"
    return f"{value} {SHARES.get(unit, unit)}" if isinstance(unit, str) else value


def _number(value: float) -> str:
    return f"{int(value):,}" if value.is_integer() else f"{value:.4g}"


def _difference(row: Mapping[Any, Any]) -> str | None:
    if pd.isna(row["difference"]):
        return None
    if row["unit"] == "s":
        return f"{significant(row['ratio'])} times the paper's"
    if row["unit"] in SHARES:
        return f"{100 * row['difference']:+.1f} points"
    return f"{'+' if row['difference'] > 0 else ''}{_number(row['difference'])}"


def _allowed(row: Mapping[Any, Any]) -> str | None:
    if pd.isna(row["agrees_within"]):
        return None
    scale, unit = (100, "points") if row["unit"] in SHARES else (1, row["unit"])
    within, found = (f"{scale * row[name]:.1f}" for name in ("agrees_within", "found_from"))
    return f"{within} ({found}) {unit}"


def discrepancy_notes(
    table: pd.DataFrame, papers_pairs: int, papers_classes: int, runs: int = 1
) -> list[str]:
    """Say what the verdicts mean, and how often each was given.

    Args:
        table: What ``discrepancy_table`` returned.
        papers_pairs: Number of the paper's test pairs.
        papers_classes: Number of its classes, which it calls balanced where it states any of one.
        runs: Of how many trainings its numbers are means.
    """
    counts = table["verdict"].value_counts(sort=False)
    given = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
    by_class = table["statement"].str.contains("per_class").any()
    balanced = f"one in {papers_classes} of them for a class, because it calls its classes balanced"
    of_class = f"{balanced}; " if by_class else ""
    return [
        f"{len(table)} numbers: {given}.",
        "Agrees: ours and the paper's differ by no more than chance and rounding explain at 95 %: "
        "two equally good systems agree in 95 of 100 comparisons; of systems trained with two "
        "seeds, which know little of their spread, in 92 to 97. Counted are the choice of test "
        f"cases on both sides (the paper's {papers_pairs:,} pairs; {of_class}of cases as large as "
        "ours), the "
        f"spread of our trainings over seeds, which its {_runs(runs)} as well, and the rounding of "
        "what it prints: "
        "93 % may be anything from 92.5 to 93.5. Gains are paired: both systems answer for the "
        "same pairs. What is exact agrees where it rounds to the digits that are printed.",
        "Agrees within: the largest difference that still agrees. Found from: a true difference of "
        "this size is found in 80 of 100 comparisons; of smaller ones, agreement says little.",
        f"{ONE_SEED.capitalize()}: further apart than that, but trained once, so that how much the "
        "next training would differ is not known. Not comparable: shown as a ratio. Difference: "
        f"ours minus the paper's. Counts of pairs are ours per {papers_pairs:,} test pairs.",
        "Intervals of ours: 95 %, over test cases, of means over seeds with the trained weights "
        "held fixed. The paper gives none.",
    ]


def _runs(runs: int) -> str:
    return "one run has" if runs == 1 else f"means of {runs} runs have"


def several_datasets_note(pairs: Mapping[str, int]) -> str:
    """Name the test pairs of a paper that is about several datasets, by their titles."""
    listed = ", ".join(f"{title} {count:,}" for title, count in pairs.items())
    return (
        f"The paper's test pairs: {listed}. Each of its numbers is judged by those of its dataset; "
        "the notes name those of the first."
    )


def software_note(paper: Mapping[str, Any], passport: Mapping[str, Any]) -> str:
    """Name the software and devices of the paper's numbers and of ours (of one passport)."""
    environment = {
        name: {"value": number["value"] or "not stated"}
        for name, number in paper["environment"].items()
    }
    versions = passport["versions"]
    return (
        f"Paper: Python {environment['python']['value']}, PyTorch "
        f"{environment['pytorch']['value']}, trained on {environment['training_device']['value']}, "
        f"timed on the {environment['timing_device']['value']}. Ours: Python "
        f"{versions['python']}, PyTorch {versions['torch']}; devices as in the comparison."
    )
