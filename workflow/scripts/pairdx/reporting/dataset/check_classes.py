"""Of the check before training: classes, what few test pairs can tell, labels that are no class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml

from pairdx.evaluation.score_intervals import wilson
from pairdx.reporting.format.sections import JOINERS, Block, Code, Doubt, Section
from pairdx.subsets import SUBSETS

FEW_TEST_PAIRS = 10
ACCURACY = 0.8  # the one of which an interval is stated
UNEVEN = 10  # so many times the pairs of the smallest class
MOST_ROWS = 40
MOST_NAMES = 10
LEAST_ROWS = len(SUBSETS)  # of fewer, no class can stand in every subset
MOST_LABELS = 1000  # of more, the column is the wrong one


def counts_section(
    pairs: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    names: Mapping[str, str],
    leakage: Sequence[Mapping[str, Any]],
) -> Section:
    """Count pairs by class and subset, and say what so many test pairs can tell.

    Args:
        pairs: pair_id, label.
        splits: Per split: pair_id, subset.
        names: Display names by label, in order.
        leakage: leakage.json of every split, of which ``unusable`` is read.
    """
    counts = {name: _by_subset(pairs, split, names) for name, split in splits.items()}
    sizes = pairs["label"].value_counts().reindex(list(names), fill_value=0)
    table = pd.DataFrame({"class": list(names.values()), "pairs": sizes.to_numpy()})
    for name, found in counts.items():
        table[f"{name}: {', '.join(SUBSETS)}"] = [
            " / ".join(f"{number:,}" for number in row) for row in found.to_numpy()
        ]
    first = next(iter(counts.values()))["test"]
    table["80 % known to within"] = [_known_to(number) for number in first]
    shown = table.iloc[np.sort(np.argsort(sizes.to_numpy(), kind="stable")[:MOST_ROWS])]
    blocks: list[Block] = [shown]
    if len(shown) < len(table):
        blocks.append(f"These are the {len(shown)} smallest of {len(table)} classes.")
    blocks.append(_what_can_be_told(int(first.sum()), next(iter(counts))))
    blocks += [unusable(report) for report in leakage if report.get("unusable")]
    blocks += _too_small(sizes, counts, names)
    return Section("Classes", blocks)


def _by_subset(pairs: pd.DataFrame, split: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    subset = pairs["pair_id"].map(split.set_index("pair_id")["subset"])
    counts = pd.crosstab(pairs["label"], subset)
    return counts.reindex(index=list(names), columns=list(SUBSETS), fill_value=0)


def half_width(pairs: int) -> float:
    """Return how far an accuracy of 80 % is known, as half of Wilson's 95 % interval."""
    low, high = wilson(np.array([ACCURACY]), np.array([float(pairs)]), 0.95)
    return float(high[0] - low[0]) / 2


def _known_to(pairs: int) -> str:
    return f"±{100 * half_width(pairs):.0f} points" if pairs else "nothing"


def _what_can_be_told(tested: int, split: str) -> str:
    if not tested:
        return f"The split {split} has no test pairs."
    return (
        f"With the {tested:,} test pairs of the split {split} an accuracy of 80 % is known to "
        f"within {_known_to(tested)}; with those of one class, what share of it is recognised to "
        "within the last column. (Wilson's 95 % interval, if every pair stands for itself; pairs "
        "of one case or patient tell less. Systems that answer about the same pairs can be told "
        "apart somewhat better.)"
    )


def unusable(report: Mapping[str, Any]) -> Doubt:
    """Say why nothing can be trained on a split, from its leakage.json."""
    why = report["unusable"]
    return Doubt(
        f"A run stops at the split {report['split']}: {why['what']}. What to do: {why['remedy']}."
    )


def _too_small(
    sizes: pd.Series, counts: Mapping[str, pd.DataFrame], names: Mapping[str, str]
) -> list[Block]:
    blocks: list[Block] = []
    if empty := [names[label] for label in sizes.index[sizes == 0]]:
        blocks.append(
            Doubt(
                f"No pair is left of {listed(empty)}: see below what was rejected, or take "
                f"{_it(empty)} out of the config key classes (by deleting it, or by null "
                "where it is taken over from another dataset)."
            )
        )
    for split, found in counts.items():
        none = [names[label] for label in found.index[(found["test"] == 0) & (sizes > 0)]]
        if none and found["test"].any():
            blocks.append(
                Doubt(
                    f"Split {split}: there are no test pairs of {listed(none)}. Nothing can be "
                    f"said of {_it(none)}, and averages over classes are of the others."
                )
            )
        few = found.index[(found["test"] < FEW_TEST_PAIRS) & (found["test"] > 0)]
        if len(few):
            blocks.append(
                Doubt(
                    f"Split {split}: fewer than {FEW_TEST_PAIRS} test pairs of "
                    f"{listed([names[label] for label in few])}. What is said of single classes "
                    "rests on almost nothing there; classes can be put together or left out."
                )
            )
    there = sizes[sizes > 0].set_axis([names[label] for label in sizes.index[sizes > 0]])
    if len(there) > 1 and there.max() >= UNEVEN * there.min():
        blocks.append(
            Doubt(
                f"{there.idxmax()} has {there.max() / there.min():.0f} times the pairs of "
                f"{there.idxmin()}: accuracy is mostly that of large classes. Read balanced "
                "accuracy and F1 beside it, or cap classes (curation.balance.per_class_cap)."
            )
        )
    if len(there) < 2:
        blocks.append(Doubt("Fewer than two classes have pairs: there is nothing to tell apart."))
    return blocks


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def listed(names: Sequence[str]) -> str:
    """Name the first of many."""
    more = len(names) - MOST_NAMES
    return ", ".join([*names[:MOST_NAMES], *([f"{more:,} more"] if more > 0 else [])])


def labels_section(
    rejected: pd.DataFrame, spellings: pd.DataFrame, facts: Mapping[str, Any], name: str
) -> Section:
    """List labels that are spelled otherwise than their class, and those that are no class.

    With the latter stand the lines of YAML that make them classes.

    Args:
        rejected: stage, reason, label.
        spellings: label, stated, rows.
        facts: ``classes``, ``out_of_distribution``.
        name: The dataset's, as the configuration has it.
    """
    unknown = rejected[(rejected["stage"] == "class") & (rejected["reason"] == "unknown_class")]
    counts = unknown["label"].value_counts()
    counts = counts[[isinstance(one, str) and one.strip() != "" for one in counts.index]]
    title = "Labels that are no class, or another spelling of one"
    without = len(unknown) - int(counts.sum())
    blocks = _respelled(spellings, facts)
    if without:
        blocks.append(
            Doubt(
                f"Rows without a label: {without:,}. They are rejected. (Of cells that are merged "
                "in a spreadsheet, only the first holds the value.)"
            )
        )
    if counts.empty:
        return Section(title, blocks)
    head = counts.iloc[:MOST_ROWS]
    blocks += [
        Doubt(
            f"Rows with a label that the config key classes does not name: {int(counts.sum()):,}, "
            f"of {len(counts):,} such labels. They are rejected."
        ),
        pd.DataFrame({"label": head.index, "rows": head.to_numpy()}),
    ]
    if len(counts) > len(head):
        blocks.append(f"These are the {len(head)} most frequent of {len(counts):,}.")
    if len(counts) > MOST_LABELS:
        blocks.append("So many labels are seldom classes: look at the config key source.columns.")
        return Section(title, blocks)
    blocks += [
        "To take them in, name them in your configuration; leave out the lines of those "
        "that you do not want. (Where a label only is another spelling of a class, the config key "
        "source.labels says so. Those that out_of_distribution names are kept, and no system is "
        "trained on them.)",
        Code(as_yaml(name, facts["classes"], [*counts.index[counts >= LEAST_ROWS].map(str)])),
    ]
    return Section(title, [*blocks, *_rare(counts)])


def _respelled(spellings: pd.DataFrame, facts: Mapping[str, Any]) -> list[Block]:
    """Say what is taken for a class that is not written so."""
    known = [*facts["classes"], *facts["out_of_distribution"]]
    odd = spellings[spellings["label"].isin(known) & (spellings["label"] != spellings["stated"])]
    if odd.empty:
        return []
    few = [f"{row.stated!r} for {row.label!r}" for row in odd.iloc[:MOST_NAMES].itertuples()]
    return [
        f"Rows whose label is written otherwise than the class that it is taken for, by case, "
        f"blanks or the composition of its letters: {int(odd['rows'].sum()):,}, in {len(odd):,} "
        f"spellings. So {listed(few)}."
    ]


def _rare(counts: pd.Series) -> list[Block]:
    if not (rare := int((counts < LEAST_ROWS).sum())):
        return []
    return [
        f"Labels of fewer than {LEAST_ROWS} rows, which no class can be made of, are not among "
        f"these lines: {rare:,}."
    ]


def as_yaml(dataset: str, classes: Mapping[str, str], labels: Sequence[str]) -> str:
    """Write classes and further labels as lines of a configuration.

    What Unicode calls a format character, such as a mark that turns the direction of what follows,
    is written as its number: it would not be seen.
    """
    names = {**classes, **{label: label for label in labels if label not in classes}}
    head = ["datasets:", f"  {_quoted(dataset)}:", "    classes:"]
    lines = [f"      {_quoted(label)}: {_quoted(shown)}" for label, shown in names.items()]
    return "\n".join([*head, *lines]) + "\n"


def _quoted(text: str) -> str:
    """Write a text as YAML reads it back, in one line."""
    as_it_is = all(one.isprintable() or one in JOINERS for one in text)
    written = yaml.safe_dump(text, allow_unicode=as_it_is, width=10**6)
    return written.removesuffix("\n").removesuffix("\n...")
