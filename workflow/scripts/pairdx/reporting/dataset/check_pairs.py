"""Of the check before training: rejections and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.sections import Block, Doubt, Section
from pairdx.subsets import LEAKAGE_KINDS

Names = Mapping[str, str]
REASONS = {
    "malformed_list": "a cell that should hold a list holds none",
    "repeated_row": "an earlier row has the same identifier (or names the same image)",
    "no_case": "the row names no case",
    "unsafe_file_name": "the path of the image leaves its folder, is that of a folder, or its name "
    "begins with a dot",
    "no_file_name": "the row names no image",
    "no_subset": "the row states no subset of your own split",
    "modality_not_selected": "no selected modality covers it",
    "unknown_class": "its label is no class",
    "unknown_label": "it is said to show what is no finding of the data",
    "other_image": "it is of another kind or region than those that are read",
    "other_view": "it is of another view",
    "further_image": "another image of its study is kept",
    "under_age": "the patient is younger than min_age",
    "unknown_age": "the age is not known",
    "licence_not_allowed": "the licence is not among those allowed",
    "empty_caption": "the caption is empty",
    "boilerplate_caption": "the caption only refers to a figure",
    "caption_markup": "the caption holds HTML",
    "outside_subset": "a quick run leaves it out",
    "missing_from_archive": "the image is not there",
    "link_out_of_folder": "the image is a link that leads out of its folder",
    "more_than_8_bits": "the image has more than 8 bits per channel",
    "several_pages": "the image file has several pages",
    "unreadable": "the image cannot be read",
    "too_small": "the image is too small",
    "near_uniform": "the image is of one colour",
    "extreme_shape": "the image is absurdly long",
    "exact_duplicate": "the same image file is there already",
    "near_duplicate": "nearly the same image is there already",
    "edit_out_of_date": "it has changed since a person edited it",
    "caption_rejected": "a person rejected the caption",
    "image_rejected": "a person rejected the image",
    "over_class_size": "its class has more than balancing keeps",
}
# Which key decides, by reason or else by stage.
KEYS = {
    "no_subset": "source.columns.subset",
    "unknown_class": "classes",
    "unknown_label": "classes",
    "other_view": "source.views",
    "further_image": "source.images_per_study",
    "class": "curation.modalities",
    "under_age": "curation.min_age",
    "unknown_age": "curation.unknown_age",
    "licence": "curation.licences",
    "caption": "curation.caption_problems",
    "identifiers": "curation.identifiers",
    "subset": "subset",
    "image": "curation.images",
    "duplicates": "curation.duplicates",
    "review": "curation.review.decisions",
    "balance": "curation.balance",
}
# Reasons of those stages that no key decides: such an image can never be used.
UNDECIDED = ("unreadable", "more_than_8_bits", "several_pages")
# Stages whose details are about files and labels: those of others may be what identifies a person.
TOLD = ("ingest", "class", "archive", "image", "duplicates")
LONGEST_DETAIL = 80
MOST_EXAMPLES = 10
# From how many images, and which share of all, a group is large enough to be doubted.
LEAST_LARGE, LARGE_SHARE = 8, 0.2
ADD_GROUPED = "Add grouped to the config key splits, and its accuracies say"
# Columns that tell of copies, whatever the groups are.
OF_COPIES = ("caption_cluster", "duplicate_cluster")
SUBSETS_TOLD = ("train-validation", "train-test", "validation-test")


def rejections_section(rejected: pd.DataFrame, paths: Names) -> Section:
    """Say how many rows are rejected for what, with an example each.

    Args:
        rejected: pair_id, member, label, stage, reason, detail.
        paths: Of all rows, by pair_id (:func:`paths_of`).
    """
    if rejected.empty:
        return Section("Rejections", ["Nothing is rejected."])
    rows = []
    for (stage, reason), group in rejected.groupby(["stage", "reason"], sort=False):
        rows.append(
            {
                "why": _why(str(stage), str(reason)),
                "rows": len(group),
                "example": _example(str(stage), group.iloc[0], paths),
                "decided_by": _decided_by(str(stage), str(reason)),
            }
        )
    table = pd.DataFrame(rows).sort_values("rows", ascending=False, kind="stable")
    blocks: list[Block] = [table]
    unplaced = rejected["reason"] == "no_subset"
    if unplaced.any():
        blocks.append(
            Doubt(
                f"Rows that state no subset of your own split: {int(unplaced.sum()):,}. They are "
                "in none of it, and rejected."
            )
        )
    gone = rejected[rejected["stage"].isin(["ingest", "archive", "image"]) & ~unplaced]
    if len(gone):
        blocks.append(
            Doubt(
                f"Rows that cannot be used, or whose image cannot: {len(gone):,}. If these are "
                "many, look at the paths and the folder of images first."
            )
        )
    return Section("Rejections", blocks)


def _why(stage: str, reason: str) -> str:
    if stage == "identifiers":
        return f"the caption may identify a person ({readable(reason).lower()})"
    return REASONS.get(reason, readable(reason).lower())


def _decided_by(stage: str, reason: str) -> str:
    return "" if reason in UNDECIDED else KEYS.get(reason, KEYS.get(stage, ""))


def paths_of(*tables: pd.DataFrame) -> dict[str, str]:
    """Return where the image of every pair lies below the folder of images; the first row counts.

    Args:
        tables: pair_id, member.
    """
    rows = pd.concat([table[["pair_id", "member"]] for table in tables])
    first = rows.drop_duplicates("pair_id")
    return dict(zip(first["pair_id"].map(str), first["member"].map(str), strict=True))


def _example(stage: str, row: pd.Series, paths: Names) -> str:
    """Name the first image; with what was found, where that cannot be about a person."""
    detail = str(row["detail"] or "") if stage in TOLD else ""
    if stage == "duplicates":
        original = detail.removeprefix("of ")
        detail = f"of {paths.get(original, original)}"
    if detail == row["member"]:  # of what is missing, the detail is the path
        detail = ""
    if len(detail) > LONGEST_DETAIL:
        detail = f"{detail[: LONGEST_DETAIL - 1]}…"
    return f"{row['member']} ({detail})" if detail.strip() else str(row["member"])


# ---------------------------------------------------------------- groups
def groups_section(
    pairs: pd.DataFrame, leakage: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]
) -> Section:
    """Say which groups span classes, and which the splits cut.

    Args:
        pairs: member, label and the columns of ``grouped_by``.
        leakage: leakage.json of every split.
        facts: ``classes``, ``grouped_by``.
    """
    blocks: list[Block] = []
    for column, words in facts["grouped_by"].items():
        blocks += _largest(pairs, column, words)
        if not facts.get("several"):  # a patient's images show now this, now that
            blocks += _spanning(pairs, column, words, facts["classes"])
    return Section("Groups", [*blocks, *_cut(leakage, facts["grouped_by"])])


def _largest(pairs: pd.DataFrame, column: str, words: str) -> list[Block]:
    """Doubt a group that holds much of all: a word for "not known" joins what has no group."""
    known = pairs.loc[pairs[column].fillna("") != "", column]
    sizes = known.value_counts()
    if sizes.empty or sizes.iloc[0] < max(LEAST_LARGE, LARGE_SHARE * len(pairs)):
        return []
    image = pairs.loc[pairs[column] == sizes.index[0], "member"].iloc[0]
    return [
        Doubt(
            f"The largest group of one {words} has {sizes.iloc[0]:,} of {len(pairs):,} images; "
            f"{image} is one of them. If their cells hold a word such as unknown, NA or -, empty "
            "them: an empty cell belongs to no group."
        )
    ]


def _spanning(pairs: pd.DataFrame, column: str, words: str, names: Names) -> list[Block]:
    known = pairs.loc[pairs[column].fillna("") != "", [column, "label"]]
    groups = known.groupby(column)["label"]
    if known.empty or groups.size().max() < 2:
        return []
    classes = groups.nunique()
    several, spanning = int((groups.size() > 1).sum()), classes.index[classes > 1]
    if spanning.empty:
        return [
            f"Groups of one {words} with several images: {several:,}. None has images of several "
            "classes."
        ]
    text = (
        f"Groups of one {words} with several images: {several:,}. Of these, with images of "
        f"several classes: {len(spanning):,}. That is no fault where one patient has documents of "
        "several kinds; where the label belongs to the patient, it is one."
    )
    examples = [
        {
            "one_of_its_images": pairs.at[labels.index[0], "member"],
            "images": len(labels),
            "classes": _classes(labels, names),
        }
        for name in spanning[:MOST_EXAMPLES]
        for labels in [groups.get_group(name)]
    ]
    return [text, pd.DataFrame(examples)]


def _classes(labels: pd.Series, names: Names) -> str:
    found = labels.value_counts()
    return ", ".join(f"{names.get(str(label), label)} ({n})" for label, n in found.items())


def _cut(leakage: Sequence[Mapping[str, Any]], grouped_by: Names) -> list[Block]:
    """Say what subsets share: in the user's own split that is a finding, in others a property."""
    rows, own = [], 0
    for report in leakage:
        for kind, shared in report["kinds"].items():
            column = LEAKAGE_KINDS[kind]
            if column not in grouped_by and column not in OF_COPIES:
                continue
            for between in SUBSETS_TOLD:
                found = shared[between]
                if found["groups"]:
                    later = between.split("-")[1]
                    rows.append(
                        {
                            "split": report["split"],
                            "in_two_subsets": grouped_by.get(column, readable(kind).lower()),
                            "subsets": between.replace("-", " and "),
                            "groups": found["groups"],
                            "pairs_concerned": f"{found['pairs']:,} of {later}",
                        }
                    )
                    own += found["groups"] if report["split"] == "published" else 0
    if not rows:
        return ["No split puts a known group, a copy or a caption into two subsets."]
    blocks: list[Block] = [
        "What subsets share, a system may recognise in place of the class:",
        pd.DataFrame(rows),
    ]
    if own:
        beside = "grouped" in [report["split"] for report in leakage]
        measured = "Accuracies on the split grouped, beside it, say" if beside else ADD_GROUPED
        blocks.append(
            Doubt(
                "Your own subsets (split published) share groups, copies or captions: accuracies "
                f"on them may be too high. {measured} by how much."
            )
        )
    return blocks
