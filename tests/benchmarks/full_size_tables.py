"""Who is in the full-size corpus: articles, cases, figures, panels, labels, licences and captions.

The counts are those of MultiCaRe's release of 130,791 images (its taxonomy's table of images per
class, and public counts of its tables); any other number of rows keeps their shares.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

FULL_SIZE = 130_791  # images
FULL_ARTICLES, FULL_CASES, FULL_PATIENTS, FULL_FIGURES = 72_581, 93_816, 33_129, 75_319

SUBTYPES: dict[str, dict[str, int]] = {
    "radiology": {
        "ct": 25_614, "mri": 19_235, "x_ray": 12_586, "ultrasound": 5_670, "pet": 1_894,
        "scintigraphy": 374, "spect": 242, "tractography": 25,
    },
    "pathology": {
        "h&e": 12_009, "immunostaining": 9_327, "fish": 1_360, "giemsa": 848,
        "masson_trichrome": 735, "gram": 550, "pas": 510, "papanicolaou": 246,
        "methenamine_silver": 244, "acid_fast": 146, "congo_red": 126, "van_gieson": 98,
        "methylene_blue": 56, "alcian_blue": 49,
    },
    "medical_photograph": {
        "other_medical_photograph": 15_221, "skin_photograph": 7_023, "oral_photograph": 2_578,
    },
    "chart": {"chart": 4_877},
    "ophthalmic_imaging": {
        "fundus_photograph": 1_217, "oct": 1_098, "slit_lamp_photograph": 682,
        "ophthalmic_angiography": 546, "autofluorescence": 146, "gonioscopy": 67, "b_scan": 62,
    },
    "endoscopy": {
        "gi_endoscopy": 1_930, "airway_endoscopy": 851, "arthroscopy": 289,
        "other_endoscopy": 286,
    },
    "electrography": {"ekg": 1_545, "eeg": 318, "emg": 111},
}  # fmt: skip
REGIONS = {
    "head": 22_311, "thorax": 15_187, "abdomen": 13_846, "lower_limb": 4_417, "neck": 3_184,
    "pelvis": 3_027, "upper_limb": 2_404, "breast": 818, "whole_body": 446,
}  # fmt: skip
VIEWS = {"axial": 25_402, "sagittal": 19_201, "frontal": 10_133, "oblique": 3_638}
LICENCES = {"CC BY": 66_071, "CC BY-NC-SA": 32_404, "CC BY-NC": 32_296, "CC0": 20}
GENDERS = {"Male": 44_835, "Female": 42_641, "Unknown": 6_229, "Transgender": 111}
KNOWN_AGES = 85_374  # of FULL_CASES
# Years at shares of the known ages: the quartiles and 77 % adults are MultiCaRe's, the ends ours.
AGE_SHARES, AGES = (0.0, 0.23, 0.25, 0.5, 0.75, 0.97, 1.0), (0, 18, 21.2, 41.5, 60.5, 85, 101)
# Megabytes of the archives of release 1.0; those of 2.x are not known here.
ARCHIVE_SIZES = {
    "PMC1": 573, "PMC2": 195, "PMC3": 1470, "PMC4": 1550, "PMC5": 1470, "PMC6": 1170,
    "PMC7": 968, "PMC8": 838, "PMC9": 187,
}  # fmt: skip
FIGURE_NAMES = ("fig{}", "F{}", "gr{}", "cureus-0015-f{:02d}", "AJCR_20_g00{}", "Fig{}_HTML")
# Ours: exact and re-compressed copies, placeholders of unreadable images, captions that panels
# share, and panels that show the same kind of image as the one before.
SHARE_EXACT, SHARE_COMPRESSED, SHARE_UNREADABLE, SHARE_COMMON_CAPTION = 0.015, 0.015, 0.001, 0.5
RUN_OF_ONE_KIND = 4


def apportion(total: int, shares: Mapping[str, int]) -> dict[str, int]:
    """Divide ``total`` in the ratio of ``shares``, by largest remainder."""
    weights = np.array(list(shares.values()))
    exact = total * weights / weights.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return dict(zip(shares, counts.tolist(), strict=True))


def labels(rows: int) -> dict[tuple[str, str], int]:
    """Return the number of images per type and subtype, by largest remainder at both levels."""
    types = apportion(rows, {name: sum(counts.values()) for name, counts in SUBTYPES.items()})
    return {
        (image_type, subtype): count
        for image_type, total in types.items()
        for subtype, count in apportion(total, SUBTYPES[image_type]).items()
    }


def plan_cases(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Plan all cases, with images or without.

    Returns:
        One row per case, in the order of articles: archive, article_id, case_id, age (Int64,
        years), gender, has_images.
    """
    articles = max(1, rows * FULL_ARTICLES // FULL_SIZE)
    size = max(articles, rows * FULL_CASES // FULL_SIZE)
    patients = min(rows, max(1, rows * FULL_PATIENTS // FULL_SIZE))
    number_of_article = np.repeat(np.arange(articles), _spread(size, articles, rng))
    archives = np.repeat(list(ARCHIVE_SIZES), list(apportion(articles, ARCHIVE_SIZES).values()))
    identifiers = _article_identifiers(archives, rng)
    cases = pd.DataFrame(
        {
            "archive": archives[number_of_article],
            "article_id": identifiers[number_of_article],
            "age": _ages(size, rng),
            "gender": _shuffled(apportion(size, GENDERS), rng),
            "has_images": rng.permutation(size) < patients,
        }
    )
    number = cases.groupby("article_id", sort=False).cumcount() + 1
    cases["case_id"] = cases["article_id"] + "_" + number.astype(str).str.zfill(2)
    return cases


def plan_images(cases: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Plan all images of the cases that have some.

    Returns:
        One row per image, in the order of cases: archive, article_id, case_id, figure, component,
        order, total, image_type, subtype, region, view, licence, caption_group (images with the
        same one share a caption), picture (the row whose picture this one shows) and change
        ("" | "exact" | "compressed" | "unreadable").
    """
    own = cases.loc[cases["has_images"], ["archive", "article_id", "case_id"]]
    figures = max(len(own), min(rows, rows * FULL_FIGURES // FULL_SIZE))
    figures_of_case = _spread(figures, len(own), rng)
    panels_of_figure = _spread(rows, figures, rng)
    table = own.loc[own.index.repeat(figures_of_case)].reset_index(drop=True)
    style = pd.util.hash_array(table["article_id"].to_numpy(dtype=object)) % len(FIGURE_NAMES)
    number = table.groupby("article_id", sort=False).cumcount() + 1
    table["figure"] = [FIGURE_NAMES[one].format(n) for one, n in zip(style, number, strict=True)]
    table["total"] = panels_of_figure
    images = table.loc[table.index.repeat(panels_of_figure)].rename_axis("group").reset_index()
    images["order"] = images.groupby("group").cumcount() + 1
    letters = images["order"].map(lambda order: chr(ord("a") + (order - 1) % 26))
    images["component"] = letters.where(images["total"] > 1, "undivided")
    common = (rng.random(figures) < SHARE_COMMON_CAPTION)[images["group"]]
    images["caption_group"] = np.where(common, images["group"], figures + images.index)
    kinds = _runs(labels(rows), rng)
    images["image_type"], images["subtype"] = zip(*kinds, strict=True)
    _locate(images, rng)
    images["licence"] = _licences(images["article_id"], rng)
    _plan_copies(images, rng)
    return images.drop(columns="group")


def _spread(total: int, places: int, rng: np.random.Generator) -> np.ndarray:
    """Put at least one of ``total`` items in each place, and the rest unevenly."""
    return 1 + rng.multinomial(total - places, rng.dirichlet(np.ones(places)))


def _article_identifiers(archives: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an unused number per article: seven digits, of PMC1 eight, as in PubMed Central."""
    identifiers = np.empty(len(archives), dtype=object)
    for archive in dict.fromkeys(archives.tolist()):
        rows = np.flatnonzero(archives == archive)
        numbers = 1_000_000 * int(archive[3:]) * (10 if archive == "PMC1" else 1) + rng.choice(
            1_000_000, len(rows), replace=False
        )
        identifiers[rows] = [f"PMC{number}" for number in np.sort(numbers)]
    return identifiers


def _ages(size: int, rng: np.random.Generator) -> pd.arrays.IntegerArray:
    known = round(size * KNOWN_AGES / FULL_CASES)
    ages = np.zeros(size, dtype=np.int64)
    ages[:known] = np.interp((np.arange(known) + 0.5) / known, AGE_SHARES, AGES)
    order = rng.permutation(size)
    return pd.arrays.IntegerArray(ages[order], mask=(np.arange(size) >= known)[order])


def _shuffled(counts: Mapping[str, int], rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.repeat(list(counts), list(counts.values())).astype(object))


def _runs(counts: Mapping[tuple[str, str], int], rng: np.random.Generator) -> list[tuple[str, str]]:
    """Shuffle labels in short runs of one kind, since a figure mostly holds one kind."""
    ordered = [kind for kind, count in counts.items() for _ in range(count)]
    starts = rng.permutation(np.arange(0, len(ordered), RUN_OF_ONE_KIND))
    return [kind for start in starts for kind in ordered[start : start + RUN_OF_ONE_KIND]]


def _locate(images: pd.DataFrame, rng: np.random.Generator) -> None:
    """Give radiology a region and a view, and everything else none."""
    radiology = images["image_type"] == "radiology"
    for column, counts in (("region", REGIONS), ("view", VIEWS)):
        weights = np.array(list(counts.values())) / sum(counts.values())
        drawn = rng.choice(np.array(list(counts), dtype=object), len(images), p=weights)
        images[column] = np.where(radiology, drawn, "")
    images.loc[images["subtype"] == "ultrasound", "view"] = "ultrasound_view"


def _licences(articles: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Give whole articles one licence; at most one article per licence is divided, for the sum."""
    codes, _ = pd.factorize(articles)
    order = np.argsort(rng.permutation(codes.max() + 1)[codes], kind="stable")
    counts = apportion(len(articles), LICENCES)
    licences = np.empty(len(articles), dtype=object)
    licences[order] = np.repeat(list(counts), list(counts.values()))
    return licences


def _plan_copies(images: pd.DataFrame, rng: np.random.Generator) -> None:
    """Make some rows copies of an original of the same subtype, half of them of one near by."""
    draws = rng.random(len(images))
    limits = np.cumsum([SHARE_EXACT, SHARE_COMPRESSED, SHARE_UNREADABLE])
    kinds = np.array(["exact", "compressed", "unreadable", ""], dtype=object)
    images["change"] = kinds[np.searchsorted(limits, draws, side="right")]
    images["picture"] = np.arange(len(images))
    is_copy = images["change"].isin(["exact", "compressed"]).to_numpy()
    is_original = (images["change"] == "").to_numpy()
    for _, group in images.groupby("subtype", sort=False):
        rows = group.index.to_numpy()
        copies, originals = rows[is_copy[rows]], rows[is_original[rows]]
        if not len(originals):
            images.loc[copies, "change"] = ""
            continue
        near = np.maximum(np.searchsorted(originals, copies) - 1, 0)
        anywhere = rng.integers(0, len(originals), len(copies))
        chosen = np.where(rng.random(len(copies)) < 0.5, near, anywhere)
        images.loc[copies, "picture"] = originals[chosen]
