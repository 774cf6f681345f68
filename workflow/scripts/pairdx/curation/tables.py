"""The screens that need no image: class, age, licence, caption, and the subset for quick runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.curation.captions import caption_problem
from pairdx.curation.outcomes import KEEP, Screening, only
from pairdx.ordering import seeded_rank


def screen_tables(
    candidates: pd.DataFrame, settings: Mapping[str, Any], *, subset: int | None, seed: int
) -> Screening:
    """Run the stages ingest, class, age, licence, caption and subset.

    Args:
        candidates: As from :func:`pairdx.corpus.multicare.read_candidates`.
        settings: The config's ``curation`` section.
        subset: Keep at most this many candidates per class, or None for all.
        seed: Seed of the subset.
    """
    screening = Screening(candidates)
    _screen_rows(screening)
    _screen_classes(screening, [*settings["classes"], *settings["out_of_distribution"]])
    _screen_ages(screening, settings["min_age"], settings["unknown_age"])
    _screen_licences(screening, settings["licences"])
    _screen_captions(screening, settings["caption_problems"])
    _take_subset(screening, subset, seed)
    return screening


def _screen_rows(screening: Screening) -> None:
    rows = screening.candidates
    reasons = only(rows["pair_id"].duplicated(), "repeated_row")
    reasons[rows["case_id"].str.strip() == ""] = "no_case"
    reasons[rows["file"].str.strip() == ""] = "no_file_name"
    screening.reject("ingest", reasons)


def _screen_classes(screening: Screening, known: list[str]) -> None:
    labels = screening.candidates["label"]
    screening.reject("class", only(~labels.isin(known), "unknown_class"), labels)


def _screen_ages(screening: Screening, youngest: int, unknown: str) -> None:
    ages = screening.candidates["age"]
    reasons = only((ages < youngest).fillna(value=False).astype(bool), "under_age")
    if unknown == "reject":
        reasons[ages.isna()] = "unknown_age"
    screening.reject("age", reasons, ages.astype(str).replace("<NA>", ""))


def _screen_licences(screening: Screening, allowed: list[str] | None) -> None:
    licences = screening.candidates["licence"]
    unwanted = ~licences.isin(allowed) if allowed is not None else licences != licences
    screening.reject("licence", only(unwanted, "licence_not_allowed"), licences)


def _screen_captions(screening: Screening, problems: list[str]) -> None:
    captions = screening.candidates["caption"]
    found = captions.map(lambda caption: caption_problem(caption, problems) or (KEEP, ""))
    screening.reject("caption", found.str[0].astype(str), found.str[1].astype(str))


def _take_subset(screening: Screening, subset: int | None, seed: int) -> None:
    candidates = screening.candidates
    if subset is None:
        screening.reject("subset", only(candidates["row"] < 0, ""))
        return
    order = seeded_rank(candidates["pair_id"], seed, "subset").set_axis(candidates.index)
    position = order.groupby(candidates["label"]).rank(method="first")
    screening.reject("subset", only(position > subset, "outside_subset"))
