"""The screens that need no image: class, age, licence, caption, identifiers, and the subset."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.curation.captions import caption_problem
from pairdx.curation.identifiers import find_identifiers, mask
from pairdx.curation.outcomes import KEEP, Screening, only
from pairdx.logs import logger, progress
from pairdx.ordering import seeded_rank


def screen_tables(
    candidates: pd.DataFrame, settings: Mapping[str, Any], *, subset: int | None, seed: int
) -> Screening:
    """Run the stages ingest, class, age, licence, caption, identifiers and subset.

    Args:
        candidates: As from :func:`pairdx.corpus.multicare.reading.read`.
        settings: The config's ``curation`` section.
        subset: Keep at most this many candidates per class, or None for all.
        seed: Seed of the subset.

    Returns:
        The candidates that are left, their captions masked where ``identifiers`` says so, with the
        further column masked: the kinds of identifiers that were masked, joined with ";".
    """
    screening = Screening(candidates)
    _screen_rows(screening)
    known = [*settings["classes"], *settings["out_of_distribution"]]
    _screen_classes(screening, known, settings["modalities"])
    _screen_ages(screening, settings["min_age"], settings["unknown_age"])
    _screen_licences(screening, settings["licences"])
    _screen_captions(screening, settings["caption_problems"])
    _screen_identifiers(screening, settings["identifiers"])
    _take_subset(screening, subset, seed)
    return screening


def _screen_rows(screening: Screening) -> None:
    rows = screening.candidates
    files = rows["file"]
    reasons = only(rows["malformed"] != "", "malformed_list")
    reasons[rows["pair_id"].duplicated()] = "repeated_row"
    reasons[rows["case_id"].str.strip() == ""] = "no_case"
    reasons[files.str.contains(r"[/\\\x00]") | files.str.startswith(".")] = "unsafe_file_name"
    reasons[files.str.strip() == ""] = "no_file_name"
    screening.reject("ingest", reasons, rows["malformed"])
    screening.candidates = screening.candidates.drop(columns="malformed")


def _screen_classes(
    screening: Screening,
    known: list[str],
    modalities: Mapping[str, Mapping[str, Any] | None] | None,
) -> None:
    """Keep the classes in use, and of these what one of the selected modalities covers; or all."""
    labels, subtypes = screening.candidates["label"], screening.candidates["subtype"]
    covered = pd.Series(data=modalities is None, index=labels.index)
    for name, modality in (modalities or {}).items():
        if modality is not None:
            of_subtype = subtypes.isin(modality["subtypes"]) if "subtypes" in modality else True
            own = (labels == modality["label"]) & of_subtype
            if not own.any():
                logger.warning("no candidate is of the modality %s (%s)", name, dict(modality))
            covered |= own
    reasons = only(~covered, "modality_not_selected")
    reasons[~labels.isin(known)] = "unknown_class"
    screening.reject("class", reasons, labels + (" " + subtypes).where(subtypes != "", ""))


def _screen_ages(screening: Screening, youngest: int, unknown: str) -> None:
    ages = screening.candidates["age"]
    reasons = only((ages < youngest).fillna(value=False).astype(bool), "under_age")
    logger.log(
        logging.WARNING if ages.isna().all() else logging.INFO,
        "the ages of %d of %d candidates are not known (%s: %s); %d are known to be below %d",
        *(ages.isna().sum(), len(ages), "curation.unknown_age", unknown),
        *((reasons != KEEP).sum(), youngest),
    )
    if unknown == "reject":
        reasons[ages.isna()] = "unknown_age"
    screening.reject("age", reasons, ages.astype(str).replace("<NA>", ""))


def _screen_licences(screening: Screening, allowed: list[str] | None) -> None:
    licences = screening.candidates["licence"]
    logger.info("the licences of %d of %d candidates are not known", *_unknown(licences))
    unwanted = ~licences.isin(allowed) if allowed is not None else licences != licences
    screening.reject("licence", only(unwanted, "licence_not_allowed"), licences)


def _unknown(values: pd.Series) -> tuple[int, int]:
    return int((values == "").sum()), len(values)


def _screen_captions(screening: Screening, problems: list[str]) -> None:
    captions = screening.candidates["caption"]
    found = captions.map(lambda caption: caption_problem(caption, problems) or (KEEP, ""))
    screening.reject("caption", found.str[0].astype(str), found.str[1].astype(str))


def _screen_identifiers(screening: Screening, handling: Mapping[str, str]) -> None:
    """Reject or mask captions that identify a person, kind by kind as ``handling`` says."""
    kinds = [kind for kind, action in handling.items() if action != "keep"]
    reasons, details, captions, masked = [], [], [], []
    texts = screening.candidates["caption"]
    for caption in progress(texts, "looking for identifiers", total=len(texts)):
        found = find_identifiers(caption, kinds)
        fatal = next((one for one in found if handling[one.kind] == "reject"), None)
        reasons.append(fatal.kind if fatal else KEEP)
        details.append(fatal.text if fatal else "")
        captions.append(mask(caption, found))
        masked.append(";".join(sorted({one.kind for one in found})))
    columns = {"caption": captions, "masked": masked, "reason": reasons, "detail": details}
    found_in = pd.DataFrame(columns, index=texts.index, dtype=str)
    screening.candidates = screening.candidates.assign(**found_in[["caption", "masked"]])
    screening.reject("identifiers", found_in["reason"], found_in["detail"])


def _take_subset(screening: Screening, subset: int | None, seed: int) -> None:
    candidates = screening.candidates
    if subset is None:
        screening.reject("subset", only(candidates["row"] < 0, ""))
        return
    order = seeded_rank(candidates["pair_id"], seed, "subset").set_axis(candidates.index)
    position = order.groupby(candidates["label"]).rank(method="first")
    screening.reject("subset", only(position > subset, "outside_subset"))
