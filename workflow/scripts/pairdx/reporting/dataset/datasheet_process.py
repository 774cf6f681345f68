"""The sections of the datasheet on how the pairs were made: labelled, searched, chosen, divided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.reporting.dataset import counts
from pairdx.reporting.dataset.curation_tables import (
    funnel_table,
    identifiers_table,
    leakage_table,
    rejections_table,
    with_own_words,
)
from pairdx.reporting.dataset.sentences import lacking_sentence, part_of, subtable
from pairdx.reporting.format.classes import with_titles
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.markdown import escape

PHOTOGRAPHS = "medical_photograph"  # the class that may show a patient's face


def labels_of(
    pairs: pd.DataFrame, out_of_distribution: pd.DataFrame, facts: Mapping[str, Any]
) -> list[str]:
    """Who labelled the images, and how far captions agree."""
    if {"captions", "caption_labels"} & {*facts["lacks"]}:  # nothing that could be compared
        return [facts["texts"]["labels"]]
    agreement = counts.text_label_agreement(pairs, out_of_distribution, facts["classes"])
    total = agreement.iloc[-1]
    named, agreeing = int(total["captions_naming_a_class"]), int(total["agreeing"])
    return [
        facts["texts"]["labels"],
        f"{facts['texts']['caption_labels']} A caption names a class if one of these labels "
        f"is a class, or a subtype of one: {part_of(named, len(pairs))} captions do, and of these "
        f"{part_of(agreeing, named)} name that of the image's label.",
        subtable(
            with_titles(agreement, facts["classes"]),
            "Labels and captions",
            "A caption that names several classes agrees if the label's is among them.",
        ),
    ]


def review(pairs: pd.DataFrame, rejected: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    """What was searched for people, and what people looked at."""
    named = PHOTOGRAPHS in facts["classes"]
    photographs = pairs[pairs["label"] == PHOTOGRAPHS] if named else pairs
    what = "medical photographs" if named else "images"
    unseen = int((~photographs["image_reviewed"].astype(bool)).sum())
    found = identifiers_table(rejected, pairs, facts["identifiers"])
    table = subtable(found, "Identifiers found in captions, by what was done")
    lacking = lacking_sentence(facts, "captions")
    captions = f"{part_of(int(pairs['caption_reviewed'].sum()), len(pairs))} captions and "
    table_of_people = counts.reviewed(pairs, facts["classes"], captions=not lacking)
    return [
        *([lacking] if lacking else [_search(facts["identifiers"]), table]),
        f"A person reviewed {'' if lacking else captions}"
        f"{part_of(int(pairs['image_reviewed'].sum()), len(pairs))} images.",
        f"**{unseen:,} of {len(photographs):,} {what} were never reviewed by a "
        "person.** No face detector is used: a face that nobody saw is still there.",
        subtable(with_titles(table_of_people, facts["classes"]), "Review by people"),
        *_image_files(pairs),
    ]


def _image_files(pairs: pd.DataFrame) -> list[str]:
    """Say what image files hold beside the pixels, and what the dataset archive does with it."""
    anew = counts.drawn_anew(pairs)
    reasons = ", ".join(f"{number:,} {why}" for why, number in anew.items() if number)
    found = counts.kinds_beside_pixels(pairs)
    return [
        f"The files of {part_of(counts.files_with_more(pairs), len(pairs))} images hold more than "
        "the picture: what cameras and programs state (EXIF, XMP, IPTC, comments, texts), small "
        "copies, further pictures. Nothing of it is in the dataset that is handed on: it is taken "
        "out of the files, whose compressed pixels and colour profiles stay as they are.",
        *([subtable(found, "Files with something beside the pixels")] if len(found) else []),
        f"{part_of(sum(anew.values()), len(pairs))} images are stored anew, as PNG without loss "
        f"and in sRGB{f': {reasons}' if reasons else ''}.",
    ]


def _search(handling: Mapping[str, str]) -> str:
    ignored = [readable(kind).lower() for kind, action in handling.items() if action == "keep"]
    if len(ignored) == len(handling):
        return "Captions were not searched for what may lead to a person."
    rest = f" Not searched for: {escape(', '.join(ignored))}." if ignored else ""
    return (
        "Captions were searched by rules for what may lead to a person. The rules miss some, such "
        f"as names without a title.{rest}"
    )


def funnel_of(funnel: pd.DataFrame, rejected: pd.DataFrame) -> list[str]:
    """How candidates became pairs, and why others did not."""
    reasons = rejections_table(rejected, list(funnel["stage"].unique()))
    return [
        subtable(funnel_table(funnel), "Candidates per stage"),
        subtable(reasons, "Reasons of rejection"),
    ]


def duplicates(pairs: pd.DataFrame, rejected: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    """What was taken out as a copy, and what repeats in what is left."""
    captions = "captions" not in facts["lacks"]
    shared = "an image or a caption" if captions else "an image"
    copies = int((rejected["stage"] == "duplicates").sum())
    return [
        f"Candidates rejected as copies: {copies:,}. What is left in the dataset:",
        subtable(
            counts.repetitions(pairs, captions=captions), f"Pairs that share {shared} with another"
        ),
    ]


def _together(facts: Mapping[str, Any]) -> str:
    """Name what the grouped split keeps on one side."""
    captions = [] if "captions" in facts["lacks"] else ["identical captions"]
    if facts["articles"]:
        groups = ["articles", "cases"]
    else:
        columns = [name for key, name in facts["grouped_by"].items() if key != "case_id"]
        groups = [f"what shares a value of {escape(name)}" for name in columns]
    return ", ".join([*groups, "near-duplicate images", *captions])


def leakage(reports: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[str]:
    """What the splits keep together, and what their subsets share."""
    published = any(report["split"] == "published" for report in reports)
    whose = "the authors' own" if facts["articles"] else "the one that comes with the data"
    theirs = f"`published` is {whose}. " if published else ""
    return [
        "`stratified` gives every class the same shares in each subset. `grouped` also keeps on "
        f"one side what belongs together: {_together(facts)}. {theirs}What two "
        "subsets share lets a system recognise what it was trained on.",
        *(
            f"The split `{report['split']}` {report['validation']}."
            for report in reports
            if "validation" in report
        ),
        subtable(
            leakage_table(with_own_words(reports, facts)),
            "What subsets share",
            "Pairs and share are those of the subset named last.",
        ),
    ]
