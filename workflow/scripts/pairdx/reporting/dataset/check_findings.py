"""Of the check before training: of several labels per pair, how often each is true, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.reporting.dataset.check_classes import FEW_TEST_PAIRS, listed, unusable
from pairdx.reporting.dataset.finding_tables import findings_table
from pairdx.reporting.format.sections import Block, Doubt, Section
from pairdx.subsets import SUBSETS


def findings_section(
    pairs: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    names: Mapping[str, str],
    leakage: Sequence[Mapping[str, Any]],
) -> Section:
    """Count of how many pairs each finding is true, and say of which nothing can be said.

    Args:
        pairs: pair_id, findings.
        splits: Per split: pair_id, subset.
        names: Display names of the findings by label, in order.
        leakage: leakage.json of every split, of which ``unusable`` is read.
    """
    counts = (
        findings_table(pairs, splits, list(names))
        .set_index(["split", "subset", "finding"])
        .sort_index()
    )
    everywhere = counts.xs(("", "all"))
    table = pd.DataFrame(
        {
            "finding": list(names.values()),
            "true": everywhere["positive"].loc[list(names)].to_numpy(),
            "not known": everywhere["unknown"].loc[list(names)].to_numpy(),
        }
    )
    blocks: list[Block] = []
    for split in splits:
        true = {subset: counts.xs((split, subset))["positive"] for subset in SUBSETS}
        table[f"{split}: true in {', '.join(SUBSETS)}"] = [
            " / ".join(f"{true[subset][name]:,}" for subset in SUBSETS) for name in names
        ]
        blocks += _doubts(split, true, names)
    explained = (
        "Any number of findings can be true of a pair. Areas under curves are of pairs of which it "
        "is known whether a finding is true; thresholds are chosen on validation pairs."
    )
    broken = [unusable(report) for report in leakage if report.get("unusable")]
    return Section("Findings", [table, explained, *broken, *blocks])


def _doubts(split: str, true: Mapping[str, pd.Series], names: Mapping[str, str]) -> list[Block]:
    blocks: list[Block] = []
    untested = [names[name] for name in names if true["test"][name] == 0]
    few = [names[name] for name in names if 0 < true["test"][name] < FEW_TEST_PAIRS]
    unchosen = [names[name] for name in names if true["validation"][name] == 0 < true["test"][name]]
    for found, what in (
        (untested, "of no test pair it is true: nothing is said of"),
        (few, f"fewer than {FEW_TEST_PAIRS} test pairs, on which an area rests, are of"),
        (
            unchosen,
            "of no validation pair it is true, so that no threshold can be chosen, nor F1 or "
            "MCC be given, of",
        ),
    ):
        if found:
            blocks.append(Doubt(f"Split {split}: {what} {listed(found)}."))
    return blocks
