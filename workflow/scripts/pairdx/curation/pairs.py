"""The end of curation: archives' facts joined, duplicates and surplus out, the funnel drawn up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pairdx.curation.balancing import chosen, class_sizes
from pairdx.curation.captions import caption_cluster
from pairdx.curation.duplicates import clusters, copies, near_duplicates, same_value_links
from pairdx.curation.outcomes import KEEP, Screening, funnel, only, reasons_in_words
from pairdx.curation.review import apply_decisions
from pairdx.errors import PairDxError
from pairdx.finding_texts import COLUMN as FINDINGS

PAIR_COLUMNS = [
    "pair_id",
    "file",
    "article_id",
    "case_id",
    "figure_id",
    "caption",
    "label",
    "subtype",
    "age",
    "sex",
    "licence",
    "year",
    "sha256",
    "image_format",
    "beside_pixels",
    "perceptual_hash",
    "width",
    "height",
    "archive",
    "member",
    "duplicate_cluster",
    "caption_cluster",
    "text_labels",
    "masked",
    "caption_reviewed",
    "image_reviewed",
    "image_edit",
    "published_subset",
]


@dataclass(frozen=True)
class Curated:
    """What curation ends with: pairs, out-of-distribution pairs, rejections, and their funnel."""

    pairs: pd.DataFrame
    out_of_distribution: pd.DataFrame
    rejected: pd.DataFrame
    funnel: pd.DataFrame


def curate(
    candidates: pd.DataFrame,
    rejected_by_tables: pd.DataFrame,
    facts: pd.DataFrame,
    settings: Mapping[str, Any],
    *,
    decisions: pd.DataFrame,
    counts: pd.Series,
    seed: int,
) -> Curated:
    """Run the stages archive, image, duplicates, review and balance, and draw up the funnel.

    Args:
        candidates: What the table screens left.
        rejected_by_tables: What they rejected.
        facts: Rows of :func:`pairdx.curation.archives.inspect_archive`, of all archives.
        settings: The config's ``curation`` section.
        decisions: A reviewer's, from :func:`pairdx.curation.review.read_decisions`.
        counts: Number of rows per label in the raw table, which the funnel must account for.
        seed: Seed of the balancing.

    Raises:
        PairDxError: No pair is left, or the funnel does not add up.
    """
    screening = Screening(candidates)
    _screen_images(screening, facts)
    _screen_duplicates(screening, settings)
    gone = pd.concat([rejected_by_tables, screening.rejected], ignore_index=True)
    apply_decisions(screening, decisions, gone)
    _balance(screening, settings, seed)
    survivors = screening.candidates.assign(
        caption_cluster=caption_cluster(screening.candidates["caption"])
    ).sort_values("pair_id")
    is_pair = survivors["label"].isin(settings["classes"])
    columns = [*PAIR_COLUMNS, *([FINDINGS] if FINDINGS in survivors else [])]
    pairs, aside = (survivors.loc[rows, columns] for rows in (is_pair, ~is_pair))
    rejected = pd.concat([rejected_by_tables, screening.rejected], ignore_index=True)
    if pairs.empty:
        why = reasons_in_words(rejected) or "the corpus has no rows"
        raise PairDxError(
            f"no pair is left after curation. Rejected (number stage/reason): {why}",
            remedy="config/README.md, section 2, says for each stage what its reasons mean and "
            "which key under `curation` it obeys",
        )
    return Curated(
        pairs=pairs.reset_index(drop=True),
        out_of_distribution=aside.reset_index(drop=True),
        rejected=rejected,
        funnel=funnel(counts, rejected, aside, pairs),
    )


def _screen_images(screening: Screening, facts: pd.DataFrame) -> None:
    merged = screening.candidates.merge(facts, on="row", how="left", validate="one_to_one")
    unlisted = merged["stage"].isna()
    merged.loc[unlisted, ["stage", "reason"]] = ["archive", "missing_from_archive"]
    # Of no candidates the column holds no texts, whatever was written.
    archives = merged["archive"].astype(str)
    merged.loc[unlisted, "detail"] = archives + " is not among the dataset's archives"
    screening.candidates = merged
    for stage in ("archive", "image"):
        current = screening.candidates
        reasons = current["reason"].where(current["stage"] == stage, KEEP)
        screening.reject(stage, reasons.astype(str), current["detail"])


def _screen_duplicates(screening: Screening, settings: Mapping[str, Any]) -> None:
    """Keep the first of copies: pairs before out-of-distribution pairs, then by name."""
    aside = ~screening.candidates["label"].isin(settings["classes"])
    images = screening.candidates.assign(aside=aside).sort_values(["aside", "pair_id"])
    images = images.drop(columns="aside").reset_index(drop=True)
    exact = same_value_links(images["sha256"])
    near = _near_links(images, settings["duplicates"]["max_distance_bits"])
    cluster = clusters(np.concatenate([exact, near]), images["pair_id"])
    screening.candidates = images.assign(duplicate_cluster=cluster)

    found = {
        f"{kind}_duplicate": links
        for kind, links in (("exact", exact), ("near", near))
        if settings["duplicates"][kind] == "remove"
    }
    originals = copies(found, len(images))
    names = images["pair_id"].tolist()
    reasons, details = (pd.Series(KEEP, index=images.index) for _ in range(2))
    for copy, (reason, original) in originals.items():
        reasons[copy], details[copy] = reason, f"of {names[original]}"
    screening.reject("duplicates", reasons, details)


def _near_links(images: pd.DataFrame, max_distance: int) -> np.ndarray:
    """Link the first image of its bytes to all copies of others that look nearly the same.

    Only firsts are compared, so that many images of the same bytes do not make all pairs of them.
    """
    first = images.groupby("sha256").cumcount() == 0
    firsts = np.flatnonzero(first)
    links = firsts[near_duplicates(images.loc[first, "perceptual_hash"], max_distance)]
    codes, _ = pd.factorize(images["sha256"])
    copies_of = pd.DataFrame({"first": firsts[codes], "copy": np.arange(len(images))})
    pairs = pd.DataFrame(links, columns=["original", "first"]).merge(copies_of, on="first")
    return pairs[["original", "copy"]].to_numpy()


def _balance(screening: Screening, settings: Mapping[str, Any], seed: int) -> None:
    candidates = screening.candidates
    in_classes = candidates[candidates["label"].isin(settings["classes"])]
    counts = in_classes["label"].value_counts()
    available = {name: int(counts.get(name, 0)) for name in settings["classes"]}
    sizes = class_sizes(available, **settings["balance"])
    surplus = ~chosen(in_classes, sizes, seed)
    screening.reject(
        "balance", only(surplus.reindex(candidates.index, fill_value=False), "over_class_size")
    )
