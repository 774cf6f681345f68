"""Captions and case texts of the full-size corpus: invented sentences of realistic length."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

# Lengths are log-normal. Captions: median 113 characters, mean 138.8 (MultiCaRe 2.x); the longest
# is ours. Case texts: about 3,000 characters, from the size of the released table of cases.
CAPTION_MEDIAN, CAPTION_SPREAD, CAPTION_LONGEST = 113, 0.641, 1_500
CASE_TEXT_MEDIAN, CASE_TEXT_SPREAD, CASE_TEXT_LONGEST = 2_700, 0.45, 20_000
SHARE_NAMING, SHARE_IDENTIFYING, SHARE_GENERIC = 0.6, 0.004, 0.003
SENTENCES = 20_000
SHORTEST_TEXT, SHORTEST_SENTENCE, HALF_A_WORD = 8, 36, 4  # characters

TEMPLATES = (
    "{Size} {finding} of the {side} {part} ({mark}), measuring {number} mm.",
    "{Finding} of the {side} {part}, {size}, {number} days after {therapy}.",
    "{Part} ({side}): {change} of the {finding} {number} months after {therapy}.",
    "{Mark} at a {size} {finding} in the {side} {part}, grade {number}.",
    "{Change} of the {size} {finding} in the {part} ({number} ± {number} mm, p < 0.05).",
    "{Part} before (A) and after (B) {therapy}, with {change} of the {size} {finding}.",
)
FIELDS = {
    "mark": "arrow;white arrow;arrowhead;asterisk;dashed line;star;red circle;yellow arrows",
    "size": "small;large;ill-defined;irregular;subtle;focal;diffuse;solitary;lobulated;enhancing",
    "finding": "mass;lesion;ulcer;oedema;nodule;stenosis;fistula;abscess;infiltrate;cyst;polyp;"
    "calcification;haemorrhage;thrombus;fracture;effusion;plaque;metastasis",
    "side": "left;right;upper;lower;anterior;posterior;medial;lateral",
    "part": "lung;liver;femur;retina;colon;frontal lobe;kidney;forearm;mandible;ventricle;spleen;"
    "aorta;pancreas;cornea;stomach;thyroid;T12 vertebra;L4/L5 disc",
    "change": "resolution;regression;progression;improvement;recurrence;partial response",
    "therapy": "antibiotics;prednisolone;radiotherapy;chemotherapy;surgery;rituximab;drainage",
}
KIND_COLUMNS = ("image_type", "subtype", "region", "view")
# How a caption that names its image opens, unless it is short: in words like the taxonomy's own.
OPENINGS = {
    "radiology": "{subtype} of the {region}, {view}. ",
    "chart": "Chart. ",
    "electrography": "{subtype} at 25 mm/s and 10 mm/mV. ",
}
OPENING = "{subtype}. "
GENERIC = "{subtype} image."  # the whole caption, of whatever article
# How all others open, so that short captions of different articles are seldom the same.
DAY, LATEST_DAY = "Day {}: ", 5_000
# What curation must find; the person and the numbers are invented.
IDENTIFYING = (
    " Taken on 12 March 2019.",
    " MRN 00482913.",
    " Seen by Dr. Maria Keller.",
    " <b>Bold</b> markup was left in.",
    " Write to someone@clinic.example for data.",
)


def sentence_pool(rng: np.random.Generator) -> np.ndarray:
    """Draw the sentences that all texts are made of: object array of shape (SENTENCES,)."""
    words = {field: listed.split(";") for field, listed in FIELDS.items()}
    pool = np.empty(SENTENCES, dtype=object)
    for row, template in enumerate(rng.integers(0, len(TEMPLATES), SENTENCES)):
        picks = iter(rng.random(8).tolist())

        def filled(match: re.Match[str], picks: Iterator[float] = picks) -> str:
            pick = next(picks)
            if match[1] == "number":
                return str(int(1 + 60 * pick))
            found = words[match[1].lower()]
            word = found[int(pick * len(found))]
            return word[0].upper() + word[1:] if match[1][0].isupper() else word

        pool[row] = re.sub(r"\{(\w+)\}", filled, TEMPLATES[template])
    return pool


def captions(images: pd.DataFrame, pool: np.ndarray, rng: np.random.Generator) -> pd.Series:
    """Write one caption per image; images of one ``caption_group`` get the same.

    Args:
        images: Columns image_type, subtype, region, view and caption_group.
        pool: From :func:`sentence_pool`.
        rng: Makes every choice.
    """
    first = images.drop_duplicates("caption_group")
    lengths = _lengths(CAPTION_MEDIAN, CAPTION_SPREAD, CAPTION_LONGEST, len(first), rng)
    kinds = first[list(KIND_COLUMNS)].to_numpy().tolist()
    written = [
        _caption(dict(zip(KIND_COLUMNS, kind, strict=True)), length, pool, rng)
        for kind, length in zip(kinds, lengths, strict=True)
    ]
    return images["caption_group"].map(pd.Series(written, index=first["caption_group"].to_numpy()))


def _caption(
    kind: Mapping[str, str], length: int, pool: np.ndarray, rng: np.random.Generator
) -> str:
    generic, naming, identifying = rng.random(3) < (SHARE_GENERIC, SHARE_NAMING, SHARE_IDENTIFYING)
    template = GENERIC if generic else OPENINGS.get(kind["image_type"], OPENING)
    opening = template.format(**kind).replace("_", " ")
    opening = opening[:1].upper() + opening[1:]
    if generic:
        return opening
    if not naming or len(opening) > length / 2:
        opening = DAY.format(int(rng.integers(1, LATEST_DAY)))
    extra = IDENTIFYING[int(rng.integers(len(IDENTIFYING)))] if identifying else ""
    return _text(opening, length, pool, rng) + extra


def case_texts(number: int, pool: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Write ``number`` case texts."""
    lengths = _lengths(CASE_TEXT_MEDIAN, CASE_TEXT_SPREAD, CASE_TEXT_LONGEST, number, rng)
    return [_text("", length, pool, rng) for length in lengths]


def _lengths(
    median: float, spread: float, longest: int, number: int, rng: np.random.Generator
) -> list[int]:
    drawn = median * np.exp(spread * rng.standard_normal(number))
    return np.clip(drawn, SHORTEST_TEXT, longest).astype(int).tolist()


def _text(opening: str, length: int, pool: np.ndarray, rng: np.random.Generator) -> str:
    """Join sentences up to about ``length`` characters; the last one is cut at a word's end."""
    drawn = pool[rng.integers(0, len(pool), length // SHORTEST_SENTENCE + 1)]
    text = opening + " ".join(drawn)
    end = text.find(" ", length - HALF_A_WORD)
    return text if end < 0 else text[:end].rstrip(" .,(") + "."
