"""What the datasheet counts: sizes, sources, licences, reviews, repetitions, labels in captions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from pairdx.images import NOT_STRIPPABLE, TURNED
from pairdx.logs import logger
from pairdx.reporting.format.classes import free

QUANTILES = {
    "minimum": 0.0,
    "5 %": 0.05,
    "25 %": 0.25,
    "median": 0.5,
    "75 %": 0.75,
    "95 %": 0.95,
    "maximum": 1.0,
}
UNKNOWN = "unknown"
# Of what pairdx.images.beside_pixels names, this says how a file is built, not what it states.
NO_METADATA = NOT_STRIPPABLE
CAPTIONS = "caption_cluster"
# What pairs may share, and the column that tells.
REPETITIONS = {
    "identical image file": "sha256",
    "near-duplicate image": "duplicate_cluster",
    "identical caption": CAPTIONS,
}


SEE_ARTICLE = "unknown; see the article"
ARTICLES = {"article_id": "articles", "case_id": "cases", "figure_id": "figures"}


def quantiles(quantities: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Summarise numbers by their quantiles.

    Args:
        quantities: Per name: numbers; missing ones are left out.

    Returns:
        quantity, known (how many numbers), and one column per entry of :data:`QUANTILES`, empty
        where no number is known.
    """
    rows = []
    for name, numbers in quantities.items():
        known = pd.to_numeric(numbers).dropna().astype("float64")
        values = {column: known.quantile(share) for column, share in QUANTILES.items()}
        rows.append({"quantity": name, "known": len(known), **values})
    return pd.DataFrame(rows, columns=["quantity", "known", *QUANTILES])


def counted(values: pd.Series, name: str, unit: str) -> pd.DataFrame:
    """Count values: columns ``name``, ``unit`` (their number) and share, the most frequent first.

    An empty text counts as unknown.
    """
    counts = values.replace("", UNKNOWN).value_counts().rename_axis(name).reset_index(name=unit)
    counts = counts.sort_values([unit, name], ascending=[False, True], ignore_index=True)
    return counts.assign(share=counts[unit] / max(1, len(values)))


def subtypes(pairs: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Count pairs by class, in the order given, and subtype, the most frequent first.

    Returns:
        class, subtype, pairs, share (of the class).
    """
    tables = []
    of_label = dict([*pairs.groupby("label")["subtype"]])
    for name in classes:
        of_class = counted(of_label.get(name, pairs["subtype"].iloc[:0]), "subtype", "pairs")
        of_class.insert(0, "class", name)
        tables.append(of_class)
    return pd.concat(tables, ignore_index=True)


def sources(pairs: pd.DataFrame, groups: Mapping[str, str] = ARTICLES) -> pd.DataFrame:
    """Count what pairs come from, per archive and in all: archive, what ``groups`` names, pairs.

    Args:
        pairs: pair_id, archive, article_id, case_id, figure_id. An empty identifier, which is an
            unknown one, is not counted.
        groups: What is counted: columns of the pairs, and what these are called.
    """
    columns = {column: free(name, ["archive", "pairs"]) for column, name in groups.items()}
    known = pairs[[*columns, "pair_id"]].replace("", pd.NA).rename(columns=columns)
    known = known.rename(columns={"pair_id": "pairs"})
    counts = known.groupby(pairs["archive"]).nunique()
    counts.loc["total"] = known.nunique()
    return counts.rename_axis("archive").reset_index()


def licence_terms(licence: str, unknown: str = SEE_ARTICLE) -> str:
    """Say in words what the letters of a Creative Commons licence restrict; else ``unknown``."""
    parts = re.split(r"[^A-Z0-9]+", licence.upper().strip())
    if parts[0] not in ("CC", "CC0"):
        return unknown
    terms = {"NC": "no commercial use", "ND": "no changed versions", "SA": "share alike"}
    found = [text for part, text in terms.items() if part in parts]
    return ", ".join(found) or ("none" if "BY" not in parts else "attribution")


def licences(pairs: pd.DataFrame, unknown: str = SEE_ARTICLE) -> pd.DataFrame:
    """Count pairs by licence: licence, pairs, share, terms (see :func:`licence_terms`)."""
    table = counted(pairs["licence"], "licence", "pairs")
    return table.assign(terms=[licence_terms(one, unknown) for one in table["licence"]])


def masked_kinds(pairs: pd.DataFrame) -> pd.Series:
    """Count the captions in which each kind of identifier was masked, by kind."""
    return _kinds(pairs["masked"])


def _kinds(named: pd.Series) -> pd.Series:
    """Count each of the kinds that texts name, joined by ``;``, in the order of their names."""
    return named[named != ""].str.split(";").explode().value_counts().sort_index()


def kinds_beside_pixels(pairs: pd.DataFrame) -> pd.DataFrame:
    """Count the image files by what they hold beside their pixels.

    Args:
        pairs: beside_pixels (see :func:`pairdx.images.beside_pixels`).

    Returns:
        beside_pixels (a kind), files, share (of all files). A file counts once for each kind.
    """
    files = _kinds(pairs["beside_pixels"]).drop(NO_METADATA, errors="ignore")
    table = files.rename_axis("beside_pixels").reset_index(name="files")
    return table.assign(share=table["files"] / max(1, len(pairs)))


def files_with_more(pairs: pd.DataFrame) -> int:
    """Count the image files that hold anything beside their pixels."""
    return int((~pairs["beside_pixels"].isin(["", NO_METADATA])).sum())


def drawn_anew(pairs: pd.DataFrame) -> dict[str, int]:
    """Count the images that are handed on in new files, by the first reason that holds.

    Args:
        pairs: image_edit, beside_pixels; :func:`pairdx.dataset_archive.is_drawn_anew` decides by
            them.
    """
    kinds = pairs["beside_pixels"].str.split(";")
    edited = pairs["image_edit"] != ""
    turned = kinds.map(lambda found: TURNED in found) & ~edited
    others = kinds.map(lambda found: NOT_STRIPPABLE in found) & ~edited & ~turned
    return {
        "edited by a person": int(edited.sum()),
        "turned upright": int(turned.sum()),
        "because their files cannot be cleared otherwise": int(others.sum()),
    }


def reviewed(pairs: pd.DataFrame, classes: Sequence[str], *, captions: bool = True) -> pd.DataFrame:
    """Count what people looked at, per class and in all.

    Args:
        pairs: label, caption_reviewed, image_reviewed (bool), image_edit ("" for none).
        classes: The classes, in table order.
        captions: Whether there are any.

    Returns:
        class, pairs, captions_reviewed (if there are any), images_reviewed, images_never_reviewed,
        images_edited.
    """
    facts = pd.DataFrame(
        {
            "class": pairs["label"],
            "pairs": 1,
            "captions_reviewed": pairs["caption_reviewed"].astype("int64"),
            "images_reviewed": pairs["image_reviewed"].astype("int64"),
            "images_never_reviewed": (~pairs["image_reviewed"].astype(bool)).astype("int64"),
            "images_edited": (pairs["image_edit"] != "").astype("int64"),
        }
    )
    shown = facts if captions else facts.drop(columns="captions_reviewed")
    return _per_class(shown, classes).reset_index()


def _per_class(facts: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Add up numbers per class, in the order given, and over all classes."""
    sums = facts.groupby("class").sum().reindex(list(classes), fill_value=0)
    sums.loc[free("total", classes)] = sums.sum()
    return sums.rename_axis("class")


def repetitions(pairs: pd.DataFrame, *, captions: bool = True) -> pd.DataFrame:
    """Count pairs that share an image or a caption with another pair.

    Args:
        pairs: The columns of :data:`REPETITIONS`.
        captions: Whether there are any.

    Returns:
        shared, groups (of two or more pairs that share it), pairs (in such groups), share.
    """
    rows = []
    for name, column in REPETITIONS.items():
        if column == CAPTIONS and not captions:
            continue
        sizes = pairs.loc[pairs[column] != "", column].value_counts()  # "": unknown
        groups = sizes[sizes > 1]
        share = int(groups.sum()) / max(1, len(pairs))
        rows.append((name, len(groups), int(groups.sum()), share))
    return pd.DataFrame(rows, columns=["shared", "groups", "pairs", "share"])


def text_label_agreement(
    pairs: pd.DataFrame, out_of_distribution: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """Compare labels with what the captions name, per class and in all.

    The source derives labels from some captions by their words (``text_labels``). One of them
    names a class if it is the class's own name, or a subtype that occurs in that class anywhere in
    the dataset. A caption agrees with a label if it names its class, whatever else it names.

    Args:
        pairs: label, subtype, text_labels (joined with ";").
        out_of_distribution: label, subtype; what further words may name.
        classes: The classes, in table order.

    Returns:
        class, pairs, captions_naming_a_class, agreeing, agreeing_share (of the captions that name
        a class; empty where there are none).
    """
    everything = pd.concat([pairs, out_of_distribution])[["label", "subtype"]]
    names = pd.concat([everything["label"], everything["subtype"]]).to_frame("word")
    names["named"] = [*everything["label"], *everything["label"]]
    names = names[names["word"] != ""].drop_duplicates()

    numbered = pairs.reset_index(drop=True)
    words = numbered["text_labels"].str.split(";").explode().to_frame("word")
    hits = words.rename_axis("row").reset_index().merge(names, on="word")
    if hits.empty and (words["word"] != "").any():
        logger.warning(
            "none of the labels that the source took from captions names a class or a subtype, "
            "such as %r: they may be spelled differently",
            words.loc[words["word"] != "", "word"].iloc[0],
        )
    own = numbered["label"].reindex(hits["row"]).to_numpy()
    facts = pd.DataFrame(
        {
            "class": numbered["label"],
            "pairs": 1,
            "captions_naming_a_class": numbered.index.isin(hits["row"]).astype("int64"),
            "agreeing": numbered.index.isin(hits.loc[hits["named"] == own, "row"]).astype("int64"),
        }
    )
    counts = _per_class(facts, classes)
    naming = counts["captions_naming_a_class"].where(counts["captions_naming_a_class"] > 0)
    return counts.assign(agreeing_share=counts["agreeing"] / naming.astype("float64")).reset_index()
