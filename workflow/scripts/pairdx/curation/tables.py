"""The screens that need no image: class, age, licence, caption, identifiers, and the subset."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from pairdx.curation.captions import caption_problem
from pairdx.curation.identifiers import find_identifiers, mask
from pairdx.curation.outcomes import KEEP, Screening, only
from pairdx.finding_texts import COLUMN as FINDINGS
from pairdx.logs import logger, progress
from pairdx.ordering import seeded_rank

# What is not done with data that do not tell something (``Reader.lacks``), before the reason.
NOT_SCREENED = {
    "captions": "captions are not screened, and not searched for identifiers",
    "ages": "ages are not screened",
    "modalities": "parts of classes are not told apart",
    "licences": "licences are not known",
    "groups": "what belongs together is not known but for copies of images and captions",
    "subsets": "there is no split that comes with the data",
    "caption_labels": "labels are not held against captions",
    "labels": "nothing can be tested on these data",
    "sexes": "sexes are not known",
}


def screen_tables(
    candidates: pd.DataFrame,
    settings: Mapping[str, Any],
    *,
    subset: int | None,
    seed: int,
    lacks: Mapping[str, str] = MappingProxyType({}),
    needs_subset: bool = False,
) -> Screening:
    """Run the stages ingest, class, age, licence, caption, identifiers and subset.

    Args:
        candidates: As from :func:`pairdx.corpus.multicare.reading.read`. The column left_out, if
            there is one, says why the reader leaves a candidate out: a reason of the stage ingest.
        settings: The config's ``curation`` section.
        subset: Keep at most this many candidates per class, or None for all.
        seed: Seed of the subset.
        lacks: What the data do not tell, each with the reason (``Reader.lacks``). The log says of
            the screens that ask for it that nothing was screened, and why.
        needs_subset: Reject what states no subset of the data's own split.

    Returns:
        The candidates that are left, their captions masked where ``identifiers`` says so, with the
        further column masked: the kinds of identifiers that were masked, joined with ";".
    """
    screening = Screening(candidates)
    _screen_rows(screening, needs_subset=needs_subset)
    known = [*settings["classes"], *settings["out_of_distribution"]]
    _screen_classes(screening, known, settings["modalities"])
    _screen_ages(screening, settings["min_age"], settings["unknown_age"], lacks.get("ages"))
    _screen_licences(screening, settings["licences"], lacks.get("licences"))
    if "captions" in lacks:
        _screen_no_captions(screening)
    else:
        _screen_captions(screening, settings["caption_problems"])
        _screen_identifiers(screening, settings["identifiers"])
    for what, reason in lacks.items():
        logger.info("%s: %s", NOT_SCREENED.get(what, what), reason)
    _take_subset(screening, subset, seed)
    return screening


def _screen_no_captions(screening: Screening) -> None:
    """Pass the stages of captions: what nobody wrote is not rejected for being empty."""
    screening.candidates = screening.candidates.assign(masked="")
    nothing = only(screening.candidates["row"] < 0, "")
    for stage in ("caption", "identifiers"):
        screening.reject(stage, nothing)


def _screen_rows(screening: Screening, *, needs_subset: bool) -> None:
    rows = screening.candidates
    files = rows["file"]
    reasons = only(rows["malformed"] != "", "malformed_list")
    if needs_subset:
        reasons[rows["published_subset"] == ""] = "no_subset"
    if "left_out" in rows:
        reasons = reasons.where(rows["left_out"] == "", rows["left_out"])
    reasons[rows["pair_id"].duplicated()] = "repeated_row"
    reasons[rows["case_id"].str.strip() == ""] = "no_case"
    reasons[files.str.contains(r"[/\\\x00]") | files.str.startswith(".")] = "unsafe_file_name"
    reasons[files.str.strip() == ""] = "no_file_name"
    screening.reject("ingest", reasons, rows["malformed"])
    screening.candidates = screening.candidates.drop(
        columns=["malformed", "left_out"], errors="ignore"
    )


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
    several = FINDINGS in screening.candidates
    reasons[~labels.isin(known)] = "unknown_label" if several else "unknown_class"
    screening.reject("class", reasons, labels + (" " + subtypes).where(subtypes != "", ""))


def _screen_ages(screening: Screening, youngest: int, unknown: str, lacking: str | None) -> None:
    ages = screening.candidates["age"]
    reasons = only((ages < youngest).fillna(value=False).astype(bool), "under_age")
    if not lacking:
        logger.log(
            logging.WARNING if ages.isna().all() else logging.INFO,
            "the ages of %d of %d candidates are not known (%s: %s); %d are known to be below %d",
            *(ages.isna().sum(), len(ages), "curation.unknown_age", unknown),
            *((reasons != KEEP).sum(), youngest),
        )
    if unknown == "reject":
        reasons[ages.isna()] = "unknown_age"
    screening.reject("age", reasons, ages.astype(str).replace("<NA>", ""))


def _screen_licences(screening: Screening, allowed: list[str] | None, lacking: str | None) -> None:
    licences = screening.candidates["licence"]
    if not lacking:
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
