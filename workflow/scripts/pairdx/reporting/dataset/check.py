"""The check before training: what a dataset's documents are, in plain words.

Every number is counted from tables that the workflow makes anyway; what is worth a look is marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pairdx.plan.datasets import NO_FINDING
from pairdx.reporting.dataset import (
    check_captions,
    check_classes,
    check_copies,
    check_findings,
    check_pairs,
    check_reading,
)
from pairdx.reporting.dataset.estimate import cost_section
from pairdx.reporting.dataset.pairing_tables import how_chosen
from pairdx.reporting.dataset.past_jobs import Past
from pairdx.reporting.format.sections import Block, Doubt, Section, doubts
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.stores import file_of


@dataclass(frozen=True)
class Documents:
    """A dataset's tables.

    Attributes:
        pairs: curated/pairs.parquet.
        others: curated/out_of_distribution.parquet.
        rejected: curated/rejected.parquet.
        funnel: curated/funnel.csv.
        spellings: label, how it is stated, rows.
        as_read: What there is to say of the table itself (curated/stages/as_read.json).
        splits: Per split: pair_id, subset.
        leakage: leakage.json of every split.
    """

    pairs: pd.DataFrame
    others: pd.DataFrame
    rejected: pd.DataFrame
    funnel: pd.DataFrame
    spellings: pd.DataFrame
    as_read: Mapping[str, Any]
    splits: Mapping[str, pd.DataFrame]
    leakage: Sequence[Mapping[str, Any]]


def check(documents: Documents, facts: Mapping[str, Any], past: Past, name: str) -> list[Section]:
    """Say what there is to know of a dataset before anything trains.

    Args:
        documents: Its tables.
        facts: What is planned (:func:`pairdx.plan.documents_check.facts_of_check`).
        past: Jobs that were measured before.
        name: The dataset's, as the configuration has it.
    """
    documents = _with_bare_names(documents)
    pairs = documents.pairs
    paths = check_pairs.paths_of(pairs, documents.others, documents.rejected)
    sections = [
        check_reading.reading_section(
            *(pairs, documents.others, documents.rejected),
            *(documents.funnel, documents.as_read, facts),
        ),
        _counts(documents, facts),
        check_classes.labels_section(documents.rejected, documents.spellings, facts, name),
        check_pairs.rejections_section(documents.rejected, paths),
        check_pairs.groups_section(pairs, documents.leakage, facts),
        check_copies.duplicates_section(documents.rejected, pairs, documents.others, facts),
        check_captions.captions_section(pairs, facts),
        _systems(facts),
        _privileged(facts["pairings"]),
        cost_section(len(pairs), facts, past),
    ]
    present = [section for section in sections if section.blocks]
    return [_in_short(doubts(present), facts), *present]


def _with_bare_names(documents: Documents) -> Documents:
    """Name images by their files alone: how grey levels are read is nothing for people."""
    named = {
        key: table.assign(member=table["member"].map(file_of, na_action="ignore"))
        for key in ("pairs", "others", "rejected")
        for table in (getattr(documents, key),)
    }
    return replace(documents, **named)


def _counts(documents: Documents, facts: Mapping[str, Any]) -> Section:
    """Count classes or, of several labels per pair, findings."""
    pairs, names, report = documents.pairs, facts["classes"], documents.leakage
    if not facts.get("several"):
        return check_classes.counts_section(pairs, documents.splits, names, report)
    of_findings = {name: shown for name, shown in names.items() if name != NO_FINDING}
    return check_findings.findings_section(pairs, documents.splits, of_findings, report)


def _in_short(marked: int, facts: Mapping[str, Any]) -> Section:
    things = "1 thing is" if marked == 1 else f"{marked or 'No'} things are"
    blocks: list[Block] = [f"{things} marked as worth a look. Nothing has been trained for this."]
    return Section("In short", [*([DRAWN_NOTE] if facts["drawn"] else []), *blocks])


def _trained(entry: Mapping[str, Any]) -> str:
    if not entry["trained"]:
        return "no"
    seeds = f"{entry['seeds']} seed{'' if entry['seeds'] == 1 else 's'} per split"
    return f"{seeds}, on {entry['device']}"


def _systems(facts: Mapping[str, Any]) -> Section:
    rows = [
        {
            "system": entry["title"],
            "reads": " and ".join(entry["reads"]) or "nothing",
            "trained": _trained(entry),
            "note": "stand-in: small, random" if entry["stand_in"] else "",
        }
        for entry in facts["systems"].values()
    ]
    blocks: list[Block] = [_running(len(rows), facts), *([pd.DataFrame(rows)] if rows else [])]
    if any(entry["stand_in"] for entry in facts["systems"].values()):
        blocks.append(
            "Stand-ins are small networks with random weights: they show that all works, and their "
            "numbers say nothing of the real systems."
        )
    if facts["left_out"]:
        left = [{"left_out": name, "why": why} for name, why in facts["left_out"].items()]
        blocks += ["Enabled, but left out here:", pd.DataFrame(left)]
    if facts["not_enabled"]:
        blocks.append(f"Not enabled: {facts['not_enabled']} further systems of the registry.")
    blocks += [_elsewhere(how) for how in facts["tested_on"].values()]
    if facts["asked_by"]:
        blocks.append(
            f"Systems of {', '.join(facts['asked_by'])} are asked about the test pairs of this "
            "dataset (tested_on)."
        )
    return Section("Systems", blocks)


def _privileged(pairings: Mapping[str, Mapping[str, Any]]) -> Section:
    """Say which texts systems learn from that nobody has when an image is classified."""
    rows = [
        {
            "pairing": name,
            "bank": how["bank"],
            "file": how["file"] or "",
            "chosen_for_an_image": how_chosen(how),
            "encoder": how["encoder"],
            "systems": how["systems"],
        }
        for name, how in pairings.items()
    ]
    text = (
        "Texts that systems learn from and do not see when they classify, and how many systems do. "
        "Banks without a file hold captions or prompts."
    )
    return Section("Privileged texts", [text, pd.DataFrame(rows)] if rows else [])


def _running(number: int, facts: Mapping[str, Any]) -> Block:
    """Say how many systems of its own a dataset has."""
    if number:
        return f"Systems that run: {number}, on the splits {', '.join(facts['splits'])}."
    if facts["asked_by"]:
        return "No system of its own runs, and nothing is trained on it."
    return Doubt("No system runs: config key systems enables none for this dataset.")


def _elsewhere(how: Mapping[str, Any]) -> str:
    """Say how far the classes of another dataset that systems are asked about are ours."""
    asked = f"Asked about the test pairs of {how['title']}, too (tested_on)."
    if "findings" in how:
        return f"{asked} All its {how['findings']} findings are asked about, in its own words."
    lone = [
        f"without a counterpart {where}: {', '.join(how[key])}"
        for key, where in (("here", "there, of ours"), ("there", "here, of theirs"))
        if how[key]
    ]
    return f"{asked} Classes that match: {'; '.join([str(how['matched']), *lone])}."
